#!/usr/bin/perl

# Requests to servers of evolution-go, quepasa and OpenWA: each goes to the
# instance and the session that it names, or is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths sends);


# By its own token, in a header; its clients know a name, too.
check_table('evolution-go', <<'END', key => 'geheim-1', tokens => 1, short => 1,

GET /group/list [apikey: <token:main>] => 1 main apikey=<token:main>
GET /group/list [ApiKey: <token:support>] => 2 support
HEAD /group/list [apikey: <token:spare>] => 3 spare
GET /group/list [apikey: <token:out>] => 1 out
GET /group/list [apikey: <token:twin>] => 2|3 twin
GET /group/list [apikey: <token:shared>] => 409 ambiguous_session
GET /group/list [apikey: <token:shared>] [X-WA-Instance: <2>] => 2 shared
GET /group/list [apikey: nobody] => 404 unknown_session
GET /group/list [apikey: main] => 404 unknown_session
GET /group/list [apikey: <key>] => 404 unknown_session
GET /group/list [apikey: <token:main>] [apikey: <token:support>] => 400 bad_request apikey
GET /group/list [apikey: ] => 400 bad_request apikey
GET /group/list?apikey=<token:main> => any - bare status=401
GET /group/list => any - bare status=401
GET /group/list [X-WA-Session: main] => 1 main apikey=<token:main>
GET /group/list [X-WA-From: 966500000009] => 3 spare apikey=<token:spare>
GET /group/list [X-WA-Session: nobody] => 404 unknown_session
GET /group/list [apikey: <token:main>] [X-WA-Session: support] => 400 bad_request
GET /instance/status [apikey: <token:out>] => 1 out
GET /ws?token=x => any - bare status=401
POST /message/react [apikey: <token:out>] {} => 1 out
POST /user/check [apikey: <token:main>] {"number":["1"]} => 1 main

POST /send/text [apikey: <token:main>] {"number":"1","text":"x"} => 1 main sent
POST /send/text [X-WA-Session: support] {"number":"1","text":"x"} => 2 support sent apikey=<token:support>
POST /send/text [chunked] [apikey: <token:spare>] {"number":"1","text":"x"} => 3 spare sent
POST /send/media [apikey: <token:main>] {"number":"1","type":"image","url":"http://x/"} => 1 main sent
POST /send/poll [apikey: <token:main>] {} => 1 main sent
POST /send/status/text [apikey: <token:support>] {} => 2 support sent
POST /send/text [apikey: <token:out>] {"number":"1","text":"x"} => 503 session_down
POST /send/text [apikey: <token:busy>] {"number":"1","text":"x"} => 503 session_down
POST /send/text [apikey: nobody] {"number":"1","text":"x"} => 404 unknown_session
POST /send/text {"number":"1","text":"x"} => any * sent
POST /send/text [X-WA-Instance: <3>] {"number":"1","text":"x"} => 3 * sent
POST /s%65nd/text [apikey: <token:out>] {"number":"1","text":"x"} => 400
POST /send//text [apikey: <token:main>] {"number":"1","text":"x"} => 400

POST /instance/connect [apikey: <token:out>] {} => 1 out
GET /instance/qr [apikey: <token:out>] => 1 out
POST /instance/pair [apikey: <token:out>] {"phone":"1"} => 1 out

GET /server/ok => any - key
GET /instance/all => 403 blocked
GET /Instance/All => 403 blocked
GET /instance/%61ll => 400
GET /instance/all [apikey: wrong] => any - bare status=401
GET /instance/all [apikey: <key>] => any - key status=200
GET /instance/info/17 [apikey: <key>] => 403 blocked
GET /instance/logs/17 => 403 blocked
DELETE /instance/delete/17 [apikey: <key>] => 403 blocked
POST /instance/proxy/17 [apikey: <key>] {} => 403 blocked
POST /instance/forcereconnect/17 {} => 403 blocked
DELETE /instance/logout [apikey: <token:main>] => 403 blocked
DELETE /instance/logou%74 [apikey: <token:main>] => 400
POST /instance/disconnect [X-WA-Session: main] => 403 blocked
POST /instance/reconnect [apikey: <token:main>] => 403 blocked
POST /group/leave [apikey: <token:main>] {} => 403 blocked
GET /license/activate?code=x => 403 blocked
GET /license/status => 403 blocked

POST /instance/create [apikey: <key>] {"name":"new-1","token":"t-new-1-geheim"} => any new-1 bare status=200
POST /instance/create [apikey: <key>] {"name":"main","token":"<token:main>"} => 1 main bare status=500
POST /instance/create [apikey: <key>] {"token":"a","token":"<token:main>"} => 400 bad_request token
END
    carries => ['apikey', sub {
        my ($value, $session) = @_;

        return defined $session ? $value eq "t-$session-geheim"
                                : $value =~ /^t-.+-geheim\z/
                                  || $value eq 'geheim-1';
    }]);


