"""Scores of classes and numbers against scikit-learn and scipy, and bootstraps over groups."""

import itertools

import numpy as np
import pytest
from glmflow.statistics import classification, group_draws, regression
from scipy import stats
from sklearn import metrics


def problem(classes, rows=300, seed=0):
    """Labels, probabilities with ties, and whole-number weights with zeros."""
    generator = np.random.default_rng(seed)
    observed = generator.integers(0, classes, rows)
    logits = generator.normal(size=(rows, classes)) + 1.2 * np.eye(classes)[observed]
    predicted = np.exp(logits)
    predicted = np.round(predicted / predicted.sum(axis=1, keepdims=True), 2)
    predicted[:, 0] += 1 - predicted.sum(axis=1)
    return observed, predicted, generator.integers(0, 4, (5, rows)).astype(float)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_class_scores_equal_scikit_learn(classes):
    observed, predicted, weights = problem(classes)
    found = classification.class_scores(observed, predicted, weights)
    chosen = predicted.argmax(axis=1)
    for draw, w in enumerate(weights):
        keys = {"sample_weight": w}
        expected = {
            "accuracy": metrics.accuracy_score(observed, chosen, **keys),
            "balanced_accuracy": metrics.balanced_accuracy_score(observed, chosen, **keys),
            "mcc": metrics.matthews_corrcoef(observed, chosen, **keys),
            "f1_macro": metrics.f1_score(observed, chosen, average="macro", **keys),
            "log_loss": metrics.log_loss(observed, np.clip(predicted, 1e-15, 1), labels=range(classes), **keys),
            "brier": (w * ((predicted - np.eye(classes)[observed]) ** 2).sum(axis=1)).sum() / w.sum(),
        }
        if classes == 2:
            expected["auroc"] = metrics.roc_auc_score(observed, predicted[:, 1], **keys)
            expected["auprc"] = metrics.average_precision_score(observed, predicted[:, 1], **keys)
            expected["f1"] = metrics.f1_score(observed, chosen, **keys)
        else:
            each = [metrics.roc_auc_score(observed == c, predicted[:, c], **keys) for c in range(classes)]
            expected["auroc"] = np.mean(each)
        for name, value in expected.items():
            assert found[name][draw] == pytest.approx(value, abs=1e-9), name


def test_weights_are_repeated_rows():
    observed, predicted, weights = problem(3)
    repeated = np.repeat(np.arange(len(observed)), weights[0].astype(int))
    one = classification.class_scores(observed, predicted, weights[:1])
    other = classification.class_scores(observed[repeated], predicted[repeated])
    for name in one:
        assert one[name][0] == pytest.approx(other[name][0], abs=1e-12), name


def test_scores_do_not_depend_on_the_order_of_rows_or_names_of_classes():
    observed = problem(3)[0]
    predicted = np.random.default_rng(5).dirichlet([1, 1, 1], len(observed))
    order = np.random.default_rng(1).permutation(len(observed))
    renamed = np.array([2, 0, 1])
    one = classification.class_scores(observed, predicted)
    other = classification.class_scores(renamed[observed][order], predicted[:, np.argsort(renamed)][order])
    for name in one:
        assert one[name][0] == pytest.approx(other[name][0], abs=1e-12), name


def test_auroc_of_the_opposite_is_its_complement_and_one_class_has_none():
    observed, predicted, _ = problem(2)
    score = predicted[:, 1]
    assert classification.auroc(observed, 1 - score)[0] == pytest.approx(1 - classification.auroc(observed, score)[0])
    assert np.isnan(classification.auroc(np.ones(5), score[:5])[0])
    assert classification.auroc(observed, np.zeros(len(observed)))[0] == 0.5


def test_a_constant_class_has_no_correlation():
    observed = np.array([0, 1, 1, 0])
    scores = classification.class_scores(observed, np.tile([0.9, 0.1], (4, 1)))
    assert scores["mcc"][0] == 0
    assert scores["accuracy"][0] == 0.5


def test_calibration_error_of_the_definition():
    # 15 bins: .55 lies in (.5333, .6], .95 in (.9333, 1].
    confidence, correct = np.array([0.55, 0.55, 0.95, 0.95]), np.array([1, 0, 1, 1])
    assert classification.calibration_error(confidence, correct)[0] == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)


