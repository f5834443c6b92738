"""Rare alleles left out, against a cohort whose VCF was edited to have none."""

import pickle

import numpy as np
import pytest
from glmflow.genome.common import CommonElsewhere, CommonVariants
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store, open_store
from haplotype_cases import Rec, write_fasta, write_vcf

PEOPLE = [f"p{n}" for n in range(10)]
TRAINING, MIN_MAF = PEOPLE[:6], 0.2


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A cohort, and the same with the more frequent allele of training samples everywhere the other is rare."""
    folder, rng = tmp_path_factory.mktemp("common"), np.random.default_rng(2)
    bases = "".join(rng.choice(list("ACGT"), 2000))
    as_called, edited, kinds = [], [], set()
    other = dict(zip("ACGT", "CATG"))
    alleles = []
    for number, pos in enumerate(range(20, 1960, 20)):
        ref = bases[pos - 1 : pos + 2] if number % 3 == 2 else bases[pos - 1]
        alleles.append((pos, ref, {0: "A" if ref != "A" else "C", 1: ref + "GT", 2: ref[0]}[number % 3]))
        # Half of them overlap others: a deletion over the first base, a change of the next ones, an insertion there.
        if number % 2:
            deleted, changed = bases[pos - 3 : pos + 1], bases[pos : pos + 2]
            alleles += [
                (pos - 2, deleted, deleted[0]),
                (pos + 1, changed, "".join(map(other.get, changed))),
                (pos + 2, changed[1], changed[1] + "TT"),
            ]
    for pos, ref, alt in sorted(alleles):
        calls = (rng.random((len(PEOPLE), 2)) < rng.choice([0.03, 0.2, 0.5, 0.8, 0.97])).astype(int)
        frequency = calls[: len(TRAINING)].mean()
        kinds.add("rare" if frequency < MIN_MAF else "everyone's" if frequency > 1 - MIN_MAF else "kept")
        fixed = calls * 0 + (frequency > 0.5) if min(frequency, 1 - frequency) < MIN_MAF else calls
        for records, table in ((as_called, calls), (edited, fixed)):
            records.append(Rec(pos, ref, alt, tuple(f"{a}|{b}" for a, b in table)))
    assert kinds == {"rare", "everyone's", "kept"}
    genome = Reference(write_fasta(folder / "genome.fa", c=bases))
    for name, records in (("called", as_called), ("edited", edited)):
        vcf = write_vcf(folder / f"{name}.vcf.gz", PEOPLE, records, {"c": len(bases)})
        build_store(vcf, genome, folder / name)
    alone = bases[1969]
    unknown = Rec(1970, alone, "A" if alone != "A" else "C", tuple("1|1" for _ in PEOPLE))
    vcf = write_vcf(folder / "elsewhere.vcf.gz", PEOPLE, [*as_called, unknown], {"c": len(bases)})
    build_store(vcf, genome, folder / "elsewhere")
    return folder, genome


@pytest.mark.parametrize("variants", ["all", "snv"])
def test_haplotypes_and_alleles_are_those_of_a_cohort_without_rare_alleles(stores, variants):
    folder, genome = stores
    edited = GeneWindows(HaplotypeReader(open_store(folder / "edited"), genome, variants))
    common = CommonVariants(folder / "called", TRAINING, MIN_MAF)
    # The same samples once more, with an allele that nobody of the cohort was called with: it is left out.
    elsewhere = CommonElsewhere(folder / "elsewhere", common)
    for found in (common, pickle.loads(pickle.dumps(common)), elsewhere):
        windows = GeneWindows(HaplotypeReader(found, genome, variants))
        for start, end, strand in ((0, 700, "+"), (333, 1201, "-"), (1500, 2000, "+")):
            (a, rows_a), (b, rows_b) = (w.haplotypes("c", start, end, strand, PEOPLE) for w in (windows, edited))
            assert (a[rows_a] == b[rows_b]).all()
            ours, theirs = (w.alleles("c", start, end, PEOPLE) for w in (windows, edited))
            carried = ours.carried.any(axis=(0, 1))  # a store has no variants that no sample carries
            assert ours.variants[carried].reset_index(drop=True).equals(theirs.variants)
            assert (ours.carried[..., carried] == theirs.carried).all()
            differ = ours.carried.any(axis=(0, 1)) & ~ours.carried.all(axis=(0, 1))
            frequency = ours.carried[: len(TRAINING)][..., differ].mean(axis=(0, 1))
            assert (np.minimum(frequency, 1 - frequency) >= MIN_MAF).all()


def test_what_everyone_has_keeps_out_what_overlaps_it(tmp_path):
    """One haplotype of a hundred lacks a deletion, and has what others have called within it."""
    bases = "ACGTTGCAACCGGTTAGCATCGATCGGATTACAGATTACCAGTAGCTTGCATGCCATGAC"
    people = [f"p{i}" for i in range(50)]
    deletion = tuple("1|1" if i else "0|1" for i in range(50))
    within = tuple("1|1" if i < 5 else "0|0" for i in range(50))
    rare = tuple("1|0" if i == 9 else "0|0" for i in range(50))
    after = tuple("1|1" if i in (7, 8, 9) else "0|0" for i in range(50))
    records = [
        Rec(10, "CCGGTT", "C", deletion),
        Rec(12, "GGT", "ACA", within),
        Rec(30, "TACAG", "T", rare),
        Rec(33, "A", "G", after),
    ]
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=bases))
    vcf = write_vcf(tmp_path / "a.bcf", people, records, {"c": 60})
    build_store(vcf, genome, tmp_path / "store")
    reader = HaplotypeReader(CommonVariants(tmp_path / "store", people, 0.05), genome)
    everyone = bases[:10] + bases[15:]
    for person, haplotype in (("p0", 1), ("p0", 2), ("p20", 1)):
        assert reader.sequence(person, haplotype, "c").tobytes().decode() == everyone
    # p9 is called with a change of a base that its rare deletion takes: without that, it has the change as p7 has it.
    changed = bases[:10] + bases[15:32] + "G" + bases[33:]
    assert {reader.sequence(person, 1, "c").tobytes().decode() for person in ("p7", "p9")} == {changed}
