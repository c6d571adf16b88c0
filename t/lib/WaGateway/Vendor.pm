package WaGateway::Vendor;

# Pretended WhatsApp servers of a vendor, with sessions, that answer as the
# real one does and refuse what it refuses.  A process with one select loop
# serves many of them.
#
#   my $fake = WaGateway::Vendor->new('waha', key => 'secret', sessions => [
#       { name => 'main', number => '966500000001', state => 'ready' } ]);
#   my @many = WaGateway::Vendor->farm(500, 'wwebjs', sessions => 20);
#
# A session is ready, starting, login (wants a QR code), down, stopped, or
# elsewhere (in the database, run by another server), or has vendorState, a
# state in the vendor's own words, besides; what else it can have is told by
# its vendor's file.  With a number for "sessions", that many are ready.
#
# Options: key, address (127.0.0.1), port, item (least bytes of an item in a
# list), ask_delay (seconds until a question for a state is answered), chunked
# (answers have no Content-Length; those to sends, in chunks of 7 bytes: bytes,
# each in a packet of its own; cut, without the last chunk; trailing, with more
# behind it), strangers (numbers that are not on WhatsApp), and those of the
# vendor.
#
# What a request is about is its kind: list, ask (the state of a session),
# number, token, send, check, login, danger, other.  Requests of a kind can be
# answered in another way, see misbehave():
#
#   cut           half of the answer's body, then the connection is closed
#   short         half of the body with a length that fits: no JSON
#   drip:SECONDS  the answer, in pieces over that time
#   slow:SECONDS  the answer, later
#   unproved      the vendor's answer to a send that says less than it seems to
#   garbage       no HTTP
#   html          200 and a page
#   deep          200 and JSON that is 100,000 arrays deep
#   empty         200 and nothing
#   body:TEXT     200 and that
#   status:CODE   an error of that status
#   hang          nothing is said
#   close, reset  the connection ends
#
# From "garbage" on the request is not served and changes nothing; with
# "after:" before, it is, and only then answered so.
#
# What is sent can go wrong as well, for all by set(send => MODE), for a session
# by session(NAME, send => MODE), or for a recipient by set(sends => { DIGITS =>
# MODE }).  Before it is sent, as far as the vendor has it, see its faults():
#
#   not_connected, unknown (the session), bad_key, throttled, not_on_whatsapp,
#   bad_body, licence
#
# or after it was:
#
#   no_id         a success that does not tell the message's id
#   send_failure, empty, 500_success, unconfirmed
#                 as the vendor says it, see faults()
#   stack         an error with a stack and the request's body in it
#   gone_on       an error of the vendor's for what may be sent still
#   big           2 MB of answer with the id at the end
#   timeout       nothing is said
#   reset         the connection ends
#   slow:SECONDS  the answer, later
#   hold          the answer, as soon as release() is called
#
# A native request of a session that wants a WebSocket, or events (by Accept),
# gets one that stays open: say() sends to those of a session, and a WebSocket
# sends back what it hears, after the session's name and a blank.
#
# A command has taken effect when its method returns, and a request is in the
# ledger before a byte of its answer is sent.

use strict;
use warnings;

use Carp qw(croak);
use Compress::Zlib qw(compress crc32);
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_base64);
use Errno ();
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP ();
use List::Util qw(min);
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Socket qw(SOMAXCONN);
use Storable qw(nfreeze thaw);
use Time::HiRes qw(time);
use WaGateway::Fake;
use WaGateway::Vendor::Map;

our $True = JSON::PP::true;
our $False = JSON::PP::false;

# All text is bytes, in UTF-8.
my $Json = JSON::PP->new->latin1->canonical->allow_nonref;

# Members that base64 is in.
my $Media = 'data|media|base64|image|video|audio|document';

my $Main = $$;
my $Each = 125;
my $Ids = 0;
my (%Running, %Control);


sub new {
    my ($class, $vendor, %o) = @_;

    my $self = make($vendor, %o);
    spawn($self);
    $self->start;

    return $self;
}


