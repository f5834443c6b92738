"""A genome of genes without introns: codons of their own frequencies on both strands, in families of common descent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.config.simulation import Coding
from glmflow.config.simulation_settings import GeneSettings
from glmflow.dna.completed_genes import UPSTREAM
from glmflow.dna.open_frames import translation
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.simulate.outputs import stream
from glmflow.simulate.reproducible_files import write_fasta
from glmflow.simulate.sequence import STOP_CODONS, background, codon_frequencies, decode, encode, opposite_strand

SITE, SITE_BP = "AGGAGG", 7
"""What stands before a gene (Shine and Dalgarno 1974), and the bases between it and the start codon."""
CHANGED = 0.05
"""Share of the bases of a hazard that are changed where it is laid into a contig."""
STAY = 0.8
"""Chance that a gene lies on the strand of the one before."""


class Placed(NamedTuple):
    """A gene: 0-based half-open on the forward strand, its stop codon included."""

    start: int
    end: int
    strand: str


def simulate_coding(settings: Coding, path: Path, panel: Path, hazards: Path | None = None) -> None:
    """Write the genome that `settings` describe as FASTA, and its last genes as a panel; the same bytes for the same settings.

    The panel has the layout that `glmflow.dna.completed_genes.read_panel` reads. Into `hazards` goes the stand-in for a
    hazard that is laid into the contigs, where one is asked for.

    Raises
    ------
    InputError
        The hazard has no room before the genes of the panel.
    """
    hazard = background(settings.hazard_bp, stream(settings.seed, "hazard"))
    rng = stream(settings.seed, "families")
    frequencies = codon_frequencies(GeneSettings(codon_log_sd=settings.codon_log_sd), rng)
    ancestors = [_codons(settings, frequencies, rng) for _ in range(settings.families)]
    contigs, rows = {}, []
    for name, length in settings.contigs.items():
        codes, genes = coding_contig(settings, ancestors, frequencies, length, stream(settings.seed, name))
        chosen = _last(genes, length, settings.panel)
        _lay(hazard, codes, chosen, stream(settings.seed, f"hazard {name}"))
        contigs[name] = codes
        rows += [_row(f"{name}_{gene.start}", codes, gene) for gene in chosen]
    with atomic_path(path) as temporary:
        write_fasta(temporary, contigs)
        temporary.with_name(temporary.name + ".fai").unlink()
    if hazards is not None:
        with atomic_path(hazards) as temporary:
            write_fasta(temporary, {"stand_in": hazard})
            temporary.with_name(temporary.name + ".fai").unlink()
    columns = ["gene", "organism", "cds_start", "reference_protein", "genomic_sequence"]
    write_table(pd.DataFrame(rows, columns=columns), panel)


def _lay(hazard: NDArray[np.uint8], codes: NDArray[np.uint8], panel: list[Placed], rng: Generator) -> None:
    """Lay a hazard with some bases changed into a contig, before the genes of its panel."""
    if not len(hazard):
        return
    start = 9 * len(codes) // 10
    room = min([gene.start - UPSTREAM for gene in panel], default=len(codes)) - start
    if len(hazard) > room:
        fix = "Take a shorter hazard, a longer contig or a smaller panel."
        raise InputError(f"a hazard of {len(hazard)} bases and room for {max(0, room)}", where="hazard_bp", fix=fix)
    changed = (rng.random(len(hazard)) < CHANGED) * rng.integers(1, 4, len(hazard))
    codes[start : start + len(hazard)] = (hazard + changed) % 4


def coding_contig(
    settings: Coding,
    ancestors: list[NDArray[np.int64]],
    frequencies: NDArray[np.float64],
    length: int,
    rng: Generator,
) -> tuple[NDArray[np.uint8], list[Placed]]:
    """Draw a contig, ``uint8[length]`` codes, and return its genes.

    Parameters
    ----------
    ancestors
        Codons of the first gene of each family, between start and stop.
    frequencies
        Of the 64 codons; stop codons have none.
    """
    codes, genes, strand = background(length, rng), [], "+"
    place = int(rng.integers(settings.gap_bp[0], settings.gap_bp[1] + 1))
    while True:
        codons = ancestors[int(rng.integers(len(ancestors)))].copy()
        changed = rng.random(len(codons)) < settings.diverged
        codons[changed] = rng.choice(64, int(changed.sum()), p=frequencies)
        stop = STOP_CODONS[int(rng.integers(3))]
        gene = np.concatenate([encode("ATG"), codon_bases(codons), encode(stop)]).astype(np.uint8)
        site = np.concatenate([encode(SITE), background(SITE_BP, rng)]).astype(np.uint8)
        whole = np.concatenate([site, gene])
        if place + len(whole) > length:
            return codes, genes
        strand = strand if rng.random() < STAY else "+-"[strand == "+"]
        codes[place : place + len(whole)] = whole if strand == "+" else opposite_strand(whole)
        start = place + len(site) if strand == "+" else place
        genes.append(Placed(start, start + len(gene), strand))
        place += len(whole) + int(rng.integers(settings.gap_bp[0], settings.gap_bp[1] + 1))


def _codons(settings: Coding, frequencies: NDArray[np.float64], rng: Generator) -> NDArray[np.int64]:
    """Draw the codons of a gene between start and stop."""
    count = int(rng.integers(settings.gene_bp[0], settings.gene_bp[1] + 1)) // 3 - 2
    return rng.choice(64, max(1, count), p=frequencies)


def codon_bases(codons: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the codes of codons, whose first base is the most significant digit of their number."""
    return np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=1).reshape(-1).astype(np.uint8)


def _last(genes: list[Placed], length: int, count: int) -> list[Placed]:
    """Return the last genes that have the bases of a prompt before them."""
    room = [gene for gene in genes if (gene.start if gene.strand == "+" else length - gene.end) >= UPSTREAM]
    return room[-count:]


def _row(name: str, codes: NDArray[np.uint8], gene: Placed) -> tuple[str, str, int, str, str]:
    """Return the row of a gene in a panel: its bases, with those before it, read along its own strand."""
    if gene.strand == "+":
        own = codes[gene.start - UPSTREAM : gene.end]
    else:
        own = opposite_strand(codes[gene.start : gene.end + UPSTREAM])
    bases = decode(own)
    return name, "simulated", UPSTREAM, translation(bases[UPSTREAM:]), bases
