package WaBench::Scale;

# What instances and sessions cost a gateway of one worker: memory, sends, the
# asking of all of them, what it tells of them, and how long others wait
# meanwhile.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Time::HiRes qw(sleep time);
use WaBench::Backend;
use WaBench::Cost qw(pairs ratios);
use WaBench::Load qw(median percentile);
use WaBench::Peer::Gateway;
use WaBench::Process qw(launch finish cpu_us load_cpus);
use WaGateway::Nginx qw(http poll slurp);
use WaGateway::Store;

our @EXPORT_OK = qw(cell asking two_gateways @Paths);

my $Probe = __FILE__ =~ s{/lib/WaBench/Scale\.pm$}{/probe.pl}r;

# What is told, of all sessions and instances.
our @Paths = ('/sessions', '/sessions?limit=10000', '/status');

# Lists a second while the asking is looked at, so that it is seen.
my $Lists = 100;


# A gateway in front of them, of one worker.  Options: instances, sessions (of
# each), vendor.
sub set_up {
    my (%o) = @_;

    my $all = $o{instances} * $o{sessions};
    my $backend = WaBench::Backend->start(sessions => $o{sessions});
    my $peer = WaBench::Peer::Gateway->new(
        instances => [$backend->instances($o{instances})],
        sessions => $o{sessions}, interval => interval($o{instances}),
        room => room($o{instances}, $all),
        $o{vendor} ? (vendor => $o{vendor}) : ());

    my $began = time;
    $peer->launch_only;
    poll { $peer->ready == $all } 300 or die "not all are known\n";

    return { backend => $backend, peer => $peer, known => time - $began };
}


sub interval {
    my ($instances) = @_;
    return $instances > $Lists ? $instances / $Lists : 1;
}


# Twice what they need, and more.
sub room {
    my ($instances, $sessions) = @_;
    return sprintf '%dk', 1024 + $instances * 4 + $sessions;
}


sub tear_down {
    my ($run) = @_;

    $run->{peer}->stop;
    $run->{backend}->stop;
}


# All of a cell.  Options: instances, sessions, seconds (of each look), pairs.
sub cell {
    my (%o) = @_;

    my $run = set_up(%o);
    my %r = (known => $run->{known}, %{asked($run, $o{seconds})});

    $r{stall} = { asking => probe($run->{peer}->port, sub {
        sleep $o{seconds};
    }) };

    # before anything is told, which takes memory of its own
    $r{memory} = $run->{peer}->memory;
    $r{worker} = worker_kb($run->{peer}, 'VmRSS');
    $r{zone} = zone_kb($run->{peer});

    $r{stall}{telling} = probe($run->{peer}->port, sub {
        $r{told} = told($run->{peer}, $o{seconds});
    });

    $r{peak} = worker_kb($run->{peer}, 'VmHWM');
    tear_down($run);

    return { %r, %{sends(%o)} };
}


# Lists and questions of a whole round, or more, and what they cost; $seconds
# at least.
sub asked {
    my ($run, $seconds) = @_;
    my ($peer, $backend) = @$run{qw(peer backend)};

    # the second ones are spread over the interval
    my $first = $backend->count;
    poll { $backend->count >= $first + @{$peer->{instances}} } 60;

    my $each = $peer->{interval} > $seconds ? $peer->{interval} : $seconds;
    my @pids = $peer->pids;
    my ($cpu, $count, $began) = (cpu_us(@pids), $backend->count, time);

    sleep $each;

    my $took = time - $began;
    my $asked = $backend->count - $count;
    my $used = cpu_us(@pids) - $cpu;

    return { asked => $asked / $took, asking_us => $used / ($asked || 1),
             asking_share => $used / $took / 1e6,
             interval => $peer->{interval} };
}


# The same for a kind whose sessions are asked for one by one.
sub asking {
    my (%o) = @_;

    my $run = set_up(%o);
    my $r = asked($run, $o{seconds});

    $r->{known} = $run->{known};
    tear_down($run);

    return $r;
}


# Plain answers of the same worker, one each 2 ms, while the code runs: ms.
sub probe {
    my ($port, $code) = @_;

    my $dir = tempdir('wa-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $pid = launch(['perl', $Probe, $port], out => "$dir/ms",
                     cpus => load_cpus());

    poll { -s "$dir/ms" } or die "the probe asks nothing\n";
    $code->();
    finish($pid);

    my @ms = split /\n/, slurp("$dir/ms");

    return { n => scalar @ms, map { ("p$_" => percentile($_, @ms)) }
                                  (50, 99, 99.9, 100) };
}


# Seconds until the first byte and until all is there, and bytes: medians over
# so many seconds.
sub told {
    my ($peer, $seconds) = @_;
    my $end = time + $seconds;
    my (%got, %r);

    do {
        push @{$got{$_}}, [fetched($peer->port, $_)] for @Paths;
    } while (time < $end);

    for my $path (@Paths) {
        my $i = 0;
        $r{$path} = { map { my $nth = $i++;
                            ($_ => median(map { $_->[$nth] }
                                          @{$got{$path}})) }
                      qw(first whole bytes) };
    }

    return \%r;
}


