
/*
 * Copyright (C) the wa_gateway authors
 *
 * JSON as it arrives, in pieces of any size: events, text, offsets.
 */


#ifndef _WAG_JSON_SCAN_H_INCLUDED_
#define _WAG_JSON_SCAN_H_INCLUDED_


#include "wag_json_event.h"


#define WAG_JSON_SCAN_MAX_DEPTH  64


/*
 * Prepares for one text, which may be nested "depth" deep, 64 at most.
 */
void wag_json_scan_init(wag_json_scan_t *s, wag_json_scan_pt handler,
    void *data, ngx_uint_t depth);

/*
 * Takes the next bytes of a JSON text, RFC 8259, strictly: one value, in
 * valid UTF-8, without a byte order mark and lone surrogates.  NGX_AGAIN: go
 * on; NGX_ERROR: "error" and "offset" tell.  Events and verdict do not depend
 * on how the text is split.
 */
ngx_int_t wag_json_scan_parse(wag_json_scan_t *s, u_char *pos, u_char *last);

/*
 * There are no more bytes; a number may be told of only now.  NGX_OK: it was
 * one JSON text; NGX_ERROR.
 */
ngx_int_t wag_json_scan_end(wag_json_scan_t *s);


#endif /* _WAG_JSON_SCAN_H_INCLUDED_ */
