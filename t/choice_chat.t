#!/usr/bin/perl

# wa_gateway_sender chat and chat-strict: a chat keeps its number, whatever
# worker or gateway it is asked of, and while others come and go.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Cheap qw(send_many text);
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions);
use WaGateway::Vendor;

my @chats = map { sprintf '96651%07d', 7 * $_ } 1 .. 10_000;
my @some = @chats[0 .. 299];


sub gateway_of {
    my ($cheap, %o) = @_;
    my $order = delete $o{order};
    my $sender = delete $o{sender} || 'chat';
    my $weights = delete $o{weights};
    my $vendor = $weights ? 'vendor=cheap' : '';
    my $locations = delete $o{locations} || '';

    return WaGateway::Nginx->start(workers => 4, %o,
        http => "keepalive_requests 1000000;\n" . $cheap->vendor,
        upstream => "wa_gateway zone=u:2m sessions=100 $vendor;\n"
            . $cheap->upstream(weights => $weights, order => $order)
            . "wa_gateway_check interval=100ms;\n"
            . "wa_gateway_sender $sender;\n",
        server => <<"END");
location = /sessions { wa_gateway_sessions u; }
location = /send-message {
    wa_gateway_send text;
    proxy_pass http://u;
    add_header X-Worker \$pid always;
}
$locations
END
}


# Of each chat its number, or the error's code.
sub numbers {
    my ($ng, @to) = @_;

    return map { $_->{json}{success} ? $_->{json}{number} : $_->{json}{code} }
           send_many($ng->port, map { text($_) } @to);
}


sub moved {
    my ($old, $new) = @_;
    return grep { $old->[$_] ne $new->[$_] } 0 .. $#$new;
}


# Eight numbers, two of them on each of four instances.
sub eight {
    my ($cheap, @without) = @_;

    for my $i (0 .. 3) {
        $cheap->sessions($i, map { ("s$_" => "96650000000$_") }
                             grep { my $n = $_; !grep { $_ == $n } @without }
                             2 * $i + 1, 2 * $i + 2);
    }
}

my $cheap = WaGateway::Cheap->new(5);
my $ng = gateway_of($cheap);

eight($cheap);
ok($cheap->settled($ng, 8, 8), 'eight numbers');

my @first = numbers($ng, @chats);
{
    my %share;
    $share{$_}++ for @first;

    is(join(' ', sort keys %share),
       join(' ', map { "96650000000$_" } 1 .. 8), 'each has chats');
    is(join(' ', grep { $_ < 1125 || $_ > 1375 } values %share), '',
       'an eighth of them');
}

# the loss of one, by its list and by its state
eight($cheap, 3);
ok($cheap->settled($ng, 7), 'one is gone');
my @less = numbers($ng, @chats);

is(join(' ', sort keys %{{ map { ($first[$_] => 1) }
                           moved(\@first, \@less) }}),
   '966500000003', 'only its own chats moved');
is(scalar(grep { $_ eq '966500000003' } @first),
   scalar(moved(\@first, \@less)), 'all of them did');
cmp_ok(scalar(keys %{{ map { ($less[$_] => 1) } moved(\@first, \@less) }}),
       '==', 7, 'to all of the others');

eight($cheap);
ok($cheap->settled($ng, 8, 8), 'it is back');
is(scalar(moved(\@first, [numbers($ng, @chats)])), 0, 'so are its chats');

# a ninth
$cheap->sessions(4, s9 => '966500000009');
ok($cheap->settled($ng, 9, 9), 'a ninth comes');
my @more = numbers($ng, @chats);

is(join(' ', sort keys %{{ map { ($more[$_] => 1) }
                           moved(\@first, \@more) }}),
   '966500000009', 'chats move to the ninth only');
cmp_ok(scalar(moved(\@first, \@more)), '>', 1000, 'a ninth of them, at least');
cmp_ok(scalar(moved(\@first, \@more)), '<', 1222, 'and at most');

# down, but known
$cheap->sessions(4, s9 => ['966500000009', 'down']);
ok($cheap->settled($ng, 8, 9), 'the ninth is down');
is(scalar(moved(\@first, [numbers($ng, @chats)])), 0,
   'each chat of one that is down goes where it was before that came');

