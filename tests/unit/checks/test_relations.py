"""One sample under two names, relatives in two splits, and groups that leave nothing to train on."""

import cyvcf2
import numpy as np
import pytest
from glmflow.checks.relations import related_samples, relations, require_shares
from glmflow.errors import InputError
from glmflow.genome.relatives import Kinship


def haplotypes(rng, count, variants):
    return (rng.random((count, variants)) < np.random.default_rng(9).uniform(0.1, 0.5, variants)).astype(int)


def cohort(rng, variants=4000):
    """40 unrelated samples; one again with 10 % of its genotypes wrong; a child of two of them."""
    people = [haplotypes(rng, 2, variants) for _ in range(40)]
    child = np.array([people[0][rng.integers(0, 2, variants), np.arange(variants)],
                      people[1][rng.integers(0, 2, variants), np.arange(variants)]])  # fmt: skip
    dosages = np.array([person.sum(axis=0) for person in [*people, child]])
    twin = dosages[2].copy()
    wrong = rng.random(variants) < 0.1
    twin[wrong] = (twin[wrong] + rng.integers(1, 3, wrong.sum())) % 3
    kinship = Kinship(42)
    kinship.add(np.vstack([dosages, twin]))
    return kinship.estimate()


NAMES = [*(f"p{number}" for number in range(40)), "child", "other name"]


def test_a_person_under_another_name_is_found_in_spite_of_errors():
    split = ["train"] * 38 + ["test"] * 4
    found = relations(cohort(np.random.default_rng(0)), NAMES, split)
    same = found.pairs[found.pairs["relation"] == "same person"]
    assert same[["one", "other"]].to_numpy().tolist() == [["p2", "other name"]]
    parents = found.pairs[found.pairs["relation"] != "same person"]
    assert sorted(parents["one"]) == ["p0", "p1"] and set(parents["other"]) == {"child"}
    assert [audit.status for audit in found.audits] == ["FAIL", "WARN", "PASS"]
    assert "2 pairs" in found.audits[1].sentence and "2 of them in different splits" in found.audits[1].sentence


def structured(rng, variants, wrong):
    """60 unrelated samples of two populations, also of rare alleles; two siblings, and one sample with wrong genotypes."""
    apart = np.array([-0.12, 0.12])[:, None] * rng.random(variants)
    frequency = np.clip(rng.uniform(0.05, 0.5, variants) + apart, 0.01, 0.99)
    people = [rng.random((2, variants)) < frequency[number % 2] for number in range(60)]

    def child():
        return np.array([people[parent][rng.integers(0, 2, variants), np.arange(variants)] for parent in (0, 2)])

    dosages = np.array([person.sum(axis=0) for person in [*people, child(), child()]])
    twin = dosages[5].copy()
    changed = rng.random(variants) < wrong
    twin[changed] = (twin[changed] + rng.integers(1, 3, changed.sum())) % 3
    kinship = Kinship(63)
    kinship.add(np.vstack([dosages, twin]))
    return {"kinship": kinship.estimate(), "concordance": kinship.concordance()}


@pytest.mark.parametrize("wrong", [0.0, 0.08, 0.1])
@pytest.mark.parametrize("variants", [500, 4000])
@pytest.mark.parametrize("seed", range(3))
def test_wrong_genotypes_and_rare_alleles_make_no_relative_of_a_person(wrong, variants, seed):
    """Kinship alone calls them parent and child: 10 % of wrong genotypes leave less than .354 where alleles are rare."""
    names = [*(f"p{number}" for number in range(60)), "sister", "brother", "other name"]
    evidence = structured(np.random.default_rng(seed), variants, wrong)
    evidence |= {"samples": names, "split": ["train"] * 60 + ["test"] * 3}
    found = relations(evidence["kinship"], names, evidence["split"], concordance=evidence["concordance"])
    same = found.pairs["relation"] == "same person"
    assert found.pairs.loc[same, ["one", "other"]].to_numpy().tolist() == [["p5", "other name"]]
    family = {"p0", "p2", "sister", "brother"}
    assert {*found.pairs.loc[~same, "one"], *found.pairs.loc[~same, "other"]} <= family
    assert related_samples(evidence)[0].status == "FAIL"


@pytest.mark.parametrize("planted", [3, 50])
def test_over_a_megabase_of_a_real_chromosome_a_person_is_told_from_strangers_who_are_alike_by_chance(
    test_data, planted
):
    """300 unrelated samples of 1000 Genomes, some of which share both haplotypes over much of the megabase."""
    file = cyvcf2.VCF(str(test_data / "human_chr20/cohort.vcf.gz"))
    alleles = [record.genotype.array()[:, :2] for record in file if len(record.ALT) == 1]
    dosages = np.clip(np.array(alleles), 0, 1).sum(axis=2).T
    rng = np.random.default_rng(planted)
    twin = dosages[planted].copy()
    changed = rng.random(twin.size) < 0.1
    twin[changed] = (twin[changed] + rng.integers(1, 3, changed.sum())) % 3
    names = [*file.samples, "other name"]
    kinship = Kinship(len(names))
    kinship.add(np.vstack([dosages, twin]))
    found = relations(samples=names, **kinship.evidence()).pairs
    assert found[["one", "other", "relation"]].to_numpy().tolist() == [[names[planted], "other name", "same person"]]


