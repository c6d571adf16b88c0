#!/usr/bin/perl

# Sends with an Idempotency-Key: the instances see each key once, and whoever
# repeats gets the answer of before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Control qw(control control_server);
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake send_gateway post start_post answer_of seen told);

my %Text = (chatId => '966511111111', message => 'hi');
my $n = 0;


sub key { return 'k-' . ++$n . '-' . $$ }

sub keyed { return "Idempotency-Key: $_[0]" }

sub replayed { return $_[0]{headers}{'idempotency-replayed'} || '-' }


# Both answers are the same but for the header that tells.
sub same {
    my ($one, $two, $name) = @_;

    is(replayed($one), '-', "$name: the first is no replay");
    is(replayed($two), 'true', "$name: the second says so");
    is("$two->{status} $two->{body}", "$one->{status} $one->{body}",
       "$name: it is the answer of before");
    is($two->{headers}{'content-type'} || '',
       $one->{headers}{'content-type'} || '', "$name: of the same type");
}


my $one = fake('wuzapi', sessions => [
    { name => 'main', number => '966500000001', token => 't-main' },
    { name => 'out', number => '966500000002', token => 't-out',
      state => 'login' }]);
my @fakes = ($one);

my $ng = send_gateway(fakes => \@fakes, workers => 4,
    upstream => 'wa_gateway_idempotency on; wa_gateway_passive off;',
    server => 'location /gz/ { gzip on; gzip_min_length 1; gzip_types *;'
        . 'proxy_pass http://u/; }');


sub text {
    my ($key, %o) = @_;

    return post($ng, '/send-message', $o{body} || { %Text },
                headers => [defined $key ? keyed($key) : (),
                            @{$o{headers} || []}]);
}


# The first answers, the second repeats.
sub twice {
    my ($name, $code, @seen) = @_;

    $_->forget for @fakes;
    my ($first, $second) = map { $code->() } 1, 2;

    same($first, $second, $name);
    is(seen(@fakes), 1, "$name: an instance saw it once");
    return $first;
}


{
    my $key = key();
    my $r = twice('text', sub { text($key) });
    is(told($r), '200 success', 'text: it was sent');

    is(told(text($key, body => { %Text, message => 'ho' })),
       '422 key_reused no', 'another text with that key');
    is(told(post($ng, '/send-media', { %Text{chatId},
                 url => 'http://127.0.0.1/x.png', mimetype => 'image/png' },
                 headers => [keyed($key)])),
       '422 key_reused no', 'another path');
    is(told(text($key, headers => ['X-WA-Session: main'])),
       '422 key_reused no', 'another header of the gateway\'s');
    is(told(post($ng, '/send-message?x=1', { %Text },
                 headers => [keyed($key)])),
       '422 key_reused no', 'another query');
    is(replayed(text($key, headers => ['X-Other: 1'])), 'true',
       'a header that does not matter');
    is(seen(@fakes), 1, 'none of them was sent');
}

# without a key all is as it was
{
    $_->forget for @fakes;
    is(replayed(text(undef)), '-', 'without a key') for 1, 2;
    is(seen(@fakes), 2, 'two messages without a key are two');
}

# forms of the key
for (['a bare one', 'a-b_c.d/e+f=1'], ['a string', '"a b, \\" ; c"'],
     ['a string of 255', '"' . 'x' x 255 . '"'], ['255', 'y' x 255],
     ['a UUID', '8e03978e-40d5-43dd-bc93-6894a57f9324'])
{
    my ($name, $key) = @$_;
    twice("key, $name", sub { text($key) });
}

{
    is(told(text('"same-key"')), '200 success', 'a key as string');
    is(replayed(text('same-key')), 'true', 'is that without quotes');
    is(replayed(text('"s\\ame-key"')), '-', 'a bad escape');
}

for (['empty', ''], ['an empty string', '""'], ['256', 'x' x 256],
     ['a string of 256', '"' . 'x' x 256 . '"'], ['an open string', '"a'],
     ['more after the string', '"a"b'], ['parameters', '"a";b=1'],
     ['two in one', 'a, b'], ['a blank', 'a b'], ['UTF-8', "\xd9\x85"],
     ['a bad escape', '"\\a"'])
{
    my ($name, $key) = @$_;

    $_->forget for @fakes;
    my $r = text($key);
    is(told($r), '400 bad_request no', "key, $name");
    is($r->{json}{member} || '', 'Idempotency-Key', "key, $name: the member");
    is(seen(@fakes), 0, "key, $name: nothing is sent");
}

{
    $_->forget for @fakes;
    is(told(text('a-1', headers => [keyed('a-1')])), '400 bad_request no',
       'two keys');
    is(seen(@fakes), 0, 'two keys: nothing is sent');
}

