#!/usr/bin/perl

# json_scan: the room's own tests, run inside nginx; random texts, with what
# JSON::PP finds in them, and damaged ones, by a grammar of RFC 8259.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Random;
use Unit;

my $random = Random->new(0x15c);
my @records;

for (1 .. 700) {
    my $text = $random->text;

    push @records, [$text, events(Random::decode_text($text)) . 'ok'];

    for (1 .. 2) {
        my $bad = $random->damage($text);
        push @records, [$bad, Random::valid($bad) ? '+' : '-'];
    }
}

exit Unit::run('json_scan', @records);


# Members sorted by name: so are those of the texts.
sub events {
    my ($value) = @_;

    return '[ ' . join('', map { events($_) } @$value) . '] '
        if ref $value eq 'ARRAY';

    return '{ ' . join('', map { 'k:' . Random::plain($_) . ' '
                                 . events($value->{$_}) } sort keys %$value)
           . '} '
        if ref $value eq 'HASH';

    return Random::spelled($value, 'n:', 's:') . ' ';
}
