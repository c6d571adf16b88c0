# A bad directive is an error in nginx's own form that names what is wrong;
# each block is a row, see WaGateway::Socket.

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

=== TEST 1: the least
--- upstream
wa_gateway;
server 127.0.0.1:3001;



=== TEST 2: a zone of a size
--- upstream
wa_gateway zone=whatsapp:256k;
server 127.0.0.1:3001;



=== TEST 3: a zone without a size
--- upstream
wa_gateway zone=whatsapp;
server 127.0.0.1:3001;



=== TEST 4: a zone of megabytes
--- upstream
wa_gateway zone=w:1m;
server 127.0.0.1:3001;



=== TEST 5: retry=unsent
--- upstream
wa_gateway retry=unsent;
server 127.0.0.1:3001;



=== TEST 6: retry=idempotent
--- upstream
wa_gateway retry=idempotent;
server 127.0.0.1:3001;



=== TEST 7: both parameters
--- upstream
wa_gateway retry=idempotent zone=w:128k;
server 127.0.0.1:3001;



=== TEST 8: directives after the servers
--- upstream
server 127.0.0.1:3001;
wa_gateway;



=== TEST 9: a check without parameters
--- upstream
wa_gateway;
wa_gateway_check;
server 127.0.0.1:3001;



=== TEST 10: a check with all of them
--- upstream
wa_gateway;
wa_gateway_check uri=/h interval=5s timeout=1s jitter=0% fails=2 passes=3 method=HEAD host=wa.test port=81 keepalive=off ssl=on ssl_name=wa.test ssl_verify=off mandatory=on slow_start=10s;
server 127.0.0.1:3001;



=== TEST 11: passive without parameters
--- upstream
wa_gateway;
wa_gateway_passive;
server 127.0.0.1:3001;



=== TEST 12: passive off
--- upstream
wa_gateway;
wa_gateway_passive off;
server 127.0.0.1:3001;



=== TEST 13: passive with all parameters
--- upstream
wa_gateway;
wa_gateway_passive error_fails=0 status=500,502-504,599 status_fails=0 eject=1ms;
server 127.0.0.1:3001;



=== TEST 14: wa_gateway_errors off
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_errors off;



=== TEST 15: wa_gateway_errors ar
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_errors ar;



=== TEST 16: wa_gateway_errors en
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_errors en;



=== TEST 17: instances by URL
--- upstream
wa_gateway;
wa_gateway_instances http://localhost:3001,http://127.0.0.1:3002, http://[::1]:3003 HTTP://localhost/;



=== TEST 18: instances by URL, https
--- upstream
wa_gateway;
wa_gateway_instances https://localhost,https://127.0.0.1;



=== TEST 19: instances and servers
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:3002;
server 127.0.0.1:3001;



=== TEST 20: server parameters
--- upstream
wa_gateway;
server 127.0.0.1:3001 weight=3 max_conns=10;
server 127.0.0.1:3002 backup;
server 127.0.0.1:3003 down;
server unix:/tmp/wa.sock;
server [::1]:3004;



=== TEST 21: keepalive after wa_gateway
--- upstream
wa_gateway;
server 127.0.0.1:3001;
keepalive 32;



=== TEST 22: keepalive before the servers
--- upstream
wa_gateway;
keepalive 32;
server 127.0.0.1:3001;



=== TEST 23: an upstream without wa_gateway beside it
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- http
upstream other { server 127.0.0.1:3005; }



=== TEST 24: two upstreams with zones of their own
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- http
upstream v { wa_gateway; server 127.0.0.1:3001; }



=== TEST 25: two upstreams that share one
--- upstream
wa_gateway zone=z:256k;
server 127.0.0.1:3001;
--- http
upstream v { wa_gateway zone=z:256k; server 127.0.0.1:3001; }



=== TEST 26: status and health
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status u; } location = /h { wa_gateway_health U; }



=== TEST 27: an unknown parameter
--- upstream
wa_gateway speed=9;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "speed=9"}



=== TEST 28: a word without a value
--- upstream
wa_gateway zone;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "zone"}



=== TEST 29: an empty zone
--- upstream
wa_gateway zone=;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "zone="}



