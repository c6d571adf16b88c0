#!/usr/bin/perl

# prove runs the tests too, with the environment that the pages name, and
# finds the same files as t/run.pl.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(slurp);

my $root = abs_path("$FindBin::Bin/..");
chdir $root or die "$root: $!\n";

my @lines = map { slurp($_) =~ /^(TEST_NGINX.* prove -r t)$/m }
            'docs/running.md', 'docs/running.ar.md';
is(scalar @lines, 2, 'each language has the line');
is($lines[0], $lines[1], 'the same one');

my ($pattern) = slurp('t/run.pl') =~ /sort glob\('([^']+)'\)/;
is(join(' ', sort split ' ', `prove --dry -r t`),
   join(' ', sort glob $pattern), 'prove finds what t/run.pl finds');

is(join(' ', grep { my $text = slurp($_);
                    $text =~ /^use (?:WaGateway|Unit|Probe)\b/m
                    && $text !~ /^use lib .*?^use (?:WaGateway|Unit|Probe)/ms }
              glob $pattern), '', 'each finds its modules by itself');

# The tests of another build or another nginx stay with that.
my %set = map { $_ => $ENV{$_} }
          grep { /^TEST_NGINX_|^WA_GATEWAY_TEST_|^NGINX_SRC\z
                  |^CC\z|^(?:CC|LD)_OPT\z|^[A-Z]+SAN_OPTIONS\z/x } keys %ENV;
my $run = $lines[0] =~ s{-r t$}{t/variables.t t/clock.t t/unit/json.t}r;
my ($names) = $run =~ /^(.*?) prove /;
$run =~ s/\b$_=\S+ // for grep { ($set{$_} || '') =~ m{/} }
                               $names =~ /(\w+)=/g;

my $said = do {
    local %ENV = (%set, TEST_NGINX_RANDOMIZE => 1, PATH => '/usr/bin:/bin');
    `$run 2>&1`;
};
is($?, 0, 'a few of them pass') or diag $said;
like($said, qr/^Files=3, Tests=\d{3},/m, 'and are all run');

done_testing;