# N of them, each on an address of its own.
sub farm {
    my ($class, $n, $vendor, %o) = @_;

    my $sessions = delete $o{sessions} || 0;
    my $port = WaGateway::Fake::free_port();

    my @many = map {
        my $i = $_;
        make($vendor, %o, port => $port,
             address => sprintf('127.0.%d.%d', 16 + $i / 200, 1 + $i % 200),
             sessions => ref $sessions eq 'CODE' ? $sessions->($i)
                                                 : some($sessions, $i));
    } 0 .. $n - 1;

    for (my $i = 0; $i < $n; $i += $Each) {
        spawn(@many[$i .. min($i + $Each, $n) - 1]);
    }

    $_->start for @many;

    return @many;
}


# Sessions that are ready; those of different instances differ.
sub some {
    my ($n, $instance) = @_;

    return [map { { name => "s$instance-$_",
                    number => sprintf '9665%04d%05d', $instance, $_ } }
            1 .. $n];
}


sub make {
    my ($vendor, %o) = @_;

    my $class = 'WaGateway::Vendor::' . join '', map { ucfirst }
                                                 split /-/, $vendor;
    eval "require $class; 1" or die $@;

    my $self = bless { address => '127.0.0.1', %o, vendor => $vendor,
                       id => ++$Ids }, $class;

    $self->{port} ||= WaGateway::Fake::free_port();
    $self->{sessions} = some($self->{sessions} || 0, $self->{id})
        unless ref $self->{sessions};

    return $self;
}


sub spawn {
    my (@fakes) = @_;

    my $dir = tempdir('wa-vendor-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $listen = IO::Socket::UNIX->new(Local => "$dir/control",
                                       Listen => SOMAXCONN)
        or die "$dir/control: $!\n";

    my $parent = $$;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        eval {
            require WaGateway::Vendor::Loop;
            $_->serve for @fakes;
            WaGateway::Vendor::Loop::run($listen, $parent, @fakes);
            1;
        } or print STDERR "fake: $@";
        POSIX::_exit(1);
    }

    $Running{$pid} = 1;
    close $listen;

    for (@fakes) {
        $_->{control} = "$dir/control";
        delete $_->{sessions};
    }
}


END {
    if ($$ == $Main && %Running) {
        my $status = $?;
        kill 'KILL', keys %Running;
        waitpid $_, 0 for keys %Running;
        $? = $status;
    }
}


sub port { return $_[0]{port} }
sub name { return "$_[0]{address}:$_[0]{port}" }
sub url { return 'http://' . $_[0]->name }
sub key { return $_[0]{key} }


# Changes or adds one.
sub session {
    my ($self, $name, %o) = @_;
    return $self->command('put', $name, %o);
}


sub remove {
    my ($self, $name) = @_;
    return $self->command('drop', $name);
}


# These are all there are.
sub sessions {
    my ($self, $sessions) = @_;

    $sessions = some($sessions, $self->{id}) unless ref $sessions;
    return $self->command('fill', $sessions);
}


# A session's own token, where it has one.
sub token {
    my ($self, $name) = @_;
    return $self->command('token_of', $name);
}


# What can be known of its sessions by asking it, in the gateway's words:
# hashes of session, number (undef when it does not tell), state, vendorState,
# and elsewhere when it is another server's.
sub truth {
    my ($self) = @_;
    return @{$self->command('truth')};
}


# The requests seen, in order, all or those whose path matches: method, path,
# headers (the head as it came), length, digest (MD5), body (up to 64 KB),
# kind, time, status (0: not answered yet), answered (when), answer (its body,
# up to 64 KB), connection, nth of its connection, sent (what was sent, each:
# id, session, number, to, text or media).
sub ledger {
    my ($self, $path) = @_;
    return @{$self->command('ledger', defined $path ? "$path" : ())};
}


# Those that a test has marked by a header X-Case: case, method, target,
# session (the one it was taken for, undef: none), sent (how many messages),
# head, body, kind.
sub requests {
    my ($self) = @_;
    return @{$self->command('requests')};
}


# Cheap: how many of a kind, or all.
sub count {
    my ($self, $kind) = @_;
    return $self->command('count', $kind);
}


# The messages that it has sent.
sub sent {
    my ($self) = @_;
    return @{$self->command('sent')};
}


sub forget { return $_[0]->command('forget') }


sub misbehave {
    my ($self, $kind, $mode) = @_;
    return $self->command('misbehave', $kind, $mode);
}


# To all streams of a session; returns how many there are.
sub say {
    my ($self, $session, $text) = @_;
    return $self->command('say', $session, $text);
}


# Lets go the answers of sends that are held; returns how many there were.
sub release { return $_[0]->command('release') }

