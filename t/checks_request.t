#!/usr/bin/perl

# Active checks: what is asked, where, and over which connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Socket qw(inet_aton);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll slurp);

my $dir = tempdir('wa-checks-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;


# The request itself.

{
    my %fakes = map { $_ => WaGateway::Fake->new }
                qw(plain header hosted head close other);
    my %s = map { $_ => 'server ' . $fakes{$_}->name . ';' } keys %fakes;
    my $port = $fakes{other}->port;

    my $ng = several({
        plain => "$s{plain} wa_gateway_check;",
        header => "$s{header} wa_gateway_check uri=/api/sessions/default?a=b;
                   wa_gateway_check_header X-Api-Key \"s e;cret\";
                   wa_gateway_check_header X-B \"\";
                   wa_gateway_check_header X-B two;
                   wa_gateway_check_header Accept application/json;",
        hosted => "$s{hosted} wa_gateway_check host=api.example;",
        head => "$s{head} wa_gateway_check method=HEAD;",
        close => "$s{close} wa_gateway_check keepalive=off;",
        other => "server 127.0.0.1:9; wa_gateway_check port=$port;",
        named => "wa_gateway_instances http://localhost:$port/;
                  wa_gateway_check uri=/named;",
    });

    ok(wait_count($fakes{$_}, 1), "$_: a check") for qw(plain hosted head close);
    ok(wait_count($fakes{other}, 1), 'port=: checked at another port');

    my $head = (checks($fakes{plain}))[0]{headers};
    my $name = $fakes{plain}->name;

    is($head, "GET /health HTTP/1.1\r\nHost: $name\r\n"
       . "User-Agent: wa_gateway/0.2.0\r\nAccept: */*\r\n"
       . "Connection: keep-alive\r\n", 'the whole request');
    unlike($head, qr/^Content-/mi, 'no Content-Type, no Content-Length');

    poll { $fakes{header}->count };
    my ($c) = $fakes{header}->ledger('/api/sessions/default');
    like($c->{headers}, qr{^GET /api/sessions/default\?a=b HTTP/1\.1\r\n},
         'uri= with arguments');
    like($c->{headers}, qr/^X-Api-Key: s e;cret\r\nX-B: \r\nX-B: two\r\nAccept: application\/json\r\n/m,
         'headers, in order, repeated ones too');
    is(scalar(() = $c->{headers} =~ /^Accept:/mg), 1,
       'a header that stands there by itself is replaced');

    like((checks($fakes{hosted}))[0]{headers}, qr/^Host: api\.example\r\n/m,
         'host=');
    is((checks($fakes{head}))[0]{method}, 'HEAD', 'method=HEAD');
    like((checks($fakes{close}))[0]{headers}, qr/^Connection: close\r\n/m,
         'keepalive=off');
    like((checks($fakes{other}))[0]{headers}, qr/^Host: 127\.0\.0\.1:9\r\n/m,
         'port=: Host is of the instance');

    poll { $fakes{other}->ledger('/named') };
    like(($fakes{other}->ledger('/named'))[0]{headers},
         qr/^Host: localhost:$port\r\n/m, 'Host of a URL');

    settles($ng, "/$_", 'up', "$_: up")
        for qw(plain header hosted head close other named);
    $ng->clean;
}


# Connections.

{
    my %fakes = map { $_ => WaGateway::Fake->new } qw(kept closed each second);
    $fakes{each}->mode('keep:1');
    $fakes{second}->mode('reset_second');

    my %check = map { $_ => 'server ' . $fakes{$_}->name
                            . '; wa_gateway_check interval=50ms '
                            . 'timeout=1h keepalive='
                            . ($_ eq 'closed' ? 'off;' : 'on;') } keys %fakes;

    my $ng = several(\%check, workers => 2);

    ok(wait_count($_, 20), 'twenty checks') for values %fakes;

    my %connections;
    for my $name (keys %fakes) {
        my @c = checks($fakes{$name});
        my %seen = map { $_->{connection} => 1 } @c;
        $connections{$name} = keys(%seen) / @c;
        $connections{all} = keys %seen if $name eq 'kept';
    }

    is($connections{all}, 1, 'keepalive=on: one connection for them all');
    is($connections{closed}, 1, 'keepalive=off: one for each');
    is($connections{each}, 1, 'an instance closes after each, untold');
    cmp_ok(abs($connections{second} - 0.5), '<', 0.04,
       'an instance resets each kept connection when it is used');

    for (qw(kept closed each second)) {
        is(&state($ng, "/$_"), 'up', "$_: still up");
    }

    # Closed and reset while idle, again and again.
    for my $hard (0, 1) {
        my $before = $fakes{kept}->count;
        for (1 .. 10) {
            my $n = $fakes{kept}->count;
            $fakes{kept}->close_idle($hard);
            poll { $fakes{kept}->count > $n };
        }
        cmp_ok($fakes{kept}->count - $before, '>=', 10, 'checks went on');
        is(&state($ng, '/kept'), 'up', 'a connection '
           . ($hard ? 'reset' : 'closed') . ' between checks is no failure');
    }

    is(join("\n", $ng->logged(qr/ is down/)), '', 'nothing went down');
    $ng->clean;
}


# Kinds of addresses.

SKIP: {
    my $v6 = eval { WaGateway::Fake->new(address => '::1') };
    my $unix = WaGateway::Fake->new(unix => "$dir/fake.sock");

    my $ng = several({
        unix => "server unix:$dir/fake.sock; wa_gateway_check interval=1s;",
        gone => "server unix:$dir/none.sock; wa_gateway_check interval=1s;",
        $v6 ? (v6 => 'server ' . $v6->name . '; wa_gateway_check;') : (),
    });

    settles($ng, '/gone', 'down: connect ENOENT', 'no such unix socket');
    ok(wait_count($unix, 1), 'a unix socket is checked');
    settles($ng, '/unix', 'up', 'and up');
    like((checks($unix))[0]{headers}, qr/^Host: localhost\r\n/m,
         'Host of a unix socket');

    SKIP: {
        skip 'no IPv6 on this host', 3 unless $v6;

        ok(wait_count($v6, 1), 'an IPv6 address is checked');
        settles($ng, '/v6', 'up', 'and up');
        my $name = $v6->name;
        like((checks($v6))[0]{headers}, qr/^Host: \Q$name\E\r\n/m,
             'Host of an IPv6 address');
    }

    $ng->clean;
}


# A name with two addresses, of which one refuses: needs a hosts file.

SKIP: {
    skip 'no mount namespace of its own can be had', 4
        if system("unshare -m sh -c 'mount --bind $dir /mnt' 2>/dev/null");

    my $fake = WaGateway::Fake->new(address => '127.0.0.2');
    my $port = $fake->port;

    open my $fh, '>', "$dir/hosts" or die;
    print $fh "127.0.0.1 two.test\n127.0.0.2 two.test\n127.0.0.3 gone.test\n"
              . "127.0.0.4 gone.test\n";
    close $fh;
    chmod 0644, "$dir/hosts";

    my $real = $ENV{TEST_NGINX_BINARY} || 'nginx';
    open $fh, '>', "$dir/nginx" or die;
    print $fh "#!/bin/sh\nexec unshare -m sh -c 'mount --bind $dir/hosts "
              . "/etc/hosts && exec $real \"\$@\"' nginx \"\$@\"\n";
    close $fh;
    chmod 0755, "$dir/nginx";

    local $ENV{TEST_NGINX_BINARY} = "$dir/nginx";

    my $ng = several({
        two => "server two.test:$port; wa_gateway_check interval=300ms;",
        gone => "server gone.test:$port; wa_gateway_check interval=300ms;",
    });

    ok(wait_count($fake, 5), 'the address that answers is asked');
    is(&state($ng, '/two'), 'up', 'an instance is up if one address answers');
    settles($ng, '/gone', 'down: connect ECONNREFUSED', 'down if none does');
    is(scalar($ng->logged(qr/two\.test.* is /)), 0, 'no word of it');
    $ng->clean;
}


# TLS.

SKIP: {
    skip 'no openssl here', 22 if system('openssl version >/dev/null 2>&1');

    chdir $dir or die;

    for my $ca (qw(ca rogue)) {
        run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$ca "
            . "-keyout $ca.key -out $ca.pem");
        run("openssl req -newkey rsa:2048 -nodes -subj /CN=x "
            . "-keyout $ca-leaf.key -out $ca.csr");
        open my $fh, '>', "$ca.ext" or die;
        print $fh "subjectAltName=DNS:wa.test,IP:127.0.0.1\n";
        close $fh;
        run("openssl x509 -req -in $ca.csr -CA $ca.pem -CAkey $ca.key "
            . "-CAcreateserial -days 2 -extfile $ca.ext -out $ca-leaf.pem");
    }

    chdir '/';

    my %port = map { $_ => WaGateway::Fake::free_port() } qw(ca rogue);
    my $plain = WaGateway::Fake->new;
    my $none = WaGateway::Fake->new(mode => 'plain');
    my $mute = WaGateway::Fake->new(mode => 'hang');

    my $tls = WaGateway::Nginx->new;
    $tls->{conf} = "http {
        log_format sni '\$server_port [\$ssl_server_name] \$host '
                       '\$connection_requests';
        access_log access.log sni; keepalive_timeout 60s;
        server { listen 127.0.0.1:$tls->{port}; }
        " . join('', map { "server { listen 127.0.0.1:$port{$_} ssl;
            ssl_certificate $dir/$_-leaf.pem;
            ssl_certificate_key $dir/$_-leaf.key;
            location = /health { return 200 ok; } }\n" } qw(ca rogue)) . '}';
    $tls->start;

    my $s = "server 127.0.0.1:$port{ca};";
    my $check = 'wa_gateway_check interval=400ms timeout=10s';
    my $trust = "ssl_verify=on ssl_trusted_certificate=$dir/ca.pem";

    my $ng = several({
        plain => "$s $check ssl=on;",
        sni => "$s $check ssl=on ssl_name=sni.test host=h.test;",
        good => "$s $check ssl=on ssl_name=wa.test $trust;",
        ip => "wa_gateway_instances https://127.0.0.1:$port{ca};
               $check $trust;",
        name => "$s $check ssl=on ssl_name=other.test $trust;",
        rogue => "server 127.0.0.1:$port{rogue};
                  $check ssl=on ssl_name=wa.test $trust;",
        unknown => "$s $check ssl=on ssl_name=wa.test ssl_verify=on;",
        plaintext => 'server ' . $none->name . "; $check ssl=on;",
        mute => 'server ' . $mute->name . "; wa_gateway_check timeout=500ms ssl=on;",
        needless => 'wa_gateway_instances http://' . $plain->name
                    . "; $check;",
    }, workers => 2);

    settles($ng, '/name', 'down: ssl certificate does not match "other.test"',
            'ssl_verify: a certificate of another name');
    settles($ng, '/rogue', qr/^down: ssl certificate: /,
            'ssl_verify: a certificate nobody trusts');
    settles($ng, '/unknown', qr/^down: ssl certificate: /,
            'ssl_verify without a file: by what the system trusts');
    settles($ng, '/plaintext', qr/^down: ssl /, 'no TLS there');
    settles($ng, '/mute', 'down: timeout', 'a handshake that hangs');

    poll { $tls->access =~ /^$port{ca} \[wa\.test\] .* [2-9]$/m };
    settles($ng, "/$_", 'up', "$_: up")
        for qw(plain sni good ip needless);

    my $log = $tls->access;
    like($log, qr/^$port{ca} \[sni\.test\] h\.test /m, 'ssl_name= is the SNI');
    like($log, qr/^$port{ca} \[-?\] 127\.0\.0\.1 /m, 'no SNI of an address');
    like($log, qr/^$port{ca} \[wa\.test\] .* [2-9]$/m, 'TLS connections are kept');
    unlike($log, qr/^$port{rogue} /m, 'nothing was asked of who is not trusted');
    unlike($log, qr/\[other\.test\]/, 'nor of another');

    is(join("\n", $ng->logged(qr/\[(?:error|crit|alert)\]/)), '',
       'no line but of changes of state');
    $ng->clean;
    $tls->clean;

    # TLS 1.1 where the library would have it (RFC 8996)
    open my $fh, '>', "$dir/openssl.cnf" or die;
    print $fh "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\n"
              . "system_default = all\n[all]\nMinProtocol = TLSv1\n"
              . "CipherString = DEFAULT:\@SECLEVEL=0\n";
    close $fh;

    my %old = (env => { OPENSSL_CONF => "$dir/openssl.cnf" });
    my %at = map { $_ => WaGateway::Fake::free_port() } qw(1.1 1.2);

    $tls = WaGateway::Nginx->new(%old);
    $tls->{conf} = "http { access_log off;
        server { listen 127.0.0.1:$tls->{port}; }
        " . join('', map { "server { listen 127.0.0.1:$at{$_} ssl;
            ssl_protocols TLSv$_;
            ssl_ciphers DEFAULT:\@SECLEVEL=0;
            ssl_certificate $dir/ca-leaf.pem;
            ssl_certificate_key $dir/ca-leaf.key;
            location = /health { return 200 ok; } }\n" } sort keys %at) . '}';
    $tls->start;

    is(system("OPENSSL_CONF=$dir/openssl.cnf openssl s_client -tls1_1 -connect "
              . "127.0.0.1:$at{'1.1'} </dev/null >>$dir/openssl.log 2>&1"), 0,
       'a server that speaks TLS 1.1 only');

    $ng = several({ map { ("tls$_" =~ s/\.//r =>
        "server 127.0.0.1:$at{$_}; wa_gateway_check interval=100ms ssl=on;") }
        keys %at }, %old);

    settles($ng, '/tls11', qr/^down: ssl /, 'is not spoken to');
    settles($ng, '/tls12', 'up', 'one that speaks TLS 1.2 is');
    $ng->clean;
    $tls->clean;
}


sub run {
    my ($command) = @_;
    system("$command >>openssl.log 2>&1") == 0
        or die "$command: " . slurp("$dir/openssl.log");
}

done_testing();