# native sends
{
    my $key = key();
    my @native = ('/chat/send/text', '{"Phone":"1","Body":"x"}');

    twice('native', sub {
        post($ng, @native, headers => [keyed($key), 'token: t-main'])
    });

    my $z = key();
    my ($first, $second) = map {
        post($ng, "/gz$native[0]", $native[1],
             headers => [keyed($z), 'token: t-main', @$_])
    } ['Accept-Encoding: gzip'], [];

    is($first->{headers}{'content-encoding'} || '-', 'gzip',
       'gzip: the first is compressed');
    is($second->{headers}{'content-encoding'} || '-', '-',
       'gzip: the repeat, which does not ask for it, is not');
    is(ref $second->{json}, 'HASH', 'gzip: it is the text itself');
    is(replayed($second), 'true', 'gzip: of before');

    # what is no send knows no keys
    $_->forget for @fakes;
    is(replayed(post($ng, '/user/check', '{"Phone":["1"]}',
                     headers => [keyed($key), 'token: t-main'])), '-',
       'what is no send is not looked at') for 1, 2;
    is($one->count('check'), 2, 'and goes to the instance');
}

# bodies in memory and in files, in one piece and in chunks
{
    my $key = key();
    my $data = 'QUJD' x 500_000;
    my %media = (chatId => $Text{chatId}, mimetype => 'image/png',
                 data => $data);

    twice('2 MB', sub {
        post($ng, '/send-media', { %media }, headers => [keyed($key)])
    });

    substr $data, -4, 1, 'R';
    is(told(post($ng, '/send-media', { %media, data => $data },
                 headers => [keyed($key)])), '422 key_reused no',
       '2 MB: another one');

    my $chunked = key();
    twice('chunks', sub {
        my @pieces = map { sprintf "%x\r\n%s\r\n", length, $_ }
                     unpack '(a7)*', '{"chatId":"966511111111","message":"x"}';
        push @pieces, "0\r\n\r\n";

        post($ng, '/send-message', sub { shift @pieces },
             headers => [keyed($chunked), 'Transfer-Encoding: chunked'])
    });
}

# what proves that nothing was sent gives the key back
{
    my $key = key();

    $one->misbehave('send', 'status:400');
    $_->forget for @fakes;

    is(told(text($key)), '422 rejected no', 'refused by its vendor');
    is(told(text($key)), '422 rejected no', 'and once more');
    is(seen(@fakes), 2, 'both were asked for');

    $one->misbehave('send', '');
    my $r = text($key);
    is(told($r), '200 success', 'then it is sent');
    is(replayed($r), '-', 'for the first time');
    is(replayed(text($key)), 'true', 'and not again');

    my $native = key();
    my @native = ('/chat/send/text', '{"Phone":"1","Body":"x"}',
                  headers => [keyed($native), 'token: t-main']);

    $one->misbehave('send', 'status:400');
    is(post($ng, @native)->{status}, 400, 'native: refused');
    $one->misbehave('send', '');
    is(post($ng, @native)->{status}, 200, 'native: then it is sent');
    is(replayed(post($ng, @native)), 'true', 'native: and not again');
}

# the message has an id that is derived from its key
{
    # lists are asked for meanwhile
    my $body = sub { (grep { $_->{body} ne '' } $one->ledger)[-1]{body} };
    my $key = key();

    my $r = text($key);
    like($r->{json}{messageId}, qr/^3EB0[0-9A-F]{18}\z/, 'an id of our own');
    like($body->(), qr/"Id":"\Q$r->{json}{messageId}\E"/, 'as was asked for');

    my $other = text(key());
    isnt($other->{json}{messageId}, $r->{json}{messageId},
         'another key, another id');
    unlike(do { text(undef); $body->() }, qr/"Id"/, 'none without a key');

    $key = key();
    $one->misbehave('send', 'status:400');
    text($key);
    my ($id) = $body->() =~ /"Id":"(\w+)"/;
    $one->misbehave('send', '');
    is(text($key)->{json}{messageId}, $id, 'the next attempt has the same');

    is(told(post($ng, '/send-media', { chatId => $Text{chatId},
                 mimetype => 'image/png', data => 'QUJD' },
                 headers => [keyed(key())])), '200 success', 'media');
    like($body->(), qr/"Id":"3EB0[0-9A-F]{18}"/, 'media has one, too');
}

