"""VCF and BCF as tools and downloads leave them: cut short, of several dialects, with records that cannot be read."""

import codecs
import gzip
import logging

import numpy as np
import pysam
import pytest
from glmflow.errors import InputError
from glmflow.genome import htslib_messages
from glmflow.genome.guards import find_contigs
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.genome.vcf_files import indexed, open_vcf
from glmflow.text_files import END_OF_BGZF
from haplotype_cases import HEADER, Rec, consensus, write_fasta, write_vcf
from pysam import bcftools

#          1         11        21        31        41        51
REF = "ACGTTGCAACCGGTTAGCATCGATCGGATTACAGATTACCAGTAGCTTGCATGCCATGAC"
SNVS = [Rec(10, "C", "T", ("1|0", "0|0")), Rec(20, "T", "G", ("1|1", "0|1"))]
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\tt\n"
CONTIG = "##contig=<ID=c,length=60>\n"
PS = '##FORMAT=<ID=PS,Number=1,Type={},Description="phase set">\n'


@pytest.fixture
def genome(tmp_path):
    return Reference(write_fasta(tmp_path / "genome.fa", c=REF))


@pytest.fixture
def built(tmp_path, genome):
    """Build a store and return its reader."""

    def build(vcf, variants="all", **options):
        return HaplotypeReader(build_store(vcf, genome, tmp_path / "store", **options), genome, variants)

    return build


def text_file(path, *lines, head=HEADER + CONTIG, columns=COLUMNS):
    """Write records as text, bgzip with an index where the name ends in .gz."""
    path.write_text(head + columns + "".join(line.replace(" ", "\t") + "\n" for line in lines))
    if path.suffix == ".gz":
        plain = path.with_suffix("")
        path.rename(plain)
        pysam.tabix_compress(str(plain), str(path), force=True)
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def haplotypes(reader):
    return [reader.sequence(name, n, "c").tobytes().decode() for name in reader.store.samples for n in (1, 2)]


# Cut short
@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
@pytest.mark.parametrize("with_index", [True, False])
def test_a_file_cut_between_two_blocks_is_refused(tmp_path, genome, name, with_index):
    """Nothing but the lack of its end-of-file block tells it from a whole one."""
    bases = "ACGT" * 50_000
    genome = Reference(write_fasta(tmp_path / "long.fa", c=bases))
    # Many samples, so that there are several blocks.
    samples = [f"s{n}" for n in range(100)]
    rng = np.random.default_rng(0)
    records = [
        Rec(pos, bases[pos - 1], "A", tuple(f"{a}|{b}" for a, b in rng.integers(0, 2, (100, 2))))
        for pos in range(2, 8_000, 4)
    ]
    vcf = write_vcf(tmp_path / name, samples, records, {"c": len(bases)})
    content, index = vcf.read_bytes(), tmp_path / f"{name}.csi"
    starts = [0]
    while starts[-1] < len(content):  # BSIZE of each block
        starts.append(starts[-1] + int.from_bytes(content[starts[-1] + 16 : starts[-1] + 18], "little") + 1)
    assert len(starts) > 4 and content.endswith(END_OF_BGZF)
    if not with_index:
        index.unlink()
    for cut in (starts[-2], starts[-3], starts[-3] + 7):
        vcf.write_bytes(content[:cut])
        if with_index:
            index.touch()
        with pytest.raises(InputError, match=rf"{name}: cut short: {cut:,} bytes without the end-of-file block"):
            build_store(vcf, genome, tmp_path / "store")
    # A block cut in its middle, with an end-of-file block behind it all the same.
    vcf.write_bytes(content[: starts[-3] + 700] + END_OF_BGZF)
    with pytest.raises(InputError, match=rf"{name}: (a record cannot be read|cannot be indexed|\d+ records)"):
        build_store(vcf, genome, tmp_path / "store")


def test_plain_gzip_is_read_and_refused_where_it_is_cut(tmp_path, genome, built):
    plain = write_vcf(tmp_path / "a.vcf", "st", SNVS, {"c": 60})
    packed = tmp_path / "b.vcf.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert haplotypes(built(packed)) == haplotypes(built(plain))
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-30])
    with pytest.raises(InputError, match=r"b\.vcf\.gz: "):
        build_store(packed, genome, tmp_path / "other")


