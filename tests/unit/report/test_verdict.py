"""The sentence of a verdict, on tables of comparisons made of scores that are known."""

import numpy as np
import pandas as pd
import pytest
from glmflow.comparing.comparison import compare_runs
from glmflow.report.comparison_tables import Compared
from glmflow.report.kinds import find_kind
from glmflow.report.run_tables import headline_cell
from glmflow.report.verdict import board, judge, notes_of, other_levels, scratch_notes, unequal_training, what_of
from glmflow.statistics.influence import mean_value
from glmflow.statistics.stored import Stored
from glmflow.tasks.comparable import cell

METRIC = find_kind("rnaseq_tracks").metric
PRETRAINED = ("tiny (full)", "model", [0.80])
SCRATCH = ("cnn (full)", "model", [0.70])
BASELINE = ("mean_track", "baseline", [0.50])
NAME = "base_log1p_pearson"


def compared(*runs, metric=NAME, split="test", spread=0.1, **more):
    """Runs of (label, role, values of its seeds) with independent errors over 100 units."""
    facts, stored = [], []
    for number, (label, role, values, *rest) in enumerate(runs):
        facts += [
            {"folder": label, "key": label, "label": label, "role": role, "control_of": None, "seeded": role == "model"}
            | {"backbone": None, "random": False, **(rest[0] if rest else {})}
        ] * len(values)
        noise = spread * np.random.default_rng(number).normal(size=100)
        for value in values:
            score = mean_value(value + noise - noise.mean())
            one = Stored(score._replace(plays=value != 0), "units", **more)
            stored.append({cell(metric, split): one})
    found = compare_runs(facts, stored)
    return Compared(found.rows, found.notes, found.warnings)


def rows(*runs, metric=NAME, split="test", **more):
    return compared(*runs, metric=metric, split=split, **more).cell(metric, split)[0]


def sentence(*runs, metric=NAME, **more):
    return judge(rows(*runs, metric=metric, **more), METRIC(metric), what_of(METRIC(metric), "test"))


def test_a_model_that_beats_its_baselines_is_said_to_with_the_difference():
    text = sentence(PRETRAINED, SCRATCH, BASELINE)
    assert text.startswith("tiny (full) beats mean_track on log1p Pearson r per base, pooled (test split): 0.800 [0.7")
    assert "against 0.500 [0.4" in text and "of mean_track, difference +0.300 [+0.2" in text
    assert text.endswith("; tiny (full) leads.")


def test_a_control_says_what_it_reaches_and_beats_nothing():
    found = rows(PRETRAINED, BASELINE)
    found.loc[found["role"] == "model", ["verdict", "leads"]] = ["control", False]
    text = judge(found, METRIC(NAME), what_of(METRIC(NAME), "test"))
    assert text.startswith("This task is a control: tiny (full) reaches 0.800 [0.7") and "mean_track 0.500 [0.4" in text
    assert "beats" not in text and "leads" not in text


def test_models_that_are_not_told_apart_share_the_first_place():
    text = sentence(PRETRAINED, ("cnn (full)", "model", [0.79]), BASELINE)
    assert text.endswith(
        "; tiny (full) and cnn (full) share the first place: the difference between them may be chance."
    )
    assert "leads" not in text


def test_a_baseline_that_wins_is_named_and_no_model_is_said_to_beat_it():
    text = sentence(PRETRAINED, ("kmer_ridge", "baseline", [0.9]), BASELINE)
    assert text.startswith("No model beats the baselines on log1p Pearson") and text.endswith("; kmer_ridge leads.")
    assert "the best, tiny (full), reaches 0.800" in text and "of kmer_ridge, difference −0.100" in text


def test_a_model_that_is_not_above_chance_is_not_said_to_lead():
    text = sentence(("tiny (full)", "model", [0.01]), ("cnn (full)", "model", [-0.5]))
    assert text.startswith("No model is clearly ahead") and "chance" in text and "leads" not in text


def test_ahead_within_the_intervals_is_not_beating():
    text = sentence(PRETRAINED, ("kmer_ridge", "baseline", [0.785]), BASELINE)
    assert text.startswith("No model is clearly ahead on") and "of kmer_ridge, difference +0.015 [" in text
    assert text.count("clearly ahead") == 1 and "share the first place" in text


def test_a_baseline_that_predicts_one_value_is_not_beaten():
    text = sentence(PRETRAINED, ("gene_mean", "baseline", [0.0]))
    assert text.startswith("tiny (full) is above chance on") and "beats" not in text
    assert "no baseline can play here, so that none counts as beaten" in text
    assert "no baseline was run" in sentence(PRETRAINED, SCRATCH)


