#!/usr/bin/perl

# wa_gateway_store when the store lost what it had acknowledged: nothing is
# sent until somebody says so; and on_error=local, stores that cannot be used.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake post answer_of seen told);
use WaGateway::Store qw(shared up key text over begin replayed counts);

my $one = fake('evolution');
my @parameters = (fakes => [$one], parameters => 'timeout=400ms');


# Once it says so.
sub reason {
    my ($ng, $want) = @_;
    my $s;

    poll { $s = $ng->status->{store}; !$s->{up} && $s->{reason} =~ $want };
    return $s->{reason};
}


# It comes back without anything.
{
    my $store = WaGateway::Store->start;
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;
    my ($before, $key) = map { key() } 1, 2;

    is(told(text($a, $before)), '200 success', 'one is sent');
    $store->kill->empty->start_again;

    my $lost = qr/^came back without what it had acknowledged$/;
    like(reason($_, $lost), $lost, 'empty: it is down') for $a, $b;
    is(replayed(text($a, $before)), 'true', 'who sent it knows that still');
    is(told(text($b, $before)), '503 store_down no',
       'what was sent before is not sent again');
    is(told(text($_, $key)), '503 store_down no', 'nor is another')
        for $a, $b;

    is_deeply(counts($one), { $before => 1 }, 'it was sent once');

    # a gateway that is new here does not know what there was
    my $c = shared($store, @parameters, waits => 0);
    like(reason($c, $lost), $lost, 'one that comes later is told');
    is(told(text($c, $before)), '503 store_down no', 'and sends nothing');

    my @told = map { scalar(() = $_->log =~ /it had acknowledged: keys/g) }
               $a, $b;
    is_deeply(\@told, [1, 1], 'it is told once');
    like($a->log, qr/used again after 86400s, or after "HDEL wa_gateway:/,
         'and what to do');

    is($store->ask('HDEL', 'wa_gateway:store', 'lost'), 1, 'somebody does so');
    up($store, $a, $b, $c);
    is(told(text($c, $key)), '200 success', 'then it is used again');
    is(replayed(over($_, $key)), 'true', 'by all') for $a, $b;
    is_deeply(counts($one), { $key => 1 }, 'which was sent once');

    $_->clean('nothing is logged that should not be') for $a, $b, $c;
}

# It comes back with what it had some time ago.
{
    my $store = WaGateway::Store->start;
    my ($a, $b) = map { shared($store, @parameters) } 1, 2;
    my ($early, $late) = map { key() } 1, 2;

    is(told(text($a, $early)), '200 success', 'one is sent');
    over($b, $early);

    my $copy = "$store->{dir}/copy";
    make_path($copy);
    copy($_, $copy) or die "$_: $!\n" for glob "$store->{dir}/append*/*";

    is(told(text($a, $late)), '200 success', 'another one, after a copy');
    over($b, $late);

    $store->kill;
    copy($_, (glob "$store->{dir}/append*")[0]) or die "$_: $!\n"
        for glob "$copy/*";
    $store->start_again;

    like(reason($_, qr/without/), qr/^came back without/,
         'a claim is missing: it is down') for $a, $b;
    is(told(text($_, $late)), '503 store_down no', 'it is not sent again')
        for $b;
    is(counts($one)->{$late}, 1, 'each was sent once');

    # none of them lives that knows: the copy is taken for all there is
    $_->clean('nothing is logged that should not be') for $a, $b;
}

# Alone.
{
    my $store = WaGateway::Store->start;
    my @local = (fakes => [$one], parameters => 'timeout=400ms on_error=local',
                 pace => 'number=20/h burst=2');
    my ($a, $b) = map { shared($store, @local) } 1, 2;
    my ($before, $alone) = map { key() } 1, 2;

    is(told(text($a, $before)), '200 success', 'local: one is sent');
    $store->kill;
    ok((poll { !$_->status->{store}{up} }), 'it is down') for $a, $b;
    like($a->log, qr/is down: \N+, this gateway goes on alone/, 'it is told');

    is(told(text($a, $alone)), '200 success', 'one is sent alone');
    is(replayed(text($a, $alone)), 'true', 'once by this gateway');
    is(told(text($a, undef)), '200 success', 'also without a key');
    is(told(text($a, undef)), '429 paced no',
       'and its own budgets are in force');
    is(told(text($b, $alone)), '200 success',
       'the other one does not know, and sends it');
    is($a->status->{store}{alone}, 1, 'how many keys were');

    $store->start_again;
    up($store, $a, $b);
    is(told(text($b, undef)), '200 success', 'together again');
    is(told(text($a, undef)), '429 paced no', 'budgets are shared');

    $_->clean('nothing is logged that should not be') for $a, $b;
}

# Stores that cannot be used say why.
{
    my $cluster = 'it is a Cluster, which is not supported';
    my $sentinel = 'it is a Sentinel, the store itself is needed';
    my @refused = (
        [$cluster, args => ['--cluster-enabled', 'yes']],
        [$cluster, args => ['--cluster-enabled', 'yes'], database => 3],
        [$sentinel, sentinel => 1],
        [$sentinel, sentinel => 1, database => 3, password => 'geheim'],
        ['it is a replica, the primary is needed',
         args => ['--replicaof', '127.0.0.1', '1']],
        ['its maxmemory-policy makes it forget keys, it has to be noeviction',
         args => ['--maxmemory', '100mb', '--maxmemory-policy',
                  'allkeys-lru']],
        ['refused the database: ERR DB index is out of range',
         database => 99],
    );

    for (@refused) {
        my ($why, %o) = @$_;
        my $store = WaGateway::Store->start(%o);
        my $ng = shared($store, @parameters, waits => 0);

        is(reason($ng, qr/^(?:it|refused)/), $why, $why);
        like($ng->log, qr/store "\S+" is down: \Q$why, sends/, 'in the log');
        is(told(text($ng, key())), '503 store_down no', 'nothing is sent');
        $store->kill;
    }

    my $store = WaGateway::Store->start(password => 'geheim');
    my $wrong = $store->by(password => 'falsch');
    my $ng = shared($wrong, @parameters, waits => 0);
    like(reason($ng, qr/login/), qr/^refused the login: WRONGPASS/,
         'a wrong password');
    unlike($ng->log . $ng->status->{store}{reason}, qr/falsch|geheim/,
           'passwords are not told');

    my $third = WaGateway::Store->start(database => 3);
    is(told(text(shared($third, @parameters), key())), '200 success',
       'another database');
    is_deeply([$third->ask('INFO', 'keyspace') =~ /^(db\d+):/mg], ['db3'],
              'nothing is in the others');

    # no room: not one key is forgotten for another
    $ng = shared($store, @parameters);
    my $key = key();
    $store->ask('CONFIG', 'SET', 'maxmemory', 1);
    like(told(text($ng, $key)), qr/^503 store_(?:full|down) no$/,
         'a store without room');
    is(told(text($ng, undef)), '200 success', 'no key, no room needed');
    $store->ask('CONFIG', 'SET', 'maxmemory', 0);
    up($store, $ng);
    is(told(over($ng, $key)), '200 success', 'it has room again');
    $ng->clean('nothing is logged that should not be');
}

done_testing;
