"""The start page over several studies: a row a task, with the best model, the best baseline, its cost and caveats."""

import re
import shutil

import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.models.facts import catalogue
from glmflow.report import ReportInputs, write_report
from glmflow.report.overview_page import write_overview


@pytest.fixture(scope="module")
def results(study, tmp_path_factory):
    """Two studies with a report, one that is not finished."""
    folder = tmp_path_factory.mktemp("overview") / "results"
    inputs = ReportInputs.from_results(
        study, title="A study", families=catalogue(), pages={"rnaseq_tracks": "tracks.html"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glmflow.report.write.write_figures", lambda study, place: [])  # test_write.py has them
        write_report(inputs, folder / "first/report")
    shutil.copytree(folder / "first/report", folder / "second/report")
    (folder / "unfinished/report/data").mkdir(parents=True)
    return folder


def test_every_task_of_every_study_has_a_row_with_the_best_of_its_leaderboard(results):
    found = write_overview(results)
    board = pd.read_csv(results / "first/report/data/leaderboard.tsv", sep="\t")
    assert [(answer.study, answer.task) for answer in found] == [
        (study, task) for study in ("first", "second") for task in board["task"].unique()
    ]
    for answer in found[: board["task"].nunique()]:
        rows = board[board["task"] == answer.task]
        models = rows[~rows["origin"].isin(["baseline", "informed"])]
        simple = rows[rows["origin"] == "baseline"]
        assert (answer.model and answer.model.label) == (models["label"].iloc[0] if len(models) else None)
        assert (answer.baseline and answer.baseline.label) == (simple["label"].iloc[0] if len(simple) else None)
        if answer.model:
            assert f"{models['value'].iloc[0]:.3f}" in answer.model.value.replace("−", "-")


def test_the_page_says_it_in_words_and_leads_to_the_reports(results):
    answers = write_overview(results)
    page = (results / "index.html").read_text()
    links = set(re.findall(r'href="([^"]+)"', page)) - {"data:,", "index.html", "#content"}
    assert links == {"first/report/index.html", "second/report/index.html"}
    assert all((results / link).is_file() for link in links)
    verdicts = pd.read_csv(results / "first/report/data/verdicts.tsv", sep="\t")
    assert [answer.sentence for answer in answers[: len(verdicts)]] == list(verdicts["sentence"])
    assert all(answer.sentence for answer in answers)
    assert any(answer.cost for answer in answers), "models were trained, which took time"


def test_without_a_report_it_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="no study has a report yet"):
        write_overview(tmp_path)