def test_a_model_whose_seeds_disagree_is_not_said_to_beat():
    runs = ("tiny (full)", "model", [0.45, 0.7, 0.72, 0.71]), BASELINE
    assert "No model is clearly ahead" in sentence(*runs, spread=0.01)
    (line,) = [line for line in board(rows(*runs, spread=0.01), "x").lines if line.role == "model"]
    assert "its seeds disagree: 1 of 4 are not ahead of mean_track" in line.why
    steady = ("cnn (full)", "model", [0.62, 0.63, 0.62])
    text = sentence(("tiny (full)", "model", [0.45, 0.7, 0.72, 0.71]), steady, BASELINE, spread=0.01)
    assert text.startswith("cnn (full) beats mean_track") and "tiny (full) has the higher mean" in text


def test_what_cannot_be_said_is_not_said():
    assert "Only baselines were run" in sentence(BASELINE, ("kmer_ridge", "baseline", [0.4]))
    assert "No model tells anything apart" in sentence(("tiny (full)", "model", [0.0]), BASELINE)
    nothing = judge(pd.DataFrame(columns=["verdict", "role"]), METRIC(NAME), "x")
    assert nothing == "The runs were not compared on x, so nothing can be said of who beats what."


def test_runs_are_not_ranked_by_a_metric_without_direction():
    for name in ("gene_deviation_fourfold", "no_such_metric"):
        text = judge(rows(PRETRAINED, BASELINE), METRIC(name), name)
        assert text.startswith("Runs are not ranked by") and "leads" not in text


def test_a_metric_of_which_less_is_better_is_led_by_the_least():
    text = sentence(("tiny (full)", "model", [0.2]), BASELINE, metric="base_mse", higher=False, chance=None)
    assert text.startswith("tiny (full) beats mean_track on MSE per base, pooled (test split): 0.200")
    assert "difference +0.300" in text


def test_a_score_on_the_split_that_chose_is_called_validation():
    found = compared(PRETRAINED, BASELINE, split="validation")
    chosen, notes = found.cell(NAME, "validation")
    text = judge(chosen, METRIC(NAME), what_of(METRIC(NAME), "validation"))
    assert "(validation split)" in text
    assert any("of the split that chose (validation)" in note for note in notes)
    assert not any("held out" in note or "held-out" in note for note in (*notes, text))
    assert not any("split that chose" in note for note in compared(PRETRAINED, BASELINE).notes["note"])


def test_a_score_on_training_rows_is_said_to_be_none_of_new_data():
    notes = compared(PRETRAINED, BASELINE, split="train").notes["note"]
    assert any(note.startswith("These scores are of what was trained on") for note in notes)


@pytest.mark.parametrize("splits", [("train", "validation"), ("validation", "train"), ("train", "fold2")])
def test_a_verdict_is_about_training_only_where_there_is_nothing_else(splits):
    table = pd.DataFrame({"task": "t", "metric": NAME, "split": splits, "subset": "all", "protocol": "strict"})
    table = table.assign(context_bp="", track="all", value=0.5, model="m", adaptation="full")
    assert headline_cell(table, "t", "test", METRIC(NAME))["split"].item() == (set(splits) - {"train"}).pop()
    only = table[table["split"] == "train"]
    assert headline_cell(only, "t", "test", METRIC(NAME))["split"].item() == "train"


def test_a_run_whose_score_is_not_a_number_shares_no_place():
    nothing = float("nan")
    found = compared(PRETRAINED, ("cnn (full)", "model", [0.4, nothing]), BASELINE)
    cell_, notes = found.cell(NAME, "test")
    text = judge(cell_, METRIC(NAME), "x")
    assert text.startswith("tiny (full) beats mean_track") and text.endswith("; tiny (full) leads.")
    assert "Not compared, since the score is not a number: cnn (full)." in notes
    assert not any("One block" in note or "models were compared" in note for note in notes)
    found = compared(PRETRAINED, ("mean_track", "baseline", [nothing]))
    assert judge(found.cell(NAME, "test")[0], METRIC(NAME), "x").startswith("tiny (full) is above chance on x")
    assert not any("one value for everything" in note for note in found.notes["note"])
    text = sentence(("tiny (full)", "model", [nothing]), BASELINE)
    assert text.startswith("No model tells anything apart") and "tiny (full): its score is not a number" in text


def test_a_model_that_makes_no_error_at_all_is_warned_of():
    less = {"higher": False, "chance": None, "metric": "base_mse"}
    (said,) = compared(("tiny (full)", "model", [0.0001]), ("b", "model", [0.0]), BASELINE, spread=0, **less).said()
    assert said.startswith("FAIL: test: an error of 0 or less in 1 run") and said.endswith(": b.")
    assert compared(PRETRAINED, BASELINE, **less).said() == ()


