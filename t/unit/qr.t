#!/usr/bin/perl

# qr: the room's own tests, run inside nginx.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Unit;

exit Unit::run('qr');
