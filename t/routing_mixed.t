#!/usr/bin/perl

# Servers of six vendors in one upstream: a request is of the vendor whose
# server has the session that it names in that vendor's way; where that could
# be two, nobody gets it.  What one vendor refuses is not passed on as if it
# were another's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_rows);
use WaGateway::Vendor;

my $Key = 'admin:geheim';

# All vendors have a session "main", each of another number, but wuzapi, whose
# sessions are named by tokens; "twin" is of one.
my @Fakes = map {
    my ($vendor, @sessions) = @$_;

    WaGateway::Vendor->new($vendor, key => $Key, wait => 0, sessions => [map {
        { name => $_->[0], number => "9665000000$_->[1]",
          state => $_->[2] || 'ready', token => "t-$_->[0]-geheim" }
    } @sessions]);
} ['waha', ['w1', '01'], ['main', '11'], ['out', '21', 'login']],
  ['waha', ['w2', '02'], ['twin', '22']],
  ['wwebjs', ['j1', '03'], ['main', '13'], ['twin', '22']],
  ['wppconnect', ['p1', '04'], ['main', '14'], ['twin', '22']],
  ['gowa', ['g1', '05'], ['main', '15'], ['w1-b', '25'], ['dn', '35', 'login']],
  ['evolution', ['e1', '06'], ['main', '16'], ['all-groups', '26'],
                ['dn', '36']],
  ['wuzapi', ['z1', '07'], ['zm', '17']],
  ['gowa', ['g2', '08']];

my %Carries = (
    waha => ['X-Api-Key', sub { $_[0] eq $Key }],
    wwebjs => ['x-api-key', sub { $_[0] eq $Key }],
    evolution => ['apikey', sub { $_[0] eq $Key }],
    gowa => ['Authorization', sub { $_[0] eq 'Basic YWRtaW46Z2VoZWlt' }],
    wppconnect => ['Authorization', sub {
        my ($value, $session, $fake) = @_;
        return defined $session
               && $value =~ /^Bearer \$2b\$10\$(.{22})(.{31})\z/
               && $2 eq $fake->hash($1, $session);
    }],
    wuzapi => ['token', sub {
        my ($value, $session) = @_;
        return defined $session && $value eq "t-$session-geheim";
    }],
);

my %o = (key => $Key, carries => \%Carries, short => 1);


check_rows('mixed', <<'END', \@Fakes, %o);
# names that one has

GET /api/w1/groups => 1 w1
GET /api/w2/groups => 2 w2
GET /api/sessions/w1 => 1 w1
GET /api/contacts/all?session=w2 => 2 w2
GET /ws?session=w1 => 1 w1
POST /api/sendText {"session":"w1","chatId":"1@c.us","text":"x"} => 1 w1 sent
POST /api/sendText {"session":"w2","chatId":"1@c.us","text":"x"} => 2 w2 sent
POST /api/sendText {"session":"out","chatId":"1@c.us","text":"x"} => 503 session_down
GET /client/getChats/j1 => 3 j1
GET /session/status/j1 => 3 j1
POST /client/sendMessage/j1 {"chatId":"1@c.us","contentType":"string","content":"x"} => 3 j1 sent
GET /api/p1/all-chats => 4 p1
GET /api/p1:<token:p1>/all-chats => 4 p1 key
POST /api/p1/send-message {"phone":"1","message":"x"} => 4 p1 sent
GET /chats [X-Device-Id: g1] => 5 g1
GET /chats?device_id=g2 => 8 g2
POST /send/message [X-Device-Id: g2] {"phone":"1","message":"x"} => 8 g2 sent
GET /instance/connectionState/e1 => 6 e1
POST /message/sendText/e1 {"number":"1","text":"x"} => 6 e1 sent
GET /session/status [token: t-z1-geheim] => 7 z1
POST /chat/send/text [token: t-z1-geheim] {"Phone":"1","Body":"x"} => 7 z1 sent
GET /session/status?token=t-z1-geheim => 7 z1

# that nobody has, or another vendor's server

GET /api/nobody/groups => 404 unknown_session
GET /client/getChats/nobody => 404 unknown_session
GET /client/getChats/w1 => 404 unknown_session
GET /client/getChats/p1 => 404 unknown_session
GET /client/getChats/g1 => 404 unknown_session
POST /message/sendText/w1 {"number":"1","text":"x"} => 404 unknown_session
POST /message/sendText/g2 {"number":"1","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"j1","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"p1","chatId":"1@c.us","text":"x"} => 404 unknown_session
GET /chats [X-Device-Id: w1] => 404 unknown_session
GET /chats [X-Device-Id: e1] => 404 unknown_session
GET /session/status [token: t-w1-geheim] => 404 unknown_session
POST /chat/send/text [token: t-g1-geheim] {"Phone":"1","Body":"x"} => 404 unknown_session

