#!/usr/bin/python3
"""includes.py - the includes point one way, and each library has one door (ARCHITECTURE.md, Rooms).

Prints every include that does not fit; exit status 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each room offers in include/gatherd/, from the bottom up; a room may use those before it.
BASE = {
    "arena",
    "bare_url",
    "binary",
    "clock",
    "column_name",
    "compress",
    "decimal",
    "duration",
    "error",
    "hash",
    "log",
    "secret",
    "sha256",
    "template",
    "text",
    "thread",
    "ties",
    "timestamp",
    "units",
    "value",
}
DOCUMENT = {"charset", "csv", "unpack", "node", "json", "jsonpath", "cursor", "convert", "xml", "prometheus"}
CALENDAR = {"cron", "zone"}
SQL = {"computer", "expression", "select"}
CONFIG = {"auth", "config", "items"}
# Where the stages meet.
MEETING = {
    "debug_log",
    "pages",
    "position",
    "queue",
    "row",
    "run",
    "run_state",
    "trouble",
}
STAGES = {"schedule", "fetcher", "token_cache", "processor", "store", "notify", "control", "steer", "replay",
          "kept"}

BELOW = BASE | DOCUMENT | CALENDAR | SQL | CONFIG | MEETING
ALLOWED = {
    "base": BASE,
    "document": BASE | DOCUMENT | CALENDAR,
    "calendar": BASE | CALENDAR,
    "sql": BASE | SQL,
    "config": BASE | DOCUMENT | CALENDAR | SQL | CONFIG,
    "": BELOW,  # queue.c, pages.c, run.c, trouble.c, debug_log.c
    "schedule": BELOW | {"schedule"},
    "fetch": BELOW | {"fetcher", "token_cache"},
    "process": BELOW | {"processor"},
    "store": BELOW | {"store", "kept"},
    "serve": BASE | {"notify", "control"},
    "pipeline": BELOW | STAGES | {"pipeline"},
    "main": {"cli"},
    "cli": BELOW | {"cli", "pipeline", "steer", "replay", "notify", "control", "store", "kept", "fetcher"},
}
HEADER_ROOM = {"schedule": "schedule", "fetcher": "fetch", "token_cache": "fetch", "processor": "process",
               "store": "store", "notify": "serve", "control": "serve", "pipeline": "pipeline", "steer": "pipeline",
               "replay": "pipeline", "kept": "store", "cli": "cli"}

# Each library and the only places that may know it.
DOORS = {
    "curl/curl.h": ("daemon/fetch/",),
    "sqlite3.h": ("daemon/store/", "daemon/sql/"),
    "yaml.h": ("daemon/config/yaml.c",),
    "libxml/parser.h": ("daemon/document/xml", "bench/"),
    "libxml/parserInternals.h": ("daemon/document/xml",),
    "libxml/xmlmemory.h": ("tests/document/test_xml_out_of_memory.c",),
    "pcre2.h": ("daemon/document/regexp.c",),
    "xxhash.h": ("daemon/base/hash.c",),
    "iconv.h": ("daemon/document/charset.c",),
    "zlib.h": ("daemon/document/unpack.c", "daemon/fetch/decoding.c"),
    "brotli/decode.h": ("daemon/fetch/decoding.c",),
    "zip.h": ("daemon/document/unpack_zip.c",),
    "zstd.h": ("daemon/base/compress.c", "daemon/fetch/decoding.c"),
    "zstd_errors.h": ("daemon/base/compress.c",),
    "zdict.h": ("daemon/base/compress.c",),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)


def room_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "include":
        name = path.stem
        for room, headers in (("base", BASE), ("document", DOCUMENT), ("calendar", CALENDAR), ("sql", SQL),
                              ("config", CONFIG), ("", MEETING)):
            if name in headers:
                return room
        return HEADER_ROOM[name]
    if len(parts) == 3:
        return parts[1]
    return {"main": "main"}.get(path.stem, "")


def misfits(path):
    room = room_of(path)
    for name in INCLUDE.findall(path.read_text()):
        if name.startswith("gatherd/"):
            if pathlib.PurePath(name).stem not in ALLOWED[room]:
                yield f"{path.relative_to(ROOT)}: {name} is not for {room or 'this room'}"
        elif "/" in name and (ROOT / "daemon" / name).exists():
            if name.split("/")[0] != room:
                yield f"{path.relative_to(ROOT)}: {name} is private to another room"
        elif name in DOORS and not str(path.relative_to(ROOT)).startswith(DOORS[name]):
            yield f"{path.relative_to(ROOT)}: {name} has another door"


def main():
    files = sorted((ROOT / "daemon").rglob("*.[ch]")) + sorted((ROOT / "include").rglob("*.h"))
    found = [line for path in files for line in misfits(path)]
    print("\n".join(found) if found else f"{len(files)} files, every include points the right way")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
