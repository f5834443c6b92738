"""Scores of texts that a model writes: greedily, and drawn as published, by both rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmflow.tasks.tables import metric_row

from .answer_metrics import macro
from .official_answers import official_csv, official_rows, official_scores
from .strict_answers import strict_scores

STRICT, OFFICIAL = "strict", "official"


def of_texts(texts: pd.DataFrame, classes: list[str]) -> dict[tuple[str, str], float]:
    """Return the scores of one text a question, by protocol and name: by our rule, and as the originals score them.

    Parameters
    ----------
    texts
        `generation`, `target` (the class), `answer` (as the table has it).
    """
    written, truths = texts["generation"].astype(str).tolist(), texts["answer"].tolist()
    strict = strict_scores(written, texts["target"].tolist(), classes)
    own = strict["macro_over_ground_truth_labels"]
    published = official_scores(official_csv(official_rows(written, truths)))
    return {
        (STRICT, "accuracy"): strict["accuracy"],
        (STRICT, "precision_macro"): own["precision"],
        (STRICT, "f1_macro"): own["f1-score"],
        (STRICT, "no_answer"): strict["no_answer"] / len(written),
        (STRICT, "outside_list"): strict["outside_list"] / len(written),
        (OFFICIAL, "accuracy"): published["accuracy"],
        (OFFICIAL, "precision_macro"): published["macro_precision"],
        (OFFICIAL, "f1_macro"): published["macro_f1"],
    }


def listed_metrics(answers: Sequence[str], truths: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows of metrics of answers that are classes: `listed_*`, macro means over the true classes (as `of_texts`)."""
    if not len(truths):
        return []
    precision, _, f1 = macro(truths, answers, sorted(set(truths)), 0)
    right = float(np.mean([one == truth for one, truth in zip(answers, truths)]))
    named = {"listed_accuracy": right, "listed_precision_macro": precision, "listed_f1_macro": f1}
    return [metric_row(name, float(value), len(truths), split="test") for name, value in named.items()]


def text_metrics(texts: pd.DataFrame, classes: list[str]) -> list[dict[str, Any]]:
    """Return rows of metrics of texts: `generated_*` of the greedy ones, `drawn_*` the mean over draws.

    The interval of a drawn one reaches from the lowest draw to the highest. `draw` is 0 for greedy texts.
    """
    by_draw = {draw: of_texts(part, classes) for draw, part in texts.groupby("draw", sort=True)}
    rows, n = [], texts["example"].nunique()
    for (protocol, name), value in by_draw.pop(0, {}).items():
        label = name if name in ("no_answer", "outside_list") else f"generated_{name}"
        rows.append({**metric_row(label, value, n, split="test"), "protocol": protocol})
    for key in next(iter(by_draw.values()), {}):
        protocol, name = key
        if name in ("no_answer", "outside_list"):
            continue
        values = [one[key] for one in by_draw.values()]
        bounds = {"ci_low": min(values), "ci_high": max(values), "protocol": protocol}
        rows.append({**metric_row(f"drawn_{name}", float(np.mean(values)), n, split="test"), **bounds})
    return rows
