#!/usr/bin/perl

# bin/wa-gateway as a user meets it: commands, signals, what it proxies.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Launcher;

plan skip_all => 'the module is not built'
    unless -f root() . '/build/ngx_http_wa_gateway_module.so';

my $dir = checkout();
my $command = "$dir/bin/wa-gateway";
my $run = "$dir/run";
my ($port, $other, @instances) = map { free_port() } 1 .. 4;

instance($_) for @instances;

my $urls = join ',', map { "http://127.0.0.1:$_" } @instances;

sub dotenv { write_file("$dir/.env", join '', map { "$_\n" } @_) }

sub answers {
    my ($on) = @_;
    return until_true { http($on, '/') =~ /^HTTP\/1\.1 200 / };
}


# commands

my ($status, $out, $err) = run_command({}, $command);
is($status, 2, 'no command: exit 2');
like($err, qr/^usage: /, 'and the usage on stderr');

($status, $out) = run_command({}, $command, '--help');
is($status, 0, '--help');
like($out, qr/\b$_\b/, "--help names $_") for qw(run check render test);

($status, $out) = run_command({}, $command, '--version');
like($out, qr/^wa-gateway \d+\.\d+\.\d+$/, '--version');

($status, $out, $err) = run_command({}, $command, 'rnu');
is($status, 1, 'an unknown command: exit 1');
like($err, qr/^wa-gateway: unknown command "rnu"[^\n]*\n\z/, 'in one line');

dotenv("PORT=$port", "INSTANCES=$urls", 'API_KEY=it"s \\ ${x} $y; }#');
($status, $out, $err) = run_command({}, $command, 'check');
is($status, 0, 'check takes a good .env') or diag $err;
is($err, '', 'without a word on stderr');
ok(!-e $run, 'and leaves nothing behind');

dotenv("PORT=x", "INSTANCES=$urls");
($status, $out, $err) = run_command({}, $command, 'check');
is($status, 1, 'check refuses a bad .env');
is($err, ".env:1: PORT=\"x\": allowed: a whole number from 1 to 65535\n",
   'and says why');

($status, $out, $err) = run_command({}, $command, 'run');
is($status, 1, 'run refuses a bad .env');
like($err, qr/^\.env:1: [^\n]*\n\z/, 'and says why, in one line');

my $empty = tempdir(CLEANUP => 1);
($status, $out, $err) =
    run_command({ WA_GATEWAY_ENV => "$dir/.env", PATH => '/usr/bin:/bin',
                  TEST_NGINX_BINARY => "$empty/nginx", PORT => 1 },
                'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
                $command, 'run') if $> == 0;
SKIP: {
    skip 'needs root to become somebody else', 2 if $>;
    is($status, 1, 'an ordinary user without the packages: exit 1');
    like($err, qr/^wa-gateway: missing packages: nginx;[^\n]*\n\z/,
         'and their names in one line');
}


# run

dotenv("PORT=$port", "INSTANCES=$urls", 'WORKERS=2');

my $gw = launch({}, $command, 'run');
ok($gw->says(qr/^WhatsApp gateway on http:\/\/127\.0\.0\.1:$port /m), 'run starts')
    or diag $gw->output;
ok(answers($port), 'and proxies');

my $answer = http($port, '/send-message', body => '{"a":1}');
like($answer, qr/^HTTP\/1\.1 200 /, 'POST /send-message');
like($answer, qr/^X-WA-Instance: http:\/\/127\.0\.0\.1:(?:$instances[0]|$instances[1])\r$/m,
     'the answer names its instance');
like($gw->output, qr/^  curl /m, 'run shows a line to try');
like($gw->output, qr/http:\/\/127\.0\.0\.1:$instances[1]/, 'and its instances');
unlike($gw->output, qr/\[notice\](?!.*wa_gateway)/, "nginx's own notices are left out");

is((stat "$run/nginx.conf")[2] & 077, 0, 'nginx.conf is for its owner alone');
# it is written after the answer
ok(until_true {
       read_file("$run/access.log") =~ qr/"POST \/send-message" 200 .* instance="http:\/\/127\.0\.0\.1:\d+" attempts=\S+ .*upstream_status="200"/;
   },
   'the access log names instance, attempts and status');

