#!/usr/bin/perl
#
# Fuzzes vendors' files, with mutations of conf/vendors and blocks that are put
# together from the words of the reference:
#
#     vendor.pl [--seconds=60 | --runs=N] [--seed=N] [--found=DIR]
#               [--nginx=FILE] [--module=FILE]
#     vendor.pl FILE ...      these as they are, such as a finding
#
# A file is refused with one [emerg] line that names a file and a line, or is
# taken; nginx -t never crashes.  Those that are taken serve in a gateway each,
# some at once: its instance is asked with a request that is HTTP, whatever it
# answers the worker goes on, and so do its reload and its end.  What does
# otherwise stays in DIR.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Getopt::Long;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);

my $root = abs_path("$FindBin::Bin/../..");
my %o = (seconds => 60, found => "$root/build/fuzz/vendor.found");

GetOptions(\%o, 'seconds=f', 'runs=i', 'seed=i', 'found=s', 'nginx=s',
           'module=s')
    or exit 2;

$ENV{PATH} .= ':/usr/sbin:/sbin';
$ENV{TEST_NGINX_BINARY} = $o{nginx} if $o{nginx};
$ENV{TEST_NGINX_LOAD_MODULES} = $o{module} if $o{module};
$ENV{ASAN_OPTIONS} = 'detect_leaks=0:detect_odr_violation=0:exitcode=99';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

$o{seed} = int(time * 1000) % 1_000_000_000 unless defined $o{seed};

# nginx's own sources are known for some of what UBSan says.
my $Report = qr/AddressSanitizer|wag_\w+\.[ch]:\d+:\d+: runtime error/;

# Files that serve together.
my $Together = 20;

my $dir = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @seeds = map { slurp($_) } sort(glob "'$root/conf/vendors/'*.conf"),
                              sort(glob "'$FindBin::Bin/corpus/vendor/'*");

my @directives = qw(key list_key list ask number token login start
                    state);
my @states = qw(ready starting login down stopped absent);
my @paths = ('$', '$.name', '$.status', '$.me.id', '$.result', '$.response',
             '$.data', '$.results', '$.a.b.c', '$[0]', '$.a[17]', '$.a[-1]',
             '$.', '$..a', '$[', '$[x]', 'name', '$.a.' x 30, '$' . '.a' x 40,
             '$[4294967296]', '$.\'a b\'', '$["a"]', '$.*', '$.a,$.b',
             '$.a,$.b,$.c', '$.a,$.b,$.c,$.d', '$.a,', ',$.a', ',');
my @uris = ('/', '/list', '/api/<session>', '/<key>', '/<token>',
            '/<key:base64>', '/a?b=<session>&c=d', 'list', '', '/<', '/<>',
            '/<session', '/session>', '/<<key>>', '/<keys>', '/a b', '/"',
            '/%2f', '/%', '/#', '/' . 'x' x 3000, '/$uri', '/<session>' x 50,
            "/\x01", "/\x7f", "/\xd9\x85", '//', '/../', '/\\');
my @numbers = (0, 1, 99, 100, 199, 200, 201, 299, 404, 599, 600, -1, 65536,
               '4xx', '4294967296', '9' x 20, '200,404', '200,,', ',200',
               '200-299');
my @tokens = (';', '{', '}', '"', "'", '\\', '$', '#', ' ', "\t", "\n", "\r",
    "\r\n", "\0", "\x01", "\x7f", "\xff", "\xef\xbb\xbf", "\xd9\x85", '=',
    ',', '<', '>', '<key>', '<session>', '<token>', '<key:base64>', 'on',
    'off', 'name=', 'items=', 'label=', 'number=', 'state=', 'status=',
    'absent=', 'empty=', 'secret=on', 'secret=', 'x' x 200, 'x' x 5000,
    'Host', 'Content-Length', 'Transfer-Encoding', 'Connection', ':', 'a: b',
    "a\r\nb", '"a\r\nb c"', '"a\n"', '"\r"', '"a\tb"', '"a b"', 'GET', 'POST', 'HEAD', 'GET ', @states, @directives, @paths,
    @uris, @numbers);

# one for all, since they are not endless
my $port = WaGateway::Fake::free_port();
my ($pid, @served) = serve();
my ($runs, $taken, $used) = (0, 0, 0);
my @waiting;

