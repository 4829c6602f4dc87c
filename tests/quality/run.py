#!/usr/bin/env python3
"""Measures the quality of answers on public sets, and prints tables for docs/benchmarks.md.

    python3 tests/quality/run.py [retrieval|abcd|scifact|intent …] [--only SET] [--work build/quality]

Each set that is absent is skipped with a message. Every figure is printed by one `readback` command, which is shown.
Exit code 1 if a promise about scifact does not hold.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import sets


def readback(*args):
    shown = ["readback", *(str(a) for a in args), "--json"]
    print("$ " + " ".join(shown), flush=True)
    done = subprocess.run([sets.BIN, *shown[1:]], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}")
    return json.loads(done.stdout)


def skipped(name):
    print(f"{name}: skipped, the set is not in {sets.SETS}", flush=True)


def retrieval(work, only):
    """Defaults were chosen on queries of which the hash of the id is even; the odd half and the whole are reported."""
    rows, scifact = [], {}
    for name in sets.RETRIEVAL:
        if only and name not in only:
            continue
        paths = sets.retrieval(name, work)
        if not paths:
            skipped(name)
            continue
        for mode, half in (("words", "all"), ("vector", "all"), ("hybrid", "all"), ("hybrid", "odd")):
            corpus, queries, qrels = paths
            got = readback("eval", "retrieval", "--corpus", corpus, "--queries", queries, "--qrels", qrels, "--mode", mode,
                           *(["--half", half] if half != "all" else []), "--keep", work / corpus.parent.name)
            low, high = got["interval_95"]["ndcg@10"]
            rows.append((name, got["queries"], mode if half == "all" else f"{mode}, {half} half", got["ndcg@10"], low, high,
                         got["recall@1"], got["recall@5"], got["recall@10"], got["mrr@10"], got["map"],
                         got["query_ms"]["p50"], got["query_ms"]["p99"]))
            if name == "scifact" and half == "all":
                scifact[mode] = got["ndcg@10"]
    print("\n| set | queries | mode | nDCG@10 | 95 % | R@1 | R@5 | R@10 | MRR@10 | MAP | p50 ms | p99 ms |\n" + "|---" * 12 + "|")
    for name, n, mode, ndcg, low, high, *rest in rows:
        print(f"| {name} | {n} | {mode} | {ndcg:.3f} | {low:.3f}–{high:.3f} | "
              + " | ".join(f"{x:.3f}" for x in rest[:5]) + " | " + " | ".join(f"{x:.1f}" for x in rest[5:]) + " |")
    print(flush=True)
    check(scifact)


def check(scifact):
    """What the project promises of scifact; the promise is in docs/benchmarks.md."""
    if len(scifact) < 3:
        return
    wrong = [text for text, held in (("words >= 0.67", scifact["words"] >= 0.67), ("hybrid >= 0.71", scifact["hybrid"] >= 0.71),
                                     ("hybrid above both", scifact["hybrid"] > max(scifact["words"], scifact["vector"])))
             if not held]
    if wrong:
        sys.exit(f"scifact, nDCG@10: {', '.join(wrong)} does not hold: {scifact}")
    print("scifact, nDCG@10: words >= 0.67, hybrid >= 0.71 and above both of its parts: held\n", flush=True)


def abcd(work, only):
    out = work / "abcd"
    source = sets.SETS / "abcd"
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("convert_abcd.py"), source, out], check=True)
    if not (out / "conversations.ndjson").is_file():
        return
    got = readback("replay", "--conversations", out / "conversations.ndjson", "--documents", out / "documents.ndjson",
                   "--svg", work / "abcd.svg")
    names = ("cases", "intent_accuracy", "answered", "precision", "case_hit@1", "evidence_recall@1", "evidence_recall@5")
    print("\n| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
    for point in [*got["points"], got["final"]]:
        print("| " + " | ".join("–" if point.get(n) is None else f"{point[n]:.3f}" if n != "cases" else str(point[n])
                                for n in names) + " |")
    print("baselines:", json.dumps(got["baselines"]), "\n", flush=True)


def scifact(work, only):
    """Learned from the training claims, asked the development claims: documents that a training claim used, and others."""
    out = work / "scifact-claims"
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("convert_scifact.py"), sets.SETS / "scifact", out], check=True)
    if not (out / "conversations.ndjson").is_file():
        return
    got = readback("replay", "--conversations", out / "conversations.ndjson", "--documents", out / "documents.ndjson",
                   "--history", 809, "--learn", 809, "--train-once", "--frozen-after", 0, "--vectors", work / "scifact.vectors")
    print("\n| documents | claims | figure | cold | learned | difference |\n|---|---|---|---|---|---|")
    for name in ("seen", "unseen"):
        part = got["final"]["evidence"][name]
        for figure, against in part["against_frozen"].items():
            print(f"| {name} | {part['n']:.0f} | {figure} | {part[figure] - against['difference']:.3f} | {part[figure]:.3f} | "
                  f"{against['difference']:+.3f} ± {against['standard_error']:.3f} |")
    print(flush=True)


def intent(work, only):
    rows = []
    for name, make in (("banking77", sets.banking77), ("clinc150", sets.clinc150)):
        if only and name not in only:
            continue
        files = make(work)
        if not files:
            skipped(name)
            continue
        for shots in (None, 10):
            got = readback("eval", "intent", "--train", files[0], "--test", files[1], *(["--shots", shots, "--seed", 1] if shots else []))
            rows.append((name, shots or "all", got))
    print("\n| set | examples a label | accuracy | macro F1 | ECE | OOS AUROC | OOS recall at 5 % |\n|---|---|---|---|---|---|---|")
    for name, shots, got in rows:
        cells = ["–" if got.get(k) is None else f"{got[k]:.3f}" for k in ("accuracy", "macro_f1", "ece", "oos_auroc", "oos_recall@5")]
        print(f"| {name} | {shots} | " + " | ".join(cells) + " |")
    print(flush=True)


def main():
    parts = {"retrieval": retrieval, "abcd": abcd, "scifact": scifact, "intent": intent}
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("parts", nargs="*", choices=[*parts, []], default=[], help="retrieval, abcd, scifact, intent (all)")
    p.add_argument("--only", action="append", help="a set")
    p.add_argument("--work", type=pathlib.Path, default=sets.ROOT / "build/quality")
    args = p.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for name in args.parts or parts:
        parts[name](args.work, args.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
