#!/usr/bin/env python3
"""e2e_dump.py - `gatherd check --dump`: what is in force, as YAML, without its secrets."""
import re

import harness

SECRET = "marked-s3cr3t"


class Dump(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.asked = []
        self.url = self.python_server(self.answer)

    def answer(self, request):
        self.asked.append((request.path, dict(request.headers)))
        return 200, {"Content-Type": "application/json"}, b'{"items": [{"id": 1, "at": 5}]}'

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def dump(self, *arguments, env=None):
        result = self.gatherd("check", "--dump", *arguments, env=env)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_a_dump_is_a_configuration_that_does_the_same(self):
        self.write("conf.d/more.yaml", "sources:\n"
                   f"- {{name: two, url: '{self.url}/two', fields: {{id: $.id, the_time: "
                   "{path: $.at, type: timestamp, unit: s}}, primary_key: id}\n")
        self.write("gatherd.yaml", "include: conf.d/*.yaml\n"
                   "defaults: {records: '$.items[*]', headers: {X-One: 'a: b', X-Two: '$${x}'}}\n"
                   "sources:\n"
                   f"- {{name: one, url: '{self.url}/${{PART_OF_TEST:-one}}', params: {{q: 'a b',"
                   " tag: [1, true]}}\n")
        kept = self.folder / "other" / "dump.yaml"
        text = self.dump()
        self.assertEqual(text, self.dump("gatherd.yaml"))
        self.assertEqual(text, self.dump("-c", "gatherd.yaml"))
        self.write("other/dump.yaml", text)
        tables = []
        for config in ("gatherd.yaml", kept):
            result = self.gatherd("run", "--once", "-c", config)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            tables.append(re.findall(r"(?m)^(one|two) .*", result.stdout))
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(sorted(map(str, self.asked[:2])), sorted(map(str, self.asked[2:])))
        rows = self.gatherd("query", "--format", "csv", "SELECT id, the_time FROM two").stdout
        self.assertEqual(rows.splitlines()[1:], ["1,1970-01-01T00:00:05.000Z"])  # one database
        self.assertFalse((kept.parent / "gatherd.db").exists())

    def test_no_secret_is_in_it(self):
        self.write("gatherd.yaml", "defaults: {headers: {Authorization: 'Bearer ${TOKEN_OF_TEST}'}}\n"
                   "sources:\n"
                   f"- name: one\n  url: '{self.url}/${{TOKEN_OF_TEST}}/x?key={SECRET}&n=1'\n"
                   f"  params: {{api_key: {SECRET}, page: '${{NUMBER_OF_TEST}}'}}\n"
                   "  interval: ${NUMBER_OF_TEST}m\n"
                   f"- name: two\n  url: '{self.url}/two'\n"
                   f"  headers: {{Cookie: 'id={SECRET}', X-Api-Key: {SECRET}, Accept: text/json}}\n")
        text = self.dump(env={"TOKEN_OF_TEST": SECRET, "NUMBER_OF_TEST": "17"})
        self.assertNotIn(SECRET, text)
        self.assertNotIn("17", text.replace(self.url, ""))
        for line in (f"    url: {self.url}/***/x?key=***&n=1\n", '      api_key: "***"\n',
                     '    interval: "***"\n', '      Authorization: "***"\n',
                     '      Cookie: "***"\n', "      Accept: text/json\n"):
            self.assertIn(line, text)

    def test_of_a_file_with_mistakes_it_says_what_check_says(self):
        self.write("bad.yaml", "sources:\n- {name: a, intervall: 5s}\n")
        checked = self.gatherd("check", "bad.yaml")
        dumped = self.gatherd("check", "--dump", "bad.yaml")
        self.assertEqual((dumped.returncode, dumped.stdout), (78, ""))
        self.assertEqual(dumped.stderr, checked.stderr)
        missing = self.gatherd("check", "--dump", "none.yaml")
        self.assertEqual((missing.returncode, missing.stdout), (78, ""))


if __name__ == "__main__":
    harness.main()
