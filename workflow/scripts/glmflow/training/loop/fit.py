"""The one place where weights change: Hugging Face Trainer around any module that returns a loss."""

from __future__ import annotations

import copy
import gc
import json
import logging
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import TrainingArguments

from glmflow.config.adaptations import Training
from glmflow.config.validation_metrics import LOSS
from glmflow.errors import HopelessError, InputError
from glmflow.files import atomic_path

from ..cost import Fitted, TimeSpent
from ..peak_memory import peak_memory_mb
from .batch_norm import share_batch_norm
from .best_weights import best_so_far, best_weights
from .callbacks import GoOn, MetricsLog, OncePerStep, SaveByTheClock
from .checkpoints import Checkpoints, step_of
from .deadline import LeaveInTime, deadline, expected_save_seconds, note_checkpoint
from .distributed import TERMINATED, is_first, processes
from .interruption import Interruption, Terminated, restore_snapshot, take_snapshot
from .monitoring import monitoring_arguments
from .overfit import LONG_RUN, OneBatchFirst, check_overfit
from .sharding import sharding_arguments
from .trainer import (
    Evaluate,
    StreamTrainer,
    evaluation_is_due,
    load_trainable_state,
    trainable_state,
)
from .worker_sockets import keep_sockets_short

log = logging.getLogger(__name__)

MINUTES_BETWEEN_CHECKPOINTS = 30


def fit(
    model: nn.Module,
    draws: Dataset,
    collate: Callable,
    training: Training,
    updates: int,
    folder: Path,
    seed: int,
    evaluate_model: Evaluate | None = None,
    identity: Mapping[str, Any] | None = None,
) -> Fitted:
    """Train a model on a stream of draws, resuming from the newest good checkpoint of the same run in `folder`.

    A run that is killed at any moment ends, when it is started again, with the weights of an undisturbed run. Where
    the GPU cannot hold a micro-batch, the micro-batch is halved and twice as many are accumulated.

    Parameters
    ----------
    model
        A module whose `forward(**batch)` returns a dictionary with `loss`.
    draws
        `updates x training.batch` items, read in order.
    updates
        Number of optimizer updates.
    folder
        Gets `metrics.jsonl`; `checkpoints/{hash}/` holds what a run needs to go on, its TensorBoard files and the
        `metrics.jsonl` of a run under way.
    identity
        JSON data of everything else that decides the weights (settings of the run, fingerprints of its inputs). A
        checkpoint of another identity is not used.

    Raises
    ------
    HopelessError
        The loss or its gradient is not a number, or a single batch cannot be learned; for the same identity at once
        when tried again.
    InputError
        One example does not fit into the memory of the GPU.
    SystemExit
        SIGTERM; a checkpoint is written first.
    """
    checkpoints = checkpoints_of(folder, training, updates, seed, identity or {})
    refuse_known_failure(checkpoints)
    keep_sockets_short(training.workers)
    trained = to_be_trained(model, training)
    one_batch_first = training.overfit_check and updates >= LONG_RUN and checkpoints.newest() is None
    if one_batch_first and not is_to_be_shared_out(training):
        try_one_batch(trained, draws, collate, training, checkpoints)
    spent = TimeSpent(checkpoints.folder, from_the_start=checkpoints.newest() is None)
    in_time = LeaveInTime(deadline(), 0.0, together=processes() > 1)
    if in_time.end is not None:
        in_time.saved(expected_save_seconds(trained, checkpoints.folder))
    start, resumed = take_snapshot(trained), None
    micro_batch = remembered_micro_batch(checkpoints) or training.micro_batch
    while True:
        checkpoint = checkpoints.newest()
        if checkpoint:
            log.info("resuming from %s", checkpoint)
        else:
            checkpoints.explain_others()
        resumed = (step_of(checkpoint) if checkpoint else 0) if resumed is None else resumed
        used = training.model_copy(update={"micro_batch": micro_batch})
        trainer = new_trainer(
            *(trained, draws, collate, used, updates, seed, evaluate_model, checkpoints, checkpoint, in_time, spent)
        )
        if one_batch_first and is_to_be_shared_out(training):
            try_one_batch_shared_out(trainer, draws, collate, used)
        if train(trainer, checkpoint):
            break
        micro_batch = halved(micro_batch, training.batch)
        remember_micro_batch(checkpoints, micro_batch)
        log.warning("out of GPU memory: going on with micro-batches of %d, more of them accumulated", micro_batch)
        del trainer
        restore_snapshot(trained, start)
        gc.collect()
        torch.cuda.empty_cache()
    step = trainer.state.global_step
    done = step >= updates or trainer.stopped_early
    if is_first():
        spent.write(done=done)
    if not done:
        saved = checkpoints.newest()
        if saved is not None and is_first():
            note_checkpoint(step_of(saved), in_time.leaving)
        why = "the walltime ends" if in_time.leaving else "SIGTERM"
        log.warning("%s in update %d: the next attempt goes on from the last checkpoint", why, step + 1)
        raise SystemExit(TERMINATED)
    if trained is not model:
        load_trainable_state(model, trainable_state(trainer.model))
    best = best_so_far(checkpoints.folder) if training.keep == "best" else None
    if best is not None:
        load_trainable_state(model, best_weights(checkpoints.folder))
        line = "the weights after update %d are kept, of the best validation %s (%.4g)"
        log.info(line, best.update, best.metric, best.value)
    if step < updates:
        log.info(
            "stopped after update %d of %d: %d evaluations brought nothing better", step, updates, training.patience
        )
    if is_first():
        with atomic_path(folder / "metrics.jsonl") as temporary:
            shutil.copyfile(checkpoints.folder / "metrics.jsonl", temporary)
    return Fitted(
        *(step, spent.seconds, peak_memory_mb(), resumed, shrinking(training, micro_batch), spent.attempts),
        kept_update=best.update if best else step,
    )


