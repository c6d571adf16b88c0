#!/usr/bin/perl

# The Arabic pages say all that the English ones say: section by section the
# same code and the same numbers, row by row the same code, links that stay in
# Arabic, and no line left in English.  Blocks and the sizes of tables: t/docs.t.

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
my @pairs = map { s{^\Q$root\E/docs/}{}r =~ s/\.ar\././r }
            bsd_glob("$root/docs/*.ar.md");

cmp_ok(scalar @pairs, '>=', 4, 'pages in both languages');


# What the English text has and the Arabic has not; and what the Arabic has
# that is nowhere on the English page.
sub differ {
    my ($ar, $en, $page) = @_;
    my ($is, $was, $any) = map { my $l = $_; +{ map { $_ => 1 } @$l } }
                           $ar, $en, $page;

    return join "\n", (map { "missing: $_" } grep { !$is->{$_} }
                       sort keys %$was),
                      (map { "not in English: $_" }
                       grep { !$was->{$_} && !$any->{$_} } sort keys %$is);
}


# Spans of code but for single signs, which Arabic may name where English has a
# word, and the language that is shown.
sub code_of {
    my ($text) = @_;
    return map { s/^wa_gateway_errors \K(?:ar|en)\z/LANG/r }
           grep { /\w/ } spans($text);
}


# Without blocks, from one heading to the next.
sub parts {
    my ($text) = @_;
    return split /^(?=#+ )/m, WaGateway::Docs::unfenced($text);
}


# What is left to be read: no code, no target of a link, no HTML.
sub prose {
    my ($text) = @_;
    $text =~ s/`[^`]+`/'`' . "\n" x ($& =~ tr{\n}{})/ge;
    $text =~ s/\]\([^)\s]*\)/]/g;
    $text =~ s/<[^>]+>//g;
    return $text;
}


# Numbers of two digits and more; smaller ones may be words.
sub numbers {
    my ($text) = @_;
    return prose($text) =~ /(?<![A-Za-z\d_.,])(\d[\d,.]*\d)(?![A-Za-z\d_])/g;
}


# How many paragraphs and items of lists.
sub pieces {
    my ($text) = @_;
    $text =~ s/<[^>]+>//g;
    my $items = () = $text =~ /^ *(?:-|\d\.) /mg;
    my $paragraphs = () = $text =~ /^\s*\S.*?(?:\n\s*\n|\z)/msg;
    return "$paragraphs paragraphs, $items items";
}


# The page that a link of an Arabic page should lead to.
sub arabic {
    my ($link) = @_;
    my ($file) = $link =~ /^([^#]*)/;
    my $ar = $file =~ s/(?:\.ar)?\.md$/.ar.md/r;
    return (-f "$root/docs/$ar" ? $ar : $file) =~ s/-en\.png$/-ar.png/r;
}


for my $name (@pairs) {
    my $ar = $name =~ s/\.md$/.ar.md/r;
    my ($en_text, $ar_text) = map { page("$root/docs/$_") } $name, $ar;
    my @en = parts($en_text);
    my @ar = parts($ar_text);
    my @code = code_of($en_text);
    my @numbers = numbers($en_text);

    is(scalar @ar, scalar @en, "$ar: parts");

    for my $n (0 .. $#en) {
        my ($head) = $en[$n] =~ /^#+ (.*)/;
        my $here = $ar[$n] // '';

        is(pieces($here), pieces($en[$n]), "$ar: $head: pieces");
        is(differ([code_of($here)], [code_of($en[$n])], \@code), '',
           "$ar: $head: code");
        is(differ([numbers($here)], [numbers($en[$n])], \@numbers), '',
           "$ar: $head: numbers");

        my ($e, $a) = map { [map { @$_ } tables($_)] } $en[$n], $here;
        my @rows = map { differ([code_of("@{$a->[$_] || []}")],
                                [code_of("@{$e->[$_]}")], []) } 0 .. $#$e;

        is(join("\n", grep { length } @rows), '', "$ar: $head: code of rows")
            if @$e;
    }

    # but for the line at the top, which names the page in the other language
    my ($top) = $ar_text =~ /\A# .*\n\n(.*)\n/;
    my @here = grep { $_ ne $name } links($ar_text);

    like($top, qr/^\[English\]\(\Q$name\E\) · /, "$ar: leads to $name");
    like($en_text, qr/\A# .*\n\n\[العربية\]\(\Q$ar\E\) · /,
         "$name: leads to $ar");
    is(join("\n", sort grep { length } map { s/#.*//r } @here),
       join("\n", sort grep { length } map { arabic($_) }
                  grep { $_ ne $ar } links($en_text)),
       "$ar: leads where $name leads, in Arabic");

    my $read = prose(WaGateway::Docs::unfenced($ar_text));
    is(join("\n", grep { !/\p{Arabic}/ && /[A-Za-z]{2}[,;:.]? +[a-z]{2}/
                         && !/^\[English\]/ } split /\n/, $read),
       '', "$ar: no line in English");
    is(join("\n", grep { !/\p{Arabic}/ && /[A-Za-z]{2} +[a-z]{2}/ }
                  map { @$_ } map { @$_ } tables($read)),
       '', "$ar: no cell in English");
}

done_testing;
