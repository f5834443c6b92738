"""Haplotypes and counts as files that other programs read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import pysam

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.contigs import some
from glmflow.genome.haplotypes import HaplotypeReader, reverse_window
from glmflow.genome.unphased import write_ambiguity_codes
from glmflow.text_files import write_bytes

log = logging.getLogger(__name__)

LINE = 60
CHUNK = 1 << 20  # lines written at a time

PARTITION_COLUMNS = [
    *("sample", "gene", "symbol", "chr", "TSS", "strand"),
    *("rpkm", "log_TPM", "raw count", "log_count", "labels", "split"),
]


def write_fasta(records: Iterable[tuple[str, np.ndarray]], path: str | PathLike[str]) -> None:
    """Write sequences (header without `>`, uint8[L]) as FASTA.

    A name that ends in .gz is compressed with bgzip and indexed (.fai, .gzi).
    """
    path = Path(path)
    with ExitStack() as files:
        temporary = files.enter_context(atomic_path(path))
        packed = path.suffix == ".gz"
        with write_bytes(temporary, packed) as handle:
            for header, sequence in records:
                handle.write(f">{header}\n".encode())
                for start in range(0, len(sequence), CHUNK * LINE):
                    for lines in _lines(sequence[start : start + CHUNK * LINE]):
                        handle.write(lines.tobytes())
        if packed:
            indexes = [files.enter_context(atomic_path(f"{path}{suffix}")) for suffix in (".fai", ".gzi")]
            pysam.faidx(str(temporary), "--fai-idx", str(indexes[0]), "--gzi-idx", str(indexes[1]))


def _lines(sequence: np.ndarray) -> Iterator[np.ndarray]:
    """Yield bases with an end of line after each `LINE`, and after the rest."""
    full = len(sequence) // LINE
    lines = np.empty((full, LINE + 1), np.uint8)
    lines[:, :LINE] = sequence[: full * LINE].reshape(full, LINE)
    lines[:, LINE] = ord("\n")
    yield lines
    if len(sequence) % LINE:
        yield np.append(sequence[full * LINE :], np.uint8(ord("\n")))


def export_haplotype(
    reader: HaplotypeReader,
    sample: str,
    haplotype: int,
    path: str | PathLike[str],
    *,
    iupac: bool = False,
) -> list[str]:
    """Write a sample's haplotype, every contig of the store, as FASTA (bgzip and indexed where it ends in .gz).

    Parameters
    ----------
    reader
        Of a store built with `unphased="reference"` where `iupac` is wanted.
    sample, haplotype
        Sample and haplotype (1 or 2).
    path
        Such as `cohort/haplotypes/{sample}.{haplotype}.fa.gz`.
    iupac
        Write unphased heterozygous single bases as ambiguity codes, as `bcftools consensus -H 1pIu` does; unphased
        insertions and deletions, which it applies too, stay the reference. For readers and other programs:
        models know A C G T N only.

    Returns
    -------
    list[str]
        Contigs left out because the sample has one haplotype only there.

    Raises
    ------
    InputError
        No such sample, or none of the contigs has this haplotype.
    """
    contigs = reader.store.contigs
    present = [chrom for chrom, end in contigs.items() if reader.store.has_haplotype(sample, haplotype, chrom, 0, end)]
    left_out = [chrom for chrom in contigs if chrom not in present]
    if not present:
        raise InputError(
            f"haplotype {haplotype} of {sample} is complete on no contig: each has haploid calls",
            fix="Take haplotype 1, or a region of diploid calls (--region).",
        )
    if left_out:
        log.warning("%s has one haplotype only in %s: left out", sample, some(left_out))
    write_fasta(((chrom, _whole(reader, sample, haplotype, chrom, iupac)) for chrom in present), path)
    return left_out


def _whole(reader: HaplotypeReader, sample: str, haplotype: int, chrom: str, iupac: bool) -> np.ndarray:
    """Return a whole haplotype."""
    blocks = reader.blocks(sample, haplotype, chrom)
    if iupac:
        blocks = write_ambiguity_codes(blocks, reader.store, sample, chrom)
    return np.concatenate([bases for bases, _ in blocks])


def export_gene_fastas(
    reader: HaplotypeReader,
    genes: pd.DataFrame,
    partitions: pd.DataFrame,
    folder: str | PathLike[str],
    length: int = 32_000,
) -> None:
    """Write haplotype windows around transcription start sites in the layout of the DNA-AI hackathon.

    `fasta/{sample}_allele_{1,2}.fasta` has a record per gene, `>GENE chr:17;strand:+;start:..;end:..`, in the direction
    of the gene, `start` and `end` being the 1-based start site less and plus half the length; `partitions.csv` has a
    row per sample and gene.

    Parameters
    ----------
    reader
        Haplotypes (`variants="snv"` as in the task).
    genes
        `gene_id`, `gene_name`, `chrom`, `strand`, `tss` (0-based), as `annotation.read_genes` returns them.
    partitions
        `sample`, `gene`, `labels`, `split` and what is known of `rpkm`, `log_TPM`, `raw count`, `log_count` and further
        columns; `symbol`, `chr`, `TSS` and `strand` are filled in from `genes`.
    folder
        Where it goes.
    length
        Bases of a window, the start site in its middle.

    Raises
    ------
    InputError
        A column is missing, or a gene or sample is unknown.
    """
    folder = Path(folder)
    missing = [name for name in ("sample", "gene", "labels", "split") if name not in partitions]
    if missing:
        raise InputError(f"partitions without {some(missing)}", fix="Give these columns.")
    genes = genes.set_index("gene_id")
    wanted = partitions["gene"].unique()
    unknown = [gene for gene in wanted if gene not in genes.index]
    if unknown:
        raise InputError(f"genes not in the annotation: {some(unknown)}", fix="Take the annotation they come from.")
    genes = genes.loc[wanted]
    for sample in partitions["sample"].unique():
        for haplotype in (1, 2):
            records = _gene_records(reader, genes, sample, haplotype, length)
            write_fasta(records, folder / "fasta" / f"{sample}_allele_{haplotype}.fasta")
    about = genes.loc[partitions["gene"]].reset_index()
    table = partitions.assign(
        symbol=about["gene_name"].to_numpy(),
        chr=about["chrom"].map(_bare).to_numpy(),
        TSS=about["tss"].to_numpy() + 1,
        strand=about["strand"].to_numpy(),
    )
    columns = [*PARTITION_COLUMNS, *(name for name in table if name not in PARTITION_COLUMNS)]
    with atomic_path(folder / "partitions.csv") as temporary:
        table.reindex(columns=columns).to_csv(temporary, index=False)


def _gene_records(
    reader: HaplotypeReader, genes: pd.DataFrame, sample: str, haplotype: int, length: int
) -> Iterable[tuple[str, np.ndarray]]:
    """Yield the record of each gene that lies on this haplotype."""
    for gene in genes.itertuples():
        start = gene.tss - length // 2
        if not reader.store.has_haplotype(sample, haplotype, gene.chrom, max(0, start), start + length):
            log.warning("%s has one haplotype only at %s: no second record", sample, gene.Index)
            continue
        window = reader.window(sample, haplotype, gene.chrom, start, start + length)
        if gene.strand == "-":
            window = reverse_window(window)
        place = f"chr:{_bare(gene.chrom)};strand:{gene.strand};start:{start + 1};end:{start + length + 1}"
        yield f"{gene.Index} {place}", window.sequence


def _bare(chrom: str) -> str:
    """Return a contig name without `chr`, as the task has it."""
    return chrom.removeprefix("chr")
