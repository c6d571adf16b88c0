#!/usr/bin/perl

# An instance dies under load.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll slurp);

my $Clients = 8;


sub setup {
    my ($location) = @_;
    my @fakes = map { WaGateway::Fake->new } 1 .. 3;
    my $ng = WaGateway::Nginx->start(workers => 4, level => 'notice',
        location => $location,
        upstream => join '', 'wa_gateway; wa_gateway_passive eject=500ms;',
                             map { "server $_;" } map { $_->name } @fakes);
    return ($ng, @fakes);
}


for my $kept ('', ', connections are kept') {
    my $location = $kept ? 'proxy_http_version 1.1;
                            proxy_set_header Connection "";'
                         : 'proxy_http_version 1.0;';

    # It finishes what it took and goes; that what it took is known for certain,
    # the workers stand still while it closes its door.
    {
        my ($ng, @fakes) = setup($location);
        my $load = WaGateway::Load->start($ng->port, clients => $Clients);

        ok(poll { $fakes[1]->count > 100 }, "the instance is at work$kept");

        my @workers = $ng->worker_pids;
        kill 'STOP', @workers;
        ok((poll { !grep { slurp("/proc/$_/stat") !~ /\) T / } @workers }), 'they stand still');
        kill 'TERM', $fakes[1]{pid};
        ok(poll { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $fakes[1]->port) } ,
           'its door is closed');
        kill 'CONT', @workers;

        $fakes[1]->finish;
        my $then = $fakes[1]->count;
        ok($load->more(500), 'the others go on');

        $fakes[1]->start;
        ok((poll { $fakes[1]->count > $then }), 'the instance came back');
        ok($load->more(1000), 'all go on');

        my @results = $load->stop;
        my $seen = WaGateway::Load::seen(@fakes);
        my @bad = grep { $_->{status} != 200 } @results;

        is(join(', ', map { "@$_{qw(path status sent)}" } @bad), '',
           'no client saw an error');
        is(scalar(grep { ($seen->{$_->{path}} || 0) != 1 } @results), 0,
           'every message was seen exactly once');

        $ng->clean;
    }


    # Killed: what is in flight there is not known, and said so.
    {
        my ($ng, @fakes) = setup($location);
        my $load = WaGateway::Load->start($ng->port, clients => $Clients);

        ok(poll { $fakes[1]->count > 100 }, "the instance is at work$kept");
        $fakes[1]->stop;
        ok($load->more(500), 'the others go on');

        my @results = $load->stop;
        my $seen = WaGateway::Load::seen(@fakes);
        my @bad = grep { $_->{status} != 200 } @results;

        cmp_ok(scalar @bad, '<=', $Clients,
               'only what was in flight there met an error: ' . @bad);
        is(scalar(grep { "$_->{status} $_->{sent}" ne '502 unknown' } @bad), 0,
           'which said that the message may have been sent');
        is(scalar(grep { $_ > 1 } values %$seen), 0, 'none was seen twice');
        is(scalar(grep { $_->{status} == 200 && !$seen->{$_->{path}} }
                       @results), 0,
           'none that was confirmed is missing');

        my @lines = $ng->logged('wa_gateway: http://' . $fakes[1]->name . ' is ');
        cmp_ok(scalar @lines, '>=', 1, 'the log tells of it');

        $ng->clean;
    }
}

done_testing;
