#!/usr/bin/perl

# Bodies arrive bit for bit.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5;
use Encode qw(encode_utf8);
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx;

my @fakes = map { WaGateway::Fake->new } 1 .. 2;

my $bytes = join '', map { chr } 0 .. 255;
my $arabic = encode_utf8("\x{645}\x{631}\x{62d}\x{628}\x{627} "
                         . "\x{1f44b} \x{0}\x{7f}\x{ff}\x{ffff} ");

my %piece = (binary => $bytes x 256, 'Arabic text' => $arabic x 2000);


sub body {
    my ($kind, $length) = @_;
    my $piece = $piece{$kind};
    my $times = int($length / length $piece) + 1;
    return substr $piece x $times, 0, $length;
}


# A body too large to hold twice is given in pieces.
sub pieces {
    my ($kind, $length) = @_;
    my $left = $length;
    my $md5 = Digest::MD5->new;

    return ($md5, sub {
        return unless $left;
        my $data = substr $piece{$kind}, 0, $left;
        $left -= length $data;
        $md5->add($data);
        return $data;
    });
}


sub arrived {
    my ($path) = @_;
    return join '; ', map { "$_->{length} $_->{digest}" }
                      map { $_->ledger($path) } @fakes;
}


for my $buffering ('on', 'off') {
    my $ng = WaGateway::Nginx->start(workers => 2, level => 'notice',
        upstream => join('', 'wa_gateway;', map { "server $_;" }
                             map { $_->name } @fakes),
        location => "proxy_http_version 1.1;
                     proxy_request_buffering $buffering;");

    for my $kind (sort keys %piece) {
        for my $length (0, 1, 1023, 8192, 16384, 1 << 20) {
            for my $method (qw(POST PUT)) {
                my $path = "/$method-$length-" . length($kind) . $buffering;
                my $body = body($kind, $length);
                my $r = $ng->request($method, $path, body => $body);

                is("$r->{status} " . arrived($path),
                   "200 $length " . Digest::MD5::md5_hex($body),
                   "$method of $length bytes, $kind, request buffering "
                   . $buffering);
            }
        }

        my $length = 100_000_000;
        my $path = '/big' . length($kind) . $buffering;
        my ($md5, $body) = pieces($kind, $length);
        my $r = $ng->request('POST', $path, body => $body, length => $length,
                             timeout => 60);

        is("$r->{status} " . arrived($path), "200 $length " . $md5->hexdigest,
           "100 MB, $kind, request buffering $buffering");
    }

    # Answers, too.
    for my $length (0, 1, 100_000, 3_000_000) {
        for my $mode (qw(json chunked close_delimited)) {
            my $r = $ng->request('GET', "/a?fake=$mode&pad=$length");
            my ($pad) = $r->{body} =~ /"pad":"(x*)"\}\z/;
            ok($r->{whole} && length($pad || '') == $length,
               "an answer with $length bytes more, $mode");
        }
    }

    $ng->clean;
}

done_testing;
