"""Samples whose genes are in another order than those of the rest, and genes that were standardised."""

import numpy as np
import pytest
from glmflow.checks.audit import PASS, WARN
from glmflow.checks.profiles import standardised_genes, unlike_profiles

SAMPLES = [f"s{number}" for number in range(60)]


def expression(seed=0, genes=1000, tissue=0.0):
    """Logarithms of expression: levels of genes that all share, noise, and half of the samples from another tissue."""
    rng = np.random.default_rng(seed)
    table = rng.normal(4, 2.5, (genes, 1)) + rng.normal(0, 0.8, (genes, len(SAMPLES)))
    table[:, 30:] += tissue * rng.normal(0, 1, (genes, 1))
    return table


def shifted(table):
    table[:, 7] = np.roll(table[:, 7], 1)
    return table


def negated(table):
    table[:, 7] *= -1
    return table


def shuffled(table):
    table[:, 7] = np.random.default_rng(1).permutation(table[:, 7])
    return table


def partly(table):
    table[:600, 7] = np.roll(table[:600, 7], 3)
    return table


@pytest.mark.parametrize("fault", [shifted, negated, shuffled, partly])
@pytest.mark.parametrize("unit", [lambda logs: logs, np.exp2, lambda logs: np.exp2(logs) * np.linspace(0.2, 5, 60)])
def test_a_sample_with_other_genes_high_is_named(fault, unit):
    audit = unlike_profiles(fault(unit(expression())), SAMPLES)
    assert audit.status == WARN and audit.figure == 1 and "s7 (" in audit.sentence


@pytest.mark.parametrize("tissue", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(10))
def test_samples_and_tissues_as_they_are_pass(seed, tissue):
    assert unlike_profiles(expression(seed, tissue=tissue), SAMPLES).status == PASS


def test_without_levels_of_genes_no_sample_is_unlike():
    audit = unlike_profiles(np.random.default_rng(0).normal(size=(500, 60)), SAMPLES)
    assert audit.status == PASS and "little in common" in audit.sentence


def test_unknown_values_and_tiny_matrices_are_no_fault():
    table = expression()
    table[np.random.default_rng(0).random(table.shape) < 0.2] = np.nan
    assert unlike_profiles(table, SAMPLES).status == PASS
    assert unlike_profiles(shifted(table), SAMPLES).status == WARN
    assert unlike_profiles(table[:5], SAMPLES).status == PASS == standardised_genes(table[:5]).status


def test_genes_standardised_over_samples_are_told():
    table = expression()
    known = np.where(np.random.default_rng(0).random(table.shape) < 0.1, np.nan, table)
    for values in (table, known):
        mean, deviation = np.nanmean(values, axis=1, keepdims=True), np.nanstd(values, axis=1, keepdims=True)
        assert standardised_genes(values).status == PASS
        assert standardised_genes(values - mean).status == PASS  # deviations differ still
        assert standardised_genes((values - mean) / deviation).status == WARN