$cheap->sessions(4, none => undef);
ok(poll { !grep { $_->{number} } @{sessions($ng, 'session=none')->{sessions}}
          and sessions($ng, 'session=none')->{total} },
   'one that has no number');
is(scalar(moved(\@first, [numbers($ng, @some)])), 0, 'has no chats');
$cheap->sessions(4);
ok($cheap->settled($ng, 8, 8), 'nor is it there any more');

# all workers
{
    my %seen;

    poll {
        my @r = send_many($ng->port, map { text($_) } @some);
        my ($pid) = $r[0]{head} =~ /^X-Worker: (\d+)/m;

        $seen{$pid} ||= [map { $_->{json}{number} } @r];
        keys %seen == 4
    };

    is(scalar keys %seen, 4, 'all workers were asked');
    is(scalar(map { moved([@first[0 .. 299]], $_) } values %seen), 0,
       'and say the same');
}

ok($ng->reload, 'a reload');
is(scalar(moved(\@first, [numbers($ng, @chats[0 .. 999])])), 0,
   'moves no chat');

# another gateway, whose instances are in another order, of which some have
# numbers that the others had: by their number alone
{
    my $other = gateway_of($cheap, order => [3, 1, 4, 0, 2], workers => 1);

    ok($cheap->settled($other, 8, 8), 'another gateway');
    is(scalar(moved(\@first, [numbers($other, @chats[0 .. 999])])), 0,
       'chooses the same numbers');
    $other->clean;
}

# one number at two instances: two ways, one sender
$cheap->sessions(4, twin => '966500000001');
ok($cheap->settled($ng, 9, 9), 'one of the numbers at another instance, too');
$cheap->forget;
{
    my @now = numbers($ng, @chats[0 .. 999]);
    my %way;

    is(scalar(moved(\@first, \@now)), 0, 'moves no chat');
    $way{$_->{session}}++ for grep { $_->{session} =~ /^(?:s1|twin)$/ }
                              $cheap->ledger(1000);
    cmp_ok(abs($way{s1} - $way{twin}), '<=', 1, 'both ways are used in turn');
}
eight($cheap);
$cheap->sessions(0, s2 => '966500000002');
ok($cheap->settled($ng, 8, 8), 'and one of its ways is gone');
is(scalar(moved(\@first, [numbers($ng, @chats[0 .. 999])])), 0,
   'still none moves');
$cheap->sessions(4);
eight($cheap);
ok($cheap->settled($ng, 8, 8), 'back');

# recipients however they are written; a group is another chat
is(join(' ', numbers($ng, '+966 510-000-007', '00966510000007',
                     '966510000007@c.us', '966510000007@s.whatsapp.net')),
   join(' ', ($first[0]) x 4), 'a chat is a chat in any notation');
{
    my @groups = numbers($ng, map { "$_\@g.us" } @some);
    cmp_ok(scalar(moved([@first[0 .. 299]], \@groups)), '>', 200,
           'and a group of the same digits another one');
}

# what is named is among the candidates
{
    my ($to) = grep { $first[$_] ne '966500000005' } 0 .. $#chats;
    my @r = send_many($ng->port, text($chats[$to], '"session":"s5"'),
                      text($chats[$to], '"from":"966500000006"'));

    is($r[0]{json}{number}, '966500000005', 'a session that is named');
    is($r[1]{json}{number}, '966500000006', 'a number that is named');
}

# none is ready
eight($cheap, 1 .. 8);
ok($cheap->settled($ng, 0), 'none is ready');
is(join(' ', numbers($ng, @some[0 .. 1])), 'no_session no_session',
   'then there is no session');
$ng->clean;


# Strict, in the upstream, and another one in a location.
$ng = gateway_of($cheap, sender => 'chat-strict', locations => <<'END');
location = /any/send-message {
    wa_gateway_send text;
    wa_gateway_sender any;
    proxy_pass http://u;
}
location = /chat/send-message {
    wa_gateway_send text;
    wa_gateway_sender chat;
    proxy_pass http://u;
}
END
eight($cheap);
ok($cheap->settled($ng, 8, 8), 'chat-strict');
is(scalar(moved([@first[0 .. 999]], [numbers($ng, @chats[0 .. 999])])), 0,
   'it chooses the same');

