"""What texts say of a variant, held against its alleles."""

import re

import pytest
from diagnosis_data import data_folder
from glmflow.tasks.diagnosis.question_layouts import read_questions
from glmflow.tasks.diagnosis.trace_statements import as_shown, same_change, statements

LEFT, RIGHT = "ACGTTGCA", "GGATCCTA"


def counted(text, ref, alt):
    """Return the statements of one text: name to (said, holds)."""
    table = statements([text], [f"{LEFT}{ref}{RIGHT}"], [f"{LEFT}{alt}{RIGHT}"])
    return {row.statement: (row.said, row.holds) for row in table.itertuples() if row.said}


@pytest.mark.parametrize(
    ("text", "ref", "alt", "expected"),
    [
        ("The C>T substitution", "C", "T", {"the change of bases": (1, 1), "a substitution": (1, 1)}),
        ("G > A on the other strand", "C", "T", {"the change of bases": (1, 1)}),
        ("The C>G change", "C", "T", {"the change of bases": (1, 0)}),
        ("A T>C change", "C", "T", {"the change of bases": (1, 0)}),
        ("a missense mutation", "C", "CTT", {"missense or nonsense": (1, 0)}),
        ("frameshift by a deletion", "CTT", "C", {"a frameshift": (1, 1), "a deletion": (1, 1)}),
        ("Frame-shift insertion", "C", "CTTG", {"a frameshift": (1, 0), "an insertion or duplication": (1, 1)}),
        ("in-frame deletion", "CTTG", "C", {"in-frame": (1, 1), "a deletion": (1, 1)}),
        ("CAG>C", "CAG", "C", {"the change of bases": (1, 1)}),
        ("TARDBP -> CxI, Q>EGFR, DNA>RNA", "C", "T", {}),
    ],
)
def test_a_statement_holds_where_the_alleles_show_it(text, ref, alt, expected):
    assert counted(text, ref, alt) == expected


def test_an_inserted_repeat_may_be_written_from_any_of_its_bases():
    assert same_change(("A", "ATA"), ("", "TA")) and same_change(("A", "AAT"), ("", "TA"))
    assert not same_change(("A", "AAA"), ("", "TA")) and not same_change(("AT", "A"), ("", "T"))


@pytest.mark.parametrize(
    ("text", "ref", "alt", "expected"),
    [
        (
            "The variant KEGG_12 is a C>T at position 1,234.",
            "AACGG",
            "AATGG",
            "The variant is a C>T at the changed position.",
        ),
        ("The G>A here", "AACGG", "AATGG", "The C>T here"),
        ("A GA>G deletion", "CCGATT", "CCGTT", "A GA>G deletion"),
    ],
)
def test_a_trace_says_what_its_alleles_show(text, ref, alt, expected):
    assert as_shown(text, ref, alt) == expected


def test_published_traces_name_no_position_and_the_own_change():
    rows = read_questions("kegg", data_folder() / "kegg/test.json")
    shown = [as_shown(*row) for row in zip(rows["text_reasoning"], rows["sequence_ref"], rows["sequence_alt"])]
    found = (
        statements(shown, rows["sequence_ref"], rows["sequence_alt"]).set_index("statement").loc["the change of bases"]
    )
    assert found["said"] > 100 and found["holds"] == found["said"]
    place = re.compile(r"position \d|KEGG_")
    assert not any(place.search(text) for text in shown) and all(
        place.search(text) for text in rows["text_reasoning"][:5]
    )


def test_counts_are_over_texts():
    table = statements(["C>T", "C>T", "nothing"], ["ACA"] * 3, ["ATA", "AGA", "ATA"]).set_index("statement")
    assert table.loc["the change of bases", ["said", "holds", "share"]].tolist() == [2, 1, 0.5]
    assert table.loc["a deletion", "said"] == 0
