"""Genes and exons from GTF and GFF3: coordinates, unions, the dialects of who writes them, and what is refused."""

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
    assert {reason: count for reason, count in skipped.items() if count} == {"other_feature": 1}


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
    with pytest.raises(InputError, match=r"genes\.gtf\.gz.*damaged or cut short"):
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
    assert {reason: count for reason, count in skipped.items() if count} == {
        "no_gene_id": 1,
        "no_strand": 1,
        "several_places": 2,
    }


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
    with pytest.raises(InputError, match=r"none\.gtf: no such file"):
        read_genes(tmp_path / "none.gtf", CONTIGS)


# Copies under one id (UCSC gives them one, and no line of a gene)
def copies(*spans, transcripts=True, ids=("t", "t_dup1"), numbers=(1, 1), gene="g"):
    lines = []
    for (start, end), name, number in zip(spans, ids, numbers):
        named = f'gene_id "{gene}"; transcript_id "{name}"'
        lines += [line("transcript", start, end, named)] * transcripts
        lines.append(line("exon", start, end, f'{named}; exon_number "{number}"'))
    return lines


@pytest.mark.parametrize(
    "lines",
    [
        copies((3001, 3100), (8001, 8100)),
        copies((3001, 3100), (8001, 8100), ids=("t", "t")),
        copies((3001, 3100), (8001, 8100), transcripts=False),
        copies((3001, 3100), (8001, 8100), transcripts=False, ids=("t", "t")),
        [line("gene", 3001, 3100), line("gene", 8001, 8100)],
    ],
)
def test_copies_of_a_gene_under_one_id_are_no_gene_that_spans_them(tmp_path, lines):
    text = "".join([*lines, *copies((1, 50), (41, 90), gene="h")])
    genes, exons, skipped = read_annotation(write(tmp_path, text), CONTIGS)
    assert genes[["gene_id", "start", "end"]].values.tolist() == [["h", 0, 90]]
    assert set(exons["gene_id"]) == {"h"} and skipped["several_places"] == len(lines)


def test_exons_of_one_transcript_are_one_gene_in_any_order(tmp_path):
    """Sorted by position, the exons of a transcript on the minus strand count down."""
    exons = [(101, 200, 3), (301, 400, 2), (501, 600, 1)]
    lines = [line("exon", a, b, f'gene_id "g"; transcript_id "t"; exon_number {n}', "-") for a, b, n in exons]
    for order in (lines, lines[::-1], [lines[1], lines[0], lines[2]]):
        genes = read_genes(write(tmp_path, "".join(order)), CONTIGS)
        assert genes[["start", "end", "tss"]].values.tolist() == [[100, 600, 599]]


def test_a_copy_on_a_contig_that_the_genome_lacks_takes_no_gene_away(tmp_path):
    """UCSC's annotation has the genes of the MHC on chr6 and on its alternate contigs under one id."""
    text = line("gene", 1, 10) + line("gene", 1, 10, chrom="chr1_KI270762v1_alt")
    genes, _, skipped = read_annotation(write(tmp_path, text), CONTIGS)
    assert genes["gene_id"].tolist() == ["g"] and (skipped["other_contig"], skipped["several_places"]) == (1, 0)


def test_what_stands_in_quotes_is_no_attribute(tmp_path):
    """RefSeq puts remarks with semicolons before the name of the gene."""
    remark = 'gene_id "A"; note "starts late; gene model; gene_id other"; gene "NAME"'
    behind = 'note "like another; gene_id other"; gene_id "B"'
    genes = read_genes(write(tmp_path, line("gene", 101, 200, remark) + line("gene", 301, 400, behind)), CONTIGS)
    assert genes[["gene_id", "gene_name"]].values.tolist() == [["A", "NAME"], ["B", "B"]]


def test_the_name_is_that_of_the_attribute(tmp_path):
    """NCBI writes it as `gene`, behind texts in which the word stands."""
    text = line(
        "gene", 1, 10, 'gene_id "1"; transcript_id ""; description "a gene cluster"; gbkey "Gene"; gene "BRCA1"'
    )
    assert read_genes(write(tmp_path, text), CONTIGS)["gene_name"].tolist() == ["BRCA1"]


# GFF3
ENSEMBL_GFF3 = """\
##gff-version 3
##sequence-region 1 1 10000
1\tGRCh38\tchromosome\t1\t10000\t.\t.\t.\tID=chromosome:1;Alias=CM000663.2
1\tensembl\tncRNA_gene\t1001\t2000\t.\t-\t.\tID=gene:ENSG01;Name=MINUS;biotype=lncRNA;gene_id=ENSG01;version=5
1\tensembl\tlnc_RNA\t1001\t2000\t.\t-\t.\tID=transcript:ENST01;Parent=gene:ENSG01;transcript_id=ENST01
1\tensembl\texon\t1801\t2000\t.\t-\t.\tParent=transcript:ENST01;Name=ENSE01;exon_id=ENSE01
1\tensembl\texon\t1001\t1100\t.\t-\t.\tParent=transcript:ENST01;Name=ENSE02;exon_id=ENSE02
###
2\tensembl\texon\t1\t10\t.\t+\t.\tParent=transcript:ENST03;exon_id=ENSE03
2\tensembl\tmRNA\t1\t10\t.\t+\t.\tID=transcript:ENST03;Parent=gene:ENSG02
2\tensembl\tgene\t1\t10\t.\t+\t.\tID=gene:ENSG02;biotype=protein_coding;gene_id=ENSG02
##FASTA
>1
ACGT
"""
NCBI_GFF3 = """\
##gff-version 3
chr1\tRefSeq\tregion\t1\t10000\t.\t+\t.\tID=chr1:1..10000;Dbxref=taxon:9606;Is_circular=true;Name=1
chr1\tBestRefSeq\tgene\t1001\t2000\t.\t-\t.\tID=gene-MIN%2CUS;Dbxref=GeneID:1;Name=MIN%2CUS;gbkey=Gene;gene=MIN%2CUS
chr1\tBestRefSeq\tprimary_transcript\t1001\t2000\t.\t-\t.\tID=rna-NR_1;Parent=gene-MIN%2CUS;gene=MIN%2CUS
chr1\tBestRefSeq\tmiRNA\t1001\t1100\t.\t-\t.\tID=rna-MIR;Parent=rna-NR_1
chr1\tBestRefSeq\texon\t1001\t1100\t.\t-\t.\tID=exon-1;Parent=rna-MIR
chr1\tBestRefSeq\tgene\t9901\t10050\t.\t+\t.\tID=gene-dnaA;Name=dnaA;locus_tag=b0001
"""


