"""Comparisons of two systems: measured by the command line, kept and listed over HTTP, for curators alone."""

import copy
import json
import os

import pytest
from conftest import readback

SHA = "sha256:" + "0" * 64
SIDE = {"name": "old.run", "sha256": SHA, "value": 0.5, "interval": [0.4, 0.6], "missing": 1, "unknown": 0}
EVAL = {"name": "the May model", "metric": "ndcg@10", "dataset": {"name": "qrels.tsv", "sha256": SHA}, "a": SIDE,
        "b": {**SIDE, "name": "new.run", "value": 0.75}, "interval": [0.1, 0.4], "p": 0.01, "wins": 30, "ties": 60,
        "losses": 10, "samples": 10000, "seed": 7}


@pytest.fixture
def api(words_server):
    return words_server


def kept(api, **more):
    answer = api.post("/v1/evals", {**EVAL, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_what_was_told_is_kept_with_what_follows_from_it(api):
    curator = api.key("curator")
    answer = api.post("/v1/evals", EVAL, key=curator)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert {k: shown[k] for k in EVAL} == EVAL
    assert (shown["type"], shown["n"], shown["difference"]) == ("retrieval", 100, 0.25)
    assert shown["id"].startswith("ev_") and shown["principal"] and shown["at"]
    assert api.get(f"/v1/evals/{shown['id']}", key=curator).json() == shown
    assert kept(api, metric="accuracy")["type"] == "intent"
    for metric in ("recall@1", "recall@5", "recall@10", "mrr@10", "map"):
        assert kept(api, metric=metric)["type"] == "retrieval"
    nameless = {k: v for k, v in EVAL.items() if k != "name"}
    assert "name" not in api.post("/v1/evals", nameless).json()
    assert "name" not in kept(api, name=None)


def test_they_are_listed_page_by_page_the_newest_first(api):
    assert api.get("/v1/evals").json() == {"object": "list", "data": [], "has_more": False, "last_id": None}
    made = [kept(api, name=f"n{i}")["id"] for i in range(5)]
    page = api.get("/v1/evals?limit=2").json()
    assert [x["id"] for x in page["data"]] == made[:2:-1] and page["has_more"] is True
    page = api.get(f"/v1/evals?limit=3&after={page['last_id']}").json()
    assert [x["id"] for x in page["data"]] == made[2::-1] and page["has_more"] is False
    assert page["last_id"] == made[0]
    assert api.get(f"/v1/evals?after={made[0]}").json()["data"] == []


def test_the_same_request_keeps_one(api):
    once = {"Idempotency-Key": "e-1"}
    first = api.post("/v1/evals", EVAL, headers=once)
    again = api.post("/v1/evals", EVAL, headers=once)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    assert len(api.get("/v1/evals").json()["data"]) == 1
    other = api.post("/v1/evals", {**EVAL, "seed": 8}, headers=once)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_mismatch")


def test_who_may_and_what_there_is_not(api):
    made = kept(api)["id"]
    for key in (api.key("agent,bot", "tier1"), api.key("export")):
        for method, path, body in (("GET", "/v1/evals", None), ("GET", f"/v1/evals/{made}", None),
                                   ("POST", "/v1/evals", EVAL)):
            assert api.call(method, path, body, key=key).status_code == 403
    assert api.call("GET", "/v1/evals", key=None).status_code == 401
    assert api.get("/v1/evals/none").status_code == 404
    missing = api.get("/v1/evals?after=none")
    assert (missing.status_code, missing.json()["error"]["param"]) == (404, "after")
    assert api.get("/v1/evals?limit=0").status_code == 400
    assert api.get("/v1/evals?metric=map").status_code == 400
    assert api.call("DELETE", f"/v1/evals/{made}").status_code == 405


@pytest.mark.parametrize("at, value, code", [
    ("extra", 1, "unknown_field"), ("n", 100, "unknown_field"), ("difference", 0.2, "unknown_field"),
    ("a.principal", "x", "unknown_field"), ("dataset.path", "/x", "unknown_field"),
    ("metric", "bleu", "bad_value"), ("metric", None, "missing_field"), ("p", 1.5, "bad_value"), ("p", "1", "wrong_type"),
    ("wins", -1, "bad_value"), ("wins", 0.5, "wrong_type"), ("samples", 0, "bad_value"), ("seed", -1, "bad_value"),
    ("interval", [0.1], "bad_value"), ("interval", [0.4, 0.1], "bad_value"), ("interval", [0.1, 2], "bad_value"),
    ("interval", [0.1, "x"], "wrong_type"), ("interval", [0, 0, 0], "too_large"), ("interval", 0, "wrong_type"),
    ("a.interval", [-0.1, 0.2], "bad_value"), ("a.value", 1.1, "bad_value"), ("b.missing", None, "missing_field"),
    ("a", [], "wrong_type"), ("b", None, "missing_field"), ("dataset.sha256", "0" * 64, "bad_value"),
    ("dataset.sha256", SHA[:-1] + "F", "bad_value"), ("b.sha256", SHA[:-1], "bad_value"), ("a.name", "", "empty_text"),
    ("a.name", "x\u001b[2J", "bad_value"), ("name", "x" * 256, "too_large"),
])
def test_a_body_that_is_wrong_is_refused_and_says_where(api, at, value, code):
    body = copy.deepcopy(EVAL)
    *into, last = at.split(".")
    inner = body[into[0]] if into else body
    inner[last] = value
    answer = api.post("/v1/evals", body)
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, at), answer.text
    assert api.get("/v1/evals").json()["data"] == []


def test_nothing_compared_is_refused(api):
    error = api.post("/v1/evals", {**EVAL, "wins": 0, "ties": 0, "losses": 0}).json()["error"]
    assert (error["code"], error["param"]) == ("bad_value", "ties")


@pytest.fixture
def runs(tmp_path):
    """Judgements of 40 queries; B finds all at once, A finds half of them second, and has one query too few and one too many."""
    qrels, a, b = tmp_path / "qrels.tsv", tmp_path / "a.run", tmp_path / "b.jsonl"
    qrels.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"q{i}\td{i}\t1\n" for i in range(40)))
    a.write_text("".join(f"q{i} Q0 other 1 {2 if i % 2 else 1}.5 x\nq{i} Q0 d{i} 2 2 x\n" for i in range(1, 41)))
    b.write_text("".join(json.dumps({"query": f"q{i}", "ranked": [f"d{i}", "other"]}) + "\n" for i in range(40)))
    return qrels, a, b


