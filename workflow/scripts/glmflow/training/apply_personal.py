"""A tuned model of personal expression on people it has not seen: from their genotypes, or from their own FASTAs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.common import CommonElsewhere, CommonVariants
from glmflow.genome.contigs import match_contigs
from glmflow.genome.distinct import describe_saving
from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.genome.vcf_files import contigs_with_records
from glmflow.tasks.snp2gex.examples import Notes, place_windows

from .annotated_vcf import Field, annotate, checked_records, field_name, is_plain
from .mutation import effects_of
from .personal import Predictor, common_variants, pairs
from .personal_data import Gene, PeopleOfGene, PersonalWindows

log = logging.getLogger(__name__)

PROGRESS = 100
"""Genes from one line of the log to the next."""


def of_study(model_folder: Path, name: str) -> Path:
    """Return where a file of its study lies, given the model folder of a run where the workflow wrote it."""
    return model_folder.resolve().joinpath("../../../../../..").resolve() / name


def genes_of_run(model_folder: Path, settings: Mapping[str, Any]) -> Path:
    """Return the table of genes that a run was made from, where it lies in the results of its study."""
    found = of_study(model_folder, f"examples/{settings['task_label']}.genes.tsv")
    if not found.is_file():
        raise InputError("which genes?", where="--genes", mend="Give a GTF, BED or TSV of genes.")
    return found


def common_of_run(model_folder: Path, settings: Mapping[str, Any]) -> CommonVariants | None:
    """Return the variants that were common among a run's training people, where its task reads no others (`min_maf`).

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
        "the model was trained on variants of a frequency of %g or more among its training people, which are not known "
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
    notes, task = Notes(), settings["task"]
    lengths = {name: genome.contigs[name] for name in contigs}
    placed = place_windows(read_gene_starts(path, genome.contigs), genome, lengths, task["windows"], notes)
    for item, count, names in notes.rows:
        if count:
            log.warning("%s, left out: %d %s", item, count, f"({names})" if names else "")
    if placed.empty:
        raise InputError("no gene can be predicted", where=path, mend="Give genes on the contigs of the genotypes.")
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
) -> Iterator[PeopleOfGene]:
    """Yield genes with the haplotypes of the people of a phased VCF.

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
        The VCF is of another genome or unphased, or lacks a person; no gene lies on its contigs.
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
    windows = PersonalWindows(GeneWindows(reader), task["control"] == "reference")
    people = np.array(store.samples, object)
    for gene in placed:
        yield PeopleOfGene(gene.name, store.samples, windows.haplotypes(gene._replace(people=people)))


def expression_of(tuned: Predictor, found: Iterable[PeopleOfGene]) -> pd.DataFrame:
    """Predict genes in people.

    Returns
    -------
    DataFrame
        `gene`, `sample`, `prediction` (in the unit of the training targets) and, where the model has a value for each
        haplotype, of which a person's is the mean, `prediction_haplotype1` and `prediction_haplotype2`.
    """
    resolved = tuned.settings["task"]["combine"] == "predictions"
    tables, distinct, windows = [], 0, 0
    for gene, people, (sequences, of_person) in found:
        asked = np.concatenate([of_person, pairs(len(sequences))]) if resolved else of_person
        values = tuned.people(sequences, asked)
        table = pd.DataFrame({"gene": gene, "sample": list(people), "prediction": values[: len(people)]})
        for haplotype in (1, 2) if resolved else ():
            table[f"prediction_haplotype{haplotype}"] = values[len(people) :][of_person[:, haplotype - 1]]
        tables.append(table)
        distinct, windows = distinct + len(sequences), windows + of_person.size
        if len(tables) % PROGRESS == 0:
            log.info("predicted %d genes, %s last", len(tables), gene)
    log.info("haplotypes predicted: %s", describe_saving(distinct, windows))
    return pd.concat(tables, ignore_index=True)


Allele = tuple[str, int, str, str]
"""`chrom, pos` (0-based)`, ref, alt`."""


def annotate_expression(tuned: Predictor, genome: Reference, genes: Path, vcf: Path, output: Path) -> dict[str, int]:
    """Write a VCF with what each alternative allele does to the predicted expression of the genes around it.

    The field `GLM_{task}` (one value an alternative allele) is what one copy of the allele, put alone into the reference,
    adds to the prediction, as `effect` in the `variants.tsv` of a run; of several genes in whose windows it begins, the
    largest. `GLM_{task}_genes` names all of them, `GENE:difference` with `&` between, the largest first. Alleles outside of
    every window, not written in A, C, G and T, or of a kind that the task does not read get no value.

    Returns
    -------
    Alleles that were `scored` and `skipped`.

    Raises
    ------
    InputError
        The file cannot be read or is not of this genome.
    """
    counts = {"scored": 0, "skipped": 0}
    effects = effects_by_allele(tuned, genome, genes_placed(genes, genome, genome.contigs, tuned.settings), vcf)
    size, name = tuned.settings["task"]["windows"]["size"], field_name(tuned.settings["task_label"])
    what = f"predicted expression that one copy of the allele adds, {size} bp windows"
    fields = [
        Field(name, "Float", f"{what}; of several genes the largest"),
        Field(f"{name}_genes", "String", f"{what}: GENE:difference of every gene, largest first"),
    ]

    def values(record: Any) -> dict[str, list[str | None]]:
        found = [effects.get((record.chrom, record.start, record.ref, alt), []) for alt in record.alts or ()]
        counts["scored"] += sum(map(bool, found))
        counts["skipped"] += sum(not each for each in found)
        if not any(found):
            return {}
        ordered = [sorted(each, key=lambda effect: -abs(effect[1])) for each in found]
        return {
            fields[0].name: [f"{each[0][1]:.5g}" if each else None for each in ordered],
            fields[1].name: ["&".join(f"{quote(g)}:{e:.5g}" for g, e in each) or None for each in ordered],
        }

    annotate(vcf, genome, output, fields, values)
    return counts


def effects_by_allele(
    tuned: Predictor, genome: Reference, genes: Sequence[Gene], vcf: Path
) -> dict[Allele, list[tuple[str, float]]]:
    """Return the genes in whose windows each allele of a VCF begins, and what one copy of it adds to them."""
    alleles = alleles_by_gene(tuned.settings["task"]["variants"], genome, genes, vcf)
    effects: dict[Allele, list[tuple[str, float]]] = {}
    for number, found in sorted(alleles.items()):
        gene = genes[number]
        variants = pd.DataFrame(list(dict.fromkeys(found)), columns=["pos", "ref", "alt"])
        upper = variants.assign(ref=variants["ref"].str.upper(), alt=variants["alt"].str.upper())
        for allele, effect in zip(variants.itertuples(index=False), effects_of(gene, genome, upper, tuned.carriers)):
            effects.setdefault((gene.chrom, *allele), []).append((gene.name, float(effect)))
        log.info("%s: %d alleles", gene.name, len(variants))
    return effects


def alleles_by_gene(
    variants: str, genome: Reference, genes: Sequence[Gene], vcf: Path
) -> dict[int, list[tuple[int, str, str]]]:
    """Return the alleles of a VCF (`pos, ref, alt`) that begin in the window of each gene, by its number."""
    starts: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for chrom in {gene.chrom for gene in genes}:
        numbers = np.array([number for number, gene in enumerate(genes) if gene.chrom == chrom])
        own = np.array([genes[number].start for number in numbers])
        starts[chrom] = np.sort(own), numbers[np.argsort(own, kind="stable")]
    size = genes[0].end - genes[0].start
    found: dict[int, list[tuple[int, str, str]]] = {}
    with checked_records(vcf, genome) as (_, records):
        for record in records:
            if record.chrom not in starts:
                continue
            own, numbers = starts[record.chrom]
            near = numbers[own.searchsorted(record.start - size, "right") : own.searchsorted(record.start, "right")]
            for alt in record.alts or ():
                if is_plain(record, alt) and (variants == "all" or len(record.ref) == len(alt) == 1):
                    for number in near.tolist():
                        found.setdefault(number, []).append((record.start, record.ref, alt))
    return found
