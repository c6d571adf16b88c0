# wa_gateway_envelope: a 2xx JSON answer wrapped as the Node gateway did.  Each
# block asks twice, with proxy_buffering on and off.  What is large, cut short
# or compressed, and a cache that asks again: envelope_faults.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;

our $fake = WaGateway::Fake->new;
our $Type = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
our $Bom = "\xef\xbb\xbf";
our %answers;

$ENV{TEST_NGINX_FAKE} = $fake->name;


# The envelope around these data.
sub envelope {
    my ($data, $instance) = @_;

    return qr/\A\{"success":true,"data":\Q$data\E,"instance":\Q$instance\E,
              "timestamp":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}\z/x;
}


# What the fake says in JSON of a request.
sub echo {
    my ($method, $path) = @_;

    return qq({"instance":${\$fake->port},"length":0,"method":"$method",)
           . qq("path":"$path"});
}


# The headers of both answers that tell the length of that.
sub lengths {
    my ($method, $path) = @_;
    return [map { 'Content-Length: ' . length echo($method, "/$_$path") }
                'on', 'un'];
}


# "ask" is the request.  "answer" is what the instance sends, else its mode in
# the path; "wrapped" the data in an envelope, or "echo" for what the fake
# tells of the request; "left" the body that is left alone, or "echo"; "from"
# who answers the second time.
add_block_preprocessor(sub {
    my $block = shift;
    my ($method, $uri) = split ' ', $block->ask;
    my @paths = $uri =~ m{^/(?:cache|own|wrapped|off|plain|page)} ? ($uri) x 2
                                                    : ("/on$uri", "/un$uri");
    my @bodies;

    WaGateway::Socket::quiet($block);

    if (defined $block->answer) {
        $answers{$block->name} = $block->answer;
        $block->set_value('init', '$main::fake->answer($main::answers{'
                                  . "q\0" . $block->name . "\0})");
    } else {
        $block->set_value('init', '$main::fake->mode("json")');
    }

    for my $i (0, 1) {
        my $from = $i && defined $block->from ? $block->from
                                              : '"http://' . $fake->name . '"';
        chomp $from;

        for my $kind ('wrapped', 'left') {
            my $data = $block->$kind;
            next unless defined $data;

            $data = echo($method, $paths[$i]) if $data =~ /\Aecho\n?\z/;
            $bodies[$i] = $kind eq 'wrapped' ? envelope($data, $from)
                                             : qr/\A\Q$data\E\z/;
        }
    }

    my $head = $block->head;
    my $code = $block->error_code || 200;

    $head = defined $block->wrapped
            ? "! Content-Length\n! ETag\n! Last-Modified\n" : undef
        unless defined $head;

    $block->set_value('request', [map { "$method $_" } @paths]);
    $block->set_value('error_code', [($code) x 2]);
    $block->set_value('response_body_like', \@bodies);
    $block->set_value('response_headers', ref $head ? $head : [($head) x 2])
        if defined $head;
    $block->set_value('http_config', <<'END');
    proxy_cache_path cache keys_zone=c:1m inactive=1h;
    upstream u {
        wa_gateway;
        wa_gateway_passive off;
        # raw answers end with the connection, untold
        wa_gateway_keepalive off;
        server $TEST_NGINX_FAKE;
    }
    upstream plain { server $TEST_NGINX_FAKE; }
END
    $block->set_value('config', <<'END');
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        wa_gateway_envelope on;
        location /on { proxy_pass http://u; }
        location /un { proxy_pass http://u; proxy_buffering off; }
        location /off { wa_gateway_envelope off; proxy_pass http://u; }
        location /plain { proxy_pass http://plain; }
        location /own { default_type application/json; return 200 "{}"; }
        location = /wrapped/status { wa_gateway_status u; }
        location /cache {
            proxy_pass http://u;
            proxy_cache c;
            proxy_cache_valid 200 1h;
            add_header X-Cache $upstream_cache_status;
        }
        location /cache/variable {
            set $to u;
            proxy_pass http://$to;
            proxy_cache c;
            proxy_cache_valid 1h;
        }
        location /cache/plain {
            proxy_pass http://plain;
            proxy_cache c;
            proxy_cache_valid 1h;
        }
        location /cache/page {
            proxy_pass http://u;
            proxy_cache c;
            proxy_cache_valid any 1h;
            error_page 502 = /page.json;
            proxy_intercept_errors on;
        }
        location = /page.json {
            internal;
            default_type application/json;
            return 200 "{}";
        }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: GET, json
--- ask: GET /a?fake=json
--- wrapped: echo



=== TEST 2: POST, json
--- ask: POST /a?fake=json
--- wrapped: echo



=== TEST 3: GET, chunked
--- ask: GET /a?fake=chunked
--- wrapped: echo



=== TEST 4: POST, chunked
--- ask: POST /a?fake=chunked
--- wrapped: echo



=== TEST 5: GET, close_delimited
--- ask: GET /a?fake=close_delimited
--- wrapped: echo



=== TEST 6: POST, close_delimited
--- ask: POST /a?fake=close_delimited
--- wrapped: echo



=== TEST 7: application/json is wrapped
--- ask: GET /t?type=application/json
--- wrapped: echo
--- head
! Content-Length
Content-Type: application/json



=== TEST 8: application/json;charset=utf-8 is wrapped
--- ask: GET /t?type=application/json;charset=utf-8
--- wrapped: echo



=== TEST 9: Application/JSON;charset=UTF-8 is wrapped
--- ask: GET /t?type=Application/JSON;charset=UTF-8
--- wrapped: echo



=== TEST 10: application/vnd.api+json is wrapped
--- ask: GET /t?type=application/vnd.api+json
--- wrapped: echo
--- head
! Content-Length
Content-Type: application/vnd.api+json



=== TEST 11: application/problem+json is wrapped
--- ask: GET /t?type=application/problem+json
--- wrapped: echo
--- head
! Content-Length
Content-Type: application/problem+json



=== TEST 12: text/plain is not, and keeps its length
--- ask: GET /t?type=text/plain
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=text/plain')



=== TEST 13: text/html is not, and keeps its length
--- ask: GET /t?type=text/html
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=text/html')



=== TEST 14: text/json is not, and keeps its length
--- ask: GET /t?type=text/json
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=text/json')



=== TEST 15: application/jsonp is not, and keeps its length
--- ask: GET /t?type=application/jsonp
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=application/jsonp')



=== TEST 16: application/json-seq is not, and keeps its length
--- ask: GET /t?type=application/json-seq
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=application/json-seq')



=== TEST 17: application/x-ndjson is not, and keeps its length
--- ask: GET /t?type=application/x-ndjson
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=application/x-ndjson')



=== TEST 18: image/png is not, and keeps its length
--- ask: GET /t?type=image/png
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=image/png')



=== TEST 19: application/octet-stream is not, and keeps its length
--- ask: GET /t?type=application/octet-stream
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=application/octet-stream')



=== TEST 20: json is not, and keeps its length
--- ask: GET /t?type=json
--- left eval
"echo"
--- head eval
main::lengths('GET', '/t?type=json')



=== TEST 21: 200 is wrapped
--- ask: POST /s?fake=status:200
--- wrapped: echo
--- error_code: 200



=== TEST 22: 201 is wrapped
--- ask: POST /s?fake=status:201
--- wrapped: echo
--- error_code: 201



=== TEST 23: 202 is wrapped
--- ask: POST /s?fake=status:202
--- wrapped: echo
--- error_code: 202



=== TEST 24: 203 is wrapped
--- ask: POST /s?fake=status:203
--- wrapped: echo
--- error_code: 203



=== TEST 25: 206 is not
--- ask: POST /s?fake=status:206
--- left eval
"echo"
--- error_code: 206



=== TEST 26: 300 is not
--- ask: POST /s?fake=status:300
--- left eval
"echo"
--- error_code: 300



=== TEST 27: 302 is not
--- ask: POST /s?fake=status:302
--- left eval
"echo"
--- error_code: 302



=== TEST 28: 400 is not
--- ask: POST /s?fake=status:400
--- left eval
"echo"
--- error_code: 400



=== TEST 29: 401 is not
--- ask: POST /s?fake=status:401
--- left eval
"echo"
--- error_code: 401



=== TEST 30: 404 is not
--- ask: POST /s?fake=status:404
--- left eval
"echo"
--- error_code: 404



=== TEST 31: 409 is not
--- ask: POST /s?fake=status:409
--- left eval
"echo"
--- error_code: 409



=== TEST 32: 422 is not
--- ask: POST /s?fake=status:422
--- left eval
"echo"
--- error_code: 422



=== TEST 33: 429 is not
--- ask: POST /s?fake=status:429
--- left eval
"echo"
--- error_code: 429



=== TEST 34: 500 is not
--- ask: POST /s?fake=status:500
--- left eval
"echo"
--- error_code: 500



=== TEST 35: 503 is not
--- ask: POST /s?fake=status:503
--- left eval
"echo"
--- error_code: 503



=== TEST 36: blanks alone
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 5\r\n\r\n \r\n\t "
--- wrapped: null



=== TEST 37: 64k of blanks
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n" . " " x 65536
--- wrapped: null



=== TEST 38: a BOM alone
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n$main::Bom"
--- wrapped: null



=== TEST 39: a BOM and blanks
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n$main::Bom\n"
--- wrapped: null



=== TEST 40: a BOM
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n${main::Bom}{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 41: a BOM, chunked
--- ask: POST /raw
--- answer eval
"${main::Type}Transfer-Encoding: chunked\r\n\r\n1\r\n\xef\r\n1\r\n\xbb\r\n"
. "1\r\n\xbf\r\n2\r\n \n\r\n2\r\n[1\r\n2\r\n] \r\n0\r\n\r\n"
--- wrapped eval
"[1] "



=== TEST 42: blanks before and after
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n \n [1] \n"
--- wrapped eval
"[1] \n"



=== TEST 43: an empty body
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 0\r\n\r\n"
--- wrapped: null



=== TEST 44: an empty body, close-delimited
--- ask: POST /raw
--- answer eval
"${main::Type}\r\n"
--- wrapped: null



=== TEST 45: an empty body, chunked
--- ask: POST /raw
--- answer eval
"${main::Type}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
--- wrapped: null



=== TEST 46: an array
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 7\r\n\r\n[1,2,3]"
--- wrapped: [1,2,3]



=== TEST 47: a text
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 4\r\n\r\n\"ok\""
--- wrapped: "ok"



=== TEST 48: null
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 4\r\n\r\nnull"
--- wrapped: null



=== TEST 49: Arabic
--- ask: POST /raw
--- answer eval
"${main::Type}Content-Length: 12\r\n\r\n{\"a\":\"\xd8\xb3\xd9\x84\"}"
--- wrapped eval
"{\"a\":\"\xd8\xb3\xd9\x84\"}"



=== TEST 50: ETag and Last-Modified
--- ask: POST /raw
--- answer eval
"${main::Type}ETag: \"x\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
. "Content-Length: 2\r\n\r\n{}"
--- wrapped: {}



=== TEST 51: 205 is left alone
--- ask: POST /raw
--- answer eval
"HTTP/1.1 205 Reset Content\r\nContent-Type: application/json\r\n"
. "Content-Length: 0\r\n\r\n"
--- left eval
""
--- error_code: 205



=== TEST 52: 204 is left alone
--- ask: POST /raw
--- answer eval
"HTTP/1.1 204 No Content\r\n\r\n"
--- left eval
""
--- error_code: 204



=== TEST 53: no type is left alone
--- ask: POST /raw
--- answer eval
"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
--- left eval
"{}"



=== TEST 54: a BOM, cut at 1
--- ask: GET /raw?split=52
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 55: a BOM, cut at 2
--- ask: GET /raw?split=53
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 56: a BOM, cut at 3
--- ask: GET /raw?split=54
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 57: a BOM, cut at 4
--- ask: GET /raw?split=55
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 58: a BOM, cut at 5
--- ask: GET /raw?split=56
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 59: a BOM, cut at 6
--- ask: GET /raw?split=57
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 60: a BOM, cut at 7
--- ask: GET /raw?split=58
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 61: a BOM, cut at 8
--- ask: GET /raw?split=59
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 62: a BOM, cut at 9
--- ask: GET /raw?split=60
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 63: a BOM, cut at 10
--- ask: GET /raw?split=61
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 64: a BOM, cut at 11
--- ask: GET /raw?split=62
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 65: a BOM, cut at 12
--- ask: GET /raw?split=63
--- answer eval
"${main::Type}\r\n$main::Bom \n{\"a\":1}"
--- wrapped: {"a":1}



=== TEST 66: 1 of a BOM byte is no BOM
--- ask: GET /raw?split=52
--- answer eval
"${main::Type}\r\n" . substr($main::Bom, 0, 1) . "$main::Bom\[]"
--- wrapped eval
substr($main::Bom, 0, 1) . "$main::Bom\[]"



=== TEST 67: 2 of a BOM bytes are no BOM
--- ask: GET /raw?split=53
--- answer eval
"${main::Type}\r\n" . substr($main::Bom, 0, 2) . "$main::Bom\[]"
--- wrapped eval
substr($main::Bom, 0, 2) . "$main::Bom\[]"



=== TEST 68: no digest of what is inside
--- ask: GET /raw
--- answer eval
"${main::Type}Content-Digest: x\r\nRepr-Digest: x\r\nDigest: x\r\n"
. "Content-MD5: x\r\nX-Other: x\r\n\r\n{}"
--- wrapped: {}
--- head
! Content-Digest
! Repr-Digest
! Digest
! Content-MD5
X-Other: x



=== TEST 69: which stays where nothing is wrapped
--- ask: GET /off
--- answer eval
"${main::Type}Content-Digest: x\r\n\r\n{}"
--- left eval
"{}"
--- head: Content-Digest: x



=== TEST 70: from a cache: data
--- ask: GET /cache/0
--- answer eval
"${main::Type}\r\n{\"a\":1}"
--- wrapped: {"a":1}
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 71: from a cache: a BOM and blanks
--- ask: GET /cache/1
--- answer eval
"${main::Type}\r\n$main::Bom\n {\"a\":1}"
--- wrapped: {"a":1}
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 72: from a cache: nothing
--- ask: GET /cache/2
--- answer eval
"${main::Type}\r\n"
--- wrapped: null
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 73: from a cache: blanks
--- ask: GET /cache/3
--- answer eval
"${main::Type}\r\n \n"
--- wrapped: null
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 74: from a cache: 10k of blanks
--- ask: GET /cache/b0
--- answer eval
"${main::Type}\r\n" . " " x 9999
--- wrapped: null
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 75: from a cache: 10k of blanks and an array
--- ask: GET /cache/b1
--- answer eval
"${main::Type}\r\n" . " " x 9999 . "[1]"
--- wrapped: [1]
--- from: null
--- more_headers eval
['Range: bytes=0-1', 'Range: bytes=0-1']
--- head eval
["X-Cache: MISS", "X-Cache: HIT"]



=== TEST 76: from a cache, an upstream by a variable
--- ask: GET /cache/variable/a
--- wrapped: echo
--- from: null



=== TEST 77: from a cache of an upstream without wa_gateway
--- ask: GET /cache/plain/a
--- left eval
"echo"



=== TEST 78: an error page of a cached answer is not wrapped
--- ask: GET /cache/page?fake=status:502
--- left eval
"{}"



=== TEST 79: HEAD has no body
--- ask: HEAD /head
--- left eval
""



=== TEST 80: off
--- ask: GET /off
--- left eval
"echo"



=== TEST 81: an upstream without wa_gateway
--- ask: GET /plain
--- left eval
"echo"



=== TEST 82: an answer of nginx's own is not wrapped
--- ask: GET /own
--- left eval
"{}"
