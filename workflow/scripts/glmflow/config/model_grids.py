"""Models that differ in some settings alone, written once: a grid of values stands for a model of each combination."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import product
from typing import Any

from glmflow.errors import InputError

GRID = "grid"
SCALARS = (str, int, float)


def of_grids(models: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return models of which each stands for itself, and the labels that each label as it was written stands for.

    `grid: {pretrain.length: [128, 512]}` of a model `bpe` makes `bpe-128` and `bpe-512`: the place of a key within the model,
    with dots, and its values; of several keys each value with each.

    Raises
    ------
    InputError
        A grid has no values, or a key does not lie in the model.
    """
    found: dict[str, Any] = {}
    stands_for: dict[str, list[str]] = {}
    for label, block in models.items():
        grid = block.get(GRID) if isinstance(block, Mapping) else None
        if grid is None:
            found[label], stands_for[label] = block, [label]
            continue
        where, fix = f"models.{label}.{GRID}", "As in `grid: {pretrain.length: [128, 512]}`."
        fits = (
            isinstance(grid, Mapping) and grid and all(isinstance(values, list) and values for values in grid.values())
        )
        if not fits or not all(isinstance(value, SCALARS) for values in grid.values() for value in values):
            raise InputError("a grid is keys of the model with a list of values each", where=where, fix=fix)
        stands_for[label] = []
        for values in product(*grid.values()):
            own = deepcopy({key: value for key, value in block.items() if key != GRID})
            for key, value in zip(grid, values):
                _put(own, key.split("."), value, where)
            name = "-".join([label, *(f"{value:g}" if isinstance(value, float) else str(value) for value in values)])
            if name in stands_for[label]:
                raise InputError(f"a value of the grid comes twice: {name}", where=where, fix="Give each once.")
            found[name] = own
            stands_for[label].append(name)
    return found, stands_for


def _put(block: dict[str, Any], path: list[str], value: Any, where: str) -> None:
    *outer, last = path
    for name in outer:
        if not isinstance(block, dict) or not isinstance(block.setdefault(name, {}), dict):
            raise InputError(f"{'.'.join(path)}: {name} holds no keys", where=where, fix="Give the place of a key.")
        block = block[name]
    block[last] = value
