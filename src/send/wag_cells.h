
/*
 * Copyright (C) the wa_gateway authors
 *
 * The cells of the table of keys, see wag_marks.h.  A cell is a mark, which is
 * one key, a piece of a mark's answer, or free.  What makes it one of these is
 * a single word, written last: chains and lists follow from the cells.  Pure.
 */


#ifndef _WAG_CELLS_H_INCLUDED_
#define _WAG_CELLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_digest.h"
#include "wag_siphash.h"


/* what a cell is; memory that was never used is zero */

#define WAG_CELL_FREE  0
#define WAG_CELL_MARK  1
#define WAG_CELL_DATA  2

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
            u_char       request[WAG_SIPHASH_LEN];
            ngx_msec_t   expires;    /* monotonic */
            uint64_t     serial;     /* of the claim */
            uint32_t     answer;     /* its first cell; 0: none */
            uint32_t     len;        /* of that, in bytes */
            uint32_t     newer;      /* of the marks with an answer */
            uint32_t     older;
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
    uint32_t             dirty;      /* being changed */
    uint32_t             closed;     /* moved to another one */
    uint64_t             serial;     /* of the claim before */
    ngx_msec_t           swept;
    ngx_msec_t           refuse;     /* no claims until then, 0: none such */
    wag_marks_counters_t counters;
} wag_marks_t;


typedef ngx_uint_t (*wag_marks_alive_pt)(int32_t pid);


typedef struct {
    u_char               id[WAG_DIGEST_LEN];
    u_char               request[WAG_SIPHASH_LEN];
    ngx_msec_t           now;
    ngx_msec_t           ttl;
    int32_t              pid;
    wag_marks_alive_pt   alive;

    /* what was found, or claimed */

    uint32_t             mark;
    uint64_t             serial;
    ngx_uint_t           status;
    size_t               len;        /* of its answer; 0: it is not kept */
} wag_marks_key_t;


#define wag_cells_header                                                      \
    ngx_align(sizeof(wag_marks_t), WAG_MARKS_CELL)

#define wag_cells_of(m)                                                       \
    ((wag_cell_t *) ((u_char *) (m) + wag_cells_header))

#define wag_cells_buckets(m)                                                  \
    ((uint32_t *) (wag_cells_of(m) + (m)->ncells))


/*
 * All of these are parts of a change, see wag_marks_change.h; 0 is no cell.
 *
 * The bucket of an id, and the mark in it; whether that mark has expired, one
 * in flight does not, however long it takes.
 */
uint32_t *wag_cells_bucket(wag_marks_t *m, u_char *id);
uint32_t wag_cells_find(wag_marks_t *m, wag_marks_key_t *key);
ngx_uint_t wag_cells_expired(wag_cell_t *cell, ngx_msec_t now);

/*
 * Makes a cell the mark of a claim, and a mark a free cell.
 */
void wag_cells_insert(wag_marks_t *m, wag_marks_key_t *key, uint32_t n);
void wag_cells_remove(wag_marks_t *m, uint32_t n);

/*
 * A cell: a free one, or of the answer that is there for longest, but for that
 * of this owner; 0 if there is none.
 */
uint32_t wag_cells_alloc(wag_marks_t *m, uint32_t owner);
void wag_cells_free(wag_marks_t *m, uint32_t n);

/*
 * The answer of a mark goes; one that it has now is the newest.
 */
void wag_cells_drop(wag_marks_t *m, uint32_t n);
void wag_cells_link(wag_marks_t *m, uint32_t n);


#endif /* _WAG_CELLS_H_INCLUDED_ */
