"""`glmflow score`: predictions made elsewhere against what was measured, task by task."""

from __future__ import annotations

import argparse

from .snp2gex.command import add_snp2gex


def add_score_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `score` to the commands of `glmflow`; each task is a command of its own below it."""
    parser = subparsers.add_parser("score", help="score predictions", description="Score predictions made elsewhere.")
    add_snp2gex(parser.add_subparsers(dest="task", required=True, metavar="TASK"))
