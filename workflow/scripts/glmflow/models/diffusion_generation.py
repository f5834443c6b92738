"""Sampling DNA from a model of masked diffusion: what is to be drawn is masked behind the prompt and filled in step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.errors import InputError
from glmflow.models.interface import Model
from glmflow.models.masked_diffusion import DIFFUSION, sample
from glmflow.models.row_tags import guided, tagged
from glmflow.models.tokenizers import BASES, clean

STEPS = 128
"""Steps in which a window is filled in, where none are given; no more than it has bases."""


def is_diffusion(adapter: Model) -> bool:
    """Return whether a model was trained by masked diffusion, so that it can be drawn from."""
    return adapter.origin.get("objective") == DIFFUSION


def diffusion_ids(adapter: Model, prompt: str | np.ndarray) -> NDArray[np.int64]:
    """Return the tokens of a prompt, which may be empty."""
    assert adapter.tokenizer is not None
    return adapter.tokenizer.pieces(clean(prompt)).ids if len(prompt) else np.zeros(0, np.int64)


def fill_in(
    adapter: Model,
    prompt: str | np.ndarray,
    length: int,
    temperature: float,
    steps: int | None,
    seed: Sequence[int],
    tag: tuple[int, float] | None = None,
) -> str:
    """Return `length` bases drawn behind a prompt.

    What is longer than the context is drawn window by window, at least half of each behind what was drawn before. A sequence is
    drawn by itself, so that it depends on model, prompt, settings and seed alone.

    Parameters
    ----------
    temperature
        Divides the logits.
    steps
        In which a window is filled in.
    tag
        Number of a tag and guidance towards it (`glmflow.models.row_tags`).

    Raises
    ------
    InputError
        No steps.
    """
    if steps is not None and steps < 1:
        raise InputError(f"{steps} steps cannot be", fix="Give 1 or more.")
    tokenizer, card = adapter.tokenizer, adapter.card
    assert tokenizer is not None and tokenizer.mask_id is not None
    allowed = torch.tensor([tokenizer.vocab[base] for base in BASES], device=adapter.device)
    letters = {tokenizer.vocab[base]: base for base in BASES}
    seeds = np.random.default_rng(list(seed))
    known, left = torch.from_numpy(np.asarray(diffusion_ids(adapter, prompt))).to(adapter.device), length
    fits = card.context_tokens or len(known) + length
    drawn: list[int] = []

    def network(ids: Tensor) -> Tensor:
        if tag is None:
            return adapter.network.logits(adapter.hidden_states(ids)) / temperature
        number, guidance = tag
        with tagged(torch.tensor([number, 0], device=ids.device)):
            asked, plain = adapter.network.logits(adapter.hidden_states(ids.expand(2, -1)))
        return guided(asked, plain, guidance)[None] / temperature

    with torch.no_grad():
        while left:
            behind = known[max(0, len(known) - fits // 2) :] if len(known) > fits // 2 else known
            size = min(left, fits - len(behind))
            start = torch.cat([behind, torch.full((size,), tokenizer.mask_id, device=known.device)])[None]
            asked = min(steps or STEPS, size)
            filled = sample(network, start, allowed, tokenizer.mask_id, asked, int(seeds.integers(2**62)))[0]
            drawn += filled[len(behind) :].tolist()
            known, left = torch.cat([known, filled[len(behind) :]]), left - size
    return "".join(letters[token] for token in drawn)
