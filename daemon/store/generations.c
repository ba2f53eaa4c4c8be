#include "store/generations.h"

int generations_open(struct generations *generations, sqlite3 *db, struct error *err)
{
    static const char latest[] = "SELECT fingerprint FROM _gatherd_generations WHERE source = ?"
                                 " ORDER BY generation DESC LIMIT 1";
    static const char add[] =
        "INSERT INTO _gatherd_generations (source, generation, fingerprint, since)"
        " SELECT ?1, 1 + coalesce(max(generation), 0), ?2, ?3 FROM _gatherd_generations"
        " WHERE source = ?1";

    if (sqlite_prepare(db, latest, &generations->latest, err) == -1)
        return -1;
    return sqlite_prepare(db, add, &generations->add, err);
}

void generations_close(struct generations *generations)
{
    sqlite3_finalize(generations->latest);
    sqlite3_finalize(generations->add);
}

int generations_register(struct generations *generations, const struct source *source,
                         const char *now, struct error *err)
{
    sqlite3_int64 fingerprint = (sqlite3_int64)source->mapping_fingerprint;
    sqlite3_stmt *latest = generations->latest;
    bool same;
    int rc;

    sqlite_bind_string(latest, 1, source->name);
    rc = sqlite_step(latest, "_gatherd_generations", err);
    same = rc == 1 && sqlite3_column_int64(latest, 0) == fingerprint;
    sqlite3_reset(latest);
    sqlite3_clear_bindings(latest);
    if (rc == -1 || same)
        return rc == -1 ? -1 : 0;
    sqlite_bind_string(generations->add, 1, source->name);
    sqlite3_bind_int64(generations->add, 2, fingerprint);
    sqlite_bind_string(generations->add, 3, now);
    return sqlite_run(generations->add, "_gatherd_generations", err);
}