END {
    if ($pid) {
        my $status = $?;
        kill 'KILL', $pid;
        waitpid $pid, 0;
        $? = $status;
    }
}

if (@ARGV) {
    my $bad = grep { !tried(slurp($_), $_) } @ARGV;
    $bad++ unless together();
    print "$runs runs, $taken taken, $used used\n";
    exit($bad ? 1 : 0);
}

srand $o{seed};
print "seed $o{seed}\n";

my $start = time;

for my $seed (@seeds) {
    tried($seed) or exit 1;
}

while (defined $o{runs} ? $runs < @seeds + $o{runs}
                        : time - $start < $o{seconds})
{
    tried(rand() < 0.3 ? generated() : mutation()) or exit 1;
}

together() or exit 1;

# Where all is refused, or nothing, nothing was tried.
if ($runs > 100 && ($taken < $runs / 20 || $taken > $runs * 19 / 20)) {
    print "not so: of $runs files some are taken and some are not: $taken\n";
    exit 1;
}

printf "stat::number_of_executed_units: %d\n%d of them taken, %d used, "
       . "%.0f a second\n", $runs, $taken, $used, $runs / (time - $start);


sub any { return $_[rand @_] }


# Whether all is well with a file.
sub tried {
    my ($input, $name) = @_;
    my $why = verdict($input);

    $runs++;

    return found($input, $why, $name) if defined $why;
    return @waiting < $Together || together();
}


sub found {
    my ($input, $why, $name) = @_;

    if (!defined $name) {
        make_path($o{found});
        $name = sprintf '%s/%d-%d.conf', $o{found}, $o{seed}, $runs;
        put($name, $input);
    }

    print "not so: $why\nseed $o{seed}, run $runs: $name\n";
    return;
}


sub put {
    my ($name, $text) = @_;

    open my $fh, '>:raw', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}


