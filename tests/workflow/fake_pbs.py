"""Snakemake with the real PBS profile, on a stand-in for PBS (tests/pbs)."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from running import ROOT

PROFILE = ROOT / "profiles/pbs"


class FakePbs:
    """A folder where the stand-in keeps its books, and Snakemake called with the profile."""

    def __init__(self, folder):
        self.folder, self.books = folder, folder / "pbs"
        self.books.mkdir()

    def start(self, *arguments, **environment):
        """Start Snakemake with the profile."""
        command = [sys.executable, "-m", "snakemake", "--profile", PROFILE, "--directory", self.folder]
        command += ["--seconds-between-status-checks", "1", "--latency-wait", "5", *arguments]
        path = f"{ROOT / 'tests/pbs'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env=os.environ | {"PATH": path, "FAKE_PBS": str(self.books), "OF_THE_SUBMITTER": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As a shell starts it in the foreground: in a process group of its own, and open to Ctrl-C.
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    @property
    def submitted(self):
        """The qsub calls, by rule."""
        calls = {}
        lines = (self.books / "submitted").read_text().splitlines() if (self.books / "submitted").exists() else []
        for line in lines:
            calls.setdefault(re.search(r"-N (\w+)\.\d+", line)[1], []).append(line)
        return calls

    def alive(self):
        """Ids of jobs whose process still runs."""
        return [path.name for path in (self.books / "jobs").glob("*.fake") if is_running(int(path.read_text()))]

    def exit_code(self, job):
        """What a job has recorded as its exit code; None for one that was killed."""
        path = self.folder / f"logs/pbs/{job}.exit"
        return path.read_text().strip() if path.exists() else None


def is_running(pid):
    """Whether a process is there (and is no zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=300):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)
