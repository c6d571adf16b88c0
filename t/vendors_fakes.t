#!/usr/bin/perl

# The pretended WhatsApp servers answer, refuse and list as the real ones do,
# tell truly what they saw, and can be many and large.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Nginx qw(send_request read_answer poll);
use WaGateway::Vendor;

my $json = JSON::PP->new->utf8->canonical;

my @sessions = (
    { name => 'main', number => '966500000001' },
    { name => 'second', number => '966500000002', state => 'starting' },
    { name => 'third', number => '966500000003', state => 'login' },
    { name => 'fourth', number => '966500000004', state => 'down' },
    { name => 'fifth', number => '966500000005', state => 'stopped' },
    { name => 'sixth', number => '966500000006', state => 'elsewhere' },
);


sub fake {
    my ($vendor, %o) = @_;
    return WaGateway::Vendor->new($vendor, key => 'k-1',
                                  sessions => \@sessions, %o);
}


sub connected {
    my ($fake) = @_;
    return IO::Socket::INET->new(PeerAddr => $fake->name, Timeout => 60)
        || die $fake->name . ": $!\n";
}


# A request line, header lines that blanks follow, and a body, which is JSON
# when it is a reference.
sub request {
    my ($fake, $line, $headers, $body, %o) = @_;
    my ($method, $path) = split / /, $line;
    my @headers = @{$headers || []};

    if (ref $body) {
        $body = $json->encode($body);
        push @headers, 'Content-Type: application/json';
    }

    my $s = $o{socket} || connected($fake);
    send_request(0, $method, $path, headers => \@headers, body => $body,
                 socket => $s);

    return $s if $o{later};
    return read_answer($s, $method, socket => $s);
}


# Rows of: request, headers, body, what is answered: a status and the text that
# the body has, "..." between its parts, all of it when it ends in "$".
sub answers {
    my ($fake, $vendor, @rows) = @_;

    for (@rows) {
        my ($line, $headers, $body, $want) = @$_;
        my ($status, $text) = split / /, $want, 2;

        my $r = request($fake, $line, $headers, $body);
        my $like = defined $text ? $text : '';
        my $end = $like =~ s/\$$// ? '\z' : '';
        $like = join '.*', map { quotemeta } split / ?\.\.\. ?/, $like, -1;

        my $name = "$vendor: $line "
                   . join(' ', map { /^(\S+) / } @{$headers || []})
                   . " is $want";

        ok($r->{status} == $status && $r->{body} =~ /^.*$like$end/s, $name)
            or diag("$r->{status} " . substr $r->{body}, 0, 1000);
    }
}


sub truth {
    return join ' ', map { join ':', $_->{session},
                           defined $_->{number} ? $_->{number} : '-',
                           @$_{qw(state vendorState)} } $_[0]->truth;
}


# What all have in common, seen at one of them.
{
    my $fake = fake('waha', wait => 0.2);
    my @key = (['X-Api-Key: k-1']);
    my $list = 'GET /api/sessions?all=true';
    my $ask = 'GET /api/sessions/main';

    is(truth($fake), 'main:966500000001:ready:WORKING'
       . ' second:-:starting:STARTING third:-:login:SCAN_QR_CODE'
       . ' fourth:-:down:FAILED'
       . ' fifth:-:down:STOPPED sixth:-:down:STOPPED', 'the truth');
    is((grep { $_->{elsewhere} } $fake->truth)[0]{session}, 'sixth',
       'one that is elsewhere is marked');

    # commands are in force at once
    my $s = connected($fake);

    for my $i (1 .. 50) {
        my ($name, $state, $said) = @{[['new', 'ready', 'WORKING'],
                                       ['main', 'down', 'FAILED']]->[$i % 2]};

        $fake->session($name, state => $state, number => "96650000$i");

        for ($list, "GET /api/sessions/$name") {
            my $r = request($fake, $_, @key, undef, socket => $s);
            $r->{body} =~ /"name":"$name","status":"$said"/
                or fail("$_ after the command: $r->{body}");
        }

        $fake->remove('new');
        request($fake, $list, @key, undef, socket => $s)->{body} =~ /"new"/
            and fail('it is there after it was removed');
    }

    is(scalar(my @n = $fake->ledger), 150, 'all of it over one connection');
    is(($fake->ledger)[-1]{nth}, 150, 'that is kept');

    $fake->session('main', state => 'down', vendorState => 'BANNED');
    like(truth($fake), qr/^main:-:down:BANNED /, 'a state in its own words');
    $fake->session('main', state => 'ready', number => '966500000001');

    # the ledger
    $fake->forget;
    request($fake, 'POST /api/sendText?x=1', ['X-Api-Key: bad', 'X-Two: 2'],
            { session => 'main', chatId => '1@c.us', text => "\x{e9}" });
    my ($l) = $fake->ledger(qr{^/api/send});
    is("$l->{method} $l->{path} $l->{status} $l->{kind}",
       'POST /api/sendText?x=1 401 send', 'the ledger has the request');
    like($l->{headers}, qr/^X-Two: 2\r$/m, 'its headers');
    is(length $l->{body}, $l->{length}, 'its body');
    cmp_ok($l->{time}, '<=', $l->{answered}, 'and when');
    is($fake->ledger(qr{^/other}), 0, 'that path only');
    is($fake->count('send') . $fake->count('list'), '10', 'counted by kind');

    my $big = 'QUJD' x 500_000;
    request($fake, 'POST /api/sendImage', @key, { session => 'main',
            chatId => '9665@c.us', caption => "\x{645}", file => {
                mimetype => 'image/png', filename => 'a.png',
                data => $big } });
    ($l) = ($fake->sent)[0];
    is("$l->{session} $l->{number} $l->{to} $l->{media}{length} $l->{text}",
       "main 966500000001 9665\@c.us 2000000 \xd9\x85",
       'a media that was sent');
    is($l->{media}{digest}, Digest::MD5::md5_hex($big), 'all of it');
    ok(!exists(($fake->ledger)[-1]{body}), 'a large body is not kept');

    # a chunked request
    my $q = request($fake, 'POST /api/sendText', ['X-Api-Key: k-1',
        'Content-Type: application/json', 'Transfer-Encoding: chunked'],
        "10\r\n{\"session\":\"main\r\n"
        . "1f\r\n\",\"chatId\":\"1\@c.us\",\"text\":\"x\"}\r\n0\r\n\r\n");
    is($q->{status}, 201, 'a chunked request');

    # misbehaving
    my %seen = (
        cut => sub { $_[0]{status} == 200 && !$_[0]{whole} },
        short => sub { $_[0]{whole} && $_[0]{body} !~ /\]$/ },
        'drip:0.1' => sub { $_[0]{whole} && $_[0]{body} =~ /\]$/ },
        'slow:0.1' => sub { $_[0]{whole} && $_[0]{body} =~ /\]$/ },
        html => sub { $_[0]{headers}{'content-type'} =~ /html/ },
        deep => sub { $_[0]{body} =~ /^\[{1000}/ },
        empty => sub { $_[0]{status} == 200 && $_[0]{body} eq '' },
        'body:[]' => sub { $_[0]{body} eq '[]' },
        'status:503' => sub { $_[0]{status} == 503 },
        close => sub { $_[0]{status} == 0 && $_[0]{head} eq '' },
        reset => sub { $_[0]{status} == 0 && $_[0]{head} eq '' },
    );

    for my $mode (sort keys %seen) {
        $fake->misbehave('list', $mode);
        my $start = time;
        my $r = request($fake, $list, @key);
        my $slow = $mode =~ /:0/ ? time - $start >= 0.09 : 1;

        ok($seen{$mode}->($r) && $slow, "$mode of a list")
            or diag($r->{status}, substr $r->{body}, 0, 300);
        is(request($fake, $ask, @key)->{status}, 200, 'and of nothing else');
    }

    $fake->misbehave('list', 'garbage');
    my $garbage = request($fake, $list, @key, undef, later => 1);
    like(join('', <$garbage>), qr/no HTTP\r\n/, 'garbage');

    $fake->misbehave('list', 'hang');
    $fake->forget;
    my $hung = request($fake, $list, @key, undef, later => 1);
    poll { $fake->count };
    $fake->misbehave('list', '');
    like(request($fake, $list, @key)->{body}, qr/^\[.*\]$/s, 'no more of it');
    is(read_answer($hung, 'GET', timeout => 0.05)->{status}, 0,
       'what hangs goes on to');
    is(($fake->ledger)[-2]{status}, 0, 'and has no status');

    $fake->forget;
    my $send = { session => 'main', chatId => '1@c.us', text => 'x' };
    $fake->misbehave('send', 'status:500');
    is(request($fake, 'POST /api/sendText', @key, $send)->{status}, 500,
       'a send that fails');
    is($fake->sent, 0, 'before it was sent');
    $fake->misbehave('send', 'after:status:500');
    is(request($fake, 'POST /api/sendText', @key, $send)->{status}, 500,
       'a send that fails');
    is($fake->sent, 1, 'after it was sent');
    $fake->misbehave('send', '');

    # chunked answers, HEAD
    $fake->set(chunked => 1);
    my $r = request($fake, $list, @key);
    is($r->{headers}{'transfer-encoding'}, 'chunked', 'chunked answers');
    is(scalar @{decode_json($r->{body})}, 6, 'that are whole');
    $fake->set(chunked => 0);
    $r = request($fake, 'HEAD /api/sessions', @key);
    is("$r->{status} $r->{body}", '200 ', 'HEAD has no body');

    # questions at once
    $fake->forget;
    request($fake, $ask, @key) for 1, 2;
    is($fake->asked_at_once, 1, 'one question after the other');
    $fake->set(ask_delay => 600);
    my @s = map { request($fake, $ask, @key, undef, later => 1) } 1 .. 3;
    poll { $fake->count('ask') == 5 };
    is($fake->asked_at_once, 3, 'questions in flight at once');
    close $s[0];
    poll { ($fake->ledger)[2]{answered} };
    $fake->set(ask_delay => 0.01);
    request($fake, $ask, @key);
    is($fake->asked_at_once, 3, 'one that was given up is in flight no more');

    # stop and start
    $fake->stop;
    is(read_answer($s[1], 'GET')->{status}, 0,
       'stopped: what is in flight ends');
    ok(!IO::Socket::INET->new(PeerAddr => $fake->name), 'and none comes');
    $fake->set(ask_delay => 0);
    $fake->start;
    is(request($fake, $ask, @key)->{status}, 200, 'started on the same port');
}


