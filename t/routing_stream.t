#!/usr/bin/perl

# A WebSocket and server-sent events go to the session that they name, which is
# looked for before the upgrade; what is refused is no stream of anybody's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use WaGateway::Nginx qw(send_request read_answer poll);
use WaGateway::Sessions qw(gateway differs known);
use WaGateway::Vendor;

# As in nginx.conf.example.
my %Conf = (
    http => <<'END',
map $http_upgrade $wa_upgrade { "~*^websocket$" $http_upgrade; default ""; }
map $wa_upgrade $wa_connection { "" ""; default upgrade; }
map "$request_method|$wa_upgrade|$http_accept" $wa_stream {
    "~^GET\|[^|]" 1;
    "~*^GET\|.*\|.*text/event-stream" 1;
    default "";
}
proxy_http_version 1.1;
proxy_set_header Connection $wa_connection;
proxy_set_header Upgrade $wa_upgrade;
END
    server => 'location @stream {
                   proxy_buffering off;
                   proxy_read_timeout 1h;
                   proxy_pass http://u;
               }',
    location => 'error_page 418 = @stream; if ($wa_stream) { return 418; }',
);

my @Socket = ('Upgrade: websocket', 'Connection: Upgrade',
              'Sec-WebSocket-Version: 13',
              'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');

# Where a session is named, for a WebSocket and for events.
my %Path = (
    waha => ['/ws?session=%s', '/api/%s/groups'],
    wwebjs => ['/ws/%s', '/client/getState/%s'],
);

my %Blocked = (
    waha => ['/api/server/debug/browser/trace/main', '/api/server/debug/cpu'],
    wwebjs => ['/session/terminate/main', '/session/stop/main'],
);



# Begins one: the socket and the head of its answer.
sub begin {
    my ($ng, $path, @headers) = @_;
    my $s = send_request($ng->port, 'GET', $path, headers => \@headers,
                         keep => 1);
    my $stream = { s => $s, in => '' };

    poll { more($stream); $stream->{in} =~ /\r\n\r\n/ };
    ($stream->{head}, $stream->{in}) = split /\r\n\r\n/, $stream->{in}, 2;
    ($stream->{status}) = ($stream->{head} || '') =~ m{^HTTP/1\.1 (\d+)};

    return $stream;
}


# False at the end.
sub more {
    my ($stream) = @_;

    $stream->{s}->blocking(0);
    my $n = sysread $stream->{s}, $stream->{in}, 65536, length $stream->{in};
    $stream->{ended} = 1 if defined $n && !$n;
}


sub hears {
    my ($stream, $text) = @_;
    return poll { more($stream); index($stream->{in}, $text) >= 0 };
}


sub says {
    my ($stream, $text) = @_;

    $stream->{s}->blocking(1);
    syswrite $stream->{s}, $text;
}


sub refused {
    my ($ng, $path, @headers) = @_;
    my $r = read_answer(send_request($ng->port, 'GET', $path,
                                     headers => \@headers), 'GET');
    my $json = eval { JSON::PP::decode_json($r->{body}) } || {};

    return "$r->{status} " . ($json->{code} || $r->{body});
}




