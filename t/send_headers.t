#!/usr/bin/perl

# A message goes by the session that the gateway chose, whatever headers the
# client brings: none of them names another one, none is a key.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Sessions qw(gateway differs);
use WaGateway::Vendor;

my %brings = (
    waha => ['X-Api-Key: theirs', 'session: other'],
    evolution => ['apikey: theirs'],
    wwebjs => ['x-api-key: theirs'],
    wppconnect => ['Authorization: Bearer theirs'],
    gowa => ['X-Device-Id: other', 'x-device-id: other',
             'Authorization: Basic dGhlaXJzOng='],
    wuzapi => ['token: t-other', 'Token: t-other', 'Authorization: theirs'],
);

for my $vendor (sort keys %brings) {
    my $fake = WaGateway::Vendor->new($vendor, key => 'u:geheim',
        sessions => [map { { name => $_->[0], number => $_->[1],
                             token => "t-$_->[0]" } }
                     ['main', '966500000001'], ['other', '966500000002']]);

    # with a key of the gateway, and without
    my $ng = gateway(fakes => [$fake], server =>
        'location = /open { wa_gateway_send text; proxy_pass http://u; }'
        . 'location = /kept { wa_gateway_send text; wa_gateway_api_key k;'
        . ' proxy_pass http://u; }')->start;

    is(differs($ng, $fake), undef, "$vendor: both are known");

    for my $path ('/open', '/kept') {
        my $r = $ng->request('POST', $path,
            headers => ['Content-Type: application/json', @{$brings{$vendor}},
                        $path eq '/open' ? ()
                        : $vendor =~ /waha|wwebjs/ ? 'Authorization: Bearer k'
                        : 'X-Api-Key: k'],
            body => '{"chatId":"966501234567","message":"x",'
                    . '"session":"main"}');

        is($r->{status}, 200, "$vendor: $path sends") or diag($r->{body});
    }

    is(join(' ', map { $_->{session} } $fake->sent), 'main main',
       "$vendor: by the session that was meant");
    $ng->stop;
}

done_testing;
