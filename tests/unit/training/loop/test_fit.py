import json
import logging
import os
import random
import signal
import time

import numpy as np
import pytest
import tiny_run
import torch
from glmflow.config.adaptations import Training
from glmflow.errors import HopelessError, InputError
from glmflow.training.loop import checkpoints, trainer
from glmflow.training.loop.fit import (
    FAILURE,
    MICRO_BATCH,
    accumulation_steps,
    halved,
    record_failure,
    remember_micro_batch,
)
from glmflow.training.loop.trainer import FAILED_BATCH
from glmflow.training.stream import ExampleStream
from tiny_run import TRAINING, UPDATES, Model, in_child, item, run, weights
from torch import nn

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    model, fitted = run(folder)
    return folder, weights(model), fitted


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def lines(folder):
    """Logged numbers, without what depends on the clock and the machine."""
    machine = ("time", "memory_mb", "samples_per_second")
    read = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in machine} for line in read]


def steps(folder):
    return sorted(checkpoints.step_of(path) for path in folder.glob("checkpoints/*/checkpoint-*"))


def test_a_run_trains_and_leaves_two_checkpoints(undisturbed):
    folder, state, fitted = undisturbed
    assert fitted.updates == UPDATES and fitted.resumed_from == 0 and fitted.warnings == ()
    assert not torch.equal(state["layers.0.weight"], weights(Model())["layers.0.weight"])
    assert steps(folder) == [4, 6]


def test_every_update_is_logged_once_and_every_evaluation_too(undisturbed):
    folder, _, _ = undisturbed
    logged = lines(folder)
    assert [line["step"] for line in logged if "loss" in line] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in logged if "eval_loss" in line] == [2, 4, 6]
    assert all(line["updates"] == UPDATES for line in logged)


def test_a_run_depends_on_its_seed_alone(undisturbed, tmp_path):
    torch.manual_seed(99)
    model, _ = run(tmp_path)
    same(weights(model), undisturbed[1])


def test_evaluation_does_not_change_what_is_learned(undisturbed, tmp_path):
    model, _ = run(tmp_path, evaluate_model=lambda model: {"loss": torch.rand(1).item()})
    same(weights(model), undisturbed[1])


def test_a_finished_run_is_not_trained_again(undisturbed):
    folder, state, _ = undisturbed
    model, fitted = run(folder)
    assert fitted.resumed_from == UPDATES
    same(weights(model), state)


# Moments at which a run can end. Each gets what to do there and arranges that it happens at the fourth update.
def while_loading(end, monkeypatch):
    def make(example, generator, seen=[0]):  # noqa: B006
        seen[0] += 1
        if seen[0] == 3 * TRAINING.batch + TRAINING.micro_batch + 1:  # the loader is a micro-batch ahead
            end()
        return item(example, generator)

    return {"make": make}


def going_forward(end, monkeypatch):
    class Ending(Model):
        seen = 0

        def forward(self, x, y):
            output = super().forward(x, y)
            self.seen += self.training
            if self.seen == 3 * 2 + 1:
                self.seen += 1
                end()
            return output

    return {"model": Ending()}


def in_the_optimizer(end, monkeypatch):
    seen = [0]
    step = torch.optim.AdamW.step

    def ending(self, *args, **kwargs):
        result = step(self, *args, **kwargs)
        seen[0] += 1
        if seen[0] == 4:
            end()
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", ending)
    return {}


def writing_a_checkpoint(end, monkeypatch):
    seen = [0]
    sha256 = checkpoints.sha256

    def ending(path):
        seen[0] += ".writing" in str(path)
        if seen[0] == 8:  # in the middle of the second checkpoint
            seen[0] += 1
            end()
        return sha256(path)

    monkeypatch.setattr(checkpoints, "sha256", ending)
    return {}


def evaluating(end, monkeypatch):
    seen = [0]

    def evaluate(model):
        seen[0] += 1
        if seen[0] == 2:
            end()
        return tiny_run.evaluate(model)

    return {"evaluate_model": evaluate}


MOMENTS = [while_loading, going_forward, in_the_optimizer, writing_a_checkpoint, evaluating]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_killed_and_started_again_it_ends_with_the_same_weights(undisturbed, tmp_path, monkeypatch, moment):
    with monkeypatch.context() as patch:
        settings = moment(lambda: os.kill(os.getpid(), signal.SIGKILL), patch)
        assert in_child(lambda: run(tmp_path, **settings)) == -signal.SIGKILL
    model, fitted = run(tmp_path)
    assert fitted.resumed_from == 2 and fitted.updates == UPDATES
    same(weights(model), undisturbed[1])
    assert lines(tmp_path) == lines(undisturbed[0])


