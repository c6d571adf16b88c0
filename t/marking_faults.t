#!/usr/bin/perl

# What traffic tells of an instance: answers that are cut, how it comes back,
# clients that go away, crowds.  What takes it out: marking.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time sleep);
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(http send_request read_answer poll);

my @fakes = map { WaGateway::Fake->new } 1 .. 2;
my ($a, $b) = map { 'http://' . $_->name } @fakes;
my $Workers;


sub start {
    my ($passive) = @_;

    $_->mode('json') for @fakes;
    $_->forget for @fakes;

    return WaGateway::Nginx->start(workers => $Workers,
        server => 'location /events { proxy_buffering off;
                                      proxy_pass http://u; }',
        upstream => "wa_gateway; $passive "
            . join('', map { 'server ' . $_->name . ';' } @fakes));
}


sub state {
    my ($ng, $fake) = @_;
    my $d = $ng->instance($fake->name);
    return $d->{state} . ($d->{reason} ? ": $d->{reason}" : '');
}


# One request to a certain instance, which is next or the one after.
sub ask {
    my ($ng, $name, $query) = @_;

    for (1 .. 2) {
        my $s = $ng->status;
        my $next = ($a, $b)[$s->{loadBalancer}{currentIndex}];
        my $r = $ng->request('POST', '/m' . ($next eq $name ? "?$query" : ''),
                             body => 'x');
        return $r if $next eq $name;
    }

    return { status => 0 };
}


sub lines {
    my ($ng, $name) = @_;
    return map { s/^.*?\[(\w+)\] .*?wa_gateway: /[$1] /r =~ s/ \(\w+ for .*//r }
           $ng->logged("wa_gateway: \Q$name\E is ");
}


for (0, 4) {
    $Workers = $_;
    my $how = $Workers ? "$Workers workers" : 'one process';

    # Answers that are cut
    for my $case (
        ['half', 'answer cut short'], ['reset_answer', 'reset'],
        ['chunked_half', 'answer cut short'],
    ) {
        my ($mode, $reason) = @$case;
        my $ng = start('wa_gateway_passive eject=1h;');

        ask($ng, $a, "fake=$mode&pad=100");
        poll { state($ng, $fakes[0]) ne 'up' };

        is(state($ng, $fakes[0]), "down: $reason", "$mode marks down, $how");
        is(state($ng, $fakes[1]), 'up', 'the other stays up');
        is_deeply([lines($ng, $a)], ["[warn] $a is down: $reason"],
                  "$mode: one line in the log, $how");

        $fakes[0]->forget;
        $ng->request('POST', '/x', body => 'x') for 1 .. 4;
        is($fakes[0]->count, 0, 'it gets nothing more');
        $ng->clean;
    }

    {
        my $ng = start('wa_gateway_passive off;');
        ask($ng, $a, 'fake=half&pad=100');
        ok(poll { $ng->instance($fakes[0]->name)->{requests}{failed} == 1 },
           "off: a cut answer is counted, $how");
        is(state($ng, $fakes[0]), 'up', 'but never marks');
        is(scalar(lines($ng, $a)), 0, 'nothing in the log');
        $ng->clean;
    }

    # Ejected, and back
    {
        my $ng = start('wa_gateway_passive eject=400ms;');
        my ($then, $late) = (time, lateness());
        ask($ng, $a, 'fake=reset');
        is(state($ng, $fakes[0]), 'down: reset', "ejected, $how");

        ok(poll { $ng->request('POST', '/x', body => 'x');
                  state($ng, $fakes[0]) eq 'up' }, 'it is back');
        # nginx's clock moves in steps
        my $out = time - $then;
        cmp_ok($out, '>', 0.38, 'after eject');
        soon($out, 3, $late, 'and soon after it');
        is_deeply([lines($ng, $a)], ["[warn] $a is down: reset",
                                     "[notice] $a is up"],
                  'each change is one line in the log');

        my @events = map { "$_->{from} $_->{to}" } @{$ng->status->{events}};
        is("@events", 'up down down up', 'and one event');

        $fakes[0]->forget;
        $ng->request('POST', '/x', body => 'x') for 1 .. 4;
        is($fakes[0]->count, 2, 'it takes its share again');

        # every one of them out: back all the same
        ask($ng, $_, 'fake=reset') for $a, $b;
        is($ng->request('POST', '/x', body => 'x')->{status}, 503,
           'none is left');
        ok(poll { $ng->request('POST', '/x', body => 'x')->{status} == 200 },
           'they come back on their own');
        $ng->clean;
    }

    # The client's own fault
    {
        my $ng = start('wa_gateway_passive eject=1h;');

        for (1 .. 4) {
            my $s = send_request($ng->port, 'POST', '/gone?fake=hang',
                                 body => 'x');
            poll { $fakes[0]->ledger('/gone') + $fakes[1]->ledger('/gone')
                   == $_ };
            close $s;
        }

        ok(poll { $ng->access =~ /(?:POST \/gone 499 .*\n){4}/ },
           "clients that went away, $how")
            or diag($ng->access);
        is(join(' ', map { state($ng, $_) } @fakes), 'up up',
           'that marks no instance');
        is(scalar($ng->logged('wa_gateway: .* is ')), 0, 'nothing in the log');
        like($ng->access, qr/\/gone 499 .* unknown$/m,
             'the message may have been sent');
        is($ng->status->{instances}{details}{$a}{requests}{inFlight}, 0,
           'nothing is left in flight');

        # and in the middle of an answer
        my $s = send_request($ng->port, 'GET', '/events?fake=sse');
        sysread $s, my $data, 100;
        close $s;
        ok(poll { $ng->access =~ /\/events / }, 'a stream is left');
        is(join(' ', map { state($ng, $_) } @fakes), 'up up',
           'that marks no instance either');
        $ng->clean;
    }

    # A crowd that meets a failure at once makes one line
    {
        my $ng = start('wa_gateway_passive eject=1h;');
        my @open = map { send_request($ng->port, 'POST', '/m?fake=hang',
                                      body => 'x') } 1 .. 20;
        poll { 20 == map { $_->ledger('/m') } @fakes };
        $_->stop for @fakes;
        is(scalar(grep { read_answer($_, 'POST')->{status} == 502 } @open), 20,
           "20 are closed, $how");
        undef @open;
        is_deeply([lines($ng, $a), lines($ng, $b)],
                  [map { "[warn] $_ is down: closed before answer" } $a, $b],
                  'one line for each instance');
        is(scalar(@{$ng->status->{events}}), 2, 'and one event');
        $_->start for @fakes;
        $ng->clean;
    }
}

done_testing;
