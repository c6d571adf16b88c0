#!/usr/bin/perl

# wa_gateway_pace under load: no limit is ever exceeded at the instances, by
# four workers that are asked for more than there is, while some are killed,
# instances refuse, and the configuration is loaded anew.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min sum);
use Test::More;
use Time::HiRes qw(time sleep);
use WaGateway::Cheap qw(send_many text);
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(sessions);

my $numbers = 50;
my ($rate, $burst, $to_rate, $to_burst) = (4, 2, 1, 2);

my $cheap = WaGateway::Cheap->new(5, bodies => 1);
my @name = map { "s$_" } 1 .. $numbers;

for my $i (0 .. 4) {
    $cheap->sessions($i, map { ("s$_" => 966500000000 + $_) }
                         map { 10 * $i + $_ } 1 .. 10);
}


sub gateway_of {
    my ($pace) = @_;

    my $ng = WaGateway::Nginx->start(workers => 4,
        http => "keepalive_requests 1000000;\n" . $cheap->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100;\n" . $cheap->upstream
            . "wa_gateway_check interval=100ms timeout=30s;\n"
            . "wa_gateway_pace $pace;\n",
        server => <<'END');
location = /sessions { wa_gateway_sessions u; }
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
END
    $cheap->settled($ng, $numbers) or die "no sessions\n";
    $cheap->forget;

    return $ng;
}


# Clients that send until they are told to end; what they were told.
sub clients {
    my ($ng, $n, $to) = @_;
    my @clients;

    for my $i (1 .. $n) {
        pipe my $out, my $in or die "$!\n";
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            close $out;
            my $end = 0;
            my $k = 0;
            my %said;
            local $SIG{TERM} = sub { $end = 1 };

            while (!$end) {
                my @bodies = map { text($to->($i, $k++)) } 1 .. 10;
                my @r = eval { send_many($ng->port, @bodies) };

                $said{$_->{json}{success} ? 'sent' : $_->{json}{code}}++
                    for @r;
                $said{broken}++ unless @r;
            }

            syswrite $in, join ' ', %said;
            POSIX::_exit(0);
        }

        close $in;
        push @clients, [$pid, $out];
    }

    return @clients;
}


sub finish {
    my (@clients) = @_;
    my %said;

    kill 'TERM', map { $_->[0] } @clients;

    for (@clients) {
        my ($pid, $out) = @$_;
        my %one = split ' ', join '', <$out>;
        waitpid $pid, 0;
        $said{$_} += $one{$_} for keys %one;
    }

    return \%said;
}


# The most that was over what a bucket lets through, in any time: n messages
# take n - burst intervals at least.  A message is on its way for a while: one
# that was slow, before one that was not, makes that time shorter.
sub over {
    my ($rate, $burst, @times) = @_;
    my $slack = 0.15;
    my $over = 0;

    for my $i (0 .. $#times) {
        for my $j ($i + 1 .. $#times) {
            my $allowed = $burst + ($times[$j] - $times[$i] + $slack) * $rate;
            $over = max($over, $j - $i + 1 - int $allowed);
        }
    }

    return $over;
}


sub by {
    my ($key, @ledger) = @_;
    my %by;

    push @{$by{$key->($_)}}, $_->{time} for @ledger;
    return %by;
}


# At the limit, with all that may happen.
{
    my $ng = gateway_of("number=$rate/s burst=$burst "
                        . "recipient=$to_rate/s day=100000 wait=2s");
    my $start = time;
    my @clients = clients($ng, 8, sub { sprintf '96651%07d',
                                        ($_[0] * 7919 + $_[1]) % 400 });

    # workers die with what they hold, and a configuration comes
    for my $turn (1 .. 4) {
        sleep 1.5;
        my ($pid) = $ng->worker_pids;
        kill 'KILL', $pid if $turn % 2;
        kill 'HUP', $ng->{pid} unless $turn % 2;
    }
    sleep 2;

    my $said = finish(@clients);
    my $took = time - $start;
    $ng->stop;

    my @ledger = $cheap->ledger($said->{sent});
    my %number = by(sub { $_[0]{session} }, @ledger);
    my %pair = by(sub { "$_[0]{session} $_[0]{to}" }, @ledger);

    is(scalar keys %number, $numbers, 'all numbers sent');
    is(max(map { over($rate, $burst, @$_) } values %number), 0,
       'no number was ever one over');
    is(max(map { over($to_rate, $to_burst, @$_) } values %pair), 0,
       'nor was any with one recipient');
    is(join(' ', grep { !/^(?:sent|paced|broken)$/ } sort keys %$said), '',
       'messages were sent, or refused as paced');
    cmp_ok($said->{sent}, '<=', scalar @ledger,
           'all that a client was told of came');
    note sprintf '%d sent in %.1f s, %d came', $said->{sent}, $took,
                 scalar @ledger;
    is(join("\n", $ng->alarms), '', 'nothing worse is logged');
}


# More than the day has, from all sides: exactly that.
{
    my $ng = gateway_of('day=20');
    my @clients = clients($ng, 8, sub { sprintf '96652%07d', 100 * $_[1] });

    ok(poll { my @all = $cheap->ledger; @all >= 20 * $numbers },
       'a day is used up');
    my ($pid) = $ng->worker_pids;
    kill 'KILL', $pid;
    ok(poll { !grep { $_ == $pid } $ng->worker_pids }, 'a worker is killed');
    ok($ng->reload, 'a reload');
    finish(@clients);

    my %number = by(sub { $_[0]{session} }, $cheap->ledger);
    is(join(' ', map { scalar @{$number{$_} || []} } @name),
       join(' ', (20) x $numbers), 'each number has sent what it may');
    $ng->stop;
}


# Fair: of what there is for all, each number has as much.
{
    my $ng = gateway_of('number=1/h burst=30');
    send_many($ng->port, map { text(sprintf '96653%07d', $_) }
                         1 .. 20 * $numbers);
    my %number = by(sub { $_[0]{session} }, $cheap->ledger(20 * $numbers));
    my @n = map { scalar @{$number{$_} || []} } @name;

    cmp_ok(max(@n) - min(@n), '<=', 1, 'in turn, while all have some');
    $ng->clean;

    $ng = gateway_of('number=2/s wait=5s');
    my @clients = clients($ng, 4, sub { sprintf '96654%07d',
                                        1000 * $_[0] + $_[1] });
    sleep 5;
    $cheap->ledger(1);
    %number = by(sub { $_[0]{session} }, $cheap->ledger);
    @n = map { scalar @{$number{$_} || []} } @name;
    cmp_ok(max(@n) - min(@n), '<=', 1, 'and where all of them wait')
        or diag "@n";
    finish(@clients);
    $ng->clean;
}

done_testing;
