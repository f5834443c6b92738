"""What every simulation writes: annotation, tracks, expression, and the truth beside them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import TruthSettings
from glmflow.simulate.genes import gtf_lines
from glmflow.simulate.motifs import MOTIF_BP, PAIR_DISTANCE_BP, SATURATION, STRAND_SPECIFIC, Grammar
from glmflow.simulate.phased_variants import Variants
from glmflow.simulate.reproducible_files import write_table
from glmflow.simulate.simulated_expression import (
    LEAST_VARIANCE,
    Activities,
    achieved_heritability,
    genetic_expression,
    measured_expression,
)
from glmflow.simulate.tracks import STRANDS, Transcript, mean_coverage, replicate_coverage, transcripts, write_track


@dataclass(frozen=True)
class SimulatedContig:
    """One contig with all that lies on it; genes and activities are in the same order."""

    name: str
    sequence: np.ndarray
    genes: pd.DataFrame
    exons: pd.DataFrame
    variants: Variants
    sites: pd.DataFrame
    activities: Activities


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return a generator of its own for each purpose: what one draws does not shift what another does."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def write_annotation(folder: Path, contigs: Sequence[SimulatedContig], source: str) -> None:
    """Write genes.gtf."""
    lines = [line for contig in contigs for line in gtf_lines(contig.genes, contig.exons, source)]
    (folder / "genes.gtf").write_text("\n".join([*lines, ""]))


def write_tracks(folder: Path, contigs: Sequence[SimulatedContig], settings: TruthSettings) -> None:
    """Write tracks/{biosample}.{strand}.rep{n}.bw, and their noiseless mean under truth/tracks."""
    lengths = {contig.name: len(contig.sequence) for contig in contigs}
    built = {contig.name: transcripts(contig.genes, contig.exons) for contig in contigs}
    (folder / "tracks").mkdir()
    (folder / "truth" / "tracks").mkdir(parents=True)
    for column, biosample in enumerate(settings.promoter.biosamples):
        for label, strand in STRANDS.items():
            mean: dict[str, list[tuple[int, np.ndarray]]] = {}
            for contig in contigs:
                here = _levels(contig, built[contig.name], column, strand, settings)
                mean[contig.name] = [(t.start, mean_coverage(t, level, settings.tracks)) for t, level in here]
            write_track(folder / "truth" / "tracks" / f"{biosample}.{label}.bw", lengths, mean)
            for replicate in range(1, settings.tracks.replicates + 1):
                drawn: dict[str, list[tuple[int, np.ndarray]]] = {}
                for contig in contigs:
                    here = _levels(contig, built[contig.name], column, strand, settings)
                    rng = stream(settings.seed, "reads", contig.name, biosample, label, str(replicate))
                    drawn[contig.name] = [
                        (t.start, replicate_coverage(t, level, settings.tracks, rng)) for t, level in here
                    ]
                write_track(folder / "tracks" / f"{biosample}.{label}.rep{replicate}.bw", lengths, drawn)


def _levels(
    contig: SimulatedContig, built: list[Transcript], biosample: int, strand: str, settings: TruthSettings
) -> list[tuple[Transcript, float]]:
    """Return the transcripts on a strand, each with its mean coverage in a biosample."""
    levels = settings.tracks.coverage * np.exp(contig.activities.reference[:, biosample])
    here = np.flatnonzero(contig.genes["strand"] == strand)
    return [(built[gene], levels[gene]) for gene in here]


def write_expression(
    folder: Path, contigs: Sequence[SimulatedContig], people: Sequence[str], settings: TruthSettings
) -> None:
    """Write expression.tsv, the same without noise under truth/, and the truth tables about genes and variants."""
    (folder / "truth").mkdir(exist_ok=True)
    genes = pd.concat([contig.genes for contig in contigs], ignore_index=True)
    places = genes[["gene_id", "chrom", "tss", "strand"]]
    genetic = genetic_expression(np.concatenate([contig.activities.haplotypes for contig in contigs]))
    measured, noise = measured_expression(genetic, settings.expression, stream(settings.seed, "noise"))
    for name, values in (("expression.tsv", measured), ("truth/expression.tsv", genetic)):
        write_table(folder / name, pd.concat([places, pd.DataFrame(values, columns=list(people))], axis=1))
    reference = np.concatenate([contig.activities.reference for contig in contigs])
    variance = genetic.var(axis=1)
    truth = places.assign(gene_type=genes["gene_type"])
    for column, biosample in enumerate(settings.promoter.biosamples):
        truth[f"log_activity_{biosample}"] = reference[:, column]
    truth["genetic_variance"] = variance
    truth["noise_variance"] = noise
    truth["heritability_expected"] = variance / (variance + noise)
    truth["heritability_achieved"] = achieved_heritability(genetic, measured)
    write_table(folder / "truth" / "genes.tsv", truth, decimals=8)
    write_table(folder / "truth" / "variants.tsv", pd.concat([_variant_truth(c, settings) for c in contigs]))
    sites = pd.concat([contig.sites for contig in contigs]).drop(columns="variant_position")
    write_table(folder / "truth" / "sites.tsv", sites)


def _variant_truth(contig: SimulatedContig, settings: TruthSettings) -> pd.DataFrame:
    """Return every variant that acts on a gene, with what it does; `pos` is 1-based as in the VCF."""
    acting = contig.activities.variants
    variants = contig.variants.take(acting["row"].to_numpy())
    laid = contig.sites[contig.sites["kind"] != "planted"]
    kind = {
        (gene, position): (motif, kind)
        for gene, position, motif, kind in zip(
            laid["gene_id"], laid["variant_position"], laid["motif"], laid["kind"], strict=True
        )
    }
    found = [kind.get(key, (".", "natural")) for key in zip(acting["gene_id"], variants.position, strict=True)]
    dosage = variants.carried[:, 0::2].astype(float) + variants.carried[:, 1::2]
    table = pd.DataFrame(
        {
            "gene_id": acting["gene_id"],
            "chrom": contig.name,
            "pos": variants.position + 1,
            "ref": variants.reference,
            "alt": variants.alternate,
            "maf": variants.minor_frequency,
            "dosage_sd": dosage.std(axis=1),
            "kind": [kind for _, kind in found],
            "motif": [motif for motif, _ in found],
        }
    )
    for biosample in settings.promoter.biosamples:
        table[f"effect_{biosample}"] = acting[biosample].to_numpy()
    return table


def write_motifs(folder: Path, grammar: Grammar, biosamples: Sequence[str]) -> None:
    """Write truth/motifs.tsv."""
    table = pd.DataFrame({"motif": grammar.names, "consensus": grammar.consensus})
    for column, biosample in enumerate(biosamples):
        table[f"effect_{biosample}"] = grammar.effects[column]
    table["strands"] = ["own" if k == STRAND_SPECIFIC else "both" for k in range(len(grammar.names))]
    write_table(folder / "truth" / "motifs.tsv", table)


def explanation(grammar: Grammar, settings: TruthSettings) -> str:
    """Say in words how the sequence makes activity, and what the files of the truth hold."""
    left, right = (grammar.names[k] for k in grammar.pair)
    promoter = settings.promoter
    measured = promoter.biosamples[0]
    return f"""How the sequence acts. The promoter is the {promoter.length_bp} bp upstream of the transcription start (TSS).
