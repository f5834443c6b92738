"""Tracks that are one signal under two names: copied, scaled, negated, rounded, noisy, transformed, shifted, binned."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.bigwig import BigWig
from glmflow.genome.contigs import ContigNames
from glmflow.tracks.binned import Binned, grid_of, in_bins, of_finer
from glmflow.tracks.noisy_values import Noise, noise_or_transformation
from glmflow.tracks.shingles import Candidate, candidates

PLACES = 48
"""Sections of each of two files whose neighbourhood is compared before all of both is."""
WIDTH = 1 << 13
"""Bases of such a place."""
PIECE = 1 << 20
"""Bases that are compared at once."""
EDGES = 24
"""Changes of value of a contig's places at least that say what two tracks have to do with each other."""
TEXT = 2e-5
"""Relative error of values that went through text, which keeps six digits."""
NOISY = ("noisy", "noisy transformation")
COLUMNS = ["file_a", "file_b", "between", "relation", "factor", "noise", "shift", "bin", "contigs", "share", "bases"]


class Relation(NamedTuple):
    """What one signal is of another: `same`, `scaled`, `negated`, `rounded`, `noisy`, `transformed`; `b` = `factor` times `a`.

    `resolution` is what rounded values are multiples of, `noise` the share of each value that was laid on it, and what one of
    both was transformed by beside that (`noisy transformation`).
    """

    name: str
    factor: float
    resolution: float = 0.0
    noise: Noise = Noise(1.0, 0.0)


def same_signals(
    tracks: Mapping[str, tuple[str, str, Sequence[str | os.PathLike[str]]]], contigs: Mapping[str, int]
) -> pd.DataFrame:
    """Return the pairs of files that hold one signal, a row a pair.

    Pairs that share the shape of their coverage (`glmflow.tracks.shingles`) are compared in a sample of places, contig
    by contig, and where these agree, at every base of the contigs that agree. Of several copies of one file each is
    compared with the first. Tracks of fewer than some 50 stretches of one value are too little to tell.

    Parameters
    ----------
    tracks
        Biosample, strand (`+`, `-` or `.`) and bigWig files of each track.
    contigs
        Length of every contig of the genome.

    Returns
    -------
    DataFrame
        `file_a`, `file_b`; `between`: `replicates` of one track, `strands` of one biosample, or `biosamples`;
        `relation`: `same` (however it is encoded), `scaled`, `negated`, `rounded` (after scaling), `noisy` (after scaling),
        `noisy transformation` (of either one: root, logarithms), `transformed` (another value for each value, in their order
        or its reverse); `factor` that turns the first into the second (NaN where transformed); `noise`, its standard
        deviation as a share of the values; `shift` in bases; `bin`, bases of the bins of the second in which the first is
        compared (1: none); `contigs` on which they are one, `all` or a list; `share` of `bases` that have a value in either
        there.

    Raises
    ------
    InputError
        As `BigWig`.
    """
    paths = [Path(path) for _, _, files in tracks.values() for path in files]
    owner = [(label, *track[:2]) for label, track in tracks.items() for _ in track[2]]
    if len(paths) < 2:
        return pd.DataFrame(columns=COLUMNS)
    copy_of: dict[int, int] = {}
    rows = []
    for candidate, width, found in _found(paths, contigs, copy_of):
        a, b = candidate.a, candidate.b
        if found["contigs"] == "all":
            copy_of[max(a, b)] = copy_of.get(min(a, b), min(a, b))
        between = between_of(owner[a], owner[b])
        rows.append({"file_a": str(paths[a]), "file_b": str(paths[b]), "between": between, "bin": width, **found})
    return pd.DataFrame(rows, columns=COLUMNS)


def _found(
    paths: Sequence[Path], contigs: Mapping[str, int], copy_of: Mapping[int, int]
) -> Iterator[tuple[Candidate, int, dict]]:
    """Yield pairs of one signal, the bins they are compared in (1: none), and the last columns of `same_signals`."""
    grids = [grid_of(path) for path in paths]
    both = [(one, 1) for one in candidates(paths)]
    for candidate, width in [*both, *((Candidate(*pair, 0), grids[pair[1]].width) for pair in of_finer(grids))]:
        a, b = candidate.a, candidate.b
        if copy_of.get(a, a) == copy_of.get(b, b):
            continue
        with BigWig(paths[a], 1 << 22) as first, BigWig(paths[b], 1 << 22) as second:
            for one, shift in [(first, candidate.shift)] if width == 1 else in_bins(first, second, grids[b]):
                found = _compared(one, second, candidate._replace(shift=shift), contigs)
                # Noise of reads is independent from one wide bin to the next, as noise that someone adds is.
                if found is not None and (width == 1 or found["relation"] not in NOISY):
                    yield candidate, width, found
                    break


