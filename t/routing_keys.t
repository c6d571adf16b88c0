#!/usr/bin/perl

# Native requests where the gateway has keys of its own, in headers that are
# the servers' too, and where some of what is refused is allowed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table);

my $location = 'wa_gateway_api_key gw-1;';
my %waha = (key => 'geheim-1', short => 1,
            carries => ['X-Api-Key', sub { $_[0] eq 'geheim-1' }]);
my %gowa = (key => 'admin:geheim', short => 1,
            carries => ['Authorization', sub {
                $_[0] eq 'Basic YWRtaW46Z2VoZWlt' }]);


# The gateway's own key is no key of the instance.  One that came beside it
# gives way, but where the gateway adds none.
check_table('waha', <<'END', %waha, location => $location);
GET /api/main/chats => 401
GET /api/main/chats [X-Api-Key: <key>] => 401
GET /api/main/chats [X-Api-Key: gw-1] => 1 main
GET /api/main/chats [Authorization: Bearer gw-1] => 1 main Authorization=
GET /api/main/chats [Authorization: Bearer gw-1] [X-Api-Key: wrong] => 1 main
GET /api/main/chats [Authorization: Bearer gw-1] [X-Api-Key: <key>] => 1 main
POST /api/sendText [X-Api-Key: gw-1] {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
GET /ping [X-Api-Key: gw-1] => any - key
GET /api/screenshot [X-Api-Key: gw-1] => any - bare X-Api-Key=
GET /api/screenshot [Authorization: Bearer gw-1] [X-Api-Key: mine] => any - bare X-Api-Key=mine
GET /api/sessions [X-Api-Key: gw-1] => 403 blocked
GET /api/sessions [Authorization: Bearer gw-1] => 403 blocked
GET /api/sessions [Authorization: Bearer gw-1] [X-Api-Key: <key>] => any - key
GET /api/sessions [Authorization: Bearer gw-1] [X-Api-Key: mine] => any - bare X-Api-Key=mine
DELETE /api/sessions/main [Authorization: Bearer gw-1] [X-Api-Key: <key>] => 403 blocked
GET /api/nobody/chats [X-Api-Key: gw-1] => 404 unknown_session
GET /api/nobody/chats => 401
END

check_table('gowa', <<'END', %gowa, location => $location);
GET /chats [X-Device-Id: main] => 401
GET /chats [X-Device-Id: main] [Authorization: Basic <key:base64>] => 401
GET /chats [X-Device-Id: main] [Authorization: Bearer gw-1] => 1 main
GET /chats [X-Device-Id: main] [X-Api-Key: gw-1] => 1 main X-Api-Key=
GET /chats [X-Device-Id: main] [X-Api-Key: gw-1] [Authorization: Basic eDp5] => 1 main
POST /send/message [X-Api-Key: gw-1] {"phone":"1","message":"x"} => any * sent
GET /devices [Authorization: Bearer gw-1] => 403 blocked
GET /devices [X-Api-Key: gw-1] => 403 blocked
GET /devices [X-Api-Key: gw-1] [Authorization: Basic <key:base64>] => any - key status=200
END

# Servers that want no key look at none, so what a client brings is no proof.
check_table('waha', <<'END', %waha, key => undef);
GET /api/main/chats => 1 main bare status=200
GET /api/main/chats [X-Api-Key: mine] => 1 main bare X-Api-Key=mine
GET /api/sessions => 403 blocked
GET /api/sessions [X-Api-Key: mine] => 403 blocked
GET /api/sessions [X-Api-Key: ] => 403 blocked
END

# What is allowed has the key, if it is of a session or needs none; what names
# the session in two ways is refused still.
check_table('waha', <<'END', %waha, dangerous => 1,
GET /api/sessions => any - key status=200
POST /api/sessions/out/restart => 1 out
POST /api/sessions/out/stop => 403 blocked
POST /api/sessions/support/stop/ => 403 blocked
POST /api/sessions/twin/restart => 2|3 twin
POST /api/sessions/nobody/restart => 404 unknown_session
POST /api/sessions/shared/restart => 409 ambiguous_session
POST /api/sessions/main%2frestart/restart => 400
DELETE /api/main/chats/1@c.us => 1 main
DELETE /api/main/chats/1@c.us/messages => 403 blocked
GET /api/server/environment => 403 blocked
END
    location => 'wa_gateway_allow GET /api/sessions;
                 wa_gateway_allow POST /api/sessions/*/restart;
                 wa_gateway_allow DELETE /api/*/chats/*;');

check_table('gowa', <<'END', %gowa, dangerous => 1,
GET /app/reconnect [X-Device-Id: main] => 1 main
GET /app/reconnect [X-WA-Session: support] => 2 support X-Device-Id=support
GET /app/reconnect?device_id=main [X-Device-Id: support] => 400 bad_request
POST /devices/spare/logout => 3 spare
POST /mcp {} => any - key
POST /group/leave [X-WA-Session: spare] {} => 3 spare X-Device-Id=spare
GET /devices/main/chatwoot/config => 1 main
END
    location => 'wa_gateway_allow on;');

check_table('evolution', <<'END', key => 'geheim-1', short => 1,
DELETE /instance/logout/main?instanceName=support => 1 main target=/instance/logout/main
DELETE /instance/logout/shared => 409 ambiguous_session
POST /baileys/onWhatsapp/support {} => 2 support
GET /proxy/find/spare => 3 spare
GET /openai/creds/support => 2 support
DELETE /openai/creds/17/spare => 3 spare
GET /chatwoot/find/out => 1 out
DELETE /chat/removeProfilePicture/busy => 2 busy
POST /instance/restart/nobody => 404 unknown_session
END
    carries => ['apikey', sub { $_[0] eq 'geheim-1' }], dangerous => 1,
    location => 'wa_gateway_allow on;');

check_table('wwebjs', <<'END', key => 'geheim-1', short => 1,
GET /session/restart/out => 1 out
POST /client/runMethod/support {} => 2 support
POST /groupChat/leave/spare {} => 3 spare
POST /chat/delete/shared {} => 409 ambiguous_session
GET /session/terminate/nobody => 404 unknown_session
END
    carries => ['x-api-key', sub { $_[0] eq 'geheim-1' }], dangerous => 1,
    location => 'wa_gateway_allow on;');

check_table('wppconnect', <<'END', key => 'geheim-1', short => 1,
POST /api/out/close-session {} => 1 out
POST /api/support:<token:support>/clear-chat {} => 2 support
PUT /api/spare/delete-all-labels => 3 spare
POST /api/busy/<key>/clear-session-data => 2 busy
POST /api/shared/set-limit {} => 409 ambiguous_session
END
    carries => ['Authorization', sub {
        my ($value, $session, $fake) = @_;

        return $value =~ /^Bearer \$2b\$10\$(.{22})(.{31})\z/
               && $2 eq $fake->hash($1, $session);
    }], dangerous => 1,
    location => 'wa_gateway_allow on;');

check_table('wuzapi', <<'END', key => 'geheim-1', short => 1, tokens => 1,
POST /session/logout [token: <token:out>] => 1 out
POST /session/logout [X-WA-Session: support] => 2 support token=<token:support>
GET /session/s3/config?token=<token:spare> => 3 spare
DELETE /webhook [token: <token:shared>] => 409 ambiguous_session
END
    carries => ['token', sub { $_[0] eq "t-$_[1]-geheim" }], dangerous => 1,
    location => 'wa_gateway_allow on;');

done_testing();
