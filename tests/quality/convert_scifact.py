#!/usr/bin/env python3
"""Turn the claims and abstracts of scifact into readback's import format.

Usage: convert_scifact.py SOURCE OUT

SOURCE holds corpus.jsonl, queries.train.jsonl, queries.dev.jsonl and qrels.tsv;
OUT gets documents.ndjson and conversations.ndjson: the training claims, then
those of the development set, each a conversation of one turn that was resolved
with the abstracts that bear on it. The order of the files is kept, and nothing
depends on time or chance: the same input gives the same bytes.

The set is not part of this repository. Where it is absent the script says so
and exits 0, so that a test run goes on without it. A broken file exits 1.
Standard library only.
"""
import datetime
import json
import os
import sys

CORPUS = "corpus.jsonl"
PARTS = ("train", "dev")
QRELS = "qrels.tsv"
START = datetime.datetime(2026, 1, 1)
CLAIM_SECONDS = 60      # the set has no times; only their order means anything
INTENT = "claim"        # nor intents: all claims have this one
TEXT = "These abstracts bear on the claim."


def lines(path):
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError("%s:%d: %s" % (path, number, error))


def relevant(path):
    """Claim -> its abstracts, in the order of the file."""
    found = {}
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            cells = line.split()
            if number == 1 and cells[:1] == ["query-id"]:
                continue
            if len(cells) != 3:
                raise ValueError("%s:%d: not three cells" % (path, number))
            if int(cells[2]) > 0:
                found.setdefault(cells[0], []).append(cells[1])
    return found


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def document(abstract):
    return {"_id": abstract["_id"], "title": abstract["title"],
            "text": abstract["text"], "source": "scifact",
            "attributes": {"lang": "en"}}


def conversation(claim, part, used, at):
    return {"id": "claim-%s" % claim["_id"], "channel": "chat",
            "started_at": stamp(at), "attributes": {"part": part},
            "turns": [{"role": "customer", "text": claim["text"],
                       "at": stamp(at)}],
            "resolution": {"outcome": "resolved", "intent": INTENT,
                           "text": TEXT, "evidence_used": used,
                           "at": stamp(at)}}


def conversations(source, known):
    used = relevant(os.path.join(source, QRELS))
    at = START
    for part in PARTS:
        for claim in lines(os.path.join(source, "queries.%s.jsonl" % part)):
            abstracts = used.get(claim["_id"], [])
            if not abstracts or not known.issuperset(abstracts):
                raise ValueError("claim %s: no abstract, or one that is not "
                                 "in the corpus" % claim["_id"])
            yield conversation(claim, part, abstracts, at)
            at += datetime.timedelta(seconds=CLAIM_SECONDS)


def write(path, items):
    with open(path, "w", encoding="utf-8") as out:
        for item in items:
            out.write(json.dumps(item, ensure_ascii=False) + "\n")


def main():
    if len(sys.argv) != 3:
        print("usage: convert_scifact.py SOURCE OUT", file=sys.stderr)
        return 2
    source, out = sys.argv[1:]
    for name in (CORPUS, QRELS, *("queries.%s.jsonl" % p for p in PARTS)):
        path = os.path.join(source, name)
        if not os.path.isfile(path):
            print("convert_scifact: skipped, %s is not there" % path)
            return 0
    os.makedirs(out, exist_ok=True)
    try:
        documents = [document(a) for a in lines(os.path.join(source, CORPUS))]
        known = {d["_id"] for d in documents}
        claims = list(conversations(source, known))
    except (KeyError, ValueError) as error:
        print("convert_scifact: %s" % error, file=sys.stderr)
        return 1
    write(os.path.join(out, "documents.ndjson"), documents)
    write(os.path.join(out, "conversations.ndjson"), claims)
    train = sum(c["attributes"]["part"] == "train" for c in claims)
    print("convert_scifact: %d documents, %d conversations (%d of training, "
          "%d of development)" % (len(documents), len(claims), train,
                                  len(claims) - train))
    return 0


if __name__ == "__main__":
    sys.exit(main())
