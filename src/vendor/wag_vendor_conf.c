
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_login_conf.h"
#include "wag_proof_conf.h"
#include "wag_question_conf.h"
#include "wag_route_conf.h"
#include "wag_send_conf.h"
#include "wag_to_conf.h"
#include "wag_vendor_conf.h"


typedef struct {
    ngx_str_t            name;
    ngx_uint_t           min;       /* arguments */
    ngx_uint_t           max;
    size_t               offset;    /* of what is set, in the vendor */
    char              *(*set)(ngx_conf_t *cf, void *conf);
} wag_vendor_directive_t;


static ngx_int_t wag_vendor_conf_name(ngx_conf_t *cf, wag_main_conf_t *wmcf,
    ngx_str_t *name);
static char *wag_vendor_conf_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *wag_vendor_conf_header(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_state(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_check(wag_vendor_t *vendor);
static ngx_uint_t wag_vendor_conf_uses(wag_vendor_t *vendor, ngx_uint_t value);
static ngx_uint_t wag_vendor_conf_headers_use(ngx_array_t *headers,
    ngx_uint_t value);


static wag_vendor_directive_t  wag_vendor_directives[] = {

    { ngx_string("key"), 2, 2,
      offsetof(wag_vendor_t, headers), wag_vendor_conf_header },

    { ngx_string("list_key"), 2, 2,
      offsetof(wag_vendor_t, list_headers), wag_vendor_conf_header },

    { ngx_string("list"), 3, 10,
      0, wag_question_conf_list },

    { ngx_string("ask"), 3, 6,
      offsetof(wag_vendor_t, ask), wag_question_conf_ask },

    { ngx_string("number"), 3, 3,
      offsetof(wag_vendor_t, number), wag_question_conf_value },

    { ngx_string("token"), 3, 3,
      offsetof(wag_vendor_t, token), wag_question_conf_value },

    { ngx_string("login"), 2, 6,
      offsetof(wag_vendor_t, login), wag_login_conf },

    { ngx_string("start"), 2, 4,
      offsetof(wag_vendor_t, start), wag_login_conf_start },

    { ngx_string("state"), 2, 16,
      offsetof(wag_vendor_t, states), wag_vendor_conf_state },

    { ngx_string("session"), 1, WAG_ROUTE_PLACES,
      offsetof(wag_vendor_t, routes), wag_route_conf_session },

    { ngx_string("route"), 2, 64,
      offsetof(wag_vendor_t, routes), wag_route_conf_route },

    { ngx_string("drop"), 1, 16,
      offsetof(wag_vendor_t, routes), wag_route_conf_drop },

    { ngx_string("text"), 3, 3,
      0, wag_send_conf_text },

    { ngx_string("media"), 5, 5,
      0, wag_send_conf_media },

    { ngx_string("to"), 1, 3,
      0, wag_to_conf },

    { ngx_string("header"), 2, 2,
      offsetof(wag_vendor_t, send_headers), wag_vendor_conf_header },

    { ngx_string("sent"), 2, WAG_PROOF_CONF_ARGS,
      0, wag_proof_conf_sent },

    { ngx_string("unsent"), 2, WAG_PROOF_CONF_ARGS,
      0, wag_proof_conf_unsent },

    { ngx_string("timeout"), 1, 1,
      offsetof(wag_vendor_t, send_timeout), wag_send_conf_timeout },

    { ngx_null_string, 0, 0, 0, NULL }
};


static ngx_conf_enum_t  wag_vendor_state_names[] = {
    { ngx_string("ready"), WAG_SESSION_READY },
    { ngx_string("starting"), WAG_SESSION_STARTING },
    { ngx_string("login"), WAG_SESSION_LOGIN },
    { ngx_string("down"), WAG_SESSION_DOWN },
    { ngx_string("stopped"), WAG_SESSION_STOPPED },
    { ngx_string("absent"), WAG_SESSION_ABSENT },
    { ngx_null_string, 0 }
};


char *
wag_vendor_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    wag_main_conf_t *wmcf = conf;

    char          *rv, *err;
    ngx_str_t     *value;
    ngx_conf_t     save;
    wag_vendor_t  *vendor, **vendorp;

    value = cf->args->elts;

    if (wag_vendor_conf_name(cf, wmcf, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    vendor = ngx_pcalloc(cf->pool, sizeof(wag_vendor_t));
    if (vendor == NULL) {
        return NGX_CONF_ERROR;
    }

    vendor->name = value[1];
    vendor->file_name = cf->conf_file->file.name.data;
    vendor->line = cf->conf_file->line;

    if (ngx_array_init(&vendor->headers, cf->pool, 1,
                       sizeof(wag_vendor_header_t)) != NGX_OK
        || ngx_array_init(&vendor->list_headers, cf->pool, 1,
                          sizeof(wag_vendor_header_t)) != NGX_OK
        || ngx_array_init(&vendor->states, cf->pool, 8,
                          sizeof(wag_vendor_state_t)) != NGX_OK
        || wag_route_conf_init(cf->pool, &vendor->routes) != NGX_OK
        || wag_send_conf_init(cf->pool, vendor) != NGX_OK
        || wag_proof_conf_init(cf->pool, vendor) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    save = *cf;

    cf->handler = wag_vendor_conf_directive;
    cf->handler_conf = vendor;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    err = wag_vendor_conf_check(vendor);

    if (err == NULL) {
        err = wag_send_conf_check(vendor);
    }

    if (err != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in vendor \"%V\"", err,
                           &vendor->name);
        return NGX_CONF_ERROR;
    }

    vendor->routes.names = (vendor->secret != 0);

    if (wag_route_conf_check(cf, &vendor->routes) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    vendorp = ngx_array_push(&wmcf->vendors);
    if (vendorp == NULL) {
        return NGX_CONF_ERROR;
    }

    *vendorp = vendor;

    return NGX_CONF_OK;
}


static ngx_int_t
wag_vendor_conf_name(ngx_conf_t *cf, wag_main_conf_t *wmcf, ngx_str_t *name)
{
    u_char         ch;
    size_t         i;
    wag_vendor_t  *other;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
              || ch == '-'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid name of vendor \"%V\", it has a-z, "
                               "0-9 and \"-\"", name);
            return NGX_ERROR;
        }
    }

    if (ngx_strcmp(name->data, WAG_VENDOR_PLAIN) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "vendor \"%V\" is built in", name);
        return NGX_ERROR;
    }

    other = wag_vendor_conf_find(wmcf, name);

    if (other != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate vendor \"%V\", the other is in %s:%ui",
                           name, other->file_name, other->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


wag_vendor_t *
wag_vendor_conf_find(wag_main_conf_t *wmcf, ngx_str_t *name)
{
    ngx_uint_t      i;
    wag_vendor_t  **vendor;

    vendor = wmcf->vendors.elts;

    for (i = 0; i < wmcf->vendors.nelts; i++) {
        if (vendor[i]->name.len == name->len
            && ngx_memcmp(vendor[i]->name.data, name->data, name->len) == 0)
        {
            return vendor[i];
        }
    }

    return NULL;
}


static char *
wag_vendor_conf_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char                    *rv;
    ngx_str_t               *value;
    ngx_uint_t               nargs;
    wag_vendor_directive_t  *directive;

    value = cf->args->elts;
    nargs = cf->args->nelts - 1;

    for (directive = wag_vendor_directives;
         directive->name.len;
         directive++)
    {
        if (value[0].len == directive->name.len
            && ngx_strcmp(value[0].data, directive->name.data) == 0)
        {
            break;
        }
    }

    if (directive->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" of a vendor", &value[0]);
        return NGX_CONF_ERROR;
    }

    if (nargs < directive->min || nargs > directive->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    rv = directive->set(cf, (char *) conf + directive->offset);

    if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                           &value[0], rv);
        return NGX_CONF_ERROR;
    }

    return rv;
}


