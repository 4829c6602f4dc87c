"""LanceDB in process: its own hybrid search, full-text index and filters."""
import os
import time

from clients import Client, ClientPeer
from data import DIM, K

BATCH = 10_000


class LanceDb(ClientPeer):
    name = "lancedb"
    works = ("hybrid", "hybrid_acl", "vector", "words")
    module, client_class = "lancedb_", "LanceDbClient"

    def __init__(self, run):
        super().__init__(run)
        self.note = f"IVF_HNSW_SQ, one partition, ef {run.options.ef}, refined"

    def options(self):
        o = self.run.options
        return {"m": o.m, "construction": o.construction, "ef": o.ef}

    def built_with(self):
        return {"m, construction": [self.run.options.m, self.run.options.construction]}


class LanceDbClient(Client):
    opens_before_fork = False  # it has threads

    def database(self):
        os.environ["LANCEDB_LOG"] = "error"  # else a warning a search, which costs time
        import lancedb
        return lancedb.connect(self.folder)

    def load(self):
        import pyarrow as pa
        schema = pa.schema([("id", pa.int32()), ("text", pa.string()), ("acl", pa.string()),
                            ("vector", pa.list_(pa.float32(), DIM))])

        def batches():
            for rows in self.data.batches(BATCH):
                ids, texts, acls = zip(*rows)
                floats = pa.array(self.data.vectors[ids[0]:ids[-1] + 1].ravel())
                yield pa.RecordBatch.from_arrays(
                    [pa.array(ids, pa.int32()), pa.array(texts), pa.array(acls),
                     pa.FixedSizeListArray.from_arrays(floats, DIM)], schema=schema)
        began = time.monotonic()
        table = self.database().create_table("passages", data=batches(), schema=schema)
        table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=1, m=self.spec["m"],
                           ef_construction=self.spec["construction"])
        table.create_scalar_index("acl", index_type="BITMAP")
        table.create_fts_index("text")
        return {"seconds": time.monotonic() - began}

    def open(self):
        self.table = self.database().open_table("passages")

    def rows(self, query):
        return query.limit(K).select(["id", "text"]).to_arrow()["id"].to_pylist()

    def by_vector(self, query):
        return query.nprobes(1).ef(self.spec["ef"]).refine_factor(2)

    def vector(self, i):
        return self.rows(self.by_vector(self.table.search(self.data.query_vectors[i], query_type="vector")))

    def words(self, i):
        return self.rows(self.table.search(self.data.queries[i]["text"], query_type="fts"))

    def both(self, i):
        query = self.table.search(query_type="hybrid").vector(self.data.query_vectors[i]).text(self.data.queries[i]["text"])
        return self.by_vector(query)

    def hybrid(self, i):
        return self.rows(self.both(i))

    def hybrid_acl(self, i):
        return self.rows(self.both(i).where(f"acl = '{self.data.queries[i]['acl']}'", prefilter=True))
