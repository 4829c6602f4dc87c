"""Recall against rate: the graphs in process over several widths of search, readback over HTTP as it is."""
import statistics

WIDTHS = (16, 32, 64, 100, 160, 200)
NAMES = ("hnswlib", "usearch", "readback")


def sweep(peers, tenth, options):
    """{name: [{ef, recall, rate, p50}]} of one connection; medians over the rounds."""
    points = [(p, ef) for p in peers if p.name in NAMES for ef in (WIDTHS if p.name != "readback" else (None,))]
    raw = {}
    for _ in range(options.rounds):
        for p, ef in points:
            more = {"ef": ef} if ef else {}
            raw.setdefault((p.name, ef), []).append(p.measure("vector", 1, options.seconds, **more))
    out = {}
    for p, ef in points:
        more = {"ef": ef} if ef else {}
        rounds = raw[p.name, ef]
        out.setdefault(p.name, []).append({
            "ef": ef, "recall": p.data.recall(p.answers(**more), tenth), "rounds": rounds,
            "rate": statistics.median(r["rate"] for r in rounds), "p50": statistics.median(r["p50"] for r in rounds)})
    return out
