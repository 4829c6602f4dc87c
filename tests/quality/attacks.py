#!/usr/bin/env python3
"""How far somebody gets who teaches the service wrong: by flipped labels, paraphrases, many names, crafted openings.

    READBACK_SETS=SETS python3 tests/quality/attacks.py [--work build/attacks] [--shots 40] [--labels 10] [--seed 1]

A service with imported examples of banking77 (--shots a label) is attacked over HTTP, each time from the same state.
Printed are the success rate (share of the target's test texts that are answered with the attacker's label), how far the
mean accuracy over all intents moves, and the same of the intent that suffers most. Standard library only.
"""
import argparse
import collections
import csv
import http.client
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

import sets

KEY = "rb_attacks"


class Server:
    def __init__(self, data):
        self.process = subprocess.Popen([sets.BIN, "serve", "--data", data, "--listen", "127.0.0.1:0", "--dev-key", KEY, "--quiet"],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.match(r"readback: ready on http://([^:]+):(\d+)", line)
            if found:
                self.connection = http.client.HTTPConnection(found.group(1), int(found.group(2)), timeout=120)
                return
        sys.exit("the server did not start")

    def call(self, method, path, body=None, key=KEY, agent=None):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        if agent:
            headers["Readback-Agent"] = f'id="{agent}"'
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {told}")
        return told

    def resolve(self, text, label, key, agent, customer):
        conversation = {"customer": {"id": customer}, "turns": [{"role": "customer", "text": text}]}
        handoff = self.call("POST", "/v1/handoffs", {"conversation": conversation, "trigger": "other"}, key, agent)
        self.call("POST", f"/v1/handoffs/{handoff['id']}/resolution", {"outcome": "resolved", "intent": label, "text": "done"},
                  key, agent)

    def model(self):
        active = [m for m in self.call("GET", "/v1/models?type=intent")["data"] if m["state"] == "active"]
        return active[0] if active else None

    def trained(self, seconds=180):
        """Waits until there is a model, and until no newer one comes for two looks of the learner."""
        deadline, last, since = time.monotonic() + seconds, None, time.monotonic()
        while time.monotonic() < deadline:
            now = [m["id"] for m in self.call("GET", "/v1/models?type=intent")["data"]]
            if now != last:
                last, since = now, time.monotonic()
            if now and time.monotonic() - since > 12:
                return
            time.sleep(0.5)
        sys.exit("no model was trained")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def read(path):
    with open(path, encoding="utf-8", newline="") as source:
        return [(row["text"].strip(), row["category"]) for row in csv.DictReader(source)]


def measure(server, test):
    """Per label: texts, right, and the labels that were answered; each by (text, label) as predicted now."""
    right, count, answered = collections.Counter(), collections.Counter(), collections.defaultdict(collections.Counter)
    for text, label in test:
        p = server.call("POST", "/v1/predict", {"text": text, "k": 1})
        count[label] += 1
        right[label] += p["intent"]["label"] == label
        if p["decision"] == "answer":
            answered[label][p["intent"]["label"]] += 1
    return {label: right[label] / count[label] for label in count}, answered, count


def paraphrases(count, dice):
    """Of one request that no intent has: a voucher of a name that does not exist."""
    opening = ["hello", "hi there", "please help", "quick question", "so", "good morning", "hey", "sorry to bother you"]
    middle = ["my quokka voucher", "the quokka voucher code", "a quokka gift voucher", "quokka vouchers", "this quokka voucher"]
    end = ["is not taken", "does not work", "was refused", "cannot be used", "says invalid", "gives an error", "will not load"]
    made = {f"{a}, {b} {c}" for a in opening for b in middle for c in end}
    return dice.sample(sorted(made), count)


def attacks(unused, labels, dice):
    """name -> (list of (text, label, key, agent, customer), intent that is aimed at, label that is wanted, its own texts)"""
    made = {}
    for victim in labels[:3]:
        wanted = labels[(labels.index(victim) + 5) % len(labels)]
        texts = unused[victim][:40]
        made[f"flip {victim}"] = ([(t, wanted, "agent", "mallory", f"cu-{i}") for i, t in enumerate(texts)], victim, wanted, None)
        made[f"names {victim}"] = ([(t, wanted, "desk", f"name-{i % 20}", f"cu-{i}") for i, t in enumerate(texts)], victim, wanted, None)
        crafted = [" ".join(dice.sample(unused[victim], 2))[:400] for _ in range(30)]
        made[f"openings {victim}"] = ([(t, wanted, "desk" if i % 2 else "agent", f"agent-{i % 4}", "cu-crafty")
                                       for i, t in enumerate(crafted)], victim, wanted, None)
    trigger = paraphrases(60, dice)
    made["paraphrases"] = ([(t, labels[0], "agent", "mallory", f"cu-{i}") for i, t in enumerate(trigger[:50])], None, labels[0],
                           trigger[50:])
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", default="build/attacks")
    parser.add_argument("--shots", type=int, default=40)
    parser.add_argument("--labels", type=int, default=10, help="intents that take part")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not (sets.SETS / "banking77/train.csv").exists():
        print("attacks: READBACK_SETS names no folder with banking77; skipped")
        return
    dice = random.Random(args.seed)
    source = sets.SETS / "banking77"
    by_label = collections.defaultdict(list)
    for text, label in read(source / "train.csv"):
        by_label[label].append(text)
    labels = sorted(label for label in by_label if len(by_label[label]) >= args.shots + 45)
    labels = dice.sample(labels, args.labels)
    unused = {}
    work = pathlib.Path(args.work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with open(work / "examples.ndjson", "w", encoding="utf-8") as out:
        for label in labels:
            texts = dice.sample(by_label[label], len(by_label[label]))
            unused[label] = texts[args.shots:]
            for text in texts[:args.shots]:
                out.write(json.dumps({"text": text, "label": label}) + "\n")
    test = [(t, l) for t, l in read(source / "test.csv") if l in labels]
    clean = work / "clean"
    subprocess.run([sets.BIN, "import", "examples", work / "examples.ndjson", "--data", clean], check=True, capture_output=True)
    keys = {name: subprocess.run([sets.BIN, "key", "create", "--scopes", "bot,agent", "--groups", "*", "--act-as", "--data", clean],
                                 check=True, capture_output=True, text=True).stdout.strip() for name in ("agent", "desk")}
    server = Server(clean)
    server.trained()
    before, answered, count = measure(server, test)
    server.stop()
    mean = sum(before.values()) / len(before)
    print(f"seed {args.seed}: {len(labels)} intents, {args.shots} examples each, {len(test)} test texts; accuracy {mean:.3f}, "
          f"answered {sum(sum(c.values()) for c in answered.values()) / len(test):.3f}")
    print("| attack | resolutions | success | mean accuracy moves by | worst intent moves by |\n|---|---|---|---|---|")
    worst = []
    for name, (what, victim, wanted, own) in attacks(unused, labels, dice).items():
        data = work / "attacked"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(clean, data)
        server = Server(data)
        for text, label, key, agent, customer in what:
            server.resolve(text, label, keys[key], agent, customer)
        server.trained()
        after, answered, count = measure(server, test)
        if own:
            said = [server.call("POST", "/v1/predict", {"text": t, "k": 1}) for t in own]
            success = sum(p["decision"] == "answer" and p["intent"]["label"] == wanted for p in said) / len(own)
        else:
            success = answered[victim][wanted] / count[victim]
        server.stop()
        moves = {label: after[label] - before[label] for label in after}
        low = min(moves, key=moves.get)
        worst.append(success)
        print(f"| {name} | {len(what)} | {success:.3f} | {sum(moves.values()) / len(moves):+.4f} | {moves[low]:+.3f} ({low}) |", flush=True)
    shutil.rmtree(work / "attacked", ignore_errors=True)
    print(f"success of the best attack {max(worst):.3f} (at most .05)")


if __name__ == "__main__":
    main()