=== TEST 30: a zone without a name
--- upstream
wa_gateway zone=:64k;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "zone=:64k"}



=== TEST 31: a zone size that is none
--- upstream
wa_gateway zone=w:big;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "zone=w:big"}



=== TEST 32: a zone without its size
--- upstream
wa_gateway zone=w:;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "zone=w:"}



=== TEST 33: a parameter twice
--- upstream
wa_gateway zone=a zone=b;
server 127.0.0.1:3001;
--- refused_like eval
qr{duplicate parameter "zone=b"}



=== TEST 34: an unknown retry
--- upstream
wa_gateway retry=always;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "retry=always"}



=== TEST 35: wa_gateway twice
--- upstream
wa_gateway;
wa_gateway;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway" directive is duplicate}



=== TEST 36: a zone below the least
--- upstream
wa_gateway zone=w:4k;
server 127.0.0.1:3001;
--- refused_like eval
qr{zone "w:4k" is too small}



=== TEST 37: one zone, two sizes
--- upstream
wa_gateway zone=z:256k;
server 127.0.0.1:3001;
--- http
upstream v { wa_gateway zone=z:512k; server 127.0.0.1:3001; }
--- refused_like eval
qr{"z"|zone}



=== TEST 38: a zone of another module's name
--- upstream
wa_gateway zone=taken:64k;
server 127.0.0.1:3001;
--- http
limit_req_zone $binary_remote_addr zone=taken:64k rate=1r/s;
--- refused_like eval
qr{"taken"}



=== TEST 39: no server
--- upstream
wa_gateway;
--- refused_like eval
qr{no servers|no instances}



=== TEST 40: only backup servers
--- upstream
wa_gateway;
server 127.0.0.1:3001 backup;
--- refused_like eval
qr{no servers but backup in upstream "u"}



=== TEST 41: wa_gateway outside an upstream
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- http
wa_gateway;
--- refused_like eval
qr{"wa_gateway" directive is not allow}



=== TEST 42: instances: no scheme
--- upstream
wa_gateway;
wa_gateway_instances 127.0.0.1:3001;
--- refused_like eval
qr{invalid instance "127\.0\.0\.1:3001"}



=== TEST 43: instances: another scheme
--- upstream
wa_gateway;
wa_gateway_instances ftp://127.0.0.1;
--- refused_like eval
qr{invalid instance "ftp://127}



=== TEST 44: instances: a path
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:3001/api;
--- refused_like eval
qr{"http://127\.0\.0\.1:3001/api": a path}



=== TEST 45: instances: a query
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:3001?a=b;
--- refused_like eval
qr{invalid instance "http://127.0.0.1:3001\?a=b"}



=== TEST 46: instances: a fragment
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:3001#a;
--- refused_like eval
qr{invalid instance "http://127.0.0.1:3001#a"}



=== TEST 47: instances: a user
--- upstream
wa_gateway;
wa_gateway_instances http://me:pw@127.0.0.1:3001;
--- refused_like eval
qr{invalid instance "http://me:pw\@127}



=== TEST 48: instances: a socket
--- upstream
wa_gateway;
wa_gateway_instances http://unix:3001;
--- refused_like eval
qr{"http://unix:3001": a Unix socket is not allowed}



=== TEST 49: instances: a port that is none
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:99999;
--- refused_like eval
qr{"http://127\.0\.0\.1:99999": invalid port}



=== TEST 50: instances: a port of letters
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:abc;
--- refused_like eval
qr{"http://127\.0\.0\.1:abc": invalid port}



=== TEST 51: instances: no host
--- upstream
wa_gateway;
wa_gateway_instances http://:3001;
--- refused_like eval
qr{invalid instance "http://:3001"}



=== TEST 52: instances: nothing but a scheme
--- upstream
wa_gateway;
wa_gateway_instances http://;
--- refused_like eval
qr{invalid instance "http://"}



=== TEST 53: instances: a name that DNS cannot have
--- upstream
wa_gateway;
wa_gateway_instances http://no..such-host:3001;
--- refused_like eval
qr{invalid instance "http://no\.\.such-host:3001": invalid host}



=== TEST 54: instances: mixed schemes
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:1,https://127.0.0.1:2;
--- refused_like eval
qr{invalid instance "https://127\.0\.0\.1:2": all instances must have the same}



=== TEST 55: instances: commas alone
--- upstream
wa_gateway;
wa_gateway_instances ", ,";
--- refused_like eval
qr{no instances in "wa_gateway_instances" ", ,"}



=== TEST 56: instances: an empty text
--- upstream
wa_gateway;
wa_gateway_instances "";
--- refused_like eval
qr{no instances in "wa_gateway_instances"}



=== TEST 57: instances: an instance twice
--- upstream
wa_gateway;
wa_gateway_instances http://127.0.0.1:1,http://127.0.0.1:1;
--- refused_like eval
qr{duplicate instance "http://127\.0\.0\.1:1" in upstream "u"}



=== TEST 58: a server and a URL that are the same instance
--- upstream
wa_gateway;
server 127.0.0.1:3001;
wa_gateway_instances http://127.0.0.1:3001;
--- refused_like eval
qr{duplicate instance "http://127\.0\.0\.1:3001"}



=== TEST 59: a server twice
--- upstream
wa_gateway;
server 127.0.0.1:3001;
server 127.0.0.1:3001;
--- refused_like eval
qr{duplicate instance "http://127\.0\.0\.1:3001"}



=== TEST 60: wa_gateway_instances without wa_gateway
--- upstream
wa_gateway_instances http://127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway_instances" requires "wa_gateway" in upstream "u"}



=== TEST 61: wa_gateway_check interval=0
--- upstream
wa_gateway;
wa_gateway_check interval=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "interval=0"}



=== TEST 62: wa_gateway_check interval=-1
--- upstream
wa_gateway;
wa_gateway_check interval=-1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "interval=-1"}



