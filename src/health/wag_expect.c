
/*
 * Copyright (C) the wa_gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_expect.h"


static ngx_int_t wag_expect_status(wag_expect_rule_t *rule, wag_http_t *h,
    wag_reason_t *reason);
static ngx_int_t wag_expect_bad_status(ngx_uint_t status,
    wag_reason_t *reason);
static ngx_int_t wag_expect_header(wag_expect_rule_t *rule, wag_http_t *h,
    wag_reason_t *reason);
static ngx_int_t wag_expect_body(wag_expect_rule_t *rule, wag_http_t *h,
    wag_reason_t *reason);
static ngx_int_t wag_expect_json(wag_expect_rule_t *rule, wag_http_t *h,
    cJSON **root, wag_reason_t *reason);
static ngx_uint_t wag_expect_json_is(wag_expect_value_t *value, cJSON *json);
static void wag_expect_json_reason(cJSON *json, wag_reason_t *reason);
static ngx_uint_t wag_expect_text(wag_expect_rule_t *rule, ngx_str_t *text);
static ngx_uint_t wag_expect_match(void *regex, ngx_str_t *text);


ngx_int_t
wag_expect_check(wag_expect_t *e, wag_http_t *h, wag_reason_t *reason)
{
    cJSON              *root;
    ngx_int_t           rc;
    ngx_uint_t          i;
    wag_expect_rule_t  *rule;

    reason->len = 0;

    if (!e->status && h->status != 200) {
        return wag_expect_bad_status(h->status, reason);
    }

    rc = NGX_OK;
    root = NULL;
    rule = e->rules.elts;

    for (i = 0; i < e->rules.nelts && rc == NGX_OK; i++) {

        switch (rule[i].type) {

        case wag_expect_status_e:
            rc = wag_expect_status(&rule[i], h, reason);
            break;

        case wag_expect_header_e:
            rc = wag_expect_header(&rule[i], h, reason);
            break;

        case wag_expect_body_e:
            rc = wag_expect_body(&rule[i], h, reason);
            break;

        case wag_expect_json_e:
            rc = wag_expect_json(&rule[i], h, &root, reason);
            break;
        }
    }

    cJSON_Delete(root);

    return rc;
}


static ngx_int_t
wag_expect_status(wag_expect_rule_t *rule, wag_http_t *h, wag_reason_t *reason)
{
    ngx_uint_t           i;
    wag_expect_value_t  *value;

    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts; i++) {
        if (h->status >= value[i].from && h->status <= value[i].to) {
            return NGX_OK;
        }
    }

    return wag_expect_bad_status(h->status, reason);
}


static ngx_int_t
wag_expect_bad_status(ngx_uint_t status, wag_reason_t *reason)
{
    u_char  buf[sizeof("status ") + NGX_INT_T_LEN];

    *ngx_sprintf(buf, "status %ui", status) = '\0';

    wag_reason_set(reason, (char *) buf);

    return NGX_DECLINED;
}


/* of several headers of that name one is enough */

static ngx_int_t
wag_expect_header(wag_expect_rule_t *rule, wag_http_t *h, wag_reason_t *reason)
{
    wag_http_header_t  *hdr, *first;

    first = wag_http_find(h, &rule->name, NULL);

    for (hdr = first; hdr != NULL; hdr = wag_http_find(h, &rule->name, hdr)) {
        if (wag_expect_text(rule, &hdr->value)) {
            return NGX_OK;
        }
    }

    wag_reason_set(reason, "header ");
    wag_reason_add_value(reason, &rule->name, WAG_REASON_VALUE_LEN);

    if (first == NULL) {
        wag_reason_add(reason, " is missing");
        return NGX_DECLINED;
    }

    wag_reason_add(reason, " is \"");
    wag_reason_add_value(reason, &first->value, WAG_REASON_VALUE_LEN);
    wag_reason_add(reason, "\"");

    return NGX_DECLINED;
}


static ngx_int_t
wag_expect_body(wag_expect_rule_t *rule, wag_http_t *h, wag_reason_t *reason)
{
    if (wag_expect_text(rule, &h->body)) {
        return NGX_OK;
    }

    wag_reason_set(reason, "body does not match");

    return NGX_DECLINED;
}


/* the body is parsed once, by the first rule that asks for it */

static ngx_int_t
wag_expect_json(wag_expect_rule_t *rule, wag_http_t *h, cJSON **root,
    wag_reason_t *reason)
{
    cJSON               *json;
    ngx_uint_t           i;
    const char          *error;
    wag_expect_value_t  *value;

    if (*root == NULL) {

        if (h->truncated) {
            wag_reason_set(reason, "body is too large for JSON");
            return NGX_DECLINED;
        }

        *root = wag_json_parse(&h->body, &error);

        if (*root == NULL) {
            wag_reason_set(reason, error);
            return (error == wag_json_no_memory) ? NGX_ERROR : NGX_DECLINED;
        }
    }

    json = wag_json_find(*root, &rule->path);
    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts && json != NULL; i++) {
        if (wag_expect_json_is(&value[i], json)) {
            return NGX_OK;
        }
    }

    wag_reason_set(reason, "json ");
    wag_reason_add_value(reason, &rule->path.text, WAG_REASON_VALUE_LEN);
    wag_expect_json_reason(json, reason);

    return NGX_DECLINED;
}


static ngx_uint_t
wag_expect_json_is(wag_expect_value_t *value, cJSON *json)
{
    const char  *text;

    if (cJSON_IsNumber(json)) {
        return value->numeric && json->valuedouble == value->number;
    }

    if (cJSON_IsString(json)) {
        text = json->valuestring;

    } else if (cJSON_IsBool(json)) {
        text = cJSON_IsTrue(json) ? "true" : "false";

    } else if (cJSON_IsNull(json)) {
        text = "null";

    } else {
        return 0;
    }

    return value->text.len == ngx_strlen(text)
           && ngx_memcmp(value->text.data, text, value->text.len) == 0;
}


static void
wag_expect_json_reason(cJSON *json, wag_reason_t *reason)
{
    char       buf[64];
    ngx_str_t  text;

    if (json == NULL) {
        wag_reason_add(reason, " is missing");
        return;
    }

    if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
        wag_reason_add(reason, cJSON_IsObject(json)
                                               ? " is an object"
                                               : " is an array");
        return;
    }

    wag_reason_add(reason, " is ");

    if (cJSON_IsString(json)) {
        text.data = (u_char *) json->valuestring;
        text.len = ngx_strlen(json->valuestring);

        wag_reason_add(reason, "\"");
        wag_reason_add_value(reason, &text, WAG_REASON_VALUE_LEN);
        wag_reason_add(reason, "\"");

        return;
    }

    if (cJSON_PrintPreallocated(json, buf, sizeof(buf), 0)) {
        wag_reason_add(reason, buf);
    }
}


static ngx_uint_t
wag_expect_text(wag_expect_rule_t *rule, ngx_str_t *text)
{
    ngx_uint_t           i;
    wag_expect_value_t  *value;

    if (rule->regex != NULL) {
        return wag_expect_match(rule->regex, text);
    }

    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts; i++) {
        if (value[i].text.len == text->len
            && ngx_memcmp(value[i].text.data, text->data, text->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
wag_expect_match(void *regex, ngx_str_t *text)
{
#if (NGX_PCRE)

    return ngx_regex_exec((ngx_regex_t *) regex, text, NULL, 0) >= 0;

#else

    return 0;

#endif
}
