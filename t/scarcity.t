#!/usr/bin/perl

# What runs out here is no instance's fault: the request gets an error, the
# log says why, nobody crashes, nobody is blamed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Memory;
use WaGateway::Nginx qw(poll send_request read_answer);

my @fakes = map { WaGateway::Fake->new } 1 .. 2;
my $servers = join '', map { 'server ' . $_->name . ';' } @fakes;
my $check = 'wa_gateway_check interval=200ms timeout=1h;';


package Scarce;

our @ISA = ('WaGateway::Nginx');

sub preamble {
    my ($self) = @_;
    my $text = $self->SUPER::preamble;
    $text =~ s/worker_connections 1024/worker_connections $self->{connections}/
        if $self->{connections};
    return $text;
}

package main;


sub blamed {
    my ($ng) = @_;
    return join ', ', map { $_->{reason} || $_->{to} }
                      grep { $_->{to} eq 'down' } @{$ng->status->{events}};
}


# Ends as it should: no signal, no alert but those that $but names.
sub sound {
    my ($ng, $name, $but) = @_;

    $ng->stop;

    my @bad = grep { /\[(?:alert|emerg)\]|exited on signal|runtime error/
                     && !($but && /$but/) } split /\n/, $ng->log;

    is(join("\n", @bad), '', "$name: no crash");
}


# Clients that hold what there is little of until the log tells; what came.
sub exhaust {
    my ($ng, $most, $line) = @_;
    my (@held, %got);

    for my $n (1 .. $most) {
        my $s = send_request($ng->port, 'POST', "/h$n?fake=hang", body => 'x')
            or last;
        push @held, $s;
    }

    poll { scalar $ng->logged($line) };

    # some may be answered, who waits for an instance is not
    for my $s (@held) {
        my $r = '';
        vec($r, fileno $s, 1) = 1;
        next unless select($r, undef, undef, 0.05) > 0;
        my $answer = read_answer($s, 'POST');
        $got{$answer->{status}}++;
    }

    return (\%got, @held);
}


# Clients that have begun to speak: each takes what comes free, and keeps it.
sub occupy {
    my ($ng, $most) = @_;

    return map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $ng->port)
            or die "cannot connect: $!";
        syswrite $s, 'POST /o';
        $s;
    } 1 .. $most;
}


for (['descriptors', 'socket\(\) failed \(24',
      { main => 'worker_rlimit_nofile 30;' }],
     ['connections', 'worker_connections are not enough',
      { connections => 24 }])
{
    my ($name, $line, $o) = @$_;
    my ($once) = $check =~ /(.*);/;
    my $ng = Scarce->start(%$o, location => 'proxy_read_timeout 1h;',
        server => 'client_header_timeout 1h;',
        upstream => "wa_gateway; $once keepalive=off; $servers");

    ok((poll { $ng->status->{instances}{healthy} == 2 }), "$name: all are up");

    my ($got, @held) = exhaust($ng, 40, $line);
    my $many = join ' ', map { "$_: $got->{$_}" } sort keys %$got;

    ok((poll { scalar $ng->logged($line) }), "$name: the log says so");
    is(join(' ', grep { $_ !~ /^(?:0|500)$/ } keys %$got), '',
       "$name: no error that blames an instance ($many)");

    # Checks go on meanwhile, as far as they can.
    push @held, occupy($ng, 40);

    ok((poll { scalar $ng->logged('could not be checked') }),
       "$name: a check that could not be made is told of");

    close $_ for @held;
    @held = ();

    ok((poll { eval { $ng->status->{instances}{healthy} == 2 } }),
       "$name: all are up when it is over");
    is(blamed($ng), '', "$name: and were all the time");
    is($ng->request('POST', '/after', body => 'x')->{status}, 200,
       "$name: requests go on");

    sound($ng, $name, 'worker_connections are not enough|socket\\(\\) failed \\(24');
}


# A disk that is full.
SKIP: {
    my $dir = tempdir(CLEANUP => 1);

    skip 'a small disk takes root', 7
        unless $> == 0 && system("mount -t tmpfs -o size=128k,mode=777 tmpfs "
                                 . "$dir 2>/dev/null") == 0;

    my $ng = WaGateway::Nginx->start(
        upstream => "wa_gateway; $check $servers",
        server => "client_body_temp_path $dir;");

    ok((poll { $ng->status->{instances}{healthy} == 2 }), 'disk: all are up');
    $_->forget for @fakes;

    my $r = $ng->request('POST', '/big', body => 'x' x 1_000_000);
    is($r->{status}, 500, 'disk: a body that has no room');
    is(($r->{body} =~ /"sent":"(\w+)"/)[0], 'no', 'disk: is not sent');
    is(scalar(map { $_->ledger('/big') } @fakes), 0, 'disk: to nobody');
    ok(scalar($ng->logged('No space left on device')),
       'disk: the log says so');
    is($ng->request('POST', '/small', body => 'x')->{status}, 200,
       'disk: one that has goes through');
    is($ng->request('POST', '/fits', body => 'x' x 60_000)->{status}, 200,
       'disk: one that fits too');
    is(blamed($ng), '', 'disk: nobody is blamed');

    sound($ng, 'disk');
    system("umount $dir") == 0 or diag("$dir stays mounted");
}


