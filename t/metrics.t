# /metrics: what is there, its headers and methods.  Its figures, and the text
# format to the letter: metrics_figures.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'restart';
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;

our %fake = map { $_ => WaGateway::Fake->new } 'A', 'B';
our ($A, $B) = map { qr/instance="http:\/\/\Q${\$fake{$_}->name}\E"/ } 'A', 'B';

@ENV{'TEST_NGINX_A', 'TEST_NGINX_B'} = map { $fake{$_}->name } 'A', 'B';

my %type = (
    gauge => [qw(info uptime_seconds instance_up instance_state
                 requests_in_flight check_duration_seconds zone_bytes)],
    counter => [qw(reloads_total requests_total request_failures_total
                   failovers_total ambiguous_total no_instance_total
                   checks_total)],
    histogram => ['request_duration_seconds'],
);

# each with its HELP before and a sample behind it, and no other
our $families = join '', '\A',
    (map { my $type = $_;
           map { "(?=.*^# HELP wa_gateway_$_ [^\\n]+\\n# TYPE wa_gateway_$_ $type\\n"
                 . "wa_gateway_$_(?:_bucket)?[ {])" } @{$type{$type}} }
         sort keys %type),
    '(?!(?:.*^# TYPE ){16})';


# Samples of this in any order of lines.
sub has {
    my (@lines) = @_;
    return CORE::join('', '\A', map { "(?=.*^$_\\n)" } @lines);
}


add_block_preprocessor(sub {
    my $block = shift;

    WaGateway::Socket::quiet($block);

    $block->set_value('response_body_like',
                      ref $block->like ? [map { "(?m)$_" } @{$block->like}]
                                       : '(?m)' . $block->like)
        if defined $block->like;

    $block->set_value('http_config', <<'END');
    upstream u {
        wa_gateway zone=z:256k;
        wa_gateway_passive eject=1h;
        server $TEST_NGINX_A;
        server $TEST_NGINX_B;
    }
    upstream other { wa_gateway zone=z:256k; server unix:/tmp/"a\\b"; }
END
    $block->set_value('config', <<'END');
        location / { proxy_pass http://u; }
        location = /metrics { wa_gateway_metrics; }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: the headers of the text format
--- request
GET /metrics
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8
Cache-Control: no-store
--- error_code: 200



=== TEST 2: fifteen families, each with its type
--- request
GET /metrics
--- like eval: $::families



=== TEST 3: HEAD has the headers and no body
--- request
HEAD /metrics
--- error_code: 200
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8
--- response_body:



=== TEST 4: POST is 405 with Allow
--- request
POST /metrics
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: wa_gateway_



=== TEST 5: PUT is 405 with Allow
--- request
PUT /metrics
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: wa_gateway_



=== TEST 6: DELETE is 405 with Allow
--- request
DELETE /metrics
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: wa_gateway_



=== TEST 7: PATCH is 405 with Allow
--- request
PATCH /metrics
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: wa_gateway_



=== TEST 8: OPTIONS is 405 with Allow
--- request
OPTIONS /metrics
{}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_unlike: wa_gateway_



=== TEST 9: a query is no harm
--- request
GET /metrics?x=1
--- like eval: $::families



=== TEST 10: names of instances are escaped
--- request
GET /metrics
--- like eval
main::has('wa_gateway_instance_up\{[^\n]*upstream="other"[^\n]*\} 1',
          'wa_gateway_instance_up\{[^\n]*unix:/tmp/[^\n]*\\\\\\\\b[^\n]*\} 1')



=== TEST 11: a zone that is shared is one, and its size that of the directive
--- request
GET /metrics
--- like eval
main::has('wa_gateway_zone_bytes\{zone="z",kind="total"\} 262144',
          'wa_gateway_zone_bytes\{zone="z",kind="free"\} [1-9]\d+')
. '(?!(?:.*^wa_gateway_zone_bytes){3})'



=== TEST 12: an instance is up, in one state
--- request
GET /metrics
--- like eval
main::has("wa_gateway_instance_up\\{[^\\n]*$main::A\\} 1",
          "wa_gateway_instance_up\\{[^\\n]*$main::B\\} 1",
          map { "wa_gateway_instance_state\\{[^\\n]*$main::A,state=\"$_\"\\} "
                . ($_ eq 'up' ? 1 : 0) }
              qw(up slow_start checking down draining))



=== TEST 13: and down when it failed, the other is not
--- request eval
["POST /?fake=reset\nx", "GET /metrics"]
--- error_code eval
[502, 200]
--- like eval
['<title>502 ',
 main::has("wa_gateway_instance_up\\{[^\\n]*$main::A\\} 0",
           "wa_gateway_instance_up\\{[^\\n]*$main::B\\} 1",
           map { "wa_gateway_instance_state\\{[^\\n]*$main::A,state=\"$_\"\\} "
                 . ($_ eq 'down' ? 1 : 0) }
               qw(up slow_start checking down draining))]



=== TEST 14: the failure has its reason, and the message may have been sent
--- request eval
["POST /?fake=reset\nx", "GET /metrics"]
--- error_code eval
[502, 200]
--- like eval
['<title>502 ',
 main::has("wa_gateway_request_failures_total\\{[^\\n]*$main::A,reason=\"reset\"\\} 1",
           'wa_gateway_ambiguous_total\{upstream="u"\} 1',
           'wa_gateway_failovers_total\{upstream="u"\} 0')]



=== TEST 15: an answer is counted by its status
--- request eval
["POST /?fake=status:404\nx", "POST /?fake=status:503\nx", "GET /metrics"]
--- error_code eval
[404, 503, 200]
--- like eval
['status:404', 'status:503',
 main::has("wa_gateway_requests_total\\{[^\\n]*$main::A,code=\"4xx\"\\} 1",
           "wa_gateway_requests_total\\{[^\\n]*$main::B,code=\"5xx\"\\} 1",
           "wa_gateway_requests_total\\{[^\\n]*$main::A,code=\"5xx\"\\} 0",
           'wa_gateway_ambiguous_total\{upstream="u"\} 0')]
