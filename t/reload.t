#!/usr/bin/perl

# A reload keeps what it knows and costs no request.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll);

my @fakes = map { WaGateway::Fake->new } 1 .. 4;


sub upstream {
    my ($passive, @which) = @_;
    return "wa_gateway; $passive"
           . join '', map { 'server ' . $fakes[$_]->name . ';' } @which;
}


sub totals {
    my ($ng, @which) = @_;
    my $d = $ng->status->{instances}{details};
    return join ' ', map { $d->{'http://' . $fakes[$_]->name}
                           ? $d->{'http://' . $fakes[$_]->name}{requests}{total}
                           : '-' } @which;
}


{
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => upstream('wa_gateway_passive eject=1h;', 0 .. 2));

    $ng->request('POST', '/a', body => 'x') for 1 .. 7;

    my $before = $ng->status;
    is($before->{gateway}{generation}, 0, 'no reload yet');
    is($before->{loadBalancer}{currentIndex}, 1, 'the second is next');

    ok($ng->reload, 'a reload');

    my $after = $ng->status;
    is($after->{gateway}{generation}, 1, 'one reload');
    is(totals($ng, 0 .. 2), '3 2 2', 'the counters are kept');
    is($after->{loadBalancer}{currentIndex}, 1, 'the position is kept');
    cmp_ok($after->{gateway}{uptime}, '>=', $before->{gateway}{uptime},
           'uptime goes on');

    my $r = $ng->request('POST', '/b', body => 'x');
    is($r->{headers}{'x-wa-instance'}, 'http://' . $fakes[1]->name,
       'the next request goes where it would have gone');

    # a state
    $fakes[2]->mode('reset');
    $r = $ng->request('POST', '/c', body => 'x');
    is($r->{status}, 502, 'an instance fails');
    $fakes[2]->mode('json');

    my $down = $ng->instance($fakes[2]->name);
    is($down->{state}, 'down', 'it is down');
    my $events = $ng->status->{events};

    ok($ng->reload, 'a reload');
    my $still = $ng->instance($fakes[2]->name);
    is_deeply([@$still{qw(state since reason healthy)}],
              [@$down{qw(state since reason healthy)}],
              'it is down since then, for that reason');
    is_deeply($ng->status->{events}, $events, 'the events are kept');

    $_->forget for @fakes;
    $ng->request('POST', "/d$_", body => 'x') for 1 .. 6;
    is($fakes[2]->count, 0, 'it gets no request');
    is(join(' ', map { $_->count } @fakes[0, 1]), '3 3', 'the others do');

    # one more, one less
    my $total = totals($ng, 0, 1);
    ok($ng->reload(upstream => upstream('wa_gateway_passive eject=1h;',
                                        0, 1, 3)), 'one leaves, one comes');

    my $s = $ng->status;
    is(join(' ', sort keys %{$s->{instances}{details}}),
       join(' ', sort map { 'http://' . $_->name } @fakes[0, 1, 3]),
       'the instances are those of the configuration');
    is(totals($ng, 0, 1, 3), "$total 0", 'those that stay keep their counters');

    $_->forget for @fakes;
    $ng->request('POST', "/e$_", body => 'x') for 1 .. 9;
    is(join(' ', map { $_->count } @fakes), '3 3 0 3',
       'the new one takes its share, the old one nothing');

    # gone and back: nothing is left of it
    ok($ng->reload(upstream => upstream('wa_gateway_passive eject=1h;',
                                        0 .. 3)), 'the one that left is back');

    # The workers of before may still be leaving when the table is swept.
    my $back = $ng->instance($fakes[2]->name);
    ok($back, 'it is there');

    # a reload that fails
    my $before_fail = $ng->status;
    my $pids = join ' ', sort $ng->worker_pids;

    $ng->{upstream} = upstream('wa_gateway_passive eject=never;', 0);
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok(poll { $ng->log =~ /\[emerg\].*invalid parameter "eject=never"/ },
       'a bad configuration is refused');

    # refused when the zone is set up, after all was parsed
    $ng->{upstream} = 'wa_gateway zone=u:32k; '
        . join '', map { "server 127.0.0.1:$_;" } 10001 .. 10200;
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok(poll { $ng->log =~ /\[emerg\].*zone "u".*too small/ },
       'a zone that is too small is refused');

    # refused after the zone was set up: a port that is taken
    my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
        ReuseAddr => 1,
        LocalPort => WaGateway::Fake::free_port()) or die "listen: $!\n";
    $ng->{upstream} = upstream('', 0, 3) . 'server 127.0.0.1:9;';
    $ng->{http} = 'server { listen 127.0.0.1:' . $taken->sockport . '; }';
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok((poll { $ng->log =~ /\[emerg\].*bind\(\)/ }),
       'a port that is taken is refused');
    ok((poll { $ng->log =~ /still could not bind/ }), 'and given up');

    my $same = $ng->status;
    is_deeply([@$same{qw(instances loadBalancer events)},
               $same->{gateway}{generation}],
              [@$before_fail{qw(instances loadBalancer events)},
               $before_fail->{gateway}{generation}],
              'reloads that failed changed nothing');
    is(join(' ', sort $ng->worker_pids), $pids, 'not a worker');

    is($ng->request('POST', '/f', body => 'x')->{status}, 200,
       'requests go on');

    $ng->{http} = '';
    ok($ng->reload(upstream => upstream('', 0 .. 3)), 'and a good one works');

    $ng->stop;
    is(scalar($ng->logged('\[(?:alert|crit)\]')), 0, 'no alert, no crit');
}


