"""Which keys are held out, and what training knows of each of them: its TF, its cell, both, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError

from .keys import some_of

KINDS = {
    "a": "cell not in training, TF in training",
    "b": "TF not in training, cell in training",
    "c": "cell and TF in training, not together",
    "d": "neither cell nor TF in training",
}
SIBLING, NEW_FAMILY = "sibling", "new_family"


def split_keys(keys: pd.DataFrame, settings: Mapping[str, Any], units: Mapping[str, Mapping[str, str]]) -> pd.Series:
    """Return the split of each key: `train`, `validation` or `test`.

    A key is of the test split if its cell, its TF or the pair is held out; of what is left a share of the pairs is drawn for
    validation, never one that would leave its cell or TF without a training key.

    Parameters
    ----------
    keys
        `key`, `cell`, `tf`.
    settings
        `cells`, `tfs`, `families`: names, or how many are drawn; `by`: `name`, `family` or `motif_cluster`, the unit in which
        TFs are held out; `pairs`, `validation`: shares; `cell_groups`: cells that are held out together; `seed`.
    units
        `family` and `motif_cluster` of each TF.

    Raises
    ------
    InputError
        A cell, TF or family is not there, or nothing is left to train on.
    """
    generator = np.random.default_rng(settings.get("seed", 1))
    group_of = {cell: name for name, cells in (settings.get("cell_groups") or {}).items() for cell in cells}
    cells = keys["cell"].map(lambda cell: group_of.get(cell, cell))
    wanted = settings.get("cells", 0)
    if not isinstance(wanted, int):
        wanted = [group_of.get(cell, cell) for cell in wanted]
    by = settings.get("by", "name")
    unit = keys["tf"] if by == "name" else keys["tf"].map(units[by])
    families = keys["tf"].map(units["family"])
    held = cells.isin(drawn(cells, wanted, generator, "cells"))
    held |= families.isin(drawn(families, settings.get("families", 0), generator, "families"))
    named = settings.get("tfs", 0)
    if not isinstance(named, int) and by != "name":
        named = sorted({units[by].get(tf, tf) for tf in named})
    held |= unit.isin(drawn(unit[~held], named, generator, "tfs", set(unit)))
    split = pd.Series(np.where(held, "test", "train"), index=keys.index, dtype=object)
    for name, share in (("test", settings.get("pairs", 0.0)), ("validation", settings.get("validation", 0.0))):
        draw_pairs(keys, split, name, share, generator)
    if not (split == "train").any():
        raise InputError("no key is left to train on", where="keys", fix="Hold out fewer cells, TFs or pairs.")
    if not (split == "test").any():
        raise InputError(
            "no key is held out", where="keys", fix="Name `cells`, `tfs`, `families` or a share of `pairs`."
        )
    return split


def drawn(
    values: pd.Series,
    wanted: int | Sequence[str],
    generator: np.random.Generator,
    where: str,
    known: set[str] | None = None,
) -> list[str]:
    """Return the names that are wanted; of a number, as many names, drawn."""
    there = sorted(set(values))
    if isinstance(wanted, int):
        if wanted >= len(there) and wanted:
            raise InputError(f"{wanted} of {len(there)} held out", where=f"keys.{where}", fix="Hold out fewer.")
        return sorted(generator.choice(there, wanted, replace=False).tolist()) if wanted else []
    absent = sorted(set(wanted) - (known or set(there)))
    if absent:
        raise InputError(f"no key has {some_of(absent)}", where=f"keys.{where}", fix=f"There are {some_of(there)}.")
    return list(wanted)


def draw_pairs(keys: pd.DataFrame, split: pd.Series, name: str, share: float, generator: np.random.Generator) -> None:
    """Move a share of the training keys to another split; cells and TFs keep a training key at least."""
    training = np.flatnonzero(split == "train")
    count = round(share * len(training))
    left = {column: Counter(keys[column].to_numpy()[training]) for column in ("cell", "tf")}
    for row in generator.permutation(training):
        if not count:
            return
        own = keys["cell"].iloc[row], keys["tf"].iloc[row]
        if left["cell"][own[0]] < 2 or left["tf"][own[1]] < 2:
            continue
        left["cell"][own[0]] -= 1
        left["tf"][own[1]] -= 1
        split.iloc[row] = name
        count -= 1


def classify(keys: pd.DataFrame, split: pd.Series, units: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return what training knows of each key, by what it holds and not by what a file is called: `kind` and `relation`.

    `kind` is one of `KINDS`, empty for training keys; `relation`, of a TF that is not in training, says whether another one
    of its family or motif cluster is (`sibling`) or not (`new_family`).
    """
    training = keys[split == "train"]
    cells, tfs = set(training["cell"]), set(training["tf"])
    known_units = {name: {of[tf] for tf in tfs} for name, of in units.items()}
    kinds, relations = [], []
    for cell, tf, own in zip(keys["cell"], keys["tf"], split):
        seen_cell, seen_tf = cell in cells, tf in tfs
        kind = {(False, True): "a", (True, False): "b", (True, True): "c", (False, False): "d"}[seen_cell, seen_tf]
        kinds.append("" if own == "train" else kind)
        known = any(of[tf] in known_units[name] for name, of in units.items())
        relations.append("" if own == "train" or seen_tf else SIBLING if known else NEW_FAMILY)
    return pd.DataFrame({"kind": kinds, "relation": relations}, index=keys.index)


def unlike_the_rest(keys: pd.DataFrame) -> list[str]:
    """Return sentences on held-out keys whose kind is not that of most of their trial.

    `keys` has `key`, `split` and `kind`. A trial of pairs may hold a TF or cell that training has never seen.
    """
    held_out = keys[keys["kind"] != ""]
    if held_out.empty:
        return []
    usual = held_out["kind"].mode().iloc[0]
    words = {"a": "an unseen cell", "b": "an unseen TF", "c": "a known cell and TF", "d": "an unseen cell and TF"}
    found = []
    for split in ("test", "validation"):
        for kind in KINDS:
            own = held_out[(held_out["split"] == split) & (held_out["kind"] == kind)]
            if kind != usual and len(own):
                noun = "key is" if len(own) == 1 else "keys are"
                found.append(f"{len(own)} {split} {noun} {words[kind]} ({some_of(own['key'].tolist())})")
    return found
