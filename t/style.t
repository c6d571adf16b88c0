#!/usr/bin/perl

# The sources are in nginx's style, and what looks after that sees what is not.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use Test::More;

my $root = abs_path("$FindBin::Bin/..");
my $style = "$root/t/tools/style";

my $said = `perl '$style' --selftest 2>&1`;
is($?, 0, 'each rule finds what was planted against it') or diag $said;

my @files = map { glob "'$root'/$_" } qw(*.c src/*/*.[ch] src/*/*/*.[ch]
                                         t/unit/*.[ch] t/fuzz/*.[ch]);
cmp_ok(scalar @files, '>', 60, 'the sources are found');
is(join('', map { `perl '$style' '$_' 2>&1` } @files), '', 'they are in style');

done_testing;
