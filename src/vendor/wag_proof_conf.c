
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_param.h"
#include "wag_proof.h"
#include "wag_proof_conf.h"


static ngx_int_t wag_proof_conf_statuses(ngx_conf_t *cf, ngx_str_t *text,
    ngx_int_t max, ngx_array_t **statuses);
static ngx_int_t wag_proof_conf_path(ngx_conf_t *cf, wag_vendor_t *vendor,
    ngx_str_t *text, ngx_uint_t *path);
static ngx_int_t wag_proof_conf_condition(ngx_conf_t *cf, wag_vendor_t *vendor,
    ngx_str_t *text, ngx_array_t *conditions);
static u_char *wag_proof_conf_path_end(ngx_str_t *text);
static ngx_uint_t wag_proof_conf_is_success(ngx_array_t *statuses);


static ngx_conf_enum_t  wag_proof_conf_outcomes[] = {
    { ngx_string("session"), WAG_PROOF_SESSION },
    { ngx_string("message"), WAG_PROOF_MESSAGE },
    { ngx_string("paced"), WAG_PROOF_PACED },
    { ngx_null_string, 0 }
};


ngx_int_t
wag_proof_conf_init(ngx_pool_t *pool, wag_vendor_t *vendor)
{
    return (ngx_array_init(&vendor->sent, pool, 1, sizeof(wag_proof_sent_t))
            == NGX_OK
            && ngx_array_init(&vendor->unsent, pool, 4,
                              sizeof(wag_proof_unsent_t)) == NGX_OK
            && ngx_array_init(&vendor->proof_paths, pool, 4,
                              sizeof(wag_json_path_t *)) == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


char *
wag_proof_conf_sent(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    ngx_str_t         *value, text;
    ngx_uint_t         i, *id;
    wag_proof_sent_t  *sent;

    sent = ngx_array_push(&vendor->sent);

    if (sent == NULL
        || ngx_array_init(&sent->ids, cf->pool, 2, sizeof(ngx_uint_t))
           != NGX_OK
        || ngx_array_init(&sent->unless, cf->pool, 2,
                          sizeof(wag_proof_condition_t)) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (wag_proof_conf_statuses(cf, &value[1], 299, &sent->statuses)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        text = value[i];

        if (ngx_strncmp(text.data, "id=", 3) == 0) {
            text.data += 3;
            text.len -= 3;

            id = ngx_array_push(&sent->ids);

            if (id == NULL
                || wag_proof_conf_path(cf, vendor, &text, id) != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_strncmp(text.data, "unless=", 7) == 0) {
            text.data += 7;
            text.len -= 7;

            if (wag_proof_conf_condition(cf, vendor, &text, &sent->unless)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", there are "
                               "\"id=\" and \"unless=\"", &text);
            return NGX_CONF_ERROR;
        }
    }

    return sent->ids.nelts ? NGX_CONF_OK : "needs \"id=\"";
}


char *
wag_proof_conf_unsent(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    ngx_conf_enum_t     *outcome;
    wag_proof_unsent_t  *unsent;

    value = cf->args->elts;

    for (outcome = wag_proof_conf_outcomes; outcome->name.len; outcome++) {
        if (ngx_strcmp(outcome->name.data, value[1].data) == 0) {
            break;
        }
    }

    if (outcome->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid reason \"%V\", it is one of session, "
                           "message, paced", &value[1]);
        return NGX_CONF_ERROR;
    }

    unsent = ngx_array_push(&vendor->unsent);

    if (unsent == NULL
        || ngx_array_init(&unsent->conditions, cf->pool, 1,
                          sizeof(wag_proof_condition_t)) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    unsent->outcome = outcome->value;

    if (wag_proof_conf_statuses(cf, &value[2], 599, &unsent->statuses)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        if (wag_proof_conf_condition(cf, vendor, &value[i],
                                    &unsent->conditions)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (unsent->conditions.nelts == 0
        && wag_proof_conf_is_success(unsent->statuses))
    {
        return "has a status of 2xx, which needs \"PATH:VALUE\"";
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
wag_proof_conf_is_success(ngx_array_t *statuses)
{
    ngx_uint_t  i, *range;

    range = statuses->elts;

    for (i = 0; i < statuses->nelts; i += 2) {
        if (range[i] < 300) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
wag_proof_conf_statuses(ngx_conf_t *cf, ngx_str_t *text, ngx_int_t max,
    ngx_array_t **statuses)
{
    *statuses = wag_param_statuses(cf, text, 200, max);

    if (*statuses == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid status \"%V\", it is of 200-%i, as "
                           "\"200,201\"", text, max);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* each path is looked for once, whatever it is for */

static ngx_int_t
wag_proof_conf_path(ngx_conf_t *cf, wag_vendor_t *vendor, ngx_str_t *text,
    ngx_uint_t *path)
{
    ngx_uint_t         i;
    wag_json_path_t  **known, *compiled;

    known = vendor->proof_paths.elts;

    for (i = 0; i < vendor->proof_paths.nelts; i++) {
        if (known[i]->text.len == text->len
            && ngx_memcmp(known[i]->text.data, text->data, text->len) == 0)
        {
            *path = i;
            return NGX_OK;
        }
    }

    if (wag_argument_path(cf, text, &compiled) != NGX_OK) {
        return NGX_ERROR;
    }

    if (compiled == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid JSON path \"\"");
        return NGX_ERROR;
    }

    if (vendor->proof_paths.nelts == WAG_PICK_MAX_VALUES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d JSON paths in a vendor's \"sent\" "
                           "and \"unsent\", the last is \"%V\"",
                           WAG_PICK_MAX_VALUES, text);
        return NGX_ERROR;
    }

    known = ngx_array_push(&vendor->proof_paths);
    if (known == NULL) {
        return NGX_ERROR;
    }

    *known = compiled;
    *path = i;

    return NGX_OK;
}


/* PATH:VALUE, or several values with commas between them */

static ngx_int_t
wag_proof_conf_condition(ngx_conf_t *cf, wag_vendor_t *vendor, ngx_str_t *text,
    ngx_array_t *conditions)
{
    u_char                 *colon;
    ngx_str_t               path, rest, part, *value;
    wag_proof_condition_t  *condition;

    colon = wag_proof_conf_path_end(text);

    path.data = text->data;
    path.len = colon - text->data;

    rest.data = colon + 1;
    rest.len = text->len - path.len - 1;

    if (colon == text->data + text->len || rest.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\", it must be \"PATH:VALUE\"", text);
        return NGX_ERROR;
    }

    condition = ngx_array_push(conditions);

    if (condition == NULL
        || ngx_array_init(&condition->texts, cf->pool, 1, sizeof(ngx_str_t))
           != NGX_OK
        || wag_proof_conf_path(cf, vendor, &path, &condition->path)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (wag_argument_next(&rest, ',', &part)) {

        if (part.len == 0 || part.len > WAG_PROOF_TEXT_LEN) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\", it has 1 to "
                               "%d bytes", &part, text, WAG_PROOF_TEXT_LEN);
            return NGX_ERROR;
        }

        value = ngx_array_push(&condition->texts);
        if (value == NULL) {
            return NGX_ERROR;
        }

        *value = part;
    }

    return NGX_OK;
}


/* the first colon that is not within quotes */

static u_char *
wag_proof_conf_path_end(ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   quoted;

    quoted = 0;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p == '\\' && quoted && p + 1 < last) {
            p++;

        } else if (*p == '\'') {
            quoted = !quoted;

        } else if (*p == ':' && !quoted) {
            break;
        }
    }

    return p;
}
