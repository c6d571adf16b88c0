
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "ngx_http_wa_gateway_unit.h"


typedef struct {
    ngx_str_t                           name;
    void                              (*run)(ngx_http_wa_gateway_unit_t *u);
} ngx_http_wa_gateway_unit_room_t;


static char *ngx_http_wa_gateway_unit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* a new room adds its line here, its file to config and a .t beside */

static ngx_http_wa_gateway_unit_room_t  ngx_http_wa_gateway_unit_rooms[] = {

    { ngx_string("connect"), ngx_http_wa_gateway_unit_connect },
    { ngx_string("expect"), ngx_http_wa_gateway_unit_expect },
    { ngx_string("health"), ngx_http_wa_gateway_unit_health },
    { ngx_string("http"), ngx_http_wa_gateway_unit_http },
    { ngx_string("json"), ngx_http_wa_gateway_unit_json },
    { ngx_string("keys"), ngx_http_wa_gateway_unit_keys },
    { ngx_string("latency"), ngx_http_wa_gateway_unit_latency },
    { ngx_string("reason"), ngx_http_wa_gateway_unit_reason },
    { ngx_string("request"), ngx_http_wa_gateway_unit_request },
    { ngx_string("schedule"), ngx_http_wa_gateway_unit_schedule },
    { ngx_string("url"), ngx_http_wa_gateway_unit_url },
    { ngx_null_string, NULL }
};


static ngx_command_t  ngx_http_wa_gateway_unit_commands[] = {

    { ngx_string("wa_gateway_unit"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_http_wa_gateway_unit,
      0,
      0,
      NULL },

    { ngx_string("wa_gateway_unit_probe"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_1MORE,
      ngx_http_wa_gateway_unit_probe,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_http_wa_gateway_unit_module_ctx = {
    ngx_string("wa_gateway_unit"),
    ngx_http_wa_gateway_unit_create_conf,  /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_http_wa_gateway_unit_module = {
    NGX_MODULE_V1,
    &ngx_http_wa_gateway_unit_module_ctx,  /* module context */
    ngx_http_wa_gateway_unit_commands,     /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_wa_gateway_unit_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_wa_gateway_unit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                        *value;
    ngx_http_wa_gateway_unit_t        unit;
    ngx_http_wa_gateway_unit_room_t  *room;

    value = cf->args->elts;

    for (room = ngx_http_wa_gateway_unit_rooms; room->run; room++) {

        if (room->name.len != value[1].len
            || ngx_strncmp(room->name.data, value[1].data, value[1].len) != 0)
        {
            continue;
        }

        ngx_memzero(&unit, sizeof(ngx_http_wa_gateway_unit_t));

        unit.pool = cf->pool;
        unit.log = cf->log;

        room->run(&unit);

        printf("1..%u\n", (unsigned) unit.tests);
        fflush(stdout);

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown room \"%V\"", &value[1]);

    return NGX_CONF_ERROR;
}


ngx_uint_t
ngx_http_wa_gateway_unit_ok(ngx_http_wa_gateway_unit_t *u, ngx_uint_t pass,
    const char *name)
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
ngx_http_wa_gateway_unit_is(ngx_http_wa_gateway_unit_t *u, const char *got,
    const char *expected, const char *name)
{
    if (ngx_http_wa_gateway_unit_ok(u, ngx_strcmp(got, expected) == 0, name)) {
        return 1;
    }

    printf("#   got:      %s\n#   expected: %s\n", got, expected);
    fflush(stdout);

    return 0;
}
