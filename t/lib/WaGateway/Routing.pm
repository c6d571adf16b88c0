package WaGateway::Routing;

# Tables of requests and what must come of each, see t/routing_waha.t.  A row:
#
#   METHOD TARGET [HEADER: VALUE]... BODY => WHAT
#
# <1>, <2> and <3> are the instances' URLs, <key> the key that they want,
# <token:NAME> the token of a session, @N@ so many letters, ~N~ letters and
# blanks, \xNN a byte.  A
# body is application/json unless a Content-Type is there, or [untyped]; with
# [chunked] it comes in chunks.  What came of it is one of
#
#   1 main              instance 1 saw it, once, as it was sent, for session
#                       main and with the key that the gateway added; "2|3"
#                       is one of them, "any" one of all, "-" no session
#   400 bad_request session    refused by the gateway: status, code, member;
#                       no instance saw it
#
# and after an instance: sent (a message was), bare (it has no key that is
# right), key (it has, though it names no session), target=PATH (it came as
# that), NAME=VALUE (it had the header once, with that value), NAME= (it had
# none), status=CODE (what the client was answered).

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use WaGateway::Nginx qw(send_request read_answer poll);
use WaGateway::Sessions qw(gateway differs);
use WaGateway::Vendor;

our @EXPORT_OK = qw(check_table check_rows paths sends);

# Of all vendors: two instances have a session "shared", of two numbers, and
# "twin", of one.
my @Sessions = (
    [['main', '966500000001'], ['sales', '966500000002'],
     ['out', '966500000003', 'login']],
    [['support', '966500000004'], ['shared', '966500000005'],
     ['twin', '966500000006'], ['busy', '966500000007', 'starting']],
    [['shared', '966500000008'], ['twin', '966500000006'],
     ['spare', '966500000009']],
);


# Options: key; more, sessions besides those above of each instance; tokens, if
# sessions have them; carries, the name of the header with the key and a code
# that says whether its value is right for a session; short, fewer rows than
# a whole table has; dangerous, some of that is allowed; http, server, location.
sub check_table {
    my ($vendor, $table, %o) = @_;

    my @fakes = map {
        my $i = $_;
        WaGateway::Vendor->new($vendor, key => $o{key}, wait => 0,
            sessions => [map { {
                name => $_->[0], number => $_->[1],
                state => $_->[2] || 'ready',
                $o{tokens} ? (token => "t-$_->[0]-geheim") : () } }
                @{$Sessions[$i]}, @{$o{more}[$i] || []}]);
    } 0 .. 2;

    check_rows($vendor, $table, \@fakes, %o);
}


