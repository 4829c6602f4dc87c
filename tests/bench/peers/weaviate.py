"""Weaviate over HTTP: gRPC's calls as JSON (Connect), which cost it least of what HTTP/1.1 can ask.

It listens on all interfaces whatever it is told, so it gets a network namespace, with a loopback of its own.
"""
import base64
import json
import os
import pathlib
import shutil
import sys
import time

import make_requests
import processes
from base import HttpPeer
from data import K
from processes import Failed

VERSION = "v1.39.0"
PACKAGE = f"github.com/weaviate/weaviate/cmd/weaviate-server@{VERSION}"
PORT = 8080
BATCH = 500
A_FILE = 100 * BATCH
GRPC = "/v1/grpc-web/weaviate.v1.Weaviate/"
ENVIRONMENT = {"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true", "DISABLE_TELEMETRY": "true",
               "DEFAULT_VECTORIZER_MODULE": "none", "CLUSTER_HOSTNAME": "node1", "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
               "RAFT_BOOTSTRAP_EXPECT": "1", "LOG_LEVEL": "error"}


def head(path, method="POST"):
    return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Connect-Protocol-Version: 1\r\n")


def floats(vector):
    return base64.b64encode(vector.tobytes()).decode()


def uuid(row):
    return f"00000000-0000-4000-8000-{row:012d}"


def object_of(row, text, acl, vector):
    return {"uuid": uuid(row), "collection": "Passage", "vectorBytes": floats(vector),
            "properties": {"nonRefProperties": {"text": text, "acl": acl}}}


def schema(m, construction, ef):
    return {"class": "Passage", "vectorizer": "none", "vectorIndexType": "hnsw",
            "vectorIndexConfig": {"distance": "dot", "maxConnections": m, "efConstruction": construction, "ef": ef},
            "properties": [{"name": "text", "dataType": ["text"], "tokenization": "word", "indexFilterable": False},
                           {"name": "acl", "dataType": ["text"], "tokenization": "field", "indexSearchable": False}]}


def search(query, vector, work):
    vectors = [{"vectorBytes": floats(vector), "type": "VECTOR_TYPE_SINGLE_FP32"}]
    out = {"collection": "Passage", "limit": K, "uses127Api": True, "metadata": {"uuid": True, "score": True},
           "properties": {"nonRefProperties": ["text", "acl"]}}
    if work == "vector":
        out["nearVector"] = {"vectors": vectors}
    elif work == "words":
        out["bm25Search"] = {"query": query["text"], "properties": ["text"]}
    else:
        out["hybridSearch"] = {"query": query["text"], "properties": ["text"], "vectors": vectors, "alphaParam": 0.7,
                               "useAlphaParam": True, "fusionType": "FUSION_TYPE_RELATIVE_SCORE"}
    if work == "hybrid_acl":
        out["filters"] = {"operator": "OPERATOR_EQUAL", "valueText": query["acl"], "target": {"property": "acl"}}
    return out


class Weaviate(HttpPeer):
    name = "weaviate"
    works = ("hybrid", "hybrid_acl", "vector", "words")

    def __init__(self, run):
        super().__init__(run)
        o = run.options
        self.graph = (o.m, o.construction, o.ef)
        self.note = f"{VERSION}, Connect-JSON, ef {o.ef}"
        self.port = PORT

    def built_with(self):
        return {"m, construction, ef": list(self.graph)}

    def program(self):
        own = pathlib.Path(sys.prefix) / "bin/weaviate-server"
        found = self.run.options.weaviate or shutil.which("weaviate-server") or own
        if not pathlib.Path(found).is_file():
            print(f"weaviate: go install {PACKAGE} (some minutes, once)", flush=True)
            if not shutil.which("go"):
                raise Failed("no program weaviate-server, and no go to install it with")
            processes.call(["go", "install", PACKAGE], env={**os.environ, "GOBIN": str(own.parent)})
            return own
        return found

    def start(self):
        program = self.program()
        began = time.monotonic()
        own = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
        self.process = processes.start(
            [*own, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", program, "--scheme", "http", "--host", self.host,
             "--port", PORT], self.log,
            env={**os.environ, **ENVIRONMENT, "PERSISTENCE_DATA_PATH": str(self.folder / "data")})
        self.prefix = ["nsenter", f"--target={self.process.pid}", "--net"]
        if os.geteuid() != 0:
            self.prefix += ["--user", "--preserve-credentials"]
        ready = self.requests / "ready.req"
        make_requests.write_requests(ready, [""], head("/v1/.well-known/ready", "GET"))
        processes.wait_until(lambda: self.send(ready), self.process, self.log)
        if (self.folder / "loaded.json").is_file():
            processes.wait_until(self.first_answer, self.process, self.log)
        return time.monotonic() - began

    def first_answer(self):
        one = self.requests / "first.req"
        body = search(self.data.queries[0], self.data.query_vectors[0], "hybrid")
        make_requests.write_requests(one, [json.dumps(body)], head(GRPC + "Search"))
        if not self.rows(self.send(one)[0]):
            raise Failed("finds nothing")

    def load(self):
        for work in self.works:
            bodies = (json.dumps(search(q, v, work)) for q, v in zip(self.data.queries, self.data.query_vectors))
            make_requests.write_requests(self.requests / f"{work}.req", bodies, head(GRPC + "Search"))
        self.start()
        try:
            file = self.requests / "schema.req"
            make_requests.write_requests(file, [json.dumps(schema(*self.graph))], head("/v1/schema"))
            self.send(file)
            seconds = sum(self.send_objects(rows) for rows in self.data.batches(A_FILE))
        finally:
            self.stop()
        return {"seconds": seconds}

    def send_objects(self, rows):
        """Sends them in batches of BATCH, one after the other. Returns the seconds that took."""
        file = self.requests / "objects.req"
        batches = (rows[i:i + BATCH] for i in range(0, len(rows), BATCH))
        bodies = (json.dumps({"objects": [object_of(*row, self.data.vectors[row[0]]) for row in batch]}) for batch in batches)
        make_requests.write_requests(file, bodies, head(GRPC + "BatchObjects"))
        began = time.monotonic()
        answers = self.send(file)
        took = time.monotonic() - began
        errors = [e for body in answers for e in json.loads(body)["errors"]]
        if errors:
            raise Failed(f"{len(errors)} objects refused: {errors[0]}")
        file.unlink()
        return took

    def rows(self, body):
        return [int(r["metadata"]["id"][-12:]) for r in json.loads(body)["results"]]
