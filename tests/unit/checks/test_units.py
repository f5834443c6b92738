"""Units of matrices whose unit is known."""

import numpy as np
import pytest
from glmflow.checks.audit import FAIL, PASS, WARN
from glmflow.checks.units import matrix_facts, mixed_units

SAMPLES = [f"s{number}" for number in range(40)]
BATCH = np.repeat(["a", "b"], 20)


def counts(seed=0, genes=2000):
    """Reads of genes of very different expression, negative binomial, libraries alike within a factor of 2."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(2, 2.5, (genes, 1))) * rng.uniform(0.7, 1.4, len(SAMPLES))
    mean[rng.random(genes) < 0.3] *= 0.002
    return rng.negative_binomial(5, 5 / (5 + mean)).astype(float)


def tpm(seed=0):
    length = np.exp(np.random.default_rng(1).normal(7, 1, (2000, 1)))
    rate = counts(seed) / length
    return 1e6 * rate / rate.sum(axis=0)


def statuses(values, **more):
    return {audit.name: audit.status for audit in mixed_units(matrix_facts(values, SAMPLES), **more)}


UNITS = {
    "counts": counts,
    "per million": tpm,
    "other": lambda: (
        1e9 * counts() / counts().sum(axis=0) / np.exp(np.random.default_rng(1).normal(7, 1, (2000, 1))) * 3.3
    ),
    "logarithms": lambda: np.log2(tpm() + 1),
    "logarithms of logarithms": lambda: np.log1p(np.log1p(tpm())),
    "centred": lambda: np.random.default_rng(0).normal(size=(2000, 40)),
}


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_of_a_whole_matrix(unit):
    facts = matrix_facts(UNITS[unit](), SAMPLES)
    assert facts.unit == unit
    assert {audit.status for audit in mixed_units(facts) if audit.name != "small values"} == {PASS}


def test_two_small_numbers_added_before_the_logarithm_are_two_units():
    plain, offset = np.log2(tpm() + 1), np.log2(tpm() + 0.001)
    both = np.where(BATCH == "a", plain, offset)
    (mixed,) = [audit for audit in mixed_units(matrix_facts(both, SAMPLES)) if audit.name == "mixed units"]
    assert mixed.status == FAIL and "plus less than 1" in mixed.sentence
    assert statuses(offset)["mixed units"] == PASS == statuses(plain)["mixed units"]


@pytest.mark.parametrize(
    "values",
    [
        lambda: np.log(tpm() + 0.01),
        lambda: np.log1p(tpm()),
        lambda: np.log2(3.3 * tpm() + 1),
        lambda: np.log2(counts() + 1),
    ],
)
def test_logarithms_of_any_base_and_offset(values):
    assert matrix_facts(values(), SAMPLES).unit == "logarithms"


@pytest.mark.parametrize("number", [1, 5, 20])
def test_counts_beside_values_per_million_fail(number):
    values = tpm()
    values[:, :number] = counts()[:, :number]
    found = mixed_units(matrix_facts(values, SAMPLES))
    assert found[0].status == FAIL and ("s0" if number < 20 else f"{number} samples are counts") in found[0].sentence


def test_logarithms_beside_what_is_none_fail():
    values = tpm()
    values[:, 20:] = np.log1p(values[:, 20:])
    assert statuses(values)["mixed units"] == FAIL


def test_a_factor_of_30_between_groups_fails_and_names_them():
    values = tpm()
    values[:, BATCH == "b"] *= 30
    known = statuses(values, groups=BATCH)
    assert known["a factor between groups"] == FAIL and known["a factor between samples"] == FAIL
    few = tpm()
    few[:, :3] /= 30
    found = {audit.name: audit for audit in mixed_units(matrix_facts(few, SAMPLES))}
    assert found["a factor between samples"].status == FAIL
    assert {"s0", "s1", "s2"} <= set(found["a factor between samples"].sentence.replace(",", "").split())


def test_depth_that_spreads_is_said():
    spread = np.exp(np.random.default_rng(3).uniform(-1, 1, 40))
    found = statuses(np.round(counts() * 20 * spread))
    assert found["depth"] == WARN and found["a factor between samples"] == PASS and statuses(counts())["depth"] == PASS


def test_logarithms_are_not_taken_twice():
    assert statuses(np.log2(tpm() + 1), takes_log=True)["logarithm taken twice"] == FAIL
    assert statuses(np.log2(tpm() + 1), takes_log=False)["logarithm taken twice"] == PASS
    assert statuses(tpm(), takes_log=True)["logarithm taken twice"] == PASS
    assert statuses(np.log1p(np.log1p(tpm())))["small values"] == WARN


def test_few_genes_of_low_expression_are_not_called_logarithms():
    few = np.random.default_rng(0).gamma(2, 2, (12, 40))
    assert statuses(few, takes_log=True)["logarithm taken twice"] == PASS


def test_a_part_of_the_genes_sums_to_less_than_a_million():
    part = tpm() * np.random.default_rng(7).uniform(0.88, 0.99, 40)
    assert statuses(part, groups=BATCH)["mixed units"] == PASS


@pytest.mark.parametrize("log", [np.log1p, lambda x: np.log10(x + 1)])
@pytest.mark.parametrize("few", [2, 20, 37])
def test_logarithms_to_two_bases_fail_and_are_named(log, few):
    values = np.log2(tpm() + 1)
    assert statuses(values, groups=BATCH)["bases of logarithms"] == PASS
    values[:, :few] = log(tpm()[:, :few])
    (found,) = (a for a in mixed_units(matrix_facts(values, SAMPLES)) if a.name == "bases of logarithms")
    assert found.status == FAIL and found.figure == min(few, 40 - few) and (few >= 20 or "s0" in found.sentence)


def test_a_factor_of_30_between_groups_of_logarithms_fails():
    values = tpm()
    values[:, BATCH == "b"] *= 30
    found = statuses(np.log2(values + 1), groups=BATCH)
    assert found["a factor between groups"] == FAIL and found["bases of logarithms"] == PASS
    assert found["a factor between samples"] in (WARN, FAIL)


def shallow(reads, seed, genes=1000):
    """Counts of genes of few reads each, by samples whose depth differs, and the same per million."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(0, 2.5, (genes, 1)) + 0.5 * rng.normal(size=(genes, len(SAMPLES))))
    depth = reads * genes * rng.uniform(0.4, 2.5, len(SAMPLES))
    drawn = rng.poisson(level / level.sum(axis=0) * depth).astype(float)
    return drawn, 1e6 * drawn / drawn.sum(axis=0)


