#!/usr/bin/perl

# Side by side with what people put in front of WhatsApp servers today: the
# same servers, the same sends, the same faults.  Writes SIDES.md beside this
# file; what was measured is in build/bench/sides.json, a row and a gateway at
# a time, so that a run that was cut short goes on with --resume.
#
#   bench/sides.pl [--quick] [--resume] [--gateway=name ...] [row ...]
#
# Rows: cpu, cold, grows, dies, moves, repeats, logout, unproved.  With --quick
# each thing happens twice and the page goes to build/bench; with rows or
# gateways named, those alone are measured again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use Getopt::Long;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(time);
use WaBench::Cost qw(pairs ratios);
use WaBench::Faults qw(faults @Kinds);
use WaBench::Load qw(median);
use WaBench::Side::Caddy;
use WaBench::Side::Express;
use WaBench::Side::Gateway;
use WaBench::Side::Haproxy;
use WaBench::Side::HaproxyHeader;
use WaBench::Side::Hash;
use WaBench::Side::Recipe;
use WaBench::Side::Sticky;
use WaBench::Side::Stock;
use WaBench::Side::Text;
use WaBench::SideReport qw(side_report);
use WaGateway::Nginx qw(slurp);

$| = 1;
$ENV{PATH} .= ':/usr/sbin:/sbin';

my $Bench = $FindBin::Bin;
my $Build = "$Bench/../build/bench";
my @Sides = map { "WaBench::Side::$_" } qw(Gateway Text Express Stock Hash
                                           Sticky Haproxy Caddy);

# The load of all at once: instances, sessions of each, connections, pairs.
my %Cpu = (instances => 3, sessions => 20, connections => 32, pairs => 8,
           seconds => 1);
my @Dies = (@Sides, 'WaBench::Side::Recipe');
my @Cpu = (@Sides, 'WaBench::Side::HaproxyHeader');

my %o = (gateway => []);
GetOptions(\%o, 'quick', 'resume', 'gateway=s@')
    or die "usage: see the head of bench/sides.pl\n";

my %Want = map { $_ => 1 } @ARGV;
my %Gateway = map { $_ => 1 } @{$o{gateway}};
my $File = $o{quick} ? "$Build/sides-quick.json" : "$Build/sides.json";
my $Began = time;

main();


sub main {
    system('mkdir', '-p', $Build) == 0 or die "$Build: cannot be made\n";

    my $partly = $o{resume} || %Want || %Gateway;
    my $all = $partly && -e $File ? decode_json(slurp($File)) : {};

    $all->{missing} = [map { $_->name } grep { !$_->found } @Sides];
    say_of("$_: not installed, left out") for @{$all->{missing}};

    $all->{sides} = [map { +{ name => $_->name, version => $_->version,
                              note => $_->note } }
                     grep { $_->found } @Cpu, 'WaBench::Side::Recipe'];

    for my $row (grep { !%Want || $Want{$_} } @Kinds) {
        measure($all, $row, $_)
            for grep { $_->found } $row eq 'dies' ? @Dies : @Sides;
    }

    cpu($all) if !%Want || $Want{cpu};

    my $dir = $o{quick} ? $Build : $Bench;
    write_file("$dir/SIDES.md", side_report($all, $Bench));
    say_of("written: SIDES.md" . ($o{quick} ? ' in build/bench' : ''));
}


sub say_of {
    my ($text) = @_;
    printf "%4d s  %s\n", time - $Began, $text;
}


sub measure {
    my ($all, $row, $class) = @_;
    my $name = $class->name;

    return if %Gateway && !$Gateway{$name};
    return if $o{resume} && !%Want && $all->{rows}{$row}{$name};

    say_of("$row: $name");
    my $r = faults($class, $row, quick => $o{quick});

    $all->{rows}{$row}{$name} = { %$r, about() };
    keep($all);
}


# What it was measured with: when, and the machine's load.
sub about {
    my ($load) = split ' ', slurp('/proc/loadavg');
    return (load => $load,
            at => POSIX::strftime('%Y-%m-%d %H:%M', gmtime));
}


sub cpu {
    my ($all) = @_;
    return if $o{resume} && !%Want && $all->{rows}{cpu};

    system('command -v wrk >/dev/null') == 0 or die "sides: no wrk here\n";
    say_of('cpu: all of them, in turn');

    my %about = about();
    my @sides = map { [$_->name, $_, what => $_->what] }
                grep { $_->found } @Cpu;
    my $got = pairs(sides => \@sides, %Cpu, $o{quick} ? (pairs => 2) : ());

    $all->{rows}{cpu} = { map { ($_ => figures($got, $_, %about)) }
                          keys %$got };
    keep($all);
}


sub figures {
    my ($got, $name, %about) = @_;

    my @rounds = @{$got->{$name}};
    my ($against, @quarters) = ratios($got, $name, 'wa_gateway');
    my $errors = 0;

    $errors += $_->{errors} for @rounds;

    return { cpu => median(map { $_->{cpu} } @rounds), against => $against,
             quarters => \@quarters, errors => $errors,
             memory => $rounds[-1]{memory}, rounds => scalar @rounds,
             %about };
}


sub keep {
    my ($all) = @_;
    write_file($File, JSON::PP->new->canonical->pretty->encode($all));
}


sub write_file {
    my ($name, $text) = @_;
    open my $fh, '>', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}
