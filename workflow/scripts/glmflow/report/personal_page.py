"""The page of personal expression: seen and unseen genes and people, model against baseline, ceiling, controls."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from . import charts
from .metrics import describe
from .page import embed, records, render, vega
from .personal import CLASSES, SEEN, Extremes, class_matrix, controls, extremes, linear_baselines, ranked
from .personal_variants import maf_chart, maf_points, read_effects, top_variants, variant_classes
from .study import Study

GENES = 1500  # drawn in the scatters
HEADLINE = "cross_individual_pearson"
ALSO = {
    "cross_individual_of_ceiling": "of ceiling",
    "cross_individual_of_sqrt_h2": "of √h²",
    "cross_individual_right_ratio": "significant, right sign",
    "cross_individual_wrong_ratio": "significant, wrong sign",
    "cross_individual_constant_count": "constant genes",
    "cross_individual_permuted": "people permuted",
    "cross_individual_permutation_p": "p of permutations",
    "demeaned_r2": "R², demeaned",
    "cross_gene_pearson": "r between genes",
    "cross_gene_spearman": "ρ between genes",
}
VARIANTS = {
    "causal_first_ratio": "true one first",
    "causal_first_chance_ratio": "by chance",
    "causal_sign_ratio": "right sign",
    "causal_average_precision": "AUPRC",
    "causal_average_precision_chance": "by chance",
    "elastic_net_top_ratio": "elastic net's first is first",
    "elastic_net_top_chance_ratio": "by chance",
    "elastic_net_effects_spearman": "ρ with the elastic net",
}


def personal_page(study: Study) -> str:
    """Return the page; empty where the study has no task of personal expression."""
    personal = study.personal
    if personal.empty:
        return ""
    tasks = [task for task in study.tasks if task in set(personal["task"])]
    sections = [_section(study, task) for task in tasks]
    points = scatter_points(personal)
    specs = {"pairs": pair_chart(study, personal), "ceiling": ceiling_chart(study, personal)}
    by_maf = maf_points(personal)
    if len(by_maf):
        specs["maf"] = maf_chart(study.look, by_maf)
    return render(
        "personal.html",
        study=study,
        sections=sections,
        controls=controls(personal),
        variant_classes=variant_classes(personal),
        has_maf_curve=len(by_maf) > 0,
        vega=vega(),
        data=embed(
            {"charts": specs, "datasets": {"genes": records(points), "maf": records(by_maf)}, "colours": study.colours}
        ),
        sampled=len(points) < len(personal),
    )


def _section(study: Study, task: str) -> dict[str, Any]:
    """Return what the page shows of one task."""
    classes, matrix = class_matrix(study.summary, task, HEADLINE)
    found = {subset: extremes(study.personal, task, subset) for subset in CLASSES}
    largest = max((abs(cell.value) for row in matrix for cell in row["cells"].values()), default=0) or 1
    return {
        "task": task,
        "control": study.personal.loc[study.personal["task"] == task, "control"].iloc[0],
        "verdict": study.verdict(task),
        "classes": classes,
        "matrix": matrix,
        "largest": largest,
        "also": further_scores(study, task),
        "extremes": found,
        "top_variants": {subset: variants_of(study, task, chosen) for subset, chosen in found.items()},
        "variants": variant_scores(study, task),
        "counts": study.counts[study.counts["task"] == task].fillna("").to_dict("records") if len(study.counts) else [],
        "checks": study.checks[study.checks["task"] == task].fillna("").to_dict("records") if len(study.checks) else [],
    }


def variants_of(study: Study, task: str, chosen: Extremes) -> dict[str, list[dict[str, Any]]]:
    """Return by gene the variants that act most in the model that chosen genes are of, with the elastic net's weights."""
    names = {gene["group"] for gene in chosen.genes}
    rows = study.personal[(study.personal["task"] == task) & (study.personal["baseline"] == "elastic_net")]
    other = rows["key"].iloc[0] if len(rows) else ""
    runs = study.inputs.runs
    return top_variants(read_effects(runs, chosen.key, names), read_effects(runs, other, names))


def further_scores(study: Study, task: str) -> dict[str, Any]:
    """Return the other scores of each run, class by class: names, and rows of (class, label, values)."""
    rows = study.summary[
        (study.summary["task"] == task) & (study.summary["split"] == "test") & (study.summary["protocol"] == "strict")
    ]
    names = {metric: title for metric, title in ALSO.items() if metric in set(rows["metric"])}
    wide = rows.pivot_table(index=["subset", "label"], columns="metric", values="value", sort=False, dropna=False)
    found = [
        {"subset": subset, "label": label, "values": [values.get(metric, np.nan) for metric in names]}
        for (subset, label), values in wide.iterrows()
        if subset in CLASSES
    ]
    return {"names": headings(names), "rows": sorted(found, key=lambda row: row["subset"])}


def headings(names: dict[str, str]) -> list[dict[str, str]]:
    """Return the title of each metric's column, with what it means."""
    return [{"title": title, "explanation": describe(metric).explanation} for metric, title in names.items()]


def variant_scores(study: Study, task: str) -> dict[str, Any]:
    """Return how well each run finds the variants that act: names, and rows of (genes, label, values, n genes)."""
    rows = study.summary[(study.summary["task"] == task) & (study.summary["split"] == "variants")]
    names = {metric: title for metric, title in VARIANTS.items() if metric in set(rows["metric"])}
    if not names:
        return {}
    found = []
    for (subset, label), part in rows.groupby(["subset", "label"], sort=False):
        own = part.set_index("metric").reindex(list(names))
        found.append({"subset": subset, "label": label, "values": list(zip(own["value"], own["n"].fillna(0)))})
    return {"names": headings(names), "rows": sorted(found, key=lambda row: row["subset"])}


