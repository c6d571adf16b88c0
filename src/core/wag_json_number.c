
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_json_number.h"
#include "wag_json_tell.h"


/* the state after 0, 1 to 9, ".", "e", "-", "+"; 0: these cannot follow */

static const u_char  wag_json_number_next[][6] = {

    /* number */
    { wag_json_scan_zero_st, wag_json_scan_int_st, 0, 0,
      wag_json_scan_minus_st, 0 },

    /* minus */
    { wag_json_scan_zero_st, wag_json_scan_int_st, 0, 0, 0, 0 },

    /* zero */
    { 0, 0, wag_json_scan_dot_st, wag_json_scan_e_st, 0, 0 },

    /* int */
    { wag_json_scan_int_st, wag_json_scan_int_st, wag_json_scan_dot_st,
      wag_json_scan_e_st, 0, 0 },

    /* dot */
    { wag_json_scan_fraction_st, wag_json_scan_fraction_st, 0, 0, 0, 0 },

    /* fraction */
    { wag_json_scan_fraction_st, wag_json_scan_fraction_st, 0,
      wag_json_scan_e_st, 0, 0 },

    /* e */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0,
      wag_json_scan_sign_st, wag_json_scan_sign_st },

    /* sign */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0, 0, 0 },

    /* exponent */
    { wag_json_scan_exponent_st, wag_json_scan_exponent_st, 0, 0, 0, 0 }
};


u_char *
wag_json_number_scan(wag_json_scan_t *s, u_char *p, u_char *last)
{
    u_char      *run;
    ngx_uint_t   column, state;

    run = p;
    state = s->state;

    for ( /* void */ ; p < last; p++) {

        if (state == wag_json_scan_int_st) {
            while (p < last && *p >= '0' && *p <= '9') {
                p++;
            }

            if (p == last) {
                break;
            }
        }

        if (*p >= '0' && *p <= '9') {
            column = (*p == '0') ? 0 : 1;

        } else if (*p == '.') {
            column = 2;

        } else if (*p == 'e' || *p == 'E') {
            column = 3;

        } else if (*p == '-' || *p == '+') {
            column = (*p == '-') ? 4 : 5;

        } else {
            break;
        }

        state = wag_json_number_next[state - wag_json_scan_number_st][column];

        if (state == 0) {
            return wag_json_tell_fail(s, "invalid JSON: invalid number", p);
        }

        s->state = state;
    }

    wag_json_tell_put(s, run, p - run);

    if (p == last) {
        return p;
    }

    if (!wag_json_number_is_whole(s)) {
        return wag_json_tell_fail(s, "invalid JSON: invalid number", p);
    }

    s->state = s->depth ? wag_json_scan_next_st : wag_json_scan_done_st;

    return wag_json_tell_event(s, WAG_JSON_NUMBER, p);
}
