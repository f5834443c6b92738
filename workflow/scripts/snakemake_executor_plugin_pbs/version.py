"""Which batch system answers: OpenPBS and PBS Pro are served, others are refused by name."""

from __future__ import annotations

import re

from snakemake_interface_common.exceptions import WorkflowError

from .calls import Answer, Call

OTHERS = (
    "It has neither `-l select` nor the answers that this executor reads. "
    "Use an executor for it: `--executor cluster-generic` with submit, status and cancel commands of yours"
)


def check_version(call: Call) -> None:
    """Refuse Torque, Slurm's wrappers and Grid Engine, whose commands have the same names.

    Raises
    ------
    WorkflowError
        There is no PBS here, or another batch system.
    """
    try:
        answer = call(["qstat", "--version"], seconds=60)
    except FileNotFoundError:
        raise WorkflowError(
            "qstat is not on the PATH: there is no PBS here. Start Snakemake on the login node of the cluster "
            "(`module load pbs`, where it is a module), or without this profile on a single machine"
        ) from None
    other = other_system(answer)
    if other:
        raise WorkflowError(f"this is {other}, not OpenPBS or PBS Pro. {OTHERS}")


def other_system(answer: Answer) -> str | None:
    """Return the name of a batch system that is not PBS, from what `qstat --version` prints; None for PBS or unknown."""
    text = f"{answer.out}\n{answer.err}"
    if re.search(r"pbs_version|PBSPro|OpenPBS", text, re.I):
        return None
    if re.search(r"^\s*(TORQUE )?version:\s*\d|^\s*commit:|torque", text, re.I | re.M):
        return "Torque"
    if re.search(r"slurm|Unknown option: version", text, re.I):
        return "Slurm with the wrappers of Torque's commands (profiles/slurm is for Slurm)"
    if re.search(r"^(GE|SGE|UGE|OGS|Altair Grid Engine) ?\d|grid engine", text, re.I | re.M):
        return "Grid Engine"
    return None
