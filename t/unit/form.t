#!/usr/bin/perl

# form: texts in forms, as message.t has them in JSON.

use strict;
use warnings;
use utf8;

use Encode qw(encode);
use FindBin;
use lib $FindBin::Bin;

use Unit;

my $M = 'to=user:966501234567 text=hi';
my @records;

form('chatId=966501234567&message=hi', $M);
form('message=hi&chatId=966501234567', $M);
form("$_=966501234567&text=hi", $M) for qw(number phone to);
form('chatId=+966501234567&message=hi', $M);
form('chatId=%2B966501234567&message=hi', $M);
form('chatId=%2b966+50+123+4567&message=hi', $M);
form('chatId=966501234567%40c.us&message=hi', $M);
form('chatId=966501234567@c.us&message=hi', $M);
form('chat%49d=966501234567&m%65ssage=hi', $M);
form('chatId=966501234567&message=hi&session=a+b&from=966509999999',
     "$M session=a b from=966509999999");
form('to=120363021234567890@g.us&text=a', 'to=group:120363021234567890 text=a');
form("to=12345678&text=$$_[0]", "to=user:12345678 text=$$_[1]")
    for ['a+b', 'a b'], ['a%2Bb', 'a+b'], ['a%20b', 'a b'], ['a=b', 'a=b'],
        ['=', '='], ['a%26b', 'a&b'], ['a%0D%0Ab', 'a\0d\0ab'],
        ["a\nb", 'a\0ab'], ['%D9%85%D8%B1', 'مر'], ['%d9%85', 'م'],
        ['مرحبا', 'مرحبا'], ['%F0%9F%98%80', '😀'], ['a;b', 'a;b'],
        ['%25', '%'], ['%7f', "\x7f"], ['"\\', '"\5c'],
        ['%EF%BB%BF', "\x{feff}"], ['%F4%8F%BF%BD', "\x{10fffd}"],
        ['%ED%9F%BF', "\x{d7ff}"], ['%EE%80%80', "\x{e000}"];

# half a character as an escape, the other half as it is
push @records, ['form', "to=12345678&text=%D9\x85",
                encode('UTF-8', 'to=user:12345678 text=م')];

form('', '! chatId: missing');
form('chatId=966501234567', '! message: missing');
form('message=hi', '! chatId: missing');
form('chatId=966501234567&message=', '! message: empty');
form('chatId=&message=hi', '! chatId: empty');
form('to=12345678&message=hi&session=', '! session: empty');
form('chatId=966501234567&chatId=966501234567&message=hi',
     '! chatId: given twice');
form('chatId=966501234567&chat%49d=1&message=hi', '! chatId: given twice');
form('chatId=966501234567&to=966501234567&message=hi',
     '! to: a second recipient');
form('message=hi&text=hi&to=12345678', '! text: a second text');
form("$_=12345678&message=hi", "! $_: unknown")
    for '', qw(x chatId[] message[] Chatid chatid url data mimetype رقم);
form('%63hatId%5B%5D=1', '! chatId[]: unknown');
form('a%0Ab=1', '! a?b: unknown');
form('n' x 65 . '=1', '! ' . 'n' x 61 . '...: unknown');
form('chatId', '! : no "=" in a part of the form');
form('chatId=12345678&message', '! : no "=" in a part of the form');
form('chatId=12345678&&message=hi', '! : no "=" in a part of the form');
form('&chatId=12345678&message=hi', '! : no "=" in a part of the form');
form('chatId=12345678&message=hi&', '! : "&" at the end of the form');
form('{"chatId":"12345678","message":"hi"}',
     '! : no "=" in a part of the form');
form("to=12345678&text=a$_", '! text: invalid "%" in it')
    for qw(% %4 %4g %g4 %-1 %%41 %u0041), '% 41', '%+1';
form('to%=12345678', '! to: invalid "%" in a name');
form('%6=12345678', '! : invalid "%" in a name');
form("to=12345678&text=$_", '! text: invalid UTF-8 in it')
    for qw(%FF %C0%80 %ED%A0%80 %D9 %D9a %E2%82 %F4%90%80%80 %80 %E0%9F%BF
           %F0%8F%BF%BF %F5%80%80%80 %E2%82%41 %F0%9F%98%41 %E2%28%A1 %C1%BF);
form('%FF=1', '! ?: invalid UTF-8 in a name');
form('to=12345678&text=a%00', '! text: NUL in it');
form('to=12345678%00&text=a', '! to: NUL in it');
form('to=1&text=a', '! to: not 8 to 15 digits');
form('to=0501234567&text=a',
     '! to: local number, DEFAULT_COUNTRY is not set');
form('to=' . '+' x 129 . '&text=a', '! to: too long');
form('to=12345678&text=' . '%61' x 65536,
     'to=user:12345678 text=' . 'a' x 65536);
form('to=12345678&text=' . 'a' x 65537, '! text: longer than 64 KB');
form('to=12345678&session=' . 's' x 129, '! session: longer than 128 bytes');
form('to=12345678&text=' . 'a' x (262144 - 17), '! text: longer than 64 KB');
form('to=12345678&text=' . 'a' x (262145 - 17),
     '! : a form longer than 256 KB');

exit Unit::run('message', @records);


sub form {
    my ($text, $want) = @_;
    push @records, ['form', encode('UTF-8', $text), encode('UTF-8', $want)];
}
