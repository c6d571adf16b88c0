#!/usr/bin/perl

# A bad directive is an error in nginx's own form that names what is wrong.

use strict;
use warnings;
no warnings "qw";

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my $One = 'server 127.0.0.1:3001;';


# What `nginx -t` says of an upstream u and more at the level of http.
sub check {
    my ($upstream, $server, $http, $env) = @_;

    my $ng = WaGateway::Nginx->new(port => 1984, conf => <<"END",
http {
    access_log off;
    @{[$http || '']}
    upstream u {
        $upstream
    }
    server {
        listen 127.0.0.1:1984;
        @{[defined $server ? $server : 'location / { proxy_pass http://u; }']}
    }
}
END
        env => $env);

    return $ng->test;
}


sub good {
    my ($name, @conf) = @_;
    my ($status, $text) = check(@conf);
    ok($status == 0 && $text !~ /\[(?:emerg|alert|crit)\]/, $name)
        or diag($text);
}


sub bad {
    my ($name, $re, @conf) = @_;
    my ($status, $text) = check(@conf);
    my @lines = grep { /\[emerg\]/ } split /\n/, $text;

    ok($status == 1 && @lines == 1 && $lines[0] =~ /$re/
       && $text !~ /\[(?:alert|crit)\]/, $name)
        or diag("exit status $status: $text");
}


sub named { return qr/invalid parameter "\Q$_[0]\E"/ }


# What must be accepted, so that refusing everything is no way to pass.

good('the least', "wa_gateway; $One");
good('a zone of a size', "wa_gateway zone=whatsapp:256k; $One");
good('a zone without a size', "wa_gateway zone=whatsapp; $One");
good('a zone of megabytes', "wa_gateway zone=w:1m; $One");
good("retry=$_", "wa_gateway retry=$_; $One") for qw(unsent idempotent);
good('both parameters', "wa_gateway retry=idempotent zone=w:128k; $One");
good('directives after the servers', "$One wa_gateway;");
good('a check without parameters', "wa_gateway; wa_gateway_check; $One");
good('a check with all of them', "wa_gateway; wa_gateway_check uri=/h "
     . "interval=5s timeout=1s jitter=0% fails=2 passes=3 method=HEAD "
     . "host=wa.test port=81 keepalive=off ssl=on ssl_name=wa.test "
     . "ssl_verify=off mandatory=on slow_start=10s; $One");
good('passive without parameters', "wa_gateway; wa_gateway_passive; $One");
good('passive off', "wa_gateway; wa_gateway_passive off; $One");
good('passive with all parameters', "wa_gateway; wa_gateway_passive "
     . "error_fails=0 status=500,502-504,599 status_fails=0 eject=1ms; $One");
good("wa_gateway_errors $_",
     "wa_gateway; $One", "wa_gateway_errors $_;") for qw(off ar en);
good('instances by URL',
     'wa_gateway; wa_gateway_instances http://localhost:3001,'
     . 'http://127.0.0.1:3002, http://[::1]:3003 HTTP://localhost/;');
good('instances by URL, https',
     'wa_gateway; wa_gateway_instances https://localhost,https://127.0.0.1;');
good('instances and servers',
     "wa_gateway; wa_gateway_instances http://127.0.0.1:3002; $One");
good('server parameters', 'wa_gateway; server 127.0.0.1:3001 weight=3 '
     . 'max_conns=10; server 127.0.0.1:3002 backup; server 127.0.0.1:3003 '
     . 'down; server unix:/tmp/wa.sock; server [::1]:3004;');
good('keepalive after wa_gateway', "wa_gateway; $One keepalive 32;");
good('keepalive before the servers', "wa_gateway; keepalive 32; $One");
good('an upstream without wa_gateway beside it', "wa_gateway; $One", undef,
     'upstream other { server 127.0.0.1:3005; }');
good('two upstreams with zones of their own', "wa_gateway; $One", undef,
     "upstream v { wa_gateway; $One }");
good('two upstreams that share one', "wa_gateway zone=z:256k; $One", undef,
     "upstream v { wa_gateway zone=z:256k; $One }");
good('status and health', "wa_gateway; $One",
     'location = /s { wa_gateway_status u; } '
     . 'location = /h { wa_gateway_health U; }');


# wa_gateway

