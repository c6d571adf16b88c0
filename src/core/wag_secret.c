
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_secret.h"


void
wag_secret_name(ngx_str_t *secret, u_char *name)
{
#if (WAG_SECRET_NAMES)

    u_char        hash[EVP_MAX_MD_SIZE];
    unsigned int  len;

    if (EVP_Digest(secret->data, secret->len, hash, &len, EVP_sha256(), NULL))
    {
        ngx_hex_dump(name, hash, WAG_SECRET_NAME_LEN / 2);
        return;
    }

#endif

    ngx_memset(name, '?', WAG_SECRET_NAME_LEN);
}
