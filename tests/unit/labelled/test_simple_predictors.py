"""Regressions of k-mers against scikit-learn's in float64."""

import numpy as np
import pytest
from glmflow.labelled.simple_predictors import ridges
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge


@pytest.mark.parametrize("rows", [4000, 50], ids=["more rows than features", "fewer"])
def test_ridge_of_sequences_that_differ_in_few_bases(rows):
    """Almost every k-mer is in every sequence: what float32 loses in the products is all that tells them apart."""
    rng = np.random.default_rng(0)
    bases = np.tile(rng.integers(0, 4, 60), (rows, 1))
    bases[rng.random(bases.shape) < 0.05] = 2
    words = bases[:, :-2] + 4 * bases[:, 1:-1] + 16 * bases[:, 2:]
    counts = np.stack([(words == word).sum(axis=1) for word in range(64)], axis=1).astype(np.float32)
    target = bases[:, 10] + rng.normal(size=rows)
    divided = (counts / np.maximum(counts.max(axis=0), 1)).astype(np.float64)
    for alpha, predict in zip((1e-3, 1.0), ridges(csr_array(counts), target, (1e-3, 1.0))):
        expected = Ridge(alpha=alpha).fit(divided, target).predict(divided)
        np.testing.assert_allclose(predict(csr_array(counts)), expected, atol=1e-6)