def test_plain_text_cut_in_its_last_line_is_said_to_be_so(tmp_path, genome):
    vcf = text_file(tmp_path / "a.vcf", "c 10 . C T . . . GT 1|0 0|0", "c 20 . T G . . . GT 1|1")
    with pytest.raises(InputError, match=r"a\.vcf: a record cannot be read.*c:20.*number of samples"):
        build_store(vcf, genome, tmp_path / "store")


# Records that cannot be read
def test_a_record_that_htslib_cannot_parse_is_not_taken_for_whole(tmp_path, genome):
    """Read by contig, cyvcf2 returns what htslib has parsed of it."""
    lines = ["c 10 . C T . . . GT:PS 1|0:1 0|0:1", "c 20 . T G . . . GT:PS 1|1:PATMAT 0|1:1"]
    vcf = text_file(tmp_path / "a.vcf.gz", *lines, head=HEADER + CONTIG + PS.format("Integer"))
    with pytest.raises(
        InputError, match=r"a\.vcf\.gz: a record cannot be read \(Invalid character 'P' in 'PS'.*c:20\)"
    ):
        build_store(vcf, genome, tmp_path / "store")


def test_a_sample_that_comes_twice(tmp_path, genome):
    columns = COLUMNS.replace("\tt\n", "\ts\n")
    vcf = text_file(tmp_path / "a.vcf", "c 10 . C T . . . GT 1|0 0|0", columns=columns)
    with pytest.raises(InputError, match=r"a\.vcf: its header cannot be read \(Duplicated sample name 's'\)"):
        build_store(vcf, genome, tmp_path / "store")


def test_a_call_of_an_allele_that_is_not_there(tmp_path, genome, built):
    """`bcftools consensus` refuses it too; of a record that FILTER leaves out nothing is asked."""
    records = [SNVS[0], Rec(20, "T", "G,A", ("1|1", "0|3"))]
    with pytest.raises(InputError, match="t is called allele 3 at c:20, which has 2 alternative alleles"):
        build_store(write_vcf(tmp_path / "a.bcf", "st", records, {"c": 60}), genome, tmp_path / "store")
    records[1] = records[1]._replace(filter="LowQual")
    assert haplotypes(built(write_vcf(tmp_path / "b.bcf", "st", records, {"c": 60})))[3] == REF


def test_remarks_of_htslib_reach_the_log(tmp_path, built, caplog):
    """Each kind a few times."""
    htslib_messages._logged.clear()
    lines = [f"c {pos} . {REF[pos - 1]} N . . X{pos}=1 GT 1|0 0|0" for pos in range(2, 50)]
    with caplog.at_level(logging.WARNING):
        built(text_file(tmp_path / "a.vcf", *lines))
    said = [record.getMessage() for record in caplog.records if "not defined in the header" in record.getMessage()]
    assert len(said) == htslib_messages.OFTEN and all("a.vcf: INFO 'X" in text for text in said)


def test_what_others_write_meanwhile_is_passed_on(capfd):
    import os

    with htslib_messages.heard() as said:
        os.write(2, b"[E::hts_open] of htslib\nnot of htslib\n[W::hts_open] a remark\n")
    assert (said.errors, said.remarks) == (["of htslib"], ["a remark"])
    assert capfd.readouterr().err == "not of htslib\n"


# Dialects
def test_a_header_without_contigs(tmp_path, built):
    lines = ["c 10 . C T . . . GT 1|0 0|0", "c 20 . T G . . . GT 1|1 0|1"]
    expected = haplotypes(built(write_vcf(tmp_path / "a.vcf", "st", SNVS, {"c": 60})))
    for name in ("b.vcf", "b.vcf.gz"):
        assert haplotypes(built(text_file(tmp_path / name, *lines, head=HEADER))) == expected


def test_windows_line_ends(tmp_path, built):
    plain = write_vcf(tmp_path / "a.vcf", "st", SNVS, {"c": 60})
    expected = haplotypes(built(plain))
    plain.write_bytes(plain.read_bytes().replace(b"\n", b"\r\n"))
    assert haplotypes(built(plain)) == expected


@pytest.mark.parametrize(("kind", "name"), [(".bcf", "b.vcf.gz"), (".vcf.gz", "b.bcf"), (".bcf", "b.data")])
def test_a_file_under_the_name_of_another_kind(tmp_path, built, kind, name):
    """cyvcf2 looks at the name."""
    file = write_vcf(tmp_path / f"a{kind}", "st", SNVS, {"c": 60})
    expected = haplotypes(built(file))
    file.rename(tmp_path / name)
    (tmp_path / f"a{kind}.csi").rename(tmp_path / f"{name}.csi")
    assert haplotypes(built(tmp_path / name)) == expected


