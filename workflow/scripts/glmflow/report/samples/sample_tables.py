"""Scores of genes between samples, as runs left them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from glmflow.report.run_folder import RunFolder
from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study

KEYS = [
    "task", "model", "adaptation", "baseline", "control", "twin", "kin", "variants_carried", "min_maf", "split", "subset",
    "group",
]  # fmt: skip


def read_samples(study: Study, *tasks: str) -> pd.DataFrame:
    """Return the scores of genes between samples, averaged over seeds: one row a run x class x gene of some tasks.

    Read from `scores/personal.tsv` of the runs: split subset group n pearson spearman p q constant … heritability ceiling
    variants haplotypes. `control` is the control that the task is (`none` for the task itself), `twin` what tasks and their
    controls share, `kin` what tasks share that differ in their variants alone: `variants_carried` (all or snv) and
    `min_maf`; `baseline` is the kind of a baseline (empty for models), `seeds` the number of seeds.
    """
    tables = [read_scores([run], "personal.tsv").assign(**facts(run)) for run in study.runs(*tasks)]
    tables = [table for table in tables if len(table)]
    if not tables:
        return study.name_runs(pd.DataFrame(columns=[*KEYS, "pearson", "seeds"]))
    genes = pd.concat(tables, ignore_index=True)
    how = {name: "mean" if genes[name].dtype.kind in "if" else "first" for name in genes if name not in (*KEYS, "seed")}
    means = genes.groupby(KEYS, as_index=False, sort=False).agg(how | {"seed": "nunique"})
    return study.name_runs(means.rename(columns={"seed": "seeds"}))


def facts(run: RunFolder) -> dict[str, Any]:
    """Return what tells the task of a run from others of its kind, and the kind of a baseline."""
    task = {name: value for name, value in run.task_settings.items() if name != "control"}
    kin = {name: value for name, value in task.items() if name not in ("variants", "min_maf")}
    return {
        "baseline": ((run.settings.get("model") or {}).get("baseline") or {}).get("kind", ""),
        "control": run.task_settings.get("control", "none"),
        "twin": json.dumps(task, sort_keys=True),
        "kin": json.dumps(kin, sort_keys=True),
        "variants_carried": task.get("variants", "all"),
        "min_maf": float(task.get("min_maf", 0)),
    }
