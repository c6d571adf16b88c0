# /status and /health: their form, their types, who may ask and how.  Counters,
# events and what is down: status_state.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'restart';
use Test::Nginx::Socket 'no_plan';

our $workers = Test::Nginx::Util::master_process_enabled()
               ? $Test::Nginx::Util::Workers : 1;

my $time = qr/"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/;



my $checks = qr/\{"passed":0,"failed":0,"consecutiveFailures":0,
                  "lastStatus":null\}/x;
my $none = qr/\{"total":0,"inFlight":0,"failed":0,
                "1xx":0,"2xx":0,"3xx":0,"4xx":0,"5xx":0\}/x;


# The whole object of an instance nobody asked yet.
sub instance {
    my ($port, $weight, $state) = @_;
    my ($healthy, $why) = $state eq 'up' ? ('true', 'null')
                                         : ('false', '(?:null|"[^"]+")');

    return qr/"http:\/\/127\.0\.0\.1:$port":\{"healthy":$healthy,
              "lastChecked":null,"responseTime":null,"state":"$state",
              "reason":$why,"since":$time,"weight":$weight,
              "checks":$checks,"requests":$none,
              "latency":\{"p50":null,"p95":null,"p99":null\}\}/x;
}


our $status = join '', '\A', qr/\{"gateway":\{"status":"running",
    "port":$Test::Nginx::Util::ServerPortForClient,
    "uptime":\d+(?:\.\d+)?,"timestamp":$time,"version":"\d+\.\d+\.\d+",
    "nginx":"1\.\d+\.\d+","workers":$workers,"generation":0\},
    "instances":\{"total":3,"healthy":2,"unhealthy":1,"details":\{/x,
    instance(1, 2, 'up'), ',', instance(2, 1, 'up'), ',',
    instance(3, 1, 'down'),
    qr/\}\},"loadBalancer":\{"algorithm":"round-robin","currentIndex":0\},
       "events":\[\]\}/x, '\z';

our $healthy = qr/\A\{"status":"healthy",
    "instances":\{"total":3,"healthy":2\},"timestamp":$time\}\z/x;
our $unhealthy = qr/\A\{"status":"unhealthy",
    "instances":\{"total":1,"healthy":0\},"timestamp":$time\}\z/x;
our $head = "Content-Type: application/json; charset=utf-8\n"
            . "Cache-Control: no-store\n! Transfer-Encoding";

