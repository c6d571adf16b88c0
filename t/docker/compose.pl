#!/usr/bin/perl

# compose.pl ENGINE: conf/docker/compose.waha.yml as it stands, but for its
# servers, which are pretended: names, networks, ports, volumes.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use WaGateway::Containers qw(engine engine_ok);
use WaGateway::Nginx qw(http poll);

my ($engine) = @ARGV;
WaGateway::Containers::use_engine($engine);

my $project = 'wagtest';
my ($old) = engine('compose', 'version');
my @compose = ($engine eq 'podman' ? 'podman-compose'
               : $old ? 'docker-compose' : ('docker', 'compose'),
               '-p', $project, '-f', 'conf/docker/compose.waha.yml',
               '-f', 't/docker/compose.fakes.yml');
my @Key = ('X-Api-Key: clients', 'Content-Type: application/json');

@ENV{qw(API_KEY INSTANCE_KEY)} = qw(clients waha-key);


sub container {
    my ($service) = @_;
    return engine_ok('ps', '-aq',
                     '--filter', "label=com.docker.compose.project=$project",
                     '--filter', "label=com.docker.compose.service=$service");
}


sub numbers {
    my $r = http(3000, 'GET', '/sessions?state=ready', headers => \@Key);
    my $json = eval { decode_json($r->{body}) } || {};

    return join ' ', sort map { $_->{number} } @{$json->{sessions} || []};
}


sub address {
    my $networks = decode_json(engine_ok('inspect', container($_[0])))
                   ->[0]{NetworkSettings}{Networks};
    return (map { $_->{IPAddress} } values %$networks)[0];
}


END { local $?; engine([ @compose, 'down', '-v' ]) }

my ($status, $text) = engine([ @compose, 'up', '-d' ]);
is($status, 0, 'up') or diag $text;

my $all = join ' ', map { "96650000000$_" } 1 .. 3;
ok((poll { numbers() eq $all }), 'the gateway knows all servers by name')
    or diag numbers(), engine('logs', container('gateway'));

my $r = http(3000, 'POST', '/send-message', headers => \@Key,
             body => '{"chatId":"966511111111","message":"x","from":'
                     . '"966500000002"}');
is($r->{status}, 200, 'a message goes through');
like((engine('logs', container('waha2')))[1], qr/^sent default x$/m,
     'by the one that it names');
($status) = engine('exec', container('gateway'), 'sh', '-c', ': >/usr/x');
isnt($status, 0, 'nothing can be written in the gateway');

# a server that is made anew
my $then = address('waha2');
engine_ok('rm', '-f', container('waha2'));
ok((poll { numbers() eq '966500000001 966500000003' }), 'one goes');
engine_ok('run', '-d', '--name', "$project-hole", '--network',
          (keys %{decode_json(engine_ok('inspect', container('waha1')))
                  ->[0]{NetworkSettings}{Networks}})[0],
          '-e', 'VENDOR=waha', '-e', 'KEY=x', '-e', 'SESSIONS=x=1',
          'wa_gateway_fakes');
END { local $?; engine('rm', '-f', "$project-hole") }
($status, $text) = engine([ @compose, 'up', '-d' ]);
is($status, 0, 'and is made anew') or diag $text;
isnt(address('waha2'), $then, 'at another address');


# its name is looked up each 30 seconds
ok((poll { numbers() eq $all } 180), 'where the gateway finds it')
    or diag engine('logs', container('gateway'));

done_testing();
