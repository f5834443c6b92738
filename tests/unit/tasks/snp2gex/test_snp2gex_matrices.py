"""Matrices of expression as the tools of the field write them, and text as editors leave it."""

import gzip

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.tasks.snp2gex.expression_matrix import in_several_versions, match_genes, measured_samples, read_expression

GENES, PEOPLE, VALUES = ["ENSG01.1", "ENSG02.5"], ["A", "B"], [[1.5, 2.0], [0.0, 3.25]]
PLAIN = "gene_id\tA\tB\nENSG01.1\t1.5\t2.0\nENSG02.5\t0\t3.25\n"

TOOLS = {
    "featureCounts": (
        '# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "g.gtf" "A.bam"\n'
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\t/data/out/A.sorted.bam\t/data/out/B.sorted.bam\n"
        "ENSG01.1\tchr1;chr1\t1;5\t3;9\t-;-\t8\t1.5\t2.0\nENSG02.5\tchr1\t1\t3\t+\t3\t0\t3.25\n"
    ),
    "GCT 1.2": "#1.2\n2\t2\nName\tDescription\tA\tB\nENSG01.1\tX\t1.5\t2.0\nENSG02.5\tY\t0\t3.25\n",
    "GCT 1.3": (
        "#1.3\n2\t2\t2\t2\nid\tsymbol\tlocus_tag\tA\tB\nage\tna\tna\t30\t40\ncentre\tna\tna\tx\ty\n"
        "ENSG01.1\tX\t7\t1.5\t2.0\nENSG02.5\tY\t8\t0\t3.25\n"
    ),
    "RSEM": (
        '\t"out/A.genes.results"\t"out/B.genes.results"\n"ENSG01.1"\t1.50\t2.00\n"ENSG02.5"\t0.00\t3.25\n'  # data matrix
    ),
    "nf-core of Salmon": "gene_id\tgene_name\tA\tB\nENSG01.1\tX\t1.5\t2.0\nENSG02.5\tY\t0\t3.25\n",
    "Salmon quantmerge": "Name\tA\tB\nENSG01.1\t1.5\t2.0\nENSG02.5\t0\t3.25\n",
    "RSEM of nf-core": "gene_id\ttranscript_id(s)\tA\tB\nENSG01.1\tt,u\t1.5\t2.0\nENSG02.5\tv\t0\t3.25\n",
    "STAR": (
        "gene_id\tAReadsPerGene.out.tab\tBReadsPerGene.out.tab\nN_unmapped\t9\t9\nN_noFeature\t9\t9\n"
        "ENSG01.1\t1.5\t2.0\nENSG02.5\t0\t3.25\n"
    ),
    "htseq-count": PLAIN + "__no_feature\t100\t200\n__ambiguous\t1\t2\n",
    "GDC": "# gene-model: GENCODE v36\n" + PLAIN,
    "tensorQTL": "#chr\tstart\tend\tphenotype_id\tA\tB\n1\t5\t6\tENSG01.1\t1.5\t2.0\n1\t7\t8\tENSG02.5\t0\t3.25\n",
    "write.csv": '"","A","B"\n"ENSG01.1",1.5,2\n"ENSG02.5",0,3.25\n',
    "write.table": '"A" "B"\n"ENSG01.1" 1.5 2\n"ENSG02.5" 0 3.25\n',
    "semicolons": PLAIN.replace("\t", ";"),
    "blanks": PLAIN.replace("\t", "  "),
}
EDITORS = {
    "crlf": PLAIN.replace("\n", "\r\n"),
    "bom": "\ufeff" + PLAIN,
    "trailing tabs": PLAIN.replace("\n", "\t\n"),
    "trailing tabs below the header": PLAIN.replace("\n", "\t\n").replace("B\t\n", "B\n"),
    "trailing tabs of the header": PLAIN.replace("B\n", "B\t\t\n"),
    "quotes": PLAIN.replace("ENSG01.1", '"ENSG01.1"').replace("1.5", '"1.5"').replace("A", '"A"'),
    "blank lines": "\n" + PLAIN.replace("ENSG02", "\nENSG02") + "\n\n",
    "no last line end": PLAIN.rstrip("\n"),
    "hash before the header": "#" + PLAIN,
}


