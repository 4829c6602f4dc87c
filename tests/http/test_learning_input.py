"""What is learned from, where it is odd: it is taken or refused, and predictions go on."""

import json

import pytest
from conftest import Server, readback
from test_models import learn, wait_for_active


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A server with three intents and one article."""
    folder = tmp_path_factory.mktemp("odd")
    learn(folder / "data", folder, 0, 12)
    server = Server(folder / "data", "--embedder", "none").start()
    server.folder = folder
    server.agent = server.key("agent,bot", "tier1")
    assert server.put("/v1/documents/help-1", {"text": "Parcels take three days."}).status_code in (200, 201)
    yield server
    assert server.stop() == 0


@pytest.fixture
def served(tmp_path):
    """A function that serves the data folder of the test; the server ends with it."""
    servers = []

    def serve():
        servers.append(Server(tmp_path / "data", "--embedder", "none").start())
        return servers[-1]

    yield serve
    for server in servers:
        assert server.stop() == 0


def hand_over(server, conversation, said):
    body = {"conversation": {"id": conversation, "turns": [{"role": "customer", "text": said}]}, "trigger": "other"}
    return server.post("/v1/handoffs", body, key=server.agent).json()["id"]


def resolve(server, handoff, **more):
    return server.post(f"/v1/handoffs/{handoff}/resolution", {"outcome": "resolved", "text": "done", **more},
                       key=server.agent)


def predicted(server, text):
    answer = server.post("/v1/predict", {"text": text})
    assert answer.status_code == 200, answer.text
    return answer.json()["intent"]


def test_a_label_never_seen_counts_at_once(desk):
    said = "my umbrella has a hole in it"
    assert resolve(desk, hand_over(desk, "odd/new", said), intent="umbrella.broken").status_code == 200
    assert predicted(desk, said)["label"] == "umbrella.broken"


def test_an_article_that_is_deleted_before_it_is_named(desk):
    assert desk.put("/v1/documents/gone", {"text": "Umbrellas are mended for free."}).status_code in (200, 201)
    handoff = hand_over(desk, "odd/gone", "who mends umbrellas, please")
    assert desk.call("DELETE", "/v1/documents/gone").status_code in (200, 204)
    answer = resolve(desk, handoff, intent="umbrella.mend", evidence_used=["gone"])
    # What it was is in the evidence of the handoff, so the resolution stands; nothing suggests it any more.
    assert answer.status_code == 200, answer.text
    suggestions = desk.post("/v1/predict", {"text": "who mends umbrellas, please"}).json()["suggestions"]
    assert "gone" not in [s["id"] for s in suggestions]


def test_resolutions_that_contradict_each_other_leave_one_label_and_all_votes(desk):
    said = "the zip of my jacket is stuck"
    handoff = hand_over(desk, "odd/twice", said)
    assert resolve(desk, handoff, intent="jacket.zip").status_code == 200
    assert resolve(desk, handoff, intent="jacket.other").status_code == 200
    assert predicted(desk, said)["label"] == "jacket.other"
    conversation = desk.get("/v1/conversations/odd%2Ftwice").json()
    assert conversation["id"] == "odd/twice"


def test_clocks_that_go_backwards(tmp_path, served):
    times = ["2026-05-01T10:00:00Z", "2020-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2019-06-01T00:00:00Z"] * 2
    path = tmp_path / "backwards.ndjson"
    with open(path, "w", encoding="utf-8") as out:
        for i, at in enumerate(times):
            out.write(json.dumps({
                "id": f"c-{i}", "turns": [{"role": "customer", "text": f"the lamp of room {i} is dark", "at": at}],
                "resolution": {"outcome": "resolved", "intent": "lamp", "text": "a new bulb",
                               "evidence_used": ["help-2"], "at": times[i - 1]}}) + "\n")
    said = readback("import", "documents", "-", "--data", tmp_path / "data", "--embedder", "none",
                    input=json.dumps({"_id": "help-2", "text": "Bulbs are in the cellar."}) + "\n")
    assert said.returncode == 0, said.stderr
    told = readback("import", "conversations", path, "--data", tmp_path / "data", "--embedder", "none")
    assert told.returncode == 0, told.stderr
    server = served()
    wait_for_active(server, type_="usefulness")
    told = server.post("/v1/predict", {"text": "the lamp of room 70 is dark"}).json()
    assert told["intent"]["label"] == "lamp"
    useful = [b for s in told["suggestions"] for b in s["boosts"] if b["name"] == "usefulness"]
    assert [b["because"] for b in useful] == ["helped in 8 of 8 resolved lamp cases"]


def test_more_labels_than_a_model_takes_are_told_by_the_nearest(tmp_path, served):
    lines = "".join(json.dumps({"text": f"where is item number {i} of the list", "label": f"item-{i}"}) + "\n"
                    for i in range(10000))
    data = tmp_path / "data"
    told = readback("import", "examples", "-", "--data", data, "--embedder", "none", input=lines)
    assert told.returncode == 0, told.stderr
    server = served()
    told = server.post("/v1/predict", {"text": "where is item number 4711 of the list"}).json()
    assert (told["intent"]["label"], told["models"]["intent"]) == ("item-4711", "knn-1")
