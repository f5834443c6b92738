"""The dependency map of a sequence: every base is changed into the three others, and the change of all predictions read.

``D[i, j]`` is the largest change of the log2 odds of any base at j, over the three changes of base i: rows are changed,
columns affected. Probabilities are those of an unmasked pass, over the four bases, with a pseudo-probability `eps` that
bounds a cell at ``2 log2(1 / eps)`` (Tomaz da Silva et al. 2025, Nucleotide dependency analysis of genomic language
models, Nature Genetics; they take 1e-10 and a pass of the unchanged base more).

A causal model predicts a base from those to its left alone. Its map is stitched: what lies right of the changed base is
read on the forward strand, what lies left of it on the reverse complement.

A k-mer model predicts tokens; the probability of a base is that of all k-mers with it in its place. A change of a base
changes the token of its neighbours as well, so that cells within one token say nothing: they are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.bases import reverse_complement
from glmflow.effects.likelihood_model import LikelihoodModel, scoring
from glmflow.effects.token_rows import BASE
from glmflow.errors import InputError

from .base_predictions import Predictions

EPS = 1e-4
MEASURES = ("odds", "logp")
SYMMETRIC = ("none", "mean", "max")
LETTERS = np.frombuffer(b"ACGT", np.uint8)
LEAK = 1e-4
"""Largest change of a causal model's predictions to the left of a changed base that counts as none."""


@dataclass(frozen=True)
class MapSettings:
    """How maps are computed.

    Parameters
    ----------
    eps
        Added to each probability.
    measure
        Change of the log2 `odds` of a base, or of its log2 probability (`logp`, a categorical Jacobian).
    symmetric
        `none`, or the `mean` or `max` of both directions.
    context
        Bases at both ends that are neither changed nor read.
    frames
        `one` reading frame of k-mers, or the mean over `all`.
    strands
        Masked models: the `forward` strand, or the mean of `both`.
    """

    eps: float = EPS
    measure: Literal["odds", "logp"] = "odds"
    symmetric: Literal["none", "mean", "max"] = "none"
    context: int = 0
    frames: Literal["one", "all"] = "one"
    strands: Literal["forward", "both"] = "forward"


@dataclass
class DependencyMap:
    """A map and the predictions it was computed from.

    Attributes
    ----------
    values
        `float32[L, L]`; rows are changed, columns affected; 0 on the diagonal, NaN where there is no value.
    probabilities
        `float32[L, 4]`: of A, C, G and T at each base of the unchanged sequence, with the pseudo-probability (causal: the
        mean of both strands); NaN where there is none.
    codes
        `uint8[L]`: the bases of the map.
    passes
        Sequences computed for it.
    """

    values: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    codes: NDArray[np.uint8]
    passes: int = field(default=0, compare=False)


def dependency_map(model: LikelihoodModel, codes: NDArray[np.uint8], settings: MapSettings) -> DependencyMap:
    """Return the dependency map of a sequence `uint8[L]`, its context left out.

    Raises
    ------
    NotSupportedError
        Byte-pair tokens: a changed base moves the bounds of tokens around it.
    InputError
        The sequence is longer than the context, or holds nothing but its context; a causal model sees what is to come.
    """
    if model.kind == "bpe":
        reason = "a changed base moves the bounds of its tokens; compare windows by glmflow variants --score l2_mean"
        raise model.adapter.refuse("dependency maps", reason)
    if len(codes) <= 2 * settings.context:
        raise InputError(f"a sequence of {len(codes)} bp has nothing inside a context of {settings.context}")
    require_room(model, codes)
    before = model.passes
    frames = range(model.k) if settings.frames == "all" else (0,)
    with scoring():
        found = [_in_frame(model, codes[frame:], settings, frame) for frame in frames]
    size, context = len(codes), settings.context
    values = _mean([_moved(values, frame, size, 2) for frame, (values, _) in zip(frames, found)])
    logo = _mean([_moved(logo, frame, size, 1) for frame, (_, logo) in zip(frames, found)])
    inside = slice(context, size - context)
    values, codes = values[inside, inside], codes[inside]
    logo = (logo[inside] + settings.eps) / (1 + 4 * settings.eps)
    values = _symmetric(values, settings.symmetric)
    known = BASE[codes] >= 0
    values[~known], values[:, ~known] = np.nan, np.nan
    places = np.flatnonzero(known)
    values[places, places] = 0
    return DependencyMap(values.astype(np.float32), logo.astype(np.float32), codes, model.passes - before)


def require_room(model: LikelihoodModel, codes: NDArray[np.uint8], name: str = "a sequence") -> None:
    """Refuse a sequence with more tokens than the model takes."""
    tokens = int(model.tokenize(codes[None]).length[0])
    if model.context is not None and tokens > model.context:
        raise InputError(
            f"{name} of {len(codes):,} bp has {tokens:,} tokens, {model.name} takes {model.context:,}",
            fix="Give shorter sequences, or --context N to cut it into tiles with N bases around each.",
        )


def _moved(values: NDArray, frame: int, size: int, axes: int) -> NDArray:
    """Put a frame's values where they belong in the whole sequence; NaN in the bases before it."""
    shape = (size,) * axes + values.shape[axes:]
    whole = np.full(shape, np.nan)
    whole[(slice(frame, None),) * axes] = values
    return whole


