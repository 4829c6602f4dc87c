"""Rules for searches over HTTP and by the command line: who may set them, ETags, and that they take effect at once."""

import json

import pytest
from conftest import readback


@pytest.fixture
def api(words_server):
    for id_, title, text in (("couch", "Couch care", "How to clean a couch at home."),
                             ("sofa", "Sofa delivery", "A sofa is delivered in five days."),
                             ("reset", "Reset password", "Reset your password in the settings."),
                             ("locked", "Locked account", "After five tries the account is locked.")):
        assert words_server.put(f"/v1/documents/{id_}", {"title": title, "text": text}).status_code == 201
    return words_server


def ids(api, query, **more):
    answer = api.post("/v1/search", {"query": query, **more})
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["data"]]


def test_a_rule_takes_effect_with_the_next_search_and_ends_with_its_deletion(api):
    assert ids(api, "settee") == []
    made = api.put("/v1/rules/furniture", {"type": "synonyms", "words": ["settee", "sofa"]})
    assert made.status_code == 201
    assert made.json() == {"id": "furniture", "revision": 1, "result": "created"}
    hit = api.post("/v1/search", {"query": "settee"}).json()["data"][0]
    assert hit["id"] == "sofa"
    assert hit["boosts"] == [{"name": "synonym", "contribution": hit["score"], "because": '"settee" also finds "sofa"'}]
    assert api.put("/v1/rules/furniture", {"type": "synonym", "from": "settee", "to": ["couch"]}).json()["result"] == "updated"
    assert ids(api, "settee") == ["couch"]
    assert api.call("DELETE", "/v1/rules/furniture").json() == {"id": "furniture", "deleted": True}
    assert ids(api, "settee") == []


def test_pins_come_first_and_hidden_ones_are_gone(api):
    for id_, rule in (("p", {"type": "pin", "documents": ["locked"], "when": {"query": "password reset"}}),
                      ("h", {"type": "hide", "documents": ["reset"], "when": {"intent": "account_locked"}})):
        assert api.put(f"/v1/rules/{id_}", rule).status_code == 201
    answer = api.post("/v1/search", {"query": "how can I reset my password"}).json()
    first, second = answer["data"]
    assert (first["id"], second["id"]) == ("locked", "reset")
    assert first["boosts"][0]["because"] == 'pinned for "password reset"'
    for hit in answer["data"]:
        parts = [s["contribution"] for s in hit["sources"].values()] + [b["contribution"] for b in hit.get("boosts", [])]
        assert hit["score"] == pytest.approx(sum(parts), abs=2e-6)
    assert first["score"] > second["score"]
    assert ids(api, "password", intent="account_locked") == []
    assert ids(api, "password", intent="other") == ["reset"]


def test_with_vectors_the_score_is_the_sum_of_what_is_told_and_order_follows_it(server):
    for i, text in enumerate(("The settee arrives on Friday.", "A sofa is delivered in five days.", "Reset your password.")):
        assert server.put(f"/v1/documents/vec-{i}", {"text": text, "source": "vec"}).status_code == 201
    ours = {"type": "eq", "key": "source", "value": "vec"}
    before = server.post("/v1/search", {"query": "when does my couch come", "filter": ours}).json()["data"]
    server.put("/v1/rules/s", {"type": "synonym", "from": "couch", "to": ["sofa", "settee"]})
    server.put("/v1/rules/p", {"type": "pin", "documents": ["vec-2"], "when": {"query": "couch"}})
    try:
        hits = server.post("/v1/search", {"query": "when does my couch come", "filter": ours}).json()["data"]
    finally:
        for id_ in "sp":
            assert server.call("DELETE", f"/v1/rules/{id_}").status_code == 200
    assert hits[0]["id"] == "vec-2" and sorted(h["id"] for h in hits) == ["vec-0", "vec-1", "vec-2"]
    assert [h["score"] for h in hits] == sorted((h["score"] for h in hits), reverse=True)
    vector = {h["id"]: h["sources"]["vector"]["score"] for h in before}
    for hit in hits:
        parts = [s["contribution"] for s in hit["sources"].values()] + [b["contribution"] for b in hit["boosts"]]
        assert hit["score"] == pytest.approx(sum(parts), abs=3e-6)
        assert hit["sources"]["vector"]["score"] == vector[hit["id"]]
        assert [b["name"] for b in hit["boosts"]] == (["pin"] if hit["id"] == "vec-2" else ["synonym"])


def test_etags_guard_against_lost_updates(api):
    rule = {"type": "pin", "documents": ["sofa"], "when": {"intent": "delivery"}}
    tag = api.put("/v1/rules/r", rule).headers["ETag"]
    shown = api.get("/v1/rules/r")
    assert shown.headers["ETag"] == tag
    assert {k: shown.json()[k] for k in rule} == rule
    assert api.put("/v1/rules/r", rule).headers["ETag"] == tag
    changed = api.put("/v1/rules/r", {**rule, "documents": ["couch"]}, headers={"If-Match": tag})
    assert changed.status_code == 200
    for method, body in (("PUT", rule), ("DELETE", None)):
        refused = api.call(method, "/v1/rules/r", body, headers={"If-Match": tag})
        assert (refused.status_code, refused.json()["error"]["code"]) == (412, "precondition_failed")
    assert api.call("DELETE", "/v1/rules/r", headers={"If-Match": changed.headers["ETag"]}).status_code == 200
    assert api.get("/v1/rules/r").status_code == 404


