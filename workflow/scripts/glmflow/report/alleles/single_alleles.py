"""Charts of single alleles: what scores are like, where they lie, and what they depend on."""

from __future__ import annotations

import altair as alt

from glmflow.report.charts import tooltip
from glmflow.report.study_tables import Study

from .chart_parts import CLASSES, Chart, chosen, finished
from .leaderboards import detailed, left_by_runs

DISTANCES = ("l1", "l2", "cosine")


def distribution(study: Study, task: str) -> Chart | None:
    """Return the score's histogram by label, in each consequence, of one run at a time."""
    labels = detailed(study, task)
    table = left_by_runs(study, task, "distribution.tsv", labels)
    if table.empty:
        return None
    table = table.assign(consequence=table["consequence"].fillna("").replace("", "all"))
    total = table.groupby(["label", "class", "consequence"])["count"].transform("sum")
    table = table.assign(share=table["count"] / total)
    named = [label for label in labels if label in set(table["label"])]
    most = table.groupby("consequence")["count"].sum().sort_values(ascending=False).index[:8]
    bar = alt.Chart().mark_bar(opacity=0.55).encode(
        x=alt.X("low:Q", title="score, as the task reads it", bin="binned"), x2="high:Q",
        y=alt.Y("share:Q", title="share of the class", stack=None), color=alt.Color("class:N", title="label", scale=CLASSES),
    ).properties(width=260, height=140)  # fmt: skip
    chart = bar.facet(
        facet=alt.Facet("consequence:N", title=None, sort=list(most)), columns=3, data=alt.NamedData("distribution")
    )
    chart = chart.transform_filter("datum.label === histogram_run").resolve_scale(y="independent")
    chart = chart.add_params(chosen(named, "histogram_run"))
    return finished(chart, {"distribution": table[table["consequence"].isin(most)]})


def along(study: Study, task: str) -> Chart | None:
    """Return measured effects over predicted ones, base by base, of one run and one element at a time."""
    labels = detailed(study, task)[:4]
    table = left_by_runs(study, task, "along.tsv", labels)
    if table.empty:
        return None
    table = table.assign(part=table["part"].astype(str), end=table["start"] + 1, under=-table["predicted"], zero=0)
    named = [label for label in labels if label in set(table["label"])]
    parts = sorted(table["part"].unique())
    element = alt.param(name="along_part", value=parts[0], bind=alt.binding_select(options=parts, name="Element "))
    x = alt.X("start:Q", title="position", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(format=",d"))
    tips = [alt.Tooltip("start:Q", title="position"), *tooltip("measured", "predicted")]
    scale = alt.Scale(domain=[-1, 1])
    title = "predicted (rank) measured"
    base = alt.Chart(alt.NamedData("along")).transform_filter("datum.label === along_run && datum.part === along_part")
    above = base.mark_bar(color="#d55e00").encode(
        x=x, x2="end:Q", y=alt.Y("zero:Q", title=title, scale=scale), y2="measured:Q", tooltip=tips
    )
    below = base.mark_bar(color="#0072b2").encode(
        x=x, x2="end:Q", y=alt.Y("zero:Q", title=title, scale=scale), y2="under:Q", tooltip=tips
    )
    chart = alt.layer(above, below).properties(width=760, height=200).add_params(chosen(named, "along_run"), element)
    kept = ["label", "part", "start", "end", "zero", "measured", "predicted", "under"]
    return finished(chart, {"along": table[kept]})


def against(study: Study, task: str) -> Chart | None:
    """Return the score of each allele against its measured effect, a panel a run; None of labels."""
    labels = detailed(study, task)[:6]
    table = left_by_runs(study, task, "places.tsv", labels)
    if table.empty or set(table["target"].unique()) <= {0.0, 1.0}:
        return None
    dot = alt.Chart().mark_point(filled=True, size=10, opacity=0.35).encode(
        x=alt.X("value:Q", title="score, as the task reads it", scale=alt.Scale(zero=False)),
        y=alt.Y("target:Q", title="measured effect", scale=alt.Scale(zero=False)), color=study.look.colour(None),
        tooltip=[alt.Tooltip("allele:N"), *tooltip("value", "target")],
    ).properties(width=220, height=200)  # fmt: skip
    chart = dot.facet(facet=alt.Facet("label:N", title=None, sort=labels), columns=3, data=alt.NamedData("against"))
    thin = table[table.groupby("label").cumcount() % 3 == 0]
    thin = thin.assign(allele=thin["chrom"].astype(str) + ":" + (thin["start"] + 1).astype(str) + " " + thin["alt"])
    kept = ["label", "model", "allele", "value", "target"]
    return finished(chart.resolve_scale(x="independent"), {"against": thin[kept]})


