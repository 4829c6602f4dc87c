"""Training sets over HTTP: asked for, made by the server, fetched; the same bytes as `readback export` writes."""

import hashlib
import json
import os
import pathlib
import socket
import sqlite3
import struct
import time

import pytest

from conftest import DEV_KEY, Server, readback

DEMO = pathlib.Path(__file__).parents[2] / "datasets/demo"


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A server on the demo's history, words alone."""
    data = tmp_path_factory.mktemp("datasets") / "data"
    for what in ("documents", "conversations"):
        told = readback("import", what, DEMO / f"{what}.ndjson", "--data", data, "--embedder", "none")
        assert told.returncode == 0, told.stderr
    s = Server(data, "--embedder", "none").start()
    yield s
    assert s.stop() == 0


def finished(server, answer, seconds=120, **kw):
    """The dataset behind a 202, when its job has ended."""
    assert answer.status_code == 202, answer.text
    id_ = answer.json()["job"]["id"]
    deadline = time.monotonic() + seconds
    while True:
        job = server.get(f"/v1/jobs/{id_}", **kw).json()["job"]
        if job["state"] in ("done", "failed") or time.monotonic() > deadline:
            return server.get(f"/v1/datasets/{id_}", **kw).json()
        time.sleep(0.02)  # between two questions


def made(server, **body):
    dataset = finished(server, server.post("/v1/datasets", body))
    assert dataset["state"] == "done", dataset
    return dataset


