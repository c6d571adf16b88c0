package WaBench::Side::Sticky;

# nginx since 1.29.6 learns where a session's answers come from.  With a 404
# that goes to the next server it does not learn from the wrong one.  Its
# source is laid into build/source/mainline by hand.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side::Stock';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use WaBench::Side::Stock;

my $Root = abs_path(dirname(__FILE__) . '/../../../..');
my $Build = "$Root/build/sides/mainline";


sub name { return 'nginx sticky learn' }

sub binary { return $ENV{STICKY_NGINX} || "$Build/nginx" }

sub what { return 'named' }


sub note {
    return 'create and lookup by a header with the session; as stock nginx '
           . 'otherwise';
}


sub found {
    my ($class) = @_;

    return 1 if -x $class->binary;

    my $source = "$Root/build/source/mainline";
    return 0 unless -e "$source/src/core/nginx.h";

    return system("cd '$Root' && t/tools/nginx-source mainline "
                  . 'build/source/mainline '
                  . "&& t/tools/nginx-build build/source/mainline "
                  . "'$Build' cc '-O2 -g' ''") == 0;
}


# Before 1.29.6 there is none.
sub choice { return <<'END' }
        sticky learn create=$http_x_wa_session lookup=$http_x_wa_session
               zone=client_sessions:8m timeout=1h;
END


1;
