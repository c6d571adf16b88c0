#!/usr/bin/perl

# pace.pl MINUTES: two compressed days of wa_gateway_pace at the limit, with
# faults; the figures are printed.  Exit status 0 when no limit was exceeded.
# WA_GATEWAY_SOAK_SEED repeats the order of what is done.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

BEGIN { $ENV{PATH} .= ':/usr/sbin:/sbin' }

use Test::More;
use WaGateway::PaceDay;

my $minutes = shift @ARGV || 10;
$| = 1;

# a day is over before its time is: 2 a second, less what faults take
WaGateway::PaceDay::run(seconds => 60 * $minutes, day => int(55 * $minutes),
    seed => $ENV{WA_GATEWAY_SOAK_SEED}, say => sub { print "# $_[0]\n" });

done_testing;
