
/*
 * Copyright (C) the wa_gateway authors
 *
 * A journal of keys of sends, in bytes: the head of a file, and records.  All
 * is in units of 32 bytes, so that what follows a damaged record is found.
 * Pure.
 */


#ifndef _WAG_JOURNAL_RECORD_H_INCLUDED_
#define _WAG_JOURNAL_RECORD_H_INCLUDED_


#include "wag_marks.h"


#define WAG_JOURNAL_UNIT         32
#define WAG_JOURNAL_HEAD_LEN     64
#define WAG_JOURNAL_RECORD_LEN   96    /* of one without a message */
#define WAG_JOURNAL_MESSAGE_LEN  128   /* bytes of its id */
#define WAG_JOURNAL_RECORD_MAX                                                \
    (WAG_JOURNAL_RECORD_LEN + WAG_JOURNAL_MESSAGE_LEN)


/* all times in ms since 1970 */

typedef struct {
    uint64_t             opened;
    uint64_t             until;      /* nothing in it matters any more then */
} wag_journal_head_t;


typedef struct {
    u_char               id[WAG_DIGEST_LEN];
    u_char               request[WAG_SIPHASH_LEN];
    uint64_t             serial;     /* of the claim */
    uint64_t             expires;
    ngx_uint_t           state;      /* MARK_NONE: given up; _IN_FLIGHT ... */
    ngx_uint_t           status;
    ngx_str_t            message;    /* its id; empty: not known */
} wag_journal_record_t;


/*
 * Writes a head to the HEAD_LEN bytes at p; reads it from as many: NGX_OK, or
 * NGX_DECLINED if it is none.
 */
void wag_journal_head_write(u_char *p, wag_journal_head_t *head);
ngx_int_t wag_journal_head_read(u_char *p, wag_journal_head_t *head);

/*
 * Writes a record to p, which has room for RECORD_MAX bytes, and gives its
 * length.  A message whose id is longer than MESSAGE_LEN has none.
 */
size_t wag_journal_record_write(u_char *p, wag_journal_record_t *record);

/*
 * Reads the record at p, of "len" bytes: NGX_OK; NGX_AGAIN if there is none
 * that is whole in what goes on beyond last; NGX_DECLINED if there is none,
 * the next one may begin WAG_JOURNAL_UNIT bytes on.  Its message lies in what
 * was read.
 */
ngx_int_t wag_journal_record_read(u_char *p, u_char *last,
    wag_journal_record_t *record, size_t *len);


#endif /* _WAG_JOURNAL_RECORD_H_INCLUDED_ */
