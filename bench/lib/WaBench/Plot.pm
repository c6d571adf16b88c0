package WaBench::Plot;

# bench/cost.svg: what a message costs over the number of instances.

use strict;
use warnings;

use Exporter qw(import);
use WaBench::Report;

our @EXPORT_OK = qw(plot);


# False without gnuplot.
sub plot {
    my ($rows, $dir, $file) = @_;

    return 0 if system('command -v gnuplot >/dev/null') || !@$rows;

    my @names = WaBench::Report::names($rows->[0]{got});

    open my $data, '>', "$dir/cost.dat" or die "$dir/cost.dat: $!\n";

    for my $row (@$rows) {
        print $data join(' ', $row->{instances},
                         map { $row->{got}{$_}{cpu} } @names), "\n";
    }

    close $data or die "$dir/cost.dat: $!\n";

    my $lines = join ', ', map {
        sprintf '"%s" using 1:%d with linespoints lw 2 pt 7 ps 0.5 title "%s"',
                "$dir/cost.dat", $_ + 2, $names[$_];
    } 0 .. $#names;

    open my $gnuplot, '|-', 'gnuplot' or die "gnuplot: $!\n";
    print $gnuplot <<"END";
set terminal svg noenhanced size 720,420 font "sans-serif,12" background "white"
set output "$file"
set logscale xy
set xlabel "instances"
set ylabel "CPU per message, us"
set xtics (3, 10, 30, 100, 300, 1000, 4000)
set xrange [2.5:5000]
set grid
set key outside right top
plot $lines
END
    return close $gnuplot;
}


1;
