"""Population classes: draws, splits and distinct haplotypes of made and of real samples."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.tasks.populations.distinctness import haplotype_numbers, seen_haplotypes, window_report
from glmflow.tasks.populations.population_samples import (
    densest_windows,
    draw_samples,
    haplotype_rows,
    redraw,
    split_haplotypes,
)


@pytest.fixture
def people():
    names = [f"s{i:02}" for i in range(40)]
    table = pd.DataFrame({"sample": names, "population": ["B"] * 15 + ["A"] * 20 + ["C"] * 5})
    table["family"] = [f"f{i // 2}" if i < 6 else name for i, name in enumerate(names)]
    return table


WINDOWS = pd.DataFrame({"chrom": ["1", "1", "2"], "start": [0, 500, 0], "end": [100, 600, 100]})


def test_classes_are_sorted_and_equally_large_and_drawn_alike_each_time(people):
    drawn = draw_samples(people, "population", people["sample"], None, seed=3)
    assert drawn.groupby("label").size().to_dict() == {"A": 15, "B": 15}
    assert drawn.groupby("label")["target"].unique().map(list).to_dict() == {"A": [0], "B": [1]}
    shuffled = people.sample(frac=1, random_state=0)
    again = draw_samples(shuffled, "population", people["sample"], ["B", "A"], seed=3)
    assert drawn["sample"].tolist() == again["sample"].tolist()
    with pytest.raises(InputError, match="class C has fewer than 6"):
        draw_samples(people, "population", people["sample"], ["A", "C"], seed=3)
    with pytest.raises(InputError, match="no column 'ancestry'"):
        draw_samples(people, "ancestry", people["sample"], None, seed=3)


@pytest.mark.parametrize("scheme", ["samples", "loci", "haplotypes"])
def test_what_is_kept_apart(people, scheme):
    rows = haplotype_rows(draw_samples(people, "population", people["sample"], None, 1), WINDOWS)
    assert len(rows) == 30 * 2 * 3 and not rows["example"].duplicated().any()
    split = split_haplotypes(rows, scheme, {"test": 0.34}, seed=1)
    held, known = rows[split == "test"], rows[split == "train"]
    assert len(held) and len(held) + len(known) == len(rows)
    apart = {
        "samples": not set(held["sample"]) & set(known["sample"]) and not set(held["group"]) & set(known["group"]),
        "loci": not set(held["window"]) & set(known["window"]),
        "haplotypes": bool(set(held["sample"]) & set(known["sample"])),
    }
    assert apart[scheme]
    assert (split == split_haplotypes(rows, scheme, {"test": 0.34}, seed=1)).all()


def test_drawn_again_relatives_have_one_class_and_test_haplotypes_their_own(people):
    drawn = draw_samples(people, "population", people["sample"], None, 1)
    rows = haplotype_rows(drawn, pd.DataFrame({"chrom": ["1"], "start": [0], "end": [9]}))
    rows = rows.assign(
        split=split_haplotypes(rows, "samples", {"validation": 0.2, "test": 0.3}, 1), target=rows["label"]
    )
    one, other = redraw(rows, 1), redraw(rows, 2)
    assert (one["target"] != rows["target"]).any() and (one["target"] != other["target"]).any()
    assert (one.groupby("group")["target"].nunique() == 1).all()
    test = rows["split"] == "test"
    assert test.any() and (one["target"] == rows["target"])[test].all()
    pd.testing.assert_frame_equal(one, redraw(rows, 1))


def test_identical_haplotypes_are_counted():
    alleles = np.array([[0, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0], [1, 1, 1]], np.uint8)
    number = haplotype_numbers(alleles)
    assert len(set(number)) == 4 and number[0] == number[1] and number[2] == number[4]
    split = np.array(["train", "test", "train", "train", "test", "test"], object)
    sample = np.array(["a", "b", "c", "c", "b", "c"], object)
    unseen, counts = seen_haplotypes(number, split, sample)
    assert unseen.tolist() == [False] * 5 + [True]
    assert counts == {
        "haplotypes": 6,
        "distinct_haplotypes": 4,
        "test": 3,
        "test_haplotypes_identical_to_a_training_one": 2,
        "test_haplotypes_whose_person_is_in_training": 1,
    }


@pytest.mark.real
def test_real_windows_hold_as_many_distinct_haplotypes_as_expected(test_data, tmp_path):
    """Who is drawn differs from the reference, so that counts agree within a tenth."""
    from glmflow.genome.gene_windows import GeneWindows
    from glmflow.genome.haplotypes import HaplotypeReader
    from glmflow.genome.reference import Reference
    from glmflow.genome.variants import build_store
    from glmflow.tasks.populations.distinctness import window_alleles

    genome = Reference(test_data / "human_chr20/genome.fa")
    store = build_store(test_data / "human_chr20/cohort.vcf.gz", genome, tmp_path / "store")
    reader = GeneWindows(HaplotypeReader(store, genome, "all"))
    table = pd.read_csv(test_data / "sequences/people/1000_genomes.panel", sep="\t")
    drawn = draw_samples(table, "population", store.samples, ["GBR", "FIN", "IBS"], seed=1, most=90)
    assert drawn.groupby("label").size().tolist() == [90, 90, 90]
    wanted = json.loads((test_data / "sequences/expected/populations_chr20w.json").read_text())["results"]
    windows = pd.DataFrame([{"chrom": "chr20w", "start": w["window"][0], "end": w["window"][1]} for w in wanted])
    rows = haplotype_rows(drawn, windows)
    split = split_haplotypes(rows, "samples", {"test": 1 / 3}, seed=1)
    numbers = []
    for figures, window in zip(wanted, windows.itertuples(index=False)):
        alleles = window_alleles(reader, window.chrom, window.start, window.end, drawn["sample"].tolist())
        assert alleles.shape == (540, pytest.approx(figures["variants"], rel=0.1))
        numbers.append(haplotype_numbers(alleles))
    report = window_report(rows, np.concatenate(numbers), split)
    for figures, row in zip(wanted, report.itertuples(index=False)):
        assert row.distinct_haplotypes == pytest.approx(figures["distinct_haplotypes"], rel=0.1)
        assert row.test == figures["people_apart"]["test"]
        identical = figures["people_apart"]["test_haplotypes_identical_to_a_training_one"]
        assert row.test_haplotypes_identical_to_a_training_one == pytest.approx(identical, abs=18)
        assert row.test_haplotypes_whose_person_is_in_training == 0
    dense = densest_windows(store, genome.contigs, 8192, 3, drawn["sample"].tolist())
    assert len(dense) == 3 and (dense["start"] % 8192 == 0).all()
