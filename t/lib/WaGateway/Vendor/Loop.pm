package WaGateway::Vendor::Loop;

# The process that serves fakes of WaGateway::Vendor: their connections and the
# commands of the test.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Errno qw(EAGAIN EINTR EMFILE ENFILE);
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SOMAXCONN SO_LINGER);
use Storable qw(nfreeze thaw);
use Time::HiRes qw(time);

# by file descriptor
my (%Listen, %Connection, %Command);
my ($Control, %Fake);

my ($R, $W) = ('', '');
my ($Connections, @Timers, @Waiting) = (0);

my %Reason = (101 => 'Switching Protocols', 200 => 'OK', 201 => 'Created', 400 => 'Bad Request',
              401 => 'Unauthorized', 403 => 'Forbidden', 404 => 'Not Found',
              409 => 'Conflict', 422 => 'Unprocessable Entity',
              429 => 'Too Many Requests', 500 => 'Internal Server Error',
              503 => 'Service Unavailable', 504 => 'Gateway Timeout');


sub run {
    ($Control, my $parent, my @fakes) = @_;

    %Fake = map { $_->{id} => $_ } @fakes;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP CHLD ALRM);
    $SIG{PIPE} = 'IGNORE';

    $Control->blocking(0);
    vec($R, fileno $Control, 1) = 1;

    turn() while getppid == $parent;
    POSIX::_exit(0);
}


sub turn {
    my $wait = 0.5;
    my $left = @Timers ? $Timers[0][0] - time : $wait;
    $wait = $left > 0 ? $left : 0 if $left < $wait;

    my $n = select my $r = $R, my $w = $W, undef, $wait;

    if ($n > 0) {
        send_more($_) for map { $Connection{$_} || () } bits($w);

        my @read = bits($r);

        # Who is busy first: a client that left one connection and asks over
        # another was never there twice.
        my @ready = sort { !$a->{entry} <=> !$b->{entry}
                           || $a->{id} <=> $b->{id} }
                    map { $Connection{$_} || () } @read;

        for my $c (@ready) {
            take($c) unless $c->{gone};
        }

        for my $fd (@read) {
            accept_all($Listen{$fd}) if $Listen{$fd};
            command($Command{$fd}) if $Command{$fd};
        }

        commanders() if vec $r, fileno $Control, 1;
    }

    my $now = time;
    (shift @Timers)->[1]->() while @Timers && $Timers[0][0] <= $now;
}


sub bits {
    my $bits = unpack 'b*', $_[0];
    my ($at, @fds) = (-1);

    push @fds, $at while ($at = index $bits, '1', $at + 1) >= 0;
    return @fds;
}


sub later {
    my ($seconds, $code) = @_;

    my $due = time + $seconds;
    my $at = @Timers;

    $at-- while $at && $Timers[$at - 1][0] > $due;
    splice @Timers, $at, 0, [$due, $code];
}


sub commanders {
    while (my $fh = $Control->accept) {
        $Command{fileno $fh} = { fh => $fh, in => '' };
        vec($R, fileno $fh, 1) = 1;
    }
}


sub command {
    my ($c) = @_;

    if (!sysread $c->{fh}, $c->{in}, 1 << 20, length $c->{in}) {
        vec($R, fileno $c->{fh}, 1) = 0;
        delete $Command{fileno $c->{fh}};
        close $c->{fh};
        return;
    }

    while (length $c->{in} >= 4) {
        my $length = unpack 'N', $c->{in};
        last if length $c->{in} < 4 + $length;

        my ($id, $name, @args) = @{thaw(substr $c->{in}, 4, $length)};
        substr $c->{in}, 0, 4 + $length, '';

        my $do = $name eq 'listen' ? \&start : $name eq 'deafen' ? \&stop
                 : $Fake{$id}->can("do_$name");
        my $result = eval { [1, scalar $do->($Fake{$id}, @args)] };
        my $reply = nfreeze($result || [0, "$@"]);

        # the test waits for it
        $c->{fh}->blocking(1);
        WaGateway::Vendor::put_all($c->{fh},
                                   pack('N', length $reply) . $reply);
    }
}


sub start {
    my ($fake) = @_;

    return 1 if $fake->{listen};

    my $fh = IO::Socket::INET->new(LocalAddr => $fake->{address},
                                   LocalPort => $fake->{port},
                                   Listen => SOMAXCONN, ReuseAddr => 1)
        or die $fake->name . ": $!\n";

    $fh->blocking(0);
    $fake->{listen} = $fh;
    $Listen{fileno $fh} = $fake;
    vec($R, fileno $fh, 1) = 1;

    return 1;
}


