"""e2e_hostile.py - the worst bodies that servers send, all at once to one running daemon.

nginx serves them beside a healthy source. What each means in detail is tested where its format is; here
they come together: each has a clear outcome, what can be stored is stored and nothing else, what cannot is
kept with the reason, and the process goes on as if nothing had happened.
"""
import gzip
import io
import json
import pathlib
import re
import zipfile

import harness

MIB = 1024 * 1024
LONG = "1234567890123456789012345678901234567890"  # 40 digits
JSON, CSV, XML = "application/json", "text/csv", "text/xml"

LAUGHS = ('<!DOCTYPE lolz [<!ENTITY l0 "lol">' +
          "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)) + "]><lolz>&l9;</lolz>")
TABLE = "day,count\n" + "".join(f"{i},{i * i}\n" for i in range(5000))
PACKED = gzip.compress(TABLE.encode())
BOMB = gzip.compress(bytes(64 * MIB))

CUT_CHARACTER = "the body ends inside a character of UTF-16 .*encoding should say what it is in"
UNPACKED = r"the body is above max_body_size \(16MiB\) unpacked; raise it"
LARGER = r"body larger than max_body_size \(16MiB\)"
TOO_WIDE = "the record needs more than 1998 columns; name the ones to keep with fields"


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", content)
    return buffer.getvalue()


def wide(members):
    return json.dumps({f"m{i}": i for i in range(members)})


class Refused:
    """Nothing of the body is used: the run fails, and the body is kept as it came, or not if it is not whole."""

    def __init__(self, kind, body, error, failure="decode", kept=True, encoding=None, **keys):
        self.kind, self.body, self.encoding, self.keys = kind, body, encoding, keys
        self.error, self.failure, self.kept = error, failure, kept


class Taken:
    """Rows are stored: what `query` gives ({}: the table). Each letter is (position, reason, content)."""

    encoding = None

    def __init__(self, kind, body, query, rows, *letters, **keys):
        self.kind, self.body, self.keys = kind, body, keys
        self.query, self.rows, self.letters = query, rows, letters


def number(kind):
    return {"fields": {"n": {"path": "$.n", "type": kind}}}


NUMBERS = '[{"n": 1e400}, {"n": %s}, {"n": 1}]' % LONG
ROWS_LIKE_THIS = "; where that is so of all rows, name the columns .*"

