# /status and /metrics longer than a piece: whole, whatever slows them.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';

# 150 instances are 50 KB of /status and 500 KB of /metrics: several pieces.
my $instances = join '', map {
    "server 127.0.0.$_:\$TEST_NGINX_RAND_PORT_1;\n"
} 1 .. 150;

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]");
    $block->set_value('http_config', "upstream u { wa_gateway zone=4m;\n$instances }")
        unless $block->http_config;

    # a piece that is forgotten comes when send_timeout is over, a minute later
    $block->set_value('timeout', 30);
});

sub status {
    my $o = eval { decode_json($_[0]) } or return 'no JSON: ' . substr $_[0], -99;
    return scalar(keys %{$o->{instances}{details}}) . ' instances';
}

sub metrics {
    return scalar(() = $_[0] =~ /^wa_gateway_instance_up\{.*\} 1$/mg)
           . ' up' . ($_[0] =~ /^wa_gateway_zone_bytes\{.*kind="free".*\n\z/m
                      ? '' : ', no end');
}

no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: as fast as it goes
--- config
    location = /x { wa_gateway_status u; }
--- request
GET /x
--- response_body_filters eval
\&main::status
--- response_body chomp
150 instances



=== TEST 2: /status with limit_rate
--- config
    location = /x { wa_gateway_status u; limit_rate 60k; }
--- request
GET /x
--- response_body_filters eval
\&main::status
--- response_body chomp
150 instances



=== TEST 3: /metrics with limit_rate
--- config
    location = /x { wa_gateway_metrics; limit_rate 300k; }
--- request
GET /x
--- response_body_filters eval
\&main::metrics
--- response_body chomp
150 up



=== TEST 4: limit_rate_after ends within a piece
--- config
    location = /x { wa_gateway_status u; limit_rate 20k; limit_rate_after 10k; }
--- request
GET /x
--- response_body_filters eval
\&main::status
--- response_body chomp
150 instances



=== TEST 5: a rate that a piece takes several turns of
--- config
    location = /x { wa_gateway_status u; limit_rate 13k; }
--- request
GET /x
--- response_body_filters eval
\&main::status
--- response_body chomp
150 instances



=== TEST 6: to a client of HTTP/1.0
--- config
    location = /x { wa_gateway_status u; limit_rate 60k; }
--- raw_request eval
"GET /x HTTP/1.0\r\n\r\n"
--- response_body_filters eval
\&main::status
--- response_body chomp
150 instances



=== TEST 7: compressed
--- config
    location = /x { wa_gateway_status u; limit_rate 2k; gzip on;
                    gzip_types application/json; }
--- request
GET /x
--- more_headers
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip
--- response_body_filters eval
sub { require IO::Uncompress::Gunzip;
      IO::Uncompress::Gunzip::gunzip(\$_[0] => \my $out, Transparent => 0);
      return main::status($out) }
--- response_body chomp
150 instances
