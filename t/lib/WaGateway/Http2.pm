package WaGateway::Http2;

# A client of HTTP/2 that can do what curl does not: leave one request of a
# connection and stay for the others.  Without TLS, by prior knowledge; its
# headers are literals, RFC 7541, 6.2.2; answers are told by their bodies.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use WaGateway::Nginx;

my ($Data, $Headers, $Reset, $Settings, $Ping, $Goaway) = (0, 1, 3, 4, 6, 7);
my ($End, $Last) = (1, 4);   # of a stream, of headers


sub new {
    my ($class, $port) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!\n";
    my $self = bless { s => $s, next => 1, in => '', streams => {} }, $class;

    WaGateway::Nginx::put($s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    $self->frame($Settings, 0, 0, '');

    return $self;
}


sub frame {
    my ($self, $type, $flags, $stream, $payload) = @_;

    WaGateway::Nginx::put($self->{s}, substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload);
}


# Returns the number of the stream.
sub post {
    my ($self, $path, $body) = @_;
    my $id = $self->{next};
    my @headers = (':method' => 'POST', ':scheme' => 'http', ':path' => $path,
                   ':authority' => 'gateway.test',
                   'content-type' => 'application/json',
                   'content-length' => length $body);
    my $block = '';

    while (my ($name, $value) = splice @headers, 0, 2) {
        $block .= pack 'C C/a C/a', 0, $name, $value;
    }

    $self->{next} += 2;
    $self->{streams}{$id} = { body => '' };
    $self->frame($Headers, $Last, $id, $block);
    $self->frame($Data, $End, $id, $body);

    return $id;
}


# The client leaves that request.
sub leave {
    my ($self, $id) = @_;
    $self->frame($Reset, 0, $id, pack 'N', 8);
}


sub close { close $_[0]{s} }


# The body of an answer; undef if there is none, as the connection or the
# stream ends.
sub answer {
    my ($self, $id) = @_;
    my $stream = $self->{streams}{$id};

    while (!$stream->{ended}) {
        $self->read or return;
    }

    return $stream->{reset} ? undef : $stream->{body};
}


# Reads a frame; 0 at the end, and after a minute of nothing.
sub read {
    my ($self) = @_;

    until (length $self->{in} >= 9
           && length $self->{in} >= 9 + unpack('N', "\0$self->{in}"))
    {
        IO::Select->new($self->{s})->can_read(60) or return 0;
        sysread $self->{s}, $self->{in}, 65536, length $self->{in}
            or return 0;
    }

    my $length = unpack 'N', "\0$self->{in}";
    my ($type, $flags, $id) = unpack 'x3 C C N', $self->{in};
    my $payload = substr $self->{in}, 9, $length;
    my $stream = $self->{streams}{$id} || {};

    substr $self->{in}, 0, 9 + $length, '';

    $self->frame($Settings, 1, 0, '') if $type == $Settings && !($flags & 1);
    $self->frame($Ping, 1, 0, $payload) if $type == $Ping && !($flags & 1);
    $self->{goaway} = 1 if $type == $Goaway;
    $stream->{body} .= $payload if $type == $Data;
    $stream->{ended} = 1 if ($type == $Data || $type == $Headers)
                            && $flags & $End;
    $stream->{ended} = $stream->{reset} = 1 if $type == $Reset;

    return 1;
}


1;