def strip(study: Study, task: str) -> Chart | None:
    """Return rank of the score along each exon, else each contig (element), coloured by label or measured effect.

    Of one run at a time. Exons are boxes of their own: between them nothing was measured.
    """
    labels = detailed(study, task)[:4]
    table = left_by_runs(study, task, "places.tsv", labels)
    if table.empty:
        return None
    exons = "exon" in table and table["exon"].notna().any()
    table = table.assign(part=table["exon"] if exons else table["chrom"]).dropna(subset="part")
    largest = table.groupby("part")["start"].size().sort_values(ascending=False).index[: 16 if exons else 6]
    table = table[table["part"].isin(largest)]
    order = list(table.groupby("part")["start"].min().sort_values().index)
    place = table["chrom"] + ":" + (table["start"] + 1).astype(str)
    change = table["ref"].astype(str).str[:12] + ">" + table["alt"].astype(str).str[:12]
    table = table.assign(allele=place + " " + change)
    binary = set(table["target"].unique()) <= {0.0, 1.0}
    colour = (
        alt.Color("target:N", title="label", scale=CLASSES)
        if binary
        else alt.Color("target:Q", title="measured effect", scale=alt.Scale(scheme="redblue", domainMid=0))
    )
    named = [label for label in labels if label in set(table["label"])]
    dot = alt.Chart().mark_point(filled=True, size=14, opacity=0.7).encode(
        x=alt.X("start:Q", title="position", scale=alt.Scale(zero=False), axis=alt.Axis(format=",d")),
        y=alt.Y("rank:Q", title="rank of the score"), color=colour,
        tooltip=[
            alt.Tooltip("allele:N"),
            alt.Tooltip("target:Q"),
            alt.Tooltip("rank:Q", format=".3f"),
            alt.Tooltip("consequence:N"),
        ],
    ).properties(width={1: 620, 2: 300}.get(len(order), 180), height=120)  # fmt: skip
    chart = dot.facet(
        facet=alt.Facet("part:N", title=None, sort=order), columns=min(len(order), 4), data=alt.NamedData("strip")
    )
    chart = (
        chart.transform_filter("datum.label === strip_run")
        .resolve_scale(x="independent")
        .add_params(chosen(named, "strip_run"))
    )
    kept = ["label", "part", "start", "allele", "target", "rank", *(["consequence"] if "consequence" in table else [])]
    return finished(chart, {"strip": table[kept]})


def strands(study: Study, task: str) -> Chart | None:
    """Return the score on one strand against that on the other, a panel a model."""
    table = left_by_runs(study, task, "strands.tsv", detailed(study, task)[:6])
    if table.empty:
        return None
    dot = alt.Chart().mark_point(filled=True, size=10, opacity=0.35).encode(
        x=alt.X("forward:Q", title="forward strand (nats)", scale=alt.Scale(zero=False)),
        y=alt.Y("reverse:Q", title="reverse strand (nats)", scale=alt.Scale(zero=False)), color=study.look.colour(None),
    ).properties(width=220, height=220)  # fmt: skip
    chart = dot.facet(facet=alt.Facet("label:N", title=None), columns=3, data=alt.NamedData("strands"))
    chart = chart.resolve_scale(x="independent", y="independent")
    thin = table.groupby("label", group_keys=False).head(700)
    return finished(chart, {"strands": thin[["label", "model", "forward", "reverse"]]})


def lengths(study: Study, task: str) -> Chart | None:
    """Return the scores of insertions and deletions against the change of length: a sum over a window spreads with it."""
    table = left_by_runs(study, task, "indels.tsv", detailed(study, task))
    names = [name for name in table if name.startswith("prediction_")]
    if table.empty or not names:
        return None
    long = table.melt(["label", "model", "change", "target"], names, "column", "score").dropna(subset=["score"])
    # Likelihoods in the window that is compared: distances have no sign, and other windows tell the same.
    asked = left_by_runs(study, task, "asked.tsv")
    first = asked[asked["compared"].astype(bool)].groupby("label")["window"].first()
    parts = long["column"].str.extract(r"^prediction_(?P<score>.+)_(?P<window>\d+)$")
    own = ~parts["score"].fillna("l2").str.startswith(DISTANCES)
    own &= parts["window"].astype(float).to_numpy() == long["label"].map(first).astype(float).to_numpy()
    long = long[own]
    if long.empty:
        return None
    long["what"] = (
        long["label"]
        + ": "
        + long["column"].str.removeprefix("prediction_").str.replace(r"_(\d+)$", r", \1 bp", regex=True)
    )
    kept = list(dict.fromkeys(long["what"]))[:9]
    dot = alt.Chart().mark_point(filled=True, size=14, opacity=0.5).encode(
        x=alt.X("change:Q", title="bases inserted (negative: deleted)"),
        y=alt.Y("score:Q", title="score (nats)", scale=alt.Scale(zero=False)),
        color=alt.Color("target:N", title="label", scale=CLASSES),
    ).properties(width=220, height=170)  # fmt: skip
    chart = dot.facet(facet=alt.Facet("what:N", title=None, sort=kept), columns=3, data=alt.NamedData("lengths"))
    return finished(
        chart.resolve_scale(y="independent"),
        {"lengths": long[long["what"].isin(kept)][["what", "change", "target", "score"]]},
    )
