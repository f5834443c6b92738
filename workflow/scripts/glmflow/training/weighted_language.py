"""Batches whose bases do not all count alike: lower case counts less, and masked diffusion weighs by its noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from glmflow.models.adapter import Adapter
from glmflow.models.masked_diffusion import EPS, kept_share

from .language_loss import IGNORE, language_batch, last_tokens, ragged
from .packed_batch import tokens_of
from .stream import Item


def weighted_batch(items: Sequence[Item], adapter: Adapter, mask: float, softmask_weight: float) -> dict[str, Tensor]:
    """Return the batch of `language_batch` in which a token counts by the mean weight of its bases.

    Parameters
    ----------
    softmask_weight
        Weight of a base in lower case; of others it is 1.
    """
    batch = language_batch(items, adapter, mask)
    tokens, packing = tokens_of(items, adapter)
    of_base = base_weights(items, softmask_weight)
    rows, bases = torch.nonzero(tokens.token_of_base >= 0, as_tuple=True)
    places = tokens.token_of_base[rows, bases]
    total, count = torch.zeros(batch["labels"].shape), torch.zeros(batch["labels"].shape)
    total.index_put_((rows, places), of_base[rows, bases], accumulate=True)
    count.index_put_((rows, places), torch.ones(len(rows)), accumulate=True)
    weights = total / count.clamp(min=1)
    if adapter.card.objective == "causal":  # a label stands one token before its own place
        weights = torch.cat([weights[:, 1:], torch.zeros(len(weights), 1)], 1)
        weights[last_tokens(items, tokens.attention_mask, packing.get("records"))] = 1.0  # the end of a sequence
    weights = weights * (batch["labels"] != IGNORE)
    return batch | {"weights": weights, "counted": weights}


def diffusion_batch(items: Sequence[Item], adapter: Adapter, softmask_weight: float = 1.0) -> dict[str, Tensor]:
    """Return a batch of masked diffusion: each sequence masked at a time of its own, the times spread over the batch.

    The loss of a masked base weighs ``1 / t``; summed and divided by all known bases it bounds the nats per base from above
    (`glmflow.models.masked_diffusion`). Times and masks follow from the `noise` of the items: a batch is the same whoever
    makes it.
    """
    tokens, packing = tokens_of(items, adapter)
    ids, known = tokens.input_ids, known_bases(items)
    lottery = np.array([item["noise"][1, 0] for item in items])
    place = np.argsort(np.argsort(lottery, kind="stable"), kind="stable")
    times = torch.from_numpy((place + items[0]["noise"][1, -1]) / len(items)).clamp(min=EPS)
    noise = ragged([item["noise"][0] for item in items])
    hidden = known & (noise >= kept_share(times)[:, None])
    weights = base_weights(items, softmask_weight)
    every = known * weights
    own = every * hidden * ((1 - EPS) / (1 - kept_share(times)))[:, None]
    batch = {"attention_mask": tokens.attention_mask, "labels": torch.full_like(ids, IGNORE), **packing}
    batch |= {"weights": torch.zeros(ids.shape), "counted": torch.zeros(ids.shape)}
    rows, bases = torch.nonzero(known & (tokens.token_of_base >= 0), as_tuple=True)
    places = tokens.token_of_base[rows, bases]
    batch["weights"][rows, places] = own[rows, bases].float()
    batch["counted"][rows, places] = every[rows, bases].float()
    masked = torch.zeros_like(ids, dtype=torch.bool)
    masked[rows, places] = hidden[rows, bases]
    batch["labels"] = torch.where(masked, ids, IGNORE)
    return batch | {"input_ids": torch.where(masked, adapter.tokenizer.mask_id, ids)}


def known_bases(items: Sequence[Item]) -> Tensor:
    """Return which bases are known, ``bool[B, L]``; False beyond a sequence's end."""
    return ragged([np.frombuffer(item["sequence"].encode(), np.uint8) != ord("N") for item in items])


def base_weights(items: Sequence[Item], softmask_weight: float) -> Tensor:
    """Return what each base counts, ``float32[B, L]``; 0 beyond a sequence's end."""
    plain = [np.zeros(len(item["sequence"]), bool) for item in items]
    lower = [item.get("lower", none) for item, none in zip(items, plain)]
    return ragged([np.where(own, softmask_weight, 1.0).astype(np.float32) for own in lower])
