package WaBench::Events;

# What 64 clients see when an instance of three is killed, when one hangs, and
# when the gateway reloads.  An instance takes 100 ms for a message, so some
# messages are always on their way.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use Time::HiRes qw(sleep time);
use WaBench::Backend;
use WaBench::Load qw(clients collect percentile);
use WaGateway::Nginx qw(slurp);

our @EXPORT_OK = qw(happen @Kinds);

our @Kinds = ('killed', 'hangs', 'reload');

my $Clients = 64;
my $Before = 1.5;
my %After = (killed => 2, hangs => 4, reload => 2);


# Options: peers, kinds.  Gives { kind => { name => { requests, failed,
# open (failed, on their way when it happened), later (failed, begun after),
# p99 (ms, of that second), worst (ms), twice (received more than once) } } }.
sub happen {
    my (%o) = @_;
    my %r;

    for my $kind (@{$o{kinds} || \@Kinds}) {
        $r{$kind}{$_->name} = one($_, $kind) for @{$o{peers}};
    }

    return \%r;
}


sub one {
    my ($class, $kind) = @_;

    my $dir = tempdir('wa-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my @backend = map { WaBench::Backend->start(delay => 100,
                                                ledger => "$dir/ledger$_") }
                  1 .. 3;
    my $peer = $class->new(instances => [map { $_->instances(1) } @backend],
                           interval => 1, timeout => 1,
                           request_timeout => 3)->start;
    sleep 1;

    my $run = clients($peer->port, $Clients, $Before + $After{$kind},
                      "$dir/run");
    sleep $Before;

    my $at = time;
    strike($kind, $peer, $backend[1]);
    my @messages = collect($run);

    $peer->stop;
    $_->stop for @backend;

    return summary($at, [map { slurp("$dir/ledger$_") } 1 .. 3], @messages);
}


# Without a reload of its own a gateway is stopped and started.
sub strike {
    my ($kind, $peer, $backend) = @_;

    if ($kind eq 'killed') {
        $backend->signal('KILL');

    } elsif ($kind eq 'hangs') {
        $backend->signal('STOP');

    } elsif (!$peer->reload) {
        $peer->stop;
        $peer->launch_only;
    }
}


sub summary {
    my ($at, $ledgers, @messages) = @_;

    my %times;
    $times{$_}++ for map { split /\n/ } @$ledgers;

    my @failed = grep { $_->{outcome} ne '200' } @messages;
    my $open = grep { $_->{began} < $at && ends($_) > $at } @failed;
    my @second = grep { ends($_) >= $at && ends($_) < $at + 1 } @messages;
    my @worst = map { $_->{us} / 1000 } @messages;

    return { requests => scalar @messages, failed => scalar @failed,
             open => $open, later => @failed - $open,
             p99 => percentile(99, map { $_->{us} / 1000 } @second),
             worst => percentile(100, @worst),
             twice => scalar grep { $_ > 1 } values %times };
}


sub ends { return $_[0]{began} + $_[0]{us} / 1e6 }


1;
