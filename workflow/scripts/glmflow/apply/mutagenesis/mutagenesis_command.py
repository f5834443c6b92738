"""`glmflow mutagenesis`: every base of some intervals changed into the three others."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.apply.variants.variants_command import add_model_arguments
from glmflow.effects.placement import EDGES
from glmflow.errors import InputError


def add_mutagenesis_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `mutagenesis` to the commands."""
    parser = subparsers.add_parser(
        "mutagenesis",
        description="Write ism.parquet (one row per change), bigWigs (SCORE_A … SCORE_T, 0 at the base itself; SCORE_mean, minus "
        "the mean of the three changes; logo_A … logo_T, the model's prediction as letters' heights in bits), hot_spots.tsv "
        "and pictures of the intervals.",
    )
    add_model_arguments(parser)
    parser.add_argument("--fasta", type=Path, required=True, help="genome")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--bed", type=Path, help="intervals (BED, peaks); those that overlap or touch are one")
    given.add_argument(
        "--around",
        type=int,
        metavar="N",
        help="N bp on both sides of the start of every gene of --genes, in place of --bed",
    )
    parser.add_argument("--score", help="scores, comma-separated (default: llr of masked models, ll of causal ones)")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder (with several models: one below it for each)"
    )
    parser.add_argument(
        "--window", type=int, help="bases seen at a time (default: 512, causal models 8,192, or the context)"
    )
    parser.add_argument(
        "--edges", choices=EDGES, default="shift", help="windows at the ends of a contig (default: shift)"
    )
    parser.add_argument(
        "--frames", choices=("one", "all"), default="one", help="reading frames of k-mers (default: one)"
    )
    parser.add_argument("--layer", type=int, help="hidden layer that distances compare (default: the last)")
    parser.add_argument("--genes", type=Path, metavar="GTF", help="genes: their exons are drawn below the pictures")
    parser.add_argument("--pictures", type=int, default=20, metavar="N", help="intervals that are drawn (default: 20)")
    parser.add_argument("--bedgraph", action="store_true", help="write each track as bedGraph as well")
    parser.add_argument("--plan", action="store_true", help="count passes and estimate the time, and stop")
    parser.set_defaults(run=run_mutagenesis)


def run_mutagenesis(arguments: argparse.Namespace) -> int:
    """Write the mutagenesis; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    if arguments.window is not None and arguments.window < 2:
        raise InputError("a window of less than 2 bases", where="--window", fix="Give a larger one.")
    if arguments.around is not None and (arguments.around < 1 or not arguments.genes):
        raise InputError("bases around which genes?", where="--around", fix="Give 1 or more, and --genes GTF.")
    from .mutagenesis_run import run

    run(arguments)
    return 0
