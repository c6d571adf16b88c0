#!/usr/bin/perl

# bin/wa-gateway run at bad moments: signals while it starts, reloads that nginx
# refuses, readers that leave, a second one beside it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Fcntl;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX qw(mkfifo);
use Test::More;
use WaGateway::Launcher;

plan skip_all => 'the module is not built'
    unless -f root() . '/build/ngx_http_wa_gateway_module.so';

my $dir = checkout();
my $command = "$dir/bin/wa-gateway";
my $run = "$dir/run";
my $tools = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($port, $other, $taken, $instance) = map { free_port() } 1 .. 4;

instance($instance);

# What holds the port that reloads ask for.
my $holder = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                   LocalPort => $taken, ReuseAddr => 1)
    or die "port $taken: $!\n";

sub settings {
    my ($port, @more) = @_;
    write_file("$dir/.env.new", join "\n", "PORT=$port",
               "INSTANCES=http://127.0.0.1:$instance", 'WORKERS=2', @more, '');

    # at once: a launcher may be reading it
    rename "$dir/.env.new", "$dir/.env" or die "$dir/.env: $!\n";
}

sub answers {
    my ($on) = @_;
    return until_true { http($on, '/') =~ /^HTTP\/1\.1 200 / };
}

sub starts {
    my $gw = launch({}, $command, 'run');
    $gw->says(qr/^WhatsApp gateway on/m) or diag $gw->output;
    answers($port);
    return $gw;
}

sub master { return (read_file("$run/nginx.pid") // '') =~ /(\d+)/ ? $1 : 0 }

sub children {
    my ($pid) = @_;
    return split ' ', read_file("/proc/$pid/task/$pid/children") // '';
}

sub catches_hup {
    my ($pid) = @_;
    my $status = read_file("/proc/$pid/status") // '';

    # before exec() it is this test's own handler
    return if $status !~ /^Name:\s*wa-gateway$/m;

    my ($bits) = $status =~ /^SigCgt:\s*(\S+)/m;
    return defined $bits && hex(substr $bits, -1) & 1;
}

# An nginx that starts when the file "go" is there; -t is not held.
sub slow_nginx {
    my ($nginx) = grep { -x } map { "$_/nginx" }
                  split(/:/, $ENV{PATH}), '/usr/local/sbin', '/usr/sbin';
    $nginx = $ENV{TEST_NGINX_BINARY}
        if ($ENV{TEST_NGINX_BINARY} || 'nginx') ne 'nginx';

    write_file("$tools/nginx", <<"END");
#!/bin/sh
case " \$* " in
    *' -t '* | *' -v '* | *' -V '*) ;;
    *) : >"$tools/here"; until [ -e "$tools/go" ]; do sleep 0.05; done ;;
esac
exec "$nginx" "\$@"
END
    chmod 0755, "$tools/nginx";
    unlink "$tools/go", "$tools/here";

    return { TEST_NGINX_BINARY => "$tools/nginx" };
}


# whoever read the output has gone

for my $lost ('>"$0" 2>&1', '>"$0"') {
    settings($port);
    unlink "$tools/fifo";
    mkfifo("$tools/fifo", 0600) or die "mkfifo: $!\n";

    my $gw = launch({}, 'sh', '-c', "exec '$command' run $lost", "$tools/fifo");
    open my $reader, '<', "$tools/fifo" or die "fifo: $!\n";
    my $line = <$reader>;
    like($line, qr/^WhatsApp gateway on/, "run $lost starts");
    ok(answers($port), 'and answers');
    close $reader;

    settings($other);
    $gw->signal('HUP');
    ok(answers($other), 'SIGHUP with nobody who reads: the new settings');

    settings($taken);
    is((run_command({}, $command, 'reload'))[0], 1, 'a reload that is refused');
    ok(answers($other), 'it lives on');
    unlike($gw->output, qr/I\/O error|Broken pipe/, 'and does not complain');

    $gw->signal('TERM');
    is($gw->ended, 0, 'SIGTERM ends it well');
}


# nginx refuses

settings($port);
my $gw = starts();
my $before = read_file("$run/nginx.conf");

sub stays {
    my ($title, $from) = @_;

    my $said = sub { substr $gw->output, $from || 0 };

    ok((until_true { $said->() =~ /not reloaded, the old configuration stays\n/ }),
       "$title: not reloaded") or diag $gw->output;
    like($said->(), qr/^wa-gateway: nginx refused the new configuration\n/m,
         "$title: by nginx");
    unlike($said->(), qr/^Reloaded/m, "$title: nothing else is claimed");
    is(read_file("$run/nginx.conf"), $before, "$title: nginx.conf is the old one");
    ok(!-e "$run/nginx.conf.old", "$title: nothing is left");
    ok(answers($port), "$title: the gateway goes on");
}

