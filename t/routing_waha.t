#!/usr/bin/perl

# Requests to WAHA servers: each goes to the instance and the session that it
# names, or is refused, in all spellings; what the gateway judged is what the
# instance got.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table paths sends);
use WaGateway::Sessions qw(differs gateway);
use WaGateway::Vendor;

my $table = paths('GET', '/api/', '/chats')
          . paths('GET', '/api/sessions/', '')
          . sends('POST', '/api/', '/status/text', '{"text":"x"}')
          . <<'END';

# a member of the body

POST /api/sendText {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"chatId":"1@c.us","text":"x","session":"support"} => 2 support sent
POST /api/sendText {"chatId":"1@c.us","text":"x","session":"spare"} => 3 spare sent
POST /api/sendText { "session" : "main" , "chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText/ {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /API/SendText {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText [chunked] {"session":"support","chatId":"1@c.us","text":"x"} => 2 support sent
POST /api/sendText [Content-Type: application/json; charset=utf-8] {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText [Content-Type: APPLICATION/JSON] {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"sess\u0069on":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"session":"m\u0061in","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"\u0073\u0065\u0073\u0073\u0069\u006f\u006e":"support","chatId":"1@c.us","text":"x"} => 2 support sent
POST /api/sendText {"text":"\"session\":\"support\"","chatId":"1@c.us","session":"main"} => 1 main sent
POST /api/sendText {"text":"\\","session":"main","chatId":"1@c.us"} => 1 main sent
POST /api/sendText {"text":"\\\"","session":"main","chatId":"1@c.us"} => 1 main sent
POST /api/sendText {"a":{"session":"support"},"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"session":"main","a":{"session":"support"},"chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"a":[{"session":"support"}],"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"a":["session","support"],"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"a":[[["session"]],{"b":[]}],"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"Session":"support","session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"session ":"support","session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"xsession":"support","session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"session\u0000":"support","session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText {"text":"~60000~","chatId":"1@c.us","session":"main"} => 1 main sent
POST /api/sendText {"text":"~300000~","chatId":"1@c.us","session":"support"} => 2 support sent
POST /api/sendText [chunked] {"text":"~20000~","chatId":"1@c.us","session":"spare"} => 3 spare sent
POST /api/sendImage {"session":"support","chatId":"1@c.us","file":{"mimetype":"image/png","data":"@100000@","session":"main"}} => 2 support sent
POST /api/sendVoice {"session":"main","chatId":"1@c.us"} => 1 main status=400
POST /api/sendPoll {"session":"main"} => 1 main sent
POST /api/sendLocation {"session":"main"} => 1 main sent
POST /api/sendContactVcard {"session":"support"} => 2 support sent
POST /api/sendButtons {"session":"main"} => 1 main sent
POST /api/sendList {"session":"main"} => 1 main sent
POST /api/sendLinkPreview {"session":"main"} => 1 main sent
POST /api/forwardMessage {"session":"main"} => 1 main sent
POST /api/reply {"session":"spare"} => 3 spare sent
POST /api/send/buttons/reply {"session":"main"} => 1 main sent
POST /api/send/link-custom-preview {"session":"support"} => 2 support sent
POST /api/main/events {"x":1} => 1 main sent
POST /api/sendSeen {"session":"main"} => 1 main
POST /api/sendSeen {"session":"out"} => 1 out
POST /api/sendPollVote {"session":"out"} => 1 out
POST /api/startTyping {"session":"support"} => 2 support
POST /api/stopTyping {"session":"support"} => 2 support
PUT /api/reaction {"session":"out"} => 1 out
PUT /api/star {"session":"spare"} => 3 spare
POST /api/contacts/block {"session":"support"} => 2 support
POST /api/contacts/unblock {"session":"spare"} => 3 spare
POST /api/sendText {"session":"out","chatId":"1@c.us","text":"x"} => 503 session_down
POST /api/sendText {"session":"busy","chatId":"1@c.us","text":"x"} => 503 session_down
POST /api/sendText {"session":"nobody","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"Main","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"main ","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"main\u0000","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"m%61in","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"@5000@","chatId":"1@c.us","text":"x"} => 404 unknown_session
POST /api/sendText {"session":"shared","chatId":"1@c.us","text":"x"} => 2|3 shared sent
POST /api/sendText [X-WA-From: 966500000008] {"session":"shared","chatId":"1@c.us","text":"x"} => 3 shared sent
POST /api/sendText [X-WA-Instance: <2>] {"session":"shared","chatId":"1@c.us","text":"x"} => 2 shared sent
POST /api/sendSeen {"session":"shared"} => 409 ambiguous_session
POST /api/sendSeen [X-WA-Instance: <3>] {"session":"shared"} => 3 shared
POST /api/sendText {"session":"twin","chatId":"1@c.us","text":"x"} => 2|3 twin sent

# one that is given twice, or in no way that can be read

POST /api/sendText {"session":"main","session":"support","chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":"main","session":"main","chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":"main","sess\u0069on":"support","chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":"main","text":"~60000~","chatId":"1@c.us","session":"support"} => 400 bad_request session
POST /api/sendText {"session":1,"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":null,"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":true,"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":["main"],"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":{"session":"main"},"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText {"session":"","chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText [X-WA-Session: support] {"session":"main","chatId":"1@c.us","text":"x"} => 400 bad_request
POST /api/sendText [X-WA-Session: main] {"session":"main","chatId":"1@c.us","text":"x"} => 1 main sent
POST /api/sendText [X-WA-Session: main] {"chatId":"1@c.us","text":"x"} => 400 bad_request session
POST /api/sendText [X-WA-Session: main] {"a":{"session":"main"},"chatId":"1@c.us","text":"x"} => 400 bad_request session

# one that cannot be looked through

POST /api/sendText [Content-Type: text/plain] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText [untyped] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/x-www-form-urlencoded] session=main&chatId=1&text=x => 415 unsupported_media_type
POST /api/sendText [Content-Type: multipart/form-data; boundary=x] --x\x0d\x0aContent-Disposition: form-data; name="session"\x0d\x0a\x0d\x0amain\x0d\x0a--x-- => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/json] [Content-Encoding: gzip] \x1f\x8b\x08\x00 => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/json] [Content-Encoding: br] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/json] [Content-Encoding: identity] {"session":"main","chatId":"1@c.us","text":"x"} => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/json; charset=utf-16] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/vnd.api+json] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText [Content-Type: application/jsonx] {"session":"main"} => 415 unsupported_media_type
POST /api/sendText {"session":"main" => 415 unsupported_media_type
POST /api/sendText {"session":"main"}} => 415 unsupported_media_type
POST /api/sendText {"session":"main"}{"session":"support"} => 415 unsupported_media_type
POST /api/sendText {'session':'main'} => 415 unsupported_media_type
POST /api/sendText {"session":"main",} => 415 unsupported_media_type
POST /api/sendText {session:"main"} => 415 unsupported_media_type
POST /api/sendText {"a":"\x01","session":"main"} => 415 unsupported_media_type
POST /api/sendText {"a":tru,"session":"main"} => 415 unsupported_media_type
POST /api/sendText session=main => 415 unsupported_media_type
POST /api/sendText \x5b{"session":"main"}\x5d => 400 bad_request session
POST /api/sendText "session" => 400 bad_request session

