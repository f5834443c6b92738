"""A cohort made from nothing: genome, genes, samples, tracks and expression, with the truth beside them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import SimulationSettings
from glmflow.files import atomic_path
from glmflow.simulate.genes import exon_spans, place_genes
from glmflow.simulate.labelled_windows import write_windows
from glmflow.simulate.motifs import MOTIF_BP, Grammar, draw_grammar
from glmflow.simulate.outputs import (
    SimulatedContig,
    explanation,
    stream,
    write_annotation,
    write_expression,
    write_motifs,
    write_tracks,
)
from glmflow.simulate.phased_variants import assign_alleles, draw_sites
from glmflow.simulate.promoters import covered, move_common_variants, plant, promoters_of
from glmflow.simulate.reproducible_files import write_fasta, write_table, write_vcf
from glmflow.simulate.sequence import background, codon_frequencies, write_gene
from glmflow.simulate.simulated_expression import activities


def simulate_cohort(settings: SimulationSettings, folder: str | PathLike[str]) -> Path:
    """Make a cohort whose truth is known; the same settings give the same bytes.

    One grammar of promoter motifs drives both the tracks (on the genome) and the expression of each sample (on both
    haplotypes).

    Parameters
    ----------
    settings
        What to make.
    folder
        Written whole: genome.fa, cohort.vcf.gz (with indexes), genes.gtf, samples.tsv, windows.bed, promoters.bed,
        tracks/{biosample}.{plus,minus}.rep{n}.bw, expression.tsv (gene_id, chrom, tss, strand, then natural-log
        expression of each sample) and truth/. An existing folder is replaced.

    Returns
    -------
    Path
        The folder.
    """
    grammar = draw_grammar(settings.promoter, stream(settings.seed, "grammar"))
    codons = codon_frequencies(settings.genes, stream(settings.seed, "codons"))
    contigs = [_make_contig(name, number, settings, grammar, codons) for number, name in enumerate(settings.contigs, 1)]
    samples = _samples(settings)
    people = samples["sample"].tolist()
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        write_fasta(temporary / "genome.fa", {contig.name: contig.sequence for contig in contigs})
        variants = {contig.name: contig.variants for contig in contigs}
        write_vcf(temporary / "cohort.vcf.gz", dict(settings.contigs), people, variants)
        write_table(temporary / "samples.tsv", samples)
        write_annotation(temporary, contigs, "simulated")
        write_windows(temporary, contigs, settings.promoter.length_bp, settings.seed)
        write_tracks(temporary, contigs, settings)
        write_expression(temporary, contigs, people, settings)
        write_motifs(temporary, grammar, settings.promoter.biosamples)
        (temporary / "truth" / "README.txt").write_text(_readme(contigs, samples, grammar, settings))
    return Path(folder)


def _make_contig(
    name: str, number: int, settings: SimulationSettings, grammar: Grammar, codons: np.ndarray
) -> SimulatedContig:
    rng = stream(settings.seed, "contig", name)
    length = settings.contigs[name]
    upstream = settings.promoter.length_bp
    genes, exons = place_genes(name, length, settings.genes, upstream, f"G{number:02d}", rng)
    sequence = background(length, rng)
    spans_of = exon_spans(exons)
    for gene in genes.itertuples():
        write_gene(sequence, (gene.start, gene.end), gene.strand, spans_of[gene.gene_id], codons, rng)
    promoters = promoters_of(genes, upstream)
    position, carried = draw_sites(length, settings.population, rng)
    position, moved = move_common_variants(position, carried, promoters, settings.expression, rng)
    kept = moved | ~_near(position, np.sort(position[moved]), MOTIF_BP)
    order = np.flatnonzero(kept)[np.argsort(position[kept], kind="stable")]
    variants = assign_alleles(sequence, position[order], carried[order], moved[order], settings.population, rng)
    protected = covered(variants.position, variants.end, length)
    laid = settings.promoter, settings.expression
    sites = plant(sequence, name, promoters, variants, protected, grammar, laid, rng)
    activity = activities(sequence, promoters, variants, grammar, settings.promoter.biosamples)
    return SimulatedContig(name, sequence, genes, exons, variants, sites, activity)


def _near(position: np.ndarray, others: np.ndarray, distance: int) -> np.ndarray:
    """Return whether each position has one of the (sorted) others closer than `distance`."""
    first = np.searchsorted(others, position - distance, side="right")
    return np.searchsorted(others, position + distance, side="left") > first


def _samples(settings: SimulationSettings) -> pd.DataFrame:
    populations = [name for name, count in settings.population.people.items() for _ in range(count)]
    return pd.DataFrame({"sample": settings.population.names, "population": populations})


def _readme(
    contigs: list[SimulatedContig], samples: pd.DataFrame, grammar: Grammar, settings: SimulationSettings
) -> str:
    genes = sum(len(contig.genes) for contig in contigs)
    count = sum(len(contig.variants) for contig in contigs)
    biosamples = ", ".join(settings.promoter.biosamples)
    return f"""Everything in this folder is simulated: no base, sample or measurement is real.

{len(contigs)} contigs, {genes} genes, {len(samples)} samples, {count} variants; biosamples {biosamples}; seed {settings.seed}.

{explanation(grammar, settings)}"""
