# wa_gateway_errors: JSON for the errors the gateway makes itself

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;

our $fake = WaGateway::Fake->new;

$ENV{TEST_NGINX_FAKE} = $fake->name;
$ENV{TEST_NGINX_CLOSED} = '127.0.0.1:' . WaGateway::Fake::free_port();

our $instances = <<'END';
    limit_req_zone $uri zone=one:64k rate=1r/m;
    upstream u {
        wa_gateway;
        wa_gateway_passive off;
        server $TEST_NGINX_FAKE;
    }
    upstream closed {
        wa_gateway zone=closed;
        wa_gateway_passive off;
        server $TEST_NGINX_CLOSED;
    }
    upstream none {
        wa_gateway zone=none;
        server $TEST_NGINX_CLOSED down;
    }
END

our $locations = <<'END';
    large_client_header_buffers 2 1k;
    location / { proxy_pass http://u; }
    location /hang { proxy_pass http://u; proxy_read_timeout 500ms; }
    location /closed { proxy_pass http://closed; }
    location /none { proxy_pass http://none; }
    location /403 { return 403; }
    location /405 { return 405; }
    location /411 { return 411; }
    location /415 { return 415; }
    location /416 { return 416; }
    location /409 { return 409; }
    location /404 { return 404; }
    location /503 { return 503; }
    location /500 { rewrite ^(.*)$ $1 last; }
    location /text { return 403 "words\n"; }
    location /small { client_max_body_size 5; proxy_pass http://u; }
    location /limited {
        limit_req zone=one;
        limit_req_status 429;
        proxy_pass http://u;
    }
    location /mine {
        error_page 404 /page;
        return 404;
    }
    location /mine502 {
        error_page 502 503 =200 /page;
        proxy_pass http://closed;
    }
    location /named {
        error_page 502 @named;
        proxy_pass http://closed;
    }
    location @named { return 418 "named\n"; }
    location = /page { return 200 "my own\n"; }
    location /intercept {
        proxy_intercept_errors on;
        error_page 500 /page;
        proxy_pass http://u;
    }
    location /off { wa_gateway_errors off; return 404; }
    location /unmatched { error_page 418 = @none; proxy_pass http://none; }
    location /by_redirect { error_page 418 = @none; return 418; }
    location @none { proxy_pass http://none; }
    location /second { error_page 502 @u; proxy_pass http://closed; }
    location @u { proxy_pass http://u; }
    location /keyed {
        error_page 418 = @keyed;
        return 418;
    }
    location @keyed { wa_gateway_api_key k; proxy_pass http://u; }
    location /foreign {
        proxy_pass http://$TEST_NGINX_FAKE;
        proxy_read_timeout 500ms;
        add_header X-Sent "<$wa_gateway_sent>" always;
    }
    location /foreignclosed { proxy_pass http://$TEST_NGINX_CLOSED; }
    location /foreignfirst {
        error_page 502 = @closed;
        proxy_pass http://$TEST_NGINX_FAKE;
    }
    location @closed { proxy_pass http://closed; }
END

add_block_preprocessor(sub {
    my $block = shift;
    my $lang = $block->lang || 'en';

    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]");
    $block->set_value('http_config', $::instances);
    $block->set_value('config', "wa_gateway_errors $lang;\n$::locations");
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: no instance available is 503 in English
--- request
POST /none
{}
--- error_code: 503
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_headers_like
Retry-After: [1-9]\d*
--- response_body chomp
{"success":false,"error":"No instances available","code":"no_instances","details":"Every instance is down or busy, the message was not sent","sent":"no"}



=== TEST 2: no instance available is 503 in Arabic
--- lang: ar
--- request
POST /none
{}
--- error_code: 503
--- response_headers_like
Retry-After: [1-9]\d*
--- response_body_like: ^\{"success":false,"error":"لا توجد instances متاحة","code":"no_instances","details":"[^"]+","sent":"no"\}$



=== TEST 3: a refused connect everywhere is 502 in English
--- request
POST /closed
{}
--- error_code: 502
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body chomp
{"success":false,"error":"Failed to send the message","code":"bad_gateway","details":"No connection could be made, the message was not sent","sent":"no"}



=== TEST 4: a refused connect everywhere is 502 in Arabic
--- lang: ar
--- request
POST /closed
{}
--- error_code: 502
--- response_body_like: ^\{"success":false,"error":"فشل في إرسال الرسالة","code":"bad_gateway","details":"[^"]+","sent":"no"\}$



=== TEST 5: a connection that broke is 502, unknown if it was sent
--- request
POST /x?fake=reset
{}
--- error_code: 502
--- response_body_like: ^\{"success":false,"error":"Failed to send the message","code":"bad_gateway","details":"The connection broke [^"]+","sent":"unknown"\}$



=== TEST 6: a connection that broke is 502 in Arabic
--- lang: ar
--- request
POST /x?fake=reset
{}
--- error_code: 502
--- response_body_like: ^\{"success":false,"error":"فشل في إرسال الرسالة","code":"bad_gateway","details":"[^"]+","sent":"unknown"\}$



=== TEST 7: an instance that does not answer in time is 504
--- request
POST /hang?fake=hang
{}
--- error_code: 504
--- response_body_like: ^\{"success":false,"error":"Failed to send the message","code":"timeout","details":"The instance did not answer in time[^"]+","sent":"unknown"\}$



=== TEST 8: an instance that does not answer in time is 504 in Arabic
--- lang: ar
--- request
POST /hang?fake=hang
{}
--- error_code: 504
--- response_body_like: ^\{"success":false,"error":"فشل في إرسال الرسالة","code":"timeout","details":"[^"]+","sent":"unknown"\}$



=== TEST 9: 400 for a request without Host
--- raw_request eval
"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
--- error_code: 400
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body chomp
{"success":false,"error":"Bad request","code":"bad_request","details":"The message was not sent","sent":"no"}



=== TEST 10: 400 for a header that is too large
--- request
GET /x
--- more_headers eval
"X-Long: " . "x" x 2000
--- error_code: 400
--- response_body_like: "code":"bad_request"



=== TEST 11: 414 for a long URI
--- request eval
"GET /" . "x" x 2000
--- error_code: 414
--- response_body_like: ^\{"success":false,"error":"The URI is too long","code":"uri_too_long","details":"[^"]+","sent":"no"\}$



=== TEST 12: 413 for a large body
--- request
POST /small
too large
--- error_code: 413
--- response_body_like: ^\{"success":false,"error":"The request is too large","code":"payload_too_large",.*"sent":"no"\}$



=== TEST 13: 429 by limit_req
--- request eval
["POST /limited\n{}", "POST /limited\n{}"]
--- error_code eval
[200, 429]
--- response_body_like eval
['"method":"POST"', '^\{"success":false,"error":"Too many requests, try again later","code":"too_many_requests",.*"sent":"no"\}$']



=== TEST 14: 500 of the gateway itself
--- request
GET /500
--- error_code: 500
--- response_body_like: ^\{"success":false,"error":"Internal error of the gateway","code":"internal_error",.*"sent":"no"\}$



=== TEST 15: 501 for a transfer coding that is unknown
--- raw_request eval
"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\nConnection: close\r\n\r\n"
--- error_code: 501
--- response_body_like: "code":"not_implemented"



=== TEST 16: 505 for an HTTP that is unknown
--- raw_request eval
"GET / HTTP/2.1\r\nHost: a\r\n\r\n"
--- error_code: 505
--- response_body_like: "code":"http_version"



=== TEST 17: the other errors have codes of their own
--- request eval
["GET /403", "GET /404", "GET /405", "GET /409", "GET /411", "GET /415", "GET /416", "GET /503"]
--- error_code eval
[403, 404, 405, 409, 411, 415, 416, 503]
--- response_body_like eval
[map { qq(^\\{"success":false,"error":"[^"]+","code":"$_","details":"The message was not sent","sent":"no"\\}\$) }
 qw(forbidden not_found method_not_allowed error length_required unsupported_media_type range_not_satisfiable service_unavailable)]



=== TEST 18: the other errors in Arabic
--- lang: ar
--- request eval
["GET /403", "GET /404", "GET /405", "GET /500"]
--- error_code eval
[403, 404, 405, 500]
--- response_body_like eval
[map { qq(^\\{"success":false,"error":"[^"]*\xd8[^"]+","code":"$_","details":"[^"]*\xd8[^"]+","sent":"no"\\}\$) }
 qw(forbidden not_found method_not_allowed internal_error)]



=== TEST 19: off gives nginx's own pages
--- lang: off
--- request eval
["GET /404", "POST /closed\n{}", "POST /none\n{}", "POST /x?fake=reset\n{}"]
--- error_code eval
[404, 502, 502, 502]
--- response_body_like eval
[("<center>nginx") x 4]
--- response_headers_like eval
[("Content-Type: text/html") x 4]



=== TEST 20: off in a location inside
--- request
GET /off
--- error_code: 404
--- response_body_like: <center>nginx



=== TEST 21: error_page wins
--- request eval
["GET /mine", "POST /mine502\n{}", "POST /named\n{}"]
--- error_code eval
[404, 200, 502]
--- response_body eval
["my own\n", "my own\n", "named\n"]



=== TEST 22: proxy_intercept_errors and error_page win over an instance's answer
--- request
GET /intercept?fake=status:500
--- error_code: 500
--- response_body
my own



=== TEST 23: a text of return is left alone
--- request
GET /text
--- error_code: 403
--- response_body
words



=== TEST 24: an instance's own error answers pass through
--- request eval
[map { "POST /x?fake=status:$_\n{}" } 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504]
--- error_code eval
[400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504]
--- response_body_like eval
[map { qq(^\\{"instance":\\d+,"length":2,"method":"POST","path":"/x\\?fake=status:$_"\\}\$) } 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504]



=== TEST 25: an instance's own error pages pass through, whatever their type
--- request
GET /x?fake=status:502&type=text/html
--- error_code: 502
--- response_headers
Content-Type: text/html
--- response_body_like: ^\{"instance":\d+,"length":0,"method":"GET","path":"/x\?fake=status:502&type=text/html"\}$



=== TEST 26: HEAD has the header of an error and no body
--- request eval
["HEAD /404", "HEAD /none", "HEAD /closed"]
--- error_code eval
[404, 503, 502]
--- response_body eval
["", "", ""]
--- response_headers_like eval
[("Content-Type: application/json; charset=utf-8\nContent-Length: [1-9]\\d*") x 3]



=== TEST 27: only the 503 for want of an instance has Retry-After
--- request eval
["GET /404", "POST /closed\n{}", "GET /503", "POST /hang?fake=hang\n{}"]
--- error_code eval
[404, 502, 503, 504]
--- response_headers eval
[("!Retry-After") x 4]



=== TEST 28: a connection to the client stays open after an error
--- pipelined_requests eval
["GET /404", "POST /closed\n{}", "GET /x"]
--- error_code eval
[404, 502, 200]



=== TEST 30: error_page for another status does not keep JSON away
--- request eval
["POST /unmatched\n{}", "POST /by_redirect\n{}"]
--- error_code eval
[503, 503]
--- response_body_like eval
["no_instances", "no_instances"]



=== TEST 31: nor does a redirect that led to a location with a key
--- request
POST /keyed
{}
--- error_code: 401
--- response_body_like: "code":"unauthorized"



=== TEST 32: an instance that error_page led to answers in its own words
--- request
POST /second
{}
--- error_code: 502
--- response_body_like: ^\{"instance":\d+,"length":



=== TEST 33: what an upstream without wa_gateway was sent is unknown
--- request eval
["POST /foreign?fake=reset\n{}", "POST /foreign?fake=hang\n{}"]
--- error_code eval
[502, 504]
--- response_headers eval
["X-Sent: <unknown>", "X-Sent: <unknown>"]
--- response_body_like eval
[qr/"code":"bad_gateway".*"sent":"unknown"/,
 qr/"code":"timeout".*"sent":"unknown"/]



=== TEST 34: a connection that it refused carried nothing
--- request
POST /foreignclosed
{}
--- error_code: 502
--- response_body_like: "sent":"no"



=== TEST 35: nor is it forgotten when error_page leads to one with wa_gateway
--- request
POST /foreignfirst?fake=reset
{}
--- error_code: 502
--- response_body_like: "details":"The request was written before.*"sent":"unknown"
