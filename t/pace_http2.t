#!/usr/bin/perl

# Messages that wait for budget, of clients that speak HTTP/2: who leaves loses
# its place and spends nothing, whether it resets its stream or closes the
# connection; at a stop those that wait are sent, or are not and it is told.
# The same over HTTP/1.1: pace.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);
use WaGateway::Cheap qw(send_many text);
use WaGateway::Fake;
use WaGateway::Http2;
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(sessions);

my $cheap = WaGateway::Cheap->new(1, bodies => 1);
my @to = map { sprintf '96651%07d', $_ } 1 .. 20;
my $http2;

$cheap->sessions(0, a => '966500000001');


sub paced {
    my ($pace, %o) = @_;

    $http2 = WaGateway::Fake::free_port();

    my $ng = WaGateway::Nginx->start(workers => 1, %o,
        http => "keepalive_requests 1000000;\n" . $cheap->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100;\n" . $cheap->upstream
            . "wa_gateway_check interval=100ms;\n"
            . "wa_gateway_pace $pace;\n",
        server => <<"END");
listen 127.0.0.1:$http2 http2;
location = /sessions { wa_gateway_sessions u; }
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
END
    $cheap->settled($ng, 1);
    $cheap->forget;

    return $ng;
}


sub pace { return sessions($_[0])->{sessions}[0]{pace} }


# One after the other: each waits before the next one comes.  Returns streams.
sub held {
    my ($ng, $client, @bodies) = @_;
    my $before = pace($ng)->{waiting};

    return map {
        my $path = ref $_ ? $_->[0] : '/send-message';
        my $id = $client->post($path, ref $_ ? $_->[1] : $_);
        my $n = ++$before;
        poll { pace($ng)->{waiting} == $n } or die "not held: $n\n";
        $id
    } @bodies;
}


sub said {
    my ($client, $id) = @_;
    my $body = $client->answer($id);
    return 'nothing' unless defined $body;
    my $json = eval { JSON::PP::decode_json($body) } || {};
    return $json->{success} ? 'sent' : join ' ', map { defined() ? $_ : '-' }
                                             @$json{qw(code sent)};
}


# A stream that is reset, while those before and behind it stay.
{
    my $ng = paced('number=1/s day=100 wait=20s');
    my $client = WaGateway::Http2->new($http2);

    is(said($client, $client->post('/send-message', text($to[0]))), 'sent',
       'a message over HTTP/2');

    my @id = held($ng, $client, map({ text($_) } @to[1 .. 3]),
                  ['/native/send?session=a', '{}'], text($to[4]));
    is(pace($ng)->{dayLeft}, 94, 'they have claimed what they will spend');

    # the last one, the one in the middle, the native one
    $client->leave($id[4]);
    ok(poll { pace($ng)->{waiting} == 4 }, 'the last one leaves');
    $client->leave($_) for @id[1, 3];
    ok(poll { pace($ng)->{dayLeft} == 97 }, 'others leave');

    my ($new) = $client->post('/send-message', text($to[5]));
    is(join(' ', map { said($client, $_) } @id[0, 2], $new), 'sent sent sent',
       'those that stayed are sent, and one that came then');
    is(join(' ', map { $_->{to} || 'native' } $cheap->ledger(4)),
       join(' ', @to[0, 1, 3, 5]), 'in order, and nothing of who left');

    my @time = map { $_->{time} } $cheap->ledger(4);
    cmp_ok($time[$_] - $time[$_ - 1], '>', 0.9, "none before its time: $_")
        for 1 .. 3;
    is(pace($ng)->{dayLeft}, 96, 'who left has spent nothing');
    is(said($client, $client->post('/send-message', text($to[6]))), 'sent',
       'the connection is as it was');
    is(scalar($ng->logged(qr/\[(?:alert|crit|error)\]/)), 0, 'and no error');
    $client->close;
    $ng->clean;
}


# The connection is closed, with many that wait.
{
    $cheap->forget;
    my $ng = paced('number=1/m burst=2 day=100 wait=10m');
    my $client = WaGateway::Http2->new($http2);
    my $other = WaGateway::Http2->new($http2);

    said($client, $client->post('/send-message', text($to[0])));
    said($client, $client->post('/send-message', text($to[1])));
    held($ng, $client, map({ text($_) } @to[2 .. 4]),
         ['/native/send?session=a', '{}']);
    my ($stays) = held($ng, $other, text($to[5]));
    is(pace($ng)->{dayLeft}, 93, 'five wait on two connections');

    $client->close;
    ok(poll { pace($ng)->{dayLeft} == 97 }, 'the one with four is closed');
    cmp_ok(pace($ng)->{waiting}, '>', 0, 'the fifth waits still');
    $other->leave($stays);
    ok(poll { pace($ng)->{dayLeft} == 98 && pace($ng)->{waiting} == 0 },
       'none waits when that leaves');
    is(scalar(my @two = $cheap->ledger), 2, 'none of them was sent');
    $other->close;
    is(scalar($ng->logged(qr/\[(?:alert|crit|error)\]/)), 0, 'and no error');
    $ng->clean;
}


# A stop and a reload, while they wait: they go.
for my $signal ('QUIT', 'HUP') {
    $cheap->forget;
    my $ng = paced('number=2/s wait=20s', workers => 2);
    my $client = WaGateway::Http2->new($http2);

    said($client, $client->post('/send-message', text($to[0])));
    my @id = map { $client->post($_->[0], $_->[1]) }
             map({ ['/send-message', text($_)] } @to[1 .. 3]),
             ['/native/send?session=a', '{}'];
    ok(poll { pace($ng)->{waiting} == 4 }, 'four wait');
    kill $signal, $ng->{pid};

    is(join(' ', map { said($client, $_) } @id[0 .. 2]), 'sent sent sent',
       "$signal: they are sent");
    is($client->answer($id[3]), '{}', 'the native one, too');
    is(scalar(my @five = $cheap->ledger(5)), 5, 'once');
    ok(poll { !$client->read }, 'then the connection ends')
        if $signal eq 'QUIT';
    $client->close;
    $ng->clean;
}


# A stop that does not wait for them: they are not sent, over HTTP/2 and 1.1,
# and who is told anything is told so.
{
    $cheap->forget;
    my $ng = paced('number=12/h wait=1h',
                   main => 'worker_shutdown_timeout 200ms;');
    my $client = WaGateway::Http2->new($http2);

    said($client, $client->post('/send-message', text($to[0])));
    my @id = held($ng, $client, map { text($_) } @to[1, 2]);
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die "$!\n";
    my $body = text($to[3]);
    WaGateway::Nginx::put($s, "POST /send-message HTTP/1.1\r\nHost: a\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body");
    ok(poll { pace($ng)->{waiting} == 3 }, 'three wait');

    kill 'QUIT', $ng->{pid};
    like(said($client, $_), qr/^(?:nothing|no_instances no)$/,
         'it was not sent') for @id;
    local $/;
    like(<$s>, qr/^(?:HTTP\/1.1 503 .*"sent":"no".*)?\z/s, 'nor was the other');
    $client->close;
    $ng->clean;
    is(scalar(my @one = $cheap->ledger), 1, 'the instance saw one');
}

done_testing;
