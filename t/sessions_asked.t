#!/usr/bin/perl

# Lists that are asked for out of turn: when a name is not known, when an
# instance says that it has not got a session, when one was made.  Where new
# sessions go.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions known differs);
use WaGateway::Vendor;


sub fakes {
    my ($vendor, @sessions) = @_;

    return map {
        WaGateway::Vendor->new($vendor, key => 'geheim', sessions => $_)
    } @sessions;
}


sub post {
    my ($ng, $path, $body) = @_;

    return $ng->request('POST', $path, body => JSON::PP::encode_json($body),
                        headers => ['Content-Type: application/json']);
}


# An hour between lists: what is learnt is learnt out of turn.
my $hour = 'interval=1h timeout=10s';

{
    my ($one, $two) = fakes('waha', [{ name => 'main',
                                       number => '966500000001' }], []);
    my $ng = gateway(fakes => [$one, $two], workers => 2,
                     check => $hour)->start;

    is(differs($ng, $one, $two), undef, 'first lists come at once');
    ok((poll { $ng->logged('has \d+ sessions?, ') == 2 }), 'an empty one too');

    $two->session('late', number => '966500000002', state => 'ready');

    my $r = $ng->request('GET', '/api/late/chats');
    is($r->{status}, 404, 'a session that nobody is known to have is unknown');
    like($r->{body}, qr/"unknown_session"/, 'which the code says');

    ok((poll { $ng->request('GET', '/api/late/chats')->{status} == 200 }),
       'but it was asked for, and is known then');
    is(scalar(grep { $_->{path} eq '/api/late/chats' } $one->ledger), 0,
       'the other instance never saw a request for it');

    # Asking for what nobody has does not make a flood of lists.
    my @before = map { $_->count('list') } $one, $two;
    my $begun = time;

    while (time < $begun + 2.5) {
        $ng->request('GET', '/api/nobody/chats') for 1 .. 20;
    }

    my $took = time - $begun;
    my @after = map { $_->count('list') } $one, $two;

    for (0, 1) {
        cmp_ok($after[$_] - $before[$_], '>=', 1, 'each is asked');
        cmp_ok($after[$_] - $before[$_], '<=', $took + 2,
               'at most once a second');
    }

    $ng->stop;
    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]/, 'nothing worse is logged');
}

# One that is asked for while a list is on its way may have come after it.
for my $check ($hour, "uri=/ping $hour") {
    my ($one) = fakes('waha', [{ name => 'main' }]);
    my $ng = gateway(fakes => [$one], workers => 1, check => $check)->start;

    is(differs($ng, $one), undef, "$check: the first list is there");

    $one->misbehave('list', 'slow:3');
    $ng->request('GET', '/api/late/chats');
    ok((poll { $one->count('list') == 2 }), 'another is asked for');

    $one->misbehave('list', '');
    $one->session('late', number => '966500000002', state => 'ready');

    is($ng->request('GET', '/api/late/chats')->{status}, 404,
       'a session that came meanwhile is unknown');
    ok((poll { $one->count('list') == 3 }), 'but asked for after that');
    is(known($ng, 'late')->{state}, 'ready', 'and known then');
    $ng->stop;
}

# All together at most 20 times a second.
{
    my @fakes = fakes('waha', map { [] } 1 .. 60);
    my $ng = gateway(fakes => \@fakes, workers => 2, check => $hour)->start;

    ok((poll { !grep { $_->count('list') == 0 } @fakes }),
       'all have been asked once');

    my $begun = time;
    my %at;

    $ng->request('GET', '/api/nobody/chats');
    ok((poll { !grep { $_->count('list') < 2 } @fakes }),
       'all are asked again');

    my $took = time - $begun;

    # the first ones may come together, as many as are due in 250 ms
    cmp_ok($took, '>=', (60 - 5) / 20 - 0.5, 'not all at once');
    $ng->stop;
}

