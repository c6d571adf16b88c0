#!/usr/bin/perl

# A session's QR code and its start by wa_gateway_login: of each vendor by its
# own route and in its own form, for the admin key alone, whatever an instance
# answers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Test::More;
use WaGateway::Nginx qw(http poll read_answer send_request);
use WaGateway::Sessions qw(differs gateway known);
use WaGateway::Vendor;

my @Admin = ('X-Api-Key: admin-secret');
my @Json = (@Admin, 'Content-Type: application/json');

my %key = (gowa => 'admin:hush', waha => 'hush-waha', evolution => 'hush-evo', wwebjs => 'hush-wweb',
           wppconnect => 'hush-wpp', wuzapi => 'hush-wuz', 'evolution-go' => 'hush-go',
           quepasa => 'hush-que', openwa => 'hush-own');
my @six = qw(waha evolution wwebjs wppconnect gowa wuzapi);
my $Keys = qr/hush|YWRtaW46aHVzaA/;

my $n = 0;
my %fake = map {
    my $vendor = $_;
    $vendor => WaGateway::Vendor->new($vendor, key => $key{$vendor}, sessions => [
        { name => "$vendor-in", state => 'login', number => undef },
        { name => "$vendor-off", state => $vendor eq 'wwebjs' ? 'starting' : 'stopped', number => undef },
        { name => "$vendor-up", number => '96650000000' . ++$n } ]);
} @six, qw(evolution-go quepasa openwa);

