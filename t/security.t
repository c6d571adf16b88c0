#!/usr/bin/perl

# What comes through the gateway that bin/wa-gateway runs, and what does not:
# requests that two servers could read in two ways, headers of others, hostile
# texts in logs, slow clients, secrets in files.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Find ();
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Launcher;
use WaGateway::Nginx;

plan skip_all => 'the module is not built'
    unless -f root() . '/build/ngx_http_wa_gateway_module.so';

my $dir = checkout();
my $command = "$dir/bin/wa-gateway";
my $run = "$dir/run";
my $port = WaGateway::Launcher::free_port();
my @fakes = map { WaGateway::Fake->new } 1, 2;
my @key = ('X-Api-Key: sesame');

# Its own limits are too long to wait for.
my $template = "$dir/conf/wa_gateway.conf.template";
my $text = read_file($template);
ok($text =~ s/(client_header_timeout) 10s;/$1 5s;/
   && $text =~ s/(client_body_timeout) 30s;/$1 5s;/, 'slow clients have limits');
write_file($template, $text);

write_file("$dir/keys", "sesame\n");
write_file("$dir/.env", "PORT=$port\nGATEWAY_LANG=en\nAPI_KEY_FILE=keys\n"
           . 'INSTANCES=' . join(',', map { 'http://' . $_->name } @fakes) . "\n");

umask 0;
my $gw = launch({ TRUSTED_PROXIES => '127.0.0.2', HEALTH_CHECK_INTERVAL => 86400000,
                  HEALTH_CHECK_HEADER => 'X-Check: hush-check' }, $command, 'run');
ok($gw->says(qr/^WhatsApp gateway on/m), 'run starts') or diag $gw->output;
until_true { 2 == grep { $_->count } @fakes };

# The requests that came since the last call, checks left out.
sub arrived {
    my @all = grep { $_->{path} ne '/health' } map { $_->ledger } @fakes;
    $_->forget for @fakes;
    return @all;
}

# The bytes as they are; the whole answer.
sub raw {
    my ($bytes, $from) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
                                  LocalAddr => $from || '127.0.0.1') or die;
    my $answer = '';
    my $start = time;

    syswrite $s, $bytes;

    # one that is kept is quiet for a time in which ten answers would come
    my $quiet = 60;

    while (IO::Select->new($s)->can_read($quiet)) {
        sysread $s, $answer, 65536, length $answer or last;
        $quiet = 0.5 + 10 * (time - $start) if $quiet == 60;
    }

    return $answer;
}

sub codes { return join ' ', $_[0] =~ /^HTTP\/1\.1 (\d{3}) /mg }


# Requests that can be read in two ways: what the client is told, and what
# comes to the instances.

my $chunked = "Transfer-Encoding: chunked\r\n";
my $hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n";

sub smuggles {
    my ($title, $head, $body, $codes, @want) = @_;

    $head = "POST /x HTTP/1.1\r\n$head" unless $head =~ m{^[^\r\n]* HTTP/};
    arrived();

    my $answer = raw("$head$key[0]\r\nHost: h\r\nConnection: close\r\n\r\n$body");
    like(codes($answer), qr/^(?:$codes)$/, "$title: $codes");
    is_deeply([map { "$_->{method} $_->{path} $_->{length}" } arrived()], \@want,
              "$title: " . (@want ? "the instance gets @want" : 'no instance gets it'));
}

smuggles('a plain request', "Content-Length: 3\r\n", 'abc', 200, 'POST /x 3');
smuggles('length and encoding', "Content-Length: 3\r\n$chunked",
         "0\r\n\r\n$hidden", 400);
smuggles('encoding and length', "${chunked}Content-Length: 3\r\n",
         "0\r\n\r\n$hidden", 400);
