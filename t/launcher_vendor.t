#!/usr/bin/perl

# bin/wa-gateway in front of servers of a vendor: their sessions are known, and
# their keys are told to nobody else.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use WaGateway::Launcher;
use WaGateway::Vendor;

plan skip_all => 'the module is not built'
    unless -f root() . '/build/ngx_http_wa_gateway_module.so';

my $dir = checkout();
my $command = "$dir/bin/wa-gateway";
my $run = "$dir/run";
my $port = free_port();
my $key = q(hush"w\\$1;}#);
my $user = 'admin:hush p"w';

my @waha = map {
    WaGateway::Vendor->new('waha', key => $key, sessions => [
        { name => "main$_", number => "96650000000$_", state => 'ready' },
        { name => "sales$_", number => "96650000001$_", state => 'login' }]);
} 1, 2;
my $gowa = WaGateway::Vendor->new('gowa', key => $user, sessions => [
    { name => 'support', number => '966500000031', state => 'ready' }]);

instance(my $plain = free_port());

my $quoted = q("hush\"w\\\\$1;}#");
my $pair = join ',', map { $_->url } @waha;
my $mixed = join ',', (map { "waha+$_" } map { $_->url } $waha[0]),
                      'gowa+' . $gowa->url, "http://127.0.0.1:$plain";
my $gw;

sub dotenv {
    write_file("$dir/.env", join '', map { "$_\n" }
               "PORT=$port", 'HEALTH_CHECK_INTERVAL=200', 'WORKERS=2', @_);
}

# What a path answers; the whole of it as text is kept for the search for keys.
my $told = '';

sub asked {
    my ($path) = @_;
    my $answer = http($port, $path);

    $told .= $answer;
    return eval { JSON::PP::decode_json($answer =~ s/^.*?\r\n\r\n//sr) } || {};
}

# Sessions as /sessions has them, once they are these.
sub are_known {
    my ($title, @want) = @_;
    my $got;

    until_true {
        my $all = asked('/sessions');
        $got = join "\n", sort map {
            join ' ', $_->{instance}, $_->{vendor}, $_->{session}, $_->{state}
        } @{$all->{sessions} || []};
        $got eq join "\n", sort @want;
    };

    is($got, join("\n", sort @want), $title);
}

sub of_waha {
    my ($n) = @_;
    my $url = $waha[$n - 1]->url;
    return ("$url waha main$n ready", "$url waha sales$n login");
}

sub starts {
    my ($title, %set) = @_;

    $gw = launch(\%set, $command, 'run');
    ok($gw->says(qr/^WhatsApp gateway on/m), "$title: run") or diag $gw->output;
}

sub ended {
    my ($title) = @_;

    $gw->signal('TERM');
    is($gw->ended, 0, "$title: the end");

    my $said = $gw->output . read_file("$run/access.log") . $told;

    like($said, qr/GET \/sessions/, "$title: there is something to look at");
    unlike($said, qr/hush/, "$title: no key in logs and answers");
    unlike($said, qr/\[(?:warn|error|alert|crit|emerg)\]/,
           "$title: and nothing to complain of");
    $told = '';
}

# All processes of the gateway: what they were started with.
sub command_lines {
    my ($master) = read_file("$run/nginx.pid") =~ /(\d+)/;
    my @all = ($master, split ' ', read_file("/proc/$master/task/$master/children"));

    return map { read_file("/proc/$_/cmdline") // '' } @all;
}


# VENDOR and VENDOR_KEY

dotenv('VENDOR=waha', "VENDOR_KEY=$quoted", "INSTANCES=$pair");

my ($status, $out, $err) = run_command({}, $command, 'check');
is($status, 0, 'check takes it') or diag $err;
is($err, '', 'without a word on stderr');

starts('VENDOR');
are_known('their sessions are known', of_waha(1), of_waha(2));

my $s = asked('/status');
is($s->{sessions}{total}, 4, '/status: how many');
is($s->{sessions}{ready}, 2, '/status: who can send');
is($s->{instances}{details}{$waha[1]->url}{sessions}{ready}, 1, '/status: of each');
is($s->{instances}{healthy}, 2, '/status: both are healthy');

like($gw->output, qr{^  curl \S+/sessions\n  curl .*\{"chatId":.* \S+/send-message$}m,
     'run shows lines to try');
is((stat "$run/nginx.conf")[2] & 0777, 0600, 'nginx.conf is for its owner alone');
is(scalar(grep { /hush/ } command_lines()), 0, 'no key on a command line');
is(scalar(grep { !$_->{status} || $_->{status} >= 400 } map { $_->ledger } @waha), 0,
   'the key was right at once');
is(scalar(grep { $_->{path} !~ m{^/api/sessions} } map { $_->ledger } @waha), 0,
   'nothing but the list was asked for');

# Their own paths, by session, with the key that clients need not know.
$_->forget for @waha;
like(http($port, '/api/main2/chats'), qr/^HTTP\S+ 200 /, "a server's own path");
is(join(' ', map { $_->count('other') } @waha), '0 1', 'goes where its session lives');
like(http($port, '/api/sessions/main1/logout', body => '{}'), qr/^HTTP\S+ 403 .*"code":"blocked"/s,
     'what destroys is refused');
is(join(' ', map { $_->count('danger') } @waha), '0 0', 'and goes nowhere');

# Native answers come as they are.
unlike(http($port, '/ping', headers => ["X-Api-Key: $key"]), qr/"success"/,
       'an answer is not wrapped');

ended('VENDOR');


# the beginning of README: these three lines, and the first message

my $readme = read_file(root() . '/README.md');
my ($three) = $readme =~ /^```sh\ncat >\.env <<'END'\n(.*?)^END\nbin\/wa-gateway run\n```/ms;
my ($curl, $answer) = $readme =~ /^```console\n\$ (curl (?:.*\\\n)*.*)\n(\{.*\})\n```/m;

is(join(' ', ($three // '') =~ /^(\w+)=/mg), 'INSTANCES VENDOR VENDOR_KEY', 'README: three lines');
$three =~ s/^INSTANCES=\K.*/$pair/m;
$three =~ s/^VENDOR_KEY=\K.*/$quoted/m;
write_file("$dir/.env", $three);

starts('README', PORT => $port);
are_known('its sessions', of_waha(1), of_waha(2));
$_->forget for @waha;

my $typed = $curl =~ s/127\.0\.0\.1:3000/127.0.0.1:$port/r;
my $got = (run_command({}, 'sh', '-c', "$typed -s"))[1];
my $said = eval { JSON::PP::decode_json($got) } || {};
my $shown = eval { JSON::PP::decode_json($answer) } || {};

is($said->{success}, JSON::PP::true, 'its first curl') or diag $got;
is_deeply([sort keys %$said], [qw(data instance messageId number session success timestamp)],
          'is answered');
is_deeply([sort keys %$shown], [sort keys %$said], 'as README shows it');

my @sent = map { my $url = $_->url; map { "$url $_->{session} $_->{to} $_->{text}" } $_->sent }
           @waha;
is_deeply(\@sent, ["$said->{instance} $said->{session} 966500000000\@c.us hello"],
          'it was sent, once, by whom is said');
like($said->{session}, qr/^main[12]\z/, 'who is ready');

# it is written after the answer
my $line;
until_true { ($line) = grep { m{"POST /send-message"} } split /\n/, read_file("$run/access.log") };
like($line, qr/ 200 .* session="\Q$said->{session}\E" number="$said->{number}" message_id="\Q$said->{messageId}\E" /,
     'the access log tells of it');

sub sends {
    my ($path, $json) = @_;
    my $answer = http($port, $path, body => $json, headers => ['Content-Type: application/json']);
    $told .= $answer;
    my ($status) = $answer =~ /^HTTP\S+ (\d+)/;
    my $is = eval { JSON::PP::decode_json($answer =~ s/^.*?\r\n\r\n//sr) } || {};

    return join ' ', $status, map { $_ // () } @$is{qw(code member session)};
}

my @turns = map { sends('/send-message', '{"chatId":"966500000000","message":"hi"}') } 1 .. 4;
is_deeply([sort @turns], ['200 main1', '200 main1', '200 main2', '200 main2'],
          'any that is ready sends, in turn');
is(sends('/send-message', '{"chatId":"0500000000","message":"hi"}'), '400 bad_request chatId',
   'a local number needs a country');
is(sends('/send-media', '{"chatId":"966500000000","data":"aGk=","mimetype":"image/png",'
         . '"from":"966500000002"}'), '200 main2', '/send-media, from a number');

# For customers who write back: the line more, as README has it.
my ($chat) = $readme =~ /^```sh\n(echo SENDER=chat .*?)^```/ms;
my ($taken, undef, $refused) = run_command({}, 'sh', '-ec', "cd '$dir'\n" . ($chat // 'false'));
is($taken, 0, 'SENDER=chat is taken') or diag $refused;

my %who = map {
    my $to = 966500000000 + $_;
    $to => [map { sends('/send-message', qq({"chatId":"$to","message":"hi"})) } 1 .. 3];
} 1 .. 16;
is(scalar(grep { $who{$_}[0] ne $who{$_}[1] || $who{$_}[0] ne $who{$_}[2] } keys %who), 0,
   'each chat stays with its number');
is(join(', ', sort keys %{{ map { $_->[0] => 1 } values %who }}), '200 main1, 200 main2',
   'and both have some');

ended('README');


# who sends, for which country, and what is allowed

dotenv('VENDOR=waha', "VENDOR_KEY=$quoted", "INSTANCES=$pair", 'SENDER=one',
       'DEFAULT_COUNTRY=966', 'ALLOW_DANGEROUS=on');
starts('SENDER');
are_known('the same sessions', of_waha(1), of_waha(2));
$_->forget for @waha;

is(sends('/send-message', '{"chatId":"0500000000","message":"hi"}'), '409 ambiguous_session',
   'one: a number has to be named');
is(sends('/send-message', '{"chatId":"0500000000","message":"hi","session":"main1"}'),
   '200 main1', 'and is');
is(join(' ', map { $_->{to} } map { $_->sent } @waha), '966500000000@c.us', 'DEFAULT_COUNTRY');
is(sends('/api/sessions/main1/logout', '{}') =~ /^2/, 1, 'ALLOW_DANGEROUS');
is($waha[0]->count('danger'), 1, 'lets it pass');

$gw->signal('TERM');
is($gw->ended, 0, 'the end');
unlike($gw->output . read_file("$run/access.log") . $told, qr/hush/, 'no key in logs and answers');
$told = '';
$waha[0]->session('main1', state => 'ready');


# from the environment

dotenv("INSTANCES=$pair");

# nginx writes its title over what /proc would tell of its environment.
my $nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';

write_file("$dir/nginx", <<"END");
#!/bin/sh
case "\$*" in *daemon*) env >"$dir/environ" ;; esac
exec "$nginx" "\$@"
END
chmod 0755, "$dir/nginx";

starts('environment', VENDOR => 'waha', VENDOR_KEY_WAHA => $key, VENDOR_KEY => 'hush',
       VENDOR_KEY_GOWA => 'hush', TEST_NGINX_BINARY => "$dir/nginx");
are_known('VENDOR_KEY_WAHA of the environment', of_waha(1), of_waha(2));
my $environ = read_file("$dir/environ") // '';
like($environ, qr/^VENDOR=waha$/m, "nginx's environment");
unlike($environ, qr/hush|VENDOR_KEY/, 'has no key in it');
ended('environment');


# one that asks for more

dotenv('VENDOR=waha', "VENDOR_KEY=$quoted", "INSTANCES=$pair", 'HEALTH_CHECK_PATH=/nowhere');
starts('HEALTH_CHECK_PATH');
are_known('sessions of instances that are down', map { s/(?<=main.) ready/ down/r =~ s/login/down/r }
          of_waha(1), of_waha(2));
like(asked('/status')->{instances}{details}{$waha[0]->url}{reason} || '', qr/^status 4/,
     'HEALTH_CHECK_PATH wins');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');
$told = '';


# several vendors

my @all = (of_waha(1), $gowa->url . ' gowa support ready');

dotenv("VENDOR_KEY_WAHA=$quoted", "VENDOR_KEY_GOWA='$user'", "INSTANCES=$mixed");
starts('mixed');
are_known('each with its key', @all);

$s = asked('/status');
is($s->{instances}{details}{"http://127.0.0.1:$plain"}{state}, 'up', 'a plain one beside them');
ok(!defined $s->{instances}{details}{"http://127.0.0.1:$plain"}{sessions}, 'which has no sessions');

my ($head) = map { $_->{headers} } $gowa->ledger;
unlike($head, qr/X-Api-Key/i, 'one vendor does not see the key of the other');

ended('mixed');


# a file, and another key

write_file("$dir/vendor_keys", "# ours\n$key\n" . $gowa->url . " $user\n");
dotenv('VENDOR=waha', 'VENDOR_KEY_FILE=vendor_keys',
       'INSTANCES=' . $waha[0]->url . ',gowa+' . $gowa->url);
starts('VENDOR_KEY_FILE');
are_known('keys of a file', @all);
unlike(read_file("$run/nginx.conf"), qr/hush/, 'are not in nginx.conf');

$waha[0]->set(key => 'hush-another');
ok((until_true { (asked('/status')->{instances}{details}{$waha[0]->url}{reason} || '')
                 =~ /^key refused/ }), 'the server has another key now');

write_file("$dir/vendor_keys", "hush-another\n" . $gowa->url . " $user\n");
$gw->signal('HUP');
ok($gw->says(qr/^Reloaded/m), 'HUP') or diag $gw->output;
are_known('takes it from the file', @all);

write_file("$dir/vendor_keys", "hush one\nhush two\n");
$gw->signal('HUP');
ok($gw->says(qr/^\.env:5: VENDOR_KEY_FILE="vendor_keys": allowed: .* its line 2 is a second key/m),
   'a bad file is told of');
ok($gw->says(qr/not reloaded, the old configuration stays/), 'and not taken');

dotenv('VENDOR=waha', 'VENDOR_KEY=hush-third', "VENDOR_KEY_GOWA='$user'",
       'INSTANCES=' . $waha[0]->url . ',gowa+' . $gowa->url);
$waha[0]->set(key => 'hush-third');
$gw->signal('HUP');
ok($gw->says(qr/^Reloaded.*^Reloaded/ms), 'HUP again') or diag $gw->output;
are_known('a key of .env is taken too', @all);
ok((until_true { asked('/status')->{instances}{healthy} == 2 }), 'all are healthy');

$gw->signal('TERM');
is($gw->ended, 0, 'the end');
unlike($gw->output . read_file("$run/access.log") . $told, qr/hush/,
       'no key in logs and answers');


# an unused key

dotenv("INSTANCES=http://127.0.0.1:$plain", 'VENDOR_KEY=hush', 'VENDOR=');
starts('no vendor');
my @said = $gw->output =~ /^\.env:5: VENDOR_KEY: ignored: no instance has a vendor$/mg;
is(scalar @said, 1, 'a key for nobody is told of once');
like(http($port, '/sessions'), qr/"instance":$plain\b/, '/sessions is for the instance');
is(asked('/status')->{sessions}, undef, '/status has none');
unlike(read_file("$run/nginx.conf"), qr/hush/, 'and nginx no key');
$gw->signal('TERM');
is($gw->ended, 0, 'the end');


# a folder whose name is a pattern, and a vendor's file that is wrong

{
    my $odd = "$dir/[a]*";
    mkdir $odd;
    system('cp', '-a', "$dir/bin", "$dir/conf", "$dir/html", $odd) == 0 or die;
    write_file("$odd/places", "module=$dir/build/ngx_http_wa_gateway_module.so\n"
               . "default_env='$dir/.env'\ndefault_runtime=$run\n");

    dotenv('VENDOR=waha', 'VENDOR_KEY=hush', "INSTANCES=$pair");
    ($status, $out, $err) = run_command({}, "$odd/bin/wa-gateway", 'check');
    is("$status$err", '0', 'a package in an odd folder finds its vendors');

    write_file("$odd/conf/vendors/waha.conf", "wa_gateway_vendor waha {\n    lost;\n}\n");
    ($status, $out, $err) = run_command({}, "$odd/bin/wa-gateway", 'check');
    is($status, 1, 'a wrong file of a vendor');
    like($err, qr/^\S+ \S+ \[emerg\] [^\n]*"lost"[^\n]*\/vendors\/waha\.conf:2\n/,
         'is told of with its line');

    dotenv('VENDOR=gowa', 'VENDOR_KEY=hush', "INSTANCES=$pair");
    ($status, $out, $err) = run_command({}, "$odd/bin/wa-gateway", 'check');
    is("$status$err", '0', 'and is no matter to other vendors');
}

done_testing;
