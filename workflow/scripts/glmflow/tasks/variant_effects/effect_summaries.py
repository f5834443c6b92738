"""Tables behind the page of a run: where a score goes wrong, what it depends on, and how it is distributed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import precision_recall_curve, roc_curve

from .measured_effects import oriented

POINTS = 2000
"""Alleles that a scatter plot shows at most, drawn evenly over the file."""
STEPS = 120
"""Points of a curve."""
BINS = 40
PARTS = 30
"""Elements, exons or contigs whose effects are drawn base by base."""


def thinned(table: pd.DataFrame, most: int = POINTS) -> pd.DataFrame:
    """Return at most `most` rows, evenly spaced."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, min(most, len(table))).round().astype(int))]


def reasons(table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return how many alleles have no score, by `reason`."""
    own = found["reason"] if "reason" in found else table.get("reason", pd.Series("", index=table.index))
    own = own.fillna("").astype(str)
    own = own.where((own != "") | found["prediction"].notna().to_numpy(), "not defined for it")
    counts = own[found["prediction"].isna().to_numpy()].value_counts()
    return counts.rename_axis("reason").rename("n").reset_index()


def by_score(table: pd.DataFrame, found: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """Return how many alleles of each kind of change are compared by which score: `score`, `kind`, `n`; none of baselines."""
    if "score" not in found or "kind" not in table:
        return pd.DataFrame()
    has = np.isfinite(values)
    own = pd.DataFrame({"score": found["score"][has], "kind": table["kind"].astype(str)[has]})
    return own.value_counts(sort=False).rename("n").reset_index()


def wrongest(
    table: pd.DataFrame,
    found: pd.DataFrame,
    values: NDArray[np.float64],
    direction: str | None,
    most: int,
    carried: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the alleles whose rank by the score is farthest from their rank by label or effect.

    `score_rank` and `target_rank` run from 0 (lowest) to 1; alleles of one label share the middle of their ranks. Of
    labels, `above_controls` is the share of those labelled 0 that score lower: no threshold holds for all models, so that
    a score is read among the study's own neutral alleles.
    """
    has = np.isfinite(values)
    if not has.any():
        return pd.DataFrame()
    target = table["target"].to_numpy(float)
    target = target if direction is None else oriented(target, direction)
    columns = ["example", "chrom", "start", "ref", "alt", "kind", "target"]
    columns += [name for name in ("consequence", "group", "element", "match_group") if name in table]
    columns += [name for name in carried if name not in columns]
    rows = table.loc[has, columns].assign(
        score=found["prediction"][has].to_numpy(),
        score_rank=rankdata(values[has]) / has.sum(),
        target_rank=rankdata(target[has]) / has.sum(),
    )
    if direction is None:
        controls = np.sort(values[has & (target == 0)])
        rows["above_controls"] = np.searchsorted(controls, values[has]) / len(controls) if len(controls) else np.nan
    rows = rows.dropna(axis=1, how="all")
    rows["distance"] = (rows["score_rank"] - rows["target_rank"]).abs()
    return rows.sort_values(["distance", "example"], ascending=[False, True]).head(most).reset_index(drop=True)


def agreement(found: pd.DataFrame) -> pd.DataFrame:
    """Return the score of alleles on both strands, `forward` and `reverse`; none where a run has no strands."""
    if "prediction_fwd" not in found:
        return pd.DataFrame()
    both = found[["prediction_fwd", "prediction_rev"]].set_axis(["forward", "reverse"], axis=1)
    both = both[both.notna().all(axis=1) & (both["forward"] != both["reverse"])]
    return thinned(both).reset_index(drop=True) if len(both) else pd.DataFrame()


def indel_lengths(table: pd.DataFrame, found: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """Return every indel's `change` of length (negative: deletion) beside its scores, thinned.

    All columns `prediction_{score}_{window}` stand there, so that a sum's bias to length is seen beside a length-free score.
    """
    change = table["alt"].astype(str).str.len() - table["ref"].astype(str).str.len()
    names = [
        name for name in found if name.startswith("prediction_") and name not in ("prediction_fwd", "prediction_rev")
    ]
    names = [name for name in names if not name.endswith(("_fwd", "_rev"))]
    own = found[["prediction", *names]].assign(change=change, target=table["target"], value=values)
    own = own[(change != 0).to_numpy() & np.isfinite(values)]
    return thinned(own).reset_index(drop=True) if len(own) else pd.DataFrame()


def distribution(table: pd.DataFrame, values: NDArray[np.float64], direction: str | None) -> pd.DataFrame:
    """Return a histogram of the score by label (or third of the effect) and consequence: `low`, `high`, `count`."""
    has = np.isfinite(values)
    if has.sum() < 2 or np.ptp(values[has]) == 0:
        return pd.DataFrame()
    low, high = np.percentile(values[has], [0.5, 99.5])
    if low == high:
        low, high = values[has].min(), values[has].max()
    edges = np.linspace(low, high, BINS + 1)
    consequence = table["consequence"].fillna("").astype(str) if "consequence" in table else pd.Series("", table.index)
    keys = pd.DataFrame({"class": _classes(table["target"], direction), "consequence": consequence})[has]
    rows = []
    for (label, name), places in keys.groupby(["class", "consequence"]).groups.items():
        counts, _ = np.histogram(np.clip(values[places], low, high), edges)
        rows.append(
            pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts}).assign(
                **{"class": label, "consequence": name}
            )
        )
    found = pd.concat(rows, ignore_index=True)
    return found[found["count"] > 0].reset_index(drop=True)


