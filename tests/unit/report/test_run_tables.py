import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.report import run_tables as tables
from glmflow.report.kinds import find_kind
from glmflow.report.models_page import made_from
from glmflow.report.report_inputs import ReportInputs, find_runs
from glmflow.report.run_folder import RunFolder
from glmflow.report.wording import number, signed

TRACKS = find_kind("rnaseq_tracks")


def metrics(*values, metric="base_pearson", task="tracks"):
    """Metrics from (model, seed, track, value, ci_low, ci_high)."""
    table = pd.DataFrame(values, columns=["model", "seed", "track", "value", "ci_low", "ci_high"])
    fixed = {
        "study": "s", "task": task, "adaptation": "full", "split": "test", "subset": "all",
        "context_bp": "4096", "metric": metric, "protocol": "strict", "n": 10,
    }  # fmt: skip
    return table.assign(**fixed)[tables.METRIC_COLUMNS]


def one(summary, **where):
    for column, value in where.items():
        summary = summary[summary[column] == value]
    assert len(summary) == 1
    return summary.iloc[0]


def test_seeds_are_averaged_and_their_spread_kept():
    row = one(tables.summarise(metrics(("a", 1, "x", 0.5, 0.4, 0.6), ("a", 2, "x", 0.7, 0.6, 0.9))), track="x")
    assert row["value"] == pytest.approx(0.6)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.5, 0.75))
    assert row["sd"] == pytest.approx(np.sqrt(0.02))  # sample SD of 0.5 and 0.7
    assert row["seeds"] == 2


def test_where_an_extended_model_comes_from():
    extended = {"extend": {"model": "genos", "method": "yarn", "factor": 4.0}}
    assert made_from(extended, {"checkpoint": "genos-1.2b"}) == (
        "published checkpoint genos-1.2b, extended by yarn to 4 times its length"  # so its licence is the publisher's
    )
    assert made_from(extended) == "genos of this study, extended by yarn to 4 times its length"
    carried = made_from({"pretrain": {"steps": 5, "length": 1024, "carry_state_bp": 65536}})
    assert carried.endswith("for 5 updates, trained through 1,024 bases, its state carried over 65,536")
    assert made_from({}) == made_from(None) == "not recorded"


def test_one_seed_has_no_spread():
    assert np.isnan(one(tables.summarise(metrics(("a", 1, "x", 0.5, 0.4, 0.6))), track="x")["sd"])


def test_the_mean_over_tracks_is_taken_within_seeds():
    table = metrics(
        ("a", 1, "x", 0.2, 0.1, 0.3), ("a", 1, "y", 0.6, 0.5, 0.7),
        ("a", 2, "x", 0.4, 0.3, 0.5), ("a", 2, "y", 0.4, 0.3, 0.5),
    )  # fmt: skip
    row = one(tables.summarise(table), track=tables.ALL_TRACKS)
    assert row["value"] == pytest.approx(0.4)
    assert row["sd"] == pytest.approx(0)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.3, 0.5))


def test_a_run_that_lacks_a_track_gets_no_mean():
    table = metrics(("a", 1, "x", 0.2, 0.1, 0.3), ("a", 1, "y", 0.6, 0.5, 0.7), ("b", 1, "x", 0.9, 0.8, 1.0))
    summary = tables.summarise(table)
    assert np.isnan(one(summary, track=tables.ALL_TRACKS, model="b")["value"])
    assert one(summary, track=tables.ALL_TRACKS, model="a")["value"] == pytest.approx(0.4)


def test_the_mean_over_tracks_of_the_scorer_is_left_alone():
    table = metrics(("a", 1, "x", 0.2, 0.1, 0.3), ("a", 1, "y", 0.6, 0.5, 0.7), ("a", 1, "mean", 0.4, 0.38, 0.42))
    row = one(tables.summarise(table), track=tables.ALL_TRACKS)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.38, 0.42))


@pytest.mark.parametrize(("metric", "first"), [("base_pearson", "high"), ("base_mse", "low")])
def test_ranking_follows_the_metric_and_puts_missing_values_last(metric, first):
    table = pd.DataFrame({"model": ["none", "low", "high"], "adaptation": "full", "value": [np.nan, 0.1, 0.9]})
    order = list(tables.rank(table, TRACKS.metric(metric))["model"])
    assert order[0] == first
    assert order[-1] == "none"


def test_the_headline_metric_is_the_one_asked_for_or_the_first_of_the_known():
    table = pd.concat([metrics(("a", 1, "x", 0.5, 0.4, 0.6), metric=name) for name in ("base_mse", "base_pearson")])
    assert tables.headline_metric(table, "tracks", TRACKS, None).name == "base_pearson"
    assert tables.headline_metric(table, "tracks", TRACKS, "base_mse").name == "base_mse"
    assert tables.headline_metric(table, "tracks", find_kind("unknown"), None).name == "base_mse"  # the first computed
    with pytest.raises(InputError, match=r"base_spearman.*was not computed.*base_mse, base_pearson"):
        tables.headline_metric(table, "tracks", TRACKS, "base_spearman")


def test_runs_are_not_sorted_by_a_metric_without_direction():
    table = pd.DataFrame({"model": ["b", "none", "a"], "adaptation": "full", "value": [0.1, np.nan, 0.9]})
    assert list(tables.rank(table, TRACKS.metric("base_zero_ratio"))["model"]) == ["b", "a", "none"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (12.34, "12.3"), (12345.6, "12,346"), (0.0001, "1.0e-04"), (np.nan, "–"), (None, "–"), (0.0, "0.000"), (-0.5, "−0.500"), (-2000, "−2,000")]
)  # fmt: skip
def test_numbers_are_written_for_reading(value, text):
    assert number(value) == text


