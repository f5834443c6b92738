"""Paired comparisons of the models of a context task, as its table of comparisons holds them."""

from __future__ import annotations

import pandas as pd

from glmflow.report.wording import number, signed

from .context_words import SUBSETS, VARIANTS


def paired(
    compared: pd.DataFrame, model: str, reference: str, metric: str, subset: str, context: float
) -> pd.Series | None:
    """Return one row of the table of paired comparisons; None if there is none."""
    if compared.empty:
        return None
    keys = {"model": model, "reference": reference, "metric": metric, "subset": subset, "context_bp": context}
    rows = compared[(compared[list(keys)] == pd.Series(keys)).all(axis=1)]
    return rows.iloc[0] if len(rows) else None


def pairs(test: pd.Series) -> str:
    """Return what the pairs of a comparison are: seeds, or the windows of the one seed that both models have."""
    windows, seeds = int(test.get("windows", 0)), int(test["seeds"])
    return f"{windows:,} windows of one seed" if windows else f"{seeds} seed{'s' if seeds != 1 else ''}"


def farthest(recall: pd.DataFrame) -> pd.DataFrame:
    """Return the recall of an exact copy at the farthest distance, best model first."""
    exact = recall[(recall["subset"] == "exact") & (recall["context"] == recall["context"].max())]
    return exact.sort_values("value", ascending=False)


def paired_rows(recall: pd.DataFrame, compared: pd.DataFrame) -> list[dict[str, str]]:
    """Return comparisons of the model that recalls most at the farthest distance with every other, metric by metric."""
    exact = farthest(recall)
    if compared.empty or exact.empty:
        return []
    first = exact["model"].iloc[0]
    longest = compared.groupby("metric")["context_bp"].transform("max")
    shown = compared[(compared["model"] == first) & (compared["context_bp"] == longest)]
    shown = shown[shown["subset"].isin(("all", "repeat", "background", *VARIANTS))]
    names = {"loss": "loss", "copy_advantage": "recall"}
    return [
        {
            "first": first,
            "reference": row["reference"],
            "what": f"{names[row['metric']]}, {(SUBSETS | VARIANTS)[row['subset']]}, {row['context_bp']:,} bp",
            "difference": signed(row["mean"]),
            "pairs": pairs(row),
            "interval": interval(row),
            "p": number(row["p"]),
            "p_holm": number(row["p_holm"]),
        }
        for _, row in shown.iterrows()
    ]


def interval(test: pd.Series) -> str:
    """Return the interval of a difference for reading; `–` if there is none."""
    return "–" if pd.isna(test["low"]) else f"[{signed(test['low'])}, {signed(test['high'])}]"
