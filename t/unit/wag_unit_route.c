
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_route.h"
#include "wag_route_conf.h"
#include "wag_unit.h"


typedef struct {
    const char          *name;
    const char          *routes;
    const char          *method;
    ngx_str_t            target;
    const char          *headers;   /* lines; NULL: none */
    const char          *found;
} wag_unit_route_case_t;


static wag_routes_t *wag_unit_route_setup(wag_unit_t *u, const char *text);
static ngx_uint_t wag_unit_route_line(ngx_conf_t *cf, wag_routes_t *routes,
    u_char *p, u_char *last);
static void wag_unit_route_case(wag_unit_t *u, wag_unit_route_case_t *c);
static ngx_uint_t wag_unit_route_headers(ngx_keyval_t *headers,
    const char *text);
static u_char *wag_unit_route_dump(u_char *p, ngx_int_t rc,
    wag_route_request_t *r);
static u_char *wag_unit_route_field(u_char *p, const char *name,
    ngx_str_t *text);
static void wag_unit_route_copies(wag_unit_t *u);
static void wag_unit_route_long(wag_unit_t *u);
static u_char *wag_unit_route_copy(const void *data, size_t len);


/* a session in many places, and fixed paths that look like one */

#define A  "session query=session body=session\n"                             \
           "route * /api/server/** /api/keys/** blocked\n"                    \
           "route GET /health /ping none open\n"                              \
           "route GET /api/sessions none list\n"                              \
           "route POST /api/sessions body=name create\n"                      \
           "route POST /api/sessions/start|logout body=name login\n"          \
           "route * /api/sessions/<session> /api/sessions/<session>/**\n"     \
           "route POST /api/send*|reply body=session send\n"                  \
           "route * /api/contacts/**\n"                                       \
           "route GET /api/<session>/auth/qr login\n"                         \
           "route * /api/<session>/**"

/* a session at the end of the path, names that are dropped */

#define B  "drop instanceName instanceId\n"                                   \
           "route GET /instance/fetchInstances none list\n"                   \
           "route POST /instance/create body=instanceName create\n"           \
           "route DELETE /instance/logout|delete/<session> blocked\n"         \
           "route POST /message/send*/<session> send\n"                       \
           "route * /*/*/<session>"

/* a token beside the name, and the key in the path */

#define C  "route POST /api/<session>/<key>/generate-token login\n"           \
           "route GET /api/<key>/show-all-sessions none list\n"               \
           "route GET /unhealthy none blocked\n"                              \
           "route POST /api/<session:token>/send-* send\n"                    \
           "route * /api/<session:token>/**"

/* a header and a query */

#define D  "session header=X-Device-Id:decoded query=device_id\n"             \
           "route GET / none open\n"                                          \
           "route GET /devices none list\n"                                   \
           "route GET /app/logout blocked\n"                                  \
           "route POST /send/** send\n"                                       \
           "route * /devices/<session>/** header=X-Device-Id\n"               \
           "route PATCH|M-SEARCH /four/<session> header=a header=b query=c"

/* recipients */

#define E  "session query=session body=session\n"                             \
           "route GET /sendText to_query=phone send\n"                        \
           "route POST /both to=chatId to_query=phone send\n"                 \
           "route POST /a/<session> /b to=phone[] send\n"                     \
           "route POST /send* send"

#define S(s)    ngx_string(s)


/*
 * What is found: the kind, "path", "body" and the member, the session (s), the
 * key (k), the header that is not there (h, h% if it is to be encoded), the
 * target if it is another (t).
 */

