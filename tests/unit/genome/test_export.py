"""Haplotypes as files, and the command."""

import argparse

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.errors import InputError
from glmflow.genome.export import export_gene_fastas, export_haplotype
from glmflow.genome.export import write_fasta as write_sequences
from glmflow.genome.haplotype_command import add_haplotype_command
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from haplotype_cases import Rec, consensus, write_fasta, write_vcf

#          1         11        21        31        41        51
REF = "ACGTTGCAACCGGTTAGCATCGATCGGATTACAGATTACCAGTAGCTTGCATGCCATGAC"
RECORDS = [
    Rec(10, "C", "T", ("1|0", "0|0")),
    Rec(20, "T", "TGGG", ("1|1", "0|1")),
    Rec(5, "T", "G", ("1", "0|1"), chrom="chrX"),
]


@pytest.fixture
def files(tmp_path):
    fasta = write_fasta(tmp_path / "genome.fa", c=REF, chrX=REF, chrY=REF)
    return fasta, write_vcf(tmp_path / "a.bcf", ("s", "t"), RECORDS, {"c": 60, "chrX": 60})


@pytest.fixture
def reader(files, tmp_path):
    genome = Reference(files[0])
    return HaplotypeReader(build_store(files[1], genome, tmp_path / "store"), genome)


def bases(array) -> str:
    return array.tobytes().decode()


def test_written_fasta_is_what_faidx_reads(tmp_path):
    """Lines of 60; compressed in blocks and indexed where the name says so."""
    random = np.random.default_rng(0)
    sequences = {f"r{n}": random.choice(np.frombuffer(b"ACGTN", np.uint8), n) for n in (1, 59, 60, 61, 300)}
    for name in ("a.fa", "a.fa.gz"):
        write_sequences(sequences.items(), tmp_path / name)
        with pysam.FastaFile(str(tmp_path / name)) as file:
            assert file.references == list(sequences)
            assert {name: file.fetch(name) for name in file.references} == {
                name: bases(sequence) for name, sequence in sequences.items()
            }
    assert (tmp_path / "a.fa.gz.gzi").exists() and (tmp_path / "a.fa.gz.fai").exists()
    assert max(map(len, (tmp_path / "a.fa").read_text().split())) == 60


def test_exported_haplotype_is_as_bcftools_has_it(files, reader, tmp_path):
    fasta, vcf = files
    for haplotype in (1, 2):
        path = tmp_path / f"t.{haplotype}.fa.gz"
        assert export_haplotype(reader, "t", haplotype, path) == []
        theirs = consensus(fasta, vcf, "t", haplotype)
        with pysam.FastaFile(str(path)) as file:
            assert {name: file.fetch(name) for name in file.references} == {
                name: theirs[name] for name in ("c", "chrX")
            }


def test_contigs_with_one_haplotype_are_left_out_of_the_second(reader, tmp_path):
    assert export_haplotype(reader, "s", 1, tmp_path / "s.1.fa") == []
    assert export_haplotype(reader, "s", 2, tmp_path / "s.2.fa") == ["chrX"]
    assert (tmp_path / "s.2.fa").read_text().count(">") == 1


