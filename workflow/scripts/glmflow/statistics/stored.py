"""Scores with what their units add to them, as a file: runs that were scored apart are compared later on the same units."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import atomic_path

from .influence import Score


class Stored(NamedTuple):
    """A score of one run in one class of held-out units, as a comparison needs it.

    Attributes
    ----------
    score
        The score, with what each unit adds to it.
    units
        Identifies the units and what was observed of them (`digest`): two runs have to agree on it to be compared.
    higher
        Whether higher is better.
    chance
        Score of a model that knows nothing; None where there is none (errors, coverage).
    bounds
        Least and largest value that it can have, between which its interval stays; None where it has no such limits.
    within
        The score with the means of the samples' groups taken off; None where no groups are known.
    null
        The score of each permutation of samples within groups, `[draws]`, the same for all runs; None without samples.
    groups_known
        Whether the groups of samples are known; None where nothing is measured in samples.
    facts
        What plausibility is judged by, where known: `ceiling_high` (upper limit of the largest correlation that there can
        be), `missing` (share of the examples without a prediction), `constant` (share of the genes that are predicted
        alike for everyone), `gain` (1: what more input is worth, which falls below 0 where it misleads, with nothing swapped).
    """

    score: Score
    units: str
    higher: bool = True
    chance: float | None = 0.0
    bounds: tuple[float, float] | None = None
    within: Score | None = None
    null: NDArray[np.float64] | None = None
    groups_known: bool | None = None
    facts: Mapping[str, float] = {}


def digest(*columns: Iterable[object]) -> str:
    """Return a hash of names and observed values in their order."""
    found = blake2b(digest_size=16)
    for column in columns:
        found.update("\n".join(map(str, column)).encode() + b"\0")
    return found.hexdigest()


def save_scores(scores: Mapping[str, Stored], path: str | os.PathLike[str]) -> None:
    """Write scores by name, such as `test|all|mean|1024|mcc`, as one compressed `.npz`; influences as float32."""
    arrays: dict[str, np.ndarray] = {}
    for number, (name, one) in enumerate(scores.items()):
        facts = {
            "name": name,
            "value": one.score.value,
            "plays": one.score.plays,
            "bias": one.score.bias,
            "units": one.units,
        }
        facts |= {"higher": one.higher, "chance": one.chance, "bounds": one.bounds}
        facts |= {"groups_known": one.groups_known, "facts": {key: float(x) for key, x in one.facts.items()}}
        arrays[f"influence{number}"] = one.score.influence.astype(np.float32)
        if one.within is not None:
            facts["within"] = [one.within.value, one.within.plays, one.within.bias]
            arrays[f"within{number}"] = one.within.influence.astype(np.float32)
        if one.null is not None:
            arrays[f"null{number}"] = one.null.astype(np.float32)
        arrays[f"facts{number}"] = np.array(json.dumps(facts))
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_scores(path: str | os.PathLike[str]) -> dict[str, Stored]:
    """Return the scores of a file by name.

    Raises
    ------
    InputError
        The file is missing or was not written by `save_scores`.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            numbers = sorted(int(key.removeprefix("facts")) for key in found if key.startswith("facts"))
            return dict(_loaded(found, number) for number in numbers)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"no scores of a run ({error})", where=path, fix="Score the run again.") from None


def _loaded(found: Mapping[str, np.ndarray], number: int) -> tuple[str, Stored]:
    """Return one score of a file, with its name."""

    def array(name: str) -> NDArray[np.float64]:
        return found[f"{name}{number}"].astype(np.float64)

    facts = json.loads(str(found[f"facts{number}"]))
    value, plays, bias, within, bounds = (
        facts.pop(name, None) for name in ("value", "plays", "bias", "within", "bounds")
    )
    return facts.pop("name"), Stored(
        Score(float(value), array("influence"), plays, bias or 0.0),
        within=Score(float(within[0]), array("within"), *within[1:]) if within else None,
        bounds=tuple(bounds) if bounds else None,
        null=array("null") if f"null{number}" in found else None,
        **facts,
    )
