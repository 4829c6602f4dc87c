"""The review queue over HTTP: a label against all that was learned comes up, and is decided once, by who may."""

import json

import pytest
from conftest import Server, readback
from test_models import wait_for_active

SAID = "where is my parcel, number 901"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A server that has learned of parcels and refunds, and has been told wrong once by an agent."""
    folder = tmp_path_factory.mktemp("reviews")
    with open(folder / "examples.ndjson", "w", encoding="utf-8") as out:
        for i in range(130):
            out.write(json.dumps({"text": f"where is my parcel, number {i}", "label": "parcel"}) + "\n")
            out.write(json.dumps({"text": f"please refund the money of order {i}", "label": "refund"}) + "\n")
    told = readback("import", "examples", folder / "examples.ndjson", "--data", folder / "data", "--embedder", "none")
    assert told.returncode == 0, told.stderr
    server = Server(folder / "data", "--embedder", "none").start()
    wait_for_active(server)
    server.agent = server.key("agent,bot", "tier1")
    handoff = server.post("/v1/handoffs", {"conversation": {"id": "c/1", "turns": [{"role": "customer", "text": SAID}]},
                                           "trigger": "other"}, key=server.agent).json()["id"]
    answer = server.post(f"/v1/handoffs/{handoff}/resolution", {"outcome": "resolved", "intent": "refund", "text": "x"},
                         key=server.agent)
    assert answer.status_code == 200, answer.text
    yield server
    assert server.stop() == 0


REVIEW = "/v1/reviews/c%2F1%2Freview"


def test_it_comes_up_and_is_decided_once(desk):
    listed = desk.get("/v1/reviews?state=open").json()
    assert [r["id"] for r in listed["data"]] == ["c/1/review"] and listed["has_more"] is False
    review = listed["data"][0]
    assert (review["reason"], review["label"], review["text"]) == ("contested", "refund", SAID)
    assert review["doubt"] < 0.01
    assert desk.get(REVIEW).json() == review
    assert desk.post(f"{REVIEW}/assign", {"agent": "dana"}).json()["assigned_to"] == "dana"
    once = {"Idempotency-Key": "d-1"}
    decided = desk.post(f"{REVIEW}/decide", {"label": "parcel"}, headers=once)
    assert (decided.status_code, decided.json()["state"], decided.json()["decision"]) == (200, "decided", "parcel")
    assert desk.post(f"{REVIEW}/decide", {"label": "parcel"}, headers=once).json() == decided.json()
    again = desk.post(f"{REVIEW}/decide", {"label": "refund"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "wrong_state")
    case = desk.post("/v1/search", {"query": SAID, "kinds": ["case"]}).json()["data"][0]
    assert case["intent"] == "parcel"


def test_who_may_and_what_is_wrong(desk):
    for method, path, body in (("GET", "/v1/reviews", None), ("GET", REVIEW, None),
                               ("POST", f"{REVIEW}/decide", {"label": "parcel"}), ("POST", f"{REVIEW}/assign", {"agent": "a"})):
        assert desk.call(method, path, body, key=desk.agent).status_code == 403
    assert desk.get("/v1/reviews/none").status_code == 404
    assert desk.get("/v1/reviews?after=none").status_code == 404
    assert desk.get("/v1/reviews?status=open").status_code == 400
    assert desk.post("/v1/reviews/none/decide", {"label": "parcel"}).status_code == 404
    error = desk.post(f"{REVIEW}/decide", {"label": "parcel", "labels": []}).json()["error"]
    assert (error["code"], error["param"]) == ("unknown_field", "labels")


def test_two_agents_who_disagree_come_up(desk):
    """Who said what is told; what is decided goes on as the label, and a vote of QA."""
    turns = [{"role": "customer", "text": "my coat has a hole"}]
    handoff = desk.post("/v1/handoffs", {"conversation": {"id": "d/1", "turns": turns}, "trigger": "other"},
                        key=desk.agent).json()["id"]
    other = desk.key("agent", "tier1")
    for key, intent in ((desk.agent, "repair"), (other, "exchange")):
        answer = desk.post(f"/v1/handoffs/{handoff}/resolution", {"outcome": "resolved", "intent": intent, "text": "x"}, key=key)
        assert answer.status_code == 200, answer.text
    review = desk.get("/v1/reviews/d%2F1%2Freview").json()
    assert (review["reason"], review["state"], review["label"]) == ("disagreement", "open", "exchange")
    assert [x["label"] for x in review["labels"]] == ["repair", "exchange"]
    assert len({x["agent"] for x in review["labels"]}) == 2 and "doubt" not in review
    decided = desk.post("/v1/reviews/d%2F1%2Freview/decide", {"label": "repair"})
    assert (decided.status_code, decided.json()["decision"]) == (200, "repair")
    told = desk.get("/v1/insights/agreement").json()
    assert {a["annotator"] for a in told["annotators"]} >= {x["agent"] for x in review["labels"]}


@pytest.fixture
def unsure(tmp_path):
    """A server that looks at all it is unsure of, and cannot tell repair from exchange."""
    with open(tmp_path / "examples.ndjson", "w", encoding="utf-8") as out:
        for i in range(30):
            for label, n in (("repair", i), ("exchange", 100 + i)):
                out.write(json.dumps({"text": f"the lamp of my bike is broken {n}", "label": label}) + "\n")
    told = readback("import", "examples", tmp_path / "examples.ndjson", "--data", tmp_path / "data", "--embedder", "none")
    assert told.returncode == 0, told.stderr
    server = Server(tmp_path / "data", "--embedder", "none", "--audit-share", "1").start()
    yield server
    assert server.stop() == 0


def test_what_the_bot_is_unsure_of_is_labelled_and_teaches(unsure):
    said = "the lamp of my bike is broken"
    assert unsure.post("/v1/conversations", {"id": "u-1", "turns": [{"role": "customer", "text": said}]}).status_code == 201
    [review] = unsure.get("/v1/reviews").json()["data"]
    assert (review["id"], review["reason"], review["text"], review["propensity"]) == ("u-1/review", "low_confidence", said, 1)
    assert "label" not in review and "seen" not in review
    decided = unsure.post("/v1/reviews/u-1%2Freview/decide", {"label": "recall"})
    assert (decided.status_code, decided.json()["decision"]) == (200, "recall")
    assert decided.json()["label"] in ("repair", "exchange") and "right" not in decided.json()
    candidates = unsure.post("/v1/predict", {"text": said}).json()["intent"]["candidates"]
    assert "recall" in [c["label"] for c in candidates]  # with the very next request
