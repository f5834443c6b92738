"""Runs two by two on the page of a task: on the same rows, and over splits of the same data."""

import json

import pandas as pd
import pytest
import yaml
from glmflow.paired_tests import corrected_resampled_t
from glmflow.report import ReportInputs, write_report
from glmflow.report.classes.paired_tables import over_splits, paired_rows
from glmflow.report.study_tables import Study

VALUES = {"cnn": (0.70, 0.74, 0.72), "gc": (0.60, 0.70, 0.65), "kmers": (0.5, 0.5, 0.5)}
SPLITS = [{"by": "similarity", "seed": seed} for seed in (1, 2, 3)]


@pytest.fixture
def results(tmp_path):
    results = tmp_path / "s"
    for place, splits in enumerate(SPLITS):
        task = f"fold{place}"
        for model, values in VALUES.items():
            kind = "full" if model == "cnn" else "baseline"
            folder = results / "runs" / task / model / kind / "seed1"
            folder.mkdir(parents=True)
            row = {
                "study": "s", "task": task, "model": model, "adaptation": kind, "seed": 1, "split": "test",
                "subset": "all", "track": "all", "metric": "mcc", "context_bp": 100, "protocol": "strict",
                "value": values[place], "ci_low": 0.0, "ci_high": 1.0, "n": 200,
            }  # fmt: skip
            pd.DataFrame([row]).to_csv(folder / "metrics.tsv", sep="\t", index=False)
            block = {"baseline": {"kind": "gc_only"}} if kind == "baseline" else {"new": {"family": "promoter_cnn"}}
            settings = {"task": {"kind": "sequences", "table": "a", "splits": splits}, "model": block}
            (folder / "run.yaml").write_text(yaml.safe_dump(settings | {"adaptation": {"kind": kind}}))
            (folder / "cost.json").write_text(json.dumps({"train_seconds": 1.0, "parameters": 10, "device": "CPU"}))
        (results / "examples").mkdir(exist_ok=True)
        counts = pd.DataFrame({"item": ["train sequences", "test sequences"], "count": [800, 200], "detail": ""})
        counts.to_csv(results / f"examples/{task}.counts.tsv", sep="\t", index=False)
    cell = {"split": "test", "subset": "all", "track": "all", "context_bp": 100, "metric": "mcc"}
    keys = [f"fold0/{name}" for name in ("cnn/full", "gc/baseline", "kmers/baseline")]
    pairs = [(keys[0], keys[1], 0.1, -0.02, 0.22, 0.09), (keys[0], keys[2], 0.2, 0.1, 0.3, 0.001)]
    table = pd.DataFrame(pairs, columns=["first", "second", "difference", "low", "high", "p"]).assign(**cell)
    other = table.assign(metric="accuracy", difference=0.9)
    folder = results / "comparisons/fold0"
    folder.mkdir(parents=True)
    pd.concat([other, table]).to_csv(folder / "differences.tsv", sep="\t", index=False)
    counts = [(keys[1], keys[0], 200, 4, 19, 0.0026), (keys[0], keys[2], 200, 30, 9, 0.001)]
    columns = ["first", "second", "n", "first_alone", "second_alone", "p"]
    pd.DataFrame(counts, columns=columns).to_csv(folder / "pairs.tsv", sep="\t", index=False)
    pd.DataFrame(columns=[*cell, "key", "label", "role"]).to_csv(folder.with_suffix(".tsv"), sep="\t", index=False)
    return results


def test_every_two_runs_stand_beside_each_other(results):
    rows = paired_rows(Study(ReportInputs.from_results(results)), "fold0")
    assert [row["second"] for row in rows] == ["gc", "kmers"] and rows[0]["first"] == "cnn (full)"
    assert rows[0]["difference"] == "+0.100 [−0.020, +0.220]" and rows[0]["apart"] == "not told apart"
    assert rows[1]["apart"] == "ahead" and [row["holm"] for row in rows] == ["0.090", "0.002"]
    assert rows[0]["alone"] == "19 : 4"  # of the table that has the pair the other way round
    assert paired_rows(Study(ReportInputs.from_results(results)), "fold1") == []


def test_tasks_that_differ_in_their_splits_alone_are_tested_together(results):
    found = over_splits(Study(ReportInputs.from_results(results)), "fold1")
    assert found["tasks"] == ["fold0", "fold1", "fold2"] and found["best"] == "cnn (full)"
    assert [row["label"] for row in found["rows"]] == ["cnn (full)", "gc", "kmers"]
    expected = corrected_resampled_t([0.1, 0.04, 0.07], 800, 200)
    assert found["rows"][1]["p"] == f"{expected.p:.3f}" and found["rows"][1]["difference"].startswith("+0.070 [")
    assert found["rows"][0]["mean"] == "0.720" and found["rows"][0]["sd"] == "0.020"


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_both(results, tmp_path):
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    html = (tmp_path / "report/task.fold0.html").read_text()
    assert "Two by two" in html and "p, McNemar" in html and "19 : 4" in html
    assert "1/3 + 200/800" in html and "Over splits" in html
    for path in results.glob("runs/*/*/*/seed1/run.yaml"):  # the same splits: no folds
        settings = yaml.safe_load(path.read_text())
        settings["task"]["splits"] = SPLITS[0]
        path.write_text(yaml.safe_dump(settings))
    assert over_splits(Study(ReportInputs.from_results(results)), "fold1") == {}
