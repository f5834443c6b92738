"""Haplotypes against bcftools consensus and against an oracle that writes them base by base."""

import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome import haplotypes
from glmflow.genome.haplotypes import HaplotypeReader, reverse_window
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from haplotype_cases import Rec, absent_places, carried, consensus, oracle, oracle_window, write_fasta, write_vcf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#          1         11        21        31        41        51
REF = "ACGTTGCAACCGGTTAGCATCGATCGGATTACAGATTACCAGTAGCTTGCATGCCATGAC"


def text(window) -> str:
    return window.sequence.tobytes().decode()


@pytest.fixture
def make(tmp_path):
    """Build a store of records over REF (contig c) and return its reader."""

    def build(records, samples=("s",), reference=REF, variants="all", name="cohort.bcf", **options):
        fasta = write_fasta(tmp_path / "genome.fa", c=reference)
        vcf = write_vcf(tmp_path / name, samples, records, {"c": len(reference)})
        genome = Reference(fasta)
        store = build_store(vcf, genome, tmp_path / "store", **options)
        return HaplotypeReader(store, genome, variants), fasta, vcf

    return build


def changed(*edits: tuple[int, int, str]) -> str:
    """Return REF with 1-based inclusive stretches replaced (given from right to left)."""
    bases = REF
    for first, last, new in edits:
        bases = bases[: first - 1] + new + bases[last:]
    return bases


# One allele or two on haplotype 1; what haplotype 1 must be. bcftools consensus agrees with all of these.
AGREED = {
    "snv": ([Rec(10, "C", "T", ("1|0",))], changed((10, 10, "T"))),
    "insertion": ([Rec(10, "C", "CGG", ("1|0",))], changed((10, 10, "CGG"))),
    "deletion": ([Rec(10, "CCG", "C", ("1|0",))], changed((11, 12, ""))),
    "several bases": ([Rec(10, "CCG", "TTA", ("1|0",))], changed((10, 12, "TTA"))),
    "deletion and insertion, shorter": ([Rec(10, "CCGG", "TA", ("1|0",))], changed((10, 13, "TA"))),
    "deletion and insertion, longer": ([Rec(10, "CC", "TAAA", ("1|0",))], changed((10, 11, "TAAA"))),
    "second allele": ([Rec(10, "C", "T,G", ("2|1",))], changed((10, 10, "G"))),
    "snv and insertion in one record": ([Rec(10, "C", "T,CAA", ("2|1",))], changed((10, 10, "CAA"))),
    "neighbours": (
        [Rec(10, "C", "T", ("1|0",)), Rec(11, "C", "A", ("1|0",))],
        changed((10, 11, "TA")),
    ),
    "first base deleted": ([Rec(1, "AC", "C", ("1|0",))], changed((1, 1, ""))),
    "before the first base": ([Rec(1, "A", "GGA", ("1|0",))], "GG" + REF),
    "behind the last base": ([Rec(60, "C", "CTT", ("1|0",))], REF + "TT"),
    "last bases deleted": ([Rec(58, "GAC", "G", ("1|0",))], changed((59, 60, ""))),
    "snv, then insertion behind it": (
        [Rec(10, "C", "T", ("1|0",)), Rec(10, "C", "CGG", ("1|0",))],
        changed((10, 10, "TGG")),
    ),
    "snv, then deletion behind it": (
        [Rec(10, "C", "T", ("1|0",)), Rec(10, "CCG", "C", ("1|0",))],
        changed((10, 12, "T")),
    ),
    "snv inside a deletion": (
        [Rec(10, "CCGG", "C", ("1|0",)), Rec(12, "G", "T", ("1|0",))],
        changed((11, 13, "")),
    ),
    "overlapping deletions": (
        [Rec(10, "CCGG", "C", ("1|0",)), Rec(12, "GGT", "G", ("1|0",))],
        changed((11, 13, "")),
    ),
    "insertion on the last base of a deletion": (
        [Rec(10, "CCG", "C", ("1|0",)), Rec(12, "G", "GTT", ("1|0",))],
        changed((11, 12, "TT")),
    ),
    "deletion on the last base of a deletion": (
        [Rec(10, "CCG", "C", ("1|0",)), Rec(12, "GGT", "G", ("1|0",))],
        changed((11, 14, "")),
    ),
    "first of two at one place: longer": (
        [Rec(10, "C", "GTG", ("1|0",)), Rec(10, "C", "G", ("1|0",))],
        changed((10, 10, "GTG")),
    ),
    "first of two at one place: several bases": (
        [Rec(10, "CCG", "ATA", ("1|0",)), Rec(10, "C", "G", ("1|0",)), Rec(10, "C", "CAA", ("1|0",))],
        changed((10, 12, "ATA")),
    ),
    "snv, then a longer one": (
        [Rec(10, "C", "G", ("1|0",)), Rec(10, "C", "GTG", ("1|0",)), Rec(10, "C", "CTT", ("1|0",))],
        changed((10, 10, "GTT")),
    ),
    "deletion to a base, then a snv there": (
        [Rec(10, "CCG", "C", ("1|0",)), Rec(12, "G", "T", ("1|0",))],
        changed((11, 12, "")),
    ),
    "two insertions at one place": (
        [Rec(10, "C", "CAA", ("1|0",)), Rec(10, "C", "CTT", ("1|0",))],
        changed((10, 10, "CAA")),
    ),
    "record given twice": (
        [Rec(10, "C", "T", ("1|0",)), Rec(10, "C", "T", ("1|0",))],
        changed((10, 10, "T")),
    ),
    "missing": ([Rec(10, "C", "T", ("./.",))], REF),
    "other half missing": ([Rec(10, "C", "T", ("1|.",))], changed((10, 10, "T"))),
    "this half missing": ([Rec(10, "C", "T", (".|1",))], REF),
    "haploid": ([Rec(10, "C", "T", ("1",))], changed((10, 10, "T"))),
    "unphased, both the same": ([Rec(10, "C", "T", ("1/1",))], changed((10, 10, "T"))),
    "symbolic deletion": ([Rec(10, "C", "<DEL>", ("1|0",), info="END=14")], changed((11, 14, ""))),
    "lower case alleles": ([Rec(10, "c", "tg", ("1|0",))], changed((10, 10, "TG"))),
}
# A second sample, so that something is applied where the first has nothing.
FIRST = Rec(2, "C", "T", ("0|0", "1|1"))


