"""Whether held-out sequences are copies of training sequences, under whatever name, on whatever contig or strand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glmflow.genome.canonical import Sequence, as_bases, opposite_strand
from glmflow.genome.homology import MOST_COMMON, SHOWN
from glmflow.genome.similarity import (
    HOMOLOGOUS,
    NEAR,
    K,
    Sketches,
    covered,
    exact_copies,
    groups,
    joined_labels,
    near_copies,
    nearest,
    sketch,
)
from glmflow.genome.window_sequences import suited_sketch

from .audit import Audit, graded, named

FOUND_ELSEWHERE = 0.2
"""Share of a sequence's k-mers, in training sequences together, from which on it counts as found there."""


MOST_TURNED = 50_000_000
"""k-mers up to which sequences are compared backwards too but for substitutions, or with C read as T: it takes as long again."""
DISTANT, FEW_HOLD = 0.1, 3
"""Share of a sequence's k-mers, held by this many training sequences at most, from which on it is told from chance: a tenth
of its bases substituted, or shifted by four fifths."""
MANY_DISTANT = 0.05
"""Share of held-out sequences like that beyond which these are not the old repeats that real genomes hold (1 to 5 %)."""
HARDLY = 0.25
"""C beside G (or G beside C) up to which a sequence of `KNOWN` of both was converted, as by bisulfite."""
KNOWN = 16
MOST_SPACED = 20_000_000
"""k-mers up to which every second base of sequences is compared too: it takes three times as long."""
FEWEST_SHARED = 8
"""k-mers that every second base shares with a sequence at least: of two letters in turn it is one letter, which others hold."""
LEAKING = ("exact", "backwards", "near", "related", "converted", "spaced")
UNKNOWN = 0.05
"""Share of sequences without a k-mer from which on that is a warning."""


class Copies(NamedTuple):
    """Held-out sequences beside the training sequence that each is most like.

    Attributes
    ----------
    table
        A row a held-out sequence: `row` (its number among all), `split`, `nearest_training` (number of a training
        sequence; -1 where none shares a k-mer), `share` of k-mers, `identity_estimate`, `strand`, `relation` (`exact`,
        `backwards`, `near`, `related`, `converted`, `spaced`, `distant`, `repeat`, `none`) and `covered` (share of its
        k-mers that any training sequence holds).
    no_near_copy
        Of every sequence, whether it is held out and no training sequence is an exact, near or related copy of it.
    audits
        What it means.
    """

    table: pd.DataFrame
    no_near_copy: NDArray[np.bool_]
    audits: list[Audit]


def compare_splits(
    sequences: Collection[Sequence],
    split: ArrayLike,
    names: ArrayLike | None = None,
    training: tuple[str, ...] = ("train",),
    k: int | None = None,
    near: float = NEAR,
    related: float = HOMOLOGOUS,
    fraction: float | None = None,
    cores: int = 1,
) -> Copies:
    """Compare held-out sequences with those of training.

    Parameters
    ----------
    sequences
        Every sequence; gone through two or three times.
    split
        Split of each; what is in none of `training` is held out, except empty names and `predict`.
    names
        Names to call them by; their numbers where None.
    training
        Splits that are learned from: add `validation` where it chooses a model.
    k, fraction
        See `sketch`; chosen by the number of bases where None.
    near, related
        Shares of k-mers from which on a copy is a leak, and a warning.
    """
    split = np.asarray(split, dtype=str)
    learned = np.isin(split, training)
    held_out = ~learned & (split != "") & (split != "predict")
    sketches = suited_sketch(sequences, k, fraction, cores)
    queries, targets = sketches.of(held_out), sketches.of(learned)
    number = np.flatnonzero(learned)
    found = nearest(queries, targets, cores=cores)
    table = pd.DataFrame({"row": np.flatnonzero(held_out), "split": split[held_out]})
    table["nearest_training"] = np.append(number, -1)[found["target"]]
    table["share"], table["strand"] = found["share"], found["strand"]
    table["relation"] = _relations(queries, targets, found, near, related, cores)
    table["covered"] = covered(queries, targets)
    own = (table["relation"] == "none") & (table["share"] >= DISTANT) & (table["covered"] < FOUND_ELSEWHERE)
    table.loc[own & (covered(queries, targets, FEW_HOLD) >= DISTANT), "relation"] = "distant"
    if sketches.fraction == 1:  # windows of a whole genome: an exact copy shares all of its k-mers, so it is near
        copy = exact_copies(_and_backwards(sequences, held_out))
        _mark_exact(table, copy.iloc[: len(split)], learned)
        _mark_backwards(table, copy["copy"].to_numpy(), learned)
        if int(sketches.sizes.sum()) <= MOST_TURNED:
            _mark_nearly_backwards(table, sequences, sketches.k, number, related)
            _mark_converted(table, sequences, number, related)
        if int(sketches.sizes.sum()) <= MOST_SPACED:
            _mark_spaced(table, sequences, sketches.k, number, related)
    table["identity_estimate"] = table["share"] ** (1 / sketches.k)
    leaking = table["relation"].isin(LEAKING).to_numpy()
    clean = held_out.copy()
    clean[table["row"].to_numpy()[leaking]] = False
    shown = np.arange(len(split)) if names is None else np.asarray(names, dtype=object)
    audits = [*_audits(table, shown, near, related), *_unlike_any(table, queries.sizes == 0, sketches.k)]
    return Copies(table, clean, audits)


