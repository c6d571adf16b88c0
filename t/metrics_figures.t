#!/usr/bin/perl

# /metrics and /status: their figures against what the fake instances saw, over
# four workers and a reload; 4,000 instances.  What is there: metrics.t.
#
# WA_TEST_REQUESTS sets how many requests are counted: 2,000, or 10,000 for a
# thorough run.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Fake;
use WaGateway::Late;
use WaGateway::Nginx qw(http send_request read_answer poll slurp);

my $N = $ENV{WA_TEST_REQUESTS} || 2000;
my @Codes = qw(1xx 2xx 3xx 4xx 5xx);
my @Reasons = qw(connect timeout reset invalid);


# Prometheus' text format, read strictly: what is wrong with it, and the
# samples as { name => { 'label=value,...' => number } }, labels sorted.
sub parse {
    my ($text) = @_;
    my (@wrong, %samples, %type, %help, %done, $now);

    push @wrong, 'no line end at the end' unless $text =~ /\n\z/;
    push @wrong, 'not UTF-8' unless utf8::decode(my $copy = $text);

    for my $line (split /\n/, $text) {
        if ($line =~ /^# HELP ([a-z_]+) \S.*\S$/) {
            push @wrong, "HELP of $1 again" if $help{$1}++;
            $done{$now} = 1 if defined $now;
            $now = $1;
            next;
        }

        if (my ($name, $type) =
            $line =~ /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/)
        {
            push @wrong, "TYPE of $name again" if $type{$name};
            push @wrong, "TYPE of $name not after its HELP"
                unless defined $now && $now eq $name;
            push @wrong, "$name is a $type"
                if $type eq 'counter' xor $name =~ /_total$/;
            $type{$name} = $type;
            next;
        }

        my ($name, $labels, $value) = $line =~ /^
            ([a-zA-Z_:][a-zA-Z0-9_:]*)
            (?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"
                  (?:,(?=[a-zA-Z])|(?=\})))*)\})?
            [ ]([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN))$/x
            or do { push @wrong, "bad line: $line"; next };

        (my $family = $name) =~ s/_(?:bucket|sum|count)$//;
        $family = $name unless ($type{$family} || '') eq 'histogram';

        push @wrong, "$name without HELP and TYPE"
            unless $help{$family} && $type{$family};
        push @wrong, "$name is not in its family's place"
            if $done{$family} || !defined $now || $now ne $family;

        my %l;
        while (defined $labels
               && $labels =~ /(\w+)="((?:[^"\\]|\\.)*)"/g)
        {
            push @wrong, "label $1 twice" if exists $l{$1};
            $l{$1} = $2;
        }

        my $key = join ',', map { "$_=$l{$_}" } sort keys %l;

        push @wrong, "$name\{$key} again" if exists $samples{$name}{$key};
        push @wrong, "$name\{$key} is $value" if $value =~ /NaN|^-/;
        $samples{$name}{$key} = $value;
    }

    for my $family (grep { $type{$_} eq 'histogram' } keys %type) {
        push @wrong, histogram($family, \%samples);
    }

    return (\%samples, join "\n", @wrong);
}


# Cumulative, up to +Inf, which is the count.
sub histogram {
    my ($family, $samples) = @_;
    my (%buckets, @wrong);

    for my $key (keys %{$samples->{"${family}_bucket"}}) {
        my ($le) = $key =~ /(?:^|,)le=([^,]+)/;
        (my $rest = $key) =~ s/(?:^|,)le=[^,]+//;
        $rest =~ s/^,//;
        $buckets{$rest}{$le eq '+Inf' ? 9**9**9 : $le} =
            $samples->{"${family}_bucket"}{$key};
    }

    for my $key (keys %buckets) {
        my @le = sort { $a <=> $b } keys %{$buckets{$key}};
        my @n = @{$buckets{$key}}{@le};
        my $count = $samples->{"${family}_count"}{$key};
        my $sum = $samples->{"${family}_sum"}{$key};

        push @wrong, "$family\{$key}: no +Inf" unless $le[-1] == 9**9**9;
        push @wrong, "$family\{$key}: not cumulative"
            if grep { $n[$_] < $n[$_ - 1] } 1 .. $#n;
        push @wrong, "$family\{$key}: +Inf is not _count"
            unless defined $count && $count == $n[-1];

        # each is between the bounds of its bucket, rounded down to a ms
        my ($low, $high, $last, $from) = (0, 0, 0, 0);
        for (0 .. $#le) {
            $low += ($n[$_] - $last) * $from;
            $high += ($n[$_] - $last) * $le[$_] if $n[$_] > $last;
            ($last, $from) = ($n[$_], $le[$_]);
        }
        push @wrong, "$family\{$key}: _sum is $sum, not $low to $high"
            unless defined $sum && $sum >= $low - 1e-6 && $sum <= $high + 1e-6;
    }

    return @wrong;
}


