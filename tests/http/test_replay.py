"""`readback replay` on small histories that are made here, by words alone: what its figures mean, and that they can be repeated."""

import hashlib
import json
import math
import os
import random

import pytest

from conftest import readback
from test_http_embedder import StandIn

pytestmark = pytest.mark.paced  # hundreds of conversations a test, of one thread

SAYS = {
    "refund_status": ["refund", "money", "returned", "parcel", "paid", "back", "waiting"],
    "device_offline": ["hub", "light", "red", "offline", "router", "blinks", "dead"],
    "invoice_copy": ["invoice", "billing", "copy", "tax", "month", "account", "download"],
    "password_reset": ["password", "login", "locked", "reset", "email", "code", "forgot"],
    "change_address": ["address", "moved", "street", "house", "city", "delivery", "new"],
    "cancel_order": ["cancel", "order", "stop", "shipping", "changed", "mind", "purchase"],
}
OTHER = ["please", "hello", "today", "my", "the", "help", "with", "again", "still", "really"]


def text_of(label, dice):
    """Two words of the label, one of another, so that not everything is right."""
    said = dice.sample(SAYS[label], 2) + dice.sample(SAYS[dice.choice(list(SAYS))], 1) + dice.sample(OTHER, 3)
    dice.shuffle(said)
    return " ".join(said)


def conversation(n, label, dice):
    return {"id": f"c-{n}", "started_at": f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z",
            "turns": [{"role": "customer", "text": text_of(label, dice)}, {"role": "agent", "text": "I see to it."}],
            "resolution": {"outcome": "resolved", "intent": label, "text": "Done.", "evidence_used": [f"help-{label}"]}}


def lines(path, items):
    path.write_text("".join(json.dumps(i) + "\n" for i in items))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root, dice = tmp_path_factory.mktemp("replay"), random.Random(11)
    labels = [dice.choice(list(SAYS)) for _ in range(90)]
    lines(root / "conversations.ndjson", [conversation(n, label, dice) for n, label in enumerate(labels)])
    lines(root / "documents.ndjson", [{"_id": f"help-{label}", "title": label, "text": " ".join(words) + "."} for label, words in SAYS.items()])
    labels = [dice.choice(list(SAYS)) for _ in range(120)]
    rows = [{"text": text_of(label, dice), "label": label} for label in labels]
    lines(root / "examples.ndjson", [*rows[:50], {"text": "what is the weather", "label": "oos"}, *rows[50:]])
    return root


def replay(files, *options):
    told = readback("replay", "--conversations", files / "conversations.ndjson", "--documents", files / "documents.ndjson",
                    "--embedder", "none", "--json", *options)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def plain(files):
    return replay(files)


def near(a, b):
    return a == pytest.approx(b, abs=1e-4)


def test_what_learning_bought_is_told(plain):
    final, frozen = plain["final"], plain["baselines"]["frozen"]
    assert plain["conversations"] == 90 and final["from"] == 68 and final["cases"] == 90 and plain["frozen_after"] == 9
    assert [p["cases"] for p in plain["points"]] == [18, 36, 54, 72, 90]
    assert final["intent_accuracy"] > plain["baselines"]["majority"]["intent_accuracy"] + .3
    assert final["intent_accuracy"] >= frozen["intent_accuracy"]
    assert final["evidence_recall@1"] > .5


def test_deflected_is_answered_and_right(files):
    got = replay(files, "--history", 40, "--target-precision", .5)
    for figures in (*got["points"], got["final"], got["baselines"]["frozen"]):
        assert near(figures["deflected"], figures["answered"] * (figures["precision"] or 0))
    assert got["final"]["deflected"] > 0


def test_a_history_is_learned_from_and_not_predicted(files):
    got = replay(files, "--history", 40)
    assert got["history"] == 40 and got["frozen_after"] == 40
    assert got["final"]["from"] == 40 and got["final"]["cases"] == 90
    assert [p["cases"] for p in got["points"]] == [50, 60, 70, 80, 90]
    assert near(got["final"]["intent_accuracy"], sum(p["intent_accuracy"] for p in got["points"]) / 5)
    assert got["points"][0]["intent_accuracy"] > .5


METRICS = ("intent_accuracy", "answered", "precision", "deflected", "case_hit@1", "evidence_recall@1", "evidence_recall@5",
           "evidence_ndcg@10")