static wag_unit_route_case_t  wag_unit_route_cases[] =
{
    /* the path */

    { "a session", A, "GET", S("/api/main/chats"), NULL,
      "native path s:main" },
    { "a session and more", A, "GET", S("/api/main/chats/1@c.us/messages"),
      NULL, "native path s:main" },
    { "a session, and nothing", A, "GET", S("/api/main"), NULL,
      "native path s:main" },
    { "a / at the end", A, "GET", S("/api/main/chats/"), NULL,
      "native path s:main" },
    { "a / at the end of a session", A, "GET", S("/api/sessions/main/"), NULL,
      "native path s:main" },
    { "a fixed path first", A, "GET", S("/api/server/status"), NULL,
      "blocked body:session" },
    { "** fits nothing, too", A, "GET", S("/api/server"), NULL,
      "blocked body:session" },
    { "** fits much", A, "GET", S("/api/keys/1/2/3/4/5/6/7/8/9/10/11/12/13/14"
      "/15/16/17/18/19/20"), NULL, "blocked body:session" },
    { "a deep path", A, "GET", S("/api/main/1/2/3/4/5/6/7/8/9/10/11/12/13/14"
      "/15/16/17/18/19/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a/%4a"),
      NULL, "native path s:main" },
    { "without case", A, "GET", S("/API/Server/Status"), NULL,
      "blocked body:session" },
    { "a session has case", A, "GET", S("/API/Main/CHATS"), NULL,
      "native path s:Main" },
    { "a list", A, "GET", S("/api/sessions"), NULL, "list" },
    { "a list with a / at the end", A, "GET", S("/api/sessions/"), NULL,
      "list" },
    { "a list, HEAD", A, "HEAD", S("/api/sessions"), NULL, "list" },
    { "no HEAD for POST", A, "HEAD", S("/api/sessions/start"), NULL,
      "native path s:start" },
    { "methods have case", A, "get", S("/health"), NULL,
      "native body:session" },
    { "not a method's beginning", A, "GE", S("/health"), NULL,
      "native body:session" },
    { "nor more than one", A, "GETS", S("/health"), NULL,
      "native body:session" },
    { "create", A, "POST", S("/api/sessions"), NULL, "create body:name" },
    { "another of the same path", A, "POST", S("/api/sessions/logout"), NULL,
      "login body:name" },
    { "GET of it", A, "GET", S("/api/sessions/logout"), NULL,
      "native path s:logout" },
    { "a text's beginning only", A, "POST", S("/api/sessions/log"), NULL,
      "native path s:log" },
    { "and more than a text", A, "POST", S("/api/sessions/logouts"), NULL,
      "native path s:logouts" },
    { "a session called sessions", A, "GET", S("/api/sessions/sessions"), NULL,
      "native path s:sessions" },
    { "a session called contacts", A, "GET", S("/api/contacts/x?session=main"),
      NULL, "native body:session s:main" },
    { "what begins with send", A, "POST", S("/api/sendText"), NULL,
      "send body:session" },
    { "send itself", A, "POST", S("/api/send"), NULL, "send body:session" },
    { "without case, SENDtext", A, "POST", S("/api/SENDtext"), NULL,
      "send body:session" },
    { "less than send", A, "POST", S("/api/sen"), NULL,
      "native path s:sen" },
    { "deeper than send", A, "POST", S("/api/send/x"), NULL,
      "native path s:send" },
    { "an alternative", A, "POST", S("/api/reply"), NULL,
      "send body:session" },
    { "no beginning of an alternative", A, "POST", S("/api/replys"), NULL,
      "native path s:replys" },
    { "GET of what POST sends", A, "GET", S("/api/sendText?session=main"),
      NULL, "native path s:sendText" },
    { "no route", A, "GET", S("/"), NULL, "native body:session" },
    { "no route, others", A, "GET", S("/x/main/chats?session=a"), NULL,
      "native body:session s:a" },
    { "login", A, "GET", S("/api/main/auth/qr?format=image"), NULL,
      "login path s:main" },
    { "places of a path's route alone", A, "GET",
      S("/api/main/chats?session=other"), NULL, "native path s:main" },
    { "no place", A, "GET", S("/health?session=x"), NULL, "open" },

    /* how a path is spelled */

    { "an escape in a session", A, "GET", S("/api/m%61in/chats"), NULL,
      "native path s:main" },
    { "decoded once", A, "GET", S("/api/m%2561in/chats"), NULL,
      "native path s:m%61in" },
    { "UTF-8", A, "GET", S("/api/%d9%85%D8%AA/chats"), NULL,
      "native path s:\xd9\x85\xd8\xaa" },
    { "raw UTF-8", A, "GET", S("/api/\xd9\x85/chats"), NULL,
      "native path s:\xd9\x85" },
    { "a blank in a session", A, "GET", S("/api/a%20b/chats"), NULL,
      "native path s:a b" },
    { "+ is one in a path", A, "GET", S("/api/a+b/chats"), NULL,
      "native path s:a+b" },
    { "; is a byte", A, "GET", S("/api/main;x=1/chats"), NULL,
      "native path s:main;x=1" },
    { ", : = are, too", A, "GET", S("/api/a,b:c=d&e/chats"), NULL,
      "native path s:a,b:c=d&e" },
    { "three dots are a name", A, "GET", S("/api/.../chats"), NULL,
      "native path s:..." },
    { "dots in a name", A, "GET", S("/api/..a/.b"), NULL,
      "native path s:..a" },
    { "escapes in what no route reads", A, "GET",
      S("/api/main/chats/1%40c.us"), NULL, "native path s:main" },
    { "a fixed path with an escape", A, "GET", S("/api/%73erver/status"),
      NULL, "error: path has a needless escape" },
    { "another", A, "GET", S("/%61pi/main/chats"), NULL,
      "error: path has a needless escape" },
    { "a send with an escape", A, "POST", S("/api/send%54ext"), NULL,
      "error: path has a needless escape" },
    { "sessions with an escape", A, "GET", S("/api/%73essions/chats"), NULL,
      "error: path has a needless escape" },
    { "an escape in a route that does not fit", A, "GET",
      S("/api/send%54ext/chats"), NULL, "native path s:sendText" },
    { "one in a place where there is another", A, "GET",
      S("/api/main/%73erver"), NULL, "native path s:main" },
    { "//", A, "GET", S("/api//chats"), NULL,
      "error: path has an empty segment" },
    { "// first", A, "GET", S("//api/main"), NULL,
      "error: path has an empty segment" },
    { "// last", A, "GET", S("/api/main//"), NULL,
      "error: path has an empty segment" },
    { "// alone", A, "GET", S("//"), NULL,
      "error: path has an empty segment" },
    { ".", A, "GET", S("/api/./main"), NULL,
      "error: path has a dot segment" },
    { "..", A, "GET", S("/api/main/../other/chats"), NULL,
      "error: path has a dot segment" },
    { ".. last", A, "GET", S("/api/main/.."), NULL,
      "error: path has a dot segment" },
    { ".. with escapes", A, "GET", S("/api/main/%2e%2E/other"), NULL,
      "error: path has a dot segment" },
    { ".. with one escape", A, "GET", S("/api/main/.%2e/other"), NULL,
      "error: path has a dot segment" },
    { ". with an escape", A, "GET", S("/api/%2e/main"), NULL,
      "error: path has a dot segment" },
    { "%2F", A, "GET", S("/api/main%2Fchats"), NULL,
      "error: path has a slash within a segment" },
    { "%2f", A, "GET", S("/api/x%2f..%2fy"), NULL,
      "error: path has a slash within a segment" },
    { "%5C", A, "GET", S("/api/main%5Cchats"), NULL,
      "error: path has a slash within a segment" },
    { "a backslash", A, "GET", S("/api/main\\chats"), NULL,
      "error: path has a slash within a segment" },
    { "%00", A, "GET", S("/api/main%00/chats"), NULL,
      "error: path has a control character" },
    { "%0a", A, "GET", S("/api/main%0a/chats"), NULL,
      "error: path has a control character" },
    { "%7F", A, "GET", S("/api/main%7F/chats"), NULL,
      "error: path has a control character" },
    { "beyond the segments that are kept", A, "GET",
      S("/api/m/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17%00"), NULL,
      "error: path has a control character" },
    { "a NUL", A, "GET", S("/api/main\0/chats"), NULL,
      "error: path has a blank, \"#\" or control character" },
    { "a CR", A, "GET", S("/api/main\r"), NULL,
      "error: path has a blank, \"#\" or control character" },
    { "a DEL", A, "GET", S("/api/main\x7f"), NULL,
      "error: path has a blank, \"#\" or control character" },
    { "a blank", A, "GET", S("/api/a b"), NULL,
      "error: path has a blank, \"#\" or control character" },
    { "a #", A, "GET", S("/api/main#/chats"), NULL,
      "error: path has a blank, \"#\" or control character" },
    { "%23 is a name's", A, "GET", S("/api/a%23b/x"), NULL,
      "native path s:a#b" },
    { "%3F is a name's", A, "GET", S("/api/a%3Fb/x"), NULL,
      "native path s:a?b" },
    { "a bad escape", A, "GET", S("/api/ma%zzin"), NULL,
      "error: path has a bad escape" },
    { "a short escape", A, "GET", S("/api/main%2"), NULL,
      "error: path has a bad escape" },
    { "an escape over a /", A, "GET", S("/api/main%2/0"), NULL,
      "error: path has a bad escape" },
    { "an escape over a ?", A, "GET", S("/api/main%2?0"), NULL,
      "error: path has a bad escape" },
    { "% alone", A, "GET", S("/api/main%"), NULL,
      "error: path has a bad escape" },
    { "%u0041", A, "GET", S("/api/%u0041"), NULL,
      "error: path has a bad escape" },
    { "an absolute form", A, "GET", S("http://a/api/main"), NULL,
      "error: path does not begin with \"/\"" },
    { "OPTIONS *", A, "OPTIONS", S("*"), NULL,
      "error: path does not begin with \"/\"" },
    { "empty", A, "GET", S(""), NULL,
      "error: path does not begin with \"/\"" },
    { "a query alone", A, "GET", S("?session=a"), NULL,
      "error: path does not begin with \"/\"" },

    /* the query */

    { "a query", A, "GET", S("/api/contacts?session=main"), NULL,
      "native body:session s:main" },
    { "among others", A, "GET", S("/api/contacts?a=1&session=main&b=2"), NULL,
      "native body:session s:main" },
    { "a query with escapes", A, "GET", S("/api/contacts?%73ession=m%61in"),
      NULL, "native body:session s:main" },
    { "a query, decoded once", A, "GET", S("/x?session=m%2561in"), NULL,
      "native body:session s:m%61in" },
    { "+ is a blank", A, "GET", S("/x?session=a+b%2Bc"), NULL,
      "native body:session s:a b+c" },
    { "= in a value", A, "GET", S("/x?session=a=b"), NULL,
      "native body:session s:a=b" },
    { "; is a byte in a query", A, "GET", S("/x?a=1;session=b"), NULL,
      "native body:session" },
    { "; in a value", A, "GET", S("/x?session=a;session=b"), NULL,
      "native body:session s:a;session=b" },
    { "? in a query", A, "GET", S("/x?session=a?b"), NULL,
      "native body:session s:a?b" },
    { "a ? in a name", A, "GET", S("/x??session=a"), NULL,
      "native body:session" },
    { "names have case", A, "GET", S("/x?Session=a"), NULL,
      "native body:session" },
    { "more than the name", A, "GET", S("/x?sessions=a&xsession=b&sessio=c"),
      NULL, "native body:session" },
    { "a blank before a name", A, "GET", S("/x?+session=a&%20session=b"),
      NULL, "native body:session" },
    { "empty pairs", A, "GET", S("/x?&&session=a&&"), NULL,
      "native body:session s:a" },
    { "an empty query", A, "GET", S("/x?"), NULL, "native body:session" },
    { "a name that is empty", A, "GET", S("/x?=session&=&==a"), NULL,
      "native body:session" },
    { "a slash in a session of a query", A, "GET", S("/x?session=a%2F../b"),
      NULL, "native body:session s:a/../b" },
    { "twice", A, "GET", S("/x?session=a&session=b"), NULL,
      "error: session is given twice" },
    { "twice the same", A, "GET", S("/x?session=a&b&session=a"), NULL,
      "error: session is given twice" },
    { "twice, an escape", A, "GET", S("/x?session=a&sessio%6e=b"), NULL,
      "error: session is given twice" },
    { "twice, one empty", A, "GET", S("/x?session=a&session="), NULL,
      "error: session is given twice" },
    { "empty value", A, "GET", S("/x?session="), NULL,
      "error: session names an empty session" },
    { "no value", A, "GET", S("/x?a&session&b"), NULL,
      "error: session names an empty session" },
    { "no value, last", A, "GET", S("/x?session"), NULL,
      "error: session names an empty session" },
    { "session[]", A, "GET", S("/x?session[]=a"), NULL,
      "error: session is given as an array or object" },
    { "session[0]", A, "GET", S("/x?session=a&session[0]=b"), NULL,
      "error: session is given as an array or object" },
    { "session[", A, "GET", S("/x?session[=a"), NULL,
      "error: session is given as an array or object" },
    { "session%5B%5d", A, "GET", S("/x?session%5B%5d=a"), NULL,
      "error: session is given as an array or object" },
    { "session.x", A, "GET", S("/x?session.x=a"), NULL,
      "error: session is given as an array or object" },
    { "session%2e", A, "GET", S("/x?session%2e"), NULL,
      "error: session is given as an array or object" },
    { "[session]", A, "GET", S("/x?[session]=a"), NULL,
      "error: session is given as an array or object" },
    { "[session]x", A, "GET", S("/x?%5bsession%5Dx=a"), NULL,
      "error: session is given as an array or object" },
    { "[session is another name", A, "GET", S("/x?[session=a&[session.=b"),
      NULL, "native body:session" },
    { "session] is, too", A, "GET", S("/x?session]=a"), NULL,
      "native body:session" },
    { "a member of another", A, "GET", S("/x?a[session]=b&a.session=c"), NULL,
      "native body:session" },
    { "a bad escape in a value", A, "GET", S("/x?session=a%"), NULL,
      "error: session has a bad escape" },
    { "a bad escape over a &", A, "GET", S("/x?session=a%2&0"), NULL,
      "error: session has a bad escape" },
    { "a bad escape in any name", A, "GET", S("/x?%zz=a"), NULL,
      "error: query has a bad escape" },
    { "also without a place", A, "GET", S("/api/main/x?a%=1"), NULL,
      "error: query has a bad escape" },
    { "a bad escape over a =", A, "GET", S("/x?a%2=0"), NULL,
      "error: query has a bad escape" },
    { "a bad escape in another value", A, "GET", S("/x?text=100%&session=a"),
      NULL, "native body:session s:a" },
    { "a LF in another value", A, "GET", S("/x?text=a%0Ab&session=a"), NULL,
      "native body:session s:a" },
    { "%00 in a value", A, "GET", S("/x?session=a%00"), NULL,
      "error: session has a control character" },
    { "a NUL in a query", A, "GET", S("/x?a=\0"), NULL,
      "error: query has a blank, \"#\" or control character" },
    { "a # in a query", A, "GET", S("/x?a=1#&session=b"), NULL,
      "error: query has a blank, \"#\" or control character" },
    { "a blank in a query", A, "GET", S("/api/main?a=1 b"), NULL,
      "error: query has a blank, \"#\" or control character" },

    /* what is dropped */

    { "dropped", B, "POST", S("/message/sendText/main?instanceName=other"),
      NULL, "send path s:main t:/message/sendText/main" },
    { "not dropped", B, "POST", S("/message/sendText/main?instance=other"),
      NULL, "send path s:main" },
    { "dropped first", B, "GET", S("/chat/find/main?instanceName=a&b=1&c"),
      NULL, "native path s:main t:/chat/find/main?b=1&c" },
    { "dropped in the middle", B, "GET",
      S("/chat/find/main?a&instanceName=x&b=%61"), NULL,
      "native path s:main t:/chat/find/main?a&b=%61" },
    { "dropped last", B, "GET", S("/chat/find/main?a=+&instanceName=x"), NULL,
      "native path s:main t:/chat/find/main?a=+" },
    { "dropped twice", B, "GET",
      S("/chat/find/main?instanceId=1&a&instanceName=x&instanceId=2&b"), NULL,
      "native path s:main t:/chat/find/main?a&b" },
    { "all dropped", B, "GET",
      S("/chat/find/main?instanceId=1&instanceName"), NULL,
      "native path s:main t:/chat/find/main" },
    { "empty pairs stay", B, "GET", S("/a/b/c?&instanceId=1&&d&"), NULL,
      "native path s:c t:/a/b/c?&&d&" },
    { "dropped with escapes", B, "GET", S("/a/b/c?%69nstanceN%61me=x"), NULL,
      "native path s:c t:/a/b/c" },
    { "dropped arrays", B, "GET",
      S("/a/b/c?instanceName[]=x&instanceName.a=y&instanceName%5b0%5d=z"),
      NULL, "native path s:c t:/a/b/c" },
    { "dropped in brackets", B, "GET", S("/a/b/c?[instanceName]=x&d"), NULL,
      "native path s:c t:/a/b/c?d" },
    { "its value may be anything", B, "GET", S("/a/b/c?instanceName=%zz&d"),
      NULL, "native path s:c t:/a/b/c?d" },
    { "dropped in a list", B, "GET", S("/instance/fetchInstances?instanceId=1"
      "&number=2"), NULL, "list t:/instance/fetchInstances?number=2" },
    { "case is another name", B, "GET", S("/a/b/c?instancename=x"), NULL,
      "native path s:c" },
    { "a path in a query", B, "POST",
      S("/message/sendText/main?x=/instance/fetchInstances"), NULL,
      "send path s:main" },
    { "create in a body", B, "POST", S("/instance/create"), NULL,
      "create body:instanceName" },
    { "blocked", B, "DELETE", S("/instance/logout/main"), NULL,
      "blocked path s:main" },
    { "blocked, another", B, "DELETE", S("/Instance/DELETE/main/"), NULL,
      "blocked path s:main" },
    { "not blocked", B, "POST", S("/instance/restart/main"), NULL,
      "native path s:main" },
    { "too few segments", B, "POST", S("/message/sendText"), NULL, "native" },
    { "too many segments", B, "POST", S("/message/sendText/main/x"), NULL,
      "native" },
    { "any segment with an escape", B, "GET", S("/ch%61t/find/main"), NULL,
      "native path s:main" },
    { "a dropped name in an error", B, "GET", S("/a/b/c?instanceName=1&%=2"),
      NULL, "error: query has a bad escape" },

    /* tokens and keys in a path */

    { "a token", C, "POST", S("/api/main:$2b$10$x.y/send-message"), NULL,
      "send path s:main" },
    { "no token", C, "POST", S("/api/main/send-message"), NULL,
      "send path s:main" },
    { "a token after an escape", C, "POST", S("/api/main%3Atok/send-file"),
      NULL, "send path s:main" },
    { "an escape of an escape", C, "POST", S("/api/main%253Atok/send-file"),
      NULL, "send path s:main%3Atok" },
    { "two :", C, "GET", S("/api/main:a:b/status-session"), NULL,
      "native path s:main" },
    { "an empty token", C, "GET", S("/api/main:/status-session"), NULL,
      "native path s:main" },
    { "a token without a name", C, "GET", S("/api/:token/status-session"),
      NULL, "error: path names an empty session" },
    { ": where there is no token", C, "POST",
      S("/api/main:x/SECRET/generate-token"), NULL,
      "login path s:main:x k:SECRET" },
    { "a key", C, "POST", S("/api/main/S%45CRET/generate-token"), NULL,
      "login path s:main k:SECRET" },
    { "a key alone", C, "GET", S("/api/SECRET/show-all-sessions"), NULL,
      "list k:SECRET" },
    { "a key with a list's name", C, "GET",
      S("/api/show-all-sessions/show-all-sessions"), NULL,
      "list k:show-all-sessions" },
    { "HEAD where GET ends it", C, "HEAD", S("/UNHEALTHY/"), NULL,
      "blocked" },

    /* recipients */

    { "a recipient in the query", E, "GET",
      S("/sendText?text=a&phone=%39+6%2B&session=main"), NULL,
      "send body:session s:main r:9 6+" },
    { "none in the query", E, "GET", S("/sendText?phones=1&phon=2&Xphone=3"),
      NULL, "send body:session" },
    { "an empty one in the query", E, "GET", S("/sendText?phone"), NULL,
      "send body:session" },
    { "two in the query", E, "GET", S("/sendText?phone=1&phone=1"), NULL,
      "error: phone is given twice" },
    { "two in the query, one empty", E, "GET", S("/sendText?phone=&phone=1"),
      NULL, "error: phone is given twice" },
    { "an array in the query", E, "GET", S("/sendText?phone[]=1"), NULL,
      "error: phone is given as an array or object" },
    { "a bad escape in the recipient", E, "GET", S("/sendText?phone=%4"),
      NULL, "error: phone has a bad escape" },
    { "both places", E, "POST", S("/both?phone=1"), NULL,
      "send body:session to:chatId r:1" },
    { "a list, in one of two paths", E, "POST", S("/a/main?phone=1"), NULL,
      "send path s:main to[]:phone" },
    { "a list, in the other", E, "POST", S("/b"), NULL,
      "send body:session to[]:phone" },
    { "no recipient is told", E, "POST", S("/sendText?phone=1"), NULL,
      "send body:session" },

    /* headers */

    { "a header", D, "POST", S("/send/message"), "X-Device-Id: main",
      "send s:main" },
    { "a header, no case", D, "POST", S("/send/message"),
      "Host: a\nx-device-ID: main", "send s:main" },
    { "no header", D, "POST", S("/send/message"), "X-Device: main",
      "send h%:X-Device-Id" },
    { "a query for a header", D, "POST", S("/send/message?device_id=main"),
      NULL, "send h%:X-Device-Id s:main" },
    { "both the same", D, "POST", S("/send/message?device_id=m%61in"),
      "X-Device-Id: main", "send s:main" },
    { "both, not the same", D, "POST", S("/send/message?device_id=a"),
      "X-Device-Id: b", "error: X-Device-Id names another session" },
    { "a part of the other", D, "POST", S("/send/message?device_id=a"),
      "X-Device-Id: ab", "error: X-Device-Id names another session" },
    { "a header twice", D, "GET", S("/chats"), "X-Device-Id: a\n"
      "X-DEVICE-ID: b", "error: X-Device-Id is given twice" },
    { "twice the same header", D, "GET", S("/chats"), "X-Device-Id: a\n"
      "X-Device-Id: a", "error: X-Device-Id is given twice" },
    { "an empty header", D, "GET", S("/chats"), "X-Device-Id: ",
      "error: X-Device-Id names an empty session" },
    { "a decoded header", D, "GET", S("/chats"), "X-Device-Id: a%20b+c%2Bd",
      "native s:a b c+d" },
    { "a header, decoded once", D, "GET", S("/chats"), "X-Device-Id: a%2520",
      "native s:a%20" },
    { "a bad escape in a header", D, "GET", S("/chats"), "X-Device-Id: a%2",
      "error: X-Device-Id has a bad escape" },
    { "a control character in a header", D, "GET", S("/chats"),
      "X-Device-Id: a%0d", "error: X-Device-Id has a control character" },
    { "two in one header", D, "GET", S("/chats"), "X-Device-Id: a, b",
      "native s:a, b" },
    { "not decoded", D, "GET", S("/devices/a%2525/status"),
      "X-Device-Id: a%25", "native path s:a%25" },
    { "path and header", D, "GET", S("/devices/main/status"),
      "X-Device-Id: other", "error: X-Device-Id names another session" },
    { "path without header", D, "GET", S("/devices/main/status"), NULL,
      "native path h:X-Device-Id s:main" },
    { "a place that the route lacks", D, "GET",
      S("/devices/main/status?device_id=other"), NULL,
      "native path h:X-Device-Id s:main" },
    { "no segment", D, "GET", S("/?device_id=a"), "X-Device-Id: b", "open" },
    { "blocked for HEAD", D, "HEAD", S("/app/logout"), NULL,
      "blocked h%:X-Device-Id" },
    { "not blocked for POST", D, "POST", S("/app/logout"), NULL,
      "native h%:X-Device-Id" },
    { "four places", D, "M-SEARCH", S("/four/x?c=x"), "a: x\nb: x",
      "native path s:x" },
    { "four places, the second header", D, "PATCH", S("/four/x?c=x"),
      "A: x", "native path h:b s:x" },
    { "four places, the last differs", D, "PATCH", S("/four/x?c=x"),
      "b: y\na: x", "error: b names another session" },

    { NULL, NULL, NULL, ngx_null_string, NULL, NULL }
};


