package WaBench::Peer::Express;

# bench/express: what wa_gateway replaces.  Its packages go to build/express.

use strict;
use warnings;

use parent 'WaBench::Peer';

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $Root = abs_path(dirname(__FILE__) . '/../../../..');
my $Build = "$Root/build/express";


sub name { return 'Express + axios' }


# The packages are installed by the way, once; without a network it is left
# out soon.
sub found {
    return 0 if system 'command -v node >/dev/null && command -v npm '
                       . '>/dev/null';

    system('cp', "$Root/bench/express/gateway.js",
           "$Root/bench/express/package.json", $Build)
        if mkdir($Build) || -d $Build;

    return 1 if -d "$Build/node_modules/express"
                && -d "$Build/node_modules/axios";

    return system("cd '$Build' && npm install --no-audit --no-fund "
                  . '--no-progress --silent --fetch-retries=0 >npm.log 2>&1')
           == 0;
}


sub version {
    my $node = `node --version`;
    my @versions;

    for my $name ('express', 'axios') {
        open my $fh, '<', "$Build/node_modules/$name/package.json" or next;
        local $/;
        push @versions, "$name $1" if <$fh> =~ /"version": *"([^"]+)"/;
    }

    $node =~ s/^v|\s+$//g;

    return join ', ', @versions, "Node $node";
}


sub checks { return 0 }

sub command { return ('node', "$Build/gateway.js") }

sub config { return () }


sub env {
    my ($self) = @_;

    return { PORT => $self->{port}, NODE_ENV => 'production',
             INSTANCES => join(',', map { "http://$_" } @{$self->{instances}}),
             HEALTH_CHECK_INTERVAL => $self->{interval} * 1000,
             HEALTH_CHECK_TIMEOUT => $self->{timeout} * 1000,
             KEY => $self->{key} || '',
             REQUEST_TIMEOUT => $self->{request_timeout} * 1000,
             GENERATION => $self->{generation} };
}


1;
