
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_expect.h"


static ngx_int_t wag_expect_add_status(wag_expect_t *e,
    wag_expect_rule_t *rule, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err);
static ngx_int_t wag_expect_add_header(wag_expect_t *e,
    wag_expect_rule_t *rule, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err);
static ngx_int_t wag_expect_add_body(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err);
static ngx_int_t wag_expect_add_json(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err);
static ngx_int_t wag_expect_add_regex(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err);
static ngx_int_t wag_expect_add_values(wag_expect_t *e,
    wag_expect_rule_t *rule, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err);
static ngx_uint_t wag_expect_code(u_char *p);
static ngx_uint_t wag_expect_is_name(ngx_str_t *name);
static void wag_expect_number(wag_expect_value_t *value);
static ngx_int_t wag_expect_error(wag_expect_t *e, ngx_str_t *err,
    const char *what, ngx_str_t *value);


typedef ngx_int_t (*wag_expect_add_pt)(wag_expect_t *e,
    wag_expect_rule_t *rule, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err);


typedef struct {
    ngx_str_t            name;
    wag_expect_type_e    type;
    wag_expect_add_pt    add;
} wag_expect_kind_t;


static wag_expect_kind_t
    wag_expect_kinds[] =
{
    { ngx_string("status"), wag_expect_status_e,
      wag_expect_add_status },

    { ngx_string("header"), wag_expect_header_e,
      wag_expect_add_header },

    { ngx_string("body"), wag_expect_body_e,
      wag_expect_add_body },

    { ngx_string("json"), wag_expect_json_e,
      wag_expect_add_json },

    { ngx_null_string, 0, NULL }
};


ngx_int_t
wag_expect_init(wag_expect_t *e, ngx_pool_t *pool)
{
    e->pool = pool;
    e->status = 0;

    return ngx_array_init(&e->rules, pool, 4, sizeof(wag_expect_rule_t));
}


ngx_int_t
wag_expect_add(wag_expect_t *e, ngx_str_t *args, ngx_uint_t nargs,
    ngx_str_t *err)
{
    ngx_str_t           empty;
    wag_expect_kind_t  *kind;
    wag_expect_rule_t  *rule;

    if (nargs == 0) {
        ngx_str_null(&empty);
        return wag_expect_error(e, err, "invalid expectation", &empty);
    }

    for (kind = wag_expect_kinds; kind->name.len; kind++) {

        if (kind->name.len != args[0].len
            || ngx_strncmp(kind->name.data, args[0].data, args[0].len) != 0)
        {
            continue;
        }

        if (nargs == 1) {
            return wag_expect_error(e, err, "no value in expectation",
                                    &args[0]);
        }

        rule = ngx_array_push(&e->rules);
        if (rule == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(rule, sizeof(wag_expect_rule_t));

        rule->type = kind->type;

        return kind->add(e, rule, &args[1], nargs - 1, err);
    }

    return wag_expect_error(e, err, "invalid expectation", &args[0]);
}


static ngx_int_t
wag_expect_add_status(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    wag_expect_value_t  *value;

    rc = wag_expect_add_values(e, rule, args, nargs, err);

    if (rc != NGX_OK) {
        return rc;
    }

    value = rule->values.elts;

    for (i = 0; i < nargs; i++) {

        if (args[i].len == 3) {
            value[i].from = wag_expect_code(args[i].data);
            value[i].to = value[i].from;

        } else if (args[i].len == 7 && args[i].data[3] == '-') {
            value[i].from = wag_expect_code(args[i].data);
            value[i].to = wag_expect_code(args[i].data + 4);
        }

        if (value[i].from == 0 || value[i].to < value[i].from) {
            return wag_expect_error(e, err, "invalid status", &args[i]);
        }
    }

    e->status = 1;

    return NGX_OK;
}


static ngx_int_t
wag_expect_add_header(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err)
{
    rule->name = args[0];

    if (!wag_expect_is_name(&rule->name)) {
        return wag_expect_error(e, err, "invalid header name", &args[0]);
    }

    if (nargs > 2 && args[1].len == 1 && args[1].data[0] == '=') {
        return wag_expect_add_values(e, rule, &args[2], nargs - 2, err);
    }

    return wag_expect_add_regex(e, rule, &args[1], nargs - 1, err);
}


static ngx_int_t
wag_expect_add_body(wag_expect_t *e, wag_expect_rule_t *rule, ngx_str_t *args,
    ngx_uint_t nargs, ngx_str_t *err)
{
    return wag_expect_add_regex(e, rule, args, nargs, err);
}


static ngx_int_t
wag_expect_add_json(wag_expect_t *e, wag_expect_rule_t *rule, ngx_str_t *args,
    ngx_uint_t nargs, ngx_str_t *err)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    wag_expect_value_t  *value;

    rc = wag_json_path(e->pool, &args[0], &rule->path);

    if (rc == NGX_DECLINED) {
        return wag_expect_error(e, err, "invalid JSON path", &args[0]);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (nargs == 1) {
        return wag_expect_error(e, err, "no value for", &args[0]);
    }

    if (args[1].len != 1 || args[1].data[0] != '=') {
        return wag_expect_error(e, err, "invalid operator", &args[1]);
    }

    if (nargs == 2) {
        return wag_expect_error(e, err, "no value for", &args[0]);
    }

    rc = wag_expect_add_values(e, rule, &args[2], nargs - 2, err);
    if (rc != NGX_OK) {
        return rc;
    }

    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts; i++) {
        wag_expect_number(&value[i]);
    }

    return NGX_OK;
}


