"""e2e_commands.py - what people type and what they get to see: run --once, check, query, version.

Everything through the real binary: exit status, standard output, standard error, on pipes, on a
full device and on a terminal (a pty of a known width).
"""
import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import termios
import unittest

import harness

HELP = "Try `gatherd {} --help`.\n"
NO_SQL = 'gatherd query: no SQL given, as in gatherd query "SELECT * FROM _gatherd_sources"\n'
CUT = "(values that end in … were cut to fit; csv, json and ndjson have them whole)"


class CommandCase(harness.TestCase):
    def expect(self, status, *arguments, out=None, err=None, **options):
        """Runs the command; texts must be equal, compiled patterns must match."""
        result = self.gatherd(*arguments, **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for wanted, found in ((out, result.stdout), (err, result.stderr)):
            if isinstance(wanted, str):
                self.assertEqual(found, wanted)
            elif wanted is not None:
                self.assertRegex(found, wanted)
        return result

    def configure(self, sources, name="gatherd.yaml", **more):
        path = self.folder / name
        path.write_text(json.dumps({"sources": sources, **more}, indent=1))
        return path

    def on_terminal(self, *arguments, columns=80, folder=None):
        """(exit status, text) of a command whose output and error are a terminal."""
        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        process = subprocess.Popen([harness.GATHERD, *map(str, arguments)], stdin=terminal,
                                   stdout=terminal, stderr=terminal, cwd=folder or self.folder)
        os.close(terminal)
        data = b""
        try:
            while chunk := os.read(master, 65536):
                data += chunk
        except OSError:  # the other end is closed
            pass
        os.close(master)
        return process.wait(60), data.decode().replace("\r\n", "\n")


class Overview(CommandCase):
    def test_without_arguments_the_overview_goes_to_standard_error_and_the_status_is_64(self):
        result = self.expect(64, out="", err=re.compile("^gatherd polls HTTP APIs"))
        for command in ("run", "check", "query", "version"):
            self.assertRegex(result.stderr, rf"(?m)^  {command} +\w")
        for option in ("--help", "-h", "help"):
            self.expect(0, option, out=result.stderr, err="")
        self.assertTrue(all(len(line) <= 79 for line in result.stderr.splitlines()))

    def test_each_command_explains_itself_within_80_columns(self):
        for command in ("run", "check", "query", "state", "backfill", "failed", "replay", "schema", "version"):
            with self.subTest(command):
                result = self.expect(0, command, "--help", err="",
                                     out=re.compile(rf"^Usage: gatherd {command}"))
                self.expect(0, command, "-h", out=result.stdout)
                self.expect(0, "help", command, out=result.stdout)
                self.assertTrue(all(len(line) <= 79 for line in result.stdout.splitlines()))
                self.assertTrue(result.stdout.endswith("\n"))

    def test_the_version_is_the_projects(self):
        version = re.search(r"project\(gatherd VERSION ([0-9.]+)",
                            (harness.ROOT / "CMakeLists.txt").read_text()).group(1)
        for words in (["version"], ["--version"], ["-V"]):
            self.expect(0, *words, out=f"gatherd {version}\n", err="")

    def test_wrong_words_are_named_and_the_status_is_64(self):
        for words, message in (
                (["bogus"], 'gatherd: unknown command "bogus"\nTry `gatherd --help`.\n'),
                (["--bogus"], 'gatherd: unknown option "--bogus"\nTry `gatherd --help`.\n'),
                (["help", "bogus"], 'gatherd: unknown command "bogus"\nTry `gatherd --help`.\n'),
                (["version", "x"], 'gatherd version: unexpected argument "x"\n' + HELP.format("version")),
                (["version", "-x"], "gatherd version: unknown option -x\n" + HELP.format("version")),
                (["run", "--bogus"], "gatherd run: unknown option --bogus\n" + HELP.format("run")),
                (["run", "-vz"], "gatherd run: unknown option -z\n" + HELP.format("run")),
                (["run", "-c"], "gatherd run: option -c needs a value\n" + HELP.format("run")),
                (["run", "--once=3"],
                 "gatherd run: option --once=3 takes no value\n" + HELP.format("run")),
                (["run", "x"], 'gatherd run: "x": sources can be named with --once only\n'
                 + HELP.format("run")),
                (["check", "a", "b"], 'gatherd check: one file at a time; "b" is one too many\n'
                 + HELP.format("check")),
                (["check", "--config"],
                 "gatherd check: option --config needs a value\n" + HELP.format("check")),
                (["query"], NO_SQL + HELP.format("query")),
                (["query", " ;\n"], NO_SQL + HELP.format("query")),
                (["query", "SELECT", "1"], "gatherd query: one SQL argument expected; put it in quotes\n"
                 + HELP.format("query")),
                (["query", "-f", "xml", "SELECT 1"], 'gatherd query: unknown format "xml": table, csv,'
                 " json and ndjson are known\n" + HELP.format("query"))):
            with self.subTest(" ".join(words)):
                self.expect(64, *words, out="", err=message)


class Check(CommandCase):
    def test_a_good_file_is_summed_up_in_a_line(self):
        path = self.configure([{"name": "a", "url": "http://127.0.0.1/a"}], database="data.db")
        line = f"{path}: ok, 1 source, database {self.folder}/data.db\n"
        self.expect(0, "check", path, out=line, err="")
        self.expect(0, "check", "-c", path, out=line, err="")
        self.expect(0, "check", out="gatherd.yaml: ok, 1 source, database data.db\n", err="")
        path = self.configure([{"name": n, "url": "http://127.0.0.1/", "table": n,
                                "enabled": n != "c"} for n in "abc"], name="three.yaml")
        self.expect(0, "check", "three.yaml",
                    out="three.yaml: ok, 3 sources (1 disabled), database gatherd.db\n", err="")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["gatherd.yaml", "three.yaml"])  # nothing was started

    def test_every_mistake_is_reported_at_once_with_its_place(self):
        (self.folder / "bad.yaml").write_text(
            "fetchers: many\n"
            "sources:\n"
            "  - name: a\n"
            "    url: ftp://example.org/\n"
            "    intervall: 5s\n"
            "    records: $.[\n"
            "  - name: b\n"
            "    url: http://example.org/\n"
            "    interval: 10\n")
        result = self.expect(78, "check", "bad.yaml", out="")
        places = re.findall(r"(?m)^bad\.yaml:(\d+):(\d+): error: ([\w.\[\]]+): ", result.stderr)
        self.assertEqual(places, [("1", "11", "fetchers"), ("4", "10", "sources[0].url"),
                                  ("5", "5", "sources[0].intervall"),
                                  ("6", "15", "sources[0].records"),
                                  ("9", "15", "sources[1].interval")])
        self.assertIn('unknown key; did you mean "interval"?', result.stderr)
        self.assertTrue(result.stderr.endswith("\n5 errors in the configuration\n"))
        for words in (["run", "-c", "bad.yaml"], ["run", "--once", "-c", "bad.yaml"],
                      ["query", "-c", "bad.yaml", "SELECT 1"]):
            self.expect(78, *words, out="", err=result.stderr)

    def test_a_missing_file_is_78_whoever_asks_for_it(self):
        for words in (["check", "none.yaml"], ["run", "-c", "none.yaml"],
                      ["run", "--once", "-c", "none.yaml"], ["query", "-c", "none.yaml", "SELECT 1"]):
            self.expect(78, *words, out="", err="none.yaml: error: cannot read it: No such file or"
                        " directory\n1 error in the configuration\n")
        self.expect(78, "check", self.folder, out="", err=re.compile("Is a directory"))

    @unittest.skipIf(os.path.exists("/etc/gatherd/gatherd.yaml"), "gatherd is configured here")
    def test_no_file_anywhere_says_where_it_was_looked_for(self):
        for words in (["check"], ["run"], ["run", "--once"], ["query", "SELECT 1"]):
            self.expect(78, *words, out="", err="gatherd: no configuration: neither ./gatherd.yaml nor"
                        " /etc/gatherd/gatherd.yaml is there; name a file\n")

    def test_the_schema_is_json_and_the_reference_speaks_of_every_key_in_it(self):
        schema = json.loads(self.expect(0, "check", "--schema", err="").stdout)
        self.assertEqual(schema["type"], "object")
        self.assertIn("sources", schema["properties"])
        reference = self.expect(0, "check", "--reference", err="").stdout
        source = json.dumps(schema)
        for key in ("database", "interval", "primary_key", "max_body_size", "write_mode"):
            self.assertIn(f"| `{key}` |", reference)
            self.assertIn(f'"{key}"', source)
        kept = harness.ROOT / "config/gatherd.schema.json"
        self.assertEqual(json.loads(kept.read_text()), schema)


