#!/usr/bin/env python3
"""Check the demo data: counts, lengths, ids, field names, times and quotes.

Usage: check.py [FOLDER]     (default: the folder of this script)
Prints a summary; exits 1 if a promise of README.md is broken.
Standard library only.
"""
import collections
import datetime
import json
import os
import re
import sys

MAX_BYTES = 700 * 1024
GROUPS = {"tier1", "tier2", "billing", "fraud"}
ROLES = {"customer", "bot", "agent", "system"}
TRIGGERS = {"low_confidence", "customer_request", "negative_sentiment",
            "policy", "repeated_failure", "out_of_scope", "other"}
OUTCOMES = {"resolved", "unresolved", "transferred", "abandoned"}
PHRASES = ("not working", "on hold")
# Intents that nobody had before the middle of the weeks.
LATE = {"tariff_connection", "widget_not_updating", "house_move",
        "power_cut_backup"}
LATE_FROM = "2026-07-13"
SPAN = ("2026-06-01", "2026-08-09")

# What an import line may hold; anything else would be refused.
DOCUMENT = {"_id", "title", "text", "markdown", "html", "url", "source",
            "acl", "attributes", "updated_at"}
CONVERSATION = {"id", "channel", "queue", "started_at", "customer", "acl",
                "attributes", "turns", "handoff", "resolution"}
CUSTOMER = {"id", "name", "verified"}
TURN = {"role", "text", "at"}
HANDOFF = {"trigger", "reason", "identity", "intent", "sentiment",
           "steps_tried", "unresolved_actions", "promises", "entities",
           "bot", "queue", "at"}
IDENTITY = {"customer_id", "name", "verified", "method"}
BOT = {"name", "model", "draft_answer", "cited"}
CITED = {"document_id", "version", "quote"}
STEP = {"action", "outcome", "detail"}
RESOLUTION = {"agent", "outcome", "intent", "text", "problem", "steps",
              "evidence_used", "bot_was_right", "escalation_needed",
              "disposition", "csat", "at"}

errors = []


def fail(where, what):
    errors.append("%s: %s" % (where, what))


def expect(true, where, what):
    if not true:
        fail(where, what)


def fields(value, known, where):
    for name in value:
        expect(name in known, where, "unknown field %s" % name)


def load(folder, name):
    path = os.path.join(folder, name)
    size = os.path.getsize(path)
    expect(size <= MAX_BYTES, name, "%d bytes, more than 700 KiB" % size)
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def body(document):
    return document.get("markdown") or document.get("text") or ""


def moment(text, where):
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        fail(where, "not a time in UTC: %r" % text)
        return datetime.datetime.min


def check_document(document):
    where = document.get("_id", "?")
    fields(document, DOCUMENT, where)
    for name in ("title", "url", "source", "attributes", "updated_at"):
        expect(document.get(name), where, "no %s" % name)
    expect(("markdown" in document) != ("text" in document), where,
           "needs one of markdown and text")
    words = len(re.findall(r"\w+", body(document)))
    expect(80 <= words <= 400, where, "%d words" % words)
    internal = document["attributes"].get("audience") == "internal"
    expect(internal == ("acl" in document), where,
           "acl and audience do not agree")
    expect(set(document.get("acl", [])) <= GROUPS, where, "unknown group")
    moment(document["updated_at"], where)
    return words


def check_turns(talk, where):
    turns = talk["turns"]
    expect(4 <= len(turns) <= 14, where, "%d turns" % len(turns))
    last = moment(talk["started_at"], where)
    for turn in turns:
        fields(turn, TURN, where)
        expect(turn["role"] in ROLES, where, "role %s" % turn["role"])
        expect(turn["text"].strip(), where, "empty turn")
        at = moment(turn["at"], where)
        expect(at >= last, where, "turns go back in time")
        last = at


def check_handoff(talk, where):
    """Return the role set of the turns before the handoff."""
    handoff = talk["handoff"]
    fields(handoff, HANDOFF, where)
    expect(handoff["trigger"] in TRIGGERS, where, "unknown trigger")
    expect(handoff["queue"] == talk["queue"], where, "another queue")
    fields(handoff.get("identity", {}), IDENTITY, where)
    if "identity" in handoff:
        expect(handoff["identity"]["customer_id"] == talk["customer"]["id"],
               where, "identity is another customer")
    for step in handoff.get("steps_tried", []):
        fields(step, STEP, where)
        expect(step["outcome"] in ("done", "failed", "unknown"), where,
               "step outcome %s" % step["outcome"])
    fields(handoff["bot"], BOT, where)
    for cited in handoff["bot"]["cited"]:
        fields(cited, CITED, where)
    at = handoff["at"]
    return {turn["role"] for turn in talk["turns"] if turn["at"] <= at}


