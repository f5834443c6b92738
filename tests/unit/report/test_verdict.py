import numpy as np
import pandas as pd
import pytest
from glmflow.report.verdict import judge, other_levels, overlap, unequal_training


def rows(*runs, seeds=2):
    """Rows of a ranked cell from (model, adaptation, origin, value, half width)."""
    table = pd.DataFrame(runs, columns=["model", "adaptation", "origin", "value", "half"])
    return table.assign(ci_low=table["value"] - table["half"], ci_high=table["value"] + table["half"], seeds=seeds)


PRETRAINED = ("tiny", "full", "pretrained", 0.80, 0.02)
SCRATCH = ("cnn", "full", "scratch", 0.70, 0.02)
BASELINE = ("mean_track", "baseline", "baseline", 0.50, 0.02)


def sentence(*runs):
    return judge(rows(*runs), "base_log1p_pearson", "test").sentence


def test_a_clear_leader_is_said_to_lead_with_margin_and_baseline():
    text = sentence(PRETRAINED, SCRATCH, BASELINE)
    assert text.startswith("tiny (full) leads on log1p Pearson r per base, pooled (test split) by 0.100:")
    assert "0.800 [0.780, 0.820] against 0.700 [0.680, 0.720] of cnn (full), intervals do not overlap" in text
    assert text.endswith("tiny (full) beats the baseline mean_track (0.500 [0.480, 0.520]).")


def test_overlapping_intervals_are_not_called_a_lead():
    close = ("cnn", "full", "scratch", 0.79, 0.02)
    text = sentence(PRETRAINED, close, BASELINE)
    assert "tiny (full) and cnn (full) cannot be told apart" in text
    assert "leads" not in text


def test_a_baseline_that_wins_is_named_and_no_model_is_said_to_beat_it():
    winner = ("kmer_ridge", "baseline", "baseline", 0.9, 0.02)
    text = sentence(winner, PRETRAINED, BASELINE)
    assert text.startswith("kmer_ridge leads")
    assert "no model beats the baselines: the best, tiny (full), reaches 0.800 [0.780, 0.820]." in text
    assert "tiny (full) beats" not in text


def test_ahead_of_the_baseline_within_the_intervals_is_not_beating_it():
    near = ("kmer_ridge", "baseline", "baseline", 0.785, 0.02)
    text = sentence(PRETRAINED, near, BASELINE)
    assert "tiny (full) is ahead of both baselines, but not by more than the intervals" in text


def test_baselines_are_counted():
    third = ("kmer_ridge", "baseline", "baseline", 0.4, 0.02)
    fourth = ("gene_mean", "baseline", "baseline", 0.3, 0.02)
    assert "beats all 3 baselines (the best, mean_track, reaches" in sentence(PRETRAINED, BASELINE, third, fourth)


def test_what_cannot_be_said_is_not_said():
    assert "there is nothing to compare it with" in sentence(PRETRAINED)
    assert "no baseline was run" in sentence(PRETRAINED, SCRATCH)
    assert "all of them are baselines" in sentence(BASELINE, ("kmer_ridge", "baseline", "baseline", 0.4, 0.02))
    assert "nothing can be said" in sentence(("tiny", "full", "pretrained", np.nan, np.nan))
    no_interval = ("tiny", "full", "pretrained", 0.8, np.nan)
    assert "without intervals, so this may be chance" in sentence(no_interval, SCRATCH, BASELINE)


def test_a_row_without_a_value_does_not_take_part():
    failed = ("masked", "full", "pretrained", np.nan, np.nan)
    assert sentence(PRETRAINED, SCRATCH, BASELINE, failed) == sentence(PRETRAINED, SCRATCH, BASELINE)


def test_notes_tell_of_single_seeds_and_of_training_from_scratch():
    first = ("cnn", "full", "scratch", 0.9, 0.02)
    notes = " ".join(judge(rows(first, PRETRAINED, seeds=1), "base_pearson", "test").notes)
    assert "cnn (full) was trained from scratch; the best pretrained model, tiny (full), reaches 0.800" in notes
    assert "single seed" in notes


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((0, 1), (1, 2), True), ((0, 1), (1.01, 2), False), ((0, 3), (1, 2), True), ((0, np.nan), (1, 2), None)],
)
def test_overlap(one, other, expected):
    a, b = (pd.Series({"ci_low": low, "ci_high": high}) for low, high in (one, other))
    assert overlap(a, b) is expected
    assert overlap(b, a) is expected


def test_a_baseline_that_is_told_the_genes_is_named_apart_and_not_a_rival():
    told = ("kmer_promoter", "baseline", "told", 0.95, 0.01)
    verdict = judge(rows(told, PRETRAINED, BASELINE), "base_log1p_pearson", "test")
    assert verdict.sentence.startswith("tiny (full) leads")
    assert "beats the baseline mean_track" in verdict.sentence
    assert any(note.startswith("kmer_promoter reaches 0.950 [0.940, 0.960]") for note in verdict.notes)


def test_a_lead_per_base_is_held_against_the_levels_of_genes_and_fold_changes():
    """The model knows where exons lie (0.80 > 0.50) but not how much of a gene there is."""
    near = rows((*BASELINE[:3], 0.15, 0.18), (*PRETRAINED[:3], 0.14, 0.18))
    behind = rows((*BASELINE[:3], 0.30, 0.02), (*PRETRAINED[:3], 0.10, 0.02))
    ahead = rows((*PRETRAINED[:3], 0.40, 0.02), (*BASELINE[:3], 0.00, 0.02))
    close = rows((*PRETRAINED[:3], 0.20, 0.18), (*BASELINE[:3], 0.14, 0.18))
    others = [("gene_log1p_pearson", table) for table in (near, behind, ahead, close)]
    notes = other_levels(rows(PRETRAINED, BASELINE), others)
    assert [note.split(": ")[0] for note in notes] == [
        f"On log1p Pearson r across genes {finding}"
        for finding in ("it falls behind", "it falls behind", "it leads too", "the lead is within chance")
    ]
    assert notes[2].endswith("0.400 [0.380, 0.420] against 0.000 [−0.020, 0.020] of mean_track.")
    assert other_levels(rows(BASELINE, PRETRAINED), others) == []


def test_unequal_training_is_said():
    cell = rows(SCRATCH, PRETRAINED, BASELINE).assign(key=["a", "b", "c"])
    bases = pd.Series({"a": 59e6, "b": 0.41e6, "c": np.nan})
    (note,) = unequal_training(cell, bases)
    assert "cnn (full) was fitted on 59 Mb of sequence, the other models on 0.41 Mb" in note
    assert unequal_training(cell, bases.replace(0.41e6, 50e6)) == []
    assert unequal_training(cell, pd.Series({"a": 59e6})) == []
