#!/usr/bin/perl

# Requests to servers of Evolution API: each goes to the instance and the
# session that its path names, whatever its query says, or is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths sends);

my $table = paths('POST', '/chat/findChats/', '')
          . paths('GET', '/group/fetchAllGroups/', '')
          . sends('POST', '/message/sendText/', '',
                  '{"number":"1","text":"x"}')
          . <<'END';

# groups of routes, and longer ones

GET /instance/connectionState/main => 1 main
GET /Instance/ConnectionState/main/ => 1 main
POST /chat/findMessages/support {"where":{}} => 2 support
POST /chat/markMessageAsRead/out {} => 1 out
POST /chat/whatsappNumbers/main {"numbers":["1"]} => 1 main
POST /chat/sendPresence/spare {} => 3 spare
GET /chat/findChatByRemoteJid/main?remoteJid=1%40c.us => 1 main
POST /group/create/support {} => 2 support
GET /group/participants/main?groupJid=1@g.us => 1 main
POST /call/offer/main {} => 1 main
POST /business/getCatalog/main {} => 1 main
GET /label/findLabels/spare => 3 spare
POST /settings/set/support {} => 2 support
GET /webhook/find/main => 1 main
POST /webhook/set/out {"webhook":{}} => 1 out
POST /websocket/set/main {} => 1 main
GET /rabbitmq/find/main => 1 main
POST /chatwoot/webhook/support {} => 2 support
GET /openai/find/main => 1 main
GET /openai/fetch/17/main => 1 main
GET /dify/fetch/17/support => 2 support
GET /dify/fetch/support/main => 1 main
DELETE /dify/delete/17/main => 1 main
GET /dify/fetch/17/nobody => 404 unknown_session
GET /dify/fetch/17/shared => 409 ambiguous_session
GET /dify/fetch/17/main%2Fsupport => 400
POST /typebot/start/main {} => 1 main
POST /s3/getMedia/main {} => 1 main
POST /instance/setPresence/main {"presence":"available"} => 1 main

# names that need escapes, or could be taken for something else

GET /instance/connectionState/a%20b => 3 a\x20b
GET /instance/connectionState/a+b => 3 a+b
GET /instance/connectionState/a%2Bb => 3 a+b
GET /instance/connectionState/a;b => 3 a;b
GET /instance/connectionState/a%3Bb => 3 a;b
GET /instance/connectionState/a:b => 3 a:b
GET /instance/connectionState/50%25 => 3 50%
GET /instance/connectionState/50% => 400
GET /instance/connectionState/%D8%AE%D8%A7%D9%84%D8%AF => 3 \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf
GET /instance/connectionState/%d8%ae%d8%a7%d9%84%d8%af => 3 \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf
GET /instance/connectionState/\xd8\xae\xd8\xa7\xd9\x84\xd8\xaf => 3 \xd8\xae\xd8\xa7\xd9\x84\xd8\xaf
GET /instance/connectionState/create => 3 create
GET /instance/connectionState/instance => 3 instance
GET /instance/connectionState/a=b&c => 3 a=b&c
GET /chat/findChatByRemoteJid/fetchInstances => 3 fetchInstances

# what a query says of instances never comes there

