"""Every number a run is judged by, class by class: between samples within genes first, for that is the task.

Correlations are never taken over pooled pairs of genes and people: a model that knows gene means alone would score
the square root of the between-gene share of the variance, without telling two samples apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from glmflow.errors import InputError
from glmflow.statistics.bootstrap import Interval, interval_of_mean, interval_of_rows
from glmflow.statistics.correlation import constant_columns, pearson, pearson_columns
from glmflow.statistics.stored import Stored
from glmflow.tasks.comparable import cell
from glmflow.tasks.tables import CLEAN, METRIC_COLUMNS, clean_part, metric_row, metrics_table, run_keys

from .gene_scores import SIGNIFICANT, gene_scores, matrices
from .gene_units import People, comparable_scores, loci_of, permutation_rows
from .label_classes import scorer_spelling
from .official import official_scores

WITHOUT_COPIES = ", no_near_copy"
GENE_DRAWS = 200  # draws of genes behind the intervals of cross-gene scores, which cost more


def score_classes(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    genes: pd.DataFrame,
    people: People,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Stored]]:
    """Score a run on every held-out class, and on the training class where it is predicted.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples, predictions
        Examples table of the task, and `example`, `prediction` of the run.
    genes
        Facts of each gene: `gene_id`, and where known `heritability`, `ceiling` (correlation of true genetic and
        measured expression in test samples), `variants`.
    people
        Population of each sample, within which the null permutes (one for all where unknown), and families.

    Returns
    -------
    metrics, genes, units
        The metrics table; the scores of `gene_scores` for each class with the facts of the genes beside them; and what a
        comparison of runs needs, by cell. All empty where no target is known, as in the hackathon's released files.

    Raises
    ------
    InputError
        A held-out example has no finite prediction, or one comes twice.
    """
    task = settings["task"]
    rows = joined(examples, predictions)
    if rows.empty:
        none = pd.DataFrame(columns=["group", "pearson", "split", "subset"])
        return pd.DataFrame(columns=list(METRIC_COLUMNS)), none, {}
    metric_rows, tables, units = [], [], {}
    loci, size = loci_of(examples, genes), task["windows"]["size"]
    for (split, subset), part in classes(rows):
        table = gene_scores(part).merge(genes, left_on="group", right_on="gene_id", how="left").drop(columns="gene_id")
        if not subset.endswith(WITHOUT_COPIES):
            tables.append(table.assign(split=split, subset=subset))
        found = [*across_people(table, task["bootstrap"]), *across_genes(part), *errors(part, table)]
        if split != "train":
            scores = comparable_scores(part, loci, people, table, task["permutations"])
            units |= {cell(metric, split, subset, context_bp=size): one for metric, one in scores.items()}
            found += permutation_rows(scores)
        metric_rows += [row | {"split": split, "subset": subset, "protocol": "strict"} for row in found]
    metric_rows += list(official(rows))
    metrics = metrics_table(metric_rows, **run_keys(settings), context_bp=size)
    return metrics, pd.concat(tables, ignore_index=True), units


def joined(examples: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return examples with their predictions: all that are held out, and training ones where they are predicted."""
    if predictions["example"].duplicated().any():
        twice = predictions.loc[predictions["example"].duplicated(), "example"]
        raise InputError(f"{len(twice):,} examples are predicted twice, such as {twice.iloc[0]}", where="predictions")
    columns = [
        "example",
        "split",
        "subset",
        "sample",
        "group",
        "target",
        *(name for name in (CLEAN,) if name in examples),
    ]
    rows = examples[columns].merge(predictions[["example", "prediction"]], on="example", how="left")
    finite = np.isfinite(rows["prediction"].to_numpy(float))
    missing = rows[~finite & (rows["split"] != "train")]
    if len(missing):
        raise InputError(
            f"{len(missing):,} held-out examples have no finite prediction, such as {missing['example'].iloc[0]}",
            where="predictions",
            fix="Every held-out gene and sample has to be predicted.",
        )
    return rows[finite & (rows["split"] != "predict")].reset_index(drop=True)


