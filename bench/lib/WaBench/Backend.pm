package WaBench::Backend;

# The instances: one process of bench/backend.c answers as any number of them.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use WaBench::Process qw(launch finish load_cpus);
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll);

our @EXPORT_OK = qw(program);

my $Bench = __FILE__ =~ s{/lib/WaBench/Backend\.pm$}{}r;
my $Build = "$Bench/../build/bench";


# A program of bench/, compiled when it is older than its source.
sub program {
    my ($name) = @_;
    my ($source, $binary) = ("$Bench/$name.c", "$Build/$name");

    return $binary if -e $binary && -M $binary < -M $source;

    system('mkdir', '-p', $Build) == 0 or die "$Build: cannot be made\n";
    system($ENV{CC} || 'cc', '-O2', '-Wall', '-Wextra', '-o', $binary,
           $source) == 0 or die "$source: does not compile\n";

    return $binary;
}


# Options: delay (ms), sessions (of each instance), ledger (a file).
sub start {
    my ($class, %o) = @_;

    my $self = bless { port => WaGateway::Fake::free_port() }, $class;
    my @more = ($o{delay} || 0, $o{sessions} || 0,
                defined $o{ledger} ? $o{ledger} : ());

    $self->{pid} = launch([program('backend'), $self->{port}, @more],
                          cpus => load_cpus());

    poll { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $self->{port}) }
        or die "the backend does not listen\n";

    return $self;
}


# As many instances of it as asked for: 127.0.0.0/8 is all loopback.
sub instances {
    my ($self, $n) = @_;

    return map { sprintf '127.1.%d.%d:%d', int($_ / 250), $_ % 250 + 1,
                         $self->{port} } 0 .. $n - 1;
}


# Requests so far, checks among them.
sub count {
    my ($self) = @_;
    return http($self->{port}, 'GET', '/count')->{body};
}


sub signal {
    my ($self, $name) = @_;
    kill $name, $self->{pid};
}


sub stop {
    my ($self) = @_;
    finish($self->{pid});
}


1;
