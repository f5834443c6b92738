"""`glmflow pairs`: pairs of DNA and text from annotated genomes, as JSONL."""

from __future__ import annotations

import argparse
from pathlib import Path

from glmflow.errors import InputError


def add_pairs_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `pairs` to the commands."""
    parser = subparsers.add_parser(
        "pairs",
        description="Write the features of GenBank files as pairs of DNA and text: a line of JSON each for text to DNA and for "
        "DNA to text (id, type, split, cluster, transl_table, tags, order, prompt, target). Features whose proteins are alike "
        "stay in one split. Says what was left out, and why.",
    )
    parser.add_argument("--genbank", type=Path, nargs="+", required=True, metavar="FILE", help="GenBank, plain or gzip")
    parser.add_argument("--output", type=Path, required=True, metavar="JSONL", help="file to write")
    parser.add_argument("--flank", type=int, default=0, help="bases on either side of unspliced features (default: 0)")
    parser.add_argument("--shortest", type=int, default=30, help="shortest DNA (default: 30)")
    parser.add_argument(
        "--most-unknown", type=float, default=0.1, help="share of pairs of unknown function, at most (default: 0.1)"
    )
    parser.add_argument("--validation", type=float, default=0.05, help="share of the pairs (default: 0.05)")
    parser.add_argument("--test", type=float, default=0.05, help="share of the pairs (default: 0.05)")
    parser.add_argument(
        "--dropped",
        type=float,
        default=0.2,
        help="share of training prompts without text, or (half of them) with the organism alone, for guidance and controls "
        "(default: 0.2)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all draws (default: 1)")
    parser.set_defaults(run=run_pairs)


def run_pairs(arguments: argparse.Namespace) -> int:
    """Write the pairs and say what they are; return the exit code."""
    from .pair_writing import write_pairs

    for name in ("most_unknown", "validation", "test", "dropped"):
        if not 0 <= getattr(arguments, name) <= 1:
            raise InputError(f"--{name.replace('_', '-')} {getattr(arguments, name)} is no share", fix="Give 0 to 1.")
    if arguments.validation + arguments.test >= 1:
        raise InputError(
            "--validation and --test leave nothing to train on", fix="Give shares that add up to less than 1."
        )
    written = write_pairs(
        arguments.genbank,
        arguments.output,
        arguments.validation,
        arguments.test,
        arguments.dropped,
        arguments.most_unknown,
        arguments.shortest,
        arguments.flank,
        arguments.seed,
    )
    said = ", ".join(f"{written.splits[name]:,} {name}" for name in ("train", "validation", "test"))
    print(f"{written.splits.total():,} pairs in {written.clusters:,} clusters ({said}), each in both orders")
    for reason, count in written.left_out.most_common():
        if count:
            print(f"left out: {count:,} {reason}")
    return 0
