
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_body_chain.h"
#include "wag_client.h"
#include "wag_fingerprint.h"
#include "wag_send.h"
#include "wag_siphash.h"


#define WAG_FINGERPRINT_ID_LEN  22   /* of a message's own id */


static void wag_fingerprint_text(wag_digest_t *digest, ngx_str_t *text);
static void wag_fingerprint_part(wag_siphash_t *siphash, ngx_str_t *text);
static void wag_fingerprint_headers(ngx_http_request_t *r,
    wag_siphash_t *siphash);
static ngx_int_t wag_fingerprint_body(ngx_http_request_t *r,
    wag_siphash_t *siphash);
static ngx_int_t wag_fingerprint_piece(void *data, u_char *pos, u_char *last);
static void wag_fingerprint_seal(wag_server_t *server);


static ngx_str_t  wag_fingerprint_own = ngx_string("x-wa-");


void
wag_fingerprint_key(wag_ctx_t *ctx, ngx_str_t *value, wag_marks_key_t *key)
{
    ngx_str_t      owner;
    wag_key_t     *client;
    wag_digest_t   digest;

    client = wag_client_key(ctx->request);

    ngx_str_set(&owner, "");

    if (client && client->label.len) {
        owner = client->label;

    } else if (client) {
        owner.data = client->data;
        owner.len = client->len;
    }

    wag_digest_begin(&digest);
    wag_digest_update(&digest, client == NULL ? "-"
                               : client->label.len ? "l" : "k", 1);

    wag_fingerprint_text(&digest, &ctx->upstream->uscf->host);
    wag_fingerprint_text(&digest, &owner);
    wag_fingerprint_text(&digest, value);

    wag_digest_end(&digest, key->id);
}


/* with its length before it: what follows another is no part of that */

static void
wag_fingerprint_text(wag_digest_t *digest, ngx_str_t *text)
{
    uint32_t  len;

    len = (uint32_t) text->len;

    wag_digest_update(digest, &len, sizeof(uint32_t));
    wag_digest_update(digest, text->data, text->len);
}


static void
wag_fingerprint_part(wag_siphash_t *siphash, ngx_str_t *text)
{
    uint64_t  len;

    len = text->len;

    wag_siphash_update(siphash, &len, sizeof(uint64_t));
    wag_siphash_update(siphash, text->data, text->len);
}


ngx_int_t
wag_fingerprint_request(wag_ctx_t *ctx, wag_marks_key_t *key)
{
    wag_siphash_t        siphash;
    ngx_http_request_t  *r;

    r = ctx->request;

    wag_siphash_begin(&siphash, key->id);

    wag_fingerprint_part(&siphash, &r->method_name);
    wag_fingerprint_part(&siphash, &r->unparsed_uri);
    wag_fingerprint_headers(r, &siphash);

    if (wag_fingerprint_body(r, &siphash) != NGX_OK) {
        return NGX_ERROR;
    }

    wag_siphash_end(&siphash, key->request);

    return NGX_OK;
}


/* by their names in small letters, as they came */

static void
wag_fingerprint_headers(ngx_http_request_t *r, wag_siphash_t *siphash)
{
    ngx_str_t         name, *own;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    own = &wag_fingerprint_own;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len < own->len
                || ngx_memcmp(h[i].lowcase_key, own->data, own->len) != 0)
            {
                continue;
            }

            name.data = h[i].lowcase_key;
            name.len = h[i].key.len;

            wag_fingerprint_part(siphash, &name);
            wag_fingerprint_part(siphash, &h[i].value);
        }
    }

    wag_siphash_update(siphash, "\n", 1);
}


static ngx_int_t
wag_fingerprint_body(ngx_http_request_t *r, wag_siphash_t *siphash)
{
    ngx_int_t  rc;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    rc = wag_body_chain(r->request_body->bufs, WAG_BODY_CHAIN_PIECE,
                        r->connection->log, wag_fingerprint_piece, siphash);

    return (rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
wag_fingerprint_piece(void *data, u_char *pos, u_char *last)
{
    wag_siphash_update(data, pos, last - pos);

    return NGX_AGAIN;
}


/*
 * As WhatsApp's own clients make them: 3EB0 and 18 digits.  Who gets the
 * message sees it, so the server's key is that of the hash: an Idempotency-Key
 * of few letters cannot be found by trying.
 */

ngx_int_t
wag_fingerprint_own_id(wag_ctx_t *ctx, wag_peer_t *peer, wag_marks_key_t *key)
{
    u_char          hash[WAG_SIPHASH_LEN], *p;
    ngx_uint_t      i;
    wag_server_t   *server;
    wag_siphash_t   siphash;
    static u_char   hex[] = "0123456789ABCDEF";

    server = peer->server;

    if (!wag_send_takes_id(server->vendor)) {
        return NGX_OK;
    }

    if (!server->sealed) {
        wag_fingerprint_seal(server);
    }

    wag_siphash_begin(&siphash, server->seal);
    wag_siphash_update(&siphash, key->id, WAG_DIGEST_LEN);
    wag_siphash_update(&siphash, key->request, WAG_SIPHASH_LEN);
    wag_siphash_end(&siphash, hash);

    p = ngx_pnalloc(ctx->request->pool, WAG_FINGERPRINT_ID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->own_id.data = p;
    ctx->own_id.len = WAG_FINGERPRINT_ID_LEN;

    p = ngx_cpymem(p, "3EB0", 4);

    for (i = 0; i < (WAG_FINGERPRINT_ID_LEN - 4) / 2; i++) {
        *p++ = hex[hash[i] >> 4];
        *p++ = hex[hash[i] & 0xf];
    }

    return NGX_OK;
}


static void
wag_fingerprint_seal(wag_server_t *server)
{
    u_char        hash[WAG_DIGEST_LEN];
    wag_digest_t  digest;

    wag_digest_begin(&digest);
    wag_fingerprint_text(&digest, &server->key);
    wag_digest_end(&digest, hash);

    ngx_memcpy(server->seal, hash, sizeof(server->seal));
    server->sealed = 1;
}
