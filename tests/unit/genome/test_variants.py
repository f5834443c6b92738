"""The variant store: what it refuses, what it counts, when it is built again."""

import gzip
import multiprocessing
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome.guards import check_reference_alleles
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store, open_store
from haplotype_cases import HEADER, Rec, consensus, write_fasta, write_vcf
from pysam import bcftools

#          1         11        21        31        41        51
REF = "ACGTTGCAACCGGTTAGCATCGATCGGATTACAGATTACCAGTAGCTTGCATGCCATGAC"
SNVS = [Rec(10, "C", "T", ("1|0", "0|0")), Rec(20, "T", "G", ("1|1", "0|1"))]


@pytest.fixture
def genome(tmp_path):
    return Reference(write_fasta(tmp_path / "genome.fa", c=REF))


def cohort(path, records=SNVS, samples=("s", "t"), contigs=None):
    return write_vcf(path, samples, records, contigs or {"c": len(REF)})


def haplotype(store, genome, sample, number, chrom="c"):
    return HaplotypeReader(store, genome).sequence(sample, number, chrom).tobytes().decode()


# What is refused, in one line that says what and where
def test_sample_absent(tmp_path, genome):
    with pytest.raises(InputError, match=r"no sample u.*It has s, t"):
        build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store", samples=["s", "u"])


def test_no_such_file_and_no_vcf(tmp_path, genome):
    with pytest.raises(InputError, match=r"absent\.vcf: no such file"):
        build_store(tmp_path / "absent.vcf", genome, tmp_path / "store")
    (tmp_path / "junk.vcf").write_text("hello\n")
    with pytest.raises(InputError, match="not a VCF or BCF file"):
        build_store(tmp_path / "junk.vcf", genome, tmp_path / "store")


def test_no_samples(tmp_path, genome):
    vcf = tmp_path / "sites.vcf"
    vcf.write_text(HEADER + "##contig=<ID=c>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nc\t10\t.\tC\tT\t.\t.\t.\n")
    with pytest.raises(InputError, match="no samples"):
        build_store(vcf, genome, tmp_path / "store")


def test_no_records(tmp_path, genome):
    with pytest.raises(InputError, match="no records"):
        build_store(cohort(tmp_path / "a.bcf", []), genome, tmp_path / "store")


def test_nothing_carried(tmp_path, genome):
    vcf = cohort(tmp_path / "a.bcf", [Rec(10, "C", "T", ("0|0", "0|."))])
    with pytest.raises(InputError, match="nothing that s, t carry could be applied; 1 of 1 records pass FILTER"):
        build_store(vcf, genome, tmp_path / "store")
    with pytest.raises(InputError, match="nothing that t carries could be applied"):
        build_store(vcf, genome, tmp_path / "store", samples=["t"], filter_policy=None)
    assert not (tmp_path / "store").exists()


def test_no_record_passes_filter(tmp_path, genome):
    names = ["LowQual", "LowQual", "PASS;LowQual", "."]
    records = [Rec(10 * n, REF[10 * n - 1], "A", ("1|1", "0|1"), name) for n, name in enumerate(names, 1)]
    vcf = cohort(tmp_path / "a.bcf", records)
    expected = r"a\.bcf: 0 of 4 records pass FILTER \(PASS\): they have LowQual \(2\), .*\. Name the values to keep \(`filters`"
    with pytest.raises(InputError, match=expected) as caught:
        build_store(vcf, genome, tmp_path / "store", filter_policy=["PASS"])
    assert "PASS;LowQual (1)" in str(caught.value) and ". (1)" in str(caught.value)
    with pytest.raises(InputError, match=r"0 of 2 records pass FILTER \(PASS, \.\): they have LowQual \(2\)\."):
        build_store(cohort(tmp_path / "b.bcf", records[:2]), genome, tmp_path / "store")
    assert build_store(vcf, genome, tmp_path / "store").samples == ["s", "t"]