def sentence(row: Mapping[str, object]) -> str:
    """Return what a row of `same_signals` says, in a line."""
    what = {
        "same": "the same values as",
        "scaled": f"{row['factor']:.6g} times",
        "negated": "the negative of",
        "rounded": f"{row['factor']:.6g} times the rounded values of",
        "noisy": f"{row['factor']:.3g} times, with {row['noise']:.0%} of noise on every value,",
        "noisy transformation": f"a root or logarithm, with {row['noise']:.0%} of noise on every value, of (or is what it is of)",
        "transformed": "a transformation of",
    }[str(row["relation"])]
    moved = f", {row['shift']:+d} bases along" if row["shift"] else ""
    moved += f", in bins of {row['bin']:,} bases" if row["bin"] > 1 else ""
    where = "" if row["contigs"] == "all" else f" on {row['contigs']}"
    return f"{row['file_b']} holds {what} {row['file_a']}{moved}{where}: one measurement under two names"


def between_of(a: tuple[str, str, str], b: tuple[str, str, str]) -> str:
    """Return what two files should differ in: label, biosample and strand of each are given."""
    if a[0] == b[0]:
        return "replicates"
    return "strands" if a[1] == b[1] and a[2] != b[2] else "biosamples"


def _compared(first: BigWig | Binned, second: BigWig, candidate: Candidate, contigs: Mapping[str, int]) -> dict | None:
    """Return what two files have to do with each other: the last columns of `same_signals`; None where nothing."""
    names = [
        {chrom: known.find(chrom) for chrom in contigs} for known in map(ContigNames, (first.contigs, second.contigs))
    ]
    for shift in dict.fromkeys((candidate.shift, 0)):
        relations = {
            chrom: relation
            for chrom, x, y in _sampled(first, second, names, shift)
            if (relation := relation_between(x, y)) is not None
        }
        if relations:
            break
    else:
        return None
    kind = Counter(relation.name for relation in relations.values()).most_common(1)[0][0]
    like = {chrom: relation for chrom, relation in relations.items() if relation.name == kind}
    total = agreeing = 0
    alike = []
    for chrom, length in contigs.items():
        # A contig of too few places to tell is judged by what the others say.
        relation = like.get(chrom) or next(iter(like.values()))
        bases, equal = _agreement(first, second, names, (chrom, length), shift, relation)
        if bases and equal >= 0.5 * bases:
            alike.append(chrom)
            total, agreeing = total + bases, agreeing + equal
        elif bases:
            alike.append("")
    if not total:
        return None
    relation = next(iter(like.values()))
    return {
        "relation": relation.name,
        "factor": relation.factor,
        "noise": relation.noise.sd,
        "shift": shift,
        "contigs": "all" if all(alike) else ", ".join(filter(None, alike)),
        "share": agreeing / total,
        "bases": total,
    }


