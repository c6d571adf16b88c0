#!/usr/bin/perl
#
# `wa-gateway ctl`: asks a running gateway for its instances and sessions, and
# changes them.  Only modules of perl-base, which every Debian has.
#
#     WA_ADMIN_KEY_FILE=... perl ctl.pl COMMAND ... 3<SETTINGS
#
# SETTINGS are lines: "url ...", where the gateway listens; "key ...", if the
# admin key is in .env; "sessions 1", if it has /sessions.  All text is bytes.

use strict;
use warnings;

use IO::Socket::IP;

my ($Refused, $Usage, $Away, $Which) = (1, 2, 3, 4);

my $Seconds = 60;                       # for one answer
my $Instances = '/gateway/instances';
my $Page = 10000;                       # sessions that are asked for at once

my $Text = <<'END';
usage: wa-gateway ctl list              the instances
       wa-gateway ctl sessions          their sessions
       wa-gateway ctl add URL           a new one, such as http://10.0.0.7:3000
            [--weight=N] [--max-conns=N]
            [--vendor=NAME]             also as NAME+URL
            [--key-file=FILE]           its own key; "-": standard input
       wa-gateway ctl drain URL         nothing new goes to it
       wa-gateway ctl down URL          out of use
       wa-gateway ctl up URL            in use again
       wa-gateway ctl weight URL N      its share, against that of the others
       wa-gateway ctl remove URL        when what is on its way is over

--json prints what the gateway answered.

Exit status: 0 done; 1 refused, or a setting is not good; 2 wrong usage; 3 the
gateway does not answer; 4 there is no such instance, or there is already.
END

# How many words come after the command, and what may be given besides.
my %Command = (
    list => [0], sessions => [0], drain => [1], down => [1], up => [1],
    remove => [1], weight => [2],
    add => [1, qw(weight max-conns vendor key-file)],
);

my %Done = (
    add => 'is added | أُضيف', remove => 'is removed | أُزيل',
    drain => 'drains: nothing new goes to it | يُكمل ما بدأه ولا يستقبل جديدًا',
    down => 'is down | أُوقف', up => 'is in use | عاد إلى العمل',
    weight => 'has its weight | تغيّر وزنه',
);

my ($json, %option, @words);

for (@ARGV) {
    if (/^(?:--help|-h)\z/) {
        print $Text;
        exit 0;
    }

    $json = 1, next if $_ eq '--json';
    $option{$1} = $2, next if /^--([a-z-]+)=(.*)\z/s;
    usage("unknown option \"$_\"") if /^-./;
    push @words, $_;
}

