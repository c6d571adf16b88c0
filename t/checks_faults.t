#!/usr/bin/perl

# Active checks when something is wrong on our side: no descriptors, stopped
# and killed workers, quitting, reloads.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use List::Util qw(max);
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(http poll);


# No descriptor left.

for my $keepalive ('off', 'on') {
    my @fakes = map { WaGateway::Fake->new } 1 .. 3;
    $fakes[0]->mode('keep:1');
    my $ng = checked(\@fakes, "interval=100ms timeout=1h keepalive=$keepalive",
                     main => 'worker_rlimit_nofile 40;');

    wait_count($_, 1) for @fakes;

    my $r = $ng->request('GET', '/status', keep => 1);
    my $s = $r->{socket};
    my @held;

    for (1 .. 60) {
        push @held, IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                          PeerPort => $ng->port) || last;
    }

    ok(poll { $ng->logged(qr/Too many open files/) }, 'no descriptor is left');

    my $name = $fakes[0]->name;
    my $told = poll { $ng->logged(qr/\Q$name\E could not be checked/) };
    my ($n, $m) = map { $_->count } @fakes[0, 1];
    sleep 1.5;
    my $kept = $keepalive eq 'on' && poll { $fakes[1]->count > $m + 10 };

    my $status = JSON::PP::decode_json($ng->request('GET', '/status',
                                                    socket => $s)->{body});
    my @d = map { $status->{instances}{details}{'http://' . $_->name} } @fakes;

    is(join(' ', map { $_->{state} } @d), 'up up up',
       "keepalive=$keepalive: no instance goes down");
    is(join(' ', map { $_->{checks}{failed} } @d), '0 0 0',
       'nor is a failure counted');
    ok($told, 'it is told');
    cmp_ok(scalar($ng->logged(qr/\Q$name\E could not be checked/)), '<', 3,
           'and not at each check');

    if ($keepalive eq 'on') {
        ok($kept, 'kept connections need none');
    } else {
        cmp_ok($fakes[0]->count - $n, '<', 3, 'no check could be made');
    }

    close $_ for @held;
    $n = $fakes[0]->count;
    ok(poll { $fakes[0]->count > $n + 5 }, 'checks go on when there are again');
    is(join('', $ng->logged(qr/ is down/)), '', 'no word of down');
    $ng->stop;
}


# Workers stopped for five seconds, in the middle of whatever they do: for the
# first one in the middle of a check whose answer comes after that.

{
    my @fakes = map { WaGateway::Fake->new(mode => $_) }
                ('slow:5.5', 'slow:0.05', 'keep:1', 'json', 'slow:0.6',
                 'chunked', 'slow:0.25');
    my $ng = checked(\@fakes, 'interval=300ms timeout=5s', workers => 2);

    wait_count($_, 1) for @fakes;

    my @pids = $ng->worker_pids;
    kill 'STOP', @pids;
    $fakes[0]->mode('json');
    sleep 2.5;
    $_->close_idle for @fakes[1 .. 3];
    sleep 2.5;
    kill 'CONT', @pids;

    ok((poll { !grep { $_->count < 4 } @fakes }), 'stopped workers go on');
    is(join("\n", $ng->logged(qr/ is down/)), '', 'and nothing went down');
    is(join(' ', map { $ng->instance($_->name)->{checks}{failed} } @fakes),
       '0 0 0 0 0 0 0', 'no check failed');
    $ng->clean;
}


# A killed worker.

{
    my @fakes = map { WaGateway::Fake->new(mode => 'slow:0.15') } 1 .. 4;
    my $late = lateness();
    my $ng = checked(\@fakes, 'interval=500ms timeout=1h jitter=0%',
                     workers => 2);

    wait_count($_, 3) for @fakes;

    for my $pid ($ng->worker_pids) {
        my $n = $fakes[0]->count;
        poll { $fakes[0]->count > $n };
        kill 'KILL', $pid;

        my @n = map { $_->count } @fakes;
        poll { !grep { $fakes[$_]->count < $n[$_] + 3 } 0 .. 3 };
    }

    for (@fakes) {
        soon(max(spaces(checks($_))), 1.2, $late,
             'checks go on within two intervals');
        is($_->max_busy, 1, 'never two at a time');
    }

    is(join("\n", $ng->logged(qr/ is down/)), '', 'nothing went down');
    is(scalar($ng->logged(qr/exited on signal 9/)), 2, 'two were killed');
    $ng->stop;
}


# Quitting and reloading while a check hangs.

for my $how ('quit', 'reload', 'tls') {
    my @fakes = map { WaGateway::Fake->new(mode => 'hang') } 1 .. 3;
    my $ng = checked(\@fakes, 'interval=1h timeout=1h'
                     . ($how eq 'tls' ? ' ssl=on' : ''), workers => 2);

    # a ClientHello is no request that a fake would note
    poll { !grep { !$_->touched } @fakes };

    my @pids = $ng->worker_pids;
    my ($start, $late) = (time, lateness());
    my $gone;

    if ($how eq 'reload') {
        kill 'HUP', $ng->{pid};
        $gone = poll { !grep { kill 0, $_ } @pids };
    } else {
        kill 'QUIT', $ng->{pid};
        $gone = poll { waitpid($ng->{pid}, WNOHANG) != 0 };
    }

    ok($gone, "$how: workers end though checks hang");
    soon(time - $start, 2, $late, 'at once');

    delete $ng->{pid} if $how ne 'reload';
    is(join("\n", $ng->logged(qr/open socket|could not be checked| is down/)),
       '', 'without a word');
    $ng->clean;
}


# A worker that drains stops checking, and the new one begins, at once.

