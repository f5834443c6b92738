"""Tables of people: whoever is named takes part, and whoever cannot is refused."""

import pandas as pd
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


def test_a_row_longer_than_the_header_moves_no_column(table, caplog, recwarn):
    assert read_people(table("sample\nA\tx\nB\tx\n"), ["A", "B", "x"])["sample"].tolist() == ["A", "B"]
    assert (
        "2 lines have more cells than the header has names: the further cells are not read" in caplog.text
        and not recwarn.list
    )


TABLES = {
    "panel of the 1000 Genomes": "sample\tpop\tsuper_pop\tgender\t\t\nA\tx\tEUR\tmale\nB\ty\tAFR\tfemale\n",
    "psam of PLINK": "#FID\tIID\tSEX\tpop\nf1\tA\t1\tx\n0\tB\t2\ty\n",
    "sample sheet": "Sample_ID\tPopulation\nA\tx\nB\ty\n",
    "windows": "sample\tpopulation\r\nA\tx\r\nB\ty\r\n",
    "bom, quotes and trailing tabs": '\ufeff"sample"\t"population"\t\n"A"\t"x"\t\n"B"\t"y"\t\n',
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_as_they_are_met(table, kind, caplog):
    people = read_people(table(TABLES[kind]), ["B", "A"])
    assert people["sample"].tolist() == ["A", "B"] and people["population"].tolist() == ["x", "y"]
    if kind == "psam of PLINK":  # a family of 0 is none
        assert people["family"].isna().tolist() == [False, True]
        assert "column '#FID' is taken for `family`" in caplog.text
        assert "columns that are not read: SEX" in caplog.text
    if kind.startswith("panel"):
        assert "column 'pop' is taken for `population`" in caplog.text
        assert "columns that are not read: super_pop, gender" in caplog.text


@pytest.mark.parametrize("unknown", ["unknown", "None", "?", "NULL", "Unk", "not available", "-9"])
def test_words_for_what_is_not_known_are_no_population(table, unknown):
    people = read_people(table(f"sample\tContinent\tTrio ID\nA\t{unknown}\t{unknown}\nB\tx\tf\n"), ["A", "B"])
    assert people["population"].isna().tolist() == people["family"].isna().tolist() == [True, False]


def test_a_person_may_be_named_na_and_a_population_may_not(table):
    people = read_people(table("sample\tpopulation\tfamily\nNA\tNA\t.\nnan\tx\tf\n"), ["NA", "nan"])
    assert people["sample"].tolist() == ["NA", "nan"]
    assert people["population"].isna().tolist() == [True, False] == people["family"].isna().tolist()


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "an empty table of samples"),
        ("\n\n", "an empty table of samples"),
        ("sample\tpopulation\n", "names none"),
        ("A\nB\n", "no column `sample`: its first line is 'A'"),
        ("Name\tpopulation\nA\tx\n", "no column `sample`: its first line is 'Name', 'population'"),
        ("IID\tSample_ID\nA\tA\n", "'IID', 'Sample_ID': which is the sample?"),
        ("sample\tsample\nA\tA\n", "columns 'sample' and 'sample' have the same name"),
        ("sample\nA\nA\n", "'A' comes twice"),
        ("sample\nA\nQ\n", "1 of its 2 samples have no genotypes: 'Q'. The cohort has A, B"),
        ("sample\tpopulation\nA\tx\n\ty\n", "1 of its 2 samples have no genotypes: ''"),
        (b"sample\n\xff\xfe\n", "not UTF-8 text"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, text, message):
    with pytest.raises(InputError) as caught:
        read_people(table(text), ["A", "B"])
    assert message in str(caught.value) and str(caught.value).startswith(str(table(text)))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_people(tmp_path / "none.tsv", ["A"])
    with pytest.raises(InputError, match="cannot be read"):
        read_people(tmp_path, ["A"])


@pytest.mark.parametrize(
    ("header", "population"),
    [
        ("Sample.ID\tPopulation", "x"),
        ("donor\tancestry", "x"),
        ("#Individual_ID\tSuper-Pop", "x"),
        ("sample\tcountry", None),
    ],
)
def test_populations_are_taken_by_any_usual_name(table, header, population):
    people = read_people(table(f"{header}\nA\tx\nB\tx\n"), ["A", "B"])
    assert people.get("population", pd.Series([None])).tolist()[0] == population


@pytest.mark.parametrize(
    "header", ["sample\tPopulaton", "sample\tpopulations", "smaple\tpopulation\tsample", "sample\tfamly"]
)
def test_a_column_that_is_spelled_nearly_like_one_that_is_read_is_asked_about(table, header):
    if header.startswith("smaple"):
        assert read_people(table(f"{header}\n1\tx\tA\n"), ["A"])["sample"].tolist() == ["A"]
        return
    with pytest.raises(InputError, match="may be meant for"):
        read_people(table(f"{header}\nA\tx\n"), ["A"])
