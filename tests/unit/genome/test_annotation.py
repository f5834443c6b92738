"""Genes and exons from GTF: coordinates, unions, names of both large annotations, and what is refused."""

import gzip

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.genome.annotation import read_annotation, read_exons, read_genes
from hypothesis import given, settings
from hypothesis import strategies as st

CONTIGS = {"chr2": 5_000, "chr1": 10_000}

GENCODE = """\
##description: evidence-based annotation
chr1\tHAVANA\tgene\t1001\t2000\t.\t-\t.\tgene_id "ENSG01.5"; gene_type "lncRNA"; gene_name "MINUS"; level 2; tag "x";
chr1\tHAVANA\ttranscript\t1001\t2000\t.\t-\t.\tgene_id "ENSG01.5"; transcript_id "ENST01.2"; gene_name "MINUS";
chr1\tHAVANA\texon\t1801\t2000\t.\t-\t.\tgene_id "ENSG01.5"; transcript_id "ENST01.2"; exon_number 1;
chr1\tHAVANA\texon\t1001\t1100\t.\t-\t.\tgene_id "ENSG01.5"; transcript_id "ENST01.2"; exon_number 2;
chr1\tHAVANA\tCDS\t1001\t1100\t.\t-\t0\tgene_id "ENSG01.5"; transcript_id "ENST01.2"; exon_number 2;
chr2\tHAVANA\tgene\t1\t10\t.\t+\t.\tgene_id "ENSG02.1"; gene_type "protein_coding"; gene_name "PLUS";
chr2\tHAVANA\texon\t1\t10\t.\t+\t.\tgene_id "ENSG02.1"; transcript_id "ENST03.1";
"""
ENSEMBL = """\
#!genome-build GRCh38
1\tensembl\tgene\t1001\t2000\t.\t-\t.\tgene_id "ENSG01"; gene_version "5"; gene_source "ensembl"; gene_biotype "lncRNA";
1\tensembl\texon\t1001\t2000\t.\t-\t.\tgene_id "ENSG01"; gene_version "5"; transcript_id "ENST01"; exon_number "1";
KI270711.1\tensembl\tgene\t1\t20\t.\t+\t.\tgene_id "ENSG09"; gene_version "1";
"""


def write(folder, text, name="genes.gtf"):
    path = folder / name
    path.write_text(text)
    return path


def test_gencode(tmp_path):
    genes, exons, skipped = read_annotation(write(tmp_path, GENCODE), CONTIGS)
    assert genes.values.tolist() == [
        ["ENSG02.1", "PLUS", "chr2", 0, 10, "+", 0],
        ["ENSG01.5", "MINUS", "chr1", 1000, 2000, "-", 1999],
    ]
    assert list(genes) == ["gene_id", "gene_name", "chrom", "start", "end", "strand", "tss"]
    assert exons.values.tolist() == [
        ["ENSG02.1", "chr2", 0, 10, "+"],
        ["ENSG01.5", "chr1", 1000, 1100, "-"],
        ["ENSG01.5", "chr1", 1800, 2000, "-"],
    ]
    assert list(exons) == ["gene_id", "chrom", "start", "end", "strand"]
    assert skipped == {"other_feature": 1, "no_gene_id": 0, "no_strand": 0, "other_contig": 0, "several_places": 0}


def test_ensembl_names_are_mapped_and_other_contigs_counted(tmp_path, caplog):
    genes, exons, skipped = read_annotation(write(tmp_path, ENSEMBL), CONTIGS)
    assert genes.values.tolist() == [["ENSG01", "ENSG01", "chr1", 1000, 2000, "-", 1999]]
    assert exons["chrom"].tolist() == ["chr1"]
    assert skipped["other_contig"] == 1
    assert "1 is chr1" in caplog.text and "1 other_contig" in caplog.text


def test_gzip_reads_as_plain(tmp_path):
    packed = tmp_path / "genes.gtf.gz"
    packed.write_bytes(gzip.compress(GENCODE.encode()))
    assert read_genes(packed, CONTIGS).equals(read_genes(write(tmp_path, GENCODE), CONTIGS))
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"genes\.gtf\.gz.*cannot be read"):
        read_genes(packed, CONTIGS)