def check(path):
    found = read_expression(path)
    assert found.values.index.tolist() == GENES and found.values.columns.tolist() == PEOPLE == measured_samples(path)
    np.testing.assert_array_equal(found.values.to_numpy(), VALUES)
    return found.notes


@pytest.mark.parametrize("tool", TOOLS)
def test_matrices_of_tools(tmp_path, tool):
    path = tmp_path / "e.tsv"
    path.write_text(TOOLS[tool])
    notes = check(path)
    assert notes["rows of reads of no gene"] == {"STAR": 2, "htseq-count": 2}.get(tool, 0)
    path.write_bytes(gzip.compress(TOOLS[tool].encode()))
    check(path)


@pytest.mark.parametrize("editor", EDITORS)
def test_text_as_editors_leave_it(tmp_path, editor):
    path = tmp_path / "e.tsv"
    path.write_bytes(EDITORS[editor].encode())
    check(path)


def test_a_gene_may_be_named_na_and_rows_without_a_name_are_counted(tmp_path):
    path = tmp_path / "e.tsv"
    path.write_text("gene\tA\tB\nNA\t1\tNA\nnull\t2\t.\n\t3\t4\n")
    found = read_expression(path)
    assert found.values.index.tolist() == ["NA", "null"] and found.values["A"].tolist() == [1, 2]
    assert found.values["B"].isna().all()
    assert found.notes["rows without a gene id"] == 1 and found.notes["values that are missing"] == 2


def test_files_name_people_only_where_they_name_all(tmp_path):
    path = tmp_path / "e.tsv"
    path.write_text(PLAIN.replace("A", "A.bam"))
    assert measured_samples(path) == ["A.bam", "B"]
    path.write_text(PLAIN.replace("A\tB", "one/A.bam\ttwo/A.bam"))
    with pytest.raises(InputError, match="samples come twice: A"):
        read_expression(path)
    path.write_text(PLAIN.replace("A\tB", "AAligned.sortedByCoord.out.bam\tB.markdup.sorted.cram"))
    assert measured_samples(path) == PEOPLE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN.rstrip("\n")[:-4], "cut short in its last line"),
        (PLAIN.replace("3.25", "3.25\t7"), "not a table of expression"),
        (PLAIN.replace("A\tB\n", "A\tB\t\n").replace("3.25", "3.25\t7").replace("2.0", "2.0\t"), "column 4 has values"),
        (PLAIN.replace("\tB\n", "\n"), "2 column names over 3 columns"),
        (PLAIN.replace("1.5", "1,5"), "column 'A' holds '1,5', which is no number"),
        (PLAIN.replace("1.5", "True").replace("0\t", "False\t"), "column 'A' holds 'True', which is no number"),
        (TOOLS["GCT 1.2"].replace("2\t2\n", "3\t2\n"), "2 genes, where its head says 3"),
        ("#1.2\nx\ny\n", r"e\.tsv:2: no size of the table"),
        ("# a remark\n\n", "an empty table of expression"),
        (PLAIN.replace("ENSG02.5", '"ENSG02.5'), "not a table of expression|cut short|no number"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(tmp_path, text, message):
    path = tmp_path / "e.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_expression(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [PLAIN.encode("utf-16"), b"PAR1\0\0", PLAIN.replace("A", "\u00e9").encode("latin-1")]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "e.tsv").write_bytes(content)
    with pytest.raises(InputError, match="not UTF-8 text"):
        measured_samples(tmp_path / "e.tsv")
    (tmp_path / "e.tsv").write_bytes(gzip.compress(PLAIN.encode() * 1000)[:-10])
    with pytest.raises(InputError, match="damaged or cut short"):
        read_expression(tmp_path / "e.tsv")


def test_genes_in_several_versions_are_told_from_genes_without_a_place():
    found = ["ENSG01.1", "ENSG01.2", "ENSG02.1", "ENSG03.1", "ENSG03.2", "ENSG09.1", "ENSG09.2", "ENSG05.3|NAME"]
    annotated = ["ENSG01.7", "ENSG02.1", "ENSG03.2", "ENSG05.1"]
    matched = match_genes(found, annotated)
    assert matched == {"ENSG02.1": "ENSG02.1", "ENSG03.2": "ENSG03.2", "ENSG05.1": "ENSG05.3|NAME"}
    assert in_several_versions(found, annotated) == ["ENSG01.1", "ENSG01.2"]