# none is named: the server decides, and has no key for it

POST /api/sendText {"chatId":"1@c.us","text":"x"} => any - bare status=401
POST /api/sendText?session=main {"chatId":"1@c.us","text":"x"} => any - bare status=401
POST /api/sendText => any - bare status=401
POST /api/sendSeen {} => any - bare status=401
GET /api/screenshot => any - bare status=401

# the query

GET /api/sendText?session=main&phone=1&text=x => 1 main sent
GET /api/sendText?phone=1&text=session=support&session=spare => 3 spare sent
HEAD /api/sendText?session=out&phone=1&text=x => 503
GET /api/sendText?session=out&phone=1&text=x => 503 session_down
GET /api/screenshot?session=main => 1 main
GET /api/screenshot/?session=support => 2 support
GET /api/checkNumberStatus?phone=1&session=spare => 3 spare
GET /api/messages?session=main&filter.timestamp.lte=1 => 1 main
GET /api/contacts?session=support&contactId=1 => 2 support
GET /api/contacts/all?session=main&limit=5 => 1 main
GET /api/contacts/about?limit=5&session=support => 2 support
GET /api/contacts/profile-picture?session=spare => 3 spare
GET /api/contacts/check-exists?phone=1&session=out => 1 out
GET /api/contacts/all?session=m%61in => 1 main
GET /api/contacts/all?%73ession=main => 1 main
GET /api/contacts/all?%73%65%73%73%69%6f%6e=main => 1 main
GET /api/contacts/all?&&session=main&& => 1 main
GET /api/contacts/all?Session=support&session=main => 1 main
GET /api/contacts/all?xsession=support&session=main => 1 main
GET /api/contacts/all?x=session=support&session=main => 1 main
GET /api/contacts/all?x=%26session=support&session=main => 1 main
GET /api/contacts/all?x?session=support&session=main => 1 main
GET /api/contacts/all?x=1;session=support&session=main => 1 main
GET /api/contacts/all?session=main;x => 404 unknown_session
GET /api/contacts/all?session=nobody => 404 unknown_session
GET /api/contacts/all?session=main+ => 404 unknown_session
GET /api/contacts/all?session=main%20 => 404 unknown_session
GET /api/contacts/all?session=main,support => 404 unknown_session
GET /api/contacts/all?session=shared => 409 ambiguous_session
GET /api/contacts/all?session=twin => 2|3 twin
GET /api/contacts/all?session=main&session=support => 400 bad_request session
GET /api/contacts/all?session=main&session=main => 400 bad_request session
GET /api/contacts/all?session=main&%73ession=support => 400 bad_request session
GET /api/contacts/all?session=main&session[]=support => 400 bad_request session
GET /api/contacts/all?session[]=main => 400 bad_request session
GET /api/contacts/all?session%5B%5D=main => 400 bad_request session
GET /api/contacts/all?session[0]=main => 400 bad_request session
GET /api/contacts/all?[session]=main => 400 bad_request session
GET /api/contacts/all?session=main&[session]=support => 400 bad_request session
GET /api/contacts/all?session.x=main => 400 bad_request session
GET /api/contacts/all?session= => 400 bad_request session
GET /api/contacts/all?session => 400 bad_request session
GET /api/contacts/all?session=%00 => 400 bad_request session
GET /api/contacts/all?session=main%0a => 400 bad_request session
GET /api/contacts/all?session=ma%zzin => 400
GET /api/contacts/all?%zz=1&session=main => 400
GET /api/contacts/all?session=support [X-WA-Session: main] => 400 bad_request
GET /api/contacts/all [X-WA-Session: main] => 400 bad_request session
GET /ws?session=main&events=* => 1 main
GET /ws?session=support => 2 support
GET /ws?session=* => 404 unknown_session

