#!/usr/bin/perl

# body: the rooms' own tests, run inside nginx; random bodies with names in
# escapes, once, twice or not at all, and damaged ones, by a grammar of
# RFC 8259.

use strict;
use warnings;

use Encode qw(encode);
use FindBin;
use lib $FindBin::Bin;

use Random;
use Unit;

my $random = Random->new(0xb0d7);
my @records;

for (1 .. 800) {
    my $nocase = $random->below(2);
    my @members = map { [$random->one_of(names()), $random->value(2)] }
                  1 .. $random->below(8);

    my $text = '{' . blank() . join(',', map {
        blank() . name($_->[0]) . blank() . ':' . blank()
            . $random->text($_->[1]) . blank()
    } @members) . '}' . blank();

    push @records, [$nocase, 'session', $text, told($nocase, @members)];

    my $bad = $random->damage($text);
    push @records, [$nocase, 'session', $bad, Random::valid($bad) ? '+' : '-'];
}

exit Unit::run('body', @records);


sub names {
    return ('session', 'session', 'Session', 'SESSION', "\x{17f}ession",
            'sessions', 'sessio', '', 'a', '__proto__', "session\0",
            "\x{633}", 'x' x 200);
}


# A string, each character of it as itself or escaped.
sub name {
    return '"' . join('', map {
        ord() < 0x20 || $random->below(3) == 0
            ? sprintf($random->below(2) ? '\u%04x' : '\u%04X', ord)
            : encode('UTF-8', $_)
    } split //, $_[0]) . '"';
}


sub blank {
    return join '', map { $random->one_of(' ', "\t", "\r", "\n") }
                    1 .. $random->one_of(0, 0, 0, 2);
}


# What wag_unit_body_tell() says, but for the offset.
sub told {
    my ($nocase, @members) = @_;
    my @found = grep { $_->[0] eq 'session'
                       || $nocase && $_->[0] =~ /\A[s\x{17f}]ession\z/i }
                     @members;

    return '()' if !@found;

    my $said = Random::spelled($found[0][1], 'n:', 's:');
    return 'declined: the member is no string @'
        if ref $found[0][1] || $said !~ s/^s://;
    return 'declined: the member is empty @' if $said eq '';
    return 'declined: the member is given twice @' if @found > 1;

    my $value = $found[0][1];
    my $cut = 0;

    for ( ; length encode('UTF-8', $value) > 128; $cut = 1) {
        chop $value;
    }

    return '(' . Random::plain($value) . ')' . ($cut ? '~' : '');
}