def test_unphased_single_bases_as_ambiguity_codes(tmp_path):
    """Both haplotypes have the code; phased alleles and what is deleted stay as they are."""
    records = [
        Rec(3, "G", "C", ("0/1",)),
        Rec(10, "C", "T", ("0/1",)),
        Rec(12, "G", "A,T", ("1/2",)),
        Rec(15, "T", "G", ("1|0",)),
        Rec(20, "TCG", "T", ("1|0",)),
        Rec(21, "C", "A", ("0/1",)),
        Rec(30, "T", "TA", ("0/1",)),
        Rec(40, "C", "A", ("./1",)),
        Rec(50, "C", "A", ("1/1",)),
    ]
    fasta = write_fasta(tmp_path / "genome.fa", c=REF)
    vcf = write_vcf(tmp_path / "a.vcf.gz", ("s",), records, {"c": 60})
    genome = Reference(fasta)
    reader = HaplotypeReader(build_store(vcf, genome, tmp_path / "store", unphased="reference"), genome)
    found = []
    for haplotype in (1, 2):
        export_haplotype(reader, "s", haplotype, tmp_path / "s.fa", iupac=True)
        found.append("".join((tmp_path / "s.fa").read_text().splitlines()[1:]))
    expected = list(REF)
    for place, code in ((3, "S"), (10, "Y"), (12, "W"), (21, "M"), (50, "A")):
        expected[place - 1] = code
    assert found[1] == "".join(expected)
    expected[14], expected[20:22] = "G", ["", ""]
    assert found[0] == "".join(expected)
    # bcftools writes the same codes where all is single bases and called.
    simple = write_vcf(tmp_path / "b.bcf", ("s",), [*records[:2], records[3]], {"c": 60})
    reader = HaplotypeReader(build_store(simple, genome, tmp_path / "other", unphased="reference"), genome)
    for haplotype in (1, 2):
        export_haplotype(reader, "s", haplotype, tmp_path / "s.fa", iupac=True)
        ours = "".join((tmp_path / "s.fa").read_text().splitlines()[1:])
        theirs = pysam.bcftools.consensus("-f", str(fasta), "-s", "s", "-H", f"{haplotype}pIu", str(simple))
        assert ours == "".join(theirs.splitlines()[1:])


def test_unphased_calls_of_no_single_bases_stay_the_reference_and_are_counted(tmp_path, caplog):
    records = [
        Rec(5, "T", "G", ("1|0",)),
        Rec(10, "CC", "G,T", ("1/2",)),  # both shorter than REF
        Rec(14, "TT", "CA", ("0/1",)),
        Rec(20, "T", "TGG", ("0/1",)),
        Rec(25, "C", "A,<DEL>", ("1/2",), info="END=27"),
        Rec(30, "T", "A", ("./1",)),
        Rec(33, "A", "T", ("0/.",)),
        Rec(35, "A", "C", ("0/1",)),
        Rec(35, "A", "G", ("0/1",)),  # the first stays
    ]
    vcf = write_vcf(tmp_path / "a.bcf", ("s",), records, {"c": 60})
    genome = Reference(write_fasta(tmp_path / "genome.fa", c=REF))
    reader = HaplotypeReader(build_store(vcf, genome, tmp_path / "store", unphased="reference"), genome)
    for haplotype, fifth in ((1, "G"), (2, "T")):
        caplog.clear()
        export_haplotype(reader, "s", haplotype, tmp_path / "s.fa", iupac=True)
        found = "".join((tmp_path / "s.fa").read_text().splitlines()[1:])
        assert found == REF[:4] + fifth + REF[5:34] + "M" + REF[35:]
        assert "c: 5 unphased calls of s have no ambiguity code" in caplog.text