LOGS = {
    "to base 2": lambda whole, part: np.log2(part + 1),
    "natural": lambda whole, part: np.log1p(part),
    "to base 10": lambda whole, part: np.log10(part + 1),
    "of values plus .01": lambda whole, part: np.log2(part + 0.01),
    "of counts": lambda whole, part: np.log2(whole + 1),
}


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("reads", [0.05, 0.2, 2])
def test_logarithms_of_few_reads_are_to_one_base(log, reads):
    """One read is far above none, so that samples of few have all their genes alike: 40 of 45 such cases failed."""
    for seed in range(2):
        found = statuses(LOGS[log](*shallow(reads, seed)))
        assert {status for name, status in found.items() if name not in ("depth", "small values")} == {PASS}, found


@pytest.mark.parametrize(("one", "other"), [("to base 2", "natural"), ("to base 10", "to base 2")])
@pytest.mark.parametrize("few", [1, 20])
def test_two_bases_of_few_reads_are_told_by_what_they_sum_to(one, other, few):
    values, more = (LOGS[name](*shallow(0.2, 0)) for name in (one, other))
    values[:, :few] = more[:, :few]
    assert statuses(values)["bases of logarithms"] == FAIL


def expressed(zeros):
    """Values per million of genes, a share of which no sample expresses."""
    values = tpm()
    values[np.random.default_rng(2).random(len(values)) < zeros] = 0
    return values


@pytest.mark.parametrize(("one", "other"), [(1, 0.01), (1, 2), (0.001, 0.01), (1, 0.5)])
@pytest.mark.parametrize("few", [1, 13, 20])
@pytest.mark.parametrize("zeros", [0.05, 0.5])
def test_two_numbers_added_before_the_logarithm_are_named(one, other, few, zeros):
    values = np.log2(expressed(zeros) + one)
    assert statuses(values)["numbers added before logarithms"] == PASS
    values[:, :few] = np.log2(expressed(zeros) + other)[:, :few]
    found = {audit.name: audit for audit in mixed_units(matrix_facts(values, SAMPLES))}
    added = found.get("numbers added before logarithms") or found["mixed units"]  # negative values in some alone
    assert added.status == FAIL and added.figure == few and ("s0" in added.sentence or few == 20)


def test_a_zero_of_each_samples_own_is_one_unit():
    """As of logarithms of (reads + 1/2) per million reads (voom; Law et al. 2014, Genome Biol 15:R29), or centred samples."""
    drawn, part = shallow(5, 0)
    voom = np.log2((drawn + 0.5) / (drawn.sum(axis=0) + 1) * 1e6)
    centred = np.log2(part + 1) - np.log2(part + 1).mean(axis=0)
    deep = np.log2(1 + np.where(np.arange(40) < 3, 20, 1) * drawn)[(drawn > 0).mean(axis=1) > 0.6]
    for values in (voom, centred, deep):
        assert statuses(values).get("numbers added before logarithms", PASS) == PASS


def test_missing_values_and_empty_matrices():
    values = tpm()
    values[:50] = np.nan
    values[0, 3] = np.nan
    assert statuses(values)["mixed units"] == PASS
    assert mixed_units(matrix_facts(np.zeros((0, 0)), []))[0].status == PASS
    assert mixed_units(matrix_facts(np.zeros((3, 40)), SAMPLES))[0].status == PASS
