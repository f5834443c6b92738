import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.report import tables
from glmflow.report.inputs import ReportInputs, RunFolder, find_runs
from glmflow.report.metrics import describe, in_order, number
from glmflow.report.models_page import made_from
from glmflow.report.personal_metrics import WORDS
from glmflow.tasks.snp2gex import causal, scoring


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
    order = list(tables.rank(table, metric)["model"])
    assert order[0] == first
    assert order[-1] == "none"


def test_the_headline_metric_is_the_one_asked_for_or_the_first_of_the_known():
    table = pd.concat([metrics(("a", 1, "x", 0.5, 0.4, 0.6), metric=name) for name in ("base_mse", "base_pearson")])
    assert tables.headline_metric(table, "tracks", None) == "base_pearson"
    assert tables.headline_metric(table, "tracks", "base_mse") == "base_mse"
    with pytest.raises(InputError, match=r"base_spearman.*was not computed.*base_mse, base_pearson"):
        tables.headline_metric(table, "tracks", "base_spearman")


@pytest.mark.parametrize(
    ("name", "level", "higher", "count"),
    [
        ("base_log1p_pearson", "base", True, False),
        ("window_mse", "window", False, False),
        ("gene_pearson", "gene", True, False),
        ("gene_exon_pearson", "gene_exon", True, False),
        ("gene_deviation_fourfold", "gene_deviation", False, True),
        ("fold_change_spearman", "fold_change", True, False),
        ("auroc", "example", True, False),
        ("gene_mean_pearson", "gene_mean", True, False),
        ("elastic_net_top_ratio", "elastic_net", True, False),
        ("cross_individual_constant_count", "cross_individual", True, True),
    ],
)
def test_a_metric_is_read_off_its_name(name, level, higher, count):
    metric = describe(name)
    assert (metric.level, metric.higher_is_better, metric.is_count) == (level, higher, count)


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (12.34, "12.3"), (12345.6, "12,346"), (0.0001, "1.0e-04"), (np.nan, "–"), (None, "–"), (0.0, "0.000"), (-0.5, "−0.500"), (-2000, "−2,000")]
)  # fmt: skip
def test_numbers_are_written_for_reading(value, text):
    assert number(value) == text


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
        prediction__json='{"predict_seconds": 3, "warnings": ["b", "c"]}',
    )
    assert run.cost == {"parameters": 10, "train_seconds": 2, "predict_seconds": 3, "warnings": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("yaml", "origin"),
    [
        ("adaptation: {kind: baseline}\nmodel: {baseline: {kind: mean_track}}", "baseline"),
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
    assert set(inputs.windows) == set(inputs.leakage) == {"rnaseq_tracks"}
    assert set(inputs.tracks) == {path.stem for path in Path(study, "tracks").glob("*.bw")}
    assert inputs.exons is None


def test_metrics_are_listed_by_level_with_the_usual_ones_first():
    names = ["gene_pearson", "base_zero_ratio", "base_mse", "window_mse", "base_log1p_pearson"]
    assert in_order(names) == ["base_log1p_pearson", "base_mse", "base_zero_ratio", "window_mse", "gene_pearson"]


def test_metrics_of_personal_expression_are_explained_the_score_first_and_its_limits_beside_it():
    names = ["cross_individual_ceiling_limit", "cross_individual_constant_count", "cross_individual_of_ceiling",
             "cross_individual_pearson", "demeaned_mae", "demeaned_r2"]  # fmt: skip
    assert in_order(names) == [*(names[i] for i in (3, 2, 0, 1)), "demeaned_r2", "demeaned_mae"]
    assert all("n" in describe(name).explanation and "_" not in describe(name).label for name in names)


def test_every_metric_that_personal_expression_is_scored_by_is_explained():
    """The names as they stand in the scorer's source, so that a new one cannot be forgotten."""
    source = "".join(Path(module.__file__).read_text() for module in (causal, scoring))
    names = set(
        re.findall(r'"((?:cross_individual|cross_gene|gene_mean|demeaned|causal|elastic_net)_[a-z0-9_]+)"', source)
    )
    names |= {f"cross_individual_{limit}" for limit in ("of_ceiling", "ceiling_limit", "of_sqrt_h2", "sqrt_h2_limit")}
    assert names | {"mae", "r2"} == set(WORDS)


def test_the_documentation_has_every_metric_of_personal_expression():
    text = (Path(__file__).parents[3] / "docs/snp2gex.md").read_text().split("## The benchmark")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.M)
    assert {name for cell in cells for name in re.findall("`([a-z0-9_]+)`", cell)} == set(WORDS)


def test_what_describes_the_data_is_no_score():
    assert not describe("base_zero_ratio").is_score
    assert not describe("gene_deviation_tested").is_score
    assert describe("base_mse").is_score
