#!/usr/bin/perl

# Instances are listed, added, changed and removed while the gateway runs: all
# answers, and that each is in force in all workers once it is there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll);

my @fakes = map { WaGateway::Fake->new } 1 .. 4;
my ($one, $two, $three, $four) = map { 'http://' . $_->name } @fakes;
my @Key = ('X-Api-Key: admin-secret');
my @Json = (@Key, 'Content-Type: application/json');


sub conf {
    my ($more, %o) = @_;

    my $capacity = defined $o{capacity} ? $o{capacity} : 2;
    $capacity = $capacity ? "capacity=$capacity" : '';

    return (
        upstream => "wa_gateway zone=u:1m $capacity;"
                    . ($o{upstream} || 'server ' . $fakes[0]->name . ';')
                    . ($more || ''),
        server => 'wa_gateway_admin_key admin-secret;'
                  . 'location = /instances { wa_gateway_control u; }'
                  . ($o{server} || ''));
}


# Names stand in a query as they are but for what would end it.
sub control {
    my ($ng, $method, $name, $body, @headers) = @_;

    my $path = '/instances' . (defined $name ? "?name=$name" : '');
    my $r = $ng->request($method, $path,
                         headers => @headers ? \@headers : \@Json,
                         (defined $body ? (body => ref $body
                                                   ? encode_json($body)
                                                   : $body) : ()));

    $r->{json} = eval { decode_json($r->{body}) } if length $r->{body};

    return $r;
}


sub answers {
    my ($r, $status, $code, $member, $name) = @_;

    is(join(' ', $r->{status}, map { defined $_ ? $_ : '-' }
                 @{$r->{json} || {}}{qw(code member)}),
       join(' ', $status, map { defined $_ ? $_ : '-' } $code, $member),
       $name);
}


sub list {
    my ($ng) = @_;
    my $r = control($ng, 'GET');
    return map { $_->{url} => $_ } @{$r->{json}{instances}};
}


# Who gets so many messages, each over a connection of its own, so that all
# workers have some.
sub takers {
    my ($ng, $n) = @_;
    my %got;

    for (1 .. $n) {
        my $r = $ng->request('POST', '/m', body => 'x');
        $got{$r->{headers}{'x-wa-instance'} || "status $r->{status}"}++;
    }

    return join ' ', sort keys %got;
}


