"""Starts the real program for the tests. READBACK_BIN names it; every server is ended by SIGTERM and waited for."""

import itertools
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

import pytest
import requests

BIN = os.environ.get("READBACK_BIN", "build/readback")
DEV_KEY = "rb_test-key-of-this-run"
START_SECONDS = 120  # a sanitizer build on a busy machine


def pytest_configure(config):
    config.addinivalue_line("markers", "paced: waits or works against the clock; not run under the thread sanitizer, "
                                       "which slows the program by ten times and more")


class Server:
    """One `readback serve` on a data folder and a free port."""

    def __init__(self, data, *options, env=None, dev_key=DEV_KEY):
        self.data = pathlib.Path(data)
        self.options = options
        self.env = {**os.environ, **(env or {})}
        self.dev_key = dev_key
        self.prefix = []  # what starts the program: nsenter …
        self.process = None
        self.lines = []

    def start(self):
        command = [*self.prefix, BIN, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0", *self.options]
        if self.dev_key:
            command += ["--dev-key", self.dev_key]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=self.env)
        ready = queue.Queue()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr, ready), daemon=True)
        self.reader.start()
        self.url = ready.get(timeout=START_SECONDS)
        if not self.url:
            raise RuntimeError("the server did not start:\n" + "".join(self.lines[-20:]))
        self.session = requests.Session()
        return self

    def _read(self, stream, ready):
        for line in stream:
            self.lines.append(line)
            found = re.match(r"readback: ready on (http://\S+)", line)
            if found:
                ready.put(found.group(1))
        ready.put(None)

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        self.process.stderr.close()
        self.session.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        self.process.stderr.close()
        self.session.close()

    def call(self, method, path, body=None, key=DEV_KEY, headers=None, data=None):
        h = {"Authorization": f"Bearer {key}"} if key else {}
        h.update(headers or {})
        return self.session.request(method, self.url + path, json=body, data=data, headers=h, timeout=120)

    def get(self, path, **kw):
        return self.call("GET", path, **kw)

    def post(self, path, body, **kw):
        return self.call("POST", path, body, **kw)

    def put(self, path, body, **kw):
        return self.call("PUT", path, body, **kw)

    def wait_for_job(self, id_, seconds=300):
        """Asks until the job has ended; the job as it is then, or at the deadline."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.get(f"/v1/jobs/{id_}").json()["job"]
            if job["state"] in ("done", "failed") or time.monotonic() > deadline:
                return job
            time.sleep(0.05)  # between two questions, to leave the processor to the job

    def key(self, scopes, groups="", *more):
        """Makes an API key by the command line, beside the running server."""
        command = [BIN, "key", "create", "--scopes", scopes, "--data", str(self.data), *more]
        if groups:
            command += ["--groups", groups]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.env).stdout.strip()


def readback(*args, **kw):
    """Runs the program to its end."""
    kw.setdefault("timeout", 600)
    return subprocess.run([BIN, *map(str, args)], capture_output=True, text=True, **kw)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("data")).start()
    yield s
    assert s.stop() == 0


@pytest.fixture
def words_server(tmp_path):
    """Without an embedder: quick to start."""
    s = Server(tmp_path / "data", "--embedder", "none").start()
    yield s
    assert s.stop() == 0


_numbers = itertools.count(1)


@pytest.fixture
def fresh():
    """Names that no other test uses."""
    return lambda what="x": f"{what}-{os.getpid()}-{next(_numbers)}"
