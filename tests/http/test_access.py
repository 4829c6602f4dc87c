"""A caller sees nothing that its groups do not allow, and does nothing that its scopes do not."""

import pytest

SECRET = "the chartreuse override allows refunds up to 912 euro"


@pytest.fixture(scope="module")
def keys(server):
    server.put("/v1/documents/acl-open", {"title": "Refund rules", "text": "Refunds are paid within five days of the return."})
    server.put("/v1/documents/acl-tier2", {"title": "Refund limits", "text": f"Internal: {SECRET}.", "acl": ["tier2"]})
    return {"bot": server.key("bot"), "tier1": server.key("agent", "tier1"), "tier2": server.key("agent", "tier1,tier2"),
            "curator": server.key("curator", "tier1"), "desk": server.key("agent", "tier1,tier2", "--act-as"),
            "export": server.key("export")}


def test_without_a_key_everything_but_health_is_refused(server, keys):
    for path in ("/v1/documents", "/v1/handoffs", "/v1/status", "/v1/conversations"):
        answer = server.get(path, key=None)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/healthz", "/readyz", "/openapi.json", "/metrics"):
        assert server.get(path, key=None).status_code == 200


def test_the_401_does_not_tell_whether_a_key_exists(server, keys):
    seen = set()
    for key in ("rb_" + "x" * 43, "nonsense", keys["bot"][:-1] + ("A" if keys["bot"][-1] != "A" else "B")):
        error = server.get("/v1/status", key=key).json()["error"]
        seen.add((error["message"], error["code"]))
    assert len(seen) == 1


@pytest.mark.parametrize("who, method, path, body", [
    ("bot", "PUT", "/v1/documents/x", {"text": "x"}),
    ("bot", "DELETE", "/v1/documents/acl-open", None),
    ("tier1", "PUT", "/v1/documents/x", {"text": "x"}),
    ("curator", "POST", "/v1/handoffs", {"conversation_id": "x", "trigger": "other"}),
    ("bot", "POST", "/v1/signals", {"signals": []}),
    ("export", "POST", "/v1/search", {"query": "x"}),
    ("bot", "POST", "/v1/handoffs/x/resolution", {"outcome": "resolved", "intent": "x", "text": "x"}),
])
def test_scopes_are_kept(server, keys, who, method, path, body):
    answer = server.call(method, path, body, key=keys[who])
    assert answer.status_code == 403, answer.text


def test_hits_are_of_the_callers_groups_only(server, keys):
    query = {"query": "chartreuse override refunds", "kinds": ["document"], "k": 50, "explain": True}
    for who in ("bot", "tier1", "curator"):
        text = server.post("/v1/search", query, key=keys[who]).text if who != "export" else ""
        assert "acl-tier2" not in text and "chartreuse override" not in text
    assert "acl-tier2" in server.post("/v1/search", query, key=keys["tier2"]).text


def test_a_hidden_document_is_as_one_that_is_not_there(server, keys):
    hidden = server.get("/v1/documents/acl-tier2", key=keys["tier1"])
    missing = server.get("/v1/documents/acl-none", key=keys["tier1"])
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["error"]["message"] == missing.json()["error"]["message"]
    assert "acl-tier2" not in server.get("/v1/documents?limit=200", key=keys["tier1"]).text
    assert server.get("/v1/documents/acl-tier2", key=keys["tier2"]).status_code == 200


def test_the_agent_header_narrows(server, keys):
    query = {"query": "chartreuse override refunds"}
    narrowed = server.post("/v1/search", query, key=keys["desk"], headers={"Readback-Agent": 'id="a-7", groups="tier1"'})
    assert "acl-tier2" not in narrowed.text
    widened = server.post("/v1/search", query, key=keys["tier1"], headers={"Readback-Agent": 'id="a-7", groups="tier2"'})
    assert widened.status_code == 403
    malformed = server.post("/v1/search", query, key=keys["desk"], headers={"Readback-Agent": "a-7"})
    assert malformed.json()["error"]["code"] == "bad_header"


