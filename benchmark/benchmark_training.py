"""What the training path costs beside a bare PyTorch loop over the same model and batches, and how long it waits for data.

    python benchmark/benchmark_training.py [--updates 30]

Both loops take the same micro-batches of random segments of a made-up genome, the same AdamW, clipping and schedule, in
turns, and the fastest of three counts; memory is the peak of a process that runs one of them alone. Processor time is
counted on a CPU, which other work on the machine changes little. "Waiting" is the share of the elapsed time that the
Trainer spends in `get_batch_samples`, with one worker process loading ahead.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
import tempfile
import time
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from glmflow.config.adaptations import Training
from glmflow.genome.reference import Reference
from glmflow.models import new_model
from glmflow.training.language_loss import LanguageModel, Segments, language_batch
from glmflow.training.loop.fit import fit
from glmflow.training.loop.trainer import StreamTrainer
from glmflow.training.stream import ExampleStream
from measuring import apart
from torch import nn

LENGTH, BATCH, MICRO_BATCH, ROUNDS = 256, 8, 4, 3
SIZES = {"causal": True, "context": 512, "hidden_size": 192, "num_layers": 4}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=30, help="updates of a run (default: 30)")
    updates = parser.parse_args().updates
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name, redirect_stdout(io.StringIO()):  # the Trainer prints every update
        folder = Path(name)
        draws, collate = data(folder, updates)
        bare, ours = [], []
        for turn in range(ROUNDS):
            bare.append(bare_loop(draws, collate, updates))
            ours.append(training_path(draws, collate, updates, folder / str(turn), 0)[0])
        _, waiting = training_path(draws, collate, updates, folder / "waiting", 1)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU, 1 thread"
    print(f"# {device}, {updates} updates of {BATCH} x {LENGTH} bp")
    print("loop\tseconds\tupdates/s\tpeak MB")
    for label, seconds, loop in (("bare PyTorch", min(bare), bare_alone), ("glmflow", min(ours), path_alone)):
        peak = apart(loop, min(updates, 5)).megabytes
        print(f"{label}\t{seconds:.2f}\t{updates / seconds:.2f}\t{peak:.0f}")
    print(f"overhead\t{min(ours) / min(bare) - 1:.1%}")
    print(f"waiting for data\t{waiting:.2%}")
    return 0


def bare_alone(updates: int) -> None:
    """Train in the bare loop alone, for its memory."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        bare_loop(*data(Path(name), updates), updates)


def path_alone(updates: int) -> None:
    """Train on the training path alone, for its memory."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name, redirect_stdout(io.StringIO()):
        training_path(*data(Path(name), updates), updates, Path(name) / "run", 0)


def data(folder: Path, updates: int):
    """Return the draws of a run and what stacks them."""
    letters = np.random.default_rng(1).choice(list("ACGT"), 200_000)
    (folder / "genome.fa").write_text(f">chr1\n{''.join(letters)}\n")
    regions = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [len(letters)]})
    segments = Segments(regions, Reference(folder / "genome.fa"), LENGTH)
    adapter = new_model("small", SIZES, seed=1)
    draws = ExampleStream(segments, len(segments), updates * BATCH, seed=1)
    return draws, partial(language_batch, adapter=adapter, mask=0.15)


def model() -> nn.Module:
    """Return the model at its start, where it is trained."""
    return LanguageModel(new_model("small", SIZES, seed=1)).to("cuda" if torch.cuda.is_available() else "cpu")


def now() -> float:
    """Return the processor time on a CPU, the elapsed time beside a GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def bare_loop(draws: ExampleStream, collate, updates: int) -> float:
    """Return the seconds of a loop with nothing around it."""
    trained = model().train()
    device = next(trained.parameters()).device
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    loader = iter(torch.utils.data.DataLoader(draws, MICRO_BATCH, collate_fn=collate))
    start = now()
    for _ in range(updates):
        for _ in range(BATCH // MICRO_BATCH):
            batch = {key: value.to(device) for key, value in next(loader).items()}
            (trained(**batch)["loss"] / (BATCH // MICRO_BATCH)).backward()
        nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return now() - start


def training_path(draws: ExampleStream, collate, updates: int, folder: Path, workers: int) -> tuple[float, float]:
    """Return the seconds of the training path from its first update to its last, and the share it waits for data."""
    training = Training(
        optimizer="adamw", learning_rate=1e-3, batch=BATCH, micro_batch=MICRO_BATCH, evaluations=0, workers=workers
    )
    waited, moments = [], []
    load, finish = StreamTrainer.get_batch_samples, StreamTrainer._save_checkpoint

    def loading(self, *args, **kwargs):
        if not moments:
            moments.extend([now(), time.perf_counter()])
        before = time.perf_counter()
        found = load(self, *args, **kwargs)
        waited.append(time.perf_counter() - before)
        return found

    def saving(self, *args, **kwargs):
        moments.extend([now(), time.perf_counter()])
        return finish(self, *args, **kwargs)

    StreamTrainer.get_batch_samples, StreamTrainer._save_checkpoint = loading, saving
    try:
        fit(model(), draws, collate, training, updates, folder, 1)
    finally:
        StreamTrainer.get_batch_samples, StreamTrainer._save_checkpoint = load, finish
    first = waited[0] if workers else 0.0  # the worker's own start
    return moments[2] - moments[0], (sum(waited) - first) / (moments[3] - moments[1] - first)


if __name__ == "__main__":
    sys.exit(main())
