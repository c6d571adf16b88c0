#!/usr/bin/perl

# sessions: the table of sessions in shared memory, inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('sessions');