{
    my $ng = WaGateway::Nginx->start(workers => 2, conf());

    for my $method (qw(GET POST PATCH DELETE)) {
        my $r = http($ng->port, $method, '/instances', body => '{}',
                     headers => ['Content-Type: application/json']);
        is($r->{status}, 401, "$method without a key is refused");
    }

    answers(control($ng, 'GET', undef, undef, 'X-Api-Key: other'), 401,
            'unauthorized', undef, 'so is one with another key');

    my $r = control($ng, 'GET');
    is($r->{status}, 200, 'with the key there is a list');
    is_deeply([ map { $_->{url} } @{$r->{json}{instances}} ], [ $one ],
              'of the instances');
    is("$r->{json}{capacity} $r->{json}{free}", '2 2', 'and of the room');
    is_deeply({ %{$r->{json}{instances}[0]} },
              { url => $one, state => 'up', reason => undef,
                admin => 'configured', added => JSON::PP::false, weight => 1,
                maxConns => 0, inFlight => 0, vendor => undef },
              'with what is known of each');
    unlike($r->{head}, qr/^Access-Control-/mi, 'no page elsewhere reads it');
    like($r->{head}, qr/^Cache-Control: no-store/mi, 'and none keeps it');

    $r = control($ng, 'PUT', undef, '{}');
    is($r->{status}, 405, 'other methods are none');
    is($r->{headers}{allow}, 'GET, HEAD, POST, PATCH, DELETE', 'but these');

    $r = control($ng, 'POST', undef, { url => $two });
    is($r->{status}, 201, 'one is added');
    is("$r->{json}{url} $r->{json}{state} $r->{json}{added}", "$two up 1",
       'which is shown');
    is(takers($ng, 8), join(' ', sort $one, $two),
       'it gets its share, whoever the worker is');
    is($ng->instance($fakes[1]->name)->{added}, JSON::PP::true,
       '/status has it');

    answers(control($ng, 'POST', undef, { url => $two }), 409, 'exists', undef,
            'once');
    answers(control($ng, 'POST', undef, { url => $one }), 409, 'exists', undef,
            'nor one that is configured');

    is(control($ng, 'POST', undef, { url => "$three/", weight => 3,
                                     maxConns => 7 })->{status}, 201,
       'another one, with a slash behind');
    my %list = list($ng);
    is(join(' ', @{$list{$three} || {}}{qw(weight maxConns)}), '3 7',
       'its figures are kept');
    answers(control($ng, 'POST', undef, { url => $four }), 507, 'no_slot',
            undef, 'a third one has no room');

    # 6 of 10 turns
    my %got;
    $got{$ng->request('POST', '/m', body => 'x')->{headers}{'x-wa-instance'}}++
        for 1 .. 10;
    is(join(' ', map { $got{$_} || 0 } $one, $two, $three), '2 2 6',
       'a weight is one');

    $r = control($ng, 'PATCH', $three, { weight => 1, maxConns => 0 });
    is("$r->{status} $r->{json}{weight} $r->{json}{maxConns}", '200 1 0',
       'it is changed');

    for my $state (qw(drain down)) {
        $r = control($ng, 'PATCH', $two, { state => $state });
        is("$r->{status} $r->{json}{admin} $r->{json}{state}",
           "200 $state down", "$state is set");
        is(takers($ng, 8), join(' ', sort $one, $three),
           'it gets none from then on');
        is($ng->instance($fakes[1]->name)->{admin}, $state, '/status says so');

        $r = control($ng, 'PATCH', $two, { state => 'up' });
        is("$r->{status} $r->{json}{state}", '200 up', 'up');
        is(takers($ng, 9), join(' ', sort $one, $two, $three), 'it is back');
    }

    $r = control($ng, 'DELETE', $two);
    is("$r->{status} $r->{body}", '204 ', 'one is removed');
    is(takers($ng, 8), join(' ', sort $one, $three), 'it gets none');
    ok((poll { my %l = list($ng); !$l{$two} }), 'it is gone');
    is(scalar($ng->logged(qr/\Q$two is removed\E/)), 1, 'which is told once');
    ok((grep { $_->{instance} eq $two && ($_->{reason} || '') eq 'removed'
               && !defined $_->{to} } @{$ng->status->{events}}),
       'and an event');

    for my $method (qw(PATCH DELETE)) {
        answers(control($ng, $method, $two, { state => 'up' }), 404,
                'unknown_instance', undef, "$method of one that is not there");
        answers(control($ng, $method, undef, { state => 'up' }), 400,
                'bad_request', 'name', "$method of none");
    }

    is(control($ng, 'POST', undef, { url => $four })->{status}, 201,
       'its place is another one\'s');

    # configured
    is(control($ng, 'DELETE', $one)->{status}, 204,
       'one of the configuration goes as well');
    ok((poll { my %l = list($ng); !$l{$one} }), 'it is gone');
    ok($ng->reload, 'and stays away over a reload');
    %list = list($ng);
    is(join(' ', sort keys %list), join(' ', sort $three, $four),
       'while those that were added stay');
    is(takers($ng, 8), join(' ', sort $three, $four), 'they get all');
    answers(control($ng, 'POST', undef, { url => $one, key => 'x',
                                          vendor => 'plain' }), 400,
            'bad_request', 'key', 'it has no key but the configured one');
    is(control($ng, 'POST', undef, { url => $one })->{status}, 201,
       'it is added again');
    %list = list($ng);
    is($list{$one}{added}, JSON::PP::false, 'as one of the configuration');
    is(takers($ng, 9), join(' ', sort $one, $three, $four), 'and gets its own');

    ok($ng->reload(conf('', capacity => 5)), 'more room');
    $r = control($ng, 'GET');
    is("$r->{json}{capacity} $r->{json}{free}", '5 3', 'is there');
    is(control($ng, 'POST', undef, { url => "http://127.0.0.1:1$_" })
           ->{status}, 201, 'and taken') for 1 .. 3;
    answers(control($ng, 'POST', undef, { url => 'http://127.0.0.1:19' }),
            507, 'no_slot', undef, 'all of it');

    ok($ng->reload(upstream => 'wa_gateway zone=u:2m capacity=5; server '
                               . $fakes[0]->name . ';'), 'another zone');
    %list = list($ng);
    is(scalar keys %list, 6, 'takes all over');

    # a second one, so that the old workers, whose they were, are gone
    ok($ng->reload(conf('', capacity => 0)), 'none may be added') for 1 .. 2;
    %list = list($ng);
    is(join(' ', keys %list), $one, 'none is left');

    $ng->clean;
}