def test_an_index_that_is_damaged_is_made_again(tmp_path, built):
    file = write_vcf(tmp_path / "a.vcf.gz", "st", SNVS, {"c": 60})
    expected = haplotypes(built(file))
    index = tmp_path / "a.vcf.gz.csi"
    index.write_bytes(index.read_bytes()[:40])
    assert haplotypes(built(file)) == expected
    assert len(index.read_bytes()) == 40


def test_names_of_samples_that_htslib_reads_as_lists(tmp_path, genome):
    names = ("^s", "t,u", "v")
    vcf = write_vcf(tmp_path / "a.bcf", names, [SNVS[0]._replace(gts=("1|0", "0|1", "1|1"))], {"c": 60})
    store = build_store(vcf, genome, tmp_path / "store", samples=["t,u", "^s"])
    changed = REF[:9] + "T" + REF[10:]
    assert store.samples == ["^s", "t,u"]
    assert haplotypes(HaplotypeReader(store, genome)) == [changed, REF, REF, changed]


@pytest.mark.parametrize("unobserved", ["<NON_REF>", "<*>"])
def test_single_bases_of_a_gvcf_are_those_of_bcftools(tmp_path, genome, built, unobserved):
    records = [
        Rec(1, "A", unobserved, ("0/0", "0/0"), info="END=9"),
        Rec(10, "C", f"T,{unobserved}", ("0|1", "1|1")),
        Rec(11, "C", unobserved, ("0/0", "0/0"), info="END=19"),
        Rec(20, "T", f"TGG,{unobserved}", ("1|0", "0|0")),
        Rec(30, "T", f"G,TA,{unobserved}", ("1|0", "2|0")),
        Rec(40, "C", f"G,A,{unobserved}", ("2|1", "0|0")),
    ]
    vcf = write_vcf(tmp_path / "a.bcf", "st", records, {"c": 60})
    for variants, options in (("snv", ("-i", 'TYPE="snp"')), ("all", ())):
        expected = [consensus(genome.path, vcf, name, n, *options)["c"] for name in "st" for n in (1, 2)]
        reader = built(vcf, variants)
        assert haplotypes(reader) == expected
    assert haplotypes(built(vcf, "snv"))[1] == REF[:9] + "T" + REF[10:39] + "G" + REF[40:]
    assert "unobserved" not in set(reader.store.counts()["outcome"])  # nobody is called it


@pytest.mark.parametrize("lengths", ["END=20", "SVLEN=-10", "END=20;SVLEN=x", "END=x;SVLEN=-10,3", "END=x", "SVLEN=."])
@pytest.mark.parametrize("kind", ["String", "Integer", "Float", None])
def test_deletions_whose_end_the_header_gives_another_type(tmp_path, genome, lengths, kind):
    """Without a definition, htslib takes END for text."""
    head = "\n".join(line for line in HEADER.splitlines() if "INFO" not in line) + "\n" + CONTIG
    if kind:
        head += "".join(f'##INFO=<ID={key},Number=1,Type={kind},Description="x">\n' for key in ("END", "SVLEN"))
    vcf = text_file(tmp_path / "a.vcf", "c 10 . C <DEL> . . " + lengths + " GT 1|0 0|0", "c 50 . C T . . . GT 1|0 0|0")
    deleted, left_out = (REF[:10] + REF[20:49] + "T" + REF[50:], REF[:49] + "T" + REF[50:])
    try:
        store = build_store(vcf, genome, tmp_path / "store")
    except InputError as error:  # a word where the header says a number
        assert "x" in lengths and "a.vcf: a record cannot be read" in str(error)
        return
    known = "10" in lengths or "20" in lengths
    assert haplotypes(HaplotypeReader(store, genome))[0] == (deleted if known else left_out)
    assert store.counts().query("outcome == 'symbolic'")["calls"].sum() == (0 if known else 2)


def test_two_deletions_from_one_base_are_two_alleles(tmp_path, genome):
    ends = [Rec(10, "C", "<DEL>", gts, info=f"END={end}") for end, gts in [(15, ("1|0", "0|0")), (20, ("0|1", "1|1"))]]
    store = build_store(write_vcf(tmp_path / "a.bcf", "st", ends, {"c": 60}), genome, tmp_path / "store")
    variants, dosages = store.dosages("c", 0, 60)
    assert variants["alt"].tolist() == ["<DEL>", "<DEL>"] and dosages.tolist() == [[1, 1], [0, 2]]
    lengths = [len(bases) for bases in haplotypes(HaplotypeReader(store, genome))]
    assert lengths == [55, 50, 50, 50]