@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz"])
def test_unsorted(tmp_path, genome, name):
    vcf = cohort(tmp_path / "a.vcf", SNVS[::-1])
    if name.endswith("gz"):
        (tmp_path / name).write_bytes(gzip.compress(vcf.read_bytes()))
    with pytest.raises(InputError, match=r"not sorted: c:10 follows c:20"):
        build_store(tmp_path / name, genome, tmp_path / "store")


def test_contig_in_two_places(tmp_path):
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=REF, d=REF))
    records = [SNVS[0], SNVS[0]._replace(chrom="d"), SNVS[1]]
    vcf = cohort(tmp_path / "a.vcf", records, contigs={"c": 60, "d": 60})
    with pytest.raises(InputError, match=r"not sorted: c:20 follows d:10"):
        build_store(vcf, genome, tmp_path / "store")


def test_reference_allele_that_the_genome_does_not_have(tmp_path, genome):
    """Carried or not; the first three are shown."""
    wrong = [Rec(pos, "A", "T", ("0|0", "0|0")) for pos in (2, 3, 4, 5)]
    with pytest.raises(
        InputError, match=r"REF disagrees with the genome at 4 of the 5 .* c:2 REF A, FASTA C; c:3 .*; c:4"
    ):
        build_store(cohort(tmp_path / "a.bcf", [*wrong, SNVS[1]]), genome, tmp_path / "store")
    past = Rec(59, "ACC", "A", ("0|0", "0|0"))
    with pytest.raises(InputError, match=r"c:59 REF ACC, FASTA ACN"):
        build_store(cohort(tmp_path / "b.bcf", [SNVS[1], past], contigs={"c": 60}), genome, tmp_path / "store")


def test_base_on_an_unknown_base_of_the_genome(tmp_path):
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=REF[:9] + "N" + REF[10:]))
    with pytest.raises(InputError, match=r"c:10 REF C, FASTA N"):
        build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store")


def test_sparse_records_are_compared_a_stretch_at_a_time():
    """Every record is; the genome between those far apart is not in memory at once."""
    asked = []

    class Genome:
        def __init__(self):
            self.contigs = {"c": 200_000_000}

        def fetch(self, chrom, start, end):
            asked.append(end - start)
            return np.full(end - start, ord("A"), np.uint8)

    positions = [10, 11, 500_000, 60_000_000, 60_000_001, 199_999_999]
    check_reference_alleles(Genome(), "c", positions, ["A"] * 6, Path("a.bcf"))
    assert max(asked) <= 2**20 + 1
    with pytest.raises(
        InputError, match="at 2 of the 6 records looked at, first c:12 REF C, FASTA A; c:200000000 REF AA, FASTA AA"
    ):
        check_reference_alleles(Genome(), "c", positions, ["A", "C", "A", "A", "A", "AA"], Path("a.bcf"))


@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz", "a.bcf"])
@pytest.mark.parametrize("pos, ref", [(0, "N"), (0, "NA"), (61, "N"), (70, "C")])
def test_records_outside_of_a_contig_whose_length_the_header_does_not_tell(tmp_path, genome, name, pos, ref):
    text = cohort(tmp_path / "as_told.vcf").read_text().replace(",length=60", "")
    head, tail = text[: text.index("c\t10\t")], text[text.index("c\t10\t") :]
    outside = f"c\t{pos}\t.\t{ref}\tG\t.\t.\t.\tGT\t1|0\t0|0\n"
    plain = tmp_path / "a.plain.vcf"
    plain.write_text(head + (outside + tail if pos == 0 else tail + outside))
    if name == "a.vcf":
        plain.rename(tmp_path / name)
    else:
        bcftools.view("-Ob" if name == "a.bcf" else "-Oz", "-o", str(tmp_path / name), str(plain), catch_stdout=False)
    with pytest.raises(InputError, match=rf"{name}: records outside of contig c \(1-60\): 1, first c:{pos}\."):
        build_store(tmp_path / name, genome, tmp_path / "store")


