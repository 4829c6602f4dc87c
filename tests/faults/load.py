"""A load of writes with a model of what must be true after them.

Each client has documents and conversations of its own and sends one request at a time, so what the server must hold
is known exactly. Every write carries an Idempotency-Key. A write without an answer (the server was killed) stays
`pending`: the client sends it again, with its key, before anything else.
"""
import http.client
import json
import random
import socket
import threading

KEY = "rb_key-of-the-kill-test"
WORDS = ("harbour lantern copper meadow violin thunder pepper glacier saddle orchid tunnel falcon marble ribbon canyon "
         "walnut anchor velvet comet ladder bramble cinder dolphin ember fjord garnet hollow island jasper kettle lagoon "
         "magnet nectar otter paddle quarry raven sable timber umber valley willow yarrow zephyr invoice refund parcel "
         "router battery charger password account delivery warranty subscription voucher receipt address").split()
INTENTS = ("refund_status", "device_offline", "change_address", "cancel_order", "reset_password")
SIGNALS = ("opened", "copied", "sent", "helpful", "not_helpful")


class Unanswered(Exception):
    """The connection broke before an answer was read as a whole."""


class Wrong(Exception):
    """The server's answer or state is not what the model says."""


class Connection:
    """HTTP/1.1, kept alive; nothing is ever sent twice by itself."""

    def __init__(self, address, key=KEY):
        self.address, self.key = address, key
        self.connection = None

    def call(self, method, path, body=None, idempotency=None):
        headers = {"Authorization": "Bearer " + self.key}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=120)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.will_close:
                self.close()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(str(error)) from error
        return answer.status, json.loads(text)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Write:
    """One request that changes something, its expected status, and what it does to the model.

    gone() tells whether what the answer shows was deleted meanwhile: a repeated request is then answered by 404.
    """

    def __init__(self, key, method, path, body, status, done, gone=lambda: False):
        self.key, self.method, self.path, self.body = key, method, path, body
        self.status, self.done, self.gone = status, done, gone
        self.first = None

    def send(self, connection):
        while True:
            status, answer = connection.call(self.method, self.path, self.body, self.key)
            if status != 503:
                break
        told = (status, essence(answer))
        if self.first is None:
            if status != self.status:
                raise Wrong(f"{self.method} {self.path}: {status} in place of {self.status}: {answer}")
            self.first = told
            self.done(answer)
        elif told != self.first and not (status == 404 and self.gone()):
            raise Wrong(f"{self.method} {self.path}, sent again: {told} in place of {self.first}")


def essence(answer):
    """What a repeated request must be answered the same; the rest is told as of now (turns that came later …)."""
    if "error" in answer:
        return {"code": answer["error"]["code"], "param": answer["error"]["param"]}
    told = {k: answer[k] for k in ("id", "version", "case_id", "examples", "labels", "event", "recorded", "turn",
                                   "deleted", "result", "conversation_id", "created_at") if k in answer}
    if "turns" not in answer and "evidence" not in answer:
        told.update({k: answer[k] for k in ("revision", "state", "next") if k in answer})
    if "evidence" in answer:
        told["hash"] = answer["evidence"]["hash"]
    return told


