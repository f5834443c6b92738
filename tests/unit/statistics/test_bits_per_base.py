"""Bits a base of tokens of any length."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.statistics.bits_per_base import bits_per_base


def test_sum_of_nats_over_sum_of_bases():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("bits_per_base_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for path in files:
        wanted = json.loads(path.read_text())
        found = bits_per_base(wanted["nll_nats"], wanted["token_lengths"], wanted["scored"])
        assert found == pytest.approx(wanted["bits_per_base"], abs=1e-12)
        assert found != pytest.approx(wanted["wrong_mean_of_ratios"], abs=1e-3)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_uniform_model_costs_two_bits_whatever_the_k_mer(k):
    assert bits_per_base(np.full(50, np.log(4**k)), np.full(50, k)) == pytest.approx(2.0)


def test_a_uniform_model_of_tokens_of_several_lengths_does_not_cost_two_bits():
    lengths = np.array([1, 2, 3, 6] * 10)
    assert bits_per_base(np.full(40, np.log(8)), lengths) == pytest.approx(3 * 40 / lengths.sum())


def test_nothing_scored_is_said():
    with pytest.raises(InputError, match="no base is scored"):
        bits_per_base([1.0], [1], [False])
