"""Libraries in process, without a server around them: hnswlib, usearch, tantivy, and hnswlib and tantivy as a pair."""
import json
import pathlib
import re
import time

from clients import Client, ClientPeer
from data import DIM, K, STOP

ADD = 10_000


def words_of(text):
    return re.findall(r"\w+", text.lower())


class Graph(ClientPeer):
    works = ("vector",)
    module = "inprocess"

    def __init__(self, run):
        super().__init__(run)
        self.note = f"in process, ef {run.options.ef}"

    def options(self):
        o = self.run.options
        return {"m": o.m, "construction": o.construction, "ef": o.ef, "threads": o.threads}

    def built_with(self):
        return {"m, construction": [self.run.options.m, self.run.options.construction]}


class Hnswlib(Graph):
    name, client_class = "hnswlib", "HnswlibClient"


class Usearch(Graph):
    name, client_class = "usearch", "UsearchClient"


class Tantivy(ClientPeer):
    name, module, client_class = "tantivy", "inprocess", "TantivyClient"
    note = "in process"
    works = ("words",)

    def options(self):
        return {"threads": self.run.options.threads}


class Pairs(Graph):
    name, client_class = "pairs", "PairsClient"
    works = ("hybrid",)

    def __init__(self, run):
        super().__init__(run)
        self.note = f"hnswlib (ef {run.options.ef}) and tantivy called one after the other, in process"

    def options(self):
        return {**super().options(), "folder": str(self.run.work)}

    def load_once(self):
        for part in (Hnswlib, Tantivy):
            part(self.run).load_once()
        return {}


class HnswlibClient(Client):
    def index(self):
        import hnswlib
        return hnswlib.Index("ip", DIM)

    def load(self):
        began = time.monotonic()
        index = self.index()
        index.init_index(self.data.count, M=self.spec["m"], ef_construction=self.spec["construction"], random_seed=1)
        index.add_items(self.data.vectors, num_threads=self.spec["threads"])
        index.save_index(self.folder + "/index")
        return {"seconds": time.monotonic() - began}

    def open(self):
        self.graph = self.index()
        self.graph.load_index(self.folder + "/index")
        self.graph.set_ef(self.spec["ef"])
        self.graph.set_num_threads(1)

    def vector(self, i):
        return self.graph.knn_query(self.data.query_vectors[i], K)[0][0]


class UsearchClient(Client):
    def index(self):
        from usearch.index import Index
        return Index(ndim=DIM, metric="ip", dtype="f32", connectivity=self.spec["m"],
                     expansion_add=self.spec["construction"], expansion_search=self.spec["ef"])

    def load(self):
        import numpy as np
        began = time.monotonic()
        index = self.index()
        for at in range(0, self.data.count, ADD):
            rows = self.data.vectors[at:at + ADD]
            index.add(np.arange(at, at + len(rows)), rows, threads=self.spec["threads"])
        index.save(self.folder + "/index")
        return {"seconds": time.monotonic() - began}

    def open(self):
        self.graph = self.index()
        self.graph.load(self.folder + "/index")
        self.graph.expansion_search = self.spec["ef"]

    def vector(self, i):
        return self.graph.search(self.data.query_vectors[i], K, threads=1).keys


class TantivyClient(Client):
    """Stemmed English; any of the words; stop words are in, as in tantivy's own tokenizers."""

    def documents(self):
        """The passages, or the words benchmark's documents."""
        if "words_file" not in self.spec:
            for row, text, _ in self.data.passages():
                yield row, text
            return
        with open(self.spec["words_file"], encoding="utf-8") as f:
            for row, line in enumerate(f):
                yield row, json.loads(line)["text"]

    def load(self):
        import tantivy
        schema = tantivy.SchemaBuilder().add_integer_field("id", stored=True).add_text_field(
            "text", tokenizer_name="en_stem").build()
        began = time.monotonic()
        writer = tantivy.Index(schema, path=self.folder).writer(heap_size=512 << 20, num_threads=self.spec["threads"])
        for row, text in self.documents():
            writer.add_document(tantivy.Document(id=row, text=text))
        writer.commit()
        writer.wait_merging_threads()
        return {"seconds": time.monotonic() - began, "documents": row + 1}

    def open(self):
        import tantivy
        self.words_index = tantivy.Index.open(self.folder)
        self.words_index.reload()
        self.searcher = self.words_index.searcher()
        self.texts = [" ".join(words_of(q["text"])) for q in self.data.queries]
        self.long_texts = [words_of(q["long"]) for q in self.data.queries]

    def ask(self, text):
        found = self.searcher.search(self.words_index.parse_query(text, ["text"]), K, count=False).hits
        return [self.searcher.doc(address)["id"][0] for _, address in found]

    def words(self, i):
        return self.ask(self.texts[i])

    def long(self, i):
        return self.ask(" ".join(self.long_texts[i]))

    def long_less_stop(self, i):
        return self.ask(" ".join(w for w in self.long_texts[i] if w not in STOP))


class PairsClient(Client):
    def open(self):
        parts = []
        for name, kind in (("hnswlib", HnswlibClient), ("tantivy", TantivyClient)):
            part = kind({**self.spec, "folder": str(pathlib.Path(self.folder) / name)})
            part.open()
            parts.append(part)
        self.graph, self.texts = parts

    def hybrid(self, i):
        return [*self.graph.vector(i), *self.texts.words(i)]