def test_two_runs_are_compared_without_a_data_folder(runs):
    qrels, a, b = runs
    told = readback("eval", "compare", a, b, "--qrels", qrels, "--metric", "mrr@10", "--json")
    assert told.returncode == 0, told.stderr
    got = json.loads(told.stdout)
    assert (got["type"], got["metric"], got["n"]) == ("retrieval", "mrr@10", 40)
    assert got["a"]["value"] == pytest.approx((20 * 0.5 + 19) / 40) and got["b"]["value"] == 1
    assert got["difference"] == pytest.approx(11 / 40)
    assert (got["wins"], got["ties"], got["losses"]) == (21, 19, 0)
    assert got["interval"][0] > 0.1 and got["interval"][1] < 0.5 and got["p"] < 0.001
    assert (got["a"]["missing"], got["a"]["missing_names"], got["a"]["unknown_names"]) == (1, ["q0"], ["q40"])
    assert got["b"]["missing"] == got["b"]["unknown"] == 0
    assert len(got["changed"]) == 10 and got["changed"][0] == {"query": "q0", "n": 1, "a": 0, "b": 1}
    assert readback("eval", "compare", a, b, "--qrels", qrels, "--metric", "mrr@10", "--json").stdout == told.stdout
    text = readback("eval", "compare", a, b, "--qrels", qrels).stdout
    assert "ndcg@10 of 40 queries" in text and "1 missing, which count as 0" in text and "1 not in the dataset" in text
    same = json.loads(readback("eval", "compare", b, b, "--qrels", qrels, "--json").stdout)
    assert (same["difference"], same["interval"], same["p"], same["changed"]) == (0, [0, 0], 1, [])


