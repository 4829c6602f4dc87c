"""`--embedder http` against a stand-in for an embedding server, which answers well, badly, late or not at all."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import Server, readback

KEY = "sk-secret-of-the-stand-in"
MODEL = "tiny/concepts-8"
DIM = 8
# Words of one row mean the same and share no letters that a stemmer would find.
CONCEPTS = [("car", "automobile"), ("refund", "reimbursement"), ("invoice", "bill"), ("doctor", "physician")]


def vector_of(text):
    words = text.lower().replace(".", " ").replace("?", " ").split()
    return [sum(w in c for w in words) for c in CONCEPTS] + [0.1, 0, 0, len(text) % 7 / 100]


def items_of(texts):
    return [{"object": "embedding", "index": i, "embedding": vector_of(t)} for i, t in enumerate(texts)]


def good(texts):
    """In another order than asked: the index tells."""
    return 200, {}, {"object": "list", "data": items_of(texts)[::-1], "model": MODEL, "usage": {"total_tokens": 1}}


def refuse(status, **headers):
    return lambda texts: (status, {k.replace("_", "-"): v for k, v in headers.items()},
                          {"error": {"message": f"your key {KEY} is to blame"}})


class StandIn:
    """`behave` is given the texts and returns status, headers and the body (JSON, or bytes as they are)."""

    def __init__(self):
        stand = self
        self.behave = good
        self.requests, self.peers, self.released = [], set(), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stand.requests.append({"path": self.path, "body": body, "auth": self.headers.get("Authorization")})
                stand.peers.add(self.client_address)
                status, headers, answer = stand.behave(body["input"])
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(data)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True  # the client has gone: some tests are about that

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def hang(self, texts):
        self.released.wait(60)
        return good(texts)

    def texts(self):
        return [t for r in self.requests for t in r["body"]["input"]]

    def env(self, **more):
        named = {"READBACK_EMBEDDER": "http", "READBACK_EMBEDDER_URL": self.url, "READBACK_EMBEDDER_MODEL": MODEL,
                 "READBACK_EMBEDDER_DIMENSIONS": str(DIM), "READBACK_EMBEDDER_KEY": KEY}
        return {**named, **more}

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stand():
    s = StandIn()
    yield s
    s.close()


@pytest.fixture
def start(stand, tmp_path):
    """Starts servers that use the stand-in; whatever happens, the key is in none of what they say."""
    started = []

    def one(*options, **env):
        started.append(Server(tmp_path / "data", *options, env=stand.env(**env)).start())
        return started[-1]

    yield one
    for s in started:
        if s.process.poll() is None:
            assert s.stop() == 0
        assert KEY not in "".join(s.lines)


def run(stand, *args, **env):
    told = readback(*args, env={**os.environ, **stand.env(**env)})
    assert KEY not in told.stdout + told.stderr
    return told


def write_lines(path, items):
    path.write_text("".join(json.dumps(i) + "\n" for i in items))
    return path


def document(text):
    return {"text": text}


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


# --- it works --------------------------------------------------------------------------------------

def test_documents_are_found_by_meaning_from_import_to_search(stand, start, tmp_path):
    file = write_lines(tmp_path / "d.ndjson", [{"_id": "a", "text": "Reimbursement takes five days."},
                                               {"_id": "b", "text": "Every automobile has a number."},
                                               {"_id": "c", "text": "The physician calls back."}])
    told = readback("import", "documents", file, "--data", tmp_path / "data", "--embedder", "http", "--embedder-url",
                    stand.url + "/", "--embedder-model", MODEL)
    assert told.returncode == 0, told.stderr
    assert all(r["path"] == "/v1/embeddings" and r["auth"] is None for r in stand.requests)
    assert stand.requests[0]["body"] == {"model": MODEL, "input": ["readback"], "encoding_format": "float"}
    s = start()
    found = s.post("/v1/search", {"query": "car", "k": 3}).json()
    assert found["data"][0]["id"] == "b" and found["embedder"] == f"http:{MODEL}" and found["warnings"] == []
    assert "words" not in found["data"][0]["sources"]
    assert stand.requests[-1]["auth"] == f"Bearer {KEY}"
    assert s.get("/v1/status").json()["embedder"]["id"] == f"http:{MODEL}"
    assert s.stop() == 0
    told = run(stand, "search", "bill or refund", "--data", tmp_path / "data", "--json")
    assert json.loads(told.stdout)["data"][0]["id"] == "a", told.stderr


def test_reindex_and_status_take_the_folder_and_other_embedders_are_refused(stand, start, tmp_path):
    s = start()
    assert s.put("/v1/documents/a", document("An automobile.")).status_code == 201
    assert s.stop() == 0
    data = ("--data", tmp_path / "data")
    assert run(stand, "reindex", *data).returncode == 0
    assert f"http:{MODEL}" in run(stand, "status", *data).stdout
    assert run(stand, "reindex", *data, "--embedder-model", "another").returncode == 1
    assert f"http:{MODEL}" in run(stand, "reindex", *data, "--embedder-dimensions", "9").stderr
    assert run(stand, "verify", *data).returncode == 0
    s = start()
    assert s.post("/v1/search", {"query": "car"}).json()["data"][0]["id"] == "a"


def test_batches_are_bounded_and_vectors_come_to_their_texts(stand, tmp_path):
    words = [w for c in CONCEPTS for w in c]
    items = [{"_id": f"d{i}", "text": f"{words[i % 8]} {i}"} for i in range(150)]
    items += [{"_id": f"long{i}", "text": f"{chr(97 + i % 26) * 4400} {i}"} for i in range(100)]
    told = run(stand, "import", "documents", write_lines(tmp_path / "d.ndjson", items), "--data", tmp_path / "data")
    assert told.returncode == 0, told.stderr
    sent = [r["body"]["input"] for r in stand.requests]
    assert max(map(len, sent)) <= 64 < sum(map(len, sent)) / 3
    assert max(sum(len(t) for t in texts) for texts in sent) <= 256 << 10
    assert len(sent) < len(items) / 4, "texts go together"
    told = run(stand, "search", "automobile", "--k", "60", "--data", tmp_path / "data", "--json")
    cosines = {h["id"]: h["sources"]["vector"]["score"] for h in json.loads(told.stdout)["data"]
               if "vector" in h["sources"]}
    cars = {f"d{i}" for i in range(150) if i % 8 < 2}
    assert cars <= {id_ for id_, cosine in cosines.items() if cosine > 0.9}


def test_what_is_past_512_tokens_is_not_sent(stand, start):
    s = start()
    assert s.post("/v1/search", {"query": "car " * 5000}).status_code == 200
    assert stand.texts()[-1].split() == ["car"] * 512


def test_many_threads_share_connections(stand, start):
    s = start()
    assert s.put("/v1/documents/a", document("An automobile.")).status_code == 201
    first = []

    def ask():
        for _ in range(10):
            first.append(s.post("/v1/search", {"query": "car"}).json()["data"][0]["id"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert first == ["a"] * 80
    assert len(stand.requests) == 81 and len(stand.peers) <= 16


# --- answers that are of no use ----------------------------------------------------------------------

def with_items(change):
    def behave(texts):
        items = items_of(texts)
        return 200, {}, {"data": change(items)}
    return behave


def with_vector(make):
    return with_items(lambda items: [{**i, "embedding": make(i["embedding"])} for i in items])


BAD = {
    "three dimensions": (with_vector(lambda v: v[:3]), "3 dimensions where 8 are expected"),
    "no vector": (with_items(lambda items: [{"index": 0}]), "embedding"),
    "base64": (with_vector(lambda v: "AAAA"), "embedding"),
    "strings": (with_vector(lambda v: ["1"] * DIM), "finite numbers"),
    "null": (with_vector(lambda v: [None] * DIM), "finite numbers"),
    "beyond float": (with_vector(lambda v: [1e300] * DIM), "finite numbers"),
    "NaN": (with_vector(lambda v: [float("nan")] * DIM), "JSON"),
    "all zero": (with_vector(lambda v: [0] * DIM), "length 0"),
    "too few": (with_items(lambda items: items[:-1]), "0 vectors for 1 texts"),
    "too many": (with_items(lambda items: items + items), "2 vectors for 1 texts"),
    "index past the end": (with_items(lambda items: [{**i, "index": 1} for i in items]), "index"),
    "index a string": (with_items(lambda items: [{**i, "index": "0"} for i in items]), "index"),
    "no list": (lambda texts: (200, {}, {"vectors": []}), "data"),
    "an array": (lambda texts: (200, {}, []), "data"),
    "not JSON": (lambda texts: (200, {}, b"<html>hello</html>"), "JSON"),
    "nothing": (lambda texts: (200, {}, b""), "JSON"),
    "larger than the limit": (lambda texts: (200, {}, b" " * (2 << 20)), "larger than"),
    "not found": (refuse(404), "404"),
    "bad request": (refuse(400), "400"),
    "moved": (refuse(302, Location="http://127.0.0.1:9/"), "302"),
}


def test_useless_answers_are_named_and_write_nothing(stand, start):
    s = start()
    for name, (behave, message) in BAD.items():
        stand.behave, before = behave, len(stand.requests)
        answer = s.put("/v1/documents/a", document("An automobile."))
        assert code_of(answer) == (500, "model_unusable"), name
        assert message in answer.json()["error"]["message"], name
        assert KEY not in answer.text and stand.url not in answer.text, name
        assert len(stand.requests) == before + 1, f"{name}: tried again"
        assert s.get("/v1/documents/a").status_code == 404
        assert code_of(s.post("/v1/search", {"query": "car"})) == (500, "model_unusable"), name
    stand.behave = good
    assert s.put("/v1/documents/a", document("An automobile.")).status_code == 201


def test_an_index_given_twice_is_refused(stand, tmp_path):
    stand.behave = with_items(lambda items: [{**i, "index": 0} for i in items])
    file = write_lines(tmp_path / "d.ndjson", [{"_id": str(i), "text": f"car {i}"} for i in range(3)])
    told = run(stand, "import", "documents", file, "--data", tmp_path / "data")
    assert told.returncode == 1 and '"index" from 0 to 2 once' in told.stderr


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_and_not_tried_again(stand, start, tmp_path, status):
    stand.behave = refuse(status)
    told = run(stand, "import", "documents", "-", "--data", tmp_path / "other", READBACK_EMBEDDER_DIMENSIONS="0")
    assert told.returncode == 1 and "READBACK_EMBEDDER_KEY" in told.stderr and stand.url in told.stderr
    s = start()
    before = len(stand.requests)
    answer = s.put("/v1/documents/a", document("An automobile."))
    assert code_of(answer) == (500, "model_unusable") and str(status) in answer.json()["error"]["message"]
    assert len(stand.requests) == before + 1 and KEY not in answer.text


def test_no_redirect_takes_the_key_elsewhere(stand, start):
    other = StandIn()
    try:
        stand.behave = refuse(307, Location=other.url + "/embeddings")
        s = start()
        assert code_of(s.put("/v1/documents/a", document("An automobile."))) == (500, "model_unusable")
        assert other.requests == []
    finally:
        other.close()


# --- a server that is away ------------------------------------------------------------------------------

@pytest.mark.paced
def test_too_many_requests_is_waited_for(stand, start):
    answers = [refuse(429, Retry_After="1"), good]
    stand.behave = lambda texts: answers.pop(0)(texts)
    s = start()
    began = time.monotonic()
    assert s.put("/v1/documents/a", document("An automobile.")).status_code == 201
    assert 1 <= time.monotonic() - began < 10 and len(stand.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_while_it_fails_writes_are_503_and_words_answer(stand, start, status):
    s = start()
    assert s.put("/v1/documents/a", document("An automobile needs a number.")).status_code == 201
    stand.behave, before = refuse(status), len(stand.requests)
    answer = s.put("/v1/documents/b", document("A car."))
    assert code_of(answer) == (503, "embedder_unavailable") and answer.json()["error"]["type"] == "unavailable"
    assert int(answer.headers["Retry-After"]) >= 1 and KEY not in answer.text
    assert len(stand.requests) == before + 3, "three tries"
    assert s.get("/v1/documents/b").status_code == 404
    found = s.post("/v1/search", {"query": "number"}).json()
    assert [h["id"] for h in found["data"]] == ["a"] and found["weights"]["document"] == {"vector": 0, "words": 1}
    assert found["warnings"] == ["the embedder is not available: words alone were searched"]
    told = s.post("/v1/search", {"query": "number", "weights": {"vector": 1, "words": 0}})
    assert code_of(told) == (503, "embedder_unavailable")
    stand.behave = good
    assert s.put("/v1/documents/b", document("A car.")).status_code == 201
    assert s.post("/v1/search", {"query": "number"}).json()["warnings"] == []


def test_while_it_fails_conversations_that_are_there_are_searched_predicted_and_handed_off(stand, start):
    s = start()
    assert s.put("/v1/documents/a", document("A refund is paid within five days.")).status_code == 201
    turns = [{"role": "customer", "text": "where is my refund"}, {"role": "customer", "text": "for order 17"}]
    assert s.post("/v1/conversations", {"id": "c-1", "turns": turns}).status_code == 201
    stand.behave = refuse(500)
    found = s.post("/v1/search", {"conversation_id": "c-1"}).json()
    assert found["data"][0]["id"] == "a"
    assert found["warnings"] == ["the embedder is not available: words alone were searched"]
    only = s.post("/v1/search", {"conversation_id": "c-1", "weights": {"vector": 1, "words": 0}})
    assert code_of(only) == (503, "embedder_unavailable")
    assert s.post("/v1/predict", {"conversation_id": "c-1"}).json()["suggestions"][0]["id"] == "a"
    offered = s.post("/v1/handoffs", {"conversation_id": "c-1", "trigger": "customer_request",
                                      "reason": "wants the refund"})
    assert offered.status_code == 201, offered.text
    assert [e["id"] for e in offered.json()["evidence"]["data"]] == ["a"]
    new = s.post("/v1/conversations", {"id": "c-2", "turns": turns})
    assert code_of(new) == (503, "embedder_unavailable")
    assert s.get("/v1/conversations/c-2").status_code == 404


@pytest.mark.paced
def test_a_server_that_hangs_is_waited_for_as_long_as_set(stand, start):
    s = start("--embedder-timeout-ms", "400")
    assert s.put("/v1/documents/a", document("An automobile needs a number.")).status_code == 201
    stand.behave = stand.hang
    began = time.monotonic()
    assert code_of(s.put("/v1/documents/b", document("A car."))) == (503, "embedder_unavailable")
    assert 0.3 < time.monotonic() - began < 5
    assert s.post("/v1/search", {"query": "number"}).json()["warnings"] != []


def test_a_server_that_is_gone_is_the_same(stand, start):
    stand.behave = lambda texts: (200, {"Connection": "close"}, good(texts)[2])
    s = start()
    assert s.put("/v1/documents/a", document("An automobile needs a number.")).status_code == 201
    stand.close()
    assert code_of(s.put("/v1/documents/b", document("A car."))) == (503, "embedder_unavailable")
    found = s.post("/v1/search", {"query": "number"}).json()
    assert found["data"][0]["id"] == "a" and found["warnings"] != []
    assert stand.url not in "".join(s.lines)


@pytest.mark.paced
def test_a_job_goes_on_when_the_server_is_back(stand, start):
    s = start()
    failed = threading.Event()
    tries = iter([False, False, True])  # as many as there are before the job rests

    def away(texts):
        if next(tries):
            failed.set()
        return refuse(503)(texts)

    stand.behave = away
    answer = s.call("POST", "/v1/documents/batch", data=json.dumps({"_id": "a", "text": "An automobile."}),
                    headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    assert failed.wait(30)
    stand.behave = good
    job = s.wait_for_job(answer.json()["job"]["id"])
    assert job["state"] == "done" and job["imported"] == 1 and job["failed"] == 0
    assert s.post("/v1/search", {"query": "car"}).json()["data"][0]["id"] == "a"


def test_an_import_ends_and_goes_on_later(stand, tmp_path):
    file = write_lines(tmp_path / "d.ndjson", [{"_id": "a", "text": "An automobile."}])
    stand.behave = refuse(500)
    told = run(stand, "import", "documents", file, "--data", tmp_path / "data")
    assert told.returncode == 1 and "500" in told.stderr
    stand.behave = good
    assert "imported 1" in run(stand, "import", "documents", file, "--data", tmp_path / "data").stdout


# --- options ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("env, says", [
    ({"READBACK_EMBEDDER_URL": ""}, "embedder_url"),
    ({"READBACK_EMBEDDER_URL": "ftp://127.0.0.1/v1"}, "embedder_url"),
    ({"READBACK_EMBEDDER_URL": "file:///etc/passwd"}, "embedder_url"),
    ({"READBACK_EMBEDDER_URL": "http:///v1"}, "embedder_url"),
    ({"READBACK_EMBEDDER_URL": "http://u:hunter2@127.0.0.1/v1"}, "credentials"),
    ({"READBACK_EMBEDDER_URL": "http://127.0.0.1/v1?key=hunter2"}, "embedder_url"),
    ({"READBACK_EMBEDDER_MODEL": ""}, "embedder_model"),
    ({"READBACK_EMBEDDER_MODEL": "m" * 129}, "embedder_model"),
    ({"READBACK_EMBEDDER_DIMENSIONS": "-1"}, "embedder_dimensions"),
    ({"READBACK_EMBEDDER_DIMENSIONS": "99999"}, "embedder_dimensions"),
    ({"READBACK_EMBEDDER_TIMEOUT_MS": "-5"}, "embedder_timeout_ms"),
    ({"READBACK_EMBEDDER_KEY": KEY + "\r\nX-More: hunter2"}, "READBACK_EMBEDDER_KEY"),
    ({"READBACK_EMBEDDER": ""}, "--embedder http"),
])
def test_options_that_are_wrong_are_named_and_secrets_are_not(stand, tmp_path, env, says):
    told = run(stand, "import", "documents", "-", "--data", tmp_path / "data", **env)
    assert told.returncode == 1 and says in told.stderr
    assert "hunter2" not in told.stderr and stand.requests == []


def test_a_server_that_cannot_be_asked_for_its_dimensions_is_named(stand, tmp_path):
    cases = [(refuse(500), "500"), (lambda texts: (200, {}, {"data": [{"index": 0, "embedding": []}]}), "0 dimensions")]
    for behave, says in cases:
        stand.behave = behave
        told = run(stand, "import", "documents", "-", "--data", tmp_path / "data", READBACK_EMBEDDER_DIMENSIONS="0")
        assert told.returncode == 1 and stand.url in told.stderr and says in told.stderr


def test_the_key_is_no_option_of_the_command_line(stand, tmp_path):
    told = run(stand, "status", "--data", tmp_path / "data", "--embedder-key", "x")
    assert told.returncode == 2
    assert "READBACK_EMBEDDER_KEY" in run(stand, "serve", "--help").stdout
