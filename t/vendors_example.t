#!/usr/bin/perl

# The vendor that the reference makes up, in front of a server that answers as
# it is told there: what the page promises is so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Docs;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my %section = sections(page("$FindBin::Bin/../docs/directives.md"));
my @blocks = blocks($section{wa_gateway_vendor});
my ($list, $state) = map { $_->[1] } grep { $_->[0] eq 'json' } @blocks;
my ($conf) = map { $_->[1] } grep { $_->[1] =~ /^wa_gateway_vendor acme/ }
             @blocks;

is(scalar @{JSON::PP::decode_json($list)->{accounts}}, 2, 'a list of two');

my %answer = ('/v1/accounts' => $list,
              '/v1/accounts/main/state' => $state,
              '/v1/accounts/sales/state' => '{"connection":"offline",'
                                            . '"session":{"paired":false}}');


sub serve {
    my ($socket) = @_;

    while (1) {
        my $head = '';
        while ($head !~ /\r\n\r\n/) {
            sysread $socket, $head, 4096, length $head or return;
        }

        my ($path) = $head =~ m{^GET (\S+) };
        my $body = defined $path ? $answer{$path} : undef;
        my $status = $head !~ /^X-Token: secret\r$/mi ? '401 Unauthorized'
                   : defined $body ? '200 OK' : '404 Not Found';
        $body = '{}' if $status !~ /^200/;

        print $socket "HTTP/1.1 $status\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
        $socket->flush;
    }
}


# The page's configuration, at other ports.
sub gateway {
    my ($conf, $fake) = @_;
    my $ng = WaGateway::Nginx->new;
    my ($instance, $port) = ($fake->port, $ng->port);

    $conf =~ s/:3001/:$instance/ or die "no instance\n";
    $conf =~ s/:3000/:$port/ or die "no port\n";
    $ng->{conf} = "http { access_log off; $conf }\n";

    return $ng->start;
}


sub answer {
    my ($ng, $path) = @_;
    return JSON::PP::decode_json($ng->request('GET', $path)->{body});
}


my $fake = WaGateway::Fake->new(handler => \&serve);

{
    my $ng = gateway($conf, $fake);

    ok((poll { answer($ng, '/sessions')->{total} == 2 }), 'both are known');

    my ($main, $sales) = @{answer($ng, '/sessions')->{sessions}};

    is("$main->{session} $main->{number}", 'main 966500000001',
       'one has its number');
    is("$main->{vendor} $main->{state} $main->{vendorState}",
       'acme ready online,true', 'and is ready');
    is("$sales->{session} $sales->{state} $sales->{vendorState}",
       'sales login offline,false', 'the other wants a login');
    is($sales->{number}, undef, 'and has none');

    $ng->stop;
}

{
    my $ng = gateway($conf =~ s/key=secret/key=another/r, $fake);

    ok((poll { my ($i) = values %{answer($ng, '/status')->{instances}{details}};
               ($i->{reason} || '') eq 'key refused: status 401' }),
       'a wrong key is told');
    is(answer($ng, '/sessions')->{total}, 0, 'and nobody is known');

    $ng->stop;
}

done_testing;
