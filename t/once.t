#!/usr/bin/perl

# A message is never sent twice and never lost in silence.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);
use WaGateway::Fake;
use WaGateway::Nginx qw(http send_request read_answer poll slurp);

my @Methods = qw(POST PUT DELETE PATCH GET HEAD);

# What users write who know nginx and want their messages repeated.
my $Repeat = 'proxy_next_upstream error timeout invalid_header http_500
              http_502 http_503 http_504 http_403 http_404 http_429
              non_idempotent;';

my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my $servers = join '', map { 'server ' . $_->name . ";\n" } @fakes;
my $closed = WaGateway::Fake->new(stopped => 1);

my $n = 0;


# A path of its own for each request, by which the ledgers know it.
sub path { return ($_[0] || '/m') . ++$n }


sub seen {
    my ($path) = @_;
    return map { $_->ledger($path) } @fakes, $closed;
}


sub json {
    my ($r) = @_;
    return eval { JSON::PP::decode_json($r->{body}) } || {};
}


# A location where nginx does not wait long.
sub hang {
    return "location /hang { $_[0] proxy_read_timeout 150ms;
                             proxy_pass http://u; }";
}


sub body { return $_[0] =~ /GET|HEAD|DELETE/ ? undef : 'x' x 100 }


# One request: what the client got and how many instances saw it.
sub once {
    my ($ng, $method, $query, $status, $sent, $name, %o) = @_;
    my $path = path($query =~ /fake=hang/ ? '/hang' : '/m');

    $o{body} = body($method) unless exists $o{body};
    my $r = $ng->request($method, $path . ($query ? "?$query" : ''), %o);

    # an instance that is slow may read what was written later than this
    poll { scalar(seen($path)) };

    my $got = $r->{status};
    $got .= ' ' . (json($r)->{sent} || '-') if $method ne 'HEAD';
    my $want = $method ne 'HEAD' ? "$status $sent" : $status;

    is($got . ', seen ' . scalar(seen($path)), "$want, seen 1",
       "$method: $name");

    return $r;
}


# Passive marking is off where it is not the matter: each attempt then meets
# the same three instances.
my $upstream = "wa_gateway; wa_gateway_passive off; $servers";

for my $repeat ('', $Repeat) {
    my $ng = WaGateway::Nginx->start(workers => 2, upstream => $upstream,
        location => $repeat, server => hang($repeat));
    my $how = $repeat ? ', with proxy_next_upstream for all' : '';

    for my $m (@Methods) {
        once($ng, $m, 'fake=reset', 502, 'unknown',
             "reset after the request was written$how");
        once($ng, $m, 'fake=close', 502, 'unknown',
             "closed after the request was written$how");
        once($ng, $m, 'fake=hang', 504, 'unknown',
             "no answer in time$how");
        once($ng, $m, 'fake=garbage', 502, 'unknown',
             "an answer that is no HTTP$how");
        once($ng, $m, 'fake=half_head', 502, 'unknown',
             "a header cut short$how");

        for my $status (500, 502, 503, 504, 403, 404, 429) {
            my $path = path();
            my $r = $ng->request($m, "$path?fake=status:$status",
                                 body => body($m));
            is("$r->{status} " . scalar(seen($path)) . ' '
               . (json($r)->{path} || ''), "$status 1 "
               . ($m eq 'HEAD' ? '' : "$path?fake=status:$status"),
               "$m: an answer with status $status passes, once$how");
        }

        next if $m eq 'HEAD';

        for my $mode (qw(half reset_answer chunked_half)) {
            my $path = path();
            my $r = $ng->request($m, "$path?fake=$mode", body => body($m));
            is("$r->{status} " . ($r->{whole} ? 'whole' : 'cut') . ' '
               . scalar(seen($path)), '200 cut 1',
               "$m: a body cut short ($mode) stays so for the client$how");
        }
    }

    $ng->clean;
}


