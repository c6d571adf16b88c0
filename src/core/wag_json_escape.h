
/*
 * Copyright (C) the wa_gateway authors
 *
 * Text within a JSON string, RFC 8259, 7.  Pure.
 */


#ifndef _WAG_JSON_ESCAPE_H_INCLUDED_
#define _WAG_JSON_ESCAPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * How many bytes a text takes there, without quotes.
 */
size_t wag_json_escape_len(ngx_str_t *text);

/*
 * Writes it to where there is room for as many; gives the end.
 */
u_char *wag_json_escape(u_char *p, ngx_str_t *text);


#endif /* _WAG_JSON_ESCAPE_H_INCLUDED_ */
