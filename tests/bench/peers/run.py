#!/usr/bin/env python3
"""Measures readback and its peers on the same data, in the same minutes, in turns.

    tests/bench/peers/run.py --data OUT [--only readback,weaviate,…] [--works hybrid,…] [--rounds 3] [--seconds 3]
                             [--count N] [--json FILE] [--svg DIR]

OUT: the folder of make_data.py and embed_file, or of make_million.py. `make bench-peers DATA=OUT` builds what is needed
first. Prints Markdown for docs/benchmarks.md. A peer that cannot be installed or started is named with the reason.

hybrid, hybrid_acl, vector, words   searches over the passages, by each peer that can
sweep         recall against rate of the graphs in process
words_alone   words.jsonl in process, readback's index and tantivy

What a peer has loaded is kept in --work (OUT/peers): a second run goes on from there; --reload loads again.
The environment of --venv is made when it is not there; weaviate-server is looked for (--weaviate, PATH, the environment's
bin), else installed into it with go.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import signal
import sys
import time

import environment

SEARCHES = ("hybrid", "hybrid_acl", "vector", "words")
OTHERS = ("sweep", "words_alone")
CONNECTIONS = (1, 4)
ROOT = pathlib.Path(__file__).parents[3]


def peer_classes():
    from fts5 import Fts5
    from inprocess import Hnswlib, Pairs, Tantivy, Usearch
    from lancedb_ import LanceDb
    from pgvector import Pgvector
    from readback import Readback
    from weaviate import Weaviate
    return [Readback, Weaviate, Pgvector, LanceDb, Pairs, Hnswlib, Usearch, Tantivy, Fts5]


class Run:
    """What the peers share, and what was measured."""

    def __init__(self, options):
        from data import Data
        self.options = options
        self.data = Data(options.data, options.count)
        self.work = options.work / str(self.data.count)
        self.work.mkdir(parents=True, exist_ok=True)
        self.report = {"date": datetime.date.today().isoformat(), "count": self.data.count, "cores": os.cpu_count(),
                       "rounds": options.rounds, "seconds": options.seconds, "load": [os.getloadavg()[0]],
                       "works": {}, "peers": {}, "left_out": {}}

    def leave_out(self, name, reason):
        say(f"{name}: left out: {reason}")
        self.report["left_out"][name] = str(reason)

    def tell(self):
        import charts
        import table
        self.report["load"].append(os.getloadavg()[0])
        if self.options.json:
            self.options.json.write_text(json.dumps(self.report, indent=1))
        print(table.markdown(self.report))
        if self.options.svg:
            charts.draw([self.report], self.options.svg)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def load_all(run, classes):
    """Loads one after the other. Returns the peers that are loaded."""
    from processes import Failed
    peers = []
    for kind in classes:
        peer = kind(run)
        try:
            say(f"{peer.name}: loading")
            figures = peer.load_once()
        except Failed as e:
            run.leave_out(peer.name, e)
            continue
        run.report["peers"][peer.name] = {"note": peer.note, "loaded": figures}
        peers.append(peer)
    return peers


def start_all(run, peers, stack):
    from processes import Failed
    started = []
    for peer in peers:
        stack.callback(peer.stop)
        try:
            say(f"{peer.name}: starting")
            run.report["peers"][peer.name]["start_s"] = peer.start()
        except Failed as e:
            drop(run, peer, e)
            continue
        started.append(peer)
    return started


def measure_one(run, p, work, r):
    """Round r of a peer: on one connection, then on several. Round 0 warms caches and does not count."""
    kept = run.report["works"].setdefault(work, {}).setdefault(p.name, {str(c): [] for c in CONNECTIONS})
    if r == 0:
        p.measure(work, 1, min(1, run.options.seconds))
        return
    for c in CONNECTIONS:
        figures = p.measure(work, c, run.options.seconds)
        kept[str(c)].append(figures)
        say(f"round {r}, {work}, {p.name}, {c}: p50 {figures['p50']:.2f} p99 {figures['p99']:.2f} ms, "
            f"{figures['rate']:.0f} a second" + (f", {figures['errors']} errors" if figures["errors"] else ""))


def measure_searches(run, peers):
    """Round by round, work by work, each peer in turn; another one begins each round. Returns those that held out."""
    from processes import Failed
    for r in range(run.options.rounds + 1):
        for work in (w for w in SEARCHES if w in run.options.works):
            able = [p for p in peers if work in p.works]
            turn = r % max(1, len(able))
            for p in able[turn:] + able[:turn]:
                try:
                    measure_one(run, p, work, r)
                except Failed as e:
                    drop(run, p, f"{work}: {e}")
                    peers = [q for q in peers if q is not p]
    return peers


def drop(run, peer, reason):
    """A peer that failed half-way: its figures go, for their rounds are not complete."""
    run.leave_out(peer.name, reason)
    peer.stop()
    run.report["peers"].pop(peer.name)
    for names in run.report["works"].values():
        names.pop(peer.name, None)


def measure_recall(run, peers):
    from processes import Failed
    from sweep import sweep
    tenth = run.data.tenth_best()
    for p in (p for p in peers if "vector" in p.works):
        try:
            run.report["peers"][p.name]["recall"] = run.data.recall(p.answers(), tenth)
        except Failed as e:
            drop(run, p, f"recall: {e}")
            peers = [q for q in peers if q is not p]
    if "sweep" in run.options.works:
        try:
            run.report["sweep"] = sweep(peers, tenth, run.options)
        except Failed as e:
            run.leave_out("sweep", e)


def is_asked(kind, o):
    from sweep import NAMES
    works = set(kind.works) | ({"sweep"} if kind.name in NAMES else set())
    return (not o.only or kind.name in o.only) and bool(works & set(o.works))


def measure_peers(run):
    peers = load_all(run, [c for c in peer_classes() if is_asked(c, run.options)])
    with contextlib.ExitStack() as stack:
        peers = start_all(run, peers, stack)
        peers = measure_searches(run, peers)
        for p in peers:
            run.report["peers"][p.name]["memory_mib"] = p.memory()
        if {"vector", "sweep"} & set(run.options.works):
            say("recall")
            measure_recall(run, peers)


def measure_words_alone(run):
    from processes import Failed
    from words_alone import WordsAlone
    say("words_alone")
    try:
        run.report["words_alone"] = WordsAlone(run).measure()
    except Failed as e:
        run.leave_out("words_alone", e)


def listed(text):
    return [part for part in text.split(",") if part]


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", type=pathlib.Path, required=True, help="the folder of make_data.py and embed_file")
    p.add_argument("--count", type=int, help="only so many of its passages")
    p.add_argument("--only", type=listed, help="these peers, with commas between them")
    p.add_argument("--works", type=listed, default=[*SEARCHES, *OTHERS], help="with commas between them (all)")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=3, help="of each measurement")
    p.add_argument("--json", type=pathlib.Path, help="all raw figures go there")
    p.add_argument("--svg", type=pathlib.Path, help="pictures go there; charts.py draws those of several runs")
    p.add_argument("--work", type=pathlib.Path, help="what is loaded (OUT/peers)")
    p.add_argument("--reload", action="store_true", help="load again what is loaded")
    p.add_argument("--venv", type=pathlib.Path, default=environment.DEFAULT)
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the folder of our programs")
    p.add_argument("--readback", type=pathlib.Path, help="another program than that of --build")
    p.add_argument("--weaviate", type=pathlib.Path, help="weaviate-server")
    p.add_argument("--threads", type=int, default=os.cpu_count(), help="that build an index in process")
    p.add_argument("--m", type=int, default=32, help="links a node of every peer's graph")
    p.add_argument("--construction", type=int, default=128, help="efConstruction of every peer's graph")
    p.add_argument("--ef", type=int, default=200, help="width of the search of every peer's graph")
    o = p.parse_args()
    unknown = set(o.works) - set(SEARCHES) - set(OTHERS)
    if unknown:
        p.error(f"unknown works: {', '.join(sorted(unknown))}")
    o.data, o.build = o.data.absolute(), o.build.absolute()
    o.work = (o.work or o.data / "peers").absolute()
    return o


def main():
    o = options()
    environment.enter(o.venv)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell began it in the background
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    run = Run(o)
    if o.works != ["words_alone"]:
        measure_peers(run)
    if "words_alone" in o.works:
        measure_words_alone(run)
    run.tell()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
