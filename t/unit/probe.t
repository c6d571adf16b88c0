#!/usr/bin/perl

# The probe: checks of servers that behave oddly.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes qw(sleep time);

use Probe;
use WaGateway::Late;

my $ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";


# The lines of a run up to its end.

sub check {
    my ($params, %opt) = @_;

    my $nginx = nginx("wa_gateway_unit_probe name=a $params;", %opt);
    my @lines;

    while (1) {
        my $line = $nginx->line($opt{deadline});
        last if !defined $line || $line eq 'end';
        push @lines, $line;
        last if $line eq 'deadline';
    }

    my $log = $nginx->log();
    unlike($log, qr/\[(alert|crit|error|emerg)\]/, "$params: the log is quiet")
        if !$opt{noisy};

    return join '; ', @lines;
}


sub answers {
    my ($text) = @_;

    my $port = server(sub {
        my ($s) = @_;

        request($s);
        syswrite $s, $text;
    });

    return check("addr=127.0.0.1:$port");
}


# The request and the simplest answers.

my ($port, $says) = server(sub {
    my ($s, $n, $say) = @_;

    while (defined(my $text = request($s))) {
        $text =~ s/\r\n/|/g;
        syswrite $say, "$n $text\n";
        syswrite $s, $ok;
    }

    syswrite $say, "$n closed\n";
});

is(check("addr=127.0.0.1:$port"), 'a ok 200 hi', 'an answer');
is($says->line(), '1 GET /health HTTP/1.1|Host: example.com|User-Agent: unit|'
   . 'Accept: */*|Connection: close||', 'the request');
is($says->line(), '1 closed', 'without keepalive the connection is closed');

is(check("addr=127.0.0.1:$port keepalive=on times=3"),
   'a ok 200 hi; a ok 200 hi; a ok 200 hi', 'three checks');
like($says->line(), qr/^2 GET.*Connection: keep-alive\|\|$/, 'first request');
like($says->line(), qr/^2 GET/, 'second request, on the same connection');
like($says->line(), qr/^2 GET/, 'third request, on the same connection');
is($says->line(), '2 closed', 'then it is closed');

