"""The folder itself: a bag, with metadata for catalogues. One test a kind of payload."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest
from conftest import consumer, lines, manifest

FORMATS = ["openai", "trl-kto", "sentence-transformers", "rasa", "clu", "lex", "fasttext", "beir", "trec", "ragas", "vcon"]


@pytest.mark.parametrize("name", FORMATS)
def test_bagit_validates(export, name):
    bagit = consumer("bagit")
    out = export(name, "--split", "hash")
    bag = bagit.Bag(str(out))
    bag.validate()
    told = {f["name"]: f["sha256"].removeprefix("sha256:") for f in manifest(out)["files"]}
    assert {n: sums["sha256"] for n, sums in bag.payload_entries().items()} == {
        n: s for n, s in told.items() if n.startswith("data/")}
    (out / next(iter(bag.payload_entries()))).write_text("changed")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(out)).validate()


@pytest.mark.parametrize("name", FORMATS)
def test_mlcroissant_validates(export, name):
    consumer("mlcroissant")
    told = subprocess.run([sys.executable, "-m", "mlcroissant.scripts.validate", "--jsonld",
                           export(name, "--split", "hash") / "croissant.json"], capture_output=True, text=True)
    assert told.returncode == 0 and "Done." in told.stderr, told.stderr


def test_mlcroissant_reads_the_rows(export):
    croissant = consumer("mlcroissant")
    out = export("sentence-transformers")
    rows = list(croissant.Dataset(jsonld=str(out / "croissant.json")).records("train"))
    assert [{k.removeprefix("train/"): v.decode() for k, v in row.items()} for row in rows] == lines(out / "data/train.jsonl")


def test_the_picture_is_xml_with_a_bar_a_part_and_a_label(export):
    out = export("fasttext", "--split", "hash")  # labels with quotes, braces, controls and emoji among them
    svg = ElementTree.parse(out / "card.svg").getroot()
    bars = [r for r in svg.iter("{http://www.w3.org/2000/svg}rect") if r.get("fill") == "#1f5fa8"]
    assert len(bars) == 3 + min(30, len(manifest(out)["labels"]))
