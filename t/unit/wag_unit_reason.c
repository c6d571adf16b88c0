
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_reason.h"
#include "wag_unit.h"


typedef struct {
    const char          *name;
    ngx_str_t            value;
    size_t               max;
    const char          *text;
} wag_unit_reason_case_t;


static wag_unit_reason_case_t
    wag_unit_reason_cases[] =
{
    { "plain", ngx_string("TIMEOUT"), 48, "<TIMEOUT" },
    { "empty", ngx_string(""), 48, "<" },
    { "control characters", ngx_string("a\r\n\t\0\x1f\x7f z"), 48,
      "<a?????? z" },
    { "C1 control", ngx_string("a\xc2\x85z\xc2\xa0"), 48,
      "<a??z\xc2\xa0" },
    { "arabic", ngx_string("\xd9\x84\xd8\xa7"), 48, "<\xd9\x84\xd8\xa7" },
    { "emoji", ngx_string("\xf0\x9f\x98\x80"), 48, "<\xf0\x9f\x98\x80" },
    { "stray continuation", ngx_string("\x80\xbf"), 48, "<??" },
    { "overlong", ngx_string("\xc0\xaf\xe0\x80\xaf"), 48, "<?????" },
    { "surrogate", ngx_string("\xed\xa0\x80"), 48, "<???" },
    { "beyond Unicode", ngx_string("\xf4\x90\x80\x80\xf8"), 48, "<?????" },
    { "lead byte as continuation", ngx_string("\xd9\xd9\x84"), 48,
      "<?\xd9\x84" },
    { "cut character at the end", ngx_string("a\xd9"), 48, "<a?" },
    { "just fits", ngx_string("12345678"), 8, "<12345678" },
    { "cut", ngx_string("123456789"), 8, "<12345..." },
    { "cut between characters", ngx_string("1234\xd9\x84\xd8\xa7\xd8\xa7"), 8,
      "<1234..." },
    { "cut to less than dots", ngx_string("123"), 2, "<12" },
    { NULL, ngx_null_string, 0, NULL }
};


void
wag_unit_reason(wag_unit_t *u)
{
    char                     text[256];
    u_char                   fill[300];
    ngx_str_t                value;
    ngx_uint_t               i;
    wag_reason_t             r;
    wag_unit_reason_case_t  *c;

    for (c = wag_unit_reason_cases; c->name != NULL; c++) {
        wag_reason_set(&r, "<");
        wag_reason_add_value(&r, &c->value, c->max);

        *ngx_cpymem(text, r.data, r.len) = '\0';
        wag_unit_is(u, text, c->text, c->name);
    }

    value.data = fill;
    value.len = sizeof(fill);

    for (i = 0; i < value.len; i++) {
        value.data[i] = (i & 1) ? 0x84 : 0xd9;
    }

    wag_reason_set(&r, "<");
    wag_reason_add_value(&r, &value, 1000);

    wag_unit_ok(u, r.len == 120
                                   && ngx_strncmp(r.data + 115, "\xd9\x84...",
                                                  5) == 0,
                "never longer than its bound");

    wag_reason_add(&r, "abcdefg");
    wag_reason_add(&r, "abcdefg");

    wag_unit_ok(u, r.len <= WAG_REASON_LEN, "nothing fits into a full reason");
}
