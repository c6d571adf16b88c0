#!/usr/bin/perl

# wa_gateway_store while gateways and the store are killed, frozen, slow and
# started again with all that it acknowledged: no key is sent twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake post answer_of seen told);
use WaGateway::Store qw(shared up key text over begin replayed counts);

my $one = fake('evolution');
my $store = WaGateway::Store->start(password => 'geheim/1');
my @parameters = (fakes => [$one], parameters => 'timeout=400ms');


# Kills a whole gateway, as a machine does that loses its power.
sub kill_gateway {
    my ($ng) = @_;
    my @pids = ($ng->{pid}, $ng->worker_pids);

    kill 'STOP', $ng->{pid};
    kill 'KILL', @pids;
    waitpid $ng->{pid}, 0;
    delete $ng->{pid};
}


my ($early, $flight, $late) = map { key() } 1 .. 3;

# A gateway is killed while an instance has its send.
{
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;

    is(told(text($a, $early)), '200 success', 'one is answered');

    $one->misbehave('send', 'slow:3600');
    my $s = begin($a, $flight);
    ok((poll { seen($one) == 2 }), 'one is in flight');
    is(told(text($b, $flight)), '409 in_flight unknown', 'the other knows');

    kill_gateway($a);
    $one->misbehave('send', '');

    my $r = over($b, $flight);
    is(told($r), '502 unconfirmed unknown',
       'when its gateway is dead, nobody knows what came of it');
    is(replayed($r), 'true', 'and it is not sent again');
    is(replayed(text($b, $early)), 'true', 'what was answered is known');
    is_deeply(counts($one), { $early => 1, $flight => 1 },
              'each was sent once');
    $b->clean('nothing is logged that should not be');
}

# The store is killed, and comes back with all that it had.
{
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;

    is(told(text($a, $late)), '200 success', 'one is answered');

    $store->kill;
    ok((poll { !$_->status->{store}{up} }), 'it is down') for $a, $b;

    my $begin = time;
    my $key = key();
    my $r = text($a, $key);
    is(told($r), '503 store_down no', 'sends with a key are refused');
    ok(defined $r->{headers}{'retry-after'}, 'for a while');
    is(told(text($_, $early)), '503 store_down no', 'known or not') for $a, $b;
    is(told(text($a, undef)), '200 success', 'those without a key are sent');
    is(told(text($b, undef)), '200 success', 'by both');

    my $s = $a->status->{store};
    like($s->{reason}, qr/connection/, 'why');
    is($s->{workers}, 0, 'no worker asks it');
    cmp_ok($s->{refused}, '>=', 2, 'how many were refused');

    $store->start_again;
    is(told(text($a, $key)), '503 store_down no',
       'all gateways have time to look at it first');
    up($store, $a, $b);

    is(replayed(text($_, $late)), 'true', 'what was answered is known')
        for $a, $b;
    is(told(over($b, $flight)), '502 unconfirmed unknown', 'or not');
    is(told(text($b, $key)), '200 success', 'what was refused is sent');
    is(replayed(over($a, $key)), 'true', 'once');

    for my $ng ($a, $b) {
        my @told = $ng->log =~ /(store "\S+" is \w+)/g;
        is_deeply(\@told, [map { "store \"" . $store->name . "\" is $_" }
                           qw(up down up)], 'it is told once');
        $ng->clean('nothing is logged that should not be');
    }
}

# It is frozen, and slow.
{
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;
    my ($key, $other) = map { key() } 1, 2;

    $store->ask('SET', 'x', 1);
    $store->freeze;
    my $begin = time;
    my $r = text($a, $key);
    is(told($r), '503 store_down no', 'frozen: a send is refused');
    cmp_ok(time - $begin, '<', 30, 'in its time');
    is(told(text($a, undef)), '200 success', 'without a key it is sent');
    ok((poll { !$_->status->{store}{up} }), 'it is down') for $a, $b;
    is($a->status->{store}{reason} =~ /in time$/ ? 1 : 0, 1, 'why')
        or diag explain $a->status->{store};
    $store->thaw;
    up($store, $a, $b);

    # the claim came to the store after all, and was given up
    is(told(over($b, $key)), '200 success', 'thawed: it is sent');
    is(replayed(over($a, $key)), 'true', 'once');

    is_deeply(counts($one), { $key => 1 }, 'no key was sent twice');

    my ($slow) = shared($store, fakes => [$one],
                        parameters => 'timeout=20s');
    my $s = begin($slow, $other);
    $store->ask('DEBUG', 'SLEEP', '0.5');
    is(told(answer_of($s)), '200 success', 'slow: it waits');
    is(told(over($slow, $other)), '200 success', 'and is known');

    is_deeply(counts($one), { $other => 1 }, 'it was sent once');
}

# Reloads and killed workers.
{
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;
    my ($reloaded, $killed) = map { key() } 1, 2;

    $one->forget;
    $one->set(send => 'hold');
    my $s = begin($a, $reloaded);
    ok((poll { seen($one) == 1 }), 'one is in flight');
    my %old = map { $_ => 1 } $a->worker_pids;
    kill 'HUP', $a->{pid};
    ok((poll { 2 == grep { !$old{$_} } $a->worker_pids }),
       'its gateway is reloaded');
    is(told(text($b, $reloaded)), '409 in_flight unknown', 'it still is');
    $one->set(send => '');
    $one->release;
    is(told(answer_of($s)), '200 success', 'its client gets the answer');
    is(replayed(over($b, $reloaded)), 'true', 'which the other one has, too');
    up($store, $a);

    $one->misbehave('send', 'slow:3600');
    $s = begin($a, $killed);
    ok((poll { seen($one) == 2 }), 'one is in flight');
    kill 'KILL', $a->worker_pids;
    $one->misbehave('send', '');

    poll { my $r = eval { text($a, $killed) }; $r && $r->{status} == 502 };
    is(told(text($a, $killed)), '502 unconfirmed unknown',
       'its worker was killed: its gateway does not know');
    is(told(over($b, $killed)), '502 unconfirmed unknown',
       'nor does the other');
    is_deeply(counts($one), { $reloaded => 1, $killed => 1 },
              'each was sent once');
    unlike($a->log, qr/open socket|\[alert\](?!.*signal 9)/,
           'nothing is logged that should not be');
}

done_testing;
