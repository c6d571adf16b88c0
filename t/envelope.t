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
use WaGateway::Nginx qw(poll);

my $fake = WaGateway::Fake->new;
my $name = 'http://' . $fake->name;
my $n = 0;


# What is wrong with an envelope, '' when nothing is; its data else.
sub unwrap {
    my ($r, $instance) = @_;
    my $o = eval { decode_json($r->{body}) }
        or return (undef, "no JSON: $r->{body}");
    my $keys = join ' ', sort keys %$o;

    return (undef, "keys $keys")
        if $keys ne 'data instance success timestamp';
    return (undef, 'success')
        unless JSON::PP::is_bool($o->{success}) && $o->{success};
    my $who = defined $o->{instance} ? $o->{instance} : 'null';
    return (undef, "instance $who") if $who ne ($instance || $name);
    return (undef, "timestamp $o->{timestamp}") if $o->{timestamp}
        !~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    return (undef, 'cut') unless $r->{whole};

    return ($o->{data}, '');
}


my $Type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
my $Bom = "\xef\xbb\xbf";

for my $workers (0, 4) {
for my $buffering ('on', 'off') {
    my $how = "$workers workers, buffering $buffering";
    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => 'wa_gateway; wa_gateway_passive off; '
                    # raw answers end with the connection, untold
                    . 'wa_gateway_keepalive off; server ' . $fake->name . ';',
        location => "proxy_http_version 1.1; proxy_buffering $buffering;
                     wa_gateway_envelope on;",
        http => 'proxy_cache_path cache keys_zone=c:1m inactive=1h;
                 upstream plain { server ' . $fake->name . '; } gzip on;
                 gzip_types application/json; gzip_min_length 1;',
        server => 'location /off { proxy_pass http://u; }
            location /cache { wa_gateway_envelope on; proxy_pass http://u;
                proxy_cache c; proxy_cache_valid 200 1h;
                proxy_cache_valid 201 1s; proxy_cache_use_stale error;
                proxy_cache_revalidate on;
                add_header X-Cache $upstream_cache_status; }
            location /cache/variable { wa_gateway_envelope on; set $to u;
                proxy_pass http://$to; proxy_cache c; proxy_cache_valid 1h; }
            location /cache/plain { wa_gateway_envelope on;
                proxy_pass http://plain; proxy_cache c;
                proxy_cache_valid 1h; }
            location /cache/page { wa_gateway_envelope on;
                proxy_pass http://u; proxy_cache c; proxy_cache_valid any 1h;
                error_page 502 = /page.json; proxy_intercept_errors on; }
            location = /page.json { wa_gateway_envelope on; internal;
                default_type application/json; return 200 "{}"; }
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
        ['blanks alone', "${Type}Content-Length: 5\r\n\r\n \r\n\t ", 200, \'null'],
        ['64k of blanks', "$Type\r\n" . ' ' x 65536, 200, \'null'],
        ['a BOM alone', "$Type\r\n$Bom", 200, \'null'],
        ['a BOM and blanks', "$Type\r\n$Bom\n", 200, \'null'],
        ['a BOM', "$Type\r\n${Bom}{\"a\":1}", 200, \'{"a":1}'],
        ['a BOM, chunked', "${Type}Transfer-Encoding: chunked\r\n\r\n1\r\n\xef"
         . "\r\n1\r\n\xbb\r\n1\r\n\xbf\r\n2\r\n \n\r\n2\r\n[1\r\n2\r\n] \r\n"
         . "0\r\n\r\n", 200, \'[1]'],
        ['blanks before and after', "$Type\r\n \n [1] \n", 200, \'[1]'],
        ['205', "HTTP/1.1 205 Reset Content\r\nContent-Type: application/json"
         . "\r\nContent-Length: 0\r\n\r\n", 205, ''],
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

    # Cut anywhere, and what only begins like a mark
    for my $at (1 .. 12) {
        $fake->answer("$Type\r\n$Bom \n{\"a\":1}");
        my $r = $ng->request('GET', '/raw?split=' . (length("$Type\r\n") + $at));
        my ($data, $wrong) = unwrap($r);
        is("$wrong " . ($data->{a} || ''), ' 1', "a BOM, cut at $at, $how");
    }

    for my $at (1, 2) {
        my $half = substr $Bom, 0, $at;
        $fake->answer("$Type\r\n$half$Bom\[]");
        my $r = $ng->request('GET', '/raw?split=' . (length("$Type\r\n") + $at));
        like($r->{body}, qr/^\{"success":true,"data":\Q$half$Bom\E\[\],/,
             "$at bytes of a BOM are no BOM, $how");
    }

    # What tells of the body as it was
    {
        my @names = qw(Content-Digest Repr-Digest Digest Content-MD5);
        $fake->answer($Type . join('', map { "$_: x\r\n" } @names, 'X-Other')
                      . "\r\n{}");
        my $r = $ng->request('GET', '/raw');
        is(join(' ', grep { /digest|md5|x-other/ } sort keys %{$r->{headers}}),
           'x-other', "no digest of what is inside, $how");
        $r = $ng->request('GET', '/off');
        ok($r->{headers}{'content-digest'}, 'which stays where nothing is wrapped');
    }

    # The same from a cache, where nobody was asked
    for my $case (['{"a":1}', '{"a":1}'], ["$Bom\n {\"a\":1}", '{"a":1}'],
                  ['', 'null'], [" \n", 'null'], [' ' x 9999, 'null'],
                  [' ' x 9999 . '[1]', '[1]'])
    {
        my ($body, $want) = @$case;
        my $path = '/cache/' . ++$n;
        $fake->answer("$Type\r\n$body");

        for my $cached (qw(MISS HIT)) {
            my $r = $ng->request('GET', $path,
                                 headers => ['Range: bytes=0-1']);
            my ($data, $wrong) = unwrap($r, $cached eq 'HIT' ? 'null' : '');
            is("$r->{status} $r->{headers}{'x-cache'} $wrong "
               . JSON::PP->new->canonical->allow_nonref->encode($data),
               "200 $cached  $want", substr($body, 0, 9) . ", $cached, $how");
        }
    }

    $fake->mode('json');
    for my $path ('/cache/variable/a', '/cache/plain/a') {
        for my $from ($name, 'null') {
            my $r = $ng->request('GET', $path);
            if ($path =~ /plain/) {
                is(eval { decode_json($r->{body})->{path} }, $path,
                   "$path is not wrapped, $how");
            } else {
                is((unwrap($r, $from))[1], '', "$path from $from, $how");
            }
        }
    }

    for (1, 2) {
        is($ng->request('GET', '/cache/page?fake=status:502')->{body}, '{}',
           "an error page of a cached answer is not wrapped, $how");
    }

    {
        my $path = '/cache/' . ++$n;
        my $tag = "ETag: \"1\"\r\n";
        $fake->answer(($Type =~ s/200 OK/201 Created/r) . "$tag\r\n{}");
        is((unwrap($ng->request('GET', $path)))[1], '', "201, $how");

        my $r;
        $fake->answer("HTTP/1.1 304 Not Modified\r\n$tag\r\n");
        poll { $r = $ng->request('GET', $path);
               $r->{headers}{'x-cache'} eq 'REVALIDATED' };
        is("$r->{headers}{'x-cache'} " . (unwrap($r))[1], 'REVALIDATED ',
           "who says that it is still so is named, $how");

        $fake->stop;
        poll { $r = $ng->request('GET', $path);
               $r->{headers}{'x-cache'} eq 'STALE' };
        is("$r->{headers}{'x-cache'} " . (unwrap($r, 'null'))[1], 'STALE ',
           "who failed is not, $how");
        $fake->start;
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
