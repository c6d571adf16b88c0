#!/usr/bin/perl

# Idle connections to instances, kept by instance.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll read_answer send_request);

my $fake = WaGateway::Fake->new(address => '0.0.0.0');
my $port = $fake->port;

my $Kept = 'proxy_http_version 1.1; proxy_set_header Connection "";';


sub start {
    my ($directive, $servers, $location, %more) = @_;

    $fake->forget;

    return WaGateway::Nginx->start(
        upstream => "wa_gateway; $directive "
                    . join('', map { "server $_:$port;" }
                               @{$servers || ['127.0.0.1']}),
        location => $location || $Kept, %more);
}


# How many connections carried the requests seen since start() or forget().
sub connections {
    my %seen = map { $_->{connection} => 1 } $fake->ledger('/x');
    return scalar keys %seen;
}


# Requests at the same time: as many connections are idle afterwards.
sub together {
    my ($ng, $n) = @_;
    my $seen = $fake->ledger('/t');
    my @clients = map { send_request($ng->port, 'POST', '/t?fake=held',
                                     body => 'x') } 1 .. $n;
    poll { $fake->ledger('/t') == $seen + $n };
    $fake->release;
    return grep { read_answer($_, 'POST')->{status} == 200 } @clients;
}


# As many clients send two requests each, one behind the other.  The worker
# gets all of the first answers at once, and takes connections for what comes
# next in the same turn.
sub pairs {
    my ($ng, $n) = @_;
    my ($worker) = $ng->worker_pids;
    my $request = "POST /t?delay=0.2 HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Length: 1\r\n\r\nx";

    together($ng, $n);
    $fake->forget;

    my @clients = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $ng->port) } 1 .. $n;
    syswrite $_, $request x 2 for @clients;
    poll { $fake->count >= $n };

    kill 'STOP', $worker;
    select undef, undef, undef, 0.3;
    kill 'CONT', $worker;

    for my $client (@clients) {
        my $text = '';
        until (2 == (() = $text =~ m{HTTP/1\.1 200 }g)) {
            sysread $client, $text, 65536, length $text or last;
        }
    }
}


{
    my $ng = start('');
    $ng->request('POST', '/x', body => 'x') for 1 .. 20;
    is(scalar($fake->ledger('/x')), 20, 'requests');
    is(connections(), 1, 'one after the other they share a connection');
    $ng->clean;
}

{
    my $ng = start('', undef, 'proxy_http_version 1.0;');
    $ng->request('POST', '/x', body => 'x') for 1 .. 5;
    is(connections(), 5, 'unless nginx asks for the connection to be closed');
    $ng->clean;
}

{
    my $ng = start('wa_gateway_keepalive off;');
    $ng->request('POST', '/x', body => 'x') for 1 .. 5;
    is(connections(), 5, 'or it is off');
    $ng->clean;
}

{
    my $ng = start('wa_gateway_keepalive connections=2;');

    is(scalar(together($ng, 4)), 4, 'four at a time');
    my %before = map { $_->{connection} => 1 } $fake->ledger('/t');

    $fake->forget;
    together($ng, 4);

    my %again = map { $_->{connection} => 1 }
                grep { $before{$_->{connection}} } $fake->ledger('/t');
    is(scalar(keys %again), 2, 'leave two connections with connections=2');
    $ng->clean;
}

{
    my $ng = start('wa_gateway_keepalive requests=3;');
    $ng->request('POST', '/x', body => 'x') for 1 .. 12;
    is(connections(), 4, 'a connection carries requests=3 and no more');
    $ng->clean;
}

{
    my $ng = start('wa_gateway_keepalive time=1ms;');
    $ng->request('POST', '/x?delay=0.05', body => 'x') for 1 .. 3;
    is(connections(), 3, 'nor is one kept that is older than time=');
    $ng->clean;
}

{
    my $ng = start('wa_gateway_keepalive timeout=300ms;');

    # each poll opens one more only if the one before was closed
    ok(poll {
        $ng->request('POST', '/x', body => 'x');
        select undef, undef, undef, 0.5;
        connections() > 1;
    }, 'an idle one is closed after timeout=');
    $ng->clean;
}

# ngx_http_upstream_keepalive_module with its usual 32 would keep none here.
{
    my @addresses = map { "127.0.1.$_" } 1 .. 40;
    my $ng = start('', \@addresses);

    $ng->request('POST', '/x', body => 'x') for 1 .. 3 * @addresses;
    is(scalar($fake->ledger('/x')), 120, 'requests to 40 instances');
    is(connections(), 40, 'each instance keeps its own connection');
    $ng->clean;
}

