#!/usr/bin/perl

# Bodies of 100 MB arrive bit for bit.  Smaller ones: bodies.t.

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

my $arabic = encode_utf8("\x{645}\x{631}\x{62d}\x{628}\x{627} "
                         . "\x{1f44b} \x{0}\x{7f}\x{ff}\x{ffff} ");

my %piece = (binary => join('', map { chr } 0 .. 255) x 256,
             'Arabic text' => $arabic x 2000);


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
        my $length = 100_000_000;
        my $path = '/big' . length($kind) . $buffering;
        my ($md5, $body) = pieces($kind, $length);
        my $r = $ng->request('POST', $path, body => $body, length => $length,
                             timeout => 60);

        is("$r->{status} " . arrived($path), "200 $length " . $md5->hexdigest,
           "100 MB, $kind, request buffering $buffering");
    }

    $ng->clean;
}

done_testing;