sub promtool {
    my ($text, $name) = @_;

    SKIP: {
        skip 'no promtool', 1 unless grep { -x "$_/promtool" }
                                     split /:/, $ENV{PATH};

        my $file = File::Temp->new;
        print $file $text;
        close $file;

        my $said = `promtool check metrics <"$file" 2>&1`;
        is("$? $said", '0 ', $name);
    }
}


sub metrics {
    my ($ng) = @_;
    my $r = $ng->request('GET', '/metrics');
    my ($samples, $wrong) = parse($r->{body});

    return wantarray ? ($samples, $wrong, $r) : $samples;
}


# Runs $code->($n) for 0 .. $clients - 1, each in a process of its own, from
# the moment all are there; returns their pids.
sub clients {
    my ($clients, $code) = @_;
    my @pids;

    for my $n (0 .. $clients - 1) {
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            eval { $code->($n); 1 } or print STDERR $@;
            POSIX::_exit(0);
        }
        push @pids, $pid;
    }

    return @pids;
}


sub servers {
    return join '', map { 'server ' . $_->name . ';' } @_;
}


my $Metrics = 'location = /metrics { wa_gateway_metrics; } ';


# Form, before there is anything to count and after

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => 'wa_gateway zone=z:256k; wa_gateway_passive eject=1h;'
                    . servers(@fakes),
        http => 'upstream other { wa_gateway zone=z:256k; '
                . 'server unix:/tmp/"a\\\\b"; }',
        server => $Metrics);

    my ($m, $wrong, $r) = metrics($ng);

    is($wrong, '', 'the text format, to the letter');
    promtool($r->{body}, 'promtool has nothing to say');
    is(join(' ', sort keys %$m), join(' ', sort map { "wa_gateway_$_" } qw(
        info uptime_seconds reloads_total instance_up instance_state
        requests_total request_failures_total request_duration_seconds_bucket
        request_duration_seconds_sum request_duration_seconds_count
        requests_in_flight failovers_total ambiguous_total no_instance_total
        checks_total check_duration_seconds zone_bytes)), 'all metrics');
    $ng->clean;
}