def checkpoints_of(
    folder: Path, training: Training, updates: int, seed: int, identity: Mapping[str, Any]
) -> Checkpoints:
    """Return the checkpoints of a run, as `fit` calls it."""
    settings = {"training": training.model_dump(mode="json"), "updates": updates, "seed": seed}
    return Checkpoints(folder / "checkpoints", {**settings, **identity})


def try_one_batch(
    model: nn.Module, draws: Dataset, collate: Callable, training: Training, checkpoints: Checkpoints
) -> None:
    """Stop a run, and its next attempts, where the model cannot learn a single batch.

    Processes that each hold the whole model try it on their own.
    """
    try:
        check_overfit(model, draws, collate, training)
    except HopelessError as error:
        record_failure(checkpoints, error)
        raise


def try_one_batch_shared_out(trainer: StreamTrainer, draws: Dataset, collate: Callable, training: Training) -> None:
    """Have the same asked at the beginning of training, when the Trainer has shared out the model: it may not fit before."""
    if training.parallel == "deepspeed":
        log.info("one batch is not tried alone: DeepSpeed's engine takes the steps, and cannot take them back")
        return
    trainer.add_callback(OneBatchFirst(lambda model: check_overfit(model, draws, collate, training)))


def is_to_be_shared_out(training: Training) -> bool:
    """Whether processes will hold pieces of the model, not all of it each."""
    return processes() > 1 and training.parallel != "ddp"


def to_be_trained(model: nn.Module, training: Training) -> nn.Module:
    """Return the model that is trained: a copy where its weights are shared out, for they stay so.

    Batch normalisation takes its statistics over the examples of all processes (torch has no such layer for CPUs).
    """
    if processes() == 1:
        return model
    if is_to_be_shared_out(training):
        model = copy.deepcopy(model)
    share = nn.SyncBatchNorm.convert_sync_batchnorm if torch.cuda.is_available() else share_batch_norm
    return share(model)


