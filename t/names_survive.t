#!/usr/bin/perl

# What is known of names outlives reloads, killed workers and name servers that
# are silent; names of the hosts file, of the system's name server, and those
# that are added at run time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Dns;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Shim qw(shim);

my $two = WaGateway::Fake->new(address => '127.0.0.2');
my $port = $two->port;
my $three = WaGateway::Fake->new(address => '127.0.0.3', port => $port);
my @Json = ('X-Api-Key: admin', 'Content-Type: application/json');


sub conf {
    my (%o) = @_;

    return (
        workers => 2, level => 'notice',
        upstream => 'wa_gateway zone=' . ($o{zone} || 'u:1m') . ' '
                    . ($o{args} || 'dns_refresh=200ms') . ';'
                    . 'wa_gateway_check interval=100ms;'
                    . ($o{upstream}
                       || "wa_gateway_instances http://waha.test:$port;"),
        $o{dns} ? (http => 'resolver ' . $o{dns}->address
                           . '; resolver_timeout '
                           . ($o{patience} || '1s') . ';') : (),
        server => 'wa_gateway_admin_key admin;'
                  . 'location = /instances { wa_gateway_control u; }',
        %{$o{more} || {}});
}


sub state_of {
    my ($ng, $name) = @_;
    my $i = $ng->instance("$name:$port") or return 'none';
    return join ': ', grep { defined } @$i{qw(state reason)};
}


sub taken {
    my ($ng) = @_;
    return join ' ', map { $ng->request('POST', '/m', body => 'x')->{status} }
                     1 .. 4;
}


sub seen {
    my ($fake, $method) = @_;
    return scalar grep { $_->{method} eq $method } $fake->ledger;
}


# These were killed, which is told; nothing else is.
sub end {
    my ($ng, @killed) = @_;
    my $killed = join '|', @killed;

    $ng->stop;
    is(join("\n", grep { !/process (?:$killed) exited on signal 9/
                               && !/was locked by (?:$killed)\b/ }
                       $ng->logged(qr/\[(?:alert|crit|emerg)\]/)), '',
       'nothing bad is logged');
}


sub control {
    my ($ng, $method, $name, $body) = @_;

    my $r = $ng->request($method,
                         '/instances' . (defined $name ? "?name=$name" : ''),
                         headers => \@Json,
                         $body ? (body => encode_json($body)) : ());

    $r->{json} = eval { decode_json($r->{body}) } if length $r->{body};

    return $r;
}


{
    my %silent = ('' => { silent => 1 });
    my $dns = WaGateway::Dns->new(%silent);
    my $ng = WaGateway::Nginx->start(conf(dns => $dns));

    ok((poll { state_of($ng, 'waha.test') eq 'down: name not found' }),
       'a silent name server: the gateway starts');
    ok($ng->reload, 'and takes another configuration');
    ok((poll { state_of($ng, 'waha.test') eq 'down: name not found' }),
       'still without the name');

    $dns->set('waha.test' => { a => ['127.0.0.2'] });
    ok((poll { state_of($ng, 'waha.test') eq 'up' }), 'then it is there');

    $dns->set(%silent);
    ok((poll { $ng->logged(qr/its last addresses stay/) }), 'silent again');
    ok($ng->reload, 'a reload');
    is(state_of($ng, 'waha.test'), 'up', 'changes nothing');
    is(taken($ng), '200 200 200 200', 'for messages either');
    ok($ng->reload(conf(dns => $dns, zone => 'u:2m')), 'nor does another zone');
    is(state_of($ng, 'waha.test'), 'up', 'it takes over what was known');
    is(taken($ng), '200 200 200 200', 'all of it');

    my %before = map { $_ => 1 } $ng->worker_pids;
    kill KILL => keys %before;
    ok((poll { my @pids = grep { !$before{$_} } $ng->worker_pids; @pids == 2 }),
       'workers are killed');
    is(taken($ng), '200 200 200 200', 'their successors know it');

    $dns->set('waha.test' => { a => ['127.0.0.3'] });
    ok((poll { $ng->logged(qr/is found at 127\.0\.0\.3/) }),
       'and look it up again');
    ok((poll { seen($three, 'GET') }), 'it is checked');
    my $before = $two->count;
    my $checks = seen($three, 'GET');
    is(taken($ng), '200 200 200 200', 'messages go');
    ok((poll { seen($three, 'GET') > $checks + 2 }), 'and checks');
    is($two->count, $before, 'where it is now, and nowhere else');

    # as many addresses as there are, with room for some of them
    $dns->set('waha.test' => { a => ['127.0.0.2',
                                     map { "127.1.1.$_" } 1 .. 60] });
    ok((poll { $ng->logged(qr/is found at 127\.0\.0\.2:\d+ and others/) }),
       'more addresses than there is room for');
    is(taken($ng), '200 200 200 200', 'are no harm');
    end($ng, keys %before);
}