# The name of the first vendor, as nginx reads it.
sub name_of {
    my ($input) = @_;

    return $input =~ /^\s*(?:\#[^\n]*\n\s*)*
                      wa_gateway_vendor[ ]([a-z0-9-]+)[ ]\{/x
           ? $1 : undef;
}


# What is wrong; nothing if all is well.
sub verdict {
    my ($input) = @_;
    my $name = name_of($input);

    put("$dir/vendor.conf", $input);

    my $ng = WaGateway::Nginx->new(port => $port,
        http => "include $dir/vendor.conf;",
        upstream => ($name ? "wa_gateway vendor=$name key=u:p;"
                           : 'wa_gateway;') . 'server 127.0.0.1:1;');
    my ($status, $text) = checked($ng);

    return "no crash: status $status: $text"
        if ($status & 255) || $text =~ $Report || $status >> 8 > 1;

    my @lines = $text =~ /^(.*\[(?:emerg|alert|crit|error)\].*)$/mg;

    if ($status == 0) {
        return "taken without a word: @lines" if @lines;

        $taken++;
        push @waiting, [$input, $name] if defined $name;
        return;
    }

    return 'refused with one line: ' . join "\n", @lines unless @lines == 1;
    return "refused with [emerg]: $lines[0]" unless $lines[0] =~ /\[emerg\]/;

    # what is quoted in it may have line breaks, as with nginx's own
    return "refused with a file and a line: $text"
        unless $text =~ m{\[emerg\].*\ in\ (?:\Q$dir\E/vendor|
                          \Q$ng->{dir}\E/nginx)\.conf:\d+}xs;
    return;
}


# nginx -t, with the whole status.
sub checked {
    my ($ng) = @_;

    $ng->write_conf;

    my @command = ($ng->command, '-t');
    splice @command, 3, 2, '-e', 'stderr';

    my $child = open my $out, '-|';
    die "fork: $!\n" unless defined $child;

    if (!$child) {
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    my $text = do { local $/; <$out> };
    close $out;

    return ($?, defined $text ? $text : '');
}


# Those that were taken, in one gateway; alone if they do not go together.
sub together {
    my @these = splice @waiting;

    return 1 unless @these;

    my $why = serves(@these);

    return 1 unless defined $why;

    for (@these) {
        my $alone = serves($_);
        return found($_->[0], $alone) if defined $alone;
    }

    return found(join("\n", map { $_->[0] } @these), $why);
}


sub serves {
    my (@these) = @_;
    my ($http, $n) = ('', 0);

    for (@these) {
        my ($input, $name) = @$_;
        my ($was, $now) = ($name, "v$n");

        # of one file all but the first would be names given twice
        $input =~ s/wa_gateway_vendor \Q$was\E \{/wa_gateway_vendor $now {/;
        put("$dir/serves-$n.conf", $input);

        $http .= "include $dir/serves-$n.conf;\n"
                 . "upstream u$n { wa_gateway vendor=$now key=u:p;\n"
                 . "wa_gateway_instances http://$served[$n];\n"
                 . "wa_gateway_check interval=50ms timeout=2s; }\n"
                 . "server { listen unix:$dir/s$n; location / {"
                 . " proxy_pass http://u$n; } }\n";
        $n++;
    }

    unlink glob "$dir/seen-*";

    my $ng = WaGateway::Nginx->new(port => $port, http => $http,
        upstream => 'wa_gateway; server 127.0.0.1:1 down;');
    my ($status, $text) = checked($ng);

    # a file with several vendors
    return @these > 1 ? "all of them together: $text" : undef if $status;

    eval { $ng->start; 1 } or return "a start: $@";

    my $seen = sub {
        my ($least) = @_;
        return !grep { (-s "$dir/seen-$_" || 0) < $least } 0 .. $n - 1;
    };

    my $asked = poll { $seen->(3) || -e "$dir/bad" } 20;

    $ng->reload if $asked;
    $ng->stop;
    $used += $n;

    my $bad = slurp("$dir/bad");
    unlink "$dir/bad";

    return "a request that is HTTP: $bad" if $bad ne '';
    return 'asked for its sessions: '
           . join ' ', map { -s "$dir/seen-$_" || 0 } 0 .. $n - 1
        unless $asked;

    my @wrong = grep { !/lists \d+ session/ } $ng->logged(
        '\[(?:alert|crit|emerg)\]|exited on signal');
    my $said = join '', @wrong, slurp("$ng->{dir}/stderr.log")
                                =~ /^.*$Report.*$/mg;

    return $said ne '' ? "a quiet log: $said" : undef;
}


# A process that answers each request with a list of some kind, and says what
# is no request.
sub serve {
    my (@sockets, @names);
    my $parent = $$;
    my $port = WaGateway::Fake::free_port();

    for my $n (0 .. $Together - 1) {
        my $name = '127.0.0.' . ($n + 1) . ":$port";

        push @sockets, IO::Socket::INET->new(LocalAddr => $name, Listen => 64,
                                             ReuseAddr => 1)
            || die "$name: $!\n";
        push @names, $name;
    }

    my $child = fork;
    die "fork: $!\n" unless defined $child;

    return ($child, @names) if $child;

    my $select = IO::Select->new(@sockets);
    my %number = map { $sockets[$_] => $_ } 0 .. $#sockets;
    my %of;

    $SIG{PIPE} = 'IGNORE';

    while (getppid == $parent) {
        for my $s ($select->can_read(1)) {
            if (defined $number{$s}) {
                my $c = $s->accept or next;
                $c->timeout(1);
                $of{$c} = { n => $number{$s}, text => '' };
                $select->add($c);
                next;
            }

            my $c = $of{$s};

            if (!sysread $s, $c->{text}, 65536, length $c->{text}) {
                $select->remove($s);
                delete $of{$s};
                close $s;
                next;
            }

            next unless $c->{text} =~ s/\A(.*?\r\n)\r\n//s;
            answer($s, $c->{n}, $1, $c->{text});
        }
    }

    POSIX::_exit(0);
}


sub answer {
    my ($s, $n, $head, $rest) = @_;

    my $host = () = $head =~ /^Host:/mg;

    if ($head !~ m{\A(?:GET|POST)\ /[!-~\x80-\xff]*\ HTTP/1\.1\r\n
                   (?:[!#-'*+.0-9A-Z^-z|~-]+:\ [^\x00-\x08\x0a-\x1f\x7f]*\r\n)+
                   \z}x
        || $host != 1 || $rest ne '')
    {
        put("$dir/bad", "$head$rest");
    }

    my @texts = (
        '[{"name":"a","status":"WORKING","me":{"id":"966500000001@c.us"}},'
        . '{"name":"b","status":"STOPPED","token":"t","a":{"b":{"c":1}}}]',
        '{"result":["a","b"],"response":["a","c"],"token":"x","state":"open"}',
        '{"data":[{"token":"t","name":"n","connected":true,"loggedIn":true}]}',
        '{"results":[{"id":"d","jid":"966500000002:3@s.whatsapp.net",'
        . '"state":"logged_in"}],"instance":{"state":"open"}}',
        '[]', '{}', '"a"', '17', 'null', '', '[[', "\xff", '[{"name":"',
        '[' x 2000, '{"a":' x 2000, '["' . 'n' x 5000 . '"]',
        '[' . join(',', map { qq("s$_") } 1 .. 300) . ']');

    my $body = any(@texts);
    my $status = any((200) x 8, 201, 204, 401, 403, 404, 422, 500);
    $body = '' if $status == 204;

    open my $fh, '>>', "$dir/seen-$n";
    syswrite $fh, '.';
    close $fh;

    syswrite $s, "HTTP/1.1 $status X\r\nContent-Type: application/json\r\n"
                 . ($status == 204 ? ''
                                   : 'Content-Length: ' . length($body)
                                     . "\r\n")
                 . "\r\n$body";
}


# A block of directives that may be right.
sub generated {
    my @lines;

    push @lines, sprintf 'list %s %s items=%s name=%s state=%s', method(),
                         mostly('/list', @uris), mostly('$', @paths),
                         mostly('$.name', @paths), mostly('$.status', @paths)
        if rand() < 0.9;
    $lines[0] .= ' ' . any('number=' . any(@paths), 'secret=on', 'empty=on',
                           'status=' . any(@numbers), 'label=' . any(@paths),
                           'secret=on label=$.label')
        if @lines && rand() < 0.5;

    push @lines, 'state ready WORKING' if rand() < 0.9;
    push @lines, 'state ' . any(@states) . join '', map { ' ' . any(@tokens) }
                 0 .. rand 4
        for 0 .. rand 3;
    push @lines, sprintf 'ask %s %s state=%s', method(),
                         mostly('/ask/<session>', @uris), any(@paths)
        if rand() < 0.4;
    push @lines, any('number ', 'token ') . method() . ' '
                 . mostly('/of/<session>', @uris) . ' ' . any(@paths)
        if rand() < 0.4;
    push @lines, any('login ', 'start ') . method() . ' '
                 . mostly('/of/<session>', @uris)
                 . any('', ' base64=' . any(@paths), ' link=' . any(@paths),
                       ' code=' . any(@paths), ' refresh=5s', " '{\"a\":1}'")
        if rand() < 0.4;
    push @lines, any('key ', 'list_key ')
                 . mostly('X-Key', @tokens) . ' '
                 . any('<key>', 'Basic<key:base64>', '"a\r\nb c"',
                       any(@tokens))
        if rand() < 0.6;

    @lines = sort { rand() <=> 0.5 } @lines if rand() < 0.3;

    my $name = mostly('x', 'plain', '', 'A', 'a b', 'x' x 300, 'ünder', '-');

    return "wa_gateway_vendor $name {\n"
           . join('', map { "    $_;\n" } @lines) . "}\n";
}


sub method { return mostly('GET', 'POST', 'get', '', 'DELETE', '"GET "') }


sub mostly {
    my ($usual, @other) = @_;
    return rand() < 0.8 ? $usual : any(@other);
}


sub mutation {
    my $text = any(@seeds);

    $text = rand() < 0.5 ? with_word($text)
          : rand() < 0.5 ? with_lines($text) : with_bytes($text)
        for 1 .. 1 + int rand 3;

    return $text;
}


# Another word for one of them.
sub with_word {
    my ($text) = @_;
    my @words = split /([\s;{}]+)/, $text;

    $words[2 * int(rand(@words) / 2)] = any(@tokens);
    return join '', @words;
}


# Lines dropped, doubled, moved, or taken from elsewhere.
sub with_lines {
    my ($text) = @_;
    my @lines = split /^/, $text;
    my $way = rand;

    if ($way < 0.3) {
        splice @lines, rand @lines, 1;
    } elsif ($way < 0.5) {
        splice @lines, rand @lines, 0, any(@lines);
    } elsif ($way < 0.7) {
        my $line = splice @lines, rand @lines, 1;
        splice @lines, rand @lines, 0, $line;
    } else {
        my @other = split /^/, any(@seeds);
        splice @lines, rand @lines, 0, any(@other);
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
