
#include "fuzz.h"

#include "wag_pick.h"


/*
 * The picker.  Two bytes choose how the text is split and the rooms; then
 * lines: the path of items, or none, the paths of values up to an empty line,
 * the text.  What is picked must be the same for the whole, the pieces and
 * single bytes, and what is found by going through all of the text for each
 * value anew.
 */

typedef struct {
    wag_pick_t           p;
    wag_pick_value_t     values[WAG_PICK_MAX_VALUES];
    u_char              *log;
    size_t               len;
    size_t               size;
    ngx_int_t            rc;
} fuzz_pick_t;


typedef struct {
    ngx_str_t            text;
    wag_json_path_t      items;
    wag_json_path_t      paths[WAG_PICK_MAX_VALUES];
    size_t               sizes[WAG_PICK_MAX_VALUES];
    ngx_uint_t           list;
    ngx_uint_t           n;
} fuzz_pick_setup_t;


static ngx_int_t fuzz_pick_setup(fuzz_pick_setup_t *s, ngx_pool_t *pool,
    u_char *data, size_t size);
static void fuzz_pick_run(fuzz_pick_t *f, fuzz_pick_setup_t *s, size_t step);
static ngx_int_t fuzz_pick_item(wag_pick_t *p);
static void fuzz_pick_log(fuzz_pick_t *f, ngx_uint_t type, ngx_uint_t cut,
    u_char *text, size_t len);
static void fuzz_pick_same(fuzz_pick_t *a, fuzz_pick_t *b);
static void fuzz_pick_plain(fuzz_pick_t *f, fuzz_pick_setup_t *s);
static void fuzz_pick_plain_item(fuzz_pick_t *f, fuzz_pick_setup_t *s,
    u_char *item);
static u_char *fuzz_pick_blank(u_char *p);
static u_char *fuzz_pick_skip(u_char *p);
static u_char *fuzz_pick_find(u_char *p, wag_json_path_t *path,
    ngx_uint_t *twice);
static u_char *fuzz_pick_step(u_char *p, wag_json_step_t *step,
    ngx_uint_t *twice);
static size_t fuzz_pick_text(u_char *p, u_char *last, u_char *text);
static ngx_int_t fuzz_pick_event(wag_json_scan_t *s, ngx_uint_t event);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char             *copy;
    ngx_pool_t         *pool;
    fuzz_pick_t         whole, split, bytes;
    fuzz_pick_setup_t   s;

    if (size < 2) {
        return 0;
    }

    pool = ngx_create_pool(4096, fuzz_log());
    fuzz_assert(pool != NULL);

    /* a NUL ends the text for the plain reader */

    copy = malloc(size + 1);
    fuzz_assert(copy != NULL);

    ngx_memcpy(copy, data, size);
    copy[size] = '\0';

    if (fuzz_pick_setup(&s, pool, copy, size) == NGX_OK) {
        fuzz_pick_run(&whole, &s, size);
        fuzz_pick_run(&split, &s, 1 + copy[0]);
        fuzz_pick_run(&bytes, &s, 1);

        fuzz_pick_same(&whole, &split);
        fuzz_pick_same(&whole, &bytes);

        fuzz_pick_plain(&whole, &s);

        free(whole.log);
        free(split.log);
        free(bytes.log);
    }

    ngx_destroy_pool(pool);
    free(copy);

    return 0;
}


static ngx_int_t
fuzz_pick_setup(fuzz_pick_setup_t *s, ngx_pool_t *pool, u_char *data,
    size_t size)
{
    u_char           *p, *end, *last;
    ngx_str_t         line;
    ngx_uint_t        i;
    wag_json_path_t  *path;

    ngx_memzero(s, sizeof(fuzz_pick_setup_t));

    p = data + 2;
    last = data + size;

    for (i = 0; i < WAG_PICK_MAX_VALUES + 2; i++, p = end + 1) {
        end = memchr(p, LF, last - p);

        if (end == NULL) {
            return NGX_DECLINED;
        }

        line.data = p;
        line.len = end - p;

        if (line.len == 0) {

            if (i == 0) {
                continue;
            }

            s->text.data = end + 1;
            s->text.len = last - end - 1;

            return NGX_OK;
        }

        if (i == WAG_PICK_MAX_VALUES + 1) {
            break;
        }

        path = (i == 0) ? &s->items : &s->paths[s->n];

        if (wag_json_path(pool, &line, path) != NGX_OK) {
            break;
        }

        if (i == 0) {
            s->list = 1;

        } else {
            s->sizes[s->n] = (data[1] + s->n * 5) & 0x1f;
            s->n++;
        }
    }

    return NGX_DECLINED;
}


