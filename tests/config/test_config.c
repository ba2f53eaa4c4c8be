#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gatherd/clock.h"
#include "gatherd/config.h"

#define ONE "sources:\n- name: a\n  url: https://example.org/a\n"

static struct config *parse(const char *yaml)
{
    struct config_report report = {0};
    struct config *config = config_parse(yaml, strlen(yaml), "test.yaml", "", &report);

    if (config == NULL)
        fail_msg("%s", text_string(&report.text));
    assert_int_equal(report.errors, 0);
    config_report_free(&report);
    return config;
}

static const struct source *find(const struct config *config, const char *name)
{
    const struct source *source = config_find_source(config, name);

    assert_non_null(source);
    return source;
}

/* --- Defaults and values. --- */

static void a_source_with_name_and_url_has_every_default(void **state)
{
    struct config *config = parse(ONE);
    const struct source *s = &config->sources[0];

    (void)state;
    assert_string_equal(config->path, "test.yaml");
    assert_string_equal(config->database, "gatherd.db");
    assert_int_equal(config->synchronous, SYNCHRONOUS_FULL);
    assert_int_equal(config->fetchers, 2);
    assert_int_equal(config->processors, 2);
    assert_int_equal(config->max_in_flight, 256);
    assert_int_equal(config->queue_max_items, 1000);
    assert_int_equal(config->queue_max_bytes, 64 * 1024 * 1024);
    assert_int_equal(config->batch_max_rows, 5000);
    assert_int_equal(config->hosts.max_concurrent, 2);
    assert_int_equal(config->shutdown_timeout_ms, 30000);
    assert_int_equal(config->source_count, 1);
    assert_ptr_equal(s->config, config);
    assert_int_equal(s->index, 0);
    assert_string_equal(s->file, "test.yaml");
    assert_int_equal(s->line, 2);
    assert_string_equal(s->name, "a");
    assert_string_equal(s->url, "https://example.org/a");
    assert_string_equal(s->host, "example.org:443");
    assert_true(s->enabled);
    assert_int_equal(s->interval_ms, 60000);
    assert_int_equal(s->jitter_ms, 0);
    assert_int_equal(s->max_interval_ms, 3600000);
    assert_false(s->run_on_start);
    assert_int_equal(s->header_count, 0);
    assert_int_equal(s->param_count, 0);
    assert_int_equal(s->timeout_ms, 30000);
    assert_int_equal(s->connect_timeout_ms, 10000);
    assert_int_equal(s->max_body_bytes, 16 * 1024 * 1024);
    assert_int_equal(s->max_redirects, 5);
    assert_int_equal(s->retry->max_attempts, 3);
    assert_int_equal(s->retry->base_ms, 1000);
    assert_int_equal(s->retry->cap_ms, 60000);
    assert_int_equal(s->host_gap_ms, 60000);
    assert_int_equal(s->format, FORMAT_AUTO);
    assert_null(s->mapping.records);
    assert_int_equal(s->mapping.field_count, 0);
    assert_int_equal(s->mapping.exclude_count, 0);
    assert_string_equal(s->mapping.table, "a");
    assert_int_equal(s->mapping.primary_key_count, 0);
    assert_int_equal(s->mapping.write_mode, WRITE_APPEND);
    config_unref(config);
}

static void pagination_has_the_defaults_of_its_type(void **state)
{
    struct config *config =
        parse("defaults:\n"
              "  pagination: {type: page}\n"
              "sources:\n"
              "- {name: a, url: 'https://h/'}\n"
              "- {name: b, url: 'https://h/', pagination: {type: link_header}}\n"
              "- {name: c, url: 'https://h/', pagination: {type: offset, "
              "limit: 5}}\n"
              "- {name: d, url: 'https://h/', pagination: {type: cursor, "
              "cursor_path: $.n}}\n");
    const struct pagination *p = config->sources[0].pagination;

    (void)state;
    assert_int_equal(p->type, PAGINATION_PAGE);
    assert_string_equal(p->page_param, "page");
    assert_int_equal(p->base_page, 1);
    assert_int_equal(p->limit, 0);
    assert_int_equal(p->param_in, PARAM_IN_QUERY);
    assert_true(p->stop_after_empty_page);
    assert_int_equal(p->max_pages, 1000);
    assert_false(p->stop_at_max_pages);
    p = config->sources[1].pagination;
    assert_int_equal(p->type, PAGINATION_LINK_HEADER);
    assert_false(p->stop_after_empty_page);
    assert_int_equal(p->allowed_host_count, 0);
    p = config->sources[2].pagination;
    assert_string_equal(p->offset_param, "offset");
    assert_string_equal(p->limit_param, "limit");
    assert_int_equal(p->limit, 5);
    p = config->sources[3].pagination;
    assert_string_equal(p->cursor_param, "cursor");
    assert_string_equal(jsonpath_text(p->cursor_path), "$.n");
    config_unref(config);
}

