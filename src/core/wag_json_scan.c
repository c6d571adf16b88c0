
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_number.h"
#include "wag_json_scan.h"
#include "wag_json_string.h"
#include "wag_json_tell.h"
#include "wag_json_unescape.h"


static u_char *wag_json_scan_structure(wag_json_scan_t *s, u_char *p,
    u_char *last);
static u_char *wag_json_scan_value(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_open(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_close(wag_json_scan_t *s, u_char *p);
static u_char *wag_json_scan_word(wag_json_scan_t *s, u_char *p, u_char *last);
static void wag_json_scan_begin(wag_json_scan_t *s, u_char *p,
    wag_json_scan_state_e state);


void
wag_json_scan_init(wag_json_scan_t *s, wag_json_scan_pt handler, void *data,
    ngx_uint_t depth)
{
    ngx_memzero(s, sizeof(wag_json_scan_t));

    s->handler = handler;
    s->data = data;
    s->lengths = (uint64_t) -1;
    s->max_depth = ngx_min(depth, WAG_JSON_SCAN_MAX_DEPTH);
}


ngx_int_t
wag_json_scan_parse(wag_json_scan_t *s, u_char *pos, u_char *last)
{
    u_char  *p;

    if (s->error != NULL) {
        return NGX_ERROR;
    }

    s->piece = pos;

    for (p = pos; p < last; /* void */ ) {

        if (s->state < wag_json_scan_string_st) {
            p = wag_json_scan_structure(s, p, last);

        } else if (s->state == wag_json_scan_string_st) {
            p = wag_json_string_scan(s, p, last);

        } else if (s->state < wag_json_scan_number_st) {
            p = wag_json_unescape_scan(s, p, last);

        } else if (s->state < wag_json_scan_word_st) {
            p = wag_json_number_scan(s, p, last);

        } else {
            p = wag_json_scan_word(s, p, last);
        }

        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    s->seen += last - pos;

    return NGX_AGAIN;
}


ngx_int_t
wag_json_scan_end(wag_json_scan_t *s)
{
    if (s->error != NULL) {
        return NGX_ERROR;
    }

    s->piece = NULL;

    if (s->depth == 0 && wag_json_number_is_whole(s)) {
        s->state = wag_json_scan_done_st;

        (void) wag_json_tell_event(s, WAG_JSON_NUMBER, NULL);

        if (s->error != NULL) {
            return NGX_ERROR;
        }
    }

    if (s->state == wag_json_scan_done_st) {
        return NGX_OK;
    }

    (void) wag_json_tell_fail(s, (s->depth || s->state)
                                 ? "invalid JSON: it is cut short"
                                 : "invalid JSON: no value", NULL);

    return NGX_ERROR;
}


static u_char *
wag_json_scan_structure(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *end;

    for ( /* void */ ; p < last; p++) {

        if (*p == ' ' || *p == LF || *p == CR || *p == '\t') {
            continue;
        }

        switch (s->state) {

        case wag_json_scan_colon_st:

            if (*p != ':') {
                return wag_json_tell_fail(s, "invalid JSON: no colon", p);
            }

            s->state = wag_json_scan_value_st;
            break;

        case wag_json_scan_next_st:

            if (*p != ',') {
                return wag_json_scan_close(s, p);
            }

            s->state = (s->arrays & 1) ? wag_json_scan_value_st
                                       : wag_json_scan_key_st;
            break;

        case wag_json_scan_first_key_st:

            if (*p == '}') {
                return wag_json_scan_close(s, p);
            }

            /* fall through */

        case wag_json_scan_key_st:

            if (*p != '"') {
                return wag_json_tell_fail(s, "invalid JSON: no name", p);
            }

            wag_json_scan_begin(s, p, wag_json_scan_string_st);
            s->key = 1;

            end = wag_json_string_short(p + 1, last);

            if (end == NULL) {
                return p + 1;
            }

            wag_json_tell_put_key(s, p + 1, end - p - 1);
            s->state = wag_json_scan_colon_st;

            p = wag_json_tell_key(s, end + 1);

            if (p == NULL) {
                return NULL;
            }

            if (p < last && *p == ':') {
                s->state = wag_json_scan_value_st;
                break;
            }

            p--;
            break;

        case wag_json_scan_first_value_st:

            if (*p == ']') {
                return wag_json_scan_close(s, p);
            }

            /* fall through */

        case wag_json_scan_value_st:

            if (*p != '"') {
                return wag_json_scan_value(s, p);
            }

            wag_json_scan_begin(s, p, wag_json_scan_string_st);
            s->key = 0;

            end = wag_json_string_short(p + 1, last);

            if (end == NULL) {
                return p + 1;
            }

            wag_json_tell_put(s, p + 1, end - p - 1);
            s->state = s->depth ? wag_json_scan_next_st
                                : wag_json_scan_done_st;

            p = wag_json_tell_event(s, WAG_JSON_STRING, end + 1);

            if (p == NULL) {
                return NULL;
            }

            if (p < last && *p == ',' && s->depth) {
                s->state = (s->arrays & 1) ? wag_json_scan_value_st
                                           : wag_json_scan_key_st;
                break;
            }

            p--;
            break;

        default: /* wag_json_scan_done_st */
            return wag_json_tell_fail(s, "invalid JSON: more than one value",
                                      p);
        }
    }

    return p;
}


static u_char *
wag_json_scan_value(wag_json_scan_t *s, u_char *p)
{
    switch (*p) {

    case '{':
    case '[':
        return wag_json_scan_open(s, p);

    case 't':
        s->word = "true";
        s->event = WAG_JSON_TRUE;
        break;

    case 'f':
        s->word = "false";
        s->event = WAG_JSON_FALSE;
        break;

    case 'n':
        s->word = "null";
        s->event = WAG_JSON_NULL;
        break;

    default:

        if (*p != '-' && (*p < '0' || *p > '9')) {
            return wag_json_tell_fail(s, "invalid JSON: no value", p);
        }

        wag_json_scan_begin(s, p, wag_json_scan_number_st);
        return p;
    }

    wag_json_scan_begin(s, p, wag_json_scan_word_st);

    return p;
}


static u_char *
wag_json_scan_open(wag_json_scan_t *s, u_char *p)
{
    u_char      *next;
    ngx_uint_t   array;

    if (s->depth == s->max_depth) {
        return wag_json_tell_fail(s, "JSON is nested too deep", p);
    }

    array = (*p == '[') ? 1 : 0;

    wag_json_scan_begin(s, p, array ? wag_json_scan_first_value_st
                                    : wag_json_scan_first_key_st);

    next = wag_json_tell_event(s, array ? WAG_JSON_ARRAY : WAG_JSON_OBJECT,
                               p + 1);

    s->arrays = s->arrays << 1 | array;
    s->depth++;

    return next;
}


static u_char *
wag_json_scan_close(wag_json_scan_t *s, u_char *p)
{
    ngx_uint_t  array;

    array = s->arrays & 1;

    if (*p != (array ? ']' : '}')) {
        return wag_json_tell_fail(s, "invalid JSON: no comma", p);
    }

    s->arrays >>= 1;
    s->depth--;

    wag_json_scan_begin(s, p, s->depth ? wag_json_scan_next_st
                                       : wag_json_scan_done_st);

    return wag_json_tell_event(s, array ? WAG_JSON_ARRAY_END
                                        : WAG_JSON_OBJECT_END, p + 1);
}


static u_char *
wag_json_scan_word(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char  *run;

    for (run = p; p < last && *s->word != '\0'; p++) {

        if (*p != (u_char) *s->word++) {
            return wag_json_tell_fail(s, "invalid JSON: no value", p);
        }
    }

    wag_json_tell_put(s, run, p - run);

    if (*s->word != '\0') {
        return p;
    }

    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_tell_event(s, s->event, p);
}


static void
wag_json_scan_begin(wag_json_scan_t *s, u_char *p, wag_json_scan_state_e state)
{
    s->state = state;
    s->start = s->seen + (p - s->piece);
    s->text.data = s->room.data;
    s->text.len = 0;
    s->cut = 0;
}
