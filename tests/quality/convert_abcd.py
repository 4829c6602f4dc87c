#!/usr/bin/env python3
"""Turn the ABCD set of human support chats into readback's import format.

Usage: convert_abcd.py SOURCE OUT

SOURCE holds guidelines.corpus.jsonl and conversations.valid.jsonl; OUT gets
documents.ndjson and conversations.ndjson. The order of the files is kept, and
nothing depends on time or chance: the same input gives the same bytes.

The set is not part of this repository. Where it is absent the script says so
and exits 0, so that a test run goes on without it. A broken file exits 1.
Standard library only.
"""
import datetime
import json
import os
import re
import sys

GUIDELINES = "guidelines.corpus.jsonl"
CHATS = "conversations.valid.jsonl"
HISTORY = 700           # then the queries: the split that figures refer to
START = datetime.datetime(2026, 1, 1)
TURN_SECONDS = 20       # the set has no times; only their order means anything
CLOSING_TURNS = 2       # last substantive agent turns that tell the outcome
ROLES = {"customer": "customer", "agent": "agent", "action": "system"}

# Politeness at the end of a chat, which says nothing about what solved it.
POLITE = re.compile(
    r"\b(thank|thanks|welcome|(nice|great|good|wonderful|lovely) "
    r"(day|one|evening|night|weekend)|anything else|any(thing)? (other|more)|"
    r"have a|good ?bye|bye|hello|take care|sorry|one moment|just a moment|"
    r"are you (still )?there|my pleasure|no problem)\b", re.I)


def lines(path):
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError("%s:%d: %s" % (path, number, error))


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def document(guideline):
    return {"_id": guideline["_id"], "title": guideline["title"],
            "text": guideline["text"], "source": "abcd",
            "attributes": {"lang": "en"}}


def substantive(text):
    """True for an agent's turn that states something."""
    return (len(text.split()) >= 5 and not text.rstrip().endswith("?")
            and not POLITE.search(text))


def without_repeats(items):
    seen = set()
    return [i for i in items if not (i in seen or seen.add(i))]


def sentence(text):
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."


def solution(turns):
    """What solved it: the actions in words, then the agent's last statements."""
    done = without_repeats(
        plain(t["text"]) for t in turns if t["speaker"] == "action")
    said = [t["text"].strip() for t in turns
            if t["speaker"] == "agent" and substantive(t["text"])]
    return " ".join(sentence(s) for s in done + said[-CLOSING_TURNS:])


def plain(text):
    return text.replace("...", "").strip()


def step(turn):
    """The action in words; a few carry no name, only their line."""
    name = turn["action"]
    return name.replace("-", " ").capitalize() if name else plain(turn["text"])


def conversation(chat, number, start):
    """The import line, and the time at which the chat was over."""
    at = start
    turns = []
    for turn in chat["turns"]:
        turns.append({"role": ROLES[turn["speaker"]], "text": turn["text"],
                      "at": stamp(at)})
        at += datetime.timedelta(seconds=TURN_SECONDS)
    steps = without_repeats(step(t) for t in chat["turns"]
                            if t["speaker"] == "action")
    resolution = {"outcome": "resolved", "intent": chat["subflow"],
                  "text": solution(chat["turns"]),
                  "problem": chat["opening"], "steps": steps,
                  "evidence_used": [chat["subflow"]], "at": stamp(at)}
    part = "history" if number < HISTORY else "queries"
    return {"id": chat["id"], "channel": "chat", "started_at": stamp(start),
            "attributes": {"part": part}, "turns": turns,
            "resolution": resolution}, at


def write(path, items):
    with open(path, "w", encoding="utf-8") as out:
        for item in items:
            out.write(json.dumps(item, ensure_ascii=False) + "\n")


def conversations(chats, known):
    at = START
    for number, chat in enumerate(chats):
        if chat["subflow"] not in known:
            raise ValueError("%s: no guideline for %s"
                             % (chat["id"], chat["subflow"]))
        line, at = conversation(chat, number, at)
        if not line["resolution"]["text"]:
            raise ValueError("%s: nothing tells what solved it" % chat["id"])
        at += datetime.timedelta(seconds=TURN_SECONDS)
        yield line


def main():
    if len(sys.argv) != 3:
        print("usage: convert_abcd.py SOURCE OUT", file=sys.stderr)
        return 2
    source, out = sys.argv[1:]
    paths = [os.path.join(source, name) for name in (GUIDELINES, CHATS)]
    for path in paths:
        if not os.path.isfile(path):
            print("convert_abcd: skipped, %s is not there" % path)
            return 0
    os.makedirs(out, exist_ok=True)
    try:
        documents = [document(g) for g in lines(paths[0])]
        known = {d["_id"] for d in documents}
        talks = list(conversations(lines(paths[1]), known))
    except (KeyError, ValueError) as error:
        print("convert_abcd: %s" % error, file=sys.stderr)
        return 1
    write(os.path.join(out, "documents.ndjson"), documents)
    write(os.path.join(out, "conversations.ndjson"), talks)
    count = len(talks)
    print("convert_abcd: %d documents, %d conversations (%d history, "
          "%d queries)" % (len(documents), count, min(count, HISTORY),
                           max(count - HISTORY, 0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
