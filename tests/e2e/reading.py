"""reading.py - what a JSON body should become, worked out by Python's own json module.

Nothing here knows how gatherd reads: records are cut out of the text by json.JSONDecoder, numbers
are judged by decimal.Decimal. A record is the raw text of its members; a cell follows from it.
"""
import decimal
import json
import re

_decoder = json.JSONDecoder()
_blank = re.compile(r"[ \t\r\n]*")
_integer = re.compile(r"-?[0-9]+")
_number = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE][-+]?[0-9]+)?")


def document(body):
    """The JSON text of a body: without byte order mark and white space around it."""
    return body.decode("utf-8-sig").strip(" \t\r\n")


def lines(body):
    """The documents of newline-delimited JSON."""
    return [line.strip() for line in body.decode("utf-8-sig").split("\n") if line.strip()]


def children(text):
    """(name, raw text) of each member of an object, (None, raw text) of each element of an array."""
    at = _blank.match(text, 1).end()
    while text[at] not in "]}":
        name = None
        if text[0] == "{":
            name, at = _decoder.raw_decode(text, at)
            at = _blank.match(text, at).end() + 1  # past the colon
            at = _blank.match(text, at).end()
        end = _decoder.raw_decode(text, at)[1]
        yield name, text[at:end]
        at = _blank.match(text, end).end()
        if text[at] == ",":
            at = _blank.match(text, at + 1).end()


def select(text, *steps):
    """The raw text of what a path selects: a name, an index, or "*" for all children."""
    found = [text]
    for step in steps:
        pairs = [(i, name, raw) for node in found if node[0] in "[{"
                 for i, (name, raw) in enumerate(children(node))]
        found = [raw for i, name, raw in pairs
                 if step == "*" or (i == step and name is None) or (name is not None and name == step)]
    return found


def number(raw):
    """An int of 64 bits, a float that prints as the same decimal, or the digits as they came."""
    if _integer.fullmatch(raw):
        return int(raw) if -2**63 <= int(raw) < 2**63 else raw
    whole, fraction = _number.fullmatch(raw).groups(default="")
    digits = len((whole + fraction).strip("0")) or 1
    value = float(raw)
    if digits > 17 or value in (float("inf"), float("-inf")):
        return raw
    same = decimal.Decimal(f"{value:.{digits - 1}e}") == decimal.Decimal(raw)
    return value if same else raw


def cell(raw):
    """What sqlite3 should give back for a value of no declared type."""
    if raw[0] in "[{":
        return raw
    if raw[0] == "-" or raw[0].isdigit():
        return number(raw)
    value = json.loads(raw)
    return int(value) if isinstance(value, bool) else value


def column_name(member, taken):
    """The column of a member, beside the columns `taken` (gatherd's own are always taken)."""
    plain = re.sub(r"[^0-9A-Za-z_\u0080-\U0010ffff]+", "_", member) or "_"
    plain = "_" + plain if plain[0].isascii() and plain[0].isdigit() else plain
    folded = {name.lower() if name.isascii() else name for name in taken}
    folded |= {"_run_id", "_fetched_at"}
    name, suffix = plain, 1
    while (name.lower() if name.isascii() else name) in folded:
        suffix += 1
        name = f"{plain}_{suffix}"
    return name


def table(records):
    """Column names in order, and a row of cells for each record (raw text)."""
    members = {}
    rows = []
    for record in records:
        pairs = children(record) if record[0] == "{" else [("value", record)]
        cells = {}
        for name, raw in pairs:
            if name not in members:
                members[name] = column_name(name, members.values())
            cells[members[name]] = cell(raw)  # of equal names the last one wins
        rows.append(cells)
    columns = list(members.values())
    return columns, [[row.get(column) for column in columns] for row in rows]


_types = {int: "INTEGER", float: "REAL", str: "TEXT"}


def column_type(values):
    """The declared type of a column that took these values in one response."""
    seen = {_types[type(value)] for value in values if value is not None}
    return seen.pop() if len(seen) == 1 else "ANY"
