"""The passages, queries and vectors that all peers are given, and which answers are right."""
import itertools
import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import make_data  # noqa: E402
import make_requests  # noqa: E402

DIM = make_requests.DIM
STOP = make_data.STOP
K = 10
SAME = 1e-6  # inner products that differ by less are equal


class Data:
    """The folder of make_data.py; `count`: only so many of its passages. A passage is known by its row number."""

    def __init__(self, folder, count=None):
        self.folder = pathlib.Path(folder)
        every = np.memmap(self.folder / "passages.f32", np.float32, "r").reshape(-1, DIM)
        self.count = min(count or len(every), len(every))
        self.is_whole = self.count == len(every)
        self.vectors = every[:self.count]
        self.query_vectors = np.fromfile(self.folder / "queries.f32", np.float32).reshape(-1, DIM)
        with open(self.folder / "queries.jsonl", encoding="utf-8") as f:
            self.queries = [json.loads(line) for line in f]

    def passages(self):
        """(row number, text, acl) of each."""
        with open(self.folder / "passages.jsonl", encoding="utf-8") as f:
            for i, line in enumerate(itertools.islice(f, self.count)):
                row = json.loads(line)
                yield i, row["text"], row["acl"]

    def batches(self, size):
        rows = self.passages()
        while batch := list(itertools.islice(rows, size)):
            yield batch

    def tenth_best(self):
        """The exact inner product of the K-th best passage, for each query."""
        best = np.full((len(self.query_vectors), K), -2, np.float32)
        for begin in range(0, self.count, 50_000):
            scores = self.query_vectors @ self.vectors[begin:begin + 50_000].T
            if scores.shape[1] > K:
                scores = -np.partition(-scores, K - 1, axis=1)[:, :K]
            best = -np.partition(-np.hstack([best, scores]), K - 1, axis=1)[:, :K]
        return best.min(axis=1)

    def recall(self, answers, tenth):
        """Of the K best, how many were found: whoever is as near as the K-th is right."""
        right = 0
        for i, rows in enumerate(answers):
            scores = self.vectors[rows[:K]] @ self.query_vectors[i]
            right += int((scores >= tenth[i] - SAME).sum())
        return right / K / len(answers)
