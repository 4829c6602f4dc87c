#!/usr/bin/env python3
"""One connection of a peer that is called from Python; clients.py starts it.

    client.py SPEC

SPEC is JSON: which class of which module, its folder and data, and what to do:
load     put all passages in; prints what the class says of it
first    open, answer one search; prints the seconds that took
answers  prints the row numbers found for each query by vector
measure  opens, warms up, prints "ready", waits for a line, then searches for so many seconds and prints all times
"""
import importlib
import json
import sys
import time

import psutil

WARM = 50


def measure(client, spec):
    search, n = getattr(client, spec["work"]), len(client.data.queries)
    at = spec["me"] * n // spec["of"]
    for i in range(WARM):
        search((at - i) % n)
    print("ready", flush=True)
    sys.stdin.readline()
    ms, began = [], time.perf_counter()
    now = began
    while now - began < spec["seconds"]:
        at = (at + 1) % n
        search(at)
        before, now = now, time.perf_counter()
        ms.append((now - before) * 1000)
    return {"seconds": now - began, "ms": ms, "memory_mib": psutil.Process().memory_info().rss / 2**20}


def first(client, spec):
    began = time.perf_counter()
    client.open()
    getattr(client, spec["work"])(0)
    return {"seconds": time.perf_counter() - began}


def main():
    spec = json.loads(sys.argv[1])
    module = importlib.import_module(spec["module"])
    client = getattr(module, spec["class"])(spec)
    if spec["act"] == "load":
        out = client.load()
    elif spec["act"] == "first":
        out = first(client, spec)
    else:
        client.open()
        if spec["act"] == "answers":
            out = [[int(r) for r in client.vector(i)] for i in range(len(client.data.queries))]
        else:
            out = measure(client, spec)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
