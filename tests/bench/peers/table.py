"""The figures as Markdown: medians, and the range of the rounds behind them."""
import statistics

TITLES = {"hybrid": "Hybrid, vector given", "hybrid_acl": "Hybrid, filter that allows 2 %", "vector": "Vector",
          "words": "Words, 6 to 8 content words"}
KINDS = {"text": "6 to 8 content words", "long": "60 words of running text", "long_less_stop": "the same less stop words"}


def spread(rounds, key, form):
    """Median (least–most)."""
    values = [r[key] for r in rounds]
    low, mid, high = (format(v, form) for v in (min(values), statistics.median(values), max(values)))
    return mid if low == high else f"{mid} ({low}–{high})"


def rows_of(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return lines + ["| " + " | ".join(r) + " |" for r in rows]


def of_work(report, work):
    rows = []
    recall = work == "vector"
    for name, rounds in report["works"][work].items():
        one, four = rounds["1"], rounds["4"]
        rows.append([name, spread(one, "p50", ".2f"), spread(one, "p99", ".2f"), spread(four, "rate", ",.0f"),
                     *([f"{report['peers'][name]['recall']:.4f}"] if recall else [])])
    header = ["", "p50 ms, 1 connection", "p99 ms", "a second on 4", *(["recall@10"] if recall else [])]
    return ["", TITLES[work] + ":", "", *rows_of(header, rows)]


def errors_of(report):
    """A rate with errors in it is no rate."""
    found = [(work, name, sum(r["errors"] for c in rounds.values() for r in c))
             for work, names in report["works"].items() for name, rounds in names.items()]
    return [f"\n**{name}, {work}: {n:,} answers were errors.**" for work, name, n in found if n]


def number(value, form):
    return "–" if value is None else format(value, form)


def of_peers(report):
    rows = []
    for name, p in report["peers"].items():
        loaded = p["loaded"]
        later = f"merged {loaded['merged_after_s']:.1f} s later" if "merged_after_s" in loaded else ""
        rows.append([name, p["note"] or later, number(loaded.get("documents_per_s"), ",.0f"), number(p.get("memory_mib"), ",.0f"),
                     number(loaded.get("disk_mib"), ",.0f"), number(p.get("start_s"), ".2f")])
    header = ["", "set-up", "documents a second", "resident MiB", "disk MiB", "start to first answer, s"]
    return ["", *rows_of(header, rows)]


def of_words(report):
    words = report["words_alone"]
    rows = []
    for name, kinds in words["rounds"].items():
        for kind, rounds in kinds.items():
            rows.append([name, KINDS[kind], spread(rounds, "p50", ".2f"), spread(rounds, "p99", ".2f"),
                         spread(rounds, "rate", ",.0f")])
    built = {"readback": words["loaded"]["readback"]["build_s"], "tantivy": words["loaded"]["tantivy"]["seconds"]}
    told = ", ".join(f"{name} {s:.1f} s" for name, s in built.items())
    return ["", f"Words alone, {words['documents']:,} documents, in process, one thread (built in: {told}):", "",
            *rows_of(["", "query", "p50 ms", "p99 ms", "a second"], rows)]


def of_sweep(report):
    rows = [[name, number(p["ef"], "d"), f"{p['recall']:.4f}", f"{p['rate']:,.0f}", f"{p['p50']:.2f}"]
            for name, points in report["sweep"].items() for p in points]
    return ["", "Recall against rate, one connection:", "", *rows_of(["", "ef", "recall@10", "a second", "p50 ms"], rows)]


def markdown(report):
    lines = [f"{report['date']}, {report['count']:,} passages, {report['cores']} cores, load {report['load'][0]:.1f} before and "
             f"{report['load'][1]:.1f} after; k 10; {report['rounds']} × {report['seconds']:g} s, in turns; "
             "median (least–most)."]
    for work in report["works"]:
        lines += of_work(report, work)
    lines += errors_of(report)
    if report["peers"]:
        lines += of_peers(report)
    if "words_alone" in report:
        lines += of_words(report)
    if "sweep" in report:
        lines += of_sweep(report)
    lines += [f"\nLeft out: {name}: {reason}" for name, reason in report["left_out"].items()]
    return "\n".join(lines)
