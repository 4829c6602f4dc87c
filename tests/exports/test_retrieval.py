"""Questions and documents, read by the libraries that train on them or judge with them."""

import json

import pytest
from conftest import consumer, lines, manifest, readback


def test_beirs_loader_reads_every_part(export):
    loader = consumer("beir.datasets.data_loader").GenericDataLoader
    out = export("beir", "--split", "hash")
    seen = 0
    for part, split in (("train", "train"), ("dev", "valid"), ("test", "test")):
        corpus, queries, qrels = loader(data_folder=str(out / "data")).load(split=part)
        assert all(d in corpus for judged in qrels.values() for d in judged)
        assert all(1 in judged.values() for judged in qrels.values())
        seen += len(queries)
    assert seen == manifest(out)["rows"] > 100
    assert len(corpus) == manifest(out)["documents"]


def test_readbacks_own_eval_reads_it_back(export):
    out = export("beir")
    told = readback("eval", "retrieval", "--corpus", out / "data/corpus.jsonl", "--queries", out / "data/queries.jsonl", "--qrels",
                    out / "data/qrels/test.tsv", "--mode", "words", "--json")
    assert told.returncode == 0, told.stderr
    figures = json.loads(told.stdout)
    assert figures["queries"] == manifest(out)["rows"]
    assert figures["recall@10"] > 0.3


def test_ir_measures_reads_the_qrels(export):
    ir = consumer("ir_measures")
    out = export("trec")
    qrels = list(ir.read_trec_qrels(str(out / "data/test.qrels")))
    topics = dict(line.split("\t") for line in (out / "data/topics.tsv").read_text().splitlines())
    assert {q.query_id for q in qrels} == set(topics)
    assert {q.relevance for q in qrels} == {0, 1}
    run = [ir.ScoredDoc(q.query_id, q.doc_id, float(q.relevance)) for q in qrels]  # whoever ranks as was judged is perfect
    assert ir.calc_aggregate([ir.nDCG @ 10], qrels, run) == {ir.nDCG @ 10: 1.0}


def test_pytrec_eval_reads_the_qrels(export):
    trec = consumer("pytrec_eval")
    out = export("trec")
    with open(out / "data/test.qrels") as f:
        qrels = trec.parse_qrel(f)
    run = {q: {d: float(r) for d, r in judged.items()} for q, judged in qrels.items()}
    figures = trec.RelevanceEvaluator(qrels, {"map"}).evaluate(run)
    assert len(figures) == manifest(out)["rows"] and all(f["map"] == 1 for f in figures.values())


def test_ragas_reads_the_samples(export):
    schema = consumer("ragas.dataset_schema")
    out = export("ragas")
    loaded = schema.EvaluationDataset.from_jsonl(str(out / "data/test.jsonl"))
    assert len(loaded) == manifest(out)["rows"]
    assert loaded.get_sample_type() is schema.SingleTurnSample
    assert all(s.user_input and s.reference and s.reference_contexts for s in loaded)
    assert any(s.retrieved_contexts for s in loaded)


def test_ragas_samples_as_their_types_say(export):
    """What the reader checks, for where it cannot be installed."""
    for row in lines(export("ragas") / "data/test.jsonl"):
        assert set(row) == {"user_input", "retrieved_contexts", "reference_contexts", "reference"}
        assert isinstance(row["user_input"], str) and isinstance(row["reference"], str)
        assert all(isinstance(c, str) for c in row["retrieved_contexts"] + row["reference_contexts"])


@pytest.mark.parametrize("negatives", [0, 1, 3])
def test_datasets_loads_pairs_and_triplets(export, tmp_path, negatives):
    datasets = consumer("datasets")
    out = export("sentence-transformers", "--option", f"negatives={negatives}")
    loaded = datasets.load_dataset("json", data_files=str(out / "data/train.jsonl"), split="train", cache_dir=str(tmp_path / "cache"))
    extra = [] if negatives == 0 else ["negative"] if negatives == 1 else [f"negative_{n + 1}" for n in range(negatives)]
    assert loaded.column_names == ["anchor", "positive", *extra]
    assert all(all(v for v in row.values()) for row in loaded)
    assert all(row["positive"] != row[c] for row in loaded for c in extra)
