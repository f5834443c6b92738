"""A ridge regression whose rows come in parts: scikit-learn's on all of them as the oracle."""

import numpy as np
import pytest
from glmflow.baselines.binding_frame import ridge_of_parts
from sklearn.linear_model import Ridge


def test_a_ridge_of_parts_is_that_of_all_rows():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 7)) * [1, 1, 5, 0.1, 1, 1, 0] + 3).astype(np.float32)  # one column is constant
    y = x[:, :3] @ [0.5, -1, 0.2] + rng.normal(size=300) + 2
    oracle = Ridge(30.0).fit(x.astype(np.float64), y)
    weights, intercept = ridge_of_parts([(x[:40], y[:40]), (x[40:41], y[40:41]), (x[41:], y[41:])], 30.0)
    assert weights == pytest.approx(oracle.coef_, abs=1e-8) and intercept == pytest.approx(oracle.intercept_, abs=1e-8)