def test_only_a_curator_reads_and_writes_them(api):
    curator, agent = api.key("curator", "tier1"), api.key("agent", "tier1")
    rule = {"type": "synonyms", "words": ["a", "b"]}
    for method, path, body in (("PUT", "/v1/rules/r", rule), ("GET", "/v1/rules/r", None), ("GET", "/v1/rules", None),
                               ("DELETE", "/v1/rules/r", None)):
        assert api.call(method, path, body, key=agent).status_code == 403
        assert api.call(method, path, body, key=curator).status_code in (200, 201)


def test_a_request_that_is_repeated_is_done_once(api):
    rule, once = {"type": "synonyms", "words": ["a", "b"]}, {"Idempotency-Key": "k-1"}
    first = api.put("/v1/rules/r", rule, headers=once)
    api.call("DELETE", "/v1/rules/r")
    again = api.put("/v1/rules/r", rule, headers=once)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert api.get("/v1/rules/r").status_code == 404


@pytest.mark.parametrize("rule, code, param", [
    ({"type": "boost"}, "bad_value", "type"),
    ({"type": "synonym", "from": "a"}, "missing_field", "to"),
    ({"type": "synonym", "from": "a", "to": ["b"], "weight": 2}, "unknown_field", "weight"),
    ({"type": "synonyms", "words": ["a", "!"]}, "bad_value", "words[1]"),
    ({"type": "pin", "documents": ["a"], "when": {"query": "b", "intent": "c"}}, "bad_value", "when"),
    ({"type": "pin", "documents": ["a"], "when": {"lang": "en"}}, "unknown_field", "when.lang"),
    ({"type": "hide", "documents": ["x" * 513], "when": {"intent": "c"}}, "too_large", "documents[0]"),
    ({"type": "synonyms", "words": ["w%d" % i for i in range(33)]}, "bad_value", "words"),
])
def test_a_wrong_rule_names_its_field(api, rule, code, param):
    error = api.put("/v1/rules/wrong", rule).json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert api.get("/v1/rules").json()["data"] == []


def test_a_policy_hands_a_conversation_over(api):
    said = {"text": "how can I reset my password"}
    assert api.post("/v1/predict", said).json()["decision"] == "clarify"
    rule = {"type": "policy", "decision": "escalate", "when": {"query": "password"}, "because": "passwords are for people"}
    assert api.put("/v1/rules/p", rule).status_code == 201
    answer = api.post("/v1/predict", said).json()
    assert (answer["decision"], answer["because"]) == ("escalate", "Policy: passwords are for people")
    assert api.call("DELETE", "/v1/rules/p").status_code == 200
    assert api.post("/v1/predict", said).json()["decision"] == "clarify"


def test_lists_go_by_pages_in_the_order_of_making(api):
    for i in range(5):
        api.put(f"/v1/rules/r{i}", {"type": "synonyms", "words": ["a", f"b{i}"]})
    page = api.get("/v1/rules?limit=2").json()
    assert [r["id"] for r in page["data"]] == ["r0", "r1"] and page["has_more"]
    page = api.get(f"/v1/rules?limit=3&after={page['last_id']}").json()
    assert [r["id"] for r in page["data"]] == ["r2", "r3", "r4"] and not page["has_more"]
    assert api.get("/v1/rules?after=no").json()["error"]["param"] == "after"


def test_files_of_rules_are_imported_printed_and_imported_again(tmp_path):
    rules = [{"id": "furniture", "type": "synonyms", "words": ["sofa", "couch"]},
             {"type": "synonym", "from": "wi-fi", "to": ["wireless"]},
             {"id": "late", "type": "pin", "documents": ["help-1"], "when": {"intent": "delivery_late"}}]
    file = tmp_path / "rules.ndjson"
    file.write_text("\n".join(map(json.dumps, [*rules, {"type": "pin"}, {"type": "synonyms", "words": ["a"]}])))
    here = ["--data", tmp_path / "data", "--embedder", "none"]
    told = readback("import", "rules", file, *here, "--json")
    counts = json.loads(told.stdout)
    assert told.returncode == 3
    assert (counts["imported"], counts["failed"]) == (3, 2)
    assert [(e["line"], e["param"], e["code"]) for e in counts["errors"]] == [(4, "documents", "missing_field"),
                                                                             (5, "words", "bad_value")]
    assert f"{file}:4: documents: is required" in told.stderr
    assert "unchanged 3" in readback("import", "rules", file, *here).stdout
    lines = readback("rules", "--data", tmp_path / "data").stdout
    printed = [json.loads(line) for line in lines.splitlines()]
    assert [{k: v for k, v in r.items() if k in rule} for r, rule in zip(printed, rules)] == rules
    (tmp_path / "again.ndjson").write_text(lines)
    assert "unchanged 3" in readback("import", "rules", tmp_path / "again.ndjson", *here).stdout
    other = readback("import", "rules", tmp_path / "again.ndjson", "--data", tmp_path / "other", "--embedder", "none")
    assert "imported 3" in other.stdout and other.returncode == 0
    listed = json.loads(readback("rules", "--data", tmp_path / "other", "--json").stdout)
    assert [r["revision"] for r in listed["data"]] == [1, 2, 3]
    (tmp_path / "last.ndjson").write_text('{"id":"x","type":"synonyms","words":["a","b"]}\n{"id":"x","type":"synonyms","words":["a","c"]}\n')
    assert "imported 1, updated 1" in readback("import", "rules", tmp_path / "last.ndjson", *here).stdout
    assert '"words":["a","c"]' in readback("rules", "--data", tmp_path / "data").stdout
