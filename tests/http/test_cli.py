"""The command line, as docs/operations.md and the contract say it."""

import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest
from conftest import BIN, DEV_KEY, Server, readback

pytestmark = pytest.mark.paced

COMMANDS = ("serve", "import", "search", "handoff", "export", "eval", "replay", "key", "status", "reindex",
            "verify")

DOCUMENTS = [
    {"_id": "help-1", "title": "Refunds", "text": "Refunds are paid within five days of the return."},
    {"_id": "help-2", "title": "Hub", "text": "When the light of the hub is red, unplug it for ten seconds."},
    {"_id": "help-3", "title": "Invoices", "markdown": "# Invoices\n\nInvoices are under *Account*, Billing."},
]
CONVERSATIONS = [
    {"id": "c-1", "customer": {"id": "p-1"},
     "turns": [{"role": "customer", "text": "where is my refund for order 17?"}, {"role": "bot", "text": "It takes a year."},
               {"role": "agent", "text": "I have paid your refund of 20 euro today."}],
     "handoff": {"trigger": "customer_request", "promises": ["call back on Friday"]},
     "resolution": {"outcome": "resolved", "intent": "refund_status", "text": "Paid the refund of 20 euro.",
                    "evidence_used": ["help-1"]}},
    {"id": "c-2", "turns": [{"role": "customer", "text": "the light of my hub is red"}], "handoff": {"trigger": "other"}},
]
EXAMPLES = [{"text": "where is my money", "label": "refund_status"}, {"text": "hub blinks red", "label": "device_offline"}]


