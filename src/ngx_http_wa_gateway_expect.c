
#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_wa_gateway_expect.h"


static ngx_int_t ngx_http_wa_gateway_expect_status(
    ngx_http_wa_gateway_expect_rule_t *rule, ngx_http_wa_gateway_http_t *h,
    ngx_http_wa_gateway_reason_t *reason);
static ngx_int_t ngx_http_wa_gateway_expect_bad_status(ngx_uint_t status,
    ngx_http_wa_gateway_reason_t *reason);
static ngx_int_t ngx_http_wa_gateway_expect_header(
    ngx_http_wa_gateway_expect_rule_t *rule, ngx_http_wa_gateway_http_t *h,
    ngx_http_wa_gateway_reason_t *reason);
static ngx_int_t ngx_http_wa_gateway_expect_body(
    ngx_http_wa_gateway_expect_rule_t *rule, ngx_http_wa_gateway_http_t *h,
    ngx_http_wa_gateway_reason_t *reason);
static ngx_int_t ngx_http_wa_gateway_expect_json(
    ngx_http_wa_gateway_expect_rule_t *rule, ngx_http_wa_gateway_http_t *h,
    cJSON **root, ngx_http_wa_gateway_reason_t *reason);
static ngx_uint_t ngx_http_wa_gateway_expect_json_is(
    ngx_http_wa_gateway_expect_value_t *value, cJSON *json);
static void ngx_http_wa_gateway_expect_json_reason(cJSON *json,
    ngx_http_wa_gateway_reason_t *reason);
static ngx_uint_t ngx_http_wa_gateway_expect_text(
    ngx_http_wa_gateway_expect_rule_t *rule, ngx_str_t *text);
static ngx_uint_t ngx_http_wa_gateway_expect_match(void *regex,
    ngx_str_t *text);


ngx_int_t
ngx_http_wa_gateway_expect_check(ngx_http_wa_gateway_expect_t *e,
    ngx_http_wa_gateway_http_t *h, ngx_http_wa_gateway_reason_t *reason)
{
    cJSON                              *root;
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    ngx_http_wa_gateway_expect_rule_t  *rule;

    reason->len = 0;

    if (!e->status && h->status != 200) {
        return ngx_http_wa_gateway_expect_bad_status(h->status, reason);
    }

    rc = NGX_OK;
    root = NULL;
    rule = e->rules.elts;

    for (i = 0; i < e->rules.nelts && rc == NGX_OK; i++) {

        switch (rule[i].type) {

        case ngx_http_wa_gateway_expect_status_e:
            rc = ngx_http_wa_gateway_expect_status(&rule[i], h, reason);
            break;

        case ngx_http_wa_gateway_expect_header_e:
            rc = ngx_http_wa_gateway_expect_header(&rule[i], h, reason);
            break;

        case ngx_http_wa_gateway_expect_body_e:
            rc = ngx_http_wa_gateway_expect_body(&rule[i], h, reason);
            break;

        case ngx_http_wa_gateway_expect_json_e:
            rc = ngx_http_wa_gateway_expect_json(&rule[i], h, &root, reason);
            break;
        }
    }

    cJSON_Delete(root);

    return rc;
}


static ngx_int_t
ngx_http_wa_gateway_expect_status(ngx_http_wa_gateway_expect_rule_t *rule,
    ngx_http_wa_gateway_http_t *h, ngx_http_wa_gateway_reason_t *reason)
{
    ngx_uint_t                           i;
    ngx_http_wa_gateway_expect_value_t  *value;

    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts; i++) {
        if (h->status >= value[i].from && h->status <= value[i].to) {
            return NGX_OK;
        }
    }

    return ngx_http_wa_gateway_expect_bad_status(h->status, reason);
}


static ngx_int_t
ngx_http_wa_gateway_expect_bad_status(ngx_uint_t status,
    ngx_http_wa_gateway_reason_t *reason)
{
    u_char  buf[sizeof("status ") + NGX_INT_T_LEN];

    *ngx_sprintf(buf, "status %ui", status) = '\0';

    ngx_http_wa_gateway_reason_set(reason, (char *) buf);

    return NGX_DECLINED;
}


/* of several headers of that name one is enough */