# Counters: what the fakes saw, by the modes that the requests asked for

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 3;
    my @names = map { 'http://' . $_->name } @fakes;
    # A connection that is kept and closed at the wrong moment would be a
    # message that no fake has seen.
    my $ng = WaGateway::Nginx->start(workers => 4,
        upstream => 'wa_gateway; wa_gateway_passive off;'
                    . servers(@fakes),
        server => "$Metrics location /hang { proxy_pass http://u; "
                  . 'proxy_read_timeout 100ms; }',
        location => 'proxy_http_version 1.0; proxy_read_timeout 60s;');

    # of 50: a mix that no client repeats in step
    my @mix = ((map { ['/ok', 'json'] } 1 .. 24), ['/moved', 'status:302'],
               (map { ['/bad', 'status:404'] } 1 .. 6), ['/made', 'status:201'],
               (map { ['/worse', 'status:503'] } 1 .. 6), ['/ok', 'chunked'],
               (map { ['/reset', 'reset'] } 1 .. 4), ['/close', 'close'],
               ['/hang', 'hang'], ['/junk', 'garbage'],
               (map { ['/keep', 'keep:2'] } 1 .. 4));
    my ($clients, $port) = (8, $ng->port);
    my $each = int($N / $clients);
    my $start = time;

    my @pids = clients($clients, sub {
        my ($n) = @_;

        for my $i (1 .. $each) {
            my ($path, $mode) = @{$mix[($i * 7 + $n * 11) % @mix]};
            http($port, 'POST', "$path?fake=$mode", body => "$n.$i");
        }
    });

    my $seen = sub {
        my $n = 0;
        $n += $_->count for @fakes;
        return $n;
    };

    ok(poll { $seen->() > $N / 3 }, 'traffic');
    ok($ng->reload, 'a reload in the middle of it');
    waitpid $_, 0 for @pids;

    note sprintf '%d requests in %.1f s', $each * $clients, time - $start;

    ok(poll {
        my $d = $ng->status->{instances}{details};
        !grep { $d->{$_}{requests}{inFlight} } @names;
    }, 'none is in flight any more');

    is($seen->(), $each * $clients, 'the fakes saw each request once');

    my $passed = time - $start;
    my ($m, $wrong, $r) = metrics($ng);
    my $s = $ng->status;
    my ($unanswered, %all) = (0);

    is($wrong, '', 'the text format, with figures in it');
    promtool($r->{body}, 'promtool has nothing to say');

    for my $i (0 .. $#fakes) {
        my %want = map { $_ => 0 } @Codes, @Reasons;
        my $total = 0;

        for ($fakes[$i]->ledger) {
            my ($mode, $arg) = $_->{path} =~ /fake=(\w+):?(\d*)/;
            $total++;
            $want{$mode eq 'reset' || $mode eq 'close' ? 'reset'
                  : $mode eq 'hang' ? 'timeout'
                  : $mode eq 'garbage' ? 'invalid'
                  : $mode eq 'status' ? int($arg / 100) . 'xx' : '2xx'}++;
        }

        my $base = "instance=$names[$i],upstream=u";
        my %got = ((map { $_ => $m->{wa_gateway_requests_total}
                                  {"code=$_,$base"} } @Codes),
                   (map { $_ => $m->{wa_gateway_request_failures_total}
                                  {"instance=$names[$i],reason=$_,upstream=u"} }
                    @Reasons));

        is_deeply(\%got, \%want, "/metrics is true to the ledger of fake $i");

        my $q = $s->{instances}{details}{$names[$i]}{requests};
        my $broken = 0;
        $broken += $want{$_} for @Reasons;
        $unanswered += $broken;

        is_deeply($q, { total => $total, inFlight => 0, failed => $broken,
                        map { $_ => $want{$_} } @Codes },
                  "and /status, fake $i");
        is($m->{wa_gateway_request_duration_seconds_count}{$base},
           $total - $broken, 'the histogram counts each answer');
        is($m->{wa_gateway_requests_in_flight}{$base}, 0, 'in flight');
    }

    is($m->{wa_gateway_ambiguous_total}{'upstream=u'}, $unanswered,
       'ambiguous: written and not answered');
    is($m->{wa_gateway_failovers_total}{'upstream=u'}, 0, 'no failover');
    is($m->{wa_gateway_no_instance_total}{'upstream=u'}, 0,
       'none without an instance');
    is($m->{wa_gateway_reloads_total}{''}, 1, 'the reload is counted');
    is($s->{gateway}{generation}, 1, 'in /status too');
    cmp_ok($m->{wa_gateway_uptime_seconds}{''}, '>=', $passed - 0.5,
           'uptime goes on over it');

    # every worker says the same
    my %said;
    for (1 .. 30) {
        my $text = $ng->request('GET', '/metrics')->{body};
        $text =~ s/^wa_gateway_uptime_seconds.*//mg;
        $said{$text}++;
    }
    is(scalar(keys %said), 1, 'from any worker');

    # connect failures and failovers
    $fakes[1]->stop;
    my %attempts;
    for (1 .. 60) {
        my $r = $ng->request('POST', '/ok', body => 'x');
        $attempts{"$r->{status} $r->{headers}{'x-wa-attempts'}"}++;
    }
    $m = metrics($ng);
    my $connect = $m->{wa_gateway_request_failures_total}
                      {"instance=$names[1],reason=connect,upstream=u"};
    is_deeply(\%attempts, { '200 1' => 60 - $connect, '200 2' => $connect },
              'each refused connection failed over');
    cmp_ok($connect, '>=', 19, 'a third of the turns');
    is($m->{wa_gateway_failovers_total}{'upstream=u'}, $connect,
       'as many failovers are counted');
    is($m->{wa_gateway_ambiguous_total}{'upstream=u'}, $unanswered,
       'of which nothing is ambiguous');

    # a failover is a second attempt, not the wish for one
    ok($ng->reload(location => 'proxy_next_upstream off;'), 'a reload');
    my $before = metrics($ng)->{wa_gateway_failovers_total}{'upstream=u'};
    my %status;
    $status{$ng->request('POST', '/ok', body => 'x')->{status}}++ for 1 .. 12;
    cmp_ok($status{502}, '>=', 3, 'a third is refused');
    is(metrics($ng)->{wa_gateway_failovers_total}{'upstream=u'}, $before,
       'where proxy_next_upstream is off there is no failover');

    $ng->clean;
}


# Nobody to ask; checks