# fixed paths are no sessions, though there are sessions of their names

GET /api/contacts/chats => 403 blocked
GET /api/contacts/lids/count => 403 blocked
GET /api/contacts/auth/qr => 403 blocked
POST /api/contacts/status/text {"session":"main"} => 403 blocked
GET /api/send/chats => 403 blocked
POST /api/send/status/text {"session":"main"} => 403 blocked
GET /api/server/chats => 403 blocked
GET /api/keys/chats => 403 blocked
GET /api/apps/chats?session=main => 403 blocked
GET /api/sessions/chats => 3 chats
GET /api/sessions/groups/count => 403 blocked
GET /api/sessions/auth/qr => 403 blocked
GET /api/sessions/sessions => 3 sessions
GET /api/sessions/contacts => 3 contacts
GET /api/sendText/chats => 3 sendText
GET /api/default/chats => 1 default

# what can be said without a session

GET /ping => any - key
HEAD /ping => any - key
GET /health/ => any - key
GET /api/version => any - key
GET /api/server/version => any - key
GET /api/server/status => any - key
GET /api/files/true_1@c.us_AAAA.jpeg => any - key
GET /ping [X-WA-Instance: <3>] => 3 - key
GET / => any - bare
GET /dashboard => any - bare

# what logs in

POST /api/sessions/out/start => 1 out
GET /api/out/auth/qr => 1 out
HEAD /api/out/auth/qr => 1 out
GET /api/busy/auth/qr?format=image => 2 busy
POST /api/out/auth/request-code {"phoneNumber":"1"} => 1 out
GET /api/nobody/auth/qr => 404 unknown_session
POST /api/sessions/start {"name":"out"} => 1 out

