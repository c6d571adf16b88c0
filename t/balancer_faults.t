#!/usr/bin/perl

# Which instance a request goes to when some fail or are busy, or have several
# addresses.  The order: balancer.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http send_request read_answer poll);
use WaGateway::Shim qw(shim);

my @fakes = map { WaGateway::Fake->new } 1 .. 4;
my %letter = map { 'http://' . $fakes[$_]->name => chr(65 + $_) } 0 .. 3;
my $dir = tempdir('wa-balancer-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;


# Servers A to D with parameters; the balancer before them.
sub upstream {
    my ($first, @params) = @_;
    my $n = 0;
    return "wa_gateway; $first "
           . join '', map { 'server ' . $fakes[$n++]->name . " $_;" } @params;
}


# The instances that answer n requests, one after the other.
sub order {
    my ($ng, $n) = @_;
    my $order = '';

    for (1 .. $n) {
        my $r = $ng->request('POST', '/o', body => 'x');
        my $name = $r->{headers}{'x-wa-instance'};
        $order .= $r->{status} != 200 ? "<$r->{status}>"
                : defined $letter{$name} ? $letter{$name} : '?';
    }

    return $order;
}


for my $workers (0, 4) {
    my $how = $workers ? "$workers workers" : 'one process';

    # backup
    my $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => upstream('wa_gateway_passive eject=1h;',
                             '', '', 'backup', 'backup'));
    is(order($ng, 4), 'ABAB', "backup serves not while another is up, $how");
    $fakes[0]->stop;
    like(order($ng, 4), qr/^B{4}$/, 'nor with one up');
    $fakes[1]->stop;
    my $cd = order($ng, 6);
    like($cd, qr/^(?:CDCDCD|DCDCDC)$/, 'only when no other is up');
    $_->start for @fakes[0, 1];
    $ng->clean;

    # max_conns
    $ng = WaGateway::Nginx->start(workers => $workers,
        upstream => upstream('wa_gateway_passive off;', 'max_conns=2',
                             'max_conns=3'));
    $_->forget for @fakes;

    my @open = map { send_request($ng->port, 'POST', '/w?fake=held',
                                  body => 'x') } 1 .. 5;
    ok(poll { $fakes[0]->count + $fakes[1]->count == 5 },
       "five requests are in flight, $how");

    my $r = $ng->request('POST', '/more', body => 'x');
    is($r->{status}, 503, "one more than max_conns of all is 503, $how");
    like($r->{body}, qr/"no_instances".*"sent":"no"/, 'nothing was sent');

    $_->release for @fakes[0, 1];
    is(scalar(grep { read_answer($_, 'POST')->{status} == 200 } @open), 5,
       'the five are answered');
    undef @open;

    is(join(' ', map { $_->max_busy } @fakes[0, 1]), '2 3',
       "max_conns holds across workers, $how");
    like(order($ng, 4), qr/^[AB]{4}$/, 'after that there is room again');

    # Far more than there is room for, at once, again and again
    $_->forget for @fakes;
    my %status;
    for my $round (1 .. 4) {
        my @pids = $ng->worker_pids;

        kill 'STOP', @pids;
        @open = map { send_request($ng->port, 'POST', '/w?fake=held',
                                   body => 'x') } 1 .. 40;
        kill 'CONT', @pids;

        # those that are held are the ones without an answer
        my %turned;
        poll {
            my $r = '';
            vec($r, fileno $_, 1) = 1 for @open;
            select $r, undef, undef, 0;
            %turned = map { $_ => 1 } grep { vec $r, fileno $open[$_], 1 }
                      0 .. $#open;
            keys %turned == 35
                && $fakes[0]->count + $fakes[1]->count == 5 * $round;
        };
        $_->release for @fakes[0, 1];
        $status{read_answer($_, 'POST')->{status}}++ for @open;
        undef @open;
    }
    is_deeply(\%status, { 200 => 4 * 5, 503 => 4 * 35 },
              'some are served, some not');

    for (1 .. 4) {
        @open = map { send_request($ng->port, 'POST', '/w?delay=0.02',
                                   body => 'x') } 1 .. 40;
        $status{read_answer($_, 'POST')->{status}}++ for @open;
        undef @open;
    }
    is(join(' ', sort keys %status), '200 503', 'nothing else comes of it');
    ok($fakes[0]->max_busy <= 2 && $fakes[1]->max_busy <= 3,
       "max_conns holds in a crowd, $how")
        or diag(join ' ', map { $_->max_busy } @fakes[0, 1]);
    ok(poll { my $d = $ng->status->{instances}{details};
              !grep { $_->{requests}{inFlight} } values %$d },
       'and all is given back');
    $ng->clean;

    # keepalive
    for my $keep ('wa_gateway_keepalive off;', 'keepalive 8;', '') {
        $_->forget for @fakes;
        $ng = WaGateway::Nginx->start(workers => $workers ? 1 : 0,
            upstream => upstream('', '', '', '') . $keep,
            location => 'proxy_http_version 1.1;
                         proxy_set_header Connection "";');
        is(order($ng, 9), 'ABCABCABC',
           "the order is the same with '$keep', $how");

        my %connections = map { $_->{connection} => 1 } $fakes[0]->ledger;
        is(scalar(keys %connections), $keep =~ /off/ ? 3 : 1,
           $keep =~ /off/ ? 'each has its connection'
                          : 'one connection is kept')
            if $keep || 1;
        is($ng->instance($fakes[0]->name)->{requests}{inFlight}, 0,
           'a connection that is kept is not in flight');
        $ng->clean;
    }
}


# unix: and IPv6
{
    my $unix = WaGateway::Fake->new(unix => "$dir/a.sock");
    my $six = eval { WaGateway::Fake->new(address => '::1') };

    my $ng = WaGateway::Nginx->start(workers => 2, upstream => 'wa_gateway; '
        . 'server ' . $unix->name . ';'
        . ($six ? 'server ' . $six->name . ';' : ''));

    my %seen;
    for (1 .. 4) {
        my $r = $ng->request('POST', '/u', body => 'x');
        $seen{"$r->{status} $r->{headers}{'x-wa-instance'}"}++;
    }

    is_deeply(\%seen, { "200 http://unix:$dir/a.sock" => $six ? 2 : 4,
        $six ? ('200 http://[::1]:' . $six->port => 2) : () },
        'unix: and IPv6 servers');
    is($ng->instance("unix:$dir/a.sock")->{requests}{total}, $six ? 2 : 4,
       'by that name in /status');

    $unix->stop;
    my $r = $ng->request('POST', '/u', body => 'x');
    $r = $ng->request('POST', '/u', body => 'x');
    is($ng->instance("unix:$dir/a.sock")->{reason}, 'connect ECONNREFUSED',
       'a socket nobody listens on is refused') if $six;
    $ng->clean;
}


# A name with several addresses is one instance, tried address by address.
{
    my $env = shim(names => { 'two.test' => ['127.0.0.2', '127.0.0.3'] });

    for my $which (2, 3) {
        my $two = WaGateway::Fake->new(address => "127.0.0.$which");
        my $name = 'two.test:' . $two->port;

        for my $lines ("server $name;", "wa_gateway_instances http://$name;") {
            my $ng = WaGateway::Nginx->start(
                workers => 2, env => $env,
                upstream => "wa_gateway; wa_gateway_passive eject=1h; $lines"
                            . 'server ' . $fakes[0]->name . ';');
            my $how = "where 127.0.0.$which listens, $lines";

            is(join(' ', sort keys %{$ng->status->{instances}{details}}),
               join(' ', sort "http://$name", 'http://' . $fakes[0]->name),
               "a name with two addresses is one instance, $how");

            my %seen;
            for my $method (qw(POST GET PUT DELETE POST POST)) {
                my $r = $ng->request($method, '/two', body => 'x');
                $seen{"$r->{status} $r->{headers}{'x-wa-instance'} "
                      . $r->{headers}{'x-wa-attempts'}}++;
            }

            is_deeply(\%seen, { "200 http://$name 1" => 3,
                                '200 http://' . $fakes[0]->name . ' 1' => 3 },
                      "it is tried address by address, $how");

            my $d = $ng->instance($name);
            is("$d->{state} $d->{requests}{total} $d->{requests}{failed}",
               'up 3 0', "and counted once a request, $how");
            $ng->clean;
        }

        # A reset after the request was written at one address is no reason
        # to write it to the other.
        my $other = WaGateway::Fake->new(port => $two->port,
            address => '127.0.0.' . (5 - $which));
        $_->mode('reset') for $two, $other;
        $_->forget for $two, $other;

        my $ng = WaGateway::Nginx->start(
            env => $env,
            upstream => "wa_gateway; wa_gateway_passive off; server $name;");
        my $r = $ng->request('POST', '/once', body => 'x');
        is("$r->{status} " . ($two->count + $other->count), '502 1',
           'a reset at one address is not repeated at the other');

        $_->stop for $two, $other;
        $r = $ng->request('POST', '/none', body => 'x');
        is("$r->{status} $r->{headers}{'x-wa-attempts'}", '502 1',
           'refused at both: one attempt on one instance');
        like($r->{body}, qr/"sent":"no"/, 'nothing was sent');
        is($ng->instance($name)->{requests}{failed}, 2, 'it failed each time');
        $ng->clean;

        # the retry at the other address may be one that nginx does not allow
        $ng = WaGateway::Nginx->start(env => $env,
            location => 'proxy_next_upstream off;',
            upstream => 'wa_gateway; wa_gateway_passive error_fails=2 eject=1h;'
                . "server $name; server " . $fakes[0]->name . ' backup;');

        $r = $ng->request('POST', '/declined', body => 'x');
        is("$r->{status} $r->{headers}{'x-wa-attempts'}", '502 1',
           'refused at one address, and the other one is not allowed');
        is($ng->instance($name)->{requests}{failed}, 1, 'that counts');

        my $alive = WaGateway::Fake->new(port => $two->port,
                                         address => '127.0.0.3');
        $r = $ng->request('POST', '/other', body => 'x');
        is($r->{status}, 200, 'the next request begins with the other one');

        $alive->stop;
        $ng->request('POST', "/declined$_", body => 'x') for 1 .. 2;

        my $d = $ng->instance($name);
        is("$d->{state}: $d->{reason}", 'down: connect ECONNREFUSED',
           'and it is taken out in the end');
        is($ng->request('POST', '/backup', body => 'x')->{status}, 200,
           'so that the backup is asked');
        $ng->clean;
    }
}

done_testing;