my $command = shift @words // usage('a command is missing');
my ($want, @may) = @{$Command{$command} // usage("unknown command \"$command\"")};

usage("$command: " . (@words < $want ? 'a word is missing' : 'too many words'))
    if @words != $want;

for my $name (sort keys %option) {
    usage("$command: unknown option \"--$name\"")
        if !grep { $_ eq $name } @may;
}

my %set = settings();
my ($url, $number) = @words;

list() if $command eq 'list';
sessions() if $command eq 'sessions';
add() if $command eq 'add';
change({ weight => number('a weight', $number) }) if $command eq 'weight';
change({ state => $command }) if $command =~ /^(?:up|drain|down)\z/;
remove() if $command eq 'remove';
exit 0;


# ---- the commands

sub list {
    my $got = ask('instances', 'GET', $Instances);
    my @rows = ['INSTANCE', 'STATE', 'SET', 'WEIGHT', 'MAX', 'IN FLIGHT',
                'VENDOR', 'REASON'];

    return if $json;

    for my $i (@{$got->{instances}}) {
        push @rows, [@$i{qw(url state admin weight)}, $i->{maxConns} || '-',
                     @$i{qw(inFlight vendor reason)}];
    }

    table(@rows);
    say("$got->{free} of $got->{capacity} places are free | الأماكن الباقية");
}


sub sessions {
    fail($Refused, 'no instance has a vendor, so there are no sessions')
        if !$set{sessions};

    my $got = ask('sessions', 'GET', "/sessions?limit=$Page");
    my @rows = ['SESSION', 'NUMBER', 'INSTANCE', 'VENDOR', 'STATE', 'REASON'];

    return if $json;

    push @rows, [@$_{qw(session number instance vendor state reason)}]
        for @{$got->{sessions}};

    table(@rows);
    say("$got->{ready} of $got->{total} are ready | الجاهزة");
}


sub add {
    my %body = (url => $url);

    @body{qw(vendor url)} = ($1, $2)
        if $url =~ m{^([a-z0-9-]+)\+(https?://.*)\z}is;

    $url = $body{url};
    $body{vendor} = $option{vendor} if defined $option{vendor};
    $body{key} = key_of($option{'key-file'}) if defined $option{'key-file'};
    $body{weight} = number('--weight', $option{weight})
        if defined $option{weight};
    $body{maxConns} = number('--max-conns', $option{'max-conns'})
        if defined $option{'max-conns'};

    ask('url', 'POST', $Instances, \%body);
    done();
}


sub change {
    ask('url', 'PATCH', "$Instances?name=" . escape($url), $_[0]);
    done();
}


sub remove {
    ask('', 'DELETE', "$Instances?name=" . escape($url));
    done();
}


sub done { say("$url $Done{$command}") if !$json }


# ---- what is given

sub settings {
    my %is;

    open my $handle, '<&=', 3 or fail($Refused, "no settings: $!");

    while (<$handle>) {
        $is{$1} = $2 if /^(\w+) (.*)/;
    }

    return %is if defined $is{key};

    my $file = $ENV{WA_ADMIN_KEY_FILE} // '';

    open my $key, '<:raw', $file
        or fail($Refused, "no admin key: there is no ADMIN_KEY, and $file: $!");

    $is{key} = first_line($key) // fail($Refused, "no key in $file");
    return %is;
}


# Keys on the command line would be seen by all.
sub key_of {
    my ($file) = @_;
    my $handle = \*STDIN;

    if ($file ne '-') {
        undef $handle;
        open $handle, '<:raw', $file or fail($Refused, "$file: $!");
    }

    return first_line($handle) // fail($Refused, "no key in $file");
}


sub first_line {
    my ($handle) = @_;
    my $line = <$handle> // return;

    $line =~ s/\r?\n\z//;
    return $line eq '' ? undef : $line;
}


# A reference: encode() knows numbers by it.
sub number {
    my ($what, $text) = @_;

    usage("$what is a whole number up to 1000000, not \"$text\"")
        if $text !~ /^(?:0|[1-9][0-9]{0,6})\z/ || $text > 1000000;

    return \"$text";
}


# ---- HTTP

# What came, as Perl has it, with what a gateway's answer has in it; it ends
# here if the gateway says no.
sub ask {
    my ($has, $method, $path, $body) = @_;
    my ($status, $text) = http($method, $path, $body ? encode($body) : undef);
    my $got = $text eq '' ? {} : decode($text);

    fail($Away, "what answers at $set{url} is no gateway")
        if ref $got ne 'HASH'
           || $has ne '' && $status =~ /^2/ && !defined $got->{$has};

    print $text =~ s/\n?\z/\n/r if $json && $text ne '';

    return $got if $status =~ /^2/;

    my $code = $got->{code} // '';
    my $exit = $code =~ /^(?:unknown_instance|exists)\z/ ? $Which : $Refused;

    exit $exit if $json;

    my @why = $status == 401 ? 'the gateway does not take this admin key'
            : grep { defined && !ref && $_ ne '' }
                   (@$got{qw(error member details)});

    fail($exit, join(': ', @why ? @why : 'refused') . " ($status)");
}


# The status and the body of an answer.
sub http {
    my ($method, $path, $body) = @_;
    my ($host, $port) = $set{url} =~ m{^http://(?:\[(.*)\]|[^:]*):([0-9]+)\z};
    my ($name) = $set{url} =~ m{^http://(.*)\z};

    $host //= $name =~ s/:[0-9]+\z//r;
    local $SIG{ALRM} = sub { fail($Away, "no answer in $Seconds s") };
    alarm $Seconds;

    my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port)
        or fail($Away, "no gateway answers at $set{url}: "
                       . ($! || 'not reached'));

    local $SIG{PIPE} = 'IGNORE';
    my @head = ("$method $path HTTP/1.0", "Host: $name",
                "X-Api-Key: $set{key}");

    push @head, 'Content-Type: application/json',
                'Content-Length: ' . length $body if defined $body;

    binmode $socket;
    print $socket join("\r\n", @head, '', $body // '');
    $socket->flush;

    my $answer = '';
    while (sysread $socket, $answer, 65536, length $answer) { }
    alarm 0;

    my ($status, $text) = $answer =~ m{^HTTP/1\.[01] ([0-9]{3})\b.*?\r\n\r\n(.*)\z}s
        or fail($Away, "what answers at $set{url} is no gateway");

    return ($status, $text);
}


sub escape {
    return $_[0] =~ s/([^A-Za-z0-9._~:\/\[\]-])/sprintf '%%%02X', ord $1/ger;
}


# ---- JSON

sub encode {
    my ($body) = @_;

    return '{' . join(',', map {
        my $value = $body->{$_};
        qq("$_":) . (ref $value ? $$value : '"' . $value
            =~ s/([\x00-\x1f"\\])/sprintf '\\u%04x', ord $1/ger . '"')
    } sort keys %$body) . '}';
}


sub decode {
    my ($text) = @_;
    my $value = eval { value(\$text, 0) };

    return $@ eq '' && $text =~ /\G\s*\z/ ? $value : undef;
}


# At pos() of the text; true, false and numbers are their text, null is undef.
sub value {
    my ($text, $depth) = @_;

    die "deep\n" if $depth > 100;

    return string($1) if $$text =~ /\G\s*"((?:[^"\\]|\\.)*)"/gcs;
    return $1 if $$text =~ /\G\s*(-?[0-9][0-9.eE+-]*|true|false)/gc;
    return undef if $$text =~ /\G\s*null/gc;

    if ($$text =~ /\G\s*\[/gc) {
        my @list;

        until ($$text =~ /\G\s*\]/gc) {
            push @list, value($text, $depth + 1);
            $$text =~ /\G\s*(?:,|(?=\]))/gc or die "list\n";
        }
        return \@list;
    }

    $$text =~ /\G\s*\{/gc or die "value\n";
    my %object;

    until ($$text =~ /\G\s*\}/gc) {
        $$text =~ /\G\s*"((?:[^"\\]|\\.)*)"\s*:/gcs or die "name\n";
        my $name = string($1);
        $object{$name} = value($text, $depth + 1);
        $$text =~ /\G\s*(?:,|(?=\}))/gc or die "object\n";
    }
    return \%object;
}