is(answers("HTTP/1.1 200 OK\r\n\r\nbye"), 'a ok 200 bye', 'close-delimited');
is(answers("HTTP/1.0 503 No\r\n\r\n"), 'a ok 503 ', 'a status is an answer');
is(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           . "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), 'a ok 200 abc', 'chunked');
is(answers("HTTP/1.1 100 Continue\r\n\r\n$ok"), 'a ok 200 hi', '100 first');
is(answers("SSH-2.0-OpenSSH_9.2\r\n"), 'a declined invalid answer: no HTTP',
   'garbage');
is(answers("HTTP/1.1 200 OK\r\nContent-Le"),
   'a declined invalid answer: closed in header', 'half a header');
is(answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"),
   'a declined invalid answer: closed in body', 'half a body');
is(answers(''), 'a declined closed before answer', 'no answer');
like(answers("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n"
             . 'x' x 4000000), qr/^a ok 200 cut x+$/,
     'a huge body is not read to its end');

$port = server(sub {
    my ($s) = @_;

    request($s);

    for my $byte (split //, $ok) {
        syswrite $s, $byte;
        select undef, undef, undef, 0.005;
    }
});

is(check("addr=127.0.0.1:$port"), 'a ok 200 hi', 'byte by byte');

$port = server(sub {
    my ($s) = @_;

    request($s);
    syswrite $s, "HTTP/1.1 204 None\r\nContent-Length: 3\r\n\r\n";
});

is(check("addr=127.0.0.1:$port head=on"), 'a ok 204 ', 'HEAD');


# Addresses.

my $closed = port();

is(check("addr=127.0.0.1:$closed"), 'a declined connect ECONNREFUSED',
   'refused');

$port = server(sub { request($_[0]); syswrite $_[0], $ok });

is(check("addr=127.0.0.1:$closed,127.0.0.1:$port"), 'a ok 200 hi',
   'the second address of a name, when the first one refuses');
is(check("addr=127.0.0.1:$closed,127.0.0.2:$closed"),
   'a declined connect ECONNREFUSED', 'both refuse');
is(check("addr=127.0.0.1:$closed,127.0.0.1:$port times=3"),
   'a ok 200 hi; a ok 200 hi; a ok 200 hi', 'each check begins anew');

my $bad = server(sub { request($_[0]) });

is(check("addr=127.0.0.1:$closed,127.0.0.1:$bad"),
   'a declined closed before answer', 'the reason is of who was connected');

my $path = "/tmp/unit-probe-$$.sock";

server(sub { request($_[0]); syswrite $_[0], $ok }, path => $path);
chmod 0777, $path;

is(check("addr=unix:$path"), 'a ok 200 hi', 'a unix socket');
is(check("addr=unix:$path.none"), 'a declined connect ENOENT',
   'no such unix socket');
unlink $path;

SKIP: {
    skip 'no IPv6 here', 1
        if !-e '/proc/net/if_inet6' || -z '/proc/net/if_inet6';

    is(check("addr=[::1]:$closed"), 'a declined connect ECONNREFUSED',
       'IPv6');
}


# Time.

$port = server(sub { request($_[0]); sleep 30 });

my ($start, $late) = (time(), lateness());
is(check("addr=127.0.0.1:$port timeout=300"), 'a declined timeout', 'a hang');
my $took = time() - $start;
cmp_ok($took, '>', 0.29, 'not before the timeout');
soon($took, 3, $late, 'but after it');

is(check("addr=127.0.0.1:$port timeout=100 times=3"),
   'a declined timeout; a declined timeout; a declined timeout',
   'a hang each time');

$port = server(sub {
    request($_[0]);
    syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";

    for (1 .. 300) {
        syswrite $_[0], 'x';
        select undef, undef, undef, 0.05;
    }
});

is(check("addr=127.0.0.1:$port timeout=300"), 'a declined timeout',
   'the timeout is for the whole answer');

{
    # a full backlog: the kernel drops what knocks

    my $full = port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       LocalPort => $full, Listen => 1,
                                       ReuseAddr => 1);
    my @knock = map { IO::Socket::INET->new(Proto => 'tcp', Blocking => 0) }
                1 .. 4;

    connect $_, Socket::pack_sockaddr_in($full, Socket::inet_aton('127.0.0.1'))
        for @knock;

    is(check("addr=127.0.0.1:$full timeout=300"), 'a declined timeout',
       'a connect that hangs');

    $port = server(sub { request($_[0]); syswrite $_[0], $ok });

    is(check("addr=127.0.0.1:$full,127.0.0.1:$port timeout=4000"),
       'a ok 200 hi', 'it leaves time to the next address');
    is(check("addr=127.0.0.1:$full,127.0.0.1:$closed timeout=600"),
       'a declined timeout', 'the first address gives the reason');
}


# Connections that break.

$port = server(sub { request($_[0]); reset_by($_[0]) });
is(check("addr=127.0.0.1:$port"), 'a declined reset', 'reset after a request');

$port = server(sub {
    request($_[0]);
    syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nx";
    reset_by($_[0]);
});
is(check("addr=127.0.0.1:$port"), 'a declined reset', 'reset in the answer');

for my $how ('close', 'reset') {
    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $s, $ok;
        request($s);
        syswrite $say, "$n stale\n";
        reset_by($s) if $how eq 'reset';
    });

    is(check("addr=127.0.0.1:$port keepalive=on times=2 gap=50"),
       'a ok 200 hi; a ok 200 hi', "a kept connection that is stale: $how");
    is($says->line(), '1 stale', 'it got the request first');
}

$port = server(sub {
    my ($s, $n, $say) = @_;

    request($s);
    return if $n > 1;
    syswrite $s, $ok;
    request($s);
});

is(check("addr=127.0.0.1:$port keepalive=on times=2 gap=50"),
   'a ok 200 hi; a declined closed before answer',
   'a stale connection is replaced once');

$port = server(sub {
    my ($s, $n) = @_;

    request($s);
    syswrite $s, $ok;
    request($s);
    syswrite $s, 'HTTP';
});

is(check("addr=127.0.0.1:$port keepalive=on times=2 gap=50"),
   'a ok 200 hi; a declined invalid answer: closed in header',
   'a kept connection that has begun to answer is not stale');

$port = server(sub {
    my ($s, $n) = @_;

    request($s);
    syswrite $s, $ok;
    request($s);
    syswrite $s, 'HTTP';
    reset_by($s);
});

is(check("addr=127.0.0.1:$port keepalive=on times=2 gap=50"),
   'a ok 200 hi; a declined reset',
   'nor is one that is reset after it');

