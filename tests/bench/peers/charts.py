#!/usr/bin/env python3
"""Pictures of the figures that run.py wrote.

    tests/bench/peers/charts.py --svg DIR FILE.json…

recall-rate.svg   recall against searches a second on one connection, of the file with the most passages that has both
latency-size.svg  p50 of each work on one connection against the number of passages, of all files
"""
import argparse
import json
import math
import pathlib
import statistics
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
COLOURS = {"readback": "#c2410c", "weaviate": "#15803d", "pgvector": "#1d4ed8", "lancedb": "#7e22ce", "hnswlib": "#475569",
           "usearch": "#0891b2", "tantivy": "#a16207", "pairs": "#64748b", "fts5": "#be185d"}


class Axis:
    """A scale from values to places; `log`: by powers of ten."""

    def __init__(self, values, begin, end, log):
        self.log = log
        low, high = min(values), max(values)
        if log:
            low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high * 0.999))
            high = max(high, 10 * low)
        else:
            step = 0.05 if high - low > 0.1 else 0.01
            low, high = math.floor(low / step) * step, 1
            low = min(low, high - step)
            self.step = step
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def at(self, v):
        scale = math.log if self.log else float
        share = (scale(v) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.begin + share * (self.end - self.begin)

    def ticks(self):
        if not self.log:
            n = round((self.high - self.low) / self.step)
            return [self.low + i * self.step for i in range(n + 1)]
        tens = [10 ** i for i in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        between = [t * m for t in tens[:-1] for m in (2, 5)] if len(tens) < 4 else []
        return sorted(tens + between)


def label(v, log):
    return f"{v:g}" if not log or v < 1 else f"{v:,.0f}"


def text(x, y, s, anchor="middle", size=12, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="#1b2733"{more}>{escape(s)}</text>'


def frame(title, x, y, x_title, y_title):
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="Helvetica, Arial, sans-serif">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           text(LEFT, 24, title, "start", 15, ' font-weight="bold"')]
    for v in x.ticks():
        out.append(f'<path d="M{x.at(v):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e2e8f0"/>')
        out.append(text(x.at(v), HEIGHT - BOTTOM + 18, label(v, x.log)))
    for v in y.ticks():
        out.append(f'<path d="M{LEFT} {y.at(v):.1f}H{WIDTH - RIGHT}" stroke="#e2e8f0"/>')
        out.append(text(LEFT - 8, y.at(v) + 4, label(v, y.log), "end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title))
    out.append(text(18, middle, y_title, more=f' transform="rotate(-90 18 {middle:.1f})"'))
    return out


def lines(curves, x, y):
    """All curves, readback's above the others."""
    return [part for name in sorted(curves, key="readback".__eq__) for part in line(name, sorted(curves[name]), x, y)]


def line(name, points, x, y):
    """A curve with its points; `points` are (x, y) values."""
    colour = COLOURS.get(name, "#000000")
    places = [(x.at(a), y.at(b)) for a, b in points]
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
    dots = [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in places]
    return [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def legend(names):
    out = []
    for i, name in enumerate(names):
        at = TOP + 12 + 20 * i
        out.append(f'<circle cx="{WIDTH - RIGHT + 20}" cy="{at - 4}" r="5" fill="{COLOURS.get(name, "#000000")}"/>')
        out.append(text(WIDTH - RIGHT + 32, at, name, "start"))
    return out


def recall_rate(report):
    """Curves of the sweep; one point for each other peer."""
    curves = {name: [(p["recall"], p["rate"]) for p in points] for name, points in report.get("sweep", {}).items()}
    for name, rounds in report["works"].get("vector", {}).items():
        rate = statistics.median(r["rate"] for r in rounds["1"])
        curves.setdefault(name, [(report["peers"][name]["recall"], rate)])
    every = [p for points in curves.values() for p in points]
    if not every:
        return None
    x = Axis([p[0] for p in every], LEFT, WIDTH - RIGHT, False)
    y = Axis([p[1] for p in every], HEIGHT - BOTTOM, TOP, True)
    out = frame(f"Vector search, {report['count']:,} passages, one connection", x, y, "recall@10", "searches a second; servers: over a socket")
    out += lines(curves, x, y)
    return "\n".join([*out, *legend(curves), "</svg>"]) + "\n"


def latency_size(reports, work):
    """p50 against the number of passages, a curve a peer."""
    curves = {}
    for r in sorted(reports, key=lambda r: r["count"]):
        for name, rounds in r["works"].get(work, {}).items():
            curves.setdefault(name, []).append((r["count"], statistics.median(t["p50"] for t in rounds["1"])))
    every = [p for points in curves.values() for p in points]
    if not every:
        return None
    x = Axis([p[0] for p in every], LEFT, WIDTH - RIGHT, True)
    y = Axis([p[1] for p in every], HEIGHT - BOTTOM, TOP, True)
    out = frame(f"{work.replace('_', ', ')}: latency against size, one connection", x, y, "passages", "p50, ms")
    out += lines(curves, x, y)
    return "\n".join([*out, *legend(curves), "</svg>"]) + "\n"


def draw(reports, folder):
    folder.mkdir(parents=True, exist_ok=True)
    largest = max(reports, key=lambda r: ("sweep" in r, r["count"]))
    pictures = {"recall-rate": recall_rate(largest)}
    for work in ("hybrid", "hybrid_acl", "vector", "words"):
        pictures[f"latency-size-{work.replace('_', '-')}"] = latency_size(reports, work)
    for name, svg in pictures.items():
        if svg:
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("files", nargs="+", type=pathlib.Path)
    p.add_argument("--svg", type=pathlib.Path, required=True)
    a = p.parse_args()
    draw([json.loads(f.read_text()) for f in a.files], a.svg)


if __name__ == "__main__":
    main()
