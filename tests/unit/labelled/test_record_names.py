"""Records that are numbered alike in several files are no rows of one name; names that splits share still are found."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.tasks.sequences import Sequences
from glmflow.labelled.record_names import counts_records
from glmflow.labelled.sources import read_source
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

COUNT = {"train": 40, "validation": 12, "test": 20}
NAMES = {
    "numbers": lambda split, label, row: f"{row + 1}",
    "numbers from 0": lambda split, label, row: f"{row}",
    "words and numbers": lambda split, label, row: f"seq_{row + 1}",
    "padded": lambda split, label, row: f"seq{row + 1:05}",
    "genes": lambda split, label, row: f"ENSG{row * 7 + 100:06}",  # the same in all splits and classes
    "genes, two of the test": lambda split, label, row: f"{split if split == 'train' or row > 1 else 'train'}{row * 3}",
}


def laid_out(folder, layout, name):
    """A data set of random sequences of two classes, with names, in a layout; the settings that read it."""
    rng = np.random.default_rng(0)
    for split, count in COUNT.items():
        for label in ("pos", "neg"):
            called = [NAMES[name](split, label, row) for row in range(count)]
            texts = ["".join(rng.choice(list("ACGT"), 60)) for _ in called]
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            if layout == "texts":
                for one, text in zip(called, texts):
                    (folder / split / label / f"{one}.txt").write_text(text + "\n")
                continue
            (folder / split / label).rmdir()
            records = "".join(f">{one}\n{text}\n" for one, text in zip(called, texts))
            (folder / split / f"{label}.fa").write_text(records)
    if layout == "a FASTA a class":
        files = {split: {own: str(folder / split / f"{own}.fa") for own in ("pos", "neg")} for split in COUNT}
        return {"fasta": files}
    return {"folder": str(folder)}


def warned(settings):
    """What the audit says of names."""
    task = Sequences(kind="sequences", length=60, **settings)
    checks = examples(task, {}, Division()).checks
    checks = checks[checks["status"] != "PASS"].set_index("check")
    return {name: int(row["found"]) for name, row in checks.iterrows() if name in ("names", "name: test")}


@pytest.mark.parametrize("layout", ["texts", "a FASTA a class", "a folder of FASTA"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_of_their_class_and_numbers_of_their_file(tmp_path, layout, name):
    found = warned(laid_out(tmp_path / "set", layout, name))
    if name == "genes":  # 20 test rows of each class have the name of a training row of that class
        assert found["name: test"] == 40
    elif name == "genes, two of the test":  # 4 test rows; of validation rows two of each class too
        assert found == {"names": 12, "name: test": 4}
    else:
        assert found == {}


@pytest.mark.parametrize("split", [True, False])
def test_rows_are_called_by_their_class_where_numbers_stand_in_several_files(tmp_path, split):
    source = laid_out(tmp_path / "set", "a FASTA a class", "numbers")["fasta"]
    rows = read_source({"fasta": source if split else source["train"]}).rows
    assert rows["example"].is_unique and "named" not in rows
    assert rows["example"].iloc[0] == ("train/pos/1" if split else "pos/1")


def test_tables_of_splits_whose_ids_count_their_rows_share_no_names(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for split, count in COUNT.items():
        texts = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(count)]
        table = pd.DataFrame({"id": range(count), "sequence": texts, "label": np.arange(count) % 2})
        files[split] = str(tmp_path / f"{split}.csv")
        table.to_csv(files[split], index=False)
    assert warned({"table": files}) == {}
    for split, path in files.items():  # numbers of something else, three of the test in training
        table = pd.read_csv(path)
        shift = {"train": 0, "validation": 500, "test": 37 * 11}[split]
        table.assign(id=table["id"] * 11 + shift).to_csv(path, index=False)
    assert warned({"table": files}) == {"names": 6, "name: test": 3}


def test_names_that_are_unique_stay_as_they_are(tmp_path):
    (tmp_path / "a.fa").write_text(">one\nACGT\n>two\nCCCC\n")
    (tmp_path / "b.fa").write_text(">three\nACGG\n>four\nCCCA\n")
    rows = read_source({"fasta": {"a": tmp_path / "a.fa", "b": tmp_path / "b.fa"}}).rows
    assert rows["example"].tolist() == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("names", "counting"),
    [
        (["1", "2", "3"], True),
        (["10", "9", "8", "7", "6", "5", "4", "3", "2", "1"], True),
        (["seq_0", "seq_1"], True),
        (["1", "1", "2"], False),
        (["1", "3"], False),
        (["a1", "b2"], False),
        (["5", "6"], False),
        (["a", "1"], False),
        (["chr1:10-20", "chr1:30-40"], False),
        (["1" * 30, "2"], False),
    ],
)
def test_names_that_count_the_records_of_a_file(names, counting):
    assert counts_records(pd.Series(names, dtype="str")) is counting
