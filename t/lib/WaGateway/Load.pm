package WaGateway::Load;

# Clients that send one message after another, each with a path of its own,
# and remember what came of it.

use strict;
use warnings;

use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(sleep);
use WaGateway::Nginx qw(http poll);

my $Main = $$;
my $Run = 0;


# Options: clients, pause (seconds), body, timeout, query (a sub: what is
# added to the path).
sub start {
    my ($class, $port, %o) = @_;

    # No signal: it would break off what is on its way.
    my $dir = tempdir('wa-load-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self = bless { pipes => [], flag => "$dir/stop",
                       count => "$dir/count" }, $class;
    my $run = ++$Run;
    my $parent = $$;

    for my $client (1 .. $o{clients} || 4) {
        my $pid = open my $pipe, '-|';
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            my ($n, $out) = (0, '');
            srand($$);
            open my $count, '>>', $self->{count} or die "$!\n";

            while (!-e $self->{flag} && getppid == $parent) {
                my $path = "/l$run/$client/" . ++$n;
                my $query = $o{query} ? $o{query}->($n) : '';
                my $r = http($port, 'POST', "$path$query",
                             body => $o{body} || $path,
                             timeout => $o{timeout} || 60);
                my $why = $r->{status} ? '' : "$!";
                $why =~ tr/ /_/;
                my ($sent) = ($r->{body} || '') =~ /"sent":"(\w+)"/;
                my $whole = $r->{whole} ? 1 : 0;
                $out .= "$path $r->{status} " . ($sent || '-') . " $whole $why\n";
                syswrite $count, '.';
                sleep $o{pause} if $o{pause};
            }

            print STDOUT $out;
            STDOUT->flush;
            POSIX::_exit(0);
        }

        push @{$self->{pipes}}, [$pid, $pipe];
    }

    return $self;
}


# How many requests came to an end.
sub done { return -s $_[0]{count} || 0 }


# Waits until so many came to an end that began after this call.
sub more {
    my ($self, $n) = @_;

    # each client may be about one that began before
    my $enough = $self->done + @{$self->{pipes}} + $n;

    return poll { $self->done >= $enough };
}


# { path, status, sent, whole, why } of each request.
sub stop {
    my ($self) = @_;
    my @results;

    open my $flag, '>', $self->{flag} or die "$self->{flag}: $!\n";
    close $flag;

    for my $p (@{$self->{pipes}}) {
        my $fh = $p->[1];
        while (my $line = <$fh>) {
            my %r;
            @r{qw(path status sent whole why)} = split ' ', $line;
            push @results, \%r;
        }
        close $fh;
    }

    delete $self->{pipes};

    return @results;
}


# How often each path was seen whole.
sub seen {
    my %seen;

    for my $fake (@_) {
        for my $r ($fake->ledger) {
            $r->{path} =~ s/\?.*//;
            $seen{$r->{path}} += $r->{whole};
        }
    }

    return \%seen;
}


# Perl waits for what it reads from: a test that dies would wait for ever.
sub DESTROY {
    my ($self) = @_;

    if ($$ == $Main && $self->{pipes}) {
        local ($?, $@);
        kill 'KILL', map { $_->[0] } @{$self->{pipes}};
    }
}


1;
