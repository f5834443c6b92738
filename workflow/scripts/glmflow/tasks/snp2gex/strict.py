"""The hackathon's three scores without the faults of its scorer.

Every pair of a class must be predicted, a gene or sample whose prediction is constant scores 0 and is named, and both
spellings of the labels are read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.statistics.correlation import constant_columns, pearson_columns

from .label_classes import SCORED, scorer_spelling
from .official import PROMOTER_ACTIVITY, VALID_ROW, ClassScore

NAMED = 5


class StrictScores(NamedTuple):
    """Scores by class, and what a reader must know beside them.

    Attributes
    ----------
    classes
        Scores of the classes that there are rows of.
    constant
        By class, genes whose prediction is the same for everyone.
    notes
        Sentences: coverage, rows without a truth, rows of training, rows that were not asked for.
    """

    classes: list[ClassScore]
    constant: dict[str, list[str]]
    notes: list[str]


def strict_scores(partitions: pd.DataFrame, submission: pd.DataFrame, target: str) -> StrictScores:
    """Score a submission: cross-gene and cross-individual Pearson correlation and mean absolute error.

    Parameters
    ----------
    partitions, submission, target
        As `official_scores`; rows of the sample `ref` are left out.

    Raises
    ------
    InputError
        A row of a class is not predicted, predicted twice or not finite; or there is no class or no truth.
    """
    observed = partitions[partitions["sample"].astype(str) != "ref"]
    if target == PROMOTER_ACTIVITY:
        observed = observed[observed[VALID_ROW] == 1]
    observed = observed.assign(label=observed["labels"].map(scorer_spelling))
    observed = observed[observed["label"].isin(SCORED)]
    if observed.empty:
        found = ", ".join(map(repr, partitions["labels"].dropna().unique()[:NAMED]))
        raise InputError(
            f"no row belongs to a class of {', '.join(SCORED)} (labels found: {found or 'none'})",
            fix="Label the rows as the hackathon does.",
        )
    notes: list[str] = []
    without = observed[target].isna()
    if without.all():
        raise InputError(f"no row has a truth in column {target!r}", fix="Give partitions with the measured values.")
    if without.any():
        notes.append(f"{int(without.sum()):,} rows without a measured value are not scored")
        observed = observed[~without]
    for table, what in ((observed, "partitions"), (submission, "submission")):
        _require_unique(table, what)
    joined = observed.merge(
        submission[["sample", "gene", target]].rename(columns={target: "predicted"}), on=["sample", "gene"], how="left"
    )
    _require_coverage(joined)
    extra = len(submission) - len(joined)
    notes.insert(
        0, f"{len(joined):,} of {len(joined):,} rows predicted; {extra:,} further rows of the upload not scored"
    )
    if "split" in joined and (joined["split"] == "train").any():
        notes.append(f"{int((joined['split'] == 'train').sum()):,} scored rows are marked as training rows")
    classes, constant = [], {}
    for label in SCORED:
        rows = joined[joined["label"] == label]
        if len(rows):
            score, constant[label] = score_class(rows, target, label)
            classes.append(score)
    return StrictScores(classes, constant, notes)


def score_class(rows: pd.DataFrame, target: str, label: str) -> tuple[ClassScore, list[str]]:
    """Score the rows of one class and name the genes with a constant prediction.

    Parameters
    ----------
    rows
        `sample`, `gene`, `target` and `predicted`, each pair once; samples need not have all genes.
    """
    x, y = (rows.pivot(index="sample", columns="gene", values=name) for name in (target, "predicted"))
    observed, predicted = x.to_numpy(float), y.to_numpy(float)
    constant = x.columns[constant_columns(predicted)]
    score = ClassScore(
        label,
        float(pearson_columns(observed.T, predicted.T).mean()),
        float(pearson_columns(observed, predicted).mean()),
        float(np.abs(rows[target] - rows["predicted"]).mean()),
        *observed.shape,
        len(rows),
    )
    return score, constant.astype(str).tolist()


def _require_unique(table: pd.DataFrame, what: str) -> None:
    """Stop where a pair of sample and gene comes twice."""
    twice = table[table.duplicated(["sample", "gene"])]
    if len(twice):
        raise InputError(f"{len(twice):,} pairs come twice, such as {_pairs(twice)}", where=what, fix="Give each once.")


def _require_coverage(joined: pd.DataFrame) -> None:
    """Stop where a row has no finite prediction."""
    missing = joined[~np.isfinite(joined["predicted"].to_numpy(float))]
    if len(missing):
        counts = ", ".join(f"{count:,} of {label!r}" for label, count in missing["label"].value_counts().items())
        raise InputError(
            f"{len(missing):,} of {len(joined):,} rows are not predicted ({counts}), such as {_pairs(missing)}",
            where="submission",
            fix="Predict every row: leaving out what is hard would raise the score.",
        )


def _pairs(table: pd.DataFrame) -> str:
    """Name the first pairs of a table."""
    return "; ".join(
        f"{row.sample} {row.gene}" for row in table[["sample", "gene"]].head(NAMED).itertuples(index=False)
    )