my $seen = http($port, '/echo', headers => ['Host: wa.example.com', 'api_key: k',
                'X-Custom: a', 'X-Forwarded-For: 10.0.0.1', 'Upgrade: h2c',
                'Accept-Encoding: gzip']);
like($seen, qr/^Host: wa\.example\.com$/m, "the client's Host is kept");
like($seen, qr/^api_key: k$/m, 'a header with an underscore too');
like($seen, qr/^X-Forwarded-For: 10\.0\.0\.1, 127\.0\.0\.1$/m, 'X-Forwarded-For');
like($seen, qr/^X-Forwarded-Proto: http$/m, 'X-Forwarded-Proto');
like($seen, qr/^X-Forwarded-Host: wa\.example\.com$/m, 'X-Forwarded-Host');
unlike($seen =~ s/^.*?\r\n\r\n//sr, qr/^(?:Connection|Upgrade|Accept-Encoding):/mi,
       'no Upgrade other than to WebSocket, the connection stays open');

my $big = 'x' x (3 << 20);
like(http($port, '/send-media', body => $big), qr/"bytes":@{[length $big]}\b/,
     'a body of 3 MB arrives whole');

my $s = http($port, '/events', open => 1, headers => ['Accept: text/event-stream']);
my $got = '';
until_true { $s->blocking(0); sysread $s, $got, 4096, length $got; $got =~ /data: one/ };
like($got, qr/data: one/, 'a server-sent event passes at once');
unlike($got, qr/"success":true,"data"/, 'and unwrapped');
close $s;

$s = http($port, '/ws', open => 1, headers => ['Upgrade: websocket',
          'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version: 13']);
$got = '';
until_true { $s->blocking(0); sysread $s, $got, 4096, length $got; $got =~ /\r\n\r\n/ };
like($got, qr/^HTTP\/1\.1 101 /, 'a WebSocket is upgraded');
$s->blocking(1);
print $s 'ping';
$s->flush;
until_true { $s->blocking(0); sysread $s, $got, 4096, length $got; $got =~ /echo:ping/ };
like($got, qr/echo:ping/, 'and carries data both ways');
close $s;

ok(-e "$run/nginx.pid", 'the pid is in the runtime directory');

my $second = launch({ PORT => free_port() }, $command, 'run');
is($second->ended, 1, 'a second run in the same directory ends');
like($second->output, qr/already runs in \Q$run\E/, 'and says why');

$second = launch({ WA_GATEWAY_RUNTIME => "$dir/run2" }, $command, 'run');
is($second->ended, 1, 'run on a port in use ends');
my @lines = $second->output =~ /^(.*port.*in use.*)$/mg;
is(scalar @lines, 1, 'and says so once');
like($lines[0] || '', qr/^wa-gateway: cannot listen on 127\.0\.0\.1:$port: /,
     'in clear words');


# SIGHUP

dotenv("PORT=$other", "INSTANCES=$urls", 'WORKERS=2');
$gw->signal('HUP');
ok(answers($other), 'SIGHUP reads .env again');
ok($gw->says(qr/^Reloaded/m), 'and says so');
is(http($port, '/'), '', 'the old port is closed')
    if until_true { http($port, '/') eq '' };

dotenv("PORT=$other", "INSTANCES=$urls", 'WORKERS=lots');
my $before = read_file("$run/nginx.conf");
$gw->signal('HUP');
ok($gw->says(qr/^\.env:3: WORKERS="lots": allowed: /m),
   'a bad .env at SIGHUP is said');
ok($gw->says(qr/old configuration stays/), 'and that nothing changed');
ok(answers($other), 'the gateway goes on');
is(read_file("$run/nginx.conf"), $before, 'with the configuration it had');
ok(!-e "$run/nginx.conf.new", 'and no half of another');

dotenv("PORT=$port", "INSTANCES=$urls", 'WORKERS=2');
$gw->signal('HUP');
ok(answers($port), 'the next good .env is taken');


# SIGUSR1

