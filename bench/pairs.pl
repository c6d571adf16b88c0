#!/usr/bin/perl

# CPU per message of ours as a share of stock nginx's, in pairs: short rounds
# in turn, every second pair the other way round, and the median of the ratios
# within a pair.  What else the machine does meets both of a pair alike, so
# that this says more than the rounds of run.pl do, and takes longer.
#
#   bench/pairs.pl [--pairs=n] [--seconds=n] [--instances=n] [--connections=n]
#                  [--what=text] [--size=bytes] [--sessions=n]
#                  [--together] [--module=other.so ...] [--pace=words] [--keys]
#
# What is sent is a plain message, or, where instances have sessions: native,
# whose body names one; file, the same with base64 of that size; text and media,
# by the gateway's own way.  Stock nginx has the same bytes.
#
# With --together both of a pair have their load at the same time and share the
# core: for machines whose speed changes from one second to the next.
#
# Modules named are measured beside the one in build, as "a", "b" and so on:
# what a change is worth.  With --pace sends with this "wa_gateway_pace" are, as
# "paced", with --keys those that have an Idempotency-Key, as "keyed".

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Getopt::Long;
use WaBench::Cost qw(pairs ratios);
use WaBench::Load qw(median);
use WaBench::Peer::Gateway;
use WaBench::Peer::Nginx;

$| = 1;

my %o = (pairs => 40, seconds => 2, instances => 3, connections => 32,
         what => 'message', size => 0, sessions => 0, module => []);

GetOptions(\%o, 'pairs=i', 'seconds=i', 'instances=i', 'connections=i',
           'what=s', 'size=i', 'sessions=i', 'together', 'module=s@',
           'pace=s', 'keys')
    or die "usage: see the head of bench/pairs.pl\n";

system('command -v wrk >/dev/null') == 0 or die "pairs: no wrk here\n";

my $letter = 'a';
my @sides = (['stock nginx', 'WaBench::Peer::Nginx'],
             ['wa_gateway', 'WaBench::Peer::Gateway'],
             map { [$letter++, 'WaBench::Peer::Gateway', module => $_] }
                 @{$o{module}});

push @sides, ['paced', 'WaBench::Peer::Gateway', pace => $o{pace}]
    if defined $o{pace};

push @sides, ['keyed', 'WaBench::Peer::Gateway', keys => 1, what => 'keyed']
    if $o{keys};

my $got = pairs(sides => \@sides, %o);

printf "%s, %d pairs of %d s%s, %d instances, %d connections, one worker\n",
       $o{what}, $o{pairs}, $o{seconds},
       $o{together} ? ' at the same time' : '',
       $o{instances}, $o{connections};

for my $side (@sides) {
    my $name = $side->[0];
    my @rounds = @{$got->{$name}};
    my $errors = 0;
    $errors += $_->{errors} for @rounds;

    printf "%-12s CPU %5.2f us, user %5.2f, system %5.2f;"
           . " against stock %.3f (quarters %.3f to %.3f)%s\n", $name,
           (map { my $key = $_; median(map { $_->{$key} } @rounds) }
                qw(cpu user system)),
           ratios($got, $name, 'stock nginx'),
           $errors ? "; $errors errors" : '';
}
