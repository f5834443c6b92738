"""Leaving before the walltime, and what a run cost and logged over several attempts."""

import json
import os
import signal
import threading
import time

import pytest
import torch
from glmflow.training.cost import TimeSpent
from glmflow.training.loop import deadline
from glmflow.training.loop.checkpoints import step_of
from glmflow.training.loop.deadline import LeaveInTime, expected_save_seconds, write_speed
from tiny_run import TRAINING, in_child, item, run, weights

torch.set_num_threads(1)


def clock(now):
    return lambda: now[0]


def test_a_run_leaves_when_its_checkpoint_just_fits():
    now = [1000.0]
    in_time = LeaveInTime(2000.0, save_seconds=30.0, clock=clock(now))
    assert in_time.seconds_needed == 2 * 30 + 20
    for now[0], due in ((1900.0, False), (1919.0, False), (1920.0, True), (2100.0, True)):
        assert in_time.is_due() == due
    in_time.saved(100.0)
    now[0] = 1780.0
    assert in_time.is_due(), "as the last checkpoint has taken longer"


def test_in_a_short_job_the_time_to_end_is_a_small_part():
    now = [0.0]
    assert LeaveInTime(60.0, 0.5, clock=clock(now)).seconds_needed == 1 + 6


def test_nothing_is_due_without_a_deadline():
    in_time = LeaveInTime(None, 10.0)
    assert not in_time.is_due()
    with in_time.watching(lambda: pytest.fail("told to leave")):
        pass


@pytest.mark.parametrize(("together", "longest"), [(False, 5.0), (True, 65.0)])
def test_the_longest_update_counts_and_with_several_processes_what_lies_between(together, longest):
    """One process can leave a validation at any moment; several can only when all have finished it."""
    now = [0.0]
    in_time = LeaveInTime(1000.0, 0.0, together, clock=clock(now))
    for seconds, pause in ((3, 0), (5, 60), (4, 0)):
        in_time.on_step_begin(None, None, None)
        now[0] += seconds
        in_time.on_step_end(None, None, None)
        now[0] += pause
    assert in_time.longest == (longest - 1 if together else longest)


def test_the_job_is_told_once(caplog):
    told = threading.Event()
    in_time = LeaveInTime(time.time() + 0.5, 0.0)
    with in_time.watching(told.set):
        assert told.wait(10)
    assert in_time.leaving and "saving and leaving" in caplog.text


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GLMFLOW_DEADLINE": "1700000000"}, 1.7e9),
        ({"SLURM_JOB_END_TIME": "1700000001"}, 1700000001),
        ({"GLMFLOW_DEADLINE": "5", "SLURM_JOB_END_TIME": "6"}, 5),
        ({"GLMFLOW_DEADLINE": "soon"}, None),
        ({}, None),
    ],
)
def test_where_the_deadline_comes_from(monkeypatch, variables, expected):
    for name in ("GLMFLOW_DEADLINE", "SLURM_JOB_END_TIME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert deadline.deadline() == expected


def test_the_first_checkpoint_is_reckoned_from_its_size_and_the_speed_of_the_folder(tmp_path, monkeypatch):
    assert write_speed(tmp_path, 2**20) > 0 and list(tmp_path.iterdir()) == []
    monkeypatch.setattr(deadline, "write_speed", lambda folder, size: 1e6)
    model = torch.nn.Sequential(torch.nn.Linear(1000, 1000, bias=False), torch.nn.Linear(500, 500, bias=False))
    model[1].requires_grad_(False)
    assert expected_save_seconds(model, tmp_path) == pytest.approx(3 * 4e6 / 1e6)


def slow_item(example, generator):
    time.sleep(0.03)
    return item(example, generator)


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


UPDATES = 220
"""Every second update is logged, so that a checkpoint can lie between two logged ones."""
LONG = TRAINING.model_copy(update={"evaluations": 2})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    model, _ = run(folder, LONG, UPDATES)
    return metrics(folder), weights(model)


def same_as(undisturbed, folder, model):
    lines, expected = undisturbed
    for name, value in weights(model).items():
        assert torch.equal(value, expected[name]), name
    for key in ("loss", "eval_loss", "learning_rate"):
        found = {line["step"]: line[key] for line in metrics(folder) if key in line}
        assert found == {line["step"]: line[key] for line in lines if key in line}, key


def test_a_run_saves_before_its_walltime_and_goes_on_to_the_same_weights_and_losses(undisturbed, tmp_path, monkeypatch):
    notes = tmp_path / "13.notes"

    def attempt():
        os.environ |= {deadline.DEADLINE: str(time.time() + 8), deadline.NOTES: str(notes)}
        run(tmp_path, LONG, UPDATES, make=slow_item)

    assert in_child(attempt) == 143
    (checkpoint,) = tmp_path.glob("checkpoints/*/checkpoint-*")
    assert notes.read_text() == f"saved {step_of(checkpoint)} walltime\n"
    model, fitted = run(tmp_path, LONG, UPDATES)
    assert fitted.resumed_from == step_of(checkpoint) and fitted.attempts == 2
    assert fitted.seconds > 5, "those of the first attempt count"
    same_as(undisturbed, tmp_path, model)


@pytest.mark.parametrize("update", [7, 8], ids=["between two logged updates", "after a logged one"])
def test_the_loss_after_a_resume_is_the_mean_of_its_whole_interval(undisturbed, tmp_path, update):
    """Bit for bit what an undisturbed run logs, where SIGTERM comes within an update."""

    def attempt():
        seen = [0]

        def make(example, generator):
            seen[0] += 1
            if seen[0] == update * LONG.batch + LONG.micro_batch + 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return item(example, generator)

        run(tmp_path, LONG, UPDATES, make=make)

    assert in_child(attempt) == 143
    model, fitted = run(tmp_path, LONG, UPDATES)
    assert fitted.resumed_from == update
    same_as(undisturbed, tmp_path, model)


def test_seconds_are_counted_over_all_attempts(tmp_path):
    now = [100.0]
    for attempt, seconds in ((1, 30.0), (2, 12.0)):
        spent = TimeSpent(tmp_path, clock=clock(now))
        now[0] += seconds
        assert spent.attempts == attempt
        spent.write()
    assert TimeSpent(tmp_path, clock=clock(now)).seconds == 42.0
    # A run that ended well and whose checkpoints were removed is another run when it is started again.
    spent.write(done=True)
    assert TimeSpent(tmp_path, clock=clock(now)).seconds == 42.0
    assert TimeSpent(tmp_path, from_the_start=True, clock=clock(now)).seconds == 0.0
    (tmp_path / "time_spent.json").write_text("{")
    assert TimeSpent(tmp_path, clock=clock(now)).attempts == 1


def test_a_run_that_is_killed_has_recorded_its_time_now_and_then(tmp_path):
    now = [0.0]
    spent = TimeSpent(tmp_path, clock=clock(now))
    recorded = []
    for now[0] in (0.0, 1.0, 4.0, 11.5, 12.0, 30.0):
        spent.write_now_and_then()
        recorded.append(json.loads(spent.path.read_text())["seconds"])
    assert recorded == [0.0, 1.0, 1.0, 11.5, 11.5, 30.0]