void
wag_unit_route(wag_unit_t *u)
{
    wag_unit_route_case_t  *c;

    for (c = wag_unit_route_cases; c->name; c++) {
        wag_unit_route_case(u, c);
    }

    wag_unit_route_copies(u);
    wag_unit_route_long(u);
}


static wag_routes_t *
wag_unit_route_setup(wag_unit_t *u, const char *text)
{
    u_char        *p, *last, *end;
    ngx_conf_t     cf;
    wag_routes_t  *routes;

    routes = ngx_pcalloc(u->pool, sizeof(wag_routes_t));

    if (routes == NULL || wag_route_conf_init(u->pool, routes) != NGX_OK) {
        return NULL;
    }

    ngx_memzero(&cf, sizeof(ngx_conf_t));

    cf.pool = u->pool;
    cf.log = u->log;

    p = (u_char *) text;
    last = p + ngx_strlen(p);

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, LF);
        if (end == NULL) {
            end = last;
        }

        if (!wag_unit_route_line(&cf, routes, p, end)) {
            return NULL;
        }
    }

    return (wag_route_conf_check(&cf, routes) == NGX_OK) ? routes : NULL;
}


static ngx_uint_t
wag_unit_route_line(ngx_conf_t *cf, wag_routes_t *routes, u_char *p,
    u_char *last)
{
    char       *rv;
    u_char     *end;
    ngx_str_t  *value;

    cf->args = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));
    if (cf->args == NULL) {
        return 0;
    }

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ' ');
        if (end == NULL) {
            end = last;
        }

        value = ngx_array_push(cf->args);
        if (value == NULL) {
            return 0;
        }

        value->len = end - p;
        value->data = ngx_pcalloc(cf->pool, value->len + 1);
        if (value->data == NULL) {
            return 0;
        }

        ngx_memcpy(value->data, p, value->len);
    }

    value = cf->args->elts;

    rv = (value[0].data[0] == 's') ? wag_route_conf_session(cf, routes)
         : (value[0].data[0] == 'd') ? wag_route_conf_drop(cf, routes)
                                     : wag_route_conf_route(cf, routes);

    return (rv == NGX_CONF_OK);
}


