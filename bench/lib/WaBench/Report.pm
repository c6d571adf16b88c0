package WaBench::Report;

# bench/RESULTS.md out of the figures: tables, targets, and each row in which
# another is better.  bench/notes.md, written by hand, says why.

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();
use WaBench::Load qw(median);
use WaBench::Process qw(cores);
use WaGateway::Nginx qw(slurp);

our @EXPORT_OK = qw(report);

my $Ours = 'wa_gateway';
my $Stock = 'stock nginx';

# What is less than this share better is noise.
my $Noise = 0.02;

my %Event = (killed => 'An instance is killed', hangs => 'An instance hangs',
             reload => 'The gateway reloads');

my %Called = (cpu => 'CPU us', rate => 'requests/s', p50 => 'p50 us',
              p99 => 'p99', memory => 'memory kB', errors => 'errors',
              two => 'CPU us', growth => 'growth', each => 'CPU us each',
              start => 'start s', reload => 'reload s',
              after => 'memory kB after a reload', later => 'failed later',
              twice => 'sent twice');


sub report {
    my ($all, $bench) = @_;

    return join "\n", title($all), machine($all), targets($all, $bench),
                cost($all), workers($all), checks($all), events($all),
                start($all), sends($all), better($all),
                slurp("$bench/notes.md");
}


sub title {
    my ($all) = @_;

    return <<"END";
# Results

Made by `make bench` in @{[int($all->{took} + 0.5)]} seconds, but for the last
section. How it is done: [README.md](README.md).
END
}


sub machine {
    my ($all) = @_;

    return machine_of() . "; load before it began $all->{load}.\n\n"
           . join('', map { "- $_->[0]: $_->[1]\n" } @{$all->{versions}})
           . join('', map { "- left out, not installed: $_\n" }
                      @{$all->{missing}});
}


sub machine_of {
    my ($cpu) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
    my ($kb) = slurp('/proc/meminfo') =~ /^MemTotal: +(\d+)/;
    my ($os) = slurp('/etc/os-release') =~ /^PRETTY_NAME="(.*)"/m;
    my ($kernel) = (POSIX::uname())[2] =~ /^([\d.]+\d)/;

    return sprintf 'Machine: %s, %d cores, %.0f GB; Linux %s, %s',
                   $cpu || 'CPU unknown', cores(), $kb / 1e6, $kernel,
                   $os || '';
}


sub table {
    my ($head, @rows) = @_;

    return "| " . join(' | ', @$head) . " |\n|" . ' --- |' x @$head . "\n"
           . join '', map { "| " . join(' | ', @$_) . " |\n" } @rows;
}


# Ours first, then stock nginx, then by name.
sub names {
    my ($row) = @_;
    my %rank = ($Ours => 0, $Stock => 1);
    my $of = sub { defined $rank{$_[0]} ? $rank{$_[0]} : 2 };

    return sort { $of->($a) <=> $of->($b) || $a cmp $b } keys %$row;
}


sub mb { return sprintf '%.1f', $_[0] / 1024 }


sub label {
    my ($row) = @_;
    my $size = $row->{size} ? '1 MB body' : 'small body';

    return commas($row->{instances}) . " instances, $row->{connections} "
           . "connections, $size";
}


sub commas {
    my ($n) = @_;
    1 while $n =~ s/^(\d+)(\d{3})/$1,$2/;
    return $n;
}


sub cost {
    my ($all) = @_;
    my $text = "## Cost of a message\n\nOne worker each. Against: the median "
               . "of the rounds' ratios of CPU to stock nginx's.\n";

    for my $row (@{$all->{cost} || []}) {
        my $got = $row->{got};
        my $rounds = $got->{$Ours}{rounds};

        $text .= "\n" . ucfirst(label($row)) . " ($rounds rounds):\n\n"
            . table(['gateway', 'CPU us', 'against', 'requests/s', 'p50 ms',
                     'p99 ms', 'memory MB', 'errors'],
                    map { my $r = $got->{$_};
                          [$_, sprintf('%.1f', $r->{cpu}),
                           sprintf('%.3f', $r->{against}),
                           commas(int $r->{rate}),
                           sprintf('%.2f', $r->{p50} / 1000),
                           sprintf('%.2f', $r->{p99} / 1000),
                           mb($r->{memory}), $r->{errors}] } names($got));
    }

    return $text . "\n![CPU per message over the number of instances]"
                 . "(cost.svg)\n";
}


