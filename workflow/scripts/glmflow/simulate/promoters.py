"""Motif sites and causal variants laid into promoters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import ExpressionSettings, PromoterSettings
from glmflow.simulate.motifs import MOTIF_BP, PAIR_DISTANCE_BP, STRAND_SPECIFIC, Grammar
from glmflow.simulate.phased_variants import Variants
from glmflow.simulate.sequence import decode, oriented

CORE_BP = 45  # next to the transcription start: the core promoter, where nothing is planted
BETWEEN_BP = MOTIF_BP + PAIR_DISTANCE_BP + 4  # least distance between two variants that are moved
WEAKEST_EFFECT = 0.1  # a causal variant gets a motif that acts at least so much
ATTEMPTS = 40  # places tried for one planted site
SITE_COLUMNS = ["gene_id", "chrom", "start", "end", "strand", "motif", "kind", "variant_position"]


@dataclass(frozen=True)
class Promoter:
    """A gene's promoter on its contig (0-based half-open) and the gene's strand."""

    gene_id: str
    start: int
    end: int
    strand: str

    @property
    def plantable(self) -> tuple[int, int]:
        """The part of it outside the core promoter."""
        return (self.start, self.end - CORE_BP) if self.strand == "+" else (self.start + CORE_BP, self.end)


def promoters_of(genes: pd.DataFrame, length_bp: int) -> list[Promoter]:
    """Return the promoter of each gene: the `length_bp` bases upstream of its start, possibly past the contig's ends."""
    return [
        Promoter(gene_id, *((tss - length_bp, tss) if strand == "+" else (tss + 1, tss + 1 + length_bp)), strand)
        for gene_id, tss, strand in zip(genes["gene_id"], genes["tss"].tolist(), genes["strand"], strict=True)
    ]


def covered(start: np.ndarray, end: np.ndarray, length: int) -> np.ndarray:
    """Return which bases of a contig lie in any of these intervals: bool[length]."""
    change = np.zeros(length + 1, np.int64)
    np.add.at(change, np.clip(start, 0, length), 1)
    np.add.at(change, np.clip(end, 0, length), -1)
    return np.cumsum(change[:-1]) > 0


