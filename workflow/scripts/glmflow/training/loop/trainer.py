"""Hugging Face's Trainer, reading draws in order and losing nothing when it is interrupted."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import Trainer, TrainingArguments
from transformers.optimization import Adafactor

from glmflow.config.validation_metrics import LOSS, better
from glmflow.errors import HopelessError
from glmflow.files import atomic_path

from .adafactor_of_pieces import AdafactorOfPieces
from .best_weights import Best, keep_if_best
from .checkpoints import Checkpoints
from .deadline import LeaveInTime
from .interruption import Interruption, kept_generators, restore_snapshot
from .layer_rates import give_rates
from .sharding import (
    copy_into,
    gathered,
    let_go,
    load_optimizer_state,
    optimizer_state,
    share_out_on_cpus_too,
    whole,
)
from .whole_intervals import WholeIntervals

log = logging.getLogger(__name__)

WEIGHTS, OPTIMIZER, SCHEDULER = "trainable.safetensors", "optimizer.pt", "scheduler.pt"
FAILED_BATCH = "failed_batch.pt"

Evaluate = Callable[[nn.Module], dict[str, float]]


class StreamTrainer(WholeIntervals, Trainer):
    """A Trainer that reads its draws in order, saves only what it trains, and evaluates in a stream.

    Parameters
    ----------
    checkpoints
        Where checkpoints go, under which identity.
    interruption
        Hears SIGTERM.
    evaluate_model
        Returns the validation metrics of a model without ever holding the predictions of more than a batch.
    in_time
        Knows when the job has to leave; is given how long checkpoints take.
    keep_best
        Keep the weights of the best evaluation.
    best_by
        Validation metric by which one is best.
    patience
        Evaluations without a better one after which training stops; None: it goes on to its end.

    Attributes
    ----------
    stopped_early
        Whether it did.
    """

    def __init__(
        self,
        *args: Any,
        checkpoints: Checkpoints,
        interruption: Interruption,
        evaluate_model: Evaluate | None = None,
        in_time: LeaveInTime | None = None,
        keep_best: bool = False,
        best_by: str = LOSS,
        patience: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.keep_best, self.best_by, self.patience = keep_best, best_by, patience
        self.stopped_early = False
        self.in_time = in_time
        self.checkpoints, self.interruption, self.evaluate_model = checkpoints, interruption, evaluate_model
        self._micro_batch = 0
        self._output_dir: Path | None = None

    def create_accelerator_and_postprocess(self) -> None:
        """Create the accelerator, which shares out a model on CPUs too if it was asked to."""
        if self.args.fsdp:
            share_out_on_cpus_too()
        super().create_accelerator_and_postprocess()

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments, model: nn.Module | None = None) -> tuple[Any, Any]:
        """Return the class of the optimizer and its settings; that of pieces where the model is shared out."""
        kind, settings = Trainer.get_optimizer_cls_and_kwargs(args, model)
        return AdafactorOfPieces if args.fsdp and kind is Adafactor else kind, settings

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """Return the names of parameters that weight decay draws to zero: not those that are marked as none of them.

        The mark is that of Mamba's code and of timm: an attribute `_no_weight_decay` of the parameter.
        """
        marked = {name for name, values in model.named_parameters() if getattr(values, "_no_weight_decay", False)}
        return [name for name in super().get_decay_parameter_names(model) if name not in marked]

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Create the optimizer; parts of the model that ask for it have their own learning rate."""
        fresh = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if fresh:
            give_rates(optimizer, self.model if model is None else model)
        return optimizer

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> tuple[list, Any]:
        """Load the micro-batches of an update."""
        self._micro_batch = 0
        with self._leaving():
            return super().get_batch_samples(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return and log the validation metrics, named `eval_*`; generators are left as they were."""
        assert self.evaluate_model is not None
        training = self.model.training
        self.model.eval()
        with torch.no_grad(), kept_generators(), self._leaving():
            metrics = {f"eval_{name}": value for name, value in self.evaluate_model(self.model).items()}
        let_go(self.model)
        self.model.train(training)
        if f"eval_{self.best_by}" not in metrics:
            has = ", ".join(name.removeprefix("eval_") for name in metrics)
            what = f"the validation split has no {self.best_by} to choose by (it has {has})"
            raise HopelessError(
                what, where="adaptations.*.train.best_by", fix="Choose by another, or give it rows of two classes"
            )
        if self.keep_best:
            state = trainable_state(self.model)
            if self.is_world_process_zero():
                best = Best(metrics[f"eval_{self.best_by}"], self.state.global_step, self.best_by)
                keep_if_best(self.checkpoints.folder, best, state)
        self.log(metrics)
        return metrics

    def _evaluate(self, trial: Any, ignore_keys: Any, skip_scheduler: bool = False) -> dict[str, float]:
        """Evaluate, and let the rate follow: also where the evaluation of the update before an interruption is made up for."""
        return super()._evaluate(trial, ignore_keys, skip_scheduler=False)

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Stop after an evaluation that is the last of `patience` ones without a better one."""
        super()._maybe_log_save_evaluate(*args, **kwargs)
        if self.patience and stale(self.state.log_history, self.best_by) >= self.patience:
            self.stopped_early = self.control.should_training_stop = True

    def _leaving(self) -> AbstractContextManager[None]:
        """Let SIGTERM end a block at once, unless other processes would wait for this one."""
        return self.interruption.leaving() if self.args.world_size == 1 else nullcontext()

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Any:
        """Stop at the first loss that is not a number, naming the update and its examples."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        value = loss[0] if isinstance(loss, tuple) else loss
        if not torch.isfinite(value.detach()):
            self._report_batch(value.item(), inputs)
        self._micro_batch += 1
        return loss

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> Any:
        """Stop before an update whose gradient is not a number: the loss would tell only one batch later."""
        norm = super()._get_grad_norm(model, grad_norm)
        if norm is not None and not math.isfinite(norm):
            each = self.args.gradient_accumulation_steps
            raise HopelessError(
                f"the loss is a number and the norm of its gradient is {float(norm)} {self._place(0, each)}",
                where="adaptations.*.train",
                fix="Lower learning_rate, or look for a division by zero or a root of zero in the loss of these examples",
            )
        return norm

    def _report_batch(self, loss: float, inputs: dict[str, Tensor]) -> None:
        """Keep the batch that broke the run and say where it comes from."""
        with atomic_path(self.checkpoints.folder / FAILED_BATCH) as temporary:
            torch.save(inputs, temporary)
        raise HopelessError(
            f"the loss is {loss} {self._place(self._micro_batch, 1)}",
            where=self.checkpoints.folder / FAILED_BATCH,
            fix="Lower learning_rate or max_grad_norm, or look for extreme targets in this batch",
        )

    def _place(self, micro_batch: int, count: int) -> str:
        """Return the update under way and the examples that this process has in some of its micro-batches."""
        size, processes = self.args.per_device_train_batch_size, self.args.world_size
        before = self.state.global_step * self.args.gradient_accumulation_steps + micro_batch
        starts = [((before + n) * processes + self.args.process_index) * size for n in range(count)]
        draws = [draw for start in starts for draw in range(start, min(start + size, len(self.train_dataset)))]
        describe = getattr(self.train_dataset, "describe", lambda draw: f"draw {draw}")
        examples = ", ".join(map(describe, draws))
        return f"in update {self.state.global_step + 1} of {self.state.max_steps} at {examples}"

    def save_where_it_stands(self) -> None:
        """Take back an unfinished update and write a checkpoint, where there is progress and none is written yet."""
        if self.interruption.begun is not None:
            restore_snapshot(self.model, self.interruption.begun)
        if self.state.global_step and not self.checkpoints.path(self.state.global_step).exists():
            self._save_checkpoint(self.model, trial=None)

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._output_dir or super()._get_output_dir(trial))

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        step, started = self.state.global_step, time.monotonic()
        with self.checkpoints.staging() as self._output_dir:
            try:
                super()._save_checkpoint(model, trial)
                self.write_interval(self._output_dir / f"checkpoint-{step}")
                self.accelerator.wait_for_everyone()
                if self.is_world_process_zero():
                    self.checkpoints.publish(self._output_dir / f"checkpoint-{step}", step)
                self.accelerator.wait_for_everyone()
            finally:
                self._output_dir = None
        if self.in_time is not None:
            self.in_time.saved(time.monotonic() - started)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write what is trained; every process takes part, the first one writes."""
        state = trainable_state(self.model)
        if self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            save_file(state, folder / WEIGHTS)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.is_fsdp_enabled:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        state = optimizer_state(self.model, self.optimizer.optimizer)
        if self.args.should_save:
            torch.save(state, Path(output_dir) / OPTIMIZER)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self.is_fsdp_enabled or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        state = torch.load(Path(checkpoint) / OPTIMIZER, map_location="cpu", weights_only=True)
        load_optimizer_state(self.model, self.optimizer.optimizer, state)
        self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER, weights_only=True))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        load_trainable_state(model or self.model, load_file(Path(resume_from_checkpoint) / WEIGHTS))


