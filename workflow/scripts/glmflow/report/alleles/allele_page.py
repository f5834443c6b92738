"""The page of a task that ranks alleles: runs over their baselines, consequences one by one, where each score goes wrong."""

from __future__ import annotations

from glmflow.report.audit_card import audit_card
from glmflow.report.classes.class_page import run_chart, task_table
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.study_tables import Study

from . import allele_charts
from .leaderboards import (
    confounded,
    gallery,
    leaderboard,
    mixed,
    reasons,
    strand_rows,
    subset_table,
    task_settings,
    wrongest,
)


def cautions(study: Study, task: str) -> list[str]:
    """Return what a reader has to know before any figure of a task."""
    return [*confounded(study, task), *mixed(study, task)]


def allele_page(study: Study, task: str, template: str) -> str:
    """Return the page of a task, filled into a template."""
    charts = allele_charts.charts(study, task)
    drawn = {name: chart for name, chart in charts.items() if chart is not None}
    datasets = {"runs": records(study.cells[task])}
    return render(
        template,
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        warnings=cautions(study, task),
        confounded=bool(confounded(study, task)),
        headline=study.headlines[task],
        board=leaderboard(study, task),
        consequences=subset_table(study, task, "consequence"),
        kinds=subset_table(study, task, "kind"),
        official=official(study, task),
        wrongest=wrongest(study, task),
        strands=strand_rows(study, task),
        gallery=gallery(study, task),
        reasons=reasons(study, task),
        counts=study.rows(study.counts, task).fillna("").to_dict("records"),
        card=audit_card(study, task),
        classes=task_table(study, task, "classes.tsv").fillna(""),
        settings=task_settings(study, task),
        charts=charts,
        vega=vega(),
        data=embed(
            {
                "charts": {"runs": run_chart(study, task)} | {name: spec for name, (spec, _) in drawn.items()},
                "datasets": datasets | {name: table for _, tables in drawn.values() for name, table in tables.items()},
            }
        ),
    )


def official(study: Study, task: str) -> dict:
    """Return the scores by the official protocol: headings and a row a run; empty where there are none."""
    rows = study.rows(study.summary, task)
    rows = rows[(rows["protocol"] == "official") & (rows["subset"] == "all")]
    if rows.empty:
        return {}
    kind = study.kinds[task]
    names = kind.in_order(set(rows["metric"]))
    cells = {(row.label, row.metric): row for row in rows.itertuples()}
    lines = [
        {
            "label": run.label,
            "model": run.model,
            "origin": run.origin,
            "cells": [cells.get((run.label, name)) for name in names],
        }
        for run in study.cells[task].itertuples()
    ]
    return {"metrics": [kind.metric(name) for name in names], "rows": lines}
