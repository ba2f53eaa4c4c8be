#!/usr/bin/env python3
"""demo_api.py - a small HTTP API with this machine's vital signs, to try gatherd on.

    demo_api.py [--port PORT] [--port-file FILE]

Everything comes live from /proc, as JSON, on 127.0.0.1 only:

    /load        one object: load averages, running and total tasks
    /memory      one object: bytes by kind
    /processes   {"count": N, "processes": [{"pid": ..., "name": ..., ...}]}
    /disks       {"disks": {"sda": {...}, ...}}: one object a block device, by name

Python's standard library only. Ends by SIGTERM.
"""
import argparse
import json
import os
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
SECTOR = 512  # /proc/diskstats counts in these, whatever the device has


def load():
    one, five, fifteen, tasks, _ = pathlib.Path("/proc/loadavg").read_text().split()
    running, total = tasks.split("/")
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return {"load1": float(one), "load5": float(five), "load15": float(fifteen),
            "running": int(running), "tasks": int(total), "uptime_s": uptime}


def memory():
    kinds = {}
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        name, value = line.split(":")
        kinds[name] = int(value.split()[0]) * 1024
    wanted = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree")
    return {name: kinds[name] for name in wanted if name in kinds}


def process(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    name = stat[stat.index("(") + 1:stat.rindex(")")]
    rest = stat[stat.rindex(")") + 2:].split()
    return {"pid": int(pid), "name": name, "state": rest[0], "parent": int(rest[1]),
            "threads": int(rest[17]), "cpu_s": (int(rest[11]) + int(rest[12])) / TICKS,
            "memory_bytes": int(rest[21]) * PAGE}


def processes():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.append(process(pid))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked
    return {"count": len(found), "processes": found}


def disks():
    found = {}
    for line in pathlib.Path("/proc/diskstats").read_text().splitlines():
        fields = line.split()
        if fields[2].startswith(("loop", "ram")):
            continue
        found[fields[2]] = {"device": fields[2], "reads": int(fields[3]),
                            "read_bytes": int(fields[5]) * SECTOR, "writes": int(fields[7]),
                            "written_bytes": int(fields[9]) * SECTOR,
                            "busy_ms": int(fields[12])}
    return {"disks": found}


ANSWERS = {"/load": load, "/memory": memory, "/processes": processes, "/disks": disks}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        answer = ANSWERS.get(self.path.split("?")[0])
        body = json.dumps(answer() if answer else {"error": "not found", "try": list(ANSWERS)})
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--port-file", help="write the port to this file once it listens")
    args = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    port = server.server_address[1]
    if args.port_file:
        temporary = args.port_file + ".new"
        pathlib.Path(temporary).write_text(f"{port}\n")
        os.rename(temporary, args.port_file)  # whoever waits for it never sees half a number
    else:
        print(f"http://127.0.0.1:{port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
