
/*
 * Copyright (C) the wa_gateway authors
 *
 * A hosts file, see hosts(5).  Pure.
 */


#ifndef _WAG_HOSTS_H_INCLUDED_
#define _WAG_HOSTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Takes lines off the text up to the next one that has the name, whatever the
 * case of its letters, and gives the word that its address is.  0 if there is
 * none any more.
 */
ngx_uint_t wag_hosts_next(ngx_str_t *text, ngx_str_t *name,
    ngx_str_t *address);


#endif /* _WAG_HOSTS_H_INCLUDED_ */