def test_agent_in_a_body_must_be_the_caller(server, keys, fresh):
    c = fresh("c")
    server.post("/v1/conversations", {"id": c, "turns": [{"role": "customer", "text": "refund please"}]})
    h = server.post("/v1/handoffs", {"conversation_id": c, "trigger": "other"}).json()["id"]
    body = {"agent": "a-8", "outcome": "resolved", "intent": "refund", "text": "paid"}
    wrong = server.post(f"/v1/handoffs/{h}/resolution", body, key=keys["desk"], headers={"Readback-Agent": 'id="a-7"'})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (403, "agent_mismatch")
    right = server.post(f"/v1/handoffs/{h}/resolution", body, key=keys["desk"], headers={"Readback-Agent": 'id="a-8"'})
    assert right.status_code == 200, right.text


def test_evidence_and_brief_of_a_handoff_pass_the_same_filter(server, keys, fresh):
    """A handoff for tier2 holds evidence that a tier1 agent sees as withheld, and a brief without its sentences."""
    c = fresh("c")
    server.post("/v1/conversations", {"id": c, "queue": "tier2",
                                      "turns": [{"role": "customer", "text": "which refund limits has the chartreuse override?"}]})
    h = server.post("/v1/handoffs", {"conversation_id": c, "trigger": "other", "queue": "tier2"})
    assert "chartreuse override allows" in h.text
    id_ = h.json()["id"]
    for path in (f"/v1/handoffs/{id_}", f"/v1/handoffs/{id_}/evidence", f"/v1/handoffs/{id_}/brief",
                 f"/v1/handoffs/{id_}/evidence?compare=now", f"/v1/handoffs/{id_}/brief?format=text"):
        seen = server.get(path, key=keys["tier1"])
        assert seen.status_code == 200, seen.text
        assert "chartreuse override allows" not in seen.text and "acl-tier2" not in seen.text
        assert "chartreuse override allows" in server.get(path, key=keys["tier2"]).text
    states = [i.get("state") for i in server.get(f"/v1/handoffs/{id_}/evidence", key=keys["tier1"]).json()["data"]]
    assert "withheld" in states


def test_a_case_carries_the_acl_of_the_evidence_used(server, keys, fresh):
    c = fresh("c")
    server.post("/v1/conversations", {"id": c, "turns": [{"role": "customer", "text": "periwinkle refund above the limit"}]})
    h = server.post("/v1/handoffs", {"conversation_id": c, "trigger": "other"}).json()["id"]
    done = server.post(f"/v1/handoffs/{h}/resolution", {"outcome": "resolved", "intent": "periwinkle_refund",
                                                        "text": "paid by the periwinkle rule", "evidence_used": ["acl-tier2"]})
    assert done.status_code == 200, done.text
    query = {"query": "periwinkle refund", "kinds": ["case"]}
    assert "periwinkle rule" not in server.post("/v1/search", query, key=keys["tier1"]).text
    assert "periwinkle rule" in server.post("/v1/search", query, key=keys["tier2"]).text
    assert "periwinkle rule" not in server.post("/v1/search", query, key=keys["bot"]).text


def test_a_changed_acl_counts_at_once(server, keys, fresh):
    d = fresh("d")
    body = {"title": "Tangerine", "text": "tangerine procedure for all"}
    server.put(f"/v1/documents/{d}", body)
    assert d in server.post("/v1/search", {"query": "tangerine procedure"}, key=keys["bot"]).text
    changed = server.put(f"/v1/documents/{d}", {**body, "acl": ["tier2"]})
    assert changed.json()["revision"] == 2
    assert d not in server.post("/v1/search", {"query": "tangerine procedure"}, key=keys["bot"]).text
    assert server.get(f"/v1/documents/{d}", key=keys["bot"]).status_code == 404


def test_a_bot_writes_no_agent_turns(server, keys, fresh):
    c = fresh("c")
    server.post("/v1/conversations", {"id": c, "turns": [{"role": "customer", "text": "x"}]}, key=keys["bot"])
    assert server.post(f"/v1/conversations/{c}/turns", {"role": "agent", "text": "x"}, key=keys["bot"]).status_code == 403
    assert server.post(f"/v1/conversations/{c}/turns", {"role": "bot", "text": "x"}, key=keys["bot"]).status_code == 201


