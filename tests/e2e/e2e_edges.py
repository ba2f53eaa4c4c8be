"""e2e_edges.py - bodies at the edge of what JSON allows, each with the exact cells it becomes.

nginx serves a body from a folder of the test, the real binary polls it, and the database is asked:
values, typeof(), the declared types of the columns, and what _gatherd_schema_changes says of them.
"""
import contextlib
import gzip
import json
import sqlite3

import harness


@harness.needs_command("nginx")
class EdgeCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "served"
        self.root.mkdir()
        self.base = self.nginx(self.root, extra_server="""
            location /html { default_type text/html; types {} }
            location /plain { default_type text/plain; types {} }
            location /latin { default_type 'application/json; charset=iso-8859-1'; types {} }
            location /packed { gzip off; add_header Content-Encoding gzip; types {}
                               default_type application/json; }""")

    def poll(self, body, daemon=None, status=0, file="data.json", **source):
        """Serves the body and polls it once; with `daemon` into the same database again."""
        (self.root / file).write_bytes(body if isinstance(body, bytes) else body.encode())
        config = {"sources": [{"name": "data", "url": f"{self.base}/{file}", **source}]}
        daemon = daemon or self.daemon(config, start=False)
        daemon.write_config(config)
        result = self.gatherd("run", "--once", "-c", daemon.config_path)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        daemon.output = result.stdout
        return daemon

    def rows(self, daemon, *columns):
        quoted = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
        return daemon.sql(f"SELECT {quoted} FROM data ORDER BY rowid")

    def types(self, daemon, column):
        return [kind for kind, in daemon.sql(f'SELECT typeof("{column}") FROM data ORDER BY rowid')]

    def schema(self, daemon):
        """Name and declared type of each column but gatherd's own two, which are checked here."""
        columns = daemon.sql("SELECT name, type FROM pragma_table_xinfo('data')")
        own = [("_run_id", "INTEGER"), ("_fetched_at", "TEXT")]
        self.assertEqual([c for c in columns if c in own], own)
        return [c for c in columns if c not in own]

    def changes(self, daemon):
        """What was logged after the table was made: (column, change, before, after)."""
        rows = daemon.sql("SELECT column_name, change, old_value, new_value, table_name, run_id"
                          " FROM _gatherd_schema_changes ORDER BY id")
        self.assertEqual([row[:3] + row[4:] for row in rows[:1]],
                         [(None, "create_table", None, "data", 1)])
        self.assertTrue(all(row[4] == "data" for row in rows))
        return [row[:4] for row in rows[1:]]

    def failure(self, daemon):
        """(failure, error) of the only run; its body is in the dead letters with the same reason."""
        [(outcome, failure, error)] = daemon.sql("SELECT outcome, failure, error FROM _gatherd_runs")
        self.assertEqual(outcome, "failed")
        [(kind, reason, content)] = daemon.sql(
            "SELECT kind, reason, CAST(content AS BLOB) FROM _gatherd_dead_letters")
        self.assertEqual((kind, reason), ("body", error))
        self.assertEqual(content, (self.root / "data.json").read_bytes())
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name = 'data'"), [])
        return failure, error


