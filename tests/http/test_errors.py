"""Bad input: each gets its documented error, and nothing half-written stays."""

import http.client
import json

import pytest
from conftest import DEV_KEY


@pytest.fixture(scope="module")
def api(server):
    assert server.put("/v1/documents/err-1", {"title": "t", "text": "a plain text"}).status_code == 201
    assert server.post("/v1/conversations", {"id": "err-c", "turns": [{"role": "customer", "text": "hi"}]}).status_code == 201
    return server


def raw(api, method, path, body, headers=None):
    """Sends bytes as they are."""
    host = api.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=120)
    connection.request(method, path, body, {"Authorization": f"Bearer {DEV_KEY}", "Content-Type": "application/json",
                                            **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)["error"] if answer.status >= 400 else json.loads(text)


@pytest.mark.parametrize("body, code", [
    (b"{", "bad_json"),
    (b"", "bad_json"),
    (b"[]", "wrong_type"),
    (b'{"text":"a","text":"b"}', "bad_json"),
    (b'{"text":"\xff"}', "bad_utf8"),
    (b'{"text":"a\\u0000b"}', "bad_utf8"),
    (b'{"text":"a\x00b"}', "bad_utf8"),
    (b'{"text":1}', "wrong_type"),
    (b'{"text":"a","txet":"b"}', "unknown_field"),
    (b'{"text":""}', "empty_text"),
    (b'{"title":"t"}', "missing_field"),
    (b'{"text":"a","acl":"tier1"}', "wrong_type"),
    (b'{"text":"a","updated_at":"yesterday"}', "bad_value"),
    (b'{"text":"a","vector":[1,2,3]}', "wrong_dimension"),
    (b'{"text":"a","vector":["x"]}', "wrong_dimension"),
    (b'{"text":"a","vector":["x"' + b",1" * 383 + b"]}", "wrong_type"),
    (b'{"text":"a","attributes":{"a":{"b":1}}}', "wrong_type"),
    (b'{"text":"a","markdown":"b"}', "bad_value"),
    (b"[" * 100 + b"]" * 100, "too_large"),
])
def test_a_bad_document_is_told_and_not_stored(api, body, code):
    status, error = raw(api, "PUT", "/v1/documents/bad-one", body)
    assert error["code"] == code, error
    assert status in (400, 413)
    assert error["request_id"]
    assert api.get("/v1/documents/bad-one").status_code == 404


def test_html_that_nests_too_deeply_is_refused(api):
    body = {"title": "t", "html": "<div>" * 100_000 + "x" * 9_000_000}
    status, error = raw(api, "PUT", "/v1/documents/bad-html", json.dumps({**body, "html": body["html"][:200_000]}))
    assert (status, error["code"], error["param"]) == (413, "too_large", "html")
    job = api.put("/v1/documents/bad-html", body)  # so long that it is a job
    assert job.status_code == 202
    assert api.wait_for_job(job.json()["job"]["id"])["errors"] == [{"line": 1, "param": "html", "code": "too_large"}]
    assert api.get("/v1/documents/bad-html").status_code == 404
    assert api.put("/v1/documents/good-html", {"html": "<h1>Fees</h1><p>None.</p>"}).status_code == 201
    assert api.get("/v1/documents/good-html").json()["text"] == "Fees\n\nNone."


@pytest.mark.parametrize("method, path, body, status, code", [
    ("GET", "/v1/nothing", None, 404, "no_route"),
    ("PATCH", "/v1/search", {}, 405, "method_not_allowed"),
    ("GET", "/v1/documents/not-there", None, 404, "not_found"),
    ("DELETE", "/v1/documents/not-there", None, 404, "not_found"),
    ("GET", "/v1/documents?lmit=3", None, 400, "unknown_field"),
    ("GET", "/v1/documents?limit=0", None, 400, "bad_value"),
    ("GET", "/v1/documents?after=not-there", None, 404, "not_found"),
    ("GET", "/v1/conversations?after=not-there", None, 404, "not_found"),
    ("GET", "/v1/handoffs?after=not-there", None, 404, "not_found"),
    ("GET", "/v1/handoffs?state=ofered", None, 400, "bad_value"),
    ("POST", "/v1/search", {"query": "x", "k": 1.5}, 400, "wrong_type"),
    ("GET", "/v1/conversations/not-there", None, 404, "not_found"),
    ("POST", "/v1/conversations/not-there/turns", {"role": "customer", "text": "x"}, 404, "not_found"),
    ("POST", "/v1/conversations/err-c/turns", {"role": "robot", "text": "x"}, 400, "bad_value"),
    ("POST", "/v1/conversations/err-c/turns", {"role": "customer", "text": "x" * 70000}, 413, "too_large"),
    ("POST", "/v1/conversations", {"id": "err-c"}, 409, "already_exists"),
    ("POST", "/v1/conversations", {"turns": [{"role": "customer", "text": "x"}, {"role": "customer"}]}, 400, "missing_field"),
    ("POST", "/v1/handoffs", {"conversation_id": "not-there", "trigger": "other"}, 404, "not_found"),
    ("POST", "/v1/handoffs", {"trigger": "other"}, 400, None),
    ("POST", "/v1/handoffs", {"conversation_id": "err-c", "trigger": "bored"}, 400, "bad_value"),
    ("GET", "/v1/handoffs/not-there", None, 404, "not_found"),
    ("POST", "/v1/handoffs/not-there/resolution", {"outcome": "resolved", "intent": "x", "text": "y"}, 404, "not_found"),
    ("POST", "/v1/search", {}, 400, None),
    ("POST", "/v1/search", {"query": "x", "k": 0}, 400, "bad_value"),
    ("POST", "/v1/search", {"query": "x", "k": 101}, 400, "bad_value"),
    ("POST", "/v1/search", {"query": "x", "offset": 995}, 400, "bad_value"),
    ("POST", "/v1/search", {"query": "x", "match": "\"unclosed"}, 400, "bad_match"),
    ("POST", "/v1/search", {"match": "*"}, 400, "bad_match"),
    ("POST", "/v1/search", {"query": "x", "kinds": ["person"]}, 400, None),
    ("POST", "/v1/search", {"query": "x", "filter": {"type": "like", "key": "a", "value": "b"}}, 400, None),
    ("POST", "/v1/search", {"query": "x", "filter": {"type": "in", "key": "a", "value": "b"}}, 400, None),
    ("POST", "/v1/search", {"vector": [0.5, 0.5]}, 400, "wrong_dimension"),
    ("POST", "/v1/search", {"vector": [0.0] * 384}, 400, "bad_vector"),
    ("POST", "/v1/search", {"conversation_id": "not-there"}, 404, "not_found"),
    ("POST", "/v1/predict", {}, 400, None),
    ("GET", "/v1/jobs/not-there", None, 404, "not_found"),
])
def test_each_bad_request_has_its_error(api, method, path, body, status, code):
    answer = api.call(method, path, body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    if code:
        assert error["code"] == code, error
    assert set(error) >= {"message", "type", "param", "code", "request_id"}


def test_the_param_names_the_field(api):
    answer = api.post("/v1/conversations", {"turns": [{"role": "customer", "text": "a"}, {"role": "x", "text": "b"}]})
    assert answer.json()["error"]["param"] == "turns[1].role"


def test_a_wrong_method_names_the_right_ones(api):
    assert api.call("PATCH", "/v1/search", {}).headers["Allow"] == "POST"
    assert api.call("PATCH", "/v1/documents/batch", {}).headers["Allow"] == "POST"


def test_a_whole_number_may_be_written_with_a_point(api):
    assert api.post("/v1/search", {"query": "plain", "k": 1.0}).status_code == 200


def test_an_unknown_filter_key_matches_nothing_and_warns(api):
    answer = api.post("/v1/search", {"query": "plain", "filter": {"type": "eq", "key": "colour", "value": "red"}}).json()
    assert answer["data"] == []
    assert any("colour" in w for w in answer["warnings"])
    for key in ("x" + "é" * 60, "xy" + "漢" * 42):
        answer = api.post("/v1/search", {"query": "plain", "filter": {"type": "eq", "key": key, "value": "red"}})
        assert answer.status_code == 200, answer.text
        assert any(key in w for w in answer.json()["warnings"])


def test_ten_megabytes_of_text_become_a_job_and_more_is_too_large(api):
    line = "The quick brown fox jumps over the lazy dog near the river bank. "
    assert api.put("/v1/documents/huge", {"text": "x" * (11 << 20)}).status_code == 413
    answer = api.put("/v1/documents/long", {"title": "long", "text": line * 5000})
    assert answer.status_code == 202, answer.text
    job = api.wait_for_job(answer.json()["job"]["id"])
    assert job["state"] == "done", job
    assert api.get("/v1/documents/long").json()["state"] == "findable"


def test_a_body_over_the_routes_limit_is_413_before_it_is_read(api):
    host = api.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.putrequest("POST", "/v1/search")
    connection.putheader("Authorization", f"Bearer {DEV_KEY}")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_chunked_body_over_the_limit_is_413(api):
    def body():
        for _ in range(20):
            yield b"x" * 65536 * 1
    answer = api.call("POST", "/v1/search", data=body(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_ids_with_slashes_and_unicode_are_kept(api):
    for id_, path in (("a/b", "a%2Fb"), ("é 漢", "%C3%A9%20%E6%BC%A2")):
        assert api.put(f"/v1/documents/{path}", {"text": "odd ids"}).status_code == 201
        assert api.get(f"/v1/documents/{path}").json()["id"] == id_
        assert api.call("DELETE", f"/v1/documents/{path}").status_code == 200
    assert api.put("/v1/documents/" + "x" * 513, {"text": "x"}).json()["error"]["code"] == "bad_id"
    assert api.put("/v1/documents/a%0Ab", {"text": "x"}).json()["error"]["code"] == "bad_id"


def test_a_wrong_media_type_is_415(api):
    answer = api.call("POST", "/v1/search", data="query=x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    answer = api.call("POST", "/v1/search", data="x", headers={"Content-Type": "application/json", "Content-Encoding": "br"})
    assert answer.status_code == 415


def begin_upload(api, headers):
    """Sends the headers of a long body and nothing of it; the answer that comes all the same."""
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/v1/documents/batch")
    for name, value in {"Content-Length": "60000000", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    return answer.status, error


def test_nothing_of_a_body_is_kept_before_the_key_is_known(api):
    assert begin_upload(api, {})[0] == 401
    assert begin_upload(api, {"Authorization": "Bearer rb_wrong"})[0] == 401
    bot = api.key("bot")
    assert begin_upload(api, {"Authorization": f"Bearer {bot}"})[0] == 403


def test_a_request_id_that_is_no_token_is_replaced(api):
    status, error = begin_upload(api, {"Authorization": f"Bearer {DEV_KEY}", "Content-Length": "900000000",
                                       "X-Request-Id": 'a"b\xe9 c'})
    assert status == 413
    assert error["request_id"] and '"' not in error["request_id"]


def test_query_parameters_that_are_not_known_are_told_on_every_route(api):
    answer = api.post("/v1/search?explain=1", {"query": "x"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "explain")