def new_trainer(
    model: nn.Module,
    draws: Dataset,
    collate: Callable,
    training: Training,
    updates: int,
    seed: int,
    evaluate_model: Evaluate | None,
    checkpoints: Checkpoints,
    checkpoint: Path | None,
    in_time: LeaveInTime,
    spent: TimeSpent,
) -> StreamTrainer:
    """Return a trainer that is ready to go on from a checkpoint (None: to begin)."""
    evaluates = evaluate_model is not None
    sharding = sharding_arguments(training, model, processes())
    arguments = training_arguments(training, updates, checkpoints.folder, seed, evaluates, **sharding)
    if checkpoint and arguments.eval_strategy != "no":
        arguments.eval_on_start = evaluation_is_due(checkpoint, arguments.eval_steps)
    interruption = Interruption()
    trainer = StreamTrainer(
        model=model,
        args=arguments,
        train_dataset=draws,
        eval_dataset=draws if evaluate_model else None,
        data_collator=collate,
        checkpoints=checkpoints,
        interruption=interruption,
        evaluate_model=evaluate_model,
        in_time=in_time,
        keep_best=training.keep == "best",
        best_by=training.best_by,
        patience=training.patience,
        callbacks=[
            MetricsLog(checkpoints.folder / "metrics.jsonl", training.batch, spent),
            SaveByTheClock(MINUTES_BETWEEN_CHECKPOINTS),
            OncePerStep(),
            in_time,
            interruption,
        ],
    )
    trainer.read_interval(checkpoint)
    trainer.add_callback(GoOn(trainer.take_up_interval))
    return trainer


def train(trainer: StreamTrainer, checkpoint: Path | None) -> bool:
    """Train until the end or SIGTERM; return False where a micro-batch did not fit into the memory of the GPU.

    Either way the run can go on from its newest checkpoint afterwards.
    """
    interruption = trainer.interruption
    with interruption.listening(), trainer.in_time.watching():
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except Terminated:
            trainer.save_where_it_stands()
        except HopelessError as error:
            record_failure(trainer.checkpoints, error)
            raise
        except torch.OutOfMemoryError:
            if interruption.stepping or trainer.args.per_device_train_batch_size == 1:
                what = "the optimizer's step" if interruption.stepping else "a single example"
                raise InputError(
                    f"{what} does not fit into the memory of the GPU",
                    where="adaptations.*.train",
                    fix="Use gradient_checkpointing, LoRA, a shorter crop or more GPUs (`snakemake -c1 plan` compares them)",
                ) from None
            if trainer.args.world_size > 1:  # the other processes cannot follow: it takes effect in the next attempt
                remember_micro_batch(
                    trainer.checkpoints,
                    halved(trainer.args.per_device_train_batch_size, trainer.args.per_device_train_batch_size),
                )
                raise
            trainer.save_where_it_stands()
            return False
    return True


FAILURE, MICRO_BATCH = "failure.json", "micro_batch"
"""Files beside the checkpoints: why a run cannot succeed; the micro-batch that was found to fit."""


def record_failure(checkpoints: Checkpoints, error: HopelessError) -> None:
    """Remember that this run, with these settings and inputs, fails however often it is tried."""
    with atomic_path(checkpoints.folder / FAILURE) as temporary:
        temporary.write_text(json.dumps([error.what, error.where, error.fix]) + "\n")


def refuse_known_failure(checkpoints: Checkpoints) -> None:
    """Raise what an earlier attempt at the very same run ended with."""
    path = checkpoints.folder / FAILURE
    known = read_note(path)
    if isinstance(known, list) and len(known) == 3:
        what, where, fix = known
        raise HopelessError(
            f"not tried again, as nothing has changed: {what}", where=where, fix=f"{fix}, or delete {path}"
        )


def remember_micro_batch(checkpoints: Checkpoints, micro_batch: int) -> None:
    """Let later attempts begin with a micro-batch that fits."""
    with atomic_path(checkpoints.folder / MICRO_BATCH) as temporary:
        temporary.write_text(f"{micro_batch}\n")


