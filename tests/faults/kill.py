#!/usr/bin/env python3
"""Kills the real server with SIGKILL at random times under a mixed load, and proves that nothing is lost or doubled.

    python3 tests/faults/kill.py [--kills 200] [--seed 1] [--clients 6] [--longest 1.5] [--keep DIR]

READBACK_BIN names the program (build/readback). After each kill the server starts again on the same folder; each
client sends what was not answered again with its Idempotency-Key, and all that was answered since the last kill as
well. Then (a part each time, all of it at the end): every acknowledged write is there and findable, every deleted or
re-permissioned document stays so, each write counts exactly once. After every fourth kill a quiet server is killed as
well, and `exact` searches give the same top 10 before and after. At the end the database is checked with SQLite.
Standard library only. Exit code 0: all true; 1: not, the message says what.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from load import KEY, Client, Connection, Unanswered, Wrong  # noqa: E402

BIN = os.environ.get("READBACK_BIN", "build/readback")
QUERIES = ("refund for a parcel that never came", "the router has no battery", "velvet comet over the harbour",
           "change the delivery address of an order", "password of my account", "glacier walnut voucher receipt")
QUIET_EVERY = 4


class Server:
    def __init__(self, data, options):
        self.command = [BIN, "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--dev-key", KEY, "--quiet", *options]
        self.process, self.tail = None, []

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        self.tail = []
        for line in self.process.stderr:
            self.tail = self.tail[-20:] + [line]
            found = re.match(r"readback: ready on http://(\S+)", line)
            if found:
                self.address = found.group(1)
                threading.Thread(target=self._drain, args=(self.process.stderr,), daemon=True).start()
                return time.monotonic() - began
        raise Wrong("the server does not start again:\n" + "".join(self.tail))

    def _drain(self, stream):
        for line in stream:
            self.tail = self.tail[-20:] + [line]

    def end(self, how=signal.SIGKILL):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code, self.process = self.process.wait(timeout=120), None
        return code


def searches(address):
    """The top 10 of each kind, exact, with scores."""
    connection = Connection(address)
    found = []
    for query in QUERIES:
        for kind in ("document", "case", "conversation"):
            status, answer = connection.call("POST", "/v1/search", {"query": query, "kinds": [kind], "k": 10, "exact": True})
            if status != 200:
                raise Wrong(f"search: {answer}")
            found.append([(h["id"], h["score"]) for h in answer["data"]])
    connection.close()
    return found


def each(clients, act):
    """Runs act(client) for all at the same time; the first failure is raised."""
    results, failures = {}, []

    def run(client):
        try:
            results[client.name] = act(client)
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=run, args=(c,)) for c in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return results


def check_counts(clients, address):
    connection = Connection(address)
    status, answer = connection.call("GET", "/v1/status")
    connection.close()
    records = answer["records"]
    total = {k: sum(c.counts[k] for c in clients) for k in clients[0].counts}
    total["document"] = sum(len(c.documents) for c in clients)
    total["conversation"] = sum(len(c.conversations) for c in clients)
    records["labels"] = records["vote"] + records["relevance"]
    wrong = {k: (records[k], n) for k, n in total.items() if records[k] != n}
    if status != 200 or wrong:
        raise Wrong(f"(in the server, in the model): {wrong}")
    return total


def check_database(data):
    """SQLite's own checks, on the folder of a server that has ended."""
    files = list(pathlib.Path(data).glob("tenants/*/readback.db"))
    if len(files) != 1:
        raise Wrong(f"one tenant's database was expected: {files}")
    db = sqlite3.connect(files[0])
    told = db.execute("PRAGMA integrity_check").fetchall()
    if told != [("ok",)] or db.execute("PRAGMA foreign_key_check").fetchall():
        raise Wrong(f"integrity_check: {told[:5]}")
    tables = [n for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'")]
    for name in tables:
        db.execute(f"INSERT INTO {name}({name}, rank) VALUES('integrity-check', 1)")
    if not tables:
        raise Wrong("no FTS5 table was found")
    doubles = db.execute("SELECT stream, revision FROM events GROUP BY 1, 2 HAVING count(*) > 1").fetchall()
    if doubles:
        raise Wrong(f"revisions that came twice: {doubles[:5]}")
    events = db.execute("SELECT count(*) FROM events").fetchone()[0]
    db.rollback()
    db.close()
    return events, len(tables)


def quiet_kill(server):
    before = searches(server.address)
    server.end(signal.SIGKILL)
    server.start()
    after = searches(server.address)
    if before != after:
        changed = [(b, a) for b, a in zip(before, after) if b != a][0]
        raise Wrong(f"the exact top 10 before and after a restart: {changed[0]} and {changed[1]}")


def run(args, data, server):
    chance = random.Random(args.seed)
    clients = [Client(f"k{i}", args.seed) for i in range(args.clients)]
    starts = [server.start()]
    made = subprocess.run([BIN, "key", "create", "--scopes", "bot", "--data", str(data)], check=True, capture_output=True,
                          text=True)
    outsider = made.stdout.strip()
    writes = unanswered = quiet = 0
    for kill in range(1, args.kills + 1):
        for c in clients:
            c.begin(server.address)
        time.sleep(chance.uniform(0.02, args.longest))
        code = server.end(signal.SIGKILL)
        for c in clients:
            c.end()
        if code != -signal.SIGKILL:
            raise Wrong(f"the server had ended by itself with {code}:\n" + "".join(server.tail))
        starts.append(server.start())
        for n, open_ in each(clients, lambda c: c.repeat(server.address)).values():
            writes += n
            unanswered += open_
        check_counts(clients, server.address)
        each(clients, lambda c: c.check(server.address, outsider, args.share))
        if kill % QUIET_EVERY == 0:
            quiet_kill(server)
            quiet += 1
        if kill % 10 == 0 or kill == args.kills:
            print(f"kill {kill}: {writes} writes, {unanswered} of them unanswered at first, start {starts[-1]:.2f} s",
                  flush=True)
    each(clients, lambda c: c.check(server.address, outsider))
    total = check_counts(clients, server.address)
    if server.end(signal.SIGTERM) != 0:
        raise Wrong("the server did not end well:\n" + "".join(server.tail))
    verified = subprocess.run([BIN, "verify", "--data", str(data)], capture_output=True, text=True)
    if verified.returncode != 0:
        raise Wrong("tables and events differ:\n" + verified.stdout + verified.stderr)
    events, tables = check_database(data)
    starts.sort()
    print(f"ok: {args.kills} kills under load and {quiet} on a quiet server; {writes} writes, each sent at least twice, "
          f"{unanswered} unanswered at first; each counts once")
    print("held: " + ", ".join(f"{n} {k}" for k, n in sorted(total.items())) + f"; {events} events")
    print(f"integrity_check ok, {tables} FTS5 tables ok, the events give the same tables; start median {starts[len(starts) // 2]:.2f} s, "
          f"longest {starts[-1]:.2f} s")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--kills", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--clients", type=int, default=6)
    p.add_argument("--longest", type=float, default=1.5, help="seconds of load before a kill, at most")
    p.add_argument("--share", type=float, default=0.1, help="part of all that is checked after each kill")
    p.add_argument("--embedder", help="minilm or none; the server's own choice otherwise")
    p.add_argument("--keep", help="a data folder that stays; otherwise a temporary one")
    args = p.parse_args()
    print(f"seed {args.seed}", flush=True)
    data = pathlib.Path(args.keep or tempfile.mkdtemp(prefix="readback-kill-"))
    server = Server(data, ["--embedder", args.embedder] if args.embedder else [])
    try:
        run(args, data, server)
    except (Wrong, Unanswered) as error:
        print(f"FAILED: {error}\n(seed {args.seed}; the data folder stays: {data})\n" + "".join(server.tail), flush=True)
        return 1
    finally:
        server.end()
    if not args.keep:
        shutil.rmtree(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
