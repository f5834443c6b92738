"""`glmflow validate`: are generated sequences like real ones, and are they copies?"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from glmflow.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glmflow.models.adapter import Adapter


def add_validate_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `validate` to the commands."""
    parser = subparsers.add_parser(
        "validate",
        description="Compare generated sequences, of any model, with real ones that were held out of its training: words, genes, "
        "copies of training. Every statistic comes with its interval, its value for real sequences, and the controls (shuffles, "
        "Markov chains, mutated and copied sequences) that it can tell from real ones. Writes validation.tsv, memorisation.tsv "
        "and validation.html.",
    )
    parser.add_argument("--generated", type=Path, required=True, metavar="FASTA", help="generated sequences")
    parser.add_argument(
        "--source", type=Path, required=True, metavar="FASTA", help="real sequences, held out of training"
    )
    parser.add_argument("--train", type=Path, required=True, metavar="FASTA", help="sequences that were trained on")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--other", type=Path, nargs="+", default=[], metavar="FASTA", help="other species, as controls")
    parser.add_argument(
        "--judge", type=Path, metavar="MODEL", help="a language model of another family, for bits per base"
    )
    parser.add_argument(
        "--embed", type=Path, metavar="MODEL", help="a model whose states are compared, by their Fréchet distance"
    )
    parser.add_argument("--motifs", type=Path, metavar="MEME", help="motifs to look for, MEME or JASPAR")
    parser.add_argument(
        "--piece", type=int, help="bases of the pieces compared (default: the median generated sequence)"
    )
    parser.add_argument("--most", type=int, default=50, help="pieces of a group at most (default: 50)")
    parser.add_argument("--draws", type=int, default=500, help="bootstrap draws behind each interval (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")
    parser.set_defaults(run=run_validate)


def run_validate(arguments: argparse.Namespace) -> int:
    """Compare, write the page and print the findings; return the exit code."""
    from glmflow.likeness.further_measures import Further
    from glmflow.report.validation_page import write_validation_page

    from .validation_run import ValidationRequest, validate

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    for name in ("piece", "most", "draws"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} {value}", fix="Give 1 or more.")
    others = {path.name.split(".")[0].replace("_", " "): path for path in arguments.other}
    request = ValidationRequest(
        *(arguments.generated, arguments.source, arguments.train, others),
        *(arguments.piece, arguments.most, arguments.draws, arguments.seed),
    )
    further = Further(
        bits_under(arguments.judge) if arguments.judge else None,
        states_under(arguments.embed) if arguments.embed else None,
        motifs_of(arguments.motifs) if arguments.motifs else None,
    )
    given = {"judge": arguments.judge, "embed": arguments.embed, "motifs": arguments.motifs}
    named = {name: path.resolve().name for name, path in given.items() if path}
    for sentence in validate(request, arguments.output, further, named):
        print(sentence)
    page = write_validation_page(arguments.output)
    print(f"{page}: the page", file=sys.stderr)
    return 0


def bits_under(folder: Path) -> Callable[[str], float]:
    """Return a function from a sequence to its bits under a model, both strands averaged where it is causal.

    Raises
    ------
    InputError
        The model cannot be loaded or has no head.
    """
    model = _model(folder)
    if not model.has_head:
        raise InputError("no language-model head to judge with", where=folder, fix="Give a pretrained model.")

    def bits(sequence: str) -> float:
        return -float(model.log_likelihood([sequence], chunk=True)[0]) / math.log(2)

    return bits


def states_under(folder: Path) -> Callable[[str], NDArray]:
    """Return a function from a sequence to the mean of its states under a model, both strands averaged, `[D]`.

    Raises
    ------
    InputError
        The model cannot be loaded.
    """
    from glmflow.apply.embed import Request, states_of
    from glmflow.genome.canonical import as_bases

    model = _model(folder)
    request = Request(folder, None, "mean", None, both_strands=True)
    return lambda sequence: states_of(model, [as_bases(sequence)], request)[0].astype(float)


def motifs_of(path: Path) -> Callable[[str], NDArray]:
    """Return a function from a sequence to whether each motif of a file has a site in it (p of 10⁻⁴, either strand), `[m]`.

    Raises
    ------
    InputError
        It is no file of motifs.
    """
    import numpy as np

    from glmflow.binding.motif_files import read_motifs
    from glmflow.binding.motif_scan import best_sites, threshold_of

    matrices = [motif.log_odds() for motif in read_motifs(path)]
    least = np.array([threshold_of(matrix) for matrix in matrices])
    return lambda sequence: best_sites([sequence], matrices).score[0] >= least


def _model(folder: Path) -> Adapter:
    import torch

    from glmflow.models import load_model
    from glmflow.models.model_commands import model_folder

    model = load_model(model_folder(folder))
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
