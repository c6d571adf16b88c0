#!/usr/bin/perl

# What the error log tells of a native request whose instance breaks: no query
# and no path that may hold a key or the token of a session.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(slurp);
use WaGateway::Sessions qw(gateway differs);
use WaGateway::Vendor;

my %request = (
    waha => ['/api/contacts/all?session=main&x-api-key=geheim-2',
             qr{GET /api/contacts/all"}],
    gowa => ['/ws?device_id=main&authorization=geheim-2', qr{GET /ws"}],
    wuzapi => ['/group/list?token=t-main-geheim', qr{GET /group/list"}],
    wppconnect => ['/api/main:geheim-2/all-chats', qr{GET"}],
    quepasa => ['/v3/bot/t-main-geheim/receive', qr{GET"}],
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

# The access log, also of what was refused before it was judged.
{
    my $fake = WaGateway::Vendor->new('wppconnect', key => 'geheim-1',
        sessions => [{ name => 'main', number => '966500000001' }]);
    my $ng = gateway(fakes => [$fake],
        http => q{log_format path '$request_method $wa_gateway_path $status';},
        server => 'access_log path.log path;'
                  . 'location /kept/ { wa_gateway_api_key k;'
                  . ' proxy_pass http://u/; }')->start;

    is(differs($ng, $fake), undef, 'wppconnect: the session is known');

    my @paths = (
        ['/api/main/all-chats?x=geheim', '/api/main/all-chats'],
        ['/api/main:geheim-2/all-chats', '/api/main*********/all-chats'],
        ['/api/main%3Ageheim-2/all-chats', '/api/main***********/all-chats'],
        ['/api/geheim-1/show-all-sessions', '/api/********/show-all-sessions'],
        ['/api/main/geheim-1/generate-token',
         '/api/main/********/generate-token'],
        ['/api/geheim-1/what-is-this', '/api/********/what-is-this'],
        ['//api/geheim-1/x', '*' x 16],
        ['/kept/x', '/kept/x'],
    );

    $ng->request('GET', $_->[0]) for @paths;
    $ng->stop;

    my @lines = split /\n/, slurp("$ng->{dir}/path.log");
    my @got = map { (split / /)[1] } @lines;

    is(join("\n", @got[-@paths .. -1]), join("\n", map { $_->[1] } @paths),
       'paths show no key and no token');

    # a session's name that is a secret
    $fake = WaGateway::Vendor->new('quepasa', key => 'geheim-1',
        sessions => [{ name => 'main', number => '966500000001' }]);
    $ng = gateway(fakes => [$fake],
        http => q{log_format path '$request_method $wa_gateway_path $status';},
        server => 'access_log path.log path;')->start;

    $ng->request('GET', "/v3/bot/t-$_-geheim/receive") for 'a', 'b';
    $ng->stop;

    is(join(' ', map { (split / /)[1] } slurp("$ng->{dir}/path.log")
                                        =~ /^(GET .v3.*)/mg),
       join(' ', ('/v3/bot/**********/receive') x 2),
       'nor what names a session in secret');
}

done_testing();