sub stop {
    my ($fake, $how) = @_;

    if (my $fh = delete $fake->{listen}) {
        vec($R, fileno $fh, 1) = 0;
        delete $Listen{fileno $fh};
        close $fh;
    }

    for my $c (grep { $_->{fake} == $fake } values %Connection) {
        drop($c, $how || 'reset');
    }

    @Waiting = grep { $_->{fake} != $fake } @Waiting;

    return 1;
}


# Of its own will, after it said so.
sub exit_soon {
    my ($fake) = @_;
    later(0.05, sub { stop($fake, 'close') });
}


sub accept_all {
    my ($fake) = @_;

    while (my $fh = $fake->{listen}->accept) {
        $fh->blocking(0);
        my $fd = fileno $fh;
        $Connection{$fd} = { fh => $fh, fd => $fd, id => ++$Connections,
                             fake => $fake, in => '', out => [], nth => 0 };
        vec($R, $fd, 1) = 1;
    }

    die "accept: $!\n" if $! == EMFILE || $! == ENFILE;
}


sub drop {
    my ($c, $how) = @_;

    $c->{entry}{answered} ||= time if $c->{entry};
    $c->{gone} = 1;
    vec($R, $c->{fd}, 1) = vec($W, $c->{fd}, 1) = 0;
    delete $Connection{$c->{fd}};

    setsockopt $c->{fh}, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0
        if $how eq 'reset';
    close $c->{fh};
}


sub take {
    my ($c) = @_;

    my $n = sysread $c->{fh}, $c->{in}, 1 << 20, length $c->{in};

    return if !defined $n && ($! == EAGAIN || $! == EINTR);
    return drop($c, 'close') unless $n;
    return hear($c) if $c->{stream};

    work($c) unless $c->{entry};
}


sub work {
    my ($c) = @_;

    while (!$c->{gone} && !$c->{entry} && length $c->{in}) {
        begin($c) or return unless $c->{request};
        body($c) or return;
        serve($c, delete $c->{request});
    }
}


sub begin {
    my ($c) = @_;

    my $end = index $c->{in}, "\r\n\r\n";
    return 0 if $end < 0;

    my $head = substr $c->{in}, 0, $end + 2;
    substr $c->{in}, 0, $end + 4, '';

    my ($method, $target, $minor)
        = $head =~ m{^([A-Z_-]+) (\S+) HTTP/1\.([01])\r\n};

    if (!defined $method) {
        syswrite $c->{fh}, "HTTP/1.1 400 Bad Request\r\n"
                           . "Connection: close\r\n\r\n";
        drop($c, 'close');
        return 0;
    }

    my %header;
    while ($head =~ /^([^:\r\n]+): *(.*?) *\r$/mg) {
        $header{lc $1} = $2 unless exists $header{lc $1};
    }

    $c->{nth}++;
    $c->{request} = {
        method => $method, target => $target, head => $head,
        header => \%header, body => '', left => $header{'content-length'} || 0,
        chunked => ($header{'transfer-encoding'} || '') =~ /chunked/i
                   ? 'size' : '',
        keep => ($header{connection} || '') =~ /close/i ? 0
                : $minor || ($header{connection} || '') =~ /keep-alive/i };

    return 1;
}


# True when the whole body is there.
sub body {
    my ($c) = @_;
    my $q = $c->{request};

    while (1) {
        if ($q->{chunked} eq 'size') {
            $c->{in} =~ s/^([0-9a-fA-F]+)[^\r]*\r\n// or return 0;
            $q->{left} = hex $1;
            $q->{chunked} = $q->{left} ? 'data' : 'last';

        } elsif ($q->{chunked} eq 'crlf') {
            $c->{in} =~ s/^\r\n// or return 0;
            $q->{chunked} = 'size';

        } elsif ($q->{chunked} eq 'last') {
            $c->{in} =~ s/^\r\n// or return 0;
            return 1;

        } else {
            my $data = substr $c->{in}, 0, $q->{left}, '';
            $q->{left} -= length $data;
            $q->{body} .= $data;

            return 0 if $q->{left};
            return 1 unless $q->{chunked};
            $q->{chunked} = 'crlf';
        }
    }
}


sub serve {
    my ($c, $q) = @_;
    my $fake = $c->{fake};

    ($q->{path}, my $query) = split /\?/, $q->{target}, 2;
    $q->{query} = WaGateway::Vendor::fields(defined $query ? $query : '');
    $q->{length} = length $q->{body};

    my ($kind, $code, @args) = route($fake, $q);

    my $entry = $q->{entry} = $c->{entry} = {
        method => $q->{method}, path => $q->{target}, headers => $q->{head},
        length => $q->{length}, digest => md5_hex($q->{body}), kind => $kind,
        $q->{length} <= 65536 ? (body => $q->{body}) : (),
        session => $q->{session},
        connection => $c->{id}, nth => $c->{nth}, time => time, status => 0 };

    push @{$fake->{ledger}}, $entry;
    $q->{kind} = $kind;
    $c->{keep} = $q->{keep};
    $c->{head_only} = $q->{method} eq 'HEAD';

    my $mode = $fake->{misbehaves}{$kind} || '';
    my $after = $mode =~ s/^after://;
    my $unserved = $mode =~ /^(?:garbage|html|deep|empty|body|status|hang
                              |close|reset)\b/x;

    $q->{then} = sub { answer($c, $q, $mode, @_) };

    return $q->{then}->([]) if $unserved && !$after;

    answer_of($fake, $q, sub { $code->($fake, $q, @args) });
}


