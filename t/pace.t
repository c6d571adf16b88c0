#!/usr/bin/perl

# wa_gateway_pace: what a send spends, when it is refused, when it waits, and
# when what it spent is given back.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use JSON::PP ();
use List::Util qw(max sum);
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Cheap qw(send_many text answers);
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Sessions qw(gateway sessions);
use WaGateway::Vendor;


sub paced {
    my ($cheap, $pace, %o) = @_;
    my $sender = delete $o{sender} || 'any';
    my $locations = delete $o{locations} || '';
    my $upstream = delete $o{upstream} || '';

    return WaGateway::Nginx->start(workers => 2, %o,
        http => "keepalive_requests 1000000;\n" . $cheap->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100;\n" . $cheap->upstream
            . "wa_gateway_check interval=100ms;\n"
            . "wa_gateway_pace $pace;\nwa_gateway_sender $sender;\n$upstream",
        server => <<"END");
location = /sessions { wa_gateway_sessions u; }
location = /metrics { wa_gateway_metrics; }
location = /send-message {
    wa_gateway_send text;
    proxy_pass http://u;
    $locations
}
END
}


sub say_of {
    my ($r) = @_;
    return $r->{json}{success} ? $r->{json}{number} : $r->{json}{code};
}


sub header {
    my ($r, $name) = @_;
    my ($value) = $r->{head} =~ /^\Q$name\E: (.*?)\r$/mi;
    return defined $value ? $value : '';
}


sub one {
    my ($ng, $to) = @_;
    my ($r) = send_many($ng->port, text($to));
    return $r;
}


sub answer {
    my ($s) = @_;
    my ($r) = answers($s, 1);
    return $r;
}


# A send whose answer is read later.
sub start_send {
    my ($ng, $body) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die "$!\n";

    WaGateway::Nginx::put($s, "POST /send-message HTTP/1.1\r\n"
        . "Host: gateway.test\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
    return $s;
}


sub metric {
    my ($ng, $name, $label) = @_;
    my $text = $ng->request('GET', '/metrics')->{body};
    my ($value) = $text =~ /^\Q$name\E\{[^}]*\Q$label\E[^}]*\} (\S+)$/m;
    return $value;
}

my $cheap = WaGateway::Cheap->new(2, bodies => 1);
my @to = map { sprintf '96651%07d', $_ } 1 .. 100;


