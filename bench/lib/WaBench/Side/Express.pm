package WaBench::Side::Express;

# The script that wa_gateway replaces knows nothing of sessions.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side', 'WaBench::Peer::Express';

use WaBench::Peer::Express;
use WaBench::Side;


sub note { return 'bench/express, in turn, checks each second' }


1;