# paths that two vendors have: whose session it is

GET /api/w1/status-session => 1 - key status=404
GET /api/p1/groups => 4 - status=404
POST /api/w1/send-message {"phone":"1","message":"x"} => 1 - key status=404
POST /api/p1/groups {} => 4 - status=404
GET /api/sessions/e1 => 6 - key status=404
GET /session/status/w1 => 404 unknown_session

# a session called as another vendor's path

GET /instance/connectionState/all-groups => 6 all-groups
GET /api/p1/all-groups => 409 ambiguous_session
GET /api/p1/all-groups [X-WA-Instance: <4>] => 4 p1

# names that several have

GET /api/main/groups => 409 ambiguous_session
GET /api/main/all-chats => 409 ambiguous_session
POST /api/main/send-message {"phone":"1","message":"x"} => 409 ambiguous_session
GET /api/contacts/all?session=main => 1 main
POST /api/sendText {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
GET /client/getChats/main => 409 ambiguous_session
GET /instance/connectionState/main => 6 main
GET /chats [X-Device-Id: main] => 5 main
GET /session/status [token: t-zm-geheim] => 7 zm
GET /api/twin/groups => 409 ambiguous_session
GET /client/getChats/twin => 3 twin
POST /api/sendText {"session":"twin","chatId":"1@c.us","text":"x"} => 2 twin sent

# by the header alone: whose path it is; and 409 where it is both theirs

POST /send/message [X-WA-Session: main] {"phone":"1","message":"x"} => 5 main sent
POST /send/message [X-WA-Session: dn] {"phone":"1","message":"x"} => 503 session_down
GET /user/info [X-WA-Session: g1] => 5 g1
GET /user/info [X-WA-Session: main] => 409 ambiguous_session
GET /user/info [X-WA-Session: main] [X-WA-Instance: <5>] => 5 main
POST /send/message [X-WA-Session: nobody] {"phone":"1","message":"x"} => 404 unknown_session

# two that are named

GET /ws?session=w1 [X-Device-Id: g1] => 409 ambiguous_session
GET /api/w1/groups [token: t-z1-geheim] => 409 ambiguous_session
GET /api/w1/groups?device_id=g1 => 409 ambiguous_session
GET /api/w1/groups [X-WA-Session: p1] => 400 bad_request
GET /api/w1/groups [X-WA-Session: g1] => 400 bad_request
GET /api/w1/groups [X-WA-Session: nobody] => 400 bad_request
GET /api/nobody/groups [X-WA-Session: w1] => 404 unknown_session
POST /api/sendText [X-WA-Session: g1] {"session":"w1","chatId":"1@c.us","text":"x"} => 400 bad_request
POST /api/sendText [X-WA-Session: g1] [X-Device-Id: g1] {"session":"w1","chatId":"1@c.us","text":"x"} => 409 ambiguous_session
POST /client/sendMessage/j1 [X-WA-Session: g1] {"chatId":"1@c.us"} => 400 bad_request
POST /client/sendMessage/j1 [X-WA-From: 966500000005] {"chatId":"1@c.us"} => 404 unknown_session
POST /send/message [X-Device-Id: g1] [X-WA-Session: w1] {"phone":"1","message":"x"} => 400 bad_request

# the instance decides

GET /api/main/groups [X-WA-Instance: <1>] => 1 main
GET /api/main/all-chats [X-WA-Instance: <4>] => 4 main
POST /api/main/send-message [X-WA-Instance: <4>] {"phone":"1","message":"x"} => 4 main sent
GET /client/getChats/main [X-WA-Instance: <3>] => 3 main
GET /client/getChats/main [X-WA-Instance: <6>] => 6 - key status=404
GET /api/twin/groups [X-WA-Instance: <2>] => 2 twin
GET /api/twin/all-chats [X-WA-Instance: <4>] => 4 twin
GET /api/main/groups [X-WA-Instance: <2>] => 404 unknown_session
GET /api/w1/groups [X-WA-Instance: <4>] => 404 unknown_session
GET /ws?session=w1 [X-Device-Id: g1] [X-WA-Instance: <1>] => 1 w1
GET /chats [X-Device-Id: g1] [X-WA-Instance: <8>] => 404 unknown_session
GET /chats [X-Device-Id: w1] [X-WA-Instance: <1>] => 1 - bare
GET /nothing [X-WA-Instance: <7>] => 7 - bare
GET /ping [X-WA-Instance: <2>] => 2 - key
GET /api/w1/groups [X-WA-Instance: http://127.0.0.9:1] => 404 unknown_session

# and so does the number

GET /api/main/groups [X-WA-From: 966500000011] => 1 main
GET /api/main/all-chats [X-WA-From: 966500000014] => 4 main
POST /api/main/send-message [X-WA-From: 966500000014] {"phone":"1","message":"x"} => 4 main sent
GET /client/getChats/main [X-WA-From: 966500000013] => 3 main
GET /client/getChats/main [X-WA-From: 966500000016] => 6 - key status=404
GET /api/main/groups [X-WA-From: 966500000012] => 404 unknown_session

# the gateway's header, where a vendor names it in one

GET /chats [X-WA-Session: g2] => 8 g2 X-Device-Id=g2
POST /send/message [X-WA-Session: g1] {"phone":"1","message":"x"} => 5 g1 sent X-Device-Id=g1
POST /send/message {"phone":"1","message":"x"} => 5|8 * sent

# what a vendor refuses, though others have no such path

POST /api/sessions/w1/logout => 403 blocked
POST /api/sessions/nobody/logout => 403 blocked
DELETE /api/sessions/w2 => 403 blocked
POST /api/server/stop => 403 blocked
GET /api/server/environment => 403 blocked
GET /api/keys => 403 blocked
GET /session/terminate/j1 => 403 blocked
GET /session/terminateAll => 403 blocked
POST /client/runMethod/j1 {} => 403 blocked
POST /api/p1/logout-session => 403 blocked
GET /api/<key>/start-all => 403 blocked
GET /unhealthy => 403 blocked
GET /app/logout [X-Device-Id: g1] => 403 blocked
GET /app/logout => 403 blocked
DELETE /devices/g1 => 403 blocked
POST /mcp {} => 403 blocked
DELETE /instance/logout/e1 => 403 blocked
DELETE /instance/delete/e1 => 403 blocked
GET /verify-creds => 403 blocked
POST /session/logout [token: t-z1-geheim] => 403 blocked
DELETE /admin/users/1 => 403 blocked
POST /session/logout [X-WA-Instance: <7>] => 403 blocked

# what lists

GET /api/sessions => 403 blocked
GET /session/getSessions => 403 blocked
GET /devices => 403 blocked
GET /instance/fetchInstances => 403 blocked
GET /admin/users => 403 blocked
GET /devices [Authorization: Basic <key:base64>] => 5|8 - key
GET /instance/fetchInstances [apikey: <key>] => 6 - key
GET /api/sessions [X-Api-Key: <key>] => 1|2 - key

# without a session: the server of that vendor decides

POST /api/sendText {"chatId":"1@c.us","text":"x"} => 1|2 - bare status=401
POST /message/reply {} => any - bare
GET /nothing => any - bare

# what is new goes to its vendor's

POST /api/sessions {"name":"new1"} => 1|2 new1
POST /instance/create {"instanceName":"new2"} => 6 new2
GET /session/start/new3 => 3 new3
END


# Keys that are limited, over all vendors.
$_->forget for @Fakes;

check_rows('limited', <<'END', \@Fakes, %o,
GET /api/w1/groups [Authorization: Bearer k1] => 1 w1
GET /api/w2/groups [Authorization: Bearer k1] => 403 forbidden_session
GET /chats [X-Device-Id: g1] [X-Api-Key: k1] => 5 g1
GET /chats [X-Device-Id: g2] [X-Api-Key: k1] => 403 forbidden_session
GET /client/getChats/j1 [X-Api-Key: k1] => 403 forbidden_session
GET /client/getChats/nobody [X-Api-Key: k1] => 403 forbidden_session
POST /send/message [X-Api-Key: k1] {"phone":"1","message":"x"} => 5 g1 sent
GET /nothing [X-Api-Key: k1] => 403 forbidden_session

# a name that several have
GET /api/main/groups [Authorization: Bearer k2] => 1 main
GET /api/main/all-chats [Authorization: Bearer k2] => 1 - key status=404
GET /api/main/all-chats [X-Api-Key: k2] [X-WA-Instance: <4>] => 403 forbidden_session
GET /client/getChats/main [X-Api-Key: k2] => 403 forbidden_session
GET /client/getChats/main [X-Api-Key: k3] => 409 ambiguous_session
GET /client/getChats/main [X-Api-Key: k3] [X-WA-Instance: <3>] => 3 main
GET /chats [X-Device-Id: main] [X-Api-Key: k3] => 5 main
GET /chats [X-Device-Id: g1] [X-Api-Key: k3] => 403 forbidden_session
DELETE /instance/logout/main [X-Api-Key: k3] => 403 blocked

# a key that is not
GET /client/getChats/main [X-Api-Key: k4] => 409 ambiguous_session
GET /api/w1/groups => 401
END
    location => 'wa_gateway_api_key k1 sessions=w1 numbers=966500000005 '
                . 'k2 numbers=966500000011 k3 sessions=main k4;');

done_testing;