def test_snp2gex_layout(reader, tmp_path):
    genes = pd.DataFrame(
        [("G1", "one", "c", "+", 9), ("G2", "two", "c", "-", 9), ("G3", "three", "chrX", "+", 4)],
        columns=["gene_id", "gene_name", "chrom", "strand", "tss"],
    )
    partitions = pd.DataFrame(
        [(sample, gene, 1.5, "seen genes seen individuals", "train") for gene in ("G2", "G1") for sample in "st"],
        columns=["sample", "gene", "log_TPM", "labels", "split"],
    )
    export_gene_fastas(reader, genes, partitions, tmp_path, length=12)
    with pysam.FastaFile(str(tmp_path / "fasta" / "s_allele_1.fasta")) as file:
        assert file.references == ["G2", "G1"]
        assert file.fetch("G1") == REF[3:9] + "T" + REF[10:15]
        assert file.fetch("G2") == (REF[3:9] + "T" + REF[10:15]).translate(str.maketrans("ACGT", "TGCA"))[::-1]
    text = (tmp_path / "fasta" / "t_allele_2.fasta").read_text()
    assert (
        text
        == f">G2 chr:c;strand:-;start:4;end:16\nCGGTTGCAACGT\n>G1 chr:c;strand:+;start:4;end:16\n{REF[3:15]}\n".replace(
            "CGGTTGCAACGT", REF[3:15].translate(str.maketrans("ACGT", "TGCA"))[::-1]
        )
    )
    table = pd.read_csv(tmp_path / "partitions.csv")
    assert list(table) == [
        "sample",
        "gene",
        "symbol",
        "chr",
        "TSS",
        "strand",
        "rpkm",
        "log_TPM",
        "raw count",
        "log_count",
        "labels",
        "split",
    ]
    assert table.loc[0, ["sample", "gene", "symbol", "chr", "TSS", "strand"]].tolist() == [
        "s",
        "G2",
        "two",
        "c",
        10,
        "-",
    ]
    # The second X of a man is not there, so it has no record.
    x = partitions.assign(gene="G3")
    export_gene_fastas(reader, genes, x, tmp_path / "x", length=6)
    assert (tmp_path / "x" / "fasta" / "s_allele_2.fasta").read_text() == ""
    assert (tmp_path / "x" / "fasta" / "t_allele_2.fasta").read_text() == ">G3 chr:X;strand:+;start:2;end:8\nCGTGGC\n"
    with pytest.raises(InputError, match="genes not in the annotation: G9"):
        export_gene_fastas(reader, genes, partitions.assign(gene="G9"), tmp_path)
    with pytest.raises(InputError, match="partitions without labels"):
        export_gene_fastas(reader, genes, partitions.drop(columns="labels"), tmp_path)


def test_counts_as_a_table(reader):
    table = reader.store.counts()
    assert list(table) == ["chrom", "variants", "outcome", "alleles", "calls"]
    applied = table[(table["outcome"] == "applied") & (table["variants"] == "all")].set_index("chrom")["calls"]
    assert applied.to_dict() == {"c": 4, "chrX": 2}


def command(*arguments):
    parser = argparse.ArgumentParser()
    add_haplotype_command(parser.add_subparsers())
    arguments = parser.parse_args(["haplotype", *map(str, arguments)])
    return arguments.run(arguments)


def test_command_writes_every_contig_of_the_vcf(files, tmp_path, capsys):
    fasta, vcf = files
    output = tmp_path / "out.fa"
    options = ["--fasta", fasta, "--vcf", vcf, "--sample", "t", "--haplotype", 2, "--output", output]
    assert command(*options) == 0
    theirs = consensus(fasta, vcf, "t", 2)
    assert output.read_text().replace("\n", "") == f">c{theirs['c']}>chrX{theirs['chrX']}"
    assert "2 alleles applied" in capsys.readouterr().err


def test_command_writes_a_region(files, tmp_path, capsys):
    """1-based, end included; the inserted bases behind the last base belong to it. Sample and haplotype are in the name."""
    fasta, vcf = files
    output = tmp_path / "out.fa"
    options = ["--fasta", fasta, "--vcf", vcf, "--sample", "s", "--haplotype", 1, "--output", output]
    assert command(*options, "--region", "c:9-20") == 0
    assert output.read_text() == f">s#1#c:9-20\n{REF[8]}T{REF[10:20]}GGG\n"
    assert command(*options, "--region", "c:9-20", "--variants", "snv") == 0
    assert output.read_text() == f">s#1#c:9-20\n{REF[8]}T{REF[10:20]}\n"
    capsys.readouterr()
    for region, alleles in (("c:9-20", 2), ("c:9-19", 1), ("c:11-19", 0), ("c:1-1,0", 1)):
        assert command(*options, "--region", region) == 0
        said = capsys.readouterr().err
        assert f"haplotype 1 of s in {region.replace(',', '')}, {alleles} alleles applied; " in said
        assert "in both haplotypes of the whole of c, 3 alleles applied; left out: none" in said
    assert output.read_text() == f">s#1#c:1-10\n{REF[:9]}T\n"
    assert command(*options, "--region", "c") == 0
    assert output.read_text().startswith(">c\n")  # a whole contig, by its name


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("c:20-9", "--region: c:20-9 starts after its end. Write the smaller position first."),
        ("c:10", "--region: 'c:10' is not CHR:START-END. Write c or c:START-END (1-based, end included)."),
        ("c:", "--region: 'c:' is not CHR:START-END"),
        ("d:10", "no region 'd:10': no contig 'd'. Write CHR or CHR:START-END; its contigs are c, chrX, chrY."),
        ("c:0-9", "region c:0-9 is not within 1-60."),
        ("c:9-61", "region c:9-61 is not within 1-60."),
    ],
)
def test_what_is_no_region_is_said(region, said, files, tmp_path):
    options = ["--fasta", files[0], "--vcf", files[1], "--sample", "s", "--haplotype", 1, "--output", tmp_path / "o.fa"]
    with pytest.raises(InputError) as caught:
        command(*options, "--region", region)
    assert said in str(caught.value)


