
/*
 * Copyright (C) the wa_gateway authors
 */


#ifndef _WAG_STATUS_JSON_H_INCLUDED_
#define _WAG_STATUS_JSON_H_INCLUDED_


#include "wag_chunked_response.h"


/*
 * Produces the JSON of /status from the snapshot that is the stream's data.
 */
ngx_int_t wag_status_json_produce(wag_chunked_response_t *stream);


#endif /* _WAG_STATUS_JSON_H_INCLUDED_ */
