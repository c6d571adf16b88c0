
#ifndef _WAG_FUZZ_H_INCLUDED_
#define _WAG_FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* What must hold; the fuzzer keeps an input for which it does not. */

#define fuzz_assert(cond)                                                     \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);    \
        abort();                                                              \
    }


/* A copy with no byte to spare, so that reading beyond it is seen. */

static ngx_inline u_char *
fuzz_copy(const u_char *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);
    fuzz_assert(p != NULL);

    ngx_memcpy(p, data, len);

    return p;
}


/* The log nginx core writes to: nowhere; ngx_regex.c wants a cycle too. */

static ngx_inline ngx_log_t *
fuzz_log(void)
{
    static ngx_log_t        log;
    static ngx_cycle_t      cycle;
    static ngx_open_file_t  file;

    if (log.file == NULL) {
        ngx_pagesize = 4096;
        ngx_cacheline_size = 64;

        file.fd = ngx_stderr;
        log.file = &file;
        log.log_level = 0;

        cycle.log = &log;
        ngx_cycle = &cycle;
    }

    return &log;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#endif /* _WAG_FUZZ_H_INCLUDED_ */