$port = server(sub {
    my ($s, $n) = @_;

    request($s);
    syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n$n";
    select undef, undef, undef, 0.02;
    syswrite $s, "HTTP/1.1 408 Late\r\nConnection: close\r\n\r\n";
    request($s);
});

is(check("addr=127.0.0.1:$port keepalive=on times=3 gap=1000"),
   'a ok 200 1; a ok 200 2; a ok 200 3',
   'what nobody asked for ends a kept connection');

{
    # a worker that was stopped may see its timer before the event

    my $stopped = "/tmp/unit-probe-$$.stopped";

    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n$n";
        return if $n > 1;

        sleep 0.01 until -e $stopped;
        syswrite $s, "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n";
        syswrite $say, "sent\n";
        request($s);
    });

    my $nginx = nginx("wa_gateway_unit_probe name=a addr=127.0.0.1:$port "
                      . "keepalive=on times=2 gap=2000;");

    is($nginx->line(), 'a ok 200 1', 'a check');
    kill 'STOP', $nginx->worker();

    open my $fh, '>', $stopped or die "$stopped: $!";
    is($says->line(), 'sent', 'an answer nobody asked for');
    unlink $stopped;
    sleep 2.1;
    kill 'CONT', $nginx->worker();

    is($nginx->line(), 'a ok 200 2', 'it is not taken for the next one');
}

$port = server(sub {
    my ($s, $n) = @_;

    while (request($s)) {
        syswrite $s, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                     . "Content-Length: 1\r\n\r\n$n";
    }
});

is(check("addr=127.0.0.1:$port keepalive=on times=2 gap=10"),
   'a ok 200 1; a ok 200 2', 'Connection: close is obeyed');

{
    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);

        my $start = time();
        syswrite $s, $ok;
        request($s);
        syswrite $say, time() - $start . "\n";
    });

    my $late = lateness();

    my $nginx = nginx("wa_gateway_unit_probe name=a addr=127.0.0.1:$port "
                      . "keepalive=on times=2 gap=20000;");

    is($nginx->line(), 'a ok 200 hi', 'a check');

    my $idle = $says->line();
    cmp_ok($idle, '>', 3.98, 'an idle connection is closed after 4 s');
    soon($idle, 4.9, $late, 'and not later');
}


# Cancel.

{
    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $s, $ok if $n > 1;
        syswrite $say, "$n asked\n";
        request($s);
        syswrite $say, "$n closed\n";
    });

    is(check("addr=127.0.0.1:$port keepalive=on cancel=2000 times=2"),
       'a cancelled; a ok 200 hi; a cancelled',
       'a cancelled check is silent, its probe still works');
    is($says->line(), '1 asked', 'it was running');
    is($says->line(), '1 closed', 'its connection is closed');
    is($says->line(), '2 asked', 'a second check');
    is($says->line(), '2 closed', 'its kept connection is closed');
}


# Faults of our own.

$port = server(sub { request($_[0]); syswrite $_[0], $ok });

is(check("addr=127.0.0.1:$port nofile=1", noisy => 1),
   'a error no descriptor, memory or connection', 'no descriptor left');
is(check("addr=127.0.0.1:$closed,127.0.0.1:$port nofile=1", noisy => 1),
   'a error no descriptor, memory or connection',
   'no descriptor left, two addresses');
is(check("addr=127.0.0.1:$port", noisy => 1,
         events => 'worker_connections 2;',
         http => 'server { listen 127.0.0.1:' . port() . '; }'),
   'a error no descriptor, memory or connection',
   'no worker connection left');


# A worker that is stopped.

for my $case ('while waiting', 'and late') {
    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $say, "asked\n";
        select undef, undef, undef, 0.5;
        syswrite $s, $ok;
        syswrite $say, "answered\n";
        sleep 10;
    });

    my $nginx = nginx("wa_gateway_unit_probe name=a addr=127.0.0.1:$port "
                      . "timeout=1000;");

    is($says->line(), 'asked', 'the worker waits for an answer');
    kill 'STOP', $nginx->worker();

    is($says->line(), 'answered', 'the answer comes while it is stopped');
    select undef, undef, undef, $case eq 'and late' ? 2 : 0.6;
    kill 'CONT', $nginx->worker();

    is($nginx->line(), 'a ok 200 hi', "a stopped worker: $case");
}

