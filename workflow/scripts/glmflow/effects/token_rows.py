"""Windows as token ids: by table for single bases and k-mers, by the tokenizer itself for the rest."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glmflow.models.tokenizers import CharacterTokenizer, KmerTokenizer, Tokenizer

BASE = np.full(256, -1, np.int64)
BASE[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
NO_TOKEN = -1


@dataclass
class TokenRows:
    """Sequences of one length as token ids with the family's special tokens.

    Attributes
    ----------
    ids
        `int32[n, T]`; `NO_TOKEN` behind the end of a row.
    length
        `int64[n]`: tokens of each row.
    cover
        `int32[n, L]`: the token that covers each base (all rows may be views of one).
    """

    ids: NDArray[np.int32]
    length: NDArray[np.int64]
    cover: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


def tokenize(tokenizer: Tokenizer, codes: NDArray[np.uint8]) -> TokenRows:
    """Return the token ids of sequences `uint8[n, L]`."""
    n, length = codes.shape
    if isinstance(tokenizer, CharacterTokenizer):
        inner = tokenizer.pieces(codes.reshape(-1)).ids.reshape(n, length)
        return _even(tokenizer, inner, np.arange(length))
    k = getattr(tokenizer, "k", 0)
    if isinstance(tokenizer, KmerTokenizer) and length % k == 0:
        digits = BASE[codes].reshape(n, length // k, k)
        clean = (digits >= 0).all((1, 2))
        if clean.all():
            inner = _kmer_ids(tokenizer)[digits @ 4 ** np.arange(k - 1, -1, -1)]
            return _even(tokenizer, inner, np.arange(length) // k)
    return _one_by_one(tokenizer, codes)


def _even(tokenizer: Tokenizer, inner: NDArray, token_of_base: NDArray) -> TokenRows:
    """Put special tokens around rows that have one number of tokens."""
    n, before, behind = len(inner), len(tokenizer.prefix), len(tokenizer.suffix)
    ids = np.empty((n, before + inner.shape[1] + behind), np.int32)
    ids[:, :before] = tokenizer.prefix
    ids[:, before : before + inner.shape[1]] = inner
    ids[:, before + inner.shape[1] :] = tokenizer.suffix
    cover = np.broadcast_to((token_of_base + before).astype(np.int32), (n, len(token_of_base)))
    return TokenRows(ids, np.full(n, ids.shape[1]), cover)


def _one_by_one(tokenizer: Tokenizer, codes: NDArray[np.uint8]) -> TokenRows:
    """Tokenize each row by itself: their numbers of tokens differ."""
    pieces = [tokenizer.pieces(row) for row in codes]
    before, behind = len(tokenizer.prefix), len(tokenizer.suffix)
    length = np.array([before + len(piece.ids) + behind for piece in pieces], np.int64)
    ids = np.full((len(codes), length.max(initial=0)), NO_TOKEN, np.int32)
    cover = np.empty(codes.shape, np.int32)
    for row, piece in enumerate(pieces):
        ids[row, : length[row]] = [*tokenizer.prefix, *piece.ids, *tokenizer.suffix]
        cover[row] = piece.token_of_base + before
    return TokenRows(ids, length, cover)


_tables: weakref.WeakKeyDictionary[KmerTokenizer, NDArray[np.int64]] = weakref.WeakKeyDictionary()


def _kmer_ids(tokenizer: KmerTokenizer) -> NDArray[np.int64]:
    """Return the id of each k-mer, numbered by its bases as digits A C G T; the unknown id where there is none."""
    if tokenizer not in _tables:
        bases = tokenizer.bases
        table = np.full(4**tokenizer.k, -1 if tokenizer.unknown_id is None else tokenizer.unknown_id, np.int64)
        whole = np.flatnonzero((bases >= 0).all(1))
        table[bases[whole].astype(np.int64) @ 4 ** np.arange(tokenizer.k - 1, -1, -1)] = whole
        _tables[tokenizer] = table
    return _tables[tokenizer]


def distinct(rows: TokenRows, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of equal rows among those chosen, and which of these each chosen one is."""
    seen: dict[bytes, int] = {}
    first: list[int] = []
    which = np.empty(len(chosen), np.int64)
    for place, row in enumerate(chosen.tolist()):
        key = rows.ids[row].tobytes()
        if key not in seen:
            seen[key] = len(first)
            first.append(row)
        which[place] = seen[key]
    return np.array(first, np.int64), which


def joined(*parts: TokenRows) -> TokenRows:
    """Return the rows of several sets as one."""
    width = max(part.ids.shape[1] for part in parts)
    ids = [np.pad(part.ids, ((0, 0), (0, width - part.ids.shape[1])), constant_values=NO_TOKEN) for part in parts]
    return TokenRows(
        np.concatenate(ids),
        np.concatenate([part.length for part in parts]),
        np.concatenate([part.cover for part in parts]),
    )
