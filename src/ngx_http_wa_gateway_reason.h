
#ifndef _NGX_HTTP_WA_GATEWAY_REASON_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_REASON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_WA_GATEWAY_REASON_LEN        120
#define NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN  48


/*
 * Why a check failed: a short text for logs and for JSON.  Always valid
 * UTF-8 without control characters, of at most the bytes above, whatever is
 * put in.
 */

typedef struct {
    size_t                              len;
    u_char                              data[NGX_HTTP_WA_GATEWAY_REASON_LEN];
} ngx_http_wa_gateway_reason_t;


/* Starts over with a text, NUL-terminated. */
void ngx_http_wa_gateway_reason_set(ngx_http_wa_gateway_reason_t *r,
    const char *text);

/* Appends a text, NUL-terminated. */
void ngx_http_wa_gateway_reason_add(ngx_http_wa_gateway_reason_t *r,
    const char *text);

/*
 * Appends at most "max" bytes of a text that came from outside: what is no
 * UTF-8 or no printable character becomes "?", what is cut ends with "...".
 */
void ngx_http_wa_gateway_reason_add_value(ngx_http_wa_gateway_reason_t *r,
    ngx_str_t *value, size_t max);


#endif /* _NGX_HTTP_WA_GATEWAY_REASON_H_INCLUDED_ */