def test_one_seed_has_an_interval_by_its_conversations(plain):
    final = plain["final"]
    assert set(final["interval"]) == set(METRICS)
    for name in METRICS:
        if final[name] is None:
            assert final["interval"][name] is None
        else:
            low, high = final["interval"][name]
            assert low <= final[name] <= high
    low, high = final["interval"]["intent_accuracy"]
    assert low < high


def test_several_seeds_have_an_interval_by_their_deviation(files):
    got = replay(files, "--seeds", 2, "--history", 40)
    assert [s["seed"] for s in got["seeds"]] == [1, 2]
    low, high = got["final"]["interval"]["intent_accuracy"]
    assert near((low + high) / 2, got["final"]["intent_accuracy"])
    assert near(high - low, 2 * 1.96 * got["final_deviation"]["intent_accuracy"] / 2 ** .5)
    assert got["final_deviation"]["intent_accuracy"] > 0
    evidence = got["final"]["evidence"]
    assert evidence["seen"]["n"] + evidence["unseen"]["n"] + evidence["mixed"] == 50  # a mean over seeds as well
    assert near(evidence["seen"]["ndcg@10"], got["final"]["evidence_ndcg@10"]) or evidence["unseen"]["n"] > 0


def test_what_learning_bought_is_paired_with_learning_stopped(plain):
    names = {"intent_accuracy", "evidence_recall@1", "evidence_recall@5", "evidence_ndcg@10"}
    assert all(set(p["against_frozen"]) == names for p in plain["points"])
    for name in names:
        final = plain["final"]["against_frozen"][name]
        assert near(final["difference"], plain["final"][name] - plain["baselines"]["frozen"][name])
    bought = plain["points"][-1]["against_frozen"]["intent_accuracy"]
    assert bought["difference"] > 0 and bought["standard_error"] > 0


def test_until_learning_stops_there_is_no_difference(files):
    got = replay(files, "--history", 20, "--delay", 70)
    for point in got["points"]:
        for x in point["against_frozen"].values():
            assert x == {"difference": 0, "standard_error": 0}


def test_a_baseline_may_have_learned_nothing(files, plain):
    got = replay(files, "--frozen-after", 0)
    assert got["frozen_after"] == 0 and got["baselines"]["frozen"]["intent_accuracy"] == 0
    assert got["final"]["intent_accuracy"] == plain["final"]["intent_accuracy"]
    # It is not asked what is history.
    after = replay(files, "--history", 40, "--frozen-after", 0)
    assert after["baselines"]["frozen"]["intent_accuracy"] == 0
    assert near(after["final"]["against_frozen"]["intent_accuracy"]["difference"], after["final"]["intent_accuracy"])


def test_learning_may_end_early(files):
    got = replay(files, "--history", 40, "--learn", 40)
    assert got["learned_from"] == 40 and got["final"]["intent_accuracy"] > .5
    assert all(x == {"difference": 0, "standard_error": 0} for x in got["final"]["against_frozen"].values())
    none = replay(files, "--learn", 0)
    assert none["learned_from"] == none["frozen_after"] == 0 and none["final"]["intent_accuracy"] == 0


