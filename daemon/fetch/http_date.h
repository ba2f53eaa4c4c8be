/*
 * http_date.h - points in time as HTTP writes them (RFC 9110, 5.6.7).
 */
#ifndef GATHERD_FETCH_HTTP_DATE_H
#define GATHERD_FETCH_HTTP_DATE_H

#include <stdint.h>

#include "gatherd/text.h"

/*
 * Reads one of the three forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
 * "Sun Nov  6 08:49:37 1994". Letters count whatever their case, and UTC means GMT (RFC 9111, 4.2);
 * `now_wall_ms` decides on the century of a year of two digits. Returns 0, or -1 for anything else:
 * what curl_getdate() would make of "0" or of "tomorrow 3" is no date here.
 */
int http_date_parse(struct slice text, int64_t now_wall_ms, int64_t *wall_ms);

#endif
