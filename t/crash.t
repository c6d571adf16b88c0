#!/usr/bin/perl

# Workers die at any moment, the lock of the zone in their hands or not.
# WA_GATEWAY_TEST_KILLS=200: so many of them; 40 otherwise.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Load;
use WaGateway::Nginx qw(poll send_request read_answer slurp);

my $Kills = $ENV{WA_GATEWAY_TEST_KILLS} || 40;
my $Workers = 4;
my $Root = abs_path(dirname(__FILE__) . '/..');

# A sanitizer takes this signal for a finding.
my @Signals = $ENV{WA_GATEWAY_TEST_SANITIZE} ? ('KILL') : ('KILL', 'SEGV');

my @fakes = map { WaGateway::Fake->new } 1 .. 3;


sub upstream {
    my ($server) = @_;
    return join '', 'wa_gateway; wa_gateway_check interval=500ms;',
                    map { "server " . $_->name . " $server;" } @fakes;
}


sub in_flight {
    my ($ng) = @_;
    my $n = 0;
    $n += $_->{requests}{inFlight}
        for values %{$ng->status->{instances}{details}};
    return $n;
}


sub states {
    my ($ng) = @_;
    return join ' ', map { $_->{state} }
                     values %{$ng->status->{instances}{details}};
}


# Nothing but the deaths that were meant.
sub quiet {
    my ($ng, $name) = @_;

    $ng->stop;

    my @bad = grep { /\[(?:alert|crit|emerg)\]/
                     && !/worker process \d+ exited on signal (?:9|11)/
                     && !/was locked by/ }
              split /\n/, $ng->log;

    is(join("\n", @bad), '', $name);
}


{
    my $ng = WaGateway::Nginx->start(workers => $Workers, level => 'notice',
        main => 'worker_rlimit_core 0;', upstream => upstream(''));

    ok((poll { states($ng) eq 'up up up' }), 'all instances are up');

    my $load = WaGateway::Load->start($ng->port, clients => 8);
    my $clients = 8;
    my ($killed, $loaded) = (0, 0);

    for my $n (1 .. $Kills) {
        my @pids;
        poll { @pids = $ng->worker_pids; @pids == $Workers };

        my $pid = $pids[rand @pids];
        kill $Signals[$n % @Signals], $pid;
        $killed++ if poll { !grep { $_ == $pid } $ng->worker_pids };
        $loaded++ if $load->more(5);
        sleep rand 0.05;
    }

    is($killed, $Kills, "$Kills workers were killed under load");

    my @results = $load->stop;
    my $seen = WaGateway::Load::seen(@fakes);
    my @bad = grep { $_->{status} != 200 || !$_->{whole} } @results;
    my @cut = grep { $_->{status} == 0 || !$_->{whole} } @bad;

    is($loaded, $Kills, 'there was load after each: ' . @results);
    is(scalar(@bad), scalar(@cut), 'no error was made up');
    cmp_ok(scalar @cut, '<=', $clients * $Kills,
           'what failed was in flight in a killed worker: ' . @cut);
    is(scalar(grep { $_ > 1 } map { $seen->{$_->{path}} || 0 } @results), 0,
       'no message was seen twice');
    is(scalar(grep { $_->{status} == 200 && !$seen->{$_->{path}} } @results),
       0, 'none that was confirmed is missing');

    ok((poll { in_flight($ng) == 0 }), 'nothing is left in flight');
    is(states($ng), 'up up up', 'no instance was blamed');
    is(scalar(@{$ng->status->{events}}), 0, 'nor was one for a moment');

    quiet($ng, 'the log tells of these deaths only');
}


# Every worker at once: who checks what must be found anew.
{
    $_->forget for @fakes;

    my $ng = WaGateway::Nginx->start(workers => $Workers, level => 'notice',
        upstream => upstream(''));

    ok((poll { states($ng) eq 'up up up' }), 'all instances are up');

    my @before = map { scalar $_->ledger('/health') } @fakes;
    my @pids = $ng->worker_pids;
    my ($start, $late) = (time, lateness());
    kill 'KILL', @pids;

    for my $i (0 .. $#fakes) {
        poll { $fakes[$i]->ledger('/health') > $before[$i] + 1 };
    }

    # Two intervals, one for the check that was counted twice, and room.
    soon(time - $start, 3 * 0.55 + 1.5, $late,
         'every instance is checked again, twice');

    $fakes[0]->mode('status:503');
    ok((poll { $ng->instance($fakes[0]->name)->{state} eq 'down' }),
       'and what the checks see counts');
    $fakes[0]->mode('json');
    ok((poll { $ng->instance($fakes[0]->name)->{state} eq 'up' }),
       'both ways');

    quiet($ng, 'the log tells of these deaths only');
}


