"""Which models the GPU at hand holds, by the plan that the workflow itself makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from glmflow.config import check_study, expand_runs
from glmflow.config.published import published
from glmflow.errors import InputError

NO_GPU = "none"


class Machine(NamedTuple):
    """The GPU that is planned for, by its name in the plan (None: training on the CPU), and how it is known."""

    gpu: str | None
    known_by: str


def machine_at_hand(asked: str | None) -> Machine:
    """Return the GPU that was asked for, else the one of this machine.

    Raises
    ------
    InputError
        The plan knows no GPU of this name.
    """
    from glmflow.doctor import driver_version, torch_build
    from glmflow.plan.jobs import known_gpu
    from glmflow.plan.resources import GPUS

    if asked == NO_GPU:
        return Machine(None, "--gpu none")
    if asked:
        if known_gpu(asked) is None:
            raise InputError(f"no GPU {asked!r} is known", fix=f"Use one of {', '.join(GPUS)}, or none.")
        return Machine(known_gpu(asked), f"--gpu {asked}")
    devices = (torch_build() or {}).get("devices", []) if driver_version() else []
    for name, *_ in devices:
        if known_gpu(name):
            return Machine(known_gpu(name), f"{name} of this machine")
    if devices:
        return Machine("l40", f"{devices[0][0]} of this machine is not in the plan's table: an L40 is assumed")
    return Machine(None, "no GPU on this machine")


def too_large(settings: Mapping[str, Any], candidates: Sequence[str], gpu: str | None) -> dict[str, str]:
    """Return the models among the candidates that do not fit, with the reason: no GPU, too little memory, or a misfit."""
    from glmflow.plan.jobs import plan, problems

    if gpu is None:
        return dict.fromkeys(candidates, "published models want a GPU; `--gpu l40` plans for one")
    checkpoints = published()
    study = check_study(settings, checkpoints=checkpoints)
    runs, misfits = expand_runs(study)
    fitting = {run.model for run in runs}
    reasons = {misfit.model: misfit.reason for misfit in misfits if misfit.model not in fitting}
    for job in plan(study, checkpoints, gpu):
        for line in problems([job], gpu):
            reasons.setdefault(job.name.split("/")[-3], line.partition(";")[0])
    return {name: reason for name, reason in reasons.items() if name in candidates}
