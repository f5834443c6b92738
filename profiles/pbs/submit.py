#!/usr/bin/env python3
"""Submit a job to PBS and print its id: `qsub` with what the job's rule asks for."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 600
"""Seconds to go on trying while the server does not answer: a failed submission would use up a retry at once."""
PAUSE = 5
"""Seconds between two trials."""


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


def submit(command: list[str], answers: list[int]) -> str:
    """Call qsub, again where the server does not answer; return the id of the job.

    Ends this process once nobody waits for the id at the other end of `answers`: Snakemake has gone.
    """
    started = time.monotonic()
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
        if not no_answer(done.returncode, done.stderr) or time.monotonic() - started > PATIENCE:
            sys.exit(f"qsub failed ({done.returncode}): {done.stderr.strip()}\n{' '.join(command)}")
        if unread(answers, PAUSE):
            sys.exit(1)


def unread(pipes: list[int], seconds: float) -> bool:
    """Wait so long, or until one of the pipes has lost its reader; tell whether one has."""
    watch = select.poll()
    for pipe in pipes:
        watch.register(pipe, 0)  # no event is asked for: that the other end is closed is told in any case
    return bool(watch.poll(1000 * seconds))


def hand_over(job: str, target: int) -> None:
    """Write the id of a job to a pipe; where nobody reads it any more, nobody knows of the job: delete it."""
    try:
        os.write(target, f"{job}\n".encode())
    except BrokenPipeError:
        subprocess.run(["qdel", job], check=False)


def main() -> None:
    """Submit the job whose script is the last argument.

    Ctrl-C in the middle would leave a job behind that Snakemake never heard of. So qsub is called by a process in a session
    of its own, which neither Ctrl-C nor the end of this one stops half-way, and which deletes what it cannot hand over; while
    it has no job yet, it ends with this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends this process without a traceback
    script = sys.argv[-1]
    job = properties(Path(script))
    output_folder(job).mkdir(parents=True, exist_ok=True)
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(source)
        hand_over(submit([*qsub(job), script], [target, sys.stdout.fileno()]), target)
        return
    os.close(target)
    with os.fdopen(source) as answer:
        submitted = answer.read().strip()
    if submitted:
        hand_over(submitted, sys.stdout.fileno())
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
