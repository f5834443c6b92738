"""Tracks and expression simulated over a real genome, real samples and real genes."""

from __future__ import annotations

import tempfile
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import OverlaySettings
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome import guards, vcf_files
from glmflow.genome.annotation import read_annotation
from glmflow.genome.reference import Reference
from glmflow.simulate.genes import place_pseudo_genes
from glmflow.simulate.genotypes import ContigVariants, copy_vcf
from glmflow.simulate.labelled_windows import write_windows
from glmflow.simulate.motifs import Grammar, draw_grammar
from glmflow.simulate.outputs import (
    SimulatedContig,
    explanation,
    stream,
    write_annotation,
    write_expression,
    write_motifs,
    write_tracks,
)
from glmflow.simulate.phased_variants import Variants
from glmflow.simulate.promoters import SITE_COLUMNS, covered, plant, promoters_of
from glmflow.simulate.reproducible_files import write_fasta, write_table
from glmflow.simulate.sequence import N, decode, encode
from glmflow.simulate.simulated_expression import activities


def overlay_cohort(
    fasta: str | PathLike[str],
    vcf: str | PathLike[str],
    annotation: str | PathLike[str],
    folder: str | PathLike[str],
    settings: OverlaySettings,
) -> Path:
    """Simulate tracks and expression over real sequence, haplotypes and genes; the same settings give the same bytes.

    Parameters
    ----------
    fasta, vcf, annotation
        Real genome, phased genotypes over it, and genes (GTF). Contigs without variants or genes are copied.
    folder
        Written whole, with the same files as `simulate_cohort`; the VCF is copied, the genome too unless flanks are
        edited (upper case, ambiguous bases N). An existing folder is replaced.
    settings
        What to simulate.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        A file is missing or does not fit the others, genotypes are not phased, or no gene is left.
    """
    reference = Reference(fasta)
    grammar = draw_grammar(settings.promoter, stream(settings.seed, "grammar"))
    genes, exons = _read_annotation(Path(annotation), reference)
    vcf = Path(vcf)
    people = guards.find_samples(vcf, None)
    with atomic_path(folder) as temporary, tempfile.TemporaryDirectory() as scratch:
        temporary.mkdir()
        source = vcf_files.indexed(vcf, Path(scratch))
        names = guards.find_contigs(source, reference, None, vcf)
        contigs, edits = [], []
        for chrom in reference.contigs:
            sequence = encode(reference.fetch(chrom, 0, reference.contigs[chrom]))
            variants, recorded = ContigVariants(vcf, source, chrom, names.get(chrom), people).read(reference, sequence)
            real = genes[genes["chrom"] == chrom], exons[exons["chrom"] == chrom]
            contigs.append(_overlay_contig(chrom, sequence, real, variants, recorded, grammar, settings))
            edits.append(_edits(contigs[-1], sequence))
        edited = pd.concat(edits)
        write_fasta(temporary / "genome.fa", {contig.name: contig.sequence for contig in contigs})
        copy_vcf(vcf, temporary / "cohort.vcf.gz")
        write_table(temporary / "samples.tsv", pd.DataFrame({"sample": people}))
        write_annotation(temporary, contigs, "simulation")
        write_windows(temporary, contigs, settings.promoter.length_bp, settings.seed)
        write_tracks(temporary, contigs, settings)
        write_expression(temporary, contigs, people, settings)
        write_motifs(temporary, grammar, settings.promoter.biosamples)
        write_table(temporary / "truth" / "edits.tsv", edited)
        (temporary / "truth" / "README.txt").write_text(_readme(contigs, people, len(edited), grammar, settings))
    return Path(folder)


def _read_annotation(annotation: Path, reference: Reference) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the genes that have exons, and their exons, by the contig names of the genome."""
    genes, exons, _ = read_annotation(annotation, reference.contigs)
    genes = genes[genes["gene_id"].isin(exons["gene_id"])]
    if not len(genes):
        raise InputError("no gene has an exon", where=annotation, fix="Give a GTF with exon lines.")
    return genes, exons


def _overlay_contig(
    chrom: str,
    sequence: np.ndarray,
    real: tuple[pd.DataFrame, pd.DataFrame],
    variants: Variants,
    recorded: np.ndarray,
    grammar: Grammar,
    settings: OverlaySettings,
) -> SimulatedContig:
    rng = stream(settings.seed, "contig", chrom)
    upstream = settings.promoter.length_bp
    genes, exons = real
    genes = genes.assign(gene_type="annotated")
    if settings.pseudo_gene_spacing_bp:
        real_promoters = np.array([(p.start, p.end) for p in promoters_of(genes, upstream)], np.int64).reshape(-1, 2)
        occupied = (sequence == N) | covered(*real_promoters.T, len(sequence))
        occupied |= covered(exons["start"].to_numpy(), exons["end"].to_numpy(), len(sequence))
        spacing = settings.pseudo_gene_spacing_bp
        more_genes, more_exons = place_pseudo_genes(chrom, occupied, spacing, upstream, rng)
        genes, exons = (
            pd.concat([given, more], ignore_index=True).sort_values("start", ignore_index=True, kind="stable")
            for given, more in ((genes, more_genes), (exons, more_exons))
        )
    promoters = promoters_of(genes, upstream)
    edited = sequence.copy()
    sites = pd.DataFrame(columns=SITE_COLUMNS)
    if settings.edit_flanks:
        protected = recorded | (sequence == N)
        laid = settings.promoter, settings.expression
        sites = plant(edited, chrom, promoters, variants, protected, grammar, laid, rng)
    activity = activities(edited, promoters, variants, grammar, settings.promoter.biosamples)
    return SimulatedContig(chrom, edited, genes, exons, variants, sites, activity)


def _edits(contig: SimulatedContig, sequence: np.ndarray) -> pd.DataFrame:
    """Return the bases of the genome that were changed (`pos` 1-based)."""
    at = np.flatnonzero(contig.sequence != sequence)
    bases = {"from": list(decode(sequence[at])), "to": list(decode(contig.sequence[at]))}
    return pd.DataFrame({"chrom": contig.name, "pos": at + 1, **bases})


def _readme(
    contigs: list[SimulatedContig], people: list[str], edits: int, grammar: Grammar, settings: OverlaySettings
) -> str:
    types = pd.concat([contig.genes["gene_type"] for contig in contigs]).value_counts()
    real, pseudo = (types.get(label, 0) for label in ("annotated", "simulated"))
    edited = f"flanks edited at {edits} positions (edits.tsv)" if settings.edit_flanks else "the sequence is untouched"
    return f"""Simulated on real haplotypes; {edited}.

Genotypes are those of the VCF: no variant was moved or changed. Tracks and expression are simulated, not measured.
{real} annotated genes, {pseudo} pseudo-genes of one exon (gene_type simulated), {len(people)} samples;
biosamples {", ".join(settings.promoter.biosamples)}; seed {settings.seed}.

{explanation(grammar, settings)}edits.tsv       bases of the genome that were changed
"""
