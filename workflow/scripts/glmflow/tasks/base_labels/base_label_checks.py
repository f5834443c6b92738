"""What is wrong with labels of bases: classes that the test split lacks, and labels that fit other bases there than in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.labelled.audit_checks import Check
from glmflow.labelled.split_checks import FEWEST_OF_CLASS, SURE
from glmflow.tasks.base_labels.base_segments import UNSCORED

BASES, WINDOWS = 8_000_000, 50
"""Bases of a split that are looked at, in so many windows at least: those with several classes first, others at random."""
EDGES = 20
"""Starts, or ends, of a class in either split from which on their place is compared."""
AROUND, MOVED = 5, 3
"""Bases on either side of a start or end that are compared, and by how many it may have been moved."""
_CODE = np.full(256, -1, np.int8)
_CODE[list(b"ACGT")] = range(4)


def label_checks(
    genome: Reference, rows: pd.DataFrame, labels: NDArray[np.int8], classes: Sequence[str]
) -> Iterator[Check]:
    """Yield what is found of the labels of windows.

    Parameters
    ----------
    genome
        What the windows are read from.
    rows
        `chrom`, `start`, `end`, `split` of each window.
    labels, classes
        Classes of bases or bins, `[windows, bins]`, -1 where not scored, and their names.
    """
    split = rows["split"].to_numpy(object)
    yield _held_out(labels[split == "test"], classes)
    if not ((split == "train").any() and (split == "test").any()):
        return
    most = max(WINDOWS, BASES // int(rows["end"].iloc[0] - rows["start"].iloc[0]))
    chosen = [_chosen(np.flatnonzero(split == name), labels, most) for name in ("train", "test")]
    bases = [_bases(genome, rows.iloc[own]) for own in chosen]
    of_bin = bases[0].shape[1] // labels.shape[1]
    bases = [codes[:, : of_bin * labels.shape[1]] for codes in bases]
    wide = [np.repeat(labels[own], of_bin, axis=1) for own in chosen]
    yield _unlike(bases, wide, classes)
    if of_bin == 1:
        yield _displaced(bases, wide, classes)


def _held_out(test: NDArray[np.int8], classes: Sequence[str]) -> Check:
    """Return the classes that hardly any test window has."""
    windows = [int((test == index).any(axis=1).sum()) for index in range(len(classes))]
    few = [f"{name} {count}" for name, count in zip(classes, windows) if count < FEWEST_OF_CLASS]
    text = "every class has test windows"
    if few:
        text = f"test windows with a class are few or none ({', '.join(few[:10])}): nothing can be said of it"
    return Check("test windows of each class", len(few), len(classes), "WARN" if few else "PASS", text)


def _chosen(rows: NDArray[np.int64], labels: NDArray[np.int8], most: int) -> NDArray[np.int64]:
    """Return windows of a split: those with several classes first, where there are too many."""
    if len(rows) <= most:
        return rows
    drawn = np.random.default_rng(0).permutation(rows)
    several = labels[drawn].max(axis=1) != labels[drawn].min(axis=1)
    return np.sort(drawn[np.argsort(~several, kind="stable")][:most])


def _bases(genome: Reference, rows: pd.DataFrame) -> NDArray[np.int8]:
    """Return the bases of windows of one length, `[windows, L]`: 0 to 3, -1 for N."""
    return _CODE[fetch(genome, rows.assign(strand="+")).codes.reshape(len(rows), -1)]


def _unlike(bases: list[NDArray], labels: list[NDArray], classes: Sequence[str]) -> Check:
    """Return the classes whose bases in test windows look more like those of another class in training windows.

    By the 3-mers that bases of each class stand in, counted in half of the training windows: what these say of the other
    half is held beside what they say of test windows.
    """
    known, asked = (_threes(codes) for codes in bases)
    half = np.random.default_rng(0).permutation(len(known)) < len(known) // 2
    counts = np.ones((len(classes), 64))
    for index in range(len(classes)):
        counts[index] += np.bincount(known[half][(labels[0][half] == index) & (known[half] >= 0)], minlength=64)
    log = np.log(counts / counts.sum(axis=1, keepdims=True))
    said = []
    common = int(
        counts.sum(axis=1).argmax()
    )  # what most bases are follows the composition of the place: no swap without others
    for index, name in enumerate(classes):
        if index == common:
            continue
        parts = (known[~half], labels[0][~half]), (asked, labels[1])
        train, test = (_by_window(threes, own == index, log) for threes, own in parts)
        if min(len(train), len(test)) < FEWEST_OF_CLASS:
            continue
        other = max((one for one in range(len(classes)) if one != index), key=test.mean(axis=0).__getitem__)
        apart, there = (own[:, index] - own[:, other] for own in (train, test))
        error, other_error = (own.std(ddof=1) / np.sqrt(len(own)) for own in (apart, there))
        lost = apart.mean() - there.mean()
        if (
            apart.mean() > SURE * error
            and there.mean() < apart.mean() / 2
            and lost > SURE * np.hypot(error, other_error)
        ):
            said.append(f"{name} like {classes[other]}")
    text = "bases of each class look alike in training and test windows"
    if said:
        text = (
            f"bases of a class in test windows look like those of another in training windows ({', '.join(said[:5])}): "
            "labels swapped, or of other places?"
        )
    return Check("classes of test windows", len(said), len(classes), "WARN" if said else "PASS", text)


def _threes(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the 3-mer around each base, `[windows, L]`: 0 to 63; -1 at the ends and beside N."""
    around = np.full(codes.shape, -1, np.int8)
    left, middle, right = codes[:, :-2], codes[:, 1:-1], codes[:, 2:]
    fine = (left >= 0) & (middle >= 0) & (right >= 0)
    around[:, 1:-1] = np.where(fine, 16 * left + 4 * middle + right, -1)
    return around


