
/*
 * Copyright (C) the wa_gateway authors
 *
 * Small files that a configuration names.
 */


#ifndef _WAG_FILE_H_INCLUDED_
#define _WAG_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Reads a file of at most "max" bytes, by the master, so that workers need not
 * be allowed to.  Errors are logged.
 */
ngx_int_t wag_file_read(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    ngx_str_t *text);

/*
 * Skips the byte order mark that some editors begin a text with.
 */
void wag_file_skip_mark(ngx_str_t *text);

/*
 * Takes the next line off a text, without its end and blanks around it; 0 if
 * there is none.
 */
ngx_uint_t wag_file_line(ngx_str_t *text, ngx_str_t *line);

/*
 * Takes the next word off a line; blanks part words, and a comment begins with
 * a "#" that a word would begin with.  0 if there is none.
 */
ngx_uint_t wag_file_word(ngx_str_t *line, ngx_str_t *word);

/*
 * Reads a file of the system, of at most "max" bytes, to the pool.  NGX_OK;
 * NGX_DECLINED: there is no such file; NGX_ERROR, which is logged.
 */
ngx_int_t wag_file_load(ngx_pool_t *pool, const char *name, size_t max,
    ngx_str_t *text);


#endif /* _WAG_FILE_H_INCLUDED_ */
