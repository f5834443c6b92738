"""Metrics of classes against scikit-learn, worked examples and properties."""

import subprocess
import sys

import numpy as np
import pytest
from glmflow.metrics import DIRECTIONS, all_metrics, bounds, declared
from sklearn import metrics as sklearn_metrics

NAMES = {"accuracy", "balanced_accuracy", "mcc", "f1", "f1_macro", "auroc", "auprc", "brier", "ece", "cross_entropy"}


def draw(classes, n=200, seed=0):
    """Random classes and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[truth]
    scores = np.exp(logits)
    return truth, scores / scores.sum(axis=1, keepdims=True)


def value(name, truth, scores):
    return all_metrics()[name].value(np.asarray(truth), np.asarray(scores, float))


def test_every_module_declares_what_the_report_needs():
    assert set(declared("class_label")) == NAMES and list(all_metrics()) == sorted(all_metrics())
    for module in all_metrics().values():
        assert module.DIRECTION in DIRECTIONS and module.LABEL and module.EXPLANATION.endswith(".") and module.TARGETS
        assert len(module.BOUNDS) == 2
    assert declared("no such target") == {}


@pytest.mark.parametrize("classes", [2, 4])
def test_values_lie_within_the_declared_bounds(classes):
    truth, scores = draw(classes)
    for name, module in declared("class_label").items():
        if getattr(module, "CLASSES", classes) != classes:
            assert np.isnan(value(name, truth, scores))
            continue
        low, high = module.BOUNDS
        for said in (scores, np.eye(classes)[truth], np.eye(classes)[(truth + 1) % classes]):
            number = value(name, truth, said.clip(1e-12))
            assert number >= low and (high is None or number <= high), name
    assert bounds("auroc") == (0, 1) and bounds("mcc") == (-1, 1) and bounds("mse") is bounds("no such metric") is None


@pytest.mark.parametrize("classes", [2, 4])
def test_values_are_those_of_scikit_learn(classes):
    truth, scores = draw(classes)
    called = scores.argmax(axis=1)
    one = scores[:, 1] if classes == 2 else scores
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(truth, called),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, called),
        "mcc": sklearn_metrics.matthews_corrcoef(truth, called),
        "f1_macro": sklearn_metrics.f1_score(truth, called, average="macro"),
        "auroc": sklearn_metrics.roc_auc_score(truth, one, multi_class="ovr"),
        "auprc": sklearn_metrics.average_precision_score(truth, one),
        "cross_entropy": sklearn_metrics.log_loss(truth, scores),
    }
    if classes == 2:
        expected["f1"] = sklearn_metrics.f1_score(truth, called)
    for name, number in expected.items():
        assert value(name, truth, scores) == pytest.approx(number), name


def test_brier_is_the_squared_error_of_probabilities():
    truth, scores = draw(2)
    assert value("brier", truth, scores) == pytest.approx(sklearn_metrics.brier_score_loss(truth, scores[:, 1]))
    # Three classes: (0.5-1)² + 0.3² + 0.2² = 0.38 and 0.1² + 0.1² + (0.8-1)² = 0.06.
    assert value("brier", [0, 2], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]) == pytest.approx(0.22)


def test_ece_compares_confidence_with_what_is_right():
    # Confidence 0.8: one of two is right, 0.3 off. Confidence 0.6: both are right, 0.4 off. Mean by size: 0.35.
    scores = [[0.8, 0.2], [0.2, 0.8], [0.6, 0.4], [0.4, 0.6]]
    assert value("ece", [0, 0, 0, 1], scores) == pytest.approx(0.35)
    assert value("ece", [0, 1], [[1, 0], [0, 1]]) == 0
    # Values of one bin are put together before the absolute value is taken: (0.81 + 0.85) / 2 is 0.33 off 0.5.
    assert value("ece", [0, 1], [[0.81, 0.19], [0.85, 0.15]]) == pytest.approx(0.33)


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("classes", [2, 3])
def test_order_of_rows_and_names_of_classes_do_not_matter(name, classes):
    truth, scores = draw(classes)
    order = np.random.default_rng(1).permutation(len(truth))
    assert value(name, truth[order], scores[order]) == pytest.approx(value(name, truth, scores), nan_ok=True)
    # Of two classes these are of the second.
    if (classes == 3 and name != "f1") or name not in ("f1", "auroc", "auprc"):
        renamed = (truth + 1) % classes
        assert value(name, renamed, np.roll(scores, 1, axis=1)) == pytest.approx(value(name, truth, scores))


def test_auroc_of_the_opposite_is_its_complement():
    truth, scores = draw(2)
    assert value("auroc", truth, 1 - scores) == pytest.approx(1 - value("auroc", truth, scores))


def test_what_is_not_defined_is_not_a_number_and_a_missing_class_is_left_out():
    truth, scores = np.zeros(5, int), draw(2, 5)[1]
    assert np.isnan(value("auroc", truth, scores)) and np.isnan(value("auprc", truth, scores))
    assert value("mcc", truth, np.tile([0.9, 0.1], (5, 1))) == 0
    truth, scores = draw(3)
    two = truth < 2
    halves = [sklearn_metrics.roc_auc_score(truth[two] == one, scores[two, one]) for one in (0, 1)]
    assert value("auroc", truth[two], scores[two]) == pytest.approx(np.mean(halves))
    recalls = [(scores[two].argmax(axis=1) == truth[two])[truth[two] == one].mean() for one in (0, 1)]
    assert value("balanced_accuracy", truth[two], scores[two]) == pytest.approx(np.mean(recalls))


def test_declarations_are_read_without_scikit_learn():
    code = (
        "import sys; from glmflow.metrics import declared; declared('class_label'); sys.exit('sklearn' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_one_of_the_second_class_has_to_score_higher_than_its_partner():
    scores = [[0.1, 0.9], [0.5, 0.5], [0.8, 0.7], [0.3, 0.2]]
    assert value("paired_accuracy", [1, 1, 1, 0], scores) == 0.5  # the first and the last pair; a tie is wrong
    assert np.isnan(value("paired_accuracy", [], np.zeros((0, 2))))