for my $case (0.4, 2.5) {
    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $say, "asked\n";
        sleep 30;
    });

    my $nginx = nginx("wa_gateway_unit_probe name=a addr=127.0.0.1:$port "
                      . "timeout=1000;");

    is($says->line(), 'asked', 'the worker waits for an answer');

    kill 'STOP', $nginx->worker();
    select undef, undef, undef, $case;
    kill 'CONT', $nginx->worker();

    is($nginx->line(), 'a declined timeout',
       "a worker stopped for $case s: a hang is still a timeout");
}

{
    # the lost time does not count: 1 s is left of the timeout, the answer
    # takes 1.4 s more, but 4 s were not ours

    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        request($s);
        syswrite $say, "asked\n";
        sleep 5.4;
        syswrite $s, $ok;
        sleep 10;
    });

    my $nginx = nginx("wa_gateway_unit_probe name=a addr=127.0.0.1:$port "
                      . "timeout=5000;");

    is($says->line(), 'asked', 'the worker waits for an answer');

    kill 'STOP', $nginx->worker();
    sleep 4;
    kill 'CONT', $nginx->worker();

    is($nginx->line(), 'a ok 200 hi', 'lost time is added to the timeout');
}


# The end of a worker.

$port = server(sub { request($_[0]); sleep 300 });

for my $case (["addr=127.0.0.1:$port timeout=3600000", 'a check that waits', 0],
              ["addr=127.0.0.1:$port ssl_name=x timeout=3600000",
               'a handshake that waits', 0],
              [undef, 'a kept connection', 1])
{
    my ($params, $name, $first) = @$case;

    ($port, $says) = server(sub {
        my ($s, $n, $say) = @_;

        sysread $s, my $buf, 1;
        syswrite $say, "asked\n";
        syswrite $s, $ok if $first;
        sysread $s, $buf, 4096;
        sysread $s, $buf, 4096;
        sleep 300 if !$first;
    });

    $params = "addr=127.0.0.1:$port keepalive=on times=2 gap=3600000"
        if !defined $params;
    $params =~ s/:\d+/:$port/;

    my $nginx = nginx("wa_gateway_unit_probe name=a $params;");

    is($says->line(), 'asked', "$name: begun");
    is($nginx->line(), 'a ok 200 hi', "$name: kept") if $first;

    my $late = lateness();
    soon($nginx->stop('QUIT'), 2, $late, "$name: the worker exits at once");

    is($nginx->line(), 'a error worker is exiting', "$name: told so")
        if !$first;
    unlike($nginx->log(), qr/\[(alert|crit|error)\]|open socket/,
           "$name: nothing is left open");
}


# No growth: this nginx answers itself.  A sanitizer keeps what was freed.

{
    my $self = port();
    my $refused = port();

    my $nginx = nginx(
        "wa_gateway_unit_probe name=a addr=127.0.0.1:$self times=20001 "
        . "quiet=5000 keepalive=on;"
        . "wa_gateway_unit_probe name=b addr=127.0.0.1:$self times=8001 "
        . "quiet=2000;"
        . "wa_gateway_unit_probe name=c addr=127.0.0.1:$self times=1 gap=1;",
        http => "server { listen 127.0.0.1:$self; keepalive_requests 1000; "
                . "location / { return 200 hi; } }",
        events => 'worker_connections 64;');

    my ($before, $after);

    for my $name ('a', 'b') {
        for my $i (0 .. 4) {
            is($nginx->line(600), "$name ok 200 hi", "many checks: $name $i");
            $before = resident($nginx->worker()) if $i == 1;
        }

        $after = resident($nginx->worker());

        # malloc() takes 132 KB at a time; what a check leaks comes 6,000 times
        my $most = $ENV{WA_GATEWAY_TEST_SANITIZE} ? 4096 : 256;
        ok($after - $before < $most, "$name: no growth")
            or diag "from $before KB to $after KB";
    }

    is($nginx->line(), 'c ok 200 hi', 'many checks: one more');
    is($nginx->line(), 'end', 'many checks: the end');

    my @fds = glob('/proc/' . $nginx->worker() . '/fd/*');
    ok(@fds < 20, 'no descriptors are left') or diag scalar @fds;
}


sub resident {
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/status" or return 0;

    while (<$fh>) {
        return $1 if /^VmRSS:\s+(\d+)/;
    }

    return 0;
}


done_testing();
