#!/usr/bin/perl

# Requests to servers of wuzapi: each goes to the instance and the session of
# its token, in the header or the query, or is refused.  The token is a secret:
# the gateway's own headers have the name that is shown.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Routing qw(check_table);

my $table = <<'END';

# the header

GET /group/list [token: <token:main>] => 1 main token=<token:main>
GET /group/list [Token: <token:main>] => 1 main
GET /group/list [TOKEN: <token:support>] => 2 support
HEAD /group/list [token: <token:main>] => 1 main
GET /group/list [token:   <token:main>  ] => 1 main
GET /group/list [token: <token:sales>] => 1 sales
GET /group/list [token: <token:spare>] => 3 spare
GET /group/list [token: <token:out>] => 1 out
GET /group/list [token: <token:busy>] => 2 busy
GET /group/list [token: <token:twin>] => 2|3 twin
GET /group/list [token: <token:shared>] => 409 ambiguous_session
GET /group/list [token: <token:shared>] [X-WA-Instance: <2>] => 2 shared
GET /group/list [token: <token:shared>] [X-WA-From: 966500000008] => 3 shared
GET /group/list [token: nobody] => 404 unknown_session
GET /group/list [token: main] => 404 unknown_session
GET /group/list [token: T-main-geheim] => 404 unknown_session
GET /group/list [token: t%2Dmain-geheim] => 404 unknown_session
GET /group/list [token: <token:main>,<token:support>] => 404 unknown_session
GET /group/list [token: Bearer <token:main>] => 404 unknown_session
GET /group/list [token: @129@] => 404 unknown_session
GET /group/list [token: @4000@] => 404 unknown_session
GET /group/list [token: <token:main>] [token: <token:support>] => 400 bad_request token
GET /group/list [token: <token:main>] [Token: <token:main>] => 400 bad_request token
GET /group/list [token: ] => 400 bad_request token
GET /group/list [token: ] [token: <token:main>] => 400 bad_request token
GET /group/list [X-Token: <token:main>] => any - bare
GET /group/list [Authorization: <token:main>] => any - bare status=401
GET /group/list => any - bare status=401
GET /group/list [token: <token:main>] [X-WA-Instance: <1>] => 1 main
GET /group/list [token: <token:main>] [X-WA-Instance: <2>] => 404 unknown_session
GET /group/list [token: <token:main>] [X-WA-Instance: <1>] [X-WA-Instance: <1>] => 400 bad_request

# the query

GET /group/list?token=<token:main> => 1 main
GET /group/list?x=1&token=<token:support>&y=2 => 2 support
GET /group/list?%74oken=<token:main> => 1 main
GET /group/list?token=t%2Dmain%2dgeheim => 1 main
GET /group/list?Token=<token:support>&token=<token:main> => 1 main
GET /group/list?xtoken=<token:support>&token=<token:main> => 1 main
GET /group/list?x=token=<token:support>&token=<token:main> => 1 main
GET /group/list?x=%26token=<token:support>&token=<token:main> => 1 main
GET /group/list?&&token=<token:main>&& => 1 main
GET /group/list?token=<token:shared> => 409 ambiguous_session
GET /group/list?token=<token:twin> => 2|3 twin
GET /group/list?token=nobody => 404 unknown_session
GET /group/list?token=<token:main>;x => 404 unknown_session
GET /group/list?token=<token:main>+ => 404 unknown_session
GET /group/list?token=<token:main>&token=<token:main> => 400 bad_request token
GET /group/list?token=<token:main>&token=<token:support> => 400 bad_request token
GET /group/list?token=t-main&token=-geheim => 400 bad_request token
GET /group/list?token=<token:main>&%74oken=<token:support> => 400 bad_request token
GET /group/list?token= => 400 bad_request token
GET /group/list?token => 400 bad_request token
GET /group/list?token=%00 => 400 bad_request token
GET /group/list?token=%zz => 400
GET /group/list?token[]=<token:main> => 400 bad_request token
GET /group/list?token=<token:main> [token: <token:main>] => 1 main
GET /group/list?token=<token:support> [token: <token:main>] => 400 bad_request
GET /group/list?token=<token:main> [token: <token:support>] => 400 bad_request
GET /group/list?token=<token:main> [token: ] => 400 bad_request token
GET /group/list?token=<token:main>#x => 400

# the gateway's header has the name that is shown, and fills the vendor's

