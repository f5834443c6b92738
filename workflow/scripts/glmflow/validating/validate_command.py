"""`glmflow validate`: are generated sequences like real ones, and are they copies?"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from glmflow.errors import InputError


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
        "--hmms",
        type=Path,
        metavar="HMM",
        help="profile HMMs (HMMER3) of protein families to look for in predicted genes",
    )
    hit = parser.add_mutually_exclusive_group()
    hit.add_argument(
        "--hmm-evalue",
        type=float,
        metavar="E",
        help="E-value of a hit at most, counted over the profiles of the file (default: 1e-5)",
    )
    hit.add_argument(
        "--hmm-gathering", action="store_true", help="hits are what passes the profiles' gathering cutoffs"
    )
    parser.add_argument(
        "--piece", type=int, help="bases of the pieces compared (default: the median generated sequence)"
    )
    parser.add_argument("--most", type=int, default=50, help="pieces of a group at most (default: 50)")
    parser.add_argument("--draws", type=int, default=500, help="bootstrap draws behind each interval (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")
    parser.set_defaults(run=run_validate)


def run_validate(arguments: argparse.Namespace) -> int:
    """Compare, write the page and print the findings; return the exit code."""
    from glmflow.report.validation_page import write_validation_page

    from .piece_judges import judges
    from .validation_run import ValidationRequest, validate

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    for name in ("piece", "most", "draws"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} {value}", fix="Give 1 or more.")
    evalue, gathering = arguments.hmm_evalue, arguments.hmm_gathering
    if (evalue is not None or gathering) and not arguments.hmms:
        raise InputError(
            "--hmm-evalue and --hmm-gathering are of --hmms, which is not given", fix="Give --hmms, or neither."
        )
    if evalue is not None and not 0 < evalue <= 10:
        raise InputError(f"--hmm-evalue {evalue:g}", fix="Give a number above 0 and at most 10.")
    others = {path.name.split(".")[0].replace("_", " "): path for path in arguments.other}
    request = ValidationRequest(
        *(arguments.generated, arguments.source, arguments.train, others),
        *(arguments.piece, arguments.most, arguments.draws, arguments.seed),
    )
    given = {name: getattr(arguments, name) for name in ("judge", "embed", "motifs", "hmms")}
    further = judges(**given, evalue=evalue, gathering=gathering)
    named = {name: path.resolve().name for name, path in given.items() if path}
    for sentence in validate(request, arguments.output, further, named):
        print(sentence)
    page = write_validation_page(arguments.output)
    print(f"{page}: the page", file=sys.stderr)
    return 0
