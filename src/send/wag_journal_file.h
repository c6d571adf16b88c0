
/*
 * Copyright (C) the wa_gateway authors
 *
 * The files of a journal: NAME.00000001 and so on.  Each belongs to the worker
 * that made it, takes records for a while, and goes when all in it expired.
 * Nothing here is of a request or an event loop: threads run it.
 */


#ifndef _WAG_JOURNAL_FILE_H_INCLUDED_
#define _WAG_JOURNAL_FILE_H_INCLUDED_


#include "wag_journal_record.h"


typedef struct {
    ngx_str_t            name;      /* of the journal, with a NUL */
    ngx_msec_t           ttl;       /* of its records, at most */

    ngx_fd_t             fd;        /* INVALID_FILE: none is open */
    ngx_uint_t           number;
    off_t                offset;
    uint64_t             opened;
    unsigned             dirty:1;   /* not synced yet */
} wag_journal_file_t;


/* of a path of NAME.NNNNNNNN, its NUL included */

#define wag_journal_file_len(name)  ((name)->len + sizeof(".00000000"))


/*
 * Writes, and syncs all that was written if it shall; makes another file
 * before if this one is too old, and removes those in which all expired.
 * NGX_OK; NGX_ERROR, *err says why: then nothing of it is there, or in a file
 * that is not written to any more.
 */
ngx_int_t wag_journal_file_append(wag_journal_file_t *file, u_char *text,
    size_t len, ngx_uint_t sync, ngx_err_t *err);
void wag_journal_file_close(wag_journal_file_t *file);

/*
 * The numbers of the files that are there, by size, in memory from malloc();
 * NGX_ERROR: errno says why.
 */
ngx_int_t wag_journal_file_list(ngx_str_t *name, ngx_uint_t **numbers,
    ngx_uint_t *n);

/*
 * The path of a file, to buf, which has room for wag_journal_file_len().
 */
void wag_journal_file_path(u_char *buf, ngx_str_t *name, ngx_uint_t number);

/*
 * Now, in ms since 1970.
 */
uint64_t wag_journal_file_now(void);


#endif /* _WAG_JOURNAL_FILE_H_INCLUDED_ */
