
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_head.h"


static u_char *wag_head_line(u_char *p, u_char *last);
static ngx_int_t wag_head_request_line(wag_head_t *head, u_char *p,
    u_char *end);
static ngx_int_t wag_head_header(wag_head_t *head, u_char *p, u_char *end);
static ngx_uint_t wag_head_is_type(wag_head_t *head, ngx_str_t *wanted);
static u_char *wag_head_blanks(u_char *p, ngx_str_t *value);
static u_char *wag_head_kept(u_char *p, wag_head_t *head,
    wag_name_set_t *drop);


ngx_int_t
wag_head_read(ngx_http_request_t *r, wag_head_t *head)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;
    ngx_buf_t  *b;

    b = r->upstream->request_bufs->buf;

    head->buf = b;
    head->lengths = 0;

    p = b->pos;
    last = b->last;

    end = wag_head_line(p, last);

    if (end == NULL || wag_head_request_line(head, p, end) != NGX_OK) {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        p = end + 2;
        end = wag_head_line(p, last);

        if (end == NULL) {
            return NGX_DECLINED;
        }

        if (end == p) {
            head->body = end + 2;
            return NGX_OK;
        }

        rc = wag_head_header(head, p, end);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* where the line ends, at its CRLF; NULL if it does not */

static u_char *
wag_head_line(u_char *p, u_char *last)
{
    u_char  *end;

    end = memchr(p, LF, last - p);

    return (end && end > p && end[-1] == CR) ? end - 1 : NULL;
}


static ngx_int_t
wag_head_request_line(wag_head_t *head, u_char *p, u_char *end)
{
    u_char  *space;

    space = memchr(p, ' ', end - p);
    if (space == NULL) {
        return NGX_DECLINED;
    }

    head->method.data = p;
    head->method.len = space - p;

    /* a target that came from a variable may have blanks in it */

    p = space + 1;

    for (space = end; space > p && space[-1] != ' '; space--) { /* void */ }

    if (space == p
        || end - space != sizeof("HTTP/1.1") - 1
        || ngx_memcmp(space, "HTTP/1.", sizeof("HTTP/1.") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    head->target.data = p;
    head->target.len = space - 1 - p;

    head->version.data = space;
    head->version.len = end - space;

    return NGX_OK;
}


static ngx_int_t
wag_head_header(wag_head_t *head, u_char *p, u_char *end)
{
    u_char        *colon;
    ngx_keyval_t  *kv;

    colon = memchr(p, ':', end - p);
    if (colon == NULL) {
        return NGX_DECLINED;
    }

    kv = ngx_array_push(&head->headers);
    if (kv == NULL) {
        return NGX_ERROR;
    }

    kv->key.data = p;
    kv->key.len = colon - p;

    head->lengths |= wag_name_set_bit(kv->key.len);

    for (p = colon + 1; p < end && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    kv->value.data = p;
    kv->value.len = end - p;

    return NGX_OK;
}


ngx_keyval_t *
wag_head_find(wag_head_t *head, ngx_str_t *name, ngx_keyval_t *prev)
{
    ngx_keyval_t  *kv, *last;

    if (!(head->lengths & wag_name_set_bit(name->len))) {
        return NULL;
    }

    kv = prev ? prev + 1 : head->headers.elts;
    last = (ngx_keyval_t *) head->headers.elts + head->headers.nelts;

    for ( /* void */ ; kv < last; kv++) {
        if (wag_name_set_same(&kv->key, name)) {
            return kv;
        }
    }

    return NULL;
}


ngx_uint_t
wag_head_is_json(wag_head_t *head)
{
    static ngx_str_t  json = ngx_string("application/json");

    return wag_head_is_type(head, &json);
}


ngx_uint_t
wag_head_is_form(wag_head_t *head)
{
    static ngx_str_t  form = ngx_string("application/x-www-form-urlencoded");

    return wag_head_is_type(head, &form);
}


/*
 * Without a type some servers take it and some do not, and a body of another
 * charset may be read in another way than here.
 */

static ngx_uint_t
wag_head_is_type(wag_head_t *head, ngx_str_t *wanted)
{
    u_char            *p, *last;
    ngx_str_t          rest;
    ngx_keyval_t      *type;
    static ngx_str_t   name = ngx_string("Content-Type");
    static ngx_str_t   encoding = ngx_string("Content-Encoding");
    static ngx_str_t   utf8 = ngx_string("charset=utf-8");
    static ngx_str_t   quoted = ngx_string("charset=\"utf-8\"");

    type = wag_head_find(head, &name, NULL);

    if (type == NULL
        || wag_head_find(head, &name, type)
        || wag_head_find(head, &encoding, NULL)
        || type->value.len < wanted->len
        || !wag_name_set_begin(&type->value, wanted))
    {
        return 0;
    }

    p = wag_head_blanks(type->value.data + wanted->len, &type->value);
    last = type->value.data + type->value.len;

    if (p == last) {
        return 1;
    }

    if (*p != ';') {
        return 0;
    }

    rest.data = wag_head_blanks(p + 1, &type->value);
    rest.len = last - rest.data;

    return rest.len == 0
           || wag_name_set_same(&rest, &utf8)
           || wag_name_set_same(&rest, &quoted);
}


static u_char *
wag_head_blanks(u_char *p, ngx_str_t *value)
{
    while (p < value->data + value->len && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


ngx_int_t
wag_head_put(ngx_http_request_t *r, wag_head_t *head, wag_head_edit_t *edit)
{
    u_char        *p;
    size_t         size;
    ngx_buf_t     *b;
    ngx_str_t     *method;
    ngx_uint_t     i;
    ngx_keyval_t  *kv;

    size = (head->buf->last - head->buf->pos) + edit->method.len
           + edit->target.len;

    kv = edit->add.elts;

    for (i = 0; i < edit->add.nelts; i++) {
        size += kv[i].key.len + sizeof(": ") - 1 + kv[i].value.len
                + sizeof(CRLF) - 1;
    }

    b = ngx_calloc_buf(r->pool);
    p = ngx_pnalloc(r->pool, size);

    if (b == NULL || p == NULL) {
        return NGX_ERROR;
    }

    /* with the flags of the other one */

    *b = *head->buf;

    b->start = p;
    b->pos = p;
    b->end = p + size;

    method = edit->method.len ? &edit->method : &head->method;

    p = ngx_cpymem(p, method->data, method->len);
    *p++ = ' ';
    p = ngx_cpymem(p, edit->target.data, edit->target.len);
    *p++ = ' ';
    p = ngx_cpymem(p, head->version.data, head->version.len);
    *p++ = CR; *p++ = LF;

    p = wag_head_kept(p, head, edit->drop);

    kv = edit->add.elts;

    for (i = 0; i < edit->add.nelts; i++) {
        p = ngx_cpymem(p, kv[i].key.data, kv[i].key.len);
        *p++ = ':'; *p++ = ' ';
        p = ngx_cpymem(p, kv[i].value.data, kv[i].value.len);
        *p++ = CR; *p++ = LF;
    }

    *p++ = CR; *p++ = LF;

    b->last = edit->bare ? p : ngx_cpymem(p, head->body,
                                          head->buf->last - head->body);

    r->upstream->request_bufs->buf = b;

    return NGX_OK;
}


/* the lines of those that are not dropped, as many in a row at once */

static u_char *
wag_head_kept(u_char *p, wag_head_t *head, wag_name_set_t *drop)
{
    u_char        *from, *end;
    ngx_keyval_t  *kv, *last;

    from = NULL;
    end = head->body - (sizeof(CRLF) - 1);

    kv = head->headers.elts;
    last = kv + head->headers.nelts;

    for ( /* void */ ; kv < last; kv++) {

        if (!wag_name_set_has(drop, &kv->key)) {

            if (from == NULL) {
                from = kv->key.data;
            }

            continue;
        }

        if (from) {
            p = ngx_cpymem(p, from, kv->key.data - from);
            from = NULL;
        }
    }

    return from ? ngx_cpymem(p, from, end - from) : p;
}


ngx_uint_t
wag_head_has_body(ngx_http_request_t *r, wag_head_t *head)
{
    ngx_chain_t  *cl;

    if (head->body < head->buf->last) {
        return 1;
    }

    /* nginx has an empty buffer for "Content-Length: 0" */

    for (cl = r->upstream->request_bufs->next; cl; cl = cl->next) {
        if (ngx_buf_size(cl->buf)) {
            return 1;
        }
    }

    return 0;
}
