#!/usr/bin/perl

# /status and /health while requests come and instances fail.  Their form:
# status.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Nginx qw(http send_request read_answer poll);

my $Time = qr/^"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/;

my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my @names = map { 'http://' . $_->name } @fakes;


# The form of a value: its keys, and its leaves as they stand in JSON.
sub leaves {
    my ($value, $path, $to) = @_;

    if (ref $value eq 'HASH') {
        leaves($value->{$_}, $path eq '' ? $_ : "$path.$_", $to)
            for keys %$value;
    } elsif (ref $value eq 'ARRAY') {
        leaves($value->[$_], "$path.$_", $to) for 0 .. $#$value;
    } else {
        $to->{$path} = JSON::PP->new->allow_nonref->encode($value);
    }

    return $to;
}


# Every leaf is as the table says, and there is no other.
sub form {
    my ($got, $want, $name) = @_;
    my $leaves = leaves($got, '', {});
    my @wrong;

    for my $path (sort keys %$want) {
        my $value = delete $leaves->{$path};
        push @wrong, "$path is " . (defined $value ? $value : 'missing')
            unless defined $value && $value =~ $want->{$path};
    }

    is(join(', ', @wrong, map { "$_ is new" } sort keys %$leaves), '', $name);
}


for my $workers (0, 2) {
    my $how = $workers ? "$workers workers" : 'one process';

    $_->mode('json') for @fakes;

    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => 'wa_gateway; wa_gateway_passive eject=1h; server '
            . $fakes[0]->name . ' weight=2; server ' . $fakes[1]->name
            . '; server ' . $fakes[2]->name . ';');

    my $r;

    # Counters
    is($ng->status->{gateway}{workers}, $workers || 1, "workers, $how");

    my %sent;
    for my $status (200, 201, 302, 404, 404, 500, 503, 200) {
        $r = $ng->request('POST', "/c?fake=status:$status", body => 'x');
        $sent{$r->{headers}{'x-wa-instance'}}{int($status / 100) . 'xx'}++;
    }

    my $s = $ng->status;
    for my $name (@names) {
        my $q = $s->{instances}{details}{$name}{requests};
        my %want = map { $_ => $sent{$name}{$_} || 0 } qw(1xx 2xx 3xx 4xx 5xx);
        my $total = 0;
        $total += $_ for values %want;

        is_deeply($q, { %want, total => $total, inFlight => 0, failed => 0 },
                  "the counters are true to the request, $how");
    }
    is($s->{loadBalancer}{currentIndex}, 0, 'the round of 4 is at its start');

    # the next one, as said
    my %order;
    for (1 .. 8) {
        my $next = $ng->status->{loadBalancer}{currentIndex};
        my $r = $ng->request('GET', '/next');
        $order{"$next $r->{headers}{'x-wa-instance'}"}++;
    }
    is_deeply(\%order, { "0 $names[0]" => 4, "1 $names[1]" => 2,
                         "2 $names[2]" => 2 },
              "currentIndex is the instance that comes next, $how");

    # In flight
    $_->forget for @fakes;
    my @open = map { send_request($ng->port, 'POST', '/w?fake=held',
                                  body => 'x') } 1 .. 4;
    my $flight = sub {
        my $d = $ng->status->{instances}{details};
        return join ' ', map { $d->{$_}{requests}{inFlight} } @names;
    };
    ok(poll { $flight->() eq '2 1 1' }, "four in flight, $how");
    poll { 4 == map { $_->ledger('/w') } @fakes };
    $_->release for @fakes;
    read_answer($_, 'POST') for @open;
    undef @open;
    ok(poll { $flight->() eq '0 0 0' }, 'and none');

    # Events, and what a failure looks like
    my $since = $ng->instance($fakes[1]->name)->{since};
    $fakes[1]->mode('reset');
    poll { $ng->request('GET', '/e')->{status} == 502 };

    $s = $ng->status;
    my $d = $s->{instances}{details}{$names[1]};

    is_deeply([$s->{instances}{healthy}, $s->{instances}{unhealthy}], [2, 1],
              "one is down, $how");
    ok(!$d->{healthy}, 'it is not healthy');
    is("$d->{state}, $d->{reason}", 'down, reset', 'down, and why');
    is($d->{requests}{failed}, 1, 'one request failed there');
    cmp_ok($d->{since}, 'gt', $since, 'since now');
    is(scalar(@{$s->{events}}), 1, 'one event');

    my $e = $s->{events}[0];
    is_deeply({ %$e, time => 0 }, { time => 0, instance => $names[1],
              from => 'up', to => 'down', reason => 'reset' },
              'the event tells what happened');
    is($e->{time}, $d->{since}, 'and when');

    $r = $ng->request('GET', '/health');
    is("$r->{status} " . decode_json($r->{body})->{instances}{healthy}, '200 2',
       '/health is well while one is up');

    # The same from any worker
    if ($workers) {
        my %said;
        for (1 .. 40) {
            my $s = $ng->status;
            delete @{$s->{gateway}}{qw(uptime timestamp)};
            $said{JSON::PP->new->canonical->encode($s)}++;
        }
        is(scalar(keys %said), 1, 'every worker says the same');
    }

    # All down
    $_->mode('reset') for @fakes;
    poll { $ng->request('GET', '/e')->{status} == 503 };

    $r = $ng->request('GET', '/health');
    is($r->{status}, 503, "/health is 503 when none is up, $how");
    form(decode_json($r->{body}), {
        'status' => qr/^"unhealthy"$/,
        'instances.total' => qr/^3$/,
        'instances.healthy' => qr/^0$/,
        'timestamp' => $Time,
    }, 'unhealthy has the same form');
    is($ng->request('HEAD', '/health')->{status}, 503, 'HEAD says so too');
    is($ng->request('GET', '/status')->{status}, 200,
       '/status is 200 all the same');

    # uptime
    # nginx's clock moves in steps
    my @at = time;
    my $up = $ng->status->{gateway}{uptime};
    push @at, time;
    sleep 0.3;
    push @at, time;
    my $later = $ng->status->{gateway}{uptime} - $up;
    push @at, time;
    ok($later > $at[2] - $at[1] - 0.05 && $later < $at[3] - $at[0] + 0.05,
       'uptime counts seconds') or diag("$later, @at");

    $ng->clean;
}

# The last 50 events
{
    $_->mode('status:500') for @fakes;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => 'wa_gateway; wa_gateway_passive status_fails=1 eject=1ms;'
            . join '', map { "server $_;" } map { $_->name } @fakes);

    ok(poll { $ng->request('GET', '/x');
              scalar($ng->logged('wa_gateway: .* is ')) > 130 }, 'many events');

    my $events = $ng->status->{events};
    is(scalar(@$events), 50, 'the last 50 are shown');
    is(scalar(grep { $events->[$_ - 1]{time} gt $events->[$_]{time} } 1 .. 49),
       0, 'the oldest first');
    $ng->clean;
}

done_testing;
