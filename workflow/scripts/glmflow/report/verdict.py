"""The answer of a task in one sentence, read off its table of comparisons and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from .run_folder import BASELINES
from .wording import Metric, named, number, signed

NOT_COMPARED = "The runs were not compared on {}, so nothing can be said of who beats what."

ADDED = "What pretraining adds"
"""How the note of a table of comparisons begins that is read before all others."""


class Line(NamedTuple):
    """A run in the table under a verdict, as it is read."""

    label: str
    role: str
    value: str
    seeds: str
    verdict: str
    why: str


class Board(NamedTuple):
    """The table under a verdict: what it is of, and a line a run."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Verdict:
    """One sentence, and what has to be known to read it.

    Attributes
    ----------
    sentence, notes
        The answer, and what belongs beside it.
    warnings
        What the scores say against themselves: shown before anything else.
    boards
        Every run with its verdict and its reasons.
    """

    sentence: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    boards: tuple[Board, ...] = ()


def run_label(model: str, adaptation: str, origin: str) -> str:
    """Return how a row is called: a baseline has only one adaptation, so its name is enough."""
    return model if origin in BASELINES else f"{model} ({adaptation})"


def judge(cell: pd.DataFrame, metric: Metric, what: str) -> str:
    """Return which models beat what, and why not, as a sentence.

    Parameters
    ----------
    cell
        The rows of one cell of the table of comparisons, best first (`glmflow.comparing`).
    metric
        The metric of the cell.
    what
        What it is of, as it stands in a sentence (`what_of`).
    """
    if not metric.ranks:
        return f"Runs are not ranked by {what}: neither higher nor lower values are declared to be better."
    if cell.empty:
        return NOT_COMPARED.format(what)
    cell = cell.assign(label=cell["label"].map(named), rival=cell["rival"].map(named, na_action="ignore"))
    playing = cell[cell["verdict"] != "cannot play"]
    models = playing[playing["role"] == "model"]
    if models.empty:
        idle = cell[cell["role"] == "model"]
        if len(idle):
            why = "; ".join(f"{label}: {reason}" for label, reason in zip(idle["label"], idle["reasons"]))
            return f"No model tells anything apart on {what}: {why}."
        return f"Only baselines were run on {what}; the best, {cell.iloc[0]['label']}, reaches {value(cell.iloc[0])}."
    controls = models[models["verdict"] == "control"]
    if len(controls):
        return _control(controls.iloc[0], playing, what)
    beating = models[models["verdict"].isin(["beats", "above the null"])]
    first = beating.iloc[0] if len(beating) else models.iloc[0]
    sentence = _answer(first, cell, what)
    best = models.iloc[0]
    if best["key"] != first["key"]:
        sentence += f"; {best['label']} has the higher mean ({value(best)}), but {_why(best)}"
    place = _place(playing)
    unproven = beating.empty and place == f"{models.iloc[0]['label']} leads"  # it would contradict what was just said
    return f"{sentence}." if unproven else f"{sentence}; {place}."


def _control(row: pd.Series, playing: pd.DataFrame, what: str) -> str:
    """Return what the best model of a control reaches: a mark for the models of another task, no lead over anything."""
    rivals = playing[playing["role"].isin(["baseline", "structure"])]
    beside = f", {rivals.iloc[0]['label']} {value(rivals.iloc[0])}" if len(rivals) else ""
    return (
        f"This task is a control: {row['label']} reaches {value(row)} on {what}{beside}. Nothing can beat anything here; "
        "models of the task that it is a control of have to be ahead of it."
    )


def _answer(row: pd.Series, cell: pd.DataFrame, what: str) -> str:
    """Return what the verdict on one model is."""
    rival = cell[cell["label"] == row["rival"]]
    against = f" against {value(rival.iloc[0])} of {row['rival']}, difference {difference(row)}" if len(rival) else ""
    match row["verdict"]:
        case "beats":
            return f"{row['label']} beats {row['against']} on {what}: {value(row)}{against}"
        case "above the null":
            baselines = cell["role"].isin(["baseline", "structure"]).any()
            why = "no baseline can play here, so that none counts as beaten" if baselines else "no baseline was run"
            return f"{row['label']} is above chance on {what}: {value(row)}; {why}"
        case "ahead":
            return (
                f"{row['label']} is ahead on {what} ({value(row)}{against}), but that does not count as beating it: "
                f"{_why(row)}"
            )
        case "behind":
            return f"No model beats the baselines on {what}: the best, {row['label']}, reaches {value(row)}{against}"
    why = "" if _why(row) == f"it is not clearly ahead of {row['rival']}" else f": {_why(row)}"
    return f"No model is clearly ahead on {what}: the best, {row['label']}, reaches {value(row)}{against}{why}"


def _why(row: pd.Series) -> str:
    """Return the first of the reasons without its figures, and how many more stand in the table."""
    reasons = row["reasons"].split("; ")
    first = reasons[0].split(": difference")[0]
    more = len(reasons) - 1
    return f"{first} (and {more} more reason{'s' if more > 1 else ''})" if more else first


def _place(playing: pd.DataFrame) -> str:
    """Return who leads, or who shares the first place."""
    ties = [text for text in playing["ties"] if text]
    if ties:
        return f"{ties[0]} share the first place: the difference between them may be chance"
    leading = playing[playing["leads"].astype(bool)]
    if leading.empty:
        return "no run leads"
    return f"only {leading.iloc[0]['label']} was compared" if len(playing) == 1 else f"{leading.iloc[0]['label']} leads"