@harness.needs_command("nginx")
class RunOnce(CommandCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "served"
        self.root.mkdir()
        (self.root / "good.json").write_text('[{"id": 1}, {"id": 2}]')
        (self.root / "bad.json").write_text("[1")
        (self.root / "mixed.json").write_text('[{"id": 1}, null]')
        os.utime(self.root / "good.json", (1e9, 1e9))  # one of this very second is no validator
        self.base = self.nginx(self.root)

    def source(self, name, file=None, **more):
        return {"name": name, "url": f"{self.base}/{file or name}.json", **more}

    def table(self, text):
        """The cells of each line below the rule, by the columns of the header."""
        header, rule, *lines = text.split("\n\n")[0].splitlines()
        spans = [m.span() for m in re.finditer("-+", rule)]
        cut = lambda line: [line[a:b].strip() for a, b in spans]
        return [dict(zip(cut(header), cut(line))) for line in lines]

    def test_each_source_has_a_line_and_each_failure_its_reason(self):
        self.configure([self.source("good", primary_key="id"), self.source("bad"),
                        self.source("mixed"), self.source("none"),
                        {"name": "off", "url": self.base, "enabled": False}])
        result = self.expect(1, "run", "--once", err="")
        rows = self.table(result.stdout)
        self.assertEqual([list(row.values())[:8] for row in rows], [
            ["good", "success", "200", "2", "2", "0", "0", "0"],
            ["bad", "decode", "200", "", "", "", "", ""],
            ["mixed", "partial", "200", "2", "1", "0", "0", "1"],
            ["none", "status", "404", "", "", "", "", ""]])
        self.assertEqual(list(rows[0]), ["source", "outcome", "status", "records", "inserted",
                                         "updated", "unchanged", "rejected", "ms"])
        self.assertEqual(result.stdout.split("\n\n")[1].splitlines(), [
            "bad: the body is not JSON: line 1, column 3: the body ends inside an array",
            "mixed: 1 record rejected, because the record is null; see gatherd failed list --source mixed",
            "none: HTTP 404 Not Found"])
        # Again: what is unchanged is counted as that.
        self.configure([self.source("good", primary_key="id", conditional=False)])
        rows = self.table(self.expect(0, "run", "--once", "good", err="").stdout)
        self.assertEqual([list(row.values())[:7] for row in rows],
                         [["good", "success", "200", "2", "0", "0", "2"]])

    def test_only_the_named_sources_are_polled_in_the_order_of_the_file(self):
        self.configure([self.source("good"), self.source("bad"),
                        self.source("again", "good"), self.source("more", "good")])
        result = self.expect(0, "run", "--once", "more", "good", "-c", "gatherd.yaml", err="")
        self.assertEqual([row["source"] for row in self.table(result.stdout)], ["good", "more"])
        rows = self.expect(0, "query", "-f", "csv",
                           "SELECT source FROM _gatherd_runs ORDER BY source").stdout
        self.assertEqual(rows, "source\ngood\nmore\n")

    def test_sources_that_cannot_be_polled_are_wrong_usage_and_nothing_is_started(self):
        self.configure([self.source("good"), self.source("off", "good", enabled=False)])
        self.expect(64, "run", "--once", "good", "goood", out="",
                    err='gatherd run: no source is named "goood"\n' + HELP.format("run"))
        self.expect(64, "run", "--once", "off", out="",
                    err='gatherd run: source "off" is disabled (enabled: false)\n' + HELP.format("run"))
        self.assertFalse((self.folder / "gatherd.db").exists())

    def test_when_every_source_is_disabled_that_is_said(self):
        self.configure([self.source("off", "good", enabled=False)])
        self.expect(0, "run", "--once", err="gatherd: every source is disabled: nothing was polled\n")

    def test_what_was_polled_is_kept_when_the_table_cannot_be_printed(self):
        self.configure([self.source("good")])
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([harness.GATHERD, "run", "--once"], cwd=self.folder, stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 74)
        self.assertEqual(result.stderr, "gatherd: standard output: No space left on device\n")
        self.expect(0, "query", "-f", "csv", "SELECT count(*) AS n FROM good", out="n\n2\n")

    def test_on_a_terminal_the_progress_is_gone_before_the_table(self):
        self.configure([self.source("good")])
        status, text = self.on_terminal("run", "--once")
        self.assertEqual(status, 0)
        self.assertEqual(text.rsplit("\x1b[K", 1)[-1].splitlines()[0],
                         "source  outcome  status  records  inserted  updated  unchanged  ms")

    def test_a_signal_ends_it_with_the_table_of_what_was_done(self):
        with harness.socket.create_server(("127.0.0.1", 0)) as silent:
            self.configure([self.source("good"), {
                "name": "slow", "url": f"http://127.0.0.1:{silent.getsockname()[1]}/"}],
                shutdown_timeout="100ms")
            process = subprocess.Popen([harness.GATHERD, "run", "--once"], cwd=self.folder, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            database = self.folder / "gatherd.db"

            def polled():
                if not database.exists():
                    return False
                result = self.gatherd("query", "-f", "csv", "SELECT count(*) AS n FROM good")
                return result.stdout == "n\n2\n"

            harness.wait_until(polled, what="the good source")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(out, r"(?m)^good +success")
        self.assertRegex(err, r"gatherd: stopped by SIGTERM after \d of 2 sources\n")


class QueryCase(CommandCase):
    """A database that `run --once` made, with a table of everything SQLite can hold put into it."""

    VALUES = [
        (1, None, "", b"", "empty"),
        (2**63 - 1, 0.1, "plain", b"\x00\x7f\xff", "text"),
        (-2**63, -1e300, "comma, \"quote\"\r\nline", b"abc", "quoting"),
        (0, 5.0, "日本語 é 😀", b"\xf0", "unicode"),
        (7, 1e22, "a\0b", b"1", "NUL"),
        (8, 5e-324, "\x1b[31mred\x07\t\u202eabc\u202c\x7f\x85", b"2", "control"),
        (9, 1.7976931348623157e308, "null", b"3", "words"),
        (10, 0.30000000000000004, "1", b"4", "digits"),
        (11, float("inf"), " padded ", b"5", "infinite"),
    ]
    NAMES = ["n", "r", "t", "b", "a, \"name\""]
    SQL = "SELECT * FROM kinds ORDER BY rowid"

    def setUp(self):
        super().setUp()
        self.configure([{"name": "nothing", "url": "http://127.0.0.1:1/", "timeout": "1s",
                         "enabled": False}])
        self.expect(0, "run", "--once")
        self.database = self.folder / "gatherd.db"
        with sqlite3.connect(self.database) as connection:
            connection.execute('CREATE TABLE kinds (n ANY, r ANY, t ANY, b ANY, "a, ""name""" ANY) STRICT')
            connection.executemany("INSERT INTO kinds VALUES (?, ?, ?, ?, ?)", self.VALUES)
        connection.close()

    def query(self, sql, *more, status=0):
        result = subprocess.run([harness.GATHERD, "query", sql, *more], cwd=self.folder, timeout=60,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout


class Formats(QueryCase):
    def test_json_holds_every_value_and_blobs_in_hex(self):
        wanted = [dict(zip(self.NAMES, row)) for row in self.VALUES]
        for row in wanted:
            row["b"] = row["b"].hex().upper()
            row["r"] = None if row["r"] == float("inf") else row["r"]  # JSON has no such number
        found = json.loads(self.query(self.SQL, "-f", "json"))
        self.assertEqual(found, wanted)
        self.assertEqual([{k: type(v) for k, v in row.items()} for row in found],
                         [{k: type(v) for k, v in row.items()} for row in wanted])
        self.assertEqual(self.query("SELECT 1 AS a WHERE 0", "-f", "json"), b"[]\n")
        self.assertEqual(self.query("SELECT CAST(x'61ff62' AS TEXT) AS a", "-f", "ndjson").decode(),
                         '{"a":"a\ufffdb"}\n')

    def test_ndjson_is_one_object_a_line(self):
        lines = self.query(self.SQL, "--format", "ndjson").decode().split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual([json.loads(line) for line in lines],
                         json.loads(self.query(self.SQL, "-f", "json")))
        self.assertEqual(self.query("SELECT 1 AS a WHERE 0", "-f", "ndjson"), b"")

    def test_csv_reads_back_as_the_same_text(self):
        text = self.query(self.SQL, "-f", "csv").decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        self.assertEqual(header, self.NAMES)
        self.assertEqual(len(rows), len(self.VALUES))
        for wanted, found in zip(self.VALUES, rows):
            n, r, t, b, name = found
            self.assertEqual((int(n), t, b, name),
                             (wanted[0], wanted[2], f"X'{wanted[3].hex().upper()}'", wanted[4]))
            self.assertEqual(float(r) if r else None, wanted[1])
        self.assertIn("1,,\"\",X'',empty\r\n", text)  # NULL is nothing, the empty string is quoted
        self.assertEqual(self.query("SELECT 1 AS a WHERE 0", "-f", "csv"), b"a\r\n")

    def test_a_table_shows_nothing_that_could_move_the_cursor(self):
        text = self.query(self.SQL).decode()
        self.assertEqual(len(text.splitlines()), 2 + len(self.VALUES))
        self.assertNotRegex(text.replace("\n", ""), "[\x00-\x1f\x7f-\x9f\u202a-\u202e]")
        for shown in ('comma, "quote"\\x0d\\nline', "a\\x00b", "\\x1b[31mred\\x07\\t\\u202eabc\\u202c",
                      "\\x7f\\x85", "X'007FFF'", "日本語 é 😀", "9223372036854775807", "0.1", "5.0", "1e+22"):
            self.assertIn(shown, text)
        self.assertEqual(self.query("SELECT 1 AS a WHERE 0"), b"a\n-\n")

    def test_several_statements_each_have_their_own_names(self):
        sql = "SELECT 1 AS a; -- a comment\n;SELECT 'x' AS b, 2 AS c;  "
        self.assertEqual(self.query(sql), b"a\n-\n1\n\nb  c\n-  -\nx  2\n")
        self.assertEqual(self.query(sql, "-f", "csv"), b"a\r\n1\r\n\r\nb,c\r\nx,2\r\n")
        self.assertEqual(self.query(sql, "-f", "ndjson"), b'{"a":1}\n{"b":"x","c":2}\n')
        self.assertEqual(self.query(sql, "-f", "json"), b'[{"a":1}]\n[{"b":"x","c":2}]\n')

    def test_values_agree_with_pythons_reading_for_every_internal_table(self):
        with sqlite3.connect(self.database) as connection:
            names = [n for n, in connection.execute(
                "SELECT name FROM sqlite_schema WHERE name LIKE '\\_gatherd%' ESCAPE '\\'"
                " AND type = 'table'")]
            self.assertEqual(len(names), 11)
            for name in names:
                cursor = connection.execute(f"SELECT * FROM {name}")
                columns = [c[0] for c in cursor.description]
                self.assertEqual(json.loads(self.query(f"SELECT * FROM {name}", "-f", "json")),
                                 [dict(zip(columns, row)) for row in cursor])
        connection.close()

    def test_many_rows_and_long_values_come_whole(self):
        sql = ("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
               " SELECT i, hex(zeroblob(i % 300)) AS h FROM c")
        rows = [json.loads(line) for line in self.query(sql, "-f", "ndjson").splitlines()]
        self.assertEqual(rows, [{"i": i, "h": "00" * (i % 300)} for i in range(1, 20001)])
        lines = self.query(sql).decode().splitlines()
        self.assertEqual([line.split() for line in lines[2:]],
                         [[str(i)] + ["00" * (i % 300)] * (i % 300 > 0) for i in range(1, 20001)])
        big = self.query("SELECT hex(zeroblob(8000000)) AS h", "-f", "csv")
        self.assertEqual(big, b"h\r\n" + b"0" * 16000000 + b"\r\n")


class Terminal(QueryCase):
    def test_a_table_that_fits_is_shown_as_elsewhere(self):
        sql = "SELECT n, t FROM kinds WHERE n IN (0, 9)"
        status, text = self.on_terminal("query", sql, columns=40)
        self.assertEqual((status, text), (0, self.query(sql).decode()))

    def test_no_line_is_wider_than_the_terminal(self):
        sql = "SELECT n, t || t || t || t AS long, b FROM kinds WHERE n IN (0, 7, 8)"
        for columns in (42, 50, 60):
            with self.subTest(columns):
                status, text = self.on_terminal("query", sql, columns=columns)
                *lines, note = text.splitlines()
                self.assertEqual((status, note), (0, CUT))
                self.assertEqual(len(lines), 5)
                self.assertTrue(any("…" in line for line in lines))
                for line in lines:
                    wide = sum(0x3000 <= ord(c) <= 0x9fff or ord(c) >= 0x1f600 for c in line)
                    self.assertLessEqual(len(line) + wide, columns, line)

    def test_what_cannot_stand_side_by_side_is_a_line_a_column(self):
        status, text = self.on_terminal(
            "query", "SELECT n AS \"a long name of a column\", t AS other, 'x' AS third, r"
            " FROM kinds WHERE n IN (9, 10)", columns=30)
        self.assertEqual((status, text), (0,
            "-- 1 --\n"
            "a long name of a column  9\n"
            "other                    null\n"
            "third                    x\n"
            "r                        1.7976931348623157e+308\n"
            "\n"
            "-- 2 --\n"
            "a long name of a column  10\n"
            "other                    1\n"
            "third                    x\n"
            "r                        0.30000000000000004\n"))

    def test_a_pipe_gets_everything_whatever_its_width(self):
        text = self.query("SELECT hex(zeroblob(500)) AS h, 1 AS n").decode()
        self.assertIn("0" * 1000 + "  1\n", text)
        self.assertNotIn("…", text)


class Errors(QueryCase):
    READ_ONLY = ("gatherd: query: only statements that read are possible here; open the database with"
                 " sqlite3 to change it\n")

    def test_bad_sql_is_explained_by_sqlite_and_the_status_is_1(self):
        for sql, message in (("SELECT * FROM nope", "no such table: nope"),
                             ("SELEC 1", 'near "SELEC": syntax error'),
                             ("SELECT (", "incomplete input"),
                             ("SELECT nope FROM kinds", "no such column: nope"),
                             ("SELECT abs(-9223372036854775808)", "integer overflow")):
            self.expect(1, "query", sql, err=f"gatherd: query: {message}\n")

    def test_what_came_before_an_error_is_shown(self):
        for form, shown in (("table", "a\n-\n1\n"), ("csv", "a\n1\n"), ("ndjson", '{"a":1}\n'),
                            ("json", '[{"a":1}\n')):  # left open: no reader takes it for whole
            self.expect(1, "query", "-f", form, "SELECT 1 AS a; SELECT nope", out=shown,
                        err="gatherd: query: no such column: nope\n")
            self.expect(1, "query", "-f", form, out=shown, err="gatherd: query: integer overflow\n",
                        *["SELECT abs(v) AS a FROM (SELECT 1 AS v UNION ALL"
                          " SELECT -9223372036854775808)"])

    def test_every_attempt_to_write_is_refused(self):
        before = self.query(self.SQL)
        for sql in ("DELETE FROM kinds", "INSERT INTO kinds (n) VALUES (1)", "UPDATE kinds SET n = 1",
                    "DROP TABLE kinds", "CREATE TABLE x (a)", "CREATE TEMP TABLE x (a)", "VACUUM",
                    "PRAGMA user_version = 9", "PRAGMA journal_mode = DELETE", "REINDEX",
                    "WITH x AS (SELECT 1) DELETE FROM kinds", "BEGIN IMMEDIATE; SELECT 1",
                    "ALTER TABLE kinds RENAME TO x", "SELECT 1 AS a; DELETE FROM kinds"):
            with self.subTest(sql):
                self.expect(1, "query", sql, err=re.compile("^gatherd: query: "))
        self.expect(1, "query", "DELETE FROM kinds", err=self.READ_ONLY)
        self.expect(1, "query", "ATTACH 'other.db' AS other", err="gatherd: query: other files cannot be"
                    " attached here; open the database with sqlite3 for that\n")
        self.expect(1, "query", "VACUUM INTO 'copy.db'")
        self.assertFalse((self.folder / "other.db").exists() or (self.folder / "copy.db").exists())
        self.assertEqual(self.query(self.SQL), before)

    def test_a_database_that_is_none_is_said_in_plain_words(self):
        (self.folder / "text.db").write_text("this is no database\n" * 100)
        (self.folder / "short.db").write_text("x")
        with sqlite3.connect(self.folder / "foreign.db") as connection:
            connection.execute("CREATE TABLE t (a)")
        connection.close()
        for path, message in (
                ("none.db", "none.db is not there; `gatherd run` makes it when it starts for the first"
                 " time"),
                ("none/none.db", "none/none.db is not there; `gatherd run` makes it when it starts for"
                 " the first time"),
                (".", ". is a folder, not a database file"),
                ("/dev/null", "/dev/null is no ordinary file, not a database file"),
                ("text.db", "text.db is not a SQLite database"),
                ("short.db", "short.db is not a gatherd database"),
                ("foreign.db", "foreign.db is not a gatherd database")):
            with self.subTest(path):
                self.expect(69, "query", "-d", path, "SELECT 1", out="", err=f"gatherd: {message}\n")
        self.assertFalse((self.folder / "none.db").exists())

    def test_output_that_cannot_be_written_is_74_and_said(self):
        many = "SELECT a.* FROM kinds a, kinds b, kinds c, kinds d"
        for sql in ("SELECT 1", many):
            for form in ("table", "csv", "json", "ndjson"):
                with self.subTest(sql=sql, form=form), open("/dev/full", "wb") as full:
                    result = subprocess.run([harness.GATHERD, "query", sql, "-f", form], timeout=60,
                                            cwd=self.folder, stdout=full, stderr=subprocess.PIPE,
                                            check=False)
                    self.assertEqual(result.returncode, 74)
                    self.assertEqual(result.stderr,
                                     b"gatherd: standard output: No space left on device\n")
        for words in (["version"], ["--help"], ["check", "--schema"]):
            with self.subTest(words), open("/dev/full", "wb") as full:
                result = subprocess.run([harness.GATHERD, *words], stdout=full, timeout=60,
                                        stderr=subprocess.PIPE, check=False)
                self.assertEqual(result.returncode, 74)
                self.assertEqual(result.stderr, b"gatherd: standard output: No space left on device\n")

    def test_a_reader_that_leaves_early_ends_the_query_without_a_word(self):
        many = "SELECT a.* FROM kinds a, kinds b, kinds c, kinds d, kinds e, kinds f, kinds g"
        for form in ("table", "csv", "json", "ndjson"):
            with self.subTest(form):
                process = subprocess.Popen([harness.GATHERD, "query", many, "-f", form],
                                           cwd=self.folder, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE)
                process.stdout.read(100)
                process.stdout.close()
                self.assertEqual(process.stderr.read(), b"")
                process.stderr.close()
                self.assertEqual(process.wait(60), 74)


@harness.needs_command("nginx")
class Beside(CommandCase):
    """Queries beside a running daemon, and by people who may only read."""

    def setUp(self):
        super().setUp()
        root = self.folder / "served"
        root.mkdir()
        (root / "rows.json").write_text(json.dumps([{"id": i, "v": "x" * 100} for i in range(200)]))
        self.config = {"sources": [{"name": "rows", "url": f"{self.nginx(root)}/rows.json",
                                    "interval": "100ms", "conditional": False}]}
        self.folder.chmod(0o755)

    def nobody(self, *words):
        """Runs words as a user without any right; the binary is copied to where all can reach it."""
        binary = self.folder / "gatherd"
        if not binary.exists():
            shutil.copy(harness.GATHERD, binary)
            binary.chmod(0o755)
        words = [binary if w == "gatherd" else w for w in words]
        return subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *map(str, words)],
            cwd="/", capture_output=True, text=True, timeout=60, check=False)

    def test_a_query_beside_the_daemon_sees_whole_polls_and_never_waits(self):
        daemon = self.daemon(self.config)
        daemon.wait_for_sql("SELECT count(*) FROM rows")
        counts = []
        for _ in range(30):
            result = self.expect(0, "query", "-d", daemon.database, "-f", "csv", err="",
                                 *["SELECT count(*) AS n FROM rows; SELECT count(*) FROM _gatherd_runs"])
            counts.append([int(n) for n in re.findall(r"(?m)^\d+", result.stdout)])
        self.assertTrue(all(rows % 200 == 0 for rows, _ in counts), counts)
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(daemon.stop(), 0)

    def test_a_query_left_open_does_not_keep_the_daemon_from_committing(self):
        daemon = self.daemon(self.config)
        daemon.wait_for_sql("SELECT count(*) FROM rows")
        endless = ("WITH RECURSIVE c(i) AS (SELECT (SELECT count(*) FROM rows) UNION ALL"
                   " SELECT i + 1 FROM c) SELECT i FROM c")
        process = subprocess.Popen([harness.GATHERD, "query", endless, "-d", str(daemon.database),
                                    "-f", "csv"], stdout=subprocess.PIPE)
        process.stdout.read(10)
        before = daemon.value("SELECT count(*) FROM _gatherd_runs")
        daemon.wait_for_sql(f"SELECT count(*) > {before + 3} FROM _gatherd_runs")
        process.stdout.close()
        self.assertEqual(process.wait(60), 74)
        self.assertEqual(daemon.stop(), 0)

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    @harness.needs_command("setpriv")
    def test_another_user_reads_while_the_daemon_is_up_down_and_after_it_was_killed(self):
        daemon = self.daemon(self.config)
        daemon.folder.chmod(0o755)
        sql = "SELECT count(*) AS n FROM rows"
        script = ("import sqlite3, sys; print(sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True)"
                  ".execute('SELECT count(*) FROM rows').fetchone()[0])")

        def read(when):
            with self.subTest(when):
                result = self.nobody("gatherd", "query", "-d", daemon.database, "-f", "csv", sql)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                plain = self.nobody(harness.PYTHON, "-c", script, daemon.database)
                self.assertEqual((plain.returncode, plain.stderr), (0, ""))
                return int(result.stdout.split()[1])

        daemon.wait_for_sql("SELECT count(*) > 400 FROM rows")
        self.assertGreater(read("up"), 400)
        self.assertEqual(daemon.stop(), 0)
        rows = daemon.value("SELECT count(*) FROM rows")
        self.assertEqual(read("down"), rows)
        daemon.start()
        daemon.wait_for_sql(f"SELECT count(*) > {rows + 400} FROM rows")
        self.assertGreater(read("up again"), rows)
        daemon.kill()
        rows = read("killed")
        self.assertEqual(rows % 200, 0)
        self.assertEqual(daemon.value("SELECT count(*) FROM rows"), rows)
        self.assertEqual(read("killed, after its owner has read"), rows)

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    @harness.needs_command("setpriv")
    def test_a_database_that_may_not_be_read_is_77(self):
        daemon = self.run_once(self.config)
        daemon.folder.chmod(0o755)
        daemon.database.chmod(0o600)
        result = self.nobody("gatherd", "query", "-d", daemon.database, "SELECT 1")
        self.assertEqual(result.returncode, 77, result.stderr)
        self.assertIn(f"gatherd: {daemon.database}: ", result.stderr)
        self.assertIn("Permission denied", result.stderr)


class Descriptors(CommandCase):
    def test_standard_files_that_are_closed_are_not_taken_for_others(self):
        path = self.configure([{"name": "a", "url": "http://127.0.0.1:1/", "interval": "1s"}])
        for closed in ("2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                script = f'"{harness.GATHERD}" run -v -c "{path}" {closed} & echo $!; exec <&- >&-; wait'
                process = subprocess.Popen(["bash", "-c", script], cwd=self.folder, text=True,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                pid = int(process.stdout.readline())
                self.addCleanup(lambda p=process, pid=pid: p.poll() is None and os.kill(pid, 9))
                lock = self.folder / "gatherd.db-lock"
                harness.wait_until(lambda: lock.exists() and lock.read_text() == f"{pid}\n",
                                   what="the lock")
                database = self.folder / "gatherd.db"
                harness.wait_until(lambda: self.gatherd(
                    "query", "-f", "csv", "SELECT count(*) > 0 AS n FROM _gatherd_runs",
                    "-d", database).stdout == "n\n1\n", what="a run")
                targets = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)]
                self.assertFalse([t for t in targets if "gatherd" in t or "socket" in t], targets)
                os.kill(pid, signal.SIGTERM)
                process.wait(60)
                process.stdout.close()
                self.assertEqual(lock.read_text(), f"{pid}\n")
                for file in self.folder.glob("gatherd.db*"):
                    file.unlink()


if __name__ == "__main__":
    harness.main()
