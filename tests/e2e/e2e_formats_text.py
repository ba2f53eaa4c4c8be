"""Separated values, character sets, packed bodies and several documents in one, from servers to
cells that are those of Python's own readers."""
import contextlib
import csv
import gzip
import io
import json
import random
import sqlite3
import zipfile

import harness

# The recorded tables, each by the table it becomes: path and rows.
TABLES = {"weather": ("csv/seattle-weather.csv", 1461), "birds": ("csv/birdstrikes.csv", 10000),
          "kev": ("cisa-kev/latest.csv", 1404), "named": ("csv/co2-mm-mlo.csv", 820)}


def python_rows(text, **dialect):
    """Header and rows of a table as Python reads them."""
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), **dialect) if row]
    return rows[0], rows[1:]


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class FormatsTest(harness.TestCase):
    def sources(self, answers):
        """A server for answers {name: (content type, body, keys...)} and the sources that poll it."""
        url = self.python_server(lambda handler: self.answer(answers, handler.path))
        config = {"database": "gatherd.db", "defaults": {"retry": {"max_attempts": 1}},
                  "hosts": {"max_concurrent": 8}, "sources": []}
        for name, (_, _, keys) in answers.items():
            config["sources"].append({"name": name, "url": f"{url}/{name}", **keys})
        return config

    @staticmethod
    def answer(answers, path):
        content_type, body, _ = answers[path.split("/")[1].split(".")[0]]
        return 200, {"Content-Type": content_type} if content_type else {}, body

    def cells(self, daemon, table):
        """What a table holds, without the columns of gatherd's own."""
        rows = daemon.sql(f"SELECT * FROM {table} ORDER BY rowid")
        return [list(row[:-2]) for row in rows]

    def runs(self, daemon):
        """By source: outcome, failure, records, rejected, error."""
        rows = daemon.sql("SELECT s.name, outcome, failure, records, rejected, error FROM _gatherd_runs r"
                          " JOIN _gatherd_sources s ON s.id = r.source_id")
        return {row[0]: row[1:] for row in rows}

    @harness.needs_data
    def test_recorded_tables_are_stored_cell_by_cell(self):
        url = self.nginx(harness.DATA)
        names = ["month", "decimal", "average", "seasonless", "days", "deviation", "uncertainty"]
        co2 = f"{url}/csv/co2-mm-mlo.csv"
        daemon = self.run_once({"sources": [
            {"name": "weather", "url": f"{url}/csv/seattle-weather.csv", "primary_key": "date"},
            {"name": "typed", "url": f"{url}/csv/seattle-weather.csv", "primary_key": "date",
             "fields": {"date": "$.date", "rain": {"path": "$.precipitation", "type": "real"}}},
            {"name": "birds", "url": f"{url}/csv/birdstrikes.csv"},
            {"name": "kev", "url": f"{url}/cisa-kev/latest.csv", "primary_key": "cveID"},
            {"name": "named", "url": co2, "csv": {"header_row": 1, "names": names}},
            {"name": "measured", "url": co2, "csv": {"header_row": 1, "names": names}, "null_values": ["-9.99", "-01"],
             "fields": {"month": "$.month", "average": {"path": "$.average", "type": "real"},
                        "days": {"path": "$.days", "type": "integer"}, "deviation": "$.deviation"}},
            {"name": "ragged", "url": co2}]}, status=1)
        runs = self.runs(daemon)
        for table, (path, count) in TABLES.items():
            text = (harness.DATA / path).read_text(encoding="utf-8")
            self.assertEqual(self.cells(daemon, table), python_rows(text)[1], path)
            self.assertEqual((runs[table][2], daemon.value(f"SELECT count(*) FROM {table}")), (count, count), path)
        text = (harness.DATA / "csv/co2-mm-mlo.csv").read_text()
        rows = [[None if cell in ("-9.99", "-01") else cell for cell in row] for row in python_rows(text)[1]]
        self.assertEqual(self.cells(daemon, "measured"),
                         [[row[0], row[2] and float(row[2]), row[4] and int(row[4]), row[5]] for row in rows])
        text = (harness.DATA / "csv/seattle-weather.csv").read_text()
        self.assertEqual(self.cells(daemon, "typed"), [[row[0], float(row[1])] for row in python_rows(text)[1]])

        # Without names each row of 7 under a header of 6 is explained, and kept as it came.
        self.assertEqual(runs["ragged"][:4], ("partial", None, 820, 820))
        letters = daemon.sql("SELECT line, reason, content_type, content FROM _gatherd_dead_letters ORDER BY line")
        lines = (harness.DATA / "csv/co2-mm-mlo.csv").read_text().splitlines()
        self.assertEqual([letter[0] for letter in letters], list(range(2, 822)))
        self.assertEqual([letter[3] for letter in letters], [f"{lines[0]}\n{line}" for line in lines[1:]])
        self.assertEqual({letter[1:3] for letter in letters},
                         {("the row has 7 cells where the header has 6; where that is so of all rows, name the "
                           "columns with csv: {names: [...], header_row: 1}",
                           "text/csv; charset=utf-8; header=present")})

    @harness.needs_data
    def test_the_example_of_csv_reads_files_as_those_servers_send_them(self):
        co2 = (b"# --------\n# USE OF NOAA GML DATA, \"as is\"\n#\nyear,month,decimal date,average,deseasonalized,ndays,sdev,unc\n"
               b"1958,3,1958.2027,315.71,314.44,-1,-9.99,-0.99\n2024,12,2024.9583,425.40,425.72,22,0.56,0.23\n")
        kev = (harness.DATA / "cisa-kev/latest.csv").read_bytes()
        url = self.python_server(lambda handler: (
            200, {"Content-Type": "text/plain" if "co2" in handler.path else "text/csv"},
            co2 if "co2" in handler.path else kev))
        example = (harness.ROOT / "config/examples/csv.yaml").read_text()
        daemon = self.run_once(example, env={"CISA": url, "NOAA": url})
        self.assertEqual(self.cells(daemon, "exploited"), python_rows(kev.decode())[1])
        self.assertEqual(self.cells(daemon, "carbon_dioxide"),
                         [[1958, 3, 315.71, None, None], [2024, 12, 425.4, 22, 0.23]])

    def test_tables_and_texts_of_all_kinds_become_what_python_reads(self):
        choice = random.Random(7)
        pieces = ["", "a", "007", "1,5", "say \"hi\"", "\"", "two\nlines", "two\r\nlines", "tab\there", " x ", "\u00e9\u20ac",
                  "long " * 50, "'", ";", "#x"]
        header = ["one", "two", "three", "four"]
        table = [header] + [[choice.choice(pieces) for _ in header] for _ in range(500)]
        for row in table[1:]:
            row[0] = row[0] or "0"  # a row that is empty throughout is none
        dialects = {"commas": {}, "semicolons": {"delimiter": ";"}, "tabs": {"delimiter": "\t"},
                    "pipes": {"delimiter": "|", "quotechar": "'", "lineterminator": "\n"},
                    "all_quoted": {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"}}
        keys = {"semicolons": {"delimiter": ";"}, "pipes": {"delimiter": "|", "quote": "'"}}
        answers = {}
        for name, dialect in dialects.items():
            text = io.StringIO()
            csv.writer(text, **dialect).writerows(table)
            format_keys = {"format": "tsv" if name == "tabs" else "csv"}
            if name in keys:
                format_keys["csv"] = keys[name]
            answers[name] = ("text/plain", text.getvalue().encode(), format_keys)

        words = {"utf_8_sig": "\u00e9\u20ac\U0001f600", "utf_16": "\u00e9\u20ac\U0001f600", "utf_32": "\u00e9\u20ac",
                 "cp1252": "\u00e9\u20ac\u201c", "iso8859_1": "\u00e9\u0080", "iso8859_15": "\u00e9\u20ac",
                 "shift_jis": "\u5c71\u306e", "koi8_r": "\u043c\u0438\u0440", "gb18030": "\u674e\u20ac", "big5": "\u5c71",
                 "euc_kr": "\uac00", "utf_16_be": "\u00e9"}
        marked = ("utf_8_sig", "utf_16", "utf_32")
        for name, word in words.items():
            body = f"a,b\r\n{word},\"{word}\n{word}\"\r\n".encode(name)
            declared = "" if name in marked else "; charset=" + name.replace("_", "-")
            answers[name] = ("text/csv" + declared, body, {})
        answers["configured"] = ("text/csv; charset=utf-8", "a\n\u00e9\n".encode("cp1252"), {"encoding": "windows-1252"})
        answers["declared_wrongly"] = ("text/csv; charset=iso-8859-1", "a\n\u00e9\n".encode(), {})
        answers["json_latin"] = ("application/json; charset=iso-8859-1", '[{"a":"\u00e9"}]'.encode("latin-1"), {})

        rows = [{"id": i, "text": "x" * i} for i in range(200)]
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        packed = gzip.compress(lines[:1000]) + gzip.compress(lines[1000:])
        answers["gzip_lines"] = ("application/gzip", packed, {"format": "ndjson"})
        answers["gzip_json"] = ("application/json", gzip.compress(json.dumps(rows).encode()), {})
        answers["zip_lines"] = ("application/zip", zipped({"x/": "", "x/data.ndjson": lines}), {})
        answers["zip_chosen"] = ("application/octet-stream",
                                 zipped({"readme.txt": "no", "data-2024.csv": "a,b\n1,2\n"}), {"archive_member": "*.csv"})
        answers["sequence"] = ("application/json-seq", b"".join(b"\x1e" + json.dumps(row, indent=1).encode() + b"\n" for row in rows), {})
        answers["glued"] = ("text/plain", b"".join(json.dumps(row).encode() for row in rows), {"format": "ndjson"})
        answers["lines_as_json"] = ("application/json", lines, {})
        config = self.sources(answers)
        for source in config["sources"]:  # by the ending of the URL
            if source["name"] == "gzip_lines":
                source["url"] += ".ndjson.gz"
                del source["format"]
        daemon = self.run_once(config)

        for name in dialects:
            self.assertEqual(self.cells(daemon, name), table[1:], name)
        for name, word in words.items():
            self.assertEqual(self.cells(daemon, name), [[word, f"{word}\n{word}"]], name)
        for name in ("configured", "declared_wrongly", "json_latin"):
            self.assertEqual(self.cells(daemon, name), [["\u00e9"]], name)
        wanted = [[row["id"], row["text"]] for row in rows]
        for name in ("gzip_lines", "gzip_json", "zip_lines", "sequence", "glued", "lines_as_json"):
            self.assertEqual(self.cells(daemon, name), wanted, name)
        self.assertEqual(self.cells(daemon, "zip_chosen"), [["1", "2"]])

    # Bombs, sizes and bodies cut off as files are in e2e_hostile.py.
    def test_what_is_wrong_has_a_clear_outcome_and_the_rest_is_stored(self):
        wide = ",".join(f"c{i}" for i in range(2500))
        many = ",".join(str(i) for i in range(2500))
        answers = {
            "ragged": ("text/csv", b"a,b\n1,2\n3\n4,5,6\n7,\"8\"9\n10,11\n", {}),
            "cut_quote": ("text/csv", b"a,b\n1,2\n3,\"four\n5,6\n", {}),
            "cut_zip": ("text/csv", zipped({"a.csv": "a\n1\n"})[:-10], {}),
            "cut_sequence": ("application/json-seq", b"\x1e{\"a\":1}\n\x1e{\"a\":", {}),
            "cut_utf16": ("text/csv", "a,b\n1,2\n".encode("utf-16")[:-1], {}),
            "wrong_bytes": ("text/csv", "a,b\n1,caf\u00e9\n".encode("latin-1"), {}),
            "wrong_charset": ("text/csv; charset=windows-1252", b"a,b\n1,\x81\n", {}),
            "unknown_charset": ("text/csv; charset=x-unheard-of", b"a,b\n1,2\n", {}),
            "two_files": ("application/zip", zipped({"a.csv": "a\n1\n", "b.csv": "a\n2\n"}), {}),
            "delimiter": ("text/csv", b"a;b\n1;2\n", {}),
            "error_page": ("text/csv", b"<!DOCTYPE html><p>Sorry", {}),
            "error_json": ("text/csv", b'{"error": "sorry"}', {}),
            "too_wide": ("text/csv", f"{wide}\n{many}\n".encode(), {}),
            "wide_chosen": ("text/csv", f"{wide}\n{many}\n".encode(), {"fields": {"last": "$.c2499"}}),
            "good": ("text/csv", b"a,b\n1,2\n", {}),
        }
        daemon = self.run_once(self.sources(answers), status=1)
        runs = self.runs(daemon)
        set_encoding = "; set encoding to what it is in"
        errors = {
            "cut_quote": ("decode", "the body is not CSV: line 3: the quote that begins this cell is not closed before "
                          "the end of the body, which may be cut off; if quotes mean nothing, set csv: {quote: \"\"}"),
            "cut_zip": ("decode", None),
            "cut_sequence": ("decode", "the body is not JSON: line 2, column 7: the body ends inside an object"),
            "cut_utf16": ("decode", "the body ends inside a character of UTF-16LE (line 2); it was cut off, or encoding "
                          "should say what it is in"),
            "wrong_bytes": ("decode", "the body is not CSV in UTF-8: line 2, column 6: byte 0xe9 (byte 9 of the body)"
                            + set_encoding + ", as in encoding: windows-1252"),
            "wrong_charset": ("decode", "byte 6 of the body (line 2) is 0x81, which CP1252 does not have there" + set_encoding),
            "unknown_charset": ("decode", "the body is in the character set x-unheard-of by its Content-Type, which is not "
                                "known here" + set_encoding + ", as in encoding: utf-8"),
            "two_files": ("decode", "the body is a zip archive of which 2 files could be meant: a.csv, b.csv; name one with "
                          "archive_member"),
            "delimiter": ("decode", "the body is not CSV: line 1: the header is one cell that holds ';'; set csv: "
                          "{delimiter: \";\"}"),
            "error_page": ("decode", "the body is an HTML page, not CSV; check url and headers: it may be a login, an error "
                           "page or a web site"),
            "error_json": ("decode", "the body is JSON, not CSV; check url and headers (Accept), or set format: json"),
        }
        for name, (failure, error) in errors.items():
            self.assertEqual(runs[name][:2], ("failed", failure), name)
            if error is not None:
                self.assertEqual(runs[name][4], error, name)
            body = daemon.value("SELECT content FROM _gatherd_dead_letters WHERE source = ? AND kind = 'body'", (name,))
            self.assertEqual(body if isinstance(body, bytes) else body.encode(), answers[name][1], name)

        self.assertEqual(runs["ragged"][:4], ("partial", None, 5, 3))
        self.assertEqual(self.cells(daemon, "ragged"), [["1", "2"], ["10", "11"]])
        self.assertEqual(daemon.sql("SELECT position, line, content FROM _gatherd_dead_letters WHERE source = 'ragged'"
                                    " ORDER BY line"),
                         [(1, 3, "a,b\n3"), (2, 4, "a,b\n4,5,6"), (3, 5, "a,b\n7,\"8\"9")])
        self.assertEqual(runs["too_wide"][:4], ("partial", None, 1, 1))
        self.assertEqual(self.cells(daemon, "wide_chosen"), [["2499"]])
        self.assertEqual(runs["good"][:1] + runs["good"][2:3], ("success", 1))
        with contextlib.closing(sqlite3.connect(daemon.database)) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])


if __name__ == "__main__":
    harness.main()
