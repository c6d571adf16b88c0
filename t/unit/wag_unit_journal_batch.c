
/*
 * A batch of a journal: what waits is told once, what was cancelled is given
 * up, and what came of keys outlives a write that failed.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "wag_journal_batch.h"
#include "wag_journal_record.h"
#include "wag_unit.h"


#define WAG_UNIT_CLAIMS  200
#define WAG_UNIT_TTL     3600000


static void wag_unit_journal_batch_tell(wag_unit_t *u);
static void wag_unit_journal_batch_keep(wag_unit_t *u);
static void wag_unit_journal_batch_kept(wag_unit_t *u);
static void wag_unit_journal_batch_key(wag_marks_key_t *key, ngx_uint_t n);
static void wag_unit_journal_batch_told(wag_keeper_claim_t *claim);
static u_char *wag_unit_journal_batch_text(u_char *p,
    wag_journal_batch_t *batch);


/* each claim's count of being told, in its status */

static wag_keeper_claim_t  wag_unit_journal_batch_claims[WAG_UNIT_CLAIMS];
static wag_marks_key_t     wag_unit_journal_batch_keys[WAG_UNIT_CLAIMS];


void
wag_unit_journal_batch(wag_unit_t *u)
{
    wag_unit_journal_batch_tell(u);
    wag_unit_journal_batch_keep(u);
    wag_unit_journal_batch_kept(u);
}


/* more than the first memory has room for; each third one is cancelled */

static void
wag_unit_journal_batch_tell(wag_unit_t *u)
{
    u_char               buf[32 * WAG_UNIT_CLAIMS], want[32 * WAG_UNIT_CLAIMS];
    u_char              *p;
    ngx_uint_t           i, n, bad, found;
    wag_keeper_claim_t  *claim;
    wag_journal_batch_t  batch, next;

    for (found = WAG_MARK_NONE; /* void */ ; found = WAG_MARK_FULL) {

        ngx_memzero(&batch, sizeof(wag_journal_batch_t));
        ngx_memzero(&next, sizeof(wag_journal_batch_t));

        wag_journal_batch_init(&batch);
        wag_journal_batch_init(&next);

        bad = 0;

        for (i = 0; i < WAG_UNIT_CLAIMS; i++) {
            claim = &wag_unit_journal_batch_claims[i];

            ngx_memzero(claim, sizeof(wag_keeper_claim_t));
            wag_unit_journal_batch_key(&wag_unit_journal_batch_keys[i], i);

            claim->key = &wag_unit_journal_batch_keys[i];
            claim->log = u->log;
            claim->told = wag_unit_journal_batch_told;

            bad += (wag_journal_batch_claim(&batch, claim) != NGX_OK);
        }

        wag_unit_ok(u, bad == 0, "many are claimed");

        for (i = 0, p = want; i < WAG_UNIT_CLAIMS; i++) {
            p = ngx_sprintf(p, "%ui:%d ", i, WAG_MARK_IN_FLIGHT);
        }

        *p = '\0';
        *wag_unit_journal_batch_text(buf, &batch) = '\0';

        wag_unit_is(u, (char *) buf, (char *) want, "in this order");

        for (i = 0; i < WAG_UNIT_CLAIMS; i += 3) {
            wag_journal_batch_cancel(&wag_unit_journal_batch_claims[i]);
        }

        wag_journal_batch_tell(&batch, found, &next, u->log);

        bad = 0;

        for (i = 0; i < WAG_UNIT_CLAIMS; i++) {
            claim = &wag_unit_journal_batch_claims[i];
            n = (i % 3) ? 1 : 0;

            bad += (claim->status != n || (n && claim->found != found));
        }

        wag_unit_ok(u, bad == 0, "who waits is told once, nobody else is");

        for (i = 0, p = want; found == WAG_MARK_NONE && i < WAG_UNIT_CLAIMS;
             i += 3)
        {
            p = ngx_sprintf(p, "%ui:%d ", i, WAG_MARK_NONE);
        }

        *p = '\0';
        *wag_unit_journal_batch_text(buf, &next) = '\0';

        wag_unit_is(u, (char *) buf, (char *) want,
                    found == WAG_MARK_NONE
                    ? "what was cancelled is given up"
                    : "nothing was written, nothing is given up");

        wag_journal_batch_free(&batch);
        wag_journal_batch_free(&next);

        if (found == WAG_MARK_FULL) {
            return;
        }
    }
}


