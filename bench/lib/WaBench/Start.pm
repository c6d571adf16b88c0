package WaBench::Start;

# How long a start and a reload take with many instances: till the first
# message is answered, and till one is by the new configuration.

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(sleep time);
use WaBench::Backend;

our @EXPORT_OK = qw(starting);


# Options: peers, instances, times (the median of so many).
# Gives { name => { start, reload (s), memory, after (kb) } }; reload undef
# where there is none.
sub starting {
    my (%o) = @_;

    return { map { ($_->name => one($_, %o)) } @{$o{peers}} };
}


sub one {
    my ($class, %o) = @_;

    my $backend = WaBench::Backend->start;
    my $peer = $class->new(instances => [$backend->instances($o{instances})]);

    my $began = time;
    $peer->launch_only;
    $peer->answers(60) or die $peer->name . " does not answer\n";
    my %r = (start => time - $began);

    # the first checks go out meanwhile
    sleep 2;
    $r{memory} = $peer->memory;

    $began = time;

    if ($peer->reload) {
        $peer->answers(60) or die $peer->name . " does not reload\n";
        $r{reload} = time - $began;
        sleep 2;
        $r{after} = $peer->memory;
    }

    $peer->stop;
    $backend->stop;

    return \%r;
}


1;