static void
wag_unit_route_case(wag_unit_t *u, wag_unit_route_case_t *c)
{
    u_char                got[1024], *target;
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_keyval_t          headers[4];
    wag_routes_t         *routes;
    wag_route_request_t   r;

    routes = wag_unit_route_setup(u, c->routes);

    if (routes == NULL) {
        wag_unit_ok(u, 0, c->name);
        return;
    }

    /* what is left of a request before must not show */

    ngx_memset(&r, 0xff, sizeof(wag_route_request_t));

    target = wag_unit_route_copy(c->target.data, c->target.len);

    r.pool = u->pool;
    r.method.len = ngx_strlen(c->method);
    r.method.data = wag_unit_route_copy(c->method, r.method.len);
    r.target.data = target;
    r.target.len = c->target.len;
    r.headers = headers;
    r.nheaders = wag_unit_route_headers(headers, c->headers);

    rc = wag_route_judge(routes, &r);

    *wag_unit_route_dump(got, rc, &r) = '\0';

    wag_unit_is(u, (char *) got, c->found, c->name);

    for (i = 0; i < r.nheaders; i++) {
        free(headers[i].key.data);
        free(headers[i].value.data);
    }

    free(r.method.data);
    free(target);
}


static ngx_uint_t
wag_unit_route_headers(ngx_keyval_t *headers, const char *text)
{
    u_char      *p, *last, *colon, *end;
    ngx_uint_t   n;

    n = 0;

    p = (u_char *) text;
    last = p ? p + ngx_strlen(p) : p;

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, LF);
        if (end == NULL) {
            end = last;
        }

        colon = ngx_strlchr(p, end, ':');

        headers[n].key.len = colon - p;
        headers[n].key.data = wag_unit_route_copy(p, colon - p);
        headers[n].value.len = end - colon - 2;
        headers[n].value.data = wag_unit_route_copy(colon + 2,
                                                    end - colon - 2);
        n++;
    }

    return n;
}


