package WaGateway::Fake;

# A pretended instance that can misbehave: one process, one select loop.
# What it does is its mode, set with mode(), or for one request by the query,
# /path?fake=MODE.  An argument follows the mode after a colon.
#
#   json            200 and JSON that tells what came (default)
#   status:CODE     the same with another status
#   head            200 and the head of the request
#   digest          200, the length of the request's body and its MD5
#   say             what say() was told; 401 to who lacks the header it needs
#   raw             the bytes given to answer(), then the connection is closed
#   slow:SECONDS    json, later
#   held            json, when release() was called since
#   each:MODE,...   the first request from now on by the first mode, and so on;
#                   those that are left by the last
#   chunked, close_delimited    json in another form
#   hang            reads the request and says nothing
#   reset_accept    reset (RST) as soon as the connection is there
#   reset_read      reset when the request comes, before it is read
#   reset_body:N    reset when N bytes of the body are read
#   reset           reset when the request is read
#   close           closed when the request is read
#   reset_answer    reset in the middle of the answer's body
#   half            closed in the middle of the answer's body
#   half_head       closed in the middle of the answer's header
#   chunked_half    closed in the middle of a chunked answer
#   garbage         no HTTP
#   plain           no HTTP, at the first byte that comes; or what answer() had
#   interim         nothing but interim answers
#   sse             an event each 50 ms, for ever
#   keep:N          json; the connection is closed after N requests, untold
#   reset_second    json; the second request of a connection is read and reset
#
# Further words of the query: pad=N adds N bytes to the answer, type=T sets
# its Content-Type, delay=SECONDS lets it wait, interim=CODE,CODE sends answers
# with these statuses first, split=N the first N bytes alone.
#
# Each request is a line of the ledger before a byte of the answer is sent.
#
# With a handler there are no modes and no ledger: each connection is served in
# a process of its own by handler->($socket, $n, $say), n from 1 on, and lines()
# has what handlers write to $say.  That much runs on Debian's perl-base alone.

use strict;
use warnings;

use Fcntl qw(LOCK_EX LOCK_NB);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::IP;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Socket qw(SOL_SOCKET SO_LINGER SOMAXCONN);

# No part of perl-base, and needed by modes only.
BEGIN { eval { require Time::HiRes; Time::HiRes->import(qw(sleep time)) } }

my $Main = $$;
my %Running;
my %Used;


# A port nobody listens on, outside the range connections take theirs from,
# and kept from tests that run beside this one.
sub free_port {
    my $base = $ENV{TEST_NGINX_PORT_BASE} || 20000;
    my $locks = File::Spec->tmpdir . "/wa-test-ports-$>";

    mkdir $locks;

    for my $i (0 .. 899) {
        my $port = $base + ($$ * 13 + $i) % 900;
        next if $Used{$port};

        open $Used{$port}, '>>', "$locks/$port" or die "$locks/$port: $!\n";
        next unless flock $Used{$port}, LOCK_EX | LOCK_NB;

        my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0', Listen => 1,
                                      LocalPort => $port, ReuseAddr => 1)
            or next;

        return $port;
    }

    die "no free port\n";
}


# Options: port, address (127.0.0.1), unix (path), mode, backlog, stopped,
# handler.
sub new {
    my ($class, %o) = @_;

    my $self = bless { address => '127.0.0.1', mode => 'json', %o }, $class;

    if (!$self->{handler}) {
        require Digest::MD5;
        require JSON::PP;
    }

    $self->{port} ||= free_port() unless $self->{unix};
    $self->{dir} = tempdir('wa-fake-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    $self->_write('ledger', '');
    $self->mode($self->{mode});
    $self->start unless $self->{stopped};

    return $self;
}


sub port { return $_[0]{port} }


# As `server` takes it.
sub name {
    my ($self) = @_;

    return "unix:$self->{unix}" if $self->{unix};
    return $self->{address} =~ /:/ ? "[$self->{address}]:$self->{port}"
                                   : "$self->{address}:$self->{port}";
}


sub mode {
    my ($self, $mode) = @_;
    $self->_write('mode', $mode);
}


sub answer {
    my ($self, $bytes) = @_;
    $self->_write('answer', $bytes);
    $self->mode('raw');
}


# Options: status, head (lines), need (a regex that a request's head matches).
sub say {
    my ($self, $body, %o) = @_;
    $self->_write('say', JSON::PP::encode_json({ %o, body => $body }));
    $self->mode('say');
}


sub _write {
    my ($self, $name, $text) = @_;

    open my $fh, '>:raw', "$self->{dir}/$name.new" or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
    rename "$self->{dir}/$name.new", "$self->{dir}/$name" or die "$!\n";
}


sub _read {
    my ($self, $name) = @_;

    open my $fh, '<:raw', "$self->{dir}/$name" or return '';
    local $/;
    my $text = <$fh>;
    return defined $text ? $text : '';
}


# The requests seen: { method, path, length, digest, whole, connection, nth,
# busy, time, headers }; nth counts in the connection, busy the requests of now.
sub ledger {
    my ($self, $path) = @_;

    # the last line may still be on its way
    my @lines = $self->_read('ledger') =~ /^(.*)\n/mg;

    @lines = grep { /"path":"\Q$path\E(?:\?[^"]*)?"/ } @lines
        if defined $path;

    return map { JSON::PP::decode_json($_) } @lines;
}


