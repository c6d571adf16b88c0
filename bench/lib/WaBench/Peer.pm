package WaBench::Peer;

# One gateway of the comparison.  A kind of gateway gives config() (its files,
# by name), command(), version() and, where it has one, hot(): how it reloads.
#
# Options: instances ("address:port" each), workers, interval and timeout of
# the checks, request_timeout (seconds), generation (sent as X-Bench).

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use WaBench::Process qw(launch finish tree cpu_us memory_kb gateway_cpu);
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll slurp);


sub new {
    my ($class, %o) = @_;

    my $self = bless {
        workers => 1, interval => 30, timeout => 10, request_timeout => 10,
        generation => 1, %o }, $class;

    $self->{port} = WaGateway::Fake::free_port();
    $self->{dir} = tempdir('wa-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $self->{dir};

    return $self;
}


sub start {
    my ($self) = @_;

    $self->launch_only;
    $self->answers(60) or die $self->name . " does not answer:\n"
                              . slurp("$self->{dir}/out");

    return $self;
}


sub launch_only {
    my ($self) = @_;

    $self->write_config;
    $self->{pid} = launch([$self->command], out => "$self->{dir}/out",
                          env => $self->env,
                          cpus => $self->{workers} > 1 || $self->{anywhere}
                                  ? undef : gateway_cpu());
}


sub write_config {
    my ($self) = @_;
    my %file = $self->config;

    for my $name (keys %file) {
        open my $fh, '>', "$self->{dir}/$name" or die "$name: $!\n";
        print $fh $file{$name};
        close $fh or die "$name: $!\n";
    }
}


# True once a message is answered, by the configuration of this generation.
# Asked every few ms, each time on a connection of its own.
sub answers {
    my ($self, $seconds) = @_;
    my $end = time + $seconds;

    while (time < $end) {
        my $r = http($self->{port}, 'POST', '/send-message', timeout => 10,
                     headers => ['Content-Type: application/json'],
                     body => '{"to":"1","message":"ready?"}');

        return 1 if $r->{status} == 200
                    && ($r->{headers}{'x-bench'} || '') eq $self->{generation};
        return 0 if waitpid $self->{pid}, POSIX::WNOHANG();
        sleep 0.002;
    }

    return 0;
}


# Gives false where this kind of gateway cannot.
sub reload {
    my ($self) = @_;

    return 0 unless $self->can('hot');

    $self->{generation}++;
    $self->write_config;
    $self->hot;

    return 1;
}


sub stop {
    my ($self) = @_;
    finish(delete $self->{pid}, $self->end_signal) if $self->{pid};
}


# Are 4,000 checks a second a thing to ask of it?
sub checks { return 1 }

sub end_signal { return 'TERM' }

sub env { return {} }

sub pids { return tree($_[0]{pid}) }

sub cpu { return cpu_us($_[0]->pids) }

sub memory { return memory_kb($_[0]->pids) }

sub port { return $_[0]{port} }


# A figure with a unit that all configuration files understand.
sub ms { return int($_[1] * 1000) . 'ms' }


1;
