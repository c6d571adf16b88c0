#!/usr/bin/perl

# Checks, failover, marking, status, metrics and reload, once each: what
# memcheck is to look at.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my $gone = WaGateway::Fake->new(stopped => 1);

my $ng = WaGateway::Nginx->start(workers => 2,
    upstream => join('', 'wa_gateway; wa_gateway_check interval=300ms;
                          wa_gateway_expect json $.method = GET;
                          wa_gateway_expect header Content-Type ~ json;
                          keepalive 4;',
                     map { "server " . $_->name . ";" } @fakes, $gone),
    location => 'wa_gateway_envelope on; proxy_http_version 1.1;
                 proxy_set_header Connection "";',
    server => 'location = /metrics { wa_gateway_metrics; }');

my $healthy = sub {
    my $n = shift;
    return poll { $ng->status->{instances}{healthy} == $n } 60;
};

ok($healthy->(3), 'three are up');
is($ng->request('POST', "/a$_", body => 'x')->{status}, 200, 'a message')
    for 1 .. 6;

$fakes[0]->mode('status:503');
$fakes[1]->mode('reset');
ok($healthy->(1), 'two are down');
is($ng->request('POST', "/b$_", body => 'x')->{status}, 200, 'a message')
    for 1 .. 3;

$fakes[$_]->mode('chunked') for 0, 1;
ok($healthy->(3), 'three are up');
is($ng->request('POST', '/c?fake=garbage', body => 'x')->{status}, 502,
   'an answer that is none');

ok($ng->reload, 'a reload');
ok($healthy->(3), 'three are up');
is($ng->request('GET', $_)->{status}, 200, $_)
    for qw(/metrics /status /health);

$ng->stop;
is(scalar($ng->logged('\[(?:alert|crit|emerg)\]')), 0, 'the log is quiet');

done_testing;
