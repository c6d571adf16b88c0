#!/usr/bin/perl

# What 1 to 500 instances with 1 to 200 sessions each cost one worker, and what
# a second gateway and a store add.  Writes SCALE.md beside this file; what was
# measured is in build/bench/scale.json, a cell at a time, so that a run that
# was cut short goes on with --resume.
#
#   bench/scale.pl [--quick] [--resume] [cell ...] [asking] [store]
#
# A cell is named 500x200.  With --quick the looks are short and the page goes
# to build/bench; with cells or parts named, those alone are measured again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Getopt::Long;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(time);
use WaBench::Scale qw(cell asking two_gateways);
use WaBench::ScaleReport qw(scale_report);
use WaGateway::Nginx qw(slurp);
use WaGateway::Store;

$| = 1;

my $Bench = $FindBin::Bin;
my $Build = "$Bench/../build/bench";
my @Instances = (1, 10, 100, 500);
my @Sessions = (1, 20, 200);
my $Files = 12000;

my %o;
GetOptions(\%o, 'quick', 'resume') or die "usage: see the head of bench/"
                                          . "scale.pl\n";

my %Want = map { $_ => 1 } @ARGV;
my $File = $o{quick} ? "$Build/scale-quick.json" : "$Build/scale.json";
my $Began = time;
my $All;

main();


sub main {
    system('mkdir', '-p', $Build) == 0 or die "$Build: cannot be made\n";
    system('command -v wrk >/dev/null') == 0 or die "scale: no wrk here\n";

    my $files = `sh -c 'ulimit -n'`;
    die "scale: $files open files are not enough, see ulimit -n\n"
        if $files =~ /^\d+$/ && $files < $Files;

    $All = ($o{resume} || %Want) && -e $File ? decode_json(slurp($File)) : {};

    my @look = $o{quick} ? (seconds => 1, pairs => 1)
                         : (seconds => 5, pairs => 6);

    for my $n (@Instances) {
        for my $each (@Sessions) {
            part("${n}x$each", sub { cell(instances => $n, sessions => $each,
                                          @look) });
        }
    }

    part('asking', sub { asking(instances => 100, sessions => 20, @look,
                                vendor => 'wwebjs') });
    eval { WaGateway::Store::program() }
        or return page("store: left out: $@");
    part('store', sub {
        two_gateways($o{quick} ? (pairs => 1, sends => 200)
                               : (pairs => 5, sends => 2000));
    });

    page();
}


sub page {
    my ($word) = @_;
    my $dir = $o{quick} ? $Build : $Bench;

    say_of($word =~ s/\n\z//r) if $word;
    write_file("$dir/SCALE.md",
               scale_report($All, $Bench, \@Instances, \@Sessions));
    say_of('written: SCALE.md' . ($o{quick} ? ' in build/bench' : ''));
}


sub say_of {
    my ($text) = @_;
    printf "%4d s  %s\n", time - $Began, $text;
}


sub part {
    my ($name, $code) = @_;

    return if %Want && !$Want{$name};
    return if $o{resume} && !$Want{$name} && $All->{$name};

    say_of($name);

    my ($load) = split ' ', slurp('/proc/loadavg');
    my $at = POSIX::strftime('%Y-%m-%d %H:%M', gmtime);

    $All->{$name} = { %{$code->()}, load => $load, at => $at };
    write_file($File, JSON::PP->new->canonical->pretty->encode($All));
}


sub write_file {
    my ($name, $text) = @_;
    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}
