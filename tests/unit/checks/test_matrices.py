"""Copied columns and swapped labels, planted in matrices whose truth is known."""

import numpy as np
import pytest
from glmflow.checks.copied_columns import copied_columns
from glmflow.checks.matrices import swapped_labels
from glmflow.checks.matrix_values import combined_columns, missing_codes, one_distribution

NAMES = [f"s{number}" for number in range(120)]


def expression(rng, genes=200, samples=120):
    """Counts per million: genes of very different level, samples of different depth, a factor that all share."""
    level = rng.normal(3, 2, (genes, 1))
    factor = rng.normal(size=(1, samples)) * rng.normal(0.5, 0.3, (genes, 1))
    return np.exp(level + factor + 0.6 * rng.normal(size=(genes, samples))) * rng.uniform(0.5, 2, samples)


COPIES = {
    "as it is": lambda rng, x: x,
    "scaled": lambda rng, x: 17.3 * x,
    "rounded": lambda rng, x: np.round(x, 1),
    "with 5 % of noise": lambda rng, x: x * np.exp(0.05 * rng.normal(size=len(x))),
    "with 20 % of noise": lambda rng, x: x * np.exp(0.2 * rng.normal(size=len(x))),
    "with 35 % of noise": lambda rng, x: x * np.exp(0.35 * rng.normal(size=len(x))),
    "root with noise": lambda rng, x: np.sqrt(x) * np.exp(0.1 * rng.normal(size=len(x))),
    "logarithm": lambda rng, x: np.log1p(x),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_named_whatever_was_done_to_them(kind):
    rng = np.random.default_rng(0)
    values = expression(rng)
    values[:, 80] = COPIES[kind](rng, values[:, 5])
    split = ["train"] * 60 + ["test"] * 60
    pairs, audit = copied_columns(values, NAMES, split)
    assert pairs[["one", "other"]].to_numpy().tolist() == [["s5", "s80"]] and audit.status == "FAIL"
    assert pairs["exact"][0] == (kind == "as it is") and "s5 and s80" in audit.sentence
    assert copied_columns(values, NAMES)[1].status == "WARN"


CLEAN = [lambda x: x, lambda x: np.log2(x + 1), np.round, lambda x: x / x.sum(axis=0) * 1e6]


@pytest.mark.parametrize("made_as", CLEAN)
def test_clean_matrices_have_no_copies_no_codes_and_no_sums(made_as):
    for seed in range(5):
        rng = np.random.default_rng([seed, CLEAN.index(made_as)])
        relatives = np.exp(0.15 * rng.normal(size=(400, 60)))[:, rng.integers(0, 60, 120)]
        values = made_as(expression(rng, genes=400) * relatives)
        assert copied_columns(values, NAMES)[0].empty
        audits = (missing_codes(values), one_distribution(values, NAMES), combined_columns(values, NAMES))
        assert {audit.status for audit in audits} == {"PASS"}, seed


@pytest.mark.parametrize("change", [lambda x: x, lambda x: np.log2(x + 1), lambda x: np.round(x, 2)])
@pytest.mark.parametrize("weights", [{9: 0.5, 10: 0.5}, {9: 1, 10: 1, 11: 1}])
def test_a_sample_that_is_a_sum_or_mean_of_others_is_named_with_its_parts(change, weights):
    assert (
        "200 genes are too few to tell of 120" in combined_columns(expression(np.random.default_rng(0)), NAMES).sentence
    )
    values = expression(np.random.default_rng(0), genes=600)
    values[:, 5] = sum(weight * values[:, n] for n, weight in weights.items())
    audit = combined_columns(change(values), NAMES)
    assert audit.status == "WARN" and audit.sentence.startswith("1 samples are sums or means of others: s5 is ")
    parts = dict(reversed(part.split(" x s")) for part in audit.sentence.split(" is ")[1].split(" + "))
    assert {int(n): float(weight) for n, weight in parts.items()} == pytest.approx(weights, rel=0.02)


@pytest.mark.parametrize("code", [-1, -9, -999, 1e9])
def test_codes_of_what_is_missing_are_named(code):
    rng = np.random.default_rng(0)
    values = expression(rng)
    values[rng.random(values.shape) < 0.01] = code
    audit = missing_codes(values)
    assert audit.status == "WARN" and f"{code:g}" in audit.sentence and audit.figure == (values == code).sum()
    assert missing_codes(np.log10(expression(rng) + 0.001)).status == "PASS"


def test_samples_normalised_to_one_distribution_beside_others_are_named():
    values = expression(np.random.default_rng(0))
    alike = np.sort(values, axis=0).mean(axis=1)
    whole = alike[values.argsort(axis=0).argsort(axis=0)]
    part = np.where(np.arange(120) < 40, whole, values)
    audit = one_distribution(part, NAMES)
    assert audit.status == "FAIL" and audit.figure == 40 and "s0, s1" in audit.sentence
    assert one_distribution(whole, NAMES).status == "PASS"


def test_a_sixth_of_the_genes_copied_is_a_copy():
    values = expression(np.random.default_rng(0))
    values[:34, 80] = values[:34, 5] * 3
    assert copied_columns(values, NAMES)[0][["one", "other"]].to_numpy().tolist() == [["s5", "s80"]]


def test_equal_columns_of_few_genes():
    values = expression(np.random.default_rng(0), genes=6)
    assert copied_columns(values, NAMES)[0].empty
    values[:, 7] = values[:, 3]
    assert copied_columns(values, NAMES)[0]["exact"].tolist() == [True]


@pytest.mark.parametrize(("genes", "words"), [(3, "not at all"), (10, "only from a correlation of 0.9"), (40, None)])
def test_what_few_genes_cannot_tell_is_said(genes, words):
    sentence = copied_columns(expression(np.random.default_rng(0), genes=genes), NAMES)[1].sentence
    assert (words in sentence) if words else ("from chance" not in sentence)


def test_twins_with_noise_are_found_among_twenty_genes():
    found = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values = expression(rng, genes=20)
        values[:, 80] = values[:, 5] * np.exp(0.1 * rng.normal(size=20))
        found += ["s5", "s80"] in copied_columns(values, NAMES)[0][["one", "other"]].to_numpy().tolist()
    assert found >= 9


def cohort(seed, swapped=0, heritability=0.4, genes=80, samples=120, variants=20):
    """Genotypes in linkage, one causal variant a gene, populations and a factor; labels of some samples rotated."""
    rng = np.random.default_rng(seed)
    population, factor, dosages = rng.integers(0, 2, samples), rng.normal(size=samples), []
    values = np.empty((genes, samples))
    for gene in range(genes):
        frequency = np.clip(rng.uniform(0.05, 0.5, variants) + 0.1 * (population[:, None] - 0.5), 0.02, 0.98)
        dosage = rng.binomial(2, frequency)
        for place in range(1, variants):
            linked = rng.random(samples) < 0.6
            dosage[linked, place] = dosage[linked, place - 1]
        dosages.append(dosage)
        causal = dosage[:, rng.integers(variants)].astype(float)
        genetic = (causal - causal.mean()) / max(causal.std(), 1e-9)
        noise = np.sqrt(1 - heritability) * rng.normal(size=samples)
        values[gene] = np.sqrt(heritability) * genetic + noise + 0.5 * factor * rng.normal() + population * rng.normal()
    order = np.arange(samples)
    moved = rng.choice(samples, swapped, replace=False)
    order[moved] = np.roll(moved, 1)
    return values[:, order], dosages, population, order


def test_few_clean_samples_are_flagged():
    """At most 2 of 120, as of the fault that this is for."""
    values, dosages, population, _ = cohort(0)
    found = swapped_labels(values, dosages, NAMES, population)
    assert found.table["flagged"].sum() <= 2 and found.separation > 4


@pytest.mark.parametrize("swapped", [2, 36])
def test_swapped_labels_are_flagged_and_named(swapped):
    values, dosages, population, order = cohort(3, swapped)
    found = swapped_labels(values, dosages, NAMES, population)
    wrong = order != np.arange(120)
    flagged = found.table["flagged"].to_numpy()
    assert (flagged & wrong).sum() >= 0.95 * swapped and (flagged & ~wrong).sum() <= 2
    # The expression of sample s stands in the column that `order` moved it to.
    truth = {NAMES[number]: NAMES[int(np.flatnonzero(order == number)[0])] for number in np.flatnonzero(wrong)}
    named = [truth[row.sample] == row.best for row in found.table[flagged & wrong].itertuples()]
    assert np.mean(named) > 0.9
    assert found.audit.status == ("WARN" if swapped == 2 else "FAIL")


def test_little_signal_is_said_and_flags_nobody():
    values, dosages, population, _ = cohort(4, swapped=36, heritability=0.0)
    found = swapped_labels(values, dosages, NAMES, population)
    assert not found.table["flagged"].any() and "too little" in found.audit.sentence and found.audit.status == "PASS"


def test_missing_values_and_genes_without_variants():
    values, dosages, population, _ = cohort(5, swapped=36)
    values[:20, :30] = np.nan
    dosages[0] = np.zeros((120, 0))
    dosages[1] = np.ones((120, 5))
    assert swapped_labels(values, dosages, NAMES, population).table["flagged"].sum() >= 34


@pytest.mark.parametrize("genes", [10, 20, 200])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_scaled_and_partly_copied_columns_are_found_among_few_genes_too_and_a_factor_is_no_copy(genes, factor):
    rng = np.random.default_rng(genes)
    shared = factor * rng.normal(size=(genes, 1)) * rng.normal(size=40)
    table = np.exp(rng.normal(4, 1.5, (genes, 1)) + shared + 0.6 * rng.normal(size=(genes, 40)))
    names = [f"s{n}" for n in range(40)]
    assert copied_columns(table, names)[1].status == "PASS"
    scaled, parted = table.copy(), table.copy()
    scaled[:, 31] = 0.04 * table[:, 5]
    half = rng.permutation(genes)[: max(10, genes // 2)]
    parted[half, 31] = 7 * table[half, 5]
    for planted in (scaled, parted):
        pairs, audit = copied_columns(planted, names, ["train"] * 30 + ["test"] * 10)
        assert audit.status == "FAIL" and "s5 and s31" in audit.sentence and len(pairs) == 1


def test_small_numbers_that_are_alike_by_chance_are_no_copies():
    rng = np.random.default_rng(5)
    counts = rng.poisson(rng.gamma(0.4, 5, (400, 1)), (400, 40)).astype(float)
    names = [f"s{n}" for n in range(40)]
    for table in (counts, np.round(counts / 37, 2), np.log2(1 + counts)):
        assert copied_columns(table, names)[1].status == "PASS"