# Memory: the n-th allocation fails, for each n.
SKIP: {
    my $short = WaGateway::Memory->new or skip 'no compiler, or a sanitizer', 1;

    for my $case (['', 'POST', '/m', 1], ['', 'GET', '/status', 0],
                  ['', 'GET', '/metrics', 0], ['', 'GET', '/health', 0],
                  ['wa_gateway_envelope on; proxy_http_version 1.1;', 'POST',
                   '/e', 1],
                  ['wa_gateway_api_key secret;', 'POST', '/k', 0],
                  ["$check keepalive 4;", '', '', 0])
    {
        memory($short, @$case);
    }
}


# A zone that has no room left for what a reload brings.
{
    my $ng = WaGateway::Nginx->start(workers => 1,
        upstream => "wa_gateway zone=u:96k; $servers");

    my @held;
    my $full = 0;

    for my $n (1 .. 30) {
        push @held, send_request($ng->port, 'POST', "/z$n?fake=hang",
                                 body => 'x');
        poll { scalar map { $_->ledger("/z$n") } @fakes };

        $ng->{upstream} = 'wa_gateway zone=u:96k;'
            . join '', map { "server 127.0.0.1:" . (10000 + 10 * $n + $_)
                             . ' backup;' } 1 .. 5;
        $ng->{upstream} .= $servers;
        $ng->write_conf;

        my $generation = $ng->status->{gateway}{generation};
        kill 'HUP', $ng->{pid};
        poll { $ng->status->{gateway}{generation} > $generation
               || $ng->logged('zone "u".*(?:full|too small)') };
        $full = $ng->logged('zone "u".*(?:full|too small)') and last;
    }

    ok($full, 'zone: old configurations fill it, the log says so');
    is($ng->request('POST', '/zz', body => 'x')->{status}, 200,
       'zone: requests go on');
    is(blamed($ng), '', 'zone: nobody is blamed');

    my $old = $ng->worker_pids;
    cmp_ok($old, '>', 1, "zone: workers of old configurations: $old");
    close $_ for @held;
    ok((poll { $ng->worker_pids == 1 }), 'zone: they go');

    ok($ng->reload, 'zone: now there is room');
    is($ng->status->{instances}{total}, 7, 'zone: for all');

    sound($ng, 'zone', 'zone "u".*(?:full|too small)');
}

done_testing;


sub memory {
    my ($short, $conf, $method, $path, $body) = @_;
    my $name = 'memory, ' . ($method ? "$method $path" : 'checks');
    my ($upstream, $location) = $method ? ('', $conf) : ($conf, '');

    my $ng = WaGateway::Nginx->start(workers => 1, level => 'error',
        env => $short->env,
        upstream => "wa_gateway; $upstream $servers", location => $location,
        server => 'location = /metrics { wa_gateway_metrics; }');

    my $pid;
    poll { ($pid) = $ng->worker_pids };
    my (%got, $n);

    # a worker that is still starting has a right to die of it
    poll { $ng->request('GET', '/health')->{status} == 200 };

    for ($n = 1; $n < 400; $n++) {
        $short->fail_at($n);

        if ($method) {
            my $r = $ng->request($method, $path, body => $body ? 'x' : undef,
                                 timeout => 5);
            $got{$r->{status}}++;

        } else {
            my $seen = checks();
            poll { $short->left <= 0 || checks() > $seen + 12 };
        }

        last if $short->fail_at(0) > 0;
        last if !$method && $n > 60;
    }

    my @odd = grep { !/^(?:0|2\d\d|401|500)$/ } keys %got;
    my $many = join ' ', map { "$_: $got{$_}" } sort keys %got;

    cmp_ok($n, '>', 1, "$name: $n allocations failed, one by one ($many)");
    is("@odd", '', "$name: no error that blames an instance");

    my $r = $ng->request('POST', '/after', body => 'x',
                         headers => ['X-Api-Key: secret']);
    is($r->{status}, 200, "$name: requests go on");
    is(blamed($ng), '', "$name: nobody is blamed");
    is(join(' ', $ng->worker_pids), $pid, "$name: the worker lives");

    ok((poll { ; my $d = $ng->status->{instances}{details};
               !grep { $_->{requests}{inFlight} } values %$d }),
       "$name: nothing is left in flight");

    sound($ng, $name, 'malloc|memory|failed \(12:');
}


sub checks { return scalar map { $_->ledger('/health') } @fakes }

