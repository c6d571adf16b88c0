#!/usr/bin/perl

# bucket: the room's own tests, run inside nginx; a reference at random.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('bucket');
