
/*
 * The journal of keys: records as bytes, and what is known after a file was
 * cut at each of its bytes, or has each of them changed.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>
#include <stdlib.h>

#include "wag_journal_file.h"
#include "wag_journal_load.h"
#include "wag_unit.h"


#define WAG_UNIT_SIZE   (16 * 1024)
#define WAG_UNIT_TTL    3600000


/* what was written, in this order: keys, and what came of each */

typedef struct {
    ngx_uint_t           id;
    ngx_uint_t           serial;
    ngx_uint_t           state;
    const char          *message;
} wag_unit_written_t;


static wag_unit_written_t  wag_unit_journal_all[] = {
    { 1, 1, WAG_MARK_IN_FLIGHT, "" },
    { 2, 2, WAG_MARK_IN_FLIGHT, "" },
    { 1, 1, WAG_MARK_ANSWERED, "3EB0F00D" },
    { 3, 3, WAG_MARK_IN_FLIGHT, "" },
    { 3, 3, WAG_MARK_NONE, "" },
    { 4, 4, WAG_MARK_IN_FLIGHT, "" },
    { 3, 5, WAG_MARK_IN_FLIGHT, "" },
    { 4, 4, WAG_MARK_UNKNOWN, "" },
    { 3, 3, WAG_MARK_NONE, "" },      /* late: the next claim is there */
    { 0, 0, 0, NULL }
};


static void wag_unit_journal_records(wag_unit_t *u);
static void wag_unit_journal_cut(wag_unit_t *u);
static void wag_unit_journal_damaged(wag_unit_t *u);
static void wag_unit_journal_files(wag_unit_t *u);
static void wag_unit_journal_short(wag_unit_t *u);
static void wag_unit_journal_one(wag_journal_record_t *record,
    wag_unit_written_t *w, uint64_t expires);
static size_t wag_unit_journal_text(u_char *p, size_t *ends);
static void wag_unit_journal_store(u_char *text, size_t len);
static ngx_uint_t wag_unit_journal_known(wag_marks_t *m, ngx_uint_t id);
static wag_marks_t *wag_unit_journal_load(wag_unit_t *u, size_t size);
static ngx_uint_t wag_unit_journal_expected(ngx_uint_t id, ngx_uint_t n);
static ngx_uint_t wag_unit_journal_alive(int32_t pid);


/* of one run of nginx -t */

static u_char     wag_unit_journal_folder[] = "/tmp/wag-journal-XXXXXX";
static u_char     wag_unit_journal_path[64];
static ngx_str_t  wag_unit_journal_name;
static ngx_log_t  wag_unit_journal_log;


void
wag_unit_journal(wag_unit_t *u)
{
    if (mkdtemp((char *) wag_unit_journal_folder) == NULL) {
        wag_unit_ok(u, 0, "a folder");
        return;
    }

    wag_unit_journal_name.data = wag_unit_journal_path;
    wag_unit_journal_name.len = ngx_sprintf(wag_unit_journal_path, "%s/keys%Z",
                                            wag_unit_journal_folder)
                                - wag_unit_journal_path - 1;

    wag_unit_journal_log = *u->log;
    wag_unit_journal_log.log_level = NGX_LOG_STDERR;

    wag_unit_journal_records(u);
    wag_unit_journal_cut(u);
    wag_unit_journal_damaged(u);
    wag_unit_journal_files(u);
    wag_unit_journal_short(u);

    (void) rmdir((char *) wag_unit_journal_folder);
}


