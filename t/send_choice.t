#!/usr/bin/perl

# Who sends a message of the one way: the session, the number or the instance
# that is named, else one that can, in turn; and only what the key is allowed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(vendors fake shown send_gateway post seen told);
use WaGateway::Sessions qw(known);

my @hello = (chatId => '966511111111', message => 'x');


# Where it was sent from, or what the client was told.
sub from {
    my ($ng, $fakes, $body, @headers) = @_;

    $_->forget for @$fakes;
    my $r = post($ng, '/send-message', { @hello, %$body },
                 headers => \@headers);
    my @sent = map { my $i = $_; map { "$i $_->{session}" } $fakes->[$i]->sent }
               0 .. $#$fakes;

    if ($r->{status} == 200) {
        return 'sent ' . @sent . ' times' if @sent != 1;

        my ($i, $session) = split / /, $sent[0];
        my $s = $r->{json};
        return "told $s->{session} at $s->{instance}, sent by $sent[0]"
            if $s->{session} ne shown($fakes->[$i]{vendor}, $session)
               || $s->{instance} ne $fakes->[$i]->url;
        return "$sent[0] $s->{number}";
    }

    return 'refused, and sent' if @sent;
    return join ' ', $r->{status}, $r->{code},
                defined $r->{json}{member} ? $r->{json}{member} : (),
                seen(@$fakes) ? 'seen' : (),
                $r->{headers}{'retry-after'} ? 'later' : ();
}


