#!/usr/bin/perl

# Requests to GOWA servers: each goes to the instance and the device that its
# header, query or path names, or is refused; one that sends never goes without
# a device, for which the server would take its only one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths);

my $table = paths('GET', '/devices/', '/webhook', raw => 1)
          . paths('PATCH', '/devices/', '/webhook', raw => 1)
          . <<'END';

# the header

GET /chats [X-Device-Id: main] => 1 main X-Device-Id=main
GET /chats [x-device-id: main] => 1 main X-Device-Id=main
GET /chats [X-DEVICE-ID: support] => 2 support
GET /chats/ [X-Device-Id: spare] => 3 spare
GET /CHATS [X-Device-Id: spare] => 3 spare
HEAD /chats [X-Device-Id: main] => 1 main
GET /chats [X-Device-Id: out] => 1 out
GET /chats [X-Device-Id: busy] => 2 busy
GET /chats [X-Device-Id: m%61in] => 1 main X-Device-Id=m%61in
GET /chats [X-Device-Id: %6D%61%69%6e] => 1 main
GET /chats [X-Device-Id:   main  ] => 1 main
GET /chats [X-Device-Id: a b] => 3 a\x20b
GET /chats [X-Device-Id: a+b] => 3 a\x20b
GET /chats [X-Device-Id: a%20b] => 3 a\x20b
GET /chats [X-Device-Id: a%2Bb] => 3 a+b
GET /chats [X-Device-Id: a%2fb] => 3 a/b
GET /chats [X-Device-Id: a/b] => 3 a/b
GET /chats [X-Device-Id: %D8%AE%D8%A7%D9%84%D8%AF] => 3 \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf
GET /chats [X-Device-Id: \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf] => 3 \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf
GET /chats [X-Device-Id: twin] => 2|3 twin
GET /chats [X-Device-Id: shared] => 409 ambiguous_session
GET /chats [X-Device-Id: shared] [X-WA-Instance: <2>] => 2 shared
GET /chats [X-Device-Id: shared] [X-WA-From: 966500000008] => 3 shared
GET /chats [X-Device-Id: nobody] => 404 unknown_session
GET /chats [X-Device-Id: Main] => 404 unknown_session
GET /chats [X-Device-Id: main,support] => 404 unknown_session
GET /chats [X-Device-Id: m%2561in] => 404 unknown_session
GET /chats [X-Device-Id: 966500000001@s.whatsapp.net] => 404 unknown_session
GET /chats [X-Device-Id: @129@] => 404 unknown_session
GET /chats [X-Device-Id: main] [X-Device-Id: support] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: main] [x-device-id: main] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: ] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: main%zz] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: main%00] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: main%0a] => 400 bad_request X-Device-Id
GET /chats [X-Device-Id: main] [X-WA-Session: main] => 1 main
GET /chats [X-Device-Id: main] [X-WA-Session: support] => 400 bad_request
GET /chats [X-Device-Id: main] [X-WA-Instance: <2>] => 404 unknown_session

# the query

GET /chats?device_id=main => 1 main
GET /chats?limit=5&device_id=support => 2 support
GET /chats?device_id=spare&limit=5 => 3 spare
GET /chats?device%5Fid=main => 1 main
GET /chats?device_id=m%61in => 1 main
GET /chats?device_id=a+b => 3 a\x20b
GET /chats?device_id=a%2Bb => 3 a+b
GET /chats?Device_id=support&device_id=main => 1 main
GET /chats?x=device_id=support&device_id=main => 1 main
GET /chats?device_id=nobody => 404 unknown_session
GET /chats?device_id=main; => 404 unknown_session
GET /chats?device_id=shared => 409 ambiguous_session
GET /chats?device_id=twin => 2|3 twin
GET /chats?device_id=main&device_id=support => 400 bad_request device_id
GET /chats?device_id=main&device_id=main => 400 bad_request device_id
GET /chats?device_id= => 400 bad_request device_id
GET /chats?device_id => 400 bad_request device_id
GET /chats?device_id=%00 => 400 bad_request device_id
GET /chats?device_id[]=main => 400 bad_request device_id
GET /chats?device_id=main%zz => 400
GET /chats?device_id=main [X-Device-Id: main] => 1 main
GET /chats?device_id=support [X-Device-Id: main] => 400 bad_request
GET /chats?device_id=main [X-Device-Id: support] => 400 bad_request
GET /chats?device_id=main [X-Device-Id: ] => 400 bad_request
GET /chats?device_id=main [X-WA-Session: main] => 1 main
GET /chats?device_id=main [X-WA-Session: support] => 400 bad_request
GET /ws?device_id=support => 2 support
GET /ws?device_id=nobody => 404 unknown_session

