
#include "fuzz.h"

#include "wag_file.h"
#include "wag_hosts.h"
#include "wag_resolv.h"
#include "wag_url.h"


/*
 * A name and a text: the first line is the name, the rest is a hosts file and
 * a resolv.conf.  What is given lies in the text, and is of its kind; a name
 * that may be looked up is as long as a buffer holds.
 */

static void fuzz_names_hosts(ngx_str_t *name, ngx_str_t text);
static void fuzz_names_resolv(ngx_str_t *name, ngx_str_t *text);
static void fuzz_names_candidates(wag_resolv_t *conf, ngx_str_t *name);
static void fuzz_names_word(ngx_str_t *text, ngx_str_t *word);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char     *copy;
    ngx_str_t   name, text;

    copy = fuzz_copy(data, size);

    text.data = copy;
    text.len = size;

    if (wag_file_line(&text, &name)) {
        fuzz_names_hosts(&name, text);
        fuzz_names_resolv(&name, &text);
    }

    fuzz_assert(ngx_memcmp(copy, data, size) == 0);

    free(copy);

    return 0;
}


static void
fuzz_names_hosts(ngx_str_t *name, ngx_str_t text)
{
    u_char     *p, *last;
    ngx_str_t   whole, address;

    whole = text;
    last = text.data;

    while (wag_hosts_next(&text, name, &address)) {
        fuzz_names_word(&whole, &address);

        fuzz_assert(address.data >= last && address.data < text.data);
        fuzz_assert(text.data + text.len == whole.data + whole.len);

        for (p = address.data + address.len + 1;
             ngx_strncasecmp(p, name->data, name->len) != 0;
             p++)
        {
            fuzz_assert(p + name->len < text.data);
        }

        last = text.data;
    }

    fuzz_assert(text.len == 0);
}


static void
fuzz_names_resolv(ngx_str_t *name, ngx_str_t *text)
{
    ngx_uint_t    i;
    wag_resolv_t  conf;

    wag_resolv_read(&conf, text);

    fuzz_assert(conf.nservers <= WAG_RESOLV_SERVERS);
    fuzz_assert(conf.nsearch <= WAG_RESOLV_SEARCH);
    fuzz_assert(conf.ndots <= 15);

    for (i = 0; i < conf.nservers; i++) {
        fuzz_names_word(text, &conf.servers[i]);
    }

    for (i = 0; i < conf.nsearch; i++) {
        fuzz_names_word(text, &conf.search[i]);
        fuzz_assert(conf.search[i].data[conf.search[i].len - 1] != '.');
    }

    if (wag_url_name(name) == NULL) {
        fuzz_names_candidates(&conf, name);
    }
}


static void
fuzz_names_candidates(wag_resolv_t *conf, ngx_str_t *name)
{
    size_t       len;
    u_char      *buf;
    ngx_int_t    rc;
    ngx_str_t    candidate;
    ngx_uint_t   n, itself;

    itself = 0;
    len = name->len - (name->data[name->len - 1] == '.');
    buf = malloc(WAG_RESOLV_NAME + 1);

    for (n = 0; n < WAG_RESOLV_SEARCH + 2; n++) {
        rc = wag_resolv_candidate(conf, name, n, buf, &candidate);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            fuzz_assert(candidate.data == buf);
            fuzz_assert(candidate.len <= WAG_RESOLV_NAME);
            fuzz_assert(buf[candidate.len] == '\0');
            fuzz_assert(candidate.len == len || buf[len] == '.');
            fuzz_assert(ngx_memcmp(buf, name->data, len) == 0);

            itself += (candidate.len == len);
        }
    }

    fuzz_assert(rc == NGX_DONE && itself == 1);
    fuzz_assert(n == 1 || n == conf->nsearch + 1);

    free(buf);
}


static void
fuzz_names_word(ngx_str_t *text, ngx_str_t *word)
{
    size_t  i;

    fuzz_assert(word->len);
    fuzz_assert(word->data >= text->data);
    fuzz_assert(word->data + word->len <= text->data + text->len);

    for (i = 0; i < word->len; i++) {
        fuzz_assert(word->data[i] != ' ' && word->data[i] != '\t'
                    && word->data[i] != LF);
    }
}
