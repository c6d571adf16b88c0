package WaBench::ScaleReport;

# bench/SCALE.md out of the figures.  bench/scale-notes.md, written by hand,
# says where one machine ends.

use strict;
use warnings;

use Exporter qw(import);
use WaBench::Report ();
use WaBench::Scale qw(@Paths);
use WaGateway::Nginx qw(slurp);

our @EXPORT_OK = qw(scale_report);

# s between two lists, when nothing else is said
my $Interval = 30;


sub scale_report {
    my ($all, $bench, $instances, $sessions) = @_;

    my @cells = grep { $_->{r} }
                map { my $n = $_;
                      map { +{ instances => $n, sessions => $_,
                               r => $all->{"${n}x$_"} } } @$sessions }
                @$instances;

    return join "\n", title(), WaBench::Report::machine_of() . "\n",
                memory(@cells), sends(@cells), asking($all, @cells),
                telling(@cells), stalls(@cells), store($all), when(@cells),
                ends($all), slurp("$bench/scale-notes.md");
}


sub title {
    return <<'END';
# Scale

Made by `make bench-scale`, but for what is below "In words".
One worker, WAHA's kind, lists made as they are asked for by `bench/backend.c`.
END
}


sub count { return WaBench::Report::commas($_[0]) }


# A table over the cells: their names, and what the code gives.
sub over {
    my ($cells, $head, $code) = @_;

    return WaBench::Report::table(
        ['instances', 'sessions', @$head],
        map { [count($_->{instances}),
               count($_->{instances} * $_->{sessions}), $code->($_->{r}, $_)] }
            @$cells);
}


sub memory {
    my (@cells) = @_;

    return "## Memory\n\nMB. All: of all processes of the gateway, what they "
        . "share counted once, zones too. Worker: its RSS. Zone: what is used "
        . "of the upstream's. Most: the worker's RSS at its highest, while the "
        . "pages below were told. Known: seconds from the start until every "
        . "session was ready.\n\n"
        . over(\@cells, ['all', 'worker', 'zone', 'most', 'known s'], sub {
            my ($r) = @_;
            (map({ WaBench::Report::mb($r->{$_}) } qw(memory worker zone peak)),
             sprintf '%.2f', $r->{known});
        });
}


sub sends {
    my (@cells) = @_;

    return "## A send\n\nNative, the session in its body, by turns to all "
        . "sessions, 32 connections. Against: the median of the rounds' "
        . "ratios to one instance with one session, in the same seconds.\n\n"
        . over(\@cells, ['CPU us', 'of one on one', 'against', 'errors'], sub {
            my ($r) = @_;
            (map({ sprintf '%.1f', $r->{$_} } qw(cpu few)),
             sprintf('%.3f', $r->{against}), $r->{errors});
        });
}


# What was measured is the cost of a list; how often there is one is known.
sub asking {
    my ($all, @cells) = @_;
    my $one = $all->{asking};
    my $text = "## Asking\n\nThe cost of a list was measured with about 100 a "
        . "second where there are so many instances. Share: of one core, with "
        . "one of each instance in $Interval s, the default.\n\n"
        . over(\@cells, ['lists a second, measured', 'CPU us a list',
                         'share of a core at the default'], sub {
            my ($r, $cell) = @_;
            (sprintf('%.1f', $r->{asked}), sprintf('%.0f', $r->{asking_us}),
             sprintf '%.3f %%', $cell->{instances} * $r->{asking_us} / 1e4
                                / $Interval);
        });

    return $text unless $one;

    return $text . sprintf("\nWhere each session is asked for (wwebjs-api, "
        . "100 instances of 20): %.1f us a question, so %.2f %% of a core for "
        . "2,000 sessions, and %.0f %% for 100,000; known after %.1f s.\n",
        $one->{asking_us}, 2000 * $one->{asking_us} / 1e4 / $Interval,
        100_000 * $one->{asking_us} / 1e4 / $Interval, $one->{known});
}


sub telling {
    my (@cells) = @_;
    return "## What it tells\n\nms until the first byte and until the last, "
        . "and KB; medians. `/sessions` has 1,000 without a limit, and "
        . "10,000 at most.\n\n"
        . over(\@cells, [map { ("`$_` first", 'whole', 'KB') } @Paths], sub {
            my ($r) = @_;
            map { my $t = $r->{told}{$_};
                  (sprintf('%.1f', 1000 * $t->{first}),
                   sprintf('%.1f', 1000 * $t->{whole}),
                   sprintf '%.0f', $t->{bytes} / 1024) } @Paths;
        });
}


