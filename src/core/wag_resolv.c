
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_file.h"
#include "wag_resolv.h"


/* more than that is as that, as elsewhere */

#define WAG_RESOLV_NDOTS  15


static void wag_resolv_search(wag_resolv_t *conf, ngx_str_t *line);
static void wag_resolv_options(wag_resolv_t *conf, ngx_str_t *line);
static ngx_uint_t wag_resolv_is(ngx_str_t *word, const char *text);


void
wag_resolv_read(wag_resolv_t *conf, ngx_str_t *text)
{
    ngx_str_t  line, rest, word;

    ngx_memzero(conf, sizeof(wag_resolv_t));

    conf->ndots = 1;
    rest = *text;

    while (wag_file_line(&rest, &line)) {

        if (!wag_file_word(&line, &word) || word.data[0] == ';') {
            continue;
        }

        if (wag_resolv_is(&word, "nameserver")) {

            if (conf->nservers < WAG_RESOLV_SERVERS
                && wag_file_word(&line, &word))
            {
                conf->servers[conf->nservers++] = word;
            }

        } else if (wag_resolv_is(&word, "search")
                   || wag_resolv_is(&word, "domain"))
        {
            wag_resolv_search(conf, &line);

        } else if (wag_resolv_is(&word, "options")) {
            wag_resolv_options(conf, &line);
        }
    }
}


/* the last line of these counts */

static void
wag_resolv_search(wag_resolv_t *conf, ngx_str_t *line)
{
    ngx_str_t  word;

    conf->nsearch = 0;

    while (conf->nsearch < WAG_RESOLV_SEARCH && wag_file_word(line, &word)) {

        while (word.len && word.data[word.len - 1] == '.') {
            word.len--;
        }

        if (word.len) {
            conf->search[conf->nsearch++] = word;
        }
    }
}


static void
wag_resolv_options(wag_resolv_t *conf, ngx_str_t *line)
{
    ngx_int_t  n;
    ngx_str_t  word;

    while (wag_file_word(line, &word)) {

        if (word.len > sizeof("ndots:") - 1
            && ngx_strncmp(word.data, "ndots:", sizeof("ndots:") - 1) == 0)
        {
            n = ngx_atoi(word.data + sizeof("ndots:") - 1,
                         word.len - (sizeof("ndots:") - 1));

            if (n != NGX_ERROR) {
                conf->ndots = ngx_min(n, WAG_RESOLV_NDOTS);
            }
        }
    }
}


static ngx_uint_t
wag_resolv_is(ngx_str_t *word, const char *text)
{
    return word->len == ngx_strlen(text)
           && ngx_memcmp(word->data, text, word->len) == 0;
}


/* a name with as many dots as "ndots" is itself first, any other one last */

ngx_int_t
wag_resolv_candidate(wag_resolv_t *conf, ngx_str_t *name, ngx_uint_t n,
    u_char *buf, ngx_str_t *candidate)
{
    size_t       i, len;
    u_char      *p;
    ngx_str_t   *domain;
    ngx_uint_t   dots, nsearch, at;

    len = name->len;
    nsearch = conf->nsearch;
    dots = 0;

    if (len && name->data[len - 1] == '.') {
        len--;
        nsearch = 0;
    }

    for (i = 0; i < len; i++) {
        dots += (name->data[i] == '.');
    }

    if (n > nsearch) {
        return NGX_DONE;
    }

    at = (dots >= conf->ndots) ? 0 : nsearch;
    domain = NULL;

    if (n != at) {
        domain = &conf->search[n - (n > at)];
    }

    if (len == 0
        || len + (domain ? 1 + domain->len : 0) > WAG_RESOLV_NAME)
    {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(buf, name->data, len);

    if (domain) {
        *p++ = '.';
        p = ngx_cpymem(p, domain->data, domain->len);
    }

    *p = '\0';

    candidate->data = buf;
    candidate->len = p - buf;

    return NGX_OK;
}
