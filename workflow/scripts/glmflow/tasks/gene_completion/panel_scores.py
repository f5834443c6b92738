"""Scores of completed genes, over the panel and gene by gene."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.statistics.bootstrap import interval_of_mean
from glmflow.statistics.influence import mean_value
from glmflow.statistics.stored import Stored, digest
from glmflow.tasks.comparable import cell, with_intervals
from glmflow.tasks.tables import CLEAN, Scored, clean_part, metric_row, metrics_table, run_keys

PANEL = "mean"
"""Track of the mean over genes; every other track is a gene."""


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score continuations.

    Returns
    -------
    Scored
        In percent, of all genes and of those without a near copy in training:
        ``strict`` (mean over genes; genes are units) and ``official`` (mean over the genes with a score, each the
        mean of its samples with one); ``unscored``, the share of the samples without an official score. Of each gene
        (`track`) the same with intervals over samples. The table ``genes.tsv`` has a row a gene.

    Raises
    ------
    InputError
        An example has no prediction.
    """
    table = examples[["example", "group", "organism", "to_write"]].merge(predictions, on="example", how="left")
    if table["prediction"].isna().any():
        missing = table.loc[table["prediction"].isna(), "example"]
        raise InputError(f"{len(missing)} examples have no prediction, {missing.iloc[0]} among them")
    draws, keys, rows, genes = settings["task"]["bootstrap"], {"split": "test"}, [], []
    for name, own in table.groupby("group", sort=False):
        strict, known = own["prediction"].to_numpy(float), own["official"].dropna().to_numpy(float)
        interval = interval_of_mean(strict, draws, settings["seed"])
        rows.append(metric_row("strict", interval, track=name, **keys))
        official = float(known.mean()) if len(known) else float("nan")
        if len(known):
            rows.append(metric_row("official", interval_of_mean(known, draws, settings["seed"]), track=name, **keys))
        genes.append(
            {
                "gene": name,
                "organism": own["organism"].iloc[0],
                "n": len(own),
                "official": official,
                "unscored": len(own) - len(known),
                "strict": interval.value,
                "strict_low": interval.low,
                "strict_high": interval.high,
                "aligned": own["aligned"].mean(),
                "to_write": int(own["to_write"].iloc[0]),
            }
        )
    by_gene = pd.DataFrame(genes)
    units = {}
    clean = clean_part(examples, "group")
    parts = {"all": by_gene} | ({} if clean is None else {CLEAN: by_gene[by_gene["gene"].isin(clean["group"])]})
    for subset, metric in product(parts, ("strict", "official")):
        known = parts[subset].dropna(subset=[metric])
        if len(known):
            values = known[metric].to_numpy(float)
            own = {"track": PANEL, "subset": subset, **keys}
            rows.append(metric_row(metric, interval_of_mean(values, draws, settings["seed"]), **own))
            units[cell(metric, "test", subset, PANEL)] = Stored(
                mean_value(values), digest(known["gene"]), chance=None, bounds=(0.0, 100.0)
            )
    rows.append(metric_row("unscored", float(np.isnan(table["official"]).mean()), n=len(table), track=PANEL, **keys))
    metrics = metrics_table(rows, **run_keys(settings))
    return Scored(with_intervals(metrics, units), {"genes.tsv": by_gene}, units)