# the gateway's header fills the vendor's

GET /chats [X-WA-Session: main] => 1 main X-Device-Id=main
GET /chats [X-WA-Session: support] => 2 support X-Device-Id=support
GET /chats [X-WA-Session: a b] => 3 a\x20b
GET /chats [X-WA-Session: a+b] => 3 a+b
GET /chats [X-WA-Session: a/b] => 3 a/b
GET /chats [X-WA-Session: 50%] => 3 50%
GET /chats [X-WA-Session: nobody] => 404 unknown_session
GET /chats [X-WA-Session: shared] => 409 ambiguous_session
GET /chats [X-WA-Session: shared] [X-WA-Instance: <3>] => 3 shared X-Device-Id=shared
GET /chats [X-WA-From: 966500000009] => 3 spare X-Device-Id=spare
POST /send/message [X-WA-Session: main] {"phone":"1","message":"x"} => 1 main sent X-Device-Id=main
POST /send/message [X-WA-From: 966500000009] {"phone":"1","message":"x"} => 3 spare sent X-Device-Id=spare
POST /send/message [X-WA-From: 966500000099] {"phone":"1","message":"x"} => 404
POST /send/message [X-WA-Session: out] {"phone":"1","message":"x"} => 503 session_down
POST /send/message [X-WA-Session: shared] {"phone":"1","message":"x"} => 2|3 shared sent X-Device-Id=shared

# a send without a device gets one that can

POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/message {"phone":"1","message":"x"} => any * sent
POST /send/link {"phone":"1"} => any * sent
POST /message/AA/forward {"phone":"1"} => any * sent
POST /send/message [X-WA-Instance: <1>] {"phone":"1","message":"x"} => 1 * sent
POST /send/message [X-WA-Instance: <2>] {"phone":"1","message":"x"} => 2 * sent

# sends

POST /send/message [X-Device-Id: main] {"phone":"1","message":"x"} => 1 main sent
POST /send/message?device_id=support {"phone":"1","message":"x"} => 2 support sent
POST /send/message [X-Device-Id: m%61in] {"phone":"1","message":"x"} => 1 main sent
POST /Send/Message/ [X-Device-Id: main] {"phone":"1","message":"x"} => 1 main sent
POST /send/message [X-Device-Id: main] [chunked] {"phone":"1","message":"x"} => 1 main sent
POST /send/message [X-Device-Id: main] [Content-Type: application/x-www-form-urlencoded] phone=1&message=x&device_id=support => 1 main sent
POST /send/image [X-Device-Id: main] [Content-Type: multipart/form-data; boundary=x] --x\x0d\x0aContent-Disposition: form-data; name="phone"\x0d\x0a\x0d\x0a1\x0d\x0a--x\x0d\x0aContent-Disposition: form-data; name="image"; filename="a"\x0d\x0a\x0d\x0aAA\x0d\x0a--x-- => 1 main sent
POST /send/file [X-Device-Id: main] {"phone":"1","file_url":"https://example.com/a"} => 1 main sent
POST /send/message [X-Device-Id: main] {"phone":"1","message":"x","device_id":"support"} => 1 main sent
POST /send/video [X-Device-Id: main] {"phone":"1","video_url":"https://example.com/a"} => 1 main sent
POST /send/sticker [X-Device-Id: main] {} => 1 main sent
POST /send/audio [X-Device-Id: main] {"phone":"1","audio_url":"https://example.com/a"} => 1 main sent
POST /send/contact [X-Device-Id: main] {} => 1 main sent
POST /send/location [X-Device-Id: main] {} => 1 main sent
POST /send/poll [X-Device-Id: spare] {} => 3 spare sent
POST /message/AA/forward [X-Device-Id: main] {} => 1 main sent
POST /send/message [X-Device-Id: out] {"phone":"1","message":"x"} => 503 session_down
POST /send/message [X-Device-Id: busy] {"phone":"1","message":"x"} => 503 session_down
POST /send/poll?device_id=out {} => 503 session_down
POST /send/message [X-Device-Id: nobody] {"phone":"1","message":"x"} => 404 unknown_session
POST /send/message [X-Device-Id: shared] {"phone":"1","message":"x"} => 2|3 shared sent
POST /send/message [X-Device-Id: shared] [X-WA-From: 966500000005] {"phone":"1","message":"x"} => 2 shared sent
POST /send/message [X-Device-Id: ] {"phone":"1","message":"x"} => 400 bad_request X-Device-Id
POST /%73end/message [X-Device-Id: out] {"phone":"1","message":"x"} => 400
POST /send/presence [X-Device-Id: out] {} => 1 out
POST /send/chat-presence [X-Device-Id: main] {} => 1 main
POST /send/chat-presence {} => any - bare

