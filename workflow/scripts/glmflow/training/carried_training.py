"""Training over windows that follow one another: the state after one is where the next begins, and no gradient goes back.

Each row of a batch is a lane. From update to update it goes through a stretch of a record, window by window; its state starts
again where another stretch begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from glmflow.corpus.consecutive_windows import ConsecutiveWindows, PlacedWindow
from glmflow.errors import InputError
from glmflow.models.adapter import Adapter
from glmflow.models.carried_state import CarriedNetwork, State

from .language_loss import LanguageModel, loss_of
from .stream import Item


class CarriedStream(Dataset):
    """The draws of a training run, to be read in order: draw `i` is of lane ``i % lanes`` in update ``i // lanes``.

    A lane goes through stretches, each drawn by the seed, the lane and its number alone. The stretches of lanes begin at
    different updates, so that at no update all states start again, but for the first.

    Parameters
    ----------
    lanes
        Effective batch.
    n_draws
        Length of the run: updates x lanes.
    """

    def __init__(self, windows: ConsecutiveWindows, lanes: int, n_draws: int, seed: int):
        self.windows, self.lanes, self.n_draws, self.seed = windows, lanes, n_draws, seed
        self._read: dict[int, tuple[int, list[PlacedWindow]]] = {}

    def __len__(self) -> int:
        return self.n_draws

    def __getitem__(self, draw: int) -> Item:
        window = self._window(draw)
        fresh = window.first or draw < self.lanes
        return self.windows.read(window) | {"lane": draw % self.lanes, "fresh": fresh}

    def describe(self, draw: int) -> str:
        """Return the window of a draw in words."""
        return self.windows.describe(self._window(draw))

    def _window(self, draw: int) -> PlacedWindow:
        update, lane = divmod(draw, self.lanes)
        stretch, place = divmod(update + lane * self.windows.period // self.lanes, self.windows.period)
        if self._read.get(lane, (None,))[0] != stretch:  # drawn once for all windows of a stretch
            self._read[lane] = stretch, self.windows.drawn(np.random.default_rng([self.seed, 2, lane, stretch]))
        return self._read[lane][1][place]


def carried_batch(
    items: Sequence[Item], make: Callable[[Sequence[Item]], dict[str, Tensor]], length: int
) -> dict[str, Tensor]:
    """Return a batch of `length` tokens a row, whose last label is the base that follows in the record.

    With `lanes` (``int64[B]``) and which of them are `fresh` (``bool[B]``): nothing was read before.
    """
    batch = {name: value[:, :length] for name, value in make(items).items()}
    lanes, fresh = (torch.tensor([item[name] for item in items]) for name in ("lane", "fresh"))
    return batch | {"lanes": lanes, "fresh": fresh}


class CarriedLanguageModel(LanguageModel):
    """A language model that keeps the state of each lane from update to update.

    The states are buffers: a checkpoint holds them, and an update that is taken back takes them back.
    """

    def __init__(self, adapter: Adapter, lanes: int):
        super().__init__(adapter)
        network = adapter.network
        if not isinstance(network, CarriedNetwork):
            fix = "Leave `carry_state_bp` out, or take `rwkv7` or `mamba`."
            raise InputError(f"family {adapter.card.family} has no state that could be carried", fix=fix)
        self.kept: list[list[str]] = []
        for number, layer in enumerate(network.start(lanes)):
            self.kept.append([f"carried_{number}_{name}" for name in layer._fields])
            for name, value in zip(self.kept[-1], layer):
                self.register_buffer(name, value.clone(), persistent=False)  # parts of a start may be one tensor

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        counted: Tensor | None = None,
        lanes: Tensor | None = None,
        fresh: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the `loss` of windows that go on where their lanes stand; without `lanes` that of windows that stand alone."""
        if lanes is None or fresh is None:
            return super().forward(input_ids, attention_mask, labels, weights, counted)
        states, after = self.adapter.network.carry(input_ids, self._before(lanes, fresh))
        self._keep(lanes, after)
        return {"loss": loss_of(self.adapter.network.logits(states), labels, weights, counted)}

    def _before(self, lanes: Tensor, fresh: Tensor) -> State:
        """Return the state that each lane has come to; of fresh ones the state before a first token."""
        found = []
        for names, layer in zip(self.kept, self.adapter.network.start(len(lanes))):
            kept = [self.get_buffer(name)[lanes] for name in names]
            parts = [torch.where(fresh.view(-1, *[1] * (new.dim() - 1)), new, old) for new, old in zip(layer, kept)]
            found.append(type(layer)(*parts))
        return found

    @torch.no_grad()
    def _keep(self, lanes: Tensor, after: State) -> None:
        """Keep where lanes have come to, without what led there."""
        for names, layer in zip(self.kept, after):
            for name, value in zip(names, layer):
                buffer = self.get_buffer(name)
                buffer[lanes] = value.detach().to(buffer.dtype)
