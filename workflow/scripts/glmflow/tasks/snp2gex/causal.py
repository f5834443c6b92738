"""Does a model know which variant acts? Its effects of variants against a simulation's truth, or against another model's.

A variant counts by what it contributes to differences between samples: the size of its effect times the standard deviation
of its dosage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glmflow.statistics.bootstrap import interval_of_mean
from glmflow.statistics.classification import chance_precision
from glmflow.statistics.correlation import spearman
from glmflow.tasks.tables import METRIC_COLUMNS, metric_row, metrics_table, run_keys

MIN_MAF = 0.05
"""Common variants are ranked; rarer ones tell few samples apart."""
DRAWS = 1000
SEEN, UNSEEN = "seen genes", "unseen genes"


def true_effects(truth: pd.DataFrame) -> pd.DataFrame:
    """Return `gene`, `variant`, `true_effect` and `laid` (made to act on purpose) of a simulation's table of variants.

    The effect is that on expression, in the simulation's first biosample; positions of the table are 1-based.
    """
    effect = next(name for name in truth if name.startswith("effect_"))
    places = zip(truth["chrom"], truth["pos"], truth["ref"], truth["alt"])
    return pd.DataFrame(
        {
            "gene": truth["gene_id"].astype(str),
            "variant": [f"{chrom}:{pos}:{ref}:{alt}" for chrom, pos, ref, alt in places],
            "true_effect": truth[effect],
            "laid": truth["kind"] != "natural",
        }
    )


def rank_causal(variants: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Rank the variants of each gene by their predicted contribution and look for the causal one.

    Parameters
    ----------
    variants
        Table of a run: `gene`, `variant`, `maf`, `dosage_sd`, `effect`.
    truth
        As `true_effects` returns it.

    Returns
    -------
    DataFrame
        By gene with a causal variant among its common ones: `gene`, `candidates`; `causal`, the variant of largest true
        contribution; its `rank` (ties count half, so that equal scores rank in the middle), whether its sign is right
        (`sign_right`); `average_precision` of the scores for all variants laid on purpose, and what a random order of
        the candidates is expected to have (`chance_precision`).
    """
    common = variants[variants["maf"] >= MIN_MAF].merge(truth, on=["gene", "variant"], how="left")
    rows = []
    for gene, table in common.groupby("gene", sort=False):
        score = (table["effect"].abs() * table["dosage_sd"]).to_numpy(float)
        true = (table["true_effect"].fillna(0).abs() * table["dosage_sd"]).to_numpy(float)
        if not true.any():
            continue
        best = int(np.argmax(true))
        laid = table["laid"].eq(True).to_numpy()
        rows.append(
            {
                "gene": gene,
                "candidates": len(table),
                "causal": table["variant"].iloc[best],
                "rank": rankdata(-score)[best],
                "sign_right": bool(table["effect"].iloc[best] * table["true_effect"].iloc[best] > 0),
                "average_precision": average_precision(laid, score),
                "chance_precision": chance_precision(int(laid.sum()), len(laid)) if laid.any() else np.nan,
            }
        )
    columns = ["gene", "candidates", "causal", "rank", "sign_right", "average_precision", "chance_precision"]
    return pd.DataFrame(rows, columns=columns)


def average_precision(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the area under the precision-recall curve (`sklearn.metrics.average_precision_score`); NaN without positives."""
    from sklearn.metrics import average_precision_score  # half a second that other scores need not wait for

    return float(average_precision_score(positive, score)) if positive.any() else float("nan")


def compare_effects(variants: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Compare a run's contributions of common variants with another's, gene by gene.

    Returns
    -------
    DataFrame
        By gene that both have, with two common variants or more and one that the other gives a weight: `gene`,
        `spearman` of the contributions, `same_top` (1 where both put the same variant first), `chance_top`.
    """
    columns = ["gene", "variant", "dosage_sd", "effect"]
    both = variants.loc[variants["maf"] >= MIN_MAF, columns].merge(other[columns], on=["gene", "variant"])
    rows = []
    for gene, table in both.groupby("gene", sort=False):
        mine = (table["effect_x"].abs() * table["dosage_sd_x"]).to_numpy(float)
        theirs = (table["effect_y"].abs() * table["dosage_sd_y"]).to_numpy(float)
        if len(table) > 1 and theirs.any():
            same = float(np.ptp(mine) > 0 and mine.argmax() == theirs.argmax())
            rows.append(
                {"gene": gene, "spearman": spearman(mine, theirs), "same_top": same, "chance_top": 1 / len(table)}
            )
    return pd.DataFrame(rows, columns=["gene", "spearman", "same_top", "chance_top"])


def causal_metrics(
    settings: Mapping[str, Any],
    variants: pd.DataFrame,
    seen: Collection[str],
    truth: pd.DataFrame | None,
    other: pd.DataFrame | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the metrics of a run's effects of variants, for genes seen and unseen in training, and its ranked genes.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    variants
        The run's table of variants.
    seen
        Genes of the training split.
    truth, other
        Table of a simulation's variants, and the table of the elastic net; each may be absent.
    """
    variants = variants.assign(gene=variants["gene"].astype(str))
    ranked = rank_causal(variants, NOTHING if truth is None else true_effects(truth))
    compared = compare_effects(variants, other.assign(gene=other["gene"].astype(str))) if other is not None else None
    rows = []
    for subset in (SEEN, UNSEEN):
        own = ranked[ranked["gene"].isin(seen) == (subset == SEEN)]
        rows += [row | {"subset": subset} for row in truth_rows(own)]
        if compared is not None:
            part = compared[compared["gene"].isin(seen) == (subset == SEEN)]
            rows += [row | {"subset": subset} for row in agreement_rows(part)]
    keys = run_keys(settings) | {"split": "variants", "context_bp": settings["task"]["windows"]["size"]}
    metrics = metrics_table(rows, **keys) if rows else pd.DataFrame(columns=list(METRIC_COLUMNS))
    return metrics, ranked


NOTHING = pd.DataFrame({"gene": [], "variant": [], "true_effect": [], "laid": []}).astype(
    {"gene": object, "variant": object, "true_effect": float, "laid": bool}
)


def truth_rows(ranked: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield how well the causal variants of genes are found, and what chance finds."""
    if ranked.empty:
        return
    columns = {
        "causal_first_ratio": (ranked["rank"] == 1).to_numpy(float),
        "causal_first_chance_ratio": 1 / ranked["candidates"].to_numpy(float),
        "causal_sign_ratio": ranked["sign_right"].to_numpy(float),
        "causal_average_precision": ranked["average_precision"].dropna().to_numpy(float),
        "causal_average_precision_chance": ranked["chance_precision"].dropna().to_numpy(float),
    }
    for name, values in columns.items():
        if len(values):
            yield metric_row(name, interval_of_mean(values, DRAWS))


def agreement_rows(compared: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield how far a run agrees with the elastic net about which variants act."""
    if compared.empty:
        return
    names = {
        "spearman": "elastic_net_effects_spearman",
        "same_top": "elastic_net_top_ratio",
        "chance_top": "elastic_net_top_chance_ratio",
    }
    for column, name in names.items():
        yield metric_row(name, interval_of_mean(compared[column].to_numpy(float), DRAWS))