# The same with fakes of the caller's, of any vendors; carries is by vendor
# then.
sub check_rows {
    my ($name, $table, $fakes, %o) = @_;

    my $ng = gateway(fakes => $fakes, workers => 2,
                     parameters => 'sessions=200',
                     map { $_ => $o{$_} } grep { defined $o{$_} }
                     qw(http server location))->start;

    is(differs($ng, @$fakes), undef, "$name: all sessions are known");

    my $key = defined $o{key} ? $o{key} : '';
    my %text = (key => $key, 'key:base64' => encode_base64($key, ''),
                map { $_ + 1 => $fakes->[$_]->url } 0 .. $#$fakes);
    my ($hashes) = grep { $_->can('hash') } @$fakes, $fakes->[0];
    my @rows = map { row($_, \%text, $hashes || $fakes->[0]) }
               grep { /\S/ && !/^\s*#/ } split /\n/, $table;

    cmp_ok(scalar @rows, '>=', 150, "$name: a table of " . @rows)
        unless $o{short};

    for my $i (0 .. $#rows) {
        $rows[$i]{answer} = ask($ng, $i, $rows[$i]);
    }

    my %seen;

    for my $i (0 .. $#$fakes) {
        push @{$seen{$_->{case}}}, { %$_, instance => $i + 1 }
            for $fakes->[$i]->requests;
    }

    for my $i (0 .. $#rows) {
        my $wrong = judge($rows[$i], $seen{$i} || [], \%o, $fakes);
        ok($wrong eq '', "$name: $rows[$i]{name}") or diag($wrong);
    }

    is(scalar(grep { $_->count('danger') } @$fakes), 0,
       "$name: nothing dangerous came to an instance")
        unless $o{dangerous};

    $ng->clean("$name: nothing worse than errors is logged");
    unlike($ng->log, qr/geheim/, "$name: and no secret");
}


sub row {
    my ($line, $text, $fake) = @_;

    my ($request, $want) = $line =~ /^\s*(.*) => (.*?)\s*$/
        or die "no row: $line\n";
    my ($method, $target, $headers, $body)
        = $request =~ /^(\S+) (\S+)((?: \[[^\]]*\])*)(?: (.*))?$/
        or die "no request: $line\n";

    my @headers = $headers =~ / \[([^\]]*)\]/g;
    my %flag = map { $_ => 1 } grep { !/:/ } @headers;

    for ($target, @headers, $want, defined $body ? $body : ()) {
        s/<token:([^>]*)>/token($fake, $1)/ge;
        s/<([a-z0-9:]+)>/defined $text->{$1} ? $text->{$1} : "<$1>"/ge;
        s/\@([0-9]+)\@/'a' x $1/ge;
        s/~([0-9]+)~/'ab ' x ($1 \/ 3)/ge;
        $_ = bytes($_) unless \$_ == \$want;
    }

    @headers = grep { /:/ } @headers;
    push @headers, 'Content-Type: application/json'
        if defined $body && !$flag{untyped}
           && !grep { /^content-type:/i } @headers;

    my $name = length $line > 100 ? substr($line, 0, 97) . '...' : $line;

    return { name => $name, method => $method, target => $target,
             headers => \@headers, body => $body, want => $want,
             chunked => $flag{chunked} };
}


sub bytes { return $_[0] =~ s/\\x([0-9a-f]{2})/chr hex $1/geir }


# As a client has asked for it before.
sub token {
    my ($fake, $name) = @_;

    return "t-$name-geheim" unless $fake->can('hash');
    return '$2b$10$' . 'x' x 22 . $fake->hash('x' x 22, $name);
}


sub ask {
    my ($ng, $case, $row) = @_;

    my @headers = ("X-Case: $case", @{$row->{headers}});
    my $body = $row->{body};

    if ($row->{chunked}) {
        my @pieces = ((map { sprintf "%x\r\n%s\r\n", length, $_ }
                       unpack '(a7)*', $body), "0\r\n\r\n");
        push @headers, 'Transfer-Encoding: chunked';
        $body = sub { shift @pieces };
    }

    my $s = send_request($ng->port, $row->{method}, $row->{target},
                         headers => \@headers,
                         defined $body ? (body => $body) : ());

    return read_answer($s, $row->{method});
}


# What is wrong, as text.
sub judge {
    my ($row, $seen, $o, $fakes) = @_;

    my ($first, @want) = map { bytes($_) } split ' ', $row->{want};
    my $got = "$row->{answer}{status} "
              . substr($row->{answer}{body}, 0, 300) . "\n"
              . join '', map { "seen by $_->{instance} for "
                               . (defined $_->{session} ? $_->{session} : '-')
                               . "\n$_->{method} $_->{target}\n$_->{head}" }
                         @$seen;

    my $wrong = $first =~ /^\d\d\d$/
        ? refusal($row, $seen, $first, @want)
        : routed($row, $seen, $o, $fakes, $first, @want);

    return $wrong eq '' ? '' : "$wrong\n$got";
}


sub refusal {
    my ($row, $seen, $status, $code, $member) = @_;
    my $answer = $row->{answer};

    return "an instance saw it" if @$seen;
    return "the status is not $status" if $answer->{status} != $status;
    return '' if !defined $code || $row->{method} eq 'HEAD';

    my $json = eval { JSON::PP::decode_json($answer->{body}) } || {};

    return "the code is not $code" if ($json->{code} || '') ne $code;
    return "the member is not $member"
        if defined $member && ($json->{member} || '') ne $member;
    return '';
}