sub workers {
    my ($all) = @_;
    my $got = $all->{workers} or return '';

    return "## Two workers\n\nCPU us per message, 3 instances, 32 "
        . "connections, free to run on any core.\n\n"
        . table(['gateway', 'one worker', 'two workers', 'growth'],
                map { my $r = $got->{$_};
                      [$_, sprintf('%.1f', $r->{one}),
                       sprintf('%.1f', $r->{two}),
                       sprintf('%.3f', $r->{growth})] } names($got));
}


sub checks {
    my ($all) = @_;
    my $got = $all->{checks} or return '';

    return "## Checks\n\n4,000 instances checked every second, and nothing "
        . "else to do.\n\n"
        . table(['gateway', 'share of a core', 'checks/s', 'us each',
                 'memory MB'],
                map { my $r = $got->{$_};
                      [$_, sprintf('%.1f %%', $r->{share} * 100),
                       commas(int $r->{rate}), sprintf('%.1f', $r->{each}),
                       mb($r->{memory})] } names($got));
}


sub events {
    my ($all) = @_;
    my $got = $all->{events} or return '';
    my $text = "## Events\n\n64 clients, 3 instances that take 100 ms for a "
        . "message, checks every second, timeouts of 1 s (checks) and 3 s "
        . "(messages). On their way: failed because an instance had them "
        . "when it happened. Later: failed though begun after. Twice: "
        . "messages that instances got more than once.\n";

    for my $kind (qw(killed hangs reload)) {
        my $row = $got->{$kind} or next;

        $text .= "\n$Event{$kind}:\n\n"
            . table(['gateway', 'requests', 'failed', 'on their way', 'later',
                     'p99 ms of that second', 'slowest ms', 'twice'],
                    map { my $r = $row->{$_};
                          [$_, @$r{qw(requests failed open later)},
                           sprintf('%.0f', $r->{p99}),
                           sprintf('%.0f', $r->{worst}), $r->{twice}] }
                    names($row));
    }

    return $text;
}


sub start {
    my ($all) = @_;
    my $got = $all->{start} or return '';
    my $s = sub { defined $_[0] ? sprintf '%.3f', $_[0] : 'none' };

    return "## Start and reload\n\n4,000 instances: seconds till the first "
        . "message is answered, and till one is by the new configuration; "
        . "memory 2 s later.\n\n"
        . table(['gateway', 'start s', 'memory MB', 'reload s', 'memory MB'],
                map { my $r = $got->{$_};
                      [$_, $s->($r->{start}), mb($r->{memory}),
                       $s->($r->{reload}),
                       defined $r->{after} ? mb($r->{after}) : ''] }
                names($got));
}


sub sends {
    my ($all) = @_;
    my $got = $all->{sends} or return '';

    return "## Sends and sessions\n\nOne worker, CPU us of a message, in pairs "
        . "of rounds: against stock nginx with the same bytes, or, in the last "
        . "two rows, against the same on 3 instances with 3 sessions.\n\n"
        . table(['what', 'CPU us', 'of the other', 'against', 'quarters',
                 'memory MB', 'of the other', 'errors'],
                map { send_row($_) } @$got);
}


sub send_row {
    my ($row) = @_;
    my ($this, $base) = @{$row->{rounds}}{qw(this base)};
    my ($median, @quarters) = @{$row->{against}};
    my $errors = 0;

    $errors += $_->{errors} for @$this, @$base;

    return [send_label($row),
            (map { sprintf '%.1f', median(map { $_->{cpu} } @$_) }
                 $this, $base),
            sprintf('%.3f', $median), sprintf('%.3f to %.3f', @quarters),
            (map { mb($_->[-1]{memory}) } $this, $base), $errors];
}


sub send_label {
    my ($row) = @_;
    my %name = (text => 'text', media => 'media',
                native => 'native, session in the body',
                file => 'native file, session in the body');
    my $all = $row->{instances} * $row->{sessions};

    return $name{$row->{what}}
           . ($row->{size} ? ', ' . $row->{size} / 1e6 . ' MB' : '')
           . ($row->{few} ? ", $row->{few}, " . commas($all) . ' sessions on '
                            . commas($row->{instances}) . ' instances' : '');
}


# What a send may cost.
sub send_targets {
    my ($all) = @_;
    my @rows;

    for my $row (@{$all->{sends} || []}) {
        next if ($row->{few} || '') eq $Stock;

        push @rows, ['CPU, ' . send_label($row)
                     . ($row->{few} ? ', against 3' : ', against stock nginx'),
                     $row->{against}[0], $row->{few} ? 1.10 : 1.05];
    }

    return @rows;
}


