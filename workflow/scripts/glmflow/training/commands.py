"""`glmflow predict`: a tuned model on other sequences."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.commands import add_genotype_arguments
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store


def add_predict_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `predict` to the commands."""
    parser = subparsers.add_parser(
        "predict",
        help="apply a tuned model to a genome, people or variants",
        description="Apply the model of a run to other sequences. OUTPUT decides what is written. Of a track model: a folder "
        "(one bigWig a track), NAME.parquet (mean coverage of each interval of --bed, or of each contig), or "
        "NAME.vcf[.gz] (every variant of --vcf with the predicted log2 change of coverage around it, track by track). "
        "Of a model of personal expression: NAME.parquet (every gene in every person of --vcf, or of a folder of people's "
        "own FASTAs), or NAME.vcf[.gz] (every variant of --vcf with what it adds to the expression of the genes around it).",
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of a run, or `model` in it")
    parser.add_argument(
        "--fasta",
        type=Path,
        required=True,
        help="genome; for personal expression without --vcf: folder with fasta/SAMPLE_allele_{1,2}.fasta, a record a gene",
    )
    parser.add_argument("--vcf", type=Path, help="phased VCF of people, or variants to annotate")
    parser.add_argument(
        "--sample",
        nargs="+",
        help="person of the VCF whose haplotypes are predicted; of expression, several (or everyone)",
    )
    parser.add_argument("--haplotype", type=int, choices=(1, 2), help="one haplotype; the mean of both by default")
    parser.add_argument(
        "--bed",
        type=Path,
        help="intervals to predict, over each of which windows are laid anew; the whole genome by default",
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
    parser.add_argument("--output", type=Path, required=True, help="folder, NAME.parquet or NAME.vcf[.gz]")
    parser.set_defaults(run=run_predict, states=None)


def run_predict(arguments: argparse.Namespace) -> int:
    """Write what the arguments ask for; return the exit code.

    Raises
    ------
    InputError
        The arguments or files do not fit each other.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.INFO)
    _check(arguments)
    from . import apply

    folder, kind = apply.model_of(arguments.model)
    run = {"rnaseq_tracks": _tracks, "snp2gex": _expression}.get(kind)
    if run is None:
        raise InputError(f"a model of the task kind {kind} predicts neither tracks nor expression", where=folder)
    with tempfile.TemporaryDirectory() as scratch:
        counts = run(folder, arguments, Path(scratch))
    if counts:
        scored, skipped = (
            f"{counts['scored']:,} alleles scored",
            f"{counts['skipped']:,} without a value in {arguments.output}",
        )
        print(f"{scored}, {skipped}", file=sys.stderr)
    return 0


def _read(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what is read of a VCF, as `build_store` takes it."""
    return {
        "samples": arguments.sample,
        "filter_policy": arguments.filter or None,
        "unphased": arguments.unphased,
    }


def _annotates(arguments: argparse.Namespace) -> bool:
    return arguments.output.name.endswith((".vcf", ".vcf.gz"))


def _tracks(model: Path, arguments: argparse.Namespace, scratch: Path) -> dict[str, int]:
    """Apply a track model; return how many alleles were scored, where variants are."""
    from . import apply

    _check_tracks(arguments)
    genome, output = Reference(arguments.fasta), arguments.output
    tuned = apply.load_tuned(model)
    if _annotates(arguments):
        return apply.annotate_variants(tuned, genome, arguments.vcf, output)
    intervals = read_intervals(arguments.bed, genome.contigs)
    predict = apply.on_reference(tuned, genome)
    if arguments.vcf:
        contigs = list(dict.fromkeys(interval[0] for interval in intervals)) if arguments.bed else None
        store = build_store(arguments.vcf, genome, scratch / "store", contigs=contigs, **_read(arguments))
        print(f"{arguments.vcf}: {store.summary('all')}", file=sys.stderr)
        haplotypes = (arguments.haplotype,) if arguments.haplotype else (1, 2)
        predict = apply.on_haplotypes(tuned, HaplotypeReader(store, genome), arguments.sample[0], haplotypes)
    if output.suffix == ".parquet":
        apply.write_means(apply.interval_means(tuned, predict, intervals), output)
    else:
        apply.write_tracks(tuned, predict, intervals, genome.contigs, output)
    return {}


def _expression(model: Path, arguments: argparse.Namespace, scratch: Path) -> dict[str, int]:
    """Apply a model of personal expression; return how many alleles were scored, where variants are."""
    from . import apply_personal
    from .person_records import of_records
    from .personal import load_predictor

    _check_expression(arguments)
    tuned = load_predictor(model, Path(arguments.states or scratch / "states"))
    if arguments.fasta.is_dir():
        found = of_records(tuned.settings, arguments.fasta, arguments.sample, arguments.records_along)
    else:
        genome = Reference(arguments.fasta)
        genes = arguments.genes or apply_personal.genes_of_run(model, tuned.settings)
        if _annotates(arguments):
            return apply_personal.annotate_expression(tuned, genome, genes, arguments.vcf, arguments.output)
        common = apply_personal.common_of_run(model, tuned.settings)
        files = arguments.vcf, genome, genes, scratch
        found = apply_personal.of_genotypes(tuned.settings, *files, common, **_read(arguments))
    write_table(apply_personal.expression_of(tuned, found), arguments.output)
    return {}


def _check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that belong together with no model."""
    if _annotates(arguments) and not arguments.vcf:
        raise InputError("no variants to annotate", where="--vcf", mend="Give the VCF whose variants are to be scored.")
    if _annotates(arguments) and (arguments.sample or arguments.bed or arguments.haplotype):
        mend = "Leave --sample, --haplotype and --bed out, or give a folder or NAME.parquet as output."
        raise InputError("a VCF as output holds every variant, whoever carries it", where="--output", mend=mend)
    if arguments.output.suffix not in ("", ".parquet", ".vcf", ".gz"):
        known = "a folder, NAME.parquet or NAME.vcf[.gz]"
        raise InputError(f"{arguments.output.suffix} is not written", where="--output", mend=f"Give {known}.")
    if not arguments.fasta.exists():
        raise InputError("no such file", where=arguments.fasta, mend="Give a FASTA file.")


def _check_tracks(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a track model has no use for, or too few."""
    if arguments.genes or arguments.records_along or arguments.fasta.is_dir():
        mend = "Give a genome as --fasta, and neither --genes nor --records-along."
        raise InputError("a track model predicts a genome, not genes", where="--fasta", mend=mend)
    if not _annotates(arguments) and arguments.vcf and not arguments.sample:
        mend = "Name a person of the VCF, or write NAME.vcf.gz to score its variants."
        raise InputError("whose haplotypes?", where="--sample", mend=mend)
    if arguments.sample and len(arguments.sample) > 1:
        raise InputError("tracks are predicted of one person", where="--sample", mend="Name one.")
    if arguments.sample and not arguments.vcf:
        raise InputError("a person without genotypes", where="--sample", mend="Give the person's phased --vcf.")
    if arguments.haplotype and not arguments.sample:
        raise InputError("a haplotype of nobody", where="--haplotype", mend="Give --vcf and --sample.")


def _check_expression(arguments: argparse.Namespace) -> None:
    """Refuse arguments that a model of personal expression has no use for, or too few."""
    if arguments.bed or arguments.haplotype:
        mend = "Name genes by --genes; the table has both haplotypes beside their mean."
        raise InputError("expression is of genes, from both haplotypes", where="--bed or --haplotype", mend=mend)
    if not _annotates(arguments) and arguments.output.suffix != ".parquet":
        raise InputError("expression is a table", where="--output", mend="Give NAME.parquet or NAME.vcf[.gz].")
    records = arguments.fasta.is_dir()
    if records and (arguments.vcf or arguments.genes):
        mend = "Leave --vcf and --genes out, or give the genome as --fasta."
        raise InputError("a folder of people's FASTAs holds their genes as they have them", where="--fasta", mend=mend)
    if not records and not arguments.vcf:
        mend = "Give their phased --vcf, or a folder of their FASTAs as --fasta."
        raise InputError("whose expression?", where="--vcf", mend=mend)
    if not records and arguments.records_along:
        raise InputError("no folder of records", where="--records-along", mend="Leave it out.")
