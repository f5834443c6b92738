"""Scores of neutral sites and of random indels, which those of variants are compared with.

`calibrated`: score - mean score of neutral sites with the same 5-mer and alternative base (as GPN-Star's calibrated
LLR): a model's likelihood of a base depends on mutability, as that of CpG, beside its effect. `length_matched`: the
z-score among random indels of the same lengths: sums over windows spread with the length of an indel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.edits import Edits
from glmflow.genome.reasons import Reason
from glmflow.genome.stretches import Genome, Stretches

from .kept_parts import KeptParts
from .likelihood_model import LikelihoodModel
from .score_catalogue import SIGNED, Asked
from .scored_edits import Scored, Settings, mean_of_strands, score_edits
from .token_rows import BASE

K = 5
CONTEXTS = 4**K
SITES = 100
"""Neutral sites of a 5-mer; more do not help (GPN-Star)."""
CHUNK = 2**20


def contexts(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of the 5-mer around each base, `int64[L]` of `uint8[L]`; -1 with an N in it or at the ends.

    A 5-mer and its reverse complement have one number, that of the one whose middle base is A or C.
    """
    digits = BASE[codes]
    found = np.full(len(digits), -1)
    if len(digits) < K:
        return found
    five = np.lib.stride_tricks.sliding_window_view(digits, K)
    forward = five @ 4 ** np.arange(K - 1, -1, -1)
    backward = (3 - five[:, ::-1]) @ 4 ** np.arange(K - 1, -1, -1)
    number = np.where(five[:, K // 2] < 2, forward, backward)
    found[K // 2 : len(digits) - K // 2] = np.where((five >= 0).all(1), number, -1)
    return found


def neutral_sites(
    genome: Genome, intervals: Sequence[tuple], sites: int = SITES, seed: int = 0
) -> dict[int, list[tuple[str, int]]]:
    """Draw up to `sites` places of each 5-mer from intervals that evolve neutrally: number of the 5-mer to places."""
    generator = np.random.default_rng(seed)
    drawn: dict[int, list[tuple[float, str, int]]] = {}
    for chrom, start, end, *_ in intervals:
        for begin in range(start, end, CHUNK):
            stop = min(begin + CHUNK, end)
            numbers = contexts(genome.fetch(chrom, begin - K // 2, stop + K // 2))[K // 2 : -(K // 2)]
            lots = generator.random(len(numbers))
            order = np.lexsort((lots, numbers))
            ordered = numbers[order]
            rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
            for place in order[(rank < sites) & (ordered >= 0)].tolist():
                some = drawn.setdefault(int(numbers[place]), [])
                some.append((float(lots[place]), chrom, begin + place))
                if len(some) > 4 * sites:
                    drawn[int(numbers[place])] = sorted(some)[:sites]
    return {number: [(chrom, pos) for _, chrom, pos in sorted(some)[:sites]] for number, some in sorted(drawn.items())}


def snvs_at(genome: Genome, places: Sequence[tuple[str, int]]) -> Edits:
    """Return the three changes of each base of some places."""
    names = list(genome.contigs)
    number = {name: index for index, name in enumerate(names)}
    contig, start, bases = [], [], []
    for chrom, pos in places:
        own = chr(genome.fetch(chrom, pos, pos + 1)[0])
        for base in "ACGT":
            if base != own:
                contig.append(number[chrom])
                start.append(pos)
                bases.append(base)
    return _edits(names, np.array(contig), np.array(start), np.array(start) + 1, bases)


def random_indels(genome: Genome, removed: int, inserted: int, n: int, window: int, seed: int = 0) -> Edits:
    """Return n random edits of given lengths at random places of a genome, away from N.

    The inserted bases are those of another random place.
    """
    names = list(genome.contigs)
    room = np.array([max(genome.contigs[name] - window - removed, 0) for name in names], float)
    if not room.sum():
        raise InputError("no contig is longer than the window", fix="Give a smaller --window.")
    generator = np.random.default_rng([seed, removed, inserted])

    def place(length: int) -> tuple[int, int, NDArray[np.uint8]]:
        for _ in range(1000):
            contig = int(generator.choice(len(names), p=room / room.sum()))
            start = window // 2 + int(generator.integers(int(room[contig])))
            codes = genome.fetch(names[contig], start, start + max(length, 1))
            if (BASE[codes] >= 0).all():
                return contig, start, codes
        raise InputError("no place without N found in the genome", fix="Leave --length-matched out.")

    contig, start, bases = [], [], []
    for _ in range(n):
        where, pos, _ = place(removed)
        contig.append(where)
        start.append(pos)
        bases.append(place(inserted)[2].tobytes().decode()[:inserted])
    return _edits(names, np.array(contig), np.array(start), np.array(start) + removed, bases)


def _edits(names: list[str], contig: NDArray, start: NDArray, end: NDArray, bases: list[str]) -> Edits:
    reason = np.full(len(start), np.uint8(Reason.NONE))
    whole = (contig.astype(np.int64), start.astype(np.int64), end.astype(np.int64))
    return Edits(np.arange(len(start)), list(bases), *whole, bases, reason, names)


@dataclass
class Nulls:
    """What scores are compared with.

    Attributes
    ----------
    calibrated
        Scores that neutral sites were scored for.
    neutral
        `float64[CONTEXTS, 4, scores]`: their mean at each 5-mer and alternative base; NaN without sites.
    matched
        Scores that random indels were scored for.
    indels
        Mean and standard deviation, `float64[2, scores]`, of each pair (bases removed, bases inserted).
    """

    calibrated: tuple[str, ...] = ()
    neutral: NDArray[np.float64] | None = None
    matched: tuple[str, ...] = ()
    indels: dict[tuple[int, int], NDArray[np.float64]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that `compare` makes."""
        return (*(f"{name}_calibrated" for name in self.calibrated), *(f"{name}_z" for name in self.matched))

    def compare(self, scored: Scored, edits: Edits, genome: Genome) -> NDArray[np.float64]:
        """Return scores less those of neutral sites, and z-scores among random indels, `float64[n, names]`."""
        means = mean_of_strands(scored)
        found = np.full((len(edits), len(self.names)), np.nan)
        if self.calibrated:
            columns = [scored.names.index(name) for name in self.calibrated]
            number, alternative, which = context_of(edits, genome)
            found[which, : len(columns)] = means[which][:, columns] - self.neutral[number, alternative]
        if self.matched:
            columns = [scored.names.index(name) for name in self.matched]
            for place in np.flatnonzero(edits.ok).tolist():
                key = int(edits.end[place] - edits.start[place]), len(edits.bases[place])
                if key in self.indels:
                    mean, spread = self.indels[key]
                    found[place, len(self.calibrated) :] = (means[place, columns] - mean) / spread
        return found


def context_of(edits: Edits, genome: Genome) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return 5-mer and alternative base, on the strand whose middle base is A or C, of single-base edits; and which."""
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    which = np.flatnonzero(edits.ok & (inserted == 1) & (edits.end - edits.start == 1))
    first = edits.start[which] - K // 2
    stretches = Stretches(genome, edits.names, edits.contig[which], first, first + K)
    digits = BASE[stretches.codes[(stretches.zero + first)[:, None] + np.arange(K)]]
    alternative = BASE[np.frombuffer("".join([edits.bases[i] for i in which.tolist()]).encode(), np.uint8)]
    known = (digits >= 0).all(1)
    digits, alternative, which = digits[known], alternative[known], which[known]
    backward = digits[:, K // 2] >= 2
    digits[backward] = 3 - digits[backward][:, ::-1]
    alternative = np.where(backward, 3 - alternative, alternative)
    return digits @ 4 ** np.arange(K - 1, -1, -1), alternative, which


def neutral_scores(
    model: LikelihoodModel,
    genome: Genome,
    places: dict[int, list[tuple[str, int]]],
    names: tuple[str, ...],
    settings: Settings,
    parts: KeptParts,
) -> NDArray[np.float64]:
    """Score neutral sites; return their mean at each 5-mer and alternative, `float64[CONTEXTS, 4, scores]`."""
    found = np.full((CONTEXTS, 4, len(names)), np.nan)
    for part, some in enumerate(_in_chunks(sorted(places.items()), 16)):

        def make(some=some) -> NDArray[np.float64]:
            edits = snvs_at(genome, [place for _, own in some for place in own])
            scored = score_edits(model, genome, edits, Asked(names, ()), settings)
            number, alternative, which = context_of(edits, genome)
            keys = pd.MultiIndex.from_arrays([number, alternative])
            means = pd.DataFrame(mean_of_strands(scored)[which], index=keys).groupby(level=[0, 1]).mean()
            return np.column_stack([means.index.get_level_values(0), means.index.get_level_values(1), means])

        table = parts.array(part, make)
        found[table[:, 0].astype(int), table[:, 1].astype(int)] = table[:, 2:]
    return found


def indel_scores(
    model: LikelihoodModel,
    genome: Genome,
    lengths: Sequence[tuple[int, int]],
    names: tuple[str, ...],
    settings: Settings,
    n: int,
    parts: KeptParts,
    seed: int = 0,
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Score n random indels of each pair of lengths; return mean and standard deviation of the scores."""
    found = {}
    fits = [pair for pair in sorted(lengths) if max(pair) <= settings.window // 2]
    for part, (removed, inserted) in enumerate(fits):

        def make(removed=removed, inserted=inserted) -> NDArray[np.float64]:
            edits = random_indels(genome, removed, inserted, n, settings.window, seed)
            return mean_of_strands(score_edits(model, genome, edits, Asked(names, names), settings))

        values = parts.array(part, make)
        found[removed, inserted] = np.stack([np.nanmean(values, 0), np.nanstd(values, 0, ddof=1)])
    return found


def comparable(asked: Asked, changed: bool) -> tuple[str, ...]:
    """Return the scores that are compared: signed ones of edits that keep the length, or (`changed`) all of indels."""
    return asked.changed if changed else tuple(name for name in asked.equal if name in SIGNED)


def _in_chunks(items: Sequence, size: int) -> Iterator[Sequence]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
