#!/usr/bin/perl

# wa_gateway_envelope: a 2xx JSON answer wrapped as the Node gateway did.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Compress::Gzip qw(gzip);
use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx;

my $fake = WaGateway::Fake->new;
my $name = 'http://' . $fake->name;


# What is wrong with an envelope, '' when nothing is; its data else.
sub unwrap {
    my ($r) = @_;
    my $o = eval { decode_json($r->{body}) }
        or return (undef, "no JSON: $r->{body}");
    my $keys = join ' ', sort keys %$o;

    return (undef, "keys $keys")
        if $keys ne 'data instance success timestamp';
    return (undef, 'success')
        unless JSON::PP::is_bool($o->{success}) && $o->{success};
    return (undef, "instance $o->{instance}") if $o->{instance} ne $name;
    return (undef, "timestamp $o->{timestamp}") if $o->{timestamp}
        !~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    return (undef, 'cut') unless $r->{whole};

    return ($o->{data}, '');
}


for my $workers (0, 4) {
for my $buffering ('on', 'off') {
    my $how = "$workers workers, buffering $buffering";
    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => 'wa_gateway; wa_gateway_passive off; '
                    # raw answers end with the connection, untold
                    . 'wa_gateway_keepalive off; server ' . $fake->name . ';',
        location => "proxy_http_version 1.1; proxy_buffering $buffering;
                     wa_gateway_envelope on;",
        http => 'upstream plain { server ' . $fake->name . '; } gzip on;
                 gzip_types application/json; gzip_min_length 1;',
        server => 'location /off { proxy_pass http://u; }
            location /plain { wa_gateway_envelope on;
                              proxy_pass http://plain; }
            location /own { wa_gateway_envelope on;
                default_type application/json; return 200 "{}"; }
            location = /wrapped/status { wa_gateway_envelope on;
                                         wa_gateway_status u; }');

    for my $mode (qw(json chunked close_delimited)) {
        for my $method (qw(GET POST)) {
            for my $pad (0, $method eq 'GET' ? 1_000_000 : ()) {
                my $path = "/a?fake=$mode&pad=$pad";
                my $r = $ng->request($method, $path);
                my ($data, $wrong) = unwrap($r);

                is($wrong, '', "$method, $mode, $pad bytes more, $how");
                is(join(' ', @$data{qw(method path)},
                        length($data->{pad} || '')),
                   "$method $path $pad", 'the data are as they came');
            }
        }
    }

    # Types
    for my $type ('application/json', 'application/json;charset=utf-8',
                  'Application/JSON;charset=UTF-8',
                  'application/vnd.api+json', 'application/problem+json')
    {
        my $r = $ng->request('GET', "/t?type=$type");
        is((unwrap($r))[1], '', "$type is wrapped, $how");
        is($r->{headers}{'content-length'}, undef,
           'the length of before is gone');
        is($r->{headers}{'content-type'}, $type =~ s/;/; /r, 'the type stays')
            if $type !~ /;/;
    }

    for my $type (qw(text/plain text/html text/json application/jsonp
                     application/json-seq application/x-ndjson image/png
                     application/octet-stream json))
    {
        my $r = $ng->request('GET', "/t?type=$type");
        is(eval { decode_json($r->{body})->{path} }, "/t?type=$type",
           "$type is not, $how");
        ok($r->{headers}{'content-length'}, 'and keeps its length');
    }

    # Statuses
    for my $status (200, 201, 202, 203) {
        my $r = $ng->request('POST', "/s?fake=status:$status");
        is("$r->{status} " . (unwrap($r))[1], "$status ",
           "$status is wrapped, $how");
    }

    for my $status (206, 300, 302, 400, 401, 404, 409, 422, 429, 500, 503) {
        my $r = $ng->request('POST', "/s?fake=status:$status");
        is("$r->{status} " . (eval { decode_json($r->{body})->{path} } || ''),
           "$status /s?fake=status:$status", "$status is not, $how");
    }

    # Raw answers: what came, what the client gets
    for my $case (
        ['204', "HTTP/1.1 204 No Content\r\n\r\n", 204, ''],
        ['an empty body', "HTTP/1.1 200 OK\r\nContent-Type: "
         . "application/json\r\nContent-Length: 0\r\n\r\n", 200, \'null'],
        ['an empty body, close-delimited', "HTTP/1.1 200 OK\r\nContent-Type: "
         . "application/json\r\n\r\n", 200, \'null'],
        ['an empty body, chunked', "HTTP/1.1 200 OK\r\nContent-Type: "
         . "application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         200, \'null'],
        ['an array', "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         . "Content-Length: 7\r\n\r\n[1,2,3]", 200, \'[1,2,3]'],
        ['a text', "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         . "Content-Length: 4\r\n\r\n\"ok\"", 200, \'"ok"'],
        ['null', "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         . "Content-Length: 4\r\n\r\nnull", 200, \'null'],
        ['Arabic', "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
         . "Content-Length: 12\r\n\r\n{\"a\":\"\xd8\xb3\xd9\x84\"}", 200,
         \"{\"a\":\"\xd8\xb3\xd9\x84\"}"],
        ['no type', "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200,
         '{}'],
        ['ETag and Last-Modified', "HTTP/1.1 200 OK\r\nContent-Type: "
         . "application/json\r\nETag: \"x\"\r\nLast-Modified: Thu, 01 Jan "
         . "2026 00:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}", 200, \'{}'],
    ) {
        my ($what, $answer, $status, $want) = @$case;
        $fake->answer($answer);
        my $r = $ng->request('POST', '/raw', body => '{}');

        is($r->{status}, $status, "$what: $status, $how");

        if (ref $want) {
            my ($data, $wrong) = unwrap($r);
            is($wrong, '', "$what: a good envelope, $how");
            is(JSON::PP->new->canonical->allow_nonref->utf8->encode($data),
               $$want, "$what: the data are as they came, $how");
            is($r->{headers}{etag}, undef, 'no ETag of what is inside');
            is($r->{headers}{'last-modified'}, undef, 'nor its date');
        } elsif (defined $want) {
            is($r->{body}, $want, "$what: is left alone, $how");
        }
    }

    # gzip of the instance's own
    gzip(\'{"a":1}' => \my $gzip);
    $fake->answer("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        . "Content-Encoding: gzip\r\nContent-Length: " . length($gzip)
        . "\r\n\r\n$gzip");
    my $r = $ng->request('GET', '/raw', headers => ['Accept-Encoding: gzip']);
    is($r->{body}, $gzip, "gzip is left alone, $how");

    # and nginx's
    $fake->mode('json');
    $r = $ng->request('GET', '/raw', headers => ['Accept-Encoding: gzip']);
    is($r->{headers}{'content-encoding'}, 'gzip', "nginx may compress, $how");
    IO::Uncompress::Gunzip::gunzip(\$r->{body} => \my $plain)
        if eval { require IO::Uncompress::Gunzip };
    is((unwrap({ body => $plain, whole => 1 }))[1], '',
       "and what is inside is a good envelope, $how");

    # HEAD
    $r = $ng->request('HEAD', '/head');
    is("$r->{status} $r->{body}", '200 ', "HEAD has no body, $how");

    # Cut short: never closed with a good tail
    for my $mode (qw(half reset_answer chunked_half)) {
        $r = $ng->request('GET', "/cut?fake=$mode&pad=5000");
        is($r->{status}, 200, "$mode had begun, $how");
        ok(!$r->{whole}, "$mode: the client can see that it is cut, $how");
        unlike($r->{body}, qr/"timestamp"/, "$mode: no tail, $how");
    }

    # Where it has nothing to say
    for my $path ('/off', '/plain') {
        $r = $ng->request('GET', $path);
        is(eval { decode_json($r->{body})->{path} }, $path,
           "$path is not wrapped, $how");
    }

    is($ng->request('GET', '/own')->{body}, '{}',
       "an answer of nginx's own is not wrapped, $how");
    ok(decode_json($ng->request('GET', '/wrapped/status')->{body})->{gateway},
       "/status is not wrapped, $how");

    $fake->stop;
    $r = $ng->request('POST', '/down', body => '{}');
    is(decode_json($r->{body})->{code}, 'bad_gateway',
       "an error of the gateway is not wrapped, $how");
    $fake->start;

    $ng->clean;
}
}

done_testing;
