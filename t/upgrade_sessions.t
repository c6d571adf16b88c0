#!/usr/bin/perl

# What is known of sessions, and what their numbers may still send: over a
# reload, a worker that is killed, and another binary.  docs/operations.md has
# it as a table.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Daemon;
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake post start_post answer_of told);
use WaGateway::Sessions qw(gateway known differs);

my $To = '966511111111';


sub begin {
    my ($fake, $pace) = @_;

    my $ng = gateway(fakes => [$fake], workers => 2, level => 'notice',
                     parameters => 'sessions=10',
                     upstream => "wa_gateway_pace $pace;",
                     server => 'location = /send-message {'
                               . 'wa_gateway_send text;'
                               . 'proxy_pass http://u; }');

    bless($ng, 'WaGateway::Daemon')->begin;
    die 'sessions are not known' if defined differs($ng, $fake);

    return $ng;
}


sub message { return { chatId => $To, message => 'x', session => 'main' } }


# Who asks has to get past the workers that do not know sessions yet.
sub state_of {
    my ($ng) = @_;
    my $s = known($ng, 'main', state => 'ready');

    return "$s->{state} $s->{number} sent=$s->{messages}{sent} "
           . "left=$s->{pace}{left} dayLeft=$s->{pace}{dayLeft}";
}


{
    my $fake = fake('waha');
    my $ng = begin($fake, 'number=1/h day=5');

    is(told(post($ng, '/send-message', message())), '200 success',
       'a message is sent');

    my $after = 'ready 966500000001 sent=1 left=0 dayLeft=4';
    is(state_of($ng), $after, 'which counts');
    is(told(post($ng, '/send-message', message())), '429 paced no',
       'the next one has to wait');

    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    ok((poll { my @p = $ng->worker_pids; @p == 2 && !grep { $old{$_} } @p }),
       'a reload');
    is(state_of($ng), $after, 'changes nothing of that');

    my ($victim) = $ng->worker_pids;
    kill 'KILL', $victim;
    ok((poll { my @p = $ng->worker_pids; @p == 2 && !grep { $_ == $victim } @p }),
       'nor does a worker that is killed');
    is(state_of($ng), $after, 'change anything');
    is(told(post($ng, '/send-message', message())), '429 paced no',
       'the next one still has to wait');

    my $old = $ng->{pid};
    ok($ng->second && $ng->quit($old), 'another binary');
    is(state_of($ng), 'ready 966500000001 sent=0 left=1 dayLeft=5',
       'asks for the sessions, and counts anew');
    is(told(post($ng, '/send-message', message())), '200 success',
       'so the number may send at once');
    is(state_of($ng), $after, 'once');
    is(scalar(grep { $_->{kind} eq 'send' } $fake->ledger), 2,
       'which was the second message that was sent');

    $ng->stop;
    is(join("\n", $ng->alarms), '', 'the log tells of that worker only');
}


# A message that waits is sent by the worker that has it.
{
    my $fake = fake('waha');
    my $ng = begin($fake, 'number=1/s wait=1m');

    is(told(post($ng, '/send-message', message())), '200 success',
       'a message is sent');

    my @held = map { start_post($ng, '/send-message', message()) } 1 .. 3;
    ok((poll { known($ng, 'main')->{pace}{waiting} }), 'others wait');

    my $old = $ng->{pid};
    ok($ng->second, 'another binary begins');
    kill 'WINCH', $old;
    ok($ng->quit($old), 'that of before ends');
    is(join(', ', map { told(answer_of($_)) } @held),
       join(', ', ('200 success') x 3), 'but sends what waited');
    is(scalar(grep { $_->{kind} eq 'send' } $fake->ledger), 4, 'each once');

    $ng->clean;
}

done_testing();
