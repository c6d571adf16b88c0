#!/usr/bin/perl

# Media that are sent in the one way: by their URL, or as base64 that comes to
# the server with the very bytes of the client's, whatever their size is and
# wherever nginx keeps them.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw(md5_hex);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Test::More;
use WaGateway::Nginx qw(slurp);
use WaGateway::Send qw(vendors fake send_gateway post encoded seen message_id
                       told);

my $to = '"chatId":"966511111111"';
my $caption = "خالد \"x\" \\ \n<caption>";
my $caption_bytes = $caption;
utf8::encode($caption_bytes);

# Base64 as clients write it: short, long, with escapes.
my $short = encode_base64('ABC?', '');
my $long = encode_base64(join('', map { chr $_ & 255 } 1 .. 60_000), '');
my $escaped = $long =~ s{/}{\\/}gr;


# One message; what is wrong with what came of it, as text.
sub wrong {
    my ($ng, $fake, $body, $media, %o) = @_;

    $fake->forget;
    utf8::encode($body) if !ref $body && utf8::is_utf8($body);

    my $text = delete $o{text};
    my $r = post($ng, delete $o{path} || '/send-media', $body, %o);
    my @sent = $fake->sent;
    my $got = told($r) . ' ' . substr($r->{body}, 0, 300) . "\n"
              . join '', map { "$_->{method} $_->{path} $_->{status} "
                               . substr($_->{body} || '', 0, 300) . "\n" }
                         grep { $_->{kind} eq 'send' } $fake->ledger;

    return "the answer is no success\n$got" if told($r) ne '200 success';
    return "it was not sent once\n$got" if @sent != 1 || seen($fake) != 1;

    my $sent = $sent[0];
    return "to $sent->{to}\n$got"
        if $sent->{to} !~ /^966511111111\@(?:c\.us|s\.whatsapp\.net)\z/;
    return "no messageId\n$got"
        if $r->{json}{messageId} ne message_id($fake, $sent);

    for (sort keys %$media) {
        my $is = defined $sent->{media}{$_} ? $sent->{media}{$_} : '-';
        return "$_ is $is, not $media->{$_}\n$got" if $is ne $media->{$_};
    }

    return "the caption is " . (defined $sent->{text} ? $sent->{text} : '-')
           . "\n$got"
        if (defined $sent->{text} ? $sent->{text} : '')
           ne (defined $text ? $text : '');

    return '';
}


my $name = 'ملف <x>.bin';
utf8::encode($name);

# What a vendor is told of a type besides.
my %says = (
    waha => sub { mimetype => $_[0], filename => $name },
    evolution => sub { mimetype => $_[0], filename => $name,
        type => $_[0] =~ m{^(image|video|audio)/} ? $1 : 'document' },
    wwebjs => sub { mimetype => $_[0], filename => $name },
    wppconnect => sub { before => "data:$_[0];base64,", filename => $name },
    wuzapi => sub { before => 'data:' . ($_[0] =~ m{^(?:image|video|audio)/}
        ? $_[0] : 'application/octet-stream') . ';base64,',
        $_[0] =~ m{^(?:image|video|audio)/} ? () : (filename => $name) },
    quepasa => sub { before => "data:$_[0];base64,", mimetype => $_[0],
                     filename => $name },
    openwa => sub { mimetype => $_[0], filename => $name,
        type => $_[0] =~ m{^(image|video|audio)/} ? $1 : 'document' },
);

# Where it is sent to: an image, a video, a sound, a document.
my %path = (
    waha => [map { "/api/$_" } qw(sendImage sendFile sendFile sendFile)],
    evolution => [('/message/sendMedia/main') x 4],
    wwebjs => [('/client/sendMessage/main') x 4],
    wppconnect => [('/api/main/send-file') x 4],
    gowa => [map { "/send/$_" } qw(image video audio file)],
    wuzapi => [map { "/chat/send/$_" } qw(image video audio document)],
    'evolution-go' => [('/send/media') x 4],
    quepasa => [('/send') x 4],
    openwa => [map { "/api/sessions/main/messages/send-$_" }
               qw(image video audio document)],
);

my @types = ('image/png', 'video/mp4', 'audio/ogg', 'application/pdf',
             'text/plain');

