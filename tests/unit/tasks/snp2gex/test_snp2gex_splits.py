"""Splits of genes and samples, and the checks that catch what leaks between them."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.relations import relations
from glmflow.errors import InputError
from glmflow.genome.loci import groups_of, overlapping
from glmflow.genome.relatives import Kinship, family_pairs
from glmflow.tasks.snp2gex import leaks
from glmflow.tasks.snp2gex.cells import cell_split, draw_groups, split_genes, split_people
from hypothesis import given, settings
from hypothesis import strategies as st

PEOPLE = {"by": "random", "validation": 0.2, "test": 0.3, "seed": 1, "test_populations": []}


def test_a_pair_is_training_only_where_both_are():
    assert cell_split("train", "train") == "train"
    assert {cell_split("train", "validation"), cell_split("validation", "validation")} == {"validation"}
    assert {cell_split("test", "train"), cell_split("train", "test"), cell_split("test", "test")} == {"test"}
    assert cell_split("validation", "test") is None and cell_split("test", "validation") is None


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=30),
    st.integers(0, 100),
)
def test_relatives_are_never_parted(pairs, seed):
    try:
        split, _ = split_people([f"p{n}" for n in range(40)], PEOPLE | {"seed": seed}, {}, pairs)
    except InputError:
        return  # so many are related that a split is left empty
    for a, b in pairs:
        assert split[a] == split[b]


def test_shares_are_reached_as_nearly_as_groups_allow():
    split = draw_groups(np.arange(100), 0.1, 0.3, seed=3)
    assert [(split == name).sum() for name in ("train", "validation", "test")] == [60, 10, 30]


def test_whole_populations_are_held_out_with_their_relatives():
    people = [f"p{n}" for n in range(10)]
    populations = {name: "YRI" if n < 3 else "GBR" for n, name in enumerate(people)}
    asked = PEOPLE | {"by": "population", "test_populations": ["YRI"]}
    split, notes = split_people(people, asked, populations, [(0, 9)])
    assert (split[:3] == "test").all() and split[9] == "test" and not (split[3:9] == "test").any()
    assert notes["samples held out as relatives of held-out samples"] == 1
    with pytest.raises(InputError, match=r"no sample is of population FIN.*GBR, YRI"):
        split_people(people, asked | {"test_populations": ["FIN"]}, populations, [])


def windows(starts, size=100, chrom="c"):
    names = [f"g{n}" for n in range(len(starts))]
    return pd.DataFrame({"gene_id": names, "chrom": chrom, "start": starts, "end": [s + size for s in starts]})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=2, max_size=30), st.integers(1, 300))
def test_overlapping_windows_are_found_and_connected(starts, size):
    table = windows(starts, size)
    together = groups_of(len(table), overlapping(table))
    for i in range(len(starts)):
        for j in range(len(starts)):
            if abs(starts[i] - starts[j]) < size:
                assert together[i] == together[j]
    for a, b in overlapping(table):
        assert abs(starts[a] - starts[b]) < size


def test_genes_whose_windows_overlap_stay_together():
    table = windows([0, 50, 120, 1000, 2000, 2090, 5000, 6000, 7000, 8000])
    asked = {"by": "random", "validation": 0.1, "test": 0.3, "seed": 5}
    split, notes = split_genes(table, asked, {}, {"c": 10_000}, 100)
    assert split["split"][:3].nunique() == 1 and split["split"][4:6].nunique() == 1
    assert notes == {"genes kept together: their windows overlap, or they are one locus": 5}
    assert leaks.check_windows(split)["leak"] == "no"


def test_genes_follow_the_split_of_the_genome():
    table = pd.concat(
        [windows([0, 500], chrom="a"), windows([0], chrom="b"), windows([0], chrom="x")], ignore_index=True
    )
    genome = {"by": "contig", "train": ["a"], "validation": [], "test": ["b"]}
    split, notes = split_genes(table, {"by": "genome"}, genome, {"a": 1000, "b": 1000, "x": 1000}, 100)
    assert split["split"].tolist() == ["train", "train", "test"]
    assert notes["genes on contigs of no split"] == 1


def people_with_twin(seed=0, people=60, variants=3000):
    dosages = np.random.default_rng(seed).binomial(2, 0.3, (people, variants))
    dosages[7] = dosages[50]
    return dosages


def test_kinship_of_twins_is_a_half_of_siblings_a_quarter_and_of_strangers_0():
    rng = np.random.default_rng(2)
    dosages = people_with_twin()
    father, mother = rng.binomial(1, 0.3, (2, 2, 3000))
    child = [
        np.where(rng.random(3000) < 0.5, father[0], father[1]) + np.where(rng.random(3000) < 0.5, mother[0], mother[1])
        for _ in range(2)
    ]
    kinship = Kinship(62)
    everyone = np.vstack([dosages, *child])
    for part in np.array_split(everyone, 10, axis=1):
        kinship.add(part)
    found = kinship.estimate()
    assert found[7, 50] == 0.5
    assert found[60, 61] == pytest.approx(0.25, abs=0.04)
    assert abs(np.median(found[np.triu_indices(60, 1)])) < 0.02
    assert kinship.pairs(0.45) == [(7, 50)]


def test_families_are_connected():
    assert family_pairs(["a", "b", None, "a", "", "b", "a", float("nan"), "."]) == [(0, 3), (1, 5), (0, 6)]


def test_a_planted_twin_is_named():
    kinship = Kinship(60)
    kinship.add(people_with_twin())
    split = np.array(["train"] * 30 + ["test"] * 30, dtype=object)
    names = [f"p{n}" for n in range(60)]
    audit = relations(kinship.estimate(), names, split).audits[0]
    assert audit.status == "FAIL" and audit.figure == 1 and "p7 and p50 (0.50)" in audit.sentence
    split[50] = "train"
    assert relations(kinship.estimate(), names, split).audits[0].status == "WARN"  # a sample counts twice: no leak


def examples():
    rows = [("train", "seen genes seen individuals", f"p{p}", f"g{g}") for p in range(3) for g in range(3)]
    rows += [("test", "unseen genes unseen individuals", f"p{p}", f"g{g}") for p in range(3, 5) for g in range(3, 5)]
    return pd.DataFrame(rows, columns=["split", "subset", "sample", "group"])


def test_a_gene_or_person_in_both_is_named():
    table = examples()
    assert leaks.check_genes(table)["leak"] == leaks.check_people(table)["leak"] == "no"
    gene = table.assign(group=table["group"].replace("g4", "g1"))
    assert leaks.check_genes(gene)["leak"] == "yes" and leaks.check_genes(gene)["detail"] == "g1"
    person = table.assign(sample=table["sample"].replace("p3", "p0"))
    assert leaks.check_people(person)["leak"] == "yes" and leaks.check_people(person)["detail"] == "p0"


def test_overlapping_windows_across_splits_are_named():
    table = windows([0, 1000, 1050]).assign(split=["train", "train", "test"])
    row = leaks.check_windows(table)
    assert row["leak"] == "yes" and row["detail"] == "g2"


def test_hidden_factors_fitted_on_everyone_are_named():
    row = leaks.check_fit("hidden factors", ["a", "b", "c"], ["a", "b"])
    assert row["leak"] == "yes" and row["detail"] == "c"
    table = leaks.leak_table([row, leaks.check_fit("scaling", ["a"], ["a", "b"])])
    assert table["leak"].tolist() == ["yes", "no"]


def test_people_who_are_heterozygous_nowhere_are_one_genome_where_they_have_the_same_alleles():
    lines = np.array([[0, 2, 2, 0, 2], [0, 2, 2, 0, 2], [2, 0, 2, 0, 0], [1, 1, 2, 0, 1]])
    kinship = Kinship(4)
    kinship.add(lines)
    assert kinship.pairs(0.45) == [(0, 1)]
    assert np.isnan(kinship.estimate()[0, 2]) and np.isnan(kinship.estimate()[2, 3])
    assert Kinship(2).pairs(0.45) == []  # nothing is known of anyone