sub targets {
    my ($all, $bench) = @_;
    my @rows;
    my %by = map { $_->{instances} => $_->{got} }
             grep { !$_->{size} && $_->{connections} == 32 }
             @{$all->{cost} || []};
    my ($few, $many) = @by{3, 4000};

    my %recorded = slurp("$bench/instructions.txt") =~ /^(\w+ \d+) (\d+)$/mg;

    push @rows, ['instructions against stock nginx, 3 instances (recorded)',
                 $recorded{'ours 3'} / $recorded{'stock 3'}, 1.02],
                ['instructions, 4,000 instances against 3 (recorded)',
                 $recorded{'ours 4000'} / $recorded{'ours 3'}, 1.10]
        if $recorded{'stock 3'};
    push @rows, ['instructions, 10,000 sessions on 500 instances against 3 on '
                 . '3 (recorded)',
                 $recorded{'native 500'} / $recorded{'native 3'}, 1.10]
        if $recorded{'native 3'};
    push @rows, ['CPU against stock nginx, 3 instances',
                 $few->{$Ours}{against}, 1.02] if $few;
    push @rows, ['CPU, 4,000 instances against 3',
                 growth($few->{$Ours}{all}, $many->{$Ours}{all}), 1.10]
        if $few && $many;
    push @rows, ['CPU of two workers against one, by the same of stock nginx',
                 $all->{workers}{$Ours}{growth}
                 / $all->{workers}{$Stock}{growth}, 1.02] if $all->{workers};
    push @rows, send_targets($all);

    return "## Targets\n\n"
        . table(['what', 'measured', 'at most', ''],
                map { [$_->[0], sprintf('%.3f', $_->[1]),
                       sprintf('%.2f', $_->[2]),
                       $_->[1] <= $_->[2] ? 'met' : '**not met**'] } @rows);
}


# The median of what the rounds say.
sub growth {
    my ($from, $to) = @_;
    my $last = @$from < @$to ? $#$from : $#$to;

    return median(map { $to->[$_]{cpu} / $from->[$_]{cpu} } 0 .. $last);
}


# Each row in which another is better, one for a place and a gateway.
sub better {
    my ($all) = @_;
    my @found;

    for my $row (@{$all->{cost} || []}) {
        push @found, compare(label($row), $row->{got},
                             cpu => -1, rate => 1, p50 => -1, p99 => -1,
                             memory => -1, errors => -1);
    }

    push @found, compare('two workers', $all->{workers}, two => -1,
                         growth => -1),
                 compare('checks', $all->{checks}, each => -1, memory => -1),
                 compare('start and reload', $all->{start}, start => -1,
                         memory => -1, reload => -1, after => -1);

    for my $kind (qw(killed hangs reload)) {
        push @found, compare(lc $Event{$kind}, $all->{events}{$kind},
                             later => -1, p99 => -1, twice => -1);
    }

    return "## Where another is better\n\nBy more than "
        . $Noise * 100 . " %, and in four rounds of five where there are "
        . "rounds. In brackets: ours.\n\n"
        . (@found ? table(['where', 'who', 'what'], @found) : "Nowhere.\n");
}


# The signs: whether less (-1) or more is better.
sub compare {
    my ($where, $got, %sign) = @_;
    my @found;

    for my $name (grep { $_ ne $Ours } names($got || {})) {
        my ($theirs, $ours) = @$got{$name, $Ours};
        my @what = map { "$Called{$_} " . short($theirs->{$_}) . ' ('
                         . short($ours->{$_}) . ')' }
                   grep { ahead($theirs, $ours, $_, $sign{$_}) }
                   sort keys %sign;

        push @found, [$where, $name, join ', ', @what] if @what;
    }

    return @found;
}


sub ahead {
    my ($theirs, $ours, $key, $sign) = @_;

    return 0 unless defined $theirs->{$key} && defined $ours->{$key};
    return 0 unless ($theirs->{$key} - $ours->{$key}) * $sign
                    > $Noise * $ours->{$key};

    my ($a, $b) = ($theirs->{all}, $ours->{all});
    return 1 unless $a && defined $b->[-1]{$key};

    my $rounds = @$a < @$b ? @$a : @$b;
    my $wins = grep { ($a->[$_]{$key} - $b->[$_]{$key}) * $sign > 0 }
                    0 .. $rounds - 1;

    return $wins >= 0.8 * $rounds;
}


sub short {
    my ($n) = @_;
    return commas(int($n + 0.5)) if $n >= 1000;
    return $n == int $n ? $n : sprintf $n >= 10 ? '%.1f' : '%.3f', $n;
}


1;