def on_disk(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fetched(server, dataset, **kw):
    return {f["name"]: server.get(f["url"], **kw).content for f in dataset["files"]}


def mark_now(server):
    return server.get("/v1/status").json()["seq"]


@pytest.fixture(scope="module")
def beir(history):
    return made(history, format="beir", split={"by": "hash"})


@pytest.mark.parametrize("body, options", [
    ({"format": "trl-sft"}, []),
    ({"format": "fasttext", "kind": "intents", "split": {"by": "time"}}, ["--kind", "intents", "--split", "time"]),
    ({"format": "beir", "split": {"by": "hash"}, "seed": 7}, ["--split", "hash", "--seed", "7"]),
    ({"format": "rasa", "options": {"cap": 3, "balance": "smallest"}},
     ["--option", "cap=3", "--option", "balance=smallest"]),
    ({"format": "openai", "since": "2026-01-01T00:00:00Z"}, ["--since", "2026-01-01"]),
    ({"format": "trl-sft", "split": {"by": "hash", "train": 0.5, "valid": 0.3, "test": 0.2}},
     ["--split", "hash", "--sizes", "0.5,0.3,0.2"]),
])
def test_a_dataset_is_what_the_command_line_writes_at_the_same_mark(history, tmp_path, body, options):
    dataset = made(history, **body)
    told = readback("export", "--format", body["format"], "--at", dataset["mark"], "--out", tmp_path / "out", "--data",
                    history.data, "--json", *options)
    assert told.returncode == 0, told.stderr
    assert fetched(history, dataset) == on_disk(tmp_path / "out")
    summary = json.loads(told.stdout)
    assert dataset["rows"] == summary["rows"] > 0
    assert dataset["sha256"] == summary["manifest"]
    assert dataset["redacted"] == summary["redacted"]


def test_the_list_of_files_tells_their_hashes_sizes_and_rows(history, beir):
    contents = fetched(history, beir)
    for f in beir["files"]:
        bytes_ = contents[f["name"]]
        assert f["sha256"] == "sha256:" + hashlib.sha256(bytes_).hexdigest()
        assert f["bytes"] == len(bytes_)
    told = {f["name"]: f for f in json.loads(contents["manifest.json"])["files"]}
    for f in beir["files"]:
        if f["name"] in told:
            assert f.get("rows") == told[f["name"]].get("rows")


def test_a_file_in_a_folder_is_one_segment_of_the_path(history, beir):
    nested = [f for f in beir["files"] if "/" in f["name"]]
    assert nested
    for f in nested:
        assert f["url"].endswith(f["name"].replace("/", "%2F"))
        assert history.get(f["url"]).status_code == 200
        assert history.get(f"/v1/datasets/{beir['id']}/files/{f['name']}").status_code == 404


def file_of(dataset, least=100):
    return next(f for f in dataset["files"] if f["bytes"] > least)


def test_ranges_give_those_bytes(history, beir):
    f = file_of(beir)
    whole = history.get(f["url"])
    assert whole.headers["Accept-Ranges"] == "bytes"
    size = f["bytes"]
    for asked, first, last in (("0-9", 0, 9), ("5-", 5, size - 1), ("-7", size - 7, size - 1),
                               (f"10-{size * 3}", 10, size - 1), (f"-{size * 2}", 0, size - 1)):
        part = history.get(f["url"], headers={"Range": f"bytes={asked}"})
        assert part.status_code == 206, asked
        assert part.content == whole.content[first:last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"


def test_a_download_that_was_cut_off_goes_on(history, beir):
    f = file_of(beir)
    whole = history.get(f["url"])
    rest = history.get(f["url"], headers={"Range": "bytes=50-", "If-Range": whole.headers["ETag"]})
    assert rest.status_code == 206
    assert whole.content[:50] + rest.content == whole.content
    other = history.get(f["url"], headers={"Range": "bytes=50-", "If-Range": '"sha256:0"'})
    assert other.status_code == 200 and other.content == whole.content


def test_a_range_past_the_end_is_416_and_tells_the_size(history, beir):
    f = file_of(beir)
    told = history.get(f["url"], headers={"Range": f"bytes={f['bytes']}-"})
    assert told.status_code == 416
    assert told.headers["Content-Range"] == f"bytes */{f['bytes']}"
    assert told.json()["error"]["code"] == "range_not_satisfiable"
    assert history.get(f["url"], headers={"Range": "bytes=-0"}).status_code == 416


@pytest.mark.parametrize("value", ["bytes=5-2", "bytes=x-", "lines=0-4", "bytes=0-1,3-4", "bytes=-", "bytes"])
def test_what_is_no_single_range_gives_the_whole_file(history, beir, value):
    f = file_of(beir)
    told = history.get(f["url"], headers={"Range": value})
    assert told.status_code == 200 and len(told.content) == f["bytes"]


def test_etag_is_the_hash_and_saves_the_download(history, beir):
    f = file_of(beir)
    tag = f'"{f["sha256"]}"'
    assert history.get(f["url"]).headers["ETag"] == tag
    for known in (tag, f'"x", W/{tag}', "*"):
        told = history.get(f["url"], headers={"If-None-Match": known})
        assert told.status_code == 304 and told.content == b"" and told.headers["ETag"] == tag
    assert history.get(f["url"], headers={"If-None-Match": '"x"'}).status_code == 200


def test_head_tells_the_length(history, beir):
    f = file_of(beir)
    told = history.call("HEAD", f["url"])
    assert told.status_code == 200 and told.content == b""
    assert int(told.headers["Content-Length"]) == f["bytes"]


def test_no_file_stays_open(history, beir):
    f = file_of(beir)
    host, port = history.url.removeprefix("http://").split(":")
    open_files = lambda: sum(os.path.realpath(p).startswith(str(history.data)) and "/datasets/" in os.path.realpath(p)  # noqa: E731
                             for p in pathlib.Path(f"/proc/{history.process.pid}/fd").iterdir())
    for headers in ({}, {"Range": "bytes=1-2"}, {"Range": "bytes=999999999-"}, {"If-None-Match": "*"}):
        history.get(f["url"], headers=headers)
        history.call("HEAD", f["url"], headers=headers)
    for _ in range(5):  # who asks and is gone before the answer
        with socket.create_connection((host, int(port))) as s:
            s.sendall(f"GET {f['url']} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DEV_KEY}\r\n\r\n".encode())
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 20
    while open_files() and time.monotonic() < deadline:
        time.sleep(0.02)  # between two looks: the server closes when it has noticed
    assert open_files() == 0


@pytest.mark.parametrize("name", ["../manifest.json", "..", "%2e%2e%2fmanifest.json", "..%2F..%2Freadback.db", "none.txt",
                                  "%2Fetc%2Fpasswd", "data%2F..%2Fmanifest.json", "qrels"])
def test_only_listed_names_are_files(history, beir, name):
    # A client would tidy up the dots: the path goes out as it is.
    import requests
    request = requests.Request("GET", history.url, headers={"Authorization": f"Bearer {DEV_KEY}"}).prepare()
    request.url = f"{history.url}/v1/datasets/{beir['id']}/files/{name}"
    told = history.session.send(request, timeout=60)
    assert told.status_code == 404, told.text


@pytest.mark.parametrize("body, status, code, param", [
    ({}, 400, "missing_field", "format"),
    ({"format": "parquet"}, 400, "bad_value", "format"),
    ({"format": "openai", "kind": "poems"}, 400, "bad_value", "kind"),
    ({"format": "rasa", "kind": "preferences"}, 400, "bad_value", "kind"),
    ({"format": "openai", "options": {"colour": "red"}}, 400, "bad_value", "options"),
    ({"format": "rasa", "options": {"balance": "none=smallest"}}, 400, "bad_value", "options"),
    ({"format": "rasa", "options": {"cap": -1}}, 400, "bad_value", "options"),
    ({"format": "rasa", "options": {"cap": 1.5}}, 400, "wrong_type", "options"),
    ({"format": "rasa", "options": {str(i): 1 for i in range(33)}}, 413, "too_large", "options"),
    ({"format": "openai", "shape": 1}, 400, "unknown_field", "shape"),
    ({"format": "openai", "at": 10 ** 12}, 400, "bad_value", "at"),
    ({"format": "openai", "at": 0}, 400, "bad_value", "at"),
    ({"format": "openai", "since": "yesterday"}, 400, "bad_value", "since"),
    ({"format": "openai", "pii": "hide"}, 400, "bad_value", "pii"),
    ({"format": "openai", "seed": -1}, 400, "bad_value", "seed"),
    ({"format": "openai", "split": "time"}, 400, "wrong_type", "split"),
    ({"format": "openai", "split": {}}, 400, "missing_field", "split.by"),
    ({"format": "openai", "split": {"by": "moon"}}, 400, "bad_value", "split.by"),
    ({"format": "openai", "split": {"by": "hash", "train": 0.9}}, 400, "bad_value", "split"),
    ({"format": "openai", "split": {"by": "hash", "train": 0.9, "valid": 0.1, "test": 0.1}}, 400, "bad_value", "split"),
    ({"format": "openai", "split": {"by": "hash", "train": 0, "valid": 0, "test": 0}}, 400, "bad_value", "split"),
    ({"format": "openai", "split": {"by": "hash", "train": 2, "valid": 0, "test": 0}}, 400, "bad_value", "split.train"),
    ({"format": "openai", "filter": {"type": "like", "key": "lang", "value": "en"}}, 400, "bad_filter", "filter.type"),
    ({"format": "openai", "filter": []}, 400, "wrong_type", "filter"),
])
def test_what_cannot_be_made_is_refused_at_once(history, body, status, code, param):
    told = history.post("/v1/datasets", body)
    assert told.status_code == status, told.text
    assert (told.json()["error"]["code"], told.json()["error"]["param"]) == (code, param)


def test_a_dataset_of_nothing_fails_and_says_why(history):
    dataset = finished(history, history.post("/v1/datasets", {"format": "openai", "until": "1990-01-01T00:00:00Z"}))
    assert dataset["state"] == "failed"
    assert dataset["error"]["code"] == "empty_text" and "nothing to export" in dataset["error"]["message"]
    assert "files" not in dataset
    told = history.get(f"/v1/datasets/{dataset['id']}/files/manifest.json")
    assert told.status_code == 409 and told.json()["error"]["state"] == "failed"
    assert not [f for f in history.data.rglob("*") if dataset["id"] in f.name]


def by(key, *values):
    return {"type": "in", "key": key, "value": list(values)}


def test_a_filter_chooses_by_the_intent_and_by_the_conversation(history, tmp_path):
    everything = made(history, format="fasttext", kind="intents")
    labels = {p["label"]: p["rows"] for p in json.loads(fetched(history, everything)["manifest.json"])["labels"]}
    wanted = sorted(labels)[:2]
    filter_ = by("intent", *wanted)
    dataset = made(history, format="fasttext", kind="intents", filter=filter_)
    assert dataset["filter"] == filter_
    manifest = json.loads(fetched(history, dataset)["manifest.json"])
    assert manifest["filter"] == filter_
    assert {p["label"]: p["rows"] for p in manifest["labels"]} == {label: labels[label] for label in wanted}
    assert dataset["skipped"]["filtered"] == sum(labels.values()) - dataset["rows"]
    told = readback("export", "--format", "fasttext", "--kind", "intents", "--filter", json.dumps(filter_), "--at",
                    dataset["mark"], "--out", tmp_path / "out", "--data", history.data)
    assert told.returncode == 0, told.stderr
    assert fetched(history, dataset) == on_disk(tmp_path / "out")


def test_a_filter_by_attributes_queue_and_channel_is_as_of_searches(words_server):
    s = words_server
    for n, (queue, channel, attributes) in enumerate((("gold", "chat", {"lang": "en", "tries": 3}),
                                                      ("gold", "mail", {"lang": ["de", "en"]}),
                                                      ("blue", "chat", {"lang": "fr", "queue": "gold"}))):
        body = {"id": f"c{n}", "queue": queue, "channel": channel, "attributes": attributes,
                "turns": [{"role": "customer", "text": f"Question number {n} about the delivery of my parcel"}]}
        assert s.post("/v1/conversations", body).status_code == 201
        handoff = s.post("/v1/handoffs", {"conversation_id": f"c{n}", "trigger": "other"}).json()["id"]
        resolved = s.post(f"/v1/handoffs/{handoff}/resolution",
                          {"outcome": "resolved", "intent": f"intent_{n}", "text": f"Answer number {n} was sent."})
        assert resolved.status_code == 200, resolved.text

    def rows(filter_):
        dataset = finished(s, s.post("/v1/datasets", {"format": "trl-sft", "filter": filter_}))
        if dataset["state"] == "failed":
            assert "filtered" in dataset["error"]["message"]
            return set()
        text = fetched(s, dataset)["data/train.jsonl"].decode()
        return {n for n in range(3) if f"Question number {n}" in text}

    eq = lambda key, value: {"type": "eq", "key": key, "value": value}  # noqa: E731
    assert rows(eq("queue", "gold")) == {0, 1, 2}  # as tags: the attribute of that name counts as well
    assert rows(eq("queue", "blue")) == {2}
    assert rows(eq("channel", "mail")) == {1}
    assert rows(eq("lang", "en")) == {0, 1}
    assert rows({"type": "gte", "key": "tries", "value": 3}) == {0}
    assert rows({"type": "ne", "key": "intent", "value": "intent_1"}) == {0, 2}
    assert rows({"type": "and", "filters": [eq("lang", "en"), eq("channel", "chat")]}) == {0}
    assert rows({"type": "or", "filters": [eq("intent", "intent_2"), eq("channel", "mail")]}) == {1, 2}
    assert rows(eq("lang", "none")) == set()


def test_the_shares_of_a_split_are_what_was_asked_for(history):
    dataset = made(history, format="trl-sft", split={"by": "time", "train": 0.5, "valid": 0.25, "test": 0.25})
    assert dataset["split"] == {"by": "time", "train": 0.5, "valid": 0.25, "test": 0.25}
    manifest = json.loads(fetched(history, dataset)["manifest.json"])
    assert manifest["split"]["sizes"] == {"train": 0.5, "valid": 0.25, "test": 0.25}
    rows = {f["name"]: f.get("rows", 0) for f in dataset["files"]}
    assert abs(rows["data/train.jsonl"] / dataset["rows"] - 0.5) < 0.15


def test_the_same_request_with_an_idempotency_key_makes_one(history, fresh):
    headers = {"Idempotency-Key": fresh("dataset")}
    first = history.post("/v1/datasets", {"format": "openai"}, headers=headers)
    again = history.post("/v1/datasets", {"format": "openai"}, headers=headers)
    assert first.status_code == again.status_code == 202
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    other = history.post("/v1/datasets", {"format": "trl-sft"}, headers=headers)
    assert other.status_code == 409 and other.json()["error"]["code"] == "idempotency_mismatch"


def test_who_may_export(history):
    body = {"format": "openai"}
    agent = history.key("agent,bot,curator", "*")
    some = history.key("export", "tier1")
    plain = history.key("export", "*")
    raw = history.key("export,export:raw", "*")
    only_raw = history.key("export:raw", "*")
    for key in (agent, some, only_raw):
        told = history.post("/v1/datasets", body, key=key)
        assert told.status_code == 403 and told.json()["error"]["code"] == "forbidden"
    assert history.get("/v1/datasets", key=agent).status_code == 403
    assert finished(history, history.post("/v1/datasets", body, key=plain), key=plain)["state"] == "done"
    keep = {**body, "pii": "keep"}
    refused = history.post("/v1/datasets", keep, key=plain)
    assert refused.status_code == 403 and refused.json()["error"]["param"] == "pii"
    assert "export:raw" in refused.json()["error"]["message"]
    assert finished(history, history.post("/v1/datasets", keep, key=raw), key=raw)["state"] == "done"


def test_a_narrowed_agent_exports_nothing(history):
    key = history.key("export", "*", "--act-as")
    headers = {"Readback-Agent": 'id="a-7", groups="tier1"'}
    assert history.post("/v1/datasets", {"format": "openai"}, key=key, headers=headers).status_code == 403


def test_a_key_does_not_see_anothers_dataset_but_an_admin_does(history):
    one, two = history.key("export", "*"), history.key("export", "*")
    dataset = finished(history, history.post("/v1/datasets", {"format": "openai"}, key=one), key=one)
    assert dataset["state"] == "done"
    for path in (f"/v1/datasets/{dataset['id']}", f"/v1/jobs/{dataset['id']}", dataset["files"][0]["url"]):
        assert history.get(path, key=one).status_code == 200
        assert history.get(path, key=two).status_code == 404
        assert history.get(path).status_code == 200
    assert [d["id"] for d in history.get("/v1/datasets", key=one).json()["data"]] == [dataset["id"]]
    assert history.get("/v1/datasets", key=two).json()["data"] == []


def test_the_list_has_pages_the_newest_first(history):
    key = history.key("export", "*")
    ids = [finished(history, history.post("/v1/datasets", {"format": "openai"}, key=key), key=key)["id"]
           for _ in range(3)]
    page = history.get("/v1/datasets?limit=2", key=key).json()
    assert [d["id"] for d in page["data"]] == [ids[2], ids[1]] and page["has_more"]
    rest = history.get(f"/v1/datasets?limit=2&after={page['last_id']}", key=key).json()
    assert [d["id"] for d in rest["data"]] == [ids[0]] and not rest["has_more"]
    assert len(history.get("/v1/datasets?state=done", key=key).json()["data"]) == 3
    assert history.get("/v1/datasets?state=queued", key=key).json()["data"] == []
    assert history.get("/v1/datasets?after=ds_none", key=key).status_code == 404
    assert history.get("/v1/datasets?colour=red", key=key).status_code == 400


def test_files_wait_until_the_dataset_is_done_and_unknown_ones_are_404(history):
    for path in ("/v1/datasets/ds_none", "/v1/jobs/ds_none", "/v1/datasets/ds_none/files/train.jsonl"):
        assert history.get(path).status_code == 404


def test_a_server_that_is_killed_makes_the_dataset_after_its_start(tmp_path):
    data = tmp_path / "data"
    for what in ("documents", "conversations"):
        assert readback("import", what, DEMO / f"{what}.ndjson", "--data", data, "--embedder", "none").returncode == 0
    s = Server(data, "--embedder", "none").start()
    ids = [s.post("/v1/datasets", {"format": "beir", "split": {"by": "hash"}}).json()["job"]["id"] for _ in range(8)]
    s.kill()
    folder = next(data.glob("tenants/*/datasets"))
    # What a kill in the middle may leave: a part under another name, and a whole folder of which no record tells.
    (folder / f"{ids[-1]}.tmp-1").mkdir()
    (folder / f"{ids[-1]}.tmp-1" / "train.jsonl").write_text("{")
    (folder / "ds_nobodys").mkdir()
    (folder / "ds_nobodys" / "manifest.json").write_text("{}")
    (folder / ids[-1]).mkdir(exist_ok=True)
    (folder / ids[-1] / "half").write_text("{")
    s.start()
    try:
        for id_ in ids:
            assert s.wait_for_job(id_)["state"] == "done"
        for id_ in (ids[0], ids[-1]):
            dataset = s.get(f"/v1/datasets/{id_}").json()
            told = readback("export", "--format", "beir", "--split", "hash", "--at", dataset["mark"], "--data", data,
                            "--out", tmp_path / id_)
            assert told.returncode == 0, told.stderr
            assert fetched(s, dataset) == on_disk(tmp_path / id_)
        assert sorted(os.listdir(folder)) == sorted(ids)
    finally:
        assert s.stop() == 0


def test_only_what_enough_people_say_and_what_was_resolved(tmp_path):
    data = tmp_path / "data"
    s = Server(data, "--embedder", "none").start()
    try:
        keys = [s.key("agent", "*") for _ in range(3)]
        for n, intents in enumerate(("a", "aa", "ab", "aab")):
            assert s.post("/v1/conversations", {"id": f"c-{n}", "turns": [{"role": "customer", "text": f"question {n}"}]}).ok
            handoff = s.post("/v1/handoffs", {"conversation_id": f"c-{n}", "trigger": "policy"}).json()["id"]
            for key, intent in zip(keys, intents):
                told = s.post(f"/v1/handoffs/{handoff}/resolution", {"outcome": "unresolved" if n == 1 else "resolved",
                                                                     "intent": intent, "text": "x"}, key=key)
                assert told.ok, told.text
        two = made(s, format="fasttext", kind="intents", agreement={"min_votes": 2, "agreement": 0.5})
        assert two["agreement"] == {"min_votes": 2, "agreement": 0.5}
        assert two["rows"] == 2 and two["skipped"] == {"too_few_votes": 1, "disagreement": 1}
        manifest = json.loads(fetched(s, two)["manifest.json"])
        assert manifest["votes"]["n"] == 2 and manifest["agreement"] == two["agreement"]
        resolved = made(s, format="fasttext", kind="intents", filter={"type": "eq", "key": "outcome", "value": "resolved"})
        assert resolved["rows"] == 3 and resolved["skipped"] == {"filtered": 1}
        for name, wrong, param in (("a", {"min_votes": 0}, "agreement.min_votes"), ("b", {"agreement": 1}, "agreement.min_votes"),
                                   ("c", {"min_votes": 1, "agreement": 2}, "agreement.agreement")):
            refused = s.post("/v1/datasets", {"format": "fasttext", "agreement": wrong})
            assert refused.status_code == 400 and refused.json()["error"]["param"] == param, (name, refused.text)
        refused = s.post("/v1/datasets", {"format": "vcon", "agreement": {"min_votes": 2}})
        assert refused.status_code == 400 and refused.json()["error"]["param"] == "agreement"
        out = tmp_path / "out"
        told = readback("export", "--format", "fasttext", "--agreement", "2,0.5", "--at", two["mark"], "--out", out, "--data", data)
        assert told.returncode == 0, told.stderr
        assert on_disk(out) == fetched(s, two)
        assert "--agreement 2,0.5 " in (out / "README.md").read_text()
        for wrong in ("2", "0,0.5", "2,0.5,1", "x"):
            assert readback("export", "--format", "fasttext", "--agreement", wrong, "--out", tmp_path / "x", "--data",
                            data).returncode == 2
    finally:
        assert s.stop() == 0


def test_who_asked_for_personal_data_is_an_event(tmp_path):
    data = tmp_path / "data"
    assert readback("import", "conversations", DEMO / "conversations.ndjson", "--data", data, "--embedder",
                    "none").returncode == 0
    s = Server(data, "--embedder", "none").start()
    key = s.key("export,export:raw", "*", "--act-as")
    answer = s.post("/v1/datasets", {"format": "openai", "pii": "keep"}, key=key,
                    headers={"Readback-Agent": 'id="a-7"'})
    dataset = finished(s, answer, key=key)
    id_ = dataset["id"]
    assert s.stop() == 0
    told = readback("export", "--format", "openai", "--pii", "keep", "--at", dataset["mark"], "--out", tmp_path / "out", "--data",
                    data)
    assert told.returncode == 0, told.stderr
    for f in dataset["files"]:
        assert (tmp_path / "out" / f["name"]).read_bytes() == next(data.glob(f"tenants/*/datasets/{id_}/{f['name']}")).read_bytes()
    db = sqlite3.connect(next(data.glob("tenants/*/readback.db")))
    events = db.execute("SELECT kind, principal, agent, payload FROM events WHERE stream = ? ORDER BY seq",
                        (f"dataset/{id_}",)).fetchall()
    db.close()
    assert [e[0] for e in events] == ["dataset.requested", "dataset.started", "dataset.made"]
    assert {e[2] for e in events} == {"a-7"}
    assert len({e[1] for e in events}) == 1
    assert '"pii":"keep"' in events[0][3].replace("\\", "")


def test_datasets_are_of_one_tenant(tmp_path):
    data = tmp_path / "data"
    for what in ("documents", "conversations"):
        assert readback("import", what, DEMO / f"{what}.ndjson", "--data", data, "--embedder", "none").returncode == 0
    s = Server(data, "--embedder", "none").start()
    dataset = made(s, format="openai")
    assert s.stop() == 0
    other = Server(data, "--embedder", "none", "--tenant", "other").start()
    try:
        assert other.get(f"/v1/datasets/{dataset['id']}").status_code == 404
        assert other.get(dataset["files"][0]["url"]).status_code == 404
        assert other.get("/v1/datasets").json()["data"] == []
    finally:
        assert other.stop() == 0
