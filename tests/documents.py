#!/usr/bin/env python3
"""documents.py - links in the documents lead somewhere, and the configurations shown in them are good ones.

Says what is wrong with file and line, and exits 1. An example is a block marked `yaml`. It may be a whole file, some of
a list of sources, or keys of a source; of such keys, what follows an empty line or begins with a key that was there
before is an example of its own.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])
GATHERD = pathlib.Path(os.environ.get("GATHERD", ROOT / "build/dev/gatherd")).resolve()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)

# What keys of a source are shown without, and what they speak of.
SOURCE = {"name": "example", "url": "https://api.example.org/"}
COMPANIONS = [
    "",
    "fields: {id: $.id, magnitude: {path: $.magnitude, type: real}, place: $.place, region: $.region,"
    " time: {path: $.time, type: timestamp, unit: ms}}",
    "primary_key: id",
    "primary_key: id\nfields: {id: $.id, region: $.region, time: $.time, place: $.place}",
    "method: POST\nbody: {query: q, variables: {}}",
]
MAKE_CERTIFICATE = ("openssl req -x509 -newkey rsa:2048 -keyout client.key -passout file:client.password -out client.pem"
                    " -subj /CN=example -days 2")


def without_code(text):
    """The same number of lines, none of them code."""
    return BLOCK.sub(lambda block: re.sub(r"[^\n]", "", block.group()), text)


def anchors(path):
    """As GitHub makes them of headings."""
    names = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(path.read_text()), re.M):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        number = 0
        while slug + (f"-{number}" if number else "") in names:
            number += 1
        names.add(slug + (f"-{number}" if number else ""))
    return names


def bad_links(path):
    text = re.sub(r"`[^`\n]*`", "", without_code(path.read_text()))
    for number, line in enumerate(text.split("\n"), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path
            if not other.exists():
                yield number, f"{target}: there is no such file"
            elif anchor and anchor not in anchors(other):
                yield number, f"{target}: there is no such heading"


def undented(text):
    """Without what all lines are indented by."""
    margin = min(len(line) - len(line.lstrip()) for line in text.split("\n") if line.strip())
    return "".join(line[margin:] + "\n" for line in text.rstrip("\n").split("\n"))


def pieces(text):
    """The examples of a block."""
    text = undented(text)
    if re.search(r"^\s*- |^sources:", text, re.M):
        return [text]
    return [piece for part in text.split("\n\n") for piece in apart(part.rstrip("\n") + "\n")]


def apart(text):
    """A new one begins where a key comes again."""
    seen, piece = set(), ""
    for line in text.splitlines(keepends=True):
        key = re.match(r"(\w+):", line)
        if key and key.group(1) in seen:
            yield piece
            seen, piece = set(), ""
        if key:
            seen.add(key.group(1))
        piece += line
    yield piece


def readings(piece):
    """What the example may be meant as, each a whole configuration."""
    def indented(text):
        return re.sub(r"^(?=.)", "    ", text, flags=re.M)

    limits = "rate_limits: {github: {requests: 5000, per: 1h}}\n"
    if re.match(r"\s*(#.*\n)*\s*- ", piece):
        yield limits + "sources:\n" + indented(piece)
        return
    source = "".join(f"    {key}: {value}\n" for key, value in SOURCE.items() if f"{key}:" not in piece.split())
    source = "sources:\n  -\n" + source
    yield piece
    yield piece + source
    for companion in COMPANIONS:
        yield limits + source + indented(companion + "\n" + piece)


def check(text, folder):
    (folder / "gatherd.yaml").write_text(text)
    result = subprocess.run([GATHERD, "check"], cwd=folder, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr or result.stdout


def bad_examples(path, folder):
    text = path.read_text()
    for block in BLOCK.finditer(text):
        if block.group(1) != "yaml":
            continue
        number = text.count("\n", 0, block.start()) + 1
        for piece in pieces(block.group(2)):
            errors = [check(reading, folder) for reading in readings(piece)]
            if None not in errors:
                shown = min(errors, key=lambda error: error.count("\n"))
                yield number, f"this is no good configuration:\n{piece}\n{shown}"


def write_files(folder):
    """Those that examples name."""
    for name in ("api.token", "client.password"):
        (folder / name).write_text("secret\n")
        (folder / name).chmod(0o600)
    subprocess.run(MAKE_CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
    (folder / "internal-ca.pem").write_text((folder / "client.pem").read_text())


def main():
    if shutil.which("openssl") is None:
        print("openssl is not there")
        return 77
    found = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_files(folder)
        for path in DOCUMENTS:
            for number, what in [*bad_links(path), *bad_examples(path, folder)]:
                print(f"{path.relative_to(ROOT)}:{number}: {what}")
                found += 1
    return 1 if found else 0


sys.exit(main())
