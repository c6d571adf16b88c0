#!/usr/bin/perl

# journal.pl [--seconds=20] [--rate=200] [--folder=.]
#
# What a journal adds to a send, beside what the disk itself takes: so many
# sends with a key a second through a gateway with a journal in that folder, as
# many through one without, and as many records written and synced there by
# nothing but write(2) and fdatasync(2), by turns of a second each.  The figure
# that counts is how much longer a send with a journal takes than one without,
# against a sync, as medians.

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(O_APPEND O_CREAT O_WRONLY);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Getopt::Long;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

BEGIN {
    my $root = abs_path(dirname(__FILE__) . '/..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Send qw(fake send_gateway encoded);

# bytes of a claim and of its outcome
my $Record = 220;
my $Clients = 4;

# fdatasync(2), which Perl has no name for
my %Number = (x86_64 => 75, aarch64 => 83);
my $Sync = $Number{(POSIX::uname())[4]} or die "fdatasync: no number\n";

my %o = (seconds => 20, rate => 200, folder => '.');
GetOptions(\%o, 'seconds=f', 'rate=i', 'folder=s') or exit 2;

my $dir = tempdir('journal-XXXXXX', DIR => $o{folder}, CLEANUP => 1);
chmod 0755, $dir;

my $fake = fake('wuzapi', sessions => [{ name => 'main',
                                         number => '966500000001' }]);
my %ng = map {
    $_->[0] => send_gateway(fakes => [$fake],
        upstream => 'wa_gateway_idempotency on'
                    . " zone=keys:16m$_->[1];")
} ['without', ''], ['with', " journal=$dir/keys"];

my $n = 0;
my %turn = (
    without => sub { sends($ng{without}, $_[0]) },
    with    => sub { sends($ng{with}, $_[0]) },
    disk    => \&syncs,
);
my %ms = map { $_ => [] } keys %turn;
my $end = time + 3 * $o{seconds};

while (time < $end) {
    for my $what (qw(disk without with)) {
        push @{$ms{$what}}, together($turn{$what});
    }
}

$_->stop for values %ng;

print "ms, $o{rate} a second, $Clients at once\n\n",
      "| | turns of | p50 | p90 | p99 | most |\n",
      "| --- | ---: | ---: | ---: | ---: | ---: |\n",
      row('the disk: write and fdatasync', @{$ms{disk}}),
      row('a send with a key', @{$ms{without}}),
      row('the same with a journal', @{$ms{with}});

my ($disk, $without, $with) = map { at(0.5, @{$ms{$_}}) }
                              qw(disk without with);

printf "\n%.2f of a sync of the disk is what a journal adds to a send\n",
       ($with - $without) / $disk;


# A second of several clients, each with its share of the rate.
sub together {
    my ($what) = @_;
    my @from;

    $n++;

    for my $client (1 .. $Clients) {
        pipe my $read, my $write or die "pipe: $!\n";
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            close $read;
            print $write join ' ', eval { $what->($client) };
            print STDERR $@ if $@;
            close $write;
            POSIX::_exit($@ ? 1 : 0);
        }

        close $write;
        push @from, [$pid, $read];
    }

    my @ms;

    for (@from) {
        my ($pid, $read) = @$_;
        push @ms, split ' ', join '', <$read>;
        waitpid $pid, 0;
        die "a client failed\n" if $?;
    }

    return @ms;
}


# Calls it as often as it is this one's turn in a second: ms of each.
sub paced {
    my ($client, $what) = @_;
    my $every = $Clients / $o{rate};
    my $start = time + $every * $client / $Clients;
    my @ms;

    for my $i (0 .. $o{rate} / $Clients - 1) {
        my $rest = $start + $i * $every - time;
        sleep $rest if $rest > 0;

        my $began = time;
        $what->($i);
        push @ms, 1000 * (time - $began);
    }

    return @ms;
}


sub syncs {
    my ($client) = @_;

    sysopen my $fh, "$dir/disk.$client", O_WRONLY | O_APPEND | O_CREAT
        or die "$dir: $!\n";

    return paced($client, sub {
        syswrite($fh, 'x' x $Record) == $Record or die "$dir: $!\n";
        syscall($Sync, fileno $fh) == 0 or die "fdatasync: $!\n";
    });
}


sub sends {
    my ($ng, $client) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die "$!\n";
    my $body = encoded({ chatId => '966511111111', message => 'x' });

    return paced($client, sub {
        syswrite $s, "POST /send-message HTTP/1.1\r\nHost: a\r\n"
            . "Content-Type: application/json\r\n"
            . "Idempotency-Key: $n-$client-$_[0]\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

        my $text = '';
        while ($text !~ /\r\n\r\n(?:0|.*\})\s*\z/s) {
            sysread $s, $text, 4096, length $text or die "no answer: $text\n";
        }

        die "not sent: $text\n" if $text !~ m{^HTTP/1.1 200 };
    });
}


sub at {
    my ($part, @ms) = @_;
    return (sort { $a <=> $b } @ms)[$part * $#ms];
}


sub row {
    my ($name, @ms) = @_;
    return sprintf "| %s | %d | %.2f | %.2f | %.2f | %.2f |\n", $name,
                   scalar @ms, map { at($_, @ms) } 0.5, 0.9, 0.99, 1;
}
