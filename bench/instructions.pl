#!/usr/bin/perl

# Instructions per proxied POST, counted by callgrind: ours with everything on
# beside stock nginx with "zone" and "keepalive", the same binary and proxy
# settings, one process, connections kept on both sides.  Two runs of
# different length are subtracted, so that start and stop do not count.
#
#   bench/instructions.pl            prints the table
#   bench/instructions.pl --check    and fails if ours has grown by more than
#                                    2 % over bench/instructions.txt
#   bench/instructions.pl --record   writes that file

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use WaGateway::Fake;

my $Root = "$FindBin::Bin/..";
my $Record = "$FindBin::Bin/instructions.txt";
my $Body = '{"to":"966500000000","message":"hello"}';
my $Answer = '{"success":true}';
my %Limit = (grown => 1.02, stock => 1.02, many => 1.10);

my $mode = @ARGV ? $ARGV[0] : '';
my @Sizes = (3, 4000);
my $Dir = tempdir('wa-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $Module = $ENV{TEST_NGINX_LOAD_MODULES}
             || "$Root/build/ngx_http_wa_gateway_module.so";

system('command -v valgrind >/dev/null') == 0
    or die "instructions: valgrind is missing\n";

my $back = WaGateway::Fake::free_port();
my $backend = start('back', backend(), $Nginx);

my %cost;
for my $n (@Sizes) {
    for my $who ('stock', 'ours') {
        next if $who eq 'stock' && $n > 3;
        $cost{$who}{$n} = per_request($who, $n);
        printf "%-6s %5d instances %8d instructions per request\n",
               $who, $n, $cost{$who}{$n};
    }
}

kill 'QUIT', $backend;
waitpid $backend, 0;

my $against = $cost{ours}{3} / $cost{stock}{3};
my $growth = $cost{ours}{4000} / $cost{ours}{3};
printf "ours against stock nginx, 3 instances: %.3f\n", $against;
printf "ours, 4000 instances against 3: %.3f\n", $growth;

if ($mode eq '--record') {
    open my $fh, '>', $Record or die "$Record: $!\n";
    printf $fh "%d %d\n", $_, $cost{ours}{$_} for @Sizes;
    close $fh or die "$Record: $!\n";

} elsif ($mode eq '--check') {
    check();
}


# The recorded figures are of another compiler or library as likely as not:
# what is held against them is the share of stock nginx's own figure.
sub check {
    my $bad = 0;

    if ($against > $Limit{stock}) {
        print "over the limit: $Limit{stock} of stock nginx\n";
        $bad = 1;
    }

    if ($growth > $Limit{many}) {
        print "over the limit: $Limit{many} from 3 to 4000 instances\n";
        $bad = 1;
    }

    open my $fh, '<', $Record or die "$Record: $!\n";

    while (my $line = <$fh>) {
        my ($n, $was) = split ' ', $line;
        my $now = $cost{ours}{$n};

        if ($now > $was * $Limit{grown}) {
            print "$n instances: $now, recorded $was: grown by more than "
                  . "2 %\n";
            $bad = 1;
        }
    }

    exit $bad;
}


sub per_request {
    my ($who, $n) = @_;

    # the first round over all instances opens their connections
    my $warm = $n + 100;
    my $count = 2000;

    my $few = run($who, $n, $warm);
    my $many = run($who, $n, $warm + $count);

    return int(($many - $few) / $count + 0.5);
}


sub run {
    my ($who, $n, $requests) = @_;

    my $port = WaGateway::Fake::free_port();
    my $out = "$Dir/callgrind.out";

    unlink $out;

    my $pid = start($who, gateway($who, $n, $port), 'valgrind', '-q',
                    '--tool=callgrind', "--callgrind-out-file=$out", $Nginx);

    my $client = connect_to($port);
    my $request = "POST /send-message HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Type: application/json\r\n"
                  . 'Content-Length: ' . length($Body) . "\r\n\r\n$Body";

    for (1 .. $requests) {
        syswrite $client, $request;
        my $answer = '';

        until ($answer =~ /\Q$Answer\E/) {
            sysread $client, $answer, 65536, length $answer
                or die "$who: the connection was closed\n";
        }

        die "$who: $answer\n" unless $answer =~ m{^HTTP/1\.1 200 };
    }

    close $client;
    kill 'QUIT', $pid;
    waitpid $pid, 0;

    open my $fh, '<', $out or die "$out: $!\n";

    while (my $line = <$fh>) {
        return $1 if $line =~ /^(?:summary|totals): (\d+)/;
    }

    die "$out: no total\n";
}


sub connect_to {
    my ($port) = @_;
    my $end = time + 60;

    while (time < $end) {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $port);
        return $s if $s;
        sleep 0.1;
    }

    die "nginx does not listen\n";
}


sub start {
    my ($name, $conf, @command) = @_;
    my $file = "$Dir/$name.conf";

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $conf;
    close $fh or die "$file: $!\n";

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDOUT, '>', "$Dir/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec @command, '-p', $Dir, '-c', $file or POSIX::_exit(127);
    }

    return $pid;
}


sub common {
    my ($name) = @_;

    return <<"END";
daemon off;
master_process off;
pid $name.pid;
error_log $name.log error;
worker_rlimit_nofile 20000;
events { worker_connections 10000; }
END
}


sub http {
    return <<"END";
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
END
}


# 127.0.0.0/8 is all loopback: one listener is as many instances as need be
sub backend {
    return common('back') . 'http {' . http() . <<"END";
    server {
        listen 0.0.0.0:$back backlog=4096;
        default_type application/json;
        keepalive_timeout 1h;
        return 200 '$Answer';
    }
}
END
}


sub gateway {
    my ($who, $n, $port) = @_;

    my $ours = $who eq 'ours';
    my $servers = join "\n", map {
        sprintf 'server 127.1.%d.%d:%d;', int($_ / 250), $_ % 250 + 1, $back
    } 0 .. $n - 1;

    my $module = $ours ? "load_module $Module;" : '';
    my $balancer = $ours ? 'wa_gateway zone=u:16m;' : 'zone u 16m;';
    my $idle = $ours ? 'wa_gateway_keepalive requests=1000000 timeout=10m;'
                     : 'keepalive 32; keepalive_requests 1000000;';
    my $header = $ours ? '$wa_gateway_instance' : '$upstream_addr';
    my $more = $ours ? 'wa_gateway_errors ar;
                        location = /status { wa_gateway_status u; }
                        location = /metrics { wa_gateway_metrics; }' : '';

    return "$module\n" . common($who) . 'http {' . http() . <<"END";
    upstream u { $balancer $servers $idle }
    server {
        listen 127.0.0.1:$port;
        $more
        add_header X-WA-Instance $header always;
        location / {
            proxy_pass http://u;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
END
}
