#!/usr/bin/perl

# Names of instances: looked up while the gateway runs, by one worker for all
# of them; a name that comes late, moves, or is forgotten by its server.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);
use WaGateway::Dns;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll);

my $two = WaGateway::Fake->new(address => '127.0.0.2');
my $port = $two->port;
my $three = WaGateway::Fake->new(address => '127.0.0.3', port => $port);


sub gateway {
    my ($dns, $upstream, %o) = @_;

    my $args = delete $o{args} || '';

    return WaGateway::Nginx->start(
        workers => 2, level => 'notice',
        http => 'resolver ' . $dns->address . '; resolver_timeout 1s;',
        location => 'proxy_http_version 1.1; proxy_set_header Connection "";',
        upstream => "wa_gateway zone=u:1m $args; $upstream", %o);
}


sub state_of {
    my ($ng, $name) = @_;
    my $i = $ng->instance("$name:$port");
    return join ': ', grep { defined } @$i{qw(state reason)};
}


# Who gets so many messages, each over a connection of its own.
sub takers {
    my ($ng, $n) = @_;
    my %got;

    for (1 .. $n) {
        my $r = $ng->request('POST', '/m', body => 'x');
        $got{$r->{headers}{'x-wa-instance'} || "status $r->{status}"}++;
    }

    return join ' ', sort keys %got;
}


{
    my $dns = WaGateway::Dns->new;
    my $ng = gateway($dns, 'wa_gateway_check interval=1h;'
                           . "wa_gateway_instances http://waha.test:$port;");
    my $name = "http://waha.test:$port";

    ok((poll { state_of($ng, 'waha.test') eq 'down: name not found' }),
       'one whose name is not there is down, and the gateway starts');
    is(takers($ng, 4), 'status 503', 'it gets nothing');
    is(scalar($ng->logged(qr/\[warn\].*\Q$name is down: name not found\E/)),
       1, 'which is told once');

    $dns->change('waha.test' => { a => ['127.0.0.2'], ttl => 1 });
    ok((poll { state_of($ng, 'waha.test') eq 'up' }), 'it comes up with it');
    is(takers($ng, 16), $name, 'in all workers');
    is(scalar(grep { $_->{method} eq 'POST' } $two->ledger), 16,
       'at that address');

    my $asked = $dns->asked('^A waha');
    my $start = time;
    ok($dns->wait_for('^A waha', 2), 'it is looked up again and again');
    cmp_ok($dns->asked('^A waha') - $asked, '<=', (time - $start) + 2,
           'once in the time that it holds, not once a worker');

    # from one address to another and back, while messages are sent
    my @fakes = ($two, $three);
    for my $n (1, 2) {
        my ($from, $to) = @fakes[($n - 1) % 2, $n % 2];
        my $load = WaGateway::Load->start($ng->port, clients => 4);
        $load->more(20);

        my $lines = $ng->logged(qr/is found at/);
        $dns->change('waha.test' => { a => [$to->{address}], ttl => 1 });
        ok((poll { $ng->logged(qr/is found at/) > $lines }),
           "it is at $to->{address}");

        # those that were chosen before it moved are over
        $load->more(20);
        my $before = $from->count;
        $load->more(50);
        is($from->count, $before, 'nothing goes where it was');

        my @results = $load->stop;
        is(scalar(grep { $_->{status} != 200 } @results), 0,
           'nothing was lost');
        my $seen = WaGateway::Load::seen($two, $three);
        is(scalar(grep { ($seen->{$_->{path}} || 0) != 1 } @results), 0,
           'nor sent twice');
    }

    is(scalar($ng->logged(qr/is found at/)), 3, 'each move is told once');
    is(state_of($ng, 'waha.test'), 'up', 'it was up all the time');
    $ng->clean;
}


# Whatever becomes of the answers, the last addresses stay.
{
    my @bad = (['nx', undef], ['fail', { rcode => 2 }],
               ['refused', { rcode => 5 }], ['silent', { silent => 1 }],
               ['cut', { truncated => 1 }], ['zero', { a => ['0.0.0.0'] }],
               ['junk', { garbage => "\0" x 40 }], ['empty', {}],
               ['loop', { cname => 'loop.test', alone => 1 }],
               ['gone', { cname => 'nobody.test', alone => 1 }]);
    my %good = map { ("$_->[0].test" => { a => ['127.0.0.2'] }) } @bad;

    my $dns = WaGateway::Dns->new(%good);
    my $ng = gateway($dns, 'wa_gateway_check interval=200ms;'
                           . 'wa_gateway_instances '
                           . join(' ', map { "http://$_->[0].test:$port" } @bad)
                           . ';', args => 'dns_refresh=200ms');

    ok((poll { !grep { state_of($ng, "$_->[0].test") ne 'up' } @bad }),
       'all are up');

    $dns->set(map { ("$_->[0].test" => $_->[1]) } grep { $_->[1] } @bad);

    ok((poll { $ng->logged(qr/its last addresses stay/) == @bad }),
       'none is found');

    my %asked = map { $_->[0] => scalar $dns->asked("^A $_->[0]") } @bad;
    ok((poll { !grep { $dns->asked("^A $_->[0]") < $asked{$_->[0]} + 2 }
                     @bad }), 'they are asked for again');

    is(join(' ', map { $_->[0] } grep { state_of($ng, "$_->[0].test") ne 'up' }
                                      @bad), '', 'all are up');
    is(takers($ng, 4 * @bad),
       join(' ', sort map { "http://$_->[0].test:$port" } @bad),
       'and each gets its share');
    is(scalar($ng->logged(qr/its last addresses stay/)), scalar @bad,
       'each was told once');

    $dns->set(%good);
    ok((poll { $ng->logged(qr/is found again/) == @bad }),
       'so it is that they are found again');
    $ng->clean;
}


