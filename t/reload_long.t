#!/usr/bin/perl

# Reloads by the hundred, with a configuration that changes, fails, or comes
# while requests last.  WA_GATEWAY_TEST_RELOADS=1000: so many; 60 otherwise.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll send_request read_answer slurp);

my $Reloads = $ENV{WA_GATEWAY_TEST_RELOADS} || 60;
my $Slow = $ENV{WA_GATEWAY_TEST_SANITIZE} ? 4 : 1;

my @fakes = map { WaGateway::Fake->new } 1 .. 4;
my $metrics = 'location = /metrics { wa_gateway_metrics; }';


# server lines of some of the fakes, with what follows the address.
sub servers {
    my ($more, @which) = @_;
    return join '', map { 'server ' . $fakes[$_]->name . " $more;" } @which;
}


sub upstream {
    my ($which, $more, $zone) = @_;
    return 'wa_gateway ' . ($zone || '') . ';'
           . 'wa_gateway_passive eject=1h;' . servers($more || '', @$which);
}


sub free_bytes {
    my ($ng) = @_;
    my $text = $ng->request('GET', '/metrics')->{body};
    return $text =~ /^wa_gateway_zone_bytes\{.*kind="free".*\} (\d+)/m
           ? $1 : -1;
}


sub rss {
    my ($pid) = @_;
    return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : 0;
}


# KB per reload, by least squares.
sub slope {
    my @y = @_;
    my ($n, $sx, $sy, $sxx, $sxy) = (scalar @y, 0, 0, 0, 0);

    for my $x (0 .. $#y) {
        $sx += $x;
        $sy += $y[$x];
        $sxx += $x * $x;
        $sxy += $x * $y[$x];
    }

    return ($n * $sxy - $sx * $sy) / ($n * $sxx - $sx * $sx);
}


sub state { return $_[0]->instance($fakes[$_[1]]->name)->{state} || '-' }


# Those of them that are there take no more requests.
sub leave {
    return !grep { my $line = slurp("/proc/$_/cmdline");
                   length $line && $line !~ /shutting down/ } @_;
}


# All that a reload has to keep.
sub kept {
    my ($ng) = @_;
    my $s = $ng->status;
    my %d = %{$s->{instances}{details}};

    return { events => $s->{events}, position => $s->{loadBalancer},
             map { $_ => [@{$d{$_}}{qw(state since reason checks latency)},
                          @{$d{$_}{requests}}{qw(total inFlight failed)}]
                 } map { 'http://' . $fakes[$_]->name } 0 .. 2 };
}


