"""Ridge regressions of several penalties against scikit-learn, and sparse k-mer tables against full ones."""

import numpy as np
import pytest
from glmflow.genome.packed import pack
from glmflow.labelled.composition import kmer_features, kmer_table
from glmflow.labelled.simple_predictors import logistic, ridges
from scipy.sparse import csr_array, issparse
from sklearn.linear_model import LogisticRegression, Ridge


@pytest.mark.parametrize("rows", [200, 20])
@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_ridges_are_those_of_scikit_learn(rows, make):
    generator = np.random.default_rng(0)
    x = (generator.random((rows, 40)) * (generator.random((rows, 40)) < 0.2)).astype(np.float32)
    x[:, 3] = 0
    y = x[:, 0] * 3 + generator.normal(size=rows) + 7
    largest = np.where(x.max(axis=0) > 0, x.max(axis=0), 1)
    for alpha, fit in zip((0.5, 100.0), ridges(make(x), y, (0.5, 100.0))):
        wanted = Ridge(alpha).fit((x / largest).astype(np.float64), y).predict((x / largest).astype(np.float64))
        assert fit(make(x)) == pytest.approx(wanted, abs=1e-4)


def test_sparse_tables_of_kmers_are_the_full_ones():
    generator = np.random.default_rng(0)
    packed = pack(["".join(generator.choice(list("ACGTN"), 60)) for _ in range(30)] + ["ACG"])
    for both in (False, True):
        assert issparse(kmer_features(packed, 6, both)) and not issparse(kmer_features(packed, 2, both))
        assert (kmer_features(packed, 6, both).toarray() == kmer_table(packed, 6, both)).all()


def test_a_logistic_regression_on_a_sparse_table_is_that_on_the_full_one():
    generator = np.random.default_rng(1)
    x = generator.poisson(0.3, (300, 12)).astype(np.float32)
    y = (x[:, 0] + generator.normal(size=300) > 0.5).astype(int)
    wanted = LogisticRegression(C=1.0, max_iter=1000).fit(x / x.max(axis=0), y).predict_proba(x / x.max(axis=0))
    for make in (np.asarray, csr_array):
        assert logistic(make(x), y, 2)(make(x)) == pytest.approx(wanted, abs=2e-3)
    assert logistic(csr_array(x), np.zeros(300, int), 2)(csr_array(x)).tolist() == [[1, 0]] * 300
