#!/usr/bin/env python3
"""e2e_formats_xml.py - XML, feeds and Prometheus' text through the whole daemon.

What it stores of recorded answers is compared with other readers: minidom and email.utils for XML
and feeds, a few regular expressions for metrics.
"""
import datetime
import email.utils
import json
import re
import time
import unittest
import xml.dom.minidom

import harness
from harness import TestCase, needs_data

FEEDS = {"TechCrunch": 20, "RSSWithComments": 30, "AmazonWebServicesBlog": 10, "youtube_atom": 15}
DOCUMENTS = [f"feeds/{name}.xml" for name in FEEDS] + ["ecb-rates/daily.xml", "ecb-rates/hist-90d.xml"]
METRICS = "prometheus-text/node-exporter.txt"


def parse(path):
    return xml.dom.minidom.parseString((harness.DATA / path).read_bytes().lstrip())


def text_of(element):
    """The text of an element: white space around it is layout, but not in CDATA."""
    pieces = [(n.data, n.nodeType == n.CDATA_SECTION_NODE) for n in element.childNodes
              if n.nodeType in (n.TEXT_NODE, n.CDATA_SECTION_NODE)]
    while pieces and not pieces[0][1] and not pieces[0][0].lstrip(" \t\r\n"):
        pieces.pop(0)
    while pieces and not pieces[-1][1] and not pieces[-1][0].rstrip(" \t\r\n"):
        pieces.pop()
    if pieces and not pieces[0][1]:
        pieces[0] = (pieces[0][0].lstrip(" \t\r\n"), False)
    if pieces and not pieces[-1][1]:
        pieces[-1] = (pieces[-1][0].rstrip(" \t\r\n"), False)
    return "".join(data for data, _ in pieces)


def children(element, name=None):
    return [n for n in element.childNodes if n.nodeType == n.ELEMENT_NODE and name in (None, n.tagName)]


def convert(element):
    """What docs/formats.md says an element becomes."""
    result = {f"@{name}": value for name, value in element.attributes.items()
              if name != "xmlns" and not name.startswith("xmlns:")}
    for child in children(element):
        result.setdefault(child.tagName, []).append(convert(child))
    result = {name: value[0] if isinstance(value, list) and len(value) == 1 else value
              for name, value in result.items()}
    text = text_of(element)
    if not result:
        return text or None
    return {**result, "#text": text} if text else result


def in_utc(text):
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        moment = email.utils.parsedate_to_datetime(text)
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def read_entry(element):
    """What docs/formats.md says of the entries of feeds: id, title, link, published, updated."""
    def text(*names):
        for name in names:
            for child in children(element, name):
                if text_of(child):
                    return text_of(child)
        return None
    links = [c.getAttribute("href") or text_of(c) for c in children(element, "link")
             if c.getAttribute("rel") in ("", "alternate")]
    published, updated = text("published", "pubDate"), text("updated")
    return (text("id", "guid") or links[0], text("title"), links[0],
            published and in_utc(published), updated and in_utc(updated))


SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_metrics(text):
    """name, labels, value and type of each sample."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        labels = {k: re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), v)
                  for k, v in LABEL.findall(labels or "")}
        family = re.sub("_(bucket|sum|count)$", "", name)
        value = value if value in ("NaN", "+Inf", "-Inf") else float(value)
        yield (name, labels, value, types.get(name) or types.get(family) or "untyped")


@needs_data
class Recorded(TestCase):
    """One run of many sources over the recorded answers; each test looks at some of the tables."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls("keep")
        cls.shared.setUp()
        cls.addClassCleanup(cls.shared.doCleanups)
        url = cls.shared.nginx(harness.DATA)
        sources = ""
        for i, path in enumerate(DOCUMENTS):
            sources += f"""
  - {{name: document{i}, url: "{url}/{path}", records: "$", fields: {{document: {{path: $, type: json}}}}}}"""
        for name in FEEDS:
            sources += f"""
  - name: {name}
    url: {url}/feeds/{name}.xml
    primary_key: id"""
        env = {"ECB": f"{url}/ecb"}
        example = (harness.ROOT / "config/examples/exchange_rates.yaml").read_text()
        example = example.replace("${ECB:-https://www.ecb.europa.eu/stats/eurofxref}/eurofxref-", f"{url}/ecb-rates/")
        sources += example[example.index("sources:") + len("sources:"):]
        sources += f"""
  - {{name: metrics, url: "{url}/{METRICS}", primary_key: [name, labels]}}
"""
        example = (harness.ROOT / "config/examples/metrics.yaml").read_text()
        sources += example[example.index("  # A history"):].replace(
            "${EXPORTER:-http://localhost:9100}/metrics", f"{url}/{METRICS}")
        cls.database = cls.shared.run_once("sources:" + sources, env=env)

    def keep(self):
        """Not a test: what the others stand on."""

    def sql(self, statement):
        return self.database.sql(statement)

    def test_documents_are_what_another_reader_makes_of_them(self):
        for i, path in enumerate(DOCUMENTS):
            with self.subTest(path):
                root = parse(path).documentElement
                stored = json.loads(self.database.value(f"SELECT document FROM document{i}"))
                self.assertEqual(stored, {root.tagName: convert(root)})

    def test_feeds_need_three_lines(self):
        for name, count in FEEDS.items():
            with self.subTest(name):
                root = parse(f"feeds/{name}.xml").documentElement
                parent, kind = (root, "entry") if root.tagName == "feed" else (children(root, "channel")[0], "item")
                entries = children(parent, kind)
                rows = self.sql(f"SELECT id, title, link, published, updated FROM {name} ORDER BY rowid")
                self.assertEqual(len(rows), count)
                self.assertEqual([tuple(row) for row in rows], [read_entry(e) for e in entries])

    def test_further_elements_of_entries_have_their_own_names(self):
        items = children(children(parse("feeds/TechCrunch.xml").documentElement, "channel")[0], "item")
        rows = self.sql('SELECT guid, pubDate, dc_creator, category, content_encoded, feedburner_origLink FROM TechCrunch ORDER BY rowid')
        for row, item in zip(rows, items):
            def one(name):
                return text_of(children(item, name)[0])
            self.assertEqual(row[:3], (one("guid"), one("pubDate"), one("dc:creator")))
            self.assertEqual(json.loads(row[3]), [text_of(c) for c in children(item, "category")])
            self.assertEqual(row[4:], (one("content:encoded"), one("feedburner:origLink")))
        authors = [row[0] for row in self.sql("SELECT author FROM youtube_atom")]
        self.assertEqual(set(authors), {"Google"})

    def test_attributes_are_cells(self):
        cubes = [c for c in parse("ecb-rates/daily.xml").getElementsByTagName("Cube") if c.hasAttribute("rate")]
        rows = self.sql("SELECT currency, rate FROM rates ORDER BY rowid")
        self.assertEqual(len(rows), 32)
        self.assertEqual([tuple(row) for row in rows], [(c.getAttribute("currency"), c.getAttribute("rate")) for c in cubes])

    def test_the_days_of_rates_are_parents_of_rates(self):
        days = [c for c in parse("ecb-rates/hist-90d.xml").getElementsByTagName("Cube") if c.hasAttribute("time")]
        self.assertEqual([row[0] for row in self.sql("SELECT day FROM days ORDER BY rowid")],
                         [d.getAttribute("time") for d in days])
        self.assertEqual(len(days), 61)
        self.assertEqual((min(self.sql("SELECT day FROM days")), max(self.sql("SELECT day FROM days"))),
                         (("2018-03-14",), ("2018-06-11",)))
        rows = self.sql("SELECT _parent_day, currency, rate FROM daily_rates ORDER BY rowid")
        self.assertEqual([tuple(row) for row in rows],
                         [(d.getAttribute("time"), c.getAttribute("currency"), c.getAttribute("rate"))
                          for d in days for c in children(d)])

    def test_each_sample_is_a_row(self):
        text = (harness.DATA / METRICS).read_text()
        expected = list(read_metrics(text))
        rows = self.sql("SELECT name, labels, value, type, time FROM metrics ORDER BY rowid")
        # The recordings' README says 3,028: one label has U+001C, which str.splitlines() takes for a line break.
        self.assertEqual(len(rows), 3027)
        self.assertEqual([(n, json.loads(labels), v, t) for n, labels, v, t, _ in rows], expected)
        self.assertEqual({row[4] for row in rows}, {None})
        kinds = re.findall(r"^# TYPE \S+ (\S+)$", text, re.M)
        self.assertEqual({kind: kinds.count(kind) for kind in set(kinds)},
                         {"counter": 475, "gauge": 418, "untyped": 334, "summary": 1})
        self.assertEqual(self.database.value(
            "SELECT type FROM pragma_table_info('metrics') WHERE name = 'value'"), "REAL")

    def test_samples_are_filtered_and_labels_are_columns(self):
        text = (harness.DATA / METRICS).read_text()
        expected = [(int(labels["cpu"]), labels["mode"], value) for name, labels, value, _ in read_metrics(text)
                    if name == "node_cpu_seconds_total" and labels["mode"] != "idle"]
        self.assertGreater(len(expected), 0)
        self.assertEqual([tuple(row) for row in self.sql("SELECT cpu, mode, seconds FROM cpu ORDER BY rowid")],
                         expected)


