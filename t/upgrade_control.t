#!/usr/bin/perl

# What was set at run time, when another binary takes over, and when the master
# is killed: all workers agree, no place is lost, no message fails but those
# that a killed process had.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use Test::More;
use WaGateway::Control qw(control_server control list agreed gone hands);
use WaGateway::Daemon;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(http poll);

my @fakes = map { WaGateway::Fake->new } 1 .. 5;
my @url = map { 'http://' . $_->name } @fakes;

# A few fakes are told of at a time.
my %short = map { $url[$_] => "f$_" } 0 .. $#url;


sub create {
    return WaGateway::Daemon->new(
        workers => 2, level => 'notice',
        upstream => 'wa_gateway zone=u:1m capacity=3;'
                    . 'wa_gateway_state state/u.json;'
                    . 'wa_gateway_check interval=300ms;'
                    . join('', map { 'server ' . $_->name . ';' } @fakes[0, 1]),
        location => 'proxy_http_version 1.1; proxy_set_header Connection "";',
        server => control_server());
}


# "free=N f0=what:weight f1=...", or several such that differ.
sub told {
    my $told = agreed($_[0]);
    $told =~ s/(http:[^=]*)/$short{$1} || $1/ge;

    return join ' | ', map { my ($free, @f) = split / /; "@{[ $free, sort @f ]}" }
                           split / \| /, $told;
}


# Each of many, so that workers of both masters are asked.
sub answers {
    my ($ng) = @_;
    my %said;

    for (1 .. 40) {
        my $r = control($ng, 'PATCH', $url[0], { weight => 2 });
        $said{join ' ', $r->{status}, $r->{json}{code} || '-',
              $r->{headers}{'retry-after'} || '-'}++;
    }

    return join ', ', sort keys %said;
}


sub judge {
    my ($name, @results) = @_;
    my $seen = WaGateway::Load::seen(@fakes);

    is(join(', ', map { "@$_{qw(path status sent)}" }
                  grep { $_->{status} != 200 || !$_->{whole} } @results), '',
       "$name: no message failed");
    is(scalar(grep { ($seen->{$_->{path}} || 0) != 1 } @results), 0,
       "$name: each was seen once");
}


# Nothing is in flight, and as many can be added as are told to be free.
sub counted {
    my ($ng, $name) = @_;

    ok((poll { my ($r, %list) = list($ng);
               $r && !grep { $_->{inFlight} } values %list }),
       "$name: nothing is left in flight");

    my ($r) = list($ng);
    my @more = map { "http://127.0.0.9:$_" } 1 .. $r->{free};

    is(join(' ', map { control($ng, 'POST', undef, { url => $_ })->{status} }
                     @more, 'http://127.0.0.9:99'),
       join(' ', map({ 201 } @more), 507), "$name: what is free can be had");

    for (@more) {
        control($ng, 'DELETE', $_);
        gone($ng, $_);
    }
}


{
    my $ng = create()->begin;
    my $first = $ng->{pid};
    my $load = WaGateway::Load->start($ng->port, pause => 0.002);

    is(join(' ', control($ng, 'POST', undef, { url => $url[2], weight => 3 })
                     ->{status},
                 control($ng, 'POST', undef, { url => $url[3] })->{status},
                 control($ng, 'PATCH', $url[3], { state => 'drain' })->{status},
                 control($ng, 'DELETE', $url[1])->{status},
                 control($ng, 'PATCH', $url[0], { weight => 2 })->{status}),
       '201 201 200 204 200', 'some are added, drained, removed and changed');
    ok(gone($ng, $url[1]), 'the removed one goes');

    my $set = 'free=1 f0=configured:2 f2=configured:3 f3=drain:1';
    is(told($ng), $set, 'which all workers tell');

    ok($ng->second, 'another binary begins');
    ok($load->more(8), 'messages go on');
    is(told($ng), $set,
       'its workers and those of before tell the same');
    is(answers($ng), '503 state_in_use 1',
       'and nobody changes what the others would not hear of');

    kill 'WINCH', $first;
    ok($ng->quit($first), 'the old binary goes');
    ok($load->more(8), 'messages go on');
    is(told($ng), $set, 'nothing is lost');
    is(answers($ng), '200 - -', 'what is set is changed again');
    is(control($ng, 'DELETE', $url[2])->{status}, 204, 'one is removed');
    ok(gone($ng, $url[2]), 'it goes');
    is(control($ng, 'POST', undef, { url => $url[4] })->{status}, 201,
       'one is added');

    $set = 'free=1 f0=configured:2 f3=drain:1 f4=configured:1';
    is(told($ng), $set, 'all tell of it');

    # and back
    my $second = $ng->{pid};
    my $third = $ng->second;
    ok($third, 'one more');
    is(answers($ng), '503 state_in_use 1', 'nobody changes anything');
    ok($ng->quit($third), 'it is not liked, and goes');
    $ng->{pid} = $second;
    ok($load->more(8), 'messages go on');
    is(answers($ng), '200 - -', 'what is set is changed again');
    is(told($ng), $set, 'nothing is lost');

    # a reload is no other master
    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $second;
    is(answers($ng), '200 - -', 'during a reload, too');
    ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'which is done');
    is(answers($ng), '200 - -', 'after it');

    judge('upgrades', $load->stop);
    counted($ng, 'upgrades');

    # the file has it all
    $ng->stop;
    $ng = $ng->begin;
    is(told($ng), $set, 'so has the file');

    $ng->clean;
}


