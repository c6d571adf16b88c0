#!/usr/bin/perl

# Requests to servers of wwebjs-api: each goes to the instance and the session
# that the end of its path names, or is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths sends);

my $table = paths('GET', '/client/getChats/', '')
          . paths('POST', '/chat/fetchMessages/', '')
          . sends('POST', '/message/reply/', '', '{"chatId":"1@c.us"}')
          . <<'END';

# groups of routes

GET /session/status/main => 1 main
GET /session/status/out => 1 out
HEAD /session/status/out => 1 out
GET /session/getPageScreenshot/support => 2 support
GET /Session/Status/main/ => 1 main
GET /client/getClassInfo/main => 1 main
GET /client/getState/spare => 3 spare
POST /client/getChats/support {"searchOptions":{}} => 2 support
POST /client/getNumberId/main {"number":"1"} => 1 main
POST /client/isRegisteredUser/main {"number":"1"} => 1 main
POST /client/createGroup/spare {} => 3 spare
POST /client/sendSeen/main {} => 1 main
POST /client/setStatus/support {} => 2 support
POST /chat/sendStateTyping/main {} => 1 main
POST /groupChat/addParticipants/main {} => 1 main
POST /groupChat/getInviteCode/support {} => 2 support
POST /message/react/main {} => 1 main
POST /message/react/out {} => 1 out
POST /message/edit/spare {} => 3 spare
POST /message/delete/main {} => 1 main
POST /message/downloadMedia/support {} => 2 support
POST /contact/block/main {} => 1 main
POST /contact/getAbout/spare {} => 3 spare
POST /channel/fetchMessages/main {} => 1 main
POST /channel/mute/support {} => 2 support
POST /message/react/shared {} => 409 ambiguous_session
POST /message/react/nobody {} => 404 unknown_session
GET /ws/main => 1 main
GET /ws/support => 2 support
GET /ws/nobody => 404 unknown_session
GET /ws/main/ => 1 main
GET /ws/main/support => 403 blocked
GET /ws/nobody/support => 403 blocked
GET /ws/a/b/main => 403 blocked

# a query or a body does not name one

POST /message/react/main?sessionId=support {} => 1 main
POST /message/react/main {"sessionId":"support","session":"support"} => 1 main
POST /message/react/main [Content-Type: text/plain] x => 1 main
POST /message/react/main [Content-Type: application/json] [Content-Encoding: gzip] \x1f\x8b => 1 main
POST /message/react/main [sessionId: support] {} => 1 main

# what sends

POST /client/sendMessage/main {"chatId":"1@c.us","contentType":"string","content":"x"} => 1 main sent
POST /client/sendMessage/support {"chatId":"1@c.us","contentType":"string","content":"x"} => 2 support sent
POST /client/sendMessage/main/ {"chatId":"1@c.us","contentType":"string","content":"x"} => 1 main sent
POST /CLIENT/SendMessage/main {"chatId":"1@c.us","contentType":"string","content":"x"} => 1 main sent
POST /client/sendMessage/main [chunked] {"chatId":"1@c.us","contentType":"string","content":"x"} => 1 main sent
POST /client/sendMessage/main {"chatId":"1@c.us","contentType":"MessageMedia","content":{"data":"@200000@","mimetype":"image/png","filename":"a"}} => 1 main sent
POST /client/sendMessage/out {"chatId":"1@c.us","contentType":"string","content":"x"} => 503 session_down
POST /client/sendMessage/busy {"chatId":"1@c.us","contentType":"string","content":"x"} => 503 session_down
POST /client/sendMessage/Main {"chatId":"1@c.us","contentType":"string","content":"x"} => 404 unknown_session
POST /client/sendMessage/shared {"chatId":"1@c.us","contentType":"string","content":"x"} => 2|3 shared sent
POST /client/sendMessage/twin {"chatId":"1@c.us","contentType":"string","content":"x"} => 2|3 twin sent
POST /client/%73endMessage/main {"chatId":"1@c.us","contentType":"string","content":"x"} => 400
POST /client/sendMessage/main%2F..%2Fout {"chatId":"1@c.us","contentType":"string","content":"x"} => 400
POST /channel/sendMessage/main {} => 1 main sent
POST /channel/sendChannelAdminInvite/main {} => 1 main sent
POST /channel/sendMessage/out {} => 503 session_down
POST /message/forward/spare {} => 3 spare sent
POST /message/forward/busy {} => 503 session_down

