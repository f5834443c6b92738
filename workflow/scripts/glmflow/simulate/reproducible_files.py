"""Genome, variants and tables as files whose bytes depend on their content alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pysam

from glmflow.simulate.phased_variants import Variants
from glmflow.simulate.sequence import LETTERS

LINE_BP = 60


def write_fasta(path: Path, contigs: dict[str, np.ndarray]) -> None:
    """Write contigs (codes) as FASTA with its index."""
    with path.open("wb") as handle:
        for name, codes in contigs.items():
            handle.write(f">{name}\n".encode())
            letters = LETTERS[codes]
            whole = len(letters) // LINE_BP * LINE_BP
            lines = np.full((whole // LINE_BP, LINE_BP + 1), ord("\n"), np.uint8)
            lines[:, :LINE_BP] = letters[:whole].reshape(-1, LINE_BP)
            handle.write(lines.tobytes())
            if whole < len(letters):
                handle.write(letters[whole:].tobytes() + b"\n")
    pysam.faidx(str(path))


def write_vcf(path: Path, contigs: dict[str, int], people: list[str], variants: dict[str, Variants]) -> None:
    """Write phased variants as bgzip VCF with its tabix index.

    Parameters
    ----------
    path
        Ends in .vcf.gz.
    contigs
        Length of every contig, in bp.
    samples
        Sample names, in the order of the variants' pairs of columns.
    variants
        By contig.
    """
    header = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        *(f"##contig=<ID={name},length={length}>" for name, length in contigs.items()),
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Number of alleles">',
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Phased genotype">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]),
    ]
    genotypes = np.frombuffer(b"\t0|0\t0|1\t1|0\t1|1", np.uint32)
    with pysam.BGZFile(str(path), "wb") as handle:
        handle.write("\n".join([*header, ""]).encode())
        for name in contigs:
            for row in _vcf_lines(name, variants[name], genotypes):
                handle.write(row)
    pysam.tabix_index(str(path), preset="vcf", force=True)


def _vcf_lines(chrom: str, variants: Variants, genotypes: np.ndarray) -> Iterable[bytes]:
    count, number = variants.carried.sum(1), variants.carried.shape[1]
    for i in range(len(variants)):
        info = f"AC={count[i]};AN={number};AF={count[i] / number:.6g}"
        alleles = f"{variants.reference[i]}\t{variants.alternate[i]}"
        carried = variants.carried[i]
        code = 2 * carried[0::2] + carried[1::2]
        fields = f"{chrom}\t{variants.position[i] + 1}\t.\t{alleles}\t.\tPASS\t{info}\tGT"
        yield fields.encode() + genotypes[code].tobytes() + b"\n"


def write_table(path: Path, table: pd.DataFrame, decimals: int = 6) -> None:
    """Write a table as tab-separated text; numbers with this many decimals."""
    table.to_csv(path, sep="\t", index=False, float_format=f"%.{decimals}f", lineterminator="\n")
