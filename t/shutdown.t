#!/usr/bin/perl

# A process that is to go goes as soon as its last request ends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(poll send_request read_answer);

# Whatever could be waited for instead lasts an hour.
my $Soon = $ENV{WA_GATEWAY_TEST_SANITIZE} ? 4 : 1.5;
my $Idle = 'keepalive_timeout 1h;';


# One test: the signal, what is done then, and the end soon after it.
sub ends {
    my ($ng, $signal, $then, $name) = @_;
    my $pid = $ng->{pid};

    kill $signal, $pid;
    $then->();

    my ($start, $late) = (time, lateness());
    my $gone = poll { waitpid($pid, POSIX::WNOHANG()) == $pid };
    delete $ng->{pid} if $gone;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    soon($gone ? time - $start : 999, $Soon, $late, $name);
}


for my $workers (1, 3) {
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $servers = join '', map { 'server ' . $_->name . ';' } @fakes;

    # With checks that passed, kept connections and idle clients.
    {
        my $ng = WaGateway::Nginx->start(workers => $workers,
            upstream => "wa_gateway; wa_gateway_check interval=200ms;
                         $servers keepalive 8; $Idle", server => $Idle,
            location => 'proxy_http_version 1.1;
                         proxy_set_header Connection "";');

        ok((poll { $ng->status->{instances}{healthy} == 2 }), 'all are up');
        my $idle = $ng->request('POST', '/a', body => 'x', keep => 1);
        is($idle->{status}, 200, 'a client that stays');

        my $s = send_request($ng->port, 'POST', '/b?fake=held', body => 'x');
        ok((poll { scalar map { $_->ledger('/b') } @fakes }), 'a request');

        ends($ng, 'QUIT', sub {
            ok((poll { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $ng->port) }),
               'QUIT: no more are taken');
            $_->release for @fakes;
            is(read_answer($s, 'POST')->{status}, 200, 'it is answered');
            close $s;
        }, "$workers workers: then all is over");
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
        my ($start, $late) = (time, lateness());
        kill 'HUP', $ng->{pid};
        ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'a reload');
        soon(time - $start, 2 * $Soon, $late, 'no worker stays for them');

        ends($ng, 'QUIT', sub { }, "$mode, QUIT: over at once");

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
        ends($ng, 'TERM', sub { }, 'TERM: it is not waited for');
        $ng->clean;
    }
}

done_testing;
