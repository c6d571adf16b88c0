
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal_batch.h"
#include "wag_journal_file.h"


/* a claim that waits until it is synced */

typedef struct {
    ngx_queue_t          queue;
    wag_keeper_claim_t  *claim;    /* NULL: nobody waits any more */
    wag_marks_key_t      key;
} wag_journal_wait_t;


static u_char *wag_journal_batch_room(wag_journal_batch_t *batch, size_t len,
    ngx_log_t *log);


void
wag_journal_batch_init(wag_journal_batch_t *batch)
{
    ngx_queue_init(&batch->waits);
}


void
wag_journal_batch_free(wag_journal_batch_t *batch)
{
    if (batch->data) {
        ngx_free(batch->data);
    }
}


ngx_int_t
wag_journal_batch_claim(wag_journal_batch_t *batch, wag_keeper_claim_t *claim)
{
    wag_journal_wait_t  *wait;

    wait = ngx_alloc(sizeof(wag_journal_wait_t), claim->log);
    if (wait == NULL) {
        return NGX_ERROR;
    }

    wait->claim = claim;
    wait->key = *claim->key;

    if (wag_journal_batch_put(batch, claim->key, NULL, claim->log) != NGX_OK) {
        ngx_free(wait);
        return NGX_ERROR;
    }

    claim->asked = wait;

    ngx_queue_insert_tail(&batch->waits, &wait->queue);

    return NGX_OK;
}


void
wag_journal_batch_cancel(wag_keeper_claim_t *claim)
{
    wag_journal_wait_t  *wait;

    wait = claim->asked;
    wait->claim = NULL;
}


ngx_int_t
wag_journal_batch_put(wag_journal_batch_t *batch, wag_marks_key_t *key,
    wag_keeper_end_t *end, ngx_log_t *log)
{
    u_char                *p;
    wag_journal_record_t   record;

    p = wag_journal_batch_room(batch, WAG_JOURNAL_RECORD_MAX, log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(record.id, key->id, WAG_DIGEST_LEN);
    ngx_memcpy(record.request, key->request, WAG_SIPHASH_LEN);

    record.serial = key->serial;
    record.expires = wag_journal_file_now() + key->ttl;
    record.state = WAG_MARK_IN_FLIGHT;
    record.status = 0;
    ngx_str_null(&record.message);

    if (end) {
        record.state = end->state;
        record.status = end->status;
        record.message = end->message;
    }

    batch->len += wag_journal_record_write(p, &record);

    return NGX_OK;
}


/* "len" bytes more, or NULL */

static u_char *
wag_journal_batch_room(wag_journal_batch_t *batch, size_t len, ngx_log_t *log)
{
    u_char  *p;
    size_t   size;

    if (batch->size - batch->len < len) {

        size = 2 * batch->size + len + 4096;

        p = ngx_alloc(size, log);
        if (p == NULL) {
            return NULL;
        }

        if (batch->data) {
            ngx_memcpy(p, batch->data, batch->len);
            ngx_free(batch->data);
        }

        batch->data = p;
        batch->size = size;
    }

    return batch->data + batch->len;
}


void
wag_journal_batch_keep(wag_journal_batch_t *next, wag_journal_batch_t *batch,
    ngx_log_t *log)
{
    u_char                *p, *to;
    size_t                 len, done;
    wag_journal_record_t   record;

    for (done = 0; done < batch->len; done += len) {
        p = batch->data + done;

        if (wag_journal_record_read(p, batch->data + batch->len, &record, &len)
            != NGX_OK)
        {
            return;
        }

        if (record.state == WAG_MARK_IN_FLIGHT
            || next->len > WAG_JOURNAL_BATCH_KEPT)
        {
            continue;
        }

        to = wag_journal_batch_room(next, len, log);
        if (to == NULL) {
            return;
        }

        ngx_memcpy(to, p, len);
        next->len += len;
    }
}


void
wag_journal_batch_tell(wag_journal_batch_t *batch, ngx_uint_t found,
    wag_journal_batch_t *next, ngx_log_t *log)
{
    ngx_queue_t         *q;
    wag_keeper_end_t     end;
    wag_journal_wait_t  *wait;

    ngx_memzero(&end, sizeof(wag_keeper_end_t));

    while (!ngx_queue_empty(&batch->waits)) {
        q = ngx_queue_head(&batch->waits);

        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is queued */
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, wag_journal_wait_t, queue);

        if (wait->claim) {
            wait->claim->found = found;
            wait->claim->told(wait->claim);

        } else if (found == WAG_MARK_NONE) {
            (void) wag_journal_batch_put(next, &wait->key, &end, log);
        }

        ngx_free(wait);
    }
}