@pytest.mark.parametrize("case", AGREED)
def test_case_is_as_expected_and_as_bcftools_has_it(make, case):
    records, expected = AGREED[case]
    records = sorted([FIRST, *(r._replace(gts=(*r.gts, "0|0")) for r in records)], key=lambda r: r.pos)
    reader, fasta, vcf = make(records, ("s", "t"))
    assert text(reader.region("s", 1, "c", 0, 60)) == expected
    assert consensus(fasta, vcf, "s", 1)["c"] == expected


def test_lower_case_genome_gives_upper_case_haplotypes(make):
    reader, *_ = make([Rec(10, "C", "CGG", ("1|0",))], reference=REF.lower())
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((10, 10, "CGG"))


# Where bcftools consensus is wrong.
def test_indel_listed_before_a_snv_at_its_anchor_keeps_both(make):
    reader, fasta, vcf = make([Rec(10, "C", "CGG", ("1|0",)), Rec(10, "C", "T", ("1|0",))])
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((10, 10, "TGG"))
    assert consensus(fasta, vcf, "s", 1)["c"] == changed((10, 10, "CGG"))


def test_star_allele_is_left_out_and_counted(make):
    reader, fasta, vcf = make([Rec(10, "C", "*,T", ("1|2",))])
    assert text(reader.region("s", 1, "c", 0, 60)) == REF
    assert text(reader.region("s", 2, "c", 0, 60)) == changed((10, 10, "T"))
    counts = reader.store.counts().query("variants == 'all'").set_index("outcome")
    assert counts.loc["spanning_deletion", ["alleles", "calls"]].tolist() == [1, 1]
    assert "*" in consensus(fasta, vcf, "s", 1)["c"]


@pytest.mark.parametrize("alt", ["<INS:ME:LINE1>", "<DUP>", "<CN2>", "C[c:20[", "<DEL>"])
def test_symbolic_alleles_are_left_out_and_counted(make, alt):
    """`<DEL>` here has no end, so that it says nothing."""
    reader, *_ = make([Rec(10, "C", alt, ("1|1",)), Rec(20, "T", "G", ("1|0",))])
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((20, 20, "G"))
    counts = reader.store.counts().query("variants == 'all'").set_index("outcome")
    assert counts.loc["symbolic", ["alleles", "calls"]].tolist() == [1, 2]


