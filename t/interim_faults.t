#!/usr/bin/perl

# Interim answers: what the instance saw of the requests and of connections.
# What is answered: interim.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx;

my $fake = WaGateway::Fake->new;
my $n = 0;

for my $workers (0, 2) {
for my $buffering ('on', 'off') {
    my $how = "$workers workers, buffering $buffering";
    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => 'wa_gateway; wa_gateway_passive off; server '
                    . $fake->name . ';',
        location => "proxy_http_version 1.1; proxy_buffering $buffering;
                     proxy_set_header Connection '';");

    $fake->forget;

    for my $codes (qw(100 102 103 102,102,102 100,103,102)) {
        $ng->request($_, '/i' . ++$n . "?interim=$codes"),
        $ng->request($_, '/n' . ++$n) for qw(POST GET);
    }

    my %connections = map { $_->{connection} => 1 } $fake->ledger;
    is(scalar($fake->ledger), 20, "all of them came, $how");
    cmp_ok(scalar(keys %connections), '<=', $workers || 1,
           "the connection is kept, $how") or diag keys %connections;

    my $many = join ',', (102) x 101;

    for my $query ("interim=$many", 'interim=99', 'interim=101',
                   'interim=102&fake=interim', 'fake=interim')
    {
        my $path = '/z' . ++$n;
        my $r = $ng->request('POST', "$path?$query");
        is("$r->{status} " . $fake->ledger($path), '502 1',
           (length $query > 80 ? 'a hundred and one' : $query)
           . " is no answer, and not sent again, $how");
    }

    $ng->clean;
}
}

done_testing();