static void every_key_of_pagination_arrives(void **state)
{
    struct config *config =
        parse("sources:\n"
              "- name: a\n"
              "  url: https://h/\n"
              "  pagination: {type: page, page_param: 'page[number]', base_page: 0, limit: 9,\n"
              "    limit_param: 'page[size]', param_in: query, total_path: $.t,\n"
              "    total_pages_path: $.p, has_more_path: $.m, stop_after_empty_page: false,\n"
              "    max_pages: 7, on_max_pages: stop}\n"
              "- name: b\n"
              "  url: https://h/\n"
              "  pagination: {type: next_url, next_url_path: \"$['@odata.nextLink']\",\n"
              "    allowed_hosts: [a.example, 'b.example:81']}\n");
    const struct pagination *p = config->sources[0].pagination;

    (void)state;
    assert_string_equal(p->page_param, "page[number]");
    assert_int_equal(p->base_page, 0);
    assert_int_equal(p->limit, 9);
    assert_string_equal(p->limit_param, "page[size]");
    assert_string_equal(jsonpath_text(p->total_path), "$.t");
    assert_string_equal(jsonpath_text(p->total_pages_path), "$.p");
    assert_string_equal(jsonpath_text(p->has_more_path), "$.m");
    assert_false(p->stop_after_empty_page);
    assert_int_equal(p->max_pages, 7);
    assert_true(p->stop_at_max_pages);
    p = config->sources[1].pagination;
    assert_string_equal(jsonpath_text(p->next_url_path), "$['@odata.nextLink']");
    assert_int_equal(p->allowed_host_count, 2);
    assert_string_equal(p->allowed_hosts[1], "b.example:81");
    config_unref(config);
}

static void every_key_of_the_daemon_arrives(void **state)
{
    struct config *config = parse("database: /var/lib/x.db\nsynchronous: normal\nfetchers: 3\n"
                                  "processors: 4\nmax_in_flight: 10000\n"
                                  "queue: {max_items: 7, max_bytes: 1MB}\nbatch: {max_rows: 9}\n"
                                  "hosts: {max_concurrent: 5}\nshutdown_timeout: 1m30s\n" ONE);

    (void)state;
    assert_string_equal(config->database, "/var/lib/x.db");
    assert_int_equal(config->synchronous, SYNCHRONOUS_NORMAL);
    assert_int_equal(config->fetchers, 3);
    assert_int_equal(config->processors, 4);
    assert_int_equal(config->max_in_flight, 10000);
    assert_int_equal(config->queue_max_items, 7);
    assert_int_equal(config->queue_max_bytes, 1000000);
    assert_int_equal(config->batch_max_rows, 9);
    assert_int_equal(config->hosts.max_concurrent, 5);
    assert_int_equal(config->shutdown_timeout_ms, 90000);
    config_unref(config);
}