static char *
wag_vendor_conf_header(ngx_conf_t *cf, void *conf)
{
    ngx_array_t *headers = conf;

    ngx_str_t            *value;
    wag_vendor_header_t  *header;

    value = cf->args->elts;

    header = ngx_array_push(headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    header->name = value[1];

    return (wag_argument_template(cf, &value[2], WAG_TEMPLATE_ASK,
                                  &header->value)
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
wag_vendor_conf_state(ngx_conf_t *cf, void *conf)
{
    ngx_array_t *states = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    ngx_conf_enum_t     *name;
    wag_vendor_state_t  *state;

    value = cf->args->elts;

    for (name = wag_vendor_state_names; name->name.len; name++) {
        if (ngx_strcmp(name->name.data, value[1].data) == 0) {
            break;
        }
    }

    if (name->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid state \"%V\", it is one of ready, "
                           "starting, login, down, stopped, absent",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (value[i].len > WAG_SESSION_TEXT_LEN) {
            return "has a text that is too long";
        }

        state = ngx_array_push(states);
        if (state == NULL) {
            return NGX_CONF_ERROR;
        }

        state->text = value[i];
        state->state = name->value;
    }

    return NGX_CONF_OK;
}


/* what only all of the block can tell */

static char *
wag_vendor_conf_check(wag_vendor_t *vendor)
{
    ngx_uint_t           i;
    wag_vendor_state_t  *state;

    if (vendor->list.method.len == 0) {
        return "no \"list\"";
    }

    if (vendor->ask.method.len == 0 && vendor->list.nstates == 0) {
        return "no \"state=\" in \"list\", and no \"ask\"";
    }

    if (wag_template_uses(&vendor->list.uri, WAG_TEMPLATE_SESSION)
        || wag_template_uses(&vendor->list.uri, WAG_TEMPLATE_TOKEN)
        || wag_vendor_conf_headers_use(&vendor->list_headers,
                                       WAG_TEMPLATE_SESSION)
        || wag_vendor_conf_headers_use(&vendor->list_headers,
                                       WAG_TEMPLATE_TOKEN))
    {
        return "\"<session>\" or \"<token>\" in what is asked of no session";
    }

    if (vendor->token.method.len == 0
        && wag_vendor_conf_uses(vendor, WAG_TEMPLATE_TOKEN))
    {
        return "\"<token>\" without \"token\"";
    }

    if (vendor->token.method.len && vendor->secret) {
        return "\"token\" with \"secret=on\"";
    }

    if (vendor->start.method.len && vendor->login.asked.method.len == 0) {
        return "\"start\" without \"login\"";
    }

    state = vendor->states.elts;

    for (i = 0; i < vendor->states.nelts; i++) {
        if (state[i].state == WAG_SESSION_READY) {
            return NULL;
        }
    }

    return "no \"state ready\"";
}


static ngx_uint_t
wag_vendor_conf_uses(wag_vendor_t *vendor, ngx_uint_t value)
{
    return wag_vendor_conf_headers_use(&vendor->headers, value)
           || wag_vendor_conf_headers_use(&vendor->send_headers, value)
           || wag_send_conf_uses(vendor, value)
           || (vendor->ask.method.len
               && wag_template_uses(&vendor->ask.uri, value))
           || (vendor->number.method.len
               && wag_template_uses(&vendor->number.uri, value))
           || (vendor->login.asked.method.len
               && wag_template_uses(&vendor->login.asked.uri, value))
           || (vendor->start.method.len
               && wag_template_uses(&vendor->start.uri, value));
}


static ngx_uint_t
wag_vendor_conf_headers_use(ngx_array_t *headers, ngx_uint_t value)
{
    ngx_uint_t            i;
    wag_vendor_header_t  *header;

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (wag_template_uses(&header[i].value, value)) {
            return 1;
        }
    }

    return 0;
}