def move_common_variants(
    position: np.ndarray,
    carried: np.ndarray,
    promoters: list[Promoter],
    settings: ExpressionSettings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Move the common variants nearest to each promoter into it.

    Natural variation puts few common variants into motifs; moved by a few kb, variants keep their linkage almost as
    it was. Sites that then lie within a motif's length of a moved one are to be left out by the caller.

    Returns
    -------
    position, moved
        int64[V] the new positions (no longer sorted) and bool[V] which were moved.
    """
    position, moved = position.copy(), np.zeros(len(position), bool)
    frequency = carried.mean(1)
    common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= settings.min_maf)
    common_position = position[common]
    for promoter in promoters:
        low, high = promoter.plantable
        middle = (low + high) // 2
        near = np.searchsorted(common_position, middle)
        candidates = common[max(near - 60, 0) : near + 60]
        candidates = candidates[~moved[candidates]]
        order = np.argsort(np.abs(position[candidates] - middle), kind="stable")
        chosen = candidates[order[: settings.causal_variants]]
        position[chosen] = _spread(len(chosen), low + MOTIF_BP, high - MOTIF_BP, rng)
        moved[chosen] = True
    return position, moved


def _spread(count: int, low: int, high: int, rng: np.random.Generator) -> np.ndarray:
    """Draw positions that lie `BETWEEN_BP` or more apart, in random order."""
    free = high - low - (count - 1) * BETWEEN_BP
    positions = low + np.sort(rng.integers(0, free, count)) + np.arange(count) * BETWEEN_BP
    return rng.permutation(positions)


def plant(
    sequence: np.ndarray,
    chrom: str,
    promoters: list[Promoter],
    variants: Variants,
    protected: np.ndarray,
    grammar: Grammar,
    settings: tuple[PromoterSettings, ExpressionSettings],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Lay motifs over common variants and plant further sites, editing the genome in place.

    Over a common single-base variant a motif is laid that its reference allele completes (the alternate allele
    breaks it) or that its alternate allele completes (creates it), half and half.

    Parameters
    ----------
    sequence
        Codes of the contig.
    protected
        bool[length]: bases that are not edited; the reference alleles of all variants at least.

    Returns
    -------
    pandas.DataFrame
        One row a site, with the columns of `SITE_COLUMNS`: `strand` is that of the motif; `kind` is planted, break or
        create; `variant_position` (0-based) is -1 for planted sites.
    """
    promoter_settings, expression = settings
    eligible = variants.single_base & (variants.minor_frequency >= expression.min_maf)
    sites: list[tuple] = []
    layer = _Layer(sequence, protected.copy(), grammar, rng)
    for promoter in promoters:
        inside = np.arange(*np.searchsorted(variants.position, promoter.plantable))
        laid: list[tuple] = []
        for row in rng.permutation(inside[eligible[inside]]):
            if len(laid) < expression.causal_variants:
                alleles = variants.reference[row], variants.alternate[row]
                laid += layer.lay_over(int(variants.position[row]), alleles, promoter)
        for _ in range(rng.poisson(promoter_settings.sites_per_gene)):
            laid += layer.plant_one(promoter)
        sites += [(promoter.gene_id, chrom, *site) for site in laid]
    return pd.DataFrame(sites, columns=SITE_COLUMNS)


class _Layer:
    """Writes motifs into free bases of a contig."""

    def __init__(self, sequence: np.ndarray, taken: np.ndarray, grammar: Grammar, rng: np.random.Generator):
        self.sequence, self.taken, self.grammar, self.rng = sequence, taken, grammar, rng
        # Laid alone: every motif. Laid together: the spaced pair, drawn as often as one motif.
        self.units = [*((k,) for k in range(len(grammar.first))), grammar.pair]
        self.completions = _completions(grammar)

    def motif(self, index: int, strand: str) -> np.ndarray:
        """Return one of the two words that a motif stands for, as it reads on the forward strand."""
        word = (self.grammar.first, self.grammar.second)[self.rng.integers(2)][index]
        return oriented(word, strand)

    def free(self, start: int, end: int, promoter: Promoter) -> bool:
        """Return whether a motif may be written: inside the promoter and the contig, over no base that is taken."""
        low, high = promoter.plantable
        inside = max(low, 0) <= start and end <= min(high, len(self.sequence))
        return inside and not self.taken[start:end].any()

    def lay_over(self, position: int, alleles: tuple[str, str], promoter: Promoter) -> list[tuple]:
        """Lay a motif over a variant so that one of its alleles completes it; nothing where none fits."""
        for kind in self.rng.permutation(["break", "create"]):
            completions = self.completions.get(alleles[0 if kind == "break" else 1], [])
            for choice in self.rng.permutation(len(completions)):
                index, strand, offset = completions[choice]
                start, end = position - offset, position - offset + MOTIF_BP
                silent = index == STRAND_SPECIFIC and strand != promoter.strand
                free = self.free(start, position, promoter) and self.free(position + 1, end, promoter)
                if silent or not free:
                    continue
                base = self.sequence[position]
                self.sequence[start:end] = self.motif(index, strand)
                self.sequence[position] = base
                self.taken[start:end] = True
                return [(start, end, strand, self.grammar.names[index], str(kind), position)]
        return []

    def plant_one(self, promoter: Promoter) -> list[tuple]:
        """Plant one motif, or the pair, at a random free place of a promoter; nothing where no place is found."""
        low, high = promoter.plantable
        unit = self.units[self.rng.integers(len(self.units))]
        length = MOTIF_BP + PAIR_DISTANCE_BP * (len(unit) - 1)
        strand = promoter.strand if unit == (STRAND_SPECIFIC,) else "+-"[self.rng.integers(2)]
        for start in self.rng.integers(low, high - length + 1, ATTEMPTS):
            if not self.free(start, start + length, promoter):
                continue
            self.taken[start : start + length] = True
            sites = []
            for index in unit if strand == "+" else unit[::-1]:
                self.sequence[start : start + MOTIF_BP] = self.motif(index, strand)
                sites.append((int(start), int(start) + MOTIF_BP, strand, self.grammar.names[index], "planted", -1))
                start += PAIR_DISTANCE_BP
            return sites
        return []


def _completions(grammar: Grammar) -> dict[str, list[tuple[int, str, int]]]:
    """By base: the motifs, strands and offsets (on the forward strand) at which this base, and no other, is wanted."""
    found: dict[str, list[tuple[int, str, int]]] = {base: [] for base in "ACGT"}
    for index in np.flatnonzero(np.abs(grammar.effects[0]) >= WEAKEST_EFFECT):
        for strand in "+-":
            first, second = (oriented(word[index], strand) for word in (grammar.first, grammar.second))
            for offset in np.flatnonzero(first == second):
                found[decode(first[offset : offset + 1])].append((int(index), strand, int(offset)))
    return found
