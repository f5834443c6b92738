"""Metrics of predictions, one module each, found by module name.

A module declares `NAME`, `LABEL`, `DIRECTION` (`higher`, `lower` or `none`), `BOUNDS` (the least and the largest value that there
can be, None where there is no limit: intervals stay between them), `EXPLANATION` (a sentence for readers of the report) and
`TARGETS` (kinds of target that it scores); one that is of a certain number of classes alone declares `CLASSES`, and one of which
scores below chance are no sign of swapped labels `SIGNED = False`. It has a function `value(truth, scores) -> float`. A new metric
is a new file.

For the target `class_label`, `truth` is `int[n]` (number of the class) and `scores` `float[n, classes]`, their probabilities;
of a `label_set` each label is scored so, as two classes. For `measured_values` both are `float[n]`. Of a `class_pair`, one row
of each of two classes, `truth` says which is of the second, and `scores` `float[n, 2]` are those of both for it.
A value that is not defined for the data (AUROC of a single class) is NaN.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

DIRECTIONS = ("higher", "lower", "none")


@cache
def all_metrics() -> dict[str, ModuleType]:
    """Return every metric's module by `NAME`, sorted."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {module.NAME: module for module in sorted(modules, key=lambda module: module.NAME)}


def declared(target: str) -> dict[str, ModuleType]:
    """Return the modules of the metrics that score a kind of target (such as `class_label`), by `NAME`, sorted."""
    return {name: module for name, module in all_metrics().items() if target in module.TARGETS}


def bounds(name: str) -> tuple[float, float] | None:
    """Return the least and the largest value of a metric; None where it has no limit on one side, or is not declared."""
    low, high = getattr(all_metrics().get(name), "BOUNDS", (None, None))
    return None if low is None or high is None else (float(low), float(high))


def signed(name: str) -> bool:
    """Return whether scores of a metric below chance say that labels, strands or alleles may be swapped."""
    return getattr(all_metrics().get(name), "SIGNED", True)
