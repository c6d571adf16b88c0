#!/usr/bin/perl

# Active checks: when they are made, what they find, what comes of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max);
use Test::More;
use Time::Local qw(timegm);
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(http poll);


# The schedule.

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 4;
    my ($start, $late) = (time, lateness());
    my $ng = checked(\@fakes, 'interval=1h', workers => 4);

    ok(wait_count($_, 1), 'a first check') for @fakes;
    soon(max(map { (checks($_))[0]{time} } @fakes) - $start, 2.5, $late,
         'is made at once, of every instance');

    my $d = poll { my $d = $ng->instance($fakes[0]->name);
                   $d->{lastChecked} && $d };
    like($d->{lastChecked}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
         'lastChecked');
    like($d->{responseTime}, qr/^\d+$/, 'responseTime');
    cmp_ok($d->{responseTime}, '<=', 1000 * (time - $start), 'is in ms');
    is_deeply($d->{checks}, { passed => 1, failed => 0, lastStatus => 200,
                              consecutiveFailures => 0 }, 'checks');
    is($d->{state}, 'up', 'state');
    is($d->{reason}, undef, 'reason');

    sleep 1;
    is(scalar(map { checks($_) } @fakes), 4, 'and then none for a while');
    is(join('', $ng->logged(qr/wa_gateway: /)), '', 'no line without a change');
    $ng->clean;
}