bad('an unknown parameter', named('speed=9'), "wa_gateway speed=9; $One");
bad('a word without a value', named('zone'), "wa_gateway zone; $One");
bad('an empty zone', named('zone='), "wa_gateway zone=; $One");
bad('a zone without a name', named('zone=:64k'), "wa_gateway zone=:64k; $One");
bad('a zone size that is none', named('zone=w:big'),
    "wa_gateway zone=w:big; $One");
bad('a zone without its size', named('zone=w:'), "wa_gateway zone=w:; $One");
bad('a parameter twice', qr/duplicate parameter "zone=b"/,
    "wa_gateway zone=a zone=b; $One");
bad('an unknown retry', named('retry=always'), "wa_gateway retry=always; $One");
bad('wa_gateway twice', qr/"wa_gateway" directive is duplicate/,
    "wa_gateway; wa_gateway; $One");
bad('a zone below the least', qr/zone "w:4k" is too small/,
    "wa_gateway zone=w:4k; $One");
bad('one zone, two sizes', qr/"z"|zone/,
    "wa_gateway zone=z:256k; $One", undef,
    "upstream v { wa_gateway zone=z:512k; $One }");
bad("a zone of another module's name", qr/"taken"/,
    "wa_gateway zone=taken:64k; $One", undef,
    'limit_req_zone $binary_remote_addr zone=taken:64k rate=1r/s;');
bad('no server', qr/no servers|no instances/, 'wa_gateway;');
bad('only backup servers', qr/no servers but backup in upstream "u"/,
    'wa_gateway; server 127.0.0.1:3001 backup;');
bad('wa_gateway outside an upstream', qr/"wa_gateway" directive is not allow/,
    "wa_gateway; $One", undef, 'wa_gateway;');


# A zone too small for its instances names the size that is enough.

my ($least) = (check("wa_gateway zone=w:32k; $One"))[1]
              =~ /too small for 1 instances .* at least (\d+)k/;
ok($least, 'the least zone is named');

for my $n (50, 200, 4000) {
    my $servers = join '', map { 'server 127.1.' . int($_ / 250) . '.'
                                 . ($_ % 250 + 1) . ':3000;' } 1 .. $n;

    my ($status, $text) = check("wa_gateway zone=w:32k; $servers");
    my ($size) = $text =~ /zone "w" of 32k is too small for $n instances of upstream "u", at least (\d+)k is needed/;

    ok($status == 1 && $size, "a zone too small for $n instances")
        or diag($text);
    next unless $size;

    good("$n instances start with the size named",
         "wa_gateway zone=w:${size}k; $servers");

    cmp_ok(($size - $least) * 1024 / $n, '<=', 1536,
           "which is at most 1.5 KB for each of $n");
}

bad('what says -t also says a start', qr/too small for 300 instances/,
    'wa_gateway zone=w:64k; ' . join '', map { "server 127.0.0.1:$_;" }
                                         10001 .. 10300);


# wa_gateway_instances

