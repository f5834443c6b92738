"""`glmflow predict`: a tuned model on other sequences."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from glmflow.errors import InputError
from glmflow.genome.haplotype_command import add_genotype_arguments

from .applied_model import annotates, model_of
from .variants.variants_command import add_matching_arguments, check_matching


def add_predict_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `predict` to the commands."""
    parser = subparsers.add_parser(
        "predict",
        description="Apply the model of a run to other sequences. OUTPUT decides what is written. Of a track model: a folder "
        "(one bigWig per track), NAME.parquet (mean coverage of each interval of --bed, or of each contig), or "
        "NAME.vcf[.gz] (every variant of --vcf with the predicted log2 change of coverage around it, track by track). "
        "Of a model of personal expression: NAME.parquet (every gene in every sample of --vcf, or of a folder of samples' "
        "own FASTAs), or NAME.vcf[.gz] (every variant of --vcf with what it adds to the expression of the genes around it). "
        "Of a model of binding: NAME.parquet (every key in every region of the run in which a sample's haplotypes differ from the "
        "reference: either haplotype, and how far they are apart). Of a model of a cell's regions: NAME.parquet (expression of "
        "both strands in each region that --counts has reads of).",
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of a run, or `model` in it")
    parser.add_argument(
        "--fasta",
        type=Path,
        required=True,
        help="genome; for personal expression without --vcf: folder with fasta/SAMPLE_allele_{1,2}.fasta, one record per gene",
    )
    parser.add_argument("--vcf", type=Path, help="phased VCF of samples, or variants to annotate")
    parser.add_argument(
        "--sample",
        nargs="+",
        help="sample of the VCF whose haplotypes are predicted; of expression, one or more (default: all)",
    )
    parser.add_argument("--haplotype", type=int, choices=(1, 2), help="one haplotype; the mean of both by default")
    parser.add_argument(
        "--bed",
        type=Path,
        help="intervals to predict, each tiled with windows of its own (of binding: regions of the run that they "
        "touch); the whole genome by default",
    )
    parser.add_argument(
        "--counts",
        type=Path,
        help="for models of regions: reads of accessible regions of other cells (chrom, start, end and one column per cell)",
    )
    parser.add_argument(
        "--genes",
        type=Path,
        help="genes whose expression is predicted: GTF, BED or TSV (`gene_id`, `chrom`, `tss` from 0, `strand`); those of "
        "the run by default",
    )
    parser.add_argument(
        "--records-along",
        choices=("gene", "genome"),
        help="how a folder's records of genes on the minus strand are read; as those the model was trained on by default",
    )
    add_genotype_arguments(parser)
    parser.add_argument(
        "--span", type=int, metavar="N", help="variants: coverage is averaged over the N bp around each (default: all)"
    )
    parser.add_argument(
        "--share", type=int, default=1, metavar="N", help="variants of tracks within N bp share a reference window"
    )
    add_matching_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder, NAME.parquet or NAME.vcf[.gz]")
    parser.set_defaults(run=run_predict, states=None)


def predict_arguments(model: Path, fasta: Path, output: Path, **others: Any) -> argparse.Namespace:
    """Return the arguments of `run_predict` from other code: what is not given is as in the command.

    Raises
    ------
    TypeError
        The command has no argument of that name.
    """
    parser = argparse.ArgumentParser()
    add_predict_command(parser.add_subparsers())
    arguments = parser.parse_args(["predict", "--model", str(model), "--fasta", str(fasta), "--output", str(output)])
    if unknown := sorted(others.keys() - vars(arguments).keys()):
        raise TypeError(f"`glmflow predict` has no argument {', '.join(unknown)}")
    vars(arguments).update(others)
    return arguments


def run_predict(arguments: argparse.Namespace) -> int:
    """Write what the arguments ask for; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    _check(arguments)
    from glmflow import apply
    from glmflow.genome.reasons import Reason, described
    from glmflow.modules import entry

    folder, task = model_of(arguments.model)
    try:
        run = entry(apply, "APPLIES", task.input)
    except KeyError:
        raise InputError(f"models of the kind {task.kind} cannot be applied to other sequences", where=folder) from None
    if arguments.counts is not None and task.reads != "regions":
        fix = "Leave it out: the model reads sequences."
        raise InputError("is for models of a cell's regions", where="--counts", fix=fix)
    with tempfile.TemporaryDirectory() as scratch:
        counts = run(folder, arguments, Path(scratch))
    if annotates(arguments):
        scored = counts[Reason.NONE]
        print(
            f"{arguments.output}: {scored:,} alleles scored, {counts.total() - scored:,} without a value",
            file=sys.stderr,
        )
        for line in described(counts):
            print(f"  {line}", file=sys.stderr)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that belong together with no model."""
    if annotates(arguments) and not arguments.vcf:
        raise InputError("no variants to annotate", where="--vcf", fix="Give the VCF whose variants are to be scored.")
    if annotates(arguments) and (arguments.sample or arguments.bed or arguments.haplotype):
        fix = "Leave --sample, --haplotype and --bed out, or give a folder or NAME.parquet as output."
        raise InputError("a VCF as output holds every variant, whoever carries it", where="--output", fix=fix)
    if arguments.output.suffix not in ("", ".parquet", ".vcf", ".gz"):
        known = "a folder, NAME.parquet or NAME.vcf[.gz]"
        raise InputError(f"{arguments.output.suffix} is not written", where="--output", fix=f"Give {known}.")
    if not annotates(arguments) and (arguments.span or arguments.share != 1 or arguments.symbolic or arguments.strict):
        fix = "Give NAME.vcf[.gz] as output, or leave them out."
        raise InputError("are for variants", where="--span, --share, --symbolic, --strict", fix=fix)
    check_matching(arguments)
    if not arguments.fasta.exists():
        raise InputError("no such file", where=arguments.fasta, fix="Give a FASTA file.")
