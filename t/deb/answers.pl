#!/usr/bin/perl
#
# answers.pl PORT [KEY]: what a gateway in front of load.pl's instances answers
# to requests of all kinds, without what differs each time.  /status and
# /metrics are told as the names of what they have.
#
# answers.pl --compare OLD NEW: two such are the same, but for what NEW's
# /status and /metrics have more; exit status 1 where they are not.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;

if ($ARGV[0] eq '--compare') {
    exit compare(map { told($_) } @ARGV[1, 2]);
}

my ($port, $key) = @ARGV;
my $json = "Content-Type: application/json\r\n";
my $message = '{"number":"966500000000","message":"hello"}';

my @requests = (
    ['message', "POST /send-message", $json, $message],
    ['message of a client that wants no JSON', "POST /send-message",
     "Accept: text/plain\r\n" . $json, $message],
    ['media', "POST /send-media", $json, '{"number":"1","media":"aGVsbG8="}'],
    ['no JSON', "POST /send-message", $json, 'hello'],
    ['empty body', "POST /send-message", $json, ''],
    ['any path', "GET /api/sessions?all=1"],
    ['any other', "DELETE /api/sessions/main"],
    ['a head', "HEAD /api/sessions"],
    ['options', "OPTIONS /send-message", "Origin: http://x.test\r\n"],
    (map { ["an instance's $_", "POST /send-message?fake=status:$_", $json,
            $message] } 400, 401, 404, 409, 422, 429),
    ['text', "GET /text?fake=head"],
    ['a digest', "POST /x?fake=digest", $json, 'x' x 100_000],
    ['in chunks', "GET /chunks?fake=chunked"],
    ['health', "GET /health"],
    ['health by HEAD', "HEAD /health"],
    ['health by POST', "POST /health", $json, $message],
    ['status by POST', "POST /status", $json, $message],
    ['a slash more', "GET //send-message"],
    ['a path out', "GET /../etc/passwd"],
    ['a method', "TRACE /"],
    ['two lengths', "POST /x", "Content-Length: 3\r\n$json", $message],
    ['a header too many bytes', "GET /x", 'X-Long: ' . 'x' x 70_000 . "\r\n"],
    ['dashboard', "GET /dashboard"],
    ['no such file of it', "GET /dashboard/none.js"],
    ['status', "GET /status"],
    ['metrics', "GET /metrics"],
);

for (@requests) {
    show($_->[0], ask($key, @$_[1 .. 3]));
}

if ($key) {
    show("without a key: $_->[0]", ask('', @$_[1 .. 3])) for @requests[0, 13, 24];
    show('another key', ask('none', 'GET /status'));
}


sub ask {
    my ($with, $line, $headers, $body) = @_;
    my $answer = '';

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "nobody on port $port\n";

    local $SIG{PIPE} = 'IGNORE';
    print $s "$line HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n",
        $with ? "X-Api-Key: $with\r\n" : '', $headers || '',
        defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '',
        "\r\n", defined $body ? $body : '';
    $s->flush;

    while (sysread $s, $answer, 65536, length $answer) { }

    return $answer;
}


sub show {
    my ($name, $answer) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;

    $head = '' unless defined $head;
    $body = '' unless defined $body;
    $body =~ s/^[0-9a-f]+\r\n(.*?)\r\n/$1/mgs if $head =~ /^Transfer-Encoding: chunked/mi;

    if ($name eq 'status') {
        $body = join "\n", sort(names(JSON::PP->new->decode($body)));
        $head =~ s/\r\n.*//s;

    } elsif ($name eq 'metrics') {
        my %seen = map { $_ => 1 } $body =~ /^# TYPE (\S+ \S+)/mg;
        $body = join "\n", sort keys %seen;
        $head =~ s/\r\n.*//s;

    } elsif ($name eq 'dashboard') {
        $body = '';
        $head =~ s/^Content-Length: \d+/Content-Length: N/mi;
    }

    for ($head, $body) {
        s/\r//g;
        s/^Date: .*/Date: D/mg;
        s/127\.0\.0\.1:\d+/<instance>/g;
        s/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)/<time>/g;
        s/"instance":\d+/"instance":N/g;
        s/^ETag: .*/ETag: E/mg;
        s/^Last-Modified: .*/Last-Modified: D/mg;
        s/\b[0-9a-f]{32}\b/<id>/g unless $name eq 'a digest';
    }

    print "==== $name\n$head\n\n$body\n";
}


# "a.b.c", of what a JSON text has; an instance's URL is one name.
sub names {
    my ($value, $at) = @_;
    $at = defined $at ? $at : '';

    return $at unless ref $value;
    return map { names($_, "$at\[]") } @$value if ref $value eq 'ARRAY';
    return $at if ref $value ne 'HASH';

    return map { (my $name = $_) =~ s{^https?://.*}{<instance>};
                 names($value->{$_}, $at eq '' ? $name : "$at.$name") }
           keys %$value;
}


sub told {
    my ($name) = @_;

    open my $in, '<', $name or die "$name: $!\n";
    local $/;
    my (undef, @parts) = split /^==== (.*)\n/m, scalar <$in>;

    return { @parts };
}


sub compare {
    my ($old, $new) = @_;
    my $wrong = keys %$old < 20;

    for my $name (sort keys %$old) {
        my ($was, $is) = map { defined $_->{$name} ? $_->{$name} : '' } $old, $new;

        if ($name eq 'status' || $name eq 'metrics') {
            my %has = map { $_ => 1 } split /\n/, $is;
            my %left = map { $_ => 1 } grep { !$has{$_} } split /\n/, $was;
            next unless %left;
            $is = 'without ' . join ' ', sort keys %left;
        }

        next if $was eq $is;

        $wrong = 1;
        print "$name, before:\n$was$name, after:\n$is";
    }

    printf "%d answers as they were\n", scalar keys %$old unless $wrong;
    return $wrong ? 1 : 0;
}
