#!/usr/bin/perl

# An instance keeps its place in the zone from one configuration to the next,
# whatever the order there; a place that is free again is another's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll send_request read_answer slurp);

my @fakes = map { WaGateway::Fake->new } 1 .. 6;


sub upstream {
    my ($more, @which) = @_;
    return 'wa_gateway zone=u:512k;'
           . join '', map { 'server ' . $fakes[$_]->name . "$more;" } @which;
}


# The instances of /status as they stand there, by the number of their fake.
sub order {
    my ($ng) = @_;
    my $status = $ng->request('GET', '/status')->{body};
    my %number = map { ($fakes[$_]->name => $_) } 0 .. $#fakes;

    return join ' ', map { $number{$_} }
                         $status =~ m{"http://([^"]+)":\{"healthy"}g;
}


# Of each instance, by the number of its fake.
sub figure {
    my ($ng, $figure, @which) = @_;
    my $details = $ng->status->{instances}{details};

    return join ' ', map { $details->{'http://' . $fakes[$_]->name}{requests}
                           {$figure} } @which;
}


# Who got each of so many messages, by what the gateway says and by the fakes.
sub messages {
    my ($ng, $n) = @_;
    my (@said, @got);
    my %number = map { ('http://' . $fakes[$_]->name => $_) } 0 .. $#fakes;

    for (1 .. $n) {
        $_->forget for @fakes;
        my $r = $ng->request('POST', '/m', body => 'x');
        push @said, $number{$r->{headers}{'x-wa-instance'} || ''};
        push @got, grep { $fakes[$_]->count } 0 .. $#fakes;
    }

    is("@got", "@said", 'each went where the gateway says');

    return "@got";
}


# A reload that the one worker outlives, which is at work; its pid.
sub reload_around {
    my ($ng, $upstream) = @_;
    my ($old) = $ng->worker_pids;

    $ng->{upstream} = $upstream;
    $ng->write_conf;
    kill 'HUP', $ng->{pid};

    ok((poll { slurp("/proc/$old/cmdline") =~ /shutting down/ }),
       'a reload, while the worker of before stays');

    return $old;
}


# Any turn may be the first.
sub in_turn {
    my ($got, $expected, $name) = @_;
    like("$expected $expected", qr/\b$got\b/, $name);
}


{
    my $ng = WaGateway::Nginx->start(workers => 2,
                                     upstream => upstream('', 0 .. 3));

    is(order($ng), '0 1 2 3', 'as configured');
    in_turn(messages($ng, 4), '0 1 2 3', 'in turn');

    ok($ng->reload(upstream => upstream('', 3, 1, 0, 2)), 'another order');
    is(order($ng), '3 1 0 2', 'as configured');
    is(figure($ng, 'total', 0 .. 3), '1 1 1 1', 'with their counters');
    in_turn(messages($ng, 4), '3 1 0 2', 'in that order');

    # twice: the workers of before may be leaving when the first sweeps
    ok($ng->reload(upstream => upstream('', 3, 1)), 'two leave') for 1, 2;
    is(order($ng), '3 1', 'two are left');
    in_turn(messages($ng, 2), '3 1', 'they get all');

    ok($ng->reload(upstream => upstream('', 5, 2, 3, 4, 1)),
       'three come, in the places of those that left and in a new one');
    is(order($ng), '5 2 3 4 1', 'as configured');
    is(figure($ng, 'total', 5, 2, 3, 4, 1), '0 0 3 0 3',
       'who was there has its counters, who came has none');
    in_turn(messages($ng, 5), '5 2 3 4 1', 'in that order');

    my ($victim) = $ng->worker_pids;
    kill 'KILL', $victim;
    ok((poll { !grep { $_ == $victim } $ng->worker_pids
               and $ng->worker_pids == 2 }), 'a worker is killed');
    in_turn(messages($ng, 5), '5 2 3 4 1', 'its successor goes on in order');

    is(scalar($ng->logged('\[(?:alert|crit|emerg)\].*wa_gateway')), 0,
       'nothing bad in the log');

    $ng->stop;
}


# What an old worker holds is not what comes into its configuration's place.

{
    my $ng = WaGateway::Nginx->start(workers => 1,
                                     upstream => upstream('', 0, 1));

    $_->mode('held') for @fakes[0, 1];

    my @held = map { send_request($ng->port, 'POST', '/m', body => 'x') } 1, 2;

    ok((poll { $fakes[0]->count && $fakes[1]->count }), 'both are at work');

    reload_around($ng, upstream(' max_conns=1', 4, 1, 5));
    is(order($ng), '4 1 5', 'as configured');
    is(figure($ng, 'inFlight', 4, 1, 5), '0 1 0',
       'what it holds is held at the one that both know');

    my @got = map { $ng->request('POST', '/m', body => 'x')
                       ->{headers}{'x-wa-instance'} } 1 .. 4;
    is(scalar(grep { $_ eq 'http://' . $fakes[1]->name } @got), 0,
       'which is full');

    $_->release for @fakes[0, 1];

    is(join(' ', map { read_answer($_, 'POST')->{status} } @held), '200 200',
       'both are answered');
    ok((poll { (() = $ng->worker_pids) == 1 }), 'the old worker leaves');
    is(figure($ng, 'inFlight', 4, 1, 5), '0 0 0', 'and nothing is held');
    is(figure($ng, 'total', 1), 1, 'once each');

    $ng->stop;
}


# And what it held when it was killed is given back to the right one.

{
    my $ng = WaGateway::Nginx->start(workers => 1,
                                     upstream => upstream('', 0, 1));

    $_->mode('held') for @fakes[0, 1];
    $_->forget for @fakes;

    my @held = map { send_request($ng->port, 'POST', '/m', body => 'x') } 1, 2;

    ok((poll { $fakes[0]->count && $fakes[1]->count }), 'both are at work');

    my $old = reload_around($ng, upstream('', 3, 1, 0, 2));
    is(order($ng), '3 1 0 2', 'in another order');
    is(figure($ng, 'inFlight', 3, 1, 0, 2), '0 1 1 0', 'what is held where');

    kill 'KILL', $old;

    ok((poll { figure($ng, 'inFlight', 3, 1, 0, 2) eq '0 0 0 0' }),
       'killed, it holds nothing');

    $ng->stop;
}


done_testing();
