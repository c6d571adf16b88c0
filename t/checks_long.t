#!/usr/bin/perl

# Thousands of checks over kept connections, and not one false failure:
# against nginx and against Node.  120 checks are an hour at 30 s.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my $Checks = $ENV{WA_GATEWAY_LONG_CHECKS} || 3000;
my $Node;


# nginx closes idle connections after 75 s, or after 100 requests here, or
# after 60 ms, which is just what the interval is.

my $instance = WaGateway::Nginx->new;
my @ports = map { WaGateway::Fake::free_port() } 1 .. 3;

$instance->{conf} = "http {
    access_log off;
    server { listen 127.0.0.1:$instance->{port}; }
    server { listen 127.0.0.1:$ports[0]; keepalive_requests 1000000;
             location / { return 200 '{\"state\":\"CONNECTED\"}'; } }
    server { listen 127.0.0.1:$ports[1]; keepalive_requests 100;
             location / { return 200 '{\"state\":\"CONNECTED\"}'; } }
    server { listen 127.0.0.1:$ports[2]; keepalive_timeout 60ms;
             location / { return 200 '{\"state\":\"CONNECTED\"}'; } }
}";
$instance->start;

my %ports = (plain => $ports[0], hundred => $ports[1], short => $ports[2]);
my %interval = (plain => '5ms', hundred => '5ms', short => '60ms');


# Node as people run it: idle connections closed after 5 s, 100 ms, 30 ms.

my $node = grep { -x "$_/node" } split /:/, $ENV{PATH};

if ($node) {
    $Node = node();
}

$interval{node} = '5ms';
$interval{$_} = '100ms jitter=20%' for qw(node100 node_chunked);
$interval{node30} = '30ms jitter=20%';

my %upstreams = map {
    my $name = $_;
    map { ("$name$_" => "server 127.0.0.1:$ports{$name};
             wa_gateway_check interval=$interval{$name} timeout=1h uri=/$_;
             wa_gateway_expect json \$.state = CONNECTED;") }
        $interval{$name} eq '5ms' ? 0 : (0 .. 9)
} keys %ports;

my $ng = several(\%upstreams, workers => 2);

# Enough are an hour of them; more, as long as that costs a minute at most.
my ($hour, $start) = (121, time);
my %d;

while (time < $start + 1800) {
    %d = map { $_ => details($_) } keys %upstreams;

    my %sum;
    for (keys %upstreams) {
        (my $name = $_) =~ s/\d$//;
        $sum{$name} += $d{$_}{checks}{passed};
    }

    last unless grep { $sum{$_} < $Checks / (/short|node./ ? 4 : 1) }
                keys %sum;
    last if time > $start + 60 && !grep { $_ < $hour } values %sum;
    sleep 0.5;
}

for my $name (sort keys %ports) {
    my ($passed, $failed) = (0, 0);

    for (grep { /^$name\d$/ } keys %upstreams) {
        $passed += $d{$_}{checks}{passed};
        $failed += $d{$_}{checks}{failed};
    }

    is($failed, 0, "$name: no false failure in $passed checks");
    cmp_ok($passed, '>=', $hour, 'more than an hour of them');
}

is(join("\n", $ng->logged(qr/ is down|could not be checked/)), '',
   'nothing went down');

SKIP: {
    skip 'no node here', 1 unless $node;
    ok(kill(0, $Node), 'Node is still there');
    kill 'KILL', $Node;
    waitpid $Node, 0;
    undef $Node;
}

$ng->clean;
$instance->clean;

done_testing();


sub details {
    my ($name) = @_;
    my ($d) = values %{JSON::PP::decode_json($ng->request('GET',
                  "/status/$name")->{body})->{instances}{details}};
    return $d;
}


sub node {
    $ports{$_} = WaGateway::Fake::free_port()
        for qw(node node100 node30 node_chunked);

    my $dir = tempdir('wa-node-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    open my $fh, '>', "$dir/server.js" or die;
    print $fh <<"END";
const http = require('http');
function serve(port, idle, chunked) {
    const server = http.createServer((req, res) => {
        const body = JSON.stringify({ state: 'CONNECTED' });
        if (chunked) { res.write(body.slice(0, 5)); res.end(body.slice(5)); }
        else { res.setHeader('Content-Length', body.length); res.end(body); }
    });
    if (idle) { server.keepAliveTimeout = idle; }
    server.listen(port, '127.0.0.1');
}
serve($ports{node}, 0, false);
serve($ports{node100}, 100, false);
serve($ports{node30}, 30, false);
serve($ports{node_chunked}, 100, true);
END
    close $fh;

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'node', "$dir/server.js" or POSIX::_exit(127);
    }

    for my $port (@ports{qw(node node100 node30 node_chunked)}) {
        poll { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port) }
            or die "node does not listen: " . WaGateway::Nginx::slurp("$dir/log");
    }

    return $pid;
}


END {
    if ($Node) {
        my $status = $?;
        kill 'KILL', $Node;
        waitpid $Node, 0;
        $? = $status;
    }
}
