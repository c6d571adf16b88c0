
/*
 * Copyright (C) the wa_gateway authors
 *
 * The keys of sends and what came of each: a table in memory that processes
 * share and any of them may be killed in.  Pure: nothing is locked, read or
 * logged here, and no pointer lies in it.
 *
 * The table is an array of cells.  A cell is a mark, which is one key, a piece
 * of a mark's answer, or free.  What makes it one of these is a single word,
 * written last: chains and lists follow from the cells, and are made anew by
 * whoever finds that another one died while it changed them.
 */


#ifndef _WAG_MARKS_H_INCLUDED_
#define _WAG_MARKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_digest.h"


/* what is known of a key, or was found of it */

#define WAG_MARK_NONE       0   /* nothing: it was claimed, or is not there */
#define WAG_MARK_IN_FLIGHT  1
#define WAG_MARK_ANSWERED   2
#define WAG_MARK_UNKNOWN    3   /* it may have been sent */
#define WAG_MARK_REUSED     4   /* it is that of another request */
#define WAG_MARK_FULL       5
#define WAG_MARK_DOWN       6   /* what else has to keep it does not answer */

/* bytes of a stored answer, its header included */

#define WAG_MARKS_ANSWER_LEN  18432

#define WAG_MARKS_CELL   128
#define WAG_MARKS_DATA   (WAG_MARKS_CELL - 12)


typedef struct {
    uint32_t             type;       /* WAG_CELL_FREE ... */
    uint32_t             next;       /* of the bucket, the answer, the free */

    union {

        struct {
            u_char       id[WAG_DIGEST_LEN];
            u_char       request[WAG_DIGEST_LEN];
            ngx_msec_t   expires;    /* monotonic */
            uint32_t     answer;     /* its first cell; 0: none */
            uint32_t     len;        /* of that, in bytes */
            uint32_t     newer;      /* of the marks with an answer */
            uint32_t     older;
            uint32_t     serial;     /* of the claim */
            int32_t      pid;        /* who has it in flight */
            uint16_t     status;     /* of the answer, 0: none came */
            uint16_t     state;      /* MARK_IN_FLIGHT ... */
        } mark;

        struct {
            uint32_t     owner;
            u_char       data[WAG_MARKS_DATA];
        } data;

        u_char           room[WAG_MARKS_CELL - 8];
    } u;
} wag_cell_t;


typedef struct {
    ngx_atomic_uint_t    claimed;
    ngx_atomic_uint_t    given_up;
    ngx_atomic_uint_t    replayed;
    ngx_atomic_uint_t    in_flight;  /* refusals, as are the next two */
    ngx_atomic_uint_t    reused;
    ngx_atomic_uint_t    full;
    ngx_atomic_uint_t    orphaned;   /* their holder died */
    ngx_atomic_uint_t    dropped;    /* answers that gave way */
} wag_marks_counters_t;


typedef struct {
    uint32_t             ncells;
    uint32_t             nbuckets;   /* a power of two */
    uint32_t             begun;      /* cells that were ever used, and 0 */
    uint32_t             free;       /* the first of the list; 0: none */
    uint32_t             nfree;      /* of the list */
    uint32_t             nmarks;
    uint32_t             nanswers;
    uint32_t             newest;     /* of the marks with an answer */
    uint32_t             oldest;
    uint32_t             serial;
    uint32_t             dirty;      /* being changed */
    uint32_t             closed;     /* moved to another one */
    ngx_msec_t           swept;
    ngx_msec_t           refuse;     /* no claims until then, 0: none such */
    wag_marks_counters_t counters;
} wag_marks_t;


typedef ngx_uint_t (*wag_marks_alive_pt)(int32_t pid);


typedef struct {
    u_char               id[WAG_DIGEST_LEN];
    u_char               request[WAG_DIGEST_LEN];
    ngx_msec_t           now;
    ngx_msec_t           ttl;
    int32_t              pid;
    wag_marks_alive_pt   alive;

    /* what was found, or claimed */

    uint32_t             mark;
    uint32_t             serial;
    ngx_uint_t           status;
    size_t               len;        /* of its answer; 0: it is not kept */
} wag_marks_key_t;


/*
 * Makes a table of this memory.  NGX_DECLINED if that is too small.
 */
ngx_int_t wag_marks_init(wag_marks_t *m, size_t size);

/*
 * Looks for a key: MARK_NONE if it is not there.  One whose holder died is
 * unknown from then on.
 */
ngx_uint_t wag_marks_look(wag_marks_t *m, wag_marks_key_t *key);

/*
 * The same, and claims what is not there: MARK_NONE if it is claimed now,
 * MARK_FULL if there is no room, even without any answer.
 */
ngx_uint_t wag_marks_claim(wag_marks_t *m, wag_marks_key_t *key);

/*
 * Copies the answer that was found to buf, which has room for key->len.
 */
void wag_marks_read(wag_marks_t *m, wag_marks_key_t *key, u_char *buf);

/*
 * What came of a claim: MARK_ANSWERED or MARK_UNKNOWN, kept from now on for
 * the ttl it was claimed with, with an answer if there is one and room.
 */
void wag_marks_close(wag_marks_t *m, wag_marks_key_t *key, ngx_uint_t state,
    ngx_uint_t status, u_char *answer, size_t len);

/*
 * Nothing came of it: the next one may claim the key.
 */
void wag_marks_give_up(wag_marks_t *m, wag_marks_key_t *key);

/*
 * Frees what has expired; what is in flight of holders that died, and of this
 * pid, 0 for none, is unknown from then on.
 */
void wag_marks_sweep(wag_marks_t *m, ngx_msec_t now, wag_marks_alive_pt alive,
    int32_t pid);

/*
 * Takes all of another table over, as far as there is room, answers only then,
 * and closes that: nothing is claimed there any more.
 */
void wag_marks_move(wag_marks_t *m, wag_marks_t *old, ngx_msec_t now);

/*
 * Marks there is room for.
 */
#define wag_marks_room(m)  ((m)->ncells - 1)


#endif /* _WAG_MARKS_H_INCLUDED_ */
