"""Peers that are called from Python: each connection is a process that runs client.py."""
import json
import pathlib
import subprocess
import sys

import processes
from base import Peer
from data import Data
from processes import Failed

HERE = pathlib.Path(__file__).parent


class Client:
    """A subclass has load(), open(), and a method for each work that takes a query's number and returns row numbers."""

    def __init__(self, spec):
        self.spec = spec
        self.folder = spec["folder"]
        self.data = Data(spec["data"], spec["count"])


class ClientPeer(Peer):
    """A peer that is called from Python: client.py is a process a connection, and makes `client_class` of `module`."""
    module = client_class = None

    def options(self):
        """What the client needs to know."""
        return {}

    def spec(self, **more):
        return json.dumps({"module": self.module, "class": self.client_class, "folder": str(self.folder),
                           "data": str(self.data.folder), "count": self.data.count, **self.options(), **more})

    def client(self, **more):
        return json.loads(processes.call([sys.executable, HERE / "client.py", self.spec(**more)]))

    def load(self):
        return self.client(act="load")

    def start(self):
        return self.client(act="first", work=self.works[0])["seconds"]

    def measure(self, work, connections, seconds, **more):
        clients = []
        try:
            for i in range(connections):
                spec = self.spec(act="measure", work=work, me=i, of=connections, seconds=seconds, **more)
                clients.append(self.begin(spec))
            return merge(self.together(clients))
        finally:
            for c in clients:
                processes.end(c)

    def begin(self, spec):
        with open(self.log, "ab") as log:
            return subprocess.Popen([sys.executable, HERE / "client.py", spec], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)

    def together(self, clients):
        """All are open and warm before the first begins."""
        for c in clients:
            if c.stdout.readline() != "ready\n":
                c.wait()
                raise Failed(processes.last_line(self.log.read_text(errors="replace")))
        for c in clients:
            c.stdin.write("go\n")
            c.stdin.flush()
        tallies = [json.loads(c.stdout.readline()) for c in clients]
        self.resident = tallies[0]["memory_mib"]
        return tallies

    def answers(self, **more):
        return self.client(act="answers", **more)

    def memory(self):
        return self.resident


def merge(tallies):
    ms = sorted(t for tally in tallies for t in tally["ms"])
    return {"connections": len(tallies), "n": len(ms), "errors": 0,
            "rate": sum(len(t["ms"]) / t["seconds"] for t in tallies),
            "p50": ms[len(ms) // 2], "p95": ms[len(ms) * 95 // 100], "p99": ms[len(ms) * 99 // 100]}
