"""The start page over several studies: which model for what, at what cost, with which caveats."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from glmflow.errors import InputError
from glmflow.files import atomic_path, read_table

from .cards import duration
from .rendering import render
from .run_folder import BASELINES, RIVAL
from .wording import number

TAGS = re.compile(r"<[^>]+>")


class Place(NamedTuple):
    """A row of a leaderboard as it is read: its name, the value, and its interval (empty without one)."""

    label: str
    value: str
    interval: str


class Answer(NamedTuple):
    """What a study says of a task."""

    study: str
    title: str
    link: str
    simulated: bool
    task: str
    metric: str
    model: Place | None
    baseline: Place | None
    cost: str
    sentence: str
    caveats: list[str]


@dataclass(frozen=True)
class Header:
    """What the frame of a page asks for."""

    title: str = "All studies"
    simulated: str = ""


def write_overview(results: Path) -> list[Answer]:
    """Write `index.html` over the reports of all studies in a folder of results; return what it says.

    Raises
    ------
    InputError
        No study has a report yet.
    """
    found = [answer for report in sorted(results.glob("*/report")) for answer in answers(report)]
    if not found:
        raise InputError("no study has a report yet", where=results, fix="Run one: snakemake --cores all.")
    page = render("overview.html", study=Header(), answers=found, studies=len({answer.study for answer in found}))
    with atomic_path(results / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return found


def answers(report: Path) -> Iterator[Answer]:
    """Yield what a report says of each of its tasks; nothing for one without scores."""
    board = table(report, "leaderboard")
    if board.empty:
        return
    costs, verdicts, warnings = (table(report, name) for name in ("costs", "verdicts", "warnings"))
    provenance = _json(report / "data/provenance.json")
    study = report.parent.name
    for task, rows in board.groupby("task", sort=False):
        said = _first(verdicts, task)
        simple = rows["origin"].isin(BASELINES)
        best = rows[~simple].head(1)
        yield Answer(
            study=study,
            title=_title(provenance) or study,
            link=f"{study}/report/index.html",
            simulated=bool(provenance.get("simulated")),
            task=str(task),
            metric=str(said.get("metric") or rows["metric"].iloc[0]),
            model=place(best),
            baseline=place(rows[rows["origin"] == RIVAL].head(1)),
            cost=cost(costs, best),
            sentence=TAGS.sub("", str(said.get("sentence") or "")),
            caveats=caveats(said, warnings, str(task)),
        )


def place(rows: pd.DataFrame) -> Place | None:
    """Return the best of some rows of a leaderboard; None without one."""
    if rows.empty:
        return None
    row = rows.iloc[0]
    interval = f"[{number(row['ci_low'])}, {number(row['ci_high'])}]" if row["ci_low"] == row["ci_low"] else ""
    return Place(str(row["label"]), number(row["value"]), interval)


def cost(costs: pd.DataFrame, best: pd.DataFrame) -> str:
    """Return how long the best model trained, and on what; empty where it was not trained."""
    if best.empty or costs.empty:
        return ""
    row = best.iloc[0]
    mine = costs[
        (costs["task"] == row["task"]) & (costs["model"] == row["model"]) & (costs["adaptation"] == row["adaptation"])
    ]
    if mine.empty or not mine["train_seconds"].iloc[0] > 0:
        return ""
    return f"{duration(mine['train_seconds'].iloc[0])} on {mine['device'].iloc[0]}"


def caveats(said: dict[str, Any], warnings: pd.DataFrame, task: str) -> list[str]:
    """Return what speaks against a result: the warnings of its verdict, and those of its study and task."""
    found = [text for text in [str(said.get("warnings") or "")] if text and text != "nan"]
    if not warnings.empty:
        where, text = warnings.columns[0], warnings.columns[1]
        of_task = warnings[warnings[where].astype(str).str.split("/").str[0].isin([task, ""])]
        found += [str(value) for value in of_task[text] if str(value) not in "".join(found)]
    return [TAGS.sub("", text) for text in dict.fromkeys(found)]


def table(report: Path, name: str) -> pd.DataFrame:
    """Return a table of a report's data; an empty one where it has none."""
    path = report / "data" / f"{name}.tsv"
    return read_table(path) if path.is_file() and path.stat().st_size else pd.DataFrame()


def _first(rows: pd.DataFrame, task: Any) -> dict[str, Any]:
    """Return the row of a task; empty where there is none."""
    own = rows[rows["task"] == task] if len(rows) else rows
    return own.iloc[0].to_dict() if len(own) else {}


def _json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds; nothing where it is not there."""
    return json.loads(path.read_text()) if path.is_file() else {}


def _title(provenance: dict[str, Any]) -> str:
    """Return the title that a study gives itself."""
    found = re.search(r"^report:\n(?:  .*\n)*?  title: (.+)$", str(provenance.get("configuration") or ""), re.MULTILINE)
    return found[1].strip("'\"") if found else ""
