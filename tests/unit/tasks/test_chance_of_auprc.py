"""What chance gives beside an AUPRC is what random orders have on average, which of few rows is more than the share of positives."""

from itertools import combinations

import numpy as np
import pytest
from glmflow.tasks.base_labels import base_label_scoring
from glmflow.tasks.class_scores import table_of_classes
from glmflow.tasks.column_scores import label_table
from sklearn.metrics import average_precision_score

ROWS = 8
CLASSES = np.array([0, 0, 1, 1, 1, 1, 1, 1])


def mean_of_all_orders(positives):
    """Oracle: average precision over every order of rows, by scikit-learn."""
    orders = [np.isin(range(ROWS), own) for own in combinations(range(ROWS), positives)]
    return np.mean([average_precision_score(order, -np.arange(ROWS)) for order in orders])


def of_sequences():
    table = table_of_classes([("test", CLASSES, np.eye(2)[CLASSES])], ["a", "b"])
    return table.set_index("class")["chance_auprc"]


def of_labels():
    table = label_table("test", np.eye(2)[CLASSES], np.eye(2)[CLASSES], ["a", "b"])
    return table.set_index("class")["chance_auprc"]


def of_bases():
    table = base_label_scoring.table_of_classes([("test", np.diag([2, 6]), {"a": {}, "b": {}})], ["a", "b"])
    return table.set_index("class")["chance_auprc"]


@pytest.mark.parametrize("chance", [of_sequences, of_labels, of_bases])
def test_chance_is_the_mean_of_all_orders(chance):
    found = chance()
    assert found["a"] == pytest.approx(mean_of_all_orders(2)) and found["a"] > 2 / 8 + 0.1
    assert found["b"] == pytest.approx(mean_of_all_orders(6))