# How many are held.
sub held { return $_[0]->command('held') }


# Changes options.
sub set {
    my ($self, %o) = @_;
    return $self->command('set', %o);
}


sub start { return $_[0]->command('listen') }

# What is in flight is reset.
sub stop { return $_[0]->command('deafen') }


# The most questions for a state that were in flight at once, at one fake or at
# all of those given.
sub asked_at_once {
    my @fakes = ref $_[0] ? @_ : @_[1 .. $#_];

    my @edges = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] }
                map { [$_->[0], 1], [$_->[1], -1] }
                map { @{$_->command('asks')} } @fakes;

    my ($now, $most) = (0, 0);

    for (@edges) {
        $now += $_->[1];
        $most = $now if $now > $most;
    }

    return $most;
}


sub command {
    my ($self, $name, @args) = @_;

    my $s = $Control{$$}{$self->{control}}
        ||= IO::Socket::UNIX->new(Peer => $self->{control})
        || croak "fake: $!";

    my $text = nfreeze([$self->{id}, $name, @args]);
    local $SIG{PIPE} = 'IGNORE';

    put_all($s, pack('N', length $text) . $text);
    my $reply = thaw(get_all($s, unpack 'N', get_all($s, 4)));

    croak "fake: $reply->[1]" unless $reply->[0];
    return $reply->[1];
}


sub put_all {
    my ($s, $text) = @_;

    while (length $text) {
        my $n = syswrite $s, $text;
        next if !defined $n && $!{EINTR};
        croak "fake: $!" unless defined $n;
        substr $text, 0, $n, '';
    }
}


sub get_all {
    my ($s, $n) = @_;
    my $text = '';

    while (length $text < $n) {
        my $got = sysread $s, $text, $n - length $text, length $text;
        next if !defined $got && $!{EINTR};
        croak 'fake: it has ended' unless $got;
    }

    return $text;
}


# What follows is of the process that serves.

sub serve {
    my ($self) = @_;

    $self->{ledger} = [];
    $self->{misbehaves} = {};
    $self->{messages} = 0;
    $self->do_fill($self->{sessions});
}


# A vendor's file has: states, routes, refuse, not_found, item, list.

# A session's state in the vendor's words and in the gateway's.
sub states { die 'no states' }

# [method, path, kind, code] in the order they are tried; code is given the
# request and what the path's brackets matched, and returns an answer:
# [status, text or data, headers], or [] for none.
sub routes { die 'no routes' }

# The answer to who has no right to a request, or nothing.
sub refuse { return }

sub not_found { die 'no not_found' }

# An item of the list, as text.
sub item { die 'no item' }

# Whether the list has a session.
sub listed { return 1 }

# The list's text, from its items.
sub list { die 'no list' }

# How the server reads paths, see WaGateway::Vendor::Map, and all its routes
# with the places where they name a session.
sub framework { return 'express' }

sub map { return '' }

# The session that a request is for, of a route that names it in this place.
sub place {
    my ($self, $q, $place, $name) = @_;

    return $name if $place eq 'path';
    return $self->queried($q)->{$1} if $place =~ /^query=(.+)/;

    my $body = $place =~ /^body=/ && eval { $self->members($q) } || {};
    return $place =~ /^body=(.+)/ ? $body->{$1} : undef;
}


sub queried {
    my ($self, $q) = @_;
    return WaGateway::Vendor::Map::qs(($q->{target} =~ /\?(.*)/s)[0]);
}


# A route of the map that nothing else answers.
sub native {
    my ($self, $q, $route, $name) = @_;
    my $s = defined $name ? $self->{s}{$name} : undef;

    return [404, { error => 'no such session' }]
        if defined $name && !$s;
    return [101, undef, handshake($q)]
        if $s && lc($q->{header}{upgrade} || '') eq 'websocket';
    return [200, undef, { 'Content-Type' => 'text/event-stream' }]
        if $s && ($q->{header}{accept} || '') eq 'text/event-stream';
    return [200, { ok => $True, path => $q->{target} }]
        if $route->{kind} ne 'send';
    return [404, { error => 'the session cannot send' }]
        unless $s && $s->{state} eq 'ready';

    return [200, { id => $self->send_out($q, $s, native => $q->{path}) }];
}


