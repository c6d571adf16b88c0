
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_argument.h"
#include "wag_param.h"
#include "wag_proof_conf.h"
#include "wag_route_conf.h"
#include "wag_send_conf.h"
#include "wag_vendor_conf.h"


typedef struct {
    ngx_str_t            name;
    ngx_uint_t           min;       /* arguments */
    ngx_uint_t           max;
    size_t               offset;    /* of what is set, in the vendor */
    char              *(*set)(ngx_conf_t *cf, void *conf);
} wag_vendor_directive_t;


/* the arguments of what is asked, as they are written */

typedef struct {
    ngx_str_t            items;
    ngx_str_t            name;
    ngx_str_t            label;
    ngx_str_t            number;
    ngx_str_t            state;
    ngx_array_t         *statuses;
    ngx_array_t         *absent;
    ngx_flag_t           empty;
    ngx_flag_t           secret;
} wag_vendor_args_t;


static ngx_int_t wag_vendor_conf_name(ngx_conf_t *cf, wag_main_conf_t *wmcf,
    ngx_str_t *name);
static char *wag_vendor_conf_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *wag_vendor_conf_header(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_list(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_ask(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_value(ngx_conf_t *cf, void *conf);
static char *wag_vendor_conf_state(ngx_conf_t *cf, void *conf);
static ngx_int_t wag_vendor_conf_question(ngx_conf_t *cf,
    wag_vendor_question_t *question);
static ngx_int_t wag_vendor_conf_paths(ngx_conf_t *cf, ngx_str_t *text,
    wag_vendor_question_t *question);
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
      0, wag_vendor_conf_list },

    { ngx_string("ask"), 3, 6,
      offsetof(wag_vendor_t, ask), wag_vendor_conf_ask },

    { ngx_string("number"), 3, 3,
      offsetof(wag_vendor_t, number), wag_vendor_conf_value },

    { ngx_string("token"), 3, 3,
      offsetof(wag_vendor_t, token), wag_vendor_conf_value },

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
      0, wag_send_conf_to },

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


static wag_param_t  wag_vendor_list_params[] = {

    { ngx_string("items="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, items), 0, 0 },

    { ngx_string("name="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, name), 0, 0 },

    { ngx_string("label="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, label), 0, 0 },

    { ngx_string("number="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, number), 0, 0 },

    { ngx_string("state="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, state), 0, 0 },

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_vendor_args_t, statuses), 200, 599 },

    { ngx_string("empty="), WAG_PARAM_FLAG,
      offsetof(wag_vendor_args_t, empty), 0, 0 },

    { ngx_string("secret="), WAG_PARAM_FLAG,
      offsetof(wag_vendor_args_t, secret), 0, 0 },

    { ngx_null_string, 0, 0, 0, 0 }
};


static wag_param_t  wag_vendor_ask_params[] = {

    { ngx_string("state="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, state), 0, 0 },

    { ngx_string("number="), WAG_PARAM_STR,
      offsetof(wag_vendor_args_t, number), 0, 0 },

    { ngx_string("status="), WAG_PARAM_STATUS,
      offsetof(wag_vendor_args_t, statuses), 200, 599 },

    { ngx_string("absent="), WAG_PARAM_STATUS,
      offsetof(wag_vendor_args_t, absent), 200, 599 },

    { ngx_null_string, 0, 0, 0, 0 }
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
wag_vendor_conf_list(ngx_conf_t *cf, void *conf)
{
    wag_vendor_t *vendor = conf;

    char                   *rv;
    wag_vendor_args_t       args;
    wag_vendor_question_t  *list;

    list = &vendor->list;

    if (list->method.len) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_vendor_args_t));

    rv = wag_param_parse_from(cf, 3, wag_vendor_list_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (args.name.len == 0) {
        return "needs \"name=\"";
    }

    if (args.label.len && !args.secret) {
        return "has \"label=\", which is for \"secret=on\"";
    }

    list->statuses = args.statuses;
    list->empty = args.empty;
    vendor->secret = args.secret;

    if (wag_vendor_conf_question(cf, list) != NGX_OK
        || wag_argument_path(cf, &args.items, &list->items) != NGX_OK
        || wag_argument_path(cf, &args.name, &list->name) != NGX_OK
        || wag_argument_path(cf, &args.label, &list->label) != NGX_OK
        || wag_argument_path(cf, &args.number, &list->number) != NGX_OK
        || wag_vendor_conf_paths(cf, &args.state, list) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (list->items == NULL) {
        return "needs \"items=\"";
    }

    return NGX_CONF_OK;
}


static char *
wag_vendor_conf_ask(ngx_conf_t *cf, void *conf)
{
    wag_vendor_question_t *ask = conf;

    char               *rv;
    wag_vendor_args_t   args;

    if (ask->method.len) {
        return "is duplicate";
    }

    ngx_memzero(&args, sizeof(wag_vendor_args_t));

    rv = wag_param_parse_from(cf, 3, wag_vendor_ask_params, &args);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (args.state.len == 0) {
        return "needs \"state=\"";
    }

    ask->statuses = args.statuses;
    ask->absent = args.absent;

    return (wag_vendor_conf_question(cf, ask) == NGX_OK
            && wag_argument_path(cf, &args.number, &ask->number) == NGX_OK
            && wag_vendor_conf_paths(cf, &args.state, ask) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
wag_vendor_conf_value(ngx_conf_t *cf, void *conf)
{
    wag_vendor_question_t *question = conf;

    ngx_str_t  *value;

    if (question->method.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    question->statuses = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (question->statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    /* a token is 201 */

    *(ngx_uint_t *) ngx_array_push(question->statuses) = 200;
    *(ngx_uint_t *) ngx_array_push(question->statuses) = 201;

    return (wag_vendor_conf_question(cf, question) == NGX_OK
            && wag_argument_path(cf, &value[3], &question->value)
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


/* METHOD URI, the first two arguments of each */

static ngx_int_t
wag_vendor_conf_question(ngx_conf_t *cf, wag_vendor_question_t *question)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    question->method = value[1];

    return wag_argument_request(cf, &value[1], "GET", "POST",
                                WAG_TEMPLATE_ASK, &question->uri);
}


/* several, with commas between them */

static ngx_int_t
wag_vendor_conf_paths(ngx_conf_t *cf, ngx_str_t *text,
    wag_vendor_question_t *question)
{
    u_char     *p, *last, *end;
    ngx_str_t   one;

    p = text->data;
    last = p + text->len;

    while (text->len && p <= last) {

        if (question->nstates == WAG_VENDOR_STATES) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "more than %d paths in \"%V\"",
                               WAG_VENDOR_STATES, text);
            return NGX_ERROR;
        }

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        one.data = p;
        one.len = end - p;

        if (one.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "empty path in \"%V\"",
                               text);
            return NGX_ERROR;
        }

        if (wag_argument_path(cf, &one,
                                 &question->states[question->nstates++])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
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
               && wag_template_uses(&vendor->number.uri, value));
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
