#!/usr/bin/perl

# The probe over TLS: SNI, verification, handshakes that fail.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Probe;

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;


sub certificate {
    my ($name, $san) = @_;

    system('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
           'ec_paramgen_curve:P-256', '-nodes', '-days', 30, '-subj',
           "/CN=$name", '-addext', "subjectAltName=$san", '-keyout',
           "$dir/$name.key", '-out', "$dir/$name.crt") == 0
        or die "no certificate";
}

{
    open my $saved, '>&', \*STDERR or die "dup: $!";
    open STDERR, '>', "$dir/openssl.log" or die "openssl.log: $!";

    certificate('one', 'DNS:one.example,IP:127.0.0.1,IP:::1');
    certificate('two', 'DNS:two.example');

    open STDERR, '>&', $saved or die "dup: $!";
}

my ($one, $two) = (port(), port());

my $servers = join '', map {
    my ($port, $cert, $extra) = @$_;
    "server { listen 127.0.0.1:$port ssl; $extra "
    . "ssl_certificate $dir/$cert.crt; ssl_certificate_key $dir/$cert.key; "
    . 'location / { return 200 "sni=$ssl_server_name n=$connection_requests";'
    . ' } }';
} [$one, 'one', ''], [$two, 'two', ''];

my $far = nginx('wa_gateway_unit_probe name=none addr=127.0.0.1:1;',
                http => $servers);


sub check {
    my ($params, %opt) = @_;

    my $nginx = nginx("wa_gateway_unit_probe name=a $params;", %opt);
    my @lines;

    while (1) {
        my $line = $nginx->line();
        last if !defined $line || $line eq 'end';
        push @lines, $line;
        last if $line eq 'deadline';
    }

    unlike($nginx->log(), qr/\[(alert|crit|error|emerg)\]/,
           "$params: the log is quiet");

    return join '; ', @lines;
}


is(check("addr=127.0.0.1:$one ssl_name=one.example"),
   'a ok 200 sni=one.example n=1', 'SNI');
is(check("addr=127.0.0.1:$one ssl_name=127.0.0.1"), 'a ok 200 sni= n=1',
   'no SNI for an address');
is(check("addr=127.0.0.1:$one ssl_name=[::1]"), 'a ok 200 sni= n=1',
   'no SNI for an IPv6 address');
is(check("addr=127.0.0.1:$two ssl_name=one.example"),
   'a ok 200 sni=one.example n=1', 'without verification any name will do');
is(check("addr=127.0.0.1:$one ssl_name=one.example keepalive=on times=3"),
   'a ok 200 sni=one.example n=1; a ok 200 sni=one.example n=2; '
   . 'a ok 200 sni=one.example n=3', 'the connection is kept');

is(check("addr=127.0.0.1:$one ssl_name=one.example trusted=$dir/one.crt"),
   'a ok 200 sni=one.example n=1', 'verified');
is(check("addr=127.0.0.1:$one ssl_name=127.0.0.1 trusted=$dir/one.crt"),
   'a ok 200 sni= n=1', 'verified by its address');
is(check("addr=127.0.0.1:$one ssl_name=[::1] trusted=$dir/one.crt"),
   'a ok 200 sni= n=1', 'verified by its IPv6 address');
is(check("addr=127.0.0.1:$one ssl_name=127.0.0.2 trusted=$dir/one.crt"),
   'a declined ssl certificate does not match "127.0.0.2"',
   'another address');
is(check("addr=127.0.0.1:$one ssl_name=two.example trusted=$dir/one.crt"),
   'a declined ssl certificate does not match "two.example"',
   'another name');
like(check("addr=127.0.0.1:$two ssl_name=two.example trusted=$dir/one.crt"),
     qr/^a declined ssl certificate: self[- ]signed certificate$/,
     'not trusted');
like(check("addr=127.0.0.1:$one ssl_name=one.example trusted="),
     qr/^a declined ssl certificate: self[- ]signed certificate$/,
     'not trusted by the system');


my $port = server(sub {
    my ($s) = @_;

    sysread $s, my $buf, 4096;
    syswrite $s, "HTTP/1.1 400 Bad Request\r\n\r\n";
    sysread $s, $buf, 4096;
});

is(check("addr=127.0.0.1:$port ssl_name=x"),
   'a declined ssl handshake failed', 'plain HTTP');

$port = server(sub { sysread $_[0], my $buf, 4096 });

is(check("addr=127.0.0.1:$port ssl_name=x"),
   'a declined closed in ssl handshake', 'closed in the handshake');

$port = server(sub { sysread $_[0], my $buf, 4096; reset_by($_[0]) });

is(check("addr=127.0.0.1:$port ssl_name=x"),
   'a declined closed in ssl handshake', 'reset in the handshake');

$port = server(sub { sysread $_[0], my $buf, 4096; sleep 30 });

is(check("addr=127.0.0.1:$port ssl_name=x timeout=300"),
   'a declined timeout', 'a handshake that hangs');

is(check("addr=127.0.0.1:" . port() . ' ssl_name=x'),
   'a declined connect ECONNREFUSED', 'refused');

like(check("addr=127.0.0.1:$one keepalive=on"), qr/^a ok 400 /,
     'without ssl it is plain HTTP');


# no growth with a context per connection

{
    my $nginx = nginx(
        "wa_gateway_unit_probe name=a addr=127.0.0.1:$one times=1501 "
        . "quiet=500 ssl_name=one.example trusted=$dir/one.crt;");

    my @rss;

    for my $i (0 .. 3) {
        is($nginx->line(600), 'a ok 200 sni=one.example n=1',
           "many handshakes: $i");

        open my $fh, '<', '/proc/' . $nginx->worker() . '/status' or last;
        push @rss, map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$fh>;
    }

    # a sanitizer keeps what was freed
    my $most = $ENV{WA_GATEWAY_TEST_SANITIZE} ? 65536 : 200;
    ok($rss[3] - $rss[1] < $most, 'no growth') or diag "@rss";
}

done_testing();