# By the hundred: nothing grows, nothing is lost.
{
    my $ng = WaGateway::Nginx->start(workers => 2, level => 'notice',
        upstream => upstream([0 .. 2]), server => $metrics);

    $fakes[2]->mode('reset');
    $ng->request('POST', "/a$_", body => 'x') for 1 .. 7;
    $fakes[2]->mode('json');

    is(state($ng, 2), 'down', 'an instance is down');
    ok($ng->reload, 'a first reload') for 1 .. 2;

    my $before = kept($ng);
    my $free = free_bytes($ng);
    my $ok = 0;
    my (@master, @worker, $load, @results);
    my ($under, $loaded) = (0, 0);

    my @variants = (upstream([0 .. 2]), upstream([0 .. 3]),
                    upstream([0 .. 2], 'weight=3'),
                    upstream([0 .. 2], 'max_conns=100'));

    for my $n (1 .. $Reloads) {
        if ($n == int($Reloads * 0.8)) {
            is_deeply(kept($ng), $before, "after $n reloads all is as before")
                if $ng->reload(upstream => $variants[0]);
            $load = WaGateway::Load->start($ng->port, clients => 4,
                                           pause => 0.005);
        }

        $ok++ if $ng->reload(upstream => $variants[$n % @variants]);

        if ($load) {
            $under++;
            $loaded++ if $load->more(4);
        }

        push @master, rss($ng->{pid});
        push @worker, rss(($ng->worker_pids)[0]) unless $load;
    }

    is($ok, $Reloads, "$Reloads reloads");
    @results = $load->stop;

    $ng->reload(upstream => $variants[0]) for 1 .. 2;

    is($loaded, $under, "$under of them under load: " . @results);
    is(scalar(grep { $_->{status} != 200 } @results), 0,
       'no client saw an error');
    is(scalar(grep { ($_ || 0) != 1 }
              @{WaGateway::Load::seen(@fakes)}{map { $_->{path} } @results}),
       0, 'every message was seen once');
    is(free_bytes($ng), $free, 'the zone has as much room as before');
    is(state($ng, 2), 'down', 'what was down is down');

    # The allocator needs a while until it has what it wants.
    my $skip = int($Reloads / 3);
    splice @master, 0, $skip;
    splice @worker, 0, $skip;

    my ($m, $w) = (slope(@master), slope(@worker));
    diag(sprintf 'RSS in KB per reload: master %.3f (%d to %d), '
                 . 'worker %.3f (%d to %d)', $m, @master[0, -1],
                 $w, @worker[0, -1]);

    SKIP: {
        skip 'a sanitizer keeps freed memory for a while', 2 if $Slow > 1;
        my $most = $Reloads >= 500 ? 0.5 : 6;
        cmp_ok($m, '<', $most, "the master does not grow");
        cmp_ok($w, '<', $most, "nor do workers");
    }

    $ng->clean;
}


# What is checked, and what is expected of it.
{
    my $passive = 'wa_gateway; wa_gateway_passive eject=200ms;' . servers('', 0);
    my $check = "$passive wa_gateway_check interval=1h;";
    my $ng = WaGateway::Nginx->start(workers => 2, upstream => $check);

    ok((poll { state($ng, 0) eq 'up' }), 'a check passed');

    ok($ng->reload(upstream =>
        "$check wa_gateway_expect json \$.path = /none;"), 'an expectation');
    ok((poll { state($ng, 0) eq 'down' }), 'that it fails counts at once');

    ok($ng->reload(upstream => $check), 'without it');
    ok((poll { state($ng, 0) eq 'up' }), 'it is up again');

    $fakes[0]->forget;
    $check =~ s/1h/1h uri=\/other/;
    ok($ng->reload(upstream => $check), 'another URI');
    ok((poll { scalar $fakes[0]->ledger('/other') }), 'is asked at once');

    $check =~ s/interval=1h/interval=200ms/;
    ok($ng->reload(upstream => $check), 'a shorter interval');
    ok((poll { $fakes[0]->ledger('/other') > 4 }), 'holds');

    $fakes[0]->mode('status:503');
    ok((poll { state($ng, 0) eq 'down' }), 'it is down');
    ok($ng->reload(upstream => $passive), 'no checks any more');
    $fakes[0]->mode('json');
    ok((poll { $ng->request('POST', '/x', body => 'x')->{status} == 200 }),
       'it does not stay down for ever');

    $ng->clean;
}


# The zone itself.
{
    my $ng = WaGateway::Nginx->start(workers => 2, server => $metrics,
        upstream => upstream([0 .. 2], '', 'zone=a:256k'));

    $fakes[2]->mode('reset');
    $ng->request('POST', "/z$_", body => 'x') for 1 .. 7;
    $fakes[2]->mode('json');

    my $before = kept($ng);
    is(state($ng, 2), 'down', 'an instance is down');

    for (['grown', 'zone=a:1m'], ['shrunk', 'zone=a:128k'],
         ['renamed', 'zone=b:256k'], ['renamed again', 'zone=u:256k'])
    {
        my ($name, $zone) = @$_;
        ok($ng->reload(upstream => upstream([0 .. 2], '', $zone)),
           "the zone is $name");
        is_deeply(kept($ng), $before, "$name: all is as before");
        is($ng->request('GET', '/status')->{status}, 200, "$name: at work");
    }

    $ng->clean;
}