CASES = {
    # Other bytes than those declared, by the header and by the document.
    "latin_json": Refused(JSON + "; charset=utf-8", b'[{"s": "caf\xe9"}]',
                          "the body is not JSON: line 1, column 12: byte 0xe9 is not UTF-8.*; set encoding .*"),
    "latin_csv": Refused(CSV + "; charset=utf-8", b"a,b\n1,caf\xe9\n",
                         "the body is not CSV in UTF-8: line 2, column 6: byte 0xe9 .*; set encoding .*"),
    "latin_xml": Refused(XML, b'<?xml version="1.0" encoding="utf-8"?>\n<a>caf\xe9</a>',
                         "the body is not XML: line 2, column 7: a byte that is not UTF-8 \\(byte 45 of the body\\); set "
                         "encoding .*"),
    "not_utf16_csv": Refused(CSV + "; charset=utf-16", b"a,b\n1,2,\n", CUT_CHARACTER),
    "not_utf16_xml": Refused(XML, b'<?xml version="1.0" encoding="utf-16"?><a>1</a>', CUT_CHARACTER),
    "utf16_json": Refused(JSON + "; charset=utf-8", '[{"a": 1}]'.encode("utf-16-le"),
                          "the body is not JSON: line 1, column 1: the body looks like UTF-16, .*"),
    "utf16_csv": Refused(CSV + "; charset=utf-8", "a,b\n1,2\n".encode("utf-16-le"),
                         "the body is not CSV: line 1: a NUL byte .*; if it is UTF-16, set encoding: utf-16"),
    "unknown": Refused(CSV + "; charset=x-klingon", b"a\n1\n",
                       "the body is in the character set x-klingon .* not known here; set encoding .*"),

    # Tables that are none.
    "ragged": Taken(CSV, "a,b\n1,2\n3\n4,5,6\n7,8\n", "SELECT a, b FROM {}", [("1", "2"), ("7", "8")],
                    (1, "the row has 1 cell where the header has 2" + ROWS_LIKE_THIS, "a,b\n3"),
                    (2, "the row has 3 cells where the header has 2" + ROWS_LIKE_THIS, "a,b\n4,5,6")),
    "same_names": Taken(CSV, "a,b,a,A,\n1,2,3,4,5\n", "SELECT a, b, a_2, A_3, column_5 FROM {}",
                        [("1", "2", "3", "4", "5")]),

    # Cut off: as a document, as a file, and on its way.
    "cut_json": Refused(JSON, '[{"a": 1}, {"a": 2}, {"a"',
                        "the body is not JSON: line 1, column 26: the body ends inside an object"),
    "cut_quote": Refused(CSV, 'a,b\n1,2\n3,"fo', "the body is not CSV: line 3: the quote .* is not closed .*"),
    "cut_row": Taken(CSV, "a,b\n1,2\n3", "SELECT a, b FROM {}", [("1", "2")],
                     (1, "the row has 1 cell where the header has 2" + ROWS_LIKE_THIS, "a,b\n3")),
    "cut_xml": Refused(XML, "<l><i><v>1</v></i><i><v>2",
                       "the body is not XML: line 1, column 26: Premature end of data in tag v line 1"),
    "cut_gzip": Refused(CSV, PACKED[:len(PACKED) // 2], "the body is a gzip file that is cut off"),
    "cut_sent": Refused(CSV, PACKED[:len(PACKED) // 2], "the compressed body cannot be decoded: it is cut off", "network",
                        kept=False, encoding="gzip"),
    "cut_zip": Refused(JSON, zipped("[1]")[:-10], "the body is a zip archive that cannot be read, or is cut off: .*"),

    # XML that wants more than to be read.
    "laughs": Refused(XML, LAUGHS, 'the body is not XML: .*the document defines the entity "l0"; .*'),
    "entity": Refused(XML, '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
                      'the body is not XML: .*the document defines the entity "x"; .*'),
    "entity_web": Refused(XML, '<!DOCTYPE a [<!ENTITY x SYSTEM "HOST/secret">]><a>&x;</a>',
                          'the body is not XML: .*the document defines the entity "x"; .*'),

    # Numbers that no number of SQLite is: kept as they came, but where a type was declared.
    "numbers": Taken(JSON, NUMBERS, "SELECT n FROM {}", [("1e400",), (LONG,), (1,)]),
    "integers": Taken(JSON, NUMBERS, "SELECT n FROM {}", [(1,)],
                      (0, 'column "n": 1e400 is not an integer of 64 bits', '{"n": 1e400}'),
                      (1, f'column "n": {LONG} is not an integer of 64 bits', '{"n": %s}' % LONG), **number("integer")),
    "reals": Taken(JSON, NUMBERS, "SELECT n FROM {}", [(float(LONG),), (1.0,)],
                   (0, 'column "n": 1e400 is beyond the range of a real', '{"n": 1e400}'), **number("real")),
    "decimals": Taken(JSON, '[{"n": %s}, {"n": 1e999999999}]' % LONG, "SELECT n FROM {}", [(LONG,)],
                      (1, 'column "n": 1e999999999 is beyond the range of a decimal', '{"n": 1e999999999}'),
                      **number("decimal")),
    "number_keys": Taken(JSON, '[{"n": %s}, {"n": "%s"}, {"n": 1e400}]' % (LONG, LONG), "SELECT n FROM {}",
                         [(LONG,), ("1e400",)], primary_key="n"),

    # Names that SQLite takes for one.
    "cases": Taken(JSON, '[{"Name": 1, "name": 2, "NAME": 3}, {"NAME": 6, "name": 5}]',
                   "SELECT Name, name_2, NAME_3 FROM {}", [(1, 2, 3), (None, 5, 6)]),

    # Width, length, depth, each to its limit and one beyond.
    "columns_2000": Taken(JSON, f"[{wide(1998)}]", "SELECT (SELECT count(*) FROM pragma_table_info('{0}')), m0, m1997 FROM {0}",
                          [(2000, 0, 1997)]),
    "columns_2001": Taken(JSON, f'[{{"id": 1}}, {wide(1999)}, {wide(2001)}, {{"id": 2}}]', "SELECT id FROM {}", [(1,), (2,)],
                          (1, TOO_WIDE, wide(1999)), (2, TOO_WIDE, wide(2001))),
    "text_16_mib": Taken(JSON, '[{"id": 1, "s": "' + "x" * (16 * MIB) + '"}, {"id": 2}]',
                         "SELECT id, length(s), replace(s, 'x', '') FROM {}", [(1, 16 * MIB, ""), (2, None, None)],
                         max_body_size="17MiB"),
    "cell_16_mib": Taken(CSV, 'id,s\n1,"' + "x" * (16 * MIB) + '"\n2,y\n', "SELECT id, length(s) FROM {}",
                         [("1", 16 * MIB), ("2", 1)], max_body_size="17MiB"),
    "body_16_mib": Taken(JSON, '["' + "x" * (16 * MIB - 4) + '"]', "SELECT length(value) FROM {}", [(16 * MIB - 4,)]),
    "body_over": Refused(JSON, '["' + "x" * (16 * MIB - 3) + '"]', LARGER, "limit", kept=False),
    "deep_512": Taken(JSON, "[" * 512 + "]" * 512, "SELECT value FROM {}", [("[" * 511 + "]" * 511,)]),
    "deep_513": Refused(JSON, "[" * 513 + "]" * 513, "the body is not JSON: line 1, column 513: nested deeper than 512 levels"),
    "deep_json": Refused(JSON, '{"a":' * 500000, "the body is not JSON: line 1, column 2561: nested deeper than 512 levels"),
    "deep_xml": Refused(XML, "<a>" * 100000, "the body is not XML: line 1, column 751: nested deeper than 250 levels"),

    # NUL bytes: a character where the format has it, otherwise an error.
    "nul_escaped": Taken(JSON, '[{"s": "a\\u0000b", "a\\u0000b": 1}]', "SELECT s, a_b FROM {}", [("a\0b", 1)]),
    "nul_cell": Taken(CSV, b"a,b\n1,x\0y\n2,z\n", "SELECT a, b FROM {}", [("1", "x\0y"), ("2", "z")]),
    "nul_json": Refused(JSON, b'[{"s": "a\0b"}]', "the body is not JSON: line 1, column 10: byte 0x00 in a string, .*"),
    "nul_behind": Refused(JSON, b'[{"s": 1}]' + bytes(100), "the body is not JSON: line 1, column 11: byte 0x00 behind .*"),
    "nul_xml": Refused(XML, b"<l><i>a\0b</i></l>", "the body is not XML: line 1, column 8: a NUL byte; XML has none"),
    "nul_only": Refused(CSV, bytes(1000), "the body is not CSV: line 1: a NUL byte .*"),

    # Little that becomes much.
    "bomb_gzip": Refused("application/gzip", BOMB, UNPACKED, "limit"),
    "bomb_zip": Refused("application/zip", zipped(bytes(64 * MIB)), UNPACKED, "limit"),
    "bomb_sent": Refused(JSON, BOMB, LARGER, "limit", kept=False, encoding="gzip"),
}


@harness.needs_command("nginx")
class Hostile(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        """All of it is polled once, and the healthy source all the time."""
        cls.shared = harness.TestCase()
        cls.shared.setUp()
        cls.addClassCleanup(cls.shared.doCleanups)
        cls.base = cls.serve_cases()
        cls.daemon = cls.shared.daemon({"hosts": {"max_concurrent": 4}, "defaults": {"retry": {"max_attempts": 1}}, "sources": [
            {"name": "healthy", "url": f"{cls.base}/healthy.json", "interval": "50ms", "primary_key": "id",
             "conditional": False},
            *({"name": name, "url": f"{cls.base}/{name}", "interval": "1h", "run_on_start": True, **case.keys}
              for name, case in CASES.items())]})
        cls.daemon.wait_for_sql("SELECT count(DISTINCT source) FROM _gatherd_runs WHERE source <> 'healthy'"
                                " AND outcome <> 'unfinished'", len(CASES), timeout=120)
        cls.healthy_before = cls.daemon.value("SELECT count(*) FROM _gatherd_runs WHERE source = 'healthy'")
        cls.daemon.wait_for_sql("SELECT count(*) > %d FROM _gatherd_runs WHERE source = 'healthy'" % (cls.healthy_before + 3))
        cls.peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(
            f"/proc/{cls.daemon.process.pid}/status").read_text())[1])
        cls.status = cls.daemon.stop()

    @classmethod
    def serve_cases(cls):
        root = cls.shared.folder / "served"
        root.mkdir()
        cls.asked = cls.shared.folder / "asked.log"
        locations = f"access_log {cls.asked};"
        for name, case in CASES.items():
            encoding = f"add_header Content-Encoding {case.encoding};" if case.encoding else ""
            locations += f"location = /{name} {{ types {{}} default_type '{case.kind}'; gzip off; {encoding} }}\n"
        base = cls.shared.nginx(root, extra_server=locations)
        (root / "healthy.json").write_text('[{"id": 1, "v": "fine"}]')
        for name, case in CASES.items():
            body = case.body if isinstance(case.body, bytes) else case.body.encode()
            (root / name).write_bytes(body.replace(b"HOST", base.encode()))
        cls.root = root
        return base

    def test_each_body_has_its_outcome(self):
        for name, case in CASES.items():
            with self.subTest(name):
                [run] = self.daemon.sql("SELECT outcome, failure, inserted, rejected, error FROM _gatherd_runs"
                                        " WHERE source = ?", (name,))
                if isinstance(case, Refused):
                    self.assertEqual(run[:4], ("failed", case.failure, 0, 0))
                    self.assertRegex(run[4], f"^{case.error}$")
                else:
                    self.assertEqual(run, ("partial" if case.letters else "success", None, len(case.rows),
                                           len(case.letters), None))

    def test_what_can_be_stored_is_stored_and_nothing_else(self):
        tables = {name for name, in self.daemon.sql("SELECT name FROM sqlite_schema WHERE type = 'table'"
                                                    " AND name NOT LIKE '\\_%' ESCAPE '\\'")}
        self.assertEqual(tables - {"healthy", "sqlite_sequence", "sqlite_stat1"},
                         {name for name, case in CASES.items() if isinstance(case, Taken)})
        for name, case in CASES.items():
            if isinstance(case, Taken):
                with self.subTest(name):
                    self.assertEqual(self.daemon.sql(case.query.format(name) + " ORDER BY rowid"), case.rows)

    def test_what_cannot_is_kept_with_the_reason(self):
        for name, case in CASES.items():
            with self.subTest(name):
                letters = self.daemon.sql("SELECT kind, position, reason, CAST(content AS BLOB) FROM _gatherd_dead_letters"
                                          " WHERE source = ? ORDER BY position", (name,))
                if isinstance(case, Taken):
                    wanted = [("record", at, reason, content.encode()) for at, reason, content in case.letters]
                else:
                    wanted = [("body", None, case.error, (self.root / name).read_bytes())] if case.kept else []
                self.assertEqual([l[:2] for l in letters], [w[:2] for w in wanted])
                for letter, expected in zip(letters, wanted):
                    self.assertRegex(letter[2], f"^{expected[2]}$")
                    self.assertTrue(letter[3] == expected[3], f"{letter[3][:100]} ...")

    def test_nothing_was_asked_for_but_the_sources(self):
        paths = set(re.findall(r'"GET (\S+) HTTP', self.asked.read_text()))
        self.assertEqual(paths, {f"/{name}" for name in CASES} | {"/healthy.json"})

    def test_the_process_is_unharmed(self):
        self.assertEqual(self.status, 0)
        self.assertGreater(self.healthy_before, 0)
        self.assertEqual(self.daemon.sql("SELECT DISTINCT outcome, failure FROM _gatherd_runs WHERE source = 'healthy'"),
                         [("success", None)])
        self.assertEqual(self.daemon.sql("SELECT id, v FROM healthy"), [(1, "fine")])
        self.assertEqual(self.daemon.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM _gatherd_runs WHERE outcome = 'unfinished'"), [(0,)])
        if not harness.SANITIZED:  # 16 MiB go through a few times; the bombs would be 64 MiB each
            self.assertLess(self.peak_kib, 400 * 1024)


if __name__ == "__main__":
    harness.main()
