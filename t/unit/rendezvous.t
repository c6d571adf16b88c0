#!/usr/bin/perl

# rendezvous: the room's own tests, run inside nginx; orders that another
# implementation has reckoned, with logarithms in floating point.

use strict;
use warnings;
no warnings qw(portable);

use FindBin;
use lib $FindBin::Bin;

use Random;
use Unit;

my $random = Random->new(0x9a7);
my @records;

for my $case (1 .. 1500) {
    my $type = $random->below(3);
    my $id = join '', map { $random->below(10) } 1 .. 8 + $random->below(8);
    my %weight;

    $id .= '-1500000000' if $type == 1 && $random->below(2);

    while (keys %weight < 1 + $case % 9) {
        my $number = '9665' . join '', map { $random->below(10) } 1 .. 8;
        $weight{$number} = $case % 2 ? 1
            : 1 + $random->below($random->one_of(3, 100, 1000));
    }

    my $chat = mix(fnv(chr($type) . $id));
    my %cost = map { ($_ => -log((mix($chat ^ mix($_)) + 1) / 2 ** 64)
                            / $weight{$_}) } keys %weight;

    push @records, [$type, $id,
                    join(' ', map { "$_ $weight{$_}" } sort keys %weight),
                    join(' ', sort { $cost{$a} <=> $cost{$b} } keys %cost)];
}

exit Unit::run('rendezvous', @records);


# Modulo 2 ** 64; Perl's own product of large numbers is floating.
sub times64 {
    my ($n, $m) = @_;
    use integer;
    return $n * $m;
}


sub unsigned { return $_[0] + 0 & ~0 }


sub fnv {
    my ($text) = @_;
    my $hash = 0xcbf29ce484222325;

    $hash = unsigned(times64($hash ^ ord, 0x100000001b3)) for split //, $text;
    return $hash;
}


sub mix {
    my ($n) = @_;

    {
        use integer;
        $n += 0x9e3779b97f4a7c15;
    }
    $n = unsigned($n);
    $n = unsigned(times64($n ^ ($n >> 30), 0xbf58476d1ce4e5b9));
    $n = unsigned(times64($n ^ ($n >> 27), 0x94d049bb133111eb));

    return $n ^ ($n >> 31);
}