=== TEST 63: wa_gateway_check interval=soon
--- upstream
wa_gateway;
wa_gateway_check interval=soon;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "interval=soon"}



=== TEST 64: wa_gateway_check interval=
--- upstream
wa_gateway;
wa_gateway_check interval=;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "interval="}



=== TEST 65: wa_gateway_check timeout=0
--- upstream
wa_gateway;
wa_gateway_check timeout=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "timeout=0"}



=== TEST 66: wa_gateway_check timeout=0s
--- upstream
wa_gateway;
wa_gateway_check timeout=0s;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "timeout=0s"}



=== TEST 67: wa_gateway_check timeout=x
--- upstream
wa_gateway;
wa_gateway_check timeout=x;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "timeout=x"}



=== TEST 68: wa_gateway_check fails=0
--- upstream
wa_gateway;
wa_gateway_check fails=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "fails=0"}



=== TEST 69: wa_gateway_check fails=-1
--- upstream
wa_gateway;
wa_gateway_check fails=-1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "fails=-1"}



=== TEST 70: wa_gateway_check fails=x
--- upstream
wa_gateway;
wa_gateway_check fails=x;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "fails=x"}



=== TEST 71: wa_gateway_check passes=0
--- upstream
wa_gateway;
wa_gateway_check passes=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "passes=0"}



=== TEST 72: wa_gateway_check jitter=10
--- upstream
wa_gateway;
wa_gateway_check jitter=10;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "jitter=10"}



=== TEST 73: wa_gateway_check jitter=101%
--- upstream
wa_gateway;
wa_gateway_check jitter=101%;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "jitter=101%"}



=== TEST 74: wa_gateway_check jitter=%
--- upstream
wa_gateway;
wa_gateway_check jitter=%;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "jitter=%"}



=== TEST 75: wa_gateway_check jitter=-1%
--- upstream
wa_gateway;
wa_gateway_check jitter=-1%;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "jitter=-1%"}



=== TEST 76: wa_gateway_check port=0
--- upstream
wa_gateway;
wa_gateway_check port=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "port=0"}



=== TEST 77: wa_gateway_check port=65536
--- upstream
wa_gateway;
wa_gateway_check port=65536;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "port=65536"}



=== TEST 78: wa_gateway_check port=http
--- upstream
wa_gateway;
wa_gateway_check port=http;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "port=http"}