def remembered_micro_batch(checkpoints: Checkpoints) -> int | None:
    """Return the micro-batch an earlier attempt has come down to, if any."""
    known = read_note(checkpoints.folder / MICRO_BATCH)
    return known if isinstance(known, int) and known > 0 else None


def read_note(path: Path) -> Any:
    """Return the JSON of a file beside the checkpoints; None where there is none, or none that can be read."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s): this attempt does without it", path, error)
        return None


def halved(micro_batch: int, batch: int) -> int:
    """Return the largest micro-batch of at most half the size that divides the batch."""
    return next(size for size in range(micro_batch // 2, 0, -1) if batch % size == 0)


def shrinking(training: Training, micro_batch: int) -> tuple[str, ...]:
    """Say that the micro-batch is not the one that was asked for."""
    if micro_batch == training.micro_batch:
        return ()
    return (
        f"micro-batches of {training.micro_batch} did not fit into the memory of the GPU: {micro_batch} at a time, "
        f"the effective batch is still {training.batch}",
    )


SCHEDULES = {
    "cosine": "cosine",
    "cosine_tenth": "cosine_with_min_lr",
    "wsd": "warmup_stable_decay",
    "linear": "linear",
    "constant": "constant_with_warmup",
    "plateau": "reduce_lr_on_plateau",
}
"""Names that the Trainer has for schedules. All but `plateau` are functions of the update alone: a run goes on as it would have."""
DECAY = 0.2
"""Share of the updates over which the rate falls (`schedule: wsd`)."""
LEAST = 0.1
"""Share of the peak that is left at the end (`schedule: cosine_tenth`)."""


def schedule_arguments(training: Training, updates: int) -> dict[str, Any]:
    """Return what a schedule needs to be given beside the warm-up, as the Trainer's arguments."""
    if training.schedule == "cosine_tenth":
        return {"lr_scheduler_kwargs": {"min_lr_rate": LEAST}}
    if training.schedule == "wsd":
        decay = min(math.ceil(DECAY * updates), updates - training.warmup_updates(updates))
        return {"lr_scheduler_kwargs": {"num_decay_steps": decay, "decay_type": "linear"}}
    if training.schedule != "plateau":
        return {}
    higher = training.best_by != LOSS
    return {
        "metric_for_best_model": training.best_by,
        "greater_is_better": higher,
        "lr_scheduler_kwargs": {"mode": "max" if higher else "min", "factor": 0.5, "patience": 1},
    }


def training_arguments(
    training: Training, updates: int, folder: Path, seed: int, evaluates: bool, **sharding: Any
) -> TrainingArguments:
    """Translate the configuration's training block into the Trainer's own arguments."""
    every = max(1, updates // training.evaluations) if training.evaluations else updates
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=updates,
        per_device_train_batch_size=training.micro_batch,
        gradient_accumulation_steps=accumulation_steps(training, processes()),
        optim={"adafactor": "adafactor", "adamw": "adamw_torch"}[training.optimizer],
        learning_rate=training.learning_rate,
        lr_scheduler_type=SCHEDULES[training.schedule],
        **schedule_arguments(training, updates),
        warmup_steps=training.warmup_updates(updates),
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=training.bf16,
        logging_steps=max(1, updates // 100),
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluates and training.evaluations else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        seed=seed,
        **monitoring_arguments(folder),
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=training.workers,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
        ddp_backend="gloo" if processes() > 1 and not torch.cuda.is_available() else None,
        ddp_find_unused_parameters=not training.gradient_checkpointing,
        **sharding,
    )


def accumulation_steps(training: Training, processes: int = 1) -> int:
    """Return how many micro-batches make the effective batch on this many processes."""
    per_step = training.micro_batch * processes
    if training.batch % per_step:
        raise InputError(
            f"batch {training.batch} is not a multiple of micro_batch {training.micro_batch} x {processes} process(es)",
            where="adaptations.*.train",
            fix="change batch or micro_batch so that it divides",
        )
    return training.batch // per_step
