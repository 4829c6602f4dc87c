#!/usr/bin/env python3
"""Sends files of documents to a server in batches, over one connection, and waits until all are findable.

    tests/bench/load_documents.py HOST:PORT FILE.ndjson… [--key KEY] [--rate N [--seconds S]] [--again PREFIX]

At most one batch is in memory. Time includes reading the files. --rate sends so many a second, in small batches that
are due by a clock. --again puts PREFIX in front of each id, so that the same files are other documents.
"""
import argparse
import http.client
import itertools
import json
import sys
import time

BATCH = 2000


BATCHES_A_SECOND = 5  # of --rate


def lines_of(paths, prefix):
    begin = b'{"_id": "'
    for path in paths:
        with open(path, "rb") as f:
            for line in f:
                if prefix and not line.startswith(begin):
                    sys.exit(f"{path}: a line does not begin with {begin.decode()}")
                yield begin + prefix + line[len(begin):] if prefix else line


def paced(lines, rate, seconds):
    """Batches of them: as they are asked for, or when each is due."""
    size = BATCH if not rate else max(1, rate // BATCHES_A_SECOND)
    began = time.monotonic()
    for n in itertools.count():
        due = began + n * size / rate if rate else began
        if seconds and due - began >= seconds:
            return
        time.sleep(max(0, due - time.monotonic()))
        if not (batch := list(itertools.islice(lines, size))):
            return
        yield batch


def send(c, headers, batches):
    """Returns the number of documents, and the ids of the jobs that take them in."""
    n, jobs = 0, []
    for batch in batches:
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
    p.add_argument("--rate", type=int)
    p.add_argument("--seconds", type=float)
    p.add_argument("--again", default="", metavar="PREFIX")
    a = p.parse_args()
    headers = {"Authorization": f"Bearer {a.key}", "Content-Type": "application/x-ndjson"}
    c = http.client.HTTPConnection(a.host)
    began = time.monotonic()
    n, jobs = send(c, headers, paced(lines_of(a.files, a.again.encode()), a.rate, a.seconds))
    for job in jobs:
        wait(c, headers, job)
    took = time.monotonic() - began
    print(f"{n} documents in {took:.1f} s: {n / took:.0f} a second")


if __name__ == "__main__":
    main()