# dns_refresh=0
{
    my $dns = WaGateway::Dns->new('waha.test' => { a => ['127.0.0.2'] });

    # an answer that a slow machine has late is not asked for again
    my %conf = (dns => $dns, args => 'dns_refresh=0', patience => '60s');
    my $ng = WaGateway::Nginx->start(conf(%conf));

    ok((poll { state_of($ng, 'waha.test') eq 'up' }), 'never again: up');
    $dns->set('waha.test' => { a => ['127.0.0.3'] });

    my %before = map { $_ => 1 } $ng->worker_pids;
    kill KILL => keys %before;
    ok((poll { my @pids = grep { !$before{$_} } $ng->worker_pids; @pids == 2 }),
       'not by the next workers');
    ok($ng->reload(conf(%conf, upstream =>
        "wa_gateway_instances http://waha.test:$port http://b.test:$port;")),
       'a reload with another one');
    ok((poll { $ng->logged(qr/waha.*is found at 127\.0\.0\.3/) }),
       'looks it up once');
    ok($dns->wait_for('^A b', 2), 'and what is not there again and again');
    is(join(' ', scalar $dns->asked('^A waha'),
                 scalar $dns->asked('^AAAA waha')), '2 2', 'no more');
    end($ng, keys %before);
}


# The system's: its hosts file, its name server, its domains.
{
    my $dns = WaGateway::Dns->new('waha.two.test' => { a => ['127.0.0.2'] },
                                  'a.b.test' => { a => ['127.0.0.2'] },
                                  'dot' => { a => ['127.0.0.2'] },
                                  'hid.one.test' => { rcode => 2 },
                                  'hid.two.test' => { a => ['127.0.0.2'] },
                                  'pinned.two.test' => { a => ['127.0.0.4'] });
    my $env = shim(names => { pinned => ['127.0.0.2'] },
                   resolv => "# none\nnameserver [127.0.0.1]:" . $dns->port
                             . "\nsearch one.test two.test\n");
    my @names = qw(waha a.b.test dot. pinned);
    my $hid = "http://hid:$port";
    my $ng = WaGateway::Nginx->start(conf(
        args => 'capacity=2', more => { env => $env },
        upstream => 'wa_gateway_instances '
                    . join(' ', $hid, map { "http://$_:$port" } @names)
                    . ';'));

    ok((poll { !grep { state_of($ng, $_) ne 'up' } @names }), 'all are up');
    ok($dns->wait_for('^A hid', 2), 'all are looked up');
    my %asked = map { $_ => 1 } $dns->asked('^A ');
    is(join(', ', sort keys %asked),
       'A a.b.test, A dot, A hid.one.test, A waha.one.test, A waha.two.test',
       'a name is looked for where the system says');
    is(state_of($ng, 'hid'), 'down: name not found',
       'what fails is not looked for elsewhere');
    is(scalar($ng->logged(qr/pinned:\d+ is found at/)), 0,
       'one of the hosts file is not looked up');

    is(control($ng, 'DELETE', "http://$_:$port")->{status}, 204, "$_ goes")
        for @names, 'hid';
    is(control($ng, 'POST', undef, { url => "http://PINNED:$port" })->{status},
       201, 'one of the hosts file is added');
    ok((poll { taken($ng) eq '200 200 200 200' }), 'it gets what comes');
    is(scalar($dns->asked('pinned')), 0, 'without a question');
    $ng->clean;
}


