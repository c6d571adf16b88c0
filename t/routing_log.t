#!/usr/bin/perl

# What the error log tells of a native request whose instance breaks: no query
# and no path that may hold a key or the token of a session.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Sessions qw(gateway differs);
use WaGateway::Vendor;

my %request = (
    waha => ['/api/contacts/all?session=main&x-api-key=geheim-2',
             qr{GET /api/contacts/all"}],
    gowa => ['/ws?device_id=main&authorization=geheim-2', qr{GET /ws"}],
    wuzapi => ['/group/list?token=t-main-geheim', qr{GET /group/list"}],
    wppconnect => ['/api/main:geheim-2/all-chats', qr{GET"}],
);

for my $vendor (sort keys %request) {
    my ($target, $like) = @{$request{$vendor}};
    my $fake = WaGateway::Vendor->new($vendor, key => 'admin:geheim-1',
        sessions => [{ name => 'main', number => '966500000001',
                       token => 't-main-geheim' }]);
    my $ng = gateway(fakes => [$fake])->start;

    is(differs($ng, $fake), undef, "$vendor: the session is known");

    $fake->misbehave('other', 'reset');
    is($ng->request('GET', $target)->{status}, 502, "$vendor: it broke");
    $ng->stop;

    my @told = grep { /\[error\]/ } split /\n/, $ng->log;

    is(scalar @told, 1, "$vendor: one error is logged");
    like($told[0], qr/, request: "$like, upstream: "http:.*, host: "/,
         "$vendor: with what was asked, and of whom");
    unlike($ng->log, qr/geheim/, "$vendor: and no secret");
}

done_testing();
