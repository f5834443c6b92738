"""`glmflow audit` on tables of sequences."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from glmflow.cli import main


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 200)) for _ in range(60)]
    split = ["train"] * 40 + ["test"] * 20
    texts[45] = texts[3][::-1].translate(str.maketrans("ACGT", "TGCA"))
    texts[50] = texts[7][:100] + ("A" if texts[7][100] != "A" else "C") + texts[7][101:]
    return pd.DataFrame({"seq": texts, "Set": split, "label": ["0", "1"] * 30})


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl"])
def test_copies_are_named_and_left_out(table, tmp_path, capsys, suffix):
    path, clean = tmp_path / f"t.{suffix}", tmp_path / f"clean.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    elif suffix == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False, sep="," if suffix == "csv" else "\t")
    assert main(["audit", str(path), "--output", str(tmp_path / "found.tsv"), "--clean", str(clean)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  test: 1 of 20 test sequences equal a training sequence" in printed
    assert "row 46 (row 4, -)" in printed and "row 51 (row 8, +)" in printed
    found = pd.read_csv(tmp_path / "found.tsv", sep="\t").set_index("row")
    assert found.loc[46, "relation"] == "exact" and found.loc[51, "nearest_training"] == "row 8"
    assert main(["audit", str(clean)]) == 0
    readers = {"parquet": pd.read_parquet, "jsonl": partial(pd.read_json, lines=True), "csv": pd.read_csv}
    read = readers.get(suffix, pd.read_table)(clean)
    assert len(read) == 58 and list(read.columns) == list(table.columns)


def test_exit_statuses_and_conflicting_labels(table, tmp_path, capsys):
    table.loc[5, "seq"] = table.loc[4, "seq"]
    path = tmp_path / "t.csv"
    table.to_csv(path, index=False)
    assert main(["audit", str(path), "--fail-on", "never"]) == 0
    assert "WARN" in capsys.readouterr().out
    table = table.drop(index=[45, 50])
    table.to_csv(path, index=False)
    assert main(["audit", str(path)]) == 0 and main(["audit", str(path), "--fail-on", "warning"]) == 1
    assert "2 of 58 sequences equal another one that has another label: row 5, row 6" in capsys.readouterr().out


def test_what_tells_the_labels_without_the_sequence_is_named(tmp_path, capsys):
    """Columns are found by the command's own names; a batch and the length go with the classes."""
    rng = np.random.default_rng(0)
    labels = np.array(["enhancer", "other"] * 80)
    texts = ["".join(rng.choice(list("ACGT"), 120 if label == "other" else 90)) for label in labels]
    table = pd.DataFrame({"dna": texts, "class": labels, "set": ["train"] * 100 + ["valid"] * 10 + ["test"] * 50})
    path = tmp_path / "t.csv"
    table.assign(plate=np.where(labels == "other", "p1", "p2")).to_csv(path, index=False)
    assert main(["audit", str(path)]) == 0
    printed = capsys.readouterr().out
    assert (
        "WARN  length alone reaches accuracy 1.000" in printed and "WARN  plate alone reaches accuracy 1.000" in printed
    )
    table.assign(dna=[text[:90] for text in texts], note=1).to_csv(path, index=False)
    assert main(["audit", str(path), "--fail-on", "warning"]) == 0
    assert "length alone" in capsys.readouterr().out


def test_labels_that_cannot_be_read_are_said_and_copies_looked_for_all_the_same(table, tmp_path, capsys):
    table.assign(Set=table["Set"].replace("test", "fold 2")).to_csv(tmp_path / "t.csv", index=False)
    assert main(["audit", str(tmp_path / "t.csv")]) == 1
    printed = capsys.readouterr().out
    assert (
        "labels were not looked at: " in printed
        and "'fold 2' is no split" in printed
        and "FAIL  fold 2: 1 of" in printed
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="Set"), "no column `split`: the header has 'seq', 'label'"),
        (lambda t: t.assign(seq=t["seq"].where(t.index != 4, "ACG*T")), "row 5, letter 4: '*' is no nucleotide code"),
        (lambda t: t.assign(Set="test"), "no row of split `train`: there are test"),
        (lambda t: t.rename(columns={"seq": "sequences"}), "may be meant for `sequence`"),
    ],
)
def test_bad_tables_are_one_line(table, tmp_path, capsys, change, message):
    change(table).to_csv(tmp_path / "t.csv", index=False)
    assert main(["audit", str(tmp_path / "t.csv")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and message in lines[0]
    assert main(["audit", str(tmp_path / "none.csv")]) == 1
    (tmp_path / "x.fa").write_text(">a\nACGT\n")
    assert main(["audit", str(tmp_path / "x.fa")]) == 1 and "a FASTA file, not a table" in capsys.readouterr().err