smuggles('two lengths', "Content-Length: 3\r\nContent-Length: 30\r\n", 'abc', 400);
smuggles('the same length twice', "Content-Length: 3\r\nContent-Length: 3\r\n", 'abc', 400);
smuggles("Content-Length: $_", "Content-Length: $_\r\n", 'abc', 400)
    for '3, 3', '+3', '-1', '0x3', '3a', '3 3', '', '99999999999999999999';
smuggles("Transfer-Encoding: $_", "Transfer-Encoding: $_\r\n", "0\r\n\r\n$hidden", '400|501')
    for 'identity', 'identity, chunked', 'chunked, chunked', 'chunked, identity',
        'xchunked', 'chunked;q=1', 'gzip', '"chunked"', "\x0bchunked", '';
smuggles('two encodings', "$chunked$chunked", "0\r\n\r\n$hidden", 400);
smuggles('a blank before the colon', "Transfer-Encoding : chunked\r\nContent-Length: 3\r\n",
         'abc', 400);
smuggles('an encoding in HTTP/1.0', "POST /x HTTP/1.0\r\n$chunked", "0\r\n\r\n$hidden", 400);
smuggles('a folded line', "Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n", 'abc', '400|501');
smuggles('a folded value', "X-A: b\r\n c: d\r\nContent-Length: 3\r\n", 'abc', 400);
smuggles('a bare CR', "X-A: b\rContent-Length: 3\r\n", 'abc', 400);
smuggles('a NUL', "X-A: b\0c\r\n", '', 400);
smuggles('a blank in the path', "GET /x y HTTP/1.1\r\n", '', 400);
smuggles('a control character in the path', "GET /x\x01 HTTP/1.1\r\n", '', 400);
smuggles('two hosts', "GET /x HTTP/1.1\r\nHost: other\r\n", '', 400);
smuggles('CONNECT', "CONNECT h:80 HTTP/1.1\r\n", '', '400|405');
smuggles('TRACE', "TRACE /x HTTP/1.1\r\n", '', 405);
smuggles('chunks', $chunked, "3;ext=\"a\"\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", 200, 'POST /x 3');
smuggles("a chunk of \"$_\"", $chunked, "$_\r\nabc\r\n0\r\n\r\n", 400)
    for '-3', '0x3', 'g', '', 'fffffffffffffffff', '+3';
smuggles('a chunk that is longer than told', $chunked, "3\r\nabcd\r\n0\r\n\r\n", 400);
smuggles('a request in the body of a GET', "GET /x HTTP/1.1\r\nContent-Length: "
         . length($hidden) . "\r\n", $hidden, 200, 'GET /x ' . length $hidden);
smuggles('a request behind the last', "Content-Length: 3\r\n", "abc$hidden", 200, 'POST /x 3');
smuggles('Content_Length is another header', "Content_Length: 40\r\nContent-Length: 3\r\n",
         'abc', 200, 'POST /x 3');