static void every_key_of_a_source_arrives(void **state)
{
    struct config *config = parse("sources:\n"
                                  "- name: Full.one-2\n"
                                  "  url: http://Example.ORG:8080/x?y=%20\n"
                                  "  enabled: false\n"
                                  "  interval: 500ms\n"
                                  "  jitter: 100ms\n"
                                  "  max_interval: 2d\n"
                                  "  run_on_start: true\n"
                                  "  method: GET\n"
                                  "  headers: {Accept: text/x, X-Number: 5, X-Empty: ''}\n"
                                  "  params: {a: 1, b: [x, true, 2.50], empty: ''}\n"
                                  "  timeout: 5s\n"
                                  "  connect_timeout: 1s\n"
                                  "  max_body_size: 1KiB\n"
                                  "  max_redirects: 0\n"
                                  "  success_status_codes: [200, '206-208', 404]\n"
                                  "  format: ndjson\n"
                                  "  records: $.items[*]\n"
                                  "  primary_key: [k, j]\n"
                                  "  write_mode: insert_only\n"
                                  "  table: T1\n"
                                  "  fields:\n"
                                  "    k: $.k\n"
                                  "    j: {path: \"$['j']\", type: integer}\n"
                                  "    t: {path: $.t, type: timestamp, unit: us}\n");
    const struct source *s = find(config, "Full.one-2");

    (void)state;
    assert_string_equal(s->host, "example.org:8080");
    assert_string_equal(s->url, "http://Example.ORG:8080/x?y=%20");
    assert_false(s->enabled);
    assert_int_equal(s->interval_ms, 500);
    assert_int_equal(s->jitter_ms, 100);
    assert_int_equal(s->max_interval_ms, 2 * 86400000);
    assert_true(s->run_on_start);
    assert_int_equal(s->header_count, 3);
    assert_string_equal(s->headers[1].name, "X-Number");
    assert_string_equal(s->headers[1].value, "5");
    assert_string_equal(s->headers[2].value, "");
    assert_int_equal(s->param_count, 5);
    assert_string_equal(s->params[1].name, "b");
    assert_string_equal(s->params[2].name, "b");
    assert_string_equal(s->params[2].value, "true");
    assert_string_equal(s->params[3].value, "2.50");
    assert_int_equal(s->timeout_ms, 5000);
    assert_int_equal(s->connect_timeout_ms, 1000);
    assert_int_equal(s->max_body_bytes, 1024);
    assert_int_equal(s->max_redirects, 0);
    assert_int_equal(s->success_count, 3);
    assert_int_equal(s->format, FORMAT_NDJSON);
    assert_string_equal(jsonpath_text(s->mapping.records), "$.items[*]");
    assert_int_equal(s->mapping.primary_key_count, 2);
    assert_string_equal(s->mapping.primary_key[1], "j");
    assert_int_equal(s->mapping.write_mode, WRITE_INSERT_ONLY);
    assert_string_equal(s->mapping.table, "T1");
    assert_int_equal(s->mapping.field_count, 3);
    assert_string_equal(s->mapping.fields[0].name, "k");
    assert_int_equal(s->mapping.fields[0].rule.type, FIELD_UNDECLARED);
    assert_int_equal(s->mapping.fields[1].rule.type, FIELD_INTEGER);
    assert_string_equal(jsonpath_text(s->mapping.fields[1].path), "$['j']");
    assert_int_equal(s->mapping.fields[2].rule.type, FIELD_TIMESTAMP);
    assert_int_equal(s->mapping.fields[2].rule.unit, TIME_UNIT_US);
    config_unref(config);
}

static void a_field_has_what_its_type_needs_and_a_default_that_is_converted(void **state)
{
    struct config *config =
        parse("sources:\n- name: a\n  url: https://e.org/\n  null_values: ['', -9.99]\n  fields:\n"
              "    at: {path: $.at, type: timestamp, format: '%d.%m.%Y', timezone: Europe/Paris,\n"
              "      default: 02.07.2026}\n"
              "    seen: {path: $.seen, type: timestamp, unit: ms, default: 0, null_values: []}\n"
              "    took: {path: $.took, type: duration, default: PT1M}\n"
              "    price: {path: $.price, type: decimal, default: 1.50}\n"
              "    bytes: {path: $.bytes, type: blob, default: AAEC, required: false}\n"
              "    tags: {path: $.tags, type: json, default: [a, 1]}\n"
              "    any: {path: $.any, default: true}\n"
              "    id: {path: $.id, required: true}\n");
    const struct mapping *m = &config->sources[0].mapping;

    (void)state;
    assert_int_equal(m->null_value_count, 2);
    assert_string_equal(m->null_values[1].text, "-9.99");
    assert_true(m->null_values[1].is_number && !m->null_values[0].is_number);
    assert_non_null(m->fields[0].rule.zone);
    assert_null(m->fields[0].null_values);
    assert_non_null(m->fields[1].null_values);
    assert_int_equal(m->fields[1].null_value_count, 0);
    assert_memory_equal(m->fields[0].fallback->value.text, "2026-07-01T22:00:00.000Z", 24);
    assert_memory_equal(m->fields[1].fallback->value.text, "1970-01-01T00:00:00.000Z", 24);
    assert_true(m->fields[2].fallback->value.real == 60);
    assert_int_equal(m->fields[3].fallback->value.length, 4);
    assert_memory_equal(m->fields[3].fallback->value.text, "1.50", 4);
    assert_int_equal(m->fields[4].rule.encoding, BINARY_BASE64);
    assert_int_equal(m->fields[4].fallback->value.type, VALUE_BLOB);
    assert_memory_equal(m->fields[4].fallback->value.text, "\0\1\2", 3);
    assert_memory_equal(m->fields[5].fallback->value.text, "[\"a\",1]", 7);
    assert_int_equal(m->fields[6].fallback->value.integer, 1);
    assert_false(m->fields[6].required);
    assert_true(m->fields[7].required);
    assert_null(m->fields[7].fallback);
    config_unref(config);
}