static void
wag_unit_journal_batch_keep(wag_unit_t *u)
{
    u_char               buf[256];
    wag_marks_key_t      key;
    wag_keeper_end_t     end;
    wag_journal_batch_t  batch, next;

    ngx_memzero(&batch, sizeof(wag_journal_batch_t));
    ngx_memzero(&next, sizeof(wag_journal_batch_t));
    ngx_memzero(&end, sizeof(wag_keeper_end_t));

    wag_unit_journal_batch_key(&key, 9);
    (void) wag_journal_batch_put(&next, &key, NULL, u->log);

    wag_unit_journal_batch_key(&key, 1);
    (void) wag_journal_batch_put(&batch, &key, NULL, u->log);

    end.state = WAG_MARK_ANSWERED;
    end.status = 200;
    ngx_str_set(&end.message, "3EB0F00D");
    (void) wag_journal_batch_put(&batch, &key, &end, u->log);

    wag_unit_journal_batch_key(&key, 2);
    (void) wag_journal_batch_put(&batch, &key, NULL, u->log);

    end.state = WAG_MARK_UNKNOWN;
    wag_unit_journal_batch_key(&key, 3);
    (void) wag_journal_batch_put(&batch, &key, &end, u->log);

    wag_journal_batch_keep(&next, &batch, u->log);

    *wag_unit_journal_batch_text(buf, &next) = '\0';

    wag_unit_is(u, (char *) buf, "9:1 1:2:3EB0F00D 3:3:3EB0F00D ",
                "outcomes are kept, claims are not");

    wag_journal_batch_free(&batch);
    wag_journal_batch_free(&next);
}


/* a disk that stays full does not fill the memory */

static void
wag_unit_journal_batch_kept(wag_unit_t *u)
{
    ngx_uint_t           i;
    wag_marks_key_t      key;
    wag_keeper_end_t     end;
    wag_journal_batch_t  batch, next;

    ngx_memzero(&batch, sizeof(wag_journal_batch_t));
    ngx_memzero(&next, sizeof(wag_journal_batch_t));
    ngx_memzero(&end, sizeof(wag_keeper_end_t));

    end.state = WAG_MARK_UNKNOWN;
    wag_unit_journal_batch_key(&key, 1);

    for (i = 0; i < 1000; i++) {
        (void) wag_journal_batch_put(&batch, &key, &end, u->log);
    }

    for (i = 0; i < 50; i++) {
        wag_journal_batch_keep(&next, &batch, u->log);
    }

    wag_unit_ok(u, next.len > WAG_JOURNAL_BATCH_KEPT
                   && next.len <= WAG_JOURNAL_BATCH_KEPT
                                  + WAG_JOURNAL_RECORD_MAX,
                "a megabyte of them");

    wag_journal_batch_free(&batch);
    wag_journal_batch_free(&next);
}


static void
wag_unit_journal_batch_key(wag_marks_key_t *key, ngx_uint_t n)
{
    ngx_memzero(key, sizeof(wag_marks_key_t));

    key->id[0] = (u_char) n;
    key->serial = n;
    key->ttl = WAG_UNIT_TTL;
}


static void
wag_unit_journal_batch_told(wag_keeper_claim_t *claim)
{
    claim->status++;
}


/* its records: key, state, message */

static u_char *
wag_unit_journal_batch_text(u_char *p, wag_journal_batch_t *batch)
{
    size_t                done, len;
    wag_journal_record_t  r;

    for (done = 0; done < batch->len; done += len) {

        if (wag_journal_record_read(batch->data + done,
                                    batch->data + batch->len, &r, &len)
            != NGX_OK)
        {
            return ngx_sprintf(p, "damaged");
        }

        p = ngx_sprintf(p, "%d:%ui", (int) r.id[0], r.state);

        if (r.message.len) {
            p = ngx_sprintf(p, ":%V", &r.message);
        }

        *p++ = ' ';
    }

    return p;
}