def line(feature, start, end, attributes='gene_id "g"', strand="+", chrom="chr1"):
    return f"{chrom}\ts\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{attributes};\n"


def test_a_gene_without_a_line_of_its_own_reaches_as_its_parts_do(tmp_path):
    text = line("exon", 101, 200) + line("transcript", 51, 300) + line("exon", 250, 400, "gene_id h", "-")
    genes = read_genes(write(tmp_path, text), CONTIGS).set_index("gene_id")
    assert genes.loc["g", ["start", "end", "tss"]].tolist() == [50, 300, 50]
    assert genes.loc["h", ["start", "end", "tss"]].tolist() == [249, 400, 399]


def test_lines_that_cannot_be_used_are_counted(tmp_path):
    text = (
        line("gene", 1, 10)
        + line("gene", 1, 10, 'gene_id "u"', ".")
        + line("exon", 1, 10, 'transcript_id "t"')
        + line("gene", 1, 10, 'gene_id "par"')
        + line("gene", 1, 10, 'gene_id "par"', chrom="chr2")
    )
    genes, exons, skipped = read_annotation(write(tmp_path, text), CONTIGS)
    assert genes["gene_id"].tolist() == ["g"]
    assert exons.empty
    assert skipped == {"other_feature": 0, "no_gene_id": 1, "no_strand": 1, "other_contig": 0, "several_places": 2}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("gh"), st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=12),
)
def test_exons_are_the_union_of_a_genes_exons(tmp_path_factory, drawn):
    text = "".join(line("exon", at + 1, at + length, f'gene_id "{gene}"') for gene, at, length in drawn)
    exons = read_exons(write(tmp_path_factory.mktemp("gtf"), text), CONTIGS)
    for gene in "gh":
        covered = np.zeros(100, bool)
        for name, at, length in drawn:
            if name == gene:
                covered[at : at + length] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[0], covered, [0]])))
        found = exons[exons["gene_id"] == gene]
        assert found[["start", "end"]].values.tolist() == edges.reshape(-1, 2).tolist()


def test_no_annotation_is_an_empty_one():
    assert list(read_genes(None)) == ["gene_id", "gene_name", "chrom", "start", "end", "strand", "tss"]
    assert read_exons(None).empty


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no gene, transcript or exon"),
        ("<html>\n", r"genes\.gtf:1: not a line of GTF"),
        ("chr1\t10\t20\tgene_bed\n", r"genes\.gtf:1: not a line of GTF"),
        (line("gene", 5, 10) + line("gene", "x", 10), r"genes\.gtf:2: not a line of GTF"),
        (line("gene", 20, 10), r"genes\.gtf:1: 20 to 10 is no interval"),
        (line("gene", 0, 10), r"genes\.gtf:1: 0 to 10 is no interval"),
        (line("gene", 9_000, 10_001), r"genes\.gtf:1: gene g ends at 10,001, past the end of chr1 \(10,000"),
        (line("gene", 1, 10, chrom="Chr_7"), "no contig of the genome: it has Chr_7, the genome chr2, chr1"),
    ],
)
def test_what_is_no_annotation_of_this_genome_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_annotation(write(tmp_path, text), CONTIGS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.gtf: no such GTF"):
        read_genes(tmp_path / "none.gtf", CONTIGS)


@pytest.mark.real
def test_the_real_region_has_16_genes(test_data):
    genes, exons, skipped = read_annotation(test_data / "human_chr20" / "genes.gtf", {"chr20w": 1_000_000})
    assert len(genes) == 16
    # PSMF1 of hg19: chr20:1,093,906-1,148,426 on the plus strand, in a region that begins at 1,000,001
    psmf1 = genes.set_index("gene_name").loc["PSMF1"]
    assert (psmf1["start"], psmf1["end"], psmf1["strand"], psmf1["tss"]) == (93_905, 148_426, "+", 93_905)
    assert set(exons["gene_id"]) == set(genes["gene_id"])
    assert not any(skipped.values())
