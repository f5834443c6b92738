"""`glmflow answer`: a tuned model asked new questions about pairs of alleles."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def add_answer_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `answer` to the commands."""
    parser = subparsers.add_parser(
        "answer",
        description="Rank the answers that a run knows for every question of a table (question, reference_sequence, "
        "variant_sequence), or about the variants of a VCF, with their probabilities, and say what they rest on: the same "
        "question is asked with the reference in the variant's place.",
    )
    parser.add_argument("--model", type=Path, required=True, help="run, or the folder `model` of it")
    parser.add_argument("--table", type=Path, help="questions: JSON lines, CSV, TSV or parquet")
    parser.add_argument("--vcf", type=Path, help="variants to ask about, with --fasta and --question")
    parser.add_argument("--fasta", type=Path, help="genome of the VCF")
    parser.add_argument("--question", help="the question, in words the run was trained on")
    parser.add_argument("--variant", help="one variant of the VCF: contig:position:REF:ALT")
    parser.add_argument("--output", type=Path, required=True, help="NAME.tsv, NAME.csv or NAME.parquet")
    parser.add_argument("--answers", type=int, default=3, help="answers written per question (default: 3)")
    parser.add_argument(
        "--sure", type=float, default=0.0, help="least probability of an answer that is given; others are withheld"
    )
    parser.set_defaults(run=run_answer)


def run_answer(arguments: argparse.Namespace) -> int:
    """Answer the questions that the arguments name; return the exit code."""
    from glmflow.errors import InputError
    from glmflow.files import write_table

    from .answer_questions import Variants, answers

    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    if arguments.output.suffix not in (".tsv", ".csv", ".parquet"):
        raise InputError("is no table", where=arguments.output, fix="Name it NAME.tsv, NAME.csv or NAME.parquet.")
    if arguments.answers < 1 or not 0 <= arguments.sure <= 1:
        raise InputError("--answers is below 1, or --sure is no share", fix="Give at least 1, and 0 to 1.")
    if (arguments.table is None) == (arguments.vcf is None):
        raise InputError("what is asked is not clear", fix="Give one of --table and --vcf.")
    beside = [name for name in ("fasta", "question", "variant") if getattr(arguments, name) is not None]
    if arguments.table is not None and beside:
        raise InputError(f"--{beside[0]} is for --vcf", fix="Leave it out, or give --vcf in place of --table.")
    if arguments.vcf is not None and not {"fasta", "question"} <= set(beside):
        raise InputError("--vcf alone is no question", fix="Give --fasta (its genome) and --question (in words) too.")
    if arguments.question is not None and not arguments.question.strip():
        raise InputError("--question is empty", fix="Ask in words as the run was trained on.")
    asked = arguments.table
    if arguments.vcf is not None:
        asked = Variants(arguments.vcf, arguments.fasta, arguments.question, arguments.variant)
    found = answers(arguments.model, asked, arguments.answers, arguments.sure)
    write_table(found, arguments.output)
    given = found[found["rank"] == 1]
    stay = int((given["answer"] == given["answer_without_change"]).sum())
    asked, held_back = f"{len(given):,} question{'s' * (len(given) != 1)}", int(given["withheld"].sum())
    print(
        f"{arguments.output}: {asked}, {held_back:,} answers withheld; {stay:,} answers are the same with the reference in the "
        "variant's place",
        file=sys.stderr,
    )
    return 0
