"""Report page of kind `region_expression`."""

from __future__ import annotations

from glmflow.report.classes.class_page import class_page
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("pearson", "deviation_pearson")
LINK = "Expression from regions"
LEVELS = {"cells": Level("Per cell", "over the promoters of a cell", "One value a test cell, averaged.", "cells")}
METRICS = {
    "pearson": Words(
        "Pearson's r", "higher", "cells",
        "Correlation of predicted and measured log10(TPM + 1) over the promoters of a cell (region and strand), averaged over "
        "cells (n). Genes differ more than cells do: hold it against the mean of training cells.",
    ),
    "deviation_pearson": Words(
        "r of deviations", "higher", "cells",
        "The same of what is left without the mean of training cells at each promoter: what sets the cell apart. A model that "
        "knows no cell but those of training has 0.",
    ),
    "spearman": Words("Spearman's rho", "higher", "cells", "The same of ranks."),
    "r2": Words(
        "R²", "higher", "cells", "1 - squared error / squared deviation from the cell's own mean, averaged over cells (n)."
    ),
    "mse": Words("mean squared error", "lower", "cells", "In log10(TPM + 1), averaged over cells (n)."),
    "mae": Words("mean absolute error", "lower", "cells", "In log10(TPM + 1), averaged over cells (n)."),
}  # fmt: skip
FURTHER = ("deviation_pearson",)


def page(study: Study, task: str) -> str:
    """Return the page of a task: runs over a band of baselines, new cells and new regions apart."""
    return class_page(study, task, "labelled.html")