# what shows the sessions' secrets, or ends them

GET /api/sessions => 403 blocked
GET /api/sessions/ => 403 blocked
HEAD /api/sessions => 403
GET /API/Sessions?all=true => 403 blocked
GET /api/%73essions => 400
GET /api/sessions?x-api-key=<key> => 403 blocked
GET /api/sessions [X-Api-Key: wrong] => any - bare status=401
GET /api/sessions [x-api-key: <key>] => any - key status=200
GET /api/sessions [X-Api-Key: <key>] [X-WA-Instance: <2>] => 2 - key status=200
DELETE /api/sessions/main [X-Api-Key: <key>] => 403 blocked
POST /api/server/stop [X-Api-Key: <key>] {"force":true} => 403 blocked
DELETE /api/sessions/main => 403 blocked
DELETE /api/sessions/m%61in => 403 blocked
DELETE /api/sessions/nobody => 403 blocked
DELETE /API/SESSIONS/main/ => 403 blocked
DELETE /api/%73essions/main => 400
PUT /api/sessions/main {"config":{}} => 403 blocked
POST /api/sessions/main/stop => 403 blocked
POST /api/sessions/main/logout => 403 blocked
POST /api/sessions/main/restart => 403 blocked
POST /api/sessions/main/Restart/ => 403 blocked
POST /api/sessions/main/%72estart => 400
POST /api/sessions/main/stop?x=1 => 403 blocked
POST /api/sessions/stop {"name":"main"} => 403 blocked
POST /api/sessions/logout {"name":"main"} => 403 blocked
POST /api/server/stop {"force":true} => 403 blocked
POST /api/server/st%6fp {"force":true} => 403 blocked
POST /api/%73erver/stop {"force":true} => 400
GET /api/server/environment?all=true => 403 blocked
HEAD /api/server/environment => 403
GET /api/server/debug/cpu => 403 blocked
GET /api/server/debug/heapsnapshot => 403 blocked
GET /api/server/debug/browser/trace/main => 403 blocked
GET /api/keys => 403 blocked
POST /api/keys {"session":"main"} => 403 blocked
DELETE /api/keys/1 => 403 blocked
POST /api/keys/control {"session":"main"} => 403 blocked
GET /api/apps?session=main => 403 blocked
POST /api/apps {"session":"main"} => 403 blocked
DELETE /api/apps/1 => 403 blocked
POST /mcp {} => 403 blocked
POST /mcp/ {} => 403 blocked
DELETE /api/main/chats/1@c.us => 403 blocked
DELETE /api/main/chats/1@c.us/messages => 403 blocked
DELETE /api/main/chats/1@c.us/messages/2 => 403 blocked
DELETE /api/main/groups/1@g.us => 403 blocked
DELETE /api/main/groups/1@g.us/picture => 1 main
DELETE /api/main/chat%73/1@c.us => 400
PROPFIND /api/main/chats => 1 - key

