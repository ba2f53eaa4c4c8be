/*
 * key_row.h - how the rows of the table of keys are written.
 */
#ifndef CONFIG_KEY_ROW_H
#define CONFIG_KEY_ROW_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/keys.h"
#include "gatherd/config.h"

#define COUNT(a)                        (sizeof(a) / sizeof((a)[0]))
#define TO(type, member)                .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)
#define LIST_TO(type, member, length)   TO(type, member), .count_offset = offsetof(type, length)
#define ZONE_TO(type, member, zone)     TO(type, member), .count_offset = offsetof(type, zone)
#define ENDPOINT_TO(type, member, host) TO(type, member), .count_offset = offsetof(type, host)
#define RANGE(from, to)                 .low = (from), .high = (to)

/* A secret's name and kind, and the name of its twin. */
#define SECRET(word) .name = (word), .twin = word "_file", .kind = KIND_SECRET

#define SECOND_MS  1000LL
#define MINUTE_MS  (60 * SECOND_MS)
#define HOUR_MS    (3600 * SECOND_MS)
#define DAY_MS     (24 * HOUR_MS)
#define KIB        1024LL
#define GIB        (KIB * KIB * KIB)
#define ANY_NUMBER INT64_MAX

#endif
