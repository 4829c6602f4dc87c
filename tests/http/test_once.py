"""Idempotency keys, ETags and restarts: each write exactly once."""

import concurrent.futures
import json

from conftest import Server, readback


def test_the_same_key_and_body_act_once(server, fresh):
    c, key = fresh("c"), {"Idempotency-Key": fresh("k")}
    server.post("/v1/conversations", {"id": c})
    body = {"role": "customer", "text": "hello"}
    first = server.post(f"/v1/conversations/{c}/turns", body, headers=key)
    again = server.post(f"/v1/conversations/{c}/turns", body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json()["turn"] == again.json()["turn"]
    assert len(server.get(f"/v1/conversations/{c}").json()["turns"]) == 1
    other = server.post(f"/v1/conversations/{c}/turns", {"role": "customer", "text": "other"}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_mismatch")


def test_twins_at_the_same_time_act_once(server, fresh):
    c, key = fresh("c"), {"Idempotency-Key": fresh("k")}
    server.post("/v1/conversations", {"id": c})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.post(f"/v1/conversations/{c}/turns", {"role": "customer", "text": "hi"},
                                                      headers=key), range(8)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["turn"]["id"] for a in answers}) == 1
    assert len(server.get(f"/v1/conversations/{c}").json()["turns"]) == 1


def test_a_refusal_is_kept_under_its_key(server, fresh):
    c, key = fresh("c"), {"Idempotency-Key": fresh("k")}
    body = {"role": "customer", "text": "too early"}
    first = server.post(f"/v1/conversations/{c}/turns", body, headers=key)
    server.post("/v1/conversations", {"id": c})
    again = server.post(f"/v1/conversations/{c}/turns", body, headers=key)
    assert first.status_code == again.status_code == 404


def test_a_repeated_handoff_gives_the_same_handoff(server, fresh):
    c, key = fresh("c"), {"Idempotency-Key": fresh("k")}
    server.post("/v1/conversations", {"id": c, "turns": [{"role": "customer", "text": "a human please"}]})
    body = {"conversation_id": c, "trigger": "customer_request"}
    first = server.post("/v1/handoffs", body, headers=key).json()
    again = server.post("/v1/handoffs", body, headers=key).json()
    assert first["id"] == again["id"]
    assert first["evidence"]["hash"] == again["evidence"]["hash"]


def test_etags_guard_updates(server, fresh):
    d = fresh("d")
    made = server.put(f"/v1/documents/{d}", {"text": "one"})
    tag = made.headers["ETag"]
    assert server.put(f"/v1/documents/{d}", {"text": "two"}, headers={"If-Match": tag}).status_code == 200
    stale = server.put(f"/v1/documents/{d}", {"text": "three"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "precondition_failed")
    assert server.get(f"/v1/documents/{d}").json()["text"] == "two"
    now = server.get(f"/v1/documents/{d}").headers["ETag"]
    assert server.get(f"/v1/documents/{d}", headers={"If-None-Match": now}).status_code == 304


def test_putting_the_same_again_changes_nothing(server, fresh):
    d = fresh("d")
    first = server.put(f"/v1/documents/{d}", {"title": "t", "text": "same"})
    again = server.put(f"/v1/documents/{d}", {"title": "t", "text": "same"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["revision"] == again.json()["revision"] == 1
    assert first.json()["version"] == again.json()["version"]


def test_everything_is_there_after_a_kill(tmp_path):
    s = Server(tmp_path / "data").start()
    try:
        for i in range(20):
            assert s.put(f"/v1/documents/d{i}", {"title": f"t{i}", "text": f"marmot number {i}"}).status_code == 201
        assert s.call("DELETE", "/v1/documents/d3").status_code == 200
        assert s.put("/v1/documents/d4", {"title": "t4", "text": "marmot number 4", "acl": ["tier9"]}).status_code == 200
        before = [h["id"] for h in s.post("/v1/search", {"query": "marmot number 7", "k": 10, "exact": True}).json()["data"]]
        bot = s.key("bot")
    finally:
        s.kill()
    s = Server(tmp_path / "data").start()
    try:
        after = [h["id"] for h in s.post("/v1/search", {"query": "marmot number 7", "k": 10, "exact": True}).json()["data"]]
        assert after == before
        assert s.get("/v1/documents/d3").status_code == 404
        assert s.get("/v1/documents/d4", key=bot).status_code == 404
        found = s.post("/v1/search", {"query": "marmot", "k": 100}, key=bot).json()["data"]
        assert {h["id"] for h in found} == {f"d{i}" for i in range(20)} - {"d3", "d4"}
    finally:
        assert s.stop() == 0
    verified = readback("verify", "--data", tmp_path / "data", "--json")
    assert (verified.returncode, json.loads(verified.stdout)) == (0, {"differences": 0})


def test_a_second_server_is_told_who_has_the_folder(server):
    second = readback("serve", "--data", server.data, "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert f"in use by process {server.process.pid}" in second.stderr


def test_a_dev_key_is_refused_off_loopback(tmp_path):
    answer = readback("serve", "--data", tmp_path, "--listen", "0.0.0.0:0", "--dev-key", "x")
    assert answer.returncode == 2
    assert "loopback" in answer.stderr


def test_an_unwritable_data_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    answer = readback("serve", "--data", tmp_path / "file", "--listen", "127.0.0.1:0")
    assert answer.returncode == 1
    assert "folder" in answer.stderr


def test_request_ids_are_echoed_and_logged_without_texts(server, fresh):
    c = fresh("private-client-id")
    answer = server.post("/v1/conversations", {"id": c, "turns": [{"role": "customer", "text": "verysecrettext"}]},
                         headers={"X-Request-Id": "trace-77"})
    assert answer.headers["X-Request-Id"] == "trace-77"
    server.get(f"/v1/conversations/{c}")
    log = "".join(server.lines)
    assert '"route": "/v1/conversations/{id}"' in log or '"route":"/v1/conversations/{id}"' in log
    assert c not in log and "verysecrettext" not in log


def test_a_burst_of_turns_to_one_conversation_all_gets_in(server, fresh):
    c = fresh("c")
    server.post("/v1/conversations", {"id": c})
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda i: server.post(f"/v1/conversations/{c}/turns", {"role": "bot", "text": f"turn {i}"}),
                                range(60)))
    assert {a.status_code for a in answers} == {201}
    turns = server.get(f"/v1/conversations/{c}").json()["turns"]
    assert sorted(t["text"] for t in turns) == sorted(f"turn {i}" for i in range(60))
    assert [t["n"] for t in turns] == list(range(1, 61))
