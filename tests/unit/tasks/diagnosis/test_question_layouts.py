"""Published layouts of questions, and what is wrong in a file."""

import gzip
import json

import pandas as pd
import pytest
from diagnosis_data import data_folder, expected
from glmflow.errors import InputError
from glmflow.tasks.diagnosis.question_layouts import questions_of, read_questions
from glmflow.tasks.diagnosis.question_texts import (
    list_free_answer,
    list_free_class,
    network_elements,
    pathway_genes,
    placed_question,
    variant_effect_answer,
)

ROW = {"question": "q", "answer": "Melanoma", "reference_sequence": "ACGT", "variant_sequence": "ACTT"}


@pytest.fixture
def lines(tmp_path):
    def write(*rows):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
        return path

    return write


def test_answers_are_cleaned_as_the_originals_do():
    for case in expected("clean_vep_answers")["cases"]:
        assert variant_effect_answer(case["raw"]) == case["clean_variant_effect_example"]
        assert list_free_answer(case["raw"]) == case["clean_variant_effect_non_snv_example"]
        assert list_free_class(case["raw"]) == case["non_snv_then_effect"]


def test_pathway_questions_say_gene_network_and_chromosome():
    rows = read_questions("kegg", data_folder() / "kegg/test.json")
    first = rows.iloc[0]
    assert len(rows) == 146 and first["gene"] == "TARDBP" and first["chromosome"] == "1"
    assert first["network"] == "TARDBP* -| CxI -> Q" and "ND1" in pathway_genes(first["pathway"])
    assert network_elements(first["network"]) == {"TARDBP", "CxI", "Q"}
    assert rows["target"].eq(rows["target"].str.lower()).all()


def test_questions_without_the_pathway_are_the_same_rows():
    rows, hard = (read_questions("kegg", data_folder() / f"{name}/val.json") for name in ("kegg", "kegg_hard"))
    assert set(hard["text_question"]) == {"What disease does this contribute to?"}
    assert hard["gene"].isna().all()
    pd.testing.assert_frame_equal(rows[["sequence_ref", "sequence_alt"]], hard[["sequence_ref", "sequence_alt"]])


def test_any_table_keeps_its_other_columns():
    rows = read_questions("table", data_folder() / "brca1_sge.jsonl")
    assert len(rows) == 3893 and rows["exon"].nunique() == 13
    assert rows["target"].value_counts().to_dict() == {"functional": 2821, "loss of function": 823, "intermediate": 249}
    assert set(rows["kind"]) == {"snv"}


def test_other_layouts(lines, tmp_path):
    coding = read_questions("vep_coding", lines({**ROW, "answer": "Pathogenic; X", "ID": "7"}))
    assert coding.loc[0, "target"] == "pathogenic" and coding.loc[0, "answer"] == "Pathogenic; X"
    row = {
        "question": "A variant on chromosome 7, position 1,234 in gene CFTR. Benign or pathogenic?",
        "answer": "pathogenic; ['A_b', 'C']",
        "reference_sequence": "ACGTACGTAC",
        "mutated_sequence": "ACGTCGTACN",
    }
    other = read_questions("vep_non_snv", lines(row)).iloc[0]
    assert (other["chromosome"], other["position"], other["gene"]) == ("7", 1234, "CFTR")
    assert other["answer"] == "pathogenic; A b, C" and other["target"] == "pathogenic"
    assert other["sequence_alt"] == "ACGTCGTAC" and other["kind"] == "deletion"
    table = tmp_path / "rows.tsv"
    pd.DataFrame([{**ROW, "answer": "NA", "gene": "X"}]).to_csv(table, sep="\t", index=False)
    assert read_questions("table", table).iloc[0][["target", "gene"]].tolist() == ["na", "X"]


def test_steps_of_a_trace_are_joined(lines):
    path = lines({**ROW, "reasoning": {"reasoning_steps": ["one", "two"]}}, {**ROW, "reasoning": None})
    assert read_questions("kegg", path)["text_reasoning"].tolist() == ["one\ntwo", ""]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({**ROW, "reference_sequence": "ACXT"}, "'X'"),
        ({**ROW, "variant_sequence": ""}, "without variant_sequence"),
        ({"question": "q"}, "without answer"),
        ("[1, 2]\n", "no JSON object"),
        ("{\n", "no JSON object"),
    ],
)
def test_a_wrong_row_is_named(lines, row, what):
    with pytest.raises(InputError, match=what) as caught:
        read_questions("table", lines(ROW, row))
    assert "2" in str(caught.value)


def test_new_questions_need_no_answer_and_say_so():
    known = {key: ROW[key] for key in ROW if key != "answer"}
    for given in (known, {**known, "answer": None}, {**known, "answer": float("nan")}, {**known, "answer": " "}):
        assert questions_of("table", [given], "new", answered=False)["answer"].tolist() == ["?"]
    with pytest.raises(InputError, match="without question") as caught:
        questions_of("table", [{key: known[key] for key in known if key != "question"}], "new", answered=False)
    assert "answer" not in str(caught.value), "not asked for"


def test_compressed_lines_are_read(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(ROW) + "\n").encode()))
    assert len(read_questions("table", path)) == 1


def test_no_file_and_no_row(tmp_path, lines):
    with pytest.raises(InputError, match="no such file"):
        read_questions("table", tmp_path / "nothing.jsonl")
    with pytest.raises(InputError, match="no question"):
        read_questions("table", lines())


def test_where_a_variant_lies_is_read_from_its_question():
    assert placed_question("no place at all")["position"] is None
