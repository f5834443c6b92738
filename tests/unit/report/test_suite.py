"""Which model? Ranks, critical differences and choices against hand-worked figures, and the page and command that show them."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.cli import main
from glmflow.report import ReportInputs, write_report
from glmflow.report.classes.suite import against_best, critical_difference, in_words, mean_ranks, suite
from glmflow.report.study_tables import Study
from scipy import stats

TASKS = ("t1", "t2", "t3", "t4")
SCORES = {"best": (0.9, 0.8, 0.7, 0.9), "middle": (0.8, 0.7, 0.6, 0.5), "worst": (0.1, 0.2, 0.3, 0.4)}


def folder_of(results, task, model, adaptation, rows, seed=1, more=None):
    folder = results / "runs" / task / model / adaptation / f"seed{seed}"
    (folder / "predicted").mkdir(parents=True)
    columns = ["split", "subset", "track", "metric", "protocol", "value", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=columns).assign(
        study="s", task=task, model=model, adaptation=adaptation, seed=seed, context_bp=100, n=200
    )
    table.to_csv(folder / "metrics.tsv", sep="\t", index=False)
    kind = "baseline" if adaptation == "baseline" else "full"
    block = {"baseline": {"kind": "gc_only"}} if kind == "baseline" else {"new": {"family": "promoter_cnn"}}
    own = {"task": {"kind": "sequences"}, "model": block, "adaptation": {"kind": kind}}
    own["adaptation"] |= more or {}
    (folder / "run.yaml").write_text(yaml.safe_dump(own))
    (folder / "cost.json").write_text(json.dumps({"train_seconds": 10.0, "parameters": 1000, "device": "CPU"}))
    return folder


def row(value, split="test", subset="all", metric="mcc", track="all", protocol="strict"):
    return (split, subset, track, metric, protocol, value, value - 0.05, value + 0.05)


@pytest.fixture
def results(tmp_path):
    """Three models over four tasks; of `best` a second adaptation that is better on the test split alone."""
    results = tmp_path / "results/s"
    for model, values in SCORES.items():
        for task, value in zip(TASKS, values):
            kind = "baseline" if model == "worst" else "full"
            folder_of(
                results,
                task,
                model,
                kind,
                [row(value), row(value - 0.1, subset="no_near_copy"), row(value, "validation")],
            )
    for task in TASKS:
        folder_of(results, task, "best", "other", [row(0.99), row(0.1, "validation")])
    return results


def test_what_is_given_more_than_the_sequence_is_named_and_not_ranked(results):
    for task in TASKS:
        folder = folder_of(results, task, "copied", "baseline", [row(0.97), row(0.97, "validation")])
        own = yaml.safe_load((folder / "run.yaml").read_text())
        own |= {"model": {"baseline": {"kind": "nearest_training"}}, "told": "a look-up"}
        (folder / "run.yaml").write_text(yaml.safe_dump(own))
    found = suite(Study(ReportInputs.from_results(results)), TASKS)
    assert found.left_out == ["copied"] and set(found.table["model"]) == {*SCORES}
    assert in_words(found).endswith(" Without a rank, since given more than the sequence: copied.")


def test_a_control_is_no_task_of_the_table(results, capsys):
    folder = folder_of(results, "permuted", "best", "full", [row(0.02), row(0.02, "validation")])
    own = yaml.safe_load((folder / "run.yaml").read_text())
    (folder / "run.yaml").write_text(
        yaml.safe_dump(own | {"task": {"kind": "sequences", "control": "permuted_labels"}})
    )
    found = suite(Study(ReportInputs.from_results(results)), [*TASKS, "permuted"])
    assert [*found.metrics] == found.ranked == [*TASKS] and found.controls == ["permuted"]
    assert found.table.set_index("model")["rank"].notna().all()
    assert found.table.set_index("model").loc["best", "train_seconds"] == 10 * len(TASKS)
    assert in_words(found).endswith(" Controls are not counted: permuted.")
    assert main(["suite", str(results)]) == 0
    assert "permuted (" not in capsys.readouterr().out


def test_a_paired_test_that_cannot_find_anything_is_said(results):
    said = in_words(suite(Study(ReportInputs.from_results(results)), TASKS))
    assert "4 tasks are too few for the paired test of 2 models (p is 0.25 at least" in said


def test_the_critical_difference_is_that_of_the_textbook():
    """Demsar 2006, section 3.2.4: four classifiers, 14 data sets, q 2.569: CD 1.25."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.random((4, 14)), index=list("abcd"))
    ranks, tasks = mean_ranks(table)
    difference, p = critical_difference(table, ranks, tasks)
    assert difference == pytest.approx(1.25, abs=0.01)
    assert p == pytest.approx(stats.friedmanchisquare(*table.to_numpy()).pvalue)
    expected = table.rank(ascending=False).mean(axis=1)
    assert ranks.tolist() == expected.tolist()