# What was not written goes to another instance.
{
    my $down = WaGateway::Fake->new(stopped => 1);
    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server ' . $closed->name . '; server '
        . $down->name . '; server ' . $fakes[0]->name . ';');

    for my $m (@Methods) {
        for (1 .. 3) {
            my $path = path();
            my $r = $ng->request($m, $path, body => body($m));
            is("$r->{status} " . scalar(seen($path)), '200 1',
               "$m: two refused connects, the third instance takes it");
        }
    }

    like($ng->access, qr/ 3 yes$/m, 'three attempts are logged');
    $ng->clean;
}

{
    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server ' . $closed->name . '; server '
        . '127.0.0.1:' . WaGateway::Fake::free_port() . ';');

    for my $m (@Methods) {
        my $r = $ng->request($m, path(), body => body($m));
        is($r->{status}, 502, "$m: refused by all is 502");
        is(json($r)->{sent}, 'no', "$m: and nothing was sent")
            if $m ne 'HEAD';
        is($r->{headers}{'x-wa-attempts'}, 2, "$m: each was asked once");
    }

    $ng->clean;
}

{
    my $ng = WaGateway::Nginx->start(upstream =>
        'wa_gateway; server ' . $closed->name . ';');

    is($ng->request('POST', path(), body => 'x')->{status}, 502,
       'the refused connect itself is 502');

    for my $m (@Methods) {
        my $r = $ng->request($m, path(), body => body($m));
        is($r->{status}, 503, "$m: none available is 503");
        like($r->{headers}{'retry-after'} || '', qr/^[1-9]\d*$/,
             "$m: Retry-After is a number of seconds");
        next if $m eq 'HEAD';
        is(json($r)->{code}, 'no_instances', "$m: no_instances");
        is(json($r)->{sent}, 'no', "$m: nothing was sent");
    }

    $ng->clean;
}


# A reset or a timeout before a byte was written: the connection was there.
{
    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server ' . $closed->name . '; server '
        . $fakes[0]->name . ';');

    for my $mode (qw(reset_accept reset_read)) {
        $fakes[0]->mode($mode);

        for my $m (@Methods) {
            my $path = path();
            my $r = $ng->request($m, $path, body => body($m));
            is("$r->{status} " . scalar(seen($path)), '502 0',
               "$m: $mode, nobody saw it, 502");
        }
    }

    $fakes[0]->mode('json');
    $ng->clean;
}

# Where nothing answers the SYN: the queue of a listener is full.
SKIP: {
    my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                     ReuseAddr => 1,
                                     LocalPort => WaGateway::Fake::free_port())
        or die "listen: $!\n";
    my @fill;

    my $stuck = poll {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 0.3,
                                      PeerPort => $full->sockport);
        push @fill, $s if $s;
        !$s;
    };

    skip 'no connect timeout can be made here', 1 unless $stuck;

    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server 127.0.0.1:' . $full->sockport
        . '; server ' . $fakes[0]->name . ';',
        location => 'proxy_connect_timeout 120ms;');

    for my $m (@Methods) {
        for (1 .. 2) {
            my $path = path();
            my $r = $ng->request($m, $path, body => body($m));
            is("$r->{status} " . scalar(seen($path)), '200 1',
               "$m: a connect that timed out fails over");
        }
    }

    $ng->clean;

    $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server 127.0.0.1:' . $full->sockport . ';',
        location => 'proxy_connect_timeout 120ms;');

    my $r = $ng->request('POST', path(), body => 'x');
    is("$r->{status} " . json($r)->{sent}, '504 no',
       'connect timeouts everywhere: 504, nothing was sent');

    $ng->clean;
}


# proxy_next_upstream_tries and off.
{
    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; '
        . 'wa_gateway_passive off; server ' . $closed->name . '; server '
        . $fakes[0]->name . ';', location => 'proxy_next_upstream off;');

    my %status;
    $status{$ng->request('POST', path(), body => 'x')->{status}}++ for 1 .. 4;
    is_deeply(\%status, { 200 => 2, 502 => 2 },
              'proxy_next_upstream off forbids even the failover');
    $ng->clean;
}