# Chunks come as a length, so that there is one way to read them.
arrived();
raw("POST /x HTTP/1.1\nHost: h\n$key[0]\nX-A: 1\nConnection: close\n$chunked\r\n3;e\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
my ($seen) = arrived();
like($seen->{headers}, qr/^Content-Length: 3\r$/m, 'chunks come with their length');
unlike($seen->{headers}, qr/Transfer-Encoding|X-T/i, 'no longer as chunks, without a trailer');
unlike($seen->{headers}, qr/(?<!\r)\n/, 'lines with a bare LF come with CRLF');
like($seen->{headers}, qr/^X-A: 1\r$/m, 'and as they were');

# HTTP/1.0 needs no Host, but instances do.
arrived();
is(codes(raw("POST /x HTTP/1.0\r\n$key[0]\r\nContent-Length: 3\r\n\r\nabc")), '200',
   'HTTP/1.0 without Host is taken');
($seen) = arrived();
is(join('|', map { header($seen->{headers}, $_) } qw(Host X-Forwarded-Host)), 'localhost|',
   'an instance gets a Host all the same');

# A second request of a connection needs its own key.
my $answer = raw("POST /x HTTP/1.1\r\nHost: h\r\n$key[0]\r\nContent-Length: 3\r\n\r\nabc"
                 . "GET /hidden HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
is(codes($answer), '200 401', 'each request of a connection brings the key');
is(join(' ', map { $_->{path} } arrived()), '/x', 'else it does not come through');

# Without a key, whatever the path is made to look like.
for my $path (qw(/health/../x //health/../x /dashboard/../x /dashboard/%2e%2e/x
                 /dashboard/..%2fx /dashboard/.%2e/%2e./x /health/ /health/x /HEALTH
                 /health%00x /health;x /dashboard /dashboard/x/../../x /./x
                 http://h/x /dashboard/..;/x), '/health\\..\\x', '/health#x')
{
    raw("GET $path HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    is(join(' ', map { $_->{path} } arrived()), '', "no instance sees $path without a key");
}

raw("GET /x\r\n");
is(scalar arrived(), 0, 'nor a request of HTTP/0.9');


# What an instance sees of a client

sub header {
    my ($head, $name) = @_;
    return join '|', $head =~ /^\Q$name\E: *(.*?)\r$/mig;
}

sub head_from {
    my ($from, @headers) = @_;
    arrived();
    raw(join("\r\n", 'GET /x HTTP/1.1', @headers, @key,
             (grep { /^Connection:/i } @headers) ? () : 'Connection: close', '', ''), $from);
    my ($r) = arrived();
    return $r ? $r->{headers} : '';
}

my @pretended = ('Host: wa.example.com', 'X-Forwarded-For: 10.9.9.9', 'X-Forwarded-Proto: https',
                 'X-Forwarded-Host: evil.example', 'X-Forwarded-Port: 444', 'X-Real-IP: 10.9.9.9',
                 'Forwarded: for=10.9.9.9;proto=https');
my $head = head_from('127.0.0.1', @pretended);

is(header($head, 'X-Forwarded-For'), '127.0.0.1', 'a stranger cannot pretend an address');
is(header($head, 'X-Forwarded-Proto'), 'http', 'nor a scheme');
is(header($head, 'X-Forwarded-Host'), 'wa.example.com', 'the host is the one asked for');
is(header($head, 'X-Real-IP'), '127.0.0.1', 'X-Real-IP is the one who connected');
is(header($head, $_), '', "$_ of a stranger ends here") for qw(Forwarded X-Forwarded-Port);

$head = head_from('127.0.0.2', @pretended);
is(header($head, 'X-Forwarded-For'), '10.9.9.9, 127.0.0.2', 'a trusted proxy is believed');
is(header($head, 'X-Forwarded-Proto'), 'https', 'with the scheme');
is(header($head, 'X-Forwarded-Port'), '444', 'the port');
is(header($head, 'Forwarded'), 'for=10.9.9.9;proto=https', 'and Forwarded');
is(header($head, 'X-Real-IP'), '127.0.0.2', 'X-Real-IP is the proxy');
is(header(head_from('127.0.0.2', 'Host: h', 'X-Forwarded-Proto: gopher'), 'X-Forwarded-Proto'),
   'http', 'a scheme that is none is not passed on');

$head = head_from('127.0.0.1', 'Host: h', 'Connection: close, X-Named, X-Forwarded-For, Host',
                  'X-Named: 1', 'Keep-Alive: timeout=99', 'TE: trailers', 'Trailer: X-T',
                  'Upgrade: h2c', 'HTTP2-Settings: x', 'Proxy-Authorization: Basic eDp5',
                  'Proxy-Connection: keep-alive', 'Proxy: http://evil.example', 'Expect: 100-continue');
is(header($head, $_), '', "$_ is of one connection alone")
    for qw(Connection Keep-Alive TE Trailer Upgrade Proxy-Authorization Proxy-Connection
           Proxy Transfer-Encoding Expect X-Api-Key);
is(header($head, 'X-Named'), '1', 'a header named in Connection passes');
is(header($head, 'X-Forwarded-For'), '127.0.0.1', 'so no one can have X-Forwarded-For dropped');
is(header($head, 'Host'), 'h', 'or Host');


# What a client sees of an instance

sub says {
    my ($head, $path, $method) = @_;
    for (@fakes) { $_->say('{"ok":1}', head => $head); $_->mode('json') }
    arrived();
    my $body = ($method || 'POST') eq 'POST' ? 'x' : '';
    return http($port, ($path || '/x') . '?fake=say', method => $method || 'POST',
                body => $body, headers => [@key]);
}

$answer = says(['Server: Evil/1', 'X-Powered-By: Express', 'Keep-Alive: timeout=5',
                'Connection: X-Hop', 'Trailer: X-T', 'Proxy-Authenticate: Basic',
                'Proxy-Connection: close', 'X-WA-Instance: http://evil', 'X-Theirs: 1',
                'Set-Cookie: a=b']);
is(header($answer, 'Server'), 'nginx', 'the server is nginx');
is(header($answer, $_), '', "no $_")
    for qw(X-Powered-By Keep-Alive Trailer Proxy-Authenticate Proxy-Connection);
is(header($answer, 'Connection'), 'close', 'Connection is that of the gateway');
is(header($answer, 'X-Theirs'), '1', 'other headers pass');
is(header($answer, 'Set-Cookie'), 'a=b', 'cookies too');
like(header($answer, 'X-WA-Instance'), qr{^http://127\.0\.0\.1:\d+$},
     'no instance takes the name of another');

for my $to ('/status', '/metrics', '@stream', '/dashboard/dashboard.html', '/x', '/nginx.conf') {
    for my $method (qw(POST GET)) {
        $answer = says(["X-Accel-Redirect: $to", 'X-Accel-Limit-Rate: 100', 'X-Accel-Charset: utf-16',
                        'X-Accel-Expires: 99', 'X-Accel-Buffering: yes'], '/x', $method);
        like($answer, qr/"data":\{"ok":1\}/, "X-Accel-Redirect: $to leads $method nowhere");
        is(scalar arrived(), 1, 'and nothing is sent twice');
        unlike($answer, qr/X-Accel|utf-16/i, 'nor is it told');
    }
}

sub answers {
    my ($bytes) = @_;
    for (@fakes) { $_->answer($bytes); $_->mode('json') }
    my $got = http($port, '/raw?fake=raw', method => 'POST', body => 'x', headers => [@key]);

    # a bad answer takes an instance out until it is checked again
    until_true { http($port, '/health') =~ /"healthy":2/ };
    return $got;
}

$answer = answers("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                  . "3\r\nabc\r\n0\r\n\r\n");
ok(codes($answer) eq '502' || (header($answer, 'Content-Length') eq ''
                               || header($answer, 'Transfer-Encoding') eq ''),
   'an answer with a length and an encoding goes on with one of them');
for my $bad ("X-A: b\rX-B: c", "X-A: b\0c", 'X A: b') {
    $answer = answers("HTTP/1.1 200 OK\r\n$bad\r\nContent-Length: 2\r\n\r\n{}");
    unlike($answer, qr/^X-B:|\0|\r(?!\n)/m, 'no header is split in two: ' . $bad =~ s/[^ -~]/?/gr);
}
$answer = answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}");
cmp_ok(scalar(() = $answer =~ /^Content-Length:/mig), '<=', 1, 'of two lengths one goes on, or none');
$answer = answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nX-B: c\r\n\r\nevil");
unlike($answer, qr/evil|X-B/, 'what follows an answer is not passed on');


# The gateway's own answers

for my $path (qw(/status /metrics /health)) {
    $answer = http($port, $path, headers => [@key]);
    is(header($answer, 'X-Content-Type-Options'), 'nosniff', "$path is not sniffed");
    is(header($answer, 'Cache-Control'), 'no-store', 'nor stored');
    unlike($answer, qr/sesame|hush/, 'and tells no secret');
}


# Slow clients

sub opened {
    my ($bytes) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die;
    syswrite $s, $bytes;
    return $s;
}

arrived();
my $start = time;
my @slow = map {
    (opened("POST /slow HTTP/1.1\r\nHost: h\r\n$key[0]\r\nContent-Length: 100\r\n\r\nabc"),
     opened("POST /slow HTTP/1.1\r\nHost: h\r\nX-"),
     opened("POST /slow HTTP/1.1\r\nHost: h\r\n$key[0]\r\n$chunked\r\n3\r\nabc\r\n"))
} 1 .. 50;
like(http($port, '/quick', method => 'POST', body => 'x', headers => [@key]), qr/^HTTP\/1\.1 200 /,
     '150 slow clients, and another one is answered');
my $select = IO::Select->new(@slow);
my @gone = $select->can_read(0);
cmp_ok(scalar @gone, '<', 150, 'before the slow ones are dropped');
sleep 0.5;
is(join(' ', map { $_->{path} } arrived()), '/quick', 'no instance has seen them');
is(eval { my $s = decode_json(http($port, '/status', headers => [@key]) =~ s/^.*?\r\n\r\n//sr);
          join ' ', map { $_->{requests}{inFlight} } values %{$s->{instances}{details}} },
   '0 0', 'or is held by one');

while ($select->count && time - $start < 120) {
    for my $s ($select->can_read(0.5)) {
        $select->remove($s) unless sysread $s, my $got, 65536;
    }
}
is($select->count, 0, 'all of them are dropped in time');
is(scalar arrived(), 0, 'without a byte for an instance');

like(raw("GET /x HTTP/1.1\r\nHost: h\r\nX: " . 'x' x 40000 . "\r\n\r\n"), qr/^HTTP\/1\.1 (?:400|414|494) /,
     'a header that is too large is refused');
like(raw("POST /x HTTP/1.1\r\nHost: h\r\n$key[0]\r\nContent-Length: 999999999\r\n\r\n"),
     qr/^HTTP\/1\.1 413 .*"code":"payload_too_large"/s, 'so is a body, before it is sent');
is(scalar arrived(), 0, 'and no instance sees any');


# Hostile texts in the logs

my $esc = "\x1b[31m";
raw("GET /log%0a%1b%5b31m%22%5c HTTP/1.1\r\nHost: h\r\n$key[0]\r\nConnection: close\r\n\r\n");
raw("GET /log$_ HTTP/1.1\r\nHost: h\r\n$key[0]\r\nConnection: close\r\n\r\n")
    for $esc, "\x7f", "\xc2\x9b31m", '"', '\\', 'x' x 7000;
until_true { read_file("$run/access.log") =~ /x{7000}/ };
my $log = read_file("$run/access.log");
unlike($log, qr/[^\n -~]/, 'no control character is in the access log');
is(scalar(grep { !/^127\.0\.0\.\d+ \[[^\]]+\] "[^"]*" \d{3} \d+ time=\S+ instance="[^"]*" attempts=\S+ upstream_status="[^"]*" upstream_time="[^"]*"$/ }
          split /\n/, $log), 0, 'each request is one line of one form');
unlike($log, qr/sesame/, 'and no key is in it');

# an error line of nginx holds the request as it came
$_->stop for @fakes;
raw("GET /error\xc2\x9b31m\xc2\x85\xff?x HTTP/1.1\r\nHost: h\r\n$key[0]\r\nReferer: http://h/$esc\x07\r\nConnection: close\r\n\r\n");
ok($gw->says(qr/request: "GET \/error.* referrer: "http:/), 'an error is logged');
unlike($gw->output, qr/[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, 'without a control character');
unlike($gw->output, qr/sesame|hush/, 'and without a secret');
$_->start for @fakes;


# Secrets

my ($nginx) = read_file("$run/nginx.pid") =~ /(\d+)/;
my @pids = ($nginx, $gw->{pid}, map { /(\d+)/ } split ' ', read_file("/proc/$nginx/task/$nginx/children") // '');

for my $pid (@pids) {
    unlike(read_file("/proc/$pid/cmdline"), qr/sesame|hush/, 'no secret is in the list of processes');
}
unlike(read_file("/proc/$nginx/environ"), qr/hush/, 'nor in the environment of nginx');

my @open;
File::Find::find(sub {
    my $mode = (lstat)[2];
    push @open, "$File::Find::name " . sprintf '%o', $mode & 07777
        if -f _ && $mode & 077 && $File::Find::name !~ m{/html/};
    push @open, $File::Find::name if $mode & 022 && !-l _ && !-p _;
}, $run);
is("@open", '', 'no file of run is open to others');

# each file with a secret, while nginx looks at it
my $spy = tempdir(CLEANUP => 1);
write_file("$spy/nginx", "#!/bin/sh\nstat -c '%a %n' nginx.conf . >>$spy/modes 2>/dev/null\n"
           . "exec \${REAL:-nginx} \"\$\@\"\n");
chmod 0755, "$spy/nginx";
my $real = $ENV{TEST_NGINX_BINARY};
my %spied = (API_KEY => 'hush', API_KEY_FILE => '', WA_GATEWAY_RUNTIME => "$spy/run", PATH => "$spy:$ENV{PATH}",
             REAL => $real && $real =~ m{/} ? $real : (grep { -x } map { "$_/nginx" } qw(/usr/sbin /usr/bin /usr/local/sbin))[0]);
write_file("$spy/env", read_file("$dir/.env") =~ s/^API_KEY_FILE.*\n//mr);
{
    local $ENV{TEST_NGINX_BINARY} = "$spy/nginx";
    my ($status, $out, $err) = run_command({ %spied, WA_GATEWAY_ENV => "$spy/env" }, $command, 'check');
    is($status, 0, 'check, with a key') or diag $err;
}
my $modes = read_file("$spy/modes") // '';
like($modes, qr/^600 nginx\.conf$/m, 'the file that check makes is for its owner alone');
like($modes, qr/^600 nginx\.conf\n700 \.$/m, 'so is its directory') or diag $modes;


# A reload reads the keys again

write_file("$dir/keys", "open\nsesame2\n");
$gw->signal('HUP');
ok((until_true { http($port, '/x', headers => ['X-Api-Key: sesame2']) =~ /^HTTP\/1\.1 200 / }),
   'a reload takes the new keys');
ok((until_true { http($port, '/x', headers => [@key]) =~ /^HTTP\/1\.1 401 / }),
   'and drops the old ones');
write_file("$dir/keys", "#\n");
$gw->signal('HUP');
ok($gw->says(qr/^\.env:3: API_KEY_FILE="keys": allowed: .*there is none in it\n(?:.*\n)*.*not reloaded/m),
   'a file without keys is refused');
like(http($port, '/x', headers => ['X-Api-Key: open']), qr/^HTTP\/1\.1 200 /, 'and the old keys stay');
is((stat "$run/nginx.conf")[2] & 07777, 0600, 'nginx.conf stays closed');

$gw->signal('TERM');
is($gw->ended, 0, 'it ends well');


# A name relative to where one stands

write_file("$spy/env", "PORT=$port\nINSTANCES=http://" . $fakes[0]->name . "\nAPI_KEY_FILE=keys\n");
write_file("$spy/keys", "k\n");
$gw = launch({ WA_GATEWAY_ENV => 'env', WA_GATEWAY_RUNTIME => "$spy/run2" },
             'sh', '-c', "cd '$spy' && exec '$command' run");
ok($gw->says(qr/^WhatsApp gateway on/m), 'run with a relative WA_GATEWAY_ENV') or diag $gw->output;
like(http($port, '/x', headers => ['X-Api-Key: k']), qr/^HTTP\/1\.1 200 /, 'and the keys beside it');
$gw->signal('TERM');
$gw->ended;

done_testing;
