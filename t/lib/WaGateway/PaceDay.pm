package WaGateway::PaceDay;

# Two compressed days of wa_gateway_pace: 50 numbers on five instances, four
# workers that are asked for more than there is, while instances die, are slow,
# answer with errors and close connections, sessions log out, the configuration
# is loaded anew and workers are killed.  What the instances saw is compared
# with what each bucket and each day let through.
#
#   WaGateway::PaceDay::run(seconds => 600, day => 500);
#
# Options: seconds (of load, both days), day (messages), used_up (there are more
# than that), seed.  Tests by Test::More; the figures are told by note(), or by
# say => sub { ... }.

use strict;
use warnings;

use File::Temp qw(tempdir);
use List::Util qw(max min sum);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Cheap qw(send_many text answers);
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(sessions);
use WaGateway::Shim qw(shim);

my ($Numbers, $Workers, $Clients) = (50, 4, 6);
my ($Rate, $Burst, $ToRate) = (2, 2, 1);

my @Name = map { "s$_" } 1 .. $Numbers;
my (@Cheap, $Dir, $Ng, %Before);


sub number { return 966500000000 + $_[0] }


# Three instances of one process, two of another, ten numbers each.
sub instances { return ([0, 0], [0, 1], [0, 2], [1, 0], [1, 1]) }


sub put_sessions {
    my ($n, %down) = @_;
    my ($process, $i) = @{(instances())[$n]};

    $Cheap[$process]->sessions($i, map {
        ("s$_" => $down{$_} ? [number($_), 'down'] : number($_))
    } map { 10 * $n + $_ } 1 .. 10);
}


sub start {
    my ($day) = @_;

    @Cheap = map { WaGateway::Cheap->new($_, bodies => 1) } 3, 2;
    put_sessions($_) for 0 .. 4;

    # a day begins between an hour ago and now
    $Dir = tempdir('wa-day-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    open my $fh, '>', "$Dir/back" or die "$!\n";
    my ($min, $hour) = (localtime(time - 1800))[1, 2];

    $Ng = WaGateway::Nginx->start(workers => $Workers, level => 'notice',
        env => shim(clock => "$Dir/back"), main => 'worker_rlimit_core 0;',
        http => "keepalive_requests 1000000;\nproxy_read_timeout 10s;\n"
                . $Cheap[0]->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100;\n"
            . join('', map { $_->upstream } @Cheap)
            . "wa_gateway_check interval=100ms timeout=5s;\n"
            . "wa_gateway_passive off;\n"
            . "wa_gateway_pace number=$Rate/s burst=$Burst "
            . "recipient=$ToRate/s day=$day wait=2s "
            . sprintf("day_start=%02d:%02d;\n", $hour, $min),
        server => <<'END');
location = /sessions { wa_gateway_sessions u; }
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
END
    settled();
}


sub settled {
    $Cheap[0]->settled($Ng, $Numbers) or die "not all sessions are ready\n";
}


# How late a process wakes up that asks for 10 ms, at most.
sub watch_lag {
    pipe my $out, my $in or die "$!\n";
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        my ($end, $lag) = (0, 0);
        local $SIG{TERM} = sub { $end = 1 };

        while (!$end) {
            my $before = time;
            sleep 0.01;
            $lag = max($lag, time - $before - 0.01);
        }

        syswrite $in, $lag;
        POSIX::_exit(0);
    }

    return [$pid, $out];
}


sub told {
    my ($child) = @_;
    my ($pid, $out) = @$child;

    kill 'TERM', $pid;
    sysread $out, my $said, 65536;
    waitpid $pid, 0;

    return $said;
}


# Sends until it is told to end, ten at a time, to recipients of which some get
# many; tells how many were said to be sent, paced, and not.
sub client {
    my ($n) = @_;

    pipe my $out, my $in or die "$!\n";
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    return [$pid, $out] if $pid;

    my ($end, $k, %said) = (0, 0);
    local $SIG{TERM} = sub { $end = 1 };

    while (!$end) {
        my @r = eval {
            send_many($Ng->port, map { text(sprintf '96651%07d',
                ($n * 7919 + $k++) % 997) } 1 .. 10)
        };
        $said{$_->{json}{success} ? 'sent' : $_->{json}{code}}++ for @r;
        $said{broken}++ unless @r;
    }

    syswrite $in, join ' ', %said;
    POSIX::_exit(0);
}


