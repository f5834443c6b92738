"""Report page of kind `described_dna`: bits of DNA saved by its text, beyond each control."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from glmflow.files import read_table
from glmflow.report.audit_card import audit_card
from glmflow.report.charts import Look, finish, tooltip
from glmflow.report.described_page import BEYOND, BITS, OTHER, OWN, SAVED, said
from glmflow.report.rendering import embed, records, render, vega
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words, number

HEADLINE = ("beyond_other", "bits_own")
LINK = "Described DNA"
LEVELS = {
    "features": Level(
        "Per base",
        "",
        "Over the scored bases of held-out features; clusters of alike proteins are units.",
        "clusters",
    ),
    "texts": Level("Texts", "", "Over features whose text is looked for among others; clusters are units.", "features"),
}
TEXTS = {
    "none": "no text",
    "own": OWN,
    "organism": "organism alone",
    "shuffled": "own words shuffled",
    "other": OTHER,
}
"""What DNA is scored behind, by the key that names of metrics end with."""
CONTROLS = ("other", "organism", "shuffled")
BEHIND = "Bits per base behind {} (n clusters). 2 is chance where the four bases are equally frequent."
SAVES = "Bits per base that {} saves beside none (n clusters). A model that was rarely shown DNA without text saves more here."
BEYONDS = {
    "other": "the text of another feature, of the same organism and kind where there is one: what it says of this feature alone",
    "organism": "the organism alone: what it says beside whose DNA it is",
    "shuffled": "its own words out of order, which still say what kind of feature it is",
}
METRICS = {
    **{
        f"beyond_{key}": Words(
            f"saved beyond {TEXTS[key]}",
            "higher",
            "features",
            f"Bits per base that the own text saves beyond {BEYONDS[key]} (n clusters). 0: nothing.",
        )
        for key in CONTROLS
    },
    **{
        f"bits_{key}": Words(f"bits per base, {name}", "lower", "features", BEHIND.format(name))
        for key, name in TEXTS.items()
    },
    **{
        f"saved_{key}": Words(f"saved by {name}", "higher" if key == "own" else "none", "features", SAVES.format(name))
        for key, name in TEXTS.items()
        if key != "none"
    },
    "rank": Words(
        "rank of the true text", "lower", "texts", "Mean rank of the true text among others, by what the DNA costs (n)."
    ),
    "first": Words("true text first", "higher", "texts", "Share of the features (n) whose true text is the first."),
}
PARTS = {"all": "all features", "no_near_copy": "no near copy in training"}


def page(study: Study, task: str) -> str:
    """Return the page of a task: what the text of a feature saves, in words and beyond each control, and the audits."""
    table = study.rows(study.summary, task)
    split = "test" if "test" in set(table["split"]) else "validation"
    whole = table[(table["split"] == split) & (table["subset"] == "all")]
    shown = pd.concat(
        [whole[whole["metric"] == f"beyond_{key}"].assign(panel=f"beyond {TEXTS[key]}") for key in CONTROLS]
        + [whole[whole["metric"] == "saved_own"].assign(panel="beside no text")]
    )
    return render(
        "described_dna.html",
        study=study,
        task=task,
        files={other: study.pages[other] for other in study.like(task)},
        first=list(sentences(whole)),
        marks=list(marks(study, task, whole)),
        verdict=study.verdict(task),
        board=board(whole),
        bits=bits_rows(whole),
        parts=part_rows(table),
        texts=_of_examples(study, task, "texts.tsv").to_dict("records"),
        held=_of_examples(study, task, "features.tsv").to_dict("records"),
        card=audit_card(study, task),
        vega=vega(),
        data=embed({"charts": {"saved": saved_chart(study.look)}, "datasets": {"saved": records(shown)}}),
    )


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence a model, the one that saves most first: does the text of a feature save anything, and beyond what?"""
    models = rows[rows["origin"].isin(["pretrained", "scratch"])]
    best = models[models["metric"] == "beyond_other"].sort_values("value", ascending=False)
    if best.empty:
        yield "No model was scored: these are baselines."
    for label in best["label"]:
        yield f"{label}: {said(as_told(models[models['label'] == label]))}"


