"""The qsub command of a job, from what its rule asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from .retries import Request
from .settings import Keys

LONGEST_NAME = 200
JOB_ID = re.compile(r"^\d+(\[\d*\])?(\.[\w.-]+)?$")


def qsub(
    name: str,
    resources: Mapping[str, Any],
    threads: int,
    request: Request,
    keys: Keys,
    output: Path,
    umask: str = "",
) -> list[str]:
    """Return the qsub command of a job, without its script.

    Keys of GPUs are left out of CPU jobs: a queue without GPUs refuses them even at zero. With several nodes, threads,
    memory and GPUs are those of each.

    Parameters
    ----------
    name
        Name of the job (`job_name`).
    request
        Memory and minutes of this attempt.
    output
        Folder for what PBS prints about the job.

    Raises
    ------
    WorkflowError
        Several nodes are asked for without `-l select`.
    """
    gpus, nodes = int(resources.get("gpu", 0) or 0), int(resources.get("nodes", 1) or 1)
    cpus = gpus * keys.cpus_per_gpu if gpus and keys.cpus_per_gpu else threads
    wanted = [f"ncpus={cpus}", f"mem={request.mem_mb}mb"]
    model = str(resources.get("gpu_model") or "") if gpus else ""
    kind = [f"{keys.gpu_resource}={model}"] if model else []
    if gpus:
        wanted.append(f"ngpus={gpus}")
    if keys.gpu_level == "select" and keys.select:
        wanted += kind
        kind = []
    command = ["qsub", "-N", name]
    if keys.select:
        command += ["-l", f"select={nodes}:{':'.join(wanted)}"]
    else:
        if nodes > 1:
            raise WorkflowError(f"{name} needs {nodes} nodes, which `select: false` cannot ask for")
        command += ["-l", ",".join(wanted)]
    for item in kind:
        command += ["-l", item]
    command += ["-l", f"walltime={walltime(request.minutes)}"]
    if nodes > 1:
        command += ["-l", "place=scatter"]
    for option, value in (("-q", keys.queue), ("-P", keys.project), ("-A", keys.account)):
        if value:
            command += [option, value]
    if umask:
        command += ["-W", f"umask={umask}"]
    return [*command, "-j", "oe", "-o", f"{output}/", *keys.qsub_extra]


def walltime(minutes: int) -> str:
    """Return minutes as HH:MM:SS."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


def job_name(rule: str, key: str) -> str:
    """Return the name of a job in PBS: its rule and its key, with the characters that PBS takes."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", rule)[:LONGEST_NAME]
    return f"{plain if plain[:1].isalpha() else f'r{plain}'}.{key[:8]}"


def submitted_id(text: str) -> str | None:
    """Return the id in what qsub prints: sites let it print lines of their own before or after it."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if JOB_ID.match(line)), None)


def output_folder(logs: Sequence[str]) -> Path:
    """Return the folder of a rule's log, where what PBS prints about its jobs lies as well."""
    return Path(str(logs[0])).parent if logs else Path("logs/pbs")
