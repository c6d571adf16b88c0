package WaGateway::Partition;

# A network that breaks: another network namespace, and links to it, each a
# veth pair that loses packets on one way, on both, or is down.  What connects
# over one is not told: its TCP stays half open.  Needs root and CAP_NET_ADMIN.
#
#   WaGateway::Partition::enter;             # first of all, starts again
#   my $there = WaGateway::Partition->new;
#   my $link = $there->link;
#   exec $there->inside, 'redis-server', '--bind', $link->address;
#   $link->lose('to'); $link->lose('from'); $link->down('far'); $there->heal;

use strict;
use warnings;

use POSIX ();
use WaGateway::Nginx qw(poll);

my $Mark = 'WA_GATEWAY_PARTITION';
my $Ours = '10.77';


# Why there can be none here, if so.
sub lacks {
    for my $name (qw(ip iptables nsenter unshare)) {
        return "no $name (Debian: iproute2, iptables, util-linux)"
            unless grep { -x "$_/$name" } split /:/, $ENV{PATH};
    }

    my $try = 'ip link set lo up && ip link add name wa0 type veth peer name'
              . ' wb0 && iptables -A INPUT -i wa0 -j DROP';
    my $said = `unshare --net sh -c '$try' 2>&1`;

    return if !$?;
    chomp $said;
    return $said || 'unshare failed';
}


# The same program in a network of its own, where no port is taken and nothing
# is left behind.
sub enter {
    if ($ENV{$Mark}) {
        system('ip', 'link', 'set', 'lo', 'up') == 0 or die "no lo\n";
        return;
    }

    my $lacks = lacks();
    die "$0: network namespaces cannot be made, which need root and"
        . " CAP_NET_ADMIN: $lacks\n" if defined $lacks;

    $ENV{$Mark} = 1;
    exec 'unshare', '--net', $^X, $0, @ARGV or die "unshare: $!\n";
}


# It ends with us, and with what we forked.
sub new {
    my ($class) = @_;

    pipe my $read, my $write or die "pipe: $!\n";

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDIN, '<&', $read or POSIX::_exit(1);
        exec 'unshare', '--net', 'cat' or POSIX::_exit(127);
    }

    my $own = readlink "/proc/$$/ns/net";
    poll { my $its = readlink "/proc/$pid/ns/net"; $its && $its ne $own }
        or die "no namespace\n";

    my $self = bless { pid => $pid, end => $write, links => 0, lost => 0 },
                     $class;

    run($self->inside, 'ip', 'link', 'set', 'lo', 'up');

    return $self;
}


# What to put before a command that is to run there.
sub inside { return ('nsenter', '--net', '--target', $_[0]{pid}, '--') }


sub run { system(@_) == 0 or die "@_: $?\n" }


# Another way to there.
sub link {
    my ($self) = @_;
    my $n = ++$self->{links};
    my ($near, $far) = ("wa$n", "wb$n");
    my @inside = $self->inside;

    run('ip', 'link', 'add', 'name', $near, 'type', 'veth', 'peer', 'name',
        $far, 'netns', $self->{pid});
    run('ip', 'address', 'add', "$Ours.$n.1/24", 'dev', $near);
    run(@inside, 'ip', 'address', 'add', "$Ours.$n.2/24", 'dev', $far);
    run(@inside, 'ip', 'link', 'set', $far, 'up');
    run('ip', 'link', 'set', $near, 'up');

    return bless { there => $self, near => $near, far => $far,
                   address => "$Ours.$n.2" }, 'WaGateway::Partition::Link';
}


# All links are as they should be.
sub heal {
    my ($self) = @_;

    for my $n (1 .. $self->{links}) {
        run('ip', 'link', 'set', "wa$n", 'up');
        run($self->inside, 'ip', 'link', 'set', "wb$n", 'up');
    }

    for my $where ([], [$self->inside]) {
        my $list = join ' ', @$where, 'iptables -w -n -v -x -L INPUT';

        $self->{lost} += $_ for `$list` =~ /^ *(\d+) .* DROP /mg;
        run(@$where, 'iptables', '-w', '-F', 'INPUT');
    }
}


# How many packets were, of links that are healed.
sub lost { return $_[0]{lost} }


sub stop {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


package WaGateway::Partition::Link;


# Of there.
sub address { return $_[0]{address} }


# Packets on the way "to" there or "from" there are lost, all of them or those
# that iptables matches.  Nobody is told.
sub lose {
    my ($self, $way, @match) = @_;
    my @where = $way eq 'to' ? $self->{there}->inside : ();

    WaGateway::Partition::run(@where, 'iptables', '-w', '-A', 'INPUT', '-i',
        $way eq 'to' ? $self->{far} : $self->{near}, @match, '-j', 'DROP');
}


# The "near" end or the "far" one is set down.
sub down {
    my ($self, $end) = @_;
    my @where = $end eq 'far' ? $self->{there}->inside : ();

    WaGateway::Partition::run(@where, 'ip', 'link', 'set', $self->{$end},
                              'down');
}


1;
