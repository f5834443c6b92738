"""What a language model says of the site of a motif without any label: support, information, change of states.

A site is supported where the model expects it from what lies around it more than the same bases in another order, which have
its composition but not its motif. All windows of a call have one length, and all sites one width.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from glmflow.bases import COMPLEMENT

from .likelihood_model import LikelihoodModel, scoring
from .masked_scores import EMPTY, MaskedPasses, read_passes

SHUFFLES, SHUFFLES_OF_STATES = 10, 2
"""Orders of a site's bases that it is compared with; those that states are computed of are fewer, as each takes a pass."""
TINY = 1e-12

Codes = NDArray[np.uint8]
Values = NDArray[np.float64]


def site_support(model: LikelihoodModel, codes: Codes, start: NDArray[np.int64], width: int) -> Values:
    """Return log p(site | context) less its mean over `SHUFFLES` orders of the site's bases, in nats, `float64[n]`.

    Masked models: all tokens of the site are masked at once and read off one pass a strand, the mean over both. Causal models: the
    difference of the log-likelihoods of the windows, mean of both strands, which counts what follows the site too.

    Parameters
    ----------
    codes
        Windows, ASCII `uint8[n, L]`, without N.
    start
        First base of each site, `int64[n]`.
    width
        Bases of a site.

    Raises
    ------
    InputError
        A masked model of byte-pair tokens: another order of the bases is cut into other tokens.
    """
    others = shuffled_sites(codes, start, width, SHUFFLES)
    if not model.masked:
        own = np.asarray(model.adapter.log_likelihood(list(codes)))
        rest = model.adapter.log_likelihood(list(others.reshape(-1, codes.shape[1])))
        return own - np.asarray(rest).reshape(len(codes), SHUFFLES).mean(axis=1)
    if model.kind == "bpe":
        reason = "another order of a site's bases is cut into other tokens; take state_change"
        raise model.adapter.refuse("support of sites", reason)
    with scoring():
        forward = _masked_support(model, codes, others, start, width)
        turned = [COMPLEMENT[part[..., ::-1]] for part in (codes, others)]
        return (forward + _masked_support(model, *turned, codes.shape[1] - start - width, width)) / 2


def _masked_support(
    model: LikelihoodModel, codes: Codes, others: NDArray[np.uint8], start: NDArray[np.int64], width: int
) -> Values:
    rows, rest = model.tokenize(codes), model.tokenize(others.reshape(-1, codes.shape[1]))
    each = np.arange(len(codes))
    first, last = rows.cover[each, start], rows.cover[each, start + width - 1]
    slots = first[:, None] + np.arange(int((last - first).max()) + 1)
    masked = slots <= last[:, None]
    site, column = np.nonzero(masked)
    place = slots[site, column]
    tokens = np.concatenate(
        [rows.ids[:, None], rest.ids.reshape(len(codes), others.shape[1], -1)], axis=1
    )  # [n, 1 + shuffles, T]
    wanted = tokens[site, :, place].astype(np.int64)
    read = np.stack(np.broadcast_arrays(site[:, None], column[:, None], wanted), axis=-1).reshape(-1, 3)
    passes = MaskedPasses(each, np.where(masked, slots, EMPTY).astype(np.int64), read)
    logs = read_passes(model, rows, passes).reshape(wanted.shape)
    sums = np.zeros((len(codes), wanted.shape[1]))
    np.add.at(sums, site, logs)
    return sums[:, 0] - sums[:, 1:].mean(axis=1)


