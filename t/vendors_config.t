#!/usr/bin/perl

# Vendors in the configuration: what is wrong is one line that names the file
# and the line; those that are shipped are right, and short.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Glob qw(bsd_glob);
use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Nginx qw(slurp);

my $dir = tempdir(CLEANUP => 1);
my $vendors = "$FindBin::Bin/../conf/vendors";
my $server = 'server 127.0.0.1:1;';

my $good = 'list GET /list items=$ name=$.name state=$.state;
state ready WORKING;';


# Exit status and what nginx -t says of a vendor's file and an upstream.
sub test {
    my ($vendor, $upstream) = @_;

    open my $fh, '>:raw', "$dir/vendor.conf" or die "$!\n";
    print $fh $vendor;
    close $fh or die "$!\n";

    my $ng = WaGateway::Nginx->new(http => "include $dir/vendor.conf;",
        upstream => $upstream || "wa_gateway vendor=v; $server");

    return $ng->test;
}


sub refused {
    my ($name, $line, $error, $vendor, $upstream) = @_;
    my ($status, $text) = test($vendor, $upstream);

    isnt($status, 0, "$name: is refused");
    is(scalar(() = $text =~ /\[(?:emerg|alert|crit|error)\]/g), 1,
       "$name: in one line");

    my $where = $line ? quotemeta "in $dir/vendor.conf:$line" : '';
    like($text, qr/\[emerg\] .*\Q$error\E.*$where/, "$name: that says why");
}


# A block of these directives, the first of which is line 2.
sub block {
    return "wa_gateway_vendor v {\n" . join('', map { "$_\n" } @_) . "}\n";
}