def test_deletion_given_by_its_length(make):
    reader, *_ = make([Rec(10, "C", "<DEL>", ("1|0",), info="SVLEN=-4")])
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((11, 14, ""))


def test_haploid_calls_have_no_second_haplotype(make):
    """Not one that equals the reference; the stretch ends where diploid calls begin."""
    records = [
        Rec(10, "C", "T", ("1|1",)),
        Rec(20, "T", "G", ("1",)),
        Rec(25, "C", "A", (".",)),
        Rec(30, "T", "G", ("0",)),
        Rec(40, "C", "G", ("0|1",)),
    ]
    reader, *_ = make(records)
    store = reader.store
    for start, end, there in [(0, 19, True), (10, 20, False), (19, 30, False), (24, 26, False), (30, 60, True)]:
        assert store.has_haplotype("s", 2, "c", start, end) is there
        assert store.has_haplotype("s", 1, "c", start, end) is True
    assert text(reader.region("s", 2, "c", 30, 60)) == changed((40, 40, "G"))[30:]
    with pytest.raises(InputError, match=r"s has one haplotype only in c:20-25"):
        reader.window("s", 2, "c", 19, 25)


def test_haploid_stretch_reaches_to_the_end_of_its_longest_call(make):
    """A call inside a longer one does not end the stretch early; a symbolic deletion reaches to its END."""
    inside = [Rec(20, "TCGATC", "T", ("1",)), Rec(22, "G", "A", ("0",)), Rec(40, "C", "G", ("0|1",))]
    deletion = [Rec(20, "T", "<DEL>", ("1",), info="END=25"), Rec(40, "C", "G", ("0|1",))]
    for records in (inside, deletion):
        reader, *_ = make([Rec(10, "C", "T", ("1|1",)), *records])
        assert not reader.store.has_haplotype("s", 2, "c", 24, 25)
        assert reader.store.has_haplotype("s", 2, "c", 25, 60)
        with pytest.raises(InputError, match="one haplotype only"):
            reader.region("s", 2, "c", 24, 30)


def test_all_calls_haploid_means_one_haplotype_everywhere(make):
    reader, *_ = make([Rec(10, "C", "T", ("1",)), Rec(20, "T", "G", ("0",))])
    assert not reader.store.has_haplotype("s", 2, "c", 0, 1)
    assert not reader.store.has_haplotype("s", 2, "c", 59, 60)


def test_filtered_records_are_left_out_unless_wanted(make):
    records = [Rec(10, "C", "T", ("1|0",), filter="LowQual"), Rec(20, "T", "G", ("1|0",), filter="PASS")]
    reader, *_ = make(records)
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((20, 20, "G"))
    assert reader.store.counts().query("outcome == 'filter'")[["alleles", "calls"]].values.tolist() == [[1, 1]] * 2
    reader, *_ = make(records, filter_policy=None)
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((20, 20, "G"), (10, 10, "T"))


@pytest.mark.parametrize("gt", ["0/1", "./1", "1/."])
def test_unphased_heterozygotes_are_refused_or_the_reference(make, gt):
    records = [Rec(10, "C", "T", (gt,)), Rec(20, "T", "G", ("1|0",))]
    with pytest.raises(
        InputError, match=r"unphased heterozygous genotypes, first at c:10 in s.*`--unphased reference` by hand"
    ):
        make(records)
    reader, *_ = make(records, unphased="reference")
    assert text(reader.region("s", 1, "c", 0, 60)) == changed((20, 20, "G"))
    assert text(reader.region("s", 2, "c", 0, 60)) == REF
    counts = reader.store.counts().query("variants == 'all'").set_index("outcome")
    assert counts.loc["unphased", ["alleles", "calls"]].tolist() == [1, 1]


