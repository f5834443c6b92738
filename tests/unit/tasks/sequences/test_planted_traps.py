"""Data sets in which something is wrong by design: each is named by the audit, or refused in one line; a clean one is not."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.examples_audit import audited
from glmflow.checks.sequences import check
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division
from pydantic import ValidationError

TRAIN, VALIDATION, TEST, LENGTH = 160, 20, 60, 150
COMPLEMENT = str.maketrans("ACGT", "TGCA")
GENERATOR = np.random.default_rng(7)


def drawn(length, gc=0.5):
    return "".join(GENERATOR.choice(list("ACGT"), length, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]))


def changed(text, share):
    return "".join(
        "ACGT"["ACGT".index(c) - GENERATOR.integers(1, 4)] if GENERATOR.random() < share else c for c in text
    )


@pytest.fixture
def clean():
    """Random sequences of two classes, of which nothing can be learned, with splits and places far from each other."""
    generator = np.random.default_rng(0)
    count = TRAIN + VALIDATION + TEST
    return pd.DataFrame(
        {
            "sequence": ["".join(generator.choice(list("ACGT"), LENGTH)) for _ in range(count)],
            "label": generator.choice(["pos", "neg"], count),
            "split": ["train"] * TRAIN + ["validation"] * VALIDATION + ["test"] * TEST,
            "chrom": generator.permutation([f"chr{i % 4}" for i in range(count)]),
            "start": generator.permutation(count) * 1000,
        }
    ).assign(end=lambda table: table["start"] + LENGTH)


def found(table, folder, **settings):
    """What does not pass, by the name of the check."""
    path = folder / "t.csv"
    table.to_csv(path, index=False)
    task = Sequences(kind="sequences", table=str(path), length=LENGTH, bootstrap=20, **settings)
    made, _ = audited(examples(task, {}, Division()), task, {})
    checks = made.checks[made.checks["status"] != "PASS"]
    return dict(zip(checks["check"], checks["status"])), dict(zip(checks["check"], checks["detail"]))


def test_nothing_is_found_where_nothing_is_wrong(clean, tmp_path):
    assert found(clean, tmp_path)[0] == {}


COPIES = {
    "exact": (lambda s: s, "exact: test"),
    "lower case": (str.lower, "exact: test"),
    "RNA": (lambda s: s.replace("T", "U"), "exact: test"),
    "reverse complement": (lambda s: s.translate(COMPLEMENT)[::-1], "exact: test"),
    "shifted": (lambda s: s[50:] + drawn(50), "near: test"),
    "shifted, other strand": (lambda s: (s[50:] + drawn(50)).translate(COMPLEMENT)[::-1], "near: test"),
    "padded with N": (lambda s: "N" * 20 + s + "N" * 20, "near: test"),
    "contained": (lambda s: s[40:110], "near: test"),
    "shifted by more than half": (lambda s: s[90:] + drawn(90), "related copies: test"),
    "6 % changed": (lambda s: changed(s, 0.06), "related copies: test"),
    "written backwards": (lambda s: s[::-1], "backwards: test"),
    "complement": (lambda s: s.translate(COMPLEMENT), "backwards: test"),
    "padded, complement": (lambda s: s.translate(COMPLEMENT) + "N" * 9, "backwards: test"),
    "padded, written backwards": (lambda s: s[::-1] + "N" * 9, "backwards: test"),
    "transitions": (lambda s: s.translate(str.maketrans("ACGT", "GTAC")), "letters exchanged: test"),
    "put together from two": (lambda s: s[:75] + drawn(75), "related copies: test"),
    "within a longer one": (lambda s: drawn(40) + s[5:145] + drawn(40), "near: test"),
    "deletions": (lambda s: "".join(c for i, c in enumerate(s) if i % 25), "related copies: test"),
    "N every 15 bases": (lambda s: "".join("N" if i % 15 == 7 else c for i, c in enumerate(s)), "rows without k-mers"),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_of_training_rows_among_test_rows(clean, tmp_path, name):
    copy, check = COPIES[name]
    texts = clean["sequence"].tolist()
    for place in range(12):
        texts[TRAIN + VALIDATION + place] = copy(texts[place])
    status, detail = found(
        clean.assign(sequence=texts, end=clean["start"] + LENGTH).drop(columns=["chrom", "start", "end"]), tmp_path
    )
    assert status[check] == ("WARN" if check.startswith(("related", "rows")) else "FAIL"), detail
    assert detail[check].startswith("12 of 60" if check.startswith(("exact", "near", "backwards", "letters")) else "")


def by_class(table, of_pos, of_neg=lambda s: s):
    return table.assign(
        sequence=[(of_pos if label == "pos" else of_neg)(s) for s, label in zip(table["sequence"], table["label"])]
    )


def moved(table):
    """Positives in the first half of the contigs, negatives in the second."""
    start = np.where(table["label"] == "pos", table["start"] // 2, 500_000 + table["start"] // 2)
    return table.assign(start=start, end=start + 150)


SHORTCUTS = {
    "length": (lambda t: by_class(t, lambda s: s[:120]), "length alone"),
    "length, in part": (lambda t: by_class(t, lambda s: s[: 100 + GENERATOR.integers(40)], lambda s: s[: 118 + GENERATOR.integers(32)]), "length alone"),
    "GC content": (lambda t: by_class(t, lambda s: drawn(LENGTH, 0.6)), "gc alone"),
    "N": (lambda t: by_class(t, lambda s: s[:145] + "NNNNN"), "n_share alone"),
    "an adapter": (lambda t: by_class(t, lambda s: "A" + s[1:-1] + "A"), "first and last base alone"),
    "an adapter before sequences of any length": (lambda t: by_class(t, lambda s: "AGATCG" + s[: 90 + GENERATOR.integers(40)], lambda s: "ATTGCG" + s[: 90 + GENERATOR.integers(40)]), "ends alone"),
    "flanks": (lambda t: by_class(t, lambda s: drawn(8, 0.8) + s[: 90 + GENERATOR.integers(40)], lambda s: drawn(8, 0.2) + s[: 90 + GENERATOR.integers(40)]), "ends alone"),
    "a barcode within": (lambda t: by_class(t, lambda s: s[:20] + "GATTACA" + s[27:], lambda s: s[:20] + "CCATGGT" + s[27:]), "position alone"),
    "every third base": (lambda t: by_class(t, lambda s: "".join("A" if i % 3 == 0 else c for i, c in enumerate(s))), "3-mers alone"),
    "lower case": (lambda t: by_class(t, str.lower), "lower case"),
    "contig": (lambda t: t.assign(chrom=np.where(t["label"] == "pos", "chr1", "chr2")), "contig alone"),
    "place": (moved, "nearest training interval alone"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHORTCUTS)
def test_what_tells_the_label_without_the_sequence(clean, tmp_path, name):
    plant, check = SHORTCUTS[name]
    status, detail = found(plant(clean), tmp_path)
    assert status[check] == "WARN", detail


def split_faults():
    test = TRAIN + VALIDATION
    swap = {"pos": "neg", "neg": "pos"}

    def swapped(t):
        t = by_class(t, lambda s: drawn(LENGTH, 0.65))
        return t.assign(label=[swap[own] if row >= test else own for row, own in enumerate(t["label"])])

    def conflicting(t):
        texts, labels = t["sequence"].tolist(), t["label"].tolist()
        for place in range(12):
            texts[test + place], labels[test + place] = texts[place], swap[labels[place]]
        return t.assign(sequence=texts, label=labels)

    return {
        "labels of the test split swapped": (swapped, "swapped labels", "opposite of the test rows"),
        "one sequence, two labels": (conflicting, "label conflicts", "12 sequences have two labels"),
        "a class without test rows": (lambda t: t.assign(label=["pos" if r >= test else own for r, own in enumerate(t["label"])]), "test rows of each class", "neg 0"),
        "a class without validation rows": (lambda t: t.assign(label=["pos" if test > r >= TRAIN else own for r, own in enumerate(t["label"])]), "validation rows of each class", "no validation row of neg"),
        "names used twice": (lambda t: t.assign(id=[f"r{row % 200}" for row in range(len(t))]), "name: test", "have the name of a train"),
        "one gene in both splits": (lambda t: t.assign(gene_id=[f"g{row % 30}" for row in range(len(t))]), "gene_id: test", "splits: {by: group, column: gene_id}"),
        "one group in both splits": (lambda t: t.assign(group=[f"g{row % 30}" for row in range(len(t))]), "group: test", "belong to a group of"),
        "test rows cut short": (lambda t: t.assign(sequence=[s[:80] if r >= test else s for r, s in enumerate(t["sequence"])]), "unlike rows", "length: median 150 of the training rows, 80 of the test rows"),
        "test rows of another genome": (lambda t: t.assign(sequence=[drawn(LENGTH, 0.65) if r >= test else s for r, s in enumerate(t["sequence"])]), "unlike rows", "GC content: median 0.5"),
        "test rows that are validation rows": (lambda t: t.assign(sequence=[t["sequence"][r - 20] if test <= r < test + 12 else s for r, s in enumerate(t["sequence"])]), "exact: test", "12 of 60"),
        "few sequences, many test rows": (lambda t: t.assign(sequence=[t["sequence"][test + r % 4] if r >= test else s for r, s in enumerate(t["sequence"])]), "exact copies", "56 rows repeat"),
        "rows repeated": (lambda t: pd.concat([t, t.iloc[:30]]), "exact copies", "30 rows repeat an earlier one"),
    }  # fmt: skip


@pytest.mark.parametrize("name", split_faults())
def test_faults_of_splits_and_labels(clean, tmp_path, name):
    plant, check, words = split_faults()[name]
    status, detail = found(plant(clean), tmp_path)
    assert status[check] in ("WARN", "FAIL") and words in detail[check], detail


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        ({"a": "b", "b": "c", "c": "a"}, "b of the test rows is a, c of the test rows is b"),
        ({"a": "b", "b": "a", "c": "c"}, "a of the test rows is b, b of the test rows is a:"),
        ({"a": "a", "b": "b", "c": "c"}, None),
    ],
)
def test_classes_of_a_split_that_are_numbered_in_another_order(clean, tmp_path, exchange, words):
    """What a file system does to folders of classes, apart for training and test."""
    own = GENERATOR.choice(list("abc"), len(clean))
    motif = {"a": "TATAAATA", "b": "GGCGGCGG", "c": "CACACTCA"}
    texts = [s[:40] + motif[c] * 3 + s[64:] for s, c in zip(clean["sequence"], own)]
    labels = [exchange[c] if split == "test" else c for c, split in zip(own, clean["split"])]
    status, detail = found(clean.assign(sequence=texts, label=labels), tmp_path)
    if words is None:
        assert "swapped labels" not in status
    else:
        assert status["swapped labels"] == "FAIL" and words in detail["swapped labels"]


def test_an_adapter_in_one_class_is_named_wherever_it_stands(clean, tmp_path):
    adapter, places = "GATTACAGATCCTT", GENERATOR.integers(0, LENGTH - 14, len(clean))
    texts = [
        s[:place] + adapter + s[place + 14 :] if label == "pos" else s
        for s, place, label in zip(clean["sequence"], places, clean["label"])
    ]
    status, detail = found(clean.assign(sequence=texts), tmp_path)
    assert status["one stretch alone"] == "WARN" and adapter in detail["one stretch alone"]


def test_nothing_tells_the_label_where_all_test_rows_have_one(clean, tmp_path):
    """The majority of training is right about none of them, and whatever says the other class now and then is no shortcut."""
    status, _ = found(clean[(clean["split"] != "test") | (clean["label"] == "neg")], tmp_path)
    assert {"test rows of each class", "shares of classes"} == set(status)


def test_a_class_with_few_test_rows_is_no_leak(clean, tmp_path):
    rows = clean[(clean["split"] != "test") | (clean["label"] == "pos")]
    rows.to_csv(tmp_path / "t.csv", index=False)
    task = Sequences(kind="sequences", table=str(tmp_path / "t.csv"), length=LENGTH, bootstrap=20)
    checks = examples(task, {}, Division()).checks.set_index("check")
    assert checks.loc["test rows of each class", ["status", "leak"]].tolist() == ["WARN", "no"]


def test_values_of_another_scale_and_values_far_from_all_others(clean, tmp_path):
    values = GENERATOR.normal(size=len(clean))
    assert found(clean.assign(label=values), tmp_path, labels="values")[0] == {}
    other = np.where(clean["split"] == "test", values * 50 + 20, values)
    assert found(clean.assign(label=other), tmp_path, labels="values")[0]["scale of values"] == "WARN"
    far = np.where(np.arange(len(clean)) == 3, 1e9, values)
    assert "1 values are" in found(clean.assign(label=far), tmp_path, labels="values")[1]["outlying values"]


def test_rows_whose_label_is_not_known(clean, tmp_path):
    def with_class(name):
        return clean.assign(label=[name if row % 4 == 0 else own for row, own in enumerate(clean["label"])])

    status, detail = found(with_class("Unlabelled"), tmp_path)
    rows = sum(row % 4 == 0 for row in range(len(clean)) if not TRAIN <= row < TRAIN + VALIDATION)
    assert status == {"class without a label": "WARN"} and detail["class without a label"].startswith(
        f"{rows} rows are of"
    )
    assert found(with_class("none"), tmp_path)[0] == found(with_class("-"), tmp_path)[0] == {}
    for word in (".", "?"):
        with pytest.raises(InputError, match=r"no label .* is none"):
            found(with_class(word), tmp_path)


@pytest.mark.parametrize("value", [0.0, -999.0])
def test_one_value_that_stands_for_a_missing_one(clean, tmp_path, value):
    values = GENERATOR.normal(5, 1, len(clean))
    missing = np.arange(len(clean)) % 20 == 3
    status, detail = found(clean.assign(label=np.where(missing, value, values)), tmp_path, labels="values")
    assert status["one value of many rows"] == "WARN"
    rows = int(missing[clean["split"] != "validation"].sum())
    assert f"{rows} rows have the very same value, {value:.4g}" in detail["one value of many rows"]
    limited = found(clean.assign(label=np.clip(values, 4, 6)), tmp_path, labels="values")[0]
    assert limited["one value of many rows"] == "WARN"
    counts = GENERATOR.poisson(3, len(clean)).astype(float)
    assert "one value of many rows" not in found(clean.assign(label=counts), tmp_path, labels="values")[0]


@pytest.mark.parametrize(
    "header", ["patient_id", "Donor ID", "geneId", "ensembl_gene_id", "individuals", "sample_name"]
)
def test_rows_that_belong_together_are_known_by_any_spelling_of_their_column(clean, tmp_path, header):
    shared = clean.assign(**{header: [f"g{row % 30}" for row in range(len(clean))]})
    assert found(shared, tmp_path)[0][f"{header}: test"] == "WARN"
    apart = clean.assign(**{header: [f"{split}{row % 30}" for row, split in enumerate(clean["split"])]})
    assert found(apart, tmp_path)[0] == {}


@pytest.mark.parametrize("header", ["gene_count", "sample_size", "identity", "familiarity", "no"])
def test_columns_of_numbers_name_nobody(clean, tmp_path, header):
    assert found(clean.assign(**{header: 3}), tmp_path)[0] == {}


BATCHES = {
    "a batch a class": (lambda t: [f"b_{own}" for own in t["label"]], "batch_no", "batch_no alone", "reaches accuracy 1.000"),
    "plates of one class": (lambda t: [f"p{GENERATOR.integers(3)}{own}" for own in t["label"]], "Plate", "Plate alone", "its 6 values"),
    "cells of the test split": (lambda t: ["K562" if own != "test" else "HepG2" for own in t["split"]], "cell_type", "cell_type by split", "HepG2 in test rows alone, K562 in the others"),
    "a run mostly of the test split": (lambda t: ["r1" if (own == "test") == (r % 10 > 0) else "r2" for r, own in enumerate(t["split"])], "sequencing_run", "sequencing_run by split", "sequencing_run r1: 10.0% of the train"),
    "wells that splits share": (lambda t: [f"w{r % 60}" for r in range(len(t))], "wellId", "wellId: test", "60 of 60 test rows have the wellId"),
    "donors of one class": (lambda t: [f"d{own}{split}" for own, split in zip(t["label"], t["split"])], "donor", "donor alone", "majority"),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHES)
def test_columns_of_batches_that_go_with_labels_or_splits(clean, tmp_path, name):
    plant, header, check, words = BATCHES[name]
    status, detail = found(clean.assign(**{header: plant(clean)}), tmp_path)
    assert status[check] == "WARN" and words in detail[check], detail
    harmless = clean.assign(**{header: GENERATOR.choice(["x", "y", "z"], len(clean)) if header != "donor" else ""})
    assert found(harmless, tmp_path)[0] == {}


def test_batches_that_go_with_measured_values(clean, tmp_path):
    batch = GENERATOR.choice(["x", "y"], len(clean))
    values = GENERATOR.normal(size=len(clean)) + 4 * (batch == "x")
    status, detail = found(clean.assign(label=values, batch=batch), tmp_path, labels="values")
    between = np.array([values[batch == own].mean() for own in batch])
    assert (
        status == {"batch alone": "WARN"} and f"r = {np.corrcoef(between, values)[0, 1]:.3f}" in detail["batch alone"]
    )


def test_values_that_are_negated_in_the_test_split(clean, tmp_path):
    share = clean["sequence"].str.count("[GC]") + GENERATOR.normal(0, 0.5, len(clean))
    assert "swapped labels" not in found(clean.assign(label=share), tmp_path, labels="values")[0]
    turned = np.where(clean["split"] == "test", 2 * share.mean() - share, share)
    status, detail = found(clean.assign(label=turned), tmp_path, labels="values")
    assert status["swapped labels"] == "FAIL" and "values negated?" in detail["swapped labels"]


@pytest.mark.parametrize("labels", ["labels", "values"])
def test_columns_of_labels_that_are_exchanged_in_the_test_split(clean, tmp_path, labels):
    own = GENERATOR.integers(0, 2, (len(clean), 3)) if labels == "labels" else GENERATOR.random((len(clean), 3))
    texts = [
        s[:20] + "TATAAATATATAAATA"[: round(16 * a)] + "GGCGGCGGGGCGGCGG"[: round(16 * b)] + s[60:]
        for s, (a, b, _) in zip(clean["sequence"], own)
    ]
    table = clean.drop(columns="label").assign(sequence=texts, tata=own[:, 0], cpg=own[:, 1], noise=own[:, 2])
    settings = {"labels": labels, "columns": {"label": ["tata", "cpg", "noise"]}}
    assert "exchanged columns" not in found(table, tmp_path, **settings)[0]
    test = table["split"] == "test"
    table.loc[test, ["tata", "cpg"]] = table.loc[test, ["cpg", "tata"]].to_numpy()
    status, detail = found(table, tmp_path, **settings)
    assert status["exchanged columns"] == "FAIL"
    assert "tata of the test rows is cpg" in detail["exchanged columns"] and "noise" not in detail["exchanged columns"]


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda t: t.assign(label=["None" if own == "neg" else own for own in t["label"]]), "no label .'None' is none. .and in"),
        (lambda t: t.assign(label=["<NA>" if r == 3 else own for r, own in enumerate(t["label"])]), "row 4, column label: no label"),
        (lambda t: t.assign(chrom=["1" if c == "chr1" and r % 2 else c for r, c in enumerate(t["chrom"])]), "contig 1 is called '1' and 'chr1'"),
        (lambda t: t.assign(label=[own.upper() if r % 3 else own for r, own in enumerate(t["label"])]), "differ in spelling alone"),
        (lambda t: t.assign(label=GENERATOR.normal(size=len(t))), "hardly classes"),
        (lambda t: t.assign(label=["third" if r > 200 else own for r, own in enumerate(t["label"])]), "class third has no row to train on"),
        (lambda t: t[t["split"] != "test"], "the test split has no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_line(clean, tmp_path, plant, message):
    with pytest.raises(InputError, match=message) as error:
        found(plant(clean), tmp_path)
    assert "\n" not in str(error.value)


def test_values_that_are_all_the_same_are_refused(clean, tmp_path):
    with pytest.raises(InputError, match="all values of label are 3"):
        found(clean.assign(label=3.0), tmp_path, labels="values")


def test_a_file_that_is_given_as_one_split_and_says_another_is_refused(clean, tmp_path):
    paths = {name: str(tmp_path / f"{name}.csv") for name in ("train", "test")}
    clean[clean["split"] != "test"].to_csv(paths["train"], index=False)
    clean[clean["split"] == "test"].to_csv(paths["test"], index=False)
    task = Sequences(kind="sequences", table=paths, length=LENGTH)
    with pytest.raises(InputError, match=f"row {TRAIN + 1}: its rows have splits of their own .'validation'."):
        examples(task, {}, Division())
    clean[clean["split"] == "train"].to_csv(paths["train"], index=False)
    assert set(examples(task, {}, Division()).table["split"]) == {"train", "validation", "test"}


def test_a_file_that_is_given_as_one_class_and_says_several_is_refused(clean, tmp_path):
    clean[["sequence", "label"]].to_csv(tmp_path / "a.csv", index=False)
    clean[["sequence"]].assign(label="b").to_csv(tmp_path / "b.csv", index=False)
    paths = {name: str(tmp_path / f"{name}.csv") for name in "ab"}
    with pytest.raises(InputError, match="its rows have labels of their own"):
        examples(Sequences(kind="sequences", table=paths, length=LENGTH, splits={"by": "random"}), {}, Division())


def test_one_file_for_two_splits_is_refused_before_it_is_read():
    with pytest.raises(ValidationError, match=r"table.test: a.csv is table.train already"):
        Sequences(kind="sequences", table={"train": "a.csv", "test": "a.csv"})


def test_a_test_file_that_holds_the_training_rows_in_another_order_fails(clean, tmp_path):
    train = clean[["sequence", "label"]]
    train.to_csv(tmp_path / "train.csv", index=False)
    train.sample(frac=1, random_state=1).to_csv(tmp_path / "test.csv", index=False)
    paths = {name: str(tmp_path / f"{name}.csv") for name in ("train", "test")}
    made = examples(Sequences(kind="sequences", table=paths, length=LENGTH), {}, Division())
    row = made.checks.set_index("check").loc["exact: test"]
    assert row["status"] == "FAIL" and row["found"] == row["of"] == len(train)


def problems(path, **columns):
    """What is said of a table before any job."""
    from glmflow.config import check_study

    task = {"kind": "sequences", "table": str(path), "columns": columns}
    runs = [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}]
    blocks = {"models": {"m": {"baseline": "majority"}}, "adaptations": {"b": {"kind": "baseline"}}}
    study = check_study({"study": "s", "tasks": {"t": task}, **blocks, "runs": runs}, "s.yaml", None)
    return [text for _, text in check(study, "t", lambda: None)]


def test_columns_are_looked_for_in_the_header_before_any_job(clean, tmp_path):
    path = tmp_path / "t.csv"
    clean.rename(columns={"label": "outcome"}).assign(answer="x").to_csv(path, index=False)
    assert "no column of labels" in problems(path)[0] and problems(path, label="outcome") == []
    assert "Did you mean 'outcome'" in problems(path, label="outcom")[0]


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (lambda t: t.assign(sequence=["AC*T", *t["sequence"][1:]]), "row 1, column sequence: '*' at base 3"),
        (lambda t: t.assign(sequence=[*t["sequence"][:-1], "ACG7"]), "row 240, column sequence: '7' at base 4"),
        (lambda t: t.assign(label=["third" if r > 200 else own for r, own in enumerate(t["label"])]), "class third has no row to train on"),
        (lambda t: t[t["split"] != "test"], "the test split has no rows"),
        (lambda t: t.assign(split="somewhere"), "'somewhere' is no split"),
    ],
)  # fmt: skip
def test_rows_of_small_tables_are_read_before_any_job_and_those_of_large_ones_are_not(
    clean, tmp_path, monkeypatch, plant, message
):
    path = tmp_path / "t.csv"
    clean.to_csv(path, index=False)
    assert problems(path) == []
    plant(clean).to_csv(path, index=False)
    (found,) = problems(path)
    assert message in found and "\n" not in found
    monkeypatch.setattr("glmflow.checks.sequences.READ_WHOLE", 1000)
    assert problems(path) == []


def two_columns(table, kind):
    """The table with two columns in place of `label`, of which nothing tells anything."""
    made = {name: GENERATOR.integers(0, 2, len(table)) for name in "ab"}
    if kind == "values":
        made = {name: GENERATOR.normal(size=len(table)) for name in "ab"}
    return table.drop(columns="label").assign(**made)


@pytest.mark.parametrize("kind", ["labels", "values"])
def test_what_tells_the_second_column_is_named_too(clean, tmp_path, kind):
    table, settings = two_columns(clean, kind), {"labels": kind, "columns": {"label": ["a", "b"]}}
    assert found(table, tmp_path, **settings)[0] == {}
    cut = [s[: int(100 + 10 * np.clip(b, -3, 3))] for s, b in zip(table["sequence"], table["b"])]
    status, detail = found(table.assign(sequence=cut, end=table["start"] + 100), tmp_path, **settings)
    name = "length alone, further columns"
    assert status[name] == "WARN" and detail[name].startswith("b: length alone reaches")
    assert "length alone" not in status


@pytest.mark.parametrize("kind", ["labels", "values"])
def test_columns_that_are_one_another_or_its_opposite(clean, tmp_path, kind):
    table, settings = two_columns(clean, kind), {"labels": kind, "columns": {"label": ["a", "b"]}}
    for b in (table["a"], 1 - table["a"]):
        status, detail = found(table.assign(b=b), tmp_path, **settings)
        assert status == {"columns that say the same": "WARN"} and "(b by a)" in detail["columns that say the same"]


@pytest.mark.parametrize("kept", ["bases", "dinucleotides"])
def test_negatives_that_are_shuffled_positives(clean, tmp_path, kept):
    """Shuffled: all bases, or what stands between three C's, which leaves what every base stands beside."""

    def shuffled(text):
        if kept == "bases":
            return "".join(GENERATOR.permutation(list(text)))
        first, *middle, last = text.split("C")
        return "C".join([first, *GENERATOR.permutation(middle), last])

    positive = clean["sequence"][: len(clean) // 2].tolist()
    half = clean.iloc[: 2 * len(positive)].assign(
        sequence=positive + [shuffled(text) for text in positive],
        label=["pos"] * len(positive) + ["neg"] * len(positive),
    )
    mixed = half.sample(frac=1, random_state=1).assign(split=half["split"].to_numpy())
    status, detail = found(mixed.drop(columns=["chrom", "start", "end"]), tmp_path)
    assert status["shuffled classes"] == "WARN" and f"have exactly the {kept} of" in detail["shuffled classes"]


@pytest.mark.parametrize("kind", ["labels", "values"])
def test_one_sequence_with_two_labels_in_the_second_column(clean, tmp_path, kind):
    table = two_columns(clean, kind)
    texts, b = table["sequence"].tolist(), table["b"].tolist()
    for place in range(12):
        texts[100 + place], b[100 + place] = texts[place].translate(COMPLEMENT)[::-1], 1 - b[place]
    if kind == "values":
        b[:12] = [value - 9 for value in b[:12]]
    settings = {"labels": kind, "columns": {"label": ["a", "b"]}}
    status, detail = found(table.assign(sequence=texts, b=b), tmp_path, **settings)
    # As in the first column: labels of more than 5 % of the rows that contradict each other are a fault of the set.
    assert status["label conflicts, further columns"] == ("FAIL" if kind == "labels" else "WARN")
    assert "24 rows" in detail["label conflicts, further columns"]


@pytest.mark.parametrize("scale", [1.0, 1e-5])
def test_values_of_copies_that_lie_far_apart_are_named_and_replicates_are_not(clean, tmp_path, scale):
    values, texts = GENERATOR.normal(size=len(clean)), clean["sequence"].tolist()
    texts[100:112] = texts[:12]
    for apart, named in ((5.0, True), (0.1, False)):
        values[100:112] = values[:12] + apart
        status, _ = found(clean.assign(label=values * scale, sequence=texts), tmp_path, labels="values")
        assert ("label conflicts" in status) is named


def apart_in_validation(table, plant):
    """The table with what `plant` makes of a row in place of its validation rows."""
    made = [plant(row) if row.split == "validation" else (row.sequence, row.label) for row in table.itertuples()]
    return table.assign(sequence=[text for text, _ in made], label=[label for _, label in made])


def test_validation_rows_that_are_swapped_or_unlike_are_named(clean, tmp_path):
    swap = {"pos": "neg", "neg": "pos"}
    table = pd.concat(
        [clean, clean[clean["split"] == "validation"].assign(sequence=lambda t: [drawn(LENGTH) for _ in t["label"]])]
    )
    table = by_class(table.drop(columns=["chrom", "start", "end"]), lambda s: drawn(LENGTH, 0.68))
    assert not any("of validation" in name for name in found(table, tmp_path)[0])
    swapped = apart_in_validation(table, lambda row: (row.sequence, swap[row.label]))
    status, detail = found(swapped, tmp_path)
    assert (
        status["swapped labels of validation"] == "FAIL"
        and "of the validation rows" in detail["swapped labels of validation"]
    )
    shorter = apart_in_validation(table, lambda row: (row.sequence[:80], row.label))
    assert "80 of the validation rows" in found(shorter, tmp_path)[1]["unlike rows of validation"]


@pytest.mark.parametrize(
    ("header", "train", "test"),
    [("group", "D{}", " d{}"), ("donor", "Ann{}", "ANN{}"), ("gene_id", "ENSG0000{}.1", "ENSG0000{}.12")],
)
def test_one_group_spelled_in_two_ways(clean, tmp_path, header, train, test):
    name = [(test if split == "test" else train).format(row % 20) for row, split in enumerate(clean["split"])]
    _, detail = found(clean.assign(**{header: name}), tmp_path)
    assert detail[f"{header}: test"].startswith("60 of 60")
    kept = examples(
        Sequences(
            kind="sequences", table=str(tmp_path / "t.csv"), length=LENGTH, splits={"by": "group", "column": header}
        ),
        {},
        Division(),
    )
    assert not [row for row in kept.checks.itertuples() if row.check == "group: test" and row.status != "PASS"]
    other = [f"{split}{row % 20}.1" for row, split in enumerate(clean["split"])]
    assert not [name for name in found(clean.assign(**{header: other}), tmp_path)[0] if name.endswith(": test")]


def test_a_strand_a_class(clean, tmp_path):
    status, detail = found(clean.assign(strand=np.where(clean["label"] == "pos", "+", "-")), tmp_path)
    assert status["strand alone"] == "WARN" and detail["strand alone"].startswith("the strand alone reaches")
    assert found(clean.assign(strand=GENERATOR.choice(["+", "-"], len(clean))), tmp_path)[0] == {}


def test_intervals_that_are_not_as_long_as_their_sequences(clean, tmp_path):
    status, detail = found(clean.assign(start=clean["start"] + 1), tmp_path)
    assert status == {"lengths of intervals": "WARN"} and detail["lengths of intervals"].startswith(
        "0 of 240 intervals"
    )
    assert found(clean.assign(start=clean["start"] + 1), tmp_path, one_based=True)[0] == {}


def test_overlaps_are_found_by_a_column_of_regions(clean, tmp_path):
    start = np.where(clean["split"] == "test", np.arange(len(clean)) - TRAIN - VALIDATION, np.arange(len(clean))) * 1000
    start += 75 * (clean["split"] == "test").to_numpy()
    table = clean.drop(columns=["chrom", "start", "end"]).assign(region=[f"chr1:{at}-{at + LENGTH}" for at in start])
    assert found(table, tmp_path)[1]["overlap: test"].startswith("60 of 60")
    assert found(table.assign(region=[f"enhancer {row}" for row in range(len(table))]), tmp_path)[0] == {}


@pytest.mark.parametrize("by", ["group", "column"])
def test_a_row_without_a_group_cannot_be_kept_with_its_group(clean, tmp_path, by):
    names = [None if row in (4, 9) else f"g{row % 30}" for row in range(len(clean))]
    with pytest.raises(InputError, match=r"row 5 has no org \(nor 1 more\)"):
        found(clean.drop(columns="split").assign(org=names), tmp_path, splits={"by": by, "column": "org"})
