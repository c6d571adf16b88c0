
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_qr.h"


typedef struct {
    const char          *begins;
    size_t               len;
    const char          *type;
} wag_qr_image_t;


static ngx_uint_t wag_qr_begins(ngx_str_t *text, const char *with, size_t len);


static wag_qr_image_t  wag_qr_images[] = {
    { "\x89PNG\r\n\x1a\n", 8, "image/png" },
    { "\xff\xd8\xff", 3, "image/jpeg" },
    { NULL, 0, NULL }
};


const char *
wag_qr_type(ngx_str_t *image)
{
    wag_qr_image_t  *known;

    for (known = wag_qr_images; known->type; known++) {

        if (image->len <= WAG_QR_MAX
            && wag_qr_begins(image, known->begins, known->len))
        {
            return known->type;
        }
    }

    return NULL;
}


ngx_int_t
wag_qr_decode(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *image)
{
    u_char     *comma;
    ngx_str_t   base64;

    base64 = *text;

    if (wag_qr_begins(text, "data:", 5)) {
        comma = ngx_strlchr(text->data, text->data + text->len, ',');

        if (comma == NULL) {
            return NGX_DECLINED;
        }

        base64.data = comma + 1;
        base64.len = text->data + text->len - base64.data;
    }

    if (base64.len > WAG_QR_TEXT_MAX) {
        return NGX_DECLINED;
    }

    image->data = ngx_pnalloc(pool, ngx_base64_decoded_length(base64.len) + 1);
    if (image->data == NULL) {
        return NGX_ERROR;
    }

    return (ngx_decode_base64(image, &base64) == NGX_OK) ? NGX_OK
                                                         : NGX_DECLINED;
}


ngx_int_t
wag_qr_path(ngx_str_t *link, ngx_str_t *path)
{
    u_char   ch, *p, *last;
    size_t   scheme;

    scheme = wag_qr_begins(link, "http://", 7) ? 7
             : wag_qr_begins(link, "https://", 8) ? 8 : 0;

    if (link->len > WAG_QR_LINK_MAX) {
        return NGX_DECLINED;
    }

    last = link->data + link->len;
    p = scheme ? ngx_strlchr(link->data + scheme, last, '/') : link->data;

    if (p == NULL || p == last || *p != '/') {
        return NGX_DECLINED;
    }

    path->data = p;
    path->len = last - p;

    for ( /* void */ ; p < last; p++) {
        ch = *p;

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || (ch != '\0' && ngx_strchr("/-_.~?=&", ch) != NULL)))
        {
            return NGX_DECLINED;
        }

        /* no dot segments, and no empty ones */

        if (ch == '/' && p + 1 < last && (p[1] == '.' || p[1] == '/')) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_uint_t
wag_qr_is_code(ngx_str_t *code)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < code->len; i++) {
        ch = code->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '-'))
        {
            return 0;
        }
    }

    return code->len > 0 && code->len <= WAG_QR_CODE_MAX;
}


static ngx_uint_t
wag_qr_begins(ngx_str_t *text, const char *with, size_t len)
{
    return text->len >= len && ngx_memcmp(text->data, with, len) == 0;
}