def kept_information(
    model: LikelihoodModel, codes: Codes, start: NDArray[np.int64], profile: NDArray[np.float64]
) -> Values:
    """Return how the information that a model has at each base of a site follows that of the motif, `float64[n]`.

    The correlation over the bases of 2 - H (bits) of the model's distribution, one base hidden at a time, with that of the
    motif. NaN where either does not vary. Bases that a causal model has nothing to predict from are left out.

    Parameters
    ----------
    profile
        Information of the motif at each position along the forward strand, `float64[n, width]` (bits).
    """
    places = start[:, None] + np.arange(profile.shape[1])
    least = first_predicted(model)
    chances = model.adapter.base_probabilities(list(codes), np.maximum(places, least))
    own = 2 + (chances * np.log2(np.maximum(chances, TINY))).sum(axis=-1)
    known = places >= least
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    x, y = (np.where(known, part - (part * known).sum(axis=1, keepdims=True) / count, 0) for part in (own, profile))
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > TINY, (x * y).sum(axis=1) / spread, np.nan)


def first_predicted(model: LikelihoodModel) -> int:
    """Return the first base of a window that a model predicts: a causal one without a start token none of the first token."""
    tokenizer = model.adapter.tokenizer
    return 0 if model.masked or len(tokenizer.prefix) else tokenizer.bases.shape[1]


def state_change(model: LikelihoodModel, codes: Codes, start: NDArray[np.int64], width: int) -> Values:
    """Return by how much more a window's mean state moves where its site is shuffled than where another stretch is, `float64[n]`.

    The other stretch is as wide, beside the site (it shares no base with it), and of those the most alike in GC. NaN where the
    window has no room for one.
    """
    other = matched_stretch(codes, start, width)
    room = other >= 0
    found = np.full(len(codes), np.nan)
    if not room.any():
        return found
    codes, start, other = codes[room], start[room], other[room]
    with scoring():
        own = mean_states(model, codes)
        moved = []
        for place in (start, other):
            changed = shuffled_sites(codes, place, width, SHUFFLES_OF_STATES)
            states = mean_states(model, changed.reshape(-1, codes.shape[1])).reshape(len(codes), SHUFFLES_OF_STATES, -1)
            moved.append(np.linalg.norm(states - own[:, None], axis=-1).mean(axis=1))
    found[room] = moved[0] - moved[1]
    return found


def matched_stretch(codes: Codes, start: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the start of the stretch apart from each site that is most alike in GC, the first of equal ones; -1: none."""
    strong = np.isin(codes, np.frombuffer(b"GC", np.uint8)).astype(np.int64)
    sums = np.cumsum(np.pad(strong, ((0, 0), (1, 0))), axis=1)
    gc = sums[:, width:] - sums[:, :-width]
    far = np.abs(gc - gc[np.arange(len(codes)), start][:, None]).astype(np.float64)
    far[np.abs(np.arange(gc.shape[1]) - start[:, None]) < width] = np.inf
    best = far.argmin(axis=1)
    return np.where(np.isfinite(far[np.arange(len(codes)), best]), best, -1)


def shuffled_sites(codes: Codes, start: NDArray[np.int64], width: int, count: int) -> NDArray[np.uint8]:
    """Return windows whose sites have their bases in other orders, `uint8[n, count, L]`; the same orders for all."""
    rng = np.random.default_rng(1)
    orders = np.stack([rng.permutation(width) for _ in range(count)])
    found = np.repeat(codes[:, None], count, axis=1)
    place = start[:, None] + np.arange(width)
    site = np.take_along_axis(codes, place, axis=1)
    np.put_along_axis(found, np.broadcast_to(place[:, None], (len(codes), count, width)), site[:, orders], axis=2)
    return found


def mean_states(model: LikelihoodModel, codes: Codes) -> Values:
    """Return the mean over tokens of the last states of windows, `float64[n, D]`."""
    rows = model.tokenize(codes)
    found = np.empty((len(codes), model.adapter.card.hidden_size))
    for length in np.unique(rows.length):
        own = np.flatnonzero(rows.length == length)
        size = model.rows_per_batch(int(length))
        for first in range(0, len(own), size):
            some = own[first : first + size]
            states = model.states(model.ids(rows.ids[some, :length]))
            found[some] = torch.as_tensor(states).float().mean(1).cpu().numpy()
    return found