# Phase sets
def phased(path, kind, *sets):
    """Write heterozygous calls of s and t in these phase sets (of s; t has one)."""
    places = [5, 10, 20, 30, 40, 50][: len(sets)]
    lines = [f"c {p} . {REF[p - 1]} N . . . GT:PS 0|1:{name} 0|1:1" for p, name in zip(places, sets)]
    return text_file(path, *lines, head=HEADER + CONTIG + PS.format(kind))


@pytest.mark.parametrize(
    ("kind", "sets", "joins"),
    [
        ("Integer", (5, 5, 20, 20), 1),
        ("Integer", (5, 20, 5, 20), 3),
        ("Integer", (5, ".", ".", 5), 2),
        ("Integer", (".", ".", "."), 0),
        ("String", ("PATMAT", "PATMAT", "PATMAT"), 0),
        ("String", ("5_A", "5_A", "."), 1),
    ],
)
def test_phase_sets_that_are_joined_are_counted_and_said(tmp_path, built, caplog, kind, sets, joins):
    """Of WhatsHap, HapCUT2, LongPhase and others; which haplotype goes on as which is not known."""
    store = built(phased(tmp_path / "a.vcf", kind, *sets)).store
    counts = store.counts().query("outcome == 'phase_sets_joined' and variants == 'all'")["calls"]
    assert counts.tolist() == [joins] * bool(joins)
    assert (f"in 1 of 2 samples: {joins} neighbouring sets are joined" in caplog.text) == bool(joins)
    assert ("phase sets (PS) joined" in store.summary("all")) == bool(joins)
    assert store.summary("all").endswith("left out: none" + f"; phase sets (PS) joined: {joins}" * bool(joins))


def test_phase_sets_are_of_phased_heterozygotes(tmp_path, built):
    lines = [
        "c 10 . C T . . . GT:PS 0|1:10 0|1:10",
        "c 20 . T G . . . GT:PS 1|1:20 0/0:20",
        "c 30 . T G . . . GT 0|0 1|1",
    ]
    store = built(text_file(tmp_path / "a.vcf", *lines, head=HEADER + CONTIG + PS.format("Integer"))).store
    assert "phase_sets_joined" not in set(store.counts()["outcome"])


# Contigs that are not used
def test_contigs_that_are_not_used_are_not_compared(tmp_path):
    """The mitochondrion of hg19 has 16,571 bases, that of b37 16,569."""
    genome = Reference(write_fasta(tmp_path / "two.fa", c=REF, chrM=REF))
    other = {"c": 60, "MT": 58, "decoy": 20}
    records = [*SNVS, Rec(10, "C", "T", ("1|0", "0|0"), chrom="MT"), Rec(1, "C", "T", ("1|0", "0|0"), chrom="decoy")]
    vcf = write_vcf(tmp_path / "a.bcf", "st", records, other)
    store = build_store(vcf, genome, tmp_path / "store", contigs=["c"])
    assert store.contigs == {"c": 60}
    with pytest.raises(InputError, match="contig MT has 58 bases, in the genome 60"):
        find_contigs(indexed(vcf, tmp_path / "scratch"), genome, ["chrM"], vcf)
    with pytest.raises(InputError, match="contig MT has 58 bases"):
        build_store(vcf, genome, tmp_path / "all")


def test_the_command_names_the_phase_sets(tmp_path, genome, capsys):
    from glmflow.cli import main

    vcf = phased(tmp_path / "a.vcf.gz", "Integer", 5, 5, 20)
    bcftools.index("-f", str(vcf), catch_stdout=False)
    options = ["--fasta", genome.path, "--vcf", vcf, "--sample", "s", "--haplotype", "1", "--output", tmp_path / "o.fa"]
    assert main(["haplotype", *map(str, options)]) == 0
    assert "phase sets (PS) joined: 1" in capsys.readouterr().err


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_a_byte_order_mark_is_named(tmp_path, mark, packed):
    path = tmp_path / ("marked.vcf.gz" if packed else "marked.vcf")
    text = mark + b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_bytes(gzip.compress(text, mtime=0) if packed else text)
    with pytest.raises(InputError, match="byte order mark"):
        open_vcf(path)
