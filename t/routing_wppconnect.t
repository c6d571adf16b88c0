#!/usr/bin/perl

# Requests to wppconnect-servers: each goes to the instance and the session
# that its path names, with a token behind it or without, or is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths sends);

my $table = paths('GET', '/api/', '/all-chats')
          . paths('POST', '/api/', '/list-chats')
          . sends('POST', '/api/', '/send-message',
                  '{"phone":"1","message":"x"}')
          . <<'END';

# a token in the path, which is right or not

GET /api/main:<token:main>/all-chats => 1 main
GET /api/support:<token:support>/all-chats => 2 support
GET /api/main%3A<token:main>/all-chats => 1 main
GET /api/m%61in:<token:main>/all-chats => 1 main
GET /api/main:<token:main>/all-chats/ => 1 main
GET /api/main:wrong/all-chats => 1 main status=401
GET /api/main:/all-chats => 1 main
GET /api/main:a:b/all-chats => 1 main status=401
GET /api/main:support/all-chats => 1 main status=401
GET /api/main:<token:support>/all-chats => 1 main status=401
GET /api/out:<token:out>/all-chats => 1 out
GET /api/:<token:main>/all-chats => 400
GET /api/:/all-chats => 400
GET /api/%3A/all-chats => 400
GET /api/nobody:<token:main>/all-chats => 404 unknown_session
GET /api/main:a%2Fb/all-chats => 400
GET /api/main:..%2f..%2fsupport/all-chats => 400
GET /api/main:%00/all-chats => 400
GET /api/shared:x/all-chats => 409 ambiguous_session
POST /api/main:<token:main>/send-message {"phone":"1","message":"x"} => 1 main sent
POST /api/out:<token:out>/send-message {"phone":"1","message":"x"} => 503 session_down
POST /api/main:wrong/send-message {"phone":"1","message":"x"} => 1 main status=401
GET /api/main:<token:main>/all-chats [X-WA-Session: main] => 1 main
GET /api/main:<token:main>/all-chats [X-WA-Session: support] => 400 bad_request

# a token of the client's own in the header

GET /api/main/all-chats [Authorization: Bearer <token:main>] => 1 main
GET /api/main/all-chats [Authorization: Bearer wrong] => 1 main bare status=401
GET /api/main/all-chats [authorization: Bearer <token:support>] => 1 main bare status=401

# routes

GET /api/main/status-session => 1 main
GET /api/out/status-session => 1 out
HEAD /api/out/status-session => 1 out
GET /api/main/check-connection-session => 1 main
GET /api/main/get-phone-number => 1 main
GET /API/main/Status-Session/ => 1 main
GET /api/support/all-groups => 2 support
GET /api/main/contact/1@c.us => 1 main
GET /api/main/contact/pn-lid/1%40lid => 1 main
GET /api/main/get-messages/1?count=5 => 1 main
GET /api/main/get-messages/generate-token => 1 main
GET /api/main/votes/true_1@c.us_AA => 1 main
GET /api/main/take-screenshot => 1 main
GET /api/main/check-number-status/1 => 1 main
POST /api/main/edit-message {} => 1 main
POST /api/out/react-message {} => 1 out
POST /api/main/typing {"phone":"1"} => 1 main
POST /api/main/send-seen {} => 1 main
POST /api/out/send-seen {} => 1 out
POST /api/out/send-mute {} => 1 out
POST /api/main/delete-message {} => 1 main
POST /api/main/archive-chat {} => 1 main
POST /api/main/chatwoot {"event":"x"} => 1 main
POST /api/shared/typing {} => 409 ambiguous_session
PUT /api/main/newsletter/1 {} => 1 main
DELETE /api/main/newsletter/1 => 1 main
PUT /api/main/delete-label/1 {} => 1 main
POST /api/main/typing {"session":"support"} => 1 main
GET /api/main/all-chats?session=support => 1 main
POST /api/main/download-media [Content-Type: text/plain] x => 1 main

# what sends