# What a name may be.
{
    my $six = eval { WaGateway::Fake->new(address => '::1', port => $port) };
    my %names = ('many.test' => { a => ['127.0.0.4', '127.0.0.3'] },
                 'alias.test' => { cname => 'target.test' },
                 'alone.test' => { cname => 'target.test', alone => 1,
                                   ttl => 1 },
                 'target.test' => { a => ['127.0.0.2'], ttl => 3600 },
                 'far.test' => { cname => 'near.test', alone => 1,
                                 ttl => 3600 },
                 'near.test' => { a => ['127.0.0.2'], ttl => 1 },
                 'other.test' => { a => ['127.0.0.3'], ttl => 3600 },
                 $six ? ('six.test' => { aaaa => ['::1'] }) : (),
                 'both.test' => { a => ['127.0.0.2'], aaaa => ['::1'] });
    my @names = grep { !/^(?:target|other|near)/ } sort keys %names;

    my $dns = WaGateway::Dns->new(%names);
    my $ng = gateway($dns, 'wa_gateway_passive eject=1h;'
                           . 'wa_gateway_instances '
                           . join(' ', map { "http://$_:$port" } @names)
                           . ';', args => 'dns_refresh=1h');

    ok((poll { !grep { state_of($ng, $_) ne 'up' } @names }),
       'all of ' . join(', ', @names));
    is(scalar keys %{$ng->status->{instances}{details}}, scalar @names,
       'one of several addresses is one instance');
    is(takers($ng, 4 * @names), join(' ', sort map { "http://$_:$port" }
                                               @names), 'all are reached');
    is(state_of($ng, 'many.test'), 'up',
       'where the first address refuses the second one is taken');

    # the alias holds for a second, what it stood for would for an hour
    $dns->change('alone.test' => { cname => 'other.test', alone => 1,
                                   ttl => 1 });
    ok((poll { $ng->logged(qr/alone\.test:\d+ is found at 127\.0\.0\.3/) }),
       'an alias that is another one\'s is followed');

    # and the other way round
    $dns->change('near.test' => { a => ['127.0.0.3'], ttl => 1 });
    ok((poll { $ng->logged(qr/far\.test:\d+ is found at 127\.0\.0\.3/) }),
       'so is one whose host moves');
    is(scalar($ng->logged(qr/is found at/)), @names + 2, 'no other has moved');
    $ng->clean;
}


# Without checks: time alone brings back none that has no address.
{
    my $dns = WaGateway::Dns->new;
    my $ng = gateway($dns, 'wa_gateway_passive eject=50ms;'
                           . "wa_gateway_instances http://waha.test:$port;",
                     args => 'dns_refresh=200ms');

    ok((poll { state_of($ng, 'waha.test') eq 'down: name not found' }),
       'without checks it is down as well');
    $dns->wait_for('^A waha', 2);
    is(join(' ', state_of($ng, 'waha.test'),
                 scalar $ng->logged(qr/\[notice\].* is up/)),
       'down: name not found 0', 'and stays so');

    $dns->change('waha.test' => { a => ['127.0.0.2'] });
    ok((poll { state_of($ng, 'waha.test') eq 'up' }), 'until it is there');
    ok($ng->reload(upstream => 'wa_gateway zone=u:1m dns_refresh=200ms;'
                               . 'wa_gateway_passive eject=1h;'
                               . "wa_gateway_instances http://waha.test:$port;"),
       'a reload');

    $two->stop;
    is(takers($ng, 1), "http://waha.test:$port", 'nobody is there any more');
    is(state_of($ng, 'waha.test'), 'down: connect ECONNREFUSED',
       'it is out for an hour');
    $dns->change('waha.test' => { a => ['127.0.0.3'] });
    ok((poll { state_of($ng, 'waha.test') eq 'up' }),
       'but for less where it is elsewhere meanwhile');
    is(takers($ng, 4), "http://waha.test:$port", 'it gets all');
    $ng->clean;
}

done_testing;