rename "$run/access.log", "$run/access.log.1";
$gw->signal('USR1');
ok((until_true { -e "$run/access.log" }), 'SIGUSR1 reopens the access log');
ok((until_true { http($port, '/after'); (read_file("$run/access.log") // '') =~ /after/ }),
   'and workers write to the new one');


# stopping

sub stops_gracefully {
    my ($title, $signal) = @_;

    write_file($WaGateway::Launcher::Held, '');
    my $held = http($port, '/held', open => 1, headers => ['Connection: close']);
    ok((until_true { in_flight() }), "$title: a request is on its way");

    $signal->();
    unlink $WaGateway::Launcher::Held;
    my $answer = '';
    while (sysread $held, $answer, 4096, length $answer) { }

    like($answer, qr/^HTTP\/1\.1 200 .*"success":true/s, "$title: it is answered");
    is($gw->ended, 0, "$title: exit 0");
    is(http($port, '/'), '', "$title: nobody listens any more");
    ok(!-e "$run/log.pipe", "$title: the pipe is gone");
}

# An instance's end of the connection, as the kernel sees it.
sub in_flight {
    my $re = join '|', map { sprintf ':%04X', $_ } @instances;
    my $tcp = read_file('/proc/net/tcp') or return 1;
    return $tcp =~ /^\s*\d+: \S+ \S+(?:$re) 01 /m;
}

stops_gracefully('SIGTERM', sub { $gw->signal('TERM') });

$gw = launch({}, $command, 'run');
ok($gw->says(qr/^WhatsApp gateway on/m), 'run starts again') or diag $gw->output;
answers($port);
stops_gracefully('Ctrl-C', sub { $gw->signal_group('INT') });

$gw = launch({}, $command, 'run');
ok($gw->says(qr/^WhatsApp gateway on/m), 'and again');
answers($port);
$s = http($port, '/events', open => 1, headers => ['Accept: text/event-stream']);
sysread $s, $got, 4096;
$gw->signal('TERM');
ok((until_true { http($port, '/') eq '' }), 'a first SIGTERM closes the port');
is(kill(0, $gw->{pid}), 1, 'and waits for what is open');
$gw->signal('TERM');
is($gw->ended, 0, 'a second one ends it');

$gw = launch({}, $command, 'run');
$gw->says(qr/^WhatsApp gateway on/m);
my ($nginx) = read_file("$run/nginx.pid") =~ /(\d+)/;
kill 'KILL', $nginx;
is($gw->ended, 137, "nginx's own end is passed on");
until_true { http($port, '/') eq '' };

$gw = launch({}, $command, 'run');
$gw->says(qr/^WhatsApp gateway on/m);
$gw->signal('KILL');
$gw->ended;
ok((until_true { http($port, '/') eq '' }), 'a killed launcher takes nginx along');


# no .env

unlink "$dir/.env";
my @demo = map { free_port() } 1 .. 3;
my $conf = read_file("$dir/conf/demo.conf");
is(join(' ', $conf =~ /listen 127\.0\.0\.1:(\d+);/g), '3001 3002 3003',
   'the demo instances are on 3001-3003');
$conf =~ s/300([123])/$demo[$1 - 1]/g;
write_file("$dir/conf/demo.conf", $conf);

($status, $out, $err) = run_command({ PORT => $demo[1] }, $command, 'run');
is($status, 1, 'PORT must not be a demo instance');
like($err, qr/^environment: PORT="$demo[1]": allowed: /, 'and that is said');

$gw = launch({ PORT => $port }, $command, 'run');
ok($gw->says(qr/^No \.env: three demo instances/m), 'no .env: a demo, and it says so')
    or diag $gw->output;
ok(answers($port), 'the demo answers');

my %named;
for (1 .. 12) {
    $answer = http($port, '/send-message', body => '{"number":"1","message":"x"}');
    $named{$1}++ if $answer =~ /"success":true/
                    && $answer =~ /"instance":"http:\/\/127\.0\.0\.1:(\d+)"/;
}
is_deeply([sort keys %named], [sort @demo], 'every demo instance gets messages');
like(http($demo[0], '/health'), qr/^HTTP\/1\.1 200 .*^Content-Type: application\/json.*\{"status":"ok"/ms,
     'a demo instance has a /health');

dotenv("PORT=$port", "INSTANCES=$urls");
$gw->signal('HUP');
ok((until_true { http($port, '/echo') =~ /^GET \/echo/m }), 'SIGHUP leaves the demo for a .env');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');


# an ordinary user

SKIP: {
    skip 'needs root to become somebody else', 3 if $>;

    my $home = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chown 65534, 65534, $home;
    chmod 0644, "$dir/.env";

    $gw = launch({ WA_GATEWAY_RUNTIME => "$home/run" }, 'setpriv', '--reuid=65534',
                 '--regid=65534', '--clear-groups', $command, 'run');
    ok($gw->says(qr/^WhatsApp gateway on/m), 'an ordinary user can run it')
        or diag $gw->output;
    like(http($port, '/x', body => $big), qr/"bytes":@{[length $big]}\b/,
         'with large bodies too');
    unlike($gw->output, qr/\[(?:warn|alert|emerg)\]/, 'and no complaints');
    $gw->signal('TERM');
    is($gw->ended, 0, 'and stop it');
}

# Only the runtime directory itself must let workers through.
SKIP: {
    skip 'needs root', 1 if $>;

    my $closed = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0700, $closed;
    $gw = launch({ WA_GATEWAY_RUNTIME => "$closed/run" }, $command, 'run');
    $gw->says(qr/^WhatsApp gateway on/m);
    like(http($port, '/x', body => $big), qr/"bytes":@{[length $big]}\b/,
         'root may run it below a directory that is closed to others');
    $gw->signal('TERM');
    $gw->ended;
}


# as a package installs it: the launcher and its files, and where the rest is

my ($version) = (run_command({}, $command, '--version'))[1] =~ /(\S+)$/;
like(read_file(root() . '/debian/changelog'), qr/^wa-gateway \(\Q$version\E\)/,
     'the package has the version of the launcher');

my $share = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $share;
system('cp', '-a', (map { root() . "/$_" } qw(bin conf html)), $share);
symlink "$share/bin/wa-gateway", "$share/command";

write_file("$share/env", "PORT=$port\nINSTANCES=$urls\n");
write_file("$share/places", <<"END");
module=$dir/build/ngx_http_wa_gateway_module.so
default_env=$share/env
default_runtime=$share/state
access_log=$share/requests.log
example=$share/env.example
END

($status, $out) = run_command({}, "$share/command", '--help');
like($out, qr/^Settings are read from \Q$share\E\/env$/m, 'installed: --help says where');
unlike($out, qr/build|wa-gateway test/, 'and nothing of what a checkout has');

($status, $out, $err) = run_command({}, "$share/command", 'test');
is($status, 1, 'there are no tests');
like($err, qr/^wa-gateway: the tests run from a checkout only\n\z/, 'and it says so');

$gw = launch({}, "$share/command", 'run');
ok($gw->says(qr/^WhatsApp gateway on/m), 'it runs') or diag $gw->output;
http($port, '/logged');
$gw->signal('TERM');
is($gw->ended, 0, 'and stops');
like(read_file("$share/requests.log"), qr/"GET \/logged"/, 'its log is where it was told');
ok(-e "$share/state/nginx.conf", 'and so is what it writes');
ok(!-e "$share/build", 'nothing was built');

$gw = launch({ WA_GATEWAY_RUNTIME => "$share/other" }, "$share/command", 'run');
$gw->says(qr/^WhatsApp gateway on/m);
http($port, '/elsewhere');
write_file("$share/state/nginx.pid", read_file("$share/other/nginx.pid"));
my $beside = launch({ PORT => $other }, "$share/command", 'run');
ok($beside->says(qr/^WhatsApp gateway on/m), 'the pid of another nginx is no gateway here')
    or diag $beside->output;
$_->signal('TERM'), is($_->ended, 0, 'the end') for $gw, $beside;
like(read_file("$share/other/access.log"), qr/elsewhere/, 'another runtime has its own log');
unlike(read_file("$share/requests.log"), qr/elsewhere/, 'and leaves the service\'s alone');

unlink "$dir/build/ngx_http_wa_gateway_module.so";
($status, $out, $err) = run_command({}, "$share/command", 'check');
is($status, 1, 'without the module: exit 1');
like($err, qr/^wa-gateway: no such file: [^\n]*module\.so\n\z/, 'which is named');

done_testing;
