"""Which rows are trained on and which are held out, by a rule that keeps together what belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.genome.packed import Packed
from glmflow.genome.splits import SPLITS, assign_splits
from glmflow.labelled.audit_checks import LARGE, LIBRARY, WHOLE, spelled_alike
from glmflow.labelled.composition import consensus_identity
from glmflow.labelled.homology_clusters import homology_clusters
from glmflow.labelled.near_pairs import NearPairs, near_pairs, suited_k

SCHEMES = ("given", "random", "group", "similarity", "contig", "block", "column", "homology")


class Split(NamedTuple):
    """A split of a data set.

    Attributes
    ----------
    split : object[n]
        `train`, `validation`, `test` or None (left out: a gap between blocks, a contig that is in no split).
    notes : list[str]
        What was done, and what should be known of it.
    """

    split: NDArray[np.object_]
    notes: list[str]


def deal(
    groups: ArrayLike, strata: ArrayLike | None, shares: Mapping[str, float], seed: int, where: str = "splits"
) -> NDArray[np.object_]:
    """Deal whole groups to splits, the largest first, each to the split that lacks most of what it holds.

    Parameters
    ----------
    groups
        Group of each row.
    strata
        Class of each row, whose shares are to be alike in all splits; None for numbers.
    shares
        Share of the rows of `validation` and `test`; the rest is `train`.
    seed
        Of the order of equally large groups.

    Raises
    ------
    InputError
        A group holds more than half of the rows, so that no split can part them.
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    rows = len(group)
    sizes = np.bincount(group)
    if (len(sizes) > 1 and sizes.max() > WHOLE * rows) or len(sizes) == 1:
        raise InputError(
            f"one group holds {sizes.max():,} of {rows:,} rows, so that they cannot be split",
            where=where,
            fix="Hold out by another property (column: number of mutations, position), or say by: random.",
        )
    _, stratum = np.unique(np.zeros(rows) if strata is None else np.asarray(strata), return_inverse=True)
    classes = int(stratum.max()) + 1
    names = ("train", *[name for name in SPLITS[1:] if shares.get(name)])
    wanted = np.array([1 - sum(shares.get(name, 0) for name in SPLITS[1:]), *(shares[name] for name in names[1:])])
    totals = np.bincount(stratum, minlength=classes)
    lacking = wanted[:, None] * totals  # [splits, classes]
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    content = np.zeros((len(sizes), classes), np.int64)
    np.add.at(content, (group, stratum), 1)
    owner = np.zeros(len(sizes), np.int64)
    several = order[sizes[order] > 1]
    for one in several:
        held = content[one]
        # What would be lacking of these classes, as a part of what the split is to have of them.
        short = (lacking @ held) / (wanted * (totals @ held))
        owner[one] = int(np.argmax(short))
        lacking[owner[one]] -= held
    singles = order[len(several) :]
    kind = content[singles].argmax(axis=1)
    for one in range(classes):
        own = singles[kind == one]
        owner[own] = _filled(np.maximum(lacking[:, one], 0), wanted, len(own))
    return np.array(names, object)[owner[group]]


def _filled(lacking: NDArray, wanted: NDArray, count: int) -> NDArray[np.int64]:
    """Return the split of `count` single rows, so that what each split lacks is filled as evenly as can be."""
    weights = lacking if lacking.sum() > 0 else wanted
    counts = np.floor(weights / weights.sum() * count).astype(np.int64)
    rest = np.argsort(-(weights / weights.sum() * count - counts), kind="stable")
    counts[rest[: count - counts.sum()]] += 1
    return np.repeat(np.arange(len(weights)), counts)


def needs_near_copies(rows: pd.DataFrame, splits: Mapping[str, Any]) -> bool:
    """Return whether rows are divided by their near copies, or a missing validation split may be taken out by them."""
    by = splits.get("by", "given")
    return by == "similarity" or (by == "given" and "split" in rows and not (rows["split"] == "validation").any())


