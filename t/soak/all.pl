#!/usr/bin/perl

# all.pl MINUTES: everything at once.  Two gateways share a store, budgets and
# six vendors' servers, half of them by names that move; clients send by every
# way there is, each message with a key, and repeat what is not final at either
# gateway.  Meanwhile sessions log out, move, come and go, servers die, hang,
# break and lie, instances are drained, removed and added, the name server
# changes its mind, the store is killed and frozen, gateways are killed and
# reloaded, workers killed.  No message twice, by another session or from
# another number; what was told to be sent was, what was told not to be was
# not; no number sent more than its budget; no alert in a log; memory does not
# grow and zones have as much room at the end.  Exit status 0 when that is so.
# WA_GATEWAY_SOAK_SEED repeats the order of what is done.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();
use List::Util qw(max min sum);
use POSIX ();
use Time::HiRes qw(sleep time);

my $root;

BEGIN {
    $root = abs_path(dirname(__FILE__) . '/../..');
    unshift @INC, "$root/t/lib";
    $ENV{PATH} .= ':/usr/sbin:/sbin';
}

use WaGateway::Control qw(control);
use WaGateway::Dns;
use WaGateway::Nginx qw(http send_request poll slurp);
use WaGateway::Sessions qw(sessions);
use WaGateway::Soak qw(@Vendors %Number fakes home session_of any request
                       chosen impatient);
use WaGateway::Store qw(up);

my $minutes = shift @ARGV || 2;
my $seed = $ENV{WA_GATEWAY_SOAK_SEED} || time % 1_000_000;
my ($Workers, $Clients, $Tries) = (2, 4, 60);

# of a number, a second; how much later than another one may be on its way
my ($Rate, $Burst, $Slack) = (6, 6, 3);

srand $seed;
$| = 1;

