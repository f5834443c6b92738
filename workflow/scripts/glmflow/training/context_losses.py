"""The loss of a model on the last bases of sequences, token by token, laid on the grid of bases."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from glmflow.models import load_model
from glmflow.models.adapter import Adapter
from glmflow.tasks.context_extension import Query, queries

from .cost import peak_memory_mb

TOKENS_AT_A_TIME = 16_384


def context_losses(
    folder: Path, examples: pd.DataFrame, contexts: Sequence[int]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Ask a model every question of a context task.

    Parameters
    ----------
    folder
        Model folder.
    examples, contexts
        See `glmflow.tasks.context_extension.queries`.

    Returns
    -------
    predictions
        ``example``, ``context_bp`` and ``prediction``: nats of the scored bases, not a number where not asked.
    cost
        Parameters, seconds and memory.
    """
    start = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    adapter = load_model(folder, dtype="bfloat16" if device == "cuda" else None).to(device)
    asked = list(queries(examples, contexts))
    losses = [nats for batch in in_batches(asked) for nats in last_losses(adapter, batch)]
    rows = [(query.example, query.context_bp, nats) for query, nats in zip(asked, losses)]
    cost = {
        "parameters": sum(parameter.numel() for parameter in adapter.parameters()),
        "predict_seconds": round(time.monotonic() - start, 1),
        "predict_memory_mb": round(peak_memory_mb(), 1),
    }
    return pd.DataFrame(rows, columns=["example", "context_bp", "prediction"]), cost


def in_batches(asked: Sequence[Query]) -> Iterator[list[Query]]:
    """Yield neighbouring questions of one length, as many as make a batch."""
    batch: list[Query] = []
    for query in asked:
        if batch and (
            len(query.sequence) != len(batch[0].sequence) or len(query.sequence) * (len(batch) + 1) > TOKENS_AT_A_TIME
        ):
            yield batch
            batch = []
        batch.append(query)
    if batch:
        yield batch


def last_losses(adapter: Adapter, batch: Sequence[Query]) -> Iterator[NDArray[np.float32]]:
    """Yield the nats of the scored bases of each question, ``float32[scored]``; sequences are of one length.

    A causal model predicts each token from those before it. A masked model is asked the tokens that `hidden` chooses
    among those of the scored bases, all of them masked at once. A token of several bases shares its loss among them.
    """
    tokens = adapter.tokenize([query.sequence for query in batch]).to(adapter.device)
    masked = adapter.card.objective == "masked"
    ids, covering = tokens.input_ids.clone(), tokens.token_of_base.cpu().numpy()
    width = ids.shape[1]
    chosen = []
    for row, query in enumerate(batch):
        token = np.unique(covering[row, -query.scored :])
        token = token[query.hidden[: len(token)]] if masked else token[token > 0]
        chosen.append(torch.from_numpy(token).to(ids.device))
        if masked:
            ids[row, chosen[row]] = adapter.tokenizer.mask_id
    # What predicts a token stands at its own place in a masked model, one before in a causal one.
    at = pad_sequence(chosen, batch_first=True) - (0 if masked else 1)
    with torch.no_grad():
        states = adapter.hidden_states(ids, tokens.attention_mask)
        logits = adapter.network.logits(states.gather(1, at.clamp(min=0)[..., None].expand(-1, -1, states.shape[-1])))
    logs = logits.float().log_softmax(-1).cpu()
    for row, query in enumerate(batch):
        true = tokens.input_ids[row, chosen[row]].cpu()
        nats = -logs[row, : len(true)].gather(-1, true[:, None])[:, 0].numpy()
        by_token = np.full(width, np.nan, np.float32)
        by_token[chosen[row].cpu().numpy()] = nats
        bases_of = np.bincount(covering[row], minlength=width)
        yield (by_token / np.maximum(bases_of, 1))[covering[row, -query.scored :]]