POST /api/main/send-image {"phone":"1","base64":"@9000@"} => 1 main sent
POST /api/main/send-file [Content-Type: multipart/form-data; boundary=x] --x\x0d\x0aContent-Disposition: form-data; name="phone"\x0d\x0a\x0d\x0a1\x0d\x0a--x\x0d\x0aContent-Disposition: form-data; name="file"; filename="a"\x0d\x0a\x0d\x0aAA\x0d\x0a--x-- => 1 main sent
POST /api/support/send-file-base64 [chunked] {"phone":"1","base64":"@9000@"} => 2 support sent
POST /api/main/send-sticker {} => 1 main sent
POST /api/main/send-sticker-gif {} => 1 main sent
POST /api/main/send-reply {} => 1 main sent
POST /api/main/send-voice {} => 1 main sent
POST /api/main/send-voice-base64 {} => 1 main sent
POST /api/main/send-status {} => 1 main sent
POST /api/main/send-link-preview {} => 1 main sent
POST /api/main/send-location {} => 1 main sent
POST /api/main/send-mentioned {} => 1 main sent
POST /api/main/send-buttons {} => 1 main sent
POST /api/main/send-list-message {} => 1 main sent
POST /api/main/send-order-message {} => 1 main sent
POST /api/main/send-poll-message {} => 1 main sent
POST /api/main/send-pix-key {} => 1 main sent
POST /api/main/send-link-catalog {} => 1 main sent
POST /api/main/send-text-storie {} => 1 main sent
POST /api/main/send-image-storie {} => 1 main sent
POST /api/main/send-video-storie {} => 1 main sent
POST /api/spare/forward-messages {} => 3 spare sent
POST /api/spare/contact-vcard {} => 3 spare sent
POST /api/out/contact-vcard {} => 503 session_down
POST /api/busy/send-location {} => 503 session_down
POST /API/out/SEND-LOCATION/ {} => 503 session_down
POST /api/out/%73end-location {} => 400

# what needs no session

GET /healthz => any - bare
HEAD /healthz => any - bare
GET /metrics/ => any - bare
GET /api-docs => any - bare
GET / => any - bare

# what logs in, and new ones

GET /api/out/qrcode-session => 1 out
GET /api/nobody/qrcode-session => 404 unknown_session
GET /api/shared/qrcode-session => 409 ambiguous_session
POST /api/out/start-session {} => 1 out
POST /api/busy:<token:busy>/start-session {} => 2 busy
POST /api/new-1:<token:new-1>/start-session {} => any new-1 bare
POST /api/new-2/start-session [Authorization: Bearer <token:new-2>] {} => any new-2
POST /api/new-3/<key>/generate-token => any new-3 bare status=201
POST /api/main/<key>/generate-token => 1 main status=201
POST /api/support/<key>/generate-token/ => 2 support status=201
POST /api/main/wrong/generate-token => 1 main status=400

# what lists, or ends what is there

GET /api/<key>/show-all-sessions => any - bare status=200
GET /api/<key>/show-all-sessions/ => any - bare status=200
GET /api/<key>/show-all-sessions [X-WA-Instance: <2>] => 2 - bare status=200
GET /api/wrong/show-all-sessions => 403 blocked
GET /api/main/show-all-sessions => 403 blocked
GET /api/THISISMYSECURETOKEN/show-all-sessions => 403 blocked
GET /api/%67%65heim-1/show-all-sessions => any - bare status=200
GET /api/wrong/show-all%2dsessions => 400
HEAD /api/wrong/show-all-sessions => 403
GET /API/wrong/Show-All-Sessions => 403 blocked
POST /api/wrong/start-all => 403 blocked
POST /api/<key>/start-all => 403 blocked
POST /api/main/start-all => 403 blocked
GET /api/wrong/backup-sessions => 403 blocked
GET /api/<key>/backup-sessions => 403 blocked
POST /api/<key>/restore-sessions => 403 blocked
POST /api/main/wrong/clear-session-data => 403 blocked
POST /api/main/<key>/clear-session-data => 403 blocked
POST /api/main/<key>/Clear-Session-Data/ => 403 blocked
POST /api/main/x/clear-session%2Ddata => 400
POST /api/main:<token:main>/x/clear-session-data => 403 blocked
GET /unhealthy => 403 blocked
GET /unhealthy/ => 403 blocked
HEAD /unhealthy => 403
GET /UNHEALTHY => 403 blocked
GET /unhealth%79 => 400
GET //unhealthy => 400
GET /./unhealthy => 400
GET /unhealthy?x=1 => 403 blocked
POST /api/main/logout-session => 403 blocked
POST /api/main:<token:main>/logout-session => 403 blocked
POST /api/m%61in/logout-session => 403 blocked
POST /api/main/Logout-Session/ => 403 blocked
POST /api/main/l%6fgout-session => 400
POST /api/nobody/logout-session => 403 blocked
POST /api/main/close-session => 403 blocked
POST /api/main/set-limit {} => 403 blocked
POST /api/main/clear-chat {} => 403 blocked
POST /api/main/clear-all-chats => 403 blocked
POST /api/main/delete-chat {} => 403 blocked
POST /api/main/delete-all-chats => 403 blocked
POST /api/main/archive-all-chats => 403 blocked
PUT /api/main/delete-all-labels => 403 blocked
END

check_table('wppconnect', $table, key => 'geheim-1',
    carries => ['Authorization', sub {
        my ($value, $session, $fake) = @_;

        return defined $session
               && $value =~ /^Bearer \$2b\$10\$(.{22})(.{31})\z/
               && $2 eq $fake->hash($1, $session);
    }]);

done_testing();
