"""States of a chosen layer, and one state a sequence made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from glmflow.models.adapter import Adapter, gather_bases

POOLS = ("mean", "max", "meanmax", "first", "last", "cls", "none")
"""How the states of a sequence become one: over its bases (never over padding or special tokens); `cls`: the state of the
special token before it; `none`: every base keeps its own."""


def pooled_states(
    model: Adapter, sequences: list[np.ndarray], pool: str = "mean", layer: int | None = None
) -> list[Tensor]:
    """Return the pooled states of sequences, ``[D]`` each (``[2 D]`` of `meanmax`, ``[L, D]`` of `none`), on the CPU.

    A sequence beyond the context is read in overlapping chunks. A family that cannot pad has to be given sequences of one
    number of tokens.
    """
    tokens = model.tokenize(sequences, chunk=True).to(model.device)
    with torch.no_grad():
        if pool == "cls":
            return list(model.states_before(tokens, layer).float().cpu())
        states = model.token_states(tokens, layer)
        bases = gather_bases(states, tokens).float()
    inside = tokens.token_of_base >= 0
    return [pool_bases(own[mask], pool).cpu() for own, mask in zip(bases, inside)]


def pool_bases(states: Tensor, pool: str) -> Tensor:
    """Return the pooled state of the bases ``[L, D]`` of one sequence."""
    ways: dict[str, Callable[[], Tensor]] = {
        "mean": lambda: states.mean(0),
        "max": lambda: states.amax(0),
        "meanmax": lambda: torch.cat([states.mean(0), states.amax(0)]),
        "first": lambda: states[0],
        "last": lambda: states[-1],
        "none": lambda: states,
    }
    return ways[pool]()


def token_counts(model: Adapter, sequences: list[np.ndarray]) -> list[int]:
    """Return the tokens of each sequence, special ones left out."""
    from glmflow.models.tokenizers import clean

    assert model.tokenizer is not None
    return [len(model.tokenizer.pieces(clean(sequence)).ids) for sequence in sequences]