static void a_status_is_a_success_when_a_range_holds_it(void **state)
{
    struct config *config =
        parse("sources:\n- {name: a, url: 'https://e.org/'}\n"
              "- {name: b, url: 'https://e.org/', success_status_codes: [404, 206-208]}\n"
              "- {name: c, url: 'https://e.org/', success_status_codes: 304}\n");

    (void)state;
    assert_true(source_is_success(&config->sources[0], 200));
    assert_true(source_is_success(&config->sources[0], 299));
    assert_false(source_is_success(&config->sources[0], 300));
    assert_false(source_is_success(&config->sources[0], 199));
    assert_true(source_is_success(&config->sources[1], 404));
    assert_true(source_is_success(&config->sources[1], 207));
    assert_false(source_is_success(&config->sources[1], 200));
    assert_true(source_is_success(&config->sources[2], 304));
    config_unref(config);
}

static void the_write_mode_follows_the_primary_key(void **state)
{
    struct config *config = parse("sources:\n- {name: a, url: 'https://e.org/'}\n"
                                  "- {name: b, url: 'https://e.org/', primary_key: id}\n");

    (void)state;
    assert_int_equal(config->sources[0].mapping.write_mode, WRITE_APPEND);
    assert_int_equal(config->sources[1].mapping.write_mode, WRITE_UPSERT);
    assert_int_equal(config->sources[1].mapping.primary_key_count, 1);
    config_unref(config);
}

static void the_table_is_made_of_the_name(void **state)
{
    struct config *config = parse("sources:\n- {name: a-.b_C, url: 'https://e.org/'}\n"
                                  "- {name: 2day, url: 'https://e.org/'}\n"
                                  "- {name: '...', url: 'https://e.org/'}\n");

    (void)state;
    assert_string_equal(config->sources[0].mapping.table, "a_b_C");
    assert_string_equal(config->sources[1].mapping.table, "_2day");
    assert_string_equal(config->sources[2].mapping.table, "_");
    config_unref(config);
}

static void hosts_are_name_and_port_in_lower_case(void **state)
{
    struct config *config = parse("sources:\n- {name: a, url: 'HTTP://A.Example.org'}\n"
                                  "- {name: b, url: 'https://a.example.org?x=1'}\n"
                                  "- {name: c, url: 'http://[2001:DB8::1]:0080/'}\n"
                                  "- {name: d, url: 'http://127.0.0.1:9/'}\n"
                                  "- {name: e, url: 'http://under_score.internal./'}\n");

    (void)state;
    assert_string_equal(config->sources[0].host, "a.example.org:80");
    assert_string_equal(config->sources[1].host, "a.example.org:443");
    assert_string_equal(config->sources[2].host, "[2001:db8::1]:80");
    assert_string_equal(config->sources[3].host, "127.0.0.1:9");
    assert_string_equal(config->sources[4].host, "under_score.internal.:80");
    config_unref(config);
}

static void the_gap_of_a_host_counts_all_its_enabled_sources(void **state)
{
    struct config *config =
        parse("sources:\n- {name: a, url: 'https://e.org/', interval: 60s}\n"
              "- {name: b, url: 'https://E.org:443/', interval: 30s}\n"
              "- {name: c, url: 'https://e.org/', interval: 1s, enabled: false}\n"
              "- {name: d, url: 'http://e.org/', interval: 7s, enabled: false}\n");

    (void)state;
    assert_int_equal(config->sources[0].host_gap_ms, 20000);
    assert_int_equal(config->sources[1].host_gap_ms, 20000);
    assert_int_equal(config->sources[2].host_gap_ms, 20000);
    assert_int_equal(config->sources[3].host_gap_ms, 7000);
    config_unref(config);
}

/* --- `defaults`. --- */

static void defaults_hold_for_sources_that_do_not_say_otherwise(void **state)
{
    struct config *config = parse("sources:\n- {name: a, url: 'https://e.org/'}\n"
                                  "- {name: b, url: 'https://e.org/', interval: 9s, headers: {}}\n"
                                  "defaults:\n  interval: 5s\n  headers: {X: y}\n"
                                  "  fields: {id: $.id}\n");

    (void)state;
    assert_int_equal(config->sources[0].interval_ms, 5000);
    assert_int_equal(config->sources[1].interval_ms, 9000);
    assert_int_equal(config->sources[0].header_count, 1);
    assert_int_equal(config->sources[1].header_count, 0);
    assert_int_equal(config->sources[1].mapping.field_count, 1);
    config_unref(config);
}