Each site of a motif counts occupancy * exp(-d^2 / (2 * {promoter.distance_sd_bp:g}^2)), d the bp from its middle to the TSS;
s is the sum over the sites of a motif. Log activity (natural) = sum over motifs of effect * s / (1 + {SATURATION:g} s).
Motifs (motifs.tsv, {MOTIF_BP} bp) act on both strands, {grammar.names[STRAND_SPECIFIC]} on the gene's own strand only.
{left} followed by {right}, first bases {PAIR_DISTANCE_BP} bp apart, counts once more as a pair (effect {promoter.pair_effect:g}).

Tracks are made by the genome's own sequence: mean coverage of the exons = {settings.tracks.coverage:g} * activity.
Expression of a sample = log of the mean activity in {measured} of both haplotypes, and noise that leaves a
heritability of {settings.expression.heritability:g}. A gene whose genetic variance is under {LEAST_VARIANCE:g} has less.

genes.tsv       log activity on the genome by biosample; genetic and noise variance between samples; heritability
                expected (by the variances) and achieved (squared correlation of both expression tables)
expression.tsv  expression without noise
variants.tsv    every variant that acts: `effect_*` is the change of log activity the ALT allele alone makes on the
                genome; `kind` break or create: laid into a motif on purpose, natural: not; `pos` is 1-based
sites.tsv       sites planted or laid over variants (0-based, half-open)
tracks/         mean coverage without noise
"""
