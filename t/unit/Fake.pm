package Fake;

# What the tests of the probe talk to, and what runs the probe: servers with
# odd behaviour, and an nginx whose worker runs checks and prints the results.
# Nothing here sleeps to give something time: it waits for an event, with a
# deadline.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER SO_REUSEADDR SOMAXCONN);
use Time::HiRes qw(sleep time);
use WaGateway::Fake ();

use Unit;

our @ISA = qw(Exporter);
our @EXPORT = qw(port server request reset_by nginx conf_port);

use Exporter ();

my %children;


# A port of loopback that is free now, and stays so for others.

sub port { return WaGateway::Fake::free_port() }


# Serves each connection in a process of its own by $handler->($socket, $n),
# n from 1 on.  Returns the port (or the given path) and a pipe to read what
# a handler says.

sub server {
    my ($handler, %opt) = @_;

    my $listen;
    my $addr = $opt{path} || port();

    if ($opt{path}) {
        $listen = IO::Socket::UNIX->new(Local => $addr, Listen => 64)
            or die "listen $addr: $!";

    } else {
        $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                        LocalPort => $addr,
                                        Listen => $opt{backlog} || 64,
                                        ReuseAddr => 1)
            or die "listen $addr: $!";
    }

    pipe my $read, my $write or die "pipe: $!";
    $write->autoflush(1);

    my $pid = fork();
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        setpgrp(0, 0);
        $SIG{TERM} = 'DEFAULT';
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';
        close $read;

        my $n = 0;

        while (my $s = $listen->accept()) {
            $n++;

            my $child = fork();

            if (defined $child && $child == 0) {
                close $listen;
                $s->autoflush(1);
                $handler->($s, $n, $write);
                close $s;
                POSIX::_exit(0);
            }

            close $s;
        }

        POSIX::_exit(0);
    }

    close $write;
    close $listen;

    $children{$pid} = 1;

    return wantarray ? ($addr, Fake::Lines->new($read)) : $addr;
}


# The header of one request, or undef at the end of the connection.

sub request {
    my ($s) = @_;

    my $text = '';

    while ($text !~ /\r\n\r\n/) {
        my $n = sysread($s, $text, 4096, length $text);
        return undef if !$n;
    }

    return $text;
}


# What was sent before is read, a reset would take it away.

sub reset_by {
    my ($s) = @_;

    sleep 0.001 while WaGateway::Fake::unread($s);

    setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    close $s;
}


# Starts an nginx with this configuration in the main context (and, in
# "http", in http); returns an object that reads what its worker prints.

sub nginx {
    my ($conf, %opt) = @_;

    return Fake::Nginx->new($conf, %opt);
}


END {
    my $rc = $?;

    for my $pid (keys %children) {
        kill 'TERM', -$pid;
        kill 'TERM', $pid;
        waitpid $pid, 0;
    }

    $? = $rc;
}


package Fake::Lines;

use strict;
use warnings;

use IO::Select;
use Time::HiRes qw(time);


sub new {
    my ($class, $fh) = @_;

    return bless { fh => $fh, buf => '' }, $class;
}


# The next line without its end; undef at the end of file; "deadline" if
# nothing came in time.

sub line {
    my ($self, $timeout) = @_;

    my $end = time() + ($timeout || 60);
    my $select = IO::Select->new($self->{fh});

    while (1) {
        return $1 if $self->{buf} =~ s/^(.*?)\n//;

        my $left = $end - time();

        return 'deadline' if $left <= 0 || !$select->can_read($left);

        my $n = sysread($self->{fh}, $self->{buf}, 65536,
                        length $self->{buf});

        return undef if !$n;
    }
}


package Fake::Nginx;

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
                       lines => Fake::Lines->new($read) }, $class;

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
