#!/usr/bin/perl

# Lists that cannot be used change nothing; questions that are not answered,
# servers that share a store, names that are secret, a table that is full.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions listing truth known differs
                           events);
use WaGateway::Vendor;


sub ended {
    my ($ng, $name) = @_;

    $ng->stop;
    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]|exited on signal/,
           "$name: no crash");
}


# Waits until so many more of a kind were asked.
sub asked {
    my ($fake, $kind, $n) = @_;
    my $before = $fake->count($kind);

    return poll { $fake->count($kind) >= $before + $n };
}


# Lists that cannot be used.
{
    my $fake = WaGateway::Vendor->new('waha', key => 'k', sessions => 5);
    my $ng = gateway(fakes => [$fake])->start;

    is(differs($ng, $fake), undef, 'lists: all are known');
    my $before = listing(@{sessions($ng)->{sessions}});
    my $wait = 'list of sessions of \S+ is not used';

    for my $case (['short', 'JSON is cut|JSON ends|cut short|incomplete'],
                  ['html', 'JSON'], ['deep', 'deep'], ['empty', 'JSON'],
                  ['body:{"sessions":[]}', 'no list where it should be'],
                  ['body:[{"name":"x","status":"WORKING"}', 'JSON'],
                  ["body:[{\"name\":\"x\",\"status\":\"WORKING\xff\"}]", 'UTF'],
                  ['body:[' . join(',', ('{}') x 100_001) . ']',
                   'too many sessions'])
    {
        my ($mode, $reason) = @$case;
        my $title = substr $mode, 0, 40;
        my $told = () = $ng->logged($wait);

        $fake->misbehave('list', $mode);
        ok((poll { $ng->logged($wait) > $told }), "lists: $title: is told");
        ok(asked($fake, 'list', 3), "lists: $title: goes on to be asked for");

        my @lines = $ng->logged($wait);
        is(scalar @lines, $told + 1, "lists: $title: once");
        like($lines[-1], qr/$reason/i, "lists: $title: with its reason");
        is(listing(@{sessions($ng)->{sessions}}), $before,
           "lists: $title: nothing has changed");
        is($ng->status->{instances}{details}{$fake->url}{state}, 'up',
           "lists: $title: its instance answers");

        $fake->misbehave('list', '');
        ok(asked($fake, 'list', 2), "lists: $title: it is over");
    }

    # those that are no answer take the instance out, and nothing else
    for my $mode ('cut', 'status:500', 'garbage', 'reset') {
        $fake->misbehave('list', $mode);
        ok((poll { $ng->status->{instances}{details}{$fake->url}{state}
                   eq 'down' }), "lists: $mode: the instance is down");
        ok(asked($fake, 'list', 2), "lists: $mode: it is asked again");

        my @sessions = @{sessions($ng)->{sessions}};
        is(scalar @sessions, 5, "lists: $mode: its sessions are known");
        is(scalar(grep { $_->{state} ne 'down'
                         || $_->{reason} ne 'instance down' } @sessions), 0,
           "lists: $mode: and cannot send");

        $fake->misbehave('list', '');
        is(differs($ng, $fake), undef, "lists: $mode: it is over");
    }

    is(scalar(grep { $_->{reason} || $_->{to} ne 'ready' } events($ng)), 0,
       'lists: no session has an event');

    # names that cannot be used are left out
    my @bad = map { { name => $_, status => 'WORKING' } }
              '', "a\x01b", 'n' x 129, undef, ['x'];
    my @good = map { { name => $_, status => 'WORKING' } }
               'n' x 128, 'مبيعات', '"\\', '<img>', ' ';
    $fake->misbehave('list', 'body:' . JSON::PP->new->utf8
                                           ->encode([@bad, @good]));
    ok((poll { $ng->logged('lists 5 sessions whose name') }),
       'names: the log says so');
    ok((poll { join('|', sort map { $_->{session} }
                         grep { $_->{state} eq 'ready' }
                         @{sessions($ng)->{sessions}})
               eq join('|', sort map { $_->{name} } @good) }),
       'names: the others are as they are');

    my $escaped = '%D9%85%D8%A8%D9%8A%D8%B9%D8%A7%D8%AA';
    is(scalar @{sessions($ng, "session=$escaped")->{sessions}}, 1,
       'names: found by a name in Arabic');

    ended($ng, 'lists');
}


