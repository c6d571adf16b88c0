
#include "fuzz.h"

#include "wag_journal_record.h"


/*
 * What a disk may hold: read as it is, and again with sums that are right,
 * since those that are not hide what comes after them.
 */

static void fuzz_journal_read(u_char *p, u_char *last);
static void fuzz_journal_record(u_char *p, wag_journal_record_t *record,
    size_t len);
static void fuzz_journal_repair(u_char *p, u_char *last);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char              *copy;
    wag_journal_head_t   head;

    copy = fuzz_copy(data, size);

    if (size >= WAG_JOURNAL_HEAD_LEN) {
        (void) wag_journal_head_read(copy, &head);
    }

    fuzz_journal_read(copy, copy + size);
    fuzz_assert(ngx_memcmp(copy, data, size) == 0);

    fuzz_journal_repair(copy, copy + size);
    fuzz_journal_read(copy, copy + size);

    free(copy);

    return 0;
}


/* as wag_journal_load.c does */

static void
fuzz_journal_read(u_char *p, u_char *last)
{
    size_t                len;
    ngx_int_t             rc;
    wag_journal_record_t  record;

    while (p < last) {
        rc = wag_journal_record_read(p, last, &record, &len);

        if (rc == NGX_OK) {
            fuzz_assert((size_t) (last - p) >= len);
            fuzz_journal_record(p, &record, len);
            p += len;
            continue;
        }

        fuzz_assert(rc == NGX_DECLINED || rc == NGX_AGAIN);
        fuzz_assert(rc == NGX_DECLINED || last - p < WAG_JOURNAL_RECORD_MAX);

        if (last - p < WAG_JOURNAL_RECORD_LEN) {
            fuzz_assert(rc == NGX_AGAIN);
            return;
        }

        p += WAG_JOURNAL_UNIT;
    }
}


static void
fuzz_journal_record(u_char *p, wag_journal_record_t *record, size_t len)
{
    u_char                again[WAG_JOURNAL_RECORD_MAX];
    size_t                size, n;
    wag_journal_record_t  read;

    fuzz_assert(len >= WAG_JOURNAL_RECORD_LEN);
    fuzz_assert(len <= WAG_JOURNAL_RECORD_MAX);
    fuzz_assert(len % WAG_JOURNAL_UNIT == 0);

    fuzz_assert(record->state <= WAG_MARK_UNKNOWN);
    fuzz_assert(record->message.data == p + WAG_JOURNAL_RECORD_LEN);
    fuzz_assert(record->message.len <= len - WAG_JOURNAL_RECORD_LEN);

    n = wag_journal_record_write(again, record);

    fuzz_assert(wag_journal_record_read(again, again + n, &read, &size)
                == NGX_OK);
    fuzz_assert(size == n);
    fuzz_assert(ngx_memcmp(read.id, record->id, WAG_DIGEST_LEN) == 0);
    fuzz_assert(ngx_memcmp(read.request, record->request, WAG_SIPHASH_LEN)
                == 0);
    fuzz_assert(read.serial == record->serial);
    fuzz_assert(read.expires == record->expires);
    fuzz_assert(read.state == record->state);
    fuzz_assert(read.status == record->status);
    fuzz_assert(read.message.len == record->message.len);
    fuzz_assert(ngx_memcmp(read.message.data, record->message.data,
                           read.message.len) == 0);
}


/* magic at 0, the sum at 4, of all from the length at 8 on */

static void
fuzz_journal_repair(u_char *p, u_char *last)
{
    uint16_t  len;
    uint32_t  magic, crc;

    magic = 0x314a4157;

    for ( /* void */ ; last - p >= WAG_JOURNAL_RECORD_LEN; p += len) {
        ngx_memcpy(p, &magic, sizeof(uint32_t));
        ngx_memcpy(&len, p + 8, sizeof(uint16_t));

        if (len < WAG_JOURNAL_UNIT || len > last - p) {
            len = WAG_JOURNAL_UNIT;
            continue;
        }

        crc = ngx_crc32_long(p + 8, len - 8);
        ngx_memcpy(p + 4, &crc, sizeof(uint32_t));
    }
}
