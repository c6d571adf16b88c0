package WaBench::Side::Caddy;

# By rendezvous hash of a header; a 404 cannot be given to another server.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side', 'WaBench::Peer::Caddy';

use WaBench::Peer::Caddy;
use WaBench::Side;


sub places { return 1 }

sub what { return 'named' }

sub policy { return 'header X-WA-Session' }

sub note { return 'lb_policy header, with the session; checks each second' }


1;
