#!/usr/bin/perl

# containers.pl ENGINE SUITE: the gateway's image, on that release of Debian, as
# a container among those of pretended servers that come late, are killed, and
# come back elsewhere.

use strict;
use warnings;

use JSON::PP;
use POSIX ();
use Test::More;
use WaGateway::Containers qw(engine engine_ok gateway fake health logs sent
                             ask);
use WaGateway::Nginx qw(http poll send_request read_answer);

my ($Engine, $Suite) = @ARGV;
WaGateway::Containers::use_engine($Engine);

my $Port = WaGateway::Fake::free_port();
my $Far = WaGateway::Fake::free_port();
my $One = "http://127.0.0.21:$Far";
my $Two = "http://127.0.0.22:$Far";
my $Elsewhere = "http://127.0.0.23:$Far";
my @Key = ('X-Api-Key: clients', 'Content-Type: application/json');
my @Admin = ('X-Api-Key: admins', 'Content-Type: application/json');

my %settings = (HOST => '127.0.0.1', PORT => $Port, WORKERS => 2,
    GATEWAY_LANG => 'en', API_KEY => 'clients', ADMIN_KEY => 'admins',
    INSTANCES => "$One,gowa+$Two", VENDOR => 'waha', VENDOR_KEY => 'waha-key',
    VENDOR_KEY_GOWA => 'user:gowa-key');


sub get {
    my ($path, @headers) = @_;
    my $r = http($Port, 'GET', $path, headers => @headers ? \@headers : \@Key);
    $r->{json} = eval { decode_json($r->{body}) } || {};
    return $r;
}


sub control {
    my ($method, $name, $body) = @_;
    my $path = '/gateway/instances' . (defined $name ? "?name=$name" : '');

    return http($Port, $method, $path, headers => \@Admin,
                (defined $body ? (body => encode_json($body)) : ()))->{status};
}


sub ready {
    return join ' ', sort map { $_->{session} }
                          @{get('/sessions?state=ready')->{json}{sessions}};
}


sub message {
    my ($text, $session) = @_;
    return encode_json({ chatId => '966511111111', message => $text,
                         $session ? (session => $session) : () });
}


sub post {
    my ($text, $session) = @_;
    my $r = http($Port, 'POST', '/send-message', headers => \@Key,
                 body => message($text, $session));
    my $json = eval { decode_json($r->{body}) } || {};

    return join ' ', $r->{status},
                     $json->{success} ? "success $json->{session}"
                     : map { defined $_ ? $_ : '-' } @$json{qw(code sent)};
}


# Of what is in an image, in MB.
sub size {
    my ($kb) = engine_ok('run', '--rm', '--network=none', '--user=root',
                         '--entrypoint=/usr/bin/du', $_[0], '-xsk', '/')
               =~ /^(\d+)\s/m;
    return $kb / 1000;
}


sub count { return scalar(() = sent($_[0])) }


# Clients that send one message after another until a file is there; what came
# of each.
sub clients {
    my ($n, $stop) = @_;
    my $parent = $$;

    return map {
        my $client = $_;
        my $pid = open my $pipe, '-|';
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            my $out = '';

            for (my $i = 1; !-e $stop && getppid == $parent; $i++) {
                $out .= "c$client-$i " . post("c$client-$i") . "\n";
            }

            print STDOUT $out;
            STDOUT->flush;
            POSIX::_exit(0);
        }

        $pipe;
    } 1 .. $n;
}


# the image
my ($image) = @{decode_json(engine_ok('inspect', 'wa_gateway'))};
is($image->{Config}{User}, 'wa-gateway', 'the image runs as a user of its own');
my ($own, $debian) = map { size($_) } 'wa_gateway', "debian:$Suite-slim";
cmp_ok($own - $debian, '<', 20,
       sprintf 'and has %.0f MB, of which %.0f are Debian', $own, $debian);

# without settings
my ($status, $text) = engine('run', '--rm', '--network=host', 'wa_gateway');
is($status, 1, 'without settings it does not start');
like($text, qr/INSTANCES is missing/, 'and says why');

# before its instances
gateway('wag-gateway', settings => \%settings);
ok((poll { get('/health')->{status} == 503 }), 'it starts without instances');
ok((poll { logs('wag-gateway') =~ /^WhatsApp gateway on/m }),
   'which its log tells');
isnt(health('wag-gateway'), 0, 'the health check fails');
is(post('early'), '503 no_session no', 'as does a message');

my ($caps) = engine_ok('exec', 'wag-gateway', 'sh', '-c',
                       'cat /proc/1/status') =~ /^CapEff:\s*(\w+)/m;
is(hex $caps, 0, 'it has no rights');
isnt(engine_ok('exec', 'wag-gateway', 'id', '-u'), 0, 'nor is it root');
($status) = engine('exec', 'wag-gateway', 'sh', '-c', ': >/usr/x');
isnt($status, 0, 'nothing can be written but in its volume');
($status) = engine('exec', 'wag-gateway', 'sh', '-c', ': >/tmp/x');
isnt($status, 0, 'not even in /tmp');

