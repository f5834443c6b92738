"""What blocks of the genome and TFs add to scores of binding."""

import numpy as np
import pytest
from glmflow.statistics.classification import auroc, average_precision
from glmflow.statistics.influence import of_weights
from glmflow.tasks.seq2cellxtf.binding_units import KeyUnits


@pytest.fixture
def units():
    rng = np.random.default_rng(0)
    labels = rng.random((5, 120)) < 0.3
    labels[4] = False
    scores = labels + rng.normal(0, 1, labels.shape)
    tfs = np.array(["X", "X", "Y", "Z", "Z"])
    names = [str(place) for place in range(120)], list("abcde")
    return KeyUnits(labels, scores, np.repeat(np.arange(12), 10), tfs, names), labels, scores


def of_random_orders(keys, draws=400):
    """Oracle: the mean average precision of keys (labels of regions) whose regions are in a random order."""
    rng = np.random.default_rng(0)
    return np.mean([average_precision(key, rng.random(len(key)))[0] for key in keys for _ in range(draws)])


def test_the_mean_is_over_keys_of_both_classes(units):
    found, labels, scores = units
    mean = found.mean(np.arange(5))
    for name, of in (("auroc", auroc), ("auprc", average_precision)):
        expected = np.mean([of(labels[key], scores[key])[0] for key in range(4)])
        assert mean[name].score.value == pytest.approx(expected)
        assert mean[name].score.influence.shape == (12, 3)
        assert mean[name].score.influence.sum() == pytest.approx(0, abs=1e-12)
    assert mean["auprc"].chance == pytest.approx(of_random_orders(labels[:4]), rel=0.05) and mean["auroc"].chance == 0.5
    assert mean["auprc"].chance > labels[:4].mean()  # what one value for all regions scores


def test_of_one_key_the_blocks_add_what_leaving_them_out_takes_away(units):
    found, labels, scores = units
    blocks = np.repeat(np.arange(12), 10)
    alone = of_weights(lambda weights: auroc(labels[2], scores[2], weights), 120, blocks)
    assert found.mean(np.array([2]))["auroc"].score.influence == pytest.approx(alone.influence)


def test_labels_that_are_not_known_count_for_nothing(units):
    _, labels, scores = units
    known = np.random.default_rng(1).random(labels.shape) < 0.8
    blocks, tfs = np.repeat(np.arange(12), 10), np.array(["X", "X", "Y", "Z", "Z"])
    names = [str(place) for place in range(120)], list("abcde")
    found = KeyUnits(labels & known, scores, blocks, tfs, names, known).mean(np.arange(5))
    for name, of in (("auroc", auroc), ("auprc", average_precision)):
        expected = np.mean([of(labels[key, own], scores[key, own])[0] for key, own in enumerate(known[:4])])
        assert found[name].score.value == pytest.approx(expected)
    shown = [labels[key, own] for key, own in enumerate(known[:4])]
    assert found["auprc"].chance == pytest.approx(of_random_orders(shown), rel=0.05)


def test_runs_agree_on_their_units_and_a_constant_plays_no_part(units):
    found, labels, _ = units
    rest = np.repeat(np.arange(12), 10), np.array(["X", "X", "Y", "Z", "Z"]), found.examples
    other = KeyUnits(labels, np.zeros(labels.shape), *rest)
    one, constant = found.mean(np.arange(4))["auroc"], other.mean(np.arange(4))["auroc"]
    assert one.units == constant.units != found.mean(np.arange(3))["auroc"].units
    assert one.score.plays and not constant.score.plays and constant.score.value == 0.5
    assert found.mean(np.array([4])) == {}
