#!/usr/bin/env python3
"""Import rate, start-up time, memory and the latency of searches over HTTP, for 20,000 passages with embedding.

    python3 tests/quality/speed.py [--count 20000] [--work build/speed] [--searches 1000] [--seed 1]

The passages are of public sets (sets.py), queries are of scifact and mtrag-clapnq. The data folder stays in the work
folder: the next run measures its import only with --again. Standard library only.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

import sets

KEY = "rb_speed"


class Server:
    def __init__(self, data):
        began = time.monotonic()
        self.process = subprocess.Popen([sets.BIN, "serve", "--data", data, "--listen", "127.0.0.1:0", "--dev-key", KEY, "--quiet"],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.match(r"readback: ready on http://([^:]+):(\d+)", line)
            if found:
                self.address = (found.group(1), int(found.group(2)))
                self.seconds = time.monotonic() - began
                return
        sys.exit("the server did not start")

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {k: int(re.search(rf"{k}:\s+(\d+)", status).group(1)) / 1024 for k in ("VmRSS", "VmHWM")}

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


class Raw:
    """One kept-alive connection; reads by Content-Length, nothing else."""

    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    def call(self, method, path, body=b""):
        head = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        began = time.perf_counter()
        self.socket.sendall(head + body)
        data = self.left
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        top, data = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", top).group(1))
        while len(data) < length:
            data += self.socket.recv(65536)
        seconds = time.perf_counter() - began
        self.left = data[length:]
        if b" 200 " not in top.split(b"\r\n")[0]:
            sys.exit(f"{path}: {top.decode()} {data[:500]}")
        return seconds, data[:length]


def percentiles(seconds):
    s = sorted(seconds)
    return f"p50 {s[len(s) // 2] * 1000:.2f} ms, p99 {s[int(len(s) * 0.99)] * 1000:.2f} ms"


def texts():
    for folder, name in (("scifact", "queries.dev.jsonl"), ("mtrag-clapnq", "queries.lastturn.jsonl")):
        for q in sets.lines(sets.SETS / folder / name):
            yield q["text"].removeprefix("|user|: ")


def near_vectors(data, chance, n):
    """Stored vectors with noise: what a client that embeds by itself would ask with."""
    (file,) = pathlib.Path(data).glob("tenants/*/readback.db")
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    ids = [i for (i,) in db.execute("SELECT id FROM vectors")]
    for i in chance.sample(ids, n):
        blob = db.execute("SELECT data FROM vectors WHERE id = ?", (i,)).fetchone()[0]
        v = struct.unpack(f"{len(blob) // 4}f", blob)
        yield [round(x + chance.gauss(0, 0.02), 5) for x in v]


def measure(address, bodies, clients=1):
    """Seconds of each request, and of all of them together."""
    seconds, lock = [], threading.Lock()
    rest = iter(bodies)

    def client():
        c = Raw(address)
        while True:
            with lock:
                body = next(rest, None)
            if body is None:
                break
            took, _ = c.call("POST", "/v1/search", body)
            with lock:
                seconds.append(took)
        c.socket.close()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return seconds, time.perf_counter() - began


FILTERS = (("no filter", None), ("10 %", {"type": "lt", "key": "lot", "value": 100}), ("1 %", {"type": "lt", "key": "lot", "value": 10}),
           ("0.1 %", {"type": "lt", "key": "lot", "value": 1}))


def recall(address, vectors):
    """Part of the exact top 10 (as many as there are) that a search finds, with filters at random and against the query."""
    c = Raw(address)

    def ask(v, rule, **more):
        body = {"vector": v, "k": 10, "highlight": False, **({"filter": rule} if rule else {}), **more}
        return json.loads(c.call("POST", "/v1/search", json.dumps(body).encode())[1])["data"]
    for name, rule in FILTERS + (("not of the best hit's set", "against"),):
        wanted = found = 0
        for v in vectors:
            only = rule
            if rule == "against":
                only = {"type": "ne", "key": "set", "value": ask(v, None, k=1)[0]["attributes"]["set"]}
            exact = {h["id"] for h in ask(v, only, exact=True)}
            wanted += len(exact)
            found += len(exact & {h["id"] for h in ask(v, only)})
        print(f"recall@10 against exact, {name}: {found / wanted:.4f} ({len(vectors)} vectors)", flush=True)


def import_all(args, data):
    file = sets.passages(args.work / "passages.ndjson", args.count)
    shutil.rmtree(data, ignore_errors=True)
    began = time.monotonic()
    done = subprocess.run([sets.BIN, "import", "documents", file, "--data", data, "--json"], stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"import: exit code {done.returncode}")
    n = json.loads(done.stdout)["imported"]
    print(f"import: {n} documents in {seconds:.0f} s, {n / seconds:.1f} a second")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--work", type=pathlib.Path, default=sets.ROOT / "build/speed")
    p.add_argument("--searches", type=int, default=1000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--again", action="store_true", help="import again though the data folder is there")
    args = p.parse_args()
    if not sets.retrieval("scifact", None):
        print(f"skipped: the sets are not in {sets.SETS}")
        return 0
    args.work.mkdir(parents=True, exist_ok=True)
    data = args.work / f"data-{args.count}"
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, seed {args.seed}", flush=True)
    if args.again or not data.exists():
        import_all(args, data)
    first = Server(data)  # builds what graph is missing; the last rows stay outside of it
    status, before = None, None
    while before is None or status["index"] != before["index"]:
        time.sleep(3)
        status, before = json.loads(Raw(first.address).call("GET", "/v1/status")[1]), status
    first.stop()
    starts = []
    for _ in range(5):
        s = Server(data)
        starts.append(s.seconds)
        if len(starts) < 5:
            s.stop()
    starts.sort()
    index = status["index"]
    print(f"holds: {status['records']['document']} documents, {index['rows']} rows with vectors, {index['graph_rows']} of them in "
          f"graphs; database {status['database_bytes'] / 2**20:.0f} MiB")
    print(f"start to ready: median {starts[2]:.2f} s, longest {starts[4]:.2f} s of 5")
    print(f"memory after start: {s.memory()['VmRSS']:.0f} MiB resident", flush=True)
    chance = random.Random(args.seed)
    queries = chance.choices(list(texts()), k=args.searches)
    vectors = list(near_vectors(data, chance, args.searches))

    def bodies(items, **more):
        return [json.dumps({**i, "k": 10, **more}).encode() for i in items]
    text = [{"query": q} for q in queries]
    vector = [{"vector": v} for v in vectors]
    both = [{"query": q, "vector": v} for q, v in zip(queries, vectors)]
    measure(s.address, bodies(text[:50]))
    for name, asked in (("text in", bodies(text)), ("vector in", bodies(vector)), ("text and vector in", bodies(both)),
                        ("vector in, exact", bodies(vector, exact=True))):
        seconds, _ = measure(s.address, asked)
        print(f"search, {name}, one client: {percentiles(seconds)}", flush=True)
    for name, asked in (("text in", bodies(text)), ("vector in", bodies(vector))):
        seconds, whole = measure(s.address, asked, clients=8)
        print(f"search, {name}, 8 clients: {percentiles(seconds)}, {len(seconds) / whole:.0f} a second", flush=True)
    recall(s.address, vectors[:200])
    m = s.memory()
    print(f"memory after {6 * args.searches} searches: {m['VmRSS']:.0f} MiB resident, at most {m['VmHWM']:.0f}")
    print(f"load {os.getloadavg()[0]:.1f}")
    return s.stop()


if __name__ == "__main__":
    sys.exit(main())
