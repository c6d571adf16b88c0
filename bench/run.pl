#!/usr/bin/perl

# make bench: all of it, in ten minutes at most; writes RESULTS.md and
# cost.svg beside this file.
#
#   bench/run.pl [--quick] [cost] [workers] [checks] [events] [start] [sends]
#
# --quick: one short round of everything, to see that it works.  With parts
# named, or --quick, the results go to build/bench and not to bench.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use JSON::PP;
use Time::HiRes qw(time);
use WaBench::Checks qw(checking);
use WaBench::Cost qw(cost contention pairs ratios);
use WaBench::Events qw(happen);
use WaBench::Peer::Caddy;
use WaBench::Peer::Express;
use WaBench::Peer::Gateway;
use WaBench::Peer::Haproxy;
use WaBench::Peer::Nginx;
use WaBench::Plot qw(plot);
use WaBench::Report qw(report);
use WaBench::Start qw(starting);
use WaGateway::Nginx qw(slurp);

$| = 1;

my $Bench = $FindBin::Bin;
my $Build = "$Bench/../build/bench";
my @Kinds = map { "WaBench::Peer::$_" } qw(Gateway Nginx Haproxy Caddy
                                           Express);
my ($Ours, $Stock) = @Kinds;

# instances, connections, bytes of the body (0: some forty), rounds
my @Rows = ([3, 32, 0, 5], [100, 32, 0, 5], [1000, 32, 0, 5],
            [4000, 32, 0, 5], [3, 512, 0, 3], [3, 32, 1_000_000, 3]);
my $Files = 12000;          # that a gateway of 4,000 instances needs open
my $Rounds = 250;           # no round of the cost, and
my $Last = 540;             # no part, begins after so many seconds

# In the order of their worth, should the time not be enough.
my @Parts = ([cost => \&measure], [checks => \&checks], [events => \&events],
             [start => \&start], [workers => \&workers], [sends => \&sends]);

# what, bytes, instances, sessions of each, connections, pairs, seconds each;
# the last two rows are held against the same on three instances
my @Sends = (['text', 0, 3, 1, 32, 6, 1], ['native', 0, 3, 1, 32, 6, 1],
             ['file', 1_000_000, 3, 1, 32, 4, 1],
             ['file', 16_000_000, 3, 1, 4, 3, 2],
             ['media', 1_000_000, 3, 1, 32, 4, 1],
             ['media', 16_000_000, 3, 1, 4, 3, 2],
             ['native', 0, 500, 20, 32, 6, 1, $Ours],
             ['native', 0, 500, 20, 32, 6, 1, $Stock]);

my %Want = map { $_ => 1 } @ARGV;
my $Quick = delete $Want{'--quick'};
my $Began = time;

main();


sub main {
    my %all = (load => (split ' ', slurp('/proc/loadavg'))[0]);
    my @peers = peers(\%all);

    for my $part (@Parts) {
        my ($name, $code) = @$part;
        next if %Want && !$Want{$name};

        if (time - $Began > $Last) {
            say_of("$name: no time left, left out");
            next;
        }

        $all{$name} = $code->(@peers);
    }

    $all{took} = time - $Began;
    results(\%all);
}


sub say_of {
    my ($text) = @_;
    printf "%4d s  %s\n", time - $Began, $text;
}


sub peers {
    my ($all) = @_;
    my @peers;

    system('mkdir', '-p', $Build) == 0 or die "$Build: cannot be made\n";
    system('command -v wrk >/dev/null') == 0 or die "bench: no wrk here\n";

    my $files = `sh -c 'ulimit -n'`;
    die "bench: $files open files are not enough, see ulimit -n\n"
        if $files =~ /^\d+$/ && $files < $Files;

    for my $kind (@Kinds) {
        if ($kind->found) {
            push @peers, $kind;
            push @{$all->{versions}}, [$kind->name, $kind->version];

        } else {
            say_of($kind->name . ': not installed, left out');
            push @{$all->{missing}}, $kind->name;
        }
    }

    return @peers;
}


sub measure {
    my (@peers) = @_;
    say_of('cost of a message');

    return cost(peers => \@peers, rows => \@Rows, rounds => $Quick ? 1 : 5,
                until => $Began + $Rounds,
                seconds => { all => 1, $Quick ? ()
                             : ($Ours => 2, $Stock => 2) });
}


sub workers {
    say_of('two workers');

    return contention(peers => [$Ours, $Stock], instances => 3, size => 0,
                      connections => 32, rounds => $Quick ? 1 : 4);
}


sub checks {
    my (@peers) = @_;
    say_of('checks');

    return checking(peers => [grep { $_->checks } @peers], instances => 4000,
                    settle => 3, seconds => $Quick ? 2 : 6);
}


sub events {
    my (@peers) = @_;
    say_of('events');
    return happen(peers => \@peers);
}


sub start {
    my (@peers) = @_;
    say_of('start and reload');
    return starting(peers => \@peers, instances => 4000);
}


sub sends {
    say_of('sends and sessions');
    return [map { send_row(@$_) } @Sends];
}


# The names of both sides are theirs, for all pairs are of two.
sub send_row {
    my ($what, $size, $instances, $sessions, $connections, $pairs, $seconds,
        $class) = @_;

    my @few = (instances => 3, sessions => 1);
    my @sides = $class ? (['base', $class, @few], ['this', $class])
                       : (['base', $Stock], ['this', $Ours]);
    my $got = pairs(sides => \@sides, what => $what, size => $size,
                    instances => $instances, sessions => $sessions,
                    connections => $connections,
                    pairs => $Quick ? 1 : $pairs, seconds => $seconds);

    return { what => $what, size => $size, instances => $instances,
             sessions => $sessions, rounds => $got,
             few => $class ? $class->name : undef,
             against => [ratios($got, 'this', 'base')] };
}


sub results {
    my ($all) = @_;
    my $dir = %Want || $Quick ? $Build : $Bench;
    my @small = grep { !$_->{size} && $_->{connections} == 32 }
                @{$all->{cost} || []};

    write_file("$Build/results.json",
               JSON::PP->new->canonical->pretty->encode($all));
    write_file("$dir/RESULTS.md", report($all, $Bench));
    plot(\@small, $Build, "$dir/cost.svg")
        or say_of('no picture: gnuplot is missing, or there is no cost');

    say_of('written: RESULTS.md');
    print $dir eq $Bench ? '' : "in build/bench\n";
}


sub write_file {
    my ($name, $text) = @_;
    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}
