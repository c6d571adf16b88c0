#!/usr/bin/perl

# What is no message that a client may send in the one way is refused before
# any server sees it, with the member that is wrong.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(http);
use WaGateway::Send qw(fake send_gateway post seen told);

my $fake = fake('waha');
my $ng = send_gateway(fakes => [$fake], workers => 2, server => <<'END');
location = /open {
    wa_gateway_send text country=966;
    proxy_pass http://u;
}
location = /keyed/message {
    wa_gateway_api_key gw-1;
    wa_gateway_send text country=966;
    proxy_pass http://u;
}
location = /keyed/media {
    wa_gateway_api_key gw-1;
    wa_gateway_send media;
    proxy_pass http://u;
}
END

my $to = '"chatId":"966511111111"';
my $text = '"message":"x"';
my $url = '"url":"https://example.com/a.png"';
my $data = '"data":"QUJD","mimetype":"image/png"';


# The member of an answer.
sub member {
    my ($r) = @_;

    my $member = $r->{json} && $r->{json}{member};
    return defined $member && $member ne '' ? $member : '-';
}


# Members around "bad" that are right.
sub with_to { return "{$to,$_[0]}" }


sub with_text { return "{$_[0],$text}" }


sub is_refused {
    my ($path, $body, $member, $name) = @_;

    my $before = seen($fake);
    my $r = post($ng, $path, $body);
    $name = length $body > 70 ? substr($body, 0, 67) . '...' : $body
        unless defined $name;

    is(told($r) . ' ' . member($r) . ' ' . (seen($fake) - $before),
       "400 bad_request no $member 0", "$path: $name") or diag($r->{body});
}


