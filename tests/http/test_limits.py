"""Full disks, unwritable folders, damaged files, too much at once, and a stop under load."""

import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests
from conftest import BIN, DEV_KEY, Server, readback

pytestmark = pytest.mark.paced

LINE = "The quick brown fox jumps over the lazy dog near the river bank. "


class Mount:
    """A small file system of its own, seen by the server only. Needs root and unshare."""

    def __init__(self, folder, options):
        self.folder = folder
        script = 'mount -t tmpfs -o "$1" tmpfs "$2" && echo ok && exec sleep 900'
        self.holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", options, folder],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ok\n":
            self.close()
            pytest.skip("no file system of our own can be mounted here (needs root)")
        self.prefix = ["nsenter", "-t", str(self.holder.pid), "-m", f"--wd={os.getcwd()}", "--"]

    def grow(self, size):
        subprocess.run([*self.prefix, "mount", "-o", f"remount,size={size}", self.folder], check=True)

    def path(self, name):
        return f"/proc/{self.holder.pid}/root{self.folder}/{name}"

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


@pytest.fixture
def mount(tmp_path):
    made = []

    def make(options, folder=tmp_path):
        if not shutil.which("unshare") or not shutil.which("nsenter"):
            pytest.skip("unshare and nsenter are not here")
        made.append(Mount(str(folder), options))
        return made[-1]
    yield make
    for m in made:
        m.close()


def test_a_full_disk_loses_nothing_and_writes_go_on_when_there_is_space(mount):
    disk = mount("size=40m")
    s = Server(disk.folder + "/data", "--embedder", "none")
    s.prefix = disk.prefix
    s.start()
    told, kept, refused = set(), [], []
    try:
        assert s.put("/v1/documents/first", {"text": "first of all"}).status_code == 201
        with open(disk.path("ballast"), "wb") as ballast:
            free = os.statvfs(disk.path(""))
            ballast.write(b"x" * (free.f_bavail * free.f_frsize - (2 << 20)))
        for i in range(400):
            answer = s.put(f"/v1/documents/d{i}", {"title": f"word{i}", "text": f"word{i} " + LINE * 300})
            if answer.status_code == 201:
                kept.append(f"d{i}")
            else:
                refused.append(f"d{i}")
                told.add((answer.status_code, answer.json()["error"]["code"]))
                if len(refused) == 5:
                    break
        assert told == {(503, "disk_full")}
        assert s.get("/v1/documents/first").status_code == 200
        assert s.post("/v1/search", {"query": "first"}).status_code == 200
        os.unlink(disk.path("ballast"))
        deadline = time.monotonic() + 30
        while s.put("/v1/documents/after", {"text": "after there was space again"}).status_code != 201:
            assert time.monotonic() < deadline, "no write goes in though there is space"
            time.sleep(0.5)
        for id_ in refused:
            assert s.get(f"/v1/documents/{id_}").status_code == 404
    finally:
        s.kill()
    s.start()
    try:
        for id_ in ["first", "after", *kept]:
            assert s.get(f"/v1/documents/{id_}").status_code == 200
        for id_ in kept:
            found = s.post("/v1/search", {"query": f"word{id_[1:]}", "k": 1}).json()["data"]
            assert [h["id"] for h in found] == [id_]
        for id_ in refused:
            assert s.get(f"/v1/documents/{id_}").status_code == 404
    finally:
        assert s.stop() == 0


def run_there(disk, *command, text=""):
    return subprocess.run([*disk.prefix, BIN, *command, "--data", disk.folder + "/data"], capture_output=True, text=True,
                          input=text, timeout=300)