# By its token, in the path, the query or a header, with and without a prefix.
check_table('quepasa', <<'END', key => 'geheim-1', tokens => 1, short => 1,

GET /contacts [X-QUEPASA-TOKEN: <token:main>] => 1 main
GET /contacts [x-quepasa-token: <token:support>] => 2 support X-QUEPASA-TOKEN=<token:support>
GET /contacts?token=<token:spare> => 3 spare
GET /contacts?x=1&%74oken=<token:main>&y => 1 main
GET /current/contacts [X-QUEPASA-TOKEN: <token:out>] => 1 out
GET /api/v4/contacts [X-QUEPASA-TOKEN: <token:main>] => 1 main
GET /contacts?token=<token:twin> => 2|3 twin
GET /contacts?token=<token:shared> => 409 ambiguous_session
GET /contacts?token=<token:shared> [X-WA-From: 966500000008] => 3 shared
GET /contacts?token=nobody => 404 unknown_session
GET /contacts?token=main => 404 unknown_session
GET /contacts?token=<token:main> [X-QUEPASA-TOKEN: <token:support>] => 400 bad_request
GET /contacts?token=<token:main>&token=<token:support> => 400 bad_request token
GET /contacts?token= => 400 bad_request token
GET /contacts?token[]=<token:main> => 400 bad_request token
GET /contacts => any - bare status=200
GET /contacts [X-WA-From: 966500000009] => 3 spare X-QUEPASA-TOKEN=<token:spare>
GET /contacts [X-WA-Session: main] => 404 unknown_session
GET /contacts [X-WA-Session: <token:main>] => 404 unknown_session
GET /v3/bot/<token:main>/receive => 1 main
GET /api/v3/bot/<token:support>/receive?x=1 => 2 support
GET /v3/bot/nobody/receive => 404 unknown_session
GET /v3/bot/<token:main>/receive [X-QUEPASA-TOKEN: <token:support>] => 1 main bare
GET /v3/bot/<token:main>%2F/receive => 400

POST /send [X-QUEPASA-TOKEN: <token:main>] {"chatid":"96651111111","text":"x"} => 1 main sent
POST /send?token=<token:support> {"chatid":"96651111111","text":"x"} => 2 support sent
POST /api/send [X-QUEPASA-TOKEN: <token:spare>] {"chatid":"96651111111","text":"x"} => 3 spare sent
POST /api/current/sendtext [X-QUEPASA-TOKEN: <token:main>] {"chatid":"96651111111","text":"x"} => 1 main sent
POST /sendurl [X-WA-From: 966500000004] {"chatid":"96651111111","url":"http://x/"} => 2 support sent
GET /send?token=<token:main>&chatid=96651111111&text=x => 1 main sent
POST /sendtext/96651111111 [X-QUEPASA-TOKEN: <token:main>] {} => 1 main sent
POST /v3/bot/<token:main>/send {"chatid":"96651111111","text":"x"} => 1 main sent
POST /api/v3/bot/<token:spare>/send {"chatid":"96651111111","text":"x"} => 3 spare sent
POST /v3/bot/<token:out>/send {"chatid":"96651111111","text":"x"} => 503 session_down
POST /v3/bot/nobody/send {"chatid":"96651111111","text":"x"} => 404 unknown_session
POST /send [X-QUEPASA-TOKEN: <token:out>] {"chatid":"96651111111","text":"x"} => 503 session_down
GET /send?token=<token:busy>&chatid=96651111111&text=x => 503 session_down
POST /send {"chatid":"96651111111","text":"x"} => any * sent
POST /%73end [X-QUEPASA-TOKEN: <token:out>] {"chatid":"96651111111","text":"x"} => 400

GET /scan [X-QUEPASA-TOKEN: <token:out>] => 1 out
GET /api/paircode [X-QUEPASA-TOKEN: <token:out>] => 1 out

GET /healthapi => any - bare status=200
GET /v4/health => 403 blocked
GET /api/health => 403 blocked
GET /current/health [X-QUEPASA-TOKEN: <token:main>] => any - key
GET /v4/health [X-QUEPASA-MASTERKEY: <key>] => any - bare
GET /current/health?masterkey=<key> => 403 blocked
GET /command?action=stop&token=<token:main> => 403 blocked
GET /api/command?action=stop&token=<token:main> => 403 blocked
GET /api/v4/command [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
GET /%63ommand?action=stop => 400
DELETE /info [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
DELETE /api/info [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
DELETE /v4/message/1 [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
POST /groups/leave [X-QUEPASA-TOKEN: <token:main>] {} => 403 blocked
POST /account {} => 403 blocked
POST /api/current/spam {} => 403 blocked
POST /restore/auto {} => 403 blocked
POST /v3/bot/<token:main>/webhook {} => 403 blocked
DELETE /api/v5/sessions [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
POST /api/v5/messages [X-QUEPASA-TOKEN: <token:main>] {"token":"<token:support>"} => 403 blocked
POST /api/messages [X-QUEPASA-TOKEN: <token:main>] {"token":"<token:support>"} => 403 blocked
POST /api/session/disable [X-QUEPASA-TOKEN: <token:main>] => 403 blocked
END
    carries => ['X-QUEPASA-TOKEN', sub {
        my ($value, $session) = @_;

        return defined $session ? $value eq "t-$session-geheim"
                                : $value =~ /^t-.+-geheim\z/;
    }]);


# By its id, in the path.
check_table('openwa', paths('GET', '/api/sessions/', '/chats')
    . sends('POST', '/api/sessions/', '/messages/send-text',
            '{"chatId":"1@c.us","text":"x"}') . <<'END', key => 'geheim-1',

GET /api/sessions/main => 1 main
GET /api/sessions/main/contacts/check/966511111111 => 1 main
PATCH /api/sessions/main/config {"session":"support"} => 1 main
POST /api/sessions/main/messages/react {} => 1 main
POST /api/sessions/main/messages/send-image {"chatId":"1@c.us","url":"http://x/"} => 1 main sent
POST /api/sessions/main/messages/reply {} => 1 main sent
POST /api/sessions/out/messages/forward {} => 503 session_down
POST /api/sessions/out/start => 1 out
GET /api/sessions/out/qr => 1 out
POST /api/sessions/out/pairing-code {} => 1 out
GET /api/health => any - key
GET /api/health/ready => any - key
GET /api/sessions => 403 blocked
GET /API/Sessions/ => 403 blocked
GET /api/sessions [X-API-Key: <key>] => any - key status=200
GET /api/sessions [X-API-Key: wrong] => any - bare status=401
DELETE /api/sessions/main => 403 blocked
POST /api/sessions/main/stop => 403 blocked
POST /api/sessions/main/LOGOUT/ => 403 blocked
POST /api/sessions/main/force-kill => 403 blocked
PATCH /api/sessions/main/proxy {} => 403 blocked
POST /api/sessions/main/messages/delete {} => 403 blocked
DELETE /api/sessions/main/chats/1%40c.us/messages => 403 blocked
POST /api/sessions/main/chats/delete {} => 403 blocked
POST /api/sessions/main/groups/1@g.us/leave => 403 blocked
POST /api/auth/api-keys {} => 403 blocked
GET /api/infra/config => 403 blocked
POST /mcp {} => 403 blocked
POST /api/sessions {"name":"new-1"} => any - key status=201
END
    short => 1, carries => ['X-API-Key', sub { $_[0] eq 'geheim-1' }]);

done_testing();
