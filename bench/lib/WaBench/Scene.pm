package WaBench::Scene;

# A gateway in front of three pretended WAHA servers with twenty sessions each,
# what its clients were told, and what the servers' ledgers say of it.  Where a
# gateway puts sessions itself, by a hash, they are where it puts them.

use strict;
use warnings;

use Exporter qw(import);
use WaGateway::Nginx qw(poll);
use WaGateway::Vendor;

our @EXPORT_OK = qw(scene leave ready names nth text_of say_one told sends
                    wrong sent twice silent held reached $Instances $Never);

our $Instances = 3;
our $Never = 8;         # seconds to wait for what may never come to pass

my $Sessions = 20;
my $N = 0;


# A session that is on two servers takes two places of the gateway's.  Gives
# { side, fakes, spare (a server that it does not know of), home (name =>
# number of the server), told }
sub scene {
    my ($class) = @_;

    # without a key of their own: not all checks of others can have one
    my @fakes = WaGateway::Vendor->farm($Instances + 1, 'waha', wait => 0,
                                        sessions => \&sessions);
    my $spare = pop @fakes;
    my $side = $class->new(instances => [map { $_->name } @fakes],
                           sessions => $Sessions, more => 100, interval => 1,
                           timeout => 1, fail_duration => 1,
                           request_timeout => 10)->start;

    return { side => $side, fakes => \@fakes, spare => $spare, told => {},
             home => home($side, @fakes) };
}


sub leave {
    my ($run) = @_;

    $run->{side}->stop;
    $_->stop for @{$run->{fakes}}, $run->{spare};
}


# Names as people give them; none at the one that is added.
sub sessions {
    my ($instance) = @_;
    return [] if $instance == $Instances;

    return [map { ready(sprintf 'shop-%d_%02d', $instance, $_) }
                0 .. $Sessions - 1];
}


sub ready {
    my ($name) = @_;

    return { name => $name, state => 'ready',
             number => '9665' . sprintf '%08d', $name =~ /(\d+)_(\d+)/
                                                ? $1 * 100 + $2 : 0 };
}


# Which of the servers each session is on.  Where the gateway places them, they
# go there: to the server that a request came to first while none had them.
sub home {
    my ($side, @fakes) = @_;

    my %home;

    for my $i (0 .. $#fakes) {
        $home{$_->{name}} = $i for @{sessions($i)};
    }

    return \%home unless $side->places;

    $_->sessions([]) for @fakes;

    for my $name (sort keys %home) {
        $_->forget for @fakes;
        $side->send_one($name, 'where?');

        my @first = sort { $a->[0] <=> $b->[0] }
                    map { my $i = $_; map { [$_->{time}, $i] }
                          grep { $_->{kind} eq 'send' } $fakes[$i]->ledger }
                    0 .. $#fakes;
        $home{$name} = $first[0][1];
    }

    for my $name (keys %home) {
        $fakes[$home{$name}]->session($name, %{ready($name)});
    }

    $_->forget for @fakes;

    return \%home;
}


sub names {
    my ($run, $instance) = @_;
    return sort grep { $run->{home}{$_} == $instance } keys %{$run->{home}};
}


# A session of each server by turns: the server's number, itself, the name.
sub nth {
    my ($run, $nth) = @_;
    my $instance = $nth % $Instances;
    my @names = names($run, $instance);

    return ($instance, $run->{fakes}[$instance],
            $names[$nth / $Instances % @names]);
}

sub text_of { return sprintf 'm-%05d', ++$N }


# A send and what its client was told, for lost() and twice().
sub say_one {
    my ($run, $session, %o) = @_;

    my $text = defined $o{text} ? $o{text} : text_of();
    my $r = $run->{side}->send_one($session, $text, %o);

    return told($run, $text, $r);
}


sub told {
    my ($run, $text, $r) = @_;

    my $done = $run->{side}->done($r);
    $run->{told}{$text} ||= $done;

    return $done;
}


sub sends {
    my ($run) = @_;
    return grep { $_->{kind} eq 'send' } map { $_->ledger } @{$run->{fakes}};
}


# Sends that came to a server without their session.
sub wrong { return scalar grep { $_->{status} == 404 } sends($_[0]) }


# How often each text was sent.
sub sent {
    my ($run) = @_;
    my %sent;

    $sent{$_->{text}}++ for map { $_->sent } @{$run->{fakes}};

    return \%sent;
}


sub twice {
    my ($run) = @_;
    return scalar grep { $_ > 1 } values %{sent($run)};
}


# Told as sent, and never sent.
sub silent {
    my ($run) = @_;
    my $sent = sent($run);

    return scalar grep { $run->{told}{$_} && !$sent->{$_} }
                  keys %{$run->{told}};
}


# The socket of a send that one of these servers has, and does not answer; and
# that server.  Who sends anywhere may need some tries.
sub held {
    my ($run, $fakes, $session, @as) = @_;
    my ($s, $holder);

    $_->session($session, send => 'hold') for @$fakes;

    poll {
        $s = $run->{side}->begin_one($session, @as);
        poll { ($holder) = grep { $_->held } @$fakes;
               $holder || answered($s) } $Never;
        $holder;
    } $Never or die $run->{side}->name . ": no send is held\n";

    $_->session($session, send => '') for @$fakes;

    return ($s, $holder);
}


sub answered {
    my ($s) = @_;
    my $r = '';

    vec($r, fileno $s, 1) = 1;
    return select $r, undef, undef, 0;
}


sub reached {
    my ($run) = @_;
    my $n = 0;

    $n += $_->count('send') for @{$run->{fakes}};
    return $n;
}


1;
