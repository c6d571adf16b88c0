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
#   bench/instructions.pl text 3     one row; callgrind's file stays, its name
#                                    is told
#
# Rows: a plain message; a native request, whose body names its session; a send
# by the gateway's own "text"; the same with a key, another one each; the same
# spending from budgets.  Stock nginx has the same bytes from the client,
# and the instance answers them alike.
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
my $Hour = 3600;

# what is sent: path, body, and what the answer has in it
my %Sent = (
    message => ['/send-message', '{"to":"966500000000","message":"hello"}',
                '"success":true'],
    native  => ['/api/sendText', '{"session":"s%03d-%02d","chatId":'
                                 . '"966500000000@c.us","text":"hello"}',
                '"ack":1'],
    text    => ['/send-text', '{"to":"966500000000","message":"hello"}',
                '"ack":1'],
    keyed   => ['/send-text', '{"to":"966500000000","message":"hello"}',
                '"ack":1'],
);

# budgets that nobody is held by
my $Pace = 'number=1000000/m recipient=1000000/m burst=1000 day=9999';

# name, who, what, instances, sessions of each, what else its peer has
my @Rows = (
    ['stock 3',        'stock', 'message', 3,    0],
    ['ours 3',         'ours',  'message', 3,    0],
    ['ours 4000',      'ours',  'message', 4000, 0],
    ['stock_native 3', 'stock', 'native',  3,    1],
    ['native 3',       'ours',  'native',  3,    1],
    ['native 500',     'ours',  'native',  500,  20],
    ['stock_text 3',   'stock', 'text',    3,    1],
    ['text 3',         'ours',  'text',    3,    1],
    ['keyed 3',        'ours',  'keyed',   3,    1],
    ['paced 3',        'ours',  'text',    3,    1, pace => $Pace],
);

# one row as a share of another, and at most; whether it is in the record
my @Shares = (
    ['of stock nginx, a plain message', 'ours 3', 'stock 3', 1.02, 1],
    ['of stock nginx, at 4000 instances', 'ours 4000', 'stock 3', 0, 1],
    ['from 3 to 4000 instances', 'ours 4000', 'ours 3', 1.10, 0],
    ['of stock nginx, a native send', 'native 3', 'stock_native 3', 0, 1],
    ['from 3 sessions on 3 instances to 10,000 on 500', 'native 500',
     'native 3', 1.10, 0],
    ['of stock nginx, a send', 'text 3', 'stock_text 3', 0, 1],
    ['of a send, one with a key', 'keyed 3', 'text 3', 1.27, 1],
    ['of a send, a paced one', 'paced 3', 'text 3', 1.08, 0],
);

my $Grown = 1.02;

my $mode = @ARGV ? "@ARGV" : '';
my $only = $mode =~ /^\w/;
my @rows = grep { !$only || $_->[0] eq $mode } @Rows
    or die "instructions: no row is called \"$mode\"\n";

system('command -v valgrind >/dev/null') == 0
    or die "instructions: valgrind is missing\n";

my %Backend;
my %cost;

for my $row (@rows) {
    $cost{$row->[0]} = per_request($row);
    printf "%-15s %8d instructions per request\n", $row->[0],
           $cost{$row->[0]};
}

$_->stop for values %Backend;

if (!$only) {
    printf "%.3f %s\n", share($_), $_->[0] for @Shares;
}

if ($mode eq '--record') {
    record();

} elsif ($mode eq '--check') {
    exit check();
}


sub share {
    my ($share, $from) = @_;
    $from ||= \%cost;
    return $from->{$share->[1]} / $from->{$share->[2]};
}


sub record {
    open my $fh, '>', $Record or die "$Record: $!\n";
    print $fh "made with ", made_with(), "\n";
    printf $fh "%s %d\n", $_->[0], $cost{$_->[0]} for @Rows;
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
        } elsif ($line =~ /^(\w+ \d+) (\d+)$/) {
            $r{$1} = $2;
        }
    }

    return \%r;
}


sub check {
    my $was = recorded();
    my $same = $was->{made} eq made_with();
    my $bad = 0;

    for my $share (@Shares) {
        my ($what, $row, undef, $most, $kept) = @$share;

        $bad += over($what, share($share), $most) if $most;
        $bad += over("of the recorded share $what",
                     share($share) / share($share, $was), $Grown) if $kept;
        $bad += over("of the recorded figure, $row",
                     $cost{$row} / $was->{$row}, $Grown) if $kept && $same;
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
    my ($row) = @_;

    # the first round over all instances opens their connections; what lists
    # take meanwhile is not the same in both runs
    my $warm = $row->[3] + 100;
    my $count = $row->[4] > 1 ? 10000 : 2000;

    my $few = run($row, $warm);
    my $many = run($row, $warm + $count);

    return int(($many - $few) / $count + 0.5);
}


sub run {
    my ($row, $requests) = @_;
    my ($name, $who, $what, $n, $sessions, %more) = @$row;

    my $class = 'WaBench::Peer::' . ($who eq 'ours' ? 'Gateway' : 'Nginx');
    my $backend = $Backend{$sessions}
                  ||= WaBench::Backend->start(sessions => $sessions);
    my $peer = $class->new(instances => [$backend->instances($n)],
                           sessions => $sessions, workers => 0, %more,
                           interval => $sessions ? $Hour : 0);
    my $out = $only ? "/tmp/callgrind.out.$$.$requests"
                    : "$peer->{dir}/callgrind.out";

    print "$out\n" if $only;

    my $before = $backend->count;

    $peer->write_config;

    my $pid = launch(['valgrind', '-q', '--tool=callgrind',
                      "--callgrind-out-file=$out", $peer->command],
                     out => "$peer->{dir}/out");

    my $client = poll { sleep 0.1;
                        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $peer->port) } 60
        or die "$name: nginx does not listen\n";

    known($peer, $backend, $before) or die "$name: sessions are not known\n"
        if $peer->vendor;

    ask($client, $row, $_) for 0 .. $requests - 1;
    finish($pid, 'QUIT', 60);

    open my $fh, '<', $out or die "$out: $!\n";

    while (my $line = <$fh>) {
        return $1 if $line =~ /^(?:summary|totals): (\d+)/;
    }

    die "$out: no total\n";
}


# To ask the gateway costs as much as hundreds of messages: the backend is
# asked first.
sub known {
    my ($peer, $backend, $before) = @_;
    my $n = @{$peer->{instances}};

    return (poll { sleep 0.2; $backend->count - $before == $n } 60)
        && (poll { sleep 0.5; $peer->ready == $n * $peer->{sessions} } 60);
}


# By turns to a session of each instance.
sub ask {
    my ($client, $row, $i) = @_;
    my ($name, undef, $what, $n, $sessions) = @$row;
    my ($path, $body, $wanted) = @{$Sent{$what}};

    $body = sprintf $body, $i % $n, $i / $n % $sessions if $what eq 'native';

    my $key = $what eq 'keyed' ? sprintf "Idempotency-Key: %032x\r\n", $i : '';

    syswrite $client, "POST $path HTTP/1.1\r\nHost: x\r\n$key"
                      . "Content-Type: application/json\r\n"
                      . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    my $answer = '';

    until ($answer =~ /\Q$wanted\E.*\}/s) {
        sysread $client, $answer, 65536, length $answer
            or die "$name: the connection was closed after: $answer\n";

        die "$name: $answer\n" if $answer =~ m{^HTTP/1\.1 [3-5]};
    }
}