for my $case (
    ['no scheme', '127.0.0.1:3001', qr/invalid instance "127.0.0.1:3001"/],
    ['another scheme', 'ftp://127.0.0.1', qr/invalid instance "ftp:\/\/127/],
    ['a path', 'http://127.0.0.1:3001/api', qr/"http:\/\/127.0.0.1:3001\/api": a path/],
    ['a query', 'http://127.0.0.1:3001?a=b', qr/invalid instance "http:\/\/127.0.0.1:3001\?a=b"/],
    ['a fragment', 'http://127.0.0.1:3001#a', qr/invalid instance "http:\/\/127.0.0.1:3001#a"/],
    ['a user', 'http://me:pw@127.0.0.1:3001', qr/invalid instance "http:\/\/me:pw\@127/],
    ['a socket', 'http://unix:3001', qr/"http:\/\/unix:3001": a Unix socket is not allowed/],
    ['a port that is none', 'http://127.0.0.1:99999', qr/"http:\/\/127.0.0.1:99999": invalid port/],
    ['a port of letters', 'http://127.0.0.1:abc', qr/"http:\/\/127.0.0.1:abc": invalid port/],
    ['no host', 'http://:3001', qr/invalid instance "http:\/\/:3001"/],
    ['nothing but a scheme', 'http://', qr/invalid instance "http:\/\/"/],
    ['a name that is unknown', 'http://no-such-host.invalid:3001', qr/invalid instance "http:\/\/no-such-host.invalid:3001": host not found/],
    ['mixed schemes', 'http://127.0.0.1:1,https://127.0.0.1:2', qr/invalid instance "https:\/\/127.0.0.1:2": all instances must have the same/],
    ['commas alone', '", ,"', qr/no instances in "wa_gateway_instances" ", ,"/],
    ['an empty text', '""', qr/no instances in "wa_gateway_instances"/],
    ['an instance twice', 'http://127.0.0.1:1,http://127.0.0.1:1', qr/duplicate instance "http:\/\/127.0.0.1:1" in upstream "u"/],
) {
    my ($name, $value, $re) = @$case;
    bad("instances: $name", $re, "wa_gateway; wa_gateway_instances $value;");
}

bad('a server and a URL that are the same instance',
    qr/duplicate instance "http:\/\/127.0.0.1:3001"/,
    "wa_gateway; $One wa_gateway_instances http://127.0.0.1:3001;");
bad('a server twice', qr/duplicate instance "http:\/\/127.0.0.1:3001"/,
    "wa_gateway; $One $One");
bad('wa_gateway_instances without wa_gateway',
    qr/"wa_gateway_instances" requires "wa_gateway" in upstream "u"/,
    'wa_gateway_instances http://127.0.0.1:3001;');


# wa_gateway_check

for my $bad (qw(interval=0 interval=-1 interval=soon interval= timeout=0
                timeout=0s timeout=x fails=0 fails=-1 fails=x passes=0
                jitter=10 jitter=101% jitter=% jitter=-1% port=0 port=65536
                port=http keepalive=yes keepalive=1 ssl=true ssl_verify=2
                mandatory=maybe slow_start=x uri=health uri= method= bogus=1
                bogus))
{
    bad("wa_gateway_check $bad", named($bad),
        "wa_gateway; wa_gateway_check $bad; $One");
}

bad('a check parameter twice', qr/duplicate parameter "fails=3"/,
    "wa_gateway; wa_gateway_check fails=2 fails=3; $One");
bad('wa_gateway_check twice', qr/"wa_gateway_check" directive is duplicate/,
    "wa_gateway; wa_gateway_check; wa_gateway_check; $One");
bad('wa_gateway_check without wa_gateway',
    qr/"wa_gateway_check" requires "wa_gateway" in upstream "u"/,
    "wa_gateway_check; $One");


# wa_gateway_passive

for my $bad (qw(status=400 status=499 status=600 status=500-600 status=400-599
                status=599-500 status=5xx status= status=500, status=,500
                status=500- status=-500 status_fails=-1 status_fails=x
                error_fails=-1 error_fails=no eject=0 eject=-1s eject=long
                speed=1 on))
{
    bad("wa_gateway_passive $bad", named($bad),
        "wa_gateway; wa_gateway_passive $bad; $One");
}

bad('off beside others', named('off'),
    "wa_gateway; wa_gateway_passive off eject=1s; $One");
bad('a passive parameter twice', qr/duplicate parameter "eject=2s"/,
    "wa_gateway; wa_gateway_passive eject=1s eject=2s; $One");
bad('wa_gateway_passive twice',
    qr/"wa_gateway_passive" directive is duplicate/,
    "wa_gateway; wa_gateway_passive off; wa_gateway_passive; $One");
bad('wa_gateway_passive without wa_gateway',
    qr/"wa_gateway_passive" requires "wa_gateway" in upstream "u"/,
    "wa_gateway_passive off; $One");


# Beside other directives of an upstream

bad('max_fails', qr/does not support parameter "max_fails=3"/,
    'wa_gateway; server 127.0.0.1:3001 max_fails=3;');
bad('fail_timeout', qr/does not support parameter "fail_timeout=30s"/,
    'wa_gateway; server 127.0.0.1:3001 fail_timeout=30s;');
bad('a weight of 0', qr/invalid parameter "weight=0"/,
    'wa_gateway; server 127.0.0.1:3001 weight=0;');
bad('a weight above all measure', qr/"127.0.0.1:3001".*"weight"/,
    'wa_gateway; server 127.0.0.1:3001 weight=1000001;');
bad('zone', qr/"zone" cannot be used with "wa_gateway".* in upstream "u"/,
    "wa_gateway; zone other 64k; $One");
bad('zone of the same name', qr/\[emerg\]/, "wa_gateway; zone u 64k; $One");

# From 1.29.7 on nginx does not care what stands before "keepalive".
{
    my ($major, $minor, $patch) =
        qx('$ENV{TEST_NGINX_BINARY}' -v 2>&1) =~ /nginx\/(\d+)\.(\d+)\.(\d+)/;
    my @conf = "keepalive 8; wa_gateway; $One";

    if ($major * 1e6 + $minor * 1e3 + $patch < 1029007) {
        bad('keepalive before wa_gateway', qr/must stand before "keepalive"/, @conf);
    } else {
        good('keepalive before wa_gateway', @conf);
    }
}

for my $other ('least_conn', 'ip_hash', 'random', 'hash $uri') {
    bad("$other after wa_gateway", qr/"wa_gateway" cannot be used with another load balancing method in upstream "u"/,
        "wa_gateway; $other; $One");
    bad("$other before wa_gateway", qr/"wa_gateway"|load balancing|balanc/,
        "$other; wa_gateway; $One");
}


# Locations

for my $d (qw(status health)) {
    bad("wa_gateway_$d of nothing", qr/invalid number of arguments in "wa_gateway_$d"/,
        "wa_gateway; $One", "location = /s { wa_gateway_$d; }");
    bad("wa_gateway_$d of an empty name", qr/unknown upstream ""/,
        "wa_gateway; $One", "location = /s { wa_gateway_$d ''; }");
    bad("wa_gateway_$d of an unknown upstream", qr/unknown upstream "nobody" in .*nginx.conf:\d+/,
        "wa_gateway; $One", "location = /s { wa_gateway_$d nobody; }");
    bad("wa_gateway_$d of an upstream without wa_gateway",
        qr/upstream "plain" has no "wa_gateway" in .*nginx.conf:\d+/,
        "wa_gateway; $One", "location = /s { wa_gateway_$d plain; }",
        'upstream plain { server 127.0.0.1:3005; }');
    bad("wa_gateway_$d of what proxy_pass names",
        qr/"127.0.0.1:3005"/, "wa_gateway; $One",
        "location = /s { wa_gateway_$d 127.0.0.1:3005; } "
        . 'location /p { proxy_pass http://127.0.0.1:3005; }');
    bad("wa_gateway_$d twice", qr/"wa_gateway_$d" directive is duplicate/,
        "wa_gateway; $One",
        "location = /s { wa_gateway_$d u; wa_gateway_$d u; }");
    bad("wa_gateway_$d outside a location", qr/"wa_gateway_$d" directive is not allowed/,
        "wa_gateway; $One", "wa_gateway_$d u;");
}

bad('status and health in one location', qr/is duplicate/, "wa_gateway; $One",
    'location = /s { wa_gateway_status u; wa_gateway_health u; }');

bad('an unknown language', qr/invalid value "xx"/, "wa_gateway; $One",
    'wa_gateway_errors xx;');
bad('a language twice', qr/"wa_gateway_errors" directive is duplicate/,
    "wa_gateway; $One", 'wa_gateway_errors ar; wa_gateway_errors en;');
bad('an envelope that is neither', qr/invalid value "json" in "wa_gateway_env/,
    "wa_gateway; $One", 'wa_gateway_envelope json;');
bad('an empty key', qr/empty key in "wa_gateway_api_key"/, "wa_gateway; $One",
    'wa_gateway_api_key a "";');
bad('no key', qr/invalid number of arguments in "wa_gateway_api_key"/,
    "wa_gateway; $One", 'wa_gateway_api_key;');
bad('keys twice', qr/"wa_gateway_api_key" directive is duplicate/,
    "wa_gateway; $One", 'wa_gateway_api_key a; wa_gateway_api_key b;');


# `nginx -t` beside a gateway that runs does not touch it.
{
    my $fake = WaGateway::Fake->new;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => 'wa_gateway; server ' . $fake->name . ';');

    $ng->request('POST', '/', body => 'x') for 1 .. 3;
    my $before = $ng->status;
    my ($status) = $ng->test;
    my $after = $ng->status;

    is($status, 0, 'nginx -t');
    is_deeply($after->{instances}, $before->{instances},
              'nothing changed where it runs');
    is($after->{gateway}{generation}, $before->{gateway}{generation},
       'it is no reload');
    $ng->clean;
}

done_testing;