# WAHA takes one for texts
{
    my $waha = fake('waha');
    my $ng = send_gateway(fakes => [$waha], upstream => 'wa_gateway_idempotency on;');
    my $sent = sub { (grep { $_->{kind} eq 'send' } $waha->ledger)[-1]{body} };
    my $key = key();

    my $r = post($ng, '/send-message', \%Text, headers => [keyed($key)]);
    my ($id) = $sent->() =~ /"id":"(3EB0[0-9A-F]{18})"/;
    is($r->{json}{messageId}, "true_$Text{chatId}\@c.us_$id", 'WAHA: an id of our own');
    is(told(post($ng, '/send-media', { chatId => $Text{chatId},
                 mimetype => 'image/png', data => 'QUJD' },
                 headers => [keyed(key())])), '200 success', 'WAHA: media');
    unlike($sent->(), qr/"id"/, 'which has none');
    post($ng, '/send-message', \%Text);
    unlike($sent->(), qr/"id"/, 'nor has a text without a key');
    $ng->clean;
}

# what is not known stays so
for (['an error', 'status:500', '502 unconfirmed unknown'],
     ['no answer', 'after:close', '502 bad_gateway unknown'],
     ['success without an id', 'empty', '502 unconfirmed unknown'])
{
    my ($name, $how, $want) = @$_;
    my $key = key();

    $one->misbehave('send', $how);
    my $r = twice($name, sub { text($key) });
    is(told($r), $want, "$name: it may have been sent");

    $one->misbehave('send', '');
    is(told(text($key)), $want, "$name: whatever the instance does now");
    is(seen(@fakes), 1, "$name: it is not sent again");

    # three of them in a row make a session suspect
    is(told(text(key())), '200 success', "$name: another key");
}

{
    my $native = key();
    my @native = ('/chat/send/text', '{"Phone":"1","Body":"x"}',
                  headers => [keyed($native), 'token: t-main']);

    $one->misbehave('send', 'status:500');
    my $r = twice('native error', sub { post($ng, @native) });
    is($r->{status}, 500, 'native error: as it came');
    $one->misbehave('send', '');
}

# the session of before need not be there for a repeat
{
    my $key = key();
    my $r = text($key);

    $one->session('main', state => 'login');
    ok((poll { told(text(key())) eq '503 no_session no' }),
       'nobody can send now');

    my $again = text($key);
    is("$again->{status} $again->{body}", "$r->{status} $r->{body}",
       'a repeat gets its answer');
    is(told(text($key, body => { %Text, message => 'ho' })),
       '503 no_session no', 'another one does not');

    my $new = key();
    is(told(text($new)), '503 no_session no', 'a new one is refused');

    $one->session('main', state => 'ready');
    ok((poll { told(text(key())) eq '200 success' }), 'somebody can again');
    is(replayed(text($new)), '-', 'what was refused was not claimed');
}

# one in flight
{
    my $key = key();

    $one->misbehave('send', 'slow:3');
    $_->forget for @fakes;

    my $s = start_post($ng, '/send-message', { %Text },
                       headers => [keyed($key)]);
    ok((poll { seen(@fakes) == 1 }), 'one is with the instance');

    my $r = text($key);
    is(told($r), '409 in_flight unknown', 'its repeat is told to wait');
    is($r->{headers}{'retry-after'}, 1, 'for a second');
    is(told(text($key, body => { %Text, message => 'ho' })),
       '422 key_reused no', 'another one is another one, in flight too');

    my $first = answer_of($s);
    is(told($first), '200 success', 'it is sent');
    same($first, text($key), 'after it ended');
    is(seen(@fakes), 1, 'once');

    # a client that left
    my $left = key();
    $s = start_post($ng, '/send-message', { %Text },
                    headers => [keyed($left)]);
    ok((poll { seen(@fakes) == 2 }), 'another one is there');
    close $s;

    ok((poll { $r = text($left); $r->{status} != 409 }), 'its client left');
    is(told($r), '200 success', 'which finds what came of it');
    is(replayed($r), 'true', 'when it repeats');

    my $native = key();
    my @native = ('/chat/send/text', '{"Phone":"1","Body":"x"}',
                  headers => [keyed($native), 'token: t-main']);
    $s = start_post($ng, @native);
    ok((poll { seen(@fakes) == 3 }), 'native: one is there');
    close $s;
    ok((poll { $r = post($ng, @native); $r->{status} != 409 }),
       'native: its client left');
    is("$r->{status} " . replayed($r), '200 true', 'native: and finds it');
    is(seen(@fakes), 3, 'none was sent again');

    $one->misbehave('send', '');
}

$ng->clean('nothing worse than errors is logged');

