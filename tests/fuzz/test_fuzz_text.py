"""FASTA, GTF, GFF3, BED, matrices of expression, tables of samples and YAML, changed at random."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from fuzzing import BYTES, MUTATIONS, TEXT, fuzz
from glmflow.config import check_study
from glmflow.config.syntax import read_yaml
from glmflow.genome.annotation import read_annotation
from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.intervals import read_intervals
from glmflow.genome.people import read_people
from glmflow.genome.reference import Reference, contig_lengths, prepare_reference
from glmflow.models.model_commands import read_fasta
from glmflow.tasks.snp2gex.expression_matrix import measured_samples, read_expression
from glmflow.text_files import write_bytes
from running import ROOT

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
CONTIGS = {"chr1": 20_000, "chr2": 9_000}


def bases(length):
    return "".join(RNG.choice(list("ACGT"), length))


FASTA = "".join(
    f">{name} a description\n" + "".join(f"{line}\n" for line in re.findall(".{1,60}", bases(length)))
    for name, length in {"chr1": 1000, "chr2": 130, "chrM": 61}.items()
).encode()


def gtf():
    for number in range(30):
        start, strand = 100 + 300 * number, "+-"[number % 2]
        names = f'gene_id "G{number}.1"; gene_name "N{number}"'
        chrom = "chr1" if number < 25 else "chr2"
        start = start if number < 25 else start - 7000
        if number % 3:
            yield f"{chrom}\tx\tgene\t{start}\t{start + 200}\t.\t{strand}\t.\t{names};\n"
        for part in range(3):
            about = f'{names}; transcript_id "T{number}"; exon_number {part + 1}'
            yield f"{chrom}\tx\texon\t{start + 70 * part}\t{start + 70 * part + 50}\t.\t{strand}\t.\t{about};\n"


GTF = ("#!genome-build x\n" + "".join(gtf())).encode()
GFF3 = (
    "##gff-version 3\nchr1\tx\tregion\t1\t20000\t.\t.\t.\tID=r;Is_circular=true\n"
    + "".join(
        f"chr1\tx\tgene\t{p}\t{p + 99}\t.\t+\t.\tID=gene:G{p};Name=N{p};gene_id=G{p}\n"
        f"chr1\tx\tmRNA\t{p}\t{p + 99}\t.\t+\t.\tID=transcript:T{p};Parent=gene:G{p}\n"
        f"chr1\tx\texon\t{p}\t{p + 40}\t.\t+\t.\tParent=transcript:T{p};Name=E{p}\n"
        for p in range(100, 19_000, 700)
    )
).encode()
BED = "".join(f"chr{1 + n % 2}\t{40 * n}\t{40 * n + 30}\tpeak{n}\t{n}\t{'+-'[n % 2]}\n" for n in range(60)).encode()
MATRIX = (
    "#chr\tstart\tend\tgene_id\t" + "\t".join(f"P{n}" for n in range(8)) + "\n"
    + "".join(
        f"chr1\t{n}\t{n + 1}\tENSG{n:05d}.3\t" + "\t".join(f"{value:.3f}" for value in RNG.gamma(1, 3, 8)) + "\n"
        for n in range(40)
    )
).encode()  # fmt: skip
COUNTS = (
    '# Program:featureCounts v2.0.6; Command:"featureCounts"\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta/P0.bam\ta/P1.bam\n'
    + "".join(f"G{n}\tchr1;chr1\t{n};{n + 5}\t{n + 2};{n + 9}\t+;+\t9\t{n}\t{n * 2}\n" for n in range(30))
).encode()
PEOPLE = ("sample\tpop\tsuper_pop\tgender\t\t\n" + "".join(f"P{n}\tx{n % 3}\tEUR\tmale\n" for n in range(30))).encode()


def gzipped(content, path):
    path.write_bytes(gzip.compress(content))


def bgzip(content, path):
    with write_bytes(path, packed=True) as handle:
        handle.write(content)


def genome(path: Path):
    reference = Reference(path)
    return {name: reference.fetch_string(name, -5, length + 5) for name, length in reference.contigs.items()}


def copied(path: Path):
    counts, lengths = prepare_reference(path, path.parent / "copy.fa"), contig_lengths(path)
    reference = Reference(path.parent / "copy.fa")
    assert reference.contigs == lengths
    return counts, {name: reference.fetch_string(name, 0, length) for name, length in reference.contigs.items()}


def annotation(path: Path):
    genes, exons, skipped = read_annotation(path, CONTIGS)
    return genes.values.tolist(), exons.values.tolist(), skipped


def intervals(path: Path):
    return read_intervals(path, CONTIGS)


def starts(path: Path):
    return read_gene_starts(path, CONTIGS).values.tolist()


def expression(path: Path):
    values, notes = read_expression(path)
    assert values.columns.tolist() == measured_samples(path)
    return values.index.tolist(), values.columns.tolist(), values.to_numpy().tobytes(), notes


def people(path: Path):
    return (
        read_people(path, [f"P{n}" for n in range(30)])
        .astype(object)
        .where(lambda table: table.notna(), None)
        .values.tolist()
    )


def study(path: Path):
    return check_study(read_yaml(path), path).model_dump(mode="json")


TEXTS = {
    "FASTA": ("g.fa", FASTA, genome),
    "FASTA, copied": ("g.fa", FASTA, copied),
    "FASTA of sequences": ("s.fa", FASTA, read_fasta),
    "GTF": ("g.gtf", GTF, annotation),
    "GFF3": ("g.gff3", GFF3, annotation),
    "BED": ("i.bed", BED, intervals),
    "BED of genes": ("g.bed", BED, starts),
    "expression": ("e.bed", MATRIX, expression),
    "featureCounts": ("e.txt", COUNTS, expression),
    "people": ("p.tsv", PEOPLE, people),
    "YAML": ("s.yaml", (ROOT / "config" / "config.yaml").read_bytes(), study),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name, tmp_path, say):
    file, content, read = TEXTS[name]
    # Of a FASTA that is read at random a byte order mark is refused; more is not asked.
    fuzz(name, tmp_path, file, content, read, BYTES + TEXT, say)


@pytest.mark.parametrize("pack", [gzipped, bgzip])
@pytest.mark.parametrize("name", ["FASTA, copied", "GTF", "BED", "expression"])
def test_compressed_text(name, pack, tmp_path, say):
    file, content, read = TEXTS[name]
    pack(content, tmp_path / "packed")
    packed = (tmp_path / "packed").read_bytes()
    kind = f"{name}, {pack.__name__}"
    fuzz(kind, tmp_path / "outside", f"{file}.gz", packed, read, BYTES, say, exact=True, times=MUTATIONS // 5)
    fuzz(
        f"{kind}, after the change",
        tmp_path / "inside",
        f"{file}.gz",
        content,
        read,
        BYTES + TEXT,
        say,
        pack,
        times=MUTATIONS // 5,
    )
