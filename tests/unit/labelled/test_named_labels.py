"""Labels that the names of sequences say, beside the labels that they have."""

import pandas as pd
import pytest
from glmflow.checks.label_audits import label_audits
from glmflow.config.tasks.sequences import Sequences
from glmflow.labelled.named_labels import contradicted
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

NAMES = pd.Series([f"chr1:{100 * i}-{100 * i + 100}|{i % 2}" for i in range(20)])
LABELS = pd.Series([str(i % 2) for i in range(20)])


def exchanged(labels, rows):
    return labels.where(~labels.index.isin(rows), labels.map({"0": "1", "1": "0"}))


@pytest.mark.parametrize(
    ("names", "labels", "rows"),
    [
        (NAMES, LABELS, []),
        (NAMES, LABELS + ".0", []),
        (NAMES, exchanged(LABELS, [3, 4]), [3, 4]),
        (NAMES, exchanged(LABELS, range(20)), list(range(20))),
        (NAMES, LABELS.map({"0": "other", "1": "promoter"}), []),
        (NAMES, exchanged(LABELS, [7]).map({"0": "other", "1": "promoter"}), [7]),
        (NAMES.str.replace("|", "_"), LABELS, []),
        (pd.Series([f"gene|{i}" for i in range(20)]), LABELS, []),
        (pd.Series([f"gene|{'ab'[i // 10]}" for i in range(20)]), LABELS, []),
    ],
    ids=["equal", "decimals", "two rows", "flipped", "words", "words, one row", "no label", "numbers", "other words"],
)
def test_rows_whose_name_says_another_label(names, labels, rows):
    assert contradicted(names, labels).tolist() == rows


def test_flipped_labels_of_a_published_set_are_named(test_data, tmp_path):
    source = test_data / "sequences" / "nt_revised_sample" / "sample.parquet"
    if not source.is_file():
        pytest.skip(f"{source} is not here")
    table = pd.read_parquet(source)
    table = table[table["task"] == "H3K27ac"].drop_duplicates("name").reset_index(drop=True)
    table["split"] = ["train", "validation", "test"] * (len(table) // 3) + ["train"] * (len(table) % 3)
    flipped = table.assign(label=table["label"].where(table["split"] != "test", 1 - table["label"]))
    many = int((table["split"] == "test").sum())
    for name, rows, count in (("right", table, 0), ("flipped", flipped, many)):
        path = tmp_path / f"{name}.csv"
        rows.to_csv(path, index=False)
        task = Sequences(kind="sequences", table=str(path), length=1000, bootstrap=20)
        checks = examples(task, {}, Division()).checks.set_index("check")
        told = [audit for audit in label_audits(path, {}) if audit.name == "labels in names"]
        if not count:
            assert "labels in names" not in checks.index and not told
            continue
        assert checks.loc["labels in names", ["status", "found"]].tolist() == ["FAIL", count]
        assert f"{count} of {len(rows)} rows" in checks.loc["labels in names", "detail"]
        assert [(audit.status, audit.figure) for audit in told] == [("FAIL", count)]
