#!/usr/bin/perl

# Errors of connect(): traffic and checks tell the instance's from the local
# ones alike.

use strict;
use warnings;

use Errno qw(:POSIX);
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);
use WaGateway::Shim qw(shim);

my $fake = WaGateway::Fake->new;
my $other = WaGateway::Fake->new;
my $port = $fake->port;


# A gateway where connect() to the fake fails; asked once, and not by checks.
sub asked {
    my ($connect, $server, %o) = @_;

    my $ng = WaGateway::Nginx->start(
        env => shim(connect => $connect, %o),
        upstream => 'wa_gateway; wa_gateway_passive eject=1h;'
                    . "server $server; server " . $other->name . ' backup;');

    my $r = $ng->request('POST', '/m', body => 'x');
    my $d = $ng->instance($server);
    my $instance = $r->{headers}{'x-wa-instance'};
    end($ng);

    return join ' ', $r->{status}, $instance eq "http://$server" ? 'it' : 'other',
                $d->{state} . ($d->{reason} ? ": $d->{reason}" : '');
}


# nginx itself says [crit] to some of these.
sub end {
    my ($ng) = @_;
    $ng->stop;
    is(join("\n", $ng->logged(qr/\[(?:alert|emerg)\]/)), '', 'no alert');
}


# The same, asked by checks.
sub state_of {
    my ($connect, $server, %o) = @_;

    my $ng = WaGateway::Nginx->start(
        env => shim(connect => $connect, %o),
        upstream => 'wa_gateway; wa_gateway_check interval=50ms fails=1;'
                    . "server $server;");

    # by then it was looked at: judged, or told that it could not be
    poll { $ng->logged(qr/could not be checked|is (?:down|up)/)
           || $ng->instance($server)->{checks}{passed} };

    my $got = state($ng, $server);
    end($ng);

    return $got;
}


for my $case (
    [EAGAIN, 'no local port is left'],
    [ENOMEM, 'no memory'],
    [ENOBUFS, 'no buffers'],
    [EADDRNOTAVAIL, 'no local port is left'],
) {
    my ($errno, $name) = @$case;

    is(asked({ "4:$port" => $errno }, $fake->name), '200 other up',
       "traffic: $name ($errno), which is not the instance's fault");
    is(state_of({ "4:$port" => $errno }, $fake->name), 'up',
       "checks: the same");
}

for my $case ([ECONNREFUSED, 'ECONNREFUSED'], [EHOSTUNREACH, 'EHOSTUNREACH'],
              [ENETUNREACH, 'ENETUNREACH'], [ECONNRESET, 'ECONNRESET'],
              [ETIMEDOUT, 'ETIMEDOUT'], [EPERM, 'EPERM'])
{
    my ($errno, $name) = @$case;

    is(asked({ "4:$port" => $errno }, $fake->name),
       "200 other down: connect $name", "traffic: $name is");
    is(state_of({ "4:$port" => $errno }, $fake->name),
       "down: connect $name", 'checks: the same');
}


# A host without IPv6 says EADDRNOTAVAIL to each IPv6 address of a name.
{
    my %names = (names => { 'six.test' => ['::1', '127.0.0.1'] });
    my $server = "six.test:$port";
    my $no_six = { "6:$port" => EADDRNOTAVAIL };

    is(asked($no_six, $server, %names), '200 it up',
       'traffic: a name with an IPv6 address on a host without IPv6');
    is(state_of($no_six, $server, %names), 'up', 'checks: the same');

    $fake->stop;

    is(asked($no_six, $server, %names),
       '200 other down: connect ECONNREFUSED',
       'traffic: which does not hide that the other address refuses');
    is(state_of($no_six, $server, %names), 'down: connect EADDRNOTAVAIL',
       'checks: nor there');
}

done_testing;
