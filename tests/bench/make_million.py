#!/usr/bin/env python3
"""Writes many passages with vectors out of fewer, without embedding: each new one lies between two neighbours.

    tests/bench/make_million.py DATA OUT [--count N] [--seed S] [--no-shards]

DATA: passages.jsonl, passages.f32, queries.jsonl, queries.f32 (make_data.py, embed_file).
OUT:  the same four files, with the passages of DATA and as many new ones as make N (1,000,000); the
      queries are the same. requests/documents-000.ndjson …: 100,000 documents each, as make_requests.py.

A new vector is a + t·(b − a), of unit length, with t even in .2 … .8 and b one of the 8 nearest to a among
2,000 passages drawn anew for each block of 500. The text has sentences of both, of b's with probability t.
The same seed gives the same texts; vectors are the same but for the rounding of another machine's BLAS.
Memory: the passages' texts and what numpy maps of DATA's vectors. Needs numpy.
"""
import argparse
import json
import pathlib
import random
import shutil

import numpy as np

import make_data
import make_requests

BLOCK = 500
SAMPLE = 2000
NEAREST = 8
A_SHARD = 100_000


def neighbours(chance, vectors, of):
    """For each row number of `of`, another one that is near it."""
    sample = np.sort(chance.choice(len(vectors), min(SAMPLE, len(vectors)), replace=False))
    near = vectors[of] @ vectors[sample].T
    near[of[:, None] == sample[None, :]] = -2
    n = min(NEAREST, len(sample) - 1)
    best = np.argpartition(-near, n - 1, axis=1)[:, :n]
    return sample[best[np.arange(len(of)), chance.integers(0, n, len(of))]]


def between(a, b, t):
    v = a + t[:, None] * (b - a)
    return (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)


def recombined(rng, a, b, t):
    """Sentences of a and b in their order; as long as the two are on average."""
    rest = [make_data.sentences(a) or [a], make_data.sentences(b) or [b]]
    want = (len(a) + len(b)) / 2
    out, size = [], 0
    while size < want and any(rest):
        from_b = rng.random() < t
        part = rest[from_b] or rest[not from_b]
        sentence = part.pop(0)
        out.append(sentence)
        size += len(sentence) + 1
    return " ".join(out)


def write_new(a, texts, vectors, rows, floats):
    """All passages once, in another order, as often as it takes."""
    chance, rng = np.random.default_rng(a.seed), random.Random(a.seed)
    at = len(vectors)
    while at < a.count:
        order = chance.permutation(len(vectors))[:a.count - at]
        for begin in range(0, len(order), BLOCK):
            of = order[begin:begin + BLOCK]
            to = neighbours(chance, vectors, of)
            t = chance.uniform(.2, .8, len(of))
            between(vectors[of], vectors[to], t).tofile(floats)
            for i, j, share in zip(of, to, t.tolist()):
                row = {"_id": f"p{at:07d}", "text": recombined(rng, texts[i], texts[j], share),
                       "acl": f"group-{rng.randrange(make_data.GROUPS)}"}
                rows.write(json.dumps(row, ensure_ascii=False) + "\n")
                at += 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--count", type=int, default=1_000_000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--no-shards", action="store_true", help="only the four files, no documents as JSON")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for name in ("passages.jsonl", "passages.f32", "queries.jsonl", "queries.f32"):
        shutil.copyfile(a.data / name, a.out / name)
    vectors = np.memmap(a.data / "passages.f32", np.float32, "r").reshape(-1, make_requests.DIM)
    with open(a.data / "passages.jsonl", encoding="utf-8") as f:
        texts = [json.loads(line)["text"] for line in f]
    with open(a.out / "passages.jsonl", "a", encoding="utf-8") as rows, open(a.out / "passages.f32", "ab") as floats:
        write_new(a, texts, vectors, rows, floats)
    if not a.no_shards:
        make_requests.write_shards(a.out, a.out / "requests", A_SHARD)
    print(f"seed {a.seed}: {len(vectors)} passages and {a.count - len(vectors)} between them in {a.out}")


if __name__ == "__main__":
    main()
