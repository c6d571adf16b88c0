#!/usr/bin/perl

# probe.pl PORT: asks for a plain answer of a gateway each 2 ms, on one
# connection, and says how many ms each took, until it is ended.

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $over;
$SIG{TERM} = sub { $over = 1 };
$| = 1;

my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ARGV[0])
    or die "$!\n";

until ($over) {
    my $began = time;
    syswrite $s, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

    my $text = '';
    while ($text !~ /\r\n\r\n/) {
        my $n = sysread $s, $text, 4096, length $text;
        next if !defined $n && $!{EINTR};
        exit 0 unless $n;
    }

    printf "%.4f\n", 1000 * (time - $began);

    my $rest = 0.002 - (time - $began);
    sleep $rest if $rest > 0;
}
