"""What the simulation's files must say, computed another way than the simulation does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pysam.bcftools

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
IUPAC = {"M": "AC", "R": "AG", "W": "AT", "S": "CG", "Y": "CT", "K": "GT"} | {base: base for base in "ACGT"}


def reverse_complement(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


def read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t")


def matches(word: str, motif: str) -> bool:
    return len(word) == len(motif) and all(base in IUPAC[letter] for base, letter in zip(word, motif, strict=True))


def activity(promoter: str, motifs: pd.DataFrame, biosample: str, pair_effect: float, sd: float) -> float:
    """Log activity of a promoter (5' to 3', up to the base before the TSS) as truth/README.txt defines it.

    Position weight matrices slide along the sequence and its reverse complement; no table of words is involved.
    """
    sites = {}
    for row in motifs.itertuples():
        matrix = np.array([[_probability(base, letter) for base in "ACGT"] for letter in row.consensus])
        bits = np.log2(matrix / 0.25)
        best = bits.max(axis=1).sum()
        forward = _occupancy(promoter, bits, best)
        backward = _occupancy(reverse_complement(promoter), bits, best)[::-1]
        sites[row.motif] = forward, backward if row.strands == "both" else 0 * backward
    places = len(promoter) - 7
    middle = len(promoter) - (np.arange(places) + 4)  # from the middle of a site to the TSS
    weight = np.exp(-(middle**2) / (2 * sd**2))
    total = 0.0
    for row in motifs.itertuples():
        s = ((sites[row.motif][0] + sites[row.motif][1]) * weight).sum()
        total += getattr(row, f"effect_{biosample}") * s / (1 + 0.15 * s)
    left, right = (sites[name] for name in motifs["motif"].iloc[-2:])
    pair = (left[0][:-12] * right[0][12:] + right[1][:-12] * left[1][12:]) @ weight[:-12]
    return total + pair_effect * pair / (1 + 0.15 * pair)


def _probability(base: str, letter: str) -> float:
    allowed = IUPAC[letter]
    return (1 - 0.02 * (4 - len(allowed))) / len(allowed) if base in allowed else 0.02


def _occupancy(sequence: str, bits: np.ndarray, best: float) -> np.ndarray:
    found = np.zeros(len(sequence) - 7)
    for start in range(len(found)):
        word = sequence[start : start + 8]
        if "N" not in word:
            score = sum(bits[i, "ACGT".index(base)] for i, base in enumerate(word))
            found[start] = 1 / (1 + np.exp(-(score - best + 3) / 0.6))
    return found


def promoters(folder: Path, genes: pd.DataFrame, length: int) -> dict[str, tuple[str, int, int, str]]:
    """gene_id -> chrom, start, end (0-based half-open), strand of the promoters that lie within their contig."""
    lengths = pysam.FastaFile(str(folder / "genome.fa"))
    spans = {}
    for gene in genes.itertuples():
        start, end = (gene.tss - length, gene.tss) if gene.strand == "+" else (gene.tss + 1, gene.tss + 1 + length)
        if start >= 0 and end <= lengths.get_reference_length(gene.chrom):
            spans[gene.gene_id] = gene.chrom, start, end, gene.strand
    return spans


def consensus(folder: Path, span: tuple[str, int, int, str], sample: str, haplotype: int, scratch: Path) -> str:
    """A promoter of one sample by `bcftools consensus`, in the gene's direction."""
    chrom, start, end, strand = span
    region = scratch / "region.fa"
    name = f"{chrom}:{start + 1}-{end}"
    region.write_text(f">{name}\n{pysam.FastaFile(str(folder / 'genome.fa')).fetch(chrom, start, end)}\n")
    arguments = ["-s", sample, "-H", str(haplotype), "-f", str(region), str(folder / "cohort.vcf.gz")]
    sequence = "".join(pysam.bcftools.consensus(*arguments).splitlines()[1:])
    return sequence if strand == "+" else reverse_complement(sequence)


def crossed_edges(folder: Path, spans: dict[str, tuple[str, int, int, str]]) -> set[str]:
    """Genes with a variant that reaches across an edge of the promoter (such variants belong to no promoter)."""
    crossed = set()
    with pysam.VariantFile(str(folder / "cohort.vcf.gz")) as vcf:
        for gene, (chrom, start, end, _) in spans.items():
            records = vcf.fetch(chrom, max(start - 50, 0), end)
            if any(r.start < start < r.stop or r.start < end < r.stop for r in records):
                crossed.add(gene)
    return crossed


def exons_by_gene(folder: Path) -> dict[str, list[tuple[str, int, int, str]]]:
    """gene_id -> chrom, start, end (0-based half-open), strand of its exons, from the GTF."""
    exons: dict[str, list[tuple[str, int, int, str]]] = {}
    for line in (folder / "genes.gtf").read_text().splitlines():
        chrom, _, feature, start, end, _, strand, _, attributes = line.split("\t")
        if feature == "exon":
            gene = attributes.split('gene_id "')[1].split('"')[0]
            exons.setdefault(gene, []).append((chrom, int(start) - 1, int(end), strand))
    return {gene: sorted(rows) for gene, rows in exons.items()}
