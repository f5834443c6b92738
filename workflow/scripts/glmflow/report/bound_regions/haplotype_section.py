"""The section of a binding page on the haplotypes of samples: TFs, regions x samples, and the largest differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.charts import WIDEST, finish, theme, tooltip
from glmflow.report.rendering import records
from glmflow.report.run_folder import RunFolder
from glmflow.report.study_tables import Study

from .haplotype_binding import PREDICTED, read_haplotype_binding

PARTS_SHOWN, TFS_SHOWN = 4, 12
DATA = "haplotypes"


def haplotype_section(study: Study, task: str, order: list[str]) -> dict[str, Any] | None:
    """Return what a page shows of the haplotypes of samples; None where no tuned model was applied to any.

    `parts` are predictions, the best run's first, each with `name` and `found` (`HaplotypeBinding`); `more` counts those that are
    left out; `chart` and `data` are those of regions x samples.
    """
    paths = applied(study, task, order)
    parts = []
    for name, path in paths[:PARTS_SHOWN]:
        found = read_haplotype_binding(path)
        if found is not None:
            parts.append({"name": name, "found": found})
    if not parts:
        return None
    tfs = parts[0]["found"].tfs["tf"].head(TFS_SHOWN)
    data = pd.concat([grid_of(part["name"], part["found"].grid, tfs) for part in parts], ignore_index=True)
    return {
        "parts": parts,
        "more": max(0, len(paths) - PARTS_SHOWN),
        "chart": haplotype_chart(data),
        "data": records(data),
    }


def applied(study: Study, task: str, order: list[str]) -> list[tuple[str, Path]]:
    """Return the tables of `predict:` beside the runs of a task, by what they are called: the first seed of each run."""
    first: dict[str, RunFolder] = {}
    for run in study.runs(task):
        first.setdefault(study.labels_by_name[run.name], run)
    found = []
    for label in [name for name in order if name in first]:
        for name in study.inputs.applied:
            path = first[label].folder / "predict" / name
            if path.suffix == ".parquet" and path.exists():
                found.append((f"{label}: {path.stem}", path))
    return found


def grid_of(name: str, grid: pd.DataFrame, tfs: pd.Series) -> pd.DataFrame:
    """Return the rows of the chart: regions x samples, of some TFs."""
    grid = grid[grid["tf"].isin(tfs)]
    place = grid["chrom"] + ":" + (grid["start"] + 1).astype(str) + "-" + grid["end"].astype(str)
    return grid.assign(predicted=name, region=place).drop(columns=["chrom", "start", "end"])


def haplotype_chart(data: pd.DataFrame) -> dict[str, Any]:
    """Return the chart of regions x samples of the TF and prediction that are chosen."""
    names, tfs = list(dict.fromkeys(data["predicted"])), list(dict.fromkeys(data["tf"]))
    first = data.loc[data["allelic_log_odds"].abs().idxmax(), "tf"]
    which = alt.param("haplotypes_of", value=names[0], bind=alt.binding_select(options=names, name="prediction "))
    tf = alt.param("haplotype_tf", value=first, bind=alt.binding_select(options=sorted(tfs), name="TF "))
    limit = min(3.0, max(1.0, float(data["allelic_log_odds"].abs().max())))
    chart = (
        alt.Chart(alt.NamedData(DATA))
        .transform_filter("datum.predicted === haplotypes_of && datum.tf === haplotype_tf")
        .mark_rect()
        .encode(
            x=alt.X("sample:N", title="person", axis=alt.Axis(labelAngle=-50, labelLimit=120)),
            y=alt.Y("region:N", sort=list(dict.fromkeys(data["region"])), title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color(
                "allelic_log_odds:Q",
                title=["log-odds of haplotype 1", "less those of 2"],
                scale=alt.Scale(scheme="purpleorange", domain=[-limit, limit], domainMid=0, clamp=True),
            ),
            tooltip=tooltip("region", "split", "sample", "tf", "cell", *PREDICTED, "allelic_log_odds"),
        )
        .add_params(which, tf)
    )
    width = min(18 * data["sample"].nunique(), WIDEST)
    return finish(chart.properties(width=width, height=alt.Step(16)), []) | {"config": theme()}