# A message that was written does not go to a second instance by way of
# nginx's own redirects either; one that was not, does.
{
    my $other = WaGateway::Fake->new;
    push @fakes, $other;

    my $here = 'wa_gateway_passive off; server ' . $fakes[0]->name . ';';
    my $there = 'wa_gateway_passive off; server ' . $other->name . ';';

    my $ng = WaGateway::Nginx->start(
        upstream => "wa_gateway; $here",
        http => "upstream other { wa_gateway; $there }
                 upstream repeat { wa_gateway retry=idempotent; $there }
                 upstream gone { wa_gateway; wa_gateway_passive off;
                                 server " . $closed->name . '; }',
        server => '
            recursive_error_pages on;
            location /m { error_page 502 504 = @other; proxy_pass http://u;
                          proxy_read_timeout 150ms; }
            location /uri { error_page 502 504 /other; proxy_pass http://u; }
            location /status5 { error_page 500 503 = @other;
                                proxy_intercept_errors on;
                                proxy_pass http://u; }
            location /accel { proxy_pass http://u; }
            location /twice { error_page 502 504 = @chain;
                              proxy_pass http://u; }
            location @chain { error_page 502 = @other;
                              proxy_pass http://other; }
            location /repeat { error_page 502 504 = @repeat;
                               proxy_pass http://u; }
            location /gone { error_page 502 = @other; proxy_pass http://gone; }
            location /foreign { error_page 502 504 = @other;
                                proxy_pass http://' . $fakes[0]->name . '; }
            location /refused { error_page 502 504 = @other;
                                proxy_pass http://' . $closed->name . '; }
            location @other { proxy_pass http://other; }
            location @repeat { proxy_pass http://repeat; }
            location = /other { proxy_pass http://other; }');

    for my $case (['m', 'reset', 502], ['m', 'hang', 504],
                  ['m', 'close', 502], ['uri', 'reset', 502],
                  ['status5', 'status:503', 502], ['twice', 'reset', 502],
                  ['repeat', 'reset', 502], ['foreign', 'reset', 502])
    {
        my ($where, $mode, $status) = @$case;
        my $path = path("/$where/");
        my $r = $ng->request('POST', "$path?fake=$mode", body => 'x');

        is("$r->{status} " . (json($r)->{sent} || '-') . ' seen '
           . seen($path) . ' ' . $other->ledger('/other'),
           "$status unknown seen 1 0",
           "/$where: after $mode error_page sends it nowhere else");
    }

    $fakes[0]->answer("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /other\r\n"
                      . "Content-Length: 0\r\n\r\n");
    my $path = path('/accel');
    my $r = $ng->request('POST', "$path?fake=raw", body => 'x');
    is("$r->{status} " . json($r)->{sent} . ' seen ' . seen($path) . ' '
       . $other->ledger('/other'), '502 unknown seen 1 0',
       'X-Accel-Redirect of an instance sends it nowhere else');

    $path = path('/repeat');
    $r = $ng->request('GET', "$path?fake=reset");
    is(scalar(seen($path)), 2, 'what may be repeated is');

    for my $where ('gone', 'refused') {
        $path = path("/$where");
        $r = $ng->request('POST', $path, body => 'x');
        is("$r->{status} seen " . seen($path), '200 seen 1',
           "/$where: what was not written yet is sent");
    }

    cmp_ok(scalar($ng->logged('the request was written before')), '>=', 9,
           'and the log tells');
    $ng->clean;
    pop(@fakes)->finish;
}


# retry=idempotent
{
    my $ng = WaGateway::Nginx->start(upstream => 'wa_gateway '
        . "retry=idempotent; wa_gateway_passive off; $servers",
        location => $Repeat, server => hang($Repeat));

    for my $m (qw(GET HEAD OPTIONS)) {
        my $path = path();
        my $r = $ng->request($m, "$path?fake=reset");
        is("$r->{status} " . scalar(seen($path)), '502 3',
           "$m: retry=idempotent asks each instance after a reset");

        $path = path();
        $r = $ng->request($m, "$path?fake=status:503");
        is("$r->{status} " . scalar(seen($path)), '503 3',
           "$m: retry=idempotent repeats the statuses one asks for");

        $fakes[0]->mode('reset');
        $path = path();
        my %status;
        $status{$ng->request($m, $path)->{status}}++ for 1 .. 6;
        is_deeply(\%status, { 200 => 6 },
                  "$m: retry=idempotent hides a reset");
        $fakes[0]->mode('json');
    }

    for my $m (qw(POST PUT PATCH DELETE)) {
        once($ng, $m, 'fake=reset', 502, 'unknown',
             'retry=idempotent never repeats it after a reset');
        once($ng, $m, 'fake=hang', 504, 'unknown',
             'retry=idempotent never repeats it after a timeout');
        once($ng, $m, 'fake=status:503', 503, '-',
             'retry=idempotent never repeats it after a 503');
    }

    $ng->clean;
}


# Large bodies, buffered and not, cut in the middle.
for my $buffering ('on', 'off') {
    my $ng = WaGateway::Nginx->start(workers => 2, upstream => $upstream,
        location => "$Repeat proxy_http_version 1.1;
                     proxy_request_buffering $buffering;");

    my $big = 'x' x (5 << 20);

    once($ng, $_, 'fake=reset_body:1000000', 502, 'unknown',
         "5 MB cut by a reset, request buffering $buffering", body => $big)
        for qw(POST PUT PATCH);

    once($ng, 'POST', 'fake=reset', 502, 'unknown',
         "5 MB read, then a reset, request buffering $buffering",
         body => $big);

    my $chunked = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                           unpack '(a100000)*', 'y' x 300_000;

    once($ng, 'POST', 'fake=reset', 502, 'unknown',
         "a chunked body, request buffering $buffering",
         headers => ['Transfer-Encoding: chunked'],
         body => "${chunked}0\r\n\r\n");

    $ng->clean;

    # Refused connects with a body that was not read yet, or was already.
    $ng = WaGateway::Nginx->start(upstream => 'wa_gateway; wa_gateway_passive '
        . 'off; server ' . $closed->name . '; server ' . $fakes[0]->name . ';',
        location => "proxy_http_version 1.1;
                     proxy_request_buffering $buffering;");

    for (1 .. 4) {
        my $path = path();
        my $body = join '', map { chr(32 + $_ * 7 % 90) } 1 .. 700_000;
        my $r = $ng->request('POST', $path, body => $body);
        my @seen = seen($path);

        is("$r->{status} " . @seen . ' '
           . (@seen ? "$seen[0]{length} $seen[0]{digest}" : ''),
           '200 1 700000 ' . Digest::MD5::md5_hex($body),
           "a large body after a refused connect, request buffering "
           . $buffering);
    }

    $ng->clean;
}


# Kept connections.
{
    my $ng = WaGateway::Nginx->start(
        upstream => 'wa_gateway; wa_gateway_passive off; server '
                    . $fakes[0]->name . '; keepalive 8;',
        location => "$Repeat proxy_http_version 1.1;
                     proxy_set_header Connection '';");

    my $r = $ng->request('POST', path(), body => 'x');
    $r = $ng->request('POST', path(), body => 'x');
    is(($fakes[0]->ledger)[-1]{nth}, 2, 'the connection was kept');
    $fakes[0]->close_idle;

    for my $m (@Methods) {
        $ng->request('GET', path());
        once($ng, $m, 'fake=reset_second', 502, 'unknown',
             'a kept connection reset after the request was written');
    }

    # closed by the instance behind nginx's back, again and again
    $fakes[0]->mode('keep:1');

    my %status;
    my @paths = map { path() } 1 .. 200;
    $status{$ng->request('POST', $_, body => 'x')->{status}}++ for @paths;

    my %seen;
    $seen{$_->{path}}++ for $fakes[0]->ledger;
    is($status{200} || 0, scalar(grep { $seen{$_} } @paths),
       'what was answered 200 was seen, the rest was not');
    is(scalar(grep { $_ > 1 } @seen{grep { $seen{$_} } @paths}), 0,
       'none was seen twice');
    cmp_ok($status{200} || 0, '>=', 100, 'few meet the closing');
    $fakes[0]->mode('json');

    # The worker sees the request before it sees that the kept connection
    # is gone: nothing can be written, and nothing is lost.
    my ($worker) = $ng->worker_pids;

    for my $m (@Methods) {
        my $client = http($ng->port, 'GET', path(), keep => 1)->{socket};
        my $path = path();

        kill 'STOP', $worker;
        send_request($ng->port, $m, $path, body => body($m),
                     socket => $client);
        ok($fakes[0]->close_idle(1), 'closed with a reset');
        kill 'CONT', $worker;

        my $r = read_answer($client, $m, socket => 1);

        is("$r->{status} " . scalar(seen($path)), '200 1',
           "$m: a kept connection reset before the write costs nothing");
    }

    # Closed, not reset: the write succeeds and the answer is a reset.  Who
    # can know; it is not repeated.
    for my $m (@Methods) {
        my $client = http($ng->port, 'GET', path(), keep => 1)->{socket};
        my $path = path();

        kill 'STOP', $worker;
        send_request($ng->port, $m, $path, body => body($m),
                     socket => $client);
        ok($fakes[0]->close_idle(0), 'closed');
        kill 'CONT', $worker;

        my $r = read_answer($client, $m, socket => 1);
        my $seen = seen($path);

        ok($r->{status} == 200 && $seen == 1
           || $r->{status} == 502 && $seen == 0
              && ($m eq 'HEAD' || json($r)->{sent} eq 'unknown'),
           "$m: a kept connection closed before the write: sent, or unknown")
            or diag("$r->{status} $seen");
    }

    $ng->clean;
}


# Over TLS.
SKIP: {
    my $dir = File::Temp::tempdir('wa-once-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    skip 'no openssl here', 1 if system(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout '$dir/key.pem' "
        . "-out '$dir/cert.pem' -days 2 -subj /CN=wa.test >/dev/null 2>&1");

    my $hang = WaGateway::Fake->new(mode => 'hang')->name;
    my ($p1, $p2) = map { WaGateway::Fake::free_port() } 1 .. 2;

    # An instance that speaks TLS: 444 closes without an answer.
    my $tls = join '', map { <<"END" } $p1, $p2;
        server {
            listen 127.0.0.1:$_ ssl;
            ssl_certificate $dir/cert.pem;
            ssl_certificate_key $dir/key.pem;
            access_log $dir/tls.log test;
            location / { return 200 "ok"; }
            location /close { return 444; }
            location /hang { proxy_pass http://$hang; }
        }
END

    my $count = sub {
        my ($path) = @_;
        return scalar grep { m{^\S+ \Q$path\E } } split /\n/,
                           slurp("$dir/tls.log");
    };

    my $ng = WaGateway::Nginx->start(workers => 2, http => $tls,
        scheme => 'https', location => $Repeat,
        server => "location /hang { $Repeat proxy_read_timeout 250ms;
                                    proxy_pass https://u; }",
        upstream => "wa_gateway; wa_gateway_passive off;
                     server 127.0.0.1:$p1; server 127.0.0.1:$p2;");

    for my $m (@Methods) {
        my $path = '/close' . path();
        my $r = $ng->request($m, $path, body => body($m));
        poll { $count->($path) };
        is("$r->{status} " . $count->($path), '502 1',
           "$m: TLS, closed after the request was written");

        $path = '/hang' . path();
        $r = $ng->request($m, $path, body => body($m));
        poll { $count->($path) };
        is("$r->{status} " . $count->($path), '504 1',
           "$m: TLS, no answer in time");
    }

    $ng->clean;

    # A port that is closed, one that does not speak TLS, and a good one.
    $ng = WaGateway::Nginx->start(http => $tls, scheme => 'https',
        upstream => 'wa_gateway; wa_gateway_passive off; server '
        . $closed->name . '; server ' . $fakes[1]->name
        . "; server 127.0.0.1:$p1;");

    $fakes[1]->mode('plain');

    for my $m (@Methods) {
        for (1 .. 3) {
            my $path = path();
            my $r = $ng->request($m, $path, body => body($m));
            poll { $count->($path) };
            is("$r->{status} " . $count->($path), '200 1',
               "$m: TLS, refused and failed handshakes fail over");
        }
    }

    $fakes[1]->mode('json');
    $ng->clean;
}

done_testing;