class Client(threading.Thread):
    """One source of writes, with its model."""

    def __init__(self, name, seed):
        super().__init__(daemon=True)
        self.name = name
        self.random = random.Random(f"{seed}/{name}")
        self.documents, self.conversations, self.handoffs = {}, {}, {}
        self.gone = set()        # words that no search may find any more
        self.counts = {"signal": 0, "resolution": 0, "handoff": 0, "turn": 0, "labels": 0, "request": 0}
        self.number = 0
        self.pending, self.answered = None, []
        self.failure = None
        self.address = None
        self.stop = threading.Event()

    # --- one run between two kills ----------------------------------------------------------------

    def begin(self, address):
        self.address = address
        self.answered = []
        self.stop.clear()
        self.worker = threading.Thread(target=self.work, daemon=True)
        self.worker.start()

    def end(self):
        self.stop.set()
        self.worker.join()
        if self.failure:
            raise self.failure

    def work(self):
        connection = Connection(self.address)
        try:
            while not self.stop.is_set():
                if self.pending is None:
                    self.pending = self.next_write()
                self.settle(connection)
        except Unanswered:
            pass
        except Exception as error:  # told by end()
            self.failure = error
        finally:
            connection.close()

    def settle(self, connection):
        write = self.pending
        write.send(connection)
        self.answered.append(write)
        self.pending = None
        self.counts["request"] += 1

    def repeat(self, address):
        """What was not answered, then all that was answered since the last kill, each with its key."""
        connection = Connection(address)
        unanswered = self.pending is not None
        if unanswered:
            self.settle(connection)
        for write in self.answered:
            write.send(connection)
        connection.close()
        return len(self.answered), unanswered

    # --- writes -----------------------------------------------------------------------------------

    def next_write(self):
        self.number += 1
        choices = [(self.new_document, 4), (self.change_document, 4), (self.same_document, 1), (self.change_acl, 3),
                   (self.delete_document, 2), (self.new_conversation, 3), (self.add_turn, 5), (self.hand_off, 3),
                   (self.signal, 3), (self.read_back, 2), (self.resolve, 4), (self.give_back, 1), (self.refused, 1)]
        while True:
            make = self.random.choices([c for c, _ in choices], [w for _, w in choices])[0]
            write = make()
            if write:
                return write

    def write(self, method, path, body, status, done, **more):
        return Write(f"{self.name}-{self.number}", method, path, body, status, done, **more)

    def put(self, id_, body, status, done):
        return self.write("PUT", f"/v1/documents/{id_}", body, status, done, gone=lambda: id_ not in self.documents)

    def word(self):
        """A word that no other text has."""
        return f"{self.name}w{self.number}q"

    def text(self, word):
        return " ".join(self.random.choices(WORDS, k=self.random.randint(8, 60)) + [word]) + "."

    def any_document(self):
        return self.random.choice(sorted(self.documents)) if self.documents else None

    def new_document(self):
        id_, word = f"{self.name}-d{self.number}", self.word()
        acl = self.random.choice((None, None, ["tier9"]))
        body = {"title": " ".join(self.random.sample(WORDS, 3)), "text": self.text(word), "source": self.name,
                "attributes": {"n": self.number}, **({"acl": acl} if acl else {})}

        def done(answer):
            expect(answer, "revision", 1)
            self.documents[id_] = {"word": word, "revision": 1, "body": body}
        return self.put(id_, body, 201, done)

    def put_again(self, id_, body, word, revision):
        old = self.documents[id_]

        def done(answer):
            expect(answer, "revision", revision)
            if old["word"] != word:
                self.gone.add(old["word"])
            self.documents[id_] = {"word": word, "revision": revision, "body": body}
        return self.put(id_, body, 200, done)

    def change_document(self):
        id_ = self.any_document()
        if not id_:
            return None
        old, word = self.documents[id_], self.word()
        return self.put_again(id_, {**old["body"], "text": self.text(word)}, word, old["revision"] + 1)

    def same_document(self):
        id_ = self.any_document()
        if not id_:
            return None
        old = self.documents[id_]
        return self.put_again(id_, old["body"], old["word"], old["revision"])

    def change_acl(self):
        id_ = self.any_document()
        if not id_:
            return None
        old = self.documents[id_]
        body = {k: v for k, v in old["body"].items() if k != "acl"}
        if "acl" not in old["body"]:
            body["acl"] = ["tier9"]
        return self.put_again(id_, body, old["word"], old["revision"] + 1)

    def delete_document(self):
        id_ = self.any_document()
        if not id_:
            return None

        def done(answer):
            self.gone.add(self.documents.pop(id_)["word"])
        return self.write("DELETE", f"/v1/documents/{id_}", None, 200, done)

    def new_conversation(self):
        id_ = f"{self.name}-c{self.number}"
        words = [f"{self.word()}{i}" for i in range(self.random.randint(1, 3))]
        body = {"id": id_, "customer": {"id": f"{self.name}-p{self.number % 7}"},
                "turns": [{"role": "customer", "text": self.text(w)} for w in words]}

        def done(answer):
            expect(answer, "id", id_)
            self.conversations[id_] = {"words": words, "open": None, "handoffs": []}
            self.counts["turn"] += len(words)
        return self.write("POST", "/v1/conversations", body, 201, done)

    def any_conversation(self, *, with_open):
        found = sorted(i for i, c in self.conversations.items() if bool(c["open"]) == with_open)
        return self.random.choice(found[-20:]) if found else None

    def add_turn(self):
        id_ = self.any_conversation(with_open=self.random.random() < 0.5)
        if not id_:
            return None
        word = self.word()
        role = self.random.choice(("customer", "customer", "bot", "agent"))

        def done(answer):
            self.conversations[id_]["words"].append(word)
            expect(answer["turn"], "n", len(self.conversations[id_]["words"]))
            self.counts["turn"] += 1
        return self.write("POST", f"/v1/conversations/{id_}/turns", {"role": role, "text": self.text(word)}, 201, done)

    def hand_off(self):
        id_ = self.any_conversation(with_open=False)
        if not id_:
            return None
        cited = self.any_document()
        body = {"conversation_id": id_, "trigger": "customer_request", "promises": ["Call back by Friday"],
                "intent": {"label": self.random.choice(INTENTS), "confidence": 0.5},
                "bot": {"name": "b", "cited": [{"document_id": cited}] if cited else []}}

        def done(answer):
            expect(answer, "state", "offered")
            self.opened(id_, answer["id"])
            self.counts["handoff"] += 1
        return self.write("POST", "/v1/handoffs", body, 201, done)

    def opened(self, conversation, handoff):
        self.handoffs[handoff] = {"state": "offered", "conversation": conversation, "resolutions": 0}
        self.conversations[conversation]["open"] = handoff
        self.conversations[conversation]["handoffs"].append(handoff)

    def any_handoff(self, *states):
        found = [i for i, h in self.handoffs.items() if h["state"] in states]
        return self.random.choice(found[-20:]) if found else None

    def signal(self):
        h, document = self.any_handoff("offered", "accepted", "resolved"), self.any_document()
        if not h or not document:
            return None
        signals = [{"handoff_id": h, "kind": "document", "id": document, "signal": s}
                   for s in self.random.sample(SIGNALS, self.random.randint(1, 3))]

        def done(answer):
            expect(answer, "recorded", len(signals))
            self.counts["signal"] += len(signals)
        return self.write("POST", "/v1/signals", {"signals": signals}, 200, done)

    def read_back(self):
        h = self.any_handoff("offered")
        if not h:
            return None

        def done(answer):
            expect(answer, "state", "accepted")
            self.handoffs[h]["state"] = "accepted"
        return self.write("POST", f"/v1/handoffs/{h}/readback", {"override": {"reason": "no time"}}, 200, done)

    def resolve(self):
        again = self.random.random() < 0.2
        h = self.any_handoff("resolved") if again else self.any_handoff("offered", "accepted")
        if not h:
            return None
        # only the last handoff of a conversation is resolved again, so that the model need not know of case history
        conversation = self.conversations[self.handoffs[h]["conversation"]]
        if again and (conversation["open"] or conversation["handoffs"][-1] != h):
            return None
        transfer = not again and self.random.random() < 0.15
        used = self.any_document()
        body = {"outcome": "transferred" if transfer else "resolved", "intent": self.random.choice(INTENTS),
                "text": self.text(self.word()), "evidence_used": [used] if used else []}

        def done(answer):
            expect(answer, "state", "resolved")
            self.handoffs[h]["state"] = answer["state"]
            self.handoffs[h]["resolutions"] += 1
            if not again:
                conversation["open"] = None
            self.counts["resolution"] += 1
            self.counts["labels"] += answer["labels"]
            if transfer:
                self.opened(self.handoffs[h]["conversation"], answer["next"])
                self.counts["handoff"] += 1
        return self.write("POST", f"/v1/handoffs/{h}/resolution", body, 200, done)

    def give_back(self):
        h = self.any_handoff("accepted")
        if not h:
            return None
        word = self.word()

        def done(answer):
            expect(answer, "state", "returned")
            self.handoffs[h]["state"] = "returned"
            conversation = self.conversations[self.handoffs[h]["conversation"]]
            conversation["open"] = None
            conversation["words"].append(word)  # the instructions are a turn
            self.counts["turn"] += 1
        return self.write("POST", f"/v1/handoffs/{h}/return", {"instructions": self.text(word)}, 200, done)

    def refused(self):
        body = {"role": "customer", "text": "too early"}
        return self.write("POST", f"/v1/conversations/{self.name}-never/turns", body, 404, lambda answer: None)

    # --- what must be true ------------------------------------------------------------------------

    def check(self, address, outsider, share=1.0):
        """Each acknowledged write is there and findable; what was deleted or hidden stays so. `share` of all."""
        insider, stranger = Connection(address), Connection(address, outsider)
        for id_, d in self.documents.items():
            if self.random.random() < share:
                self.check_document(insider, stranger, id_, d)
        for word in self.gone:
            if self.random.random() < share and find(insider, word, "document"):
                raise Wrong(f"{word} was deleted or changed, and is found")
        for id_, c in self.conversations.items():
            if self.random.random() < share:
                self.check_conversation(insider, id_, c)
        for id_, h in self.handoffs.items():
            if self.random.random() < share:
                status, answer = insider.call("GET", f"/v1/handoffs/{id_}")
                if status != 200 or answer["state"] != h["state"]:
                    raise Wrong(f"handoff {id_}: {answer.get('state', answer)} in place of {h['state']}")
        insider.close()
        stranger.close()

    def check_document(self, insider, stranger, id_, d):
        status, answer = insider.call("GET", f"/v1/documents/{id_}")
        if status != 200 or answer["text"] != d["body"]["text"] or answer["revision"] != d["revision"]:
            raise Wrong(f"document {id_} should be {d}: {answer}")
        if (answer.get("acl") or None) != d["body"].get("acl"):
            raise Wrong(f"document {id_} has acl {answer.get('acl')} in place of {d['body'].get('acl')}")
        if find(insider, d["word"], "document") != [id_]:
            raise Wrong(f"document {id_} is not found by its word {d['word']}")
        only = {"type": "eq", "key": "n", "value": d["body"]["attributes"]["n"]}
        status, answer = insider.call("POST", "/v1/search", {"query": d["body"]["text"], "filter": only, "exact": True})
        hits = [h for h in answer["data"] if h["id"] == id_] if status == 200 else []
        if not hits or (answer["embedder"] != "none" and "vector" not in hits[0]["sources"]):
            raise Wrong(f"document {id_} is not found by its vector and {only}")
        hidden = "acl" in d["body"]
        status, answer = stranger.call("GET", f"/v1/documents/{id_}")
        if status != (404 if hidden else 200):
            raise Wrong(f"document {id_}, acl {d['body'].get('acl')}: a caller of no group gets {status}")
        if find(stranger, d["word"], "document") != ([] if hidden else [id_]):
            raise Wrong(f"document {id_}, acl {d['body'].get('acl')}: wrong for a caller of no group")

    def check_conversation(self, insider, id_, c):
        status, answer = insider.call("GET", f"/v1/conversations/{id_}")
        if status != 200:
            raise Wrong(f"conversation {id_}: {status}")
        words = [t["text"].rstrip(".").split()[-1] for t in answer["turns"]]
        if words != c["words"]:
            raise Wrong(f"conversation {id_} has turns {words} in place of {c['words']}")
        if sorted(answer["handoffs"]) != sorted(c["handoffs"]):
            raise Wrong(f"conversation {id_} has handoffs {answer['handoffs']} in place of {c['handoffs']}")
        if find(insider, c["words"][0], "conversation") != [id_]:
            raise Wrong(f"conversation {id_} is not found by its word {c['words'][0]}")


def expect(answer, field, value):
    if answer.get(field) != value:
        raise Wrong(f"{field} is {answer.get(field)} in place of {value}: {answer}")


def find(connection, word, kind):
    status, answer = connection.call("POST", "/v1/search", {"query": word, "match": word, "kinds": [kind], "k": 5})
    if status != 200:
        raise Wrong(f"search for {word}: {answer}")
    return [hit["id"] for hit in answer["data"]]
