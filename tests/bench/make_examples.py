"""Labelled questions of a bank's customers, made of words and seeded: make_examples.py N > examples.ndjson

One in twenty is an earlier one with another ending, so a split has near-duplicates to find; none is of a conversation.
"""
import json
import random
import sys

OPENINGS = ["How do I", "I want to", "Can I", "Why can't I", "Is it possible to", "I need to", "Help me to", "I tried to",
            "What happens if I", "When can I", "Where do I", "I forgot to", "You did not let me"]
VERBS = ("block freeze replace activate cancel top-up check find change verify close open link move transfer exchange "
         "withdraw deposit pay refund dispute track order reset unlock").split()
KINDS = ("new old stolen lost virtual physical joint business blue second expired blocked monthly weekly pending declined "
         "wrong double foreign daily").split()
THINGS = ("card account statement balance transfer payment refund pin code app limit fee rate loan mortgage cheque deposit "
          "withdrawal direct-debit standing-order passcode address name identity receipt voucher cashback overdraft savings "
          "currency").split()
PLACES = ["abroad", "in Spain", "at the shop", "online", "at an ATM", "in the app", "from my phone", "at the branch",
          "on holiday", "at work", "in London", "near Berlin", "at the airport"]
TIMES = ["yesterday", "today", "last week", "this morning", "on Monday", "two days ago", "an hour ago", "last month",
         "since Friday", "for three days"]
ENDINGS = ["please", "it is urgent", "I am worried", "thank you", "can you help", "I do not understand why",
           "what should I do", "nobody answered", "this is the second time", "I need it soon"]
LATEST = 20000  # texts that may come again


def main(n):
    r = random.Random(20261129)
    earlier = []
    for _ in range(n):
        if earlier and r.random() < .05:
            verb, thing, text = r.choice(earlier)
            text += r.choice(["!", " ", "?", " pls", " now"])
        else:
            verb, thing = r.choice(VERBS), r.choice(THINGS)
            text = (f"{r.choice(OPENINGS)} {verb} my {r.choice(KINDS)} {thing} {r.choice(PLACES)} {r.choice(TIMES)}? "
                    f"It was {r.randint(2, 990)} {r.choice(['euro', 'pounds', 'dollars'])} and the {r.choice(KINDS)} "
                    f"{r.choice(THINGS)} {r.choice(PLACES)}, {r.choice(ENDINGS)}")
            if len(earlier) < LATEST:
                earlier.append((verb, thing, text))
            else:
                earlier[r.randrange(LATEST)] = (verb, thing, text)
        print(json.dumps({"text": text, "label": f"{thing}_{VERBS.index(verb) % 3}"}))


main(int(sys.argv[1]))
