"""Windows of genes from samples' own FASTAs, in the layout of the DNA-AI hackathon: two files a sample, a record a gene."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.genome.contigs import some
from glmflow.genome.distinct import distinct_windows
from glmflow.genome.gene_windows import GeneHaplotypes
from glmflow.genome.reference import Reference
from glmflow.genome.sample_fastas import fastas_of
from glmflow.training.inputs.cohort_genes import GeneSamples

log = logging.getLogger(__name__)

FIRST = "_allele_1.fasta"
Pair = tuple[Reference, Reference]


def of_records(
    settings: Mapping[str, Any], folder: Path, samples: Sequence[str] | None, along: str | None = None
) -> Iterator[GeneSamples]:
    """Yield the genes that samples have records of, with the window that the model of a run reads in each.

    A sample with one record of a gene (haploid) has it twice. One without any is left out of that gene.

    Parameters
    ----------
    settings
        Of the run.
    folder
        Holds `fasta/{sample}_allele_{1,2}.fasta` with records `>GENE chr:..;strand:..;start:..;end:..`.
    samples
        Samples; everyone with files where None.
    along
        Records of genes on the minus strand are read along the `gene` or along the `genome`. None: as the files of the
        hackathon that the model was trained on; else along the gene, as `export_gene_fastas` writes them.

    Raises
    ------
    InputError
        A sample has no files, or one; a record says no strand or is too short for the model.
    """
    people = sorted(path.name.removesuffix(FIRST) for path in (folder / "fasta").glob(f"*{FIRST}"))
    if not people:
        raise InputError("no sample has two FASTAs there", where=folder / "fasta", fix=f"Name them SAMPLE{FIRST} ...")
    absent = [sample for sample in samples or () if sample not in people]
    if absent:
        fix = f"It has {some(people)}; check the samples."
        raise InputError(f"no sample {some(absent)}", where=folder / "fasta", fix=fix)
    people = [person for person in people if samples is None or person in set(samples)]
    fastas = fastas_of(folder, people)
    alone = [person for person in people if person not in fastas]
    if alone:
        raise InputError(f"{alone[0]} has no second FASTA", where=folder / "fasta", fix="Give both.")
    hackathon = settings["task"].get("hackathon")
    turned = (along or ("genome" if hackathon and not hackathon["oriented"] else "gene")) == "genome"
    size = settings["task"]["windows"]["size"]
    off = 0
    for gene, strand in strands_of(fastas).items():
        having = {person: files for person, pair in fastas.items() if (files := with_record(pair, gene))}
        if len(having) < len(people):
            log.warning("%s: %d samples without a record left out", gene, len(people) - len(having))
        windows = []
        for files in having.values():
            for file in (files[0], files[-1]):
                record = file.fetch(gene, 0, file.contigs[gene])
                record = reverse_complement(record) if turned and strand == "-" else record
                off += strand == "-" and len(record) == size and not hackathon
                windows.append(window_of(record, "+" if hackathon else strand, size, f"{file.path}, {gene}"))
        distinct = distinct_windows(windows)
        of_person = distinct.inverse.reshape(len(having), 2)
        yield GeneSamples(gene, list(having), GeneHaplotypes(np.stack(distinct.sequences), of_person))
    if off:
        log.warning(
            "%s: %d records of genes on the minus strand are as long as the window and so lie one base off the TSS that the "
            "model knows: predictions are not quite those from a VCF; give records of %d bases or more",
            *(folder, off, size + 2),
        )


def with_record(pair: Pair, gene: str) -> list[Reference]:
    """Return the one or two files of a sample that have a record of a gene."""
    return [file for file in pair if gene in file.contigs]


def strands_of(fastas: Mapping[str, Pair]) -> dict[str, str]:
    """Return the strand of every gene that anyone has a record of, from its header."""
    strands: dict[str, str] = {}
    for file in (file for pair in fastas.values() for file in pair):
        if file.contigs.keys() <= strands.keys():
            continue
        with file.path.open() as lines:
            headers = [line[1:] for line in lines if line.startswith(">")]
        for header in headers:
            gene, strand = header.split()[0], re.search(r"\bstrand:([+-])", header)
            if strand is None:
                fix = "Write `>GENE chr:..;strand:+;start:..;end:..`."
                raise InputError(f"the record of {gene} says no strand", where=file.path, fix=fix)
            strands.setdefault(gene, strand[1])
    return strands


def window_of(record: NDArray[np.uint8], strand: str, size: int, where: str) -> NDArray[np.uint8]:
    """Return the window of a model in a record that is read along its gene: the TSS is base `size // 2` of it.

    Records reach from half their length before the TSS, on the genome, to as far behind it: of an even number of bases,
    the TSS of a gene on the minus strand is one base before the middle. A record as long as the window is taken whole.

    Parameters
    ----------
    strand
        Of the gene; `+` where the TSS is taken to be in the middle, as models of the hackathon's files do.
    """
    length = len(record)
    if length == size:
        return record
    tss = length // 2 if strand == "+" else length - 1 - length // 2
    start = tss - size // 2
    if start < 0 or start + size > length:
        fix = (
            f"The model reads {size:,} bases around the TSS: give records of {size + 2:,} or more, or of just as many."
        )
        raise InputError(f"a record of {length:,} bases", where=where, fix=fix)
    return record[start : start + size]
