"""`glmflow score`: predictions made elsewhere against what was measured, task by task."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from glmflow.modules import module


def add_score_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `score` to the commands of `glmflow`; each kind of task that scores by hand is a command of its own below it."""
    parser = subparsers.add_parser("score", description="Score predictions made elsewhere.")
    kinds = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for found in command_modules():
        found.add_command(kinds)


def command_modules() -> Iterator[ModuleType]:
    """Yield the modules `<kind>_command` of the kinds that have one."""
    for path in sorted(Path(__file__).parent.glob("*/*_command.py")):
        if path.stem == f"{path.parent.name}_command":
            yield module(f"{__package__}.{path.parent.name}", path.stem)
