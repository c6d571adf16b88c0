
/*
 * Copyright (C) the wa_gateway authors
 *
 * A kind of server, as its file tells: how its sessions are asked for.
 */


#ifndef _WAG_VENDOR_H_INCLUDED_
#define _WAG_VENDOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_json.h"
#include "wag_name_set.h"
#include "wag_pick.h"
#include "wag_route.h"
#include "wag_template.h"


/* how a recipient is written */

#define WAG_VENDOR_TO_USER   0
#define WAG_VENDOR_TO_GROUP  1
#define WAG_VENDOR_TO_LID    2
#define WAG_VENDOR_TO        3


/* the answer to "login": an image, or JSON that has it or a link to it */

#define WAG_VENDOR_LOGIN_IMAGE   0
#define WAG_VENDOR_LOGIN_BASE64  1
#define WAG_VENDOR_LOGIN_LINK    2


/* paths whose values together are the state */

#define WAG_VENDOR_STATES  3


typedef struct {
    ngx_str_t            name;
    wag_template_t       value;
} wag_vendor_header_t;


/* what is asked, and where in the answer is what */

typedef struct {
    ngx_str_t            method;     /* empty: it is not asked */
    wag_template_t       uri;
    ngx_str_t            body;       /* JSON; empty: none */

    wag_json_path_t     *items;      /* of a list */
    wag_json_path_t     *name;       /* of an item */
    wag_json_path_t     *label;      /* what is shown for a secret name */
    wag_json_path_t     *number;
    wag_json_path_t     *value;      /* the only thing wanted */
    wag_json_path_t     *states[WAG_VENDOR_STATES];
    ngx_uint_t           nstates;

    ngx_array_t         *statuses;   /* good ones: from, to; NULL: 200 */
    ngx_array_t         *absent;     /* not here, ditto; NULL: none */
    ngx_flag_t           empty;      /* no items are none */
} wag_vendor_question_t;


/* what shows how a session is logged in: "value" has the code, see below */

typedef struct {
    wag_vendor_question_t  asked;
    wag_json_path_t       *code;      /* that is typed; NULL: none */
    ngx_uint_t             form;      /* LOGIN_IMAGE ... */
    ngx_msec_t             refresh;   /* ask again so soon, ms */
} wag_vendor_login_t;


typedef struct {
    ngx_str_t            text;
    ngx_uint_t           state;      /* WAG_SESSION_READY ... */
} wag_vendor_state_t;


typedef struct wag_vendor_s {
    ngx_str_t              name;
    u_char                *file_name;
    ngx_uint_t             line;

    ngx_array_t            headers;        /* vendor_header_t */
    ngx_array_t            list_headers;   /* ditto */
    wag_vendor_question_t  list;
    wag_vendor_question_t  ask;
    wag_vendor_question_t  number;
    wag_vendor_question_t  token;
    wag_vendor_login_t     login;
    wag_vendor_question_t  start;          /* of a session */
    ngx_array_t            states;         /* vendor_state_t */
    ngx_flag_t             secret;         /* names are secrets */
    wag_routes_t           routes;

    /* names of headers that are not passed on, see upstream/wag_drops */

    wag_name_set_t         drops_keyed;
    wag_name_set_t         drops_message;

    /* of sends */

    ngx_array_t            sends;          /* send_template_t, in order */
    wag_template_t         to[WAG_VENDOR_TO];    /* no parts: cannot */
    ngx_array_t            send_headers;   /* vendor_header_t */
    ngx_array_t            sent;           /* proof_sent_t, in order */
    ngx_array_t            unsent;         /* proof_unsent_t, in order */
    ngx_array_t            proof_paths;    /* json_path_t *: of both */
    ngx_msec_t             send_timeout;   /* 0: none */
} wag_vendor_t;


/*
 * What a vendor's own word for a state stands for, WAG_SESSION_READY ...; one
 * that its file does not have is WAG_SESSION_DOWN.
 */
ngx_uint_t wag_vendor_state(wag_vendor_t *vendor, ngx_str_t *text);

/*
 * That word, of its parts as they were picked, with commas between them; "-"
 * stands for what is not there.  Writes at most WAG_SESSION_TEXT_LEN bytes.
 */
void wag_vendor_state_text(wag_pick_value_t *parts, ngx_uint_t n, u_char *buf,
    ngx_str_t *state);

/*
 * What stands for a vendor in shared memory, by its name; never 0.
 */
uint32_t wag_vendor_hash(ngx_str_t *name);

/*
 * Whether a status is among "from, to" pairs; NULL is 200 alone.
 */
ngx_uint_t wag_vendor_status(ngx_array_t *statuses, ngx_uint_t status);

/*
 * The number that a text begins with: digits, and what may follow them in an
 * id of WhatsApp, ":1" and "@c.us" or "@s.whatsapp.net".  0 if it is none.
 */
uint64_t wag_vendor_number(ngx_str_t *text);

/*
 * The same of what was picked, 0 as well if it is no text or number, or was
 * cut.
 */
uint64_t wag_vendor_picked_number(wag_pick_value_t *value);


#endif /* _WAG_VENDOR_H_INCLUDED_ */
