
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a server answered to whoever logs a session in: a QR code that can be
 * shown, or a code that can be typed.  Nothing of it is believed.
 */


#ifndef _WAG_QR_H_INCLUDED_
#define _WAG_QR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of an image, of what has it in base64, of a link, of a code */

#define WAG_QR_MAX       (128 * 1024)
#define WAG_QR_TEXT_MAX  (256 * 1024)
#define WAG_QR_LINK_MAX  2048
#define WAG_QR_CODE_MAX  32


/*
 * The type of an image, by what it begins with: PNG or JPEG, which hold no
 * script.  NULL: it is none of these, or too large.
 */
const char *wag_qr_type(ngx_str_t *image);

/*
 * The bytes of an image in base64 (RFC 4648, 4), with or without "data:...,"
 * before it, from pool.  NGX_OK; NGX_DECLINED: it is none; NGX_ERROR: no
 * memory.
 */
ngx_int_t wag_qr_decode(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *image);

/*
 * The path of a link, for another request to the server that it came from,
 * whatever host it names; with its query.  NGX_DECLINED: it is no link over
 * HTTP, or its path has what servers read in more than one way.
 */
ngx_int_t wag_qr_path(ngx_str_t *link, ngx_str_t *path);

/*
 * Whether it can be typed: letters, digits and "-".
 */
ngx_uint_t wag_qr_is_code(ngx_str_t *code);


#endif /* _WAG_QR_H_INCLUDED_ */
