"""Input `segments`: the loss of a model on the last bases of sequences, token by token, laid on the grid of bases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from glmflow.errors import InputError
from glmflow.models.adapter import Adapter

from ..parts import Parts
from ..ready import Predictor

TOKENS_AT_A_TIME = 16_384
HIDDEN_EVERY = {"loss": 7, "recall": 4}
"""A masked model is asked for one in this number of the scored bases at a time: it needs the others around them."""


class Query(NamedTuple):
    """One thing to ask a model: the loss of the last bases of a sequence, in nats.

    ``example`` and ``context_bp`` name the row of the predictions table, ``sequence`` is ``uint8[T]`` and `scored` how
    many bases at its end are asked. A masked model hides, and is asked, only ``hidden`` (bool ``[scored]``).
    """

    example: str
    context_bp: int
    sequence: NDArray[np.uint8]
    scored: int
    hidden: NDArray[np.bool_]


def predict(
    predictor: Predictor, examples: pd.DataFrame, files: Mapping[str, Any], parts: Parts, folder: Path
) -> pd.DataFrame:
    """Ask a model every question of a context task.

    Returns
    -------
    DataFrame
        ``example``, ``context_bp`` and ``prediction``: nats of the scored bases, not a number where not asked.
    """
    asked = list(queries(examples, predictor.run.task.contexts))
    losses = [nats for batch in in_batches(asked) for nats in last_losses(predictor.model, batch)]
    rows = [(query.example, query.context_bp, nats) for query, nats in zip(asked, losses)]
    return pd.DataFrame(rows, columns=["example", "context_bp", "prediction"])


def queries(examples: pd.DataFrame, contexts: Sequence[int]) -> Iterator[Query]:
    """Yield what a model is asked: windows at every context, needles at their whole length.

    Raises
    ------
    InputError
        Where a context is shorter than what is scored, or longer than a window.
    """
    for row in examples.itertuples():
        sequence = np.frombuffer(row.sequence.encode(), np.uint8)
        hidden = np.arange(row.scored) % HIDDEN_EVERY[row.subset] == 0
        for context in contexts if row.subset == "loss" else [len(sequence)]:
            if not row.scored < context <= len(sequence):
                raise InputError(
                    f"a context of {context} bases for a window of {len(sequence)} with {row.scored} scored",
                    fix="Take contexts longer than the scored bases and no longer than the windows.",
                )
            yield Query(row.example, context, sequence[-context:], row.scored, hidden)


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
