# What is expected of a check and sent with it: a bad line is an error that
# names what is wrong.  wa_gateway_check itself: see config.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'table';
use Test::Nginx::Socket 'no_plan';

add_block_preprocessor(\&WaGateway::Socket::row);

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: wa_gateway_expect 
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect ;
--- refused
invalid number of arguments in "wa_gateway_expect" directive



=== TEST 2: wa_gateway_expect nothing 1
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect nothing 1;
--- refused
invalid expectation "nothing"



=== TEST 3: wa_gateway_expect Status 200
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect Status 200;
--- refused
invalid expectation "Status"



=== TEST 4: wa_gateway_expect status
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status;
--- refused
no value in expectation "status"



=== TEST 5: wa_gateway_expect status 20
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 20;
--- refused
invalid status "20"



=== TEST 6: wa_gateway_expect status 2000
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 2000;
--- refused
invalid status "2000"



=== TEST 7: wa_gateway_expect status 099
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 099;
--- refused
invalid status "099"



=== TEST 8: wa_gateway_expect status 600
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 600;
--- refused
invalid status "600"



=== TEST 9: wa_gateway_expect status 2xx
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 2xx;
--- refused
invalid status "2xx"



=== TEST 10: wa_gateway_expect status 200 abc
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200 abc;
--- refused
invalid status "abc"



=== TEST 11: wa_gateway_expect status 200-
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200-;
--- refused
invalid status "200-"



=== TEST 12: wa_gateway_expect status 299-200
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 299-200;
--- refused
invalid status "299-200"



=== TEST 13: wa_gateway_expect status 200-999
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200-999;
--- refused
invalid status "200-999"



=== TEST 14: wa_gateway_expect status 200,204
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200,204;
--- refused
invalid status "200,204"



=== TEST 15: wa_gateway_expect status = 200
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status = 200;
--- refused
invalid status "="



=== TEST 16: wa_gateway_expect header
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header;
--- refused
no value in expectation "header"



=== TEST 17: wa_gateway_expect header X-A
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A;
--- refused
no operator after "X-A"



=== TEST 18: wa_gateway_expect header "X A" = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header "X A" = b;
--- refused
invalid header name "X A"



=== TEST 19: wa_gateway_expect header X-A: = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A: = b;
--- refused
invalid header name "X-A:"



=== TEST 20: wa_gateway_expect header X-A =
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A =;
--- refused
invalid operator "="



=== TEST 21: wa_gateway_expect header X-A == b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A == b;
--- refused
invalid operator "=="



=== TEST 22: wa_gateway_expect header X-A != b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A != b;
--- refused
invalid operator "!="



=== TEST 23: wa_gateway_expect header X-A ~ "(a"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A ~ "(a";
--- refused
invalid regex "(a"



=== TEST 24: wa_gateway_expect header X-A ~ a b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A ~ a b;
--- refused
excess value "b"



=== TEST 25: wa_gateway_expect body
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body;
--- refused
no value in expectation "body"



=== TEST 26: wa_gateway_expect body ok
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ok;
--- refused
invalid operator "ok"



=== TEST 27: wa_gateway_expect body = ok
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body = ok;
--- refused
invalid operator "="



=== TEST 28: wa_gateway_expect body ~
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ~;
--- refused
no value for "~"



=== TEST 29: wa_gateway_expect body ~ "[a"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ~ "[a";
--- refused
invalid regex "[a"



=== TEST 30: wa_gateway_expect body ~ a b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ~ a b;
--- refused
excess value "b"



=== TEST 31: wa_gateway_expect json
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json;
--- refused
no value in expectation "json"



=== TEST 32: wa_gateway_expect json $.a
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a;
--- refused
no value for "$.a"



=== TEST 33: wa_gateway_expect json $.a =
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a =;
--- refused
no value for "$.a"



=== TEST 34: wa_gateway_expect json $.a ~ b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a ~ b;
--- refused
invalid operator "~"



=== TEST 35: wa_gateway_expect json $.a b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a b;
--- refused
invalid operator "b"



=== TEST 36: wa_gateway_expect json a = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json a = b;
--- refused
invalid JSON path "a"



=== TEST 37: wa_gateway_expect json .a = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json .a = b;
--- refused
invalid JSON path ".a"



=== TEST 38: wa_gateway_expect json $a = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $a = b;
--- refused
invalid JSON path "$a"



=== TEST 39: wa_gateway_expect json $. = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $. = b;
--- refused
invalid JSON path "$."



=== TEST 40: wa_gateway_expect json $..a = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $..a = b;
--- refused
invalid JSON path "$..a"



