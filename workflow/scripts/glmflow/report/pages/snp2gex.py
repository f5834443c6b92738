"""What the report says of tasks with targets of genes in samples (expression, promoter activity)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from glmflow.report.samples.sample_page import sample_page
from glmflow.report.samples.sample_tables import read_samples
from glmflow.report.samples.sample_verdict import judge_samples
from glmflow.report.samples.sample_words import LEVELS as LEVELS
from glmflow.report.samples.sample_words import LOGGED as LOGGED
from glmflow.report.samples.sample_words import METRICS as METRICS
from glmflow.report.samples.sample_words import PROTOCOLS as PROTOCOLS
from glmflow.report.samples.sample_words import UNSCORED as UNSCORED
from glmflow.report.search_index import Findable
from glmflow.report.study_tables import Study
from glmflow.report.verdict import Verdict

HEADLINE = ("cross_individual_pearson", "demeaned_r2")
LINK = "Genes in samples"
FINDABLE = {"genes": Findable("gene", "gene_name")}


def page(study: Study, task: str) -> str | None:
    """Return the page of a task; None if no run left scores of genes."""
    return sample_page(study, task, "snp2gex.html")


def verdict(study: Study, task: str) -> Verdict | None:
    """Return the answer of a task, class by class; None if no run left scores of genes."""
    scores = study.once(read_samples, *study.like(task))
    return judge_samples(study, task, scores) if task in set(scores["task"]) else None


def tables(study: Study, tasks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the table of `data/`: scores of genes between samples."""
    return {"genes_in_samples": study.once(read_samples, *tasks).drop(columns=["key", "twin", "kin"])}