# RFC 6455, 4.2.2
sub handshake {
    my ($q) = @_;
    my $key = $q->{header}{'sec-websocket-key'} || '';

    return { Upgrade => 'websocket', Connection => 'Upgrade',
             'Sec-WebSocket-Accept' => sha1_base64("${key}258EAFA5-E914-47DA-"
                                                   . '95CA-C5AB0DC85B11') . '='
    };
}


sub bad_json { return [400, { error => 'bad JSON' }] }

# What "unproved" makes of a send's answer.
sub unproved { return $_[1] }

# A session as it is known by the gateway.
sub label { return $_[1]{name} }

sub number_told { return $_[1]{state} eq 'ready' }


sub do_fill {
    my ($self, $sessions) = @_;

    $self->{s} = {};
    $self->{order} = [];
    $self->put($_->{name}, %$_) for @$sessions;
    $self->changed;
}


sub do_put {
    my ($self, $name, %o) = @_;

    $self->put($name, %o);
    $self->changed;
}


sub put {
    my ($self, $name, %o) = @_;

    if (!$self->{s}{$name}) {
        $self->{s}{$name} = { name => $name, state => 'ready',
                              nth => ++$self->{made} };
        push @{$self->{order}}, $name;
    }

    my $s = $self->{s}{$name};
    die "no state: $o{state}\n"
        if defined $o{state} && !$self->states->{$o{state}};

    @$s{keys %o} = values %o;
    delete $s->{vendorState} unless exists $o{vendorState};
    delete @$s{qw(item told)};

    return $s;
}


sub do_drop {
    my ($self, $name) = @_;

    delete $self->{s}{$name} or return;
    $self->{order} = [grep { $_ ne $name } @{$self->{order}}];
    $self->changed;
}


# For the dangerous routes.
sub turns {
    my ($self, $s, $state) = @_;
    $self->do_put($s->{name}, state => $state);
}


sub changed {
    my ($self) = @_;

    delete @$self{qw(list index)};
    WaGateway::Vendor::Loop::look_again($self);
}


sub all {
    my ($self) = @_;
    my @all = @{$self->{s}}{@{$self->{order}}};

    return @all;
}


# What it says of a session's state; no answer may have undef.
sub state_of {
    my ($self, $s) = @_;

    return exists $s->{vendorState} ? $s->{vendorState}
                                    : $self->states->{$s->{state}}[0];
}


sub do_truth {
    my ($self) = @_;
    my @truth;

    for my $s ($self->all) {
        my $state = exists $s->{vendorState} ? $s->{state}
                    : $self->states->{$s->{state}}[1];

        next if !defined $state || !$self->listed($s);

        push @truth, {
            session => $self->label($s),
            number => $self->number_told($s) ? $s->{number} : undef,
            state => $state, vendorState => $self->state_of($s),
            $s->{state} eq 'elsewhere' ? (elsewhere => 1) : () };
    }

    return \@truth;
}


sub do_ledger {
    my ($self, $path) = @_;

    return $self->{ledger} unless defined $path;
    return [grep { $_->{path} =~ /$path/ } @{$self->{ledger}}];
}


sub do_requests {
    my ($self) = @_;

    return [map {
        { case => $_->{headers} =~ /^X-Case: *(.*?)\r$/mi ? $1 : '',
          method => $_->{method}, target => $_->{path},
          session => $_->{session}, sent => scalar @{$_->{sent} || []},
          head => $_->{headers}, body => $_->{body}, kind => $_->{kind} }
    } grep { $_->{headers} =~ /^X-Case:/mi } @{$self->{ledger}}];
}


sub do_count {
    my ($self, $kind) = @_;

    return scalar @{$self->{ledger}} unless defined $kind;
    return scalar grep { $_->{kind} eq $kind } @{$self->{ledger}};
}


sub do_sent {
    my ($self) = @_;
    return [map { @{$_->{sent} || []} } @{$self->{ledger}}];
}


sub do_forget {
    my ($self) = @_;
    $self->{ledger} = [];
}


sub do_misbehave {
    my ($self, $kind, $mode) = @_;
    $self->{misbehaves}{$kind} = $mode;
}


sub do_say { return WaGateway::Vendor::Loop::say(@_) }


sub do_held { return scalar @{$_[0]{held} || []} }


sub do_release {
    my ($self) = @_;

    my @held = @{delete $self->{held} || []};
    $_->() for @held;

    return scalar @held;
}