{
    my @fakes = map { WaGateway::Fake->new } 1 .. 2;
    my ($up, $down) = map { 'instance=http://' . $_->name . ',' } @fakes;
    my $ng = WaGateway::Nginx->start(workers => 4,
        upstream => 'wa_gateway; wa_gateway_check uri=/h interval=200ms '
                    . 'timeout=1h; wa_gateway_passive off;'
                    . servers(@fakes),
        server => $Metrics);

    $fakes[1]->mode('status:500');

    my $checks = sub {
        my ($m, $of, $result) = @_;
        return $m->{wa_gateway_checks_total}{"${of}result=$result,upstream=u"};
    };
    ok(poll {
        my $m = metrics($ng);
        $checks->($m, $up, 'pass') >= 5 && $checks->($m, $down, 'fail') >= 3;
    }, 'checks are counted');

    # none is under way between two equal counts of the same ledger
    my ($m, @seen);
    ok(poll {
        @seen = map { scalar $_->ledger('/h') } @fakes;
        $m = metrics($ng);
        my @again = map { scalar $_->ledger('/h') } @fakes;
        "@seen" eq "@again"
            && $checks->($m, $up, 'pass') + $checks->($m, $up, 'fail') == $seen[0]
            && $checks->($m, $down, 'pass') + $checks->($m, $down, 'fail') == $seen[1];
    }, 'as many as the fakes saw') or diag "@seen";
    is($checks->($m, $up, 'fail'), 0, 'of one none failed');

    $fakes[0]->mode('status:500');
    ok(poll { $ng->request('GET', '/health')->{status} == 503 }, 'all down');
    is($ng->request('POST', '/x', body => 'x')->{status}, 503, 'a 503')
        for 1 .. 7;
    is(metrics($ng)->{wa_gateway_no_instance_total}{'upstream=u'}, 7,
       'requests without an instance are counted');
    $ng->clean;
}


# Percentiles: against nginx's own times of the same answers

{
    my $fake = WaGateway::Fake->new;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => 'wa_gateway; server ' . $fake->name . ';',
        http => 'log_format times "$upstream_header_time";',
        server => $Metrics,
        location => 'access_log times.log times;');
    my $port = $ng->port;

    # 2 to 320 ms, most of them fast
    my @delays = map { 0.002 + 0.318 * ($_ / 300) ** 3 } 1 .. 300;
    my @pids = clients(6, sub {
        my ($n) = @_;
        http($port, 'GET', "/?delay=$delays[$_]")
            for grep { $_ % 6 == $n } 0 .. $#delays;
    });
    waitpid $_, 0 for @pids;

    my @times;
    ok(poll { @times = sort { $a <=> $b } split /\n/,
                       slurp("$ng->{dir}/times.log");
              @times == @delays }, 'a known distribution');

    my $l = $ng->instance($fake->name)->{latency};

    for my $p (50, 95, 99) {
        my $real = 1000 * $times[POSIX::ceil(@times * $p / 100) - 1];
        my $asked = 1000 * $delays[POSIX::ceil(@times * $p / 100) - 1];

        cmp_ok(abs($l->{"p$p"} - $real), '<=', 0.05 * $real + 1,
               "p$p is within 5 % ($l->{\"p$p\"} of $real ms)");
        # in steps of nginx's clock
        cmp_ok($real, '>=', $asked - 10, 'and no less than what was asked for');
    }

    my ($m, $wrong) = metrics($ng);
    my $key = 'instance=http://' . $fake->name . ',upstream=u';
    my $sum = 0;
    $sum += $_ for @times;

    is($wrong, '', 'the histogram is consistent');
    cmp_ok(abs($m->{wa_gateway_request_duration_seconds_sum}{$key} - $sum),
           '<=', 0.0005, '_sum is that of the times');

    my @le = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5);
    is_deeply([map { $m->{wa_gateway_request_duration_seconds_bucket}
                       {"instance=http://" . $fake->name
                        . sprintf(',le=%.3f,upstream=u', $_)} } @le],
              [map { my $le = $_; scalar(grep { $_ <= $le + 1e-9 } @times) }
               @le], 'the buckets are exact');
    $ng->clean;
}


# 4,000 instances