def split_rows(
    rows: pd.DataFrame,
    splits: Mapping[str, Any],
    strata: ArrayLike | None,
    packed: Packed | None = None,
    near: NearPairs | None = None,
    contigs: Mapping[str, int] | None = None,
    cores: int = 1,
) -> Split:
    """Return the split of every row by the scheme that the settings name; the same in every process.

    Parameters
    ----------
    rows
        `split` (as given), `chrom`, `start`, `end`, `group`, and any column to hold out by.
    splits
        `by`: one of `SCHEMES`; `seed`; `validation` and `test`: shares, or names of contigs or values; `column`; of blocks
        `block` and `gap`.
    strata
        Class of each row; None for numbers.
    packed, near
        Sequences and their near copies, for `similarity` and `homology`.
    contigs
        Lengths of the genome's contigs, for `block`.

    Raises
    ------
    InputError
        The rows lack what the scheme needs, or cannot be parted by it.
    """
    by, seed = splits.get("by", "given"), int(splits.get("seed", 0))
    if by not in SCHEMES:
        raise InputError(f"no way to split {by!r}", where="splits.by", fix=f"Give {', '.join(SCHEMES)}.")
    if by == "given":
        if "split" not in rows:
            what = "the data set comes without a split"
            raise InputError(what, where="splits.by: given", fix="Say by: similarity, contig, group or random.")
        return carve_validation(rows["split"].to_numpy(object), rows, near and near.component, strata, seed=seed)
    if by == "random":
        return Split(
            by_random(strata, len(rows), _shares(splits), seed), ["random rows: copies of each other may be parted"]
        )
    if by == "contig":
        return by_contig(rows, splits, seed, strata)
    if by == "block":
        return by_block(rows, splits, contigs or {})
    if by in ("column", "group"):
        name = splits.get("column", "group")
        if name not in rows:
            raise InputError(
                f"no column {name!r}", where="splits.column", fix=f"The rows have {some(map(str, rows), 8)}."
            )
        missing = (rows[name].isna() | (rows[name].astype(str).str.strip() == "")).to_numpy()
        if missing.any():
            row = rows["row"].iloc[int(missing.argmax())] if "row" in rows else int(missing.argmax()) + 1
            what = f"row {row} has no {name}" + (f" (nor {int(missing.sum()) - 1:,} more)" if missing.sum() > 1 else "")
            raise InputError(what, where="splits.column", fix="Give every row one, or say by: similarity.")
        if by == "column":
            return by_column(rows[name], splits, seed, strata)
        return by_group(spelled_alike(rows[name]).to_numpy(object), splits, seed, strata, f"values of {name}")
    if packed is None:
        raise InputError("no sequences to compare", where=f"splits.by: {by}", fix="Give the genome, or say by: contig.")
    identity = consensus_identity(packed)
    if identity > LIBRARY:
        what = f"all rows are variants of one sequence ({identity:.0%} alike): one component that cannot be parted"
        raise InputError(
            what, where=f"splits.by: {by}", fix="Hold out by number of mutations or by position (by: column)."
        )
    if by == "homology":
        return by_group(
            homology_clusters(packed, cores=cores), splits, seed, strata, "clusters of homologous sequences"
        )
    near = near or near_pairs(packed, suited_k(packed.lengths), cores=cores)
    return by_group(near.component, splits, seed, strata, "components of near copies")


def by_random(strata: ArrayLike | None, rows: int, shares: Mapping[str, float], seed: int) -> NDArray[np.object_]:
    """Deal single rows, stratified by class."""
    return deal(np.arange(rows), strata, shares, seed)


def by_contig(rows: pd.DataFrame, splits: Mapping[str, Any], seed: int, strata: ArrayLike | None) -> Split:
    """Hold out whole contigs: those that are named, or enough drawn ones for the shares."""
    _require_coordinates(rows, "contig")
    named = {name: list(splits[name]) for name in SPLITS if isinstance(splits.get(name), list | tuple)}
    if not named:
        found = deal(rows["chrom"].to_numpy(object), strata, _shares(splits), seed)
        parts = [f"{name}: {some(sorted(set(rows['chrom'][found == name])), 30)}" for name in SPLITS[1:]]
        return Split(found, [f"contigs drawn for {'; '.join(parts)}"])
    owner: dict[str, str] = {}
    for name, contigs in named.items():
        for contig in map(str, contigs):
            if contig in owner:
                what = f"contig {contig!r} is in {owner[contig]} and in {name}"
                raise InputError(what, where=f"splits.{name}", fix="Name it once.")
            owner[contig] = name
    known = set(rows["chrom"])
    absent = [contig for contig in owner if contig not in known]
    if absent:
        has = f"They lie on {some(sorted(known))}."
        raise InputError(f"no row lies on contig {some(absent)}", where="splits", fix=has)
    other = "train" if "train" not in named else None
    found = rows["chrom"].map(owner).astype(object)
    found = found.where(found.notna(), other).to_numpy(object)
    left = int(pd.isna(found).sum())
    return Split(np.where(pd.isna(found), None, found), [f"{left:,} rows lie on contigs of no split"] if left else [])