class Widening(EdgeCase):
    def test_0_and_then_half_widen_the_column_and_both_stay_as_they_came(self):
        daemon = self.poll('[{"v": 0}]')
        self.assertEqual(self.schema(daemon), [("v", "INTEGER")])
        self.poll('[{"v": 0.5}]', daemon)
        self.assertEqual(self.rows(daemon, "v"), [(0,), (0.5,)])
        self.assertEqual(self.types(daemon, "v"), ["integer", "real"])
        self.assertEqual(self.schema(daemon), [("v", "ANY")])
        self.assertEqual(self.changes(daemon), [("v", "widen", "INTEGER", "ANY")])
        self.assertEqual(daemon.sql("SELECT type, settled FROM _gatherd_columns"), [("ANY", 1)])

    def test_0_and_half_in_one_response_need_no_widening(self):
        daemon = self.poll('[{"v": 0}, {"v": 0.5}, {"v": null}, {}]')
        self.assertEqual(self.rows(daemon, "v"), [(0,), (0.5,), (None,), (None,)])
        self.assertEqual(self.types(daemon, "v"), ["integer", "real", "null", "null"])
        self.assertEqual(self.schema(daemon), [("v", "ANY")])
        self.assertEqual(self.changes(daemon), [])

    def test_reals_that_are_whole_stay_reals_when_an_integer_widens_their_column(self):
        daemon = self.poll('[{"v": 0.5}, {"v": 5.0}, {"v": -0.0}]')
        self.assertEqual(self.schema(daemon), [("v", "REAL")])
        self.poll('[{"v": 7}]', daemon)
        self.assertEqual(self.rows(daemon, "v"), [(0.5,), (5.0,), (0.0,), (7,)])
        self.assertEqual(self.types(daemon, "v"), ["real", "real", "real", "integer"])
        self.assertEqual(self.changes(daemon), [("v", "widen", "REAL", "ANY")])

    def test_an_id_that_turns_from_number_to_string_keeps_both_keys(self):
        daemon = self.poll('[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]', primary_key="id")
        self.assertEqual(self.schema(daemon), [("id", "INT"), ("v", "TEXT")])
        self.poll('[{"id": "x-3", "v": "c"}, {"id": 2, "v": "B"}]', daemon, primary_key="id")
        self.assertEqual(self.rows(daemon, "id", "v"), [(1, "a"), (2, "B"), ("x-3", "c")])
        self.assertEqual(self.types(daemon, "id"), ["integer", "integer", "text"])
        self.assertEqual(self.schema(daemon), [("id", "ANY"), ("v", "TEXT")])
        self.assertEqual(self.changes(daemon), [("id", "widen", "INTEGER", "ANY")])
        self.assertEqual(daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs"),
                         [(2, 0, 0), (1, 1, 0)])

    def test_a_column_of_nulls_takes_the_type_of_its_first_value(self):
        daemon = self.poll('[{"a": null, "b": 1}]')
        self.assertEqual(self.schema(daemon), [("a", "ANY"), ("b", "INTEGER")])
        self.poll('[{"a": "text", "b": null}]', daemon)
        self.assertEqual(self.schema(daemon), [("a", "TEXT"), ("b", "INTEGER")])
        self.assertEqual(self.rows(daemon, "a", "b"), [(None, 1), ("text", None)])
        self.assertEqual(self.changes(daemon), [("a", "settle", "ANY", "TEXT")])

    def test_a_new_member_adds_its_column_and_the_rows_before_have_null(self):
        daemon = self.poll('[{"a": 1}]')
        self.poll('[{"a": 2, "b": true, "c d": []}]', daemon)
        self.assertEqual(self.rows(daemon, "a", "b", "c_d"), [(1, None, None), (2, 1, "[]")])
        self.assertEqual(self.schema(daemon), [("a", "INTEGER"), ("b", "INTEGER"), ("c_d", "TEXT")])
        self.assertEqual(self.changes(daemon), [("b", "add_column", None, "INTEGER"),
                                                ("c_d", "add_column", None, "TEXT"),
                                                ("c_d", "rename", "c d", "c_d")])


