#!/usr/bin/perl

# docs/openapi.yaml is valid, says what the code has and nothing else, and what
# it shows works: each example of a request is sent at a gateway of
# `bin/wa-gateway render`, and every answer is as it is said.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use WaGateway::Docs ();
use WaGateway::Fake;
use WaGateway::Nginx qw(http read_answer poll slurp);
use WaGateway::OpenApi;
use WaGateway::Send qw(fake start_post answer_of);
use WaGateway::Sessions qw(sessions);

my $root = "$FindBin::Bin/..";
my $code = WaGateway::Docs::code($root);
my $api = WaGateway::OpenApi->new("$root/docs/openapi.yaml");
my @operations = $api->operations;
my %seen;

is(join("\n", $api->errors), '', 'it is valid');


# ---- beside the code

sub same {
    my ($got, $want, $name) = @_;
    my %is = map { $_ => 1 } @$got;
    my %should = map { $_ => 1 } @$want;

    is(join(', ', (map { "not: $_" } grep { !$should{$_} } sort keys %is),
                  (map { "lacks: $_" } grep { !$is{$_} } sort keys %should)),
       '', $name);
}


{
    my (%pairs, %text);
    my @pairs = WaGateway::OpenApi::pairs($code);
    my $texts = join "\n", map { "$_->{status} $_->{code} $_->{text}" }
                           WaGateway::OpenApi::errors_of($code);

    cmp_ok(scalar @pairs, '>=', 40, 'codes of the code');
    same([grep { $code->{$_} =~ /AddStringToObject\(root, "code"/ }
          keys %$code],
         [qw(wag_error.c wag_control_answer.c wag_json_response.c)],
         'nothing else has codes');

    for my $op (@operations) {
        for my $status (sort keys %{$op->{responses}}) {
            my $content = $op->{responses}{$status}{content} || {};

            for my $type (sort keys %$content) {
                my $examples = $content->{$type}{examples} || {};
                my $name = "$op->{name}: $status $type";
                my @faults;

                for my $example (sort keys %$examples) {
                    my $value = $examples->{$example}{value};
                    push @faults, map { "$example: $_" }
                        $api->faults($value, $content->{$type}{schema});
                    next unless ref $value eq 'HASH' && $value->{code};

                    my $pair = ($status eq 'default' ? 0 : $status)
                               . " $value->{code}";
                    $pairs{$pair} = 1;
                    push @faults, "$example: its error is another one"
                        if exists $value->{sent}
                           && $texts !~ /^\Q$pair $value->{error}\E$/m;
                }

                ok(%$examples, "$name: there are examples");
                is(join('; ', @faults), '', "$name: they are as is said");
            }
        }

        like($op->{said}{'x-description-ar'} || '', qr/^[^\n]*\p{Arabic}/,
             "$op->{name}: in Arabic");
    }

    same([keys %pairs], \@pairs, 'codes and their statuses');

    my $schemas = $api->{doc}{components}{schemas};
    same($schemas->{Error}{properties}{code}{enum},
         [map { $_->{code} } WaGateway::OpenApi::errors_of($code)],
         'codes of errors');
    same($schemas->{$_->[0]}{enum},
         [WaGateway::OpenApi::names_of($code, $_->[1])], $_->[0])
        for ['InstanceState', 'wag_states'],
            ['SessionState', 'wag_session_states'];
    same($schemas->{Instance}{properties}{admin}{enum},
         [WaGateway::OpenApi::names_of($code, 'wag_snapshot_admins')],
         'states that are set');
}

for my $op (grep { $_->{path} ne '/{path}' } @operations) {
    same([map { $_->{name} } @{$op->{parameters}}],
         [WaGateway::OpenApi::parameters_of($code, $op->{name})],
         "$op->{name}: parameters");

    for (sort keys %{$op->{body}}) {
        same([keys %{$op->{body}{$_}{schema}{properties}}],
             [WaGateway::OpenApi::members_of($code, $op->{name})],
             "$op->{name}: members of $_");
    }
}

{
    my ($sessions) = grep { $_->{name} eq 'GET /sessions' } @operations;
    my %schema = map { $_->{name} => $_->{schema} }
                 @{$sessions->{parameters}};
    my %is = $code->{'wag_sessions_api.c'}
             =~ /define WAG_SESSIONS_API_(\w+)\s+(\d+)/g;

    is("$schema{limit}{default} $schema{limit}{maximum}",
       "$is{LIMIT} $is{MOST}", 'GET /sessions: limit');
}


# ---- the gateway of the launcher

my $dir = tempdir('wa-openapi-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

my $waha = fake('waha', sessions => [
    { name => 'main', number => '966500000001' },
    { name => 'shop', number => '966500000003', state => 'login' }]);
my $openwa = fake('openwa', retry_after => 1, sessions => [
    { name => 'sales', number => '966500000002' },
    { name => 'news', number => '966500000004' }]);

$waha->set(sends => { 966500000502 => 'no_id', 966500000500 => 'reset',
                      966500000504 => 'timeout' });
$openwa->set(sends => { 966500000422 => 'not_on_whatsapp',
                        966500000429 => 'throttled' });

my $nobody = 'http://127.0.0.1:' . WaGateway::Fake::free_port();
my %url = ('http://127.0.0.1:3001' => $waha->url,
           'http://127.0.0.1:3002' => $openwa->url,
           'http://127.0.0.1:3003' => $nobody);
my @Admin = ('X-Api-Key: admin-secret');


sub put_file {
    my ($name, $text) = @_;
    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}


put_file("$dir/keys", "shop-key label=shop\nmedia-key label=media\n"
                      . "limited-key sessions=sales\n");
put_file("$dir/admin", "admin-secret\n");

# The vendors' files, but none has a timeout that nobody can wait for.
for (qw(waha openwa)) {
    put_file("$dir/$_.conf", slurp("$root/conf/vendors/$_.conf")
                             =~ s/^\s*timeout\s[^;]*;//mr);
}


# With more settings of .env, and what is to be another in what comes of it.
sub gateway {
    my ($settings, $edit) = @_;

    put_file("$dir/env", <<"END" . $settings);
VENDOR=waha
VENDOR_KEY=geheim-1
VENDOR_KEY_OPENWA=geheim-1
INSTANCES=@{[$waha->url]},openwa+@{[$openwa->url]}
GATEWAY_LANG=en
HEALTH_CHECK_INTERVAL=200
REQUEST_TIMEOUT=4000
API_KEY_FILE=$dir/keys
END

    local %ENV = (%ENV, WA_GATEWAY_ENV => "$dir/env");
    my $text = `'$root/bin/wa-gateway' render`;
    my ($conf) = $text =~ /^(http \{.*)/ms or die "render failed\n";

    my $ng = WaGateway::Nginx->new(workers => 2);
    $conf =~ s{include "[^"]*/(\w+)\.conf"}{include "$dir/$1.conf"}g;
    $conf =~ s/listen 127\.0\.0\.1:3000/listen 127.0.0.1:$ng->{port}/;
    $conf =~ s{file=admin_key}{file=$dir/admin};
    $conf =~ s/upstream whatsapp \{\K/ wa_gateway_passive off;/;
    $edit->(\$conf) if $edit;
    $ng->{conf} = $conf;
    chmod 0755, $ng->{dir};
    system('cp', '-r', "$root/html", $ng->{dir}) == 0 or die "cp: $?\n";

    $ng->start;
    ready($ng);
    return $ng;
}


sub sessions_of {
    my ($ng) = @_;
    my $r = http($ng->port, 'GET', '/sessions', headers => \@Admin);
    my $all = eval { JSON::PP::decode_json($r->{body}) } || {};
    return join ' ', sort map { "$_->{session}:$_->{state}" }
                          @{$all->{sessions} || []};
}


# All that can be known of sessions is known.
sub ready {
    my ($ng, $want) = @_;
    $want ||= 'main:ready news:ready sales:ready shop:login';
    poll { sessions_of($ng) eq $want }
        or die 'sessions: ' . sessions_of($ng) . "\n" . $ng->log;
}


# An answer beside what is said; what was seen is kept.
sub looked_at {
    my ($op, $r, $name) = @_;
    my $json = eval { JSON::PP::decode_json($r->{body}) };

    $r->{json} = ref $json eq 'HASH' ? $json : {};
    $r->{code} = $r->{json}{code} || '';
    $seen{"$r->{status} $r->{code}"} = 1 if $r->{code};

    is($api->wrong($op, $r), '', "$name: as is said") or diag($r->{body});
    return $r;
}


# A request that is for an operation, with the admin key if there is no other.
sub ask {
    my ($ng, $name, $status, %o) = @_;
    my $op = $api->operation($name);
    my @headers = @{$o{headers} || []};
    my $path = $o{path} || $op->{path};
    my $body = $o{body};

    push @headers, @Admin
        unless grep { /^(?:x-api-key|authorization):/i } @headers;

    if (ref $body) {
        $body = JSON::PP->new->utf8->canonical->encode($body);
        push @headers, 'Content-Type: application/json';
    }

    my $what = "$name: $status" . ($o{what} ? ", $o{what}" : '');
    my $r = looked_at($op, http($ng->port, $o{method} || $op->{method}, $path,
                                headers => \@headers, body => $body), $what);

    is("$r->{status} $r->{code}" =~ s/ $//r, $status, $what)
        or diag($r->{body});
    return $r;
}


sub send_text {
    my ($ng, $status, $body, %o) = @_;
    return ask($ng, 'POST /send-message', $status, %o,
               body => { chatId => '966511111111', message => 'hi', %$body });
}


# What an example did is undone: examples are in no order.
sub settle {
    my ($ng, $op, $r) = @_;

    # what was not confirmed is followed by what is
    if (($r->{json}{sent} || '') eq 'unknown') {
        answer_of(start_post($ng, '/send-message', { chatId => '966511111111',
                             message => 'x', session => 'main' },
                             headers => \@Admin));
        return;
    }

    if ($op->{name} eq 'POST /gateway/login') {
        $waha->session('shop', state => 'login');
        ready($ng);
    }

    return unless $op->{path} eq '/gateway/instances' && $r->{status} < 300;

    my $url = $waha->url;
    my %undo = (
        POST => ['DELETE', "?name=" . ($r->{json}{url} || '')],
        DELETE => ['POST', '', { url => $url }],
        PATCH => ['PATCH', "?name=$url",
                  { state => 'up', weight => 1, maxConns => 0 }]);
    my ($method, $query, $body) = @{$undo{$op->{method}} || return};

    my $u = http($ng->port, $method, "/gateway/instances$query",
        headers => [@Admin, 'Content-Type: application/json'],
        $body ? (body => JSON::PP::encode_json($body)) : ());
    cmp_ok($u->{status}, '<', 300, "$op->{name}: undone") or diag($u->{body});
    ready($ng);
}


my $ng = gateway("IDEMPOTENCY=on\nPACE_DAY=1000\nPACE_NUMBER=50/s\n"
                 . "PACE_BURST=100\n");

same([map { $_->{path} } grep { $_->{path} ne '/{path}' } @operations],
     [$ng->{conf} =~ /^\s*location = (\S+)/mg], 'paths');

for my $op (@operations) {
    for my $request (WaGateway::OpenApi::requests($op)) {
        my $name = "$op->{name}: $request->{example}";
        my ($status) = $request->{example} =~ /^(\d[\dX]{2})(?:-|$)/
            or die "$name: no status\n";
        my @headers = @{$request->{headers}};
        my ($path, $body) = ($request->{path}, $request->{body});

        push @headers, "Content-Type: $request->{type}" if $request->{type};
        push @headers, $op->{path} =~ /gateway/ ? @Admin
            : 'X-Api-Key: ' . ($op->{path} =~ /media/ ? 'media-key'
                                                      : 'shop-key');
        $path .= '?' . join '&', @{$request->{query}} if @{$request->{query}};
        $body = WaGateway::OpenApi::body_text($request->{type}, $body)
            if defined $body;

        # the instances of the examples are the fakes
        for ($path, @headers, defined $body ? $body : ()) {
            s{(http://127\.0\.0\.1:\d+)}{$url{$1} || $1}ge;
        }

        my $r = looked_at($op, http($ng->port, $op->{method}, $path,
                                    headers => \@headers, body => $body),
                          $name);

        my $want = $status =~ s/X/./gr;
        like($r->{status}, qr/^$want$/, "$name: its status")
            or diag($r->{body});
        settle($ng, $op, $r);

        next unless $request->{schema} && !$request->{parameter}
                    && $status =~ /^2/;
        is(join('; ', $api->faults($request->{body}, $request->{schema})), '',
           "$name: its body is as is said");
    }
}


# ---- what no example can show

ready($ng);

# who may
ask($ng, $_, '401 unauthorized', headers => ['X-Api-Key: wrong'])
    for map { $_->{name} } grep { @{$_->{said}{security} || [1]}
                                  && $_->{path} ne '/{path}' } @operations;
ask($ng, 'GET /gateway/instances', '401 unauthorized',
    headers => ['X-Api-Key: shop-key'], what => 'no admin key');
ask($ng, 'GET /status', 200, headers => ['Authorization: Bearer shop-key'],
    what => 'bearer');
send_text($ng, '403 forbidden_session', { session => 'main' },
          headers => ['X-Api-Key: limited-key']);
ask($ng, 'GET /metrics', '403 forbidden_session',
    headers => ['X-Api-Key: limited-key']);
send_text($ng, '403 forbidden', {},
          headers => ['Origin: http://evil.test', @Admin]);
ask($ng, "$_ /gateway/instances", '403 foreign_origin',
    headers => ['Origin: http://evil.test', @Admin],
    path => '/gateway/instances?name=x') for qw(POST PATCH DELETE);

# what is not there
ask($ng, 'GET /dashboard', '404 not_found', path => '/dashboard/none');
ask($ng, 'GET /dashboard', '403 forbidden', path => '/dashboard/');
ask($ng, 'GET /dashboard', '416 range_not_satisfiable',
    headers => ['Range: bytes=999999-']);
ask($ng, $_->[0], '405 method_not_allowed', method => $_->[1])
    for ['POST /send-message', 'GET'], ['POST /send-media', 'PUT'],
        ['GET /gateway/instances', 'PUT'], ['GET /dashboard', 'POST'],
        map { ["GET /$_", 'DELETE'] } qw(sessions status health metrics);

# a code that there is not, or that is not asked for
$waha->misbehave(login => 'status:500');
ask($ng, "$_ /gateway/login", '502 bad_gateway',
    path => '/gateway/login?session=shop', $_ eq 'POST' ? (body => {}) : ())
    for qw(GET POST);
$waha->misbehave(login => undef);
ask($ng, "$_ /gateway/login", '400 bad_request', path => '/gateway/login',
    $_ eq 'POST' ? (body => {}) : ()) for qw(GET POST);
ask($ng, "$_ /gateway/login", '403 foreign_origin',
    headers => ['Origin: http://evil.test', @Admin],
    path => '/gateway/login?session=shop', $_ eq 'POST' ? (body => {}) : ())
    for qw(GET POST);
ask($ng, 'POST /gateway/login', '415 unsupported_media_type', body => '{}',
    path => '/gateway/login?session=shop');
ask($ng, 'GET /gateway/login', '405 method_not_allowed', method => 'PUT');

$openwa->session('shop', state => 'login', number => undef);
ready($ng, 'main:ready news:ready sales:ready shop:login shop:login');
ask($ng, "$_ /gateway/login", '409 ambiguous_session',
    path => '/gateway/login?session=shop', $_ eq 'POST' ? (body => {}) : ())
    for qw(GET POST);
$openwa->remove('shop');
ready($ng);

# how it is written
ask($ng, 'POST /send-message', '415 unsupported_media_type', body => '{}',
    headers => ['Content-Type: text/plain']);
ask($ng, 'POST /gateway/instances', '415 unsupported_media_type',
    body => '{}');
ask($ng, 'POST /gateway/instances', '400 bad_request', body => '{',
    headers => ['Content-Type: application/json'], what => 'no JSON');
ask($ng, 'POST /gateway/instances', '413 payload_too_large',
    body => { url => 'x' x 20000 });
ask($ng, 'GET /status', '414 uri_too_long', path => '/status?' . 'x' x 9000);
ask($ng, 'POST /send-message', '413 payload_too_large',
    headers => ['Content-Length: 200000000']);
ask($ng, 'GET /health', '501 not_implemented',
    headers => ['Transfer-Encoding: gzip']);
ask($ng, 'GET /health', '400 bad_request',
    headers => ['Content-Length: none']);


{
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die "$!\n";
    print $s "GET /status HTTP/3.0\r\n\r\n";
    my $r = looked_at($api->operation('GET /status'), read_answer($s, 'GET'),
                      'GET /status: 505 http_version');
    is($r->{status}, 505, 'GET /status: 505 http_version');
}

# the same key again
{
    my @key = (headers => ['Idempotency-Key: again', 'X-Api-Key: shop-key']);
    my $first = send_text($ng, 200, { session => 'main' }, @key);
    my $again = send_text($ng, 200, { session => 'main' }, @key,
                          what => 'a repeat');
    is($again->{body}, $first->{body}, 'a repeat: the same answer');
    send_text($ng, '422 key_reused', { session => 'main', message => 'ho' },
              @key);

    $waha->set(send => 'hold');
    @key = (headers => ['Idempotency-Key: slow', 'X-Api-Key: shop-key']);
    my $body = { chatId => '966511111111', message => 'hi',
                 session => 'main' };
    my $held = start_post($ng, '/send-message', $body, headers => $key[1]);

    ok(poll(sub { $waha->held == 1 }), 'one is under way');
    send_text($ng, '409 in_flight', $body, @key);
    $waha->set(send => undef);
    $waha->release;
    is(answer_of($held)->{status}, 200, 'and ends');
}

# several numbers, no key, no room, and another one with the state file
{
    my $other = gateway("IDEMPOTENCY=required\nSENDER=one\n"
        . "STATE_FILE=$ng->{dir}/state/instances.json\n",
        sub { ${$_[0]} =~ s/idempotency required\K/ zone=few:32k/ });
    my @key = (headers => ['Idempotency-Key: one', @Admin]);
    my $query = '/gateway/instances?name=' . $waha->url;

    send_text($other, '400 key_required', { session => 'main' });
    send_text($other, '409 ambiguous_session', {}, @key);
    ask($other, "$_->[0] /gateway/instances", '503 state_in_use',
        body => $_->[1], path => $query)
        for ['POST', { url => $nobody }], ['PATCH', { weight => 1 }],
            ['DELETE'];

    my ($n, $full) = (0, 0);
    my $named = { session => 'main' };

    until ($full || $n > 2000) {
        $full = answer_of(start_post($other, '/send-message',
            { chatId => '966511111111', message => 'hi', %$named },
            headers => ['Idempotency-Key: n' . ++$n, @Admin]))
            ->{status} == 503;
    }

    send_text($other, '503 store_full', $named,
              headers => ['Idempotency-Key: more', @Admin]);
    my $r = send_text($other, 200, $named, what => 'its answer is gone',
                      headers => ['Idempotency-Key: n1', @Admin]);
    is($r->{json}{sent}, 'yes', 'it says that it was sent');
    $other->clean('no alert is logged: keys');
}

# no store, and a state file that cannot be written
{
    my $store = WaGateway::Fake::free_port();
    my $other = gateway("IDEMPOTENCY=on\nPACE_NUMBER=20/m\n"
        . "STORE_URL=redis://127.0.0.1:$store\n",
        sub { ${$_[0]} =~ s{wa_gateway_state "[^"]*"}
                           {wa_gateway_state "/proc/none.json"} });
    my $query = '/gateway/instances?name=' . $waha->url;

    send_text($other, '503 store_down', {},
              headers => ['Idempotency-Key: one', @Admin]);
    ok(ask($other, 'GET /status', 200, what => 'a store')->{json}{store},
       'GET /status: a store');
    ask($other, "$_->[0] /gateway/instances", '500 not_kept',
        body => $_->[1], path => $query)
        for ['POST', { url => $nobody }], ['PATCH', { weight => 2 }],
            ['DELETE'];
    $other->stop;
}

# a vendor that has no way to log in
{
    put_file("$dir/waha.conf", slurp("$dir/waha.conf")
                               =~ s/^\s*(?:login|start)\s[^;]*;//mgr);
    my $other = gateway('');

    ask($other, "$_ /gateway/login", '501 login_unsupported',
        path => '/gateway/login?session=shop', $_ eq 'POST' ? (body => {}) : ())
        for qw(GET POST);
    $other->clean('no alert is logged: no login');
}

# no room for instances
{
    my $other = gateway('', sub { ${$_[0]} =~ s/capacity=64/capacity=1/ });

    ask($other, 'POST /gateway/instances', 201, body => { url => $nobody });
    ask($other, 'POST /gateway/instances', '507 no_slot',
        body => { url => 'http://127.0.0.1:9' });
    $other->clean('no alert is logged: room');
}

# nobody can send
$waha->session('main', state => 'login');
$openwa->session($_, state => 'login') for qw(sales news);
ready($ng, 'main:login news:login sales:login shop:login');
send_text($ng, '503 no_session', {});
ask($ng, 'GET /health', 503);
ask($ng, 'GET /sessions', 200, what => 'nobody is logged in');

$_->stop for $waha, $openwa;
poll { sessions_of($ng) !~ /login/ };
ask($ng, 'GET /sessions', 200, what => 'instances are down');
ask($ng, 'GET /status', 200, what => 'instances are down');
ask($ng, 'POST /{path}', '503 no_instances', path => '/api/version',
    method => 'GET');
$ng->clean;


# What only a fault of the machine, or a setting of nginx's, brings; after a
# timeout nginx closes the connection.
my %unseen = map { $_ => 1 } '0 error', '408 request_timeout',
    '411 length_required', '429 too_many_requests', '500 internal_error', '503 service_unavailable',
    '503 not_asked',
    '507 disk_full';

is(join(', ', grep { !$seen{$_} && !$unseen{$_} }
              WaGateway::OpenApi::pairs($code)), '', 'every code was seen');

done_testing();