def test_an_import_that_fills_the_disk_goes_on_when_there_is_space(mount):
    disk = mount("size=64m")
    with open(disk.path("ballast"), "wb") as ballast:
        ballast.write(b"x" * (59 << 20))
    n = 2000
    text = "".join(json.dumps({"_id": f"d{i}", "text": f"number{i} {LINE * 20}"}) + "\n" for i in range(n))
    full = run_there(disk, "import", "documents", "-", "--embedder", "none", text=text)
    assert full.returncode == 1
    assert "full" in full.stderr
    os.unlink(disk.path("ballast"))
    again = run_there(disk, "import", "documents", "-", "--embedder", "none", "--json", text=text)
    assert again.returncode == 0, again.stderr
    counts = json.loads(again.stdout)
    assert counts["imported"] + counts["unchanged"] == n and counts["unchanged"] > 0
    assert run_there(disk, "verify").returncode == 0


def test_an_index_that_cannot_be_saved_raises_an_alarm_and_is_saved_when_there_is_space(tmp_path, mount):
    """The index has a small disk of its own, so that only what it writes by itself, merged segments, meets the end of it."""
    s = Server(tmp_path / "data", "--embedder", "none").start()
    assert s.stop() == 0
    (folder,) = (tmp_path / "data").glob("tenants/*")
    (folder / "index").mkdir(exist_ok=True)
    disk = mount("size=1m", folder / "index")
    s.prefix = disk.prefix
    s.start()

    def failed_saves():
        (line,) = [x for x in s.get("/metrics").text.splitlines() if x.startswith("readback_index_failed_saves ")]
        return int(line.split()[1])

    def found(i):
        return [h["id"] for h in s.post("/v1/search", {"query": f"only{i}", "k": 1}).json()["data"]]

    def eventually(what):
        deadline = time.monotonic() + 120
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    chance = random.Random(7)
    n = 3000
    words = ["".join(chance.choices("bcdfglmnprstv", k=8)) for _ in range(20000)]
    body = "".join(json.dumps({"_id": f"d{i}", "text": f"only{i} " + " ".join(chance.sample(words, 60))}) + "\n" for i in range(n))
    try:
        answer = s.call("POST", "/v1/documents/batch", data=body, headers={"Content-Type": "application/x-ndjson"})
        job = answer.json()["job"]["id"]
        eventually(lambda: s.get(f"/v1/jobs/{job}").json()["job"]["state"] == "done")
        eventually(lambda: failed_saves() > 0)
        assert found(17) == ["d17"]
        assert s.put("/v1/documents/after", {"text": "only9999"}).status_code == 201
        assert found(9999) == ["after"]
        assert s.get("/readyz").json()["ready"]
        assert "space" in s.get("/v1/status").json()["index"]["save_error"]
        assert not os.path.exists(disk.path("manifest"))
        disk.grow("64m")
        eventually(lambda: os.path.exists(disk.path("manifest")))  # without another write
    finally:
        s.kill()
    s.start()
    try:
        assert s.get("/readyz").json()["broken_index_files"] == 0
        assert found(17) == ["d17"] and found(9999) == ["after"]
    finally:
        assert s.stop() == 0


def test_a_dataset_that_fills_the_disk_fails_whole_and_the_next_is_made(tmp_path, mount):
    """Datasets have a disk of their own that grows in steps: it is full in the rows, in the files, beside them; then it is not."""
    rows = [{"id": f"c-{n}", "turns": [{"role": "customer", "text": f"number{n}: {LINE * 8}"}, {"role": "agent", "text": "answer"}],
             "resolution": {"outcome": "resolved", "intent": "a", "text": "x"}} for n in range(500)]
    (tmp_path / "c.ndjson").write_text("".join(json.dumps(r) + "\n" for r in rows))
    told = readback("import", "conversations", tmp_path / "c.ndjson", "--data", tmp_path / "data", "--embedder", "none")
    assert told.returncode == 0, told.stderr
    (folder,) = (tmp_path / "data").glob("tenants/*")
    (folder / "datasets").mkdir()
    disk = mount("size=64k", folder / "datasets")
    s = Server(tmp_path / "data", "--embedder", "none")
    s.prefix = disk.prefix
    s.start()
    failed = []
    try:
        for size in range(64, 4096, 64):
            disk.grow(f"{size}k")
            id_ = s.post("/v1/datasets", {"format": "trl-sft", "split": {"by": "hash"}}).json()["job"]["id"]
            job = s.wait_for_job(id_)
            if job["state"] == "done":
                break
            failed.append(id_)
            assert (job["state"], job["error"]["code"]) == ("failed", "disk_full") and "free space" in job["error"]["message"]
            assert os.listdir(disk.path("")) == [], "what failed takes no room"
            assert "files" not in s.get(f"/v1/datasets/{id_}").json()
            assert s.get(f"/v1/datasets/{id_}/files/train.jsonl").status_code == 409
        assert len(failed) > 10 and job["state"] == "done"
        dataset = s.get(f"/v1/datasets/{id_}").json()
        assert dataset["rows"] == len(rows) and os.listdir(disk.path("")) == [id_]
        assert sum(len(s.get(f["url"]).content.splitlines()) for f in dataset["files"] if f["name"].startswith("data/")) == len(rows)
        assert s.get("/readyz").json()["ready"]
    finally:
        assert s.stop() == 0