static void
wag_unit_journal_records(wag_unit_t *u)
{
    u_char                buf[WAG_JOURNAL_RECORD_MAX], text[256];
    size_t                len, cut, read;
    ngx_uint_t            i, bad, bit;
    wag_journal_head_t    head;
    wag_journal_record_t  record, got;

    ngx_memset(text, 'm', sizeof(text));

    bad = 0;

    for (i = 0; i <= 200; i++) {
        wag_unit_journal_one(&record, &wag_unit_journal_all[2], 77);

        record.message.data = text;
        record.message.len = i;

        len = wag_journal_record_write(buf, &record);

        bad += (len > WAG_JOURNAL_RECORD_MAX || len % WAG_JOURNAL_UNIT);
        bad += (wag_journal_record_read(buf, buf + len, &got, &read) != NGX_OK
                || read != len
                || ngx_memcmp(got.id, record.id, WAG_DIGEST_LEN)
                || ngx_memcmp(got.request, record.request, WAG_SIPHASH_LEN)
                || got.serial != record.serial || got.expires != 77
                || got.state != record.state || got.status != record.status
                || got.message.len != (i <= WAG_JOURNAL_MESSAGE_LEN ? i : 0)
                || ngx_memcmp(got.message.data, text, got.message.len));

        for (cut = 0; cut < len; cut++) {
            bad += (wag_journal_record_read(buf, buf + cut, &got, &read)
                    != NGX_AGAIN);
        }

        for (bit = 0; bit < 8 * len; bit++) {
            buf[bit / 8] ^= 1 << bit % 8;
            bad += (wag_journal_record_read(buf, buf + len, &got, &read)
                    == NGX_OK);
            buf[bit / 8] ^= 1 << bit % 8;
        }
    }

    wag_unit_ok(u, bad == 0, "records are read as they were written");

    head.opened = 5;
    head.until = 6;
    wag_journal_head_write(buf, &head);
    ngx_memzero(&head, sizeof(wag_journal_head_t));

    bad = (wag_journal_head_read(buf, &head) != NGX_OK || head.opened != 5
           || head.until != 6);

    for (bit = 0; bit < 8 * WAG_JOURNAL_HEAD_LEN; bit++) {
        buf[bit / 8] ^= 1 << bit % 8;
        bad += (wag_journal_head_read(buf, &head) == NGX_OK);
        buf[bit / 8] ^= 1 << bit % 8;
    }

    wag_unit_ok(u, bad == 0, "and so are heads");
}


static void
wag_unit_journal_cut(wag_unit_t *u)
{
    u_char        text[4096], after[4096];
    size_t        len, cut, size, ends[16];
    FILE         *file;
    ngx_uint_t    i, n, bad;
    wag_marks_t  *m;

    len = wag_unit_journal_text(text, ends);
    bad = 0;

    for (cut = 0; cut <= len; cut++) {

        for (n = 0; wag_unit_journal_all[n].message && ends[n] <= cut; n++) {
            /* these are whole */
        }

        wag_unit_journal_store(text, cut);

        m = wag_unit_journal_load(u, WAG_UNIT_SIZE);

        for (i = 1; i <= 4; i++) {
            bad += (wag_unit_journal_known(m, i)
                    != wag_unit_journal_expected(i, n));
        }

        /* what is not whole is gone */

        wag_journal_file_path(after, &wag_unit_journal_name, 1);
        file = fopen((char *) after, "rb");
        size = file ? fread(after, 1, sizeof(after), file) : 0;

        bad += (size != (cut < WAG_JOURNAL_HEAD_LEN ? 0
                         : n ? ends[n - 1] : WAG_JOURNAL_HEAD_LEN));

        if (file) {
            (void) fclose(file);
        }
    }

    wag_unit_ok(u, bad == 0, "a file that ends at any of its bytes");
}


static void
wag_unit_journal_damaged(wag_unit_t *u)
{
    u_char        text[4096];
    size_t        len, at, ends[16];
    ngx_uint_t    i, n, bad, hit, known, lost;
    wag_marks_t  *m;

    len = wag_unit_journal_text(text, ends);
    bad = 0;
    lost = 0;

    for (n = 0; wag_unit_journal_all[n].message; n++) { /* void */ }

    for (at = 0; at < len; at++) {

        for (hit = 0; ends[hit] <= at; hit++) { /* void */ }

        text[at] ^= 0x10;
        wag_unit_journal_store(text, len);
        text[at] ^= 0x10;

        m = wag_unit_journal_load(u, WAG_UNIT_SIZE);

        for (i = 1; i <= 4; i++) {
            known = wag_unit_journal_known(m, i);

            if (at < WAG_JOURNAL_HEAD_LEN
                || wag_unit_journal_all[hit].id != i)
            {
                bad += (known != wag_unit_journal_expected(i, n));

            } else {
                lost += (known != wag_unit_journal_expected(i, n));
            }
        }
    }

    wag_unit_ok(u, bad == 0, "a damaged byte costs its own record only");
    wag_unit_ok(u, lost > 100, "and that it costs");
}


