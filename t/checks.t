#!/usr/bin/perl

# Active checks: when they are made, what they find, what comes of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll);


# The schedule.

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 4;
    my $start = time;
    my $ng = checked(\@fakes, 'interval=30s', workers => 4);

    ok(wait_count($fakes[3], 1, 2), 'the first check is made at once');
    wait_count($_, 1, 2) for @fakes;
    cmp_ok(max(map { my ($c) = checks($_); $c ? $c->{time} : 9e9 } @fakes), '<', $start + 2.5,
           'of every instance');

    my $d = poll { my $d = $ng->instance($fakes[0]->name);
                   $d->{lastChecked} && $d } 2;
    like($d->{lastChecked}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
         'lastChecked');
    like($d->{responseTime}, qr/^\d{1,3}$/, 'responseTime');
    is_deeply($d->{checks}, { passed => 1, failed => 0, lastStatus => 200,
                              consecutiveFailures => 0 }, 'checks');
    is($d->{state}, 'up', 'state');
    is($d->{reason}, undef, 'reason');

    sleep 1;
    is(scalar(map { checks($_) } @fakes), 4, 'and then none for a while');
    is(join('', $ng->logged(qr/wa_gateway: /)), '', 'no line without a change');
    $ng->clean;
}

for my $jitter (0, 50) {
    my @fakes = map { WaGateway::Fake->new } 1 .. 6;
    my $ng = checked(\@fakes, "interval=200ms jitter=$jitter%", workers => 4);

    wait_count($fakes[0], 1);
    my ($first) = checks($fakes[0]);
    sleep max(0, $first->{time} + 5 - time);
    my $passed = $ng->instance($fakes[0]->name)->{checks}{passed};
    my $end = time;

    for my $fake (@fakes) {
        my @c = checks($fake);
        my $want = ($end - $c[0]{time}) / 0.2;

        ok(abs(@c - $want) < 4,
           "jitter=$jitter%: one check an interval, whatever the workers")
            or diag(scalar(@c) . " in $want intervals");
    }

    my @c = checks($fakes[0]);
    cmp_ok(abs(@c - $passed), '<=', 2, 'each is counted');

    my @off = sort { $a <=> $b } map { abs($_ - 0.2) }
              map { spaces(checks($_)) } @fakes;
    my $off = $off[$#off / 2];

    if ($jitter) {
        cmp_ok($off, '>', 0.018, 'jitter spreads them');
        cmp_ok($off[@off * 0.9], '<', 0.12, 'within its bounds');
    } else {
        cmp_ok($off, '<', 0.015, 'no jitter: they do not move');
    }

    $ng->clean;
}

{
    my $fake = WaGateway::Fake->new(mode => 'slow:0.35');
    my $ng = checked([$fake], 'interval=100ms timeout=3s keepalive=off',
                     workers => 4);

    wait_count($fake, 9);
    my @c = checks($fake);

    is($fake->max_busy, 1, 'a check that outlasts the interval is alone');
    cmp_ok(min(spaces(@c)), '>', 0.3, 'the next one waits for its end');
    cmp_ok((sort { $a <=> $b } spaces(@c))[@c / 2 - 1], '<', 0.45,
           'and no longer');
    is(&state($ng, $fake), 'up', 'it is up');

    $fake->mode('hang');
    $ng->clean;
}

# Under load the machine itself may be late: one of three is enough.
{
    my (@worst, $steady);

    for (1 .. 3) {
        my @hang = map { WaGateway::Fake->new(mode => 'hang') } 1 .. 4;
        my $fake = WaGateway::Fake->new;
        my $ng = checked([@hang, $fake], 'interval=2s timeout=1s jitter=0%');

        wait_count($fake, 4);
        my @c = checks($fake);
        push @worst, max(map { abs($c[$_]{time} - $c[0]{time} - 2 * $_) }
                         1 .. 3);
        $steady = $worst[-1] < ($ENV{WA_GATEWAY_TEST_SANITIZE} ? 0.8 : 0.2);

        if ($steady || @worst == 3) {
            is(&state($ng, $_), 'down: timeout', 'one that never answers')
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
                     'interval=500ms timeout=5s keepalive=off', workers => 4);

    wait_count($_, 1) for values %fakes;
    my $start = time;
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
    } 5;

    ok($ok, 'all that is wrong is found')
        or diag("not: @{[grep { !defined $down{$_} } keys %modes]}");

    for my $mode (sort keys %modes) {
        my $d = $text{$mode};
        my $is = ref $modes{$mode} ? "down: $d->{reason}" : $d->{reason};

        ref $modes{$mode} ? like($is, $modes{$mode}, "$mode: the reason")
                          : is($is, $modes{$mode}, "$mode: the reason");
        cmp_ok($down{$mode}, '<', 2, 'within interval and timeout');
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

    $start = time;
    $_ eq 'stop' ? $fakes{$_}->mode('json') && $fakes{$_}->start
                 : $fakes{$_}->mode('json') for keys %fakes;

    poll {
        my $all = $ng->status->{instances}{details};
        for (keys %fakes) {
            next unless $all->{'http://' . $fakes{$_}->name}{healthy};
            $up{$_} = time - $start unless defined $up{$_};
        }
        keys %up == keys %fakes;
    } 5;

    for my $mode (sort keys %modes) {
        cmp_ok($up{$mode} || 99, '<', 2, "$mode: up again within two seconds");

        my @lines = changes($ng, $fakes{$mode});
        my $name = 'http://' . $fakes{$mode}->name;

        is(scalar(@lines), 2, 'one line a change') or diag(join "\n", @lines);
        like($lines[0] || '', qr/^\Q$name\E is down: \Q$text{$mode}{reason}\E \(up for \d+\.\d{3}s\)$/,
             'that it went down, why, and how long it was up');
        like($lines[1] || '', qr/^\Q$name\E is up \(down for [01]\.\d{3}s\)$/,
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
    my $ng = checked(\@fakes, 'interval=500ms timeout=1500ms');

    wait_count($_, 2) for @fakes;
    $fakes[0]->mode('hang');

    my $took = settles($ng, $fakes[0], 'down: timeout', 5, 'no answer');
    ok($took > 1.4 && $took < 3, 'within interval and timeout')
        or diag("$took s");

    poll { time - ($fakes[0]->ledger)[-1]{time} > 1.4 };
    $fakes[0]->mode('json');
    cmp_ok(settles($ng, $fakes[0], 'up', 5, 'up again'), '<', 2,
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

    my $ng = checked(\@fakes, 'interval=400ms timeout=2s', workers => 2,
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

    settles($ng, $fakes[$_], "down: $bad[$_][1]", 2, "expected: $bad[$_][1]")
        for 0 .. $#bad;

    $_->say($good, @head) for @fakes;
    settles($ng, $_, 'up', 2, 'and up again') for @fakes;
    $ng->clean;
}


# How many failures and passes it takes, and the pauses between.

{
    my $fake = WaGateway::Fake->new;
    my $other = WaGateway::Fake->new;
    my $ng = checked([$fake, $other], 'interval=2s jitter=0%');

    wait_count($fake, 1);
    poll { $ng->instance($fake->name)->{lastChecked} };
    $fake->forget;
    $fake->mode('status:500');

    wait_count($fake, 6, 15);
    my @s = spaces(checks($fake));

    for my $want (0.5, 1, 2, 2, 2) {
        my $got = shift @s;
        ok(abs($got - $want) < 0.2, "after a failure a pause of $want s")
            or diag("$got s");
    }

    $ng->clean;
}

{
    my $fake = WaGateway::Fake->new;
    my $ng = checked([$fake], 'interval=600ms fails=3 passes=2 jitter=0%');

    wait_count($fake, 1);
    poll { $ng->instance($fake->name)->{lastChecked} };
    $fake->mode('status:500');

    poll { $ng->instance($fake->name)->{checks}{failed} == 2 };
    is(&state($ng, $fake), 'up', 'fails=3: two failures are not enough');
    $fake->mode('json');
    poll { !$ng->instance($fake->name)->{checks}{consecutiveFailures} };
    $fake->mode('status:500');

    my $d;
    poll { $d = $ng->instance($fake->name); !$d->{healthy} } 6;
    is($d->{checks}{consecutiveFailures}, 3, 'three in a row are');
    is($d->{checks}{failed}, 5, 'a pass between them ends the row');

    my $passed = $d->{checks}{passed};
    $fake->mode('json');
    poll { $d = $ng->instance($fake->name);
           $d->{checks}{passed} > $passed } 4;
    is($d->{state}, 'down', 'passes=2: one pass is not enough')
        if $d->{checks}{passed} == $passed + 1;
    poll { $d = $ng->instance($fake->name); $d->{healthy} } 4;
    is($d->{checks}{passed} - $passed, 2, 'two are');
    $ng->clean;
}


# mandatory

{
    my @fakes = (WaGateway::Fake->new(mode => 'slow:0.7'),
                 WaGateway::Fake->new(mode => 'status:500'));
    my $ng = checked(\@fakes, 'interval=1s fails=3 mandatory=on');

    is(&state($ng, $fakes[0]), 'checking', 'mandatory: checked first');
    is($ng->request('GET', '/health')->{status}, 503, 'nobody is there yet');
    is($ng->request('POST', '/m', body => 'x')->{status}, 503,
       'and nothing is sent');
    settles($ng, $fakes[1], 'down: status 500', 3,
            'whose first check fails is down, whatever fails= says');
    settles($ng, $fakes[0], 'up', 3, 'whose first check passes is up');
    is($ng->request('GET', '/health')->{status}, 200, 'somebody is there');
    is(scalar($fakes[0]->ledger('/m')), 0, 'no message came before');
    like((changes($ng, $fakes[0]))[0], qr/is up \(checking for [0-3]\.\d{3}s\)$/,
         'the log tells');
    $ng->clean;
}


# What traffic took out is asked soon.

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $ng = checked(\@fakes, 'interval=30s', workers => 4);

    wait_count($_, 1) for @fakes;
    poll { $ng->instance($fakes[1]->name)->{lastChecked} };

    my $r = $ng->request('POST', '/m?fake=reset', body => 'x');
    my $start = time;
    my ($bad) = grep { $ng->instance($_->name)->{state} eq 'down' } @fakes;

    ok($bad, 'a reset takes an instance out');
    settles($ng, $bad, 'up', 3, 'a check brings it back');
    cmp_ok(time - $start, '<', 1.5, 'soon, though the interval is 30 s');
    is(scalar(checks($bad)), 2, 'by one check');
    like(join('|', changes($ng, $bad)),
         qr/is down: reset \(up for .*\|.*is up \(down for [01]\.\d{3}s\)$/,
         'the log tells both');
    $ng->clean;
}


# slow_start

{
    my @fakes = (WaGateway::Fake->new(mode => 'status:500'),
                 WaGateway::Fake->new);
    my $ng = checked(\@fakes, 'interval=500ms slow_start=4s', workers => 2);

    settles($ng, $fakes[0], 'down: status 500', 3, 'down at first');
    $fakes[0]->mode('json');
    settles($ng, $fakes[0], 'slow_start', 3, 'then in a slow start');
    my $start = time;

    my @share;
    while ((my $at = time - $start) < 6) {
        my $to = $ng->request('POST', '/m', body => 'x')
                    ->{headers}{'x-wa-instance'};
        $share[int $at][$to eq 'http://' . $fakes[0]->name]++;
        sleep 0.002;
    }

    my @part = map { ($_->[1] || 0) / (($_->[0] || 0) + ($_->[1] || 0)) }
               @share;
    my $text = join ' ', map { sprintf '%.2f', $_ } @part;

    ok($part[0] > 0.05 && $part[0] < 0.28, "a small share at first: $text");
    ok($part[3] > 0.38 && $part[3] < 0.52, 'a large one at the end');
    ok($part[0] < $part[1] && $part[1] < $part[2] && $part[2] <= $part[3] + .02,
       'it grows');
    ok(abs($part[5] - 0.5) < 0.05, 'then the whole');
    is(&state($ng, $fakes[0]), 'up', 'and it is up');
    like((changes($ng, $fakes[0]))[-1], qr/is up \(slow_start for [45]\.\d+s\)/,
         'the log tells');
    $ng->clean;
}

{
    my @fakes = (WaGateway::Fake->new(mode => 'status:500'),
                 WaGateway::Fake->new);
    my $ng = checked(\@fakes, 'interval=500ms slow_start=1h');

    settles($ng, $fakes[0], 'down: status 500', 3, 'down at first');
    $fakes[0]->mode('json');
    settles($ng, $fakes[0], 'slow_start', 3, 'then in a slow start');
    ok($ng->reload(upstream => $ng->{upstream} =~ s/slow_start=1h//r),
       'a reload without one');
    settles($ng, $fakes[0], 'up', 3, 'and it is up');
    $ng->clean;
}

done_testing();
