#!/usr/bin/perl

# What is expected of a check and sent with it: a bad line is an error that
# names what is wrong.  wa_gateway_check itself: see config.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Checks;

my $server = 'server 127.0.0.1:9;';
my $check = "$server wa_gateway_check;";

my @refused = (
    # wa_gateway_expect

    ['', 'invalid number of arguments in "wa_gateway_expect" directive'],
    ['nothing 1', 'invalid expectation "nothing"'],
    ['Status 200', 'invalid expectation "Status"'],
    ['status', 'no value in expectation "status"'],
    ['status 20', 'invalid status "20"'],
    ['status 2000', 'invalid status "2000"'],
    ['status 099', 'invalid status "099"'],
    ['status 600', 'invalid status "600"'],
    ['status 2xx', 'invalid status "2xx"'],
    ['status 200 abc', 'invalid status "abc"'],
    ['status 200-', 'invalid status "200-"'],
    ['status 299-200', 'invalid status "299-200"'],
    ['status 200-999', 'invalid status "200-999"'],
    ['status 200,204', 'invalid status "200,204"'],
    ['status = 200', 'invalid status "="'],
    ['header', 'no value in expectation "header"'],
    ['header X-A', 'no operator after "X-A"'],
    ['header "X A" = b', 'invalid header name "X A"'],
    ['header X-A: = b', 'invalid header name "X-A:"'],
    ['header X-A =', 'invalid operator "="'],
    ['header X-A == b', 'invalid operator "=="'],
    ['header X-A != b', 'invalid operator "!="'],
    ['header X-A ~ "(a"', 'invalid regex "(a"'],
    ['header X-A ~ a b', 'excess value "b"'],
    ['body', 'no value in expectation "body"'],
    ['body ok', 'invalid operator "ok"'],
    ['body = ok', 'invalid operator "="'],
    ['body ~', 'no value for "~"'],
    ['body ~ "[a"', 'invalid regex "[a"'],
    ['body ~ a b', 'excess value "b"'],
    ['json', 'no value in expectation "json"'],
    ['json $.a', 'no value for "$.a"'],
    ['json $.a =', 'no value for "$.a"'],
    ['json $.a ~ b', 'invalid operator "~"'],
    ['json $.a b', 'invalid operator "b"'],
    ['json a = b', 'invalid JSON path "a"'],
    ['json .a = b', 'invalid JSON path ".a"'],
    ['json $a = b', 'invalid JSON path "$a"'],
    ['json $. = b', 'invalid JSON path "$."'],
    ['json $..a = b', 'invalid JSON path "$..a"'],
    ['json $.a[ = b', 'invalid JSON path "$.a["'],
    ['json $.a[x] = b', 'invalid JSON path "$.a[x]"'],
    ['json $.a[-1] = b', 'invalid JSON path "$.a[-1]"'],
    ['json $.a[01] = b', 'invalid JSON path "$.a[01]"'],
    ['json $.a[0 = b', 'invalid JSON path "$.a[0"'],
    ['json "$[\'a" = b', 'invalid JSON path "$[\'a"'],
    ['json $.a[*] = b', 'invalid JSON path "$.a[*]"'],
);

for (@refused) {
    my ($line, $want) = @$_;
    my $got = refused("$check wa_gateway_expect $line;");

    ref $want ? like($got, $want, "wa_gateway_expect $line")
              : is($got, $want, "wa_gateway_expect $line");
}

my @in = ('in the checks of upstream "u"');

is(refused("$server wa_gateway_expect status 200;")
   =~ s/ in \S+:\d+$//r,
   '"wa_gateway_expect" requires "wa_gateway_check" in upstream "u"',
   'an expectation without checks');
is(refused("$server wa_gateway_check_header A b;"),
   '"wa_gateway_check_header" requires "wa_gateway_check" in upstream "u"',
   'a header without checks');

# wa_gateway_check_header

is(refused("$check wa_gateway_check_header A;"),
   'invalid number of arguments in "wa_gateway_check_header" directive',
   'a header without a value');
is(refused("$check wa_gateway_check_header A b c;"),
   'invalid number of arguments in "wa_gateway_check_header" directive',
   'a header with two');
is(refused("$check wa_gateway_check_header \"\" b;"),
   "invalid header name \"\" @in", 'a header without a name');
is(refused("$check wa_gateway_check_header \"A B\" c;"),
   "invalid header name \"A B\" @in", 'a blank in a name');
is(refused("$check wa_gateway_check_header A: c;"),
   "invalid header name \"A:\" @in", 'a colon in a name');
like(refused("$check wa_gateway_check_header A \"b\r\nC: d\";"),
     qr/^invalid value of header "A"/, 'another header in a value');

for my $name (qw(Content-Length connection Transfer-Encoding expect Upgrade)) {
    is(refused("$check wa_gateway_check_header $name 5;"),
       "header is not allowed \"$name\" @in", "$name is not for the user");
}

# wa_gateway_check, what is seen at the end only

is(refused("$server wa_gateway_check uri=health;"),
   'invalid parameter "uri=health", it must begin with "/"', 'a relative uri');
is(refused("$server wa_gateway_check \"uri=/a b\";"),
   "invalid uri \"/a b\" @in", 'a blank in a uri');
is(refused("$server wa_gateway_check \"method=A B\";"),
   "invalid method \"A B\" @in", 'a blank in a method');
is(refused("$server wa_gateway_check \"host=a b\";"),
   "invalid host \"a b\" @in", 'a blank in a host');
is(refused('server unix:/tmp/x.sock; wa_gateway_check port=80;'),
   '"port=80" with "http://unix:/tmp/x.sock", which has none, in upstream "u"',
   'a port of a unix socket');
like(refused("$server wa_gateway_check ssl=on ssl_verify=on "
             . 'ssl_trusted_certificate=/nonexistent.pem;'),
     qr{/nonexistent\.pem}, 'a certificate file that is not there');

# and what is allowed

for my $line ('status 200-299 301 404', 'status 200 | status 500-599',
              'header X-A = b c d', 'header X-A ~ "^(a|b)$"',
              'body ~ "a b"', 'body ~ "(?i)ok"',
              'json $ = x', 'json $.a.b[0].c = 1 -2.5 true null "x y"',
              "json \"\$['a.b']['\\\\'']\" = x",
              'json $[0][12] = x', 'json $.a = ""')
{
    (my $lines = $line) =~ s/ \| /; wa_gateway_expect /;
    like(refused("$check wa_gateway_expect $lines;"), qr/^accepted/,
         "accepted: $line");
}

done_testing();
