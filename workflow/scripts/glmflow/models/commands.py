"""The command ``glmflow parity``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parity_command(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add ``parity FOLDER`` to the commands."""
    parser = subparsers.add_parser(
        "parity",
        help="compare a model with what its original computed",
        description="Load a checkpoint folder that holds io.safetensors (and tokens.json) and print the family and the "
        "largest difference of logits, hidden states and token ids. Exit status 1 where a difference exceeds 1e-4.",
    )
    parser.add_argument("folder", type=Path, help="checkpoint folder with io.safetensors")
    parser.add_argument("--family", help="family, where config.json does not tell it")
    parser.add_argument("--attention", default="auto", help="auto, sdpa, flash_attention_2 or eager (default: auto)")
    parser.set_defaults(run=run_parity)
    return parser


def run_parity(arguments: argparse.Namespace) -> int:
    """Print what was measured; 0 where the model is the same as its original, else 1."""
    from glmflow.models.parity import TOLERANCE, measure

    found = measure(arguments.folder, arguments.family, arguments.attention)
    print(f"family             {found.family}")
    for name in ("logits", "last_hidden_state"):
        difference = getattr(found, name)
        shown = "not in io.safetensors" if difference is None else f"{difference:.2e} largest difference"
        print(f"{name:<18} {shown}")
    if found.sequences:
        print(f"token ids          {len(found.other_ids)} of {found.sequences} sequences differ")
        for sequence in found.other_ids:
            print(f"  {sequence}")
    else:
        print("token ids          not compared: the folder lacks tokens.json or the tokenizer")
    print(f"{'same as the original' if found.holds else 'NOT the same'} (tolerance {TOLERANCE:g})")
    return 0 if found.holds else 1