static void
wag_unit_journal_files(wag_unit_t *u)
{
    u_char               buf[WAG_JOURNAL_RECORD_MAX], *p, text[4096];
    size_t               len, ends[16];
    ngx_err_t            err;
    ngx_uint_t           n, *numbers;
    wag_marks_t         *m;
    wag_journal_file_t   one, two;
    wag_journal_head_t   head;
    wag_journal_record_t record;

    wag_unit_journal_store(NULL, 0);

    ngx_memzero(&one, sizeof(wag_journal_file_t));

    one.name = wag_unit_journal_name;
    one.ttl = WAG_UNIT_TTL;
    one.fd = NGX_INVALID_FILE;
    two = one;

    /* a worker writes the later claim before the other one gives up */

    wag_unit_journal_one(&record, &wag_unit_journal_all[6],
                         wag_journal_file_now() + WAG_UNIT_TTL);
    len = wag_journal_record_write(buf, &record);
    wag_unit_ok(u, wag_journal_file_append(&one, buf, len, 1, &err) == NGX_OK,
                "a worker writes");

    wag_unit_journal_one(&record, &wag_unit_journal_all[3],
                         wag_journal_file_now() + WAG_UNIT_TTL);
    len = wag_journal_record_write(buf, &record);
    wag_unit_ok(u, wag_journal_file_append(&two, buf, len, 0, &err) == NGX_OK,
                "and another one");

    wag_unit_journal_one(&record, &wag_unit_journal_all[4],
                         wag_journal_file_now() + WAG_UNIT_TTL);
    len = wag_journal_record_write(buf, &record);
    (void) wag_journal_file_append(&two, buf, len, 1, &err);

    m = wag_unit_journal_load(u, WAG_UNIT_SIZE);
    wag_unit_ok(u, one.number != two.number, "each has a file of its own");
    wag_unit_ok(u, wag_unit_journal_known(m, 3) == WAG_MARK_UNKNOWN,
                "the later claim counts, whatever file it is in");
    wag_unit_ok(u, m->serial == 5, "and the next one comes after");

    /* time */

    one.opened -= WAG_UNIT_TTL / 2;
    n = one.number;
    (void) wag_journal_file_append(&one, buf, len, 1, &err);
    wag_unit_ok(u, one.number != n, "one that is old takes no more records");

    wag_journal_file_close(&one);
    wag_journal_file_close(&two);

    head.opened = 1;
    head.until = 2;
    (void) wag_unit_journal_text(text, ends);
    wag_journal_head_write(text, &head);

    wag_unit_journal_store(text, ends[2]);
    m = wag_unit_journal_load(u, WAG_UNIT_SIZE);

    (void) wag_journal_file_list(&wag_unit_journal_name, &numbers, &n);
    free(numbers);

    wag_unit_ok(u, m->nmarks == 0 && n == 2,
                "one in which all expired is removed");

    /* an answer */

    (void) wag_unit_journal_text(text, ends);
    wag_unit_journal_store(text, ends[2]);
    m = wag_unit_journal_load(u, WAG_UNIT_SIZE);
    p = (u_char *) m + WAG_UNIT_SIZE;

    wag_unit_ok(u, wag_unit_journal_known(m, 1) == WAG_MARK_ANSWERED
                   && memmem(m, p - (u_char *) m,
                             "\"messageId\":\"3EB0F00D\"", 22) != NULL,
                "a message's id is what a repeat is told");

    wag_unit_journal_store(NULL, 0);

    two.ttl = 1;
    two.name.data = (u_char *) "/nowhere/at/all";
    two.name.len = 15;
    wag_unit_ok(u, wag_journal_file_append(&two, buf, len, 1, &err)
                   == NGX_ERROR && err == NGX_ENOENT,
                "no folder: it says why");
}


/* who has no room for what is known claims nothing */

