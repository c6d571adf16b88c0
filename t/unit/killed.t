#!/usr/bin/perl

# killed: slots that processes use and free while they are killed, inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('killed');