for my $vendor (sort keys %Path) {
    my ($socket, $events) = @{$Path{$vendor}};

    my @fakes = map { WaGateway::Vendor->new($vendor, key => 'geheim-1',
                                             wait => 0, sessions => $_) }
        [{ name => 'main', number => '966500000001' },
         { name => 'out', number => '966500000003', state => 'login' }],
        [{ name => 'support', number => '966500000002' },
         { name => 'shared', number => '966500000004' }],
        [{ name => 'shared', number => '966500000005' }];
    my %at = (main => 0, out => 0, support => 1);

    my $ng = gateway(fakes => \@fakes, workers => 2, %Conf)->start;
    is(differs($ng, @fakes), undef, "$vendor: all sessions are known");

    # each gets the one it names, with the gateway's key
    for my $session (sort keys %at) {
        $_->forget for @fakes;
        my $fake = $fakes[$at{$session}];
        my $path = sprintf $socket, $session;
        my $s = begin($ng, $path, 'X-Case: 1', @Socket);

        is($s->{status}, 101, "$vendor, $session: a WebSocket");
        like($s->{head},
             qr/^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r?$/m,
             "$vendor, $session: the server's own answer");
        like($s->{head}, qr/^X-WA-Instance: \Q${\$fake->url}\E\r?$/m,
             "$vendor, $session: of its instance");

        says($s, 'to you');
        ok(hears($s, "$session to you"), "$vendor, $session: is heard");
        is($fake->say($session, 'and to you'), 1,
           "$vendor, $session: is one of its session");
        ok(hears($s, 'and to you'), "$vendor, $session: hears");

        my @seen = map { $_->requests } @fakes;
        is(scalar @seen, 1, "$vendor, $session: nobody else was asked");
        is($seen[0]{session}, $session, "$vendor, $session: it was for it");
        like($seen[0]{head}, qr/^X-Api-Key: geheim-1\r$/mi,
             "$vendor, $session: with the key");
        is($ng->instance($fake->name)->{requests}{inFlight}, 1,
           "$vendor, $session: is in flight");

        close $s->{s};
        ok((poll { !$ng->instance($fake->name)->{requests}{inFlight} }),
           "$vendor, $session: until it ends");

        # events
        $path = sprintf $events, $session;
        $s = begin($ng, $path, 'X-Case: 2', 'Accept: text/event-stream');
        is($s->{status}, 200, "$vendor, $session: events");
        like($s->{head}, qr/^X-WA-Instance: \Q${\$fake->url}\E\r?$/m,
             "$vendor, $session: events of its instance");

        for my $n (1 .. 3) {
            is($fake->say($session, "data: $n\n\n"), 1,
               "$vendor, $session: event $n");
            ok(hears($s, "data: $n\n\n"), "$vendor, $session: comes at once");
        }

        close $s->{s};
        ok((poll { !$fake->say($session, '') }),
           "$vendor, $session: the instance sees that it is over");
    }

    # refused before anybody is asked
    $_->forget for @fakes;

    for my $as (['socket', $socket, @Socket],
                ['events', $events, 'Accept: text/event-stream'])
    {
        my ($name, $path, @headers) = @$as;
        push @headers, 'X-Case: 3';
        my $at = sub { refused($ng, sprintf($path, $_[0]), @headers,
                               @_[1 .. $#_]) };

        is($at->('nobody'), '404 unknown_session',
           "$vendor, $name: of nobody");
        is($at->('shared'), '409 ambiguous_session',
           "$vendor, $name: of two numbers");
        is($at->('main', 'X-WA-Session: support'), '400 bad_request',
           "$vendor, $name: of two sessions");
        is($at->('main', 'X-WA-Instance: ' . $fakes[1]->url),
           '404 unknown_session', "$vendor, $name: of another instance");
        like($at->('main%2Fsupport'), qr/^4\d\d (?:bad_request|unknown)/,
             "$vendor, $name: that could be read in two ways");

        for my $blocked (@{$Blocked{$vendor}}) {
            is(refused($ng, $blocked, @headers), '403 blocked',
               "$vendor, $name: $blocked");
        }
    }

    is(scalar(map { $_->requests } @fakes), 0,
       "$vendor: nobody was asked for what is refused");

    # named otherwise as well
    my $s = begin($ng, sprintf($socket, 'shared'), @Socket,
                  'X-WA-From: 966500000005');
    like("$s->{status} $s->{head}",
         qr/^101 .*X-WA-Instance: \Q${\$fakes[2]->url}\E/s,
         "$vendor: by its number as well");
    close $s->{s};

    # one that moves: what is open stays, what comes goes where it is
    my $before = begin($ng, sprintf($socket, 'main'), @Socket);
    $fakes[0]->session('main', state => 'ready');
    $fakes[2]->session('main', number => '966500000001', state => 'ready');
    known($ng, 'main', instance => $fakes[2]->url, state => 'ready');
    $fakes[0]->session('other', number => '966500000007', state => 'ready');
    $fakes[0]->remove('main');
    ok((poll { @{WaGateway::Sessions::sessions($ng, 'session=main')->{sessions}}
               == 1 }), "$vendor: a session moves");

    my $after = begin($ng, sprintf($socket, 'main'), @Socket);
    like("$after->{status} $after->{head}",
         qr/^101 .*X-WA-Instance: \Q${\$fakes[2]->url}\E/s,
         "$vendor: what comes goes where it is");
    says($before, 'still there');
    ok(hears($before, 'main still there'), "$vendor: what was open is open");

    # over a reload
    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    ok((poll { grep { !$old{$_} } $ng->worker_pids }), "$vendor: a reload");
    says($after, 'over a reload');
    ok(hears($after, 'main over a reload'), "$vendor: it is open");
    close $_->{s} for $before, $after;
    ok((poll { !grep { $old{$_} } $ng->worker_pids }),
       "$vendor: the workers before end with the last stream");

    # an instance that dies
    $s = begin($ng, sprintf($socket, 'support'), @Socket);
    $fakes[1]->stop;
    ok((poll { more($s); $s->{ended} }), "$vendor: it ends with its instance");
    is(scalar(grep { $_->{path} =~ /support/ }
              map { $_->ledger } @fakes[0, 2]), 0,
       "$vendor: and is nobody else's");

    $ng->clean("$vendor: nothing worse than errors is logged");
    unlike($ng->log . $ng->access, qr/geheim/, "$vendor: and no secret");
}

done_testing;
