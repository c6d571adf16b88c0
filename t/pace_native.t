#!/usr/bin/perl

# A server's own sends: to whom they go is read where the vendor's file tells,
# so they spend of the budget of that recipient, and go out from the number
# that a chat belongs to, as messages do.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Send qw(fake send_gateway post encoded told);
use WaGateway::Vendor;

# path and headers, the member, what makes the body one that can be sent
my %Own = (
    waha => ['/api/sendText', [], 'chatId',
             { session => 'main', text => 'x' }, '@c.us'],
    evolution => ['/message/sendText/main', [], 'number', { text => 'x' }, ''],
    wwebjs => ['/client/sendMessage/main', [], 'chatId',
               { contentType => 'string', content => 'x' }, '@c.us'],
    wppconnect => ['/api/main/send-message', [], 'phone', { message => 'x' },
                   ''],
    gowa => ['/send/message', ['X-Device-Id: main'], 'phone',
             { message => 'x' }, ''],
    wuzapi => ['/chat/send/text', [], 'Phone', { Body => 'x' }, ''],
    'evolution-go' => ['/send/text', [], 'number', { text => 'x' }, ''],
    openwa => ['/api/sessions/main/messages/send-text', [], 'chatId',
               { text => 'x' }, '@c.us'],
);

# the header of those whose sessions are named by a secret of their own
my %Token = (wuzapi => 'token', 'evolution-go' => 'apikey');

sub own {
    my ($ng, $vendor, $to, %o) = @_;
    my ($path, $headers, $member, $rest) = @{$Own{$vendor}};

    return post($ng, $path, { %$rest, $member => $to, %{$o{more} || {}} },
                headers => [@$headers, @{$o{headers} || []}]);
}

sub status { return $_[0]{status} =~ /^20[01]$/ ? 'sent' : told($_[0]) }

my $no = '429 paced no';


for my $vendor (sort keys %Own) {
    my $fake = fake($vendor);

    push @{$Own{$vendor}[1]},
         "$Token{$vendor}: " . $fake->secret({ name => 'main' }, 'token')
        if $Token{$vendor};

    my ($path, $headers, $member, $rest, $suffix) = @{$Own{$vendor}};
    my $ng = send_gateway(fakes => [$fake],
        http => 'client_body_buffer_size 8k;',
        upstream => 'wa_gateway_pace recipient=1/h;');
    my @to = map { sprintf '96651%07d', $_ } 1 .. 9;

    is(status(own($ng, $vendor, "$to[0]$suffix")), 'sent',
       "$vendor: a message to one");
    is(status(own($ng, $vendor, $_)), $no, "and no second: $_")
        for "$to[0]$suffix", $to[0], "$to[0]\@s.whatsapp.net",
            "$to[0]:12\@s.whatsapp.net", "+966 51-000 0001", "00$to[0]",
            "x$to[0]", "$to[0]\@newsletter", "9665-10000001\@g.us",
            "$to[0]\@elsewhere";
    is(told(post($ng, '/send-message', { chatId => $to[0], message => 'x' })),
       $no, 'nor by the way of all');

    is(told(post($ng, '/send-message', { chatId => $to[1], message => 'x' })),
       '200 success', 'one that has got one by that way');
    is(status(own($ng, $vendor, "$to[1]$suffix")), $no, 'gets no second');
    is(status(own($ng, $vendor, "$to[2]$suffix")), 'sent', 'another does');

    # what the server might find and the gateway does not
    my $bad = "400 bad_request no";
    for my $case ([[$to[3], $to[4]], 'a list'],
                  ["$to[3],$to[4]", 'a list in a text'],
                  ["$to[3]\@c.us ; $to[4]\@c.us", 'another one'],
                  ['', 'an empty one'], [{ id => $to[3] }, 'an object'],
                  ['9' x 200, 'one that is too long']) {
        my $r = own($ng, $vendor, $case->[0]);
        is(status($r), $bad, "$case->[1] is refused");
        is($r->{json}{member}, $member, 'and what is wrong is told');
    }

    my $twice = encoded({ %$rest, $member => $to[3] });
    $twice =~ s/\}\z/,"\U$member\E":"$to[4]"}/;
    is(status(post($ng, $path, $twice, headers => $headers)), $bad,
       'so is one that is given twice, whatever its case');

    is(status(post($ng, $path, "$member=$to[3]", headers => [@$headers,
              'Content-Type: application/x-www-form-urlencoded'])),
       '415 unsupported_media_type no', 'and a body that is no JSON');

    # in a file, looked at as it came; OpenWA takes no other members
    my $long = $vendor eq 'openwa' ? 'text' : 'note';
    my %more = (more => { $long => 'n' x 100_000 });
    is(status(own($ng, $vendor, "$to[2]$suffix", %more)), $no,
       'a large one to who had one');
    is(status(own($ng, $vendor, "$to[5]$suffix", %more)), 'sent',
       'and to another');

    is(scalar(my @all = $fake->sent), 4, 'that many were sent');
    $ng->clean;
}


