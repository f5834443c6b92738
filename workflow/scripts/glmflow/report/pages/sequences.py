"""What the report says of tasks that ask for the class, the labels or the values of a sequence."""

from __future__ import annotations

from glmflow.report.classes.class_words import HEADLINE, METRICS, page
from glmflow.report.classes.suite_sections import sections
from glmflow.report.wording import Level

LINK = "Sequences"
LEVELS = {"example": Level("Per sequence", "", "Over the sequences of the split.", "sequences")}

__all__ = ["HEADLINE", "LEVELS", "LINK", "METRICS", "page", "sections"]
