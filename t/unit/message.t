#!/usr/bin/perl

# message, and member below it: JSON that is a message and such that is not,
# whole, byte by byte and split anywhere; random messages.

use strict;
use warnings;
use utf8;

no warnings "qw";

use Encode qw(encode);
use FindBin;
use JSON::PP ();
use lib $FindBin::Bin;

use Random;
use Unit;

my $Number = 'no whole number of 8 to 15 digits';
my $Local = 'local number, DEFAULT_COUNTRY is not set';
my @records;

# "T" stands for a recipient and "M" for a text; what of a message is told is
# below; "! " is before the member that is refused and why.

text('{T,M}', 'M');
text('{M,T}', 'M');
text('{"number":"966501234567",M}', 'M');
text('{"phone":"966501234567","text":"hi"}', 'M');
text('{"to":"966501234567","text":"hi"}', 'M');
text(qq( {\r\n\tT ,\n"message" : "hi" }\n ), 'M');
text('{T,M,"session":"a","from":"966509999999"}',
     'M session=a from=966509999999');
text('{"chatId":"+966 50 123 4567",M}', 'M');
text('{"chatId":"٩٦٦ ٥٠ ١٢٣ ٤٥٦٧",M}', 'M');
text('{"chatId":"0501234567",M}', "! chatId: $Local");
text('{"phone":"120363021234567890@g.us",M}',
     'to=group:120363021234567890 text=hi');
text('{"to":"123456789012345@lid",M}', 'to=lid:123456789012345 text=hi');

# escapes
text('{"\u0063hatId":"966501234567","mess\u0061ge":"hi"}', 'M');
text('{"chatId":"\u0039\u0036650123456\u0037",M}', 'M');
text('{"chatId":"966501234567\u0040c.us",M}', 'M');
text('{T,"message":" "}', 'to=user:966501234567 text= ');
text('{T,"message":"a\"\\\\\/\b\f\n\r\tb"}',
     'to=user:966501234567 text=a"\5c/\08\0c\0a\0d\09b');

text(qq({T,"text":"$$_[0]"}), "to=user:966501234567 text=$$_[1]")
    for ['مرحبا', 'مرحبا'], ['\u0645\u0631\u062d', 'مرح'], ['😀é€', '😀é€'],
        ['\ud83d\ude00\u00e9\u20AC', '😀é€'], ["e\x{301}", "e\x{301}"],
        ["\x{feff}\x{200e}\x{10fffd}", "\x{feff}\x{200e}\x{10fffd}"],
        ['<b>&amp;{}[]:,', '<b>&amp;{}[]:,'], ['\u007f', "\x7f"];

# numbers
text('{"chatId":966501234567,M}', 'M');
text('{M,"phone":966501234567 }', 'M');
text('{M,"to":12345678}', 'to=user:12345678 text=hi');
text('{M,"to":123456789012345}', 'to=user:123456789012345 text=hi');
text('{T,M,"from":966509999999}', 'M from=966509999999');
text(qq({"number":$_,M}), "! number: $Number")
    for qw(1234567 1234567890123456 -966501234567 966501234567.0
           9.66501234567e11 966501234567E0 0 -0 0.5);
text('{"from":1234567,T,M}', "! from: $Number");
text('{"from":-966501234567,T,M}', "! from: $Number");
text('{"to":' . 1 x 129 . ',M}', '! to: too long');
text('{"number":012345678,M}', '! : invalid JSON: invalid number');
text('{"number":+966501234567,M}', '! : invalid JSON: no value');
text('{"number":9665.,M}', '! : invalid JSON: invalid number');
text('{"number":966501234567', '! : invalid JSON: it is cut short');