# By number, an hour for a token, so that none comes meanwhile.
{
    $cheap->sessions(0, a => '966500000001');
    $cheap->sessions(1, b => '966500000002');
    $cheap->forget;
    my $ng = paced($cheap, 'number=1/h burst=3');
    $cheap->settled($ng, 2);

    my @r = send_many($ng->port, map { text($_) } @to[0 .. 7]);

    my @said = map { say_of($_) } @r;
    is(join(' ', sort @said[0, 1]), '966500000001 966500000002',
       'one after the other');
    is(join(' ', @said), join(' ', (@said[0, 1]) x 3, 'paced', 'paced'),
       'three each, in turn, then none');

    my $r = $r[7];
    is($r->{status}, 429, '429');
    is($r->{json}{sent}, 'no', 'it was not sent');
    like(header($r, 'Retry-After'), qr/^(?:3600|359\d)$/,
         'Retry-After: when there is a token');
    is(header($r[0], 'RateLimit-Policy'), '"number";q=1;w=3600',
       'RateLimit-Policy');
    like(header($r[0], 'RateLimit'), qr/^"number";r=2;t=(?:3600|359\d)$/,
         'RateLimit: what is left');
    like(header($r, 'RateLimit'), qr/^"number";r=0;t=1\d{4}$/, 'nothing');
    is(header($r, 'RateLimit-Policy'), '"number";q=1;w=3600',
       'the policy with a refusal, too');
    is(scalar(my @six = $cheap->ledger(6)), 6, 'the instances saw six');

    # named: its own budget is what counts
    ($r) = send_many($ng->port, text($to[9], '"session":"a"'));
    is(say_of($r), 'paced', 'a session that is named has none');
    ($r) = send_many($ng->port, text($to[9], '"session":"nobody"'));
    is(say_of($r), 'unknown_session', 'what is refused anyway says so');

    # a third number, known by two names
    $cheap->sessions(0, a => '966500000001', c => '966500000003');
    $cheap->sessions(1, b => '966500000002', d => '966500000003');
    $cheap->settled($ng, 4);
    @r = send_many($ng->port, map { text($_) } @to[0 .. 4]);
    is(join(' ', map { say_of($_) } @r),
       '966500000003 966500000003 966500000003 paced paced',
       'two sessions of a number have one budget; one that has it is found');

    # native sends, and what is no send
    for my $case (['POST', '/native/send?session=c', 429],
                  ['POST', '/native/other?session=c', 200]) {
        $r = $ng->request($case->[0], $case->[1], body => '{}');
        is($r->{status}, $case->[2], "a native one: $case->[1]");
    }
    like($r->{body}, qr/^\{\}$/, 'which its instance answers');

    my %pace = map { ($_->{session} => $_->{pace}) }
               @{sessions($ng)->{sessions}};
    is_deeply($pace{a}, { left => 0, burst => 3, waiting => 0 },
              '/sessions: what is left');
    is(metric($ng, 'wa_gateway_pace_left', 'session="a"'), '0',
       'metrics: what is left');
    is(metric($ng, 'wa_gateway_paced_total', 'reason="number"'), '6',
       'metrics: how many were refused');
    is(metric($ng, 'wa_gateway_paced_total', 'reason="day"'), '0', 'and why');
    is(scalar($ng->logged(qr/no live upstreams/)), 0,
       'it is no error of the instances');

    # over a reload, with another rate, and with a zone of another size
    my $conf = $ng->{upstream};
    ok($ng->reload, 'a reload');
    is(say_of(one($ng, $to[0])), 'paced', 'changes nothing');

    ok($ng->reload(upstream => $conf =~ s/burst=3/burst=3 zone=other:256k/r),
       'another zone');
    is(one($ng, $to[0])->{status}, 200, 'begins anew');
    $ng->clean;
}


# A zone of another size.
{
    $cheap->sessions(0, a => '966500000001');
    $cheap->sessions(1);
    my $ng = paced($cheap, 'number=1/h zone=budgets:64k');
    $cheap->settled($ng, 1);
    is(say_of(one($ng, $to[0])), '966500000001', 'one');

    ok($ng->reload(upstream => $ng->{upstream} =~ s/:64k/:128k/r),
       'a larger zone');
    is(say_of(one($ng, $to[0])), 'paced',
       'knows what was spent');
    $ng->clean;
}


# By recipient, and by day.
{
    $cheap->sessions(0, a => '966500000001', b => '966500000002');
    my $ng = paced($cheap, 'recipient=1/h burst=2');
    $cheap->settled($ng, 2);

    my @r = send_many($ng->port, map { text($_) } ($to[0]) x 5,
                      "+$to[0]", $to[1], "$to[1]\@g.us");
    is(join(' ', map { $_->{json}{success} ? 'sent' : say_of($_) } @r),
       'sent sent sent sent paced paced sent sent',
       'two of each number to a recipient, however it is written');
    is(header($r[4], 'RateLimit-Policy'), '"recipient";q=1;w=3600',
       'the policy');
    is(metric($ng, 'wa_gateway_paced_total', 'reason="recipient"'), '2',
       'counted as such');

    # nothing a client names it by makes a second budget
    my $r = $ng->request('POST', '/native/send?session=a', body => '{}');
    is($r->{status}, 200, 'a native one names no recipient');
    $ng->clean;

    my ($min, $hour) = (localtime(time + 7200))[1, 2];
    $ng = paced($cheap, sprintf 'day=3 day_start=%02d:%02d', $hour, $min);
    $cheap->settled($ng, 2);

    @r = send_many($ng->port, map { text($_) } @to[0 .. 7]);
    is(join(' ', map { $_->{json}{success} ? 'sent' : say_of($_) } @r),
       'sent sent sent sent sent sent paced paced', 'three of each a day');

    my $left = header($r[7], 'Retry-After');
    cmp_ok($left, '<=', 7200, 'until the day begins');
    cmp_ok($left, '>', 7200 - 120, 'which is not before');
    is(header($r[0], 'RateLimit-Policy'), '"day";q=3;w=86400', 'the policy');
    like(header($r[0], 'RateLimit'), qr/^"day";r=2;t=7\d{3}$/,
         'what is left of it');

    my ($s) = @{sessions($ng, 'session=a')->{sessions}};
    is_deeply($s->{pace}, { day => 3, dayLeft => 0 }, '/sessions');
    is(metric($ng, 'wa_gateway_pace_day_left', 'session="a"'), '0', 'metrics');
    $ng->clean;
}