for (bsd_glob("$vendors/*.conf")) {
    my ($name) = m{([^/]+)\.conf$};
    my $text = slurp($_);
    my ($status, $said) = test($text,
                               "wa_gateway vendor=$name key=k; $server");

    is($status, 0, "$name: is right") or diag($said);
    cmp_ok(scalar(() = $text =~ /\n/g), '<=', 60, "$name: and short");
    like($text, qr/^wa_gateway_vendor \Q$name\E \{$/m, "$name: as its file");
}

# No vendor's name in the sources.
{
    my @names = map { m{([^/]+)\.conf$} } bsd_glob("$vendors/*.conf");
    my $re = join '|', @names;
    my @found = grep { slurp($_) =~ /\b(?:$re)\b/i }
                bsd_glob("$FindBin::Bin/../src/*/{,*/}*.[ch]");

    cmp_ok(scalar @names, '>=', 6, 'six vendors');
    is(join(' ', @found), '', 'no vendor is named in the sources');
}


refused('no list', 3, 'no "list" in vendor "v"', block('state ready WORKING;'));
refused('no state', 3, 'no "state=" in "list", and no "ask" in vendor "v"',
        block('list GET / items=$ name=$;'));
refused('no ready', 4, 'no "state ready" in vendor "v"',
        block('list GET / items=$ name=$ state=$.s;', 'state down X;'));
refused('unknown directive', 2, 'unknown directive "lists" of a vendor',
        block('lists GET /;', $good));
refused('arguments', 2, 'invalid number of arguments in "key" directive',
        block('key X-Key;', $good));
refused('twice', 4, '"list" directive is duplicate',
        block($good, 'list GET / items=$ name=$;'));
refused('method', 2, 'invalid method "DELETE", it is GET or POST',
        block('list DELETE / items=$ name=$ state=$.s;'));
refused('URI', 2, 'invalid URI "sessions", it must begin with "/"',
        block('list GET sessions items=$ name=$ state=$.s;'));
refused('place', 2, 'unknown "<keys>" in "<keys>", there are',
        block('key X-Key <keys>;', $good));
refused('open place', 2, 'unknown "<key" in "/<key", there are',
        block('list GET /<key items=$ name=$ state=$.s;'));
refused('path', 2, 'invalid JSON path "name"',
        block('list GET / items=$ name=name state=$.s;'));
refused('paths', 2, 'more than 3 paths in "$.a,$.b,$.c,$.d"',
        block('list GET / items=$ name=$ state=$.a,$.b,$.c,$.d;'));
refused('an empty path', 2, 'empty path in "$.a,"',
        block('list GET / items=$ name=$ state=$.a,;'));
refused('another', 2, 'empty path in "$.a,,$.b"',
        block('list GET / items=$ name=$ state=$.a,,$.b;'));
refused('no name', 2, '"list" directive needs "name="',
        block('list GET / items=$ state=$.s;'));
refused('no items', 2, '"list" directive needs "items="',
        block('list GET / name=$ state=$.s;'));
refused('label', 2, '"list" directive has "label=", which is for "secret=on"',
        block('list GET / items=$ name=$.t label=$.n state=$.s;'));
refused('no state of ask', 4, '"ask" directive needs "state="',
        block($good, 'ask GET /a absent=404;'));
refused('status', 2, 'invalid parameter "status=99"',
        block('list GET / items=$ name=$ state=$.s status=99;'));
refused('kind', 4, 'invalid state "working", it is one of ready, starting, '
                   . 'login, down, stopped, absent',
        block($good, 'state working WORKING;'));
refused('long', 4, '"state" directive has a text that is too long',
        block($good, 'state down ' . 'x' x 200 . ';'));
refused('session in the list', 4,
        '"<session>" or "<token>" in what is asked of no session',
        block('list GET /<session> items=$ name=$ state=$.s;',
              'state ready X;'));
refused('token', 5, '"<token>" without "token" in vendor "v"',
        block('key Authorization "Bearer <token>";', $good));
refused('token and secret', 5, '"token" with "secret=on" in vendor "v"',
        block('list GET / items=$ name=$ state=$.s secret=on;',
              'state ready X;', 'token POST /<session> $.t;'));
refused('login method', 4, 'invalid method "PUT", it is GET or POST',
        block($good, 'login PUT /q;'));
refused('login URI', 4, 'invalid URI "q", it must begin with "/"',
        block($good, 'login GET q;'));
refused('login twice', 5, '"login" directive is duplicate',
        block($good, 'login GET /q;', 'login GET /p;'));
refused('two forms', 4, '"login" directive has "base64=" and "link="',
        block($good, 'login GET /q base64=$.a link=$.b;'));
refused('code of an image', 4,
        '"login" directive has "code=", which an image has not',
        block($good, 'login GET /q code=$.a;'));
refused('login path', 4, 'invalid JSON path "a"',
        block($good, 'login GET /q base64=a;'));
refused('refresh', 4, 'invalid parameter "refresh=10ms"',
        block($good, 'login GET /q refresh=10ms;'));
refused('login place', 4, 'unknown "<to>" in "/<to>", there are',
        block($good, 'login GET /<to>;'));
refused('login token', 5, '"<token>" without "token" in vendor "v"',
        block($good, 'login GET /<token>;'));
refused('start token', 6, '"<token>" without "token" in vendor "v"',
        block($good, 'login GET /q;', 'start GET /<token>;'));
refused('start alone', 5, '"start" without "login" in vendor "v"',
        block($good, 'start POST /s;'));
refused('start twice', 5, '"start" directive is duplicate',
        block($good, 'start POST /s;', 'start POST /s;'));
refused('start body', 4, 'invalid JSON "{"a":}": ',
        block($good, q(start POST /s '{"a":}';)));
refused('body of GET', 4, '"start" directive has a body, which is for POST',
        block($good, q(start GET /s '{"a":1}';)));
refused('start with more', 4, 'invalid parameter "code=$.a"',
        block($good, 'start POST /s code=$.a;'));
refused('name', 1, 'invalid name of vendor "Vendor", it has a-z, 0-9 and "-"',
        "wa_gateway_vendor Vendor {\n$good\n}\n");
refused('plain', 1, 'vendor "plain" is built in',
        "wa_gateway_vendor plain {\n$good\n}\n");
refused('the same twice', 5, 'duplicate vendor "v", the other is in '
                             . "$dir/vendor.conf:1",
        block($good) . "wa_gateway_vendor v {\n$good\n}\n");
refused('not ended', 3, 'unexpected end of file', "wa_gateway_vendor v {\n$good");



# What a request is for, and where it names its session.
refused('a method in lower case', 4, 'invalid methods "get|POST", they are "*" '
        . 'or upper case with "|" between, as GET|POST',
        block($good, 'route get|POST /a;'));
refused('an empty method', 4, 'invalid methods "GET|"',
        block($good, 'route GET| /a;'));
refused('no path', 4, '"route" directive has no path, which begins with "/"',
        block($good, 'route GET send query=a;'));
refused('recipient', 4, '"route" directive has a recipient, and is no "send"',
        block($good, 'route GET /a to=b;'));
refused('recipient in the query', 4,
        '"route" directive has a recipient, and is no "send"',
        block($good, 'route GET /a to_query=b login;'));
refused('second recipient', 4, 'second recipient "to=c"',
        block($good, 'route GET /a to=b[] to=c send;'));
refused('name of recipient', 4, "invalid name of recipient \"$_\", it has at "
        . 'most 64 letters, digits, "-" and "_"',
        block($good, "route GET /a $_ send;"))
    for 'to=', 'to=[]', 'to=a.b', 'to=a[1]', 'to_query=', 'to_query=a[]',
        'to=' . 'a' x 65;
refused('unknown kind', 4, 'unknown kind of route "sends", it is one of send, '
        . 'login, create, open, list, blocked',
        block($good, 'route GET /a sends;'));
refused('two kinds', 4, 'second kind of route "open"',
        block($good, 'route GET /a send open;'));
refused('unknown place', 4, 'unknown place "cookie=a", it is query=, header= '
        . 'or body= and a name', block($good, 'route GET /a cookie=a;'));
refused('unknown place of session', 4, 'unknown place "none", it is query=, '
        . 'header= or body= and a name', block($good, 'session none;'));
refused('a place without a name', 4, 'invalid name of place "query=", it has '
        . 'letters, digits, "-" and "_"', block($good, 'session query=;'));
refused('a place with a bad name', 4, 'invalid name of place "query=a[0]"',
        block($good, 'session query=a[0];'));
refused('decoded is for headers', 4, 'invalid name of place "query=a:decoded"',
        block($good, 'session query=a:decoded;'));
refused('a header without a name', 4, 'invalid name of place "header=:decoded"',
        block($good, 'session header=:decoded;'));
refused('the same place twice', 4, 'duplicate place "header=x-A"',
        block($good, 'session header=X-a header=x-A;'));
refused('the same query twice', 4, 'duplicate place "query=a"',
        block($good, 'route GET /a query=a query=b query=a;'));
refused('two members', 4, 'second member of the body "body=b"',
        block($good, 'session body=a body=b;'));
refused('five places', 4,
        'invalid number of arguments in "session" directive',
        block($good, 'session query=a query=b query=c query=d query=e;'));
refused('five places of a route', 4, 'more than 4 places with "query=e"',
        block($good, 'route * /a query=a query=b query=c query=d query=e;'));
refused('five places with the path', 4, 'more than 4 places with "/a/<session>"',
        block($good, 'route * /a/<session> query=a query=b query=c query=d;'));
refused('none and a place', 4, '"route" directive has "none" and a place',
        block($good, 'route * /a none query=a;'));
refused('none and a session', 4, '"none" with a session in "/a/<session>"',
        block($good, 'route * /a/<session> none;'));
refused('two sessions', 4, 'second "<session>" in "/<session>/<session>"',
        block($good, 'route * /<session>/<session>;'));
refused('two of another form', 4,
        'second "<session:token>" in "/<session>/<session:token>"',
        block($good, 'route * /<session>/<session:token>;'));
refused('unknown form', 4, 'unknown "<token>" in "/a/<token>", a segment may be '
        . '<session>, <session:token> or <key>',
        block($good, 'route * /a/<token>;'));
refused('no whole segment', 4, 'unknown "a<session>" in "/a<session>/b"',
        block($good, 'route * /a<session>/b;'));
refused('an alternative that is none', 4, 'unknown "a|<session>" in',
        block($good, 'route * /a|<session>;'));
refused('** first', 4, '"**" is not the last segment of "/**/a"',
        block($good, 'route * /**/a;'));
refused('** and a / at the end', 4, '"**" is not the last segment of "/a/**/"',
        block($good, 'route * /a/**/;'));
refused('an empty segment', 4, 'invalid segment "" in "/a//b"',
        block($good, 'route * /a//b;'));
refused('a / at the end', 4, 'invalid segment "" in "/a/"',
        block($good, 'route * /a/;'));
refused('a dot segment', 4, 'invalid segment ".." in "/a/../b"',
        block($good, 'route * /a/../b;'));
refused('another dot segment', 4, 'invalid segment "a|." in "/a|."',
        block($good, 'route * /a|.;'));
refused('an empty alternative', 4, 'invalid segment "a||b" in "/a||b"',
        block($good, 'route * /a||b;'));
refused('* as an alternative', 4, 'invalid segment "a|*" in "/a|*"',
        block($good, 'route * /a|*;'));
refused('* first', 4, 'invalid segment "*a" in "/*a"',
        block($good, 'route * /*a;'));
refused('an escape', 4, 'invalid segment "%61" in "/b/%61"',
        block($good, 'route * /b/%61;'));
refused('a query', 4, 'invalid segment "a?b" in "/a?b"',
        block($good, 'route * /a?b;'));
refused('17 segments', 4, 'more than 16 segments in "/1/2/',
        block($good, 'route * /' . join('/', 1 .. 17) . ';'));
refused('the second path of two', 4, 'invalid segment "" in "/b/"',
        block($good, 'route * /a /b/;'));
refused('session twice', 5, '"session" directive is duplicate',
        block($good, 'session query=a;', 'session query=b;'));
refused('drop twice', 5, '"drop" directive is duplicate',
        block($good, 'drop a;', 'drop b;'));
refused('a bad name to drop', 4, 'invalid name "a.b" in a query, it has '
        . 'letters, digits, "-" and "_"', block($good, 'drop a.b;'));
refused('dropped and a place', 6, '"b" is dropped and a place',
        block($good, 'session query=b;', 'drop a b;'));
refused('dropped and a place of a route', 6, '"b" is dropped and a place',
        block($good, 'drop a b;', 'route * /a query=b;'));
refused('nothing to drop', 4,
        'invalid number of arguments in "drop" directive',
        block($good, 'drop;'));
refused('a route without a path', 4,
        'invalid number of arguments in "route" directive',
        block($good, 'route GET;'));

{
    my ($status, $text) = test(block($good,
        'session header=X-Id:decoded query=a query=A body=a;',
        'route M-SEARCH|GET / /a|b* /** /' . join('/', 1 .. 16) . '/**;',
        'route POST /<key>/<session:token>/* query=a header=b body=c send;',
        'route POST /send send; route POST /new create; route * /x none;',
        'drop instance_id;'));
    is($status, 0, 'routes that are right') or diag($text);
}


# Of an upstream.
refused('unknown', 0, 'unknown vendor "w" of "http://127.0.0.1:1" in upstream '
                      . '"u"', block($good), "wa_gateway vendor=w; $server");
refused('unknown of one', 0, 'unknown vendor "w" of "http://127.0.0.1:2"',
        block($good), 'wa_gateway vendor=v; '
        . 'wa_gateway_instances vendor=w http://127.0.0.1:2;');
refused('empty', 0, 'invalid parameter "vendor="', block($good),
        'wa_gateway; wa_gateway_instances vendor= http://127.0.0.1:2;');
refused('no key', 0, 'empty key in "key="', block($good),
        'wa_gateway; wa_gateway_instances vendor=v key= http://127.0.0.1:2;');
refused('sessions', 0, 'invalid parameter "sessions=0"', block($good),
        "wa_gateway vendor=v sessions=0; $server");
refused('both', 0, '"key=" together with "key_file="', block($good),
        "wa_gateway vendor=v key=a key_file=b; $server");
refused('no file', 0, "open() \"$dir/keys\" failed", block($good),
        "wa_gateway vendor=v key_file=$dir/keys; $server");
refused('small', 0, 'is too small for 1 instances', block($good),
        "wa_gateway zone=z:256k vendor=v sessions=10000; $server");
refused('control', 0, 'control character in key in "key="', block($good),
        'wa_gateway; wa_gateway_instances vendor=v "key=a\tb" '
        . 'http://127.0.0.1:2;');

{
    my (undef, $text) = test(block($good),
        "wa_gateway vendor=v key=geheim key=geheimer; $server");
    like($text, qr/duplicate parameter "key="/, 'a second key');
    unlike($text, qr/geheim/, 'is not shown');
}

# The order of blocks does not matter.
{
    my $ng = WaGateway::Nginx->new(
        upstream => "wa_gateway vendor=v; $server",
        http => "upstream w { wa_gateway vendor=v; $server }\n" . block($good));
    my ($status, $text) = $ng->test;
    is($status, 0, 'a vendor after its upstream') or diag($text);
}

# Ignored, with a word.
{
    my ($status, $text) = test(block($good),
                               "wa_gateway vendor=plain key=k; $server");
    is($status, 0, 'a key without a vendor');
    like($text, qr/\[notice\].* are ignored, no instance has a vendor/,
         'is ignored, which is said');
}

# A key of a file, by URL or for all.
for (["geheim\n", 0], ["http://127.0.0.1:2 one\nhttp://127.0.0.1:3 two\n", 0],
     ["# none\n", 'no key in'], ["a\nb\n", 'second key without an URL in'],
     ["http://127.0.0.1:2\n", 'empty key in'],
     ["\xef\xbb\xbfkey\r\n", 0], ["a\x01b\n", 'control character in key in'])
{
    my ($keys, $error) = @$_;
    my $shown = $keys =~ s/[^ -~]/?/gr;

    open my $fh, '>:raw', "$dir/keys" or die "$!\n";
    print $fh $keys;
    close $fh or die "$!\n";

    my ($status, $text) = test(block($good),
        "wa_gateway vendor=v key_file=$dir/keys;"
        . 'wa_gateway_instances http://127.0.0.1:2 http://127.0.0.1:3;');

    is($status != 0, !!$error, "keys: $shown") or diag($text);
    like($text, qr/\[emerg\] .*\Q$error\E/, "keys: $shown: why") if $error;
    unlink "$dir/keys";
}

# How messages are sent, and what an answer proves.

my $to = 'to user=<id>;';
my $text = q~text POST /send '{"to":"<to>","text":"<text>"}';~;
my $sent = 'sent 200 id=$.id;';

# A line that is wrong, in a vendor that is right otherwise.
sub refused_send {
    my ($name, $error, @lines) = @_;

    refused($name, 4, $error, block($good, @lines));
}

for ([ 'nothing of sends', () ], [ 'a text', $to, $text, $sent ],
     [ 'proofs alone', $sent, 'unsent session 404;' ],
     [ 'files alone', $to, $sent, 'timeout 5s;', 'header X-Id <session:uri>;',
       q~media * * POST /<kind> '{"to":"<to>"(,"u":"<url>")(,"d":"<data>")}';~ ],
     [ 'several of each', $to, $text, $sent, 'sent 201 id=$.a unless=$.b:1,2;',
       'unsent paced 429;', 'unsent message 200-299 $.a:- $.b:x,y;',
       q~media image url POST / '{"to":"<to>","u":"<url>"}';~,
       q~media * url POST / '{"to":"<to>","u":"<url>"}';~ ],
     [ 'a body of several lines', $to, $sent,
       qq~text POST / '{"to":"<to>",\n    "text":"<text>"}';~ ])
{
    my ($name, @lines) = @$_;
    my ($status, $said) = test(block($good, @lines));

    is($status, 0, "sends: $name") or diag($said);
}

refused_send('method of a text', 'invalid method "GET", it is POST or PUT',
             $text =~ s/POST/GET/r);
refused_send('URI of a text', 'invalid URI "send", it must begin with "/"',
             $text =~ s{ /send}{ send}r);
refused_send('place in an URI', 'unknown "<to>" in "/<to>", there are <key>, '
             . '<key:base64>, <session>, <session:uri> and <token>',
             $text =~ s{/send}{/<to>}r);
refused_send('place in a text', 'unknown "<key>" in "{"to":"<key>"}", there '
             . 'are <session>, <session:uri>, <id>, <to>, <text>, <group> and <lid>',
             q~text POST / '{"to":"<key>"}';~);
refused_send('place that is not ended', 'unknown "<to"}" in "{"to":"<to"}", ',
             q~text POST / '{"to":"<to"}';~);
refused_send('no recipient', 'no <to> in "{"text":"<text>"}"',
             q~text POST / '{"text":"<text>"}';~);
refused_send('no text', 'no <text> in "{"to":"<to>"}"',
             q~text POST / '{"to":"<to>"}';~);
refused_send('nothing', 'no <to> and <text> in "{}"', q~text POST / '{}';~);
refused_send('no JSON', 'invalid JSON "{"to":"x","text":"x"", where "x" '
             . 'stands for what a message has: invalid JSON: it is cut short '
             . 'at byte 20', q~text POST / '{"to":"<to>","text":"<text>"';~);
refused_send('a place out of quotes', 'invalid JSON "{"to":x,"text":"x"}", '
             . 'where "x" stands for what a message has: ',
             q~text POST / '{"to":<to>,"text":"<text>"}';~);
refused_send('a flag that is not in a group', 'invalid JSON "{"to":"x","t":"x",'
             . '"g":}", where ',
             q~text POST / '{"to":"<to>","t":"<text>","g":<group>}';~);
refused_send('no JSON without a group', 'invalid JSON "{,"to":"x","t":"x"}", ',
             q~text POST / '{("g":<group>),"to":"<to>","t":"<text>"}';~);
refused_send('no JSON with a group', 'invalid JSON "{"to":"x","t":"x""c":"x"}"',
             q~media * url POST / '{"to":"<to>","t":"<url>"("c":"<caption>")}';~);
refused_send('a group that is not ended', 'invalid group "(,"g":<group>}" in ',
             q~text POST / '{"to":"<to>","t":"<text>"(,"g":<group>}';~);
refused_send('a group in a group', 'invalid group "(,"g":(" in ',
             q~text POST / '{"to":"<to>","t":"<text>"(,"g":(<group>))}';~);
refused_send('a group without a place', 'invalid group "(,"g":1)" in ',
             q~text POST / '{"to":"<to>","t":"<text>"(,"g":1)}';~);
refused_send('the end of no group', 'invalid group ")" in "{"to":"<to>")}", '
             . 'it has a place, no group in it, and ends with ")"',
             q~text POST / '{"to":"<to>")}';~);
refused('two texts', 5, '"text" directive is duplicate',
        block($good, $text, $text));

refused_send('kind', 'invalid "images" in "images", there are "*", image, '
             . 'video, audio and document',
             q~media images * POST / '{"to":"<to>"}';~);
refused_send('no kind', 'invalid "" in "image|", there are "*", image',
             q~media image| * POST / '{"to":"<to>"}';~);
refused_send('source', 'invalid "file" in "file", there are "*", url and data',
             q~media * file POST / '{"to":"<to>"}';~);
refused_send('no file', 'no <data> in "{"to":"<to>"}"',
             q~media * data POST / '{"to":"<to>"}';~);
refused_send('no url', 'no <url> in "{"to":"<to>","d":"<data>"}"',
             q~media * * POST / '{"to":"<to>","d":"<data>"}';~);
refused_send('data that are not given', 'unknown "<data>" in ',
             q~media * url POST / '{"to":"<to>","d":"<data>"}';~);
refused_send('data twice', '"<data>" more than once in "{"to":"<to>","d":',
             q~media * data POST / '{"to":"<to>","d":"<data><data>"}';~);
refused_send('data that may be left out', '"<data>" is left out with its '
             . 'group for some messages',
             q~media * data POST / '{"to":"<to>"(,"d":"<data>","c":"<caption>")}';~);
refused_send('url that may be left out', '"<url>" is left out with',
             q~media * url POST / '{"to":"<to>"(,"d":"<url>","c":"<caption>")}';~);
refused_send('a text that may be left out', '"<text>" is left out with',
             q~text POST / '{"to":"<to>"(,"t":"<text>","l":<lid>)}';~);
refused_send('data out of quotes', 'invalid JSON "{"to":"x","d":x}", where ',
             q~media * data POST / '{"to":"<to>","d":<data>}';~);
refused('a kind that others have', 6, '"media" directive is for what others '
                                      . 'before it are for',
        block($good, q~media * url POST / '{"to":"<to>","d":"<url>"}';~,
              q~media image|video * POST / '{"to":"<to>"(,"u":"<url>")(,"d":"<data>")}';~,
              q~media image * POST / '{"to":"<to>"(,"u":"<url>")(,"d":"<data>")}';~));

refused_send('recipient', 'invalid parameter "all=<id>"', 'to all=<id>;');
refused_send('a recipient without an id', 'no <id> in "me"', 'to user=me;');
refused_send('a recipient with more', 'unknown "<to>" in "<to>", there are <id>',
             'to group=<to>;');
refused_send('a recipient that is no text', 'invalid recipient "',
             "to group=\xff<id>;");
refused('recipients twice', 5, '"to" directive is duplicate',
        block($good, 'to group=<id>;', $to));

refused_send('status of what is sent', 'invalid status "404", it is of '
             . '200-299, as "200,201"', 'sent 404 id=$.id;');
refused_send('no id', '"sent" directive needs "id="', 'sent 200 unless=$.a:1;');
refused_send('parameter of sent', 'invalid parameter "ids=$.a", there are '
             . '"id=" and "unless="', 'sent 200 ids=$.a;');
refused_send('path of an id', 'invalid JSON path "id"', 'sent 200 id=id;');
refused_send('no path', 'invalid JSON path ""', 'sent 200 id=;');
refused_send('no value', 'invalid "$.a", it must be "PATH:VALUE"',
             'sent 200 id=$.id unless=$.a;');
refused_send('an empty value', 'invalid "$.a:", it must be "PATH:VALUE"',
             'unsent session 404 $.a:;');
refused_send('one that is empty', 'invalid value "" in "$.a:b,", it has 1 to '
             . '256 bytes', 'unsent session 404 $.a:b,;');
refused_send('one that is too long', 'it has 1 to 256 bytes',
             'unsent session 404 $.a:' . 'x' x 257 . ';');
refused_send('reason', 'invalid reason "number", it is one of session, '
             . 'message, paced', 'unsent number 404;');
refused_send('status of what is unsent', 'invalid status "700", it is of '
             . '200-599, as "200,201"', 'unsent session 700;');
refused_send('2xx alone', '"unsent" directive has a status of 2xx, which '
             . 'needs "PATH:VALUE"', 'unsent session 204,404;');
refused_send('many paths', q(more than 16 JSON paths in a vendor's "sent" )
             . 'and "unsent", the last is "$.b3"',
             'unsent session 404 ' . join(' ', map { "\$.a$_:1" } 1 .. 14)
             . '; sent 200 ' . join(' ', map { "id=\$.b$_" } 1 .. 3) . ';');
refused_send('time', 'invalid time "0", it is from 1ms to 365d', 'timeout 0;');
refused_send('no time', 'invalid time "soon", it is from 1ms to 365d',
             'timeout soon;');
refused('time twice', 5, '"timeout" directive is duplicate',
        block($good, 'timeout 1s;', 'timeout 1s;'));
refused('a text without proof', 6, '"text" or "media" without "sent" in '
                                   . 'vendor "v"',
        block($good, $to, $text));
refused('a text to nobody', 6, '"text" or "media" without "to" in vendor "v"',
        block($good, $text, $sent));
refused('token of a send', 7, '"<token>" without "token" in vendor "v"',
        block($good, $to, $sent, $text =~ s{/send}{/<token>}r));
refused('token of a header', 5, '"<token>" without "token" in vendor "v"',
        block($good, 'header X-Id <token>;'));

done_testing;
