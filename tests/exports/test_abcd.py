"""Models trained on an export of ABCD's chats, against the same trainers on the chats themselves.

The set is not part of this repository: READBACK_ABCD names its folder (tests/quality/convert_abcd.py says what is in it).
"""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

import pytest
from conftest import consumer, lines, readback

CONVERT = pathlib.Path(__file__).parents[1] / "quality/convert_abcd.py"
ORDERS = 5
OPENING_TURNS = 3  # what readback takes for the opening, docs/formats-datasets.md


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """[(text, label)] of train and test: as exported, and as the chats themselves have them."""
    if "READBACK_ABCD" not in os.environ:
        pytest.skip("READBACK_ABCD does not name the folder of the set")
    root = tmp_path_factory.mktemp("abcd")
    subprocess.run([sys.executable, CONVERT, os.environ["READBACK_ABCD"], root], check=True)
    for args in (("import", "conversations", root / "conversations.ndjson", "--embedder", "none"),
                 ("export", "--format", "fasttext", "--split", "hash", "--out", root / "out")):
        told = readback(*args, "--data", root / "data")
        assert told.returncode == 0, told.stderr
    chats = {c["id"]: c for c in lines(root / "conversations.ndjson")}
    exported, original = {}, {}
    for part in ("train", "test"):
        rows = (root / f"out/data/{part}.txt").read_text().splitlines()
        exported[part] = [re.fullmatch(r"__label__(\S+) (.*)", row).groups()[::-1] for row in rows]
        original[part] = []
    for row in lines(root / "out/rows.provenance.jsonl"):
        part = row["part"]
        if part not in original:
            continue
        chat = chats[row["conversation"]]
        said = [t["text"] for t in chat["turns"] if t["role"] == "customer"][:OPENING_TURNS]
        text = "\n".join(said) if row["example"].endswith("/1") else chat["resolution"]["problem"]
        original[part].append((" ".join(text.split()), chat["resolution"]["intent"]))
    assert [len(exported[p]) for p in exported] == [len(original[p]) for p in original]
    return exported, original


def fasttext_accuracy(rows, folder):
    """The mean over five orders of the texts: of so few, one order says four points more or less."""
    folder.mkdir()
    return sum(fasttext_once(rows, folder, random.Random(seed)) for seed in range(ORDERS)) / ORDERS


def fasttext_once(rows, folder, order):
    for part in ("train", "test"):
        texts = [f"__label__{label} {text}\n" for text, label in rows[part]]
        order.shuffle(texts)
        (folder / part).write_text("".join(texts))
    run = lambda *args: subprocess.run(["fasttext", *map(str, args)], capture_output=True, text=True, check=True).stdout
    run("supervised", "-input", folder / "train", "-output", folder / "m", "-epoch", 60, "-lr", 0.5, "-wordNgrams", 2, "-dim", 50,
        "-bucket", 50000, "-thread", 1, "-verbose", 0)
    return float(re.search(r"^P@1\s+([\d.]+)", run("test", folder / "m.bin", folder / "test"), re.M).group(1))


def regression_accuracy(rows):
    text = consumer("sklearn.feature_extraction.text")
    linear = consumer("sklearn.linear_model")
    vectors = text.TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    model = linear.LogisticRegression(C=10, max_iter=300)
    model.fit(vectors.fit_transform([t for t, _ in rows["train"]]), [label for _, label in rows["train"]])
    return model.score(vectors.transform([t for t, _ in rows["test"]]), [label for _, label in rows["test"]])


def compare(name, exported, original, n):
    print(f"{name}: accuracy {exported:.3f} on the export, {original:.3f} on the chats themselves, {n} held out")
    assert exported >= original - 0.03


def test_fasttext_learns_as_much_from_the_export(sets, tmp_path):
    if not shutil.which("fasttext"):
        pytest.skip("Debian's fasttext is not installed")
    exported, original = sets
    compare("fastText", fasttext_accuracy(exported, tmp_path / "a"), fasttext_accuracy(original, tmp_path / "b"), len(exported["test"]))


def test_a_regression_learns_as_much_from_the_export(sets):
    exported, original = sets
    compare("logistic regression", regression_accuracy(exported), regression_accuracy(original), len(exported["test"]))
