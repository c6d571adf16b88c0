
/*
 * Copyright (C) the wa_gateway authors
 *
 * How long an answer holds that nginx's resolver has just given.  It does not
 * tell; what it keeps is looked at, as it lies in its trees.
 */


#ifndef _WAG_TTL_H_INCLUDED_
#define _WAG_TTL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define WAG_TTL_MAX  (24 * 86400)   /* s: its ms are a timer's */


/*
 * The least TTL, in s, of a name in lower case and of what it is an alias of;
 * WAG_TTL_MAX at most.  The resolver keeps none of these any longer: it would
 * answer from them for as long as they hold, though it is asked anew.
 */
time_t wag_ttl_take(ngx_resolver_t *resolver, ngx_str_t *name);


#endif /* _WAG_TTL_H_INCLUDED_ */
