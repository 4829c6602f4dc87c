"""What `readback export` writes, `readback import` reads: the rows that come out of it again are the same."""

import json
import pathlib

import pytest
from conftest import readback

pytestmark = pytest.mark.paced

DEMO = pathlib.Path(__file__).parents[2] / "datasets/demo"
LABELS = ["a b", "a_b", "a\nb", "\U0001f4e6 \"x\"", "c:d", "__label__e"]


def run(*args, **more):
    told = readback(*args, "--embedder", "none", **more) if args[0] == "import" else readback(*args, **more)
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's history, and examples with labels that readers trip over."""
    root = tmp_path_factory.mktemp("round")
    run("import", "documents", DEMO / "documents.ndjson", "--data", root / "data")
    run("import", "conversations", DEMO / "conversations.ndjson", "--data", root / "data")
    examples = "".join(json.dumps({"text": f"text {i}\n__label__ </s> \U0001f4e6", "label": l}) + "\n" for i, l in enumerate(LABELS))
    run("import", "examples", "-", "--data", root / "data", input=examples)
    return root


def export(data, out, *args):
    run("export", "--pii", "keep", "--out", out, "--data", data, *args)
    return out


def lines(file):
    return sorted(file.read_text().split("\n"))


def test_fasttext_comes_back_with_the_labels_that_were(demo, tmp_path):
    first = export(demo / "data", tmp_path / "1", "--format", "fasttext")
    assert "unchanged 0" in run("import", "examples", first / "data/train.txt", "--from", "fasttext", "--data", tmp_path / "data")
    assert "imported 0" in run("import", "examples", first / "data/train.txt", "--from", "fasttext", "--data", tmp_path / "data")
    second = export(tmp_path / "data", tmp_path / "2", "--format", "fasttext")
    assert lines(first / "data/train.txt") == lines(second / "data/train.txt")
    manifests = [json.loads((f / "manifest.json").read_text()) for f in (first, second)]
    assert manifests[0]["labels"] == manifests[1]["labels"]
    assert set(LABELS) <= {l["label"] for l in manifests[1]["labels"]}


def test_vcon_comes_back_turn_by_turn_with_the_intent(demo, tmp_path):
    def told(folder):
        rows = [json.loads(r) for r in lines(folder / "data/train.jsonl") if r]
        return sorted([r["created_at"], [a["body"] for a in r["analysis"]],
                       [[d["start"], d["originator"], d["body"]] for d in r["dialog"]]] for r in rows)
    first = export(demo / "data", tmp_path / "1", "--format", "vcon")
    assert "unchanged 0" in run("import", "conversations", first / "data/train.jsonl", "--from", "vcon", "--data", tmp_path / "data")
    assert "imported 0" in run("import", "conversations", first / "data/train.jsonl", "--from", "vcon", "--data", tmp_path / "data")
    second = export(tmp_path / "data", tmp_path / "2", "--format", "vcon")
    assert len(told(first)) > 100 and told(first) == told(second)


def test_openai_chats_come_back_as_conversations(demo, tmp_path):
    first = export(demo / "data", tmp_path / "1", "--format", "openai", "--kind", "answers")
    rows = [json.loads(r)["messages"] for r in lines(first / "data/train.jsonl") if r]
    run("import", "conversations", first / "data/train.jsonl", "--from", "openai", "--data", tmp_path / "data")
    assert "imported 0" in run("import", "conversations", first / "data/train.jsonl", "--from", "openai", "--data", tmp_path / "data")
    records = json.loads(run("status", "--data", tmp_path / "data", "--json"))["records"]
    assert records["conversation"] == len({json.dumps(r) for r in rows}) and records["case"] == 0
    assert records["turn"] == sum(len(json.loads(r)) for r in {json.dumps(r) for r in rows})


def test_a_beir_corpus_comes_back_as_documents(demo, tmp_path):
    first = export(demo / "data", tmp_path / "1", "--format", "beir")
    run("import", "documents", first / "data/corpus.jsonl", "--data", tmp_path / "data")
    assert "imported 0" in run("import", "documents", first / "data/corpus.jsonl", "--data", tmp_path / "data")
    records = json.loads(run("status", "--data", tmp_path / "data", "--json"))["records"]
    assert records["document"] == len([r for r in lines(first / "data/corpus.jsonl") if r]) > 50