# With jitter and without at the same time, on a machine that is as late for
# one as for the other.
{
    my %fakes = map { $_ => [map { WaGateway::Fake->new } 1 .. 6] } 0, 50;
    my $ng = several({ map {
        my $jitter = $_;
        ("j$jitter" => "wa_gateway_check interval=500ms jitter=$jitter%;"
                       . join '', map { 'server ' . $_->name . ';' }
                                  @{$fakes{$jitter}})
    } keys %fakes }, workers => 4);

    my @all = map { @$_ } values %fakes;
    my %off;

    wait_count($_, 13) for @all;

    for my $jitter (0, 50) {
        my @spaces;

        for my $fake (@{$fakes{$jitter}}) {
            my @c = checks($fake);
            my @s = sort { $a <=> $b } spaces(@c);
            my $turns = ($c[-1]{time} - $c[0]{time}) / 0.5;

            ok(abs($s[@s / 2] - 0.5) < 0.2 && @s < 1.4 * $turns + 1,
               "jitter=$jitter%: one check an interval, whatever the workers")
                or diag("@s in $turns intervals");
            push @spaces, @s;
        }

        my @off = sort { $a <=> $b } map { abs($_ - 0.5) } @spaces;
        $off{$jitter} = $off[$#off / 2];

        cmp_ok($off[@off * 0.9], '<', 0.35, 'within its bounds') if $jitter;
    }

    cmp_ok($off{50}, '>', 0.045, 'jitter spreads them');
    cmp_ok($off{0}, '<', $off{50} / 2, 'no jitter: they do not move');

    # none is under way between two equal counts of the same ledger
    my $fake = $fakes{0}[0];
    my ($seen, $passed);
    ok(poll {
        my $n = checks($fake);
        my $r = $ng->request('GET', '/status/j0')->{body};
        $passed = JSON::PP::decode_json($r)->{instances}{details}
                      {'http://' . $fake->name}{checks}{passed};
        $seen = checks($fake);
        $n == $seen && $passed == $n;
    }, 'each is counted') or diag("$passed of $seen");

    $ng->clean;
}

{
    my $fake = WaGateway::Fake->new(mode => 'slow:0.6');
    my $ng = checked([$fake], 'interval=500ms timeout=1h keepalive=off',
                     workers => 4);

    wait_count($fake, 8);
    my @s = sort { $a <=> $b } spaces(checks($fake));

    is($fake->max_busy, 1, 'a check that outlasts the interval is alone');
    cmp_ok($s[0], '>', 0.59, 'the next one waits for its end');
    cmp_ok($s[@s / 2], '<', 0.95, 'and no longer: not until the next turn');
    is(&state($ng, $fake), 'up', 'it is up');

    $fake->mode('hang');
    $ng->clean;
}

# The machine itself may be late: one of some is enough.
{
    my (@worst, $steady);

    for (1 .. 5) {
        my @hang = map { WaGateway::Fake->new(mode => 'hang') } 1 .. 4;
        my $fake = WaGateway::Fake->new;
        my $ng = checked([@hang, $fake],
                         'interval=2500ms timeout=2s jitter=0%');

        wait_count($fake, 4);
        my @c = checks($fake);
        push @worst, max(map { abs($c[$_]{time} - $c[0]{time} - 2.5 * $_) }
                         1 .. 3);

        # waiting for one of them costs 2 s
        $steady = $worst[-1] < 0.8;

        if ($steady || @worst == 5) {
            settles($ng, $_, 'down: timeout', 'one that never answers')
                for @hang;
            $ng->clean;
        }

        last if $steady;
    }

    ok($steady, 'four that never answer do not move the checks of a fifth')
        or diag("by @worst s");
}


# What is found: down within interval + timeout, up again in two seconds.

{
    my %modes = (
        'reset' => 'reset',
        'reset_accept' => qr/^down: (?:connect ECONNRESET|reset)$/,
        'close' => 'closed before answer',
        'half' => 'invalid answer: closed in body',
        'half_head' => 'invalid answer: closed in header',
        'chunked_half' => 'invalid answer: closed in body',
        'reset_answer' => 'reset',
        'garbage' => qr/^down: invalid answer: /,
        'status:503' => 'status 503',
        'status:401' => 'status 401',
        'status:204' => 'status 204',
        'stop' => 'connect ECONNREFUSED',
    );

    my %fakes = map { $_ => WaGateway::Fake->new } keys %modes;
    my $sound = WaGateway::Fake->new;
    my $ng = checked([$sound, @fakes{sort keys %fakes}],
                     'interval=500ms timeout=1h keepalive=off', workers => 4);

    wait_count($_, 1) for values %fakes;
    my ($start, $late) = (time, lateness());
    $_ eq 'stop' ? $fakes{$_}->stop : $fakes{$_}->mode($_) for keys %fakes;

    my (%down, %text, %up);

    my $ok = poll {
        my $all = $ng->status->{instances}{details};

        for (keys %fakes) {
            my $d = $all->{'http://' . $fakes{$_}->name};
            next if $d->{healthy} || defined $down{$_};
            $down{$_} = time - $start;
            $text{$_} = $d;
        }
        keys %down == keys %fakes;
    };

    ok($ok, 'all that is wrong is found')
        or diag("not: @{[grep { !defined $down{$_} } keys %modes]}");

    for my $mode (sort keys %modes) {
        my $d = $text{$mode};
        my $is = ref $modes{$mode} ? "down: $d->{reason}" : $d->{reason};

        ref $modes{$mode} ? like($is, $modes{$mode}, "$mode: the reason")
                          : is($is, $modes{$mode}, "$mode: the reason");
        soon($down{$mode}, 2, $late, 'within interval and timeout');
        is($d->{responseTime}, undef, 'no response time after a failure');
        is($d->{checks}{consecutiveFailures} > 0, 1, 'failures are counted');
        is($d->{checks}{lastStatus}, $mode =~ /status:(\d+)/ ? $1 : undef,
           'the status, if there was one');
    }

    # Traffic goes to those that are up, whichever worker it comes to.
    my @sent = map { $ng->request('POST', '/m', body => 'x')
                        ->{headers}{'x-wa-instance'} } 1 .. 40;
    is(join(' ', grep { $_ ne 'http://' . $sound->name } @sent), '',
       'every worker leaves out what is down');

    my %pids = map { $_ => 1 } $ng->worker_pids;
    is(scalar(keys %pids), 4, 'four workers');

    ($start, $late) = (time, lateness());
    $_ eq 'stop' ? $fakes{$_}->mode('json') && $fakes{$_}->start
                 : $fakes{$_}->mode('json') for keys %fakes;

    poll {
        my $all = $ng->status->{instances}{details};
        for (keys %fakes) {
            next unless $all->{'http://' . $fakes{$_}->name}{healthy};
            $up{$_} = time - $start unless defined $up{$_};
        }
        keys %up == keys %fakes;
    };

    for my $mode (sort keys %modes) {
        soon($up{$mode} || 999, 2, $late,
             "$mode: up again within two seconds");

        my @lines = changes($ng, $fakes{$mode});
        my $name = 'http://' . $fakes{$mode}->name;

        is(scalar(@lines), 2, 'one line a change') or diag(join "\n", @lines);
        like($lines[0] || '', qr/^\Q$name\E is down: \Q$text{$mode}{reason}\E \(up for \d+\.\d{3}s\)$/,
             'that it went down, why, and how long it was up');
        like($lines[1] || '', qr/^\Q$name\E is up \(down for \d+\.\d{3}s\)$/,
             'and that it came back');
    }

    @sent = map { $ng->request('POST', '/m', body => 'x')
                     ->{headers}{'x-wa-instance'} } 1 .. 4 * (1 + keys %modes);
    my %seen;
    $seen{$_}++ for @sent;
    is(scalar(keys %seen), 1 + keys %modes, 'every worker uses them again');

    my @events = grep { $_->{instance} eq 'http://' . $fakes{close}->name }
                 @{$ng->status->{events}};
    is(join(' ', map { "$_->{from}-$_->{to}" } @events), 'up-down down-up',
       'both changes are events');
    is($events[0]{reason}, 'closed before answer', 'with the reason');
    is(scalar($ng->logged(qr/\[warn\].*is down/)), scalar(keys %modes),
       'down is a warning');
    is(scalar($ng->logged(qr/\[notice\].*is up/)), scalar(keys %modes),
       'up is a notice');

    $ng->clean;
}

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $ng = checked(\@fakes, 'interval=1500ms timeout=1500ms');

    # a check has just ended: the next one begins later than now
    poll {
        my $n = checks($fakes[0]);
        $n > 1 && $ng->instance($fakes[0]->name)->{checks}{passed} == $n
            && checks($fakes[0]) == $n;
    };
    my $late = lateness();
    $fakes[0]->mode('hang');

    my $took = settles($ng, $fakes[0], 'down: timeout', 'no answer');
    cmp_ok($took, '>', 1.45, 'not before the timeout');
    soon($took, 1.5 + 1.5 * 1.1 + 1, $late, 'within interval and timeout');

    # as soon as the check of now hangs no longer
    $fakes[0]->mode('json');
    $late = lateness();
    soon(settles($ng, $fakes[0], 'up', 'up again'), 1.5 + 2, $late,
         'two seconds later, if the check of then hangs no longer');
    is(scalar(changes($ng, $fakes[0])), 2, 'one line a change');
    is(scalar(changes($ng, $fakes[1])), 0, 'of the other none');
    $ng->clean;
}