# routes of no send

GET /group/info [X-Device-Id: main] => 1 main
POST /group [X-Device-Id: support] {} => 2 support
POST /message/AA/revoke [X-Device-Id: main] {} => 1 main
POST /message/AA%2FBB/revoke [X-Device-Id: main] {} => 400
POST /message/AA/reaction [X-Device-Id: out] {} => 1 out
GET /user/check?phone=1 [X-Device-Id: main] => 1 main
GET /user/check?phone=1&device_id=support => 2 support
GET /app/status [X-Device-Id: out] => 1 out
GET /chat/1@s.whatsapp.net/messages [X-Device-Id: main] => 1 main
GET /devices/main => 1 main
GET /devices/main?device_id=support [X-Device-Id: support] => 1 main
PATCH /devices/main/webhook {} => 1 main
GET /devices/a%20b => 3 a%20b
POST /chatwoot/webhook/main {} => 1 main
POST /chatwoot/webhook/nobody {} => 404 unknown_session
GET /chats => any - bare
GET /app/status => any - bare
GET /statics/x.jpg => any - bare
GET /health/ => any - bare
GET / => any - bare
GET /app/info => any - key
GET /app/info/ [X-WA-Instance: <3>] => 3 - key

# a key of the client's own

GET /chats [X-Device-Id: main] [Authorization: Basic eDp5] => 1 main bare status=401
GET /chats [X-Device-Id: main] [Authorization: Basic <key:base64>] => 1 main
GET /devices [Authorization: Basic <key:base64>] => any - key status=200
GET /devices [Authorization: Basic eDp5] => any - bare status=401

# what logs in, and new ones

GET /app/login [X-Device-Id: out] => 1 out
HEAD /app/login-with-code?phone=1 [X-Device-Id: out] => 1 out
GET /app/login [X-Device-Id: nobody] => 404 unknown_session
GET /devices/out/login => 1 out
POST /devices/out/login/code {} => 1 out
POST /app/passkey/confirm [X-Device-Id: out] {} => 1 out
POST /devices {"device_id":"new-1"} => any new-1
POST /devices/ {"device_id":"new-2"} => any new-2
POST /devices {} => any - key
POST /devices => any - key
POST /devices {"device_id":"main"} => 1 main key
POST /devices {"device_id":"new-3","device_id":"main"} => 400 bad_request device_id
POST /devices [Content-Type: text/plain] x => 415 unsupported_media_type

# what lists, or ends what is there, by GET too

GET /devices => 403 blocked
GET /devices/ => 403 blocked
HEAD /devices => 403
GET /Devices => 403 blocked
GET /device%73 => 400
GET /devices [X-Device-Id: main] => 403 blocked
GET /app/devices [X-Device-Id: main] => 403 blocked
GET /chatwoot/configs => 403 blocked
GET /app/logout [X-Device-Id: main] => 403 blocked
GET /app/logout => 403 blocked
HEAD /app/logout [X-Device-Id: main] => 403
GET /APP/Logout/ [X-Device-Id: main] => 403 blocked
GET /app/l%6fgout [X-Device-Id: main] => 400
GET /app/./logout [X-Device-Id: main] => 400
GET //app/logout [X-Device-Id: main] => 400
GET /x/../app/logout [X-Device-Id: main] => 400
GET /app/logout?device_id=main => 403 blocked
GET /app/reconnect [X-Device-Id: main] => 403 blocked
GET /app/logout [X-Device-Id: main] [Authorization: Basic <key:base64>] => 403 blocked
DELETE /devices/main => 403 blocked
DELETE /devices/m%61in => 403 blocked
DELETE /Devices/main/ => 403 blocked
DELETE /%64evices/main => 400
POST /devices/main/logout => 403 blocked
POST /devices/main/reconnect => 403 blocked
GET /devices/main/chatwoot/config => 403 blocked
PUT /devices/main/chatwoot/config {} => 403 blocked
POST /group/leave [X-Device-Id: main] {} => 403 blocked
POST /mcp {} => 403 blocked
POST /mcp/ [X-Device-Id: main] {} => 403 blocked
END

check_table('gowa', $table, key => 'admin:geheim',
    carries => ['Authorization', sub {
        $_[0] eq 'Basic YWRtaW46Z2VoZWlt' }],
    more => [[], [],
             [['a b', '966500000011'], ['a+b', '966500000012'],
              ['a/b', '966500000013'], ['50%', '966500000014'],
              ["\xd8\xae\xd8\xa7\xd9\x84\xd8\xaf", '966500000015']]]);

done_testing();