class Numbers(EdgeCase):
    def check(self, texts):
        """Polls an array of numbers as they are written; `texts` gives the cell of each."""
        daemon = self.poll("[" + ", ".join(texts) + "]")
        found = [cell for cell, in self.rows(daemon, "value")]
        for (text, wanted), cell in zip(texts.items(), found):
            with self.subTest(text):
                self.assertEqual((type(cell), cell), (type(wanted), wanted))
        self.assertEqual(len(found), len(texts))
        return daemon

    def test_integers_of_64_bits_are_exact_and_longer_ones_keep_their_digits(self):
        digits = "1234567890123456789012345678901234567890"
        daemon = self.check({
            "9007199254740991": 2**53 - 1, "9007199254740992": 2**53, "9007199254740993": 2**53 + 1,
            "-9007199254740993": -2**53 - 1, "9223372036854775807": 2**63 - 1,
            "9223372036854775808": "9223372036854775808", "-9223372036854775808": -2**63,
            "-9223372036854775809": "-9223372036854775809",
            "18446744073709551615": "18446744073709551615",
            digits: digits, "-" + digits: "-" + digits, "0": 0, "-0": 0, "-1": -1})
        self.assertEqual(self.schema(daemon), [("value", "ANY")])

    def test_a_number_is_real_when_the_double_prints_as_the_same_decimal(self):
        self.check({
            "0.1": 0.1, "0.10": 0.1, "1e22": 1e22, "1E22": 1e22, "1e+2": 100.0, "1.0": 1.0,
            "-0.0": 0.0, "0e0": 0.0, "5e-324": 5e-324, "1.7976931348623157e308": 1.7976931348623157e308,
            "0.30000000000000004": 0.30000000000000004, "123456.789": 123456.789})

    def test_a_decimal_that_no_double_holds_keeps_its_digits(self):
        self.check({text: text for text in (
            "1e400", "-1e400", "1e-400", "0.1234567890123456789", "9007199254740993.0",
            "12345678901234567890.5", "3.14159265358979323846", "1e309")})

    def test_a_column_of_long_integers_only_is_text(self):
        daemon = self.poll('[{"n": 9223372036854775808}, {"n": 18446744073709551615}]')
        self.assertEqual(self.schema(daemon), [("n", "TEXT")])
        self.poll('[{"n": 5}]', daemon)
        self.assertEqual(self.rows(daemon, "n"),
                         [("9223372036854775808",), ("18446744073709551615",), (5,)])
        self.assertEqual(self.changes(daemon), [("n", "widen", "TEXT", "ANY")])


class Strings(EdgeCase):
    def test_strings_arrive_byte_for_byte(self):
        strings = ["", "a\0b", "\0", "😀", "e\u0301 é", "\u2028\u2029\ufeff", "".join(map(chr, range(32))),
                   "\x7f\x80\x9f", "\U0010ffff", "日本語", "'; DROP TABLE data; --", '"\\/', "null", "1",
                   "1e5", " padded ", "x" * 1_000_000, "é" * 100_000]
        for ensure_ascii in (False, True):
            with self.subTest(escaped=ensure_ascii):
                daemon = self.poll(json.dumps([{"s": s} for s in strings], ensure_ascii=ensure_ascii))
                self.assertEqual(daemon.sql("SELECT CAST(s AS BLOB) FROM data ORDER BY rowid"),
                                 [(s.encode(),) for s in strings])
                self.assertEqual(set(self.types(daemon, "s")), {"text"})
                self.assertEqual(self.schema(daemon), [("s", "TEXT")])

    def test_a_pair_of_escaped_surrogates_is_one_character_and_one_alone_is_refused(self):
        daemon = self.poll(r'[{"s": "\ud83d\uDE00"}]')
        self.assertEqual(self.rows(daemon, "s"), [("😀",)])
        daemon = self.poll('[\n {"s": "ab\\ud83d"}]', status=1)
        failure, error = self.failure(daemon)
        self.assertEqual(failure, "decode")
        self.assertRegex(error, r"^the body is not JSON: line 2, column 11: .*surrogate")

    def test_a_byte_order_mark_and_white_space_around_the_document_are_passed_over(self):
        daemon = self.poll(b'\xef\xbb\xbf \r\n\t[{"a": 1}]\n\n ')
        self.assertEqual(self.rows(daemon, "a"), [(1,)])
        self.assertEqual(self.schema(daemon), [("a", "INTEGER")])

    def test_a_string_that_fills_the_body_to_its_limit_passes_and_one_byte_more_fails(self):
        size = 16 * 1024 * 1024
        body = '["' + "x" * (size - 4) + '"]'
        daemon = self.poll(body)
        self.assertEqual(daemon.sql("SELECT length(value), value = replace(value, 'y', '') FROM data"),
                         [(size - 4, 1)])
        daemon = self.poll(body + "\n", status=1)
        self.assertEqual(
            daemon.sql("SELECT failure, error, inserted FROM _gatherd_runs"),
            [("limit", "body larger than max_body_size (16MiB)", 0)])


