"""What customers say about training, over HTTP and by the command line, and what becomes of training sets then."""

import json
import time

import pytest
from conftest import Server, readback


def conversation(i, customer, text):
    return {"id": f"c-{i}", "customer": {"id": customer}, "turns": [
        {"role": "customer", "text": text}, {"role": "agent", "text": f"answer {i}"}],
        "resolution": {"outcome": "resolved", "intent": f"intent_{i % 2}", "text": "done"}}


@pytest.fixture
def desk(tmp_path):
    """A server with eight conversations of four customers, two each."""
    lines = [conversation(i, f"cu-{i % 4}", f"question number {i} of {i * 7919}") for i in range(8)]
    file = tmp_path / "conversations.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = tmp_path / "data"
    assert readback("import", "conversations", file, "--data", data, "--embedder", "none").returncode == 0
    s = Server(data, "--embedder", "none").start()
    yield s
    assert s.stop() == 0


def settled(server, customer, seconds=60):
    """What the customer says, once the datasets know of it."""
    deadline = time.monotonic() + seconds
    while True:
        said = server.get(f"/v1/subjects/{customer}/consent").json()
        if said["datasets"] == "settled":
            return said
        assert time.monotonic() < deadline
        time.sleep(0.02)  # between two questions


def say(server, customer, training):
    answer = server.put(f"/v1/subjects/{customer}/consent", {"training": training})
    assert answer.status_code == 200, answer.text
    assert settled(server, customer)["training"] == training
    return answer.json()


def made(server, **body):
    answer = server.post("/v1/datasets", {"format": "trl-sft", **body})
    assert answer.status_code == 202, answer.text
    id_ = answer.json()["job"]["id"]
    assert server.wait_for_job(id_)["state"] == "done"
    return server.get(f"/v1/datasets/{id_}").json()


def lines(server, dataset, name):
    answer = server.get(f"/v1/datasets/{dataset['id']}/files/{name}")
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def test_the_last_word_is_told_with_who_said_it(words_server):
    assert words_server.get("/v1/subjects/cu-1/consent").status_code == 404
    assert words_server.put("/v1/subjects/cu-1/consent", {"training": "granted"}).json()["training"] == "granted"
    key = words_server.key("curator", "*", "--act-as")
    answer = words_server.put("/v1/subjects/cu-1/consent", {"training": "denied"}, key=key,
                              headers={"Readback-Agent": 'id="a-7"'})
    assert answer.status_code == 200
    said = settled(words_server, "cu-1")
    assert (said["customer"], said["training"], said["agent"]) == ("cu-1", "denied", "a-7")


def test_an_id_may_have_any_bytes(words_server):
    for id_, path in (("a/b c%?", "a%2Fb%20c%25%3F"), ("Jürgen 人", "J%C3%BCrgen%20%E4%BA%BA"), ("x" * 512, "x" * 512)):
        assert words_server.put(f"/v1/subjects/{path}/consent", {"training": "denied"}).json()["customer"] == id_
        assert words_server.get(f"/v1/subjects/{path}/consent").json()["customer"] == id_


@pytest.mark.parametrize("path, body, status, code", [
    ("cu-1", {"training": "perhaps"}, 400, "bad_value"),
    ("cu-1", {"training": None}, 400, "missing_field"),
    ("cu-1", {"training": "denied", "until": "2027"}, 400, "unknown_field"),
    ("x" * 513, {"training": "denied"}, 400, "bad_id"),
    ("a%0Ab", {"training": "denied"}, 400, "bad_id"),
    ("a%FFb", {"training": "denied"}, 400, "bad_id"),
    ("", {"training": "denied"}, 404, "no_route"),
])
def test_what_is_not_well_formed_is_refused(words_server, path, body, status, code):
    answer = words_server.put(f"/v1/subjects/{path}/consent", body)
    assert answer.status_code == status and answer.json()["error"]["code"] == code


def test_it_takes_a_curator(words_server):
    for scopes in ("agent,bot", "export"):
        key = words_server.key(scopes, "*")
        assert words_server.put("/v1/subjects/cu-1/consent", {"training": "denied"}, key=key).status_code == 403
        assert words_server.get("/v1/subjects/cu-1/consent", key=key).status_code == 403


def test_the_same_request_with_an_idempotency_key_is_said_once(words_server, fresh):
    headers = {"Idempotency-Key": fresh("consent")}
    path = f"/v1/subjects/{fresh('cu')}/consent"
    first = words_server.put(path, {"training": "granted"}, headers=headers)
    before = words_server.get("/v1/status").json()["seq"]
    again = words_server.put(path, {"training": "granted"}, headers=headers)
    assert first.json() == again.json()
    assert words_server.get("/v1/status").json()["seq"] == before


def test_a_rebuilt_dataset_differs_by_the_rows_that_were_listed_only(desk):
    request = {"split": {"by": "hash", "train": 0.4, "valid": 0.3, "test": 0.3}, "seed": 3}
    first = made(desk, **request)
    files = [f"data%2F{part}.jsonl" for part in ("train", "valid", "test")]
    before = {name: lines(desk, first, name) for name in files}
    say(desk, "cu-1", "denied")
    deleted = [json.loads(line) for line in lines(desk, first, "deletions.jsonl")]
    assert len(deleted) == 2
    second = made(desk, **request, at=first["mark"])
    assert second["rows"] == first["rows"] - 2 == 6
    assert second["skipped"]["consent_denied"] == 2
    for name in files:
        gone = {d["line"] for d in deleted if d["file"] == name.replace("%2F", "/")}
        assert lines(desk, second, name) == [line for i, line in enumerate(before[name], 1) if i not in gone]
    provenance = [json.loads(line) for line in lines(desk, second, "rows.provenance.jsonl")]
    assert not {d["row"] for d in deleted} & {p["row"] for p in provenance}