# An outage just before a reload, or before the end of the worker that checks
# the instance, lasts no longer for it: the check that is due soon is.
for my $case ('a reload', 'a killed worker', 'a reload to a larger zone') {
    my $fake = WaGateway::Fake->new;
    my $first = WaGateway::Fake->new;
    my $check = 'wa_gateway_check interval=1h;';

    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => "wa_gateway zone=u:512k; $check"
                    . 'server ' . $first->name . ';'
                    . 'server ' . $fake->name . ';');

    ok((poll { $ng->status->{instances}{healthy} == 2 }), 'both are up');
    my ($lost) = sort { $a <=> $b } $ng->worker_pids;

    # both, so that the instance is one of the worker that ends
    for my $one ($first, $fake) {
        $one->mode('reset');
        for (1 .. 3) {
            last if $ng->instance($one->name)->{state} eq 'down';
            $ng->request('POST', '/x', body => 'x');
        }
        $one->mode('json');
    }

    if ($case eq 'a killed worker') {
        kill 'KILL', $lost;

    } else {
        my $size = $case =~ /larger/ ? '1m' : '512k';
        ok($ng->reload(upstream => "wa_gateway zone=u:$size; $check"
                                   . 'server ' . $first->name . ';'
                                   . 'server ' . $fake->name . ';'), $case);
    }

    ok((poll { $ng->status->{instances}{healthy} == 2 }),
       "$case: what traffic took out is checked soon, and back");

    $ng->stop;
}


# A single process ends its checks before it frees what they write to.
{
    my $fake = WaGateway::Fake->new(mode => 'hang');
    my $gone = WaGateway::Fake->new(mode => 'hang');

    my $ng = WaGateway::Nginx->start(workers => 0, level => 'debug',
        upstream => 'wa_gateway; wa_gateway_check interval=1h timeout=30s;'
                    . 'server ' . $fake->name . '; server ' . $gone->name . ';');

    ok((poll { $gone->count }), 'a check is on its way');

    $ng->{upstream} = 'wa_gateway; wa_gateway_check interval=1h timeout=30s;'
                      . 'server ' . $fake->name . ';';
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    # nginx has no connections for a while after that, so the log must tell;
    # the first two are of "nginx -t" and of the start
    my @order;
    poll {
        @order = map { /stop/ ? 'stop' : 'commit' }
                 $ng->logged('wa_gateway (?:checker stop|commit zone): u$');
        @order >= 4;
    };

    splice @order, 0, 2;

    is("@order", 'stop commit',
       'the check ended, then what it writes to was freed');

    $ng->stop;
}


# Under load.
{
    my $ng = WaGateway::Nginx->start(workers => 2, level => 'notice',
        upstream => upstream('', 0 .. 2));

    $_->forget for @fakes;
    my $load = WaGateway::Load->start($ng->port, pause => 0.005);

    my ($ok, $loaded) = (0, 0);
    for my $i (1 .. 30) {
        my @which = $i % 3 ? (0 .. 2) : (0 .. 3);
        $ok++ if $ng->reload(upstream => upstream('', @which));
        $loaded++ if $load->more(4);
    }

    my @results = $load->stop;
    my $sent = @results;

    is($ok, 30, '30 reloads');
    is($loaded, 30, "there was load after each: $sent");
    is(join(' ', map { $_->{status} } grep { $_->{status} != 200 } @results),
       '', 'not one request failed');

    my $seen = WaGateway::Load::seen(@fakes);
    is(scalar(keys %$seen), $sent, 'each was seen');
    is(scalar(grep { $_ != 1 } values %$seen), 0, 'none twice');

    my $inflight = sub {
        my $n = 0;
        $n += $_->{requests}{inFlight}
            for values %{$ng->status->{instances}{details}};
        return $n;
    };
    ok(poll { $inflight->() == 0 }, 'nothing is left in flight');

    $ng->clean;
}

done_testing;