def test_predictions_of_intents_are_compared(tmp_path):
    test, a, b = tmp_path / "test.jsonl", tmp_path / "a.txt", tmp_path / "b.jsonl"
    rows = [{"text": f"text {i}", "label": "parcel" if i % 2 else "refund"} for i in range(20)]
    test.write_text("".join(json.dumps(r) + "\n" for r in rows))
    a.write_text("parcel\n" * 20)
    b.write_text("".join(json.dumps({"text": r["text"], "label": r["label"], "confidence": 0.9}) + "\n" for r in rows[1:]))
    told = readback("eval", "compare", a, b, "--test", test, "--json")
    assert told.returncode == 0, told.stderr
    got = json.loads(told.stdout)
    assert (got["type"], got["metric"], got["n"]) == ("intent", "accuracy", 20)
    assert (got["a"]["value"], got["b"]["value"]) == (0.5, 0.95)
    assert got["b"]["missing_names"] == ["line 1"]
    assert got["changed"] == [{"label": "refund", "n": 10, "a": 0, "b": 0.9}]


def test_a_comparison_is_kept_at_a_server_or_in_a_folder_and_listed(api, runs, tmp_path):
    qrels, a, b = runs
    at = ("--url", api.url, "--key", api.dev_key)
    assert readback("eval", "list", *at).stdout == "no comparison was kept yet\n"
    told = readback("eval", "compare", a, b, "--qrels", qrels, "--save", "--name", "May", "--json", *at)
    assert told.returncode == 0, told.stderr
    got = json.loads(told.stdout)
    shown = api.get(f"/v1/evals/{got['id']}").json()
    assert (shown["name"], shown["a"]["name"], shown["dataset"]["name"]) == ("May", "a.run", "qrels.tsv")
    assert shown["difference"] == pytest.approx(got["difference"]) and shown["p"] == got["p"]
    assert "q0" not in json.dumps(shown)  # ids of queries may be a person's
    listed = readback("eval", "list", *at)
    assert got["id"] in listed.stdout and "a.run 0.7" in listed.stdout and listed.stdout.endswith("  May\n"), listed.stdout
    folder = ("--data", tmp_path / "offline", "--embedder", "none")
    told = readback("eval", "compare", b, a, "--qrels", qrels, "--save", *folder)
    assert told.returncode == 0 and "kept as ev_" in told.stdout, told.stderr
    listed = json.loads(readback("eval", "list", "--json", *folder).stdout)["data"]
    assert [(x["principal"], x["b"]["name"]) for x in listed] == [("cli", "a.run")]
    refused = readback("eval", "compare", a, b, "--qrels", qrels, "--save", "--url", api.url, "--key", api.key("agent"))
    assert refused.returncode == 1 and "B - A" in refused.stdout and "kept as" not in refused.stdout, refused.stdout


def test_wrong_use_is_told(runs, tmp_path):
    qrels, a, b = runs
    for words in ((a, b), (a, "--qrels", qrels), (a, b, "--qrels", qrels, "--test", qrels), (a, b, "--test", qrels, "--metric", "map"),
                  (a, b, "--qrels", qrels, "--metric", "accuracy"), (a, b, "--qrels", qrels, "--metric", "bleu"),
                  (a, b, "--qrels", qrels, "--save"), (a, b, "--qrels", qrels, "--name", "x"), (a, b, "--qrels", qrels, "--seed", "-1")):
        told = readback("eval", "compare", *words)
        assert told.returncode == 2 and told.stderr, words
    told = readback("eval", "compare", a, os.fsdecode(b"\xff.run"), "--qrels", qrels)
    assert told.returncode == 2 and "UTF-8" in told.stderr
    assert readback("eval", "list", "x", "--data", tmp_path).returncode == 2
    told = readback("eval", "compare", a, tmp_path / "none", "--qrels", qrels)
    assert told.returncode == 1 and "none" in told.stderr
    b.write_text("q1 Q0 d1 1 1 x\nq1 Q0 d1 2 nan x\n")
    told = readback("eval", "compare", a, b, "--qrels", qrels)
    assert told.returncode == 1 and "b.jsonl:2: the score (column 5) is no finite number" in told.stderr
    help_ = readback("eval", "compare", "--help")
    assert help_.returncode == 0 and "bootstrap" in help_.stdout