sub route {
    my ($fake, $q) = @_;

    my ($known, $session) = WaGateway::Vendor::Map::find($fake, $q);
    my $path = WaGateway::Vendor::Map::path($fake, $q);
    my $method = $q->{method} eq 'HEAD' ? 'GET' : $q->{method};

    $q->{route} = $known;
    $q->{session} = $session;

    for my $route (@{$fake->{routes} ||= [$fake->routes]}) {
        my ($verbs, $re, $kind, $code) = @$route;

        next unless defined $path && $verbs =~ /\b\Q$method\E\b/;
        my @args = $path =~ WaGateway::Vendor::Map::compares($fake, $re)
            or next;

        return ($kind, $code,
                map { WaGateway::Vendor::Map::argument($fake, $_) }
                grep { defined } @args);
    }

    return ($known->{kind}, sub { $fake->native($q, $known, $session) })
        if $known;
    return ('other', sub { $fake->not_found($q) });
}


# Who refuses may do so by die.  An answer that waits is { wait => seconds,
# until => code that returns an answer when it is time, then => code }.
sub answer_of {
    my ($fake, $q, $code) = @_;

    my $answer = eval { $fake->refuse($q) || $code->() };

    if (!defined $answer) {
        die $@ unless ref $@ eq 'ARRAY';
        $answer = $@;
    }

    return $q->{then}->($answer) if ref $answer eq 'ARRAY';

    my $waiting = { fake => $fake, q => $q, until => $answer->{until} };
    push @Waiting, $waiting;

    later($answer->{wait}, sub {
        return unless grep { $_ == $waiting } @Waiting;
        @Waiting = grep { $_ != $waiting } @Waiting;
        answer_of($fake, $q, $answer->{then});
    });
}


# The sessions of a fake have changed.
sub look_again {
    my ($fake) = @_;

    for my $waiting (grep { $_->{fake} == $fake } @Waiting) {
        my $answer = $waiting->{until}->() or next;
        @Waiting = grep { $_ != $waiting } @Waiting;
        $waiting->{q}{then}->($answer);
    }
}


# Without a status there is no answer of its own: the mode has one.
sub answer {
    my ($c, $q, $mode, $answer) = @_;

    my ($fake, $entry) = ($c->{fake}, $q->{entry});
    my $delay = $mode =~ /^slow:(.+)/ ? $1
                : $entry->{kind} eq 'ask' ? $fake->{ask_delay} || 0 : 0;

    $answer = $fake->unproved($answer, $q) if $mode eq 'unproved';

    if ($q->{fault}) {
        ($mode, $answer) = $fake->gone_wrong($q->{fault}, $answer, $q);
        $delay = $1 if $mode =~ /^slow:(.+)/;
    }

    if ($mode eq 'hold') {
        push @{$fake->{held}}, sub { reply($c, $entry, '', $answer) };

    } elsif ($delay) {
        later($delay, sub { reply($c, $entry, $mode, $answer) });
    } else {
        reply($c, $entry, $mode, $answer);
    }
}


sub reply {
    my ($c, $entry, $mode, $answer) = @_;
    my ($status, $body, $head) = @$answer;

    # a connection that is gone, and perhaps another request's by now
    return if $c->{gone} || !$c->{entry} || $c->{entry} != $entry;

    if ($mode eq 'html') {
        ($status, $body) = (200, "<!doctype html><title>Welcome</title>\n");
        $head = { 'Content-Type' => 'text/html; charset=utf-8' };

    } elsif ($mode eq 'deep') {
        ($status, $body) = (200, '[' x 100_000 . ']' x 100_000);

    } elsif ($mode eq 'empty') {
        ($status, $body) = (200, '');

    } elsif ($mode =~ /^body:(.*)/s) {
        ($status, $body) = (200, $1);

    } elsif ($mode =~ /^status:(\d+)/) {
        ($status, $body) = ($1, '{"error":"something went wrong"}');

    } elsif ($mode =~ /^(?:close|reset)$/) {
        return drop($c, $mode);

    } elsif ($mode eq 'garbage') {
        $entry->{status} = -1;
        push @{$c->{out}}, "\x00\x01 this is no HTTP\r\n\r\n";
        $c->{keep} = 0;
        return send_more($c);

    } elsif ($mode eq 'hang' || !defined $status) {
        return;
    }

    $entry->{status} = $status;
    return open_stream($c, $status, $head) unless defined $body;

    $body = WaGateway::Vendor::text($body) if ref $body;
    $body = substr $body, 0, length($body) / 2 if $mode eq 'short';
    $entry->{answer} = $body if length $body <= 65536;

    out($c, $status, $head || {}, $body, $mode);
    send_more($c);
}