sub string {
    my ($text) = @_;
    my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

    $text =~ s/\\(?:u(d[89ab]..)\\u(d[c-f]..)|u([0-9a-f]{4})|(.))/
               defined $1 ? utf8(0x10000 + (hex($1) - 0xd800 << 10)
                                 + hex($2) - 0xdc00)
               : defined $3 ? utf8(hex $3) : $plain{$4} || $4/gesi;

    return $text;
}


sub utf8 {
    my $char = chr $_[0];
    utf8::encode($char);
    return $char;
}


# ---- what is said

sub table {
    my @rows = map { [map { clean($_ // '-') } @$_] } @_;
    my @width;

    for my $row (@rows) {
        for my $n (0 .. $#$row) {
            my $chars = length $row->[$n] =~ s/[\x80-\xbf]//gr;
            $width[$n] = $chars if $chars > ($width[$n] // 0);
        }
    }

    for my $row (@rows) {
        my $line = join '  ', map {
            my $chars = length $row->[$_] =~ s/[\x80-\xbf]//gr;
            $row->[$_] . ' ' x ($width[$_] - $chars)
        } 0 .. $#$row;

        say($line =~ s/ +\z//r);
    }
}


# What a terminal would obey, and what would turn the order of letters.
sub clean {
    my ($text) = @_;

    $text =~ s/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]/?/g;
    $text =~ s/\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]//g;
    return $text;
}


sub say { print "$_[0]\n" }


sub usage { fail($Usage, "$_[0]; see wa-gateway ctl --help") }


sub fail {
    my ($status, $text) = @_;

    print STDERR 'wa-gateway: ', clean($text), "\n";
    exit $status;
}
