
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_recipient.h"
#include "wag_unit.h"


typedef struct {
    const char          *country;
    ngx_str_t            text;
    const char          *to;        /* "user:...", or "no: " and why not */
} wag_unit_recipient_case_t;


static void wag_unit_recipient_case(wag_unit_t *u,
    wag_unit_recipient_case_t *c);
static void wag_unit_recipient_native(wag_unit_t *u,
    wag_unit_recipient_case_t *c);
static void wag_unit_recipient_random(wag_unit_t *u);
static u_char *wag_unit_recipient_read(ngx_pool_t *pool, const char *country,
    ngx_str_t *text);


#define S(s)      ngx_string(s)

#define DIGITS    "no: not 8 to 15 digits"
#define ID        "no: invalid id before \"@\""
#define CHAR      "no: invalid character"
#define DEVICE    "no: invalid device after \":\""
#define SUFFIX    "no: unknown suffix"
#define LOCAL     "no: local number, DEFAULT_COUNTRY is not set"
#define ZERO      "no: 0 in place of a country"
#define UNCLOSED  "no: unclosed \"(\""
#define NULLED    "no: \"(0)\" within a number"

#define SAUDI     "user:966501234567"


static wag_unit_recipient_case_t  wag_unit_recipient_cases[] =
{
    /* numbers */

    { "", S("966501234567"), SAUDI },
    { "966", S("966501234567"), SAUDI },
    { "", S("+966501234567"), SAUDI },
    { "", S("00966501234567"), SAUDI },
    { "49", S("00966501234567"), SAUDI },
    { "", S("+966 50 123 4567"), SAUDI },
    { "", S("  966501234567\t"), SAUDI },
    { "", S("+966-50-123-4567"), SAUDI },
    { "", S("+966.50.123.4567"), SAUDI },
    { "", S("+966 (50) 123-4567"), SAUDI },
    { "", S("(+966) 50 123 4567"), SAUDI },
    { "", S("(00966) 50 123 4567"), SAUDI },
    { "", S("0 0 966501234567"), SAUDI },
    { "", S("+ 966501234567"), SAUDI },
    { "", S("966501234567-"), SAUDI },
    { "", S("\xc2\xa0" "966\xc2\xa0" "50\xe2\x80\xaf" "1234567"), SAUDI },
    { "", S("966\xe2\x80\x91" "50\xe2\x80\x93" "1234567"), SAUDI },
    { "", S("966\xe2\x80\x90" "50\xe2\x80\x95" "1234567"), SAUDI },
    { "", S("\xd9\xa9\xd9\xa6\xd9\xa6\xd9\xa5\xd9\xa0\xd9\xa1\xd9\xa2\xd9\xa3"
            "\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7"), SAUDI },
    { "", S("+\xdb\xb9\xdb\xb6\xdb\xb6\xdb\xb5\xdb\xb0\xdb\xb1\xdb\xb2\xdb\xb3"
            "\xdb\xb4\xdb\xb5\xdb\xb6\xdb\xb7"), SAUDI },
    { "", S("966\xd9\xa5\xd9\xa0" "1234567"), SAUDI },
    { "", S("\xd9\xa0\xd9\xa0" "966501234567"), SAUDI },
    { "", S("\xe2\x80\x8e+966501234567\xe2\x80\x8f"), SAUDI },
    { "", S("\xe2\x80\xaa+966 50 123 4567\xe2\x80\xac"), SAUDI },
    { "", S("\xe2\x81\xa6+966501234567\xe2\x81\xa9"), SAUDI },
    { "", S("\xd8\x9c" "966501234567\xe2\x80\xae"), SAUDI },
    { "", S("12345678"), "user:12345678" },
    { "", S("123456789012345"), "user:123456789012345" },
    { "", S("+39 02 1234567"), "user:39021234567" },
    { "", S("1234567"), DIGITS },
    { "", S("1234567890123456"), DIGITS },
    { "", S("+1234567"), DIGITS },
    { "", S("001234567"), DIGITS },
    { "", S("00"), DIGITS },
    { "", S("+"), DIGITS },
    { "", S(""), DIGITS },
    { "", S(" - "), CHAR },
    { "", S(" "), DIGITS },
    { "", S("()"), DIGITS },
    { "", S("120363021234567890"), DIGITS },
    { "", S("14155552671-1415555267"), DIGITS },
    { "", S("-1001234567890"), CHAR },
    { "", S(".966501234567"), CHAR },
    { "", S("++966501234567"), CHAR },
    { "", S("966+501234567"), CHAR },
    { "", S("966501234567+"), CHAR },
    { "", S("966501234567x"), CHAR },
    { "", S("966501234567,966501234568"), CHAR },
    { "", S("966501234567;"), CHAR },
    { "", S("966501234567\n"), CHAR },
    { "", S("966501234567\0"), CHAR },
    { "", S("tel:966501234567"), CHAR },
    { "", S("966501234567:12"), CHAR },
    { "", S("9.66501234567e11"), CHAR },
    { "", S("966/501234567"), CHAR },
    { "", S("966501234567\xef\xbc\x91"), CHAR },
    { "", S("\xe0\xa5\xa7" "12345678"), CHAR },
    { "", S("\xf0\x9d\x9f\x8f" "12345678"), CHAR },
    { "", S("966\xe2\x80\x8b" "501234567"), CHAR },
    { "", S("966\xe2\x80\x96" "501234567"), CHAR },
    { "", S("966\xe2\x81\xaa" "501234567"), CHAR },
    { "", S("966\xd9\xaa" "501234567"), CHAR },
    { "", S("966\xdb\xba" "501234567"), CHAR },
    { "", S("966 (50 1234567"), UNCLOSED },
    { "", S("966 50) 1234567"), CHAR },
    { "", S("966 ((50)) 1234567"), CHAR },
    { "", S("+966 (0) 50 1234567"), NULLED },
    { "", S("+966(0)501234567"), NULLED },
    { "", S("+966 (01) 501234"), "user:96601501234" },

    /* local ones */

    { "966", S("0501234567"), SAUDI },
    { "966", S("050 123 4567"), SAUDI },
    { "966", S("(050) 123-4567"), SAUDI },
    { "966", S("(0)501234567"), SAUDI },
    { "966", S("0501234567@c.us"), SAUDI },
    { "966", S("\xd9\xa0\xd9\xa5\xd9\xa0" "1234567"), SAUDI },
    { "49", S("01711234567"), "user:491711234567" },
    { "1", S("04155552671"), "user:14155552671" },
    { "966", S("0123456789012"), "user:966123456789012" },
    { "966", S("01234567890123"), DIGITS },
    { "966", S("01234"), DIGITS },
    { "966", S("0"), DIGITS },
    { "", S("0501234567"), LOCAL },
    { "", S("0501234567@s.whatsapp.net"), LOCAL },
    { "", S("0"), LOCAL },
    { "966", S("+0501234567"), ZERO },
    { "966", S("000501234567"), ZERO },
    { "", S("+0966501234567"), ZERO },

    /* ids */

    { "", S("966501234567@c.us"), SAUDI },
    { "", S("966501234567@C.US"), SAUDI },
    { "", S("966501234567@s.whatsapp.net"), SAUDI },
    { "", S("966501234567@S.WhatsApp.Net"), SAUDI },
    { "", S("966501234567:12@s.whatsapp.net"), SAUDI },
    { "", S("966501234567:0@c.us"), SAUDI },
    { "", S("+966 50 123 4567@c.us"), SAUDI },
    { "", S(" \xe2\x80\x8e" "966501234567@c.us\xe2\x80\x8e "), SAUDI },
    { "", S("00966501234567@c.us"), SAUDI },
    { "", S("966501234567.1:2@s.whatsapp.net"), CHAR },
    { "", S("966501234567.0@c.us"), CHAR },
    { "", S("966501234567:@c.us"), DEVICE },
    { "", S("966501234567:1x@c.us"), DEVICE },
    { "", S("966501234567:1:2@c.us"), DEVICE },
    { "", S(":12@c.us"), DIGITS },
    { "", S("@c.us"), DIGITS },
    { "", S("1234567@c.us"), DIGITS },
    { "", S("966501234567@"), SUFFIX },
    { "", S("966501234567@c.us.com"), SUFFIX },
    { "", S("966501234567@c.u"), SUFFIX },
    { "", S("966501234567@c us"), SUFFIX },
    { "", S("966501234567@@c.us"), SUFFIX },
    { "", S("966501234567@c.us@c.us"), SUFFIX },
    { "", S("966501234567@gmail.com"), SUFFIX },
    { "", S("966501234567@c.us\0"), SUFFIX },
    { "", S("120363021234567890@g.us"), "group:120363021234567890" },
    { "", S("120363021234567890@G.us "), "group:120363021234567890" },
    { "", S("14155552671-1415555267@g.us"), "group:14155552671-1415555267" },
    { "", S("\xd9\xa1\xd9\xa2" "0363021234567890@g.us"),
      "group:120363021234567890" },
    { "", S("1234567890@g.us"), "group:1234567890" },
    { "966", S("0123456789@g.us"), "group:0123456789" },
    { "", S("12345678901234567890123456789012@g.us"),
      "group:12345678901234567890123456789012" },
    { "", S("1234567890123456-7890123456789012@g.us"),
      "group:1234567890123456-7890123456789012" },
    { "", S("123456789012345678901234567890123@g.us"), ID },
    { "", S("123456789@g.us"), ID },
    { "", S("12345-6789@g.us"), ID },
    { "", S("-1415555267@g.us"), ID },
    { "", S("1415555267-@g.us"), ID },
    { "", S("14155552671-1415-55267@g.us"), ID },
    { "", S("14155552671--141555267@g.us"), ID },
    { "", S("1203 63021234567890@g.us"), ID },
    { "", S("+120363021234567890@g.us"), ID },
    { "", S("120363021234567890:1@g.us"), ID },
    { "", S("@g.us"), ID },
    { "", S("123456789012345@lid"), "lid:123456789012345" },
    { "", S("123456789012345:7@lid"), "lid:123456789012345" },
    { "", S("123456789012345@LID"), "lid:123456789012345" },
    { "", S("12345678@lid"), "lid:12345678" },
    { "", S("12345678901234567890@lid"), "lid:12345678901234567890" },
    { "", S("123456789012345678901@lid"), ID },
    { "", S("1234567@lid"), ID },
    { "", S("12345678-1234567@lid"), ID },
    { "", S("+123456789012345@lid"), ID },
    { "", S("123456789012345:@lid"), DEVICE },
    { "", S("120363021234567890@newsletter"),
      "no: a channel cannot be sent to" },
    { "", S("status@broadcast"), "no: a broadcast list cannot be sent to" },
    { "", S("966501234567@Broadcast"),
      "no: a broadcast list cannot be sent to" },

    /* 128 bytes and one more */

    { "", S("966501234567                    "
            "                                "
            "                                "
            "                                "), SAUDI },
    { "", S("966501234567                    "
            "                                "
            "                                "
            "                                 "), "no: too long" },
    { "966", S("01234567890123456789012345678901"
               "12345678901234567890123456789012"
               "12345678901234567890123456789012"
               "12345678901234567890123456789012"), DIGITS },
    { NULL, ngx_null_string, NULL }
};


