"""Chats and preferences, read by the fine-tuning tools that take them."""

import datetime
import uuid

import pytest
from conftest import consumer, lines, manifest

KINDS = {"openai": ("answers", "intents", "preferences"), "trl-sft": ("answers", "intents")}


@pytest.mark.parametrize("kind", KINDS["openai"])
def test_together_accepts_openai_files(export, kind):
    files = consumer("together.utils.files")
    out = export("openai", "--kind", kind)
    said = files.check_file(out / "data/train.jsonl")
    assert said["is_check_passed"], said
    assert said["num_samples"] == manifest(out)["rows"] > 10


def test_together_accepts_weights(export):
    files = consumer("together.utils.files")
    said = files.check_file(export("openai", "--option", "train-on=last") / "data/train.jsonl")
    assert said["is_check_passed"], said


def test_trl_takes_chats_for_conversations(export):
    utils = consumer("trl.data_utils")
    for kind in KINDS["trl-sft"]:
        for row in lines(export("trl-sft", "--kind", kind) / "data/train.jsonl"):
            assert set(row) == {"messages"}
            assert utils.is_conversational(row)


def test_trl_reads_preferences(export):
    utils = consumer("trl.data_utils")
    datasets = consumer("datasets")
    keep = ("--pii", "keep")  # tokens of two formats differ
    rows = lines(export("trl-dpo", *keep) / "data/train.jsonl")
    assert len(rows) > 20
    for row in rows:
        assert set(row) == {"prompt", "chosen", "rejected"} and utils.is_conversational(row)
        assert row["prompt"][-1]["role"] == "user"
        assert [m["role"] for m in row["chosen"] + row["rejected"]] == ["assistant"] * 2
    # TRL's own way from pairs to single answers gives what trl-kto writes.
    unpaired = utils.unpair_preference_dataset(datasets.Dataset.from_list(rows))
    single = lines(export("trl-kto", *keep) / "data/train.jsonl")
    key = lambda r: (r["prompt"][0]["content"], r["completion"][0]["content"], r["label"])
    assert sorted(map(key, unpaired)) == sorted(map(key, single))
    assert all(set(r) == {"prompt", "completion", "label"} for r in single)


def test_preferences_are_the_bots_drafts(export):
    """52 handoffs of the demo have a draft; it is never what the agent said."""
    out = export("trl-dpo", "--pii", "keep")
    told = manifest(out)
    assert told["rows"] + sum(n for why, n in told["skipped"].items() if why != "no_draft") == 52
    assert all(r["chosen"][0]["content"] != r["rejected"][0]["content"] for r in lines(out / "data/train.jsonl"))


@pytest.mark.parametrize("name", ["openai", "trl-sft", "vcon", "trl-dpo", "trl-kto"])
def test_datasets_loads_it(export, tmp_path, name):
    datasets = consumer("datasets")
    out = export(name)
    loaded = datasets.load_dataset("json", data_files=str(out / "data/train.jsonl"), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == manifest(out)["rows"] * (2 if name == "trl-kto" else 1)


def test_vcons_as_the_draft_has_them(export):
    """The keys of draft-ietf-vcon-vcon-core, for where its library (Python 3.12) cannot be installed."""
    rows = lines(export("vcon") / "data/train.jsonl")
    assert len(rows) > 100
    for v in rows:
        assert set(v) == {"vcon", "uuid", "created_at", "parties", "dialog", "analysis", "attachments"} and v["vcon"] == "0.4.0"
        assert uuid.UUID(v["uuid"]).version == 8
        for d in v["dialog"]:
            assert set(d) == {"type", "start", "parties", "originator", "mediatype", "body", "encoding"}
            assert d["type"] == "text" and d["encoding"] == "none" and d["parties"] == [d["originator"]]
            assert v["parties"][d["originator"]]["role"] in ("customer", "bot", "agent", "system")
            datetime.datetime.fromisoformat(d["start"])
        for a in v["analysis"]:
            assert {"type", "dialog", "vendor", "body", "encoding"} <= set(a) and max(a["dialog"]) < len(v["dialog"])
    assert len({v["uuid"] for v in rows}) == len(rows)


def test_vcon_library_finds_nothing_wrong(export):
    vcon = consumer("vcon")
    out = export("vcon")
    rows = (out / "data/train.jsonl").read_text().splitlines()
    assert len(rows) > 100
    for row in rows:
        v = vcon.Vcon.build_from_json(row)
        valid, errors = v.is_valid()
        assert valid, errors
    assert v.find_party_index("role", "agent") == 2
