"""What a run leaves behind while it trains: `metrics.jsonl`, a line a logged step, and checkpoints by the clock."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from glmflow.status import write_progress

from ..cost import TimeSpent
from ..peak_memory import peak_memory_mb
from .interruption import any_process


class MetricsLog(TrainerCallback):
    """Append every logged number to `metrics.jsonl`; the report and the status page read nothing else.

    Lines: `step`, `updates` (of the whole run), `time` (seconds since the epoch), `memory_mb` (peak of this process) and
    whatever the Trainer logged (`loss`, `learning_rate`, `grad_norm`, `eval_*`). A resumed run drops the lines after the
    checkpoint it resumes from.
    """

    def __init__(self, path: Path, examples_per_update: int, spent: TimeSpent | None = None):
        self.path, self.examples_per_update, self.spent = path, examples_per_update, spent
        self._last: tuple[int, float] | None = None
        self._curves = Curves(0, [])

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """Keep only what happened before the step that training starts from."""
        if not state.is_world_process_zero:
            return
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if _step(line) <= state.global_step] if state.global_step else []
        if args.eval_on_start:  # the evaluation of this step is done again
            kept = [line for line in kept if _step(line) < state.global_step or "eval_" not in line]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(f"{line}\n" for line in kept))
        self._last = (state.global_step, time.monotonic())
        self._curves = Curves(state.global_step, [json.loads(line) for line in kept])

    def on_log(self, args, state, control, logs: dict[str, Any] | None = None, **kwargs) -> None:
        """Write one line."""
        if not state.is_world_process_zero or not logs or "train_runtime" in logs:
            return
        line = {
            "step": state.global_step,
            "updates": state.max_steps,
            "time": round(time.time(), 3),
            "memory_mb": round(peak_memory_mb(), 1),
        }
        if "loss" in logs and self._last and state.global_step > self._last[0]:
            now = time.monotonic()
            updates = state.global_step - self._last[0]
            line["samples_per_second"] = round(updates * self.examples_per_update / (now - self._last[1]), 3)
            self._last = (state.global_step, now)
        line |= {key: value for key, value in logs.items() if key != "epoch"}
        with self.path.open("a") as handle:
            handle.write(json.dumps(line) + "\n")
        if self.spent is not None:
            self.spent.write_now_and_then()
        self._curves.add(line)
        write_progress(
            self._curves.progress | {"step": state.global_step, "updates": state.max_steps, "time": time.time()}
        )


class Curves:
    """The loss curves of a run and where its pace is counted from: what the status page draws."""

    def __init__(self, first_step: int, lines: Iterable[Mapping[str, Any]]):
        self.progress: dict[str, Any] = {
            "first_step": first_step,
            "first_time": time.time(),
            "loss": [],
            "validation": [],
        }
        for line in lines:
            self.add(line)

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a logged line to the curve it belongs to."""
        for curve, key in (("loss", "loss"), ("validation", "eval_loss")):
            if key in line:
                self.progress[curve].append((line["step"], line[key]))


class SaveByTheClock(TrainerCallback):
    """Ask for a checkpoint when the last one is `minutes` old, so that a crash never costs more than that."""

    def __init__(self, minutes: float):
        self.minutes = minutes
        self._saved = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Look at the clock; several processes follow the first whose time has come."""
        due = time.monotonic() - self._saved > 60 * self.minutes
        if due if args.world_size == 1 else any_process(due, args.device):
            control.should_save = control.should_log = True

    def on_save(self, args, state, control, **kwargs) -> None:
        """Start counting again."""
        self._saved = time.monotonic()


class GoOn(TrainerCallback):
    """Calls a function when training begins, after the Trainer has set its counters to nothing."""

    def __init__(self, function: Callable[[], None]):
        self.function = function

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """Call it."""
        self.function()


class OncePerStep(TrainerCallback):
    """Keep the end of the only epoch from repeating the evaluation and the checkpoint of the last update."""

    def on_epoch_end(self, args, state, control, **kwargs) -> None:
        """Everything that was due has been done at the end of the step."""
        control.should_evaluate = control.should_save = False


def _step(line: str) -> int:
    """Return the step of a line, or a step that is never reached where the line was cut off."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):
        return sys.maxsize
