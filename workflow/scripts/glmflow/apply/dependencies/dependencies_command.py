"""`glmflow dependencies`: dependency maps of sequences."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.apply.variants.variants_command import add_model_arguments
from glmflow.errors import InputError


def add_dependencies_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `dependencies` to the commands."""
    parser = subparsers.add_parser(
        "dependencies",
        description="Change every base of each sequence into the three others and write how far the predictions of all "
        "bases move: one map per sequence (NAME.npz), a table of profiles, blocks, stems and strongest pairs, and pictures.",
    )
    add_model_arguments(parser)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--fasta", type=Path, help="sequences")
    given.add_argument("--table", type=Path, help="table with columns id (or name) and sequence")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder (with several models: one below it for each)"
    )
    parser.add_argument(
        "--eps", type=float, default=1e-4, help="pseudo-probability added to each base (default: 0.0001)"
    )
    parser.add_argument(
        "--measure", choices=("odds", "logp"), default="odds", help="effects on log2 odds, or on log2 probabilities"
    )
    parser.add_argument(
        "--symmetric", choices=("none", "mean", "max"), default="none", help="how the two directions are combined"
    )
    parser.add_argument(
        "--strands", choices=("forward", "both"), default="forward", help="masked models (default: forward)"
    )
    parser.add_argument(
        "--frames", choices=("one", "all"), default="one", help="reading frames of k-mers (default: one)"
    )
    parser.add_argument(
        "--context",
        type=int,
        default=0,
        metavar="N",
        help="bases at both ends of each sequence that are read but not changed; a sequence longer than the context is cut into "
        "tiles that see N bases around them (default: 0, and such a sequence is refused)",
    )
    parser.add_argument("--keep", type=int, default=200, metavar="N", help="maps that are written whole (default: 200)")
    parser.add_argument("--pictures", type=int, default=20, metavar="N", help="maps that are drawn (default: 20)")
    parser.add_argument("--block-mean", type=int, metavar="N", help="write maps as means over N x N bases as well")
    parser.add_argument(
        "--marks", type=Path, metavar="BED", help="stretches to mark: id, start, end, name; or .gff, .gff3, .gtf"
    )
    parser.add_argument("--zoom", metavar="START-END", help="bases to draw in a panel of their own, from 0")
    parser.add_argument("--plan", action="store_true", help="count passes and estimate the time, and stop")
    parser.set_defaults(run=run_dependencies)


def run_dependencies(arguments: argparse.Namespace) -> int:
    """Write the maps; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    if not 0 < arguments.eps < 0.25:
        raise InputError("not a pseudo-probability", where="--eps", fix="Give a small number, as 0.0001.")
    if arguments.context < 0:
        raise InputError("less than no bases", where="--context", fix="Give 0 or more.")
    from .dependencies_run import run

    run(arguments)
    return 0