# Given back: what is proven unsent; not what was refused by the server.
{
    my $fake = WaGateway::Vendor->new('waha', wait => 0, key => 'geheim-1',
        sessions => [{ name => 'main', number => '966500000001' }]);
    my $ng = gateway(fakes => [$fake], parameters => 'sessions=100',
        check => 'interval=1h timeout=10s',
        upstream => "wa_gateway_pace number=1/h;\nwa_gateway_passive off;",
        server => <<'END')->start;
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
END
    ok(poll { sessions($ng)->{ready} == 1 }, 'one number, one token');
    my $left = sub { sessions($ng)->{sessions}[0]{pace}{left} };
    my $send = sub { say_of(one($ng, $to[0])) };

    $fake->stop;
    is($send->(), 'bad_gateway', 'the connection is refused');
    is($left->(), 1, 'nothing is spent');
    $fake->start;

    $fake->misbehave(send => 'status:422');
    is($send->(), 'session_down', 'the session is not there, says its server');
    is($left->(), 1, 'nothing is spent');

    $fake->misbehave(send => 'status:500');
    is($send->(), 'unconfirmed', 'nobody knows');
    is($left->(), 0, 'it is spent');
    $ng->clean;
}


# Waiting: in the order of arrival, each at its time.
{
    $cheap->sessions(0, a => '966500000001');
    my $ng = paced($cheap, 'number=2/s wait=10s', workers => 4);
    $cheap->settled($ng, 1);
    $cheap->forget;

    my @sockets;
    for my $i (0 .. 9) {
        push @sockets, start_send($ng, text($to[$i]));
        poll { sessions($ng)->{sessions}[0]{pace}{waiting} >= $i }
            or die "not held\n";
    }

    my @r = map { answer($_) } @sockets;
    my @ledger = $cheap->ledger(10);

    is(join(' ', map { $_->{status} } @r), join(' ', (200) x 10),
       'all of those that wait are sent');
    is(join(' ', map { $_->{to} } @ledger), join(' ', @to[0 .. 9]),
       'in the order in which they came, to four workers');
    cmp_ok($ledger[9]{time} - $ledger[0]{time}, '>', 4.4,
           'none before its time');
    is(metric($ng, 'wa_gateway_held_total', 'upstream="u"'), '9',
       'nine waited');
    is(scalar(grep { !/^POST \S+ 200 "http:\S+" 1 yes$/ }
              grep { /send-message/ } split /\n/, $ng->access), 0,
       'each is one attempt for the log');
    is(scalar($ng->logged(qr/\[(?:error|warn)\]/)), 0, 'and no error');
    $ng->clean;
}


# With jitter they still leave in order, none before its time; native ones wait
# as well.
{
    my $ng = paced($cheap, 'number=4/s wait=10s jitter=200ms', workers => 1);
    $cheap->settled($ng, 1);
    $cheap->forget;

    my @sockets;
    for my $i (0 .. 5) {
        push @sockets, start_send($ng, text($to[$i]));
        poll { sessions($ng)->{sessions}[0]{pace}{waiting} >= $i };
    }

    my $r = $ng->request('POST', '/native/send?session=a', body => '{}');
    is($r->{status}, 200, 'a native one waits, too');
    is($r->{headers}{'ratelimit-policy'}, '"number";q=4;w=1',
       'and is told what is left');
    answer($_) for @sockets;

    my @ledger = $cheap->ledger(7);
    is(join(' ', map { $_->{to} || 'native' } @ledger),
       join(' ', @to[0 .. 5], 'native'), 'jitter: in order');
    cmp_ok($ledger[6]{time} - $ledger[0]{time}, '>', 1.4,
           'none before its time');
    $ng->clean;
}