# Added at run time.
{
    my $dns = WaGateway::Dns->new;
    my $ng = WaGateway::Nginx->new(conf(
        dns => $dns, args => 'capacity=2 dns_refresh=200ms',
        upstream => 'server 127.0.0.1:1 down;'));
    my $file = "$ng->{dir}/state/u.json";
    $ng->{upstream} .= "wa_gateway_state $file;";
    $ng->start;

    for my $bad ('http://a..b:1', 'http://-:0', 'http://1.2.3.400:1',
                 'http://' . 'a' x 64 . ':1')
    {
        my $r = control($ng, 'POST', undef, { url => $bad });
        is(join(' ', $r->{status}, $r->{json}{member}), '400 url', $bad);
    }

    my $url = "http://late.test:$port";
    my $r = control($ng, 'POST', undef, { url => $url });
    is("$r->{status} $r->{json}{state}", '201 checking', 'a name is added');
    ok((poll { state_of($ng, 'late.test') eq 'down: name not found' }),
       'which is not there');
    is(taken($ng), '503 503 503 503', 'yet');
    $dns->set('late.test' => { a => ['127.0.0.2'] });
    ok((poll { state_of($ng, 'late.test') eq 'up' }), 'it comes');
    is(taken($ng), '200 200 200 200', 'and gets all');

    $dns->set('' => { silent => 1 });
    ok($ng->reload, 'a reload');
    is(taken($ng), '200 200 200 200', 'it stays where it was');
    my $upstream = $ng->{upstream} =~ s/u:1m/u:2m/r;
    ok($ng->reload(upstream => $upstream), 'another zone');
    is(taken($ng), '200 200 200 200', 'it goes over');

    unlike(slurp($file), qr/127\.0\.0\.2/, 'its address is not kept');
    $ng->stop;
    $ng->start;
    ok((poll { state_of($ng, 'late.test') eq 'down: name not found' }),
       'it is not known after a restart');
    $dns->set('late.test' => { a => ['127.0.0.3'] });
    ok((poll { state_of($ng, 'late.test') eq 'up' }), 'until it is found');

    is(control($ng, 'DELETE', $url)->{status}, 204, 'it is removed');
    ok((poll { state_of($ng, 'late.test') eq 'none' }), 'it is gone');
    my $asked = $dns->asked;
    is(control($ng, 'POST', undef, { url => "http://next.test:$port" })
           ->{status}, 201, 'another one is added');
    ok($dns->wait_for('^A next', 3), 'and looked up');
    cmp_ok(scalar $dns->asked('late'), '<=', $asked + 2, 'the first no more');
    $ng->clean;
}


# "server name resolve;" is of nginx 1.27.3.
{
    my $dns = WaGateway::Dns->new('waha.test' => { a => ['127.0.0.2'] });
    my @resolve = (dns => $dns,
                   upstream => "server waha.test:$port resolve;");
    my $service = 'server waha.test service=http resolve;';
    my ($status, $text) = WaGateway::Nginx->new(conf(@resolve))->test;

    my ($version) = `$ENV{TEST_NGINX_BINARY} -v 2>&1` =~ m{nginx/([0-9.]+)};
    my ($minor, $patch) = $version =~ /^1\.([0-9]+)\.([0-9]+)/;

    if ($minor > 27 || $minor == 27 && $patch >= 3) {
        my $ng = WaGateway::Nginx->start(conf(@resolve));
        ok((poll { state_of($ng, 'waha.test') eq 'up' }),
           'a server that is to be resolved is');
        is(taken($ng), '200 200 200 200', 'and asked there');
        $ng->clean;

        ($status, $text) =
            WaGateway::Nginx->new(conf(upstream => $service))->test;
        like($text, qr/"service" is not supported/, 'but not by service');

    } else {
        like($text, qr/\[emerg\].*invalid parameter "resolve"/,
             'nginx says that it does not know it');
    }
}


done_testing;
