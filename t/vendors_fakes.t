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
    return WaGateway::Vendor->new($vendor, key => 'k-1', sessions => \@sessions,
                                  %o);
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

    my $s = send_request(0, $method, $path, headers => \@headers,
                         body => $body, socket => $o{socket} || connected($fake));

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

    is(truth($fake), 'main:966500000001:ready:WORKING second:-:starting:STARTING'
       . ' third:-:login:SCAN_QR_CODE fourth:-:down:FAILED'
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
                mimetype => 'image/png', filename => 'a.png', data => $big } });
    ($l) = ($fake->sent)[0];
    is("$l->{session} $l->{number} $l->{to} $l->{media}{length} $l->{text}",
       "main 966500000001 9665\@c.us 2000000 \xd9\x85", 'a media that was sent');
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
    $fake->set(ask_delay => 0.3);
    my @s = map { request($fake, $ask, @key, undef, later => 1) } 1 .. 3;
    read_answer($_, 'GET', socket => $_) for @s;
    request($fake, $ask, @key);
    is($fake->asked_at_once, 3, 'questions in flight at once');

    # stop and start
    $fake->set(ask_delay => 60);
    my $lost = request($fake, $ask, @key, undef, later => 1);
    poll { $fake->count('ask') == 5 };
    $fake->stop;
    is(read_answer($lost, 'GET')->{status}, 0, 'stopped: what is in flight ends');
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
    is((grep { $_->{state} eq 'ready' } $many[2]->truth), 20, 'not the others');

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
        ['POST /api/sendFile', @key, { session => 'main', chatId => '9665@c.us',
            file => { mimetype => 'text/plain', data => 'QUJD' } },
         '201 "hasMedia":true'],
        ['POST /api/sendFile', @key, { session => 'main', chatId => '9665@c.us',
            file => { data => 'QUJD' } }, '400'],
        ['GET /api/contacts/check-exists?session=main&phone=966511111111', @key,
         undef, '200 {"numberExists":false}$'],
        ['GET /api/contacts/check-exists?session=main&phone=966522222222', @key,
         undef, '200 "chatId":"966522222222@c.us"'],
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

    is($fake->count('danger'), 5, 'waha: what is dangerous is seen');
    ok(poll { !IO::Socket::INET->new(PeerAddr => $fake->name) },
       'waha: the server was stopped');
    like(truth($fake), qr/^main:-:login/, 'waha: and main logged out');
}


done_testing();
