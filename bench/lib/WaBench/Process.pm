package WaBench::Process;

# Processes of the benchmark: started, measured through /proc, and ended by
# their ids alone.

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();
use Time::HiRes qw(sleep time);
use WaGateway::Nginx qw(poll slurp);

our @EXPORT_OK = qw(launch finish tree cpu_us memory_kb cores gateway_cpu
                    load_cpus);

my $Main = $$;
my %Running;

# So that END has its turn.
$SIG{$_} = sub { exit 1 } for qw(HUP INT TERM);


# Options: cpus (for taskset, undef: any), out (file), env.
sub launch {
    my ($command, %o) = @_;

    my @command = @$command;
    unshift @command, 'taskset', '-c', $o{cpus} if defined $o{cpus};

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $o{out} || '/dev/null';
        open STDERR, '>&', \*STDOUT;
        %ENV = (%ENV, %{$o{env} || {}});
        exec @command or POSIX::_exit(127);
    }

    $Running{$pid} = 1;

    return $pid;
}


# TERM or another signal, and KILL to what is still there some seconds later:
# the process and its children.
sub finish {
    my ($pid, $signal, $seconds) = @_;

    return unless delete $Running{$pid};

    my @all = tree($pid);
    my $end = time + ($seconds || 3);
    my $gone = 0;

    # more than once: nginx may be just about to sleep when a signal comes
    while (!$gone && time < $end) {
        kill $signal || 'TERM', $pid;
        kill 'CONT', $pid;
        $gone = poll { waitpid $pid, POSIX::WNOHANG() } 0.5;
    }

    if (!$gone) {
        kill 'KILL', $pid, grep { $_ != $pid } tree($pid);
        waitpid $pid, 0;
    }

    # workers that outlive their master: ours still, if the name is the same
    for my $child (grep { $_ != $pid } @all) {
        poll { !-e "/proc/$child" } 2 or kill 'KILL', $child;
    }
}


# A process and all below it.
sub tree {
    my ($pid) = @_;
    my (%children, @all);

    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($child, $parent) = slurp($stat) =~ /^(\d+) \(.*\) \S+ (\d+) /
            or next;
        push @{$children{$parent}}, $child;
    }

    my @left = ($pid);

    while (defined(my $next = shift @left)) {
        push @all, $next;
        push @left, @{$children{$next} || []};
    }

    return @all;
}


# us of CPU, user and system, that the processes have used: by the scheduler's
# own count where the kernel has it, else by the ticks of stat.
sub cpu_us {
    my $us = 0;

    for my $pid (@_) {
        my @threads = glob "/proc/$pid/task/[0-9]*/schedstat";

        if (@threads) {
            for my $file (@threads) {
                $us += $1 / 1000 if slurp($file) =~ /^(\d+)/;
            }

        } elsif (slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) (.*)/) {
            my @field = split ' ', $1;
            my $tick = POSIX::sysconf(POSIX::_SC_CLK_TCK());
            $us += ($field[11] + $field[12]) * 1e6 / $tick;
        }
    }

    return $us;
}


# The same in two, user and system, by the ticks of stat.
sub split_us {
    my ($user, $system) = (0, 0);
    my $tick = POSIX::sysconf(POSIX::_SC_CLK_TCK());

    for my $pid (@_) {
        my ($rest) = slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) (.*)/ or next;
        my @field = split ' ', $rest;

        $user += $field[11] * 1e6 / $tick;
        $system += $field[12] * 1e6 / $tick;
    }

    return ($user, $system);
}


# What the processes of one gateway share counts once, and their program and
# libraries in full, though other gateways may have them mapped too.
sub memory_kb {
    my ($kb, $file) = (0, 0);

    for my $pid (@_) {
        my $rollup = slurp("/proc/$pid/smaps_rollup");
        $kb += $_ for $rollup =~ /^Pss_(?:Anon|Shmem): +(\d+)/mg;

        my ($mapped) = slurp("/proc/$pid/status") =~ /^RssFile:\s+(\d+)/m;
        $file = $mapped if $mapped && $mapped > $file;
    }

    return $kb + $file;
}


sub cores {
    my $cores = `nproc`;
    chomp $cores;
    return $cores;
}


# One core is the gateway's, the others are the load's.
sub gateway_cpu { return cores() > 1 ? '0' : undef }

sub load_cpus { return cores() > 1 ? '1-' . (cores() - 1) : undef }


END {
    if ($$ == $Main) {
        my $status = $?;
        finish($_) for keys %Running;
        $? = $status;
    }
}


1;