sub fetched {
    my ($port, $path) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "$!\n";
    my ($began, $first, $bytes) = (time, undef, 0);

    syswrite $s, "GET $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    while (my $n = sysread $s, my $text, 262144) {
        $first ||= time - $began;
        $bytes += $n;
    }

    return ($first, time - $began, $bytes);
}


sub worker_kb {
    my ($peer, $what) = @_;
    my (undef, @workers) = $peer->pids;
    my $kb = 0;

    for my $pid (@workers) {
        $kb += $1 if slurp("/proc/$pid/status") =~ /^$what:\s+(\d+)/m;
    }

    return $kb;
}


sub zone_kb {
    my ($peer) = @_;
    my $text = http($peer->port, 'GET', '/metrics')->{body};
    my %bytes = $text
        =~ /^wa_gateway_zone_bytes\{zone="u",kind="(\w+)"\} (\d+)/mg;

    return ($bytes{total} - $bytes{free}) / 1024;
}


# Native ones, session in the body, by turns with the same on one instance with
# one session.
sub sends {
    my (%o) = @_;

    my $room = room($o{instances}, $o{instances} * $o{sessions});
    my @sides = (['few', 'WaBench::Peer::Gateway', instances => 1,
                  sessions => 1],
                 ['many', 'WaBench::Peer::Gateway', room => $room]);
    my $got = pairs(sides => \@sides, what => 'native', connections => 32,
                    instances => $o{instances}, sessions => $o{sessions},
                    pairs => $o{pairs}, seconds => 1);
    my $errors = 0;
    $errors += $_->{errors} for @{$got->{many}};

    return { cpu => median(map { $_->{cpu} } @{$got->{many}}),
             few => median(map { $_->{cpu} } @{$got->{few}}),
             against => (ratios($got, 'many', 'few'))[0],
             errors => $errors };
}


# Sends with a key each: by one gateway that keeps them itself, by one with a
# store, by two with that store at the same time, by one whose store does not
# wait for its disk.  Options: pairs, sends (of one client after another).
sub two_gateways {
    my (%o) = @_;

    my $store = WaGateway::Store->start;
    my $lax = WaGateway::Store->start(args => ['--appendfsync', 'everysec']);
    my @all = map { keyed($_) } undef, $store, $store, $lax;
    my ($alone, $one, $other, $fast) = map { $_->{peer} } @all;
    my %side = (alone => [$store, $alone], one => [$store, $one],
                two => [$store, $one, $other], lax => [$lax, $fast]);
    my (%got, %r);

    for my $round (0 .. $o{pairs}) {
        for my $name (sort keys %side) {
            my ($its, @peers) = @{$side{$name}};
            my $r = at_once($its, @peers);

            push @{$got{$name}}, $r if $round;
        }
    }

    for my $name (keys %got) {
        $r{$name} = { map { my $key = $_;
                            ($key => median(map { $_->{$key} }
                                            @{$got{$name}})) }
                      qw(cpu store rate errors) };
        $r{$name}{ms} = one_by_one($side{$name}[1], $o{sends})
            unless $name eq 'two';
    }

    WaBench::Cost::tear_down(@all);
    $_->kill for $store, $lax;

    return \%r;
}


# A gateway that keeps keys, in a store if there is one.
sub keyed {
    my ($store) = @_;

    my $side = WaBench::Cost::set_up(
        'WaBench::Peer::Gateway', instances => 3, sessions => 1,
        peer => { keys => 1, $store ? (store => $store->url) : () });

    poll { http($side->{peer}->port, 'GET', '/status')->{body}
           =~ /"store":\{[^}]*"up":true/ } or die "the store is not met\n"
        if $store;

    return $side;
}


# CPU us a send of the gateways and of the store, sends a second.
sub at_once {
    my ($store, @peers) = @_;

    my $before = cpu_us($store->{pid});
    my @r = WaBench::Cost::at_once(\@peers, 2, what => 'keyed',
                                   connections => 32);
    my $used = cpu_us($store->{pid}) - $before;
    my ($n, $cpu, $rate, $errors) = (0, 0, 0, 0);

    for my $r (@r) {
        $n += $r->{requests};
        $cpu += $r->{cpu} * $r->{requests};
        $rate += $r->{rate};
        $errors += $r->{errors};
    }

    $n ||= 1;

    return { cpu => $cpu / $n, store => $used / $n, rate => $rate,
             errors => $errors };
}


# One client that sends when it was answered.
sub one_by_one {
    my ($peer, $n) = @_;
    my @ms;

    for my $i (1 .. $n) {
        my $began = time;
        my $r = http($peer->port, 'POST', '/send-text',
                     headers => ['Content-Type: application/json',
                                 "Idempotency-Key: one-$$-$i-$began"],
                     body => '{"to":"966500000000","message":"hello"}');

        die "a send: $r->{status} $r->{body}\n" unless $r->{status} == 200;
        push @ms, 1000 * (time - $began);
    }

    return { map { ("p$_" => percentile($_, @ms)) } (50, 99) };
}


1;
