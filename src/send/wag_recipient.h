
/*
 * Copyright (C) the wa_gateway authors
 *
 * To whom a message goes: what people write for a number, a group or a LID,
 * made one form.
 */


#ifndef _WAG_RECIPIENT_H_INCLUDED_
#define _WAG_RECIPIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_TO_USER            0
#define WAG_TO_GROUP           1
#define WAG_TO_LID             2

/* bytes of what is written, digits of an international number, E.164 */

#define WAG_RECIPIENT_LEN      128
#define WAG_RECIPIENT_MIN      8
#define WAG_RECIPIENT_MAX      15


typedef struct {
    ngx_uint_t           type;

    /* digits; an old group's id has one "-" between two numbers */

    ngx_str_t            id;
} wag_recipient_t;


/*
 * Reads a recipient in UTF-8: digits, Arabic-Indic ones too, with a "+" or
 * "00" before and blanks, dashes, dots, parentheses and bidi marks between,
 * or an id of WhatsApp's with its suffix.  "country": digits that take the
 * place of the 0 of a local number; empty: such a number is refused.
 * NGX_OK: "to" is the text itself, or a copy from the pool; NGX_DECLINED:
 * "error" tells why not; NGX_ERROR: no memory.
 */
ngx_int_t wag_recipient_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *country, wag_recipient_t *to, const char **error);

/*
 * The same of a server's own request: what is none of these is told by its
 * digits before "@" and ":", whatever is between them, for servers drop what
 * they do not know; "0" if there are none.  NGX_DECLINED: there are several.
 */
ngx_int_t wag_recipient_native(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *country, wag_recipient_t *to, const char **error);


#endif /* _WAG_RECIPIENT_H_INCLUDED_ */