@pytest.mark.parametrize("info", ["END=61", "END=70", "SVLEN=-40"])
def test_a_deletion_past_the_contig_reaches_to_its_end(tmp_path, genome, caplog, info):
    """As `bcftools consensus` has it; nobody but s carries it."""
    vcf = cohort(tmp_path / "a.bcf", [*SNVS, Rec(50, REF[49], "<DEL>", ("1|0", "0|0"), info=info)])
    store = build_store(vcf, genome, tmp_path / "store")
    expected = [consensus(genome.path, vcf, name, number)["c"] for name in "st" for number in (1, 2)]
    assert [haplotype(store, genome, name, number) for name in "st" for number in (1, 2)] == expected
    assert [len(bases) for bases in expected] == [50, 60, 60, 60]
    assert "1 <DEL> end behind the contig" in caplog.text


@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz", "a.bcf"])
def test_breakends_at_the_telomeres_are_counted(tmp_path, genome, name):
    """POS 0 and one base behind the contig, as VCF has them."""
    ends = [Rec(pos, "N", alt, ("0|1", "0|0")) for pos, alt in [(0, "]c:20]N"), (61, "N[c:30[")]]
    store = build_store(cohort(tmp_path / name, [ends[0], *SNVS, ends[1]]), genome, tmp_path / "store")
    assert haplotype(store, genome, "s", 1) == REF[:9] + "T" + REF[10:19] + "G" + REF[20:]
    counts = store.counts().query("variants == 'all'").set_index("outcome")
    assert counts.loc["telomere", ["alleles", "calls"]].tolist() == [2, 2]


def test_contigs_named_otherwise_are_mapped_and_said(tmp_path, caplog):
    genome = Reference(write_fasta(tmp_path / "genome.fa", chr1=REF))
    vcf = cohort(tmp_path / "a.bcf", [r._replace(chrom="1") for r in SNVS], contigs={"1": 60})
    store = build_store(vcf, genome, tmp_path / "store")
    assert store.contigs == {"chr1": 60}
    assert haplotype(store, genome, "s", 2, "chr1") == REF[:19] + "G" + REF[20:]
    assert "1 is chr1" in caplog.text


def test_contigs_of_another_genome(tmp_path, genome):
    vcf = cohort(tmp_path / "a.bcf", [r._replace(chrom="z") for r in SNVS], contigs={"z": 60})
    with pytest.raises(InputError, match="no contig of the genome"):
        build_store(vcf, genome, tmp_path / "store")


def test_contig_of_another_assembly(tmp_path, genome):
    with pytest.raises(InputError, match=r"contig c has 61 bases, in the genome 60"):
        build_store(cohort(tmp_path / "a.bcf", contigs={"c": 61}), genome, tmp_path / "store")


def test_wanted_contig_without_records(tmp_path):
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=REF, d=REF))
    vcf = cohort(tmp_path / "a.bcf", contigs={"c": 60, "d": 60})
    assert list(build_store(vcf, genome, tmp_path / "store").contigs) == ["c"]
    with pytest.raises(InputError, match="no records of contig d"):
        build_store(vcf, genome, tmp_path / "store", contigs=["c", "d"])


def test_contigs_not_in_the_genome_are_refused_unless_the_contigs_are_named(tmp_path, genome):
    records = [*SNVS, SNVS[0]._replace(chrom="hs37d5")]
    vcf = cohort(tmp_path / "a.bcf", records, contigs={"c": 60, "hs37d5": 60})
    with pytest.raises(InputError, match=r"a\.bcf: contig 'hs37d5' has variants and is not in .*genome\.fa"):
        build_store(vcf, genome, tmp_path / "store")
    assert list(build_store(vcf, genome, tmp_path / "store", contigs=["c"]).contigs) == ["c"]