# Many and large.
{
    my @many = WaGateway::Vendor->farm(260, 'waha', sessions => 20);
    my %url = map { $_->url => 1 } @many;
    my %name = map { $_->{session} => 1 } map { $_->truth } @many[0, 1, 259];

    is(scalar keys %url, 260, 'a farm');
    is(scalar keys %name, 60, 'each with its own sessions');

    my @s = map { request($_, 'GET /api/sessions', [], undef, later => 1) }
            @many;
    is((grep { @{decode_json(read_answer($_, 'GET', socket => $_)->{body})}
               == 20 } @s[0, 100, 259]), 3, 'all of it answers');
    is((grep { $_->count == 1 } @many), 260, 'and each has its own ledger');

    $many[1]->session('s1-1', state => 'down');
    is((grep { $_->{state} eq 'ready' } $many[1]->truth), 19, 'and state');
    is((grep { $_->{state} eq 'ready' } $many[2]->truth), 20,
       'not the others');

    $many[0]->set(item => 1048);
    $many[0]->sessions(1000);
    my $r = request($many[0], 'GET /api/sessions', []);
    cmp_ok(length $r->{body}, '>=', 1024 * 1024, 'a list of 1 MB');

    $many[0]->sessions(10_000);
    $r = request($many[0], 'GET /api/sessions', []);
    is(() = $r->{body} =~ /"name":"s\d+-\d+"/g, 10_000, 'and of 10,000');
}


