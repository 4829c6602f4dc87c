#!/usr/bin/env python3
"""Sends files of documents to a server in batches, over one connection, and waits until all are findable.

    tests/bench/load_documents.py HOST:PORT FILE.ndjson… [--key KEY]

At most one batch is in memory. Time includes reading the files.
"""
import argparse
import http.client
import itertools
import json
import sys
import time

BATCH = 2000


def lines_of(paths):
    for path in paths:
        with open(path, "rb") as f:
            yield from f


def send(c, headers, lines):
    """Returns the number of documents, and the ids of the jobs that take them in."""
    n, jobs = 0, []
    while batch := list(itertools.islice(lines, BATCH)):
        c.request("POST", "/v1/documents/batch", b"".join(batch), headers)
        r = c.getresponse()
        answer = json.loads(r.read())
        if r.status != 202:
            sys.exit(f"{r.status}: {answer}")
        n += len(batch)
        jobs.append(answer["job"]["id"])
    return n, jobs


def wait(c, headers, job):
    while True:
        c.request("GET", f"/v1/jobs/{job}", headers=headers)
        answer = json.loads(c.getresponse().read())
        answer = answer.get("job", answer)
        if answer["state"] in ("done", "failed"):
            break
        time.sleep(0.02)
    if answer["state"] == "failed" or answer["failed"]:
        sys.exit(f"{job}: {answer}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("host")
    p.add_argument("files", nargs="+")
    p.add_argument("--key", default="rb_bench")
    a = p.parse_args()
    headers = {"Authorization": f"Bearer {a.key}", "Content-Type": "application/x-ndjson"}
    c = http.client.HTTPConnection(a.host)
    began = time.monotonic()
    n, jobs = send(c, headers, lines_of(a.files))
    for job in jobs:
        wait(c, headers, job)
    took = time.monotonic() - began
    print(f"{n} documents in {took:.1f} s: {n / took:.0f} a second")


if __name__ == "__main__":
    main()
