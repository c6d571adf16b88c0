#!/usr/bin/perl

# store.pl MINUTES [journal]: two gateways share a store, which keeps what it
# acknowledged, or one has a journal; clients repeat every answer that is not final, with the same
# key, at either gateway.  Meanwhile the store is killed, frozen and started
# again, gateways are killed, frozen and reloaded, their workers killed, and the
# network between a gateway and the store holds back what is sent, breaks, loses
# packets on one way or both, or is down: the store is in a network namespace of
# its own, which needs root and CAP_NET_ADMIN.  A gateway with a journal is
# killed as a whole and started again, and its disk is full for a while.
# At the end no instance has seen a key twice, each that was answered with 200
# was seen, and all is used again.  Exit status 0 when that is so.
# WA_GATEWAY_SOAK_SEED repeats the order of what is done.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(sleep time);

my $root;

BEGIN {
    $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Nginx qw(poll slurp);
use WaGateway::Partition;
use WaGateway::Send qw(fake send_gateway);
use WaGateway::Store qw(shared up text);
use WaGateway::Wire;

my ($minutes, $what) = @ARGV;
$minutes ||= 2;
my $journal = ($what || '') eq 'journal';
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my ($Clients, $Tries) = (8, 60);

WaGateway::Partition::enter() if !$journal;
srand $seed;
$| = 1;

my $dir = tempdir('wa-soak-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $there = $journal ? undef : WaGateway::Partition->new;
my @inside = $journal ? () : (inside => [$there->inside]);

# the first link is ours, and never breaks
my ($ours, @links) = $journal ? () : map { $there->link } 1 .. 3;
my $store = $journal ? undef
                     : WaGateway::Store->start(address => $ours->address,
                                               @inside);
my @fakes = (fake('evolution'), fake('evolution', sessions => [
    { name => 'other', number => '966500000002' }]));
my @wires = map { WaGateway::Wire->start($store->port, @inside,
                                         address => $_->address) } @links;
my $pace = 'number=300/s burst=50 wait=1s';
my @all = (fakes => \@fakes, check => 'interval=500ms');
my @ngs = map {
    shared($store->by(port => $_->port, address => $_->{address}), @all,
           parameters => 'timeout=300ms', pace => $pace)
} @wires;

if ($journal) {
    # a write to a full disk is to fail, no more
    $SIG{XFSZ} = 'IGNORE';

    mkdir "$dir/journal" or die "$dir: $!\n";
    @ngs = send_gateway(@all, workers => 2,
        upstream => "wa_gateway_passive off; wa_gateway_pace $pace;"
            . "wa_gateway_idempotency on zone=keys:128m"
            . " journal=$dir/journal/keys;");
}
$_->forget for @fakes;

my $end = time + 60 * $minutes;
my @clients = map { client($_) } 1 .. $Clients;
my %done;

# Each makes good what it did, at once or as the next of its kind.
my @stores = (
    [kill_store => 2, sub {
        $store->kill;
        sleep rand 2;
        $store->start_again;
    }],
    [freeze_store => 2, sub {
        $store->freeze;
        sleep 0.05 + rand 2;
        $store->thaw;
    }],
    [hold_back => 3, sub {
        my $wire = $wires[rand @wires];
        $wire->hold;
        sleep 0.05 + rand 2;
        $wire->release;
    }],
    [cut => 2, sub { $wires[rand @wires]->cut }],
    [partition => 3, sub {
        apart(sub { $_[0]->lose($_) for qw(to from) }, 4);
    }],
    [one_way => 3, sub {
        my $way = rand() < 0.5 ? 'to' : 'from';
        apart(sub { $_[0]->lose($way) }, 4);
    }],
    [lossy => 2, sub {
        my @some = (qw(-m statistic --mode random --probability),
                    0.1 + rand 0.5);
        apart(sub { my $link = shift; $link->lose($_, @some) for qw(to from) },
              4);
    }],
    [link_down => 2, sub {
        my $end = rand() < 0.5 ? 'near' : 'far';
        apart(sub { $_[0]->down($end) }, 4);
    }],
);

my @journals = (
    [disk_full => 2, sub {
        limit(64 << 10);
        sleep rand 1;
        limit('unlimited');
    }],
);

my @faults = (
    $journal ? @journals : @stores,
    [reload => 2, sub { kill 'HUP', $ngs[rand @ngs]{pid} }],
    [kill_worker => 3, sub {
        my @pids = $ngs[rand @ngs]->worker_pids;
        kill 'KILL', $pids[rand @pids] if @pids;
    }],
    [freeze_worker => 2, sub {
        my @pids = $ngs[rand @ngs]->worker_pids;
        my $pid = $pids[rand @pids] or return;
        kill 'STOP', $pid;
        sleep rand 7;
        kill 'CONT', $pid;
    }],
    [kill_gateway => $journal ? 4 : 1, sub {
        my $ng = $ngs[rand @ngs];
        my @pids = ($ng->{pid}, $ng->worker_pids);
        kill 'STOP', $ng->{pid};
        kill 'KILL', @pids;
        waitpid delete $ng->{pid}, 0;
        sleep rand 2;
        $ng->start;
    }],
    [slow_instance => 2, sub {
        my $fake = $fakes[rand @fakes];
        $fake->misbehave('send', 'after:close');
        sleep rand 0.3;
        $fake->misbehave('send', 'slow:2');
        sleep rand 1;
        $fake->misbehave('send', '');
    }],
);

my @order = map { my $fault = $_; ($fault) x $fault->[1] } @faults;

print "seed $seed, $minutes min\n";

while (time < $end) {
    my $fault = $order[rand @order];

    $fault->[2]->();
    $done{$fault->[0]}++;
    sleep 0.2 + rand 2.5;
}

waitpid $_, 0 for @clients;

# all is well again
my $bad = 0;
for my $ng (@ngs) {
    my $last = 0;
    eval { $journal ? (poll { text($ng, 'last-' . ++$last)->{status} == 200 }
                       or die "no send\n")
                    : up($store, $ng) }
        or wrong("not used again: $@");
}

my (%seen, %told);
for my $fake (@fakes) {
    for ($fake->ledger) {
        $seen{$1}++ if $_->{headers} =~ /^Idempotency-Key: *(\S+)/mi;
    }
}

my $n = 0;
for my $file (glob "$dir/client.*") {
    for (split /\n/, slurp($file)) {
        my ($key, $tries, @outcomes) = split ' ';
        my $last = $outcomes[-1];

        $n++;
        $told{$last}++;

        wrong("$key was told to be sent, and was not: @outcomes")
            if (grep { $_ eq 'success' } @outcomes) && !$seen{$key};
    }
}

my @twice = grep { $seen{$_} > 1 } sort keys %seen;
wrong("$_ was sent $seen{$_} times") for @twice;

for my $ng (@ngs) {
    # the disk that was full
    wrong($_) for grep { !/File too large/ } $ng->alarms;
}

wrong('next to nothing was sent') if keys(%seen) < 20 * $minutes;

if (!$journal) {
    my $lost = $there->lost;
    print "packets lost: $lost\n";
    wrong('no packet was lost') if !$lost;
}

printf "%d keys, %d sent, %d twice; told: %s\nfaults: %s\n", $n,
       scalar keys %seen, scalar @twice,
       join(', ', map { "$_ $told{$_}" } sort keys %told),
       join(', ', map { "$_ $done{$_}" } sort keys %done);

$_->stop for @ngs;
$_->stop for @wires;
$there->stop if $there;

exit($bad ? 1 : 0);


sub wrong {
    my ($what) = @_;
    print "WRONG: $what\n" if $bad++ < 20;
}


# For up to so many seconds the store cannot be reached by one gateway, seldom
# by both.
sub apart {
    my ($break, $seconds) = @_;
    my @cut = rand() < 0.25 ? @links : $links[rand @links];

    $break->($_) for @cut;
    sleep 0.05 + rand $seconds;
    $there->heal;
}


# Bytes that a file of the workers may have.
sub limit {
    my ($bytes) = @_;
    system('prlimit', '--pid', $_, "--fsize=$bytes:") for $ngs[0]->worker_pids;
}


# A process that sends one key after the other, each until its answer is final,
# and some once more.
sub client {
    my ($i) = @_;
    my $pid = fork;

    die "fork: $!\n" unless defined $pid;
    return $pid if $pid;

    # what the parent started is the parent's
    local $SIG{PIPE} = 'IGNORE';
    srand $seed + $i;
    open my $out, '>', "$dir/client.$i" or POSIX::_exit(1);

    my $n = 0;
    while (time < $end) {
        my $key = "k-$i-" . ++$n;
        my (@outcomes, $tries);

        for ($tries = 1; $tries <= $Tries; $tries++) {
            my $outcome = outcome($key);

            push @outcomes, $outcome
                if !@outcomes || $outcomes[-1] ne $outcome;
            last if $outcome =~ /^(?:success|unknown)$/ && rand() < 0.7;
            sleep 0.02 + rand 0.3 if $outcome ne 'success';
        }

        print $out "$key $tries @outcomes\n";
    }

    close $out;
    POSIX::_exit(0);
}


sub outcome {
    my ($key) = @_;
    my $r = eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm 30;
        my $r = text($ngs[rand @ngs], $key);
        alarm 0;
        $r;
    };

    return 'none' if !$r || !$r->{status};
    return 'success' if $r->{json} && $r->{json}{success};
    return 'unknown'
        if $r->{status} =~ /^50[24]$/ && $r->{json}
           && $r->{json}{sent} eq 'unknown';
    return $r->{code} || $r->{status};
}