def classes(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield the rows of each split and class, and of a class those of genes whose windows hold no copies of training."""
    for (split, subset), part in rows.groupby(["split", "subset"], sort=True):
        yield (str(split), str(subset)), part
        if (clean := clean_part(part, "group")) is not None:
            yield (str(split), f"{subset}{WITHOUT_COPIES}"), clean


def across_people(table: pd.DataFrame, draws: int) -> list[dict[str, Any]]:
    """Summarise the genes' correlations between samples; intervals resample genes."""
    r = table["pearson"].to_numpy(float)
    varying = table.loc[~table["constant"] & ~table["silent"], "pearson"].to_numpy(float)
    significant = table["q"].to_numpy(float) < SIGNIFICANT
    rows = [
        metric_row("cross_individual_pearson", interval_of_mean(r, draws)),
        metric_row("cross_individual_spearman", interval_of_mean(table["spearman"].to_numpy(float), draws)),
        metric_row("cross_individual_pearson_median", interval_of_rows(r[:, None], np.median, min(draws, GENE_DRAWS))),
        metric_row("cross_individual_pearson_sd", r.std(), len(r)),
        metric_row("cross_individual_positive_ratio", interval_of_mean((r > 0).astype(float), draws)),
        metric_row("cross_individual_right_ratio", interval_of_mean((significant & (r > 0)).astype(float), draws)),
        metric_row("cross_individual_wrong_ratio", interval_of_mean((significant & (r < 0)).astype(float), draws)),
        metric_row("cross_individual_constant_count", int(table["constant"].sum()), len(r)),
    ]
    if len(varying):
        rows.append(metric_row("cross_individual_pearson_varying", interval_of_mean(varying, draws)))
    if "heritability" in table and table["heritability"].notna().any():
        limit = np.sqrt(np.clip(np.nan_to_num(table["heritability"].to_numpy(float)), 0, None))
        rows += _against(r, limit, "sqrt_h2", draws)
    if "ceiling" in table and table["ceiling"].notna().any():
        rows += _against(r, np.nan_to_num(table["ceiling"].to_numpy(float)), "ceiling", draws)
    return rows


def _against(r: NDArray, limit: NDArray, name: str, draws: int) -> list[dict[str, Any]]:
    """Return the mean of a limit over genes, and the mean correlation as a share of it."""
    both = np.column_stack([r, limit])
    rows = [metric_row(f"cross_individual_{name}_limit", interval_of_mean(limit, draws))]
    if limit.mean() > 0:
        share = interval_of_rows(both, lambda part: part[:, 0].mean() / max(part[:, 1].mean(), 1e-9), GENE_DRAWS)
        rows.append(metric_row(f"cross_individual_of_{name}", share))
    return rows


def across_genes(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Score the levels of genes: within each sample, averaged over samples, and of the genes' means.

    High from the gene means alone, so that it says nothing about samples; intervals resample genes (with the ranks they
    have among all genes).
    """
    observed, predicted = matrices(rows)
    if observed.shape[1] < 3:
        return []
    weights = np.random.default_rng(0).multinomial(
        observed.shape[1], np.full(observed.shape[1], 1 / observed.shape[1]), size=GENE_DRAWS
    )
    ranks = (stats.rankdata(table, axis=1, nan_policy="omit") for table in (observed, predicted))
    rows_of = {"cross_gene_pearson": (observed, predicted), "cross_gene_spearman": tuple(ranks)}
    found = []
    for metric, (x, y) in rows_of.items():
        value = float(pearson_columns(x.T, y.T).mean())
        low, high = np.percentile(_weighted_cross_gene(x, y, weights), [2.5, 97.5])
        found.append(metric_row(metric, Interval(value, float(low), float(high), observed.shape[1])))
    means = np.column_stack([np.nanmean(observed, axis=0), np.nanmean(predicted, axis=0)])
    return [
        *found,
        metric_row(
            "gene_mean_pearson", interval_of_rows(means, lambda part: pearson(part[:, 0], part[:, 1]), GENE_DRAWS)
        ),
    ]


def _weighted_cross_gene(x: NDArray, y: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Return the mean over samples of correlations along genes, genes weighted, by draw."""
    here = np.isfinite(x) & np.isfinite(y)
    centre = [np.where(here, table - np.nanmean(table), 0) for table in (x, y)]
    constant = constant_columns(y.T) | constant_columns(x.T)
    w = weights.astype(float)
    n, sx, sy = w @ here.T, w @ centre[0].T, w @ centre[1].T
    xx, yy, xy = w @ (centre[0] ** 2).T, w @ (centre[1] ** 2).T, w @ (centre[0] * centre[1]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (xy - sx * sy / n) / np.sqrt((xx - sx**2 / n) * (yy - sy**2 / n))
    return np.where(constant, 0, np.nan_to_num(r)).mean(axis=1)


def errors(rows: pd.DataFrame, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Score levels as they are, and deviations from each gene's mean, which alone are about samples."""
    target, prediction = rows["target"].to_numpy(float), rows["prediction"].to_numpy(float)
    mean = rows.groupby("group", sort=False)[["target", "prediction"]].transform("mean").to_numpy(float)
    dx, dy = target - mean[:, 0], prediction - mean[:, 1]
    return [
        metric_row("mae", np.abs(target - prediction).mean(), len(rows)),
        metric_row("r2", _r2(target, prediction), len(rows)),
        metric_row("demeaned_mae", np.abs(dx - dy).mean(), len(rows)),
        metric_row("demeaned_r2", _r2(dx, dy), len(rows)),
        metric_row("demeaned_r2_median", float(table["r2_demeaned"].median()), len(table)),
    ]


def _r2(x: NDArray, y: NDArray) -> float:
    """Return 1 - squared error / squared deviation from the mean; 0 where nothing varies."""
    total = float(((x - x.mean()) ** 2).sum())
    return 1 - float(((x - y) ** 2).sum()) / total if total > 0 else 0.0


def official(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the hackathon's scores, as its scorer computes them with these rows as upload and truth."""
    held = rows[rows["split"] == "test"]
    labels = {name: scorer_spelling(name) for name in held["subset"].unique()}
    partitions = held.rename(columns={"group": "gene"}).assign(
        labels=held["subset"].map(labels), log_TPM=held["target"]
    )
    upload = held[["sample", "group", "prediction"]].rename(columns={"group": "gene", "prediction": "log_TPM"})
    for found in official_scores(partitions, upload, "log_TPM"):
        if found.pairs:
            common = {"split": "test", "subset": found.label, "protocol": "official"}
            yield metric_row("cross_gene_pearson", found.cross_gene, found.people, **common)
            yield metric_row("cross_individual_pearson", found.cross_individual, found.genes, **common)
            yield metric_row("mae", found.mae, found.pairs, **common)