=== TEST 41: wa_gateway_expect json $.a[ = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[ = b;
--- refused
invalid JSON path "$.a["



=== TEST 42: wa_gateway_expect json $.a[x] = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[x] = b;
--- refused
invalid JSON path "$.a[x]"



=== TEST 43: wa_gateway_expect json $.a[-1] = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[-1] = b;
--- refused
invalid JSON path "$.a[-1]"



=== TEST 44: wa_gateway_expect json $.a[01] = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[01] = b;
--- refused
invalid JSON path "$.a[01]"



=== TEST 45: wa_gateway_expect json $.a[0 = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[0 = b;
--- refused
invalid JSON path "$.a[0"



=== TEST 46: wa_gateway_expect json "$['a" = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json "$['a" = b;
--- refused
invalid JSON path "$['a"



=== TEST 47: wa_gateway_expect json $.a[*] = b
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a[*] = b;
--- refused
invalid JSON path "$.a[*]"



=== TEST 48: an expectation without checks
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_expect status 200;
--- refused
"wa_gateway_expect" requires "wa_gateway_check" in upstream "u"



=== TEST 49: a header without checks
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check_header A b;
--- refused
"wa_gateway_check_header" requires "wa_gateway_check" in upstream "u"



=== TEST 50: a header without a value
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header A;
--- refused
invalid number of arguments in "wa_gateway_check_header" directive



=== TEST 51: a header with two
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header A b c;
--- refused
invalid number of arguments in "wa_gateway_check_header" directive



=== TEST 52: a header without a name
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header "" b;
--- refused
invalid header name "" in the checks of upstream "u"



=== TEST 53: a blank in a name
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header "A B" c;
--- refused
invalid header name "A B" in the checks of upstream "u"



=== TEST 54: a colon in a name
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header A: c;
--- refused
invalid header name "A:" in the checks of upstream "u"



=== TEST 55: another header in a value
--- upstream eval
qq{wa_gateway; server 127.0.0.1:9; wa_gateway_check; wa_gateway_check_header A "b\r\nC: d";}
--- refused_like eval
qr{^invalid value of header "A"}



=== TEST 56: Content-Length is not for the user
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header Content-Length 5;
--- refused
header is not allowed "Content-Length" in the checks of upstream "u"



=== TEST 57: connection is not for the user
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header connection 5;
--- refused
header is not allowed "connection" in the checks of upstream "u"



=== TEST 58: Transfer-Encoding is not for the user
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header Transfer-Encoding 5;
--- refused
header is not allowed "Transfer-Encoding" in the checks of upstream "u"



=== TEST 59: expect is not for the user
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header expect 5;
--- refused
header is not allowed "expect" in the checks of upstream "u"



=== TEST 60: Upgrade is not for the user
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_check_header Upgrade 5;
--- refused
header is not allowed "Upgrade" in the checks of upstream "u"



=== TEST 61: a relative uri
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check uri=health;
--- refused
invalid parameter "uri=health", it must begin with "/"



=== TEST 62: a blank in a uri
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check "uri=/a b";
--- refused
invalid uri "/a b" in the checks of upstream "u"



=== TEST 63: a blank in a method
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check "method=A B";
--- refused
invalid method "A B" in the checks of upstream "u"



=== TEST 64: a blank in a host
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check "host=a b";
--- refused
invalid host "a b" in the checks of upstream "u"



=== TEST 65: a port of a unix socket
--- upstream
wa_gateway;
server unix:/tmp/x.sock;
wa_gateway_check port=80;
--- refused
"port=80" with "http://unix:/tmp/x.sock", which has none, in upstream "u"



=== TEST 66: a certificate file that is not there
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check ssl=on ssl_verify=on ssl_trusted_certificate=/nonexistent.pem;
--- refused_like eval
qr{/nonexistent\.pem}



=== TEST 67: accepted: status 200-299 301 404
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200-299 301 404;



=== TEST 68: accepted: status 200 | status 500-599
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect status 200;
wa_gateway_expect status 500-599;



=== TEST 69: accepted: header X-A = b c d
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A = b c d;



=== TEST 70: accepted: header X-A ~ "^(a|b)$"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect header X-A ~ "^(a|b)$";



=== TEST 71: accepted: body ~ "a b"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ~ "a b";



=== TEST 72: accepted: body ~ "(?i)ok"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect body ~ "(?i)ok";



=== TEST 73: accepted: json $ = x
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $ = x;



=== TEST 74: accepted: json $.a.b[0].c = 1 -2.5 true null "x y"
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a.b[0].c = 1 -2.5 true null "x y";



=== TEST 75: accepted: json "$['a.b']['\\'']" = x
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json "$['a.b']['\\'']" = x;



=== TEST 76: accepted: json $[0][12] = x
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $[0][12] = x;



=== TEST 77: accepted: json $.a = ""
--- upstream
wa_gateway;
server 127.0.0.1:9;
wa_gateway_check;
wa_gateway_expect json $.a = "";