# Longer than that: refused at once.  A client that leaves loses its place.
{
    my $ng = paced($cheap, 'number=12/m wait=12s', workers => 1);
    $cheap->settled($ng, 1);
    $cheap->forget;

    my @sockets = map {
        my $s = start_send($ng, text($to[$_]));
        my $n = $_;
        poll { sessions($ng)->{sessions}[0]{pace}{waiting} >= $n };
        $s
    } 0 .. 2;
    my ($r) = send_many($ng->port, text($to[3]));

    is(say_of($r), 'paced', 'one that had to wait for too long');
    like(header($r, 'Retry-After'), qr/^1[345]$/,
         'when its turn would be, it is told');

    close $sockets[2];
    ok(poll { sessions($ng)->{sessions}[0]{pace}{waiting} == 1 },
       'the client of the last one leaves');
    my $s = start_send($ng, text($to[4]));
    ok(poll { sessions($ng)->{sessions}[0]{pace}{waiting} == 2 },
       'another has its place');

    is(join(' ', map { answer($_)->{status} } @sockets[0, 1], $s),
       '200 200 200', 'those that stayed are sent');
    is(join(' ', map { $_->{to} } $cheap->ledger(3)),
       join(' ', @to[0, 1, 4]), 'and nothing of the one that left');
    $ng->clean;
}


# The session falls while a message waits for it: another sends, or nobody.
{
    $cheap->sessions(0, a => '966500000001');
    $cheap->sessions(1);
    my $ng = paced($cheap, 'number=20/m wait=20s', workers => 1);
    $cheap->settled($ng, 1);
    send_many($ng->port, text($to[0]));

    my $s = start_send($ng, text($to[1]));
    my $named = start_send($ng, text($to[2], '"session":"a"'));
    ok(poll { sessions($ng)->{sessions}[0]{pace}{waiting} == 2 },
       'two wait for a number');
    $cheap->sessions(0, a => ['966500000001', 'down']);
    $cheap->sessions(1, b => '966500000002');
    $cheap->settled($ng, 1, 2);

    is(say_of(answer($s)), '966500000002',
       'it is chosen for anew when that is down');
    is(say_of(answer($named)), 'session_down', 'but for what was named');
    $ng->clean;
}


# Reload and stop while messages wait: they go.
for my $signal ('HUP', 'QUIT') {
    $cheap->sessions(0, a => '966500000001');
    $cheap->sessions(1);
    my $ng = paced($cheap, 'number=30/m wait=20s');
    $cheap->settled($ng, 1);
    $cheap->forget;
    send_many($ng->port, text($to[0]));

    my @s = map { start_send($ng, text($_)) } @to[1, 2];
    ok(poll { sessions($ng)->{sessions}[0]{pace}{waiting} == 2 }, 'two wait');
    kill $signal, $ng->{pid};

    is(join(' ', map { answer($_)->{status} } @s), '200 200',
       "$signal: they are sent");
    $ng->clean;
    is(scalar(my @three = $cheap->ledger(3)), 3, 'once');
}


# A killed worker takes no budget with it, and leaves none locked.
{
    my $ng = paced($cheap, 'number=1/h burst=4 wait=0');
    $cheap->settled($ng, 1);
    $cheap->forget;
    send_many($ng->port, map { text($_) } @to[0, 1]);

    my %old = map { ($_ => 1) } $ng->worker_pids;
    kill 'KILL', keys %old;
    ok(poll { (grep { !$old{$_} } $ng->worker_pids) == 2 },
       'workers are killed');
    $cheap->settled($ng, 1);

    is(join(' ', map { say_of($_) }
            send_many($ng->port, map { text($_) } @to[0 .. 3])),
       '966500000001 966500000001 paced paced', 'what was spent is spent');
    $ng->stop;
}


