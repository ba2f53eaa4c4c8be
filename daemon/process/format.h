/*
 * format.h - what the head of an answer and the beginning of its text say about its format.
 */
#ifndef GATHERD_PROCESS_FORMAT_H
#define GATHERD_PROCESS_FORMAT_H

#include <stdbool.h>

#include "gatherd/config.h"
#include "gatherd/text.h"

/* "Application/JSON" of "Application/JSON ; charset=utf-8"; empty for NULL. */
struct slice format_media_type(const char *content_type);

/* The value of a parameter of the Content-Type, without its quotes; empty: none is given. */
struct slice format_parameter(const char *content_type, const char *name);

/* Whether the Content-Type is that of an HTML page. */
bool format_is_page(const char *content_type);

/*
 * The format of an answer for which `format` is auto: by its Content-Type; where that says nothing
 * (text/plain, application/octet-stream, none) by the ending of `name`, the URL or the file in an
 * archive; else by how the text begins; else JSON. `text` is UTF-8, or ASCII to start with.
 */
enum body_format format_detect(const char *content_type, const char *name, struct slice text);

#endif
