#!/usr/bin/perl

# lists.pl [--seconds=20] [--every=2] [--sessions=1000]
#
# What lists of sessions do to other requests: one worker reads lists of so
# many sessions, one a second, while a client asks it for a plain answer each
# so many ms.  The same without lists, by turns of a second each in the same
# processes, so that what else the machine does is in both.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Getopt::Long;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

BEGIN {
    my $root = abs_path(dirname(__FILE__) . '/..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions);
use WaGateway::Vendor;

my %o = (seconds => 20, every => 2, sessions => 1000);
GetOptions(\%o, 'seconds=f', 'every=f', 'sessions=i') or exit 2;

# Bytes of an item: a list of a megabyte, of one as Evolution has it.
my @Cases = (['waha', 1024], ['evolution', 4096], ['wwebjs', 0]);

print "ms until a plain answer of the same worker, $o{sessions} sessions, "
      . "one request each $o{every} ms\n\n",
      "| list | | requests | p50 | p99 | p99.9 | most | over 5 ms |\n",
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";

for my $case (@Cases) {
    my ($vendor, $item) = @$case;
    my $fake = WaGateway::Vendor->new($vendor, key => 'k', item => $item,
                                      sessions => $o{sessions});
    my $server = 'location = /plain { return 204; }';
    my @with = (fakes => [$fake], check => 'interval=1s timeout=30s',
                parameters => "zone=z:8m sessions=$o{sessions}");
    my $on = gateway(@with, server => $server)->start;
    my $off = gateway(@with, server => $server, check => 'interval=1h')
              ->start;

    for my $ng ($on, $off) {
        poll { sessions($ng, 'limit=0')->{ready} == $o{sessions} }
            or die "$vendor: not known\n";
    }

    my %ms = (with => [], without => []);
    my $before = $fake->count('list');
    my $end = time + 2 * $o{seconds};

    while (time < $end) {
        push @{$ms{with}}, asked($on);
        push @{$ms{without}}, asked($off);
    }

    my $lists = $fake->count('list') - $before;
    $_->stop for $on, $off;

    print row("$vendor, $lists lists", $_, @{$ms{$_}}) for qw(with without);
}


# How long each answer took in a second, in ms.
sub asked {
    my ($ng) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->{port}) or die "$!\n";
    my $until = time + 1;
    my @ms;

    while ((my $start = time) < $until) {
        syswrite $s, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

        my $text = '';
        while ($text !~ /\r\n\r\n/) {
            sysread $s, $text, 4096, length $text or die "no answer: $text\n";
        }

        push @ms, 1000 * (time - $start);

        my $rest = $o{every} / 1000 - (time - $start);
        sleep $rest if $rest > 0;
    }

    return @ms;
}


sub row {
    my ($name, $lists, @ms) = @_;
    my @sorted = sort { $a <=> $b } @ms;
    my $at = sub { $sorted[$_[0] * $#sorted] };

    return sprintf "| %s | %s | %d | %.2f | %.2f | %.2f | %.2f | %d |\n",
                   $name, $lists, scalar @ms, $at->(0.5), $at->(0.99),
                   $at->(0.999), $sorted[-1], scalar grep { $_ > 5 } @ms;
}
