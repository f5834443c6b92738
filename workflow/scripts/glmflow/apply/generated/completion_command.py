"""`glmflow complete`: how much of known genes a causal model completes, beside its floors."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.errors import InputError


def add_complete_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `complete` to the commands."""
    parser = subparsers.add_parser(
        "complete",
        description="Give a causal model 1,000 bases before each gene and its first 30 %, and score the protein that it goes on "
        "with: as published (identity over aligned residues) and strictly (over all residues that were missing), beside a Markov "
        "chain, a shuffled protein and the truth. Only scores are written, no sequences.",
    )
    parser.add_argument(
        "--model",
        type=Path,
        help="checkpoint folder, or a model pretrained here (default: none; only what needs no model is scored)",
    )
    parser.add_argument(
        "--panel",
        type=Path,
        required=True,
        metavar="CSV",
        help="gene, organism, cds_start, reference_protein, genomic_sequence",
    )
    parser.add_argument("--train", type=Path, metavar="FASTA", help="training sequences, for the Markov chain")
    parser.add_argument("--samples", type=int, default=20, help="continuations of each gene (default: 20)")
    parser.add_argument(
        "--temperature", type=float, default=0.7, help="divides the logits (default: 0.7, as published)"
    )
    parser.add_argument(
        "--top-k", type=int, default=4, help="draw from the k likeliest tokens (default: 4, as published)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    parser.add_argument("--output", type=Path, required=True, help="table (tab-separated, or NAME.parquet)")
    parser.add_argument("--family", help="family, if config.json does not say it")
    parser.add_argument("--dtype", help="type of the weights (default: float32)")
    parser.add_argument("--batch", type=int, default=8, help="sequences at a time (default: 8)")
    parser.set_defaults(run=run_complete)


def run_complete(arguments: argparse.Namespace) -> int:
    """Write the table and print its means; return the exit code."""
    from glmflow.dna.completed_genes import read_panel
    from glmflow.files import write_table
    from glmflow.models.drawing import Sampling
    from glmflow.models.model_commands import read_fasta

    from .completion_run import completion_table

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    if arguments.samples < 1:
        raise InputError(f"--samples {arguments.samples}", fix="Give 1 or more.")
    genes = read_panel(arguments.panel)
    training = [sequence for _, sequence in read_fasta(arguments.train)] if arguments.train else []
    sampling = Sampling(arguments.temperature, arguments.top_k, None, arguments.seed).checked()
    model = _model(arguments) if arguments.model else None
    table = completion_table(model, genes, training, arguments.samples, sampling, max(1, arguments.batch))
    write_table(table, arguments.output)
    means = table.groupby("source", sort=False)[["official", "strict"]].mean()
    print(f"{'mean of genes':<20} {'official %':>10} {'strict %':>10}")
    for source, row in means.iterrows():
        print(f"{source:<20} {row.official:>10.1f} {row.strict:>10.1f}")
    return 0


def _model(arguments: argparse.Namespace):
    import torch

    from glmflow.models import load_model
    from glmflow.models.loading import require_head
    from glmflow.models.model_commands import model_folder

    folder = model_folder(arguments.model)
    model = load_model(folder, arguments.family, arguments.dtype)
    require_head(model, folder, "draw from")
    return model.to("cuda" if torch.cuda.is_available() else "cpu")