static void
fuzz_pick_run(fuzz_pick_t *f, fuzz_pick_setup_t *s, size_t step)
{
    u_char      *p;
    size_t       n, seen;
    ngx_uint_t   i;

    ngx_memzero(f, sizeof(fuzz_pick_t));

    for (i = 0; i < s->n; i++) {
        f->values[i].path = &s->paths[i];
        f->values[i].size = s->sizes[i];
        f->values[i].data = malloc(s->sizes[i] ? s->sizes[i] : 1);
    }

    f->p.items = s->list ? &s->items : NULL;
    f->p.values = f->values;
    f->p.nvalues = s->n;
    f->p.item = fuzz_pick_item;
    f->p.data = f;

    wag_pick_init(&f->p);

    f->rc = NGX_AGAIN;

    for (seen = 0; seen < s->text.len && f->rc == NGX_AGAIN; seen += n) {
        n = ngx_min(step, s->text.len - seen);

        p = fuzz_copy(s->text.data + seen, n);
        f->rc = wag_pick_parse(&f->p, p, p + n);
        free(p);

        fuzz_assert(f->rc == NGX_AGAIN || f->rc == NGX_ERROR);
    }

    if (f->rc == NGX_AGAIN) {
        f->rc = wag_pick_end(&f->p);
    }

    fuzz_assert(f->rc == NGX_OK || f->rc == NGX_DECLINED
                || f->rc == NGX_ERROR);
    fuzz_assert((f->rc == NGX_ERROR) == (f->p.error != NULL));
    fuzz_assert(f->rc != NGX_DECLINED || s->list);

    for (i = 0; i < s->n; i++) {
        free(f->values[i].data);
    }
}


static ngx_int_t
fuzz_pick_item(wag_pick_t *p)
{
    ngx_uint_t         i;
    wag_pick_value_t  *v;

    for (i = 0; i < p->nvalues; i++) {
        v = &p->values[i];

        fuzz_assert(v->len <= v->size);
        fuzz_assert(v->len == 0 || (v->type != WAG_PICK_NONE
                                    && v->type != WAG_PICK_OTHER));

        fuzz_pick_log(p->data, v->type, v->cut, v->data, v->len);
    }

    fuzz_pick_log(p->data, 99, 0, NULL, 0);

    return NGX_OK;
}


static void
fuzz_pick_log(fuzz_pick_t *f, ngx_uint_t type, ngx_uint_t cut, u_char *text,
    size_t len)
{
    u_char  *p;

    if (f->size - f->len < len + 128) {
        f->size = f->size * 2 + len + 4096;
        f->log = realloc(f->log, f->size);
        fuzz_assert(f->log != NULL);
    }

    p = ngx_sprintf(f->log + f->len, "%ui %ui %uz:", type, cut, len);

    if (len) {
        p = ngx_cpymem(p, text, len);
    }

    f->len = p - f->log;
}


static void
fuzz_pick_same(fuzz_pick_t *a, fuzz_pick_t *b)
{
    fuzz_assert(a->rc == b->rc);
    fuzz_assert(a->p.error == b->p.error);
    fuzz_assert(a->p.offset == b->p.offset);
    fuzz_assert(a->len == b->len);
    fuzz_assert(a->len == 0 || ngx_memcmp(a->log, b->log, a->len) == 0);
}


static void
fuzz_pick_plain(fuzz_pick_t *f, fuzz_pick_setup_t *s)
{
    u_char           *p;
    ngx_int_t         rc;
    ngx_uint_t        twice;
    fuzz_pick_t       plain;
    wag_json_scan_t   scan;

    wag_json_scan_init(&scan, fuzz_pick_event, NULL, 64);

    rc = wag_json_scan_parse(&scan, s->text.data, s->text.data + s->text.len);

    if (rc == NGX_AGAIN) {
        rc = wag_json_scan_end(&scan);
    }

    if (rc == NGX_ERROR) {
        fuzz_assert(f->rc == NGX_ERROR);
        return;
    }

    ngx_memzero(&plain, sizeof(fuzz_pick_t));

    p = fuzz_pick_blank(s->text.data);
    twice = 0;

    if (!s->list) {
        fuzz_pick_plain_item(&plain, s, p);

    } else {
        p = fuzz_pick_find(p, &s->items, &twice);

        if (f->rc == NGX_ERROR) {
            fuzz_assert(twice);
            return;
        }

        fuzz_assert((f->rc == NGX_OK) == (p != NULL && *p == '['));

        if (f->rc == NGX_OK) {
            p = fuzz_pick_blank(p + 1);

            while (*p != ']') {
                fuzz_pick_plain_item(&plain, s, p);
                p = fuzz_pick_blank(fuzz_pick_skip(p));
                p = (*p == ',') ? fuzz_pick_blank(p + 1) : p;
            }
        }
    }

    fuzz_assert(f->rc != NGX_ERROR);
    fuzz_assert(f->len == plain.len);
    fuzz_assert(f->len == 0 || ngx_memcmp(f->log, plain.log, f->len) == 0);

    free(plain.log);
}


