"""The few numbers that stand under a task's verdict."""

from __future__ import annotations

import pandas as pd

from .study_tables import Study
from .wording import number, signed


def cards(study: Study, task: str) -> list[dict[str, str]]:
    """Return the cards of a task: best score, lead over baselines, what was scored, training; and those that its kind adds."""
    cell = study.cells[task].dropna(subset="value").reset_index(drop=True)
    if cell.empty:
        return []
    informed = cell["origin"] == "informed"
    cell = pd.concat([cell[~informed], cell[informed]], ignore_index=True)
    best = cell.iloc[0]
    found = _score_cards(study, task, cell) if study.headlines[task].ranks else []
    unit = study.headlines[task].level.unit
    found.append(card("Scored on", f"{int(best['n']):,}", f"{unit} of the {best['split']} split", leaks(study, task)))
    spent = study.costs[study.costs["key"] == best["key"]].iloc[0]
    if study.headlines[task].ranks and pd.notna(spent["train_seconds"]):
        where = [spent["device"]] if spent["device"] else []
        where += [f"{spent['peak_memory_mb']:,.0f} MB at most"] if pd.notna(spent["peak_memory_mb"]) else []
        where += [f"{spent['parameters']:,.0f} parameters"] if pd.notna(spent["parameters"]) else []
        found.append(card("Training time", duration(spent["train_seconds"]), best["label"], ", ".join(where)))
    return found + study.kinds[task].call("cards", study, task, default=[])


def _score_cards(study: Study, task: str, cell: pd.DataFrame) -> list[dict[str, str]]:
    """Return the best score, and the best model's lead over the best baseline."""
    metric, best = study.headlines[task], cell.iloc[0]
    seeds = f", mean of {best['seeds']} seeds ± {number(best['sd'])}" if best["seeds"] > 1 else ""
    found = [card("Best score", number(best["value"]), best["label"], metric.title + seeds)]
    compared, _ = study.compared[task].cell(metric.name, study.split(task))
    models = compared[(compared["role"] == "model") & (compared["rival"] != "")] if len(compared) else compared
    if len(models):
        row = models.iloc[0]
        limits = f"[{signed(row['difference_low'])}, {signed(row['difference_high'])}]; {row['verdict']}"
        note = limits if pd.notna(row["difference_low"]) else row["verdict"]
        who = f"{row['label']} over {row['rival']}"
        found.append(card("Best model over best baseline", signed(row["difference"]), who, note))
    return found


def leaks(study: Study, task: str) -> str:
    """Return in a few words what the checks for leakage between splits found."""
    checks = study.rows(study.leakage, task)
    if checks.empty:
        return "leakage was not measured"
    return f"{int((checks['leak'] == 'yes').sum())} of {len(checks)} checks found a leak"


def duration(seconds: float) -> str:
    """Return a time span for reading."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 5_400 else f"{seconds / 3600:.3g} h"


def card(title: str, figure: str, name: str, note: str) -> dict[str, str]:
    """Return a card: its heading, a large figure, what that is of, and a note."""
    return {"title": title, "figure": figure, "name": name, "note": note}
