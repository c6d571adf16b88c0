
#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_qr.h"
#include "wag_unit.h"


#define PNG   "\x89PNG\r\n\x1a\n"
#define JPEG  "\xff\xd8\xff"


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *result;   /* NULL: it is none */
} wag_unit_qr_case_t;


static void wag_unit_qr_types(wag_unit_t *u);
static void wag_unit_qr_base64(wag_unit_t *u);
static void wag_unit_qr_links(wag_unit_t *u);
static void wag_unit_qr_codes(wag_unit_t *u);
static void wag_unit_qr_is(wag_unit_t *u, ngx_int_t rc, ngx_str_t *got,
    wag_unit_qr_case_t *c);


static wag_unit_qr_case_t  wag_unit_qr_images[] = {
    { "PNG", ngx_string(PNG "x"), "image/png" },
    { "PNG alone", ngx_string(PNG), "image/png" },
    { "JPEG", ngx_string(JPEG "\xe0"), "image/jpeg" },
    { "cut PNG", ngx_string("\x89PNG\r\n\x1a"), NULL },
    { "nothing", ngx_string(""), NULL },
    { "SVG", ngx_string("<svg onload=\"alert(1)\"/>"), NULL },
    { "a page", ngx_string("<!doctype html>"), NULL },
    { "GIF", ngx_string("GIF89a"), NULL },
    { "PNG behind a blank", ngx_string(" " PNG), NULL },
    { NULL, ngx_null_string, NULL }
};


static wag_unit_qr_case_t  wag_unit_qr_texts[] = {
    { "base64", ngx_string("QUJD"), "ABC" },
    { "padded", ngx_string("QUI="), "AB" },
    { "a data URL", ngx_string("data:image/png;base64,QUJD"), "ABC" },
    { "its type does not matter", ngx_string("data:,QUJD"), "ABC" },
    { "no comma", ngx_string("data:image/png;base64"), NULL },
    { "another scheme", ngx_string("javascript:alert(1)"), NULL },
    { "blanks", ngx_string("QU JD"), NULL },
    { "a length of 5", ngx_string("QUJDR"), NULL },
    { "for URLs", ngx_string("__--"), NULL },
    { NULL, ngx_null_string, NULL }
};


static wag_unit_qr_case_t  wag_unit_qr_paths[] = {
    { "a link", ngx_string("http://h:1/s/qr-1.png"), "/s/qr-1.png" },
    { "over TLS", ngx_string("https://h/s.png?a=1&b=2"), "/s.png?a=1&b=2" },
    { "a path", ngx_string("/s/1.png"), "/s/1.png" },
    { "a folder", ngx_string("/s/"), "/s/" },
    { "a host alone", ngx_string("http://h"), NULL },
    { "a name", ngx_string("s.png"), NULL },
    { "nothing", ngx_string(""), NULL },
    { "a host by itself", ngx_string("//h/s.png"), NULL },
    { "another scheme", ngx_string("ftp://h/s.png"), NULL },
    { "dots", ngx_string("http://h/../s"), NULL },
    { "a dot", ngx_string("http://h/./s"), NULL },
    { "dots at the end", ngx_string("http://h/a/.."), NULL },
    { "an empty segment", ngx_string("http://h/a//b"), NULL },
    { "encoded", ngx_string("http://h/%2e%2e/s"), NULL },
    { "CR and LF", ngx_string("http://h/a\r\nX: y"), NULL },
    { "a NUL", ngx_string("http://h/a\0b"), NULL },
    { "a blank", ngx_string("http://h/a b"), NULL },
    { "a place", ngx_string("http://h/<key>"), NULL },
    { "a backslash", ngx_string("http://h/a\\b"), NULL },
    { "a fragment", ngx_string("http://h/a#b"), NULL },
    { NULL, ngx_null_string, NULL }
};


static wag_unit_qr_case_t  wag_unit_qr_typed[] = {
    { "letters and digits", ngx_string("WZYEH1YY"), "" },
    { "in two halves", ngx_string("ABCD-efgh"), "" },
    { "as long as can be", ngx_string("12345678901234567890123456789012"),
      "" },
    { "longer", ngx_string("123456789012345678901234567890123"), NULL },
    { "nothing", ngx_string(""), NULL },
    { "markup", ngx_string("<b>"), NULL },
    { "a blank", ngx_string("AB CD"), NULL },
    { "a NUL", ngx_string("A\0B"), NULL },
    { NULL, ngx_null_string, NULL }
};


void
wag_unit_qr(wag_unit_t *u)
{
    wag_unit_qr_types(u);
    wag_unit_qr_base64(u);
    wag_unit_qr_links(u);
    wag_unit_qr_codes(u);
}


static void
wag_unit_qr_types(wag_unit_t *u)
{
    ngx_str_t            large;
    const char          *type;
    wag_unit_qr_case_t  *c;

    for (c = wag_unit_qr_images; c->name != NULL; c++) {
        type = wag_qr_type(&c->text);

        wag_unit_is(u, type ? type : "none", c->result ? c->result : "none",
                    c->name);
    }

    large.len = WAG_QR_MAX + 1;
    large.data = ngx_pcalloc(u->pool, large.len);

    if (large.data == NULL) {
        wag_unit_ok(u, 0, "memory");
        return;
    }

    ngx_memcpy(large.data, PNG, sizeof(PNG) - 1);

    wag_unit_ok(u, wag_qr_type(&large) == NULL, "a byte too large");

    large.len--;

    wag_unit_ok(u, wag_qr_type(&large) != NULL, "as large as can be");
}


static void
wag_unit_qr_base64(wag_unit_t *u)
{
    ngx_int_t            rc;
    ngx_str_t            image;
    wag_unit_qr_case_t  *c;

    for (c = wag_unit_qr_texts; c->name != NULL; c++) {
        rc = wag_qr_decode(u->pool, &c->text, &image);

        wag_unit_qr_is(u, rc, &image, c);
    }
}


static void
wag_unit_qr_links(wag_unit_t *u)
{
    ngx_int_t            rc;
    ngx_str_t            path;
    wag_unit_qr_case_t  *c;

    for (c = wag_unit_qr_paths; c->name != NULL; c++) {
        rc = wag_qr_path(&c->text, &path);

        wag_unit_qr_is(u, rc, &path, c);
    }
}


static void
wag_unit_qr_codes(wag_unit_t *u)
{
    wag_unit_qr_case_t  *c;

    for (c = wag_unit_qr_typed; c->name != NULL; c++) {
        wag_unit_ok(u, wag_qr_is_code(&c->text) == (c->result != NULL),
                    c->name);
    }
}


static void
wag_unit_qr_is(wag_unit_t *u, ngx_int_t rc, ngx_str_t *got,
    wag_unit_qr_case_t *c)
{
    char  text[256];

    *ngx_slprintf((u_char *) text, (u_char *) text + 255, "%V", got) = '\0';

    wag_unit_is(u, rc == NGX_OK ? text : "none",
                c->result ? c->result : "none", c->name);
}
