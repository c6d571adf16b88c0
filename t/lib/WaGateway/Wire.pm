package WaGateway::Wire;

# What is between a gateway and its store: stopped, it holds back what is sent,
# which comes later; USR1 breaks all connections.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_KEEPALIVE TCP_KEEPIDLE TCP_KEEPINTVL);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);


# To a port of where it runs, which is where the command before says.
# Options: address, inside.
sub start {
    my ($class, $to, %o) = @_;
    my $self = bless { port => WaGateway::Fake::free_port(), %o }, $class;
    my $lib = __FILE__ =~ s{/WaGateway/\w+\.pm\z}{}r;

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        exec @{$self->{inside} || []}, $^X, "-I$lib", '-MWaGateway::Wire',
             '-e', 'WaGateway::Wire::carry(@ARGV)', $self->{port}, $to
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;

    poll { IO::Socket::INET->new(PeerAddr => $self->{address},
                                 PeerPort => $self->{port}) }
        or die "no wire\n";

    return $self;
}


sub port { return $_[0]{port} }

sub hold { return kill 'STOP', $_[0]{pid} }

sub release { return kill 'CONT', $_[0]{pid} }

sub cut { return kill 'USR1', $_[0]{pid} }


sub stop {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


sub carry {
    my ($port, $to) = @_;
    my $cut;

    local $SIG{USR1} = sub { $cut = 1 };
    local $SIG{PIPE} = 'IGNORE';

    my $listen = IO::Socket::INET->new(LocalAddr => '0.0.0.0', Listen => 64,
                                       LocalPort => $port, ReuseAddr => 1)
        or die "listen: $!\n";
    my $select = IO::Select->new($listen);
    my %other;

    while (1) {
        my @ready = $select->can_read(0.5);

        if ($cut) {
            $cut = 0;
            $select->remove($_), close $_
                for grep { $_ != $listen } $select->handles;
            %other = ();
            next;
        }

        for my $s (@ready) {
            if ($s == $listen) {
                my $c = $listen->accept or next;
                my $t = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $to);
                next if !$t;

                # one whose other end gave up while it could not say so
                setsockopt $c, SOL_SOCKET, SO_KEEPALIVE, 1;
                setsockopt $c, IPPROTO_TCP, $_, 5
                    for TCP_KEEPIDLE, TCP_KEEPINTVL;

                @other{$c, $t} = ($t, $c);
                $select->add($c, $t);
                next;
            }

            my $t = $other{$s} or next;
            my $n = sysread $s, my $bytes, 65536;
            if ($n) {
                WaGateway::Nginx::put($t, $bytes);
                next;
            }
            $select->remove($_), delete $other{$_}, close $_ for $s, $t;
        }
    }
}


1;
