package WaBench::Cost;

# What a proxied message costs: all peers side by side with all numbers of
# instances, in turn, round by round, so that what else the machine does meets
# them alike.

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();
use Time::HiRes qw(time);
use WaBench::Backend;
use WaBench::Load qw(wrk median percentile);

our @EXPORT_OK = qw(cost contention pairs ratios);


# Options: peers (classes), rows ([instances, connections, bytes, rounds]),
# rounds at most, seconds (of a class, or all), until (no other round begins
# after that).  Gives { instances, connections, size, got } for each row, got
# being { name => { cpu, rate, p50, p99, memory, errors, against } }.
sub cost {
    my (%o) = @_;

    my %sides = map { $_ => [] } map { $_->[0] } @{$o{rows}};
    my @rows = map { { instances => $_->[0], connections => $_->[1],
                       size => $_->[2], rounds => $_->[3],
                       sides => $sides{$_->[0]}, got => {} } } @{$o{rows}};

    for my $n (sort { $a <=> $b } keys %sides) {
        push @{$sides{$n}}, map { set_up($_, instances => $n) } @{$o{peers}};
        wrk($_->{peer}->port, 32, 1) for @{$sides{$n}};
    }

    for my $round (1 .. $o{rounds}) {
        last if $round > 1 && time > $o{until};

        for my $row (grep { $round <= $_->{rounds} } @rows) {
            turn($row, $round, $o{seconds});
        }
    }

    tear_down(map { @$_ } values %sides);

    return [map { my %row = %$_;
                  delete @row{qw(sides rounds)};
                  +{ %row, got => summary($row{got}, 'stock nginx') } } @rows];
}


sub turn {
    my ($row, $round, $seconds) = @_;
    my @sides = @{$row->{sides}};

    for my $side ($round % 2 ? @sides : reverse @sides) {
        my $peer = $side->{peer};
        my $r = once($peer, $seconds->{ref $peer} || $seconds->{all}, %$row);

        $r->{memory} = $peer->memory if $round == 1;
        push @{$row->{got}{$peer->name}}, $r;
    }
}


sub set_up {
    my ($class, %o) = @_;

    my $backend = WaBench::Backend->start(sessions => $o{sessions});
    my $peer = $class->new(instances => [$backend->instances($o{instances})],
                           sessions => $o{sessions},
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

    my $before = used($peer);
    my $r = wrk($peer->port, $o{connections}, $seconds, load($peer, %o));

    return figures($peer, $before, $r);
}


sub load {
    my ($peer, %o) = @_;

    return (%o, what => $peer->{what} || $o{what},
            instances => scalar @{$peer->{instances}},
            sessions => $peer->{sessions});
}


# The same for several that have their load at the same time, on the same core.
sub at_once {
    my ($peers, $seconds, %o) = @_;

    my @before = map { used($_) } @$peers;
    my @runs = map { begin($_, $seconds, %o) } @$peers;
    my @results = map { my $fh = $_; +{ split ' ', join '', <$fh> } } @runs;

    return map { figures($peers->[$_], $before[$_], $results[$_]) }
               0 .. $#$peers;
}


sub begin {
    my ($peer, $seconds, %o) = @_;

    my $pid = open my $fh, '-|';
    die "fork: $!\n" unless defined $pid;

    return $fh if $pid;

    my $r = wrk($peer->port, $o{connections}, $seconds, load($peer, %o));

    print join ' ', %$r;
    close STDOUT;
    POSIX::_exit(0);
}


# CPU so far: all of it, user, system.
sub used {
    my ($peer) = @_;
    my @pids = $peer->pids;

    return [WaBench::Process::cpu_us(@pids), WaBench::Process::split_us(@pids)];
}


sub figures {
    my ($peer, $before, $r) = @_;

    my $after = used($peer);
    my $n = $r->{requests} || 1;
    my ($cpu, $user, $system) = map { ($after->[$_] - $before->[$_]) / $n }
                                    0 .. 2;

    return { %$r, rate => $r->{requests} / $r->{seconds}, cpu => $cpu,
             user => $user, system => $system };
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


# Options: sides ([name, class, options of the peer]; instances and sessions of
# a side go before those of all), pairs, seconds, instances, connections,
# together (all of a round at the same time), what, size, sessions (of each
# instance).  Gives { name => [{ cpu, user, system, errors }] }, us per request
# of each round; memory (kB) in the last.
sub pairs {
    my (%o) = @_;

    my %got;
    my @sides;

    for my $side (@{$o{sides}}) {
        my ($name, $class, %more) = @$side;
        my %own = map { exists $more{$_} ? ($_ => delete $more{$_}) : () }
                  qw(instances sessions);

        push @sides, { %{set_up($class, %o, %own, peer => \%more)},
                       name => $name };
    }

    # the first round opens the connections
    once($_->{peer}, 1, %o) for @sides;

    for my $round (1 .. $o{pairs}) {
        my @order = $round % 2 ? @sides : reverse @sides;
        my @peers = map { $_->{peer} } @order;
        my @results = $o{together}
            ? at_once(\@peers, $o{seconds}, %o)
            : map { once($_, $o{seconds}, %o) } @peers;

        push @{$got{$_->{name}}}, shift @results for @order;
    }

    $got{$_->{name}}[-1]{memory} = $_->{peer}->memory for @sides;

    tear_down(@sides);

    return \%got;
}


# The median of the ratios within a pair, and their quarters.
sub ratios {
    my ($got, $name, $base) = @_;
    my ($rounds, $from) = @$got{$name, $base};
    my @ratios = map { $rounds->[$_]{cpu} / $from->[$_]{cpu} }
                 grep { $from->[$_]{cpu} } 0 .. $#$rounds;

    return map { percentile($_, @ratios) } 50, 25, 75;
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