def _sampled(
    first: BigWig | Binned, second: BigWig, names: Sequence[Mapping[str, str | None]], shift: int
) -> Iterator[tuple[str, NDArray, NDArray]]:
    """Yield the values of both files at places around the data of each, contig by contig."""
    places: dict[str, set[int]] = {}
    for file, known, moved in ((first, names[0], 0), (second, names[1], shift)):
        ours = {theirs: chrom for chrom, theirs in known.items() if theirs}
        sections = file.listed()
        for n in np.unique(np.linspace(0, len(sections) - 1, PLACES).astype(int)) if sections else []:
            chrom, start, end = sections[n]
            places.setdefault(ours[chrom], set()).add((max(start, (start + end - WIDTH) // 2) - moved) // WIDTH)
    for chrom, numbers in places.items():
        if names[0][chrom] and names[1][chrom]:
            pairs = [_values(first, second, names, chrom, n * WIDTH, (n + 1) * WIDTH, shift) for n in sorted(numbers)]
            yield chrom, *map(np.concatenate, zip(*pairs))


def _values(
    first: BigWig | Binned,
    second: BigWig,
    names: Sequence[Mapping[str, str | None]],
    chrom: str,
    start: int,
    end: int,
    shift: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the values of both files over a stretch of the first, 0 where there is none."""
    both = []
    for file, known, moved in ((first, names[0], 0), (second, names[1], shift)):
        name, values = known[chrom], np.zeros(end - start, np.float32)
        if name:
            low = min(max(start + moved, 0), file.contigs[name])
            high = max(min(end + moved, file.contigs[name]), low)
            values[low - start - moved : high - start - moved] = file.values(name, low, high)
        both.append(np.nan_to_num(values, posinf=0, neginf=0))
    return both[0], both[1]


def relation_between(x: NDArray[np.float32], y: NDArray[np.float32]) -> Relation | None:
    """Return what the values of a second track are of those of a first, base by base; None where they are independent.

    Parameters
    ----------
    x, y
        Values of the same bases, 0 where there is none.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    both = (x != 0) & (y != 0)
    if not both.any():
        return None
    whole = x, y
    factor = float(np.median(y[both] / x[both]))
    # Zeros count where they are all alike; else a copy may lack what a blacklist took out, or what rounds to 0.
    exact = np.abs(y - factor * x) <= TEXT * np.abs(y)
    if not exact.all():
        x, y, exact = x[both], y[both], exact[both]
    if np.count_nonzero((np.diff(x) != 0) | (np.diff(y) != 0)) < EDGES:
        return None
    if exact.all():
        return Relation("same" if abs(factor - 1) < TEXT else "negated" if abs(factor + 1) < TEXT else "scaled", factor)
    if min(len(np.unique(x)), len(np.unique(y))) < EDGES / 4:
        return None
    if not _monotone(x, y):
        noise = noise_or_transformation(*whole)
        return None if noise is None else Relation(NOISY[bool(noise.undone)], noise.factor, noise=noise)
    factor = float((x * y).sum() / (x * x).sum())
    resolution = max(_resolution(y), abs(factor) * _resolution(x))
    if (np.abs(y - factor * x) <= 0.51 * resolution + TEXT * np.abs(y)).all():
        return Relation("rounded", factor, resolution)
    return Relation("transformed", np.nan)


def _resolution(x: NDArray[np.float64]) -> float:
    """Return the least difference between two values."""
    values = np.unique(x)
    return float(np.diff(values).min()) if len(values) > 1 else 0.0


def _monotone(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Return whether no base has more than another in one track and less in the other, or always so."""
    for sign in (1, -1):
        order = np.lexsort((sign * y, x))
        steps = np.diff((sign * y)[order])
        if (steps >= -TEXT * np.abs(y[order][1:])).all():
            return True
    return False


def _agreement(
    first: BigWig | Binned,
    second: BigWig,
    names: Sequence[Mapping[str, str | None]],
    contig: tuple[str, int],
    shift: int,
    relation: Relation,
) -> tuple[int, int]:
    """Return the bases of a contig with a value in either file, and those of them where the relation holds."""
    chrom, length = contig
    bases = equal = 0
    for start in range(0, length, PIECE):
        end = min(start + PIECE, length)
        if not any(_has_data(file, known[chrom], start, end) for file, known in zip((first, second), names)):
            continue
        x, y = _values(first, second, names, chrom, start, end, shift)
        some = (x != 0) | (y != 0)
        x, y = x[some].astype(np.float64), y[some].astype(np.float64)
        bases += len(x)
        if relation.name == "transformed":
            equal += len(x) * _monotone(np.append(x, 0), np.append(y, 0))
        else:
            x, y = relation.noise.alike(x, y)
            noise = 5 * relation.noise.sd * np.abs(relation.factor * x)
            tolerance = 0.51 * relation.resolution + TEXT * np.abs(y) + noise
            equal += int((np.abs(y - relation.factor * x) <= tolerance).sum())
    return bases, equal


def _has_data(file: BigWig | Binned, chrom: str | None, start: int, end: int) -> bool:
    """Return whether a file lists data of a stretch."""
    return bool(chrom) and start < file.contigs[chrom] and len(file.sections(chrom, start, end)[0]) > 0
