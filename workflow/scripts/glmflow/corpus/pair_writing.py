"""A file of pairs of DNA and text, written from GenBank files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glmflow.errors import InputError
from glmflow.files import atomic_path

from .annotation_pairs import capped, clusters, pairs_of, rows, splits_of


class Written(NamedTuple):
    """What was written: clusters, features of each split, and what was left out by reason."""

    clusters: int
    splits: Counter[str]
    left_out: Counter[str]


def write_pairs(
    paths: Sequence[Path],
    output: Path,
    validation: float,
    test: float,
    dropped: float = 0.2,
    most_unknown: float = 0.1,
    shortest: int = 30,
    flank: int = 0,
    seed: int = 1,
) -> Written:
    """Write the features of GenBank files as pairs; the parameters are those of `glmflow pairs`.

    Raises
    ------
    InputError
        A file is no GenBank file, or nothing is said of any feature.
    """
    left_out: Counter[str] = Counter()
    found = [pair for path in paths for pair in pairs_of(path, left_out, shortest, flank)]
    if not found:
        raise InputError("no feature of which anything is said", where=str(paths[0]), fix="Give annotated files.")
    rng = np.random.default_rng(seed)
    pairs = capped(found, most_unknown, rng)
    left_out["of unknown function, beyond --most-unknown"] += len(found) - len(pairs)
    label = clusters(pairs)
    split = splits_of(label, validation, test, rng)
    with atomic_path(output) as path, path.open("w", encoding="utf-8") as handle:
        for row in rows(pairs, label, split, dropped, rng):
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
    return Written(len(set(label.tolist())), Counter(split), left_out)
