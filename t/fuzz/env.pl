#!/usr/bin/perl
#
# Fuzzes the reader of .env, bin/render.pl, with mutations of corpus/env:
#
#     env.pl [--seconds=60 | --runs=N] [--seed=N] [--render=FILE] [--found=DIR]
#     env.pl FILE ...         these as they are, such as a finding
#
# An input is refused with one line that says where, or gives a configuration
# with the directives of a good .env, whatever the values are.  What does
# neither stays in DIR.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Getopt::Long;
use IPC::Open2 qw(open2);
use Time::HiRes qw(time);
use WaGateway::Launcher;

my %o = (seconds => 60, render => root() . '/bin/render.pl',
         found => root() . '/build/fuzz/env.found');

GetOptions(\%o, 'seconds=f', 'runs=i', 'seed=i', 'render=s', 'found=s')
    or exit 2;

$o{seed} = int(time * 1000) % 1_000_000_000 unless defined $o{seed};

my $dir = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $env = "$dir/.env";
my @seeds = map { read_file($_) } sort glob "'$FindBin::Bin/corpus/env/'*";

my @names = qw(PORT HOST VENDOR INSTANCES HEALTH_CHECK_INTERVAL REQUEST_TIMEOUT
               HEALTH_CHECK_PATH HEALTH_CHECK_JSON HEALTH_CHECK_HEADER WORKERS
               GATEWAY_LANG API_KEY API_KEY_FILE TRUSTED_PROXIES VENDOR_KEY
               VENDOR_KEY_FILE VENDOR_KEY_WAHA VENDOR_KEY_GOWA SENDER IDEMPOTENCY
               IDEMPOTENCY_TTL JOURNAL STORE_URL
               DEFAULT_COUNTRY ALLOW_DANGEROUS PACE_NUMBER PACE_RECIPIENT
               PACE_DAY PACE_BURST PACE_WAIT PACE_DAY_START ADMIN_KEY
               STATE_FILE);

# What may hold almost any text.
my @free = qw(HEALTH_CHECK_PATH HEALTH_CHECK_JSON HEALTH_CHECK_HEADER API_KEY
              VENDOR_KEY VENDOR_KEY_WAHA ADMIN_KEY STATE_FILE JOURNAL);

my @tokens = (
    ';', '{', '}', '"', "'", '`', '\\', '\\\\', '\\"', '\\n', '\\r', '\\t',
    '\\x22', '$', '${', '$uri', '#', ' #', ' ', "\t", "\n", "\r", "\r\n",
    "\0", "\x01", "\x0b", "\x1f", "\x7f", "\xc2\x85", "\xc2", "\xff",
    "\xef\xbb\xbf", "\xff\xfe", "\xd9\x85", '=', ':', ',', '/', '.', '-',
    '*', '[', ']', '[::1]', '&', '\\&', '\\1', '%s', '%n', '|', '(', ')',
    '{{USER}}', '{{API_KEY}}', '{{', '`id`', '$(id)', '0', '1', '65536',
    '99999999999999999999', 'export ', 'off', 'none', 'auto', 'file=',
    'localhost', '::', 'http://', 'https://', '127.0.0.1', '/32', '$.a=b',
    'include /etc/passwd;', 'load_module /tmp/evil.so;', '; evil;',
    '"; evil; #', '" "', "' '", '" evil "', '1; evil 1', "\nevil;\n",
    '} evil {', '"; } } evil {', 'x' x 1000, '"' x 400, '\\' x 401,
    'http://a,' x 300, 'waha', 'gowa', 'plain', '+', 'waha+http://a',
    ',gowa+http://b', ',plain+http://c', 'vendor_keys', 'any', 'one', 'on', '966', map { "\n$_=" } @names,
);

