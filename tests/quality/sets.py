"""Where the public sets are, and how they become readback's files. Standard library only.

The sets are not part of this repository: READBACK_SETS names their folder (../shared/data).
"""
import csv
import json
import os
import pathlib
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = pathlib.Path(os.environ.get("READBACK_SETS") or ROOT.parent / "shared/data")
BIN = os.environ.get("READBACK_BIN") or str(ROOT / "build/readback")

# name -> corpus, queries, qrels
RETRIEVAL = {
    "scifact": ("scifact/corpus.jsonl", "scifact/queries.dev.jsonl", "scifact/qrels.tsv"),
    "stackfaq": ("stackfaq/corpus.jsonl", "stackfaq/queries.jsonl", "stackfaq/qrels.tsv"),
    "cranfield": ("cranfield/corpus.jsonl", "cranfield/queries.jsonl", "cranfield/qrels.tsv"),
    "mtrag-lastturn": ("mtrag-clapnq/corpus.jsonl", "mtrag-clapnq/queries.lastturn.jsonl", "mtrag-clapnq/qrels.tsv"),
    "mtrag-questions": ("mtrag-clapnq/corpus.jsonl", "mtrag-clapnq/queries.questions.jsonl", "mtrag-clapnq/qrels.tsv"),
    "abcd-policies": None,  # made by abcd_policies()
}
ABCD_HISTORY = 700  # chats; those after them ask


def lines(path):
    with open(path, encoding="utf-8") as source:
        for line in source:
            yield json.loads(line)


def write(path, items):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        for item in items:
            out.write(json.dumps(item, ensure_ascii=False) + "\n")
    return path


def retrieval(name, out):
    """Paths of corpus, queries and qrels; None where the set is absent."""
    if name == "abcd-policies":
        return abcd_policies(out)
    paths = [SETS / part for part in RETRIEVAL[name]]
    return paths if all(p.is_file() for p in paths) else None


def abcd_policies(out):
    """Which policy bears on a chat? Asked by the openings of the last 304 chats, as retrieval."""
    corpus, chats = SETS / "abcd/guidelines.corpus.jsonl", SETS / "abcd/conversations.valid.jsonl"
    if not (corpus.is_file() and chats.is_file()):
        return None
    asked = list(lines(chats))[ABCD_HISTORY:]
    qrels = out / "abcd-qrels.tsv"
    queries = write(out / "abcd-queries.jsonl", [{"_id": c["id"], "text": c["opening"]} for c in asked])
    qrels.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{c['id']}\t{c['subflow']}\t1\n" for c in asked))
    return [corpus, queries, qrels]


def banking77(out):
    """Paths of train and test as examples; None where the set is absent."""
    made = []
    for part in ("train", "test"):
        source = SETS / f"banking77/{part}.csv"
        if not source.is_file():
            return None
        with open(source, encoding="utf-8", newline="") as rows:
            made.append(write(out / f"banking77-{part}.ndjson",
                              [{"text": r["text"], "label": r["category"]} for r in csv.DictReader(rows)]))
    return made


def clinc150(out):
    """As banking77(); the test holds the 1,000 out-of-scope rows, labelled "oos", the training none."""
    source = SETS / "clinc150/data_full.json"
    if not source.is_file():
        return None
    data = json.loads(source.read_text(encoding="utf-8"))
    return [write(out / f"clinc150-{part}.ndjson", [{"text": text, "label": label} for name in names for text, label in data[name]])
            for part, names in (("train", ("train",)), ("test", ("test", "oos_test")))]


def passages(out, count):
    """`count` documents of several sets, in a fixed order: articles first, then chats, then single questions.

    Attributes to filter by: `set`, and `lot`, which is one of 1,000 lots.
    """
    def found():
        for folder in ("scifact", "mtrag-clapnq", "cranfield", "stackfaq"):
            for d in lines(SETS / folder / "corpus.jsonl"):
                yield {"_id": f"{folder}:{d['_id']}", "title": d.get("title", ""), "text": d["text"], "source": folder}
        for d in lines(SETS / "abcd/guidelines.corpus.jsonl"):
            yield {"_id": f"abcd:{d['_id']}", "title": d["title"], "text": d["text"], "source": "abcd"}
        for d in lines(SETS / "abcd/conversations.valid.jsonl"):
            yield {"_id": f"chat:{d['id']}", "text": " ".join(t["text"] for t in d["turns"]), "source": "chat"}
        with open(SETS / "banking77/train.csv", encoding="utf-8", newline="") as rows:
            for n, r in enumerate(csv.DictReader(rows)):
                yield {"_id": f"banking77:{n}", "text": r["text"], "source": "banking77"}
    kept = []
    for d in found():
        if (d.get("title", "") + d["text"]).strip():
            kept.append({**d, "attributes": {"set": d["source"], "lot": zlib.crc32(d["_id"].encode()) % 1000}})
        if len(kept) == count:
            break
    return write(out, kept)
