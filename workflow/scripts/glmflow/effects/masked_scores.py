"""Scores from tokens masked in a window: `llr`, `llr_marginal` and `pll`.

A *pass* is a window with some tokens masked. Alternatives of one site mask the same tokens of the same window, so that
they are read off one pass; passes that are equal are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .likelihood_model import LikelihoodModel
from .token_rows import TokenRows, distinct, joined

EMPTY = -1
MNV = ("joint", "sum", "each_own")


@dataclass
class MaskedPasses:
    """Windows with masked tokens, and what is read off them.

    Attributes
    ----------
    row
        `int64[P]`: the window of each pass.
    slots
        `int64[P, S]`: its masked tokens; `EMPTY` where it has fewer than S.
    read
        `int64[Q, 3]`: pass, column of its slots, and token (of a marginal: number of the set of tokens) of each
        log-probability that is read.
    """

    row: NDArray[np.int64]
    slots: NDArray[np.int64]
    read: NDArray[np.int64]


def read_passes(
    model: LikelihoodModel, rows: TokenRows, passes: MaskedPasses, sets: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the log-probability of each token that is read, `float64[Q]`.

    Parameters
    ----------
    sets
        `bool[sets, V]`: the tokens of each set, where probabilities are summed over sets.
    """
    found = np.empty(len(passes.read))
    if not len(passes.read):
        return found
    lengths = rows.length[passes.row]
    order = np.lexsort((passes.row, lengths))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    by_pass = np.argsort(rank[passes.read[:, 0]], kind="stable")
    pass_of = rank[passes.read[by_pass, 0]]
    for first, last in _batches(model, lengths[order]):
        some = order[first:last]
        ids = model.ids(rows.ids[passes.row[some], : lengths[some[0]]])
        slots = passes.slots[some]
        which, column = np.nonzero(slots != EMPTY)
        ids[which, slots[which, column]] = model.mask_id()
        states = model.states_at(ids, np.where(slots == EMPTY, slots[:, :1], slots))
        logits = model.logits(states[which, column][:, None])[:, 0]
        number = np.full(slots.shape, -1)
        number[which, column] = np.arange(len(which))
        reads = by_pass[slice(*np.searchsorted(pass_of, (first, last)))]
        wanted = passes.read[reads]
        at = number[rank[wanted[:, 0]] - first, wanted[:, 1]]
        found[reads] = _log_probabilities(logits, at, wanted[:, 2], sets)
    return found


