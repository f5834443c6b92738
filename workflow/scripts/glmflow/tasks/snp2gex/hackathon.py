"""The files of the StatBiomed DNA-AI hackathon: two FASTAs a sample, one record a gene, and `partitions.csv`.

All records of a gene are equally long, for its haplotypes carry single-base variants only; the transcription start is in
the middle. They are turned into a genome of one contig a gene and phased variants over it, so that all that reads a
cohort reads these samples too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysam
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.counts import Counts
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.loci import groups_of, locus_groups
from glmflow.genome.reference import Reference
from glmflow.genome.sample_fastas import fastas_of
from glmflow.genome.tss_windows import tss_windows
from glmflow.tasks.tables import EXAMPLE_COLUMNS, Made

from . import leaks
from .cells import TEST, TRAIN, VALIDATION, draw_groups
from .examples import gene_facts, permuted_within_genes, read_alleles, sharing
from .label_classes import SEEN_SEEN, SEEN_UNSEEN, scorer_spelling
from .official import PROMOTER_ACTIVITY, VALID_ROW
from .submission import read_csv

BASES = np.frombuffer(b"ACGT", np.uint8)
N = ord("N")
PREDICT = "predict"
COLUMNS = ("sample", "gene", "labels", "split", "chr", "TSS", "strand")


def read_rows(path: str | os.PathLike[str], target: str) -> pd.DataFrame:
    """Read the rows of `partitions.csv` that a task is about: samples, and for promoter activity the valid ones.

    Raises
    ------
    InputError
        A column is missing, a pair comes twice, or a split is neither train nor test.
    """
    table = read_csv(path, [*COLUMNS, target, *([VALID_ROW] if target == PROMOTER_ACTIVITY else [])])
    table = table[table["sample"] != "ref"]
    if target == PROMOTER_ACTIVITY:
        table = table[table[VALID_ROW] == 1]
    twice = table[table.duplicated(["sample", "gene"])]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(f"{len(twice):,} pairs come twice, such as {first['sample']} {first['gene']}", where=path)
    unknown = sorted(set(table["split"].astype(str)) - {TRAIN, TEST})
    if unknown:
        raise InputError(f"unknown split {unknown[0]!r}", where=path, fix="Say train or test.")
    return table.reset_index(drop=True)


def write_cohort(folder: str | os.PathLike[str], oriented: bool, fasta: Path, vcf: Path, gtf: Path) -> dict[str, int]:
    """Write genome, phased variants and genes of the hackathon's samples.

    The genome has a contig a gene with the base that most haplotypes carry; a base that is not read (N, or an IUPAC code
    of an unphased call) becomes that base too.

    Parameters
    ----------
    folder
        Holds `fasta/` and `partitions.csv`.
    oriented
        Records are read along the gene already; else those of genes on the minus strand are read along the genome.
    fasta, vcf, gtf
        Files to write; `vcf` ends in .vcf.gz and gets an index beside it.

    Returns
    -------
    dict[str, int]
        Counts: samples and genes without records, variants, bases that are not read.

    Raises
    ------
    InputError
        No sample has both FASTAs, no gene a record in all of them, or the records of a gene differ in length.
    """
    folder = Path(folder)
    table = read_csv(folder / "partitions.csv", COLUMNS)
    table = table[table["sample"] != "ref"]
    people = sorted(table["sample"].unique())
    fastas = fastas_of(folder, people)
    if not fastas:
        raise InputError(
            f"no sample of partitions.csv has two FASTAs ({people[0]}_allele_1.fasta ...)", where=folder / "fasta"
        )
    first = table.drop_duplicates("gene").set_index("gene")
    genes = [gene for gene in first.index if all(gene in file.contigs for pair in fastas.values() for file in pair)]
    if not genes:
        raise InputError("no gene has a record in every FASTA", where=folder / "fasta", fix="Check the gene ids.")
    counts = {
        "samples without two FASTAs": len(people) - len(fastas),
        "genes without a record in every FASTA": len(first) - len(genes),
        "variants": 0,
        "bases that are not read": 0,
    }
    lengths = {gene: next(iter(fastas.values()))[0].contigs[gene] for gene in genes}
    with (
        atomic_path(fasta) as genome,
        atomic_path(gtf) as annotation,
        atomic_path(vcf) as variants,
        genome.open("wb") as sequence,
        annotation.open("w") as lines,
        pysam.BGZFile(str(variants), "wb") as calls,
    ):
        calls.write(_header(lengths, list(fastas)).encode())
        for gene in genes:
            rows = _haplotypes(gene, fastas, lengths[gene])
            consensus = majority(rows)
            sequence.write(f">{gene}\n".encode() + consensus.tobytes() + b"\n")
            lines.write(_gene_line(gene, lengths[gene], "+" if oriented else first.at[gene, "strand"]))
            for line in variant_lines(gene, rows, consensus):
                calls.write(line.encode())
                counts["variants"] += 1
            counts["bases that are not read"] += int((rows == N).sum())
    pysam.tabix_index(str(vcf), preset="vcf", force=True)
    return counts


def _haplotypes(gene: str, fastas: Mapping[str, tuple[Reference, Reference]], length: int) -> NDArray[np.uint8]:
    """Return the records of a gene, `[2 x samples, L]`."""
    rows = np.empty((2 * len(fastas), length), np.uint8)
    for number, (person, pair) in enumerate(fastas.items()):
        for haplotype, file in enumerate(pair):
            if file.contigs[gene] != length:
                raise InputError(
                    f"{gene} has {file.contigs[gene]:,} bases in {person}, {length:,} in others",
                    where=file.path,
                    fix="Records must be of one length; give a VCF where samples carry insertions or deletions.",
                )
            rows[2 * number + haplotype] = file.fetch(gene, 0, length)
    return rows


def majority(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the most frequent of A C G T in each column of `[H, L]`; N where there is none."""
    counts = np.stack([(rows == base).sum(axis=0) for base in BASES])
    return np.where(counts.any(axis=0), BASES[counts.argmax(axis=0)], N).astype(np.uint8)


