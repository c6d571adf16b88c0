#!/usr/bin/perl

# .env: the corpus of t/fuzz/env.pl and some mutations of it, always the same;
# `make fuzz` tries others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Launcher;

my $dir = tempdir(CLEANUP => 1);

sub fuzz {
    return run_command({}, $^X, "$FindBin::Bin/fuzz/env.pl", '--seed=1',
                       "--found=$dir/found", @_);
}

my ($status, $out, $err) = fuzz('--runs=200');
is($status, 0, 'a line of error, or the directives of a good .env')
    or diag $out, $err;
is($err, '', 'without a word of Perl');


# The same, when values are not quoted.

my $render = read_file(root() . '/bin/render.pl');
ok($render =~ s/\$text =~ s\/\(\[\\\\"\]\)\S+ \. /\$text . /, 'no quoting');
write_file("$dir/render.pl", $render);

($status, $out) = fuzz('--runs=200', "--render=$dir/render.pl");
is($status, 1, 'is found');
like($out, qr/^not so: /m, 'and said');

my ($found) = glob "$dir/found/*";
($status, $out) = fuzz("--render=$dir/render.pl", $found);
is($status, 1, 'what was found is found again');

($status, $out, $err) = fuzz($found);
is($status, 0, 'and is well when quoted') or diag $out, $err;

done_testing;