# Of several vendors, it is no send to the servers of others.
{
    my @several = (fake('evolution', sessions => [{ name => 'shop' }]),
                   fake('gowa', sessions => [{ name => 'till' }]),
                   fake('waha', sessions => [
                       { name => 'desk', number => '966500000008' }]));
    my $gowa = $several[1];
    my $ng = send_gateway(fakes => \@several, workers => 2,
        server => control_server(),
        upstream => 'wa_gateway_idempotency on zone=v:1m;');

    for (['its own header', 'X-Device-Id: till'],
         ['the gateway\'s', 'X-WA-Session: till'])
    {
        my ($name, $header) = @$_;
        my $key = key();

        my $send = sub {
            return post($ng, '/send/message',
                        { phone => '966511111111', message => $_[0] },
                        headers => [$header, keyed($_[0])]);
        };

        is($send->($key)->{status}, 200, "$name: one is sent");
        $gowa->remove('till');
        ok((poll { told($send->(key())) eq '404 unknown_session no' }),
           "$name: its session goes");

        my $r = $send->($key);
        is("$r->{status} " . replayed($r), '200 true',
           "$name: a repeat is still told that it was sent");
        is(scalar(grep { $_->{text} eq $key } $gowa->sent), 1, "$name: once");

        $gowa->session('till', state => 'ready');
        ok((poll { $send->(key())->{status} == 200 }), "$name: it is back");
    }

    # what it is refused for now has to do with its session
    {
        my $key = key();
        my @data = (chatId => '966511111111', mimetype => 'audio/ogg',
                    data => 'T2dn', session => 'desk');
        my $send = sub {
            return post($ng, '/send-media', { @data },
                        headers => [keyed($_[0])]);
        };

        is(told($send->($key)), '200 success', 'media: one is sent');
        $several[2]->remove('desk');
        $gowa->session('desk', state => 'ready');
        ok((poll { told($send->(key())) eq '400 bad_request no' }),
           'media: its session goes to servers that take none');
        is(replayed($send->($key)), 'true', 'media: a repeat is told so');
    }

    {
        my $key = key();
        my $send = sub {
            return post($ng, '/message/sendText/shop',
                        { number => '966511111111', text => $_[0] },
                        headers => ['X-WA-Session: shop',
                                    'X-WA-From: 966500000005', keyed($_[0])]);
        };

        $several[0]->session('shop', number => '966500000005');
        ok((poll { $send->($key)->{status} =~ /^20/ }),
           'number: one is sent');
        $several[0]->session('shop', number => '966500000006');
        ok((poll { told($send->(key())) eq '400 bad_request no' }),
           'number: its session has another one');
        is(replayed($send->($key)), 'true', 'number: a repeat is told so');
    }

    my $url = $gowa->url;
    my $key = key();
    my @native = ('/send/message', { phone => '966511111111', message => $key },
                  headers => ["X-WA-Instance: $url", keyed($key)]);

    is(post($ng, @native)->{status}, 200, 'by its instance: one is sent');
    like(control($ng, 'DELETE', $url)->{status}, qr/^20/, 'that goes');
    ok((poll { !grep { $_ eq $url } keys %{$ng->status->{instances}{details}} }),
       'and is gone');
    my $r = post($ng, @native);
    is("$r->{status} " . replayed($r), '200 true', 'a repeat is told so');

    $ng->clean('nothing worse than errors is logged');
}

# whose key it is
{
    my $ng = send_gateway(fakes => \@fakes, workers => 2,
        upstream => 'wa_gateway_idempotency required ttl=1h zone=x:1m;',
        location => '',
        text => 'wa_gateway_api_key old label=shop new label=shop other '
                . 'bare-1 bare-2 few numbers=966500000001;');

    my $key = key();
    my $send = sub {
        my ($api, @more) = @_;
        return post($ng, '/send-message', { %Text, session => 'main' },
                    headers => ["X-Api-Key: $api", @more]);
    };

    is(told($send->('old')), '400 key_required no', 'required and missing');
    is(seen(@fakes), 0, 'nothing is sent');
    is(replayed($send->('old', keyed($key))), '-', 'one of a label');
    is(replayed($send->('new', keyed($key))), 'true',
       'a key that was changed keeps its label');
    is(replayed($send->($_, keyed($key))), '-', "$_ is another owner")
        for 'other', 'bare-1', 'bare-2';
    is(replayed($send->($_, keyed($key))), 'true', "$_ has its own")
        for 'other', 'bare-1', 'bare-2';

    is(told($send->('few', keyed($key))), '200 success', 'one for a number');
    $one->session('main', number => '966500000009');
    ok((poll { told($send->('few', keyed(key()))) eq '403 forbidden_session no' }),
       'nobody has it any more');
    is(replayed($send->('few', keyed($key))), 'true',
       'it was sent all the same');
    $one->session('main', number => '966500000001');

    $ng->clean('nothing worse than errors is logged');
}

done_testing();