class Names(EdgeCase):
    def test_of_equal_names_the_last_one_wins(self):
        daemon = self.poll('[{"a": 1, "b": "x", "a": "last"}, {"b": "y"}]')
        self.assertEqual(self.rows(daemon, "a", "b"), [("last", "x"), (None, "y")])
        self.assertEqual(self.schema(daemon), [("a", "TEXT"), ("b", "TEXT")])

    def test_names_that_differ_only_in_case_keep_their_columns_whatever_comes_first(self):
        daemon = self.poll('[{"Name": 1, "name": 2, "NAME": 3}]')
        self.assertEqual(self.schema(daemon),
                         [("Name", "INTEGER"), ("name_2", "INTEGER"), ("NAME_3", "INTEGER")])
        self.assertEqual(self.changes(daemon), [("name_2", "rename", "name", "name_2"),
                                                ("NAME_3", "rename", "NAME", "NAME_3")])
        self.poll('[{"NAME": 6, "name": 5, "Name": 4}, {"name": 7}]', daemon)
        self.assertEqual(self.rows(daemon, "Name", "name_2", "NAME_3"),
                         [(1, 2, 3), (4, 5, 6), (None, 7, None)])

    def test_a_suffix_that_a_member_has_itself_is_passed_over(self):
        daemon = self.poll('[{"a": 1, "a_2": 2, "A": 3}]')
        self.assertEqual(self.schema(daemon),
                         [("a", "INTEGER"), ("a_2", "INTEGER"), ("A_3", "INTEGER")])
        self.assertEqual(self.rows(daemon, "a", "a_2", "A_3"), [(1, 2, 3)])

    def test_other_characters_become_one_underscore_and_the_member_is_remembered(self):
        members = {"a b": "a_b", "$ref": "_ref", "a-b": "a_b_2", "x.y.z": "x_y_z", "1st": "_1st",
                   "": "_", "42": "_42", "--": "__2", "é ü": "é_ü", "_": "__3", 'q"q': "q_q",
                   "a\0b": "a_b_3", "tab\there": "tab_here", "select": "select", "rowid": "rowid",
                   "日本": "日本", "😀": "😀", "@id": "_id", "Ünï": "Ünï", "x" * 200: None}
        values = {member: i for i, member in enumerate(members)}
        daemon = self.poll(json.dumps([values]))
        columns = dict(daemon.sql("SELECT member, column_name FROM _gatherd_columns"))
        members["x" * 200] = columns["x" * 200]  # cut to some length; only its value is of interest
        self.assertEqual(columns, members)
        self.assertEqual(dict(zip(members, self.rows(daemon, *members.values())[0])), values)
        self.assertEqual({(old, new) for _, change, old, new in self.changes(daemon)
                          if change == "rename"},
                         {(member, name) for member, name in members.items() if member != name})

    def test_members_named_like_our_own_columns_get_columns_beside_them(self):
        daemon = self.poll('[{"_run_id": 7, "_fetched_at": "x", "_RUN_ID": 8}]')
        self.assertEqual(self.schema(daemon), [("_run_id_2", "INTEGER"), ("_fetched_at_2", "TEXT"),
                                               ("_RUN_ID_3", "INTEGER")])
        self.assertEqual(self.rows(daemon, "_run_id_2", "_fetched_at_2", "_RUN_ID_3", "_run_id"),
                         [(7, "x", 8, 1)])

    def test_the_primary_key_and_exclude_take_the_members_own_spelling(self):
        body = '[{"@id": 1, "a b": "x", "$noise": 1}, {"@id": 1, "a b": "y", "$noise": 2}]'
        daemon = self.poll(body, primary_key="@id", exclude=["$noise"])
        self.assertEqual(self.schema(daemon), [("_id", "INT"), ("a_b", "TEXT")])
        self.assertEqual(self.rows(daemon, "_id", "a_b"), [(1, "y")])