def test_more_than_two_alleles_in_a_genotype(tmp_path, genome):
    with pytest.raises(InputError, match=r"genotypes of 3 alleles at c:10"):
        build_store(cohort(tmp_path / "a.bcf", [Rec(10, "C", "T", ("0|1|1", "0|0"))]), genome, tmp_path / "store")


def test_no_genotype_field(tmp_path, genome):
    vcf = cohort(tmp_path / "a.vcf")
    vcf.write_text(vcf.read_text().replace("\tGT\t", "\tDP\t").replace("ID=GT", "ID=DP"))
    with pytest.raises(InputError, match=r"no genotypes \(GT\) at c:10"):
        build_store(vcf, genome, tmp_path / "store")


def test_genome_other_than_that_of_the_store(tmp_path, genome):
    store = build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store")
    other = Reference(write_fasta(tmp_path / "other.fa", c=REF + "A"))
    with pytest.raises(InputError, match=r"contig c has 61 bases, in the variant store 60"):
        HaplotypeReader(store, other)


def test_words_that_are_no_choice(tmp_path, genome):
    vcf = cohort(tmp_path / "a.bcf")
    with pytest.raises(InputError, match="unphased: 'guess'"):
        build_store(vcf, genome, tmp_path / "store", unphased="guess")
    with pytest.raises(InputError, match="variants: 'indels'"):
        HaplotypeReader(build_store(vcf, genome, tmp_path / "store"), genome, "indels")
    with pytest.raises(InputError, match="no variant store here"):
        open_store(tmp_path)


# Forms of input
@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz", "a.bcf"])
def test_every_form_of_file_gives_the_same_haplotypes(tmp_path, genome, name):
    store = build_store(cohort(tmp_path / name), genome, tmp_path / "store")
    assert haplotype(store, genome, "s", 1) == REF[:9] + "T" + REF[10:19] + "G" + REF[20:]


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_missing_index_is_made_elsewhere(tmp_path, genome, name):
    folder = tmp_path / "input"
    folder.mkdir()
    vcf = cohort(folder / name)
    Path(f"{vcf}.csi").unlink()
    folder.chmod(0o500)
    before = sorted(folder.iterdir())
    store = build_store(vcf, genome, tmp_path / "store")
    assert haplotype(store, genome, "t", 2) == REF[:19] + "G" + REF[20:]
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("stale", ["a.vcf.gz.csi", "a.vcf.csi", "a.vcf.gz.tbi", "a.vcf.tbi"])
def test_an_index_of_an_earlier_file_beside_a_current_one_is_not_used(tmp_path, stale):
    """htslib takes the first that it finds, here one that knows nothing of the later records."""
    bases = "ACGT" * 25_000
    genome = Reference(write_fasta(tmp_path / "long.fa", c=bases))
    records = [Rec(pos, bases[pos - 1], "A", ("1|0",)) for pos in range(2, 100_000, 40)]  # each a C
    folder = tmp_path / "input"
    folder.mkdir()
    vcf = write_vcf(folder / "a.vcf.gz", ("s",), records, {"c": len(bases)})
    earlier = write_vcf(tmp_path / "earlier.vcf.gz", ("s",), records[:20], {"c": len(bases)})
    kind, other = ("-c", "tbi") if stale.endswith("csi") else ("-t", "csi")
    Path(f"{vcf}.csi").unlink()
    bcftools.index(f"-{other[0]}", str(vcf), catch_stdout=False)
    bcftools.index("-f", kind, "-o", str(folder / stale), str(earlier), catch_stdout=False)
    os.utime(folder / stale, (1e9, 1e9))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(build_store(vcf, genome, tmp_path / "store").contig("c").pos) == len(records)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}
    # What cannot be recognised by its age is told by what it counts.
    for path in folder.glob("*.*i"):
        path.unlink()
    bcftools.index("-f", "-o", f"{vcf}.csi", str(earlier), catch_stdout=False)
    expected = r"\d+ records of contig c can be read, its index counts 20|a record cannot be read .* bcftools index -f"
    with pytest.raises(InputError, match=expected):
        build_store(vcf, genome, tmp_path / "again")


