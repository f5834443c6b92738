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


def status(code: int, marker: str | None) -> str:
    """Return Snakemake's word for a job from qstat's exit code and the job's own exit code (None: not recorded)."""
    if marker is not None:
        return "success" if marker.strip() == "0" else "failed"
    return "failed" if code in (FINISHED, UNKNOWN) else "running"


def main() -> None:
    """Ask qstat; a job that is gone gets some seconds for its exit file to arrive from another node."""
    job = sys.argv[1]
    marker = Path("logs/pbs") / f"{job}.exit"
    try:
        code = subprocess.run(["qstat", job], capture_output=True, check=False, timeout=30).returncode
    except (OSError, subprocess.TimeoutExpired):
        code = 255
    waited = 0
    while code in (FINISHED, UNKNOWN) and not marker.exists() and waited < 10:
        time.sleep(1)
        waited += 1
    print(status(code, marker.read_text() if marker.exists() else None))


if __name__ == "__main__":
    main()
