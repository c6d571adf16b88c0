#!/usr/bin/perl
#
# load.pl DIR PORT [KEY]: three pretended instances on PORT + 1 to PORT + 3,
# which are there when DIR/ready is, and clients of a gateway on PORT that send
# one message after another, as soon as it finds the three healthy, until
# DIR/stop is there.  A client whose connection is refused, or that gets not one
# byte, sends the same message again.  Then it is judged: each message had a 200
# in the end, and came to one instance once.  DIR/done grows by a byte with each
# message, DIR/told is the sum; the exit status is 1 where something is wrong.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use WaGateway::Fake;

my ($dir, $port, $key) = @ARGV;
my $Clients = 4;
my $Message = '{"number":"966500000000","message":"hello"}';

mkdir $dir;
unlink glob "$dir/*";

my @fakes = map { WaGateway::Fake->new(port => $port + $_) } 1 .. 3;

open my $ready, '>', "$dir/ready" or die "$!\n";
close $ready;
sleep 0.05 until (ask('GET /health') || '') =~ /"healthy":3\b/;

my @results = map { client($_) } 1 .. $Clients;
my @wrong;
my %sum = map { $_ => 0 } qw(messages refused cut gap);

# What clients print is read when they end.
for my $pipe (@results) {
    while (my $line = <$pipe>) {
        my ($id, $status, $refused, $cut, $gap) = split ' ', $line;

        $sum{messages}++;
        $sum{refused} += $refused;
        $sum{cut} += $cut;
        $sum{gap} = $gap if $gap > $sum{gap};
        $sum{seen}{$id} = 0;
        push @wrong, "$id was answered $status" if $status ne '200';
    }
    close $pipe;
    push @wrong, 'a client died' if $?;
}

for (map { $_->ledger } @fakes) {
    $sum{seen}{$1}++ if $_->{path} =~ /[?&]id=([\w-]+)/;
}

for my $id (sort keys %{$sum{seen}}) {
    push @wrong, "$id was seen $sum{seen}{$id} times" if $sum{seen}{$id} != 1;
}

push @wrong, 'there was no load' if $sum{messages} < 20;

open my $told, '>', "$dir/told" or die "$!\n";
printf $told "%d messages, %d connections refused and %d cut before an answer,"
    . " all sent again; nobody waited longer than %.1f s\n",
    @sum{qw(messages refused cut gap)};
print $told "$_\n" for @wrong;
close $told;

exit(@wrong ? 1 : 0);


# A message more each 10 ms; each fourth takes the instance a second.
sub client {
    my ($client) = @_;
    my $parent = $$;

    my $pid = open my $pipe, '-|';
    die "fork: $!\n" unless defined $pid;
    return $pipe if $pid;

    open my $done, '>>', "$dir/done" or die "$!\n";
    my ($n, $out) = (0, '');

    while (!-e "$dir/stop" && getppid == $parent) {
        my $id = "$client-" . ++$n;
        $out .= message($id, $n % 4 ? '' : '&delay=1') . "\n";
        syswrite $done, '.';
        sleep 0.01;
    }

    print $out;
    STDOUT->flush;
    POSIX::_exit(0);
}


# "id status refused cut seconds".
sub message {
    my ($id, $query) = @_;
    my $start = time;
    my ($refused, $cut, $status) = (0, 0, 'no answer');

    while (time - $start < 300) {
        my $answer = ask("POST /send-message?id=$id$query", $Message);

        if (!defined $answer) {
            $refused++;
            sleep 0.02;
            next;
        }

        if ($answer eq '') {
            $cut++;
            sleep 0.02;
            next;
        }

        $status = $1 if $answer =~ m{^HTTP/1\.1 (\d+) };
        $status .= '-half' unless $answer =~ /\r\n0\r\n\r\n\z|\}\z/;
        last;
    }

    return join ' ', $id, $status, $refused, $cut, time - $start;
}


# The answer, '' where there is none, undef where nobody listens.
sub ask {
    my ($line, $body) = @_;
    my $answer = '';

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or return;

    local $SIG{PIPE} = 'IGNORE';
    print $s "$line HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n",
        $key ? "X-Api-Key: $key\r\n" : '',
        $body ? ("Content-Type: application/json\r\nContent-Length: ",
                 length $body, "\r\n\r\n", $body) : "\r\n";
    $s->flush;

    while (sysread $s, $answer, 65536, length $answer) { }

    return $answer;
}
