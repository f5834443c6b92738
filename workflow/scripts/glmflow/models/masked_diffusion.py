"""Masked discrete diffusion (MDLM; Sahoo et al. 2024, arXiv:2406.07524): noise, loss and sampling, whatever the network.

Each base stays with ``alpha_t = 1 - (1 - eps) t`` and is masked otherwise. The network never says the mask, and what is
not masked stays: of the log-linear schedule the loss is then ``1/t`` times the cross-entropy of the masked bases.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

EPS = 1e-3
DIFFUSION = "masked_diffusion"
"""Name of the objective, as settings and the record of a model have it."""


def kept_share(t: Tensor) -> Tensor:
    """Return the probability that a base is not masked at time `t` (0 to 1)."""
    return 1 - (1 - EPS) * t


def spread_times(rows: int, generator: torch.Generator) -> Tensor:
    """Return a time for each row, one in each of `rows` equal parts of (0, 1], ``float64[rows]``."""
    offset = torch.rand(1, generator=generator, dtype=torch.float64)
    times = (torch.arange(rows, dtype=torch.float64) + offset) / rows
    return times.clamp(min=EPS)[torch.randperm(rows, generator=generator)]


def add_noise(ids: Tensor, t: Tensor, mask_id: int, generator: torch.Generator) -> Tensor:
    """Return the tokens ``[B, T]`` with each masked at its row's time, ``[B]``."""
    drawn = torch.rand(ids.shape, generator=generator, dtype=torch.float64).to(ids.device)
    return torch.where(drawn < kept_share(t.to(ids.device))[:, None], ids, mask_id)


def log_probabilities(logits: Tensor, noisy: Tensor, mask_id: int) -> Tensor:
    """Return the logarithms of the probabilities of the clean tokens, ``[B, T, V]``: never the mask, and what is shown stays."""
    logs = logits.index_fill(-1, torch.tensor([mask_id], device=logits.device), -torch.inf).log_softmax(-1)
    shown = torch.full_like(logs, -torch.inf).scatter(-1, noisy[..., None], 0.0)
    return torch.where((noisy == mask_id)[..., None], logs, shown)


def losses(logits: Tensor, clean: Tensor, noisy: Tensor, t: Tensor, mask_id: int) -> Tensor:
    """Return the loss of each place in nats, ``[B, T]``, 0 where nothing is masked; its mean over all places bounds the loss."""
    logs = logits.index_fill(-1, torch.tensor([mask_id], device=logits.device), -torch.inf).log_softmax(-1)
    own = -logs.gather(-1, clean[..., None])[..., 0]
    weight = ((1 - EPS) / (1 - kept_share(t))).to(own)
    return torch.where(noisy == mask_id, own * weight[:, None], torch.zeros_like(own))


def reverse_probabilities(logits: Tensor, noisy: Tensor, t: Tensor, s: Tensor, mask_id: int) -> Tensor:
    """Return the probabilities of the tokens at an earlier time `s`, ``float64[B, T, V]``."""
    clean = log_probabilities(logits.double(), noisy, mask_id).exp()
    stays = ((1 - kept_share(s)) / (1 - kept_share(t))).double().to(clean.device)[:, None, None]
    mask = torch.zeros_like(clean).index_fill(-1, torch.tensor([mask_id], device=clean.device), 1.0)
    hidden = (noisy == mask_id)[..., None]
    return torch.where(hidden, stays * mask + (1 - stays) * clean, clean)


def sample(
    network: Callable[[Tensor], Tensor], start: Tensor, allowed: Tensor, mask_id: int, steps: int, seed: int
) -> Tensor:
    """Fill in the masked tokens of `start` ``[B, T]`` in `steps` steps; what is not masked stays (infilling).

    Parameters
    ----------
    network
        From tokens to logits ``[B, T, V]``; called again only after something has changed.
    allowed
        ``int64[n]``: tokens that may be drawn.
    seed
        Of the draws, which are made in float64: rounded noise would lower the temperature.
    """
    generator, x = torch.Generator().manual_seed(seed), start.clone()
    forbidden: Tensor | None = None
    logits: Tensor | None = None
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    for t, s in pairwise(times):
        if not bool((x == mask_id).any()):
            break
        if logits is None:
            logits = network(x).double()
            if forbidden is None:
                forbidden = torch.ones(logits.shape[-1], dtype=torch.bool, device=logits.device)
                forbidden[allowed] = False
            logits = logits.masked_fill(forbidden, -torch.inf)
        rows = x.shape[0]
        # At the last step no mask may stay: alpha_0 is 1.
        chances = reverse_probabilities(logits, x, t.expand(rows), s.expand(rows), mask_id)
        drawn = torch.multinomial(chances.flatten(0, 1).cpu(), 1, generator=generator).view_as(x).to(x.device)
        after = torch.where(x == mask_id, drawn, x)
        if not torch.equal(after, x):
            x, logits = after, None
    return x