static ngx_int_t
ngx_http_wa_gateway_expect_header(ngx_http_wa_gateway_expect_rule_t *rule,
    ngx_http_wa_gateway_http_t *h, ngx_http_wa_gateway_reason_t *reason)
{
    ngx_http_wa_gateway_http_header_t  *hdr, *first;

    first = ngx_http_wa_gateway_http_find(h, &rule->name, NULL);

    for (hdr = first;
         hdr != NULL;
         hdr = ngx_http_wa_gateway_http_find(h, &rule->name, hdr))
    {
        if (ngx_http_wa_gateway_expect_text(rule, &hdr->value)) {
            return NGX_OK;
        }
    }

    ngx_http_wa_gateway_reason_set(reason, "header ");
    ngx_http_wa_gateway_reason_add_value(reason, &rule->name,
                                         NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN);

    if (first == NULL) {
        ngx_http_wa_gateway_reason_add(reason, " is missing");
        return NGX_DECLINED;
    }

    ngx_http_wa_gateway_reason_add(reason, " is \"");
    ngx_http_wa_gateway_reason_add_value(reason, &first->value,
                                         NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN);
    ngx_http_wa_gateway_reason_add(reason, "\"");

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_wa_gateway_expect_body(ngx_http_wa_gateway_expect_rule_t *rule,
    ngx_http_wa_gateway_http_t *h, ngx_http_wa_gateway_reason_t *reason)
{
    if (ngx_http_wa_gateway_expect_text(rule, &h->body)) {
        return NGX_OK;
    }

    ngx_http_wa_gateway_reason_set(reason, "body does not match");

    return NGX_DECLINED;
}


/* the body is parsed once, by the first rule that asks for it */

static ngx_int_t
ngx_http_wa_gateway_expect_json(ngx_http_wa_gateway_expect_rule_t *rule,
    ngx_http_wa_gateway_http_t *h, cJSON **root,
    ngx_http_wa_gateway_reason_t *reason)
{
    cJSON                               *json;
    ngx_uint_t                           i;
    const char                          *error;
    ngx_http_wa_gateway_expect_value_t  *value;

    if (*root == NULL) {

        if (h->truncated) {
            ngx_http_wa_gateway_reason_set(reason,
                                           "body is too large for JSON");
            return NGX_DECLINED;
        }

        *root = ngx_http_wa_gateway_json_parse(&h->body, &error);

        if (*root == NULL) {
            ngx_http_wa_gateway_reason_set(reason, error);
            return NGX_DECLINED;
        }
    }

    json = ngx_http_wa_gateway_json_find(*root, &rule->path);
    value = rule->values.elts;

    for (i = 0; i < rule->values.nelts && json != NULL; i++) {
        if (ngx_http_wa_gateway_expect_json_is(&value[i], json)) {
            return NGX_OK;
        }
    }

    ngx_http_wa_gateway_reason_set(reason, "json ");
    ngx_http_wa_gateway_reason_add_value(reason, &rule->path.text,
                                         NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN);
    ngx_http_wa_gateway_expect_json_reason(json, reason);

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_wa_gateway_expect_json_is(ngx_http_wa_gateway_expect_value_t *value,
    cJSON *json)
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
ngx_http_wa_gateway_expect_json_reason(cJSON *json,
    ngx_http_wa_gateway_reason_t *reason)
{
    char       buf[64];
    ngx_str_t  text;

    if (json == NULL) {
        ngx_http_wa_gateway_reason_add(reason, " is missing");
        return;
    }

    if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
        ngx_http_wa_gateway_reason_add(reason, cJSON_IsObject(json)
                                               ? " is an object"
                                               : " is an array");
        return;
    }

    ngx_http_wa_gateway_reason_add(reason, " is ");

    if (cJSON_IsString(json)) {
        text.data = (u_char *) json->valuestring;
        text.len = ngx_strlen(json->valuestring);

        ngx_http_wa_gateway_reason_add(reason, "\"");
        ngx_http_wa_gateway_reason_add_value(reason, &text,
                                         NGX_HTTP_WA_GATEWAY_REASON_VALUE_LEN);
        ngx_http_wa_gateway_reason_add(reason, "\"");

        return;
    }

    if (cJSON_PrintPreallocated(json, buf, sizeof(buf), 0)) {
        ngx_http_wa_gateway_reason_add(reason, buf);
    }
}


static ngx_uint_t
ngx_http_wa_gateway_expect_text(ngx_http_wa_gateway_expect_rule_t *rule,
    ngx_str_t *text)
{
    ngx_uint_t                           i;
    ngx_http_wa_gateway_expect_value_t  *value;

    if (rule->regex != NULL) {
        return ngx_http_wa_gateway_expect_match(rule->regex, text);
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
ngx_http_wa_gateway_expect_match(void *regex, ngx_str_t *text)
{
#if (NGX_PCRE)

    return ngx_regex_exec((ngx_regex_t *) regex, text, NULL, 0) >= 0;

#else

    return 0;

#endif
}
