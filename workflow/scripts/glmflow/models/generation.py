"""Sampling DNA from a causal model, whatever its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from glmflow.models.tokenizers import BASES, clean

if TYPE_CHECKING:
    from glmflow.models.adapter import Adapter


def generate(
    adapter: Adapter,
    prompts: Sequence[str | np.ndarray],
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> list[str]:
    """See `glmflow.models.adapter.Adapter.generate`.

    Every token is one pass over all before it (nothing is cached), each prompt by itself, so that a prompt's
    continuation depends on no other.
    """
    adapter.require("generation")
    tokenizer, card = adapter.tokenizer, adapter.card
    starts = [clean(prompt) for prompt in prompts]
    prefix = np.array(tokenizer.prefix, np.int64)
    ids = [np.concatenate([prefix, tokenizer.pieces(codes).ids]) for codes in starts]
    spelled = {index: token for token, index in tokenizer.vocab.items() if token and set(token) <= set(BASES)}
    letters = torch.tensor(sorted(index for index in spelled if index < card.vocab_size), device=adapter.device)
    generator = torch.Generator().manual_seed(seed)
    was_training = adapter.training
    adapter.eval()
    sequences = []
    with torch.no_grad():
        for row in ids:
            row, drawn = torch.from_numpy(row).to(adapter.device), ""
            while len(drawn) < length:
                seen = row if card.context_tokens is None else row[-card.context_tokens :]
                states = adapter.hidden_states(seen[None])[:, -1:]
                logits = adapter.network.logits(states)[0, 0, letters].double() / temperature
                if top_k is not None:
                    logits[logits < logits.topk(min(top_k, len(logits))).values[-1]] = -torch.inf
                token = letters[torch.multinomial(logits.softmax(-1).cpu(), 1, generator=generator).item()]
                row = torch.cat([row, token[None]])
                drawn += spelled[int(token)]
            sequences.append(drawn[:length])
    adapter.train(was_training)
    return sequences
