"""What the index page shows of tasks with signals: genes, windows, tracks and replicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmflow.report.kinds import Section
from glmflow.report.rendering import records, render
from glmflow.report.run_tables import optional_table
from glmflow.report.study_tables import Study

from .gene_tables import read_genes, sample_genes
from .signal_charts import gene_scatter, replicates

USED = "windows used"
"""Item of the table of counts whose bar is coloured."""

NAMED = 5
"""Tracks that a warning names."""


EXACTLY = 1 - 1e-9
"""Correlation of replicates from which on they are one file."""


def gene_section(study: Study, tasks: Sequence[str], links: Mapping[str, Mapping[str, str]], template: str) -> Section:
    """Return the scatter of genes; `links` are the addresses of those that the genome browser shows, by task and id."""
    genes = study.once(read_genes, *tasks)
    scatter = sample_genes(genes, links)
    charts: dict[str, Any] = {}
    if len(scatter):
        largest = scatter[["observed", "predicted"]].clip(lower=0).to_numpy().max()
        charts["genes"] = gene_scatter(study.look, study.labels, 1.03 * float(np.log10(1 + largest)))
    html = render(template, charts=charts, shown=any(links.values()), sampled=len(scatter) < len(genes))
    return Section("results", "genes", "Genes", html, charts, {"genes": records(scatter)})


def window_section(study: Study, tasks: Sequence[str], template: str) -> Section:
    """Return the windows that are used and left out, a bar each."""
    return Section("quality", "windows", "Windows", render(template, tasks=list(window_counts(study.counts, tasks))))


def window_counts(counts: pd.DataFrame, tasks: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield, by task, the windows used and left out with their shares of all windows."""
    for task in tasks:
        table = counts[counts["task"] == task]
        table = table[table["item"].str.startswith("windows")] if len(table) else table
        total = max(1, int(table["count"].sum())) if len(table) else 1
        rows = [
            {"item": item, "count": int(count), "share": count / total, "used": item == USED}
            for item, count in zip(table.get("item", ()), table.get("count", ()))
        ]
        yield {"task": task, "rows": rows}


def track_section(study: Study, template: str) -> Section:
    """Return the statistics of tracks, and the correlations of their replicates."""
    pairs = optional_table(study.inputs.replicates)
    charts: dict[str, Any] = {}
    if len(pairs):
        outlier = pairs["outlier"].astype(str).str.lower().isin(("true", "1"))
        pairs = pairs.assign(agreement=np.where(outlier, "outlier", "agrees"))
        charts["replicates"] = replicates()
    html = render(template, statistics=optional_table(study.inputs.track_statistics), charts=charts)
    return Section("quality", "signals", "Tracks and replicates", html, charts, {"replicates": records(pairs)})


def track_warnings(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what the tracks warn of, as (where, sentence)."""
    pairs = optional_table(study.inputs.replicates)
    if "unlike" in pairs:
        odd = pairs.dropna(subset="unlike").drop_duplicates("track")
        for track, names in zip(odd["track"], odd["unlike"]):
            if names:
                yield f"track {track}", f"unlike its other replicates: {names}"
    if "r" in pairs:
        for row in pairs[pairs["r"].abs() >= EXACTLY].itertuples():
            same = f"{row.replicate_a} and {row.replicate_b} correlate by exactly {round(row.r)}"
            yield f"track {row.track}", f"{same}: one file under two names"
    table = optional_table(study.inputs.track_statistics)
    for count, text in (("non_finite", "not finite (NaN, infinity) and were read as 0"), ("negative", "negative")):
        found = table[table[count] > 0] if count in table else table.iloc[:0]
        if len(found):
            bases = [f"{track} {number:,}" for track, number in zip(found["track"], found[count].astype(int))]
            named = ", ".join(bases[:NAMED]) + (f" and {len(bases) - NAMED} more" if len(bases) > NAMED else "")
            where = "tracks" if len(found) > 1 else f"track {found['track'].iloc[0]}"
            yield where, f"{int(found[count].sum()):,} bases of replicates are {text}: {named}"