static u_char *
wag_unit_route_dump(u_char *p, ngx_int_t rc, wag_route_request_t *r)
{
    static const char  *kinds[] = {
        "native", "send", "login", "create", "open", "list", "blocked"
    };

    if (rc == NGX_DECLINED) {
        return ngx_sprintf(p, "error: %V %s", &r->where, r->error);
    }

    if (rc != NGX_OK) {
        return ngx_sprintf(p, "%i", rc);
    }

    p = ngx_sprintf(p, "%s", kinds[r->kind]);

    if (r->path) {
        p = ngx_sprintf(p, " path");
    }

    if (r->body) {
        p = ngx_sprintf(p, " body:%V", &r->member);
    }

    p = wag_unit_route_field(p, r->encode ? " h%:" : " h:", &r->header);
    p = wag_unit_route_field(p, " s:", &r->session);
    p = wag_unit_route_field(p, " k:", &r->key);

    if (r->to) {
        p = wag_unit_route_field(p, r->to->list ? " to[]:" : " to:",
                                 &r->to->member);
    }

    p = wag_unit_route_field(p, " r:", &r->recipient);

    return r->dropped ? wag_unit_route_field(p, " t:", &r->target) : p;
}


static u_char *
wag_unit_route_field(u_char *p, const char *name, ngx_str_t *text)
{
    return text->len ? wag_unit_text(ngx_sprintf(p, "%s", name), text->data,
                                     text->len)
                     : p;
}


