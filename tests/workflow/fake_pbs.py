"""Snakemake with the real PBS profile, on a stand-in for PBS (tests/pbs)."""

import json
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
    """A folder where the stand-in keeps its books, and Snakemake called with the profile.

    `settings` are those of the stand-in (tests/pbs/fake_server.py).
    """

    def __init__(self, folder, **settings):
        self.folder, self.books = folder, folder / "pbs"
        self.books.mkdir(parents=True)
        self.set(**settings)

    def set(self, **settings):
        """Change how the stand-in behaves."""
        path = self.books / "settings.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(known | settings))
        new.rename(path)

    def start(self, *arguments, profile=PROFILE, **environment):
        """Start Snakemake with the profile."""
        command = [sys.executable, "-m", "snakemake", "--profile", profile, "--directory", self.folder]
        command += ["--latency-wait", "5", *arguments]
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
        for line in self.lines("submitted"):
            calls.setdefault(re.search(r"-N (\w+)\.\w+", line)[1], []).append(line)
        return calls

    def lines(self, book):
        """The lines of one of the stand-in's books."""
        path = self.books / book
        return path.read_text().splitlines() if path.exists() else []

    def jobs(self):
        """The jobs as the stand-in knows them, by number."""
        paths = sorted((self.books / "jobs").glob("*.json"), key=lambda path: int(path.stem))
        return {path.stem: json.loads(path.read_text()) for path in paths}

    def queued(self):
        """Numbers of jobs that are in the queue or run."""
        return [number for number, job in self.jobs().items() if job["state"] != "F"]

    def alive(self):
        """Numbers of jobs whose process still runs."""
        return [number for number, job in self.jobs().items() if job.get("pid") and is_running(job["pid"])]

    def exit_code(self, job):
        """What a job has recorded as its exit code; None for one that was killed."""
        path = self.folder / f"logs/pbs/{job.partition('.')[0]}.exit"
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