{
    my $fake = fake('waha', wait => 0.2, worker => 'w1',
                    strangers => ['966511111111']);
    my @key = (['X-Api-Key: k-1']);
    my %text = (chatId => '9665@c.us', text => 'hi');
    my $send = 'POST /api/sendText';
    my $status = '"error":"Session status is not as expected. Try again later '
                 . 'or restart the session"';

    answers($fake, 'waha',
        ['GET /api/sessions', [], undef,
         '401 {"message":"Unauthorized","statusCode":401}$'],
        ['GET /api/sessions', ['X-Api-Key: bad'], undef, '401'],
        ['GET /api/sessions?x-api-key=k-1', [], undef, '200 [{"name":"main"'],
        ['GET /ping', [], undef, '200 pong'],
        ['GET /health', [], undef, '401'],
        ['GET /api/sessions?all=true', @key, undef,
         '200 [{"name":"main","status":"WORKING", ... '
         . '"me":{"id":"966500000001@c.us", ... "assignedWorker":"w1" ... '
         . '"name":"third","status":"SCAN_QR_CODE" ... "me":null ... '
         . '"name":"fifth","status":"STOPPED" ... '
         . '"name":"sixth","status":"STOPPED" ... '
         . '"assignedWorker":"another" ... ]$'],
        ['GET /api/sessions/third', @key, undef,
         '200 "status":"SCAN_QR_CODE" ... "engine":{'],
        ['GET /api/sessions/nobody', @key, undef,
         '404 "message":"Session not found"'],
        ['GET /api/sessions/main/me', @key, undef, '200 966500000001@c.us'],
        ['GET /api/sessions/third/me', @key, undef, '200 null$'],
        [$send, @key, { %text, session => 'main' },
         '201 "id":"true_9665@c.us_3EB0'],
        [$send, @key, { %text, session => 'main', id => 'MINE' },
         '201 "id":"true_9665@c.us_MINE"'],
        [$send, @key, { %text, session => 'second' },
         "422 $status ... " . '"status":"STARTING"'],
        [$send, @key, { %text, session => 'third' },
         "422 $status ... " . '"session":"third","status":"SCAN_QR_CODE"'],
        [$send, @key, { %text, session => 'fifth' },
         q(404 We didn't find a session with name 'fifth')],
        [$send, @key, { %text, session => 'sixth' },
         q(404 We didn't find a session with name 'sixth')],
        [$send, @key, { %text, session => 'nobody' }, '404'],
        [$send, @key, { %text }, '400 Session name is required'],
        [$send, @key, { session => 'main' }, '400 chatId must be a string'],
        [$send, ['X-Api-Key: k-1', 'Content-Type: application/json'], '{',
         '400 Bad Request'],
        [$send, [], { %text, session => 'main' }, '401'],
        ['POST /api/sendFile', @key,
         { session => 'main', chatId => '9665@c.us',
            file => { mimetype => 'text/plain', data => 'QUJD' } },
         '201 "hasMedia":true'],
        ['POST /api/sendFile', @key,
         { session => 'main', chatId => '9665@c.us',
            file => { data => 'QUJD' } }, '400'],
        ['GET /api/contacts/check-exists?session=main&phone=966511111111',
         @key, undef, '200 {"numberExists":false}$'],
        ['GET /api/contacts/check-exists?session=main&phone=966522222222',
         @key, undef, '200 "chatId":"966522222222@c.us"'],
        ['GET /api/server/status', @key, undef, '200 "worker":{"id":"w1"}'],
        ['GET /api/nothing', @key, undef, '404 Cannot GET /api/nothing'],
        ['POST /api/sessions', @key, { name => 'main' }, '422 already exists'],
        ['POST /api/sessions', @key, { name => 'a b' }, '400'],
        ['POST /api/sessions', @key, { name => 'new' },
         '201 "status":"STARTING"'],
    );

    unlike(request($fake, 'GET /api/sessions', @key)->{body}, qr/STOPPED/,
           'waha: without "all" none that is stopped');
    is(scalar(my @n = $fake->sent), 3, 'waha: what was sent');

    # a send waits for its session
    $fake->set(wait => 600);
    $fake->forget;
    my $s = request($fake, $send, @key, { %text, session => 'second' },
                    later => 1);
    poll { $fake->count('send') == 1 };
    $fake->session('second', state => 'ready');
    is(read_answer($s, 'POST', socket => $s)->{status}, 201,
       'waha: a send waits for its session');

    answers($fake, 'waha',
        ['POST /api/sessions/main/stop', @key, undef, '201 STOPPED'],
        ['POST /api/sessions/main/start', @key, undef, '201 WORKING'],
        ['POST /api/sessions/main/logout', @key, undef, '201 SCAN_QR_CODE'],
        ['DELETE /api/sessions/fourth', @key, undef, '200 $'],
        ['GET /api/sessions/fourth', @key, undef, '404'],
        ['POST /api/server/stop', @key, {}, '201 {"stopping":true}$']);

    is($fake->count('danger'), 4, 'waha: what is dangerous is seen');
    ok(poll { !IO::Socket::INET->new(PeerAddr => $fake->name) },
       'waha: the server was stopped');
    like(truth($fake), qr/^main:-:login/, 'waha: and main logged out');
}


{
    my $fake = fake('evolution', strangers => ['966511111111']);
    my @key = (['apikey: k-1']);
    my $own = ['apikey: ' . $fake->token('main')];
    my $send = 'POST /message/sendText';
    my %text = (number => '9665', text => 'hi');

    is(truth($fake), 'main:966500000001:ready:open'
       . ' second:966500000002:starting:connecting third:-:login:close'
       . ' fourth:966500000004:down:refused fifth:966500000005:login:close',
       'evolution: the truth');

    answers($fake, 'evolution',
        ['GET /instance/fetchInstances', [], undef,
         '401 {"error":"Unauthorized","response":{"message":"Unauthorized"},'
         . '"status":401}$'],
        ['GET /instance/fetchInstances', ['apikey: bad'], undef, '401'],
        ['GET /instance/fetchInstances', @key, undef,
         '200 "name":"main","connectionStatus":"open","ownerJid":'
         . '"966500000001@s.whatsapp.net" ... "number":null ... "token":" ... '
         . '"password":" ... "name":"second","connectionStatus":"open" ... '
         . '"name":"third","connectionStatus":"close","ownerJid":null ... '
         . '"name":"fourth","connectionStatus":"open" ... '
         . '"name":"sixth","connectionStatus":"open" ... ]$'],
        ['GET /instance/fetchInstances?instanceName=main', @key, undef,
         '200 [{ ... "name":"main"'],
        ['GET /instance/fetchInstances?instanceName=sixth', @key, undef,
         '404 Instance \\"sixth\\" not found'],
        ['GET /instance/connectionState/main', @key, undef,
         '200 {"instance":{"instanceName":"main","state":"open"}}$'],
        ['GET /instance/connectionState/main', $own, undef, '200 open'],
        ['GET /instance/connectionState/second', $own, undef, '401'],
        ['GET /instance/connectionState/second', @key, undef,
         '200 "state":"connecting"'],
        ['GET /instance/connectionState/sixth', @key, undef,
         '200 {"instance":{"instanceName":"sixth"}}$'],
        ['GET /instance/connectionState/nobody', @key, undef,
         '404 {"error":"Not Found","response":{"message":["The \\"nobody\\" '
         . 'instance does not exist"]},"status":404}$'],
        ['GET /instance/connectionState/nobody', [], undef, '404'],
        ['GET /instance/connectionState/main?instanceName=second', @key, undef,
         '200 "instanceName":"second","state":"connecting"'],
        ["$send/main", @key, { %text }, '201 {"contextInfo" ... "key":{ ... '
         . '"id":"3EB0 ... "remoteJid":"9665@s.whatsapp.net"'],
        ["$send/main", [], { %text }, '401'],
        ["$send/main", @key, { number => '9665' },
         '400 instance requires property \\"text\\"'],
        ["$send/main", @key, { number => '966511111111', text => 'x' },
         '400 "exists":false'],
        ["$send/second", @key, { %text }, '500 "Connection Closed"'],
        ["$send/sixth", @key, { %text },
         '500 Cannot read properties of undefined'],
        ["$send/nobody", @key, { %text }, '404'],
        ['POST /message/sendMedia/main', @key, { number => '9665@g.us',
            mediatype => 'image', media => 'https://x.example.com/a.png' },
         '201 "remoteJid":"9665@g.us"'],
        ['POST /message/sendMedia/main', ['apikey: k-1',
            'Content-Type: multipart/form-data; boundary=b'],
         "--b\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n9665"
         . "\r\n--b\r\nContent-Disposition: form-data; name=\"mediatype\"\r\n"
         . "\r\nimage\r\n--b\r\nContent-Disposition: form-data; name=\"file\";"
         . " filename=\"a.png\"\r\n\r\nPNG\r\n--b--\r\n", '201 "id":"3EB0'],
        ['POST /chat/whatsappNumbers/main', @key,
         { numbers => ['966511111111', '966522222222'] },
         '200 "exists":false ... "exists":true'],
        ['GET /metrics', [], undef, '200 {instance="main", ... } 1'],
        ['POST /instance/create', @key, { instanceName => 'main' }, '403'],
        ['POST /instance/create', @key, { instanceName => 'new' },
         '201 "hash":" ... "status":"connecting"'],
    );

    is(join(' ', map { "$_->{to}:" . ($_->{media}{link} || $_->{media}{length}
                                      || $_->{text}) } $fake->sent),
       '9665@s.whatsapp.net:hi 9665@g.us:https://x.example.com/a.png '
       . '9665@s.whatsapp.net:3', 'evolution: what was sent');

    $fake->session('main', state => 'starting');
    is(request($fake, "$send/main", @key, { %text })->{body},
       '{"error":"Bad Request","response":{"message":["Error: Connection '
       . 'Closed"]},"status":400}', 'evolution: a number that it knew');
    $fake->session('main', state => 'ready');

    answers($fake, 'evolution',
        ['GET /instance/connect/fifth', @key, undef, '200 "base64"'],
        ['GET /instance/connect/sixth', @key, undef, '200 "error":true'],
        ['POST /instance/restart/main', @key, undef, '200 "connecting"'],
        ['DELETE /instance/logout/third', @key, undef, '400 is not connected'],
        ['DELETE /instance/logout/second', @key, undef, '200 SUCCESS'],
        ['DELETE /instance/delete/fourth', @key, undef, '200 SUCCESS']);

    is($fake->count('danger'), 4, 'evolution: what is dangerous is seen');
    is(truth($fake), 'main:966500000001:starting:connecting'
       . ' second:-:login:close third:-:login:close'
       . ' fifth:966500000005:starting:connecting new:-:starting:connecting',
       'evolution: and done');
}


{
    my $fake = fake('wwebjs', strangers => ['966511111111']);
    my @key = (['x-api-key: k-1']);
    my $send = 'POST /client/sendMessage';
    my %text = (chatId => '9665@c.us', contentType => 'string',
                content => 'hi');

    is(truth($fake), 'main:966500000001:ready:CONNECTED,session_connected'
       . ' second:-:starting:OPENING,session_not_connected'
       . ' third:-:login:UNPAIRED,session_not_connected'
       . ' fourth:-:down:null,browser tab closed', 'wwebjs: the truth');

    answers($fake, 'wwebjs',
        ['GET /session/getSessions', [], undef,
         '403 {"error":"Invalid API key","success":false}$'],
        ['GET /session/getSessions', ['x-api-key: bad'], undef, '403'],
        ['GET /session/getSessions', @key, undef,
         '200 {"success":true,"result":["main","second","third","fourth"]}$'],
        ['GET /session/status/main', @key, undef,
         '200 {"message":"session_connected","state":"CONNECTED",'
         . '"success":true}$'],
        ['GET /session/status/second', @key, undef,
         '200 {"message":"session_not_connected","state":"OPENING",'
         . '"success":false}$'],
        ['GET /session/status/third', @key, undef,
         '200 {"message":"session_not_connected","state":"UNPAIRED",'
         . '"success":false}$'],
        ['GET /Session/STATUS/third/', @key, undef, '200 "UNPAIRED"'],
        ['GET /session//status/third', @key, undef, '200 "UNPAIRED"'],
        ['GET //session/status/third', @key, undef, '404'],
        ['GET /session/status//third', @key, undef, '404'],
        ['GET /session/status/third//', @key, undef, '404'],
        ['GET /session/st%61tus/third', @key, undef, '404'],
        ['GET /session/status%2Fthird', @key, undef, '404'],
        ['GET /session/status/Third', @key, undef, '200 not_found'],
        ['GET /SESSION/status/third', [], undef, '403'],
        ['GET /session/status/fourth', @key, undef,
         '200 {"message":"browser tab closed","state":null'],
        ['GET /session/status/fifth', @key, undef,
         '200 {"message":"session_not_found","state":null'],
        ['GET /session/status/nobody', @key, undef,
         '200 {"message":"session_not_found","state":null,"success":false}$'],
        ['GET /session/status/a.b', @key, undef, '422 alphanumerical'],
        ['GET /client/getClassInfo/main', @key, undef,
         '200 "sessionInfo":{ ... "wid":{ ... "user":"966500000001"}'],
        ['GET /client/getClassInfo/third', @key, undef,
         '404 {"error":"session_not_connected","success":false}$'],
        ["$send/main", @key, { %text },
         '200 "_serialized":"true_9665@c.us_3EB0'],
        ["$send/main", [], { %text }, '403'],
        ["$send/main", ['Content-Type: application/json'], '{', '400'],
        ["$send/second", @key, { %text }, '404 session_not_connected'],
        ["$send/sixth", @key, { %text },
         '404 {"error":"session_not_found","success":false}$'],
        ["$send/main", @key, { %text, chatId => '966511111111@c.us' },
         '200 {"success":true}$'],
        ["$send/main", @key, { %text, chatId => '9665' }, '500'],
        ["$send/main", @key, { chatId => '9665@c.us' },
         '400 invalid contentType'],
        ["$send/main", @key, { chatId => '9665@c.us', options => {
            caption => 'c' }, contentType => 'MessageMedia', content => {
            mimetype => 'image/png', data => 'QUJD' } },
         '200 "hasMedia":true'],
        ['POST /client/isRegisteredUser/main', @key,
         { number => '966511111111' }, '200 {"result":false'],
        ['GET /ping', [], undef, '200 pong'],
        ['GET /session/start/main', @key, undef, '422 already exists'],
        ['GET /session/start/new', @key, undef, '200 initiated'],
        ['GET /session/qr/new', @key, undef, '200 "qr":"2@'],
    );

    is(join(' ', map { $_->{text} } $fake->sent), 'hi c',
       'wwebjs: what was sent');

    answers($fake, 'wwebjs',
        ['GET /session/restart/third', @key, undef, '200 Restarted'],
        ['GET /session/stop/main', @key, undef, '200 Session stopped'],
        ['GET /session/stop/nobody', @key, undef, '200 Session stopped'],
        ['GET /session/terminate/nobody', @key, undef,
         '200 session_not_found'],
        ['GET /session/terminate/second', @key, undef, '200 Logged out'],
        ['GET /session/terminateInactive', @key, undef, '200 Flush']);

    is($fake->count('danger'), 6, 'wwebjs: what is dangerous is seen');
    is(truth($fake), 'third:966500000003:ready:CONNECTED,session_connected',
       'wwebjs: and done');
}


{
    my $fake = fake('wppconnect', strangers => ['966511111111']);
    my $token = decode_json(request($fake,
        'POST /api/main/k-1/generate-token')->{body})->{token};
    my @token = (["Authorization: Bearer $token"]);
    my $send = 'POST /api/main/send-message';
    my %other;

    is(truth($fake), 'main:966500000001:ready:CONNECTED'
       . ' second:-:starting:INITIALIZING third:-:login:QRCODE'
       . ' fourth:-:down:CLOSED fifth:-:down:CLOSED sixth:-:down:CLOSED',
       'wppconnect: the truth');

    for (qw(second third fifth nobody)) {
        $other{$_} = ['Authorization: Bearer ' . decode_json(request($fake,
            "POST /api/$_/k-1/generate-token")->{body})->{token}];
    }

    answers($fake, 'wppconnect',
        ['GET /api/k-1/show-all-sessions', [], undef,
         '200 {"response":["main","second","third","fourth","fifth",'
         . '"sixth"]}$'],
        ['GET /api/bad/show-all-sessions', [], undef,
         '400 {"message":"The token is incorrect","response":false}$'],
        ['POST /api/main/bad/generate-token', [], undef,
         '400 {"message":"The SECRET_KEY is incorrect","response":false}$'],
        ['POST /api/main/k-1/generate-token', [], undef,
         '201 "full":"main:$2b$10'],
        ['GET /api/main/status-session', [], undef,
         '401 {"message":"Token is not present. Check your header and try '
         . 'again"}$'],
        ['GET /api/main/status-session', ['Authorization: Bearer bad'], undef,
         '401 {"error":"Check that the Session and Token are correct"}$'],
        ['GET /api/second/status-session', @token, undef, '401'],
        ['GET /api/main/status-session', @token, undef,
         '200 {"qrcode":null,"status":"CONNECTED"'],
        ["GET /api/main:$token/status-session", [], undef, '200 CONNECTED'],
        ['GET /api/second/status-session', $other{second}, undef,
         '200 INITIALIZING'],
        ['GET /api/third/status-session', $other{third}, undef,
         '200 "status":"QRCODE"'],
        ['GET /api/fifth/status-session', $other{fifth}, undef, '200 CLOSED'],
        ['GET /api/nobody/status-session', $other{nobody}, undef,
         '200 {"qrcode":null,"status":"CLOSED"}$'],
        ['GET /api/main/check-connection-session', @token, undef,
         '200 {"message":"Connected","status":true}$'],
        ['GET /api/nobody/check-connection-session', $other{nobody}, undef,
         '200 {"message":"Disconnected","status":false}$'],
        ['GET /api/main/get-phone-number', @token, undef,
         '200 "response":"966500000001@c.us"'],
        ['GET /api/third/get-phone-number', $other{third}, undef, '404'],
        [$send, @token, { phone => '9665', message => 'hi' },
         '201 "response":[{ ... "id":"true_9665@c.us_3EB0 ... '
         . '"status":"success"'],
        [$send, [], { phone => '9665', message => 'hi' }, '401'],
        ['POST /api/third/send-message', $other{third},
         { phone => '9665', message => 'hi' },
         '404 {"message":"A sessão do WhatsApp não está ativa.",'
         . '"response":null,"session":"third","status":"Disconnected"}$'],
        ['POST /api/nobody/send-message', $other{nobody},
         { phone => '9665', message => 'hi' },
         '404 "session":"","status":"Disconnected"}$'],
        [$send, @token, { phone => 9665, message => 'hi' },
         '404 "session":"main","status":"Disconnected"}$'],
        ['POST /API/main/Send-Message/', @token,
         { phone => '9665', message => 'hi' }, '201 true_9665@c.us'],
        ['POST /api/main/send%2Dmessage', @token,
         { phone => '9665', message => 'hi' }, '404 Cannot POST'],
        ['GET /api/Main/status-session', @token, undef, '401'],
        ['GET /api//main/status-session', @token, undef, '404'],
        [$send, @token, { phone => '966511111111', message => 'hi' },
         '400 O número 966511111111 não existe.'],
        [$send, @token, { message => 'hi' },
         '201 {"mapper":"return","response":[],"session":"main",'
         . '"status":"success"}$'],
        [$send, [@{$token[0]}, 'Content-Type: application/json; '
                 . 'charset=utf-8'], '{"message":"hi"}',
         '400 "Error sending message"$'],
        [$send, @token, { phone => '9665' }, '500 Erro ao enviar a mensagem.'],
        ['POST /api/main/send-file', @token,
         { phone => '9665', base64 => 'data:text/plain;base64,QUJD' },
         '201 "response":[{"ack":1,"id":"true_9665@c.us'],
        ['POST /api/main/send-file', @token, { phone => '9665' },
         '500 Erro ao enviar a mensagem.'],
        ['POST /api/main/send-file',
         [@{$token[0]}, 'Content-Type: application/json; charset=utf-8'],
         '{"phone":"9665"}', '401 Sending the file is mandatory'],
        ['GET /api/main/check-number-status/966511111111', @token, undef,
         '200 "numberExists":false'],
        ['GET /healthz', [], undef, '200 OK'],
    );

    $fake->forget;
    is(request($fake, $send, @token, { message => 'hi', phone => ['1@c.us',
        '966511111111', '2'] })->{status}, 400, 'wppconnect: one is wrong');
    is(join(' ', map { $_->{to} } $fake->sent), '1@c.us 2@c.us',
       'wppconnect: and it goes on sending');

    answers($fake, 'wppconnect',
        ['POST /api/main/close-session', @token, undef, '200'],
        ['POST /api/third/close-session', $other{third}, undef, '500'],
        ['POST /api/nobody/close-session', $other{nobody}, undef, '500'],
        ['GET /api/third/status-session', $other{third}, undef, '200 CLOSED'],
        ['POST /api/bad/start-all', [], undef, '400'],
        ['POST /api/second/bad/clear-session-data', [], undef, '400'],
        ['POST /api/main/logout-session', @token, undef, '200'],
        ['GET /api/k-1/show-all-sessions', [], undef,
         '200 {"response":["main","second",'],
        ['GET /unhealthy', [], undef, '503 $']);

    is($fake->count('danger'), 7, 'wppconnect: what is dangerous is seen');
    ok(poll { !IO::Socket::INET->new(PeerAddr => $fake->name) },
       'wppconnect: the server has ended');
    is(truth($fake), 'main:-:down:CLOSED second:-:starting:INITIALIZING'
       . ' third:966500000003:ready:CONNECTED'
       . ' fourth:966500000004:ready:CONNECTED'
       . ' fifth:966500000005:ready:CONNECTED'
       . ' sixth:966500000006:ready:CONNECTED', 'wppconnect: and it was done');
}


{
    my $fake = fake('gowa', key => 'u:p', strangers => ['966511111111']);
    my $basic = 'Authorization: Basic dTpw';
    my @key = ([$basic]);
    my %of = map { $_ => [$basic, "X-Device-Id: $_"] }
             qw(main second third fourth fifth sixth);
    my $send = 'POST /send/message';
    my %text = (phone => '9665', message => 'hi');

    is(truth($fake), 'main:966500000001:ready:logged_in'
       . ' second:966500000002:starting:connecting third:-:login:connected'
       . ' fourth:966500000004:down:disconnected'
       . ' fifth:966500000005:down:disconnected', 'gowa: the truth');

    answers($fake, 'gowa',
        ['GET /devices', [], undef, '401 Unauthorized$'],
        ['GET /devices', ['Authorization: Basic YmFk'], undef, '401'],
        ['GET /devices', @key, undef,
         '200 "results":[{"id":"main", ... "state":"logged_in","jid":'
         . '"966500000001@s.whatsapp.net" ... {"id":"third","state":'
         . '"connected","created_at" ... ]}$'],
        ['GET /health', [], undef, '200 OK$'],
        ['GET /app/status', $of{main}, undef,
         '200 "is_connected":true,"is_logged_in":true,'
         . '"jid":"966500000001@s.whatsapp.net"'],
        ['GET /app/status', [$basic,
            'X-Device-Id: 966500000001@s.whatsapp.net'], undef,
         '200 "device_id":"main"'],
        ['GET /app/status?device_id=third', @key, undef,
         '200 "is_connected":true,"is_logged_in":false'],
        ['GET /app/status?device_id=third', $of{main}, undef,
         '200 "device_id":"main"'],
        ['GET /app/status', $of{sixth}, undef,
         '404 {"code":"DEVICE_NOT_FOUND", ... "device_id":"sixth"'],
        ['GET /app/status', @key, undef, '400 {"code":"DEVICE_ID_REQUIRED"'],
        ['GET /devices/main/status', @key, undef, '200 "is_logged_in":true'],
        ['GET /devices/nobody/status', @key, undef,
         '500 {"code":"INTERNAL_SERVER_ERROR","message":"device nobody not '
         . 'found"}$'],
        [$send, $of{main}, { %text },
         '200 {"code":"SUCCESS", ... "results":{"message_id":"3EB0'],
        [$send, [$basic, 'X-Device-Id: main',
            'Content-Type: application/x-www-form-urlencoded'],
         'phone=%2B9665&message=a+b', '200 "message_id":"3EB0'],
        [$send, @key, { %text }, '400 DEVICE_ID_REQUIRED'],
        [$send, $of{third}, { %text },
         '401 {"code":"AUTHENTICATION_ERROR","message":"you are not logged '
         . 'in"}$'],
        [$send, $of{fourth}, { %text },
         '401 {"code":"AUTHENTICATION_ERROR","message":"you are not connect'],
        [$send, $of{fifth}, { %text }, '500 {"code":"INVALID_WA_CLI"'],
        [$send, $of{main}, { %text, phone => '966511111111' },
         '400 {"code":"INVALID_JID"'],
        [$send, $of{main}, { %text, phone => '9665@c.us' },
         "500 can't send message to unknown server c.us"],
        [$send, $of{main}, { phone => '9665' }, '400 VALIDATION_ERROR'],
        [$send, $of{main}, { %text, phone => '0566' }, '400 VALIDATION_ERROR'],
        [$send, [@{$of{main}}, 'Content-Type: application/json'], '{',
         '500 {"code":"INTERNAL_SERVER_ERROR"'],
        ['POST /send/image', $of{main},
         { phone => '9665', image_url => 'https://x.example.com/a.png' },
         '200 "message_id":"3EB0'],
        ['POST /send/file', $of{main}, { phone => '9665' },
         '400 VALIDATION_ERROR'],
        ['GET /user/check?phone=966511111111', $of{main}, undef,
         '200 "is_on_whatsapp":false'],
        ['GET /nothing', $of{main}, undef, '404 Not Found'],
    );

    is(join(' ', map { "$_->{to}:" . ($_->{text} || $_->{media}{link}) }
                 $fake->sent),
       '9665@s.whatsapp.net:hi 9665@s.whatsapp.net:a b '
       . '9665@s.whatsapp.net:https://x.example.com/a.png',
       'gowa: what was sent');

    $fake->session('main', throttled => 1);
    answers($fake, 'gowa',
        [$send, $of{main}, { %text }, '429 {"code":"WA_REACHOUT_TIMELOCK"'],
        ['GET /app/reconnect', $of{fourth}, undef, '200 Reconnect success'],
        ['POST /devices/main/logout', @key, undef, '200 Logout requested'],
        ['DELETE /devices/third', @key, undef, '200 Device removed'],
        ['DELETE /devices/second', @key, undef, '200 Device removed'],
        ['GET /app/logout', $of{fourth}, undef, '200 Success logout']);

    is($fake->count('danger'), 5, 'gowa: what is dangerous is seen');
    is(truth($fake), 'main:-:down:disconnected fourth:-:down:disconnected'
       . ' fifth:966500000005:down:disconnected', 'gowa: and done');

    $fake->sessions([{ name => 'only', number => '966500000009' }]);
    answers($fake, 'gowa',
        [$send, @key, { %text }, '200 "message_id":"3EB0']);
    is(($fake->sent)[-1]{session}, 'only',
       'gowa: the only device is taken in silence');

    $fake->sessions([]);
    answers($fake, 'gowa',
        ['GET /devices', @key, undef,
         '200 {"code":"SUCCESS","message":"List devices"}$']);
}


{
    my $fake = fake('wuzapi', strangers => ['966511111111']);
    my @admin = (['Authorization: k-1']);
    my %of = map { $_ => ['token: ' . $fake->token($_)] }
             qw(main second third fourth fifth sixth);
    my $token = $fake->token('main');
    my $send = 'POST /chat/send/text';
    my %text = (Phone => '9665', Body => 'hi');

    is(truth($fake), 'main:966500000001:ready:true,true'
       . ' second:966500000002:down:false,true third:-:login:true,false'
       . ' fourth:966500000004:down:false,false'
       . ' fifth:966500000005:down:false,false'
       . ' sixth:966500000006:down:false,false', 'wuzapi: the truth');

    answers($fake, 'wuzapi',
        ['GET /admin/users', [], undef,
         '401 {"code":401,"error":"unauthorized","success":false}$'],
        ['GET /admin/users', ['Authorization: Bearer k-1'], undef, '401'],
        ['GET /admin/users', $of{main}, undef, '401'],
        ['GET /admin/users', @admin, undef,
         '200 {"code":200,"data":[{"connected":true, ... "jid":'
         . '"966500000001:12@s.whatsapp.net","loggedIn":true,'
         . '"name":"main" ... ' . qq("token":"$token" ... )
         . '"jid":"","loggedIn":false,'
         . '"name":"third" ... ],"success":true}'],
        ['GET /session/status', [], undef,
         '401 {"code":401,"error":"unauthorized","success":false}$'],
        ['GET /session/status', ['token: bad'], undef, '401'],
        ['GET /session/status', @admin, undef, '401'],
        ['GET /session/status', $of{main}, undef,
         '200 "connected":true, ... "jid":"966500000001:12@s.whatsapp.net",'
         . '"loggedIn":true'],
        ["GET /session/status?token=$token", [], undef, '200 "name":"main"'],
        ['GET /session/status', $of{sixth}, undef,
         '200 "connected":false, ... "loggedIn":false'],
        [$send, $of{main}, { %text },
         '200 {"code":200,"data":{"Details":"Sent","Id":"3EB0'],
        [$send, $of{main}, { phone => '9665', body => 'hi', id => 'MINE' },
         '200 "Id":"MINE"'],
        [$send, ['token: bad'], { %text }, '401'],
        [$send, $of{main}, { Phone => '9665' },
         '400 {"code":400,"error":"missing Body in Payload",'
         . '"success":false}$'],
        [$send, $of{main}, '{', '400 could not decode Payload'],
        [$send, $of{main}, { %text, Phone => '9665@c.us' },
         '500 unknown server c.us'],
        [$send, $of{third}, { %text }, '500 error sending message: '],
        [$send, $of{fourth}, { %text },
         '500 error sending message: websocket not connected'],
        [$send, $of{fifth}, { %text },
         '500 {"code":500,"error":"no session","success":false}$'],
        [$send, $of{sixth}, { %text }, '500 no session'],
        ['POST /chat/send/document', $of{main}, { Phone => '9665@g.us',
            Document => 'data:text/plain;base64,QUJD', FileName => 'a.txt' },
         '200 "Id":"3EB0'],
        ['POST /chat/send/document', $of{main},
         { Phone => '9665', Document => 'data:text/plain;base64,QUJD' },
         '400 missing FileName in Payload'],
        ['POST /user/check', $of{main}, { Phone => ['966511111111'] },
         '200 "IsInWhatsapp":false'],
        ['GET /health', [], undef, '200 "logged_in_users":1'],
        ['GET /nothing', [], undef, '404 404 page not found'],
        ['POST /admin/users', @admin, { name => 'new', token => 't-1' },
         '201 "token":"t-1"'],
        ['POST /admin/users', @admin, { name => 'more', token => 't-1' },
         '409'],
    );

    is(join(' ', map { "$_->{to}:$_->{id}" } ($fake->sent)[1]),
       '9665@s.whatsapp.net:MINE', 'wuzapi: what was sent');

    my $id = decode_json(request($fake, 'GET /session/status',
                                 $of{fourth})->{body})->{data}{id};

    answers($fake, 'wuzapi',
        ['POST /session/connect', $of{main}, {}, '409'],
        ['POST /session/connect', $of{fifth}, {}, '200 Connected!'],
        ['POST /session/disconnect', $of{main}, {}, '200 Disconnected'],
        ['POST /session/logout', $of{main}, {}, '500 no session'],
        ["DELETE /admin/users/$id/full", @admin, undef, '200 deleted']);

    is($fake->count('danger'), 3, 'wuzapi: what is dangerous is seen');
    like(truth($fake), qr/^main:966500000001:down:false,false .*
                          \ fifth:966500000005:ready:true,true/x,
         'wuzapi: and done');

    # names need not be unique
    $fake->session('second', display => 'main');
    like(($fake->truth)[0]{session}, qr/^[0-9a-f]{12}$/,
         'wuzapi: two of one name');
}


{
    my $fake = fake('evolution-go', strangers => ['966511111111']);
    my @key = (['apikey: k-1']);
    my %of = map { $_ => ['apikey: ' . $fake->token($_)] }
             qw(main second third fourth fifth sixth);
    my $token = $fake->token('main');
    my $send = 'POST /send/text';
    my %text = (number => '9665', text => 'hi');

    is(truth($fake), 'main:966500000001:ready:true'
       . ' second:966500000002:down:false third:-:down:false'
       . ' fourth:966500000004:down:false fifth:966500000005:down:false'
       . ' sixth:966500000006:down:false', 'evolution-go: the truth');

    answers($fake, 'evolution-go',
        ['GET /instance/all', [], undef, '401 {"error":"not authorized"}$'],
        ['GET /instance/all', $of{main}, undef, '401'],
        ['GET /instance/all', @key, undef,
         '200 {"data":[{ ... "name":"main","token":"' . $token . '" ... '
         . '"jid":"966500000001:12@s.whatsapp.net" ... "connected":true ... '
         . '"name":"third" ... "jid":"", ... "connected":false ... '
         . '],"message":"success"}$'],
        ['GET /instance/status', @key, undef, '401'],
        ['GET /instance/status', $of{main}, undef,
         '200 "Connected":true,"LoggedIn":true,"Name":"main"'],
        ['GET /instance/status', $of{third}, undef, '200 "LoggedIn":false'],
        ['GET /instance/status', $of{fifth}, undef,
         '400 {"error":"no active session found"}$'],
        [$send, $of{main}, { %text },
         '200 {"data":{"Info":{ ... "ID":"3EB0 ... },"message":"success"}$'],
        [$send, $of{main}, { %text, id => 'MINE', number => '966@lid' },
         '200 "Chat":"966@lid","ID":"MINE"'],
        [$send, [], { %text }, '401'],
        [$send, @key, { %text }, '401'],
        [$send, $of{main}, { number => '9665' },
         '400 {"error":"message body is required"}$'],
        [$send, [@{$of{main}}, 'Content-Type: application/json'], '{',
         '400 Invalid JSON format'],
        [$send, $of{main}, { %text, number => '966511111111' },
         '500 is not registered on WhatsApp'],
        [$send, $of{third}, { %text },
         "500 the store doesn't contain a device JID"],
        [$send, $of{fourth}, { %text },
         '500 {"error":"client disconnected"}$'],
        [$send, $of{sixth}, { %text },
         '500 {"error":"no active session found"}$'],
        ['POST /send/media', $of{main}, { number => '9665', type => 'image',
            url => 'https://x.example.com/a.png' }, '200 "ID":"3EB0'],
        ['POST /send/media', $of{main}, { number => '9665', type => 'image' },
         '400 {"error":"URL is required"}$'],
        ['GET /server/ok', [], undef, '200'],
        ['GET /Send/text', $of{main}, undef, '404 404 page not found$'],
        ['POST /instance/create', @key, { name => 'main', token => 't' },
         '500 instance already exists'],
        ['POST /instance/create', @key, { name => 'new', token => 't' },
         '200 "token":"t"'],
    );

    is(join(' ', map { "$_->{to}:" . ($_->{text} || $_->{media}{link}) }
                 $fake->sent),
       '9665@s.whatsapp.net:hi 966@lid:hi '
       . '9665@s.whatsapp.net:https://x.example.com/a.png',
       'evolution-go: what was sent');

    $fake->set(unlicensed => 1);
    answers($fake, 'evolution-go',
        [$send, $of{main}, { %text }, '503 "code":"LICENSE_REQUIRED"'],
        ['GET /server/ok', [], undef, '200']);
    $fake->set(unlicensed => 0);

    my ($id) = request($fake, 'GET /instance/all', @key)->{body}
               =~ /"id":"([^"]*)","name":"fourth"/;
    answers($fake, 'evolution-go',
        ['POST /instance/connect', $of{fifth}, {}, '200 966500000005'],
        ['POST /instance/disconnect', $of{main}, undef, '200'],
        ['DELETE /instance/logout', $of{third}, undef, '200'],
        ["DELETE /instance/delete/$id", @key, undef, '200']);

    is($fake->count('danger'), 3, 'evolution-go: what is dangerous is seen');
    is(truth($fake), 'main:966500000001:down:false'
       . ' second:966500000002:down:false third:-:down:false'
       . ' fifth:966500000005:ready:true sixth:966500000006:down:false'
       . ' new:-:down:false', 'evolution-go: and done');
}


{
    my $fake = fake('quepasa');
    my @key = (['X-QUEPASA-MASTERKEY: K-1']);
    my %of = map { $_ => ['X-QUEPASA-TOKEN: ' . $fake->token($_)] }
             qw(main second third fourth fifth sixth);
    my $token = $fake->token('main');
    my $send = 'POST /send';
    my %text = (chatid => '966511111111@s.whatsapp.net', text => 'hi');
    my $unknown = '400 {"status":"the requested whatsapp server was not '
                  . 'found","success":false}$';

    is(truth($fake) =~ s/(^| )[0-9a-f]{12}:/$1:/gr,
       ':966500000001:ready:Ready :966500000002:starting:Connecting'
       . ' :-:login:UnVerified :966500000004:down:Disconnected'
       . ' :966500000005:down:Stopped', 'quepasa: the truth');

    answers($fake, 'quepasa',
        ['GET /health', [], undef, '200 application is running'],
        ['GET /health', ['X-QUEPASA-MASTERKEY: bad'], undef,
         '200 application is running'],
        ['GET /health', @key, undef,
         '400 {"success":false, ... "items":[{"token":"' . $token . '","wid":'
         . '"966500000001:12@s.whatsapp.net","state":"Ready" ... '
         . '"state":"UnVerified" ... "state":"Stopped" ... ]'],
        ['GET /health', $of{main}, undef, '200 server state is Ready'],
        ['GET /health', $of{second}, undef,
         '200 "state":"Connecting" ... "success":false'],
        ['GET /health?token=bad', [], undef, '200 invalid token'],
        [$send, $of{main}, { %text },
         '200 "message":{ ... "id":"3EB0 ... "success":true}$'],
        ["$send?token=$token", [], { %text }, '200 "id":"3EB0'],
        ["$send?TOKEN=$token", $of{third}, { %text }, '200 "id":"3EB0'],
        ["POST /v3/bot/$token/send", $of{third}, { %text }, '200 "id":"3EB0'],
        ["POST /api/v4/send", $of{main}, { %text, id => 'MINE' },
         '200 "id":"MINE"'],
        ["GET /send?token=$token&chatid=96651111111&text=a", [], undef,
         '200 "chatId":"96651111111@s.whatsapp.net"'],
        [$send, [], { %text }, $unknown],
        [$send, $of{sixth}, { %text }, $unknown],
        [$send, $of{second}, { %text },
         '503 not ready yet ! current status: Connecting'],
        [$send, $of{main}, { text => 'x' }, '400 chat id missing'],
        [$send, $of{main}, { %text, chatid => '966511111111@c.us' },
         '400 invalid suffix'],
        [$send, $of{main}, { %text, text => '' }, '400 text not found'],
        [$send, $of{main}, { %text, text => ' poll:x' }, '400 json poll'],
        [$send, [@{$of{main}}, 'Content-Type: application/json'], '{',
         '400 invalid json body'],
        [$send, $of{main}, { chatid => $text{chatid}, mime => 'image/png',
            content => 'data:image/png;base64,QUJD' }, '200 "id":"3EB0'],
        ['POST /send/', $of{main}, { %text }, '404'],
        ['POST /Send', $of{main}, { %text }, '404'],
        ['POST /s%65nd', $of{main}, { %text }, '404'],
    );

    is(join(' ', map { "$_->{session}:"
                       . ($_->{media} ? $_->{media}{length} : $_->{text}) }
                 $fake->sent),
       'main:hi main:hi main:hi main:hi main:hi main:a main:4',
       'quepasa: what was sent');

    answers($fake, 'quepasa',
        ['POST /info', ['X-QUEPASA-TOKEN: new'], undef, '200'],
        ['GET /command?action=stop', $of{main}, undef, '200'],
        ['GET /command?action=start', $of{fifth}, undef, '200'],
        ['DELETE /current/info', $of{fourth}, undef, '200']);

    is($fake->count('danger'), 3, 'quepasa: what is dangerous is seen');
    is(truth($fake) =~ s/(^| )[0-9a-f]{12}:/$1:/gr,
       ':966500000001:down:Stopped :966500000002:starting:Connecting'
       . ' :-:login:UnVerified :966500000005:ready:Ready'
       . ' :-:login:UnVerified', 'quepasa: and done');

    $fake->sessions([{ name => 'main', number => '9665' }]);
    answers($fake, 'quepasa', ['GET /health', @key, undef, '200 "items":[{']);
    $fake->sessions([]);
    answers($fake, 'quepasa',
        ['GET /health', @key, undef, '400 {"success":false']);
    unlike(request($fake, 'GET /health', @key)->{body}, qr/items/,
           'quepasa: none has no items');
}


{
    my $fake = fake('openwa', strangers => ['966511111111']);
    my @key = (['X-API-Key: k-1']);
    my $send = 'POST /api/sessions/main/messages/send-text';
    my %text = (chatId => '9665@c.us', text => 'hi');

    is(truth($fake), 'main:966500000001:ready:ready'
       . ' second:-:starting:initializing third:-:login:qr_ready'
       . ' fourth:-:down:failed fifth:-:down:disconnected',
       'openwa: the truth');

    answers($fake, 'openwa',
        ['GET /api/sessions', [], undef, '401 "statusCode":401'],
        ['GET /api/sessions', ['Authorization: Bearer k-1'], undef, '200 ['],
        ['GET /api/sessions?limit=1000', @key, undef,
         '200 [{"id":"main", ... "status":"ready","phone":"966500000001" ... '
         . '{"id":"third", ... "status":"qr_ready","phone":null ... ]$'],
        ['GET /api/sessions?name=main', @key, undef, '200 [{"id":"main"'],
        ['GET /api/sessions/main', @key, undef, '200 {"id":"main"'],
        ['GET /api/sessions/sixth', @key, undef, '404 not found'],
        ['GET /api/health', [], undef, '200'],
        [$send, @key, { %text },
         '201 {"messageId":"true_9665@c.us_3EB0'],
        [$send, [], { %text }, '401'],
        [$send, @key, { %text, phone => 1 },
         '400 "message":["property phone should not exist"]'],
        [$send, @key, { chatId => '1@c.us' }, '400 text must be a string'],
        [$send, @key, { %text, chatId => '966511111111@c.us' },
         '400 not reachable'],
        ['POST /api/sessions/second/messages/send-text', @key, { %text },
         '409 not connected'],
        ['POST /api/sessions/fifth/messages/send-text', @key, { %text },
         "400 Session 'fifth' is not active"],
        ['POST /api/sessions/sixth/messages/send-text', @key, { %text },
         '400 is not active'],
        ['POST /API/Sessions/main/messages/send-image/', @key,
         { chatId => '9665@c.us', base64 => 'QUJD', mimetype => 'image/png' },
         '201 "messageId"'],
        ['POST /api/sessions/main/messages/send-image', @key,
         { chatId => '9665@c.us', base64 => 'QUJD' }, '400 mimetype'],
        ['POST /api/sessions', @key, { name => 'main' }, '409'],
        ['POST /api/sessions', @key, { name => 'new' }, '201 "disconnected"'],
        ['GET /api/sessions/third/qr', @key, undef, '200 qrCode'],
    );

    is(join(' ', map { "$_->{to}:" . ($_->{text} || $_->{media}{length}) }
                 $fake->sent), '9665@c.us:hi 9665@c.us:4',
       'openwa: what was sent');

    answers($fake, 'openwa',
        ['POST /api/sessions/main/stop', @key, undef, '200 "disconnected"'],
        ['POST /api/sessions/fifth/start', @key, undef, '200 "ready"'],
        ['DELETE /api/sessions/fourth', @key, undef, '204 $']);

    is($fake->count('danger'), 2, 'openwa: what is dangerous is seen');
    is(truth($fake), 'main:-:down:disconnected second:-:starting:initializing'
       . ' third:-:login:qr_ready fifth:966500000005:ready:ready'
       . ' new:-:down:disconnected', 'openwa: and done');
}


# A send, of each vendor: its line and its key.
my %send = (
    waha => ['POST /api/sendText', 'X-Api-Key: k'],
    evolution => ['POST /message/sendText/main', 'apikey: k'],
    wwebjs => ['POST /client/sendMessage/main', 'x-api-key: k'],
    wppconnect => ['POST /api/main:TOKEN/send-message', 'X: k'],
    gowa => ['POST /send/message', 'Authorization: Basic aw=='],
    wuzapi => ['POST /chat/send/text', 'token: t'],
    'evolution-go' => ['POST /send/text', 'apikey: t'],
    quepasa => ['POST /send', 'X-QUEPASA-TOKEN: t'],
    openwa => ['POST /api/sessions/main/messages/send-text', 'X-API-Key: k'],
);


# A message to this number, and the answer to it.
sub send_to {
    my ($fake, $number, %o) = @_;
    my ($line, $key) = @{$send{$fake->{vendor}}};

    $line =~ s/TOKEN/decode_json(request($fake,
        'POST \/api\/main\/k\/generate-token')->{body})->{token}/e;

    # they take no members that they do not know, or not that one
    return request($fake, $line, [$key], {
        chatId => "$number\@c.us", text => 'x' }, %o)
        if $fake->{vendor} eq 'openwa';
    return request($fake, $line, [$key], {
        chatid => "$number\@s.whatsapp.net", text => 'x' }, %o)
        if $fake->{vendor} eq 'quepasa';

    return request($fake, $line, [$key], {
        session => 'main', chatId => "$number\@c.us", text => 'x',
        number => $number, contentType => 'string', content => 'x',
        phone => $number, message => 'x', body => 'x' }, %o);
}


# The unproved.
{
    my %unproved = (
        waha => qr/^201 (?!.*"id")/, evolution => qr/^201 $/,
        wwebjs => qr/^200 \{"success":true\}$/,
        wppconnect => qr/^201 .*"isSendFailure":true/,
        gowa => qr/^200 .*"message_id":""/,
        wuzapi => qr/^500 .*"success":true/,
        'evolution-go' => qr/^200 (?!.*"ID")/,
        quepasa => qr/^200 (?!.*"id")/,
        openwa => qr/^201 .*"unconfirmed":true/,
    );

    for my $vendor (sort keys %unproved) {
        my $fake = WaGateway::Vendor->new($vendor, key => 'k', sessions => [
            { name => 'main', number => '9665', token => 't' }]);

        $fake->misbehave('send', 'unproved');

        my $r = send_to($fake, '9665');

        like("$r->{status} $r->{body}", $unproved{$vendor},
             "$vendor: unproved");
        is($fake->sent, 1, 'though it was sent');
    }
}


# Sends that go wrong, before and after the message was sent.
{
    my %wrong = (
        waha => [
            'not_connected 422 ... "expected":["WORKING"]',
            'unknown 404 We didn\'t find a session with name',
            'bad_key 401 Unauthorized', 'bad_body 400 Bad Request',
            'no_id +201 "fromMe":true', 'empty +201 $',
            'gone_on +500 Internal server error'],
        evolution => [
            'not_connected 400 Error: Connection Closed',
            'unknown 404 The \\"main\\" instance does not exist',
            'bad_key 401 Unauthorized', 'licence 503 LICENSE_REQUIRED',
            'not_on_whatsapp 400 "exists":false', 'bad_body 400',
            'no_id +201 PENDING', 'empty +201 $',
            'gone_on +400 Error: Timed Out'],
        wwebjs => [
            'not_connected 404 session_not_connected',
            'unknown 404 session_not_found', 'bad_key 403 Invalid API key',
            'not_on_whatsapp 200 {"success":true}$', 'no_lid 500',
            'bad_body 400',
            'no_id +200 {"success":true}$', 'empty +200 $', 'gone_on +500'],
        wppconnect => [
            'not_connected 404 Disconnected', 'unknown 404 Disconnected',
            'bad_key 401', 'bad_body 500 Erro ao enviar',
            'not_on_whatsapp 400 Connected', 'no_id +201 "response":[]',
            'send_failure +201 "isSendFailure":true', 'empty +201 $',
            'gone_on +500 Erro ao enviar'],
        gowa => [
            'not_connected 401 AUTHENTICATION_ERROR',
            'no_client 500 INVALID_WA_CLI', 'unknown 404 DEVICE_NOT_FOUND',
            'bad_key 401 Unauthorized$', 'not_on_whatsapp 400 INVALID_JID',
            'bad_body 400 VALIDATION_ERROR',
            'malformed 500 INTERNAL_SERVER_ERROR',
            'throttled 429 WA_REACHOUT_TIMELOCK',
            'no_id +200 "message_id":""', 'empty +200 $',
            'gone_on +504 GATEWAY_TIMEOUT'],
        wuzapi => [
            'not_connected 500 websocket not connected',
            'unknown 401 unauthorized', 'bad_key 401 unauthorized',
            'bad_body 400 missing Body', 'no_id +200 "Details":"Sent"',
            '500_success +500 "success":true', 'empty +200 $',
            'not_on_whatsapp 500 error sending message',
            'throttled 500 error sending message',
            'gone_on +500 error sending message'],
        'evolution-go' => [
            'not_connected 500 {"error":"client disconnected"}$',
            'no_client 500 {"error":"no active session found"}$',
            'unknown 401 not authorized', 'bad_key 401 not authorized',
            'licence 503 LICENSE_REQUIRED',
            'not_on_whatsapp 500 is not registered',
            'throttled 500 463', 'bad_body 400 message body is required',
            'no_id +200 "message":"success"', 'empty +200 $',
            'gone_on +500 timed out'],
        quepasa => [
            'not_connected 503 not ready yet', 'unknown 400 was not found',
            'bad_key 400 was not found', 'not_on_whatsapp 400',
            'throttled 400 463', 'bad_body 400 text not found',
            'no_id +200 sended', 'empty +200 $', 'gone_on +400 timed out'],
        openwa => [
            'not_connected 409 not connected', 'stopped 400 is not active',
            'unknown 404 not found', 'bad_key 401', 'not_on_whatsapp 400',
            'bad_body 400 should not exist', 'too_large 413',
            'not_supported 501', 'throttled 429 SEND_PACING_LIMITED',
            'no_id +201 "messageId":""', 'unconfirmed +201 {"messageId":null',
            'empty +201 $', 'gone_on +503'],
    );

    for my $vendor (sort keys %wrong) {
        my $fake = WaGateway::Vendor->new($vendor, key => 'k', sessions => [
            { name => 'main', number => '9665', token => 't' }]);

        for (@{$wrong{$vendor}}, 'stack +500 "body":"{', 'big +20 "aa":"xx') {
            my ($mode, $sent, $text) = /^(\w+) (\+?)(.*)/;

            my $like = join '.*', map { quotemeta }
                       split / ?\.\.\. ?|(?<=\d) /, $text, -1;
            $like =~ s/\\\$\z/\\z/;

            $fake->set(send => $mode);
            $fake->forget;
            my $r = send_to($fake, '9665');

            ok("$r->{status} $r->{body}" =~ /^$like/s
               && $fake->sent == ($sent ? 1 : 0), "$vendor: $mode")
                or diag("$r->{status} " . substr $r->{body}, 0, 500);
        }

        # of a session, of a recipient
        $fake->set(send => '', sends => { 96611 => 'bad_key' });
        like(send_to($fake, '9665')->{status}, qr/^20[01]$/,
             "$vendor: it is over");
        like(send_to($fake, '96611')->{status}, qr/^40[013]$/,
             'but for one recipient');
        $fake->session('main', send => 'gone_on');
        like(send_to($fake, '9665')->{status}, qr/^[45]0[034]$/,
             'and of one session');
    }

    my $fake = WaGateway::Vendor->new('gowa', key => 'k', retry_after => 7,
        sessions => [{ name => 'main', number => '9665' }]);

    $fake->set(send => 'throttled');
    is(send_to($fake, '9665')->{headers}{'retry-after'}, 7,
       'throttled for so long');

    # an answer that is kept back
    $fake->set(send => 'hold');
    my $s = send_to($fake, '9665', later => 1);
    poll { $fake->held };
    is($fake->sent, 1, 'held: it was sent');
    is(read_answer($s, 'POST', timeout => 0.05)->{status}, 0,
       'held: but not answered');
    is($fake->release, 1, 'held: it is let go');
    is(read_answer($s, 'POST', socket => $s)->{status}, 200,
       'held: and answered');

    $fake->set(send => 'reset');
    is(send_to($fake, '9665')->{status}, 0, 'a send whose connection ends');
    $fake->set(send => 'timeout');
    $s = send_to($fake, '9665', later => 1);
    poll { $fake->sent == 3 };
    $fake->set(send => 'slow:0.1');
    my $start = time;
    is(send_to($fake, '9665')->{status}, 200, 'one that is slow');
    cmp_ok(time - $start, '>=', 0.09, 'and so it is');
    is(read_answer($s, 'POST', timeout => 0.05)->{status}, 0,
       'one that is never answered');
    is($fake->sent, 4, 'all of them were sent');
    like(($fake->ledger)[1]{answer}, qr/"message_id":"3EB0/,
         'what was answered is kept');
}


# Which session a request is taken for, by the rules of the real one's
# framework: what is not told is none.
{
    my %taken = (
        waha => [
            'GET /api/main/chats main',
            'GET /API/main/Chats/ main',
            'GET /api/m%61in/lids main',
            'GET /api/contacts/chats contacts',
            'GET /api/contacts/all?session=main main',
            'GET /api/contacts/all?session[]=main main',
            'GET /api/contacts/all?[session]=main main',
            'GET /api/contacts/all?session=main&session=second main,second',
            'GET /api/contacts/all?x.session=main -',
            'GET /api/sessions/chats chats',
            'GET /api/%73essions/main -',
            'GET /api/nothing/of/the/kind -',
        ],
        evolution => [
            'POST /chat/findChats/main main',
            'POST /chat/findChats/main?instanceName=second second',
            'POST /chat/findChats/main?%69nstanceName=second second',
            'POST /chat/findChats/main?[instanceName]=second second',
            'GET /dify/fetch/17/main main',
        ],
        wwebjs => [
            'GET /session/qr/main/image main',
            'POST /client/sendSeen/main?sessionId=second main',
            'POST /Client/SENDSEEN/main/ main',
        ],
        wppconnect => [
            'GET /api/main/all-groups main',
            'GET /api/main:t:u/all-groups main',
            'GET /api/main%3At/all-groups main',
            'GET /api/k-1/show-all-sessions -',
        ],
        gowa => [
            'GET /group/info?device_id=main main',
            'GET /GROUP/info?device_id=main main',
            'GET /devices/m%61in/status m%61in',
        ],
        wuzapi => [
            'GET /group/list?token=t-1 main',
            'GET /group/li%73t?token=t-1 main',
            'GET /Group/list?token=t-1 -',
            'GET /group/list/?token=t-1 -',
        ],
        quepasa => [
            'GET /contacts?token=t-1 main',
            'GET /contacts?Token=t-1 main',
            'GET /v3/bot/t-1/receive main',
            'GET /api/v3/bot/t-1/receive?token=t-2 main',
            'GET /current/contacts?token=nobody -',
            'GET /contact%73?token=t-1 -',
            'GET /Contacts?token=t-1 -',
        ],
        openwa => [
            'GET /api/sessions/main/chats main',
            'GET /API/sessions/m%61in/Chats/ main',
            'GET /api/sessions -',
        ],
    );

    for my $vendor (sort keys %taken) {
        my $fake = fake($vendor, sessions => [
            map { { %$_, token => $_->{number} =~ s/.*(?=.$)/t-/r } }
            @sessions ]);
        my $n = 0;

        for (@{$taken{$vendor}}) {
            my ($line) = /^(\S+ \S+)/;
            request($fake, $line, ['X-Case: ' . ++$n]);
        }

        request($fake, "GET /ping");

        is(join("\n", map { "$_->{method} $_->{target} "
                            . (defined $_->{session} ? $_->{session} : '-') }
                      $fake->requests),
           join("\n", @{$taken{$vendor}}), "$vendor: taken for");
    }

    my $fake = fake('gowa', sessions => [{ name => 'only' }]);
    my @basic = ('Authorization: Basic ay0x', 'X-Case: 1');

    request($fake, 'POST /send/link', [@basic], { phone => '1' });
    request($fake, 'POST /send/link?device_id=x', ['X-Device-Id: only',
                                                   @basic], { phone => '1' });
    request($fake, 'POST /send/link?device_id=only', ['X-Device-Id: x',
                                                      @basic], { phone => 1 });

    is(join(' ', map { "$_->{session}:$_->{sent}" } $fake->requests),
       'only:1 only:1 x:0', 'gowa: the header, the query, the only one');
}


done_testing();
