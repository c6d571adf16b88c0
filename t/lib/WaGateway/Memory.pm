package WaGateway::Memory;

# Memory that runs out: of what a worker allocates, the n-th allocation fails.

use strict;
use warnings;

use File::Temp qw(tempdir);
use WaGateway::Nginx qw(slurp);


# What is preloaded; undef without a compiler, or under a sanitizer, which has
# allocations of its own.
sub new {
    my ($class) = @_;

    return if $ENV{WA_GATEWAY_TEST_SANITIZE};

    my $dir = tempdir(CLEANUP => 1);
    my $self = bless { fail => "$dir/fail", shim => "$dir/shim.so" }, $class;

    open my $fh, '>', "$dir/shim.c" or die "$!\n";
    print $fh shim();
    close $fh;

    $self->fail_at(0);

    local $ENV{PATH} = "$ENV{PATH}:/usr/bin";

    return system("cc -shared -fPIC -O1 -w -o $dir/shim.so $dir/shim.c "
                  . '2>/dev/null') == 0 ? $self : undef;
}


# The environment of an nginx.
sub env {
    my ($self) = @_;
    return { LD_PRELOAD => $self->{shim}, WA_GATEWAY_FAIL => $self->{fail} };
}


# Sets which allocation fails, 0: none; what was left of the count before.
sub fail_at {
    my ($self, $n) = @_;
    my $old = -s $self->{fail} ? $self->left : 0;

    open my $fh, '+>>', $self->{fail} or die "$!\n";
    close $fh;
    open $fh, '+<', $self->{fail} or die "$!\n";
    syswrite $fh, pack 'i', $n;
    close $fh;

    return $old;
}


# Until it fails; -1: it did.
sub left {
    my ($self) = @_;
    return unpack 'i', slurp($self->{fail});
}


sub shim {
    return <<'END';
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

static volatile int  *left;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

__attribute__((constructor)) static void
map(void)
{
    char  *name = getenv("WA_GATEWAY_FAIL");
    int    fd = name ? open(name, O_RDWR) : -1;
    void  *p;

    if (fd != -1) {
        p = mmap(NULL, sizeof(int), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED) {
            left = p;
        }
    }
}

static int
fails(void)
{
    if (left == NULL || *left <= 0) {
        return 0;
    }

    if (--*left == 0) {
        *left = -1;
        errno = ENOMEM;
        return 1;
    }

    return 0;
}

void *
malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

int
posix_memalign(void **p, size_t alignment, size_t size)
{
    if (fails()) {
        return ENOMEM;
    }

    *p = __libc_memalign(alignment, size);

    return *p ? 0 : ENOMEM;
}
END
}


1;