GET /instance/connectionState/main?instanceName=support => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName=main => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceId=17 => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName= => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?%69nstanceName=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instance%4eame=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instance%4Eame=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName[]=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName%5B%5D=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName[0]=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName[x]=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?[instanceName]=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?%5BinstanceName%5D=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?[instanceName][x]=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?[instanceName]x=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName.x=sales => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?instanceName=sales&instanceName=support => 1 main target=/instance/connectionState/main
GET /instance/connectionState/main?a=1&instanceName=sales&b=2 => 1 main target=/instance/connectionState/main?a=1&b=2
GET /instance/connectionState/main?instanceName=sales&b=2 => 1 main target=/instance/connectionState/main?b=2
GET /instance/connectionState/main?a=1&instanceName=sales => 1 main target=/instance/connectionState/main?a=1
GET /instance/connectionState/main?a=instanceName=sales => 1 main
GET /instance/connectionState/main?a=%26instanceName=sales => 1 main
GET /instance/connectionState/main?a;instanceName=sales => 1 main
GET /instance/connectionState/main?InstanceName=sales => 1 main
GET /instance/connectionState/main?xinstanceName=sales => 1 main
GET /instance/connectionState/main?instanceNamex=sales => 1 main
GET /instance/connectionState/main?instanceName%20=sales => 1 main
GET /instance/connectionState/main?+instanceName=sales => 1 main
GET /instance/connectionState/main/?instanceName=sales => 1 main target=/instance/connectionState/main/
GET /instance/connectionState/nobody?instanceName=main => 404 unknown_session
GET /instance/connectionState/m%61in?instanceName=sales&x=%41 => 1 main target=/instance/connectionState/m%61in?x=%41
POST /message/sendText/main?instanceName=sales {"number":"1","text":"x"} => 1 main sent target=/message/sendText/main
POST /message/sendText/main?%69nstanceName=sales {"number":"1","text":"x"} => 1 main sent target=/message/sendText/main
POST /message/sendText/main?[instanceName]=sales {"number":"1","text":"x"} => 1 main sent target=/message/sendText/main
POST /message/sendText/support?instanceName=shared&instanceId=1 {"number":"1","text":"x"} => 2 support sent target=/message/sendText/support
POST /message/sendText/out?instanceName=main {"number":"1","text":"x"} => 503 session_down
GET /instance/connectionState/main?%zz=1 => 400

# a body does not name one

POST /message/sendText/main {"number":"1","text":"x","instanceName":"sales"} => 1 main sent
POST /message/sendText/main?x=/instance/create {"number":"1","text":"x"} => 1 main sent
POST /chat/findChats/main {"instanceName":"support"} => 1 main
POST /chat/findChats/main [Content-Type: text/plain] whatever => 1 main
POST /chat/findChats/main [Content-Type: application/json] [Content-Encoding: gzip] \x1f\x8b => 1 main
POST /message/sendMedia/support [Content-Type: multipart/form-data; boundary=x] --x\x0d\x0aContent-Disposition: form-data; name="number"\x0d\x0a\x0d\x0a1\x0d\x0a--x\x0d\x0aContent-Disposition: form-data; name="mediatype"\x0d\x0a\x0d\x0aimage\x0d\x0a--x\x0d\x0aContent-Disposition: form-data; name="file"; filename="a"\x0d\x0a\x0d\x0aAAAA\x0d\x0a--x-- => 2 support sent
POST /message/sendText/main [chunked] {"number":"1","text":"@5000@"} => 1 main sent
POST /message/sendMedia/main {"number":"1","mediatype":"image","media":"@200000@"} => 1 main sent

# what sends

POST /message/sendSticker/main {} => 1 main sent
POST /message/sendLocation/support {} => 2 support sent
POST /message/sendContact/main {} => 1 main sent
POST /message/sendPoll/main {} => 1 main sent
POST /message/sendList/main {} => 1 main sent
POST /message/sendButtons/main {} => 1 main sent
POST /message/sendTemplate/main {} => 1 main sent
POST /message/sendStatus/main {} => 1 main sent
POST /message/sendPtv/main {} => 1 main sent
POST /message/sendWhatsAppAudio/spare {} => 3 spare sent
POST /group/sendInvite/main {} => 1 main sent
POST /Message/SENDSTICKER/main/ {} => 1 main sent
POST /message/sendSticker/out {} => 503 session_down
POST /message/%73endSticker/out {} => 400
POST /message/sendReaction/main {} => 1 main
POST /message/sendReaction/out {} => 1 out
POST /message/sendReaction/shared {} => 409 ambiguous_session

# what needs no session

