"""Models over HTTP and by the command line: listed, rolled back, and whole however the server ends."""

import json
import random
import time

import pytest
from conftest import Server, readback

WORDS = {"parcel": "where is the parcel that was sent to my house", "refund": "please pay the money of the order back",
         "login": "the password is not taken and the account is locked"}


def examples(path, start, count):
    """`count` of each label, each text its own."""
    with open(path, "w", encoding="utf-8") as out:
        for i in range(start, start + count):
            for label, words in WORDS.items():
                text = f"{' '.join(w for k, w in enumerate(words.split()) if (i >> k) % 3 != 1)} case {i}"
                out.write(json.dumps({"text": text, "label": label}) + "\n")
    return path


def learn(data, tmp_path, start, count):
    told = readback("import", "examples", examples(tmp_path / "examples.ndjson", start, count), "--data", data,
                    "--embedder", "none")
    assert told.returncode == 0, told.stderr


def models(server, type_="intent"):
    answer = server.get(f"/v1/models?type={type_}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def wait_for_active(server, other=None, seconds=120, type_="intent"):
    """The active model of a type, once it is another than `other`."""
    deadline = time.monotonic() + seconds
    while True:
        active = [m["id"] for m in models(server, type_) if m["state"] == "active"]
        if active and active[0] != other:
            return active[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between two questions


def spoken(server):
    return server.post("/v1/predict", {"text": "my parcel was sent"}).json()["models"]["intent"]


@pytest.fixture
def trained(tmp_path):
    """A server with two intent models, and the ids of both, the older one first."""
    data = tmp_path / "data"
    learn(data, tmp_path, 0, 20)
    server = Server(data, "--embedder", "none").start()
    first = wait_for_active(server)
    assert server.stop() == 0
    learn(data, tmp_path, 20, 20)
    server.start()
    second = wait_for_active(server, first)
    yield server, first, second
    assert server.stop() == 0


def test_a_model_is_rolled_back_and_stays_so(trained):
    server, first, second = trained
    assert spoken(server) == second
    answer = server.post(f"/v1/models/{first}/activate", None, headers={"Idempotency-Key": "back"})
    assert answer.status_code == 200
    assert answer.json()["state"] == "active" and answer.json()["chosen"] is True
    assert spoken(server) == first
    assert {m["id"]: m["state"] for m in models(server)} == {first: "active", second: "standby"}
    again = server.post(f"/v1/models/{first}/activate", None, headers={"Idempotency-Key": "back"})
    assert again.json() == answer.json()
    assert server.stop() == 0
    server.start()
    assert spoken(server) == first
    shown = readback("models", "--url", server.url, "--key", server.dev_key)
    assert shown.returncode == 0 and f"{first}  intent      active" in shown.stdout, shown.stdout + shown.stderr
    told = readback("models", "activate", second, "--url", server.url, "--key", server.dev_key)
    assert told.returncode == 0, told.stderr
    assert spoken(server) == second


def live_through(data, tmp_path, start, count):
    """`count` conversations that are over: who was unhappy was handed over, all others were not."""
    path = tmp_path / "conversations.ndjson"
    with open(path, "w", encoding="utf-8") as out:
        for i in range(start, start + count):
            said = "is a terrible joke" if i % 2 else "has arrived"
            line = {"id": f"c-{i}", "turns": [{"role": "customer", "text": f"my order {i} {said}",
                                               "at": "2026-06-01T08:00:00Z"}]}
            if i % 2:
                line["handoff"] = {"trigger": "negative_sentiment"}
            out.write(json.dumps(line) + "\n")
    told = readback("import", "conversations", path, "--data", data, "--embedder", "none")
    assert told.returncode == 0, told.stderr


def test_risk_is_learned_from_what_was_handed_over_and_rolled_back(tmp_path):
    data = tmp_path / "data"
    unhappy = {"text": "this is a terrible joke"}
    live_through(data, tmp_path, 0, 10)
    server = Server(data, "--embedder", "none").start()
    before = server.post("/v1/predict", unhappy).json()
    assert before["models"]["risk"] == "rule-1"
    assert server.stop() == 0
    live_through(data, tmp_path, 10, 100)
    server.start()
    first = wait_for_active(server, type_="risk")
    after = server.post("/v1/predict", unhappy).json()
    assert first[0] == "r" and after["models"]["risk"] == first
    assert after["escalation_risk"] > before["escalation_risk"]
    assert after["decision"] == "escalate" and after["because"].startswith("The customer is unhappy")
    facts = models(server, "risk")[0]["facts"]
    assert facts["conversations"] == 110 and facts["escalated"] == 55
    assert facts["learned"]["loss"] < facts["rule"]["loss"]
    assert facts["learned"]["at_risk"] == {"threshold": 0.7, "flagged": facts["held_out_escalated"], "recall": 1.0,
                                           "precision": 1.0}
    assert server.stop() == 0
    live_through(data, tmp_path, 110, 50)
    server.start()
    second = wait_for_active(server, first, type_="risk")
    assert server.post(f"/v1/models/{first}/activate", None).status_code == 200
    assert server.post("/v1/predict", unhappy).json()["models"]["risk"] == first
    assert {m["id"]: m["state"] for m in models(server, "risk")} == {first: "active", second: "standby"}
    assert server.stop() == 0


def test_who_may_and_what_there_is_not(trained):
    server, first, _ = trained
    agent, curator = server.key("agent", "tier1"), server.key("curator", "tier1")
    for method, path in (("GET", "/v1/models"), ("GET", f"/v1/models/{first}"), ("POST", f"/v1/models/{first}/activate")):
        assert server.call(method, path, key=agent).status_code == 403
        assert server.call(method, path, key=curator).status_code == 200
    for method, path in (("GET", "/v1/models/none"), ("POST", "/v1/models/none/activate")):
        assert server.call(method, path).status_code == 404
    assert server.get("/v1/models?kind=intent").status_code == 400
    told = readback("models", "activate", "none", "--url", server.url, "--key", server.dev_key)
    assert told.returncode != 0 and "no such model" in told.stderr

def test_a_model_in_shadow_speaks_in_its_share_and_is_told_of(trained):
    server, first, second = trained
    answer = server.post(f"/v1/models/{first}/shadow", {"share": 1}, headers={"Idempotency-Key": "try"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "shadow" and answer.json()["shadow"]["conversations"] == 0
    assert spoken(server) == second  # a text alone is no conversation
    turn = {"role": "customer", "text": "my parcel was sent"}
    assert server.post("/v1/conversations", {"id": "c-1", "turns": [turn]}).status_code == 201
    assert server.post("/v1/predict", {"conversation_id": "c-1"}).json()["models"]["intent"] == first
    assert server.stop() == 0
    server.start()
    assert server.post("/v1/predict", {"conversation_id": "c-1"}).json()["models"]["intent"] == first
    told = readback("models", "unshadow", first, "--url", server.url, "--key", server.dev_key)
    assert told.returncode == 0 and told.stdout == f"{first} stands by\n", told.stdout + told.stderr
    assert server.call("DELETE", f"/v1/models/{first}/shadow").json()["error"]["code"] == "wrong_state"
    told = readback("models", "shadow", first, "--share", "0.1", "--url", server.url, "--key", server.dev_key)
    assert told.returncode == 0 and told.stdout == f"{first} is in shadow\n", told.stdout + told.stderr
    assert server.get(f"/v1/models/{first}").json()["shadow"]["share"] == 0.1
    told = readback("models", "shade", first, "--url", server.url, "--key", server.dev_key)
    assert told.returncode == 2 and "unshadow" in told.stderr


def test_whenever_it_is_killed_the_old_model_serves_and_nothing_is_half_written(tmp_path):
    """Killed at any moment of training and swap; each start learns from more, so each has a training to be killed in."""
    data, dice = tmp_path / "data", random.Random(5)
    learn(data, tmp_path, 0, 20)
    server = Server(data, "--embedder", "none").start()
    active = wait_for_active(server)
    server.kill()
    for round_ in range(8):
        learn(data, tmp_path, 20 + 60 * round_, 60)
        server.start()
        if round_ % 2:
            deadline = time.monotonic() + dice.uniform(0, 0.4)
            while time.monotonic() < deadline:
                pass
        else:  # at about the moment of the swap
            wait_for_active(server, active)
        server.kill()
        server.start()
        active = [m["id"] for m in models(server) if m["state"] == "active"]
        assert len(active) == 1
        active = active[0]
        files = {p.name for p in data.glob("**/models/*")}
        assert f"{active}.model" in files
        for m in models(server):
            assert m["state"] == "refused" or server.post(f"/v1/models/{m['id']}/activate", None).status_code == 200
        assert all(name.endswith(".model") for name in files), files
        active = models(server)[0]["id"]
        assert server.post(f"/v1/models/{active}/activate", None).status_code == 200
        server.kill()
    server.start()
    assert spoken(server)[0] == "m"
    assert server.stop() == 0