# The directives that have a value of .env: what is left of their arguments
# when that is taken out, nothing when they are not as they have to be.
my $text = qr/[^\x00-\x1f\x7f]+/;
my $host = qr/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)/;
my %shape = (
    listen => qr/^$host:\d{1,5}(\nipv6only=off)?\z/,
    worker_processes => qr/^(?:auto|[1-9]\d{0,2})\z/,
    worker_shutdown_timeout => qr/^[1-9]\d*ms\z/,
    wa_gateway => qr/^zone=whatsapp:[1-9]\d*k\ncapacity=[1-9]\d*
                      (?:\nsessions=[1-9]\d*)?
                      (?:\nvendor=[a-z-]+)?(?:\nkey(?:_file)?=$text)?\z/x,
    wa_gateway_instances =>
        qr{^(?:vendor=[a-z-]+\n)?(?:key=$text\n)?
           (?:https?://$host(?::\d{1,5})?(?:\n(?=.)|\z))+\z}x,
    wa_gateway_check => qr/^(?:uri=\/[!-~]*\n)?interval=[1-9]\d*ms\n
                           timeout=[1-9]\d*ms(\nssl=on)?\z/x,
    include => qr{^/[^\n]*/conf/vendors/[a-z-]+\.conf\z},
    wa_gateway_sender => qr/^(?:any|one)\z/,
    wa_gateway_send => qr/^(?:text|media)(?:\ncountry=[1-9]\d{0,2})?\z/,
    wa_gateway_check_header => qr/^[!-9;-~]+\n$text\z/,
    wa_gateway_expect => qr/^json\n\$[][\w.-]+\n=(?:\n$text)+\z/,
    wa_gateway_errors => qr/^(?:ar|en)\z/,
    wa_gateway_api_key => qr/^(?!off\z)(file=)?$text\z/,
    wa_gateway_admin_key => qr/^(?!off\z)(file=)?$text\z/,
    wa_gateway_state => qr/^$text\z/,
    wa_gateway_idempotency =>
        qr/^(?:off|(?:on|required)\nttl=[1-9]\d*ms(?:\njournal=$text)?)\z/,
    proxy_set_header => qr/^(Host)\n(?:\$wa_host|$host(?::\d{1,5})?)\z/,
    map { +"proxy_${_}_timeout" => qr/^[1-9]\d*ms\z/ } qw(connect send read),
);

write_file("$dir/api_keys", "one\n");
write_file("$dir/vendor_keys", "http://a one\n");

# What is said of a key that nobody takes.
my $ignored = qr/^\.env:[1-9]\d*:\ (?:VENDOR_KEY\w*(?:,\ line\ \d+)?|SENDER|JOURNAL|STORE_URL|IDEMPOTENCY(?:_TTL)?
                 |DEFAULT_COUNTRY|ALLOW_DANGEROUS|PACE_\w+):\ ignored:
                 \ (?:no\ instance\ has|there\ is)\ [\w, ]+\n/mx;

my ($from, $to) = renderer();
my %good;
my ($runs, $taken) = (0, 0);

if (@ARGV) {
    my $bad = grep { !tried(read_file($_), $_) } @ARGV;
    print "$runs runs, $taken taken\n";
    exit($bad ? 1 : 0);
}

srand $o{seed};
print "seed $o{seed}\n";

my $start = time;

for my $seed (@seeds) {
    tried($seed) or exit 1;
}

while (defined $o{runs} ? $runs < @seeds + $o{runs} : time - $start < $o{seconds}) {
    tried(mutation()) or exit 1;
}

# Where all is refused, or nothing, nothing was tried.
if ($runs > 100 && ($taken < $runs / 20 || $taken > $runs * 19 / 20)) {
    print "not so: of $runs inputs some are taken and some are not: $taken\n";
    exit 1;
}

printf "stat::number_of_executed_units: %d\n%d of them taken, %.0f a second\n",
       $runs, $taken, $runs / (time - $start);


# Whether all is well with an input.
sub tried {
    my ($input, $name) = @_;
    my $why = verdict($input);

    $runs++;
    return 1 unless defined $why;

    if (!defined $name) {
        make_path($o{found});
        $name = sprintf '%s/%d-%d.env', $o{found}, $o{seed}, $runs;
        write_file($name, $input);
    }

    print "not so: $why\nseed $o{seed}, run $runs: $name\n";
    return;
}


sub verdict {
    my ($input) = @_;
    my ($status, $out, $err) = render($input);

    if ($status) {
        return "ends with status 0 or 1: $status $err" if $status ne '1';
        return 'refused, nothing on stdout' if $out ne '';
        return "refused with one line: $err"
            unless $err =~ /^[^\x00-\x1f\x7f]+\n\z/;
        return "refused with a place: $err"
            unless $err =~ /^\.env:(?:[1-9]\d*:\ (?:\w+="|not\ )|\ \w+\ is\ missing)
                            |^default:\ \w+="/x;
        return;
    }

    $taken++;

    return "taken, only what is ignored on stderr: $err"
        if $err !~ /^(?:$ignored)*\z/;
    return 'no control characters in nginx.conf'
        if $out =~ /[\x00-\x09\x0b-\x1f\x7f]/;

    my $conf = eval { parse_conf($out) };
    return "nginx can read it: $@" unless $conf;

    my ($skeleton, @odd) = skeleton($conf, '');
    return "as a value should be: @odd" if @odd;

    my $like = like_it($out);
    $good{$like} = skeleton_of($like) unless defined $good{$like};

    return if $skeleton eq $good{$like};
    return 'the directives of a good .env';
}


sub render {
    my ($input) = @_;

    write_file($env, $input);
    print $to "\n";
    chomp(my $status = <$from> // '');

    return ($status, read_file("$dir/out"), read_file("$dir/err"));
}


# A shell that runs perl as bin/wa-gateway does, once for each line: its forks
# are cheaper than ours.
sub renderer {
    local %ENV = %ENV;
    WaGateway::Launcher::clean_env({
        LC_ALL => 'C', WA_ENV => $env, WA_ENV_LABEL => '.env',
        WA_MODULE => '/m.so', WA_USER => 'www-data', WA_LOG => 'access.log',
        WA_ROOT => root(), WA_DEMO => root() . '/conf/demo.conf',
        WA_TEMPLATE => root() . '/conf/wa_gateway.conf.template',
    });

    open2(my $from, my $to, 'sh', '-c', 'ulimit -t 10; while read -r _; do'
          . ' perl "$1" </dev/null >"$2/out" 2>"$2/err"; echo $?; done',
          'sh', $o{render}, $dir);

    return ($from, $to);
}


# Names, blocks and fixed arguments as one text; and what has another shape
# than it must have.
sub skeleton {
    my ($conf, $in) = @_;
    my ($skeleton, @odd) = ('');

    for my $d (@$conf) {
        my ($name, @args) = @$d;
        my $block = ref $args[-1] ? pop @args : undef;
        my $args = join "\n", @args;

        # One line for all that are trusted: their number is no matter.
        if ($in eq 'geo' && $name ne 'default') {
            push @odd, "$name $args"
                unless $name =~ m{^[0-9A-Fa-f:.]+(?:/\d+)?\z} && $args eq '1';
            $skeleton .= 'trusted;' unless $skeleton =~ /trusted;\z/;
            next;
        }

        # Where a vendor is said, directives are as many as there are vendors.
        if ($name =~ /^(?:include|wa_gateway_instances)\z/) {
            push @odd, "$name $args" unless $args =~ $shape{$name};
            $skeleton .= "$name;" unless $skeleton =~ /\b$name;\z/;
            next;
        }

        my $shape = $shape{$name};

        if ($shape && ($name ne 'proxy_set_header' || $args =~ /^Host/)
            && ($name ne 'wa_gateway_api_key' || $in eq 'server')
            && ($name !~ /^proxy_.*_timeout/ || $in eq 'server'))
        {
            $args = $args =~ $shape ? defined $1 ? $1 : '' : do {
                push @odd, "$name $args";
                '?';
            };
        }

        $skeleton .= $block ? "$name $args {" : "$name $args;";

        if ($block) {
            my ($inner, @more) = skeleton($block, $name);
            $skeleton .= "$inner}";
            push @odd, @more;
        }
    }

    return ($skeleton, @odd);
}


# A good .env that asks for the same optional lines.
sub like_it {
    my ($out) = @_;

    return join "\n",
        $out =~ /proxy_ssl_name/ ? 'INSTANCES=https://a' : 'INSTANCES=http://a',
        $out =~ /^ *listen \[::1\].*\n/m && $out =~ /listen 127/ ? 'HOST=localhost'
            : $out =~ /ipv6only/ ? 'HOST=::' : (),
        $out =~ /wa_gateway_api_key "file=/ ? 'API_KEY_FILE=api_keys'
            : $out =~ /wa_gateway_api_key "/ ? 'API_KEY=k' : (),
        $out =~ /wa_gateway_admin_key "/ ? 'ADMIN_KEY=a' : (),
        $out =~ /wa_gateway_sessions/ ? 'VENDOR=waha' : (),
        $out =~ /wa_gateway_allow/ ? 'ALLOW_DANGEROUS=on' : (),
        $out =~ /wa_gateway_check_header/ ? 'HEALTH_CHECK_HEADER=A: b' : (),
        $out =~ /wa_gateway_expect/ ? 'HEALTH_CHECK_JSON=$.a=b' : (),
        $out =~ m{^ *default 0;\n *[0-9a-fA-F:./]+ 1;\n}m ? ()
            : 'TRUSTED_PROXIES=none', '';
}


sub skeleton_of {
    my ($status, $out, $err) = render($_[0]);
    die "a good file is refused: $err" if $status;

    my ($skeleton, @odd) = skeleton(parse_conf($out), '');
    die "a good file has an odd value: @odd\n" if @odd;

    return $skeleton;
}


sub any { return $_[rand @_] }


# Mostly values: a file whose lines are broken is refused early.
sub mutation {
    my $text = any(@seeds);

    for (1 .. 1 + int rand 3) {
        my $way = rand;

        $text = $way < 0.6 ? with_value($text)
              : $way < 0.7 ? with_lines($text)
              : with_bytes($text);
    }

    return $text;
}


# Another value for one of the variables, in one of the ways to write it.
sub with_value {
    my ($text) = @_;
    my $name = any(@names, (@free) x 3);
    my @old = $text =~ /^\Q$name\E=(.*)$/mg;
    my $value = @old && rand() < 0.7 ? $old[-1] =~ s/\r//gr : '';

    substr($value, rand(length($value) + 1), 0) = any(@tokens)
        for 1 .. 1 + int rand 3;

    my $way = rand;

    if ($way < 0.3) {
        $value =~ s/([\\"])/\\$1/g;
        $value = "\"$value\"";
    } elsif ($way < 0.5) {
        $value = any('"', "'", '`') . $value . any('"', "'", '`');
    }

    my $line = any('', '', '', 'export ', ' ') . $name
               . any('=', '=', '=', ' = ', ': ') . $value . "\n";

    $text =~ s/^\Q$name\E=.*\n?//mg if rand() < 0.8;
    return rand() < 0.5 ? $line . $text
                        : $text =~ s/(?<=[^\n])\z/\n/r . $line;
}


# Lines dropped, doubled, moved, or taken from elsewhere.
sub with_lines {
    my ($text) = @_;
    my @lines = split /^/, $text;
    my $way = rand;

    if ($way < 0.3) {
        splice @lines, rand @lines, 1 if @lines;
    } elsif ($way < 0.5) {
        push @lines, any(@lines) if @lines;
    } elsif ($way < 0.7) {
        @lines = sort { rand() <=> 0.5 } @lines;
    } else {
        my @other = split /^/, any(@seeds);
        splice @lines, rand(@lines + 1), 0, any(@other);
    }

    return join '', @lines;
}


sub with_bytes {
    my ($text) = @_;
    my $at = rand(length($text) + 1);
    my $way = rand;

    if ($way < 0.5) {
        substr($text, $at, 0) = any(@tokens);
    } elsif ($way < 0.7) {
        substr($text, $at, 1 + rand 8) = any(@tokens);
    } elsif ($way < 0.9) {
        substr($text, $at, 1) = chr rand 256;
    } else {
        substr($text, $at, 1 + rand 20) = '';
    }

    return $text;
}
