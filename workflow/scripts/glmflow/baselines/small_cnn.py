"""Training of the Genomic Benchmarks CNN on labelled sequences."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from glmflow.errors import InputError
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
    packed = data.sequences
    length = int(packed.lengths.max())
    if length > LONGEST:
        what = f"sequences of up to {length:,} bases"
        raise InputError(what, where="genomic_benchmarks_cnn", fix=f"It takes up to {LONGEST:,}; leave it out.")
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    letters = encode(list(packed.each()), length)
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
            loss = _loss(model(letters[rows].long().to(device)), target[rows].to(device), data.classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        score = (
            key_score(data, _predict(model, letters, data.classes, mean, scale), validation)
            if len(validation)
            else epoch
        )
        if score > best:
            best, kept, at = score, copy.deepcopy(model.state_dict()), epoch
    model.load_state_dict(kept)
    return Predicted(_predict(model, letters, data.classes, mean, scale), {"epoch": at})


def _loss(logits: Tensor, target: Tensor, classes: int | None) -> Tensor:
    return (
        nn.functional.mse_loss(logits[:, 0], target) if classes is None else nn.functional.cross_entropy(logits, target)
    )


def _predict(model: nn.Module, letters: Tensor, classes: int | None, mean: float, scale: float) -> np.ndarray:
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        logits = torch.cat([model(part.long().to(device)).cpu() for part in letters.split(512)])
    if classes is None:
        return logits[:, 0].double().numpy() * scale + mean
    return logits.double().softmax(dim=1).numpy()
