"""Insights over HTTP: who may ask, what is refused, and that what was done is counted."""

import json
from datetime import date, timedelta

import pytest

from conftest import readback

NAMES = ["outcomes", "volume", "articles", "gaps", "agreement"]


@pytest.fixture
def desk(words_server):
    """A parcel and a refund, resolved; and a conversation that the bot contained."""
    s = words_server
    assert s.put("/v1/documents/depot", {"title": "Parcels", "text": "A parcel waits at the depot."}).status_code == 201
    for id_, text, intent in (("c-1", "where is my parcel", "parcel"), ("c-2", "the refund", "refund")):
        conversation = {"id": id_, "customer": {"id": f"cu-{id_}"}, "turns": [{"role": "customer", "text": text}]}
        handoff = s.post("/v1/handoffs", {"conversation": conversation, "trigger": "customer_request",
                                          "intent": {"label": intent}})
        assert handoff.status_code == 201, handoff.text
        answer = s.post(f"/v1/handoffs/{handoff.json()['id']}/resolution",
                        {"outcome": "resolved", "intent": intent, "text": "done", "csat": 5})
        assert answer.status_code == 200, answer.text
    assert s.post("/v1/conversations", {"id": "c-3", "turns": [{"role": "customer", "text": "hi"}]}).status_code == 201
    return s


def test_what_was_done_is_counted_at_once(desk):
    told = desk.get("/v1/insights/outcomes").json()
    assert told["object"] == "outcomes" and told["by"] == "intent"
    total = told["total"]
    assert (total["handoffs"], total["resolved"], total["open"]) == (2, 2, 0)
    assert total["csat"] == {"n": 2, "mean": 5}
    assert total["containment"]["n"] == 3 and total["containment"]["share"] == pytest.approx(1 / 3)
    low, high = total["containment"]["interval"]
    assert 0 < low < 1 / 3 < high < 1
    assert total["suggestion_use"] == {"n": 1, "share": 0, "interval": [0, pytest.approx(0.7935, abs=1e-4)]}
    assert {g["intent"] for g in told["groups"]} == {"parcel", "refund"}
    weeks = desk.get("/v1/insights/outcomes?by=week&since=2020-01-01&until=2999-01-01T00:00:00%2B01:00").json()
    assert weeks["until"] == "2998-12-31T23:00:00Z"
    assert sum(g["handoffs"] for g in weeks["groups"]) == 2
    assert desk.get("/v1/insights/outcomes?until=2020-01-01").json()["total"]["handoffs"] == 0


def test_volume_is_of_the_week_under_way(desk):
    now = desk.get("/v1/insights/volume").json()
    assert now["total"]["so_far"] == 2 and now["total"]["forecast"] is None and now["weeks"] == []
    later = desk.get("/v1/insights/volume?weeks=2&until=" + (date.today() + timedelta(weeks=5)).isoformat()).json()
    assert later["history_weeks"] == 5 and later["method"] == "naive"
    assert len(later["weeks"]) == 2 and later["total"]["resolved"] == [0, 0]
    assert later["total"]["forecast"] == 0 and later["total"]["interval"] == [0, 0]  # errors -2, 0, 0, 0


def test_an_article_that_did_not_help(desk):
    assert desk.put("/v1/documents/mail", {"title": "Post", "text": "The post office has it."}).status_code == 201
    handoff = desk.post("/v1/handoffs", {"conversation": {"id": "c-4", "turns": [{"role": "customer", "text": "my parcel"}]},
                                         "trigger": "customer_request"}).json()["id"]
    answer = desk.post(f"/v1/handoffs/{handoff}/resolution",
                       {"outcome": "resolved", "intent": "parcel", "text": "done", "evidence_used": ["mail"]})
    assert answer.status_code == 200, answer.text
    told = desk.get("/v1/insights/articles?limit=1").json()
    assert told["has_more"] is True
    depot = told["data"][0]
    assert (depot["document_id"], depot["shown"], depot["used"], depot["against"]) == ("depot", 2, 0, 1)
    assert depot["examples"] == [handoff]


def test_what_no_article_helped_with(desk):
    told = desk.get("/v1/insights/gaps").json()
    assert (told["cases"], told["gaps"]) == (2, 2)
    assert {g["intents"][0]["intent"]: g["terms"] for g in told["data"]} == {"parcel": ["parcel"], "refund": ["refund"]}
    assert told["data"][0]["examples"][0]["case_id"] == "c-2/case"  # as large as the other, and newer
    assert desk.get("/v1/insights/gaps?limit=1").json()["has_more"] is True


