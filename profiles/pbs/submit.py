#!/usr/bin/env python3
"""Submit one job by hand and print its id: `submit.py SCRIPT`, with a script that Snakemake wrote (jobscript.sh)."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from snakemake_executor_plugin_pbs import ExecutorSettings
from snakemake_executor_plugin_pbs.calls import call
from snakemake_executor_plugin_pbs.executor import request_of
from snakemake_executor_plugin_pbs.settings import keys_of
from snakemake_executor_plugin_pbs.submit import job_name, output_folder, qsub, submitted_id


def main(script: Path) -> str:
    """Submit a job and return its id."""
    line = next(line for line in script.read_text().splitlines() if line.startswith("# properties = "))
    job = json.loads(line.partition("=")[2])
    name, resources, folder = job.get("rule") or job["groupid"], job["resources"], output_folder(job.get("log") or [])
    folder.mkdir(parents=True, exist_ok=True)
    keys = keys_of(resources, ExecutorSettings())
    command = qsub(job_name(name, str(job["jobid"])), resources, job["threads"], request_of(resources), keys, folder)
    answer = call([*command, str(script)])
    found = submitted_id(answer.out)
    if answer.code or not found:
        sys.exit(f"qsub failed ({answer.code}): {answer.message}\n{' '.join(command)}")
    return found


if __name__ == "__main__":
    print(main(Path(sys.argv[-1])))
