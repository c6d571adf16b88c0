#!/usr/bin/perl

# partition.pl: one of two gateways is cut off from the store by a network that
# tells nobody: packets of one way are lost, or of both, or a link is down.  TCP
# would stay half open for a quarter of an hour; each call has its timeout all
# the same, the gateway that is cut off refuses, the other one goes on, and no
# key is sent twice.  Needs root and CAP_NET_ADMIN.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

BEGIN { $ENV{PATH} .= ':/usr/sbin:/sbin' }

use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Partition;
use WaGateway::Send qw(fake answer_of seen told);
use WaGateway::Store qw(shared up key text over begin replayed counts);

WaGateway::Partition::enter();

my $one = fake('evolution');
my $there = WaGateway::Partition->new;
my ($ours, @links) = map { $there->link } 1 .. 3;
my $store = WaGateway::Store->start(address => $ours->address,
                                    inside => [$there->inside],
                                    password => 'geheim');
my ($a, $b) = map { shared($store->by(address => $_->address),
                           fakes => [$one], parameters => 'timeout=400ms') }
              @links;
my $link = $links[0];

my $late = qr/^no (?:answer|connection) in time\z/;
my $gone = qr/$late|^(?:cannot be reached|the connection broke)\z/;


# The gateway that is cut off says so, for this reason.
sub down {
    my ($why) = @_;
    my $s;

    poll { $s = $a->status->{store}; !$s->{up} && $s->{reason} =~ $why };

    return $s->{up} ? 'up' : $s->{reason};
}


sub heal {
    $there->heal;
    return up($store, $a, $b);
}


# Nothing goes over the link.
my @ways = (
    ['both ways' => $late, sub { $link->lose($_) for qw(to from) }],
    ['to the store' => $late, sub { $link->lose('to') }],
    ['from the store' => $late, sub { $link->lose('from') }],
    ['the near end is down' => $gone, sub { $link->down('near') }],
    ['the far end is down' => $gone, sub { $link->down('far') }],
);

for (@ways) {
    my ($name, $why, $break) = @$_;
    my ($before, $refused, $other) = map { key() } 1 .. 3;

    is(told(text($a, $before)), '200 success', "$name: one is sent before");
    is(replayed(over($b, $before)), 'true', 'which both know');
    $break->();

    like(down($why), $why, 'the gateway finds out');
    is(replayed(text($a, $before)), 'true', 'it knows what it sent');
    is(told(text($a, $refused)), '503 store_down no', 'it refuses keys');
    is(told(text($a, undef)), '200 success', 'without one it sends');
    is(told(text($b, $other)), '200 success', 'the other one sends');
    is(replayed(text($b, $before)), 'true', 'and knows what was');
    ok(!$a->status->{store}{up}, 'it is cut off still');
    ok($b->status->{store}{up}, 'and the other is not');

    ok(heal(), 'healed');
    is(told(over($a, $refused)), '200 success', 'what was refused is sent');
    is(replayed(over($b, $refused)), 'true', 'once');
    is(replayed(over($a, $other)), 'true', 'what the other one sent is known');
}

# Each call has its time: what the gateway says is lost from there on.
my @calls = (
    ['a connection' => qr/^no connection in time\z/, '--syn'],
    ['AUTH' => $late, words('AUTH')],
    ['INFO' => $late, words('INFO')],
    ['SELECT' => $late, words('SELECT')],
    ['the meeting' => $late, words('EVAL')],
);

for (@calls) {
    my ($name, $why, @match) = @$_;

    $link->lose('to', '-p', 'tcp', @match);
    $store->ask('CLIENT', 'KILL', 'TYPE', 'normal');

    like(down($why), $why, "$name has its time");
    is(told(text($a, key())), '503 store_down no', 'meanwhile it refuses');
    ok(heal(), 'healed');
}

# A claim that comes to the store, whose answer does not come back.
{
    my ($key, $r, $claimed);

    # it may have found out before
    poll {
        heal();
        $key = key();

        my $marks = $store->keys_of('m');
        $link->lose('from');
        $r = text($a, $key);
        $claimed = $store->keys_of('m') > $marks;
    };

    ok($claimed, 'a claim came to the store');
    is(told($r), '503 store_down no', 'its gateway has no answer, and refuses');
    like(told(text($b, $key)), qr/^(?:409 in_flight|502 unconfirmed) unknown/,
         'the other one does not send it');
    ok(heal(), 'healed');
    ok((poll { told(text($b, $key)) eq '200 success' }),
       'it was given up, and is sent');
    is(replayed(over($a, $key)), 'true', 'once');
}

# The end of a send that is not told.
{
    my $key = key();

    my $n = seen($one);
    $one->set(send => 'hold');
    my $s = begin($a, $key);
    ok((poll { seen($one) > $n }), 'one is in flight');
    $link->lose('to', '-p', 'tcp', words('answered'));
    $one->set(send => '');
    $one->release;
    is(told(answer_of($s)), '200 success', 'its client has the answer');
    like(down($late), $late, 'the end of a send has its time');
    like(told(text($b, $key)), qr/^(?:409 in_flight|502 unconfirmed) unknown/,
         'the other one does not know what came of it');
    ok(heal(), 'healed');
    ok((poll { replayed(text($b, $key)) eq 'true'
               && told(text($b, $key)) eq '200 success' }),
       'it is told then');
}

is_deeply([grep { $_ != 1 } values %{counts($one)}], [],
          'no key was sent twice');
cmp_ok($there->lost, '>', 0, 'packets were lost');

done_testing;


sub words { return (qw(-m string --algo bm --string), $_[0]) }
