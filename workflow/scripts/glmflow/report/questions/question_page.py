"""The page of a task of questions: what each run's answers rest on, the same questions with other alleles, look-ups, cases."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.audit_card import audit_card
from glmflow.report.charts import finish, theme, tooltip
from glmflow.report.classes.class_page import class_counts, run_chart, score_table, task_table
from glmflow.report.classes.class_tables import overall
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.run_folder import BASELINES
from glmflow.report.run_tables import read_scores
from glmflow.report.study_tables import Study

NOT_ASKED = {
    "clean_verdict": "",
    "clean_n": 0,
    **dict.fromkeys(("stay", "elsewhere", "elsewhere_low", "elsewhere_high"), float("nan")),
}
"""What a verdict does not say where a control was not asked: in runs of earlier versions too."""
CASES = 12
"""Questions whose ranking is shown."""
STRONGEST = 3
"""Bases, and replacements, of a question that are written out beside their colours."""
MEANING = {
    "variant used": "right answers need the own pair of alleles, and change where nothing is varied",
    "variant unread": "right answers need the own pair of alleles, but accuracy does not fall where nothing is varied, or most "
    "answers stay then, or they stay right with a change elsewhere: nothing shows that the variant is read",
    "text alone": "answers are as right with the alleles of other questions: the DNA is not used",
}


def question_page(study: Study, task: str, template: str) -> str:
    """Return the page of a task, filled into a template."""
    split = study.split(task)
    rows = study.rows(study.summary, task)
    rows = rows[(rows["split"] == split) & (rows["protocol"] == "strict")]
    rests, asked = verdict_rows(study, task), control_rows(study, task)
    curves = risk_curves(study, task)
    charts: dict[str, Any] = {"runs": run_chart(study, task)}
    datasets = {"runs": records(study.cells[task])}
    if len(curves):
        charts["risk"], datasets["risk"] = risk_chart(study), records(curves)
    return render(
        template,
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        split=split,
        headline=study.headlines[task],
        rests=rests,
        meaning=MEANING,
        asked=asked,
        lookups=task_table(study, task, "lookups.tsv").to_dict("records"),
        groups=task_table(study, task, "groups.tsv").fillna("").to_dict("records"),
        models=model_rows(study, task),
        scores=score_table(study, task, overall(rows)),
        withheld=withheld(study, task),
        cases=cases(study, task),
        examples=class_counts(study, task),
        card=audit_card(study, task),
        statements=task_table(study, task, "statements.tsv").to_dict("records"),
        said=generated_statements(study, task),
        texts=text_rows(study, task, split),
        sources=task_table(study, task, "sources.tsv").get("note", pd.Series(dtype=str)).tolist(),
        counts=study.rows(study.counts, task).fillna("").to_dict("records"),
        charts=charts,
        vega=vega(),
        data=embed({"charts": charts, "datasets": datasets}),
    )


def of_runs(study: Study, task: str, name: str) -> pd.DataFrame:
    """Return a table of the scores of all runs of a task with their labels; empty where no run has it."""
    table = read_scores(study.runs(task), name)
    return study.name_runs(table) if len(table) else table


def in_order(study: Study, task: str, labels: set[str]) -> list[str]:
    """Return labels of runs, best first."""
    return [label for label in study.cells[task]["label"] if label in labels]


def verdict_rows(study: Study, task: str) -> list[dict[str, Any]]:
    """Return what the answers of each run rest on (its first seed), best run first."""
    table = of_runs(study, task, "verdict.tsv")
    if table.empty:
        return []
    cell = study.cells[task].set_index("label")
    first = table.sort_values("seed").groupby("label", sort=False).first()
    return [
        NOT_ASKED | first.loc[label].dropna().to_dict() | {"label": label, "accuracy": float(cell.loc[label, "value"])}
        for label in in_order(study, task, set(first.index))
    ]


def control_rows(study: Study, task: str) -> dict[str, Any] | None:
    """Return every control with what it leaves of each run: accuracy, answers that name a change, answers that stay."""
    table = of_runs(study, task, "reading.tsv")
    table = table[table["split"] == "test"] if len(table) else table
    if table.empty:
        return None
    labels = in_order(study, task, set(table["label"]))
    means = table.groupby(["control", "label"], sort=False)[
        ["accuracy", "says_change", "unchanged_answers", "log_odds_change"]
    ]
    means = means.mean()
    meaning = dict(zip(table["control"], table["meaning"]))
    lines = [
        {
            "control": control,
            "meaning": words,
            "cells": [
                means.loc[(control, label)].to_dict() if (control, label) in means.index else None for label in labels
            ],
        }
        for control, words in meaning.items()
    ]
    return {"labels": labels, "rows": lines}


def model_rows(study: Study, task: str) -> list[dict[str, Any]]:
    """Return the headline of trained models and of baselines, to stand beside what look-ups reach."""
    found = study.cells[task][["label", "model", "origin", "value", "ci_low", "ci_high"]].to_dict("records")
    return [row | {"trained": row["origin"] not in BASELINES} for row in found]


def risk_curves(study: Study, task: str) -> pd.DataFrame:
    """Return the error among the surest answers of each run, by the share of the questions answered."""
    table = of_runs(study, task, "risk.tsv")
    return table[["label", "model", "coverage", "risk", "threshold"]] if len(table) else table


def risk_chart(study: Study) -> dict[str, Any]:
    """Return the chart of these curves."""
    base = alt.Chart(alt.NamedData("risk")).mark_line(point=alt.OverlayMarkDef(size=14), interpolate="step-after")
    chart = base.encode(
        x=alt.X("coverage:Q", title="share of the questions answered"),
        y=alt.Y("risk:Q", title="share of these answers that is wrong"),
        color=study.look.colour(None),
        detail="label:N",
        tooltip=tooltip("label", "coverage", "risk", "threshold"),
    )
    return finish(chart.properties(width=520, height=240), []) | {"config": theme()}


def withheld(study: Study, task: str) -> list[dict[str, Any]]:
    """Return what each run answers at thresholds that keep the error on validation questions."""
    table = of_runs(study, task, "calibration.tsv")
    return table[table["coverage"] > 0].to_dict("records") if len(table) else []


def generated_statements(study: Study, task: str) -> list[dict[str, Any]]:
    """Return what the texts of each run say of the DNA, and of how many that is so."""
    table = of_runs(study, task, "statements.tsv")
    return (
        table[table["said"] > 0][["label", "seed", "statement", "said", "holds", "share"]].to_dict("records")
        if len(table)
        else []
    )


TEXTS = ("accuracy", "precision_macro", "f1_macro")


def text_rows(study: Study, task: str, split: str) -> list[dict[str, Any]]:
    """Return the scores of the texts of each run, a row a rule and way of writing: `accuracy`, `precision_macro`, `f1_macro`."""
    table = study.rows(study.summary, task)
    table = table[(table["split"] == split) & (table["subset"] == "all")]
    rows = []
    for how, words in (
        ("listed", "written greedily, held to the list"),
        ("generated", "written greedily"),
        ("drawn", "drawn"),
    ):
        own = table[table["metric"].isin([f"{how}_{name}" for name in TEXTS])]
        for (label, protocol), part in own.groupby(["label", "protocol"], sort=False):
            cells = part.set_index("metric").to_dict("index")
            scores = {name: cells.get(f"{how}_{name}") for name in TEXTS}
            rows.append({"label": label, "how": words, "protocol": protocol, **scores})
    return rows


def first_seed(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the rows of a run's first seed; none of an empty table."""
    if table.empty:
        return table
    own = table[table["label"] == label]
    return own[own["seed"] == own["seed"].min()]