# Answers what came as "held" until now.
sub release {
    my ($self) = @_;
    $self->_write('released', time);
}


# True when a byte came over any connection: it may be none of a request.
sub touched { return -e "$_[0]{dir}/touched" }


# Cheap: for thousands of them.
sub count {
    my ($self) = @_;
    return scalar(() = $self->_read('ledger') =~ /\n/g);
}


sub forget {
    my ($self) = @_;
    truncate "$self->{dir}/ledger", 0;
}


sub max_busy {
    my ($self) = @_;
    my $max = 0;

    for ($self->ledger) {
        $max = $_->{busy} if $_->{busy} > $max;
    }

    return $max;
}


sub start {
    my ($self) = @_;
    my $backlog = defined $self->{backlog} ? $self->{backlog} : SOMAXCONN;
    my $listen;

    if ($self->{unix}) {
        unlink $self->{unix};
        $listen = IO::Socket::UNIX->new(Local => $self->{unix},
                                        Listen => $backlog);
        chmod 0666, $self->{unix};

    } else {
        $listen = IO::Socket::IP->new(LocalHost => $self->{address},
                                      LocalPort => $self->{port},
                                      Listen => $backlog, ReuseAddr => 1,
                                      V6Only => 1);
    }

    die $self->name . ": $!\n" unless $listen;

    my ($read, $say);

    if ($self->{handler}) {
        pipe $read, $say or die "pipe: $!\n";
        $say->autoflush(1);
    }

    my $parent = $$;

    # One that is sent before its handler is there waits for it.
    my $signals = POSIX::SigSet->new(POSIX::SIGTERM, POSIX::SIGUSR1,
                                     POSIX::SIGUSR2);
    my $blocked = POSIX::SigSet->new;
    POSIX::sigprocmask(POSIX::SIG_BLOCK, $signals, $blocked);

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if ($pid) {
        POSIX::sigprocmask(POSIX::SIG_SETMASK, $blocked);
        close $listen;
        $self->{pid} = $pid;
        $Running{$pid} = 1;
        return $self unless $self->{handler};

        # its connections end with it
        setpgrp $pid, $pid;
        $Running{$pid} = -1;
        $self->{lines} = WaGateway::Fake::Lines->new($read);
        return $self;
    }

    eval {
        $self->{handler}
            ? serve($self->{handler}, $listen, $say, $blocked)
            : WaGateway::Fake::Loop::run($self, $listen, $parent, $blocked);
        1;
    } or print STDERR "fake: $@";
    POSIX::_exit(1);
}


sub lines { return $_[0]{lines} }


sub serve {
    my ($handler, $listen, $say, $signals) = @_;
    my $n = 0;

    setpgrp 0, 0;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
    $SIG{CHLD} = $SIG{PIPE} = 'IGNORE';
    POSIX::sigprocmask(POSIX::SIG_SETMASK, $signals);

    while (my $s = $listen->accept) {
        $n++;

        my $pid = fork;

        if (defined $pid && $pid == 0) {
            close $listen;
            $s->autoflush(1);
            $handler->($s, $n, $say);
            close $s;
            POSIX::_exit(0);
        }

        close $s;
    }

    die "accept: $!\n";
}


# For handlers: the head of a request and what came with it, undef at the end of
# the connection.
sub read_request {
    my ($s) = @_;
    my $text = '';

    while ($text !~ /\r\n\r\n/) {
        sysread($s, $text, 65536, length $text) or return undef;
    }

    return $text;
}