# max_conns: what a killed worker held is free again, and no more than that.
{
    my $ng = WaGateway::Nginx->start(workers => $Workers, level => 'notice',
        upstream => upstream('max_conns=2'));

    ok((poll { states($ng) eq 'up up up' }), 'all instances are up');

    for my $round (1 .. 3) {
        my @held = map { send_request($ng->port, 'POST', '/h?fake=hang',
                                      body => 'x') } 1 .. 6;

        ok((poll { in_flight($ng) == 6 }), "round $round: all places taken");
        is($ng->request('POST', '/more', body => 'x')->{status}, 503,
           "round $round: not one more");

        kill 'KILL', $ng->worker_pids;

        ok((poll { in_flight($ng) == 0 }), "round $round: all places free");
        is(scalar(grep { read_answer($_, 'POST', timeout => 5)->{status} }
                  @held), 0, "round $round: what was in flight has failed");
    }

    is(states($ng), 'up up up', 'no instance was blamed');

    quiet($ng, 'the log tells of these deaths only');
}


# With the lock in its hands.  The module for this stops a worker there.
SKIP: {
    my $module = hooked() or skip 'no module with hooks for this nginx', 17;
    local $ENV{TEST_NGINX_LOAD_MODULES} = $module;

    my $ng = WaGateway::Nginx->new(workers => $Workers, level => 'notice',
        upstream => upstream(''));
    $ng->{main} = "working_directory $ng->{dir};";
    $ng->start;

    ok((poll { states($ng) eq 'up up up' }), 'all instances are up');
    $ng->request('POST', "/p$_", body => 'x') for 1 .. 6;

    my $before = $ng->status;

    my $parked = park($ng);
    ok($parked, 'a worker stopped with the lock');
    kill 'KILL', $parked;

    ok((poll { eval { $ng->status } }), 'it was killed, the rest goes on');
    is($ng->request('POST', '/q', body => 'x')->{status}, 200, 'at work');
    is(states($ng), 'up up up', 'no state is lost');
    is($ng->status->{instances}{details}{'http://' . $_->name}{requests}{total}
       >= $before->{instances}{details}{'http://' . $_->name}{requests}{total},
       1, 'nor a count') for $fakes[0];

    # A reload waits for the lock in the master, who then gets no signals.
    $parked = park($ng);
    ok($parked, 'another one');

    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    poll { $ng->log =~ / reconfiguring$/m };
    poll { waits($ng->{pid}) };
    kill 'KILL', $parked;

    ok((poll { my @p = $ng->worker_pids;
               @p == $Workers && !grep { $old{$_} } @p }),
       'it was killed while a reload waited for it: the reload goes on');
    is($ng->request('POST', '/r', body => 'x')->{status}, 200, 'at work');
    is(states($ng), 'up up up', 'no state is lost');

    quiet($ng, 'the log tells of these deaths only');

    # A worker that stops with the lock makes the others come one by one: at
    # the same moment each sees that another instance is up.
    $_->mode('status:500') for @fakes;

    $ng = WaGateway::Nginx->new(workers => $Workers, level => 'notice',
        upstream => join '', 'wa_gateway; wa_gateway_passive status_fails=1
                                          eject=1h;',
                             map { 'server ' . $_->name . ';' } @fakes);
    $ng->{main} = "working_directory $ng->{dir};";
    $ng->start;

    # They look for dead workers together, with the lock, once a second.
    kill 'CONT', park($ng);
    poll { !grep { waits($_) } $ng->worker_pids };

    open my $fh, '>', "$ng->{dir}/wa_gateway.park" or die "$!\n";
    close $fh;

    my @sent;
    for my $n (1 .. 3) {
        push @sent, send_request($ng->port, 'POST', "/s$n", body => 'x');
        ok((poll { (grep { waits($_) } $ng->worker_pids) >= $n }),
           "instance $n answers badly, a worker waits");
    }

    poll { ($parked) = grep { state_of($_) eq 'T' } $ng->worker_pids };
    kill 'CONT', $parked;

    is(join(' ', map { read_answer($_, 'POST')->{status} } @sent),
       '500 500 500', 'each is asked');
    is(join(' ', sort split / /, states($ng)), 'down down up',
       'one of them stays');

    quiet($ng, 'the log is quiet');
}

done_testing;


sub hooked {
    my $built = "$Root/build/ngx_http_wa_gateway_module.so";
    my $module = $ENV{TEST_NGINX_LOAD_MODULES} || $built;

    return $module if index(slurp($module), 'wa_gateway.park') >= 0;
    return if $module ne $built;

    my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
    system("make -s -C '$Root' NGINX='$nginx' hooks >&2") == 0 or return;

    return "$Root/build/hooks/objs/ngx_http_wa_gateway_module.so";
}


sub state_of {
    my ($pid) = @_;
    my ($state) = slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) (\S)/;
    return $state || '';
}


# A process that rests neither in sigsuspend() nor in epoll_wait(): it sleeps
# a ms at a time, or was stopped.
sub waits {
    my ($pid) = @_;
    return state_of($pid) =~ /[ST]/
           && slurp("/proc/$pid/wchan") !~ /suspend|epoll|ep_poll/;
}


sub park {
    my ($ng) = @_;
    my $pid;

    open my $fh, '>', "$ng->{dir}/wa_gateway.park" or die "$!\n";
    close $fh;

    poll { ($pid) = grep { state_of($_) eq 'T' } $ng->worker_pids };

    return $pid;
}
