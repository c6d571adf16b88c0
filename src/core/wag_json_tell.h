
/*
 * Copyright (C) the wa_gateway authors
 *
 * What the reader of JSON that arrives is told: the text of a key or scalar,
 * its event, an error; nothing of what it does not want.
 */


#ifndef _WAG_JSON_TELL_H_INCLUDED_
#define _WAG_JSON_TELL_H_INCLUDED_


#include "wag_json_event.h"


/*
 * Puts the next bytes of a text that is wanted behind those before, as far as
 * there is room.
 */
static ngx_inline void wag_json_tell_put(wag_json_scan_t *s, u_char *data,
    size_t len);

/*
 * The same for all of a key, or the rest of it: one that came whole and
 * without an escape is not copied.
 */
static ngx_inline void wag_json_tell_put_key(wag_json_scan_t *s, u_char *data,
    size_t len);

/*
 * An event, which ended before "p", to who reads, unless it is within what is
 * skipped.  "p"; NULL: the reader ended the scan.
 */
static ngx_inline u_char *wag_json_tell_event(wag_json_scan_t *s,
    ngx_uint_t event, u_char *p);

/*
 * The same for a key, by its length first.
 */
static ngx_inline u_char *wag_json_tell_key(wag_json_scan_t *s, u_char *p);

/*
 * Ends the scan with an error, which is of the byte at "p".  NULL.
 */
u_char *wag_json_tell_fail(wag_json_scan_t *s, const char *error, u_char *p);

/*
 * How many of the first "len" bytes of valid UTF-8 are whole characters.
 */
size_t wag_json_tell_whole(u_char *data, size_t len);

/*
 * For wag_json_tell_event() alone: whether an event belongs to what is
 * skipped, which may end with it; calls the handler.
 */
static ngx_inline ngx_uint_t wag_json_tell_skips(wag_json_scan_t *s,
    ngx_uint_t event);
u_char *wag_json_tell_handler(wag_json_scan_t *s, ngx_uint_t event, u_char *p);


static ngx_inline void
wag_json_tell_put(wag_json_scan_t *s, u_char *data, size_t len)
{
    size_t  size;

    if (s->skip) {
        return;
    }

    size = s->room.len - s->text.len;

    if (len > size) {
        len = size;
        s->cut = 1;
    }

    if (len) {
        ngx_memcpy(s->text.data + s->text.len, data, len);
        s->text.len += len;
    }
}


static ngx_inline void
wag_json_tell_put_key(wag_json_scan_t *s, u_char *data, size_t len)
{
    if (s->text.len == 0 && !s->cut && len <= s->room.len) {
        s->text.data = data;
        s->text.len = len;

    } else {
        wag_json_tell_put(s, data, len);
    }
}


static ngx_inline u_char *
wag_json_tell_event(wag_json_scan_t *s, ngx_uint_t event, u_char *p)
{
    return (s->skip && wag_json_tell_skips(s, event))
           ? p : wag_json_tell_handler(s, event, p);
}


static ngx_inline u_char *
wag_json_tell_key(wag_json_scan_t *s, u_char *p)
{
    if (s->skip || (s->lengths & wag_json_scan_length(s->text.len))) {
        return wag_json_tell_event(s, WAG_JSON_KEY, p);
    }

    s->skip = 1;
    s->skip_value = 1;
    s->skip_depth = s->depth;

    return p;
}


static ngx_inline ngx_uint_t
wag_json_tell_skips(wag_json_scan_t *s, ngx_uint_t event)
{
    if (s->depth < s->skip_depth) {
        s->skip = 0;
        return 0;
    }

    if (s->skip_value && s->depth == s->skip_depth
        && event != WAG_JSON_OBJECT && event != WAG_JSON_ARRAY)
    {
        s->skip = 0;
    }

    return 1;
}


#endif /* _WAG_JSON_TELL_H_INCLUDED_ */
