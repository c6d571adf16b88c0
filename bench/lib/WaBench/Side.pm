package WaBench::Side;

# What a gateway of the comparison has besides when it stands in front of
# pretended WAHA servers: how its clients name a session, and how they are
# asked whether it is there.  A class of it goes before the one of the peer.

use strict;
use warnings;

use JSON::PP;
use Time::HiRes qw(time);
use WaGateway::Nginx qw(http poll send_request);

our $Key = 'secret';
our $To = '966500000000';

my $Json = JSON::PP->new->canonical;


# Whether the gateway itself is there; what it knows is another thing.
sub answers {
    my ($self, $seconds) = @_;

    return poll { http($self->port, 'GET', '/health')->{status} == 200 }
                $seconds;
}


# The kind of request that bench/post.lua makes for it.
sub what { return 'native' }

# Whether it tells sessions where to be.
sub places { return 0 }

# Once it knows that a session is on so many servers, if it knows of such.
sub aware { return 1 }

# After a reload, with so many sessions learnt.
sub settled { return 1 }

# What is said of it beside the figures.
sub note { return '' }

sub target { return '/api/sendText' }


sub members {
    my ($self, $session, $text) = @_;
    return { session => $session, chatId => "$To\@c.us", text => $text };
}


# The same for all: what one of them cannot see is there for another.
sub request {
    my ($self, $session, $text, %o) = @_;
    my @headers = ('Content-Type: application/json', "X-Api-Key: $Key",
                   "X-WA-Session: $session",
                   defined $o{key} ? "Idempotency-Key: $o{key}" : ());

    return ('POST', $self->target($session), headers => \@headers,
            body => $Json->encode($self->members($session, $text)));
}


# Gives { status, headers, body }; status 0: no answer.
sub send_one {
    my ($self, @args) = @_;
    return http($self->port, $self->request(@args), timeout => 30);
}


# Its socket; the answer is read by read_answer().
sub begin_one {
    my ($self, @args) = @_;
    return send_request($self->port, $self->request(@args));
}


sub done { return $_[1]{status} =~ /^2/ }


1;