def test_the_spread_of_seeds_and_the_choice_among_models_are_always_said():
    found = compared(("tiny (full)", "model", [0.8, 0.81]), SCRATCH, BASELINE)
    notes = found.cell(NAME, "test")[1]
    assert any(note.startswith("tiny (full): 2 seeds, 0.800 to 0.810") for note in notes)
    assert "One seed, whose spread is not known: cnn (full)." in notes
    assert any(note.startswith("2 models were compared on these units") for note in notes)
    lines = {line.label: line for line in board(found.cell(NAME, "test")[0], "x").lines}
    assert lines["tiny (full)"].seeds == "2 seeds, 0.800 to 0.810" and lines["cnn (full)"].seeds == "1 seed"
    assert lines["tiny (full)"].verdict == "beats mean_track" and lines["mean_track"].seeds == ""


def test_a_baseline_that_is_given_more_is_named_apart_and_no_rival():
    informed = ("kmer_promoter", "told", [0.95])
    assert sentence(PRETRAINED, informed, BASELINE).startswith("tiny (full) beats mean_track")
    (note,) = notes_of(rows(PRETRAINED, informed, BASELINE), [], {"kmer_promoter": "the start of every gene"})
    assert note.startswith("kmer_promoter reaches 0.950 [0.9") and "it is given the start of every gene" in note


def test_a_lead_per_base_is_held_against_the_levels_of_genes_and_fold_changes():
    near, behind, ahead = (
        rows(("tiny (full)", "model", [value]), ("mean_track", "baseline", [other]), metric="gene_log1p_pearson")
        for value, other in ((0.14, 0.15), (0.10, 0.40), (0.40, 0.10))
    )
    metric = METRIC("gene_log1p_pearson")
    notes = other_levels(rows(PRETRAINED, BASELINE), [(metric, table) for table in (near, behind, ahead)])
    assert notes[0].startswith("On log1p Pearson r across genes tiny (full), at 0.140 [")
    assert "], is not clearly ahead of mean_track: difference −0.010 [" in notes[0]
    assert notes[1].startswith("On log1p Pearson r across genes tiny (full), at 0.100 [")
    assert "], is behind mean_track: difference −0.300 [" in notes[1]
    assert notes[2].startswith("On log1p Pearson r across genes tiny (full), at 0.400 [")
    assert notes[2].endswith("], beats mean_track.")


def test_notes_on_training_from_scratch():
    cells = rows(("cnn (full)", "model", [0.9]), PRETRAINED, BASELINE)
    (note,) = scratch_notes(cells, {"cnn (full)": "scratch", "tiny (full)": "pretrained"})
    assert note.startswith(
        "cnn (full) was trained from scratch; the best pretrained model, tiny (full), reaches 0.800 ["
    )
    assert scratch_notes(rows(PRETRAINED, SCRATCH), {"cnn (full)": "scratch", "tiny (full)": "pretrained"}) == []


def test_a_missing_row_of_random_weights_is_said():
    notes = compared(("tiny (full)", "model", [0.8], {"backbone": "tiny"}), BASELINE).notes["note"]
    assert "No row of random weights of tiny: what its pretraining adds is unknown." in set(notes)


def test_unequal_training_is_said():
    cells = rows(SCRATCH, ("tiny (full)", "model", [0.6]), BASELINE)
    bases = pd.Series({"cnn (full)": 59e6, "tiny (full)": 0.41e6})
    (note,) = unequal_training(cells, bases)
    assert "cnn (full) was fitted on 59 Mb of sequence, the other models on 0.41 Mb" in note
    assert unequal_training(cells, bases.replace(0.41e6, 50e6)) == []
    assert unequal_training(cells, bases[:1]) == []


@pytest.mark.parametrize(("value", "said"), [(1.0, "FAIL: test: a score of exactly 1"), (-0.5, "WARN: test")])
def test_what_scores_say_against_themselves_comes_first(value, said):
    found = compared(("tiny (full)", "model", [value]), BASELINE, spread=0.0 if value == 1 else 0.1).said()
    assert found and found[0].startswith(said)
    assert compared(PRETRAINED, BASELINE).said() == ()


def test_a_name_that_a_sentence_would_swallow_stands_in_quotes():
    from glmflow.report.wording import named

    assert named("none (as_it_is)") == "“none (as_it_is)”" and named("none") == "“none”"
    assert named("nonesuch (full)") == "nonesuch (full)"
