package WaBench::Side::HaproxyHeader;

# The same where clients name the session in a header: it costs less.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side::Haproxy';

use WaBench::Side::Haproxy;


sub name { return 'HAProxy, by header' }

sub what { return 'named' }

sub note { return 'the same, with the session in a header; for its CPU only' }

sub session { return 'req.hdr(x-wa-session)' }


1;
