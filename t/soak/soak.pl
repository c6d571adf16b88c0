#!/usr/bin/perl

# soak.pl MINUTES: faults at random under load, and a ledger of every message.
# Exit status 0 when the ledger is clean.  WA_GATEWAY_SOAK_SEED repeats the
# order of the faults.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Time::HiRes qw(sleep time);

BEGIN {
    my $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll slurp);

my $minutes = shift @ARGV || 2;
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my $Workers = 3;
my $Clients = 6;

srand $seed;
$| = 1;

my @fakes = map { WaGateway::Fake->new } 1 .. 4;
my (%faults, %ledger);


# Configurations that a reload may bring; the instances stay.
sub upstream {
    my ($n) = @_;
    my @weights = (1, 1, 1, 1);
    $weights[$n % 4] = 3 if $n % 3 == 1;
    my @which = $n % 5 == 4 ? (0 .. 2) : (0 .. 3);
    my $zone = ('u:256k', 'u:256k', 'u:256k', 'w:512k')[$n % 4];
    my $interval = $n % 2 ? '300ms' : '400ms';

    return "wa_gateway zone=$zone; wa_gateway_check interval=$interval "
           . 'timeout=500ms; wa_gateway_passive eject=300ms status_fails=2;'
           . ($n % 7 < 5 ? 'keepalive 8;' : '')
           . join '', map { 'server ' . $fakes[$_]->name
                            . " weight=$weights[$_];" } @which;
}