def test_a_dataset_is_not_done_while_the_disk_cannot_hold_its_record(mount):
    """All is on one disk: where not even the failure can be written down, it is made again when there is space."""
    disk = mount("size=40m")
    rows = [{"text": f"number{n}: {LINE * 20}", "label": f"label{n % 7}"} for n in range(2000)]
    assert run_there(disk, "import", "examples", "-", "--embedder", "none",
                     text="".join(json.dumps(r) + "\n" for r in rows)).returncode == 0
    s = Server(disk.folder + "/data", "--embedder", "none")
    s.prefix = disk.prefix
    s.start()
    try:
        id_ = s.post("/v1/datasets", {"format": "fasttext"}).json()["job"]["id"]
        before = s.wait_for_job(id_)
        assert before["state"] == "done"
        with open(disk.path("ballast"), "wb") as ballast:
            free = os.statvfs(disk.path(""))
            ballast.write(b"x" * (free.f_bavail * free.f_frsize - (1 << 20)))
        answer = s.post("/v1/datasets", {"format": "fasttext", "split": {"by": "hash"}})
        if answer.status_code == 202:
            id_ = answer.json()["job"]["id"]
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                assert s.get(f"/v1/jobs/{id_}").json()["job"]["state"] != "done"
                time.sleep(0.1)
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "disk_full")
        os.unlink(disk.path("ballast"))
        deadline = time.monotonic() + 60
        while (answer := s.post("/v1/datasets", {"format": "fasttext", "split": {"by": "hash"}})).status_code != 202:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        after = s.wait_for_job(answer.json()["job"]["id"])
        assert (after["state"], after["done"]) == ("done", len(rows))
    finally:
        assert s.stop() == 0


def test_a_folder_that_cannot_be_written_is_told(mount):
    disk = mount("size=1m,ro")
    for command in (("serve", "--listen", "127.0.0.1:0"), ("import", "documents", "-"), ("key", "create", "--scopes", "bot")):
        told = run_there(disk, *command, text="{}")
        assert told.returncode == 1
        assert disk.folder in told.stderr


