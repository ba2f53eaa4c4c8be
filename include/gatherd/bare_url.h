/*
 * bare_url.h - a URL as it may be shown and kept: secrets hide in its query, fragment, user and
 * password, and none of them is in it.
 */
#ifndef GATHERD_BARE_URL_H
#define GATHERD_BARE_URL_H

#include "gatherd/text.h"

void bare_url(struct text *out, const char *url); /* appends it */

#endif
