package WaBench::Side::Text;

# Ours, by its own way to send: wa_gateway_send.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side::Gateway';

use WaBench::Side;
use WaBench::Side::Gateway;


sub name { return 'wa_gateway, /send-message' }

sub what { return 'text' }

sub target { return '/send-text' }


sub members {
    my ($self, $session, $text) = @_;
    return { session => $session, to => $WaBench::Side::To,
             message => $text };
}


1;
