#!/usr/bin/env python3
"""Writes what the benchmark over HTTP sends: documents with vectors, and searches as raw requests (load.c).

    tests/bench/make_requests.py DATA OUT [--key KEY]

DATA: passages.jsonl and queries.jsonl (make_data.py), passages.f32 and queries.f32 (embed_file).
OUT:  documents.ndjson, and hybrid, hybrid_acl, vector, exact, words, text .req

The filter of hybrid_acl allows one of fifty groups, 2 %. `exact` is `vector` by a scan: the truth for its recall.
"""
import argparse
import itertools
import json
import pathlib
import struct

DIM = 384


def vectors(path):
    """Each row of a file of floats, as JSON."""
    with open(path, "rb") as f:
        while row := f.read(4 * DIM):
            yield "[" + ",".join("%.7g" % x for x in struct.unpack(f"{DIM}f", row)) + "]"


def documents(data):
    with open(data / "passages.jsonl", encoding="utf-8") as rows:
        for line, vector in zip(rows, vectors(data / "passages.f32")):
            r = json.loads(line)
            d = json.dumps({"_id": r["_id"], "text": r["text"], "attributes": {"group": r["acl"]}})
            yield f'{d[:-1]}, "vector": {vector}}}\n'


def write_shards(data, out, a_file, count=None):
    """documents-000.ndjson and so on, of so many documents each."""
    out.mkdir(parents=True, exist_ok=True)
    lines = itertools.islice(documents(data), count)
    for n in itertools.count():
        shard = list(itertools.islice(lines, a_file))
        if not shard:
            return
        (out / f"documents-{n:03d}.ndjson").write_text("".join(shard))


def write_requests(path, bodies, head):
    """`head` is the request line and its headers but for Content-Length."""
    with open(path, "wb") as f:
        for body in bodies:
            body = body.encode()
            request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            f.write(struct.pack("<I", len(request)) + request)


def write_searches(data, out, key):
    queries = [json.loads(line) for line in open(data / "queries.jsonl", encoding="utf-8")]
    asked = list(zip(queries, vectors(data / "queries.f32")))
    kinds = {
        "hybrid": lambda q, v: f'{{"query":{json.dumps(q["text"])},"vector":{v}}}',
        "hybrid_acl": lambda q, v: f'{{"query":{json.dumps(q["text"])},"vector":{v},'
                                   f'"filter":{{"type":"eq","key":"group","value":"{q["acl"]}"}}}}',
        "vector": lambda q, v: f'{{"vector":{v}}}',
        "exact": lambda q, v: f'{{"vector":{v},"exact":true}}',
        "words": lambda q, v: f'{{"query":{json.dumps(q["text"])},"weights":{{"words":1}}}}',
        "text": lambda q, v: f'{{"query":{json.dumps(q["text"])}}}',
    }
    head = (f"POST /v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\n")
    for name, make in kinds.items():
        write_requests(out / f"{name}.req", (make(q, v) for q, v in asked), head)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--key", default="rb_bench")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    with open(a.out / "documents.ndjson", "w") as f:
        f.writelines(documents(a.data))
    write_searches(a.data, a.out, a.key)


if __name__ == "__main__":
    main()
