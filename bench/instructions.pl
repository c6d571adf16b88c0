#!/usr/bin/perl

# Instructions per proxied POST, counted by callgrind: ours with everything on
# beside stock nginx with "zone" and "keepalive", the same binary and proxy
# settings, one process, connections kept on both sides.  Two runs of
# different length are subtracted, so that start and stop do not count.
#
#   bench/instructions.pl            prints the table
#   bench/instructions.pl --check    and fails if ours has grown by more than
#                                    2 % over bench/instructions.txt
#   bench/instructions.pl --record   writes that file
#
# What is held against the record is ours as a share of stock nginx's in the
# same run: another nginx, compiler or library moves both.  The figures
# themselves are compared too where all three are those of the record.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../t/lib";

use IO::Socket::INET;
use Time::HiRes qw(sleep);
use WaBench::Backend;
use WaBench::Peer::Gateway;
use WaBench::Peer::Nginx;
use WaBench::Process qw(launch finish);
use WaGateway::Nginx qw(poll);

my $Record = "$FindBin::Bin/instructions.txt";
my $Body = '{"to":"966500000000","message":"hello"}';
my $Answer = '{"success":true}';
my %Limit = (grown => 1.02, stock => 1.02, many => 1.10);
my @Runs = (['stock', 3], ['ours', 3], ['ours', 4000]);

my $mode = @ARGV ? $ARGV[0] : '';

system('command -v valgrind >/dev/null') == 0
    or die "instructions: valgrind is missing\n";

my $Backend = WaBench::Backend->start;
my %cost;

for my $run (@Runs) {
    my ($who, $n) = @$run;

    $cost{$who}{$n} = per_request($who, $n);
    printf "%-6s %5d instances %8d instructions per request\n",
           $who, $n, $cost{$who}{$n};
}

$Backend->stop;

my %share = map { $_ => $cost{ours}{$_} / $cost{stock}{3} } 3, 4000;
my $growth = $cost{ours}{4000} / $cost{ours}{3};
printf "ours against stock nginx, 3 instances: %.3f\n", $share{3};
printf "ours, 4000 instances against 3: %.3f\n", $growth;

if ($mode eq '--record') {
    record();

} elsif ($mode eq '--check') {
    exit check();
}


sub record {
    open my $fh, '>', $Record or die "$Record: $!\n";
    print $fh "made with ", made_with(), "\n";
    printf $fh "%s %d %d\n", @$_, $cost{$_->[0]}{$_->[1]} for @Runs;
    close $fh or die "$Record: $!\n";
}


sub made_with {
    my $cc = `${\($ENV{CC} || 'cc')} --version`;
    my $libc = `getconf GNU_LIBC_VERSION 2>/dev/null`;
    s/\n.*//s for $cc, $libc;

    return 'nginx ' . WaBench::Peer::Nginx->version . ", $cc, $libc";
}


sub recorded {
    my %r;
    open my $fh, '<', $Record or die "$Record: $!\n";

    while (my $line = <$fh>) {
        if ($line =~ /^made with (.*)/) {
            $r{made} = $1;
        } elsif ($line =~ /^(\w+) (\d+) (\d+)$/) {
            $r{$1}{$2} = $3;
        }
    }

    return \%r;
}


sub check {
    my $was = recorded();
    my $same = $was->{made} eq made_with();
    my $bad = 0;

    $bad += over("of stock nginx", $share{3}, $Limit{stock});
    $bad += over("from 3 to 4000 instances", $growth, $Limit{many});

    for my $n (3, 4000) {
        my $then = $was->{ours}{$n} / $was->{stock}{3};

        $bad += over("of the recorded share of stock nginx, $n instances",
                     $share{$n} / $then, $Limit{grown});
        $bad += over("of the recorded figure, $n instances",
                     $cost{ours}{$n} / $was->{ours}{$n}, $Limit{grown})
            if $same;
    }

    print "the record was made with $was->{made}: only shares of stock "
          . "nginx are compared\n" unless $same;

    return $bad ? 1 : 0;
}


sub over {
    my ($what, $is, $limit) = @_;

    return 0 if $is <= $limit;

    printf "over the limit: %.3f %s, at most %.2f\n", $is, $what, $limit;
    return 1;
}


sub per_request {
    my ($who, $n) = @_;

    # the first round over all instances opens their connections
    my $warm = $n + 100;
    my $count = 2000;

    my $few = run($who, $n, $warm);
    my $many = run($who, $n, $warm + $count);

    return int(($many - $few) / $count + 0.5);
}


sub run {
    my ($who, $n, $requests) = @_;

    my $class = 'WaBench::Peer::' . ($who eq 'ours' ? 'Gateway' : 'Nginx');
    my $peer = $class->new(instances => [$Backend->instances($n)],
                           workers => 0, interval => 0);
    my $out = "$peer->{dir}/callgrind.out";

    $peer->write_config;

    my $pid = launch(['valgrind', '-q', '--tool=callgrind',
                      "--callgrind-out-file=$out", $peer->command],
                     out => "$peer->{dir}/out");

    ask($who, $peer->port, $requests);
    finish($pid, 'QUIT', 60);

    open my $fh, '<', $out or die "$out: $!\n";

    while (my $line = <$fh>) {
        return $1 if $line =~ /^(?:summary|totals): (\d+)/;
    }

    die "$out: no total\n";
}


sub ask {
    my ($who, $port, $requests) = @_;

    my $client = poll { sleep 0.1;
                        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $port) } 60
        or die "$who: nginx does not listen\n";
    my $request = "POST /send-message HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Type: application/json\r\n"
                  . 'Content-Length: ' . length($Body) . "\r\n\r\n$Body";

    for (1 .. $requests) {
        syswrite $client, $request;
        my $answer = '';

        until ($answer =~ /\Q$Answer\E/) {
            sysread $client, $answer, 65536, length $answer
                or die "$who: the connection was closed\n";
        }

        die "$who: $answer\n" unless $answer =~ m{^HTTP/1\.1 200 };
    }
}
