#!/usr/bin/env python3
"""A peer that is called from Python, with as many connections as are asked for, each a process; clients.py starts it.

    client.py SPEC

SPEC is JSON: which class of which module, its folder and data, and what to do:
load     put all passages in; prints what the class says of it
first    open, answer one search; prints the seconds that took
answers  prints the row numbers found for each query by vector
measure  opens, warms up, then all search at once for so many seconds; prints rate and percentiles
"""
import concurrent.futures
import importlib
import json
import multiprocessing
import sys
import time

import psutil

WARM = 50


class Connection:
    """One process of several; each begins at another query."""
    shared = None  # (client, spec, barrier), from before the fork

    @classmethod
    def keep(cls, *shared):
        cls.shared = shared

    @classmethod
    def measure(cls, me):
        client, spec, barrier = cls.shared
        try:
            if not client.opens_before_fork:
                client.open()
            search, n = getattr(client, spec["work"]), len(client.data.queries)
            at = me * n // spec["connections"]
            for i in range(WARM):
                search((at - i) % n)
            barrier.wait()
            return times(search, at, n, spec["seconds"])
        except Exception:
            barrier.abort()
            raise


def times(search, at, n, seconds):
    """Seconds in all, each search in ms, resident MiB."""
    ms, began = [], time.perf_counter()
    now = began
    while now - began < seconds:
        at = (at + 1) % n
        search(at)
        before, now = now, time.perf_counter()
        ms.append((now - before) * 1000)
    return now - began, ms, psutil.Process().memory_info().rss / 2**20


def measure(client, spec):
    n = spec["connections"]
    fork = multiprocessing.get_context("fork")
    if client.opens_before_fork:
        client.open()
    with concurrent.futures.ProcessPoolExecutor(n, fork, Connection.keep, (client, spec, fork.Barrier(n))) as pool:
        tallies = list(pool.map(Connection.measure, range(n)))
    ms = sorted(t for _, times_of_one, _ in tallies for t in times_of_one)
    return {"connections": n, "n": len(ms), "errors": 0, "rate": sum(len(one) / took for took, one, _ in tallies),
            "p50": ms[len(ms) // 2], "p95": ms[len(ms) * 95 // 100], "p99": ms[len(ms) * 99 // 100],
            "memory_mib": tallies[0][2]}


def first(client, spec):
    began = time.perf_counter()
    client.open()
    getattr(client, spec["work"])(0)
    return {"seconds": time.perf_counter() - began}


def answers(client, spec):
    client.open()
    return [[int(row) for row in client.vector(i)] for i in range(len(client.data.queries))]


def main():
    spec = json.loads(sys.argv[1])
    client = getattr(importlib.import_module(spec["module"]), spec["class"])(spec)
    acts = {"load": lambda c, _: c.load(), "first": first, "answers": answers, "measure": measure}
    print(json.dumps(acts[spec["act"]](client, spec)))


if __name__ == "__main__":
    main()
