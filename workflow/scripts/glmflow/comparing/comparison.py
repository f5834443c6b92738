"""Which runs of a task beat what, cell by cell, from what their units add to their scores."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from glmflow.checks.audit import PASS, Audit, audit_table
from glmflow.checks.plausibility import control_of_chance, implausible_scores, kind_of_split, without_error
from glmflow.comparing.differences import COLUMNS as PAIRS
from glmflow.comparing.differences import paired_differences
from glmflow.metrics import declared as declared_metrics
from glmflow.metrics import signed
from glmflow.statistics.decision import COLUMNS, Decision, Run, decide
from glmflow.statistics.permutation import share_above
from glmflow.statistics.stored import Stored
from glmflow.tasks.comparable import CELL, columns_of

TEST = "test"
CHOSEN_ON = ("validation",)
"""Splits by which an epoch, a trial of a sweep or a penalty may have been chosen."""
CONTROL = "control"
"""The verdict on a model of a task that is a control."""
FACTS = ("ceiling_high", "missing", "constant")


class Comparison(NamedTuple):
    """What can be said of the runs of a task.

    Attributes
    ----------
    rows
        A row a run in each cell: the columns of a cell (`comparable.CELL`), `higher`, and those of `decision.Decision`.
    notes
        Sentences that belong beside a cell: its columns, and `note`.
    warnings
        Audits of the scores themselves (`checks.audit.audit_table`).
    differences
        Of the test split, every two runs in each cell: its columns, and those of `differences.paired_differences`.
    """

    rows: pd.DataFrame
    notes: pd.DataFrame
    warnings: pd.DataFrame
    differences: pd.DataFrame


def compare_runs(
    runs: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Stored]], control: str | None = None
) -> Comparison:
    """Compare the runs of a task in every cell that they were scored in.

    Parameters
    ----------
    runs
        What each run is (`config.compared.compared_runs`).
    stored
        The scores of each, in the same order.
    control
        What the task is a control of, in words; None where it is none. Its models have to be at chance.
    """
    own = [found for run, found in zip(runs, stored) if run["role"] != "control"]
    tables, notes, audits, pairs = [], [], [], []
    compared: set[tuple[str, ...]] = set()
    said: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for name in dict.fromkeys(name for found in own for name in found):
        columns, one = columns_of(name), _most(found[name] for found in own if name in found)
        cards, left_out = _runs_of_cell(runs, stored, name, one)
        decision = decide(cards, one.higher, one.chance, one.groups_known, one.bounds)
        rows = decision.rows if control is None else _of_control(decision.rows)
        tables.append(rows.assign(**columns, higher=one.higher))
        if columns["split"] == TEST:
            pairs.append(paired_differences(cards, one.higher).assign(**columns))
        chosen = kind_of_split(columns["split"], CHOSEN_ON)[1]
        notes += [columns | {"note": note} for note in (chosen, left_out, *decision.notes) if note]
        place = tuple(columns.values())[:4]
        first = place not in compared
        if columns["split"] == "train" or not (first or one.bounds is not None):
            continue
        declared = {run["key"] for run in runs if run.get("declared")}
        found = _audits(decision, cards, one, _facts(runs, stored, name), columns, control, declared)
        if not first:  # of the same runs nothing is said twice, and that all is well with another metric not at all
            found = [audit for audit in found if audit.status != PASS and not {*audit.runs} <= said[*place, audit.name]]
            found = [audit._replace(where=", ".join(filter(None, (audit.where, columns["metric"])))) for audit in found]
        compared.add(place)
        for audit in found:
            said[*place, audit.name].update(audit.runs)
        audits += found
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, *CELL, "higher"])
    return Comparison(
        rows[[*CELL, "higher", *COLUMNS]],
        pd.DataFrame(notes, columns=[*CELL, "note"]),
        audit_table(audits),
        pd.concat(pairs, ignore_index=True)[[*CELL, *PAIRS]] if pairs else pd.DataFrame(columns=[*CELL, *PAIRS]),
    )


def _of_control(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a control, where no model beats anything: models of another task are held against it."""
    models = (rows["role"] == "model") & (rows["verdict"] != "cannot play")
    said = {"verdict": CONTROL, "against": "", "reasons": ""}
    return rows.assign(
        **{name: rows[name].mask(models, value) for name, value in said.items()},
        leads=False,
        ties="",
    )


