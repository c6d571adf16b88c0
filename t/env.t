#!/usr/bin/perl

# .env and the environment in, nginx.conf or one line of error out.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Launcher;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $dir = tempdir(CLEANUP => 1);
my $env = "$dir/.env";
my $command = root() . '/bin/wa-gateway';
my $one = "INSTANCES=http://localhost:3001\n";

sub render {
    my ($text, %set) = @_;

    utf8::encode($text) if defined $text && utf8::is_utf8($text);
    write_file($env, $text) if defined $text;

    return run_command({ (defined $text ? (WA_GATEWAY_ENV => $env) : ()), %set },
                       $command, 'render');
}

# All the directives of that name, arguments joined by a blank.
sub find {
    my ($conf, $name) = @_;
    my @found;

    for my $d (@$conf) {
        my @words = @$d;
        my $block = ref $words[-1] ? pop @words : undef;

        push @found, join ' ', @words[1 .. $#words] if $words[0] eq $name;
        push @found, find($block, $name) if $block;
    }

    return @found;
}

sub gives {
    my ($title, $text, $directive, $want, %set) = @_;
    my ($status, $out, $err) = render($text, %set);

    if ($status) {
        chomp $err;
        return fail("$title ($err)");
    }

    $want = [$want] unless ref $want;
    is_deeply([find(parse_conf($out), $directive)], $want, $title);
}

sub refuses {
    my ($title, $text, $want, %set) = @_;
    my ($status, $out, $err) = render($text, %set);

    (my $short = $err) =~ s/^\Q$env\E/.env/;

    is($status, 1, "$title: exit 1");
    is($out, '', "$title: prints no configuration");
    is($err =~ tr/\n//, 1, "$title: one line on stderr");
    ref $want ? like($short, $want, "$title: the line")
              : is($short, "$want\n", "$title: the line");
}


# defaults

my ($status, $out, $err) = render($one);
is($status, 0, 'INSTANCES alone is enough');
is($err, '', 'without a word on stderr');

gives('PORT and HOST have defaults', $one, 'listen', '127.0.0.1:3000');
gives('intervals and path have defaults', $one, 'wa_gateway_check',
      'uri=/health interval=30000ms timeout=10000ms');
gives('WORKERS has a default', $one, 'worker_processes', 'auto');
gives('GATEWAY_LANG has a default', $one, 'wa_gateway_errors', 'ar');
gives('no API_KEY, no key', $one, 'wa_gateway_api_key', ['off', 'off']);
gives('an empty value means the default', "PORT=\nHOST=\nGATEWAY_LANG=''\n$one",
      'listen', '127.0.0.1:3000');


# the rules of dotenv

my @rules = (
    ['plain', 'PORT=4000', 4000],
    ['blanks around =', '  PORT = 4000  ', 4000],
    ['tabs around =', "\tPORT\t=\t4000\t", 4000],
    ['export', 'export PORT=4000', 4000],
    ['double quotes', 'PORT="4000"', 4000],
    ['single quotes', "PORT='4000'", 4000],
    ['inline comment', 'PORT=4000 # four thousand', 4000],
    ['inline comment after a tab', "PORT=4000\t# four", 4000],
    ['comment after quotes', 'PORT="4000" # "four"', 4000],
    ['comment line', "#PORT=5000\n  # PORT=6000\nPORT=4000", 4000],
    ['blank lines', "\n \n\t\nPORT=4000\n\n", 4000],
    ['CRLF', "PORT=4000\r\nHOST=127.0.0.1\r", 4000],
    ['CRLF in quotes', "PORT=\"4000\"\r", 4000],
    ['BOM', "\xef\xbb\xbfPORT=4000", 4000],
    ['the last one wins', "PORT=5000\nPORT=4000", 4000],
    ['a bad one before the last does not matter', "PORT=x\nPORT=4000", 4000],
    ['a colon instead of =', 'PORT: 4000', 4000],
    ['names are case sensitive', "PORT=4000\nport=5000", 4000],
    ['a longer name is another one', "PORT=4000\nPORTS=5\nMY_PORT=6", 4000],
    ['unknown variables are ignored', "PORT=4000\nNODE_ENV=x\n!?\nfoo bar", 4000],
    ['unknown multi-line quotes are skipped whole',
     "PORT=4000\nKEY=\"BEGIN\nPORT=5000\nEND\"", 4000],
    ['an unknown quote without an end ends with its line',
     "KEY=\"BEGIN\nPORT=4000", 4000],
);

for (@rules) {
    my ($title, $text, $port) = @$_;
    gives($title, "$text\n$one", 'listen', "127.0.0.1:$port");
}

gives('no newline at the end', "${one}PORT=4000", 'listen', '127.0.0.1:4000');

my @keys = (
    ['# without a blank before it is no comment', 'a#b', 'a#b'],
    ['# right after = is no comment', '#a', '#a'],
    ['# in double quotes', '"a # b"', 'a # b'],
    ['# in single quotes', "'a # b'", 'a # b'],
    ['\\" and \\\\ in double quotes', '"a\\"b\\\\c"', 'a"b\\c'],
    ['no escapes in single quotes', q('a\\"b\\n'), 'a\\"b\\n'],
    ['no escapes without quotes', 'a\\"b\\n', 'a\\"b\\n'],
    ['another escape stays', '"a\\d"', 'a\\d'],
    ['= in a value', 'a=b=', 'a=b='],
    ['a quote inside', q(a'b"c), q(a'b"c)],
    ['single quotes in double ones', q("it's"), q(it's)],
    ['blanks inside', 'a b', 'a b'],
);

for (@keys) {
    my ($title, $text, $key) = @$_;
    gives($title, "API_KEY=$text\n$one", 'wa_gateway_api_key', ["$key", 'off', 'off']);
}

my $arabic = "مفتاح سري";
utf8::encode($arabic);
gives('UTF-8', "API_KEY=$arabic\n$one", 'wa_gateway_api_key', [$arabic, 'off', 'off']);


# the environment

gives('the environment wins', "PORT=4000\n$one", 'listen', '127.0.0.1:5000',
      PORT => 5000);
gives('the environment alone', undef, 'listen', '127.0.0.1:5000', PORT => 5000,
      INSTANCES => 'http://a:1', WA_GATEWAY_ENV => '/dev/null');
gives('an empty variable wins too, and means the default', "PORT=4000\n$one",
      'listen', '127.0.0.1:3000', PORT => '');
refuses('a bad value in the environment', $one,
        'environment: PORT="0": allowed: a whole number from 1 to 65535',
        PORT => 0);
refuses('a file that is not there', undef, qr/no such file: \/nowhere/,
        WA_GATEWAY_ENV => '/nowhere');


# errors

my $port = 'a whole number from 1 to 65535';

refuses('file and line', "# one\n\nPORT=99999\n$one",
        ".env:3: PORT=\"99999\": allowed: $port");

refuses("PORT=$_", "PORT=$_\n$one", qr/^\.env:1: PORT=".*": allowed: \Q$port\E$/)
    for qw(0 65536 -1 3000.5 3e3 0x10 03000 abc 99999999999999999999),
        '30 00', '3000;';

refuses('a quote without an end', "PORT=\"3000\n$one", qr/^\.env:1: PORT=/);
refuses('text after a quote', "PORT=\"3000\" x\n$one", qr/^\.env:1: PORT=/);
refuses('PORT without =', "PORT 3000\n$one", qr/^\.env:1: PORT=.*NAME=value$/);
refuses('UTF-16', "\xff\xfeP\0O\0", qr/^\.env:1: not UTF-8/);

my @hosts = (
    ['0.0.0.0', '0.0.0.0:3000'],
    ['192.168.1.10', '192.168.1.10:3000'],
    ['::1', '[::1]:3000'],
    ['[::1]', '[::1]:3000'],
    ['::', '[::]:3000 ipv6only=off'],
    ['[::]', '[::]:3000 ipv6only=off'],
    ['2001:db8::ffff:1.2.3.4', '[2001:db8::ffff:1.2.3.4]:3000'],
    ['gw-1.example.com', 'gw-1.example.com:3000'],
    ['*', '0.0.0.0:3000'],
);

gives("HOST=$_->[0]", "HOST=$_->[0]\n$one", 'listen', $_->[1]) for @hosts;

($status, $out) = render("HOST=localhost\n$one");
like($out, qr/listen 127\.0\.0\.1:3000;/, 'HOST=localhost');

refuses("HOST=$_", "HOST=$_\n$one", qr/^\.env:1: HOST=".*": allowed: an IPv4/)
    for qw(256.0.0.1 1.2.3 1.2.3.4.5 ::g 1:2:3 1::2::3 [::1 ::1] [1.2.3.4]
           127.0.0.1:80 http://a a/b a..b -a unix:/x :1:2:3:4:5:6:7), 'a b',
        'a;b', '[]';

my $urls = 'http://host:port or https://host:port, separated by commas';

sub instances {
    my ($value, @want) = @_;
    gives("INSTANCES=$value", "INSTANCES=$value\n", 'wa_gateway_instances',
          join ' ', @want);
}

instances('http://a', 'http://a');
instances('http://a:1,http://b:2', 'http://a:1', 'http://b:2');
instances(' http://a:1 , http://b:2 ', 'http://a:1', 'http://b:2');
instances('http://a:1/,http://b/', 'http://a:1', 'http://b');
instances('http://a:1,http://b:2,', 'http://a:1', 'http://b:2');
instances('http://[::1]:3001,http://[::2]', 'http://[::1]:3001', 'http://[::2]');
instances('HTTP://A:1', 'http://A:1');
instances('http://my_app-1:3001', 'http://my_app-1:3001');
instances('https://a.example.com,https://b.example.com:8443',
          'https://a.example.com', 'https://b.example.com:8443');
instances(join(',', map { "http://10.0.0.1:$_" } 1 .. 400),
          map { "http://10.0.0.1:$_" } 1 .. 400);

refuses('INSTANCES missing', "PORT=4000\n",
        ".env: INSTANCES is missing: allowed: $urls");
refuses('INSTANCES empty', "INSTANCES=\n",
        ".env:1: INSTANCES=\"\": allowed: $urls");
refuses('INSTANCES empty in the environment', $one,
        "environment: INSTANCES=\"\": allowed: $urls", INSTANCES => '');

refuses("INSTANCES=$_", "INSTANCES=$_\n", qr/^\.env:1: INSTANCES=".*": allowed: /)
    for qw(localhost:3001 ftp://a http:// http://a/b http://a?x
           http://u:p@a http://a:0 http://a:65536 http://a: http://a:x
           http://[::1 http://::1 http://[::g]:1 http://[::1]x http://a:1:2
           http://1.2.3 http://[] http://[1.2.3.4] http://a_.. http://-a
           http://a//),
        'http://a#x', ',', 'http://a,,http://b', ',http://a', 'http://a http://b',
        'http://a;http://b';

refuses('two schemes', 'INSTANCES=http://a,https://b',
        qr/allowed: one scheme for all, http or https$/);
refuses('the same twice', 'INSTANCES=http://a:1,http://b:1,http://A:1/',
        qr/allowed: each instance once; not again "http:\/\/A:1"$/);
refuses('the same with and without its port', 'INSTANCES=http://a,http://a:80',
        qr/each instance once/);

for my $name (qw(HEALTH_CHECK_INTERVAL REQUEST_TIMEOUT)) {
    refuses("$name=$_", "$name=$_\n$one",
            qr/^\.env:1: $name=".*": allowed: a whole number of milliseconds/)
        for qw(0 -1 1.5 10s 86400001 x);
}

gives('intervals', "HEALTH_CHECK_INTERVAL=5000\nREQUEST_TIMEOUT=1500\n$one",
      'wa_gateway_check', 'uri=/health interval=5000ms timeout=1500ms');
gives('REQUEST_TIMEOUT is for reads', "REQUEST_TIMEOUT=1500\n$one",
      'proxy_read_timeout', ['1500ms', '1h']);
gives('REQUEST_TIMEOUT is for connects', "REQUEST_TIMEOUT=1500\n$one",
      'proxy_connect_timeout', '1500ms');

gives('HEALTH_CHECK_PATH', "HEALTH_CHECK_PATH=/api/sessions?x=1&y=%20\n$one",
      'wa_gateway_check', 'uri=/api/sessions?x=1&y=%20 interval=30000ms '
      . 'timeout=10000ms');
refuses("HEALTH_CHECK_PATH=$_", "HEALTH_CHECK_PATH=$_\n$one",
        qr/^\.env:1: HEALTH_CHECK_PATH=".*": allowed: a path that starts with/)
    for 'health', 'http://a/', '/a b', '/a#b', '/صحة';

gives('HEALTH_CHECK_JSON', "HEALTH_CHECK_JSON=\$.state=CONNECTED,open\n$one",
      'wa_gateway_expect', 'json $.state = CONNECTED open');
gives('HEALTH_CHECK_JSON, deep', "HEALTH_CHECK_JSON=\$.a[0].b-c = x y , z=1\n$one",
      'wa_gateway_expect', 'json $.a[0].b-c = x y z=1');
refuses("HEALTH_CHECK_JSON=$_", "HEALTH_CHECK_JSON=$_\n$one",
        qr/^\.env:1: HEALTH_CHECK_JSON=".*": allowed: a path and/)
    for 'state=x', '$=x', '$.a', '$.a=', '$.a=x,,y', '$..a=x', '$.a[x]=1',
        '$.a b=x';

gives('HEALTH_CHECK_HEADER', "HEALTH_CHECK_HEADER=X-Api-Key: s e\n$one",
      'wa_gateway_check_header', 'X-Api-Key s e');
refuses("HEALTH_CHECK_HEADER=$_", "HEALTH_CHECK_HEADER=$_\n$one",
        qr/^\.env:1: HEALTH_CHECK_HEADER=".*": allowed: a header and/)
    for 'X-Api-Key', ': x', 'X-Api-Key:', 'X Key: a';

gives("WORKERS=$_", "WORKERS=$_\n$one", 'worker_processes', $_) for qw(auto 1 512);
refuses("WORKERS=$_", "WORKERS=$_\n$one",
        qr/^\.env:1: WORKERS=".*": allowed: auto or a whole number from 1 to 512$/)
    for qw(0 513 -1 Auto 1;);

gives('GATEWAY_LANG', "GATEWAY_LANG=en\n$one", 'wa_gateway_errors', 'en');
refuses("GATEWAY_LANG=$_", "GATEWAY_LANG=$_\n$one",
        qr/^\.env:1: GATEWAY_LANG=".*": allowed: ar or en$/) for qw(fr off EN);

refuses("API_KEY=$_", "API_KEY=$_\n$one", qr/^\.env:1: API_KEY="/)
    for 'off', '" a"', '"a "', '"a\\nb"', "a\tb", "a\x01b", 'a' x 1025;
refuses('a NUL in a value', "API_KEY=a\0b\n$one",
        '.env:1: API_KEY="a?b": allowed: text without control characters');

($status, $out, $err) = render("API_KEY=\"hush-secret\\n\"\n$one");
unlike($err, qr/secret/, 'a refused key is not shown');


gives('API_KEY, an equals sign is no file', "API_KEY=a=b\n$one", 'wa_gateway_api_key',
      ['a=b', 'off', 'off']);
refuses("API_KEY=$_", "API_KEY=$_\n$one", qr/^\.env:1: API_KEY="...\.\.\."/)
    for qw(file=x label=x numbers=x sessions=x);


# ADMIN_KEY, STATE_FILE

gives('no ADMIN_KEY, that of the runtime folder', $one, 'wa_gateway_admin_key',
      'file=admin_key');
gives('ADMIN_KEY', "ADMIN_KEY='a \"b\\;}'\n$one", 'wa_gateway_admin_key',
      'a "b\\;}');
gives('control is there', $one, 'wa_gateway_control', 'whatsapp');
refuses("ADMIN_KEY=$_", "ADMIN_KEY=$_\n$one", qr/^\.env:1: ADMIN_KEY="/)
    for 'off', '" a"', 'file=x', 'numbers=1', 'a' x 1025, "a\x01b";
refuses('the API key as admin key', "API_KEY=hush-secret\nADMIN_KEY=hush-secret\n$one",
        qr/^\.env:2: ADMIN_KEY="hus\.\.\.": allowed: a key that is no API_KEY, /);
write_file("$dir/one_key", "# k\nhush-secret label=x\n");
refuses('one of API_KEY_FILE', "API_KEY_FILE=one_key\nADMIN_KEY=hush-secret\n$one",
        qr/^\.env:2: ADMIN_KEY="hus\.\.\."/);

gives('STATE_FILE has a default', $one, 'wa_gateway_state', 'state/instances.json');
gives('STATE_FILE', "STATE_FILE=/s/x y\n$one", 'wa_gateway_state', '/s/x y');
gives('relative to .env', "STATE_FILE=s/x\n$one", 'wa_gateway_state', "$dir/s/x");
gives('with dots', "STATE_FILE=/s/.x.\n$one", 'wa_gateway_state', '/s/.x.');
refuses("STATE_FILE=$_", "STATE_FILE=$_\n$one",
        qr/^\.env:1: STATE_FILE=".*": allowed: a file in a folder of its own, which is made$/)
    for qw(/ s/ . .. s/. /s/..), '/' . 'x' x 1024;


# API_KEY_FILE

write_file("$dir/api_keys", "# who\r\n\r\n  one\ntwo # no comment\n");
gives('API_KEY_FILE', "API_KEY_FILE=$dir/api_keys\n$one", 'wa_gateway_api_key',
      ["file=$dir/api_keys", 'off', 'off']);
gives('relative to .env', "API_KEY_FILE=api_keys\n$one", 'wa_gateway_api_key',
      ["file=$dir/api_keys", 'off', 'off']);
gives('in the environment too', $one, 'wa_gateway_api_key',
      ["file=$dir/api_keys", 'off', 'off'], API_KEY_FILE => 'api_keys');
gives('an empty API_KEY is none', "API_KEY=\nAPI_KEY_FILE=api_keys\n$one",
      'wa_gateway_api_key', ["file=$dir/api_keys", 'off', 'off']);

write_file("$dir/a \"\\b;}", "one\n");
gives('with any name', "API_KEY_FILE='a \"\\b;}'\n$one", 'wa_gateway_api_key',
      ["file=$dir/a \"\\b;}", 'off', 'off']);

($status, $out, $err) = render("API_KEY_FILE=api_keys\n$one");
unlike("$out$err", qr/two/, 'no key of the file is printed');

my $keys = 'a file with one key a line, up to 1024 bytes of printable text, '
           . 'and label=, numbers= or sessions= after it if it has limits';

refuses('both', "API_KEY=x\nAPI_KEY_FILE=api_keys\n$one",
        qr/^\.env:2: API_KEY_FILE="api_keys": allowed: either this or API_KEY \(.*:1\), not both$/);
refuses('no such file', "#\nAPI_KEY_FILE=/nowhere\n$one",
        ".env:2: API_KEY_FILE=\"/nowhere\": allowed: $keys; this one cannot be read");

refuses('a directory', "API_KEY_FILE=$dir\n$one",
        ".env:1: API_KEY_FILE=\"$dir\": allowed: $keys; this one cannot be read");

for ([no_key => "# only\n\n", 'there is none in it'], [empty => '', 'there is none in it'],
     [long => "ok\n" . 'a' x 1025 . "\n", 'not its line 2'],
     [control => "\n\nse\tcret\n", 'not its line 3'],
     [nul => "one\nse\0cret\n", 'not its line 2'],
     [long_limited => 'a' x 1025 . " sessions=a\n", 'not its line 1'],
     [alone => "one\nsessions=main\n", 'not its line 2'],
     [label => "one label=a/b\n", 'not its line 1'],
     [empty_label => "one label=\n", 'not its line 1'],
     [long_label => 'one label=' . 'a' x 65 . "\n", 'not its line 1'],
     [short => "one numbers=1234567\n", 'not its line 1'],
     [digits => "one numbers=1234567890123456\n", 'not its line 1'],
     [letters => "one numbers=96650000000x\n", 'not its line 1'],
     [zeros => "one numbers=00000000\n", 'not its line 1'],
     [commas => "one sessions=a,,b\n", 'not its line 1'],
     [last_comma => "one sessions=a,\n", 'not its line 1'],
     [long_session => 'one sessions=' . 'a' x 129 . "\n", 'not its line 1'],
     [session_control => "one sessions=a\x01\n", 'not its line 1'],
     [twice => "one sessions=a label=x sessions=b\n", 'not its line 1'])
{
    my ($name, $text, $why) = @$_;
    write_file("$dir/$name", $text);
    refuses("$name in the file", "API_KEY_FILE=$name\n$one",
            ".env:1: API_KEY_FILE=\"$name\": allowed: $keys; $why");
}

my $limited = "one label=a.B-_9 numbers=+966500000001,966500000002 sessions=main\n"
              . "two words\tsessions=\xd9\x85,x numbers=12345678\n"
              . "sessions=x is a key\nnot a limit labels=x\nopen sessions = x\n"
              . "new sessions=main label=a.B-_9 numbers=966500000002,966500000001,966500000001\n"
              . "one sessions=main numbers=966500000001,966500000002 label=a.B-_9\n"
              . 'k' x 1024 . ' sessions=' . 'a' x 128 . ' label=' . 'b' x 64 . "\n";
write_file("$dir/limited", $limited);
gives('keys with limits', "API_KEY_FILE=limited\n$one", 'wa_gateway_api_key',
      ["file=$dir/limited", 'off', 'off']);

for ([key => "one sessions=a\nx\none sessions=b\n", 3],
     [open_key => "one\none sessions=b\n", 2],
     [key_label => "one label=a\none label=b\n", 2],
     [label => "one label=a sessions=a\ntwo label=a\n", 2])
{
    my ($name, $text, $line) = @$_;
    write_file("$dir/$name", $text);
    refuses("limits that differ: $name", "API_KEY_FILE=$name\n$one",
            ".env:1: API_KEY_FILE=\"$name\": allowed: the same limits wherever a key or a "
            . "label is; not line $line");
}


# TRUSTED_PROXIES

sub trusts {
    my ($title, $text, @want) = @_;
    my ($status, $out, $err) = render("$text$one");
    my ($geo) = grep { $_->[0] eq 'geo' } map { @{$_->[-1]} }
                grep { $_->[0] eq 'http' } @{parse_conf($out)};
    is_deeply([map { "@$_" } @{$geo->[-1]}], ['default 0', @want], $title);
}

trusts('this machine is trusted', '', '127.0.0.0/8 1', '::1 1');
trusts('TRUSTED_PROXIES', "TRUSTED_PROXIES=10.0.0.0/8 , 2001:db8::/32,192.168.1.1\n",
       '10.0.0.0/8 1', '2001:db8::/32 1', '192.168.1.1 1');
trusts('TRUSTED_PROXIES=none', "TRUSTED_PROXIES=none\n");
trusts('everybody', "TRUSTED_PROXIES=0.0.0.0/0,::/0\n", '0.0.0.0/0 1', '::/0 1');
refuses("TRUSTED_PROXIES=$_", "TRUSTED_PROXIES=$_\n$one",
        qr/^\.env:1: TRUSTED_PROXIES=".*": allowed: addresses and networks/)
    for qw(x 10.0.0.0/33 10.0.0.0/ 10.0.0/8 ::1/129 ::g 10.0.0.1, ,10.0.0.1
           10.0.0.1;10.0.0.2 proxy.example.com none,10.0.0.1 10.0.0.0/08), '10.0.0.1 1; x';


# VENDOR and the instances that have their own

my $three = "INSTANCES=http://a,http://b\n";
my $vendors = 'plain, evolution, evolution-go, gowa, openwa, quepasa, waha, wppconnect, wuzapi, '
              . 'wwebjs';
my $plain_zone = 'zone=whatsapp:512k capacity=64';
my $zone = 'zone=whatsapp:4608k capacity=64 sessions=10000';

sub has_not {
    my ($title, $text, @names) = @_;
    my ($status, $out, $err) = render($text);
    my $conf = parse_conf($out);

    is("$status$err", 0, "$title: taken");
    is(join(' ', map { find($conf, $_) } @names), '', "$title: @names");
}

# The locations' paths.
sub locations {
    my ($text) = @_;
    my ($status, $out, $err) = render($text);
    return join ' ', $out =~ /location ([^{]*?) \{/g;
}

gives('no VENDOR, no sessions', $three, 'wa_gateway', $plain_zone);
gives('VENDOR=plain is the default', "VENDOR=plain\n$three", 'wa_gateway', $plain_zone);
has_not('no VENDOR, no file', "VENDOR=\n$three", 'include', 'wa_gateway_sessions');
unlike(locations($three), qr/sessions/, 'and /sessions is for an instance');

gives("VENDOR=$_", "VENDOR=$_\n$three", 'wa_gateway', "$zone vendor=$_")
    for qw(evolution evolution-go gowa openwa quepasa waha wppconnect wuzapi wwebjs);
gives('its file alone is included', "VENDOR=waha\n$three", 'include',
      root() . '/conf/vendors/waha.conf');
gives('its instances need not say it', "VENDOR=waha\n$three", 'wa_gateway_instances',
      'http://a http://b');
gives('/sessions', "VENDOR=waha\n$three", 'wa_gateway_sessions', 'whatsapp');
like(locations("VENDOR=waha\n$three"), qr/= \/sessions /, 'at its path');

# One that has a vendor is not wrapped whatever this says.
gives('answers are wrapped', $_, 'wa_gateway_envelope', ['on', 'on'])
    for $three, "VENDOR=waha\n$three";

refuses("VENDOR=$_", "#\nVENDOR=$_\n$three", ".env:2: VENDOR=\"$_\": allowed: $vendors")
    for qw(WAHA Plain wah waha.conf ../waha), 'waha gowa', 'waha;';

my @mixed = (
    ['one of its own', '', 'waha+http://a', "$zone vendor=waha", 'http://a'],
    ['with a plain one', '', 'http://a,waha+http://b:1/', "$zone vendor=waha",
     'vendor=plain http://a', 'http://b:1'],
    ['two vendors', '', 'waha+http://a,gowa+http://b', $zone,
     'vendor=waha http://a', 'vendor=gowa http://b'],
    ['with VENDOR', 'waha', 'http://a,gowa+http://b,gowa+http://c,http://d',
     "$zone vendor=waha", 'http://a', 'vendor=gowa http://b http://c', 'http://d'],
    ['plain by name', 'waha', 'plain+http://a,http://b', "$zone vendor=waha",
     'vendor=plain http://a', 'http://b'],
    ['nobody has VENDOR', 'waha', 'gowa+http://a', $zone, 'vendor=gowa http://a'],
    ['nobody has any', 'waha', 'plain+http://a', $plain_zone, 'http://a'],
    ['in capitals', '', 'Waha+HTTP://A', "$zone vendor=waha", 'http://A'],
);

for (@mixed) {
    my ($title, $vendor, $urls, $balancer, @lines) = @$_;
    my $text = "VENDOR=$vendor\nINSTANCES=$urls\n";

    gives("$title: wa_gateway", $text, 'wa_gateway', $balancer);
    gives("$title: wa_gateway_instances", $text, 'wa_gateway_instances', \@lines);
}

gives('https too', "INSTANCES=waha+https://a,gowa+https://b\n",
      'proxy_pass', [('https://whatsapp') x 4]);
gives('the files of both', "VENDOR=waha\nINSTANCES=http://a,gowa+http://b\n", 'include',
      [map { root() . "/conf/vendors/$_.conf" } qw(gowa waha)]);

refuses('an unknown vendor of an instance', 'INSTANCES=http://a,foo+http://b',
        '.env:1: INSTANCES="http://a,foo+http://b": allowed: before a + one of '
        . "$vendors; not \"foo\"");
refuses('the same with another vendor', 'INSTANCES=waha+http://a,gowa+http://A:80',
        qr/each instance once; not again "http:\/\/A:80"$/);
refuses('two schemes with vendors', 'INSTANCES=waha+http://a,gowa+https://b',
        qr/one scheme for all/);
refuses("INSTANCES=$_", "INSTANCES=$_\n", qr/^\.env:1: INSTANCES=".*": allowed: http:/)
    for qw(+http://a waha+a waha+ftp://a waha+gowa+http://a waha++http://a
           waha+http:// wa_ha+http://a waha:http://a);

# With a vendor its list is the check, unless another is asked for.
my $times = 'interval=30000ms timeout=10000ms';

gives('a vendor\'s check needs no path', "VENDOR=waha\n$three", 'wa_gateway_check', $times);
gives('beside plain ones neither', "INSTANCES=http://a,waha+http://b\n",
      'wa_gateway_check', $times);
gives('one that is given wins', "VENDOR=waha\nHEALTH_CHECK_PATH=/ping\n$three",
      'wa_gateway_check', "uri=/ping $times");
gives('and so does what it has to say', "VENDOR=waha\nHEALTH_CHECK_JSON=\$.a=b\n$three",
      'wa_gateway_expect', 'json $.a = b');

# what sends need

my $v = "VENDOR=waha\n$three";

gives('one way to send', $v, 'wa_gateway_send', ['text', 'media']);
like(locations($v), qr/= \/send-message = \/send-media /, 'at their paths');
gives('any sends by default', $v, 'wa_gateway_sender', 'any');
gives("SENDER=$_", "SENDER=$_\n$v", 'wa_gateway_sender', $_)
    for qw(any one chat chat-strict);

gives('keys of sends are looked at', $v, 'wa_gateway_idempotency', 'on ttl=86400000ms');
gives("IDEMPOTENCY=$_", "IDEMPOTENCY=$_\nIDEMPOTENCY_TTL=60000\n$v",
      'wa_gateway_idempotency', "$_ ttl=60000ms") for qw(on required);
gives('IDEMPOTENCY=off', "IDEMPOTENCY=off\n$v", 'wa_gateway_idempotency', 'off');

gives("JOURNAL=$_->[0]", "JOURNAL=$_->[0]\n$v", 'wa_gateway_idempotency',
      "on ttl=86400000ms$_->[1]")
    for ['', ''], ['off', ''], ['/j/keys', ' journal=/j/keys'],
        ['j/x y', " journal=$dir/j/x y"];
refuses("JOURNAL=$_", "JOURNAL=$_\n$v",
        qr/^\.env:1: JOURNAL=".*": allowed: off, or a file in a folder of its own, which is made$/)
    for qw(/ j/ . .. j/..);
has_not('no store', $v, 'wa_gateway_store');
gives("STORE_URL=$_", "STORE_URL=$_\n$v", 'wa_gateway_store', $_)
    for qw(redis://127.0.0.1 redis://:geheim@10.0.0.1:6380/2 redis://a:b%40c@store
           redis://[::1]:6379/);
refuses("STORE_URL=$_", "STORE_URL=$_\n$v", '.env:1: STORE_URL="' . substr($_, 0, 3)
        . '...": allowed: redis://[:password@]host[:port][/db], other characters of a password as %XX')
    for qw(store:6379 rediss://store redis:// redis://geheim@store redis://:@store redis://store:0
           redis://store/x redis://store/1/2 unix:/run/redis.sock), 'redis://:a b@store', 'redis://:a"b@store', 'redis://:$x@store';

has_not('no pace', $v, 'wa_gateway_pace');
gives('PACE_NUMBER', "PACE_NUMBER=20/m\n$v", 'wa_gateway_pace', 'number=20/m');
gives('PACE_RECIPIENT', "PACE_RECIPIENT=1/h\n$v", 'wa_gateway_pace', 'recipient=1/h');
gives('PACE_DAY', "PACE_DAY=1000\n$v", 'wa_gateway_pace', 'day=1000');
gives('all of it', "PACE_NUMBER=20/m\nPACE_RECIPIENT=10/s\nPACE_DAY=5\nPACE_BURST=3\n"
      . "PACE_WAIT=10000\nPACE_DAY_START=06:30\n$v", 'wa_gateway_pace',
      'day=5 number=20/m recipient=10/s burst=3 wait=10000ms day_start=06:30');
has_not('off', "PACE_NUMBER=off\nPACE_RECIPIENT=off\nPACE_DAY=off\n$v", 'wa_gateway_pace');
gives('an end after the wait', "PACE_NUMBER=20/m\nPACE_WAIT=60000\n$v",
      'worker_shutdown_timeout', '105000ms');

refuses("$_->[0]=$_->[1]", "$_->[0]=$_->[1]\n$v", ".env:1: $_->[0]=\"$_->[1]\": allowed: $_->[2]")
    for map({ my $n = $_; map { [$n, $_, 'off or a rate as 20/m, by s, m or h, at most 1000000'] }
              '20', '0/m', '20/d', '1000001/s', 'on', '20/m;', '-1/m' } qw(PACE_NUMBER PACE_RECIPIENT)),
        map({ ['PACE_DAY', $_, 'off or a whole number from 1 to 1000000'] } '0', '1000001', '5/m'),
        map({ ['PACE_BURST', $_, 'a whole number from 1 to 100000'] } '0', 'off', '100001'),
        map({ ['PACE_WAIT', $_, 'a whole number of milliseconds from 0 to 3600000'] } '10s', '3600001', '-1'),
        map({ ['PACE_DAY_START', $_, 'a time from 00:00 to 23:59'] } '24:00', '6:00', '06:60', '06:00;');

is((render("PACE_WAIT=5\n$v"))[2] =~ s/^\Q$env\E/.env/r,
   ".env:1: PACE_WAIT: ignored: there is no PACE_NUMBER, PACE_RECIPIENT or PACE_DAY\n",
   'a wait for nothing is told');

for (["IDEMPOTENCY=off\nJOURNAL=/s/keys\n", 'IDEMPOTENCY is off'],
     ["STORE_URL=redis://127.0.0.1\nJOURNAL=/s/keys\n",
      'STORE_URL keeps the keys'])
{
    is((render("$_->[0]$v"))[2] =~ s/^\Q$env\E/.env/r,
       ".env:2: JOURNAL: ignored: $_->[1]\n",
       "a journal is told to be ignored: $_->[1]");
}
is((render("JOURNAL=/s/keys\n$v"))[2], '', 'one that is used is not');
gives('DEFAULT_COUNTRY', "DEFAULT_COUNTRY=966\n$v", 'wa_gateway_send',
      ['text country=966', 'media country=966']);
gives("DEFAULT_COUNTRY=$_", "DEFAULT_COUNTRY=$_\n$v", 'wa_gateway_send',
      ["text country=$_", "media country=$_"]) for 1, 20;
gives("DNS_REFRESH=$_", "DNS_REFRESH=$_\n$one", 'wa_gateway',
      "$plain_zone dns_refresh=${_}ms") for 0, 1, 29999, 86400000;
gives('the default needs no word', "DNS_REFRESH=30000\n$one", 'wa_gateway', $plain_zone);
has_not('no name server', $one, 'resolver');
gives("RESOLVER=$_->[0]", "RESOLVER=$_->[0]\n$one", 'resolver', $_->[1])
    for ['10.0.0.1', '10.0.0.1'], ['10.0.0.1:5353', '10.0.0.1:5353'], ['::1', '[::1]'],
        ['[::1]', '[::1]'], ['[fd00::1]:53', '[fd00::1]:53'];
refuses("DNS_REFRESH=$_", "#\nDNS_REFRESH=$_\n$one", ".env:2: DNS_REFRESH=\"$_\": allowed: "
        . 'a whole number of milliseconds from 0 to 86400000') for qw(-1 30s 86400001 off 00);
refuses("RESOLVER=$_", "RESOLVER=$_\n$one", ".env:1: RESOLVER=\"$_\": allowed: the address of a name "
        . 'server, and maybe a port, such as 192.168.1.1 or [::1]:53')
    for qw(dns 10.0.0 10.0.0.1: 10.0.0.1:0 10.0.0.1:65536 [::1 ::1] [10.0.0.1] [::1]:x
           [::1]53 10.0.0.1,10.0.0.2 10.0.0.1;), '10.0.0.1 ipv6=off';
gives('ALLOW_DANGEROUS', "ALLOW_DANGEROUS=on\n$v", 'wa_gateway_allow', 'on');
has_not('nothing dangerous', "ALLOW_DANGEROUS=off\n$v", 'wa_gateway_allow');

refuses("SENDER=$_", "#\nSENDER=$_\n$v", ".env:2: SENDER=\"$_\": allowed: any, chat, chat-strict or one")
    for qw(chats chat-strict- ANY all), 'any one', 'one;';
refuses("IDEMPOTENCY=$_", "#\nIDEMPOTENCY=$_\n$v",
        ".env:2: IDEMPOTENCY=\"$_\": allowed: on, required or off")
    for qw(1 yes ON), 'on ttl=1h', 'on;';
refuses("IDEMPOTENCY_TTL=$_", "IDEMPOTENCY_TTL=$_\n$v", ".env:1: IDEMPOTENCY_TTL=\"$_\": allowed: "
        . 'a whole number of ms from 1000 to 2147483647')
    for qw(0 999 24h -1 2147483648 1.5), '1000 x';
refuses("DEFAULT_COUNTRY=$_", "DEFAULT_COUNTRY=$_\n$v", ".env:1: DEFAULT_COUNTRY=\"$_\": allowed: "
        . 'the code of a country, 1 to 3 digits, such as 966')
    for qw(0 0966 +966 00966 9665 SA 96x), '9 66';
refuses("ALLOW_DANGEROUS=$_", "ALLOW_DANGEROUS=$_\n$v",
        ".env:1: ALLOW_DANGEROUS=\"$_\": allowed: on or off") for qw(1 yes ON), 'on off';

($status, $out, $err) = render($v);
(my $log) = $out =~ /log_format (.*?);\n/s;
like($log, qr/'session="\$wa_gateway_session" '\s+'number="\$wa_gateway_number" '\s+'message_id="\$wa_gateway_message_id" '/,
     'the access log tells of sessions');

for (['', 30000], ["REQUEST_TIMEOUT=13000\n", 31000],
     ["REQUEST_TIMEOUT=12500\n", 30000])
{
    gives("no vendor, an end after $_->[1]", "$_->[0]$three", 'worker_shutdown_timeout',
          "$_->[1]ms");
}

# Without a vendor all is as it was.
{
    my ($status, $out, $err) = render("SENDER=one\nIDEMPOTENCY=required\nIDEMPOTENCY_TTL=1000\nJOURNAL=/j/keys\nSTORE_URL=redis://a\nDEFAULT_COUNTRY=966\nALLOW_DANGEROUS=on\n$three");
    is($err =~ s/^\Q$env\E/.env/gmr, join('', map { ".env:$_\n" }
       '1: SENDER: ignored: no instance has a vendor',
       '2: IDEMPOTENCY: ignored: no instance has a vendor',
       '3: IDEMPOTENCY_TTL: ignored: no instance has a vendor',
       '4: JOURNAL: ignored: no instance has a vendor',
       '5: STORE_URL: ignored: no instance has a vendor',
       '6: DEFAULT_COUNTRY: ignored: no instance has a vendor',
       '7: ALLOW_DANGEROUS: ignored: no instance has a vendor'),
       'without a vendor they are ignored');
    is($out, (render($three))[1], 'and change nothing');
    unlike($out, qr/wa_gateway_(?:send|allow|session|number|message|idempotency)/, 'of sessions nothing');
    is((render("SENDER=any\nALLOW_DANGEROUS=off\n$three"))[2], '', 'what is so anyway is not told');
}

# Of an administrator, in a folder that a package's launcher is told of.
{
    my $share = tempdir(CLEANUP => 1);
    my $from = root();

    mkdir "$share/$_" for qw(bin conf own);
    system('cp', '-a', "$from/bin", "$from/conf", $share) == 0 or die;
    write_file("$share/places", "own_vendors='$share/own'\n");
    write_file("$share/own/$_.conf", "wa_gateway_vendor $_ { }\n") for qw(waha my-own plain);
    write_file("$share/own/no.conf.bak", '');
    my $usual = $command;
    $command = "$share/bin/wa-gateway";

    gives('a vendor of one\'s own', "VENDOR=my-own\nVENDOR_KEY_MY_OWN=k\n$three", 'include',
          "$share/own/my-own.conf");
    gives('has its key by its name', "VENDOR=my-own\nVENDOR_KEY_MY_OWN=k\n$three",
          'wa_gateway_instances', 'key=k http://a http://b');
    gives('one\'s own file wins', "VENDOR=waha\n$three", 'include',
          "$share/own/waha.conf");
    gives('the others stay', "VENDOR=gowa\n$three", 'include',
          "$share/conf/vendors/gowa.conf");
    has_not('plain has no file', "VENDOR=plain\n$three", 'include');
    refuses('all are told', "VENDOR=no\n$three",
            '.env:1: VENDOR="no": allowed: ' . $vendors =~ s/gowa, /gowa, my-own, /r);

    # A stop waits as long as a message may take.
    for (['65s', 80000], ['5s', 30000], ['2m', 135000], ['1m30s', 105000], ['20000ms', 35000],
         [90, 105000], ['soon', 30000])
    {
        write_file("$share/own/my-own.conf", "wa_gateway_vendor my-own {\n    timeout  $_->[0];\n}\n");
        gives("an end with timeout $_->[0]", "VENDOR=my-own\n$three", 'worker_shutdown_timeout',
              "$_->[1]ms");
    }

    $command = $usual;
}


# the vendors' keys

my $w = "VENDOR=waha\n$three";
my $printable = 'up to 1024 bytes of printable text, no blank at either end';

# What stands beside the vendor, and what else is said.
sub keys_are {
    my ($title, $text, $balancer, $lines, $said) = @_;
    my ($status, $out, $err) = render($text);
    my $conf = eval { parse_conf($out) } || [];

    $err =~ s/^\Q$env\E/.env/mg;
    is($status, 0, "$title: exit 0") or diag $err;
    is($err, defined $said ? "$said\n" : '', "$title: what is said");
    is((find($conf, 'wa_gateway'))[0], $balancer, "$title: wa_gateway");
    is_deeply([find($conf, 'wa_gateway_instances')], $lines, "$title: instances");
}

my @both = ('http://a', 'vendor=gowa http://b');
my $mix = "VENDOR=waha\nINSTANCES=http://a,gowa+http://b\n";

keys_are('VENDOR_KEY', "VENDOR_KEY=k e\n$w", "$zone vendor=waha key=k e", ['http://a http://b']);
keys_are('VENDOR_KEY is not for others', "VENDOR_KEY=k\n$mix", "$zone vendor=waha key=k", \@both);
keys_are('VENDOR_KEY_WAHA', "VENDOR_KEY_WAHA=k\n$w", "$zone vendor=waha",
         ['key=k http://a http://b']);
keys_are('VENDOR_KEY_GOWA', "VENDOR_KEY_GOWA=u:p\n$mix", "$zone vendor=waha",
         ['http://a', 'vendor=gowa key=u:p http://b']);
keys_are('both', "VENDOR_KEY=k\nVENDOR_KEY_GOWA=u:p\n$mix", "$zone vendor=waha key=k",
         ['http://a', 'vendor=gowa key=u:p http://b']);
keys_are('VENDOR_KEY of the only one that instances have',
         "VENDOR_KEY=k\nINSTANCES=http://a,waha+http://b\n", "$zone vendor=waha key=k",
         ['vendor=plain http://a', 'http://b']);
keys_are('empty ones', "VENDOR_KEY=\nVENDOR_KEY_WAHA=\nVENDOR_KEY_GOWA=\nVENDOR_KEY_FOO=\n"
         . "VENDOR_KEY_FILE=\n$w", "$zone vendor=waha", ['http://a http://b']);

keys_are('no vendor', "VENDOR_KEY=hush-secret\n$three", $plain_zone, ['http://a http://b'],
         '.env:1: VENDOR_KEY: ignored: no instance has a vendor');
keys_are('no vendor, a file', "#\nVENDOR_KEY_FILE=/nowhere\n$three", $plain_zone,
         ['http://a http://b'], '.env:2: VENDOR_KEY_FILE: ignored: no instance has a vendor');
keys_are('nobody has VENDOR', "VENDOR=waha\nVENDOR_KEY=hush-secret\nINSTANCES=gowa+http://a\n",
         $zone, ['vendor=gowa http://a'],
         '.env:2: VENDOR_KEY: ignored: no instance has the vendor waha');
keys_are('a key for a vendor that nobody has', "VENDOR_KEY_GOWA=hush-secret\n$w",
         "$zone vendor=waha", ['http://a http://b'],
         '.env:1: VENDOR_KEY_GOWA: ignored: no instance has the vendor gowa');
keys_are('a key for no vendor', "VENDOR_KEY_GOVA=hush-secret\n$w", "$zone vendor=waha",
         ['http://a http://b'], '.env:1: VENDOR_KEY_GOVA: ignored: there is no such vendor');
keys_are('the closer key wins', "VENDOR_KEY=hush-secret\nVENDOR_KEY_WAHA=k\n$w",
         "$zone vendor=waha key=hush-secret", ['key=k http://a http://b'],
         '.env:1: VENDOR_KEY: ignored: there is VENDOR_KEY_WAHA');

($status, $out, $err) = render($w, VENDOR_KEY_GOVA => 'hush-secret');
is($err, "environment: VENDOR_KEY_GOVA: ignored: there is no such vendor\n",
   'the same in the environment');
($status, $out, $err) = render($w, VENDOR_KEY_WAHA => 'k', VENDOR => 'waha');
like($out, qr/^ *wa_gateway_instances "key=k"$/m, 'a key in the environment');

refuses('several vendors', "VENDOR_KEY=hush-secret\nINSTANCES=waha+http://a,gowa+http://b\n",
        '.env:1: VENDOR_KEY="hus...": allowed: VENDOR_KEY_ and a vendor, for each of gowa, waha');

for my $name (qw(VENDOR_KEY VENDOR_KEY_WAHA VENDOR_KEY_GOWA)) {
    refuses("$name=$_", "$name=$_\n$w", qr/^\.env:1: $name="(?:.{3}\.\.\.|.{0,3})": allowed: /)
        for '" hush-secret"', '"hush-secret "', '"hush\\nsecret"', "hush\tsecret",
            "hush\x01secret", 'h' x 1025;
    refuses("$name: what is allowed", "#\n$name=\" hush\"\n$w",
            ".env:2: $name=\" hu...\": allowed: $printable");
}

for my $key ('"', '\\', '\\"', '$uri', '${x}', 'a;b', '} evil {', '#', "it's", 'a\\nb', 'off',
             'file=x', "\xd9\x85", 'h' x 1024)
{
    (my $quoted = $key) =~ s/([\\"])/\\$1/g;
    gives("VENDOR_KEY=$key", "VENDOR_KEY=\"$quoted\"\n$w", 'wa_gateway',
          "$zone vendor=waha key=$key");
    gives("VENDOR_KEY_WAHA=$key", "VENDOR_KEY_WAHA=\"$quoted\"\n$w", 'wa_gateway_instances',
          "key=$key http://a http://b");
}


# VENDOR_KEY_FILE

my $lines = "a file with lines KEY or URL KEY, each key $printable";

write_file("$dir/vendor_keys", "# who\r\n\r\n  the key \nHTTP://B\tanother: one\n");
keys_are('VENDOR_KEY_FILE', "VENDOR_KEY_FILE=vendor_keys\n$w",
         "$zone vendor=waha key_file=$dir/vendor_keys", ['http://a http://b']);
keys_are('beside a key of a vendor', "VENDOR_KEY_FILE=$dir/vendor_keys\nVENDOR_KEY_GOWA=k\n$mix",
         "$zone vendor=waha key_file=$dir/vendor_keys", ['http://a', 'vendor=gowa key=k http://b']);

write_file("$dir/v \"\\b;}", "one\n");
keys_are('with any name', "VENDOR_KEY_FILE='v \"\\b;}'\n$w",
         "$zone vendor=waha key_file=$dir/v \"\\b;}", ['http://a http://b']);

write_file("$dir/urls", "http://a hush\nhttp://c hush\nhttp://b:80 hush\n");
keys_are('URLs that nobody has', "VENDOR_KEY_FILE=urls\n$w",
         "$zone vendor=waha key_file=$dir/urls", ['http://a http://b'],
         join "\n", map { ".env:1: VENDOR_KEY_FILE, line $_: ignored: no instance has this URL" }
         2, 3);
write_file("$dir/one_url", "http://a hush\n");
keys_are('URLs only, for several vendors',
         "VENDOR_KEY_FILE=one_url\nINSTANCES=waha+http://a,gowa+http://b\n",
         "$zone key_file=$dir/one_url", ['vendor=waha http://a', 'vendor=gowa http://b']);

refuses('VENDOR_KEY too', "VENDOR_KEY=x\nVENDOR_KEY_FILE=vendor_keys\n$w",
        qr/^\.env:2: VENDOR_KEY_FILE="vendor_keys": allowed: either this or VENDOR_KEY \(.*:1\), not both$/);
refuses('no such file', "#\nVENDOR_KEY_FILE=/nowhere\n$w",
        ".env:2: VENDOR_KEY_FILE=\"/nowhere\": allowed: $lines; this one cannot be read");
refuses('a directory', "VENDOR_KEY_FILE=$dir\n$w",
        ".env:1: VENDOR_KEY_FILE=\"$dir\": allowed: $lines; this one cannot be read");

for ([no_key => "# only\n\n", 'there is none in it'], [empty => '', 'there is none in it'],
     [long => "ok\nhttp://a " . 'h' x 1025 . "\n", 'not its line 2'],
     [control => "\n\nhu\tsh\n", 'not its line 3'],
     [no_value => "http://a \n", 'not its line 1'],
     [with_vendor => "#\nwaha+http://a hush\n", 'not its line 2'],
     [two => "one\nhttp://a hush\nhush\n", 'its line 3 is a second key without a URL'])
{
    my ($name, $text, $why) = @$_;
    write_file("$dir/$name", $text);
    refuses("$name in the file", "VENDOR_KEY_FILE=$name\n$w",
            ".env:1: VENDOR_KEY_FILE=\"$name\": allowed: $lines; $why");
}

refuses('whose key?', "VENDOR_KEY_FILE=vendor_keys\nINSTANCES=waha+http://a,gowa+http://b\n",
        ".env:1: VENDOR_KEY_FILE=\"vendor_keys\": allowed: $lines; its line 3 needs "
        . 'a URL: VENDOR does not say whose key it is');
keys_are('nobody has VENDOR, a file of URLs',
         "VENDOR=waha\nVENDOR_KEY_FILE=one_url\nINSTANCES=gowa+http://a\n",
         "$zone key_file=$dir/one_url", ['vendor=gowa http://a']);
keys_are('plain instances, with VENDOR', "VENDOR=waha\nVENDOR_KEY=hush\nINSTANCES=plain+http://a\n",
         $plain_zone, ['http://a'], '.env:2: VENDOR_KEY: ignored: no instance has a vendor');


# https

($status, $out) = render("INSTANCES=https://a.example.com:8443\n");
my $conf = parse_conf($out);
is_deeply([find($conf, 'proxy_pass')], [('https://whatsapp') x 2], 'https');
is_deeply([find($conf, 'proxy_ssl_server_name')], ['on'], 'https sends SNI');
like((find($conf, 'wa_gateway_check'))[0], qr/ ssl=on$/, 'https is checked so');
ok((grep { $_ eq 'Host a.example.com:8443' } find($conf, 'proxy_set_header')),
   'one host of TLS gets its own Host');


# hostile values

# As the launcher does it, with one process less for each of some thousands.
sub render_fast {
    my ($text, %set) = @_;

    write_file($env, $text) if defined $text;

    return run_command({ WA_ENV => defined $text ? $env : '/dev/null', %set,
                         WA_MODULE => '/m.so', WA_DEMO => '/dev/null',
                         WA_TEMPLATE => root() . '/conf/wa_gateway.conf.template',
                         LC_ALL => 'C' },
                       $^X, root() . '/bin/render.pl');
}

# The configuration with its values taken out.
sub skeleton {
    my ($conf) = @_;

    return [map {
        my @words = @$_;
        my $block = ref $words[-1] ? skeleton(pop @words) : undef;

        @words = ($words[0]) if $words[0] =~ /^(?:wa_gateway_(?:check|expect
            |check_header|api_key|admin_key|state|store|instances|errors)|wa_gateway|listen|worker_processes
            |wa_gateway_sender?|wa_gateway_pace|wa_gateway_idempotency|worker_shutdown_timeout|proxy_\w+_timeout)$/x;

        [@words, $block ? $block : ()];
    } @$conf];
}

my %good = (PORT => 3000, HOST => '127.0.0.1', INSTANCES => 'http://localhost:1',
            HEALTH_CHECK_INTERVAL => 1000, REQUEST_TIMEOUT => 1000,
            HEALTH_CHECK_PATH => '/x', HEALTH_CHECK_JSON => '$.a=b',
            HEALTH_CHECK_HEADER => 'A: b', WORKERS => 1, GATEWAY_LANG => 'en',
            API_KEY => 'k', TRUSTED_PROXIES => '::1', VENDOR => 'waha',
            VENDOR_KEY => 'k', VENDOR_KEY_WAHA => 'k', SENDER => 'any',
            IDEMPOTENCY => 'on', IDEMPOTENCY_TTL => 1000,
            STORE_URL => 'redis://a',
            PACE_NUMBER => '20/m', PACE_RECIPIENT => '10/m', PACE_DAY => 5,
            PACE_BURST => 2, PACE_WAIT => 10, PACE_DAY_START => '06:00',
            DEFAULT_COUNTRY => '1', ALLOW_DANGEROUS => 'on',
            ADMIN_KEY => 'a', STATE_FILE => '/s/x',
            DNS_REFRESH => 1, RESOLVER => '10.0.0.1', JOURNAL => '/j/x');

my @hostile = ('"', '\\', '\\"', '\\\\"', '"; return 200 x; #', '"; } } evil {',
               ';', '; evil;', '} evil {', '{', '#', '# x', "'", "'; evil; '",
               '$uri', '${uri}', '$', '${', '&', '\\&', '\\1', '\\0', '/', '//',
               '{{USER}}', '{{API_KEY}}', '%s', '%n', '`id`', '$(id)', "\n",
               "x\nevil;", "x\revil;", "x\tevil", "x\x0bevil", "\x7f",
               "\xc2\x85", '*', '[', '../..', 'off', '-', '--', '=', ',', ' ',
               '|', '\\n', '\\x22', 'x" "y', 'load_module /tmp/evil.so;');

my %prefix = (INSTANCES => 'http://a', HEALTH_CHECK_PATH => '/',
              HEALTH_CHECK_JSON => '$.a=x', HEALTH_CHECK_HEADER => 'A: x',
              API_KEY => 'k', VENDOR => 'waha', VENDOR_KEY => 'k',
              VENDOR_KEY_WAHA => 'k', HOST => 'a', PORT => 1, WORKERS => 1,
              TRUSTED_PROXIES => '::1',
              GATEWAY_LANG => 'en', HEALTH_CHECK_INTERVAL => 1,
              DNS_REFRESH => 1, RESOLVER => '10.0.0.1',
              REQUEST_TIMEOUT => 1, SENDER => 'one', IDEMPOTENCY => 'on',
              IDEMPOTENCY_TTL => 1000, DEFAULT_COUNTRY => 1,
              PACE_NUMBER => '1/m', PACE_RECIPIENT => '1/m', PACE_DAY => 1,
              PACE_BURST => 1, PACE_WAIT => 1, PACE_DAY_START => '00:00',
              ALLOW_DANGEROUS => 'on', ADMIN_KEY => 'a', STATE_FILE => '/s/x',
              JOURNAL => '/j/x', STORE_URL => 'redis://a');

# Where a hostile text may stand, it must come out as it went in.
my %carries = (HEALTH_CHECK_JSON => 'wa_gateway_expect',
               HEALTH_CHECK_HEADER => 'wa_gateway_check_header',
               HEALTH_CHECK_PATH => 'wa_gateway_check',
               API_KEY => 'wa_gateway_api_key', VENDOR_KEY => 'wa_gateway',
               ADMIN_KEY => 'wa_gateway_admin_key',
               STATE_FILE => 'wa_gateway_state',
               JOURNAL => 'wa_gateway_idempotency',
               VENDOR_KEY_WAHA => 'wa_gateway_instances');

($status, $out) = render_fast(undef, %good);
my $base = skeleton(parse_conf($out));

for my $name (sort keys %good) {
    my (@wrong, $taken);

    for my $bad (map { $prefix{$name} . $_ } @hostile) {
        (my $quoted = $bad) =~ s/([\\"])/\\$1/g;
        my @ways = (
            [undef, { %good, $name => $bad }],
            ["$name=\"$quoted\"\n", { %good, $name => undef }],
        );

        for (@ways) {
            my ($status, $out, $err) = render_fast($_->[0], %{$_->[1]});

            if ($status) {
                push @wrong, "$bad: [$err]" if $out ne '' || $err !~ /^[^\n]+\n\z/
                    || $err =~ /[\x01-\x09\x0b-\x1f\x7f]/;
                next;
            }

            my $conf = eval { parse_conf($out) };
            $taken++;

            if (!$conf) {
                push @wrong, "$bad: $@";
                next;
            }

            push @wrong, "$bad: another configuration"
                unless eq_array(skeleton($conf), $base);

            next unless $carries{$name} && defined $_->[0]
                        && $_->[0] =~ /="/;

            my $value = $name eq 'HEALTH_CHECK_HEADER' ? $bad =~ s/^A: *//r : $bad;
            $value =~ s/^\s+|\s+$//g;
            my ($got) = find($conf, $carries{$name});

            push @wrong, "$bad: came out as $got"
                if $name ne 'HEALTH_CHECK_JSON' && index($got, $value) < 0;
        }
    }

    is_deeply(\@wrong, [], "$name adds no directive");
    ok($taken, "$name: some of the texts are good values") if $carries{$name};
}



# without .env

my %none = (WA_ENV => '', INSTANCES => 'http://a', TRUSTED_PROXIES => '',
            PORT => '', HOST => '', WORKERS => '', GATEWAY_LANG => '');

($status, $out, $err) = render_fast(undef, %none);
is("$status$err", '0', 'empty variables of the environment mean the defaults');
is_deeply([find(parse_conf($out), 'listen')], ['127.0.0.1:3000'],
          'and are those');


# A bare Debian has perl-base, and no more of Perl.

($status, $out, $err) = render_fast(undef, %good);
my $full = $out;

($status, $out, $err) = run_command(
    { %good, WA_ENV => '/dev/null', WA_MODULE => '/m.so',
      WA_TEMPLATE => root() . '/conf/wa_gateway.conf.template' },
    $^X, '-e', 'BEGIN { @INC = grep { m{/perl-base$} } @INC or die }
                do shift; die $@', root() . '/bin/render.pl');
is($out, $full, 'it uses modules of perl-base only') or diag $err;

done_testing;
