#!/usr/bin/perl

# Instances of a vendor that are added at run time: their sessions are found,
# requests go to them, and each has the key that was given with it, or none.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Nginx qw(http poll slurp);
use WaGateway::Sessions qw(differs gateway);
use WaGateway::Vendor;

my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');
my $Keys = qr/hush-waha|hush-gowa|own-waha|own-gowa|YWRtaW46aHVzaC1nb3dh|dXNlcjpvd24tZ293YQ/;

my %key = (waha => 'hush-waha', gowa => 'admin:hush-gowa');
my %own = (waha => 'own-waha', gowa => 'user:own-gowa');
my %carries = (waha => 'X-Api-Key: own-waha', gowa => 'Authorization: Basic dXNlcjpvd24tZ293YQ==');
my $n = 0;

sub fake {
    my ($vendor, $name, $key) = @_;
    return WaGateway::Vendor->new($vendor, key => $key, sessions => [
        { name => $name, number => '96650000000' . ++$n, state => 'ready' }]);
}

my @base = map { fake($_, "base-$_", $key{$_}) } qw(waha gowa);
my %more = map { $_ => fake($_, "more-$_", $own{$_}) } qw(waha gowa);
my $open = fake('waha', 'open', undef);

my $ng = gateway(
    fakes => \@base, workers => 2, parameters => 'capacity=5 sessions=100',
    upstream => 'wa_gateway_state state/u.json;',
    server => 'wa_gateway_admin_key admin-secret;
               location = /instances { wa_gateway_control u; }
               location = /send-message { wa_gateway_send text; proxy_pass http://u; }')->start;

my $told = '';

sub control {
    my ($method, $name, $body) = @_;
    my $r = http($ng->port, $method, '/instances' . (defined $name ? "?name=$name" : ''),
                 headers => \@Json, (defined $body ? (body => encode_json($body)) : ()));
    $told .= $r->{whole} // $r->{body} // '';
    return $r->{status};
}

sub asked {
    my ($fake) = @_;
    return join "\n", map { "$_->{path}\n$_->{headers}" } $fake->ledger;
}

sub sends {
    my ($session, $want, $name) = @_;
    my $r = $ng->request('POST', '/send-message', headers => ['Content-Type: application/json'],
        body => encode_json({ session => $session, chatId => '966500000099', message => 'x' }));
    my $json = eval { decode_json($r->{body}) } || {};
    is("$r->{status} " . ($json->{instance} // $json->{code} // '-'), $want, $name);
}


is(differs($ng, @base), undef, 'the sessions of the configuration are known');

# Without a key none is given, whatever there is in the configuration.

for my $vendor (qw(waha gowa)) {
    my $fake = $more{$vendor};

    is(control('POST', undef, { url => $fake->url, vendor => $vendor }), 201,
       "$vendor, without a key");
    ok((poll { $fake->count > 1 }), 'it is asked');
    unlike(asked($fake), $Keys, 'with no key at all');
    ok((poll { ($ng->instance($fake->name)->{reason} // '') =~ /^key refused: status 40/ }), 'so it is down');
    sends("more-$vendor", '503 session_down', 'and it has no session');
    is(control('DELETE', $fake->url), 204, 'it is removed');
    ok((poll { !$ng->instance($fake->name) }), 'and gone');
    $fake->forget;
}

is(control('POST', undef, { url => $open->url, vendor => 'waha' }), 201, 'one that wants no key');
is(differs($ng, @base, $open), undef, 'its session is found');
sends('open', '200 ' . $open->url, 'and sends');
unlike(asked($open), $Keys, 'without a key');

# With one of its own.

for my $vendor (qw(waha gowa)) {
    is(control('POST', undef, { url => $more{$vendor}->url, vendor => $vendor, key => $own{$vendor} }),
       201, "$vendor, with a key");
}

my @all = (@base, $open, values %more);

sub all_is_well {
    my ($when) = @_;

    is(differs($ng, @all), undef, "$when all sessions are known");

    for my $vendor (qw(waha gowa)) {
        $more{$vendor}->forget;
        sends("more-$vendor", '200 ' . $more{$vendor}->url, "one of $vendor sends");
        like(asked($more{$vendor}), qr/^\Q$carries{$vendor}\E\r?$/m, 'with its own key');
        unlike(asked($more{$vendor}), qr/hush/, 'and no other');
    }

    sends("base-$_", '200 ' . $base[$_ eq 'gowa']->url, "the first $_ sends") for qw(waha gowa);
    unlike(join('', map { asked($_) } @base), qr/own-|dXNlcj/, 'with no key of another');
}

all_is_well('added:');
ok($ng->reload, 'a reload');
all_is_well('after it');

kill 'KILL', $_ for $ng->worker_pids;
ok((poll { $ng->worker_pids == 2 }), 'workers are killed');
all_is_well('after that');

$ng->stop;
$ng->start;
all_is_well('after a new start');

# The session goes with its instance.

is(control('DELETE', $more{waha}->url), 204, 'one is removed');
is(differs($ng, @base, $open, $more{gowa}), undef, 'its session is forgotten');
sends('more-waha', '404 unknown_session', 'and unknown');

# One of the configuration comes back as it has it, whatever the upstream's own vendor.

my $url = $base[1]->url;
is(control('DELETE', $url), 204, 'one of the configuration is removed');
is(differs($ng, $base[0], $open, $more{gowa}), undef, 'its session is forgotten, too');
is(control('POST', undef, { url => $url, vendor => 'gowa', key => 'user:own-gowa' }), 400,
   'it is not added again with another key');
is(control('POST', undef, { url => $url, vendor => 'waha' }), 400, 'nor with another vendor');
is(control('POST', undef, { url => $url }), 201, 'but by its URL');
is(differs($ng, @base, $open, $more{gowa}), undef, 'its session is known again');
sends('base-gowa', "200 $url", 'and sends');

# Keys are in the state file, and nowhere that is shown.

control('GET');
$told .= http($ng->port, 'GET', $_)->{body} for qw(/status /sessions /metrics);
unlike($told . $ng->log, $Keys, 'no key is told or logged');
like(slurp("$ng->{dir}/state/u.json"), qr/user:own-gowa/, 'the state file has that of one that is there');
unlike(slurp("$ng->{dir}/state/u.json"), qr/own-waha|hush/, 'and no other');

$ng->stop;
is(join("\n", $ng->alarms), '', 'the log tells of these deaths only');

done_testing();