@pytest.mark.parametrize(
    ("moment", "saved"),
    [(while_loading, 3), (going_forward, 3), (in_the_optimizer, 4), (writing_a_checkpoint, 4), (evaluating, 4)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_told_to_end_it_saves_first_and_goes_on_from_there(undisturbed, tmp_path, monkeypatch, moment, saved):
    with monkeypatch.context() as patch:
        settings = moment(lambda: signal.raise_signal(signal.SIGTERM), patch)
        with pytest.raises(SystemExit) as leave:
            run(tmp_path, **settings)
    assert leave.value.code == 128 + signal.SIGTERM
    assert max(steps(tmp_path)) == saved
    assert not (tmp_path / "metrics.jsonl").exists(), "the file of a finished run"
    model, fitted = run(tmp_path)
    assert fitted.resumed_from == saved
    same(weights(model), undisturbed[1])
    assert lines(tmp_path) == lines(undisturbed[0])


def test_told_to_end_in_the_first_update_it_begins_again(undisturbed, tmp_path):
    def make(example, generator):
        signal.raise_signal(signal.SIGTERM)
        return item(example, generator)

    with pytest.raises(SystemExit):
        run(tmp_path, make=make)
    assert steps(tmp_path) == []
    model, fitted = run(tmp_path)
    assert fitted.resumed_from == 0
    same(weights(model), undisturbed[1])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_ended_at_random_moments_it_ends_with_the_same_weights(undisturbed, tmp_path, number):
    """A run is ended again and again until it comes through; each example takes 10 ms, or the whole run is over before."""

    def slowly(example, generator):
        time.sleep(0.01)
        return item(example, generator)

    generator = random.Random(int(number))
    ended = 0
    for _ in range(12):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run(tmp_path, make=slowly)
                code = 0
            except SystemExit as leave:
                code = leave.code
            finally:
                os._exit(code)
        time.sleep(generator.uniform(0.02, 0.25))
        os.kill(pid, number)
        ended += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
    assert ended > 0
    model, _ = run(tmp_path)
    same(weights(model), undisturbed[1])
    assert lines(tmp_path) == lines(undisturbed[0])


def test_a_damaged_checkpoint_is_passed_over_with_a_message(undisturbed, tmp_path, caplog):
    run(tmp_path)
    (newest,) = tmp_path.glob("checkpoints/*/checkpoint-6")
    path = newest / "optimizer.pt"
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        model, fitted = run(tmp_path)
    assert fitted.resumed_from == 4
    assert "checkpoint-6 is damaged (optimizer.pt has changed): passed over" in caplog.text
    same(weights(model), undisturbed[1])


def test_other_settings_begin_again_and_say_what_differs(tmp_path, caplog):
    run(tmp_path, settings={"task": "a"})
    with caplog.at_level(logging.WARNING):
        changed = TRAINING.model_copy(update={"learning_rate": 0.02})
        _, fitted = run(tmp_path, training=changed, settings={"task": "a"})
    assert fitted.resumed_from == 0
    assert "not used: training.learning_rate: 0.01 -> 0.02" in caplog.text
    _, fitted = run(tmp_path, settings={"task": "a"})
    assert fitted.resumed_from == UPDATES, "what was trained with the earlier settings is still there"


def test_a_full_disk_leaves_the_last_good_checkpoint(undisturbed, tmp_path, monkeypatch):
    save, seen = trainer.save_file, [0]

    def full(state, path):
        save(state, path)
        seen[0] += 1
        if seen[0] == 2:
            path.write_bytes(path.read_bytes()[:100])
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "save_file", full)
        with pytest.raises(OSError, match="No space left"):
            run(tmp_path)
    assert steps(tmp_path) == [2]
    model, fitted = run(tmp_path)
    assert fitted.resumed_from == 2
    same(weights(model), undisturbed[1])


def poisoned(example, generator):
    found = item(example, generator)
    return found | {"y": np.nan} if example == 7 else found


def test_a_loss_that_is_no_number_stops_the_run_with_its_batch_and_is_not_tried_again(tmp_path):
    with pytest.raises(HopelessError, match=r"the loss is nan in update \d of 6 at .*example 7") as error:
        run(tmp_path, make=poisoned)
    batch = torch.load(error.value.where)
    assert batch["x"].shape == (2, 3) and batch["y"].isnan().sum() == 1
    (kept,) = tmp_path.glob(f"checkpoints/*/{FAILED_BATCH}")
    assert str(kept) == error.value.where

    def never(example, generator):
        raise AssertionError("no example is loaded again")

    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss is nan"):
        run(tmp_path, make=never)
    run(tmp_path, training=TRAINING.model_copy(update={"learning_rate": 0.001}))


class _Spoiled(torch.autograd.Function):
    """Nothing going forward, not a number going back."""

    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient * np.nan


def test_a_gradient_that_is_no_number_names_its_own_update_and_examples(tmp_path):
    class Spoiling(Model):
        def forward(self, x, y):
            loss = super().forward(x, y)["loss"]
            self.seen = getattr(self, "seen", 0) + self.training
            return {"loss": _Spoiled.apply(loss) if self.seen == 5 else loss}

    with pytest.raises(HopelessError, match=r"norm of its gradient is nan in update 3 of 6 at (.*)\. Lower") as error:
        run(tmp_path, model=Spoiling())
    draws = ExampleStream(item, 11, UPDATES * TRAINING.batch, seed=3)
    for draw in range(2 * TRAINING.batch, 3 * TRAINING.batch):
        assert draws.describe(draw) in str(error.value)
    with pytest.raises(HopelessError, match="not tried again"):
        run(tmp_path)


class Hungry(nn.Module):
    """A model whose GPU holds `limit` examples; averages like any mean loss, whatever the micro-batch."""

    def __init__(self, limit):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.limit = nn.Linear(3, 1).double(), limit

    def forward(self, x, y):
        if self.training and len(x) > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return {"loss": ((self.layer(x.double())[:, 0] - y) ** 2).mean()}


@pytest.mark.parametrize("name", [FAILURE, MICRO_BATCH])
def test_an_empty_note_beside_the_checkpoints_is_passed_over(undisturbed, tmp_path, caplog, name):
    """What an earlier attempt left on a full disk."""
    run(tmp_path)
    (folder,) = (tmp_path / "checkpoints").iterdir()
    (folder / name).write_text("")
    with caplog.at_level(logging.WARNING):
        model, _ = run(tmp_path)
    assert f"{name} cannot be read" in caplog.text
    same(weights(model), undisturbed[1])


def test_notes_beside_the_checkpoints_are_whole_or_absent(tmp_path, monkeypatch):
    made = checkpoints.Checkpoints(tmp_path, {})

    def full(self, text):
        with self.open("w") as handle:
            handle.write(text[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    for note in (lambda: remember_micro_batch(made, 12), lambda: record_failure(made, HopelessError("broken"))):
        with pytest.raises(OSError, match="No space left"):
            note()
    assert list(made.folder.iterdir()) == []


@pytest.mark.parametrize("fails_from", [0, 3])
def test_out_of_memory_halves_the_micro_batch_and_keeps_the_effective_batch(tmp_path, fails_from):
    class Later(Hungry):
        def forward(self, x, y):
            later = self.training and getattr(self, "seen", 0) < fails_from
            self.seen = getattr(self, "seen", 0) + self.training
            if later:
                limit, self.limit = self.limit, 99
                try:
                    return super().forward(x, y)
                finally:
                    self.limit = limit
            return super().forward(x, y)

    whole = TRAINING.model_copy(update={"micro_batch": 4})
    expected, _ = run(tmp_path / "expected", training=whole, model=Hungry(4))
    model, fitted = run(tmp_path / "small", training=whole, model=Later(1))
    assert fitted.updates == UPDATES
    (warning,) = fitted.warnings
    assert "micro-batches of 4 did not fit" in warning and "1 at a time" in warning
    assert torch.allclose(model.layer.weight, expected.layer.weight, rtol=1e-6)
    assert [line["step"] for line in lines(tmp_path / "small") if "loss" in line] == [1, 2, 3, 4, 5, 6]
    _, again = run(tmp_path / "small", training=whole, model=Hungry(1))
    assert again.warnings == fitted.warnings, "a resumed run says it too"


def test_one_example_that_does_not_fit_is_an_error_with_its_fix(tmp_path):
    with pytest.raises(InputError, match=r"a single example does not fit .*gradient_checkpointing, LoRA"):
        run(tmp_path, model=Hungry(0))


def test_weights_can_be_read_by_whom_the_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        run(tmp_path, updates=1)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob("checkpoints/*/checkpoint-1/*")}
    assert modes == {0o640}


def test_the_batch_has_to_divide():
    training = Training(batch=12, micro_batch=2)
    assert [accumulation_steps(training, processes) for processes in (1, 2, 3)] == [6, 3, 2]
    with pytest.raises(InputError, match="batch 12 is not a multiple of micro_batch 2 x 4"):
        accumulation_steps(training, 4)


@pytest.mark.parametrize(("micro_batch", "batch", "expected"), [(8, 32, 4), (3, 6, 1), (6, 12, 3), (5, 10, 2)])
def test_halved(micro_batch, batch, expected):
    assert halved(micro_batch, batch) == expected
