#!/usr/bin/perl

# `bin/wa-gateway ctl` as a user meets it: the key that is made, commands, what
# they print, how they end, and that what they did is kept.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Fcntl qw(S_IMODE);
use JSON::PP ();
use Test::More;
use WaGateway::Launcher;
use WaGateway::Vendor;

plan skip_all => 'the module is not built'
    unless -f root() . '/build/ngx_http_wa_gateway_module.so';

my $dir = checkout();
my $command = "$dir/bin/wa-gateway";
my $run = "$dir/run";
my ($port, @ports) = map { free_port() } 1 .. 4;
my ($one, $two, $three) = map { "http://127.0.0.1:$_" } @ports;
my $gw;

instance($_) for @ports;


sub dotenv { write_file("$dir/.env", join '', map { "$_\n" } "PORT=$port",
                        'WORKERS=2', @_) }

sub start {
    $gw = launch({}, $command, 'run');
    $gw->says(qr/^WhatsApp gateway on/m) or diag $gw->output;
}

sub stop {
    $gw->signal('TERM');
    is($gw->ended, 0, 'it ends');
}

# The status, what is printed and what is complained of, in one text.
sub ctl {
    my ($status, $out, $err) = run_command({}, $command, 'ctl', @_);
    return "$status:$out$err";
}

sub says {
    my ($want, $name, @words) = @_;
    my $got = ctl(@words);
    ref $want ? like($got, $want, $name) : is($got, $want, $name);
}

# Each instance with what is set of it.
sub set {
    my ($status, $out) = run_command({}, $command, qw(ctl list --json));
    my $list = eval { JSON::PP::decode_json($out) } || {};

    return join ' ', map { "$_->{url}=$_->{admin},$_->{weight},$_->{maxConns}" }
                     @{$list->{instances}};
}


# before there is a gateway

dotenv("INSTANCES=$one,$two");

says(qr/^1:wa-gateway: no admin key: .*\Q$run\E\/admin_key: No such file [^\n]*\n\z/,
     'there is no key yet', 'list');

for ([[], 'a command is missing'], [['lst'], 'unknown command "lst"'],
     [['add'], 'add: a word is missing'], [['list', 'x'], 'list: too many words'],
     [['up', '--weight=1', $one], 'up: unknown option "--weight"'],
     [['list', '-x'], 'unknown option "-x"'], [['weight', $one], 'weight: a word is missing'])
{
    my ($words, $why) = @$_;
    says("2:wa-gateway: $why; see wa-gateway ctl --help\n", "exit 2: $why", @$words);
}

my ($status, $out, $err) = run_command({}, $command, qw(ctl --help));
is("$status$err", '0', 'ctl --help');
like($out, qr/^\s+(?:usage: )?wa-gateway ctl $_ /m, "which names $_")
    for qw(sessions add drain down up weight remove);

dotenv('INSTANCES=x');
says(qr/^1:\.env:3: INSTANCES="x": allowed: /, 'a bad .env is told', 'list');


# a gateway

dotenv("INSTANCES=$one,$two");
start();

