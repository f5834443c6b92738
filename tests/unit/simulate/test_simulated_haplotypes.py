from types import SimpleNamespace

import numpy as np
import pysam
import pysam.bcftools
import pytest
from glmflow.config.simulation_settings import PopulationSettings
from glmflow.simulate.phased_variants import Variants, assign_alleles, distinct_columns, draw_sites, haplotype_sequences
from glmflow.simulate.sequence import decode, encode
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_distinct_columns_give_back_every_column(carried):
    columns, which = distinct_columns(carried)
    assert (columns[:, which] == carried).all()
    assert len({column.tobytes() for column in columns.T}) == columns.shape[1]


def test_a_region_without_variants_has_one_haplotype():
    columns, which = distinct_columns(np.zeros((0, 6), bool))
    assert columns.shape == (0, 1) and (which == 0).all() and len(which) == 6


def _random_records(genome: str, rng: np.random.Generator) -> list[tuple[int, str, str]]:
    """Sorted records, crowded enough to overlap, single-base ones first at a position (as in sorted files)."""
    records = set()
    for position in rng.integers(10, 50, 9):
        kind = rng.integers(3)
        anchor = genome[position]
        if kind == 0:
            records.add((int(position), 0, anchor, "ACGT"[("ACGT".index(anchor) + rng.integers(1, 4)) % 4]))
        elif kind == 1:
            records.add((int(position), 1, genome[position : position + rng.integers(2, 6)], anchor))
        else:
            records.add((int(position), 1, anchor, anchor + "".join(rng.choice(list("ACGT"), rng.integers(1, 4)))))
    return [(position, ref, alt) for position, _, ref, alt in sorted(records)]


def _consensus(genome: str, records: list[tuple[int, str, str]], folder) -> str:
    fasta, vcf = folder / "r.fa", folder / "r.vcf"
    fasta.write_text(f">c\n{genome}\n")
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=c,length={len(genome)}>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS"]
    lines += [f"c\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t1|1" for position, ref, alt in records]
    vcf.write_text("\n".join([*lines, ""]))
    pysam.tabix_compress(str(vcf), f"{vcf}.gz", force=True)
    pysam.tabix_index(f"{vcf}.gz", preset="vcf", force=True)
    return "".join(pysam.bcftools.consensus("-H", "1", "-f", str(fasta), f"{vcf}.gz").splitlines()[1:])


@pytest.mark.parametrize("seed", range(20))
def test_haplotypes_equal_bcftools_consensus(seed, tmp_path):
    rng = np.random.default_rng(seed)
    genome = "".join(rng.choice(list("ACGT"), 60))
    records = _random_records(genome, rng)
    position, ref, alt = zip(*records, strict=True)
    variants = Variants(np.array(position), np.array(ref, object), np.array(alt, object), np.zeros((len(ref), 0), bool))
    carried = rng.random((len(records), 4)) < 0.6
    sequences = haplotype_sequences(encode(genome), 0, 60, variants, carried)
    for column, sequence in zip(carried.T, sequences, strict=True):
        chosen = [record for record, carries in zip(records, column, strict=True) if carries]
        assert decode(sequence) == _consensus(genome, chosen, tmp_path)


def test_a_region_past_the_contig_is_n():
    none = Variants(np.zeros(0, np.int64), np.array([], object), np.array([], object), np.zeros((0, 2), bool))
    (sequence,) = haplotype_sequences(encode("ACGT"), -2, 6, none, np.zeros((0, 1), bool))
    assert decode(sequence) == "NNACGTNN"


@pytest.fixture(scope="module")
def drawn():
    settings = PopulationSettings(people={"a": 20, "b": 20}, indel_share=0.5)
    rng = np.random.default_rng(3)
    position, carried = draw_sites(100_000, settings, rng)
    sequence = rng.integers(0, 4, 100_000).astype(np.uint8)
    single_only = rng.random(len(position)) < 0.5
    variants = assign_alleles(sequence, position, carried, single_only, settings, rng)
    return SimpleNamespace(settings=settings, sequence=sequence, single_only=single_only, variants=variants)


def test_diversity_is_that_of_the_coalescent(drawn):
    # Two haplotypes of one population differ at 4 Ne mu = 0.0012 of the bases (Watterson); 100 kb and one genealogy
    # every few kb leave a standard error of about a tenth.
    one = drawn.variants.carried[:, :40]
    frequency = one.mean(1)
    pairwise = (2 * frequency * (1 - frequency)).sum() * 40 / 39 / 100_000
    assert pairwise == pytest.approx(4 * 1e4 * 3e-8, rel=0.5)


def test_sites_are_polymorphic_and_sorted(drawn):
    variants = drawn.variants
    assert (np.diff(variants.position) > 0).all()
    assert variants.carried.any(1).all() and not variants.carried.all(1).any()
    assert (variants.carried.mean(1) > 0.5).any()  # the genome does not always carry the common allele


def test_alleles_fit_the_genome_and_do_not_overlap(drawn):
    variants = drawn.variants
    for position, ref, alt in zip(variants.position, variants.reference, variants.alternate, strict=True):
        assert decode(drawn.sequence[position : position + len(ref)]) == ref
        assert ref != alt and (len(ref) == len(alt) == 1 or ref[0] == alt[0])
    assert (variants.end[:-1] <= variants.position[1:]).all()


def test_indels_are_where_they_may_be(drawn):
    single = drawn.variants.single_base
    assert single[drawn.single_only].all()
    assert (~single[~drawn.single_only]).mean() == pytest.approx(drawn.settings.indel_share, abs=0.15)
    longer = np.array(
        [len(a) - len(r) for r, a in zip(drawn.variants.reference, drawn.variants.alternate, strict=True)]
    )
    assert longer.min() < 0 < longer.max() and np.abs(longer).max() <= drawn.settings.longest_indel_bp
