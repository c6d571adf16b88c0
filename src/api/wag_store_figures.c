
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_store.h"
#include "wag_store_figures.h"


#define WAG_STORE_FIGURES_PERCENTS  3


static ngx_int_t wag_store_figures_latency(cJSON *object,
    wag_store_shared_t *shared);


static ngx_uint_t  wag_store_figures_percents[WAG_STORE_FIGURES_PERCENTS] = {
    50, 95, 99
};


static const char  *wag_store_figures_names[WAG_STORE_FIGURES_PERCENTS] = {
    "p50", "p95", "p99"
};


ngx_int_t
wag_store_figures_json(cJSON *root, wag_upstream_t *us)
{
    cJSON                *object;
    ngx_str_t             reason;
    wag_store_t          *store;
    wag_store_shared_t   *shared;
    wag_store_figures_t   figures;

    store = us->store;

    if (store == NULL) {
        return NGX_OK;
    }

    wag_store_zone_figures(store->zone, &figures);

    shared = store->zone->shared;

    reason.data = figures.reason.data;
    reason.len = figures.reason.len;

    if ((object = cJSON_AddObjectToObject(root, "store")) == NULL
        || wag_json_text_string(object, "store", store->shown.data,
                                store->shown.len) == NULL
        || cJSON_AddBoolToObject(object, "up", figures.up) == NULL
        || wag_json_text_time(object, "since",
                              (uint64_t) figures.since * 1000) == NULL
        || wag_json_text_or_null(object, "reason", &reason) == NULL
        || cJSON_AddStringToObject(object, "onError",
                                   (store->on_error == WAG_STORE_LOCAL)
                                   ? "local" : "refuse") == NULL
        || cJSON_AddNumberToObject(object, "workers", figures.workers) == NULL
        || cJSON_AddNumberToObject(object, "calls", shared->calls) == NULL
        || cJSON_AddNumberToObject(object, "failed", shared->failed) == NULL
        || cJSON_AddNumberToObject(object, "refused", shared->refused) == NULL
        || cJSON_AddNumberToObject(object, "alone", shared->alone) == NULL
        || cJSON_AddNumberToObject(object, "dropped", shared->dropped) == NULL)
    {
        return NGX_ERROR;
    }

    return wag_store_figures_latency(object, shared);
}


static ngx_int_t
wag_store_figures_latency(cJSON *object, wag_store_shared_t *shared)
{
    cJSON           *latency, *item;
    ngx_uint_t       i;
    const char      *name;
    ngx_msec_int_t   msec;

    latency = cJSON_AddObjectToObject(object, "latency");
    if (latency == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < WAG_STORE_FIGURES_PERCENTS; i++) {
        name = wag_store_figures_names[i];
        msec = wag_latency_percentile(shared->latency,
                                      wag_store_figures_percents[i]);

        item = (msec < 0) ? cJSON_AddNullToObject(latency, name)
                          : cJSON_AddNumberToObject(latency, name, msec);
        if (item == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_store_figures_up(wag_sample_t *sample)
{
    wag_store_figures_t  figures;

    wag_store_zone_figures(sample->snapshot->upstream->store->zone, &figures);

    return wag_metrics_value(sample, figures.up);
}


ngx_int_t
wag_store_figures_calls(wag_sample_t *sample)
{
    ngx_atomic_t         counts[2];
    wag_store_shared_t  *shared;

    static ngx_str_t  results[] = {
        ngx_string("answered"),
        ngx_string("failed")
    };

    shared = sample->snapshot->upstream->store->zone->shared;

    counts[0] = shared->calls - ngx_min(shared->failed, shared->calls);
    counts[1] = shared->failed;

    return wag_metrics_values(sample, "result", results, counts, 2);
}


ngx_int_t
wag_store_figures_duration(wag_sample_t *sample)
{
    ngx_uint_t           i;
    ngx_msec_int_t       msec;
    wag_store_shared_t  *shared;

    shared = sample->snapshot->upstream->store->zone->shared;

    for (i = 0; i < WAG_STORE_FIGURES_PERCENTS; i++) {

        msec = wag_latency_percentile(shared->latency,
                                      wag_store_figures_percents[i]);
        if (msec < 0) {
            continue;
        }

        if (wag_metrics_line(sample, "", "percentile",
                             wag_store_figures_names[i] + 1, "%M.%03M",
                             (ngx_msec_t) msec / 1000,
                             (ngx_msec_t) msec % 1000)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_store_figures_sends(wag_sample_t *sample)
{
    ngx_atomic_t         counts[3];
    wag_store_shared_t  *shared;

    static ngx_str_t  outcomes[] = {
        ngx_string("refused"),
        ngx_string("alone"),
        ngx_string("untold")
    };

    shared = sample->snapshot->upstream->store->zone->shared;

    counts[0] = shared->refused;
    counts[1] = shared->alone;
    counts[2] = shared->dropped;

    return wag_metrics_values(sample, "outcome", outcomes, counts, 3);
}
