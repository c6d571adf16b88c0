#!/usr/bin/perl

# recipient: the room's own tests, run inside nginx; random numbers as people
# write them.

use strict;
use warnings;

use Encode qw(encode);
use FindBin;
use lib $FindBin::Bin;

use Random;
use Unit;

my $random = Random->new(0x7e1);
my @records;

for (1 .. 1200) {
    my $country = $random->one_of(1, 49, 966, 20);
    my $digits = 1 + $random->below(9);
    $digits .= $random->below(10) for 2 .. 4 + $random->below(13);

    my $prefix = $random->one_of('', '+', '00', '0');
    my $number = ($prefix eq '0' ? $country : '') . $digits;

    push @records, [$country, encode('UTF-8', written("$prefix$digits")),
                    length $number >= 8 && length $number <= 15
                        ? "user:$number" : 'no: not 8 to 15 digits'];
}

exit Unit::run('recipient', @records);


# Any digits, something around and between, a suffix now and then.
sub written {
    my ($number) = @_;
    my $zero = $random->one_of(0x30, 0x30, 0x660, 0x6f0);

    my $text = join '', map {
        (/\d/ ? chr($zero + $_) : $_)
        . (/\d/ && !$random->below(4)
           ? $random->one_of(' ', '-', "\x{a0}", "\x{2013}", "\x{200e}") : '')
    } split //, $number;

    $text = "\x{202a}$text\x{202c}" if !$random->below(4);
    $text =~ s/([\x{660}-\x{669}\x{6f0}-\x{6f9}0-9]{2,3})\z/($1)/
        if !$random->below(4);

    return $text . $random->one_of('', '', '@c.us', '@S.WhatsApp.net',
                                   ':3@s.whatsapp.net', ' ');
}