def _most(found: Iterable[Stored]) -> Stored:
    """Return the first of the scores over the units that most runs were scored over."""
    found = list(found)
    units = Counter(one.units for one in found).most_common(1)[0][0]
    return next(one for one in found if one.units == units)


def _runs_of_cell(
    runs: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Stored]], name: str, one: Stored
) -> tuple[list[Run], str]:
    """Return the runs that were scored over the units of a cell, their seeds together, and a note on those that were not.

    Controls whose targets are others, as on validation, are left out without a word.
    """
    cards: dict[str, list[tuple[Mapping[str, Any], Stored]]] = {}
    others: dict[str, None] = {}
    for run, found in zip(runs, stored):
        if name not in found:
            continue
        if found[name].units == one.units:
            cards.setdefault(run["key"], []).append((run, found[name]))
        elif run["role"] != "control":
            others[run["label"]] = None
    note = (
        f"Not compared, for scored on other examples or against other targets: {', '.join(others)}." if others else ""
    )
    return [_card(seeds) for seeds in cards.values()], note


def _card(seeds: Sequence[tuple[Mapping[str, Any], Stored]]) -> Run:
    """Return a run with the scores of all of its seeds."""
    first, stored = seeds[0][0], [found for _, found in seeds]
    within = [found.within for found in stored if found.within is not None]
    nulls = [found.null for found in stored if found.null is not None]
    p = None
    if len(nulls) == len(stored) and first["role"] == "model":
        p = share_above(float(np.mean([found.score.value for found in stored])), np.mean(nulls, axis=0))
    return Run(
        key=first["key"],
        label=first["label"],
        role=first["role"],
        scores=tuple(found.score for found in stored),
        within=tuple(within) if len(within) == len(stored) else (),
        p=p,
        control_of=first["control_of"],
        seeded=first["seeded"],
        backbone=first["backbone"],
        random=first["random"],
    )


def _scale(one: Stored) -> tuple[float, float]:
    """Return the score of chance (else the least there can be), and the most; both NaN where neither is known."""
    least, most = one.bounds or (np.nan, 1.0)
    return (least if one.chance is None else one.chance), most


def _facts(
    runs: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Stored]], name: str
) -> dict[str, Mapping[str, float]]:
    """Return by key what plausibility is judged by: of several seeds the largest."""
    found: dict[str, dict[str, float]] = {}
    for run, scores in zip(runs, stored):
        if name in scores:
            own = found.setdefault(run["key"], {})
            for fact, value in scores[name].facts.items():
                own[fact] = max(value, own.get(fact, value))
    return found


def _audits(
    decision: Decision,
    cards: Sequence[Run],
    one: Stored,
    facts: Mapping[str, Mapping[str, float]],
    columns: Mapping[str, str],
    control: str | None,
    declared: Collection[str],
) -> list[Audit]:
    """Return what the scores of a cell say about themselves: on a scale on which chance (else the least) is 0 and 1 the most."""
    where = ", ".join(columns[name] for name in ("subset", "split") if columns[name] != "all")
    if not one.higher:
        scored = decision.rows["role"].isin(["model", "baseline"])
        return without_error(decision.rows[scored], where) if control is None else []
    zero, most = _scale(one)
    if not zero < most:
        return []
    if control is not None and one.chance is None:
        return []
    if control is not None:
        at_chance = [run for run in cards if run.role == "model" and columns["split"] == TEST]
        return [control_of_chance(run.scores, f"{run.label} ({control})", one.chance, where) for run in at_chance]
    rows = decision.rows[decision.rows["role"].isin(["model", "baseline", "told"])].copy()
    for limit in ("value", "low", "high"):
        rows[limit] = (rows[limit] - zero) / (most - zero)
    gains = [key for key, found in facts.items() if found.get("gain")]
    rows["declared"] = rows["key"].isin([*declared, *gains]) | (not signed(columns["metric"]))
    for fact in FACTS:
        rows[fact] = [facts.get(key, {}).get(fact, np.nan) for key in rows["key"]]
        if fact != "ceiling_high":
            rows.loc[rows["role"] != "model", fact] = np.nan
    counted = len(one.score.influence) if columns["metric"] in declared_metrics("class_label") else None
    return implausible_scores(rows, where, counted)