# Questions: some at once, and those without an answer.
for my $vendor ('wwebjs', 'evolution') {
    my $fake = WaGateway::Vendor->new($vendor, key => 'k', sessions => 60,
                                      ask_delay => 0.05);
    my $ng = gateway(fakes => [$fake], check => 'interval=300ms fails=2')
             ->start;

    is(differs($ng, $fake), undef, "$vendor: all are known");
    is($fake->asked_at_once, 16, "$vendor: 16 are asked at once");

    $fake->set(ask_delay => 0);

    my @names = map { $_->{session} } @{sessions($ng)->{sessions}};

    $fake->misbehave('ask', 'status:500');
    is(known($ng, $names[0], state => 'down')->{reason}, 'no answer',
       "$vendor: one that is not answered for is down");
    is(scalar @{sessions($ng)->{sessions}}, 60, "$vendor: and known");

    $fake->misbehave('ask', 'html');
    ok(asked($fake, 'ask', 60), "$vendor: pages are no answers either");
    is(sessions($ng)->{ready}, 0, "$vendor: nobody is taken for ready");

    $fake->misbehave('ask', '');
    is(differs($ng, $fake), undef, "$vendor: all are as they were");

    # another phone under the same name
    $fake->session($names[1], state => 'login');
    is(known($ng, $names[1], state => 'login')->{state}, 'login',
       "$vendor: one is logged out");
    $fake->session($names[1], state => 'ready', number => '966511111111');
    is(known($ng, $names[1], state => 'ready', number => '966511111111')
       ->{number}, '966511111111', "$vendor: and in again as another");

    ended($ng, $vendor);
}


# Servers that share a store: the list of one has the sessions of the other.
for my $vendor ('waha', 'evolution') {
    my @two = map { WaGateway::Vendor->new($vendor, key => 'k') } 1 .. 2;

    $two[$_]->sessions([
        { name => 'first', number => '966500000001',
          state => $_ == 0 ? 'ready' : 'elsewhere' },
        { name => 'second', number => '966500000002',
          state => $_ == 1 ? 'ready' : 'elsewhere' },
    ]) for 0, 1;

    my $ng = gateway(fakes => \@two)->start;

    is(differs($ng, @two), undef, "$vendor: shared: each where it runs");
    is(sessions($ng)->{total}, 2, "$vendor: shared: once each");

    $two[0]->session('first', state => 'elsewhere');
    $two[1]->session('first', state => 'ready');
    is(differs($ng, @two), undef, "$vendor: shared: one moves");
    is(known($ng, 'first')->{instance}, $two[1]->url,
       "$vendor: shared: and is where it runs");

    my @events = events($ng, 'first');
    # as a move, unless the first one was asked between the two changes
    is(scalar(grep { $_->{instance} eq $two[1]->url
                     && ($_->{to} || '') eq 'ready' } @events), 1,
       "$vendor: shared: which is told once");

    ended($ng, "$vendor: shared");
}


# Both have it: two ways to one number, or two numbers of one name.
{
    my @two = map {
        WaGateway::Vendor->new('waha', key => 'k', sessions => [
            { name => 'default', number => "96650000000$_", state => 'ready' }
        ])
    } 1, 2;
    my $ng = gateway(fakes => \@two)->start;

    is(differs($ng, @two), undef, 'both: are known');
    is(sessions($ng, 'session=default')->{total}, 2, 'both: by their name');
    is(sessions($ng, 'number=966500000002')->{sessions}[0]{instance},
       $two[1]->url, 'both: and each by its number');
    ok(asked($two[0], 'list', 4), 'both: time goes by');
    is(scalar(events($ng)), 0, 'both: nobody has moved');

    ended($ng, 'both');
}


