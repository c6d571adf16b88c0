#!/usr/bin/perl

# store.pl MINUTES [journal]: two gateways share a store, which keeps what it
# acknowledged, or one has a journal; clients repeat every answer that is not final, with the same
# key, at either gateway.  Meanwhile the store is killed, frozen and started
# again, gateways are killed, frozen and reloaded, their workers killed, and the
# network between a gateway and the store holds back what is sent, or breaks; a
# gateway with a journal is killed as a whole and started again, and its disk is
# full for a while.
# At the end no instance has seen a key twice, each that was answered with 200
# was seen, and all is used again.  Exit status 0 when that is so.
# WA_GATEWAY_SOAK_SEED repeats the order of what is done.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my $root;

BEGIN {
    $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Send qw(fake send_gateway);
use WaGateway::Store qw(shared up text);

my $minutes = shift @ARGV || 2;
my $journal = (shift @ARGV || '') eq 'journal';
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my ($Clients, $Tries) = (8, 60);

srand $seed;
$| = 1;

my $dir = tempdir('wa-soak-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $store = $journal ? undef : WaGateway::Store->start;
my @fakes = (fake('evolution'), fake('evolution', sessions => [
    { name => 'other', number => '966500000002' }]));
my @wires = map { wire($store->port) } $journal ? () : (0, 1);
my $pace = 'number=300/s burst=50 wait=1s';
my @all = (fakes => \@fakes, check => 'interval=500ms');
my @ngs = map {
    my $by = bless { %$store, port => $_->{port} }, ref $store;
    shared($by, @all, parameters => 'timeout=300ms', pace => $pace)
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
        kill 'STOP', $wire->{pid};
        sleep 0.05 + rand 2;
        kill 'CONT', $wire->{pid};
    }],
    [cut => 2, sub { kill 'USR1', $wires[rand @wires]{pid} }],
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

printf "%d keys, %d sent, %d twice; told: %s\nfaults: %s\n", $n,
       scalar keys %seen, scalar @twice,
       join(', ', map { "$_ $told{$_}" } sort keys %told),
       join(', ', map { "$_ $done{$_}" } sort keys %done);

$_->stop for @ngs;
kill 'KILL', map { $_->{pid} } @wires;
waitpid $_->{pid}, 0 for @wires;

exit($bad ? 1 : 0);


sub wrong {
    my ($what) = @_;
    print "WRONG: $what\n" if $bad++ < 20;
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


# What is between a gateway and the store: stopped, it holds back what is sent,
# USR1 breaks all connections.
sub wire {
    my ($to) = @_;
    my $port = WaGateway::Fake::free_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       LocalPort => $port, ReuseAddr => 1)
        or die "listen: $!\n";
    my $pid = fork;

    die "fork: $!\n" unless defined $pid;
    return { port => $port, pid => $pid } if $pid;

    my (%other, $cut);
    my $select = IO::Select->new($listen);
    local $SIG{USR1} = sub { $cut = 1 };
    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        my @ready = $select->can_read(0.5);

        if ($cut) {
            $cut = 0;
            $select->remove($_), close $_
                for grep { $_ != $listen } $select->handles;
            %other = ();
            next;
        }

        for my $s (@ready) {
            if ($s == $listen) {
                my $c = $listen->accept or next;
                my $t = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $to);
                next if !$t;
                @other{$c, $t} = ($t, $c);
                $select->add($c, $t);
                next;
            }

            my $t = $other{$s} or next;
            my $n = sysread $s, my $bytes, 65536;
            if ($n) {
                WaGateway::Nginx::put($t, $bytes);
                next;
            }
            $select->remove($_), delete $other{$_}, close $_ for $s, $t;
        }
    }
}
