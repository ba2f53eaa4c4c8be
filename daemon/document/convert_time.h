/*
 * convert_time.h - the times among the values (convert.h).
 */
#ifndef DOCUMENT_CONVERT_TIME_H
#define DOCUMENT_CONVERT_TIME_H

#include "gatherd/convert.h"

enum value_fit timestamp_value(const struct node *node, const struct value_rule *rule,
                               struct arena *arena, struct value *value);
enum value_fit duration_value(const struct node *node, const struct value_rule *rule,
                              struct value *value);

#endif
