package WaBench::Cost;

# What a proxied message costs: all peers side by side, in turn, round by
# round, so that what else the machine does meets them alike.

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(time);
use WaBench::Backend;
use WaBench::Load qw(wrk median);

our @EXPORT_OK = qw(row contention);


# Options: peers (classes), instances, connections, size (bytes), rounds,
# seconds (a class's own as a hash), limit (seconds in all).
# Gives { name => { cpu, rate, p50, p99, memory, errors, against } }.
sub row {
    my (%o) = @_;

    my $end = time + $o{limit};
    my @all = map { set_up($_, %o) } @{$o{peers}};
    my %got;

    wrk($_->{peer}->port, $o{connections}, 1, $o{size}) for @all;

    for my $round (1 .. $o{rounds}) {
        last if $round > 1 && time > $end;

        for my $side ($round % 2 ? @all : reverse @all) {
            my $class = ref $side->{peer};
            my $seconds = $o{seconds}{$class} || $o{seconds}{all};
            push @{$got{$side->{peer}->name}},
                 once($side->{peer}, $seconds, %o);
        }
    }

    $got{$_->{peer}->name}[0]{memory} = $_->{peer}->memory for @all;
    tear_down(@all);

    return summary(\%got, 'stock nginx');
}


sub set_up {
    my ($class, %o) = @_;

    my $backend = WaBench::Backend->start;
    my $peer = $class->new(instances => [$backend->instances($o{instances})],
                           %{$o{peer} || {}})->start;

    return { backend => $backend, peer => $peer };
}


sub tear_down {
    for my $side (@_) {
        $side->{peer}->stop;
        $side->{backend}->stop;
    }
}


sub once {
    my ($peer, $seconds, %o) = @_;

    my @pids = $peer->pids;
    my $before = WaBench::Process::cpu_us(@pids);
    my $r = wrk($peer->port, $o{connections}, $seconds, $o{size},
                $o{anywhere});
    my $used = WaBench::Process::cpu_us(@pids) - $before;

    return { %$r, rate => $r->{requests} / $r->{seconds},
             cpu => $r->{requests} ? $used / $r->{requests} : 0 };
}


# Medians of the rounds; against: of the ratios within a round.
sub summary {
    my ($got, $base) = @_;
    my %row;

    for my $name (keys %$got) {
        my @rounds = @{$got->{$name}};
        my %figure = map { my $key = $_;
                           ($key => median(map { $_->{$key} } @rounds)) }
                     qw(cpu rate p50 p99);

        $figure{memory} = $rounds[0]{memory};
        $figure{rounds} = @rounds;
        $figure{all} = \@rounds;
        $figure{errors} += $_->{errors} for @rounds;
        $figure{against} = median(map { $rounds[$_]{cpu}
                                        / $got->{$base}[$_]{cpu} }
                                  0 .. $#rounds) if $got->{$base};
        $row{$name} = \%figure;
    }

    return \%row;
}


# Two workers beside one: { name => { one, two, growth } }, CPU us per request
# and the median of the ratios.
sub contention {
    my (%o) = @_;

    my %side;
    my %got;

    for my $class (@{$o{peers}}) {
        for my $workers (1, 2) {
            $side{$class}{$workers}
                = set_up($class, %o, peer => { workers => $workers,
                                               reuseport => 1,
                                               anywhere => 1 });
        }
    }

    for my $round (0 .. $o{rounds}) {
        for my $class (@{$o{peers}}) {
            for my $workers ($round % 2 ? (1, 2) : (2, 1)) {
                my $peer = $side{$class}{$workers}{peer};
                my $r = once($peer, $round ? 2 : 1, %o, anywhere => 1);
                push @{$got{$peer->name}{$workers}}, $r->{cpu} if $round;
            }
        }
    }

    tear_down(map { values %$_ } values %side);

    return { map {
        my ($one, $two) = @{$got{$_}}{1, 2};
        ($_ => { one => median(@$one), two => median(@$two),
                 growth => median(map { $two->[$_] / $one->[$_] }
                                  0 .. $#$one) });
    } keys %got };
}


1;