# what a path may have after the session

GET /api/main/chats/1%40c.us/messages?limit=5 => 1 main
GET /api/support/chats/1@c.us/messages/true_1@c.us_AA => 2 support
GET /api/main/contacts/1%2F2 => 400
GET /api/main/lids/%2e%2e => 400
GET /api/main/presence/1@c.us => 1 main
PUT /api/main/profile/name {"name":"support","session":"support"} => 1 main
POST /api/main/labels {"session":"support","name":"x"} => 1 main
GET /api/main/groups?session=support => 1 main
GET /api/main/new-message-id => 1 main
GET /api/main/profile [X-Api-Key: wrong] => 1 main bare status=401
GET /api/main/profile [X-Api-Key: <key>] => 1 main

# new ones

POST /api/sessions {"name":"main","start":true} => 1 main key status=422
POST /api/sessions {"name":"new-1"} => any new-1
POST /api/sessions/start {"name":"new-5"} => any new-5
POST /api/sessions =>  any - key
POST /api/sessions {} => any - key
POST /api/sessions [Content-Type: text/plain] name=new-2 => 415 unsupported_media_type
POST /api/sessions {"name":"new-3","name":"main"} => 400 bad_request name
END

# Bodies that go to a file are looked at while they arrive.
for my $http ('', 'client_body_buffer_size 8;') {
    check_table('waha', $table, key => 'geheim-1', http => $http,
        carries => ['X-Api-Key', sub { $_[0] eq 'geheim-1' }],
        more => [[['default', '966500000011']], [],
                 [map { [$_, undef] } qw(contacts send server keys apps sessions
                                         sendText chats groups auth)]]);
}

# What was looked at is used only where the instance is to get just that.
{
    my @fakes = map { WaGateway::Vendor->new('waha', wait => 0, sessions => [
                          { name => $_, state => 'ready' } ]) }
                qw(main support);
    my $ng = gateway(fakes => \@fakes, level => 'debug',
        http => 'client_body_buffer_size 16k;', server => <<'END')->start;
location = /other {
    proxy_set_body '{"session":"support","chatId":"1@c.us","text":"x"}';
    proxy_pass http://u/api/sendText;
}
location = /again {
    error_page 502 = @again;
    proxy_pass http://127.0.0.1:1;
}
location @again {
    rewrite ^ /api/sendText break;
    proxy_pass http://u;
}
END

    is(differs($ng, @fakes), undef, 'sessions are known');

    my $looked = 'looked at as it comes';
    my $long = '{"note":"' . 'QUJD' x 25_000 . '","text":"x",'
               . '"chatId":"1@c.us","session":"main"}';
    my $to = sub {
        my ($path, $body) = @_;
        $_->forget for @fakes;
        my $r = $ng->request('POST', $path, body => $body,
                             headers => ['Content-Type: application/json']);

        return join ' ', $r->{status}, map { $_->{session} }
                                       map { $_->sent } @fakes;
    };

    my $short = '{"text":"x","chatId":"1@c.us","session":"main"}';

    is($to->('/api/sendText', $short), '201 main', 'a body in memory');
    unlike($ng->log, qr/$looked/, 'is not looked at while it comes');
    is($to->('/api/sendText', $long), '201 main', 'one in a file');
    like($ng->log, qr/$looked/, 'is');
    is($to->('/other', $long), '201 support', 'but not what replaces it');
    is($to->('/again', $long), '201 main',
       'one that came for another upstream is read again');
    is($to->('/api/sendText', substr($long, 0, -1) . ',"session":"x"}'), '400',
       'the second of two names is seen');
    is($to->('/api/sendText', substr $long, 0, -1), '415',
       'and that the end is not there');

    $ng->clean;
}

done_testing();
