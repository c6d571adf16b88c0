package WaGateway::Late;

# How late this machine is: a process beside the test sleeps and works a
# little by turns, and counts by how much that outlasts the sleep.  Where a
# test has to say by when something happens, this is added, so that a machine
# that is slow, or has other things to do, gets the time it lost.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(lateness soon);

my $Main = $$;
my $Beat = 0.01;

# One thing that is waited for takes turns of several processes, and more work.
my $Times = 5;

my ($Pid, $File);


# A sub that says how many seconds to allow for what happened since this call.
sub lateness {
    beat() unless $Pid;

    my $before = lost();
    return sub { return $Times * (lost() - $before) };
}


# One test: what took so long took less than that, and what was lost meanwhile.
sub soon {
    my ($took, $most, $late, $name) = @_;
    my $more = $late->();

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::cmp_ok($took, '<', $most + $more,
                       sprintf '%s (%.1f s)', $name, $took)
        or Test::More::diag(sprintf '%.2f s were allowed, and %.2f s for what '
                                    . 'the machine lost', $most, $more);
}


sub beat {
    my $dir = tempdir('wa-late-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $parent = $$;

    $File = "$dir/lost";
    open my $fh, '+>:raw', $File or die "$File: $!\n";

    defined($Pid = fork) or die "fork: $!\n";

    if (!$Pid) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP CHLD ALRM);
        my $lost = 0;

        while (getppid == $parent) {
            my $at = time;

            sleep $Beat;
            for (1 .. 2000) { }

            my $now = time;
            $lost += $now - $at - $Beat;
            sysseek $fh, 0, 0;
            syswrite $fh, pack 'dd', $lost, $now;
        }

        POSIX::_exit(0);
    }

    sleep 0.001 until -s $File;
}


# What it lost, the turn it is late with included.
sub lost {
    open my $fh, '<:raw', $File or die "$File: $!\n";
    sysread $fh, my $text, 16;

    my ($lost, $at) = unpack 'dd', $text;
    my $turn = time - $at - $Beat;

    return $turn > 0 ? $lost + $turn : $lost;
}


END {
    if ($$ == $Main && $Pid) {
        local $?;
        kill 'KILL', $Pid;
        waitpid $Pid, 0;
    }
}


1;
