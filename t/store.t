#!/usr/bin/perl

# wa_gateway_store: two gateways with one store know of each other's sends, and
# spend of the same budgets.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min sum);
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Cheap;
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake answer_of seen told);
use WaGateway::Sessions qw(known);
use WaGateway::Store qw(shared up key text over begin replayed counts);

my $store = WaGateway::Store->start;
my $one = fake('evolution', sessions => [
    { name => 'main', number => '966500000001' }]);
my @slow = (parameters => 'timeout=5s');


# Two gateways, with other budgets than those before: each has a zone of them.
my $Pairs = 0;

sub pair {
    my (%o) = @_;
    my $pace = delete $o{pace};

    $pace .= ' zone=pace' . ++$Pairs if $pace;
    $one->forget;

    return map { shared($store, fakes => [$one], @slow,
                        $pace ? (pace => $pace) : (), %o) } 1, 2;
}


sub header {
    my ($r, $name) = @_;
    return defined $r->{headers}{lc $name} ? $r->{headers}{lc $name} : '-';
}


# How many were told so.
sub tally {
    my %told;
    $told{told($_)}++ for @_;
    return \%told;
}


{
    my ($a, $b) = pair();
    my $key = key();

    my $first = text($a, $key);
    is(told($first), '200 success', 'one is sent');
    is(replayed($first), '-', 'it is no repeat');

    my $r = over($b, $key);
    is("$r->{status} $r->{body}", "$first->{status} $first->{body}",
       'the other gateway gives the same answer');
    is(replayed($r), 'true', 'and says that it is one of before');

    is(told(text($b, $key, message => 'other')), '422 key_reused no',
       'another message with that key is refused');
    is(told(text($b, key())), '200 success', 'another key is sent');
    is_deeply([values %{counts($one)}], [1, 1],
              'each was sent once');

    # at the same time
    $key = key();
    $one->misbehave('send', 'slow:1');
    my @socks = map { begin($_ % 2 ? $a : $b, $key) } 1 .. 40;
    my $told = tally(map { answer_of($_) } @socks);
    $one->misbehave('send', '');

    is(counts($one)->{$key}, 1, '40 at once at both: one was sent');
    is_deeply([sort keys %$told], ['200 success', '409 in_flight unknown'],
              'the others are told to wait') or diag explain $told;
    is(replayed(over($_, $key)), 'true', 'then they get its answer')
        for $a, $b;

    # proven unsent
    $key = key();
    $one->set(send => 'not_on_whatsapp');
    is(told(text($a, $key)), '422 rejected no', 'one is refused');
    $one->set(send => '');
    is(told(over($b, $key)), '200 success', 'it can be sent by the other');
    is(replayed(over($a, $key)), 'true', 'whose answer the first one has');

    # unknown
    $key = key();
    $one->misbehave('send', 'after:close');
    $r = text($a, $key);
    is(told($r), '502 bad_gateway unknown', 'one breaks');
    $one->misbehave('send', '');
    $r = over($b, $key);
    is($r->{status}, 502, 'the other gateway says so, too');
    is($r->{json}{sent}, 'unknown', 'that it may have been sent');
    is(counts($one)->{$key}, 1, 'and does not send it');

    # a store that forgot the scripts
    is($store->ask('SCRIPT', 'FLUSH'), 'OK', 'the store forgets all scripts');
    $key = key();
    is(told(text($a, $key)), '200 success', 'and one is sent');
    is(replayed(over($b, $key)), 'true', 'and known');

    # what a send costs
    $store->ask('CONFIG', 'SET', 'slowlog-log-slower-than', 0);
    $store->ask('SLOWLOG', 'RESET');
    text($a, key()) for 1 .. 10;
    my @ours;
    poll {
        # the answer may come before the end of the send is told
        my @calls = map { $_->[3] } @{$store->ask('SLOWLOG', 'GET', 128)};
        @ours = grep { $_->[0] =~ /^EVAL/i && "@$_" =~ /:m:/ } @calls;
        @ours >= 20;
    };
    $store->ask('CONFIG', 'SET', 'slowlog-log-slower-than', 1_000_000);
    is(scalar @ours, 20, 'a send costs two calls');

    my $s = $a->status->{store};
    is("$s->{store} $s->{up} $s->{onError} $s->{workers}",
       $store->name . ' 1 refuse 2', '/status tells of the store');
    cmp_ok($s->{calls}, '>', 10, 'how often it was asked');
    is("$s->{failed} $s->{refused} $s->{alone} $s->{dropped}", '0 0 0 0',
       'what went wrong');
    like($s->{latency}{p99}, qr/^\d+\z/, 'how long it takes');
    like($a->request('GET', '/metrics')->{body},
         qr/^wa_gateway_store_up\{upstream="u"\} 1$/m, '/metrics too');

    $_->clean('nothing is logged that should not be') for $a, $b;
}