# The master is killed, and one of its workers, while instances come and go.
{
    my $ng = create()->begin;
    my $load = WaGateway::Load->start($ng->port);
    my $enough = "$ng->{dir}/enough";
    my @hands = hands($ng, $enough, @url[2 .. 4]);
    my @workers = $ng->worker_pids;
    my $removed = sub { scalar(() = $ng->log =~ / is removed$/mg) };
    my $more = sub {
        my $then = $removed->() + 5;
        return poll { $removed->() > $then } && $load->more(8);
    };

    ok($more->(), 'instances come and go');
    kill 'KILL', $ng->{pid};
    ok($more->(), 'the master is killed, its workers go on with all');

    kill 'KILL', $workers[0];
    ok($more->(), 'one of them is killed, the other goes on with all');

    open my $fh, '>', $enough or die "$!\n";
    close $fh;

    my %said;
    for my $hand (@hands) {
        while (<$hand>) { $said{$1} += $2 if /^(\w+ \d+) (\d+)/ }
        close $hand;
    }

    # an instance that is still being removed is there; a killed worker says 0
    my %usual = map { $_ => 1 } 'POST 201', 'POST 409', 'PATCH 200',
                                'PATCH 404', 'DELETE 204', 'DELETE 404';
    is(join(', ', grep { !$usual{$_} && !/ 0$/ } sort keys %said), '',
       'answers are those they should be');
    cmp_ok($said{'POST 201'}, '>', 10, 'instances were added');

    my @results = $load->stop;
    my @bad = grep { $_->{status} != 200 || !$_->{whole} } @results;
    my $seen = WaGateway::Load::seen(@fakes);

    is(scalar(grep { $_->{status} && $_->{whole} } @bad), 0,
       'no error was made up');
    cmp_ok(scalar @bad, '<=', 4, 'only what the killed worker had was cut off');
    is(scalar(grep { ($seen->{$_->{path}} || 0) > 1 } @results), 0,
       'no message was seen twice');
    is(scalar(grep { $_->{status} == 200 && !$seen->{$_->{path}} } @results), 0,
       'none that was confirmed is missing');

    control($ng, 'DELETE', $_) for @url[2 .. 4];
    ok(gone($ng, $_), 'one is gone') for @url[2 .. 4];
    is(control($ng, 'PATCH', $url[1], { weight => 7 })->{status}, 200,
       'what is left of it can be changed');
    my $set = 'free=3 f0=configured:1 f1=configured:7';
    is(told($ng), $set, 'no place is lost');

    kill 'QUIT', $workers[1];
    ok((poll { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $ng->port) }),
       'the last worker leaves');
    $ng = $ng->begin;
    is(told($ng), $set, 'another master begins with what was set');
    counted($ng, 'after that');

    my %got;
    for (1 .. 16) {
        my $r = http($ng->port, 'POST', '/m', body => 'x');
        $got{$short{$r->{headers}{'x-wa-instance'} || ''} || 'none'}++;
    }
    is(join(' ', map { "$_=$got{$_}" } sort keys %got), 'f0=2 f1=14',
       'by which it goes');

    $ng->stop;
    is(join("\n", $ng->alarms), '', 'the log tells of no other death');
}

done_testing();
