#!/usr/bin/perl

# Interim answers of instances, RFC 9110, 15.2: 102 and 200 on one connection.
# nginx takes the first for the final one, and the second for the answer to the
# next request that comes over the connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http read_answer send_request);

my $fake = WaGateway::Fake->new;
my $name = $fake->name;
my $n = 0;


# Status and path that the instance saw: the answer is that to this request.
sub told {
    my ($r) = @_;
    my $o = eval { decode_json($r->{body}) } || {};
    return "$r->{status} " . ($o->{path} || $o->{sent} || '');
}


for my $workers (0, 2) {
for my $buffering ('on', 'off') {
    my $how = "$workers workers, buffering $buffering";

    $fake->mode('json');
    $fake->forget;

    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => "wa_gateway; wa_gateway_passive off; server $name;",
        http => 'proxy_cache_path cache keys_zone=c:1m;
            map $http_upgrade $up { default ""; websocket upgrade; }',
        location => "proxy_http_version 1.1; proxy_buffering $buffering;
            proxy_set_header Connection \$up;
            proxy_set_header Upgrade \$http_upgrade;",
        server => 'location /cached { proxy_pass http://u; proxy_cache c;
                       proxy_http_version 1.1;
                       proxy_set_header Connection "";
                       proxy_cache_valid any 1m;
                       add_header X-Cache $upstream_cache_status; }');

    for my $codes (qw(100 102 103 102,102,102 100,103,102)) {
        for my $method (qw(POST GET)) {
            my $path = '/i' . ++$n . "?interim=$codes";
            my $r = $ng->request($method, $path);
            is(told($r), "200 $path", "$method: 200 after $codes, $how");
            is($r->{headers}{'x-interim'}, undef, 'without what was before');

            $path = '/n' . ++$n;
            is(told($ng->request($method, $path)), "200 $path",
               'the next one gets its own answer');
        }
    }

    my %connections = map { $_->{connection} => 1 } $fake->ledger;
    is(scalar(keys %connections) <= ($workers || 1), 1,
       "the connection is kept, $how") or diag keys %connections;

    # cut anywhere
    for my $at (map { 5 * $_ } 1 .. 45) {
        my $path = '/s' . ++$n . "?interim=102,103&split=$at";
        is(told($ng->request('POST', $path)), "200 $path",
           "cut after $at bytes, $how");
    }

    for my $mode (qw(chunked close_delimited status:404 status:500)) {
        my $path = '/m' . ++$n . "?interim=102&fake=$mode";
        is(told($ng->request('POST', $path)),
           ($mode =~ /:(\d+)/ ? $1 : 200) . " $path", "102, then $mode, $how");
    }

    # a cache keeps the final answer alone
    for my $cached (qw(MISS HIT)) {
        my $r = $ng->request('GET', '/cached?interim=102,102&pad=9000');
        is(told($r) . " $r->{headers}{'x-cache'} "
           . length decode_json($r->{body})->{pad},
           "200 /cached?interim=102,102&pad=9000 $cached 9000",
           "cache: $cached, $how");
    }

    # what is not to be waited for
    my $many = join ',', (102) x 100;
    my $path = '/y' . ++$n . "?interim=$many";
    is(told($ng->request('POST', $path)), "200 $path", "100 of them, $how");

    for my $query ("interim=$many,102", 'interim=99', 'interim=101',
                   'interim=102&fake=interim', 'fake=interim')
    {
        my $path = '/z' . ++$n;
        my $r = $ng->request('POST', "$path?$query");
        (my $short = $query) =~ s/(,102){9,}/.../;
        is(told($r), '502 unknown', "$short is no answer, $how");
        is(scalar($fake->ledger($path)), 1, 'and not sent again');

        $path = '/n' . ++$n;
        is(told($ng->request('POST', $path)), "200 $path",
           'the next one gets its own answer');
    }

    # a change of protocols is an answer
    $fake->answer("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                  . "Upgrade: websocket\r\n\r\nhello");
    my $before = $ng->instance($name)->{requests};
    my $r = $ng->request('GET', '/ws', headers => ['Connection: upgrade',
                                                   'Upgrade: websocket']);
    is($r->{status}, 101, "a 101 that was asked for passes, $how");
    $fake->mode('json');

    my $after = $ng->instance($name)->{requests};
    is($after->{'1xx'} - $before->{'1xx'}, 1, '/status counts it');
    is($after->{total}, $after->{failed} + $after->{'1xx'} + $after->{'2xx'}
                        + $after->{'4xx'} + $after->{'5xx'},
       "attempts are answers and failures, $how");
    is($after->{'1xx'}, 1, 'interim answers are not counted');

    $ng->clean;
}
}

# Where the protocol is another one there is none.
{
    my $scgi = WaGateway::Fake->new(mode => 'plain');
    my $ng = WaGateway::Nginx->start(
        upstream => 'wa_gateway; server ' . $scgi->name . ';',
        server => 'location /scgi { scgi_pass u; }');

    for (['200 OK', '200 '], ['102 Processing', '502 unknown']) {
        my ($status, $want) = @$_;
        $scgi->answer("Status: $status\r\nContent-Length: 2\r\n\r\nok");
        $scgi->mode('plain');
        is(told($ng->request('POST', '/scgi')), $want, "SCGI, $status");
    }

    $ng->clean;
}

done_testing();
