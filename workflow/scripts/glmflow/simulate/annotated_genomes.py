"""Genomes with annotated genes: codons by organism, amino acids by product, written as GenBank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.config.simulation import AnnotatedGenomes
from glmflow.config.simulation_settings import GeneSettings
from glmflow.dna.open_frames import translation
from glmflow.files import atomic_path
from glmflow.simulate.coding_genome import Placed, codon_bases
from glmflow.simulate.outputs import stream
from glmflow.simulate.reproducible_files import write_fasta
from glmflow.simulate.sequence import STOP_CODONS, background, codon_frequencies, decode, encode, opposite_strand

ORGANISMS = (
    "Fictibacter alba",
    "Fictibacter rubra",
    "Simulatella longa",
    "Simulatella brevis",
    "Modelia prima",
    "Modelia ultima",
)
PRODUCTS = (
    "ribosomal protein",
    "membrane transporter",
    "transcriptional regulator",
    "serine protease",
    "cell wall hydrolase",
    "ferredoxin reductase",
)
GAP_BP = (20, 80)
"""Fewest and most bases between two genes."""
LINE = 60


class Gene(NamedTuple):
    """A gene of a genome: where it lies, and which product it is of."""

    placed: Placed
    product: str


def simulate_annotated(settings: AnnotatedGenomes, genbank: Path, fasta: Path) -> None:
    """Write the genomes that `settings` describe as GenBank and as FASTA; the same bytes for the same settings."""
    preferred = product_preferences(settings)
    contigs: dict[str, NDArray[np.uint8]] = {}
    with atomic_path(genbank) as temporary, temporary.open("w") as handle:
        for name, organism in zip(settings.contigs, ORGANISMS[: settings.organisms], strict=True):
            codons = organism_codons(settings, organism)
            codes, genes = annotated_contig(settings, codons * preferred, stream(settings.seed, "genes", organism))
            contigs[name] = codes
            handle.writelines(entry(name, organism, decode(codes), genes))
    with atomic_path(fasta) as temporary:
        write_fasta(temporary, contigs)
        temporary.with_name(temporary.name + ".fai").unlink()


def organism_codons(settings: AnnotatedGenomes, organism: str) -> NDArray[np.float64]:
    """Return the frequency of each of the 64 codons in an organism, without those that stop."""
    block = GeneSettings.model_construct(codon_log_sd=settings.organism_log_sd)
    return codon_frequencies(block, stream(settings.seed, "codons", organism))


def product_preferences(settings: AnnotatedGenomes) -> NDArray[np.float64]:
    """Return by how much products prefer codons, ``[products, 64]``: all codons of an amino acid alike, in every organism."""
    residues = np.array([translation(decode(codon_bases(np.array([codon])))) for codon in range(64)])
    known, place = np.unique(residues, return_inverse=True)
    rng = stream(settings.seed, "products")
    return np.exp(rng.normal(0, settings.product_log_sd, (settings.products, len(known))))[:, place]


def annotated_contig(
    settings: AnnotatedGenomes, weights: NDArray[np.float64], rng: Generator
) -> tuple[NDArray[np.uint8], list[Gene]]:
    """Draw a contig, ``uint8[L]`` codes, and return its genes, on both strands.

    Parameters
    ----------
    weights
        Of the 64 codons in genes of each product, ``[products, 64]``.
    """
    shares = weights / weights.sum(axis=1, keepdims=True)
    parts, genes, place = [], [], 0
    before: tuple[int, NDArray[np.int64]] | None = None
    for _ in range(settings.genes):
        if before is not None and rng.random() < settings.paralogs:
            product, codons = before[0], before[1].copy()
            again = rng.random(len(codons)) < settings.diverged
            codons[again] = rng.choice(64, int(again.sum()), p=shares[product])
        else:
            product = int(rng.integers(settings.products))
            count = int(rng.integers(settings.gene_bp[0], settings.gene_bp[1] + 1)) // 3 - 2
            codons = rng.choice(64, max(1, count), p=shares[product])
        before = product, codons
        stop = STOP_CODONS[int(rng.integers(3))]
        gene = np.concatenate([encode("ATG"), codon_bases(codons), encode(stop)])
        gap = background(int(rng.integers(GAP_BP[0], GAP_BP[1] + 1)), rng)
        strand = "+-"[int(rng.integers(2))]
        parts += [gap, gene if strand == "+" else opposite_strand(gene)]
        start = place + len(gap)
        place = start + len(gene)
        genes.append(Gene(Placed(start, place, strand), PRODUCTS[product]))
    return np.concatenate(parts), genes


def entry(name: str, organism: str, bases: str, genes: Sequence[Gene]) -> list[str]:
    """Return the lines of a GenBank entry."""
    indent = " " * 21
    lines = [
        f"LOCUS       {name} {len(bases)} bp DNA linear BCT 01-JAN-2000",
        f"DEFINITION  {organism}, simulated.",
        f"VERSION     {name}.1",
        f"SOURCE      {organism}",
        f"  ORGANISM  {organism}",
        f"            Bacteria; {organism.split()[0]}.",
        "FEATURES             Location/Qualifiers",
        f"     source          1..{len(bases)}",
        f'{indent}/organism="{organism}"',
        f'{indent}/mol_type="genomic DNA"',
    ]
    for (start, end, strand), product in genes:
        span = f"{start + 1}..{end}"
        lines += [f"     CDS             {span if strand == '+' else f'complement({span})'}"]
        lines += [f"{indent}/codon_start=1", f"{indent}/transl_table=11", f'{indent}/product="{product}"']
    lines.append("ORIGIN")
    lines += [f"{at + 1:>9} {bases[at : at + LINE].lower()}" for at in range(0, len(bases), LINE)]
    return [f"{line}\n" for line in (*lines, "//")]