class Sizes(EdgeCase):
    def members(self, count):
        return json.dumps([{f"m{i}": i for i in range(count)}])

    def test_1998_members_and_our_two_are_the_2000_columns_of_a_table(self):
        daemon = self.poll(self.members(1998))
        self.assertEqual(len(self.schema(daemon)), 1998)
        self.assertEqual(daemon.sql("SELECT m0, m999, m1997 FROM data"), [(0, 999, 1997)])

    def test_a_record_with_more_members_goes_to_the_dead_letters_and_the_others_stay(self):
        for count in (1999, 2100):
            with self.subTest(count):
                wide = self.members(count)[1:-1]
                daemon = self.poll(f'[{{"id": 1}}, {wide}, {{"id": 2}}]', status=1)
                self.assertEqual(self.rows(daemon, "id"), [(1,), (2,)])
                self.assertEqual(self.schema(daemon), [("id", "INTEGER")])
                self.assertEqual(
                    daemon.sql("SELECT kind, position, line, column, reason, content"
                               " FROM _gatherd_dead_letters"),
                    [("record", 1, 1, 13, "the record needs more than 1998 columns; name the ones"
                      " to keep with fields", wide)])
                self.assertEqual(daemon.sql("SELECT outcome, records, inserted, rejected"
                                            " FROM _gatherd_runs"), [("partial", 3, 2, 1)])

    def test_a_table_that_would_grow_past_2000_columns_keeps_what_it_has(self):
        daemon = self.poll(self.members(1500))
        body = json.dumps([{f"n{i}": i for i in range(600)}])
        self.poll(body, daemon, status=1)
        self.assertEqual(len(self.schema(daemon)), 1500)
        error = daemon.value("SELECT error FROM _gatherd_runs WHERE id = 2 AND failure = 'store'")
        self.assertEqual(error, 'table "data" would need 2102 columns, and SQLite allows 2000; name'
                                ' the members to keep under "fields", or leave some out with "exclude"')
        self.assertEqual(daemon.sql("SELECT reason, content FROM _gatherd_dead_letters"),
                         [(error, body)])
        self.assertIn(error, daemon.output)

    def test_nesting_of_512_is_read_and_513_is_refused(self):
        deep = "[" * 511 + "]" * 511
        daemon = self.poll("[" + deep + "]")
        self.assertEqual(self.rows(daemon, "value"), [(deep,)])
        failure, error = self.failure(self.poll("[" * 513 + "]" * 513, status=1))
        self.assertEqual(failure, "decode")
        self.assertRegex(error, "^the body is not JSON: line 1, column 513: .*512")


class Shapes(EdgeCase):
    def test_an_empty_array_is_a_success_without_rows(self):
        for body, source in (("[]", {}), ('{"items": []}', {"records": "$.items"}),
                             ('{"items": []}', {"records": "$.items[*]"}),
                             ('{"items": {}}', {"records": "$.items.*"})):
            with self.subTest(body, **source):
                daemon = self.poll(body, **source)
                self.assertEqual(daemon.sql("SELECT outcome, records, inserted FROM _gatherd_runs"),
                                 [("success", 0, 0)])
                self.assertEqual(daemon.sql("SELECT * FROM _gatherd_dead_letters"), [])
                self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name = 'data'"), [])

    def test_an_empty_object_is_a_row_of_nulls(self):
        daemon = self.poll("{}")
        self.assertEqual(self.schema(daemon), [])
        self.assertEqual(self.rows(daemon, "_run_id"), [(1,)])
        self.poll('{"a": 1}', daemon)
        self.assertEqual(self.rows(daemon, "_run_id", "a"), [(1, None), (2, 1)])
        self.assertEqual(self.changes(daemon), [("a", "add_column", None, "INTEGER")])

    def test_a_scalar_document_becomes_the_column_value(self):
        for body, cell, kind in (("5", 5, "INTEGER"), ('"text"', "text", "TEXT"),
                                 ("true", 1, "INTEGER"), ("0.5", 0.5, "REAL"), ("[false]", 0, "INTEGER")):
            with self.subTest(body):
                daemon = self.poll(body)
                self.assertEqual(self.schema(daemon), [("value", kind)])
                self.assertEqual(self.rows(daemon, "value"), [(cell,)])

    def test_null_is_no_record_and_goes_to_the_dead_letters(self):
        daemon = self.poll('[{"a": 1}, null, {"a": 2}]', status=1)
        self.assertEqual(self.rows(daemon, "a"), [(1,), (2,)])
        self.assertEqual(daemon.sql("SELECT position, reason, content FROM _gatherd_dead_letters"),
                         [(1, "the record is null", "null")])

    def test_arrays_of_arrays_keep_the_json_text_of_each_inner_one(self):
        daemon = self.poll('[[1, "a",null],[],\n[[2], {"k" : [3]}]]')
        self.assertEqual(self.rows(daemon, "value"),
                         [('[1, "a",null]',), ("[]",), ('[[2], {"k" : [3]}]',)])
        self.assertEqual(self.schema(daemon), [("value", "TEXT")])

    def test_nested_values_keep_their_text_with_white_space_order_and_repeated_names(self):
        raw = '{ "b":1.10,\n "a" : [ 1e400 , "\\u00e9" ], "b":2 }'
        daemon = self.poll('[{"o": ' + raw + "}]")
        self.assertEqual(self.rows(daemon, "o"), [(raw,)])
        self.assertEqual(self.types(daemon, "o"), ["text"])

    def test_records_of_mixed_shapes_share_one_table(self):
        daemon = self.poll('[{"a": 1}, "text", 2, [3], {"value": 4}]')
        self.assertEqual(self.rows(daemon, "a", "value"),
                         [(1, None), (None, "text"), (None, 2), (None, "[3]"), (None, 4)])
        self.assertEqual(self.schema(daemon), [("a", "INTEGER"), ("value", "ANY")])

    def test_where_records_were_expected_a_scalar_is_a_failed_run(self):
        for body, path, reason in (
                ('{"items": 5}', "$.items", "records: $.items selects a number, where an array or"
                 " object of records was expected"),
                ('{"items": null}', "$.items", "records: $.items selects null, where an array or"
                 " object of records was expected"),
                ('{"error": "x", "code": 7}', "$.items[*]", "records: $.items[*] selects nothing;"
                 " the document is an object with error, code")):
            with self.subTest(body):
                daemon = self.poll(body, status=1, records=path)
                self.assertEqual(self.failure(daemon), ("records", reason))

    def test_a_body_that_the_server_keeps_compressed_is_unpacked(self):
        body = json.dumps([{"n": i, "s": "x" * 50} for i in range(1000)])
        daemon = self.poll(gzip.compress(body.encode()), file="packed.json")
        self.assertEqual(daemon.sql("SELECT count(*), sum(n), min(length(s)) FROM data"),
                         [(1000, 499500, 50)])
        self.assertEqual(daemon.value("SELECT bytes FROM _gatherd_runs"), len(body))


