
/*
 * Copyright (C) the wa_gateway authors
 *
 * A text to send, as an HTML form has it.
 */


#ifndef _WAG_FORM_H_INCLUDED_
#define _WAG_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_member.h"


#define WAG_FORM_MAX_LEN  262144


/*
 * Reads application/x-www-form-urlencoded in UTF-8, all of it in one piece,
 * which is only read; wag_message_init() comes before.  NGX_OK: it is a
 * message; NGX_DECLINED: "error" and "member" tell why it is refused;
 * NGX_ERROR: no memory.
 */
ngx_int_t wag_form_read(wag_message_t *m, ngx_str_t *body);


#endif /* _WAG_FORM_H_INCLUDED_ */