def test_several_files_with_a_contig_each(tmp_path):
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=REF, d=REF))
    contigs = {"c": 60, "d": 60}
    first = cohort(tmp_path / "c.bcf", SNVS[:1], contigs=contigs)
    # The samples in another order.
    second = cohort(tmp_path / "d.bcf", [SNVS[0]._replace(chrom="d", gts=("0|0", "0|1"))], ("t", "s"), contigs=contigs)
    store = build_store([first, second], genome, tmp_path / "store", cores=2)
    changed = REF[:9] + "T" + REF[10:]
    made = {(s, h, c): haplotype(store, genome, s, h, c) for s in "st" for h in (1, 2) for c in "cd"}
    assert {who for who, bases in made.items() if bases != REF} == {("s", 1, "c"), ("s", 2, "d")}
    assert made["s", 1, "c"] == made["s", 2, "d"] == changed
    with pytest.raises(InputError, match=r"contig c is in .*c\.bcf too"):
        build_store([first, first], genome, tmp_path / "again")


def test_some_of_the_people(tmp_path, genome):
    store = build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store", samples=["t"])
    assert store.samples == ["t"]
    assert haplotype(store, genome, "t", 2) == REF[:19] + "G" + REF[20:]


# Rebuilt only when something changed
def test_store_is_built_anew_only_where_something_changed(tmp_path, genome):
    vcf = cohort(tmp_path / "a.bcf")

    def built(**options):
        build_store(vcf, genome, tmp_path / "store", **options)
        return (tmp_path / "store" / "store.json").stat().st_ino

    first = built()
    assert built() == first
    os.utime(vcf, (1, 1))  # another time, the same content
    assert built() == first
    second = built(filter_policy=None)
    assert second != first and built(filter_policy=None) == second
    cohort(tmp_path / "a.bcf", [SNVS[0]])
    assert built(filter_policy=None) != second
    assert haplotype(open_store(tmp_path / "store"), genome, "s", 2) == REF


def test_a_refused_file_leaves_the_old_store(tmp_path, genome):
    build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store")
    with pytest.raises(InputError):
        build_store(cohort(tmp_path / "b.bcf", [Rec(10, "A", "T", ("1|0", "0|0"))]), genome, tmp_path / "store")
    assert haplotype(open_store(tmp_path / "store"), genome, "s", 2) == REF[:19] + "G" + REF[20:]
    assert not list(tmp_path.glob(".tmp*"))


# Counts and genotypes
def test_counts_say_what_became_of_every_call(tmp_path, genome):
    records = [
        Rec(5, "T", "G", ("1|0", "1|1"), filter="LowQual"),
        Rec(10, "CCGG", "C", ("1|0", "0|1")),
        Rec(12, "G", "T", ("1|1", "0|0")),  # inside the deletion on haplotype 1 of s
        Rec(20, "T", "G,<DUP>", ("1|2", "2|2")),
        Rec(20, "T", "G", ("1|0", "0|0")),  # given again
        Rec(25, "C", "*,R", ("1|2", "0|0")),
        Rec(30, "T", "A", ("0/1", "1/1")),
        Rec(40, "C", "G", (".|.", "0|0")),
    ]
    store = build_store(cohort(tmp_path / "a.bcf", records), genome, tmp_path / "store", unphased="reference")
    counts = store.counts().set_index(["variants", "outcome"])[["alleles", "calls"]]
    got = {mode: {k: tuple(v) for k, v in counts.loc[mode].T.items() if tuple(v) != (0, 0)} for mode in ("all", "snv")}
    left_out = {
        "filter": (1, 3),
        "symbolic": (1, 3),
        "spanning_deletion": (1, 1),
        "not_acgtn": (1, 1),
        "unphased": (1, 1),
        "missing": (0, 2),
        "not_carried": (1, 0),
    }
    assert got["all"] == left_out | {"applied": (4, 6), "overlap": (1, 1), "duplicate": (1, 1)}
    # Without the deletion its inside is free; the record with <DUP> is no record of single bases.
    assert got["snv"] == left_out | {"applied": (3, 5), "not_snv": (2, 3)}
    carried = store.contig("c").carried(slice(None), 0, 5).sum()
    assert carried == sum(
        calls for name, (_, calls) in got["all"].items() if name in ("applied", "overlap", "duplicate")
    )