def by_block(rows: pd.DataFrame, splits: Mapping[str, Any], contigs: Mapping[str, int]) -> Split:
    """Hold out blocks along the contigs, with gaps; rows in a gap or across a border are left out and counted."""
    _require_coordinates(rows, "block")
    used = {name: length for name, length in contigs.items() if name in set(rows["chrom"])}
    table = rows[["chrom", "start", "end"]].assign(row=np.arange(len(rows)))
    longest = int((rows["end"] - rows["start"]).max())
    assigned, counts = assign_splits(table, {**splits, "by": "block"}, used, min(longest, int(splits["gap"])))
    found = np.full(len(rows), None, object)
    found[assigned["row"].to_numpy()] = assigned["split"].to_numpy(object)
    return Split(found, [f"{counts['between_splits']:,} rows lie in a gap or on a border of blocks and are left out"])


def by_column(column: pd.Series, splits: Mapping[str, Any], seed: int, strata: ArrayLike | None) -> Split:
    """Hold out the values of a column that are named, or drawn ones for the shares.

    Raises
    ------
    InputError
        A value that is named stands in no row.
    """
    named = {name: [str(value) for value in splits[name]] for name in SPLITS if isinstance(splits.get(name), list)}
    text = column.astype(str)
    if not named:
        return Split(deal(text.to_numpy(object), strata, _shares(splits), seed), [])
    owner = {value: name for name, values in named.items() for value in values}
    absent = [value for value in owner if value not in set(text)]
    if absent:
        has = f"It holds {some(sorted(set(text)))}."
        raise InputError(f"no row with {column.name} = {some(absent)}", where="splits", fix=has)
    found = text.map(owner).astype(object)
    return Split(found.where(found.notna(), None if "train" in named else "train").to_numpy(object), [])


def by_group(groups: ArrayLike, splits: Mapping[str, Any], seed: int, strata: ArrayLike | None, what: str) -> Split:
    """Keep groups (near copies, samples, clusters) together; large ones are mentioned."""
    sizes = pd.Series(np.asarray(groups)).value_counts()
    notes = [f"{len(sizes):,} {what} are dealt whole"]
    if sizes.iloc[0] > LARGE * len(np.asarray(groups)):
        notes.append(f"the largest of them holds {sizes.iloc[0]:,} rows ({sizes.iloc[0] / sizes.sum():.0%})")
    return Split(deal(groups, strata, _shares(splits), seed), notes)


def carve_validation(
    split: NDArray[np.object_],
    rows: pd.DataFrame,
    component: NDArray | None,
    strata: ArrayLike | None,
    share: float = 0.1,
    seed: int = 0,
) -> Split:
    """Take a validation split out of the training rows if there is none: never out of the test rows.

    Whole contigs where rows have coordinates on five or more, else components of near copies, else random rows.
    """
    train = np.flatnonzero(split == "train")
    if (split == "validation").any() or not len(train):
        return Split(split, [])
    strata = None if strata is None else np.asarray(strata)[train]
    contigs = rows["chrom"].to_numpy(object)[train] if "chrom" in rows else np.zeros(len(train))
    component = None if component is None else component[train]
    # A share of whole contigs is coarse: with few of them, one may be a third of the data.
    sizes = pd.Series(contigs).value_counts(normalize=True)
    if len(sizes) >= 5 and sizes.iloc[-1] <= 2 * share:
        groups, unit = contigs, "whole contigs"
    elif component is not None and np.bincount(component).max() <= WHOLE * len(train):
        groups, unit = component, "near copies together"
    else:
        groups, unit = np.arange(len(train)), "random rows"
    found = split.copy()
    found[train] = deal(groups, strata, {"validation": share}, seed)
    taken = int((found == "validation").sum())
    return Split(found, [f"validation: {taken:,} of {len(train):,} training rows ({unit})"])


def _shares(splits: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(splits.get(name) or 0) for name in SPLITS[1:]}


def _require_coordinates(rows: pd.DataFrame, scheme: str) -> None:
    if "chrom" not in rows:
        what = f"by: {scheme}, but the rows have no chrom, start and end"
        raise InputError(what, where="splits.by", fix="Give them, or say by: similarity.")


def describe_split(split: NDArray[np.object_], names: Sequence[str] = SPLITS) -> str:
    """Say how many rows each split has."""
    return ", ".join(f"{name} {int((split == name).sum()):,}" for name in names)