def test_labels_without_both_values_are_left_out_and_counted():
    observed = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    predicted = np.array([[0.9, 0.2, 0.5], [0.1, 0.6, 0.5], [0.8, 0.9, 0.5], [0.4, 0.1, 0.5]])
    found = classification.label_scores(observed, predicted)
    assert found["labels"][0] == 2
    expected = np.mean([metrics.roc_auc_score(observed[:, i], predicted[:, i]) for i in (0, 1)])
    assert found["auroc"][0] == pytest.approx(expected)


def test_value_scores_equal_scipy_of_the_repeated_rows():
    generator = np.random.default_rng(0)
    observed = np.round(generator.normal(size=200), 1)  # ties
    predicted = np.round(observed + generator.normal(size=200), 1)
    weights = generator.integers(0, 4, (4, 200)).astype(float)
    found = regression.value_scores(observed, predicted, weights)
    for draw, w in enumerate(weights):
        rows = np.repeat(np.arange(200), w.astype(int))
        y, p = observed[rows], predicted[rows]
        assert found["pearson"][draw] == pytest.approx(stats.pearsonr(y, p)[0])
        assert found["spearman"][draw] == pytest.approx(stats.spearmanr(y, p)[0])
        assert found["r2"][draw] == pytest.approx(metrics.r2_score(y, p))
        assert found["mse"][draw] == pytest.approx(metrics.mean_squared_error(y, p))
        assert found["mae"][draw] == pytest.approx(metrics.mean_absolute_error(y, p))


def test_a_constant_prediction_has_correlation_zero():
    found = regression.value_scores(np.arange(5.0), np.full(5, 2.0))
    assert found["pearson"][0] == found["spearman"][0] == found["r2"][0] == 0
    assert regression.constant(np.full(5, 2.0))


def test_groups_are_drawn_whole():
    groups = np.array(["a", "b", "a", "c", "b"])
    weights = group_draws.group_weights(groups, 200, seed=3)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert (weights == group_draws.group_weights(groups, 200, seed=3)).all()


def test_blocks_of_draws_are_the_draws():
    groups = np.arange(50)
    blocks = list(group_draws.weight_blocks(groups, 10, 1, size=150))
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
    assert all((block.sum(axis=1) == 50).all() for block in blocks)


def test_interval_of_a_mean_is_that_of_the_normal_theory():
    generator = np.random.default_rng(0)
    observed = (generator.random(2000) < 0.7).astype(int)
    certain = np.tile([0.0, 1.0], (2000, 1))
    found = group_draws.bootstrap(classification.class_scores, observed, certain, np.arange(2000), 1000)["accuracy"]
    error = 1.96 * np.sqrt(0.7 * 0.3 / 2000)
    assert found.value == observed.mean()
    assert found.high - found.low == pytest.approx(2 * error, rel=0.1)
    pairs = group_draws.bootstrap(
        classification.class_scores, np.repeat(observed[:1000], 2), certain, np.repeat(np.arange(1000), 2), 1000
    )["accuracy"]
    assert pairs.high - pairs.low == pytest.approx(2 * error * np.sqrt(2), rel=0.1)


def test_value_of_several_seeds_is_the_mean_of_their_scores():
    observed, predicted, _ = problem(2)
    other = predicted[np.random.default_rng(1).permutation(len(predicted))]
    both = group_draws.bootstrap(classification.class_scores, observed, [predicted, other], np.arange(300), 50)
    each = [classification.class_scores(observed, p)["mcc"][0] for p in (predicted, other)]
    assert both["mcc"].value == pytest.approx(np.mean(each))


@pytest.mark.parametrize(("positives", "count"), [(1, 4), (2, 5), (3, 7), (6, 7)])
def test_a_random_order_has_the_average_precision_that_all_orders_have_on_average(positives, count):
    """Oracle: the mean over every order."""
    orders = np.array([np.isin(range(count), own) for own in itertools.combinations(range(count), positives)])
    score = -np.arange(count, dtype=float)
    mean = np.mean([classification.average_precision(order, score)[0] for order in orders])
    assert classification.chance_precision(positives, count) == pytest.approx(mean)
    assert mean > positives / count
