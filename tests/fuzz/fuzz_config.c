/*
 * Any bytes as a configuration: there is a configuration and no mistake, or none and at least one.
 *
 * Nothing is included while fuzzing: the folder does not exist.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatherd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_source(const struct config *config, const struct source *source)
{
    if (source->config != config || config_find_source(config, source->name) != source ||
        source->host_gap_ms <= 0 || source->max_interval_ms < source->interval_ms ||
        source->connect_timeout_ms > source->timeout_ms || strlen(source->mapping.table) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_report report = {0};
    struct config *config =
        config_parse((const char *)data, size, "fuzz.yaml", "/nonexistent/folder", &report);

    if ((config == NULL) != (report.errors > 0) || (report.errors > 0) != (report.text.length > 0))
        abort();
    for (size_t i = 0; config != NULL && i < config->source_count; i++)
        check_source(config, &config->sources[i]);
    config_unref(config);
    config_report_free(&report);
    return 0;
}
