
/*
 * Copyright (C) the wa_gateway authors
 *
 * What is told of JSON as it arrives, and how far a scan of it came.
 */


#ifndef _WAG_JSON_EVENT_H_INCLUDED_
#define _WAG_JSON_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define wag_json_scan_length(len)  ((uint64_t) 1 << ngx_min(len, 63))

#define WAG_JSON_OBJECT          0
#define WAG_JSON_OBJECT_END      1
#define WAG_JSON_ARRAY           2
#define WAG_JSON_ARRAY_END       3
#define WAG_JSON_KEY             4
#define WAG_JSON_STRING          5
#define WAG_JSON_NUMBER          6
#define WAG_JSON_TRUE            7
#define WAG_JSON_FALSE           8
#define WAG_JSON_NULL            9


typedef enum {
    wag_json_scan_value_st = 0,
    wag_json_scan_first_value_st,
    wag_json_scan_first_key_st,
    wag_json_scan_key_st,
    wag_json_scan_colon_st,
    wag_json_scan_next_st,
    wag_json_scan_done_st,
    wag_json_scan_string_st,
    wag_json_scan_escape_st,
    wag_json_scan_hex_st,
    wag_json_scan_low_st,
    wag_json_scan_low_u_st,
    wag_json_scan_number_st,
    wag_json_scan_minus_st,
    wag_json_scan_zero_st,
    wag_json_scan_int_st,
    wag_json_scan_dot_st,
    wag_json_scan_fraction_st,
    wag_json_scan_e_st,
    wag_json_scan_sign_st,
    wag_json_scan_exponent_st,
    wag_json_scan_word_st
} wag_json_scan_state_e;


typedef struct wag_json_scan_s  wag_json_scan_t;

/* An event; NGX_OK: go on; NGX_ERROR ends the scan, "error" may be set. */
typedef ngx_int_t (*wag_json_scan_pt)(wag_json_scan_t *s, ngx_uint_t event);


struct wag_json_scan_s {
    wag_json_scan_pt       handler;
    void                  *data;

    /*
     * Where the text of the next key or scalar goes; the handler may set it
     * with each event, for what comes next.  No length: it is not wanted.
     */
    ngx_str_t              room;

    /*
     * With an event: the text of a key or scalar, decoded and without a NUL
     * behind it; what is longer than the room is cut after a whole character.
     * That of a key is not always in the room, and there for the event only.
     * Offsets are from the start of all; those of a string have its quotes,
     * those of an array or object are of its bracket.  "depth": how many
     * arrays and objects are around the value or the key.
     */
    ngx_str_t              text;
    off_t                  start;
    off_t                  end;
    ngx_uint_t             depth;

    /* after NGX_ERROR, with the offset of the byte */

    const char            *error;
    off_t                  offset;

    unsigned               cut:1;

    /*
     * Set with an event: what is not wanted is looked at and not told of.
     * With a key that is its value, with an array or object all within it.
     */
    unsigned               skip:1;

    /*
     * Set with an event: the lengths of the names that are wanted, as bits of
     * wag_json_scan_length(), within what is around what comes next.  Others
     * are not told of, nor their values.  All of them to begin with.
     */
    uint64_t               lengths;

    /* private */

    unsigned               key:1;
    unsigned               skip_value:1;

    wag_json_scan_state_e  state;
    ngx_uint_t             max_depth;
    uint64_t               arrays;
    ngx_uint_t             skip_depth;

    u_char                *piece;
    off_t                  seen;

    uint32_t               code;
    uint32_t               high;
    ngx_uint_t             digits;

    u_char                 tail;
    u_char                 tail_min;
    u_char                 tail_max;

    const char            *word;
    ngx_uint_t             event;
};


#endif /* _WAG_JSON_EVENT_H_INCLUDED_ */
