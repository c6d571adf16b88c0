#!/usr/bin/perl

# Instances come and go by the hundred while clients send: no message fails,
# none is seen twice, no place is lost, whoever is killed meanwhile.
# WA_GATEWAY_TEST_ADDS=10000: so many are added and removed at the end; 2,000
# otherwise.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(http poll);

my $Clients = 64;
my $Rounds = 500;
my $Adds = $ENV{WA_GATEWAY_TEST_ADDS} || 2000;
my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');

my @fakes = map { WaGateway::Fake->new } 1 .. 5;
my @urls = map { 'http://' . $_->name } @fakes;


sub setup {
    my (%o) = @_;

    my $ng = WaGateway::Nginx->new(
        workers => 4, level => 'notice', %o,
        upstream => 'wa_gateway zone=u:1m capacity=4;'
                    . 'wa_gateway_check interval=200ms;'
                    . 'server ' . $fakes[0]->name . ';',
        location => 'proxy_http_version 1.1; proxy_set_header Connection "";',
        server => 'wa_gateway_admin_key admin-secret;'
                  . 'location = /instances { wa_gateway_control u; }');
    $ng->{main} = "working_directory $ng->{dir};";

    return $ng->start;
}


sub control {
    my ($ng, $method, $name, $body) = @_;
    my $path = '/instances' . (defined $name ? "?name=$name" : '');

    return http($ng->port, $method, $path, headers => \@Json,
                timeout => 10, (defined $body ? (body => encode_json($body))
                                             : ()));
}


sub list {
    my ($ng) = @_;
    my $r = eval { decode_json(control($ng, 'GET')->{body}) } || {};
    return ($r, map { $_->{url} => $_ } @{$r->{instances} || []});
}


sub gone {
    my ($ng, $url) = @_;
    return poll { my ($r, %list) = list($ng);
                  $r->{instances} && !$list{$url} };
}


# Each worker tells the same, for each is asked again and again.
sub agreed {
    my ($ng, $expected) = @_;
    my %said;

    for (1 .. 40) {
        my (undef, %list) = list($ng);
        $said{join ' ', map { "$_=$list{$_}{admin}" } sort keys %list}++;
    }

    return join(' | ', sort keys %said) eq $expected;
}


{
    my $ng = setup();
    my $load = WaGateway::Load->start($ng->port, clients => $Clients);
    my (%answers, %wrong);

    ok($load->more(100), 'all clients send');

    for my $round (1 .. $Rounds) {
        my $url = $urls[1 + $round % 4];
        my $r = control($ng, 'POST', undef, { url => $url });

        # it is still being drained
        $r = control($ng, 'POST', undef, { url => $url })
            if $r->{status} == 409 && gone($ng, $url);
        $answers{"add $r->{status}"}++;

        if ($round % 2) {
            $r = control($ng, 'PATCH', $url, { state => 'drain' });
            $answers{"drain $r->{status}"}++;
        }

        $r = control($ng, 'DELETE', $url);
        $answers{"remove $r->{status}"}++;
    }

    is_deeply(\%answers, { 'add 201' => $Rounds, 'drain 200' => $Rounds / 2,
                           'remove 204' => $Rounds },
              "$Rounds times one is added, drained and removed");

    ok(gone($ng, $_), 'one is gone') for @urls[1 .. 4];

    my @results = $load->stop;
    my $seen = WaGateway::Load::seen(@fakes);
    my @bad = grep { $_->{status} != 200 } @results;

    cmp_ok(scalar @results, '>', $Rounds, 'there were messages');
    is(join(', ', map { "@$_{qw(path status sent)}" } @bad), '',
       'no message failed');
    is(scalar(grep { ($seen->{$_->{path}} || 0) != 1 } @results), 0,
       'each was seen once');
    cmp_ok($fakes[$_]->count, '>', 0, 'an added one got some') for 1 .. 4;

    my ($r) = list($ng);
    is($r->{free}, 4, 'all places are free');
    ok(agreed($ng, "$urls[0]=configured"), 'all workers agree');

    my $failed = 0;

    for my $n (1 .. $Adds) {
        my $url = 'http://127.0.0.1:' . (1000 + $n % 60000);
        my $a = control($ng, 'POST', undef, { url => $url });
        my $d = control($ng, 'DELETE', $url);

        $failed++ if "$a->{status} $d->{status}" ne '201 204';
    }

    is($failed, 0, "$Adds times one is added and removed");
    ok((poll { (list($ng))[0]{free} == 4 }), 'no place is lost');
    ok(agreed($ng, "$urls[0]=configured"), 'all workers agree');

    $ng->clean;
}


# Workers are killed while they add and remove: whoever is left agrees, and
# no place is lost.
{
    my $ng = setup();
    my $me = $$;
    my @hands;

    for my $hand (1 .. 3) {
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            while (getppid == $me && !-e "$ng->{dir}/enough") {
                control($ng, 'POST', undef, { url => $urls[$hand],
                                              weight => 1 + $hand });
                control($ng, 'PATCH', $urls[$hand], { state => 'drain' });
                control($ng, 'DELETE', $urls[$hand]);
            }

            POSIX::_exit(0);
        }

        push @hands, $pid;
    }

    my $killed = 0;

    for (1 .. 40) {
        my $removed = sub { scalar(() = $ng->log =~ / is removed$/mg) };
        my $done = $removed->();
        poll { $removed->() > $done + 3 };

        my @workers = $ng->worker_pids;
        my $victim = $workers[rand @workers];
        $killed += kill 'KILL', $victim;
        poll { my @p = $ng->worker_pids;
               @p == 4 && !grep { $_ == $victim } @p };
    }

    is($killed, 40, '40 workers were killed at work');

    open my $fh, '>', "$ng->{dir}/enough" or die "$!\n";
    close $fh;
    waitpid $_, 0 for @hands;

    # one that died had no answer: what it did is there as a whole, or not
    for my $url (@urls[1 .. 3]) {
        my (undef, %list) = list($ng);
        control($ng, 'DELETE', $url) if $list{$url};
        ok(gone($ng, $url), 'one is gone');
    }

    is((list($ng))[0]{free}, 4, 'all places are free');
    ok(agreed($ng, "$urls[0]=configured"), 'all workers agree');

    is(control($ng, 'POST', undef, { url => $_ })->{status}, 201,
       'each can be used') for @urls[1 .. 4];
    ok(agreed($ng, join ' ', map { "$_=configured" } sort @urls),
       'all workers agree');

    my %got;
    for (1 .. 20) {
        my $r = http($ng->port, 'POST', '/m', body => 'x');
        $got{$r->{headers}{'x-wa-instance'} || 'none'}++;
    }
    is(join(' ', sort keys %got), join(' ', sort @urls), 'all get messages');
    ok((poll { my (undef, %list) = list($ng);
               !grep { $_->{inFlight} } values %list }),
       'nothing is left in flight');

    $ng->stop;
    is(join("\n", $ng->alarms), '', 'the log tells of these deaths only');
}

done_testing();
