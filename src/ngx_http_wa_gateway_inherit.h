
/*
 * Copyright (C) the wa_gateway authors
 *
 * What a zone that is new takes over from those of the configuration before:
 * nginx reuses memory only for a zone of the same name and size.
 */


#ifndef _NGX_HTTP_WA_GATEWAY_INHERIT_H_INCLUDED_
#define _NGX_HTTP_WA_GATEWAY_INHERIT_H_INCLUDED_


#include "ngx_http_wa_gateway_module.h"


/*
 * Takes over when the gateway was started, and the number of configurations.
 */
void ngx_http_wa_gateway_inherit_root(ngx_http_wa_gateway_zone_t *zone);

/*
 * Looks in other zones for an upstream that is new in this one, and takes
 * over its counters and events and the records of its instances, but not what
 * is in flight: that is given back where it was taken.
 */
void ngx_http_wa_gateway_inherit_upstream(ngx_http_wa_gateway_zone_t *zone,
    ngx_http_wa_gateway_upstream_t *us);


#endif /* _NGX_HTTP_WA_GATEWAY_INHERIT_H_INCLUDED_ */
