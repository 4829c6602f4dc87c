"""A data folder with the demo's history, and what `readback export` makes of it. READBACK_BIN names the program."""

import importlib
import json
import os
import pathlib
import subprocess

import pytest

os.environ["TOGETHER_NO_BANNER"] = "1"
BIN = os.environ.get("READBACK_BIN", "build/readback")
DEMO = pathlib.Path(__file__).parents[2] / "datasets/demo"

# Labels that readers trip over; each has two examples.
NASTY = ["two words", "slash/in it", "colon: and # hash", 'a "quote"', "it's", "__label__x", "line\nbreak", "tab\there",
         "\N{GRINNING FACE}", "two_words", "- dash", "{brace}", "x" * 256]


def readback(*args):
    return subprocess.run([BIN, *map(str, args)], capture_output=True, text=True, timeout=300)


def consumer(name):
    """The module that reads the format, or a skipped test that says why it is not here."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:  # it could not be installed; one that does not import any more is a failure
        pytest.skip(f"{name} is not here: {e}")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("history")
    examples = root / "examples.ndjson"
    examples.write_text("".join(json.dumps({"text": f"{n} about {label} [it](x) </s>\nplease", "label": label}) + "\n"
                                for label in NASTY for n in ("one", "another")))
    for what, file in (("documents", DEMO / "documents.ndjson"), ("conversations", DEMO / "conversations.ndjson"),
                       ("examples", examples)):
        told = readback("import", what, file, "--data", root / "data")
        assert told.returncode == 0, told.stderr
    return root / "data"


@pytest.fixture
def export(data, tmp_path):
    """export("beir", "--split", "time") → the folder."""
    made = []

    def run(name, *options):
        out = tmp_path / f"out{len(made)}"
        made.append(out)
        told = readback("export", "--format", name, "--out", out, "--data", data, *options)
        assert told.returncode == 0, told.stderr
        return out

    return run


def lines(path):
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def manifest(out):
    return json.loads((out / "manifest.json").read_text())
