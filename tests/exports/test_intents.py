"""Labelled texts, read by the intent trainers that take them."""

import io
import json
import re
import shutil
import subprocess
import zipfile

import pytest
from conftest import NASTY, consumer, manifest


def names(out):
    """What the format calls each label."""
    return [label.get("as", label["label"]) for label in manifest(out)["labels"]]


def test_debians_fasttext_trains_and_tests(export, tmp_path):
    if not shutil.which("fasttext"):
        pytest.skip("Debian's fasttext is not installed")
    out = export("fasttext", "--split", "hash")
    run = lambda *args: subprocess.run(["fasttext", *map(str, args)], capture_output=True, text=True, check=True).stdout
    run("supervised", "-input", out / "data/train.txt", "-output", tmp_path / "model", "-epoch", 50, "-lr", 0.5, "-wordNgrams", 2,
        "-dim", 50, "-bucket", 20000, "-thread", 1, "-verbose", 0)
    told = run("test", tmp_path / "model.bin", out / "data/test.txt")
    n = {f["name"]: f["rows"] for f in manifest(out)["files"] if "rows" in f}["data/test.txt"]
    assert re.search(rf"^N\s+{n}$", told, re.M), told  # every line is one example with one label
    accuracy = float(re.search(r"^P@1\s+([\d.]+)", told, re.M).group(1))
    print(f"fasttext: accuracy {accuracy:.3f} on {n} held-out texts")
    assert accuracy > 0.4  # of 35 labels
    known = set(run("predict", tmp_path / "model.bin", out / "data/train.txt").split())
    assert known <= {"__label__" + name for name in names(out)}


def test_fasttext_knows_every_label(export, tmp_path):
    if not shutil.which("fasttext"):
        pytest.skip("Debian's fasttext is not installed")
    out = export("fasttext")
    told = subprocess.run(["fasttext", "supervised", "-input", out / "data/train.txt", "-output", tmp_path / "m", "-dim", "2",
                           "-epoch", "1", "-bucket", "10", "-verbose", "2"], capture_output=True, text=True, check=True)
    found = int(re.search(r"Number of labels:\s+(\d+)", told.stdout + told.stderr).group(1))
    assert found == len(names(out)) == len(set(names(out)))


def test_dialogflow_cx_message_types_read_every_line(export):
    types = consumer("google.cloud.dialogflowcx_v3.types")
    out = export("dialogflow-cx")
    intents = [types.Intent.from_json(line) for line in (out / "data/train.jsonl").read_text().splitlines()]
    assert [i.display_name for i in intents] == names(out)
    assert sum(len(i.training_phrases) for i in intents) == manifest(out)["rows"]
    assert all(p.parts[0].text.strip() and p.repeat_count == 1 for i in intents for p in i.training_phrases)


def test_rasas_yaml_as_its_schema_has_it(export):
    """Rasa's own reader needs Python below 3.11 and TensorFlow; so this is its written schema, on a YAML 1.2 reader like its."""
    yaml = consumer("ruamel.yaml")
    out = export("rasa")
    nlu = yaml.YAML(typ="safe").load((out / "data/train.yml").read_text())
    assert set(nlu) == {"version", "nlu"} and nlu["version"] == "3.1"
    assert [item["intent"] for item in nlu["nlu"]] == names(out)
    rows = 0
    for item in nlu["nlu"]:
        assert set(item) == {"intent", "examples"} and isinstance(item["intent"], str) and item["intent"].strip()
        assert "/" not in item["intent"]
        examples = item["examples"].splitlines()
        assert all(re.match(r"- \S", e) for e in examples)
        assert not any(re.search(r"\](\(|\{)", e) for e in examples)  # marks an entity
        rows += len(examples)
    assert rows == manifest(out)["rows"]


def test_clu_project_as_its_documentation_has_it(export):
    """There is no reader but the service's."""
    out = export("clu", "--split", "hash")
    project = json.loads((out / "data/project.json").read_text())
    assert set(project) == {"projectFileVersion", "stringIndexType", "metadata", "assets"}
    assert project["stringIndexType"] == "Utf16CodeUnit"
    assert {"projectKind", "projectName", "language", "settings"} <= set(project["metadata"])
    intents = [i["category"] for i in project["assets"]["intents"]]
    assert intents == names(out)
    assert all(0 < len(i.encode("utf-16-le")) // 2 <= 50 and not re.search(r"[:$&%*()+~#/?\n\t]", i) for i in intents)
    for u in project["assets"]["utterances"]:
        assert set(u) == {"text", "intent", "dataset", "entities"}
        assert u["intent"] in intents and u["dataset"] in ("Train", "Test") and len(u["text"].encode("utf-16-le")) // 2 <= 500
    assert len(project["assets"]["utterances"]) == manifest(out)["rows"]


def test_lex_zip_as_its_documentation_has_it(export):
    """There is no reader but the service's."""
    out = export("lex")
    z = zipfile.ZipFile(io.BytesIO((out / "data/train.zip").read_bytes()))
    assert z.testzip() is None
    files = {n: json.loads(z.read(n)) for n in z.namelist()}
    assert files["manifest.json"]["metadata"]["schemaVersion"] == "1.0"
    base = "readback/BotLocales/en_US/"
    assert {"readback/Bot.json", base + "BotLocale.json", base + "Intents/FallbackIntent/Intent.json"} <= set(files)
    intents = {n: f for n, f in files.items() if n.endswith("/Intent.json") and "Fallback" not in n}
    assert [f["name"] for f in intents.values()] == names(out)
    for name, intent in intents.items():
        assert name == f"{base}Intents/{intent['name']}/Intent.json"
        assert re.fullmatch(r"([0-9a-zA-Z][_-]?){1,100}", intent["name"])
        assert all(u["utterance"].strip() and not re.search(r"[{}]", u["utterance"]) for u in intent["sampleUtterances"])
    assert sum(len(i["sampleUtterances"]) for i in intents.values()) == manifest(out)["rows"]


@pytest.mark.parametrize("name", ["fasttext", "rasa", "dialogflow-cx", "clu", "lex"])
def test_no_label_gets_lost(export, name):
    out = export(name)
    told = manifest(out)["labels"]
    assert set(NASTY) <= {label["label"] for label in told}
    assert len(set(names(out))) == len(told)
    assert sum(label["rows"] for label in told) == manifest(out)["rows"]
