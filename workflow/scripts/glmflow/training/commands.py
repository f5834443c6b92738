"""`glmflow predict`: a tuned model on other sequences."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from glmflow.errors import InputError
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store


def add_predict_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `predict` to the commands."""
    parser = subparsers.add_parser(
        "predict",
        help="apply a tuned track model to a genome, a person's haplotypes or variants",
        description="Apply the model of a run to other sequences. OUTPUT decides what is written: a folder (one bigWig a "
        "track), NAME.parquet (mean coverage of each interval of --bed, or of each contig), or NAME.vcf[.gz] (every "
        "variant of --vcf with the predicted log2 change of coverage around it, track by track).",
    )
    parser.add_argument("--model", type=Path, required=True, help="folder `model` of a run")
    parser.add_argument("--fasta", type=Path, required=True, help="genome")
    parser.add_argument("--vcf", type=Path, help="phased VCF of a person, or variants to annotate")
    parser.add_argument("--sample", help="person of the VCF whose haplotypes are predicted")
    parser.add_argument("--haplotype", type=int, choices=(1, 2), help="one haplotype; the mean of both by default")
    parser.add_argument("--bed", type=Path, help="intervals to predict; the whole genome by default")
    parser.add_argument("--output", type=Path, required=True, help="folder, NAME.parquet or NAME.vcf[.gz]")
    parser.set_defaults(run=run_predict)


def run_predict(arguments: argparse.Namespace) -> int:
    """Write what the arguments ask for; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    output = arguments.output
    annotating = output.name.endswith((".vcf", ".vcf.gz"))
    _check(arguments, annotating)
    genome = Reference(arguments.fasta)
    from . import apply

    tuned = apply.load_tuned(arguments.model)
    if annotating:
        counts = apply.annotate_variants(tuned, genome, arguments.vcf, output)
        print(f"{counts['scored']:,} alleles scored, {counts['skipped']:,} skipped (not A, C, G, T)", file=sys.stderr)
        return 0
    intervals = apply.read_intervals(arguments.bed, genome.contigs)
    with tempfile.TemporaryDirectory() as scratch:
        predict = apply.on_reference(tuned, genome)
        if arguments.vcf:
            contigs = list(dict.fromkeys(interval[0] for interval in intervals))
            reader = _person(arguments, genome, contigs, Path(scratch) / "store")
            haplotypes = (arguments.haplotype,) if arguments.haplotype else (1, 2)
            predict = apply.on_haplotypes(tuned, reader, arguments.sample, haplotypes)
        if output.suffix == ".parquet":
            apply.write_means(apply.interval_means(tuned, predict, intervals), output)
        else:
            apply.write_tracks(tuned, predict, intervals, genome.contigs, output)
    return 0


def _person(arguments: argparse.Namespace, genome: Reference, contigs: list[str], folder: Path) -> HaplotypeReader:
    """Read one person's variants on the contigs that are asked for."""
    chosen = contigs if arguments.bed else None
    store = build_store(arguments.vcf, genome, folder, samples=[arguments.sample], contigs=chosen)
    return HaplotypeReader(store, genome)


def _check(arguments: argparse.Namespace, annotating: bool) -> None:
    """Refuse arguments that do not belong together."""
    if annotating and not arguments.vcf:
        raise InputError("no variants to annotate", where="--vcf", mend="Give the VCF whose variants are to be scored.")
    if annotating and (arguments.sample or arguments.bed or arguments.haplotype):
        mend = "Leave --sample, --haplotype and --bed out, or give a folder or NAME.parquet as output."
        raise InputError("a VCF as output holds every variant, whoever carries it", where="--output", mend=mend)
    if not annotating and arguments.vcf and not arguments.sample:
        mend = "Name a person of the VCF, or write NAME.vcf.gz to score its variants."
        raise InputError("whose haplotypes?", where="--sample", mend=mend)
    if arguments.sample and not arguments.vcf:
        raise InputError("a person without genotypes", where="--sample", mend="Give the person's phased --vcf.")
    if arguments.haplotype and not arguments.sample:
        raise InputError("a haplotype of nobody", where="--haplotype", mend="Give --vcf and --sample.")
    if arguments.output.suffix not in ("", ".parquet", ".vcf", ".gz"):
        known = "a folder, NAME.parquet or NAME.vcf[.gz]"
        raise InputError(f"{arguments.output.suffix} is not written", where="--output", mend=f"Give {known}.")
    if not arguments.fasta.exists():
        raise InputError("no such file", where=arguments.fasta, mend="Give a FASTA file.")
