package WaGateway::Dns;

# A name server on 127.0.0.1 that changes its mind: it reads what it answers
# from a file, each time, and writes down what it was asked.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Socket qw(inet_pton AF_INET AF_INET6);
use WaGateway::Nginx qw(poll slurp);

my $Main = $$;
my %Running;
my %Type = (1 => 'A', 28 => 'AAAA');


# What each name is: { a => [addresses], aaaa => [addresses], ttl => 1,
# cname => name, alone => 1 (the alias without its addresses), rcode => 2,
# silent => 1, truncated => 1, garbage => bytes }.  A name that is not there is
# NXDOMAIN.  { '' => {...} } is for all of them.
sub new {
    my ($class, %names) = @_;

    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       Proto => 'udp') or die "udp: $!\n";
    my $self = bless { dir => tempdir('wa-dns-XXXXXX', TMPDIR => 1,
                                      CLEANUP => 1),
                       port => $socket->sockport }, $class;

    $self->set(%names);

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        $SIG{TERM} = 'DEFAULT';
        $self->serve($socket);
        POSIX::_exit(0);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    return $self;
}


sub port { return $_[0]{port} }


sub address { return "127.0.0.1:$_[0]{port}" }


# All names are these from now on; by the time it returns no answer is of
# before.
sub set {
    my ($self, %names) = @_;

    $self->{names} = \%names;

    open my $fh, '>:raw', "$self->{dir}/new" or die "$!\n";
    print $fh encode_json(\%names);
    close $fh or die "$!\n";
    rename "$self->{dir}/new", "$self->{dir}/names" or die "$!\n";

    return $self;
}


sub change {
    my ($self, %names) = @_;
    return $self->set(%{$self->{names}}, %names);
}


# What was asked, "A name" each.
sub asked {
    my ($self, $what) = @_;
    return grep { !defined $what || /$what/ }
           split /\n/, slurp("$self->{dir}/asked");
}


# Waits until it was asked once more from now on.
sub wait_for {
    my ($self, $what, $n) = @_;
    my $before = $self->asked($what);
    return poll { $self->asked($what) >= $before + ($n || 1) };
}


sub serve {
    my ($self, $socket) = @_;

    open my $asked, '>>:raw', "$self->{dir}/asked" or POSIX::_exit(1);
    $asked->autoflush(1);

    while (1) {
        my $from = $socket->recv(my $query, 4096) // next;
        my ($id, $name, $type, $question) = question($query) or next;
        my $names = decode_json(slurp("$self->{dir}/names"));

        my $answer = answer($names, $id, $name, $type, $question);
        $socket->send($answer, 0, $from) if defined $answer;

        print $asked "$type $name\n";
    }
}


sub question {
    my ($query) = @_;

    my $id = unpack 'n', $query;
    my ($at, @labels) = (12);

    while (my $len = unpack 'C', substr $query, $at, 1) {
        push @labels, substr $query, $at + 1, $len;
        $at += 1 + $len;
    }

    my $type = unpack 'n', substr $query, $at + 1, 2;

    return ($id, join('.', @labels), $Type{$type} || $type,
            substr $query, 12, $at + 5 - 12);
}


sub answer {
    my ($names, $id, $name, $type, $question) = @_;

    my $is = $names->{''} || $names->{$name};

    return header($id, 0x8183, 0) . $question if !$is;
    return if $is->{silent};
    return $is->{garbage} if defined $is->{garbage};
    return header($id, 0x8380, 0) . $question if $is->{truncated};
    return header($id, 0x8180 | $is->{rcode}, 0) . $question if $is->{rcode};

    my @records;
    my $owner = "\xc0\x0c";

    while (defined $is->{cname}) {
        push @records, record($owner, 5, $is->{ttl}, name($is->{cname}));
        $owner = name($is->{cname});
        $is = $is->{alone} ? {} : $names->{$is->{cname}} || {};
    }

    push @records, map { record($owner, 1, $is->{ttl},
                                inet_pton(AF_INET, $_)) } @{$is->{a} || []}
        if $type eq 'A';
    push @records, map { record($owner, 28, $is->{ttl},
                                inet_pton(AF_INET6, $_)) } @{$is->{aaaa} || []}
        if $type eq 'AAAA';

    return join '', header($id, 0x8180, scalar @records), $question, @records;
}


sub header {
    my ($id, $flags, $answers) = @_;
    return pack 'n6', $id, $flags, 1, $answers, 0, 0;
}


sub record {
    my ($owner, $type, $ttl, $data) = @_;
    return $owner . pack('nnNn', $type, 1, defined $ttl ? $ttl : 1,
                         length $data) . $data;
}


sub name {
    my ($name) = @_;
    return join('', map { chr(length) . $_ } split /\./, $name) . "\0";
}


sub stop {
    my ($self) = @_;

    return if !delete $Running{$self->{pid}};
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
}


END {
    if ($$ == $Main) {
        my $status = $?;
        kill TERM => $_ for keys %Running;
        waitpid $_, 0 for keys %Running;
        $? = $status;
    }
}


1;