def test_snv_only_is_as_bcftools_with_type_snp(make):
    records = [
        Rec(5, "T", "G,A", ("2|1",)),
        Rec(10, "CCGG", "C", ("1|0",)),
        Rec(12, "G", "T", ("1|0",)),  # inside the deletion, which is not there in this mode
        Rec(20, "T", "G,TA", ("1|0",)),  # not of single bases alone
        Rec(30, "TA", "TC", ("1|0",)),
    ]
    reader, fasta, vcf = make(records, variants="snv")
    window = reader.region("s", 1, "c", 0, 60)
    assert text(window) == changed((31, 31, "C"), (12, 12, "T"), (5, 5, "A"))
    assert text(window) == consensus(fasta, vcf, "s", 1, "-i", 'TYPE="snp"')["c"]
    assert window.position.tolist() == list(range(60))


# Windows and their map
def test_window_starting_inside_a_deletion_drops_the_deleted_bases(make):
    reader, *_ = make([Rec(10, "CCGG", "C", ("1|0",))])
    window = reader.window("s", 1, "c", 11, 21)
    assert text(window) == REF[13:23]
    assert window.position.tolist() == list(range(13, 23))


def test_insertion_belongs_to_the_base_before_it(make):
    reader, *_ = make([Rec(10, "C", "CGG", ("1|0",))])
    assert text(reader.region("s", 1, "c", 5, 10)) == REF[5:10] + "GG"
    assert text(reader.region("s", 1, "c", 10, 15)) == REF[10:15]
    window = reader.window("s", 1, "c", 5, 15)
    assert text(window) == REF[5:10] + "GG" + REF[10:13]
    assert window.position.tolist() == [5, 6, 7, 8, 9, -1, -1, 10, 11, 12]


def test_insertion_before_the_first_base_belongs_to_the_first_base(make):
    reader, *_ = make([Rec(1, "A", "GGA", ("1|0",))])
    assert text(reader.region("s", 1, "c", 0, 0)) == ""
    assert text(reader.region("s", 1, "c", 0, 1)) == "GGA"
    assert text(reader.region("s", 1, "c", 1, 3)) == REF[1:3]
    window = reader.window("s", 1, "c", -2, 3)
    assert text(window) == "NNGGA" and window.position.tolist() == [-2, -2, -1, -1, 0]


def test_window_reads_on_to_the_right_and_is_padded_at_the_ends(make):
    reader, *_ = make([Rec(50, "CATG", "C", ("1|0",))])
    window = reader.window("s", 1, "c", 45, 55)
    assert window.position.tolist() == [45, 46, 47, 48, 49, 53, 54, 55, 56, 57]
    window = reader.window("s", 1, "c", 52, 62)
    assert text(window) == REF[53:] + "NNN" and window.position.tolist() == [*range(53, 60), -2, -2, -2]
    window = reader.window("s", 1, "c", -3, 4)
    assert text(window) == "NNN" + REF[:4] and window.position.tolist() == [-2, -2, -2, 0, 1, 2, 3]
    window = reader.window("s", 1, "c", 70, 75)
    assert text(window) == "NNNNN"
    assert text(reader.window("s", 1, "c", 10, 20, length=4)) == REF[10:14]


def test_window_that_ends_before_it_starts(make):
    reader, *_ = make([Rec(10, "C", "T", ("1|0", "0|0"))])
    with pytest.raises(ValueError, match="window ends before it starts: c:5-3"):
        reader.window("s", 1, "c", 5, 3)
    assert len(reader.window("s", 1, "c", 5, 5).sequence) == 0


def test_a_long_stretch_leaves_nothing_in_memory(make, monkeypatch):
    """Its map is right, and the array that made it is not kept for windows of the same length."""
    reader, *_ = make([Rec(10, "CC", "C", ("1|0", "0|0"))])
    monkeypatch.setattr(haplotypes, "REMEMBERED", 20)
    haplotypes._steps.cache_clear()
    assert reader.region("s", 1, "c", 0, 40).position.tolist() == [*range(10), *range(11, 40)]
    assert haplotypes._steps.cache_info().currsize == 0
    reader.window("s", 1, "c", 0, 20)
    assert haplotypes._steps.cache_info().currsize == 1
    assert haplotypes._steps(haplotypes.MARGIN).nbytes == 4 * haplotypes.MARGIN


def test_reverse_complement_turns_the_map_too(make):
    reader, *_ = make([Rec(10, "C", "CGT", ("1|0",))])
    window = reader.window("s", 1, "c", 7, 13)
    turned = reverse_window(window)
    assert text(window) == "AACGTC" and text(turned) == "GACGTT"
    assert turned.position.tolist() == window.position.tolist()[::-1]
    assert text(reverse_window(turned)) == text(window)


