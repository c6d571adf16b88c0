
/*
 * Copyright (C) the wa_gateway authors
 *
 * The URLs of instances, in a text.  Pure: what is given back points into
 * the text; no name is looked up and no port is read here.
 */


#ifndef _WAG_URL_H_INCLUDED_
#define _WAG_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Takes the next URL off the text: they are parted by any number of commas,
 * blanks and tabs.  0 if there is none left.
 */
ngx_uint_t wag_url_next(ngx_str_t *text, ngx_str_t *url);

/*
 * "http://" or "https://", in any case, with something behind it: the scheme
 * in lower case and NGX_OK, else NGX_DECLINED.
 */
ngx_int_t wag_url_scheme(ngx_str_t *url, ngx_str_t *scheme);

/*
 * What follows the scheme: a host and maybe a port.  One slash at the end is
 * cut off the URL.  NULL, or what else is there that must not be.
 */
const char *wag_url_host(ngx_str_t *url, ngx_str_t *scheme, ngx_str_t *host);

/*
 * The host and the port of a URL that was found good and that names a host.
 */
void wag_url_domain(ngx_str_t *url, ngx_str_t *domain, in_port_t *port);

/*
 * NULL if DNS may have a host of that name (RFC 1035, 2.3.1, and what is in
 * use besides), or what is wrong.  One that ends in a number is none.
 */
const char *wag_url_name(ngx_str_t *name);


#endif /* _WAG_URL_H_INCLUDED_ */
