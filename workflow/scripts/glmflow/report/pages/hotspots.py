"""Report page of kind `hotspots`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glmflow.report.classes.class_page import task_table
from glmflow.report.classes.class_words import HEADLINE, METRICS, page
from glmflow.report.classes.suite_sections import sections
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, number

LINK = "Hotspots"
LEVELS = {"example": Level("Per window", "", "Over the windows of the split.", "windows")}
OVER_DISPERSED = 1.5
"""Variance over mean of counts beyond which chance alone does not explain them."""

__all__ = ["HEADLINE", "LEVELS", "LINK", "METRICS", "page", "sections", "warnings"]


def warnings(study: Study, tasks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what has to be known of the counts behind the classes."""
    for task in tasks:
        table = task_table(study, task, "dispersion.tsv")
        for row in table.itertuples():
            if row.variance_over_mean > OVER_DISPERSED:
                ratio, where = number(row.variance_over_mean), f"{task}, {row.chrom}"
                yield (
                    where,
                    f"variant counts have {ratio} times the variance that chance gives them: under a Poisson test a hotspot "
                    "is little more than a window above average, the more so the larger windows and cohorts are",
                )
