
/*
 * Copyright (C) the wa_gateway authors
 *
 * Escapes in strings of JSON that arrives.
 */


#ifndef _WAG_JSON_UNESCAPE_H_INCLUDED_
#define _WAG_JSON_UNESCAPE_H_INCLUDED_


#include "wag_json_event.h"


/*
 * Takes what came of an escape, RFC 8259, 7, behind its backslash, and puts
 * the character to the text; two halves of a pair are one.  What is behind
 * that; NULL: it failed.
 */
u_char *wag_json_unescape_scan(wag_json_scan_t *s, u_char *p, u_char *last);


#endif /* _WAG_JSON_UNESCAPE_H_INCLUDED_ */
