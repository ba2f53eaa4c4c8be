/*
 * key_example.h - a configuration in which a key of a source stands with its example.
 */
#ifndef GATHERD_KEY_EXAMPLE_H
#define GATHERD_KEY_EXAMPLE_H

#include "config/keys.h"
#include "gatherd/text.h"

/* Appends the YAML of one source, with what the key needs beside it. */
void key_example_yaml(struct text *yaml, const struct key *key);

#endif