def because(example: str, values: pd.DataFrame, scan: pd.DataFrame) -> dict[str, Any]:
    """Return what an answer rests on: `alleles` (`bases` with their parts, -1 to 1, the strongest), `against`, `replacements`."""
    own = values[values["example"] == example] if len(values) else values
    if own.empty:
        return {"alleles": [], "against": "", "replacements": []}
    most = max(float(own["value"].abs().max()), 1e-12)
    alleles = []
    for name, part in own.groupby("allele", sort=False):
        bases = [
            {"base": row.base, "offset": int(row.offset), "part": float(row.value) / most} for row in part.itertuples()
        ]
        strongest = sorted(bases, key=lambda one: -abs(one["part"]))[:STRONGEST]
        alleles.append({"name": name, "bases": bases, "strongest": strongest})
    tried = scan[scan["example"] == example] if len(scan) else scan
    strongest = (
        tried.reindex(tried["change"].abs().sort_values(ascending=False).index).head(STRONGEST) if len(tried) else tried
    )
    return {
        "alleles": alleles[::-1] if alleles[0]["name"] == "alt" else alleles,
        "against": own["against"].iloc[0],
        "replacements": [
            {"offset": f"{int(row.offset):+d}", "base": row.base, "change": row.change}
            for row in strongest.itertuples()
        ],
    }


def cases(study: Study, task: str) -> list[dict[str, Any]]:
    """Return questions with the likeliest answers of the best trained run: wrong ones first, the surest of them first."""
    table = of_runs(study, task, "answers.tsv")
    trained = [row["label"] for row in model_rows(study, task) if row["trained"]]
    label = next((label for label in trained if len(table) and label in set(table["label"])), None)
    if label is None:
        return []
    own = first_seed(table, label)
    explained = {name: first_seed(of_runs(study, task, f"{name}.tsv"), label) for name in ("attribution", "scan")}
    if len(explained["attribution"]):
        own = own[own["example"].isin(set(explained["attribution"]["example"]))]
    found = []
    for example, part in own.groupby("example", sort=False):
        part = part.sort_values("rank")
        first = part.iloc[0]
        found.append({
            "label": label,
            "example": example,
            "question": first["question"],
            "truth": first["truth"],
            "right": first["answer"] == first["truth"],
            "sure": float(first["probability"]),
            "answers": part[["answer", "probability"]].to_dict("records"),
            **because(example, explained["attribution"], explained["scan"]),
        })  # fmt: skip
    wrong = sorted((case for case in found if not case["right"]), key=lambda case: -case["sure"])
    right = sorted((case for case in found if case["right"]), key=lambda case: case["sure"])
    return [*wrong[: CASES // 2], *right[: CASES - len(wrong[: CASES // 2])]]