def test_revoked_keys_are_refused(server):
    from conftest import readback
    import json
    made = json.loads(readback("key", "create", "--scopes", "agent", "--data", server.data, "--json").stdout)
    assert server.get("/v1/status", key=made["key"]).status_code == 200
    assert readback("key", "revoke", made["id"], "--data", server.data).returncode == 0
    assert server.get("/v1/status", key=made["key"]).status_code == 401


def test_a_bot_sees_only_what_it_has_begun(server, keys, fresh):
    other, own = fresh("c"), fresh("c")
    body = {"turns": [{"role": "customer", "text": "where is my parcel"}], "customer": {"id": fresh("cu"), "name": "Ana Lima"}}
    server.post("/v1/conversations", {"id": other, **body})
    handed = server.post("/v1/handoffs", {"conversation_id": other, "trigger": "other"}).json()["id"]
    assert server.post("/v1/conversations", {"id": own, **body}, key=keys["bot"]).status_code == 201
    opened = server.post("/v1/handoffs", {"conversation_id": own, "trigger": "other"}, key=keys["bot"]).json()["id"]
    for path in (f"/v1/conversations/{other}", f"/v1/handoffs/{handed}", f"/v1/handoffs/{handed}/brief", f"/v1/handoffs/{handed}/evidence"):
        assert server.get(path, key=keys["bot"]).status_code == 404, path
    turn = {"role": "customer", "text": "hello?"}
    assert server.post(f"/v1/conversations/{other}/turns", turn, key=keys["bot"]).status_code == 404
    assert server.post(f"/v1/conversations/{own}/turns", turn, key=keys["bot"]).status_code == 201
    assert server.get(f"/v1/conversations/{own}", key=keys["bot"]).status_code == 200
    for path, id_ in (("/v1/conversations", own), ("/v1/handoffs", opened)):
        seen = [x["id"] for x in server.get(f"{path}?limit=200", key=keys["bot"]).json()["data"]]
        assert id_ in seen and other not in seen and handed not in seen
    # another conversation of the customer that the bot claims to talk with is not told of
    assert other not in server.get(f"/v1/handoffs/{opened}", key=keys["bot"]).text
    assert other in server.get(f"/v1/handoffs/{opened}", key=keys["tier1"]).text


def test_hidden_and_unknown_are_answered_alike(server, keys, fresh):
    hidden = fresh("c")
    server.post("/v1/conversations", {"id": hidden, "acl": ["tier2"]})
    for method, path in (("DELETE", "/v1/documents/{}"), ("GET", "/v1/documents/{}"), ("GET", "/v1/documents?after={}")):
        answers = [server.call(method, path.format(id_), key=keys["curator"]) for id_ in ("acl-tier2", "acl-none")]
        assert [a.status_code for a in answers] == [404, 404], (method, path)
        assert len({a.json()["error"]["message"] for a in answers}) == 1
    for path in ("/v1/conversations/{}", "/v1/conversations?after={}"):
        answers = [server.get(path.format(id_), key=keys["tier1"]) for id_ in (hidden, "c-none")]
        assert len({(a.status_code, a.json()["error"]["message"]) for a in answers}) == 1, path


def test_a_label_behind_an_acl_is_not_predicted_for_others(server, keys, fresh):
    c = fresh("c")
    text = "I want my money from the xanadu desk"
    server.post("/v1/conversations", {"id": c, "acl": ["tier2"], "turns": [{"role": "customer", "text": text}]})
    h = server.post("/v1/handoffs", {"conversation_id": c, "trigger": "other"}).json()["id"]
    server.post(f"/v1/handoffs/{h}/resolution", {"outcome": "resolved", "intent": "xanadu_secret", "text": "done"})
    assert "xanadu_secret" in server.post("/v1/predict", {"text": text}, key=keys["tier2"]).text
    for who in ("tier1", "bot"):
        assert "xanadu_secret" not in server.post("/v1/predict", {"text": text}, key=keys[who]).text
    open_ = server.post("/v1/handoffs", {"trigger": "other", "conversation": {"turns": [{"role": "customer", "text": text}]}}, key=keys["tier1"])
    assert open_.status_code == 201 and "xanadu_secret" not in open_.text