/* whatever a server may make of it */

static wag_unit_recipient_case_t  wag_unit_recipient_natives[] =
{
    { "", S("966501234567"), SAUDI },
    { "", S("+966 50 123 4567@c.us"), SAUDI },
    { "966", S("0501234567"), SAUDI },
    { "", S("0501234567"), "user:501234567" },
    { "", S("120363041234567890@g.us"), "group:120363041234567890" },
    { "", S("966501234567-1234567890@g.us"),
      "group:966501234567-1234567890" },
    { "", S("120363041234567890"), "user:120363041234567890" },
    { "", S("966501234567-1234567890"), "user:9665012345671234567890" },
    { "", S("120363041234567890@newsletter"), "user:120363041234567890" },
    { "", S("966501234567:3@newsletter"), SAUDI },
    { "", S("966501234567@s.whatsapp.net@g.us"), SAUDI },
    { "", S("+00966501234567"), SAUDI },
    { "", S("whatsapp:+966501234567"), "user:0" },
    { "", S("x966y501234567z"), SAUDI },
    { "", S("status@broadcast"), "user:0" },
    { "", S("000"), "user:0" },
    { "", S("\xf0" "966501234567"), SAUDI },
    { "", S("966501234567,966501234568"), "no: several recipients" },
    { "", S("966501234567@c.us;966501234568@c.us"), "no: several recipients" },
    { "", S(","), "no: several recipients" },
    { NULL, ngx_null_string, NULL }
};


