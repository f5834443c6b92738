"""Copies of half of a sample's genes, copied rows, averages and codes are named; measurements of few reads are none of these."""

import numpy as np
import pytest
from glmflow.checks.copied_columns import copied_columns
from glmflow.checks.copied_rows import copied_rows
from glmflow.checks.matrix_values import average_columns, missing_codes

GENES, COUNT = 600, 40
SAMPLES = [f"s{n}" for n in range(COUNT)]


def measured(seed, depth=1.0, lengths=False):
    """Values per million of genes that share factors, by reads whose number differs between samples."""
    rng = np.random.default_rng(seed)
    level = rng.normal(2.5, 1.8, (GENES, 1)) + 0.5 * rng.normal(size=(GENES, COUNT))
    level += 0.4 * rng.normal(size=(GENES, 1)) * rng.normal(size=(1, COUNT))
    reads = rng.poisson(depth * np.exp(level) * rng.uniform(0.6, 1.6, COUNT)).astype(float)
    reads /= rng.uniform(0.3, 8, (GENES, 1)) if lengths else 1
    return reads / reads.sum(axis=0) * 1e6


@pytest.mark.parametrize("depth", [1, 0.15, 0.02])
@pytest.mark.parametrize("lengths", [False, True])
def test_samples_of_few_reads_are_no_copies(depth, lengths):
    """Two samples have one number of reads at many genes, and so one ratio: 24 pairs were called copies."""
    for seed in range(2):
        table = measured(seed, depth, lengths)
        for values in (table, np.round(table, 2), np.log2(table + 1)):
            assert copied_columns(values, SAMPLES)[0].empty


@pytest.mark.parametrize("noise", [0, 0.01, 0.03])
@pytest.mark.parametrize("logs", [False, True])
def test_a_copy_of_every_other_gene_is_named_in_spite_of_noise(noise, logs):
    rng = np.random.default_rng(1)
    table = measured(3)
    table[::2, 30] = 1.3 * table[::2, 4] * np.exp(noise * rng.normal(size=GENES // 2))
    pairs, audit = copied_columns(np.log2(table + 1) if logs else table, SAMPLES, ["train"] * 20 + ["test"] * 20)
    assert pairs[["one", "other"]].to_numpy().tolist() == [["s4", "s30"]] and audit.status == "FAIL"


MIRRORED = {
    "off a number": lambda rng, x, mean: x.max() + x.min() - x,
    "off a number, with noise": lambda rng, x, mean: 20 - x + 0.3 * rng.normal(size=len(x)),
    "negated": lambda rng, x, mean: -1.7 * x,
    "off the genes' means": lambda rng, x, mean: 2 * mean - x,
    "off the genes' means, with noise": lambda rng, x, mean: 2 * mean - x + 0.3 * rng.normal(size=len(x)),
}


@pytest.mark.parametrize("kind", MIRRORED)
@pytest.mark.parametrize("levels", [True, False])
def test_a_mirror_image_is_named_and_two_kinds_of_samples_are_none(kind, levels):
    rng = np.random.default_rng(2)
    table = np.log2(measured(4) + 1)
    table -= 0 if levels else table.mean(axis=1, keepdims=True)
    assert copied_columns(table, SAMPLES)[0].empty
    apart = table + 4 * rng.normal(size=(GENES, 1)) * (np.arange(COUNT) % 2)  # each is opposite to half of the others
    for count in (40, 20, 6):
        assert copied_columns(apart[:, :count], SAMPLES[:count])[0].empty
    mean = table.mean(axis=1)
    table[:, 30] = MIRRORED[kind](rng, table[:, 4], mean)
    pairs, audit = copied_columns(table, SAMPLES, ["train"] * 20 + ["test"] * 20)
    assert pairs[["one", "other", "mirrored"]].to_numpy().tolist() == [["s4", "s30", True]]
    assert audit.status == "FAIL" and "s4 and s30 (mirrored)" in audit.sentence


def test_genes_that_are_others_are_named_with_these():
    table = np.log2(measured(0) + 1)
    genes = [f"g{n}" for n in range(GENES)]
    assert copied_rows(table, genes).status == "PASS" == copied_rows(np.round(measured(0, 0.02)), genes).status
    table[7], table[9] = table[3], 2 - 1.5 * table[5]
    audit = copied_rows(table, genes)
    assert audit.status == "WARN" and audit.figure == 1 and "g7 and g3" in audit.sentence
    table[9] = 2 + 1.5 * table[5]
    assert copied_rows(table, genes).figure == 2


@pytest.mark.parametrize("logs", [False, True])
def test_an_average_among_measurements_is_named(logs):
    table = np.log2(measured(0) + 1) if logs else measured(0)
    assert average_columns(table, SAMPLES).status == "PASS"
    table[:, 8] = table.mean(axis=1) if logs else np.expm1(np.log1p(table).mean(axis=1))
    audit = average_columns(table, SAMPLES)
    assert audit.status == "WARN" and audit.sentence.endswith(": s8")


def test_nines_that_stand_often_among_amounts_are_a_code():
    rng = np.random.default_rng(0)
    for table in (measured(0), rng.poisson(measured(0) / 100).astype(float)):
        assert missing_codes(table).status == "PASS"
        table[rng.random(table.shape) < 0.01] = 999
        audit = missing_codes(table)
        assert audit.status == "WARN" and "999" in audit.sentence