{
    my $servers = join '', map {
        sprintf 'server 127.1.%d.%d:9;', $_ >> 8, $_ & 255
    } 0 .. 3999;

    my $narrow = WaGateway::Fake::free_port();
    my $ng = WaGateway::Nginx->start(workers => 1,
        upstream => "wa_gateway zone=u:16m; $servers",
        http => "server { listen 127.0.0.1:$narrow sndbuf=16k; "
                . 'location = /status { wa_gateway_status u; } }',
        server => "$Metrics location = /ping { return 204; }");
    my $port = $ng->port;

    # the longest pause of another connection's requests, in s
    my $pause = sub {
        my ($code) = @_;
        pipe my $read, my $write or die "pipe: $!\n";

        my ($pid) = clients(1, sub {
            my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                          PeerPort => $port) or return;
            my ($longest, $stop) = (0, 0);
            local $SIG{TERM} = sub { $stop = 1 };
            syswrite $write, "ready\n";

            until ($stop) {
                my $at = time;
                my $r = http($port, 'GET', '/ping', socket => $s);
                last if $r->{status} != 204;
                $longest = time - $at if time - $at > $longest;
            }
            syswrite $write, "$longest\n";
        });

        close $write;
        sysread $read, my $ready, 6;
        my @r = $code->();
        kill 'TERM', $pid;
        my $longest = <$read>;
        waitpid $pid, 0;
        return ($longest, @r);
    };

    my ($idle) = $pause->(sub { poll { 0 } 1 });
    diag sprintf 'with nothing else: longest pause %.1f ms', 1000 * $idle;

    for my $path ('/status', '/metrics') {
        my $late = lateness();
        my ($longest, $r, $took) = $pause->(sub {
            my ($r, $best);
            for (1 .. 5) {
                my $at = time;
                $r = http($port, 'GET', $path);
                $best = time - $at if !defined $best || time - $at < $best;
            }
            return ($r, $best);
        });

        is("$r->{status} $r->{whole}", '200 1', "$path of 4,000 instances");
        diag sprintf '%s of 4,000 instances: %.2f MB, %.0f ms, longest pause '
                     . 'of another request %.1f ms', $path,
                     length($r->{body}) / 1e6, 1000 * $took, 1000 * $longest;
        cmp_ok(length $r->{body}, '<', $path eq '/status' ? 4e6 : 20e6,
               'its size');
        soon($took, 10, $late, 'its time');
        soon($longest, 2, $late, 'others hardly wait');

        if ($path eq '/status') {
            my $s = eval { decode_json($r->{body}) };
            is(scalar(keys %{$s->{instances}{details}}), 4000, 'all of them');
        } else {
            my ($m, $wrong) = parse($r->{body});
            is($wrong, '', 'the text format');
            is(scalar(keys %{$m->{wa_gateway_instance_up}}), 4000,
               'all of them');
        }
    }

    # a reader so slow that the answer waits for it, again and again
    my $slow = IO::Socket::INET->new(Proto => 'tcp');
    setsockopt $slow, SOL_SOCKET, SO_RCVBUF, 4096;
    connect $slow, Socket::pack_sockaddr_in($narrow,
                                         Socket::inet_aton('127.0.0.1'))
        or die "connect: $!\n";
    syswrite $slow, "GET /status HTTP/1.1\r\nHost: x\r\n"
                    . "Connection: close\r\n\r\n";

    # nothing is taken until the gateway is known to wait
    my ($text, $n, $blocked) = ('', 0, 0);
    $blocked++ if http($port, 'GET', '/ping')->{status} != 204;

    while (1) {

        # the gateway is asked in between: it must not wait for the reader
        if ($n++ % 20 == 0) {
            $blocked++ if http($port, 'GET', '/ping')->{status} != 204;
        }
        last unless sysread $slow, $text, 16384, length $text;
    }

    is($blocked, 0, 'a slow reader holds up nobody');

    my ($head, $rest) = split /\r\n\r\n/, $text, 2;
    like($head, qr/^Transfer-Encoding: chunked\r?$/mi, 'it came in chunks');

    my $body = '';
    while ($rest =~ s/^([0-9a-f]+)\r\n//i && hex $1) {
        $body .= substr $rest, 0, hex $1, '';
        $rest =~ s/^\r\n//;
    }
    my $s = eval { decode_json($body) };
    is(scalar(keys %{$s->{instances}{details} || {}}), 4000,
       'and is whole, valid JSON');

    # one that goes away
    my $gone = send_request($port, 'GET', '/status');
    sysread $gone, my $some, 1000;
    close $gone;
    is(http($port, 'GET', '/ping')->{status}, 204, 'a reader may go away');

    is(scalar(keys %{decode_json($ng->request('GET', '/status?state=down')
                                 ->{body})->{instances}{details}}), 0,
       '?state= of 4,000');
    $ng->clean;
}

done_testing;
