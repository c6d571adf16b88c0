#!/usr/bin/perl

# A clock that is set back changes no duration.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);
use WaGateway::Shim qw(shim);

my $dir = tempdir('wa-clock-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $fake = WaGateway::Fake->new;
my $name = 'http://' . $fake->name;


for my $workers (0, 2) {
    my $how = $workers ? "$workers workers" : 'one process';
    unlink "$dir/back";

    my $ng = WaGateway::Nginx->start(workers => $workers,
        env => shim(clock => "$dir/back"),
        upstream => 'wa_gateway; wa_gateway_passive eject=10ms;'
                    . 'server ' . $fake->name . ';');

    my $before = $ng->status;

    open my $fh, '>', "$dir/back" or die "$dir/back: $!\n";
    close $fh;

    $ng->request('POST', '/x?fake=reset', body => 'x');
    ok((poll { $ng->logged(qr/\Q$name\E is up/) }), "down and up, $how");

    # each held for some ms, or as long as the test waited, but not for years
    my @held = map { / for (-?[\d.]+)s\)/ ? $1 : 'unknown' }
               $ng->logged(qr/\Q$name\E is (?:up|down)/);
    is(scalar(@held), 2, "both are logged, $how");
    is(scalar(grep { /^\d{1,4}\.\d{3}$/ && $_ < 3600 } @held), 2,
       "with how long that was, $how") or diag("@held");

    my $after = $ng->status;
    ok($after->{gateway}{uptime} >= $before->{gateway}{uptime},
       "uptime goes on, $how");
    ok($after->{gateway}{timestamp} lt $before->{gateway}{timestamp},
       "where the time of day is an hour behind, $how");

    $ng->clean;
}

done_testing;
