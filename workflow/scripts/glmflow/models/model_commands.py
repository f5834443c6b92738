"""The commands ``glmflow parity`` and ``glmflow likelihood``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.errors import InputError
from glmflow.fasta_records import fasta_records
from glmflow.files import write_table
from glmflow.genome.fasta import ALPHABET


def add_parity_command(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add ``parity FOLDER`` to the commands."""
    parser = subparsers.add_parser(
        "parity",
        description="Load a checkpoint folder that holds io.safetensors (and tokens.json) and print the family and the "
        "largest difference of logits, hidden states and token ids. Exit status 1 if a difference exceeds 1e-4.",
    )
    parser.add_argument("folder", type=Path, help="checkpoint folder with io.safetensors")
    parser.add_argument("--family", help="family, if config.json does not say it")
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


def add_likelihood_command(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add ``likelihood`` to the commands."""
    parser = subparsers.add_parser(
        "likelihood",
        description="Write the log-likelihood of every sequence of a FASTA file in nats (masked models: the "
        "pseudo-log-likelihood, one pass per token), or with --positions the probabilities of A, C, G and T there.",
    )
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder, or a model pretrained here")
    parser.add_argument("--fasta", type=Path, required=True, help="sequences, of any length with --chunk")
    parser.add_argument("--output", type=Path, required=True, help="table (tab-separated, or NAME.parquet)")
    parser.add_argument(
        "--positions",
        type=int,
        nargs="+",
        metavar="POSITION",
        help="0-based, in every sequence: write base probabilities instead",
    )
    parser.add_argument(
        "--chunk",
        action="store_true",
        help="cut a sequence beyond the model's context into overlapping chunks, each token scored in the one in which "
        "it has most context (default: such a sequence is refused)",
    )
    parser.add_argument("--family", help="family, if config.json does not say it")
    parser.add_argument("--dtype", help="type of the weights (default: float32)")
    parser.add_argument("--batch", type=int, default=8, help="sequences, or masked tokens, at a time (default: 8)")
    parser.set_defaults(run=run_likelihood)
    return parser


def run_likelihood(arguments: argparse.Namespace) -> int:
    """Write one row a sequence, or one a sequence and position.

    Raises
    ------
    InputError
        The files cannot be read, or the model cannot score a sequence; it is named.
    """
    import torch

    from glmflow.models import load_model
    from glmflow.models.chunking import BeyondContextError
    from glmflow.models.loading import require_head

    records = read_fasta(arguments.fasta)
    model = load_model(arguments.model, arguments.family, arguments.dtype)
    require_head(model, arguments.model, "score with")
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    rows: list[dict[str, Any]] = []
    for name, sequence in records:
        try:
            if arguments.positions is None:
                value = model.log_likelihood([sequence], arguments.batch, arguments.chunk)[0]
                rows.append({"sequence": name, "length_bp": len(sequence), "log_likelihood": value})
            else:
                bases = model.base_probabilities([sequence], arguments.positions, arguments.batch, arguments.chunk)[0]
                for position, values in zip(arguments.positions, bases):
                    rows.append({"sequence": name, "position": position, **dict(zip("ACGT", values))})
        except BeyondContextError as error:
            fix = "Give --chunk to score it in overlapping chunks, or shorter sequences."
            raise InputError(f"sequence {name}: {error.what}", fix=fix) from None
        except InputError as error:
            raise InputError(f"sequence {name}: {error}") from None
    write_table(pd.DataFrame(rows), arguments.output)
    return 0


def model_folder(folder: Path) -> Path:
    """Return the folder of a model, given it or the folder of the run that tuned it."""
    return folder / "model" if (folder / "model").is_dir() else folder


def read_fasta(path: Path, rna: bool = False) -> list[tuple[str, str]]:
    """Return name and sequence of every record of a FASTA file, plain or gzip.

    Parameters
    ----------
    rna
        Letters are left to the tokenizer, which reads U as T; else all but those of DNA are refused.

    Raises
    ------
    InputError
        There is no such file, it is damaged or no FASTA file, or has no sequence.
    """
    records = []
    for record in fasta_records(path, errors="replace", check=None if rna else _nucleotides):
        if not record.name:
            raise InputError("a sequence without a name", where=f"{path}:{record.line}", fix="Name it: >NAME.")
        records.append((record.name, record.sequence))
    if not records:
        raise InputError("no sequence in it", where=path, fix="Give a FASTA file.")
    return records


def _nucleotides(name: str, where: str, letters: str) -> None:
    """Stop at a letter that is no nucleotide."""
    strange = next((base for base in letters if ord(base) > 127 or not ALPHABET[ord(base)]), None)
    if strange:
        fix = "Give a DNA FASTA file (A C G T N and IUPAC codes)."
        raise InputError(f"sequence {name} holds {strange!r}, which is no nucleotide", where=where, fix=fix)
