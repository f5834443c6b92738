"""The report of a study that mixes kinds, with several tasks of each."""

import json
import re

import pandas as pd
import pytest
from shared_reports import MIXED, made_once, mixed_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return made_once(tmp_path_factory, "mixed_study", mixed_report) / "report"


def data_of(path):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', path.read_text(), re.S)[1])


def test_every_task_has_its_page_and_every_link_leads_somewhere(report):
    assert {path.name for path in report.glob("*.html")} == {"index.html", "models.html", *MIXED.values()}
    for path in report.glob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#:]+)', path.read_text().split("<script")[0]):
            assert (report / link).exists(), (path.name, link)
    for task, file in MIXED.items():
        assert (
            f"{task}</h1>" in (text := (report / file).read_text()) or file == "tracks.html" or f"{task} <span" in text
        )


def test_every_task_has_its_own_verdict(report):
    index = (report / "index.html").read_text()
    verdicts = re.findall(r'<span class="task">(.*?)</span>(.*?)</p>', index)
    assert {task for task, _ in verdicts} == set(MIXED)
    said = dict(verdicts)
    interval = re.search(r"the best, net \(full\), reaches 0\.400 \[(.+?), (.+?)\] against 0\.350", said["expression"])
    assert [float(end) for end in interval.groups()] == pytest.approx([0.35, 0.45], abs=0.002)
    assert said["promoters"].startswith("causal (full) beats kmer_logistic and majority on MCC (test split): 0.800")
    assert said["promoters"].endswith("; causal (full) leads.")
    assert said["far"].startswith("yarn (zero_shot) is above chance on gain from a copy (test split)")
    assert said["near"].startswith("plain (zero_shot) is above chance") and "no baseline was run" in said["near"]
    assert said["near"].endswith("only plain (zero_shot) was compared.")
    assert said["rnaseq_tracks"].startswith("No model is clearly ahead on log1p Pearson r per base, pooled")


def test_metrics_are_shown_in_the_words_and_directions_of_their_task(report):
    metrics = data_of(report / "index.html")["metrics"]
    signs = {
        ("promoters", "brier"): -1, ("promoters", "mcc"): 1, ("far", "loss"): -1, ("rnaseq_tracks", "base_mse"): -1,
        ("expression", "cross_individual_constant_count"): 0, ("expression", "causal_first_ratio"): 1,
    }  # fmt: skip
    for (task, name), sign in signs.items():
        assert metrics[task][name]["sign"] == sign, (task, name)
    assert "not declared" not in (report / "index.html").read_text().split("<script")[0]


def test_cards_count_the_units_of_the_headline(report):
    index = (report / "index.html").read_text()
    for unit in ("genes of the test split", "windows of the test split", "sequences of the test split"):
        assert unit in index
    assert "0 of 1 checks found a leak" in index and "1 of 1 checks found a leak" in index


def test_tables_of_every_kind_are_in_data(report):
    names = {path.name for path in (report / "data").iterdir()}
    assert {"genes.tsv", "genes_in_samples.tsv", "comparisons.far.tsv", "counts.tsv", "leakage.tsv"} <= names
    assert "comparisons.far.pairs.tsv" in names and "comparisons.near.pairs.tsv" not in names  # it has one model
    counts = pd.read_csv(report / "data/counts.tsv", sep="\t")
    assert set(counts["task"]) == set(MIXED)


def test_the_context_page_of_one_model_says_that_there_is_nothing_to_compare(report):
    text = (report / "context.near.html").read_text()
    assert (
        "Only plain was run, so there is nothing to compare it with." in text and "There is nothing to compare." in text
    )
    assert "plain (zero-shot) gains" in text


def test_the_context_page_has_the_cost_of_models_and_of_evaluation(report):
    text = (report / "context.html").read_text()
    row = re.search(r"<tr><td>yarn</td>.*?</tr>", text, re.S)[0]
    cells = re.findall(r"<td>(.*?)</td>", row)
    assert cells[:9] == ["yarn", "yarn", "20", "20,480", "4,321", "17", "345", "3", "210"]
    assert "clearly ahead of 2 of 2 others in paired tests over 2 seeds" in text


def test_the_page_of_classes_shows_scores_classes_and_confusions(report):
    text = (report / "sequences.splice.html").read_text()
    assert "Subset: no_near_copy (n = 150)" in text and "0.800<br><small>[0.780, 0.820]</small>" in text
    scores = re.search(r'<section id="scores">.*?</section>', text, re.S)[0]
    assert scores.count('<td class="run">') == 8  # four runs, two subsets
    confusions = re.search(r'<section id="confusions">.*?</section>', text, re.S)[0]
    cnn = confusions.split("<h3>cnn (full)</h3>")[1].split("</table>")[0]
    rows = [re.findall(r">(\d+)</td>", row) for row in cnn.split("<tr>")[2:]]
    assert rows == [["85", "15", "0"], ["0", "85", "15"], ["15", "0", "85"]]
    (band,) = data_of(report / "sequences.splice.html")["charts"]["runs"]["datasets"].values()
    assert band == [{"low": pytest.approx(0.2), "high": pytest.approx(0.5)}]  # from the worst to the best baseline
    assert "An open diamond" in text and data_of(report / "sequences.splice.html")["datasets"]["clean"]["rows"] == 4
    leaks = re.search(r'<section id="examples">.*?</section>', text, re.S)[0]
    assert '<tr class="leak"><td>sequences of both training and test</td>' in leaks and ">300</td>" in leaks


def test_the_curves_of_a_run_are_drawn_when_it_is_clicked_on(report):
    data = data_of(report / "sequences.html")
    chart, curves = data["charts"]["runs"], data["datasets"]["curves"]
    (parameter,) = [one for one in chart["params"] if one.get("select")]
    assert parameter["name"] == "run" and parameter["select"]["fields"] == ["label"]
    panels = chart["vconcat"][1]["hconcat"]
    assert [panel["title"] for panel in panels] == ["ROC", "Precision and recall", "Reliability"]
    assert all(
        {"param": "run", "empty": False} in [one["filter"] for one in panel["layer"][-1]["transform"]]
        for panel in panels
    )
    assert curves["rows"] == 9 * data["datasets"]["runs"]["rows"]  # the first seed of each
    assert "vconcat" not in data_of(report / "sequences.splice.html")["charts"]["runs"]
