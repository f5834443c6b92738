"""Contigs that a study splits by and of which a track has no value: they would be learnt and scored as silence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glmflow.bigwig import BigWig, Runs
from glmflow.errors import InputError
from glmflow.genome.contigs import ContigNames, some

EXPECTED = 1_000
"""Bases that a contig would have a value for, did it have its share: where they are fewer, having none is no surprise."""
SAMPLED = 256
"""Sections of a file, at most, that tell how many of its bases have a value."""


class Uncovered(NamedTuple):
    """The contigs of one split of which one file has no value.

    `whole` says that they are all contigs of the split.
    """

    track: str
    path: Path
    split: str
    contigs: list[str]
    whole: bool

    def error(self) -> InputError:
        """Return what is wrong in one line."""
        which = "any contig" if self.whole else "contig" + "s" * (len(self.contigs) > 1)
        return InputError(
            f"no value on {which} of splits.{self.split} ({some(self.contigs)}): it would count as silence",
            where=self.path,
            fix=f"Give a file of {self.track} that has them, or take them out of the split.",
        )


def uncovered_contigs(
    tracks: Mapping[str, Sequence[str | os.PathLike[str]]],
    splits: Mapping[str, Sequence[str]],
    lengths: Mapping[str, int],
) -> list[Uncovered]:
    """Return the files that have no value on some contigs of a split, by track, file and split.

    A contig counts where its share of the file's values would be at least 1,000 bases, so that scaffolds without a read
    are not held against a track. Values of 0 are no values: some programs write them throughout.

    Parameters
    ----------
    tracks
        bigWig files, by track.
    splits
        Contigs of each split, as the genome names them.
    lengths
        Length of every contig of the genome.

    Raises
    ------
    InputError
        As `BigWig`.
    """
    found = []
    for track, paths in tracks.items():
        for path in map(Path, paths):
            named = {chrom: lengths[chrom] for contigs in splits.values() for chrom in contigs}
            lacking = contigs_without_values(path, named)
            for split, contigs in splits.items():
                if mine := [chrom for chrom in contigs if chrom in lacking]:
                    found.append(Uncovered(track, path, split, mine, len(mine) == len(contigs)))
    return found


def contigs_without_values(path: str | os.PathLike[str], contigs: Mapping[str, int]) -> list[str]:
    """Return those of some contigs (with their lengths) on which a track has nothing but zeros, though it should not.

    Of each contig as much is read as it takes to find a value; what a contig should have is estimated from a sample.
    """
    with BigWig(path) as file:
        theirs = ContigNames(file.contigs)
        names = {chrom: theirs.find(chrom) for chrom in contigs}
        silent = [chrom for chrom, name in names.items() if name is None or not _has_value(file, name)]
        share = _share_with_values(file) if silent else 0.0
    return [chrom for chrom in silent if share * contigs[chrom] >= EXPECTED]


def _has_value(file: BigWig, chrom: str) -> bool:
    """Return whether a contig has a value other than 0."""
    return any(_values(runs) for runs in file.runs(chrom, 0, file.contigs[chrom]))


def _values(runs: Runs) -> int:
    """Return how many bases of some runs have a value other than 0."""
    return int((runs.ends - runs.starts)[np.isfinite(runs.values) & (runs.values != 0)].sum())


def _share_with_values(file: BigWig) -> float:
    """Return the share of bases with a value on the contigs that have data; 1 where none has."""
    sections = file.listed()
    if not sections:
        return 1.0
    sample = sections[:: -(-len(sections) // SAMPLED)]
    values = sum(_values(runs) for section in sample for runs in file.runs(*section))
    covered = sum(file.contigs[chrom] for chrom in {chrom for chrom, _, _ in sections})
    return values / len(sample) * len(sections) / covered or 1.0