=== TEST 79: wa_gateway_check keepalive=yes
--- upstream
wa_gateway;
wa_gateway_check keepalive=yes;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "keepalive=yes"}



=== TEST 80: wa_gateway_check keepalive=1
--- upstream
wa_gateway;
wa_gateway_check keepalive=1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "keepalive=1"}



=== TEST 81: wa_gateway_check ssl=true
--- upstream
wa_gateway;
wa_gateway_check ssl=true;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "ssl=true"}



=== TEST 82: wa_gateway_check ssl_verify=2
--- upstream
wa_gateway;
wa_gateway_check ssl_verify=2;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "ssl_verify=2"}



=== TEST 83: wa_gateway_check mandatory=maybe
--- upstream
wa_gateway;
wa_gateway_check mandatory=maybe;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "mandatory=maybe"}



=== TEST 84: wa_gateway_check slow_start=x
--- upstream
wa_gateway;
wa_gateway_check slow_start=x;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "slow_start=x"}



=== TEST 85: wa_gateway_check uri=health
--- upstream
wa_gateway;
wa_gateway_check uri=health;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "uri=health"}



=== TEST 86: wa_gateway_check uri=
--- upstream
wa_gateway;
wa_gateway_check uri=;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "uri="}



=== TEST 87: wa_gateway_check method=
--- upstream
wa_gateway;
wa_gateway_check method=;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "method="}



=== TEST 88: wa_gateway_check bogus=1
--- upstream
wa_gateway;
wa_gateway_check bogus=1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "bogus=1"}



=== TEST 89: wa_gateway_check bogus
--- upstream
wa_gateway;
wa_gateway_check bogus;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "bogus"}



=== TEST 90: a check parameter twice
--- upstream
wa_gateway;
wa_gateway_check fails=2 fails=3;
server 127.0.0.1:3001;
--- refused_like eval
qr{duplicate parameter "fails=3"}



=== TEST 91: wa_gateway_check twice
--- upstream
wa_gateway;
wa_gateway_check;
wa_gateway_check;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway_check" directive is duplicate}



=== TEST 92: wa_gateway_check without wa_gateway
--- upstream
wa_gateway_check;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway_check" requires "wa_gateway" in upstream "u"}



=== TEST 93: wa_gateway_passive status=400
--- upstream
wa_gateway;
wa_gateway_passive status=400;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=400"}



=== TEST 94: wa_gateway_passive status=499
--- upstream
wa_gateway;
wa_gateway_passive status=499;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=499"}



=== TEST 95: wa_gateway_passive status=600
--- upstream
wa_gateway;
wa_gateway_passive status=600;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=600"}



=== TEST 96: wa_gateway_passive status=500-600
--- upstream
wa_gateway;
wa_gateway_passive status=500-600;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=500-600"}



=== TEST 97: wa_gateway_passive status=400-599
--- upstream
wa_gateway;
wa_gateway_passive status=400-599;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=400-599"}



=== TEST 98: wa_gateway_passive status=599-500
--- upstream
wa_gateway;
wa_gateway_passive status=599-500;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=599-500"}



=== TEST 99: wa_gateway_passive status=5xx
--- upstream
wa_gateway;
wa_gateway_passive status=5xx;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=5xx"}



=== TEST 100: wa_gateway_passive status=
--- upstream
wa_gateway;
wa_gateway_passive status=;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status="}



=== TEST 101: wa_gateway_passive status=500,
--- upstream
wa_gateway;
wa_gateway_passive status=500,;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=500,"}



=== TEST 102: wa_gateway_passive status=,500
--- upstream
wa_gateway;
wa_gateway_passive status=,500;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=,500"}



=== TEST 103: wa_gateway_passive status=500-
--- upstream
wa_gateway;
wa_gateway_passive status=500-;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=500-"}



=== TEST 104: wa_gateway_passive status=-500
--- upstream
wa_gateway;
wa_gateway_passive status=-500;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status=-500"}



=== TEST 105: wa_gateway_passive status_fails=-1
--- upstream
wa_gateway;
wa_gateway_passive status_fails=-1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status_fails=-1"}



