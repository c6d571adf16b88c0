#!/usr/bin/perl

# A text that is sent in the one way comes to each vendor's server as the
# vendor wants it, for whom and with the characters that the client meant; and
# the client is told the same of all of them.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Send qw(vendors fake shown send_gateway post encoded seen
                       message_id told);

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my ($user, $group, $old, $lid)
    = ('user 966511111111', 'group 120363041234567890',
       'group 966511111111-1612345678', 'lid 123456789012345');

# What a client writes, as JSON, and whom it means.
my @recipients = (
    ['"966511111111"', $user],
    ['"+966511111111"', $user],
    ['"00966511111111"', $user],
    ['966511111111', $user],
    ['"+966 51 111 1111"', $user],
    ['"+966-51-111-1111"', $user],
    ['"+966 (51) 111.1111"', $user],
    ['" 966511111111 "', $user],
    ['"(966) 51-1111111"', $user],
    ['"966\\u00a0511\\u00a0111111"', $user],
    ['"٩٦٦٥١١١١١١١١"', $user],
    ['"+٩٦٦ ٥١ ١١١ ١١١١"', $user],
    ['"۹۶۶۵۱۱۱۱۱۱۱۱"', $user],
    ["\"\x{200f}+966511111111\x{200e}\"", $user],
    ['"\\u202a+966511111111\\u202c"', $user],
    ["\"\x{2066}966511111111\x{2069}\"", $user],
    ['"0511111111"', $user],
    ['"٠٥١١١١١١١١"', $user],
    ['"05 1111 1111"', $user],
    ['"966511111111@c.us"', $user],
    ['"966511111111@C.US"', $user],
    ['"966511111111@s.whatsapp.net"', $user],
    ['"966511111111:12@s.whatsapp.net"', $user],
    ['"\\u0039\\u0036\\u0036511111111"', $user],
    ['"12345678"', 'user 12345678'],
    ['"12345678901234"', 'user 12345678901234'],
    ['"120363041234567890@g.us"', $group],
    ['"120363041234567890@G.us"', $group],
    ['"966511111111-1612345678@g.us"', $old],
    ['"123456789012345@lid"', $lid],
    ['"123456789012345:3@lid"', $lid],
);

# A text as JSON, and what it means.
my @texts = map { ref $_ ? $_ : [encoded_characters($_), $_] } (
    'hi',
    ' ',
    'خالد: السلام عليكم',
    "a \x{200f}خالد\x{200e} \x{202e}b\x{202c} \x{2066}x\x{2069}",
    "\x{1f642}\x{1f468}\x{200d}\x{1f469}\x{200d}\x{1f467} \x{1f1f8}\x{1f1e6}",
    ['"\\ud83d\\ude42 \\uD83D\\uDC68\\u200d\\uD83D\\uDC69"',
     "\x{1f642} \x{1f468}\x{200d}\x{1f469}"],
    "\x{fffd}\x{feff}\x{2028}\x{2029}\x{85}\x{a0}\x{10ffff}",
    ['"\\u0061\\u0622\\u06cc\\u20ac"', "a\x{622}\x{6cc}\x{20ac}"],
    'say "hi" to \'him\'',
    'C:\\temp\\new \\u0041 \\n \\',
    '\\"',
    "one\ntwo\r\nthree\tfour\n",
    "\n",
    join('', map { chr } 1 .. 0x1f) . "\x{7f}",
    ['"\\b\\f\\n\\r\\t\\/\\\\\\""', "\b\f\n\r\t/\\\""],
    '","session":"other","x":"',
    '"}{"a":"b',
    '<to> <text> <session> <data> <key> <kind>',
    '(<caption>)',
    '$arg_x ${host} %s %n %00 %2F',
    '</script><b>&amp;',
    "null",
    '966511111111',
    '{"chatId":"1"}',
    'x' x 65_536,
    "\x{645}" x 32_768,
    "\x{1f642}" x 16_384,
    ['"' . '\\u0645' x 32_768 . '"', "\x{645}" x 32_768],
    '"' x 65_536,
    "\x{1}" x 65_536,
);

my %to = (
    waha => ['%s@c.us', '%s@g.us', '%s@lid'],
    evolution => ['%s@s.whatsapp.net', '%s@g.us', '%s@lid'],
    wwebjs => ['%s@c.us', '%s@g.us', '%s@lid'],
    wppconnect => ['%s@c.us', '%s@g.us', '%s@lid'],
    gowa => ['%s@s.whatsapp.net', '%s@g.us', '%s@lid'],
    wuzapi => ['%s@s.whatsapp.net', '%s@g.us', '%s@lid'],
    'evolution-go' => ['%s@s.whatsapp.net', '%s@g.us', '%s@lid'],
    quepasa => ['%s@s.whatsapp.net', '%s@g.us', '%s@lid'],
    openwa => ['%s@c.us', '%s@g.us', '%s@lid'],
);