# The module comes and goes.
{
    my $ng = WaGateway::Nginx->new(workers => 2, upstream => upstream([0]));
    my $with = $ng->conf;
    my $without = "user root;\ndaemon off;\nworker_processes 2;\n"
        . "pid nginx.pid;\nerror_log error.log info;\n"
        . "events { }\nhttp { access_log off; client_body_temp_path b;"
        . " proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u;"
        . " scgi_temp_path s; server { listen 127.0.0.1:$ng->{port};"
        . " location / { return 204; } } }\n";
    $without =~ s/^user root;\n// if $>;

    no warnings 'redefine';
    my $now = $without;
    local *WaGateway::Nginx::conf = sub { $now };

    $ng->start;
    is($ng->request('GET', '/')->{status}, 204, 'without the module');

    for my $round (1 .. 3) {
        $now = $with;
        ok($ng->reload, "round $round: it comes");
        is($ng->request('POST', '/', body => 'x')->{status}, 200, 'it works');
        $now = $without;
        ok($ng->reload, "round $round: it goes");
        is($ng->request('GET', '/')->{status}, 204, 'without it');
    }

    $ng->clean;
}


# Reloads that fail.
{
    my $ng = WaGateway::Nginx->start(workers => 2, server => $metrics,
        upstream => upstream([0 .. 2], '', 'zone=a:96k'));

    $fakes[2]->mode('reset');
    $ng->request('POST', "/f$_", body => 'x') for 1 .. 7;
    $fakes[2]->mode('json');
    ok($ng->reload, 'a reload') for 1 .. 2;

    my $free = free_bytes($ng);
    my $before = kept($ng);
    my $generation = $ng->status->{gateway}{generation};
    my @pids;
    poll { @pids = sort $ng->worker_pids; @pids == 2 };
    my %good = (upstream => $ng->{upstream}, http => '', server => $metrics);

    my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
        ReuseAddr => 1,
        LocalPort => WaGateway::Fake::free_port()) or die "listen: $!\n";
    my $port = $taken->sockport;
    my $more = upstream([0 .. 3], 'weight=7', 'zone=a:96k');
    my $many = join '', map { "server 127.0.0.1:$_;" } 10001 .. 10300;

    for (['a syntax error', 'unknown directive', http => 'nonsense;'],
         ['a zone too small', 'too small', upstream => $more . $many],
         ['another zone too small', 'too small', upstream => $more,
          http => "upstream v { wa_gateway zone=v:32k; $many }"],
         ['a certificate that is missing', 'cannot load certificate',
          upstream => $more, http => 'server { listen 127.0.0.1:1 ssl;
              ssl_certificate none.crt; ssl_certificate_key none.key; }'],
         ['a log that cannot be opened', 'open\(\).*failed',
          upstream => $more, http => 'access_log none/none/access.log;'],
         ['a port that is taken', 'still could not bind', upstream => $more,
          http => "server { listen 127.0.0.1:$port; }"])
    {
        my ($name, $re, %o) = @$_;
        my $n = () = $ng->log =~ /\[emerg\].*$re/g;

        @$ng{keys %good, keys %o} = (values %good, values %o);
        $ng->write_conf;
        kill 'HUP', $ng->{pid};

        ok((poll { (() = $ng->log =~ /\[emerg\].*$re/g) > $n }),
           "$name: refused");
        poll { free_bytes($ng) == $free };
        is(free_bytes($ng), $free, "$name: nothing is left of it in the zone");
        is_deeply(kept($ng), $before, "$name: all is as before");
        is($ng->status->{gateway}{generation}, $generation,
           "$name: no generation");
        is_deeply([sort $ng->worker_pids], \@pids, "$name: not a worker");
    }

    ok($ng->reload(%good), 'a good one goes through');
    is(state($ng, 2), 'down', 'with what is known');

    $ng->stop;
    is(scalar($ng->logged('\[(?:alert|crit)\]')), 0, 'no alert, no crit');
}