sub do_token_of {
    my ($self, $name) = @_;
    return $self->token_of($self->{s}{$name} || die "no session: $name\n");
}


# By what the method says of each; kept until something changes.
sub index_of {
    my ($self, $method) = @_;
    my $index = $self->{index}{$method} ||= {};

    if (!%$index) {
        push @{$index->{$self->$method($_)}}, $_ for $self->all;
    }

    return $index;
}


sub do_set {
    my ($self, %o) = @_;

    @$self{keys %o} = values %o;
    delete $_->{item} for $self->all;
    $self->changed;
}


sub do_asks {
    my ($self) = @_;
    my $now = time;

    return [map { [$_->{time}, $_->{answered} || $now] }
            grep { $_->{kind} eq 'ask' } @{$self->{ledger}}];
}


# The bytes of the list, kept until something changes.
sub list_text {
    my ($self) = @_;

    return $self->{list} if defined $self->{list};
    return $self->{list} = $self->list(map { $self->item_text($_) }
                                       grep { $self->listed($_) } $self->all);
}


sub item_text {
    my ($self, $s) = @_;

    return $s->{item} if defined $s->{item};
    return $s->{item} = $self->item($s);
}


# Replaces NAME@ in a template by its value as JSON.
sub fill_in {
    my ($template, %value) = @_;

    $template =~ s/\b([a-z_]+)@/exists $value{$1} ? text($value{$1})
                                                  : die "no value: $1"/ge;

    return $template;
}


# A value as JSON, quick for what is plain; a reference to text is JSON.
sub text {
    my ($value) = @_;

    return 'null' unless defined $value;
    return $$value if ref $value eq 'SCALAR';
    return $Json->encode($value)
        if ref $value || $value !~ /^[A-Za-z0-9\@_:.\/ +-]*\z/;
    return qq("$value");
}


# What an item lacks to "item" bytes, to be put into a string of it.
sub padding {
    my ($self, $length) = @_;

    my $pad = ($self->{item} || 0) - $length;
    return $pad > 0 ? 'x' x $pad : '';
}


# Of the session it is for; the same for ever.
sub secret {
    my ($self, $s, $what) = @_;
    return uc md5_hex("$what $self->{vendor} $s->{name}");
}


# What stands for a QR code: an image of one session, new each time.
sub png {
    my ($self, $s) = @_;
    my $bits = unpack 'B*', pack 'H*', $self->secret($s, 'qr' . ++$s->{codes})
                                       x 8;
    my @rows = map { (substr($bits, $_ * 32, 32) =~ s/(.)/$1 x 4/ger) x 4 }
               0 .. 31;

    return "\x89PNG\r\n\x1a\n"
           . join '', map { pack('N', length $_->[1]) . $_->[0] . $_->[1]
                            . pack 'N', crc32($_->[0] . $_->[1]) }
             ['IHDR', pack 'NNCCCCC', 128, 128, 1, 0, 0, 0, 0],
             ['IDAT', compress(join '', map { "\0" . pack 'B*', $_ } @rows)],
             ['IEND', ''];
}


sub png_url {
    my ($self, $s) = @_;
    return 'data:image/png;base64,' . encode_base64($self->png($s), '');
}


sub message_id {
    my ($self) = @_;
    return sprintf '3EB0%s%04X', uc substr(md5_hex("$self->{id} $$"), 0, 12),
                   ++$self->{messages};
}


# The answers to sends that go wrong, by their mode.
sub faults { return {} }

# Those of a message that is sent all the same.
my %After = map { $_ => 1 } qw(no_id send_failure empty 500_success
                               unconfirmed stack
                               gone_on big timeout reset slow hold);


# What goes wrong with a message to this recipient, or nothing.
sub fault {
    my ($self, $s, $to) = @_;
    my ($digits) = defined $to && $to =~ /^\+?([\d-]+)/ ? $1 : '';

    for ($self->{sends}{$digits}, $s->{send}, $self->{send}) {
        return $_ if defined && $_ ne '';
    }

    return '';
}


