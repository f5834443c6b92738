"""The steps of the kind as the workflow calls them: files are read here, and handed to the functions of this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.config.tasks.snp2gex import Snp2gex
from glmflow.files import read_table
from glmflow.genome.export import export_gene_fastas
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.people import read_people
from glmflow.genome.reference import Reference
from glmflow.genome.variants import open_store
from glmflow.tasks.tables import Division, Made, Scored

from .causal import causal_metrics
from .examples import cohort_examples
from .expression_matrix import read_expression
from .gene_units import people_of
from .hackathon import hackathon_examples, read_rows, write_cohort
from .scoring import score_classes
from .submission import partitions_of, submission


def own_data(task: Snp2gex, files: Mapping[str, Any], fasta: Path, annotation: Path, vcf: Path) -> dict[str, int]:
    """Write genome, genes and phased variants of the hackathon's files; return what was counted."""
    assert task.hackathon is not None
    return write_cohort(files["folder"], task.hackathon.oriented, fasta, vcf, annotation)


def examples(task: Snp2gex, files: Mapping[str, Any], division: Division) -> Made:
    """Return every gene in every sample, with its window, target and split, and what was counted and checked.

    Parameters
    ----------
    files
        `fasta`, `store`, `genes`; `expression`, `samples` (or none) and `truth` (or none); or `partitions` of the
        hackathon.
    """
    settings = task.model_dump(mode="json")
    windows = GeneWindows(HaplotypeReader(open_store(files["store"]), Reference(files["fasta"]), task.variants))
    genes = read_table(files["genes"])
    if task.hackathon:
        return hackathon_examples(settings, read_rows(files["partitions"], task.hackathon.target), genes, windows)
    truth = files.get("truth")
    return cohort_examples(
        settings,
        read_expression(files["expression"]),
        genes,
        read_people(files.get("samples") or None, windows.reader.store.samples),
        windows,
        division,
        read_expression(f"{truth}/expression.tsv").values if truth else None,
    )


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score a run class by class, and rank the variants whose effects it predicts.

    Parameters
    ----------
    predicted
        Folder with `variants.tsv`.
    files
        `tables` of the examples; `truth` of a simulation (or none); `elastic_net`: the variants of the elastic net of
        the same task (or none).

    Returns
    -------
    Scored
        With the tables `personal.tsv` (a row a class and gene), `causal_genes.tsv`, and `submission.csv`: the upload to
        the published task.
    """
    genes = read_table(f"{files['tables']}/genes.tsv")
    people = people_of(read_table(f"{files['tables']}/samples.tsv"))
    metrics, by_gene, units = score_classes(settings, examples, predictions, genes, people)
    truth, other = files.get("truth"), files.get("elastic_net")
    effects, ranked = causal_metrics(
        settings,
        read_table(predicted / "variants.tsv"),
        set(genes.loc[genes["split"] == "train", "gene_id"]),
        read_table(f"{truth}/variants.tsv") if truth else None,
        read_table(f"{other}/variants.tsv") if other else None,
    )
    held_out = examples.loc[examples["split"].isin(["test", "predict"]), ["example", "sample", "group"]]
    target = (settings["task"]["hackathon"] or {"target": "log_TPM"})["target"]
    tables = {
        "personal.tsv": by_gene,
        "causal_genes.tsv": ranked,
        "submission.csv": submission(held_out.merge(predictions, on="example"), target),
    }
    both = pd.concat([part for part in (metrics, effects) if len(part)] or [metrics], ignore_index=True)
    return Scored(both, tables, units)


def export(task: Snp2gex, files: Mapping[str, Any], examples: pd.DataFrame, folder: Path) -> None:
    """Write the haplotypes of all samples around transcription starts, and targets, in the published layout."""
    # A base to spare on either side: the layout has the TSS of a gene on the minus strand one base off the middle.
    length = task.windows.size + (0 if task.hackathon else 2)
    reader = HaplotypeReader(open_store(files["store"]), Reference(files["fasta"]), task.variants)
    export_gene_fastas(reader, read_table(files["genes"]), partitions_of(examples), folder, length)