=== TEST 106: wa_gateway_passive status_fails=x
--- upstream
wa_gateway;
wa_gateway_passive status_fails=x;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "status_fails=x"}



=== TEST 107: wa_gateway_passive error_fails=-1
--- upstream
wa_gateway;
wa_gateway_passive error_fails=-1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "error_fails=-1"}



=== TEST 108: wa_gateway_passive error_fails=no
--- upstream
wa_gateway;
wa_gateway_passive error_fails=no;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "error_fails=no"}



=== TEST 109: wa_gateway_passive eject=0
--- upstream
wa_gateway;
wa_gateway_passive eject=0;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "eject=0"}



=== TEST 110: wa_gateway_passive eject=-1s
--- upstream
wa_gateway;
wa_gateway_passive eject=-1s;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "eject=-1s"}



=== TEST 111: wa_gateway_passive eject=long
--- upstream
wa_gateway;
wa_gateway_passive eject=long;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "eject=long"}



=== TEST 112: wa_gateway_passive speed=1
--- upstream
wa_gateway;
wa_gateway_passive speed=1;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "speed=1"}



=== TEST 113: wa_gateway_passive on
--- upstream
wa_gateway;
wa_gateway_passive on;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "on"}



=== TEST 114: off beside others
--- upstream
wa_gateway;
wa_gateway_passive off eject=1s;
server 127.0.0.1:3001;
--- refused_like eval
qr{invalid parameter "off"}



=== TEST 115: a passive parameter twice
--- upstream
wa_gateway;
wa_gateway_passive eject=1s eject=2s;
server 127.0.0.1:3001;
--- refused_like eval
qr{duplicate parameter "eject=2s"}



=== TEST 116: wa_gateway_passive twice
--- upstream
wa_gateway;
wa_gateway_passive off;
wa_gateway_passive;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway_passive" directive is duplicate}



=== TEST 117: wa_gateway_passive without wa_gateway
--- upstream
wa_gateway_passive off;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway_passive" requires "wa_gateway" in upstream "u"}



=== TEST 118: max_fails
--- upstream
wa_gateway;
server 127.0.0.1:3001 max_fails=3;
--- refused_like eval
qr{does not support parameter "max_fails=3"}



=== TEST 119: fail_timeout
--- upstream
wa_gateway;
server 127.0.0.1:3001 fail_timeout=30s;
--- refused_like eval
qr{does not support parameter "fail_timeout=30s"}



=== TEST 120: a weight of 0
--- upstream
wa_gateway;
server 127.0.0.1:3001 weight=0;
--- refused_like eval
qr{invalid parameter "weight=0"}



=== TEST 121: a weight above all measure
--- upstream
wa_gateway;
server 127.0.0.1:3001 weight=1000001;
--- refused_like eval
qr{"127.0.0.1:3001".*"weight"}



=== TEST 122: zone
--- upstream
wa_gateway;
zone other 64k;
server 127.0.0.1:3001;
--- refused_like eval
qr{"zone" cannot be used with "wa_gateway".* in upstream "u"}



=== TEST 123: zone of the same name
--- upstream
wa_gateway;
zone u 64k;
server 127.0.0.1:3001;
--- refused_like eval
qr{shared memory zone "u" is already declared for a different use}



=== TEST 124: least_conn after wa_gateway
--- upstream
wa_gateway;
least_conn;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway" cannot be used with another load balancing method in upstream "u"}



=== TEST 125: least_conn before wa_gateway
--- upstream
least_conn;
wa_gateway;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway"|load balancing|balanc}



=== TEST 126: ip_hash after wa_gateway
--- upstream
wa_gateway;
ip_hash;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway" cannot be used with another load balancing method in upstream "u"}



=== TEST 127: ip_hash before wa_gateway
--- upstream
ip_hash;
wa_gateway;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway"|load balancing|balanc}



=== TEST 128: random after wa_gateway
--- upstream
wa_gateway;
random;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway" cannot be used with another load balancing method in upstream "u"}



=== TEST 129: random before wa_gateway
--- upstream
random;
wa_gateway;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway"|load balancing|balanc}



