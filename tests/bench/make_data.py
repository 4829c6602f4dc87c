#!/usr/bin/env python3
"""Writes the benchmark's texts: passages recombined from sentences of public sets, and queries.

    tests/bench/make_data.py DATA OUT [--passages N] [--words N] [--seed S]

DATA: a folder with the sets (scifact, mtrag-clapnq, cranfield, stackfaq, abcd).
OUT:  passages.jsonl  {_id, text, acl}    N passages of about 89 words (default 100,000)
      queries.jsonl   {text, long, acl}   2,000: 6-8 content words; about 60 words of running text
      words.jsonl     {_id, text}         the documents of the words benchmark (default 500,000)

The same seed gives the same bytes. A passage takes most of its sentences from one document and
the others from a second one of the same set, so that passages have subjects, and neighbours.
`acl` is one of fifty groups: a filter on one allows 2 %.
"""
import argparse
import json
import pathlib
import random
import re

SETS = ["scifact/corpus.jsonl", "mtrag-clapnq/corpus.jsonl", "cranfield/corpus.jsonl",
        "stackfaq/corpus.jsonl", "abcd/guidelines.corpus.jsonl"]
WORDS_A_PASSAGE = 89
GROUPS = 50
QUERIES = 2000
STOP = set("""a about after all also an and any are as at be because been before being between both but by can could
did do does for from had has have he her his how i if in into is it its may more most no not of on one only or other our
out over she should so some such than that the their them then there these they this those through to under up was we
were what when where which while who will with would you your""".split())


def sentences(text):
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])", " ".join(text.split()))
    return [p for p in parts if 4 <= len(p.split()) <= 60]


def load(folder):
    sets = []
    for name in SETS:
        docs = []
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            d = json.loads(line)
            found = sentences((d.get("title") or "") + ". " + (d.get("text") or ""))
            if found:
                docs.append(found)
        sets.append(docs)
    return sets


def passage(rng, sets, weights):
    docs = rng.choices(sets, weights)[0]
    main, second = rng.choice(docs), rng.choice(docs)
    want = rng.gauss(WORDS_A_PASSAGE, 18)
    out, words = [], 0
    while words < want:
        s = rng.choice(main if rng.random() < 0.7 else second)
        while s in out:
            s = rng.choice(rng.choice(docs))
        out.append(s)
        words += len(s.split())
    return " ".join(out)


def content_words(rng, text):
    words = [w for w in re.findall(r"[a-z][a-z-]+", text.lower()) if w not in STOP and len(w) > 2]
    n = min(len(words), rng.randint(6, 8))
    return " ".join(rng.sample(words, n))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--passages", type=int, default=100_000)
    p.add_argument("--words", type=int, default=500_000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    sets = load(a.data)
    weights = [sum(len(s) for s in docs) for docs in sets]
    a.out.mkdir(parents=True, exist_ok=True)

    rng = random.Random(a.seed)
    with open(a.out / "passages.jsonl", "w", encoding="utf-8") as f:
        for i in range(a.passages):
            row = {"_id": f"p{i:07d}", "text": passage(rng, sets, weights), "acl": f"group-{rng.randrange(GROUPS)}"}
            f.write(json.dumps(row, ensure_ascii=False) + "\n")
    rng = random.Random(a.seed + 1)
    with open(a.out / "queries.jsonl", "w", encoding="utf-8") as f:
        for _ in range(QUERIES):
            text = passage(rng, sets, weights)
            words = text.split()
            row = {"text": content_words(rng, text), "long": " ".join(words[:60]), "acl": f"group-{rng.randrange(GROUPS)}"}
            f.write(json.dumps(row, ensure_ascii=False) + "\n")
    rng = random.Random(a.seed + 2)
    with open(a.out / "words.jsonl", "w", encoding="utf-8") as f:
        for i in range(a.words):
            f.write(json.dumps({"_id": f"w{i:07d}", "text": passage(rng, sets, weights)}, ensure_ascii=False) + "\n")
    print(f"seed {a.seed}: {a.passages} passages, {QUERIES} queries, {a.words} documents in {a.out}")


if __name__ == "__main__":
    main()