my $key = read_file("$run/admin_key") // '';
like($key, qr/^[0-9a-f]{48}\n\z/, 'a key is made at the first start');
is(sprintf('%o', S_IMODE((stat "$run/admin_key")[2])), '600', 'for its owner alone');
is(sprintf('%o', S_IMODE((stat "$run/state")[2])), '700', 'so is the folder of the state file');
unlike($gw->output . (read_file("$run/nginx.conf") // ''), qr/\Q@{[$key =~ s{\n}{}r]}\E/,
       'it is neither told nor rendered');

like(http($port, '/gateway/instances'), qr/^HTTP\/1\.1 401 /, 'without it there is no control');
like(http($port, '/status'), qr/^HTTP\/1\.1 200 /, 'nothing else asks for it');
ok(until_true { set() eq "$one=configured,1,0 $two=configured,1,0" }, 'list --json');

says(qr/^0:INSTANCE .*REASON\n\Q$one\E +up +configured +1 +- +0 +-( +-)?\n.*64 of 64 places/s,
     'list', 'list');
says("1:wa-gateway: no instance has a vendor, so there are no sessions\n",
     'sessions without a vendor', 'sessions');

says("0:$three is added | أُضيف\n", 'add', 'add', $three, '--weight=3', '--max-conns=7');
says("4:wa-gateway: The instance is there already (409)\n", 'once', 'add', $three);
says(qr/^0:\Q$one\E drains: .*\n\z/, 'drain', 'drain', $one);
says(qr/^0:\Q$two\E is down .*\n\z/, 'down', 'down', $two);
is(set(), "$one=drain,1,0 $two=down,1,0 $three=configured,3,7", 'all of it is in force');

my %taken;
for (1 .. 6) {
    my ($who) = http($port, '/x', body => 'x') =~ /^X-WA-Instance: (\S+)/m;
    $taken{$who // 'none'}++;
}
is(join(' ', sort keys %taken), $three, 'the added one gets what comes');

says(qr/^0:\Q$one\E is in use /, 'up', 'up', $one);
says(qr/^0:\Q$one\E has its weight /, 'weight', 'weight', $one, 5);
says(qr/^0:\Q$two\E is removed /, 'remove', 'remove', $two);
says("4:wa-gateway: There is no such instance (404)\n", 'which is gone', 'remove', $two);
says("4:wa-gateway: There is no such instance (404)\n", 'a name with all that names have',
     'drain', 'http://a/?&b=%20 "');

says("1:wa-gateway: Bad request: url: a path is not allowed (400)\n",
     'what is refused is told', 'add', "$two/x");
says(qr/^1:wa-gateway: Bad request: weight: .* \(400\)\n\z/, 'so is a weight', 'weight', $one, 0);
says(qr/^2:wa-gateway: a weight is a whole number up to 1000000, not "1x";/,
     'or it is no number', 'weight', $one, '1x');
says("1:wa-gateway: Bad request: vendor: no instance of the configuration has this vendor (400)\n",
     'a vendor that nobody has', 'add', "waha+$two");

($status, $out, $err) = run_command({}, $command, qw(ctl remove --json), $two);
is("$status:" . (eval { JSON::PP::decode_json($out)->{code} } // '') . ":$err",
   '4:unknown_instance:', '--json has errors as they came');

my $kept = "$one=up,5,0 $three=configured,3,7";
is(set(), $kept, 'what was done');
$gw->signal('HUP');
ok($gw->says(qr/^Reloaded/m), 'a reload');
is(set(), $kept, 'changes nothing of it');
is(read_file("$run/admin_key"), $key, 'nor the key');
stop();

says(qr/^3:wa-gateway: no gateway answers at http:\/\/127\.0\.0\.1:$port: /,
     'exit 3 when it is gone', 'list');
start();
is(set(), $kept, 'what was done is there when it starts again');


# a key of .env

dotenv("INSTANCES=$one,$two", 'API_KEY=open', 'ADMIN_KEY=an "admin\\key', 'STATE_FILE=own/kept.json');
$gw->signal('HUP');
ok((until_true { ctl('list') =~ /^0:/ }), 'ADMIN_KEY is what ctl brings');
ok((until_true { http($port, '/gateway/instances', headers => ['X-Api-Key: ' . $key =~ s/\n//r])
                     =~ /^HTTP\/1\.1 401 / }), 'the other key opens nothing any more');
like(http($port, '/gateway/instances', headers => ['X-Api-Key: open']), qr/^HTTP\/1\.1 401 /,
     'nor does the API key');
like(http($port, '/x', headers => ['X-Api-Key: an "admin\\key']), qr/^HTTP\/1\.1 200 /,
     'it opens what the API key does');
says(qr/^0:/, 'a change', 'drain', $one);
like(read_file("$dir/own/kept.json") // '', qr/"state":"drain"/, 'STATE_FILE keeps it');

my $environ = join '', map { read_file("/proc/$_/environ") // '' }
              split ' ', `pgrep -P $gw->{pid} | xargs -n1 pgrep -P 2>/dev/null; pgrep -P $gw->{pid}`;
unlike($environ, qr/ADMIN_KEY|an "admin/, 'no process has it in its environment');
stop();


# no gateway, but somebody

my $other = WaGateway::Fake->new(port => $port);
says(qr/^3:wa-gateway: what answers at \S+ is no gateway\n\z/, 'another server is told from it', 'list');
$other->stop;


# vendors

my @servers = map { WaGateway::Vendor->new('waha', key => $_, sessions => [
    { name => "m\xe2\x80\xaeain-$_", number => '96650000000' . length, state => 'ready' }]) } qw(a bb);
my ($first, $second) = map { $_->url } @servers;

write_file("$dir/second.key", "bb\n");
write_file("$dir/empty.key", "\n");
dotenv('VENDOR=waha', 'VENDOR_KEY=a', 'HEALTH_CHECK_INTERVAL=200', "INSTANCES=$first");
start();

says("1:wa-gateway: $dir/none.key: No such file or directory\n", 'a file that is not there',
     'add', $second, "--key-file=$dir/none.key");
says("1:wa-gateway: no key in $dir/empty.key\n", 'or is empty', 'add', $second,
     "--key-file=$dir/empty.key");
says(qr/^0:\Q$second\E is added/, 'one with a key of its own', 'add', "waha+$second",
     "--key-file=$dir/second.key");
ok((until_true { ctl('sessions') =~ /\b2 of 2 are ready/ }), 'its session is found')
    or diag ctl('sessions');
says(qr/^0:SESSION .*\nmain-bb +966500000002 +\Q$second\E +waha +ready\b/ms,
     'and shown, without what turns letters around', 'sessions');
ok((eval { JSON::PP::decode_json((run_command({}, $command, qw(ctl sessions --json)))[1])->{total} } // 0)
   == 2, 'sessions --json');
stop();


# as another user, whose runtime folder it is

SKIP: {
    skip 'needs root to become somebody else', 3 if $>;

    my $home = File::Temp::tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my @as = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $command);

    chown 65534, 65534, $home;
    dotenv("INSTANCES=$one,$two");
    chmod 0644, "$dir/.env";
    $gw = launch({ WA_GATEWAY_RUNTIME => "$home/run" }, @as, 'run');
    ok($gw->says(qr/^WhatsApp gateway on/m), 'an ordinary user runs it') or diag $gw->output;
    ($status, $out, $err) = run_command({ WA_GATEWAY_RUNTIME => "$home/run" }, @as, 'ctl', 'drain', $one);
    is("$status$err", '0', 'and changes it');
    like(read_file("$home/run/state/instances.json") // '', qr/"state":"drain"/, 'which is kept');
    stop();
}

done_testing;
