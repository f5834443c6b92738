#!/usr/bin/env python3
"""Print whether a PBS job is running, has succeeded or has failed; always one word, always exit code 0.

Works with and without job history: a job that `qstat` no longer knows has left its exit code in `logs/pbs/{id}.exit`
(see jobscript.sh). One that left none was killed by PBS. A server that does not answer says nothing about the job.
"""

import subprocess
import sys
import time
from pathlib import Path

FINISHED, UNKNOWN = 35, 153
"""Exit codes of qstat: the job has finished (and is in the history); no such job."""

GRACE = 10
"""Seconds that the exit file of a job that is gone may take to arrive from another node."""


def status(code: int, marker: str | None, gone: float) -> str:
    """Return Snakemake's word for a job.

    `code` is qstat's exit code, `marker` the job's own exit code (None: not recorded) and `gone` how many seconds ago
    qstat first said that the job is no more.
    """
    if marker is not None:
        return "success" if marker.strip() == "0" else "failed"
    return "failed" if code in (FINISHED, UNKNOWN) and gone > GRACE else "running"


def seconds_gone(code: int, note: Path) -> float:
    """Return how long ago a job was first missed; remembered in a file, so that no call has to wait."""
    if code not in (FINISHED, UNKNOWN):
        note.unlink(missing_ok=True)
        return 0
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    return time.time() - note.stat().st_mtime


def main() -> None:
    """Ask qstat about the job that is the only argument."""
    job = sys.argv[1]
    marker, note = (Path("logs/pbs") / f"{job}.{suffix}" for suffix in ("exit", "gone"))
    if marker.exists():
        code = FINISHED
    else:
        try:
            code = subprocess.run(["qstat", job], capture_output=True, check=False, timeout=30).returncode
        except (OSError, subprocess.TimeoutExpired):
            code = 255
    gone = seconds_gone(code, note)
    print(status(code, marker.read_text() if marker.exists() else None, gone))


if __name__ == "__main__":
    main()
