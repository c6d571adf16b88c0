
/*
 * Copyright (C) the wa_gateway authors
 *
 * Numbers of JSON that arrives.
 */


#ifndef _WAG_JSON_NUMBER_H_INCLUDED_
#define _WAG_JSON_NUMBER_H_INCLUDED_


#include "wag_json_event.h"


/*
 * Takes what came of a number, RFC 8259, 6.  It ends with the first byte that
 * is none of its own, and is told of then.  What is behind that; NULL: it
 * failed.
 */
u_char *wag_json_number_scan(wag_json_scan_t *s, u_char *p, u_char *last);

/*
 * Whether what came is a number that may end here.
 */
static ngx_inline ngx_uint_t wag_json_number_is_whole(wag_json_scan_t *s);


static ngx_inline ngx_uint_t
wag_json_number_is_whole(wag_json_scan_t *s)
{
    return s->state == wag_json_scan_zero_st
           || s->state == wag_json_scan_int_st
           || s->state == wag_json_scan_fraction_st
           || s->state == wag_json_scan_exponent_st;
}


#endif /* _WAG_JSON_NUMBER_H_INCLUDED_ */