class Keys(EdgeCase):
    def test_of_two_records_with_one_key_the_later_stays(self):
        daemon = self.poll('[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 1, "v": "c"}]',
                           primary_key="id")
        self.assertEqual(sorted(self.rows(daemon, "id", "v")), [(1, "c"), (2, "b")])

    def test_a_record_without_its_key_goes_to_the_dead_letters(self):
        daemon = self.poll('[{"id": 1}, {"v": 2}, {"id": null, "v": 3}]', status=1,
                           primary_key="id")
        self.assertEqual(self.rows(daemon, "id", "v"), [(1, None)])
        letters = daemon.sql("SELECT position, content, reason FROM _gatherd_dead_letters"
                             " ORDER BY position")
        self.assertEqual([row[:2] for row in letters],
                         [(1, '{"v": 2}'), (2, '{"id": null, "v": 3}')])
        for _, _, reason in letters:
            self.assertIn("id", reason)
        self.assertEqual(daemon.sql("SELECT outcome, records, inserted, rejected FROM _gatherd_runs"),
                         [("partial", 3, 1, 2)])

    def test_a_member_that_is_gone_becomes_null_in_the_row_it_had(self):
        daemon = self.poll('[{"id": 1, "a": "x", "b": "y"}]', primary_key="id")
        self.poll('[{"id": 1, "b": "y"}]', daemon, primary_key="id")
        self.assertEqual(self.rows(daemon, "id", "a", "b"), [(1, None, "y")])
        self.assertEqual(daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs"),
                         [(1, 0, 0), (0, 1, 0)])

    def test_the_same_body_again_writes_no_row(self):
        body = ('[{"id": "a\\u0000b", "i": 9223372036854775808, "r": 0.1, "n": null, "o": {"x": [1]},'
                ' "b": true}]')
        daemon = self.poll(body, primary_key="id", conditional=False)
        before = daemon.sql("SELECT * FROM data")
        self.poll(body, daemon, primary_key="id", conditional=False)
        self.assertEqual(daemon.sql("SELECT * FROM data"), before)
        self.assertEqual(daemon.sql("SELECT inserted, updated, unchanged FROM _gatherd_runs"),
                         [(1, 0, 0), (0, 0, 1)])