def _classes(target: pd.Series, direction: str | None) -> pd.Series:
    """Return the label in words, or the third that an effect lies in."""
    if direction is None:
        return target.map({0.0: "0", 1.0: "1"})
    size = pd.Series(oriented(target, direction), target.index)
    return pd.qcut(size.rank(method="first"), 3, labels=["smallest third", "middle third", "largest third"]).astype(str)


def curves(table: pd.DataFrame, values: NDArray[np.float64], direction: str | None) -> pd.DataFrame:
    """Return points of the ROC and the precision-recall curve of labels: `curve`, `x`, `y`."""
    has = np.isfinite(values)
    labels = table["target"].to_numpy(float) == 1
    if direction is not None or not (labels[has].any() and (~labels[has]).any()):
        return pd.DataFrame()
    false, true, _ = roc_curve(labels[has], values[has])
    precision, recall, _ = precision_recall_curve(labels[has], values[has])
    both = [("ROC", false, true), ("precision-recall", recall[::-1], precision[::-1])]
    rows = [thinned(pd.DataFrame({"curve": name, "x": x, "y": y}), STEPS) for name, x, y in both]
    return pd.concat(rows, ignore_index=True)


def places(table: pd.DataFrame, values: NDArray[np.float64], direction: str | None) -> pd.DataFrame:
    """Return score and target along the genome, for strips and scatter plots: thinned, `rank` of the score from 0 to 1."""
    has = np.isfinite(values)
    if not has.any():
        return pd.DataFrame()
    names = [
        name
        for name in ("chrom", "start", "ref", "alt", "target", "kind", "consequence", "element", "exon")
        if name in table
    ]
    own = table.loc[has, names].assign(value=values[has], rank=rankdata(values[has]) / has.sum())
    return thinned(own.dropna(axis=1, how="all"), 2 * POINTS).reset_index(drop=True)


def along(table: pd.DataFrame, values: NDArray[np.float64], direction: str | None) -> pd.DataFrame:
    """Return measured and predicted effects base by base, the mean over alleles of each: `part`, `start`, both as ranks.

    A part is an element, an exon, or else a contig; ranks run from 0 (lowest) to 1 within it. None of labels.
    """
    has = np.isfinite(values)
    if direction is None or not has.any():
        return pd.DataFrame()
    name = next(name for name in ("element", "exon", "chrom") if name in table and table[name].notna().any())
    own = pd.DataFrame({
        "part": table[name].astype(str), "start": table["start"], "predicted": values,
        "measured": oriented(table["target"].to_numpy(float), direction),
    })[has & table[name].notna().to_numpy()]  # fmt: skip
    bases = own.groupby(["part", "start"], as_index=False)[["measured", "predicted"]].mean()
    largest = bases["part"].value_counts().index[:PARTS]
    bases = bases[bases["part"].isin(largest)]
    ranks = bases.groupby("part")[["measured", "predicted"]].rank(pct=True)
    return bases.assign(**ranks.round(4)).reset_index(drop=True)
