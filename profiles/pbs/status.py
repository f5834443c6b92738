#!/usr/bin/env python3
"""Print how a job of this folder stands: `status.py ID` prints running, success or failed, and on stderr why."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from snakemake_executor_plugin_pbs.calls import call, number
from snakemake_executor_plugin_pbs.open_jobs import exit_code
from snakemake_executor_plugin_pbs.qstat import FINISHED, Qstat
from snakemake_executor_plugin_pbs.watch import GRACE


def main(job: str, notes: Path = Path("logs/pbs")) -> str:
    """Return the word for a job: its own record of its exit code counts more than what PBS says."""
    end = time.monotonic() + GRACE
    while True:
        code = exit_code(notes, number(job))
        if code is not None:
            return "success" if code == 0 else "failed"
        round_ = Qstat(call).ask([job])
        state = round_.jobs.get(number(job))
        if round_.outage or (state and state.letter != FINISHED):
            print(round_.outage or state.comment, file=sys.stderr)
            return "running"
        if state and state.exit_status is not None:
            print(f"Exit_status {state.exit_status}: {state.comment}", file=sys.stderr)
            return "success" if state.exit_status == 0 else "failed"
        if time.monotonic() > end:  # the exit file of a job that is gone may be on its way from its node
            return "failed"
        time.sleep(1)


if __name__ == "__main__":
    print(main(sys.argv[1]))
