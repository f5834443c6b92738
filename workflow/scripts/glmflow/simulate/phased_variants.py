"""Phased variants in memory, drawn from a coalescent, and the sequences that haplotypes have in a promoter."""

from __future__ import annotations

from dataclasses import dataclass

import msprime
import numpy as np

from glmflow.config.simulation_settings import PopulationSettings
from glmflow.genome.alleles import is_anchored, minimal_edit
from glmflow.genome.conflicts import overlapping
from glmflow.simulate.sequence import N, decode, encode


@dataclass
class Variants:
    """Biallelic phased variants of one contig, sorted by position.

    Attributes
    ----------
    position
        int64[V]: 0-based position of the first base of `reference`.
    reference, alternate
        object[V]: alleles as strings.
    carried
        bool[V, 2 x samples]: whether a haplotype carries the alternate allele; columns 2i and 2i + 1 are sample i.
    """

    position: np.ndarray
    reference: np.ndarray
    alternate: np.ndarray
    carried: np.ndarray

    def __len__(self) -> int:
        return len(self.position)

    @property
    def end(self) -> np.ndarray:
        """int64[V]: end of the reference allele (half-open)."""
        return self.position + np.array([len(allele) for allele in self.reference], np.int64)

    @property
    def single_base(self) -> np.ndarray:
        """bool[V]: both alleles are one base."""
        return np.array([len(a) == len(b) == 1 for a, b in zip(self.reference, self.alternate, strict=True)], bool)

    @property
    def minor_frequency(self) -> np.ndarray:
        """float64[V]: frequency of the rarer allele."""
        frequency = self.carried.mean(1)
        return np.minimum(frequency, 1 - frequency)

    def take(self, rows: np.ndarray) -> Variants:
        """Return these rows only (indices or a mask)."""
        return Variants(self.position[rows], self.reference[rows], self.alternate[rows], self.carried[rows])


def draw_sites(length: int, settings: PopulationSettings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw polymorphic sites and who carries the alternate allele, by coalescent with recombination (msprime).

    Kelleher, Etheridge and McVean, PLoS Comput Biol 12:e1004842 (2016). Populations part from a common one
    `split_generations` ago. At `flipped_share` of the sites the genome has the derived allele.

    Returns
    -------
    position, carried
        int64[V], sorted, and bool[V, 2 x samples].
    """
    seeds = rng.integers(1, 2**31 - 1, 2)
    demography = msprime.Demography()
    for name in settings.people:
        demography.add_population(name=name, initial_size=settings.effective_size)
    if len(settings.people) > 1:
        demography.add_population(name="_ancestral_", initial_size=settings.effective_size)
        demography.add_population_split(
            time=settings.split_generations, derived=list(settings.people), ancestral="_ancestral_"
        )
    trees = msprime.sim_ancestry(
        samples=settings.people,
        demography=demography,
        sequence_length=length,
        recombination_rate=settings.recombination_rate,
        random_seed=int(seeds[0]),
    )
    trees = msprime.sim_mutations(
        trees, rate=settings.mutation_rate, model=msprime.BinaryMutationModel(), random_seed=int(seeds[1])
    )
    carried = trees.genotype_matrix().astype(bool)
    position = trees.tables.sites.position.astype(np.int64)
    kept = carried.any(1) & ~carried.all(1)
    carried, position = carried[kept], position[kept]
    carried ^= (rng.random(len(position)) < settings.flipped_share)[:, None]
    return position, carried


def assign_alleles(
    sequence: np.ndarray,
    position: np.ndarray,
    carried: np.ndarray,
    single_only: np.ndarray,
    settings: PopulationSettings,
    rng: np.random.Generator,
) -> Variants:
    """Give each site its alleles: the genome's base against another one, or an insertion or deletion.

    A deletion that would reach the next site, and a site where `single_only` is set, stay single-base variants.
    """
    room = np.diff(position, append=len(sequence)) - 1
    indel = (rng.random(len(position)) < settings.indel_share) & ~single_only
    deletion = indel & (rng.random(len(position)) < 0.5)
    size = rng.integers(1, settings.longest_indel_bp + 1, len(position))
    indel &= ~deletion | (size < room)
    other = (sequence[position] + rng.integers(1, 4, len(position))) % 4
    reference = np.array(list(decode(sequence[position])), object)
    alternate = np.array(list(decode(other)), object)
    for i in np.flatnonzero(indel):
        if deletion[i]:
            alternate[i] = reference[i]
            reference[i] = decode(sequence[position[i] : position[i] + size[i] + 1])
        else:
            alternate[i] = reference[i] + decode(rng.integers(0, 4, size[i]))
    return Variants(position, reference, alternate, carried)


def haplotype_sequences(
    sequence: np.ndarray, start: int, end: int, variants: Variants, carried: np.ndarray
) -> list[np.ndarray]:
    """Return the codes (uint8, of unequal lengths) of a region on each of several haplotypes.

    Of two carried variants that overlap, the first is applied, as `bcftools consensus` does.

    Parameters
    ----------
    sequence
        Codes of the contig; the region may reach past its ends, where it is N.
    variants
        Variants that lie wholly inside the region.
    carried
        bool[V, haplotypes].
    """
    region = np.full(end - start, N, np.uint8)
    left, right = max(start, 0), min(end, len(sequence))
    region[left - start : right - start] = sequence[left:right]
    alleles = list(zip(variants.position.tolist(), variants.reference, variants.alternate, strict=True))
    edits = [minimal_edit(*allele) for allele in alleles]
    changes = [(edit.start - start, edit.end - start, encode(edit.bases)) for edit in edits]
    anchored = np.array([is_anchored(ref, alt, edit) for (_, ref, alt), edit in zip(alleles, edits, strict=True)], bool)
    grows = np.array([len(alt) > len(ref) for _, ref, alt in alleles], bool)
    last = variants.end - 1
    single = np.array([len(ref) == len(alt) == 1 for _, ref, alt in alleles], bool)
    sequences = []
    for column in carried.T:
        rows = np.flatnonzero(column)
        rows = rows[~overlapping(variants.position[rows], last[rows], grows[rows], anchored[rows], single[rows])]
        # A single base may follow the insertion or deletion that it is the anchor of.
        sequences.append(_apply(region, sorted((changes[row] for row in rows), key=lambda change: change[0])))
    return sequences


def _apply(region: np.ndarray, changes: list[tuple[int, int, np.ndarray]]) -> np.ndarray:
    pieces, done = [], 0
    for start, end, codes in changes:
        pieces += [region[done:start], codes]
        done = end
    return np.concatenate([*pieces, region[done:]])


def distinct_columns(carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct haplotypes and which one each haplotype is.

    Parameters
    ----------
    carried
        bool[V, H].

    Returns
    -------
    columns, which
        bool[V, D], and int64[H] with `columns[:, which] == carried`.
    """
    if not len(carried):
        return np.zeros((0, 1), bool), np.zeros(carried.shape[1], np.int64)
    packed = np.ascontiguousarray(np.packbits(carried, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return carried[:, first], which
