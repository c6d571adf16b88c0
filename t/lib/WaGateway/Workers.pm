package WaGateway::Workers;

# perl -MWaGateway::Workers=4 t/foo.t: Test::Nginx knows no variable of the
# environment for the number of workers.

use strict;
use warnings;

use Test::Nginx::Util ();

sub import {
    my ($class, $workers) = @_;

    Test::Nginx::Util::workers($workers) if $workers;
}

1;
