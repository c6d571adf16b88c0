#!/usr/bin/perl

# sessions.pl MINUTES: sessions log out, move, come and go, instances die and
# lie, workers are killed, reloads happen; whenever it is quiet what the gateway
# knows is what is true, within two lists that were begun after it became so.
# Exit status 0 when it always was.  WA_GATEWAY_SOAK_SEED repeats the order.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use List::Util qw(min);
use Time::HiRes qw(sleep time);

BEGIN {
    my $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway difference);
use WaGateway::Vendor;

my $minutes = shift @ARGV || 2;
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my $Workers = 3;

srand $seed;
$| = 1;

my $names = 0;
my @vendors = qw(waha evolution wwebjs wppconnect gowa wuzapi);

my @fakes = map {
    my $vendor = $_;
    map { WaGateway::Vendor->new($vendor, key => 'u:p', sessions => 6) } 1, 2;
} @vendors;

my $ng = gateway(fakes => \@fakes, workers => $Workers, level => 'notice',
                 main => 'worker_rlimit_core 0;',
                 check => 'interval=300ms timeout=1s',
                 parameters => 'zone=z:1m sessions=300');
$ng->start;


sub any { return $_[rand @_] }


# One of its sessions, and the other server of its vendor.
sub chosen {
    my $fake = any(@fakes);
    my @all = map { $_->{session} } grep { !$_->{elsewhere} } $fake->truth;
    my ($other) = grep { $_ != $fake && $_->{vendor} eq $fake->{vendor} }
                  @fakes;

    return ($fake, @all ? any(@all) : undef, $other);
}


my %Change = (
    'state' => sub {
        my ($fake, $name) = chosen;
        $fake->session($name, state => any(qw(ready ready login starting
                                              down))) if defined $name;
    },
    'comes' => sub {
        my ($fake) = chosen;
        $fake->session('n' . ++$names, state => 'ready',
                       number => sprintf '9665%08d', $names)
            if $fake->truth < 20;
    },
    'goes' => sub {
        my ($fake, $name) = chosen;
        $fake->remove($name) if defined $name && $fake->truth > 2;
    },
    'moves' => sub {
        my ($fake, $name, $other) = chosen;
        return unless defined $name && $fake->truth > 2;

        my ($s) = grep { $_->{session} eq $name } $fake->truth;
        $fake->remove($name);
        $other->session($name, state => 'ready',
                        number => $s->{number} || '966500000000');
    },
    'worker killed' => sub {
        my @pids = $ng->worker_pids or return;
        kill 'KILL', any(@pids);
        poll { $ng->worker_pids >= $Workers };
    },
    'reload' => sub {
        my @zones = qw(z:1m z:2m y:1m);
        my $zone = any(@zones);
        $ng->{upstream} =~ s/zone=\S+/zone=$zone/ if rand() < 0.3;
        $ng->reload;
    },
);

# Each fault: what is done; it ends with the quiet.
my %Fault = (
    'dies' => sub { $_[0]->stop },
    'lies' => sub {
        $_[0]->misbehave('list', any(qw(cut short html deep empty garbage
                                        status:500 reset slow:0.3)));
    },
    'does not answer' => sub {
        $_[0]->misbehave('ask', any(qw(hang status:500 html reset close)));
    },
    'slow' => sub { $_[0]->set(ask_delay => 0.2) },
);


sub quiet {
    for (@fakes) {
        $_->start;
        $_->misbehave('list', '');
        $_->misbehave('ask', '');
        $_->set(ask_delay => 0);
    }
}


my $end = time + 60 * $minutes;
my ($rounds, $most, %done) = (0, 0);
my $failed = '';

print "seed $seed\n";

while (time < $end && !$failed) {
    for (1 .. 5 + rand 20) {
        my $what = rand() < 0.7 ? any(keys %Change) : any(keys %Fault);

        $Change{$what} ? $Change{$what}->() : $Fault{$what}->(any(@fakes));
        $done{$what}++;
        sleep rand 0.2;
    }

    quiet();

    # all are up, and asked at once after what went wrong
    poll { !grep { $_->{state} ne 'up' }
           values %{$ng->status->{instances}{details}} };

    $_->forget for @fakes;

    my $differs;
    my $least;

    # what is in flight may be of before, and who asks for the next but two has
    # gone through two that began after it
    do {
        $least = min map { $_->count('list') } @fakes;
        $differs = difference($ng, @fakes);
    } while ($differs && $least < 4 && sleep 0.02);

    $most = $least if $least > $most;
    $failed = "what is known differs:\n$differs" if $differs;
    $rounds++;
    $_->forget for @fakes;
}

$ng->stop;

my @bad = $ng->alarms;

$failed ||= join "\n", 'the log:', @bad if @bad;

print join(', ', map { "$_ $done{$_}" } sort keys %done), "\n";
print "$rounds times quiet, at most $most lists of each instance until all "
      . "was known\n";
print $failed ? "FAILED\n$failed\n" : "clean\n";

exit($failed ? 1 : 0);
