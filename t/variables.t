# $wa_gateway_instance, $wa_gateway_attempts, $wa_gateway_sent

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;

our $fake = WaGateway::Fake->new;

$ENV{TEST_NGINX_FAKE} = $fake->name;
$ENV{TEST_NGINX_CLOSED} = '127.0.0.1:' . WaGateway::Fake::free_port();

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]");

    $block->set_value('http_config', <<'END');
    log_format vars 'log: instance=$wa_gateway_instance '
                    'attempts=$wa_gateway_attempts sent=$wa_gateway_sent.';
    upstream one { wa_gateway; wa_gateway_passive off;
                   server $TEST_NGINX_FAKE; }
    upstream two { wa_gateway; wa_gateway_passive off;
                   server $TEST_NGINX_CLOSED;
                   server $TEST_NGINX_FAKE backup; }
    upstream closed { wa_gateway; wa_gateway_passive off;
                      server $TEST_NGINX_CLOSED; }
    upstream none { wa_gateway; server $TEST_NGINX_CLOSED down; }
    upstream urls { wa_gateway;
                    wa_gateway_instances http://$TEST_NGINX_FAKE; }
END

    $block->set_value('config', <<'END');
        access_log logs/access.log vars;
        add_header X-Instance "<$wa_gateway_instance>" always;
        add_header X-Attempts "<$wa_gateway_attempts>" always;
        add_header X-Sent "<$wa_gateway_sent>" always;
        wa_gateway_errors en;
        location /one { proxy_pass http://one; }
        location /hang { proxy_pass http://one; proxy_read_timeout 500ms; }
        location /two { proxy_pass http://two; }
        location /closed { proxy_pass http://closed; }
        location /none { proxy_pass http://none; }
        location /urls { proxy_pass http://urls; }
        location /page {
            error_page 502 503 504 = /inside;
            proxy_pass http://one/one$is_args$args;
        }
        location /pageclosed {
            error_page 502 503 504 = @named;
            proxy_pass http://closed;
        }
        location = /inside {
            return 200 "$wa_gateway_instance $wa_gateway_attempts $wa_gateway_sent\n";
        }
        location @named {
            return 200 "$wa_gateway_instance $wa_gateway_attempts $wa_gateway_sent\n";
        }
        location /again {
            error_page 502 = @again;
            proxy_pass http://closed;
        }
        location @again { proxy_pass http://one; }
        location /plain { return 200 "<$wa_gateway_instance$wa_gateway_attempts$wa_gateway_sent>\n"; }
        location /header {
            proxy_set_header X-To $wa_gateway_instance;
            proxy_pass http://one;
        }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: of an answer: its instance, one attempt, sent
--- request
POST /one
{}
--- response_headers eval
"X-Instance: <http://$ENV{TEST_NGINX_FAKE}>
X-Attempts: <1>
X-Sent: <yes>"
--- access_log eval
"log: instance=http://$ENV{TEST_NGINX_FAKE} attempts=1 sent=yes."



=== TEST 2: of an error status of the instance: sent
--- request
POST /one?fake=status:500
{}
--- error_code: 500
--- response_headers
X-Attempts: <1>
X-Sent: <yes>



=== TEST 3: of a failover: the instance that answered, two attempts
--- request
POST /two
{}
--- response_headers eval
"X-Instance: <http://$ENV{TEST_NGINX_FAKE}>
X-Attempts: <2>
X-Sent: <yes>"



=== TEST 4: of a reset: the instance that was asked, unknown
--- request
POST /one?fake=reset
{}
--- error_code: 502
--- response_headers eval
"X-Instance: <http://$ENV{TEST_NGINX_FAKE}>
X-Attempts: <1>
X-Sent: <unknown>"



=== TEST 5: of a timeout: unknown
--- request
POST /hang?fake=hang
{}
--- error_code: 504
--- response_headers
X-Sent: <unknown>



=== TEST 6: of a refused connect: not sent
--- request
POST /closed
{}
--- error_code: 502
--- response_headers
X-Attempts: <1>
X-Sent: <no>



=== TEST 7: without an instance to ask: none, no attempt, not sent
--- request
POST /none
{}
--- error_code: 503
--- response_headers
X-Instance: <>
X-Attempts: <0>
X-Sent: <no>



=== TEST 8: an instance given by URL is named by it
--- request
GET /urls
--- response_headers eval
"X-Instance: <http://$ENV{TEST_NGINX_FAKE}>"



=== TEST 9: where no upstream was asked all three are empty
--- request
GET /plain
--- response_body
<>



=== TEST 10: after error_page, in a location
--- request
POST /page?fake=reset
{}
--- response_body eval
"http://$ENV{TEST_NGINX_FAKE} 1 unknown\n"
--- response_headers
X-Sent: <unknown>



=== TEST 11: after error_page, in a named location
--- request
POST /pageclosed
{}
--- response_body eval
"http://$ENV{TEST_NGINX_CLOSED} 1 no\n"



=== TEST 12: after error_page, of another upstream
--- request
POST /again
{}
--- response_headers eval
"X-Instance: <http://$ENV{TEST_NGINX_FAKE}>
X-Attempts: <1>
X-Sent: <yes>"



=== TEST 13: a kept connection of a client does not remember
--- pipelined_requests eval
["POST /one\n{}", "GET /plain", "POST /none\n{}"]
--- error_code eval
[200, 200, 503]
--- response_headers eval
["X-Sent: <yes>", "X-Sent: <>", "X-Sent: <no>"]