def test_damaged_index_files_are_built_again(tmp_path):
    """Enough rows for a graph; its segment cut, changed, emptied and taken away. Vectors are given, so nothing is embedded."""
    chance = random.Random(5)
    n = 20200
    with open(tmp_path / "d.ndjson", "w") as out:
        for i in range(n):
            vector = [0] * 384
            for place in chance.sample(range(384), 6):
                vector[place] = chance.choice((-2, -1, 1, 2))
            out.write(json.dumps({"_id": f"d{i}", "text": f"number{i}", "vector": vector}, separators=(",", ":")) + "\n")
    told = readback("import", "documents", tmp_path / "d.ndjson", "--data", tmp_path / "data")
    if "wrong_dimension" in told.stderr or "no model" in told.stderr:
        pytest.skip("the embedder's vectors have another length")
    assert told.returncode == 0, told.stderr
    query = {"vector": vector, "k": 10}

    def top(s):
        return [(h["id"], h["score"]) for h in s.post("/v1/search", {**query, "exact": True}).json()["data"]]

    def walk(s):
        return {h["id"] for h in s.post("/v1/search", query).json()["data"]}
    s = Server(tmp_path / "data").start()
    before = top(s)
    deadline = time.monotonic() + 300
    while s.get("/v1/status").json()["index"]["graph_rows"] < n:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert s.stop() == 0
    (folder,) = (tmp_path / "data").glob("tenants/*/index")
    saved = {f.name: f.read_bytes() for f in folder.iterdir()}
    name = max((n for n in saved if n.endswith(".segment")), key=lambda n: len(saved[n]))
    for name in (name, "manifest"):
        good = saved[name]
        middle = len(good) // 2
        for how, bad in (("whole", good), ("cut", good[:middle]), ("empty", b""),
                         ("changed", good[:middle] + bytes(b ^ 0xff for b in good[middle:middle + 4]) + good[middle + 4:]),
                         ("gone", None)):
            for f in folder.iterdir():
                f.unlink()
            for other, data in saved.items():
                (folder / other).write_bytes(data)
            (folder / name).unlink()
            if bad is not None:
                (folder / name).write_bytes(bad)
            s.start()
            ready = s.get("/readyz").json()
            broken = 0 if how == "whole" or (how == "gone" and name == "manifest") else 1
            assert ready["ready"] and ready["broken_index_files"] == broken, (name, how)
            if how == "whole":  # what was merged was saved, though no write came after it
                assert s.get("/v1/status").json()["index"]["graph_rows"] == n
            assert top(s) == before, (name, how)
            assert f"d{n - 1}" in walk(s), (name, how)
            s.kill()


def test_a_batch_that_was_cut_off_goes_on(tmp_path):
    n = 1500
    s = Server(tmp_path / "data", "--embedder", "none").start()
    body = "".join(json.dumps({"_id": f"d{i}", "text": f"otter number{i}. {LINE * 20}"}) + "\n" for i in range(n))
    answer = s.call("POST", "/v1/documents/batch", data=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]["id"]
    time.sleep(0.1)
    s.kill()
    s.start()
    try:
        deadline = time.monotonic() + 300
        while (now := s.get(f"/v1/jobs/{job}").json()["job"])["state"] not in ("done", "failed"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (now["state"], now["done"], now["total"], now["errors"]) == ("done", n, n, [])
        assert s.get("/v1/status").json()["records"]["document"] == n
        assert s.get("/v1/status").json()["records"]["version"] == n
        assert s.post("/v1/search", {"query": f"number{n - 1}", "match": f"number{n - 1}"}).json()["data"][0]["id"] == f"d{n - 1}"
    finally:
        assert s.stop() == 0


def test_ten_megabytes_and_not_one_byte_more(words_server):
    s = words_server
    text = (LINE * (10 * (1 << 20) // len(LINE) + 1))[:10 << 20]
    answer = s.put("/v1/documents/big", {"text": text})
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]["id"]
    deadline = time.monotonic() + 300
    while (now := s.get(f"/v1/jobs/{job}").json()["job"])["state"] not in ("done", "failed"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert now["state"] == "done", now
    assert len(s.get("/v1/documents/big").json()["text"]) == 10 << 20
    more = s.put("/v1/documents/bigger", {"text": text + "x"})
    assert (more.status_code, more.json()["error"]["code"]) == (413, "too_large")
    assert s.get("/v1/documents/bigger").status_code == 404


def test_a_write_that_fails_does_not_take_its_neighbours_along(words_server):
    """Many writes at once share a transaction; some of them are refused."""
    s = words_server

    def one(i):
        if i % 4 == 0:
            return s.post("/v1/conversations", {"id": f"same-{i // 16}", "turns": [{"role": "customer", "text": f"n{i}"}]})
        if i % 4 == 1:
            return s.put(f"/v1/documents/d{i}", {"text": f"text {i}"}, headers={"If-Match": '"v7"'})
        return s.put(f"/v1/documents/d{i}", {"text": f"text {i}"})
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(320)))
    made = [a.status_code for a in answers[0::4]]
    assert made.count(201) == 20 and made.count(409) == 60
    assert {a.status_code for a in answers[1::4]} == {412}
    assert {a.status_code for a in answers[2::4] + answers[3::4]} == {201}
    records = s.get("/v1/status").json()["records"]
    assert (records["document"], records["conversation"], records["turn"]) == (160, 20, 20)


def test_too_many_at_once_are_told_to_come_again(tmp_path):
    s = Server(tmp_path / "data", "--workers", "1", "--queue", "2").start()
    try:
        body = {"text": LINE * 1200}

        def one(i):
            return requests.put(f"{s.url}/v1/documents/d{i}", json=body, headers={"Authorization": f"Bearer {DEV_KEY}"}, timeout=120)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(one, range(16)))
        told = {a.status_code for a in answers}
        assert told == {201, 503}
        for a in answers:
            if a.status_code == 503:
                assert a.json()["error"]["code"] == "overloaded" and int(a.headers["Retry-After"]) >= 1
        done = sum(a.status_code == 201 for a in answers)
        assert s.get("/v1/status").json()["records"]["document"] == done
    finally:
        assert s.stop() == 0