def stale(history: Sequence[Mapping[str, Any]], metric: str) -> int:
    """Return how many evaluations have passed since the best one, by the log of a run."""
    values = [line[f"eval_{metric}"] for line in history if f"eval_{metric}" in line]
    best, place = None, 0
    for number, value in enumerate(values):
        if better(metric, value, best):
            best, place = value, number
    return max(0, len(values) - 1 - place)


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """Return the trained parameters and all buffers by name, each tensor once: what a checkpoint has to hold."""
    names = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    names += list(model.named_buffers())
    with gathered(value for _, value in names if isinstance(value, nn.Parameter)):
        return {name: whole(value.detach()).cpu().contiguous().clone() for name, value in names}


def load_trainable_state(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Write a `trainable_state` back into a model of the same shape, in place."""
    current = dict(model.named_parameters()) | dict(model.named_buffers())
    unknown = sorted(set(state) - set(current))
    if unknown:
        raise ValueError(f"the checkpoint holds weights the model has not: {', '.join(unknown[:3])}")
    with torch.no_grad():
        for name, value in state.items():
            copy_into(current[name], value)


def evaluation_is_due(checkpoint: Path, every: int) -> bool:
    """Whether a run was interrupted between an update and the evaluation that belongs to it."""
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    step = state["global_step"]
    done = any(
        entry["step"] == step and any(key.startswith("eval_") for key in entry) for entry in state["log_history"]
    )
    return not done and (step % every == 0 or step == state["max_steps"])