def board(cell: pd.DataFrame, title: str) -> Board:
    """Return the table of every run of a cell with its verdict and its reasons."""
    return Board(title, [_line(row) for _, row in cell.iterrows()])


def _line(row: pd.Series) -> Line:
    """Return one run as it is read."""
    draws = "draws" if row["role"] == "control" else "seeds"
    count = int(row["seeds"])
    spread = (
        f"{count} {draws}, {number(row['seed_low'])} to {number(row['seed_high'])}" if count > 1 else f"1 {draws[:-1]}"
    )
    if row["role"] not in ("model", "control") and count == 1:
        spread = ""
    return Line(row["label"], ROLES[row["role"]], value(row), spread, _said(row), row["reasons"])


def _said(row: pd.Series) -> str:
    """Return the verdict on a run in words."""
    return {"beats": f"beats {row['against']}", "above the null": "above chance"}.get(row["verdict"], row["verdict"])


ROLES = {
    "model": "model",
    "baseline": "baseline",
    "structure": "baseline (knows groups alone)",
    "told": "is given more",
    "control": "control",
}


def notes_of(cell: pd.DataFrame, notes: Iterable[str], given: Mapping[str, str]) -> list[str]:
    """Return what belongs beside the verdict of a cell: its notes, and what baselines reach that are given more.

    Parameters
    ----------
    notes
        Those of the cell in the table of notes.
    given
        By key, what baselines are given beside the sequence.
    """
    told = [
        f"{row['label']} reaches {value(row)}, but it is given {given.get(row['key'], 'more than the sequence')}: a mark to aim "
        "at, not a rival."
        for _, row in cell[cell["role"] == "told"].iterrows()
    ]
    return [*notes, *told]


def other_levels(cell: pd.DataFrame, others: Iterable[tuple[Metric, pd.DataFrame]]) -> list[str]:
    """Return what the verdict on the leading model is at other levels, a sentence each.

    A lead at one level is none at another: a signal can be right in shape and wrong in height.

    Parameters
    ----------
    cell
        The rows that the verdict is about.
    others
        A metric of each other level, with its rows.
    """
    models = cell[(cell["role"] == "model") & (cell["verdict"] != "cannot play")]
    notes = []
    for metric, rows in others if len(models) else ():
        own = rows[rows["key"] == models.iloc[0]["key"]]
        if own.empty:
            continue
        row = own.iloc[0]
        if row["verdict"] == "control":
            continue
        if row["reasons"].startswith("it is "):
            said = row["reasons"].removeprefix("it ")
        else:
            said = f"beats {row['against']}" if row["verdict"] == "beats" else f"is {_said(row)}"
            said += f": {row['reasons']}" if row["reasons"] else ""
        notes.append(f"On {metric.title} {row['label']}, at {value(row)}, {said}.")
    return notes


def scratch_notes(cell: pd.DataFrame, origins: Mapping[str, str]) -> list[str]:
    """Say where the best model was trained from scratch and a pretrained one is behind; `origins` are by key."""
    models = cell[cell["role"] == "model"]
    origin = models["key"].map(origins)
    pretrained = models[origin == "pretrained"]
    if pretrained.empty or origin.iloc[0] != "scratch":
        return []
    other = pretrained.iloc[0]
    return [
        f"{models.iloc[0]['label']} was trained from scratch; the best pretrained model, {other['label']}, reaches {value(other)}."
    ]


def unequal_training(headline: pd.DataFrame, bases: pd.Series) -> list[str]:
    """Return by how much the training of the leading model and of the next one that was trained differ, if twofold or more.

    Parameters
    ----------
    headline
        The ranked rows that the verdict is about, with their `key` and `label`.
    bases
        Bases of sequence that each run was fitted on, by `key`; missing for baselines.
    """
    trained = headline[headline["value"].notna() & (headline["role"] == "model")]
    seen = trained["key"].map(bases).dropna()
    if len(seen) < 2:
        return []
    first, others = seen.iloc[0], seen.iloc[1:]
    largest = max(first / others.min(), others.max() / first)
    if largest < 2:
        return []
    return [
        f"Training was not equal: {trained.loc[seen.index[0], 'label']} was fitted on {megabases(first)} of sequence, the other "
        f"models on {megabases(others.min())}"
        + (f" to {megabases(others.max())}" if others.min() != others.max() else "")
        + ", pretraining not counted, so this does not compare architectures."
    ]


def what_of(metric: Metric, split: str, of: str = "") -> str:
    """Return what a score is of as it stands in a sentence, such as `MCC (test split)`."""
    return f"{metric.title}{f', {of}' if of else ''} ({split} split)"


def megabases(bases: float) -> str:
    """Return an amount of sequence for reading."""
    return f"{bases / 1e6:,.3g} Mb" if bases < 1e9 else f"{bases / 1e9:,.3g} Gb"


def value(row: pd.Series) -> str:
    """Return a value for reading, with its interval if it has one."""
    return _with_limits(number(row["value"]), number(row["low"]), number(row["high"]), row["low"])


def difference(row: pd.Series) -> str:
    """Return the difference from the best rival for reading, with its interval; a positive one is a lead."""
    limits = signed(row["difference_low"]), signed(row["difference_high"])
    return _with_limits(signed(row["difference"]), *limits, row["difference_low"])


def _with_limits(text: str, low: str, high: str, limit: float) -> str:
    """Return a text with the limits of its interval, where there is one."""
    return text if pd.isna(limit) else f"{text} [{low}, {high}]"


def _joined(names: Iterable[str]) -> str:
    """Return names as they stand in a sentence."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