# Texts: the member, and the body.
for (
    # recipients
    ['chatId', "{$text}"],
    ['chatId', with_text('"chatId":""')],
    ['chatId', with_text('"chatId":" "')],
    ['chatId', with_text('"chatId":null')],
    ['chatId', with_text('"chatId":true')],
    ['chatId', with_text('"chatId":["966511111111"]')],
    ['chatId', with_text('"chatId":{"id":"966511111111"}')],
    ['chatId', with_text('"chatId":"1234567"')],
    ['chatId', with_text('"chatId":"1234567890123456"')],
    ['chatId', with_text('"chatId":1234567')],
    ['chatId', with_text('"chatId":1234567890123456')],
    ['chatId', with_text('"chatId":-966511111111')],
    ['chatId', with_text('"chatId":966511111111.0')],
    ['chatId', with_text('"chatId":9.66511111111e11')],
    ['chatId', with_text('"chatId":"abc"')],
    ['chatId', with_text('"chatId":"966511111111x"')],
    ['chatId', with_text('"chatId":"966511111111,966522222222"')],
    ['chatId', with_text('"chatId":"966511111111;966522222222"')],
    ['chatId', with_text('"chatId":"++966511111111"')],
    ['chatId', with_text('"chatId":"966+511111111"')],
    ['chatId', with_text('"chatId":"+0966511111111"')],
    ['chatId', with_text('"chatId":"966511111111@example.com"')],
    ['chatId', with_text('"chatId":"966511111111@"')],
    ['chatId', with_text('"chatId":"@c.us"')],
    ['chatId', with_text('"chatId":"966511111111@c.us@g.us"')],
    ['chatId', with_text('"chatId":"120363041234567890@newsletter"')],
    ['chatId', with_text('"chatId":"status@broadcast"')],
    ['chatId', with_text('"chatId":"966511111111\\u0000"')],
    ['chatId', with_text('"chatId":"966511111111/../x"')],
    ['chatId', with_text('"chatId":"96651111111\\u0967"')],
    ['chatId', with_text('"chatId":"' . '9' x 4000 . '"')],
    ['number', with_text('"number":"12"')],
    ['phone', with_text('"phone":"12"')],
    ['to', with_text('"to":"12"')],

    # texts
    ['message', "{$to}"],
    ['message', with_to('"message":""')],
    ['message', with_to('"message":null')],
    ['message', with_to('"message":1')],
    ['message', with_to('"message":false')],
    ['message', with_to('"message":["x"]')],
    ['message', with_to('"message":{"text":"x"}')],
    ['message', with_to('"message":"a\\u0000"')],
    ['message', with_to('"message":"' . 'x' x 65_537 . '"')],
    ['text', with_to('"text":""')],
    ['text', with_to('"text":null')],

    # who sends
    ['session', with_to("$text,\"session\":\"\"")],
    ['session', with_to("$text,\"session\":null")],
    ['session', with_to("$text,\"session\":1")],
    ['session', with_to("$text,\"session\":\"" . 'x' x 129 . '"')],
    ['from', with_to("$text,\"from\":\"12\"")],
    ['from', with_to("$text,\"from\":null")],
    ['from', with_to("$text,\"from\":\"120363041234567890\@g.us\"")],

    # two, twice, others
    ['number', with_to("\"number\":\"966511111111\",$text")],
    ['phone', with_to("$text,\"phone\":\"966511111111\"")],
    ['to', with_to("$text,\"to\":966511111111")],
    ['chatId', with_to("$to,$text")],
    ['chatId', with_to("\"chat\\u0049d\":\"966511111111\",$text")],
    ['text', with_to("$text,\"text\":\"x\"")],
    ['message', with_to("$text,$text")],
    ['session', with_to("$text,\"session\":\"main\",\"session\":\"main\"")],
    ['from', with_to("$text,\"from\":966500000001,\"from\":966500000001")],
    ['chatid', with_text('"chatid":"966511111111"')],
    ['Message', with_to('"Message":"x"')],
    ['url', with_to("$text,$url")],
    ['data', with_to("$text,\"data\":\"QUJD\"")],
    ['caption', with_to("$text,\"caption\":\"x\"")],
    ['options', with_to("$text,\"options\":{}")],
    ['id', with_to("$text,\"id\":\"1\"")],
    ['x', with_to("$text,\"x\":null")],

    # no JSON object
    ['-', ''], ['-', ' '], ['-', '[]'], ['-', '"x"'], ['-', 'null'],
    ['-', '{'], ['-', "{$to,$text"], ['-', "{$to,$text}x"],
    ['-', "{$to,$text}{}"], ['-', "{$to,$text,}"], ['-', "{$to $text}"],
    ['-', "{'chatId':'966511111111'}"], ['-', "\xef\xbb\xbf{$to,$text}"],
    ['-', "{$to,\"message\":\"\xff\"}"],
    ['-', "{$to,\"message\":\"\xc0\xaf\"}"],
    ['-', "{$to,\"message\":\"\xed\xa0\xbd\xed\xb9\x82\"}"],
    ['-', "{$to,\"message\":\"\\ud83d\"}"],
    ['-', "{$to,\"message\":\"\\ude42\"}"],
    ['-', "{$to,\"message\":\"a\nb\"}"],
    ['-', "{$to,\"message\":\"a\0b\"}"],
    ['-', "{$to,\"message\":\"\\x\"}"],
    ['-', "{$to,\"message\":\"x"], ['-', "{$to,\"message\":01}"],
    ['-', "chatId=966511111111&message=x"],
) {
    is_refused('/send-message', $_->[1], $_->[0]);
}

# Names as they come, but printable and not long.
is_refused('/send-message', with_to("$text,\"a\\u0001<b>\":1"), 'a?<b>');
like(member(post($ng, '/send-message', with_to("$text,\"" . 'n' x 5000
                                              . '":1'))),
     qr/^n{40,61}\.\.\.\z/, 'a long name is cut');
is_refused('/send-message', with_to("$text,\"\":1"), '-', 'no name');

