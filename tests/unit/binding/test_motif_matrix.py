"""Regions x motif clusters: a chain of bedtools as the oracle (expected/get_matrix.json)."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.motif_files import Motif
from glmflow.binding.motif_matrix import (
    accessibility_of_counts,
    best_of_overlapping,
    cluster_hits,
    cluster_sums,
    motif_matrix,
)
from glmflow.genome.reference import Reference

HIT = ["chrom", "start", "end", "cluster", "score"]


@pytest.fixture(scope="module")
def oracle(test_data):
    found = json.loads((test_data / "seq2cellxtf/expected/get_matrix.json").read_text())
    found["regions"] = pd.DataFrame(found["peaks"], columns=["chrom", "start", "end"])
    found["table"] = pd.DataFrame([hit[:5] for hit in found["hits"]], columns=HIT)
    return found


def test_the_matrix_is_that_of_bedtools(oracle):
    sums = cluster_sums(oracle["regions"], oracle["table"], oracle["clusters"])
    assert sums == pytest.approx(np.array(oracle["sums"]), abs=1e-6)
    assert accessibility_of_counts(oracle["counts"]) == pytest.approx(oracle["accessibility"], abs=1e-6)
    found = motif_matrix(sums, oracle["counts"])
    assert found.kept.tolist() == oracle["kept"]
    assert found.values[:, :-1] == pytest.approx(np.array(oracle["scaled"]), abs=1e-6)
    assert found.values[:, -1] == pytest.approx(np.array(oracle["accessibility"])[found.kept], abs=1e-6)


def test_sums_do_not_depend_on_the_order_of_regions(oracle):
    order = np.random.default_rng(0).permutation(len(oracle["regions"]))
    sums = cluster_sums(oracle["regions"].iloc[order], oracle["table"], oracle["clusters"])
    assert sums == pytest.approx(np.array(oracle["sums"])[order])


def test_sums_of_regions_that_lie_in_others_are_those_of_a_loop():
    rng = np.random.default_rng(3)
    start, at = rng.integers(0, 1500, 50), rng.integers(0, 1800, 80)
    regions = pd.DataFrame({"chrom": "c", "start": start, "end": start + rng.integers(1, 300, 50)})
    hits = pd.DataFrame({"chrom": "c", "start": at, "end": at + rng.integers(4, 20, 80)})
    hits = hits.assign(cluster=rng.choice(["A", "B"], 80), score=rng.normal(size=80))
    expected = np.zeros((50, 2))
    for row, region in enumerate(regions.itertuples()):
        for hit in hits.itertuples():
            if hit.start < region.end and region.start < hit.end:
                expected[row, "AB".index(hit.cluster)] += hit.score
    assert cluster_sums(regions, hits, ["A", "B"]) == pytest.approx(expected)


def test_a_kept_scale_is_used_again_and_binary_accessibility_is_one(oracle):
    sums = np.array(oracle["sums"])
    first = motif_matrix(sums[:7], oracle["counts"][:7])
    again = motif_matrix(sums[7:], oracle["counts"][7:], binary=True, scale=first.scale)
    assert again.values.max() <= 1 and set(again.values[:, -1]) == {1.0}
    assert again.values[:, 0] == pytest.approx(np.clip(sums[7:][again.kept, 0] / first.scale[0], 0, 1))
    assert motif_matrix(sums, None).kept.tolist() == list(range(len(sums)))


def test_hits_are_found_across_the_edges_of_regions(tmp_path):
    site = "ACGTTGCATG"
    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("ACGT"), 100)) + site + "".join(rng.choice(list("ACGT"), 90))
    (tmp_path / "genome.fa").write_text(f">c\n{text}\n")
    counts = np.where(np.eye(4)[["ACGT".index(base) for base in site]] > 0, 100.0, 0.0)
    regions = pd.DataFrame({"chrom": "c", "start": [105, 20], "end": [150, 60]})
    hits = cluster_hits(Reference(tmp_path / "genome.fa"), regions, [Motif("M1", "X", counts)], {"M1": "X/1"})
    assert ((hits["start"] == 100) & (hits["end"] == 110) & (hits["strand"] == "+")).any()
    sums = cluster_sums(regions, hits, ["X/1", "other"])
    assert sums[0, 0] >= 10 * np.log(1 / 0.2977) and (sums[:, 1] == 0).all()


def test_of_overlapping_hits_of_a_cluster_the_best_is_kept():
    rows = [("c", 0, 10, "A", 3.0), ("c", 5, 15, "A", 5.0), ("c", 15, 20, "A", 1.0), ("c", 6, 9, "B", 1.0)]
    found = best_of_overlapping(pd.DataFrame(rows, columns=HIT))
    assert found["score"].tolist() == [5.0, 1.0, 1.0] and found["start"].tolist() == [5, 6, 15]
