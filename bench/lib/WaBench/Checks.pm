package WaBench::Checks;

# What it costs to check many instances every second while nothing else is on.

use strict;
use warnings;

use Exporter qw(import);
use Time::HiRes qw(sleep time);
use WaBench::Backend;

our @EXPORT_OK = qw(checking);


# Options: peers, instances, settle, seconds.
# Gives { name => { share (of a core), rate, each (us), memory } }.
sub checking {
    my (%o) = @_;

    return { map { ($_->name => one($_, %o)) } @{$o{peers}} };
}


sub one {
    my ($class, %o) = @_;

    my $backend = WaBench::Backend->start;
    my $peer = $class->new(instances => [$backend->instances($o{instances})],
                           interval => 1, timeout => 1)->start;

    sleep $o{settle};

    my @pids = $peer->pids;
    my ($cpu, $count, $began) = (WaBench::Process::cpu_us(@pids),
                                 $backend->count, time);
    sleep $o{seconds};

    my $seconds = time - $began;
    my $checks = $backend->count - $count;
    my $used = WaBench::Process::cpu_us(@pids) - $cpu;
    my $memory = $peer->memory;

    $peer->stop;
    $backend->stop;

    return { share => $used / $seconds / 1e6, rate => $checks / $seconds,
             each => $checks ? $used / $checks : 0, memory => $memory };
}


1;