settings($taken);
$gw->signal('HUP');
stays('a port in use');
like($gw->output, qr/cannot listen on 127\.0\.0\.1:$taken: [^\n]*\n(?:.*\n)*wa-gateway: nginx refused/,
     'the reason comes before it');

my ($status, $out, $err) = run_command({}, $command, 'reload');
is($status, 1, 'reload tells of it by its status');
is($err, "wa-gateway: not reloaded, the old configuration stays; why is told where the gateway runs\n",
   'and in one line');

settings($port, 'REQUEST_TIMEOUT=9000');
($status, $out, $err) = run_command({}, $command, 'reload');
is($status, 0, 'reload of good settings') or diag $err;
like($out, qr/^Reloaded/, 'which it says');
like($gw->output, qr/^Reloaded/m, 'and run as well');
like(read_file("$run/nginx.conf"), qr/proxy_read_timeout 9000ms;/, 'they are in nginx.conf');
is_deeply([glob("$run/reload.* $run/refused.*")], [], 'no request is left');

my @old = children(master());
($status) = run_command({}, $command, 'reload');
is($status, 0, 'a reload that changes nothing is one');
my %old = map { $_ => 1 } @old;
is(scalar(grep { !$old{$_} } children(master())), 2, 'with new workers');

settings('x');
($status) = run_command({}, $command, 'reload');
is($status, 1, 'reload of bad settings');
ok($gw->says(qr/^\.env:1: PORT="x"/m), 'the reason is told by run');

$gw->signal('TERM');
is($gw->ended, 0, 'the end');

($status, $out, $err) = run_command({}, $command, 'reload');
is($status, 1, 'reload without a gateway');
is($err, "wa-gateway: no gateway runs in $run\n", 'is told so');

# Those that old workers still have are in the zone with the new ones.
sub many {
    my ($net) = @_;
    write_file("$dir/.env", "PORT=$port\nWORKERS=2\nHEALTH_CHECK_INTERVAL=3600000\nINSTANCES="
               . join(',', "http://127.0.0.1:$instance",
                      map { "http://127.1.$net.$_:1" } 1 .. 230) . "\n");
}

my $data = '';

sub open_stream {
    my $s = http($port, '/events', open => 1, headers => ['Accept: text/event-stream']);
    sysread $s, $data, 4096;
    return $s;
}

many(1);
$gw = starts();

my $net = 1;
my @streams = open_stream();

do {
    $before = read_file("$run/nginx.conf");
    many(++$net);
    ($status) = run_command({}, $command, 'reload');
    push @streams, open_stream() if $status == 0;
} while ($status == 0 && $net < 20);

ok(@streams > 1, 'old and new are in a zone');
$gw->says(qr/not reloaded/);
my $said = length $gw->output;
$gw->signal('HUP');
stays('a full zone', $said);
like($gw->output, qr/\[emerg\].* zone "whatsapp" of 1024k is full/, 'nginx says why');
close $_ for @streams;
$gw->signal('TERM');
is($gw->ended, 0, 'the end');

# Workers that die and logs that are opened anew are not taken for a reload.
settings($port);
$gw = starts();
$before = read_file("$run/nginx.conf");
my $master = master();
settings($taken);
my $log = "$run/access.log";
my $rotations = 0;
$gw->signal('HUP');
until_true {
    kill 'KILL', (children($master))[0];
    rename $log, "$log.1" and $rotations++ if -e $log;
    $gw->signal('USR1');
    $gw->output =~ /not reloaded|^Reloaded/m;
};
stays('workers are killed and logs rotated');
ok((until_true { -e $log }), 'the log is opened anew, then');

# Old workers that stay do not hold it up.
settings($port);
my $stream = open_stream();
settings($other);
($status) = run_command({}, $command, 'reload');
is($status, 0, 'a reload while a stream is open');
ok(answers($other), 'the new configuration answers');
$stream->blocking(0);
is(sysread($stream, $data, 4096), undef, 'while the old worker is still there');
close $stream;

# None is lost.
for my $i (1 .. 8) {
    my $now = $i % 2 ? $port : $other;
    settings($now);
    $gw->signal('HUP');
    ok(answers($now), "reload $i is done") or diag $gw->output;
}
settings($_ % 2 ? $other : $port), $gw->signal('HUP') for 1 .. 20;
ok(answers($port), 'of many at once the last one counts');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');


