"""Linear predictors of expression against scikit-learn and against the likelihood written out."""

import numpy as np
import pytest
from glmflow.baselines.dosage_models import PENALTIES, SMALLEST, blup, elastic_net, top_variant
from glmflow.baselines.haplotype_models import KmerRidge, nearest_haplotype
from glmflow.baselines.kmers import kmer_counts
from scipy.stats import multivariate_normal, pearsonr
from sklearn.linear_model import ElasticNetCV, LinearRegression, Ridge
from sklearn.model_selection import PredefinedSplit


def gene(seed, people=120, variants=30, effects=3, noise=1.0):
    """Dosages in linkage disequilibrium (neighbours share most carriers), one variant nobody differs in, expression."""
    rng = np.random.default_rng(seed)
    founders = rng.random((12, variants)) < rng.uniform(0.05, 0.5, variants)
    dosages = founders[rng.integers(0, 12, (people, 2))].sum(axis=1).astype(float)
    dosages[:, 4] = 2
    beta = np.zeros(variants)
    beta[rng.choice(variants, effects, replace=False)] = rng.normal(size=effects)
    return dosages, dosages @ beta + noise * rng.normal(size=people) + 3, rng.integers(0, 5, people)


def standardised(dosages):
    sd = dosages.std(axis=0)
    return (dosages - dosages.mean(axis=0)) / np.where(sd > 0, sd, 1)


@pytest.mark.parametrize(("seed", "variants", "l1_ratio"), [(1, 30, 0.5), (2, 30, 1.0), (3, 300, 0.5)])
def test_elastic_net_is_scikit_learns(seed, variants, l1_ratio):
    dosages, target, folds = gene(seed, variants=variants)
    oracle = ElasticNetCV(l1_ratio=l1_ratio, eps=SMALLEST, alphas=PENALTIES, cv=PredefinedSplit(folds), tol=1e-6)
    x = standardised(dosages)
    oracle.fit(x, target)
    fit = elastic_net(dosages, target, l1_ratio, folds)
    assert np.abs(fit.weights).max() > 0
    np.testing.assert_allclose(fit.predict(dosages), oracle.predict(x), atol=5e-3 * target.std())
    assert set(np.flatnonzero(np.abs(oracle.coef_) > 0.05)) <= set(np.flatnonzero(fit.weights))


def test_an_elastic_net_without_signal_may_predict_the_mean():
    dosages, _, folds = gene(5)
    target = np.random.default_rng(8).normal(size=len(dosages))
    fit = elastic_net(dosages, np.full(len(target), 2.5), 0.5, folds)
    assert not fit.weights.any() and fit.intercept == 2.5
    fit = elastic_net(np.zeros((len(target), 0)), target, 0.5, folds)
    assert fit.predict(np.zeros((3, 0))) == pytest.approx(np.full(3, target.mean()))


def test_the_top_variant_is_the_most_correlated_one():
    dosages, target, _ = gene(6)
    varies = np.ptp(dosages, axis=0) > 0
    r = [abs(pearsonr(x, target)[0]) if v else 0 for x, v in zip(dosages.T, varies)]
    best = int(np.argmax(r))
    fit = top_variant(dosages, target)
    assert np.flatnonzero(fit.weights).tolist() == [best]
    oracle = LinearRegression().fit(dosages[:, [best]], target)
    np.testing.assert_allclose(fit.predict(dosages), oracle.predict(dosages[:, [best]]))


@pytest.mark.parametrize(("seed", "people", "variants"), [(1, 40, 12), (2, 25, 60)])
def test_blup_is_the_ridge_of_the_most_likely_heritability(seed, people, variants):
    dosages, target, _ = gene(seed, people=people, variants=variants, noise=2.0)
    fit, heritability = blup(dosages, target)
    x = standardised(dosages)
    # Contrasts free of the mean, so that their plain likelihood is the restricted one.
    contrasts = np.linalg.svd(np.eye(people) - 1 / people)[0][:, : people - 1]
    kinship = contrasts.T @ x @ x.T @ contrasts
    unit = np.trace(kinship) / people
    y = contrasts.T @ target

    def likelihood(share):
        covariance = share / unit * kinship + (1 - share) * np.eye(people - 1)
        scale = y @ np.linalg.solve(covariance, y) / len(y)
        return multivariate_normal.logpdf(y, cov=scale * covariance, allow_singular=True)

    assert 0.001 < heritability < 0.999
    best = likelihood(heritability)
    assert all(best >= likelihood(share) - 1e-6 for share in np.linspace(0.01, 0.99, 50))
    ridge = Ridge(alpha=unit * (1 - heritability) / heritability).fit(x, target)
    np.testing.assert_allclose(fit.predict(dosages), ridge.predict(x), rtol=1e-6)


def test_the_nearest_haplotype_is_looked_up():
    carried = np.array(
        [[[0, 0, 0], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 1, 1]]], np.uint8
    )
    target = np.array([4.0, 1.0, np.nan, np.nan])
    predicted = nearest_haplotype(carried, target, np.array([True, True, False, False]))
    # 000 is carried once by the first and twice by the second sample; 111 by the first alone.
    of_000, of_111 = (4 + 1 + 1) / 3, 4.0
    assert predicted == pytest.approx([(of_000 + of_111) / 2, of_000, (of_111 + of_000) / 2, (of_000 + of_111) / 2])


def test_kmer_ridge_is_ridge_on_mean_counts_of_both_haplotypes():
    rng = np.random.default_rng(1)
    rows, targets, model = [], [], KmerRidge(2, 0.3)
    for _ in range(3):
        sequences = rng.choice(np.frombuffer(b"ACGT", np.uint8), (4, 50))
        of_person = rng.integers(0, 4, (20, 2))
        target = rng.normal(size=20)
        counts = np.vstack([kmer_counts(sequence, 2, 50) for sequence in sequences])
        rows.append(counts[of_person].astype(float).mean(axis=1))
        targets.append(target)
        model.add(sequences, of_person, target)
    model.solve()
    x, y = np.vstack(rows), np.concatenate(targets)
    oracle = Ridge(alpha=0.3 * len(y)).fit(x, y)
    np.testing.assert_allclose(model.predict(sequences, of_person), oracle.predict(rows[-1]), rtol=1e-8)
