
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store_reader.h"

#if (WAG_HIREDIS)

#include <hiredis/hiredis.h>


/* bytes that wait to be an answer: texts, and what is around them */

#define WAG_STORE_READER_WAITING  (WAG_STORE_TEXT_LEN + 4096)

#define WAG_STORE_READER_ARGS     128

#if (HIREDIS_MAJOR >= 1)
#define wag_store_reader_count_t  size_t
#else
#define wag_store_reader_count_t  int
#endif


static void *wag_store_reader_string(const redisReadTask *task, char *data,
    size_t len);
static void *wag_store_reader_array(const redisReadTask *task,
    wag_store_reader_count_t n);
static void *wag_store_reader_integer(const redisReadTask *task,
    long long number);
static void *wag_store_reader_nil(const redisReadTask *task);
static void wag_store_reader_keep(void *object);
static wag_store_value_t *wag_store_reader_value(const redisReadTask *task);


static redisReplyObjectFunctions  wag_store_reader_functions = {
    .createString = wag_store_reader_string,
    .createArray = wag_store_reader_array,
    .createInteger = wag_store_reader_integer,
    .createNil = wag_store_reader_nil,
    .freeObject = wag_store_reader_keep
};


wag_store_reader_t *
wag_store_reader_create(void)
{
    wag_store_reader_t  *r;

    r = malloc(sizeof(wag_store_reader_t));
    if (r == NULL) {
        return NULL;
    }

    r->reader = NULL;

    if (wag_store_reader_reset(r) != NGX_OK) {
        free(r);
        return NULL;
    }

    return r;
}


void
wag_store_reader_free(wag_store_reader_t *r)
{
    redisReaderFree(r->reader);
    free(r);
}


ngx_int_t
wag_store_reader_reset(wag_store_reader_t *r)
{
    redisReader  *reader;

    reader = redisReaderCreateWithFunctions(&wag_store_reader_functions);
    if (reader == NULL) {
        return NGX_ERROR;
    }

    reader->privdata = &r->answer;

    if (r->reader) {
        redisReaderFree(r->reader);
    }

    r->reader = reader;

    return NGX_OK;
}


ngx_int_t
wag_store_reader_feed(wag_store_reader_t *r, u_char *start, u_char *end)
{
    if (r->reader->len - r->reader->pos + (end - start)
        > WAG_STORE_READER_WAITING)
    {
        return NGX_ERROR;
    }

    return (redisReaderFeed(r->reader, (char *) start, end - start)
            == REDIS_OK) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
wag_store_reader_next(wag_store_reader_t *r)
{
    void  *reply;

    reply = NULL;

    /* one that is read in parts goes on where it was */

    if (r->reader->ridx == -1) {
        r->answer.error = 0;
        r->answer.nvalues = 0;
        r->answer.len = 0;

        /* it is shown where an answer is not as it should be */

        r->answer.values[0].number = 0;
        ngx_str_null(&r->answer.values[0].text);
    }

    if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
        return NGX_ERROR;
    }

    if (reply == NULL) {
        return NGX_AGAIN;
    }

    /* types of RESP3, which were not asked for, have objects of their own */

    return (reply == &r->answer) ? NGX_OK : NGX_ERROR;
}


static void *
wag_store_reader_string(const redisReadTask *task, char *data, size_t len)
{
    wag_store_value_t   *value;
    wag_store_answer_t  *answer;

    answer = task->privdata;

    value = wag_store_reader_value(task);

    if (value == NULL || len > WAG_STORE_TEXT_LEN - answer->len) {
        return NULL;
    }

    if (task->type == REDIS_REPLY_ERROR) {
        answer->error = 1;
    }

    value->number = 0;
    value->text.data = answer->text + answer->len;
    value->text.len = len;

    ngx_memcpy(value->text.data, data, len);
    answer->len += len;

    return answer;
}


/* values are in a row: an array is the answer itself, and none has another */

static void *
wag_store_reader_array(const redisReadTask *task, wag_store_reader_count_t n)
{
    return (task->parent == NULL && (size_t) n <= WAG_STORE_VALUES)
           ? task->privdata : NULL;
}


static void *
wag_store_reader_integer(const redisReadTask *task, long long number)
{
    wag_store_value_t  *value;

    value = wag_store_reader_value(task);
    if (value == NULL) {
        return NULL;
    }

    value->number = number;
    ngx_str_null(&value->text);

    return task->privdata;
}


static void *
wag_store_reader_nil(const redisReadTask *task)
{
    return wag_store_reader_integer(task, 0);
}


static void
wag_store_reader_keep(void *object)
{
    (void) object;
}


static wag_store_value_t *
wag_store_reader_value(const redisReadTask *task)
{
    wag_store_answer_t  *answer;

    answer = task->privdata;

    if (answer->nvalues == WAG_STORE_VALUES) {
        return NULL;
    }

    return &answer->values[answer->nvalues++];
}


ssize_t
wag_store_reader_format(char **command, ngx_uint_t argc, ngx_str_t *argv)
{
    size_t       lens[WAG_STORE_READER_ARGS];
    ngx_uint_t   i;
    const char  *args[WAG_STORE_READER_ARGS];

    if (argc > WAG_STORE_READER_ARGS) {
        return -1;
    }

    for (i = 0; i < argc; i++) {
        args[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    return redisFormatCommandArgv(command, (int) argc, args, lens);
}

#else


wag_store_reader_t *
wag_store_reader_create(void)
{
    return NULL;
}


void
wag_store_reader_free(wag_store_reader_t *r)
{
    (void) r;
}


ngx_int_t
wag_store_reader_reset(wag_store_reader_t *r)
{
    (void) r;

    return NGX_ERROR;
}


ngx_int_t
wag_store_reader_feed(wag_store_reader_t *r, u_char *start, u_char *end)
{
    (void) r;
    (void) start;
    (void) end;

    return NGX_ERROR;
}


ngx_int_t
wag_store_reader_next(wag_store_reader_t *r)
{
    (void) r;

    return NGX_ERROR;
}


ssize_t
wag_store_reader_format(char **command, ngx_uint_t argc, ngx_str_t *argv)
{
    (void) command;
    (void) argc;
    (void) argv;

    return -1;
}

#endif
