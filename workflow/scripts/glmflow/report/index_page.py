"""The first page: verdict, leaderboard, metrics, training, data quality, how it was made, and the parts that kinds add."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

import pandas as pd
import yaml

from . import charts
from .audit_card import every_audit
from .cards import cards
from .kinds import Section, by_kind
from .rendering import datatables, embed, records, render, vega
from .run_tables import ALL_TRACKS
from .study_tables import Study
from .wording import ARROWS, Words

CHART_TRACKS = 12
"""Tracks that the chart of the chosen metric has panels for."""


def index_page(study: Study, figures: list[str], data_files: list[str]) -> str:
    """Return the page; `figures` and `data_files` are the names of what lies in `figures/` and `data/`."""
    sections: list[Section] = [
        section for kind, tasks in by_kind(study.kinds) for section in kind.call("sections", study, tasks, default=[])
    ]
    specs = chart_specs(study) | {name: spec for section in sections for name, spec in section.charts.items()}
    configuration = study.provenance.get("configuration") or ""
    return render(
        "index.html",
        study=study,
        verdicts={task: study.verdict(task) for task in study.tasks},
        cards={task: cards(study, task) for task in study.tasks},
        card=every_audit(study),
        links=page_links(study),
        sections={
            place: [section for section in sections if section.place == place] for place in ("results", "quality")
        },
        many_tracks=study.summary["track"].nunique() > 1,
        variants=variant_counts(study.variants),
        reruns=rerun_commands(study),
        configuration=configuration
        if isinstance(configuration, str)
        else yaml.safe_dump(configuration, sort_keys=False),
        informed=bool((study.summary["origin"] == "informed").any()),
        protocols=protocols(study),
        figures=figures,
        data_files=data_files,
        asked=[path.relative_to(study.inputs.results).as_posix() for path in study.inputs.asked],
        charts=specs,
        hidden_tracks=max(0, study.summary["track"].nunique() - CHART_TRACKS - 1),
        tables=datatables(),
        vega=vega(),
        data=embed(page_data(study, specs, sections)),
    )


def page_links(study: Study) -> dict[str, tuple[str, str]]:
    """Return the file and the name of each task's page; the task stands in the name if its kind has several pages."""
    every = study.kinds_of_pages
    links = {}
    for task, file in study.pages.items():
        kind = every.get(task)
        name = kind.link if kind and kind.link else task
        alone = sum(other is kind for other in every.values()) == 1
        links[task] = file, name if alone or name == task else f"{name}: {task}"
    return links


def protocols(study: Study) -> list[str]:
    """Return what kinds say of the protocols of their scores, if a run was scored by another than the strict one."""
    found = study.metrics.loc[study.metrics["protocol"] != "strict", "task"].unique()
    return list(dict.fromkeys(study.kinds[task].protocols for task in found if study.kinds[task].protocols))


def chart_specs(study: Study) -> dict[str, Any]:
    """Return the charts that every study has, as far as there are data for them."""
    specs = {"by_track": charts.by_track(study.look, study.labels, chart_tracks(study))}
    costs = [name for name in charts.COSTS if (study.costs[name] > 0).any()]
    if costs:
        specs["cost"] = charts.cost(study.look, costs)
    if len(study.curves):
        specs["curves"] = charts.curves(study.look, quantities(study), list(study.curves["model"].unique()))
    return specs


def quantities(study: Study) -> dict[str, str]:
    """Return the logged quantities in reading order, with what they are called and which direction is better."""
    pairs = study.curves[["task", "quantity"]].drop_duplicates()
    words: dict[str, Words] = {}
    for task, name in zip(pairs["task"], pairs["quantity"]):
        known = words.get(name)
        if known is None or known.direction == "none":
            words[name] = study.kinds[task].quantity(name)
    return {
        name: f"{words[name].label} ({arrow})" if (arrow := ARROWS[words[name].direction]) else words[name].label
        for name in order_quantities(words)
    }


