"""Report page of kind `gene_completion`: strict and official scores, over the panel and gene by gene."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import read_table
from glmflow.report.audit_card import audit_card
from glmflow.report.charts import Look, finish, tooltip
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.run_tables import ALL_TRACKS
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words, number

HEADLINE = ("strict",)
LINK = "Completed genes"
LEVELS = {
    "genes": Level(
        "Per gene", "", "Over the genes of the panel; each is the mean of its samples. Genes are units.", "genes"
    )
}
METRICS = {
    "strict": Words(
        "strict, %",
        "higher",
        "genes",
        "Equal residues over all missing ones, the stop codon included; mean over genes (n). 100 is the true protein.",
    ),
    "official": Words(
        "official, %",
        "higher",
        "genes",
        "Identity over residues that are aligned, as published; mean over genes (n). It has no floor: ten right residues and a "
        "stop score 100, and what is not aligned is left out.",
    ),
    "unscored": Words(
        "without official score",
        "lower",
        "genes",
        "Share of the samples (n) of which nothing is aligned: left out as published.",
    ),
}

PARTS = {"all": "", "no_near_copy": ", genes without a near copy in training"}
"""Genes that models are scored over, and what their rows are called."""


def page(study: Study, task: str) -> str:
    """Return the page of a task: verdict on the strict score, both scores of all models, then gene by gene."""
    table = study.rows(study.summary, task)
    table = table[table["split"] == "test"]
    whole, of_genes = table[table["track"] == ALL_TRACKS], table[table["track"] != ALL_TRACKS]
    known = study.inputs.examples / task / "genes.tsv" if study.inputs.examples else None
    held = read_table(known) if known is not None and known.exists() else pd.DataFrame()
    return render(
        "gene_completion.html",
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        verdict=study.verdict(task),
        models=[row for subset, name in PARTS.items() for row in both_scores(whole[whole["subset"] == subset], name)],
        genes=by_gene(of_genes, held),
        card=audit_card(study, task),
        vega=vega(),
        data=embed(
            {
                "charts": {"genes": gene_chart(study.look)},
                "datasets": {"genes": records(of_genes[of_genes["metric"] == "strict"])},
            }
        ),
    )


def both_scores(rows: pd.DataFrame, genes: str = "") -> list[dict[str, str]]:
    """Return a row a model (its name, then `genes`): both scores, intervals over genes, what the official one leaves out."""
    found = []
    strict = rows[rows["metric"] == "strict"].sort_values("value", ascending=False)
    others = rows.set_index(["label", "metric"])["value"].to_dict()
    limits = rows.set_index(["label", "metric"])[["ci_low", "ci_high"]]
    for label, value in zip(strict["label"], strict["value"]):
        unscored = others.get((label, "unscored"))
        found.append(
            {
                "model": label + genes,
                "strict, %": number(value),
                "strict, 95 %": _span(limits, label, "strict"),
                "official, %": number(others[label, "official"]) if (label, "official") in others else "",
                "official, 95 %": _span(limits, label, "official") if (label, "official") in others else "",
                "without official score": f"{unscored:.0%}" if unscored is not None else "",
            }
        )
    return found


def _span(limits: pd.DataFrame, label: str, metric: str) -> str:
    low, high = limits.loc[(label, metric)]
    return f"{number(low)} to {number(high)}" if pd.notna(low) else ""


def by_gene(rows: pd.DataFrame, held: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a gene and model, and how much of the gene training holds, where a corpus is named."""
    shares = held.set_index("gene")["held"].to_dict() if len(held) else {}
    organisms = held.set_index("gene")["organism"].to_dict() if len(held) else {}
    official = rows[rows["metric"] == "official"].set_index(["track", "label"])["value"].to_dict()
    strict = rows[rows["metric"] == "strict"].sort_values(["track", "value"], ascending=[True, False])
    looked = any(pd.notna(share) for share in shares.values())
    found = []
    for row in strict.itertuples():
        share = shares.get(row.track)
        found.append(
            {
                "gene": row.track,
                "organism": organisms.get(row.track, ""),
                "model": row.label,
                "strict, %": number(row.value),
                "95 %": f"{number(row.ci_low)} to {number(row.ci_high)}" if pd.notna(row.ci_low) else "",
                "official, %": number(official[row.track, row.label]) if (row.track, row.label) in official else "",
                **({"held by training": f"{share:.0%}" if pd.notna(share) else ""} if looked else {}),
            }
        )
    return found


def gene_chart(look: Look) -> dict[str, Any]:
    """Return the strict score of each gene by model, with intervals over samples."""
    base = alt.Chart(alt.NamedData("genes")).encode(
        y=alt.Y("track:N", title=None), yOffset=alt.YOffset("label:N"), color=look.colour("model")
    )
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("ci_low:Q", title="strict score, % of the residues that had to be written"), x2="ci_high:Q"
    )
    points = base.mark_point(filled=True, size=70).encode(
        x="value:Q", tooltip=[alt.Tooltip("label:N", title="model"), "track:N", *tooltip("value", "ci_low", "ci_high")]
    )
    return finish(alt.layer(bars, points).properties(width=620, height=alt.Step(14)), [])