# All that a server gets: the line, the header with the key or what stands for
# it, and the body, with the recipient and the text.
my %bytes = (
    waha => ['POST /api/sendText', 'X-Api-Key: geheim-1',
             '{"session":"main","chatId":%s,"text":%s}'],
    evolution => ['POST /message/sendText/main', 'apikey: geheim-1',
                  '{"number":%s,"text":%s}'],
    wwebjs => ['POST /client/sendMessage/main', 'x-api-key: geheim-1',
               '{"chatId":%s,"contentType":"string","content":%s}'],
    wppconnect => ['POST /api/main/send-message', 'Authorization: Bearer ',
                   '{"phone":%s,"message":%s}'],
    gowa => ['POST /send/message', 'X-Device-Id: main',
             '{"phone":%s,"message":%s}'],
    wuzapi => ['POST /chat/send/text', 'token: ', '{"Phone":%s,"Body":%s}'],
    'evolution-go' => ['POST /send/text', 'apikey: ',
                       '{"number":%s,"text":%s}'],
    quepasa => ['POST /send', 'X-QUEPASA-TOKEN: ',
                '{"chatid":%s,"text":%s}'],
    openwa => ['POST /api/sessions/main/messages/send-text',
               'X-API-Key: geheim-1', '{"chatId":%s,"text":%s}'],
);


# Recipients in there.
my $bare = ['"%s"', '"%s@g.us"', '"%s@lid"'];
my $c_us = ['"%s@c.us"', @$bare[1, 2]];
my $s_net = ['"%s@s.whatsapp.net"', @$bare[1, 2]];
my %wire = (
    waha => $c_us, evolution => $bare, wwebjs => $c_us,
    wppconnect => ['"%s"', '"%s","isGroup":true', '"%s","isLid":true'],
    gowa => $s_net, wuzapi => $bare, 'evolution-go' => $bare,
    quepasa => $s_net, openwa => $c_us,
);


sub encoded_characters {
    return JSON::PP->new->allow_nonref->encode($_[0]);
}


sub bytes {
    my ($text) = @_;
    utf8::encode($text);
    return $text;
}


sub short { return length $_[0] > 60 ? substr($_[0], 0, 57) . '...' : $_[0] }


# A recipient as a table has it.
sub written {
    my ($formats, $whom) = @_;

    my ($type, $id) = split ' ', $whom;
    my %nth = (user => 0, group => 1, lid => 2);

    return sprintf $formats->[$nth{$type}], $id;
}