def as_told(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a model as a table of `glmflow described`: `what`, `text`, `value`, `low`, `high`."""
    words = {"bits": BITS, "saved": SAVED, "beyond": BEYOND}
    parted = rows["metric"].str.partition("_")
    own = rows[parted[0].isin(list(words))].rename(columns={"ci_low": "low", "ci_high": "high"})
    return own.assign(what=parted[0].map(words), text=parted[2].map(TEXTS))[["what", "text", "value", "low", "high"]]


def marks(study: Study, task: str, rows: pd.DataFrame) -> Iterator[str]:
    """Yield what baselines make of the same bases: those that see no text, and counts by tags of it."""
    blocks = {run.model: (run.settings.get("model") or {}).get("baseline") or {} for run in study.runs(task)}
    found = rows.set_index(["model", "metric"])["value"].to_dict()
    for model, block in blocks.items():
        if (model, "bits_own") not in found:
            continue
        own, none = found[model, "bits_own"], found[model, "bits_none"]
        if block.get("kind") == "tag_counts":
            tags = " and ".join(block.get("tags", ()))
            yield (
                f"{model} counts what follows {block.get('order')} bases by {tags}: {number(none)} bits per base behind no text, "
                f"{number(own)} behind the own. What a model saves beside no text up to that much is composition."
            )
        elif block:
            yield f"{model} sees no text: {number(own)} bits per base."


def _values(rows: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return each value with its interval, by label and metric."""
    return {
        (row.label, row.metric): number(row.value)
        + (f" [{number(row.ci_low)}, {number(row.ci_high)}]" if pd.notna(row.ci_low) else "")
        for row in rows.itertuples()
    }


def _ordered(rows: pd.DataFrame) -> list[str]:
    """Return the labels, what saves most beyond another text first."""
    return rows[rows["metric"] == "beyond_other"].sort_values("value", ascending=False)["label"].tolist()


def board(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a model: what the own text saves beyond each control and beside none, and the rank of the true text."""
    found = _values(rows)
    columns = {f"beyond {TEXTS[key]}": f"beyond_{key}" for key in CONTROLS}
    columns |= {"beside no text": "saved_own", "rank of the true text": "rank", "true text first": "first"}
    clusters = rows[rows["metric"] == "beyond_other"].set_index("label")["n"].to_dict()
    return [
        {"model": label, **{name: found.get((label, metric), "") for name, metric in columns.items()}}
        | {"clusters": f"{clusters[label]:,.0f}"}
        for label in _ordered(rows)
    ]


def bits_rows(rows: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a model: bits per base behind each text."""
    found = _values(rows)
    return [
        {"model": label, **{name: found.get((label, f"bits_{key}"), "") for key, name in TEXTS.items()}}
        for label in _ordered(rows)
    ]


def part_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row a split, kind of feature and model: what the own text saves."""
    rows = table[(table["subset"] != "all") | (table["split"] != "test")]
    found = []
    for (split, subset), own in rows.groupby(["split", "subset"], sort=True):
        values = _values(own)
        counts = own[own["metric"] == "beyond_other"].set_index("label")["n"].to_dict()
        found += [
            {
                "split": split,
                "features": PARTS.get(subset, subset),
                "model": label,
                "bits per base, own text": values.get((label, "bits_own"), ""),
                "beside no text": values.get((label, "saved_own"), ""),
                f"beyond {OTHER}": values.get((label, "beyond_other"), ""),
                "clusters": f"{counts[label]:,.0f}",
            }
            for label in _ordered(own)
        ]
    return found


def saved_chart(look: Look) -> dict[str, Any]:
    """Return what the own text saves by model, beyond each control and beside none, with intervals."""
    base = alt.Chart().encode(y=alt.Y("label:N", title=None, axis=alt.Axis(labelLimit=240)), color=look.colour("model"))
    zero = alt.Chart().mark_rule(color="#667080", strokeDash=[4, 3]).encode(x=alt.datum(0))
    words = [alt.Tooltip("label:N", title="model"), "panel:N", *tooltip("value", "ci_low", "ci_high", "n")]
    chart = alt.layer(
        zero,
        base.mark_rule(strokeWidth=2).encode(x=alt.X("ci_low:Q", title="bits per base saved"), x2="ci_high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x="value:Q", tooltip=words),
    ).properties(width=260, height=alt.Step(22))
    panels = alt.Facet("panel:N", title=None)
    return finish(chart.facet(facet=panels, columns=2, data=alt.NamedData("saved")), [])


def _of_examples(study: Study, task: str, name: str) -> pd.DataFrame:
    """Return a table that the examples of a task come with; empty where there is none."""
    path = study.inputs.examples / task / name if study.inputs.examples else None
    return read_table(path).fillna("") if path is not None and path.exists() else pd.DataFrame()
