#!/usr/bin/perl

# What is told of sessions while their instances come and go: those of each
# instance as they are when it has its turn, and of nobody else.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use JSON::PP;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll read_answer);
use WaGateway::Sessions qw(gateway sessions);
use WaGateway::Vendor;

my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');

my $narrow = WaGateway::Fake::free_port();
my @farm = WaGateway::Vendor->farm(10, 'waha', key => 'k', sessions => 120);
my ($old, $new) = map { WaGateway::Vendor->new('waha', key => 'k', sessions => named($_)) }
                      qw(old new);

# one place, that both have in turn
my $ng = gateway(fakes => \@farm, workers => 1,
    check => 'interval=1s timeout=60s', parameters => 'zone=z:4m sessions=3000 capacity=1',
    http => "server { listen 127.0.0.1:$narrow sndbuf=16k; "
            . 'location = /sessions { wa_gateway_sessions u; } }',
    server => 'wa_gateway_admin_key admin-secret;
               location = /instances { wa_gateway_control u; }')->start;


sub named {
    my ($name) = @_;
    return [map { { name => "$name-$_", number => 966500000000 + $_, state => 'ready' } }
            1 .. 600];
}


sub control {
    my ($method, $name, $body) = @_;
    return http($ng->port, $method, '/instances' . ($name ? "?name=$name" : ''),
                headers => \@Json, ($body ? (body => encode_json($body)) : ()))->{status};
}


sub add {
    my ($fake) = @_;
    return control('POST', undef, { url => $fake->url, vendor => 'waha', key => 'k' }) == 201;
}


sub total { return sessions($ng, 'limit=0')->{total} }


# Asks, and takes no more of the answer than its first byte.
sub slow {
    my ($query) = @_;
    my $s = IO::Socket::INET->new(Proto => 'tcp');

    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 4096;
    connect $s, Socket::pack_sockaddr_in($narrow, Socket::inet_aton('127.0.0.1'))
        or die "connect: $!\n";
    syswrite $s, "GET /sessions?$query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    sysread $s, my $first, 1 or die "sysread: $!\n";

    return [$s, $first];
}


# The rest of it.
sub rest {
    my ($s, $text) = @{$_[0]};

    while (sysread $s, $text, 16384, length $text) { }

    my (undef, $chunks) = split /\r\n\r\n/, $text, 2;
    my $body = '';

    while ($chunks =~ s/^([0-9a-f]+)\r\n//i && hex $1) {
        $body .= substr $chunks, 0, hex $1, '';
        $chunks =~ s/^\r\n//;
    }

    return eval { decode_json($body) } || { total => "not JSON: $@", sessions => [] };
}


sub who { return join ' ', map { $_->{session} } @{$_[0]{sessions}} }


my $farm = join ' ', map { my $i = $_; sort map { "s$i-$_" } 1 .. 120 } 0 .. 9;
my $olds = join ' ', sort map { "old-$_" } 1 .. 600;

ok(add($old), 'one is added');
ok((poll { total() == 1800 } 120), 'all sessions are known');

my $first = slow('limit=10000');
my $last = slow('limit=10000&offset=1200');

is(control('DELETE', $old->url), 204, 'it is removed while it is told of');
ok((poll { total() == 1200 }), 'and gone');
ok((poll { add($new) }), 'another one has its place');
ok((poll { total() == 1800 } 120), 'and its sessions are known');

my $told = rest($first);
is(who($told), $farm, 'whose turn had not come: it is not told of, nor who has its place');
is("$told->{total} $told->{ready}", '1200 1200', 'nor counted');

$told = rest($last);
is(who($told), $olds, 'whose turn had come: it is told to the end, under its name');
is(join(' ', keys %{{ map { $_->{instance} => 1 } @{$told->{sessions}} }}), $old->url,
   'as what it was');
is("$told->{total} $told->{ready}", '1800 1800', 'and counted');

# one that goes away between two turns
my $gone = slow('limit=10000');
close $gone->[0];
is(total(), 1800, 'whoever asks may leave');

# nobody needs a body
my $head = http($ng->port, 'HEAD', '/sessions?limit=10000');
is("$head->{status} $head->{body}", '200 ', 'HEAD');

$ng->clean;
done_testing;
