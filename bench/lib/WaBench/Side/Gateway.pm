package WaBench::Side::Gateway;

# Ours, asked by the server's own route.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side', 'WaBench::Peer::Gateway';

use WaBench::Peer::Gateway;
use WaBench::Side;
use WaGateway::Nginx qw(http poll);


sub note { return 'vendor=waha, default settings, checks each second' }


# Once all sessions are known.
sub answers {
    my ($self, $seconds) = @_;
    my $all = @{$self->{instances}} * $self->{sessions};

    return poll { $self->ready == $all } $seconds;
}


sub aware {
    my ($self, $session, $n) = @_;

    return poll {
        http($self->port, 'GET', "/sessions?session=$session&limit=0")->{body}
            =~ /"ready":\s*(\d+)/ && $1 == $n;
    };
}


1;
