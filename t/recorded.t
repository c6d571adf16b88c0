#!/usr/bin/perl

# All answers, log lines and errors of configurations are those of
# t/recorded.txt, byte by byte but for times, ports and the like: what is not
# meant to change does not.  What is: see t/tools/record.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Launcher;

my $dir = tempdir(CLEANUP => 1);
my ($status, $out, $err) = run_command({}, $^X, "$FindBin::Bin/tools/record",
                                       "$dir/recorded.txt");

is($status, 0, 'the requests are played') or diag $out, $err;
is($err, '', 'without a word of Perl');

my %was = cases("$FindBin::Bin/recorded.txt");
my %is = cases("$dir/recorded.txt");

cmp_ok(scalar keys %is, '>', 1000, 'they are many');
is(join("\n", grep { !exists $is{$_} } sort keys %was), '', 'none is missing');
is(join("\n", grep { !exists $was{$_} } sort keys %is), '', 'none is new');

my @other = grep { exists $is{$_} && $is{$_} ne $was{$_} } sort keys %was;

is(scalar @other, 0, 'each is as recorded');

for (@other[0 .. ($#other < 9 ? $#other : 9)]) {
    diag "$_\n", difference($was{$_}, $is{$_});
}

done_testing;


# The text of each case, by section, title, and which of that title it is.
sub cases {
    my ($name) = @_;
    my ($section, %cases, %nth) = ('');

    for (split /^(?=####|====)/m, read_file($name) || '') {
        if (/^######## ([^\n]*)/) {
            $section = $1;

        } elsif (/^==== ([^\n]*)\n(.*?)\n*\z/s) {
            my $title = "$section: $1";
            $cases{$title . ' (' . ++$nth{$title} . ')'} = $2;
        }
    }

    return %cases;
}


sub difference {
    my ($was, $is) = @_;
    my (@was, @is) = ();

    push @was, split /\n/, $was;
    push @is, split /\n/, $is;

    while (@was && @is && $was[0] eq $is[0]) {
        shift @was;
        shift @is;
    }

    while (@was && @is && $was[-1] eq $is[-1]) {
        pop @was;
        pop @is;
    }

    return join '', map { "$_\n" } (map { "-$_" } @was), map { "+$_" } @is;
}
