package Probe;

# What runs the probe in its tests: an nginx whose worker runs checks and prints
# the results; and short names for the fakes they talk to, WaGateway::Fake with
# a handler.  Nothing here sleeps to give something time: it waits for an event,
# with a deadline.

use strict;
use warnings;

use Exporter qw(import);
use FindBin;
use lib "$FindBin::Bin/../lib";

use WaGateway::Fake;

use Unit;

our @EXPORT = qw(port server request reset_by nginx);

my @fakes;


sub port { return WaGateway::Fake::free_port() }

sub request { return WaGateway::Fake::read_request(@_) }

sub reset_by { return WaGateway::Fake::reset_by(@_) }


# Serves each connection by $handler->($socket, $n, $say).  Returns the port (or
# the given path) and what reads the lines that a handler says.

sub server {
    my ($handler, %opt) = @_;

    my $fake = WaGateway::Fake->new(handler => $handler, unix => $opt{path});
    push @fakes, $fake;

    my $addr = $opt{path} || $fake->port;

    return wantarray ? ($addr, $fake->lines) : $addr;
}


# Starts an nginx with this configuration in the main context (and, in
# "http", in http); returns an object that reads what its worker prints.

sub nginx {
    my ($conf, %opt) = @_;

    return Probe::Nginx->new($conf, %opt);
}


package Probe::Nginx;

use strict;
use warnings;

use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);


sub new {
    my ($class, $conf, %opt) = @_;

    my $module = Unit::module();
    my $dir = tempdir(CLEANUP => 1);
    my $events = $opt{events} || '';
    my $http = $opt{http} ? "http { access_log off; $opt{http} }" : '';

    open my $fh, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";
    print $fh <<"END";
load_module $module;
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/error.log info;
events { $events }
$conf
$http
END
    close $fh;

    pipe my $read, my $write or die "pipe: $!";

    my $pid = fork();
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        close $read;
        open STDOUT, '>&', $write or POSIX::_exit(1);
        exec Unit::nginx(), '-p', $dir, '-e', "$dir/error.log", '-c',
             "$dir/nginx.conf"
            or POSIX::_exit(1);
    }

    close $write;

    my $self = bless { pid => $pid, dir => $dir,
                       lines => WaGateway::Fake::Lines->new($read) }, $class;

    my $line = $self->line();

    if (!defined $line || $line !~ /^worker (\d+)/) {
        die "nginx did not start: " . ($line || '') . $self->log();
    }

    $self->{worker} = $1;

    return $self;
}


sub line {
    my ($self, $timeout) = @_;

    return $self->{lines}->line($timeout);
}


sub log {
    my ($self) = @_;

    open my $fh, '<', "$self->{dir}/error.log" or return '';
    local $/;

    return scalar <$fh>;
}


sub worker { return $_[0]->{worker}; }


# Sends a signal to the master and waits for its end; the seconds it took.

sub stop {
    my ($self, $signal) = @_;

    my $start = time();

    kill $signal || 'TERM', $self->{pid};

    while (time() - $start < 60) {
        if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
            delete $self->{pid};
            return time() - $start;
        }

        sleep 0.01;
    }

    return 60;
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);

    return if !$self->{pid};

    kill 'CONT', $self->{worker} if $self->{worker};
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
}


1;