def test_a_sign_stands_before_what_is_not_negative():
    assert [signed(value) for value in (0.5, -0.5, 0.0, float("nan"))] == ["+0.500", "−0.500", "+0.000", "–"]


def write_run(folder, **files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return RunFolder("tracks", "a", "full", 1, folder)


def test_long_training_curves_are_thinned_to_means(tmp_path):
    lines = "\n".join(json.dumps({"step": step, "loss": step % 2, "time": step}) for step in range(1, 1001))
    curves = tables.read_curves((write_run(tmp_path / "r", metrics__jsonl=lines),), points=100)
    assert list(curves["quantity"].unique()) == ["loss"]
    assert len(curves) == 100
    np.testing.assert_allclose(curves["value"], 0.5)
    assert curves["step"].is_monotonic_increasing


def test_a_spike_of_a_curve_is_drawn_at_the_upper_edge():
    values = {"loss": [40.0, *([1.0, 2.0] * 30)], "grad_norm": [3.0] * 61}
    rows = [("t", quantity, value) for quantity, found in values.items() for value in found]
    shown = tables.add_shown(pd.DataFrame(rows, columns=["task", "quantity", "value"]))
    assert list(shown["shown"]) == [2.0, *([1.0, 2.0] * 30), *[3.0] * 61]
    assert list(shown.index[shown["above"]]) == [0] and shown["value"].max() == 40


def test_short_and_broken_curves_are_kept_without_what_is_not_finite(tmp_path):
    lines = '{"step": 1, "loss": 2.0}\n{"step": 2, "loss": NaN}\n{"step": 3, "loss": 1.0, "eval_loss": 1.5}\n'
    curves = tables.read_curves((write_run(tmp_path / "r", metrics__jsonl=lines),))
    assert {(q, s) for q, s in zip(curves["quantity"], curves["step"])} == {("loss", 1), ("loss", 3), ("eval_loss", 3)}


def test_the_cost_of_fitting_and_of_predicting_are_put_together(tmp_path):
    run = write_run(
        tmp_path / "r",
        cost__json='{"parameters": 10, "train_seconds": 2, "warnings": ["a", "b"]}',
        prediction__json='{"predict_seconds": 3, "predict_peak_memory_mb": 7, "warnings": ["b", "c"]}',
    )
    both = {"parameters": 10, "train_seconds": 2, "predict_seconds": 3, "predict_peak_memory_mb": 7}
    assert run.cost == both | {"warnings": ["a", "b", "c"]}
    costs = tables.read_costs((run,), {"tracks": find_kind("")})
    assert costs["predict_peak_memory_mb"].tolist() == [7] and costs["train_seconds"].tolist() == [2]


def test_the_sequence_of_a_training_is_counted_by_kinds_that_know_its_length(tmp_path):
    settings = "task: {kind: %s, windows: {size: 100}}\nadaptation: {kind: full, train: {batch: 4}}"
    runs = [
        write_run(tmp_path / kind, run__yaml=settings % kind, cost__json='{"updates": 5}')
        for kind in ("rnaseq_tracks", "snp2gex")
    ]
    found = [tables.read_costs((run,), {"tracks": find_kind(run.task_settings["kind"])}) for run in runs]
    assert found[0]["trained_bases"].tolist() == [2000] and found[1]["trained_bases"].isna().all()


def test_a_run_that_trains_nothing_has_the_cost_of_its_model_beside_the_model(tmp_path):
    run = write_run(tmp_path / "study/runs/tracks/a/full/seed1", prediction__json='{"predict_seconds": 3}')
    assert run.model_cost == {}
    folder = tmp_path / "study/models/a/training/seed1"
    folder.mkdir(parents=True)
    (folder / "cost.json").write_text('{"train_seconds": 9}')
    again = RunFolder("tracks", "a", "full", 1, run.folder)
    assert again.model_cost == {"train_seconds": 9} and "train_seconds" not in again.cost


@pytest.mark.parametrize(
    ("yaml", "origin"),
    [
        ("adaptation: {kind: baseline}\nmodel: {baseline: {kind: mean_track}}", "baseline"),
        ("adaptation: {kind: baseline}\nmodel: {baseline: {kind: x}}\ntold: starts of genes", "informed"),
        ("adaptation: {kind: full}\nmodel: {new: {family: cnn}}", "scratch"),
        ("adaptation: {kind: lora}\nmodel: {pretrain: {family: causal}, new: null}", "pretrained"),
        ("", "pretrained"),
    ],
)
def test_where_a_model_comes_from(tmp_path, yaml, origin):
    assert write_run(tmp_path / "r", run__yaml=yaml).origin == origin


def test_a_metrics_table_without_a_column_is_named(tmp_path):
    run = write_run(tmp_path / "r", metrics__tsv="study\ttask\n")
    with pytest.raises(InputError, match=r"metrics\.tsv: the table lacks .*value"):
        tables.read_metrics((run,))


def test_a_study_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing to report"):
        find_runs(tmp_path)


def test_the_files_of_a_study_are_found(study):
    inputs = ReportInputs.from_results(study)
    assert len(inputs.runs) == 14
    assert set(inputs.counts) == set(inputs.leakage) == {"rnaseq_tracks"}
    assert set(inputs.tracks) == {path.stem for path in Path(study, "tracks").glob("*.bw")}
    assert inputs.exons is None


def test_a_baseline_that_is_told_more_does_not_widen_the_band():
    cell = pd.DataFrame({
        "origin": ["scratch", "baseline", "baseline", "informed"],
        "value": [0.7, 0.3, 0.5, 0.9],
    })  # fmt: skip
    assert tables.baseline_span(cell) == [{"low": 0.3, "high": 0.5}]
    assert tables.baseline_span(cell[cell["origin"] != "baseline"]) == []