def asked(n, said, *used):
    return {"id": f"c-{n}", "turns": [{"role": "customer", "text": said}],
            "resolution": {"outcome": "resolved", "intent": "any", "text": "Done.", "evidence_used": list(used)}}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Six documents of which each has a word of its own three times; fifteen conversations, five of them history."""
    root = tmp_path_factory.mktemp("few")
    lines(root / "documents.ndjson", [{"_id": word, "title": word, "text": f"{word} {word}."}
                                      for word in ("apple", "bread", "cheese", "dates", "eggs", "figs")])
    talks = [("apple", "apple"), ("bread", "bread"), ("apple", "apple"), ("bread", "bread"),
             ("dates", "dates"),  # which is broken below
             ("apple", "apple"), ("apple apple apple bread", "bread"), ("figs", "bread"),  # found first, second, not
             ("cheese", "cheese"), ("cheese", "cheese"), ("eggs", "eggs"), ("eggs", "figs"), ("apple dates", "apple", "dates"),
             ("dates", "dates"), ("figs",)]
    made = [asked(n, *talk) for n, talk in enumerate(talks)]
    made[4]["resolution"]["outcome"] = "perhaps"
    lines(root / "conversations.ndjson", made)
    return root


def test_documents_that_earlier_cases_used_are_told_apart(few):
    """Learned from four, of which nothing is trained: what is found is known by hand."""
    got = replay(few, "--history", 5, "--learn", 5, "--frozen-after", 0)
    assert got["skipped"] == 1 and got["conversations"] == 15
    evidence = got["final"]["evidence"]
    seen, unseen = evidence["seen"], evidence["unseen"]
    assert (seen["n"], unseen["n"], evidence["mixed"]) == (3, 5, 1)  # one has used none
    assert near(seen["recall@1"], 1 / 3) and near(seen["recall@5"], 2 / 3)
    assert near(seen["ndcg@10"], (1 + math.log(2, 3)) / 3)  # of the second of a list 1 / log2(3)
    assert near(unseen["recall@1"], 4 / 5) and near(unseen["recall@5"], 4 / 5) and near(unseen["ndcg@10"], 4 / 5)
    same = {"difference": 0, "standard_error": 0}
    assert seen["against_frozen"] == unseen["against_frozen"] == {"recall@1": same, "recall@5": same, "ndcg@10": same}
    # The mixed one counts for `final`: of its two documents one is the first, and both are the first two.
    assert near(got["final"]["evidence_recall@1"], (1 + 4 + 1 / 2) / 9) and near(got["final"]["evidence_ndcg@10"], (1 + math.log(2, 3) + 4 + 1) / 9)


def test_what_was_learned_meanwhile_is_seen(few):
    evidence = replay(few, "--history", 5)["final"]["evidence"]
    assert (evidence["seen"]["n"], evidence["unseen"]["n"], evidence["mixed"]) == (5, 3, 1)
    late = replay(few, "--history", 5, "--delay", 2)["final"]["evidence"]  # the second cheese comes too soon, dates too
    assert (late["seen"]["n"], late["unseen"]["n"], late["mixed"]) == (3, 5, 1)


def test_what_learning_does_for_seen_documents_is_paired(plain):
    final = plain["final"]
    seen, unseen = final["evidence"]["seen"], final["evidence"]["unseen"]
    assert seen["n"] == 22 and unseen["n"] == 0 and final["evidence"]["mixed"] == 0  # all six were used by then
    for name in ("recall@1", "recall@5", "ndcg@10"):
        assert near(seen[name], final[f"evidence_{name}"]) and unseen[name] is None
        assert seen["against_frozen"][name] == final["against_frozen"][f"evidence_{name}"]
        assert unseen["against_frozen"][name] == {"difference": None, "standard_error": None}


@pytest.mark.parametrize("options", [[], ["--train-once"]])
def test_what_learning_does_for_seen_documents_alone_is_told(few, tmp_path, options):
    """Ten who were hungry used the bread, of which no document says so: after that it is suggested, and was not before."""
    talks = [("hungry", "bread")] * 14 + [("bread", "bread")] * 2 + [("cheese", "cheese")] * 4
    lines(tmp_path / "conversations.ndjson", [asked(n, *talk) for n, talk in enumerate(talks)])
    lines(tmp_path / "documents.ndjson", [json.loads(x) for x in (few / "documents.ndjson").read_text().splitlines()])
    evidence = replay(tmp_path, "--history", 10, "--learn", 10, "--frozen-after", 0, *options)["final"]["evidence"]
    seen, unseen = evidence["seen"], evidence["unseen"]
    assert (seen["n"], unseen["n"], evidence["mixed"]) == (6, 4, 0)
    assert seen["ndcg@10"] == 1 and unseen["ndcg@10"] == 1
    gain = seen["against_frozen"]["ndcg@10"]  # of 1, four times, and 0 twice
    assert near(gain["difference"], 4 / 6) and near(gain["standard_error"], math.sqrt(4 / 6 * 2 / 6 / 5))
    assert unseen["against_frozen"]["ndcg@10"] == {"difference": 0, "standard_error": 0}
    # Who stops within the history is trained as well.
    some = replay(tmp_path, "--history", 10, "--frozen-after", 6, *options)["final"]["evidence"]["seen"]
    assert some["ndcg@10"] == 1 and some["against_frozen"]["ndcg@10"]["difference"] == 0


@pytest.mark.parametrize("options, code, says", [
    (["--history", 81], 1, "10 conversations or more"),
    (["--history", 1000], 1, "10 conversations or more"),
    (["--history", -1], 2, "--history"),
    (["--seeds", 0], 2, "--seeds"),
    (["--learn", -1], 2, "--learn"),
    (["--frozen-after", -1], 2, "--frozen-after"),
    (["--wrong", 1.5], 2, "--wrong"),
    (["--out-of-scope-share", 1], 2, "--out-of-scope-share"),
])
def test_what_cannot_be_replayed_is_told(files, options, code, says):
    told = readback("replay", "--conversations", files / "conversations.ndjson", "--embedder", "none", *options)
    assert told.returncode == code
    assert says in told.stderr


def examples(files, *options, name="examples.ndjson"):
    told = readback("replay", "--examples", files / name, "--embedder", "none", "--json", *options)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def stream(files):
    return examples(files, "--history", 40, "--target-precision", .8)


def test_examples_are_a_stream_of_resolved_conversations(files, stream):
    assert stream["conversations"] == 120 and stream["left_out"] == 1 and stream["skipped"] == 0
    final = stream["final"]
    assert final["intent_accuracy"] > .6 and final["case_hit@1"] > .5 and final["deflected"] > 0
    assert final["evidence_recall@1"] is None and final["interval"]["evidence_recall@1"] is None
    assert final["against_frozen"]["evidence_recall@1"] == {"difference": None, "standard_error": None}
    assert examples(files, "--history", 40, "--target-precision", .8) == stream


def test_wrong_labels_are_learned_and_not_measured_by(files, stream):
    got = examples(files, "--history", 40, "--target-precision", .8, "--wrong", .3)
    assert 15 < got["seeds"][0]["wrong_labels"] < 60
    assert .5 < got["final"]["intent_accuracy"] <= stream["final"]["intent_accuracy"]
    all_wrong = examples(files, "--history", 40, "--target-precision", .8, "--wrong", 1)
    assert all_wrong["seeds"][0]["wrong_labels"] == 120 and all_wrong["final"]["intent_accuracy"] < .3


def test_late_labels_are_named_and_new_to_the_frozen(files):
    got = examples(files, "--history", 40, "--drift")
    late = got["seeds"][0]["late_labels"]
    assert len(late) == 2 and set(late) < set(SAYS)
    assert got["stream"]["drift"] is True
    # The frozen one has never heard of what comes in the second half.
    assert got["points"][-1]["against_frozen"]["intent_accuracy"]["difference"] > .2


def test_what_is_out_of_scope_is_asked_and_not_learned(files, tmp_path):
    outside = [{"text": f"what is the weather in {city}"} for city in ("rome", "oslo", "lima", "cairo", "delhi")]
    outside += [{"text": "tell me a joke", "label": "oos"}, {"text": "my refund", "label": "refund_status"}]
    options = "--history", 40, "--target-precision", .8, "--out-of-scope", lines(tmp_path / "oos", outside)
    got = examples(files, *options)
    assert got["conversations"] == 126  # as far as they last
    assert got["out_of_scope"]["n"] == 6 and near(got["out_of_scope"]["share"], 6 / 86)
    assert 0 <= got["out_of_scope"]["answered"] <= 1
    assert got["out_of_scope"]["precision"] <= got["final"]["precision"]
    few = examples(files, *options, "--out-of-scope-share", .02, "--delay", 1000)
    assert few["out_of_scope"]["n"] == 2  # of 80 + 2


def test_a_file_without_anything_out_of_scope_is_told(files, tmp_path):
    none = lines(tmp_path / "none", [{"text": "my refund", "label": "refund_status"}])
    told = readback("replay", "--examples", files / "examples.ndjson", "--out-of-scope", none, "--embedder", "none")
    assert told.returncode == 1 and "no line is out of scope" in told.stderr


def test_all_of_it_again_by_the_seeds(files, tmp_path):
    outside = lines(tmp_path / "oos", [{"text": f"what is the weather in {city}"} for city in ("rome", "oslo", "lima", "cairo")])
    short = lines(files / "short.ndjson", [json.loads(x) for x in (files / "examples.ndjson").read_text().splitlines()[:45]]).name
    options = "--history", 10, "--seeds", 3, "--drift", "--wrong", .2, "--out-of-scope", outside
    got = examples(files, *options, name=short)
    assert examples(files, *options, name=short) == got
    assert len({(tuple(s["late_labels"]), s["wrong_labels"]) for s in got["seeds"]}) > 1


def test_words_alone_are_a_baseline(plain, stream):
    words = plain["baselines"]["bm25_top1"]
    assert set(words) == {"intent_accuracy", "evidence_recall@1"}
    # Labels have words of their own here, so the first document is mostly right, and so is the first case.
    assert words["evidence_recall@1"] > .7 and words["intent_accuracy"] > .5
    words = stream["baselines"]["bm25_top1"]
    assert words["evidence_recall@1"] is None and words["intent_accuracy"] > .5


def test_answers_are_counted_by_windows(files, stream):
    one, = stream["precision_windows"]
    assert (one["seed"], one["from"], one["to"]) == (1, 40, 120) and one["answered"] > 0
    assert near(one["answered"] / 80, stream["final"]["answered"]) and near(one["precision"], stream["final"]["precision"])
    # Nothing is ever learned here, which is quick.
    lines(files / "many.ndjson", [{"text": "hello", "label": "x"}] * 1020)
    first, last = examples(files, "--history", 5, "--delay", 5000, name="many.ndjson")["precision_windows"]
    assert first == {"seed": 1, "from": 5, "to": 1005, "answered": 0, "precision": None}
    assert last == {"seed": 1, "from": 1005, "to": 1020, "answered": 0, "precision": None}


def test_an_example_without_a_label_is_told(tmp_path):
    told = readback("replay", "--examples", lines(tmp_path / "x", [{"text": "hello"}]), "--embedder", "none")
    assert told.returncode == 1
    assert "x:1: label" in told.stderr


def test_conversations_or_examples_not_both(files):
    both = readback("replay", "--examples", files / "examples.ndjson", "--conversations", files / "conversations.ndjson")
    assert both.returncode == 2 and readback("replay").returncode == 2


def test_the_same_again_gives_the_same(files, plain):
    assert replay(files) == plain


def test_the_curve_is_drawn(files, tmp_path):
    told = readback("replay", "--conversations", files / "conversations.ndjson", "--embedder", "none", "--history", 30,
                    "--svg", tmp_path / "curve.svg")
    assert told.returncode == 0, told.stderr
    assert "deflected" in told.stdout and "after the history" in told.stdout
    svg = (tmp_path / "curve.svg").read_text()
    assert "intent_accuracy" in svg and "nothing learned after the history" in svg
    assert svg.endswith("</svg>\n")


@pytest.fixture
def stand():
    s = StandIn()
    yield s
    s.close()


def test_each_text_is_embedded_once(files, tmp_path, stand):
    vectors = tmp_path / "vectors"
    some = lines(tmp_path / "some", [json.loads(x) for x in (files / "conversations.ndjson").read_text().splitlines()[:30]])

    def once():
        told = readback("replay", "--conversations", some, "--documents", files / "documents.ndjson",
                        "--seeds", 2, "--vectors", vectors, "--json", env={**os.environ, **stand.env()})
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    got = once()
    asked = stand.texts()
    assert len(asked) >= 30 and len(asked) == len(set(asked))
    assert got["vectors"] == "sha256:" + hashlib.sha256(vectors.read_bytes()).hexdigest()
    assert once() == got
    assert stand.texts() == asked


def test_vectors_of_another_embedder_are_refused(files, tmp_path, stand):
    vectors = tmp_path / "vectors"
    vectors.write_text('{"format":"readback-vectors-1","embedder":"x","weights":"","precision":"","dim":8,"n":0}\n')
    told = readback("replay", "--conversations", files / "conversations.ndjson", "--vectors", vectors,
                    env={**os.environ, **stand.env()})
    assert told.returncode == 1 and "another embedder" in told.stderr


def test_all_that_the_customer_said_before_an_agent_acted_can_be_predicted_on(tmp_path):
    dice, items = random.Random(3), []
    for n in range(60):
        label = dice.choice(["refund_status", "invoice_copy"])
        c = conversation(n, label, dice)
        if n >= 40:  # what it is about comes with the fourth turn
            hello = [{"role": "customer", "text": t} for t in ("hello today", "please help", "really again")]
            c["turns"] = hello + c["turns"] + [{"role": "system", "text": "the account is opened"}, {"role": "customer", "text": " ".join(SAYS["device_offline"])}]
        items.append(c)
    file = lines(tmp_path / "conversations.ndjson", items)
    accuracy = {}
    for turns in ("3", "0"):
        told = readback("replay", "--conversations", file, "--embedder", "none", "--json", "--history", "40", "--turns", turns)
        assert told.returncode == 0, told.stderr
        accuracy[turns] = json.loads(told.stdout)["final"]["intent_accuracy"]
    assert accuracy["0"] >= 0.9 > accuracy["3"]
    told = readback("replay", "--conversations", file, "--turns", "-1")
    assert told.returncode == 2 and "--turns is 0 or more" in told.stderr