def variant_lines(gene: str, rows: NDArray[np.uint8], consensus: NDArray[np.uint8]) -> list[str]:
    """Return the lines of a VCF for the columns in which haplotypes `[2 x samples, L]` differ from the consensus."""
    lines = []
    for column in np.flatnonzero(((rows != consensus) & (rows != N)).any(axis=0)):
        alleles = [
            consensus[column],
            *(base for base in BASES if base != consensus[column] and base in rows[:, column]),
        ]
        number = np.zeros(256, np.int64)
        number[alleles] = range(len(alleles))
        calls = number[rows[:, column]]
        genotypes = "\t".join(f"{a}|{b}" for a, b in zip(calls[0::2], calls[1::2]))
        alternatives = ",".join(map(chr, alleles[1:]))
        lines.append(f"{gene}\t{column + 1}\t.\t{chr(alleles[0])}\t{alternatives}\t.\tPASS\t.\tGT\t{genotypes}\n")
    return lines


def _header(lengths: Mapping[str, int], people: Sequence[str]) -> str:
    """Return the header of the VCF."""
    lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    lines += [f"##contig=<ID={gene},length={length}>" for gene, length in lengths.items()]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Phased genotype">')
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]))
    return "\n".join(lines) + "\n"


def _gene_line(gene: str, length: int, strand: str) -> str:
    """Return the line of a GTF for the half of a contig behind its transcription start in the middle."""
    start, end = (length // 2, length) if strand == "+" else (0, length // 2)
    return f'{gene}\thackathon\tgene\t{start + 1}\t{end}\t.\t{strand}\t.\tgene_id "{gene}";\n'


def hackathon_examples(
    settings: Mapping[str, Any], rows: pd.DataFrame, genes: pd.DataFrame, windows: GeneWindows
) -> Made:
    """Make the examples of a task from the hackathon's own splits and labels.

    Rows of test samples without a target (as released) get the split `predict`; some training samples are set aside for
    validation. Targets stay as they are.

    Parameters
    ----------
    settings
        The task, as configured.
    rows
        As `read_rows` returns them.
    genes
        The genes of `write_cohort`: `gene_id`, `gene_name`, `chrom`, `tss`, `strand`.
    windows
        Reads the alleles of its samples.

    Raises
    ------
    InputError
        Windows are longer than the records, or nothing is left to train on.
    """
    counts, target = Counts(), settings["hackathon"]["target"]
    known = [name for name in windows.reader.store.samples if name in set(rows["sample"])]
    strangers = rows.loc[~rows["sample"].isin(known), "sample"].unique()
    counts.add("samples without two FASTAs", len(strangers), strangers)
    unread = rows.loc[~rows["gene"].isin(genes["gene_id"]), "gene"].unique()
    counts.add("genes without a record in every FASTA", len(unread), unread)
    rows = rows[rows["sample"].isin(known) & rows["gene"].isin(genes["gene_id"])]
    untold = (rows["split"] == TRAIN) & ~np.isfinite(rows[target].to_numpy(float))
    counts.add("training pairs without a value", untold.sum())
    rows = rows[~untold]
    if not (rows["split"] == TRAIN).any():
        raise InputError("no training row has a value", where="partitions.csv", fix=f"Fill column {target!r}.")
    placed = tss_windows(genes[genes["gene_id"].isin(rows["gene"])], settings["windows"]["size"])
    lengths = placed["chrom"].map(windows.reader.store.contigs)
    short = placed[(placed["start"] < 0) | (placed["end"] > lengths)]
    if len(short):
        raise InputError(
            f"windows of {settings['windows']['size']:,} bp are longer than the records ({int(lengths.min()):,} bp)",
            where="windows.size",
        )
    trained = set(rows.loc[rows["split"] == TRAIN, "gene"])
    placed = placed.assign(split=[TRAIN if gene in trained else TEST for gene in placed["gene_id"]]).reset_index(
        drop=True
    )
    kinship, haplotypes = read_alleles(placed, windows, known)
    together = groups_of(len(known), kinship.pairs(settings["people"]["kinship"]))
    split = _people(rows, known, together, settings["people"])
    table = _table(rows, placed, dict(zip(known, split)), target)
    for name in (TRAIN, VALIDATION, TEST, PREDICT):
        counts.add(f"{name} pairs", (table["split"] == name).sum())
    if settings["control"] == "permuted_people":
        table["target"] = permuted_within_genes(table)
    there = _on_genome(rows, placed, settings["windows"]["size"])
    checks = [
        leaks.check_genes(table),
        leaks.check_people(table),
        leaks.check_windows(there),
        leaks.shared_haplotypes(*sharing(haplotypes, placed["split"], split)),
    ]
    values = rows.pivot(index="gene", columns="sample", values=target).reindex(columns=known).astype(float)
    facts = gene_facts(placed, windows, known, split, values, None)
    # Each gene is a contig of its own here: which are one locus is told by where they lie on the chromosomes.
    facts["locus"] = facts["gene_id"].map(dict(zip(there["gene_id"], locus_groups(there))))
    people = pd.DataFrame({"sample": known, "split": split, "together": together})
    evidence = {
        "samples": known,
        "split": split,
        **kinship.evidence(),
    }
    tables = {"genes.tsv": facts, "samples.tsv": people}
    return Made(table, counts.table(), leaks.leak_table(checks), tables, evidence)


def _people(
    rows: pd.DataFrame, people: Sequence[str], together: NDArray[np.int64], settings: Mapping[str, Any]
) -> NDArray[np.object_]:
    """Return the split of each sample: some of those with training rows are set aside, relatives together."""
    trained = set(rows.loc[rows["split"] == TRAIN, "sample"])
    training = np.array([person in trained for person in people])
    split = np.full(len(people), TEST, dtype=object)
    split[training] = draw_groups(together[training], settings["validation"], 0, settings["seed"])
    return split


def _table(rows: pd.DataFrame, genes: pd.DataFrame, split: Mapping[str, str], target: str) -> pd.DataFrame:
    """Return the examples table of rows."""
    merged = rows.merge(genes[["gene_id", "chrom", "start", "end", "strand"]], left_on="gene", right_on="gene_id",
                        suffixes=("_row", ""))  # fmt: skip
    learned = merged["split"] == TRAIN
    own = merged["sample"].map(split)
    known = np.isfinite(merged[target].to_numpy(float))
    table = pd.DataFrame(
        {
            "example": merged["gene"] + "|" + merged["sample"],
            "split": np.where(learned, own, np.where(known, TEST, PREDICT)),
            "subset": np.where(
                learned, np.where(own == TRAIN, SEEN_SEEN, SEEN_UNSEEN), merged["labels"].map(scorer_spelling)
            ),
            **{name: merged[name] for name in ("chrom", "start", "end", "strand", "sample")},
            "group": merged["gene"],
            "target": merged[target].astype(float),
        }
    )
    table = table.assign(**{name: None for name in EXAMPLE_COLUMNS if name not in table})
    return table[[*EXAMPLE_COLUMNS, "target"]]


def _on_genome(rows: pd.DataFrame, genes: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return the windows of genes where they lie on the chromosomes, to find those that overlap."""
    places = rows.drop_duplicates("gene").set_index("gene")
    tss = places["TSS"].reindex(genes["gene_id"]).to_numpy(int)
    chrom = places["chr"].reindex(genes["gene_id"]).astype(str).to_numpy()
    start = tss - size // 2
    return genes[["gene_id", "split"]].assign(chrom=chrom, start=start, end=start + size, tss=tss)
