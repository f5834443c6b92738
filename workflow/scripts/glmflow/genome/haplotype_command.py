"""`glmflow haplotype`: a sample's haplotype as FASTA."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from glmflow.errors import InputError
from glmflow.genome.export import export_haplotype, write_fasta
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.store import MODES
from glmflow.genome.variants import build_store


def add_haplotype_command(subparsers: argparse._SubParsersAction) -> None:
    """Add `haplotype` to the commands."""
    parser = subparsers.add_parser(
        "haplotype",
        description="Write one haplotype of a sample of a phased VCF as FASTA: every contig that the VCF has, by its "
        "name, or a region, named SAMPLE#HAPLOTYPE#CHR:START-END (PanSN). Alleles that cannot be applied are counted "
        "on standard error.",
    )
    parser.add_argument("--fasta", type=Path, required=True, help="the genome the variants were called on")
    parser.add_argument("--vcf", type=Path, required=True, help="phased VCF or BCF")
    parser.add_argument("--sample", required=True, help="name in the VCF")
    parser.add_argument(
        "--haplotype", type=int, choices=(1, 2), required=True, help="left (1) or right (2) of the bar in `0|1`"
    )
    parser.add_argument("--region", metavar="CHR[:START-END]", help="1-based, end included; every contig by default")
    parser.add_argument("--variants", choices=MODES, default="all", help="snv keeps every coordinate (default: all)")
    add_genotype_arguments(parser, {"iupac": "write ambiguity codes (single bases; others stay the reference)"})
    parser.add_argument(
        "--output", type=Path, required=True, help="FASTA; compressed with bgzip and indexed if it ends in .gz"
    )
    parser.set_defaults(run=run_haplotype)


def add_genotype_arguments(parser: argparse.ArgumentParser, also: Mapping[str, str] | None = None) -> None:
    """Add `--unphased` and `--filter`: what is read of a VCF's genotypes. `also`: further policies, with their meaning."""
    policies = {"refuse": "refuse the file", "reference": "leave the reference", **(also or {})}
    parser.add_argument(
        "--unphased",
        choices=tuple(policies),
        default="refuse",
        help=f"unphased heterozygotes: {', '.join(policies.values())} (default: refuse)",
    )
    parser.add_argument(
        "--filter",
        nargs="*",
        metavar="NAME",
        default=["PASS", "."],
        help="FILTER values to keep, `.` for a record without one (default: PASS .); without a name, every record",
    )


def run_haplotype(arguments: argparse.Namespace) -> int:
    """Write the haplotype that the arguments ask for; return the exit code.

    Raises
    ------
    InputError
        The files do not fit, or the sample, region or haplotype does not exist.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    reference = Reference(arguments.fasta)
    region = arguments.region and _region(arguments.region, reference)
    iupac = arguments.unphased == "iupac"
    if iupac and region:
        raise InputError("ambiguity codes are for whole haplotypes", where="--unphased", fix="Leave --region out.")
    with tempfile.TemporaryDirectory() as folder:
        store = build_store(
            arguments.vcf,
            reference,
            Path(folder) / "store",
            samples=[arguments.sample],
            contigs=[region[0]] if region else None,
            filter_policy=arguments.filter or None,
            unphased="reference" if iupac else arguments.unphased,
        )
        reader = HaplotypeReader(store, reference, arguments.variants)
        person = arguments.sample, arguments.haplotype
        if region:
            chrom, start, end = region
            name = chrom if arguments.region == chrom else f"{arguments.sample}#{arguments.haplotype}#{_place(region)}"
            write_fasta([(name, reader.region(*person, chrom, start, end).sequence)], arguments.output)
            applied = f" in {_place(region)}, {reader.applied(*person, chrom, start, end):,} alleles applied"
        else:
            export_haplotype(reader, *person, arguments.output, iupac=iupac)
            applied = ""
        written = f"{arguments.output}: haplotype {arguments.haplotype} of {arguments.sample}{applied}"
        print(f"{written}; {store.summary(arguments.variants)}", file=sys.stderr)
    return 0


def _place(region: tuple[str, int, int]) -> str:
    """Return a region (0-based half-open) as people and samtools write it: 1-based, end included."""
    chrom, start, end = region
    return f"{chrom}:{start + 1}-{end}"


def _region(text: str, reference: Reference) -> tuple[str, int, int]:
    """Return contig, start and end (0-based half-open) of `chr` or `chr:start-end` (1-based, end included)."""
    if text in reference.contigs:
        return text, 0, reference.contigs[text]
    match = re.fullmatch(r"(.+):([\d,]+)-([\d,]+)", text)
    chrom = match[1] if match else text.rpartition(":")[0] or text
    if chrom not in reference.contigs:
        known = ", ".join([*list(reference.contigs)[:5], *(["..."] if len(reference.contigs) > 5 else [])])
        fix = f"Write CHR or CHR:START-END; its contigs are {known}."
        raise InputError(f"no region {text!r}: no contig {chrom!r}", where=reference.path, fix=fix)
    if match is None:
        fix = f"Write {chrom} or {chrom}:START-END (1-based, end included)."
        raise InputError(f"{text!r} is not CHR:START-END", where="--region", fix=fix)
    first, end, length = int(match[2].replace(",", "")), int(match[3].replace(",", "")), reference.contigs[chrom]
    if first > end:
        raise InputError(f"{text} starts after its end", where="--region", fix="Write the smaller position first.")
    if first < 1 or end > length:
        raise InputError(f"region {text} is not within 1-{length}", where=reference.path, fix="Correct it.")
    return chrom, first - 1, end