=== TEST 130: hash $uri after wa_gateway
--- upstream
wa_gateway;
hash $uri;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway" cannot be used with another load balancing method in upstream "u"}



=== TEST 131: hash $uri before wa_gateway
--- upstream
hash $uri;
wa_gateway;
server 127.0.0.1:3001;
--- refused_like eval
qr{"wa_gateway"|load balancing|balanc}



=== TEST 132: wa_gateway_status of nothing
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status; }
--- refused_like eval
qr{invalid number of arguments in "wa_gateway_status"}



=== TEST 133: wa_gateway_status of an empty name
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status ''; }
--- refused_like eval
qr{unknown upstream ""}



=== TEST 134: wa_gateway_status of an unknown upstream
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status nobody; }
--- refused_like eval
qr{unknown upstream "nobody" in .*nginx.conf:\d+}



=== TEST 135: wa_gateway_status of an upstream without wa_gateway
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- http
upstream plain { server 127.0.0.1:3005; }
--- server
location = /s { wa_gateway_status plain; }
--- refused_like eval
qr{upstream "plain" has no "wa_gateway" in .*nginx.conf:\d+}



=== TEST 136: wa_gateway_status of what proxy_pass names
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status 127.0.0.1:3005; } location /p { proxy_pass http://127.0.0.1:3005; }
--- refused_like eval
qr{"127\.0\.0\.1:3005"}



=== TEST 137: wa_gateway_status twice
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status u; wa_gateway_status u; }
--- refused_like eval
qr{"wa_gateway_status" directive is duplicate}



=== TEST 138: wa_gateway_status outside a location
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_status u;
--- refused_like eval
qr{"wa_gateway_status" directive is not allowed}



=== TEST 139: wa_gateway_health of nothing
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_health; }
--- refused_like eval
qr{invalid number of arguments in "wa_gateway_health"}



=== TEST 140: wa_gateway_health of an empty name
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_health ''; }
--- refused_like eval
qr{unknown upstream ""}



=== TEST 141: wa_gateway_health of an unknown upstream
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_health nobody; }
--- refused_like eval
qr{unknown upstream "nobody" in .*nginx.conf:\d+}



=== TEST 142: wa_gateway_health of an upstream without wa_gateway
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- http
upstream plain { server 127.0.0.1:3005; }
--- server
location = /s { wa_gateway_health plain; }
--- refused_like eval
qr{upstream "plain" has no "wa_gateway" in .*nginx.conf:\d+}



=== TEST 143: wa_gateway_health of what proxy_pass names
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_health 127.0.0.1:3005; } location /p { proxy_pass http://127.0.0.1:3005; }
--- refused_like eval
qr{"127\.0\.0\.1:3005"}



=== TEST 144: wa_gateway_health twice
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_health u; wa_gateway_health u; }
--- refused_like eval
qr{"wa_gateway_health" directive is duplicate}



=== TEST 145: wa_gateway_health outside a location
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_health u;
--- refused_like eval
qr{"wa_gateway_health" directive is not allowed}



=== TEST 146: status and health in one location
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
location = /s { wa_gateway_status u; wa_gateway_health u; }
--- refused_like eval
qr{is duplicate}



=== TEST 147: an unknown language
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_errors xx;
--- refused_like eval
qr{invalid value "xx"}



=== TEST 148: a language twice
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_errors ar; wa_gateway_errors en;
--- refused_like eval
qr{"wa_gateway_errors" directive is duplicate}



=== TEST 149: an envelope that is neither
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_envelope json;
--- refused_like eval
qr{invalid value "json" in "wa_gateway_env}



=== TEST 150: an empty key
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_api_key a "";
--- refused_like eval
qr{empty key in "wa_gateway_api_key"}



=== TEST 151: no key
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_api_key;
--- refused_like eval
qr{invalid number of arguments in "wa_gateway_api_key"}



=== TEST 152: keys twice
--- upstream
wa_gateway;
server 127.0.0.1:3001;
--- server
wa_gateway_api_key a; wa_gateway_api_key b;
--- refused_like eval
qr{"wa_gateway_api_key" directive is duplicate}