def test_dosages(tmp_path, genome):
    records = [
        Rec(10, "C", "T,G", ("1|2", "2|2", "0|.")),
        Rec(20, "T", "G", ("1|0", "0|0", "0|0")),
        Rec(20, "T", "G", ("0|1", "0|0", "1|0")),  # given again: one allele
        Rec(30, "T", "TA", ("1|1", "1|1", "1|0")),
        Rec(40, "C", "G", ("0|0", "0|0", "1")),
    ]
    store = build_store(cohort(tmp_path / "a.bcf", records, ("s", "t", "u")), genome, tmp_path / "store")
    variants, dosages = store.dosages("c", 0, 60)
    assert list(zip(variants["pos"], variants["ref"], variants["alt"], variants["missing"])) == [
        (9, "C", "T", 1),
        (9, "C", "G", 1),
        (19, "T", "G", 0),
        (29, "T", "TA", 0),
        (39, "C", "G", 0),
    ]
    assert dosages.dtype == np.float64
    assert dosages.tolist() == [[1, 1, 2, 2, 0], [0, 2, 0, 2, 0], [0, 0, 1, 1, 1]]
    variants, dosages = store.dosages("c", 9, 30, ["t", "s"], maf=0.3)
    assert variants["pos"].tolist() == [19]  # T 1, G 3, TA 4 of 4; at 20 G 2 of 4
    assert dosages.tolist() == [[0], [2]]


def _digest(reader):
    return reader.window("s", 1, "c", 5, 25).sequence.tobytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_readers_work_in_forked_and_spawned_workers(tmp_path, genome, method):
    """Also after the parent has opened everything."""
    store = build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store")
    reader = HaplotypeReader(store, genome)
    here = _digest(reader)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_digest, [reader] * 4) == [here] * 4
    assert _digest(pickle.loads(pickle.dumps(reader))) == here
    assert len(pickle.dumps(reader)) < 10_000


def test_store_can_be_moved(tmp_path, genome):
    build_store(cohort(tmp_path / "a.bcf"), genome, tmp_path / "store")
    shutil.move(tmp_path / "store", tmp_path / "elsewhere")
    assert haplotype(open_store(tmp_path / "elsewhere"), genome, "s", 2) == REF[:19] + "G" + REF[20:]


def test_many_variants_cross_the_chunks_of_the_writer(tmp_path):
    """More alleles than are packed at a time, a number that is no multiple of 8."""
    random = np.random.default_rng(1)
    reference = "".join(random.choice(list("ACGT"), 9000))
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=reference))
    carried = random.random((8501, 6)) < 0.3
    records = [
        Rec(
            i + 1,
            reference[i],
            "CATG"["GTAC".index(reference[i])],
            tuple(f"{int(a)}|{int(b)}" for a, b in row.reshape(3, 2)),
        )
        for i, row in enumerate(carried)
    ]
    vcf = cohort(tmp_path / "a.bcf", records, ("s", "t", "u"), {"c": 9000})
    store = build_store(vcf, genome, tmp_path / "store")
    for i, (sample, number) in enumerate([(s, h) for s in "stu" for h in (1, 2)]):
        differs = [a != b for a, b in zip(haplotype(store, genome, sample, number), reference)]
        assert differs == [*carried[:, i], *[False] * 499]