# they come late
fake('wag-one', 'waha', '127.0.0.21', $Far, 'waha-key',
     main => '966500000001');
ok((poll { ready() eq 'main' }), 'an instance that comes late is found');
is(get('/health')->{status}, 200, 'the gateway is healthy');
is(health('wag-gateway'), 0, 'which the health check says');
fake('wag-two', 'gowa', '127.0.0.22', $Far, 'user:gowa-key',
     second => '966500000002');
ok((poll { ready() eq 'main second' }), 'so is another one, of another kind');

is(post('hello', 'main'), '200 success main', 'a message goes through');
is(post('hello two', 'second'), '200 success second', 'by each of them');
is(join(',', sent('wag-one')), 'hello', 'it was sent there');
ok((poll { logs('wag-gateway') =~ m{"POST /send-message" 200 .*session="main"} }),
   'the log of requests is that of the container');
unlike(logs('wag-gateway'), qr/waha-key|gowa-key|clients|admins/,
       'no key is in it');
is(get('/dashboard/dashboard.html')->{status}, 200, 'the dashboard is there');

# one is killed among messages
my $stop = "/tmp/wag-stop-$$";
END { unlink $stop if defined $stop }
my @clients = clients(4, $stop);
ok((poll { count('wag-one') > 20 && count('wag-two') > 20 }),
   'there is load');
engine_ok('kill', '--signal=KILL', 'wag-one');
my $then = count('wag-two');
ok((poll { count('wag-two') > $then + 20 }),
   'one is killed, the messages go by the other');
is(post('gone', 'main'), '503 session_down no',
   'but for those that are for its session');

open my $fh, '>', $stop or die "$stop: $!\n";
close $fh;

my %told = map { chomp; split / /, $_, 2 } map { <$_> } @clients;
my %seen;
$seen{$_}++ for sent('wag-one'), sent('wag-two');

is(scalar(grep { $_ > 1 } values %seen), 0, 'none was sent twice');
is(scalar(grep { $told{$_} =~ /^200/ && !$seen{$_} } keys %told), 0,
   'none that was confirmed is missing');
my @bad = grep { $told{$_} !~ /^200/ } keys %told;
cmp_ok(scalar @bad, '<=', 4, 'only what was on its way there failed');
is(join(', ', grep { !/^502 \w+ unknown$/ } map { $told{$_} } @bad), '',
   'which is said to be unknown');

# made anew elsewhere
fake('wag-one', 'waha', '127.0.0.23', $Far, 'waha-key',
     main => '966500000001');
is(control('DELETE', $One), 204, 'its old address is removed');
is(control('POST', undef, { url => $Elsewhere, vendor => 'waha',
                            key => 'waha-key' }), 201,
   'made anew at another address, it is added there');
ok((poll { ready() eq 'main second' }), 'its session is found again');
is(post('again', 'main'), '200 success main', 'and gets messages');
is(join(',', sent('wag-one')), 'again', 'there');

($status, $text) = engine('exec', 'wag-gateway', 'wa-gateway', 'ctl', 'list');
is($status, 0, '`wa-gateway ctl` works in the container');
like($text, qr/\Q$Elsewhere\E/, 'and tells of it');

# the gateway is made anew
engine_ok('rm', '-f', 'wag-gateway');
gateway('wag-gateway', settings => \%settings);
ok((poll { ready() eq 'main second' }),
   'a gateway that is made anew knows where it is');
is(post('anew', 'main'), '200 success main', 'a message goes through');

# stop, with a message on its way
ask('wag-one', 'set', send => 'hold');
my $s = send_request($Port, 'POST', '/send-message', headers => \@Key,
                     body => message('last', 'main'));
ok((poll { ask('wag-one', 'held') == 1 }), 'a message is on its way');

my $pid = engine_ok('inspect', '-f', '{{.State.Pid}}', 'wag-gateway');
my $stopper = fork;
die "fork: $!\n" unless defined $stopper;
if (!$stopper) {
    my ($rc) = engine('stop', '-t', 60, 'wag-gateway');
    POSIX::_exit($rc);
}

ok((poll { !http($Port, 'GET', '/health')->{status} }),
   'told to stop it takes no more');
ok(kill(0, $pid), 'but does not end');
ask('wag-one', 'release');
is(read_answer($s, 'POST')->{status}, 200, 'the message is answered');
waitpid $stopper, 0;
is($?, 0, 'then it stops');
is(engine_ok('inspect', '-f', '{{.State.ExitCode}}', 'wag-gateway'), 0,
   'without an error');
like(logs('wag-gateway'), qr/^Stopped/m, 'which its log tells');

done_testing();
