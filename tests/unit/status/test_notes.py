"""What the batch system knows of a job, on the status page of its study."""

import json
from pathlib import Path

import pytest
from glmflow.status import JobStatus, expect_jobs, note_job
from glmflow.status.notes import state_path


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expect_jobs(Path("results/demo"), ["finetune/t/m/a/seed1"])
    return tmp_path / "results/demo"


LOG = "logs/demo/finetune/t/m/a/seed1.log"


def state(study):
    return json.loads((study / "status/finetune/t/m/a/seed1.json").read_text())


def test_why_a_job_waits_stands_on_the_page_until_it_begins(study):
    note_job(LOG, state="waiting", note="job 13 has waited 12 min: Not Running: <ngpus>")
    assert "Not Running: &lt;ngpus&gt;" in (study / "status.html").read_text()
    with JobStatus(study, "finetune/t/m/a/seed1", Path(LOG)) as status:
        assert status.attempt == 1
        assert "Not Running" not in (study / "status.html").read_text()


def test_why_a_job_was_killed_stands_there_at_once_and_in_its_next_attempt(study):
    """A job that is killed cannot say so; without a word it would count as running until it is lost."""
    killed = JobStatus(study, "finetune/t/m/a/seed1", Path(LOG))
    killed.__enter__()
    killed._ended.set()  # killed
    note_job(LOG, state="failed", error="job 13 needed more memory than the 2000 MB it asked for")
    assert state(study)["state"] == "failed" and "more memory than" in (study / "status.html").read_text()
    note_job(LOG, state="waiting", note="job 14 has waited 11 min: Not Running")
    page = (study / "status.html").read_text()
    assert "more memory than" in page and "job 14 has waited" in page
    with JobStatus(study, "finetune/t/m/a/seed1", Path(LOG)) as status:
        assert status.attempt == 2, "its log goes on below that of the first"
        assert "more memory than" in (study / "status.html").read_text()
    with JobStatus(study, "finetune/t/m/a/seed1", Path(LOG)) as status:
        assert status.attempt == 1, "after it was done, it is another run"


def test_workflows_without_a_status_page_get_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    note_job(LOG, state="failed", error="x")
    assert list(tmp_path.iterdir()) == []


def test_logs_and_the_files_of_their_jobs(study):
    assert state_path(LOG) == Path("results/demo/status/finetune/t/m/a/seed1.json")
    for other in ("logs/x.log", "/abs/logs/demo/x.log", "other/demo/x.log", "logs/unknown/x.log"):
        assert state_path(other) is None
