
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_file.h"
#include "wag_hosts.h"


ngx_uint_t
wag_hosts_next(ngx_str_t *text, ngx_str_t *name, ngx_str_t *address)
{
    ngx_str_t  line, word;

    while (wag_file_line(text, &line)) {

        if (!wag_file_word(&line, address)) {
            continue;
        }

        while (wag_file_word(&line, &word)) {

            if (word.len == name->len
                && ngx_strncasecmp(word.data, name->data, name->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}
