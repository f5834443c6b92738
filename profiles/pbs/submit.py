#!/usr/bin/env python3
"""Submit a job to PBS and print its id: `qsub` with what the job's rule asks for."""

import json
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 600
"""Seconds to go on trying while the server does not answer: a failed submission would use up a retry at once."""


def qsub(job: dict) -> list[str]:
    """Return the qsub command of a job (without its script) from the properties Snakemake gives it.

    GPU keys are left out of CPU jobs: a queue without GPUs refuses them even at zero. What PBS prints about a job lands
    beside the log of its rule.
    """
    resources = job["resources"]
    nodes = int(resources.get("nodes", 1))
    select = f"select={nodes}:ncpus={job['threads']}:mem={resources['mem_mb']}mb"
    if int(resources.get("gpu", 0)):
        select += f":ngpus={resources['gpu']}"
        if resources.get("gpu_model"):
            select += f":gpu_model={resources['gpu_model']}"
    name = job.get("rule") or job.get("groupid", "group")
    command = ["qsub", "-N", f"{name}.{job['jobid']}", "-l", select]
    command += ["-l", f"walltime={walltime(int(resources['runtime']))}"]
    if nodes > 1:
        command += ["-l", "place=scatter"]
    if resources.get("queue"):
        command += ["-q", str(resources["queue"])]
    if resources.get("project"):
        command += ["-P", str(resources["project"])]
    return [*command, "-j", "oe", "-o", f"{output_folder(job)}/"]


def walltime(minutes: int) -> str:
    """Return minutes as HH:MM:SS."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


def output_folder(job: dict) -> Path:
    """Return the folder of the rule's log."""
    logs = job.get("log") or []
    return Path(logs[0]).parent if logs else Path("logs/pbs")


def properties(script: Path) -> dict:
    """Read the properties that Snakemake has written into a job's script."""
    lines = script.read_text().splitlines()
    return json.loads(next(line for line in lines if line.startswith("# properties = ")).partition("=")[2])


def no_answer(code: int, message: str) -> bool:
    """Tell a server that cannot be reached from one that refuses the job."""
    return code == 255 or "connect" in message.lower()


def main() -> None:
    """Submit the job whose script is the last argument."""
    script = sys.argv[-1]
    job = properties(Path(script))
    output_folder(job).mkdir(parents=True, exist_ok=True)
    command = qsub(job)
    started = time.monotonic()
    while True:
        done = subprocess.run([*command, script], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            print(done.stdout.strip())
            return
        if not no_answer(done.returncode, done.stderr) or time.monotonic() - started > PATIENCE:
            sys.exit(f"qsub failed ({done.returncode}): {done.stderr.strip()}\n{' '.join(command)}")
        time.sleep(5)


if __name__ == "__main__":
    main()