sub routed {
    my ($row, $seen, $o, $fakes, $instances, $session, @more) = @_;

    return 'no instance saw it' unless @$seen;
    return 'it was seen more than once' if @$seen > 1;

    my ($q) = @$seen;
    my $fake = $fakes->[$q->{instance} - 1];
    my $head = $q->{head};
    my %more = map { /^([^=]+)=(.*)/ ? ($1 => $2) : ($_ => '') } @more;
    my $target = defined $more{target} ? delete $more{target}
                                       : $row->{target};
    my $status = delete $more{status};
    my $sent = exists $more{sent} ? 1 : 0;
    my $key = exists $more{key} || !exists $more{bare} && $session ne '-';

    delete @more{qw(sent key bare)};

    return "another instance" if $instances ne 'any'
                                 && $instances !~ /\b$q->{instance}\b/;
    return 'another session'
        if $session ne (defined $q->{session} ? $q->{session} : '-')
           && $session ne '*';
    return "the message was sent $q->{sent} times" if $q->{sent} != $sent;
    return 'another method' if $q->{method} ne $row->{method};
    return 'another target' if $q->{target} ne $target;
    return 'another body' if defined $row->{body} && defined $q->{body}
                             && $row->{body} ne $q->{body};
    return "the answer is not $status"
        if defined $status && $row->{answer}{status} != $status;

    my ($name, $right) = @{ref $o->{carries} eq 'HASH'
                           ? $o->{carries}{$fake->{vendor}} : $o->{carries}};
    my @keys = $head =~ /^$name: *(.*?)\r$/gmi;
    my $is = @keys == 1 && $right->($keys[0], $q->{session}, $fake);

    return 'it has no key' if $key && !$is;
    return 'it has a key' if !$key && $is;

    for (sort keys %more) {
        my @values = $head =~ /^\Q$_\E: *(.*?)\r$/gmi;
        return "$_ is " . join(' and ', @values)
            if join(' and ', @values) ne $more{$_};
    }

    return '';
}