def test_a_stop_under_load_answers_what_is_under_way_and_loses_nothing(tmp_path):
    s = Server(tmp_path / "data").start()
    acknowledged, broken, stopped = [], [], threading.Event()
    lock = threading.Lock()

    def writer(name):
        with requests.Session() as session:
            for i in range(10000):
                began = time.monotonic()
                id_ = f"{name}-{i}"
                try:
                    answer = session.put(f"{s.url}/v1/documents/{id_}", json={"text": f"text of {id_}"},
                                         headers={"Authorization": f"Bearer {DEV_KEY}"}, timeout=60)
                except requests.RequestException as error:
                    with lock:
                        broken.append((began, str(error)))
                    return
                if answer.status_code == 503:
                    assert answer.json()["error"]["code"] == "closing"
                    return
                assert answer.status_code == 201
                with lock:
                    acknowledged.append(id_)
    slow = {}

    def long_document():
        slow["answer"] = requests.put(f"{s.url}/v1/documents/slow", json={"text": LINE * 1500},
                                      headers={"Authorization": f"Bearer {DEV_KEY}"}, timeout=60)
    threads = [threading.Thread(target=writer, args=(f"w{n}",)) for n in range(8)]
    for t in threads:
        t.start()
    time.sleep(0.7)
    last = threading.Thread(target=long_document)
    last.start()
    time.sleep(0.3)
    began = time.monotonic()
    s.process.send_signal(signal.SIGTERM)
    code = s.stop()
    for t in [*threads, last]:
        t.join()
    assert code == 0
    assert time.monotonic() - began < 15
    assert slow["answer"].status_code == 201, "what was under way is answered"
    assert all(at > began - 0.05 for at, _ in broken), "a request from before the stop had no answer"
    assert len(acknowledged) > 20
    s.start()
    try:
        for id_ in acknowledged:
            assert s.get(f"/v1/documents/{id_}").status_code == 200
    finally:
        assert s.stop() == 0


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_asking_more_than_once_ends_a_server_well(tmp_path, asked):
    s = Server(tmp_path / "data", "--embedder", "none").start()
    for _ in range(5):
        s.process.send_signal(asked)
    assert s.stop() == 0


def test_the_dev_key_does_all_and_only_for_this_run(tmp_path):
    s = Server(tmp_path / "data", "--embedder", "none", dev_key="rb_for-this-run").start()
    try:
        assert s.put("/v1/documents/d", {"text": "x", "acl": ["any"]}, key="rb_for-this-run").status_code == 201
        assert s.get("/v1/documents/d", key="rb_for-this-run").status_code == 200
    finally:
        assert s.stop() == 0
    s.dev_key = None
    s.start()
    try:
        assert s.get("/v1/documents/d", key="rb_for-this-run").status_code == 401
        assert readback("key", "list", "--data", tmp_path / "data", "--json").stdout.strip() in ("[]", "")
    finally:
        assert s.stop() == 0