GET / => any - key
HEAD / => any - key
GET /?x=1 => any - key
GET / [X-WA-Instance: <2>] => 2 - key
GET /webhook/meta?hub.mode=subscribe => any - bare
POST /webhook/meta {"entry":[]} => any - bare
POST /webhook/evolution {} => any - bare
GET /manager => any - bare
GET /manager/instance/main => any - bare
GET /assets/x.js => any - bare
GET /socket.io/?EIO=4&transport=polling => any - bare

# what logs in

GET /instance/connect/out => 1 out
HEAD /instance/connect/busy => 2 busy
GET /instance/connect/busy?number=1 => 2 busy
GET /instance/connect/nobody => 404 unknown_session
GET /instance/connect/shared => 409 ambiguous_session

# what shows secrets, or ends what is there

GET /instance/fetchInstances => 403 blocked
GET /instance/fetchInstances/ => 403 blocked
GET /instance/fetchInstances?instanceName=main => 403 blocked
HEAD /instance/fetchInstances => 403
GET /Instance/FetchInstances => 403 blocked
GET /instance/fetch%49nstances => 400
GET /instance/fetchInstances [apikey: wrong] => any - bare status=401
GET /instance/fetchInstances [apikey: <key>] => any - key status=200
GET /instance/fetchInstances?instanceName=main [apikey: <key>] => any - key target=/instance/fetchInstances
DELETE /instance/logout/main [apikey: <key>] => 403 blocked
GET /metrics/ => 403 blocked
POST /verify-creds => 403 blocked
DELETE /instance/logout/main => 403 blocked
DELETE /instance/logout/nobody => 403 blocked
DELETE /instance/logout/m%61in => 403 blocked
DELETE /instance/Logout/main/ => 403 blocked
DELETE /instance/%6cogout/main => 400
DELETE /instance/delete/main => 403 blocked
DELETE /instance/delete/main?instanceName=sales => 403 blocked
POST /instance/restart/main => 403 blocked
PUT /instance/restart/main => 403 blocked
POST /baileys/sendNode/main {} => 403 blocked
POST /baileys/getAuthState/main {} => 403 blocked
POST /Baileys/onWhatsapp/main {} => 403 blocked
GET /proxy/find/main => 403 blocked
POST /proxy/set/main {} => 403 blocked
GET /openai/creds/main => 403 blocked
DELETE /openai/creds/17/main => 403 blocked
GET /chatwoot/find/main => 403 blocked
POST /chatwoot/set/main {} => 403 blocked
DELETE /chat/deleteMessageForEveryone/main {} => 403 blocked
DELETE /chat/removeProfilePicture/main => 403 blocked
DELETE /group/leaveGroup/main => 1 main

# a key of the client's own

GET /instance/connectionState/main [apikey: wrong] => 1 main bare status=401
GET /instance/connectionState/main [APIKEY: <key>] => 1 main
GET /instance/connectionState/main [apikey: a] [apikey: b] => 1 main bare status=401

# new ones

POST /instance/create {"instanceName":"new-1","integration":"WHATSAPP-BAILEYS"} => any new-1
POST /instance/create {"instanceName":"main"} => 1 main status=403
POST /Instance/Create/ {"instanceName":"new-2"} => any new-2
POST /instance/create {} => any - key
POST /instance/create {"instanceName":"new-3","instanceName":"main"} => 400 bad_request instanceName
POST /instance/create?instanceName=main {"instanceName":"new-4"} => any new-4 target=/instance/create
END

check_table('evolution', $table, key => 'geheim-1',
    carries => ['apikey', sub { $_[0] eq 'geheim-1' }],
    more => [[], [],
             [map { [$_, undef] } 'a b', 'a+b', 'a;b', 'a:b', '50%', 'create',
                                  'instance', 'a=b&c', 'fetchInstances',
                                  "\xd8\xae\xd8\xa7\xd9\x84\xd8\xaf"]]);

done_testing();
