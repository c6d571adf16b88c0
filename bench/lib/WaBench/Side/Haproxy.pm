package WaBench::Side::Haproxy;

# A table of sessions, learnt from answers of 2xx alone; a 404 goes to another
# server.  The session is read from the body, as clients have it.

use strict;
use warnings;

use parent -norequire, 'WaBench::Side', 'WaBench::Peer::Haproxy';

use IO::Socket::INET;
use IO::Socket::UNIX;
use WaBench::Peer::Haproxy;
use WaBench::Side;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);


sub note {
    return 'stick table on the session in the body (json_query), learnt from '
           . '2xx; retry-on conn-failure 404';
}


# At a reload the old process tells the new one its table: if it has looked for
# one to hear from itself, ten seconds long, and has a client left.
sub hot {
    my ($self) = @_;

    poll { ($self->ask('show peers') =~ /^\S+ \S+ id=p .* flags=0x(\w+)/m
            ? hex($1) & 3 : 0) == 3 } 20;

    $self->{open} = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                          PeerPort => $self->port);
    syswrite $self->{open}, "GET /health HTTP/1.1\r\n";
    $self->SUPER::hot;
}


sub settled {
    my ($self, $n) = @_;

    my $told = poll { $self->ask('show table b') =~ /used:(\d+)/
                      && $1 >= $n } 10;
    close delete $self->{open};

    return $told;
}


sub ask {
    my ($self, $what) = @_;
    my $s = IO::Socket::UNIX->new(Peer => "$self->{dir}/stats") or return '';

    print $s "$what\n";
    return join '', <$s>;
}


sub session { return "req.body,json_query('\$.session')" }


# So that the table is there after a reload.
sub sections {
    my ($self) = @_;

    $self->{peer_port} ||= WaGateway::Fake::free_port();

    return "peers p\n    peer here 127.0.0.1:$self->{peer_port}\n\n";
}


sub command { return ($_[0]->SUPER::command, '-L', 'here') }


sub choice {
    my ($self) = @_;

    return <<"END";
    option http-buffer-request
    http-request set-var(txn.session) @{[$self->session]}
    stick-table type string len 128 size 200k expire 1h peers p
    stick match var(txn.session)
    stick store-response var(txn.session) if { status 200:299 }
    retry-on conn-failure 404
END
}


1;