static void the_arrays_of_defaults_are_shared_not_copied(void **state)
{
    struct config *config = parse("defaults: {headers: {X: y}, fields: {id: $.id}}\n"
                                  "sources:\n- {name: a, url: 'https://e.org/'}\n"
                                  "- {name: b, url: 'https://e.org/'}\n"
                                  "- {name: c, url: 'https://e.org/', fields: {id: $.id}}\n");

    (void)state;
    assert_ptr_equal(config->sources[0].headers, config->sources[1].headers);
    assert_ptr_equal(config->sources[0].mapping.fields, config->sources[1].mapping.fields);
    assert_ptr_equal(config->sources[0].mapping.fields[0].path,
                     config->sources[2].mapping.fields[0].path);
    assert_ptr_equal(config->sources[0].host, config->sources[2].host);
    assert_ptr_equal(config->sources[0].success, config->sources[2].success);
    config_unref(config);
}

static void a_default_gives_way_to_the_bound_a_source_sets(void **state)
{
    struct config *config =
        parse("defaults: {jitter: 10s, connect_timeout: 8s}\n"
              "sources:\n- {name: a, url: 'https://e.org/', interval: 2h}\n"
              "- {name: b, url: 'https://e.org/', interval: 3s, timeout: 2s}\n");

    (void)state;
    assert_int_equal(config->sources[0].max_interval_ms, 7200000);
    assert_int_equal(config->sources[0].jitter_ms, 10000);
    assert_int_equal(config->sources[1].jitter_ms, 3000);
    assert_int_equal(config->sources[1].connect_timeout_ms, 2000);
    config_unref(config);
}

static void an_excluding_default_is_no_matter_to_sources_with_fields(void **state)
{
    struct config *config =
        parse("defaults: {exclude: [links]}\n"
              "sources:\n- {name: a, url: 'https://e.org/'}\n"
              "- {name: b, url: 'https://e.org/', fields: {links: $.links}, primary_key: links}\n");

    (void)state;
    assert_int_equal(config->sources[0].mapping.exclude_count, 1);
    assert_string_equal(config->sources[0].mapping.exclude[0], "links");
    assert_int_equal(config->sources[1].mapping.exclude_count, 0);
    config_unref(config);
}

/* --- YAML. --- */

static void keys_that_begin_with_x_are_ignored_in_our_mappings(void **state)
{
    struct config *config = parse("x-a: [1, {b: c}]\nqueue: {x-note: y}\ndefaults: {x-z: 1}\n"
                                  "sources:\n- name: a\n  x-b: {interval: no}\n"
                                  "  url: https://e.org/\n"
                                  "  fields: {id: {path: $.id, x-c: '${NOT_READ}'}}\n");

    (void)state;
    assert_int_equal(config->sources[0].mapping.field_count, 1);
    config_unref(config);
}

/* There a name that begins with x- is the operator's own and means something. */
static void headers_and_parameters_may_begin_with_x(void **state)
{
    struct config *config = parse("sources:\n- name: a\n  url: https://e.org/\n"
                                  "  headers: {x-api-key: k}\n  params: {x-page: 2}\n");

    (void)state;
    assert_int_equal(config->sources[0].header_count, 1);
    assert_string_equal(config->sources[0].headers[0].name, "x-api-key");
    assert_int_equal(config->sources[0].param_count, 1);
    config_unref(config);
}

static void anchors_and_merge_keys_work(void **state)
{
    struct config *config = parse("x-slow: &slow {interval: 1h, timeout: 40s}\n"
                                  "x-auth: &auth {headers: {A: b}, timeout: 50s}\n"
                                  "sources:\n- <<: *slow\n  name: a\n  url: https://e.org/\n"
                                  "- name: b\n  url: https://e.org/\n  timeout: 60s\n"
                                  "  <<: [*slow, *auth]\n"
                                  "- name: c\n  url: https://e.org/\n"
                                  "  headers: {<<: {C: d}, A: z}\n");

    (void)state;
    assert_int_equal(config->sources[0].interval_ms, 3600000);
    assert_int_equal(config->sources[0].timeout_ms, 40000);
    assert_int_equal(config->sources[1].timeout_ms, 60000);
    assert_int_equal(config->sources[1].interval_ms, 3600000);
    assert_int_equal(config->sources[1].header_count, 1);
    assert_int_equal(config->sources[2].header_count, 2);
    config_unref(config);
}

