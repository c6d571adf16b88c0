#!/usr/bin/perl

# session: what an instance tells goes into the table, inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('session');