def test_ensembls_gff3(tmp_path):
    genes, exons, skipped = read_annotation(write(tmp_path, ENSEMBL_GFF3, "genes.gff3"), CONTIGS)
    assert genes.values.tolist() == [
        ["ENSG02", "ENSG02", "chr2", 0, 10, "+", 0],
        ["ENSG01", "MINUS", "chr1", 1000, 2000, "-", 1999],
    ]
    assert exons.values.tolist() == [
        ["ENSG02", "chr2", 0, 10, "+"],
        ["ENSG01", "chr1", 1000, 1100, "-"],
        ["ENSG01", "chr1", 1800, 2000, "-"],
    ]
    assert {reason: count for reason, count in skipped.items() if count} == {"other_feature": 3}


def test_ncbis_gff3_and_a_gene_over_the_origin(tmp_path, caplog):
    genes, exons, skipped = read_annotation(write(tmp_path, NCBI_GFF3, "genes.gff"), CONTIGS)
    assert genes.values.tolist() == [["MIN,US", "MIN,US", "chr1", 1000, 2000, "-", 1999]]
    assert exons.values.tolist() == [["MIN,US", "chr1", 1000, 1100, "-"]]
    assert skipped["over_origin"] == 1
    assert "over the origin of a circular contig, left out: dnaA" in caplog.text
    with pytest.raises(InputError, match=r"genes\.gff:7: gene dnaA ends at 10,050, past the end of chr1"):
        read_annotation(write(tmp_path, NCBI_GFF3.replace("Is_circular=true;", ""), "genes.gff"), CONTIGS)


@pytest.mark.parametrize(("name", "circular"), [("NC_000913.3", True), ("chrM", True), ("Pt", True), ("chr1", False)])
def test_a_gene_over_the_origin_in_gtf(tmp_path, name, circular):
    text = line("gene", 9_000, 10_040, 'gene_id "over"', chrom=name) + line("gene", 1, 10, chrom=name)
    if circular:
        genes, _, skipped = read_annotation(write(tmp_path, text), {name: 10_000})
        assert genes["gene_id"].tolist() == ["g"] and skipped["over_origin"] == 1
    else:
        with pytest.raises(InputError, match="past the end of chr1"):
            read_annotation(write(tmp_path, text), {name: 10_000})
    behind = text + line("gene", 10_001, 10_200, 'gene_id "behind"', chrom=name)
    with pytest.raises(InputError, match=f"past the end of {name}"):
        read_annotation(write(tmp_path, behind), {name: 10_000})


# Text as it is met
@pytest.mark.parametrize("change", ["crlf", "bom", "track", "latin-1"])
def test_text_as_it_is_met(tmp_path, change):
    expected = read_annotation(write(tmp_path, GENCODE), CONTIGS)
    text = {
        "crlf": GENCODE.replace("\n", "\r\n").encode(),
        "bom": b"\xef\xbb\xbf" + GENCODE.encode(),
        "track": b"track name=genes\n" + GENCODE.encode(),
        "latin-1": GENCODE.replace('tag "x"', 'note "prot\u00e9ine"').encode("latin-1"),
    }[change]
    path = tmp_path / "met.gtf"
    path.write_bytes(text)
    found = read_annotation(path, CONTIGS)
    assert found.genes.equals(expected.genes) and found.exons.equals(expected.exons)


def test_bgzip_that_was_cut_is_refused(tmp_path):
    """Between two blocks: gzip itself sees no fault."""
    from glmflow.text_files import write_bytes

    path = tmp_path / "genes.gtf.gz"
    with write_bytes(path, packed=True) as handle:
        handle.write(GENCODE.encode())
    assert len(read_genes(path, CONTIGS)) == 2
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(InputError, match=r"genes\.gtf\.gz: cut short"):
        read_genes(path, CONTIGS)


@pytest.mark.real
def test_the_real_region_has_16_genes(test_data):
    genes, exons, skipped = read_annotation(test_data / "human_chr20" / "genes.gtf", {"chr20w": 1_000_000})
    assert len(genes) == 16
    # PSMF1 of hg19: chr20:1,093,906-1,148,426 on the plus strand, in a region that begins at 1,000,001
    psmf1 = genes.set_index("gene_name").loc["PSMF1"]
    assert (psmf1["start"], psmf1["end"], psmf1["strand"], psmf1["tss"]) == (93_905, 148_426, "+", 93_905)
    assert set(exons["gene_id"]) == set(genes["gene_id"])
    assert not any(skipped.values())