my $ng = WaGateway::Nginx->new(workers => $Workers, level => 'notice',
    main => 'worker_rlimit_core 0;', upstream => upstream(0),
    location => 'proxy_read_timeout 2s; proxy_connect_timeout 1s;
                 proxy_http_version 1.1; proxy_set_header Connection "";');
$ng->start;

sub all_workers { poll { $ng->worker_pids >= $Workers } }


# Each fault: what is done, and what ends it.
my %Fault = (
    'killed instance' => sub {
        my $fake = shift;
        $fake->stop;
        return sub { $fake->start };
    },
    'graceful stop' => sub {
        my $fake = shift;
        kill 'TERM', $fake->{pid};
        return sub { $fake->stop; $fake->start };
    },
    'frozen' => sub {
        my $fake = shift;
        kill 'STOP', $fake->{pid};
        return sub { kill 'CONT', $fake->{pid} };
    },
    'worker killed' => sub {
        my @pids = $ng->worker_pids;
        kill 'KILL', $pids[rand @pids] if @pids;
        all_workers();
        return sub { };
    },
    'idle closed' => sub { $_[0]->close_idle(rand > 0.5); return sub { } },
    'reload' => sub {
        $ng->{upstream} = upstream($faults{reload} || 0);
        $ng->write_conf;
        kill 'HUP', $ng->{pid};
        return sub { };
    },
    'failed reload' => sub {
        my $refused = sub { scalar $ng->logged('directive "nonsense"') };
        my $n = $refused->();
        $ng->{http} = 'nonsense;';
        $ng->write_conf;
        kill 'HUP', $ng->{pid};
        poll { $refused->() > $n };
        $ng->{http} = '';
        $ng->write_conf;
        return sub { };
    },
    map({
        my $mode = $_;
        ("answers $mode" => sub {
            my $fake = shift;
            $fake->mode($mode);
            return sub { $fake->mode('json') };
        });
    } qw(hang slow:0.5 slow:3 garbage reset close half chunked_half
         half_head reset_read reset_accept reset_second keep:3 status:500
         status:503 close_delimited chunked plain)),
);

my @names = sort keys %Fault;


# The ledgers of the fakes grow; they are taken in and emptied between rounds.
sub settle {
    my ($load) = @_;
    my @results = $load->stop;

    # What a killed worker left half done may still be read.
    sleep 0.5;
    my $seen = WaGateway::Load::seen(@fakes);
    my %asked = map { $_->{path} => 1 } @results;

    for my $r (@results) {
        my $n = $seen->{$r->{path}} || 0;
        my $kind = $r->{status} == 200 && $r->{whole} ? '200'
                 : $r->{status} == 200 ? '200, cut short'
                 : $r->{status} == 0 ? 'cut off' : $r->{status};

        $ledger{requests}++;
        $ledger{outcome}{$kind}++;

        if ($n > 1) {
            $ledger{twice}++;
            print "seen twice: $r->{path}, $kind\n";
        }

        if ($kind eq '200' && $n == 0) {
            $ledger{lost}++;
            print "lost with a 200: $r->{path}\n";
        }

        if ($r->{sent} eq 'no' && $n) {
            $ledger{lied}++;
            print "seen, but said not to be sent: $r->{path}, $kind\n";
        }
    }

    $ledger{unasked} += grep { /^\/l/ && !$asked{$_} } keys %$seen;
    $_->forget for @fakes;
}


# All is well again: so must be what the gateway thinks.
sub quiet {
    my $fine = sub {
        my $s = eval { $ng->status } or return 0;
        my @d = values %{$s->{instances}{details}};
        return !grep { $_->{state} ne 'up' || $_->{requests}{inFlight} } @d;
    };

    return if poll { $fine->() };

    my $d = eval { $ng->status->{instances}{details} } || {};
    for my $name (sort keys %$d) {
        my $i = $d->{$name};
        next if $i->{state} eq 'up' && !$i->{requests}{inFlight};
        $ledger{wrong}++;
        print "wrong after quiet: $name $i->{state}, ",
              "$i->{requests}{inFlight} in flight, ",
              defined $i->{reason} ? $i->{reason} : '-', "\n";
    }
}


my $end = time + 60 * $minutes;
my $rounds = 0;

print "seed $seed, $minutes minutes\n";

while (time < $end) {
    my $load = WaGateway::Load->start($ng->port, clients => $Clients,
                                      pause => 0.004, timeout => 15);
    my $round = time + 15;
    my %busy;

    while (time < $round && time < $end) {
        my $name = $names[rand @names];
        my ($fake) = grep { !$busy{$_} } sort { rand() <=> 0.5 } 0 .. $#fakes;

        if (defined $fake && $Fault{$name}) {
            my $undo = $Fault{$name}->($fakes[$fake]);
            $faults{$name}++;
            $busy{$fake} = [time + 0.3 + rand 1.5, $undo];
        }

        sleep 0.1 + rand 0.3;

        for my $i (keys %busy) {
            next if time < $busy{$i}[0];
            (delete $busy{$i})->[1]->();
        }
    }

    $_->[1]->() for values %busy;
    settle($load);
    quiet();
    $rounds++;
}

$ng->stop;

my @alerts = grep { /\[(?:alert|crit|emerg)\]/
                    && !/exited on signal 9|was locked by|nonsense/ }
             split /\n/, $ng->log;

$ledger{$_} ||= 0 for qw(requests twice lost lied unasked wrong);

my $n = 0;
$n += $_ for values %faults;

print "requests               $ledger{requests}\n";
print "  ended in $_: $ledger{outcome}{$_}\n"
    for sort keys %{$ledger{outcome}};
print "rounds                 $rounds\n";
print "faults                 $n\n";
print "  $_: $faults{$_}\n" for sort keys %faults;
print "seen twice             $ledger{twice}\n";
print "lost with a 200        $ledger{lost}\n";
print "seen, said not sent    $ledger{lied}\n";
print "seen, never asked      $ledger{unasked}\n";
print "wrong states after quiet $ledger{wrong}\n";
print "alerts in the log      ", scalar @alerts, "\n";
print "  $_\n" for @alerts[0 .. ($#alerts < 9 ? $#alerts : 9)];

my $bad = 0;
$bad += $ledger{$_} for qw(twice lost lied unasked wrong);

exit($bad || @alerts || !$ledger{requests} ? 1 : 0);
