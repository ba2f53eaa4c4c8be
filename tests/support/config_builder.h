/*
 * config_builder.h - configurations made by hand, for tests that need sources but no YAML.
 *
 * A built configuration is counted like a loaded one, but one program uses only one of the two
 * kinds: the builder brings its own config_ref(), config_unref() and config_find_source(), which
 * give way when the loader is linked.
 */
#ifndef GATHERD_CONFIG_BUILDER_H
#define GATHERD_CONFIG_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "gatherd/config.h"

/* A source with usual values, to be changed before it is built; name and host are borrowed. */
struct source source_like(const char *name, const char *host, int64_t interval_ms);

/*
 * A configuration with copies of these sources, at most `host_max` transfers of a host at once, and
 * one reference. Fingerprints cover what is set in the sources. Never NULL: fails the test.
 */
struct config *config_build(const struct source *sources, size_t count, unsigned host_max);

/* References to a built configuration that is still alive. */
unsigned config_built_references(const struct config *config);

#endif