my $ng = gateway(
    fakes => [map { $fake{$_} } @six, qw(evolution-go quepasa openwa)], workers => 2,
    parameters => 'sessions=100',
    check => 'interval=200ms timeout=2s',
    server => 'wa_gateway_admin_key admin-secret;
               location = /login { wa_gateway_api_key "shop-key"; wa_gateway_login u; }')->start;

my $told = '';

sub login {
    my ($method, $session, %o) = @_;
    my $r = http($ng->port, $method, "/login?session=$session" . ($o{query} || ''),
                 headers => $o{headers} || ($method eq 'POST' ? \@Json : \@Admin),
                 ($method eq 'POST' ? (body => '{}') : ()));

    $told .= join "\n", $r->{whole} // '', $r->{head} // '', $r->{body} // '';
    $r->{json} = eval { decode_json($r->{body}) } || {};
    return $r;
}

sub says {
    my ($r, $status, $code, $name) = @_;
    is("$r->{status} " . ($r->{json}{code} // '-'), "$status $code", $name)
        or diag(substr $r->{body}, 0, 500);
}

sub png {
    my ($r, $name) = @_;
    my ($base64) = ($r->{json}{image} // '') =~ m{^data:image/png;base64,([A-Za-z0-9+/]+=*)\z};
    like($base64 ? decode_base64($base64) : "none: $r->{body}", qr/^\x89PNG\r\n\x1a\n.*IEND/s, $name);
}

is(differs($ng, values %fake), undef, 'the sessions are known');


# Each vendor gives its code, in whatever form.

for my $vendor (@six, qw(evolution-go openwa)) {
    my $fake = $fake{$vendor};
    my $name = $vendor eq 'evolution-go' ? "$vendor-off" : "$vendor-in";

    $fake->forget;
    my $r = login('GET', $name);

    is($r->{status}, 200, "$vendor: the code of one that is to log in");
    png($r, "$vendor: an image");
    is_deeply([@{$r->{json}}{qw(session vendor instance)}], [$name, $vendor, $fake->url],
              "$vendor: whose it is");
    like($r->{json}{refresh}, qr/^[1-9]\d{3,4}\z/, "$vendor: when to ask again");
    like("$r->{head}\n" . ($r->{whole} // ''), qr/^Cache-Control: no-store\r?$/m, "$vendor: not to be stored");

    isnt(login('GET', $name)->{json}{image}, $r->{json}{image}, "$vendor: a new one when asked again")
        if $vendor ne 'evolution';

    $fake->forget;
    $r = login('GET', $name, query => '&code=off');
    ok($r->{status} == 200 && exists $r->{json}{image} && !defined $r->{json}{image} && $r->{json}{state},
       "$vendor: its state alone");
    is($fake->count('login'), 0, "$vendor: for which no code is asked");

    # one that is logged in

    $r = login('GET', "$vendor-up");
    is_deeply([$r->{status}, @{$r->{json}}{qw(state image number)}],
              [200, 'ready', undef, ($fake->truth)[-1]{number}], "$vendor: one that is ready has none");
    is($fake->count('login'), 0, "$vendor: nor is it asked");
    says(login('POST', "$vendor-up"), 409, 'session_ready', "$vendor: nor started");
    is($fake->count('login'), 0, "$vendor: not at all");
}

# Evolution's "connect" makes it connect.

is(known($ng, 'evolution-in', state => 'starting')->{state}, 'starting', 'evolution: it is connecting now');
png(login('GET', 'evolution-in'), 'evolution: and has its code all the same');

my ($in, $off) = map { $_->{session} } $fake{quepasa}->truth;
says(login('GET', $in), 501, 'login_unsupported', 'a vendor that has no way here');
says(login('POST', $off), 501, 'login_unsupported', 'nor to start one');


# Started, it wants to log in, which is known at once; logged in, it is ready.

for my $vendor (qw(waha evolution wppconnect wuzapi gowa openwa)) {
    my $fake = $fake{$vendor};
    my $name = "$vendor-off";

    my $r = login('POST', $name);
    is($r->{status}, 200, "$vendor: one is started") or diag($r->{body});
    png(login('GET', $name), "$vendor: it has a code then");
    ok((poll { login('GET', $name, query => '&code=off')->{json}{state} =~ /^(?:login|starting)$/ }),
       "$vendor: it is known to log in");

    $fake->session($name, state => 'ready', number => '96651' . sprintf '%07d', ++$n);
    ok((poll { login('GET', $name, query => '&code=off')->{json}{state} eq 'ready' }),
       "$vendor: and to be ready once it is logged in");
}

like(($fake{wuzapi}->ledger(qr{^/session/connect}))[0]{body}, qr/"Subscribe":\["All"\]/,
     'wuzapi: with a body');
like(($fake{wppconnect}->ledger(qr{/start-session}))[0]{headers},
     qr{^Content-Type: application/json\r$}m, 'wppconnect: which is JSON');


# Nobody but who has the admin key, from no other page, and nothing else.

my $before = $fake{waha}->count('login');

for (['no key', []], ['a key of clients', ['X-Api-Key: shop-key']], ['a wrong key', ['X-Api-Key: admin']],
     ['the instance\'s key', ['X-Api-Key: hush-waha']])
{
    my ($what, $headers) = @$_;

    for my $method (qw(GET POST)) {
        my $r = login($method, 'waha-in', headers => [@$headers, 'Content-Type: application/json']);
        says($r, 401, 'unauthorized', "$what: $method is refused");
    }
}

my @Foreign = ('Origin: http://evil.example', 'Sec-Fetch-Site: cross-site');

says(login('GET', 'waha-in', headers => [@Json, $_]), 403, 'foreign_origin', "a page elsewhere: $_") for @Foreign;
says(login('POST', 'waha-in', headers => [@Json, $_]), 403, 'foreign_origin', "nor starts it: $_") for @Foreign;
says(login('POST', 'waha-in', headers => [@Admin, 'Content-Type: text/plain']), 415, 'unsupported_media_type',
     'what a form could send');
is(login($_, 'waha-in')->{status}, 405, "$_ is no method") for qw(PUT DELETE PATCH);
is(login('HEAD', 'waha-up')->{status}, 200, 'HEAD is as GET');

is(http($ng->port, 'GET', '/login', headers => \@Admin)->{status}, 400, 'no session is named');
says(login('GET', 'nobody'), 404, 'unknown_session', 'one that nobody has');
says(login('GET', 'waha-in', query => '&instance=' . $fake{gowa}->url), 404, 'unknown_session',
     'nor has that instance');
says(login('GET', 'waha-in%00'), 404, 'unknown_session', 'nor with more behind');

is($fake{waha}->count('login'), $before, 'and no instance hears of all this');


# The same name on two instances.

$fake{waha}->session('twin', state => 'login', number => undef);
$fake{openwa}->session('twin', state => 'login', number => undef);
ok((poll { login('GET', 'twin')->{status} == 409 }), 'two have one of that name');
says(login('GET', 'twin'), 409, 'ambiguous_session', 'it is not guessed which');
png(login('GET', 'twin', query => '&instance=' . $fake{openwa}->url), 'the instance says which');


# Whatever an instance answers, nothing of it but an image is told.

sub answered {
    my ($vendor, $mode, $status, $details, $name) = @_;

    $fake{$vendor}->misbehave(login => $mode);
    my $r = login('GET', "$vendor-in");
    $fake{$vendor}->misbehave(login => undef);

    is("$r->{status} " . ($r->{json}{code} // '-'),
       "$status " . ($status == 502 ? 'bad_gateway' : '-'), "$vendor: $name")
        or diag(substr $r->{body}, 0, 300);
    $status == 502 ? like($r->{json}{details}, $details, "$vendor: why")
                   : is($r->{json}{image}, undef, "$vendor: there is none");
    unlike($r->{body}, qr/<|alert|onload|AAAA/, "$vendor: nothing of it is told");
}

my $svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';
my $json = sub { my ($name, $value) = @_; 'body:' . encode_json({ $name => $value, results => { $name => $value } }) };
my $huge = "\x89PNG\r\n\x1a\n" . 'A' x 300_000;
my $large = "\x89PNG\r\n\x1a\n" . 'A' x 140_000;

for my $vendor (qw(waha evolution gowa)) {
    my $image = $vendor eq 'waha';

    answered($vendor, 'status:500', 502, qr/^status 500$/, 'an error');
    answered($vendor, 'status:302', 502, qr/^status 302$/, 'a redirect');
    answered($vendor, 'garbage', 502, qr/^invalid answer/, 'no HTTP');
    answered($vendor, 'close', 502, qr/^closed before answer$/, 'nothing');
    answered($vendor, 'cut', 502, qr/^(?:invalid answer|closed)/, 'half of it');
    answered($vendor, $_, $image ? 200 : 502, qr/^answer is no JSON$/, $_) for qw(html empty deep);
    answered($vendor, "body:$huge", 502, qr/^answer is too large$/, 'too much of it');
}

answered('waha', "body:$svg", 200, undef, 'an image with a script');
answered('waha', "body:$large", 200, undef, 'a large image');
answered('waha', 'body:{"status":"STARTING"}', 200, undef, 'JSON');
answered('evolution', $json->(base64 => "data:image/svg+xml;base64,PHN2Zz4="), 200, undef, 'an image with a script');
answered('evolution', $json->(base64 => 'javascript:alert(1)'), 502, qr/^no image in base64$/, 'a script');
answered('evolution', $json->(base64 => { a => 1 }), 200, undef, 'an object');
answered('evolution', 'body:{"base64":"a\u0000b"}', 502, qr/^answer is no JSON$/, 'a NUL');

for ('http://evil.example', '//evil.example/x.png', 'file:///etc/passwd', 'javascript:alert(1)',
     'http://x/../../etc', 'http://x/%2e%2e/a', "http://x/a\r\nX-A: b", 'http://x/a b', 'http://x/<a>',
     'http://x//y', 'http://x/' . 'a' x 3000)
{
    answered('gowa', $json->(qr_link => $_), 502, qr/^invalid link$/, 'a link: ' . substr $_, 0, 30);
}

$fake{gowa}->forget;
answered('gowa', $json->(qr_link => 'http://evil.example:1/devices'), 200, undef, 'a link to another host');
is_deeply([map { $_->{path} } $fake{gowa}->ledger(qr{^/devices($|/)})]->[-1], '/devices',
          'gowa: it is followed to the instance itself');

# A code that can be typed is letters and digits.

for (['WZYEH1YY', 'WZYEH1YY'], ['ABCD-EFGH', 'ABCD-EFGH'], ['<b>1</b>', undef], ['A' x 33, undef], [7, undef]) {
    $fake{evolution}->misbehave(login => 'body:' . encode_json({ pairingCode => $_->[0] }));
    my $r = login('GET', 'evolution-in');
    is_deeply([@{$r->{json}}{qw(code image)}], [$_->[1], undef], "a code: $_->[0]");
}

$fake{evolution}->misbehave(login => undef);


# An instance that says nothing: a client that leaves, a reload, a new worker.

$fake{waha}->misbehave(login => 'hang');
$fake{waha}->forget;

my $left = send_request($ng->port, 'GET', '/login?session=waha-in', headers => \@Admin);
ok((poll { $fake{waha}->count('login') == 1 }), 'it is asked');
close $left;
png(login('GET', 'gowa-in'), 'while others are served');

my $stays = send_request($ng->port, 'GET', '/login?session=waha-in', headers => \@Admin);
ok((poll { $fake{waha}->count('login') == 2 }), 'once more');
$fake{waha}->misbehave(login => undef);
ok($ng->reload, 'a reload meanwhile');
png(login('GET', $_), "$_ has its code after it") for map { "$_-in" } qw(waha wppconnect wuzapi);

like(read_answer($stays, 'GET')->{body}, qr/"code":"not_asked"/, 'who waited in the old worker is told to ask again');

$fake{wwebjs}->stop;
my $r = login('GET', 'wwebjs-in');
is_deeply([$r->{status}, $r->{json}{details}], [502, 'connect ECONNREFUSED'], 'an instance that is not there');

# Nothing that is secret is told.

$told .= http($ng->port, 'GET', $_, headers => \@Admin)->{body} for qw(/status /sessions);
my @tokens = map { $fake{$_->[0]}->token("$_->[0]-$_->[1]") }
             map { ([$_, 'in'], [$_, 'off'], [$_, 'up']) } qw(wuzapi evolution-go);
my $tokens = join '|', map { quotemeta } @tokens;

unlike($told, $Keys, 'no key is told');
unlike($told . $ng->log, qr/$tokens/, 'nor a token, nor is one logged');
unlike($ng->log, $Keys, 'nor a key');
like($ng->log, qr/session "wuzapi-off" of http\S+ is started/, 'who is started is');

$ng->stop;
is(join("\n", $ng->alarms), '', 'the log has nothing else');

# It is nothing without an admin key.

for (['', 'u', '"wa_gateway_login" requires "wa_gateway_admin_key"'],
     ['wa_gateway_admin_key off;', 'u', '"wa_gateway_login" requires "wa_gateway_admin_key"'],
     ['wa_gateway_admin_key k;', 'x', 'x'])
{
    my ($key, $upstream, $error) = @$_;
    my ($status, $said) = WaGateway::Nginx->new(
        workers => 1, upstream => 'wa_gateway zone=u:1m; server 127.0.0.1;',
        server => "$key location = /l { wa_gateway_login $upstream; }")->test;
    like("$status $said", qr/^1 .*\[emerg\].*\Q$error\E/s, "an error: $key $upstream");
}

done_testing();
