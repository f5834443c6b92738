"""Scores of classes against scikit-learn, split by split."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.metrics import declared
from glmflow.tasks.sequences import score
from sklearn.metrics import accuracy_score, matthews_corrcoef

CLASSES = ["a", "b", "c"]
SETTINGS = {
    **{"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1},
    "task": {"kind": "sequences", "table": "x.csv", "bootstrap": 20, "length": 50},
}


@pytest.fixture
def files(tmp_path):
    write_table(pd.DataFrame({"class": CLASSES}), tmp_path / "classes.tsv")
    return {"tables": tmp_path}


def run(n=90, seed=0):
    """Examples of three splits, and probabilities of float32 that lean to the truth."""
    rng = np.random.default_rng(seed)
    names = [f"row{number}" for number in range(n)]
    splits = np.array(["train", "validation", "test"])[np.arange(n) % 3]
    examples = pd.DataFrame({"example": names, "split": splits, "target": rng.choice(CLASSES, n)})
    logits = rng.normal(size=(n, 3)) + 1.5 * (examples["target"].to_numpy()[:, None] == np.array(CLASSES))
    shares = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    predictions = pd.DataFrame(shares, columns=[f"prediction_{name}" for name in CLASSES]).assign(example=names)
    return examples, predictions[examples["split"] != "train"]


@pytest.mark.filterwarnings("error")
def test_every_declared_metric_of_every_held_out_split_and_two_of_them_by_scikit_learn(files, tmp_path):
    examples, predictions = run()
    metrics = score(SETTINGS, examples, predictions, tmp_path, files).metrics
    assert set(zip(metrics["split"], metrics["metric"])) == {
        (split, name)
        for split in ("validation", "test")
        for name in declared("class_label")
        if name != "f1"  # of two classes
    }
    rows = examples.merge(predictions, on="example").query("split == 'test'")
    guess = rows[[f"prediction_{name}" for name in CLASSES]].to_numpy().argmax(1)
    guess = [CLASSES[number] for number in guess]
    found = metrics[metrics["split"] == "test"].set_index("metric")
    assert found.loc["accuracy", "value"] == pytest.approx(accuracy_score(rows["target"], guess))
    assert found.loc["mcc", "value"] == pytest.approx(matthews_corrcoef(rows["target"], guess))
    assert (found["n"] == 30).all()
    bounded = found.loc[["accuracy", "mcc", "f1_macro"]]
    assert ((bounded["ci_low"] < bounded["value"]) & (bounded["value"] < bounded["ci_high"])).all()


def test_what_is_held_out_must_be_predicted(files, tmp_path):
    examples, predictions = run()
    with pytest.raises(InputError, match="1 held-out examples have no prediction, such as row1"):
        score(SETTINGS, examples, predictions.iloc[1:], tmp_path, files)
    predictions.loc[predictions.index[0], "prediction_a"] = np.nan
    with pytest.raises(InputError, match="1 held-out examples have no prediction, such as row1"):
        score(SETTINGS, examples, predictions, tmp_path, files)


@pytest.fixture
def pairs():
    """Forty pairs of a control and an element that is more probable in 3 of 4 pairs, whichever class both are taken for."""
    rng = np.random.default_rng(3)
    group = np.repeat([f"pair{n}" for n in range(40)], 2)
    control = rng.normal(0, 5, 40)
    odds = np.column_stack([control, control + np.where(np.arange(40) % 4, 0.5, -0.5)]).ravel()
    examples = pd.DataFrame({"example": [f"row{n}" for n in range(80)], "split": "test", "group": group})
    examples["target"] = ["control", "element"] * 40
    share = 1 / (1 + np.exp(-odds))
    predictions = pd.DataFrame(
        {"example": examples["example"], "prediction_control": 1 - share, "prediction_element": share}
    )
    return examples.sample(frac=1, random_state=0).reset_index(drop=True), predictions


@pytest.mark.filterwarnings("error")
def test_pairs_of_an_element_and_its_control_are_scored_as_pairs(pairs, tmp_path):
    examples, predictions = pairs
    pd.DataFrame({"class": ["control", "element"]}).to_csv(tmp_path / "classes.tsv", sep="\t", index=False)
    found = score(SETTINGS, examples, predictions, tmp_path, {"tables": str(tmp_path)}).metrics.set_index("metric")
    paired = found.loc["paired_accuracy"]
    assert paired["value"] == pytest.approx(0.75) and paired["n"] == 40
    assert 0.6 < paired["ci_low"] < 0.75 < paired["ci_high"] < 0.9  # 40 draws: 0.75 +- 0.13
    assert found.loc["accuracy", "value"] < 0.6
    lonely = examples.assign(group=np.where(examples["example"] == "row0", "alone", examples["group"]))
    rest = score(SETTINGS, lonely, predictions, tmp_path, {"tables": str(tmp_path)}).metrics
    assert "paired_accuracy" not in set(rest["metric"])  # groups that are no pairs


def test_in_a_part_of_the_rows_whole_pairs_alone_are_scored(pairs, tmp_path):
    examples, predictions = pairs
    pd.DataFrame({"class": ["control", "element"]}).to_csv(tmp_path / "classes.tsv", sep="\t", index=False)
    number = examples["group"].str.removeprefix("pair").astype(int)
    part = (number < 20) & ~((number == 0) & (examples["target"] == "control"))
    examples["subset"] = np.where(part, "half", "")
    metrics = score(SETTINGS, examples, predictions, tmp_path, {"tables": str(tmp_path)}).metrics
    half = metrics[(metrics["subset"] == "half") & (metrics["metric"] == "paired_accuracy")].iloc[0]
    assert half["n"] == 19 and half["value"] == pytest.approx(15 / 19)
