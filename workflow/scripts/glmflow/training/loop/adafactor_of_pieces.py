"""Adafactor (Shazeer and Stern 2018) of weights that lie in pieces on several processes (FSDP2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.optimization import Adafactor

from .sharding import copy_into, whole


class AdafactorOfPieces(Adafactor):
    """The same updates as of whole weights: each parameter is put together, updated and shared out again, in turn.

    The means over rows and columns go across pieces, which the optimizer of transformers mixes with whole tensors and fails.
    More memory is taken for one parameter at a time. What is remembered of one, a row and a column, every process has whole.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters; every process has to take the step."""
        loss = None if closure is None else closure()
        groups = self.param_groups
        try:
            for group in groups:
                for piece in group["params"]:
                    if piece.grad is not None:
                        self._update(piece, group)
        finally:
            self.param_groups = groups
        return loss

    def _update(self, piece: Tensor, group: dict[str, Any]) -> None:
        parameter = nn.Parameter(whole(piece).detach().clone())
        parameter.grad = whole(piece.grad)
        self.state[parameter] = self.state.pop(piece, {})
        self.param_groups = [group | {"params": [parameter]}]
        super().step()
        self.state[piece] = self.state.pop(parameter)
        copy_into(piece, parameter)
