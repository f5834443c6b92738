"""Training of the Genomic Benchmarks CNN on labelled sequences."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from glmflow.errors import InputError
from glmflow.genome.packed import OnGenome, Packed
from glmflow.models.genomic_benchmarks_cnn import GenomicBenchmarksCNN, encode

from .sequence_predictors import Predicted, SequenceData, key_score

LONGEST = 100_000
"""Bases of a sequence above which its linear layer on all positions is too large."""


def fit_genomic_benchmarks_cnn(
    data: SequenceData, epochs: int = 10, batch: int = 64, learning_rate: float = 1e-3, seed: int = 0
) -> Predicted:
    """Train the network from random weights; the epoch that does best on the validation rows is kept.

    Adam, batches of 64, as published; numbers are standardised by the training rows. Without validation rows the last
    epoch is kept.

    Raises
    ------
    InputError
        A sequence is longer than 100 kb.
    """
    length = int(data.sequences.lengths.max())
    if length > LONGEST:
        what = f"sequences of up to {length:,} bases"
        raise InputError(what, where="genomic_benchmarks_cnn", fix=f"It takes up to {LONGEST:,}; leave it out.")
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    letters = partial(_letters, data.sequences, length)
    train, validation = data.of("train"), data.of("validation")
    mean, scale = 0.0, 1.0
    if data.classes is None:
        mean, scale = float(data.target[train].mean()), float(data.target[train].std()) or 1.0
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = GenomicBenchmarksCNN(length, data.classes or 1).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    target = torch.tensor(
        np.asarray(data.target, np.int64) if data.classes else ((data.target - mean) / scale).astype(np.float32)
    )
    best, kept, at = -np.inf, copy.deepcopy(model.state_dict()), 0
    for epoch in range(1, epochs + 1):
        model.train()
        order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
        for rows in order.split(batch):
            if len(rows) == 1:  # a mean over one row is no batch statistic
                continue
            loss = _loss(model(letters(rows.numpy()).to(device)), target[rows].to(device), data.classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        score = (
            key_score(data, _predict(model, letters, validation, data, mean, scale), validation)
            if len(validation)
            else epoch
        )
        if score > best:
            best, kept, at = score, copy.deepcopy(model.state_dict()), epoch
    model.load_state_dict(kept)
    return Predicted(_predict(model, letters, np.arange(len(data.target)), data, mean, scale), {"epoch": at})


def _letters(sequences: Packed | OnGenome, length: int, rows: np.ndarray) -> Tensor:
    """Return the numbers of the letters of some sequences, `[n, length]`."""
    return encode(list(sequences.take(rows).each()), length).long()


def _loss(logits: Tensor, target: Tensor, classes: int | None) -> Tensor:
    return (
        nn.functional.mse_loss(logits[:, 0], target) if classes is None else nn.functional.cross_entropy(logits, target)
    )


def _predict(
    model: nn.Module,
    letters: Callable[[np.ndarray], Tensor],
    rows: np.ndarray,
    data: SequenceData,
    mean: float,
    scale: float,
) -> np.ndarray:
    """Return the predictions of some rows, in an array of all rows that is NaN elsewhere."""
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [model(letters(rows[at : at + 512]).to(device)).cpu() for at in range(0, len(rows), 512)]
    logits = torch.cat(parts).double()
    values = logits[:, 0].numpy() * scale + mean if data.classes is None else logits.softmax(dim=1).numpy()
    found = np.full((len(data.target), *values.shape[1:]), np.nan)
    found[rows] = values
    return found
