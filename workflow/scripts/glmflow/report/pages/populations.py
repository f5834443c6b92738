"""Report page of kind `populations`."""

from __future__ import annotations

from glmflow.report.classes.class_words import HEADLINE, METRICS, page
from glmflow.report.classes.suite_sections import sections
from glmflow.report.wording import Level

LINK = "Populations"
LEVELS = {"example": Level("Per haplotype", "", "Mean over windows; intervals over windows and samples.", "haplotypes")}

__all__ = ["HEADLINE", "LEVELS", "LINK", "METRICS", "page", "sections"]