static void
fuzz_pick_plain_item(fuzz_pick_t *f, fuzz_pick_setup_t *s, u_char *item)
{
    u_char      *p, *last, *text;
    size_t       len, fits;
    ngx_uint_t   i, type, twice;

    for (i = 0; i < s->n; i++) {
        p = fuzz_pick_find(item, &s->paths[i], &twice);

        if (p == NULL || *p == '{' || *p == '[') {
            fuzz_pick_log(f, p ? WAG_PICK_OTHER : WAG_PICK_NONE, 0, NULL, 0);
            continue;
        }

        last = fuzz_pick_skip(p);

        text = malloc(last - p);
        fuzz_assert(text != NULL);

        len = fuzz_pick_text(p, last, text);
        fits = ngx_min(len, s->sizes[i]);

        while (fits && fits < len && (text[fits] & 0xc0) == 0x80) {
            fits--;
        }

        type = (*p == '"') ? WAG_PICK_STRING
               : (*p == 'n') ? WAG_PICK_NULL
               : (*p == 't' || *p == 'f') ? WAG_PICK_BOOL : WAG_PICK_NUMBER;

        fuzz_pick_log(f, type, fits < len, text, fits);

        free(text);
    }

    fuzz_pick_log(f, 99, 0, NULL, 0);
}


static u_char *
fuzz_pick_blank(u_char *p)
{
    while (*p == ' ' || *p == '\t' || *p == CR || *p == LF) {
        p++;
    }

    return p;
}


/* of valid JSON alone, as all below */

static u_char *
fuzz_pick_skip(u_char *p)
{
    ngx_uint_t  depth;

    depth = 0;

    do {
        if (*p == '"') {
            for (p++; *p != '"'; p++) {
                p += (*p == '\\');
            }

            p++;

        } else if (strchr("{}[]", *p) != NULL) {
            depth += (*p == '{' || *p == '[') ? 1 : -1;
            p++;

        } else {
            p++;

            while (depth == 0 && strchr("\t\r\n ,]}", *p) == NULL) {
                p++;
            }
        }

    } while (depth);

    return p;
}


static u_char *
fuzz_pick_find(u_char *p, wag_json_path_t *path, ngx_uint_t *twice)
{
    ngx_uint_t        i;
    wag_json_step_t  *step;

    step = path->steps.elts;

    for (i = 0; i < path->steps.nelts && p != NULL; i++) {
        p = fuzz_pick_step(p, &step[i], twice);
    }

    return p;
}


static u_char *
fuzz_pick_step(u_char *p, wag_json_step_t *step, ngx_uint_t *twice)
{
    int      index;
    u_char  *name, *end, *found;
    size_t   len;

    if (*p != ((step->index < 0) ? '{' : '[')) {
        return NULL;
    }

    index = 0;
    found = NULL;

    for (p = fuzz_pick_blank(p + 1); *p != '}' && *p != ']'; index++) {

        if (step->index < 0) {
            end = fuzz_pick_skip(p);

            name = malloc(end - p);
            fuzz_assert(name != NULL);

            len = fuzz_pick_text(p, end, name);

            p = fuzz_pick_blank(fuzz_pick_blank(end) + 1);

            if (len == step->key.len && len <= WAG_PICK_KEY_SIZE
                && memcmp(name, step->key.data, len) == 0)
            {
                *twice |= (found != NULL);
                found = p;
            }

            free(name);

        } else if (index == step->index) {
            found = p;
        }

        p = fuzz_pick_blank(fuzz_pick_skip(p));
        p = (*p == ',') ? fuzz_pick_blank(p + 1) : p;
    }

    return found;
}


/* one scalar, decoded by the scanner, which json_scan.c looks after */

static size_t
fuzz_pick_text(u_char *p, u_char *last, u_char *text)
{
    wag_json_scan_t  s;

    wag_json_scan_init(&s, fuzz_pick_event, NULL, 1);
    s.room.data = text;
    s.room.len = last - p;

    fuzz_assert(wag_json_scan_parse(&s, p, last) == NGX_AGAIN);
    fuzz_assert(wag_json_scan_end(&s) == NGX_OK);
    fuzz_assert(!s.cut);

    return s.text.len;
}


static ngx_int_t
fuzz_pick_event(wag_json_scan_t *s, ngx_uint_t event)
{
    return NGX_OK;
}
