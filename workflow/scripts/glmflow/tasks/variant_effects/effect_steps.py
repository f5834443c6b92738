"""The steps of the kind: labelled alleles compared with the genome, and what predictions of their effects are worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.task_block import TaskBlock
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.genome.edit_sets import AlleleTable
from glmflow.genome.edits import edits_of
from glmflow.genome.first_look import PART, look, require_matching
from glmflow.genome.reasons import Reason
from glmflow.genome.reference import Reference
from glmflow.tasks.comparable import cell
from glmflow.tasks.tables import (
    CLEAN,
    PASS,
    WARN,
    Checks,
    Division,
    Made,
    Scored,
    counts_table,
    metric_row,
    metrics_table,
    run_keys,
)

from .binary_effects import subsets
from .carried_variants import carried_variants, trained_windows
from .effect_comparable import comparable_scores
from .effect_examples import EffectExamples, from_table, from_vcf
from .effect_scoring import effect_metrics, signed
from .effect_summaries import agreement, along, by_score, curves, distribution, indel_lengths, places, reasons, wrongest
from .motif_changes import motif_changes
from .trivial_scores import supervised_ceiling

DRAWS_BESIDE = 200
"""Bootstrap draws behind the intervals of scores and windows that are shown beside the one compared."""
BESIDE = ("auroc", "auprc", "auroc_mean_consequence", "pairwise", "spearman", "spearman_mean_element")


def examples(task: TaskBlock, files: Mapping[str, Any], division: Division) -> Made:
    """Return the labelled alleles of a task, each compared with the genome before any model is asked.

    Raises
    ------
    InputError
        A column or label is not as named, or more alleles than `mismatches` allows have another REF than the genome.
    """
    genome = Reference(files["fasta"])
    found, where = _read(task, files, genome)
    several = found.table["alt"].astype(str).str.contains(",")
    if several.any():
        row = found.table[several].iloc[0]
        raise InputError(
            f"{row['chrom']}:{row['start'] + 1} has several alternative alleles ({row['alt']}) under one label",
            where=where,
            fix="Give each its own row (bcftools norm -m -).",
        )
    source = AlleleTable(found.table, where)
    first = look(source, genome)
    require_matching(first, genome, where, task.mismatches)
    codes = [edits_of(records, genome).reason for records in source.parts(PART)]
    labels = {int(reason): reason.label for reason in Reason}
    table = found.table.assign(reason=[labels[code] for code in np.concatenate(codes).tolist()])
    counts: dict[str, int] = {"variants": len(table)}
    if not task.measured:
        counts |= {"labelled 1": int((table["target"] == 1).sum()), "labelled 0": int((table["target"] == 0).sum())}
    counts |= {f"left out: {name.replace('_', ' ')}": count for name, count in found.left_out.items()}
    counts |= {f"not scored: {reason}": n for reason, n in table["reason"].value_counts().items() if reason}
    return Made(table, counts_table(counts), _contradictions(table, task), {"classes.tsv": _classes(table, task)})


def compared(task: TaskBlock, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies: windows around alleles, and those that the runs learned from whose effects they carry.

    Alleles that lie in such a window are neither: training holds them, which is no copy.
    """
    if not task.carried:
        return (
            "alleles are scored by models as they are and by what needs no training sequence; what pretraining has seen stands "
            "on the page of models"
        )
    return trained_windows(table, files.get("trained") or [])


def _read(task: TaskBlock, files: Mapping[str, Any], genome: Reference) -> tuple[EffectExamples, Path]:
    """Return the labelled alleles, and where they stand."""
    if task.truth:
        folder = Path(files["truth"])
        sites, motifs = (read_table(folder / f"{name}.tsv") for name in ("sites", "motifs"))
        return motif_changes(sites, motifs, genome, task.truth), folder / "sites.tsv"
    if task.carried:
        names = list(task.carried.effects)
        folders = dict(zip(names, map(Path, files["effects"])))
        truth = Path(files["truth"]) if files.get("truth") else None
        return carried_variants(folders, truth, task.carried), folders[names[0]] / "variants.tsv"
    where = Path(files["variants"])
    if task.vcf:
        return from_vcf(where, task.label, task.labels, task.columns, task.only, genome), where
    found = from_table(
        where,
        task.label,
        task.labels,
        task.columns,
        task.positions,
        task.at_least,
        task.only,
        genome,
        task.ref,
    )
    return found, where


def _contradictions(table: pd.DataFrame, task: TaskBlock) -> pd.DataFrame:
    """Check for alleles that stand in the file more than once: with two labels, nothing can rank them right."""
    checks = Checks()
    grouped = table.groupby(["chrom", "start", "ref", "alt"], observed=True)["target"]
    again = int((grouped.size() - 1).sum())
    checks.add(
        "alleles given more than once", again, len(table), "computed once, counted as often as given", leak=False
    )
    if not task.measured:
        both = int((grouped.nunique() > 1).sum())
        detail, status = "no score can be right on them", WARN if both else PASS
        checks.add("alleles labelled both 1 and 0", both, len(table), detail, leak=False, status=status)
    return checks.table()