class NotJson(EdgeCase):
    def test_what_json_does_not_allow_is_refused_with_its_line_and_column(self):
        for body, line, column in (
                ('{"a": 1', 1, 8), ('[{"a": 1},]', 1, 11), ("{'a': 1}", 1, 2), ('[1]\n[2]', 2, 1),
                ('[01]', 1, 2), ("[NaN]", 1, 2), ('["a\nb"]', 1, 4), ("[1,\n\n  tru]", 3, 3),
                ('["é", +1]', 1, 7), ('["\\x41"]', 1, 3)):
            with self.subTest(body):
                daemon = self.poll(body, status=1)
                failure, error = self.failure(daemon)
                self.assertEqual(failure, "decode")
                self.assertIn(f"the body is not JSON: line {line}, column {column}: ", error)
                self.assertEqual(daemon.sql("SELECT line, column FROM _gatherd_dead_letters"),
                                 [(line, column)])

    def test_an_empty_body_is_no_json(self):
        reason = "the body is empty, where JSON was expected"
        for body in (" \n", b"\xef\xbb\xbf"):
            with self.subTest(body):
                self.assertEqual(self.failure(self.poll(body, status=1)), ("decode", reason))
        daemon = self.poll("", status=1)
        self.assertEqual(daemon.sql("SELECT outcome, failure, error FROM _gatherd_runs"),
                         [("failed", "decode", reason)])
        self.assertEqual(daemon.sql("SELECT * FROM _gatherd_dead_letters"), [])  # nothing to keep

    def test_bytes_that_are_not_utf_8_are_kept_as_they_came(self):
        daemon = self.poll('[{"s": "é"}]'.encode("latin-1"), status=1)
        failure, error = self.failure(daemon)
        self.assertEqual(failure, "decode")
        self.assertRegex(error, "^the body is not JSON: line 1, column 9: .*UTF-8")
        self.assertEqual(daemon.sql("SELECT typeof(content) FROM _gatherd_dead_letters"), [("blob",)])

    def test_a_web_page_with_status_200_is_a_failed_run(self):
        page = "<!DOCTYPE html>\n<html><body>Sign in</body></html>"
        for file in ("html.x", "plain.x", "data.json"):
            with self.subTest(file):
                daemon = self.poll(page, status=1, file=file)
                [(failure, error)] = daemon.sql("SELECT failure, error FROM _gatherd_runs")
                self.assertEqual(failure, "decode")
                self.assertIn("HTML", error)
                self.assertEqual(daemon.sql("SELECT content, reason FROM _gatherd_dead_letters"),
                                 [(page, error)])

    def test_json_is_read_whatever_its_content_type_and_in_the_character_set_that_is_declared(self):
        body = '[{"s": "é"}]'
        daemon = self.poll(body, file="plain.x")
        self.assertEqual(self.rows(daemon, "s"), [("é",)])
        daemon = self.poll(body.encode("latin-1"), file="latin.x")
        self.assertEqual(self.rows(daemon, "s"), [("é",)])
        daemon = self.poll(body, file="latin.x", format="json")
        self.assertEqual(self.rows(daemon, "s"), [("é",)])

    def test_the_same_bad_body_again_is_one_dead_letter_that_counts(self):
        daemon = self.poll("[1", status=1)
        self.poll("[1", daemon, status=1)
        self.poll("[1, 2", daemon, status=1)
        self.assertEqual(daemon.sql("SELECT content, occurrences, run_id FROM _gatherd_dead_letters"),
                         [("[1", 2, 2), ("[1, 2", 1, 3)])
        self.assertEqual(daemon.sql("SELECT consecutive_failures, failed_runs FROM _gatherd_sources"),
                         [(3, 3)])
        self.poll("[1]", daemon)
        self.assertEqual(daemon.sql("SELECT consecutive_failures, failed_runs, runs"
                                    " FROM _gatherd_sources"), [(0, 3, 4)])


