# Interim answers of instances, RFC 9110, 15.2: 102 and 200 on one connection.
# nginx takes the first for the final one, and the second for the answer to the
# next request that comes over the connection.  What the instance saw of it:
# interim_faults.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;

our $fake = WaGateway::Fake->new;
our $scgi = WaGateway::Fake->new(mode => 'plain');
our $many = join ',', (102) x 100;
our $cut = join "\n", map { 'POST /s?interim=102,103&split=' . 5 * $_ } 1 .. 45;
our $n = 0;

$ENV{TEST_NGINX_FAKE} = $fake->name;
$ENV{TEST_NGINX_SCGI} = $scgi->name;


# "ask" has a request in each line: method, path, and the status if that is not
# 200.  All are made with proxy_buffering on, then off.  Each path is another
# one, and what is answered tells of it, but for a 502, which is the gateway's.
add_block_preprocessor(sub {
    my $block = shift;

    WaGateway::Socket::quiet($block);

    if (defined $block->ask) {
        my (@requests, @status, @bodies);

        for my $where ('on', 'un') {
            for (split /\n/, $block->ask) {
                my ($method, $uri, $status) = split;
                my $path = "/$where/" . ++$n . $uri;

                push @requests, "$method $path" . ($method eq 'POST' ? "\nx"
                                                                     : '');
                push @status, $status || 200;
                push @bodies, ($status || 200) == 502
                    ? qr/"code":"bad_gateway".*"sent":"unknown"/
                    : qr/"path":"\Q$path\E"\}\z/;
            }
        }

        $block->set_value('request', \@requests);
        $block->set_value('error_code', \@status);
        $block->set_value('response_body_like', \@bodies);
        $block->set_value('response_headers', [('! X-Interim') x @requests]);
    }

    $block->set_value('http_config', <<'END');
    proxy_cache_path cache keys_zone=c:1m;
    map $http_upgrade $up { default ""; websocket upgrade; }
    upstream u { wa_gateway; wa_gateway_passive off; server $TEST_NGINX_FAKE; }
    upstream on { wa_gateway; wa_gateway_passive off; server $TEST_NGINX_FAKE; }
    upstream un { wa_gateway; wa_gateway_passive off; server $TEST_NGINX_FAKE; }
    upstream scgi { wa_gateway; wa_gateway_passive off;
                    server $TEST_NGINX_SCGI; }
END

    $block->set_value('config', <<'END');
        wa_gateway_errors en;
        proxy_http_version 1.1;
        proxy_set_header Connection $up;
        proxy_set_header Upgrade $http_upgrade;
        location /on { proxy_pass http://u; }
        location /un { proxy_pass http://u; proxy_buffering off; }
        location /counted/on { proxy_pass http://on; }
        location /counted/un { proxy_pass http://un; proxy_buffering off; }
        location = /on/status { wa_gateway_status on; }
        location = /un/status { wa_gateway_status un; }
        location /cached {
            proxy_pass http://u;
            proxy_cache c;
            proxy_set_header Connection "";
            proxy_cache_valid any 1m;
            add_header X-Cache $upstream_cache_status;
        }
        location /scgi { scgi_pass scgi; }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: a 100 is not the answer, and the next request has its own
--- ask
POST /i?interim=100
POST /n
GET /i?interim=100
GET /n



=== TEST 2: nor is a 102
--- ask
POST /i?interim=102
POST /n
GET /i?interim=102
GET /n



=== TEST 3: nor is a 103
--- ask
POST /i?interim=103
POST /n
GET /i?interim=103
GET /n



=== TEST 4: nor are several of a kind
--- ask
POST /i?interim=102,102,102
POST /n
GET /i?interim=102,102,102
GET /n



=== TEST 5: nor several of different kinds
--- ask
POST /i?interim=100,103,102
POST /n
GET /i?interim=100,103,102
GET /n



=== TEST 6: they may be cut anywhere
--- ask eval: $::cut



=== TEST 7: the answer after a 102 may be of any form
--- ask
POST /m?interim=102&fake=chunked
POST /m?interim=102&fake=close_delimited
POST /m?interim=102&fake=status:404 404
POST /m?interim=102&fake=status:500 500



=== TEST 8: a cache keeps the final answer alone
--- request eval
["GET /cached?interim=102,102&pad=9000",
 "GET /cached?interim=102,102&pad=9000"]
--- error_code eval
[200, 200]
--- response_headers eval
["X-Cache: MISS\n! X-Interim", "X-Cache: HIT\n! X-Interim"]
--- response_body_like eval
[(qr{"path":"/cached\?interim=102,102&pad=9000","pad":"x{9000}"\}\z}) x 2]



=== TEST 9: a hundred of them are waited for
--- ask eval
"POST /y?interim=$::many"



=== TEST 10: one more is no answer, and the next request has its own
--- ask eval
"POST /z?interim=$::many,102 502
POST /n"



=== TEST 11: a status of 99 is no answer
--- ask
POST /z?interim=99 502
POST /n



=== TEST 12: a 101 that nobody asked for is no answer
--- ask
POST /z?interim=101 502
POST /n



=== TEST 13: one interim answer more, and then nothing, is no answer
--- ask
POST /z?interim=102&fake=interim 502
POST /n



=== TEST 14: nothing at all is no answer
--- ask
POST /z?fake=interim 502
POST /n



=== TEST 15: a 101 that was asked for passes; /status counts it, and no other
--- init
$main::fake->answer("HTTP/1.1 101 Switching Protocols\r\n"
                    . "Connection: upgrade\r\nUpgrade: websocket\r\n\r\nhello");
$main::fake->mode('json');
--- request eval
[map { ("POST /counted/$_?interim=102\nx", "GET /$_/status",
        "GET /counted/$_?fake=raw", "GET /$_/status") } 'on', 'un']
--- more_headers eval
[("", "", "Connection: upgrade\nUpgrade: websocket", "") x 2]
--- error_code eval
[(200, 200, 101, 200) x 2]
--- response_body_like eval
[(qr/"path":/, qr/"total":1,"inFlight":0,"failed":0,"1xx":0,"2xx":1,/,
  qr/\Ahello\z/, qr/"total":2,"inFlight":0,"failed":0,"1xx":1,"2xx":1,/) x 2]



=== TEST 16: an answer of SCGI passes
--- init
$main::scgi->answer("Status: 200 OK\r\nContent-Length: 2\r\n\r\nok");
$main::scgi->mode('plain');
--- request
POST /scgi
--- error_code: 200
--- response_body: ok



=== TEST 17: SCGI has no interim answers, a 102 is no answer
--- init
$main::scgi->answer("Status: 102 Processing\r\nContent-Length: 2\r\n\r\nok");
$main::scgi->mode('plain');
--- request
POST /scgi
--- error_code: 502
--- response_body_like: "code":"bad_gateway".*"sent":"unknown"