def test_command_keeps_the_filters_that_are_named(files, tmp_path):
    """As they are, records that pass or have no FILTER; `--filter` names others, alone it keeps every record."""
    records = [
        RECORDS[0],
        Rec(12, "G", "A", ("1|0", "0|0"), filter="LowQual"),
        Rec(14, "T", "C", ("1|0", "0|0"), "PASS"),
    ]
    vcf = write_vcf(tmp_path / "filtered.bcf", ("s", "t"), records, {"c": 60})
    output = tmp_path / "out.fa"
    options = ["--fasta", files[0], "--vcf", vcf, "--sample", "s", "--haplotype", 1, "--output", output]
    assert REF[8:16] == "ACCGGTTA"
    wanted = {(): "ATCGGCTA", ("LowQual",): "ACCAGTTA", (".", "LowQual"): "ATCAGTTA", None: "ATCAGCTA"}
    for names, bases in wanted.items():
        given = [] if names == () else ["--filter", *(names or ())]
        assert command(*options, "--region", "c:9-16", *given) == 0
        assert output.read_text() == f">s#1#c:9-16\n{bases}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sample", "u"], "no sample u"),
        (["--region", "chrX:1-10", "--haplotype", "2"], "one haplotype only"),
        (["--region", "c:50-61"], "not within 1-60"),
        (["--region", "d:5-6"], "no region 'd:5-6': no contig 'd'. Write CHR or CHR:START-END; its contigs are c"),
        (["--region", "c", "--unphased", "iupac"], "ambiguity codes are for whole haplotypes"),
    ],
)
def test_command_refuses(files, tmp_path, options, message):
    given = ["--fasta", files[0], "--vcf", files[1], "--sample", "s", "--haplotype", "1"]
    with pytest.raises(InputError, match=message):
        command(*given, "--output", tmp_path / "out.fa", *options)
    assert not (tmp_path / "out.fa").exists()


def test_refusal_is_one_line(files, tmp_path, capfd):
    """Neither a traceback nor the remarks of the libraries."""
    from glmflow.cli import main

    unsorted = write_vcf(tmp_path / "unsorted.vcf", ("s", "t"), RECORDS[1::-1], {"c": 60})
    options = ["--sample", "s", "--haplotype", "1", "--output", tmp_path / "out.fa"]
    assert main(["haplotype", "--fasta", *map(str, [files[0], "--vcf", unsorted, *options])]) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"glmflow haplotype: {unsorted}: not sorted: c:10 follows c:20. Sort it: bcftools sort -Ob -o sorted.bcf {unsorted}"
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--vcf": "/tmp"}, "/tmp: cannot be read (Is a directory). Check the path."),
        ({"--output": "/proc/nope/out.fa"}, "/proc/nope: No such file or directory"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_line(files, capfd, changes, said):
    """No traceback, no remarks of htslib."""
    from glmflow.cli import main

    options = {
        "--fasta": files[0],
        "--vcf": files[1],
        "--sample": "s",
        "--haplotype": 1,
        "--output": "out.fa",
    } | changes
    assert main(["haplotype", *(str(text) for option in options.items() for text in option)]) == 1
    assert capfd.readouterr().err.splitlines() == [f"glmflow haplotype: {said}"]
