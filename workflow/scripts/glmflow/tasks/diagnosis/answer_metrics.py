"""Precision, recall and F1 over classes that are texts."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import precision_recall_fscore_support


def macro(
    truths: Sequence[str], answers: Sequence[str], labels: Sequence[str], empty: int
) -> tuple[float, float, float]:
    """Return the mean precision, recall and F1 over `labels`; a share of nothing is `empty` (0 or 1)."""
    found = precision_recall_fscore_support(
        list(truths), list(answers), labels=list(labels), average="macro", zero_division=empty
    )
    return float(found[0]), float(found[1]), float(found[2])
