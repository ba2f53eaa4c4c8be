/*
 * yaml_text.h - scalars as YAML that this and other readers take for the same text.
 */
#ifndef CONFIG_YAML_TEXT_H
#define CONFIG_YAML_TEXT_H

#include <stdbool.h>

#include "gatherd/text.h"

/*
 * Appends UTF-8 as a scalar that is text: plain where that is beyond doubt, else in double quotes,
 * with nothing in it that a terminal would obey. `variables`: ${ in it is escaped, so that a
 * configuration gets it back as it is; names, which hold no variables, go without.
 */
void yaml_put_text(struct text *out, const char *string, bool variables);

#endif
