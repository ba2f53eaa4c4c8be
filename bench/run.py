#!/usr/bin/python3
"""run.py - measures gatherd beside its limits and prints the table of bench/RESULTS.md.

    bench/run.py [--rounds N] [--seconds N] [--only CASE[,CASE]] [--build DIR]

Each case alternates with its limit in the same run, so that the ratio holds when the machine's speed
drifts: quote medians and ratios, not single times. Needs the build with -DGATHERD_BENCH=ON (this
script makes it), nginx, python3-requests, python3-aiohttp.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench/peers"
IN_FLIGHT = 64


def record(i):
    """One record of the answers; bare_insert.c binds the same values."""
    return {"id": i, "name": f"station number {i % 100:03}", "lat": round(48.1 + i % 100 / 1000, 3),
            "lon": round(11.5 + i % 100 / 1000, 3), "bikes": 17 + i % 100, "open": bool(i % 2),
            "seen": "2026-01-02T03:04:05Z", "note": "operational, no restrictions known"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self, folder):
        self.folder = folder / "nginx"
        (self.folder / "www").mkdir(parents=True)
        for name, count in (("small", 5), ("large", 100)):
            (self.folder / "www" / f"{name}.json").write_text(json.dumps([record(i) for i in range(count)]))
        self.port = free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text(f"""
            daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log; worker_processes 1;
            {"user root;" if os.getuid() == 0 else ""}
            events {{ worker_connections 8192; }}
            http {{
              access_log off; keepalive_requests 100000000; open_file_cache max=100;
              types {{ application/json json; }}
              client_body_temp_path {self.folder}/t; proxy_temp_path {self.folder}/t;
              fastcgi_temp_path {self.folder}/t; uwsgi_temp_path {self.folder}/t;
              scgi_temp_path {self.folder}/t;
              server {{ listen 127.0.0.1:{self.port} backlog=4096; root {self.folder}/www; }}
            }}""")
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([nginx, "-p", self.folder, "-c", conf])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("nginx did not start")

    def url(self, name, i=0):
        return f"http://127.0.0.1:{self.port}/{name}.json?source={i}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Gatherd:
    def __init__(self, binary, folder, config):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.config = self.folder / "gatherd.yaml"
        self.database = self.folder / "gatherd.db"
        self.config.write_text(config)
        self.binary = binary
        self.process = None

    def start(self):
        log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([self.binary, "run", "-c", self.config], stderr=log)
        while b"msg=ready" not in (self.folder / "log").read_bytes():
            if self.process.poll() is not None:
                sys.exit((self.folder / "log").read_text())
            time.sleep(0.01)
        return self

    def counts(self):
        """Runs and rows committed so far."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute("SELECT sum(runs), sum(rows_inserted + rows_updated)"
                                      " FROM _gatherd_sources").fetchone()
        finally:
            connection.close()

    def memory(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
        return 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def discard(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def saturating_config(nginx, name, sources, extra=""):
    lines = ["database: gatherd.db", f"hosts: {{max_concurrent: {IN_FLIGHT}}}",
             "defaults: {interval: 10ms, conditional: false}", "sources:"]
    lines += [f'- {{name: s{i}, url: "{nginx.url(name, i)}"{extra}}}' for i in range(sources)]
    return "\n".join(lines) + "\n"


def measure_gatherd(binary, folder, config, seconds):
    """Runs and rows a second once everything is under way, and the peak memory in MiB."""
    gatherd = Gatherd(binary, folder, config).start()
    time.sleep(1.5)
    before, start = gatherd.counts(), time.monotonic()
    time.sleep(seconds)
    after, end = gatherd.counts(), time.monotonic()
    peak = gatherd.memory("VmHWM:") / 1024
    gatherd.stop()
    gatherd.discard()
    runs, rows = ((a or 0) - (b or 0) for a, b in zip(after, before))
    return runs / (end - start), rows / (end - start), peak


def run_peer(command):
    """What a peer prints, and its peak memory in MiB."""
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return float(out), usage.ru_maxrss / 1024


class Case:
    def __init__(self, title, unit, limit, floor):
        self.title, self.unit, self.limit, self.floor = title, unit, limit, floor
        self.ours, self.theirs, self.memory, self.their_memory = [], [], [], []

    def add(self, ours, theirs, memory=0, their_memory=0):
        self.ours.append(ours)
        self.theirs.append(theirs)
        self.memory.append(memory)
        self.their_memory.append(their_memory)
        print(f"  {self.title}: {ours:,.0f} beside {theirs:,.0f} {self.unit}: {ours / theirs:.2f}",
              file=sys.stderr, flush=True)

    def row(self):
        ratios = sorted(a / b for a, b in zip(self.ours, self.theirs))
        memory = ""
        if any(self.memory):
            memory = f"{statistics.median(self.memory):.0f}"
            if any(self.their_memory):
                memory += f" / {statistics.median(self.their_memory):.0f}"
        return (f"| {self.title} | {statistics.median(self.ours):,.0f} | {self.limit} | "
                f"{statistics.median(self.theirs):,.0f} | {self.unit} | "
                f"**{statistics.median(ratios):.2f}** ({ratios[0]:.2f}–{ratios[-1]:.2f}) | "
                f"{self.floor} | {memory} |")


def bench_rows(b):
    case = Case("rows end to end, 20 KB answers of 100 records × 8 columns", "rows/s",
                "a bare prepared-statement loop", "0.6")
    rows = 1_000_000
    for _ in range(b.rounds):
        _, ours, peak = measure_gatherd(b.binary, b.folder, saturating_config(b.nginx, "large", 200), b.seconds)
        database = b.folder / "bare.db"
        taken, _ = run_peer([b.build / "bench/bare_insert", database, rows])
        for path in b.folder.glob("bare.db*"):
            path.unlink()
        case.add(ours, rows / taken, peak)
    return [case.row()]


def bench_polls(b):
    bare = Case("polls, 1 KB answers, each stored", "polls/s", "a bare curl loop, bodies thrown away", "0.45")
    tutorial = Case("the same", "polls/s", "the tutorial program (threads, requests, sqlite3)", "10")
    careful = Case("the same", "polls/s", "asyncio, aiohttp, WAL, batches", "3")
    urls = [b.nginx.url("small", i) for i in range(IN_FLIGHT)]
    for _ in range(b.rounds):
        ours, _, peak = measure_gatherd(b.binary, b.folder, saturating_config(b.nginx, "small", 200), b.seconds)
        answers, _ = run_peer([b.build / "bench/bare_curl", b.seconds, IN_FLIGHT, *urls])
        bare.add(ours, answers / b.seconds, peak)
        for case, program in ((tutorial, "tutorial.py"), (careful, "aiohttp_poller.py")):
            database = b.folder / "peer.db"
            polls, memory = run_peer([PEERS / program, database, b.seconds, *urls])
            for path in b.folder.glob("peer.db*"):
                path.unlink()
            case.add(ours, polls / b.seconds, peak, memory)
    return [bare.row(), tutorial.row(), careful.row()]


def idle_memory(b, sources):
    """KiB resident with `sources` that have run once and wait for their next time."""
    lines = ["database: gatherd.db", f"hosts: {{max_concurrent: {IN_FLIGHT}}}",
             "defaults: {interval: 24h}", "include: more-*.yaml", "sources:"]
    lines += [f'- {{name: s0, url: "{b.nginx.url("small")}"}}']
    gatherd = Gatherd(b.binary, b.folder, "\n".join(lines) + "\n")
    for first in range(1, sources, 5000):
        more = [f'- {{name: s{i}, url: "{b.nginx.url("small", i)}"}}'
                for i in range(first, min(first + 5000, sources))]
        (gatherd.folder / f"more-{first}.yaml").write_text("sources:\n" + "\n".join(more) + "\n")
    gatherd.start()
    while (gatherd.counts()[0] or 0) < sources:
        time.sleep(0.2)
    gatherd.stop()
    gatherd.start()
    time.sleep(2)
    memory = gatherd.memory("VmRSS:")
    gatherd.stop()
    gatherd.discard()
    return memory


def bench_idle(b):
    few = idle_memory(b, 10)
    lines = [f"| 10 | {few:,} | |"]
    for count in (1000, 10000):
        memory = idle_memory(b, count)
        lines.append(f"| {count:,} | {memory:,} | {(memory - few) / (count - 10):.2f} |")
    return lines


def build(directory):
    for command in (["cmake", "--preset", "release", "-DGATHERD_BENCH=ON"],
                    ["cmake", "--build", str(directory)]):
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    versions = sqlite3.sqlite_version
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, SQLite {versions}"


class Bench:
    pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", default="rows,polls,idle")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    args = parser.parse_args()
    build(args.build)
    b = Bench()
    b.rounds, b.seconds, b.build, b.binary = args.rounds, args.seconds, args.build, args.build / "gatherd"
    b.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatherd-bench-"))
    b.nginx = Nginx(b.folder)
    only = args.only.split(",")
    try:
        print(f"{machine()}; {b.rounds} rounds of {b.seconds:g} s, medians\n")
        if "rows" in only or "polls" in only:
            print("| what | gatherd | beside | limit | unit | ratio (least–most) | at least | memory MiB |")
            print("|---|---:|---|---:|---|---|---:|---:|")
        for name, case in (("rows", bench_rows), ("polls", bench_polls)):
            if name in only:
                print("\n".join(case(b)), flush=True)
        if "idle" in only:
            print("\n| idle sources | resident KiB | KiB a source |\n|---:|---:|---:|")
            print("\n".join(bench_idle(b)))
    finally:
        b.nginx.stop()
        shutil.rmtree(b.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