# what needs no session

GET /ping => any - key
HEAD /ping/ => any - key
GET /PING => any - key
GET /ping [X-WA-Instance: <3>] => 3 - key
GET /api-docs => any - bare
GET / => any - bare
POST /localCallbackExample {} => any - bare

# what logs in

GET /session/qr/out => 1 out
GET /session/qr/out/image => 1 out
HEAD /session/qr/out/image => 1 out
GET /session/qr/busy => 2 busy
GET /session/start/out => 1 out
GET /session/start/main => 1 main
POST /session/requestPairingCode/out {"phoneNumber":"1"} => 1 out
GET /session/qr/shared => 409 ambiguous_session
GET /session/qr/nobody => 404 unknown_session
GET /session/start/nobody%2f => 400
GET /session/start/new-1 => any new-1
GET /session/start/new-2/ => any new-2

# what lists, or ends what is there, by GET too

GET /session/getSessions => 403 blocked
GET /session/getSessions/ => 403 blocked
HEAD /session/getSessions => 403
GET /Session/GETSESSIONS => 403 blocked
GET /session/get%53essions => 400
GET /%73ession/getSessions => 400
GET /session/getSessions?x=1 => 403 blocked
GET /session/getSessions [x-api-key: wrong] => any - bare status=403
GET /session/getSessions [X-API-Key: <key>] => any - key status=200
GET /session/terminateAll [X-API-Key: <key>] => 403 blocked
GET /session/terminateAll => 403 blocked
GET /session/terminateAll/ => 403 blocked
HEAD /session/terminateAll => 403
GET /session/terminateall => 403 blocked
GET /SESSION/terminateAll => 403 blocked
GET /session/t%65rminateAll => 400
GET /session/terminateInactive => 403 blocked
GET /session/terminate/main => 403 blocked
HEAD /session/terminate/main => 403
GET /session/Terminate/main/ => 403 blocked
GET /session/terminate/m%61in => 403 blocked
GET /session/%74erminate/main => 400
GET /session/terminate/nobody => 403 blocked
GET /session//terminate/main => 400
GET /session/./terminate/main => 400
GET /session/x/../terminate/main => 400
GET //session/terminate/main => 400
GET /session/terminate%2Fmain => 400
GET /session/terminate/main?x=1 => 403 blocked
POST /session/terminate/main {} => 403 blocked
GET /session/stop/main => 403 blocked
GET /session/restart/main => 403 blocked
GET /session/restart/out => 403 blocked
POST /client/runMethod/main {"method":"logout"} => 403 blocked
POST /chat/runMethod/main {} => 403 blocked
POST /groupChat/runMethod/main {} => 403 blocked
POST /message/runMethod/main {} => 403 blocked
POST /message/RunMethod/main/ {} => 403 blocked
POST /message/run%4Dethod/main {} => 400
POST /client/resetState/main => 403 blocked
POST /chat/delete/main {} => 403 blocked
POST /chat/clearMessages/main {} => 403 blocked
POST /groupChat/leave/main {} => 403 blocked
POST /channel/deleteChannel/main {} => 403 blocked
POST /channel/transferChannelOwnership/main {} => 403 blocked
DELETE /client/deleteProfilePicture/main => 403 blocked

# a key of the client's own

GET /client/getChats/main [x-api-key: wrong] => 1 main bare status=403
GET /client/getChats/main [X-API-Key: <key>] => 1 main
GET /client/getChats/main [X-Api-Key: a] [x-api-key: b] => 1 main bare

# sessions of names that routes have

GET /client/getChats/terminate => 3 terminate
GET /session/status/getSessions => 3 getSessions
GET /session/getSessions/terminate => 3 - key
GET /session/terminate/terminate => 403 blocked
GET /client/getChats/restart => 3 restart
END

check_table('wwebjs', $table, key => 'geheim-1',
    carries => ['x-api-key', sub { $_[0] eq 'geheim-1' }],
    more => [[], [], [map { [$_, '9665000000' . length $_] }
                      qw(terminate getSessions restart)]]);

done_testing();