# A list that tells the states, and a number that is asked for with a token.
{
    my $fake = WaGateway::Vendor->new('wppconnect', key => 'k', sessions => [
        { name => 'open', number => '966500000001', state => 'ready' },
        { name => 'also', number => '966500000002', state => 'ready' } ]);
    my $url = $fake->url;
    my $ng = gateway(fakes => [],
        http => 'wa_gateway_vendor numbers {
            key Authorization "Bearer <token>";
            list GET /api/<key>/show-all-sessions items=$.response name=$
                 state=$;
            token POST /api/<session>/<key>/generate-token $.token;
            number GET /api/<session>/get-phone-number $.response;
            state ready open also;
        }',
        upstream => "wa_gateway_instances vendor=numbers key=k $url;")->start;

    is(known($ng, 'open', state => 'ready', number => '966500000001')
       ->{number}, '966500000001', 'token: a number that needs one');
    is(known($ng, 'also', state => 'ready', number => '966500000002')
       ->{number}, '966500000002', 'token: each with its own');

    # none to be had
    $fake->misbehave('token', 'status:500');
    $fake->session('open', number => undef);
    $ng->{upstream} =~ s/vendor=numbers/vendor=other/;
    $ng->{http} =~ s/vendor numbers/vendor other/;
    $ng->reload;
    ok(asked($fake, 'token', 8), 'token: none is given');
    is(sessions($ng)->{ready}, 2, 'token: the list tells who is ready');

    ended($ng, 'token');
}


# Names that are secrets.
{
    my $fake = WaGateway::Vendor->new('wuzapi', key => 'admin', sessions => [
        { name => 'shop', number => '966500000001', state => 'ready' } ]);
    my $ng = gateway(fakes => [$fake])->start;

    is(known($ng, 'shop', state => 'ready')->{number}, '966500000001',
       'secret: it is shown by its display name');

    my $token = $fake->command('token_of', 'shop');
    my $said = join '', map { $ng->request('GET', $_)->{body} }
               '/sessions', '/status', '/metrics';

    unlike($said . $ng->log, qr/\Q$token\E/, 'secret: and nowhere by its own');

    ended($ng, 'secret');
}


# A table that is full.
{
    my $fake = WaGateway::Vendor->new('gowa', key => 'u:p', sessions => 12);
    my $ng = gateway(fakes => [$fake],
                     parameters => 'zone=z:1m sessions=10')->start;

    ok((poll { sessions($ng)->{total} == 10 }), 'full: as many as there is room for');
    ok(asked($fake, 'list', 3), 'full: time goes by');
    is(scalar(() = $ng->logged('"sessions=10" of upstream "u" are all in use')),
       1, 'full: one line in the log');
    like($ng->request('GET', '/metrics')->{body},
         qr/^wa_gateway_sessions_full_total\{upstream="u"\} [1-9]/m,
         'full: and a metric');
    like($ng->request('GET', '/metrics')->{body},
         qr/^wa_gateway_sessions_capacity\{upstream="u"\} 10$/m,
         'full: which has a bound');

    my @all = @{sessions($ng)->{sessions}};
    $fake->remove($all[0]{session});
    $fake->remove($all[1]{session});
    is(differs($ng, $fake), undef, 'full: room that comes free is used');

    # with more room that is full again, which is told again
    $fake->sessions(15);
    ok((poll { $ng->logged('"sessions=10" of upstream "u" are all') == 2 }),
       'full: full again is another line');
    $ng->{upstream} =~ s/sessions=10/sessions=12/;
    $ng->reload;
    ok((poll { $ng->logged('"sessions=12" of upstream "u" are all') }),
       'full: so it is after there was more room');

    # another instance instead
    my $other = WaGateway::Vendor->new('gowa', key => 'u:p', sessions => 9);
    $ng->{upstream} =~ s/\Q@{[$fake->url]}\E/$other->url/e;
    $ng->reload;
    is(differs($ng, $other), undef,
       'full: those of an instance that was removed make room');

    ended($ng, 'full');
}

done_testing;