# The other routes of theirs.
{
    my @fakes = map { fake($_, sessions => [{ name => $_,
                        number => '966500000001' }]) } sort keys %Own;
    my $ng = send_gateway(fakes => \@fakes,
                          upstream => 'wa_gateway_pace recipient=1/h;');
    my $get = sub { return $ng->request('GET', $_[0])->{status} };
    my $one = sub {
        my ($path, $body) = @_;
        return post($ng, $path, $body)->{status};
    };
    my $n = 0;
    my $to = sub { return sprintf '96652%07d', ++$n };
    my $twice = sub {
        my ($name, $path, $body, @changes) = @_;
        isnt($one->($path, $body), 429, "$name: once");
        is($one->($path, { %$body, %$_ }), 429, "$name: not twice")
            for {}, @changes;
    };

    my $a = $to->();
    is($get->("/api/sendText?session=waha&text=x&phone=$a"), 201,
       'waha, by a query');
    is($get->("/api/sendText?session=waha&text=x&phone=$_"), 429,
       "not twice: $_") for $a, "%39" . substr($a, 1), "$a\@c.us";
    is($get->("/api/sendText?session=waha&text=x&phone=$a,1"), 400,
       'a list is refused');

    # another server could have a session of that name in its path
    like($get->("/api/sendText?session=waha&text=x&phone=$_"), qr/^40[04]$/,
         "refused: $_") for "1&phone=$a", "1&phone[]=$a";

    $twice->('waha: an event', '/api/waha/events', { chatId => $to->() });
    $twice->('evolution: an invitation', '/group/sendInvite/evolution',
             { numbers => [$to->()] });
    is($one->('/group/sendInvite/evolution', { numbers => [1, 2] }), 400,
       'evolution: invitations');
    $twice->('wwebjs: to forward', '/message/forward/wwebjs',
             { chatId => '1@c.us', destinationChatId => $to->() },
             { chatId => '2@c.us' });
    $twice->('wwebjs: to answer', '/message/reply/wwebjs',
             { chatId => $to->() });
    $twice->('wppconnect: a list of one', '/api/wppconnect/send-message',
             { phone => [$to->()], message => 'x' });
    $twice->('wppconnect: a catalogue',
             '/api/wppconnect/send-link-catalog', { phones => [$to->()] });
    is($one->('/api/wppconnect/send-link-catalog', { phones => ['1', '2'] }),
       400, 'wppconnect: catalogues');
    $twice->('OpenWA: to forward', '/api/sessions/openwa/messages/forward',
             { toChatId => $to->() }, { fromChatId => '2@c.us' });
    is($one->('/api/sessions/openwa/messages/send-bulk', { messages => [] }),
       403, 'OpenWA: many at once');
    $ng->clean;
}


# With the number's budget alone a list is looked for where a server takes one.
{
    my @fakes = (fake('wppconnect'), fake('gowa', sessions => [
                    { name => 'other', number => '966500000002' }]));
    my $ng = send_gateway(fakes => \@fakes,
                          upstream => 'wa_gateway_pace number=100/h burst=50;');
    my $form = 'Content-Type: application/x-www-form-urlencoded';

    is(own($ng, 'wppconnect', ['966510000001', '966510000002'])->{status}, 400,
       'a list would send more than it spends');
    is(post($ng, '/api/main/send-message', 'phone=1,2&message=x',
            headers => [$form])->{status}, 415, 'so would one in a form');
    is(own($ng, 'wppconnect', '966510000001')->{status}, 201, 'one is one');
    is(post($ng, '/send/message', 'phone=966510000001&message=x',
            headers => [$form, 'X-Device-Id: other'])->{status}, 200,
       'where there is no list a form is as good');
    $ng->clean;
}


# chat: the number that the recipient belongs to, as for messages.
for my $sender ('chat', 'chat-strict') {
    my @fakes = (fake('gowa', sessions => [map {
        { name => "d$_", number => "96650000001$_" } } 1 .. 4]));
    my $ng = send_gateway(fakes => \@fakes,
                          upstream => "wa_gateway_sender $sender;");
    my (%by, %own);

    for my $to (map { sprintf '96653%07d', 7 * $_ } 1 .. 20) {
        $by{$to} = post($ng, '/send-message',
                        { chatId => $to, message => 'x' })->{json}{session};
        $fakes[0]->forget;
        post($ng, '/send/message', { phone => $to, message => 'x' });
        my @sent = $fakes[0]->sent;
        $own{$to} = $sent[0]{session};
    }

    is_deeply(\%own, \%by, "$sender: a native send goes out as a message does");
    cmp_ok(scalar(keys %{{ reverse %by }}), '>', 1, 'from several numbers');

    my ($to) = grep { $by{$_} eq 'd1' } sort keys %by;
    is(post($ng, '/send/message', { phone => [$to], message => 'x' })->{status},
       400, 'of one that cannot be read nobody knows');
    $fakes[0]->session('d1', state => 'login');
    WaGateway::Nginx::poll(sub { !grep { $_->{session} eq 'd1'
        && $_->{state} eq 'ready' } @{WaGateway::Sessions::sessions($ng)
                                      ->{sessions}} });
    is(told(post($ng, '/send/message', { phone => $to, message => 'x' })),
       $sender eq 'chat' ? '200 no JSON' : '503 session_down no',
       "$sender: its number is down") if $sender ne 'chat';
    is(post($ng, '/send/message', { phone => $to, message => 'x' })->{status},
       200, 'chat: another number sends') if $sender eq 'chat';
    $ng->clean;
}

done_testing;
