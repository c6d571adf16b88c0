#!/usr/bin/perl

# A process that is to go goes as soon as its last request ends.

use strict;
use warnings;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll send_request read_answer);

# Room for a machine that has other things to do.
my $Soon = $ENV{WA_GATEWAY_TEST_SANITIZE} ? 4 : 1.5;


sub gone {
    my ($ng) = @_;
    my $start = time;
    my $pid = $ng->{pid};

    my $gone = poll { waitpid($pid, POSIX::WNOHANG()) == $pid };
    delete $ng->{pid} if $gone;

    return time - $start;
}


for my $workers (1, 3) {
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $servers = join '', map { 'server ' . $_->name . ';' } @fakes;

    # With checks that passed, kept connections and idle clients.
    {
        my $ng = WaGateway::Nginx->start(workers => $workers,
            upstream => "wa_gateway; wa_gateway_check interval=200ms;
                         $servers keepalive 8;",
            location => 'proxy_http_version 1.1;
                         proxy_set_header Connection "";');

        ok((poll { $ng->status->{instances}{healthy} == 2 }), 'all are up');
        my $idle = $ng->request('POST', '/a', body => 'x', keep => 1);
        is($idle->{status}, 200, 'a client that stays');

        my $s = send_request($ng->port, 'POST', '/b?delay=1.5', body => 'x');
        ok((poll { scalar map { $_->ledger('/b') } @fakes }), 'a request');

        kill 'QUIT', $ng->{pid};
        is(read_answer($s, 'POST')->{status}, 200, 'QUIT: it is answered');
        close $s;
        cmp_ok(gone($ng), '<', $Soon, "$workers workers: then all is over");
        $ng->clean;
    }

    # Checks that hang, at each stage they may be in.
    for my $mode ('hang', 'half_head', 'half') {
        $_->mode($mode) for @fakes;

        my $ng = WaGateway::Nginx->start(workers => $workers,
            upstream => "wa_gateway; $servers
                         wa_gateway_check interval=100ms timeout=1h;");

        ok((poll { 2 == grep { scalar $_->ledger('/health') } @fakes }),
           "$mode: checks are on their way");

        my %old = map { $_ => 1 } $ng->worker_pids;
        $ng->write_conf;
        my $start = time;
        kill 'HUP', $ng->{pid};
        ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'a reload');
        cmp_ok(time - $start, '<', 2 * $Soon, 'no worker stays for them');

        for my $signal ('QUIT') {
            kill $signal, $ng->{pid};
            cmp_ok(gone($ng), '<', $Soon, "$mode, $signal: over at once");
        }

        $ng->clean;
        $_->mode('json') for @fakes;
        $_->forget for @fakes;
    }

    # At once.
    {
        my $ng = WaGateway::Nginx->start(workers => $workers,
            upstream => "wa_gateway; wa_gateway_check interval=100ms;
                         $servers");
        my $s = send_request($ng->port, 'POST', '/c?fake=hang', body => 'x');
        ok((poll { scalar map { $_->ledger('/c') } @fakes }), 'a request');
        kill 'TERM', $ng->{pid};
        cmp_ok(gone($ng), '<', $Soon, 'TERM: it is not waited for');
        $ng->clean;
    }
}

done_testing;