def _batches(model: LikelihoodModel, lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each batch of windows sorted by their number of tokens: all of one length."""
    ends = np.flatnonzero(np.append(np.diff(lengths), 1)) + 1
    begin = 0
    for end in ends.tolist():
        size = model.rows_per_batch(int(lengths[begin]))
        for first in range(begin, end, size):
            yield first, min(first + size, end)
        begin = end


def _log_probabilities(
    logits: torch.Tensor, at: NDArray, token: NDArray, sets: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Read log-probabilities of tokens, or of sets of tokens, off rows of logits."""
    logs = logits.log_softmax(-1)
    at = torch.from_numpy(at).to(logs.device)
    if sets is None:
        return logs[at, torch.from_numpy(token).to(logs.device)].double().cpu().numpy()
    members = torch.from_numpy(sets[token]).to(logs.device)
    return logs[at].masked_fill(~members, -torch.inf).logsumexp(-1).double().cpu().numpy()


def changed_tokens(reference: TokenRows, row: NDArray[np.int64], alternative: TokenRows) -> NDArray[np.bool_]:
    """Return which tokens differ between each alternative and its reference, `bool[n, T]`; none where lengths do."""
    width = min(reference.ids.shape[1], alternative.ids.shape[1])
    differ = reference.ids[row, :width] != alternative.ids[:, :width]
    differ[reference.length[row] != alternative.length] = False
    return differ


def llr(
    model: LikelihoodModel,
    reference: TokenRows,
    row: NDArray[np.int64],
    alternative: TokenRows,
    equal: NDArray[np.bool_],
    mnv: str = "joint",
    marginal: bool = False,
) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of the tokens that change, `float64[n]`; NaN where it has none.

    All of them are masked in the reference window, in one pass: the sum over them of log p(alternative token) -
    log p(reference token). Byte-pair tokens: only where exactly one changes.

    Parameters
    ----------
    reference, row, alternative
        The distinct reference windows, that of each edit, and the alternative windows.
    equal
        `bool[n]`: edits that keep the length; the others get NaN.
    mnv
        Where several tokens change: `joint` masks all at once; `sum` masks each alone, the others as the reference has
        them; `each_own` masks each alone, the others as its own allele has them (Meier et al. 2021).
    marginal
        Sum over all tokens that have the alternative (reference) bases where bases change.
    """
    differ = changed_tokens(reference, row, alternative)
    count = differ.sum(1)
    usable = equal & (count > 0) if model.kind != "bpe" else equal & (count == 1)
    edit, slot = np.nonzero(differ & usable[:, None])
    if not len(edit):
        return np.full(len(row), np.nan)
    own = mnv == "each_own"
    rows = joined(reference, alternative) if own else reference
    tokens = np.stack([alternative.ids[edit, slot], reference.ids[row[edit], slot]], 1).astype(np.int64)
    sets = None
    if marginal:
        tokens, sets = _sets(model, tokens)
    if mnv == "joint":
        starts = np.flatnonzero(np.append(True, edit[1:] != edit[:-1]))
        number = np.arange(len(edit)) - np.repeat(starts, np.diff(np.append(starts, len(edit))))
        slots = np.full((len(row), count[usable].max()), EMPTY)
        slots[edit, number] = slot
        keys = np.column_stack([row, slots])[np.flatnonzero(usable)]
        place = np.cumsum(usable) - 1
        which, column = place[edit], number
        owner = np.stack([which, which], 1)
    else:
        other = len(reference) + edit if own else row[edit]
        keys = np.concatenate([np.stack([other, slot], 1), np.stack([row[edit], slot], 1)])
        owner, column = np.arange(len(keys)).reshape(2, -1).T, np.zeros(len(edit), np.int64)
    passes, inverse = np.unique(keys, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    read = np.stack([inverse[owner], np.stack([column, column], 1), tokens], -1).reshape(-1, 3)
    logs = read_passes(model, rows, MaskedPasses(passes[:, 0], passes[:, 1:], read), sets).reshape(-1, 2)
    total = np.full(len(row), np.nan)
    total[usable] = np.bincount(edit, logs[:, 0] - logs[:, 1], len(row))[usable]
    return total


def _sets(model: LikelihoodModel, tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return numbers of sets of tokens, in place of pairs (alternative, reference) of tokens, and the sets.

    A set holds the tokens as long as the pair that have its bases where the two differ.
    """
    vocabulary = model.adapter.card.vocab_size
    table = np.full((vocabulary, model.adapter.tokenizer.bases.shape[1]), -1, np.int8)
    known = model.adapter.tokenizer.bases[:vocabulary]
    table[: len(known)] = known
    size = (table >= 0).sum(1)
    pairs, inverse = np.unique(tokens, axis=0, return_inverse=True)
    sets = np.empty((2 * len(pairs), vocabulary), bool)
    for number, (alternative, reference) in enumerate(pairs):
        where = table[alternative] != table[reference]
        for half, token in enumerate((alternative, reference)):
            sets[2 * number + half] = (size == size[token]) & (table[:, where] == table[token, where]).all(1)
    inverse = inverse.reshape(-1)
    return np.stack([2 * inverse, 2 * inverse + 1], 1), sets


def pll(
    model: LikelihoodModel, reference: TokenRows, row: NDArray[np.int64], alternative: TokenRows, which: NDArray
) -> NDArray[np.float64]:
    """Return the pseudo-log-likelihood of each alternative window less that of its reference, `float64[n]`.

    The sum over tokens of log p(token | all others), one masked at a time (Salazar et al. 2020); unknown tokens are
    not scored.

    Parameters
    ----------
    which
        `int64[c]`: the edits that are scored; the others get NaN.
    """
    both = joined(reference, alternative)
    chosen = np.concatenate([row[which], len(reference) + which])
    first, number = distinct(both, chosen)
    window, token = np.nonzero(model.scored(both)[first])
    read = np.stack([np.arange(len(window)), np.zeros_like(window), both.ids[first[window], token]], 1)
    logs = read_passes(model, both, MaskedPasses(first[window], token[:, None], read.astype(np.int64)))
    sums = np.bincount(window, logs, len(first))
    found = np.full(len(row), np.nan)
    found[which] = sums[number[len(which) :]] - sums[number[: len(which)]]
    return found
