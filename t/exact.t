#!/usr/bin/perl

# The round robin is exact, whichever workers serve.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http);

my @fakes = map { WaGateway::Fake->new } 1 .. 3;


# $n requests by 8 clients at once, each over a connection of its own; the
# number of answers that were not 200.
sub storm {
    my ($port, $n, $method) = @_;
    my @pipes;

    for my $client (0 .. 7) {
        my $pid = open my $pipe, '-|';
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            my $bad = 0;
            for (my $i = $client; $i < $n; $i += 8) {
                my $r = http($port, $method, "/$i", body => 'x');
                $bad++ if $r->{status} != 200;
            }
            syswrite STDOUT, $bad;
            POSIX::_exit(0);
        }

        push @pipes, $pipe;
    }

    my $bad = 0;
    for my $pipe (@pipes) {
        my $text = <$pipe>;
        $bad += defined $text && length $text ? $text : 1;
        close $pipe;
    }

    return $bad;
}


for my $workers (2, 4) {
    $_->forget for @fakes;

    my $ng = WaGateway::Nginx->start(workers => $workers, level => 'notice',
        upstream => join '', 'wa_gateway;', map { "server $_;" }
                             map { $_->name } @fakes);

    is(storm($ng->port, 3000, 'POST'), 0,
       "$workers workers: 3,000 requests, each answered");

    is(join(' ', map { $_->count } @fakes), '1000 1000 1000',
       "$workers workers: exactly 1,000 to each of three instances");

    is_deeply([map { $ng->instance($_->name)->{requests}{total} } @fakes],
              [1000, 1000, 1000], "$workers workers: /status counts the same");

    my %paths;
    $paths{$_->{path}}++ for map { $_->ledger } @fakes;
    is(scalar(keys %paths), 3000, "$workers workers: no message is missing");

    # the workers did share the work, else this proves nothing
    my %pids = map { /\[(\d+)\]/ ? ($1 => 1) : () } split /\n/, $ng->log;
    is(scalar($ng->worker_pids), $workers, "$workers workers ran");

    $ng->clean;
}

for my $workers (2, 4) {
    $_->forget for @fakes;

    my $ng = WaGateway::Nginx->start(workers => $workers, level => 'notice',
        upstream => 'wa_gateway; server ' . $fakes[0]->name . ' weight=3;'
                    . 'server ' . $fakes[1]->name . ';');

    is(storm($ng->port, 1000, 'POST'), 0, "$workers workers: weight 3 to 1");
    is(join(' ', map { $_->count } @fakes[0, 1]), '750 250',
       "$workers workers: exactly 750 and 250");

    $ng->clean;
}

# A number that the round does not divide: at most one apart.
{
    $_->forget for @fakes;

    my $ng = WaGateway::Nginx->start(workers => 4, level => 'notice',
        upstream => join '', 'wa_gateway;', map { "server $_;" }
                             map { $_->name } @fakes);

    is(storm($ng->port, 100, 'GET'), 0, '100 requests, each answered');
    is(join(' ', sort map { $_->count } @fakes), '33 33 34',
       'three instances are at most one apart');

    $ng->clean;
}

done_testing;
