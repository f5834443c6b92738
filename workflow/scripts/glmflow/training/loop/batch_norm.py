"""Batch normalisation over the examples of all processes, on CPUs: what `torch.nn.SyncBatchNorm` is on GPUs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class SharedBatchNorm(nn.BatchNorm1d):
    """Takes mean and variance over all processes while it is trained; gradients flow through both to every process.

    Processes may hold different numbers of examples. Each has to go through the layer as often as the others.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise `[N, C]` or `[N, C, L]`."""
        if not (self.training and torch.distributed.is_initialized()):
            return super().forward(input)
        values = input.float()
        over = [0, *range(2, values.ndim)]
        count = all_reduce(values.new_tensor(values.numel() / self.num_features))
        mean = all_reduce(values.sum(over)) / count
        centred = values - along_channels(mean, values)
        variance = all_reduce((centred**2).sum(over)) / count
        self._remember(mean.detach(), (variance * count / (count - 1)).detach())
        scale = along_channels(self.weight * torch.rsqrt(variance + self.eps), values)
        return (centred * scale + along_channels(self.bias, values)).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of a batch (the variance without bias, as torch does)."""
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def along_channels(values: Tensor, like: Tensor) -> Tensor:
    """Return values of channels `[C]` in a shape that goes with `[N, C]` or `[N, C, L]`."""
    return values.view(1, -1, *[1] * (like.ndim - 2))


def share_batch_norm(model: nn.Module) -> nn.Module:
    """Put `SharedBatchNorm` in the place of a model's batch normalisation, with the same weights and statistics."""
    for parent in list(model.modules()):
        for name, layer in parent.named_children():
            if type(layer) is nn.BatchNorm1d:
                shared = SharedBatchNorm(layer.num_features, layer.eps, layer.momentum)
                shared.weight, shared.bias = layer.weight, layer.bias
                for statistic, value in layer.named_buffers():
                    setattr(shared, statistic, value)
                setattr(parent, name, shared.train(layer.training))
    return model
