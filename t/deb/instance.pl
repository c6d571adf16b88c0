#!/usr/bin/perl

# instance.pl PORT SECONDS: a pretended instance that answers a message after
# SECONDS.

use strict;
use warnings;

use IO::Socket::INET;

my ($port, $seconds) = @ARGV;
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9,
                                   LocalPort => $port, ReuseAddr => 1)
    or die "$port: $!\n";

$SIG{CHLD} = 'IGNORE';

while (1) {
    my $c = $listen->accept or next;
    next if fork;

    my $head = '';
    my $length = 0;

    while (defined(my $line = <$c>)) {
        $head .= $line;
        $length = $1 if $line =~ /^content-length: *(\d+)/i;
        last if $line eq "\r\n";
    }

    read($c, my $body, $length);
    sleep $seconds if $head =~ /^POST/;
    my $text = qq({"messageId":"slow-$port"});
    print {$c} "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        "Connection: close\r\nContent-Length: ", length $text, "\r\n\r\n", $text;
    exit;
}
