"""A table of labelled sequences: what is counted, what leaks, and what is refused in one line."""

import gzip

import numpy as np
import pytest
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

ROWS = [
    ("ACGTACGA", "b", "train"),
    ("TTTTACGT", "a", "train"),
    ("GGGGGGGG", "a", "train"),
    ("ACGTACGA", "b", "dev"),  # the first one
    ("ACGTAAAA", "a", "test"),  # the second one on the other strand
    ("acguacgn", "b", "test"),
]
HEADER = ("sequence", "label", "split")


def written(folder, rows=ROWS, header=HEADER, name="t.tsv"):
    separator = "," if ".csv" in name else "\t"
    text = "".join(separator.join(row) + "\n" for row in (header, *rows))
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def made(path, **settings):
    task = Sequences(kind="sequences", table=str(path), **settings)
    return examples(task, {"table": str(path)}, Division())


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.tsv.gz"])
def test_rows_become_examples_with_their_class_and_split(tmp_path, name):
    found = made(written(tmp_path, name=name))
    table = found.table
    assert table["split"].tolist() == ["train", "train", "train", "validation", "test", "test"]
    assert table["target"].tolist() == ["b", "a", "a", "b", "a", "b"] and table["example"].is_unique
    assert table["sequence"].iloc[5] == "ACGTACGN", "upper case, U is T"
    classes = found.facts["classes.tsv"].set_index("class")
    assert classes.index.tolist() == ["a", "b"] and classes["train"].tolist() == [2, 1]


def test_copies_of_training_are_counted_on_either_strand(tmp_path):
    checks = made(written(tmp_path)).checks.set_index("check")
    for split, found, of in (("validation", 1, 1), ("test", 1, 2)):
        row = checks.loc[f"exact: {split}"]
        assert (row["found"], row["of"], row["leak"]) == (found, of, "yes")
    clean = made(written(tmp_path, [row for row in ROWS if row[2] != "dev" and row[0] != "ACGTAAAA"])).checks
    assert clean.set_index("check").loc["exact: test", "leak"] == "no"


def test_what_is_cut_to_the_middle_is_counted(tmp_path):
    counts = made(written(tmp_path), length=7).counts.set_index("item")["count"]
    assert counts["train sequences"] == 3 and counts["validation sequences"] == 1 and counts["test sequences"] == 2
    assert counts["sequences longer than `length`, of which the middle is read"] == 6


def test_columns_may_have_other_names(tmp_path):
    path = written(tmp_path, header=("seq", "class", "fold"))
    found = made(path, columns={"sequence": "seq", "label": "class", "split": "fold"})
    assert len(found.table) == len(ROWS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ("ACGT", "a", "held")], "t.tsv, row 7, column split: 'held' is no split"),
        ([*ROWS, ("AC-T", "a", "test")], "t.tsv, row 7, column sequence: '-' at base 3 is no nucleotide"),
        ([*ROWS, ("", "a", "test")], "t.tsv, row 7, column sequence: an empty sequence"),
        ([*ROWS, ("ACGT", "", "train")], "t.tsv, row 7, column label: no label"),
        (ROWS[3:], "the train split has no rows"),
        ([*ROWS, ("ACGT", "c", "test")], "class c has no row to train on"),
        (ROWS[1:3], "t.tsv: one class alone: a"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path, rows, message):
    with pytest.raises(InputError) as caught:
        made(written(tmp_path, rows))
    (line,) = str(caught.value).splitlines()
    assert message in line


def test_no_table_is_said(tmp_path):
    (tmp_path / "t.tsv.gz").write_text("not gzip")
    (tmp_path / "empty.tsv").write_text("")
    for name in ("absent.tsv", "t.tsv.gz", "empty.tsv"):
        with pytest.raises(InputError, match=name) as caught:
            made(tmp_path / name)
        assert len(str(caught.value).splitlines()) == 1


def some_rows(count=600):
    """Rows of two classes with a column of the user's own: half of the test rows are old, few of them odd."""
    generator = np.random.default_rng(0)
    rows = []
    for row in range(count):
        own = "odd" if row % 60 == 1 else "old" if row % 2 else ""
        split = ("train", "test")[row >= count // 3]
        rows.append(("".join(generator.choice(list("ACGT"), 40)), "ab"[generator.integers(2)], split, own))
    return rows


def test_parts_that_a_table_names_are_scored_beside_the_whole(tmp_path):
    path = written(tmp_path, some_rows(), (*HEADER, "age"))
    found = made(path, columns={"subset": "age"})
    test = found.table[found.table["split"] == "test"]
    names = test["subset"].str.split(";")
    assert names.map(lambda own: "old" in own).sum() == sum(row[3] == "old" for row in some_rows()[200:]) > 100
    assert (
        not names.map(lambda own: "odd" in own).any()
        and (found.table[found.table["split"] == "train"]["subset"] == "").all()
    )
    counts = found.counts.set_index("item")["count"]
    assert counts["test sequences of the subset odd (not scored: 6 rows; 100 are needed)"] == 6
    assert made(path).table["subset"].eq("").all()  # a column is no subset unless it is named


@pytest.mark.parametrize(
    ("name", "message"),
    [("all", "'all' cannot be the name of a subset"), ("a;b", "cannot be the name"), ("", "no test row")],
)
def test_parts_without_a_name_are_refused(tmp_path, name, message):
    path = written(tmp_path, [(*row[:3], name) for row in some_rows()], (*HEADER, "age"))
    with pytest.raises(InputError, match=message):
        made(path, columns={"subset": "age"})


def test_intervals_within_a_margin_overlap(tmp_path):
    rows = [(*row[:3], "chr1", str(1000 * (n % 200) + 40 * (n // 200)), str(1000 * (n % 200) + 40 * (n // 200) + 40))
            for n, row in enumerate(some_rows())]  # fmt: skip
    path = written(tmp_path, rows, (*HEADER, "chrom", "start", "end"))
    item = "test sequences of the subset no_overlap"

    def clean(**settings):
        counts = made(path, **settings).counts
        return int(counts[counts["item"].str.startswith(item)]["count"].iloc[0])

    assert clean() == 400  # intervals side by side share no base
    assert clean(margin=10) == 200  # those 40 bases on are near, those 80 bases on are not
    assert clean(margin=50) == 0
    with pytest.raises(InputError, match="margin: is of intervals"):
        made(written(tmp_path, name="plain.tsv"), margin=10)
