import html.parser
import json
import multiprocessing
import os
import time

import pytest
from glmflow.errors import InputError
from glmflow.status import JobStatus, expect_jobs, progress_path, write_page, write_progress
from glmflow.status.page import duration, seconds_left


class Page(html.parser.HTMLParser):
    """The rows of the table as text, and every address the page refers to."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.addresses = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append("")
        self.addresses += [value for key, value in attributes if key in ("href", "src")]

    def handle_data(self, data):
        if self.rows:
            self.rows[-1] += f" {data} "

    def row(self, name):
        (found,) = [row for row in self.rows if f" {name} " in row]
        return found


def page(results):
    return Page((results / "status.html").read_text())


def state(results, name):
    return json.loads((results / f"status/{name}.json").read_text())


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results/study"


def test_a_job_shows_its_progress_while_it_runs_and_that_it_is_done(results):
    expect_jobs(results, ["finetune/a/seed1", "finetune/b/seed1"])
    assert "waiting" in page(results).row("finetune/a/seed1")
    with JobStatus(results, "finetune/a/seed1", results / "../../logs/study/finetune/a/seed1.log"):
        now = time.time()
        curves = {"loss": [(10, 3.0), (20, 1.25)], "validation": [(20, 1.5)]}
        write_progress({"first_step": 0, "first_time": now - 100, "step": 20, "updates": 80, "time": now} | curves)
        write_page(results)
        shown = page(results).row("finetune/a/seed1")
        assert "running" in shown and "20 of 80" in shown and "loss 1.25, validation 1.5" in shown
        assert "5 min left" in shown or "4 min left" in shown
    assert "done" in page(results).row("finetune/a/seed1")
    assert "waiting" in page(results).row("finetune/b/seed1")
    assert "../../logs/study/finetune/a/seed1.log" in page(results).addresses


def test_the_page_needs_no_other_file(results):
    expect_jobs(results, ["x"])
    text = (results / "status.html").read_text()
    assert page(results).addresses == [] and "location.reload" in text and "url(" not in text


def test_an_error_is_shown_and_stays_while_the_next_attempt_runs(results):
    job = JobStatus(results, "finetune", results / "x.log")
    with pytest.raises(InputError), job:
        raise InputError("the loss is nan <here>", fix="Lower it")
    assert "the loss is nan <here>. Lower it" in page(results).row("finetune")
    assert "failed" in page(results).row("finetune")
    with JobStatus(results, "finetune", results / "x.log"):
        shown = page(results).row("finetune")
        assert "running" in shown and "attempt 2" in shown and "the loss is nan" in shown
    with JobStatus(results, "finetune", results / "x.log"):
        assert "attempt" not in page(results).row("finetune"), "a finished job that is run again begins again"


def test_a_job_told_to_end_says_that_it_goes_on(results):
    with pytest.raises(SystemExit), JobStatus(results, "finetune", results / "x.log"):
        raise SystemExit(143)
    assert "goes on from its last checkpoint" in page(results).row("finetune")


def kill_itself(results):
    JobStatus(results, "finetune", results / "x.log").__enter__()
    os.kill(os.getpid(), 9)


def test_a_killed_job_is_lost_and_its_next_attempt_says_so(results, monkeypatch):
    process = multiprocessing.get_context("spawn").Process(target=kill_itself, args=(results,))
    process.start()
    process.join()
    assert state(results, "finetune")["state"] == "running"
    later = time.time() + 600
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        write_page(results)
    shown = page(results).row("finetune")
    assert "lost" in shown and "no sign of life for 10 min" in shown
    with JobStatus(results, "finetune", results / "x.log"):
        assert "killed (walltime, memory, loss of its node)" in page(results).row("finetune")


def test_a_running_job_gives_a_sign_of_life(results):
    with JobStatus(results, "finetune", results / "x.log", interval=0.01):
        before = state(results, "finetune")["updated"]
        end = time.monotonic() + 60
        while state(results, "finetune")["updated"] == before:
            assert time.monotonic() < end
            time.sleep(0.01)


def one_of_many(results, number):
    for _ in range(10):
        with JobStatus(results, f"job{number}", results / "x.log", interval=0.001):
            write_progress({"first_step": 0, "first_time": 0, "step": number, "updates": 9, "time": 1})


def test_many_processes_write_at_once_and_every_page_is_whole(results):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=one_of_many, args=(results, number)) for number in range(4)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        if (results / "status.html").exists():
            assert (results / "status.html").read_text().rstrip().endswith("</html>")
    assert [process.exitcode for process in processes] == [0] * 4
    assert all("done" in page(results).row(f"job{number}") for number in range(4))
    left = [path for path in results.rglob("*") if path.is_file() and path.name.startswith(".tmp")]
    assert left == []


def test_a_job_goes_on_where_its_state_cannot_be_written(results):
    results.parent.mkdir(parents=True)
    results.write_text("a file in the way")
    with JobStatus(results, "finetune", results / "x.log"):
        write_progress({})


def test_without_a_job_progress_goes_nowhere(results):
    write_progress({"step": 1})
    assert not results.exists()


def test_time_left_counts_from_where_the_attempt_began():
    progress = {"first_step": 500, "first_time": 1000.0, "step": 600, "time": 1200.0, "updates": 1000}
    assert seconds_left(progress, 1200.0) == 800
    assert seconds_left(progress, 1210.0) == 790
    assert seconds_left(progress | {"step": 500}, 1200.0) is None
    assert seconds_left({}, 1200.0) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h 00 min"), (9000, "2 h 30 min"), (180_000, "2 d 2 h")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_the_progress_lies_beside_the_state(results):
    assert progress_path(results / "status/a/seed1.json") == results / "status/a/seed1.progress"