def _classes(table: pd.DataFrame, task: TaskBlock) -> pd.DataFrame:
    """Return how many alleles of each consequence and kind of change have each label."""
    keys = [name for name in ("consequence", "kind") if name in table and table[name].notna().any()]
    if task.measured:
        return table.groupby(keys, observed=True)["target"].agg(n="size", mean="mean", sd="std").reset_index()
    wide = pd.crosstab([table[key] for key in keys], table["target"].astype(int).map({0: "label_0", 1: "label_1"}))
    return wide.rename_axis(columns=None).reset_index()


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Return the metrics of a run, and the tables that its page is made of.

    `predictions` have a `prediction` an allele, `score` (its name), `signed` (whether the task's sign is to be applied),
    `prediction_fwd` and `prediction_rev`, `reason`, and `prediction_{score}_{window}` of what was asked beside; of a
    baseline `example`, `prediction` and `signed` alone.
    """
    task, keys = settings["task"], run_keys(settings)
    table = examples.reset_index(drop=True)
    found = predictions.set_index("example").reindex(table["example"]).reset_index()
    values = oriented(found["prediction"], found["signed"].fillna(False).astype(bool), task["sign"])
    common = {"least": task["least"], "direction": task["direction"]}
    metrics = effect_metrics(table, values, "plus", draws=task["bootstrap"], **common, **keys)
    strands = agreement(found)
    extra = []
    if len(strands):
        both = strands.dropna()
        value = both["forward"].corr(both["reverse"]) if len(both) > 2 else np.nan
        extra.append(metric_row("strand_pearson", value, len(both)))
    ceiling = predicted / "channels.npy"
    if ceiling.exists():
        extra += list(_ceiling(np.load(ceiling), table, task))
    metrics = pd.concat([metrics, metrics_table(extra, **keys, split="test")]) if extra else metrics
    asked = read_table(predicted / "asked.tsv") if (predicted / "asked.tsv").exists() else pd.DataFrame()
    tables = {
        "asked.tsv": asked,
        "compared.tsv": by_score(table, found, values),
        "beside.tsv": beside(table, found, asked, task, keys),
        "reasons.tsv": reasons(table, found),
        "wrongest.tsv": wrongest(table, found, values, task["direction"], task["shown"], browsed(task)),
        "strands.tsv": strands,
        "indels.tsv": indel_lengths(table, found, values),
        "distribution.tsv": distribution(table, values, task["direction"]),
        "curves.tsv": curves(table, values, task["direction"]),
        "along.tsv": along(table, values, task["direction"]),
        "places.tsv": places(table, values, task["direction"]),
    }
    parts = {"all": np.ones(len(table), bool)}
    parts |= {name: rows for name, rows in subsets(table) if name == CLEAN}
    units = {
        cell(metric, "test", subset): one
        for subset, rows in parts.items()
        for metric, one in comparable_scores(table[rows], values[rows], task["direction"], task["least"]).items()
    }
    return Scored(metrics, {name: one for name, one in tables.items() if len(one)}, units)


def browsed(task: Mapping[str, Any]) -> list[str]:
    """Return the columns that say where alleles lie in a genome browser."""
    return list(((task.get("browser") or {}).get("columns") or {}).values())


def oriented(predictions: pd.Series, has_sign: pd.Series, sign: str) -> NDArray[np.float64]:
    """Return predictions as the task reads them, higher meaning more likely to matter: those without a sign as they are."""
    values = predictions.to_numpy(np.float64)
    return np.where(has_sign.to_numpy(bool), signed(values, sign), values)


def beside(
    table: pd.DataFrame, found: pd.DataFrame, asked: pd.DataFrame, task: Mapping[str, Any], keys: Mapping[str, Any]
) -> pd.DataFrame:
    """Return metrics over all alleles, and over each kind of change, of every score and window that was asked for."""
    rows = []
    for one in asked.itertuples():
        has = pd.Series(bool(one.signed), index=found.index)
        values = oriented(found[f"prediction_{one.score}_{one.window}"], has, task["sign"])
        if not np.isfinite(values).any():
            continue
        metrics = effect_metrics(
            table, values, "plus", direction=task["direction"], least=task["least"],
            draws=min(DRAWS_BESIDE, task["bootstrap"]), **keys,
        )  # fmt: skip
        kept = metrics["metric"].isin(BESIDE) & (metrics["protocol"] == "strict")
        kept &= (metrics["subset"] == "all") | metrics["subset"].str.startswith("kind:")
        columns = ["subset", "metric", "value", "ci_low", "ci_high", "n"]
        rows.append(metrics.loc[kept, columns].assign(window=one.window, score=one.score, compared=one.compared))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def folds_of(table: pd.DataFrame, most: int = 10) -> pd.Series | None:
    """Return the fold of each allele: its chromosome, else its gene, exon or matched group, these dealt into `most` folds.

    None where all alleles are one: what is fitted has to be asked about alleles that it has not seen.
    """
    if table["chrom"].nunique() > 1:
        return table["chrom"].astype(str)
    for name in ("group", "exon", "match_group"):
        if name in table and table[name].nunique() > 1:
            return pd.Series(pd.factorize(table[name].astype(str))[0] % most, table.index)
    return None


def _ceiling(features: NDArray, table: pd.DataFrame, task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the metrics of the labels fitted on distances of states, folds left out one at a time (`folds_of`)."""
    folds = folds_of(table)
    values = (
        supervised_ceiling(features, table["target"].to_numpy(), folds) if folds is not None else np.array([np.nan])
    )
    if not np.isfinite(values).any():
        return
    metrics = effect_metrics(table, values, "plus", least=task["least"], draws=task["bootstrap"])
    for row in metrics.itertuples():
        if (
            row.subset == "all"
            and row.metric in ("auroc", "auprc", "auroc_mean_consequence")
            and row.protocol == "strict"
        ):
            bounds = {"ci_low": row.ci_low, "ci_high": row.ci_high}
            yield metric_row(f"ceiling_{row.metric}", row.value, row.n) | bounds
