
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_tell.h"


u_char *
wag_json_tell_handler(wag_json_scan_t *s, ngx_uint_t event, u_char *p)
{
    s->end = s->seen + (p - s->piece);

    if (s->cut) {
        s->text.len = wag_json_tell_whole(s->text.data, s->text.len);
    }

    if (s->handler(s, event) != NGX_OK) {
        return wag_json_tell_fail(s, s->error ? s->error
                                              : "the reader ended it", p);
    }

    if (s->skip) {
        s->skip_value = (event == WAG_JSON_KEY);
        s->skip_depth = s->depth + (event == WAG_JSON_OBJECT
                                    || event == WAG_JSON_ARRAY);
    }

    return p;
}


u_char *
wag_json_tell_fail(wag_json_scan_t *s, const char *error, u_char *p)
{
    s->error = error;
    s->offset = s->seen + (p - s->piece);

    return NULL;
}


size_t
wag_json_tell_whole(u_char *data, size_t len)
{
    size_t  tail, more;

    for (tail = 0; tail < len && tail < 3; tail++) {
        if ((data[len - tail - 1] & 0xc0) != 0x80) {
            break;
        }
    }

    if (tail == len) {
        return 0;
    }

    switch (data[len - tail - 1] >> 4) {

    case 0xc:
    case 0xd:
        more = 1;
        break;

    case 0xe:
        more = 2;
        break;

    case 0xf:
        more = 3;
        break;

    default:
        more = 0;
    }

    return (tail < more) ? len - tail - 1 : len;
}
