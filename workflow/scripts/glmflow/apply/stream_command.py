"""`glmflow stream`: bits per base of whole sequences, each read as one stream, by distance from its beginning."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path

from glmflow.errors import InputError
from glmflow.genome.fasta import bases_of, read_pieces
from glmflow.text_files import open_bytes


def add_stream_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `stream` to the commands."""
    parser = subparsers.add_parser(
        "stream",
        description="Score every sequence of a FASTA file as one stream, whatever its length, with a model that carries a state "
        "(rwkv7, mamba): bits per base by distance from the beginning, one strand, left to right. Memory does not grow with the "
        "sequence. Beside them the bits of the same bases with a state that starts again at intervals: what is lost is what the "
        "carried state is worth.",
    )
    parser.add_argument("--model", type=Path, required=True, help="model of rwkv7 or mamba that was pretrained here")
    parser.add_argument("--fasta", type=Path, required=True, help="sequences, plain or gzip")
    parser.add_argument("--output", type=Path, required=True, help="table (tab-separated, or NAME.parquet)")
    parser.add_argument(
        "--restart",
        type=int,
        metavar="BASES",
        help="bases after which the state of the control starts again; 0: no control, in half the time (default: what the model "
        "was trained through)",
    )
    parser.set_defaults(run=run_stream)


def run_stream(arguments: argparse.Namespace) -> int:
    """Write a row a sequence and distance, and say those of whole sequences; return the exit code."""
    import pandas as pd
    import torch

    from glmflow.files import write_table
    from glmflow.models import load_model
    from glmflow.models.loading import require_head
    from glmflow.models.model_commands import model_folder

    from .stream_bits import DistanceBits, stream_bits

    model = load_model(model_folder(arguments.model))
    require_head(model, arguments.model, "score with")
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    restart = model.origin.get("trained_through_bp") if arguments.restart is None else arguments.restart
    if restart is not None and (restart < 0 or restart == 1):
        raise InputError(f"--restart {restart}: nothing is before any base", fix="Take 2 or more, or 0 for no control.")
    rows = []
    with open_bytes(arguments.fasta) as source:
        for name, pieces in groupby(read_pieces(source, arguments.fasta), key=lambda piece: piece[0]):
            bases = (bases_of(raw, name, arguments.fasta) for _, raw in pieces)
            found = stream_bits(model, bases, restart or None)
            if not found:
                what = f"sequence {name} has no known base behind another"
                raise InputError(what, where=arguments.fasta, fix="Leave it out.")
            rows += [(name, "distance", *one) for one in found[:-1]] + [(name, "whole", *found[-1])]
            beside = f", {found[-1].restarted:.4f} restarted every {restart:,}" if restart else ""
            print(f"{name}: {found[-1].carried:.4f} bits per base over {found[-1].bases:,} bases{beside}", flush=True)
    columns = ["sequence", "what", *DistanceBits._fields[:3], "bits_per_base", "bits_per_base_restarted"]
    write_table(pd.DataFrame(rows, columns=columns), arguments.output)
    return 0