add_block_preprocessor(sub {
    my $block = shift;

    WaGateway::Socket::quiet($block);
    $block->set_value('http_config', <<'END');
    upstream u {
        wa_gateway;
        server 127.0.0.1:1 weight=2;
        server 127.0.0.1:2;
        server 127.0.0.1:3 down;
    }
    upstream none {
        wa_gateway;
        server 127.0.0.1:1 down;
    }
END
    $block->set_value('config', <<'END');
        location = /status { wa_gateway_status u; }
        location = /health { wa_gateway_health u; }
        location = /none/status { wa_gateway_status none; }
        location = /none/health { wa_gateway_health none; }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: /status has its form
--- request
GET /status
--- response_headers eval: $::head
--- response_body_like eval: $::status



=== TEST 2: a query is no harm
--- request
GET /status?x=1
--- response_headers eval: $::head
--- response_body_like eval: $::status



=== TEST 3: /health has its form
--- request
GET /health
--- response_headers eval: $::head
--- response_body_like eval: $::healthy



=== TEST 4: /health is 503 when none is up
--- request
GET /none/health
--- error_code: 503
--- response_headers eval: $::head
--- response_body_like eval: $::unhealthy



=== TEST 5: /status is 200 all the same
--- request
GET /none/status
--- response_headers eval: $::head
--- response_body_like: "instances":\{"total":1,"healthy":0,"unhealthy":1,



=== TEST 6: HEAD /status has no body, but its length
--- request
HEAD /status
--- error_code: 200
--- raw_response_headers_like: Content-Length: [1-9]\d+\r
--- response_body:



=== TEST 7: HEAD /health has no body, but its length
--- request
HEAD /health
--- error_code: 200
--- raw_response_headers_like: Content-Length: [1-9]\d+\r
--- response_body:



=== TEST 8: HEAD /none/status has no body, but its length
--- request
HEAD /none/status
--- error_code: 200
--- raw_response_headers_like: Content-Length: [1-9]\d+\r
--- response_body:



=== TEST 9: HEAD /none/health has no body, but its length
--- request
HEAD /none/health
--- error_code: 503
--- raw_response_headers_like: Content-Length: [1-9]\d+\r
--- response_body:



=== TEST 10: POST /status is 405 with Allow
--- request
POST /status
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 11: PUT /status is 405 with Allow
--- request
PUT /status
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 12: DELETE /status is 405 with Allow
--- request
DELETE /status
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 13: PATCH /status is 405 with Allow
--- request
PATCH /status
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 14: OPTIONS /status is 405 with Allow
--- request
OPTIONS /status
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 15: POST /health is 405 with Allow
--- request
POST /health
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 16: PUT /health is 405 with Allow
--- request
PUT /health
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 17: DELETE /health is 405 with Allow
--- request
DELETE /health
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 18: PATCH /health is 405 with Allow
--- request
PATCH /health
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 19: OPTIONS /health is 405 with Allow
--- request
OPTIONS /health
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: gateway|instances



=== TEST 20: ?state=down lists those that are down, and counts all
--- request
GET /status?state=down
--- response_headers eval: $::head
--- response_body_like eval
qr/"total":3,"healthy":2,"unhealthy":1,"details":\{"http:\/\/127\.0\.0\.1:3":\{(?!.*127\.0\.0\.1:).*"state":"down".*\}\}\},"loadBalancer".*"events":\[\]\}\z/



=== TEST 21: ?state=up lists those that are up, wherever it stands
--- request
GET /status?x=1&state=up
--- response_headers eval: $::head
--- response_body_like eval
qr/"total":3,"healthy":2,"unhealthy":1,"details":\{"http:\/\/127\.0\.0\.1:1":\{.*"http:\/\/127\.0\.0\.1:2":\{(?!.*127\.0\.0\.1:).*\}\}\},"loadBalancer".*"events":\[\]\}\z/



=== TEST 22: ?state=draining lists none where none is so
--- request
GET /status?state=draining
--- response_headers eval: $::head
--- response_body_like eval
qr/"total":3,"healthy":2,"unhealthy":1,"details":\{\}\},"loadBalancer".*"events":\[\]\}\z/



=== TEST 23: ?state=checking lists none where none is so
--- request
GET /status?state=checking
--- response_headers eval: $::head
--- response_body_like eval
qr/"total":3,"healthy":2,"unhealthy":1,"details":\{\}\},"loadBalancer".*"events":\[\]\}\z/



=== TEST 24: ?state=slow_start lists none where none is so
--- request
GET /status?state=slow_start
--- response_headers eval: $::head
--- response_body_like eval
qr/"total":3,"healthy":2,"unhealthy":1,"details":\{\}\},"loadBalancer".*"events":\[\]\}\z/



=== TEST 25: another argument lists all
--- request
GET /status?x=down
--- response_headers eval: $::head
--- response_body_like eval: $::status



=== TEST 26: a state in another case is 400, in JSON
--- request
GET /status?state=DOWN
--- error_code: 400
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body_like: "code":"bad_request"



=== TEST 27: a state that is none is 400, in JSON
--- request
GET /status?state=nonsense
--- error_code: 400
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body_like: "code":"bad_request"



=== TEST 28: a state with a blank is 400, in JSON
--- request
GET /status?state=up%20
--- error_code: 400
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body_like: "code":"bad_request"



=== TEST 29: no state is 400, in JSON
--- request
GET /status?state=
--- error_code: 400
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body_like: "code":"bad_request"
