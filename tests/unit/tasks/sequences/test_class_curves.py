"""Curves of classes beside scikit-learn, and what a run under a published protocol reports."""

import numpy as np
import pytest
from glmflow.tasks.class_curves import BINS, GRID, curves_table
from glmflow.tasks.class_scores import official_rows
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve


@pytest.fixture
def scored():
    """Classes and probabilities, some of them equal."""
    generator = np.random.default_rng(0)
    truth = (generator.random(400) < 0.3).astype(int)
    right = np.clip(0.3 + 0.25 * truth + generator.normal(0, 0.2, 400), 0, 1).round(2)
    return truth, np.stack([1 - right, right], axis=1)


def of(table, curve):
    own = table[table["curve"] == curve]
    return own["x"].to_numpy(), own["y"].to_numpy()


def test_curves_of_two_classes_are_those_of_scikit_learn(scored):
    truth, scores = scored
    table = curves_table([("test", truth, scores, np.arange(400))], ["no", "yes"])
    assert set(table["class"]) == {"yes"} and set(table["split"]) == {"test"}
    x, y = of(table, "roc")
    false, recall, _ = roc_curve(truth, scores[:, 1], drop_intermediate=False)
    assert x == pytest.approx(GRID) and y == pytest.approx(np.interp(GRID, false, recall), abs=1e-4)
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(truth, scores[:, 1]), abs=0.01)
    x, y = of(table, "precision-recall")
    precision, recall, _ = precision_recall_curve(truth, scores[:, 1])
    first = [precision[np.flatnonzero(recall >= at - 1e-12)[-1]] for at in x]
    assert y == pytest.approx(first, abs=1e-4)
    x, y = of(table, "reliability")
    observed, said = calibration_curve(truth, scores[:, 1], n_bins=BINS)
    assert len(x) == len(said) and np.abs(x - said).max() < 0.02 and np.abs(y - observed).max() < 0.1
    assert table.loc[table["curve"] == "reliability", "n"].sum() == len(truth)


def test_intervals_of_curves_are_those_of_drawn_groups(scored):
    """Beside scikit-learn on rows that are repeated as often as their group was drawn; copies do not make a curve surer."""
    truth, scores = scored
    groups = np.arange(400) // 4
    found = curves_table([("test", truth, scores, groups)], ["no", "yes"], 150)
    drawn = []
    for seed in range(150):
        rows = np.concatenate([np.arange(4) + 4 * g for g in np.random.default_rng(seed).integers(0, 100, 100)])
        false, recall, _ = roc_curve(truth[rows], scores[rows, 1], drop_intermediate=False)
        drawn.append(np.interp(GRID, false, recall))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    own = found[found["curve"] == "roc"]
    middle = slice(3, 15)  # near both ends the limits are steps
    assert own["low"].to_numpy()[middle] == pytest.approx(low[middle], abs=0.05)
    assert own["high"].to_numpy()[middle] == pytest.approx(high[middle], abs=0.05)
    assert (found["low"] <= found["y"] + 1e-9).all() and (found["y"] <= found["high"] + 1e-9).all()
    again = np.repeat(np.arange(400), 4)
    copied = curves_table([("test", truth[again], scores[again], groups[again])], ["no", "yes"], 150)
    assert copied[copied["curve"] == "roc"]["low"].to_numpy() == pytest.approx(own["low"].to_numpy(), abs=1e-9)


def test_every_class_of_several_has_its_own_and_one_that_is_missing_has_none():
    generator = np.random.default_rng(0)
    truth, scores = generator.integers(0, 3, 90), generator.dirichlet(np.ones(4), 90)
    table = curves_table([("test", truth, scores, np.arange(90))], list("abcd"))
    assert set(table["class"]) == set("abc")


def test_a_protocol_reports_its_metric_or_that_of_the_set_over_all_labels():
    def row(metric, track="all", split="test", subset="all"):
        return {
            "metric": metric,
            "split": split,
            "subset": subset,
            "track": track,
            "value": 0.5,
            "ci_low": 0.4,
            "ci_high": 0.6,
        }

    labels = [row("auroc", "mean"), row("auroc", "DNase"), row("auroc", "mean", "validation"), row("auprc", "mean")]
    settings = {"adaptation": {"protocol": "aido_lora/gue"}, "task": {"preset": "bend/chromatin_accessibility"}}
    (found,) = official_rows(settings, labels)  # the protocol's MCC is none of labels
    assert (found["metric"], found["track"], found["protocol"], found["ci_low"]) == ("auroc", "mean", "official", None)
    (found,) = official_rows({**settings, "task": {}}, [row("mcc"), row("accuracy")])
    assert found["metric"] == "mcc"
    assert official_rows({"task": settings["task"]}, labels) == []
    assert official_rows({**settings, "task": {}}, [row("pearson")]) == []