def test_unknown_sample_haplotype_and_contig(make):
    reader, *_ = make([Rec(10, "C", "T", ("1|0",))])
    for arguments, message in [
        (("x", 1, "c"), "no sample 'x'"),
        (("s", 3, "c"), "haplotype 3"),
        (("s", 1, "d"), "no variants of contig 'd'"),
    ]:
        with pytest.raises(InputError, match=message):
            reader.window(*arguments, 0, 5)


# Cohorts of every kind
@st.composite
def cohorts(draw, clean=False):
    """Draw a reference and the records of two samples; `clean`: only what bcftools gets right."""
    size = draw(st.integers(12, 40))
    reference = draw(st.text("ACGT", min_size=size, max_size=size))
    records, pos = [], 1
    for _ in range(draw(st.integers(1, 8))):
        pos += draw(st.integers(0, 4))
        if pos > size:
            break
        ref = reference[pos - 1 : pos - 1 + draw(st.integers(1, 4))]
        kinds = st.one_of(
            st.text("ACGT", min_size=1, max_size=4),
            st.text("ACGT", min_size=1, max_size=3).map(lambda more, ref=ref: ref + more),
            st.just(ref[0]),
            st.sampled_from("ACGT"),
        )
        alts = draw(st.lists(kinds.filter(lambda alt, ref=ref: alt != ref), min_size=1, max_size=3, unique=True))
        info = "."
        if pos < size and draw(st.integers(0, 9)) == 0:
            info, ref, alts = f"END={draw(st.integers(pos + 1, size))}", reference[pos - 1], ["<DEL>"]
        elif not clean and draw(st.integers(0, 5)) == 0:
            alts.append("*")
        allele = st.integers(0, len(alts)).map(str)
        any_allele = st.one_of(allele, st.just("."))
        genotypes = [st.builds("{}|{}".format, any_allele, any_allele), st.just("./.")]
        genotypes.append(allele.map(lambda a: f"{a}/{a}"))
        if not clean:
            genotypes += [st.builds("{}/{}".format, any_allele, any_allele), any_allele]
        gts = (draw(st.one_of(genotypes)), draw(st.one_of(genotypes)))
        mark = "." if clean else draw(st.sampled_from([".", "PASS", ".", "LowQual"]))
        records.append(Rec(pos, ref, ",".join(alts), gts, mark, info))
    return reference, records


def build(folder: Path, reference: str, records):
    """Build the store of a drawn cohort; None where nobody carries anything."""
    fasta = write_fasta(folder / "genome.fa", c=reference)
    vcf = write_vcf(folder / "cohort.bcf", ("s", "t"), records, {"c": len(reference)})
    genome = Reference(fasta)
    try:
        return build_store(vcf, genome, folder / "store", unphased="reference"), genome, fasta, vcf
    except InputError as error:
        assert any(reason in str(error) for reason in ("could be applied", ": 0 of "))  # left by FILTER, or by anybody
        assert not any(carried(records, sample, haplotype) for sample in (0, 1) for haplotype in (1, 2))
        return None


ANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@ANY
@given(cohort=cohorts(), data=st.data())
def test_every_window_is_as_the_oracle_has_it(cohort, data, tmp_path_factory):
    reference, records = cohort
    built = build(tmp_path_factory.mktemp("cohort"), reference, records)
    if built is None:
        return
    store, genome, *_ = built
    for variants in ("all", "snv"):
        reader = HaplotypeReader(store, genome, variants)
        for i, sample in enumerate(("s", "t")):
            for haplotype in (1, 2):
                cells = oracle(reference, carried(records, i, haplotype, variants == "snv"))
                absent = absent_places(records, i, len(reference)) if haplotype == 2 else set()
                start = data.draw(st.integers(-5, len(reference) + 3))
                length = data.draw(st.integers(1, len(reference) + 5))
                expected = oracle_window(cells, start, length)
                last = max(place for _, place in expected)
                if absent & set(range(max(start, 0), last + 1)):
                    with pytest.raises(InputError, match="one haplotype only"):
                        reader.window(sample, haplotype, "c", start, start + length)
                else:
                    window = reader.window(sample, haplotype, "c", start, start + length)
                    assert text(window) == "".join(base for base, _ in expected)
                    assert window.position.tolist() == [place for _, place in expected]
                cut = data.draw(st.integers(0, len(reference)))
                if not absent:
                    spans = (0, cut), (cut, len(reference))
                    halves = [reader.region(sample, haplotype, "c", *span) for span in spans]
                    assert "".join(map(text, halves)) == "".join(base for cell in cells for base, _ in cell)


