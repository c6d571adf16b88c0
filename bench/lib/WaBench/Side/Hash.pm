package WaBench::Side::Hash;

# The recipe of wpp-docker: nginx puts a session where the hash of its name
# says.  Its expression did not know names with "-" or "_", and sent those
# anywhere; this one does.  The path names the session, and the server gets
# the one that it knows.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side::Stock';

use WaBench::Side::Stock;


sub name { return 'nginx hash' }

sub places { return 1 }

sub what { return 'pathed' }

sub note {
    return 'hash of the session in the path, consistent; as stock nginx '
           . 'otherwise';
}


sub target {
    my ($self, $session) = @_;
    return "/api/$session/sendText";
}


sub maps { return <<'END' }
    map $request_uri $wpp_session {
        "~^/api/([^/?]+)/" $1;
    }
END


sub choice { return "        hash \$wpp_session consistent;\n" }


sub passed {
    my ($self) = @_;
    return 'rewrite ^/api/[^/]+/sendText$ /api/sendText break; '
           . $self->SUPER::passed;
}


1;
