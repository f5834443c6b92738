"""Log-likelihoods of sequences and probabilities of bases, for every tokenizer with a grid of bases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from glmflow.bases import reverse_complement
from glmflow.errors import InputError
from glmflow.models.carried_state import CarriedNetwork
from glmflow.models.chunking import room
from glmflow.models.interface import Model, Tokens
from glmflow.models.tokenizers import clean

SLICE = 4096
"""Positions whose logits exist at a time: those of a whole long sequence would not fit beside the model."""


def log_likelihood(
    adapter: Model, sequences: Sequence[str | np.ndarray], batch_size: int = 8, chunk: bool = False
) -> np.ndarray:
    """See `glmflow.models.adapter.Adapter.log_likelihood`."""
    if adapter.card.objective == "regions":
        raise adapter.refuse("log-likelihood", "its inputs are regions x motifs, not bases; use a sequence model")
    _require_head(adapter)
    codes = [clean(sequence) for sequence in sequences]
    with _scoring(adapter):
        if adapter.card.objective == "masked":
            return np.array([_pseudo_log_likelihood(adapter, one, batch_size, chunk) for one in codes])
        forward = _causal(adapter, codes, batch_size, chunk)
        return (forward + _causal(adapter, [reverse_complement(one) for one in codes], batch_size, chunk)) / 2


def base_probabilities(
    adapter: Model,
    sequences: Sequence[str | np.ndarray],
    positions: Sequence[int] | np.ndarray,
    batch_size: int = 8,
    chunk: bool = False,
) -> np.ndarray:
    """See `glmflow.models.adapter.Adapter.base_probabilities`."""
    adapter.require("base_probabilities")
    _require_head(adapter)
    codes = [clean(sequence) for sequence in sequences]
    if not codes:
        raise InputError("no sequences", fix="Give a list with at least one.")
    for one in codes:
        adapter.tokenize([one], chunk)  # refuses what log_likelihood refuses: beyond the context, no tokenizer
    positions = np.broadcast_to(np.asarray(positions, np.int64), (len(codes), np.shape(positions)[-1]))
    for one, places in zip(codes, positions):
        outside = places[(places < 0) | (places >= len(one))]
        if outside.size:
            raise InputError(f"position {outside[0]} lies outside a sequence of {len(one)} bp (0-based)")
    queries = [(one, int(place)) for one, places in zip(codes, positions) for place in places]
    compute = {
        ("masked", True): _masked_query,
        ("masked", False): _masked_query,
        ("causal", True): _next_base_query,
        ("causal", False): _next_kmer_query,
    }[adapter.card.objective, adapter.tokenizer.bases.shape[1] == 1]
    with _scoring(adapter):
        rows = [compute(adapter, one, place) for one, place in queries]
        found = np.empty((len(rows), 4))
        for batch in _batches(adapter, [len(row[0]) for row in rows], batch_size):
            ids, mask = _pad(adapter, [rows[index][0] for index in batch])
            states = adapter.hidden_states(ids, mask)
            at = torch.tensor([rows[index][1] for index in batch], device=states.device)
            logits = adapter.network.logits(states[torch.arange(len(batch), device=at.device), at][:, None])[:, 0]
            probabilities = logits.double().softmax(-1).cpu().numpy()
            for row, index in zip(probabilities, batch):
                found[index] = _marginal(adapter.tokenizer.bases, row, *rows[index][2:])
    return found.reshape(len(codes), -1, 4)


def _masked_query(adapter: Model, codes: np.ndarray, place: int) -> tuple[np.ndarray, int, int, int]:
    """Token ids with the place's token masked, where to read, the token's number of bases, the place's offset
    in it. Of a sequence in chunks, the chunk in which the token has most context.
    """
    tokens = adapter.tokenize([codes], chunk=True)
    covering = tokens.token_of_base[0].numpy()
    row, token = divmod(int(covering[place]), tokens.input_ids.shape[1])
    ids = tokens.input_ids[row].numpy()
    ids[token] = _mask_id(adapter)
    same = covering == covering[place]
    return ids, token, int(same.sum()), place - int(np.argmax(same))


def _next_base_query(adapter: Model, codes: np.ndarray, place: int) -> tuple[np.ndarray, int, int, int]:
    """Token ids up to the place, whose last position predicts it; as many as the context holds."""
    left = adapter.tokenizer.pieces(codes[:place]).ids
    size = room(adapter)
    ids = np.concatenate([np.array(adapter.tokenizer.prefix, np.int64), left if size is None else left[-size:]])
    if not len(ids):
        raise InputError("position 0 has nothing to its left to be predicted from", fix="Start at position 1.")
    return ids, len(ids) - 1, 1, 0


def _next_kmer_query(adapter: Model, codes: np.ndarray, place: int) -> tuple[np.ndarray, int, int, int]:
    """Token ids of the whole k-mers that end at the place: the next k-mer begins with it."""
    k = adapter.tokenizer.bases.shape[1]
    ids, at, _, _ = _next_base_query(adapter, codes[place % k :], place - place % k)
    return ids, at, k, 0


def _marginal(bases: np.ndarray, probabilities: np.ndarray, length: int, offset: int) -> np.ndarray:
    """Sum the probabilities of tokens of `length` bases by their base at `offset`, and scale the four sums to
    one.
    """
    known = min(len(bases), len(probabilities))  # either may hold ids that the other does not have
    bases, probabilities = bases[:known], probabilities[:known]
    fits = ((bases >= 0).sum(1) == length) & (bases[:, offset] >= 0)
    sums = np.bincount(bases[fits, offset], weights=probabilities[fits], minlength=4)
    return sums / sums.sum()


def _causal(adapter: Model, sequences: list[np.ndarray], batch_size: int, chunk: bool) -> np.ndarray:
    """Sum over tokens of log p(token | tokens to its left), ``float64[B]``."""
    counts = [len(adapter.tokenizer.pieces(one).ids) for one in sequences]
    total = np.empty(len(sequences))
    for batch in _batches(adapter, counts, batch_size):
        tokens = adapter.tokenize([sequences[index] for index in batch], chunk).to(adapter.device)
        scored = _scored(adapter, tokens)
        sums = [_sums_of_rows(adapter, tokens, scored, rows) for rows in _rows(tokens).split(batch_size)]
        of_sequence = np.repeat(np.arange(len(batch)), tokens.rows or 1)
        total[batch] = np.bincount(of_sequence, torch.cat(sums).cpu().numpy())
    return total


def _sums_of_rows(adapter: Model, tokens: Tokens, scored: Tensor, rows: Tensor) -> Tensor:
    """Sum over the scored tokens of some rows of log p(token | tokens to its left), ``float64[rows]``."""
    targets, scored = tokens.input_ids[rows, 1:], scored[rows, 1:]
    sums = torch.zeros(len(rows), dtype=torch.float64, device=targets.device)
    for start, states in _stretches(adapter, tokens.input_ids[rows], tokens.attention_mask[rows]):
        part = slice(start, start + states.shape[1])
        logs = adapter.network.logits(states).float().log_softmax(-1)[:, : targets[:, part].shape[1]]
        chosen = logs.gather(-1, targets[:, part, None])[..., 0].double()
        sums += (chosen * scored[:, part]).sum(1)
    return sums


def _stretches(adapter: Model, input_ids: Tensor, attention_mask: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield the states of a batch in stretches of `SLICE` tokens, with the place of their first.

    A recurrent network reads stretch by stretch and hands on its state: of a sequence of millions of bases no more is held than
    of a stretch. Of others all is read at once.
    """
    network = adapter.network
    if not isinstance(network, CarriedNetwork):
        states = adapter.hidden_states(input_ids, attention_mask)
        yield from zip(range(0, states.shape[1], SLICE), states.split(SLICE, 1))
        return
    state = network.start(len(input_ids))
    for start in range(0, input_ids.shape[1], SLICE):
        states, state = network.carry(input_ids[:, start : start + SLICE], state)
        yield start, states


