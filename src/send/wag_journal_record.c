
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_journal_record.h"


#define WAG_JOURNAL_MAGIC  0x314a4157   /* WAJ1 */


/* as it lies in a file; it is read by the machine that wrote it */

typedef struct {
    uint32_t             magic;
    uint32_t             crc;        /* of all that follows */
    uint16_t             len;        /* in bytes, a multiple of the unit */
    uint16_t             status;
    uint8_t              state;
    uint8_t              message_len;
    uint16_t             reserved;
    uint64_t             serial;
    uint64_t             expires;
    u_char               id[WAG_DIGEST_LEN];
    u_char               request[WAG_SIPHASH_LEN];
} wag_journal_cell_t;


typedef struct {
    u_char               magic[20];
    uint32_t             crc;        /* of all that follows */
    uint64_t             opened;
    uint64_t             until;
    u_char               reserved[24];
} wag_journal_top_t;


#define wag_journal_crc(p, begin, len)                                        \
    ngx_crc32_long((u_char *) (p) + (begin), (len) - (begin))


static u_char  wag_journal_name[] = "wa_gateway journal 1";


void
wag_journal_head_write(u_char *p, wag_journal_head_t *head)
{
    wag_journal_top_t  top;

    ngx_memzero(&top, sizeof(wag_journal_top_t));
    ngx_memcpy(top.magic, wag_journal_name, sizeof(top.magic));

    top.opened = head->opened;
    top.until = head->until;
    top.crc = wag_journal_crc(&top, offsetof(wag_journal_top_t, opened),
                              sizeof(wag_journal_top_t));

    ngx_memcpy(p, &top, sizeof(wag_journal_top_t));
}


ngx_int_t
wag_journal_head_read(u_char *p, wag_journal_head_t *head)
{
    wag_journal_top_t  top;

    ngx_memcpy(&top, p, sizeof(wag_journal_top_t));

    if (ngx_memcmp(top.magic, wag_journal_name, sizeof(top.magic)) != 0
        || top.crc != wag_journal_crc(&top,
                                      offsetof(wag_journal_top_t, opened),
                                      sizeof(wag_journal_top_t)))
    {
        return NGX_DECLINED;
    }

    head->opened = top.opened;
    head->until = top.until;

    return NGX_OK;
}


size_t
wag_journal_record_write(u_char *p, wag_journal_record_t *record)
{
    size_t              len, message;
    wag_journal_cell_t  cell;

    message = record->message.len;

    if (message > WAG_JOURNAL_MESSAGE_LEN) {
        message = 0;
    }

    len = ngx_align(WAG_JOURNAL_RECORD_LEN + message, WAG_JOURNAL_UNIT);

    cell.magic = WAG_JOURNAL_MAGIC;
    cell.crc = 0;
    cell.len = (uint16_t) len;
    cell.status = (uint16_t) record->status;
    cell.state = (uint8_t) record->state;
    cell.message_len = (uint8_t) message;
    cell.reserved = 0;
    cell.serial = record->serial;
    cell.expires = record->expires;

    ngx_memcpy(cell.id, record->id, WAG_DIGEST_LEN);
    ngx_memcpy(cell.request, record->request, WAG_SIPHASH_LEN);

    ngx_memzero(p, len);
    ngx_memcpy(p, &cell, sizeof(wag_journal_cell_t));

    if (message) {
        ngx_memcpy(p + WAG_JOURNAL_RECORD_LEN, record->message.data, message);
    }

    cell.crc = wag_journal_crc(p, offsetof(wag_journal_cell_t, len), len);

    ngx_memcpy(p + offsetof(wag_journal_cell_t, crc), &cell.crc,
               sizeof(uint32_t));

    return len;
}


ngx_int_t
wag_journal_record_read(u_char *p, u_char *last, wag_journal_record_t *record,
    size_t *len)
{
    wag_journal_cell_t  cell;

    if (last - p < WAG_JOURNAL_RECORD_LEN) {
        return NGX_AGAIN;
    }

    ngx_memcpy(&cell, p, sizeof(wag_journal_cell_t));

    if (cell.magic != WAG_JOURNAL_MAGIC
        || cell.len < WAG_JOURNAL_RECORD_LEN
        || cell.len > WAG_JOURNAL_RECORD_MAX
        || cell.len % WAG_JOURNAL_UNIT
        || cell.message_len > cell.len - WAG_JOURNAL_RECORD_LEN
        || cell.state > WAG_MARK_UNKNOWN)
    {
        return NGX_DECLINED;
    }

    if (last - p < cell.len) {
        return NGX_AGAIN;
    }

    if (cell.crc != wag_journal_crc(p, offsetof(wag_journal_cell_t, len),
                                    cell.len))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(record->id, cell.id, WAG_DIGEST_LEN);
    ngx_memcpy(record->request, cell.request, WAG_SIPHASH_LEN);

    record->serial = cell.serial;
    record->expires = cell.expires;
    record->state = cell.state;
    record->status = cell.status;
    record->message.data = p + WAG_JOURNAL_RECORD_LEN;
    record->message.len = cell.message_len;

    *len = cell.len;

    return NGX_OK;
}
