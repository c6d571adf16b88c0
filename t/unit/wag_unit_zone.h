
/*
 * An upstream of three instances in shared memory, as a worker has it.
 */


#ifndef _WAG_UNIT_ZONE_H_INCLUDED_
#define _WAG_UNIT_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wag_sessions.h"
#include "wag_sessions_memory.h"
#include "wag_slots.h"
#include "wag_unit.h"


typedef struct {
    wag_unit_t                    *u;
    wag_zone_t                     zone;
    wag_upstream_t                 us;
    ngx_http_upstream_srv_conf_t   uscf;
    ngx_shm_zone_t                 shm_zone;
    ngx_uint_t                     seen[2];   /* not done, done: if killed */
    ngx_uint_t                     bad;
} wag_unit_zone_t;


/* NULL, and a test that failed, if there is no memory. */
wag_unit_zone_t *wag_unit_zone(wag_unit_t *u);

/* An instance to come, of that name and the first addresses. */
void wag_unit_zone_newcomer(wag_newcomer_t *newcomer, const char *name);

/* Room for such in all slots that are free. */
void wag_unit_zone_room(wag_unit_zone_t *s);

/* Whether a slot has all of a newcomer of that name. */
ngx_uint_t wag_unit_zone_whole(wag_instance_t *instance, const char *name);

/* The name of a session; with a label it is a secret. */
void wag_unit_zone_session(wag_session_name_t *name, const char *text,
    const char *label);

/* Gives the second instance the second addresses, or the first again. */
void wag_unit_zone_renumber(wag_unit_zone_t *s);


extern ngx_addr_t  wag_unit_first[2];
extern ngx_addr_t  wag_unit_second[2];
extern ngx_addr_t  wag_unit_many[3];

extern const char  wag_unit_guest[];


#endif /* _WAG_UNIT_ZONE_H_INCLUDED_ */