def check_resolution(talk, known, where):
    resolution = talk["resolution"]
    fields(resolution, RESOLUTION, where)
    for name in ("agent", "outcome", "intent", "text", "problem", "steps",
                 "evidence_used"):
        expect(resolution.get(name), where, "resolution without %s" % name)
    expect(resolution["outcome"] in OUTCOMES, where, "unknown outcome")
    expect(re.fullmatch(r"[a-z]+(_[a-z]+)+", resolution["intent"]), where,
           "intent is not in snake_case")
    expect(1 <= resolution.get("csat", 3) <= 5, where, "csat")
    expect(resolution["at"] >= talk["turns"][-1]["at"], where,
           "resolved before the last turn")
    groups = set(talk.get("acl", GROUPS))
    for _id in resolution["evidence_used"]:
        expect(_id in known, where, "evidence %s does not exist" % _id)
        groups &= set(known.get(_id, {}).get("acl", GROUPS))
    expect(groups, where, "no group may see both case and evidence")


def check_conversation(talk, known):
    where = talk.get("id", "?")
    fields(talk, CONVERSATION, where)
    fields(talk["customer"], CUSTOMER, where)
    expect(talk["queue"] in GROUPS, where, "unknown queue")
    expect(set(talk.get("acl", [])) <= GROUPS, where, "unknown group")
    check_turns(talk, where)
    before = check_handoff(talk, where) if "handoff" in talk else None
    if "resolution" in talk:
        check_resolution(talk, known, where)
    return before


def citation_state(cited, queue, first, second):
    """How a citation stands once documents-v2 has been imported."""
    _id, quote = cited["document_id"], cited.get("quote")
    if _id not in first:
        return "unknown"
    if quote and quote not in body(first[_id]):
        new = second.get(_id)
        return "current" if new and quote in body(new) else "misquoted"
    if queue not in first[_id].get("acl", GROUPS):
        return "not_permitted"
    if quote and _id in second and quote not in body(second[_id]):
        return "changed_since"
    return "current"


def check_citations(talks, first, second):
    states = collections.Counter()
    for talk in talks:
        for cited in talk.get("handoff", {}).get("bot", {}).get("cited", []):
            state = citation_state(cited, talk["queue"], first, second)
            expect(state != "misquoted", talk["id"],
                   "quote is not in %s" % cited["document_id"])
            states[state] += 1
    return states


def check_fiction(folder, names):
    """Addresses, telephone and card numbers that nobody can have."""
    cards = set()
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as lines:
            text = lines.read()
        for domain in re.findall(r"@([\w-]+(?:\.[\w-]+)+)", text):
            expect(domain == "example.com" or domain.endswith(".example"),
                   name, "domain %s" % domain)
        for number in re.findall(
                r"\b0\d\d \d{3} \d{4}\b|\+\d[\d ]{7,}", text):
            expect(number.startswith("020 91"), name, "telephone %s" % number)
        cards.update(re.findall(r"\b(?:\d{4}[ -]?){3}\d{4}\b", text))
    expect(cards == {"4111 1111 1111 1111"}, "cards", "%s" % sorted(cards))


def check_showpiece(talks, resolved):
    talk = talks[0]
    expect(talk["id"] == "demo-101", "open", "demo-101 is not the first")
    handoff = talk.get("handoff", {})
    expect(handoff.get("promises"), "demo-101", "no open promise")
    expect("order_id" in handoff.get("entities", {}), "demo-101", "no order")
    expect(handoff.get("sentiment", {}).get("label") == "negative",
           "demo-101", "not angry")
    earlier = [r["id"] for r in resolved
               if r["customer"]["id"] == talk["customer"]["id"]]
    expect(earlier, "demo-101", "no earlier contact")


def unique(items, key, where):
    seen = collections.Counter(item[key] for item in items)
    for name, n in seen.items():
        expect(n == 1, where, "%s appears %d times" % (name, n))


