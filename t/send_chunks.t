#!/usr/bin/perl

# What proves that a message was not sent may lie in a body that comes in
# chunks: it is proven when all of them are there, and never before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Send qw(fake pair send_gateway post seen told);

my $named = { chatId => '966511111111', message => 'x', session => 'main' };

# GOWA tells in the body of a 401 why.  How it comes, what the first server
# says, how nginx is set up, what two clients are told, and how many messages
# came to each server.
my @Cases = (
    ['in one packet', 'chunks', 'not_connected', '',
     '200 success 200 success', 2],
    ['byte by byte', 'bytes', 'not_connected', '',
     '200 success 200 success', 2],
    ['in one packet, kept alive', 'chunks', 'not_connected',
     'proxy_http_version 1.1; proxy_set_header Connection "";',
     '200 success 200 success', 2],
    ['unbuffered', 'bytes', 'not_connected', 'proxy_buffering off;',
     '200 success 200 success', 2],
    ['without the last chunk', 'cut', 'not_connected', '',
     '200 success 502 bad_gateway unknown', 1],
    ['with bytes behind it', 'trailing', 'not_connected', '',
     '200 success 503 session_down no', 1],
    ['for another reason', 'chunks', 'other_401', '',
     '200 success 502 unconfirmed unknown', 1],
    ['for another reason, byte by byte', 'bytes', 'other_401', '',
     '200 success 502 unconfirmed unknown', 1],
    ['too long for the buffer', 'chunks', 'long_401',
     'proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k;',
     '200 success 503 session_down no', 1],
    ['that just fits', 'bytes', 'not_connected',
     'proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k;',
     '200 success 200 success', 2],
);

for my $case (@Cases) {
    my ($name, $chunked, $mode, $text, $wanted, $sent) = @$case;
    my @two = pair('gowa');
    my $ng = send_gateway(fakes => \@two, text => $text,
                          check => 'interval=60s timeout=10s');

    $two[0]->set(send => $mode, chunked => $chunked);
    my @told = sort map { told(post($ng, '/send-message', $named)) } 1, 2;

    is("@told", $wanted, $name);
    is(scalar(my @none = $two[0]->sent), 0, "$name: the first has sent none");
    is(scalar(my @sent = $two[1]->sent), $sent, "$name: the other one has");
    is(seen($two[0]) >= 1, 1, "$name: the first was asked");
    is(seen(@two), 2 + $sent - 1, "$name: nobody was asked twice")
        if $sent == 1;

    $ng->clean("$name: nothing worse than errors is logged");
}

done_testing;
