"""The page of the context study: loss against length, recall against distance, cost, and what follows from them."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from .charts import theme
from .metrics import number
from .page import embed, records, render, vega
from .study import Study
from .tables import optional_table

SUBSETS = {
    "all": "all bases",
    "repeat": "bases that continue a repeat",
    "far_repeat": "repeats whose copy lies beyond the shortest context",
    "background": "background",
}
VARIANTS = {"exact": "exact copy", "mutated": "mutated copy", "reverse_complement": "copy on the other strand"}
TUNED, ZERO_SHOT = "tuned", "zero-shot"
CLEAR = 0.05
"""p-values of paired tests below this are called clear."""


def context_page(study: Study, task: str) -> str:
    """Return the page of a context task."""
    described = describe_models(study, task)
    table = study.summary[study.summary["task"] == task].merge(described, on="model")
    table = table.assign(context=pd.to_numeric(table["context_bp"]))
    compared = optional_table(study.inputs.comparisons.get(task))
    loss = table[table["metric"] == "loss"]
    recall = table[table["metric"] == "copy_advantage"]
    charts = {
        "loss": curves(study, described, "loss", SUBSETS, "context (bp)", "loss (nats a base)", present(loss, SUBSETS)),
        "recall": curves(
            study,
            described,
            "recall",
            VARIANTS,
            "distance of the copy (bp)",
            "gain (nats a base)",
            present(recall, VARIANTS),
        ),
    }
    columns = ["model", "tuning", "subset", "context", "value", "ci_low", "ci_high", "seeds"]
    data = {"charts": charts, "loss": records(loss[columns]), "recall": records(recall[columns])}
    return render(
        "context.html",
        study=study,
        task=task,
        findings=findings(loss, recall, compared),
        conclusion=conclusion(study, recall, compared),
        costs=cost_rows(study, task, described, loss),
        tests=test_rows(recall, compared),
        farthest=int(recall["context"].max()) if len(recall) else 0,
        vega=vega(),
        data=embed(data),
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
    """Draw a value against length with its interval: a line a model; a row a subset, a column zero-shot or tuned."""
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


def findings(loss: pd.DataFrame, recall: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    """Return what the numbers say, a sentence each, computed from them alone."""
    found = []
    for tuning, rows in loss[loss["subset"] == "repeat"].groupby("tuning", sort=False):
        shortest, longest = rows["context"].min(), rows["context"].max()
        wide = rows.pivot_table(index=["model", "method"], columns="context", values="value").reset_index()
        naive = wide[wide["method"].isin(("none", "as it is"))]
        if len(naive) and longest > shortest:
            row = naive.iloc[0]
            best = row.drop(["model", "method"]).astype(float)
            found.append(
                f"Naive use ({row['model']}, {tuning}): the loss of repeats goes from {number(row[shortest])} at "
                f"{shortest:,.0f} bp to {number(row[longest])} at {longest:,.0f} bp; it is lowest at {best.idxmin():,.0f} bp."
            )
        first = wide.sort_values(longest).iloc[0]
        found.append(
            f"Of the {tuning} models {first['model']} has the lowest loss of repeats at {longest:,.0f} bp "
            f"({number(first[longest])} nats a base)."
        )
    exact = recall[recall["subset"] == "exact"]
    for tuning, rows in exact.groupby("tuning", sort=False):
        mean = rows.groupby("model")["value"].mean().sort_values(ascending=False)
        second = f", then {mean.index[1]} ({number(mean.iloc[1])})" if len(mean) > 1 else ""
        found.append(
            f"Recall of an exact copy, mean over distances: {mean.index[0]} is first of the {tuning} models "
            f"({number(mean.iloc[0])} nats a base){second}."
        )
        far = rows[rows["context"] == rows["context"].max()].sort_values("value", ascending=False)
        if len(far) > 1:
            found.append(farthest_sentence(far, tuning, compared))
            found.append(reach_sentence(rows, tuning))
    return found


def reach_sentence(rows: pd.DataFrame, tuning: str) -> str:
    """Say how far each model recalls at least half as well as the best of them does anywhere."""
    half = rows["value"].max() / 2
    reach = rows[rows["value"] >= half].groupby("model")["context"].max().reindex(rows["model"].unique()).fillna(0)
    told = [
        f"{model} {f'{distance:,.0f} bp' if distance else 'nowhere'}"
        for model, distance in reach.sort_values(ascending=False, kind="stable").items()
    ]
    return (
        f"Farthest distance at which an exact copy is worth {number(half)} nats a base (half of the most that any of the "
        f"{tuning} models gains): {', '.join(told)}."
    )


def farthest_sentence(far: pd.DataFrame, tuning: str, compared: pd.DataFrame) -> str:
    """Say which model recalls at the farthest distance, by how much, and whether the paired test sees it."""
    first, second = far.iloc[0], far.iloc[1]
    sentence = (
        f"At {first['context']:,.0f} bp {first['model']} recalls most of the {tuning} models ({number(first['value'])}), "
        f"{second['model']} follows ({number(second['value'])})"
    )
    test = paired(compared, first["model"], second["model"], "copy_advantage", "exact", first["context"])
    if test is None or pd.isna(test["p"]):
        return f"{sentence}; one seed allows no test."
    clear = "clear" if test["p"] < CLEAR else "not clear"
    return (
        f"{sentence}; the difference of {test['mean']:+.3f} [{test['low']:+.3f}, {test['high']:+.3f}] over "
        f"{pairs(test)} is {clear} (paired t-test, p = {number(test['p'])})."
    ).replace("-0.", "−0.")


def pairs(test: pd.Series) -> str:
    """Say what the pairs of a comparison are: seeds, or the windows of the one seed that both models have."""
    windows, seeds = int(test.get("windows", 0)), int(test["seeds"])
    return f"{windows:,} windows of one seed" if windows else f"{seeds} seed{'s' if seeds != 1 else ''}"


def paired(
    compared: pd.DataFrame, model: str, reference: str, metric: str, subset: str, context: float
) -> pd.Series | None:
    """Return one row of the table of paired comparisons, or None."""
    if compared.empty:
        return None
    keys = {"model": model, "reference": reference, "metric": metric, "subset": subset, "context_bp": context}
    rows = compared[(compared[list(keys)] == pd.Series(keys)).all(axis=1)]
    return rows.iloc[0] if len(rows) else None


def conclusion(study: Study, recall: pd.DataFrame, compared: pd.DataFrame) -> str:
    """Say in one sentence what can and what cannot be concluded."""
    can = "these methods can be compared on this model and these sequences"
    if len(recall):
        far = recall[(recall["subset"] == "exact") & (recall["context"] == recall["context"].max())]
        first = far.sort_values("value", ascending=False).iloc[0]
        others = [
            test
            for other in far["model"]
            if (test := paired(compared, first["model"], other, "copy_advantage", "exact", first["context"]))
            is not None
        ]
        beaten = sum(bool(test["p"] < CLEAR and test["mean"] > 0) for test in others)
        paired_over = sorted({pairs(test) for test in others if pd.notna(test["p"])})
        over = f" over {' or '.join(paired_over)}" if paired_over else ", for which one seed is too few"
        can = f"{first['model']} recalls farthest here, clearly ahead of {beaten} of {len(others)} others in paired tests{over}"
    cannot = (
        "it does not predict the order on a published model, and differences within the intervals mean nothing"
        if study.simulated
        else "recall of planted copies does not promise a gain in any downstream task"
    )
    return f"What can be concluded: {can}; what cannot: {cannot}."


def cost_rows(study: Study, task: str, described: pd.DataFrame, loss: pd.DataFrame) -> list[dict[str, str]]:
    """Return what each model cost, and whether its loss at the shortest context was kept."""
    costs = study.costs[study.costs["task"] == task].merge(described, on="model")
    short = loss[(loss["subset"] == "all") & (loss["context"] == loss["context"].min())].set_index("model")["value"]
    naive = described[(described["method"].isin(("none", "as it is"))) & (described["tuning"] == ZERO_SHOT)]["model"]
    start = short.get(naive.iloc[0]) if len(naive) else None
    rows = []
    for row in costs.itertuples():
        change = None if start is None else short.get(row.model) - start
        rows.append(
            {
                "model": row.model,
                "method": row.method,
                "steps": f"{row.steps:,}" if row.steps else "none",
                "tokens": f"{row.tokens:,}" if row.tokens else "none",
                "trained": number(row.trainable_parameters, is_count=True) if row.steps else "none",
                "train": f"{row.train_seconds:,.0f}" if row.steps else "none",
                "predict": f"{row.predict_seconds:,.0f}" if pd.notna(row.predict_seconds) else "–",
                "memory": f"{row.peak_memory_mb:,.0f}" if row.steps else "–",
                "short": number(short.get(row.model)),
                "change": "–" if change is None else f"{change:+.3f}".replace("-", "−"),
            }
        )
    return rows


def test_rows(recall: pd.DataFrame, compared: pd.DataFrame) -> list[dict[str, str]]:
    """Return paired comparisons of the model that recalls farthest with every other, metric by metric."""
    exact = recall[(recall["subset"] == "exact") & (recall["context"] == recall["context"].max())]
    if compared.empty or exact.empty:
        return []
    first = exact.sort_values("value", ascending=False)["model"].iloc[0]
    longest = compared.groupby("metric")["context_bp"].transform("max")
    shown = compared[(compared["model"] == first) & (compared["context_bp"] == longest)]
    shown = shown[shown["subset"].isin(("all", "repeat", "background", *VARIANTS))]
    names = {"loss": "loss", "copy_advantage": "recall"}
    return [
        {
            "first": first,
            "reference": row["reference"],
            "what": f"{names[row['metric']]}, {(SUBSETS | VARIANTS)[row['subset']]}, {row['context_bp']:,} bp",
            "difference": f"{row['mean']:+.3f}".replace("-", "−"),
            "pairs": pairs(row),
            "interval": "–" if pd.isna(row["low"]) else f"[{row['low']:+.3f}, {row['high']:+.3f}]".replace("-", "−"),
            "p": number(row["p"]),
            "p_holm": number(row["p_holm"]),
        }
        for _, row in shown.iterrows()
    ]