def _order_matters(records) -> bool:
    """Whether an anchored insertion or deletion precedes a single-base allele at its position: bcftools drops the latter."""
    anchored = set()
    for r in records:
        alts = r.alt.split(",")
        if r.pos in anchored and any(len(r.ref) == len(alt) == 1 for alt in alts):
            return True
        if any(alt == "<DEL>" or (len(alt) != len(r.ref) and alt[0] == r.ref[0]) for alt in alts):
            anchored.add(r.pos)
    return False


@ANY
@given(cohort=cohorts(clean=True))
def test_every_haplotype_is_as_bcftools_has_it(cohort, tmp_path_factory):
    reference, records = cohort
    if _order_matters(records):
        return
    built = build(tmp_path_factory.mktemp("cohort"), reference, records)
    if built is None:
        return
    store, genome, fasta, vcf = built
    for variants, options in (("all", ()), ("snv", ("-i", 'TYPE="snp"'))):
        reader = HaplotypeReader(store, genome, variants)
        for sample in ("s", "t"):
            for haplotype in (1, 2):
                ours = text(reader.region(sample, haplotype, "c", 0, len(reference)))
                assert ours == consensus(fasta, vcf, sample, haplotype, *options)["c"]


# Real samples
@pytest.fixture(scope="module")
def chr20(tmp_path_factory):
    """300 samples over 1 Mb of chromosome 20 (1000 Genomes)."""
    data = os.environ.get("GLMFLOW_TEST_DATA")
    if not data or not (folder := Path(data) / "human_chr20").exists():
        pytest.skip("GLMFLOW_TEST_DATA/human_chr20 is not here")
    genome = Reference(folder / "genome.fa")
    store = build_store(folder / "cohort.vcf.gz", genome, tmp_path_factory.mktemp("chr20") / "store")
    return store, genome, folder


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("variants", "options"), [("all", ()), ("snv", ("-i", 'TYPE="snp"'))])
def test_every_haplotype_of_300_people_is_as_bcftools_has_it(chr20, tmp_path, variants, options):
    import pysam.bcftools

    store, genome, folder = chr20
    bcf = tmp_path / "cohort.bcf"
    pysam.bcftools.view("-Ob", "-o", str(bcf), str(folder / "cohort.vcf.gz"), catch_stdout=False)
    pysam.bcftools.index(str(bcf), catch_stdout=False)
    reader = HaplotypeReader(store, genome, variants)
    differ = [
        (sample, haplotype)
        for sample in store.samples
        for haplotype in (1, 2)
        if text(reader.region(sample, haplotype, "chr20w", 0, 1_000_000))
        != consensus(folder / "genome.fa", bcf, sample, haplotype, *options)["chr20w"]
    ]
    assert len(store.samples) == 300 and not differ


@pytest.mark.real
def test_map_is_right_at_every_base_of_real_windows(chr20):
    """Bases with a place that no variant touches equal the reference there."""
    store, genome, _ = chr20
    reader = HaplotypeReader(store, genome)
    contig = store.contig("chr20w")
    touched = np.zeros(1_000_001, bool)
    for first, last in zip(contig.start, contig.end, strict=True):
        touched[first:last] = True
    reference = genome.fetch("chr20w", 0, 1_000_000)
    random = np.random.default_rng(0)
    for _ in range(200):
        sample = store.samples[random.integers(300)]
        start = int(random.integers(-1000, 1_000_000))
        window = reader.window(sample, int(random.integers(1, 3)), "chr20w", start, start + 32_768)
        placed = window.position >= 0
        places = window.position[placed]
        assert len(window.sequence) == 32_768 and (np.diff(places) > 0).all()
        assert (window.sequence[placed] == reference[places])[~touched[places]].all()
        assert (window.sequence[window.position == -2] == ord("N")).all()