def scatter_points(personal: pd.DataFrame) -> pd.DataFrame:
    """Return what the scatters draw: held-out genes of every run, the same sample of them in each."""
    rows = personal[personal["split"] == "test"].copy()
    ids = rows["group"].drop_duplicates()
    if len(ids) > GENES:
        rows = rows[rows["group"].isin(set(ids.sample(GENES, random_state=1)))]
    for name in ("ceiling", "heritability"):
        if name not in rows:
            rows[name] = np.nan
    root = np.sqrt(rows["heritability"].clip(lower=0))
    rows["limit"] = rows["ceiling"].where(rows["ceiling"].notna(), root)
    rows["place"] = rows["task"] + "|" + rows["subset"] + "|" + rows["group"]
    columns = [
        "task",
        "subset",
        "label",
        "model",
        "group",
        "gene_name",
        "pearson",
        "q",
        "limit",
        "variants",
        "haplotypes",
    ]
    return rows[[*columns, "place"]]


def _choices(study: Study, personal: pd.DataFrame) -> dict[str, alt.Parameter]:
    """Return the selectors of the scatters, set to the best model and the best linear baseline."""
    tasks = list(dict.fromkeys(personal["task"]))
    classes = sorted(personal.loc[personal["split"] == "test", "subset"].unique())
    labels = list(dict.fromkeys(personal["label"]))
    best = ranked(personal, tasks[0], SEEN if SEEN in classes else classes[0])
    linear = linear_baselines(best)
    model = best[best["origin"].isin(["pretrained", "scratch"])]
    first = model.iloc[0]["label"] if len(model) else labels[0]
    second = linear.iloc[0]["label"] if len(linear) else labels[-1]

    def select(name: str, title: str, options: list[str], value: str) -> alt.Parameter:
        return alt.param(name=name, value=value, bind=alt.binding_select(options=options, name=f"{title} "))

    return {
        "task": select("chosen_task", "Task", tasks, tasks[0]),
        "subset": select("chosen_class", "Class", classes, SEEN if SEEN in classes else classes[0]),
        "run": select("chosen_run", "Run", labels, first),
        "other": select("other_run", "against", labels, second),
    }


def _tips(*more: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("gene_name:N", title="gene"),
        alt.Tooltip("pearson:Q", title="r", format=".3f"),
        *more,
        alt.Tooltip("q:Q", format=".2g"),
        alt.Tooltip("variants:Q"),
        alt.Tooltip("haplotypes:Q", title="distinct haplotypes"),
    ]


def _scatter(
    x: alt.X, look: charts.Look, base: alt.Chart, tips: list[alt.Tooltip], limits: tuple[float, float]
) -> alt.LayerChart:
    """Draw r of the chosen run against something, with the diagonal and the zeros."""
    low, high = limits
    scale = alt.Scale(domain=[low, high], nice=False)
    dots = base.mark_point(filled=True, size=34, opacity=0.6).encode(
        x=x, y=alt.Y("pearson:Q", title="r of the chosen run", scale=scale), color=look.colour(None), tooltip=tips
    )
    one = alt.Chart(alt.InlineData([{"a": low, "b": high}]))
    diagonal = one.mark_rule(color="#8a93a0", strokeDash=[4, 4]).encode(x="a:Q", y="a:Q", x2="b:Q", y2="b:Q")
    zero = alt.Chart(alt.InlineData([{"z": 0}])).mark_rule(color="#c3cad4").encode(y="z:Q")
    return alt.layer(zero, diagonal, dots).properties(width=400, height=400)


def pair_chart(study: Study, personal: pd.DataFrame) -> dict[str, Any]:
    """Draw each gene's r by one run against its r by another."""
    choice = _choices(study, personal)
    low = float(min(-0.2, personal["pearson"].min()))
    base = (
        alt.Chart(alt.NamedData("genes"))
        .transform_filter("datum.task === chosen_task && datum.subset === chosen_class")
        .transform_calculate(x="datum.label === other_run ? datum.pearson : null")
        .transform_joinaggregate(other="max(x)", groupby=["place"])
        .transform_filter("datum.label === chosen_run && isValid(datum.other)")
    )
    scale = alt.Scale(domain=[low, 1], nice=False)
    x = alt.X("other:Q", title="r of the other run", scale=scale)
    tips = _tips(alt.Tooltip("other:Q", title="r of the other", format=".3f"))
    chart = _scatter(x, study.look, base, tips, (low, 1.0)).add_params(*choice.values())
    return _finished(chart)


def ceiling_chart(study: Study, personal: pd.DataFrame) -> dict[str, Any]:
    """Draw each gene's r against the most that its variants allow."""
    choice = _choices(study, personal)
    low = float(min(-0.2, personal["pearson"].min()))
    base = alt.Chart(alt.NamedData("genes")).transform_filter(
        "datum.task === chosen_task && datum.subset === chosen_class && datum.label === chosen_run && isValid(datum.limit)"
    )
    x = alt.X("limit:Q", title="ceiling", scale=alt.Scale(domain=[low, 1], nice=False))
    tips = _tips(alt.Tooltip("limit:Q", title="ceiling", format=".3f"))
    chart = _scatter(x, study.look, base, tips, (low, 1.0))
    return _finished(chart.add_params(choice["task"], choice["subset"], choice["run"]))


def _finished(chart: alt.LayerChart) -> dict[str, Any]:
    spec = chart.to_dict(validate=True)
    spec["config"] = charts.theme()
    return spec
