"""`glmflow embed`: states of sequences or regions, for those who want only that."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

POOLS = ("mean", "max", "meanmax", "first", "last", "cls", "none")


def add_embed_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `embed` to the commands."""
    parser = subparsers.add_parser(
        "embed",
        description="Write embeddings (hidden states of a model) for every sequence of a FASTA file, or for every region of "
        "--bed in the genome of --fasta (the - strand reverse-complemented). Sequences beyond the context are read in overlapping "
        "chunks; none is cut. An interrupted run resumes where it stopped.",
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="checkpoint folder, or a model pretrained or tuned here"
    )
    parser.add_argument("--fasta", type=Path, required=True, help="sequences; with --bed the genome")
    parser.add_argument("--bed", type=Path, help="regions of the genome (BED)")
    parser.add_argument(
        "--layer",
        type=int,
        help="states after this layer, from 1; -1 is the last (default: what the model's head reads)",
    )
    parser.add_argument(
        "--pool",
        choices=POOLS,
        default="mean",
        help="how the states of a sequence become one, over its bases; cls: of the token before it; none: every base "
        "(NAME.h5) (default: mean)",
    )
    parser.add_argument("--both-strands", action="store_true", help="mean of both strands")
    parser.add_argument("--output", type=Path, required=True, help="NAME.parquet, NAME.npy or NAME.h5")
    parser.add_argument("--family", help="family, if config.json does not say it")
    parser.add_argument("--dtype", help="numbers to compute with: float32, bf16 or fp16 (default: float32)")
    parser.add_argument("--half", action="store_true", help="write 16-bit numbers")
    parser.add_argument("--batch", type=int, default=8, help="sequences at a time (default: 8)")
    parser.set_defaults(run=run_embed)


def run_embed(arguments: argparse.Namespace) -> int:
    """Write the states that the arguments ask for; return the exit code."""
    import torch

    from glmflow.models import load_model
    from glmflow.models.model_commands import model_folder

    from .embed import Request, embed, model_identity

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    folder = model_folder(arguments.model)
    model = load_model(folder, arguments.family, arguments.dtype)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    request = Request(
        arguments.fasta,
        arguments.bed,
        arguments.pool,
        arguments.layer,
        arguments.both_strands,
        max(1, arguments.batch),
        arguments.half,
    )
    identity = [*model_identity(folder), arguments.family, str(model.dtype)]
    counts = embed(model, request, arguments.output, identity)
    print(
        f"{arguments.output}: {counts['sequences']:,} sequences, states of {counts['width']} numbers", file=sys.stderr
    )
    return 0