static void
wag_unit_journal_short(wag_unit_t *u)
{
    u_char                text[WAG_JOURNAL_HEAD_LEN
                               + 100 * WAG_JOURNAL_RECORD_LEN];
    size_t                len, ends[16];
    ngx_uint_t            i;
    wag_marks_t          *m;
    wag_unit_written_t    w;
    wag_journal_record_t  record;

    (void) wag_unit_journal_text(text, ends);
    len = WAG_JOURNAL_HEAD_LEN;

    for (i = 1; i <= 100; i++) {
        w = wag_unit_journal_all[0];
        w.id = i;
        w.serial = i;

        wag_unit_journal_one(&record, &w,
                             wag_journal_file_now() + WAG_UNIT_TTL);
        len += wag_journal_record_write(text + len, &record);
    }

    wag_unit_journal_store(text, len);

    m = wag_unit_journal_load(u, 4096);

    wag_unit_ok(u, m->nmarks < 100 && m->refuse != 0,
                "no room for all: nothing is claimed");

    wag_unit_journal_store(NULL, 0);
}


static void
wag_unit_journal_one(wag_journal_record_t *record, wag_unit_written_t *w,
    uint64_t expires)
{
    ngx_memzero(record, sizeof(wag_journal_record_t));

    record->id[0] = (u_char) w->id;
    record->request[0] = (u_char) w->id;
    record->serial = w->serial;
    record->expires = expires;
    record->state = w->state;
    record->status = (w->state == WAG_MARK_ANSWERED) ? 200 : 0;
    record->message.data = (u_char *) w->message;
    record->message.len = ngx_strlen(w->message);
}


/* a file, and where each record in it ends */

static size_t
wag_unit_journal_text(u_char *p, size_t *ends)
{
    size_t                len;
    ngx_uint_t            i;
    wag_journal_head_t    head;
    wag_journal_record_t  record;

    head.opened = wag_journal_file_now();
    head.until = head.opened + WAG_UNIT_TTL;

    wag_journal_head_write(p, &head);
    len = WAG_JOURNAL_HEAD_LEN;

    for (i = 0; wag_unit_journal_all[i].message; i++) {
        wag_unit_journal_one(&record, &wag_unit_journal_all[i], head.until);

        len += wag_journal_record_write(p + len, &record);
        ends[i] = len;
    }

    return len;
}


/* the only file of the journal; NULL: none */

static void
wag_unit_journal_store(u_char *text, size_t len)
{
    FILE        *file;
    u_char       path[64];
    ngx_uint_t   i, n, *numbers;

    (void) wag_journal_file_list(&wag_unit_journal_name, &numbers, &n);

    for (i = 0; i < n; i++) {
        wag_journal_file_path(path, &wag_unit_journal_name, numbers[i]);

        if (text == NULL || numbers[i] == 1) {
            (void) unlink((char *) path);
        }
    }

    free(numbers);

    if (text == NULL) {
        return;
    }

    wag_journal_file_path(path, &wag_unit_journal_name, 1);

    file = fopen((char *) path, "wb");

    if (file == NULL || fwrite(text, 1, len, file) != len
        || fclose(file) != 0)
    {
        abort();
    }
}


static ngx_uint_t
wag_unit_journal_known(wag_marks_t *m, ngx_uint_t id)
{
    wag_marks_key_t  key;

    ngx_memzero(&key, sizeof(wag_marks_key_t));

    key.id[0] = (u_char) id;
    key.request[0] = (u_char) id;
    key.now = ngx_current_msec;
    key.alive = wag_unit_journal_alive;

    return wag_marks_look(m, &key);
}


static ngx_uint_t
wag_unit_journal_alive(int32_t pid)
{
    return 1;
}


static wag_marks_t *
wag_unit_journal_load(wag_unit_t *u, size_t size)
{
    wag_marks_t  *m;

    m = ngx_pcalloc(u->pool, size);

    if (m == NULL || wag_marks_init(m, size) != NGX_OK
        || wag_journal_load(&wag_unit_journal_name, m, &wag_unit_journal_log)
           != NGX_OK)
    {
        abort();
    }

    return m;
}


/* of the first n records */

static ngx_uint_t
wag_unit_journal_expected(ngx_uint_t id, ngx_uint_t n)
{
    ngx_uint_t           i, serial, state;
    wag_unit_written_t  *w;

    serial = 0;
    state = WAG_MARK_NONE;

    for (i = 0; i < n; i++) {
        w = &wag_unit_journal_all[i];

        if (w->id == id && w->serial >= serial) {
            serial = w->serial;
            state = (w->state == WAG_MARK_IN_FLIGHT) ? WAG_MARK_UNKNOWN
                                                     : w->state;
        }
    }

    return state;
}