# A text as the gateway writes it in JSON, in bytes: it escapes what must be.
sub quoted {
    my ($text) = @_;
    my %short = ("\n" => 'n', "\r" => 'r', "\t" => 't', "\b" => 'b',
                 "\f" => 'f', '"' => '"', '\\' => '\\');

    $text =~ s/([\x00-\x1f"\\])/'\\' . ($short{$1}
                                      || sprintf 'u%04X', ord $1)/ge;
    return bytes(qq("$text"));
}


# Sends it, and tells what is wrong with that as text.
sub wrong {
    my ($ng, $fake, $body, $whom, $text, %o) = @_;
    my $vendor = $fake->{vendor};
    my $to = written($to{$vendor}, $whom);
    my ($line, $key, $template) = @{$bytes{$vendor}};

    $fake->forget;

    my $r = post($ng, '/send-message', bytes($body), %o);
    my @ledger = $fake->ledger;
    @ledger = grep { $_->{kind} eq 'send' } @ledger;
    my @sent = map { @{$_->{sent} || []} } @ledger;
    my $got = told($r) . ' ' . short($r->{body}) . "\n"
              . join '', map { "$_->{method} $_->{path} $_->{status} "
                               . short($_->{body} || '') . "\n" } @ledger;

    return "it was not sent once\n$got" if @sent != 1 || @ledger != 1;
    return "it went to $sent[0]{to}\n$got" if $sent[0]{to} ne $to;
    return "it is another text\n$got" if $sent[0]{text} ne bytes($text);
    return "from $sent[0]{session}\n$got" if $sent[0]{session} ne 'main';
    return "the answer is no success\n$got" if told($r) ne '200 success';

    # to the last byte, where it is kept
    my $want_body = sprintf $template, written($wire{$vendor}, $whom),
                            quoted($text);

    return "another line\n$got" if "$ledger[0]{method} $ledger[0]{path}"
                                   ne $line;
    return "no $key\n$ledger[0]{headers}"
        unless $ledger[0]{headers} =~ /^\Q$key\E/mi;
    return "its length is $ledger[0]{length}\n$got"
        if $ledger[0]{length} != length $want_body;
    return "not the bytes $want_body\n$got"
        if defined $ledger[0]{body} && $ledger[0]{body} ne $want_body;

    my $answer = $r->{json};
    my %want = (messageId => message_id($fake, $sent[0]),
                session => shown($vendor, 'main'),
                number => '966500000001', instance => $fake->url);

    for (sort keys %want) {
        return "$_ is not $want{$_}\n$r->{body}"
            unless defined $answer->{$_} && !ref $answer->{$_}
                   && $answer->{$_} eq $want{$_};
    }

    return "data is not what the server answered\n$got"
        if exists $ledger[0]{answer}
           && $json->encode($answer->{data})
              ne $json->encode($json->decode($ledger[0]{answer}));
    return "a text's answer was too long to be kept\n$got"
        if !exists $ledger[0]{answer}
           && (defined $answer->{data} || length $text < 10_000);

    return "no timestamp\n$got"
        unless $answer->{timestamp} =~ /^20\d\d-\d\d-\d\dT[\d:.]+Z\z/;
    return 'there is more in it: ' . join ' ', sort keys %$answer
        if keys %$answer != 7;
    return "the answer's type is $r->{headers}{'content-type'}"
        if $r->{headers}{'content-type'} !~ m{^application/json\b};

    return '';
}


# With those that are written in more ways.
my @names = (
    ['chatId', 'message'], ['number', 'message'], ['phone', 'text'],
    ['to', 'text'],
);

for my $vendor (vendors()) {
    my $fake = fake($vendor);
    my $ng = send_gateway(fakes => [$fake], workers => 2);
    my $n = 0;

    for (@recipients) {
        my ($recipient, $whom) = @$_;
        my ($member, $name) = @{$names[$n++ % @names]};
        my $wrong = wrong($ng, $fake, qq({"$member":$recipient,"$name":"x"}),
                          $whom, 'x');

        ok($wrong eq '', "$vendor: $member $recipient") or diag($wrong);
    }

    for (@texts) {
        my ($text, $means) = @$_;
        my ($member, $name) = @{$names[$n++ % @names]};
        my $wrong = wrong($ng, $fake, qq({"$name":$text,"$member":")
                                      . '966511111111"}',
                          $user, $means);

        ok($wrong eq '', "$vendor: " . short($text)) or diag($wrong);
    }

    # as JSON may be written
    my $spaced = " \n{\t\"chatId\" :\r\n\"966511111111\" , \"message\": \"x\" }\n ";

    is(wrong($ng, $fake, $spaced, $user, 'x'), '', "$vendor: blanks in JSON");
    is(wrong($ng, $fake, '{"chat\\u0049d":"966511111111",'
             . '"\\u006dessage":"x"}', $user, 'x'), '',
       "$vendor: names with escapes");
    is(wrong($ng, $fake, $spaced, $user, 'x',
             headers => ['Content-Type: Application/JSON; charset=UTF-8']),
       '', "$vendor: a type with a charset");

    # what it is sent from
    is(wrong($ng, $fake, '{"chatId":"966511111111","message":"x",'
             . '"session":"' . shown($vendor, 'main')
             . '","from":"+966 50 000 0001"}', $user, 'x'), '',
       "$vendor: from the session and the number that are named");

    # none of these is sent
    $fake->forget;

    my @refused = (
        ['"a\\u0000b"', 'NUL'], ['"' . 'x' x 65_537 . '"', '64 KB and more'],
        ['"' . "\x{645}" x 32_769 . '"', 'of two bytes'],
        ['"\\ud83d"', 'a lone surrogate'], ['"\\ude42\\ud83d"', 'two'],
    );

    for (@refused) {
        my ($text, $what) = @$_;
        my $r = post($ng, '/send-message',
                     bytes(qq({"chatId":"966511111111","message":$text})));

        is(told($r), '400 bad_request no', "$vendor: refused: $what");
    }

    is(seen($fake), 0, "$vendor: of these nothing was sent");

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# A local number where no country is set.
{
    my $fake = fake('waha');
    my $ng = send_gateway(fakes => [$fake], country => '');
    my $r = post($ng, '/send-message', { chatId => '0511111111',
                                         message => 'x' });

    is(told($r) . " $r->{json}{member}", '400 bad_request no chatId',
       'a local number without a country');
    like($r->{json}{reason}, qr/DEFAULT_COUNTRY/, 'and why it is refused');
    is(seen($fake), 0, 'nothing was sent');
}

done_testing;