def _pseudo_log_likelihood(adapter: Model, codes: np.ndarray, batch_size: int, chunk: bool) -> float:
    """Sum over tokens of log p(token | all others), masking one token at a time."""
    tokens = adapter.tokenize([codes], chunk).to(adapter.device)
    total = 0.0
    for some in _scored(adapter, tokens).nonzero().split(batch_size):
        rows, places = some.T
        index = torch.arange(len(some), device=some.device)
        ids = tokens.input_ids[rows]
        ids[index, places] = _mask_id(adapter)
        logits = adapter.network.logits(adapter.hidden_states(ids)[index, places][:, None])[:, 0]
        logs = logits.double().log_softmax(-1)
        total += float(logs[index, tokens.input_ids[rows, places]].sum())
    return total


def _rows(tokens: Tokens) -> Tensor:
    """Return the numbers of the rows, ``int64[R]``."""
    return torch.arange(len(tokens.input_ids), device=tokens.input_ids.device)


def _scored(adapter: Model, tokens: Tokens) -> Tensor:
    """Which tokens are scored, ``bool[R, T]``: those that cover a base and are not unknown.

    Where chunks overlap a token stands in two rows; it is scored in the one that its bases point to.
    """
    R, T = tokens.input_ids.shape
    rows = torch.tensor([0, *(tokens.rows or [1] * R)], device=adapter.device)
    first = rows.cumsum(0)[:-1, None] * T  # of the rows of each sequence
    covered = torch.zeros(R * T + 1, dtype=torch.bool, device=adapter.device)
    covered[torch.where(tokens.token_of_base < 0, R * T, tokens.token_of_base + first)] = True
    known = adapter.tokenizer.unknown_id
    return covered[:-1].view(R, T) & (tokens.input_ids != (-1 if known is None else known))


def _require_head(adapter: Model) -> None:
    """Refuse a model whose language-model head was dropped."""
    if not adapter.has_head:
        raise adapter.refuse("scores", "its language-model head was dropped; load the model again")


def _mask_id(adapter: Model) -> int:
    """Id of the mask token."""
    if adapter.tokenizer.mask_id is None:
        raise adapter.refuse("masked scores", "its tokenizer has no mask token; use a family that has one")
    return adapter.tokenizer.mask_id


def _batches(adapter: Model, lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield batches of indices: of similar lengths, and of one length where the family cannot pad."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index in np.argsort(lengths, kind="stable"):
        groups[0 if adapter.card.padding else lengths[index]].append(int(index))
    for group in groups.values():
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def _pad(adapter: Model, rows: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Stack rows of token ids, padded on the right, with their attention mask."""
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.from_numpy(row) for row in rows], batch_first=True, padding_value=adapter.tokenizer.pad_id or 0
    )
    lengths = torch.tensor([len(row) for row in rows])
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    return ids.to(adapter.device), mask.to(adapter.device)


@contextmanager
def _scoring(adapter: Model) -> Iterator[None]:
    """Compute in evaluation mode without gradients, and go back to what was."""
    was_training = adapter.training
    adapter.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        adapter.train(was_training)