my $json = JSON::PP->new->utf8->canonical;
my $dir = tempdir('wa-soak-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $store = WaGateway::Store->start;
my $dns = WaGateway::Dns->new;
my @fakes = fakes(first => [address => '0.0.0.0']);

my @url = map {
    $_ % 2 ? $fakes[$_]->url
           : "http://$fakes[$_]{vendor}.test:" . $fakes[$_]->port
} 0 .. $#fakes;

impatient($dir);

# all are there again
sub names {
    $dns->set(map { ("$_.test" => { a => ['127.0.0.' . (2 + int rand 8)] }) }
              @Vendors);
}

my ($failed, $rounds, %count, %done) = ('', 0);

names();

my @ngs = map { gateway($_)->start } 0, 1;


sub gateway {
    my ($n) = @_;

    mkdir "$dir/state$n" or die "$dir: $!\n";
    my $instances = join '', map {
        "wa_gateway_instances vendor=$fakes[$_]{vendor} key=u:p $url[$_];\n"
    } 0 .. $#fakes;

    return WaGateway::Nginx->new(workers => $Workers, level => 'notice',
        main => 'worker_rlimit_core 0;',
        http => "include $dir/*.conf; proxy_read_timeout 2s;\n"
            . "client_body_buffer_size 16k;\n"
            . 'resolver ' . $dns->address . '; resolver_timeout 1s;',
        upstream => "wa_gateway zone=z:2m sessions=300 capacity=8"
            . " dns_refresh=300ms;\n$instances"
            . "wa_gateway_check interval=300ms timeout=1s;\n"
            . "wa_gateway_idempotency on ttl=30m zone=keys:32m;\n"
            . "wa_gateway_pace number=$Rate/s burst=$Burst wait=1s;\n"
            . 'wa_gateway_store ' . $store->url . " timeout=300ms;\n"
            . "wa_gateway_state $dir/state$n/u.json;\n",
        server => <<'END');
wa_gateway_admin_key admin-secret;
location = /instances { wa_gateway_control u; }
location = /sessions { wa_gateway_sessions u; }
location = /metrics { wa_gateway_metrics; }
location = /send-message { wa_gateway_send text; proxy_pass http://u; }
location = /send-media { wa_gateway_send media; proxy_pass http://u; }
END
}


# Sends until it is told to end; a line for each message, when its answer is
# final or it has to end.
sub client {
    my ($n) = @_;
    my ($ends, $sent) = (0, 0);

    local $SIG{TERM} = sub { $ends = 1 };
    srand $seed + 1000 * $n + int rand 1e6;

    open my $out, '>', "$dir/client.$n" or die "client: $!\n";

    while (!$ends) {
        my $id = sprintf 'm%d-%d-%d', $rounds, $n, ++$sent;
        my ($method, $path, $headers, $body, $as) = request($id);
        my @o = (headers => [@$headers, "Idempotency-Key: $id",
                             'Content-Type: application/json'],
                 defined $body ? (body => $json->encode($body)) : ());
        my ($told, $tries, %was);

        for ($tries = 1; $tries <= $Tries; $tries++) {
            $told = ask(any(@ngs), $method, $path, @o);
            $was{$told->{outcome}}++;
            last if $ends || final($told) && rand() < 0.8;
            sleep 0.02 + rand 0.2;
        }

        print $out $json->encode({ id => $id, path => "$method $path", %$as,
                                   %$told, tries => $tries, was => \%was }),
                   "\n";
    }

    close $out or die "client: $!\n";
    POSIX::_exit(0);
}


# What one answer says.
sub ask {
    my ($ng, $method, $path, @o) = @_;

    if (rand() < 0.03) {
        my $s = send_request($ng->port, $method, $path, @o);
        sleep rand 0.05;
        close $s if $s;
        return { status => 0, outcome => 'left' };
    }

    my $r = eval { http($ng->port, $method, $path, @o, timeout => 20) }
            || { status => 0, body => '' };
    my $told = eval { $json->decode($r->{body}) };
    $told = {} unless ref $told eq 'HASH';

    my $ok = $r->{status} =~ /^20[01]$/ && $r->{whole};
    my $outcome = $ok ? 'success'
        : ($told->{sent} || '') eq 'unknown'
          && $r->{status} =~ /^50[024]$/ ? 'unknown'
        : $told->{code} || $r->{status};

    return { status => $r->{status}, outcome => $outcome,
             map { ("told_$_" => $told->{$_}) }
             grep { defined $told->{$_} && !ref $told->{$_} }
             qw(sent code messageId session number) };
}


sub final {
    my ($told) = @_;
    return $told->{outcome} =~ /^(?:success|unknown|rejected|unknown_session
                                    |ambiguous_session)$/x;
}


my %Change = (
    'state' => sub {
        my ($fake, $name) = chosen();
        $fake->session($name, state => any(qw(ready ready login starting
                                              down))) if defined $name;
    },
    'goes' => sub {
        my ($fake, $name) = chosen();
        $fake->remove($name) if defined $name;
    },
    'moves' => sub {
        my ($fake, $name, $other) = chosen();
        return unless defined $name;
        $fake->remove($name);
        $other->session($name, %{session_of($name)});
    },
    'dies' => sub { any(@fakes)->stop },
    'is there again' => sub { any(@fakes)->start },
    'lies' => sub {
        any(@fakes)->misbehave('list', any(qw(cut short html garbage status:500
                                              reset slow:0.3), ''));
    },
    'breaks' => sub {
        any(@fakes)->misbehave('send', any(qw(reset after:reset garbage
            after:garbage after:cut hang after:hang status:500 after:short
            drip:0.2 slow:0.3), '')) for 1 .. 3;
    },
    'send fails' => sub {
        for my $fake (map { any(@fakes) } 1 .. 3) {
            my $faults = $fake->faults;
            my @modes = grep { $faults->{$_} }
                qw(not_connected unknown bad_key bad_body gone_on no_id
                   throttled);
            $fake->set(send => any(@modes, qw(stack reset slow:0.2 big), ''),
                       retry_after => 1);
        }
    },
    'names move' => \&names,
    'names fail' => sub {
        $dns->set('' => any({ silent => 1 }, { rcode => 2 }));
        sleep rand 1;
        names();
    },
    'drained' => sub { admin(any(@ngs), any(@url), any(qw(drain down))) },
    'used again' => sub { admin(any(@ngs), any(@url), 'up') },
    'removed' => sub { control(any(@ngs), 'DELETE', any(@url)) },
    'added' => sub { add(any(@ngs), int rand @url) },
    'store killed' => sub {
        $store->kill;
        sleep rand 1;
        $store->start_again;
    },
    'store frozen' => sub {
        $store->freeze;
        sleep rand 1;
        $store->thaw;
    },
    'worker killed' => sub {
        my @pids = any(@ngs)->worker_pids;
        kill 'KILL', any(@pids) if @pids;
    },
    'reload' => sub { kill 'HUP', any(@ngs)->{pid} },
    'gateway killed' => sub {
        my $ng = any(@ngs);
        my @pids = ($ng->{pid}, $ng->worker_pids);
        kill 'STOP', $ng->{pid};
        kill 'KILL', @pids;
        waitpid delete $ng->{pid}, 0;
        sleep rand 1;
        $ng->start;
    },
);

my %Times = ('breaks' => 3, 'send fails' => 4, 'state' => 3, 'moves' => 3);
my @order = map { ($_) x ($Times{$_} || 1) } sort keys %Change;


sub admin {
    my ($ng, $url, $state) = @_;
    control($ng, 'PATCH', $url, { state => $state });
}


sub add {
    my ($ng, $i) = @_;

    # the configuration has its vendor and its key
    control($ng, 'POST', undef, { url => $url[$i] });
}




sub fail { $failed .= "$_[0]\n" if length $failed < 9000 }


# All is as it was at first, and known.
sub quiet {
    names();

    for my $i (0 .. $#fakes) {
        my $fake = $fakes[$i];
        $fake->misbehave($_, '') for 'list', 'send';
        $fake->set(send => '');
        $fake->start;
        $fake->sessions(home(int($i / 2), 1 + $i % 2));
    }

    up($store, @ngs);

    my $ready = sum(map { scalar $_->truth } @fakes);

    for my $ng (@ngs) {
        my $said = '';

        poll {
            for my $i (0 .. $#url) {
                my $r = admin($ng, $url[$i], 'up');
                $r = add($ng, $i) if $r->{status} == 404;
                $said = "$r->{status} $r->{body}" if $r->{status} != 200;
            }
            my $status = $ng->status;
            my $all = $status->{instances}{details};

            keys %$all == @url && !grep { $_->{state} ne 'up'
                                          || $_->{requests}{inFlight} }
                                   values %$all
            and sessions($ng, 'limit=0')->{ready} == $ready;
        } 60 or fail("not all is well again, $ready sessions are to be "
                     . "ready:\n$said\n" . wrong($ng));
    }
}


sub wrong {
    my ($ng) = @_;
    my $all = $ng->status->{instances}{details};
    my $known = sessions($ng, 'limit=200');

    return join "\n", map({ "$_ " . $json->encode($all->{$_}) } sort keys %$all),
        "$known->{ready} ready", map { "$_->{instance} $_->{session} "
                                       . "$_->{state}" } @{$known->{sessions}};
}


my (%Sent, %Times_of);


# What the instances have sent since it was last forgotten.
sub collect {
    for my $fake (@fakes) {
        for my $q ($fake->ledger) {
            for my $sent (@{$q->{sent} || []}) {
                my $id = defined $sent->{text} ? $sent->{text} : '-';

                push @{$Sent{$id}}, { %$sent, fake => $fake };
                push @{$Times_of{$sent->{number}}}, $q->{time};
                $count{'sent'}++;
            }
        }

        $fake->forget;
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

    $count{$a->{native} ? 'native' : 'generic'}++;
    $count{"told $a->{outcome}"}++;
    $count{'repeated'}++ if $a->{tries} > 1;

    fail($what->('twice')) if @sent > 1;
    fail($what->('lost')) if $a->{was}{success} && !@sent;

    # a store that is away says nothing of what was
    fail($what->('sent, though it was told that it was not'))
        if @sent && ($a->{told_sent} || '') eq 'no'
           && $a->{outcome} !~ /^(?:store_down|paced)$/;

    for my $s (@sent) {
        fail($what->('another session'))
            if defined $a->{session} && $s->{session} ne $a->{session};
        fail($what->('another number'))
            if defined $a->{number} && $s->{number} ne $a->{number};
        fail($what->('another number is told'))
            if defined $a->{told_number} && $a->{told_number} ne $s->{number};
    }
}


# The most that was over what a bucket lets through, in any time.
sub over {
    my @times = sort { $a <=> $b } @_;
    my $over = 0;

    for my $i (0 .. $#times) {
        for my $j ($i + $Burst .. $#times) {
            my $long = $times[$j] - $times[$i] + $Slack;
            $over = max($over, $j - $i + 1 - int($Burst + $long * $Rate));
        }
    }

    return $over;
}


# KB of a gateway's master and of its largest worker, bytes that its zones have
# free.
sub room {
    my ($ng) = @_;
    my %free = $ng->request('GET', '/metrics')->{body}
        =~ /^wa_gateway_zone_bytes\{zone="(\w+)",kind="free"\} (\d+)/mg;

    return { master => rss($ng->{pid}),
             worker => max(map { rss($_) } $ng->worker_pids), z => $free{z} };
}


sub rss {
    my ($pid) = @_;
    return slurp("/proc/$pid/status") =~ /^VmRSS:\s*(\d+)/m ? $1 : 0;
}


sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[$#sorted / 2];
}


print "seed $seed, $minutes min\n";
quiet();
collect();
%Sent = ();

my $end = time + 60 * $minutes;
my (@lines, @rooms);

while (time < $end && !$failed) {
    %Times_of = ();

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

    for (1 .. 10 + rand 20) {
        my $what = any(@order);
        $Change{$what}->();
        $done{$what}++;
        sleep rand 0.5;
    }

    quiet();
    sleep 1;
    kill 'TERM', @pids;

    for (@pids) {
        waitpid $_, 0;
        fail("a client ended with $?") if $?;
    }

    quiet();
    collect();

    my @new = map { split /(?<=\n)/, slurp("$dir/client.$_") } 1 .. $Clients;
    judge($_) for @new;
    push @lines, map { $json->decode($_)->{id} } @new;

    for my $number (sort keys %Times_of) {
        my $over = over(@{$Times_of{$number}});
        fail("$number sent $over over its budget") if $over > 0;
    }

    push @rooms, [map { room($_) } @ngs];
    $rounds++;
}

# what came later
quiet();
collect();

for my $id (@lines) {
    fail("twice, later: $id") if @{$Sent{$id} || []} > 1;
}

my %asked = map { $_ => 1 } @lines;
my @unknown = grep { !$asked{$_} } keys %Sent;
fail("sent, and nobody asked: @unknown") if @unknown;

# the first third of the run warms up, a gateway that was killed begins anew
my @early = @rooms[@rooms / 3 .. 2 * @rooms / 3];
my @late = @rooms[2 * @rooms / 3 .. $#rooms];

for my $n (0, 1) {
    for my $what (qw(master worker z)) {
        my ($from, $to) = map { my $all = $_;
            median(map { $_->[$n]{$what} } @$all) } \@early, \@late;

        printf "gateway %d: %s %d, then %d\n", $n + 1,
               $what eq 'z' ? 'bytes free in the zone' : "KB of the $what",
               $from, $to;
        fail("gateway $n: $what went from $from to $to")
            if @rooms >= 30 && ($what eq 'z' ? $to < $from - 65536
                                             : $to > $from * 1.1 + 1024);
    }
}

for my $ng (@ngs) {
    $ng->stop;
    my @bad = $ng->alarms;
    fail(join "\n", 'the log:', @bad) if @bad;
}

print join(', ', map { "$_ $done{$_}" } sort keys %done), "\n";
print join(', ', map { "$_ $count{$_}" } sort keys %count), "\n";
print "$rounds times quiet\n";
print $failed ? "FAILED\n$failed" : "clean\n";

exit($failed ? 1 : 0);
