"""What bases cost a model of masked diffusion: a bound from above, by draws of what is masked.

The bound is the mean, over the number m of masked bases (1 to all, each as likely), of the cost of those masked times all by m:
the integral over the time of the diffusion, of which m is binomial and each m gets the weight 1/m (Ou et al. 2024,
arXiv:2406.03736). Drawing m itself, spread evenly, has less noise than drawing times.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from glmflow.models.adapter import Adapter

from .segments import Query


def bounds(
    adapter: Adapter, batch: Sequence[Query], draws: int, seed: int
) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Yield of each question the nats of its scored bases, ``float32[scored]``, and the standard error of their sum.

    The bases before them are shown; questions are of one length. The draws depend on the seed and on the window alone: a window
    and its controls are asked with the same masks.
    """
    tokens = adapter.tokenize([query.sequence for query in batch]).to(adapter.device)
    scored = batch[0].scored
    places = tokens.token_of_base[:, -scored:]
    true = tokens.input_ids.gather(1, places)
    generators = [np.random.default_rng([seed, zlib.crc32(query.example.split("\t")[0].encode())]) for query in batch]
    offsets = [generator.random() for generator in generators]
    sums = np.zeros((draws, len(batch)))
    nats = np.zeros((len(batch), scored))
    for number in range(draws):
        ranks = np.stack([generator.permutation(scored) for generator in generators])
        count = np.array([1 + int((number + offset) / draws * scored) for offset in offsets]).clip(max=scored)
        hidden = torch.from_numpy(ranks < count[:, None]).to(places.device)
        shown = torch.where(hidden, adapter.tokenizer.mask_id, true)
        ids = tokens.input_ids.scatter(1, places, shown)
        with torch.no_grad():
            states = adapter.hidden_states(ids, tokens.attention_mask)
            logits = adapter.network.logits(states.gather(1, places[..., None].expand(-1, -1, states.shape[-1])))
        logits = logits.double().index_fill(
            -1, torch.tensor([adapter.tokenizer.mask_id], device=logits.device), -torch.inf
        )
        cost = -logits.log_softmax(-1).gather(-1, true[..., None])[..., 0]
        own = torch.where(hidden, cost, 0.0).cpu().numpy() * (scored / count[:, None])
        sums[number] = own.sum(1)
        nats += own / draws
    errors = sums.std(axis=0, ddof=1) / draws**0.5 if draws > 1 else np.full(len(batch), np.nan)
    yield from zip(nats.astype(np.float32), errors.tolist())