# Named in each way, for a vendor of every kind of place.
for my $vendor (vendors()) {
    my @fakes = (
        fake($vendor, sessions => [
            { name => 'main', number => '966500000001' },
            { name => 'twin', number => '966500000003' },
            { name => 'shared', number => '966500000005' },
            { name => 'out', number => '966500000007', state => 'login' }]),
        fake($vendor, sessions => [
            { name => 'other', number => '966500000002' },
            { name => 'twin', number => '966500000003' },
            { name => 'shared', number => '966500000006' }]));
    my $ng = send_gateway(fakes => \@fakes, workers => 2);
    my @url = map { $_->url } @fakes;

    my @rows = (
        [{ session => 'main' }, '0 main 966500000001'],
        [{ session => 'other' }, '1 other 966500000002'],
        [{ from => '966500000001' }, '0 main 966500000001'],
        [{ from => '+966 50 000 0002' }, '1 other 966500000002'],
        [{ from => 966500000006 }, '1 shared 966500000006'],
        [{ session => 'shared', from => '966500000005' },
         '0 shared 966500000005'],
        [{}, '0 main 966500000001', 'X-WA-Session: main'],
        [{}, '1 other 966500000002', 'x-wa-session: other'],
        [{}, '0 main 966500000001', 'X-WA-From: 966500000001'],
        [{}, '1 shared 966500000006', 'X-WA-Session: shared',
         "X-WA-Instance: $url[1]"],
        [{ session => 'twin' }, '1 twin 966500000003',
         "X-WA-Instance: $url[1]"],
        [{ session => 'twin' }, '0 twin 966500000003',
         "X-WA-Instance: $url[0]"],
        [{ session => 'main' }, '0 main 966500000001', 'X-WA-Session: main'],
        [{ from => '0500000001' }, '0 main 966500000001',
         'X-WA-From: 966500000001'],

        [{ session => 'main' }, '400 bad_request session',
         'X-WA-Session: other'],
        [{ from => '966500000001' }, '400 bad_request from',
         'X-WA-From: 966500000002'],
        [{}, '400 bad_request X-WA-Session', 'X-WA-Session: main',
         'X-WA-Session: main'],
        [{}, '400 bad_request X-WA-From', 'X-WA-From: x'],

        [{ session => 'nobody' }, '404 unknown_session'],
        [{ session => 'Main' }, '404 unknown_session'],
        [{ from => '966500000099' }, '404 unknown_session'],
        [{ session => 'main', from => '966500000002' },
         '404 unknown_session'],
        [{ session => 'main' }, '404 unknown_session',
         "X-WA-Instance: $url[1]"],
        [{}, '404 unknown_session', 'X-WA-Instance: http://127.0.0.9:1'],

        [{ session => 'out' }, '503 session_down later'],
    );

    for (@rows) {
        my ($body, $want, @headers) = @$_;
        my $name = join ' ', map({ "$_=$body->{$_}" } sort keys %$body),
                        @headers;

        s/\b(main|other|twin|shared|out)$/shown($vendor, $1)/e
            for @headers, exists $body->{session} ? $body->{session} : ();
        $name =~ s/\Q$url[$_]\E/<$_>/ for 0, 1;
        is(from($ng, \@fakes, $body, @headers), $want, "$vendor: $name");
    }

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# A secret may be what is shown: the name of a session, or of another one.
{
    my $fake = fake('wuzapi', sessions => [
        { name => 'main', number => '966500000001', token => 'main' },
        { name => 'other', number => '966500000002', token => 'third' },
        { name => 'third', number => '966500000003', token => 'x' }]);
    my $ng = send_gateway(fakes => [$fake]);

    is(from($ng, [$fake], { session => 'main' }), '0 main 966500000001',
       'a token that is its own name');
    is(from($ng, [$fake], { session => 'third' }), '0 third 966500000003',
       'one that is another name');

    $ng->clean('tokens: nothing worse than errors is logged');
}


# Headers and a query of the client's, which a vendor would look at, name
# nobody and say nothing.
for my $vendor (vendors()) {
    my $fake = fake($vendor, sessions => [
        { name => 'main', number => '966500000001' },
        { name => 'other', number => '966500000002' }]);
    my $ng = send_gateway(fakes => [$fake]);
    my $token = $fake->can('token_of') ? $fake->token('other') : 'x';

    my $r = post($ng, '/send-message?session=other&device_id=other'
                 . '&instanceName=other&token=' . $token,
                 { @hello, session => shown($vendor, 'main') }, headers => [
        'Content-Type: application/json; charset=utf-8',
        ('X-Device-Id: other') x ($vendor eq 'gowa' ? 2 : 1), "token: $token",
        "apikey: $token", 'X-Api-Key: mine', 'Authorization: Bearer mine',
        'Accept-Encoding: gzip', 'Cookie: session=other', 'Expect: x',
        'Origin: http://gateway.test', 'Referer: http://gateway.test/',
        'X-WA-Session: ' . shown($vendor, 'main'), 'X-WA-From: 966500000001',
        "X-QUEPASA-TOKEN: $token",
        'X-WA-Instance: ' . $fake->url, 'X-Mine: 1']);
    my ($seen) = grep { $_->{kind} eq 'send' } $fake->ledger;
    my $head = $seen->{headers} || '';

    is(told($r) . ' ' . join(' ', map { $_->{session} } $fake->sent),
       '200 success main', "$vendor: headers of the client's name nobody");
    unlike($seen->{path}, qr/\?/, "$vendor: nor does its query");

    for ('X-Device-Id', 'token', 'apikey', 'X-Api-Key', 'Authorization',
         'X-QUEPASA-TOKEN', 'Content-Type', 'Content-Length')
    {
        my @all = $head =~ /^\Q$_\E:/gmi;
        cmp_ok(scalar @all, '<=', 1, "$vendor: there is one $_ at most");
    }

    unlike($head, qr/^(?:X-WA-|Accept-Encoding|Cookie|Expect|Origin|Referer)/mi,
           "$vendor: some are the gateway's");
    like($head, qr/^X-Mine: 1\r$/m, "$vendor: others are the server's");
    like($head, qr/^Content-Type: application\/json\r$/m,
         "$vendor: the type is that of the message");

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# In turn, by all workers, over those that are ready.
{
    my @fakes = (
        fake('waha', sessions => [
            { name => 'a', number => '966500000001' },
            { name => 'b', number => '966500000002' },
            { name => 'out', number => '966500000003', state => 'down' }]),
        fake('gowa', sessions => [
            { name => 'c', number => '966500000004' },
            { name => 'busy', number => '966500000005',
              state => 'starting' }]));
    my $ng = send_gateway(fakes => \@fakes, workers => 2);

    for my $turn (1 .. 20) {
        $_->forget for @fakes;
        my @r = map { post($ng, '/send-message', { @hello }) } 1 .. 3;

        is(join(' ', sort map { $_->{session} } map { $_->sent } @fakes),
           'a b c', "in turn: $turn");
    }

    # one more, one less
    $fakes[1]->session('busy', state => 'ready');
    known($ng, 'busy', state => 'ready');
    $_->forget for @fakes;
    post($ng, '/send-message', { @hello }) for 1 .. 8;
    is(join(' ', sort map { $_->{session} } map { $_->sent } @fakes),
       'a a b b busy busy c c', 'in turn: another that is ready');

    $fakes[0]->session('a', state => 'login');
    known($ng, 'a', state => 'login');
    $_->forget for @fakes;
    post($ng, '/send-message', { @hello }) for 1 .. 6;
    is(join(' ', sort map { $_->{session} } map { $_->sent } @fakes),
       'b b busy busy c c', 'in turn: one that is not any more');

    # of one instance or number
    is(join(' ', sort map { from($ng, \@fakes, {}, 'X-WA-Instance: '
                                                   . $fakes[1]->url) } 1 .. 2),
       '1 busy 966500000005 1 c 966500000004', 'in turn: of an instance');

    # none
    $fakes[0]->session($_, state => 'down') for 'a', 'b';
    $fakes[1]->session($_, state => 'login') for 'c', 'busy';
    known($ng, $_, state => 'down') for 'a', 'b';
    known($ng, $_, state => 'login') for 'c', 'busy';

    is(from($ng, \@fakes, {}), '503 no_session later', 'nobody is ready');
    is(from($ng, \@fakes, { session => 'c' }), '503 session_down later',
       'nor the one that is named');

    $ng->clean('in turn: nothing worse than errors is logged');
}


# Exactly one number.
{
    my @fakes = (
        fake('waha', sessions => [
            { name => 'main', number => '966500000001' },
            { name => 'other', number => '966500000002' }]),
        fake('waha', sessions => [
            { name => 'main', number => '966500000001' }]));
    my $ng = send_gateway(fakes => \@fakes, workers => 2,
                          upstream => 'wa_gateway_sender one;');

    is(from($ng, \@fakes, {}), '409 ambiguous_session', 'one: of two');
    is(from($ng, \@fakes, { session => 'other' }), '0 other 966500000002',
       'one: by its session');
    like(from($ng, \@fakes, { session => 'main' }),
         qr/^[01] main 966500000001$/, 'one: two ways to one number');
    like(from($ng, \@fakes, { from => '966500000001' }),
         qr/^[01] main 966500000001$/, 'one: by its number');

    $fakes[0]->remove('other');
    ok(poll { from($ng, \@fakes, {}) =~ /^[01] main / },
       'one: when no other is left');

    $ng->clean('one: nothing worse than errors is logged');
}


# Keys that are limited.
{
    my @fakes = (
        fake('waha', sessions => [
            { name => 'main', number => '966500000001' },
            { name => 'other', number => '966500000002' }]),
        fake('wuzapi', sessions => [
            { name => 'third', number => '966500000003' }]));
    my $ng = send_gateway(fakes => \@fakes, workers => 2, text => <<'END');
wa_gateway_api_key full
                   shop label=shop numbers=966500000002
                   desk label=desk sessions=third,main;
END

    my ($full, $shop, $desk) = map { "X-Api-Key: $_" } qw(full shop desk);

    is(from($ng, \@fakes, { session => 'main' }, $full),
       '0 main 966500000001', 'keys: one that is not limited');
    is(from($ng, \@fakes, {}), '401 unauthorized', 'keys: none');

    is(from($ng, \@fakes, { session => 'other' }, $shop),
       '0 other 966500000002', 'keys: what it is allowed');
    is(from($ng, \@fakes, {}, $shop), '0 other 966500000002',
       'keys: which is all that it sees') for 1 .. 4;
    is(from($ng, \@fakes, { session => 'main' }, $shop),
       '403 forbidden_session', 'keys: another session');
    is(from($ng, \@fakes, { from => '966500000003' }, $shop),
       '403 forbidden_session', 'keys: another number');
    is(from($ng, \@fakes, {}, $shop, 'X-WA-Session: third'),
       '403 forbidden_session', 'keys: another in a header');

    my %by = map { from($ng, \@fakes, {}, $desk) => 1 } 1 .. 3;
    is(join(' ', sort keys %by),
       '0 main 966500000001 1 third 966500000003', 'keys: by both of them');
    is(from($ng, \@fakes, { session => 'other' }, $desk),
       '403 forbidden_session', 'keys: and no other');

    $ng->clean('keys: nothing worse than errors is logged');
}


# All vendors in one upstream.
{
    my $n = 0;
    my @fakes = map {
        my $i = ++$n;
        fake($_, sessions => [{ name => "s-$i",
                                number => "96650000000$i" }])
    } vendors();
    my $ng = send_gateway(fakes => \@fakes, workers => 2);

    my @r = map { post($ng, '/send-message', { @hello }) } 1 .. 27;

    is(join(' ', map { told($_) } @r), join(' ', ('200 success') x 27),
       'all vendors: every message is sent');
    is(join(' ', map { scalar(my @sent = $_->sent) } @fakes),
       '3 3 3 3 3 3 3 3 3', 'all vendors: in turn');
    is(join(' ', map { $_->{session} } map { $_->sent } @fakes),
       join(' ', map { ("s-$_") x 3 } 1 .. 9), 'all vendors: of all');
    is(scalar(grep { $_->{to} !~ /^966511111111\@/ || $_->{text} ne 'x' }
              map { $_->sent } @fakes), 0, 'all vendors: as they want it');

    # what one of them cannot send goes to the others
    $_->forget for @fakes;
    @r = map { post($ng, '/send-media', { chatId => '966511111111',
                    data => 'QUJD', mimetype => 'image/png' }) } 1 .. 10;

    is(join(' ', map { told($_) } @r), join(' ', ('200 success') x 10),
       'all vendors: every media is sent');
    is(join(' ', map { (my @sent = $_->sent) ? 1 : 0 } @fakes),
       '1 1 1 1 0 1 0 1 1', 'all vendors: by those that can');

    my ($gowa) = grep { $fakes[$_]{vendor} eq 'gowa' } 0 .. $#fakes;
    my $r = post($ng, '/send-media', { chatId => '966511111111',
                 data => 'QUJD', mimetype => 'image/png',
                 session => 's-' . ($gowa + 1) });
    is(told($r) . ' ' . (defined $r->{json}{member} ? $r->{json}{member} : '-'),
       '400 bad_request no data', 'all vendors: one that cannot is named');

    $r = post($ng, '/send-media', { chatId => '966511111111',
              data => 'QUJD', mimetype => 'image/png', session => 'nobody' });
    is(told($r), '404 unknown_session no', 'all vendors: nobody is named');

    $ng->clean('all vendors: nothing worse than errors is logged');
}

done_testing;