# For handlers: the same with the whole body, if its length is told.
sub read_whole {
    my ($s) = @_;
    my $text = read_request($s);

    return undef unless defined $text;

    my ($head) = $text =~ /^(.*?\r\n\r\n)/s;
    my $length = length $head;
    $length += $1 if $head =~ /^Content-Length: *(\d+)/mi;

    while (length $text < $length) {
        sysread($s, $text, 1 << 20, length $text) or return undef;
    }

    return $text;
}


# For handlers.  What was sent before is read, a reset would take it away.
sub reset_by {
    my ($s) = @_;

    sleep 0.001 while unread($s);

    setsockopt($s, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    close $s;
}


# Takes no more, finishes what came, ends.
sub finish { return $_[0]->_end('TERM') }

# Ends now: what is in flight is reset.
sub stop { return $_[0]->_end('KILL') }


sub _end {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;

    kill $signal, $pid * delete $Running{$pid};
    waitpid $pid, 0;
}


# Closes every idle connection that carried a request, with a reset when $hard.
sub close_idle {
    my ($self, $hard) = @_;

    $self->_write('closed', '');
    kill $hard ? 'USR2' : 'USR1', $self->{pid};

    my $end = time + 60;
    while (time < $end) {
        return 1 if $self->_read('closed') ne '';
        sleep 0.01;
    }

    return 0;
}


# The bytes that came to the other end of a connection over loopback, and that
# who is there has not read.
sub unread {
    my ($fh) = @_;

    return 0 unless $fh->can('sockport');

    my $ends = sprintf ':%04X [0-9A-F]+:%04X', $fh->peerport, $fh->sockport;

    for my $table ('tcp', 'tcp6') {
        open my $in, '<', "/proc/net/$table" or next;

        while (my $line = <$in>) {
            return hex $1 if $line =~ /$ends \S+ [0-9A-F]+:([0-9A-F]+) /;
        }
    }

    return 0;
}


END {
    if ($$ == $Main && %Running) {
        my $status = $?;
        for my $pid (keys %Running) {
            kill 'KILL', $pid * $Running{$pid};
            waitpid $pid, 0;
        }
        $? = $status;
    }
}


package WaGateway::Fake::Lines;

use strict;
use warnings;

use IO::Select;

BEGIN { eval { require Time::HiRes; Time::HiRes->import('time') } }


sub new {
    my ($class, $fh) = @_;

    return bless { fh => $fh, buf => '' }, $class;
}


# The next line without its end; undef at the end of file; "deadline" if
# nothing came in time.

sub line {
    my ($self, $timeout) = @_;

    my $end = time() + ($timeout || 60);
    my $select = IO::Select->new($self->{fh});

    while (1) {
        return $1 if $self->{buf} =~ s/^(.*?)\n//;

        my $left = $end - time();

        return 'deadline' if $left <= 0 || !$select->can_read($left);

        my $n = sysread($self->{fh}, $self->{buf}, 65536,
                        length $self->{buf});

        return undef if !$n;
    }
}


package WaGateway::Fake::Loop;

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use Socket qw(MSG_DONTWAIT MSG_PEEK SOL_SOCKET SO_LINGER);

BEGIN { eval { require Time::HiRes; Time::HiRes->import('time') } }

my ($Fake, $Listen, $Ledger, $Connections, $Quit, $Idle, $Touched);
my ($Mode, $Since) = ('', 0);
my (%C, @Timers);


sub run {
    ($Fake, $Listen, my $parent, my $signals) = @_;

    $SIG{TERM} = sub { $Quit = 1 };
    $SIG{USR1} = sub { $Idle = 'close' };
    $SIG{USR2} = sub { $Idle = 'reset' };
    $SIG{INT} = $SIG{HUP} = $SIG{CHLD} = $SIG{ALRM} = 'DEFAULT';
    $SIG{PIPE} = 'IGNORE';
    POSIX::sigprocmask(POSIX::SIG_SETMASK, $signals);

    open $Ledger, '>>:raw', "$Fake->{dir}/ledger" or die "ledger: $!\n";
    $Ledger->autoflush(1);
    $Listen->blocking(0);
    $Connections = 0;

    while (getppid == $parent) {

        if ($Idle) {
            drop($_, $Idle) for grep { $_->{nth} && idle($_) } values %C;
            undef $Idle;
            $Fake->_write('closed', 'yes');
        }

        last if $Quit && quit();

        turn();
    }

    POSIX::_exit(0);
}


# Who sees the door closed can be sure that what was sent before is taken, and
# that no connection is kept.  True if there is nothing more to do: data may
# still come where nothing was read yet.
sub quit {
    accept_all();

    for my $c (values %C) {
        take($c) if readable($c);
        drop($c, 'close') if $C{$c->{id}} && $c->{nth} && idle($c);
    }

    close $Listen if $Listen;
    undef $Listen;

    return !%C;
}


sub idle {
    my ($c) = @_;
    return !$c->{head} && !length $c->{in} && !length $c->{out};
}


sub readable {
    my ($c) = @_;
    my $r = '';
    vec($r, fileno $c->{fh}, 1) = 1;
    return !$c->{deaf} && select($r, undef, undef, 0) > 0;
}


sub turn {
    my ($r, $w) = ('', '');

    vec($r, fileno $Listen, 1) = 1 if $Listen;

    for my $c (values %C) {
        vec($r, fileno $c->{fh}, 1) = 1 unless $c->{deaf};
        vec($w, fileno $c->{fh}, 1) = 1 if length $c->{out};
    }

    my $wait = 0.5;
    my $now = time;

    for (@Timers) {
        my $left = $_->[0] - $now;
        $wait = $left > 0 ? $left : 0 if $left < $wait;
    }

    my $n = select $r, $w, undef, $wait;

    if ($n > 0) {
        accept_all() if $Listen && vec $r, fileno $Listen, 1;

        # In order: who closes one and opens another was never there twice.
        for my $c (sort { $a->{id} <=> $b->{id} } values %C) {
            my $fd = fileno $c->{fh};
            next unless defined $fd;

            send_out($c) if vec $w, $fd, 1;
            take($c) if $C{$c->{id}} && vec $r, $fd, 1;
        }
    }

    $now = time;
    my @due = grep { $_->[0] <= $now } @Timers;
    @Timers = grep { $_->[0] > $now } @Timers;
    $_->[1]->() for @due;
}


sub later {
    my ($seconds, $code) = @_;
    push @Timers, [time + $seconds, $code];
}


sub accept_all {
    return unless $Listen;

    while (my $fh = $Listen->accept) {
        $fh->blocking(0);
        my $c = { fh => $fh, id => ++$Connections, in => '', out => '',
                  nth => 0 };
        $C{$c->{id}} = $c;
        drop($c, 'reset') if $Fake->_read('mode') eq 'reset_accept';
    }
}


sub drop {
    my ($c, $how) = @_;

    if ($c->{head}) {
        note($c, 0) unless $c->{noted};
        done($c);
    }

    setsockopt $c->{fh}, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0
        if $how eq 'reset';

    close $c->{fh};
    delete $C{$c->{id}};
}


sub take {
    my ($c) = @_;

    if ($Fake->_read('mode') eq 'reset_read') {
        drop($c, 'reset');
        return;
    }

    my $n = sysread $c->{fh}, $c->{in}, 262144, length $c->{in};

    if (!defined $n) {
        return if $! == EAGAIN || $! == EINTR;
        drop($c, 'close');
        return;
    }

    if ($n == 0) {
        drop($c, 'close');
        return;
    }

    $Fake->_write('touched', 'yes') unless $Touched++;

    if ($Fake->_read('mode') eq 'plain') {
        syswrite $c->{fh}, $Fake->_read('answer') || "no HTTP and no TLS\r\n";
        drop($c, 'close');
        return;
    }

    work($c);
}


sub work {
    my ($c) = @_;

    if (!$c->{head}) {
        $c->{in} =~ s/^(.*?\r\n)\r\n//s or return;
        begin($c, $1);
    }

    return if $c->{noted};
    return unless body($c);

    note($c, 1);

    my $delay = $c->{query}{delay} || ($c->{mode} eq 'slow' ? $c->{arg} : 0);

    if ($c->{mode} eq 'held') {
        held($c, time);
    } elsif ($delay) {
        later($delay, sub { answer($c) if $C{$c->{id}} });
    } else {
        answer($c);
    }
}


sub mode {
    my $mode = $Fake->_read('mode');

    if ($mode ne $Mode) {
        ($Mode, $Since) = ($mode, 0);
    }

    return $mode unless $mode =~ s/^each://;

    my @each = split /,/, $mode;
    return $each[$Since < $#each ? $Since++ : -1];
}


sub held {
    my ($c, $since) = @_;

    later(0.01, sub {
        return unless $C{$c->{id}};
        ($Fake->_read('released') || 0) >= $since ? answer($c)
                                                  : held($c, $since);
    });
}


sub begin {
    my ($c, $head) = @_;

    $c->{head} = $head;
    $c->{noted} = 0;
    $c->{nth}++;

    ($c->{method}, $c->{path}) = $head =~ /^(\S+) (\S+)/;
    $c->{left} = $head =~ /^Content-Length: *(\d+)/mi ? $1 : 0;
    $c->{chunked} = $head =~ /^Transfer-Encoding: *chunked/mi ? 'size' : '';
    $c->{length} = 0;
    $c->{md5} = Digest::MD5->new;
    $c->{keep} = $head =~ m{^\S+ \S+ HTTP/1\.1\r\n}
                 && $head !~ /^Connection: *close/mi;

    $c->{query} = {};
    if ($c->{path} =~ /\?(.*)/) {
        for (split /&/, $1) {
            my ($name, $value) = split /=/, $_, 2;
            $c->{query}{$name} = $value;
        }
    }

    ($c->{mode}, $c->{arg}) = split /:/, $c->{query}{fake} || mode(), 2;
}


# True when the whole body is there.
sub body {
    my ($c) = @_;

    while (1) {
        if ($c->{chunked} eq 'size') {
            $c->{in} =~ s/^([0-9a-fA-F]+)[^\r]*\r\n// or return 0;
            $c->{left} = hex $1;
            $c->{chunked} = $c->{left} ? 'data' : 'last';

        } elsif ($c->{chunked} eq 'crlf') {
            $c->{in} =~ s/^\r\n// or return 0;
            $c->{chunked} = 'size';

        } elsif ($c->{chunked} eq 'last') {
            $c->{in} =~ s/^\r\n// or return 0;
            return 1;

        } else {
            my $data = substr $c->{in}, 0, $c->{left}, '';
            $c->{left} -= length $data;
            $c->{length} += length $data;
            $c->{md5}->add($data);

            if ($c->{mode} eq 'reset_body' && $c->{length} >= $c->{arg}) {
                drop($c, 'reset');
                return 0;
            }

            return 0 if $c->{left};
            return 1 unless $c->{chunked};
            $c->{chunked} = 'crlf';
        }
    }
}


sub note {
    my ($c, $whole) = @_;

    $c->{noted} = 1;
    $c->{digest} = $c->{md5}->hexdigest;

    print $Ledger JSON::PP->new->canonical->encode({
        method => $c->{method}, path => $c->{path}, length => $c->{length},
        digest => $c->{digest}, whole => $whole,
        connection => $c->{id}, nth => $c->{nth}, busy => busy($c),
        time => time,
        headers => $c->{head} }), "\n";
}


# The requests of now, but for those whose client has gone already, though a
# fake that was kept waiting has yet to come to that.
sub busy {
    my ($c) = @_;
    my $n = 1;

    for my $other (values %C) {
        next if $other == $c || !$other->{head};

        my $peek = '';
        my $got = recv $other->{fh}, $peek, 1, MSG_PEEK|MSG_DONTWAIT;
        $n++ unless defined $got ? $peek eq '' : $! != EAGAIN;
    }

    return $n;
}


sub done {
    my ($c) = @_;
    $c->{head} = '';
}


sub answer {
    my ($c) = @_;
    my $mode = $c->{mode};

    $c->{keep} = 0 if $Quit;

    return if $mode eq 'hang';
    return drop($c, 'reset') if $mode eq 'reset';
    return drop($c, 'close') if $mode eq 'close';
    return drop($c, 'reset') if $mode eq 'reset_second' && $c->{nth} == 2;
    return reply($c, "\x00\x01 this is no HTTP\r\n\r\n", 'close')
        if $mode eq 'garbage';
    return reply($c, $Fake->_read('answer'), 'close') if $mode eq 'raw';
    return events($c) if $mode eq 'sse';
    return said($c) if $mode eq 'say';
    return text($c, $c->{head}) if $mode eq 'head';
    return text($c, "$c->{length} $c->{digest}") if $mode eq 'digest';

    my $interim = join '', map {
        "HTTP/1.1 $_ Interim\r\nContent-Length: 0\r\nX-Interim: $_\r\n\r\n"
    } split /,/, $c->{query}{interim} || '';

    return reply($c, $interim, 'close') if $mode eq 'interim';

    my $status = $mode eq 'status' ? $c->{arg} : 200;
    my $body = JSON::PP->new->canonical->encode({
        instance => $Fake->{port} || 0, method => $c->{method},
        path => $c->{path}, length => $c->{length} });

    if (my $pad = $c->{query}{pad}) {
        $body =~ s/\}$/',"pad":"' . 'x' x $pad . '"}'/e;
    }

    my $head = "${interim}HTTP/1.1 $status Fake\r\nContent-Type: "
               . ($c->{query}{type} || 'application/json') . "\r\n"
               . ($c->{keep} ? '' : "Connection: close\r\n");

    if ($mode =~ /^chunked/) {
        $head .= "Transfer-Encoding: chunked\r\n\r\n";
        my $all = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                           unpack '(a1000)*', $body;
        return reply($c, $head . substr($all, 0, length($all) / 2), 'close')
            if $mode eq 'chunked_half';
        return reply($c, "$head${all}0\r\n\r\n", $c->{keep} ? '' : 'close');
    }

    if ($mode eq 'close_delimited') {
        $head =~ s/Connection: .*\r\n//;
        return reply($c, "${head}Connection: close\r\n\r\n$body", 'close');
    }

    $head .= 'Content-Length: ' . length($body) . "\r\n\r\n";
    my $half = substr $body, 0, length($body) / 2;

    return reply($c, $head . $half, 'close') if $mode eq 'half';
    return reply($c, $head . $half, 'reset') if $mode eq 'reset_answer';
    return reply($c, substr($head, 0, 30), 'close') if $mode eq 'half_head';

    $body = '' if $c->{method} eq 'HEAD';

    my $after = $c->{keep} ? '' : 'close';
    $after = 'close' if $mode eq 'keep' && $c->{nth} >= $c->{arg};

    reply($c, $head . $body, $after);
}


sub said {
    my ($c) = @_;

    my $say = JSON::PP::decode_json($Fake->_read('say'));
    my $status = $say->{status} || 200;
    my $body = $say->{body};

    if (defined $say->{need} && $c->{head} !~ /$say->{need}/mi) {
        ($status, $body) = (401, '{"error":"unauthorized"}');
    }

    reply($c, "HTTP/1.1 $status Fake\r\nContent-Type: application/json\r\n"
              . join('', map { "$_\r\n" } @{$say->{head} || []})
              . 'Content-Length: ' . length($body) . "\r\n\r\n$body",
          $c->{keep} ? '' : 'close');
}


sub text {
    my ($c, $text) = @_;

    reply($c, "HTTP/1.1 200 Fake\r\nContent-Type: text/plain\r\n"
              . 'Content-Length: ' . length($text) . "\r\n\r\n$text",
          $c->{keep} ? '' : 'close');
}


sub reply {
    my ($c, $bytes, $after) = @_;

    if (my $first = delete $c->{query}{split}) {
        my $rest = substr $bytes, $first, length $bytes, '';
        my $then = $after;
        later(0.02, sub { reply($c, $rest, $then) if $C{$c->{id}} });
        $after = 'more';
    }

    $c->{out} = $bytes;
    $c->{after} = $after;

    send_out($c);
}


sub send_out {
    my ($c) = @_;

    while (length $c->{out}) {
        my $n = syswrite $c->{fh}, $c->{out}, 262144;

        if (!defined $n) {
            return if $! == EAGAIN || $! == EINTR;
            return drop($c, 'close');
        }

        substr $c->{out}, 0, $n, '';
    }

    my $after = $c->{after};
    return if $after eq 'more';

    if ($after eq 'reset') {

        $c->{deaf} = 1;
        return reset_when_read($c);
    }

    done($c);
    return drop($c, 'close') if $after eq 'close';

    work($c) if length $c->{in};
}


# A reset takes away what the other side did not read yet.
sub reset_when_read {
    my ($c) = @_;

    later(0.01, sub {
        return unless $C{$c->{id}};
        return drop($c, 'reset') unless WaGateway::Fake::unread($c->{fh});
        reset_when_read($c);
    });
}


sub events {
    my ($c) = @_;

    reply($c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              . "Cache-Control: no-store\r\nConnection: close\r\n\r\n", 'more');
    event($c, 1);
}


sub event {
    my ($c, $n) = @_;

    later(0.05, sub {
        return unless $C{$c->{id}};
        $c->{out} .= "data: $n\n\n";
        send_out($c);
        event($c, $n + 1) if $C{$c->{id}};
    });
}


1;
