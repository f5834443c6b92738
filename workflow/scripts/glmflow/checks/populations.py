"""Audits of kind `populations`: whether a sample is in two splits under two names, or next to its relatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glmflow.config.task_block import TaskBlock
    from glmflow.tasks.tables import Made

    from .audit import Audit

FEWEST_WINDOWS = 10
"""Windows from which on genotypes tell who is related: in a few, strangers carry the same common haplotypes."""


def audits(task: TaskBlock, files: Mapping[str, Any], made: Made, data: Mapping[str, Any]) -> list[Audit]:
    """Return whether samples of two splits are one person, or parent and child, by the variants of the windows."""
    from .audit import graded
    from .relations import related_samples

    if "kinship" not in made.evidence:
        return []
    windows = made.evidence["windows"]
    if windows < FEWEST_WINDOWS:
        text = (
            f"{windows} windows are too few to tell which samples are related: name families, or take {FEWEST_WINDOWS}"
        )
        return [graded("one person under two names", 0, text, warn=0)]
    return related_samples(made.evidence)
