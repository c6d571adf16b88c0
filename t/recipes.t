#!/usr/bin/perl

# The recipes for the APIs people run: each tells an instance that is logged
# in from one that answers 200 but is not, and sends the key it wants.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use MIME::Base64 qw(encode_base64);
use Test::More;
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my $basic = encode_base64('user:secret', '');

my @recipes = (
    {
        name => 'WAHA',
        uri => '/api/sessions/default',
        header => ['X-Api-Key', 'k3y'],
        expect => '$.status = WORKING',
        in => '{"name":"default","status":"WORKING","config":{},'
              . '"me":{"id":"1@c.us","pushName":"x"},'
              . '"engine":{"engine":"WEBJS","state":"CONNECTED"}}',
        out => ['{"name":"default","status":"SCAN_QR_CODE","config":{},'
                . '"me":null}',
                'json $.status is "SCAN_QR_CODE"'],
        more => [['{"name":"default","status":"STARTING"}',
                  'json $.status is "STARTING"'],
                 ['{"name":"default","status":"FAILED"}',
                  'json $.status is "FAILED"'],
                 ['{"message":"Session not found","statusCode":404}',
                  'status 404', status => 404]],
    },
    {
        name => 'Evolution API',
        uri => '/instance/connectionState/x',
        header => ['apikey', 'k3y'],
        expect => '$.instance.state = open',
        in => '{"instance":{"instanceName":"x","state":"open"}}',
        out => ['{"instance":{"instanceName":"x","state":"close"}}',
                'json $.instance.state is "close"'],
        more => [['{"instance":{"instanceName":"x","state":"connecting"}}',
                  'json $.instance.state is "connecting"'],
                 ['{"status":404,"error":"Not Found","response":{"message":'
                  . '["The \"x\" instance does not exist"]}}', 'status 404',
                  status => 404]],
    },
    {
        name => 'wwebjs-api',
        uri => '/session/status/s',
        header => ['x-api-key', 'k3y'],
        expect => '$.state = CONNECTED',
        in => '{"success":true,"state":"CONNECTED",'
              . '"message":"session_connected"}',
        out => ['{"success":false,"state":null,'
                . '"message":"session_not_connected"}',
                'json $.state is null'],
        more => [['{"success":false,"state":"OPENING",'
                  . '"message":"session_not_connected"}',
                  'json $.state is "OPENING"'],
                 ['{"success":false,"state":null,'
                  . '"message":"session_not_found"}',
                  'json $.state is null']],
    },
    {
        name => 'wppconnect-server',
        uri => '/api/s/check-connection-session',
        header => ['Authorization', 'Bearer t'],
        expect => '$.status = true',
        in => '{"status":true,"message":"Connected"}',
        out => ['{"status":false,"message":"Disconnected"}',
                'json $.status is false'],
        more => [['{"response":false,"status":"Disconnected",'
                  . '"message":"x"}', 'json $.status is "Disconnected"']],
    },
    {
        name => 'GOWA',
        uri => '/app/status',
        header => ['Authorization', "Basic $basic"],
        expect => '$.results.is_logged_in = true',
        in => '{"status":200,"code":"SUCCESS","message":"x","results":'
              . '{"device_id":"d","is_connected":true,"is_logged_in":true}}',
        out => ['{"status":200,"code":"SUCCESS","message":"x","results":'
                . '{"device_id":"","is_connected":true,"is_logged_in":false}}',
                'json $.results.is_logged_in is false'],
        more => [['{"code":"SUCCESS","results":null}',
                  'json $.results.is_logged_in is missing']],
    },
);

my (%upstreams, %fakes);

for my $i (0 .. $#recipes) {
    my $r = $recipes[$i];
    my ($name, $value) = @{$r->{header}};
    my $check = "wa_gateway_check uri=$r->{uri} interval=300ms timeout=1h;
                 wa_gateway_expect json $r->{expect};";

    $fakes{$_} = WaGateway::Fake->new for "r$i", "keyless$i";
    $_->say($r->{in}, need => "^\Q$name\E: \Q$value\E\\r\$")
        for @fakes{"r$i", "keyless$i"};

    $upstreams{"r$i"} = 'server ' . $fakes{"r$i"}->name . "; $check
        wa_gateway_check_header $name \"$value\";";
    $upstreams{"keyless$i"} = 'server ' . $fakes{"keyless$i"}->name
                              . "; $check";
}

my $ng = several(\%upstreams, workers => 2);

for my $i (0 .. $#recipes) {
    my $r = $recipes[$i];
    my $fake = $fakes{"r$i"};
    my ($name, $value) = @{$r->{header}};
    my @need = (need => "^\Q$name\E: \Q$value\E\\r\$");

    ok((poll { $fake->ledger($r->{uri}) >= 2 }), "$r->{name}: asked");
    is(&state($ng, "/r$i"), 'up', 'logged in: up');

    for ($r->{out}, @{$r->{more}}) {
        my ($body, $reason, %o) = @$_;

        $fake->say($body, @need, %o);
        settles($ng, "/r$i", "down: $reason", "down: $reason");
    }

    $fake->say($r->{in}, @need);
    settles($ng, "/r$i", 'up', 'logged in again: up');

    settles($ng, "/keyless$i", 'down: status 401', 'without the key: 401');
}

is(join("\n", $ng->logged(qr/k3y|secret|Bearer|\Q$basic\E/)), '',
   'no key is logged');
$ng->clean;

done_testing();
