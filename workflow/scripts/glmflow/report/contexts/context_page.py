"""The page of a context task: loss against length, recall against distance, cost, and what follows from them."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from glmflow.report.audit_card import audit_card
from glmflow.report.charts import theme
from glmflow.report.comparison_tables import own_table
from glmflow.report.data_tables import data_file
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.study_tables import Study
from glmflow.report.wording import number, signed

from .context_findings import conclusion, findings
from .context_tests import paired_rows
from .context_words import SUBSETS, TUNED, UNCHANGED, VARIANTS, ZERO_SHOT


def context_page(study: Study, task: str, template: str) -> str:
    """Return the page of a context task, filled into a template."""
    described = describe_models(study, task)
    table = study.rows(study.summary, task).merge(described, on="model")
    table = table.assign(context=pd.to_numeric(table["context_bp"]))
    compared = own_table(study.inputs.comparisons.get(task), "pairs.tsv")
    loss = table[table["metric"] == "loss"]
    recall = table[table["metric"] == "copy_advantage"]
    charts = {
        "loss": curves(
            study, described, "loss", SUBSETS, "context (bp)", "loss (nats per base)", present(loss, SUBSETS)
        ),
        "recall": curves(
            study,
            described,
            "recall",
            VARIANTS,
            "distance of the copy (bp)",
            "gain (nats per base)",
            present(recall, VARIANTS),
        ),
    }
    columns = ["model", "tuning", "subset", "context", "value", "ci_low", "ci_high", "seeds"]
    shown = {"loss": loss, "recall": recall}
    charts = {name: spec for name, spec in charts.items() if len(shown[name])}
    return render(
        template,
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        card=audit_card(study, task),
        findings=findings(loss, recall, compared),
        verdict=study.verdict(task),
        conclusion=conclusion(recall, compared, bool(study.simulated)),
        costs=cost_rows(study, task, described, loss),
        tests=paired_rows(recall, compared),
        comparisons=data_file(f"comparisons.{task}.pairs", compared),
        has_loss=len(loss) > 0,
        farthest=int(recall["context"].max()) if len(recall) else 0,
        vega=vega(),
        data=embed({"charts": charts, "datasets": {name: records(shown[name][columns]) for name in charts}}),
    )


def describe_models(study: Study, task: str) -> pd.DataFrame:
    """Return for each model of the task how it was extended, in the order of the study."""
    rows: dict[str, dict[str, Any]] = {}
    for run in study.inputs.runs:
        if run.task == task and run.model not in rows:
            extend = (run.settings.get("model") or {}).get("extend") or {}
            steps = int(extend.get("steps") or 0)
            rows[run.model] = {
                "model": run.model,
                "method": extend.get("method") or "as it is",
                "factor": extend.get("factor"),
                "tuning": TUNED if steps else ZERO_SHOT,
                "steps": steps,
                "tokens": steps * int(extend.get("batch") or 0) * int(extend.get("length") or 0),
            }
    return pd.DataFrame(list(rows.values()))


def present(table: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Return the subsets that a table has, in reading order."""
    return [name for name in names if name in set(table["subset"])]


def curves(
    study: Study, described: pd.DataFrame, data: str, titles: dict[str, str], x: str, y: str, subsets: list[str]
) -> dict[str, Any]:
    """Return the chart of a value against length with its interval: a line a model, a row a subset, a column a tuning."""
    scale = alt.Scale(domain=list(study.colours), range=list(study.colours.values()))
    tunings = [name for name in (ZERO_SHOT, TUNED) if name in set(described["tuning"])]
    rows = []
    for subset in subsets:
        panels = []
        for tuning in tunings:
            models = [model for model, kind in zip(described["model"], described["tuning"]) if kind == tuning]
            base = alt.Chart(alt.NamedData(data), title=f"{titles[subset]}, {tuning}").transform_filter(
                f"datum.subset === '{subset}' && datum.tuning === '{tuning}'"
            )
            axis = alt.X("context:Q", title=x, scale=alt.Scale(type="log", base=2, nice=False, padding=12))
            colour = alt.Color("model:N", scale=scale, legend=alt.Legend(title=tuning, values=models))
            value = alt.Y("value:Q", title=y, scale=alt.Scale(zero=False))
            line = base.mark_line(strokeWidth=1.8).encode(x=axis, y=value, color=colour)
            rule = base.mark_rule(strokeWidth=1.6).encode(
                x=axis, y=alt.Y("ci_low:Q", title=y), y2="ci_high:Q", color=colour
            )
            dot = base.mark_point(filled=True, size=46).encode(
                x=axis,
                y=value,
                color=colour,
                tooltip=[
                    "model:N",
                    alt.Tooltip("context:Q", title="bp", format=",.0f"),
                    *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "ci_low", "ci_high")),
                    "seeds:Q",
                ],
            )
            panels.append(alt.layer(line, rule, dot).properties(width=360, height=230))
        rows.append(alt.hconcat(*panels).resolve_scale(y="shared", color="independent"))
    chart = alt.vconcat(*rows).resolve_scale(color="independent")
    return chart.configure(**theme()).to_dict()


def model_costs(study: Study, task: str) -> pd.DataFrame:
    """Return what each model of a task cost to make here and to ask, means over seeds."""
    names = ["trainable_parameters", "train_seconds", "peak_memory_mb", "predict_seconds", "predict_peak_memory_mb"]
    rows = []
    for run in study.runs(task):
        spent = run.cost | run.model_cost
        rows.append({"model": run.model} | {name: spent.get(name) for name in names})
    table = pd.DataFrame(rows)
    table[names] = table[names].apply(pd.to_numeric)
    return table.groupby("model", as_index=False, sort=False)[names].mean()


def cost_rows(study: Study, task: str, described: pd.DataFrame, loss: pd.DataFrame) -> list[dict[str, str]]:
    """Return what each model cost, and whether its loss at the shortest context was kept."""
    costs = model_costs(study, task).merge(described, on="model")
    short = loss[(loss["subset"] == "all") & (loss["context"] == loss["context"].min())].set_index("model")["value"]
    unchanged = described[described["method"].isin(UNCHANGED) & (described["tuning"] == ZERO_SHOT)]["model"]
    start = short.get(unchanged.iloc[0]) if len(unchanged) else None
    rows = []
    for row in costs.itertuples():
        own = short.get(row.model)
        rows.append(
            {
                "model": row.model,
                "method": row.method,
                "steps": f"{row.steps:,}" if row.steps else "none",
                "tokens": f"{row.tokens:,}" if row.tokens else "none",
                "trained": number(row.trainable_parameters, is_count=True) if row.steps else "none",
                "train": number(row.train_seconds, is_count=True) if row.steps else "none",
                "memory": number(row.peak_memory_mb, is_count=True) if row.steps else "none",
                "predict": number(row.predict_seconds, is_count=True),
                "predict_memory": number(row.predict_peak_memory_mb, is_count=True),
                "short": number(own),
                "change": "–"
                if start is None or own is None or row.model == unchanged.iloc[0]
                else signed(own - start),
            }
        )
    return rows
