"""`glmflow suite`: which model? The table of models over tasks of a study's results, as text."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def add_suite_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `suite` to the commands."""
    parser = subparsers.add_parser(
        "suite",
        description="Print the table of the report's part `Which model?`: the headline metric of every task, mean ranks with "
        "their critical difference, and what training cost.",
    )
    parser.add_argument("results", type=Path, help="results of a study, such as results/benchmark_suite")
    parser.add_argument("--tsv", action="store_true", help="print tab-separated values in full")
    parser.set_defaults(run=run_suite)


def run_suite(arguments: argparse.Namespace) -> int:
    """Print the table; return the exit code."""
    from .classes.suite import in_words, suite
    from .kinds import by_kind
    from .report_inputs import ReportInputs
    from .study_tables import Study

    study = Study(ReportInputs.from_results(arguments.results))
    for kind, tasks in by_kind(study.kinds):
        found = suite(study, tasks)
        if arguments.tsv:
            found.table.to_csv(sys.stdout, sep="\t", index=False)
            continue
        print(f"{kind.link}: {', '.join(f'{task} ({metric})' for task, metric in found.metrics.items())}\n")
        print(as_text(found.table, list(found.metrics)))
        print(f"\n{in_words(found)}")
    return 0


def as_text(table: pd.DataFrame, tasks: list[str]) -> str:
    """Return the table in columns: model, rank, a column a task, seconds of training, parameters."""
    rows = [["model", "rank", *tasks, "train_s", "parameters"]]
    for row in table.to_dict("records"):
        name = f"{row['model']} (baseline)" if row["origin"] == "baseline" else row["model"]
        scores = [digits(row[column], 3) for column in ("rank", *tasks)]
        rows.append([name, *scores, digits(row["train_seconds"], 0), digits(row["parameters"], 0)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    )


def digits(value: float, places: int) -> str:
    """Return a number with some digits behind the point; `-` if there is none."""
    return "-" if value != value else f"{value:,.{places}f}"
