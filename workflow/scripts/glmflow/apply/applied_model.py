"""The tuned model that a command applies, and what its arguments ask for."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from glmflow.config.blocks import TRAINED
from glmflow.config.task_block import TaskBlock
from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.genome.first_look import MISMATCHES
from glmflow.models.model_commands import model_folder
from glmflow.training.record import read_record


@dataclass(frozen=True)
class Strictness:
    """What is done about alleles of another genome, and about `<DEL>`.

    Parameters
    ----------
    symbolic
        `<DEL>` with END or SVLEN is read as the deletion it is.
    strict
        Any REF that is not the genome's stops the run.
    mismatches
        Share of such alleles beyond which nothing is computed.
    """

    symbolic: bool = False
    strict: bool = False
    mismatches: float = MISMATCHES


DEFAULT = Strictness()


def model_of(folder: Path) -> tuple[Path, TaskBlock]:
    """Return the model folder of a run, given it or the run's own folder, and the task that it was tuned to.

    Raises
    ------
    InputError
        There is no model that was tuned to a task.
    """
    if _of_baseline(folder) or (folder.name == "model" and _of_baseline(folder.parent)):
        fix = f"Give a run of a model that was trained ({', '.join(sorted(TRAINED))})."
        raise InputError("a baseline's run: baselines leave no model to apply", where=folder, fix=fix)
    folder = model_folder(folder)
    return folder, task_block(read_record(folder)[0]["task"])


def _of_baseline(run: Path) -> bool:
    """Whether a folder is the run of a baseline, by its record."""
    record = run / "run.yaml"
    return record.is_file() and "baseline" in (yaml.safe_load(record.read_text()).get("model") or {})


def read_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what is read of a VCF, as `build_store` takes it."""
    return {
        "samples": arguments.sample,
        "filter_policy": arguments.filter or None,
        "unphased": arguments.unphased,
    }


def strictness(arguments: argparse.Namespace) -> Strictness:
    """Return what is done about variants of another genome."""
    return Strictness(arguments.symbolic, arguments.strict, arguments.most_mismatches)


def annotates(arguments: argparse.Namespace) -> bool:
    """Whether the output is a VCF: the variants that are given, with what each does."""
    return arguments.output.name.endswith((".vcf", ".vcf.gz"))