# What is refused, and that nothing comes of it.
{
    my $ng = WaGateway::Nginx->start(workers => 1, conf(
        'wa_gateway_check interval=1h;',
        server => 'wa_gateway_api_key api-secret;'
                  . 'location = /open { wa_gateway_api_key off;'
                  . 'proxy_pass http://u; }'));

    for ([ '', undef, 'no JSON' ], [ '{', undef, 'half of it' ],
         [ '[]', undef, 'a list' ], [ '"x"', undef, 'a string' ],
         [ '{} {}', undef, 'two' ], [ '{"url":"\u0000"}', undef, 'a NUL' ],
         [ {}, 'url', 'no URL' ], [ { url => 5 }, 'url', 'a number' ],
         [ { url => '' }, 'url', 'an empty URL' ],
         [ { url => 'ftp://127.0.0.1' }, 'url', 'another scheme' ],
         [ { url => 'https://127.0.0.1' }, 'url', 'not that of the others' ],
         [ { url => 'http://' }, 'url', 'no host' ],
         [ { url => 'http://127.0.0.1/x' }, 'url', 'a path' ],
         [ { url => 'http://a@127.0.0.1' }, 'url', 'a user' ],
         [ { url => 'http://127.0.0.1:99999' }, 'url', 'no port' ],
         [ { url => 'http://unix:/x' }, 'url', 'a socket' ],
         [ { url => 'http://127.0.0.1,http://127.0.0.2' }, 'url', 'two' ],
         [ { url => "http://127.0.0.1\r\nX: y" }, 'url', 'a line' ],
         [ { url => 'http://no..name' }, 'url', 'no name' ],
         [ { url => 'http://127.0.0.1:' . 3 x 300 }, 'url', 'a long one' ],
         [ { url => $two, weight => 0 }, 'weight', 'no weight' ],
         [ { url => $two, weight => 1.5 }, 'weight', 'half a weight' ],
         [ { url => $two, weight => 1000001 }, 'weight', 'a great weight' ],
         [ { url => $two, weight => '1' }, 'weight', 'a word' ],
         [ { url => $two, weight => -1 }, 'weight', 'a negative one' ],
         [ '{"url":"http://127.0.0.1","maxConns":1e999}', 'maxConns',
           'no number' ],
         [ '{"url":"http://127.0.0.1","url":"http://127.0.0.2"}', 'url',
           'twice' ],
         [ { url => $two, vendor => 'none' }, 'vendor', 'no such vendor' ],
         [ { url => $two, key => 'x' }, 'key', 'a key of no vendor' ],
         [ { url => $two, state => 'up' }, 'state', 'a state of a new one' ],
         [ { url => $two, else => 1 }, 'else', 'something else' ])
    {
        my ($body, $member, $name) = @$_;
        answers(control($ng, 'POST', undef, $body), 400, 'bad_request',
                $member, "POST of $name");
    }

    for ([ {}, undef, 'nothing' ], [ { state => 'gone' }, 'state', 'a state' ],
         [ { weight => 0 }, 'weight', 'no weight' ],
         [ { url => $two }, 'url', 'a URL' ], [ { key => 'x' }, 'key', 'key' ])
    {
        my ($body, $member, $name) = @$_;
        answers(control($ng, 'PATCH', $one, $body), 400, 'bad_request',
                $member, "PATCH of $name");
    }

    for my $type ('text/plain', 'application/x-www-form-urlencoded',
                  'application/jsonp', 'multipart/form-data')
    {
        answers(control($ng, $_->[0], $_->[1], '{"url":"http://127.0.0.1"}',
                        @Key, "Content-Type: $type"),
                415, 'unsupported_media_type', undef, "$_->[0] of $type")
            for [ 'POST' ], [ 'PATCH', $one ];
    }

    answers(control($ng, 'POST', undef, '{}', @Key), 415,
            'unsupported_media_type', undef, 'POST of no type');
    answers(control($ng, 'POST', undef, ' ' x 20000), 413,
            'payload_too_large', undef, 'a body too large');

    my $chunked = join '', map { "4\r\n    \r\n" } 1 .. 5000;
    answers(control($ng, 'POST', undef, "${chunked}0\r\n\r\n", @Json,
                    'Transfer-Encoding: chunked'), 413, 'payload_too_large',
            undef, 'nor one of unknown length');

    for my $header ('Origin: http://evil.test', 'Origin: null',
                    'Origin: http://gateway.test.evil.test',
                    'Origin: http://gateway.test:81',
                    'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-site')
    {
        answers(control($ng, $_, $one, '{"state":"down"}', @Json, $header),
                403, 'foreign_origin', undef, "$_ with $header")
            for qw(POST PATCH DELETE);
    }

    is(join(' ', %{{ list($ng) }}{$one} ? 'there' : ''), 'there',
       'nothing of it was done');

    my $r = control($ng, 'PATCH', $one, { weight => 2 }, @Json,
                    'Origin: http://gateway.test', 'Sec-Fetch-Site: same-origin');
    is($r->{status}, 200, 'the gateway\'s own page may');

    answers(control($ng, 'GET', undef, undef, 'X-Api-Key: api-secret'), 401,
            'unauthorized', undef, 'the API key is no admin key');
    is($ng->request('POST', '/m', body => 'x', headers => [ @Key ])->{status},
       200, 'the admin key opens what the API key does');
    is($ng->request('POST', '/m', body => 'x')->{status}, 401, 'no key, none');

    $fakes[0]->mode('head');
    $r = $ng->request('GET', '/m', headers => [ @Key, 'X-Other: 1' ]);
    like($r->{body}, qr/X-Other/, 'what came is seen');
    unlike($r->{body}, qr/admin-secret/, 'no instance gets the key');
    $r = $ng->request('GET', '/open', headers => [ @Key, 'X-Other: 1' ]);
    like($r->{body}, qr/X-Other/, 'nor where no key is asked for');
    unlike($r->{body}, qr/admin-secret/, 'the key ends here');
    $fakes[0]->mode('json');

    # checks of one that is added
    $fakes[1]->forget;
    is(control($ng, 'POST', undef, { url => $two })->{status}, 201, 'added');
    ok((poll { $fakes[1]->count }), 'it is checked');
    is(control($ng, 'DELETE', $two)->{status}, 204, 'removed');
    ok((poll { !{ list($ng) }->{$two} }), 'it is gone');

    $ng->clean;
}


