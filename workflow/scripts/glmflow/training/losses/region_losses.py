"""Losses on values of regions: `prediction`, `target` and `promoter` (bool) are `[B, R, 2]`, `inside` (bool) is `[B, R]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

RegionLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def weighted(errors: Tensor, promoter: Tensor, inside: Tensor, weight: float) -> Tensor:
    """Return the mean over regions that are there, promoters counted `weight` times."""
    counted = torch.where(promoter, weight, 1.0) * inside[..., None]
    return (errors * counted).sum() / counted.sum()


def poisson(fitted: Mapping[str, Any], promoters: float) -> RegionLoss:
    """Return the Poisson negative log likelihood, without the term of the target alone."""

    def loss(prediction: Tensor, target: Tensor, promoter: Tensor, inside: Tensor) -> Tensor:
        return weighted(prediction - target * torch.log(prediction + 1e-8), promoter, inside, promoters)

    return loss


def squared(fitted: Mapping[str, Any], promoters: float) -> RegionLoss:
    """Return the squared error."""

    def loss(prediction: Tensor, target: Tensor, promoter: Tensor, inside: Tensor) -> Tensor:
        return weighted((prediction - target) ** 2, promoter, inside, promoters)

    return loss


LOSSES = {"region_poisson": poisson, "region_squared": squared}
