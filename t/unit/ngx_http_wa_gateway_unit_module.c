
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_unit.h"


typedef struct {
    ngx_str_t            name;
    void               (*run)(wag_unit_t *u);
} wag_unit_room_t;


static char *wag_unit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t wag_unit_read(ngx_pool_t *pool, ngx_str_t *name,
    ngx_str_t *text);


/* a new room adds its line here, its file to config and a .t beside */

static wag_unit_room_t  wag_unit_rooms[] = {

    { ngx_string("body"), wag_unit_body },
    { ngx_string("bucket"), wag_unit_bucket },
    { ngx_string("connect"), wag_unit_connect },
    { ngx_string("expect"), wag_unit_expect },
    { ngx_string("health"), wag_unit_health },
    { ngx_string("http"), wag_unit_http },
    { ngx_string("in_flight"), wag_unit_in_flight },
    { ngx_string("journal"), wag_unit_journal },
    { ngx_string("journal_batch"), wag_unit_journal_batch },
    { ngx_string("json"), wag_unit_json },
    { ngx_string("json_scan"), wag_unit_json_scan },
    { ngx_string("keys"), wag_unit_keys },
    { ngx_string("killed"), wag_unit_killed },
    { ngx_string("latency"), wag_unit_latency },
    { ngx_string("marks"), wag_unit_marks },
    { ngx_string("message"), wag_unit_message },
    { ngx_string("names"), wag_unit_names },
    { ngx_string("pick"), wag_unit_pick },
    { ngx_string("proof"), wag_unit_proof },
    { ngx_string("qr"), wag_unit_qr },
    { ngx_string("reason"), wag_unit_reason },
    { ngx_string("recipient"), wag_unit_recipient },
    { ngx_string("repeat"), wag_unit_repeat },
    { ngx_string("rendezvous"), wag_unit_rendezvous },
    { ngx_string("request"), wag_unit_request },
    { ngx_string("route"), wag_unit_route },
    { ngx_string("schedule"), wag_unit_schedule },
    { ngx_string("session"), wag_unit_session },
    { ngx_string("send"), wag_unit_send },
    { ngx_string("sessions"), wag_unit_sessions },
    { ngx_string("slots"), wag_unit_slots },
    { ngx_string("url"), wag_unit_url },
    { ngx_null_string, NULL }
};


static ngx_command_t  wag_unit_commands[] = {

    { ngx_string("wa_gateway_unit"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE12,
      wag_unit,
      0,
      0,
      NULL },

    { ngx_string("wa_gateway_unit_probe"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_1MORE,
      wag_unit_probe,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  wag_unit_module_ctx = {
    ngx_string("wa_gateway_unit"),
    wag_unit_create_conf,  /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_http_wa_gateway_unit_module = {
    NGX_MODULE_V1,
    &wag_unit_module_ctx,  /* module context */
    wag_unit_commands,     /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    wag_unit_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
wag_unit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t        *value;
    wag_unit_t        unit;
    wag_unit_room_t  *room;

    value = cf->args->elts;

    for (room = wag_unit_rooms; room->run; room++) {

        if (room->name.len != value[1].len
            || ngx_strncmp(room->name.data, value[1].data, value[1].len) != 0)
        {
            continue;
        }

        ngx_memzero(&unit, sizeof(wag_unit_t));

        unit.pool = cf->pool;
        unit.log = cf->log;
        unit.cycle = cf->cycle;

        if (cf->args->nelts == 3
            && wag_unit_read(cf->pool, &value[2], &unit.cases) != NGX_OK)
        {
            return "has no such file";
        }

        room->run(&unit);

        printf("1..%u\n", (unsigned) unit.tests);
        fflush(stdout);

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown room \"%V\"", &value[1]);

    return NGX_CONF_ERROR;
}


static ngx_int_t
wag_unit_read(ngx_pool_t *pool, ngx_str_t *name, ngx_str_t *text)
{
    FILE  *file;
    long   size;

    file = fopen((char *) name->data, "rb");
    if (file == NULL) {
        return NGX_ERROR;
    }

    size = -1;

    if (fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }

    text->len = (size > 0) ? (size_t) size : 0;
    text->data = ngx_pnalloc(pool, text->len + 1);

    if (text->data == NULL
        || fread(text->data, 1, text->len, file) != text->len)
    {
        text->len = 0;
    }

    fclose(file);

    return text->len ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
wag_unit_record(wag_unit_t *u, ngx_str_t *fields, ngx_uint_t n)
{
    u_char      *p, *end, *last;
    ngx_int_t    len;
    ngx_uint_t   i;

    p = u->cases.data;
    last = p + u->cases.len;

    for (i = 0; i < n; i++) {
        end = ngx_strlchr(p, last, (i == n - 1) ? LF : ' ');

        if (end == NULL) {
            return 0;
        }

        len = ngx_atoi(p, end - p);

        if (len == NGX_ERROR) {
            return 0;
        }

        fields[i].len = len;
        p = end + 1;
    }

    for (i = 0; i < n; i++) {

        if ((size_t) (last - p) < fields[i].len) {
            return 0;
        }

        fields[i].data = p;
        p += fields[i].len;
    }

    u->cases.len = last - p;
    u->cases.data = p;

    return 1;
}


u_char *
wag_unit_text(u_char *p, u_char *data, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (data[i] < 0x20 || data[i] == '\\') {
            p = ngx_sprintf(p, "\\%02xd", data[i]);

        } else {
            *p++ = data[i];
        }
    }

    return p;
}


ngx_uint_t
wag_unit_ok(wag_unit_t *u, ngx_uint_t pass, const char *name)
{
    u->tests++;

    if (!pass) {
        u->failed++;
    }

    printf("%sok %u - %s\n", pass ? "" : "not ", (unsigned) u->tests, name);
    fflush(stdout);

    return pass;
}


ngx_uint_t
wag_unit_is(wag_unit_t *u, const char *got, const char *expected,
    const char *name)
{
    if (wag_unit_ok(u, ngx_strcmp(got, expected) == 0, name)) {
        return 1;
    }

    printf("#   got:      %s\n#   expected: %s\n", got, expected);
    fflush(stdout);

    return 0;
}
