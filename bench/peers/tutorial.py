#!/usr/bin/python3
"""The tutorial program: fetcher threads, a queue, processor threads, save_to_database().

As the tutorials write it: requests without a session, sqlite3 with its defaults, one commit an item.
Usage: tutorial.py DATABASE SECONDS URL...; prints the polls stored.
"""
import queue
import sqlite3
import sys
import threading
import time

import requests

FETCHERS = 8
PROCESSORS = 2

items = queue.Queue(maxsize=1000)
lock = threading.Lock()
stored = 0


def fetcher(urls, end):
    while time.monotonic() < end:
        for url in urls:
            if time.monotonic() >= end:
                return
            items.put((url, requests.get(url, timeout=10).json()))


def save_to_database(connection, url, records):
    global stored
    for r in records:
        connection.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(r.values()))
    connection.execute("INSERT INTO polls VALUES (?, ?)", (url, time.time()))
    connection.commit()
    stored += 1


def processor(database):
    connection = sqlite3.connect(database)
    while True:
        item = items.get()
        if item is None:
            return
        with lock:
            save_to_database(connection, *item)
        items.task_done()


def main():
    database, seconds, urls = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE items (a, b, c, d, e, f, g, h)")
    connection.execute("CREATE TABLE polls (url, at)")
    connection.commit()
    end = time.monotonic() + seconds
    fetchers = [threading.Thread(target=fetcher, args=(urls[i::FETCHERS] or urls, end))
                for i in range(FETCHERS)]
    processors = [threading.Thread(target=processor, args=(database,)) for _ in range(PROCESSORS)]
    for t in fetchers + processors:
        t.start()
    for t in fetchers:
        t.join()
    for _ in processors:
        items.put(None)
    for t in processors:
        t.join()
    print(stored)


if __name__ == "__main__":
    main()