# What an instance has in flight goes on, and ends in its own time.
{
    my $ng = WaGateway::Nginx->start(workers => 2,
                                     conf('', upstream => 'server '
                                          . $fakes[0]->name . ' down;'));

    is(takers($ng, 2), 'status 503', 'nobody is there');
    is(control($ng, 'POST', undef, { url => $two })->{status}, 201, 'one is');

    for my $what ([ 'PATCH', { state => 'drain' }, 'drained', 'drain' ],
                  [ 'DELETE', undef, 'removed', 'removing' ])
    {
        my ($method, $body, $told, $admin) = @$what;

        $fakes[1]->forget;
        $fakes[1]->mode('held');
        my $s = WaGateway::Nginx::send_request($ng->port, 'POST', '/m',
                                               body => 'x');
        ok((poll { $fakes[1]->count }), 'a message is on its way');

        like(control($ng, $method, $two, $body)->{status}, qr/^20[04]$/,
             "$method");
        my %list = list($ng);
        is("@{$list{$two}}{qw(state admin inFlight)}", "draining $admin 1",
           'it is draining');
        is(takers($ng, 4), 'status 503', 'and gets nothing more');
        is(scalar($ng->logged(qr/\Q$two is $told\E/)), 0, 'it is not over');
        answers(control($ng, 'POST', undef, { url => $two }), 409, 'exists',
                undef, 'nobody takes its place');

        $fakes[1]->release;
        is(WaGateway::Nginx::read_answer($s, 'POST')->{status}, 200,
           'the message was sent');
        ok((poll { $ng->logged(qr/\Q$two is $told\E/) }), "it is $told");
        ok((poll { $ng->access =~ /"\Q$two\E" 1 yes$/m }),
           'the log has its name');
        truncate "$ng->{dir}/access.log", 0;

        control($ng, 'PATCH', $two, { state => 'up' }) if $method eq 'PATCH';
    }

    is(control($ng, 'PATCH', $one, { state => 'up' })->{status}, 200,
       'one that is down in the configuration is set to be up');
    is(takers($ng, 4), $one, 'it gets what comes');

    $ng->clean;
}