def homology_groups(
    sequences: Collection[Sequence], share: float = HOMOLOGOUS, k: int | None = None, cores: int = 1
) -> NDArray[np.int64]:
    """Return the group of each sequence, for splits in which no group is parted: copies and relatives are one.

    Parameters
    ----------
    sequences
        Every sequence; gone through twice.
    share
        Share of the smaller set of k-mers from which on two are related.
    """
    sketches = suited_sketch(sequences, k, cores=cores)
    label = groups(sketches, share, cores=cores)
    if sketches.fraction < 1:
        return label
    # Sequences too short for a k-mer are copies where they are equal.
    return joined_labels(_merged(label, exact_copies(sequences)["copy"].to_numpy()))


def _merged(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels that join what either of two labels joins."""
    if not len(one):
        return one
    shape = (int(one.max()) + 1, int(other.max()) + 1)
    edges = coo_array((np.ones(len(one), bool), (one, other + shape[0])), shape=(sum(shape),) * 2)
    return connected_components(edges, directed=False)[1][one]


def _relations(
    queries: Sketches, targets: Sketches, found: pd.DataFrame, near: float, related: float, cores: int
) -> NDArray[np.object_]:
    """Return what each query is to its nearest target by the k-mers they share."""
    relation = np.full(len(found), "none", dtype=object)
    pairs = near_copies(queries, targets, related, best=SHOWN, cores=cores).table
    repeat = pairs["common"] > MOST_COMMON
    for name, rows in (("repeat", repeat), ("related", ~repeat), ("near", ~repeat & (pairs["share"] >= near))):
        relation[pairs.loc[rows, "query"].unique()] = name
    return relation


def _mark_exact(table: pd.DataFrame, copy: pd.DataFrame, learned: NDArray[np.bool_]) -> None:
    """Mark the held-out sequences that equal a training sequence, read off either strand."""
    first = copy[learned].reset_index(names="place").drop_duplicates("copy").set_index("copy")
    own = copy.iloc[table["row"]].reset_index(drop=True)
    same = own["copy"].isin(first.index).to_numpy()
    source = first.loc[own.loc[same, "copy"]]
    table.loc[same, "nearest_training"] = source["place"].to_numpy()
    table.loc[same, ["share", "relation"]] = [1.0, "exact"]
    table.loc[same, "strand"] = np.where(source["strand"].to_numpy() == own.loc[same, "strand"].to_numpy(), "+", "-")


def _and_backwards(sequences: Iterable[Sequence], chosen: NDArray[np.bool_]) -> Iterator[Sequence]:
    """Yield sequences, then those chosen once more from their last base to their first."""
    yield from sequences
    yield from (sequence[::-1] for sequence, taken in zip(sequences, chosen) if taken)


def _mark_backwards(table: pd.DataFrame, copy: NDArray[np.int64], learned: NDArray[np.bool_]) -> None:
    """Mark the held-out sequences that are a training sequence backwards, or its complement: written 3' to 5'."""
    places = np.flatnonzero(learned)
    number, first = np.unique(copy[: len(learned)][places], return_index=True)
    own = copy[len(learned) :]
    at = np.searchsorted(number, own).clip(0, max(0, len(number) - 1))
    same = (number[at] == own) & ~table["relation"].isin(["exact", "near"]).to_numpy()
    table.loc[same, "nearest_training"] = places[first[at[same]]]
    table.loc[same, ["share", "relation"]] = [1.0, "backwards"]


def _mark_nearly_backwards(
    table: pd.DataFrame, sequences: Collection[Sequence], k: int, learned: NDArray[np.int64], share: float
) -> None:
    """Mark the held-out sequences of which the reverse (no complement) shares this part of its k-mers with one of training."""
    rest = table.index[~table["relation"].isin(LEAKING)]
    asked, known = set(table.loc[rest, "row"]), set(learned.tolist())
    both = chain(
        (own for row, own in enumerate(sequences) if row in known),
        (own[::-1] for row, own in enumerate(sequences) if row in asked),
    )
    sketches = sketch(both, k, count=len(known) + len(asked))
    turned = np.arange(len(sketches)) >= len(known)
    pairs = near_copies(sketches.of(turned), sketches.of(~turned), share, best=1).table
    pairs = pairs[pairs["common"] <= MOST_COMMON].drop_duplicates("query")
    found = rest[pairs["query"]]
    table.loc[found, "nearest_training"] = learned[pairs["target"]]
    table.loc[found, "share"], table.loc[found, "relation"] = pairs["share"].to_numpy(), "backwards"


def _mark_converted(
    table: pd.DataFrame, sequences: Collection[Sequence], learned: NDArray[np.int64], share: float
) -> None:
    """Mark the held-out sequences that share this part of their k-mers with one of training where every C is read as T.

    Only those are compared of which one hardly holds any C, or any G, beside the other.
    """
    rest = table.index[~table["relation"].isin(LEAKING)]
    asked, known = set(table.loc[rest, "row"]), set(learned.tolist())
    few = [_converted_strand(own) if row in asked or row in known else 0 for row, own in enumerate(sequences)]
    if not any(few):
        return
    if not any(few[row] for row in known):
        rest = rest[[few[row] != 0 for row in table.loc[rest, "row"]]]
        asked = set(table.loc[rest, "row"])
    both = chain(
        (one for row, own in enumerate(sequences) if row in known for one in (own, opposite_strand(as_bases(own)))),
        (own if few[row] >= 0 else opposite_strand(as_bases(own)) for row, own in enumerate(sequences) if row in asked),
    )
    sketches = sketch((_read_as_t(own) for own in both), K, count=2 * len(known) + len(asked))
    asking = np.arange(len(sketches)) >= 2 * len(known)
    pairs = near_copies(sketches.of(asking), sketches.of(~asking), share, best=1).table
    pairs = pairs[(pairs["common"] <= MOST_COMMON) & (pairs["strand"] == "+")].drop_duplicates("query")
    found = rest[pairs["query"]]
    table.loc[found, "nearest_training"] = learned[pairs["target"] // 2]
    table.loc[found, "share"], table.loc[found, "relation"] = pairs["share"].to_numpy(), "converted"


def _mark_spaced(
    table: pd.DataFrame, sequences: Collection[Sequence], k: int, learned: NDArray[np.int64], share: float
) -> None:
    """Mark the held-out sequences that are, in this part of their k-mers, every second base of one of training, or hold it so.

    The second is a sequence base by base in turn with another one, whatever that is.
    """
    rest = table.index[~table["relation"].isin(LEAKING)]
    asked, known = set(table.loc[rest, "row"]), set(learned.tolist())
    for halved, whole, queries_halved in ((asked, known, True), (known, asked, False)):
        both = chain(
            (one for row, own in enumerate(sequences) if row in halved for one in (own[::2], own[1::2])),
            (own for row, own in enumerate(sequences) if row in whole),
        )
        sketches = sketch(both, k, count=2 * len(halved) + len(whole))
        halves = np.arange(len(sketches)) < 2 * len(halved)
        asking = halves if queries_halved else ~halves
        pairs = near_copies(sketches.of(asking), sketches.of(~asking), share, best=1).table
        pairs = pairs[(pairs["common"] <= MOST_COMMON) & (pairs["shared"] >= FEWEST_SHARED)]
        pairs = pairs.sort_values("share", ascending=False, kind="stable")
        query, target = (
            pairs[name].to_numpy() // (2 if of_halves else 1)
            for name, of_halves in (("query", queries_halved), ("target", not queries_halved))
        )
        _, first = np.unique(query, return_index=True)
        found = rest[query[first]]
        table.loc[found, "nearest_training"] = learned[target[first]]
        table.loc[found, "share"], table.loc[found, "relation"] = pairs["share"].to_numpy()[first], "spaced"


def _converted_strand(sequence: Sequence) -> int:
    """Return 1 where C was converted on the strand that is given, -1 on the other one, 0 where it was not."""
    bases = as_bases(sequence)
    c, g = (int(np.count_nonzero(bases == ord(letter))) for letter in "CG")
    if c + g < KNOWN or min(c, g) > HARDLY * max(c, g):
        return 0
    return 1 if c < g else -1


def _read_as_t(sequence: Sequence) -> NDArray[np.uint8]:
    """Return a sequence with every C read as T."""
    bases = as_bases(sequence)
    return np.where(bases == ord("C"), np.uint8(ord("T")), bases)


def _unlike_any(table: pd.DataFrame, without: NDArray[np.bool_], k: int) -> Iterable[Audit]:
    """Yield of each held-out split how many sequences hold no k-mer, so that only equal ones are found."""
    for split, rows in table.groupby("split", sort=True).indices.items():
        share = float(without[rows].mean())
        text = f"{int(without[rows].sum()):,} of {len(rows):,} {split} sequences hold no {k} known bases in a row: "
        yield graded(
            "sequences that cannot be compared", share, f"{text}only equal ones are found", split, warn=UNKNOWN
        )


def _audits(table: pd.DataFrame, names: NDArray, near: float, related: float) -> Iterable[Audit]:
    """Yield what the relations of each held-out split mean."""
    for split, part in table.groupby("split", sort=True):
        count = len(part)
        for relation, what, limits in (
            ("exact", "equal a training sequence, read off either strand", {"fail": 0}),
            ("backwards", "are (nearly) a training sequence backwards, or its complement: 3' to 5'", {"warn": 0}),
            ("near", f"share {near:.0%} of their k-mers or more with a training sequence", {"fail": 0}),
            ("related", f"share {related:.0%} of their k-mers or more with a training sequence", {"warn": 0}),
            ("converted", "share as much with one where every C is read as T, as bisulfite does", {"warn": 0}),
            ("spaced", "are (nearly) every second base of one, or one base by base in turn with another", {"warn": 0}),
            ("distant", f"share {DISTANT:.0%} of them, as copies that are a tenth substituted", {"warn": MANY_DISTANT}),
            ("repeat", "are like training sequences by repeats, which is no leak", {"warn": 0.5}),
        ):
            rows = part[part["relation"] == relation]
            rows = rows.sort_values("share", ascending=False, kind="stable")  # the clearest are named
            pairs = [
                f"{names[own]} ({names[other]}, {strand})"
                for own, other, strand in zip(rows["row"], rows["nearest_training"], rows["strand"])
            ]
            sentence = f"{len(rows):,} of {count:,} {split} sequences {what}"
            sentence += f": {named(pairs)}" if pairs else ""
            figure = len(rows) / count if relation in ("distant", "repeat") else len(rows)
            yield graded(f"{relation} copies", figure, sentence, split, **limits)
        rest = part[~part["relation"].isin([*LEAKING, "distant", "repeat"])]
        within = rest[rest["covered"] >= FOUND_ELSEWHERE]
        sentence = f"{len(within):,} of {count:,} {split} sequences are put together from parts of training sequences"
        sentence += f": {named([str(names[row]) for row in within['row']])}" if len(within) else ""
        yield graded("parts of training sequences", len(within), sentence, split, warn=0)
