#!/usr/bin/perl

# wa_gateway_pace on two compressed days, in short: see WaGateway::PaceDay.  As
# long as one likes: make pace-day.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::PaceDay;

WaGateway::PaceDay::run(seconds => 10, day => 9, used_up => 1);

done_testing;