def _by_window(threes: NDArray, mine: NDArray[np.bool_], log: NDArray) -> NDArray[np.float64]:
    """Return the mean log likelihood of the marked bases of each window that has some under each class, `[windows, classes]`."""
    used = mine & (threes >= 0)
    window, place = np.nonzero(used)
    count = used.sum(axis=1)
    sums = np.stack([np.bincount(window, one[threes[window, place]], len(threes)) for one in log], axis=1)
    return sums[count > 0] / count[count > 0, None]


def _displaced(bases: list[NDArray], labels: list[NDArray], classes: Sequence[str]) -> Check:
    """Return the class that begins, or ends, some bases before or behind where it does in training windows."""
    said: list[str] = []
    reach, moved = AROUND + MOVED, set()
    for index, name in enumerate(classes):
        for word, step in (("begins", 1), ("ends", -1)):
            around = [_around_edges(codes, own == index, own, step, reach) for codes, own in zip(bases, labels)]
            if min(map(len, around)) < EDGES:
                continue
            inner = around[0][:, MOVED : MOVED + 2 * AROUND + 1]
            counts = np.stack([(inner == base).sum(axis=0) for base in range(4)], axis=1) + 1.0
            odds = np.log(counts / counts.sum(axis=1, keepdims=True)) - np.log(counts.sum(axis=0) / counts.sum())
            places = np.arange(2 * AROUND + 1)
            score = np.stack(
                [odds[places, around[1][:, first : first + len(places)]].sum(axis=1) for first in range(2 * MOVED + 1)],
                axis=1,
            )  # [edges, moves]
            own = odds[places, inner].sum(axis=1).mean()
            best = int(score.mean(axis=0).argmax())
            gain = score[:, best] - score[:, MOVED]
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            if best != MOVED and gain.mean() > max(SURE * error, own / 2):
                move = (MOVED - best) * step
                moved.add(index)
                said.append(f"{name} {word} {abs(move)} {'later' if move > 0 else 'earlier'}")
    text = "classes begin and end at the same bases in training and test windows"
    if said:
        text = (
            f"by the bases around, labels of test windows are displaced against those of training windows ({', '.join(said[:4])}): "
            "one of them counts from 1?"
        )
    return Check("places of labels", len(moved), len(classes), "WARN" if said else "PASS", text)


def _around_edges(codes: NDArray, mine: NDArray[np.bool_], labels: NDArray, step: int, reach: int) -> NDArray[np.int64]:
    """Return the bases around each start (`step` 1) or, read backwards, each end (-1) of a run, `[edges, 2 reach + 1]`."""
    if step < 0:
        codes, mine, labels = codes[:, ::-1], mine[:, ::-1], labels[:, ::-1]
    begins = mine[:, 1:] & ~mine[:, :-1] & (labels[:, :-1] != UNSCORED)
    window, place = np.nonzero(begins)
    place = place + 1
    inside = (place >= reach) & (place < codes.shape[1] - reach)
    window, place = window[inside], place[inside]
    found = codes[window[:, None], place[:, None] + np.arange(-reach, reach + 1)]
    return found[(found >= 0).all(axis=1)]
