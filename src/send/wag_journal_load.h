
/*
 * Copyright (C) the wa_gateway authors
 *
 * A journal is read, by the master before there are workers.
 */


#ifndef _WAG_JOURNAL_LOAD_H_INCLUDED_
#define _WAG_JOURNAL_LOAD_H_INCLUDED_


#include <ngx_http.h>

#include "wag_marks.h"


/*
 * Takes over what the files of a journal have: of a claim without an outcome
 * it is not known what came of it.  What was not written to its end is cut
 * off, what is damaged is skipped, both are told; NGX_ERROR if a file cannot
 * be read, which is logged.
 */
ngx_int_t wag_journal_load(ngx_str_t *name, wag_marks_t *marks,
    ngx_log_t *log);


#endif /* _WAG_JOURNAL_LOAD_H_INCLUDED_ */
