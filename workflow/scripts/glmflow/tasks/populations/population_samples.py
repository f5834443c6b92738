"""Samples, windows and splits of population classes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.column_names import known_columns
from glmflow.genome.contigs import some
from glmflow.genome.people import ALSO_NAMED
from glmflow.genome.store import VariantStore
from glmflow.labelled.holdout import deal
from glmflow.text_files import read_cells

log = logging.getLogger(__name__)

FEWEST = 6
"""Samples of a class below which no split of it means anything."""


def read_samples(path: Path, column: str | None = None) -> pd.DataFrame:
    """Return a table of samples as text, `sample` and `family` under these names whatever they are called.

    `column` is what is predicted, which keeps its name.

    Raises
    ------
    InputError
        There is no column of samples, or one is named twice.
    """
    table = read_cells(path).replace("", np.nan)
    header = [str(name) for name in table.columns]
    found = known_columns([name for name in header if name != column], ALSO_NAMED, ("sample",), str(path))
    if found.notes:
        log.warning("%s: %s", path, "; ".join(found.notes))
    table = table.rename(columns={given: name for name, given in found.taken.items() if name not in header})
    twice = table["sample"][table["sample"].duplicated()]
    if len(twice):
        raise InputError(f"{twice.iloc[0]!r} comes twice", where=path, fix="Give one line a sample.")
    return table


def draw_samples(
    table: pd.DataFrame,
    column: str,
    genotyped: Sequence[str],
    classes: Sequence[str] | None,
    seed: int,
    most: int | None = None,
) -> pd.DataFrame:
    """Return equally many samples of each class, drawn with the seed: `sample`, `label`, `target`, `group`.

    Parameters
    ----------
    table
        Samples: `sample`, the column of the classes, and `family` where known: relatives are one group.
    column
        `population` or `superpopulation`, say.
    genotyped
        Samples of the cohort; others are left out.
    classes
        Which classes, in any order; all that have enough samples by default. They are sorted.
    most
        Most samples of a class.

    Raises
    ------
    InputError
        The column or a class is not there, or fewer than two classes have enough samples.
    """
    if column not in table:
        others = [name for name in table.columns if name != "sample"]
        has = f"It has {some(others) or 'sample alone'}."
        raise InputError(f"no column {column!r}", where="cohort.samples", fix=has)
    known = table[table["sample"].isin(set(genotyped)) & table[column].notna()]
    sizes = known[column].value_counts()
    if classes is None:
        classes = [name for name in sizes.index if sizes[name] >= FEWEST]
    absent = [name for name in classes if sizes.get(name, 0) < FEWEST]
    if absent or len(classes) < 2:
        has = ", ".join(f"{name} {n}" for name, n in sizes.items()) or "none"
        what = f"class {some(absent)} has fewer than {FEWEST} genotyped samples" if absent else "fewer than two classes"
        raise InputError(what, where=f"cohort.samples, column {column}", fix=f"The cohort has {has}.")
    classes = sorted(map(str, classes))
    count = min(int(sizes[name]) for name in classes)
    count = count if most is None else min(count, most)
    generator = np.random.default_rng(seed)
    parts = []
    for target, name in enumerate(classes):
        own = known[known[column] == name].sort_values("sample")
        chosen = np.sort(generator.choice(len(own), count, replace=False))
        parts.append(own.iloc[chosen].assign(label=name, target=target))
    drawn = pd.concat(parts, ignore_index=True)
    family = drawn["family"].fillna(drawn["sample"]) if "family" in drawn else drawn["sample"]
    return drawn.assign(group=family)[["sample", "label", "target", "group"]]


def densest_windows(
    store: VariantStore, contigs: Mapping[str, int], size: int, count: int, samples: Sequence[str]
) -> pd.DataFrame:
    """Return the windows of each contig with most variants that differ between some samples: `chrom`, `start`, `end`."""
    rows = np.array([store.row(sample, haplotype) for sample in samples for haplotype in (1, 2)])
    parts = []
    for chrom, length in contigs.items():
        if chrom not in store.contigs or length < size:
            continue
        contig = store.contig(chrom)
        varies = np.zeros(len(contig.pos), bool)
        for low in range(0, len(contig.pos), 1 << 13):
            high = min(low + (1 << 13), len(contig.pos))
            carried = contig.carried(rows, low, high).sum(axis=0, dtype=np.int64)
            varies[low:high] = (carried > 0) & (carried < len(rows))
        number = np.bincount(contig.pos[varies] // size, minlength=length // size)[: length // size]
        best = np.sort(np.argsort(-number, kind="stable")[:count])
        best = best[number[best] > 0]
        parts.append(pd.DataFrame({"chrom": chrom, "start": best * size, "end": best * size + size}))
    if not parts or not sum(map(len, parts)):
        raise InputError("no window with a variant", where="windows", fix="Take another size, or more samples.")
    return pd.concat(parts, ignore_index=True)


def haplotype_rows(samples: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Return an example for each haplotype of each sample in each window.

    `example`, `chrom`, `start`, `end`, `sample`, `haplotype`, `group`, `target`, `label`, `window` (number).
    """
    people = samples.loc[samples.index.repeat(2)].reset_index(drop=True)
    people["haplotype"] = np.tile([1, 2], len(samples))
    parts = [
        people.assign(chrom=row.chrom, start=row.start, end=row.end, window=number)
        for number, row in enumerate(windows.itertuples(index=False))
    ]
    rows = pd.concat(parts, ignore_index=True)
    place = rows["chrom"].astype(str) + ":" + rows["start"].astype(str)
    rows["example"] = rows["sample"] + "#" + rows["haplotype"].astype(str) + "@" + place
    return rows


def split_haplotypes(
    rows: pd.DataFrame, scheme: Literal["samples", "loci", "haplotypes"], shares: Mapping[str, float], seed: int
) -> NDArray[np.object_]:
    """Return the split of each haplotype.

    `samples`: a sample (with its relatives) is in one split, the same loci in all, which is the task's nature. `loci`:
    windows are held out, a control that is expected to be at chance. `haplotypes`: at random, which lets a sample's
    other haplotype in.
    """
    if scheme == "loci":
        number = rows["window"].nunique()
        if number < 3:
            raise InputError(f"{number} windows cannot be held out", where="splits.by: loci", fix="Give three or more.")
        return deal(rows["window"].to_numpy(), None, shares, seed)
    groups = rows["group"].to_numpy(object) if scheme == "samples" else (rows["sample"] + rows["haplotype"].astype(str))
    one = rows.drop_duplicates(["sample", "haplotype"]).index
    dealt = deal(np.asarray(groups)[one], rows["target"].to_numpy()[one], shares, seed)
    of = dict(zip(rows["example"].str.split("@").str[0].to_numpy(object)[one], dealt))
    return rows["example"].str.split("@").str[0].map(of).to_numpy(object)


def redraw(examples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return examples whose training, and whose validation, groups (samples with relatives) have exchanged their classes.

    What is found in test haplotypes, which keep theirs, is chance then.
    """
    target = examples["target"].to_numpy(object).copy()
    for number, split in enumerate(("train", "validation")):
        own = examples[examples["split"] == split]
        groups = own.drop_duplicates("group")
        order = np.random.default_rng([seed, number]).permutation(len(groups))
        given = dict(zip(groups["group"], groups["target"].to_numpy(object)[order]))
        target[examples.index.get_indexer(own.index)] = own["group"].map(given).to_numpy(object)
    return examples.assign(target=target)
