"""Tables of people: whoever is named takes part, and whoever cannot is refused."""

import pytest
from glmflow.errors import InputError
from glmflow.genome.people import read_people


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "samples.tsv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "samples.tsv"

    return write


def test_a_table_of_people(table):
    path = table("sample\tpopulation\tfamily\tage\nC\tx\tf1\t3\n\nB\ty\t\t4\n")
    people = read_people(path, ["A", "B", "C"])
    assert people["sample"].tolist() == ["C", "B"] and list(people) == ["sample", "population", "family"]
    assert people["population"].tolist() == ["x", "y"] and people["family"].isna().tolist() == [False, True]
    assert read_people(table("age\tsample\n3\t1001\n"), ["1001"])["sample"].tolist() == ["1001"]


def test_without_a_table_everyone_takes_part():
    assert read_people(None, ["A", "B"])["sample"].tolist() == ["A", "B"]


def test_a_row_longer_than_the_header_moves_no_column(table):
    assert read_people(table("sample\nA\tx\nB\tx\n"), ["A", "B", "x"])["sample"].tolist() == ["A", "B"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "an empty table of people"),
        ("\n\n", "an empty table of people"),
        ("sample\tpopulation\n", "names nobody"),
        ("A\nB\n", "no column `sample`: its first line is 'A'"),
        ("Sample\tpopulation\nA\tx\n", "no column `sample`: its first line is 'Sample', 'population'"),
        ("sample\nA\nA\n", "'A' comes twice"),
        ("sample\nA\nQ\n", "1 of its 2 people have no genotypes: 'Q'. The cohort has A, B"),
        ("sample\tpopulation\nA\tx\n\ty\n", "1 of its 2 people have no genotypes: ''"),
        (b"sample\n\xff\xfe\n", "not a table of people"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, text, message):
    with pytest.raises(InputError) as caught:
        read_people(table(text), ["A", "B"])
    assert message in str(caught.value) and str(caught.value).startswith(str(table(text)))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_people(tmp_path / "none.tsv", ["A"])
    with pytest.raises(InputError, match="not a table of people"):
        read_people(tmp_path, ["A"])