/* Of two merged mappings the first wins, however deep it stands (YAML merge key language type). */
static void an_own_key_beats_a_merged_one_and_the_earlier_merge_the_later(void **state)
{
    struct config *config = parse("x-a: &a {timeout: 11s}\nx-b: &b {<<: *a, interval: 12s}\n"
                                  "x-c: &c {timeout: 13s, interval: 14s}\n"
                                  "sources:\n- {<<: [*b, *c], name: a, url: 'https://e.org/'}\n");

    (void)state;
    assert_int_equal(config->sources[0].timeout_ms, 11000);
    assert_int_equal(config->sources[0].interval_ms, 12000);
    config_unref(config);
}

static void a_list_under_an_alias_is_read_once_and_shared(void **state)
{
    struct config *config = parse("x-f: &f {id: $.id, n: {path: $.n, type: real}}\n"
                                  "sources:\n- {name: a, url: 'https://e.org/', fields: *f}\n"
                                  "- {name: b, url: 'https://e.org/', fields: *f}\n");

    (void)state;
    assert_int_equal(config->sources[1].mapping.field_count, 2);
    assert_ptr_equal(config->sources[0].mapping.fields, config->sources[1].mapping.fields);
    config_unref(config);
}

static void other_forms_of_yaml_mean_the_same(void **state)
{
    struct config *config = parse("\xef\xbb\xbf%YAML 1.1\n--- # comment\n"
                                  "{\"sources\": [{\"name\": \"a\", 'url': !!str https://e.org/,\n"
                                  "\"interval\": \"5s\"}], fetchers: 3}\n...\n");

    (void)state;
    assert_int_equal(config->fetchers, 3);
    assert_int_equal(config->sources[0].interval_ms, 5000);
    config_unref(config);
}

static void windows_line_ends_are_fine(void **state)
{
    struct config *config = parse("sources:\r\n- name: a\r\n  url: https://e.org/\r\n");

    (void)state;
    assert_string_equal(config->sources[0].url, "https://e.org/");
    config_unref(config);
}

/* --- Variables. --- */

static void variables_fill_in_values_of_every_kind(void **state)
{
    struct config *config;

    (void)state;
    setenv("GATHERD_TEST_A", "7", 1);
    setenv("GATHERD_TEST_T", "true", 1);
    unsetenv("GATHERD_TEST_UNSET");
    config = parse("fetchers: ${GATHERD_TEST_A}\nprocessors: \"${GATHERD_TEST_A}\"\n"
                   "sources:\n- name: s${GATHERD_TEST_A}\n  url: https://e.org/${GATHERD_TEST_A}\n"
                   "  enabled: ${GATHERD_TEST_T}\n  interval: ${GATHERD_TEST_A}m\n"
                   "  timeout: ${GATHERD_TEST_UNSET:-9s}\n"
                   "  headers: {A: 'x${GATHERD_TEST_UNSET:-}y', B: \"$${GATHERD_TEST_A}\","
                   " C: 'a$b$$c', D: '${GATHERD_TEST_T:?must be}'}\n"
                   "  records: $.${GATHERD_TEST_UNSET:-items}[*]\n");
    assert_int_equal(config->fetchers, 7);
    assert_int_equal(config->processors, 7);
    assert_string_equal(config->sources[0].name, "s7");
    assert_string_equal(config->sources[0].url, "https://e.org/7");
    assert_true(config->sources[0].enabled);
    assert_int_equal(config->sources[0].interval_ms, 420000);
    assert_int_equal(config->sources[0].timeout_ms, 9000);
    assert_string_equal(config->sources[0].headers[0].value, "xy");
    assert_string_equal(config->sources[0].headers[1].value, "${{GATHERD_TEST_A}"); /* template.h */
    assert_string_equal(config->sources[0].headers[2].value, "a$b$$c");
    assert_string_equal(config->sources[0].headers[3].value, "true");
    assert_string_equal(jsonpath_text(config->sources[0].mapping.records), "$.items[*]");
    config_unref(config);
}

static void a_number_in_a_variable_may_be_text(void **state)
{
    struct config *config;

    (void)state;
    setenv("GATHERD_TEST_A", "42", 1);
    config = parse("sources:\n- {name: \"${GATHERD_TEST_A}\", url: 'https://e.org/'}\n");
    assert_string_equal(config->sources[0].name, "42");
    config_unref(config);
}

