"""Which sequences are learned from and which are held out: whole groups, never a strain or a contig of what is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.similarity import groups, joined_labels
from glmflow.genome.sketches import Sketches, sketch, suited_fraction

from .part_names import part_name
from .sequence_records import Record, letters

K = 21
SAMPLED = 0.1
"""Share of the 21-mers that are compared: phages of 5,000 bases leave 500."""
LEVELS = ("cluster", "species", "genus", "family", "contig")


def sketched(records: Sequence[Record]) -> Sketches:
    """Return the sketches of records by which genomes are compared: a tenth of their 21-mers, less of more than fit in memory."""
    fraction = min(SAMPLED, suited_fraction(sum(len(record.codes) for record in records)))
    return sketch([letters(record.codes) for record in records], K, fraction)


def clusters(records: Sequence[Record], identity: float) -> NDArray[np.int64]:
    """Return the cluster of each record, ``int64[n]``: single linkage of genomes that are alike.

    Two sequences are alike where the share C of the 21-mers of the smaller that the other holds says an identity,
    ``C^(1/21)``, of at least `identity`. Records of one assembly are one genome.
    """
    labels = groups(sketched(records), identity**K)
    by_assembly: dict[str, int] = {}
    for record, label in zip(records, labels.tolist()):
        old = by_assembly.setdefault(record.assembly, label)
        labels[labels == label] = old
        by_assembly = {name: old if own == label else own for name, own in by_assembly.items()}
    return joined_labels(labels)


def unit_of(table: pd.DataFrame, by: str) -> pd.Series:
    """Return what is held out together, a name a sequence; where nothing is known of a sequence it is its cluster.

    What is of one species or genus, and what is of one cluster, stays together: names are missing or differ between files.
    """
    if by == "contig":
        return table["sequence"]
    if by == "cluster":
        return "cluster" + table["cluster"].astype(str)
    named = table[by].where(table[by] != "", "cluster" + table["cluster"].astype(str))
    first = named.groupby(table["cluster"]).transform("first")
    joined = dict(zip(named, first))
    while any(joined.get(name, name) != name for name in joined.values()):
        joined = {name: joined.get(target, target) for name, target in joined.items()}
    return first.map(lambda name: joined.get(name, name))


def assign(
    table: pd.DataFrame, by: str, validation: float, test: float, genus_holdout: Sequence[str] = (), seed: int = 1
) -> pd.Series:
    """Return the split of each sequence: train, validation, test, or genus (held out as a whole, a second test).

    Within each division units are drawn by the seed; one is held out where it brings a split closer to its share of the
    bases without going beyond it by more than a half. The largest unit of a division is always learned from.

    Parameters
    ----------
    table
        `sequence`, `cluster`, `species`, `genus`, `family`, `division`, `length`.

    Raises
    ------
    InputError
        Nothing is left to train on, or nothing can be held out.
    """
    unit = unit_of(table, by)
    split = pd.Series("train", index=table.index)
    reserved = table["genus"].isin(list(genus_holdout))
    reserved = unit.isin(set(unit[reserved])) if len(genus_holdout) else reserved
    split[reserved] = "genus"
    rng = np.random.default_rng(seed)
    for _, part in table[~reserved].groupby("division", sort=True):
        sizes = part["length"].groupby(unit[part.index]).sum().sort_index()
        largest = sizes.idxmax()
        wanted = {"test": test * sizes.sum(), "validation": validation * sizes.sum()}
        for name in rng.permutation([own for own in sizes.index if own != largest]):
            for target, room in wanted.items():
                if room > 0 and sizes[name] <= 1.5 * room:
                    split[part.index[unit[part.index] == name]] = target
                    wanted[target] = room - sizes[name]
                    break
    if not (split == "train").any():
        raise InputError("nothing is left to train on", where="genus_holdout", fix="Hold out fewer genera.")
    if (validation or test) and not (split != "train").any():
        raise InputError(
            f"by {by} there is nothing that can be held out: the corpus is one {by} in each division",
            where="corpora.*.split",
            fix="Add genomes, or cut each sequence in parts: by: position.",
        )
    return split


def at_positions(record: Record, validation: float, test: float) -> list[tuple[str, Record]]:
    """Return the parts of a record for training, validation and test, in that order along the sequence."""
    length = len(record.codes)
    first, second = round(length * (1 - validation - test)), round(length * (1 - test))
    found = []
    for split, start, end in (("train", 0, first), ("validation", first, second), ("test", second, length)):
        if end > start:
            part = replace(
                record, name=part_name(record.name, start, end), codes=record.codes[start:end], circular=False
            )
            found.append((split, part))
    return found