# Who is not there says so, and is asked.
{
    my ($one, $two) = fakes('waha',
        [{ name => 'main', number => '966500000001' }],
        [{ name => 'other', number => '966500000002' }]);
    my $ng = gateway(fakes => [$one, $two], workers => 2, check => $hour,
        server => 'location = /send-message { wa_gateway_send text;'
                  . ' proxy_pass http://u; }')->start;

    is(differs($ng, $one, $two), undef, 'both are known');

    $one->remove('main');

    my $r = post($ng, '/send-message', { chatId => '966501234567',
                                         message => 'x', session => 'main' });
    is($r->{status}, 503, 'its instance has not got it');
    like($r->{body}, qr/"session_down".*"sent":"no"/s, 'so nothing was sent');

    ok((poll { known($ng, 'main')->{state} eq 'down' }),
       'and the list was asked for, though none was due');
    $ng->stop;
}

# New sessions go where the fewest are, with those counted that are being made.
{
    my @fakes = fakes('waha', [map { { name => "a$_" } } 1 .. 5], [],
                      [map { { name => "c$_" } } 1 .. 3]);
    my $ng = gateway(fakes => \@fakes, workers => 2, check => $hour)->start;

    is(differs($ng, @fakes), undef, 'who has how many is known');

    my @made = map { "new$_" } 1 .. 7;

    is(join(' ', map { post($ng, '/api/sessions', { name => $_ })->{status} }
                 @made), join(' ', (201) x 7), 'seven are made at once');

    my @has = map {
        my $fake = $_;
        scalar grep { $_->{path} eq '/api/sessions' && $_->{method} eq 'POST' }
               $fake->ledger
    } @fakes;

    is("@has", '0 5 2', 'each where the fewest were');
    is(differs($ng, @fakes), undef, 'and they are listed soon');
    $ng->stop;
}

# Three sends in a row that are not confirmed.
{
    my ($one) = fakes('waha', [{ name => 'main', number => '966500000001' }]);
    my $ng = gateway(fakes => [$one], workers => 2, check => $hour,
        server => 'location = /send-message { wa_gateway_send text;'
                  . ' proxy_pass http://u; }')->start;
    my $send = sub {
        return post($ng, '/send-message', { chatId => '966501234567',
                                            message => 'x' });
    };

    is(differs($ng, $one), undef, 'the session is known');
    is($send->()->{status}, 200, 'and sends');

    my $listed = $one->count('list');

    $one->misbehave('send', 'status:500');

    my @codes = map { $send->()->{body} =~ /"code":"(\w+)"/ ? $1 : '' } 1 .. 3;
    is("@codes", 'unconfirmed unconfirmed unconfirmed',
       'three are not confirmed');
    is((map { $_->{messages}{unknown} } known($ng, 'main'))[0], 3,
       'of these it is not known, as /sessions tells');

    ok((poll { grep { ($_->{reason} || '') eq 'suspect' }
               @{$ng->status->{events}} }), 'it is a suspect, which is told');
    ok((poll { $one->count('list') > $listed }), 'and is asked again');
    ok((poll { known($ng, 'main')->{state} eq 'ready' }),
       'it is ready then, as its instance says');

    $send->();
    ok((poll { (grep { ($_->{reason} || '') eq 'suspect' }
                @{$ng->status->{events}}) == 2 }),
       'the next send that is not confirmed is enough');

    $one->misbehave('send', '');
    ok((poll { known($ng, 'main')->{state} eq 'ready' }), 'asked once more');
    is($send->()->{status}, 200, 'it sends');
    is($send->()->{status}, 200, 'and goes on');

    $one->misbehave('send', 'status:500');
    $send->() for 1 .. 2;
    is(known($ng, 'main')->{state}, 'ready',
       'after one that was confirmed it takes three again');

    $ng->stop;
    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]/, 'nothing worse is logged');
}

done_testing;
