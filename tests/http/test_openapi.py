"""schemathesis against the running server, with the contract that it serves: all checks, no failure allowed.

READBACK_FUZZ_SEED and READBACK_FUZZ_EXAMPLES repeat or lengthen a run.
"""

import pytest
import os
import pathlib
import subprocess
import sys

from conftest import DEV_KEY, Server

pytestmark = pytest.mark.paced

SEED = os.environ.get("READBACK_FUZZ_SEED", "1")
EXAMPLES = os.environ.get("READBACK_FUZZ_EXAMPLES") or ("5" if os.environ.get("SAN") else "20")
HERE = pathlib.Path(__file__).parent
PROGRAM = pathlib.Path(sys.executable).parent / "schemathesis"


def test_the_served_contract_is_true(tmp_path):
    s = Server(tmp_path / "data").start()
    try:
        for i in range(5):
            assert s.put(f"/v1/documents/d{i}", {"title": "Refunds", "text": f"Refunds are paid in {i} days."}).status_code == 201
        print("seed", SEED)
        told = subprocess.run(
            [PROGRAM, "--config-file", HERE / "schemathesis.toml", "run", s.url + "/openapi.json", "--header", f"Authorization: Bearer {DEV_KEY}", "--checks", "all",
             "--seed", SEED, "--max-examples", EXAMPLES, "--no-color", "--request-timeout", "60",
             "--continue-on-failure"],
            cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert told.returncode == 0, told.stdout[-20000:] + told.stderr[-2000:]
        assert s.get("/readyz").json()["ready"]
    finally:
        assert s.stop() == 0
