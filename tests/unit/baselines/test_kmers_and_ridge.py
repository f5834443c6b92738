import numpy as np
import pytest
from glmflow.baselines.kmers import kmer_counts, kmer_index
from glmflow.baselines.ridge import Ridge
from sklearn.linear_model import Ridge as SklearnRidge

BASES = "ACGT"


def codes(text):
    return np.frombuffer(text.encode(), dtype=np.uint8)


def test_kmers_are_counted_where_they_start_and_unknown_bases_are_left_out():
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ACGTN"), 100, p=[0.24, 0.24, 0.24, 0.24, 0.04]))
    counts = kmer_counts(codes(text), 3, 30)
    expected = np.zeros((4, 64))
    for start in range(98):
        word = text[start : start + 3]
        if "N" not in word:
            expected[start // 30, sum(BASES.index(base) * 4 ** (2 - i) for i, base in enumerate(word))] += 1
    assert np.array_equal(counts, expected)


def test_a_sequence_shorter_than_k_has_no_kmer():
    assert np.array_equal(kmer_index(codes("AC"), 3), [-1, -1])


def test_ridge_in_batches_equals_sklearn():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300, 5)), rng.normal(size=(300, 2)) + 3
    ridge = Ridge(5, 2, alpha=0.1)
    for part in np.array_split(np.arange(300), 4):
        ridge.add(x[part], y[part])
    weights, intercept = ridge.solve()
    oracle = SklearnRidge(alpha=0.1 * 300).fit(x, y)
    assert pytest.approx(oracle.coef_, abs=1e-10) == weights.T
    assert intercept == pytest.approx(oracle.intercept_, abs=1e-10)