for my $vendor (vendors()) {
    my $fake = fake($vendor);
    my $ng = send_gateway(fakes => [$fake], workers => 2);

    # by URL
    for my $type (@types) {
        my $link = 'https://example.com/a?b="%20&c=<x>\\';
        my $wrong = wrong($ng, $fake,
            "{$to,\"url\":" . encoded($link) . ",\"mimetype\":\"$type\","
            . "\"filename\":\"a.bin\"}",
            { link => $link });

        ok($wrong eq '', "$vendor: $type by URL") or diag($wrong);

        my ($nth) = $type =~ /^image/ ? 0 : $type =~ /^video/ ? 1
                    : $type =~ /^audio/ ? 2 : 3;
        is((grep { $_->{kind} eq 'send' } $fake->ledger)[0]{path},
           $path{$vendor}[$nth], "$vendor: $type: by its route");
    }

    is(wrong($ng, $fake, "{$to,\"url\":\"HTTPS://Example.com/a.PNG\"}",
             { link => 'https://Example.com/a.PNG' }), '', "$vendor: an URL and nothing else");

    # by data
    if ($vendor =~ /^(?:gowa|evolution-go)$/) {
        $fake->forget;
        my $r = post($ng, '/send-media', "{$to,\"data\":\"$short\","
                                         . '"mimetype":"image/png"}');
        is(told($r) . " $r->{json}{member} " . seen($fake),
           '400 bad_request no data 0', "$vendor: has no data");
        $ng->clean("$vendor: nothing worse than errors is logged");
        next;
    }

    for my $type (@types) {
        for (['short', $short], ['long', $long], ['escaped', $escaped]) {
            my ($what, $base64) = @$_;

            my $wrong = wrong($ng, $fake,
                "{$to,\"mimetype\":\"$type\",\"data\":\"$base64\","
                . '"filename":"ملف <x>.bin","caption":'
                . JSON::PP->new->allow_nonref->encode($caption) . '}',
                { length => length $base64, digest => md5_hex($base64),
                  $says{$vendor}->($type) }, text => $caption_bytes);

            ok($wrong eq '', "$vendor: $type as data, $what") or diag($wrong);
        }
    }

    # in the way that nginx keeps a body
    my %media = (length => length $escaped, digest => md5_hex($escaped));
    my @members = ("\"data\":\"$escaped\"", '"mimetype":"application/pdf"',
                   $to, '"filename":"a.pdf"');

    for my $i (0 .. $#members) {
        my $body = '{' . join(',', @members[$i .. $#members, 0 .. $i - 1])
                   . '}';

        is(wrong($ng, $fake, $body, \%media), '',
           "$vendor: data as member " . (1 + (4 - $i) % 4));

        my $left = $body;
        is(wrong($ng, $fake, sub {
               return if !defined $left;
               my $piece = substr $left, 0, 7000, '';
               undef $left if $piece eq '';
               return sprintf "%x\r\n%s\r\n", length $piece, $piece
           }, \%media, headers => ['Transfer-Encoding: chunked']), '',
           "$vendor: in chunks");
    }

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# In memory and in files.
{
    my $fake = fake('waha');
    my $ng = send_gateway(fakes => [$fake], workers => 1, server => <<'END');
location = /memory {
    wa_gateway_send media;
    client_body_buffer_size 1m;
    proxy_pass http://u;
}
location = /file {
    wa_gateway_send media;
    client_body_buffer_size 1k;
    proxy_pass http://u;
}
location = /only {
    wa_gateway_send media;
    client_body_in_file_only clean;
    proxy_pass http://u;
}
location = /single {
    wa_gateway_send media;
    client_body_buffer_size 8k;
    client_body_in_single_buffer on;
    proxy_pass http://u;
}
location = /text {
    wa_gateway_send text;
    client_body_buffer_size 1k;
    proxy_pass http://u;
}
location = /proxied/api/sendFile {
    client_max_body_size 200m;
    proxy_pass http://u/api/sendFile;
}
END

    for my $path ('/memory', '/file', '/only', '/single') {
        for my $base64 ($short, $long, $escaped) {
            my %media = (length => length $base64,
                         digest => md5_hex($base64));

            for my $body ("{$to,\"mimetype\":\"image/png\","
                          . "\"data\":\"$base64\"}",
                          "{\"data\":\"$base64\",$to,"
                          . '"mimetype":"image/png","caption":"x"}')
            {
                is(wrong($ng, $fake, $body, \%media, path => $path,
                         text => $body =~ /caption/ ? 'x' : undef), '',
                   "$path: " . length($base64) . ' bytes of base64');
            }
        }
    }

    # a text in a file
    $fake->forget;
    is(told(post($ng, '/text', '{"chatId":"966511111111","message":"'
                               . 'ab' x 30_000 . '"}')), '200 success',
       'a text in a file');
    is(($fake->sent)[0]{text}, 'ab' x 30_000, 'all of it');

    # 20 MB
    my $base64 = encode_base64('0123456789' x 1_572_864, '');
    cmp_ok(length $base64, '>=', 20 << 20, '20 MB');
    is(wrong($ng, $fake, "{\"data\":\"$base64\",$to,"
             . '"mimetype":"video/mp4"}',
             { length => length $base64, digest => md5_hex($base64) }), '',
       'come as they are');

    # What nginx has to hold of 100 MB is no more than for a request that it
    # only passes on.
    my $piece = 'QUJD' x 65_536;
    my $n = 400;
    my $md5 = Digest::MD5->new;
    $md5->add($piece) for 1 .. $n;
    my $digest = $md5->hexdigest;

    my $large = sub {
        my ($before, $after) = @_;
        my $left = $n + 2;

        my $length = length($before) + $n * length($piece) + length $after;
        return (length => $length, sub {
            $left--;
            return $left < 0 ? undef : $left == $n + 1 ? $before
                   : $left == 0 ? $after : $piece;
        });
    };

    my ($pid) = $ng->worker_pids;
    my $peak = sub {
        (slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m)[0]
    };

    my ($name, $length, $body) = $large->(
        '{"session":"main","chatId":"966511111111@c.us","file":{'
        . '"mimetype":"video/mp4","data":"', '"}}');
    $fake->forget;
    my $r = post($ng, '/proxied/api/sendFile', $body, length => $length,
                 headers => ['X-Api-Key: geheim-1']);
    is($r->{status}, 201, '100 MB, passed on');
    is(($fake->sent)[0]{media}{digest}, $digest, 'come as they are');
    my $passed = $peak->();

    ($name, $length, $body) = $large->("{$to,\"mimetype\":\"video/mp4\","
                                       . '"data":"', '"}');
    is(wrong($ng, $fake, $body, { length => $n * length $piece,
                                  digest => $digest }, length => $length), '',
       '100 MB as a media: come as they are');
    my $sent = $peak->();

    # one piece of the file, and what memory is taken in
    cmp_ok($sent - $passed, '<', 1024, "no more memory: $passed, $sent KB")
        unless $ENV{WA_GATEWAY_TEST_SANITIZE};

    # too large is the client's fault, as elsewhere
    $ng->clean('nothing worse than errors is logged');
}

done_testing;
