#!/usr/bin/env python3
"""Submit a job to PBS and print its id: `qsub` with what the job's rule asks for."""

import subprocess
import sys
from pathlib import Path


def qsub(rule: str, jobid: int, threads: int, resources: dict) -> list[str]:
    """Return the qsub command of a job (without the script).

    GPU keys are left out of CPU jobs: a queue without GPUs refuses them even at zero.
    """
    select = f"select={resources.get('nodes', 1)}:ncpus={threads}:mem={resources['mem_mb']}mb"
    if int(resources.get("gpu", 0)):
        select += f":ngpus={resources['gpu']}"
        if resources.get("gpu_model"):
            select += f":gpu_model={resources['gpu_model']}"
    command = ["qsub", "-N", f"{rule}.{jobid}", "-l", select, "-l", f"walltime={walltime(int(resources['runtime']))}"]
    if resources.get("queue"):
        command += ["-q", str(resources["queue"])]
    if resources.get("project"):
        command += ["-P", str(resources["project"])]
    return [*command, "-j", "oe", "-o", "logs/pbs/"]


def walltime(minutes: int) -> str:
    """Return minutes as HH:MM:SS."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


def main() -> None:
    """Read the job's properties from its script and submit it."""
    from snakemake.utils import read_job_properties

    script = sys.argv[-1]
    job = read_job_properties(script)
    Path("logs/pbs").mkdir(parents=True, exist_ok=True)
    name = job.get("rule") or job.get("groupid", "group")
    command = qsub(name, job.get("jobid", 0), job.get("threads", 1), job["resources"])
    done = subprocess.run([*command, script], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"qsub failed ({done.returncode}): {done.stderr.strip()}\n{' '.join(command)}")
    print(done.stdout.strip())


if __name__ == "__main__":
    main()