# types
text(qq({"chatId":$_,M}), '! chatId: no string or number')
    for qw(null true false [] {} ["966501234567"] {"id":"966501234567"} [[[);
text(qq({T,"message":$_}), '! message: no string')
    for qw(null true false [] {} 5 ["hi"] {"text":"hi"});
text('{T,"text":null,M}', '! text: no string');
text('{T,M,"session":null}', '! session: no string');
text('{T,M,"session":12345678}', '! session: no string');
text('{T,M,"from":null}', '! from: no string or number');
text('{T,M,"from":[]}', '! from: no string or number');

# not there, or too often
text('{}', '! chatId: missing');
text('{M}', '! chatId: missing');
text('{"session":"a"}', '! chatId: missing');
text('{T}', '! message: missing');
text('{"phone":"966501234567"}', '! message: missing');
text('{T,T,M}', '! chatId: given twice');
text('{T,"chat\u0049d":"966501234567",M}', '! chatId: given twice');
text('{T,"number":"966501234567",M}', '! number: a second recipient');
text('{"to":"966501234567","phone":null,M}', '! phone: a second recipient');
text('{T,M,"text":"hi"}', '! text: a second text');
text('{T,"text":"hi",M}', '! message: a second text');
text('{T,M,M}', '! message: given twice');
text('{T,"session":"a",M,"session":"b"}', '! session: given twice');
text('{T,"from":"966509999999","from":966509999999,M}', '! from: given twice');

# unknown
text(qq({T,"$_":"hi"}), "! $_: unknown")
    for '', qw(x Message chatid chat_id messages messag url data caption
               filename mimetype toto body رسالة __proto__);
text('{"x":{"chatId":1}}', '! x: unknown');
text('{"message\u0000":"hi"}', '! message?: unknown');
text('{"\u0000":"hi"}', '! ?: unknown');
text('{"a\nb\u007f":"hi"}', '! a?b?: unknown');
text('{"\u0631":"hi"}', '! ر: unknown');
text('{"' . 'n' x 64 . '":"hi"}', '! ' . 'n' x 64 . ': unknown');
text('{"' . 'n' x 65 . '":"hi"}', '! ' . 'n' x 61 . '...: unknown');
text('{"' . 'n' x 300 . '":"hi"}', '! ' . 'n' x 61 . '...: unknown');
text('{"message' . ' ' x 300 . '":"hi"}',
     '! message' . ' ' x 54 . '...: unknown');
text('{"' . 'ر' x 40 . '":"hi"}', '! ' . 'ر' x 30 . '...: unknown');

# values
text('{"chatId":"",M}', '! chatId: empty');
text('{T,"message":""}', '! message: empty');
text('{T,M,"session":""}', '! session: empty');
text('{T,M,"from":""}', '! from: empty');
text('{"chatId":"abc",M}', '! chatId: invalid character');
text('{"number":"1234567",M}', '! number: not 8 to 15 digits');
text('{"phone":"120363021234567890@newsletter",M}',
     '! phone: a channel cannot be sent to');
text('{"to":"status@broadcast",M}', '! to: a broadcast list cannot be sent to');
text('{"chatId":"966501234567\u0000",M}', '! chatId: NUL in it');
text('{"chatId":"' . ' ' x 129 . '",M}', '! chatId: too long');
text('{T,"message":"a\u0000"}', '! message: NUL in it');
text('{T,M,"session":"\u0000"}', '! session: NUL in it');
text('{T,M,"session":"' . 's' x 128 . '"}', 'M session=' . 's' x 128);
text('{T,M,"session":"' . 's' x 129 . '"}', '! session: longer than 128 bytes');
text('{T,M,"session":"' . 's' x 127 . 'é"}',
     '! session: longer than 128 bytes');
text('{T,M,"from":"+966 50 999 9999"}', 'M from=966509999999');
text('{T,M,"from":"966509999999:3@s.whatsapp.net"}', 'M from=966509999999');
text('{T,M,"from":"0509999999"}', "! from: $Local");
text('{T,M,"from":"120363021234567890@g.us"}', '! from: no number of a phone');
text('{T,M,"from":"123456789012345@lid"}', '! from: no number of a phone');
text('{T,M,"from":"default"}', '! from: invalid character');

# no JSON, no object
text($$_[0], "! : $$_[1]") for
    ['[]', 'no JSON object'], ['[{}]', 'no JSON object'],
    ['"hi"', 'no JSON object'], ['null', 'no JSON object'],
    ['966501234567', 'no JSON object'];
text($$_[0], "! : invalid JSON: $$_[1]") for
    ['', 'no value'], [' ', 'no value'], ["\x{feff}{}", 'no value'],
    ['hi', 'no value'], ['chatId=966501234567&message=hi', 'no value'],
    ["{'chatId':'966501234567'}", 'no name'],
    ['{T,M}x', 'more than one value'], ['{T,M}{}', 'more than one value'],
    ["{T,M}\0", 'more than one value'], ['{T,M,}', 'no name'],
    ['{T M}', 'no comma'], ['{T,"message" "hi"}', 'no colon'],
    ['{T,"message":}', 'no value'], ['{T,"message":hi}', 'no value'],
    ['{T,"message":nul}', 'no value'], ['{T,M', 'it is cut short'],
    ['{T,"message":"hi', 'it is cut short'], ['{T,"x', 'it is cut short'],
    [qq({T,"message":"a\nb"}), 'control character in string'],
    ['{T,"message":"\x"}', 'invalid escape'],
    ['{T,"message":"\u12g4"}', 'invalid escape'],
    ['{T,"message":"\ud83d"}', 'lone surrogate'],
    ['{T,"message":"\ude00\ud83d"}', 'lone surrogate'],
    ['{T,"message":"\ud83d\ud83d"}', 'lone surrogate'],
    ["{T,M//x\n}", 'no comma'];
bytes_text(qq({"chatId":"966501234567","message":"$_"}),
           '! : invalid JSON: invalid UTF-8')
    for "\xff", "\xed\xa0\xbd", "\xc0\x80", "\xd8";
bytes_text(qq({"\xff":"hi"}), '! : invalid JSON: invalid UTF-8');

# what is wrong first
text('{"x":"hi",,', '! x: unknown');
text('{,"x":"hi"', '! : invalid JSON: no name');
text('{"chatId":"1","x":1}', '! chatId: not 8 to 15 digits');
text('{"chatId":null,"message":""', '! chatId: no string or number');

# media: "U" is a URL, "D" data and its type
media('{T,U}', 'U');
media('{U,T}', 'U');
media('{T,U,"mimetype":"image/png"}', 'U mimetype=image/png');
media('{T,D}', 'D data=aGk=');
media('{D,T}', 'D data=aGk=');
media('{"mimetype":"image/png","data" : "aGk=" ,T}', 'D data=aGk=');
media('{T,D,"filename":"b.png","caption":"hi","session":"a",'
      . '"from":"966509999999"}',
      'to=user:966501234567 session=a from=966509999999 mimetype=image/png '
      . 'filename=b.png caption=hi data=aGk=');
media('{T,"d\u0061ta":"aG\/k\u003d","mimetype":"image\/png"}',
      'D data=aG\5c/k\5cu003d');
media('{T,"data":"\"","mimetype":"image/png"}', 'D data=\5c"');
media('{T,"data":"\u0000","mimetype":"image/png"}', 'D data=\5cu0000');
media('{T,"data":"é","mimetype":"image/png"}', 'D data=é');
media('{T,"data":"aGk="}', '! mimetype: missing');
media('{T,"data":"","mimetype":"image/png"}', '! data: empty');
media(qq({T,"data":$_,"mimetype":"image/png"}), '! data: no string')
    for qw(null 12345678 true ["aGk="] {});
media('{T,D,"data":"aGk="}', '! data: given twice');
media('{T,U,D}', '! data: both url and data');
media('{T,D,U}', '! url: both url and data');
media('{T,U,U}', '! url: given twice');
media('{T}', '! url: missing');
media('{U}', '! chatId: missing');
media('{}', '! chatId: missing');
media('{T,"mimetype":"image/png"}', '! url: missing');
media('{T,U,M}', '! message: unknown');
media('{T,U,"text":"hi"}', '! text: unknown');
media('{T,D,"mimetype":"image/png"}', '! mimetype: given twice');
media('{T,U,"caption":"","caption":""}', '! caption: given twice');
media('{T,"data":"aGk', '! : invalid JSON: it is cut short');
media(qq({T,"data":"a\nGk="}),
      '! : invalid JSON: control character in string');

media(qq({T,"url":"$_"}), "to=user:966501234567 url=$_")
    for qw(http://a https://A.example https://a.example:8080/x?y=z#w
           http://[::1]/ https://ملف.example/ملف);
media('{T,"url":"HTTPS://A.example/B"}',
      'to=user:966501234567 url=https://A.example/B');
media('{T,"url":"https:\/\/a.example"}',
      'to=user:966501234567 url=https://a.example');
media('{T,"url":"https://' . 'a' x 2040 . '"}',
      'to=user:966501234567 url=https://' . 'a' x 2040);
media('{T,"url":"https://' . 'a' x 2041 . '"}',
      '! url: longer than 2048 bytes');
media(qq({T,"url":"$_"}), '! url: no http:// or https:// URL')
    for qw(ftp://a file:///etc/passwd data:image/png;base64,aGk= http
           a.example/b.png //a.example http:/a https:a javascript:1),
        ' https://a';
media(qq({T,"url":"$_"}), '! url: no host in it')
    for qw(http:// https:// https:///b http://?a http://#);
media(qq({T,"url":"$_"}), '! url: blank or control character in it')
    for 'https://a b', 'https://a ', 'https://a\n', 'https://a\tb',
        "https://a\x7f", 'https://\u001f';
media('{T,"url":"https://a\u0000"}', '! url: NUL in it');
media('{T,"url":""}', '! url: empty');
media('{T,"url":null}', '! url: no string');

media(qq({T,U,"mimetype":"$_"}), 'U mimetype=' . lc)
    for 'image/png', 'IMAGE/Png', 'application/vnd.ms-excel.sheet+xml',
        q(a/!#$%&'*+-.^_`|~0), 'a/' . 'b' x 125;
media('{T,U,"mimetype":"a/' . 'b' x 126 . '"}',
      '! mimetype: longer than 127 bytes');
media(qq({T,U,"mimetype":"$_"}), '! mimetype: no type/subtype')
    for 'image', 'image/', '/png', '/', 'image/png;q=1', ' image/png',
        'image/png; charset=x', 'image /png', 'image/png/x', 'image//png',
        'image/é', 'image/\"png\"', 'image/(png)', 'image/p\u0001', 'a/{}',
        'image/png\n', 'a/b@c', 'image\\\\png', 'image/[a]', 'image/a=b';
media('{T,U,"mimetype":""}', '! mimetype: empty');
media('{T,U,"mimetype":"image/png\u0000"}', '! mimetype: NUL in it');
media('{T,U,"mimetype":null}', '! mimetype: no string');

media('{T,U,"filename":"","caption":""}', 'U');
media('{T,U,"filename":"تقرير 1.pdf"}', 'U filename=تقرير 1.pdf');
media('{T,U,"filename":"' . 'f' x 255 . '"}', 'U filename=' . 'f' x 255);
media('{T,U,"filename":"' . 'f' x 256 . '"}',
      '! filename: longer than 255 bytes');
media('{T,U,"filename":"' . 'ر' x 128 . '"}',
      '! filename: longer than 255 bytes');
media(qq({T,U,"filename":"$_"}), '! filename: "/" or "\5c" in it')
    for 'a/b', 'a\/b', 'a\\\\b', '../a', '\u002fa';
media(qq({T,U,"filename":"$_"}), '! filename: control character in it')
    for 'a\n', '\u0001', "a\x7f", '\u0080a', '\u009f';
media('{T,U,"filename":"\u00a0\u00df"}', "U filename=\x{a0}\x{df}");
media('{T,U,"filename":"a\u0000"}', '! filename: NUL in it');
media('{T,U,"filename":null}', '! filename: no string');
media('{T,U,"caption":"a\nb/\\\\"}', 'U caption=a\0ab/\5c');
media('{T,U,"caption":"\u0000"}', '! caption: NUL in it');
media('{T,U,"caption":null}', '! caption: no string');
media('{T,U,"caption":1}', '! caption: no string');

my $random = Random->new(0x3e5);
random_message() for 1 .. 400;

exit Unit::run('message', @records);


sub text {
    my ($text, $want) = @_;
    add('text', $text, $want);
}


sub media {
    my ($text, $want) = @_;
    add('media', $text, $want);
}


sub bytes_text {
    push @records, ['text', @_];
}


sub add {
    my ($kind, $text, $want) = @_;

    my %short = (
        T => '"chatId":"966501234567"',
        M => '"message":"hi"',
        U => '"url":"https://a.example/b.png"',
        D => '"data":"aGk=","mimetype":"image/png"',
    );
    my %told = (
        M => 'to=user:966501234567 text=hi',
        U => 'to=user:966501234567 url=https://a.example/b.png',
        D => 'to=user:966501234567 mimetype=image/png',
    );

    $text =~ s/(?<=[{,\t])([TMUD])(?=[ ,}]|\/\/|\z)/$short{$1}/g;
    $want =~ s/^([MUD])(?= |\z)/$told{$1}/;

    push @records, [$kind, encode('UTF-8', $text), encode('UTF-8', $want)];
}


# Members in any order, spelled in any way; each as it is meant.
sub random_message {
    my $media = $random->below(2);
    my %value = ($random->one_of(qw(chatId number phone to)),
                 96650000000 + $random->below(9999));
    my ($to) = values %value;
    my %told = (to => "user:$to");

    $value{session} = $told{session} = some(12) if $random->below(2);
    $value{from} = $told{from} = 96650000000 + $random->below(9999)
        if $random->below(2);

    if (!$media) {
        my $text = some(300);
        $value{$random->one_of('message', 'text')} = $text;
        $told{text} = $text;

    } else {
        $value{caption} = $told{caption} = some(300) if $random->below(2);
        $value{url} = $told{url} = 'https://' . $random->below(9999);
    }

    my $json = JSON::PP->new;
    $json->ascii if $random->below(2);
    $json->pretty if $random->below(2);
    $json->escape_slash if $random->below(2);

    push @records, [$media ? 'media' : 'text',
                    encode('UTF-8', $json->encode(\%value)),
                    encode('UTF-8', join ' ', map {
                        defined $told{$_} ? "$_=" . shown($told{$_}) : ()
                    } qw(to text session from url caption))];
}


sub some {
    my ($max) = @_;
    return 'x' . $random->string($max) =~ tr/\0//dr;
}


sub shown {
    return $_[0] =~ s/([\x00-\x1f\\])/sprintf '\\%02x', ord $1/ger;
}
