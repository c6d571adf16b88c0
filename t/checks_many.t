#!/usr/bin/perl

# Four thousand instances: addresses of 127/8, where one nginx answers; a
# thousand where a sanitizer makes each check cost several times as much.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Checks;
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(poll);

my ($N, $slow) = $ENV{WA_GATEWAY_TEST_SANITIZE} ? (1000, 1.5) : (4000, 1);

# A kept connection for each needs descriptors.

chomp(my $hard = `sh -c 'ulimit -Hn'`);
my $keep = $hard eq 'unlimited' || $hard >= 12000;
my $limit = $keep ? 'worker_rlimit_nofile 12000;' : '';

{
    no warnings 'redefine';
    my $preamble = \&WaGateway::Nginx::preamble;
    *WaGateway::Nginx::preamble = sub {
        $preamble->(@_) =~ s/worker_connections 1024/worker_connections 10000/r
    };
}

my $port = WaGateway::Fake::free_port();
my $instance = WaGateway::Nginx->new(main => $limit);

$instance->{conf} = "http {
    log_format check '\$msec \$server_addr \$uri';
    access_log access.log check;
    keepalive_timeout 30s;
    server { listen 127.0.0.1:$instance->{port}; }
    server { listen 0.0.0.0:$port backlog=4096;
             location / { return 200 ok; } }
}";
$instance->start;

my @addresses = map { sprintf '127.%d.%d.%d', 1 + int($_ / 1000),
                              int($_ / 250) % 4, 1 + $_ % 250 } 0 .. $N - 1;

my $servers = join "\n", map { "server $_:$port;" } @addresses;
my $checks = 'wa_gateway_check interval=3s timeout=1h keepalive='
             . ($keep ? 'on' : 'off') . ';';


# The size of the zone.

my ($status, $text) = WaGateway::Nginx->new(workers => 2,
    upstream => "wa_gateway zone=u:256k; $checks $servers")->test;

is($status, 1, 'a zone too small is an error');
my ($size) = $text =~ /\[emerg\] zone "u" of 256k is too small for $N (?#
                       )instances of upstream "u", at least (\d+)k is needed/;
ok($size, 'that names the size') or diag($text);
cmp_ok($size / $N, '<', 1.6, "${size}k: about 1.5 KB an instance at most");

my $less = $size - 4;
($status, $text) = WaGateway::Nginx->new(workers => 2,
    upstream => "wa_gateway zone=u:${less}k; $checks $servers")->test;
is($status, 1, 'less will not do');


# The checks.

my $late = lateness();
my $ng = WaGateway::Nginx->new(workers => 2, main => $limit,
    upstream => "wa_gateway zone=u:${size}k; $checks $servers");
$ng->start;

my $s;
ok((poll {
    $s = eval { $ng->status } or return 0;
    !grep { !defined $_->{lastChecked} } values %{$s->{instances}{details}};
} 600), 'all are checked');

is($s->{instances}{total}, $N, 'all are there');
is($s->{instances}{healthy}, $N, 'all are up');

# The machine itself may be late: the best of three counts.

my $answers = lateness();
my @took;

for (1 .. 3) {
    my $from = time;
    $ng->status;
    push @took, time - $from;
    last if $took[-1] < 2;
}

soon(min(@took), 2, $answers, '/status answers in time');

my $first = first(0);
cmp_ok(keys %$first, '==', $N, 'each was asked');

my @t = sort { $a <=> $b } values %$first;
my $took = $t[-1] - $t[0];
cmp_ok($took, '>', 0.5, 'the first checks take about a second');
soon($took, 3, $late, 'or little more');
cmp_ok(crowd(0.1, @t), '<', $N / 2 * $slow, 'and are no herd');


# Two intervals later: each about once an interval, at any time of it.  The
# machine itself may be late: one interval of some is enough.

my ($often, $out, $most);

for my $from (map { $t[0] + 6.5 + 3 * $_ } 0 .. 9) {
    sleep max(0, $from + 3.5 - time);

    my @seen = grep { $_->[0] >= $from && $_->[0] < $from + 3 } checks_seen();
    my %n;
    $n{$_->[1]}++ for @seen;

    $often = grep { $_ > 2 } values %n;
    $out = $N - keys %n;
    $most = @seen ? crowd(0.3, map { $_->[0] } @seen) : 0;

    last if !$often && $out < $N / 10 && $most < $N / 10 * 1.7 * $slow;
}

is($often, 0, 'none is asked more than once an interval');
cmp_ok($out, '<', $N / 10, 'but for jitter none is left out');
cmp_ok($most, '<', $N / 10 * 1.7 * $slow, 'they are spread over the interval');


# A reload in the zone of just that size.

ok($ng->reload, 'a reload');
is(join("\n", $ng->logged(qr/ is full| too small/)), '', 'finds room');
my $checked = scalar checks_seen();
ok((poll { checks_seen() > $checked + $N } 600), 'checks go on');

$s = $ng->status;
is($s->{instances}{healthy}, $N, 'all are still up');
is(scalar($ng->logged(qr/ is down|could not be checked/)), 0,
   'and never were down');
$ng->clean;
$instance->clean;

done_testing();


sub checks_seen {
    return map { [ split ' ' ] } grep { / \/health$/ }
           split /\n/, $instance->access;
}


# When each was asked first.
sub first {
    my %first;
    for (checks_seen()) {
        $first{$_->[1]} = $_->[0] unless defined $first{$_->[1]};
    }
    return \%first;
}


# The most in so many seconds.
sub crowd {
    my ($seconds, @times) = @_;
    my %bins;
    $bins{int($_ / $seconds)}++ for @times;
    return max(values %bins);
}