def test_two_annotators_and_the_bot_agree_as_far_as_is_told(words_server):
    """The 2x2 table of a textbook: 20 and 15 of 50 the same, 5 and 10 not: .7 observed, .5 expected, kappa .4."""
    s = words_server
    desk = s.key("agent,bot", "tier1", "--act-as")

    def says(handoff, agent, intent):
        answer = s.post(f"/v1/handoffs/{handoff}/resolution", {"outcome": "resolved", "intent": intent, "text": "done"},
                        key=desk, headers={"Readback-Agent": f'id="{agent}"'})
        assert answer.status_code == 200, answer.text

    table = [("refund", "refund")] * 20 + [("refund", "parcel")] * 5 + [("parcel", "refund")] * 10 + [("parcel", "parcel")] * 15
    for i, (first, second) in enumerate(table):
        turns = [{"role": "customer", "text": f"about my order {i}"}]
        handoff = s.post("/v1/handoffs", {"conversation": {"id": f"k-{i}", "turns": turns}, "trigger": "other",
                                          "intent": {"label": "refund"}}, key=desk).json()["id"]
        says(handoff, "ann", first)
        says(handoff, "ben", second)
    told = s.get("/v1/insights/agreement").json()
    assert told["object"] == "agreement" and told["conversations"] == 50
    worked = {"n": 50, "observed": pytest.approx(0.7), "kappa": pytest.approx(0.4)}
    who = {a["annotator"]: a for a in told["annotators"]}
    assert who["ann"] == {"annotator": "ann", "kind": "agent", **worked} and who["ben"] == {"annotator": "ben", "kind": "agent", **worked}
    # The bot always says refund, of which 30 are refunds: chance would do as well.
    assert who["bot"] == {"annotator": "bot", "kind": "bot", "n": 50, "observed": pytest.approx(0.6), "kappa": pytest.approx(0)}
    assert told["agents"] == worked
    intents = {i["intent"]: i for i in told["intents"]}
    assert (intents["refund"]["labelled"], intents["parcel"]["labelled"]) == (30, 20)
    assert intents["refund"]["agents"] == worked and intents["refund"]["bot"]["kappa"] == pytest.approx(0)
    assert s.get("/v1/insights/agreement?until=2020-01-01").json() == {
        "object": "agreement", "until": "2020-01-01T00:00:00Z", "conversations": 0, "annotators": [], "intents": [],
        "agents": {"n": 0, "observed": None, "kappa": None}}
    # The 15 who contradicted each other wait for somebody to look.
    waiting = s.get("/v1/reviews?state=open&limit=200").json()["data"]
    assert [r["reason"] for r in waiting] == ["disagreement"] * 15
    table = readback("insights", "agreement", "--url", s.url, "--key", s.dev_key)
    assert table.returncode == 0, table.stderr
    assert "ann                             0.40       70%       50\n" in table.stdout, table.stdout


@pytest.mark.parametrize("name", NAMES)
def test_curators_ask(words_server, name):
    s = words_server
    for scopes, status in (("bot", 403), ("agent", 403), ("export", 403), ("curator", 200), ("admin", 200)):
        assert s.get(f"/v1/insights/{name}", key=s.key(scopes, "tier1")).status_code == status, scopes
    assert s.get(f"/v1/insights/{name}", key=None).status_code == 401
    assert s.post(f"/v1/insights/{name}", {}).status_code == 405


@pytest.mark.parametrize("query, param", [
    ("outcomes?since=yesterday", "since"), ("outcomes?until=2026-13-01", "until"), ("outcomes?by=agent", "by"),
    ("outcomes?by=", "by"), ("outcomes?weeks=3", "weeks"), ("volume?weeks=0", "weeks"), ("volume?weeks=521", "weeks"), ("volume?weeks=-1", "weeks"),
    ("volume?until=soon", "until"), ("volume?since=2026-01-01", "since"), ("articles?limit=0", "limit"), ("articles?limit=201", "limit"),
    ("articles?since=soon", "since"), ("articles?by=week", "by"), ("gaps?limit=many", "limit"), ("gaps?until=soon", "until"),
    ("gaps?weeks=2", "weeks"), ("agreement?since=soon", "since"), ("agreement?until=2026-02-30", "until"),
    ("agreement?limit=3", "limit"), ("agreement?by=intent", "by"),
])
def test_what_is_not_well_formed_is_refused(words_server, query, param):
    answer = words_server.get(f"/v1/insights/{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize("name, options, printed", [
    ("outcomes", (), ["parcel                               1 ", "first time", "\nall  "]),
    ("outcomes", ("--by", "week", "--since", "2020-01-01"), ["week  ", "-W"]),
    ("volume", ("--weeks", "3", "--until", (date.today() + timedelta(weeks=5)).isoformat()), ["parcel", "0.0 to 0.0"]),
    ("articles", ("--limit", "1"), ["depot  ", "Parcels"]),
    ("gaps", (), ["2 of 2 cases", "1  refund", "intents  refund (1)", "cases    c-2/case"]),
    ("agreement", ("--since", "2020-01-01"), ["bot                             1.00      100%        2\n", "agents among each other", "\nparcel "]),
])
def test_the_command_prints_tables(desk, name, options, printed):
    told = readback("insights", name, *options, "--url", desk.url, "--key", desk.dev_key)
    assert told.returncode == 0, told.stderr
    for words in printed:
        assert words in told.stdout, told.stdout


def test_the_command_says_the_same_of_a_folder(desk):
    there = readback("insights", "outcomes", "--by", "intent", "--json", "--url", desk.url, "--key", desk.dev_key)
    assert desk.stop() == 0
    here = readback("insights", "outcomes", "--json", "--data", desk.data, "--embedder", "none")
    assert here.returncode == 0, here.stderr
    assert json.loads(here.stdout) == json.loads(there.stdout)
    desk.start()


def test_the_command_says_what_is_wrong(desk):
    for operands in ([], ["luck"], ["gaps", "volume"]):
        told = readback("insights", *operands, "--url", desk.url, "--key", desk.dev_key)
        assert told.returncode == 2 and "outcomes, volume, articles, gaps, agreement" in told.stderr
    told = readback("insights", "outcomes", "--since", "today", "--url", desk.url, "--key", desk.dev_key)
    assert told.returncode == 1 and "since" in told.stderr
    told = readback("insights", "outcomes", "--data", "/nowhere/at/all", "--embedder", "none")
    assert told.returncode == 1 and told.stderr