# One that is on its way out and is configured meanwhile stays, in the same zone
# and in another one.
for my $zone ('u:1m', 'u:2m') {
    my $first = 'server ' . $fakes[0]->name . ' down;';
    my $ng = WaGateway::Nginx->start(workers => 2,
                                     conf('', upstream => $first));

    is(control($ng, 'POST', undef, { url => $two })->{status}, 201,
       "$zone: one is added");
    $fakes[1]->forget;
    $fakes[1]->mode('held');
    my $s = WaGateway::Nginx::send_request($ng->port, 'POST', '/m',
                                           body => 'x');
    ok((poll { $fakes[1]->count }), 'it has a message');
    is(control($ng, 'DELETE', $two)->{status}, 204, 'and is removed');

    my %conf = conf('', upstream => $first . 'server ' . $fakes[1]->name . ';');
    $conf{upstream} =~ s/zone=\S+/zone=$zone/;
    my %old = map { $_ => 1 } $ng->worker_pids;
    @$ng{keys %conf} = values %conf;
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok((poll { grep { !$old{$_} } $ng->worker_pids }), 'a reload has it');

    $fakes[1]->mode('json');
    $fakes[1]->release;
    is(WaGateway::Nginx::read_answer($s, 'POST')->{status}, 200,
       'the message was sent');
    ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'the last of before');
    is(takers($ng, 4), $two, 'it gets what comes');

    my %list = list($ng);
    is(join(' ', map { $_ // '-' } @{$list{$two} || {}}{qw(admin added)}),
       'configured 0',
       'as those of the configuration');

    $ng->clean;
}


for ([ '', 'wa_gateway_admin_key', 'no admin key' ],
     [ 'wa_gateway_admin_key off;', 'wa_gateway_admin_key', 'none' ],
     [ 'wa_gateway_admin_key k numbers=201000000000;', 'a key with limits',
       'one of some numbers' ],
     [ 'wa_gateway_admin_key "";', 'empty key', 'an empty one' ])
{
    my ($key, $error, $name) = @$_;
    my $ng = WaGateway::Nginx->new(
        workers => 1, upstream => 'wa_gateway capacity=1; server 127.0.0.1;',
        server => "$key location = /instances { wa_gateway_control u; }");
    my ($status, $text) = $ng->test;
    like("$status $text", qr/^1 .*\[emerg\].*\Q$error\E/s, "$name: an error");
}

for my $capacity (0, -1, 'x', 10001) {
    my $ng = WaGateway::Nginx->new(
        workers => 1,
        upstream => "wa_gateway capacity=$capacity; server 127.0.0.1;");
    my ($status, $text) = $ng->test;
    like("$status $text", qr/^1 .*invalid parameter "capacity=$capacity"/s,
         "capacity=$capacity is none");
}

done_testing();
