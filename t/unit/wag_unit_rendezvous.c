
#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>

#include "wag_rendezvous.h"
#include "wag_unit.h"


#define WAG_UNIT_CHATS    10000
#define WAG_UNIT_NUMBERS  9


static void wag_unit_rendezvous_orders(wag_unit_t *u);
static void wag_unit_rendezvous_moves(wag_unit_t *u);
static void wag_unit_rendezvous_weights(wag_unit_t *u);
static ngx_uint_t wag_unit_rendezvous_first(uint64_t chat, ngx_uint_t n,
    ngx_uint_t without, ngx_uint_t *weights);
static uint64_t wag_unit_rendezvous_chat(ngx_uint_t n);


static ngx_uint_t
wag_unit_rendezvous_first(uint64_t chat, ngx_uint_t n, ngx_uint_t without,
    ngx_uint_t *weights)
{
    ngx_uint_t        i, found;
    wag_rendezvous_t  place, first;

    found = n;

    for (i = 0; i < n; i++) {
        wag_rendezvous_set(&place, chat, 966500000000ULL + i,
                           weights ? weights[i] : 1);

        if (i != without
            && (found == n || wag_rendezvous_before(&place, &first)))
        {
            first = place;
            found = i;
        }
    }

    return found;
}


static uint64_t
wag_unit_rendezvous_chat(ngx_uint_t n)
{
    u_char     buf[NGX_INT_T_LEN];
    ngx_str_t  id;

    id.data = buf;
    id.len = ngx_sprintf(buf, "9665%08ui", n) - buf;

    return wag_rendezvous_chat(0, &id);
}


/* as the .t has reckoned them: "type", "id", "number weight ...", "order" */

static void
wag_unit_rendezvous_orders(wag_unit_t *u)
{
    u_char            *p, *last, buf[1024], want[1024];
    uint64_t           chat;
    ngx_str_t          f[4];
    ngx_uint_t         i, n, k;
    wag_rendezvous_t   places[16], place;

    while (wag_unit_record(u, f, 4)) {
        chat = wag_rendezvous_chat(ngx_atoi(f[0].data, f[0].len), &f[1]);

        n = 0;
        last = f[2].data + f[2].len;

        for (p = f[2].data; p < last; p++) {
            place.number = 0;
            place.weight = 0;

            while (*p != ' ') {
                place.number = place.number * 10 + (*p++ - '0');
            }

            for (p++; p < last && *p != ' '; p++) {
                place.weight = place.weight * 10 + (*p - '0');
            }

            wag_rendezvous_set(&place, chat, place.number, place.weight);

            for (i = 0; i < n; i++) {
                if (wag_rendezvous_before(&place, &places[i])) {
                    break;
                }
            }

            for (k = n++; k > i; k--) {
                places[k] = places[k - 1];
            }

            places[i] = place;
        }

        for (i = 0, p = buf; i < n; i++) {
            p = ngx_sprintf(p, i ? " %uL" : "%uL", places[i].number);
        }

        *p = '\0';
        *ngx_cpymem(want, f[3].data, f[3].len) = '\0';

        wag_unit_is(u, (char *) buf, (char *) want, "the same order");
    }
}


static void
wag_unit_rendezvous_moves(wag_unit_t *u)
{
    uint64_t    chat;
    ngx_uint_t  i, was, is, lost, moved, counts[WAG_UNIT_NUMBERS];

    lost = 3;
    moved = 0;

    ngx_memzero(counts, sizeof(counts));

    for (i = 0; i < WAG_UNIT_CHATS; i++) {
        chat = wag_unit_rendezvous_chat(i);

        was = wag_unit_rendezvous_first(chat, 8, 8, NULL);
        is = wag_unit_rendezvous_first(chat, 8, lost, NULL);

        counts[was]++;

        moved += (was != lost && is != was);
    }

    wag_unit_ok(u, moved == 0, "the loss of a number moves its chats alone");

    for (i = 0; i < 8; i++) {
        wag_unit_ok(u, counts[i] > WAG_UNIT_CHATS / 8 * 9 / 10
                       && counts[i] < WAG_UNIT_CHATS / 8 * 11 / 10,
                    "an eighth is a number's");
    }

    counts[8] = 0;

    for (i = 0; i < WAG_UNIT_CHATS; i++) {
        chat = wag_unit_rendezvous_chat(i);

        was = wag_unit_rendezvous_first(chat, 8, 8, NULL);
        is = wag_unit_rendezvous_first(chat, 9, 9, NULL);

        counts[8] += (is == 8);
        moved += (is != was && is != 8);
    }

    wag_unit_ok(u, moved == 0, "a ninth number moves none from old to old");
    wag_unit_ok(u, counts[8] > WAG_UNIT_CHATS / 9 * 9 / 10
                   && counts[8] < WAG_UNIT_CHATS / 9 * 11 / 10,
                "a ninth is the ninth's");
}


static void
wag_unit_rendezvous_weights(wag_unit_t *u)
{
    uint64_t    chat;
    ngx_uint_t  i, was, is, moved, counts[3];
    ngx_uint_t  weights[] = { 1, 2, 5 };
    ngx_uint_t  more[] = { 1, 4, 5 };

    moved = 0;
    ngx_memzero(counts, sizeof(counts));

    for (i = 0; i < WAG_UNIT_CHATS; i++) {
        chat = wag_unit_rendezvous_chat(i);

        was = wag_unit_rendezvous_first(chat, 3, 3, weights);
        is = wag_unit_rendezvous_first(chat, 3, 3, more);

        counts[was]++;
        moved += (is != was && is != 1);
    }

    for (i = 0; i < 3; i++) {
        wag_unit_ok(u, counts[i] > WAG_UNIT_CHATS / 8 * weights[i] * 9 / 10
                       && counts[i] < WAG_UNIT_CHATS / 8 * weights[i]
                                      * 11 / 10,
                    "its weight is its share");
    }

    wag_unit_ok(u, moved == 0, "more weight takes, and moves nothing else");
}


void
wag_unit_rendezvous(wag_unit_t *u)
{
    wag_unit_rendezvous_orders(u);
    wag_unit_rendezvous_moves(u);
    wag_unit_rendezvous_weights(u);
}
