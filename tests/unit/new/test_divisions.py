"""Contigs that are used and held out, and the length of windows."""

import pytest
from glmflow.config import check_study
from glmflow.new.divisions import divide, window_bp

# Lengths of GRCh38 (Genome Reference Consortium), in whole megabases: shares are what matters here.
GRCH38 = {f"chr{n}": mb * 1_000_000 for n, mb in enumerate(
    [249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51], 1)}  # fmt: skip
OTHERS = {
    "chrX": 156_000_000,
    "chrY": 57_000_000,
    "chrM": 16_569,
    "chrUn_KI270302v1": 2274,
    "chr6_GL000250v2_alt": 4_672_374,
}


def test_of_the_human_genome_autosomes_are_used_and_the_last_ones_held_out():
    found = divide(GRCH38 | OTHERS, 32_768)
    assert found.contigs == list(GRCH38)
    assert found.splits["test"] == ["chr19", "chr20", "chr21", "chr22"] and found.splits["validation"] == ["chr18"]
    assert "5 of 27 contigs" in found.guesses[0]


@pytest.mark.parametrize("contigs", [{"a": 1_000_000}, {"a": 400_000, "b": 600_000}, {"a": 90_000}])
def test_a_genome_of_one_or_two_contigs_is_split_in_blocks_that_hold_windows(contigs):
    window = window_bp(contigs)
    splits = divide(contigs, window).splits
    assert splits["by"] == "block" and splits["gap"] >= window and splits["block"] >= splits["gap"] + window


@pytest.mark.parametrize("contigs", [dict.fromkeys("abc", 50_000), dict.fromkeys("abcdefgh", 3_000_000), GRCH38])
def test_every_contig_is_in_one_split_and_most_are_learned_from(contigs):
    splits = divide(contigs, window_bp(contigs)).splits
    named = [*splits["train"], *splits["validation"], *splits["test"]]
    assert sorted(named) == sorted(contigs) and all(splits[split] for split in ("train", "validation", "test"))


@pytest.mark.parametrize(
    ("total", "window"), [(3_000_000_000, 32_768), (1_000_000, 8192), (50_000, 1024), (204_800, 2048)]
)
def test_windows_are_as_long_as_a_hundred_of_them_fit(total, window):
    assert window_bp({"one": total}) == window


def test_the_splits_are_a_study_s():
    splits = divide({"a": 1_000_000}, 8192).splits
    base = {"kind": "mean_track"}
    study = check_study(
        {
            "study": "s",
            "reference": {"fasta": "g.fa"},
            "tracks": {"t": {"biosample": "b", "replicates": ["t.bw"]}},
            "splits": splits,
            "tasks": {"t": {"kind": "rnaseq_tracks", "windows": {"size": 8192, "overlap": 4096}}},
            "models": {"m": {"baseline": base}},
            "adaptations": {"b": {"kind": "baseline"}},
            "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["b"]}],
        }
    )
    assert study.splits.block == splits["block"]
