"""What looking up the most similar training sequence predicts: a copy in training cannot score without being seen here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glmflow.genome.canonical import Sequence as Bases
from glmflow.genome.canonical import canonical_kmers, coded
from glmflow.genome.reference import Reference
from glmflow.genome.similarity import HOMOLOGOUS, nearest
from glmflow.genome.window_sequences import WindowSequences, suited_sketch
from glmflow.training.inputs.cohort_genes import Gene

ALIKE = 0.05
"""Share of a window's k-mers from which on another one is like it: windows hold copied genes, and are rarely copied whole."""
LEAST_PLACED = 5
"""Fewest k-mers, each unique in its window, that have to lie one over another for a copy to have a place."""
PLACE = ["chrom", "start", "end"]


class Placed(NamedTuple):
    """Where a window lies over another: base `i` over `offset + i`, or on the other strand over `offset - i`."""

    offset: int
    strand: str


def nearest_training(
    sequences: Collection[Bases], known: ArrayLike, asked: ArrayLike, k: int | None = None, cores: int = 1
) -> pd.DataFrame:
    """Return of each sequence that is asked about the known one that shares most of its canonical k-mers.

    Parameters
    ----------
    sequences
        All of them.
    known, asked
        Numbers of sequences, or masks.
    k
        Length of a k-mer; chosen by the amount of sequence where None.

    Returns
    -------
    DataFrame
        A row a sequence asked about, in ascending order: `target` (number among the known ones in ascending order, -1
        where nothing is shared), `shared`, `share`, `strand`.
    """
    sketches = suited_sketch(sequences, k, cores=cores)
    return nearest(sketches.of(asked), sketches.of(known), cores=cores)


def donors(
    sequences: Collection[Bases], known: NDArray[np.bool_], share: float | None = None, cores: int = 1
) -> NDArray[np.int64]:
    """Return the number of the known sequence that each is most like: its own where it is known, -1 where none is alike.

    Parameters
    ----------
    sequences
        All of them.
    known
        Which of them are.
    share
        Share of k-mers below which nothing is alike; `HOMOLOGOUS` where None.
    """
    found = np.where(known, np.arange(len(known)), -1)
    if known.any() and not known.all():
        table = nearest_training(sequences, known, ~known, cores=cores)
        alike = (table["share"] >= (HOMOLOGOUS if share is None else share)).to_numpy()
        found[np.flatnonzero(~known)[alike]] = np.flatnonzero(known)[table["target"].to_numpy()[alike]]
    return found


def nearest_windows(
    fetch: Callable[[str, int, int], NDArray[np.uint8]],
    known: pd.DataFrame,
    asked: pd.DataFrame,
    share: float | None = None,
    cores: int = 1,
) -> pd.DataFrame:
    """Return the windows asked about (`chrom`, `start`, `end`) that are like a known window, and which it is.

    Parameters
    ----------
    fetch
        Returns `uint8[end - start]` of a contig.
    share
        Share of k-mers below which nothing is alike; `ALIKE` where None.

    Returns
    -------
    DataFrame
        `chrom`, `start`, `end` of the windows, each once, and `target` (row of `known`).
    """
    asked = asked[PLACE].drop_duplicates()
    sequences = WindowSequences(fetch, pd.concat([known[PLACE], asked], ignore_index=True))
    is_known = np.arange(len(sequences)) < len(known)
    found = nearest_training(sequences, is_known, ~is_known, cores=cores)
    asked = asked.assign(target=found["target"].to_numpy())
    return asked[found["share"].to_numpy() >= (ALIKE if share is None else share)]


def placed(query: NDArray[np.uint8], target: NDArray[np.uint8], k: int = 15) -> Placed | None:
    """Return where most of the k-mers that are unique in both sequences lie over one another; None where hardly any do."""
    (own, own_at, own_turned), (other, other_at, other_turned) = (_unique(bases, k) for bases in (query, target))
    _, here, there = np.intersect1d(own, other, assume_unique=True, return_indices=True)
    best, most = None, LEAST_PLACED - 1
    same = own_turned[here] == other_turned[there]
    for strand, rows, sign, past in (("+", same, -1, 0), ("-", ~same, 1, k - 1)):
        offsets, counts = np.unique(other_at[there][rows] + sign * own_at[here][rows], return_counts=True)
        if len(counts) and counts.max() > most:
            best, most = Placed(int(offsets[np.argmax(counts)]) + past, strand), int(counts.max())
    return best


