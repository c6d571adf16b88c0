package WaBench::Peer::Gateway;

# Ours: status, metrics, errors, passive marking and checks on.

use strict;
use warnings;

use parent -norequire, 'WaBench::Peer::Nginx';

use WaBench::Peer::Nginx;


sub name { return 'wa_gateway' }

sub ours { return 1 }


sub version {
    my ($self) = @_;
    return 'in nginx ' . $self->SUPER::version;
}


1;