class Lines(EdgeCase):
    def test_lines_may_end_in_crlf_be_empty_and_lack_the_last_break(self):
        daemon = self.poll(b'\xef\xbb\xbf{"a": 1}\r\n\r\n\n  \n{"a": 2}\n{"a": 3}', file="data.ndjson")
        self.assertEqual(self.rows(daemon, "a"), [(1,), (2,), (3,)])

    def test_no_lines_are_a_success_without_rows(self):
        daemon = self.poll("", file="data.ndjson")
        self.assertEqual(daemon.sql("SELECT outcome, records FROM _gatherd_runs"), [("success", 0)])

    def test_a_bad_line_is_named_and_nothing_of_the_body_is_used(self):
        body = '{"a": 1}\n{"a": 2\n{"a": 3}\n'
        daemon = self.poll(body, file="data.ndjson", status=1)
        [(error, failure)] = daemon.sql("SELECT error, failure FROM _gatherd_runs")
        self.assertEqual(failure, "decode")
        self.assertIn("line 2, column 8", error)
        self.assertEqual(daemon.sql("SELECT content FROM _gatherd_dead_letters"), [(body,)])
        self.assertEqual(daemon.sql("SELECT name FROM sqlite_schema WHERE name = 'data'"), [])

    def test_records_are_selected_in_each_line(self):
        body = '{"items": [{"a": 1}, {"a": 2}]}\n{"items": []}\n{"other": 1}\n{"items": [{"a": 3}]}'
        daemon = self.poll(body, file="data.ndjson", records="$.items[*]", status=1)
        self.assertEqual(self.rows(daemon, "a"), [(1,), (2,), (3,)])
        self.assertEqual(
            daemon.sql("SELECT kind, position, line, column, reason, content FROM _gatherd_dead_letters"),
            [("record", 2, 3, 1, "records: $.items[*] selects nothing; the document is an object with"
              " other", '{"other": 1}')])


class Refused(EdgeCase):
    """A table that does not take the rows: the run is known as failed in its commit only."""

    def test_a_source_whose_table_takes_nothing_is_polled_less_often_after_a_restart_too(self):
        daemon = self.poll('[{"id": 1}]', primary_key="id", interval="1m")
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            connection.execute("CREATE TRIGGER closed BEFORE INSERT ON data"
                               " BEGIN SELECT RAISE(ROLLBACK, 'closed'); END")
        for failures, more in ((1, 1), (2, 3), (3, 7)):  # minutes beyond those of a success
            self.poll('[{"id": 2}]', daemon, status=1, primary_key="id", interval="1m")
            count, wait = daemon.sql(
                "SELECT consecutive_failures, (julianday(next_due_at) - julianday(last_run_at))"
                " * 86400 FROM _gatherd_sources")[0]
            self.assertEqual(count, failures)
            self.assertGreater(wait, more * 60 - 5)
        self.assertEqual(daemon.sql("SELECT failure, error FROM _gatherd_runs WHERE id = 4"),
                         [("store", "closed")])
        self.assertEqual(daemon.sql("SELECT id FROM data"), [(1,)])


class Sound(EdgeCase):
    def test_a_database_full_of_edges_passes_sqlites_own_checks(self):
        daemon = self.poll('[{"a": 0, "Name": 1, "name": 2, "s": "a\\u0000b"}]', primary_key="Name")
        self.poll('[{"a": 0.5, "Name": "x", "": [1], "s": 5}]', daemon, primary_key="Name")
        self.poll('[{"a": null, "Name": 2.5, "new": true}]', daemon, primary_key="Name")
        self.assertEqual(daemon.sql("PRAGMA integrity_check"), [("ok",)])
        connection = sqlite3.connect(daemon.database)  # as a tool that also writes would
        self.addCleanup(connection.close)
        connection.execute("VACUUM")
        self.assertEqual(self.rows(daemon, "a", "Name", "name_2", "s", "_", "new"), [
            (0, 1, 2, "a\0b", None, None), (0.5, "x", None, 5, "[1]", None),
            (None, 2.5, None, None, None, 1)])
        self.poll('[{"Name": 3, "later": 1}]', daemon, primary_key="Name")
        self.assertEqual(daemon.value("SELECT count(*) FROM data"), 4)


if __name__ == "__main__":
    harness.main()