GET /group/list [X-WA-Session: main] => 1 main token=<token:main>
GET /group/list [X-WA-Session: support] => 2 support token=<token:support>
GET /group/list [X-WA-Session: out] => 1 out token=<token:out>
GET /group/list [X-WA-Session: nobody] => 404 unknown_session
GET /group/list [X-WA-Session: <token:main>] => 404 unknown_session
GET /group/list [X-WA-Session: main] [X-WA-Session: main] => 400 bad_request
GET /group/list [X-WA-Session: ] => 400 bad_request
GET /group/list [X-WA-From: 966500000009] => 3 spare token=<token:spare>
GET /group/list [token: <token:main>] [X-WA-Session: main] => 1 main
GET /group/list [token: <token:main>] [X-WA-Session: support] => 400 bad_request
GET /group/list?token=<token:main> [X-WA-Session: support] => 400 bad_request
POST /chat/send/text [X-WA-Session: main] {"Phone":"1","Body":"x"} => 1 main sent token=<token:main>
POST /chat/send/text [X-WA-Session: out] {"Phone":"1","Body":"x"} => 503 session_down
POST /chat/send/text [X-WA-From: 966500000004] {"Phone":"1","Body":"x"} => 2 support sent token=<token:support>
POST /chat/send/text [X-WA-From: 966500000099] {"Phone":"1","Body":"x"} => 404

# sends

POST /chat/send/text [token: <token:main>] {"Phone":"1","Body":"x"} => 1 main sent
POST /chat/send/text?token=<token:support> {"Phone":"1","Body":"x"} => 2 support sent
POST /chat/send/text [token: <token:spare>] [chunked] {"Phone":"1","Body":"x"} => 3 spare sent
POST /chat/send/text [token: <token:main>] [untyped] {"Phone":"1","Body":"x"} => 1 main sent
POST /chat/send/text [token: <token:main>] {"Phone":"1","Body":"x","token":"<token:support>"} => 1 main sent
POST /chat/send/text [token: <token:main>] {"Phone":"1","Body":"~60000~"} => 1 main sent
POST /chat/send/image [token: <token:main>] {"Phone":"1","Image":"data:image/png;base64,@90000@"} => 1 main sent
POST /chat/send/document [token: <token:main>] {"Phone":"1","FileName":"a","Document":"data:x/y;base64,AA"} => 1 main sent
POST /chat/send/audio [token: <token:support>] {"Phone":"1","Audio":"data:x/y;base64,AA"} => 2 support sent
POST /chat/send/video [token: <token:main>] {"Phone":"1","Video":"data:x/y;base64,AA"} => 1 main sent
POST /chat/send/sticker [token: <token:main>] {} => 1 main sent
POST /chat/send/location [token: <token:main>] {} => 1 main sent
POST /chat/send/contact [token: <token:main>] {} => 1 main sent
POST /chat/send/buttons [token: <token:main>] {} => 1 main sent
POST /chat/send/list [token: <token:main>] {} => 1 main sent
POST /chat/send/poll [token: <token:spare>] {} => 3 spare sent
POST /chat/send/text [token: <token:out>] {"Phone":"1","Body":"x"} => 503 session_down
POST /chat/send/text [token: <token:busy>] {"Phone":"1","Body":"x"} => 503 session_down
POST /chat/send/poll?token=<token:out> {} => 503 session_down
POST /chat/send/text [token: nobody] {"Phone":"1","Body":"x"} => 404 unknown_session
POST /chat/send/text [token: ] {"Phone":"1","Body":"x"} => 400 bad_request token
POST /chat/send/text [token: <token:shared>] {"Phone":"1","Body":"x"} => 2|3 shared sent
POST /chat/send/text [token: <token:shared>] [X-WA-From: 966500000005] {"Phone":"1","Body":"x"} => 2 shared sent
POST /chat/send/text [token: <token:twin>] {"Phone":"1","Body":"x"} => 2|3 twin sent
POST /chat/send/text/ [token: <token:main>] {"Phone":"1","Body":"x"} => 1 - key
POST /chat/%73end/text [token: <token:out>] {"Phone":"1","Body":"x"} => 400
POST /chat/send/t%65xt [token: <token:main>] {"Phone":"1","Body":"x"} => 1 main sent
POST /chat/send//text [token: <token:main>] {"Phone":"1","Body":"x"} => 400
POST /chat/./send/text [token: <token:main>] {"Phone":"1","Body":"x"} => 400
POST /chat/x/../send/text [token: <token:main>] {"Phone":"1","Body":"x"} => 400
POST /chat/send%2Ftext [token: <token:main>] {"Phone":"1","Body":"x"} => 400

# a send without a token gets one that can

POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text {"Phone":"1","Body":"x"} => any * sent
POST /chat/send/text [X-WA-Instance: <1>] {"Phone":"1","Body":"x"} => 1 * sent
POST /chat/send/text [X-WA-Instance: <3>] {"Phone":"1","Body":"x"} => 3 * sent

# other routes

GET /session/status [token: <token:out>] => 1 out
GET /session/status?token=<token:main> => 1 main
POST /user/check [token: <token:main>] {"Phone":["1"]} => 1 main
POST /user/info [token: <token:support>] {"Phone":["1"]} => 2 support
POST /chat/react [token: <token:out>] {} => 1 out
POST /chat/react [token: <token:shared>] {} => 409 ambiguous_session
POST /chat/delete [token: <token:main>] {} => 1 main
POST /chat/presence [token: <token:main>] {} => 1 main
POST /chat/markread [token: <token:spare>] {} => 3 spare
POST /chat/downloadimage [token: <token:main>] {} => 1 main
GET /user/contacts [token: <token:main>] => 1 main
GET /newsletter/list [token: <token:main>] => 1 main
POST /group/name [token: <token:support>] {} => 2 support
GET /webhook [token: <token:main>] => 1 main
POST /webhook [token: <token:main>] {} => 1 main
PUT /webhook [token: <token:main>] {} => 1 main
GET /session/history [token: <token:main>] => 1 main
GET /health/ => any - bare
GET / => any - bare
GET /login => any - bare
GET /Group/list [token: <token:main>] => 1 - key

# what logs in

POST /session/connect [token: <token:out>] {"Subscribe":["Message"]} => 1 out
GET /session/qr [token: <token:out>] => 1 out
HEAD /session/qr [token: <token:busy>] => 2 busy
GET /session/qr?token=<token:out> => 1 out
POST /session/pairphone [token: <token:out>] {"Phone":"1"} => 1 out
POST /session/connect [token: nobody] {} => 404 unknown_session

# what lists tokens, or ends what is there

GET /admin/users => 403 blocked
GET /admin/users/ => 403 blocked
HEAD /admin/users => 403
GET /Admin/Users => 403 blocked
GET /admin/users/17 => 403 blocked
GET /admin/user%73 => 400
GET /%61dmin/users => 400
GET /admin/users [Authorization: <key>] => any - bare status=200
GET /admin/users [Authorization: wrong] => any - bare status=401
GET /admin/users?token=<token:main> => 403 blocked
DELETE /admin/users/17 => 403 blocked
DELETE /admin/users/17/full => 403 blocked
DELETE /admin/users/17 [Authorization: <key>] => 403 blocked
PUT /admin/users/17 {} => 403 blocked
POST /session/logout [token: <token:main>] => 403 blocked
POST /session/logout [X-WA-Session: main] => 403 blocked
POST /session/logout?token=<token:main> => 403 blocked
POST /session/logout => 403 blocked
POST /Session/Logout [token: <token:main>] => 403 blocked
POST /session/logou%74 [token: <token:main>] => 400
POST /%73ession/logout [token: <token:main>] => 400
POST /session//logout [token: <token:main>] => 400
POST /session/./logout [token: <token:main>] => 400
POST /session/x/../logout [token: <token:main>] => 400
POST //session/logout [token: <token:main>] => 400
POST /session/logout/ [token: <token:main>] => 403 blocked
POST /session/disconnect [token: <token:main>] => 403 blocked
POST /session/proxy [token: <token:main>] {} => 403 blocked
GET /session/s3/config [token: <token:main>] => 403 blocked
POST /session/s3/config [token: <token:main>] {} => 403 blocked
DELETE /session/s3/config [token: <token:main>] => 403 blocked
POST /session/s3/test [token: <token:main>] => 403 blocked
GET /session/hmac/config [token: <token:main>] => 403 blocked
POST /session/hmac/config [token: <token:main>] {} => 403 blocked
DELETE /webhook [token: <token:main>] => 403 blocked

# new ones

POST /admin/users [Authorization: <key>] {"name":"new-1","token":"t-new-1-geheim"} => any new-1 bare status=201
POST /admin/users {"name":"new-2","token":"t-new-2-geheim"} => any new-2 bare status=201
POST /admin/users [Authorization: <key>] {"name":"main","token":"<token:main>"} => 1 main bare status=409
POST /admin/users [Authorization: <key>] {"token":"a","token":"<token:main>"} => 400 bad_request token
END

check_table('wuzapi', $table, key => 'geheim-1', tokens => 1,
    carries => ['token', sub {
        my ($value, $session) = @_;

        return defined $session ? $value eq "t-$session-geheim"
                                : $value =~ /^t-.+-geheim\z/;
    }]);

done_testing();