void
wag_unit_recipient(wag_unit_t *u)
{
    wag_unit_recipient_case_t  *c;

    for (c = wag_unit_recipient_cases; c->country; c++) {
        wag_unit_recipient_case(u, c);
    }

    for (c = wag_unit_recipient_natives; c->country; c++) {
        wag_unit_recipient_native(u, c);
    }

    wag_unit_recipient_random(u);
}


static void
wag_unit_recipient_native(wag_unit_t *u, wag_unit_recipient_case_t *c)
{
    u_char           *got, *p, name[256];
    ngx_int_t         rc;
    ngx_str_t         code;
    const char       *error;
    wag_recipient_t   to;

    static const char  *types[] = { "user", "group", "lid" };

    got = ngx_pnalloc(u->pool, 256);

    code.data = (u_char *) c->country;
    code.len = ngx_strlen(c->country);

    error = NULL;

    rc = wag_recipient_native(u->pool, &c->text, &code, &to, &error);

    if (rc == NGX_OK) {
        *ngx_sprintf(got, "%s:%V", types[to.type], &to.id) = '\0';

    } else {
        *ngx_sprintf(got, "no: %s", error) = '\0';
    }

    p = ngx_cpymem(name, "a native one: ", 14);
    *wag_unit_text(p, c->text.data, c->text.len) = '\0';

    wag_unit_is(u, (char *) got, c->to, (char *) name);
}


