#!/usr/bin/perl

# journal_batch: the room's own tests, run inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('journal_batch');