# What goes wrong, one after the other, each for a while.
sub faults {
    my ($until) = @_;
    my $short = $until - time < 30;
    my $turn = 0;
    my %done;

    while (time < $until) {
        my $n = int rand 5;
        my ($process, $i) = @{(instances())[$n]};
        my $cheap = $Cheap[$process];
        my $what = (qw(500 killed slow logout reload gone reset dead worker
                       stopped))[$turn++ % 10];
        my $length = min(max($until - time, 0),
                         $short ? 0.1 + rand 0.3 : 0.4 + rand 0.8);

        $done{$what}++;

        if ($what =~ /^(?:500|slow|gone|reset)$/) {
            $cheap->fault($i, $what);
            sleep $length;
            $cheap->fault($i, '');

        } elsif ($what eq 'logout') {
            put_sessions($n, map { (10 * $n + 1 + int rand 10 => 1) } 1 .. 4);
            sleep $length;
            put_sessions($n);

        } elsif ($what eq 'reload') {
            kill 'HUP', $Ng->{pid};
            sleep $length;

        } elsif ($what eq 'killed' || $what eq 'worker') {
            my @pids = $Ng->worker_pids;
            kill 'KILL', $pids[rand @pids] if @pids;
            sleep $length;

        } elsif ($what eq 'dead') {
            my ($pid) = $cheap->{ng}->worker_pids;
            kill 'KILL', $pid if $pid;
            sleep $length;

        } else {
            $cheap->{ng}->stop;
            sleep $length;
            $cheap->{ng}->start;
        }
    }

    return \%done;
}


# One day of load; what clients were told, and what went wrong.
sub load {
    my ($seconds) = @_;
    my @clients = map { client($_) } 1 .. $Clients;
    my $faults = faults(time + $seconds);
    my %said;

    settled();

    for (@clients) {
        my %one = split ' ', told($_);
        $said{$_} += $one{$_} for keys %one;
    }

    quiet();
    return (\%said, $faults);
}


# For one more test; what was sent in the first day is remembered.
sub forget {
    $Before{$_->{session}}++ for ledger();
    $_->forget for @Cheap;
    sleep 1 / $Rate * $Burst;
}


# Until nothing waits.
sub quiet {
    poll { !grep { $_->{pace} && $_->{pace}{waiting} }
           @{sessions($Ng, 'limit=100')->{sessions}} } 20
        or die "messages wait\n";
}


# All that was sent or may have been: what was proven unsent spends nothing.
sub ledger {
    my @all = sort { $a->{time} <=> $b->{time} }
              grep { $_->{status} != 404 } map { $_->ledger } @Cheap;

    return @all;
}


sub by {
    my ($key, @ledger) = @_;
    my %by;

    push @{$by{$key->($_)}}, $_->{time} for @ledger;
    return %by;
}


# The most that was over what a bucket lets through, in any time: it takes n -
# burst intervals for n messages.  One that was longer on its way than that
# behind it makes that time shorter, by no more than the slack.
sub over {
    my ($rate, $slack, @times) = @_;
    my $over = 0;

    for my $i (0 .. $#times) {
        for my $j ($i + 1 .. $#times) {
            my $allowed = $Burst + ($times[$j] - $times[$i] + $slack) * $rate;
            $over = max($over, $j - $i + 1 - int $allowed);
        }
    }

    return $over;
}


# The most that came in so many seconds.
sub most {
    my ($seconds, @times) = @_;
    my ($most, $i) = (0, 0);

    for my $j (0 .. $#times) {
        $i++ while $times[$j] - $times[$i] >= $seconds;
        $most = max($most, $j - $i + 1);
    }

    return $most;
}


