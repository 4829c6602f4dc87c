"""Processes of the benchmark: each in a session of its own, ended by its id, also when the benchmark is stopped."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import psutil


class Failed(Exception):
    """A peer that cannot be installed, started or asked; its text is the reason."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def end(process, sign=signal.SIGTERM, seconds=300):
    """Ends the process and waits; what is left of its session is killed."""
    if process.poll() is None:
        process.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start(argv, log, **more):
    with open(log, "ab") as out:
        return subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                start_new_session=True, **more)


def call(argv, **more):
    """Runs a program to its end and returns what it printed."""
    process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True, **more)
    try:
        out, err = process.communicate()
    except BaseException:
        end(process)
        raise
    if process.returncode != 0:
        raise Failed(f"{pathlib.Path(str(argv[0])).name}: exit code {process.returncode}: {last_line(err or out)}")
    return out


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def wait_until(ask, process, log, seconds=600):
    """Calls ask() until it no longer raises Failed. Returns its value."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except Failed as e:
            if process.poll() is not None:
                raise Failed(f"ended while starting: {last_line(log.read_text(errors='replace'))}") from e
            if time.monotonic() > until:
                raise Failed(f"not ready after {seconds} s: {e}") from e
        time.sleep(0.01)


def memory_mib(pid):
    """Resident memory of a process and its children, what they share counted once."""
    root = psutil.Process(pid)
    return sum(p.memory_full_info().pss for p in [root, *root.children(recursive=True)]) / 2**20


def disk_mib(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*") if f.is_file()) / 2**20
