#!/usr/bin/perl

# in_flight: what is in flight is counted right, whoever is killed while it
# counts, inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('in_flight');