# In turn, and each number's in the order in which they came.
sub calm {
    my (@sockets, @want);

    forget();

    # as many as all buckets have, and one more round, which waits
    my $each = $Burst + 1;
    my @clients = map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $Ng->port) or die "$!\n";
        my @bodies = map { text(sprintf '96652%07d', ++$sockets[0]) }
                     1 .. $each * $Numbers / 5;
        [$s, scalar @bodies, join '', map {
            "POST /send-message HTTP/1.1\r\nHost: a\r\nContent-Type: "
            . "application/json\r\nContent-Length: " . length . "\r\n\r\n$_"
        } @bodies]
    } 1 .. 5;
    WaGateway::Nginx::put($_->[0], $_->[2]) for @clients;
    my @r = map { answers($_->[0], $_->[1]) } @clients;

    is(scalar(grep { !$_->{json}{success} } @r), 0,
       'calm: all are sent, those that wait too');
    poll { ledger() >= $each * $Numbers };
    my %number = by(sub { $_[0]{session} }, ledger());
    my @n = map { scalar @{$number{$_} || []} } @Name;
    cmp_ok(max(@n) - min(@n), '<=', 1, 'calm: each number as many as another');

    # five numbers, six messages each, one after the other to any worker
    forget();
    @sockets = ();

    for my $k (1 .. 6) {
        for my $n (1, 11, 21, 31, 41) {
            my $to = sprintf '96653%05d%02d', $n, $k;
            my $body = text($to, sprintf '"from":"%s"', number($n));
            my $left = sub { sessions($Ng, "session=s$n")
                             ->{sessions}[0]{pace}{dayLeft} };
            my $before = $left->();
            my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                PeerPort => $Ng->port) or die "$!\n";

            WaGateway::Nginx::put($s, "POST /send-message HTTP/1.1\r\n"
                . "Host: a\r\nContent-Type: application/json\r\n"
                . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
            poll { $left->() < $before } or die "not claimed\n";
            push @sockets, $s;
            push @want, [$n, $to];
        }
    }

    my $sent = grep { $_->{json}{success} } map { answers($_, 1) } @sockets;
    is($sent, scalar @sockets, 'calm: those of a few numbers are sent');
    poll { ledger() >= @sockets };

    my @ledger = ledger();
    is(join(' ', grep {
        my $n = $_;
        join(' ', map { $_->{to} } grep { $_->{session} eq "s$n" } @ledger)
            ne join(' ', map { $_->[1] } grep { $_->[0] == $n } @want);
    } 1, 11, 21, 31, 41), '', 'calm: in the order in which they came');
}


sub run {
    my (%o) = @_;
    my $say = $o{say} || \&Test::More::note;
    my $seed = $o{seed} || time % 1_000_000;

    srand $seed;
    $say->("seed $seed");

    %Before = ();
    start($o{day});
    calm();
    forget();

    my $watch = watch_lag();
    my $start = time;
    my ($first, $faults) = load($o{seconds} / 2);

    # the clock of the gateway goes on by an hour, past the day's begin
    my $next = time;
    unlink "$Dir/back" or die "$!\n";
    my ($second, $more) = load($o{seconds} / 2);
    my $took = time - $start;
    my $lag = told($watch);
    my $slack = 0.1 + 2 * $lag;

    $Ng->stop;
    sleep 0.3;

    my @ledger = ledger();
    my %number = by(sub { $_[0]{session} }, @ledger);
    my %pair = by(sub { "$_[0]{session} $_[0]{to}" },
                  grep { defined $_->{to} } @ledger);
    my @days = (max(map { ($Before{$_} || 0)
                          + grep { $_ < $next } @{$number{$_} || []} } @Name),
                max(map { scalar grep { $_ >= $next } @$_ } values %number));
    my %said = map { my $k = $_; ($k => ($first->{$k} || 0)
                                        + ($second->{$k} || 0)) }
               keys %$first, keys %$second;

    is(scalar keys %number, $Numbers, 'all numbers sent');
    is(max(map { over($Rate, $slack, @$_) } values %number), 0,
       'no number was ever one over');
    is(max(map { over($ToRate, $slack, @$_) } values %pair), 0,
       'nor was any with one recipient');
    cmp_ok(max(@days), '<=', $o{day}, 'none had more than its day on either');
    is(min(@days), $o{day}, 'and that was used up') if $o{used_up};
    cmp_ok($said{sent}, '<=', scalar @ledger,
           'all that a client was told of came');
    is(join(' ', grep { !/^(?:sent|paced|broken|unconfirmed|bad_gateway|timeout
                            |session_down|no_session|no_instances)$/x }
            sort keys %said), '', 'clients were told what is so');
    is(join("\n", $Ng->alarms), '', 'nothing worse is logged');

    my $all = sub { max(map { most($_[0], @$_) } values %number) };
    $say->(sprintf '%d numbers, %d workers, %.0f s: %d came, %.1f a second',
           $Numbers, $Workers, $took, scalar @ledger, @ledger / $took);
    $say->(sprintf 'told: %s', join ', ', map { "$_ $said{$_}" }
                                          sort keys %said);
    $say->(sprintf 'faults: %s', join ', ', map {
        "$_ " . ($faults->{$_} + ($more->{$_} || 0)) } sort keys %$faults);
    $say->(sprintf 'a number at most: %d in a second (%d), %d in a minute '
           . '(%d), %d and %d in a day (%d)', $all->(1), $Burst + $Rate,
           $all->(60), $Burst + 60 * $Rate, @days, $o{day});
    $say->(sprintf 'a number with one recipient at most: %d in a second (%d)',
           max(map { most(1, @$_) } values %pair), $Burst + $ToRate);
    $say->(sprintf 'a number in all: %d to %d; the machine was late by %d ms',
           (map { $_->(map { scalar @$_ } values %number) } \&min, \&max),
           1000 * $lag);
}


1;
