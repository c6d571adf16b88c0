# wa_gateway_api_key

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]")
        unless $block->no_error_log;
    $block->set_value('http_config', <<'END') unless $block->http_config;
    upstream u {
        wa_gateway;
        server 127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
END
    $block->set_value('config', <<'END') unless $block->config;
        wa_gateway_errors en;
        wa_gateway_api_key secret other-key;
        location ~ ^/instance { wa_gateway_api_key off; return 200 "sent\n"; }
        location = /health { wa_gateway_api_key off; wa_gateway_health u; }
        location = /status { wa_gateway_status u; }
        location = /own { wa_gateway_api_key third; proxy_pass http://u/instance; }
        location / { proxy_pass http://u/instance; }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: the right key in X-Api-Key opens
--- request
POST /send-message
{}
--- more_headers
X-Api-Key: secret
--- response_body
sent



=== TEST 2: the right key as a Bearer token opens
--- request
POST /send-message
{}
--- more_headers
Authorization: Bearer secret
--- response_body
sent



=== TEST 3: the word Bearer is read in any case, with any number of blanks
--- request
GET /x
--- more_headers
Authorization: bEARER   secret
--- response_body
sent



=== TEST 4: the name of the header is read in any case
--- request
GET /x
--- more_headers
x-aPI-kEY: secret
--- response_body
sent



=== TEST 5: each of several keys opens
--- request
GET /x
--- more_headers
X-Api-Key: other-key
--- response_body
sent



=== TEST 6: no key is 401 with a JSON body and WWW-Authenticate
--- request
POST /send-message
{}
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer
Content-Type: application/json; charset=utf-8
--- response_body chomp
{"success":false,"error":"The API key is missing or wrong","code":"unauthorized","details":"The message was not sent","sent":"no"}



=== TEST 7: a wrong key is 401
--- request
GET /x
--- more_headers
X-Api-Key: wrong
--- error_code: 401



=== TEST 8: an empty key is 401
--- request
GET /x
--- more_headers
X-Api-Key:
--- error_code: 401



=== TEST 9: the beginning of a key is 401
--- request
GET /x
--- more_headers
X-Api-Key: secre
--- error_code: 401



=== TEST 10: a key with something behind it is 401
--- request
GET /x
--- more_headers
X-Api-Key: secret1
--- error_code: 401



=== TEST 11: a key twice over is 401
--- request
GET /x
--- more_headers
X-Api-Key: secretsecret
--- error_code: 401



=== TEST 12: a key in another case is 401
--- request
GET /x
--- more_headers
X-Api-Key: Secret
--- error_code: 401



=== TEST 13: two keys in one header are 401
--- request
GET /x
--- more_headers
X-Api-Key: secret other-key
--- error_code: 401



=== TEST 14: a Bearer token that is wrong is 401
--- request
GET /x
--- more_headers
Authorization: Bearer secret1
--- error_code: 401



=== TEST 15: Bearer alone is 401
--- request
GET /x
--- more_headers
Authorization: Bearer
--- error_code: 401



=== TEST 16: the key with another scheme is 401
--- request
GET /x
--- more_headers
Authorization: Basic secret
--- error_code: 401



=== TEST 17: the key as the whole of Authorization is 401
--- request
GET /x
--- more_headers
Authorization: secret
--- error_code: 401



=== TEST 18: the key in the query is 401
--- request
GET /x?api_key=secret&X-Api-Key=secret
--- error_code: 401



=== TEST 19: a wrong X-Api-Key does not spoil a right Bearer token
--- request
GET /x
--- more_headers
X-Api-Key: wrong
Authorization: Bearer secret
--- response_body
sent



=== TEST 20: /health is open when it says off
--- request
GET /health
--- response_body_like: ^\{"status":"healthy"



=== TEST 21: /status asks for the key
--- request
GET /status
--- error_code: 401



=== TEST 22: /status opens with the key
--- request
GET /status
--- more_headers
X-Api-Key: secret
--- response_body_like: ^\{"gateway":



=== TEST 23: a location's own keys replace those outside
--- request
GET /own
--- more_headers
X-Api-Key: third
--- response_body
sent



=== TEST 24: keys outside do not open a location with keys of its own
--- request
GET /own
--- more_headers
X-Api-Key: secret
--- error_code: 401



=== TEST 25: HEAD without a key is 401 without a body
--- request
HEAD /x
--- error_code: 401
--- response_body
--- response_headers
WWW-Authenticate: Bearer



=== TEST 26: the message in Arabic
--- config
    wa_gateway_errors ar;
    wa_gateway_api_key secret;
    location / { proxy_pass http://u; }
--- request
GET /x
--- error_code: 401
--- response_body chomp
{"success":false,"error":"مفتاح API مفقود أو غير صحيح","code":"unauthorized","details":"لم تُرسل الرسالة","sent":"no"}



=== TEST 27: without keys nothing is asked
--- config
    location ~ ^/instance { return 200 "sent\n"; }
    location / { proxy_pass http://u/instance; }
--- request
GET /x
--- response_body
sent



=== TEST 28: a request without a key never reaches an instance
--- config
    wa_gateway_errors en;
    location ~ ^/instance { return 200 "sent\n"; }
    location = /status { wa_gateway_status u; }
    location / { wa_gateway_api_key secret; proxy_pass http://u/instance; }
--- request eval
["POST /x", "GET /status"]
--- error_code eval
[401, 200]
--- response_body_like eval
['"unauthorized"', '"requests":\{"total":0,']



=== TEST 29: the key is not written to the log
--- request
GET /x
--- more_headers
X-Api-Key: sesame-open
--- error_code: 401
--- log_level: info
--- error_log
wa_gateway: no valid API key



=== TEST 30: nor to an instance or a log by a variable that was read before
--- http_config
    upstream u {
        wa_gateway;
        server 127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    limit_req_zone $http_x_api_key zone=key:1m rate=1000r/s;
    limit_req_zone $http_authorization zone=bearer:1m rate=1000r/s;
    map $http_x_api_key $copy { default "k=$http_x_api_key"; }
    map $copy $other { ~^k=(?<inside>.+)$ $inside; default none; }
    map $http_x_api_key $tenant { sesame tenant-1; default none; }
    log_format keys 'logged "$http_x_api_key" "$http_authorization" "$copy" "$other" "$mine" $tenant "$inside"';
--- config
    wa_gateway_api_key sesame other;
    access_log logs/error.log keys;
    location ^~ /instance {
        wa_gateway_api_key off;
        access_log off;
        return 200 "$http_x_seen|$http_x_api_key|$http_authorization";
    }
    location / {
        set $mine "$http_x_api_key $other $tenant";
        set $before "uri $uri";
        limit_req zone=key burst=10;
        limit_req zone=bearer burst=10;
        proxy_set_header X-Seen "$http_x_api_key,$http_authorization,$copy,$other,$mine,$tenant,$before,$uri,$inside";
        proxy_pass http://u/instance;
    }
--- request
GET /x
--- more_headers
X-Api-Key: sesame
Authorization: Bearer other
--- response_body chomp
,,k=,none,,tenant-1,uri /x,/x,||
--- no_error_log
sesame
Bearer other
[alert]
[crit]
[emerg]
--- error_log eval
qr/^logged "-" "-" "k=" "none" "" tenant-1 "-?"$/m



=== TEST 31: what is limited by the key is limited by it
--- http_config
    upstream u {
        wa_gateway;
        server 127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    limit_req_zone $http_x_api_key zone=key:1m rate=1r/m;
--- config
    wa_gateway_api_key sesame other;
    location ^~ /instance { wa_gateway_api_key off; return 200 "sent"; }
    location / { limit_req zone=key; limit_req_status 429;
                 proxy_pass http://u/instance; }
--- request eval
["GET /a", "GET /b", "GET /c", "GET /d"]
--- more_headers eval
["X-Api-Key: sesame", "X-Api-Key: sesame", "X-Api-Key: other", "X-Api-Key: other"]
--- error_code eval
[200, 429, 200, 429]



=== TEST 32: a header that holds no key keeps its variable
--- http_config
    upstream u {
        wa_gateway;
        server 127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    limit_req_zone $http_authorization zone=bearer:1m rate=1000r/s;
--- config
    wa_gateway_api_key sesame;
    location ^~ /instance { wa_gateway_api_key off; return 200 "$http_x_seen|$http_authorization"; }
    location / { limit_req zone=bearer; proxy_set_header X-Seen $http_authorization;
                 proxy_pass http://u/instance; }
--- request
GET /x
--- more_headers
X-Api-Key: sesame
Authorization: Bearer instance-token
--- response_body chomp
Bearer instance-token|Bearer instance-token
