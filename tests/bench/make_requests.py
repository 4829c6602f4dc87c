#!/usr/bin/env python3
"""Writes what the benchmark over HTTP sends: documents with vectors, and searches as raw requests (load.c).

    tests/bench/make_requests.py DATA OUT [--key KEY]

DATA: passages.jsonl and queries.jsonl (make_data.py), passages.f32 and queries.f32 (embed_file).
OUT:  documents.ndjson, and hybrid, hybrid_acl, vector, exact, words, text .req

The filter of hybrid_acl allows one of fifty groups, 2 %. `exact` is `vector` by a scan: the truth for its recall.
"""
import argparse
import array
import json
import pathlib
import struct

DIM = 384


def vectors(path):
    v = array.array("f")
    v.frombytes(path.read_bytes())
    return lambda i: "[" + ",".join("%.7g" % x for x in v[i * DIM:(i + 1) * DIM]) + "]"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--key", default="rb_bench")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    vector = vectors(a.data / "passages.f32")
    with open(a.data / "passages.jsonl", encoding="utf-8") as rows, open(a.out / "documents.ndjson", "w") as f:
        for i, line in enumerate(rows):
            r = json.loads(line)
            d = json.dumps({"_id": r["_id"], "text": r["text"], "attributes": {"group": r["acl"]}})
            f.write(f'{d[:-1]}, "vector": {vector(i)}}}\n')
    queries = [json.loads(line) for line in open(a.data / "queries.jsonl", encoding="utf-8")]
    vector = vectors(a.data / "queries.f32")
    kinds = {
        "hybrid": lambda i, q: f'{{"query":{json.dumps(q["text"])},"vector":{vector(i)}}}',
        "hybrid_acl": lambda i, q: f'{{"query":{json.dumps(q["text"])},"vector":{vector(i)},'
                                   f'"filter":{{"type":"eq","key":"group","value":"{q["acl"]}"}}}}',
        "vector": lambda i, q: f'{{"vector":{vector(i)}}}',
        "exact": lambda i, q: f'{{"vector":{vector(i)},"exact":true}}',
        "words": lambda i, q: f'{{"query":{json.dumps(q["text"])},"weights":{{"words":1}}}}',
        "text": lambda i, q: f'{{"query":{json.dumps(q["text"])}}}',
    }
    for name, make in kinds.items():
        with open(a.out / f"{name}.req", "wb") as f:
            for i, q in enumerate(queries):
                body = make(i, q).encode()
                head = (f"POST /v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {a.key}\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
                f.write(struct.pack("<I", len(head) + len(body)) + head + body)


if __name__ == "__main__":
    main()