def check_counts(first, second, resolved, opened, counts):
    intents = collections.Counter(r["resolution"]["intent"] for r in resolved)
    early = {r["resolution"]["intent"] for r in resolved
             if r["started_at"] < LATE_FROM}
    late = set(intents) - early
    german = sum(r["attributes"]["lang"] == "de" for r in resolved)
    text = [t["text"].lower() for r in resolved + opened for t in r["turns"]
            if t["role"] == "customer"]
    phrase = sum(any(p in t["text"].lower() for p in PHRASES
                     for t in r["turns"] if t["role"] == "customer")
                 for r in resolved + opened)
    repeat = collections.Counter(r["customer"]["id"] for r in resolved + opened)
    wrong = sum(r["resolution"].get("bot_was_right") is False
                for r in resolved)
    for true, what in (
            (len(first) >= 44, "fewer than 44 documents"),
            (sum("acl" in d for d in first) >= 10, "fewer than 10 with acl"),
            (len({d["source"] for d in first}) >= 3, "fewer than 3 sources"),
            (len(second) == 4, "not 4 later versions"),
            (len(resolved) >= 156, "fewer than 156 resolved"),
            (len(opened) >= 14, "fewer than 14 open"),
            (len(resolved) + len(opened) >= 172, "fewer than 172 in all"),
            (sum("handoff" in o for o in opened) == 6, "not 6 open handoffs"),
            (20 <= len(intents) <= 22, "%d intents" % len(intents)),
            (all(3 <= n <= 17 for n in intents.values()), "intents 3 to 17"),
            (late == LATE, "late intents are %s" % sorted(late)),
            (german >= 7, "fewer than 7 in German"),
            (counts["quiet"] >= 140, "fewer than 140 before-handoff talks"),
            (phrase >= 3, "fewer than 3 with the phrases"),
            (wrong >= 80, "fewer than 80 in which the bot was wrong"),
            (sum(n > 1 for n in repeat.values()) >= 16, "few repeat contacts"),
            (any("acl" in r for r in resolved), "no conversation with acl"),
            (len(set(text)) == len(text), "the same customer turn twice")):
        expect(true, "counts", what)
    return intents, phrase, repeat, wrong


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else here
    names = ("documents.ndjson", "documents-v2.ndjson",
             "conversations.ndjson", "open.ndjson")
    docs, newer, resolved, opened = (load(folder, name) for name in names)
    check_fiction(folder, names)
    unique(docs, "_id", "documents")
    unique(newer, "_id", "documents-v2")
    unique(resolved + opened, "id", "conversations")
    first = {d["_id"]: d for d in docs}
    second = {d["_id"]: d for d in newer}
    words = [check_document(d) for d in docs + newer]
    for _id, new in second.items():
        old = first.get(_id)
        expect(old, _id, "no earlier version")
        if old:
            expect(body(old) != body(new), _id, "text did not change")
            expect(old["updated_at"] < new["updated_at"], _id, "not newer")
    counts = collections.Counter()
    for talk in resolved + opened:
        before = check_conversation(talk, first)
        counts["quiet"] += before == {"customer", "bot"}
    for talk in resolved:
        expect("resolution" in talk, talk["id"], "not resolved")
    for talk in opened:
        expect("resolution" not in talk, talk["id"], "is resolved")
    starts = [r["started_at"] for r in resolved]
    expect(starts == sorted(starts), "conversations", "not chronological")
    expect((starts[0][:10], starts[-1][:10]) == SPAN, "conversations",
           "from %s to %s" % (starts[0], starts[-1]))
    check_showpiece(opened, resolved)
    states = check_citations(resolved + opened, first, second)
    open_states = check_citations(opened, first, second)
    for state, n in (("changed_since", 1), ("unknown", 1),
                     ("not_permitted", 1)):
        expect(open_states[state] == n, "open",
               "%d citations %s" % (open_states[state], state))
    intents, phrase, repeat, wrong = check_counts(first.values(), newer,
                                                  resolved, opened, counts)

    print("documents      %d (%d with acl), %d later versions, %d to %d words"
          % (len(docs), sum("acl" in d for d in docs), len(newer),
             min(words), max(words)))
    print("sources       ", dict(collections.Counter(
        d["source"] for d in docs)))
    print("conversations  %d resolved (%d with handoff, %d with acl), %s to %s"
          % (len(resolved), sum("handoff" in r for r in resolved),
             sum("acl" in r for r in resolved), starts[0][:10],
             starts[-1][:10]))
    print("open           %d (%d with handoff)"
          % (len(opened), sum("handoff" in o for o in opened)))
    print("turns          %d; bot and customer only before the handoff: %d"
          % (sum(len(r["turns"]) for r in resolved + opened),
             counts["quiet"]))
    print("bot was wrong  %d; repeat customers %d; with the phrases %d"
          % (wrong, sum(n > 1 for n in repeat.values()), phrase))
    print("citations      all %s, open %s" % (dict(states), dict(open_states)))
    print("intents        %d: %s" % (len(intents), ", ".join(
        "%s %d" % pair for pair in intents.most_common())))
    for error in errors:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
