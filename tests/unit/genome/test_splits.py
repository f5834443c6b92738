"""Splits share no base of the genome; a split that cannot be made is refused."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.splits import assign_splits, covered, require_disjoint, shared_bases, split_regions, used_contigs
from glmflow.genome.windows import make_windows
from hypothesis import assume, given, settings
from hypothesis import strategies as st

CONTIGS = {"chr1": 10_000, "chr2": 6_000, "chr3": 50}
BY_CONTIG = {"by": "contig", "train": ["chr1"], "validation": [], "test": ["chr2"]}
BLOCKS = {"by": "block", "block": 1_000, "validation": 0.1, "test": 0.2, "gap": 100, "seed": 1}


def bases(windows, split, contigs):
    """Mark every base that a window of the split covers."""
    seen = {chrom: np.zeros(length, bool) for chrom, length in contigs.items()}
    for row in windows[windows["split"] == split].itertuples():
        seen[row.chrom][row.start : row.end] = True
    return np.concatenate(list(seen.values()))


def test_contigs_in_use_are_those_of_the_genome():
    assert used_contigs(CONTIGS, None) == CONTIGS
    assert list(used_contigs(CONTIGS, ["chr3", "chr1"]).items()) == [("chr1", 10_000), ("chr3", 50)]
    with pytest.raises(InputError, match="no contig '1', 'chrX'"):
        used_contigs(CONTIGS, ["1", "chr2", "chrX"])


def test_whole_contigs():
    windows = make_windows(CONTIGS, 100, 50)
    assigned, counts = assign_splits(windows, BY_CONTIG, CONTIGS, 100)
    assert dict(zip(assigned["chrom"], assigned["split"])) == {"chr1": "train", "chr2": "test"}
    assert counts == {"between_splits": 0, "other_contig": 1}
    assert len(assigned) == len(windows) - 1


@settings(deadline=None)
@given(
    size=st.integers(10, 120),
    extra=st.integers(0, 60),
    block=st.integers(300, 1_500),
    validation=st.sampled_from([0, 0.1, 0.3]),
    test=st.sampled_from([0.1, 0.3, 0.5]),
    seed=st.integers(0, 1_000),
    data=st.data(),
)
def test_blocks_share_nothing_and_lie_a_gap_apart(size, extra, block, validation, test, seed, data):
    splits = {
        "by": "block",
        "block": block,
        "gap": size + extra,
        "validation": validation,
        "test": test,
        "seed": seed,
    }
    contigs = {"a": 8_000, "b": 2_999}
    windows = make_windows(contigs, size, data.draw(st.integers(0, size // 2)))
    try:
        assigned, counts = assign_splits(windows, splits, contigs, size)
    except InputError:
        assume(False)
    for a, b in combinations(("train", "validation", "test"), 2):
        assert not (bases(assigned, a, contigs) & bases(assigned, b, contigs)).any()
    for _, contig in assigned.groupby("chrom"):
        for (_, one), (_, other) in combinations(contig.groupby("split"), 2):
            apart = np.maximum(
                one["start"].to_numpy()[:, None] - other["end"].to_numpy(),
                other["start"].to_numpy() - one["end"].to_numpy()[:, None],
            )
            assert apart.min() >= size + extra
    assert (shared_bases(assigned)["bases"] == 0).all()
    assert len(assigned) + sum(counts.values()) == len(windows)
    assert ("validation" in set(assigned["split"])) == (validation > 0)


def test_the_draw_of_blocks_depends_on_the_seed_alone():
    first = split_regions(BLOCKS, CONTIGS, 100)
    pd.testing.assert_frame_equal(first, split_regions(dict(BLOCKS), CONTIGS, 100))
    others = [split_regions(BLOCKS | {"seed": seed}, CONTIGS, 100) for seed in range(2, 6)]
    assert any(not first.equals(other) for other in others)


def test_shares_of_blocks_are_those_asked_for():
    contigs = {"a": 100_000}
    regions = split_regions(BLOCKS | {"gap": 100}, contigs, 100)
    lengths = (regions["end"] - regions["start"]).groupby(regions["split"]).sum()
    # 10 of 100 blocks of 1,000 for validation and 20 for testing; each loses at most its gap
    assert 9_000 <= lengths["validation"] <= 10_000
    assert 18_000 <= lengths["test"] <= 20_000


def test_shared_bases_counts_positions_once():
    windows = pd.DataFrame(
        [
            ("a", 0, 10, "train"),
            ("a", 5, 15, "train"),
            ("a", 12, 20, "test"),
            ("a", 8, 14, "test"),
            ("b", 0, 9, "test"),
            ("b", 8, 9, "validation"),
        ],
        columns=["chrom", "start", "end", "split"],
    )
    found = shared_bases(windows).set_index(["split_a", "split_b"])["bases"].to_dict()
    assert found == {("train", "validation"): 0, ("train", "test"): 7, ("validation", "test"): 1}
    with pytest.raises(InputError, match="train and test share 7 bases"):
        require_disjoint(windows)
    assert require_disjoint(windows[windows["split"] != "test"])["bases"].tolist() == [0]


def test_random_windows_of_one_contig_leak():
    """Half-overlapping windows drawn at random share bases: the reason for splitting by block."""
    windows = make_windows({"a": 100_000}, 1_000, 500)
    drawn = np.random.default_rng(1).random(len(windows)) < 0.1
    leaky = windows.assign(split=np.where(drawn, "test", "train"))
    expected = (bases(leaky, "train", {"a": 100_000}) & bases(leaky, "test", {"a": 100_000})).sum()
    assert shared_bases(leaky)["bases"].tolist() == [expected]
    assert expected > 0.9 * covered(leaky[leaky["split"] == "test"])


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        (BY_CONTIG | {"train": ["chr9"]}, r"splits\.train: no contig 'chr9'"),
        (BY_CONTIG | {"test": ["chr1"]}, r"splits\.test: contig 'chr1' is also in train"),
        (BY_CONTIG | {"train": []}, "no window is left for the train split"),
        (BY_CONTIG | {"by": "person"}, r"splits\.by"),
        (BLOCKS | {"gap": 99}, r"splits\.gap: a gap of 99 with windows of 100"),
        (BLOCKS | {"block": 199}, r"splits\.block.*at least 200"),
        (BLOCKS | {"validation": 0.6, "test": 0.6}, "leave none to train on"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(splits, words):
    windows = make_windows(CONTIGS, 100, 50)
    with pytest.raises(InputError, match=words):
        assign_splits(windows, splits, CONTIGS, 100)


def test_a_test_split_without_windows_is_refused():
    windows = make_windows({"chr1": 10_000}, 100, 50)
    with pytest.raises(InputError, match="no window is left for the test split"):
        assign_splits(windows, BY_CONTIG, CONTIGS, 100)


def test_one_block_cannot_be_split():
    windows = make_windows({"chr1": 10_000}, 100, 50)
    with pytest.raises(InputError, match="1 blocks of 9000 leave none to train on"):
        assign_splits(windows, BLOCKS | {"block": 9_000}, {"chr1": 10_000}, 100)