# Rows of what a path may look like that names a session between two texts;
# the request is no send.  With "raw" the server does not decode it.
sub paths {
    my ($method, $before, $after, %o) = @_;

    my $full = sub { "$method $before$_[0]$after" };
    my ($a) = $before =~ m{^(.*/)[^/]*\z};

    my @rows = (
        'main => 1 main', 'sales => 1 sales', 'support => 2 support',
        'spare => 3 spare',

        # what cannot send is there all the same
        'out => 1 out', 'busy => 2 busy',

        # one number, two ways to it; two numbers, one name
        'twin => 2|3 twin', 'shared => 409 ambiguous_session',

        # what nobody has
        'nobody => 404 unknown_session', 'Main => 404 unknown_session',
        'MAIN => 404 unknown_session', 'main. => 404 unknown_session',
        '.main => 404 unknown_session', '... => 404 unknown_session',
        'main,support => 404 unknown_session',
        'main; => 404 unknown_session', 'main;x=1 => 404 unknown_session',
        'support;main => 404 unknown_session',
        'main+ => 404 unknown_session', 'main%20 => 404 unknown_session',
        '%20main => 404 unknown_session', 'main%3Bx => 404 unknown_session',
        'main%25 => 404 unknown_session', 'm%2561in => 404 unknown_session',
        'main%3F => 404 unknown_session', 'main%23 => 404 unknown_session',
        'main%26 => 404 unknown_session', 'm%c0%a1in => 404 unknown_session',
        'main%E2%80%AE => 404 unknown_session',
        'm\xc3\xa4in => 404 unknown_session', '\xff => 404 unknown_session',
        '@128@ => 404 unknown_session', '@129@ => 404 unknown_session',
        '@4000@ => 404 unknown_session', 'main@128@ => 404 unknown_session',

        # what could be read in two ways
        'main%2F => 400', 'main%2f => 400', 'main%2Fsupport => 400',
        '%2Fmain => 400', 'main%5C => 400', 'main%5csupport => 400',
        'main\x5c => 400', 'main%00 => 400', '%00 => 400', 'main%0a => 400',
        'main%0D%0Ax => 400', 'main%09 => 400', 'main%7f => 400',
        'main\x01 => 400', 'main\x7f => 400', 'main%zz => 400', 'main%2 => 400',
        '% => 400', '. => 400', '.. => 400', '%2e => 400', '%2E%2e => 400',
        '.%2e => 400', 'support/../main => 400', './main => 400',
        'support/%2e%2e/main => 400', 'support%2f..%2fmain => 400',
        '/main => 400', 'main#x => 400',
    );

    # as it is spelled it goes on
    my @spelled = ('m%61in', '%6D%61%69%6E', 'mai%6e', '%6dain');

    return join "\n",
        (map { my ($name, $what) = split / => /;
               $full->($name) . " => $what" } @rows),
        (map { $full->($_) . ' => 1 ' . ($o{raw} ? $_ : 'main') } @spelled),

        # the rest of the path and the query
        $full->('main') . '/ => 1 main',
        $full->('main') . '// => 400',
        $full->('main') . '? => 1 main',
        $full->('main') . '?x=1&y=%20&z => 1 main',
        $full->('main') . '/?x=/a//b/../c => 1 main',
        $full->('main') . '?x=1#y => 400',
        "$method /$before" . "main$after => 400",
        "$method $a/.$before" . "main$after => 400",
        "$method $a%2e%2e$before" . "main$after => 400",
        ($method eq 'GET' ? "HEAD $before" . "main$after => 1 main" : ()),
        ($method eq 'GET' ? "HEAD $before" . "nobody$after => 404" : ()),

        # headers of the gateway's own
        $full->('main') . ' [X-WA-Session: main] => 1 main',
        $full->('main') . ' [x-wa-session: main] => 1 main',
        $full->('main') . ' [X-WA-Session: support] => 400 bad_request',
        $full->('main') . ' [X-WA-Session: nobody] => 400 bad_request',
        $full->('main')
            . ' [X-WA-Session: main] [X-WA-Session: main] => 400 bad_request',
        $full->('main') . ' [X-WA-Instance: <1>] => 1 main',
        $full->('main') . ' [X-WA-Instance: <2>] => 404 unknown_session',
        $full->('main')
            . ' [X-WA-Instance: <1>] [X-WA-Instance: <1>] => 400 bad_request',
        $full->('main') . ' [X-WA-From: 966500000001] => 1 main',
        $full->('shared') . ' [X-WA-Instance: <2>] => 2 shared',
        $full->('shared') . ' [X-WA-Instance: <3>] => 3 shared',
        $full->('shared') . ' [X-WA-From: 966500000005] => 2 shared',
        $full->('shared') . ' [X-WA-From: 966500000008] => 3 shared',
        $full->('twin') . ' [X-WA-Instance: <3>] => 3 twin',
        $full->('nobody') . ' [X-WA-Session: nobody] => 404 unknown_session',
        '';
}


# Rows of sends whose path names the session between two texts.
sub sends {
    my ($method, $before, $after, $body) = @_;

    return join "\n", (map {
        my ($name, $what) = split / => /;
        my $headers = $name =~ s/( \[.*)// ? $1 : '';
        "$method $before$name$after$headers $body => $what";
    } 'main => 1 main sent', 'support => 2 support sent',
      'spare => 3 spare sent', 'm%61in => 1 main sent',
      'out => 503 session_down', 'busy => 503 session_down',
      'nobody => 404 unknown_session', 'twin => 2|3 twin sent',
      'shared => 2|3 shared sent',
      'shared [X-WA-From: 966500000005] => 2 shared sent',
      'shared [X-WA-Instance: <3>] => 3 shared sent',
      'twin [X-WA-Instance: <2>] => 2 twin sent',
      'main [X-WA-Session: support] => 400 bad_request',
      'main [X-WA-Session: main] => 1 main sent'), '';
}


1;