def _mean(values: list[NDArray]) -> NDArray:
    """Return the mean of what is known."""
    if len(values) == 1:
        return values[0]
    known = np.sum([np.isfinite(one) for one in values], 0)
    total = np.nansum(values, 0)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)


def _symmetric(values: NDArray, how: str) -> NDArray:
    """Return a map, or the mean or larger one of its two directions."""
    if how == "none":
        return values.copy()
    pair = [values, values.T]
    return np.fmax(*pair) if how == "max" else _mean(pair)


def _in_frame(
    model: LikelihoodModel, codes: NDArray[np.uint8], settings: MapSettings, frame: int
) -> tuple[NDArray, NDArray]:
    """Return the map of a sequence in one reading frame, and its probabilities."""
    changed = np.zeros(len(codes), bool)
    changed[max(settings.context - frame, 0) : len(codes) - settings.context] = True
    forward, logo = _one_strand(model, codes, changed, settings)
    if model.masked and settings.strands == "forward":
        return forward, logo
    turned, other = _one_strand(model, reverse_complement(codes), changed[::-1], settings)
    turned, other = turned[::-1, ::-1], other[::-1, ::-1]
    if model.masked:
        return _mean([forward, turned]), _mean([logo, other])
    return np.where(np.triu(np.ones(forward.shape, bool)), forward, turned), _mean([logo, other])


def _one_strand(
    model: LikelihoodModel, codes: NDArray[np.uint8], changed: NDArray[np.bool_], settings: MapSettings
) -> tuple[NDArray, NDArray]:
    """Return the map of one strand, `float64[L, L]`, and the probabilities of its bases.

    Of a causal model cells left of the changed base, and on the diagonal, are exactly 0.
    """
    own = model.tokenize(codes[None])
    reader = Predictions(model, own)
    ids = model.ids(own.ids)
    continues = model.continues()
    states, memory = model.remember(ids) if continues else (model.states(ids), None)
    unchanged = reader.read(states)[0]
    wild = transformed(unchanged, settings)
    places = np.flatnonzero(changed & (BASE[codes] >= 0))
    if not model.masked and len(places):
        _require_causal(model, codes, int(places[len(places) // 2]), reader, wild, settings)
    values = np.full((len(codes), len(codes)), np.nan)
    size = max(1, model.rows_per_batch(int(own.length[0])) // 3)
    for begin in range(0, len(places), size):
        some = places[begin : begin + size]
        rows = model.tokenize(_mutants(codes, some))
        at = int(reader.cover[some[0]]) if continues else 0
        if at:
            states = model.go_on(memory, np.zeros(len(rows), np.int64), at, model.ids(rows.ids[:, at:]))
        else:
            states = model.states(model.ids(rows.ids))
        first = reader.first_base(at)
        change = (transformed(reader.read(states, at), settings) - wild[first:]).abs().amax(-1)
        values[some, first:] = change.view(len(some), 3, -1).amax(1).cpu().numpy()
    return _without_empty_cells(model, reader, values), unchanged.cpu().numpy()


def _without_empty_cells(model: LikelihoodModel, reader: Predictions, values: NDArray) -> NDArray:
    """Return a strand's map without the cells that say nothing (NaN), or that nothing can reach (0)."""
    token = reader.cover
    if not model.masked:
        values[token[None] <= token[:, None]] = 0
    if model.kind == "kmer":
        values[token[None] == token[:, None]] = np.nan
    values[reader.hidden], values[:, reader.hidden] = np.nan, np.nan
    return values


def _mutants(codes: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the three changes of each of some bases, `uint8[3 P, L]`."""
    rows = np.repeat(codes[None], 3 * len(places), 0)
    others = (BASE[codes[places]][:, None] + np.arange(1, 4)) % 4
    rows[np.arange(3 * len(places)), np.repeat(places, 3)] = LETTERS[others.reshape(-1)]
    return rows


def _require_causal(
    model: LikelihoodModel,
    codes: NDArray[np.uint8],
    place: int,
    reader: Predictions,
    wild: Tensor,
    settings: MapSettings,
) -> None:
    """Stop where a change reaches predictions to its left: the model, or its code, sees what is to come.

    Looked at once a sequence, with one base changed in a pass over the whole of it.
    """
    tokens = model.tokenize(_mutants(codes, np.array([place]))[:1])
    found = transformed(reader.read(model.states(model.ids(tokens.ids))), settings)[0]
    leaked = (found - wild)[torch.from_numpy(reader.cover <= reader.cover[place]).to(wild.device)]
    largest = float(leaked.abs().nan_to_num(0).amax())
    if largest > LEAK * (1 if model.adapter.dtype == torch.float32 else 1000):
        raise InputError(
            f"{model.name} counts as causal, but changing base {place} changes predictions to its left by {largest:.2g}",
            fix="Check its attention mask.",
        )


def transformed(probabilities: Tensor, settings: MapSettings) -> Tensor:
    """Return log2 odds, or log2 probabilities, with the pseudo-probability."""
    p = (probabilities + settings.eps) / (1 + 4 * settings.eps)
    return torch.log2(p) if settings.measure == "logp" else torch.log2(p) - torch.log2(1 - p)