# Chats stay with their number: it waits, or is refused.
{
    $cheap->sessions(0, map { ("s$_" => "96650000000$_") } 1 .. 4);
    my $ng = paced($cheap, 'number=1/h', sender => 'chat');
    $cheap->settled($ng, 4);

    my %of;
    push @{$of{say_of($_)}}, 1
        for send_many($ng->port, map { text($_) } @to[0 .. 39]);
    is(join(' ', map { "$_:" . @{$of{$_}} } sort keys %of),
       '966500000001:1 966500000002:1 966500000003:1 966500000004:1 paced:36',
       'one of each, and no chat of one goes to another');
    $ng->clean;
}


# A table that is full of what counts refuses, and lets nothing through: 32
# KB, of which some is nginx's own, for far more than 192 bytes each.
{
    $cheap->sessions(0, a => '966500000001');
    $cheap->sessions(1);
    my $ng = paced($cheap, 'recipient=1/h zone=small:32k', workers => 1);
    $cheap->settled($ng, 1);

    my @many = map { sprintf '96652%07d', $_ } 1 .. 600;
    my @r = send_many($ng->port, map { text($_) } @many);
    my %said;
    $said{$_->{json}{success} ? 'sent' : say_of($_)}++ for @r;

    cmp_ok($said{sent}, '>', (32768 - 3 * 4096) / 192,
           'an entry has 192 bytes at most');
    cmp_ok($said{paced} || 0, '>', 0, 'some found no room');
    is($said{sent} + $said{paced}, 600, 'all others were sent');
    is(metric($ng, 'wa_gateway_paced_total', 'reason="full"'), $said{paced},
       'and are counted as such');
    is(join(' ', grep { $_ ne 'paced' } map { say_of($_) }
            send_many($ng->port, map { text($_) } @many)), '',
       'none is forgotten to make room');
    $ng->clean;

    # idle ones give way
    $ng = paced($cheap, 'recipient=100/s zone=small:32k', workers => 1);
    $cheap->settled($ng, 1);
    @r = map { send_many($ng->port, text($_)) } @many;
    is(scalar(grep { !$_->{json}{success} } @r), 0, 'idle ones make room');
    $ng->clean;
}


# What nginx -t says.
for my $case (
    ['number=20', 'invalid parameter "number=20", it is a rate as 20/m, by s, '
                  . 'm or h'],
    ['number=0/m', 'invalid parameter "number=0/m", it is a rate as 20/m, by '
                   . 's, m or h'],
    ['number=20/d', 'invalid parameter "number=20/d"'],
    ['recipient=x/m', 'invalid parameter "recipient=x/m", it is a rate as '
                      . '10/m, by s, m or h'],
    ['burst=2', '"wa_gateway_pace" directive needs "number=", "recipient=" '
                . 'or "day="'],
    ['number=1/s burst=0', 'invalid parameter "burst=0"'],
    ['day=0', 'invalid parameter "day=0"'],
    ['day=5 day_start=24:00', 'invalid parameter "day_start=24:00", it is a '
                              . 'time as 06:00'],
    ['day=5 day_start=6:00', 'invalid parameter "day_start=6:00"'],
    ['day=5 wait=2h', 'invalid parameter "wait=2h"'],
    ['day=5 zone=x:1k', 'zone "x:1k" is too small'],
    ['day=5 zone=:1m', 'invalid parameter "zone=:1m"'],
    ['day=5 zone=u:1m', 'the shared memory zone "u" is already declared'],
    ['day=5 speed=9', 'invalid parameter "speed=9"'],
    ['day=5; wa_gateway_pace day=6', '"wa_gateway_pace" directive is '
                                     . 'duplicate'],
) {
    my ($status, $said) = WaGateway::Nginx->new(
        upstream => "wa_gateway zone=u:2m;\nserver 127.0.0.1:1;\n"
                    . "wa_gateway_pace $case->[0];")->test;

    ok($status, "$case->[0] is refused");
    like($said, qr/\[emerg\] \S+ \Q$case->[1]\E/, 'and why');
}

done_testing;