class Hostile(TestCase):
    """Each body is a clear failure of its own run; the source beside them goes on. e2e_hostile.py has more."""

    # path: Content-Type, body, words of the error
    BODIES = {
        "parameter": ("text/xml", '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://HOST/secret">%p;]><a/>',
                      'defines the entity "p"'),
        "external": ("text/xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "http://HOST/secret">]><a>&x;</a>',
                     'defines the entity "x"'),
        "dtd": ("text/xml", '<!DOCTYPE a SYSTEM "http://HOST/secret"><a>&x;</a>', 'refers to the entity "x"'),
        "attribute_defaults": ("text/xml", '<!DOCTYPE a [<!ATTLIST b c CDATA "' + "x" * 100000 + '">]><a>' + "<b/>" * 100000 + "</a>",
                               "the DOCTYPE defines attributes"),
        "cut": ("text/xml", "<rss><channel><item><title>one</title></item><item><title>tw",
                "Premature end of data in tag title line 1"),
        "encoding": ("text/xml", '<?xml version="1.0" encoding="klingon"?><a/>', "klingon, which is not known here"),
        "attributes": ("text/xml", "<a" + "".join(f' x{i}=""' for i in range(1000000)) + "/>",
                       "an element with more than 1000 attributes"),
        "namespaces": ("text/xml", "".join(f'<a{"".join(f" xmlns:n{j}_{i}=%sx%s" % (chr(39), chr(39)) for j in range(50))}>' for i in range(100)),
                       "more than 1000 namespaces declared at once"),
        "names": ("text/xml", "<r>" + "".join(f"<n{i}/>" for i in range(70000)) + "</r>", "more than 65536 different names"),
        "cdata": ("text/xml", "<a><![CDATA[" + "x" * 11 * 10**6 + "]]></a>", "CData section too big"),
        "page": ("application/xml", "<!DOCTYPE html><html><p>Login</html>", "the body is an HTML page, not XML"),
        "metrics_line": ("text/plain; version=0.0.4", "a 1\nb{c=\"d} 2\n", "line 2, column 5: a text in quotes"),
        "metrics_cut": ("text/plain; version=0.0.4", "a 1\nb 12", "the text was cut off"),
        "open_metrics_cut": ("application/openmetrics-text; version=1.0.0", "a 1\nb 12\n", "there is no # EOF at the end"),
    }

    def setUp(self):
        super().setUp()
        self.asked = []
        self.host = self.python_server(self.answer)

    def answer(self, request):
        path = request.path.strip("/")
        self.asked.append(path)
        if path == "good":
            return 200, {"Content-Type": "text/xml"}, b"<list><item><v>1</v></item></list>"
        kind, body, _ = self.BODIES[path]
        body = body if isinstance(body, bytes) else body.replace("http://HOST", self.host).encode()
        return 200, {"Content-Type": kind}, body

    def test_each_fails_alone_and_soon_and_nothing_else_is_read(self):
        config = "sources:\n  - {name: good, url: %s/good, records: '$.list.item[*]'}\n" % self.host
        for name in self.BODIES:
            config += f"  - {{name: {name}, url: {self.host}/{name}}}\n"
        begin = time.monotonic()
        database = self.run_once(config, status=1)
        self.assertLess(time.monotonic() - begin, 30 * harness.SLOW)
        self.assertEqual(database.sql("SELECT v FROM good"), [("1",)])
        for name, (_, _, words) in self.BODIES.items():
            with self.subTest(name):
                run = database.sql("SELECT outcome, failure, error FROM _gatherd_runs WHERE source = ?", (name,))[0]
                self.assertEqual(run[:2], ("failed", "decode"))
                self.assertIn(words, run[2])
                self.assertEqual(database.value("SELECT count(*) FROM sqlite_master WHERE name = ?", (name,)), 0)
                self.assertEqual(database.value("SELECT count(*) FROM _gatherd_dead_letters WHERE source = ? AND kind = 'body'", (name,)), 1)
        self.assertNotIn("secret", self.asked)


class Rows(TestCase):
    def test_a_record_that_does_not_fit_names_its_line(self):
        body = b"<?xml version='1.0' encoding='utf-16'?>\n<r>\n<i><n>1</n></i>\n\n  <i a='\xc3\xa9'><n>x</n></i>\n</r>"
        url = self.python_server(lambda _: (200, {"Content-Type": "text/xml"}, body.decode().encode("utf-16")))
        database = self.run_once(f"""
sources:
  - {{name: rows, url: "{url}", records: $.r.i, fields: {{n: {{path: $.n, type: integer}}}}}}
""", status=1)
        self.assertEqual(database.sql("SELECT n FROM rows"), [(1,)])
        self.assertEqual(database.sql("SELECT position, line, column, content FROM _gatherd_dead_letters"),
                         [(1, 5, 3, '{"@a":"\u00e9","n":"x"}')])

    def test_a_list_shrinks_to_one_and_to_none_and_grows_again(self):
        bodies = [b"<l><i><v>1</v></i><i><v>2</v></i></l>", b"<l><i><v>3</v></i></l>", b"<l/>", b"<l><i><v>4</v></i></l>"]
        url = self.python_server(lambda _: (200, {"Content-Type": "text/xml"}, bodies.pop(0)))
        daemon = self.daemon(f"""
sources:
  - {{name: list, url: "{url}", interval: 100ms, records: "$.l.i[*]"}}
""", start=False)
        for _ in range(4):
            result = self.gatherd("run", "--once", "-c", daemon.config_path)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([row[0] for row in daemon.sql("SELECT v FROM list")], ["1", "2", "3", "4"])
        self.assertEqual([row[0] for row in daemon.sql("SELECT records FROM _gatherd_runs")], [2, 1, 0, 1])


if __name__ == "__main__":
    unittest.main()
