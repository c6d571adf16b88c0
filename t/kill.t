#!/usr/bin/perl

# An instance dies under load.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll);

my $Clients = 8;


# Clients that send until a moment; each line they print is one request:
# path, status, sent.
sub clients {
    my ($port, $seconds) = @_;
    my $end = time + $seconds;
    my @pipes;

    for my $client (1 .. $Clients) {
        my $pid = open my $pipe, '-|';
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            my $n = 0;
            my $out = '';
            while (time < $end) {
                my $path = "/c$client/" . ++$n;
                my $r = http($port, 'POST', $path, body => "message $path");
                my ($sent) = $r->{body} =~ /"sent":"(\w+)"/;
                $out .= "$path $r->{status} " . ($sent || '-') . "\n";
            }
            print STDOUT $out;
            STDOUT->flush;
            POSIX::_exit(0);
        }

        push @pipes, $pipe;
    }

    return @pipes;
}


sub results {
    my @lines;

    for my $pipe (@_) {
        push @lines, map { chomp; [split / /] } <$pipe>;
        close $pipe;
    }

    return @lines;
}


sub seen {
    my %seen;
    $seen{$_->{path}} += $_->{whole} for map { $_->ledger } @_;
    return \%seen;
}


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
        my @pipes = clients($ng->port, 4);

        ok(poll { $fakes[1]->count > 100 }, "the instance is at work$kept");

        my @workers = $ng->worker_pids;
        kill 'STOP', @workers;
        kill 'TERM', $fakes[1]{pid};
        ok(poll { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $fakes[1]->port) } ,
           'its door is closed');
        kill 'CONT', @workers;

        $fakes[1]->finish;
        my $then = $fakes[1]->count;
        ok(poll { $fakes[0]->count > 3 * $then }, 'the others go on');

        $fakes[1]->start;

        my @results = results(@pipes);
        my $seen = seen(@fakes);
        my @bad = grep { $_->[1] != 200 } @results;

        cmp_ok(scalar @results, '>', 100, 'there was load: ' . @results);
        is(join(', ', map { "@$_" } @bad), '', 'no client saw an error');
        is(scalar(grep { ($seen->{$_->[0]} || 0) != 1 } @results), 0,
           'every message was seen exactly once');
        cmp_ok($fakes[1]->count, '>', $then, 'the instance came back');

        $ng->clean;
    }


    # Killed: what is in flight there is not known, and said so.
    {
        my ($ng, @fakes) = setup($location);
        my @pipes = clients($ng->port, 3);

        ok(poll { $fakes[1]->count > 100 }, "the instance is at work$kept");
        $fakes[1]->stop;

        my @results = results(@pipes);
        my $seen = seen(@fakes);
        my @bad = grep { $_->[1] != 200 } @results;

        cmp_ok(scalar @results, '>', 100, 'there was load: ' . @results);
        cmp_ok(scalar @bad, '<=', $Clients,
               'only what was in flight there met an error: ' . @bad);
        is(scalar(grep { "$_->[1] $_->[2]" ne '502 unknown' } @bad), 0,
           'which said that the message may have been sent');
        is(scalar(grep { $_ > 1 } values %$seen), 0, 'none was seen twice');
        is(scalar(grep { $_->[1] == 200 && !$seen->{$_->[0]} } @results), 0,
           'none that was confirmed is missing');

        my @lines = $ng->logged('wa_gateway: http://' . $fakes[1]->name . ' is ');
        cmp_ok(scalar @lines, '>=', 1, 'the log tells of it');

        $ng->clean;
    }
}

done_testing;
