#!/usr/bin/perl

# /status and /metrics longer than a piece over HTTP/2, whose connections are
# not those that events are told of.  Test::Nginx cannot ask for HTTP/2 of an
# nginx older than 1.25.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use POSIX ();
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx;

my $port = WaGateway::Fake::free_port();
my $servers = join '', map { "server 127.0.0.$_:$port;\n" } 1 .. 150;

# what is forgotten comes when send_timeout is over, a minute later
my @curl = ('curl', '-s', '--http2-prior-knowledge', '--max-time', 40);


sub get {
    my (@what) = @_;
    my $pid = open my $out, '-|';
    die "fork: $!\n" unless defined $pid;

    exec @curl, @what or POSIX::_exit(127) unless $pid;

    local $/;
    my $text = <$out>;
    close $out;

    return ($? >> 8, defined $text ? $text : '');
}


for my $workers (0, 2) {
    my $http2 = WaGateway::Fake::free_port();
    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => "wa_gateway zone=4m; $servers",
        server => "listen 127.0.0.1:$http2 http2;
            location = /plain { wa_gateway_status u; }
            location = /rate { wa_gateway_status u; limit_rate 60k; }
            location = /after { wa_gateway_status u; limit_rate 20k;
                                limit_rate_after 10k; }
            location = /metrics { wa_gateway_metrics; limit_rate 300k; }");

    for my $path (qw(/plain /rate /after)) {
        my ($status, $text) = get("http://127.0.0.1:$http2$path");
        my $o = eval { decode_json($text) } || {};

        is("$status " . keys %{$o->{instances}{details}}, '0 150',
           "$path is whole, $workers workers");
    }

    my ($status, $text) = get("http://127.0.0.1:$http2/metrics");
    is("$status " . (() = $text =~ /^wa_gateway_instance_up\{.*\} 1$/mg),
       '0 150', "/metrics is whole, $workers workers");
    like($text, qr/^wa_gateway_zone_bytes\{.*kind="free".*\n\z/m, 'to its end');

    $ng->clean;
}

done_testing();
