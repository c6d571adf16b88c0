
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_ttl.h"


static ngx_resolver_node_t *wag_ttl_node(ngx_resolver_t *resolver,
    ngx_str_t *name);


time_t
wag_ttl_take(ngx_resolver_t *resolver, ngx_str_t *name)
{
    time_t                ttl;
    ngx_str_t             alias;
    ngx_uint_t            i;
    ngx_resolver_node_t  *node;

    ttl = WAG_TTL_MAX;
    alias = *name;

    for (i = 0; i <= NGX_RESOLVER_MAX_RECURSION; i++) {

        node = wag_ttl_node(resolver, &alias);
        if (node == NULL) {
            break;
        }

        node->valid = 0;
        ttl = ngx_min(ttl, (time_t) node->ttl);

        if (node->cnlen == 0) {
            break;
        }

        alias.len = node->cnlen;
        alias.data = node->u.cname;
    }

    return ttl;
}


/* as ngx_resolver_lookup_name() */

static ngx_resolver_node_t *
wag_ttl_node(ngx_resolver_t *resolver, ngx_str_t *name)
{
    uint32_t              hash;
    ngx_int_t             rc;
    ngx_rbtree_node_t    *node, *sentinel;
    ngx_resolver_node_t  *rn;

    hash = ngx_crc32_short(name->data, name->len);

    node = resolver->name_rbtree.root;
    sentinel = resolver->name_rbtree.sentinel;

    while (node != sentinel) {

        if (hash != node->key) {
            node = (hash < node->key) ? node->left : node->right;
            continue;
        }

        rn = (ngx_resolver_node_t *) node;

        rc = ngx_memn2cmp(name->data, rn->name, name->len, rn->nlen);

        if (rc == 0) {
            return rn;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}
