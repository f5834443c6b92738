"""Which variants matter to predictions: classes of variants left out, and the variants of largest effect in a gene."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import read_table
from glmflow.report import charts
from glmflow.report.run_folder import RunFolder

from .gene_comparisons import paired

TOP = 3
"""Variants that are shown of a gene."""


def carried_by(variants: str, min_maf: float) -> str:
    """Return which variants the haplotypes of a task carry, in words."""
    kinds = "single bases" if variants == "snv" else "all variants"
    return f"{kinds}, MAF ≥ {min_maf:g}" if min_maf else kinds


def variant_classes(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the runs of tasks that leave variants out, each beside the same run with all of them.

    Parameters
    ----------
    scores
        Scores of genes (`sample_tables.read_samples`); tasks with equal `kin` are alike but for their variants.

    Returns
    -------
    list of dict
        `task`, `carried`, `label`, `subset`; mean r as `value`, of the same run with all variants as `all`, and the
        paired `difference` of the two.
    """
    test = scores[(scores["split"] == "test") & (scores["control"] == "none")]
    everything = test[(test["variants_carried"] == "all") & (test["min_maf"] == 0)]
    rows = []
    for _, part in test.drop(everything.index).groupby(["task", "model", "adaptation", "subset"], sort=False):
        first = part.iloc[0]
        names = ["kin", "model", "adaptation", "subset"]
        same = everything[(everything[names] == first[names]).all(axis=1)]
        if len(same):
            rows.append(
                {
                    "task": first["task"],
                    "carried": carried_by(first["variants_carried"], first["min_maf"]),
                    "label": first["label"],
                    "subset": first["subset"],
                    "value": float(part["pearson"].mean()),
                    "all": float(same["pearson"].mean()),
                    "difference": paired(part, same),
                }
            )
    return rows


def maf_points(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean r of each run and class by the rarest allele that haplotypes carry, of runs with several such tasks.

    Returns
    -------
    DataFrame
        `label`, `model`, `subset`, `variants` (all or snv), `min_maf`, `r`.
    """
    test = scores[(scores["split"] == "test") & (scores["control"] == "none")]
    names = ["kin", "variants_carried", "model", "label", "adaptation", "subset"]
    points = test.groupby([*names, "min_maf"], as_index=False, sort=False).agg(r=("pearson", "mean"))
    several = points.groupby(names)["min_maf"].transform("nunique") > 1
    return points.loc[several, ["label", "model", "subset", "variants_carried", "min_maf", "r"]].rename(
        columns={"variants_carried": "variants"}
    )


def maf_chart(look: charts.Look, points: pd.DataFrame) -> dict[str, Any]:
    """Return the chart of r against the rarest allele that haplotypes carry: a line a run, a panel a class (data `maf`)."""
    base = alt.Chart().encode(
        x=alt.X("min_maf:Q", title="rarest minor allele carried (frequency)"),
        y=alt.Y("r:Q", title="mean r between samples"),
        color=look.colour(None),
        detail="label:N",
        tooltip=["label:N", "variants:N", "min_maf:Q", alt.Tooltip("r:Q", format=".3f")],
    )
    lines = alt.layer(
        base.mark_line().encode(strokeDash=alt.StrokeDash("variants:N", title="variants")),
        base.mark_point(filled=True, size=60, opacity=1),
    ).properties(width=300, height=220)
    classes = sorted(points["subset"].unique())
    chart = lines.facet(facet=alt.Facet("subset:N", title=None, sort=classes), columns=2, data=alt.NamedData("maf"))
    spec = chart.to_dict(validate=True)
    spec["config"] = charts.theme()
    return spec


def read_effects(runs: Sequence[RunFolder], key: str, genes: Collection[str]) -> pd.DataFrame:
    """Return the effects that a run gives the variants of some genes, the mean over its seeds.

    Returns
    -------
    DataFrame
        `gene`, `variant` (`chrom:pos:ref:alt`, 1-based), `maf`, `dosage_sd`, `carriers` (samples, if counted),
        `effect` (of one copy); empty if the run has no `predicted/variants.tsv`.
    """
    names = ["gene", "variant", "maf", "dosage_sd", "carriers", "effect"]
    found = []
    for run in runs:
        path = run.folder / "predicted" / "variants.tsv"
        if run.key == key and path.exists():
            table = read_table(path).reindex(columns=names)
            found.append(table[table["gene"].isin(set(genes))])
    if not found:
        return pd.DataFrame(columns=names)
    return pd.concat(found).groupby(["gene", "variant"], as_index=False, sort=False).mean()


def top_variants(effects: pd.DataFrame, weights: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return by gene the variants that differ most between its samples: by the size of the effect times the spread of dosages.

    Parameters
    ----------
    effects, weights
        As `read_effects` returns them, of a model and of an elastic net (empty if none was run).

    Returns
    -------
    dict
        By gene, up to `TOP` of `variant`, `effect`, `maf`, `carriers`, and `weight` of the elastic net (None if
        unknown).
    """
    both = effects.merge(
        weights[["gene", "variant", "effect"]].rename(columns={"effect": "weight"}), on=["gene", "variant"], how="left"
    )
    both = both[both["effect"] != 0].assign(contribution=(both["effect"] * both["dosage_sd"]).abs())
    both = both.sort_values("contribution", ascending=False, kind="stable")
    both = both.astype({"carriers": object, "weight": object}).where(both.notna(), None)
    shown = ["variant", "effect", "maf", "carriers", "weight"]
    return {str(gene): rows.head(TOP)[shown].to_dict("records") for gene, rows in both.groupby("gene", sort=False)}