# What a repeat is told does not depend on what its session is by now, with a
# gateway that never saw it either.
{
    my ($a, $b) = pair();
    my ($sent, $unknown, $new) = (key(), key(), key());

    is(told(text($a, $sent)), '200 success', 'one is sent');
    $one->misbehave('send', 'after:close');
    is(told(text($a, $unknown)), '502 bad_gateway unknown', 'another one, too');
    $one->misbehave('send', '');

    $one->session('main', state => 'login');
    is(known($_, 'main', state => 'login')->{state}, 'login',
       'its session is logged out') for $a, $b;

    my $r = over($b, $sent);
    is(told($r), '200 success', 'the other gateway knows that it was sent');
    is(replayed($r), 'true', 'by the first one');
    is(told(over($b, $unknown)), '502 bad_gateway unknown',
       'or that nobody knows');
    is(told(text($b, $new)), '503 no_session no', 'or that it never was');
    is(told(text($b, $sent, session => 'main')), '422 key_reused no',
       'and whether it is another one');

    $one->remove('main');
    my $named = key();
    ok((poll { told(text($b, $named, session => 'main'))
               eq '404 unknown_session no' }), 'the session is gone');
    is(told(text($b, $sent)), '200 success', 'that changes nothing');

    my $keys = counts($one);
    is(join(' ', map { $keys->{$_} || 0 } $sent, $unknown, $new), '1 1 0',
       'each was sent once, or not at all');

    $one->session('main', number => '966500000001', state => 'ready');
    is(known($_, 'main', state => 'ready')->{state}, 'ready', 'it is back')
        for $a, $b;
    is(told(text($b, $new)), '200 success', 'what was refused may be sent');

    $store->freeze;
    $one->session('main', state => 'login');
    is(known($b, 'main', state => 'login')->{state}, 'login', 'down again');

    # clients that leave while it is asked
    close $_ for map { begin($b, key()) } 1 .. 4;
    ok((poll { (() = $b->access =~ / 499 /g) == 4 }), 'clients leave');
    is(told(text($b, $sent)), '503 store_down no',
       'a store that is away tells nothing');
    $store->thaw;
    $one->session('main', number => '966500000001', state => 'ready');

    $_->clean('nothing is logged that should not be') for $a, $b;
}

# A budget of both: as many as it has, and no more.
{
    my ($a, $b) = pair(pace => 'number=20/h burst=20');

    my @socks = map { begin($_ % 2 ? $a : $b, key()) } 1 .. 30;
    my @answers = map { answer_of($_) } @socks;
    is_deeply(tally(@answers), { '200 success' => 20, '429 paced no' => 10 },
              '30 at once at both, of a budget of 20');
    is(seen($one), 20, 'as many were sent');

    my ($refused) = grep { $_->{status} == 429 } @answers;
    cmp_ok(header($refused, 'Retry-After'), '>', 60,
           'the others are told when');
    like(header($refused, 'RateLimit'), qr/^"number";r=0;t=\d+/,
         'and that nothing is left');

    # one that was refused has no claim
    my $key = key();
    is(told(text($a, $key)), '429 paced no', 'one is refused');
    is(scalar(grep { /^\Q$key\E/ } $store->keys_of('m')), 0, 'unclaimed');

    # without a key
    is(told(text($b, undef)), '429 paced no', 'and without a key');
}

# What was not sent is given back, a day is counted, recipients have their own.
{
    my ($a, $b) = pair(pace => 'number=3/h burst=3 recipient=2/h day=4',
                       check => 'interval=1h timeout=10s');

    $one->stop;
    is(told(text($_, key())), '502 bad_gateway no', 'no connection')
        for $a, $b, $a, $b;
    $one->start;

    my $r = text($a, key(), chatId => '966511111112');
    is(told($r), '200 success', 'the budget is still there');
    like(header($r, 'RateLimit'),
         qr/^"number";r=2;t=\d+, "recipient";r=2;t=\d+, "day";r=3;t=\d+$/,
         'less what was sent');
    like(header(text($b, key(), chatId => '966511111112'), 'RateLimit'),
         qr/^"number";r=1;t=\d+, "recipient";r=1;t=\d+, "day";r=2;t=\d+$/,
         'at both');

    $r = text($a, key());
    is(told($r), '200 success', 'to another');
    like(header($r, 'RateLimit'),
         qr/^"number";r=0;t=\d+, "recipient";r=2;t=\d+, "day";r=1;t=\d+$/,
         'which has a budget of its own');
    is(told(text($b, key())), '429 paced no', 'and the number has none');
}

# Who waits does so in the order of both, and none is early.
{
    my ($a, $b) = pair(pace => 'number=10/s wait=20s');

    my $begin = time;
    my @socks = map { begin($_ % 2 ? $a : $b, $_ % 3 ? key() : undef) }
                1 .. 20;
    is_deeply(tally(map { answer_of($_) } @socks), { '200 success' => 20 },
              '20 of 10/s');
    cmp_ok(time - $begin, '>=', 1.9, 'not before their time');
    is(seen($one), 20, 'all were sent');
    is($a->status->{store}{failed} + $b->status->{store}{failed}, 0,
       'no call failed');

    # a client that leaves gives its time back, and its key
    my $key = key();
    my ($s, $after) = (begin($a, key()), begin($a, $key));
    close $_ for $s, $after;
    ok((poll { told(text($b, $key)) eq '200 success' }),
       'a key whose client left while it waited can be sent');

    $_->clean('nothing is logged that should not be') for $a, $b;
}

# Of several numbers the next one that has budget.
{
    my $cheap = WaGateway::Cheap->new(1);
    $cheap->sessions(0, map { ("s$_" => 966500000000 + $_) } 1 .. 4);

    my @ngs = map { WaGateway::Nginx->start(workers => 2,
        http => $cheap->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100;\n" . $cheap->upstream
            . "wa_gateway_check interval=100ms;\n"
            . "wa_gateway_pace number=2/h burst=2;\n"
            . 'wa_gateway_store ' . $store->url . " timeout=5s;\n",
        server => <<'END') } 1, 2;
location = /sessions { wa_gateway_sessions u; }
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
END
    up($store, @ngs);
    poll { WaGateway::Sessions::sessions($_)->{ready} == 4 } for @ngs;

    my @answers = map { text($ngs[$_ % 2], undef) } 1 .. 9;
    my %of;
    $of{$_->{json}{number} || $_->{json}{code}}++ for @answers;
    is_deeply(\%of, { (map { (966500000000 + $_ => 2) } 1 .. 4), paced => 1 },
              'each number has its budget used up') or diag explain \%of;
}

done_testing;
