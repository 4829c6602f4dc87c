"""The Python environment of the peers: made once, then run.py goes on in it. Standard library only."""
import os
import pathlib
import subprocess
import sys

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
DEFAULT = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "readback/peers"


def wanted():
    lines = (line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    return [line for line in lines if line]


def make(folder):
    python = folder / "bin/python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for package in wanted():
        done = subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", package])
        if done.returncode != 0:
            print(f"{package}: cannot be installed", file=sys.stderr, flush=True)
    (folder / "complete").write_text(REQUIREMENTS.read_text())


def enter(folder):
    """Returns in the environment's own Python, or becomes it."""
    if pathlib.Path(sys.prefix) == folder.absolute():
        return
    complete = folder / "complete"
    if not complete.is_file() or complete.read_text() != REQUIREMENTS.read_text():
        make(folder)
    python = str(folder.absolute() / "bin/python")
    os.execv(python, [python, *sys.argv])