{
    my @fakes = map { WaGateway::Fake->new(mode => 'hang') } 1 .. 2;
    my $ng = checked(\@fakes, 'interval=1h timeout=1h');

    wait_count($_, 1) for @fakes;

    my @s = map { WaGateway::Nginx::send_request($ng->port, 'POST',
                      '/m?fake=held', body => 'x') } 1 .. 2;
    poll { !grep { !$_->ledger('/m') } @fakes };

    my $form = sub { "wa_gateway zone=u:512k; wa_gateway_check interval=1h
        timeout=1h uri=$_[0]; " . join '', map { 'server ' . $_->name . ';' }
                                           @fakes };

    my ($old) = $ng->worker_pids;

    for my $uri ('/second', '/third') {
        $ng->{upstream} = $form->($uri);
        $ng->write_conf;
        my ($start, $late) = (time, lateness());
        kill 'HUP', $ng->{pid};
        poll { !grep { !checks($_, $uri) } @fakes };
        soon(time - $start, 2, $late, "$uri: the new worker asks at once");
    }

    ok(kill(0, $old), 'while the old one still has requests');
    $_->release for @fakes;
    is(join(' ', map { WaGateway::Nginx::read_answer($_, 'POST')->{status} }
                 @s), '200 200', 'which are answered');
    is(join("\n", $ng->logged(qr/open socket|could not be checked| is down/)),
       '', 'without a word');
    $ng->clean;
}


# Checks over reloads.

{
    my @fakes = map { WaGateway::Fake->new(mode => 'slow:0.3') } 1 .. 3;
    my $ng = checked(\@fakes, 'interval=200ms timeout=1h', workers => 2);

    wait_count($_, 2) for @fakes;

    for (1 .. 8) {
        $ng->reload or last;
        sleep 0.1 + rand 0.3;
    }

    my @n = map { $_->count } @fakes;
    ok(poll { !grep { $fakes[$_]->count < $n[$_] + 2 } 0 .. 2 },
       'checks go on after reloads');
    is(join(' ', map { $_->max_busy } @fakes), '1 1 1',
       'never two at a time, over reloads');
    is(join("\n", $ng->logged(qr/ is down/)), '', 'nothing went down');
    $ng->clean;
}

{
    my $fake = WaGateway::Fake->new;
    $fake->say('{"state":"open"}');

    my $form = sub { "wa_gateway zone=u:512k; wa_gateway_check interval=1h;
        wa_gateway_expect json \$.state = $_[0]; server " . $fake->name . ';' };
    my $ng = WaGateway::Nginx->start(upstream => $form->('open'));

    wait_count($fake, 1);
    poll { $ng->instance($fake->name)->{lastChecked} };

    $ng->reload;
    sleep 1;
    is($fake->count, 1, 'a reload alone does not ask anew');

    $fake->say('{"state":"open"}', status => 200);
    $ng->reload(upstream => $form->('"open" CONNECTED'));
    ok(wait_count($fake, 2), 'another expectation is asked at once');
    settles($ng, $fake, 'up', 'it is met');

    $fake->mode('held');
    $ng->reload(upstream => $form->('CONNECTED'));
    is(&state($ng, $fake), 'up', 'meanwhile it is still up');
    ok(wait_count($fake, 3), 'another one is asked at once');
    $fake->mode('json');
    $fake->release;
    settles($ng, $fake, 'down: json $.state is missing',
            'and down when it is not met');
    is(scalar(changes($ng, $fake)), 1, 'one change in all');
    $ng->clean;
}

# The machine itself may be late: one of some is enough.
{
    my ($kept, @seen);

    for (1 .. 5) {
        my $fake = WaGateway::Fake->new;
        my $ng = checked([$fake], 'interval=2s jitter=0%', workers => 2);

        wait_count($fake, 2);
        for (1 .. 5) {
            $ng->reload;
            sleep 0.5;
        }
        wait_count($fake, 4);

        # A check that a worker drops as it quits is asked again.
        my @s = spaces(checks($fake));
        $kept = !(grep { $_ > 3 } @s) && 2 > grep({ $_ < 1 } @s);
        push @seen, "@s";
        $ng->stop;

        last if $kept;
    }

    ok($kept, 'reloads do not move the schedule') or diag(join "\n", @seen);
}

# Old and new workers overlap for a moment: a turn is taken by one of them.
# The machine itself may be late: one of some is enough.

{
    my ($twice, @busy);

    for (1 .. 5) {
        my @fakes = map { WaGateway::Fake->new(mode => 'slow:0.02') } 1 .. 10;
        my $ng = checked(\@fakes, 'interval=400ms jitter=0% timeout=1h',
                         workers => 2);

        wait_count($_, 2) for @fakes;

        # At another moment of the interval each time.
        for (1 .. 10) {
            sleep rand 0.4;
            $ng->reload;
        }

        my $n = $fakes[0]->count;
        poll { $fakes[0]->count > $n + 2 };

        # A check that a worker drops as it quits is asked again, and rightly;
        # but no turn has two verdicts.  The first may be late, by load.
        $twice = 0;

        for my $fake (@fakes) {
            my $passed = $ng->instance($fake->name)->{checks}{passed};
            my @c = checks($fake);
            my $turns = max(map { 2 + $_ + int(($c[-1]{time} - $c[$_]{time})
                                               / 0.4 + 0.5) } 0, 1);

            $twice += $passed - $turns if $passed > $turns;
        }

        push @busy, grep { $_ > 1 } map { $_->max_busy } @fakes;
        $ng->clean;

        last if $twice < 3;
    }

    cmp_ok($twice, '<', 3, 'no check is made twice over a reload');
    is("@busy", '', 'and never two at a time');
}

done_testing();
