"""Scores by the length that is read: tasks alike but for it stand on one chart, and unlike numbers of rows are said."""

import json

import pandas as pd
import pytest
import yaml
from glmflow.report import ReportInputs, write_report
from glmflow.report.classes.length_chart import by_length, unlike_rows
from glmflow.report.study_tables import Study


@pytest.fixture
def results(tmp_path):
    tasks = {
        "short": ({"length": 1000}, 0.6, 200), "long": ({"length": 8000}, 0.7, 150),
        "shuffled": ({"length": 8000, "middle": 1000}, 0.65, 150), "other": ({"length": 500, "table": "b"}, 0.9, 90),
    }  # fmt: skip
    for task, (own, value, n) in tasks.items():
        folder = tmp_path / "s/runs" / task / "cnn/full/seed1"
        folder.mkdir(parents=True)
        row = {
            "study": "s", "task": task, "model": "cnn", "adaptation": "full", "seed": 1, "split": "test", "subset": "all",
            "track": "all", "metric": "mcc", "context_bp": own["length"], "protocol": "strict", "value": value,
            "ci_low": value - 0.1, "ci_high": value + 0.1, "n": n,
        }  # fmt: skip
        pd.DataFrame([row]).to_csv(folder / "metrics.tsv", sep="\t", index=False)
        settings = {"task": {"kind": "sequences", "table": "a", **own}, "model": {"new": {"family": "promoter_cnn"}}}
        (folder / "run.yaml").write_text(yaml.safe_dump(settings | {"adaptation": {"kind": "full"}}))
        (folder / "cost.json").write_text(json.dumps({"train_seconds": 1.0, "parameters": 10, "device": "CPU"}))
    return tmp_path / "s"


@pytest.mark.usefixtures("undrawn")
def test_tasks_that_differ_in_length_alone_are_compared(results, tmp_path):
    study = Study(ReportInputs.from_results(results))
    table = by_length(study, "short").sort_values(["length", "line"])
    assert table[["task", "length", "value"]].to_numpy().tolist() == [
        ["short", 1000, 0.6], ["long", 8000, 0.7], ["shuffled", 8000, 0.65],
    ]  # fmt: skip
    assert table["line"].nunique() == 2 and table["line"].iloc[2].endswith("all but the middle 1,000 shuffled")
    assert "200 at 1,000 bp, 150 at 8,000 bp" in unlike_rows(table) and not unlike_rows(table[table["n"] == 150])
    assert by_length(study, "other").empty
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    assert "By the length that is read" in (tmp_path / "report/task.long.html").read_text()
    assert "By the length that is read" not in (tmp_path / "report/task.other.html").read_text()
