"""Report page of kind `base_labels`."""

from __future__ import annotations

from glmflow.report.classes.class_words import HEADLINE, page
from glmflow.report.classes.class_words import METRICS as OF_CLASSES
from glmflow.report.classes.suite_sections import sections
from glmflow.report.wording import Level, Words

LINK = "Bases"
LEVELS = {
    "example": Level("Per base", "", "Over all bases (or bins) of the windows of the split.", "bases"),
    "window": Level("Per window", "", "Over the bases of each window.", "windows"),
}
METRICS = {
    **OF_CLASSES,
    "f1": Words(
        "F1", "higher", "example", "Harmonic mean of precision and recall of a class (n bases that have it). 1 is best."
    ),
    "mcc_per_sequence": Words(
        "MCC, windows",
        "higher",
        "window",
        "Matthews correlation of a window, mean over windows (n). 1 is best; 0 is chance.",
    ),
}

__all__ = ["HEADLINE", "LEVELS", "LINK", "METRICS", "page", "sections"]
