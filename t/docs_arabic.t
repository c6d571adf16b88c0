#!/usr/bin/perl

# The Arabic pages say all that the English ones say: the same code in each
# row and each section, the same numbers, links that stay in Arabic, and no line
# left in English.  Blocks and the sizes of tables: t/docs.t.

use strict;
use warnings;
use utf8;

use File::Glob qw(bsd_glob);
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Docs;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $root = "$FindBin::Bin/..";
my @pairs = grep { -f "$root/$_" } map { s{^\Q$root\E/}{}r =~ s/\.ar\././r }
            bsd_glob("$root/docs/*.ar.md");

cmp_ok(scalar @pairs, '>=', 1, 'pages in both languages');


# What one list has and the other has not, and the other way round.
sub differ {
    my ($ar, $en) = @_;
    my %ar = map { $_ => 1 } @$ar;
    my %en = map { $_ => 1 } @$en;
    return join "\n", (map { "missing: $_" } grep { !$ar{$_} } sort keys %en),
                      (map { "not in English: $_" }
                       grep { !$en{$_} } sort keys %ar);
}


# The text with no blocks, and the parts of it from one heading to the next.
sub parts {
    my ($text) = @_;
    return split /^(?=#+ )/m, WaGateway::Docs::unfenced($text);
}


# What is left of a text to be read: no code, no target of a link, no HTML.
sub prose {
    my ($text) = @_;
    $text =~ s/`[^`]+`/'`' . "\n" x ($& =~ tr{\n}{})/ge;
    $text =~ s/\]\([^)\s]*\)/]/g;
    $text =~ s/<[^>]+>//g;
    return $text;
}


# Numbers of two digits and more, with what belongs to them.
sub numbers {
    my ($text) = @_;
    return prose($text) =~ /(?<![\w.])(\d[\d,.]*\d)(?![\w])/g;
}


# Where a link of an Arabic page leads if it is that of an English page.
sub arabic {
    my ($link) = @_;
    my ($file) = $link =~ /^([^#]*)/;
    my $ar = $file =~ s/(?<!\.ar)\.md$/.ar.md/r;
    return -f "$root/docs/$ar" ? $ar : $file;
}


for my $name (@pairs) {
    my $ar = $name =~ s/\.md$/.ar.md/r;
    my ($en_text, $ar_text) = map { page("$root/$_") } $name, $ar;
    my @en = parts($en_text);
    my @ar = parts($ar_text);

    is(scalar @ar, scalar @en, "$ar: parts");

    for my $n (0 .. $#en) {
        my ($head) = $en[$n] =~ /^#+ (.*)/;
        my $where = "$ar: " . ($head // 'top');
        my $there = $ar[$n] // '';

        is(differ([spans($there)], [spans($en[$n])]), '', "$where: code");
        is(differ([numbers($there)], [numbers($en[$n])]), '',
           "$where: numbers");

        my @tables = map { [tables($_)] } $en[$n], $there;
        for my $t (0 .. $#{$tables[0]}) {
            my ($e, $a) = map { $_->[$t] || [] } @tables;
            is(join("\n", grep { length }
                          map { differ([spans("@{$a->[$_] || []}")],
                                       [spans("@{$e->[$_]}")]) } 0 .. $#$e),
               '', "$where: code of rows");
        }
    }

    # the line at the top names the page in the other language
    my %other = ($name =~ s{^docs/}{}r => 1, $ar =~ s{^docs/}{}r => 1);
    is(join("\n", sort grep { !$other{$_} } map { arabic($_) } links($ar_text)),
       join("\n", sort grep { !$other{$_} } map { arabic($_) } links($en_text)),
       "$ar: pages it leads to");
    is(join(' ', grep { /^[^#]+\.md/ && !/\.ar\.md/
                        && arabic($_) =~ /\.ar\.md$/
                        && !$other{$_} } links($ar_text)),
       '', "$ar: no link to a page that is there in Arabic");

    my @lines = split /\n/, prose(WaGateway::Docs::unfenced($ar_text));
    is(join("\n", grep { /[A-Za-z]{2}/ && !/\p{Arabic}/ } @lines), '',
       "$ar: no line in English");
    is(join("\n", grep { !/\p{Arabic}/ && /[a-z]{2,},? [a-z]{2}/ }
                  map { @$_ } map { @$_ } tables(prose($ar_text))), '',
       "$ar: no cell in English");
}

done_testing;