# SIGHUP at any moment

for my $moment (0 .. 11) {
    settings($port);
    my $gw = launch({}, $command, 'run');
    ok((until_true { catches_hup($gw->{pid}) }), 'it is ready for a SIGHUP');
    select undef, undef, undef, $moment / 25;
    settings($other);
    $gw->signal('HUP');
    ok($gw->says(qr/^WhatsApp gateway on/m), "SIGHUP at moment $moment: it starts")
        or diag $gw->output;
    ok($gw->says(qr/^Reloaded/m), 'reloads') or diag $gw->output;
    ok(answers($other), 'and has the new settings');
    $gw->signal('TERM');
    is($gw->ended, 0, 'and ends');
}

settings($port);
$gw = launch(slow_nginx(), $command, 'run');
ok((until_true { -e "$tools/here" }), 'nginx takes its time');
settings($other);
$gw->signal('HUP');
$gw->signal('USR1');
unlike($gw->output, qr/^Reloaded/m, 'a SIGHUP and a SIGUSR1 now');
write_file("$tools/go", '');
ok(answers($other), 'are not forgotten');
ok($gw->says(qr/^Reloaded/m), 'and told');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');

$gw = launch(slow_nginx(), $command, 'run');
until_true { -e "$tools/here" };
$gw->signal('TERM');
write_file("$tools/go", '');
is($gw->ended, 0, 'a SIGTERM while nginx starts stops it in order');
like($gw->output, qr/^Stopped/m, 'with its word');


# two at once

settings($port);
$gw = launch(slow_nginx(), $command, 'run');
ok((until_true { -e "$tools/here" }), 'a first run that is about to start');
($status, $out, $err) = run_command({}, $command, 'run');
is($status, 1, 'a second one ends');
is($err, "wa-gateway: a gateway already runs in $run (pid $gw->{pid})\n", 'with one line');
write_file("$tools/go", '');
ok($gw->says(qr/^WhatsApp gateway on/m), 'the first one is not disturbed');
ok(answers($port), 'and answers');

$master = master();
my @holders = grep { (readlink $_ // '') eq "$run/lock" }
              map { glob "/proc/$_/fd/*" } $gw->{pid}, $master, children($master);
is_deeply(\@holders, ["/proc/$gw->{pid}/fd/9"], 'the launcher alone has the lock');

# It is killed, nginx has a stream to finish.
$stream = open_stream();
$gw->signal('KILL');
$gw->ended;
($status, $out, $err) = run_command({}, $command, 'reload');
is($status, 1, 'a killed launcher cannot reload');
($status, $out, $err) = run_command({}, $command, 'run');
is($status, 1, 'nor is there room for another while its nginx is there');
like($err, qr/^wa-gateway: nginx of another gateway still runs in \Q$run\E: [^\n]* kill -s QUIT $master, [^\n]*\n\z/,
     'which one line tells');
close $stream;
ok((until_true { !kill 0, $master }), 'it ends with its stream');
$gw = starts();
ok(answers($port), 'then there is');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');


# another process has apt's lock

SKIP: {
    skip 'needs root, as installing does', 4 if $>;

    my $apt = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    make_path(map { "$apt/$_" } qw(etc state/lists/partial cache/archives/partial));
    write_file("$apt/status", '');
    write_file("$apt/conf", <<"END");
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
Dir::Etc::parts "$apt/etc/none";
END

    sysopen my $lock, "$apt/state/lists/lock", O_RDWR | O_CREAT, 0640 or die;
    my $whole = pack 's s x!8 q q i x!8', F_WRLCK, 0, 0, 0, 0;
    fcntl $lock, F_SETLK, $whole or die "lock: $!\n";

    my $gw = launch({ APT_CONFIG => "$apt/conf", TEST_NGINX_BINARY => "$apt/nginx" },
                    $command, 'run');
    ok($gw->says(qr/^Waiting for apt's lock .*\/lists\/lock\..* $$ /m),
       'it says whom it waits for') or diag $gw->output;
    select undef, undef, undef, 2.5;
    is(() = $gw->output =~ /^Waiting/mg, 1, 'once');
    close $lock;
    is($gw->ended, 1, 'then it goes on');
    like($gw->output, qr/Unable to locate package nginx\n.*apt-get install failed\n/s,
         'to what is to be installed; there is nothing here');
}

done_testing;
