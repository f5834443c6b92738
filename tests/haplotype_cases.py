"""Small VCFs, and haplotypes made of them base by base: the slow, obvious way, as an oracle."""

from pathlib import Path
from typing import NamedTuple

import pysam
import pysam.bcftools

HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="passed">
##FILTER=<ID=LowQual,Description="low quality">
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="length">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
"""


class Rec(NamedTuple):
    pos: int  # as in the file: 1-based
    ref: str
    alt: str
    gts: tuple[str, ...]
    filter: str = "."
    info: str = "."
    chrom: str = "c"


def write_fasta(path: Path, **contigs: str) -> Path:
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    return path


def write_vcf(path: Path, samples, records, contigs: dict[str, int]) -> Path:
    """Write a VCF, compressed and indexed where its name ends so."""
    lines = [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    lines.append("\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *samples]))
    for r in records:
        lines.append("\t".join([r.chrom, str(r.pos), ".", r.ref, r.alt, ".", r.filter, r.info, "GT", *r.gts]))
    plain = path.with_suffix(".plain.vcf")
    plain.write_text(HEADER + "\n".join(lines) + "\n")
    if path.suffix == ".vcf":
        return plain.rename(path)
    pysam.bcftools.view("-Ob" if path.suffix == ".bcf" else "-Oz", "-o", str(path), str(plain), catch_stdout=False)
    pysam.bcftools.index("-f", "-c", str(path), catch_stdout=False)
    return path


def consensus(fasta: Path, vcf: Path, sample: str, haplotype: int, *options: str) -> dict[str, str]:
    """Return what `bcftools consensus` makes of each contig, in upper case."""
    text = pysam.bcftools.consensus("-f", str(fasta), "-s", sample, "-H", str(haplotype), *options, str(vcf))
    contigs = (record.partition("\n") for record in text.split(">")[1:])
    return {name: bases.replace("\n", "").upper() for name, _, bases in contigs}


def parse_gt(gt: str):
    """Return the alleles ('.' as None) and whether the call is phased."""
    mark = "|" if "|" in gt else "/"
    return [None if allele == "." else int(allele) for allele in gt.split(mark)], mark == "|"


def carried(records: list[Rec], sample: int, haplotype: int, snv_only=False):
    """Return (pos0, ref, alt, end) of what a haplotype carries, in the order of the file."""
    found = []
    for r in records:
        alts = r.alt.split(",")
        if r.filter not in (".", "PASS"):
            continue
        if snv_only and not all(
            alt != "*" and len(alt) == len(r.ref) and sum(a != b for a, b in zip(alt, r.ref)) == 1 for alt in alts
        ):
            continue
        alleles, phased = parse_gt(r.gts[sample])
        if not phased and len(set(alleles)) > 1:
            continue  # belongs to no haplotype
        k = alleles[haplotype - 1] if haplotype <= len(alleles) else None
        if not k or alts[k - 1] == "*":
            continue
        ref, alt = r.ref, alts[k - 1]
        end = int(r.info.split("=")[1]) if alt == "<DEL>" else r.pos - 1 + len(ref)
        found.append((r.pos - 1, ref, alt, end))
    return found


def absent_places(records: list[Rec], sample: int, length: int) -> set[int]:
    """Return the reference places where a sample has one haplotype only."""
    stretch: list[tuple[int, int, int]] = []  # ploidy, start and end of the calls that tell of it
    for r in records:
        alleles, _ = parse_gt(r.gts[sample])
        end = min(int(r.info.split("=")[1]), length) if "<DEL>" in r.alt else r.pos - 1 + len(r.ref)
        if r.filter in (".", "PASS") and alleles != [None]:
            stretch.append((len(alleles), r.pos - 1, end))
    places: set[int] = set()
    for i, (ploidy, start, end) in enumerate(stretch):
        if ploidy == 1:
            before = stretch[i - 1][0] if i else None
            if before is None:
                start = 0
            elif before == 1:
                start = stretch[i - 1][1]  # nothing diploid between the two
            if i + 1 == len(stretch):
                end = length
            places.update(range(start, end))
    return places


def oracle(reference: str, alleles) -> list[list[tuple[str, int]]]:
    """For each reference base, what the haplotype has there: bases with their place (-1 inserted)."""
    cells = [[(base, place)] for place, base in enumerate(reference)]
    taken, after_insertion = -1, False
    anchors: set[int] = set()  # bases in front of what is inserted or deleted, themselves as in the reference
    for pos, ref, alt, end in alleles:
        if alt == "<DEL>":
            core_start, core_end, core, indel = pos + 1, end, "", True
        else:
            old, new, core_start = list(ref), list(alt), pos
            if old[0] == new[0]:
                old, new, core_start = old[1:], new[1:], core_start + 1
            while old and new and old[-1] == new[-1]:
                old.pop(), new.pop()
            while old and new and old[0] == new[0]:
                old.pop(0), new.pop(0)
                core_start += 1
            core_end, core = core_start + len(old), "".join(new)
            indel = len(ref) != len(alt) and ref[0] == alt[0] and not (old and new)
        if len(ref) == len(alt) == 1 and pos in anchors:
            cells[pos][0] = (alt, pos)
            anchors.remove(pos)
            continue
        if pos < taken or (pos == taken and (after_insertion or not indel)):
            continue
        if indel and pos > taken:
            anchors.add(pos)
        taken, after_insertion = end - 1, alt != "<DEL>" and len(alt) > len(ref)
        for place in range(core_start, core_end):
            cells[place] = []
        for i, base in enumerate(core):
            if core_start + i < core_end:
                cells[core_start + i].append((base, core_start + i))
            elif core_end:
                cells[core_end - 1].append((base, -1))
            else:
                cells[0].insert(i, (base, -1))
    return cells


def oracle_window(cells, start: int, length: int) -> list[tuple[str, int]]:
    """Return the first bases from a place on, padded."""
    left = [("N", -2)] * -start if start < 0 else []
    bases = left + [base for cell in cells[max(start, 0) :] for base in cell]
    return (bases + [("N", -2)] * length)[:length]
