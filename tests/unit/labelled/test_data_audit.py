"""Audits of real sets against counts of scripts that share no code with the project, and of planted faults."""

import numpy as np
import pandas as pd
import pytest
from glmflow.genome.packed import pack
from glmflow.labelled.audit_checks import leaking_rows
from glmflow.labelled.data_audit import audit
from glmflow.labelled.overlap import best_overlaps, overlapping_pairs
from real_sets import SETS, expected, read

NOT_COMPARED = ("dataset", "seconds_one_core", "alphabet", "random_split_seed1")


def differences(found, wanted, path=""):
    """What of the expected figures is not found, by name."""
    for name, value in wanted.items():
        if name in NOT_COMPARED:
            continue
        if isinstance(value, dict):
            yield from differences(found.get(name, {}), value, f"{path}{name}.")
        elif found.get(name) != value:
            yield f"{path}{name}", found.get(name), value


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in ("lac_sortseq", "tf_peaks_hg19") else name for name in SETS],
)
def test_every_count_of_a_real_set_is_the_expected_one(test_data, name):
    folder = test_data / "sequences"
    data, packed = read(folder, name)
    wanted = expected(folder, f"audit_{name}.json")
    target = data.rows["target"].to_numpy()
    classes = data.labels.classes if data.labels.kind == "classes" else None
    if name == "ecoli_promoter_strength":
        target = np.log2(target)
    found = audit(data.rows, packed, target, classes)
    assert list(differences(found.facts, wanted)) == []
    splits = folder / "expected" / "splits" / f"{name}.csv.gz"
    if "random_split_seed1" in wanted and splits.exists():
        split = pd.read_csv(splits)
        if "random_seed1" not in split:
            return
        near = audit(data.rows, packed, target, classes, k=21).near
        pairs = pd.DataFrame({"ours": near.component, "theirs": split["component"]}).drop_duplicates()
        assert len(pairs) == pairs["ours"].nunique() == pairs["theirs"].nunique()  # the same partition
        leaked = leaking_rows(near.table, split["random_seed1"].to_numpy(object), "test", ("train", "validation"))
        assert len(leaked) == wanted["random_split_seed1"]["test_rows_with_a_near_copy_in_train_or_validation"]


@pytest.mark.real
def test_intervals_of_the_official_split_that_overlap(test_data):
    from glmflow.labelled.sources import read_source

    folder = test_data / "sequences/gb_human_nontata_promoters/coordinates/human_nontata_promoters"
    rows = read_source({"folder": folder}).rows
    train, test = rows[rows["split"] == "train"], rows[rows["split"] == "test"]
    best = best_overlaps(test, train)
    wanted = expected(test_data / "sequences", "gb_official_splits_lookup.json")["human_nontata_promoters"]
    assert len(test) == wanted["test"] and (best >= 0).sum() == wanted["overlapping_train"] == 4449
    same = train["target"].to_numpy()[best[best >= 0]] == test["target"].to_numpy()[best >= 0]
    assert same.mean() == pytest.approx(wanted["accuracy_on_them"], abs=0.0006)


@pytest.fixture
def planted():
    """200 random sequences of two classes, random splits, and faults of each kind."""
    generator = np.random.default_rng(0)
    sequences = ["".join(generator.choice(list("ACGT"), 200)) for _ in range(200)]
    split = np.array(["train"] * 140 + ["validation"] * 20 + ["test"] * 40, object)
    target = np.arange(200) % 2
    complement = str.maketrans("ACGT", "TGCA")
    sequences[170] = sequences[0]  # test copies of training rows: exact,
    sequences[171] = sequences[1].translate(complement)[::-1]  # reversed,
    sequences[172] = (
        sequences[2][:100] + "ACGT".replace(sequences[2][100], "")[0] + sequences[2][101:]
    )  # with a substitution,
    sequences[173] = sequences[3][60:] + sequences[50][:60]  # shifted,
    sequences[174] = sequences[145]  # and of a validation row
    target[[170, 171]] = 1 - target[[0, 1]]
    rows = pd.DataFrame({"example": [f"e{i}" for i in range(200)], "split": split})
    return rows, sequences, target


def test_planted_leaks_are_named(planted):
    rows, sequences, target = planted
    found = audit(rows, pack(sequences), target, ["a", "b"])
    checks = found.checks.set_index("check")
    assert checks.loc["exact: test", "rows"] == 3 and checks.loc["near: test", "rows"] == 5
    assert checks.loc["near: test", "verdict"] == "FAIL" and checks.loc["exact: validation", "verdict"] == "PASS"
    passed = checks[checks["verdict"] == "PASS"]
    assert (passed["rows"] <= passed["threshold"]).all()  # what passes is no more than is said to pass
    assert checks.loc["label conflicts", "rows"] == 6 and found.facts["label_conflicts"]["least_errors"] == 3
    shown = found.examples[found.examples["check"] == "near"]
    assert {("e0", "e170"), ("e1", "e171"), ("e145", "e174")} <= set(zip(shown["first"], shown["second"]))
    assert set(shown.loc[shown["second"] == "e171", "strand"]) == {"-"}


def test_nothing_planted_nothing_found(planted):
    rows, sequences, target = planted
    rows, sequences, target = rows.iloc[:140].assign(split="train"), sequences[:140], target[:140]
    checks = audit(rows, pack(sequences), target, ["a", "b"]).checks
    copies = checks[~checks["check"].str.endswith(" alone")]
    assert (copies["verdict"] == "PASS").all()
    texts = copies.set_index("check")["text"]
    assert texts["label conflicts"] == "no sequence has two labels"
    assert texts["largest group of near copies"] == "no two rows are near copies"


def test_a_property_that_tells_the_label_is_warned_about(planted):
    rows, sequences, target = planted
    sequences = [sequence[: 150 if label else 200] for sequence, label in zip(sequences, target)]
    found = audit(rows, pack(sequences), target, ["a", "b"])
    properties = found.properties.set_index("property")
    assert properties.loc["length", "value"] == 1 and properties.loc["length", "telling"]
    assert not properties.loc["gc", "telling"]
    assert found.checks.set_index("check").loc["n_share alone", "text"].startswith("the share of N alone reaches")
    assert "length alone reaches accuracy 1.000" in found.checks.set_index("check").loc["length alone", "text"]


def test_overlaps_are_those_of_a_plain_loop():
    generator = np.random.default_rng(0)
    start = generator.integers(0, 3000, 150)
    rows = pd.DataFrame({"chrom": generator.choice(["1", "2"], 150), "start": start})
    rows["end"] = start + generator.integers(1, 80, 150)
    triples = list(zip(rows["chrom"], rows["start"], rows["end"]))

    def bases(a, b, margin):
        return min(a[2], b[2]) - max(a[1], b[1]) + margin if a[0] == b[0] else 0

    for margin in (0, 25):
        first, second, count = overlapping_pairs(rows, margin)
        wanted = {
            (i, j) for i in range(150) for j in range(i + 1, 150) if bases(triples[i], triples[j], margin) > 0
        }  # fmt: skip
        assert {tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist())} == wanted
        assert count == len(wanted)
        own, others = rows.iloc[:50].reset_index(drop=True), rows.iloc[50:].reset_index(drop=True)
        for i, best in enumerate(best_overlaps(own, others, margin)):
            shared = [bases(triples[i], other, margin) for other in triples[50:]]
            assert (best == -1 and max(shared) <= 0) or shared[best] == max(shared) > 0