def order_quantities(names: Iterable[str]) -> list[str]:
    """Return names with the losses first, then what was evaluated, then the rest."""
    names, first = set(names), ["loss", "eval_loss"]
    return [
        *(name for name in first if name in names),
        *sorted(names - {*first}, key=lambda name: (not name.startswith("eval"), name)),
    ]


def chart_tracks(study: Study) -> list[str]:
    """Return the tracks that a chart has panels for: the mean over all, and the first ones."""
    names = [name for name in dict.fromkeys(study.summary["track"]) if name != ALL_TRACKS]
    return [ALL_TRACKS, *names[:CHART_TRACKS]]


def page_data(study: Study, specs: dict[str, Any], sections: list[Section]) -> dict[str, Any]:
    """Return what the page's script needs."""
    cell = ["split", "subset", "track", "context_bp", "protocol", "metric"]
    return {
        "charts": specs,
        "datasets": {
            "summary": records(study.summary),
            "costs": records(study.costs),
            "curves": records(study.curves.drop(columns=["key", "origin"])),
            **{name: table for section in sections for name, table in section.datasets.items()},
        },
        "metrics": {task: metric_words(study, task) for task in study.tasks},
        "levels": {task: level_words(study, task) for task in study.tasks},
        "colours": study.colours,
        "star": charts.INFORMED_SHAPE,
        "given": study.given,
        "all_tracks": ALL_TRACKS,
        "chart_tracks": chart_tracks(study),
        "start": {
            task: rows.reset_index().assign(metric=study.headlines[task].name)[cell].iloc[0].to_dict()
            for task, rows in study.cells.items()
        },
    }


def metric_words(study: Study, task: str) -> dict[str, dict[str, Any]]:
    """Return how the metrics of a task are shown, in reading order."""
    kind, found = study.kinds[task], {}
    for name in kind.in_order(study.rows(study.summary, task)["metric"].unique()):
        metric = kind.metric(name)
        found[name] = {
            "label": metric.label,
            "title": metric.title,
            "level": metric.level.title,
            "sign": metric.sign,
            "count": metric.words.count,
            "explanation": metric.words.explanation,
        }
    return found


def level_words(study: Study, task: str) -> list[dict[str, str]]:
    """Return heading and explanation of the levels that a task's metrics have, in reading order."""
    kind = study.kinds[task]
    levels = [kind.metric(name).level for name in kind.in_order(study.rows(study.summary, task)["metric"].unique())]
    return [{"title": level.title, "explanation": level.explanation} for level in dict.fromkeys(levels)]


def variant_counts(variants: pd.DataFrame) -> dict[str, Any]:
    """Return variants by contig (rows) and reason (columns)."""
    if variants.empty:
        return {}
    wide = variants.pivot_table(
        index="contig", columns="reason", values="count", aggfunc="sum", fill_value=0, sort=False
    )
    rows = [
        {"contig": contig, "counts": [int(n) for n in counts]} for contig, counts in zip(wide.index, wide.to_numpy())
    ]
    return {"reasons": [reason.replace("_", " ") for reason in wide.columns], "rows": rows}


def rerun_commands(study: Study) -> list[dict[str, str]]:
    """Return the command that makes each run's metrics again, with the hash of its configuration and versions."""
    pattern = study.provenance.get("rerun") or "snakemake --cores all --force {path}"
    root = study.inputs.results.parent.parent
    commands = []
    for run in study.inputs.runs:
        path, settings = run.folder / "metrics.tsv", run.settings
        path = path.relative_to(root) if path.is_relative_to(root) else path
        versions = ", ".join(f"{name} {version}" for name, version in (settings.get("versions") or {}).items())
        command = pattern.replace("{path}", shlex.quote(str(path)))
        hashed = str(settings.get("hash") or "")
        commands.append({"path": str(path), "command": command, "hash": hashed, "versions": versions})
    return commands