# Media.
for (
    ['url', "{$to}"],
    ['url', with_to('"mimetype":"image/png"')],
    ['url', with_to('"url":""')],
    ['url', with_to('"url":null')],
    ['url', with_to('"url":"example.com/a.png"')],
    ['url', with_to('"url":"ftp://example.com/a.png"')],
    ['url', with_to('"url":"file:///etc/passwd"')],
    ['url', with_to('"url":"data:image/png;base64,QUJD"')],
    ['url', with_to('"url":"https://"')],
    ['url', with_to('"url":"https://example.com/a b"')],
    ['url', with_to('"url":"https://example.com/\\u000a"')],
    ['url', with_to('"url":"https://example.com/' . 'x' x 2048 . '"')],
    ['data', with_to('"data":"","mimetype":"image/png"')],
    ['data', with_to('"data":null,"mimetype":"image/png"')],
    ['data', with_to('"data":["QUJD"],"mimetype":"image/png"')],
    ['data', with_to("$url,$data")],
    ['url', with_to("$data,$url")],
    ['data', with_to("$data,\"data\":\"QUJD\"")],
    ['mimetype', with_to('"data":"QUJD"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":""')],
    ['mimetype', with_to('"data":"QUJD","mimetype":null')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"image"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"image/"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"/png"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"image/png/x"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"image/png;x=1"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"image/png\\",\\"a"')],
    ['mimetype', with_to('"data":"QUJD","mimetype":"a/' . 'x' x 126 . '"')],
    ['filename', with_to("$data,\"filename\":\"a/b.png\"")],
    ['filename', with_to("$data,\"filename\":\"a\\\\b.png\"")],
    ['filename', with_to("$data,\"filename\":\"..\\/b.png\"")],
    ['filename', with_to("$data,\"filename\":\"a\\u000ab\"")],
    ['filename', with_to("$data,\"filename\":null")],
    ['filename', with_to("$data,\"filename\":\"" . 'x' x 256 . '"')],
    ['caption', with_to("$data,\"caption\":null")],
    ['caption', with_to("$data,\"caption\":\"\\u0000\"")],
    ['caption', with_to("$data,\"caption\":\"" . 'x' x 65_537 . '"')],
    ['message', with_to("$data,$text")],
    ['text', with_to("$data,\"text\":\"x\"")],
    ['chatId', "{$data}"],
    ['phone', with_to("$data,\"phone\":\"966511111111\"")],
    ['-', with_to("\"mimetype\":\"image/png\",\"data\":\"QUJD\\x\"")],
    ['-', with_to("\"mimetype\":\"image/png\",\"data\":\"QUJD")],
    ['-', with_to("\"mimetype\":\"image/png\",\"data\":\"QU\nJD\"")],
    ['-', with_to("$data}x")],
) {
    is_refused('/send-media', $_->[1], $_->[0]);
}

is(seen($fake), 0, 'nothing of this came to a server');

# Other methods.
for my $method (qw(GET HEAD PUT PATCH DELETE OPTIONS)) {
    for my $path ('/send-message', '/send-media') {
        my $r = http($ng->port, $method, $path,
                     headers => ['Content-Type: application/json'],
                     $method =~ /^P/ ? (body => "{$to,$text}") : ());

        is($r->{status}, 405, "$method $path");
        is($r->{headers}{allow}, 'POST', 'and what is allowed');
        like($r->{body}, qr/"code":"method_not_allowed"/, 'with its code')
            if $method ne 'HEAD';
    }
}

# Other types.
for (['text/plain'], [''], ['application/json; charset=utf-16'],
     ['application/json, text/plain'], ['text/json'],
     ['application/xml'], ['multipart/form-data; boundary=x'],
     ['application/jsonx'],
     ['application/json', 'Content-Type: application/json'],
     ['application/json', 'Content-Encoding: gzip'],
     ['application/json', 'Content-Encoding: identity, gzip'])
{
    my ($type, @more) = @$_;

    for my $path ('/send-message', '/send-media') {
        my $body = $path =~ /media/ ? with_to($url) : with_to($text);
        my $r = post($ng, $path, $body,
                     headers => ["Content-Type: $type", @more]);

        is(told($r), '415 unsupported_media_type no',
           "$path: " . join ' ', @$_);
    }
}

# Forms.
my $form = 'Content-Type: application/x-www-form-urlencoded';


sub form {
    my ($path, $body, @headers) = @_;
    return post($ng, $path, $body, headers => [$form, @headers]);
}


my @key = ('X-Api-Key: gw-1');

is(told(form('/send-message', 'chatId=966511111111&message=x')),
   '415 unsupported_media_type no', 'a form without keys');
is(form('/keyed/message', 'chatId=966511111111&message=x')->{status}, 401,
   'a form without its key');
is(told(form('/keyed/media', 'chatId=966511111111&url=https://example.com/',
             @key)), '415 unsupported_media_type no', 'a form of media');
is(seen($fake), 0, 'none of these came to a server');

my @forms = (
    ['chatId=966511111111&message=x', 'x'],
    ['message=a+b%20c%2Bd&to=%2B966511111111', 'a b c+d'],
    ['phone=00966511111111&text=%D8%AE%D8%A7%D9%84%D8%AF',
     "\xd8\xae\xd8\xa7\xd9\x84\xd8\xaf"],
    ["number=0511111111&text=\xd8\xae", "\xd8\xae"],
    ['chatId=966511111111%40c.us&message=a%3Db%26c=d', 'a=b&c=d'],
    ['chatId=966511111111&message=%0D%0A%22%5C', "\r\n\"\\"],
    ['%63hatId=966511111111&message=' . 'x' x 65_536, 'x' x 65_536],
    ['chatId=966511111111&session=main&from=%2B966500000001&message=' .
     '%41' x 65_536, 'A' x 65_536],
);

for (@forms) {
    my ($body, $means) = @$_;
    $fake->forget;

    my $r = form('/keyed/message', $body, @key);
    my @sent = $fake->sent;

    ok($r->{status} == 200 && @sent == 1 && $sent[0]{text} eq $means
       && $sent[0]{to} eq '966511111111@c.us',
       'a form: ' . substr $body, 0, 60) or diag($r->{body});
}

$fake->forget;

for (['chatId', 'message=x'], ['message', 'chatId=966511111111'],
     ['chatId', 'chatId=12&message=x'], ['message', 'chatId=966511111111&message='],
     ['chatId', 'chatId=966511111111&chatId=966511111111&message=x'],
     ['phone', 'chatId=966511111111&phone=966511111111&message=x'],
     ['x', 'chatId=966511111111&message=x&x=1'],
     ['message[]', 'chatId=966511111111&message[]=x'],
     ['message', 'chatId=966511111111&message=%zz'],
     ['message', 'chatId=966511111111&message=%f'],
     ['message', 'chatId=966511111111&message=%ff'],
     ['message', 'chatId=966511111111&message=%00'],
     ['message', 'chatId=966511111111&message=' . 'x' x 65_537],
     ['chatId', ''], ['-', 'chatId=966511111111&message'],
     ['-', '{"chatId":"966511111111","message":"x"}'],
     ['-', 'chatId=966511111111&message=' . '%41' x 90_000])
{
    my ($member, $body) = @$_;
    my $r = form('/keyed/message', $body, @key);

    is(told($r) . ' ' . member($r),
       "400 bad_request no $member", 'a form: ' . substr $body, 0, 60);
}

is(seen($fake), 0, 'none of these came to a server');

# What a page of another site makes a browser send.
for (['http://evil.example', 403], ['https://evil.example', 403],
     ['null', 403], ['http://gateway.test.evil.example', 403],
     ['http://evil.example/gateway.test', 403], ['gateway.test', 403],
     ['http://gateway.test:81', 403], ['', 403],
     ['http://gateway.test', 200], ['https://gateway.test', 200],
     ['HTTP://GATEWAY.TEST', 200])
{
    my ($origin, $status) = @$_;

    for my $path ('/send-message', '/keyed/message') {
        for my $type ('application/json', 'application/x-www-form-urlencoded')
        {
            next if $path eq '/send-message' && $type =~ /form/;

            $fake->forget;
            my $body = $type =~ /json/ ? with_to($text)
                                       : 'chatId=966511111111&message=x';
            my $r = post($ng, $path, $body, headers => [
                "Content-Type: $type", "Origin: $origin",
                $path =~ /keyed/ ? @key : ()]);

            is(told($r) . ' ' . seen($fake),
               $status == 200 ? '200 success 1' : '403 forbidden no 0',
               "$path: $type from a page of \"$origin\"");
        }
    }
}

$fake->forget;
is(told(post($ng, '/send-message', with_to($text), headers => [
       'Origin: http://gateway.test', 'Origin: http://evil.example'])),
   '403 forbidden no', 'two pages');
is(seen($fake), 0, 'it came to no server');

# The message is in no log.
is(told(post($ng, '/send-message', '{"chatId":"12","message":"geheim-x"}')),
   '400 bad_request no', 'one more that is refused');
$ng->clean('nothing worse than errors is logged');
unlike($ng->log, qr/geheim-x/, 'no message is logged');

done_testing;