# keepalive of nginx has the last word where it stands
{
    my $ng = start('', undef, $Kept);
    $ng->clean;

    $fake->forget;
    $ng = WaGateway::Nginx->start(
        upstream => "wa_gateway; server 127.0.0.1:$port; keepalive 4;",
        location => $Kept);
    $ng->request('POST', '/x', body => 'x') for 1 .. 5;
    is(connections(), 1, 'nginx\'s own keepalive works beside');
    $ng->clean;
}

# The worker sees the next request before it sees that the instance closed.
for my $used (1, 3) {
    my $ng = start('wa_gateway_passive off;');
    my ($worker) = $ng->worker_pids;

    for my $method (qw(POST PUT PATCH DELETE GET)) {
        for my $hard (0, 1) {
            my $client;

            for (1 .. $used) {
                my $r = http($ng->port, 'GET', '/warm', keep => 1,
                             $client ? (socket => $client) : ());
                $client = $r->{socket};
            }

            $fake->forget;

            kill 'STOP', $worker;
            send_request($ng->port, $method, '/race', socket => $client,
                         $method eq 'GET' ? () : (body => 'x'));
            ok($fake->close_idle($hard), 'the idle connection is closed');
            kill 'CONT', $worker;

            my $r = read_answer($client, $method, socket => 1);
            is("$r->{status} " . $fake->ledger('/race'), '200 1',
               "$method over a connection closed a moment ago is sent once, "
               . "$used before");
        }
    }
    $ng->clean;
}

# Several at once, of which it knows none to be closed.
{
    my $ng = start('wa_gateway_passive off;');
    my ($worker) = $ng->worker_pids;
    my @clients;

    for (1 .. 3) {
        my @sent = map { send_request($ng->port, 'GET', '/warm?delay=0.1',
                                      keep => 1,
                                      $clients[$_]
                                      ? (socket => $clients[$_]) : ()) }
                       0 .. 7;
        @clients = map { read_answer($_, 'GET', socket => 1)->{socket} } @sent;
    }

    $fake->forget;
    kill 'STOP', $worker;
    send_request($ng->port, 'POST', '/race', socket => $_, body => 'x')
        for @clients;
    ok($fake->close_idle(0), 'eight idle connections are closed');
    kill 'CONT', $worker;

    my @status = map { read_answer($_, 'POST')->{status} } @clients;
    is("@status " . $fake->ledger('/race'), '200 ' x 8 . '8',
       'eight requests over them: each is sent once');
    $ng->clean;
}

# One look holds for all of an instance's connections for a turn of the event
# loop, unless it was seen closing one.
{
    my $ng = start('', undef, undef, level => 'debug');
    my $trusted = 'not looked at';

    ok((poll { pairs($ng, 8); $ng->log =~ $trusted } 60),
       'of connections used just now not each is looked at');

    ok($fake->close_idle(0), 'the instance closes its connections');
    together($ng, 8);

    my $before = () = $ng->log =~ /$trusted/g;
    pairs($ng, 8) for 1 .. 5;
    is(scalar(() = $ng->log =~ /$trusted/g), $before, 'each is from then on');
    $ng->clean;
}


# A body that is passed on as it comes may take longer than the answer before:
# its request has no time limit left from there.
{
    my $ng = start('', undef, $Kept . 'proxy_request_buffering off;
                                       proxy_read_timeout 500ms;');

    for (1 .. 3) {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $ng->port) or die "$!\n";
        $ng->request('POST', '/x', body => 'x') for 1 .. 2;

        print {$s} "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                   . "\r\na";
        select undef, undef, undef, 1;
        print {$s} 'b';
        is(read_answer($s, 'POST')->{status}, 200, 'a slow body is waited for');
    }

    $ng->clean;
}


for (['connections=0', 'connections=0'], ['timeout=0', 'timeout=0'],
     ['foo=1', 'foo=1'], ['connections=2 connections=3', 'connections=3'])
{
    my ($args, $bad) = @$_;
    my $ng = WaGateway::Nginx->new(
        upstream => "wa_gateway; wa_gateway_keepalive $args;
                     server 127.0.0.1:$port;");
    my ($status, $out) = $ng->test;
    isnt($status, 0, "wa_gateway_keepalive $args is refused");
    like($out, qr/\[emerg\] .*"\Q$bad\E"/, 'by its name');
}

done_testing();