sub stalls {
    my (@cells) = @_;

    return "## How long others wait\n\nms until a plain answer of the same "
        . "worker, one asked for each 2 ms: while lists are read, as often as "
        . "above, and while the pages above are told, one after another. One "
        . "instance with one session shows what is the machine's.\n\n"
        . over(\@cells, ['asking: p50', 'p99', 'p99.9', 'most',
                         'telling: p50', 'p99', 'p99.9', 'most'], sub {
            my ($r) = @_;
            map { my $s = $r->{stall}{$_};
                  map { sprintf '%.2f', $s->{$_} }
                      qw(p50 p99 p99.9 p100) } qw(asking telling);
        });
}


sub store {
    my ($all) = @_;
    my $got = $all->{store} or return '';
    my %name = (alone => 'one gateway, keys in memory',
                one => 'one gateway, one store',
                two => 'two gateways at once, one store',
                lax => 'one gateway, a store with `appendfsync everysec`');

    return "## Two gateways and a store\n\nTexts, each with an "
        . "Idempotency-Key of its own, 32 connections to each gateway. The "
        . "store is on the same machine, with `appendfsync always` where it "
        . "is not said. ms: one client, one send after another.\n\n"
        . WaBench::Report::table(
            ['how', 'CPU us a send, gateway', 'store', 'sends a second',
             'p50 ms', 'p99 ms', 'errors'],
            map { my $r = $got->{$_};
                  [$name{$_}, sprintf('%.1f', $r->{cpu}),
                   $_ eq 'alone' ? '' : sprintf('%.1f', $r->{store}),
                   count(int $r->{rate}),
                   $r->{ms} ? map { sprintf '%.2f', $r->{ms}{$_} } qw(p50 p99)
                            : ('', ''),
                   $r->{errors}] } grep { $got->{$_} } qw(alone one two lax));
}


# What the figures above come to.
sub ends {
    my ($all) = @_;
    my ($few, $many) = @$all{qw(500x1 500x200)};
    my @lines = ("## Where one machine ends\n");

    push @lines, sprintf('- Sends: %.1f us with 100,000 sessions on 500 '
        . 'instances, so a core has done with %s a second, that is %.1f a '
        . 'minute for each session.', $many->{cpu},
        count(int(1e6 / $many->{cpu} / 1000 + 0.5) * 1000),
        60e6 / $many->{cpu} / 100_000),
        sprintf('- Asking: %.2f %% of a core for all 500 lists each %d s.',
                500 * $many->{asking_us} / 1e4 / $Interval, $Interval),
        sprintf('- Memory: %.1f kB for each session, %s MB in all.',
                ($many->{memory} - $few->{memory}) / 99_500,
                WaBench::Report::mb($many->{memory})),
        sprintf('- Waiting: a plain answer %.0f ms at most while lists are '
                . 'read, %.0f ms while 10,000 sessions of 100,000 are told, '
                . 'and %.0f and %.0f ms with one instance and one session.',
                map { ($_->{stall}{asking}{p100}, $_->{stall}{telling}{p100}) }
                    $many, $all->{'1x1'})
        if $few && $many && $all->{'1x1'};

    push @lines, store_ends($all->{store}) if $all->{store};

    return join("\n", @lines) . "\n";
}


sub store_ends {
    my ($got) = @_;
    my ($alone, $one) = @$got{qw(alone one)};

    return sprintf '- A store: %.1f us more of the gateway for each send with '
        . 'a key, %.1f us of the store, so a core of that has done with %s a '
        . 'second for all gateways together; %.2f ms more until the answer '
        . '(p50).', $one->{cpu} - $alone->{cpu},
        $one->{store}, count(int(1e6 / $one->{store} / 1000 + 0.5) * 1000),
        $one->{ms}{p50} - $alone->{ms}{p50};
}


sub when {
    my (@cells) = @_;
    my @loads = sort { $a <=> $b } map { $_->{r}{load} } @cells;
    my @at = sort map { $_->{r}{at} } @cells;

    return '' unless @cells;
    return "Measured from $at[0] to $at[-1] UTC; the machine's load before "
           . "each cell was $loads[0] to $loads[-1].\n";
}


1;
