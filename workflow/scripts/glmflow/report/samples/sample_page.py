"""The page of a task with targets of genes in samples: seen and unseen genes, model against baseline, ceiling, controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from glmflow.report.audit_card import audit_card
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.study_tables import Study

from .allele_tables import maf_chart, maf_points, read_effects, top_variants, variant_classes
from .gene_comparisons import CLASSES, Extremes, class_matrix, controls, extremes
from .sample_charts import ceiling_chart, pair_chart, scatter_points
from .sample_tables import read_samples

SCORE = "cross_individual_pearson"
"""Metric of the matrix of classes."""
ALSO = {
    "cross_individual_of_ceiling": "of ceiling",
    "cross_individual_of_sqrt_h2": "of √h²",
    "cross_individual_right_ratio": "significant, right sign",
    "cross_individual_wrong_ratio": "significant, wrong sign",
    "cross_individual_constant_count": "constant genes",
    "cross_individual_permuted": "samples permuted",
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


def sample_page(study: Study, task: str, template: str) -> str | None:
    """Return the page of a task, filled into a template; None if no run left scores of genes."""
    every = study.once(read_samples, *study.like(task))
    scores = study.rows(every, task)
    if scores.empty:
        return None
    twins, kin = (every[every[name] == scores[name].iloc[0]] for name in ("twin", "kin"))
    points = scatter_points(scores)
    by_maf = maf_points(kin)
    specs, datasets = {}, {"genes": records(points), "maf": records(by_maf)}
    if len(points):
        specs = {"pairs": pair_chart(study.look, scores), "ceiling": ceiling_chart(study.look, scores)}
    if len(by_maf):
        specs["maf"] = maf_chart(study.look, by_maf)
    return render(
        template,
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        section=section(study, task, scores),
        controls=controls(twins),
        variant_classes=variant_classes(kin),
        charts=specs,
        vega=vega(),
        data=embed({"charts": specs, "datasets": datasets, "colours": study.colours}),
        sampled=len(points) < len(scores[scores["split"] == "test"]),
    )


def section(study: Study, task: str, scores: pd.DataFrame) -> dict[str, Any]:
    """Return what the page shows of its task."""
    classes, matrix = class_matrix(study.summary, task, SCORE)
    found = {subset: extremes(scores, task, subset) for subset in CLASSES}
    largest = max((abs(cell.value) for row in matrix for cell in row["cells"].values()), default=0) or 1
    return {
        "control": scores["control"].iloc[0],
        "verdict": study.verdict(task),
        "classes": classes,
        "matrix": matrix,
        "largest": largest,
        "also": further_scores(study, task),
        "extremes": found,
        "top_variants": {subset: variants_of(study, task, scores, chosen) for subset, chosen in found.items()},
        "variants": variant_scores(study, task),
        "counts": study.rows(study.counts, task).fillna("").to_dict("records"),
        "card": audit_card(study, task),
    }


def variants_of(study: Study, task: str, scores: pd.DataFrame, chosen: Extremes) -> dict[str, list[dict[str, Any]]]:
    """Return by gene the variants of largest effect in the model that chosen genes are of, with the elastic net's weights."""
    names = {gene["group"] for gene in chosen.genes}
    rows = scores[scores["baseline"] == "elastic_net"]
    other = rows["key"].iloc[0] if len(rows) else ""
    runs = study.runs(task)
    return top_variants(read_effects(runs, chosen.key, names), read_effects(runs, other, names))


def further_scores(study: Study, task: str) -> dict[str, Any]:
    """Return the other scores of each run, class by class: names, and rows of (class, label, values)."""
    rows = study.rows(study.summary, task)
    rows = rows[(rows["split"] == "test") & (rows["protocol"] == "strict")]
    names = {metric: title for metric, title in ALSO.items() if metric in set(rows["metric"])}
    wide = rows.pivot_table(index=["subset", "label"], columns="metric", values="value", sort=False, dropna=False)
    found = [
        {"subset": subset, "label": label, "values": [values.get(metric, np.nan) for metric in names]}
        for (subset, label), values in wide.iterrows()
        if subset in CLASSES
    ]
    return {"names": headings(study, task, names), "rows": sorted(found, key=lambda row: row["subset"])}


def headings(study: Study, task: str, names: dict[str, str]) -> list[dict[str, str]]:
    """Return the title of each metric's column, with what it means."""
    kind = study.kinds[task]
    return [{"title": title, "explanation": kind.metric(name).words.explanation} for name, title in names.items()]


def variant_scores(study: Study, task: str) -> dict[str, Any]:
    """Return how well each run finds the variants that act: names, and rows of (genes, label, values, n genes)."""
    rows = study.rows(study.summary, task)
    rows = rows[rows["split"] == "variants"]
    names = {metric: title for metric, title in VARIANTS.items() if metric in set(rows["metric"])}
    if not names:
        return {}
    found = []
    for (subset, label), part in rows.groupby(["subset", "label"], sort=False):
        own = part.set_index("metric").reindex(list(names))
        found.append({"subset": subset, "label": label, "values": list(zip(own["value"], own["n"].fillna(0)))})
    return {"names": headings(study, task, names), "rows": sorted(found, key=lambda row: row["subset"])}