/* args: the operator and the pattern; a "=" here lacks its value */

static ngx_int_t
wag_expect_add_regex(wag_expect_t *e, wag_expect_rule_t *rule, ngx_str_t *args,
    ngx_uint_t nargs, ngx_str_t *err)
{
    static ngx_str_t  op = ngx_string("~");

    if (nargs == 0) {
        return wag_expect_error(e, err, "no operator after", &rule->name);
    }

    if (args[0].len != 1 || args[0].data[0] != '~') {
        return wag_expect_error(e, err, "invalid operator", &args[0]);
    }

    if (nargs == 1) {
        return wag_expect_error(e, err, "no value for", &op);
    }

    if (nargs > 2) {
        return wag_expect_error(e, err, "excess value", &args[2]);
    }

#if (NGX_PCRE)
    {
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = args[1];
    rc.pool = e->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        return wag_expect_error(e, err, "invalid regex", &args[1]);
    }

    rule->regex = rc.regex;
    }

    return NGX_OK;

#else

    return wag_expect_error(e, err, "PCRE is required for regex", &args[1]);
#endif
}


static ngx_int_t
wag_expect_add_values(wag_expect_t *e, wag_expect_rule_t *rule,
    ngx_str_t *args, ngx_uint_t nargs, ngx_str_t *err)
{
    ngx_uint_t           i;
    wag_expect_value_t  *value;

    if (ngx_array_init(&rule->values, e->pool, nargs,
                       sizeof(wag_expect_value_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < nargs; i++) {

        value = ngx_array_push(&rule->values);
        if (value == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(value, sizeof(wag_expect_value_t));

        value->text = args[i];
    }

    return NGX_OK;
}


/* three digits, 100 to 599; 0 if they are none */

static ngx_uint_t
wag_expect_code(u_char *p)
{
    ngx_int_t  n;

    n = ngx_atoi(p, 3);

    return (n < 100 || n > 599) ? 0 : (ngx_uint_t) n;
}


static ngx_uint_t
wag_expect_is_name(ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= 0x20 || name->data[i] == 0x7f
            || name->data[i] == ':')
        {
            return 0;
        }
    }

    return name->len != 0;
}


/* lets cJSON itself decide what is a number, in the configuration too */

static void
wag_expect_number(wag_expect_value_t *value)
{
    cJSON       *json;
    ngx_str_t   *text;
    const char  *end;

    text = &value->text;

    if (text->len == 0
        || (text->data[0] != '-'
            && (text->data[0] < '0' || text->data[0] > '9')))
    {
        return;
    }

    end = NULL;

    json = cJSON_ParseWithLengthOpts((char *) text->data, text->len, &end, 0);

    if (json == NULL) {
        return;
    }

    if (cJSON_IsNumber(json) && (u_char *) end == text->data + text->len) {
        value->numeric = 1;
        value->number = json->valuedouble;
    }

    cJSON_Delete(json);
}


static ngx_int_t
wag_expect_error(wag_expect_t *e, ngx_str_t *err, const char *what,
    ngx_str_t *value)
{
    err->len = ngx_strlen(what) + sizeof(" \"\"") - 1 + value->len;

    err->data = ngx_pnalloc(e->pool, err->len);
    if (err->data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(err->data, "%s \"%V\"", what, value);

    return NGX_DECLINED;
}
