"""Words alone on words.jsonl, in process, one thread: readback's index (bench_words) and tantivy."""
import json
import shutil

import processes
from inprocess import Tantivy

KINDS = ("text", "long", "long_less_stop")  # readback leaves stop words out of queries by itself


class WordsTantivy(Tantivy):
    def __init__(self, run, file):
        super().__init__(run)
        self.file = file
        self.folder = run.options.work / "words" / "tantivy"

    def options(self):
        return {**super().options(), "words_file": str(self.file)}


class WordsAlone:
    def __init__(self, run):
        self.run, self.options = run, run.options
        self.file = run.data.folder / "words.jsonl"
        self.tantivy = WordsTantivy(run, self.file)
        self.folder = run.options.work / "words" / "readback"

    def load(self):
        """Seconds to build each."""
        if not self.file.is_file():
            raise processes.Failed(f"no {self.file}")
        kept = self.folder.with_suffix(".json")
        if self.options.reload or not kept.is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            kept.write_text(json.dumps(self.readback(0.01)))
        return {"readback": json.loads(kept.read_text()), "tantivy": self.tantivy.load_once()}

    def readback(self, seconds):
        program = self.options.build / "tests/bench/bench_words"
        return json.loads(processes.call([program, self.file, self.run.data.folder / "queries.jsonl", self.folder, seconds]))

    def measure(self):
        """{"readback": {kind: [round]}, "tantivy": …}, alternating."""
        loaded = self.load()
        out = {"readback": {}, "tantivy": {}}
        for _ in range(self.options.rounds):
            ours = self.readback(self.options.seconds)
            for kind in KINDS:
                if kind in ours:
                    out["readback"].setdefault(kind, []).append(ours[kind])
                theirs = self.tantivy.measure("words" if kind == "text" else kind, 1, self.options.seconds)
                out["tantivy"].setdefault(kind, []).append(theirs)
        return {"documents": loaded["readback"]["documents"], "loaded": loaded, "rounds": out}
