"""readback over HTTP: documents by load_documents.py, searches by the load client."""
import http.client
import json
import re
import sys
import time

import make_requests
import processes
from base import HttpPeer
from data import DIM
from processes import Failed

KEY = "rb_bench"
A_SHARD = 100_000
QUIET = 3


class Readback(HttpPeer):
    name = "readback"
    works = ("hybrid", "hybrid_acl", "vector", "words")

    def documents(self):
        """Those of make_million.py, else our own."""
        made = sorted(self.data.folder.glob("requests/documents-*.ndjson"))
        if made and self.data.is_whole:
            return made
        make_requests.write_shards(self.data.folder, self.requests, A_SHARD, self.data.count)
        return sorted(self.requests.glob("documents-*.ndjson"))

    def load(self):
        make_requests.write_searches(self.data.folder, self.requests, KEY)
        documents = self.documents()
        self.start()
        try:
            said = processes.call([sys.executable, make_requests.__file__.replace("make_requests", "load_documents"),
                                   f"{self.host}:{self.port}", *documents, "--key", KEY])
            began = time.monotonic()
            merged = self.wait_for_merges() - began
        finally:
            self.stop()
        for file in self.requests.glob("documents-*.ndjson"):
            file.unlink()
        return {"seconds": float(re.search(r" in ([\d.]+) s", said).group(1)), "merged_after_s": merged}

    def status(self):
        c = http.client.HTTPConnection(self.host, self.port)
        c.request("GET", "/v1/status", headers={"Authorization": f"Bearer {KEY}"})
        return json.loads(c.getresponse().read())

    def wait_for_merges(self):
        """Until there is one segment and nothing changes for QUIET seconds. Returns when that began."""
        before, since = None, time.monotonic()
        while before is None or before["segments"] > 1 or time.monotonic() - since < QUIET:
            index = self.status()["index"]
            if index != before:
                before, since = index, time.monotonic()
            time.sleep(0.1)
        return since

    def start(self):
        began = time.monotonic()
        self.log.unlink(missing_ok=True)
        program = self.run.options.readback or self.run.options.build / "readback"
        self.process = processes.start([program, "serve", "--data", self.folder / "data", "--listen", "127.0.0.1:0",
                                        "--dev-key", KEY, "--quiet"], self.log)
        self.port = processes.wait_until(self.ready, self.process, self.log)
        self.first_answer()
        return time.monotonic() - began

    def ready(self):
        found = re.search(r"ready on http://127.0.0.1:(\d+)", self.log.read_text())
        if not found:
            raise Failed("no line says that it is ready")
        return int(found.group(1))

    def first_answer(self):
        c = http.client.HTTPConnection(self.host, self.port)
        body = json.dumps({"query": "first", "vector": [1.0] + [0.0] * (DIM - 1)})
        c.request("POST", "/v1/search", body, {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
        r = c.getresponse()
        if r.status != 200:
            raise Failed(f"status {r.status}: {r.read()[:200]}")

    def rows(self, body):
        return [int(hit["id"][1:]) for hit in json.loads(body)["data"]]
