"""A short run of tests/faults/kill.py; docs/benchmarks.md has the long one."""

import pathlib
import subprocess
import sys

KILL = pathlib.Path(__file__).parents[1] / "faults/kill.py"


def test_every_write_counts_once_whenever_the_server_is_killed():
    told = subprocess.run([sys.executable, str(KILL), "--kills", "10", "--seed", "3", "--longest", "0.8"],
                          capture_output=True, text=True, timeout=500)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    assert "integrity_check ok" in told.stdout