static void what_a_variable_holds_is_never_structure_or_another_variable(void **state)
{
    struct config *config;

    (void)state;
    setenv("GATHERD_TEST_A", "{b: [c]} # ${GATHERD_TEST_A} &x *y", 1);
    config = parse("sources:\n- name: a\n  url: https://e.org/\n"
                   "  exclude: [\"${GATHERD_TEST_A}\"]\n");
    assert_string_equal(config->sources[0].mapping.exclude[0], getenv("GATHERD_TEST_A"));
    config_unref(config);
}

/* --- The life of a configuration. --- */

static void a_source_is_found_by_its_exact_name(void **state)
{
    struct config *config = parse("sources:\n- {name: b, url: 'https://e.org/'}\n"
                                  "- {name: C, url: 'https://e.org/'}\n"
                                  "- {name: a, url: 'https://e.org/'}\n");

    (void)state;
    assert_ptr_equal(config_find_source(config, "b"), &config->sources[0]);
    assert_ptr_equal(config_find_source(config, "C"), &config->sources[1]);
    assert_ptr_equal(config_find_source(config, "a"), &config->sources[2]);
    assert_null(config_find_source(config, "c"));
    assert_null(config_find_source(config, ""));
    assert_null(config_find_source(config, "zz"));
    config_unref(config);
}

static void a_configuration_lives_until_its_last_reference(void **state)
{
    struct config *config = parse(ONE);

    (void)state;
    assert_ptr_equal(config_ref(config), config);
    config_unref(config);
    assert_string_equal(config->sources[0].name, "a");
    config_unref(config);
    config_unref(NULL);
}

static void a_mapping_in_a_source_replaces_the_one_in_defaults_whole(void **state)
{
    struct config *config = parse("defaults:\n"
                                  "  retry: {max_attempts: 7, backoff_base: 2s}\n"
                                  "sources:\n"
                                  "- {name: a, url: 'https://example.org/a'}\n"
                                  "- name: b\n"
                                  "  url: https://example.org/b\n"
                                  "  retry: &patient {backoff_base: 5m}\n"
                                  "- name: c\n"
                                  "  url: https://example.org/c\n"
                                  "  retry: *patient\n");
    const struct source *s = config->sources;

    (void)state;
    assert_int_equal(s[0].retry->max_attempts, 7);
    assert_int_equal(s[0].retry->base_ms, 2000);
    assert_int_equal(s[0].retry->cap_ms, 60000);
    assert_int_equal(s[1].retry->max_attempts, 3);
    assert_int_equal(s[1].retry->base_ms, 300000);
    assert_int_equal(s[1].retry->cap_ms, 300000); /* follows what the operator wrote */
    assert_ptr_equal(s[2].retry, s[1].retry);
    config_unref(config);
}

static uint64_t fingerprint(const char *rest)
{
    struct text yaml = {0};
    struct config *config;
    uint64_t value;

    text_add(&yaml, ONE);
    text_add(&yaml, rest);
    config = parse(text_string(&yaml));
    value = config->sources[0].fingerprint;
    config_unref(config);
    text_free(&yaml);
    return value;
}

static void the_fingerprint_changes_with_each_effective_value_and_nothing_else(void **state)
{
    static const char *const different[] = {
        "  enabled: false\n",       "  interval: 61s\n",
        "  jitter: 1s\n",           "  max_interval: 2h\n",
        "  run_on_start: true\n",   "  headers: {a: bc}\n",
        "  headers: {ab: c}\n",     "  params: {a: bc}\n",
        "  params: {a: [b, c]}\n",  "  timeout: 31s\n",
        "  connect_timeout: 9s\n",  "  max_body_size: 1MiB\n",
        "  max_redirects: 4\n",     "  success_status_codes: [200]\n",
        "  format: json\n",         "  records: $.a\n",
        "  fields: {a: $.a}\n",     "  fields: {a: {path: $.a, type: text}}\n",
        "  exclude: [a]\n",         "  table: b\n",
        "  primary_key: a\n",       "  retry: {max_attempts: 2}\n",
        "  respect_cache: true\n",  "  conditional: false\n",
        "  skip_unchanged: true\n",
    };
    uint64_t seen[sizeof(different) / sizeof(different[0]) + 1];
    size_t count = 0;

    (void)state;
    seen[count++] = fingerprint("");
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        uint64_t value = fingerprint(different[i]);

        for (size_t j = 0; j < count; j++)
            assert_true(value != seen[j]);
        seen[count++] = value;
    }
    assert_true(
        fingerprint("  interval: 60s\n  timeout: 30s\n  x-a: b\n  retry: {max_attempts: 3}\n") ==
        seen[0]);
    assert_true(fingerprint("- {name: other, url: 'https://example.org/o'}\n") == seen[0]);
}