def _unique(bases: NDArray[np.uint8], k: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the canonical k-mers that a sequence holds once, where each begins, and whether its other strand was read."""
    kmers, turned, valid = canonical_kmers(coded(bases), k)
    at = np.flatnonzero(valid)
    own, first, counts = np.unique(kmers[at], return_index=True, return_counts=True)
    at = at[first[counts == 1]]
    return own[counts == 1], at, turned[at]


def other_strands(tracks: Sequence[dict[str, Any]]) -> list[int]:
    """Return which track is each one's on the other strand: of the same biosample; itself where there is none."""
    turned = {"+": "-", "-": "+", ".": "."}
    found = []
    for number, track in enumerate(tracks):
        wanted = (track["biosample"], turned[track["strand"]])
        same = [place for place, other in enumerate(tracks) if (other["biosample"], other["strand"]) == wanted]
        found.append(number if number in same or len(same) != 1 else same[0])
    return found


class TrackLookup:
    """Predicts the coverage of the training window that is most like a window, laid over it base by base.

    Parameters
    ----------
    like
        Windows that are like a training window (`nearest_windows`).
    training
        Training windows.
    genome
        Reads sequences.
    read
        Returns the coverage of an interval, `[T, end - start]`.
    regions
        Regions that may be read (`chrom`, `start`, `end`): those of training.
    tracks
        `biosample` and `strand` of each track.
    elsewhere
        Predicts what is like nothing.
    """

    def __init__(
        self,
        like: pd.DataFrame,
        training: pd.DataFrame,
        genome: Reference,
        read: Callable[[str, int, int], NDArray],
        regions: pd.DataFrame,
        tracks: Sequence[dict[str, Any]],
        elsewhere: Callable[[str, int, int], NDArray[np.float32]],
    ):
        self.target = {tuple(row[:3]): row[3] for row in like[[*PLACE, "target"]].itertuples(index=False, name=None)}
        self.training, self.genome, self.read, self.regions = training.reset_index(drop=True), genome, read, regions
        self.turned, self.elsewhere = other_strands(tracks), elsewhere

    def __call__(self, chrom: str, start: int, end: int) -> NDArray[np.float32]:
        """Return the coverage of a window, `[T, end - start]`."""
        values = np.array(self.elsewhere(chrom, start, end))
        if (chrom, start, end) not in self.target:
            return values
        source = self.training.iloc[self.target[chrom, start, end]]
        contig, first, last = str(source["chrom"]), int(source["start"]), int(source["end"])
        place = placed(self.genome.fetch(chrom, start, end), self.genome.fetch(contig, first, last))
        if place is None:
            return values
        length = end - start
        low = first + place.offset - (length - 1 if place.strand == "-" else 0)
        for region in self.regions[self.regions["chrom"] == contig].itertuples(index=False):
            left, right = max(low, region.start), min(low + length, region.end)
            if left >= right:
                continue
            found = self.read(contig, left, right)
            if place.strand == "+":
                values[:, left - low : right - low] = found
            else:
                values[:, low + length - right : low + length - left] = found[self.turned, ::-1]
        return values


class GeneLookup(NamedTuple):
    """Predicts what was measured in the training gene that is most like a gene.

    Attributes
    ----------
    source
        Name of that training gene by gene.
    measured
        Training values by gene and sample.
    mean
        Mean of all training examples, for genes that are like none.
    """

    source: dict[str, str]
    measured: dict[str, dict[str, float]]
    mean: float

    def __call__(self, gene: Gene) -> NDArray[np.float64]:
        """Return the values of a gene's samples: the sample's own in the other gene, its mean for new samples."""
        if gene.name not in self.source:
            return np.full(len(gene.samples), self.mean)
        values = self.measured[self.source[gene.name]]
        mean = float(np.mean(list(values.values())))
        return np.array([values.get(sample, mean) for sample in gene.samples])


def gene_lookup(genes: Sequence[Gene], genome: Reference, share: float | None = None, cores: int = 1) -> GeneLookup:
    """Return the look-up of genes by the reference sequence of their windows; a training gene is most like itself."""
    training = [gene for gene in genes if (gene.split == "train").any()]
    unseen = [gene for gene in genes if not (gene.split == "train").any()]
    known, asked = (
        pd.DataFrame([(gene.chrom, gene.start, gene.end) for gene in some], columns=PLACE)
        for some in (training, unseen)
    )
    found = nearest_windows(genome.fetch, known, asked, share, cores)
    target = {tuple(row[:3]): row[3] for row in found[[*PLACE, "target"]].itertuples(index=False, name=None)}
    source = {gene.name: gene.name for gene in training}
    for gene in unseen:
        if (number := target.get((gene.chrom, gene.start, gene.end))) is not None:
            source[gene.name] = training[number].name
    measured = {gene.name: _training_values(gene) for gene in training}
    everything = [value for values in measured.values() for value in values.values()]
    return GeneLookup(source, measured, float(np.mean(everything)))


def _training_values(gene: Gene) -> dict[str, float]:
    """Return what was measured of a gene in training samples."""
    rows = gene.split == "train"
    return dict(zip(gene.samples[rows].tolist(), gene.target[rows].tolist()))
