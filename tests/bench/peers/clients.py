"""Peers that are called from Python, by client.py."""
import json
import pathlib
import sys

import processes
from base import Peer
from data import Data

HERE = pathlib.Path(__file__).parent


class Client:
    """A subclass has load(), open(), and a method for each work that takes a query's number and returns row numbers."""
    opens_before_fork = True  # what is open is shared by all connections

    def __init__(self, spec):
        self.spec = spec
        self.folder = spec["folder"]
        self.data = Data(spec["data"], spec["count"])


class ClientPeer(Peer):
    """Its `client_class` of `module` does what client.py is told."""
    module = client_class = None
    resident = None

    def options(self):
        """What the client needs to know."""
        return {}

    def client(self, **more):
        spec = {"module": self.module, "class": self.client_class, "folder": str(self.folder),
                "data": str(self.data.folder), "count": self.data.count, **self.options(), **more}
        return json.loads(processes.call([sys.executable, HERE / "client.py", json.dumps(spec)]))

    def load(self):
        return self.client(act="load")

    def start(self):
        return self.client(act="first", work=self.works[0])["seconds"]

    def measure(self, work, connections, seconds, **more):
        figures = self.client(act="measure", work=work, connections=connections, seconds=seconds, **more)
        self.resident = figures["memory_mib"]
        return figures

    def answers(self, **more):
        return self.client(act="answers", **more)

    def memory(self):
        """That of one connection."""
        return self.resident
