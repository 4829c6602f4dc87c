"""SQLite's FTS5 in process: BM25 over any of the words."""
import sqlite3
import time

from clients import Client, ClientPeer
from data import K
from inprocess import words_of


class Fts5(ClientPeer):
    name = "fts5"
    note = f"SQLite {sqlite3.sqlite_version}, in process"
    works = ("words",)
    module, client_class = "fts5", "Fts5Client"


class Fts5Client(Client):
    opens_before_fork = False  # SQLite forbids it

    def database(self):
        return sqlite3.connect(self.folder + "/passages.db")

    def load(self):
        c = self.database()
        began = time.monotonic()
        c.execute("CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = 'porter unicode61')")
        c.executemany("INSERT INTO passages(rowid, text) VALUES (?, ?)",
                      ((row, text) for row, text, _ in self.data.passages()))
        c.execute("INSERT INTO passages(passages) VALUES ('optimize')")
        c.commit()
        return {"seconds": time.monotonic() - began}

    def open(self):
        self.cursor = self.database().cursor()
        self.texts = [" OR ".join(f'"{w}"' for w in words_of(q["text"])) for q in self.data.queries]

    def words(self, i):
        rows = self.cursor.execute("SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
                                   (self.texts[i], K))
        return [row for (row,) in rows]
