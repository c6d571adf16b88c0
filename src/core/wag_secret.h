
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_SECRET_H_INCLUDED_
#define _WAG_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_SECRET_NAME_LEN  12

/* without it there is no SHA-256 */

#if (NGX_OPENSSL)
#define WAG_SECRET_NAMES  1
#endif


/*
 * What stands for a secret where it is shown: the first hex digits of its
 * SHA-256, FIPS 180-4.
 */
void wag_secret_name(ngx_str_t *secret, u_char *name);


#endif /* _WAG_SECRET_H_INCLUDED_ */