/* --- Many sources. --- */

static void put_sources(struct text *yaml, size_t from, size_t to)
{
    text_add(yaml, "sources:\n");
    for (size_t i = from; i < to; i++)
        text_format(yaml, "- {name: source-%05zu, url: 'https://h%03zu.example.org/v1/%zu'}\n", i,
                    i % 500, i);
}

static void ten_thousand_sources_load_quickly_and_stay_small(void **state)
{
    struct text yaml = {0};
    struct config *config;
    int64_t start;

    (void)state;
    text_add(&yaml, "defaults: {fields: {id: $.id, v: {path: $.v, type: real}}, "
                    "headers: {Accept: application/json}}\n");
    put_sources(&yaml, 0, 10000);
    start = clock_monotonic_ms();
    config = parse(text_string(&yaml));
    assert_true(clock_monotonic_ms() - start < 20000);
    assert_int_equal(config->source_count, 10000);
    assert_string_equal(find(config, "source-07777")->url, "https://h277.example.org/v1/7777");
    assert_int_equal(config->sources[0].host_gap_ms, 3000);
    assert_ptr_equal(config->sources[0].host, config->sources[500].host);
    assert_true(sizeof(struct source) <= 1024);
    config_unref(config);
    text_free(&yaml);
}

static void ten_thousand_mistakes_are_reported_quickly(void **state)
{
    struct config_report report = {0};
    struct text yaml = {0};

    (void)state;
    text_add(&yaml, "sources:\n");
    for (size_t i = 0; i < 10001; i++)
        text_add(&yaml, "- {name: same, url: x}\n");
    assert_null(config_parse(yaml.data, yaml.length, "t.yaml", "", &report));
    assert_int_equal(report.errors, 20001);
    assert_non_null(strstr(report.text.data, "\nt.yaml: error: and 10001 more mistakes\n"));
    config_report_free(&report);
    text_free(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_with_name_and_url_has_every_default),
        cmocka_unit_test(pagination_has_the_defaults_of_its_type),
        cmocka_unit_test(every_key_of_pagination_arrives),
        cmocka_unit_test(every_key_of_the_daemon_arrives),
        cmocka_unit_test(every_key_of_a_source_arrives),
        cmocka_unit_test(a_field_has_what_its_type_needs_and_a_default_that_is_converted),
        cmocka_unit_test(a_status_is_a_success_when_a_range_holds_it),
        cmocka_unit_test(the_write_mode_follows_the_primary_key),
        cmocka_unit_test(the_table_is_made_of_the_name),
        cmocka_unit_test(hosts_are_name_and_port_in_lower_case),
        cmocka_unit_test(the_gap_of_a_host_counts_all_its_enabled_sources),
        cmocka_unit_test(defaults_hold_for_sources_that_do_not_say_otherwise),
        cmocka_unit_test(the_arrays_of_defaults_are_shared_not_copied),
        cmocka_unit_test(a_default_gives_way_to_the_bound_a_source_sets),
        cmocka_unit_test(an_excluding_default_is_no_matter_to_sources_with_fields),
        cmocka_unit_test(keys_that_begin_with_x_are_ignored_in_our_mappings),
        cmocka_unit_test(headers_and_parameters_may_begin_with_x),
        cmocka_unit_test(anchors_and_merge_keys_work),
        cmocka_unit_test(an_own_key_beats_a_merged_one_and_the_earlier_merge_the_later),
        cmocka_unit_test(a_list_under_an_alias_is_read_once_and_shared),
        cmocka_unit_test(other_forms_of_yaml_mean_the_same),
        cmocka_unit_test(windows_line_ends_are_fine),
        cmocka_unit_test(variables_fill_in_values_of_every_kind),
        cmocka_unit_test(a_number_in_a_variable_may_be_text),
        cmocka_unit_test(what_a_variable_holds_is_never_structure_or_another_variable),
        cmocka_unit_test(a_source_is_found_by_its_exact_name),
        cmocka_unit_test(a_configuration_lives_until_its_last_reference),
        cmocka_unit_test(a_mapping_in_a_source_replaces_the_one_in_defaults_whole),
        cmocka_unit_test(the_fingerprint_changes_with_each_effective_value_and_nothing_else),
        cmocka_unit_test(ten_thousand_sources_load_quickly_and_stay_small),
        cmocka_unit_test(ten_thousand_mistakes_are_reported_quickly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