def lines(path, items):
    path.write_text("".join(json.dumps(i) + "\n" for i in items))
    return path


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A data folder with a little of everything, made by the command line."""
    root = tmp_path_factory.mktemp("cli")
    for what, items in (("documents", DOCUMENTS), ("conversations", CONVERSATIONS), ("examples", EXAMPLES)):
        told = readback("import", what, lines(root / f"{what}.ndjson", items), "--data", root / "data")
        assert told.returncode == 0, told.stderr
    return root


# --- all commands ---------------------------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_refuses_unknown_options(command):
    told = readback(command, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: readback {command}")
    wrong = readback(command, "--no-such-option")
    assert wrong.returncode == 2
    assert "usage" in wrong.stderr or "--help" in wrong.stderr or "--no-such-option" in wrong.stderr


def test_the_program_lists_its_commands():
    told = readback("--help")
    assert told.returncode == 0
    assert all(re.search(rf"^  {c} ", told.stdout, re.M) for c in COMMANDS)
    assert readback().returncode == 2
    assert readback("no-such-command").returncode == 2


@pytest.mark.parametrize("command", [("search", "x"), ("status",), ("reindex",), ("verify",), ("handoff", "x"),
                                     ("import", "documents", "-"),
                                     ("export", "--format", "trl-sft", "--out", "/nowhere/x")])
def test_without_a_folder_it_is_wrong_usage(command):
    told = readback(*command, input="")
    assert told.returncode == 2, told.stderr
    assert "--data" in told.stderr


def test_options_may_be_variables(filled):
    told = readback("status", "--json", env={**os.environ, "READBACK_DATA": str(filled / "data")})
    assert told.returncode == 0
    assert json.loads(told.stdout)["records"]["document"] == 3


# --- import ---------------------------------------------------------------------------------------

def test_bad_lines_are_told_and_the_rest_goes_in(tmp_path):
    file = tmp_path / "d.ndjson"
    file.write_text('{"_id":"a","text":"the first one"}\n'
                    '{"_id":"b","text":7}\n'
                    'not json\n'
                    '{"_id":"c","text":"x","colour":"red"}\n'
                    '\n'
                    '{"_id":"","text":"x"}\n'
                    '{"_id":"d","text":"the last one"}\n'
                    '{"_id":"e","text":"cut in ha')
    told = readback("import", "documents", file, "--data", tmp_path / "data", "--json")
    assert told.returncode == 3
    counts = json.loads(told.stdout)
    assert (counts["imported"], counts["failed"]) == (2, 5)
    said = told.stderr
    assert f"{file}:2: text: must be a string" in said
    assert re.search(rf"{re.escape(str(file))}:3: .*JSON", said)
    assert f"{file}:4: colour: " in said
    assert f"{file}:6: _id: " in said
    assert re.search(rf"{re.escape(str(file))}:8: .*JSON", said)
    assert [(e["line"], e["code"]) for e in counts["errors"]] == [
        (2, "wrong_type"), (3, "bad_json"), (4, "unknown_field"), (6, "bad_id"), (8, "bad_json")]
    found = json.loads(readback("search", "the one", "--data", tmp_path / "data", "--json").stdout)
    assert sorted(h["id"] for h in found["data"]) == ["a", "d"]


@pytest.mark.parametrize("what", ["documents", "conversations", "examples"])
def test_the_same_again_changes_nothing(filled, what):
    before = json.loads(readback("status", "--data", filled / "data", "--json").stdout)
    told = readback("import", what, filled / f"{what}.ndjson", "--data", filled / "data")
    assert told.returncode == 0
    n = len({"documents": DOCUMENTS, "conversations": CONVERSATIONS, "examples": EXAMPLES}[what])
    assert f"unchanged {n}" in told.stdout and "imported 0" in told.stdout
    after = json.loads(readback("status", "--data", filled / "data", "--json").stdout)
    assert after["seq"] == before["seq"] and after["records"] == before["records"]


MESSAGES = [{"role": "user", "content": "where is my refund"}, {"role": "assistant", "content": "Paid it today. \U0001f4e6"}]


def vcon(n, **over):
    """A row as `export --format vcon` writes it."""
    turn = {"type": "text", "start": "2026-06-01T08:00:00Z", "mediatype": "text/plain", "encoding": "none"}
    return {"vcon": "0.4.0", "uuid": f"0b1c2d3e-0000-8000-8000-{n:012d}", "created_at": "2026-06-01T09:00:00Z",
            "parties": [{"role": r} for r in ("customer", "bot", "agent", "system")],
            "dialog": [{**turn, "parties": [0], "originator": 0, "body": f"question {n}"},
                       {**turn, "parties": [2], "originator": 2, "body": "It is solved."}],
            "analysis": [{"type": "intent", "dialog": [0, 1], "vendor": "readback", "mediatype": "text/plain",
                          "body": "refund status", "encoding": "none"}], "attachments": [], **over}


def task(text, *choices, cancelled=False):
    return {"id": 1, "data": {"text": text}, "predictions": [], "annotations": [
        {"was_cancelled": cancelled, "result": [{"from_name": "intent", "to_name": "text", "type": "choices",
                                                 "value": {"choices": list(choices)}}]}]}


def record(text, label, status):
    return {"id": "r", "fields": {"text": text}, "suggestions": {"label": {"value": "a model's", "score": 1, "agent": "m"}},
            "responses": {"label": [{"value": label, "user_id": "u"}]}, "status": status}


def rows(items):
    return "".join(json.dumps(i) + "\n" for i in items)


# format: what, a file of two that go in and one that does not, what is said of that one
FOREIGN = {
    "fasttext": ("examples", "__label__refund_status where is my refund\n__label__\U0001f4e6 where is \"it\"\nno label\n", "3: label: "),
    "label-studio": ("examples", json.dumps([task("one", "a \"b\""), task("two", "x", cancelled=True), task("three", "y\nz")], indent=1),
                     "2: annotations: has none that was not cancelled"),
    "argilla": ("examples", json.dumps([record("one", "x", "completed"), record("two", "y", "completed"),
                                        record("three", "z", "pending")]), "3: responses: has none that was submitted"),
    "openai": ("conversations", rows([{"messages": MESSAGES}, {"messages": []}, {"messages": MESSAGES[:1]}]),
               "2: messages: has no message"),
    "vcon": ("conversations", rows([vcon(1), vcon(2), vcon(3, vcon="0.5.0")]), "3: vcon: version 0.5.0 is newer"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_tools_are_imported_and_known_the_next_time(tmp_path, name):
    what, content, said = FOREIGN[name]
    file = tmp_path / "file"
    file.write_text(content)
    first = readback("import", what, file, "--from", name, "--data", tmp_path / "data", "--json")
    assert first.returncode == 3, first.stderr
    counts = json.loads(first.stdout)
    assert (counts["imported"], counts["unchanged"], counts["failed"]) == (2, 0, 1)
    assert f"{file}:{said}" in first.stderr
    again = readback("import", what, "-", "--from", name, "--data", tmp_path / "data", "--json", input=content)
    counts = json.loads(again.stdout)
    assert (counts["imported"], counts["unchanged"], counts["failed"]) == (0, 2, 1)
    records = json.loads(readback("status", "--data", tmp_path / "data", "--json").stdout)["records"]
    assert records["example" if what == "examples" else "conversation"] == 2
    assert records.get("case", 0) == (2 if name == "vcon" else 0)


def test_a_format_that_is_not_known_is_wrong_usage(tmp_path):
    for what, name, says in (("examples", "rasa", "fasttext, label-studio, argilla"), ("conversations", "fasttext", "openai, vcon"),
                             ("documents", "beir", "BEIR corpora are documents as they are")):
        told = readback("import", what, "-", "--from", name, "--data", tmp_path / "data", input="")
        assert told.returncode == 2 and says in told.stderr
    assert readback("import", "examples", tmp_path, "--from", "fasttext", "--data", tmp_path / "data").returncode == 2


def test_gzip_and_stdin_are_read(tmp_path):
    plain = lines(tmp_path / "d.ndjson", DOCUMENTS)
    packed = tmp_path / "d.ndjson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert "imported 3" in readback("import", "documents", packed, "--data", tmp_path / "data").stdout
    assert "unchanged 3" in readback("import", "documents", "-", "--data", tmp_path / "data", input=plain.read_text()).stdout
    packed.write_bytes(packed.read_bytes()[:-9])
    cut = readback("import", "documents", packed, "--data", tmp_path / "other")
    assert cut.returncode in (1, 3)
    assert "d.ndjson.gz" in cut.stderr


def test_a_folder_of_texts_is_read(tmp_path):
    pages = tmp_path / "pages"
    (pages / "more").mkdir(parents=True)
    (pages / "one.md").write_text("# Parcels\n\nParcels come on *Tuesday*.")
    (pages / "more/two.txt").write_text("Letters come on Friday.")
    (pages / "ignored.png").write_bytes(b"\x89PNG")
    told = readback("import", "documents", pages, "--data", tmp_path / "data", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["imported"] == 2
    hit = json.loads(readback("search", "parcels", "--data", tmp_path / "data", "--json").stdout)["data"][0]
    assert hit["title"] == "Parcels" and "Tuesday" in hit["text"] and "*" not in hit["text"]
    assert re.fullmatch("pages-[0-9a-f]{8}", hit["source"])
    (pages / "more/two.txt").unlink()
    again = json.loads(readback("import", "documents", pages, "--data", tmp_path / "data", "--json").stdout)
    assert (again["unchanged"], again["deleted"]) == (1, 1)


def test_a_folder_with_a_name_of_its_own(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "one.html").write_text("<html><body><nav>Home</nav><main><h1>Fees</h1><p>No fee.</main><footer>Legal")
    assert readback("import", "documents", pages, "--source", "help", "--data", tmp_path / "data").returncode == 0
    hit = json.loads(readback("search", "fee", "--data", tmp_path / "data", "--json").stdout)["data"][0]
    assert (hit["id"], hit["source"], hit["title"]) == ("help:one.html", "help", "Fees")
    assert hit["text"].endswith("No fee.")


def test_missing_files_and_wrong_words_are_told(tmp_path):
    missing = readback("import", "documents", tmp_path / "none.ndjson", "--data", tmp_path / "data")
    assert missing.returncode == 1 and "none.ndjson" in missing.stderr
    assert readback("import", "people", "x", "--data", tmp_path / "data").returncode == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_import_that_was_stopped_goes_on(tmp_path, how):
    """Ctrl-C or a kill, then the same command: in the end each document is there once."""
    n = 3000
    file = lines(tmp_path / "d.ndjson", [{"_id": f"d{i}", "title": f"Number {i}", "text": f"Text of number {i}, word{i}."}
                                         for i in range(n)])
    command = [BIN, "import", "documents", str(file), "--data", str(tmp_path / "data"), "--json"]
    words = {**os.environ, "READBACK_MODEL": str(tmp_path / "no-model")}
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=words)
    while first.poll() is None:  # until it is in the middle of its work, and so catches signals
        status = readback("status", "--data", tmp_path / "data", "--json", env=words)
        if status.returncode == 0 and json.loads(status.stdout)["records"]["document"] > 0:
            break
    first.send_signal(how)
    first.communicate(timeout=120)
    assert first.returncode in ((130, 0) if how == signal.SIGINT else (-signal.SIGKILL, 0))
    again = subprocess.run(command, capture_output=True, text=True, timeout=600, env=words)
    assert again.returncode == 0, again.stderr
    counts = json.loads(again.stdout)
    assert counts["imported"] + counts["unchanged"] == n and counts["updated"] == 0
    records = json.loads(readback("status", "--data", tmp_path / "data", "--json", env=words).stdout)["records"]
    assert records["document"] == records["version"] == n


# --- reading --------------------------------------------------------------------------------------

def test_search_and_status_print_json_and_text(filled):
    data = filled / "data"
    found = json.loads(readback("search", "when is my refund paid", "--data", data, "--json").stdout)
    assert found["data"][0]["id"] == "help-1"
    assert found["data"][0]["sources"]
    cases = json.loads(readback("search", "refund", "--kinds", "case,conversation", "--k", "3", "--data", data, "--json").stdout)
    assert [h["kind"] for h in cases["data"]][0] == "case"
    assert "help-1" in readback("search", "refund", "--data", data).stdout
    status = json.loads(readback("status", "--data", data, "--json").stdout)
    assert status["ready"] and status["records"]["handoff"] == 2
    assert "ready" in readback("status", "--data", data).stdout
    wrong = readback("search", "x", "--match", '"unclosed', "--data", data)
    assert wrong.returncode == 1 and "match" in wrong.stderr


def test_handoff_prints_brief_and_evidence(filled):
    text = readback("handoff", "c-2", "--data", filled / "data").stdout
    for part in ("Situation", "Background", "Assessment", "Recommendation", "Evidence", "help-2", "why:"):
        assert part in text
    handoff = json.loads(readback("handoff", "c-1", "--data", filled / "data", "--json").stdout)
    assert handoff["state"] == "resolved" and handoff["conversation_id"] == "c-1"
    none = readback("handoff", "no-such", "--data", filled / "data")
    assert none.returncode == 1 and none.stderr.startswith("readback: ")


def test_reading_commands_do_not_make_a_folder(tmp_path):
    for command in (("search", "x"), ("status",), ("handoff", "x"), ("reindex",), ("verify",)):
        told = readback(*command, "--data", tmp_path / "nothing")
        assert told.returncode == 1
        assert "nothing" in told.stderr
    assert not (tmp_path / "nothing").exists()


def test_reindex_gives_the_same_answers(filled, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(filled / "data", data)
    before = json.loads(readback("search", "refund", "--data", data, "--json").stdout)["data"]
    for file in data.glob("tenants/*/index/*"):
        file.unlink()
    told = readback("reindex", "--data", data)
    assert told.returncode == 0, told.stderr
    assert json.loads(readback("search", "refund", "--data", data, "--json").stdout)["data"] == before


def test_verify_finds_a_table_that_differs_from_its_events(filled, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(filled / "data", data)
    assert readback("verify", "--data", data).returncode == 0
    (file,) = data.glob("tenants/*/readback.db")
    db = sqlite3.connect(file)
    db.execute("UPDATE documents SET revision = revision + 1 WHERE id = 'help-2'")
    db.commit()
    db.close()
    told = readback("verify", "--data", data)
    assert told.returncode == 1
    assert told.stdout.startswith("1 difference")


# --- export ---------------------------------------------------------------------------------------

BESIDE = ["README.md", "bag-info.txt", "bagit.txt", "card.svg", "croissant.json", "data", "manifest-sha256.txt", "manifest.json", "rows.provenance.jsonl",
          "tagmanifest-sha256.txt"]


def test_export_reads_back(filled, tmp_path):
    out = tmp_path / "out"
    told = readback("export", "--format", "trl-sft", "--out", out, "--data", filled / "data")
    assert told.returncode == 0, told.stderr
    rows = [json.loads(line) for f in sorted(out.glob("data/*.jsonl")) for line in f.read_text().splitlines()]
    chats = [r for r in rows if "messages" in r]
    assert chats
    for chat in chats:
        assert {m["role"] for m in chat["messages"]} <= {"system", "user", "assistant"}
        assert all(isinstance(m["content"], str) and m["content"] for m in chat["messages"])
        assert "a year" not in json.dumps(chat["messages"][-1])  # what the bot said is no label
    manifest = json.loads((out / "manifest.json").read_text())
    assert "sha256" in json.dumps(manifest)

    second = tmp_path / "second"
    assert readback("export", "--format", "trl-sft", "--out", second, "--data", filled / "data").returncode == 0
    for f in out.rglob("*"):
        assert f.is_dir() or f.read_bytes() == (second / f.relative_to(out)).read_bytes()


def test_who_exports_personal_data_is_an_event_or_it_is_not_exported(filled, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(filled / "data", data)

    def keep(name, *options):
        return readback("export", "--format", "trl-sft", "--pii", "keep", "--seed", "7", "--out", tmp_path / name, "--data",
                        data, *options)

    def events():
        with sqlite3.connect(next(data.glob("tenants/*/readback.db"))) as db:
            return db.execute("SELECT kind, principal, agent, payload FROM events WHERE stream LIKE 'dataset/%' ORDER BY seq"
                              ).fetchall()

    before = events()
    assert readback("export", "--format", "trl-sft", "--out", tmp_path / "redacted", "--data", data).returncode == 0
    assert events() == before, "what is redacted is nobody's business"
    assert keep("kept").returncode == 0
    told = events()[len(before):]
    assert [e[:3] for e in told] == [("dataset.requested", "cli", "cli"), ("dataset.made", "cli", "cli")]
    asked = told[0][3].replace("\\", "")
    for part in ('"pii":"keep"', '"format":"trl-sft"', '"seed":7', str(tmp_path / "kept")):
        assert part in asked
    mark = json.loads((tmp_path / "kept/manifest.json").read_text())["mark"]
    assert keep("again", "--at", str(mark)).returncode == 0
    assert all(f.read_bytes() == (tmp_path / "again" / f.relative_to(tmp_path / "kept")).read_bytes()
               for f in (tmp_path / "kept").rglob("*") if f.is_file())

    # What failed was asked for as well, and nobody's files are touched.
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.txt").write_text("mine")
    assert keep("mine").returncode == 1
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["mine.txt"]
    assert [e[0] for e in events()[-2:]] == ["dataset.requested", "dataset.failed"]

    n = len(events())
    server = Server(data, "--embedder", "none").start()
    try:
        refused = keep("beside")
        assert refused.returncode == 1 and "ledger" in refused.stderr and "POST /v1/datasets" in refused.stderr
        assert not (tmp_path / "beside").exists()
        listed = server.get("/v1/datasets").json()["data"]
        assert [(d["state"], d["pii"]) for d in listed[:3]] == [("failed", "keep"), ("done", "keep"), ("done", "keep")]
        assert server.get(f"/v1/datasets/{listed[1]['id']}/files/train.jsonl").status_code == 404
    finally:
        assert server.stop() == 0
    assert len(events()) == n
    assert keep("typo", "--tenant", "nobody").returncode == 1
    assert not (tmp_path / "typo").exists() and len(list(data.glob("tenants/*"))) == 1


def test_the_program_says_its_version_and_so_does_what_it_exports(filled, tmp_path):
    told = readback("--version")
    version = json.loads((pathlib.Path(__file__).parents[2] / "docs/openapi.json").read_text())["info"]["version"]
    assert (told.returncode, told.stdout) == (0, f"readback {version}\n")
    assert readback("version").stdout == told.stdout
    out = tmp_path / "out"
    assert readback("export", "--format", "trl-sft", "--out", out, "--data", filled / "data").returncode == 0
    assert json.loads((out / "manifest.json").read_text())["generator"] == {"name": "readback", "version": version}
    assert f"Bag-Software-Agent: readback {version}\n" in (out / "bag-info.txt").read_text()
    assert f"Exported by readback {version} from" in (out / "README.md").read_text()


def test_export_into_a_folder_that_holds_something_is_refused(filled, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    told = readback("export", "--format", "trl-sft", "--out", tmp_path / "out", "--data", filled / "data")
    assert told.returncode in (1, 2)
    assert "out" in told.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]
    assert readback("export", "--format", "no-such", "--out", tmp_path / "x", "--data", filled / "data").returncode == 2
    assert not (tmp_path / "x").exists()


def test_export_redacts_unless_told_to_keep(tmp_path):
    rows = [{"id": f"c-{n}", "customer": {"id": f"cu-{n % 12}", "name": "Mara Lindqvist"},
             "turns": [{"role": "customer", "text": f"I am Mara, mara{n}@example.org, 06-12345678, order VK-20418"},
                       {"role": "agent", "text": "Hello Mara Lindqvist, firmware 5.2.1 solves it"}],
             "resolution": {"outcome": "resolved", "intent": "fault", "text": "updated"}} for n in range(36)]
    file = tmp_path / "c.ndjson"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert readback("import", "conversations", file, "--data", tmp_path / "data").returncode == 0

    def export(name, *options):
        told = readback("export", "--format", "trl-sft", "--out", tmp_path / name, "--data", tmp_path / "data", "--json", *options)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout), tmp_path / name

    said, out = export("plain")
    text = (out / "data/train.jsonl").read_text()
    assert said["pii"] == "redact" and said["redacted"] == 5 * 36
    assert not re.search(r"mara|lindqvist|12345678|20418", text, re.I)
    assert "5.2.1" in text and len(set(re.findall(r"\[EMAIL_[0-9a-f]{10}\]", text))) == 36
    assert len(set(re.findall(r"\[ORDER_[0-9a-f]{10}\]", text))) == 1
    assert json.loads((out / "manifest.json").read_text())["redaction"]["counts"]["email"] == 36
    assert sorted(p.name for p in out.iterdir()) == BESIDE and [p.name for p in (out / "data").iterdir()] == ["train.jsonl"]
    assert "mara1@example.org" in (export("kept", "--pii", "keep")[1] / "data/train.jsonl").read_text()

    for by in ("time", "hash"):
        said, out = export(by, "--split", by, "--seed", "7")
        _, again = export(by + "2", "--split", by, "--seed", "7")
        where = {}
        for line in (out / "rows.provenance.jsonl").read_text().splitlines():
            row = json.loads(line)
            where.setdefault(int(row["conversation"][2:]) % 12, set()).add(row["file"])
            assert row["file"] == f"data/{row['part']}.jsonl"
        assert len(where) == 12 and all(len(files) == 1 for files in where.values())
        for part in ("train", "valid", "test"):
            assert len((out / f"data/{part}.jsonl").read_text().splitlines()) == said["split"][part]
        assert all(f.read_bytes() == (again / f.relative_to(out)).read_bytes() for f in out.rglob("*") if f.is_file())

    for wrong in (("--pii", "some"), ("--split", "size"), ("--seed", "-1")):
        assert readback("export", "--format", "trl-sft", "--out", tmp_path / "x", "--data", tmp_path / "data", *wrong).returncode == 2
    assert not (tmp_path / "x").exists()


def test_export_diff_tells_rows_and_reasons(tmp_path):
    def bring(*ids):
        file = tmp_path / "c.ndjson"
        file.write_text("".join(json.dumps({
            "id": i, "turns": [{"role": "customer", "text": f"where is {i}?"}, {"role": "agent", "text": "here"}],
            "resolution": {"outcome": "resolved", "intent": "x", "text": "t"}}) + "\n" for i in ids))
        assert readback("import", "conversations", file, "--data", tmp_path / "data").returncode == 0

    def export(name, *options):
        assert readback("export", "--format", "trl-sft", "--out", tmp_path / name, "--data", tmp_path / "data",
                        *options).returncode == 0
        return tmp_path / name

    bring("c-1", "c-2")
    first, again = export("first"), export("again")
    same = readback("export", "diff", first, again)
    assert same.returncode == 0 and same.stdout == "0 rows added, 0 gone, 0 changed, 2 equal\n"
    bring("c-3")
    later = export("later")
    told = readback("export", "diff", first, later)
    assert told.returncode == 1 and "(conversation c-3): recorded_later\n" in told.stdout
    assert "1 rows added, 0 gone, 0 changed, 2 equal" in told.stdout and "request: mark" in told.stdout
    said = json.loads(readback("export", "diff", later, first, "--json").stdout)
    assert [r["conversation"] for r in said["gone"]] == ["c-3"] and said["gone"][0]["reasons"] == [{"why": "recorded_later"}]
    assert said["added"] == said["changed"] == [] and said["equal"] == 2 and said["files"] == ["data/train.jsonl"]
    assert readback("export", "diff", first).returncode == 2
    missing = readback("export", "diff", first, tmp_path)
    assert missing.returncode == 1 and "manifest.json: no such file" in missing.stderr


FORMATS = ("openai", "trl-sft", "trl-dpo", "trl-kto", "sentence-transformers", "rasa", "dialogflow-cx", "clu", "lex",
           "fasttext", "beir", "trec", "ragas", "vcon")


def test_export_tells_its_formats_and_their_options(filled, tmp_path):
    told = readback("export", "--help").stdout
    for name in FORMATS:
        assert re.search(rf"^  {name}: \S", told, re.M), name
    assert "--option negatives=N" in told and "--option balance=none|smallest" in told

    def refused(*options):
        told = readback("export", "--out", tmp_path / "x", "--data", filled / "data", *options)
        assert told.returncode == 2 and not (tmp_path / "x").exists()
        return told.stderr

    assert "there is openai, trl-sft" in refused("--format", "csv")
    assert "there is train-on" in refused("--format", "openai", "--option", "weights=1")
    assert "all|last" in refused("--format", "openai", "--option", "train-on=none")
    assert "there is answers, intents, preferences, retrieval" in refused("--format", "openai", "--kind", "cases")
    assert "it has intents" in refused("--format", "rasa", "--kind", "answers")
    assert "0.7,0.2,0.1" in refused("--format", "rasa", "--split", "hash", "--sizes", "8:1:1")
    assert "0.7,0.2,0.1" in refused("--format", "rasa", "--split", "hash", "--sizes", "0,0,0")
    assert "add up to 1" in refused("--format", "rasa", "--split", "hash", "--sizes", "0.8,0.1,0.2")
    assert "from 0 to 1" in refused("--format", "rasa", "--split", "hash", "--sizes", "1.5,-0.5,0")
    assert "by what" in refused("--format", "rasa", "--sizes", "0.8,0.1,0.1")
    assert "filter" in refused("--format", "rasa", "--filter", '{"type":"like"}')
    assert "line 1" in refused("--format", "rasa", "--filter", "intent=refund")
    # A mark that has not come.
    for options, why in ((("--format", "rasa", "--at", "1000000"), "has not come to mark 1000000"),):
        told = readback("export", "--out", tmp_path / "x", "--data", filled / "data", *options)
        assert told.returncode == 1 and why in told.stderr and not (tmp_path / "x").exists()


def test_export_writes_the_same_bytes_again_in_every_format(filled, tmp_path):
    for name in FORMATS:
        folders = [tmp_path / name, tmp_path / f"{name}-2"]
        told = [readback("export", "--format", name, "--out", out, "--data", filled / "data") for out in folders]
        if name in ("trl-dpo", "trl-kto"):  # nobody replaced a draft here
            assert all(t.returncode == 1 and "nothing to export" in t.stderr for t in told)
            assert not any(out.exists() for out in folders)
            continue
        assert all(t.returncode == 0 for t in told), told[0].stderr
        files = sorted(p.relative_to(folders[0]) for p in folders[0].rglob("*") if p.is_file())
        assert len(files) >= 3
        assert all((folders[0] / f).read_bytes() == (folders[1] / f).read_bytes() for f in files)


# --- keys -----------------------------------------------------------------------------------------

def test_keys_are_made_listed_and_revoked(tmp_path):
    made = json.loads(readback("key", "create", "--scopes", "agent,curator", "--groups", "tier1,emea", "--name", "desk",
                               "--data", tmp_path, "--json").stdout)
    assert made["key"].startswith("rb_")
    listed = json.loads(readback("key", "list", "--data", tmp_path, "--json").stdout)
    assert [(k["id"], k["scopes"], k["groups"], k["revoked"]) for k in listed] == [
        (made["id"], "agent,curator", "tier1,emea", False)]
    assert made["key"] not in readback("key", "list", "--data", tmp_path).stdout
    assert made["key"].encode() not in (tmp_path / "control.db").read_bytes()
    assert readback("key", "revoke", made["id"], "--data", tmp_path).returncode == 0
    assert json.loads(readback("key", "list", "--data", tmp_path, "--json").stdout)[0]["revoked"]
    assert readback("key", "revoke", "key_none", "--data", tmp_path).returncode == 1
    for wrong in (("create",), ("create", "--scopes", "king"), ("create", "--scopes", ""), ("erase",)):
        assert readback("key", *wrong, "--data", tmp_path).returncode == 2


# --- beside and against a server ------------------------------------------------------------------

def test_readers_work_beside_a_server_and_writers_are_refused(words_server):
    s = words_server
    assert s.put("/v1/documents/d1", {"title": "Ferns", "text": "Ferns like shade."}).status_code == 201
    c = s.post("/v1/conversations", {"id": "c-9", "turns": [{"role": "customer", "text": "do ferns like shade?"}]})
    assert c.status_code == 201
    assert s.post("/v1/handoffs", {"conversation_id": "c-9", "trigger": "other"}).status_code == 201
    found = json.loads(readback("search", "ferns", "--data", s.data, "--json").stdout)
    assert [h["id"] for h in found["data"]] == ["d1"]
    assert json.loads(readback("status", "--data", s.data, "--json").stdout)["records"]["document"] == 1
    assert "Ferns" in readback("handoff", "c-9", "--data", s.data).stdout
    for writer in (("import", "documents", "-"), ("reindex",)):
        told = readback(*writer, "--data", s.data, input="{}")
        assert told.returncode == 1
        assert f"process {s.process.pid}" in told.stderr
    assert s.put("/v1/documents/d2", {"text": "Mosses too."}).status_code == 201


def test_commands_work_against_a_server(words_server, tmp_path):
    s = words_server
    file = lines(tmp_path / "d.ndjson", DOCUMENTS + [{"_id": "bad", "text": 1}])
    told = readback("import", "documents", file, "--url", s.url, "--key", DEV_KEY)
    assert told.returncode == 3, told.stderr
    assert "imported 3" in told.stdout and f"{file}:4: text: " in told.stderr
    assert "unchanged 3" in readback("import", "documents", file, "--url", s.url, "--key", DEV_KEY).stdout
    found = json.loads(readback("search", "refunds", "--url", s.url, "--key", DEV_KEY, "--json").stdout)
    assert found["data"][0]["id"] == "help-1"
    assert json.loads(readback("status", "--url", s.url, "--key", DEV_KEY, "--json").stdout)["ready"]
    refused = readback("status", "--url", s.url, "--key", "rb_wrong")
    assert refused.returncode == 1 and "rb_wrong" not in refused.stderr
    unreachable = readback("status", "--url", "http://127.0.0.1:9", "--key", "x")
    assert unreachable.returncode == 1 and "127.0.0.1:9" in unreachable.stderr


# --- starting ------------------------------------------------------------------------------------

def model_folder():
    given = os.environ.get("READBACK_MODEL")
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(given) if given else pathlib.Path(cache) / "readback/model"


@pytest.mark.parametrize("file", ["model.safetensors", "vocab.txt"])
def test_a_model_file_cut_short_is_named(tmp_path, file):
    model = model_folder()
    if not (model / "model.safetensors").exists():
        pytest.skip("no model is here (make model)")
    copy = tmp_path / "model"
    copy.mkdir()
    for f in model.iterdir():
        if f.is_file() and f.name != file:
            os.symlink(f.resolve(), copy / f.name)
    whole = (model / file).read_bytes()
    (copy / file).write_bytes(whole[:len(whole) // 2])
    env = {**os.environ, "READBACK_MODEL": str(copy)}
    for command in (("serve", "--listen", "127.0.0.1:0"), ("import", "documents", "-")):
        told = readback(*command, "--data", tmp_path / "data", env=env, input="")
        assert told.returncode == 1, told.stderr
        assert file in told.stderr


def test_without_a_model_it_says_so_once_and_runs_on_words(tmp_path):
    env = {"READBACK_MODEL": str(tmp_path / "none"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    s = Server(tmp_path / "data", env=env).start()
    try:
        assert sum("no model" in line for line in s.lines) == 1
        assert s.put("/v1/documents/d", {"text": "gentians are blue"}).status_code == 201
        found = s.post("/v1/search", {"query": "gentians"}).json()
        assert found["embedder"] == "none" and [h["id"] for h in found["data"]] == ["d"]
    finally:
        assert s.stop() == 0


def test_wrong_addresses_and_numbers_are_told(tmp_path):
    for options in (("--listen", "127.0.0.1"), ("--listen", "nowhere.invalid:1"), ("--listen", "127.0.0.1:99999"),
                    ("--workers", "x"), ("--workers", "-1"), ("--embedder", "gpt")):
        told = readback("serve", "--data", tmp_path / "data", *options)
        assert told.returncode in (1, 2), (options, told.stderr)
        assert told.stderr.startswith("readback")


def test_a_port_in_use_is_told(words_server, tmp_path):
    told = readback("serve", "--data", tmp_path / "other", "--embedder", "none", "--listen",
                    words_server.url.removeprefix("http://"), timeout=60)
    assert told.returncode == 1
    assert words_server.url.removeprefix("http://") in told.stderr


def test_a_database_that_is_not_ours_or_newer_is_refused(tmp_path):
    assert readback("import", "documents", "-", "--data", tmp_path / "data", input='{"_id":"a","text":"x"}').returncode == 0
    (file,) = (tmp_path / "data").glob("tenants/*/readback.db")
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 999")
    db.commit()
    db.close()
    told = readback("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--embedder", "none")
    assert told.returncode == 1 and "newer" in told.stderr
    file.write_bytes(b"this is no database, and it is longer than the header of one " * 20)
    told = readback("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--embedder", "none")
    assert told.returncode == 1 and told.stderr.startswith("readback: ")