static void
wag_unit_recipient_case(wag_unit_t *u, wag_unit_recipient_case_t *c)
{
    u_char     *name, *got;
    ngx_str_t   text;

    name = ngx_pnalloc(u->pool, c->text.len * 3 + 32);
    *wag_unit_text(ngx_sprintf(name, "\"%s\" ", c->country), c->text.data,
                   c->text.len) = '\0';

    /* no byte to spare */

    text.len = c->text.len;
    text.data = malloc(text.len);
    ngx_memcpy(text.data, c->text.data, text.len);

    got = wag_unit_recipient_read(u->pool, c->country, &text);
    free(text.data);

    wag_unit_is(u, (char *) got, c->to, (char *) name);
}


/* the texts of the .t: country, text, what it is */

static void
wag_unit_recipient_random(wag_unit_t *u)
{
    char        *want, *country;
    u_char      *got;
    ngx_str_t    f[3];
    ngx_uint_t   n;

    for (n = 0; wag_unit_record(u, f, 3); n++) {

        country = (char *) ngx_pnalloc(u->pool, f[0].len + 1);
        ngx_cpystrn((u_char *) country, f[0].data, f[0].len + 1);

        want = (char *) ngx_pnalloc(u->pool, f[2].len + 1);
        ngx_cpystrn((u_char *) want, f[2].data, f[2].len + 1);

        got = wag_unit_recipient_read(u->pool, country, &f[1]);

        if (ngx_strcmp(got, want) != 0) {
            wag_unit_is(u, (char *) got, want, "a random number");
            return;
        }
    }

    wag_unit_ok(u, n >= 1000, "random numbers");
}


static u_char *
wag_unit_recipient_read(ngx_pool_t *pool, const char *country, ngx_str_t *text)
{
    u_char           *got;
    ngx_int_t         rc;
    ngx_str_t         code;
    const char       *error;
    wag_recipient_t   to;

    static const char  *types[] = { "user", "group", "lid" };

    got = ngx_pnalloc(pool, 128);

    code.data = (u_char *) country;
    code.len = ngx_strlen(country);

    /* neither is set if it is the other one's turn */

    error = NULL;
    to.id.data = NULL;

    rc = wag_recipient_parse(pool, text, &code, &to, &error);

    if (rc == NGX_DECLINED) {
        *ngx_sprintf(got, "no: %s", error) = '\0';

    } else if (rc == NGX_OK && error == NULL) {
        *ngx_sprintf(got, "%s:%V", types[to.type], &to.id) = '\0';

    } else {
        *ngx_sprintf(got, "rc:%i", rc) = '\0';
    }

    return got;
}