sub out {
    my ($c, $status, $head, $body, $mode) = @_;

    $head = { 'Content-Type' => 'application/json; charset=utf-8', %$head };
    $head->{Connection} = 'close' unless $c->{keep};

    my $length = length $body;

    my $chunked = $c->{fake}{chunked} || '';

    if ($chunked =~ /^[a-z]/ && $c->{entry}{kind} eq 'send') {
        $head->{'Transfer-Encoding'} = 'chunked';
        $body = chunks($body, 7);
        $body .= "HTTP/1.1 200 OK\r\n" if $chunked eq 'trailing';

        if ($chunked eq 'cut') {
            $body =~ s/\n0\r\n\r\n\z/\n/ or die "no last chunk\n";
            $c->{keep} = 0;
        }

    } elsif ($chunked) {
        $head->{'Transfer-Encoding'} = 'chunked';
        $body = chunks($body, 16384);
    } else {
        $head->{'Content-Length'} = $length;
    }

    if ($mode eq 'cut') {
        $body = substr $body, 0, length($body) / 2;
        $c->{keep} = 0;
    }

    my $text = join '', "HTTP/1.1 $status ", $Reason{$status} || 'Fake',
                    "\r\n", map({ "$_: $head->{$_}\r\n" } sort keys %$head),
                    "\r\n";

    $body = '' if $c->{head_only};

    return drip($c, $text, $body, $1) if $mode =~ /^drip:(.+)/;
    return drip($c, $text, $body, 0.001 * length $body, 1)
        if $chunked eq 'bytes' && $c->{entry}{kind} eq 'send';

    # what is small goes as one, what is large is not copied
    push @{$c->{out}}, length $body < 65536 ? $text . $body : ($text, $body);
}


# What its head begins, until somebody closes it.
sub open_stream {
    my ($c, $status, $head) = @_;

    $c->{stream} = $status == 101 ? 'socket' : 'events';
    push @{$c->{out}}, join '', "HTTP/1.1 $status $Reason{$status}\r\n",
                       map({ "$_: $head->{$_}\r\n" } sort keys %$head),
                       "\r\n";
    send_more($c);
    hear($c) if !$c->{gone} && length $c->{in};
}


sub hear {
    my ($c) = @_;

    push @{$c->{out}}, "$c->{entry}{session} $c->{in}"
        if $c->{stream} eq 'socket';
    $c->{in} = '';
    send_more($c);
}


sub say {
    my ($fake, $session, $text) = @_;

    my @streams = grep { $_->{fake} == $fake && $_->{stream}
                         && $_->{entry}{session} eq $session }
                  values %Connection;

    for my $c (@streams) {
        push @{$c->{out}}, $text;
        send_more($c);
    }

    return scalar @streams;
}


sub chunks {
    my ($body, $size) = @_;

    return join '', map({ sprintf "%x\r\n%s\r\n", length, $_ }
                        unpack "(a$size)*", $body), "0\r\n\r\n";
}


sub drip {
    my ($c, $text, $body, $seconds, $size) = @_;

    $size ||= int(length($body) / 20) + 1;
    my @pieces = ($text, unpack "(a$size)*", $body);
    my $n = @pieces;

    $c->{more} = $n;

    for my $i (0 .. $#pieces) {
        later($i * $seconds / $n, sub {
            return if $c->{gone};
            $c->{more}--;
            push @{$c->{out}}, $pieces[$i];
            send_more($c);
        });
    }
}


sub send_more {
    my ($c) = @_;

    while (@{$c->{out}}) {
        $c->{at} ||= 0;
        $c->{entry}{answered} = time if $c->{entry};
        my $n = syswrite $c->{fh}, $c->{out}[0], 1 << 20, $c->{at};

        if (!defined $n) {
            return drop($c, 'close') unless $! == EAGAIN || $! == EINTR;
            vec($W, $c->{fd}, 1) = 1;
            return;
        }

        $c->{at} += $n;
        next if $c->{at} < length $c->{out}[0];

        shift @{$c->{out}};
        $c->{at} = 0;
    }

    vec($W, $c->{fd}, 1) = 0;
    return if $c->{more} || $c->{stream};

    delete $c->{entry};

    return drop($c, 'close') unless $c->{keep};
    work($c);
}


1;
