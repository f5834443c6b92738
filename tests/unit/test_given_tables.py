"""Tables as users have them: one reader for all kinds of task, a right result or one line."""

import gzip

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_matrix import read_matrix
from glmflow.binding.peak_files import one_file
from glmflow.binding.peak_files import read_samples as read_peak_samples
from glmflow.errors import InputError
from glmflow.tasks.populations.population_samples import read_samples
from glmflow.tasks.region_expression.region_matrix import read_counts
from glmflow.tasks.variant_effects.effect_examples import from_table
from glmflow.text_files import as_table, read_cells

PLAIN = "sample\tclass\n007\tNA\n1e5\tx\n"
ROWS = [["007", "NA"], ["1e5", "x"]]


def write(folder, content, name="table.tsv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN,
        PLAIN.replace("\t", ","),
        PLAIN.replace("\t", ";"),
        gzip.compress(PLAIN.encode(), mtime=0),
        "\n" + PLAIN + "\n\n",
        PLAIN.replace("NA\n", "NA\t\t\n"),  # as spreadsheets end lines
        "sample\tclass\t\t\n007\tNA\t\t\n1e5\tx\t\t\n",
    ],
)
def test_cells_are_as_they_are_written(tmp_path, content):
    table = read_cells(write(tmp_path, content))
    assert list(table) == ["sample", "class"] and table.to_numpy().tolist() == ROWS


def test_an_absent_cell_is_empty_and_a_header_alone_a_table_without_rows(tmp_path):
    assert read_cells(write(tmp_path, "a\tb\n1\n")).to_numpy().tolist() == [["1", ""]]
    assert read_cells(write(tmp_path, "a\tb\n")).shape == (0, 2)
    text = "# a remark\na\tb\n# another\n1#2\t3\n"
    assert read_cells(write(tmp_path, text), comments=True).to_numpy().tolist() == [["1#2", "3"]]


BAD = {
    "empty": (b"", "an empty file"),
    "utf16": (PLAIN.encode("utf-16"), "not UTF-8"),
    "latin": (b"a\tb\n\xe9t\xe9\t1\n", "not UTF-8"),
    "ragged": (b"a\tb\n1\t2\n1\t2\t3\n", "row 2 has more cells than the header has names"),
    "ragged at once": (b"a\tb\n1\t2\t3\n", "row 1 has more cells"),
    "more ragged": (b"a\tb\n1\t2\n1\t2\t3\t4\n", "not a table"),
    "open quote": (b'a\tb\n"1\t2\n', "not a table"),
    "cut": (gzip.compress(PLAIN.encode() * 50)[:-9], "cut short"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_one_line_that_names_the_file(tmp_path, case):
    content, words = BAD[case]
    path = write(tmp_path, content)
    for read in (read_cells, read_samples, read_peak_samples, lambda path: from_table(path, "label")):
        with pytest.raises(InputError, match=rf"table\.tsv: .*{words}"):
            read(path)


def test_what_is_no_parquet_and_no_file(tmp_path):
    with pytest.raises(InputError, match=r"t\.parquet: not a table"):
        read_cells(write(tmp_path, b"PAR1", "t.parquet"))
    for name in ("none.parquet", "none.tsv"):
        with pytest.raises(InputError, match=f"{name}: no such file"):
            read_cells(tmp_path / name)


def test_tables_that_pandas_reads_itself_end_in_a_line_too(tmp_path):
    path = write(tmp_path, "chrom\tstart\tend\tA\nc\t1\t2\t3\t9\n")
    with pytest.raises(InputError, match=r"table\.tsv: a row has more cells"):
        read_counts(str(path))
    with pytest.raises(InputError, match=r"table\.tsv: not a table"):
        read_counts(str(write(tmp_path, PLAIN.encode("utf-16"))))
    with pytest.raises(InputError, match="its own"), as_table(path):
        raise InputError("its own")
    with pytest.raises(KeyError), as_table(path):
        raise KeyError("a fault of ours is not the table's")


@pytest.mark.parametrize("text", [",r1,r2\nk,1,2,3\n", ",r1,r2\nk,1\n"])
def test_a_matrix_has_a_column_for_each_name(tmp_path, text):
    with pytest.raises(InputError, match="2 regions in the header"):
        read_matrix(write(tmp_path, text, "m.csv"))
    whole = read_matrix(write(tmp_path, ",r1,r2\r\nNA,1,2\r\n001,3,4\r\n", "m.csv"))
    assert np.array_equal(whole[2], [[1, 2], [3, 4]]) and whole[0] == ["NA", "001"]


def test_separators_at_the_ends_of_lines_move_no_column_of_samples(tmp_path):
    """pandas takes the first column for an index where rows are longer than the header: samples were named as classes."""
    table = read_samples(write(tmp_path, "sample\tpopulation\n007\tA\t\n7\t\t\n"))
    assert table["sample"].tolist() == ["007", "7"] and table["population"].tolist()[0] == "A"
    assert pd.isna(table["population"][1])


@pytest.mark.parametrize("position", ["5.5", "0", "-3", "1,000", "99999999999999999999", "x", ""])
def test_positions_are_whole_numbers_from_one(tmp_path, position):
    path = write(tmp_path, f"chrom\tpos\tref\talt\tlabel\n1\t7\tA\tC\t1\n1\t{position}\tA\tC\t1\n")
    with pytest.raises(
        InputError, match=rf"table\.tsv: 1 positions are no whole numbers from 1 on, first '{position}'"
    ):
        from_table(path, "label")


def test_an_infinite_effect_is_no_number(tmp_path):
    path = write(tmp_path, "chrom\tpos\tref\talt\teffect\n1\t1e3\tA\tC\t.5\n")
    assert from_table(path, "effect").table["start"].tolist() == [999]
    path.write_text(path.read_text().replace(".5", "inf"))
    with pytest.raises(InputError, match="'inf' is no number"):
        from_table(path, "effect")


def test_a_peak_whose_numbers_are_none_is_named_by_its_line(tmp_path):
    path = write(tmp_path, "chr1\t1\t9\tn\t0\t.\t1\t2\t3\t4\nchr1\t1\t9\tn\t0\t.\tNA\t2\t3\tx\n", "p.narrowPeak")
    with pytest.raises(InputError, match=r"p\.narrowPeak:2: summit holds 'x'"):
        one_file(path)