{
    my $good = '{"state":"CONNECTED","n":1,"text":"session"}';
    my @bad = (
        ['{"state":"TIMEOUT","text":"session"}', 'json $.state is "TIMEOUT"'],
        ['{"state":null,"text":"session"}', 'json $.state is null'],
        ['{"text":"session"}', 'json $.state is missing'],
        ['[{"state":"CONNECTED"},"session"]', 'json $.state is missing'],
        ['session {"state":"CONNECTED"}', 'body is no JSON'],
        ['{"state":"CONNECTED","text":"session"', 'body is no JSON'],
        ['', 'body is no JSON'],
        ['{"state":"CONNECTED"}', 'body does not match'],
        [$good, 'header X-State is "gone"', head => ['X-State: gone']],
        [$good, 'header X-State is missing', head => []],
        [$good, 'status 503', status => 503],
        ['{"state":"<\u0001\">\u00e9","text":"session"}',
         "json \$.state is \"<?\">\x{e9}\""],
    );

    my @head = (head => ['X-State: ready 1']);
    my @fakes = map { WaGateway::Fake->new } @bad;
    $_->say($good, @head) for @fakes;

    my $ng = checked(\@fakes, 'interval=400ms timeout=1h', workers => 2,
                     more => 'wa_gateway_expect json $.state = open CONNECTED;
                              wa_gateway_expect body ~ session;
                              wa_gateway_expect status 200 201;
                              wa_gateway_expect header x-state ~ "^ready \d$";');

    wait_count($fakes[-1], 3);
    is(join(' ', grep { !/^up$/ } map { &state($ng, $_) } @fakes), '',
       'all that is expected is there');

    for my $i (0 .. $#bad) {
        my ($body, $reason, %o) = @{$bad[$i]};
        $fakes[$i]->say($body, @head, %o);
    }

    (my $x = $bad[8][1]) =~ s/X-State/x-state/;
    ($bad[8][1], $bad[9][1]) = ($x, 'header x-state is missing');

    settles($ng, $fakes[$_], "down: $bad[$_][1]", "expected: $bad[$_][1]")
        for 0 .. $#bad;

    $_->say($good, @head) for @fakes;
    settles($ng, $_, 'up', 'and up again') for @fakes;
    $ng->clean;
}


# How many failures and passes it takes, and the pauses between.

# The machine itself may be late: one of some is enough.
{
    my @seen;

    for (1 .. 5) {
        my $fake = WaGateway::Fake->new;
        my $other = WaGateway::Fake->new;
        my $ng = checked([$fake, $other], 'interval=2s jitter=0%');

        wait_count($fake, 1);
        poll { $ng->instance($fake->name)->{lastChecked} };
        $fake->forget;
        $fake->mode('status:500');

        wait_count($fake, 6);
        my @s = (spaces(checks($fake)))[0 .. 4];
        my @want = (0.5, 1, 2, 2, 2);
        push @seen, join ' ', map { sprintf '%.2f', $_ } @s;
        $ng->clean;

        if (!grep { abs($s[$_] - $want[$_]) >= 0.2 } 0 .. 4) {
            $seen[-1] = 'kept';
            last;
        }
    }

    is($seen[-1], 'kept', 'after failures pauses of 0.5, 1, 2, 2, 2 s')
        or diag(join "\n", @seen);
}

{
    my $fake = WaGateway::Fake->new;
    my $ng = checked([$fake], 'interval=600ms fails=3 passes=2 jitter=0%');
    my $counts = sub { $ng->instance($fake->name)->{checks} };

    wait_count($fake, 1);
    poll { $ng->instance($fake->name)->{lastChecked} };

    $fake->mode('each:status:500,status:500,json');
    poll { my $c = $counts->();
           $c->{failed} == 2 && !$c->{consecutiveFailures} };
    is(join('', changes($ng, $fake)), '',
       'fails=3: two failures are not enough');

    $fake->mode('each:status:500,status:500,status:500,hang');
    settles($ng, $fake, 'down: status 500', 'three in a row are');
    is($counts->()->{consecutiveFailures}, 3, 'not fewer');
    is($counts->()->{failed}, 5, 'a pass between them ends the row');
    $ng->clean;

    $fake->mode('each:status:500,json,status:500,json,json');
    $ng = checked([$fake], 'interval=600ms passes=2 jitter=0%');
    settles($ng, $fake, 'down: status 500', 'down');
    settles($ng, $fake, 'up', 'up');
    is(scalar(changes($ng, $fake)), 2, 'passes=2: one pass is not enough');
    is($counts->()->{failed}, 2, 'a failure between them ends the row');
    $ng->clean;
}


# mandatory

{
    my @fakes = (WaGateway::Fake->new(mode => 'held'),
                 WaGateway::Fake->new(mode => 'status:500'));
    my $ng = checked(\@fakes, 'interval=1s timeout=1h fails=3 mandatory=on');

    is(&state($ng, $fakes[0]), 'checking', 'mandatory: checked first');
    is($ng->request('GET', '/health')->{status}, 503, 'nobody is there yet');
    is($ng->request('POST', '/m', body => 'x')->{status}, 503,
       'and nothing is sent');
    settles($ng, $fakes[1], 'down: status 500',
            'whose first check fails is down, whatever fails= says');
    wait_count($fakes[0], 1);
    $fakes[0]->mode('json');
    $fakes[0]->release;
    settles($ng, $fakes[0], 'up', 'whose first check passes is up');
    is($ng->request('GET', '/health')->{status}, 200, 'somebody is there');
    is(scalar($fakes[0]->ledger('/m')), 0, 'no message came before');
    like((changes($ng, $fakes[0]))[0], qr/is up \(checking for \d+\.\d{3}s\)$/,
         'the log tells');
    $ng->clean;
}


# What traffic took out is asked soon.

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $ng = checked(\@fakes, 'interval=1h', workers => 4);

    poll { 2 == grep { $ng->instance($_->name)->{lastChecked} } @fakes };

    my ($start, $late) = (time, lateness());
    my $r = $ng->request('POST', '/m?fake=reset', body => 'x');
    my ($bad) = grep { 'http://' . $_->name eq $r->{headers}{'x-wa-instance'} }
                @fakes;

    ok((poll { scalar changes($ng, $bad) }), 'a reset takes an instance out');
    settles($ng, $bad, 'up', 'a check brings it back');
    soon(time - $start, 1.5, $late, 'soon, though the interval is an hour');
    is(scalar(checks($bad)), 2, 'by one check');
    like(join('|', changes($ng, $bad)),
         qr/is down: reset \(up for .*\|.*is up \(down for \d+\.\d{3}s\)$/,
         'the log tells both');
    $ng->clean;
}


# slow_start: what share it has in each quarter of it, and after.  Longer where
# it ends before there were requests enough.

for my $seconds (4, 20, 120) {
    my @fakes = (WaGateway::Fake->new(mode => 'status:500'),
                 WaGateway::Fake->new);
    my $ng = checked(\@fakes, "interval=500ms slow_start=${seconds}s",
                     workers => 2);
    my $name = 'http://' . $fakes[0]->name;

    settles($ng, $fakes[0], 'down: status 500', 'down at first');
    $fakes[0]->mode('json');
    settles($ng, $fakes[0], 'slow_start', 'then in a slow start');

    my $since = seconds_of($ng->instance($fakes[0]->name)->{since});
    my ($late, @n, @to) = (lateness(), (0) x 6);

    while (1) {
        my $begun = time;
        my $r = $ng->request('POST', '/m', body => 'x');
        my ($from, $to) = map { int(4 * ($_ - $since) / $seconds) }
                          $begun, time;

        # one that began in one quarter and ended in the next tells nothing
        if ($from == $to || $from > 3) {
            $from = $from < 4 ? $from : 5;
            $n[$from]++;
            $to[$from]++ if $r->{headers}{'x-wa-instance'} eq $name;
        }

        last if $n[5] >= 200;
        sleep 0.002;
    }

    if ($seconds < 120 && grep { $n[$_] < 40 } 0 .. 3) {
        $ng->stop;
        next;
    }

    my @part = map { ($to[$_] || 0) / ($n[$_] || 1) } 0 .. 5;
    my $text = join ' ', map { sprintf '%.2f', $_ } @part;

    ok($part[0] > 0.05 && $part[0] < 0.28, "a small share at first: $text");
    ok($part[3] > 0.38 && $part[3] < 0.52, 'a large one at the end');
    ok($part[0] < $part[1] && $part[1] < $part[2] && $part[2] <= $part[3] + .02,
       'it grows');
    ok(abs($part[5] - 0.5) < 0.05, 'then the whole');
    settles($ng, $fakes[0], 'up', 'and it is up');

    my ($lasted) = (changes($ng, $fakes[0]))[-1]
                   =~ /is up \(slow_start for ([\d.]+)s\)/;
    cmp_ok($lasted || 0, '>=', $seconds, 'after that time');
    soon($lasted || 0, $seconds + 1.5, $late, 'the log tells');
    $ng->clean;
    last;
}

{
    my @fakes = (WaGateway::Fake->new(mode => 'status:500'),
                 WaGateway::Fake->new);
    my $ng = checked(\@fakes, 'interval=500ms slow_start=1h');

    settles($ng, $fakes[0], 'down: status 500', 'down at first');
    $fakes[0]->mode('json');
    settles($ng, $fakes[0], 'slow_start', 'then in a slow start');
    ok($ng->reload(upstream => $ng->{upstream} =~ s/slow_start=1h//r),
       'a reload without one');
    settles($ng, $fakes[0], 'up', 'and it is up');
    $ng->clean;
}

done_testing();


# Of a time as /status has it.
sub seconds_of {
    my ($text) = @_;
    my @t = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+\.\d+)Z$/;
    return timegm(int $t[5], @t[4, 3, 2], $t[1] - 1, $t[0]) + $t[5] - int $t[5];
}
