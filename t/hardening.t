#!/usr/bin/perl

# How the module is compiled and linked.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $root = abs_path("$FindBin::Bin/..");
my $module = "$root/build/ngx_http_wa_gateway_module.so";

plan skip_all => 'make build has not been run' unless -f $module;
plan skip_all => 'no readelf or nm here'
    if grep { my $x = $_; !grep { -x "$_/$x" } split /:/, $ENV{PATH} } qw(readelf nm);

my $headers = `readelf -Wld '$module'`;

like($headers, qr/^Elf file type is DYN/m, 'position independent');
unlike($headers, qr/TEXTREL/, 'and no text to be relocated');
like($headers, qr/^\s*GNU_RELRO /m, 'what is relocated is read-only then');
like($headers, qr/\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b/, 'all of it, at once');
like($headers, qr/^\s*GNU_STACK .* RW +0x/m, 'the stack is not executable');
unlike($headers, qr/^\s*LOAD .* (?:RWE|WE)/m, 'nor is anything that can be written');
like($headers, qr/\(NEEDED\).*$_/, "it asks for $_") for qw(libcjson libhiredis);
unlike($headers, qr/\((?:RPATH|RUNPATH)\)/, 'from no folder of its own');
like(`nm -D '$module'`, qr/ U __stack_chk_fail\b/, 'the stack is protected');

# A call whose bound is not known in advance shows FORTIFY; the module may
# have none.
my ($flags) = do {
    open my $fh, '<', "$root/build/nginx/objs/Makefile" or die "objs/Makefile: $!\n";
    local $/;
    <$fh> =~ /^CFLAGS = *(.*)$/m;
};
my $dir = tempdir(CLEANUP => 1);
open my $c, '>', "$dir/a.c" or die "a.c: $!\n";
print $c "#include <string.h>\nvoid f(char *p, size_t n);\n"
         . "void f(char *p, size_t n)\n{\n    char b[8];\n\n    memcpy(b, p, n);\n"
         . "    memcpy(p, b, sizeof(b));\n}\n";
close $c;

is(system("cd '$dir' && \${CC:-cc} -c -fPIC $flags -o a.o a.c"), 0, 'the flags compile');
my $calls = `nm '$dir/a.o'`;
like($calls, qr/ U __memcpy_chk\b/, 'copies are checked (FORTIFY)');
like($calls, qr/ U __stack_chk_fail\b/, 'and the stack');

done_testing;