# Requests that last longer than the configuration they came under.
{
    my $ng = WaGateway::Nginx->start(workers => 2, server => $metrics,
        upstream => upstream([0, 1], 'max_conns=2'),
        location => 'proxy_request_buffering off; proxy_http_version 1.1;');

    my @old;
    poll { @old = $ng->worker_pids; @old == 2 };
    my %old = map { $_ => 1 } @old;

    my @slow = map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $ng->port);
        syswrite $s, "POST /slow$_ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                     . "Content-Length: 20\r\n\r\n0123456789";
        $s;
    } 1 .. 2;

    my $n = sub {
        my $d = $ng->status->{instances}{details};
        return join ' ', map { $d->{'http://' . $fakes[$_]->name}{requests}
                                 {inFlight} } 0, 1;
    };

    ok((poll { $n->() eq '1 1' }), 'two uploads are on their way');

    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok((poll { $ng->status->{gateway}{generation} == 1
               && scalar(grep { !$old{$_} } $ng->worker_pids) == 2
               && leave(keys %old) }), 'a reload');
    is($n->(), '1 1', 'new workers see what the old ones have in flight');

    my @hang = map { send_request($ng->port, 'POST', "/h$_?fake=hang",
                                  body => 'x') } 1, 2;
    ok((poll { $n->() eq '2 2' }), 'and add to it');
    is($ng->request('POST', '/more', body => 'x')->{status}, 503,
       'max_conns holds over both');
    ok(scalar(grep { $old{$_} } $ng->worker_pids), 'old workers are there');

    syswrite $_, '0123456789' for @slow;
    is(join(' ', map { read_answer($_, 'POST')->{status} } @slow), '200 200',
       'the uploads end well');
    ok((poll { $n->() eq '1 1' }), 'their places are free');
    ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'the old ones went');
    is($n->(), '1 1', 'and took nothing with them');

    is(join(' ', map { $ng->request('POST', "/m$_", body => 'x')->{status} }
                 1 .. 4), '200 200 200 200', 'requests go on');

    # What an old worker meets, the new ones know.
    my $old = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                    PeerPort => $ng->port);
    syswrite $old, "POST /old?fake=reset HTTP/1.1\r\nHost: a\r\n"
                   . "Connection: close\r\nContent-Length: 20\r\n\r\n"
                   . '0123456789';
    ok((poll { $n->() =~ /2/ }), 'one more upload');
    ok(kill('HUP', $ng->{pid})
       && (poll { $ng->status->{gateway}{generation} == 2
                  && $ng->worker_pids >= 3 }), 'a reload');
    syswrite $old, '0123456789';
    is(read_answer($old, 'POST')->{status}, 502, 'an old worker meets a reset');
    ok((poll { "@{[map { state($ng, $_) } 0, 1]}" =~ /down/ }),
       'and the new ones know that the instance is down');

    close $_ for @hang;
    ok((poll { $n->() eq '0 0' }), 'nothing is left in flight');

    $ng->clean;
}


# One address, two upstreams.
{
    my $name = $fakes[0]->name;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => upstream([0, 1], '', 'zone=a:256k'),
        http => "upstream v { wa_gateway zone=a:256k; wa_gateway_passive "
                . "eject=1h; server $name; }",
        server => 'location = /v { wa_gateway_status v; }
                   location /v/ { proxy_pass http://v; }');

    my $v = sub {
        return JSON::PP::decode_json($ng->request('GET', '/v')->{body})
            ->{instances}{details}{"http://$name"};
    };

    is($ng->request('POST', '/v/a?fake=reset', body => 'x')->{status}, 502,
       'it fails in one upstream');
    is($v->()->{state}, 'down', 'and is down there');
    is(state($ng, 0), 'up', 'but not in the other');
    is($ng->instance($name)->{requests}{total}, 0, 'whose counts are its own');

    ok($ng->reload, 'a reload');
    is($v->()->{state} . ' ' . state($ng, 0), 'down up', 'keeps both');

    $ng->clean;
}

done_testing;
