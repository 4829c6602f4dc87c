#!/usr/bin/env python3
"""Sends a file of documents to a server in batches, over one connection, and waits until all are findable.

    tests/bench/load_documents.py HOST:PORT FILE.ndjson [KEY]
"""
import http.client
import json
import sys
import time

BATCH = 2000


def main():
    host, path, key = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "rb_bench"
    with open(path, "rb") as f:
        lines = f.readlines()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    c = http.client.HTTPConnection(host)
    began, jobs = time.monotonic(), []
    for i in range(0, len(lines), BATCH):
        c.request("POST", "/v1/documents/batch", b"".join(lines[i:i + BATCH]), headers)
        r = c.getresponse()
        answer = json.loads(r.read())
        if r.status != 202:
            sys.exit(f"{r.status}: {answer}")
        jobs.append(answer["job"]["id"])
    for job in jobs:
        while True:
            c.request("GET", f"/v1/jobs/{job}", headers=headers)
            answer = json.loads(c.getresponse().read())
            answer = answer.get("job", answer)
            if answer["state"] in ("done", "failed"):
                break
            time.sleep(0.02)
        if answer["state"] == "failed" or answer["failed"]:
            sys.exit(f"{job}: {answer}")
    took = time.monotonic() - began
    print(f"{len(lines)} documents in {took:.1f} s: {len(lines) / took:.0f} a second")


if __name__ == "__main__":
    main()
