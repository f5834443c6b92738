"""Faults planted in matrix, samples and genes of a task on expression are named; without them nothing is."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.snp2gex import audits
from glmflow.errors import InputError

GENES, SAMPLES = 90, 120
NAMES = [f"NA{n:05d}" for n in range(SAMPLES)]


def evidence(seed=0):
    """Counts per million of 90 genes whose genotypes make half of the variance, in two populations."""
    rng = np.random.default_rng(seed)
    population = rng.integers(0, 2, SAMPLES)
    split = np.array(["train"] * 84 + ["validation"] * 12 + ["test"] * 24, dtype=object)
    dosages, logs = [], rng.normal(4, 1.5, (GENES, 1)) + 0.2 * rng.normal(size=(GENES, 1)) * rng.normal(size=SAMPLES)
    for gene in range(GENES):
        dosage = rng.binomial(2, rng.uniform(0.15, 0.5, 12), (SAMPLES, 12)).astype(float)
        causal = dosage[:, rng.integers(12)]
        logs[gene] += 0.5 * (causal - causal.mean()) / causal.std() + 0.5 * rng.normal(size=SAMPLES)
        dosages.append(dosage)
    measured = np.exp(logs)
    measured *= 1e6 / measured.sum(axis=0)
    kinship = rng.normal(0, 0.01, (SAMPLES, SAMPLES))
    kinship = (kinship + kinship.T) / 2
    np.fill_diagonal(kinship, 0.5)
    starts = np.arange(GENES) * 5_000
    genes = pd.DataFrame(
        {
            "gene_id": [f"ENSG{n:04d}.3" for n in range(GENES)],
            "gene_name": [f"GENE{n}" for n in range(GENES)],
            "chrom": "4",
            "start": starts,
            "end": starts + 3_000,
            "tss": starts + 1_500,
            "split": ["train"] * 60 + ["validation"] * 10 + ["test"] * 20,
        }
    )
    values = pd.DataFrame(np.log(measured), index=genes["gene_id"], columns=NAMES)
    return {
        "samples": NAMES,
        "split": split,
        "populations": [f"pop{n}" for n in population],
        "kinship": kinship,
        "together": np.arange(SAMPLES),
        "measured": pd.DataFrame(measured, columns=NAMES),
        "values": values,
        "genes": genes,
        "dosages": partial(of_gene, dosages),
    }


def of_gene(dosages, gene):
    return dosages[int(gene.gene_id[4:8])]


def audited(found):
    people = SimpleNamespace(by="random", validation=0.1, test=0.2, kinship=0.177)
    task = SimpleNamespace(people=people, preprocessing=SimpleNamespace(log=True))
    return {audit.name: audit for audit in audits(task, {}, SimpleNamespace(evidence=found), {})}


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_study_passes_every_audit(seed):
    found = audited(evidence(seed))
    assert {audit.status for audit in found.values()} == {"PASS"}, "\n".join(map(str, found.values()))
    assert len(found) >= 9


def copied(found):
    """A test sample is a training sample at another depth with a little noise."""
    rng = np.random.default_rng(1)
    table = found["measured"]
    table[NAMES[100]] = 3.7 * table[NAMES[20]] * np.exp(0.03 * rng.normal(size=GENES))
    return "copied columns", "FAIL", f"{NAMES[20]} and {NAMES[100]}"


def swapped(found):
    """Nine samples' expression stands under each other's names."""
    moved = [3, 11, 29, 44, 58, 71, 90, 97, 113]
    columns = found["values"].to_numpy().copy()
    columns[:, moved] = columns[:, np.roll(moved, 4)]
    found["values"] = pd.DataFrame(columns, index=found["values"].index, columns=NAMES)
    return "swapped labels", "FAIL", NAMES[29]


def counts(found):
    """Some samples are read counts."""
    table = found["measured"]
    for name in NAMES[40:52]:
        table[name] = np.round(table[name] * 23.0)
    return "mixed units", "FAIL", NAMES[40]


def logarithms(found):
    """The matrix holds logarithms, and the study takes them again."""
    found["measured"] = np.log2(found["measured"] + 1)
    return "logarithm taken twice", "FAIL", "again"


def one_person_twice(found):
    """A test sample is a training sample's genome with genotyping errors."""
    found["kinship"][7, 110] = found["kinship"][110, 7] = 0.41
    return "one person under two names", "FAIL", f"{NAMES[7]} and {NAMES[110]}"


def siblings(found):
    found["kinship"][9, 101] = found["kinship"][101, 9] = 0.24
    return "relatives in different splits", "WARN", f"{NAMES[9]} and {NAMES[101]}"


def no_populations(found):
    found["populations"] = [None, np.nan] * (SAMPLES // 2)
    return "structure of samples", "WARN", "no population known: the null does not account for structure"


def one_population(found):
    found["populations"] = ["all"] * SAMPLES
    return "structure of samples", "WARN", "of population all: the null does not account for structure within it"


def readthrough(found):
    """A held-out gene reads through one of training, far off."""
    found["genes"].loc[75, "gene_name"] = "GENE12-GENE13"
    return "one locus in training and held out", "WARN", "ENSG0075.3"


def several_ids(found):
    found["genes"].loc[80, "gene_id"] = "ENSG0031.3_PAR_Y"
    return "one locus in training and held out", "WARN", "ENSG0031.3_PAR_Y"


@pytest.mark.parametrize(
    "plant",
    [
        *(copied, swapped, counts, logarithms, one_person_twice, siblings, no_populations, one_population),
        *(readthrough, several_ids),
    ],
)
def test_a_planted_fault_is_named_by_its_audit(plant):
    found = evidence(5)
    name, status, says = plant(found)
    audit = audited(found)[name]
    assert audit.status == status and says in audit.sentence


def test_groups_that_swallow_a_split_stop_with_the_shares_that_came_out():
    found = evidence(6)
    found["together"][:80] = 0
    found["split"] = np.array(["test"] * 80 + ["validation"] * 35 + ["train"] * 5, dtype=object)
    with pytest.raises(InputError, match=r"5 for train \(4% for 70%\).*the largest group has 80 of 120 samples"):
        audited(found)
