"""What a peer is to the benchmark: loaded once into a folder of its own, started, asked, ended."""
import json
import shutil
import struct

import processes


class Peer:
    """
    One peer. `run` has data, work (a folder) and the options of the command line.
    A subclass says which works it can do and overrides load(), start() and what asks it.
    """
    name = None
    note = ""  # set-up, for the table
    works = ()

    def __init__(self, run):
        self.run, self.data = run, run.data
        self.folder = run.work / self.name
        self.log = run.work / f"{self.name}.log"

    def built_with(self):
        """What a loaded folder depends on besides the data."""
        return {}

    def load_once(self):
        """Figures of the loading, of now or of an earlier run with the same settings."""
        kept, settings = self.folder / "loaded.json", self.built_with()
        if kept.is_file() and not self.run.options.reload:
            figures = json.loads(kept.read_text())
            if figures["built_with"] == settings:
                return figures
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        figures = self.load()
        figures["documents_per_s"] = figures.get("documents", self.data.count) / figures["seconds"]
        figures["disk_mib"] = processes.disk_mib(self.folder)
        figures["built_with"] = settings
        kept.write_text(json.dumps(figures))
        return figures

    def load(self):
        """Puts all passages in. Returns {"seconds": until searchable and on disk}, and more if it likes."""
        raise NotImplementedError

    def start(self):
        """Starts what serves. Returns seconds until the first answer, None where nothing serves."""

    def stop(self):
        """Ends what start() began."""

    def measure(self, work, connections, seconds):
        """Returns n, errors, rate, and p50, p99 in ms."""
        raise NotImplementedError

    def answers(self):
        """Row numbers of the passages found for each query by vector."""
        raise NotImplementedError

    def memory(self):
        """Resident, in MiB."""
        raise NotImplementedError


class HttpPeer(Peer):
    """A server that the load client asks: requests are made before, answers are not looked into."""
    prefix = ()  # of a command, to reach the server

    def __init__(self, run):
        super().__init__(run)
        self.process = None
        self.host, self.port = "127.0.0.1", None
        self.requests = run.work / f"{self.name}-requests"
        self.requests.mkdir(parents=True, exist_ok=True)

    def client(self, *argv):
        return processes.call([*self.prefix, self.run.options.build / "tests/bench/load", self.host, self.port, *argv])

    def send(self, file):
        """Sends each request of the file once, on one connection. Returns the bodies of the answers."""
        out = self.requests / "answers"
        self.client(file, "save", out)
        data, bodies, at = out.read_bytes(), [], 0
        out.unlink()
        while at < len(data):
            (n,) = struct.unpack_from("<I", data, at)
            bodies.append(data[at + 4:at + 4 + n])
            at += 4 + n
        return bodies

    def measure(self, work, connections, seconds):
        return json.loads(self.client(self.requests / f"{work}.req", connections, seconds))

    def answers(self):
        return [self.rows(body) for body in self.send(self.requests / "vector.req")]

    def rows(self, body):
        """Row numbers of the hits in an answer."""
        raise NotImplementedError

    def stop(self):
        if self.process:
            processes.end(self.process)
        self.process = None

    def memory(self):
        return processes.memory_mib(self.process.pid)
