package WaBench::Side::Stock;

# Stock nginx, in turn.  A 404 proves that nothing was sent, so it goes to the
# next server; to have that with POST all that is named must be repeatable, so
# errors and timeouts are not named.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side', 'WaBench::Peer::Nginx';

use WaBench::Peer::Nginx;
use WaBench::Side;


sub note {
    return 'in turn; proxy_next_upstream http_404 non_idempotent; '
           . 'fail_timeout=1s';
}


sub mark { return ' max_fails=1 fail_timeout=1s' }

sub passed { return 'proxy_next_upstream http_404 non_idempotent; ' }


1;
