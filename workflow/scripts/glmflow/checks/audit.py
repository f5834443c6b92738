"""The result of an audit, and what a set of them means for an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pandas as pd

from glmflow.tasks.tables import CHECK_COLUMNS, FAIL, PASS, STATUSES, WARN

NAMED = 5

FailOn = Literal["never", "leak", "warning"]


class Audit(NamedTuple):
    """What one audit found.

    Attributes
    ----------
    name
        What was looked for, such as `near copies`.
    status
        `PASS`, `WARN` (has to be known) or `FAIL` (a leak or a fault: scores do not mean what they say).
    figure
        The number that the status follows from: the higher, the worse.
    threshold
        The largest figure that passes.
    sentence
        What was found, for a reader.
    where
        The file, column or split that it was found in.
    runs
        Labels of the runs that it is about, all of them; empty where it is about none.
    """

    name: str
    status: str
    figure: float
    threshold: float
    sentence: str
    where: str = ""
    runs: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the line that a reader sees."""
        place = f"{self.where}: " if self.where else ""
        return (
            f"{self.status}  {place}{self.sentence} [{self.name}: {self.figure:.3g}, passes up to {self.threshold:.3g}]"
        )


def graded(
    name: str,
    figure: float,
    sentence: str,
    where: str = "",
    *,
    warn: float | None = None,
    fail: float | None = None,
    runs: Iterable[str] = (),
) -> Audit:
    """Return an audit by its thresholds: FAIL above `fail`, WARN above `warn`, else PASS; NaN passes.

    Parameters
    ----------
    warn, fail
        Largest figures that are no warning and no failure; None where the audit never ends so.
    runs
        Labels of the runs that it is about.
    """
    if warn is None and fail is None:
        raise ValueError(f"{name}: an audit without a threshold")
    if fail is not None and figure > fail:
        status = FAIL
    elif warn is not None and figure > warn:
        status = WARN
    else:
        status = PASS
    threshold = min(limit for limit in (warn, fail) if limit is not None)
    return Audit(name, status, float(figure), float(threshold), " ".join(sentence.split()), where, tuple(runs))


def worst(audits: Iterable[Audit]) -> str:
    """Return the worst status; PASS where there is no audit."""
    return STATUSES[max((STATUSES.index(audit.status) for audit in audits), default=0)]


def exit_status(audits: Iterable[Audit], fail_on: FailOn = "leak") -> int:
    """Return the exit status of a command: 1 where an audit is as bad as `fail_on` or worse, else 0."""
    limit = {"never": len(STATUSES), "leak": STATUSES.index(FAIL), "warning": STATUSES.index(WARN)}[fail_on]
    return int(STATUSES.index(worst(audits)) >= limit)


def audit_table(audits: Iterable[Audit]) -> pd.DataFrame:
    """Return audits as a table, the worst first; the runs stand in the sentences."""
    table = pd.DataFrame(list(audits), columns=list(Audit._fields)).drop(columns="runs")
    order = table["status"].map(STATUSES.index)
    return table.iloc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def checks_table(audits: Iterable[Audit]) -> pd.DataFrame:
    """Return audits as rows of a task's checks (`tasks.tables.CHECK_COLUMNS`); what fails is a leak."""
    rows = [
        {
            "check": f"{audit.name}: {audit.where}" if audit.where else audit.name,
            "found": audit.figure,
            "leak": "yes" if audit.status == FAIL else "no",
            "detail": audit.sentence,
            "status": audit.status,
            "threshold": audit.threshold,
        }
        for audit in audits
    ]
    return pd.DataFrame(rows, columns=CHECK_COLUMNS)


def read_checks(table: pd.DataFrame, where: str = "") -> list[Audit]:
    """Return a task's checks as audits; `where` is the task."""
    return [
        Audit(str(row.check), row.status, float(row.found), float(row.threshold), _sentence(row), where)
        for row in table.itertuples(index=False)
    ]


def _sentence(row) -> str:
    """Return what a check found, in words."""
    if isinstance(row.detail, str) and row.detail:
        return row.detail
    return f"{row.found:,.0f} of {row.of:,.0f}" if row.of == row.of else f"{row.found:g}"


def named(names: Sequence[object], most: int = NAMED) -> str:
    """Return the first of some names as they stand in a sentence, with the number of the others."""
    shown = ", ".join(map(str, names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