/* what has no escape is not copied, and takes nothing of the pool */

static void
wag_unit_route_copies(wag_unit_t *u)
{
    u_char               *last;
    ngx_int_t             rc;
    ngx_pool_t           *pool;
    ngx_keyval_t          header;
    wag_routes_t         *routes;
    wag_route_request_t   r;

    routes = wag_unit_route_setup(u, D);
    pool = ngx_create_pool(1024, u->log);

    if (routes == NULL || pool == NULL) {
        wag_unit_ok(u, 0, "setup of copies");
        return;
    }

    ngx_memzero(&r, sizeof(wag_route_request_t));

    ngx_str_set(&header.key, "x-device-id");
    ngx_str_set(&header.value, "main");

    r.pool = pool;
    ngx_str_set(&r.method, "GET");
    ngx_str_set(&r.target, "/devices/main/status?a=%20&b=+");
    r.headers = &header;
    r.nheaders = 1;

    last = pool->d.last;
    rc = wag_route_judge(routes, &r);

    wag_unit_ok(u, rc == NGX_OK && pool->d.last == last && pool->large == NULL,
                "nothing is allocated");
    wag_unit_ok(u, r.session.data == header.value.data,
                "the session is where it was named");

    r.nheaders = 0;
    rc = wag_route_judge(routes, &r);

    wag_unit_ok(u, rc == NGX_OK && pool->d.last == last
                   && r.session.data == r.target.data + 9,
                "also in a path");

    ngx_destroy_pool(pool);
}


/* a name that no session can have is no error here */

static void
wag_unit_route_long(wag_unit_t *u)
{
    u_char                target[1024];
    ngx_int_t             rc;
    wag_routes_t         *routes;
    wag_route_request_t   r;

    routes = wag_unit_route_setup(u, A);

    if (routes == NULL) {
        wag_unit_ok(u, 0, "setup of a long name");
        return;
    }

    ngx_memset(target, 'x', sizeof(target));
    ngx_memcpy(target, "/api/", 5);

    ngx_memzero(&r, sizeof(wag_route_request_t));

    r.pool = u->pool;
    ngx_str_set(&r.method, "GET");
    r.target.data = target;
    r.target.len = sizeof(target);

    rc = wag_route_judge(routes, &r);

    wag_unit_ok(u, rc == NGX_OK && r.session.len == sizeof(target) - 5,
                "a long name is told as it is");
}


/* with no byte to spare, so that reading beyond it is seen */

static u_char *
wag_unit_route_copy(const void *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);

    if (p == NULL) {
        abort();
    }

    ngx_memcpy(p, data, len);

    return p;
}