# The mode and the answer to a message that was sent.
sub gone_wrong {
    my ($self, $fault, $answer, $q) = @_;
    my ($mode) = $fault =~ /^(\w+)/;

    return ('hang', []) if $mode eq 'timeout';
    return ($fault, $answer) if $mode =~ /^(?:reset|slow|hold)$/;

    if ($mode eq 'big') {
        my $text = text($answer->[1]);

        $text =~ s/^\{/{"aa":"${\('x' x (2 << 20))}",/ or die "no object\n";
        return ('', [$answer->[0], $text, $answer->[2]]);
    }

    if ($mode eq 'stack') {
        return ('', [500, { message => 'Cannot read properties of undefined',
            stack => "Error: x\n    at Server.send (/app/dist/server.js:1:2)",
            version => '1.0', request => { body => $q->{body} } }]);
    }

    my $wrong = $self->faults->{$mode} || die "no fault: $fault\n";
    return ('', $wrong->($self, $q, $answer));
}


# Notes that a message was sent: to, text or media, id; returns the id.
sub send_out {
    my ($self, $request, $s, %o) = @_;

    my $fault = $self->fault($s, $o{to});
    my ($mode) = $fault =~ /^(\w*)/;

    if ($After{$mode}) {
        $request->{fault} = $fault;
        $request->{sender} = $s;

    } elsif ($mode ne '') {
        my $wrong = $self->faults->{$mode} || die "no fault: $fault\n";
        die $wrong->($self, $request, $s, $o{to});
    }

    $o{id} = $self->message_id unless defined $o{id} && $o{id} ne '';
    push @{$request->{entry}{sent}}, { session => $s->{name},
                                       number => $s->{number}, %o };

    return $o{id};
}


sub stranger {
    my ($self, $to) = @_;
    my ($digits) = $to =~ /^\+?(\d+)/ or return 0;

    return scalar grep { $_ eq $digits } @{$self->{strangers} || []};
}


# The body's members; dies with the vendor's answer if it is no JSON object.
# Long base64 is taken out before, { length, digest, before } is left in its
# place; what is before it is a URL's "data:...,".
sub members {
    my ($self, $request) = @_;
    my $type = $request->{header}{'content-type'} || '';

    return fields($request->{body})
        if $type =~ m{^application/x-www-form-urlencoded}i;

    return parts($request->{body}, $1)
        if $type =~ m{^multipart/form-data.*boundary="?([^";]+)}i;

    return {} unless $type =~ m{^application/json}i && $request->{length};

    my $text = $request->{body};
    $text =~ s{("(?:$Media)"\s*:\s*)"(data:[^",]{0,200},)?
               ([A-Za-z0-9+/=\\]{4096,})"}
              {sprintf '%s{"length":%d,"digest":"%s","before":"%s"}', $1,
                       length $3, md5_hex($3), defined $2 ? $2 : ''}gexi;

    my $body = eval { JSON::PP::decode_json($text) };
    die $self->bad_json($request) unless ref $body eq 'HASH';

    return bytes($body);
}


sub bytes {
    my ($value) = @_;

    if (ref $value eq 'HASH') {
        bytes($_) for values %$value;
    } elsif (ref $value eq 'ARRAY') {
        bytes($_) for @$value;
    } elsif (defined $value && !ref $value) {
        utf8::encode($_[0]);
    }

    return $value;
}


sub fields {
    my ($text) = @_;
    my %field;

    for (grep { length } split /&/, $text) {
        my ($name, $value) = map { decoded(tr/+/ /r) } split /=/, $_, 2;
        $value = '' unless defined $value;
        $field{$name} = $value unless exists $field{$name};
    }

    return \%field;
}


sub parts {
    my ($text, $boundary) = @_;
    my %field;

    my $mark = qr/--\Q$boundary\E/;

    while ($text =~ /$mark\r\n(.*?)\r\n\r\n(.*?)(?=\r\n$mark)/gs) {
        my ($head, $data) = ($1, $2);
        my ($name) = $head =~ /\bname="([^"]*)"/ or next;
        my ($file) = $head =~ /\bfilename="([^"]*)"/;

        $field{$name} = defined $file
            ? { filename => $file, length => length $data,
                digest => md5_hex($data) } : $data;
    }

    return \%field;
}


sub decoded {
    my ($text) = @_;

    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}


# What a media was: a link, or the length and digest of what came.
sub media {
    my ($value) = @_;

    return $value if ref $value;
    return { link => $value } if $value =~ m{^https?://};

    my $before = $value =~ s/^(data:[^,]{0,200},)// ? $1 : '';
    return { length => length $value, digest => md5_hex($value),
             before => $before };
}


1;
