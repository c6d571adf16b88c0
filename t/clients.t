#!/usr/bin/perl

# The clients of docs/clients.md: whatever goes wrong first, each sends one
# message and prints what came of it; what nobody knows is not repeated.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(WNOHANG);
use Test::More;
use WaGateway::Docs ();
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Send qw(fake send_gateway);
use WaGateway::Sessions qw(known);

my %Run = (sh => ['sh', 'send.sh'], js => ['node', 'send.mjs'],
           python => ['python3', 'send.py'], php => ['php', 'send.php']);

my $dir = tempdir('wa-clients-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $port = WaGateway::Fake::free_port();
my $fake = fake('openwa', retry_after => 1, sessions => [
    { name => 'main', number => '966500000001', state => 'login' }]);
my $ng;
my $main = $$;
my %pids;

# The limit of time is shorter than the page's: nobody waits for a minute.
my %client = map { $_->[0] => $_->[1] =~ s/\b60(?=000\b|\b)/2/gr }
             grep { $Run{$_->[0]} }
             WaGateway::Docs::blocks(
                 WaGateway::Docs::page("$FindBin::Bin/../docs/clients.md"));

is(join(' ', sort keys %client), join(' ', sort keys %Run),
   'a client for each');
is(scalar(grep { $client{$_} =~ /\b2(?:000)?\b/ } keys %client), 4,
   'each has a limit of time');


# All of them, each with a key and a recipient of its own.
sub start_clients {
    my ($round) = @_;
    my $n = 0;

    return map {
        my ($lang, $command, $file) = ($_, @{$Run{$_}});
        my $client = { lang => $lang, key => "$round-$lang",
                       to => sprintf('96651111%d%03d', $round, ++$n),
                       out => "$dir/$round-$lang.out" };

        open my $fh, '>:encoding(UTF-8)', "$dir/$file" or die "$file: $!\n";
        print $fh $client{$lang};
        close $fh or die "$file: $!\n";

        my $pid = fork;
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            @ENV{qw(GATEWAY API_KEY)} = ("127.0.0.1:$port", 'shop-key');
            open STDIN, '<', '/dev/null';
            open STDOUT, '>', $client->{out};
            open STDERR, '>', "$client->{out}.err";
            exec $command, "$dir/$file", @$client{qw(key to)},
                 "it's 5 > 4 & \"done\""
                or print STDERR "$command: $!\n";
            POSIX::_exit(127);
        }

        $pids{$pid} = 1;
        $client;
    } sort keys %Run;
}

END {
    my $status = $?;
    kill 'KILL', keys %pids if $$ == $main;
    $? = $status;
}


# The clients that have not ended by themselves.
sub running {
    for (keys %pids) {
        delete $pids{$_} if waitpid($_, WNOHANG) == $_;
    }
    return scalar keys %pids;
}


# Until each of them was answered so.
sub all_told {
    my ($status, @clients) = @_;

    ok(poll(sub {
        my $log = slurp("$ng->{dir}/keys.log");
        !grep { $log !~ /^\Q$_->{key}\E $status$/m } @clients;
    }), "all were answered $status")
        or diag(slurp("$ng->{dir}/keys.log"),
                map { slurp("$_->{out}.err") } @clients);
}


# Attempts to connect that failed, on this machine.
sub failed_connects {
    my ($names, $values) = slurp('/proc/net/snmp') =~ /^Tcp: (.*)\n^Tcp: (.*)/m;
    my %is;
    @is{split ' ', $names} = split ' ', $values;
    return $is{AttemptFails};
}


sub ended {
    my ($name, @clients) = @_;

    ok(poll(sub { running() == 0 }), "$name: all have ended");

    for (@clients) {
        my $text = slurp($_->{out});
        my $to = $_->{to};
        my @sent = grep { $_->{to} =~ /^$to\b/ } $fake->sent;

        $_->{said} = eval { JSON::PP::decode_json($text) } || {};
        is(scalar @sent, 1, "$name: $_->{lang}: one message");
        is($sent[0]{text}, "it's 5 > 4 & \"done\"",
           "$name: $_->{lang}: as it was given");
        isnt(join(' ', %{$_->{said}}), '', "$name: $_->{lang}: an answer")
            or diag($text, slurp("$_->{out}.err"));
    }
}


# ---- everything goes wrong

my $failed = failed_connects();
my @clients = start_clients(1);

ok(poll(sub { failed_connects() >= $failed + @clients }),
   'the connection is refused');

{
    my $listen = IO::Socket::INET->new(Listen => 16, ReuseAddr => 1,
        LocalAddr => '127.0.0.1', LocalPort => $port) or die "$port: $!\n";
    my $select = IO::Select->new($listen);
    my %came;

    while (keys %came < @clients && $select->can_read(60)) {
        my $s = $listen->accept or die "accept: $!\n";
        my $head = '';

        1 while $head !~ /\r\n\r\n/
                && sysread $s, $head, 4096, length $head;

        $came{$1} = 1 if $head =~ /^idempotency-key: (\S+)/mi;
        close $s;
    }

    is(join(' ', sort keys %came), join(' ', sort map { $_->{key} } @clients),
       'and breaks');
}

$ng = send_gateway(fakes => [$fake], port => $port,
    http => 'log_format keys "$http_idempotency_key $status";',
    upstream => 'wa_gateway_idempotency on;',
    text => 'wa_gateway_api_key shop-key; access_log keys.log keys;');

all_told(503, @clients);
$fake->set(send => 'throttled');
$fake->session('main', state => 'ready');
all_told(429, @clients);
$fake->set(send => 'hold');
ok(poll(sub { $fake->held == @clients }), 'no answer comes');
all_told(409, @clients);
$fake->set(send => undef);
$fake->release;
ended('all goes wrong', @clients);

for (@clients) {
    ok($_->{said}{success} && $_->{said}{messageId},
       "$_->{lang}: it knows that it was sent");
}

# ---- nobody knows

$fake->set(send => 'no_id');
@clients = start_clients(2);
ended('nobody knows', @clients);

for (@clients) {
    is(join(' ', map { $_ || '-' } @{$_->{said}}{qw(code sent)}),
       'unconfirmed unknown', "$_->{lang}: it says so");
}

$ng->clean;

done_testing();