@pytest.mark.parametrize("start", [200, 800, 1500])
@pytest.mark.parametrize("variants", [40, 120, 300])
def test_of_a_few_variants_in_a_row_no_strangers_are_called_one_person(test_data, variants, start):
    """They are alike throughout: 1,186 of 7,140 pairs were named over 30 variants, and 439 over 120."""
    file = cyvcf2.VCF(str(test_data / "human_chr20/cohort.vcf.gz"))
    dosages = np.array([np.clip(r.genotype.array()[:, :2], 0, 1).sum(axis=1) for r in file if len(r.ALT) == 1])[
        :, :120
    ].T
    common = dosages[:, np.abs(dosages.mean(axis=0) / 2 - 0.5) <= 0.45]
    kinship = Kinship(120)
    kinship.add(common[:, start : start + variants])
    found = relations(samples=file.samples[:120], **kinship.evidence())
    assert found.pairs.empty and [audit.status for audit in found.audits] == ["PASS", "PASS", "WARN"]
    assert all("too few variants" in audit.sentence for audit in found.audits[:2])


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_hundred_and_twenty_variants_far_apart_tell_a_person_from_strangers(wrong):
    rng = np.random.default_rng(4)
    dosages = np.array([haplotypes(rng, 2, 120).sum(axis=0) for _ in range(60)])
    twin = dosages[7].copy()
    twin[:wrong] = (twin[:wrong] + 1) % 3
    names = [*(f"p{number}" for number in range(60)), "other name"]
    kinship = Kinship(61)
    kinship.add(np.vstack([dosages, twin]))
    found = relations(kinship.estimate(), names, concordance=kinship.concordance())
    assert found.pairs[["one", "other", "relation"]].to_numpy().tolist() == [["p7", "other name", "same person"]]


@pytest.mark.parametrize("wrong", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("variants", [500, 4000])
def test_a_person_whose_alleles_are_turned_is_found_and_no_stranger(wrong, variants):
    """0 for 2 at every site, as of a file whose REF and ALT changed places: kinship of -1 and less, of no one else."""
    rng = np.random.default_rng(variants)
    people = [haplotypes(rng, 2, variants) for _ in range(40)]
    child = np.array([person[rng.integers(0, 2, variants), np.arange(variants)] for person in people[:2]])
    dosages = np.array([person.sum(axis=0) for person in [*people, child]])
    names = [*(f"p{number}" for number in range(40)), "child", "other name"]
    twin = 2 - dosages[6]
    changed = rng.random(variants) < wrong
    twin[changed] = (twin[changed] + rng.integers(1, 3, changed.sum())) % 3
    kinship = Kinship(42)
    kinship.add(np.vstack([dosages, twin]))
    evidence = {**kinship.evidence(), "samples": names, "split": ["train"] * 40 + ["test"] * 2}
    same, relatives, _ = related_samples(evidence)
    assert same.status == "FAIL" and same.figure == 1 and "p6 and other name" in same.sentence
    assert "alleles turned" in same.sentence and "turned" not in relatives.sentence


def test_kinship_with_alleles_turned_is_that_of_turned_dosages():
    dosages = np.random.default_rng(0).integers(0, 3, (6, 200))
    dosages[0] = 1  # no variant is rare
    plain, other = Kinship(12), Kinship(6)
    plain.add(np.vstack([dosages, 2 - dosages]))
    other.add(dosages)
    assert other.turned() == pytest.approx(plain.estimate()[:6, 6:])


def test_concordance_of_a_person_a_child_and_strangers():
    """Oracle: of one frequency p, strangers have h / (2 - h) of it where h = 2p (1 - p), parent and child 1/3."""
    rng = np.random.default_rng(1)
    parent, stranger = (rng.random((2, 20_000)) < 0.3 for _ in range(2))
    child = np.array([parent[rng.integers(0, 2, 20_000), np.arange(20_000)], stranger[0]])
    kinship = Kinship(4)
    kinship.add(
        np.array(
            [parent.sum(axis=0), parent.sum(axis=0), child.sum(axis=0), (rng.random((2, 20_000)) < 0.3).sum(axis=0)]
        )
    )
    found = kinship.concordance()
    assert found[0, 1] == 1 and found[0, 2] == pytest.approx(1 / 3, abs=0.015)
    assert found[0, 3] == pytest.approx(0.42 / 1.58, abs=0.015)


def test_in_one_split_they_are_no_leak():
    found = relations(cohort(np.random.default_rng(0)), NAMES, ["train"] * 42)
    assert [audit.status for audit in found.audits] == ["WARN", "PASS", "PASS"]


def test_kinship_over_little_of_the_genome_is_said_to_be_chance():
    found = relations(cohort(np.random.default_rng(0), variants=40), NAMES)
    assert found.noise > 0.05 and found.audits[2].status == "WARN" and "chance" in found.audits[2].sentence
    # Pairs that chance explains are not named.
    assert (found.pairs["kinship"] > 0.3).all() and len(found.pairs) <= 4


def test_groups_that_swallow_a_split_stop_with_the_shares():
    asked = {"train": 0.7, "validation": 0.1, "test": 0.2}
    split = ["train"] * 5 + ["validation"] * 16 + ["test"] * 139
    with pytest.raises(InputError, match=r"leave 5 for train \(3% for 70%\).*largest group has 139 of 160 samples"):
        require_shares(split, asked, [0] * 139 + list(range(1, 22)), "samples", "people.kinship", "Raise it.")
    good = ["train"] * 110 + ["validation"] * 17 + ["test"] * 33
    assert require_shares(good, asked, range(160), "samples", "people", "").status == "PASS"
    poor = ["train"] * 120 + ["validation"] * 10 + ["test"] * 30  # 6 % where 10 % were asked for
    assert require_shares(poor, asked, range(160), "samples", "people", "").status == "WARN"
