"""VCF and BCF changed at random: parsed into haplotypes, and scored variant by variant."""

from pathlib import Path

import numpy as np
import pysam
import pytest
from fuzzing import BYTES, MUTATIONS, TEXT, fuzz
from glmflow.apply.coverage_variants import annotate_variants
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.text_files import write_bytes

pytestmark = pytest.mark.slow

BASES = "".join(np.random.default_rng(0).choice(list("ACGT"), 2000))
HEAD = """\
##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="passed">
##FILTER=<ID=LowQual,Description="low">
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="depth">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="phase set">
##contig=<ID=c,length=2000>
"""


def records():
    rng = np.random.default_rng(1)
    for pos in range(5, 1950, 23):
        ref, kind = BASES[pos - 1 : pos - 1 + rng.integers(1, 4)], rng.integers(0, 6)
        other = "ACGT"[("ACGT".index(ref[0]) + 1) % 4]
        alt, info = {
            0: (other, "AF=0.5"),
            1: (ref + "GT", "."),
            2: (ref[0], ".") if len(ref) > 1 else (other, "."),
            3: (f"{other},<NON_REF>", f"END={pos}"),
            4: ("<DEL>", f"END={pos + 9}"),
            5: (f"{other},{ref}TT", "AF=0.1,0.2"),
        }[int(kind)]
        calls = "\t".join(f"{a}|{b}:{d}:{pos // 500}" for a, b, d in rng.integers(0, 2, (3, 3)))
        yield f"c\t{pos}\trs{pos}\t{ref}\t{alt}\t50\tPASS\t{info}\tGT:DP:PS\t{calls}\n"


CONTENT = (HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\tu\n" + "".join(records())).encode()


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "genome.fa").write_text(f">c\n{BASES}\n")
    return Reference(tmp_path / "genome.fa")


@pytest.fixture
def haplotypes(genome):
    """Return all haplotypes of a file."""

    def read(path: Path):
        store = build_store(path, genome, path.parent / "store", unphased="reference")
        reader = HaplotypeReader(store, genome)
        return [
            reader.sequence(sample, number, "c").tobytes()
            if store.has_haplotype(sample, number, "c", 0, 2000)
            else None
            for sample in store.samples
            for number in (1, 2)
        ]

    return read


def bgzip(content, path):
    with write_bytes(path, packed=True) as handle:
        handle.write(content)


def test_vcf(tmp_path, haplotypes, say):
    fuzz("VCF", tmp_path, "v.vcf", CONTENT, haplotypes, BYTES + TEXT, say)


def test_vcf_in_bgzip(tmp_path, haplotypes, say):
    bgzip(CONTENT, tmp_path / "whole.vcf.gz")
    content = (tmp_path / "whole.vcf.gz").read_bytes()
    fuzz("VCF in bgzip", tmp_path, "v.vcf.gz", content, haplotypes, BYTES, say, exact=True, times=MUTATIONS // 2)
    fuzz(
        "VCF compressed after the change",
        tmp_path / "inside",
        "v.vcf.gz",
        CONTENT,
        haplotypes,
        BYTES + TEXT,
        say,
        bgzip,
        times=MUTATIONS // 2,
    )


def test_bcf(tmp_path, haplotypes, say):
    (tmp_path / "whole.vcf").write_bytes(CONTENT)
    with (
        pysam.VariantFile(str(tmp_path / "whole.vcf")) as source,
        pysam.VariantFile(str(tmp_path / "whole.bcf"), "wb", header=source.header) as target,
    ):
        for record in source:
            target.write(record)
    packed = (tmp_path / "whole.bcf").read_bytes()
    with pysam.BGZFile(str(tmp_path / "whole.bcf")) as file:
        inside = file.read(10_000_000)
    assert inside[:4] == b"BCF\2"
    fuzz("BCF", tmp_path, "v.bcf", packed, haplotypes, BYTES, say, exact=True, times=MUTATIONS // 2)
    fuzz("BCF compressed after the change", tmp_path / "inside", "v.bcf", inside, haplotypes, BYTES, say, bgzip)


class Counted:
    """Stands in for a tuned model: what it predicts for a base is its code."""

    tracks, means, size, trim = ("t",), np.array([1.0], np.float32), 60, 5

    def coverage(self, codes):
        return np.array(codes, np.float32)[:, None]


def test_variants_to_score(tmp_path, genome, say):
    (tmp_path / "model").mkdir()

    def scored(path: Path):
        output = path.parent / "out.vcf"
        counts = annotate_variants(Counted(), genome, path, output, tmp_path / "model")
        rows = [line.split("\t") for line in output.read_text(errors="surrogateescape").splitlines() if line[0] != "#"]
        return sorted(counts.items()), [row[7] for row in rows if len(row) > 7]

    fuzz("VCF whose variants are scored", tmp_path, "v.vcf", CONTENT, scored, BYTES + TEXT, say)
