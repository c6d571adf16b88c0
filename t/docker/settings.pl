#!/usr/bin/perl

# settings.pl ENGINE FILE: the gateway of a compose file is checked in its image,
# where the other services' names are known.

use strict;
use warnings;

use Test::More;
use WaGateway::Containers qw(engine engine_ok);

my ($engine, $file) = @ARGV;
WaGateway::Containers::use_engine($engine);

my $text = engine_ok([ 'python3', 't/docker/compose.py', $file,
                       'conf/docker/.env.example' ]);
my ($hosts) = $text =~ /^HOSTS=(.*)$/m;
my @run = ('run', '--rm', '--network=none',
           (map { "--add-host=$_:127.0.0.1" } split ' ', $hosts),
           map { ('-e', $_) } grep { !/^HOSTS=/ } split /\n/, $text);

my ($status, $said) = engine(@run, 'wa_gateway', '/usr/sbin/wa-gateway',
                             'check');
is($status, 0, 'the settings are good') or diag $said;
($status, $said) = engine(@run, 'wa_gateway', '/usr/sbin/wa-gateway',
                          'render');
like($said, qr/^\s*wa_gateway_sessions /m, 'and make a gateway with sessions');
($status, $said) = engine(@run, '-e', 'HEALTH_CHECK_JSON=status', 'wa_gateway',
                          '/usr/sbin/wa-gateway', 'check');
is($status, 1, 'wrong ones are refused');
like($said, qr/HEALTH_CHECK_JSON/, 'by name');

done_testing();
