#!/usr/bin/perl

# wa_gateway_envelope: answers that are large, cut short or compressed, a cache
# that asks again.  What is wrapped and what is not: envelope.t.

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
                 gzip on; gzip_types application/json; gzip_min_length 1;',
        server => 'location /cache { wa_gateway_envelope on; proxy_pass http://u;
                proxy_cache c; proxy_cache_valid 200 1h;
                proxy_cache_valid 201 1s; proxy_cache_use_stale error;
                proxy_cache_revalidate on;
                add_header X-Cache $upstream_cache_status; }
            location = /wrapped/status { wa_gateway_envelope on;
                                         wa_gateway_status u; }');

    for my $mode (qw(json chunked close_delimited)) {
        my $path = "/a?fake=$mode&pad=1000000";
        my ($data, $wrong) = unwrap($ng->request('GET', $path));

        is($wrong, '', "$mode, a megabyte, $how");
        is(join(' ', @$data{qw(method path)}, length($data->{pad} || '')),
           "GET $path 1000000", 'the data are as they came');
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

    # Cut short: never closed with a good tail
    for my $mode (qw(half reset_answer chunked_half)) {
        $r = $ng->request('GET', "/cut?fake=$mode&pad=5000");
        is($r->{status}, 200, "$mode had begun, $how");
        ok(!$r->{whole}, "$mode: the client can see that it is cut, $how");
        unlike($r->{body}, qr/"timestamp"/, "$mode: no tail, $how");
    }

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
