"""The one place where weights change: Hugging Face Trainer around any module that returns a loss."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import Trainer, TrainingArguments

from glmflow.config.adaptations import Training
from glmflow.errors import InputError

from .callbacks import MetricsLog, peak_memory_mb

log = logging.getLogger(__name__)

WEIGHTS = "trainable.safetensors"


class Fitted(NamedTuple):
    """What a training run cost."""

    updates: int
    seconds: float
    peak_memory_mb: float
    resumed_from: int


Evaluate = Callable[[nn.Module], dict[str, float]]


class StreamTrainer(Trainer):
    """A Trainer that reads its draws in order, saves only what it trains, and evaluates in a stream.

    `evaluate_model` returns the validation metrics of a model without ever holding the predictions of more than a batch.
    """

    def __init__(self, *args: Any, evaluate_model: Evaluate | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.evaluate_model = evaluate_model

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return and log the validation metrics, named `eval_*`."""
        assert self.evaluate_model is not None
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            metrics = {f"eval_{name}": value for name, value in self.evaluate_model(self.model).items()}
        self.model.train(training)
        self.log(metrics)
        return metrics

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Any:
        """Stop at the first loss that is not a number, naming the update."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        value = loss[0] if isinstance(loss, tuple) else loss
        if not torch.isfinite(value.detach()):
            raise InputError(
                f"the loss is {value.item()} at update {self.state.global_step + 1}",
                mend="lower learning_rate or max_grad_norm, or look for extreme targets",
            )
        return loss

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(trainable_state(self.model), folder / WEIGHTS)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        load_trainable_state(model or self.model, load_file(Path(resume_from_checkpoint) / WEIGHTS))


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """Return the trained parameters and all buffers by name, each tensor once: what a checkpoint has to hold."""
    names = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    names += list(model.named_buffers())
    return {name: value.detach().cpu().contiguous().clone() for name, value in names}


def load_trainable_state(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Write a `trainable_state` back into a model of the same shape, in place."""
    current = dict(model.named_parameters()) | dict(model.named_buffers())
    unknown = sorted(set(state) - set(current))
    if unknown:
        raise ValueError(f"the checkpoint holds weights the model has not: {', '.join(unknown[:3])}")
    with torch.no_grad():
        for name, value in state.items():
            current[name].copy_(value)


def fit(
    model: nn.Module,
    draws: Dataset,
    collate: Callable,
    training: Training,
    updates: int,
    folder: Path,
    seed: int,
    evaluate_model: Evaluate | None = None,
) -> Fitted:
    """Train a model on a stream of draws, resuming from the newest checkpoint in `folder`.

    Parameters
    ----------
    model
        A module whose `forward(**batch)` returns a dictionary with `loss`.
    draws
        `updates x training.batch` items, read in order.
    updates
        Number of optimizer updates.
    folder
        Where `checkpoints/`, `metrics.jsonl` and the TensorBoard files go.
    """
    accumulation = accumulation_steps(training)
    arguments = training_arguments(training, updates, accumulation, folder, seed, evaluate_model is not None)
    trainer = StreamTrainer(
        model=model,
        args=arguments,
        train_dataset=draws,
        eval_dataset=draws if evaluate_model else None,
        data_collator=collate,
        evaluate_model=evaluate_model,
        callbacks=[MetricsLog(folder / "metrics.jsonl", training.batch)],
    )
    checkpoint = newest_checkpoint(folder / "checkpoints")
    if checkpoint:
        log.info("resuming from %s", checkpoint)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    resumed = int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else 0
    return Fitted(trainer.state.global_step, time.monotonic() - started, peak_memory_mb(), resumed)


def training_arguments(
    training: Training, updates: int, accumulation: int, folder: Path, seed: int, evaluates: bool
) -> TrainingArguments:
    """Translate the configuration's training block into the Trainer's own arguments."""
    every = max(1, updates // training.evaluations) if training.evaluations else updates
    return TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        max_steps=updates,
        per_device_train_batch_size=training.micro_batch,
        gradient_accumulation_steps=accumulation,
        optim={"adafactor": "adafactor", "adamw": "adamw_torch"}[training.optimizer],
        learning_rate=training.learning_rate,
        lr_scheduler_type={"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}[
            training.schedule
        ],
        warmup_steps=math.ceil(training.warmup * updates),
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=training.bf16,
        logging_steps=max(1, updates // 100),
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluates and training.evaluations else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        seed=seed,
        report_to=["tensorboard"],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=training.workers,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
    )


def accumulation_steps(training: Training, processes: int = 1) -> int:
    """Return how many micro-batches make the effective batch on this many processes."""
    per_step = training.micro_batch * processes
    if training.batch % per_step:
        raise InputError(
            f"batch {training.batch} is not a multiple of micro_batch {training.micro_batch} x {processes} process(es)",
            where="adaptations.*.train",
            mend="change batch or micro_batch so that it divides",
        )
    return training.batch // per_step


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint with the highest step, or None."""
    found = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    return max(found, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)
