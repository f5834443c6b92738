"""`glmflow variants`: what each allele of a VCF, a table or some intervals does to a language model's view of the genome."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.effects.placement import EDGES
from glmflow.errors import InputError

MNV = ("joint", "sum", "each_own")
OUTPUTS = (".vcf", ".vcf.gz", ".parquet", ".tsv")


def add_variants_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `variants` to the commands."""
    parser = subparsers.add_parser(
        "variants",
        description="Score every alternative allele: log-likelihood ratios, likelihoods and distances of hidden states, "
        "mean of both strands, in nats. An allele that cannot be scored gets a reason; it never stops the run.",
    )
    add_model_arguments(parser)
    parser.add_argument("--fasta", type=Path, help="genome; not needed for a table with sequences")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--vcf", type=Path, help="VCF or BCF, sorted or not, of any compression")
    given.add_argument(
        "--table",
        type=Path,
        help="table of chrom, pos (from 1) or start (from 0), ref, alt; or sequence, offset, ref, alt",
    )
    given.add_argument("--bed", type=Path, help="intervals: every base is changed into each of the three others")
    parser.add_argument("--score", help="scores, comma-separated; by default what fits the model (--list-scores)")
    parser.add_argument("--list-scores", action="store_true", help="list the scores that the models have, and stop")
    parser.add_argument("--strands", action="store_true", help="write both strands beside their mean")
    parser.add_argument("--output", type=Path, required=True, help="NAME.vcf[.gz], NAME.parquet or NAME.tsv")
    parser.add_argument("--plan", action="store_true", help="count passes and estimate the time, and stop")
    add_window_arguments(parser)
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="BED",
        help="intervals that evolve neutrally (ancestral repeats): adds SCORE_calibrated, less the mean of their sites "
        "with the same 5-mer and alternative base",
    )
    parser.add_argument(
        "--length-matched",
        type=int,
        metavar="N",
        help="adds SCORE_z of indels: z-score among N random indels of its length",
    )
    parser.add_argument("--seed", type=int, default=0, help="of neutral sites and random indels (default: 0)")
    add_matching_arguments(parser)
    parser.set_defaults(run=run_variants)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which models compute, and how."""
    parser.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="[NAME=]FOLDER",
        help="checkpoint folder, or a model pretrained here; may be repeated",
    )
    parser.add_argument("--family", help="family, if config.json does not say it")
    parser.add_argument("--dtype", help="type of the weights (default: float32); the head is always float32")
    parser.add_argument("--batch", type=int, help="sequences at a time (default: 8,192 tokens, on a GPU 262,144)")


def add_matching_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is done about alleles of another genome, and about symbolic ones."""
    parser.add_argument("--symbolic", action="store_true", help="score <DEL> with END or SVLEN as the deletion it is")
    parser.add_argument("--strict", action="store_true", help="stop if any REF differs from the genome")
    parser.add_argument(
        "--most-mismatches",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="share of alleles with another REF than the genome beyond which nothing is scored (default: 0.05)",
    )


def add_window_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how windows are laid and read."""
    parser.add_argument(
        "--window", type=int, help="bases seen at a time (default: 512, causal models 8,192, or the context)"
    )
    parser.add_argument(
        "--edges", choices=EDGES, default="shift", help="windows at the ends of a contig (default: shift)"
    )
    parser.add_argument(
        "--share", type=int, default=1, metavar="N", help="variants within N bp share a reference window"
    )
    parser.add_argument(
        "--mnv", choices=MNV, default="joint", help="several bases: masked together (joint), or one by one"
    )
    parser.add_argument(
        "--frames", choices=("one", "all"), default="one", help="reading frames of k-mers (default: one)"
    )
    parser.add_argument("--layer", type=int, help="hidden layer that distances compare (default: the last)")


def run_variants(arguments: argparse.Namespace) -> int:
    """Score the variants; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    check(arguments)
    from .variants_run import list_scores, run

    if arguments.list_scores:
        list_scores(arguments)
    else:
        run(arguments)
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that do not fit each other, before anything is read."""
    name = arguments.output.name
    if not name.endswith(OUTPUTS):
        raise InputError(f"{name} is not written", where="--output", fix=f"Give NAME{', NAME'.join(OUTPUTS)}.")
    if arguments.table and name.endswith((".vcf", ".vcf.gz")):
        raise InputError("a table gives a table", where="--output", fix="Give NAME.parquet or NAME.tsv.")
    if arguments.window is not None and arguments.window < 2:
        raise InputError("a window of less than 2 bases", where="--window", fix="Give a larger one.")
    if arguments.share < 1:
        raise InputError("not a number of bases", where="--share", fix="Give 1 (own windows) or more.")
    if arguments.length_matched is not None and arguments.length_matched < 2:
        raise InputError("fewer than 2 random indels", where="--length-matched", fix="Give some hundred.")
    if arguments.calibrate and not arguments.fasta:
        raise InputError("neutral sites need a genome", where="--calibrate", fix="Give --fasta.")
    check_matching(arguments)


def check_matching(arguments: argparse.Namespace) -> None:
    """Refuse a share that is none."""
    if not 0 <= arguments.most_mismatches <= 1:
        raise InputError("not a share", where="--most-mismatches", fix="Give a number from 0 to 1.")
