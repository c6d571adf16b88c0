package WaBench::Side::Recipe;

# Stock nginx as one finds it in recipes: all that fails is sent to the next
# server, also what may have been sent by the one before.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side::Stock';

use WaBench::Side::Stock;


sub name { return 'nginx, as in recipes' }

sub note {
    return 'proxy_next_upstream error timeout http_404 non_idempotent; for '
           . 'the row of instances that die only';
}


sub passed {
    return 'proxy_next_upstream error timeout http_404 non_idempotent; ';
}


1;
