# Which instance a request goes to.  The instances are servers of the same
# nginx.  max_conns, instances that fail, names with several addresses:
# balancer_faults.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'restart';
use Test::Nginx::Socket 'no_plan';


sub address {
    my ($letter) = @_;
    return '127.0.1.' . ord($letter) . ':$TEST_NGINX_SERVER_PORT';
}


# "u" and "v" are what these upstreams have inside, with A to D for servers.
# "order" tells who answers, one request after the other: in small letters
# those that go to v.
add_block_preprocessor(sub {
    my $block = shift;
    my @order = split //, $block->order;
    my $http = '';

    WaGateway::Socket::quiet($block);

    for my $name ('u', 'v') {
        my $inside = $block->$name;
        next unless defined $inside;
        $inside =~ s/\bserver ([A-D])\b/'server ' . address($1)/ge;
        $http .= "upstream $name {\n$inside}\n";
    }

    $http .= 'server { listen ' . address($_)
             . "; location / { return 200 $_; } }\n" for 'A' .. 'D';

    $block->set_value('http_config', $http);
    $block->set_value('config', <<'END' . (defined $block->v ? <<'MORE' : ''));
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header X-Attempts $wa_gateway_attempts;
        location / { proxy_pass http://u; }
        location = /status { wa_gateway_status u; }
END
        location /v { proxy_pass http://v; }
        location = /v/status { wa_gateway_status v; }
MORE

    my @then = defined $block->then ? split(/\n/, $block->then) : ();

    $block->set_value('request', [(map { /[a-z]/ ? "POST /v\nx" : "POST /\nx" }
                                       @order),
                                  map { (split)[0] =~ s/^/GET /r } @then]);
    $block->set_value('error_code', [(200) x (@order + @then)]);
    $block->set_value('response_headers', [('X-Attempts: 1') x @order,
                                           ('! X-None') x @then]);
    $block->set_value('response_body_like',
                      [(map { '\A' . uc . '\z' } @order),
                       map { (split ' ', $_, 2)[1] } @then]);
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: in the order of the configuration
--- u
wa_gateway;
server A;
server B;
server C;
--- order: ABCABCABC



=== TEST 2: weight 3 to 1, to the request, the same round again
--- u
wa_gateway;
server A weight=3;
server B;
--- order: AABAAABAAABAAABA
--- then
/status "total":12,.*"total":4,
/status "weight":3,.*"weight":1,



=== TEST 3: a heavy one's turns are spread out, the light ones' too
--- u
wa_gateway;
server A weight=5;
server B weight=1;
server C weight=1;
--- order: ABAAACAABAAACA



=== TEST 4: weights with a common divisor make a short round
--- u
wa_gateway;
server A weight=100;
server B weight=100;
server C weight=200;
--- order: ACBCACBC



=== TEST 5: down gets nothing, and is shown so
--- u
wa_gateway;
server A;
server B down;
server C;
--- order: ACACAC
--- then
/status "total":3,"healthy":2,"unhealthy":1,
/status "http://127\.0\.1\.66:\d+":\{"healthy":false,[^{}]*"state":"down"



=== TEST 6: backup serves not while another is up
--- u
wa_gateway;
server A;
server B;
server C backup;
server D backup;
--- order: ABAB



=== TEST 7: backup serves when the others are marked down
--- u
wa_gateway;
server A down;
server B down;
server C backup;
server D backup;
--- order: CDCDCD



=== TEST 8: the weights of backup servers
--- u
wa_gateway;
server A down;
server C backup weight=2;
server D backup;
--- order: CDCCDC



=== TEST 9: directives behind the servers change no order
--- u
server A;
server B;
server C;
wa_gateway;
--- order: ABCABCABC



=== TEST 10: wa_gateway_keepalive off
--- u
wa_gateway;
wa_gateway_keepalive off;
server A;
server B;
server C;
server D;
--- order: ABCDABCDA
--- then
/status (?s)\A(?!.*"inFlight":[1-9])



=== TEST 11: keepalive, a connection that is kept is not in flight
--- u
wa_gateway;
server A;
server B;
server C;
server D;
keepalive 8;
--- order: ABCDABCDA
--- then
/status (?s)\A(?!.*"inFlight":[1-9])



=== TEST 12: the keepalive of its own
--- u
wa_gateway;
server A;
server B;
server C;
server D;
--- order: ABCDABCDA
--- then
/status (?s)\A(?!.*"inFlight":[1-9])



=== TEST 13: one server gets all
--- u
wa_gateway;
server A;
--- order: AAAA



=== TEST 14: upstreams that share a zone know nothing of each other
--- u
wa_gateway zone=z:256k;
server A;
server B;
server C;
server D;
--- v
wa_gateway zone=z:256k;
server B;
server A;
--- order: ABCbDaA
--- then
/v/status "instances":\{"total":2,
/v/status "requests":\{"total":1,.*"requests":\{"total":1,
/status "instances":\{"total":4,
