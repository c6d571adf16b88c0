#!/usr/bin/perl

# sends.pl MINUTES: messages are sent by every way there is, native ones and
# generic ones, while sessions log out, move, come and go, instances die, hang,
# break and lie, workers are killed and reloads happen.  What the instances have
# sent is compared with what the clients asked for and were told: each message
# at most once, by the session that was named and from its number; what was
# told to be sent was, what was told not to be was not.  Exit status 0 when all
# that is so.  WA_GATEWAY_SOAK_SEED repeats the order of what is done.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();
use List::Util qw(min);
use POSIX ();
use Time::HiRes qw(sleep time);

my $root;

BEGIN {
    $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Nginx qw(http send_request poll slurp);
use WaGateway::Send qw(message_id);
use WaGateway::Sessions qw(gateway difference);
use WaGateway::Soak qw(%Number fakes session_of any request
                       chosen impatient);

my $minutes = shift @ARGV || 2;
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my ($Workers, $Clients) = (3, 3);

srand $seed;
$| = 1;

my $json = JSON::PP->new->utf8->canonical;
my $dir = tempdir('wa-soak-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @fakes = fakes();

impatient($dir);

my $ng = gateway(fakes => \@fakes, workers => $Workers, level => 'notice',
    main => 'worker_rlimit_core 0;', vendors => "$dir/*.conf",
    check => 'interval=300ms timeout=1s',
    parameters => 'zone=z:1m sessions=300',
    http => 'proxy_read_timeout 2s; client_body_buffer_size 16k;',
    server => 'location = /send-message { wa_gateway_send text;
                                          proxy_pass http://u; }
               location = /send-media { wa_gateway_send media;
                                        proxy_pass http://u; }')
         ->start;


# Sends until it is told to end; a line for each message.
sub client {
    my ($n) = @_;
    my $ends = 0;
    my $sent = 0;

    local $SIG{TERM} = sub { $ends = 1 };
    srand $seed + 1000 * $n + int rand 1e6;

    open my $out, '>', "$dir/client.$n" or die "client: $!\n";

    while (!$ends) {
        my $id = sprintf 'm%d-%d-%d', $$, $n, ++$sent;
        my ($method, $path, $headers, $body, $as) = request($id);
        my $leaves = rand() < 0.03;
        my @o = (headers => [@$headers, 'X-Case: ' . $id,
                             'Content-Type: application/json'],
                 defined $body ? (body => $json->encode($body)) : ());
        my $r = { status => 0, body => '' };

        if ($leaves) {
            my $s = send_request($ng->port, $method, $path, @o);
            sleep rand 0.05;
            close $s if $s;
        } else {
            $r = http($ng->port, $method, $path, @o, timeout => 20);
        }

        my $told = eval { $json->decode($r->{body}) };
        $told = {} unless ref $told eq 'HASH';

        print $out $json->encode({ id => $id, path => "$method $path", %$as,
            status => $r->{status}, whole => $r->{whole} ? 1 : 0,
            left => $leaves ? 1 : 0, map { ("told_$_" => $told->{$_}) }
            grep { defined $told->{$_} && !ref $told->{$_} }
            qw(sent code messageId session number instance) }), "\n";
        sleep rand 0.01;
    }

    close $out or die "client: $!\n";
    POSIX::_exit(0);
}


# Whose number may have to be asked for again: what changed in this round.
my (%Fresh, $AllFresh);

my %Change = (
    'state' => sub {
        my ($fake, $name) = chosen;
        return unless defined $name;
        $Fresh{$name} = 1;
        $fake->session($name, state => any(qw(ready ready login starting
                                              down)));
    },
    'comes' => sub {
        my ($fake, undef, $other) = chosen;
        my %there = map { $_->{session} => 1 } $fake->truth, $other->truth;
        my @gone = grep { /^\Q$fake->{vendor}\E-/ && !$there{$_} }
                   keys %Number;
        return unless @gone;
        my $name = any(@gone);
        $Fresh{$name} = 1;
        $fake->session($name, %{session_of($name)});
    },
    'goes' => sub {
        my ($fake, $name) = chosen;
        return unless defined $name;
        $Fresh{$name} = 1;
        $fake->remove($name);
    },
    'moves' => sub {
        my ($fake, $name, $other) = chosen;
        return unless defined $name;
        $Fresh{$name} = 1;
        $fake->remove($name);
        $other->session($name, %{session_of($name)});
    },
    'worker killed' => sub {
        my @pids = $ng->worker_pids or return;
        kill 'KILL', any(@pids);
        poll { $ng->worker_pids >= $Workers };
    },
    'reload' => sub {
        if (rand() < 0.2) {
            my $zone = any(qw(z:1m z:2m y:1m));
            $ng->{upstream} =~ s/zone=\S+/zone=$zone/;
            $AllFresh = 1;
        }
        $ng->reload;
    },
);

# Each fault: what is done; it ends with the quiet.
my %Fault = (
    'dies' => sub { $_[0]->stop },
    'is there again' => sub { $_[0]->start },
    'lies' => sub {
        my $how = any(qw(cut short html garbage status:500 reset slow:0.3), '');
        $_[0]->misbehave('list', $how);
        # what a list lacks is forgotten
        $Fresh{$_->{session}} = 1 for $how eq 'short' ? $_[0]->truth : ();
    },
    'breaks' => sub {
        $_[0]->misbehave('send', any(qw(reset after:reset garbage
                                        after:garbage after:cut hang
                                        after:hang status:500 after:short
                                        drip:0.2 slow:0.3), ''));
    },
    'send fails' => sub {
        my ($fake) = @_;
        my $faults = $fake->faults;
        my @modes = (grep({ $faults->{$_} } qw(not_connected unknown bad_key
                                               bad_body gone_on gone_on
                                               no_id throttled)),
                     qw(stack stack reset slow:0.2 big), '');
        $fake->set(send => any(@modes), retry_after => 1);
    },
);

# One of them alone is seldom met.
my %Times = ('breaks' => 3, 'send fails' => 4);


sub quiet {
    for my $fake (@fakes) {
        $fake->misbehave($_, '') for 'list', 'send';
        $fake->set(send => '');
        $fake->start;
    }
}


my (%Sent, %Asked);
my ($failed, %count) = ('');


sub fail { $failed .= "$_[0]\n" if length $failed < 5000 }


# What the instances have sent since it was last forgotten.
sub collect {
    for my $fake (@fakes) {
        for my $sent ($fake->sent) {
            my $id = defined $sent->{text} ? $sent->{text} : '-';

            push @{$Sent{$id}}, { %$sent, fake => $fake };
            $count{'sent'}++;
        }

        # whatever it was, as it was taken by the instance
        for my $q ($fake->requests) {
            push @{$Sent{"seen $q->{case}"}}, $q->{session};
        }
    }
}


sub judge {
    my ($line) = @_;
    my $a = $json->decode($line);
    my @sent = @{$Sent{$a->{id}} || []};
    my $what = sub { "$_[0]: $line" . join '', map {
        my $s = $_; "  sent: " . join(' ', map { defined $s->{$_} ? $s->{$_}
                                                                  : '-' }
                                      qw(session number id)) . ' by '
                    . $s->{fake}->url . "\n" } @sent };
    my $ok = $a->{status} == 200 || $a->{status} == 201;

    $count{$a->{native} ? 'native' : 'generic'}++;
    $count{'told ' . ($a->{left} ? 'nobody' : $a->{status}
                      . ($a->{told_code} ? " $a->{told_code}" : ''))}++;

    fail($what->('twice')) if @sent > 1;
    fail($what->('sent, though it was told that it was not'))
        if @sent && ($a->{told_sent} || '') eq 'no';
    fail($what->('lost')) if $ok && $a->{whole} && !@sent;

    for my $s (@sent) {
        fail($what->('another session'))
            if defined $a->{session} && $s->{session} ne $a->{session};
        fail($what->('another number'))
            if defined $a->{number} && $s->{number} ne $a->{number};
    }

    # undef is one that the instance does not have
    for my $session (grep { defined } @{$Sent{"seen $a->{id}"} || []}) {
        $count{'seen'}++;
        fail($what->("seen by another session, $session"))
            if defined $a->{session} && $session ne $a->{session};
    }

    return if $a->{native} || !$ok || @sent != 1;

    my ($s) = @sent;
    fail($what->('another message id'))
        if ($a->{told_messageId} || '') ne message_id($s->{fake}, $s);
    fail($what->('another instance is told'))
        if ($a->{told_instance} || '') ne $s->{fake}->url;

    if (defined $a->{told_number}) {
        fail($what->('another number is told'))
            if $a->{told_number} ne $s->{number};
    } elsif ($AllFresh || $Fresh{$s->{session}}) {
        $count{'number not yet known'}++;
    } else {
        fail($what->('no number is told'));
    }

    # two of one name, for as long as a move is not known
    fail($what->('another session is told'))
        if ($a->{told_session} || '') ne $s->{session}
           && $s->{fake}{vendor} ne 'wuzapi';
}


poll { !defined difference($ng, @fakes) }
    or fail("what is known at the start differs:\n"
            . difference($ng, @fakes));

my $end = time + 60 * $minutes;
my ($rounds, $most, %done) = (0, 0);
my @lines;

print "seed $seed\n";

while (time < $end && !$failed) {
    my @pids = map {
        my $n = $_;
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;
        if (!$pid) {
            eval { client($n); 1 } or print STDERR "client: $@";
            POSIX::_exit(1);
        }
        $pid;
    } 1 .. $Clients;

    for (1 .. 5 + rand 20) {
        my $what = rand() < 0.6 ? any(keys %Change) : any(keys %Fault);

        for (1 .. $Times{$what} || 1) {
            $Change{$what} ? $Change{$what}->() : $Fault{$what}->(any(@fakes));
        }

        $done{$what}++;
        sleep rand 0.3;
    }

    # what hangs is let go, what is held back by nobody ends
    kill 'TERM', @pids;
    quiet();

    for (@pids) {
        waitpid $_, 0;
        fail("a client ended with $?") if $?;
    }

    poll { !grep { $_->{state} ne 'up' || $_->{requests}{inFlight} }
           values %{$ng->status->{instances}{details}} }
        or fail("not all are up, or free:\n" . $json->encode($ng->status));

    collect();
    my @new = map { split /(?<=\n)/, slurp("$dir/client.$_") } 1 .. $Clients;
    push @lines, @new;
    judge($_) for @new;
    $_->forget for @fakes;
    (%Fresh, $AllFresh) = ();

    my ($differs, $least);

    # as in sessions.pl
    do {
        $least = min map { $_->count('list') } @fakes;
        $differs = difference($ng, @fakes);
    } while ($differs && $least < 4 && sleep 0.02);

    $most = $least if $least > $most;
    fail("what is known differs:\n$differs") if $differs;
    $rounds++;
    collect();
    $_->forget for @fakes;
}

# what came later
for my $line (@lines) {
    my $a = $json->decode($line);
    my @sent = @{$Sent{$a->{id}} || []};
    fail("twice, later: $line") if @sent > 1;
    fail("sent later, though it was told that it was not: $line")
        if @sent && ($a->{told_sent} || '') eq 'no';
}

my %asked = map { $json->decode($_)->{id} => 1 } @lines;
my @unknown = grep { !/^seen / && !$asked{$_} } keys %Sent;
fail("sent, and nobody asked: @unknown") if @unknown;

$ng->stop;

my @bad = $ng->alarms;

fail(join "\n", 'the log:', @bad) if @bad;

print join(', ', map { "$_ $done{$_}" } sort keys %done), "\n";
print join(', ', map { "$_ $count{$_}" } sort keys %count), "\n";
print "$rounds times quiet, at most $most lists of each instance until all "
      . "was known\n";
print $failed ? "FAILED\n$failed" : "clean\n";

exit($failed ? 1 : 0);
