#!/usr/bin/perl

# The folders of src/ stand on floors, as docs/design.md draws them: what a
# file includes or calls lies in its own folder or below, and no two files need
# each other, be it by way of others.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Find qw(find);
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(slurp);

my $root = abs_path("$FindBin::Bin/..");
my @Floors = qw(core vendor zone health/probe health send upstream api edge);
my %floor = map { $Floors[$_] => $_ } 0 .. $#Floors;

my %text;
find({ no_chdir => 1, wanted => sub {
    $text{s{^\Q$root\E/src/}{}r} = slurp($_) if /\.[ch]$/;
} }, "$root/src");

# words in comments and texts are no calls
s{^\#include\N*|/\*.*?\*/|"(?:\\.|[^"\\])*"}{ $& =~ /^\#/ ? $& : '' }gsme
    for values %text;

my %folder = map { $_ => m{(.*)/} } keys %text;
my %place = map { m{([^/]+\.h)$} ? ($1 => $_) : () } keys %text;

cmp_ok(scalar keys %place, '>', 40, 'headers are found');
is(join(' ', grep { !defined $floor{$folder{$_}} } sort keys %text), '',
   'every folder has a floor');

# Who declares it: functions, variables, macros and types of headers.
my %declared;
for my $file (values %place) {
    $declared{$_} = $file
        for $text{$file} =~ /^(?:\w[\w *]*?[ *]|#define )(wag_\w+)\b *[(;[]/mg,
            $text{$file} =~ /^\} (wag_\w+);/mg,
            $text{$file} =~ /^#define (WAG_\w+) /mg;
}
cmp_ok(scalar keys %declared, '>', 200, 'names are found');

my %needs;
for my $file (keys %text) {
    $needs{$file}{$place{$_}} = 1
        for grep { $place{$_} } $text{$file} =~ /^#include "(\w+\.h)"/mg;
    $needs{$file}{$declared{$_}} = 1
        for grep { $declared{$_} } $text{$file} =~ /\b(wag_\w+|WAG_\w+)\b/g;
    delete $needs{$file}{$file};
}

my @up;
for my $file (sort keys %needs) {
    push @up, map { "$file -> $_" }
              grep { $floor{$folder{$_}} > $floor{$folder{$file}} }
              sort keys %{$needs{$file}};
}
is(join("\n", @up), '', 'nothing reaches up');

# A room is a .c and its .h.
my %room;
for my $file (keys %needs) {
    my $from = $file =~ s/\.[ch]$//r;
    for my $to (map { s/\.h$//r } keys %{$needs{$file}}) {
        $room{$from}{$to} = 1 if $to ne $from;
    }
}

my (%seen, @circles);
visit($_) for sort keys %room;
is(join("\n", @circles), '', 'no circle');

done_testing;


sub visit {
    my ($at, @way) = @_;

    for my $i (0 .. $#way) {
        next if $way[$i] ne $at;
        push @circles, join ' -> ', @way[$i .. $#way], $at;
        return;
    }

    return if $seen{$at};
    visit($_, @way, $at) for sort keys %{$room{$at} || {}};
    $seen{$at} = 1;
}