def test_files_of_a_superseded_dataset_are_410_but_for_the_list(desk):
    dataset = made(desk)
    assert desk.get(f"/v1/datasets/{dataset['id']}/files/deletions.jsonl").status_code == 404
    say(desk, "cu-2", "denied")
    for f in dataset["files"]:
        answer = desk.get(f["url"])
        assert answer.status_code == 410 and answer.json()["error"]["code"] == "superseded"
        assert "deletions.jsonl" in answer.json()["error"]["message"]
        assert desk.call("HEAD", f["url"]).status_code == 410
    told = next(d for d in desk.get("/v1/datasets").json()["data"] if d["id"] == dataset["id"])
    assert told["state"] == "done"
    assert told["superseded"]["rows"] == 2 and told["superseded"]["reason"] == "consent_withdrawn"
    served = desk.get(told["superseded"]["url"])
    assert served.headers["Content-Type"] == "application/x-ndjson"
    assert desk.get(told["superseded"]["url"], headers={"If-None-Match": served.headers["ETag"]}).status_code == 304
    part = desk.get(told["superseded"]["url"], headers={"Range": "bytes=0-9"})
    assert part.status_code == 206 and part.content == served.content[:10]
    say(desk, "cu-3", "denied")
    assert len(desk.get(told["superseded"]["url"]).text.splitlines()) == 4


def test_a_server_that_is_killed_supersedes_after_its_start(desk):
    datasets = [made(desk) for _ in range(5)]
    for i in range(3):
        assert desk.put(f"/v1/subjects/cu-{i}/consent", {"training": "denied"}).status_code == 200
        desk.kill()
        desk.start()
    for i in range(3):
        settled(desk, f"cu-{i}")
    for d in datasets:
        assert desk.get(f"/v1/datasets/{d['id']}").json()["superseded"]["rows"] == 6
        assert len(lines(desk, d, "deletions.jsonl")) == 6


def test_consent_by_the_command_line(desk):
    dataset = made(desk)
    at = ("--url", desk.url, "--key", "rb_test-key-of-this-run")
    unsaid = readback("consent", "cu-0", *at)
    assert unsaid.returncode == 1 and "nothing was said" in unsaid.stderr
    told = readback("consent", "cu-0", "denied", *at)
    assert told.returncode == 0 and told.stdout.startswith("cu-0: denied since ")
    settled(desk, "cu-0")
    assert json.loads(readback("consent", "cu-0", "--json", *at).stdout)["training"] == "denied"
    assert desk.get(f"/v1/datasets/{dataset['id']}").json()["superseded"]["rows"] == 2
    assert readback("consent", *at).returncode == 2
    wrong = readback("consent", "cu-0", "maybe", *at)
    assert wrong.returncode == 1 and "training" in wrong.stderr


def test_rows_of_an_exported_folder_that_have_to_go(desk, tmp_path):
    out = tmp_path / "out"
    assert readback("export", "--format", "trl-sft", "--out", out, "--data", desk.data).returncode == 0
    ask = ("export", "withdrawn", out, "--data", desk.data)
    clean = readback(*ask)
    assert clean.returncode == 0 and "0 of 8 rows" in clean.stdout
    say(desk, "cu-1", "denied")
    found = readback(*ask)
    assert found.returncode == 1 and "data/train.jsonl:2 r_" in found.stdout and "2 of 8 rows" in found.stdout
    told = json.loads(readback(*ask, "--json").stdout)
    assert [r["conversation"] for r in told["withdrawn"]] == ["c-1", "c-5"] and told["unknown"] == 0
    again = tmp_path / "again"
    assert readback("export", "--format", "trl-sft", "--out", again, "--data", desk.data).returncode == 0
    gone = json.loads(readback("export", "diff", out, again, "--json").stdout)["gone"]
    assert [{"why": "consent_denied"} in r["reasons"] for r in gone] == [True, True]
    assert readback("export", "withdrawn", again, "--data", desk.data).returncode == 0


def test_a_folder_that_cannot_be_judged_is_not_clean(desk, tmp_path):
    out = tmp_path / "out"
    assert readback("export", "--format", "trl-sft", "--out", out, "--data", desk.data).returncode == 0
    other = tmp_path / "other"
    lines = "".join(json.dumps(conversation(i, "cu-9", f"another question {i}")) + "\n" for i in range(20, 22))
    assert readback("import", "conversations", "-", "--data", other, "--embedder", "none", input=lines).returncode == 0
    judged = readback("export", "withdrawn", out, "--data", other)
    assert judged.returncode == 1 and "8 rows are of conversations" in judged.stdout + judged.stderr
    told = json.loads(readback("export", "withdrawn", out, "--data", other, "--json").stdout)
    assert (told["withdrawn"], told["unknown"]) == ([], 8)
    missing = readback("export", "withdrawn", tmp_path / "none", "--data", desk.data)
    assert missing.returncode == 1 and "rows.provenance.jsonl" in missing.stderr
    assert readback("export", "withdrawn", "--data", desk.data).returncode == 2