$cheap->sessions(1, s3 => ['966500000003', 'down'], s4 => '966500000004');
ok($cheap->settled($ng, 7, 8), 'one is down');
{
    my @now = numbers($ng, @chats[0 .. 999]);
    my ($lost) = grep { $first[$_] eq '966500000003' } 0 .. 999;
    my $r = $ng->request('POST', '/send-message', body => text($chats[$lost]),
                         headers => ['Content-Type: application/json']);

    is(join(' ', sort keys %{{ map { ($now[$_] => 1) }
                               moved([@first[0 .. 999]], \@now) }}),
       'session_down', 'its chats are refused, and no others');
    is(scalar(grep { $_ eq 'session_down' } @now),
       scalar(grep { $_ eq '966500000003' } @first[0 .. 999]),
       'all of them');
    is($r->{status}, 503, 'by 503');
    like($r->{headers}{'retry-after'} || '', qr/^[1-9]\d*$/,
         'with Retry-After');
    like($r->{body}, qr/"sent":"no"/, 'not sent');

    for my $path ('/any', '/chat') {
        $r = $ng->request('POST', "$path/send-message",
                          body => text($chats[$lost]),
                          headers => ['Content-Type: application/json']);
        is($r->{status}, 200, "a location has a sender of its own: $path");
    }

    like($r->{body}, qr/"number":"$less[$lost]"/, 'chat: the next number');
}
$ng->clean;


# Weights: of instances, thus of their numbers.
$ng = gateway_of($cheap, weights => { 0 => 6, 3 => 2 });
eight($cheap);
ok($cheap->settled($ng, 8, 8), 'weights');
{
    my %share;
    $share{$_}++ for numbers($ng, @chats);

    # 6 6 1 1 1 1 2 2, of 20
    for (1 .. 8) {
        my $weight = $_ <= 2 ? 6 : $_ <= 6 ? 1 : 2;
        my $got = $share{"96650000000$_"};

        cmp_ok(abs($got - $weight * 500), '<', $weight * 50 + 25,
               "number $_ has its share");
    }
}
$ng->clean;


# A connection that is refused: nothing was sent, the next number sends; with
# chat-strict none does.
{
    my @fakes = map {
        WaGateway::Vendor->new('waha', wait => 0, key => 'geheim-1',
            sessions => [{ name => "w$_", number => "9665000000$_$_" }])
    } 1, 2;
    my @to = map { sprintf '96652%07d', $_ } 1 .. 12;
    my $locations = join '', map { <<"END" } qw(chat chat-strict);
location = /$_ {
    wa_gateway_send text;
    wa_gateway_sender $_;
    proxy_pass http://u;
}
END
    $ng = gateway(fakes => \@fakes, server => $locations,
                  parameters => 'sessions=100',
                  upstream => 'wa_gateway_passive off;',
                  check => 'interval=1h timeout=10s')->start;
    ok(poll { sessions($ng)->{ready} == 2 }, 'two instances');

    my $number = sub {
        my ($path, $to) = @_;
        my $r = $ng->request('POST', $path, body => text($to),
                             headers => ['Content-Type: application/json']);
        my ($what) = $r->{body} =~ /"(?:number|code)":"(\w+)"/;
        return $what;
    };
    my %was = map { ($_ => $number->('/chat', $_)) } @to;
    my @of = map { my $n = "9665000000$_$_";
                   [grep { $was{$_} eq $n } @to] } 1, 2;

    cmp_ok(scalar @{$of[0]}, '>', 0, 'one has chats');
    cmp_ok(scalar @{$of[1]}, '>', 0, 'so has the other');

    $fakes[0]->stop;
    is(join(' ', map { $number->('/chat', $_) } @{$of[0]}),
       join(' ', ('966500000022') x @{$of[0]}), 'the other one sends');
    is(join(' ', keys %{{ map { ($number->('/chat-strict', $_) => 1) }
                          @{$of[0]} }}),
       'bad_gateway', 'with chat-strict none does');
    is(join(' ', map { $number->('/chat-strict', $_) } @{$of[1]}),
       join(' ', ('966500000022') x @{$of[1]}), 'but for its own chats');
    $ng->clean;
}

done_testing;
