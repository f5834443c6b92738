"""Genes of the tasks with signals: observed and predicted means, and how far off the leading run is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study

GENE = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "split", "track"]
SCATTER_POINTS_A_RUN = 5_000
SCATTER_POINTS = 30_000


def read_genes(study: Study, *tasks: str) -> pd.DataFrame:
    """Return observed and predicted signal of genes, averaged over seeds: one row a run x gene x track.

    Read from `scores/genes.tsv` of the runs of some tasks: gene_id gene_name chrom start end strand split track observed
    predicted; without a column split, all are of the reported split.
    """
    genes = read_scores(study.runs(*tasks), "genes.tsv")
    keys = ["task", "model", "adaptation", *GENE]
    if genes.empty:
        return study.name_runs(pd.DataFrame(columns=[*keys, "observed", "predicted"]))
    genes = genes if "split" in genes else genes.assign(split=study.inputs.split)
    genes["split"] = genes["split"].fillna(study.inputs.split)
    genes["gene_name"] = genes["gene_name"].fillna(genes["gene_id"])
    means = genes.groupby(keys, as_index=False, sort=False)[["observed", "predicted"]].mean()
    return study.name_runs(means)


def gene_errors(study: Study, task: str) -> pd.DataFrame:
    """Return one row a held-out gene: largest observed signal, and the leading run's error of log1p over its tracks."""
    genes = study.once(read_genes, task)
    leading = genes[genes["label"] == study.leader(task)]
    genes = leading if len(leading) else genes
    held_out = genes[genes["split"] == study.inputs.split]
    genes = held_out if len(held_out) else genes
    error = np.log1p(genes["predicted"].clip(lower=0)) - np.log1p(genes["observed"].clip(lower=0))
    keys = ["gene_id", "gene_name", "chrom", "start", "end", "strand", "split"]
    return (
        genes.assign(error=error.abs())
        .groupby(keys, as_index=False)
        .agg(observed=("observed", "max"), error=("error", "mean"))
    )


def sample_genes(genes: pd.DataFrame, links: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return what the scatter draws: all genes, or as many as a page can hold, the same in every run.

    `links` are the addresses of the genes in the genome browser, by task and gene id; those genes are kept and marked
    (`shown`, `href`).
    """
    href = [links.get(task, {}).get(gene, "") for task, gene in zip(genes["task"], genes["gene_id"])]
    genes = genes.assign(href=pd.Series(href, index=genes.index, dtype=object), shown=[bool(link) for link in href])
    columns = [
        "task",
        "label",
        "model",
        "gene_id",
        "gene_name",
        "split",
        "track",
        "observed",
        "predicted",
        "shown",
        "href",
    ]
    limit = min(SCATTER_POINTS_A_RUN, SCATTER_POINTS // max(1, genes["key"].nunique()))
    largest = genes["key"].value_counts().max() if len(genes) else 0
    if largest > limit:
        ids = genes["gene_id"].drop_duplicates()
        drawn = ids.sample(max(1, int(len(ids) * limit / largest)), random_state=1)
        genes = genes[genes["gene_id"].isin(set(drawn).union(*links.values()))]
    return genes[columns]