def test_p_values_are_held_by_holm():
    generator = np.random.default_rng(1)
    base = generator.random(12)
    table = pd.DataFrame([base + 1, base + 0.1 * generator.random(12), base], index=["a", "b", "c"])
    ranks, tasks = mean_ranks(table)
    found = against_best(table, ranks, tasks)
    raw = {name: stats.wilcoxon(table.loc["a"] - table.loc[name]).pvalue for name in ("b", "c")}
    assert np.isnan(found["a"]) and found["b"] == pytest.approx(min(1, 2 * min(raw.values())))
    assert found["c"] >= raw["c"]


def test_a_model_that_lacks_a_task_has_no_rank():
    table = pd.DataFrame({"t1": [1.0, 2, 3], "t2": [1.0, 2, np.nan]}, index=["a", "b", "c"])
    ranks, tasks = mean_ranks(table)
    assert tasks == ["t1", "t2"] and ranks["b"] == 1 and np.isnan(ranks["c"])


def test_the_adaptation_is_chosen_on_the_validation_split(results):
    study = Study(ReportInputs.from_results(results))
    found = suite(study, list(TASKS))
    assert found.chosen["best", "t1"] == "full"
    table = found.table.set_index("model")
    assert table["rank"].to_dict() == {"best": 1, "middle": 2, "worst": 3}
    assert table.loc["best", list(TASKS)].tolist() == list(SCORES["best"])
    assert table.loc["best", "train_seconds"] == 40 and table.loc["middle", "parameters"] == 1000
    assert "best has the best mean rank, 1.00, over 4 tasks" in in_words(found)
    assert table["apart"].to_dict() == {"best": False, "middle": False, "worst": True}


@pytest.mark.usefixtures("undrawn")
def test_the_page_and_the_command_show_the_same(results, tmp_path, capsys):
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    html = (tmp_path / "report/index.html").read_text()
    assert "Which model?" in html and "Task by task" in html and "not told apart" in html
    assert main(["suite", str(results)]) == 0
    printed = capsys.readouterr().out
    line = next(line for line in printed.splitlines() if line.startswith("best"))
    assert line.split()[:6] == ["best", "1.000", "0.900", "0.800", "0.700", "0.900"]
    assert any(line.startswith("worst (baseline)") for line in printed.splitlines())
    assert main(["suite", str(results), "--tsv"]) == 0
    assert capsys.readouterr().out.split("\n")[0].split("\t")[:3] == ["model", "t1", "t2"]
    assert main(["suite", str(tmp_path / "none")]) == 1


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_task_has_lengths_shares_and_a_protocol_of_ours(results, tmp_path):
    cut = pd.DataFrame([("cut", "longer than `length`", 3, 200)], columns=["what", "words", "count", "of"])
    for share in (0.1, 1.0):
        name = "some" if share == 1 else "some-0.1"
        folder = folder_of(results, "t1", "cnn", name, [row(share / 2)], more={"train": {"examples": share}})
        cut.to_csv(folder / "predicted/lengths.tsv", sep="\t", index=False)
    official = {"protocol": "caduceus"}
    for seed, value in ((1, 0.5), (2, 0.7)):
        folder_of(
            results,
            "t1",
            "cad",
            "p",
            [row(value), row(value, metric="accuracy", protocol="official")],
            seed,
            official,
        )
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    html = (tmp_path / "report/task.t1.html").read_text()
    assert "longer than `length`" in html and "By the number of training sequences" in html
    assert "ours, mean of 2 seeds, 0.500 to 0.700" in html and "caduceus" in html
    assert "By the number of training sequences" not in (tmp_path / "report/task.t2.html").read_text()
