"""A tuned model of personal expression on samples it has not seen: from their genotypes, or from their own FASTAs."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.common import CommonElsewhere, CommonVariants
from glmflow.genome.contigs import match_contigs
from glmflow.genome.counts import Counts
from glmflow.genome.distinct import describe_saving
from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.genome.tss_windows import place_windows
from glmflow.genome.variants import build_store
from glmflow.genome.vcf_files import contigs_with_records
from glmflow.training.inputs.cohort_genes import CohortWindows, Gene, GeneSamples, common_variants
from glmflow.training.inputs.gene_haplotypes import pairs, predict_samples
from glmflow.training.predict import load_predictor
from glmflow.training.ready import Predictor

from .applied_model import annotates, read_arguments, strictness
from .expression_variants import annotate_expression
from .sample_records import of_records

log = logging.getLogger(__name__)

PROGRESS = 100
"""Genes from one line of the log to the next."""


def of_study(model_folder: Path, name: str) -> Path:
    """Return where a file of its study lies, given the model folder of a run where the workflow wrote it."""
    return model_folder.resolve().joinpath("../../../../../..").resolve() / name


def genes_of_run(model_folder: Path, settings: Mapping[str, Any]) -> Path:
    """Return the table of genes that a run was made from, where it lies in the results of its study."""
    found = of_study(model_folder, f"examples/{settings['task_label']}/genes.tsv")
    if not found.is_file():
        raise InputError("which genes?", where="--genes", fix="Give a GTF, BED or TSV of genes.")
    return found


def common_of_run(model_folder: Path, settings: Mapping[str, Any]) -> CommonVariants | None:
    """Return the variants that were common among a run's training samples, where its task reads no others (`min_maf`).

    None where it reads all, or where the run is not in the results of its study: which they were is not known then, all
    variants are read, and the log says so.
    """
    min_maf = settings["task"]["min_maf"]
    if not min_maf:
        return None
    store = of_study(model_folder, "cohort/store")
    examples = of_study(model_folder, f"examples/{settings['task_label']}.parquet")
    if store.is_dir() and examples.is_file():
        return common_variants(store, pd.read_parquet(examples, columns=["split", "sample"]), min_maf)
    log.warning(
        "the model was trained on variants of a frequency of %g or more among its training samples, which are not known "
        "outside of the results of its study: all variants are read",
        min_maf,
    )
    return None


def genes_placed(path: Path, genome: Reference, contigs: Iterable[str], settings: Mapping[str, Any]) -> list[Gene]:
    """Return genes with the windows of a run's task; those it would not have used are left out, and counted in the log.

    Parameters
    ----------
    path
        Table of genes (`read_gene_starts`).
    contigs
        Contigs that genes may lie on.

    Raises
    ------
    InputError
        No gene is left.
    """
    counts, task = Counts(), settings["task"]
    lengths = {name: genome.contigs[name] for name in contigs}
    placed = place_windows(read_gene_starts(path, genome.contigs), genome, lengths, task["windows"], counts)
    for item, count, names in counts.rows:
        if count:
            log.warning("%s, left out: %d %s", item, count, f"({names})" if names else "")
    if placed.empty:
        raise InputError("no gene can be predicted", where=path, fix="Give genes on the contigs of the genotypes.")
    none, nothing = np.empty(0, object), np.empty(0)
    return [
        Gene(row.gene_id, row.chrom, int(row.start), int(row.end), row.strand, none, none, none, nothing)
        for row in placed.itertuples(index=False)
    ]


def of_genotypes(
    settings: Mapping[str, Any],
    vcf: Path,
    genome: Reference,
    genes: Path,
    scratch: Path,
    common: CommonVariants | None = None,
    **read: Any,
) -> Iterator[GeneSamples]:
    """Yield genes with the haplotypes of the samples of a phased VCF.

    Parameters
    ----------
    settings
        Of the run: its task says how long windows are and which variants haplotypes carry.
    genes
        Table of genes.
    scratch
        Folder for the parsed genotypes.
    common
        Variants of the cohort that the model was trained on, where it reads those alone (`common_of_run`).
    **read
        `samples`, `filter_policy` and `unphased` of `build_store`.

    Raises
    ------
    InputError
        The VCF is of another genome or unphased, or lacks a sample; no gene lies on its contigs.
    """
    task = settings["task"]
    wanted = read_gene_starts(genes, genome.contigs)["chrom"].unique()
    known = contigs_with_records(vcf)
    shared = match_contigs(genome.contigs, known.names, where=vcf)
    chosen = [chrom for chrom in wanted if chrom in shared] if known.complete else []
    store = build_store(vcf, genome, scratch / "store", contigs=chosen or None, **read)
    log.info("%s: %s", vcf, store.summary(task["variants"]))
    placed = genes_placed(genes, genome, store.contigs, settings)
    variants = CommonElsewhere(store.folder, common) if common else store
    reader = HaplotypeReader(variants, genome, task["variants"])
    windows = CohortWindows(GeneWindows(reader), task["control"] == "reference")
    people = np.array(store.samples, object)
    for gene in placed:
        yield GeneSamples(gene.name, store.samples, windows.haplotypes(gene._replace(samples=people)))


def expression_of(tuned: Predictor, found: Iterable[GeneSamples]) -> pd.DataFrame:
    """Predict genes in samples.

    Returns
    -------
    DataFrame
        `gene`, `sample`, `prediction` (in the unit of the training targets) and, where the model has a value for each
        haplotype, of which a sample's is the mean, `prediction_haplotype1` and `prediction_haplotype2`.
    """
    resolved = tuned.run.settings["task"]["combine"] == "predictions"
    tables, distinct, windows = [], 0, 0
    for gene, people, (sequences, of_person) in found:
        asked = np.concatenate([of_person, pairs(len(sequences))]) if resolved else of_person
        values = predict_samples(tuned, sequences, asked)
        table = pd.DataFrame({"gene": gene, "sample": list(people), "prediction": values[: len(people)]})
        for haplotype in (1, 2) if resolved else ():
            table[f"prediction_haplotype{haplotype}"] = values[len(people) :][of_person[:, haplotype - 1]]
        tables.append(table)
        distinct, windows = distinct + len(sequences), windows + of_person.size
        if len(tables) % PROGRESS == 0:
            log.info("predicted %d genes, %s last", len(tables), gene)
    log.info("haplotypes predicted: %s", describe_saving(distinct, windows))
    return pd.concat(tables, ignore_index=True)


def apply_expression(model: Path, arguments: argparse.Namespace, scratch: Path) -> Counter[Reason]:
    """Apply a model of personal expression; return the alleles of each reason, where variants are."""
    check_expression_arguments(arguments)
    tuned = load_predictor(model, Path(arguments.states or scratch / "states"))
    if arguments.fasta.is_dir():
        found = of_records(tuned.run.settings, arguments.fasta, arguments.sample, arguments.records_along)
    else:
        genome = Reference(arguments.fasta)
        genes = arguments.genes or genes_of_run(model, tuned.run.settings)
        if annotates(arguments):
            placed = genes_placed(genes, genome, genome.contigs, tuned.run.settings)
            how = strictness(arguments)
            return annotate_expression(tuned, genome, placed, arguments.vcf, arguments.output, model, how)
        common = common_of_run(model, tuned.run.settings)
        files = arguments.vcf, genome, genes, scratch
        found = of_genotypes(tuned.run.settings, *files, common, **read_arguments(arguments))
    write_table(expression_of(tuned, found), arguments.output)
    return Counter()


def check_expression_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a model of personal expression has no use for, or too few."""
    if arguments.bed or arguments.haplotype:
        fix = "Name genes by --genes; the table has both haplotypes beside their mean."
        raise InputError("expression is of genes, from both haplotypes", where="--bed or --haplotype", fix=fix)
    if arguments.span or arguments.share != 1:
        fix = "Leave --span and --share out: an allele is read in the windows of the genes around it."
        raise InputError("are for models of tracks", where="--span, --share", fix=fix)
    if not annotates(arguments) and arguments.output.suffix != ".parquet":
        raise InputError("expression is a table", where="--output", fix="Give NAME.parquet or NAME.vcf[.gz].")
    records = arguments.fasta.is_dir()
    if records and (arguments.vcf or arguments.genes):
        fix = "Leave --vcf and --genes out, or give the genome as --fasta."
        raise InputError("a folder of samples' FASTAs holds their genes as they have them", where="--fasta", fix=fix)
    if not records and not arguments.vcf:
        fix = "Give their phased --vcf, or a folder of their FASTAs as --fasta."
        raise InputError("whose expression?", where="--vcf", fix=fix)
    if not records and arguments.records_along:
        raise InputError("no folder of records", where="--records-along", fix="Leave it out.")


APPLIES = {"gene_haplotypes": apply_expression}
