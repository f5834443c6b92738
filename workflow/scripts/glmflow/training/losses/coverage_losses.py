"""Losses on scaled coverage: `prediction` and `target` are `[B, T, L]`, non-negative; `mask` marks the bases that count.

Bases that carry no label (inserted in a sample's haplotype, past a contig's end) have mask 0 and take no part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def mse(prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error; of values `[S, n]` as well, where nothing is masked."""
    return _mean((prediction - target) ** 2, mask)


def poisson(prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Poisson negative log-likelihood without the term of the target alone: `p - t log(p + 1e-7)`."""
    return _mean(prediction - target * torch.log(prediction + 1e-7), mask)


def tweedie(prediction: Tensor, target: Tensor, mask: Tensor | None = None, power: float = 1.2) -> Tensor:
    """Tweedie deviance without the term of the target alone; variance grows as `mean ** power`, 1 < power < 2."""
    power = min(max(power, 1.01), 1.99)
    prediction = prediction.clamp_min(1e-8)
    likelihood = target * prediction ** (1 - power) / (1 - power) - prediction ** (2 - power) / (2 - power)
    return _mean(-likelihood, mask)


def poisson_multinomial(prediction: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Poisson on the total of each sequence and track plus multinomial on its shape, averaged over both.

    `S_p - S_t log S_p - sum t log(p / S_p)` with totals `S` along the sequence. The total and the shape of a track are
    judged apart (AlphaGenome, Avsec et al. 2025; Borzoi, Linder et al. 2025).
    """
    if mask is not None:
        prediction, target = prediction * mask, target * mask
    total, observed = prediction.sum(-1), target.sum(-1)
    shape = torch.log((prediction + EPSILON) / (total.unsqueeze(-1) + EPSILON))
    return (total - observed * torch.log(total + EPSILON) - (target * shape).sum(-1)).mean()


EPSILON = 1e-7


def _mean(value: Tensor, mask: Tensor | None) -> Tensor:
    """Average over the bases that count."""
    if mask is None:
        return value.mean()
    mask = mask.expand_as(value)
    return (value * mask).sum() / mask.sum().clamp_min(1)


LOSSES = {
    "mse": lambda fitted: mse,
    "poisson": lambda fitted: poisson,
    "tweedie": lambda fitted, power: partial(tweedie, power=power),
    "poisson_multinomial": lambda fitted: poisson_multinomial,
}
