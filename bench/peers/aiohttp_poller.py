#!/usr/bin/python3
"""The careful program in Python: asyncio, aiohttp with kept connections, SQLite in WAL mode, batches.

Usage: aiohttp_poller.py DATABASE SECONDS URL...; prints the polls stored.
"""
import asyncio
import sqlite3
import sys
import time

import aiohttp

TASKS = 64
BATCH = 200

stored = 0


async def fetcher(session, urls, items, end):
    while time.monotonic() < end:
        for url in urls:
            if time.monotonic() >= end:
                return
            async with session.get(url) as answer:
                await items.put((url, await answer.json()))


def save(connection, batch):
    global stored
    for url, records in batch:
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                               [list(r.values()) for r in records])
        connection.execute("INSERT INTO polls VALUES (?, ?)", (url, time.time()))
    connection.commit()
    stored += len(batch)


async def processor(connection, items):
    while True:
        batch = [await items.get()]
        while len(batch) < BATCH and not items.empty():
            batch.append(items.get_nowait())
        done = None in batch
        save(connection, [item for item in batch if item is not None])
        if done:
            return


async def main():
    database, seconds, urls = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE items (a, b, c, d, e, f, g, h)")
    connection.execute("CREATE TABLE polls (url, at)")
    connection.commit()
    items = asyncio.Queue(maxsize=1000)
    end = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(limit=TASKS)
    async with aiohttp.ClientSession(connector=connector) as session:
        saving = asyncio.create_task(processor(connection, items))
        await asyncio.gather(*(fetcher(session, urls[i::TASKS] or urls, items, end)
                               for i in range(TASKS)))
        await items.put(None)
        await saving
    print(stored)


if __name__ == "__main__":
    asyncio.run(main())
